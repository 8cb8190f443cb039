/* Inside libkache-record.so: what the hooks share.
 *
 * Rules for every hook. It calls the real function once and returns what that returned, errno included. It never
 * allocates, locks, prints or calls a hooked function for its own needs (own work goes through system calls). It may run
 * before any constructor (an allocator that reads its configuration), in a vfork child (the parent's memory!), in a
 * signal handler, and in several threads at once; so nothing is cached but what holds for all of these. A path is looked
 * at only after the kernel has read it, because programs probe for functions with null pointers. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include "record_format.h"

_Static_assert(sizeof(long) == 8, "the recorder is written for 64-bit systems");

/* --- hooks ------------------------------------------------------------------------------------------------------- */

struct kr_hook {
  const char *name;
  _Atomic(void *) real; /* the next definition of `name`; resolved by the constructor, or by the first earlier call */
};

/* All hooks lie in one section, so that the constructor can walk them. */
#define KR_HOOK_SECTION __attribute__((section("kr_hooks"), used, aligned(16)))
#define KR_EXPORT __attribute__((visibility("default")))

/* KR_HOOK(int, unlink, (const char *path)) { ... KR_REAL(unlink)(path) ... } */
#define KR_HOOK(ret, function, params)                                    \
  typedef ret kr_fn_##function params;                                    \
  static struct kr_hook kr_hook_##function KR_HOOK_SECTION = {#function, NULL}; \
  KR_EXPORT ret function params

#define KR_REAL(function) ((kr_fn_##function *)kr_real(&kr_hook_##function))

void *kr_resolve(struct kr_hook *hook);

static inline void *kr_real(struct kr_hook *hook) {
  void *real = atomic_load_explicit(&hook->real, memory_order_acquire);
  return real ? real : kr_resolve(hook);
}

/* --- state ------------------------------------------------------------------------------------------------------- */

enum kr_state { KR_UNDECIDED, KR_STARTING, KR_ON, KR_OFF };
extern _Atomic(int) kr_state;

/* Decides whether this process is recorded: maps the file and says HELLO. */
bool kr_start(char *const *environment);
extern char **environ;

static inline bool kr_on(void) {
  int state = atomic_load_explicit(&kr_state, memory_order_acquire);
  return state == KR_ON || (state == KR_UNDECIDED && kr_start(environ));
}

extern char kr_record_variable[];  /* "KACHE_RECORD=<path>" */
extern char kr_library_path[];     /* of this library, as the dynamic linker knows it */
static inline const char *kr_record_path(void) { return kr_record_variable + sizeof KACHE_RECORD_ENV; }

/* The value of `name` in `environment`, or NULL. */
const char *kr_find_variable(char *const *environment, const char *name);

static inline pid_t kr_pid(void) { return (pid_t)syscall(SYS_getpid); } /* a cached one would lie in a vfork child */

/* --- events ------------------------------------------------------------------------------------------------------ */

struct kr_identity {
  uint64_t dev, ino, size;
  int64_t mtime_ns, ctime_ns;
  uint32_t mode;
};

struct kr_event {
  uint16_t kind, flags;
  uint64_t aux;
  int64_t clock_ns;
  struct kr_identity identity;
};

/* A text in two pieces, so that a directory and a name need no copy. */
struct kr_text {
  const char *head;
  size_t head_size;
  const char *tail;
  size_t tail_size;
};

static inline struct kr_text kr_text(const char *s) {
  return (struct kr_text){NULL, 0, s, s ? strlen(s) : 0};
}
#define KR_NO_TEXT ((struct kr_text){NULL, 0, NULL, 0})

/* A path made absolute. */
struct kr_path {
  struct kr_text text;
  char directory[PATH_MAX + 2];
};

/* To be called before the real function: takes the clock. */
static inline struct kr_event kr_begin(unsigned kind, unsigned flags) {
  struct kr_event event = {.kind = (uint16_t)kind, .flags = (uint16_t)flags};
  if (kr_on()) {
    struct timespec now; /* from the kernel itself: a library that plays with the time must not reach the race guard */
    syscall(SYS_clock_gettime, CLOCK_REALTIME_COARSE, &now);
    event.clock_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
  }
  return event;
}

/* These keep errno. `result` is 0 or an errno; nothing is written for EFAULT. */
void kr_note(const struct kr_event *event, int result, struct kr_text a, struct kr_text b);
void kr_note_path(const struct kr_event *event, int result, int directory, const char *path);
/* The path that an open descriptor has now. */
void kr_note_descriptor(const struct kr_event *event, int result, int fd);

/* 0 for success, else errno: the result of a call that returned `rc`. */
static inline int kr_result(long rc) { return rc < 0 ? errno : 0; }

/* Writes the text of `path`, taken from `directory` (AT_FDCWD or a descriptor), into `out`. Keeps errno. */
void kr_absolute(struct kr_path *out, int directory, const char *path);

/* All keep errno; all zero where the file can not be looked at. */
struct kr_identity kr_identity_of(const struct stat *st);
struct kr_identity kr_identity_at(int directory, const char *path, int flags);
struct kr_identity kr_identity_fd(int fd);

/* --- processes --------------------------------------------------------------------------------------------------- */

/* Notes what the dynamic linker has mapped since the last look. */
void kr_note_maps(void);

/* The environment for a program about to be started: `given`, with the recorder put back where it was taken out, or
 * taken out where the program could not load it. Use:
 *   struct kr_child_env plan = kr_plan_env(path, envp);
 *   char *slots[plan.slots], preload[plan.preload_size];
 *   execve(path, argv, kr_build_env(&plan, slots, preload)); */
struct kr_child_env {
  char *const *given;
  size_t slots, preload_size; /* at least 1: they are array sizes */
  bool change, enter;
};
struct kr_child_env kr_plan_env(int directory, const char *path, char *const *given);
char *const *kr_build_env(const struct kr_child_env *plan, char **slots, char *preload);

/* False when the program at `path` is known to run under another dynamic linker than this process (32 bits, another
 * libc): it would die from our library, or complain on stderr. */
bool kr_can_enter(int directory, const char *path);

/* Searches PATH as execvp and posix_spawnp will, writes an event of `kind` for each candidate that fails, and returns
 * the first that will be executed in `out` (PATH_MAX bytes), or NULL. `file` itself when it has a slash. */
const char *kr_search_path(unsigned kind, const char *file, char *out);
