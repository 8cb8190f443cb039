#include "index/verified.h"

#include <nlohmann/json.hpp>

#include "base/path.h"
#include "index/events.h"
#include "index/log_lines.h"

namespace kache {

bool parse_verification(const std::string& text, std::string& root, int64_t& at_ns, Verdict& verdict) {
  if (text.find("\"verification\"") == std::string::npos) return false;
  nlohmann::json line = nlohmann::json::parse(text, nullptr, false);
  auto text_of = [&](const char* name) {
    auto field = line.find(name);
    return field != line.end() && field->is_string() ? field->get<std::string>() : std::string();
  };
  if (!line.is_object() || text_of("event") != "verification" || !verdict_of_name(text_of("verdict"), verdict)) return false;
  root = text_of("root");
  at_ns = parse_time(text_of("ts"));
  return at_ns >= 0;
}

std::map<Verdict, uint64_t> count_verifications(FileSystem& fs, const std::string& path, int64_t since_ns, const std::string& root) {
  std::map<Verdict, uint64_t> counts;
  (void)each_line(fs, path, [&](const std::string& line) {
    std::string where;
    int64_t at_ns = 0;
    Verdict verdict;
    bool counts_here = parse_verification(line, where, at_ns, verdict) && at_ns >= since_ns && (root.empty() || is_below(where, root));
    if (counts_here) counts[verdict]++;
  });
  return counts;
}

}  // namespace kache
