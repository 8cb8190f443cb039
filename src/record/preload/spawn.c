/* Starting children: posix_spawn and the shell. fork is in start.c. */
#include "recorder.h"

#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* These return the errno instead of setting it. */
static int end_spawn(struct kr_event *event, const char *path, const pid_t *pid, int result) {
  if (result == 0 && pid) event->aux = (uint64_t)*pid;
  kr_note_path(event, result, AT_FDCWD, path);
  return result;
}

#define SPAWN_PARAMS                                                                            \
  (pid_t * pid, const char *path, const posix_spawn_file_actions_t *actions,                    \
   const posix_spawnattr_t *attributes, char *const *argv, char *const *envp)

KR_HOOK(int, posix_spawn, SPAWN_PARAMS) {
  struct kr_event event = kr_begin(KACHE_REC_SPAWN, 0);
  event.identity = kr_identity_at(AT_FDCWD, path, 0);
  struct kr_child_env plan = kr_plan_env(AT_FDCWD, path, envp);
  char *slots[plan.slots], preload[plan.preload_size];
  pid_t child = 0;
  int result =
      KR_REAL(posix_spawn)(&child, path, actions, attributes, argv, kr_build_env(&plan, slots, preload));
  if (result == 0 && pid) *pid = child;
  return end_spawn(&event, path, &child, result);
}

KR_HOOK(int, posix_spawnp, SPAWN_PARAMS) {
  char candidate[PATH_MAX];
  const char *found = kr_search_path(KACHE_REC_SPAWN, path, candidate);
  if (!found) return KR_REAL(posix_spawnp)(pid, path, actions, attributes, argv, envp);
  struct kr_event event = kr_begin(KACHE_REC_SPAWN, 0);
  event.identity = kr_identity_at(AT_FDCWD, found, 0);
  struct kr_child_env plan = kr_plan_env(AT_FDCWD, found, envp);
  char *slots[plan.slots], preload[plan.preload_size];
  pid_t child = 0;
  int result =
      KR_REAL(posix_spawnp)(&child, path, actions, attributes, argv, kr_build_env(&plan, slots, preload));
  if (result == 0 && pid) *pid = child;
  return end_spawn(&event, found, &child, result);
}

#ifdef KACHE_HAVE_PIDFD_SPAWN
/* Defined only where libc has them: programs ask whether they exist. */
#define PIDFD_SPAWN_HOOK(name, kind_of_search)                                                                  \
  KR_HOOK(int, name,                                                                                            \
          (int *pidfd, const char *path, const posix_spawn_file_actions_t *actions,                             \
           const posix_spawnattr_t *attributes, char *const *argv, char *const *envp)) {                        \
    char candidate[PATH_MAX];                                                                                   \
    const char *found = kind_of_search;                                                                         \
    if (!found) return KR_REAL(name)(pidfd, path, actions, attributes, argv, envp);                             \
    struct kr_event event = kr_begin(KACHE_REC_SPAWN, 0);                                                       \
    event.identity = kr_identity_at(AT_FDCWD, found, 0);                                                        \
    struct kr_child_env plan = kr_plan_env(AT_FDCWD, found, envp);                                              \
    char *slots[plan.slots], preload[plan.preload_size];                                                        \
    int result = KR_REAL(name)(pidfd, path, actions, attributes, argv, kr_build_env(&plan, slots, preload));    \
    return end_spawn(&event, found, NULL, result);                                                              \
  }
PIDFD_SPAWN_HOOK(pidfd_spawn, ((void)candidate, path))
PIDFD_SPAWN_HOOK(pidfd_spawnp, kr_search_path(KACHE_REC_SPAWN, path, candidate))
#endif

/* The child opens it inside libc; what it will find is noted when it is asked for. */
KR_HOOK(int, posix_spawn_file_actions_addopen,
        (posix_spawn_file_actions_t * actions, int fd, const char *path, int flags, mode_t mode)) {
  bool writes = (flags & O_ACCMODE) != O_RDONLY || flags & (O_CREAT | O_TRUNC);
  unsigned how = (flags & O_CREAT ? KACHE_REC_CREATE : 0) | (flags & O_TRUNC ? KACHE_REC_TRUNCATE : 0) |
                 (flags & O_ACCMODE ? 0 : KACHE_REC_READ);
  struct kr_event event = kr_begin(writes ? KACHE_REC_OPEN_WRITE : KACHE_REC_OPEN_READ, writes ? how : 0);
  event.identity = kr_identity_at(AT_FDCWD, path, 0);
  int rc = KR_REAL(posix_spawn_file_actions_addopen)(actions, fd, path, flags, mode);
  if (rc == 0) kr_note_path(&event, writes || event.identity.mode ? 0 : ENOENT, AT_FDCWD, path);
  return rc;
}

/* libc starts /bin/sh inside itself, with our environment. Where the recorder was taken out of that, no hello follows. */
KR_HOOK(int, system, (const char *command)) {
  if (!command) return KR_REAL(system)(command); /* asks only whether there is a shell */
  struct kr_event event = kr_begin(KACHE_REC_SHELL, 0);
  kr_note(&event, 0, kr_text(command), KR_NO_TEXT);
  return KR_REAL(system)(command);
}

#define POPEN_HOOK(name)                                             \
  FILE *name(const char *command, const char *type);                 \
  KR_HOOK(FILE *, name, (const char *command, const char *type)) {   \
    struct kr_event event = kr_begin(KACHE_REC_SHELL, 0);            \
    kr_note(&event, 0, kr_text(command), KR_NO_TEXT);                \
    return KR_REAL(name)(command, type);                             \
  }
POPEN_HOOK(popen)
POPEN_HOOK(_IO_popen)
