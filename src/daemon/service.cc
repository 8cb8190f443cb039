#include "daemon/service.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "daemon/transfer_log.h"

namespace kache {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kBrokenNs = 30 * kSecond;  // how long settings that can not be used are not looked at again
constexpr size_t kMostSetups = 64;

}  // namespace

Service::Service(FileSystem& fs, Clock& clock, const StoreLayout& layout, Log& log, Opener open, size_t threads)
    : fs_(fs), clock_(clock), layout_(layout), boot_(read_boot_id(fs)), log_(log), open_(std::move(open)),
      last_active_ns_(clock.monotonic_ns()), random_(static_cast<uint64_t>(clock.wall_ns())), jobs_(clock, threads) {}

Service::~Service() = default;

Result<std::shared_ptr<RemoteSetup>> Service::setup_of(const RemoteSettings& settings) {
  Digest name = fingerprint(settings);
  std::lock_guard lock(mutex_);
  auto known = setups_.find(name);
  if (known != setups_.end()) return known->second;
  auto broken = broken_.find(name);
  if (broken != broken_.end() && clock_.monotonic_ns() - broken->second.second < kBrokenNs) {
    return Error{ErrorCode::invalid, 0, broken->second.first};
  }
  Result<std::shared_ptr<RemoteSetup>> setup = open_(settings);
  if (!setup.ok()) {
    log_.warn("remote settings: " + setup.error().message);
    if (broken_.size() >= kMostSetups) broken_.clear();
    broken_[name] = {setup.error().message, clock_.monotonic_ns()};
    return setup;
  }
  if (setups_.size() >= kMostSetups) setups_.erase(setups_.begin());
  setups_[name] = *setup;
  log_.info("remote: " + (*setup)->description);
  return setup;
}

bool Service::is_busy() const { return jobs_.running() > 0 || jobs_.waiting() > 0; }

uint64_t Service::pending_uploads() const {
  std::lock_guard lock(mutex_);
  return uploads_.size();
}

void Service::note_transfer(const char* direction, const std::string& key, const Moved& moved, int64_t started_ns, bool ok) {
  append_transfer(fs_, layout_, {direction, key, moved, clock_.wall_ns(), (clock_.monotonic_ns() - started_ns) / 1'000'000, ok});
}

nlohmann::ordered_json Service::status() const {
  nlohmann::ordered_json json;
  json["pending_uploads"] = pending_uploads();
  json["active_downloads"] = counts_.active_downloads.load();
  json["active_uploads"] = counts_.active_uploads.load();
  json["s3_concurrency_total"] = jobs_.threads();
  json["s3_concurrency_used"] = jobs_.running();
  json["uploads_completed"] = counts_.uploads_completed.load();
  json["uploads_failed"] = counts_.uploads_failed.load();
  json["uploads_skipped"] = counts_.uploads_skipped.load();
  json["uploads_suppressed"] = counts_.uploads_suppressed.load();
  json["downloads_completed"] = counts_.downloads_completed.load();
  json["downloads_failed"] = counts_.downloads_failed.load();
  json["downloads_suppressed"] = counts_.downloads_suppressed.load();
  json["remote_checks"] = counts_.fetches.load();
  json["remote_checks_joined"] = counts_.joined.load();
  json["remote_checks_absent"] = counts_.absent.load();
  json["remote_requests"] = counts_.requests.load();
  json["bytes_uploaded"] = counts_.bytes_uploaded.load();
  json["bytes_downloaded"] = counts_.bytes_downloaded.load();
  json["prefetch"] = {{"plans", counts_.prefetch_plans.load()},
                      {"last_plan_candidates", counts_.prefetch_candidates.load()},
                      {"downloads_completed", counts_.prefetch_completed.load()},
                      {"bytes_downloaded", counts_.prefetch_bytes.load()},
                      {"keys_cancelled", counts_.prefetch_cancelled.load()},
                      {"keys_over_budget", counts_.prefetch_over_budget.load()},
                      {"sessions_saved", counts_.sessions_saved.load()}};
  nlohmann::ordered_json remotes = nlohmann::ordered_json::array();
  bool is_degraded = false;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [name, setup] : setups_) {
      for (const TierReport& tier : setup->remote->report()) {
        bool reads_shut = tier.read_state != CircuitBreaker::State::closed, writes_shut = tier.write_state != CircuitBreaker::State::closed;
        is_degraded = is_degraded || reads_shut || writes_shut;
        remotes.push_back({{"description", tier.description}, {"reads", tier.reads}, {"writes", tier.writes},
                           {"reads_suspended", reads_shut}, {"writes_suspended", writes_shut},
                           {"suppressed_reads", tier.suppressed_reads}, {"suppressed_writes", tier.suppressed_writes},
                           {"negative_hits", tier.suppressed_misses}, {"fills", tier.fills}, {"failed_fills", tier.failed_fills}});
      }
    }
    for (const auto& [name, problem] : broken_) remotes.push_back({{"error", problem.first}});
  }
  json["remote_degraded"] = is_degraded;
  json["remotes"] = std::move(remotes);
  return json;
}

}  // namespace kache
