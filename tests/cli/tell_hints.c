/* Preloaded into a rank: says on standard error which hints MPI-IO is given, for each file that it opens. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <mpi.h>
#include <stdio.h>

static void tell(const char *path, int mode, MPI_Info hints) {
    int n = 0;
    if (hints != MPI_INFO_NULL) MPI_Info_get_nkeys(hints, &n);
    fprintf(stderr, "%s of %s:", mode & MPI_MODE_CREATE ? "creation" : "opening", path);
    for (int i = 0; i < n; i++) {
        char name[MPI_MAX_INFO_KEY + 1], value[MPI_MAX_INFO_VAL + 1];
        int is_there;
        MPI_Info_get_nthkey(hints, i, name);
        MPI_Info_get(hints, name, MPI_MAX_INFO_VAL, value, &is_there);
        fprintf(stderr, " %s=%s", name, value);
    }
    fputc('\n', stderr);
}

int MPI_File_open(MPI_Comm comm, const char *path, int mode, MPI_Info hints, MPI_File *file) {
    int (*next)(MPI_Comm, const char *, int, MPI_Info, MPI_File *);
    *(void **)&next = dlsym(RTLD_NEXT, "MPI_File_open");
    tell(path, mode, hints);
    return next(comm, path, mode, hints, file);
}
