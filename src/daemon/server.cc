#include "daemon/server.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "base/path.h"
#include "daemon/connection.h"
#include "daemon/idle_recheck.h"
#include "daemon/service.h"
#include "wrapper/background_gc.h"
#include "wrapper/daemon_link.h"
#include "wrapper/process.h"

namespace kache {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kDrainNs = 30 * kSecond;
constexpr size_t kMostConnections = 4096;

// A descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor() { reset(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  void reset(int fd = -1) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = fd;
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

// Answers on their way from the threads of the service to that of the server.
class Mailbox {
 public:
  Mailbox() : wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  void put(uint64_t connection, DaemonFrame frame) {
    {
      std::lock_guard lock(mutex_);
      letters_.emplace_back(connection, std::move(frame));
    }
    uint64_t one = 1;
    (void)!::write(wake_.get(), &one, sizeof one);
  }
  std::vector<std::pair<uint64_t, DaemonFrame>> take() {
    uint64_t count;
    (void)!::read(wake_.get(), &count, sizeof count);
    std::lock_guard lock(mutex_);
    return std::exchange(letters_, {});
  }
  int fd() const { return wake_.get(); }

 private:
  Descriptor wake_;
  std::mutex mutex_;
  std::vector<std::pair<uint64_t, DaemonFrame>> letters_;
};

// A directory that nobody else can have put something into.
Status prepare_socket_dir(const std::string& dir) {
  if (::mkdir(dir.c_str(), 0700) != 0 && errno != EEXIST) return error_from_errno(errno, dir);
  struct stat st;
  if (::lstat(dir.c_str(), &st) != 0) return error_from_errno(errno, dir);
  if (!S_ISDIR(st.st_mode) || st.st_uid != ::geteuid() || (st.st_mode & 022)) {
    return Error{ErrorCode::denied, 0, dir + ": not a directory of this user alone; set KACHE_SOCKET_PATH to another place"};
  }
  return Ok{};
}

class Server {
 public:
  explicit Server(const ServerSettings& settings)
      : s_(settings), log_(s_.fs, s_.clock, s_.layout.root() + "/daemon.log"), socket_path_(daemon_socket(s_.config, s_.env)),
        started_ns_(s_.clock.monotonic_ns()), recheck_(s_.fs, s_.clock, s_.layout, s_.program, s_.env) {}

  Status run() {
    KACHE_TRY(become_the_only_one());
    KACHE_TRY(listen());
    Status watched = watch_descriptors();
    if (!watched.ok()) return watched;
    log_.info("kache " KACHE_VERSION " serves " + socket_path_ + ", pid " + std::to_string(::getpid()));
    service_ = std::make_unique<Service>(
        s_.fs, s_.clock, s_.layout, log_,
        [this](const RemoteSettings& settings) {
          return set_up_remotes(config_of(settings), Env(settings.env), s_.clock, s_.layout.temporary());
        },
        std::clamp<size_t>(s_.config.remote_concurrency, 2, 256));
    service_->replay_outbox();
    (void)s_.fs.unlink(s_.layout.daemon_silent());
    serve();
    end();
    return Ok{};
  }

 private:
  enum class Phase : uint8_t { serving, draining, ended };

  Status become_the_only_one() {
    KACHE_TRY(prepare_store(s_.fs, s_.layout));
    Result<File> lock = lock_file(s_.fs, s_.layout.daemon_lock(), LockMode::try_exclusive);
    if (!lock.ok()) return std::move(lock).error().in("another daemon serves " + s_.layout.root());
    lock_ = std::move(lock).value();
    program_ = s_.fs.stat(s_.program);
    return Ok{};
  }

  Status listen() {
    KACHE_TRY(prepare_socket_dir(std::string(dir_name(socket_path_))));
    struct stat old;
    if (::lstat(socket_path_.c_str(), &old) == 0 && !S_ISSOCK(old.st_mode)) {
      return Error{ErrorCode::exists, 0, socket_path_ + " is there and is no socket"};
    }
    (void)::unlink(socket_path_.c_str());  // of one that died: nobody else may have this lock
    listener_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    if (socket_path_.size() >= sizeof address.sun_path) return Error{ErrorCode::invalid, 0, socket_path_ + ": too long for a socket"};
    socket_path_.copy(address.sun_path, socket_path_.size());
    mode_t mask = ::umask(0177);
    int failed = ::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    int why = errno;
    ::umask(mask);
    if (failed != 0) return error_from_errno(why, socket_path_);
    // All wrappers of a large machine may come at once.
    if (::listen(listener_.get(), 4096) != 0) return error_from_errno(errno, socket_path_);
    return Ok{};
  }

  Status watch_descriptors() {
    sigset_t signals;
    sigemptyset(&signals);
    for (int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
    ::sigprocmask(SIG_BLOCK, &signals, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
    rlimit files;
    if (::getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
      files.rlim_cur = std::min<rlim_t>(files.rlim_max, 65536);
      (void)::setrlimit(RLIMIT_NOFILE, &files);
    }
    (void)!::chdir("/");
    signals_.reset(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
    epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
    if (epoll_.get() < 0 || signals_.get() < 0 || mailbox_.fd() < 0) return error_from_errno(errno, "daemon");
    for (int fd : {listener_.get(), signals_.get(), mailbox_.fd()}) KACHE_TRY(watch(fd, EPOLLIN, EPOLL_CTL_ADD));
    return Ok{};
  }

  Status watch(int fd, uint32_t events, int change) {
    epoll_event event = {};
    event.events = events;
    event.data.fd = fd;
    if (::epoll_ctl(epoll_.get(), change, fd, &event) != 0) return error_from_errno(errno, "epoll");
    return Ok{};
  }

  void serve() {
    while (phase_ != Phase::ended) {
      epoll_event events[64];
      int count = ::epoll_wait(epoll_.get(), events, std::size(events), phase_ == Phase::draining ? 50 : 1000);
      for (int i = 0; i < count; ++i) handle(events[i]);
      look_around();
    }
  }

  void handle(const epoll_event& event) {
    int fd = event.data.fd;
    if (fd == listener_.get()) return accept();
    if (fd == mailbox_.fd()) return deliver();
    if (fd == signals_.get()) {
      signalfd_siginfo info;
      while (::read(fd, &info, sizeof info) == sizeof info) {
        log_.info("signal " + std::to_string(info.ssi_signo));
        drain(kDrainNs);
      }
      return;
    }
    auto found = connections_.find(fd);
    if (found == connections_.end()) return;
    Connection& connection = *found->second;
    bool is_gone = (event.events & (EPOLLERR | EPOLLHUP)) != 0 && !(event.events & EPOLLIN);
    if (!is_gone && (event.events & EPOLLIN)) {
      // A client that only tells us something does not wait for us to have read it.
      bool is_open = connection.read();
      is_gone = !take_requests(connection) || !is_open;
    }
    if (!is_gone) is_gone = !flush(connection);
    if (is_gone) connections_.erase(found);
  }

  void accept() {
    while (connections_.size() < kMostConnections) {
      int fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
      if (fd < 0 && errno == EINTR) continue;
      if (fd < 0) return;
      ucred peer = {};
      socklen_t size = sizeof peer;
      bool is_own = ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == ::geteuid();
      auto connection = std::make_unique<Connection>(++last_connection_, fd);
      if (!is_own || !watch(fd, EPOLLIN, EPOLL_CTL_ADD).ok()) continue;
      connections_[fd] = std::move(connection);
    }
  }

  void deliver() {
    for (auto& [number, frame] : mailbox_.take()) {
      auto found = std::find_if(connections_.begin(), connections_.end(), [to = number](const auto& one) { return one.second->number() == to; });
      if (found == connections_.end()) continue;  // it did not wait
      found->second->queue(frame);
      if (!flush(*found->second)) connections_.erase(found);
    }
  }

  bool flush(Connection& connection) {
    if (!connection.write()) return false;
    return watch(connection.fd(), connection.has_output() ? EPOLLIN | EPOLLOUT : EPOLLIN, EPOLL_CTL_MOD).ok();
  }

  // False: it has to go.
  bool take_requests(Connection& connection) {
    DaemonFrame frame;
    for (;;) {
      Result<bool> taken = connection.next(frame);
      if (!taken.ok()) return false;
      if (!*taken) return true;
      if (!answer(connection, frame)) return false;
    }
  }

  bool answer(Connection& connection, const DaemonFrame& frame) {
    if (!connection.has_introduced_itself) {
      ByteReader in(frame.payload);
      uint32_t protocol = in.u32();
      if (frame.type != MessageType::hello || !in.ok()) return false;
      ByteWriter hello;
      hello.u32(kProtocol);
      hello.text("kache " KACHE_VERSION);
      hello.u64(static_cast<uint64_t>(::getpid()));
      connection.queue({MessageType::hello_reply, frame.id, std::move(hello).take()});
      connection.has_introduced_itself = protocol == kProtocol;
      return connection.has_introduced_itself || (flush(connection), false);
    }
    switch (frame.type) {
      case MessageType::fetch: return fetch(connection, frame);
      case MessageType::publish: {
        Result<PublishRequest> request = decode_publish(frame.payload);
        if (request.ok()) service_->publish(*request);
        return request.ok();
      }
      case MessageType::announce: {
        Result<BuildRequest> request = decode_announce(frame.payload);
        if (request.ok()) service_->announce(*request);
        return request.ok();
      }
      case MessageType::status: connection.queue({MessageType::text, frame.id, status()}); return true;
      case MessageType::stop: {
        Result<StopRequest> request = decode_stop(frame.payload);
        if (!request.ok()) return false;
        stoppers_.emplace_back(connection.number(), frame.id);
        log_.info("asked to stop");
        drain(std::min(int64_t{request->drain_ms} * 1'000'000, 600 * kSecond));
        return true;
      }
      default: return false;
    }
  }

  bool fetch(Connection& connection, const DaemonFrame& frame) {
    Result<FetchRequest> request = decode_fetch(frame.payload);
    if (!request.ok()) return false;
    service_->fetch(*request, [this, number = connection.number(), id = frame.id](const FetchReply& reply) {
      mailbox_.put(number, {MessageType::fetched, id, encode(reply)});
    });
    return true;
  }

  std::string status() const {
    nlohmann::ordered_json json = {{"running", true},
                                   {"pid", ::getpid()},
                                   {"version", KACHE_VERSION},
                                   {"protocol", kProtocol},
                                   {"socket", socket_path_},
                                   {"cache_dir", s_.layout.root()},
                                   {"program", s_.program},
                                   {"uptime_s", (s_.clock.monotonic_ns() - started_ns_) / kSecond},
                                   {"draining", phase_ != Phase::serving},
                                   {"connections", connections_.size()}};
    json.update(service_->status());
    return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
  }

  // --- the end ---------------------------------------------------------------------------------------------------------

  // What is under way may end, and what waits may be sent, for so long. New requests are still served: whoever comes now
  // shall not find nobody.
  void drain(int64_t time_ns) {
    int64_t until = s_.clock.monotonic_ns() + time_ns;
    drain_until_ns_ = phase_ == Phase::serving ? until : std::min(drain_until_ns_, until);
    if (phase_ == Phase::serving) service_->finish_builds();
    phase_ = Phase::draining;
  }

  void look_around() {
    int64_t now = s_.clock.monotonic_ns();
    if (now - looked_ns_ > kSecond) {
      looked_ns_ = now;
      service_->tick();
      if (phase_ == Phase::serving && was_replaced()) {
        log_.info("the program was replaced on the disk");
        becomes_successor_ = true;
        drain(kDrainNs);
      }
      uint64_t idle = service_->idle_timeout_secs();
      if (idle == 0) idle = s_.config.daemon_idle_timeout_secs;
      bool is_idle = idle > 0 && !service_->is_busy() && service_->pending_uploads() == 0 && connections_.empty() &&
                     now - service_->last_active_ns() > static_cast<int64_t>(idle) * kSecond;
      if (phase_ == Phase::serving && is_idle) {
        log_.info("idle");
        drain(0);
      }
      if (!cache_is_there()) {
        log_.info("the cache directory is gone");
        drain(0);
      }
      recheck_.look(phase_ == Phase::serving && !service_->is_busy() && service_->pending_uploads() == 0);
      if (s_.config.auto_gc) start_gc_when_due(s_.fs, s_.clock, s_.layout, s_.program, s_.env);
    }
    if (phase_ != Phase::draining) return;
    bool is_empty = !service_->is_busy() && service_->pending_uploads() == 0;
    if (is_empty || now >= drain_until_ns_) phase_ = Phase::ended;
  }

  bool was_replaced() {
    Result<FileStat> now = s_.fs.stat(s_.program);
    return now.ok() && program_.ok() && !same_identity(*now, *program_);
  }

  // Somebody removed it: what is served from here on would be served to nobody.
  bool cache_is_there() {
    Result<FileStat> by_name = s_.fs.stat(s_.layout.daemon_lock());
    Result<FileStat> ours = s_.fs.stat_handle(lock_.handle());
    return by_name.ok() && ours.ok() && by_name->ino == ours->ino;
  }

  void end() {
    service_->hurry();
    (void)::unlink(socket_path_.c_str());
    listener_.reset();
    service_.reset();
    log_.info("ends");
    for (auto& [number, id] : stoppers_) mailbox_.put(number, {MessageType::done, id, {}});
    lock_.reset();
    deliver();
    connections_.clear();
    if (!becomes_successor_) return;
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    std::vector<std::string> argv = {s_.program};
    argv.insert(argv.end(), s_.words.begin(), s_.words.end());
    Error error = exec_program(argv, s_.env);
    log_.warn("could not become the new program: " + error.message);
  }

  const ServerSettings& s_;
  Log log_;
  std::string socket_path_;
  int64_t started_ns_, looked_ns_ = 0, drain_until_ns_ = 0;
  IdleRecheck recheck_;
  File lock_;
  Result<FileStat> program_ = Error{};
  Descriptor listener_, signals_, epoll_;
  Mailbox mailbox_;
  std::map<int, std::unique_ptr<Connection>> connections_;  // by descriptor
  uint64_t last_connection_ = 0;
  std::vector<std::pair<uint64_t, uint64_t>> stoppers_;  // connection, id
  Phase phase_ = Phase::serving;
  bool becomes_successor_ = false;
  std::unique_ptr<Service> service_;
};

}  // namespace

Status run_daemon(const ServerSettings& settings) { return Server(settings).run(); }

}  // namespace kache
