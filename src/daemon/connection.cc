#include "daemon/connection.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

namespace kache {

Connection::~Connection() { ::close(fd_); }

bool Connection::read() {
  char buffer[64 << 10];
  for (;;) {
    ssize_t got = ::recv(fd_, buffer, sizeof buffer, 0);
    if (got > 0) {
      in_.append(buffer, static_cast<size_t>(got));
      // A whole frame is taken out before more is read: nobody can make us keep more than one and a piece.
      if (in_.size() > kMaxDaemonFrame) return true;
      continue;
    }
    if (got == 0) return false;
    if (errno == EINTR) continue;
    return errno == EAGAIN;
  }
}

bool Connection::write() {
  while (!out_.empty()) {
    ssize_t sent = ::send(fd_, out_.data(), out_.size(), MSG_NOSIGNAL);
    if (sent >= 0) out_.erase(0, static_cast<size_t>(sent));
    else if (errno == EAGAIN) return true;
    else if (errno != EINTR) return false;
  }
  return true;
}

}  // namespace kache
