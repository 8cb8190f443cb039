#include "wrapper/cc_checks.h"

#include <algorithm>

#include "base/path.h"
#include "compiler/cc_languages.h"
#include "compiler/time_macros.h"
#include "store/same.h"

namespace kache {
namespace {

constexpr uint64_t kMaxReadSize = 256u << 20;  // of a source or an archive

bool is_text(std::string_view bytes) { return bytes.substr(0, 4096).find('\0') == std::string_view::npos; }

}  // namespace

// gcc says itself that it uses the time, by asking for SOURCE_DATE_EPOCH only then. For the others, and for the time of a
// file, the sources tell; too much rather than too little.
Refused check_time_macros(FileSystem& fs, const CommandLine& line, const Invocation& invocation, const Observed& observed) {
  const std::vector<std::string>& asked = observed.variables;
  bool asks = std::find(asked.begin(), asked.end(), "SOURCE_DATE_EPOCH") != asked.end();
  bool is_fixed = asks && line.env.has("SOURCE_DATE_EPOCH");
  bool is_gcc = invocation.cc.kind == CcKind::gcc;
  if (is_gcc && asks && !is_fixed) return {Refusal::time_macro, "__DATE__ or __TIME__"};
  auto look = [&](std::string_view text, const std::string& where) -> Refused {
    TimeUse use = find_time_macros(text);
    if (use.file) return {Refusal::time_macro, "__TIMESTAMP__ in " + where};
    if (use.clock && !is_gcc && !is_fixed) return {Refusal::time_macro, "__DATE__ or __TIME__ in " + where};
    return {};
  };
  for (const std::string& arg : line.argv) {
    if (Refused refused = look(arg, arg)) return refused;
  }
  for (const ReadFile& file : observed.files) {
    if (cc_language_of(file.path).empty() && file.identity.is_executable()) continue;  // the compiler's own programs
    Result<std::string> text = read_file(fs, file.path, kMaxReadSize);
    if (!text.ok() || !is_text(*text)) continue;
    if (Refused refused = look(*text, file.path)) return refused;
  }
  return {};
}

Refused check_member_times(FileSystem& fs, const std::string& path) {
  Result<std::string> bytes = read_file(fs, path, kMaxReadSize);
  bool holds_none = bytes.ok() && !has_member_times(*bytes);
  return holds_none ? Refused{} : Refused{Refusal::member_times, path};
}

// The date field of each member's header, "ar(5)": 16 bytes of name, 12 of date; 60 bytes in all, the size at 48.
bool has_member_times(std::string_view archive) {
  constexpr size_t kHeader = 60;
  if (!archive.starts_with("!<arch>\n") && !archive.starts_with("!<thin>\n")) return true;
  bool is_thin = archive.starts_with("!<thin>");
  for (size_t at = 8; at + kHeader <= archive.size();) {
    std::string_view header = archive.substr(at, kHeader);
    std::string_view name = header.substr(0, 16), date = header.substr(16, 12);
    bool is_zero = date.find_first_not_of(" 0") == std::string_view::npos;
    if (!is_zero && date.find_first_not_of(' ') != std::string_view::npos) return true;
    uint64_t size = 0;
    for (char c : header.substr(48, 10)) {
      if (c >= '0' && c <= '9') size = size * 10 + static_cast<uint64_t>(c - '0');
    }
    bool holds_bytes = !is_thin || name.starts_with("/ ") || name.starts_with("//") || name.starts_with("/SYM64/");
    at += kHeader + (holds_bytes ? size + size % 2 : 0);
  }
  return false;
}

bool holds_times_of_inputs(const Invocation& invocation, const FoundOutputs& found) {
  if (invocation.family != Family::cc || invocation.cc.kind == CcKind::gcc) return false;
  const std::vector<std::string>& args = invocation.args;
  if (std::find(args.begin(), args.end(), "-fno-pch-timestamp") != args.end()) return false;
  return std::any_of(found.outputs.begin(), found.outputs.end(), [](const FoundOutput& one) {
    return one.output.role.starts_with("precompiled-") || one.path.ends_with(".pcm") || one.path.ends_with(".pch");
  });
}

bool depends_on_times_of_inputs(const Invocation& invocation, const Observed& observed, Verifier& verifier) {
  if (invocation.family != Family::cc || invocation.cc.kind == CcKind::gcc) return false;
  return std::any_of(observed.files.begin(), observed.files.end(), [&](const ReadFile& file) {
    if (!is_remade_otherwise(file.path)) return false;
    Result<Digest> content = verifier.file_digest(file.path);
    return !content.ok() || verifier.standing_for(file.path, *content) == *content;
  });
}

bool reads_beside_output(const CommandLine& line, const Invocation& invocation, const Roots& roots,
                         const std::vector<Input>& inputs) {
  if (invocation.family == Family::rustc || invocation.named_outputs.empty()) return false;
  std::string first = absolute_path(line.cwd, invocation.named_outputs.front().path);
  RootedPath stem = roots.map(without_extension(first));
  return std::any_of(inputs.begin(), inputs.end(), [&](const Input& input) {
    return input.path.root == stem.root && input.path.rest.starts_with(stem.rest + ".");
  });
}

}  // namespace kache
