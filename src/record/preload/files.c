/* Opening files: by descriptor, by stream, and under temporary names. */
#include "recorder.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* --- descriptors ------------------------------------------------------------------------------------------------- */

static bool writes(int flags) {
  if (flags & O_PATH) return false;
  return (flags & O_ACCMODE) != O_RDONLY || flags & (O_CREAT | O_TRUNC);
}

static bool is_temporary(int flags) { return (flags & O_TMPFILE) == O_TMPFILE; }

/* Before the call: for writing, what lies there now. */
static struct kr_event begin_open(int directory, const char *path, int flags) {
  unsigned nofollow = flags & O_NOFOLLOW ? KACHE_REC_NOFOLLOW : 0;
  if (flags & O_PATH) return kr_begin(KACHE_REC_STAT, nofollow);
  if (!writes(flags)) return kr_begin(KACHE_REC_OPEN_READ, nofollow);
  unsigned how = nofollow;
  if (flags & O_CREAT) how |= KACHE_REC_CREATE;
  if (flags & O_TRUNC || (flags & O_CREAT && flags & O_EXCL)) how |= KACHE_REC_TRUNCATE;
  if ((flags & O_ACCMODE) != O_WRONLY) how |= KACHE_REC_READ;
  if (is_temporary(flags)) how = KACHE_REC_TEMPORARY | KACHE_REC_CREATE | KACHE_REC_TRUNCATE;
  struct kr_event event = kr_begin(KACHE_REC_OPEN_WRITE, how);
  if (!is_temporary(flags)) event.identity = kr_identity_at(directory, path, nofollow ? AT_SYMLINK_NOFOLLOW : 0);
  return event;
}

static int end_open(struct kr_event *event, int directory, const char *path, int fd) {
  if (event->kind != KACHE_REC_OPEN_WRITE && fd >= 0) event->identity = kr_identity_fd(fd);
  kr_note_path(event, kr_result(fd), directory, path);
  return fd;
}

static mode_t mode_of(int flags, va_list *more) {
  return flags & O_CREAT || is_temporary(flags) ? va_arg(*more, mode_t) : 0;
}

#define OPEN_HOOK(name)                                              \
  KR_HOOK(int, name, (const char *path, int flags, ...)) {           \
    va_list more;                                                    \
    va_start(more, flags);                                           \
    mode_t mode = mode_of(flags, &more);                             \
    va_end(more);                                                    \
    struct kr_event event = begin_open(AT_FDCWD, path, flags);       \
    return end_open(&event, AT_FDCWD, path, KR_REAL(name)(path, flags, mode)); \
  }
OPEN_HOOK(open)
OPEN_HOOK(open64)
OPEN_HOOK(__open)
OPEN_HOOK(__open64)

#define OPENAT_HOOK(name)                                                  \
  KR_HOOK(int, name, (int directory, const char *path, int flags, ...)) {  \
    va_list more;                                                          \
    va_start(more, flags);                                                 \
    mode_t mode = mode_of(flags, &more);                                   \
    va_end(more);                                                          \
    struct kr_event event = begin_open(directory, path, flags);            \
    return end_open(&event, directory, path, KR_REAL(name)(directory, path, flags, mode)); \
  }
OPENAT_HOOK(openat)
OPENAT_HOOK(openat64)

/* What -D_FORTIFY_SOURCE makes of an open without a mode. */
#define OPEN_2_HOOK(name)                                      \
  KR_HOOK(int, name, (const char *path, int flags)) {          \
    struct kr_event event = begin_open(AT_FDCWD, path, flags); \
    return end_open(&event, AT_FDCWD, path, KR_REAL(name)(path, flags)); \
  }
OPEN_2_HOOK(__open_2)
OPEN_2_HOOK(__open64_2)

#define OPENAT_2_HOOK(name)                                            \
  KR_HOOK(int, name, (int directory, const char *path, int flags)) {   \
    struct kr_event event = begin_open(directory, path, flags);        \
    return end_open(&event, directory, path, KR_REAL(name)(directory, path, flags)); \
  }
OPENAT_2_HOOK(__openat_2)
OPENAT_2_HOOK(__openat64_2)

#define CREAT_HOOK(name)                                                                  \
  KR_HOOK(int, name, (const char *path, mode_t mode)) {                                   \
    struct kr_event event = begin_open(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC);     \
    return end_open(&event, AT_FDCWD, path, KR_REAL(name)(path, mode));                   \
  }
CREAT_HOOK(creat)
CREAT_HOOK(creat64)

/* --- streams ----------------------------------------------------------------------------------------------------- */

static int flags_of_mode(const char *mode) {
  int flags = mode[0] == 'r' ? O_RDONLY : mode[0] == 'w' ? O_WRONLY | O_CREAT | O_TRUNC : O_WRONLY | O_CREAT | O_APPEND;
  for (const char *m = mode + 1; *m && *m != ','; ++m) {
    if (*m == '+') flags = (flags & ~O_ACCMODE) | O_RDWR;
    if (*m == 'x') flags |= O_EXCL;
  }
  return flags;
}

static FILE *end_fopen(struct kr_event *event, const char *path, FILE *stream) {
  if (event->kind != KACHE_REC_OPEN_WRITE && stream) event->identity = kr_identity_fd(fileno(stream));
  kr_note_path(event, stream ? 0 : errno, AT_FDCWD, path);
  return stream;
}

#define FOPEN_HOOK(name)                                                        \
  KR_HOOK(FILE *, name, (const char *path, const char *mode)) {                 \
    struct kr_event event = begin_open(AT_FDCWD, path, flags_of_mode(mode));    \
    return end_fopen(&event, path, KR_REAL(name)(path, mode));                  \
  }
FOPEN_HOOK(fopen)
FOPEN_HOOK(fopen64)

#define FREOPEN_HOOK(name)                                                            \
  KR_HOOK(FILE *, name, (const char *path, const char *mode, FILE *stream)) {         \
    if (!path) return KR_REAL(name)(path, mode, stream); /* only changes the mode */  \
    struct kr_event event = begin_open(AT_FDCWD, path, flags_of_mode(mode));          \
    return end_fopen(&event, path, KR_REAL(name)(path, mode, stream));                \
  }
FREOPEN_HOOK(freopen)
FREOPEN_HOOK(freopen64)

/* --- temporary files ---------------------------------------------------------------------------------------------- */

enum { TEMPORARY = KACHE_REC_TEMPORARY | KACHE_REC_CREATE | KACHE_REC_TRUNCATE | KACHE_REC_READ };

#define MKSTEMP_HOOK(name, params, args)                                     \
  KR_HOOK(int, name, params) {                                               \
    struct kr_event event = kr_begin(KACHE_REC_OPEN_WRITE, TEMPORARY);       \
    int fd = KR_REAL(name) args;                                             \
    kr_note_path(&event, kr_result(fd), AT_FDCWD, pattern);                  \
    return fd;                                                               \
  }
MKSTEMP_HOOK(mkstemp, (char *pattern), (pattern))
MKSTEMP_HOOK(mkstemp64, (char *pattern), (pattern))
MKSTEMP_HOOK(mkostemp, (char *pattern, int flags), (pattern, flags))
MKSTEMP_HOOK(mkostemp64, (char *pattern, int flags), (pattern, flags))
MKSTEMP_HOOK(mkstemps, (char *pattern, int suffix), (pattern, suffix))
MKSTEMP_HOOK(mkstemps64, (char *pattern, int suffix), (pattern, suffix))
MKSTEMP_HOOK(mkostemps, (char *pattern, int suffix, int flags), (pattern, suffix, flags))
MKSTEMP_HOOK(mkostemps64, (char *pattern, int suffix, int flags), (pattern, suffix, flags))

KR_HOOK(char *, mkdtemp, (char *pattern)) {
  struct kr_event event = kr_begin(KACHE_REC_MKDIR, KACHE_REC_TEMPORARY);
  char *made = KR_REAL(mkdtemp)(pattern);
  kr_note_path(&event, made ? 0 : errno, AT_FDCWD, pattern);
  return made;
}

#define TMPFILE_HOOK(name)                                                     \
  KR_HOOK(FILE *, name, (void)) {                                              \
    struct kr_event event = kr_begin(KACHE_REC_OPEN_WRITE, TEMPORARY);         \
    FILE *stream = KR_REAL(name)();                                            \
    if (stream) kr_note_descriptor(&event, 0, fileno(stream));                 \
    return stream;                                                             \
  }
TMPFILE_HOOK(tmpfile)
TMPFILE_HOOK(tmpfile64)

/* These only look whether a name is free, inside libc; tempnam asks for TMPDIR there. */
KR_HOOK(char *, tempnam, (const char *directory, const char *prefix)) {
  getenv("TMPDIR");
  return KR_REAL(tempnam)(directory, prefix);
}
