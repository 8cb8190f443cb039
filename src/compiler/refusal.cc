#include "compiler/refusal.h"

#include <iterator>

namespace kache {

// In the order of the enum; checked by refusal_test.
static constexpr RefusalInfo kRefusals[] = {
    {Refusal::none, "none", "", ""},
    {Refusal::not_a_compile, "not_a_compile", "not-a-compile", "the compiler is asked a question"},
    {Refusal::source_from_stdin, "source_from_stdin", "not-a-compile", "the source comes from standard input"},
    {Refusal::prints_to_stdout, "prints_to_stdout", "not-a-compile", "the compiler prints instead of producing files"},
    {Refusal::help_or_explain, "help_or_explain", "not-a-compile", "the compiler is asked for help"},
    {Refusal::response_file, "response_file", "unsupported", "a response file can not be expanded"},
    {Refusal::output_to_stdout, "output_to_stdout", "unsupported", "an output goes to standard output"},
    {Refusal::output_not_private_file, "output_not_private_file", "unsupported", "an output is not a regular file"},
    {Refusal::unknown_write, "unknown_write", "unsupported", "it wrote a file that is not one of its outputs"},
    {Refusal::missing_output, "missing_output", "unsupported", "a requested output was not written"},
    {Refusal::time_traces, "time_traces", "unsupported", "it writes profiles of the compiler itself"},
    {Refusal::unsupported_flag, "unsupported_flag", "unsupported", "a flag that is not supported"},
    {Refusal::time_macro, "time_macro", "impure", "the time of the compile is in the result"},
    {Refusal::member_times, "member_times", "impure", "the archive holds the times of its members"},
    {Refusal::links_off, "links_off", "policy", "links are not cached (cc.cache_links)"},
    {Refusal::unobserved_child, "unobserved_child", "impure", "a program it started could not be watched"},
    {Refusal::network_access, "network_access", "impure", "it connected to the network"},
    {Refusal::record_incomplete, "record_incomplete", "impure", "the record of its reads is incomplete"},
    {Refusal::input_changed, "input_changed", "impure", "an input changed while it ran"},
    {Refusal::input_unreadable, "input_unreadable", "impure", "an input could not be read"},
    {Refusal::excluded_source, "excluded_source", "policy", "the source is excluded"},
    {Refusal::bypass_crate, "bypass_crate", "policy", "bypass rule: crate"},
    {Refusal::bypass_argv, "bypass_argv", "policy", "bypass rule: argv contains"},
    {Refusal::bypass_env, "bypass_env", "policy", "bypass rule: env"},
    {Refusal::executables_off, "executables_off", "policy", "cache_executables is off"},
    {Refusal::too_cheap, "too_cheap", "policy", "cheaper than min_store_compile_ms"},
    {Refusal::incremental_loop, "incremental_loop", "policy", "edit loop: compiled incrementally"},
    {Refusal::preserved_incremental, "preserved_incremental", "policy", "preserve_incremental is on"},
    {Refusal::incremental_crate, "incremental_crate", "policy", "listed in incremental_crates"},
    {Refusal::unknown_driver, "unknown_driver", "unsupported", "not a compiler that kache knows"},
    {Refusal::store_unavailable, "store_unavailable", "store", "the store can not be used"},
};

const RefusalInfo& describe(Refusal refusal) {
  size_t i = static_cast<size_t>(refusal);
  return kRefusals[i < std::size(kRefusals) ? i : 0];
}

std::string Refused::reason() const {
  const RefusalInfo& info = describe(refusal);
  std::string text(info.category);
  text += '|';
  text += info.sentence;
  if (!detail.empty()) text += ": " + detail;
  return text;
}

}  // namespace kache
