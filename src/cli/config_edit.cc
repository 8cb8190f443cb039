#include "cli/config_edit.h"

#include <stdlib.h>

#include "base/path.h"
#include "cli/settings.h"

namespace kache {
namespace {

constexpr uint64_t kMaxFileSize = 1u << 20;

// The file to change: a link to it stays one.
std::string file_to_edit(const CommandContext& context, const std::string& given) {
  std::string path = given.empty() ? find_config_file(context.fs, context.env, context.cwd, "").path : absolute_path(context.cwd, given);
  char* real = ::realpath(path.c_str(), nullptr);
  if (!real) return path;
  path = real;
  ::free(real);
  return path;
}

// The values as they were given, or the items of a list in TOML's own notation.
OptionValue given_values(const std::vector<std::string>& words, const Option& option) {
  if (!option.is_list() || words.size() != 1) return words;
  if (words[0].empty()) return {};
  if (!words[0].starts_with('[')) return words;
  CompiledConfig parsed = compile_config("x = " + words[0], "");
  bool is_list = parsed.problem.empty() && parsed.settings.size() == 1 && parsed.settings[0].shape == CompiledSetting::list;
  return is_list ? parsed.settings[0].values : words;
}

}  // namespace

Result<FileText> read_to_edit(const CommandContext& context, const std::string& given) {
  FileText file;
  file.path = file_to_edit(context, given);
  if (!is_absolute(file.path)) return Error{ErrorCode::invalid, 0, "neither HOME nor XDG_CONFIG_HOME is set; name a file with --file"};
  Result<FileStat> stat = context.fs.stat(file.path);
  if (!stat.ok() && stat.code() == ErrorCode::not_found) return file;
  if (stat.ok() && !stat->is_regular()) return Error{ErrorCode::invalid, 0, file.path + ": not a regular file"};
  file.text = KACHE_TRY(read_file(context.fs, file.path, kMaxFileSize));
  file.exists = true;
  return file;
}

Status write_edited(const CommandContext& context, const FileText& old, const std::string& text, std::string* backup) {
  if (!old.exists) {
    Status made = make_dirs(context.fs, std::string(dir_name(old.path)), 0777);
    if (!made.ok()) return made;
    return replace_file(context.fs, old.path, text, 0666);
  }
  FileStat stat = KACHE_TRY(context.fs.stat(old.path));
  *backup = KACHE_TRY(keep_backup(context, old.path, old.text, stat.mode & 0777));
  // What somebody wrote meanwhile is not overwritten.
  if (KACHE_TRY(read_file(context.fs, old.path, kMaxFileSize)) != old.text) {
    return Error{ErrorCode::invalid, 0, old.path + ": was changed meanwhile; nothing was written"};
  }
  return replace_file(context.fs, old.path, text, stat.mode & 0777);
}

TomlPath path_of(std::string_view key) {
  TomlPath path;
  for (size_t start = 0; start <= key.size();) {
    size_t end = std::min(key.find('.', start), key.size());
    path.emplace_back(key.substr(start, end - start));
    start = end + 1;
  }
  return path;
}

Result<std::string> literal_of(const Option& option, const std::vector<std::string>& words, const Env& env) {
  OptionValue values = given_values(words, option);
  Config scratch;
  Status good = option.is_list() ? set_option_list(option, values, env, scratch) : set_option(option, value_text(option, values), env, scratch);
  if (!good.ok()) return Error{ErrorCode::invalid, 0, good.error().message + ", not \"" + value_text(option, values) + "\""};
  return value_literal(option, values);
}

}  // namespace kache
