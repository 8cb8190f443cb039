/* paired N REPLACED -- A... -- B...: runs the commands A and B in turns, N times each, and prints the median wall time of
 * each and their ratio. Before each run the directory REPLACED is emptied ("-": none), outside of the measured time. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static double now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void empty(const char *path) {
  DIR *dir = opendir(path);
  struct dirent *entry;
  if (!dir) return;
  while ((entry = readdir(dir)))
    if (entry->d_name[0] != '.') unlinkat(dirfd(dir), entry->d_name, 0);
  closedir(dir);
}

static double run(char **argv, posix_spawn_file_actions_t *quiet) {
  pid_t child;
  int status;
  double start = now_us();
  if (posix_spawn(&child, argv[0], quiet, NULL, argv, environ) != 0) {
    perror(argv[0]);
    exit(2);
  }
  waitpid(child, &status, 0);
  double took = now_us() - start;
  if (status != 0) {
    fprintf(stderr, "%s: status %d\n", argv[0], status);
    exit(2);
  }
  return took;
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

int main(int argc, char **argv) {
  if (argc < 7) return fprintf(stderr, "usage: paired N DIR -- A... -- B...\n"), 2;
  int n = atoi(argv[1]), second = 0;
  char **a = argv + 4;
  for (int i = 4; i < argc; i++)
    if (!strcmp(argv[i], "--")) second = i;
  if (n < 1 || !second) return fprintf(stderr, "usage: paired N DIR -- A... -- B...\n"), 2;
  argv[second] = NULL;
  char **b = argv + second + 1;
  posix_spawn_file_actions_t quiet;
  posix_spawn_file_actions_init(&quiet);
  posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&quiet, 2, "/dev/null", O_WRONLY, 0);
  double *as = calloc((size_t)n, sizeof *as), *bs = calloc((size_t)n, sizeof *bs);
  for (int i = -3; i < n; i++) { /* three to warm up */
    if (strcmp(argv[2], "-")) empty(argv[2]);
    double x = run(a, &quiet);
    if (strcmp(argv[2], "-")) empty(argv[2]);
    double y = run(b, &quiet);
    if (i >= 0) as[i] = x, bs[i] = y;
  }
  qsort(as, (size_t)n, sizeof *as, by_value);
  qsort(bs, (size_t)n, sizeof *bs, by_value);
  printf("%.0f us  %.0f us  ratio %.2f\n", as[n / 2], bs[n / 2], as[n / 2] / bs[n / 2]);
  return 0;
}
