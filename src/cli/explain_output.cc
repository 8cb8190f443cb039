// `kache explain FILE`: where a file that a build made comes from.
#include <algorithm>
#include <cstdio>
#include <optional>

#include <nlohmann/json.hpp>

#include "base/path.h"
#include "cli/command.h"
#include "cli/explain.h"
#include "cli/json.h"
#include "index/events.h"
#include "store/blob.h"

namespace kache {
namespace {

using json = nlohmann::ordered_json;

struct Origin {
  Entry entry;
  const Output* output = nullptr;  // of the entry
  bool is_same = true;             // the content is what was stored
};

// As it stands there, or else as it is called: then it is not what was stored.
std::vector<Origin> origins_by_content(const Explainer& explainer, StoreIndex& index, const Digest& digest) {
  std::vector<Origin> found;
  Result<std::vector<ActionKey>> makers = index.makers_of({digest});
  if (!makers.ok()) return found;
  for (const ActionKey& key : *makers) {
    std::optional<Entry> entry = explainer.entry(key);
    if (entry) found.push_back({std::move(*entry)});
  }
  for (Origin& origin : found) {
    for (const Output& output : origin.entry.outputs) {
      if (output.content == OutputContent::blob && output.blob.digest == digest) origin.output = &output;
    }
  }
  return found;
}

// libserde-0123456789abcdef.rlib → serde; deflate.o → deflate.c, deflate.cc, …; what events call them.
bool may_have_made(const std::string& unit, std::string_view file) {
  if (unit == file) return true;
  std::string_view stem = file.substr(0, file.find('.'));
  if (unit.substr(0, unit.find('.')) == stem && unit.find('.') != std::string::npos) return true;
  if (stem.starts_with("lib")) stem.remove_prefix(3);
  std::string crate(stem.substr(0, stem.rfind('-')));
  std::replace(crate.begin(), crate.end(), '-', '_');
  return unit == crate;
}

std::vector<Origin> origins_by_name(const Explainer& explainer, const std::vector<BuildEvent>& log, const std::string& path) {
  std::vector<Origin> found;
  std::string_view name = base_name(path);
  for (auto event = log.rbegin(); event != log.rend() && found.empty(); ++event) {
    ActionKey key;
    bool is_near = event->root.empty() || is_below(path, event->root);
    if (!is_near || !may_have_made(event->crate_name, name) || !Digest::parse_hex(event->cache_key, key.digest)) continue;
    std::optional<Entry> entry = explainer.entry(key);
    if (!entry) continue;
    Origin origin{std::move(*entry), nullptr, false};
    for (const Output& output : origin.entry.outputs) {
      if (output.name == name || origin.entry.outputs.size() == 1) origin.output = &output;
    }
    found.push_back(std::move(origin));
  }
  return found;
}

struct Counts {
  size_t files = 0, absent = 0, directories = 0, others = 0;
};

Counts count_inputs(const InputSet& set) {
  Counts counts;
  for (const Input& input : set.inputs) {
    switch (input.kind) {
      case InputKind::file:
      case InputKind::times: counts.files++; break;
      case InputKind::absent: counts.absent++; break;
      case InputKind::listing:
      case InputKind::libraries:
      case InputKind::matches: counts.directories++; break;
      default: counts.others++; break;
    }
  }
  return counts;
}

constexpr const char* kRootNames[] = {"", "<temporary>", "<home>", "<target>", "<workspace>", "<base>", "<cargo home>", "<base dir>", "<project>"};
constexpr const char* kInputNames[] = {"", "file", "absent", "present", "list of", "link", "real path", "program", "libraries in", "matches", "times of"};

std::string rooted_text(const RootedPath& path) {
  std::string rest = path.rest.substr(0, path.rest.find('\0'));
  std::string root = kRootNames[static_cast<size_t>(path.root.kind)];
  if (root.empty()) return rest;
  return rest.empty() ? root : root + "/" + rest;
}

// Who compiled it, and who got it since.
struct History {
  const BuildEvent* compiled = nullptr;
  size_t restored = 0;
};

History history_of(const std::vector<BuildEvent>& log, const ActionKey& key) {
  History history;
  std::string hex = key.hex();
  for (const BuildEvent& event : log) {
    if (event.cache_key != hex) continue;
    if (event.is_hit()) history.restored++;
    else if (event.is_compiled()) history.compiled = &event;
  }
  return history;
}

std::string command_of(const Traces& traces) {
  std::string text;
  for (const KeyPart& part : traces.parts) {
    if (part.label == "argv") text += (text.empty() ? "" : " ") + part.text;
  }
  return text;
}

std::string part_of(const Traces& traces, std::string_view label) {
  for (const KeyPart& part : traces.parts) {
    if (part.label == label) return part.text;
  }
  return "";
}

const Candidate* candidate_of(const Traces& traces, const ActionKey& key) {
  for (const Candidate& candidate : traces.candidates) {
    if (candidate.action == key) return &candidate;
  }
  return nullptr;
}

std::string kind_text(const Entry& entry, const Output* output) {
  std::string text = output && !output->role.empty() ? output->role + " of " : "";
  text += entry.crate_name;
  std::string more;
  for (const std::string& word : {entry.crate_types, entry.profile, entry.target}) {
    if (!word.empty()) more += (more.empty() ? "" : ", ") + word;
  }
  return more.empty() ? text : text + " (" + more + ")";
}

void print_inputs(const InputSet& set) {
  for (const Input& input : set.inputs) {
    std::printf("    %-12s %s\n", kInputNames[static_cast<size_t>(input.kind)], printable(rooted_text(input.path)).c_str());
  }
  for (const EnvInput& variable : set.env) {
    std::string value = !variable.is_set ? "unset" : variable.shown.empty() ? "(not shown)" : variable.shown;
    std::printf("    %-12s %s: %s\n", "variable", printable(variable.name).c_str(), value.c_str());
  }
}

void print_origin(const Origin& origin, const Traces* traces, const std::vector<BuildEvent>& log, bool with_inputs) {
  History history = history_of(log, origin.entry.key);
  std::printf("  Made as:   %s\n", kind_text(origin.entry, origin.output).c_str());
  std::printf("  Entry:     %s\n", origin.entry.key.hex().c_str());
  std::printf("  Content:   %s\n", origin.is_same ? "as it was stored" : "NOT as it was stored: changed since, or made without kache");
  std::printf("  Compiled:  %s, took %s\n", format_time(origin.entry.created_ns).substr(0, 19).c_str(), human_ms(origin.entry.compile_ms).c_str());
  if (history.compiled && !history.compiled->root.empty()) std::printf("  Built in:  %s\n", history.compiled->root.c_str());
  std::printf("  Restored:  %zu times, as far as the log goes back\n", history.restored);
  if (!traces) return;
  std::string compiler = part_of(*traces, "compiler");
  std::printf("  Toolchain: %s%s\n", compiler.empty() ? "" : (compiler + ", ").c_str(), part_of(*traces, "toolchain").substr(0, 12).c_str());
  std::printf("  Arguments: %s\n", printable(command_of(*traces)).c_str());
  const Candidate* candidate = candidate_of(*traces, origin.entry.key);
  if (!candidate) return;
  InputSet set = traces->set_of(*candidate);
  Counts counts = count_inputs(set);
  std::printf("  Inputs:    %zu files, %zu looked for and not found, %zu directories, %zu others, %zu variables%s\n", counts.files, counts.absent,
              counts.directories, counts.others, set.env.size(), with_inputs ? "" : "; --inputs names them");
  if (with_inputs) print_inputs(set);
  if (set.bindings.empty()) std::printf("  Location:  serves any checkout\n");
  for (const Binding& binding : set.bindings) std::printf("  Location:  only where %s is the place\n", binding.path.c_str());
}

json json_of(const Origin& origin, const Traces* traces, const std::vector<BuildEvent>& log) {
  History history = history_of(log, origin.entry.key);
  const Entry& entry = origin.entry;
  json out = {{"unit", entry.crate_name}, {"role", origin.output ? origin.output->role : ""}, {"crate_types", entry.crate_types},
              {"profile", entry.profile}, {"target", entry.target}, {"cache_key", entry.key.hex()}, {"invocation_key", entry.invocation.hex()},
              {"content_matches", origin.is_same}, {"created", format_time(entry.created_ns)}, {"compile_time_ms", entry.compile_ms},
              {"root", history.compiled ? history.compiled->root : ""}, {"restored", history.restored}};
  const Candidate* candidate = traces ? candidate_of(*traces, entry.key) : nullptr;
  if (!candidate) return out;
  out["compiler"] = part_of(*traces, "compiler");
  out["toolchain"] = part_of(*traces, "toolchain");
  out["arguments"] = json::array();
  for (const KeyPart& part : traces->parts) {
    if (part.label == "argv") out["arguments"].push_back(part.text);
  }
  InputSet set = traces->set_of(*candidate);
  out["inputs"] = json::array();
  for (const Input& input : set.inputs) {
    out["inputs"].push_back({{"kind", kInputNames[static_cast<size_t>(input.kind)]}, {"path", rooted_text(input.path)}, {"digest", input.digest.hex()}});
  }
  out["variables"] = json::array();
  for (const EnvInput& variable : set.env) {
    out["variables"].push_back({{"name", variable.name}, {"set", variable.is_set}, {"value", variable.shown}});
  }
  out["bound_to"] = json::array();
  for (const Binding& binding : set.bindings) out["bound_to"].push_back(binding.path);
  return out;
}

}  // namespace

int run_explain(const CommandContext& context, const ExplainOptions& options) {
  std::string path = absolute_path(context.cwd, options.file);
  Result<File> file = open_file(context.fs, path);
  if (!file.ok()) return fail(file.error().message);
  Result<FileStat> stat = context.fs.stat_handle(file->handle());
  if (!stat.ok() || !stat->is_regular()) return fail(options.file + ": not a regular file; name one that a build made");
  Result<Digest> digest = digest_file(context.fs, file->handle());
  if (!digest.ok()) return fail(digest.error().message);
  Result<std::vector<BuildEvent>> log = read_events(context.fs, context.layout.events(), 0);
  if (!log.ok()) return fail(log.error().message);
  Pace pace;
  StoreIndex index = StoreIndex::open(context.fs, context.clock, context.layout);
  Status fresh = index.refresh(RefreshDepth::members, pace);
  if (!fresh.ok()) return fail(fresh.error().message);
  Explainer explainer(context.fs, context.layout, index);

  std::vector<Origin> origins = origins_by_content(explainer, index, *digest);
  if (origins.empty()) origins = origins_by_name(explainer, *log, path);
  if (options.json) {
    json out = {{"schema_version", 1}, {"command", "explain"}, {"file", path}, {"digest", digest->hex()}, {"origins", json::array()}};
    for (const Origin& origin : origins) {
      std::optional<Traces> traces = explainer.traces(origin.entry.invocation);
      out["origins"].push_back(json_of(origin, traces ? &*traces : nullptr, *log));
    }
    std::puts(to_text(out).c_str());
    return origins.empty() ? 1 : 0;
  }
  if (origins.empty()) {
    return fail(options.file + ": nothing in the store is like it: not made through kache, or its entry is gone (`kache why-miss` names reasons)");
  }
  std::printf("%s\n", options.file.c_str());
  for (const Origin& origin : origins) {
    std::optional<Traces> traces = explainer.traces(origin.entry.invocation);
    print_origin(origin, traces ? &*traces : nullptr, *log, options.inputs);
    if (&origin != &origins.back()) std::printf("  or:\n");
  }
  return 0;
}

}  // namespace kache
