#include "store/render.h"

#include "base/path.h"
#include "compiler/depfile.h"

namespace kache {
namespace {

TextTemplate literal(std::string_view bytes) {
  if (bytes.empty()) return {};
  return {{TextToken::literal, {{}, std::string(bytes)}}};
}

// Only tidy paths: what "a//b" is mapped to would come back as "a/b".
RootedPath rooted(std::string path, const Roots& roots) {
  if (is_absolute(path) && tidy_path(path) == path) return roots.map(path);
  return {{}, std::move(path)};
}

}  // namespace

TextTemplate make_template(std::string_view bytes, TextKind kind, const Roots& roots) {
  std::vector<TextToken> tokens;
  if (kind == TextKind::dep_info) {
    Result<std::vector<TextToken>> parsed = tokenize_dep_info(bytes);
    if (!parsed.ok()) return literal(bytes);
    tokens = std::move(parsed).value();
  } else {
    tokens = kind == TextKind::messages ? tokenize_messages(bytes) : tokenize_cc_messages(bytes);
  }
  TextTemplate text;
  for (TextToken& token : tokens) {
    bool is_path = token.kind != TextToken::literal;
    text.push_back({token.kind, is_path ? rooted(std::move(token.text), roots) : RootedPath{{}, std::move(token.text)}});
  }
  return render_template(text, roots) == bytes ? text : literal(bytes);
}

std::string render_template(const TextTemplate& text, const Roots& roots) {
  std::vector<TextToken> tokens;
  tokens.reserve(text.size());
  for (const TemplateToken& token : text) tokens.push_back({token.kind, roots.resolve(token.path)});
  return render_tokens(tokens);
}

bool make_depfile_template(std::string_view bytes, const std::vector<std::string>& targets, const Roots& roots,
                           TextTemplate& text) {
  Result<Depfile> depfile = read_depfile(bytes);
  if (!depfile.ok() || depfile->targets != targets) {
    text = literal(bytes);
    return false;
  }
  auto digit = [](auto value) { return static_cast<char>('0' + static_cast<int>(value)); };
  text = {{TextToken::depfile_layout, {{}, {digit(depfile->style), digit(depfile->phony)}}}};
  for (std::string& file : depfile->files) text.push_back({TextToken::depfile_path, rooted(std::move(file), roots)});
  if (render_depfile(text, targets, roots) == bytes) return true;
  text = literal(bytes);
  return false;
}

std::string render_depfile(const TextTemplate& text, const std::vector<std::string>& targets, const Roots& roots) {
  if (text.empty() || text[0].kind != TextToken::depfile_layout) return render_template(text, roots);
  const std::string& layout = text[0].path.rest;
  Depfile depfile;
  depfile.targets = targets;
  depfile.style = layout.starts_with('1') ? DepfileStyle::clang : DepfileStyle::gcc;
  depfile.phony = layout.ends_with('2') ? PhonyRules::spaced : layout.ends_with('1') ? PhonyRules::tight : PhonyRules::none;
  for (size_t i = 1; i < text.size(); ++i) depfile.files.push_back(roots.resolve(text[i].path));
  return write_depfile(depfile);
}

}  // namespace kache
