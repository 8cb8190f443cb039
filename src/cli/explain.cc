#include "cli/explain.h"

#include <algorithm>
#include <iterator>

namespace kache {
namespace {

// How far a chain of units is followed, and how many units are asked about in all.
constexpr size_t kDeepest = 12, kMostUnits = 64;

Change::Kind kind_of(InputKind before, InputKind after) {
  if (before == InputKind::absent) return Change::new_file;
  if (after == InputKind::absent) return Change::gone_file;
  switch (after) {
    case InputKind::file: return Change::file;
    case InputKind::listing:
    case InputKind::libraries:
    case InputKind::matches: return Change::listing;
    case InputKind::link:
    case InputKind::real_path: return Change::link;
    case InputKind::program: return Change::program;
    case InputKind::times: return Change::times;
    case InputKind::presence:
    case InputKind::absent: return Change::presence;
  }
  return Change::file;
}

// Two answers about one path are about the same thing where they are of one kind, or where one says that nothing is there.
bool is_other_answer(const Input& before, const Input& after) {
  bool same_question = before.kind == after.kind || before.kind == InputKind::absent || after.kind == InputKind::absent;
  return same_question && !(before == after);
}

std::vector<Change> changed_inputs(const InputSet& before, const InputSet& after) {
  std::multimap<RootedPath, const Input*> elder;
  for (const Input& input : before.inputs) elder.emplace(input.path, &input);
  std::vector<Change> changes;
  for (const Input& input : after.inputs) {
    auto [first, last] = elder.equal_range(input.path);
    for (; first != last; ++first) {
      if (!is_other_answer(*first->second, input)) continue;
      Change change;
      change.kind = kind_of(first->second->kind, input.kind);
      change.path = input.path;
      change.digest_before = first->second->digest;
      change.digest_after = input.digest;
      changes.push_back(std::move(change));
      break;
    }
  }
  return changes;
}

void add_changed_variables(const InputSet& before, const InputSet& after, std::vector<Change>& changes) {
  std::map<std::string, const EnvInput*> elder;
  for (const EnvInput& variable : before.env) elder.emplace(variable.name, &variable);
  for (const EnvInput& variable : after.env) {
    auto place = elder.find(variable.name);
    if (place == elder.end() || *place->second == variable) continue;
    Change change;
    change.kind = Change::variable;
    change.name = variable.name;
    change.before = place->second->shown;
    change.after = variable.shown;
    change.was_set = place->second->is_set;
    change.is_set = variable.is_set;
    changes.push_back(std::move(change));
  }
}

// What one set asked and the other did not follows from an earlier difference, unless there is none.
std::vector<Change> differences(const InputSet& before, const InputSet& after) {
  std::vector<Change> changes = changed_inputs(before, after);
  add_changed_variables(before, after, changes);
  for (const Binding& binding : after.bindings) {
    bool same = std::find(before.bindings.begin(), before.bindings.end(), binding) != before.bindings.end();
    if (same || before.bindings.empty()) continue;
    Change change;
    change.kind = Change::location;
    change.name = binding.path;
    changes.push_back(std::move(change));
  }
  return changes;
}

std::vector<const KeyPart*> only_in(const std::vector<KeyPart>& a, const std::vector<KeyPart>& b) {
  std::map<std::string, int> counts;
  for (const KeyPart& part : b) counts[part.label + '\0' + part.text]++;
  std::vector<const KeyPart*> out;
  for (const KeyPart& part : a) {
    if (counts[part.label + '\0' + part.text]-- <= 0) out.push_back(&part);
  }
  return out;
}

Change flag_change(Change::Kind kind, const KeyPart& part) {
  Change change;
  change.kind = kind;
  change.name = part.label;
  if (!is_digest(part)) (kind == Change::flag_gone ? change.before : change.after) = part.text;
  return change;
}

}  // namespace

bool is_digest(const KeyPart& part) {
  constexpr std::string_view kLabels[] = {"toolchain", "salt", "cpu", "preprocessed", "messages of the preprocessor"};
  bool listed = std::find(std::begin(kLabels), std::end(kLabels), part.label) != std::end(kLabels);
  return listed || part.label.starts_with("env ") || part.label.starts_with("program ");
}

std::optional<Entry> Explainer::entry(const ActionKey& action) const {
  Result<std::string> bytes = read_file(fs_, layout_.entry(action), kMaxEntrySize);
  if (!bytes.ok()) return std::nullopt;
  Result<Entry> entry = decode_entry(*bytes, action);
  if (!entry.ok()) return std::nullopt;
  return std::move(entry).value();
}

std::optional<Traces> Explainer::traces(const InvocationKey& key) const {
  Result<std::string> bytes = read_file(fs_, layout_.trace(key), kMaxTracesSize);
  if (!bytes.ok()) return std::nullopt;
  Result<Traces> traces = decode_traces(*bytes, key);
  if (!traces.ok()) return std::nullopt;
  return std::move(traces).value();
}

Explanation Explainer::explain(const ActionKey& action) {
  Explanation explanation;
  explanation.action = action;
  std::optional<Entry> found = entry(action);
  if (!found) return explanation;
  explanation.unit = found->crate_name;
  explanation.profile = found->profile;
  explanation.target = found->target;
  explanation.crate_types = found->crate_types;
  std::optional<Traces> known = traces(found->invocation);
  if (!known) return explanation;
  for (size_t i = 0; i < known->candidates.size(); ++i) {
    if (known->candidates[i].action != action) continue;
    if (i + 1 < known->candidates.size()) compare_inputs(*known, i, explanation);
    else compare_commands(*found, *known, explanation);
    break;
  }
  return explanation;
}

// Candidates stand newest first, so the elder ones are behind. The nearest is the one with the fewest differences; of equals
// the newest.
void Explainer::compare_inputs(const Traces& traces, size_t own, Explanation& explanation) const {
  explanation.standing = Standing::inputs_differ;
  InputSet set = traces.set_of(traces.candidates[own]);
  size_t fewest = SIZE_MAX;
  for (size_t i = own + 1; i < traces.candidates.size(); ++i) {
    std::vector<Change> changes = differences(traces.set_of(traces.candidates[i]), set);
    if (changes.size() >= fewest) continue;
    fewest = changes.size();
    explanation.nearest = traces.candidates[i].action;
    explanation.changes = std::move(changes);
  }
}

void Explainer::compare_commands(const Entry& entry, const Traces& own, Explanation& explanation) const {
  explanation.standing = Standing::first;
  Result<std::vector<InvocationKey>> keys = index_.invocations_of(entry.crate_name);
  if (!keys.ok()) return;
  std::optional<Traces> nearest;
  size_t fewest = SIZE_MAX;
  for (const InvocationKey& key : *keys) {
    if (key == entry.invocation) continue;
    std::optional<Traces> other = traces(key);
    if (!other || other->candidates.empty()) continue;
    // What was stored later is no answer to why this one missed.
    std::optional<Entry> eldest = this->entry(other->candidates.back().action);
    if (eldest && eldest->created_ns > entry.created_ns) continue;
    size_t distance = only_in(own.parts, other->parts).size() + only_in(other->parts, own.parts).size();
    if (distance >= fewest) continue;
    fewest = distance;
    nearest = std::move(other);
  }
  if (!nearest) return;
  explanation.standing = Standing::command_differs;
  explanation.nearest = nearest->candidates.front().action;
  std::vector<const KeyPart*> gone = only_in(nearest->parts, own.parts);
  for (const KeyPart* part : only_in(own.parts, nearest->parts)) {
    // Of what has one value, or whose value tells nothing: the value is another one.
    bool has_one = part->label != "argv" && part->label != "remap" && part->label != "allowed" && part->label != "nested";
    auto elder = std::find_if(gone.begin(), gone.end(), [&](const KeyPart* other) { return has_one && other->label == part->label; });
    Change change = flag_change(elder == gone.end() ? Change::flag_new : Change::flag_changed, *part);
    if (elder != gone.end()) {
      if (!is_digest(**elder)) change.before = (*elder)->text;
      gone.erase(elder);
    }
    explanation.changes.push_back(std::move(change));
  }
  for (const KeyPart* part : gone) explanation.changes.push_back(flag_change(Change::flag_gone, *part));
}

std::vector<RootCause> Explainer::causes(const Explanation& explanation) {
  std::vector<RootCause> found;
  std::vector<std::string> via = {explanation.unit};
  std::set<Digest> seen = {explanation.action.digest};
  follow(explanation, via, seen, found);
  return found;
}

void Explainer::follow(const Explanation& from, std::vector<std::string>& via, std::set<Digest>& seen, std::vector<RootCause>& found) {
  if (via.size() > kDeepest) return;
  for (const Change& change : from.changes) {
    if (change.kind != Change::file || seen.size() > kMostUnits) continue;
    Result<std::vector<ActionKey>> makers = index_.makers_of({change.digest_after});
    if (!makers.ok()) continue;
    for (const ActionKey& maker : *makers) {
      if (!seen.insert(maker.digest).second) continue;
      Explanation explanation = explain(maker);
      via.push_back(explanation.unit);
      size_t before = found.size();
      follow(explanation, via, seen, found);
      if (found.size() == before) found.push_back({std::move(explanation), via});
      via.pop_back();
    }
  }
}

}  // namespace kache
