/* What changes the tree of files: names made, moved and removed. */
#include "recorder.h"

#include <stdio.h>

static int end_change(const struct kr_event *event, int directory, const char *path, int rc) {
  kr_note_path(event, kr_result(rc), directory, path);
  return rc;
}

static int end_pair(const struct kr_event *event, int rc, int directory_a, const char *a, int directory_b,
                    const char *b) {
  int result = kr_result(rc);
  if (result == EFAULT || !kr_on()) return rc;
  struct kr_path from, to;
  kr_absolute(&from, directory_a, a);
  kr_absolute(&to, directory_b, b);
  kr_note(event, result, from.text, to.text);
  return rc;
}

/* One path: kind, function, its directory, its parameters, its arguments. */
#define CHANGE_HOOK(kind, name, directory, params, args)                     \
  KR_HOOK(int, name, params) {                                               \
    struct kr_event event = kr_begin(kind, 0);                               \
    return end_change(&event, directory, path, KR_REAL(name) args);          \
  }
CHANGE_HOOK(KACHE_REC_UNLINK, unlink, AT_FDCWD, (const char *path), (path))
CHANGE_HOOK(KACHE_REC_UNLINK, unlinkat, directory, (int directory, const char *path, int flags),
            (directory, path, flags))
CHANGE_HOOK(KACHE_REC_UNLINK, rmdir, AT_FDCWD, (const char *path), (path))
CHANGE_HOOK(KACHE_REC_UNLINK, remove, AT_FDCWD, (const char *path), (path))
CHANGE_HOOK(KACHE_REC_MKDIR, mkdir, AT_FDCWD, (const char *path, mode_t mode), (path, mode))
CHANGE_HOOK(KACHE_REC_MKDIR, mkdirat, directory, (int directory, const char *path, mode_t mode),
            (directory, path, mode))

/* Two paths. */
#define PAIR_HOOK(kind, name, directory_a, a, directory_b, b, params, args)                    \
  KR_HOOK(int, name, params) {                                                                 \
    struct kr_event event = kr_begin(kind, 0);                                                 \
    return end_pair(&event, KR_REAL(name) args, directory_a, a, directory_b, b);               \
  }
PAIR_HOOK(KACHE_REC_RENAME, rename, AT_FDCWD, from, AT_FDCWD, to, (const char *from, const char *to), (from, to))
PAIR_HOOK(KACHE_REC_RENAME, renameat, from_dir, from, to_dir, to,
          (int from_dir, const char *from, int to_dir, const char *to), (from_dir, from, to_dir, to))
PAIR_HOOK(KACHE_REC_RENAME, renameat2, from_dir, from, to_dir, to,
          (int from_dir, const char *from, int to_dir, const char *to, unsigned flags),
          (from_dir, from, to_dir, to, flags))
PAIR_HOOK(KACHE_REC_LINK, link, AT_FDCWD, from, AT_FDCWD, to, (const char *from, const char *to), (from, to))
PAIR_HOOK(KACHE_REC_LINK, linkat, from_dir, from, to_dir, to,
          (int from_dir, const char *from, int to_dir, const char *to, int flags), (from_dir, from, to_dir, to, flags))

static int end_symlink(const struct kr_event *event, int rc, const char *target, int directory, const char *path) {
  int result = kr_result(rc);
  if (result == EFAULT || !kr_on()) return rc;
  struct kr_path absolute;
  kr_absolute(&absolute, directory, path);
  kr_note(event, result, kr_text(target), absolute.text);
  return rc;
}

KR_HOOK(int, symlink, (const char *target, const char *path)) {
  struct kr_event event = kr_begin(KACHE_REC_SYMLINK, 0);
  return end_symlink(&event, KR_REAL(symlink)(target, path), target, AT_FDCWD, path);
}

KR_HOOK(int, symlinkat, (const char *target, int directory, const char *path)) {
  struct kr_event event = kr_begin(KACHE_REC_SYMLINK, 0);
  return end_symlink(&event, KR_REAL(symlinkat)(target, directory, path), target, directory, path);
}

/* --- content changed, or a file made, without opening it ----------------------------------------------------------- */

#define TRUNCATE_HOOK(name, type)                                                          \
  KR_HOOK(int, name, (const char *path, type size)) {                                      \
    struct kr_event event = kr_begin(KACHE_REC_OPEN_WRITE, size == 0 ? KACHE_REC_TRUNCATE : KACHE_REC_READ); \
    event.identity = kr_identity_at(AT_FDCWD, path, 0);                                    \
    return end_change(&event, AT_FDCWD, path, KR_REAL(name)(path, size));                  \
  }
TRUNCATE_HOOK(truncate, off_t)
TRUNCATE_HOOK(truncate64, off64_t)

#define MAKE_NODE_HOOK(name, directory, params, args)                                                   \
  KR_HOOK(int, name, params) {                                                                          \
    struct kr_event event = kr_begin(KACHE_REC_OPEN_WRITE, KACHE_REC_CREATE | KACHE_REC_TRUNCATE);      \
    event.identity = kr_identity_at(directory, path, AT_SYMLINK_NOFOLLOW);                              \
    return end_change(&event, directory, path, KR_REAL(name) args);                                     \
  }
MAKE_NODE_HOOK(mknod, AT_FDCWD, (const char *path, mode_t mode, dev_t dev), (path, mode, dev))
MAKE_NODE_HOOK(mknodat, directory, (int directory, const char *path, mode_t mode, dev_t dev),
               (directory, path, mode, dev))
MAKE_NODE_HOOK(mkfifo, AT_FDCWD, (const char *path, mode_t mode), (path, mode))
MAKE_NODE_HOOK(mkfifoat, directory, (int directory, const char *path, mode_t mode), (directory, path, mode))
