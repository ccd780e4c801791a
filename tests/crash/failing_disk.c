/* Preloaded into a rank: its writes to *.h5 fail from some call on, as those to a disk that is full, over its quota, or
 * gone do. FAIL_RANK says on which rank, FAIL_AFTER after how many calls, FAIL_ERRNO how. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static long number(const char *name) {
    const char *text = getenv(name);
    return text != NULL ? strtol(text, NULL, 10) : -1;
}

static int is_result(int descriptor) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t n = readlink(link, path, sizeof path);
    return n > 3 && memcmp(path + n - 3, ".h5", 3) == 0;
}

static int fails(int descriptor) {
    static long n_calls;
    const char *rank = getenv("OMPI_COMM_WORLD_RANK");
    if ((rank != NULL ? strtol(rank, NULL, 10) : 0) != number("FAIL_RANK") || !is_result(descriptor))
        return 0;
    if (++n_calls <= number("FAIL_AFTER")) return 0;
    errno = (int)number("FAIL_ERRNO");
    return 1;
}

#define FORWARD(type, name, arguments, values)     \
    type name arguments {                          \
        if (fails(descriptor)) return -1;          \
        type(*next) arguments;                     \
        *(void **)&next = dlsym(RTLD_NEXT, #name); \
        return next values;                        \
    }

FORWARD(ssize_t, pwrite, (int descriptor, const void *data, size_t n, off_t at), (descriptor, data, n, at))
FORWARD(ssize_t, pwrite64, (int descriptor, const void *data, size_t n, off64_t at),
        (descriptor, data, n, at))
FORWARD(ssize_t, pwritev, (int descriptor, const struct iovec *data, int n, off_t at),
        (descriptor, data, n, at))
FORWARD(ssize_t, pwritev64, (int descriptor, const struct iovec *data, int n, off64_t at),
        (descriptor, data, n, at))
/* A disk need not fail when it is synced. */
FORWARD(int, fsync, (int descriptor), (descriptor))
