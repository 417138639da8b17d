#include "base/memory.h"

#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

namespace vdcu::base {

namespace {

// Only segments that are never written to: there what is dropped is in the file.
int DropCode(dl_phdr_info* object, size_t /*size*/, void* /*data*/) {
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = object->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
    const uintptr_t begin = object->dlpi_addr + segment.p_vaddr;
    const uintptr_t aligned = begin / page * page;
    // It may be refused, for the kernel's own object: that one then stays as it is.
    madvise(reinterpret_cast<void*>(aligned), begin + segment.p_memsz - aligned, MADV_DONTNEED);
  }
  return 0;
}

}  // namespace

void SetUpHeap() {
  // Without this glibc raises both thresholds, up to 32 and 64 MiB, once a block of that size is
  // freed (mallopt(3), M_MMAP_THRESHOLD).
  mallopt(M_MMAP_THRESHOLD, 256 << 10);
  mallopt(M_TRIM_THRESHOLD, 1 << 20);
  mallopt(M_ARENA_MAX, 1);
}

void TrimMemory() {
  malloc_trim(0);
  dl_iterate_phdr(DropCode, nullptr);
}

}  // namespace vdcu::base
