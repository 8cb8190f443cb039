/* Listing directories. glob, nftw and fts list inside libc, out of sight of the other hooks: each is observed at the
 * place where it hands its findings to the program. */
#include "recorder.h"

#include <dirent.h>
#include <fts.h>
#include <ftw.h>
#include <glob.h>
#include <stdlib.h>

KR_HOOK(DIR *, opendir, (const char *path)) {
  struct kr_event event = kr_begin(KACHE_REC_LIST_DIR, 0);
  DIR *dir = KR_REAL(opendir)(path);
  if (dir) event.identity = kr_identity_fd(dirfd(dir));
  kr_note_path(&event, dir ? 0 : errno, AT_FDCWD, path);
  return dir;
}

KR_HOOK(DIR *, fdopendir, (int fd)) {
  struct kr_event event = kr_begin(KACHE_REC_LIST_DIR, 0);
  DIR *dir = KR_REAL(fdopendir)(fd);
  if (dir) {
    event.identity = kr_identity_fd(fd);
    kr_note_descriptor(&event, 0, fd);
  }
  return dir;
}

KR_HOOK(ssize_t, getdents64, (int fd, void *buffer, size_t size)) {
  struct kr_event event = kr_begin(KACHE_REC_LIST_DIR, 0);
  ssize_t read = KR_REAL(getdents64)(fd, buffer, size);
  if (read >= 0) {
    event.identity = kr_identity_fd(fd);
    kr_note_descriptor(&event, 0, fd);
  }
  return read;
}

static int end_scandir(struct kr_event *event, int directory, const char *path, int count) {
  if (count >= 0) event->identity = kr_identity_at(directory, path, 0);
  kr_note_path(event, kr_result(count), directory, path);
  return count;
}

#define SCANDIR_HOOK(name, entry)                                                                             \
  KR_HOOK(int, name,                                                                                          \
          (const char *path, struct entry ***list, int (*keep)(const struct entry *),                         \
           int (*compare)(const struct entry **, const struct entry **))) {                                   \
    struct kr_event event = kr_begin(KACHE_REC_LIST_DIR, 0);                                                  \
    return end_scandir(&event, AT_FDCWD, path, KR_REAL(name)(path, list, keep, compare));                     \
  }
SCANDIR_HOOK(scandir, dirent)
SCANDIR_HOOK(scandir64, dirent64)

#define SCANDIRAT_HOOK(name, entry)                                                                           \
  KR_HOOK(int, name,                                                                                          \
          (int directory, const char *path, struct entry ***list, int (*keep)(const struct entry *),          \
           int (*compare)(const struct entry **, const struct entry **))) {                                   \
    struct kr_event event = kr_begin(KACHE_REC_LIST_DIR, 0);                                                  \
    return end_scandir(&event, directory, path, KR_REAL(name)(directory, path, list, keep, compare));         \
  }
SCANDIRAT_HOOK(scandirat, dirent)
SCANDIRAT_HOOK(scandirat64, dirent64)

/* --- glob: made to use our functions, by its own means ------------------------------------------------------------- */

static void *open_for_glob(const char *path) { return opendir(path); }
static void close_for_glob(void *dir) { closedir(dir); }
static struct dirent *read_for_glob(void *dir) { return readdir(dir); }
static struct dirent64 *read64_for_glob(void *dir) { return readdir64(dir); }
static int stat_for_glob(const char *path, struct stat *st) { return stat(path, st); }
static int lstat_for_glob(const char *path, struct stat *st) { return lstat(path, st); }
static int stat64_for_glob(const char *path, struct stat64 *st) { return stat64(path, st); }
static int lstat64_for_glob(const char *path, struct stat64 *st) { return lstat64(path, st); }

#define GLOB_HOOK(name, type, readdir_function, stat_function, lstat_function)                             \
  KR_HOOK(int, name, (const char *pattern, int flags, int (*failed)(const char *, int), type *found)) {    \
    if (flags & (GLOB_TILDE | GLOB_TILDE_CHECK)) getenv("HOME");                                           \
    if (flags & GLOB_ALTDIRFUNC || !kr_on()) return KR_REAL(name)(pattern, flags, failed, found);          \
    found->gl_opendir = open_for_glob;                                                                     \
    found->gl_closedir = close_for_glob;                                                                   \
    found->gl_readdir = readdir_function;                                                                  \
    found->gl_stat = stat_function;                                                                        \
    found->gl_lstat = lstat_function;                                                                      \
    int rc = KR_REAL(name)(pattern, flags | GLOB_ALTDIRFUNC, failed, found);                               \
    found->gl_flags &= ~GLOB_ALTDIRFUNC;                                                                   \
    return rc;                                                                                             \
  }
GLOB_HOOK(glob, glob_t, read_for_glob, stat_for_glob, lstat_for_glob)
GLOB_HOOK(glob64, glob64_t, read64_for_glob, stat64_for_glob, lstat64_for_glob)

/* --- ftw, nftw: what the program's own function is called with ------------------------------------------------------ */

static void note_walked(const char *path, const struct stat *st, int type, bool physical) {
  struct kr_event event = kr_begin(KACHE_REC_STAT, physical ? KACHE_REC_NOFOLLOW : 0);
  if (type != FTW_NS) event.identity = kr_identity_of(st);
  kr_note_path(&event, 0, AT_FDCWD, path);
  if (type == FTW_D || type == FTW_DP) {
    event.kind = KACHE_REC_LIST_DIR;
    kr_note_path(&event, 0, AT_FDCWD, path);
  }
}

/* With FTW_CHDIR the working directory moves along, and paths stay those of the beginning: they are taken from there. */
struct walk {
  void *function;
  bool physical;
  char start[PATH_MAX + 2];
};
static __thread struct walk *kr_walk __attribute__((tls_model("initial-exec")));

static const char *from_start(const char *path, char *out) {
  size_t start = strlen(kr_walk->start), size = strlen(path);
  if (path[0] == '/' || start == 0 || start + 1 + size >= 2 * PATH_MAX) return path;
  memcpy(out, kr_walk->start, start);
  out[start] = '/';
  memcpy(out + start + 1, path, size + 1);
  return out;
}

static void enter_walk(struct walk *walk, void *function, bool physical) {
  walk->function = function;
  walk->physical = physical;
  walk->start[0] = 0;
  int saved = errno;
  if (syscall(SYS_getcwd, walk->start, (size_t)PATH_MAX) <= 0 || walk->start[0] != '/') walk->start[0] = 0;
  errno = saved;
  kr_walk = walk;
}

typedef int walk_function(const char *, const struct stat *, int);
typedef int walk64_function(const char *, const struct stat64 *, int);
typedef int nwalk_function(const char *, const struct stat *, int, struct FTW *);
typedef int nwalk64_function(const char *, const struct stat64 *, int, struct FTW *);

#define WALK_HOOK(name, type, function_type)                                             \
  static int name##_step(const char *path, const struct type *st, int flag) {            \
    char absolute[2 * PATH_MAX];                                                         \
    struct walk *walk = kr_walk;                                                         \
    note_walked(from_start(path, absolute), (const struct stat *)st, flag, false);       \
    int rc = ((function_type *)walk->function)(path, st, flag);                          \
    kr_walk = walk;                                                                      \
    return rc;                                                                           \
  }                                                                                      \
  KR_HOOK(int, name, (const char *path, function_type *function, int descriptors)) {     \
    struct walk walk, *outer = kr_walk;                                                  \
    enter_walk(&walk, (void *)function, false);                                          \
    struct kr_event event = kr_begin(KACHE_REC_STAT, 0);                                 \
    int rc = KR_REAL(name)(path, name##_step, descriptors);                              \
    kr_walk = outer;                                                                     \
    if (rc < 0) kr_note_path(&event, errno, AT_FDCWD, path);                             \
    return rc;                                                                           \
  }
WALK_HOOK(ftw, stat, walk_function)
WALK_HOOK(ftw64, stat64, walk64_function)

#define NWALK_HOOK(name, type, function_type)                                                          \
  static int name##_step(const char *path, const struct type *st, int flag, struct FTW *at) {          \
    char absolute[2 * PATH_MAX];                                                                       \
    struct walk *walk = kr_walk;                                                                       \
    note_walked(from_start(path, absolute), (const struct stat *)st, flag, walk->physical);            \
    int rc = ((function_type *)walk->function)(path, st, flag, at);                                    \
    kr_walk = walk;                                                                                    \
    return rc;                                                                                         \
  }                                                                                                    \
  KR_HOOK(int, name, (const char *path, function_type *function, int descriptors, int flags)) {        \
    struct walk walk, *outer = kr_walk;                                                                \
    enter_walk(&walk, (void *)function, flags & FTW_PHYS);                                             \
    struct kr_event event = kr_begin(KACHE_REC_STAT, flags & FTW_PHYS ? KACHE_REC_NOFOLLOW : 0);       \
    int rc = KR_REAL(name)(path, name##_step, descriptors, flags);                                     \
    kr_walk = outer;                                                                                   \
    if (rc < 0) kr_note_path(&event, errno, AT_FDCWD, path);                                           \
    return rc;                                                                                         \
  }
NWALK_HOOK(nftw, stat, nwalk_function)
NWALK_HOOK(nftw64, stat64, nwalk64_function)

/* --- fts: what it hands out. fts_accpath is valid in the working directory that fts has gone to. --------------------- */

static void note_fts(const struct kr_event *begun, const char *path, int info, int error, const struct stat *st) {
  struct kr_event event = *begun;
  bool failed = info == FTS_NS || info == FTS_DNR || info == FTS_ERR;
  if (!failed && st && info != FTS_NSOK) event.identity = kr_identity_of(st);
  kr_note_path(&event, failed ? error : 0, AT_FDCWD, path);
}

#define FTS_HOOK(open, read, handle, entry)                                                              \
  KR_HOOK(handle *, open, (char *const *paths, int options, int (*compare)(const entry **, const entry **))) { \
    struct kr_event event = kr_begin(KACHE_REC_STAT, KACHE_REC_NOFOLLOW);                                \
    for (char *const *path = paths; *path; ++path) {                                                     \
      event.identity = kr_identity_at(AT_FDCWD, *path, AT_SYMLINK_NOFOLLOW);                             \
      kr_note_path(&event, event.identity.mode ? 0 : ENOENT, AT_FDCWD, *path);                           \
    }                                                                                                    \
    return KR_REAL(open)(paths, options, compare);                                                       \
  }                                                                                                      \
  KR_HOOK(entry *, read, (handle *walk)) {                                                               \
    struct kr_event event = kr_begin(KACHE_REC_STAT, KACHE_REC_NOFOLLOW);                                \
    entry *found = KR_REAL(read)(walk);                                                                  \
    if (!found) return found;                                                                            \
    int saved = errno;                                                                                   \
    if (found->fts_info == FTS_D || found->fts_info == FTS_DNR) event.kind = KACHE_REC_LIST_DIR;         \
    note_fts(&event, found->fts_accpath, found->fts_info, found->fts_errno, (const struct stat *)found->fts_statp); \
    errno = saved;                                                                                       \
    return found;                                                                                        \
  }
FTS_HOOK(fts_open, fts_read, FTS, FTSENT)
FTS_HOOK(fts64_open, fts64_read, FTS64, FTSENT64)
