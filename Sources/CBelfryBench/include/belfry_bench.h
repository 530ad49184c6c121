#ifndef BELFRY_BENCH_H
#define BELFRY_BENCH_H

#include <stdint.h>

/// Bytes that a regular file takes on disk: with what is set aside for it, without what is punched out. 0 for whatever is no regular file, or is gone.
///
/// In C because several of the modules that Swift sees here claim `struct stat`.
int64_t belfry_disk_bytes(const char *path);

/// Whether this is a regular file.
int belfry_is_file(const char *path);

/// Gives memory that nobody uses back to the kernel, where the C library can (`malloc_trim`, which Swift's Glibc module leaves out).
void belfry_trim_memory(void);

#endif
