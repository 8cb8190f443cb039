// Own files: what a compile wrote itself. No inputs of it, whatever it does with them later; what is left of them in the end are
// its outputs, or traces that it should not have left.
//
// Files are known by place (symlinks above them resolved), because a compiler reaches one by several spellings. Unaware of
// what is read. Not for use from several threads.
#pragma once

#include <map>
#include <string>
#include <unordered_set>

#include "base/path_resolver.h"

namespace kache {

class OwnFiles {
 public:
  // `resolver` outlives the object.
  explicit OwnFiles(PathResolver& resolver) : resolver_(resolver) {}

  void wrote(const std::string& path, bool temporary);
  void made_dir(const std::string& path) { dirs_.insert(resolver_.place(path)); }
  void unlinked(const std::string& path) { alive_.erase(resolver_.place(path)); }
  // Renamed; directories take everything below along.
  void moved(const std::string& from, const std::string& to);

  // It was written at some time, be it there still or not.
  bool was_written(const std::string& path) { return written_.count(resolver_.place(path)) != 0; }
  // That, or it lies in a directory that the compile made.
  bool is_own(const std::string& path);

  // What is still there → it was made as a temporary file; by place.
  const std::map<std::string, bool>& alive() const { return alive_; }

 private:
  PathResolver& resolver_;
  std::unordered_set<std::string> written_, dirs_;  // places
  std::map<std::string, bool> alive_;
};

}  // namespace kache
