/* The environment of a program about to be started: with the recorder in it, also where the caller scrubbed it. */
#include "recorder.h"

#include <elf.h>
#include <sys/auxv.h>

static const char kr_preload[] = "LD_PRELOAD=";

/* --- can the program load our library? ------------------------------------------------------------------------------ */

typedef Elf64_Ehdr Header;
typedef Elf64_Phdr Segment;

static long read_at(int fd, void *out, size_t size, uint64_t offset) {
  long got;
  do {
    got = syscall(SYS_pread64, fd, out, size, (long)offset);
  } while (got < 0 && errno == EINTR);
  return got;
}

/* The dynamic linker that runs this process, "" when that can not be told. */
static const char *own_interpreter(void) {
  const Segment *segments = (const Segment *)getauxval(AT_PHDR);
  size_t count = getauxval(AT_PHNUM);
  if (!segments) return "";
  uintptr_t base = 0;
  for (size_t i = 0; i < count; ++i) {
    if (segments[i].p_type == PT_PHDR) base = (uintptr_t)segments - segments[i].p_vaddr;
  }
  for (size_t i = 0; i < count; ++i) {
    if (segments[i].p_type == PT_INTERP) return (const char *)(base + segments[i].p_vaddr);
  }
  return "";
}

static bool same_file(const char *a, const char *b) {
  if (strcmp(a, b) == 0) return true;
  struct kr_identity first = kr_identity_at(AT_FDCWD, a, 0), second = kr_identity_at(AT_FDCWD, b, 0);
  return first.mode != 0 && first.dev == second.dev && first.ino == second.ino;
}

/* Static programs do not load anything and may keep the variables: what they start can. */
static bool can_enter_elf(int fd, const Header *header) {
  if (header->e_ident[EI_CLASS] != ELFCLASS64) return false;
  Header own;
  const Header *own_machine = &own;
#if defined(__x86_64__)
  own.e_machine = EM_X86_64;
#elif defined(__aarch64__)
  own.e_machine = EM_AARCH64;
#elif defined(__riscv)
  own.e_machine = EM_RISCV;
#elif defined(__powerpc64__)
  own.e_machine = EM_PPC64;
#elif defined(__s390x__)
  own.e_machine = EM_S390;
#else
  own.e_machine = header->e_machine;
#endif
  if (header->e_machine != own_machine->e_machine) return false;
  if (header->e_phentsize != sizeof(Segment)) return true;
  for (unsigned i = 0; i < header->e_phnum && i < 64; ++i) {
    Segment segment;
    if (read_at(fd, &segment, sizeof segment, header->e_phoff + i * sizeof segment) != (long)sizeof segment) return true;
    if (segment.p_type != PT_INTERP) continue;
    char interpreter[PATH_MAX];
    size_t size = segment.p_filesz < sizeof interpreter ? segment.p_filesz : sizeof interpreter - 1;
    if (read_at(fd, interpreter, size, segment.p_offset) != (long)size) return true;
    interpreter[size] = 0;
    const char *own_path = own_interpreter();
    return own_path[0] == 0 || same_file(own_path, interpreter);
  }
  return true;
}

/* "#! /bin/sh -e": cuts out the interpreter. */
static char *script_interpreter(char *line, size_t size) {
  line[size] = 0;
  char *at = line + 2;
  while (*at == ' ' || *at == '\t') ++at;
  char *end = at;
  while (*end && *end != ' ' && *end != '\t' && *end != '\n') ++end;
  *end = 0;
  return at;
}

bool kr_can_enter(int directory, const char *path) {
  union {
    Header header;
    char line[PATH_MAX];
  } start;
  for (int depth = 0; depth < 5; ++depth) { /* the kernel goes no deeper into scripts run by scripts */
    int fd = (int)syscall(SYS_openat, directory, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) return true; /* not readable, or not there: the call will tell */
    long size = read_at(fd, &start, sizeof start - 1, 0);
    bool elf = size >= (long)sizeof start.header && memcmp(start.header.e_ident, ELFMAG, SELFMAG) == 0;
    bool enter = !elf || can_enter_elf(fd, &start.header);
    syscall(SYS_close, fd);
    if (elf || size < 2 || start.line[0] != '#' || start.line[1] != '!') return enter;
    path = script_interpreter(start.line, (size_t)size);
    directory = AT_FDCWD;
  }
  return true;
}

/* --- LD_PRELOAD is a list, by colons or spaces ------------------------------------------------------------------------ */

static bool is_separator(char c) { return c == ':' || c == ' '; }

/* The next word of a list, or NULL. */
static const char *next_word(const char *list, size_t *size) {
  while (is_separator(*list)) ++list;
  size_t n = 0;
  while (list[n] && !is_separator(list[n])) ++n;
  *size = n;
  return n != 0 ? list : NULL;
}

static bool is_own_word(const char *word, size_t size) {
  return strncmp(word, kr_library_path, size) == 0 && kr_library_path[size] == 0;
}

static bool has_own_word(const char *list) {
  size_t size;
  for (const char *word = list; (word = next_word(word, &size)); word += size) {
    if (is_own_word(word, size)) return true;
  }
  return false;
}

/* All words but ours. */
static size_t copy_foreign_words(char *to, const char *list) {
  size_t size, at = 0;
  for (const char *word = list; (word = next_word(word, &size)); word += size) {
    if (is_own_word(word, size)) continue;
    if (at != 0) to[at++] = ':';
    memcpy(to + at, word, size);
    at += size;
  }
  to[at] = 0;
  return at;
}

/* --- the plan and its execution ---------------------------------------------------------------------------------------- */

enum { KR_ENVIRONMENT_LIMIT = 16384 }; /* variables; larger ones do not fit a small stack: that child stays unobserved */

struct kr_child_env kr_plan_env(int directory, const char *path, char *const *given) {
  struct kr_child_env plan = {.given = given, .slots = 1, .preload_size = 1};
  if (!kr_on()) return plan;
  int saved = errno;
  size_t count = 0;
  while (given && given[count]) ++count;
  const char *preload = kr_find_variable(given, "LD_PRELOAD");
  bool has_preload = preload && has_own_word(preload);
  plan.enter = kr_can_enter(directory, path);
  plan.change = plan.enter ? !has_preload || !kr_find_variable(given, KACHE_RECORD_ENV) : has_preload;
  if (count > KR_ENVIRONMENT_LIMIT) plan.change = false;
  if (plan.change) {
    plan.slots = count + 3;
    plan.preload_size = sizeof kr_preload + strlen(kr_library_path) + 1 + (preload ? strlen(preload) : 0) + 1;
  }
  errno = saved;
  return plan;
}

char *const *kr_build_env(const struct kr_child_env *plan, char **slots, char *preload) {
  if (!plan->change) return plan->given;
  size_t at = 0;
  const char *listed = kr_find_variable(plan->given, "LD_PRELOAD");

  memcpy(preload, kr_preload, sizeof kr_preload);
  char *list = preload + sizeof kr_preload - 1;
  if (plan->enter) {
    size_t own = strlen(kr_library_path);
    memcpy(list, kr_library_path, own + 1);
    if (listed && *listed) {
      list[own] = ':';
      if (copy_foreign_words(list + own + 1, listed) == 0) list[own] = 0;
    }
    slots[at++] = preload;
    if (!kr_find_variable(plan->given, KACHE_RECORD_ENV)) slots[at++] = kr_record_variable;
  } else if (listed && copy_foreign_words(list, listed) != 0) {
    slots[at++] = preload;
  }

  for (char *const *entry = plan->given; entry && *entry; ++entry) {
    if (strncmp(*entry, kr_preload, sizeof kr_preload - 1) != 0) slots[at++] = *entry;
  }
  slots[at] = NULL;
  return slots;
}
