// Command lines of C compilers, archivers and clang-cl, and response files, from anywhere: no crash, and answers that hold
// together.
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/cc_names.h"
#include "compiler/cc_response.h"
#include "compiler/compilers.h"
#include "line_of.h"

using namespace kache;

static void check(const ParsedInvocation& parsed) {
  if (parsed.refused) return;
  const Invocation& invocation = parsed.invocation;
  if (!invocation.source_arguments.empty()) {
    for (size_t argument : invocation.source_arguments) {
      if (argument >= invocation.split_args.size()) std::abort();
    }
    return;
  }
  if (invocation.key_args.empty()) std::abort();
  if (invocation.purpose == Purpose::compile && invocation.source.empty()) std::abort();
  if (invocation.purpose != Purpose::compile && invocation.named_outputs.empty()) std::abort();
  for (const NamedOutput& output : invocation.named_outputs) {
    if (output.path.empty()) std::abort();
  }
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  CommandLine line = line_of("cc", bytes);
  for (const char* compiler : {"gcc", "clang++", "clang-cl"}) {
    line.argv.front() = compiler;
    check(parse_cc(posix_file_system(), line));
  }
  for (const char* archiver : {"ar", "ranlib"}) {
    line.argv.front() = archiver;
    check(parse_ar(posix_file_system(), line));
  }
  (void)cc_name(bytes);
  for (Quoting quoting : {Quoting::gnu, Quoting::windows}) (void)split_quoted(bytes, quoting);
  return 0;
}
