// A server that takes PUT, GET, HEAD and DELETE below a URL: nginx with dav, Apache, Artifactory, anything made for build
// caches. Where it is a WebDAV server, missing collections are made (MKCOL) and listed (PROPFIND).
//
// `layout=bazel` is for the HTTP cache of bazel-remote and its like, which know only /ac/ and /cas/ and 64 digits behind:
// all objects go to /ac/<digest of the name>. Its /cas/ wants SHA-256, which is not what our objects are named by.
#include "remote/http_remote.h"

#include "remote/dav_answer.h"
#include "remote/http_answer.h"
#include "remote/url.h"

namespace kache {
namespace {

constexpr uint64_t kMaxListing = 256u << 20;  // bytes of one PROPFIND answer
constexpr uint64_t kMaxListed = 1'000'000;     // names of one list(), ours or not

constexpr std::string_view kAsked =
    "<?xml version=\"1.0\"?><propfind xmlns=\"DAV:\"><prop><resourcetype/><getcontentlength/><getlastmodified/></prop></propfind>";

struct Access {
  std::string origin;  // "https://host:port"
  std::string base;    // path of what all names stand below, percent-encoded, with slashes at both ends
  std::string place;  // for people
  std::string user, password;
  std::string token;
  bool is_bazel = false;
};

class HttpRemote final : public Remote {
 public:
  HttpRemote(Http& http, Access access) : http_(http), access_(std::move(access)) {}

  std::string description() const override { return access_.place; }

  Result<std::string> get(const ObjectName& name, Sink& sink, const Limits& limits) override {
    HttpRequest request = request_for("GET", url_of(name));
    AnswerSink counted(sink);
    request.sink = &counted;
    request.follows_redirects = true;
    HttpResponse response = KACHE_TRY(http_.perform(request, limits));
    if (response.status != 200) return unexpected(response);
    KACHE_TRY(counted.check_length(access_.place, response));
    return header_of(response, "etag");
  }

  Status put(const ObjectName& name, Source& source, const PutCondition& condition, const Limits& limits) override {
    HttpResponse response = KACHE_TRY(put_once(name, source, condition, limits));
    // WebDAV: 409 where the collection is missing. nginx says 500.
    bool may_miss_collection = response.status == 409 || response.status == 404 || response.status == 500;
    if (may_miss_collection && !access_.is_bazel && KACHE_TRY(make_collections(name, limits))) response = KACHE_TRY(put_once(name, source, condition, limits));
    if (is_success(response.status)) return Ok{};
    bool is_conflict = response.status == 412 || response.status == 409;
    bool is_gone = response.status == 404 && condition.kind == PutCondition::if_version;
    if (condition.kind != PutCondition::always && (is_conflict || is_gone)) return Error{ErrorCode::exists, 0, access_.place + ": " + name.text() + " is there already"};
    return unexpected(response);
  }

  Result<bool> has(const ObjectName& name, const Limits& limits) override {
    HttpRequest request = request_for("HEAD", url_of(name));
    request.follows_redirects = true;
    HttpResponse response = KACHE_TRY(http_.perform(request, limits));
    if (is_success(response.status)) return true;
    Error error = unexpected(response);
    if (error.code == ErrorCode::not_found) return false;
    return error;
  }

  Status remove(const ObjectName& name, const Limits& limits) override {
    HttpResponse response = KACHE_TRY(http_.perform(request_for("DELETE", url_of(name)), limits));
    if (is_success(response.status) || response.status == 404 || response.status == 410) return Ok{};
    return unexpected(response);
  }

  Status list(ObjectKind kind, const std::string& prefix, const Visit& visit, const Limits& limits) override {
    if (access_.is_bazel) return Error{ErrorCode::unsupported, 0, access_.place + ": a cache of this layout can not be listed"};
    std::string folder = kind_prefix(kind);
    if (!folder.starts_with(prefix) && !prefix.starts_with(folder)) return Ok{};
    Listing listing{prefix, visit, limits};
    return list_below(folder, 0, listing);
  }

 private:
  // A name has at most this many components behind its kind: ObjectName.
  static constexpr size_t kDeepest = 2;

  struct Listing {
    const std::string& prefix;
    const Visit& visit;
    const Limits& limits;
    uint64_t seen = 0;
  };

  std::string url_of(const ObjectName& name) const {
    if (access_.is_bazel) return access_.origin + access_.base + "ac/" + digest_bytes(name.text()).hex();
    return access_.origin + access_.base + name.text();
  }

  HttpRequest request_for(std::string method, std::string url) const {
    HttpRequest request;
    request.method = std::move(method);
    request.url = std::move(url);
    request.user = access_.user;
    request.password = access_.password;
    if (!access_.token.empty()) request.headers.push_back("Authorization: Bearer " + access_.token);
    return request;
  }

  Error unexpected(const HttpResponse& response) const {
    // 405 Method not allowed, 501 Not implemented: it can not, and will not tomorrow.
    Error error = status_error(access_.place, response);
    if (response.status == 405 || response.status == 501) error.code = ErrorCode::unsupported;
    // What it says of directories that are not there or not its own.
    if (response.status == 500) error.message += "; the server's log says why";
    return error;
  }

  Result<HttpResponse> put_once(const ObjectName& name, Source& source, const PutCondition& condition, const Limits& limits) {
    HttpRequest request = request_for("PUT", url_of(name));
    request.body = &source;
    request.headers.push_back("Content-Type: application/octet-stream");
    if (condition.kind == PutCondition::if_absent) request.headers.push_back("If-None-Match: *");
    if (condition.kind == PutCondition::if_version && !condition.version.empty()) request.headers.push_back("If-Match: " + condition.version);
    return http_.perform(request, limits);
  }

  // Makes the collections above an object, the deepest first: most often only that one is missing. False when the server
  // makes none, so that the first answer stands.
  Result<bool> make_collections(const ObjectName& name, const Limits& limits) {
    std::string path = access_.base + name.text();
    std::vector<std::string> missing;
    for (;;) {
      size_t slash = path.rfind('/', path.size() - 2);
      if (slash == std::string::npos || slash == 0) return false;
      path.resize(slash + 1);
      int status = KACHE_TRY(make_collection(path, limits));
      if (status == 401 || status == 403) return false;
      if (status != 409 && status != 404) {
        if (!is_made(status)) return false;
        break;
      }
      missing.push_back(path);
    }
    for (; !missing.empty(); missing.pop_back()) {
      if (!is_made(KACHE_TRY(make_collection(missing.back(), limits)))) return false;
    }
    return true;
  }

  // 405: it is there, perhaps since a moment ago.
  static bool is_made(int status) { return is_success(status) || status == 405; }

  Result<int> make_collection(const std::string& path, const Limits& limits) {
    return KACHE_TRY(http_.perform(request_for("MKCOL", access_.origin + path), limits)).status;
  }

  // Goes down where a name with `prefix` may be, by names that it has checked and never by a path of the server.
  Status list_below(const std::string& folder, size_t depth, Listing& listing) {
    std::vector<DavEntry> entries = KACHE_TRY(entries_of(folder, listing.limits));
    for (const DavEntry& entry : entries) {
      if (++listing.seen > kMaxListed) return Error{ErrorCode::too_large, 0, access_.place + ": more than a million names in the listing"};
      std::string path = folder + entry.name;
      if (!is_word(entry.name)) continue;
      if (entry.is_collection) {
        std::string below = path + "/";
        bool may_hold = below.starts_with(listing.prefix) || listing.prefix.starts_with(below);
        if (may_hold && depth + 1 < kDeepest) KACHE_TRY(list_below(below, depth + 1, listing));
        continue;
      }
      Result<ObjectName> name = ObjectName::parse(path);
      if (!name.ok() || !path.starts_with(listing.prefix)) continue;
      KACHE_TRY(listing.visit({*name, entry.size, entry.modified_ns}));
    }
    return Ok{};
  }

  Result<std::vector<DavEntry>> entries_of(const std::string& folder, const Limits& limits) {
    HttpRequest request = request_for("PROPFIND", access_.origin + access_.base + folder);
    request.headers.push_back("Depth: 1");
    request.headers.push_back("Content-Type: application/xml");
    StringSource asked(kAsked);
    request.body = &asked;
    StringSink answer;
    request.sink = &answer;
    Limits bounded = limits;
    bounded.max_bytes = kMaxListing;
    HttpResponse response = KACHE_TRY(http_.perform(request, bounded));
    if (response.status == 404) return std::vector<DavEntry>();
    // Not WebDAV: it refuses the method, or answers as if it were another one.
    if (response.status != 207) {
      Error error = unexpected(response);
      if (is_success(response.status) || response.status == 400) error.code = ErrorCode::unsupported;
      return error;
    }
    Result<std::vector<DavEntry>> entries = parse_multistatus(answer.bytes(), access_.base + folder);
    if (!entries.ok()) return std::move(entries).error().in(access_.place);
    return entries;
  }

  Http& http_;
  const Access access_;
};

}  // namespace

Result<std::unique_ptr<Remote>> make_http_remote(const RemoteSpec& spec, const Env& env, Http& http) {
  auto bad = [&](std::string what) { return Error{ErrorCode::invalid, 0, spec.description() + ": " + what}; };
  Access access;
  access.origin = spec.place;
  access.base = "/" + (spec.prefix.empty() ? "" : percent_encoded_path(spec.prefix) + "/");
  access.place = spec.description();
  access.user = spec.user;
  access.password = spec.password;
  std::string variable = spec.option("token_env"), layout = spec.option("layout");
  if (!layout.empty() && layout != "bazel" && layout != "plain") return bad("layout=" + layout + "; expected plain or bazel");
  access.is_bazel = layout == "bazel";
  if (!variable.empty()) {
    access.token = env.get_or_empty(variable);
    if (access.token.empty()) return bad("token_env names " + variable + ", which is not set");
    if (access.token.find_first_of("\r\n") != std::string::npos) return bad("the token in " + variable + " has more than one line");
    if (!access.user.empty()) return bad("token_env and a login in the URL; only one of them can be sent");
  }
  return std::unique_ptr<Remote>(std::make_unique<HttpRemote>(http, std::move(access)));
}

Result<std::unique_ptr<Remote>> open_http_remote(const RemoteSpec& spec, const Env& env) { return make_http_remote(spec, env, curl_http(env)); }

}  // namespace kache
