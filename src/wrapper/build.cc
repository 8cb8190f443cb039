#include "wrapper/build.h"

#include <algorithm>
#include <cstring>
#include <iterator>

namespace kache {
namespace {

// As the kernel cuts them: 15 bytes. Those that are there for one build only; a server or a watcher lives for days.
constexpr std::string_view kBuildPrograms[] = {
    "b2",        "bjam",  "bmake", "bootstrap",       "cargo",       "cmake", "config.status",
    "configure", "ctest", "dh",    "dpkg-buildpacka", "gmake",       "make",  "makepkg",
    "meson",     "muon",  "n2",    "ninja",           "ninja-build", "pmake", "remake",
    "rpmbuild",  "rules", "samu",  "scons",           "tup",         "waf",   "xcodebuild",
};
// An ancestor costs about 10 µs. How many of other kinds may stand in a row below the first build program (libtool and
// the shells around it), and between two (the build script of a crate, or a shell).
constexpr int kMostBelow = 4, kMostBetween = 1;

static_assert(std::is_sorted(std::begin(kBuildPrograms), std::end(kBuildPrograms)));

std::string hex_prefix(const BootId& boot) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  for (size_t i = 0; i < 4; ++i) text += {kHex[boot.bytes[i] >> 4], kHex[boot.bytes[i] & 15]};
  return text;
}

// A name as two words; nothing where it is longer than any that the kernel keeps.
struct NameWords {
  uint64_t first = 0, second = 0;
};
std::optional<NameWords> words_of(const std::string& name) {
  NameWords words;
  if (name.size() >= sizeof words) return std::nullopt;
  std::memcpy(&words, name.data(), name.size());
  return words;
}

// What the memo knows of a build program: its build, as seen from this session. A process is named by pid and start; the name of
// its program is there because that may change. No file has this device.
struct Question {
  FileStat process;
  uint64_t aux = 0;
};
Question question_of(const ProcessInfo& process, const NameWords& name, int session) {
  Question question;
  question.process.dev = ~uint64_t{0};
  question.process.ino = static_cast<uint64_t>(process.pid);
  question.process.size = static_cast<uint64_t>(session);
  question.process.mtime_ns = static_cast<int64_t>(process.started);
  question.process.ctime_ns = static_cast<int64_t>(name.first);
  question.aux = name.second | uint64_t{1} << 63;  // 0 stands for content
  return question;
}

// In the place of a digest.
struct Answer {
  uint64_t pid, started;
  NameWords name;
};
static_assert(sizeof(Answer) == sizeof(Digest));

std::optional<ProcessInfo> recall(const Memo& memo, const Question& question) {
  Digest digest;
  if (!memo.find(question.process, question.aux, &digest)) return std::nullopt;
  Answer answer;
  std::memcpy(&answer, digest.bytes.data(), sizeof answer);
  ProcessInfo build;
  build.pid = static_cast<int>(answer.pid);
  build.started = answer.started;
  char name[sizeof answer.name + 1] = "";
  std::memcpy(name, &answer.name, sizeof answer.name);
  build.name = name;
  return build;
}

void remember(Memo& memo, const Question& question, const ProcessInfo& build) {
  std::optional<NameWords> name = words_of(build.name);
  if (!name) return;
  Answer answer{static_cast<uint64_t>(build.pid), build.started, *name};
  Digest digest;
  std::memcpy(digest.bytes.data(), &answer, sizeof answer);
  memo.insert(question.process, question.aux, digest);
}

// Above it is nothing that could be of the same build: the terminal's or the service's first process, or the user's shell.
bool is_top(const ProcessInfo& process, int session) {
  bool is_job = process.group == process.pid && process.parent == session;
  return process.pid == session || is_job;
}

// The topmost build program at or above this one.
ProcessInfo climb(FileSystem& fs, ProcessInfo build, int session) {
  int others = 0;  // in a row that are no build programs
  for (int pid = build.parent; pid > 0 && !is_top(build, session) && others <= kMostBetween;) {
    std::optional<ProcessInfo> process = read_process(fs, pid);
    if (!process || process->session != session) break;
    bool is_build = is_build_program(process->name);
    others = is_build ? 0 : others + 1;
    bool is_last = process->pid == session;
    pid = process->parent;
    if (is_build) build = std::move(*process);
    if (is_last) break;
  }
  return build;
}

ProcessInfo top_of(FileSystem& fs, Memo& memo, ProcessInfo first, int session) {
  std::optional<NameWords> name = words_of(first.name);
  if (is_top(first, session) || !name) return climb(fs, std::move(first), session);
  Question question = question_of(first, *name, session);
  if (std::optional<ProcessInfo> known = recall(memo, question)) return std::move(*known);
  ProcessInfo build = climb(fs, std::move(first), session);
  remember(memo, question, build);
  return build;
}

}  // namespace

bool is_build_program(std::string_view name) {
  return std::binary_search(std::begin(kBuildPrograms), std::end(kBuildPrograms), name.substr(0, 15));
}

Build find_build(FileSystem& fs, Memo& memo, const OwnProcess& self) {
  ProcessInfo build;  // without a build program it is the parent
  bool in_copies = true;
  int pid = self.parent;
  for (int others = 0; pid > 0 && others <= kMostBelow; ++others) {
    std::optional<ProcessInfo> process = read_process(fs, pid);
    if (!process || (build.pid != 0 && process->session != self.session)) break;
    if (is_build_program(process->name)) {
      build = top_of(fs, memo, std::move(*process), self.session);
      break;
    }
    // A copy that a shell made of itself counts as the shell.
    in_copies = in_copies && (build.pid == 0 || build.name == self.name || build.name == process->name);
    pid = pid == self.session ? 0 : process->parent;
    if (in_copies) build = std::move(*process);
  }
  if (build.pid == 0) return {};
  return {hex_prefix(memo.boot()) + "-" + std::to_string(build.pid) + "-" + std::to_string(build.started), build.name};
}

}  // namespace kache
