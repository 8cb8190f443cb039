// Result<T> is either a T or an Error. It is the only way a function here reports that something broke.
//
// Knows nothing about what failed beyond a code, an errno and one line of text. Code branches on `ErrorCode` and
// never on the text; the text names the thing that failed and composes from the inside out ("entry ab12: truncated").
// "Not cacheable, by design" is not an Error but a Refusal (compiler/refusal.h); "what happened" is an Outcome
// (wrapper/outcome.h). std::expected is not used because clang 14, which builds the fuzzers, cannot compile it.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace kache {

enum class ErrorCode : uint8_t {
  not_found,    // the named thing does not exist
  exists,       // it exists already and must not
  corrupt,      // bytes that fail their checks: torn, foreign, tampered with
  unsupported,  // this kernel, file system or program cannot do it
  denied,       // permission, or a read-only place
  no_space,     // disk or quota full
  busy,         // somebody else holds it
  invalid,      // the caller's or the user's input is wrong
  too_large,    // over a stated bound
  timed_out,    // no answer within the time that was given
  io,           // any other failure of the outside world
};

struct Error {
  ErrorCode code = ErrorCode::io;
  int sys = 0;          // errno where there was one, else 0
  std::string message;  // lower case, one line, no full stop

  // Same error, with the noun that the caller knows in front.
  Error in(std::string_view what) && {
    message = std::string(what) + ": " + message;
    return std::move(*this);
  }
};

// The Error for an errno: picks the code, and says "what: strerror".
Error error_from_errno(int err, std::string_view what);

struct Ok {};  // not nodiscard: KACHE_TRY of a Status leaves one behind

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  // REQUIRES: ok(). Aborts otherwise: asking a failed Result for its value is a bug, not a failure.
  T& value() & { return *checked(); }
  const T& value() const& { return *const_cast<Result*>(this)->checked(); }
  T&& value() && { return std::move(*checked()); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return checked(); }
  const T* operator->() const { return const_cast<Result*>(this)->checked(); }

  // REQUIRES: !ok().
  const Error& error() const& { return *std::get_if<1>(&state_); }
  Error&& error() && { return std::move(*std::get_if<1>(&state_)); }
  ErrorCode code() const { return error().code; }

  T value_or(T fallback) && { return ok() ? std::move(*this).value() : std::move(fallback); }

 private:
  T* checked() {
    if (!ok()) std::abort();
    return std::get_if<0>(&state_);
  }
  std::variant<T, Error> state_;
};

using Status = Result<Ok>;

}  // namespace kache

// Unwraps a Result or returns its Error from the enclosing function (a statement expression: GCC and clang).
#define KACHE_TRY(expr)                                       \
  (__extension__({                                            \
    auto&& kache_try_result = (expr);                         \
    if (!kache_try_result.ok())                               \
      return std::move(kache_try_result).error();             \
    std::move(kache_try_result).value();                      \
  }))
