/* From a call to an event: absolute paths and identities. */
#include "recorder.h"
#include "ring.h"

void kr_note(const struct kr_event *event, int result, struct kr_text a, struct kr_text b) {
  if (result == EFAULT || !kr_on()) return;
  int saved = errno;
  kr_ring_append(event, result, a, b);
  errno = saved;
}

void kr_note_path(const struct kr_event *event, int result, int directory, const char *path) {
  if (result == EFAULT || !path || !kr_on()) return;
  if (path[0] == 0 && result == ENOENT) return; /* the empty name never names anything */
  struct kr_path absolute;
  kr_absolute(&absolute, directory, path);
  kr_note(event, result, absolute.text, KR_NO_TEXT);
}

void kr_note_descriptor(const struct kr_event *event, int result, int fd) {
  kr_note_path(event, result, fd, "");
}

/* /proc/self/fd/<fd>: what the kernel thinks the path of a descriptor is. Returns its size, or -1. */
static long descriptor_path(int fd, char *out, size_t size) {
  char link[32] = "/proc/self/fd/";
  char digits[12];
  size_t at = strlen(link), count = 0;
  unsigned n = (unsigned)fd;
  do {
    digits[count++] = (char)('0' + n % 10);
    n /= 10;
  } while (n != 0);
  while (count > 0) link[at++] = digits[--count];
  link[at] = 0;
  return syscall(SYS_readlinkat, AT_FDCWD, link, out, size);
}

void kr_absolute(struct kr_path *out, int directory, const char *path) {
  out->text = kr_text(path);
  if (!path || path[0] == '/') return;
  int saved = errno;
  long size;
  if (directory == AT_FDCWD) {
    size = syscall(SYS_getcwd, out->directory, (size_t)PATH_MAX);
    if (size > 0) --size; /* it counts the terminator */
  } else {
    size = directory < 0 ? -1 : descriptor_path(directory, out->directory, PATH_MAX);
  }
  errno = saved;
  if (size <= 0 || out->directory[0] != '/') {
    static const char unknown[] = "(unknown)/";
    out->text.head = unknown;
    out->text.head_size = sizeof unknown - 1;
    return;
  }
  if (path[0] != 0 && out->directory[size - 1] != '/') out->directory[size++] = '/';
  out->text.head = out->directory;
  out->text.head_size = (size_t)size;
}

static int64_t to_ns(struct timespec t) { return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec; }

struct kr_identity kr_identity_of(const struct stat *st) {
  return (struct kr_identity){.dev = st->st_dev,
                              .ino = st->st_ino,
                              .size = (uint64_t)st->st_size,
                              .mtime_ns = to_ns(st->st_mtim),
                              .ctime_ns = to_ns(st->st_ctim),
                              .mode = st->st_mode};
}

struct kr_identity kr_identity_at(int directory, const char *path, int flags) {
  struct kr_identity identity = {0};
  if (!kr_on()) return identity;
  struct stat st;
  int saved = errno;
  if (syscall(SYS_newfstatat, directory, path, &st, flags) == 0) identity = kr_identity_of(&st);
  errno = saved;
  return identity;
}

struct kr_identity kr_identity_fd(int fd) {
  struct kr_identity identity = {0};
  if (!kr_on()) return identity;
  struct stat st;
  int saved = errno;
  if (syscall(SYS_fstat, fd, &st) == 0) identity = kr_identity_of(&st);
  errno = saved;
  return identity;
}
