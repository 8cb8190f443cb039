#include "store/render.h"

#include "base/path.h"

namespace kache {
namespace {

TextTemplate literal(std::string_view bytes) {
  if (bytes.empty()) return {};
  return {{TextToken::literal, {{}, std::string(bytes)}}};
}

}  // namespace

TextTemplate make_template(std::string_view bytes, TextKind kind, const Roots& roots) {
  std::vector<TextToken> tokens;
  if (kind == TextKind::dep_info) {
    Result<std::vector<TextToken>> parsed = tokenize_dep_info(bytes);
    if (!parsed.ok()) return literal(bytes);
    tokens = std::move(parsed).value();
  } else {
    tokens = tokenize_messages(bytes);
  }
  TextTemplate text;
  for (TextToken& token : tokens) {
    RootedPath path{{}, std::move(token.text)};
    // Only tidy paths: what "a//b" is mapped to would come back as "a/b".
    if (token.kind != TextToken::literal && is_absolute(path.rest) && tidy_path(path.rest) == path.rest) {
      path = roots.map(path.rest);
    }
    text.push_back({token.kind, std::move(path)});
  }
  return render_template(text, roots) == bytes ? text : literal(bytes);
}

std::string render_template(const TextTemplate& text, const Roots& roots) {
  std::vector<TextToken> tokens;
  tokens.reserve(text.size());
  for (const TemplateToken& token : text) tokens.push_back({token.kind, roots.resolve(token.path)});
  return render_tokens(tokens);
}

}  // namespace kache
