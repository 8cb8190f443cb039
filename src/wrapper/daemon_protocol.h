// What the wrapper and the commands say to the daemon, over a Unix socket. docs/formats.md, "Daemon".
//
// A frame is u32 size of what follows, u8 type, u64 id, payload; a reply has the id of its request. The first frame of a
// connection is a hello, which may be sent together with the first request. Every request carries the settings of whoever
// asks: the daemon has no remote of its own.
//
// Bytes and values only; daemon_link.h connects.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/digest.h"
#include "base/env.h"
#include "base/result.h"
#include "config/config.h"

namespace kache {

// Raised when an older program could misread something. Both sides go without the other where it differs.
inline constexpr uint32_t kProtocol = 1;
inline constexpr uint32_t kMaxDaemonFrame = 4 << 20;

// The numbers are on the wire.
enum class MessageType : uint8_t {
  hello = 1,    // u32 protocol, text program ("kache 0.1.0")
  fetch = 2,    // FetchRequest → fetched
  publish = 3,  // PublishRequest; no reply
  status = 4,   // → text (JSON)
  stop = 5,     // StopRequest → done, then the daemon ends
  announce = 6, // BuildRequest; no reply

  hello_reply = 65,  // u32 protocol, text program, u64 pid
  fetched = 66,      // FetchReply
  done = 67,         // text, "" when all is well
  text = 68,
};

struct DaemonFrame {
  MessageType type = MessageType::hello;
  uint64_t id = 0;
  std::string payload;
};
std::string encode_frame(const DaemonFrame& frame);
// Takes the first whole frame from `bytes`. False: more is needed. `too_large` or `corrupt`: the other side is none of ours.
Result<bool> take_frame(std::string& bytes, DaemonFrame& frame);

// The options that say which remotes there are and how to use them, and the variables with credentials.
struct RemoteSettings {
  std::vector<std::pair<std::string, std::vector<std::string>>> options;  // key → items
  std::vector<std::string> env;                                           // NAME=value
  bool operator==(const RemoteSettings&) const = default;
};
RemoteSettings remote_settings(const Config& config, const Env& env);
// Without what is secret: what may lie on the disk.
RemoteSettings without_secrets(const RemoteSettings& settings);
// Names one remote set-up, with or without its secrets.
Digest fingerprint(const RemoteSettings& settings);
// The Config that has these settings, everything else at its default.
Config config_of(const RemoteSettings& settings);

// Which build asks: by that it is known what it will ask next.
struct AskingBuild {
  std::string session, root;  // as in events
  std::string space;          // KACHE_NAMESPACE
};

struct FetchRequest {
  enum What : uint8_t { traces = 0, record = 1 } what = traces;
  Digest key;  // an InvocationKey or an ActionKey
  uint32_t deadline_ms = 0;
  RemoteSettings settings;
  AskingBuild build;
};
// A build that will ask for results, before its first compile knows for which.
struct BuildRequest {
  RemoteSettings settings;
  AskingBuild build;
};
struct FetchReply {
  enum Kind : uint8_t {
    found = 0,
    absent = 1,
    failed = 2,      // `reason`
    suppressed = 3,  // the remote is not well, and was not asked
  } kind = absent;
  std::string reason;
};
struct PublishRequest {
  ActionKey key;
  RemoteSettings settings;
};
struct StopRequest {
  uint32_t drain_ms = 0;  // how long it may take to send what is waiting
};

std::string encode(const RemoteSettings& settings);
std::string encode(const FetchRequest& request);
std::string encode(const BuildRequest& request);
std::string encode(const FetchReply& reply);
std::string encode(const PublishRequest& request);
std::string encode(const StopRequest& request);
// `corrupt` for anything else.
Result<RemoteSettings> decode_settings(std::string_view bytes);
Result<FetchRequest> decode_fetch(std::string_view bytes);
Result<BuildRequest> decode_announce(std::string_view bytes);
Result<FetchReply> decode_fetch_reply(std::string_view bytes);
Result<PublishRequest> decode_publish(std::string_view bytes);
Result<StopRequest> decode_stop(std::string_view bytes);

// One result that waits to be sent, v1/outbox/<action key>: frame KOUTBX01.
struct Outgoing {
  ActionKey key;
  int64_t created_ns = 0;
  RemoteSettings settings;   // without secrets
  Digest with_secrets;       // the fingerprint of the whole settings
  std::string failure = {};  // why it can not be sent, "" while it can
};
std::string encode_outgoing(const Outgoing& outgoing);
Result<Outgoing> decode_outgoing(std::string_view bytes);

}  // namespace kache
