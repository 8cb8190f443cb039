// Compiler-written text: what is taken apart comes back byte for byte.
#include <cstdlib>
#include <string_view>

#include "compiler/text_token.h"

using namespace kache;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (render_tokens(tokenize_messages(bytes)) != bytes) std::abort();
  // Escapes that rustc never writes may come back in another spelling; the store compares before it trusts.
  Result<std::vector<TextToken>> tokens = tokenize_dep_info(bytes);
  if (tokens.ok()) {
    std::string once = render_tokens(*tokens);
    Result<std::vector<TextToken>> again = tokenize_dep_info(once);
    if (!again.ok()) std::abort();
  }
  (void)parse_dep_info(bytes);
  return 0;
}
