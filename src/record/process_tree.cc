#include "record/process_tree.h"

#include "base/path.h"

namespace kache {

// It must be the program that was executed, or the interpreter of that script; a program that says nothing and executes
// another one is not covered by the other one's hello. The first to speak must be what was started: a program that can
// not, and executes a compiler, has made a choice that nobody saw.
Refused ProcessTree::hello(const std::string& path, const RecordEvent& event) {
  Refused doubt;
  if (!said_hello_) {
    compiler_ = event.pid;
    if (!is_started_program(event.identity) && !is_script(started_program_)) {
      doubt = {Refusal::unobserved_child, started_program_};
    }
  }
  said_hello_ = true;
  cwds_[event.pid] = event.b;
  watched_.insert(event.pid);
  parents_.insert(static_cast<uint32_t>(event.aux));
  running_[event.pid] = path;
  auto pending = pending_.find(event.pid);
  if (pending == pending_.end()) return doubt;
  const Pending& expected = pending->second;
  bool same = expected.dev == event.identity.dev && expected.ino == event.identity.ino;
  if (!doubt && !same && !is_script(expected.path)) doubt = {Refusal::unobserved_child, expected.path};
  pending_.erase(pending);
  return doubt;
}

void ProcessTree::executes(const std::string& path, const RecordEvent& event) {
  pending_[event.pid] = {path, event.identity.dev, event.identity.ino};
  running_.erase(event.pid);
}

void ProcessTree::fails_to_execute(const std::string& path, uint32_t pid) {
  if (pending_.erase(pid)) running_[pid] = path;  // the old program goes on
}

Refused ProcessTree::unwatched() const {
  if (!pending_.empty()) return {Refusal::unobserved_child, pending_.begin()->second.path};
  for (const auto& [pid, path] : running_) {
    if (watched_.count(pid)) return {Refusal::record_incomplete, path + " did not end in order"};
  }
  for (const auto& [pid, path] : spawned_) {
    if (!watched_.count(pid)) return {Refusal::unobserved_child, path};
  }
  for (uint32_t pid : shells_) {
    if (!parents_.count(pid)) return {Refusal::unobserved_child, "sh"};
  }
  if (!said_hello_) return {Refusal::record_incomplete, "the compiler did not load the recorder"};
  return {};
}

std::string ProcessTree::program_of(uint32_t pid) const {
  auto program = running_.find(pid);
  return program == running_.end() ? std::string() : program->second;
}

std::string ProcessTree::cwd_of(uint32_t pid) const {
  auto cwd = cwds_.find(pid);
  return cwd == cwds_.end() ? std::string() : cwd->second;
}

bool ProcessTree::is_started_program(const FileStat& identity) const {
  Result<FileStat> started = fs_.stat(started_program_);
  return started.ok() && started->dev == identity.dev && started->ino == identity.ino;
}

bool ProcessTree::is_script(const std::string& path) const {
  Result<File> file = open_file(fs_, path);
  char head[2];
  return file.ok() && fs_.read_at(file->handle(), 0, head, 2).value_or(0) == 2 && head[0] == '#' && head[1] == '!';
}

bool is_interpreter(std::string_view path) {
  std::string_view name = base_name(path);
  for (std::string_view shell : {"sh", "bash", "dash", "zsh", "ksh", "busybox", "fish", "env", "printenv", "make", "gmake",
                                 "awk", "gawk", "mawk", "original-awk", "cmake"}) {
    if (name == shell) return true;
  }
  for (std::string_view language : {"python", "perl", "ruby", "node", "lua", "tclsh", "php"}) {
    if (name.starts_with(language)) return true;
  }
  return false;
}

}  // namespace kache
