/* Replacing the program. */
#include "recorder.h"

#include <stdarg.h>
#include <stdlib.h>

/* The candidate's own fate as execve would decide it: 0, or the errno. */
static int try_candidate(const char *path, struct kr_identity *identity) {
  struct stat st;
  if (syscall(SYS_newfstatat, AT_FDCWD, path, &st, 0) != 0) return errno;
  *identity = kr_identity_of(&st);
  if (!S_ISREG(st.st_mode)) return EACCES;
  return syscall(SYS_faccessat, AT_FDCWD, path, X_OK) == 0 ? 0 : errno;
}

const char *kr_search_path(unsigned kind, const char *file, char *out) {
  if (!file || !kr_on()) return NULL;
  if (strchr(file, '/')) return file;
  int saved = errno;
  const char *list = getenv("PATH");
  if (!list) list = "/bin:/usr/bin"; /* what libc takes */
  size_t size = strlen(file);
  const char *found = NULL;
  while (size != 0 && !found) {
    const char *end = strchrnul(list, ':');
    size_t directory = (size_t)(end - list);
    if (directory + 1 + size < PATH_MAX) {
      memcpy(out, list, directory);
      if (directory != 0) out[directory++] = '/'; /* an empty word is the working directory */
      memcpy(out + directory, file, size + 1);
      struct kr_event event = kr_begin(kind, 0);
      int result = try_candidate(out, &event.identity);
      if (result == 0) found = out;
      else kr_note_path(&event, result, AT_FDCWD, out);
    }
    if (*end == 0) break;
    list = end + 1;
  }
  errno = saved;
  return found;
}

/* --- execve and those that name a file --------------------------------------------------------------------------------- */

static struct kr_event begin_exec(int directory, const char *path, int flags) {
  struct kr_event event = kr_begin(KACHE_REC_EXEC, 0);
  if (!kr_on()) return event;
  event.identity = kr_identity_at(directory, path, flags);
  kr_note_maps();
  /* Only the kernel may look at a path that could be a wild pointer; where it found nothing, it will not start either. */
  if (event.identity.mode != 0) kr_note_path(&event, 0, directory, path);
  return event;
}

static int end_exec(const struct kr_event *event, int directory, const char *path) {
  kr_note_path(event, errno, directory, path);
  return -1;
}

KR_HOOK(int, execve, (const char *path, char *const *argv, char *const *envp)) {
  struct kr_event event = begin_exec(AT_FDCWD, path, 0);
  struct kr_child_env plan = kr_plan_env(AT_FDCWD, path, envp);
  char *slots[plan.slots], preload[plan.preload_size];
  KR_REAL(execve)(path, argv, kr_build_env(&plan, slots, preload));
  return end_exec(&event, AT_FDCWD, path);
}

KR_HOOK(int, execv, (const char *path, char *const *argv)) { return execve(path, argv, environ); }

/* libc searches and starts; we only look beforehand where it will end. */
KR_HOOK(int, execvpe, (const char *file, char *const *argv, char *const *envp)) {
  char candidate[PATH_MAX];
  const char *path = kr_search_path(KACHE_REC_EXEC, file, candidate);
  if (!path) return KR_REAL(execvpe)(file, argv, envp);
  struct kr_event event = begin_exec(AT_FDCWD, path, 0);
  struct kr_child_env plan = kr_plan_env(AT_FDCWD, path, envp);
  char *slots[plan.slots], preload[plan.preload_size];
  KR_REAL(execvpe)(file, argv, kr_build_env(&plan, slots, preload));
  return end_exec(&event, AT_FDCWD, path);
}

KR_HOOK(int, execvp, (const char *file, char *const *argv)) { return execvpe(file, argv, environ); }

KR_HOOK(int, fexecve, (int fd, char *const *argv, char *const *envp)) {
  struct kr_event event = begin_exec(fd, "", AT_EMPTY_PATH);
  struct kr_path path;
  kr_absolute(&path, fd, "");
  bool named = path.text.head == path.directory;
  path.directory[named ? path.text.head_size : 0] = 0;
  struct kr_child_env plan = kr_plan_env(AT_FDCWD, path.directory, envp);
  char *slots[plan.slots], preload[plan.preload_size];
  KR_REAL(fexecve)(fd, argv, kr_build_env(&plan, slots, preload));
  return end_exec(&event, fd, "");
}

int execveat(int directory, const char *path, char *const *argv, char *const *envp, int flags);
KR_HOOK(int, execveat, (int directory, const char *path, char *const *argv, char *const *envp, int flags)) {
  struct kr_event event = begin_exec(directory, path, flags & (AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW));
  struct kr_child_env plan = kr_plan_env(directory, path, envp);
  char *slots[plan.slots], preload[plan.preload_size];
  KR_REAL(execveat)(directory, path, argv, kr_build_env(&plan, slots, preload), flags);
  return end_exec(&event, directory, path);
}

/* --- argument lists as arguments ----------------------------------------------------------------------------------------- */

static size_t count_arguments(const char *first, va_list more) {
  size_t count = 1; /* the terminator */
  for (const char *arg = first; arg; arg = va_arg(more, const char *)) ++count;
  return count;
}

static void collect_arguments(char **argv, const char *first, va_list *more) {
  for (const char *arg = first;; arg = va_arg(*more, const char *)) {
    *argv++ = (char *)arg;
    if (!arg) return;
  }
}

/* `call` runs the hook of the same family on argv; execle finds its environment behind the terminator. */
#define EXECL_HOOK(name, take_environment, call)                   \
  KR_HOOK(int, name, (const char *path, const char *first, ...)) { \
    va_list more;                                                  \
    va_start(more, first);                                         \
    size_t count = count_arguments(first, more);                   \
    va_end(more);                                                  \
    char *argv[count];                                             \
    va_start(more, first);                                         \
    collect_arguments(argv, first, &more);                         \
    char *const *envp = take_environment;                          \
    va_end(more);                                                  \
    return call;                                                   \
  }
EXECL_HOOK(execl, environ, execve(path, argv, envp))
EXECL_HOOK(execle, va_arg(more, char *const *), execve(path, argv, envp))
EXECL_HOOK(execlp, environ, execvpe(path, argv, envp))
