// What C compilers write: depfiles and messages that are taken apart come back byte for byte; sources are only read.
#include <cstdlib>
#include <string_view>

#include "compiler/depfile.h"
#include "compiler/text_token.h"
#include "compiler/time_macros.h"
#include "store/evidence.h"

using namespace kache;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (render_tokens(tokenize_cc_messages(bytes)) != bytes) std::abort();
  Result<Depfile> depfile = read_depfile(bytes);
  if (depfile.ok() && write_depfile(*depfile) != bytes) std::abort();
  (void)find_time_macros(bytes);
  (void)hides_text(bytes);
  return 0;
}
