#include "wrapper/declared_mode.h"

#include <utility>

#include "base/path.h"
#include "record/cc_declared.h"
#include "record/declared.h"
#include "store/toolchain.h"
#include "wrapper/compile.h"

namespace kache {

Refused DeclaredMode::declare(ProcessRunner& processes, Clock& clock, Verifier& verifier, bool knows_sysroot,
                              std::vector<KeyPart>& parts) {
  since_ns_ = clock.file_clock_ns();
  parts.push_back({"mode", "declared"});
  if (invocation_.family == Family::rustc) return check_declared(line_, invocation_, knows_sysroot);
  Refused refused = check_cc_declared(fs_, line_, invocation_, config_);
  if (!refused) refused = add_programs(processes, verifier, parts);
  if (!refused) refused = add_preprocessed(processes, parts);
  return refused;
}

// What the driver would start, and by which rules.
Refused DeclaredMode::add_programs(ProcessRunner& processes, Verifier& verifier, std::vector<KeyPart>& parts) {
  Env env = line_.env;
  env.set(kActiveVariable, "1");
  env.set("LC_ALL", "C");  // the answer is read
  Result<ProcessResult> answer = processes.run_quietly(programs_question(fs_, line_, invocation_), env);
  questions_++;
  std::vector<std::string> names;
  if (answer.ok() && answer->succeeded()) names = named_programs(answer->standard_error);
  if (names.empty()) return {Refusal::record_incomplete, "this compiler can not be recorded, and does not say what it starts"};
  for (const std::string& name : names) {
    std::string path = find_executable(fs_, name, line_.env, line_.cwd);
    Result<Digest> content = verifier.file_digest(path);
    if (!content.ok()) return {Refusal::record_incomplete, "this compiler can not be recorded, and starts what can not be read: " + name};
    parts.push_back({"program " + std::string(base_name(path)), content->hex()});
  }
  return {};
}

Refused DeclaredMode::add_preprocessed(ProcessRunner& processes, std::vector<KeyPart>& parts) {
  Env env = line_.env;
  env.set(kActiveVariable, "1");
  Result<ProcessResult> text = processes.run_quietly(preprocess_command(fs_, line_, invocation_), env);
  if (!text.ok() || !text->succeeded()) return {Refusal::record_incomplete, "the source can not be preprocessed"};
  preprocessor_runs_++;
  preprocessed_ = std::move(text->standard_output);
  parts.push_back({"preprocessed", digest_bytes(preprocessed_).hex()});
  parts.push_back({"messages of the preprocessor", digest_bytes(text->standard_error).hex()});
  return check_preprocessed(preprocessed_);
}

Observed DeclaredMode::inputs(int64_t compile_started_ns) const {
  if (invocation_.family == Family::rustc) return declare_inputs(fs_, line_, invocation_, compile_started_ns);
  return declare_cc_inputs(fs_, line_, invocation_, preprocessed_, since_ns_);
}

}  // namespace kache
