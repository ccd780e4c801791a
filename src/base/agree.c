/* Agreement by one all-reduce: the lowest failed rank is the one that speaks. */
#include "base/agree.h"

int ks_agree_raise_mpi(int mpi_code, const char *file, int line) {
    char sentence[MPI_MAX_ERROR_STRING] = "";
    int length = 0;
    MPI_Error_string(mpi_code, sentence, &length);
    return ks_error_raise(KS_ERR_MPI, file, line, "MPI: %s", sentence);
}

int ks_agree(MPI_Comm comm, int err) {
    int rank, size;
    KS_MPI(MPI_Comm_rank(comm, &rank));
    KS_MPI(MPI_Comm_size(comm, &size));
    int candidate = err < 0 && err != KS_ERR_REMOTE ? rank : size;
    int speaker;
    KS_MPI(MPI_Allreduce(&candidate, &speaker, 1, MPI_INT, MPI_MIN, comm));
    if (speaker == size) return err < 0 ? err : KS_OK;
    if (speaker == rank) ks_error_print(stderr);
    return err < 0 ? err : KS_ERR_REMOTE;
}
