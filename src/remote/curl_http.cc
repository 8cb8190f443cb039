// Http on libcurl (7.88 and newer).
//
// A lane is one multi and one easy handle: connections live in the multi handle, and the lane that was used last is taken
// first, so that the next request finds a warm one. A lane is nobody's while it is idle, hence no lock during a transfer.
#include <curl/curl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cctype>
#include <compare>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>

#include "base/clock.h"
#include "remote/http_answer.h"
#include "remote/url.h"

namespace kache {
namespace {

constexpr long kConnectMs = 3100;
constexpr int64_t kNoProgressNs = int64_t{30} * 1'000'000'000;
constexpr int kLongestWaitMs = 1000, kCancelWaitMs = 20;  // between two looks at the clock and at `cancelled`
constexpr size_t kErrorBody = 64 * 1024;
constexpr size_t kMaxHeaders = 200, kMaxHeaderBytes = 128 * 1024;
constexpr long kMaxRedirects = 3;
constexpr size_t kIdleLanes = 32;
constexpr long kIdleConnectionSeconds = 300;  // builds pause for minutes, and a TLS handshake costs more than a socket

// What speaks for itself; everything else is `io`, in the words of libcurl.
struct FailureRow {
  CURLcode code;
  ErrorCode error;
  std::string_view text;
};
constexpr FailureRow kFailures[] = {
    {CURLE_OPERATION_TIMEDOUT, ErrorCode::timed_out, "no connection within 3 s"},
    {CURLE_COULDNT_RESOLVE_HOST, ErrorCode::io, "no address for this name"},
    {CURLE_COULDNT_CONNECT, ErrorCode::io, "could not connect"},
    {CURLE_PARTIAL_FILE, ErrorCode::io, "the answer ended before its announced length"},
    {CURLE_GOT_NOTHING, ErrorCode::io, "the connection was closed without an answer"},
    {CURLE_UNSUPPORTED_PROTOCOL, ErrorCode::corrupt, "the answer is not HTTP"},  // or a redirect to another protocol
    {CURLE_URL_MALFORMAT, ErrorCode::invalid, "not a URL"},
    {CURLE_TOO_MANY_REDIRECTS, ErrorCode::io, "more than 3 redirects"},
    {CURLE_WEIRD_SERVER_REPLY, ErrorCode::corrupt, "the answer is not HTTP"},
    // Somebody else may be answering: nothing that a second attempt cures.
    {CURLE_PEER_FAILED_VERIFICATION, ErrorCode::denied, "its certificate is not trusted by this system"},
    {CURLE_SSL_ISSUER_ERROR, ErrorCode::denied, "its certificate is not trusted by this system"},
    {CURLE_SSL_CACERT_BADFILE, ErrorCode::denied, "the certificates to trust can not be read; see SSL_CERT_FILE"},
    {CURLE_SSL_CERTPROBLEM, ErrorCode::denied, "the server asks for a client certificate"},
};

// A proxy has no business with this machine, nor with the addresses from which clouds give out credentials.
bool is_local(std::string_view host) {
  return host.starts_with("127.") || host.starts_with("localhost") || host.starts_with("[::1]") || host.starts_with("169.254.") ||
         host.starts_with("[fd00:ec2:") || host.substr(0, host.rfind(':')).ends_with(".localhost");
}

// Who may vouch for a server; "" for what the system says.
struct Authorities {
  std::string file, directory;
  auto operator<=>(const Authorities&) const = default;
};

struct Lane {
  CURLM* multi = curl_multi_init();
  CURL* easy = curl_easy_init();
  curl_socket_t newest_socket = -1;  // nearly always the one in use; may be closed by now
  Lane() = default;
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;
  ~Lane() {
    if (easy) curl_easy_cleanup(easy);
    if (multi) curl_multi_cleanup(multi);
  }
};

// One request under way.
class Transfer {
 public:
  Transfer(Lane& lane, const Authorities& trusted, const HttpRequest& request, const Limits& limits)
      : lane_(lane), trusted_(trusted), easy_(lane.easy), request_(request), limits_(limits) {}
  ~Transfer() { curl_slist_free_all(headers_); }

  Result<HttpResponse> run();

 private:
  void set_options();
  void set_body();
  void set_login();
  // What ends it early: nobody waits any more, or it takes too long. Nothing while it may go on.
  bool ran_out();
  Result<CURLcode> drive();
  Error failed(ErrorCode code, std::string_view text) const { return {code, 0, host_of(request_.url) + ": " + std::string(text)}; }
  Error failure(CURLcode code) const;
  void fail(Error error) {
    if (!has_failed_) error_ = std::move(error);
    has_failed_ = true;
  }
  void saw_progress() { progress_ns_ = system_clock().monotonic_ns(); }
  int status() const {
    long status = 0;
    curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
    return static_cast<int>(status);
  }

  void acknowledge();
  size_t take_header(std::string_view line);
  size_t take_body(std::string_view bytes);
  size_t give_body(char* buffer, size_t size);
  int rewind_body();

  Lane& lane_;
  const Authorities& trusted_;
  CURL* easy_;
  const HttpRequest& request_;
  const Limits& limits_;
  curl_slist* headers_ = nullptr;
  HttpResponse response_;
  size_t header_bytes_ = 0;
  uint64_t received_ = 0, sent_ = 0;
  int64_t progress_ns_ = 0;
  bool has_failed_ = false;
  Error error_;
};

void Transfer::set_options() {
  CURL* easy = easy_;
  curl_easy_setopt(easy, CURLOPT_URL, request_.url.c_str());
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 256L << 10);  // packs are tens of megabytes: fewer calls of the kernel
  curl_easy_setopt(easy, CURLOPT_SOCKOPTDATA, &lane_);
  curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, +[](void* lane, curl_socket_t socket, curlsocktype) -> int {
    static_cast<Lane*>(lane)->newest_socket = socket;
    return CURL_SOCKOPT_OK;
  });
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);  // does not wait for a name server that nobody waits for
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, kConnectMs);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, kIdleConnectionSeconds);
  curl_easy_setopt(easy, CURLOPT_EXPECT_100_TIMEOUT_MS, 200L);  // some servers never say "continue"
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "kache");
  if (!trusted_.file.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, trusted_.file.c_str());
  if (!trusted_.directory.empty()) curl_easy_setopt(easy, CURLOPT_CAPATH, trusted_.directory.c_str());
  if (is_local(host_of(request_.url))) curl_easy_setopt(easy, CURLOPT_PROXY, "");
  if (request_.follows_redirects) {
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(easy, CURLOPT_MAXREDIRS, kMaxRedirects);
    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, request_.url.starts_with("https:") ? "https" : "http,https");
  }
  for (const std::string& header : request_.headers) headers_ = curl_slist_append(headers_, header.c_str());
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers_);

  curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, +[](char* data, size_t one, size_t count, void* self) -> size_t {
    return static_cast<Transfer*>(self)->take_header({data, one * count});
  });
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, +[](char* data, size_t one, size_t count, void* self) -> size_t {
    return static_cast<Transfer*>(self)->take_body({data, one * count});
  });
  set_body();
  set_login();
}

void Transfer::set_body() {
  if (request_.method == "HEAD") curl_easy_setopt(easy_, CURLOPT_NOBODY, 1L);
  if (request_.body) {
    curl_easy_setopt(easy_, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy_, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request_.body->size()));
    curl_easy_setopt(easy_, CURLOPT_READDATA, this);
    curl_easy_setopt(easy_, CURLOPT_READFUNCTION, +[](char* buffer, size_t one, size_t count, void* self) -> size_t {
      return static_cast<Transfer*>(self)->give_body(buffer, one * count);
    });
    // Asked for when a kept connection turned out to be dead, always from the beginning.
    curl_easy_setopt(easy_, CURLOPT_SEEKDATA, this);
    curl_easy_setopt(easy_, CURLOPT_SEEKFUNCTION, +[](void* self, curl_off_t offset, int origin) -> int {
      return offset == 0 && origin == SEEK_SET ? static_cast<Transfer*>(self)->rewind_body() : CURL_SEEKFUNC_CANTSEEK;
    });
  }
  curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, request_.method.c_str());
}

void Transfer::set_login() {
  if (request_.signature) {
    const AwsSignature& by = *request_.signature;
    curl_easy_setopt(easy_, CURLOPT_AWS_SIGV4, ("aws:amz:" + by.region + ":" + by.service).c_str());
    curl_easy_setopt(easy_, CURLOPT_USERNAME, by.access_key.c_str());
    curl_easy_setopt(easy_, CURLOPT_PASSWORD, by.secret_key.c_str());
  } else if (!request_.user.empty()) {
    curl_easy_setopt(easy_, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
    curl_easy_setopt(easy_, CURLOPT_USERNAME, request_.user.c_str());
    curl_easy_setopt(easy_, CURLOPT_PASSWORD, request_.password.c_str());
  }
}

// A server that sends the head and the body of an answer apart (Ceph's gateway does) waits between them until the head is
// acknowledged, which the kernel puts off for 40 ms.
void Transfer::acknowledge() {
  int on = 1;
  if (lane_.newest_socket >= 0) (void)::setsockopt(lane_.newest_socket, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

size_t Transfer::take_header(std::string_view line) {
  acknowledge();
  saw_progress();
  header_bytes_ += line.size();
  if (line.starts_with("HTTP/")) response_.headers.clear();  // of the next answer: behind a redirect or a "continue"
  if (header_bytes_ > kMaxHeaderBytes || response_.headers.size() > kMaxHeaders) {
    fail(failed(ErrorCode::corrupt, "the header of the answer is too long"));
    return 0;
  }
  size_t colon = line.find(':');
  if (colon == std::string_view::npos) return line.size();
  std::string name(line.substr(0, colon));
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  std::string_view value = line.substr(colon + 1);
  while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
  while (!value.empty() && static_cast<unsigned char>(value.back()) <= ' ') value.remove_suffix(1);
  response_.headers[std::move(name)] = value;
  return line.size();
}

size_t Transfer::take_body(std::string_view bytes) {
  saw_progress();
  if (!is_success(status())) {
    // What is beyond the bound is read and dropped, up to a point: the connection stays of use.
    received_ += bytes.size();
    if (received_ > 16 * kErrorBody) {
      fail(failed(ErrorCode::too_large, "the text of an error is too long"));
      return 0;
    }
    response_.error_body += bytes.substr(0, kErrorBody - std::min(kErrorBody, response_.error_body.size()));
    return bytes.size();
  }
  curl_off_t announced = -1;  // where it is, refuse at the first byte
  curl_easy_getinfo(easy_, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
  received_ += bytes.size();
  if (std::max(received_, static_cast<uint64_t>(std::max<curl_off_t>(announced, 0))) > limits_.max_bytes) {
    fail(failed(ErrorCode::too_large, "the answer is over " + std::to_string(limits_.max_bytes) + " bytes"));
    return 0;
  }
  if (!request_.sink) return bytes.size();
  Status taken = request_.sink->write(bytes);
  if (taken.ok()) return bytes.size();
  fail(taken.error());
  return 0;
}

size_t Transfer::give_body(char* buffer, size_t size) {
  saw_progress();
  Result<size_t> given = request_.body->read(buffer, size);
  if (!given.ok()) {
    fail(given.error());
    return CURL_READFUNC_ABORT;
  }
  sent_ += *given;
  bool is_short = *given == 0 && sent_ < request_.body->size();
  if (!is_short && sent_ <= request_.body->size()) return *given;
  fail({ErrorCode::io, 0, "what is to be sent changed its size"});
  return CURL_READFUNC_ABORT;
}

int Transfer::rewind_body() {
  sent_ = 0;
  Status rewound = request_.body->rewind();
  if (rewound.ok()) return CURL_SEEKFUNC_OK;
  fail(rewound.error());
  return CURL_SEEKFUNC_FAIL;
}

bool Transfer::ran_out() {
  int64_t now = system_clock().monotonic_ns();
  if (limits_.cancelled && limits_.cancelled->load(std::memory_order_relaxed)) fail(failed(ErrorCode::timed_out, "given up, nobody waits for it"));
  else if (now >= limits_.deadline_ns) fail(failed(ErrorCode::timed_out, "no complete answer in time"));
  else if (now - progress_ns_ > kNoProgressNs) fail(failed(ErrorCode::timed_out, "nothing came or went for 30 s"));
  return has_failed_;
}

Result<CURLcode> Transfer::drive() {
  for (;;) {
    int running = 0;
    CURLMcode moved = curl_multi_perform(lane_.multi, &running);
    if (moved != CURLM_OK) return failed(ErrorCode::io, curl_multi_strerror(moved));
    if (running == 0) break;
    if (ran_out()) return error_;
    int64_t left_ms = (limits_.deadline_ns - system_clock().monotonic_ns()) / 1'000'000 + 1;
    int wait_ms = static_cast<int>(std::clamp<int64_t>(left_ms, 1, limits_.cancelled ? kCancelWaitMs : kLongestWaitMs));
    curl_multi_poll(lane_.multi, nullptr, 0, wait_ms, nullptr);
  }
  int left = 0;
  while (CURLMsg* message = curl_multi_info_read(lane_.multi, &left)) {
    if (message->msg == CURLMSG_DONE && message->easy_handle == easy_) return message->data.result;
  }
  return failed(ErrorCode::io, "the transfer ended without a result");
}

Error Transfer::failure(CURLcode code) const {
  auto row = std::find_if(std::begin(kFailures), std::end(kFailures), [&](const FailureRow& one) { return one.code == code; });
  if (row != std::end(kFailures)) return failed(row->error, row->text);
  std::string text = curl_easy_strerror(code);
  if (!text.empty()) text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  return failed(ErrorCode::io, text);
}

Result<HttpResponse> Transfer::run() {
  if (!request_.url.starts_with("http://") && !request_.url.starts_with("https://")) return failed(ErrorCode::invalid, "expected http:// or https://");
  saw_progress();
  if (ran_out()) return error_;
  if (request_.body) KACHE_TRY(request_.body->rewind());
  set_options();
  curl_multi_add_handle(lane_.multi, easy_);
  Result<CURLcode> ended = drive();
  response_.status = status();
  curl_multi_remove_handle(lane_.multi, easy_);
  if (has_failed_) return error_;
  CURLcode code = KACHE_TRY(std::move(ended));
  // A server that refuses a body may close before it has read it: its answer is still the answer.
  bool refused = request_.body && response_.status >= 400 && (code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR);
  if (code != CURLE_OK && !refused) return failure(code);
  if (response_.status == 0) return failed(ErrorCode::corrupt, "the answer has no status");
  return std::move(response_);
}

class CurlHttp final : public Http {
 public:
  explicit CurlHttp(Authorities trusted) : trusted_(std::move(trusted)) { curl_global_init(CURL_GLOBAL_DEFAULT); }

  Result<HttpResponse> perform(const HttpRequest& request, const Limits& limits) override {
    std::unique_ptr<Lane> lane = take_lane();
    if (!lane->easy || !lane->multi) return Error{ErrorCode::io, 0, "libcurl gives no handle"};
    Result<HttpResponse> response = Transfer(*lane, trusted_, request, limits).run();
    curl_easy_reset(lane->easy);  // no secret and no pointer stays in it
    give_back(std::move(lane));
    return response;
  }

 private:
  std::unique_ptr<Lane> take_lane() {
    std::lock_guard hold(mutex_);
    if (idle_.empty()) return std::make_unique<Lane>();
    std::unique_ptr<Lane> lane = std::move(idle_.back());
    idle_.pop_back();
    return lane;
  }
  void give_back(std::unique_ptr<Lane> lane) {
    std::lock_guard hold(mutex_);
    if (idle_.size() < kIdleLanes) idle_.push_back(std::move(lane));
  }

  const Authorities trusted_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Lane>> idle_;
};

}  // namespace

Http& curl_http(const Env& env) {
  static std::mutex mutex;
  static auto* known = new std::map<Authorities, CurlHttp>;  // never destroyed: threads may still be in it when the process ends
  Authorities trusted{std::string(env.get_or_empty("SSL_CERT_FILE")), std::string(env.get_or_empty("SSL_CERT_DIR"))};
  std::lock_guard lock(mutex);
  return known->try_emplace(trusted, trusted).first->second;
}

}  // namespace kache
