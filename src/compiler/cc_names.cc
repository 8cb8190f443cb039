#include "compiler/cc_names.h"

#include <algorithm>

#include "base/path.h"

namespace kache {
namespace {

struct NameRow {
  std::string_view name;
  CcTool tool;
  bool is_cxx = false;
};

constexpr NameRow kNames[] = {
    {"gcc", CcTool::gcc},
    {"g++", CcTool::gcc, true},
    {"clang", CcTool::clang},
    {"clang++", CcTool::clang, true},
    {"clang-cl", CcTool::clang_cl, true},
    {"zigcc", CcTool::clang},  // scripts of cargo-zigbuild
    {"icx", CcTool::clang},
    {"icpx", CcTool::clang, true},
    {"cc", CcTool::generic},
    {"c++", CcTool::generic, true},
    {"c89", CcTool::generic},
    {"c99", CcTool::generic},
    {"ar", CcTool::archiver},
    {"gcc-ar", CcTool::archiver},
    {"llvm-ar", CcTool::archiver},
    {"ranlib", CcTool::ranlib},
    {"gcc-ranlib", CcTool::ranlib},
    {"llvm-ranlib", CcTool::ranlib},
    // Several passes behind one call, with names of their own for what lies between; and Microsoft's shared databases.
    {"nvcc", CcTool::foreign, true},
    {"hipcc", CcTool::foreign, true},
    {"zig", CcTool::foreign},
    {"cl", CcTool::foreign, true},
    {"icl", CcTool::foreign, true},
    {"emcc", CcTool::foreign},
    {"em++", CcTool::foreign, true},
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// "-13", "-13.2", "-14.0.6"
std::string_view without_version(std::string_view name) {
  size_t dash = name.rfind('-');
  if (dash == std::string_view::npos || dash + 1 == name.size() || !is_digit(name[dash + 1])) return name;
  bool is_version = std::all_of(name.begin() + static_cast<std::ptrdiff_t>(dash) + 1, name.end(),
                                [](char c) { return is_digit(c) || c == '.'; });
  return is_version ? name.substr(0, dash) : name;
}

// A tool for another target has its name behind a dash: arm-linux-gnueabihf-gcc. But clang-ar is no ar, and the longest
// name counts: llvm-ar is not the ar of a target called llvm.
const NameRow* find(std::string_view name) {
  const NameRow* best = nullptr;
  for (const NameRow& row : kNames) {
    if (!name.ends_with(row.name) || (best && best->name.size() >= row.name.size())) continue;
    std::string_view target = name.substr(0, name.size() - row.name.size());
    if (target.empty() || (target.size() > 1 && target.ends_with('-') && target != "clang-")) best = &row;
  }
  return best;
}

}  // namespace

CcName cc_name(std::string_view path) {
  std::string_view name = base_name(path);
  if (name.ends_with(".exe")) name.remove_suffix(4);
  name = without_version(name);
  for (std::string_view flavour : {"-posix", "-win32"}) {  // MinGW's two thread models
    if (name.ends_with(flavour)) name.remove_suffix(flavour.size());
  }
  if (name.starts_with("zigcc-") || name.starts_with("zigcxx")) return {CcTool::clang, name.starts_with("zigcxx")};
  const NameRow* row = find(without_version(name));
  return row ? CcName{row->tool, row->is_cxx} : CcName{};
}

}  // namespace kache
