#include <algorithm>

#include "cli/report.h"
#include "index/causes.h"

namespace kache {
namespace {

// Text that nobody here chose, in a cell or a line: it must not end the cell, and not be a tag, a link or an emphasis.
std::string cell(const std::string& text) {
  std::string out;
  for (char c : text) {
    if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '&')
      out += "&amp;";
    else if (c == '|' || c == '*' || c == '`' || c == '[' || c == ']' || c == '\\')
      out += {'\\', c};
    else
      out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out;
}

// One of ours, with commands in backticks.
std::string sentence(const std::string& text) {
  std::string out = cell(text);
  for (size_t at = 0; (at = out.find("\\`", at)) != out.npos; ++at) out.erase(at, 1);
  return out;
}

using Cells = std::vector<std::string>;

// Every cell but those of `head` must have gone through cell() where it is not a number.
class Table {
 public:
  explicit Table(const Cells& head) {
    add(head);
    add(Cells(head.size(), "---"));
    if (std::all_of(head.begin(), head.end(), [](const std::string& name) { return name.empty(); }))
      text_ = "| | |\n|---|---|\n";
  }
  void add(const Cells& cells) {
    text_ += "|";
    for (const std::string& one : cells) text_ += " " + one + " |";
    text_ += "\n";
    rows_++;
  }
  bool is_empty() const { return rows_ <= 2; }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  size_t rows_ = 0;
};

std::string number(uint64_t n) { return std::to_string(n); }

constexpr size_t kMostRows = 10;

std::string units_of(const CauseCost& cost) {
  constexpr size_t kMost = 3;
  std::string text;
  for (size_t i = 0; i < cost.units.size() && i < kMost; ++i) text += (i ? ", " : "") + cell(cost.units[i]);
  return cost.units.size() > kMost ? text + ", +" + number(cost.units.size() - kMost) : text;
}

Table causes_table(const std::vector<BuildEvent>& events, size_t top) {
  Table table({"Why", "What", "Count", "Time", "Units"});
  std::vector<CauseCost> causes = causes_of(events);
  for (size_t i = 0; i < causes.size() && i < top; ++i) {
    const CauseCost& cost = causes[i];
    table.add({cost.cause.why, cell(cost.cause.what), number(cost.count), human_ms(cost.ms), units_of(cost)});
  }
  return table;
}

Table misses_table(const ReportInput& input, size_t top) {
  Table table({"Crate", "Compile time", "Size", "Key", "Why"});
  for (const BuildEvent& event : dearest(input.chosen.events, top, false)) {
    table.add({cell(event.crate_name), human_ms(event.compile_time_ms), human_size(event.size),
               cell(event.cache_key.substr(0, 12)), cell(why_of(event))});
  }
  return table;
}

Table hits_table(const ReportInput& input, size_t top) {
  Table table({"Crate", "Compile time avoided", "Size", "Key"});
  for (const BuildEvent& event : dearest(input.chosen.events, top, true)) {
    table.add({cell(event.crate_name), human_ms(event.compile_time_ms), human_size(event.size),
               cell(event.cache_key.substr(0, 12))});
  }
  return table;
}

Table bypass_table(const std::vector<BuildEvent>& events) {
  Table table({"Result", "Route", "Reason", "Count", "Failures", "Max time"});
  for (const Reason& reason : bypass_reasons(events)) {
    table.add({cell(reason.result), cell(reason.route), cell(reason.text), number(reason.count),
               number(reason.failures), human_ms(reason.longest_ms)});
  }
  return table;
}

Table errors_table(const std::vector<BuildEvent>& events) {
  Table table({"Crate", "Time", "Exit"});
  size_t count = 0;
  for (auto event = events.rbegin(); event != events.rend() && count < kMostRows; ++event) {
    if (!event->is_error()) continue;
    table.add({cell(event->crate_name), cell(event->ts.substr(0, 19)), std::to_string(event->exit_code)});
    ++count;
  }
  return table;
}

Table timing_table(const Summary& sum) {
  Table table({"Phase", "Aggregate time", "% of tracked wrapper time"});
  struct Row {
    const char* name;
    uint64_t ms;
  };
  const Row rows[] = {{"Key", sum.key_ms},
                      {"Lookup", sum.lookup_ms},
                      {"Compile", sum.spent_ms},
                      {"Restore", sum.restore_ms},
                      {"Store", sum.store_ms}};
  for (const Row& row : rows) table.add({row.name, human_ms(row.ms), percent(row.ms, sum.elapsed_ms) + "%"});
  return table;
}

Table transfer_table(const std::vector<Transfer>& transfers) {
  Table table({"Direction", "Done", "Failed", "Bytes", "Avg time"});
  TransferSums sums = summarise(transfers);
  if (sums.is_empty()) return table;
  auto add = [&](const char* name, const TransferSums::OneWay& way) {
    table.add({name, number(way.ok), number(way.failed), human_size(way.bytes), way.ok ? human_ms(way.elapsed_ms / way.ok) : "-"});
  };
  add("Downloaded", sums.down);
  add("Uploaded", sums.up);
  return table;
}

Table storage_table(const Summary& sum) {
  Table table({"Bytes", "Amount"});
  table.add({"Restored", human_size(sum.restored_bytes())});
  table.add({"Restored without a copy", percent(sum.restored_bytes() - sum.copied_bytes, sum.restored_bytes()) + "%"});
  table.add({"Stored", human_size(sum.stored_bytes)});
  table.add({"Of these new", human_size(sum.new_bytes())});
  return table;
}

// Label and value; the labels of `github` are matched by programs.
std::vector<std::pair<std::string, std::string>> facts(const ReportInput& input) {
  const Summary& sum = input.sum;
  uint64_t known = sum.saved_ms + sum.spent_ms;
  std::vector<std::pair<std::string, std::string>> rows = {
      {"Window", cell(input.chosen.label)},
      {"Crates",
       number(sum.hits()) + " cached / " + number(sum.compiled()) + " compiled / " + number(sum.total()) + " total"}};
  if (sum.dups) rows.push_back({"Dups", number(sum.dups) + " compiled by another process meanwhile"});
  rows.push_back({"Hit rate", percent(sum.hits(), sum.total()) + "% count" +
                                  (known ? " / " + percent(sum.saved_ms, known) + "% by compile cost" : "")});
  rows.push_back({"Compile work avoided", human_ms(sum.saved_ms) + " aggregate"});
  if (sum.hits()) {
    rows.push_back({"Cache hit overhead", human_ms(sum.hit_elapsed_ms) + " aggregate, avg " +
                                              human_ms(sum.hit_elapsed_ms / sum.hits()) + "/hit"});
  }
  rows.push_back({"Miss compile work", human_ms(sum.spent_ms) + " aggregate"});
  if (sum.store_failures)
    rows.push_back({"Compiled but not cached", number(sum.store_failures) + " (will miss again next build)"});
  if (sum.errors) rows.push_back({"Errors", number(sum.errors) + " (failed compiles)"});
  if (sum.faults) rows.push_back({"Faults", number(sum.faults) + " (results that could not be stored or used)"});
  rows.push_back({"Passthroughs / skipped", number(sum.passthroughs) + " passthroughs (" + number(sum.fallbacks) +
                                                " via fallback) / " + number(sum.skipped) + " skipped / " +
                                                number(sum.probes) + " probes"});
  return rows;
}

std::string headline(const Summary& sum) {
  return "**" + percent(sum.hits(), sum.total()) + "%** hit rate - " + number(sum.hits()) + "/" + number(sum.total()) +
         " cacheable crates from cache, " + number(sum.compiled()) + " compiled | **" + human_ms(sum.saved_ms) +
         " compile work avoided**\n";
}

std::string section(const char* title, const Table& table) {
  return table.is_empty() ? "" : std::string("\n#### ") + title + "\n\n" + table.text();
}

std::string details(const std::string& title, const std::string& count, const Table& table) {
  if (table.is_empty()) return "";
  return "\n<details><summary><strong>" + title + "</strong>" + (count.empty() ? "" : " (" + count + ")") +
         "</summary>\n\n" + table.text() + "\n</details>\n";
}

}  // namespace

std::string report_markdown(const ReportInput& input) {
  const std::vector<BuildEvent>& events = input.chosen.events;
  std::string out = "### kache build report\n\n" + headline(input.sum);
  Table table({"Metric", "Value"});
  for (const auto& [label, value] : facts(input)) table.add({label, value});
  out += section("Summary", table);
  out += section("Timing", timing_table(input.sum));
  out += section("Remote transfer", transfer_table(input.transfers));
  if (input.sum.restored_bytes() + input.sum.stored_bytes > 0) out += section("Storage", storage_table(input.sum));
  out += section("Causes", causes_table(events, input.options.top));
  out += section("Passthroughs & Skips", bypass_table(events));
  out += section("Errors", errors_table(events));
  out += section("Top Compiled Cache-Key Misses", misses_table(input, input.options.top));
  out += section("Top Cache Hits", hits_table(input, input.options.top));
  std::vector<std::string> advice = suggestions(events, input.sum);
  if (!advice.empty()) out += "\n#### Suggestions\n\n";
  for (const std::string& text : advice) out += "- " + sentence(text) + "\n";
  return out;
}

std::string report_github(const ReportInput& input) {
  const std::vector<BuildEvent>& events = input.chosen.events;
  const Summary& sum = input.sum;
  size_t top = std::min(input.options.top, kMostRows);
  std::string out = "### kache build cache\n\n" + headline(sum) + "\n";
  Table table({"", ""});
  for (const auto& [label, value] : facts(input)) table.add({"**" + label + "**", value});
  out += table.text();
  for (const std::string& text : suggestions(events, sum)) out += "\n> " + sentence(text) + "\n";
  out += details("Top compiled cache-key misses", number(sum.compiled()) + " compiled", misses_table(input, top));
  out += details("Causes", "", causes_table(events, top));
  out += details("Expensive cache hits", number(sum.hits()) + " hits", hits_table(input, top));
  out += details("Passthroughs & skips", number(sum.passthroughs + sum.skipped), bypass_table(events));
  out += details("Errors", number(sum.errors), errors_table(events));
  out += details("Remote transfer", "", transfer_table(input.transfers));
  if (sum.restored_bytes() + sum.stored_bytes > 0) out += details("Storage", "", storage_table(sum));
  if (sum.total() > 0) out += details("Timing & Prefetch", "", timing_table(sum));
  return out + "\n*kache " KACHE_VERSION ", " + cell(input.chosen.label) + "*\n";
}

}  // namespace kache
