#include "remote/aws_profiles.h"

#include <algorithm>
#include <cctype>

#include "base/path.h"

namespace kache {
namespace {

constexpr uint64_t kMaxFile = 1u << 20;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && std::string_view(" \t\r").find(text.front()) != std::string_view::npos) text.remove_prefix(1);
  while (!text.empty() && std::string_view(" \t\r").find(text.back()) != std::string_view::npos) text.remove_suffix(1);
  return text;
}

// "name" of what stands in the brackets; "" for a section that is no profile.
std::string_view profile_of(std::string_view section, AwsFile file) {
  constexpr std::string_view kProfile = "profile";
  section = trimmed(section);
  if (file == AwsFile::credentials || section == "default") return section;
  if (!section.starts_with(kProfile) || section.size() == kProfile.size()) return {};
  std::string_view rest = section.substr(kProfile.size());
  if (rest[0] != ' ' && rest[0] != '\t') return {};
  rest = trimmed(rest);
  if (rest.size() >= 2 && rest.front() == rest.back() && (rest.front() == '"' || rest.front() == '\'')) rest = rest.substr(1, rest.size() - 2);
  return rest;
}

// A comment begins at # or ; behind white space.
std::string_view without_comment(std::string_view value) {
  for (size_t i = 1; i < value.size(); ++i) {
    if ((value[i] == '#' || value[i] == ';') && (value[i - 1] == ' ' || value[i - 1] == '\t')) return value.substr(0, i);
  }
  return value;
}

}  // namespace

void add_profiles(std::string_view text, AwsFile file, AwsProfiles& profiles) {
  AwsProfiles found;
  AwsProfile* profile = nullptr;
  bool may_nest = false;  // behind "s3 =", whose own settings are indented
  while (!text.empty()) {
    size_t end = std::min(text.find('\n'), text.size());
    std::string_view whole = text.substr(0, end), line = trimmed(whole);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line[0] == '#' || line[0] == ';') continue;
    if (line[0] == '[') {
      size_t close = line.find(']');
      std::string_view name = close == std::string_view::npos ? std::string_view() : profile_of(line.substr(1, close - 1), file);
      profile = name.empty() ? nullptr : &found[std::string(name)];
      may_nest = false;
      continue;
    }
    bool is_indented = whole[0] == ' ' || whole[0] == '\t';
    size_t equals = line.find('=');
    if (!profile || equals == std::string_view::npos || (is_indented && may_nest)) continue;
    std::string name(trimmed(line.substr(0, equals)));
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    std::string_view value = trimmed(without_comment(trimmed(line.substr(equals + 1))));
    may_nest = value.empty();
    if (!name.empty() && !value.empty()) (*profile)[std::move(name)] = value;
  }
  for (auto& [name, settings] : found) profiles[name].merge(settings);
}

Result<AwsProfiles> read_profiles(FileSystem& files, const Env& env) {
  struct {
    AwsFile file;
    std::string_view variable, place;
  } const places[] = {{AwsFile::credentials, "AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials"}, {AwsFile::config, "AWS_CONFIG_FILE", ".aws/config"}};
  AwsProfiles profiles;
  std::string home(env.get_or_empty("HOME"));
  for (const auto& place : places) {
    std::string path(env.get_or_empty(place.variable));
    if (path.starts_with("~/")) path = join_path(home, path.substr(2));
    if (path.empty() && !home.empty()) path = join_path(home, place.place);
    if (path.empty()) continue;
    Result<std::string> text = read_file(files, path, kMaxFile);
    if (text.ok()) add_profiles(*text, place.file, profiles);
    else if (text.code() != ErrorCode::not_found) return std::move(text).error().in(path);
  }
  return profiles;
}

}  // namespace kache
