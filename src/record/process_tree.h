// Process tree: which programs took part in a compile, and was each of them watched from its start to its end.
//
// A program says hello when it begins to watch itself and goodbye when it ends in order; whoever was started and never said
// hello may have read anything. Knows processes and what runs in them; unaware of files and inputs. One object for each
// record, shown its events in their order. Not for use from several threads.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/file_system.h"
#include "compiler/refusal.h"
#include "record/recording.h"

namespace kache {

class ProcessTree {
 public:
  // `started`: the program that kache started, absolute.
  ProcessTree(FileSystem& fs, std::string started) : fs_(fs), started_program_(std::move(started)) {}

  // `path`: the program, of the event. A doubt when it is not the one that was executed there.
  Refused hello(const std::string& path, const RecordEvent& event);
  void bye(uint32_t pid) { running_.erase(pid); }
  void executes(const std::string& path, const RecordEvent& event);
  void fails_to_execute(const std::string& path, uint32_t pid);
  void spawns(const std::string& path, uint32_t child) { spawned_.emplace_back(child, path); }
  void runs_shell(uint32_t pid) { shells_.push_back(pid); }

  // At the end of the record: somebody whom nobody watched, or did not watch to the end; or none.
  Refused unwatched() const;

  // The process that was started; it remains the compiler whatever it executes.
  bool is_compiler(uint32_t pid) const { return pid == compiler_; }
  // "" where it is not known.
  std::string program_of(uint32_t pid) const;
  std::string cwd_of(uint32_t pid) const;

 private:
  struct Pending {
    std::string path;
    uint64_t dev, ino;
  };
  bool is_script(const std::string& path) const;
  bool is_started_program(const FileStat& identity) const;

  FileSystem& fs_;
  std::string started_program_;
  bool said_hello_ = false;
  uint32_t compiler_ = 0;
  std::map<uint32_t, std::string> cwds_;     // when they said hello
  std::unordered_set<uint32_t> watched_, parents_;
  std::map<uint32_t, Pending> pending_;      // executed, and not heard of since
  std::map<uint32_t, std::string> running_;  // what runs in each now
  std::vector<std::pair<uint32_t, std::string>> spawned_;
  std::vector<uint32_t> shells_;             // who started one through system() or popen()
};

// By its name: these read the environment as a whole, where no hook sees it.
bool is_interpreter(std::string_view path);

}  // namespace kache
