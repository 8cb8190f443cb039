/* Appending to the record. */
#include "recorder.h"
#include "ring.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/uio.h>

static struct kache_record_header *kr_header;
static char *kr_base;

#define KR_ATOMIC(field) ((_Atomic(uint64_t) *)&kr_header->field)

bool kr_ring_open(const char *path) {
  int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (fd < 0) return false;
  struct stat st;
  void *map = MAP_FAILED;
  if (syscall(SYS_fstat, fd, &st) == 0 && S_ISREG(st.st_mode) &&
      st.st_size >= (off_t)sizeof(struct kache_record_header) && st.st_size <= (off_t)1 << 32) {
    map = (void *)syscall(SYS_mmap, NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0L);
  }
  syscall(SYS_close, fd);
  if (map == MAP_FAILED) return false;
  const struct kache_record_header *header = map;
  if (memcmp(header->magic, KACHE_RECORD_MAGIC, sizeof header->magic) != 0 ||
      header->capacity != (uint64_t)st.st_size) {
    syscall(SYS_munmap, map, (size_t)st.st_size);
    return false;
  }
  kr_header = map;
  kr_base = map;
  return true;
}

/* Writes zeros over [from, to) of the file. By write, not through the mapping: it can fail without a signal. */
static bool write_zeros(uint64_t from, uint64_t to) {
  static const char zeros[16 << 10];
  struct rlimit limit; /* beyond it a write would be a signal */
  if (syscall(SYS_prlimit64, 0, RLIMIT_FSIZE, NULL, &limit) == 0 && limit.rlim_cur < to) return false;
  int fd = (int)syscall(SYS_openat, AT_FDCWD, kr_record_path(), O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (fd < 0) return false;
  while (from < to) {
    struct iovec pieces[KACHE_RECORD_CHUNK / sizeof zeros];
    int count = 0;
    uint64_t rest = to - from;
    for (; rest != 0 && count < (int)(sizeof pieces / sizeof *pieces); ++count) {
      size_t size = rest < sizeof zeros ? (size_t)rest : sizeof zeros;
      pieces[count] = (struct iovec){(void *)zeros, size};
      rest -= size;
    }
    long written = syscall(SYS_pwritev, fd, pieces, count, (long)from, 0L);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) break;
    from += (uint64_t)written;
  }
  syscall(SYS_close, fd);
  return from >= to;
}

/* Makes everything below `end` safe to touch. Whoever claims the next chunk does the work; who waits for one that died
 * at it gives up after a while. */
static bool extend(uint64_t end) {
  for (int patience = 2000;;) {
    uint64_t have = atomic_load_explicit(KR_ATOMIC(allocated), memory_order_acquire);
    if (end <= have) return true;
    uint64_t want = have + KACHE_RECORD_CHUNK;
    if (want < end) want = end;
    if (want > kr_header->capacity) want = kr_header->capacity;
    uint64_t unclaimed = have;
    if (atomic_compare_exchange_strong(KR_ATOMIC(claimed), &unclaimed, want)) {
      if (!write_zeros(have, want)) return false;
      atomic_store_explicit(KR_ATOMIC(allocated), want, memory_order_release);
    } else if (--patience == 0 || atomic_load(KR_ATOMIC(flags)) & KACHE_RECORD_OVERFLOW) {
      return false;
    } else {
      struct timespec pause = {0, 50000};
      syscall(SYS_nanosleep, &pause, NULL);
    }
  }
}

/* Room for `size` bytes, or NULL. */
static char *reserve(uint64_t size) {
  uint64_t capacity = kr_header->capacity;
  /* The first look keeps a full record from counting on for ever. */
  uint64_t at = atomic_load_explicit(KR_ATOMIC(tail), memory_order_relaxed);
  if (at <= capacity && size <= capacity - at) {
    at = atomic_fetch_add_explicit(KR_ATOMIC(tail), size, memory_order_relaxed);
    if (at <= capacity && size <= capacity - at && extend(at + size)) return kr_base + at;
  }
  atomic_fetch_or(KR_ATOMIC(flags), (uint64_t)KACHE_RECORD_OVERFLOW);
  return NULL;
}

/* --- equal records are written once -------------------------------------------------------------------------------
 * A slot holds the offset of a record that this process wrote (a vfork child shares the table, and differs by its pid).
 * The record itself is compared, so that no two different ones are ever taken for equal; a slot that is lost to a
 * neighbour costs a repeated record. Clocks are not compared: the first is the earliest, which the race guard wants. */

enum { KR_SLOTS = 4096 };
static _Atomic(uint32_t) kr_slots[KR_SLOTS]; /* offset / 8 */

static bool repeats_are_dropped(unsigned kind) {
  const unsigned asking = 1u << KACHE_REC_OPEN_READ | 1u << KACHE_REC_STAT | 1u << KACHE_REC_READLINK |
                          1u << KACHE_REC_REALPATH | 1u << KACHE_REC_LIST_DIR | 1u << KACHE_REC_GETENV |
                          1u << KACHE_REC_MAP | 1u << KACHE_REC_CONNECT;
  return asking >> kind & 1;
}

static uint64_t mix(uint64_t hash, const char *bytes, size_t size) {
  for (size_t i = 0; i < size; ++i) hash = (hash ^ (unsigned char)bytes[i]) * 0x100000001b3u;
  return hash;
}

static bool text_equals(const char *written, struct kr_text text) {
  return (text.head_size == 0 || memcmp(written, text.head, text.head_size) == 0) &&
         (text.tail_size == 0 || memcmp(written + text.head_size, text.tail, text.tail_size) == 0);
}

static bool is_repeat(uint32_t slot, const struct kache_record *r, struct kr_text a, struct kr_text b) {
  if (slot == 0) return false;
  const struct kache_record *old = (const struct kache_record *)(kr_base + (uint64_t)slot * 8);
  const char *texts = (const char *)(old + 1);
  return old->size == r->size && old->kind == r->kind && old->flags == r->flags && old->pid == r->pid &&
         old->result == r->result && old->aux == r->aux && old->dev == r->dev && old->ino == r->ino &&
         old->file_size == r->file_size && old->mtime_ns == r->mtime_ns && old->ctime_ns == r->ctime_ns &&
         old->mode == r->mode && old->a_size == r->a_size && old->b_size == r->b_size && text_equals(texts, a) &&
         text_equals(texts + r->a_size, b);
}

static void copy_text(char *to, struct kr_text text) {
  if (text.head_size != 0) memcpy(to, text.head, text.head_size);
  if (text.tail_size != 0) memcpy(to + text.head_size, text.tail, text.tail_size);
}

void kr_ring_append(const struct kr_event *event, int result, struct kr_text a, struct kr_text b) {
  size_t a_size = a.head_size + a.tail_size, b_size = b.head_size + b.tail_size;
  if (a_size > UINT32_MAX / 4 || b_size > UINT32_MAX / 4) {
    atomic_fetch_or(KR_ATOMIC(flags), (uint64_t)KACHE_RECORD_OVERFLOW);
    return;
  }
  struct kache_record r = {
      .size = (uint32_t)((sizeof r + a_size + b_size + 7) & ~(size_t)7),
      .kind = event->kind,
      .flags = event->flags,
      .pid = (uint32_t)kr_pid(),
      .result = result,
      .clock_ns = event->clock_ns,
      .aux = event->aux,
      .dev = event->identity.dev,
      .ino = event->identity.ino,
      .file_size = event->identity.size,
      .mtime_ns = event->identity.mtime_ns,
      .ctime_ns = event->identity.ctime_ns,
      .mode = event->identity.mode,
      .a_size = (uint32_t)a_size,
      .b_size = (uint32_t)b_size,
  };

  _Atomic(uint32_t) *slot = NULL;
  if (repeats_are_dropped(r.kind)) {
    uint64_t hash = 0xcbf29ce484222325u ^ r.kind ^ (uint64_t)(uint32_t)r.result << 8 ^ r.ino << 20;
    hash = mix(mix(hash, a.head, a.head_size), a.tail, a.tail_size);
    hash = mix(hash, b.tail, b.tail_size);
    slot = &kr_slots[(hash ^ hash >> 32) % KR_SLOTS];
    if (is_repeat(atomic_load_explicit(slot, memory_order_acquire), &r, a, b)) return;
  }

  char *to = reserve(r.size);
  if (!to) return;
  copy_text(to + sizeof r, a);
  copy_text(to + sizeof r + a_size, b);
  struct kache_record *record = (struct kache_record *)to;
  uint32_t size = r.size;
  memcpy(to + sizeof size, (const char *)&r + sizeof size, sizeof r - sizeof size);
  atomic_store_explicit((_Atomic(uint32_t) *)&record->size, size, memory_order_release);
  if (slot) atomic_store_explicit(slot, (uint32_t)((uint64_t)(to - kr_base) / 8), memory_order_release);
}
