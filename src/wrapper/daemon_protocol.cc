#include "wrapper/daemon_protocol.h"

#include <algorithm>
#include <cstring>
#include <iterator>

#include "base/bytes.h"
#include "base/frame.h"
#include "config/options.h"

namespace kache {
namespace {

constexpr std::string_view kOutboxMagic = "KOUTBX01";
constexpr size_t kFrameHead = 4 + 1 + 8;

// Which options a remote depends on: all of these tables, and a few of [cache].
constexpr std::string_view kTables[] = {"cache.remote.", "cache.planner.", "remote."};
constexpr std::string_view kKeys[] = {"cache.remotes", "cache.local_only", "cache.remote_readonly", "cache.compression_level",
                                      "cache.s3_concurrency", "cache.remote_restore_timeout_secs",
                                      "cache.remote_negative_ttl_secs", "cache.daemon_idle_timeout_secs",
                                      "cache.prefetch_enabled", "cache.prefetch_packs", "cache.prefetch_max_keys", "cache.prefetch_max_bytes",
                                      "cache.prefetch_deadline_secs"};
constexpr std::string_view kVariables[] = {"AWS_", "KACHE_S3_"};
constexpr std::string_view kPlainVariables[] = {"HOME", "XDG_CONFIG_HOME", "PATH", "SSL_CERT_FILE", "SSL_CERT_DIR"};

bool concerns_remotes(std::string_view key) {
  return std::find(std::begin(kKeys), std::end(kKeys), key) != std::end(kKeys) ||
         std::any_of(std::begin(kTables), std::end(kTables), [&](std::string_view table) { return key.starts_with(table); });
}

bool is_wanted(std::string_view variable) {
  return std::find(std::begin(kPlainVariables), std::end(kPlainVariables), variable) != std::end(kPlainVariables) ||
         std::any_of(std::begin(kVariables), std::end(kVariables), [&](std::string_view prefix) { return variable.starts_with(prefix); });
}

// What names a file is no secret; a variable that a URL calls its token is one, whatever its name.
bool is_secret(std::string_view variable) {
  if (!is_wanted(variable)) return true;
  if (variable.ends_with("_FILE")) return false;
  for (std::string_view word : {"KEY", "TOKEN", "SECRET", "PASS"}) {
    if (variable.find(word) != std::string_view::npos) return true;
  }
  return false;
}

// Of a URL with "token_env=NAME" in its query; "" for others.
std::string_view token_variable(std::string_view url) {
  constexpr std::string_view kName = "token_env=";
  size_t at = url.find(kName, std::min(url.find('?'), url.size()));
  if (at == std::string_view::npos) return {};
  url.remove_prefix(at + kName.size());
  return url.substr(0, url.find('&'));
}

// "redis://user:password@host" → "redis://host"
std::string without_login(const std::string& url) {
  size_t scheme = url.find("://");
  if (scheme == std::string::npos) return url;
  size_t end = url.find_first_of("/?", scheme + 3), at = url.rfind('@', end);
  if (at == std::string::npos || at < scheme + 3) return url;
  return url.substr(0, scheme + 3) + url.substr(at + 1);
}

Error malformed() { return {ErrorCode::corrupt, 0, "malformed message"}; }

void write_settings(ByteWriter& out, const RemoteSettings& settings) {
  out.varint(settings.options.size());
  for (const auto& [key, items] : settings.options) {
    out.text(key);
    out.varint(items.size());
    for (const std::string& item : items) out.text(item);
  }
  out.varint(settings.env.size());
  for (const std::string& variable : settings.env) out.text(variable);
}

RemoteSettings read_settings(ByteReader& in) {
  RemoteSettings settings;
  uint64_t options = in.count(2);
  for (uint64_t i = 0; i < options && in.ok(); ++i) {
    std::string key(in.text());
    std::vector<std::string> items(in.count(1));
    for (std::string& item : items) item = in.text();
    settings.options.emplace_back(std::move(key), std::move(items));
  }
  uint64_t variables = in.count(1);
  for (uint64_t i = 0; i < variables && in.ok(); ++i) settings.env.emplace_back(in.text());
  return settings;
}

void write_build(ByteWriter& out, const AskingBuild& build) {
  for (const std::string& text : {build.session, build.root, build.space}) out.text(text);
}

AskingBuild read_build(ByteReader& in) {
  AskingBuild build;
  for (std::string* text : {&build.session, &build.root, &build.space}) *text = in.text();
  return build;
}

template <typename T>
Result<T> finished(const ByteReader& in, T value) {
  if (!in.ok() || !in.at_end()) return malformed();
  return value;
}

}  // namespace

std::string encode_frame(const DaemonFrame& frame) {
  ByteWriter out;
  out.u32(static_cast<uint32_t>(frame.payload.size() + kFrameHead - 4));
  out.u8(static_cast<uint8_t>(frame.type));
  out.u64(frame.id);
  out.raw(frame.payload);
  return std::move(out).take();
}

Result<bool> take_frame(std::string& bytes, DaemonFrame& frame) {
  if (bytes.size() < 4) return false;
  ByteReader in(bytes);
  uint32_t size = in.u32();
  if (size < kFrameHead - 4) return malformed();
  if (size > kMaxDaemonFrame) return Error{ErrorCode::too_large, 0, "message of " + std::to_string(size) + " bytes"};
  if (bytes.size() < 4 + size_t{size}) return false;
  frame.type = static_cast<MessageType>(in.u8());
  frame.id = in.u64();
  frame.payload = in.raw(size + 4 - kFrameHead);
  bytes.erase(0, 4 + size_t{size});
  return true;
}

RemoteSettings remote_settings(const Config& config, const Env& env) {
  RemoteSettings settings;
  static const Config kDefaults;
  for (size_t i = 0; i < option_count(); ++i) {
    const Option& option = options()[i];
    if (!concerns_remotes(option.key)) continue;
    OptionValue value = option_value(option, config);
    if (value != option_value(option, kDefaults)) settings.options.emplace_back(option.key, std::move(value));
  }
  for (const std::string& variable : env.entries()) {
    if (is_wanted(std::string_view(variable).substr(0, variable.find('=')))) settings.env.push_back(variable);
  }
  for (const std::string& url : config.remotes) {
    std::string_view name = token_variable(url);
    const char* token = name.empty() || is_wanted(name) ? nullptr : env.get(name);
    if (token) settings.env.push_back(std::string(name) + "=" + token);
  }
  std::sort(settings.env.begin(), settings.env.end());
  return settings;
}

RemoteSettings without_secrets(const RemoteSettings& settings) {
  RemoteSettings open = settings;
  for (auto& [key, items] : open.options) {
    for (std::string& item : items) item = without_login(item);
  }
  std::erase_if(open.options, [](const auto& option) { return option.first == "cache.planner.token"; });
  std::erase_if(open.env, [](const std::string& variable) { return is_secret(std::string_view(variable).substr(0, variable.find('='))); });
  return open;
}

Digest fingerprint(const RemoteSettings& settings) { return Hasher().field("remote settings", encode(settings)).finish(); }

Config config_of(const RemoteSettings& settings) {
  Config config;
  Env env(settings.env);
  for (const auto& [key, items] : settings.options) {
    const Option* option = find_option(key);
    if (!option || !option->is_used() || !concerns_remotes(key)) continue;
    if (option->is_list()) (void)set_option_list(*option, items, env, config);
    else if (items.size() == 1) (void)set_option(*option, items.front(), env, config);
  }
  return config;
}

std::string encode(const RemoteSettings& settings) {
  ByteWriter out;
  write_settings(out, settings);
  return std::move(out).take();
}

Result<RemoteSettings> decode_settings(std::string_view bytes) {
  ByteReader in(bytes);
  RemoteSettings settings = read_settings(in);
  return finished(in, std::move(settings));
}

std::string encode(const FetchRequest& request) {
  ByteWriter out;
  out.u8(request.what);
  out.digest(request.key);
  out.u32(request.deadline_ms);
  write_settings(out, request.settings);
  write_build(out, request.build);
  return std::move(out).take();
}

Result<FetchRequest> decode_fetch(std::string_view bytes) {
  ByteReader in(bytes);
  FetchRequest request;
  uint8_t what = in.u8();
  if (what > FetchRequest::record) in.fail();
  request.what = static_cast<FetchRequest::What>(what);
  request.key = in.digest();
  request.deadline_ms = in.u32();
  request.settings = read_settings(in);
  request.build = read_build(in);
  return finished(in, std::move(request));
}

std::string encode(const BuildRequest& request) {
  ByteWriter out;
  write_settings(out, request.settings);
  write_build(out, request.build);
  return std::move(out).take();
}

Result<BuildRequest> decode_announce(std::string_view bytes) {
  ByteReader in(bytes);
  BuildRequest request;
  request.settings = read_settings(in);
  request.build = read_build(in);
  return finished(in, std::move(request));
}

std::string encode(const FetchReply& reply) {
  ByteWriter out;
  out.u8(reply.kind);
  out.text(reply.reason);
  return std::move(out).take();
}

Result<FetchReply> decode_fetch_reply(std::string_view bytes) {
  ByteReader in(bytes);
  FetchReply reply;
  uint8_t kind = in.u8();
  if (kind > FetchReply::suppressed) in.fail();
  reply.kind = static_cast<FetchReply::Kind>(kind);
  reply.reason = in.text();
  return finished(in, std::move(reply));
}

std::string encode(const PublishRequest& request) {
  ByteWriter out;
  out.digest(request.key.digest);
  write_settings(out, request.settings);
  return std::move(out).take();
}

Result<PublishRequest> decode_publish(std::string_view bytes) {
  ByteReader in(bytes);
  PublishRequest request;
  request.key.digest = in.digest();
  request.settings = read_settings(in);
  return finished(in, std::move(request));
}

std::string encode(const StopRequest& request) {
  ByteWriter out;
  out.u32(request.drain_ms);
  return std::move(out).take();
}

Result<StopRequest> decode_stop(std::string_view bytes) {
  ByteReader in(bytes);
  StopRequest request{in.u32()};
  return finished(in, request);
}

std::string encode_outgoing(const Outgoing& outgoing) {
  ByteWriter out;
  out.digest(outgoing.key.digest);
  out.i64(outgoing.created_ns);
  out.digest(outgoing.with_secrets);
  write_settings(out, outgoing.settings);
  out.text(outgoing.failure);
  return seal_frame(kOutboxMagic, std::move(out).take());
}

Result<Outgoing> decode_outgoing(std::string_view bytes) {
  ByteReader in(KACHE_TRY(open_frame(kOutboxMagic, bytes)));
  Outgoing outgoing;
  outgoing.key.digest = in.digest();
  outgoing.created_ns = in.i64();
  outgoing.with_secrets = in.digest();
  outgoing.settings = read_settings(in);
  outgoing.failure = in.text();
  return finished(in, std::move(outgoing));
}

}  // namespace kache
