// The daemon's log: <cache_dir>/daemon.log, one line each; the old one stays as daemon.log.old when a new one is begun.
#pragma once

#include <mutex>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/file_system.h"

namespace kache {

class Log {
 public:
  // "" for `path`: nothing is written.
  Log(FileSystem& fs, Clock& clock, std::string path) : fs_(fs), clock_(clock), path_(std::move(path)) {}
  void info(std::string_view text) { write(" INFO ", text); }
  void warn(std::string_view text) { write(" WARN ", text); }

  static constexpr uint64_t kLargest = 2 << 20;

 private:
  void write(std::string_view level, std::string_view text);
  FileSystem& fs_;
  Clock& clock_;
  std::string path_;
  std::mutex mutex_;
};

}  // namespace kache
