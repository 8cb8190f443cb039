#include "cli/cmake_presets.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "cli/json_document.h"

namespace kache {
namespace {

using nlohmann::ordered_json;

constexpr const char* kDescription = "Written by kache init";  // by which it is known as ours
constexpr int kMaxDepth = 200;
constexpr const char* kConfigure = "configurePresets";
constexpr const char* kBuild = "buildPresets";
constexpr const char* kLaunchers[] = {"CMAKE_C_COMPILER_LAUNCHER", "CMAKE_CXX_COMPILER_LAUNCHER"};

Error invalid(std::string message) { return {ErrorCode::invalid, 0, std::move(message)}; }

bool is_blank(const std::string& text) { return text.find_first_not_of(" \t\r\n") == std::string::npos; }

// An empty document of a blank text.
Result<ordered_json> parse(const std::string& text) {
  if (is_blank(text)) return ordered_json::object();
  bool is_deep = false;  // what compares two documents calls itself for each level
  auto look = [&](int depth, ordered_json::parse_event_t, ordered_json&) {
    is_deep |= depth > kMaxDepth;
    return depth <= kMaxDepth;
  };
  try {
    ordered_json document = ordered_json::parse(text, look);
    if (is_deep) return invalid("it is nested too deeply");
    if (!document.is_object()) return invalid("not an object");
    for (const char* key : {kConfigure, kBuild}) {
      if (document.contains(key) && !document[key].is_array()) return invalid(std::string(key) + " is not a list");
    }
    return document;
  } catch (const ordered_json::out_of_range&) {
    return invalid("a number in it is out of range");
  } catch (const ordered_json::parse_error& error) {
    size_t end = std::min(error.byte > 0 ? error.byte - 1 : 0, text.size());
    auto line = std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(end), '\n') + 1;
    return invalid("line " + std::to_string(line) + ": not valid JSON");
  }
}

std::string text_at(const ordered_json& object, const char* key) {
  auto found = object.is_object() ? object.find(key) : object.end();
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

// The number of the preset with our name in this list, counted from 0; as many as there are, where there is none.
size_t number_of_ours(const ordered_json& document, const char* list) {
  if (!document.contains(list)) return 0;
  const ordered_json& presets = document[list];
  return static_cast<size_t>(std::find_if(presets.begin(), presets.end(), [](const ordered_json& preset) {
    return text_at(preset, "name") == kPresetName;
  }) - presets.begin());
}
const ordered_json* ours(const ordered_json& document, const char* list) {
  size_t number = number_of_ours(document, list);
  return document.contains(list) && number < document[list].size() ? &document[list][number] : nullptr;
}

bool is_written_by_init(const ordered_json& preset) { return text_at(preset, "description") == kDescription; }
bool is_written_by_init_too(const ordered_json& build) {
  return build.size() == 2 && text_at(build, "configurePreset") == kPresetName;
}

ordered_json preset_of(const PresetChoice& choice, int64_t version) {
  ordered_json preset = {{"name", kPresetName}, {"displayName", "Compile through kache"}, {"description", kDescription}};
  if (!choice.inherits.empty()) preset["inherits"] = choice.inherits;
  else if (version < 3) preset["generator"] = choice.generator;
  preset["binaryDir"] = std::string("${sourceDir}/build/") + kPresetName;
  for (const char* launcher : kLaunchers) preset["cacheVariables"][launcher] = choice.launcher;
  return preset;
}

// --- as text ---------------------------------------------------------------------------------------------------------

std::string line_end_of(const std::string& text) { return text.find("\r\n") != std::string::npos ? "\r\n" : "\n"; }

// The value in several lines, each but the first behind `indent`.
std::string indented(const ordered_json& value, const std::string& indent, const std::string& line_end) {
  std::string out;
  for (char c : value.dump(2)) out += c == '\n' ? line_end + indent : std::string(1, c);
  return out;
}

// Where the root's '{' is.
size_t root_of(const std::string& text) { return text.find('{'); }

const JsonMember* member_of(const std::vector<JsonMember>& members, const char* key) {
  auto found = std::find_if(members.begin(), members.end(), [&](const JsonMember& member) { return member.key == key; });
  return found == members.end() ? nullptr : &*found;
}

// What stands between the bracket and the first thing in it.
std::string gap(const std::string& text, size_t bracket) {
  size_t end = text.find_first_not_of(" \t\r\n", bracket + 1);
  return text.substr(bracket + 1, end - bracket - 1);
}

// "  " of "\n  "; nothing where all is in one line.
std::string indent_of(const std::string& gap) {
  size_t line = gap.rfind('\n');
  return line == std::string::npos ? "" : gap.substr(line + 1);
}

std::string with_item(const std::string& text, const char* list, const ordered_json& item) {
  size_t root = root_of(text);
  std::vector<JsonMember> members = json_members(text, root);
  std::string line_end = line_end_of(text);
  const JsonMember* member = member_of(members, list);
  if (!member) {
    std::string between = members.empty() ? line_end + "  " : gap(text, root);
    std::string value = ", \"" + std::string(list) + "\": " + ordered_json::array({item}).dump();
    if (between.find('\n') != std::string::npos) {
      value = (members.empty() ? "" : ",") + between + "\"" + list +
              "\": " + indented(ordered_json::array({item}), indent_of(between), line_end);
    }
    if (members.empty()) return text.substr(0, root + 1) + value + line_end + text.substr(text.find('}', root));
    size_t end = members.back().value.end;
    return text.substr(0, end) + value + text.substr(end);
  }
  std::vector<JsonSpan> items = json_items(text, member->value.start);
  if (items.empty()) {
    std::string value = indented(ordered_json::array({item}), indent_of(gap(text, root)), line_end);
    return text.substr(0, member->value.start) + value + text.substr(member->value.end);
  }
  std::string between = gap(text, member->value.start);
  bool has_lines = between.find('\n') != std::string::npos;
  std::string value = has_lines ? "," + between + indented(item, indent_of(between), line_end) : ", " + item.dump();
  return text.substr(0, items.back().end) + value + text.substr(items.back().end);
}

// Takes out what stands at `index` of these, with the comma that parts it from its neighbour.
std::string without_span(const std::string& text, const std::vector<JsonSpan>& spans, size_t index) {
  size_t from = index > 0 ? spans[index - 1].end : spans[index].start;
  size_t to = index > 0 || spans.size() == 1 ? spans[index].end : spans[index + 1].start;
  return text.substr(0, from) + text.substr(to);
}

// A list that held nothing else goes too.
std::string without_item(const std::string& text, const char* list, size_t index) {
  std::vector<JsonMember> members = json_members(text, root_of(text));
  const JsonMember* member = member_of(members, list);
  if (!member) return text;
  std::vector<JsonSpan> items = json_items(text, member->value.start);
  if (index >= items.size()) return text;
  if (items.size() > 1) return without_span(text, items, index);
  std::vector<JsonSpan> spans;
  for (const JsonMember& one : members) spans.push_back({one.start, one.value.end});
  return without_span(text, spans, static_cast<size_t>(member - members.data()));
}

Result<std::string> checked(std::string text, const ordered_json& meant) {
  Result<ordered_json> now = parse(text);
  if (now.ok() && nlohmann::json(*now) == nlohmann::json(meant)) return text;
  return invalid("it is written in a way that can not be edited safely; edit it by hand");
}

}  // namespace

Result<std::string> add_preset(const std::string& text, const PresetChoice& choice) {
  ordered_json meant = KACHE_TRY(parse(text));
  bool is_new = is_blank(text);
  if (is_new) meant = {{"version", 3}, {"cmakeMinimumRequired", {{"major", 3}, {"minor", 21}, {"patch", 0}}}};
  if (!meant.contains("version") || !meant["version"].is_number_integer()) return invalid("it has no version");
  auto version = meant["version"].get<int64_t>();
  if (ours(meant, kConfigure)) return invalid("it has another preset called kache");

  ordered_json preset = preset_of(choice, version), build = {{"name", kPresetName}, {"configurePreset", kPresetName}};
  meant[kConfigure].push_back(preset);
  std::string edited = is_new ? "" : with_item(text, kConfigure, preset);
  if (choice.has_build_preset && version >= 2 && !ours(meant, kBuild)) {
    meant[kBuild].push_back(build);
    if (!is_new) edited = with_item(edited, kBuild, build);
  }
  return is_new ? meant.dump(2) + "\n" : checked(edited, meant);
}

Result<std::string> remove_preset(const std::string& text) {
  ordered_json meant = KACHE_TRY(parse(text));
  const ordered_json* preset = ours(meant, kConfigure);
  if (!preset || !is_written_by_init(*preset)) return text;
  std::string edited = text;
  auto take_out = [&](const char* list) {
    size_t number = number_of_ours(meant, list);
    edited = without_item(edited, list, number);
    meant[list].erase(number);
    if (meant[list].empty()) meant.erase(list);
  };
  take_out(kConfigure);
  const ordered_json* build = ours(meant, kBuild);
  if (build && is_written_by_init_too(*build)) take_out(kBuild);
  return checked(edited, meant);
}

std::optional<PresetChoice> find_preset(const std::string& text) {
  Result<ordered_json> document = parse(text);
  const ordered_json* preset = document.ok() ? ours(*document, kConfigure) : nullptr;
  if (!preset || !is_written_by_init(*preset)) return std::nullopt;
  return PresetChoice{preset_launcher(text), text_at(*preset, "inherits"), text_at(*preset, "generator"),
                      ours(*document, kBuild) != nullptr};
}

std::string preset_launcher(const std::string& text) {
  Result<ordered_json> document = parse(text);
  const ordered_json* preset = document.ok() ? ours(*document, kConfigure) : nullptr;
  if (!preset || !preset->is_object() || !preset->contains("cacheVariables")) return {};
  return text_at((*preset)["cacheVariables"], kLaunchers[0]);
}

}  // namespace kache
