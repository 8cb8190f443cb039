#include <algorithm>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/path.h"
#include "cli/cargo_members.h"
#include "cli/choice.h"
#include "cli/json.h"
#include "cli/remote_common.h"
#include "index/store_index.h"

namespace kache {
namespace {

// What a sync is about, before anything is moved.
struct SyncPlan {
  FetchPlan pull;
  std::vector<SessionUnit> push;
};

SessionUnit unit_of(const ActionKey& key, std::string crate_name = {}, uint64_t size = 0) {
  SessionUnit unit;
  unit.action = key;
  unit.size = size;
  unit.crate_name = std::move(crate_name);
  return unit;
}

class Sync {
 public:
  Sync(const CommandContext& context, const SyncOptions& options, RemoteSetup& setup) : context_(context), options_(options), setup_(setup) {}

  Result<SyncPlan> plan() {
    bool both = options_.pull == options_.push;
    if (options_.workspace) members_ = KACHE_TRY(workspace_members(context_, options_.manifest_path));
    if (both || options_.pull) KACHE_TRY(plan_pull());
    if ((both || options_.push) && setup_.can_write) KACHE_TRY(plan_push());
    return std::move(plan_);
  }

  // How many failed.
  size_t pull(const SyncPlan& plan) {
    if (plan.pull.count() == 0) return 0;
    return fetch_planned(context_, setup_, plan.pull, "Downloading", Limits{});
  }

  size_t push(const SyncPlan& plan) {
    if (plan.push.empty()) return 0;
    DoneCount count("Uploading", plan.push.size());
    std::vector<std::function<void()>> work;
    for (const SessionUnit& unit : plan.push) work.push_back([&] { count.add(push_unit(unit)); });
    do_all(context_, work);
    return count.finish();
  }

 private:
  // "" or what went wrong.
  std::string push_unit(const SessionUnit& unit) {
    Exchange exchange(context_.fs, context_.clock, context_.layout, read_boot_id(context_.fs), *setup_.remote, setup_.exchange);
    Result<bool> sent = exchange.publish(unit.action, command_limits(context_));
    if (!sent.ok()) return "push " + unit.action.hex().substr(0, 16) + "... (" + unit.crate_name + "): " + sent.error().message;
    (void)context_.fs.unlink(context_.layout.outgoing(unit.action));
    return {};
  }

  bool is_wanted(const std::string& crate) const {
    return !options_.workspace || members_.count(crate) != 0;
  }

  Status plan_pull() {
    if (options_.all) return plan_pull_all();
    Namespace name = namespace_of(context_.fs, options_.space.empty() ? context_.config.space : options_.space, context_.cwd);
    PlanLimits no_limits{5, 0, 0};
    // Of a workspace's members alone no pack is made.
    const Trust* packs_of = options_.workspace ? nullptr : &setup_.exchange.trust;
    FetchPlan& fetch = plan_.pull = KACHE_TRY(plan_fetch(context_.fs, context_.layout, *setup_.remote, name, no_limits, packs_of, command_limits(context_)));
    if (fetch.sessions == 0) std::fprintf(stderr, "No build of %s is recorded in the remote; --all pulls everything.\n", printable(name.space).c_str());
    std::erase_if(fetch.units, [&](const SessionUnit& unit) { return !is_wanted(unit.crate_name); });
    return Ok{};
  }

  // Everything that some traces lead to.
  Status plan_pull_all() {
    std::vector<ObjectName> names;
    std::fputs("Listing remote keys... ", stderr);
    Status listed = setup_.remote->list(ObjectKind::record, kind_prefix(ObjectKind::record), [&](const ListedObject& object) -> Status {
      if (!context_.fs.stat(context_.layout.entry({object.name.digest()})).ok()) names.push_back(object.name);
      return Ok{};
    }, command_limits(context_));
    if (!listed.ok()) return listed;
    std::fprintf(stderr, "%zu keys\n", names.size());
    // The record says of which invocation it is; without the traces of that nobody would find it.
    for (const ObjectName& name : names) plan_.pull.units.push_back(unit_of({name.digest()}));
    return Ok{};
  }

  Status plan_push() {
    std::set<ActionKey> there;
    Status listed = setup_.remote->list(ObjectKind::record, kind_prefix(ObjectKind::record), [&](const ListedObject& object) -> Status {
      there.insert({object.name.digest()});
      return Ok{};
    }, command_limits(context_));
    if (!listed.ok()) return listed;
    StoreIndex index = StoreIndex::open(context_.fs, context_.clock, context_.layout);
    Pace pace;
    KACHE_TRY(index.refresh(RefreshDepth::members, pace));
    std::set<ActionKey> own;
    if (!options_.all && !options_.workspace) {
      for (const SessionUnit& unit : KACHE_TRY(units_of_tree())) own.insert(unit.action);
    }
    return index.each_entry("", ListOrder::name, {}, [&](const IndexedEntry& entry) {
      bool is_own = options_.all || (options_.workspace ? is_wanted(entry.crate_name) : own.count(entry.key) != 0);
      if (is_own && there.count(entry.key) == 0) plan_.push.push_back(unit_of(entry.key, entry.crate_name, entry.blob_bytes));
    });
  }

  // What the builds of this tree have made or used.
  Result<std::vector<SessionUnit>> units_of_tree() {
    std::vector<PastBuild> builds = KACHE_TRY(all_builds(context_, ""));
    std::vector<SessionUnit> units;
    for (const PastBuild& build : builds) {
      for (const BuildEvent& event : build.events) {
        ActionKey key;
        bool is_here = !event.root.empty() && (is_below(event.root, context_.cwd) || is_below(context_.cwd, event.root));
        if (is_here && Digest::parse_hex(event.cache_key, key.digest)) units.push_back(unit_of(key, event.crate_name));
      }
    }
    return units;
  }

  const CommandContext& context_;
  const SyncOptions& options_;
  RemoteSetup& setup_;
  std::set<std::string> members_;
  SyncPlan plan_;
};

nlohmann::ordered_json rows_of(const std::vector<SessionUnit>& units) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const SessionUnit& unit : units) rows.push_back({{"cache_key", unit.action.hex()}, {"crate_name", unit.crate_name}, {"size", unit.size}});
  return rows;
}

void print_rows(const char* what, const std::vector<SessionUnit>& units) {
  for (const SessionUnit& unit : units) {
    std::printf("  %s  %s...%s\n", what, unit.action.hex().substr(0, 16).c_str(), unit.crate_name.empty() ? "" : (" (" + printable(unit.crate_name) + ")").c_str());
  }
}

std::vector<SessionUnit> all_units(const FetchPlan& plan) {
  std::vector<SessionUnit> units;
  for (const PlannedPack& pack : plan.packs) units.insert(units.end(), pack.units.begin(), pack.units.end());
  units.insert(units.end(), plan.units.begin(), plan.units.end());
  return units;
}

}  // namespace

int run_sync(const CommandContext& context, const SyncOptions& options) {
  if (options.all && options.workspace) return fail("--all and --workspace exclude each other"), 2;
  Result<std::shared_ptr<RemoteSetup>> setup = open_remotes(context);
  if (!setup.ok()) return fail(setup.error().message), 2;
  Status store = prepare_store(context.fs, context.layout);
  if (!store.ok()) return fail(store.error().message);
  Sync sync(context, options, **setup);
  Result<SyncPlan> plan = sync.plan();
  if (!plan.ok()) return fail(plan.error().message);
  if (options.push && !(*setup)->can_write) std::fputs("The remote is read-only; nothing is pushed.\n", stderr);

  bool is_empty = plan->pull.count() == 0 && plan->push.empty();
  if (!options.json && is_empty) std::puts("Nothing to sync.");
  if (!options.json && !is_empty) std::printf("Plan: pull %zu artifacts, push %zu artifacts\n", plan->pull.count(), plan->push.size());
  size_t failed_pulls = 0, failed_pushes = 0;
  if (options.dry_run && !options.json) {
    print_rows("pull", all_units(plan->pull));
    print_rows("push", plan->push);
  }
  if (!options.dry_run) {
    std::fflush(stdout);
    failed_pulls = sync.pull(*plan);
    failed_pushes = sync.push(*plan);
  }
  if (options.json) {
    nlohmann::ordered_json json = {{"schema_version", 1}, {"command", "sync"}, {"dry_run", options.dry_run}, {"sessions", plan->pull.sessions},
                                   {"pull", rows_of(all_units(plan->pull))}, {"push", rows_of(plan->push)},
                                   {"failed_pulls", failed_pulls}, {"failed_pushes", failed_pushes}};
    std::puts(to_text(json).c_str());
  }
  size_t failed = failed_pulls + failed_pushes;
  if (failed == 0 || options.allow_partial) return 0;
  return fail(std::to_string(failed) + " transfer(s) or import(s) failed during sync");
}

int run_save_manifest(const CommandContext& context, const SyncOptions& options) {
  if (context.config.remote_readonly) return 0;
  Result<std::shared_ptr<RemoteSetup>> setup = open_remotes(context);
  if (!setup.ok()) return fail(setup.error().message), 2;
  Result<std::vector<PastBuild>> builds = all_builds(context, "");
  if (!builds.ok()) return fail(builds.error().message);
  auto build = std::find_if(builds->begin(), builds->end(), [&](const PastBuild& one) {
    return options.all || is_below(one.root, context.cwd) || is_below(context.cwd, one.root);
  });
  if (build == builds->end()) return std::fputs("No build events found, skipping manifest save\n", stderr), 0;
  Namespace name = namespace_of(context.fs, options.space.empty() ? context.config.space : options.space, build->root);
  RecordedSession session = session_of(*build, name, context.clock.wall_ns());
  if (session.units.empty()) return std::fputs("No build events found, skipping manifest save\n", stderr), 0;
  Result<SavedSession> saved = save_build(context, **setup, session, build->id);
  if (!saved.ok() && saved.code() != ErrorCode::exists) return fail(saved.error().message);
  if (saved.ok() && !saved->problem.empty()) std::fprintf(stderr, "warning: without packs: %s\n", printable(saved->problem).c_str());
  std::fprintf(stderr, "Saved manifest: %zu entries for '%s'\n", session.units.size(), name.space.c_str());
  return 0;
}

int run_prefetch(const CommandContext& context, const SyncOptions& options) {
  Result<std::shared_ptr<RemoteSetup>> setup = open_remotes(context);
  if (!setup.ok()) return fail(setup.error().message), 2;
  Status store = prepare_store(context.fs, context.layout);
  if (!store.ok()) return fail(store.error().message);
  Namespace name = namespace_of(context.fs, options.space.empty() ? context.config.space : options.space, context.cwd);
  const Config& config = context.config;
  Limits limits = command_limits(context);
  if (config.prefetch_deadline_secs > 0) {
    limits.deadline_ns = std::min(limits.deadline_ns, context.clock.monotonic_ns() + static_cast<int64_t>(config.prefetch_deadline_secs) * 1'000'000'000);
  }
  Result<FetchPlan> plan = plan_fetch(context.fs, context.layout, *(*setup)->remote, name,
                                      {3, config.prefetch_max_keys, config.prefetch_max_bytes}, &(*setup)->exchange.trust, limits);
  if (!plan.ok()) return fail(plan.error().message);
  if (plan->sessions == 0) return std::printf("No build of %s is recorded in the remote.\n", printable(name.space).c_str()), 0;
  std::printf("Plan: fetch %zu artifacts; %llu are here, %llu over the budget\n", plan->count(),
              static_cast<unsigned long long>(plan->known), static_cast<unsigned long long>(plan->over_budget));
  if (options.dry_run) return print_rows("fetch", all_units(*plan)), 0;
  std::fflush(stdout);
  size_t failed = fetch_planned(context, **setup, *plan, "Fetching", limits);
  // What could not be fetched is compiled: no failure of the build that comes.
  return failed == plan->count() && failed > 0 ? 1 : 0;
}

}  // namespace kache
