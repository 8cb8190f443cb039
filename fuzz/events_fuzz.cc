// Any text as an event log, and as what the kernel says of a process: every form of a report of it, and no event lost between
// the builds.
#include <cstdlib>
#include <string_view>

#include "base/process_info.h"
#include "cli/report.h"
#include "index/compare.h"
#include "tests/support/mem_file_system.h"

using namespace kache;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  (void)parse_proc_stat(bytes);

  ManualClock clock;
  MemFileSystem fs(clock);
  (void)fs.make_dir("/cache", 0700);
  (void)fs.create("/cache/events.jsonl", bytes, 0600);
  CommandContext context{fs, clock, Env(std::vector<std::string>{"HOME=/h"}), "/", "/kache", "/kache-tool", Config{}, StoreLayout("/cache")};

  Result<std::vector<BuildEvent>> events = read_events(fs, "/cache/events.jsonl", 0);
  Result<std::vector<PastBuild>> builds = all_builds(context, "");
  if (!events.ok() || !builds.ok()) std::abort();
  size_t units = 0;
  for (const BuildEvent& event : *events) units += event.is_probe() ? 0 : 1;
  for (const PastBuild& build : *builds) {
    units -= build.units();
    (void)compare_builds(build, builds->front());
  }
  if (units != 0) std::abort();
  if (builds->empty()) return 0;

  ReportOptions options;
  options.last_build = true;
  Result<ChosenEvents> chosen = choose_events(context, options);
  if (!chosen.ok() || !add_history(context, options, *chosen).ok()) std::abort();
  if (size % 2) redact(context, options, *chosen);
  ReportInput input{context, options, *chosen, summarise(chosen->events)};
  for (auto* form : {report_text, report_json, report_markdown, report_github, report_trace, report_html}) (void)form(input);
  return 0;
}
