// RemoteSpec: which remote, as a value. From a URL (`cache.remotes`, KACHE_REMOTES) or from the keys of `[cache.remote]`.
//
//   /mnt/cache, file:///mnt/cache             a directory
//   s3://bucket/prefix?endpoint=http://host:7480&region=us-east-1&profile=ci&style=path
//   http://host/prefix, https://…             a server that takes PUT, GET, HEAD, DELETE
//   redis://user:password@host:6379/0?ttl=7d&prefix=kache, rediss://…, redis+unix:///run/redis.sock
//
// and `mode=read` or `mode=write` in the query of any of them: this one is only read, or only written.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/env.h"
#include "remote/remote.h"

namespace kache {

enum class Engine : uint8_t { directory, s3, http, redis };

struct RemoteSpec {
  Engine engine = Engine::directory;
  std::string place;   // directory: absolute path; s3: bucket; http: URL without its query; redis: host, or path of a socket
  std::string prefix;  // of all names, without slashes at its ends; "" for none
  std::map<std::string, std::string> options;  // the rest of the query: endpoint, region, profile, style, ttl, timeout …
  std::string user, password;  // of the URL
  uint16_t port = 0;           // redis; 0: the usual one
  bool reads = true, writes = true;

  // For people and logs; no secrets in it.
  std::string description() const;
  std::string option(const std::string& name) const;  // "" where it is not set
};

// `invalid`, naming what is wrong with it.
Result<RemoteSpec> parse_remote_url(std::string_view url);
// Empty parts and doubled slashes go; `invalid` for a backslash, "." and "..".
Result<std::string> normalise_prefix(std::string_view prefix);

// Opens the engine: no request is made yet. `env` holds the credentials of whoever asks, never those of this process.
// `invalid` for settings that can not work.
Result<std::unique_ptr<Remote>> open_remote(const RemoteSpec& spec, const Env& env);
// The engines' own makers, one in each engine's file.
Result<std::unique_ptr<Remote>> open_directory_remote(const RemoteSpec& spec);
Result<std::unique_ptr<Remote>> open_http_remote(const RemoteSpec& spec, const Env& env);
Result<std::unique_ptr<Remote>> open_s3_remote(const RemoteSpec& spec, const Env& env);
Result<std::unique_ptr<Remote>> open_redis_remote(const RemoteSpec& spec);

}  // namespace kache
