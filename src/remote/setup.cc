#include "remote/setup.h"

#include <algorithm>

#include "base/path.h"
#include "remote/compress.h"

namespace kache {
namespace {

Error bad(std::string what) { return {ErrorCode::invalid, 0, std::move(what)}; }

// `[cache.remote]`, as the Rust program reads it.
Result<RemoteSpec> table_of(const Config& config) {
  RemoteSpec spec;
  std::string type = config.remote_type;
  std::transform(type.begin(), type.end(), type.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  bool has_s3 = !config.s3_bucket.empty() || !config.s3_endpoint.empty();
  bool has_path = !config.remote_path.empty() || !config.remote_write_dir.empty();
  if (type.empty()) type = has_path && !has_s3 ? "filesystem" : "s3";
  if (type == "fs") type = "filesystem";
  if (type != "s3" && type != "filesystem") return bad("cache.remote.type: expected s3 or filesystem; other engines are URLs in cache.remotes");
  if (has_s3 && has_path) return bad("cache.remote: a bucket and a path; keep one, or list both in cache.remotes");
  Result<std::string> prefix = normalise_prefix(config.s3_prefix);
  if (!prefix.ok()) return std::move(prefix).error().in("cache.remote.prefix");
  spec.prefix = std::move(prefix).value();
  if (type == "filesystem") {
    if (config.remote_path.empty()) return bad("cache.remote.path: not set");
    if (!is_absolute(config.remote_path)) return bad("cache.remote.path: expected an absolute path");
    spec.engine = Engine::directory;
    spec.place = tidy_path(config.remote_path);
    if (!config.remote_write_dir.empty()) spec.options["atomic_write_dir"] = config.remote_write_dir;
    return spec;
  }
  if (config.s3_bucket.empty()) return bad("cache.remote.bucket: not set");
  spec.engine = Engine::s3;
  spec.place = config.s3_bucket;
  if (spec.prefix.empty()) spec.prefix = "artifacts";  // as the Rust program
  if (!config.s3_endpoint.empty()) spec.options["endpoint"] = config.s3_endpoint;
  if (!config.s3_region.empty()) spec.options["region"] = config.s3_region;
  if (!config.s3_profile.empty()) spec.options["profile"] = config.s3_profile;
  return spec;
}

}  // namespace

Result<std::vector<RemoteSpec>> resolve_remotes(const Config& config) {
  std::vector<RemoteSpec> specs;
  if (config.local_only) return specs;
  for (const std::string& url : config.remotes) {
    Result<RemoteSpec> spec = parse_remote_url(url);
    // Without the URL: it may hold a password.
    if (!spec.ok()) return std::move(spec).error().in("cache.remotes, number " + std::to_string(specs.size() + 1));
    specs.push_back(std::move(spec).value());
  }
  bool has_table = !config.remote_type.empty() || !config.s3_bucket.empty() || !config.s3_endpoint.empty() || !config.remote_path.empty() ||
                   !config.remote_write_dir.empty();
  if (has_table) specs.push_back(KACHE_TRY(table_of(config)));
  for (RemoteSpec& spec : specs) spec.writes = spec.writes && !config.remote_readonly;
  return specs;
}

Result<std::shared_ptr<RemoteSetup>> set_up_remotes(const Config& config, const Env& env, Clock& clock, const std::string& spool_dir) {
  std::vector<RemoteSpec> specs = KACHE_TRY(resolve_remotes(config));
  if (specs.empty()) return bad("no remote is configured");
  auto setup = std::make_shared<RemoteSetup>();
  for (const std::string& text : config.trusted_keys) {
    Result<PublicKey> key = parse_public_key(text);
    if (!key.ok()) return std::move(key).error().in("remote.trusted_keys");
    setup->exchange.trust.keys.push_back(*key);
  }
  setup->exchange.trust.requires_signature = config.require_signature || !config.trusted_keys.empty();
  if (!config.sign_with.empty()) {
    Result<SigningKey> key = SigningKey::load(config.sign_with);
    if (!key.ok()) return std::move(key).error().in("remote.sign_with");
    setup->signer = *key;
    setup->exchange.signer = &*setup->signer;
    // One's own results are good enough for oneself.
    setup->exchange.trust.keys.push_back(setup->signer->public_key());
  }
  setup->exchange.level = static_cast<int>(std::clamp<uint64_t>(config.compression_level, kLowestLevel, kHighestLevel));
  setup->timeout_ns = config.remote_timeout_secs == 0 ? int64_t{3600} * 1'000'000'000 : static_cast<int64_t>(config.remote_timeout_secs) * 1'000'000'000;
  for (const RemoteSpec& spec : specs) {
    setup->description += (setup->description.empty() ? "" : ", ") + spec.description();
    setup->can_read = setup->can_read || spec.reads;
    setup->can_write = setup->can_write || spec.writes;
  }
  TiersSettings tiers;
  tiers.guard.negative.ttl_ns = static_cast<int64_t>(config.remote_negative_ttl_secs) * 1'000'000'000;
  tiers.spool_dir = spool_dir;
  setup->remote = KACHE_TRY(open_tiers(specs, env, clock, tiers));
  return setup;
}

}  // namespace kache
