// `kache why-miss`: which file, variable or flag made a unit miss, and what that goes back to.
#include <algorithm>
#include <cstdio>
#include <iterator>
#include <optional>
#include <set>

#include <nlohmann/json.hpp>
#include <toml++/toml.h>

#include "base/path.h"
#include "cli/command.h"
#include "cli/explain.h"
#include "cli/json.h"
#include "cli/text_diff.h"
#include "compiler/cc_languages.h"
#include "index/events.h"
#include "store/blob.h"
#include "wrapper/difference.h"

namespace kache {
namespace {

using json = nlohmann::ordered_json;

constexpr size_t kDiffLines = 12;

// --- which unit is meant ---

bool is_hex(const std::string& text) {
  return text.size() >= 6 && text.size() <= 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

std::vector<BuildEvent> events_where(const std::vector<BuildEvent>& log, auto&& is_meant) {
  std::vector<BuildEvent> events;
  std::copy_if(log.begin(), log.end(), std::back_inserter(events), is_meant);
  return events;
}

// The crates of the package whose source a file is.
std::vector<std::string> crates_of_source(FileSystem& fs, const std::string& path) {
  for (std::string_view dir = dir_name(path); dir.size() > 1; dir = dir_name(dir)) {
    Result<std::string> manifest = read_file(fs, join_path(dir, "Cargo.toml"), 1 << 20);
    if (!manifest.ok()) continue;
    try {
      toml::table table = toml::parse(*manifest);
      std::string package = table["package"]["name"].value_or(""), library = table["lib"]["name"].value_or("");
      if (package.empty()) continue;
      std::string crate = unit_names(library.empty() ? package : library)[1];
      std::string stem(base_name(path).substr(0, base_name(path).find('.')));
      if (base_name(path) == "build.rs") return {"build_script_build"};
      return {stem, crate, unit_names(package)[1]};  // src/bin/stem.rs, tests/stem.rs
    } catch (const toml::parse_error&) {
    }
  }
  return {};
}

// Files that kache made are known by what is in them.
std::vector<std::string> units_with_output(const CommandContext& context, StoreIndex& index, Explainer& explainer, const std::string& path) {
  Result<File> file = open_file(context.fs, path);
  if (!file.ok()) return {};
  Result<Digest> digest = digest_file(context.fs, file->handle());
  if (!digest.ok()) return {};
  Result<std::vector<ActionKey>> makers = index.makers_of({*digest});
  std::vector<std::string> units;
  if (!makers.ok()) return units;
  for (const ActionKey& key : *makers) {
    if (std::optional<Entry> entry = explainer.entry(key)) units.push_back(entry->crate_name);
  }
  return units;
}

std::vector<BuildEvent> events_of(const CommandContext& context, StoreIndex& index, Explainer& explainer, const std::vector<BuildEvent>& log,
                                  const std::string& given) {
  if (is_hex(given)) {
    auto by_key = [&](const BuildEvent& event) { return event.cache_key.starts_with(given) || event.invocation_key.starts_with(given); };
    std::vector<BuildEvent> events = events_where(log, by_key);
    if (!events.empty()) return events;
  }
  std::vector<std::string> names = unit_names(given);
  std::string path = absolute_path(context.cwd, given);
  Result<FileStat> file = context.fs.stat(path);
  bool is_file = file.ok() && file->is_regular();
  if (is_file && given.ends_with(".rs")) names = crates_of_source(context.fs, path);
  else if (is_file && cc_language_of(given).empty()) {
    std::vector<std::string> made = units_with_output(context, index, explainer, path);
    names.insert(names.begin(), made.begin(), made.end());
  }
  for (const std::string& name : names) {
    std::vector<BuildEvent> events = events_where(log, [&](const BuildEvent& event) { return event.crate_name == name; });
    if (events.empty()) continue;
    // Sources of one name are in many a tree; the tree of this file is meant, where it has been built.
    std::vector<BuildEvent> here = events_where(events, [&](const BuildEvent& event) { return is_file && is_below(path, event.root); });
    return here.empty() ? events : here;
  }
  return {};
}

std::string text_of_no_events(const std::vector<BuildEvent>& log, const std::string& given) {
  std::string tip = cc_language_of(given).empty() ? ": cargo build -p " + given : "; `kache doctor` says whether builds go through kache";
  std::string out = "No events found for " + given + ". Build it first" + tip + "\n";
  // "deflate" may be meant to be deflate.c, "serde" serde_json.
  std::set<std::string> alike;
  auto folded = [](const std::string& name) { return unit_names(name)[1]; };
  for (const BuildEvent& event : log) {
    bool is_alike = given.size() >= 3 && folded(event.crate_name).find(folded(given)) != std::string::npos;
    if (is_alike) alike.insert(event.crate_name);
  }
  for (const std::string& name : alike) out += "  there is one called " + printable(name) + "\n";
  return out;
}

// --- what is said of it ---

// Where a file of the store's records is in the tree of this build. The messages of the build itself know it best.
std::string place_of(const RootedPath& path, const BuildEvent& event, const CommandContext& context) {
  for (const std::string& reason : event.miss_reasons) {
    size_t slash = reason.find('/');
    if (slash != std::string::npos && path.root.kind != RootKind::none && reason.ends_with("/" + path.rest)) return reason.substr(slash);
  }
  std::string rest = path.rest.substr(0, path.rest.find('\0'));
  const char* home = context.env.get("HOME");
  const char* cargo = context.env.get("CARGO_HOME");
  switch (path.root.kind) {
    case RootKind::none: return rest;
    case RootKind::project:
    case RootKind::workspace: return join_path(event.root, rest);
    case RootKind::target: return join_path(join_path(event.root, "target"), rest);
    case RootKind::home: return join_path(home ? home : "~", rest);
    case RootKind::cargo_home: return join_path(cargo ? std::string(cargo) : join_path(home ? home : "~", ".cargo"), rest);
    case RootKind::temp: return join_path("/tmp", rest);
    case RootKind::base:
    case RootKind::configured: return rest;
  }
  return rest;
}

struct Words {
  std::string_view word;
  const char* json;
};
// In the order of Change::Kind. What events name as well is called as there.
const Words kWords[] = {{noun_of(Difference::file), "file"},         {noun_of(Difference::absent), "new_file"},
                        {"file is gone:", "gone_file"},              {noun_of(Difference::presence), "presence"},
                        {noun_of(Difference::listing), "listing"},   {noun_of(Difference::link), "link"},
                        {noun_of(Difference::program), "program"},   {noun_of(Difference::times), "times"},
                        {noun_of(Difference::variable), "variable"}, {noun_of(Difference::location), "location"},
                        {"new: ", "new_argument"},                   {"gone:", "gone_argument"},
                        {"changed:", "changed_argument"}};

bool is_of_command(const Change& change) { return change.kind >= Change::flag_new; }

std::string value_text(bool is_set, const std::string& shown) { return !is_set ? "unset" : shown.empty() ? "(not shown)" : "\"" + shown + "\""; }

std::string line_of(const Change& change, const BuildEvent& event, const CommandContext& context) {
  std::string line(kWords[change.kind].word);
  if (change.kind == Change::variable) {
    line += " " + change.name;
    // Two values that may not be shown, or that are the same but for their place, say nothing.
    if (value_text(change.was_set, change.before) == value_text(change.is_set, change.after)) return line;
    return line + ": " + value_text(change.was_set, change.before) + " -> " + value_text(change.is_set, change.after);
  }
  if (!is_of_command(change)) return line + " " + (change.name.empty() ? place_of(change.path, event, context) : change.name);
  line += " " + change.name;
  if (change.kind == Change::flag_changed && change.before != change.after) return line + ": " + change.before + " -> " + change.after;
  std::string text = change.before + change.after;
  return text.empty() || change.kind == Change::flag_changed ? line : line + ": " + text;
}

std::string diff_of(const Change& change, const BuildEvent& event, const CommandContext& context) {
  if (change.kind != Change::file) return "";
  return text_diff(context, place_of(change.path, event, context), change.digest_before, change.digest_after, kDiffLines);
}

void add_indented(std::string& out, const std::string& lines, const std::string& indent) {
  for (size_t start = 0; start < lines.size();) {
    size_t end = std::min(lines.find('\n', start), lines.size());
    std::string line = lines.substr(start, end - start);
    for (size_t tab = line.find('\t'); tab != std::string::npos; tab = line.find('\t', tab)) line.replace(tab, 1, "    ");
    out += indent + printable(line) + "\n";
    start = end + 1;
  }
}

void add_changes(std::string& out, const std::vector<Change>& changes, const BuildEvent& event, const CommandContext& context,
                 const std::string& indent) {
  constexpr size_t kMost = 8;
  for (size_t i = 0; i < changes.size() && i < kMost; ++i) {
    out += indent + printable(line_of(changes[i], event, context)) + "\n";
    add_indented(out, diff_of(changes[i], event, context), indent + "    ");
  }
  if (changes.size() > kMost) out += indent + "... and " + std::to_string(changes.size() - kMost) + " more\n";
}

std::string joined(const std::vector<std::string>& via) {
  std::string text;
  for (const std::string& unit : via) text += (text.empty() ? "" : " <- ") + unit;
  return text;
}

const char* why_at_all(Standing standing) {
  switch (standing) {
    case Standing::inputs_differ: return "its own inputs changed:";
    case Standing::command_differs: return "it was compiled in another way:";
    case Standing::first: return "it had never been compiled with this store";
    case Standing::unknown: return "nothing more is known of it";
  }
  return "";
}

void add_diagnosis(std::string& out, const Explanation& explanation, const BuildEvent& miss, const CommandContext& context) {
  bool known = explanation.standing == Standing::inputs_differ && !explanation.changes.empty();
  if (known || !miss.miss_reasons.empty()) {
    out += "Diagnosis: the command line is known. Since the nearest stored result these changed:\n";
    if (known) add_changes(out, explanation.changes, miss, context, "  ");
    for (const std::string& reason : miss.miss_reasons) {
      if (!known) out += "  " + printable(reason) + "\n";
    }
  } else if (explanation.standing == Standing::command_differs) {
    out += "Diagnosis: no result for this command line. Compared with the nearest one that was stored:\n";
    add_changes(out, explanation.changes, miss, context, "  ");
  } else if (explanation.standing == Standing::first) {
    out += "Diagnosis: never cached before: this was the first build of it with this store.\n";
  } else if (miss.is_compiled() && miss.lookup_rejection.empty()) {
    out += "Diagnosis: nothing was stored for this command line, so there is nothing to compare with.\n";
  }
}

void add_causes(std::string& out, const std::vector<RootCause>& causes, const BuildEvent& miss, const CommandContext& context) {
  if (causes.empty()) return;
  out += std::string("\nIt goes back to ") + (causes.size() == 1 ? "another unit" : "other units") + ":\n";
  for (const RootCause& cause : causes) {
    const Explanation& root = cause.explanation;
    out += "  root: " + printable(root.unit) + " -- " + why_at_all(root.standing) + "\n";
    add_changes(out, root.changes, miss, context, "    ");
    out += "    via: " + printable(joined(cause.via)) + "\n";
  }
}

// Plain facts of the event that come before any diagnosis.
std::vector<std::string> not_cached(const BuildEvent& miss) {
  std::vector<std::string> out;
  if (miss.is_failed_compile()) {
    out.push_back("the compile failed (exit status " + std::to_string(miss.exit_code) + "), and such a result is never kept.");
  }
  if (!miss.store_error.empty()) out.push_back("it was compiled and could not be stored: " + miss.store_error);
  if (!miss.passthrough_reason.empty()) out.push_back(miss.passthrough_reason.substr(miss.passthrough_reason.find('|') + 1));
  return out;
}

void add_last_events(std::string& out, const std::vector<BuildEvent>& events) {
  out += "\nLast events:\n";
  size_t first = events.size() > 5 ? events.size() - 5 : 0;
  for (size_t i = first; i < events.size(); ++i) {
    const BuildEvent& event = events[i];
    out += "  " + printable(event.ts.substr(0, 19)) + "  " + padded(printable(event.result), 14) + " " +
           padded(printable(event.cache_key.substr(0, 12)), 12) + " " + human_size(event.size) + "\n";
  }
}

json json_of(const std::vector<Change>& changes, const BuildEvent& event, const CommandContext& context) {
  json list = json::array();
  for (const Change& change : changes) {
    json one = {{"kind", kWords[change.kind].json}};
    bool is_path = !is_of_command(change) && change.name.empty();
    one["name"] = is_path ? place_of(change.path, event, context) : change.name;
    if (!is_path) {
      one["before"] = change.was_set && !change.before.empty() ? json(change.before) : json(nullptr);
      one["after"] = change.is_set && !change.after.empty() ? json(change.after) : json(nullptr);
    }
    if (std::string diff = diff_of(change, event, context); !diff.empty()) one["diff"] = diff;
    list.push_back(std::move(one));
  }
  return list;
}

// What is known of the unit that somebody asks about.
struct Answer {
  std::vector<BuildEvent> log, events;  // all; of the unit
  std::optional<BuildEvent> miss;       // the last one
  Explanation explanation;
  std::vector<RootCause> causes;
};

Result<Answer> find_answer(const CommandContext& context, const std::string& asked) {
  Answer answer;
  answer.log = KACHE_TRY(read_events(context.fs, context.layout.events(), 0));
  Pace pace;
  StoreIndex index = StoreIndex::open(context.fs, context.clock, context.layout);
  (void)index.refresh(RefreshDepth::members, pace);
  Explainer explainer(context.fs, context.layout, index);
  answer.events = events_of(context, index, explainer, answer.log, asked);
  auto miss = std::find_if(answer.events.rbegin(), answer.events.rend(), [](const BuildEvent& event) { return !event.is_hit(); });
  if (miss == answer.events.rend()) return answer;
  answer.miss = *miss;
  ActionKey action;
  if (miss->is_compiled() && Digest::parse_hex(miss->cache_key, action.digest)) answer.explanation = explainer.explain(action);
  answer.causes = explainer.causes(answer.explanation);
  return answer;
}

json json_of(const Answer& answer, const std::string& asked, const CommandContext& context) {
  static constexpr const char* kStandings[] = {"inputs_differ", "command_differs", "first_build", "unknown"};
  json out = {{"schema_version", 1}, {"command", "why-miss"}};
  if (answer.events.empty()) {
    out.update({{"asked", asked}, {"found", false}});
    return out;
  }
  out.update({{"found", true}, {"unit", answer.events.front().crate_name}});
  if (!answer.miss) {
    out["result"] = answer.events.back().result;
    return out;
  }
  const BuildEvent& miss = *answer.miss;
  out["unit"] = miss.crate_name;
  out.update({{"result", miss.result}, {"ts", miss.ts}, {"root", miss.root}, {"cache_key", miss.cache_key}, {"cost_ms", miss.compile_time_ms},
              {"not_cached", not_cached(miss)}, {"lookup_rejection", miss.lookup_rejection}, {"miss_reason", miss.miss_reasons},
              {"standing", kStandings[static_cast<size_t>(answer.explanation.standing)]},
              {"changes", json_of(answer.explanation.changes, miss, context)}, {"causes", json::array()}});
  for (const RootCause& cause : answer.causes) {
    out["causes"].push_back({{"unit", cause.explanation.unit},
                             {"standing", kStandings[static_cast<size_t>(cause.explanation.standing)]},
                             {"via", cause.via},
                             {"changes", json_of(cause.explanation.changes, miss, context)}});
  }
  return out;
}

std::string text_of(const Answer& answer, const std::string& asked, const CommandContext& context) {
  if (answer.events.empty()) return text_of_no_events(answer.log, asked);
  std::string unit = printable(answer.events.front().crate_name), out;
  if (!answer.miss) {
    out = unit + ": all events are hits.\n";
    add_last_events(out, answer.events);
    return out;
  }
  const BuildEvent& miss = *answer.miss;
  out = "Why " + unit + " missed:\n  Last " + printable(miss.result) + ": " + printable(miss.ts.substr(0, 19)) +
        " (key: " + (miss.cache_key.empty() ? "-" : printable(miss.cache_key.substr(0, 12))) + ")\n";
  // Sources of one name are in many a tree.
  if (!miss.root.empty()) out += "  Built in: " + printable(miss.root) + "\n";
  if (miss.compile_time_ms) out += "  Cost: " + human_ms(miss.compile_time_ms) + " of compile time\n";
  for (const std::string& reason : not_cached(miss)) out += "NOT CACHED: " + printable(reason) + "\n";
  if (!miss.lookup_rejection.empty()) {
    out += "A matching result was found and could not be used: " + printable(miss.lookup_rejection) + "\n";
  }
  add_diagnosis(out, answer.explanation, miss, context);
  add_causes(out, answer.causes, miss, context);
  add_last_events(out, answer.events);
  return out;
}

}  // namespace

Result<std::string> why_miss_text(const CommandContext& context, const std::string& unit) {
  Answer answer = KACHE_TRY(find_answer(context, unit));
  return text_of(answer, unit, context);
}

int run_why_miss(const CommandContext& context, const WhyMissOptions& options) {
  Result<Answer> answer = find_answer(context, options.unit);
  if (!answer.ok()) return fail(answer.error().message);
  std::string out = options.json ? to_text(json_of(*answer, options.unit, context)) + "\n" : text_of(*answer, options.unit, context);
  std::fputs(out.c_str(), stdout);
  return 0;
}

}  // namespace kache
