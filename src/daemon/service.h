// Service: what the daemon does, without its socket: brings results from remotes when a compile asks, and sends what lies in
// the outbox. Knows no connection and no process.
//
// Thread-safe. Answers are given by calling back, from any of its threads.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <nlohmann/json_fwd.hpp>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "base/boot.h"
#include "daemon/jobs.h"
#include "daemon/log.h"
#include "remote/fetch_plan.h"
#include "remote/setup.h"
#include "store/layout.h"
#include "wrapper/daemon_protocol.h"

namespace kache {

struct ServiceCounts {
  std::atomic<uint64_t> fetches{0}, found{0}, absent{0}, failed{0}, joined{0};
  std::atomic<uint64_t> downloads_completed{0}, downloads_failed{0}, downloads_suppressed{0};
  std::atomic<uint64_t> uploads_completed{0}, uploads_failed{0}, uploads_skipped{0}, uploads_suppressed{0};
  std::atomic<uint64_t> prefetch_plans{0}, prefetch_candidates{0}, prefetch_completed{0}, prefetch_bytes{0}, prefetch_cancelled{0},
      prefetch_over_budget{0}, sessions_saved{0};
  std::atomic<uint64_t> bytes_downloaded{0}, bytes_uploaded{0}, requests{0}, active_downloads{0}, active_uploads{0};
};

inline FetchReply failed_reply(std::string reason) { return {FetchReply::failed, std::move(reason)}; }

// service_fetch.cc, service_ahead.cc, service_builds.cc and service_uploads.cc have its parts.
class Service {
 public:
  using Opener = std::function<Result<std::shared_ptr<RemoteSetup>>(const RemoteSettings&)>;
  using Reply = std::function<void(const FetchReply&)>;

  // `open` makes the remotes of somebody's settings. `threads`: how many transfers at a time.
  Service(FileSystem& fs, Clock& clock, const StoreLayout& layout, Log& log, Opener open, size_t threads);
  ~Service();

  // Of several that ask for the same, one is answered by the remote and all get its answer.
  void fetch(const FetchRequest& request, Reply reply);
  // A build has begun that will ask: what it is likely to ask for may come before.
  void announce(const BuildRequest& request);
  // What lies in the outbox under this key is to be sent.
  void publish(const PublishRequest& request);
  // What an earlier daemon has left there. To be called once, at the start.
  void replay_outbox();

  // To be called about once a second: what a build asked for is kept in the remote when it has ended.
  void tick();
  // All of that now; and nothing is fetched ahead any more.
  void finish_builds();

  bool is_busy() const;              // something is under way, or waits for a thread
  uint64_t pending_uploads() const;  // also those that wait for their next attempt
  // Nothing of it is waiting for the next attempt any more: there is no time. What is not sent stays in the outbox.
  void hurry();
  int64_t last_active_ns() const { return last_active_ns_; }
  uint64_t idle_timeout_secs() const { return idle_timeout_secs_; }  // the longest that anybody asked for; 0: never
  nlohmann::ordered_json status() const;

 private:
  // A pack that is on its way.
  struct PackFlight {
    int64_t started_ns = 0;
    std::atomic<uint64_t> arrived{0};  // bytes of units
  };
  struct Flight {
    std::vector<Reply> waiting;
    std::shared_ptr<PackFlight> pack;  // that brings it; nullptr: it is fetched alone
    uint64_t pack_end = 0;             // bytes of units up to its own
    FetchRequest request;              // of the first who waits for a pack
    int64_t deadline_ns = 0;
  };
  struct Upload {
    ActionKey key;
    RemoteSettings settings;
    int64_t created_ns = 0;    // of the wall clock
    int64_t first_try_ns = 0;  // of the monotonic clock, 0 before
    int attempts = 0;
  };
  // A build that has asked for something, and what was fetched ahead for it.
  struct ActiveBuild {
    RemoteSettings settings;
    AskingBuild asking;
    int64_t last_active_ns = 0;
    std::set<InvocationKey> planned;
    std::vector<ActionKey> fetched;      // ahead
    uint64_t foreseen = 0, unforeseen = 0;  // demands
    std::shared_ptr<std::atomic<bool>> cancelled = std::make_shared<std::atomic<bool>>(false);
  };
  using FlightKey = std::pair<Digest, Digest>;  // of the settings, and what is fetched
  using Coming = std::map<ActionKey, std::pair<FlightKey, uint64_t>>;  // units of a pack, and where each ends
  // What all transfers of one plan have in common.
  struct Ahead {
    std::string session;
    RemoteSettings settings;
    int64_t deadline_ns = 0;
    std::shared_ptr<std::atomic<bool>> cancelled;
  };

  Result<std::shared_ptr<RemoteSetup>> setup_of(const RemoteSettings& settings);
  void start_flight(const FlightKey& flight, const FetchRequest& request, int64_t deadline_ns);
  void end_flight(const FlightKey& key, const FetchReply& answer);
  // Whoever waits for it waits for the pack no longer: it is fetched alone.
  void leave_pack(const FlightKey& key);
  // The same where nobody may be waiting.
  void drop_from_pack(const FlightKey& key, const std::shared_ptr<PackFlight>& pack);
  FetchReply run_fetch(const FetchRequest& request, int64_t deadline_ns);
  FetchReply take_traces(Exchange& exchange, const FetchRequest& request, int64_t deadline_ns);
  void note_refusal(const Digest& key, const std::string& why);
  std::string refusal_of(const Digest& key) const;
  void note_demand(const FetchRequest& request);
  void note_idle_timeout(const Config& config);
  ActiveBuild& join_build(const BuildRequest& request);
  void fetch_ahead(const BuildRequest& request);
  Result<FetchPlan> plan_for(const BuildRequest& request, const Config& config, RemoteSetup& setup, const Namespace& name, const Limits& limits);
  static Limits limits_of(const Ahead& ahead);  // not longer than `ahead`
  bool is_over(const Ahead& ahead) const;
  void note_fetched(const Ahead& ahead, const ActionKey& action);
  Coming board(const Ahead& ahead, const PlannedPack& planned, const std::shared_ptr<PackFlight>& pack);
  void fetch_pack_ahead(const Ahead& ahead, const PlannedPack& planned);
  void fetch_unit_ahead(const Ahead& ahead, const SessionUnit& unit);
  void judge(const ActiveBuild& build);
  void record_build(const ActiveBuild& build);
  void release_parked(const Digest& with_secrets, const RemoteSettings& settings);
  void queue_upload(Upload upload);
  void run_upload(Upload upload);
  bool is_over(const Upload& upload) const;
  void retry_or_give_up(Upload upload, const Error& error, bool is_local);
  void give_up(const Upload& upload, const std::string& why);
  void forget_upload(const ActionKey& key);
  void note_transfer(const char* direction, const std::string& key, const Moved& moved, int64_t started_ns, bool ok);

  FileSystem& fs_;
  Clock& clock_;
  StoreLayout layout_;
  BootId boot_;
  Log& log_;
  Opener open_;
  ServiceCounts counts_;
  std::atomic<int64_t> last_active_ns_;
  std::atomic<uint64_t> idle_timeout_secs_{0};
  std::atomic<bool> never_idle_{false}, hurries_{false};

  mutable std::mutex mutex_;
  std::map<Digest, std::shared_ptr<RemoteSetup>> setups_;    // by fingerprint
  std::map<Digest, std::pair<std::string, int64_t>> broken_; // settings that can not be used: why, and since when
  std::map<FlightKey, Flight> flights_;
  std::map<std::string, ActiveBuild> builds_;                // by session
  std::map<Digest, std::pair<std::string, int64_t>> refused_; // what a remote has and was not taken: why, and when
  std::set<ActionKey> uploads_;                              // under way or waiting for the next attempt
  std::map<Digest, std::vector<Upload>> parked_;             // until somebody comes with their secrets
  std::mt19937_64 random_;
  Jobs jobs_;  // the last member: its threads end first
};

}  // namespace kache
