/* The beginning and the end of a recorded process, and what the dynamic linker maps in between. */
#include "recorder.h"
#include "ring.h"

#include <dlfcn.h>
#include <link.h>
#include <sys/single_threaded.h>

_Atomic(int) kr_state = KR_UNDECIDED;
char kr_record_variable[sizeof KACHE_RECORD_ENV + PATH_MAX] = KACHE_RECORD_ENV "=";
char kr_library_path[PATH_MAX];

/* The process that looks at the dynamic linker's list. A child of vfork shares our memory but is not it; a child of a
 * fork with several threads must not be (another thread may have held the dynamic linker's lock). */
static _Atomic(pid_t) kr_owner;

/* The linker names the two ends of the section. Not exported: another library may have such a section too. */
extern struct kr_hook __start_kr_hooks[] __attribute__((visibility("hidden")));
extern struct kr_hook __stop_kr_hooks[] __attribute__((visibility("hidden")));

/* Stands in for a function this libc does not have. Hooks of such functions all return an int or a long. */
static long not_here(void) {
  errno = ENOSYS;
  return -1;
}

void *kr_resolve(struct kr_hook *hook) {
  int saved = errno;
  void *real = dlsym(RTLD_NEXT, hook->name);
  if (!real) {
    dlerror(); /* the program must not find our failure */
    real = (void *)not_here;
  }
  atomic_store_explicit(&hook->real, real, memory_order_release);
  errno = saved;
  return real;
}

const char *kr_find_variable(char *const *environment, const char *name) {
  size_t size = strlen(name);
  for (; environment && *environment; ++environment) {
    if (strncmp(*environment, name, size) == 0 && (*environment)[size] == '=') return *environment + size + 1;
  }
  return NULL;
}

static bool copy_path(char *to, const char *path) {
  size_t size = path ? strlen(path) : 0;
  if (size == 0 || size >= PATH_MAX) return false;
  memcpy(to, path, size + 1);
  return true;
}

static void say_hello(void) {
  struct kr_event hello = kr_begin(KACHE_REC_HELLO, 0);
  hello.aux = (uint64_t)syscall(SYS_getppid);
  hello.identity = kr_identity_at(AT_FDCWD, "/proc/self/exe", 0);
  char exe[PATH_MAX];
  long size = syscall(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", exe, sizeof exe);
  struct kr_path cwd;
  kr_absolute(&cwd, AT_FDCWD, "");
  kr_note(&hello, 0, (struct kr_text){NULL, 0, exe, size > 0 ? (size_t)size : 0}, cwd.text);
}

bool kr_start(char *const *environment) {
  if (!environment) return false; /* libc is not up yet: undecided */
  int expected = KR_UNDECIDED;
  if (!atomic_compare_exchange_strong(&kr_state, &expected, KR_STARTING)) return expected == KR_ON;
  int saved = errno;
  Dl_info info;
  const char *path = kr_find_variable(environment, KACHE_RECORD_ENV);
  bool on = path && path[0] == '/' && copy_path(kr_record_variable + sizeof KACHE_RECORD_ENV, path) &&
            dladdr((void *)kr_start, &info) && copy_path(kr_library_path, info.dli_fname) && kr_ring_open(path);
  if (on) atomic_store(&kr_owner, kr_pid());
  atomic_store_explicit(&kr_state, on ? KR_ON : KR_OFF, memory_order_release);
  if (on) say_hello();
  errno = saved;
  return on;
}

static int note_map(struct dl_phdr_info *info, size_t size, void *known) {
  (void)size;
  if (info->dlpi_adds == *(unsigned long long *)known) return 1; /* nothing was added since */
  const char *name = info->dlpi_name;
  /* No slash: the vdso. No name: the program, which HELLO told. Our own library is no input of the compile. */
  if (!name || !strchr(name, '/') || strcmp(name, kr_library_path) == 0) return 0;
  struct kr_event event = kr_begin(KACHE_REC_MAP, 0);
  event.identity = kr_identity_at(AT_FDCWD, name, 0);
  kr_note_path(&event, 0, AT_FDCWD, name);
  return 0;
}

static int count_adds(struct dl_phdr_info *info, size_t size, void *adds) {
  (void)size;
  *(unsigned long long *)adds = info->dlpi_adds;
  return 1;
}

void kr_note_maps(void) {
  static _Atomic(unsigned long long) seen;
  if (!kr_on() || atomic_load(&kr_owner) != kr_pid()) return;
  int saved = errno;
  unsigned long long known = atomic_load(&seen), now = 0;
  dl_iterate_phdr(note_map, &known);
  dl_iterate_phdr(count_adds, &now);
  atomic_store(&seen, now);
  errno = saved;
}

__attribute__((constructor)) static void begin_process(int argc, char **argv, char **environment) {
  (void)argc, (void)argv;
  int saved = errno;
  for (struct kr_hook *hook = __start_kr_hooks; hook != __stop_kr_hooks; ++hook) kr_real(hook);
  if (atomic_load(&kr_state) == KR_UNDECIDED) kr_start(environment ? environment : environ);
  kr_note_maps();
  errno = saved;
}

static void say_bye(void) {
  kr_note_maps();
  struct kr_event bye = kr_begin(KACHE_REC_BYE, 0);
  kr_note(&bye, 0, KR_NO_TEXT, KR_NO_TEXT);
}

__attribute__((destructor)) static void end_process(void) { say_bye(); }

#define EXIT_HOOK(name)                        \
  KR_HOOK(void, name, (int status)) {          \
    say_bye();                                 \
    KR_REAL(name)(status);                     \
    for (;;) syscall(SYS_exit_group, status);  \
  }
EXIT_HOOK(_exit)
EXIT_HOOK(_Exit)
EXIT_HOOK(quick_exit)

KR_HOOK(int, dlclose, (void *handle)) {
  kr_note_maps();
  return KR_REAL(dlclose)(handle);
}

static pid_t note_fork(const struct kr_event *event, pid_t pid, bool alone) {
  if (pid == 0) {
    if (alone && kr_on()) atomic_store(&kr_owner, kr_pid());
  } else {
    struct kr_event spawn = *event;
    spawn.aux = pid > 0 ? (uint64_t)pid : 0;
    kr_note(&spawn, kr_result(pid), KR_NO_TEXT, KR_NO_TEXT);
  }
  return pid;
}

#define FORK_HOOK(name)                                            \
  KR_HOOK(pid_t, name, (void)) {                                   \
    struct kr_event spawn = kr_begin(KACHE_REC_SPAWN, 0);          \
    bool alone = __libc_single_threaded;                           \
    return note_fork(&spawn, KR_REAL(name)(), alone);              \
  }
FORK_HOOK(fork)
FORK_HOOK(__fork)
FORK_HOOK(_Fork)
