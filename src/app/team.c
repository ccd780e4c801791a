/* The ranks of a communicator as the team that analyses share work with. */
#include "app/app_impl.h"
#include "base/agree.h"

#include <limits.h>

static int agree(void *self, int err) {
    return ks_agree(((const struct ks_mpi_team *)self)->comm, err);
}

static int pass(void *self, int from, double *numbers, size_t n) {
    const struct ks_mpi_team *team = self;
    enum { TAG = 1, PART = 1 << 24 };
    for (size_t done = 0; done < n; done += PART) {
        int count = n - done < PART ? (int)(n - done) : PART;
        if (team->team.rank == from) KS_MPI(MPI_Send(numbers + done, count, MPI_DOUBLE, 0, TAG, team->comm));
        if (team->team.rank == 0)
            KS_MPI(MPI_Recv(numbers + done, count, MPI_DOUBLE, from, TAG, team->comm, MPI_STATUS_IGNORE));
    }
    return KS_OK;
}

static int spread(void *self, double *numbers, size_t n) {
    KS_ASSERT(n <= INT_MAX);
    KS_MPI(MPI_Bcast(numbers, (int)n, MPI_DOUBLE, 0, ((const struct ks_mpi_team *)self)->comm));
    return KS_OK;
}

int ks_team_create(struct ks_mpi_team *team, MPI_Comm comm) {
    *team = (struct ks_mpi_team){.comm = comm, .team = {team, 0, 1, agree, pass, spread}};
    KS_MPI(MPI_Comm_rank(comm, &team->team.rank));
    KS_MPI(MPI_Comm_size(comm, &team->team.size));
    return KS_OK;
}
