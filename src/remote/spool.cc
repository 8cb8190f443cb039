#include "remote/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

namespace kache {

Spool::~Spool() {
  if (fd_ >= 0) ::close(fd_);
}

void Spool::clear() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  held_.clear();
  size_ = 0;
  is_whole_ = true;
}

bool Spool::write_out(std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t n = ::write(fd_, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

bool Spool::add(std::string_view bytes) {
  if (!is_whole_) return false;
  size_ += bytes.size();
  if (fd_ < 0 && size_ <= held_bytes_) {
    held_ += bytes;
    return true;
  }
  if (fd_ < 0 && !dir_.empty()) fd_ = ::open(dir_.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd_ >= 0 && write_out(held_) && write_out(bytes)) {
    held_.clear();
    return true;
  }
  clear();
  is_whole_ = false;
  return false;
}

Result<size_t> Spool::read_at(uint64_t offset, char* buffer, size_t size) const {
  if (fd_ < 0) {
    std::string_view part = offset < held_.size() ? std::string_view(held_).substr(offset, size) : std::string_view();
    part.copy(buffer, part.size());
    return part.size();
  }
  for (;;) {
    ssize_t n = ::pread(fd_, buffer, size, static_cast<off_t>(offset));
    if (n >= 0) return static_cast<size_t>(n);
    if (errno != EINTR) return error_from_errno(errno, "bytes on their way to another remote");
  }
}

}  // namespace kache
