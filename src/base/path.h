// Paths as byte strings. Nothing here touches the disk.
#pragma once

#include <string>
#include <string_view>

namespace kache {

inline bool is_absolute(std::string_view path) { return !path.empty() && path[0] == '/'; }

// The part after the last '/'; the whole of it where there is none.
std::string_view base_name(std::string_view path);
// The part before the last '/': "" for a bare name, "/" for "/x".
std::string_view dir_name(std::string_view path);

// "obj/a" of "obj/a.o"; a name that only begins with a dot has no extension.
std::string_view without_extension(std::string_view path);

// `rel` below `dir`; an absolute `rel` wins, an empty `dir` vanishes.
std::string join_path(std::string_view dir, std::string_view rel);

// Drops "." components and doubled slashes. Keeps ".." (behind a symlink "a/.." is not nothing).
std::string tidy_path(std::string_view path);

// Absolute and tidy: relative paths are taken from `cwd`.
std::string absolute_path(std::string_view cwd, std::string_view path);

// True when `path` is `prefix` or lies below it, on component boundaries: /a/b is below /a, /ab is not.
bool is_below(std::string_view path, std::string_view prefix);

// REQUIRES: is_below(path, prefix). "" when they are equal, else without a leading slash.
std::string_view relative_to(std::string_view path, std::string_view prefix);

}  // namespace kache
