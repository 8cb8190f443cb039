// The rows of `kache doctor` about other machines: whether each remote works, what waits to be sent, the daemon.
#include "cli/doctor.h"
#include "cli/remote_common.h"
#include "remote/probe.h"
#include "remote/verdict.h"
#include "wrapper/daemon_link.h"

namespace kache {
namespace {

constexpr int64_t kTimeoutNs = int64_t{5} * 1'000'000'000;

size_t files_in(const CommandContext& context, const std::string& dir) {
  Result<std::vector<DirEntry>> names = context.fs.list(dir);
  if (!names.ok()) return 0;
  size_t count = 0;
  for (const DirEntry& name : *names) count += name.name.size() == 64;
  return count;
}

void check_each(const CommandContext& context, RemoteSetup& setup, Checklist& list) {
  Tiers& tiers = *setup.remote;
  for (size_t i = 0; i < tiers.size(); ++i) {
    ProbeReport report = probe_remote(tiers.tier(i), context.clock, tiers.reads(i), tiers.writes(i), kTimeoutNs);
    std::string detail = tiers.tier(i).description();
    for (const ProbeStep& step : report.steps) {
      if (step.problem.empty()) detail += std::string(", ") + step.what + " " + std::to_string(step.took_ms) + " ms";
    }
    if (!report.is_good()) detail += ": " + report.problem();
    list.row(report.is_good(), "Remote", detail, "see docs/remotes.md; kache remote check asks again");
  }
  const Trust& trust = setup.exchange.trust;
  bool checks = trust.requires_signature;
  list.note("Signatures", std::string(setup.signer ? "what is sent is signed; " : "nothing is signed; ") +
                              (checks ? "only what a trusted key signed is taken" : "what anybody wrote is taken"));
}

// What compiling again has found out about results of remotes.
void check_verdicts(const CommandContext& context, Checklist& list) {
  std::string units;
  size_t count = 0;
  for (const VerdictNote& note : read_verdicts(context.fs, context.layout)) {
    if (note.verdict != Verdict::differs) continue;
    if (++count <= 3) units += (units.empty() ? "" : ", ") + note.unit;
  }
  if (count > 3) units += ", …";
  if (count > 0) {
    return list.row(false, "Verify", std::to_string(count) + " results of remotes are not what the compiler makes here: " + units,
                    "kache remote verify shows them and what to build again");
  }
  uint64_t percent = context.config.remote_verify_percent;
  size_t waiting = files_in(context, context.layout.rechecks());
  if (percent > 0 || waiting > 0) {
    list.note("Verify", std::to_string(percent) + "% of the hits from remotes are compiled again; none differed, " + std::to_string(waiting) + " wait");
  }
}

}  // namespace

void check_remotes(const CommandContext& context, Checklist& list) {
  if (context.config.local_only) return list.note("Remote", "local-only mode (remotes are ignored)");
  if (!context.config.has_remote()) return;
  Result<std::shared_ptr<RemoteSetup>> setup = open_remotes(context);
  if (setup.ok()) check_each(context, **setup, list);
  else list.row(false, "Remote", setup.error().message, "correct it; until then builds use the local store alone");
  size_t waiting = files_in(context, context.layout.outbox()), failed = files_in(context, context.layout.failed_outbox());
  if (waiting > 0) list.note("Outbox", std::to_string(waiting) + " results wait to be sent");
  if (failed > 0) list.row(false, "Outbox", std::to_string(failed) + " results could not be sent", "kache daemon log says why; kache sync --push sends them again");
  check_verdicts(context, list);
  std::string socket = daemon_socket(context.config, context.env);
  Result<DaemonLink> link = DaemonLink::connect(socket, context.clock, context.clock.monotonic_ns() + kTimeoutNs);
  bool is_wrong = !link.ok() && link.code() != ErrorCode::not_found;
  if (is_wrong) list.row(false, "Daemon", link.error().message, "kache daemon restart");
  else list.note("Daemon", link.ok() ? "running, pid " + std::to_string(link->daemon_pid()) : "not running; the first compile that needs it starts it");
}

}  // namespace kache
