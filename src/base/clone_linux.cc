#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clone.h"

namespace kache {

Status clone_content(int from, int to, const std::string& name) {
  if (::ioctl(to, FICLONE, from) == 0) return Ok{};
  int err = errno;
  // What a file system without reflinks answers: ext4 EOPNOTSUPP, tmpfs ENOTTY or EINVAL, another device EXDEV.
  if (err == EINVAL || err == ENOTTY || err == EXDEV) err = EOPNOTSUPP;
  return error_from_errno(err, name);
}

static Status copy_through_buffer(int from, int to, const std::string& name, off_t offset) {
  static thread_local char buffer[256 * 1024];
  for (;;) {
    ssize_t got = ::pread(from, buffer, sizeof buffer, offset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return error_from_errno(errno, name);
    if (got == 0) return Ok{};
    for (ssize_t done = 0; done < got;) {
      ssize_t put = ::write(to, buffer + done, static_cast<size_t>(got - done));
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return error_from_errno(errno, name);
      done += put;
    }
    offset += got;
  }
}

Status copy_content(int from, int to, const std::string& name) {
  off_t offset = 0;
  for (;;) {
    // May fail at once (EXDEV, EINVAL, ENOSYS on old kernels and odd file systems) or fall short: then by hand.
    ssize_t n = ::copy_file_range(from, &offset, to, nullptr, 1 << 30, 0);
    if (n > 0) continue;
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == ENOSPC || errno == EDQUOT || errno == EIO)) return error_from_errno(errno, name);
    // 0 is the end, or a file system that can not tell (procfs): the buffer loop finds out with one read.
    return copy_through_buffer(from, to, name, offset);
  }
}

}  // namespace kache
