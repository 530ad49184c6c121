#include "belfry_bench.h"

#include <sys/stat.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

int belfry_is_file(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

int64_t belfry_disk_bytes(const char *path) {
    struct stat status;
    if (stat(path, &status) != 0 || !S_ISREG(status.st_mode)) return 0;
    return (int64_t)status.st_blocks * 512;
}

void belfry_trim_memory(void) {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}
