// The word that somebody may have meant: of commands, flags, values and configuration keys.
#pragma once

#include <string_view>
#include <vector>

namespace kache {

// The known word that is spelled most like this one; "" when none is near. The beginning of one word only is near to it.
std::string_view nearest_word(std::string_view word, const std::vector<std::string_view>& known);

}  // namespace kache
