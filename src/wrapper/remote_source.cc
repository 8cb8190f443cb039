#include "wrapper/remote_source.h"

#include <algorithm>


namespace kache {

const RemoteSettings& RemoteSource::settings() {
  if (!has_settings_) settings_ = remote_settings(config_, env_);
  has_settings_ = true;
  return settings_;
}

bool RemoteSource::is_silent() const {
  Result<FileStat> last = fs_.stat(layout_.daemon_silent());
  return last.ok() && clock_.wall_ns() - last->mtime_ns < kSilenceNs && clock_.wall_ns() >= last->mtime_ns;
}

Result<DaemonLink> RemoteSource::connect(int64_t deadline_ns) {
  return connect_or_start({fs_, clock_, layout_, env_, tool_, daemon_socket(config_, env_)}, deadline_ns);
}

// The daemon's silence is noted by whoever needs an answer. Where there are results, after a reboot or `kache sync`, the build may
// need no remote at all.
void RemoteSource::announce() {
  if (!exists() || !config_.prefetch_enabled || build_.session.empty() || is_silent()) return;
  Result<std::vector<DirEntry>> results = fs_.list(layout_.entries());
  if (results.ok() && !results->empty()) return;
  int64_t deadline = clock_.monotonic_ns() + kShortestWaitNs;
  Result<DaemonLink> link = connect(deadline);
  if (link.ok()) (void)link->tell(MessageType::announce, encode(BuildRequest{settings(), build_}), deadline);
}

bool RemoteSource::fetch(FetchRequest::What what, const Digest& key, uint64_t typical_ms) {
  problem_.clear();
  if (is_silent()) {
    problem_ = "remote: the daemon did not answer a moment ago";
    return false;
  }
  int64_t wait = typical_ms == 0 ? kLongestWaitNs : static_cast<int64_t>(typical_ms) * 1'000'000;
  wait = std::clamp(wait, kShortestWaitNs, kLongestWaitNs);
  int64_t deadline = clock_.monotonic_ns() + wait;
  Result<FetchReply> reply = [&]() -> Result<FetchReply> {
    DaemonLink link = KACHE_TRY(connect(deadline));
    FetchRequest request{what, key, static_cast<uint32_t>(wait / 1'000'000), settings(), build_};
    // The daemon ends in time by itself; a little more is for its answer.
    DaemonFrame frame = KACHE_TRY(link.ask(MessageType::fetch, encode(request), deadline + kShortestWaitNs));
    if (frame.type != MessageType::fetched) return Error{ErrorCode::corrupt, 0, "the daemon does not understand"};
    return decode_fetch_reply(frame.payload);
  }();
  if (!reply.ok()) {
    problem_ = "remote: " + reply.error().message;
    // The next ones shall not all wait for the same.
    note_silent(fs_, layout_);
    return false;
  }
  if (!reply->reason.empty()) problem_ = "remote: " + reply->reason;
  return reply->kind == FetchReply::found;
}

Status RemoteSource::publish(const ActionKey& key) {
  Outgoing outgoing{key, clock_.wall_ns(), without_secrets(settings()), fingerprint(settings())};
  std::string temporary = temporary_beside(layout_.temporary() + "/outgoing");
  KACHE_TRY(fs_.create(temporary, encode_outgoing(outgoing), 0600));
  Status placed = fs_.rename(temporary, layout_.outgoing(key));
  if (!placed.ok() && placed.code() == ErrorCode::not_found) {
    (void)fs_.make_dir(layout_.outbox(), 0700);
    placed = fs_.rename(temporary, layout_.outgoing(key));
  }
  if (!placed.ok()) {
    (void)fs_.unlink(temporary);
    return placed;
  }
  if (is_silent()) return Ok{};  // it is sent later
  int64_t deadline = clock_.monotonic_ns() + kShortestWaitNs;
  Result<DaemonLink> link = connect(deadline);
  if (!link.ok() || !link->tell(MessageType::publish, encode(PublishRequest{key, settings()}), deadline).ok()) note_silent(fs_, layout_);
  return Ok{};
}

}  // namespace kache
