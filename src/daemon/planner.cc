#include "daemon/planner.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/path.h"

namespace kache {
namespace {

using json = nlohmann::json;

constexpr size_t kMostCandidates = 100'000;
constexpr uint64_t kMostAnswer = 32 << 20;

// Name and version of each package of a Cargo.lock: of its lines, what stands behind `name = "` and `version = "`.
std::vector<std::pair<std::string, std::string>> locked_packages(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> packages;
  std::string name;
  auto value_of = [](std::string_view line, std::string_view key) -> std::string {
    if (!line.starts_with(key)) return {};
    line.remove_prefix(key.size());
    return std::string(line.substr(0, line.find('"')));
  };
  while (!text.empty()) {
    size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    std::string found = value_of(line, "name = \""), version = value_of(line, "version = \"");
    if (!found.empty()) name = found;
    if (!version.empty() && !name.empty()) packages.emplace_back(std::exchange(name, {}), version);
  }
  return packages;
}

std::string url_of(std::string endpoint) {
  while (endpoint.ends_with('/')) endpoint.pop_back();
  bool has_version = endpoint.ends_with("/v1") || endpoint.ends_with("/v2");
  return endpoint + (has_version ? "/prefetch-plan" : "/v2/prefetch-plan");
}

}  // namespace

Advice read_advice(std::string_view body) {
  Advice advice;
  json answer = json::parse(body, nullptr, false);
  if (!answer.is_object() || !answer.contains("disposition") || !answer["disposition"].is_string()) {
    advice.problem = "the planner's answer is none";
    return advice;
  }
  std::string disposition = answer["disposition"].get<std::string>();
  if (disposition == "do_nothing") advice.kind = Advice::do_nothing;
  auto candidates = answer.find("candidates");
  if (disposition != "execute" || candidates == answer.end() || !candidates->is_array()) return advice;
  std::vector<std::pair<uint64_t, SessionUnit>> ranked;
  for (const json& candidate : *candidates) {
    if (!candidate.is_object() || ranked.size() >= kMostCandidates) continue;
    auto text = [&](const char* field) { return candidate.contains(field) && candidate[field].is_string() ? candidate[field].get<std::string>() : std::string(); };
    auto number = [&](const char* field, uint64_t absent) {
      return candidate.contains(field) && candidate[field].is_number_unsigned() ? candidate[field].get<uint64_t>() : absent;
    };
    SessionUnit unit;
    if (!Digest::parse_hex(text("cache_key"), unit.action.digest)) continue;
    unit.crate_name = text("crate_name").substr(0, 128);
    unit.size = number("size_bytes", 0);
    unit.compile_ms = number("compile_time_ms", 0);
    ranked.emplace_back(number("demand_index", UINT64_MAX), std::move(unit));
  }
  std::stable_sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (auto& [rank, unit] : ranked) advice.units.push_back(std::move(unit));
  if (!advice.units.empty()) advice.kind = Advice::execute;
  return advice;
}

Advice ask_planner(Http& http, FileSystem& fs, Clock& clock, const Config& config, const std::string& space, const std::string& root) {
  Advice advice;
  std::string lock;
  for (std::string_view dir = root; is_absolute(dir) && lock.empty() && dir != "/"; dir = dir_name(dir)) {
    lock = read_file(fs, join_path(dir, "Cargo.lock"), 16 << 20).value_or("");
  }
  json packages = json::array();
  std::set<std::string> names;
  for (const auto& [name, version] : locked_packages(lock)) {
    packages.push_back({name, version});
    names.insert(name);
  }
  std::string body = json{{"crate_names", names}, {"namespace", space}, {"cargo_lock_deps", packages}}.dump(-1, ' ', false, json::error_handler_t::replace);
  StringSource source(body);
  StringSink sink;
  HttpRequest request;
  request.method = "POST";
  request.url = url_of(config.planner_endpoint);
  request.headers = {"Content-Type: application/json"};
  if (!config.planner_token.empty()) request.headers.push_back("Authorization: Bearer " + config.planner_token);
  request.body = &source;
  request.sink = &sink;
  Limits limits;
  limits.deadline_ns = clock.monotonic_ns() + static_cast<int64_t>(std::clamp<uint64_t>(config.planner_timeout_ms, 1, 10'000)) * 1'000'000;
  limits.max_bytes = kMostAnswer;
  Result<HttpResponse> response = http.perform(request, limits);
  if (!response.ok()) advice.problem = response.error().message;
  else if (response->status != 200) advice.problem = "the planner answers " + std::to_string(response->status);
  else advice = read_advice(sink.bytes());
  return advice;
}

}  // namespace kache
