// Compiler-written text: what is taken apart comes back byte for byte.
#include <cstdlib>
#include <string_view>

#include "compiler/text_token.h"

using namespace kache;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (render_tokens(tokenize_messages(bytes)) != bytes) std::abort();
  Result<std::vector<TextToken>> tokens = tokenize_dep_info(bytes);
  if (tokens.ok() && render_tokens(*tokens) != bytes) std::abort();
  if (tokens.ok() != parse_dep_info(bytes).ok()) std::abort();
  return 0;
}
