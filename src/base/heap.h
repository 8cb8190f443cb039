// How the allocator of this process treats what is freed. Call before the first allocation that matters; one thread.
#pragma once

namespace kache {

// For a process that lives for a millisecond: memory is taken in one piece and never given back. Growing and trimming the heap
// in steps costs a hit 5 % (system calls, and pages that are cleared again).
void keep_freed_memory();

}  // namespace kache
