#include <malloc.h>

#include "base/heap.h"

namespace kache {

void keep_freed_memory() {
  ::mallopt(M_TOP_PAD, 1 << 20);
  ::mallopt(M_TRIM_THRESHOLD, 64 << 20);
}

}  // namespace kache
