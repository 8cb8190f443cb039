// RedisConnection: one connection to a Redis or Valkey server. Commands and replies, bounded in time and memory.
//
// Knows the protocol; unaware of objects. Large values go through in pieces, both ways. What the server says is not
// trusted: a reply has a bound, and its text is cleaned before it gets into a message. For one thread at a time.
#pragma once

#include <hiredis.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "remote/remote.h"

namespace kache {

struct RedisAddress {
  std::string host;  // or the absolute path of a socket
  uint16_t port = 6379;
  std::string user, password;  // no password: none is sent. No user: the old form of AUTH
  uint32_t database = 0;
  bool tls = false;

  std::string text() const;  // "host:6379"; without the password
};

struct FreeRedisReply {
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using RedisReply = std::unique_ptr<redisReply, FreeRedisReply>;

class RedisConnection {
 public:
  // Connected, and the password and the database are accepted.
  static Result<std::unique_ptr<RedisConnection>> open(const RedisAddress& address, const Limits& limits);
  // On what is connected already; takes it over.
  static std::unique_ptr<RedisConnection> on(redisContext* context, std::string name);

  // May be called several times before the replies are received, in the same order.
  using Words = std::initializer_list<std::string_view>;
  Status send(Words words, const Limits& limits);
  // With the bytes of `body` between `before` and `after`.
  Status send_with_body(Words before, Source& body, Words after, const Limits& limits);

  // The next reply. One that says an error is that Error.
  Result<RedisReply> receive(const Limits& limits);
  Result<RedisReply> ask(Words words, const Limits& limits);
  // The next reply, which is a value, straight into `sink`. False where there is no value. `too_large` above limits.max_bytes.
  // REQUIRES: no reply before it is still to be received.
  Result<bool> receive_value(Sink& sink, const Limits& limits);

  // Something failed half-way: what comes next on it could be anything.
  bool is_broken() const { return is_broken_; }
  // The server said something: what was sent on it before has arrived.
  bool has_answered() const { return has_answered_; }
  void ask_anew() { has_answered_ = false; }
  // The server has closed it, or talks without being asked.
  bool is_stale() const;

 private:
  struct Free {
    void operator()(redisContext* context) const { redisFree(context); }
  };
  RedisConnection(redisContext* context, std::string name) : context_(context), name_(std::move(name)) {}
  Status log_in(const RedisAddress& address, const Limits& limits);
  Status flush(const Limits& limits);
  Status append(std::string_view bytes);
  Status wait_for(short events, const Limits& limits);
  Result<size_t> read_some(char* buffer, size_t size, const Limits& limits);
  Error broken(ErrorCode code, std::string what);
  Error broken_by_context();

  std::unique_ptr<redisContext, Free> context_;
  std::string name_;
  bool is_broken_ = false, has_answered_ = false;
};

// What an error reply means: "NOAUTH Authentication required." is `denied`.
Error error_of_redis(std::string_view reply, const std::string& server);

}  // namespace kache
