#include "remote/s3_credentials.h"

#include <arpa/inet.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "remote/aws_profiles.h"
#include "remote/aws_sign.h"
#include "remote/credential_process.h"
#include "remote/http_answer.h"
#include "remote/limits.h"
#include "remote/s3_answer.h"
#include "remote/url.h"

namespace kache {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kEarlyNs = 300 * kSecond;      // before they expire, new ones are fetched
constexpr int64_t kFailureNs = 30 * kSecond;     // for so long a failure is not tried again
constexpr int64_t kMetadataNs = 2 * kSecond;     // for each request: outside of EC2 nobody answers
constexpr int64_t kProcessNs = 60 * kSecond;
constexpr uint64_t kMaxAnswer = 64 * 1024;
constexpr uint64_t kMaxTokenFile = 64 * 1024;
constexpr std::string_view kContainerHost = "http://169.254.170.2";
constexpr std::string_view kMetadataHost = "http://169.254.169.254";

// What one link of the chain gives: nothing when it does not apply.
using Link = Result<std::optional<S3Credentials>>;

Error invalid(std::string what) { return {ErrorCode::invalid, 0, std::move(what)}; }

bool is_one_line(std::string_view text) { return text.find_first_of("\r\n") == std::string_view::npos; }

Limits within(const Limits& limits, int64_t most_ns) {
  Limits bounded = limits;
  bounded.deadline_ns = std::min(limits.deadline_ns, system_clock().monotonic_ns() + most_ns);
  bounded.max_bytes = kMaxAnswer;
  return bounded;
}

// A container's credentials travel in the clear only where nobody else listens.
bool is_safe_host(std::string host) {
  size_t colon = host.rfind(':');
  if (colon != std::string::npos && host.back() != ']') host.resize(colon);
  in_addr address = {};
  if (::inet_pton(AF_INET, host.c_str(), &address) == 1 && (ntohl(address.s_addr) >> 24) == 127) return true;
  constexpr std::string_view kSafe[] = {"localhost", "[::1]", "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"};
  return std::find(std::begin(kSafe), std::end(kSafe), host) != std::end(kSafe);
}

// {"AccessKeyId": …, "SecretAccessKey": …, "SessionToken" or "Token": …, "Expiration": …}
Result<S3Credentials> parse_json_credentials(std::string_view text) {
  nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) return Error{ErrorCode::corrupt, 0, "no JSON with credentials"};
  auto field = [&](const char* name) {
    auto found = json.find(name);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  S3Credentials made{field("AccessKeyId"), field("SecretAccessKey"), field("SessionToken"), INT64_MAX};
  if (made.session_token.empty()) made.session_token = field("Token");
  if (made.access_key.empty() || made.secret_key.empty()) return Error{ErrorCode::corrupt, 0, "no AccessKeyId and SecretAccessKey in the answer"};
  std::string expires = field("Expiration");
  if (!expires.empty()) made.expires_ns = parse_utc_time(expires);
  if (made.expires_ns == 0) return Error{ErrorCode::corrupt, 0, "no time in Expiration"};
  return made;
}

// The chain for one question.
class Search {
 public:
  Search(const std::string& profile, const std::string& region, const Env& env, CredentialSeams& seams, const Limits& limits)
      : profile_(profile), region_(region), env_(env), seams_(seams), limits_(limits) {}

  Link all_links() {
    if (profile_ == "anonymous") return std::optional(S3Credentials());
    if (std::optional found = KACHE_TRY(from_variables("KACHE_S3_ACCESS_KEY", "KACHE_S3_SECRET_KEY", "KACHE_S3_SESSION_TOKEN"))) return found;
    if (!profile_.empty()) {
      std::optional found = KACHE_TRY(from_profile(profile_));
      if (!found) return invalid("profile " + profile_ + " has no credentials in it");
      return found;
    }
    for (auto link : {&Search::from_aws_variables, &Search::from_usual_profile, &Search::from_web_identity, &Search::from_container, &Search::from_metadata}) {
      if (std::optional found = KACHE_TRY((this->*link)())) return found;
    }
    return std::optional<S3Credentials>();
  }

 private:
  std::string variable(std::string_view name) const { return std::string(env_.get_or_empty(name)); }

  Link from_variables(const std::string& key, const std::string& secret, const std::string& token) {
    S3Credentials found{variable(key), variable(secret), variable(token), INT64_MAX};
    if (found.access_key.empty() && found.secret_key.empty()) return std::optional<S3Credentials>();
    if (found.access_key.empty()) return invalid(secret + " is set and " + key + " is not; set both or none");
    if (found.secret_key.empty()) return invalid(key + " is set and " + secret + " is not; set both or none");
    if (!is_one_line(found.access_key + found.secret_key + found.session_token)) return invalid(key + ", " + secret + " or " + token + " has more than one line");
    return std::optional(found);
  }

  Link from_aws_variables() { return from_variables("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"); }

  // --- profiles ---------------------------------------------------------------------------------------------------------

  Link from_usual_profile() {
    std::string name = variable("AWS_PROFILE");
    if (name.empty()) name = variable("AWS_DEFAULT_PROFILE");
    if (!name.empty()) return from_profile(name);
    Result<AwsProfiles> profiles = read_profiles(seams_.files, env_);
    if (!profiles.ok()) return std::move(profiles).error();
    if (!profiles->contains("default")) return std::optional<S3Credentials>();
    return from_profile("default");
  }

  Link from_profile(const std::string& name) {
    profiles_ = KACHE_TRY(read_profiles(seams_.files, env_));
    return resolve(name);
  }

  Link resolve(const std::string& name) {
    auto found = profiles_.find(name);
    if (found == profiles_.end()) return invalid("no profile " + name + " in the files of AWS; see AWS_SHARED_CREDENTIALS_FILE and AWS_CONFIG_FILE");
    const AwsProfile& profile = found->second;
    bool is_new = visited_.insert(name).second;
    auto has = [&](const char* key) { return profile.contains(key); };
    if (has("role_arn") && is_new) return assume(name, profile);
    if (has("aws_access_key_id") || has("aws_secret_access_key")) return keys_of(name, profile);
    if (!is_new) return invalid("the source_profile of " + name + " leads back to it");
    if (has("credential_process")) return from_process(name, profile.at("credential_process"));
    if (has("sso_session") || has("sso_start_url")) {
      return invalid("profile " + name + " signs in with SSO, which kache can not; add a profile with credential_process = aws configure export-credentials --profile " + name);
    }
    return std::optional<S3Credentials>();
  }

  static std::string setting(const AwsProfile& profile, const char* key) {
    auto found = profile.find(key);
    return found == profile.end() ? "" : found->second;
  }

  Link keys_of(const std::string& name, const AwsProfile& profile) {
    S3Credentials made{setting(profile, "aws_access_key_id"), setting(profile, "aws_secret_access_key"), setting(profile, "aws_session_token"), INT64_MAX};
    if (made.access_key.empty() || made.secret_key.empty()) return invalid("profile " + name + " has only one of aws_access_key_id and aws_secret_access_key");
    return std::optional(made);
  }

  Link from_process(const std::string& name, const std::string& command) {
    Result<std::vector<std::string>> argv = split_command(command);
    if (!argv.ok()) return std::move(argv).error().in("credential_process of profile " + name);
    Env env = env_;
    env.set("AWS_PROFILE", name);
    Result<std::string> printed = seams_.run(*argv, env, within(limits_, kProcessNs));
    Result<S3Credentials> made = printed.ok() ? parse_json_credentials(*printed) : printed.error();
    if (!made.ok()) return std::move(made).error().in("credential_process of profile " + name);
    return std::optional(*made);
  }

  // A role, on the strength of other credentials.
  Link assume(const std::string& name, const AwsProfile& profile) {
    if (profile.contains("mfa_serial")) return invalid("profile " + name + " wants a one-time password, which kache can not ask for; use credential_process");
    std::string role = setting(profile, "role_arn"), session = setting(profile, "role_session_name"), file = setting(profile, "web_identity_token_file");
    if (!file.empty()) return assume_with_token(role, file, session, region_of(profile));
    std::optional base = KACHE_TRY(base_of(name, profile));
    if (!base) return invalid("profile " + name + " has a role_arn, and its source no credentials");
    std::string form = "Action=AssumeRole&Version=2011-06-15&RoleArn=" + percent_encoded(role) + "&RoleSessionName=" + percent_encoded(session.empty() ? "kache" : session);
    if (profile.contains("external_id")) form += "&ExternalId=" + percent_encoded(profile.at("external_id"));
    if (profile.contains("duration_seconds")) form += "&DurationSeconds=" + percent_encoded(profile.at("duration_seconds"));
    return ask_sts(form, region_of(profile), &*base);
  }

  Link base_of(const std::string& name, const AwsProfile& profile) {
    std::string source = setting(profile, "source_profile"), place = setting(profile, "credential_source");
    if (!source.empty()) return resolve(source);
    struct {
      std::string_view place;
      Link (Search::*link)();
    } const places[] = {{"Environment", &Search::from_aws_variables}, {"EcsContainer", &Search::from_container}, {"Ec2InstanceMetadata", &Search::from_metadata}};
    for (const auto& row : places) {
      if (row.place == place) return (this->*row.link)();
    }
    return invalid("profile " + name + " has a role_arn and neither source_profile, credential_source nor web_identity_token_file");
  }

  std::string region_of(const AwsProfile& profile) const { return profile.contains("region") ? profile.at("region") : region_; }

  // --- STS --------------------------------------------------------------------------------------------------------------

  Link from_web_identity() {
    std::string file = variable("AWS_WEB_IDENTITY_TOKEN_FILE"), role = variable("AWS_ROLE_ARN");
    if (file.empty() || role.empty()) return std::optional<S3Credentials>();
    return assume_with_token(role, file, variable("AWS_ROLE_SESSION_NAME"), region_);
  }

  Link assume_with_token(const std::string& role, const std::string& file, const std::string& session, const std::string& region) {
    Result<std::string> token = read_token(file);
    if (!token.ok()) return std::move(token).error();
    return ask_sts("Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=" + percent_encoded(role) + "&RoleSessionName=" +
                       percent_encoded(session.empty() ? "kache" : session) + "&WebIdentityToken=" + percent_encoded(*token), region, nullptr);
  }

  Result<std::string> read_token(const std::string& file) {
    Result<std::string> token = read_file(seams_.files, file, kMaxTokenFile);
    if (!token.ok()) return std::move(token).error().in(file);
    while (!token->empty() && std::string_view(" \r\n").find(token->back()) != std::string_view::npos) token->pop_back();
    if (token->empty() || !is_one_line(*token)) return invalid(file + ": expected one line with a token");
    return token;
  }

  Link ask_sts(const std::string& form, const std::string& region, const S3Credentials* by) {
    std::string url = variable("AWS_ENDPOINT_URL_STS");
    if (url.empty()) url = "https://sts." + region + ".amazonaws.com/";
    HttpRequest request;
    request.method = "POST";
    request.url = url;
    request.headers = {"Content-Type: application/x-www-form-urlencoded"};
    AwsSignature signature{region, "sts", "", ""};
    if (by) sign(request, signature, *by, sha256_hex(form));
    StringSource body(form);
    request.body = &body;
    StringSink answer;
    request.sink = &answer;
    HttpResponse response = KACHE_TRY(seams_.http.perform(request, within(limits_, 30 * kSecond)));
    if (!is_success(response.status)) {
      S3Error said = parse_s3_error(response.error_body);
      Error error = status_error("the token service at " + host_of(url), response, said.code.empty() ? "" : said.code + ": " + said.message);
      if (response.status >= 400 && response.status < 500 && response.status != 429) error.code = ErrorCode::denied;
      return error;
    }
    Result<StsCredentials> made = parse_sts_answer(answer.bytes());
    if (!made.ok()) return std::move(made).error().in("the token service at " + host_of(url));
    return std::optional(S3Credentials{made->access_key, made->secret_key, made->session_token, made->expires_ns ? made->expires_ns : INT64_MAX});
  }

  // --- the places that clouds give them out from ------------------------------------------------------------------------

  Result<std::string> fetch(const std::string& method, const std::string& url, const std::string& header) {
    HttpRequest request;
    request.method = method;
    request.url = url;
    if (!header.empty()) request.headers.push_back(header);
    StringSource nothing("");
    if (method == "PUT") request.body = &nothing;
    StringSink answer;
    request.sink = &answer;
    HttpResponse response = KACHE_TRY(seams_.http.perform(request, within(limits_, kMetadataNs)));
    if (!is_success(response.status)) return status_error(host_of(url), response);
    return std::move(answer).take();
  }

  Link from_container() {
    std::string relative = variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"), url = variable("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    if (!relative.empty()) {
      if (relative[0] != '/') return invalid("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI does not begin with a slash");
      url = std::string(kContainerHost) + relative;
    }
    if (url.empty()) return std::optional<S3Credentials>();
    if (!url.starts_with("https://") && !(url.starts_with("http://") && is_safe_host(host_of(url)))) {
      return invalid("AWS_CONTAINER_CREDENTIALS_FULL_URI is neither https nor on this machine");
    }
    std::string token = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN"), file = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    if (!file.empty()) token = KACHE_TRY(read_token(file));
    if (!is_one_line(token)) return invalid("AWS_CONTAINER_AUTHORIZATION_TOKEN has more than one line");
    std::string text = KACHE_TRY(fetch("GET", url, token.empty() ? "" : "Authorization: " + token));
    Result<S3Credentials> made = parse_json_credentials(text);
    if (!made.ok()) return std::move(made).error().in("the credentials of the container at " + host_of(url));
    return std::optional(*made);
  }

  // IMDSv2 only: the first version gives credentials to whoever can make a machine send a GET.
  Link from_metadata() {
    if (variable("AWS_EC2_METADATA_DISABLED") == "true") return std::optional<S3Credentials>();
    std::string host = variable("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    if (host.empty()) host = kMetadataHost;
    while (host.ends_with('/')) host.pop_back();
    Result<std::string> token = fetch("PUT", host + "/latest/api/token", "X-aws-ec2-metadata-token-ttl-seconds: 21600");
    if (!token.ok() || !is_one_line(*token)) return still_wanted_or_nothing();
    std::string header = "X-aws-ec2-metadata-token: " + *token, place = host + "/latest/meta-data/iam/security-credentials/";
    Result<std::string> roles = fetch("GET", place, header);
    if (!roles.ok()) return still_wanted_or_nothing();
    std::string role = roles->substr(0, roles->find('\n'));
    if (role.empty()) return std::optional<S3Credentials>();
    std::string text = KACHE_TRY(fetch("GET", place + percent_encoded(role), header));
    Result<S3Credentials> made = parse_json_credentials(text);
    if (!made.ok()) return std::move(made).error().in("the credentials of this machine at " + host_of(host));
    return std::optional(*made);
  }

  // Nobody answers outside of EC2; that is an answer unless the time of who asks is over.
  Link still_wanted_or_nothing() {
    KACHE_TRY(still_wanted(limits_));
    return std::optional<S3Credentials>();
  }

  const std::string& profile_;
  const std::string& region_;
  const Env& env_;
  CredentialSeams& seams_;
  const Limits& limits_;
  AwsProfiles profiles_;
  std::set<std::string> visited_;
};

bool same(const S3Credentials& a, const S3Credentials& b) {
  return a.access_key == b.access_key && a.secret_key == b.secret_key && a.session_token == b.session_token;
}

}  // namespace

CredentialSeams real_credential_seams(const Env& env) { return {curl_http(env), posix_file_system(), system_clock(), run_credential_process}; }

CredentialChain::CredentialChain(std::string profile, std::string region, Env env, CredentialSeams seams)
    : profile_(std::move(profile)), region_(std::move(region)), env_(std::move(env)), seams_(std::move(seams)) {}

Result<S3Credentials> CredentialChain::find(const Limits& limits) {
  std::optional found = KACHE_TRY(Search(profile_, region_, env_, seams_, limits).all_links());
  if (found && !is_one_line(found->access_key + found->secret_key + found->session_token)) return Error{ErrorCode::corrupt, 0, "credentials of more than one line"};
  if (found) return *found;
  return Error{ErrorCode::denied, 0, "no credentials for S3; set KACHE_S3_ACCESS_KEY and KACHE_S3_SECRET_KEY, name a profile, or say profile=anonymous"};
}

Result<S3Credentials> CredentialChain::get(const Limits& limits) {
  std::unique_lock hold(mutex_);
  for (;;) {
    int64_t wall = seams_.clock.wall_ns();
    bool waits = seams_.clock.monotonic_ns() < ask_again_ns_;
    bool is_usable = is_known_ && (wall < known_.expires_ns || (is_doubtful_ && waits));
    if (is_usable && wall < refresh_at_ns_) return known_;
    if (is_usable && (is_fetching_ || waits)) return known_;
    if (!is_fetching_ && waits) return failed_;
    if (!is_fetching_) break;
    KACHE_TRY(still_wanted(limits));
    changed_.wait_for(hold, std::chrono::milliseconds(20));
  }
  is_fetching_ = true;
  hold.unlock();
  Result<S3Credentials> found = find(limits);
  hold.lock();
  is_fetching_ = false;
  changed_.notify_all();
  int64_t wall = seams_.clock.wall_ns();
  bool is_old = found.ok() && refused_ && same(*found, *refused_);
  if (is_old && !is_certain_) believed_until_ns_ = seams_.clock.monotonic_ns() + kFailureNs;
  if (is_old && is_certain_) {
    found = Error{ErrorCode::denied, 0, "the server does not take the credentials any more, and there are no newer ones"};
    refused_.reset();  // after that while they may have another chance
  }
  if (found.ok()) {
    known_ = *found;
    is_known_ = true;
    refused_.reset();
    // Over when they came: it may be our clock that is wrong, which the server will say.
    is_doubtful_ = known_.expires_ns <= wall;
    ask_again_ns_ = is_doubtful_ ? seams_.clock.monotonic_ns() + kFailureNs : 0;
    int64_t lifetime = known_.expires_ns - wall;
    refresh_at_ns_ = known_.expires_ns == INT64_MAX ? INT64_MAX : known_.expires_ns - std::min(kEarlyNs, lifetime / 4);
    return known_;
  }
  // That one of us had no time says nothing to the others.
  if (found.code() != ErrorCode::timed_out) {
    failed_ = found.error();
    ask_again_ns_ = seams_.clock.monotonic_ns() + kFailureNs;
  }
  if (is_known_ && wall < known_.expires_ns) return known_;
  return found;
}

void CredentialChain::refuse(const S3Credentials& refused, bool is_certain) {
  std::lock_guard hold(mutex_);
  if (!is_known_ || !same(known_, refused)) return;
  if (!is_certain && seams_.clock.monotonic_ns() < believed_until_ns_) return;
  is_certain_ = is_certain;
  is_known_ = false;
  ask_again_ns_ = 0;
  refused_ = refused;
}

}  // namespace kache
