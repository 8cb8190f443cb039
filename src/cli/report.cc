#include "cli/report.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <iterator>
#include <map>

#include "base/path.h"

namespace kache {

std::string route(const BuildEvent& event) {
  if (event.result == "skipped") return "skipped";
  if (event.result != "passthrough") return "n/a";
  return event.fallback ? "fallback" : "direct";
}

std::vector<Reason> bypass_reasons(const std::vector<BuildEvent>& events) {
  std::map<std::string, Reason> reasons;
  for (const BuildEvent& event : events) {
    if (event.passthrough_reason.empty()) continue;
    std::string text = event.passthrough_reason;
    Reason& reason = reasons[event.result + route(event) + text.substr(0, text.find(": "))];
    reason.result = event.result;
    reason.route = route(event);
    reason.text = text.substr(0, text.find(": "));
    reason.count++;
    reason.failures += event.exit_code != 0;
    reason.longest_ms = std::max(reason.longest_ms, event.elapsed_ms);
  }
  std::vector<Reason> list;
  for (auto& [key, reason] : reasons) list.push_back(std::move(reason));
  std::sort(list.begin(), list.end(), [](const Reason& a, const Reason& b) { return a.count > b.count; });
  return list;
}

std::vector<const BuildEvent*> slowest_bypassed(const std::vector<BuildEvent>& events, size_t top) {
  std::vector<const BuildEvent*> picked;
  for (const BuildEvent& event : events) {
    if (!event.is_probe() && (event.result == "passthrough" || event.result == "skipped")) picked.push_back(&event);
  }
  std::stable_sort(picked.begin(), picked.end(),
                   [](const BuildEvent* a, const BuildEvent* b) { return a->elapsed_ms > b->elapsed_ms; });
  if (picked.size() > top) picked.resize(top);
  return picked;
}

std::vector<BuildEvent> dearest(const std::vector<BuildEvent>& events, size_t top, bool hits) {
  std::vector<BuildEvent> picked;
  for (const BuildEvent& event : events) {
    if (!event.is_probe() && (hits ? event.is_hit() : event.is_compiled())) picked.push_back(event);
  }
  std::stable_sort(picked.begin(), picked.end(), [](const BuildEvent& a, const BuildEvent& b) {
    return a.compile_time_ms > b.compile_time_ms;
  });
  if (picked.size() > top) picked.resize(top);
  return picked;
}

std::vector<std::string> suggestions(const std::vector<BuildEvent>& events, const Summary& sum) {
  std::vector<std::string> out;
  auto failed = std::find_if(events.begin(), events.end(),
                             [](const BuildEvent& event) { return !event.store_error.empty(); });
  if (failed != events.end()) {
    out.push_back(failed->crate_name + " was compiled and could not be stored: " + failed->store_error);
  }
  if (sum.total() == 0) out.push_back("nothing was recorded in this window; does the build go through kache? See `kache doctor`");
  if (sum.misses > 3 && sum.spent_ms > 4 * sum.saved_ms) {
    out.push_back("most of the compile time was spent on misses; `kache why-miss NAME` (a crate, or a source file of C) names what changed");
  }
  return out;
}

std::vector<Slot> lanes_of(const std::vector<BuildEvent>& events) {
  std::vector<Slot> slots;
  for (const BuildEvent& event : events) slots.push_back({&event, 0});
  std::stable_sort(slots.begin(), slots.end(),
                   [](const Slot& a, const Slot& b) { return a.event->start_ns() < b.event->start_ns(); });
  std::vector<int64_t> free_at;
  for (Slot& slot : slots) {
    while (slot.lane < free_at.size() && free_at[slot.lane] > slot.event->start_ns()) ++slot.lane;
    if (slot.lane == free_at.size()) free_at.push_back(0);
    free_at[slot.lane] = slot.event->end_ns;
  }
  return slots;
}

uint64_t overhead_ms(const BuildEvent& event) {
  if (event.is_hit()) return event.elapsed_ms;
  return event.elapsed_ms > event.compile_time_ms ? event.elapsed_ms - event.compile_time_ms : 0;
}

namespace {

struct FormatRow {
  std::string_view name;
  std::string (*make)(const ReportInput& input);
};
constexpr FormatRow kFormats[] = {
    {"text", report_text},      {"json", report_json},          {"markdown", report_markdown}, {"md", report_markdown},
    {"github", report_github},  {"gh", report_github},          {"html", report_html},         {"trace", report_trace},
    {"perfetto", report_trace}, {"chrome-trace", report_trace},
};

Status write_report(const CommandContext& context, const std::string& output, const std::string& text) {
  if (output.empty()) return std::fwrite(text.data(), 1, text.size(), stdout), Ok{};  // main says when that failed
  KACHE_TRY(replace_file(context.fs, absolute_path(context.cwd, output), text, 0666));
  std::fprintf(stderr, "Report written to %s\n", output.c_str());
  return Ok{};
}

// None where only one tree is asked for: no transfer says of which it is.
std::vector<Transfer> transfers_of(const CommandContext& context, const ReportOptions& options, const ChosenEvents& chosen) {
  if (!options.root.empty()) return {};
  int64_t now = context.clock.wall_ns(), until = chosen.build ? chosen.build->end_ns : INT64_MAX;
  Result<std::vector<Transfer>> found = read_transfers(context.fs, context.layout.root() + "/transfers.jsonl", now - chosen.span_ns, until);
  return found.ok() ? std::move(found).value() : std::vector<Transfer>();
}

bool parse_percent(const std::string& text, double& value) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && value >= 0 && value <= 100;
}

}  // namespace

std::vector<std::string> report_formats() {
  std::vector<std::string> names;
  for (const FormatRow& row : kFormats) names.emplace_back(row.name);
  return names;
}

int run_report(const CommandContext& context, const ReportOptions& options) {
  auto format = std::find_if(std::begin(kFormats), std::end(kFormats), [&](const FormatRow& row) { return row.name == options.format; });
  double least = 0;
  if (!options.fail_under.empty() && !parse_percent(options.fail_under, least)) {
    return fail("--fail-under " + options.fail_under + ": write a percentage, 0 to 100"), 2;
  }
  Result<ChosenEvents> chosen = choose_events(context, options);
  if (!chosen.ok()) return fail_choice(chosen.error());
  if (format->make == report_html) {
    Status added = add_history(context, options, *chosen);
    if (!added.ok()) return fail(added.error().message);
  }
  ReportOptions shown = options;
  if (options.redact) redact(context, shown, *chosen);
  ReportInput input{context, shown, *chosen, summarise(chosen->events), transfers_of(context, options, *chosen)};
  Status written = write_report(context, options.output, format->make(input));
  if (!written.ok()) return fail(written.error().message);
  if (options.fail_under.empty() || input.sum.total() == 0) return 0;
  double rate = 100.0 * static_cast<double>(input.sum.hits()) / static_cast<double>(input.sum.total());
  if (rate >= least) return 0;
  std::fprintf(stderr, "kache: the hit rate is %s%%, below --fail-under %s\n", percent(input.sum.hits(), input.sum.total()).c_str(),
               options.fail_under.c_str());
  return 3;
}

}  // namespace kache
