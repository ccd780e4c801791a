/* Gives each file of a folder to the fuzzer's function, as one test: what the fuzzer has found stays mended. */
#include "fuzz.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static bool replay_open(int descriptor) {
    struct stat file;
    if (fstat(descriptor, &file) != 0) return false;
    size_t n_bytes = (size_t)file.st_size;
    uint8_t *bytes = malloc(n_bytes + 1); /* just as large as it must be, for the sanitizers */
    bool is_read = bytes != NULL && read(descriptor, bytes, n_bytes) == (ssize_t)n_bytes;
    if (is_read) LLVMFuzzerTestOneInput(bytes, n_bytes);
    free(bytes);
    return is_read;
}

static bool replay(int folder, const char *name) {
    int descriptor = openat(folder, name, O_RDONLY);
    bool is_read = descriptor >= 0 && replay_open(descriptor);
    if (descriptor >= 0) close(descriptor);
    return is_read;
}

static int is_no_dot(const struct dirent *entry) {
    return entry->d_name[0] != '.';
}

int main(int argc, char **argv) {
    struct dirent **entries = NULL;
    int folder = argc == 2 ? open(argv[1], O_RDONLY | O_DIRECTORY) : -1, n_failed = 0;
    int n = folder < 0 ? -1 : scandir(argv[1], &entries, is_no_dot, alphasort);
    if (n <= 0) {
        fprintf(stderr, "usage: replay FOLDER, which must hold files\n");
        return 2;
    }
    printf("1..1\n");
    for (int i = 0; i < n; i++) {
        printf("# %s\n", entries[i]->d_name);
        fflush(stdout); /* where it crashes, the last one is to blame */
        n_failed += !replay(folder, entries[i]->d_name);
        free(entries[i]);
    }
    printf("%sok - %d inputs, %d of which could not be read\n", n_failed > 0 ? "not " : "", n, n_failed);
    free(entries);
    close(folder);
    return n_failed > 0;
}
