/* Rounds: hand out and simulate, wait for all, agree, commit.
 *
 * Why it ends. Every rank gets at least one point in a round as long as points are left (master.c), and rank
 * 0 asks itself first, so a round is never empty and the number of rounds is finite. Within a round, a worker
 * always has at most one request open, each request gets exactly one answer, and only finitely many answers
 * are tiles, since each takes points from a finite range; so each worker is told once that the round is over,
 * after which it sends nothing more in this round. The master leaves the round when it has said so to all
 * workers. All ranks then meet at the barrier, whether their work failed or not, and agree on going on before
 * the collective commit. */
#include "base/memory.h"
#include "farm/farm_impl.h"

#include <math.h>
#include <stdlib.h>
#include <time.h>

void ks_farm_nap(long *nap) {
    enum { SHORTEST = 1000, LONGEST = 1000000 }; /* ns */
    *nap = *nap == 0 ? SHORTEST : 2 * *nap < LONGEST ? 2 * *nap : LONGEST;
    nanosleep(&(struct timespec){.tv_nsec = *nap}, NULL);
}

int ks_farm_wait(MPI_Request *request, MPI_Status *status) {
    int is_done = 0;
    for (long nap = 0;;) {
        KS_MPI(MPI_Test(request, &is_done, status));
        if (is_done) return KS_OK;
        ks_farm_nap(&nap);
    }
}

/* A barrier that sleeps: ranks may wait here for as long as another's last tile takes. */
static int meet(const struct ks_farm *farm) {
    MPI_Request barrier;
    KS_MPI(MPI_Ibarrier(farm->comm, &barrier));
    return ks_farm_wait(&barrier, MPI_STATUS_IGNORE);
}

/* Commits the round that rank 0 has led. */
static int commit_round(struct ks_farm *farm) {
    KS_MPI(MPI_Bcast(&farm->next, 1, MPI_UINT64_T, 0, farm->comm));
    KS_ASSERT(farm->next > farm->round_first && farm->next <= farm->end);
    int err = farm->work->commit(farm->work->self, farm->round_first, farm->next - farm->round_first);
    KS_TRY(ks_agree(farm->comm, err));
    farm->round_first = farm->next;
    farm->n_done = farm->next - farm->first; /* also the last tiles, after which workers did not ask again */
    if (farm->rank == 0) ks_master_report(farm, true);
    return KS_OK;
}

static int run_rounds(struct ks_farm *farm) {
    while (farm->round_first < farm->end) {
        int err = farm->rank == 0 ? ks_master_lead_round(farm) : ks_worker_follow_round(farm);
        KS_TRY(meet(farm));
        KS_TRY(ks_agree(farm->comm, err));
        KS_TRY(commit_round(farm));
    }
    return KS_OK;
}

static int run_with_comm(struct ks_farm *farm) {
    KS_MPI(MPI_Comm_set_errhandler(farm->comm, MPI_ERRORS_RETURN));
    KS_MPI(MPI_Comm_rank(farm->comm, &farm->rank));
    KS_MPI(MPI_Comm_size(farm->comm, &farm->size));
    farm->paces = ks_memory_allocate((size_t)farm->size, sizeof *farm->paces);
    int err = farm->paces != NULL ? KS_OK : ks_error_raise(KS_ERR_MEMORY, __FILE__, __LINE__, "no memory");
    err = ks_agree(farm->comm, err);
    if (err == KS_OK) err = run_rounds(farm);
    free(farm->paces);
    return err;
}

int ks_farm_run(MPI_Comm comm, uint64_t first, uint64_t count, const struct ks_farm_work *work) {
    KS_ASSERT(count <= UINT64_MAX - first && work->capacity > 0 && work->slice > 0);
    struct ks_farm farm = {.work = work,
                           .first = first,
                           .end = first + count,
                           .round_first = first,
                           .next = first,
                           .start = MPI_Wtime(),
                           .last_report = -INFINITY};
    KS_MPI(MPI_Comm_dup(comm, &farm.comm));
    int err = run_with_comm(&farm);
    MPI_Comm_free(&farm.comm);
    return err;
}
