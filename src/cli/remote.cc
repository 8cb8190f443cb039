#include <algorithm>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/json.h"
#include "cli/remote_common.h"
#include "index/events.h"
#include "remote/probe.h"
#include "remote/remote_gc.h"

namespace kache {
namespace {

using json = nlohmann::ordered_json;

struct KindName {
  ObjectKind kind;
  const char* name;
};
constexpr KindName kKinds[] = {{ObjectKind::record, "records"}, {ObjectKind::traces, "traces"}, {ObjectKind::blob, "blobs"},
                               {ObjectKind::session, "sessions"}, {ObjectKind::pack, "packs"}, {ObjectKind::control, "control"}};

constexpr int64_t kProbeNs = int64_t{30} * 1'000'000'000;

Limits listing_limits(const CommandContext& context) {
  Limits limits;
  limits.deadline_ns = context.clock.monotonic_ns() + int64_t{600} * 1'000'000'000;
  return limits;
}

std::string time_of(int64_t ns) { return ns == 0 ? "-" : format_time(ns).substr(0, 19); }

json json_of(const std::string& description, const ProbeReport& report) {
  json row = {{"description", description}};
  for (const ProbeStep& step : report.steps) {
    row[step.what] = step.problem.empty() ? "ok" : step.problem;
    row[std::string(step.what) + "_ms"] = step.took_ms;
  }
  return row;
}

}  // namespace

int run_remote_check(const CommandContext& context, const RemoteOptions& options) {
  Result<std::shared_ptr<RemoteSetup>> setup = open_remotes(context);
  if (!setup.ok()) return fail(setup.error().message), 2;
  bool is_good = true;
  json remotes = json::array();
  for (size_t i = 0; i < (*setup)->remote->size(); ++i) {
    Tiers& tiers = *(*setup)->remote;
    ProbeReport report = probe_remote(tiers.tier(i), context.clock, tiers.reads(i), tiers.writes(i), kProbeNs);
    is_good = is_good && report.is_good();
    remotes.push_back(json_of(tiers.tier(i).description(), report));
  }
  const Trust& trust = (*setup)->exchange.trust;
  if (options.json) {
    std::puts(to_text({{"schema_version", 1}, {"command", "remote check"}, {"ok", is_good}, {"remotes", remotes},
                       {"signs", (*setup)->signer.has_value()}, {"requires_signature", trust.requires_signature}}).c_str());
    return is_good ? 0 : 1;
  }
  for (const json& remote : remotes) {
    std::printf("%s\n", printable(remote["description"].get<std::string>()).c_str());
    for (const char* what : {"put", "get", "delete"}) {
      if (remote.contains(what)) {
        std::printf("  %-7s %s (%s ms)\n", what, printable(remote[what].get<std::string>()).c_str(), remote[std::string(what) + "_ms"].dump().c_str());
      }
    }
  }
  std::printf("Signatures: results are %ssigned, and %s\n", (*setup)->signer ? "" : "not ",
              trust.requires_signature ? "only those of trusted keys are taken" : "anybody's are taken");
  return is_good ? 0 : 1;
}

int run_remote_stats(const CommandContext& context, const RemoteOptions& options) {
  Result<std::shared_ptr<RemoteSetup>> setup = open_remotes(context);
  if (!setup.ok()) return fail(setup.error().message), 2;
  json kinds = json::object();
  uint64_t all = 0;
  for (const KindName& kind : kKinds) {
    uint64_t count = 0, bytes = 0;
    Status listed = (*setup)->remote->list(kind.kind, kind_prefix(kind.kind), [&](const ListedObject& object) -> Status {
      count++;
      bytes += object.size;
      return Ok{};
    }, listing_limits(context));
    if (!listed.ok()) return fail(listed.error().message);
    kinds[kind.name] = {{"objects", count}, {"bytes", bytes}};
    all += bytes;
  }
  if (options.json) {
    std::puts(to_text({{"schema_version", 1}, {"command", "remote stats"}, {"remote", (*setup)->description}, {"kinds", kinds}, {"bytes", all}}).c_str());
    return 0;
  }
  std::printf("%s\n", printable((*setup)->description).c_str());
  for (const auto& [name, kind] : kinds.items()) {
    std::printf("  %-9s %8s objects %12s\n", name.c_str(), kind["objects"].dump().c_str(), human_size(kind["bytes"].get<uint64_t>()).c_str());
  }
  std::printf("  %-9s %8s         %12s\n", "all", "", human_size(all).c_str());
  return 0;
}

int run_remote_ls(const CommandContext& context, const RemoteOptions& options) {
  Result<std::shared_ptr<RemoteSetup>> setup = open_remotes(context);
  if (!setup.ok()) return fail(setup.error().message), 2;
  auto kind = std::find_if(std::begin(kKinds), std::end(kKinds), [&](const KindName& one) { return one.name == options.kind; });
  json rows = json::array();
  Status listed = (*setup)->remote->list(kind->kind, kind_prefix(kind->kind), [&](const ListedObject& object) -> Status {
    if (options.json) rows.push_back({{"name", object.name.text()}, {"size", object.size}, {"modified", object.modified_ns == 0 ? json(nullptr) : json(rfc3339(object.modified_ns))}});
    else std::printf("%10s  %-19s  %s\n", human_size(object.size).c_str(), time_of(object.modified_ns).c_str(), object.name.text().c_str());
    return Ok{};
  }, listing_limits(context));
  if (!listed.ok()) return fail(listed.error().message);
  if (options.json) std::puts(to_text({{"schema_version", 1}, {"command", "remote ls"}, {"kind", options.kind}, {"objects", rows}}).c_str());
  return 0;
}

int run_remote_gc(const CommandContext& context, const RemoteOptions& options) {
  Result<std::shared_ptr<RemoteSetup>> setup = open_remotes(context);
  if (!setup.ok()) return fail(setup.error().message), 2;
  Result<int64_t> keep = parse_duration(options.max_age), grace = parse_duration(options.grace);
  if (!keep.ok() || !grace.ok()) return fail("--max-age and --grace take spans like 24h, 30d"), 2;
  RemoteGcLimits limits{*keep, *grace, options.dry_run};
  bool is_good = true;
  json rows = json::array();
  for (size_t i = 0; i < (*setup)->remote->size(); ++i) {
    Tiers& tiers = *(*setup)->remote;
    if (!tiers.writes(i)) continue;
    Result<RemoteGcReport> report = collect_remote(tiers.tier(i), context.clock, limits);
    std::string name = printable(tiers.tier(i).description());
    if (!report.ok()) {
      is_good = false;
      fail(name + ": " + report.error().message);
      continue;
    }
    rows.push_back({{"remote", name}, {"records", report->records}, {"traces", report->traces}, {"blobs", report->blobs},
                    {"sessions", report->sessions}, {"packs", report->packs}, {"bytes", report->bytes}, {"kept_records", report->kept_records}});
    if (options.json) continue;
    auto count = [](uint64_t value) { return static_cast<unsigned long long>(value); };
    std::printf("%s: %s %llu results, %llu input sets, %llu blobs, %llu sessions and %llu packs (%s); %llu results stay\n", name.c_str(),
                options.dry_run ? "would remove" : "removed", count(report->records), count(report->traces), count(report->blobs), count(report->sessions),
                count(report->packs), human_size(report->bytes).c_str(), count(report->kept_records));
  }
  if (options.json) std::puts(to_text({{"schema_version", 1}, {"command", "remote gc"}, {"dry_run", options.dry_run}, {"remotes", rows}}).c_str());
  return is_good ? 0 : 1;
}

}  // namespace kache
