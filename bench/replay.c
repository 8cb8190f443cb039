/* The replay stub: what a cache would cost that had nothing to decide. As a RUSTC_WRAPPER with REPLAY_MODE=record it runs the
 * compiler and keeps hard links to what each command line made, in REPLAY_DIR; without, it links them back, replays the
 * messages and ends. No key but the command line, no check, no digest. For bench/projects; never use it for real work. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *value_of(char **argv, const char *name) {
  for (; *argv; argv++)
    if (!strcmp(*argv, name) && argv[1]) return argv[1];
  return NULL;
}

static const char *codegen_of(char **argv, const char *name) {
  size_t length = strlen(name);
  for (; *argv; argv++)
    if (!strncmp(*argv, name, length)) return *argv + length;
  return "";
}

static void copy_out(const char *dir, const char *name, int to) {
  char path[4096], buffer[65536];
  snprintf(path, sizeof path, "%s/%s", dir, name);
  int fd = open(path, O_RDONLY);
  for (ssize_t n; fd >= 0 && (n = read(fd, buffer, sizeof buffer)) > 0;)
    if (write(to, buffer, (size_t)n) != n) break;
  if (fd >= 0) close(fd);
}

static int replay(const char *dir, const char *out_dir) {
  DIR *listing = opendir(dir);
  if (!listing) return 0;
  if (out_dir) {
    int out = open(out_dir, O_RDONLY | O_DIRECTORY);
    struct dirent *entry;
    while ((entry = readdir(listing))) {
      if (entry->d_name[0] == '.') continue;
      unlinkat(out, entry->d_name, 0);
      if (linkat(dirfd(listing), entry->d_name, out, entry->d_name, 0) != 0) return 0;
      size_t length = strlen(entry->d_name);
      if (length < 5 || strcmp(entry->d_name + length - 5, ".rlib")) utimensat(out, entry->d_name, NULL, 0);
    }
  }
  copy_out(dir, ".stdout", 1);
  copy_out(dir, ".stderr", 2);
  return 1;
}

static int record(const char *dir, const char *out_dir, const char *crate, const char *extra, char **argv) {
  mkdir(dir, 0777);
  char path[4096], stem[1024], lib[1040];
  pid_t child = fork();
  if (child == 0) {
    for (int i = 1; i <= 2; i++) {
      snprintf(path, sizeof path, "%s/%s", dir, i == 1 ? ".stdout" : ".stderr");
      dup2(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666), i);
    }
    execv(argv[0], argv);
    _exit(127);
  }
  int status = 0;
  waitpid(child, &status, 0);
  copy_out(dir, ".stdout", 1);
  copy_out(dir, ".stderr", 2);
  if (status != 0) {
    /* Failures are not replayed. */
    snprintf(path, sizeof path, "%s.failed", dir);
    rename(dir, path);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 101;
  }
  if (!out_dir || !crate) return 0;
  snprintf(stem, sizeof stem, "%s%s", crate, extra);
  snprintf(lib, sizeof lib, "lib%s", stem);
  DIR *listing = opendir(out_dir);
  int to = open(dir, O_RDONLY | O_DIRECTORY);
  struct dirent *entry;
  while (listing && (entry = readdir(listing))) {
    const char *name = entry->d_name;
    size_t length = !strncmp(name, lib, strlen(lib)) ? strlen(lib) : !strncmp(name, stem, strlen(stem)) ? strlen(stem) : 0;
    if (length && (name[length] == '.' || !name[length])) linkat(dirfd(listing), name, to, name, 0);
  }
  return 0;
}

int main(int argc, char **argv) {
  const char *store = getenv("REPLAY_DIR"), *mode = getenv("REPLAY_MODE");
  if (argc < 2 || !store) return 2;
  uint64_t hash = 0xcbf29ce484222325u;
  int from_stdin = 0;
  for (int i = 1; i < argc; i++) {
    for (const char *c = argv[i];; c++) {
      hash = (hash ^ (unsigned char)*c) * 0x100000001b3u;
      if (!*c) break;
    }
    from_stdin |= !strcmp(argv[i], "-");
  }
  char dir[4096];
  snprintf(dir, sizeof dir, "%s/%016llx", store, (unsigned long long)hash);
  const char *out_dir = value_of(argv + 1, "--out-dir");
  if (!from_stdin || !out_dir) {
    if (mode && !strcmp(mode, "record"))
      return record(dir, out_dir, value_of(argv + 1, "--crate-name"), codegen_of(argv + 1, "extra-filename="), argv + 1);
    if (replay(dir, out_dir)) return 0;
  }
  execv(argv[1], argv + 1);
  return 127;
}
