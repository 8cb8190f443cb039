// What lies in v1/recheck and what events say of it: refused, or what is written again as it was read. A command line that a note
// holds is led elsewhere without a fall, whatever its words are. The first byte says which reader gets the rest.
#include <cstdlib>
#include <iterator>
#include <string>

#include "base/frame.h"
#include "compiler/redirect.h"
#include "index/verified.h"
#include "remote/verdict.h"
#include "wrapper/recheck_note.h"

using namespace kache;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void note(std::string_view bytes) {
  Result<RecheckNote> read = decode_recheck(seal_frame("KRECHK01", bytes));
  (void)decode_recheck(bytes).ok();
  if (!read.ok()) return;
  std::string written = encode_recheck(*read);
  Result<RecheckNote> again = decode_recheck(written);
  require(again.ok() && encode_recheck(*again) == written);
  for (const std::string& word : read->argv) {
    if (word.find('@') != std::string::npos) return;  // what is read must be the input
  }
  CommandLine line{read->argv, read->cwd, Env(read->env), read->program};
  ParsedInvocation parsed = parse_invocation(posix_file_system(), line, read->kind);
  if (parsed.refused) return;
  Redirected redirected = redirect_outputs(line, parsed.invocation, "/elsewhere");
  require(!redirected.line.argv.empty() && redirected.line.argv.front() == line.argv.front());
}

void verdict(std::string_view bytes) {
  Result<VerdictNote> read = decode_verdict(seal_frame("KVERDT01", bytes));
  (void)decode_verdict(bytes).ok();
  if (!read.ok()) return;
  std::string written = encode_verdict(*read);
  Result<VerdictNote> again = decode_verdict(written);
  require(again.ok() && encode_verdict(*again) == written);
  std::string root;
  int64_t at_ns = 0;
  Verdict seen = Verdict::waits;
  if (parse_verification(format_verdict(*read), root, at_ns, seen)) require(seen == read->verdict);
}

void event(std::string_view bytes) {
  std::string root;
  int64_t at_ns = 0;
  Verdict seen;
  (void)parse_verification(std::string(bytes), root, at_ns, seen);
}

constexpr void (*kReaders[])(std::string_view) = {note, verdict, event};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  kReaders[data[0] % std::size(kReaders)]({reinterpret_cast<const char*>(data) + 1, size - 1});
  return 0;
}
