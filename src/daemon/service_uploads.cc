// The outbox: what is sent, when again, and when no more.
#include "daemon/service.h"

#include <algorithm>

#include "base/path.h"

namespace kache {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kFirstRetryNs = 5 * kSecond, kLongestRetryNs = 300 * kSecond;
constexpr int64_t kKeepTryingNs = int64_t{24} * 3600 * kSecond;
constexpr int64_t kFairNs = 3600 * kSecond;  // tried for at least so long, whatever the clock on the wall says

// What will not become better by itself.
bool is_permanent(ErrorCode code) {
  return code == ErrorCode::invalid || code == ErrorCode::unsupported || code == ErrorCode::too_large;
}

}  // namespace

void Service::publish(const PublishRequest& request) {
  note_idle_timeout(config_of(request.settings));
  last_active_ns_ = clock_.monotonic_ns();
  release_parked(fingerprint(request.settings), request.settings);
  queue_upload({request.key, request.settings, clock_.wall_ns()});
}

// Somebody has come with the secrets that these were waiting for.
void Service::release_parked(const Digest& with_secrets, const RemoteSettings& settings) {
  std::vector<Upload> released;
  {
    std::lock_guard lock(mutex_);
    auto parked = parked_.find(with_secrets);
    if (parked == parked_.end()) return;
    released = std::move(parked->second);
    parked_.erase(parked);
  }
  for (Upload& upload : released) {
    upload.settings = settings;
    jobs_.add(Urgency::background, [this, upload = std::move(upload)] { run_upload(upload); });
  }
}

void Service::queue_upload(Upload upload) {
  {
    std::lock_guard lock(mutex_);
    if (!uploads_.insert(upload.key).second) return;  // it is on its way
  }
  jobs_.add(Urgency::background, [this, upload = std::move(upload)] { run_upload(upload); });
}

void Service::replay_outbox() {
  Result<std::vector<DirEntry>> names = fs_.list(layout_.outbox());
  if (!names.ok()) return;
  for (const DirEntry& name : *names) {
    ActionKey key;
    if (!Digest::parse_hex(name.name, key.digest)) continue;
    Result<std::string> bytes = read_file(fs_, layout_.outgoing(key), 1 << 20);
    Result<Outgoing> outgoing = bytes.ok() ? decode_outgoing(*bytes) : Result<Outgoing>(bytes.error());
    if (!outgoing.ok() || outgoing->key != key) {
      log_.warn("outbox: " + name.name + ": " + (outgoing.ok() ? "of another result" : outgoing.error().message));
      (void)fs_.unlink(layout_.outgoing(key));
      continue;
    }
    Upload upload{key, outgoing->settings, outgoing->created_ns};
    if (fingerprint(outgoing->settings) == outgoing->with_secrets) {
      queue_upload(std::move(upload));
    } else {
      std::lock_guard lock(mutex_);
      if (uploads_.insert(key).second) parked_[outgoing->with_secrets].push_back(std::move(upload));
    }
  }
}

void Service::run_upload(Upload upload) {
  if (upload.first_try_ns == 0) upload.first_try_ns = clock_.monotonic_ns();
  Result<std::shared_ptr<RemoteSetup>> setup = setup_of(upload.settings);
  if (!setup.ok()) return retry_or_give_up(std::move(upload), setup.error(), false);
  if (!(*setup)->can_write) {
    (void)fs_.unlink(layout_.outgoing(upload.key));
    return forget_upload(upload.key);
  }
  Limits limits;
  limits.deadline_ns = clock_.monotonic_ns() + (*setup)->timeout_ns;
  int64_t started = clock_.monotonic_ns();
  counts_.active_uploads++;
  Exchange exchange(fs_, clock_, layout_, boot_, *(*setup)->remote, (*setup)->exchange);
  Result<bool> sent = exchange.publish(upload.key, limits);
  counts_.active_uploads--;
  counts_.requests += exchange.moved().requests;
  counts_.bytes_uploaded += exchange.moved().compressed_bytes;
  if (!sent.ok() && sent.code() == ErrorCode::busy) counts_.uploads_suppressed++;
  else note_transfer("upload", upload.key.hex(), exchange.moved(), started, sent.ok());
  if (!sent.ok()) return retry_or_give_up(std::move(upload), sent.error(), exchange.is_local());
  (*sent ? counts_.uploads_completed : counts_.uploads_skipped)++;
  (void)fs_.unlink(layout_.outgoing(upload.key));
  forget_upload(upload.key);
  last_active_ns_ = clock_.monotonic_ns();
}

// Its age is by the clock on the wall, which may be set while it waits: forward, and nothing has been tried for long; back, and
// it would never become old.
bool Service::is_over(const Upload& upload) const {
  int64_t tried_ns = clock_.monotonic_ns() - upload.first_try_ns;
  return tried_ns > kKeepTryingNs || (tried_ns > kFairNs && clock_.wall_ns() - upload.created_ns > kKeepTryingNs);
}

void Service::retry_or_give_up(Upload upload, const Error& error, bool is_local) {
  if (is_local && error.code == ErrorCode::not_found) {  // evicted meanwhile
    (void)fs_.unlink(layout_.outgoing(upload.key));
    return forget_upload(upload.key);
  }
  if (is_local || is_permanent(error.code) || is_over(upload)) return give_up(upload, error.message);
  upload.attempts++;
  if (upload.attempts == 1) log_.warn("upload " + upload.key.hex().substr(0, 12) + ": " + error.message + "; it is tried again");
  if (hurries_) return forget_upload(upload.key);
  int64_t longest = std::min(kLongestRetryNs, kFirstRetryNs << std::min(upload.attempts - 1, 10));
  int64_t delay = 0;
  {
    std::lock_guard lock(mutex_);
    delay = longest / 2 + static_cast<int64_t>(random_() % static_cast<uint64_t>(longest / 2 + 1));
  }
  jobs_.add_later(delay, [this, upload = std::move(upload)] {
    if (hurries_) return forget_upload(upload.key);
    run_upload(upload);
  });
}

// It stays to be looked at for a week, and is not tried again.
void Service::give_up(const Upload& upload, const std::string& why) {
  counts_.uploads_failed++;
  log_.warn("upload " + upload.key.hex().substr(0, 12) + " is given up: " + why);
  Outgoing failed{upload.key, upload.created_ns, without_secrets(upload.settings), fingerprint(upload.settings), why};
  (void)make_dirs(fs_, layout_.failed_outbox(), 0700);
  (void)replace_file(fs_, layout_.failed_outbox() + "/" + upload.key.hex(), encode_outgoing(failed), 0600);
  (void)fs_.unlink(layout_.outgoing(upload.key));
  forget_upload(upload.key);
}

void Service::forget_upload(const ActionKey& key) {
  std::lock_guard lock(mutex_);
  uploads_.erase(key);
}

void Service::hurry() { hurries_ = true; }

}  // namespace kache
