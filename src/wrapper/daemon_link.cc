#include "wrapper/daemon_link.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/path.h"
#include "wrapper/process.h"

namespace kache {
namespace {

Error timed_out() { return {ErrorCode::timed_out, 0, "the daemon does not answer"}; }

// Waits until the socket is ready for `events`.
Status wait_for(int fd, short events, Clock& clock, int64_t deadline_ns) {
  for (;;) {
    int64_t left_ms = (deadline_ns - clock.monotonic_ns() + 999'999) / 1'000'000;
    if (left_ms <= 0) return timed_out();
    pollfd one{fd, events, 0};
    int ready = ::poll(&one, 1, static_cast<int>(std::min<int64_t>(left_ms, 60'000)));
    if (ready > 0) return Ok{};
    if (ready < 0 && errno != EINTR) return error_from_errno(errno, "daemon");
  }
}

void pause_ms(int64_t ms) {
  timespec time{ms / 1000, ms % 1000 * 1'000'000};
  ::nanosleep(&time, nullptr);
}

// What the daemon needs of an environment, and none of anybody's remote: that comes with each request.
Env daemon_env(const Env& env) {
  constexpr std::string_view kKept[] = {"HOME", "PATH", "TMPDIR", "LANG", "USER", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR",
                                        "KACHE_CACHE_DIR", "KACHE_CONFIG", "KACHE_SOCKET_PATH", "KACHE_LOG", "KACHE_IDLE_LOAD", "SSL_CERT_FILE", "SSL_CERT_DIR",
                                        "http_proxy", "https_proxy", "no_proxy", "HTTPS_PROXY", "NO_PROXY"};
  Env kept;
  for (std::string_view name : kKept) {
    if (const char* value = env.get(name)) kept.set(name, value);
  }
  return kept;
}

}  // namespace

std::string daemon_socket(const Config& config, const Env& env) {
  std::string path = config.socket_path.empty() ? config.cache_dir + "/daemon.sock" : config.socket_path;
  if (path.size() <= kLongestSocketPath) return path;
  std::string name = "kache-" + digest_bytes(path).hex().substr(0, 16);
  std::string_view runtime = env.get_or_empty("XDG_RUNTIME_DIR");
  if (is_absolute(runtime) && runtime.size() < 64) return join_path(runtime, name + ".sock");
  return "/tmp/" + name + "-" + std::to_string(::getuid()) + "/daemon.sock";
}

Result<DaemonLink> DaemonLink::connect(const std::string& socket, Clock& clock, int64_t deadline_ns) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (socket.size() >= sizeof address.sun_path) return Error{ErrorCode::invalid, 0, socket + ": too long for a socket"};
  socket.copy(address.sun_path, socket.size());
  int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return error_from_errno(errno, "socket");
  DaemonLink link(clock, fd, 0);
  for (;;) {
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) break;
    if (errno == EINTR) continue;
    if (errno == EAGAIN) {  // so many are waiting to be accepted that no more fit
      if (clock.monotonic_ns() >= deadline_ns) return timed_out();
      pause_ms(2);
      continue;
    }
    if (errno == ECONNREFUSED || errno == ENOENT) return Error{ErrorCode::not_found, errno, "no daemon is running"};
    return error_from_errno(errno, socket);
  }
  ucred peer = {};
  socklen_t size = sizeof peer;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || peer.uid != ::geteuid()) {
    return Error{ErrorCode::denied, 0, socket + " belongs to another user"};
  }
  link.pid_ = peer.pid;
  return link;
}

DaemonLink::DaemonLink(DaemonLink&& other) noexcept
    : clock_(other.clock_), fd_(std::exchange(other.fd_, -1)), pid_(other.pid_), said_hello_(other.said_hello_), next_id_(other.next_id_),
      received_(std::move(other.received_)), program_(std::move(other.program_)) {}

DaemonLink::~DaemonLink() {
  if (fd_ >= 0) ::close(fd_);
}

Status DaemonLink::send(std::string_view bytes, int64_t deadline_ns) {
  while (!bytes.empty()) {
    ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) bytes.remove_prefix(static_cast<size_t>(sent));
    else if (errno == EAGAIN) KACHE_TRY(wait_for(fd_, POLLOUT, clock_, deadline_ns));
    else if (errno != EINTR) return error_from_errno(errno, "daemon");
  }
  return Ok{};
}

Result<DaemonFrame> DaemonLink::receive(int64_t deadline_ns) {
  DaemonFrame frame;
  for (;;) {
    if (KACHE_TRY(take_frame(received_, frame))) return frame;
    char buffer[16 << 10];
    ssize_t got = ::recv(fd_, buffer, sizeof buffer, 0);
    if (got > 0) received_.append(buffer, static_cast<size_t>(got));
    else if (got == 0) return Error{ErrorCode::io, 0, "the daemon has closed the connection"};
    else if (errno == EAGAIN) KACHE_TRY(wait_for(fd_, POLLIN, clock_, deadline_ns));
    else if (errno != EINTR) return error_from_errno(errno, "daemon");
  }
}

Status DaemonLink::tell(MessageType type, std::string payload, int64_t deadline_ns) {
  std::string bytes;
  if (!said_hello_) {
    ByteWriter hello;
    hello.u32(kProtocol);
    hello.text("kache " KACHE_VERSION);
    bytes = encode_frame({MessageType::hello, 0, std::move(hello).take()});
  }
  said_hello_ = true;
  return send(bytes + encode_frame({type, next_id_++, std::move(payload)}), deadline_ns);
}

Result<DaemonFrame> DaemonLink::ask(MessageType type, std::string payload, int64_t deadline_ns) {
  uint64_t id = next_id_;
  KACHE_TRY(tell(type, std::move(payload), deadline_ns));
  for (;;) {
    DaemonFrame frame = KACHE_TRY(receive(deadline_ns));
    if (frame.type == MessageType::hello_reply) {
      ByteReader in(frame.payload);
      uint32_t protocol = in.u32();
      program_ = in.text();
      if (!in.ok() || protocol != kProtocol) return Error{ErrorCode::unsupported, 0, "the daemon is of another version (" + program_ + ")"};
    }
    if (frame.id == id && frame.type != MessageType::hello_reply) return frame;
  }
}

void note_silent(FileSystem& fs, const StoreLayout& layout) {
  if (fs.touch(layout.daemon_silent()).ok()) return;
  (void)fs.append(layout.daemon_silent(), "");
}

Result<DaemonLink> connect_or_start(const DaemonStart& start, int64_t deadline_ns) {
  Result<DaemonLink> first = DaemonLink::connect(start.socket, start.clock, deadline_ns);
  if (first.ok() || first.code() != ErrorCode::not_found) return first;
  // Whoever has the lock starts it; the others wait for it to listen.
  Result<File> lock = lock_file(start.fs, start.layout.daemon_start_lock(), LockMode::try_exclusive);
  if (lock.ok()) KACHE_TRY(start_detached({start.tool, "daemon", "run", "--on-demand"}, daemon_env(start.env)));
  for (int64_t pause = 2;; pause = std::min<int64_t>(pause * 2, 50)) {
    pause_ms(pause);
    Result<DaemonLink> link = DaemonLink::connect(start.socket, start.clock, deadline_ns);
    if (link.ok() || link.code() != ErrorCode::not_found) return link;
    if (start.clock.monotonic_ns() >= deadline_ns) return timed_out();
  }
}

}  // namespace kache
