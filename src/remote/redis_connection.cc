#include "remote/redis_connection.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <charconv>
#include <cstring>
#include <iterator>

#include "base/path.h"
#include "remote/limits.h"
#include "remote/redis_tls.h"

namespace kache {
namespace {

constexpr int64_t kMs = 1'000'000;
constexpr int64_t kConnectNs = 3'000 * kMs;  // who does not take a connection in this time will not answer either
constexpr int64_t kSilenceNs = 60'000 * kMs;
constexpr int64_t kLookNs = 50 * kMs;  // how often a wait looks whether it is still wanted
constexpr size_t kPiece = 16 << 10;    // what hiredis reads at once, and what a socket takes without waiting
constexpr size_t kMostReply = 4 << 20;
constexpr size_t kMostElements = 65'536;  // a SCAN with COUNT 1000 gives a few more

struct ErrorRow {
  std::string_view begin;
  ErrorCode code;
  std::string_view hint;
};
// The first row that fits.
constexpr ErrorRow kErrors[] = {
    {"NOAUTH", ErrorCode::denied, "it wants a password: redis://user:password@host"},
    {"WRONGPASS", ErrorCode::denied, "user or password is wrong"},
    {"NOPERM", ErrorCode::denied, "this user may not do that"},
    {"DENIED", ErrorCode::denied, "it is in protected mode and takes nobody from elsewhere"},
    {"ERR invalid password", ErrorCode::denied, "the password is wrong"},
    {"ERR AUTH", ErrorCode::denied, "it has no password; leave it out of the URL"},
    {"ERR Client sent AUTH", ErrorCode::denied, "it has no password; leave it out of the URL"},
    {"ERR DB index", ErrorCode::invalid, "it has no database of this number"},
    {"ERR invalid DB index", ErrorCode::invalid, "it has no database of this number"},
    {"ERR SELECT is not allowed", ErrorCode::invalid, "a cluster has database 0 only"},
    {"ERR unknown command", ErrorCode::unsupported, "it does not know this command"},
    {"MOVED", ErrorCode::unsupported, "it is a part of a cluster; name a single server or a proxy for the cluster"},
    {"ASK", ErrorCode::unsupported, "it is a part of a cluster; name a single server or a proxy for the cluster"},
    {"CROSSSLOT", ErrorCode::unsupported, "it is a part of a cluster; name a single server or a proxy for the cluster"},
    {"CLUSTERDOWN", ErrorCode::unsupported, "it is a part of a cluster; name a single server or a proxy for the cluster"},
    {"READONLY", ErrorCode::io, "it is a replica and takes no writes; name its primary, or add mode=read"},
    {"OOM", ErrorCode::no_space, "it is full; raise its maxmemory, or let it drop old keys (maxmemory-policy allkeys-lru)"},
    {"WRONGTYPE", ErrorCode::corrupt, "the key holds something that is not ours"},
    {"LOADING", ErrorCode::io, "it is still starting"},
};

// hiredis writes without MSG_NOSIGNAL: a server that hung up must not end this process.
class WithoutSigpipe {
 public:
  WithoutSigpipe() {
    ::sigemptyset(&sigpipe_);
    ::sigaddset(&sigpipe_, SIGPIPE);
    ::sigset_t pending;
    was_pending_ = ::sigpending(&pending) == 0 && ::sigismember(&pending, SIGPIPE) == 1;
    ::pthread_sigmask(SIG_BLOCK, &sigpipe_, &before_);
  }
  ~WithoutSigpipe() {
    int err = errno;
    timespec now{0, 0};
    if (!was_pending_) {
      while (::sigtimedwait(&sigpipe_, nullptr, &now) < 0 && errno == EINTR) {
      }
    }
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    errno = err;
  }

 private:
  ::sigset_t sigpipe_, before_;
  bool was_pending_ = false;
};

// No reply is deeper than the answer of SCAN: a few elements, one of which is a list of keys. Claims of more elements would
// be paid with memory before the first of them arrives.
redisReplyObjectFunctions usual_functions;
template <typename Count>
void* create_bounded_array(const redisReadTask* task, Count elements) {
  size_t most = !task->parent ? 16 : !task->parent->parent ? kMostElements : 0;
  return static_cast<size_t>(elements) > most ? nullptr : usual_functions.createArray(task, elements);
}
void bound_replies(redisReader* reader) {
  static redisReplyObjectFunctions bounded = [&] {
    usual_functions = *reader->fn;
    redisReplyObjectFunctions functions = usual_functions;
    functions.createArray = create_bounded_array;
    return functions;
  }();
  reader->fn = &bounded;
}

timeval timeval_of(int64_t ns) {
  ns = std::max(ns, kMs);  // zero would be: for ever
  return {static_cast<time_t>(ns / 1'000'000'000), static_cast<suseconds_t>(ns % 1'000'000'000 / 1000)};
}

// Without hiredis's parser in between; through TLS where there is.
ssize_t read_from(redisContext* context, char* buffer, size_t size) {
#if HIREDIS_MAJOR >= 1
  return context->funcs->read(context, buffer, size);  // 0: ask again
#else
  ssize_t n = ::read(context->fd, buffer, size);
  if (n < 0 && (errno == EINTR || errno == EAGAIN)) return 0;
  return n == 0 ? -1 : n;
#endif
}

std::string header_of_word(std::string_view word) { return "$" + std::to_string(word.size()) + "\r\n"; }

}  // namespace

std::string RedisAddress::text() const { return is_absolute(host) ? host : host + ":" + std::to_string(port); }

Error error_of_redis(std::string_view reply, const std::string& server) {
  std::string said(reply.substr(0, 200));
  for (char& c : said) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  const ErrorRow* row = std::find_if(std::begin(kErrors), std::end(kErrors), [&](const ErrorRow& one) { return reply.starts_with(one.begin); });
  if (row == std::end(kErrors)) return {ErrorCode::io, 0, server + ": " + said};
  return {row->code, 0, server + ": " + std::string(row->hint) + " (" + said + ")"};
}

Error RedisConnection::broken(ErrorCode code, std::string what) {
  is_broken_ = true;
  return {code, 0, name_ + ": " + std::move(what)};
}

Error RedisConnection::broken_by_context() {
  int err = errno;
  switch (context_->err) {
    case REDIS_ERR_IO: return broken(err == EAGAIN || err == ETIMEDOUT ? ErrorCode::timed_out : ErrorCode::io, context_->errstr);
    case REDIS_ERR_PROTOCOL: return broken(ErrorCode::corrupt, "no answer of a Redis server");
    case REDIS_ERR_OOM: return broken(ErrorCode::corrupt, "an answer with too many parts");
    default: return broken(ErrorCode::io, context_->errstr);
  }
}

std::unique_ptr<RedisConnection> RedisConnection::on(redisContext* context, std::string name) {
  bound_replies(context->reader);
  return std::unique_ptr<RedisConnection>(new RedisConnection(context, std::move(name)));
}

Result<std::unique_ptr<RedisConnection>> RedisConnection::open(const RedisAddress& address, const Limits& limits) {
  KACHE_TRY(still_wanted(limits));
  std::string name = address.text();
  timeval timeout = timeval_of(time_left_ns(limits, kConnectNs));
  errno = 0;
  redisContext* context = is_absolute(address.host) ? redisConnectUnixWithTimeout(address.host.c_str(), timeout)
                                                    : redisConnectWithTimeout(address.host.c_str(), address.port, timeout);
  int err = errno;
  if (!context) return Error{ErrorCode::io, err, name + ": out of memory"};
  std::unique_ptr<RedisConnection> made = on(context, name);
  if (context->err) {
    ErrorCode code = err == EACCES || err == EPERM ? ErrorCode::denied : err == ETIMEDOUT || err == EAGAIN ? ErrorCode::timed_out : ErrorCode::io;
    return Error{code, err, name + ": " + context->errstr};
  }
  redisSetTimeout(context, timeval_of(time_left_ns(limits, kSilenceNs)));  // for TLS, which talks by itself
  if (!is_absolute(address.host)) redisEnableKeepAlive(context);
  if (address.tls) {
    WithoutSigpipe guard;
    KACHE_TRY(start_redis_tls(context, address.host));
  }
  KACHE_TRY(made->log_in(address, limits));
  return made;
}

Status RedisConnection::log_in(const RedisAddress& address, const Limits& limits) {
  if (!address.password.empty() && !address.user.empty()) KACHE_TRY(ask({"AUTH", address.user, address.password}, limits));
  if (!address.password.empty() && address.user.empty()) KACHE_TRY(ask({"AUTH", address.password}, limits));
  if (address.database != 0) KACHE_TRY(ask({"SELECT", std::to_string(address.database)}, limits));
  return Ok{};
}

bool RedisConnection::is_stale() const {
  pollfd watched{context_->fd, POLLIN, 0};
  return is_broken_ || ::poll(&watched, 1, 0) != 0;
}

Status RedisConnection::wait_for(short events, const Limits& limits) {
  int64_t silent_until = system_clock().monotonic_ns() + kSilenceNs;
  for (;;) {
    Status wanted = still_wanted(limits);
    if (!wanted.ok()) return broken(wanted.code(), std::move(wanted).error().message);
    int64_t now = system_clock().monotonic_ns();
    if (now >= silent_until) return broken(ErrorCode::timed_out, "silent for a minute");
    pollfd watched{context_->fd, events, 0};
    int ready = ::poll(&watched, 1, static_cast<int>((time_left_ns(limits, kLookNs) + kMs - 1) / kMs));
    if (ready > 0) return Ok{};
    if (ready < 0 && errno != EINTR) return broken(ErrorCode::io, std::strerror(errno));
  }
}

Status RedisConnection::append(std::string_view bytes) {
  if (redisAppendFormattedCommand(context_.get(), bytes.data(), bytes.size()) != REDIS_OK) return broken_by_context();
  return Ok{};
}

Status RedisConnection::flush(const Limits& limits) {
  for (int done = 0; !done;) {
    KACHE_TRY(wait_for(POLLOUT, limits));
    WithoutSigpipe guard;
    if (redisBufferWrite(context_.get(), &done) != REDIS_OK) return broken_by_context();
  }
  return Ok{};
}

Status RedisConnection::send(Words words, const Limits& limits) {
  std::string command = "*" + std::to_string(words.size()) + "\r\n";
  for (std::string_view word : words) command.append(header_of_word(word)).append(word).append("\r\n");
  redisSetTimeout(context_.get(), timeval_of(time_left_ns(limits, kSilenceNs)));
  KACHE_TRY(append(command));
  return flush(limits);
}

Status RedisConnection::send_with_body(Words before, Source& body, Words after, const Limits& limits) {
  KACHE_TRY(body.rewind());
  uint64_t left = body.size();
  std::string piece = "*" + std::to_string(before.size() + 1 + after.size()) + "\r\n";
  for (std::string_view word : before) piece.append(header_of_word(word)).append(word).append("\r\n");
  piece += "$" + std::to_string(left) + "\r\n";
  redisSetTimeout(context_.get(), timeval_of(time_left_ns(limits, kSilenceNs)));
  // Beyond this point a failure leaves half a command behind: the server forgets it with the connection.
  std::string buffer(kPiece, '\0');
  while (left > 0) {
    Result<size_t> size = body.read(buffer.data(), std::min<uint64_t>(buffer.size(), left));
    if (!size.ok()) {
      is_broken_ = true;
      return std::move(size).error();
    }
    if (*size == 0) return broken(ErrorCode::io, "what was to be sent ended early");
    left -= *size;
    piece.append(buffer, 0, *size);
    if (left == 0) break;
    KACHE_TRY(append(piece));
    KACHE_TRY(flush(limits));
    piece.clear();
  }
  piece += "\r\n";
  for (std::string_view word : after) piece.append(header_of_word(word)).append(word).append("\r\n");
  KACHE_TRY(append(piece));
  return flush(limits);
}

Result<RedisReply> RedisConnection::receive(const Limits& limits) {
  for (;;) {
    void* raw = nullptr;
    if (redisGetReplyFromReader(context_.get(), &raw) != REDIS_OK) return broken_by_context();
    if (raw) {
      has_answered_ = true;
      RedisReply reply(static_cast<redisReply*>(raw));
      if (reply->type == REDIS_REPLY_ERROR) return error_of_redis({reply->str, reply->len}, name_);
      return reply;
    }
    if (context_->reader->len - context_->reader->pos > kMostReply) return broken(ErrorCode::corrupt, "an answer that does not end");
    KACHE_TRY(wait_for(POLLIN, limits));
    if (redisBufferRead(context_.get()) != REDIS_OK) return broken_by_context();
  }
}

Result<RedisReply> RedisConnection::ask(Words words, const Limits& limits) {
  KACHE_TRY(send(words, limits));
  return receive(limits);
}

Result<size_t> RedisConnection::read_some(char* buffer, size_t size, const Limits& limits) {
  for (;;) {
    KACHE_TRY(wait_for(POLLIN, limits));
    errno = 0;
    ssize_t n = read_from(context_.get(), buffer, size);
    if (n < 0) return broken(ErrorCode::io, context_->err ? context_->errstr : errno ? std::strerror(errno) : "the server hung up");
    if (n == 0) continue;
    has_answered_ = true;
    return static_cast<size_t>(n);
  }
}

Result<bool> RedisConnection::receive_value(Sink& sink, const Limits& limits) {
  std::string buffer(kPiece, '\0');
  std::string head;  // "$5\r\nhello\r\n": the length, and what came with it
  size_t end;
  while ((end = head.find("\r\n")) == std::string::npos || head[0] != '$') {
    if (head.size() > 32 && head[0] == '$') return broken(ErrorCode::corrupt, "a length that is none");
    if (!head.empty() && head[0] != '$') {
      if (redisReaderFeed(context_->reader, head.data(), head.size()) != REDIS_OK) return broken_by_context();
      KACHE_TRY(receive(limits));  // an error, as a rule
      return broken(ErrorCode::corrupt, "no value where one was expected");
    }
    size_t size = KACHE_TRY(read_some(buffer.data(), buffer.size(), limits));
    head.append(buffer, 0, size);
  }
  int64_t length = 0;
  auto [stop, failed] = std::from_chars(head.data() + 1, head.data() + end, length);
  if (failed != std::errc() || stop != head.data() + end || length < -1) return broken(ErrorCode::corrupt, "a length that is none");
  head.erase(0, end + 2);
  if (length == -1) {
    if (redisReaderFeed(context_->reader, head.data(), head.size()) != REDIS_OK) return broken_by_context();
    return false;
  }
  uint64_t left = static_cast<uint64_t>(length);
  if (left > limits.max_bytes) return broken(ErrorCode::too_large, std::to_string(left) + " bytes, more than " + std::to_string(limits.max_bytes));
  for (std::string_view part = head;;) {
    std::string_view ours = part.substr(0, left);
    Status taken = ours.empty() ? Status(Ok{}) : sink.write(ours);
    if (!taken.ok()) {
      is_broken_ = true;
      return std::move(taken).error();
    }
    left -= ours.size();
    if (left == 0) {
      head = std::string(part.substr(ours.size()));
      break;
    }
    size_t size = KACHE_TRY(read_some(buffer.data(), buffer.size(), limits));
    part = std::string_view(buffer).substr(0, size);
  }
  while (head.size() < 2) {
    size_t size = KACHE_TRY(read_some(buffer.data(), buffer.size(), limits));
    head.append(buffer, 0, size);
  }
  if (!head.starts_with("\r\n")) return broken(ErrorCode::corrupt, "a value that is longer than it said");
  if (redisReaderFeed(context_->reader, head.data() + 2, head.size() - 2) != REDIS_OK) return broken_by_context();
  return true;
}

}  // namespace kache
