// One client of the daemon: bytes in, frames out. Used by the thread of the server alone.
#pragma once

#include <string>

#include "base/result.h"
#include "wrapper/daemon_protocol.h"

namespace kache {

class Connection {
 public:
  // Takes over the descriptor.
  Connection(uint64_t number, int fd) : number_(number), fd_(fd) {}
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Reads what is there. False: the client is gone, and has said all that it will; what it said may still be taken.
  bool read();
  // The next whole frame; false where there is none yet. An Error: it does not speak our language.
  Result<bool> next(DaemonFrame& frame) { return take_frame(in_, frame); }
  void queue(const DaemonFrame& frame) { out_ += encode_frame(frame); }
  // Writes as much as goes. False: the client is gone.
  bool write();
  bool has_output() const { return !out_.empty(); }

  uint64_t number() const { return number_; }
  int fd() const { return fd_; }
  bool has_introduced_itself = false;

 private:
  uint64_t number_;
  int fd_;
  std::string in_, out_;
};

}  // namespace kache
