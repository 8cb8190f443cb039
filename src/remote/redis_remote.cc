// Redis or Valkey: for records and small outputs, near and fast. An object is a string under "<prefix>:k1/…".
//
// An object goes through in pieces and is never held whole in memory here, but the server holds it: `largest` (32 MiB) is
// what put() takes. With `ttl` what nobody asks for goes away; without, the server's maxmemory-policy decides.
// The version of an object is the digest of its bytes.
#include <charconv>
#include <mutex>
#include <unordered_set>

#include "base/duration.h"
#include "base/path.h"
#include "config/options.h"
#include "remote/limits.h"
#include "remote/redis_connection.h"
#include "remote/redis_tls.h"
#include "remote/remote_spec.h"

namespace kache {
namespace {

constexpr uint64_t kLargest = 32 << 20;
constexpr size_t kKeptConnections = 16;
constexpr int kExchanges = 8;
constexpr std::string_view kKeysPerScan = "1000";
constexpr size_t kMostScans = 1'000'000;
constexpr size_t kMostNames = 4'000'000;

class DigestingSink final : public Sink {
 public:
  explicit DigestingSink(Sink* next) : next_(next) {}
  Status write(std::string_view bytes) override {
    hasher_.update_raw(bytes.data(), bytes.size());
    return next_ ? next_->write(bytes) : Status(Ok{});
  }
  std::string version() const { return hasher_.finish().hex(); }

 private:
  Sink* next_;
  Hasher hasher_;
};

// What a pattern of SCAN takes as it stands.
std::string escaped_pattern(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (std::string_view("*?[]\\^").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

struct RedisSettings {
  RedisAddress address;
  std::string description, key_prefix;
  uint64_t largest = kLargest;
  int64_t ttl_s = 0;  // 0: for ever
  bool renews = true;
};

class RedisRemote final : public Remote {
 public:
  explicit RedisRemote(RedisSettings settings) : settings_(std::move(settings)), ttl_(std::to_string(settings_.ttl_s)) {}

  std::string description() const override { return settings_.description; }
  uint64_t largest_object() const override { return settings_.largest; }

  Result<std::string> get(const ObjectName& name, Sink& sink, const Limits& limits) override {
    return with_connection(Repeat::if_unanswered, limits, [&](RedisConnection& redis) { return get_on(redis, name, sink, limits); });
  }

  Status put(const ObjectName& name, Source& source, const PutCondition& condition, const Limits& limits) override {
    if (source.size() > settings_.largest) {
      return Error{ErrorCode::too_large, 0, std::to_string(source.size()) + " bytes, and " + settings_.description + " takes up to " +
                                                std::to_string(settings_.largest) + " (largest=)"};
    }
    // A conditional one that may have arrived is not sent again: it would meet itself.
    Repeat repeat = condition.kind == PutCondition::always ? Repeat::if_unanswered : Repeat::never;
    return with_connection(repeat, limits, [&](RedisConnection& redis) -> Status {
      if (condition.kind == PutCondition::if_version) return exchange(redis, name, source, condition.version, limits);
      bool absent = condition.kind == PutCondition::if_absent;
      RedisReply reply = KACHE_TRY(set(redis, name, source, absent, limits));
      if (reply->type == REDIS_REPLY_NIL) return Error{ErrorCode::exists, 0, key(name) + ": there already"};
      return Ok{};
    });
  }

  Result<bool> has(const ObjectName& name, const Limits& limits) override {
    return with_connection(Repeat::if_unanswered, limits, [&](RedisConnection& redis) -> Result<bool> {
      RedisReply reply = KACHE_TRY(redis.ask({"EXISTS", key(name)}, limits));
      return reply->type == REDIS_REPLY_INTEGER && reply->integer == 1;
    });
  }

  Status list(ObjectKind kind, const std::string& prefix, const Visit& visit, const Limits& limits) override {
    std::string begin = prefix.starts_with(kind_prefix(kind)) ? prefix : kind_prefix(kind);
    if (!begin.starts_with(prefix)) return Ok{};  // of another kind
    return with_connection(Repeat::if_unanswered, limits, [&](RedisConnection& redis) { return scan(redis, begin, visit, limits); });
  }

  Status remove(const ObjectName& name, const Limits& limits) override {
    return with_connection(Repeat::if_unanswered, limits, [&](RedisConnection& redis) -> Status {
      KACHE_TRY(redis.ask({"DEL", key(name)}, limits));
      return Ok{};
    });
  }

 private:
  std::string key(const ObjectName& name) const { return settings_.key_prefix + name.text(); }

  // --- connections -----------------------------------------------------------------------------------------------------

  enum class Repeat : uint8_t { never, if_unanswered };
  using Connection = std::unique_ptr<RedisConnection>;

  // A connection that lay idle may be dead without our knowing: what got no answer on it is sent once more on a new one.
  template <typename Use>
  auto with_connection(Repeat repeat, const Limits& limits, Use use) -> decltype(use(std::declval<RedisConnection&>())) {
    KACHE_TRY(still_wanted(limits));
    if (Connection idle = take_idle()) {
      idle->ask_anew();
      auto result = use(*idle);
      bool unanswered = idle->is_broken() && !idle->has_answered() && !result.ok() && result.code() == ErrorCode::io;
      if (!idle->is_broken()) keep(std::move(idle));
      if (!unanswered || repeat == Repeat::never) return result;
    }
    Connection fresh = KACHE_TRY(RedisConnection::open(settings_.address, limits));
    auto result = use(*fresh);
    if (!fresh->is_broken()) keep(std::move(fresh));
    return result;
  }

  Connection take_idle() {
    std::lock_guard lock(mutex_);
    while (!idle_.empty()) {
      Connection connection = std::move(idle_.back());
      idle_.pop_back();
      if (!connection->is_stale()) return connection;
    }
    return nullptr;
  }

  void keep(Connection connection) {
    std::lock_guard lock(mutex_);
    if (idle_.size() < kKeptConnections) idle_.push_back(std::move(connection));
  }

  // --- what is asked ---------------------------------------------------------------------------------------------------

  Result<std::string> get_on(RedisConnection& redis, const ObjectName& name, Sink& sink, const Limits& limits) {
    bool renews = settings_.ttl_s > 0 && settings_.renews;
    std::string of = key(name);
    KACHE_TRY(redis.send({"GET", of}, limits));
    if (renews) KACHE_TRY(redis.send({"PTTL", of}, limits));
    DigestingSink digesting(&sink);
    Result<bool> found = redis.receive_value(digesting, limits);
    if (renews && !redis.is_broken()) renew(redis, of, found.ok() && *found, limits);
    if (!KACHE_TRY(std::move(found))) return Error{ErrorCode::not_found, 0, of + ": not there"};
    return digesting.version();
  }

  // Once a tenth of its time has passed, so that not every get is a write too. A failure of it is none of the get's.
  void renew(RedisConnection& redis, const std::string& of, bool found, const Limits& limits) {
    Result<RedisReply> left = redis.receive(limits);
    if (!found || !left.ok() || (*left)->type != REDIS_REPLY_INTEGER) return;
    if ((*left)->integer < 0 || (*left)->integer / 900 >= settings_.ttl_s) return;
    (void)redis.ask({"EXPIRE", of, ttl_}, limits).ok();
  }

  Result<RedisReply> set(RedisConnection& redis, const ObjectName& name, Source& source, bool if_absent, const Limits& limits) {
    std::string of = key(name);
    bool expires = settings_.ttl_s > 0;
    if (if_absent && expires) KACHE_TRY(redis.send_with_body({"SET", of}, source, {"EX", ttl_, "NX"}, limits));
    if (if_absent && !expires) KACHE_TRY(redis.send_with_body({"SET", of}, source, {"NX"}, limits));
    if (!if_absent && expires) KACHE_TRY(redis.send_with_body({"SET", of}, source, {"EX", ttl_}, limits));
    if (!if_absent && !expires) KACHE_TRY(redis.send_with_body({"SET", of}, source, {}, limits));
    return redis.receive(limits);
  }

  // Compares under WATCH: the server drops the transaction when somebody touched the key meanwhile. A reader that renewed
  // its time did so too, hence several tries.
  Status exchange(RedisConnection& redis, const ObjectName& name, Source& source, const std::string& version, const Limits& limits) {
    std::string of = key(name);
    Limits whole = limits;
    whole.max_bytes = UINT64_MAX;
    for (int i = 0; i < kExchanges; ++i) {
      KACHE_TRY(redis.ask({"WATCH", of}, limits));
      KACHE_TRY(redis.send({"GET", of}, limits));
      DigestingSink there(nullptr);
      bool found = KACHE_TRY(redis.receive_value(there, whole));
      if (!found || there.version() != version) {
        KACHE_TRY(redis.ask({"UNWATCH"}, limits));
        return Error{ErrorCode::exists, 0, of + ": changed meanwhile"};
      }
      bool replaced = KACHE_TRY(set_if_untouched(redis, name, source, limits));
      if (replaced) return Ok{};
    }
    return Error{ErrorCode::busy, 0, of + ": others change it all the time"};
  }

  Result<bool> set_if_untouched(RedisConnection& redis, const ObjectName& name, Source& source, const Limits& limits) {
    KACHE_TRY(redis.ask({"MULTI"}, limits));
    Result<RedisReply> queued = set(redis, name, source, false, limits);
    if (!queued.ok()) {
      if (!redis.is_broken()) (void)redis.ask({"DISCARD"}, limits).ok();
      return std::move(queued).error();
    }
    RedisReply done = KACHE_TRY(redis.ask({"EXEC"}, limits));
    if (done->type == REDIS_REPLY_NIL) return false;
    if (done->type != REDIS_REPLY_ARRAY || done->elements != 1) return Error{ErrorCode::corrupt, 0, settings_.description + ": not the answer of EXEC"};
    const redisReply& answer = *done->element[0];
    if (answer.type == REDIS_REPLY_ERROR) return error_of_redis({answer.str, answer.len}, settings_.address.text());
    return true;
  }

  Status scan(RedisConnection& redis, const std::string& begin, const Visit& visit, const Limits& limits) {
    std::string pattern = escaped_pattern(settings_.key_prefix + begin) + "*";
    std::unordered_set<std::string> seen;  // SCAN may give a key twice
    std::string cursor = "0";
    for (size_t i = 0; i < kMostScans; ++i) {
      RedisReply reply = KACHE_TRY(redis.ask({"SCAN", cursor, "MATCH", pattern, "COUNT", kKeysPerScan}, limits));
      if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 || reply->element[0]->type != REDIS_REPLY_STRING ||
          reply->element[1]->type != REDIS_REPLY_ARRAY) {
        return Error{ErrorCode::corrupt, 0, settings_.description + ": not the answer of SCAN"};
      }
      std::vector<ObjectName> names = new_names(*reply->element[1], begin, seen);
      if (seen.size() > kMostNames) return Error{ErrorCode::too_large, 0, settings_.description + ": more names than can be listed"};
      KACHE_TRY(visit_all(redis, names, visit, limits));
      cursor.assign(reply->element[0]->str, reply->element[0]->len);
      if (cursor == "0") return Ok{};
    }
    return Error{ErrorCode::corrupt, 0, settings_.description + ": a listing that does not end"};
  }

  std::vector<ObjectName> new_names(const redisReply& keys, const std::string& begin, std::unordered_set<std::string>& seen) const {
    std::vector<ObjectName> names;
    for (size_t i = 0; i < keys.elements; ++i) {
      const redisReply& one = *keys.element[i];
      if (one.type != REDIS_REPLY_STRING) continue;
      std::string_view text(one.str, one.len);
      if (!text.starts_with(settings_.key_prefix)) continue;
      text.remove_prefix(settings_.key_prefix.size());
      Result<ObjectName> name = ObjectName::parse(text);
      if (name.ok() && text.starts_with(begin) && seen.insert(name->text()).second) names.push_back(std::move(*name));
    }
    return names;
  }

  // Their sizes in one go: 0 for one that went meanwhile.
  Status visit_all(RedisConnection& redis, const std::vector<ObjectName>& names, const Visit& visit, const Limits& limits) {
    constexpr size_t kAtOnce = 256;  // answers that wait in a socket while we still send
    for (size_t first = 0; first < names.size(); first += kAtOnce) {
      size_t end = std::min(names.size(), first + kAtOnce);
      for (size_t i = first; i < end; ++i) KACHE_TRY(redis.send({"STRLEN", key(names[i])}, limits));
      std::vector<ListedObject> listed;
      for (size_t i = first; i < end; ++i) {
        Result<RedisReply> size = redis.receive(limits);
        if (redis.is_broken()) return std::move(size).error();
        if (size.ok() && (*size)->type == REDIS_REPLY_INTEGER && (*size)->integer >= 0) {
          listed.push_back({names[i], static_cast<uint64_t>((*size)->integer), 0});
        }
      }
      for (const ListedObject& one : listed) KACHE_TRY(visit(one));
    }
    return Ok{};
  }

  const RedisSettings settings_;
  const std::string ttl_;
  std::mutex mutex_;
  std::vector<Connection> idle_;
};

Error bad(const RemoteSpec& spec, std::string what) { return {ErrorCode::invalid, 0, spec.description() + ": " + std::move(what)}; }

}  // namespace

Result<std::unique_ptr<Remote>> open_redis_remote(const RemoteSpec& spec) {
  RedisSettings settings;
  settings.description = spec.description();
  settings.address.host = spec.place;
  if (spec.port != 0) settings.address.port = spec.port;
  settings.address.user = spec.user;
  settings.address.password = spec.password;
  if (spec.password.empty() && !spec.user.empty()) return bad(spec, "a user without a password; expected redis://user:password@host");
  settings.address.tls = spec.option("tls") == "1";
  if (settings.address.tls && !has_redis_tls()) {
    return Error{ErrorCode::unsupported, 0, spec.description() + ": rediss:// needs hiredis 1.0 or newer with TLS, and this kache was built without"};
  }
  std::string database = spec.option("database");
  auto [end, failed] = std::from_chars(database.data(), database.data() + database.size(), settings.address.database);
  if (!database.empty() && (failed != std::errc() || end != database.data() + database.size())) return bad(spec, "database " + database + " is no number");
  if (!spec.prefix.empty()) settings.key_prefix = spec.prefix + ":";
  if (std::string ttl = spec.option("ttl"); !ttl.empty()) {
    Result<int64_t> length = parse_duration(ttl, 1'000'000'000);
    if (!length.ok() || *length < 1'000'000'000) return bad(spec, "ttl=" + ttl + "; expected a time like 7d, one second at least");
    settings.ttl_s = *length / 1'000'000'000;
  }
  if (std::string largest = spec.option("largest"); !largest.empty()) {
    Result<uint64_t> size = parse_size(largest);
    if (!size.ok() || *size == 0 || *size > (512u << 20)) return bad(spec, "largest=" + largest + "; expected a size like 32MiB, 512MiB at most");
    settings.largest = *size;
  }
  settings.renews = spec.writes;
  return std::unique_ptr<Remote>(std::make_unique<RedisRemote>(std::move(settings)));
}

}  // namespace kache
