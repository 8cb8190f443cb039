// Pieces of JSON that several commands write.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "index/builds.h"

namespace kache {

nlohmann::ordered_json build_json(const PastBuild& build, size_t number);

// Percent with one decimal; 0 of nothing is 0.
double rate(uint64_t part, uint64_t whole);
// Whole milliseconds, "+00:00".
std::string rfc3339(int64_t ns);
// Indented; what is no UTF-8 is replaced.
std::string to_text(const nlohmann::ordered_json& value);

}  // namespace kache
