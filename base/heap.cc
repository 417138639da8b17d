#include "base/heap.h"

#include <malloc.h>

namespace vdcu::base {

void SetUpHeap() {
  // Without this glibc raises both thresholds, up to 32 and 64 MiB, once a block of that size is
  // freed (mallopt(3), M_MMAP_THRESHOLD).
  mallopt(M_MMAP_THRESHOLD, 256 << 10);
  mallopt(M_TRIM_THRESHOLD, 1 << 20);
  mallopt(M_ARENA_MAX, 1);
}

void TrimHeap() { malloc_trim(0); }

}  // namespace vdcu::base
