// Command lines and patterns from anywhere: no crash, and always an answer that holds together.
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/glob.h"
#include "compiler/compilers.h"
#include "compiler/response_file.h"
#include "config/options.h"
#include "line_of.h"

using namespace kache;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  CommandLine line = line_of("rustc", bytes);
  ParsedInvocation parsed = parse_rustc(posix_file_system(), line, Recognised::rustc);
  const Invocation& invocation = parsed.invocation;
  if (!parsed.refused) {
    // Keyed by something, and a compile makes something that has a name.
    if (invocation.key_args.empty()) std::abort();
    if (invocation.purpose == Purpose::compile && (invocation.emits.empty() || invocation.source.empty())) std::abort();
    for (const std::string& stem : invocation.output_stems()) {
      if (stem.empty()) std::abort();
    }
    if (invocation.args.size() + 1 != line.argv.size()) std::abort();
  }
  (void)write_response_file(line.argv);
  (void)recognise(posix_file_system(), line.argv, line.env);
  if (size < 64) (void)glob_match(bytes.substr(0, size / 2), bytes.substr(size / 2));
  (void)parse_size(bytes);
  return 0;
}
