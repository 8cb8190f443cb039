#include "record/own_files.h"

#include <string_view>
#include <vector>

#include "base/path.h"

namespace kache {

void OwnFiles::wrote(const std::string& path, bool temporary) {
  std::string place = resolver_.place(path);
  written_.insert(place);
  alive_[place] = temporary;
}

void OwnFiles::moved(const std::string& from, const std::string& to) {
  std::string source = resolver_.place(from), target = resolver_.place(to);
  std::vector<std::string> moved;
  for (auto file = alive_.lower_bound(source); file != alive_.end() && file->first.starts_with(source);) {
    if (!is_below(file->first, source)) {  // "dir-2" stands before "dir/a"
      ++file;
      continue;
    }
    moved.push_back(std::string(relative_to(file->first, source)));
    file = alive_.erase(file);
  }
  for (const std::string& rest : moved) wrote(join_path(target, rest), false);
  if (dirs_.count(source)) dirs_.insert(target);
  else if (moved.empty()) wrote(target, false);
}

bool OwnFiles::is_own(const std::string& path) {
  std::string place = resolver_.place(path);
  if (written_.count(place)) return true;
  if (dirs_.empty()) return false;
  for (std::string_view dir = place; dir.size() > 1; dir = dir_name(dir)) {
    if (dirs_.count(std::string(dir))) return true;
  }
  return false;
}

}  // namespace kache
