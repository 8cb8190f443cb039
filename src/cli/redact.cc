#include <algorithm>
#include <set>

#include "base/path.h"
#include "cli/report.h"

namespace kache {
namespace {

bool ends_path(char c) { return c == ' ' || c == '"' || c == '\'' || c == ',' || c == ';' || c == ')' || c == '\n'; }
bool begins_path(char before) {
  return ends_path(before) || before == '=' || before == ':' || before == '(' || before == '|';
}

void replace_all(std::string& text, const std::string& what, const std::string& by) {
  for (size_t at = 0; (at = text.find(what, at)) != text.npos; at += by.size()) text.replace(at, what.size(), by);
}

// "/home/u/app/a.h" → ".../a.h", wherever it stands in the text.
std::string without_directories(const std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    if (text[i] != '/' || (i > 0 && !begins_path(text[i - 1]))) {
      out += text[i++];
      continue;
    }
    size_t end = i;
    while (end < text.size() && !ends_path(text[end]) && text[end] != ':') ++end;
    std::string_view path(text.data() + i, end - i);
    while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
    out += path.size() > 1 ? ".../" + std::string(base_name(path)) : std::string(path);
    i = end;
  }
  return out;
}

// "NAME=value" → "NAME=..."
std::string without_values(const std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    out += text[i];
    if (text[i] != '=') continue;
    out += "...";
    while (i + 1 < text.size() && !ends_path(text[i + 1])) ++i;
  }
  return out;
}

// What a blank in a path would hide from the rules above: the directories that are known as such, longest first.
std::vector<std::string> known_directories(const std::string& home, const ChosenEvents& chosen) {
  std::set<std::string> roots;
  for (const BuildEvent& event : chosen.events) roots.insert(event.root);
  for (const PastBuild& build : chosen.history.builds) roots.insert(build.root);
  roots.insert(home);
  std::vector<std::string> list;
  for (const std::string& root : roots) {
    if (root.size() > 1) list.push_back(root);
  }
  std::stable_sort(list.begin(), list.end(),
                   [](const std::string& a, const std::string& b) { return a.size() > b.size(); });
  return list;
}

}  // namespace

void redact(const CommandContext& context, ReportOptions& options, ChosenEvents& chosen) {
  std::string home(context.env.get_or_empty("HOME"));
  std::vector<std::string> directories = known_directories(home, chosen);
  auto hide = [&](std::string& text) {
    for (const std::string& directory : directories)
      replace_all(text, directory, directory == home ? "~" : ".../" + std::string(base_name(directory)));
    text = without_directories(without_values(text));
  };
  for (BuildEvent& event : chosen.events) {
    for (std::string* text : {&event.root, &event.passthrough_reason, &event.store_error, &event.lookup_rejection})
      hide(*text);
    for (std::string& reason : event.miss_reasons) hide(reason);
  }
  if (chosen.build) hide(chosen.build->root);
  for (PastBuild& build : chosen.history.builds) hide(build.root);
  hide(chosen.label);
  hide(options.root);
}

}  // namespace kache
