#include "wrapper/declare.h"

#include "base/path.h"
#include "record/cc_declared.h"
#include "store/toolchain.h"
#include "wrapper/compile.h"

namespace kache {
namespace {

// What the driver would start, and by which rules.
Refused add_programs(FileSystem& fs, ProcessRunner& processes, Verifier& verifier, const DeclareRequest& request, CcDeclaration& out) {
  const CommandLine& line = request.line;
  Env env = line.env;
  env.set(kActiveVariable, "1");
  env.set("LC_ALL", "C");  // the answer is read
  Result<ProcessResult> answer = processes.run_quietly(programs_question(fs, line, request.invocation), env);
  out.questions++;
  std::vector<std::string> names;
  if (answer.ok() && answer->succeeded()) names = named_programs(answer->standard_error);
  if (names.empty()) return {Refusal::record_incomplete, "this compiler can not be recorded, and does not say what it starts"};
  for (const std::string& name : names) {
    std::string path = find_executable(fs, name, line.env, line.cwd);
    Result<Digest> content = verifier.file_digest(path);
    if (!content.ok()) return {Refusal::record_incomplete, "this compiler can not be recorded, and starts what can not be read: " + name};
    out.parts.push_back({"program " + std::string(base_name(path)), content->hex()});
  }
  return {};
}

}  // namespace

CcDeclaration declare_cc(FileSystem& fs, ProcessRunner& processes, Verifier& verifier, const DeclareRequest& request) {
  CcDeclaration out;
  out.refused = check_cc_declared(fs, request.line, request.invocation, request.config);
  if (!out.refused) out.refused = add_programs(fs, processes, verifier, request, out);
  if (out.refused) return out;
  Env env = request.line.env;
  env.set(kActiveVariable, "1");
  Result<ProcessResult> text = processes.run_quietly(preprocess_command(fs, request.line, request.invocation), env);
  if (!text.ok() || !text->succeeded()) {
    out.refused = {Refusal::record_incomplete, "the source can not be preprocessed"};
    return out;
  }
  out.preprocessor_runs++;
  out.preprocessed = std::move(text->standard_output);
  out.parts.push_back({"preprocessed", digest_bytes(out.preprocessed).hex()});
  out.parts.push_back({"messages of the preprocessor", digest_bytes(text->standard_error).hex()});
  out.refused = check_preprocessed(out.preprocessed);
  return out;
}

}  // namespace kache
