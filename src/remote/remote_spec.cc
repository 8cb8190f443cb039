#include "remote/remote_spec.h"

#include <algorithm>
#include <charconv>
#include <iterator>

#include "base/path.h"

namespace kache {
namespace {

struct SchemeRow {
  std::string_view scheme;
  Engine engine;
};
constexpr SchemeRow kSchemes[] = {
    {"file", Engine::directory}, {"s3", Engine::s3},         {"http", Engine::http},
    {"https", Engine::http},     {"redis", Engine::redis},   {"rediss", Engine::redis},
    {"redis+unix", Engine::redis},
};

// What may stand in the query.
struct QueryRow {
  std::string_view name;
  std::initializer_list<Engine> engines;
};
const QueryRow kQuery[] = {
    {"endpoint", {Engine::s3}},
    {"region", {Engine::s3}},
    {"profile", {Engine::s3}},
    {"style", {Engine::s3}},
    {"atomic_write_dir", {Engine::directory}},
    {"token_env", {Engine::http}},
    {"layout", {Engine::http}},
    {"ttl", {Engine::redis}},
    {"prefix", {Engine::redis}},
    {"largest", {Engine::redis}},
};

Error bad(std::string what) { return {ErrorCode::invalid, 0, std::move(what)}; }

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Result<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1, low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0 || (high == 0 && low == 0)) return bad("a % that is not followed by two hexadecimal digits");
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

std::string_view take_until(std::string_view& rest, char end) {
  size_t at = rest.find(end);
  std::string_view part = rest.substr(0, at);
  rest = at == std::string_view::npos ? std::string_view() : rest.substr(at + 1);
  return part;
}

Status read_query(std::string_view query, RemoteSpec& spec) {
  while (!query.empty()) {
    std::string_view value = take_until(query, '&');
    std::string name(take_until(value, '='));
    std::string text = KACHE_TRY(percent_decoded(value));
    if (name == "mode") {
      if (text != "read" && text != "write" && text != "read-write") return bad("mode=" + text + "; expected read, write or read-write");
      spec.reads = text != "write";
      spec.writes = text != "read";
      continue;
    }
    auto row = std::find_if(std::begin(kQuery), std::end(kQuery), [&](const QueryRow& one) { return one.name == name; });
    bool fits = row != std::end(kQuery) && std::find(row->engines.begin(), row->engines.end(), spec.engine) != row->engines.end();
    if (!fits) return bad("unknown setting " + name + " in the query");
    spec.options[name] = std::move(text);
  }
  return Ok{};
}

// [user[:password]@]host[:port]
Status read_authority(std::string_view authority, RemoteSpec& spec, bool keeps_port) {
  size_t at = authority.rfind('@');
  if (at != std::string_view::npos) {
    std::string_view login = authority.substr(0, at);
    std::string_view user = take_until(login, ':');
    spec.user = KACHE_TRY(percent_decoded(user));
    spec.password = KACHE_TRY(percent_decoded(login));
    authority.remove_prefix(at + 1);
  }
  size_t colon = authority.rfind(':');
  if (!keeps_port && colon != std::string_view::npos && authority.back() != ']') {
    std::string_view port = authority.substr(colon + 1);
    auto [end, failed] = std::from_chars(port.data(), port.data() + port.size(), spec.port);
    if (failed != std::errc() || end != port.data() + port.size() || spec.port == 0) return bad("port " + std::string(port));
    authority = authority.substr(0, colon);
  }
  if (authority.starts_with('[') && authority.ends_with(']') && !keeps_port) authority = authority.substr(1, authority.size() - 2);
  if (authority.empty()) return bad("no host");
  spec.place = authority;
  return Ok{};
}

}  // namespace

Result<std::string> normalise_prefix(std::string_view prefix) {
  std::string out;
  while (!prefix.empty()) {
    std::string_view part = take_until(prefix, '/');
    if (part.empty()) continue;
    if (part == "." || part == ".." || part.find('\\') != std::string_view::npos) return bad("prefix with " + std::string(part));
    if (std::any_of(part.begin(), part.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; })) {
      return bad("prefix with a control character");
    }
    out.append(out.empty() ? "" : "/").append(part);
  }
  return out;
}

std::string RemoteSpec::option(const std::string& name) const {
  auto found = options.find(name);
  return found == options.end() ? "" : found->second;
}

std::string RemoteSpec::description() const {
  std::string below = prefix.empty() ? "" : "/" + prefix;
  switch (engine) {
    case Engine::directory: return "directory " + place + below;
    case Engine::s3: return "s3://" + place + below + (option("endpoint").empty() ? "" : " at " + option("endpoint"));
    case Engine::http: return place + below;
    case Engine::redis:
      if (is_absolute(place)) return "redis at " + place;
      return "redis://" + place + (port ? ":" + std::to_string(port) : "") + below;
  }
  return place;
}

Result<RemoteSpec> parse_remote_url(std::string_view url) {
  RemoteSpec spec;
  if (is_absolute(url)) {
    spec.place = tidy_path(url);
    return spec;
  }
  size_t colon = url.find("://");
  std::string_view scheme = url.substr(0, colon == std::string_view::npos ? 0 : colon);
  auto row = std::find_if(std::begin(kSchemes), std::end(kSchemes), [&](const SchemeRow& one) { return one.scheme == scheme; });
  if (row == std::end(kSchemes)) return bad("expected a path, or a URL of s3, http, https, redis, rediss, redis+unix or file");
  spec.engine = row->engine;
  std::string_view rest = url.substr(colon + 3);
  std::string_view path = take_until(rest, '?');
  KACHE_TRY(read_query(rest, spec));
  if (path.find('#') != std::string_view::npos) return bad("a # in the URL");
  if (spec.engine == Engine::directory || scheme == "redis+unix") {
    std::string decoded = KACHE_TRY(percent_decoded(path));
    if (!is_absolute(decoded)) return bad("expected an absolute path behind " + std::string(scheme) + "://");
    spec.place = tidy_path(decoded);
    if (spec.engine == Engine::redis) spec.prefix = KACHE_TRY(normalise_prefix(spec.option("prefix")));
    return spec;
  }
  std::string_view authority = take_until(path, '/');
  KACHE_TRY(read_authority(authority, spec, spec.engine != Engine::redis));
  std::string below = KACHE_TRY(percent_decoded(path));
  if (spec.engine == Engine::redis) {
    if (!below.empty() && !std::all_of(below.begin(), below.end(), [](char c) { return c >= '0' && c <= '9'; })) {
      return bad("expected the number of a database behind the host");
    }
    if (!below.empty()) spec.options["database"] = below;
    if (scheme == "rediss") spec.options["tls"] = "1";
    spec.prefix = KACHE_TRY(normalise_prefix(spec.option("prefix")));
    return spec;
  }
  spec.prefix = KACHE_TRY(normalise_prefix(below));
  if (spec.engine == Engine::http) spec.place = std::string(scheme) + "://" + spec.place;
  if (spec.option("endpoint").find('@') != std::string::npos) return bad("a login in the endpoint; credentials of S3 come from variables and profiles");
  std::string style = spec.option("style");
  if (!style.empty() && style != "path" && style != "virtual") return bad("style=" + style + "; expected path or virtual");
  return spec;
}

}  // namespace kache
