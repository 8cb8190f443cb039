// What came of a compile, to be compared with what should have: outputs and streams by their names. Part of recheck.cc.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "compiler/redirect.h"

namespace kache {

// Zero for what is not there.
using Contents = std::map<std::string, Digest>;

Digest content_of(const Contents& contents, const std::string& name);
// The names of what only one of them has, or has with another content.
std::vector<std::string> unequal(const Contents& a, const Contents& b);

// In texts of compilers such a path stands as it is, without quotes and escapes.
bool is_unquoted(std::string_view path);
// A text that tells of the directories of a compile elsewhere, as it would tell of those of the user.
std::string moved_back(std::string text, const std::vector<RedirectedDir>& dirs);

}  // namespace kache
