// kache remote verify: compiles again what a remote gave, now instead of when the machine is idle.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/json.h"
#include "daemon/idle_recheck.h"
#include "daemon/log.h"
#include "remote/recheck.h"

namespace kache {
namespace {

using json = nlohmann::ordered_json;

json json_of(const VerdictNote& note) {
  return {{"unit", note.unit}, {"root", note.root}, {"key", note.key.hex()}, {"verdict", verdict_name(note.verdict)}, {"why", note.why},
          {"what", note.what}, {"compile_time_ms", note.compile_ms}, {"found", note.at_ns > 0 ? json(rfc3339(note.at_ns)) : json(nullptr)}};
}

std::string described(const VerdictNote& note) {
  std::string what;
  for (const std::string& name : note.what) what += (what.empty() ? " (" : ", ") + name;
  return printable(note.unit + (what.empty() ? "" : what + ")") + (note.why.empty() ? "" : ": " + note.why));
}

// All that the machine has to do comes first. The compilers inherit it.
void make_way_for_others() {
  (void)::setpriority(PRIO_PROCESS, 0, 19);
#ifdef SYS_ioprio_set
  constexpr int kProcess = 1, kIdleClass = 3 << 13;
  (void)::syscall(SYS_ioprio_set, kProcess, 0, kIdleClass);
#endif
}

// A compiler that waits for what somebody types would wait for ever.
void close_input() {
  int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (null >= 0) (void)::dup2(null, 0), (void)::close(null);
}

int forget(const CommandContext& context) {
  size_t count = 0;
  for (const VerdictNote& note : read_verdicts(context.fs, context.layout)) count += context.fs.unlink(context.layout.verdict(note.key)).ok();
  std::printf("%zu verdicts forgotten\n", count);
  return 0;
}

struct Outcome {
  std::vector<VerdictNote> checked;
  std::vector<std::string> bad;
  size_t waiting = 0;
  std::string problem;
};

Outcome check_all(const CommandContext& context, const RemoteOptions& options) {
  Outcome outcome;
  // Read under the lock: what another process is at would be gone by the time that we came to it.
  Result<File> lock = lock_file(context.fs, context.layout.recheck_lock(), LockMode::try_exclusive);
  if (!lock.ok()) {
    outcome.problem = lock.code() == ErrorCode::busy ? "another kache remote verify is at it" : lock.error().message;
    if (lock.code() == ErrorCode::not_found) outcome.problem.clear();  // no store yet
    return outcome;
  }
  std::vector<RecheckNote> notes = read_recheck_notes(context.fs, context.layout, [&](const std::string& name, const std::string& why) {
    outcome.bad.push_back(printable(name) + ": " + why);
  });
  outcome.waiting = notes.size();
  if (options.dry_run) return outcome;
  Rechecker rechecker(context.fs, context.clock, system_processes(), context.layout, context.tool);
  for (const RecheckNote& note : notes) {
    if (options.idle && !is_machine_idle(context.env, 1)) break;
    outcome.checked.push_back(rechecker.check(note));
    const VerdictNote& verdict = outcome.checked.back();
    if (!options.json && !options.idle) std::printf("%-9s %s\n", std::string(verdict_name(verdict.verdict)).c_str(), described(verdict).c_str());
    std::fflush(stdout);
    if (verdict.verdict == Verdict::waits) break;
    --outcome.waiting;
  }
  return outcome;
}

std::string counted(const std::map<Verdict, size_t>& counts) {
  std::string text;
  for (auto [verdict, count] : counts) text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + std::string(verdict_name(verdict));
  return text;
}

void tell_log(const CommandContext& context, const Outcome& outcome) {
  Log log(context.fs, context.clock, context.layout.root() + "/daemon.log");
  for (const VerdictNote& note : outcome.checked) {
    std::string text = "verify " + note.key.hex().substr(0, 12) + " " + std::string(verdict_name(note.verdict)) + ": " + described(note);
    if (note.verdict == Verdict::differs) log.warn(text);
    else log.info(text);
  }
  for (const std::string& bad : outcome.bad) log.warn("verify: " + bad);
}

}  // namespace

int run_remote_verify(const CommandContext& context, const RemoteOptions& options) {
  if (options.forget) return forget(context);
  if (options.idle) make_way_for_others();
  close_input();
  Outcome outcome = check_all(context, options);
  if (options.idle) return tell_log(context, outcome), 0;
  if (!outcome.problem.empty()) return fail(outcome.problem);
  bool is_finished = outcome.checked.empty() || outcome.checked.back().verdict != Verdict::waits;
  std::vector<VerdictNote> differences = read_verdicts(context.fs, context.layout);
  std::erase_if(differences, [](const VerdictNote& note) { return note.verdict != Verdict::differs; });
  std::map<Verdict, size_t> counts = {{Verdict::same, 0}, {Verdict::differs, 0}};
  for (const VerdictNote& note : outcome.checked) counts[note.verdict]++;
  if (options.json) {
    json units = json::array(), standing = json::array(), numbers = json::object();
    for (Verdict verdict : {Verdict::same, Verdict::differs, Verdict::unsteady, Verdict::failed, Verdict::skipped, Verdict::dropped}) numbers[std::string(verdict_name(verdict))] = counts[verdict];
    for (const VerdictNote& note : outcome.checked) units.push_back(json_of(note));
    for (const VerdictNote& note : differences) standing.push_back(json_of(note));
    std::puts(to_text({{"schema_version", 1}, {"command", "remote verify"}, {"counts", numbers}, {"waiting", outcome.waiting},
                       {"unreadable", outcome.bad}, {"units", units}, {"differences", standing}}).c_str());
    return differences.empty() && is_finished ? 0 : 1;
  }
  for (const std::string& bad : outcome.bad) fail(bad + "; removed");
  if (options.dry_run) std::printf("%zu results wait to be compiled again\n", outcome.waiting);
  else std::printf("%s\n", counted(counts).c_str());
  if (outcome.checked.empty() && outcome.waiting == 0 && context.config.remote_verify_percent == 0) {
    std::puts("cache.remote.verify is 0: no hit is noted");
  }
  if (differences.empty()) return is_finished ? 0 : 1;
  std::puts("\nNot what the compiler makes here, and not taken from a remote any more:");
  for (const VerdictNote& note : differences) {
    std::printf("  %s  %.12s  %s\n", format_time(note.at_ns).substr(0, 19).c_str(), note.key.hex().c_str(), described(note).c_str());
    if (!note.root.empty()) std::printf("    in %s: remove what was built with it, and build again\n", printable(note.root).c_str());
  }
  return 1;
}

}  // namespace kache
