// DaemonLink: one connection to the daemon, for one process that asks. It waits no longer than it is told, believes only a
// daemon of the same user, and starts one where there is none.
//
// Everything here may fail, and then there is no remote for this compile.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/file_system.h"
#include "store/layout.h"
#include "wrapper/daemon_protocol.h"

namespace kache {

// KACHE_SOCKET_PATH, <cache_dir>/daemon.sock, or where that is longer than the kernel takes (107 bytes), a name made from it in
// a directory of this user below $XDG_RUNTIME_DIR or /tmp.
std::string daemon_socket(const Config& config, const Env& env);
inline constexpr size_t kLongestSocketPath = 107;

class DaemonLink {
 public:
  // `timed_out`, `not_found` (nobody listens), `denied` (a stranger listens), `unsupported` (another protocol).
  static Result<DaemonLink> connect(const std::string& socket, Clock& clock, int64_t deadline_ns);
  DaemonLink(DaemonLink&& other) noexcept;
  DaemonLink& operator=(DaemonLink&&) = delete;
  ~DaemonLink();

  // Sends without waiting for anything.
  Status tell(MessageType type, std::string payload, int64_t deadline_ns);
  // Sends and waits for the answer.
  Result<DaemonFrame> ask(MessageType type, std::string payload, int64_t deadline_ns);

  int daemon_pid() const { return pid_; }  // as the kernel says
  const std::string& program() const { return program_; }  // as it says itself, once it has answered

 private:
  DaemonLink(Clock& clock, int fd, int pid) : clock_(clock), fd_(fd), pid_(pid) {}
  Status send(std::string_view bytes, int64_t deadline_ns);
  Result<DaemonFrame> receive(int64_t deadline_ns);

  Clock& clock_;
  int fd_ = -1, pid_ = 0;
  bool said_hello_ = false;
  uint64_t next_id_ = 1;
  std::string received_, program_;
};

struct DaemonStart {
  FileSystem& fs;
  Clock& clock;
  const StoreLayout& layout;
  const Env& env;
  std::string tool;    // kache-tool
  std::string socket;
};
// Connects, after starting a daemon where there is none. Of many that come at once, one starts it. For a while after a daemon
// did not answer or could not be started nobody tries: `busy`.
Result<DaemonLink> connect_or_start(const DaemonStart& start, int64_t deadline_ns);
// To be called when it did not answer in time.
void note_silent(FileSystem& fs, const StoreLayout& layout);
inline constexpr int64_t kSilenceNs = int64_t{45} * 1'000'000'000;

}  // namespace kache
