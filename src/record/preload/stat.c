/* Looking at files without opening them, and where links lead. */
#include "recorder.h"

#include <stdlib.h>
#include <sys/sysmacros.h>

static unsigned nofollow(int flags) { return flags & AT_SYMLINK_NOFOLLOW ? KACHE_REC_NOFOLLOW : 0; }

/* A call on the descriptor itself, which names no file. */
static bool is_descriptor(const char *path, int flags) {
  return flags & AT_EMPTY_PATH && (!path || path[0] == 0);
}

_Static_assert(sizeof(struct stat) == sizeof(struct stat64), "one layout for both");

static int end_stat(struct kr_event *event, int directory, const char *path, const void *st, int rc) {
  if (rc == 0) event->identity = kr_identity_of(st);
  kr_note_path(event, kr_result(rc), directory, path);
  return rc;
}

#define STAT_HOOK(name, type, flags)                                       \
  KR_HOOK(int, name, (const char *path, struct type *st)) {                \
    struct kr_event event = kr_begin(KACHE_REC_STAT, flags);               \
    return end_stat(&event, AT_FDCWD, path, st, KR_REAL(name)(path, st));  \
  }
STAT_HOOK(stat, stat, 0)
STAT_HOOK(stat64, stat64, 0)
STAT_HOOK(lstat, stat, KACHE_REC_NOFOLLOW)
STAT_HOOK(lstat64, stat64, KACHE_REC_NOFOLLOW)

#define FSTATAT_HOOK(name, type)                                                                 \
  KR_HOOK(int, name, (int directory, const char *path, struct type *st, int flags)) {            \
    if (is_descriptor(path, flags)) return KR_REAL(name)(directory, path, st, flags);            \
    struct kr_event event = kr_begin(KACHE_REC_STAT, nofollow(flags));                           \
    return end_stat(&event, directory, path, st, KR_REAL(name)(directory, path, st, flags));     \
  }
FSTATAT_HOOK(fstatat, stat)
FSTATAT_HOOK(fstatat64, stat64)

/* What stat was before glibc 2.33: older binaries call these. */
#define XSTAT_HOOK(name, type, flags)                                                \
  int name(int version, const char *path, struct type *st);                          \
  KR_HOOK(int, name, (int version, const char *path, struct type *st)) {             \
    struct kr_event event = kr_begin(KACHE_REC_STAT, flags);                         \
    return end_stat(&event, AT_FDCWD, path, st, KR_REAL(name)(version, path, st));   \
  }
XSTAT_HOOK(__xstat, stat, 0)
XSTAT_HOOK(__xstat64, stat64, 0)
XSTAT_HOOK(__lxstat, stat, KACHE_REC_NOFOLLOW)
XSTAT_HOOK(__lxstat64, stat64, KACHE_REC_NOFOLLOW)

#define FXSTATAT_HOOK(name, type)                                                                         \
  int name(int version, int directory, const char *path, struct type *st, int flags);                     \
  KR_HOOK(int, name, (int version, int directory, const char *path, struct type *st, int flags)) {        \
    if (is_descriptor(path, flags)) return KR_REAL(name)(version, directory, path, st, flags);            \
    struct kr_event event = kr_begin(KACHE_REC_STAT, nofollow(flags));                                    \
    return end_stat(&event, directory, path, st, KR_REAL(name)(version, directory, path, st, flags));     \
  }
FXSTATAT_HOOK(__fxstatat, stat)
FXSTATAT_HOOK(__fxstatat64, stat64)

/* The caller may have asked for few fields, so the identity is taken apart. */
KR_HOOK(int, statx, (int directory, const char *path, int flags, unsigned mask, struct statx *stx)) {
  if (is_descriptor(path, flags)) return KR_REAL(statx)(directory, path, flags, mask, stx);
  struct kr_event event = kr_begin(KACHE_REC_STAT, nofollow(flags));
  int rc = KR_REAL(statx)(directory, path, flags, mask, stx);
  if (rc == 0) {
    const unsigned needed = STATX_TYPE | STATX_MODE | STATX_MTIME | STATX_CTIME | STATX_INO | STATX_SIZE;
    if ((stx->stx_mask & needed) == needed) {
      event.identity = (struct kr_identity){
          .dev = makedev(stx->stx_dev_major, stx->stx_dev_minor),
          .ino = stx->stx_ino,
          .size = stx->stx_size,
          .mtime_ns = stx->stx_mtime.tv_sec * 1000000000 + stx->stx_mtime.tv_nsec,
          .ctime_ns = stx->stx_ctime.tv_sec * 1000000000 + stx->stx_ctime.tv_nsec,
          .mode = stx->stx_mode,
      };
    } else {
      event.identity = kr_identity_at(directory, path, flags & AT_SYMLINK_NOFOLLOW);
    }
  }
  kr_note_path(&event, kr_result(rc), directory, path);
  return rc;
}

/* --- access -------------------------------------------------------------------------------------------------------- */

static struct kr_event begin_access(int mode, int flags) {
  struct kr_event event = kr_begin(KACHE_REC_STAT, nofollow(flags));
  event.aux = (uint64_t)mode;
  return event;
}

static int end_access(struct kr_event *event, int directory, const char *path, int flags, int rc) {
  if (rc == 0) event->identity = kr_identity_at(directory, path, flags & AT_SYMLINK_NOFOLLOW);
  kr_note_path(event, kr_result(rc), directory, path);
  return rc;
}

#define ACCESS_HOOK(name)                                                       \
  KR_HOOK(int, name, (const char *path, int mode)) {                            \
    struct kr_event event = begin_access(mode, 0);                              \
    return end_access(&event, AT_FDCWD, path, 0, KR_REAL(name)(path, mode));    \
  }
ACCESS_HOOK(access)
ACCESS_HOOK(eaccess)
ACCESS_HOOK(euidaccess)

KR_HOOK(int, faccessat, (int directory, const char *path, int mode, int flags)) {
  if (is_descriptor(path, flags)) return KR_REAL(faccessat)(directory, path, mode, flags);
  struct kr_event event = begin_access(mode, flags);
  return end_access(&event, directory, path, flags, KR_REAL(faccessat)(directory, path, mode, flags));
}

/* --- links --------------------------------------------------------------------------------------------------------- */

static ssize_t end_readlink(struct kr_event *event, int directory, const char *path, const char *target, ssize_t size) {
  int result = kr_result(size);
  if (result == EFAULT || !path || (path[0] == 0 && result != 0)) return size;
  struct kr_path absolute;
  kr_absolute(&absolute, directory, path);
  kr_note(event, result, absolute.text, (struct kr_text){NULL, 0, target, size > 0 ? (size_t)size : 0});
  return size;
}

#define READLINK_HOOK(name, params, args, directory)                                 \
  KR_HOOK(ssize_t, name, params) {                                                   \
    struct kr_event event = kr_begin(KACHE_REC_READLINK, 0);                         \
    return end_readlink(&event, directory, path, target, KR_REAL(name) args);        \
  }
READLINK_HOOK(readlink, (const char *path, char *target, size_t size), (path, target, size), AT_FDCWD)
READLINK_HOOK(readlinkat, (int directory, const char *path, char *target, size_t size),
              (directory, path, target, size), directory)
ssize_t __readlink_chk(const char *path, char *target, size_t size, size_t room);
READLINK_HOOK(__readlink_chk, (const char *path, char *target, size_t size, size_t room), (path, target, size, room),
              AT_FDCWD)
ssize_t __readlinkat_chk(int directory, const char *path, char *target, size_t size, size_t room);
READLINK_HOOK(__readlinkat_chk, (int directory, const char *path, char *target, size_t size, size_t room),
              (directory, path, target, size, room), directory)

#define REALPATH_HOOK(name, params, args)                                            \
  KR_HOOK(char *, name, params) {                                                    \
    struct kr_event event = kr_begin(KACHE_REC_REALPATH, 0);                         \
    char *resolved = KR_REAL(name) args;                                             \
    if (path && path[0]) {                                                           \
      struct kr_path absolute;                                                       \
      kr_absolute(&absolute, AT_FDCWD, path);                                        \
      kr_note(&event, resolved ? 0 : errno, absolute.text, kr_text(resolved));       \
    }                                                                                \
    return resolved;                                                                 \
  }
REALPATH_HOOK(realpath, (const char *path, char *buffer), (path, buffer))
char *__realpath_chk(const char *path, char *buffer, size_t room);
REALPATH_HOOK(__realpath_chk, (const char *path, char *buffer, size_t room), (path, buffer, room))
REALPATH_HOOK(canonicalize_file_name, (const char *path), (path))

/* --- the working directory: that it exists and may be entered is all it tells ------------------------------------- */

KR_HOOK(int, chdir, (const char *path)) {
  struct kr_event event = kr_begin(KACHE_REC_STAT, 0);
  event.identity = kr_identity_at(AT_FDCWD, path, 0);
  struct kr_path absolute; /* before the call: afterwards a relative path means another directory */
  absolute.text = KR_NO_TEXT;
  bool readable = event.identity.mode != 0;
  if (readable) kr_absolute(&absolute, AT_FDCWD, path);
  int rc = KR_REAL(chdir)(path);
  if (readable) {
    if (rc != 0) event.identity = (struct kr_identity){0};
    kr_note(&event, kr_result(rc), absolute.text, KR_NO_TEXT);
  } else {
    kr_note_path(&event, kr_result(rc), AT_FDCWD, path);
  }
  return rc;
}
