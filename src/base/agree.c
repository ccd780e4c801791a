/* Agreement by one all-reduce: the lowest failed rank is the one that speaks. */
#include "base/agree.h"

int ks_agree_raise_mpi(int mpi_code, const char *file, int line) {
    char sentence[MPI_MAX_ERROR_STRING] = "";
    int length = 0;
    MPI_Error_string(mpi_code, sentence, &length);
    return ks_error_raise(KS_ERR_MPI, file, line, "MPI: %s", sentence);
}

/* Long enough for ranks that only write slower; what is lost by the end of the job is lost by the error anyway. */
static const double patience_seconds = 5;

static int end_job(MPI_Comm comm) {
    ks_error_print(stderr);
    return MPI_Abort(comm, 1);
}

static int meet_patiently(MPI_Comm comm, int err, int candidate, int *speaker) {
    MPI_Request request;
    int is_done = 0;
    double start = MPI_Wtime();
    KS_MPI(MPI_Iallreduce(&candidate, speaker, 1, MPI_INT, MPI_MIN, comm, &request));
    while (err < 0 && !is_done) {
        KS_MPI(MPI_Test(&request, &is_done, MPI_STATUS_IGNORE));
        if (!is_done && MPI_Wtime() - start > patience_seconds) return end_job(comm);
    }
    if (!is_done) KS_MPI(MPI_Wait(&request, MPI_STATUS_IGNORE));
    return KS_OK;
}

static int agree(MPI_Comm comm, int err, int is_patient) {
    int rank, size, speaker;
    KS_MPI(MPI_Comm_rank(comm, &rank));
    KS_MPI(MPI_Comm_size(comm, &size));
    int candidate = err < 0 && err != KS_ERR_REMOTE ? rank : size;
    if (is_patient)
        KS_TRY(meet_patiently(comm, err, candidate, &speaker));
    else
        KS_MPI(MPI_Allreduce(&candidate, &speaker, 1, MPI_INT, MPI_MIN, comm));
    if (speaker == size) return err < 0 ? err : KS_OK;
    if (speaker == rank) ks_error_print(stderr);
    return err < 0 ? err : KS_ERR_REMOTE;
}

int ks_agree(MPI_Comm comm, int err) {
    return agree(comm, err, 0);
}

int ks_agree_or_abort(MPI_Comm comm, int err) {
    return agree(comm, err, 1);
}
