// Where this process is.
#pragma once

#include <string>

namespace kache {

// The file of its program; "" where the system does not tell.
std::string own_program();
// "" when it has been deleted.
std::string working_directory();

}  // namespace kache
