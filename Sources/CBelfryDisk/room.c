#define _GNU_SOURCE
#include "belfry_disk.h"

#include <errno.h>
#include <fcntl.h>

#if defined(__linux__)

int belfry_reserve(int file, int64_t size) {
    return fallocate(file, FALLOC_FL_KEEP_SIZE, 0, size) == 0 ? 0 : errno;
}

int belfry_punch(int file, int64_t offset, int64_t count) {
    return fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, count) == 0 ? 0 : errno;
}

void belfry_write_back(int file, int64_t offset, int64_t count) {
    const int64_t behind = 4 << 20;
    (void)sync_file_range(file, offset, count, SYNC_FILE_RANGE_WRITE);
    if (offset <= behind) return;
    (void)sync_file_range(file, 0, offset - behind,
                          SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
}

#else

void belfry_write_back(int file, int64_t offset, int64_t count) {
    (void)file, (void)offset, (void)count;
}

int belfry_reserve(int file, int64_t size) {
    (void)file, (void)size;
    return ENOTSUP;
}

int belfry_punch(int file, int64_t offset, int64_t count) {
    (void)file, (void)offset, (void)count;
    return ENOTSUP;
}

#endif
