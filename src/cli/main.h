#pragma once

namespace kache {

// kache-tool: everything that is not on the path of a compile.
int tool_main(int argc, char** argv, char** environment);

}  // namespace kache
