#define _GNU_SOURCE
#include "belfry_disk.h"

#include <stdlib.h>

#if defined(__linux__)
#include <sys/mman.h>
#endif

void *belfry_large_memory(size_t bytes) {
    const size_t page = 2 << 20;
    size_t rounded = (bytes + page - 1) / page * page;
    void *memory = NULL;
    if (posix_memalign(&memory, page, rounded) != 0) abort();
#if defined(__linux__)
    // Only a wish: without huge pages it works all the same.
    madvise(memory, rounded, MADV_HUGEPAGE);
#endif
    return memory;
}
