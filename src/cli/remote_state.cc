#include "cli/remote_state.h"

#include "remote/setup.h"
#include "wrapper/daemon_link.h"

namespace kache {
namespace {

constexpr int64_t kPatienceNs = int64_t{2} * 1'000'000'000;

}  // namespace

std::string remote_text(const CommandContext& context) {
  if (context.config.local_only) return "local-only mode (remotes are ignored)";
  Result<std::vector<RemoteSpec>> specs = resolve_remotes(context.config);
  if (!specs.ok()) return "MISCONFIGURED - " + specs.error().message;
  std::string text;
  for (const RemoteSpec& spec : *specs) text += (text.empty() ? "" : ", ") + spec.description();
  return text.empty() ? "not configured" : text;
}

nlohmann::ordered_json daemon_status(const CommandContext& context) {
  int64_t deadline = context.clock.monotonic_ns() + kPatienceNs;
  Result<DaemonLink> link = DaemonLink::connect(daemon_socket(context.config, context.env), context.clock, deadline);
  if (!link.ok()) return nullptr;
  Result<DaemonFrame> answer = link->ask(MessageType::status, {}, deadline);
  if (!answer.ok() || answer->type != MessageType::text) return nullptr;
  nlohmann::ordered_json status = nlohmann::ordered_json::parse(answer->payload, nullptr, false);
  return status.is_object() ? status : nlohmann::ordered_json(nullptr);
}

}  // namespace kache
