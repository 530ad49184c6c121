#ifndef BELFRY_DISK_H
#define BELFRY_DISK_H

#include <stddef.h>
#include <stdint.h>

/// CRC-32C (Castagnoli, RFC 3720 appendix B.4) of `count` bytes, going on from `crc` (0 to begin).
///
/// In C because Swift cannot name the processor's CRC instruction: a table in Swift does 2 GB/s, the instruction above 10 GB/s, and every
/// journalled byte goes through here. Falls back to a table where the processor has none.
uint32_t belfry_crc32c(uint32_t crc, const void *bytes, size_t count);

/// The fall-back alone, so that a test can hold the two against each other.
uint32_t belfry_crc32c_table(uint32_t crc, const void *bytes, size_t count);

/// Sets room aside for a file up to `size` bytes, without changing the file's size (`fallocate`, which Swift's Glibc module leaves out).
///
/// Returns 0, or an errno; ENOTSUP where the system has no such call.
int belfry_reserve(int file, int64_t size);

/// Gives the room of a range back; it reads as zeros then. Returns 0 or an errno.
int belfry_punch(int file, int64_t offset, int64_t count);

/// Begins to write a range of a file to the medium, and waits until all but the last 4 MiB before it are there. Does nothing where the system has no such call.
void belfry_write_back(int file, int64_t offset, int64_t count);

/// Memory of at least 2 MiB that is filled from front to back, in huge pages where the system has them: a page fault for every 4 KiB would cost
/// more than what is written there. Ends the process when there is no memory, as every allocation in Swift does. Given back by `free`.
void *belfry_large_memory(size_t bytes);

/// Asks for a cache line that is needed a little later, so that cache misses overlap instead of adding up. Swift has no word for it.
static inline void belfry_prefetch(const void *address) { __builtin_prefetch(address); }

#endif
