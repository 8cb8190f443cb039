#include "remote/tiers.h"

#include <charconv>
#include <unordered_set>

#include "remote/spool.h"

namespace kache {
namespace {

constexpr size_t kMostDistrusted = 4096;

// Holds an object back until it is whole or too large for that. As long as the caller's sink has seen nothing, another tier
// can begin anew.
class Intake final : public Sink {
 public:
  Intake(Sink& sink, size_t held_bytes) : sink_(sink), held_bytes_(held_bytes) {}

  // A second copy, which may be nullptr; of what comes from now on.
  void keep_in(Spool* spool) { spool_ = spool; }

  Status write(std::string_view bytes) override {
    if (spool_) spool_->add(bytes);
    if (passes_) return sink_.write(bytes);
    if (held_.size() + bytes.size() <= held_bytes_) {
      held_ += bytes;
      return Ok{};
    }
    KACHE_TRY(flush());
    return sink_.write(bytes);
  }
  Status flush() {
    if (passes_) return Ok{};
    passes_ = true;
    Status status = held_.empty() ? Status(Ok{}) : sink_.write(held_);
    held_ = {};
    return status;
  }
  bool can_begin_anew() const { return !passes_; }
  void begin_anew() {
    held_.clear();
    if (spool_) spool_->clear();
  }

 private:
  Sink& sink_;
  Spool* spool_ = nullptr;
  const size_t held_bytes_;
  std::string held_;
  bool passes_ = false;
};

// "2:etag"
std::string with_tier(size_t tier, const std::string& version) { return std::to_string(tier) + ":" + version; }
bool split_version(std::string_view text, size_t tiers, size_t& tier, std::string& version) {
  auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), tier);
  if (failed != std::errc() || end == text.data() + text.size() || *end != ':' || tier >= tiers) return false;
  version = text.substr(static_cast<size_t>(end - text.data()) + 1);
  return true;
}

bool is_cancelled(const Limits& limits) { return limits.cancelled && limits.cancelled->load(std::memory_order_relaxed); }

}  // namespace

Tiers::Tiers(std::vector<Tier> tiers, Clock& clock, TiersSettings settings) : clock_(clock), settings_(std::move(settings)) {
  for (Tier& tier : tiers) {
    auto row = std::make_unique<Row>();
    row->remote = std::make_unique<GuardedRemote>(std::move(tier.remote), clock, settings_.guard);
    row->reads = tier.reads;
    row->writes = tier.writes;
    rows_.push_back(std::move(row));
  }
}

std::vector<TierReport> Tiers::report() const {
  std::vector<TierReport> reports;
  for (const auto& row : rows_) {
    const GuardedRemote& remote = *row->remote;
    reports.push_back({remote.description(), row->reads, row->writes, remote.reads().state(), remote.writes().state(), remote.reads().suppressed(),
                       remote.writes().suppressed(), remote.absent().suppressed(), row->fills, row->failed_fills});
  }
  return reports;
}

// One that hangs leaves half of the time to those behind it.
Limits Tiers::share_of(size_t tier, const Limits& limits) const {
  Limits share = limits;
  bool is_last = true;
  for (size_t i = tier + 1; i < rows_.size(); ++i) is_last &= !rows_[i]->reads;
  if (is_last || limits.deadline_ns == INT64_MAX) return share;
  int64_t now = clock_.monotonic_ns();
  if (limits.deadline_ns > now) share.deadline_ns = now + (limits.deadline_ns - now) / 2;
  return share;
}

Result<Fetched> Tiers::fetch(const ObjectName& name, Sink& sink, const Limits& limits, size_t first) {
  Fetched fetched;
  bool is_copied = name.kind() != ObjectKind::control;  // a lease is one of one tier
  fetched.spool = std::make_shared<Spool>(settings_.spool_dir, settings_.held_bytes);
  Intake intake(sink, settings_.held_bytes);
  Error failure{ErrorCode::not_found, 0, "no remote has " + name.text()};
  for (size_t i = 0; i < rows_.size(); ++i) {
    if (!rows_[i]->reads || i < first) {
      if (rows_[i]->reads && rows_[i]->writes) fetched.lacking.push_back(i);
      continue;
    }
    intake.keep_in(is_copied && !fetched.lacking.empty() ? fetched.spool.get() : nullptr);
    Result<std::string> version = rows_[i]->remote->get(name, intake, share_of(i, limits));
    if (version.ok()) {
      KACHE_TRY(intake.flush());
      fetched.tier = i;
      fetched.version = std::move(*version);
      if (fetched.lacking.empty() || !is_copied || !fetched.spool->is_whole()) fetched.spool.reset();
      return fetched;
    }
    if (!intake.can_begin_anew() || is_cancelled(limits)) return std::move(version).error();
    intake.begin_anew();
    if (version.code() == ErrorCode::not_found) {
      if (rows_[i]->writes) fetched.lacking.push_back(i);
    } else if (failure.code == ErrorCode::not_found) {
      failure = std::move(version).error();
    }
  }
  return failure;
}

void Tiers::fill(const ObjectName& name, const Fetched& fetched, const Limits& limits) {
  if (!fetched.spool) return;
  for (size_t i : fetched.lacking) {
    uint64_t largest = rows_[i]->remote->largest_object();
    if (largest != 0 && fetched.spool->size() > largest) continue;
    SpoolSource source(*fetched.spool);
    Status status = put_to(i, name, source, if_absent(), limits);
    if (status.ok()) ++rows_[i]->fills;
    else if (status.code() != ErrorCode::exists) ++rows_[i]->failed_fills;
  }
}

void Tiers::distrust(const ObjectName& name, size_t tier) {
  if (tier >= rows_.size()) return;
  rows_[tier]->remote->treat_as_absent(name);
  std::lock_guard lock(mutex_);
  if (distrusted_.size() >= kMostDistrusted) distrusted_.clear();
  distrusted_.insert({name.text(), tier});
}

bool Tiers::is_distrusted(const ObjectName& name, size_t tier) const {
  std::lock_guard lock(mutex_);
  return distrusted_.contains({name.text(), tier});
}

bool Tiers::is_nowhere_lacking(const ObjectName& name, uint64_t size, const Limits& limits) {
  bool is_there = false;
  for (size_t i = 0; i < rows_.size(); ++i) {
    uint64_t largest = rows_[i]->remote->largest_object();
    if (!rows_[i]->writes || (largest != 0 && size > largest)) continue;
    if (!rows_[i]->reads || is_distrusted(name, i) || !rows_[i]->remote->has(name, share_of(i, limits)).value_or(false)) return false;
    is_there = true;
  }
  return is_there;
}

// What is known to be wrong there is replaced, although it is there.
Status Tiers::put_to(size_t tier, const ObjectName& name, Source& source, const PutCondition& condition, const Limits& limits) {
  bool replaces = condition.kind == PutCondition::if_absent && is_distrusted(name, tier);
  Status status = rows_[tier]->remote->put(name, source, replaces ? PutCondition{} : condition, limits);
  if (!status.ok()) return status;
  std::lock_guard lock(mutex_);
  distrusted_.erase({name.text(), tier});
  return status;
}

std::string Tiers::description() const {
  std::string text;
  for (const auto& row : rows_) text.append(text.empty() ? "" : ", then ").append(row->remote->description());
  return text;
}

uint64_t Tiers::largest_object() const {
  uint64_t largest = 0;
  for (const auto& row : rows_) {
    if (!row->writes) continue;
    if (row->remote->largest_object() == 0) return 0;
    largest = std::max(largest, row->remote->largest_object());
  }
  return largest;
}

Result<std::string> Tiers::get(const ObjectName& name, Sink& sink, const Limits& limits) {
  Fetched fetched = KACHE_TRY(fetch(name, sink, limits));
  fill(name, fetched, limits);
  return with_tier(fetched.tier, fetched.version);
}

Status Tiers::put(const ObjectName& name, Source& source, const PutCondition& condition, const Limits& limits) {
  if (condition.kind == PutCondition::if_version) {
    size_t tier = 0;
    std::string version;
    if (!split_version(condition.version, rows_.size(), tier, version)) return Error{ErrorCode::invalid, 0, "version " + condition.version + " is of no tier"};
    if (!rows_[tier]->writes) return Error{ErrorCode::unsupported, 0, rows_[tier]->remote->description() + ": is only read"};
    return put_to(tier, name, source, {PutCondition::if_version, version}, limits);
  }
  size_t tried = 0, there = 0;
  uint64_t most = 0;
  std::optional<Error> failure;
  for (size_t i = 0; i < rows_.size() && !is_cancelled(limits); ++i) {
    uint64_t largest = rows_[i]->remote->largest_object();
    if (!rows_[i]->writes) continue;
    most = std::max(most, largest);
    if (largest != 0 && source.size() > largest) continue;
    ++tried;
    Status status = put_to(i, name, source, condition, limits);
    if (!status.ok() && status.code() == ErrorCode::exists) ++there;
    else if (!status.ok() && !failure) failure = std::move(status).error();
  }
  if (failure) return std::move(*failure);
  if (is_cancelled(limits)) return Error{ErrorCode::timed_out, 0, "not wanted any more"};
  if (tried == 0 && most != 0) return Error{ErrorCode::too_large, 0, std::to_string(source.size()) + " bytes, more than the remotes take (" + std::to_string(most) + ")"};
  if (tried == 0) return Error{ErrorCode::unsupported, 0, "all remotes are only read"};
  if (there == tried) return Error{ErrorCode::exists, 0, "all remotes have " + name.text()};
  return Ok{};
}

Result<bool> Tiers::has(const ObjectName& name, const Limits& limits) {
  std::optional<Error> failure;
  for (size_t i = 0; i < rows_.size(); ++i) {
    if (!rows_[i]->reads) continue;
    Result<bool> found = rows_[i]->remote->has(name, share_of(i, limits));
    if (found.ok() && *found) return true;
    if (!found.ok() && is_cancelled(limits)) return found;
    if (!found.ok() && !failure) failure = std::move(found).error();
  }
  if (failure) return std::move(*failure);
  return false;
}

Status Tiers::list(ObjectKind kind, const std::string& prefix, const Visit& visit, const Limits& limits) {
  std::unordered_set<std::string> seen;
  std::optional<Error> failure;
  bool visit_failed = false;
  for (const auto& row : rows_) {
    if (!row->reads) continue;
    Status status = row->remote->list(kind, prefix, [&](const ListedObject& one) -> Status {
      if (!seen.insert(one.name.text()).second) return Ok{};
      Status visited = visit(one);
      visit_failed |= !visited.ok();
      return visited;
    }, limits);
    if (!status.ok() && (visit_failed || is_cancelled(limits))) return status;
    if (!status.ok() && !failure) failure = std::move(status).error();
  }
  if (failure) return std::move(*failure);
  return Ok{};
}

Status Tiers::remove(const ObjectName& name, const Limits& limits) {
  std::optional<Error> failure;
  for (const auto& row : rows_) {
    if (!row->writes) continue;
    Status status = row->remote->remove(name, limits);
    if (!status.ok() && status.code() != ErrorCode::not_found && !failure) failure = std::move(status).error();
  }
  if (failure) return std::move(*failure);
  return Ok{};
}

}  // namespace kache
