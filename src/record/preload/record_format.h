/* The record: what libkache-record.so writes and record/recording.cc reads. C and C++.
 *
 * One file per compile, mapped shared by every process of the tree. The wrapper creates it sparse with a header; a
 * process appends by an atomic add on `tail` and copies its record into the reserved space; `size` is stored last, with
 * release order, so that a reader sees a whole record or a zero. When `tail` would pass `capacity` the flag
 * KACHE_RECORD_OVERFLOW is set and the record is lost: the compile is then not stored.
 *
 * Writing into a hole of a mapped file kills the writer (SIGBUS) when the disk is full, and is slow (ext4: 110 us a page,
 * and 2 ms when the file goes). So only bytes below `allocated` may be touched: they have been written as zeros before.
 * Who passes it raises `claimed` by KACHE_RECORD_CHUNK, writes the zeros, and raises `allocated`; the others wait. Where
 * that fails, the record overflows.
 *
 * Native byte order (the reader runs on the same machine), 8-byte aligned. The environment variable KACHE_RECORD holds
 * the path of the file. */
#pragma once

#include <stdint.h>

#define KACHE_RECORD_ENV "KACHE_RECORD"
#define KACHE_RECORD_MAGIC "KREC0001"
#define KACHE_RECORD_CAPACITY (64u << 20)
#define KACHE_RECORD_FIRST_CHUNK (128u << 10) /* what most compiles need */
#define KACHE_RECORD_CHUNK (256u << 10)

enum kache_record_header_flag {
  KACHE_RECORD_OVERFLOW = 1u /* events were lost */
};

struct kache_record_header {
  char magic[8];
  uint64_t capacity;  /* bytes of the whole file, this header included */
  uint64_t tail;      /* offset of the next free byte; atomic */
  uint64_t flags;     /* atomic */
  uint64_t claimed;   /* bytes that somebody undertook to allocate; atomic, never below `allocated` */
  uint64_t allocated; /* bytes from the start that may be touched; atomic, only grows */
};

/* What happened. Paths are absolute; relative ones were joined to the process's working directory (or to the directory
 * of the descriptor), never resolved. A path that does not begin with '/' is one whose directory could not be named.
 * `result` is 0 or the errno. A pathname of which the kernel said EFAULT is not recorded. Of equal records of one process
 * (all but the clock) only the first is kept for the kinds that ask and do not change anything. */
enum kache_record_kind {
  KACHE_REC_HELLO = 1,      /* a program started watching; a: its executable, b: its working directory; aux: ppid;
                               identity of the executable. Not repeated by a fork. */
  KACHE_REC_BYE = 2,        /* the process ended in order: exit, _exit, or return from main. Events may follow it (what
                               runs after our destructor). None after a death by signal. */
  KACHE_REC_OPEN_READ = 3,  /* a: path; identity of the open file when result is 0 (a directory: see its mode) */
  KACHE_REC_OPEN_WRITE = 4, /* a: path; flags tell create, truncate, read-write; identity BEFORE the call, zero when the
                               file did not exist. Also truncate() and mknod(). */
  KACHE_REC_STAT = 5,       /* a: path; identity when result is 0; also access() (aux: its mode), chdir() and O_PATH */
  KACHE_REC_READLINK = 6,   /* a: path, b: target when result is 0, as much as the caller asked for */
  KACHE_REC_REALPATH = 7,   /* a: path, b: resolved when result is 0 */
  KACHE_REC_LIST_DIR = 8,   /* a: directory; identity when result is 0 */
  KACHE_REC_GETENV = 9,     /* a: name, b: value when result is 0; result ENOENT: unset. The value may be one that a
                               process of the tree has set: compare with what the compile was started with. */
  KACHE_REC_EXEC = 10,      /* a: path tried, identity of it; written before the call with result 0, again with errno
                               when it failed. Without that failure the program was replaced: no BYE, but the HELLO of
                               the new one, with the same pid and (unless `a` is a script) the same identity. */
  KACHE_REC_SPAWN = 11,     /* a child was started by fork or posix_spawn; aux: its pid; a: path and identity of the
                               program if known. Written after the call: the child's HELLO may precede it. Children of
                               vfork and clone are known by the ppid of their HELLO and by their EXEC. */
  KACHE_REC_MAP = 12,       /* a: a file the dynamic linker mapped (from dl_iterate_phdr); identity. Looked at on start,
                               before dlclose, exec and exit. */
  KACHE_REC_CONNECT = 13,   /* a: "inet:<address>:<port>", "unix:<path>", "family:<n>", "name:<host>" (resolver) */
  KACHE_REC_RENAME = 14,    /* a: from, b: to */
  KACHE_REC_LINK = 15,      /* a: existing, b: new name */
  KACHE_REC_SYMLINK = 16,   /* a: target as written, b: new name */
  KACHE_REC_UNLINK = 17,    /* a: path (rmdir too) */
  KACHE_REC_MKDIR = 18,     /* a: path */
  KACHE_REC_SHELL = 19,     /* system() or popen(), a: the command: a hello from a child of this pid must follow */
};

enum kache_record_flag {
  KACHE_REC_NOFOLLOW = 1u,  /* lstat, O_NOFOLLOW, AT_SYMLINK_NOFOLLOW */
  KACHE_REC_CREATE = 2u,    /* O_CREAT */
  KACHE_REC_TRUNCATE = 4u,  /* O_TRUNC, or O_EXCL created: nothing of an older content survives */
  KACHE_REC_READ = 8u,      /* open for reading and writing */
  KACHE_REC_TEMPORARY = 16u /* mkstemp, mkdtemp, tmpfile, O_TMPFILE */
};

struct kache_record {
  uint32_t size; /* of the whole record, a multiple of 8; 0: not finished */
  uint16_t kind;
  uint16_t flags;
  uint32_t pid;
  int32_t result;    /* 0 or errno */
  int64_t clock_ns;  /* CLOCK_REALTIME_COARSE when the call began: the clock that stamps files */
  uint64_t aux;
  /* Identity of the file, all zero where there is none. */
  uint64_t dev, ino, file_size;
  int64_t mtime_ns, ctime_ns;
  uint32_t mode;
  uint32_t a_size, b_size; /* bytes of the two texts that follow, without terminators */
  uint32_t reserved;
  /* a, then b, then padding */
};
