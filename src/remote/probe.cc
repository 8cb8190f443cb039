#include "remote/probe.h"

#include <algorithm>

namespace kache {

bool ProbeReport::is_good() const { return problem().empty(); }

std::string ProbeReport::problem() const {
  auto bad = std::find_if(steps.begin(), steps.end(), [](const ProbeStep& step) { return !step.problem.empty(); });
  return bad == steps.end() ? "" : bad->what + (": " + bad->problem);
}

ProbeReport probe_remote(Remote& remote, Clock& clock, bool reads, bool writes, int64_t timeout_ns) {
  ProbeReport report;
  ObjectName name = ObjectName::control("probe-" + std::to_string(clock.wall_ns()));
  constexpr std::string_view kText = "kache looks whether this works";
  Limits limits;
  limits.deadline_ns = clock.monotonic_ns() + timeout_ns;
  auto step = [&](const char* what, auto&& call) {
    int64_t began = clock.monotonic_ns();
    Status status = call();
    report.steps.push_back({what, status.ok() ? "" : status.error().message, (clock.monotonic_ns() - began) / 1'000'000});
    return status.ok();
  };
  bool is_there = writes && step("put", [&] { return put_bytes(remote, name, kText, {}, limits); });
  if (reads && (is_there || !writes)) {
    step("get", [&]() -> Status {
      StringSink sink;
      Result<std::string> got = remote.get(name, sink, limits);
      if (!got.ok() && got.code() == ErrorCode::not_found && !is_there) return Ok{};
      if (!got.ok()) return std::move(got).error();
      if (sink.bytes() != kText) return Error{ErrorCode::corrupt, 0, "it gave back something else than what was put"};
      return Ok{};
    });
  }
  if (is_there) step("delete", [&] { return remote.remove(name, limits); });
  return report;
}

}  // namespace kache
