// RemoteSource: what the pipeline knows of other machines. On a miss it lets the daemon bring what a remote has, and after a
// compile it leaves the result to be sent. Costs nothing where no remote is configured.
#pragma once

#include <string>

#include "base/clock.h"
#include "config/config.h"
#include "store/layout.h"
#include "wrapper/daemon_link.h"

namespace kache {

class RemoteSource {
 public:
  RemoteSource(FileSystem& fs, Clock& clock, const StoreLayout& layout, const Config& config, const Env& env, std::string tool)
      : fs_(fs), clock_(clock), layout_(layout), config_(config), env_(env), tool_(std::move(tool)) {}

  bool exists() const { return config_.has_remote(); }
  // Of which build this compile is; before anything is fetched.
  void belongs_to(const std::string& session, const std::string& root) { build_ = {session, root, config_.space}; }
  // Tells the daemon that this build will ask, if the store is empty. Waits for no answer, and gives up soon.
  void announce();
  // Into the local store. True: something new is there, look again. `typical_ms`: what the compile may cost, 0 where that is not known.
  bool fetch_traces(const InvocationKey& key, uint64_t typical_ms) { return fetch(FetchRequest::traces, key.digest, typical_ms); }
  bool fetch_record(const ActionKey& key, uint64_t typical_ms) { return fetch(FetchRequest::record, key.digest, typical_ms); }
  // Why the last fetch brought nothing, where that is worth a word; "" when the remote just does not have it.
  const std::string& problem() const { return problem_; }

  // Leaves a note in the outbox and wakes the daemon. An Error: it will not be sent.
  Status publish(const ActionKey& key);

 private:
  bool fetch(FetchRequest::What what, const Digest& key, uint64_t typical_ms);
  Result<DaemonLink> connect(int64_t deadline_ns);
  bool is_silent() const;
  const RemoteSettings& settings();

  FileSystem& fs_;
  Clock& clock_;
  const StoreLayout& layout_;
  const Config& config_;
  const Env& env_;
  std::string tool_;
  RemoteSettings settings_;
  bool has_settings_ = false;
  AskingBuild build_;
  std::string problem_;
};

// A compile never waits longer for a remote than it takes itself, and never longer than the second.
inline constexpr int64_t kShortestWaitNs = 250'000'000, kLongestWaitNs = 3'000'000'000;

}  // namespace kache
