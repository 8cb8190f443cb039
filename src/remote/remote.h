// Remote: a place beyond this machine that keeps objects under names. The engines are a directory, an HTTP server, an
// S3-compatible store and Redis; all of them pass one contract test (remote_contract_test.cc).
//
// Knows names and bytes; unaware of what is in an object. Nothing that comes from a remote is trusted: bytes are bounded by
// the caller's limit while they arrive, and are checked by whoever asked (envelope.h, exchange.h).
//
// Errors: `not_found` the object is not there; `exists` the condition of a put does not hold; `timed_out`; `denied` credentials or
// rights are missing; `invalid` the settings are wrong; `unsupported` this engine can not; `too_large` over the bound;
// `corrupt` an answer that is none; `no_space`; `io` everything else, which may work the next time. health.h says which of
// them speak against the remote. All calls may be made from several threads at once.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "remote/object_name.h"

namespace kache {

// How long one call may take and how much it may bring.
struct Limits {
  int64_t deadline_ns = INT64_MAX;  // of the monotonic clock
  uint64_t max_bytes = UINT64_MAX;  // of a body that is fetched
  const std::atomic<bool>* cancelled = nullptr;  // becomes true when nobody wants the answer any more
};

// Takes bytes as they arrive. An error ends the transfer and is what get() returns.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual Status write(std::string_view bytes) = 0;
};

// Gives bytes that are to be sent, from the beginning as often as it is asked: a request may have to be sent again.
class Source {
 public:
  virtual ~Source() = default;
  virtual uint64_t size() const = 0;
  virtual Status rewind() = 0;
  // Up to `size` bytes; 0 at the end.
  virtual Result<size_t> read(char* buffer, size_t size) = 0;
};

// On what condition an object is written. Where an engine can not make one it replaces what is there.
struct PutCondition {
  enum Kind : uint8_t { always, if_absent, if_version } kind = always;
  std::string version;  // as get() said: `exists` when it is another one by now, or gone
};
inline PutCondition if_absent() { return {PutCondition::if_absent, {}}; }

struct ListedObject {
  ObjectName name;
  uint64_t size = 0;
  int64_t modified_ns = 0;  // by the clock of the remote; 0 where it does not say
};

class Remote {
 public:
  virtual ~Remote() = default;

  // For people: "s3://bucket/prefix at http://127.0.0.1:7480". Holds no secret.
  virtual std::string description() const = 0;

  // Returns the version of what was read (an ETag or the like), "" where the engine knows none.
  virtual Result<std::string> get(const ObjectName& name, Sink& sink, const Limits& limits) = 0;
  // Readers see the whole object or none. `exists` when the condition does not hold.
  virtual Status put(const ObjectName& name, Source& source, const PutCondition& condition, const Limits& limits) = 0;
  virtual Result<bool> has(const ObjectName& name, const Limits& limits) = 0;
  // All objects of a kind whose name begins with `prefix` (ObjectName::text() of it). Names that are none of ours are
  // passed over. An error of `visit` ends it.
  using Visit = std::function<Status(const ListedObject&)>;
  virtual Status list(ObjectKind kind, const std::string& prefix, const Visit& visit, const Limits& limits) = 0;
  virtual Status remove(const ObjectName& name, const Limits& limits) = 0;

  // What put() refuses as too large; 0: no bound.
  virtual uint64_t largest_object() const { return 0; }
};

// --- bytes in memory ---------------------------------------------------------------------------------------------------

class StringSink final : public Sink {
 public:
  Status write(std::string_view bytes) override {
    bytes_ += bytes;
    return Ok{};
  }
  const std::string& bytes() const { return bytes_; }
  std::string take() && { return std::move(bytes_); }

 private:
  std::string bytes_;
};

class StringSource final : public Source {
 public:
  explicit StringSource(std::string_view bytes) : bytes_(bytes) {}
  uint64_t size() const override { return bytes_.size(); }
  Status rewind() override {
    at_ = 0;
    return Ok{};
  }
  Result<size_t> read(char* buffer, size_t size) override {
    std::string_view part = bytes_.substr(at_, size);
    part.copy(buffer, part.size());
    at_ += part.size();
    return part.size();
  }

 private:
  std::string_view bytes_;
  size_t at_ = 0;
};

inline Status put_bytes(Remote& remote, const ObjectName& name, std::string_view bytes, const PutCondition& condition, const Limits& limits) {
  StringSource source(bytes);
  return remote.put(name, source, condition, limits);
}

}  // namespace kache
