// S3 and what speaks like it: AWS, Ceph, MinIO, R2. Requests are signed by libcurl; over plain HTTP the body's hash is signed
// too, over HTTPS the line protects it (and what is read is checked by its digest anyhow).
//
// Conditional writes are newer than most installations: a server that answers "not implemented" to one is remembered, and gets
// plain ones.
#include "remote/s3_remote.h"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <unordered_set>

#include "remote/aws_sign.h"
#include "remote/http_answer.h"
#include "remote/limits.h"
#include "remote/s3_answer.h"
#include "remote/url.h"

namespace kache {
namespace {

constexpr uint64_t kMaxListed = 1'000'000;
constexpr int64_t kListNs = int64_t{600} * 1'000'000'000;
constexpr uint64_t kMaxPage = 16u << 20;
constexpr int kMaxEmptyPages = 100;  // in a row: a page may be empty, an endless row of them is no listing

// What S3 calls it, where the status alone says too little or the wrong thing.
struct CodeRow {
  std::string_view code;
  ErrorCode error;
  std::string_view text;
};
constexpr CodeRow kCodes[] = {
    {"NoSuchBucket", ErrorCode::invalid, "there is no such bucket"},
    {"InvalidBucketName", ErrorCode::invalid, "no name of a bucket"},
    {"AllAccessDisabled", ErrorCode::denied, "all access to the bucket is disabled"},
    {"AccessDenied", ErrorCode::denied, "the credentials do not allow it"},
    {"InvalidAccessKeyId", ErrorCode::denied, "the access key is not known there"},
    {"SignatureDoesNotMatch", ErrorCode::denied, "the secret key does not fit the access key"},
    {"ExpiredToken", ErrorCode::denied, "the credentials have expired"},
    {"TokenRefreshRequired", ErrorCode::denied, "the credentials have expired"},
    {"InvalidToken", ErrorCode::denied, "the session token is not accepted"},
    {"RequestTimeTooSkewed", ErrorCode::denied, "the clocks of this machine and of the server differ by more than 15 minutes; set them"},
    {"RequestExpired", ErrorCode::denied, "the clocks of this machine and of the server differ by more than 15 minutes; set them"},
    {"AuthorizationHeaderMalformed", ErrorCode::invalid, "another region is expected; set region="},
    {"PermanentRedirect", ErrorCode::invalid, "the bucket is in another region or at another endpoint"},
    {"IllegalLocationConstraintException", ErrorCode::invalid, "the bucket is in another region"},
    {"EntityTooLarge", ErrorCode::too_large, "too large for the server"},
    {"QuotaExceeded", ErrorCode::no_space, "the quota is used up"},
    {"XMinioStorageFull", ErrorCode::no_space, "the server has no space left"},
    {"SlowDown", ErrorCode::io, "too many requests"},
    {"RequestTimeout", ErrorCode::io, "the server waited too long"},
};

struct Bucket {
  std::string url;    // "https://host/bucket" or "https://bucket.host": objects are below it
  std::string below;  // of all names: "prefix/" or ""
  std::string region;
  std::string place;  // for people
};

bool is_condition_refused(const HttpResponse& response, const S3Error& said) {
  return response.status == 501 || said.code == "NotImplemented" || (response.status == 400 && said.code == "InvalidArgument");
}

bool has_expired(const S3Error& said) {
  return said.code == "ExpiredToken" || said.code == "TokenRefreshRequired" || said.code == "InvalidToken" || said.code == "InvalidAccessKeyId";
}

class S3Remote final : public Remote {
 public:
  S3Remote(Bucket bucket, const std::string& profile, const Env& env, CredentialSeams seams)
      : http_(seams.http), bucket_(std::move(bucket)), credentials_(profile, bucket_.region, env, seams) {}

  std::string description() const override { return bucket_.place; }

  Result<std::string> get(const ObjectName& name, Sink& sink, const Limits& limits) override {
    AnswerSink counted(sink);
    HttpRequest request = request_for("GET", name);
    request.sink = &counted;
    HttpResponse response = KACHE_TRY(send(request, limits));
    if (response.status != 200) return unexpected(response);
    KACHE_TRY(counted.check_length(bucket_.place, response));
    return header_of(response, "etag");
  }

  Status put(const ObjectName& name, Source& source, const PutCondition& condition, const Limits& limits) override {
    std::string header = header_for(condition);
    bool conditional = !header.empty() && !no_conditions_.load(std::memory_order_relaxed);
    HttpResponse response = KACHE_TRY(put_once(name, source, conditional ? header : "", limits));
    if (conditional && response.status == 409) response = KACHE_TRY(put_once(name, source, header, limits));  // another one was under way
    // Ceph compares with the bare ETag, all others with the quoted one that they give out.
    bool is_quoted = condition.version.size() > 2 && condition.version.front() == '"' && condition.version.back() == '"';
    if (conditional && response.status == 412 && condition.kind == PutCondition::if_version && is_quoted) {
      std::string bare = condition.version.substr(1, condition.version.size() - 2);
      response = KACHE_TRY(put_once(name, source, header_for({PutCondition::if_version, bare}), limits));
    }
    S3Error said = parse_s3_error(response.error_body);
    if (conditional && is_condition_refused(response, said)) {
      conditional = false;
      response = KACHE_TRY(put_once(name, source, "", limits));
      if (is_success(response.status)) no_conditions_.store(true, std::memory_order_relaxed);
      said = parse_s3_error(response.error_body);
    }
    if (is_success(response.status)) return Ok{};
    bool is_gone = condition.kind == PutCondition::if_version && response.status == 404 && said.code != "NoSuchBucket";
    if (conditional && (response.status == 412 || response.status == 409 || is_gone)) {
      return Error{ErrorCode::exists, 0, bucket_.place + ": " + name.text() + " is there already"};
    }
    return unexpected(response);
  }

  Result<bool> has(const ObjectName& name, const Limits& limits) override {
    HttpRequest request = request_for("HEAD", name);
    HttpResponse response = KACHE_TRY(send(request, limits));
    if (is_success(response.status)) return true;
    if (response.status == 404) return false;  // without a body it can not be told from a missing bucket
    return unexpected(response);
  }

  Status remove(const ObjectName& name, const Limits& limits) override {
    HttpRequest request = request_for("DELETE", name);
    HttpResponse response = KACHE_TRY(send(request, limits));
    if (is_success(response.status)) return Ok{};
    Error error = unexpected(response);
    if (error.code == ErrorCode::not_found) return Ok{};
    return error;
  }

  Status list(ObjectKind kind, const std::string& prefix, const Visit& visit, const Limits& limits) override {
    std::string of_kind = kind_prefix(kind);
    if (!of_kind.starts_with(prefix) && !prefix.starts_with(of_kind)) return Ok{};
    const std::string& longer = prefix.size() > of_kind.size() ? prefix : of_kind;
    Limits bounded = limits;
    bounded.max_bytes = kMaxPage;
    bounded.deadline_ns = limits.deadline_ns == INT64_MAX ? system_clock().monotonic_ns() + kListNs : std::min(limits.deadline_ns, system_clock().monotonic_ns() + kListNs);
    Progress progress;
    std::string token;
    do {
      S3Page page = KACHE_TRY(read_page(longer, token, bounded));
      KACHE_TRY(check_progress(page, progress));
      for (const S3Key& key : page.keys) {
        std::string_view text = key.key;
        if (!text.starts_with(bucket_.below)) continue;
        text.remove_prefix(bucket_.below.size());
        Result<ObjectName> name = ObjectName::parse(text);
        if (!text.starts_with(longer) || !name.ok()) continue;
        KACHE_TRY(visit({*name, key.size, key.modified_ns}));
      }
      token = std::move(page.next_token);
    } while (!token.empty());
    return Ok{};
  }

 private:
  struct Progress {
    std::string last_key;
    std::unordered_set<std::string> tokens;
    uint64_t keys = 0;
    int empty_pages = 0;
  };

  // Keys come in order and a token comes once: what does otherwise never ends.
  Status check_progress(const S3Page& page, Progress& progress) const {
    auto broken = [&](std::string what) { return Error{ErrorCode::corrupt, 0, bucket_.place + ": " + what}; };
    progress.keys += page.keys.size();
    if (progress.keys > kMaxListed) return Error{ErrorCode::too_large, 0, bucket_.place + ": more than a million names in the listing"};
    if (!page.keys.empty() && !progress.last_key.empty() && page.keys.front().key <= progress.last_key) return broken("the listing makes no progress");
    if (!page.keys.empty()) progress.last_key = page.keys.back().key;
    progress.empty_pages = page.keys.empty() ? progress.empty_pages + 1 : 0;
    if (progress.empty_pages > kMaxEmptyPages) return broken("the listing makes no progress");
    if (!page.next_token.empty() && !progress.tokens.insert(page.next_token).second) return broken("the listing repeats itself");
    return Ok{};
  }

  Result<S3Page> read_page(const std::string& prefix, const std::string& token, const Limits& limits) {
    // In the order of the names, as the signature wants them.
    std::string query = token.empty() ? "" : "continuation-token=" + percent_encoded(token) + "&";
    query += "encoding-type=url&list-type=2&prefix=" + percent_encoded(bucket_.below + prefix);
    HttpRequest request;
    request.url = bucket_.url + "/?" + query;
    StringSink answer;
    request.sink = &answer;
    HttpResponse response = KACHE_TRY(send(request, limits));
    if (response.status != 200) {
      Error error = unexpected(response);
      if (error.code == ErrorCode::not_found) error.code = ErrorCode::invalid;  // the bucket: an absent prefix is an empty page
      return error;
    }
    Result<S3Page> page = parse_s3_page(answer.bytes());
    if (!page.ok()) return std::move(page).error().in(bucket_.place);
    return page;
  }

  HttpRequest request_for(std::string method, const ObjectName& name) const {
    HttpRequest request;
    request.method = std::move(method);
    request.url = bucket_.url + "/" + percent_encoded_path(bucket_.below + name.text());
    return request;
  }

  static std::string header_for(const PutCondition& condition) {
    if (condition.kind == PutCondition::if_absent) return "If-None-Match: *";
    if (condition.kind == PutCondition::if_version && !condition.version.empty()) return "If-Match: " + condition.version;
    return "";
  }

  Result<HttpResponse> put_once(const ObjectName& name, Source& source, const std::string& condition, const Limits& limits) {
    HttpRequest request = request_for("PUT", name);
    request.body = &source;
    request.headers.push_back("Content-Type: application/octet-stream");
    if (!condition.empty()) request.headers.push_back(condition);
    return send(request, limits);
  }

  // Signs and sends. Credentials that the server calls expired are made anew, once.
  Result<HttpResponse> send(const HttpRequest& request, const Limits& limits) {
    KACHE_TRY(still_wanted(limits));
    S3Credentials by = KACHE_TRY(credentials(limits));
    HttpResponse response = KACHE_TRY(send_as(request, by, limits));
    bool is_refused = response.status == 403 || response.status == 401 || response.status == 400;
    if (!is_refused || by.is_anonymous()) return response;
    bool can_say_why = request.method != "HEAD";
    if (can_say_why && !has_expired(parse_s3_error(response.error_body))) return response;
    if (!can_say_why && by.expires_ns == INT64_MAX) return response;
    credentials_.refuse(by, can_say_why);
    Result<S3Credentials> anew = credentials_.get(limits);
    bool is_new = anew.ok() && (anew->access_key != by.access_key || anew->session_token != by.session_token);
    if (!is_new) return response;  // what the server says is why
    return send_as(request, *anew, limits);
  }

  Result<S3Credentials> credentials(const Limits& limits) {
    Result<S3Credentials> found = credentials_.get(limits);
    if (!found.ok()) return std::move(found).error().in(bucket_.place);
    return found;
  }

  Result<HttpResponse> send_as(HttpRequest request, const S3Credentials& by, const Limits& limits) {
    AwsSignature signature{bucket_.region, "s3", "", ""};
    std::string payload = sha256_hex("");
    if (request.body && request.url.starts_with("https:")) payload = kUnsignedPayload;
    else if (request.body && !by.is_anonymous()) payload = KACHE_TRY(sha256_hex(*request.body));
    sign(request, signature, by, payload);
    return http_.perform(request, limits);
  }

  Error unexpected(const HttpResponse& response) const {
    S3Error said = parse_s3_error(response.error_body);
    auto row = std::find_if(std::begin(kCodes), std::end(kCodes), [&](const CodeRow& one) { return one.code == said.code; });
    std::string region = said.region.empty() ? header_of(response, "x-amz-bucket-region") : said.region;
    if (row == std::end(kCodes)) return status_error(bucket_.place, response, said.code.empty() ? "" : said.code + ": " + said.message);
    Error error = status_error(bucket_.place, response, said.code + ": " + std::string(row->text) + (region.empty() || row->error != ErrorCode::invalid ? "" : ": " + region));
    error.code = row->error;
    return error;
  }

  Http& http_;
  const Bucket bucket_;
  CredentialChain credentials_;
  std::atomic<bool> no_conditions_ = false;
};

// It becomes a part of a URL, and of a host's name.
bool is_bucket(std::string_view name) { return name.size() >= 3 && is_word(name) && name.find("..") == std::string_view::npos; }

Result<Bucket> read_bucket(const RemoteSpec& spec, const Env& env) {
  auto bad = [&](std::string what) { return Error{ErrorCode::invalid, 0, spec.description() + ": " + what}; };
  if (!is_bucket(spec.place)) return bad("no name of a bucket");
  Bucket bucket;
  std::string endpoint = spec.option("endpoint"), style = spec.option("style");
  for (const char* variable : {"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"}) {
    if (endpoint.empty()) endpoint = env.get_or_empty(variable);
  }
  // The region of the environment is one of AWS, and says nothing about other servers.
  bucket.region = spec.option("region");
  for (const char* variable : {"AWS_REGION", "AWS_DEFAULT_REGION"}) {
    if (bucket.region.empty() && endpoint.empty()) bucket.region = env.get_or_empty(variable);
  }
  if (bucket.region.empty()) bucket.region = "us-east-1";
  if (!is_word(bucket.region)) return bad("region=" + bucket.region);
  bool is_virtual = style.empty() ? endpoint.empty() && spec.place.find('.') == std::string::npos : style == "virtual";
  if (endpoint.empty()) endpoint = "https://s3." + bucket.region + ".amazonaws.com";
  while (endpoint.ends_with('/') && !endpoint.ends_with("://")) endpoint.pop_back();
  if (endpoint.find("://") == std::string::npos) endpoint = "https://" + endpoint;
  if (!endpoint.starts_with("https://") && !endpoint.starts_with("http://")) return bad("endpoint=" + endpoint + "; expected http:// or https://");
  if (host_of(endpoint).empty() || endpoint.find_first_of("@?# \r\n") != std::string::npos) return bad("endpoint=" + host_of(endpoint) + "; expected only a host, a port and a path");
  if (is_virtual && !path_of(endpoint).empty()) return bad("an endpoint with a path needs style=path");
  size_t host = endpoint.find("://") + 3;
  bucket.url = is_virtual ? endpoint.substr(0, host) + spec.place + "." + endpoint.substr(host) : endpoint + "/" + spec.place;
  bucket.below = spec.prefix.empty() ? "" : spec.prefix + "/";
  bucket.place = spec.description();
  return bucket;
}

}  // namespace

Result<std::unique_ptr<Remote>> make_s3_remote(const RemoteSpec& spec, const Env& env, CredentialSeams seams) {
  Bucket bucket = KACHE_TRY(read_bucket(spec, env));
  return std::unique_ptr<Remote>(std::make_unique<S3Remote>(std::move(bucket), spec.option("profile"), env, std::move(seams)));
}

Result<std::unique_ptr<Remote>> open_s3_remote(const RemoteSpec& spec, const Env& env) {
  Env trusting = env;
  if (std::string_view bundle = env.get_or_empty("AWS_CA_BUNDLE"); !bundle.empty()) trusting.set("SSL_CERT_FILE", std::string(bundle));
  return make_s3_remote(spec, env, real_credential_seams(trusting));
}

}  // namespace kache
