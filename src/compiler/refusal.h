// Refusal: why an invocation (or its result) is not cached, by design. Part of the normal flow, never an Error.
//
// The name of each value is what events and reports carry; the sentence is what people read. Values are written to
// events by name, so they may be reordered, but a name is never reused for another meaning.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kache {

enum class Refusal : uint8_t {
  none,
  // Not a compile: the compiler is asked something, or asked to print instead of to produce.
  not_a_compile,
  source_from_stdin,
  prints_to_stdout,
  help_or_explain,
  // Shapes that can not be restored, or not safely.
  response_file,
  output_to_stdout,
  output_not_private_file,
  unknown_write,
  missing_output,
  time_traces,
  unsupported_flag,
  time_macro,
  member_times,
  links_off,
  // What the recorder saw.
  unobserved_child,
  network_access,
  record_incomplete,
  input_changed,
  input_unreadable,
  // Policy.
  excluded_source,
  bypass_crate,
  bypass_argv,
  bypass_env,
  executables_off,
  too_cheap,
  incremental_loop,
  preserved_incremental,
  incremental_crate,
  unknown_driver,
  // The store.
  store_unavailable,
};

struct RefusalInfo {
  Refusal refusal;
  std::string_view name;      // "unobserved_child"
  std::string_view category;  // "not-a-compile", "unsupported", "impure", "policy", "store"
  std::string_view sentence;  // "a program it started could not be watched"
};

const RefusalInfo& describe(Refusal refusal);

// A refusal together with the thing it is about: a flag, a path, a program. `detail` may be empty.
struct Refused {
  Refusal refusal = Refusal::none;
  std::string detail;

  explicit operator bool() const { return refusal != Refusal::none; }
  // "category|sentence: detail", the form `passthrough_reason` has in events.
  std::string reason() const;
};

}  // namespace kache
