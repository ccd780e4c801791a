/* Rounds: hand out and simulate, wait for all, agree, commit.
 *
 * Why it ends. Every rank gets at least one point in a round as long as points are left (tiles.c), and rank
 * 0 asks itself first, so a round is never empty and the number of rounds is finite. Within a round, a worker
 * always has at most one request open, each request gets exactly one answer, and only finitely many answers
 * are tiles, since each takes points from a finite range; so each worker is told once that the round is over,
 * after which it asks no more in this round. The master leaves the round when it has said so to all
 * workers. All ranks then meet at the barrier, whether their work failed or not, and agree on going on before
 * the collective commit. A farm that is to stop hands out nothing more, commits what is whole (nothing, perhaps),
 * and all ranks agree that this round was the last. */
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

int ks_farm_wait(const struct ks_farm *farm, MPI_Request *request, MPI_Status *status) {
    const struct ks_farm_work *work = farm->work;
    double start = MPI_Wtime();
    int is_done = 0;
    for (long nap = 0;;) {
        KS_MPI(MPI_Test(request, &is_done, status));
        if (is_done) return KS_OK;
        double waited = MPI_Wtime() - start;
        if (work->watchdog_seconds > 0 && waited > work->watchdog_seconds)
            work->hung(work->self, 0, 0, 0, waited);
        ks_farm_nap(&nap);
    }
}

/* ---- tiles on any rank ----------------------------------------------------------------------------------- */

enum ks_farm_urgency ks_farm_urgency(const struct ks_farm *farm) {
    return farm->work->urgency != NULL ? farm->work->urgency(farm->work->self) : KS_FARM_GO;
}

void ks_farm_drop(struct ks_farm *farm, struct ks_farm_tile tile) {
    if (tile.count > 0 && tile.first < farm->cut) farm->cut = tile.first;
}

int ks_farm_work_slice(struct ks_farm *farm, struct ks_farm_tile *tile, uint64_t slice, uint64_t *n_done,
                       bool *has_stopped) {
    uint64_t wanted = tile->count < slice ? tile->count : slice;
    *n_done = wanted;
    int err = farm->work->simulate(farm->work->self, tile->first, n_done);
    if (err < 0) *n_done = 0;
    tile->first += *n_done;
    tile->count -= *n_done;
    *has_stopped = err < 0 || *n_done < wanted || ks_farm_urgency(farm) == KS_FARM_DROP;
    if (*has_stopped) {
        ks_farm_drop(farm, *tile);
        tile->count = 0;
    }
    return err;
}

/* ---- rounds ---------------------------------------------------------------------------------------------- */

/* A barrier that sleeps: ranks may wait here for as long as another's last tile takes. */
static int meet(struct ks_farm *farm) {
    MPI_Request barrier;
    int is_done = 0;
    KS_MPI(MPI_Ibarrier(farm->comm, &barrier));
    for (long nap = 0; !is_done;) {
        if (farm->rank == 0) KS_TRY(ks_master_watch(farm));
        KS_MPI(MPI_Test(&barrier, &is_done, MPI_STATUS_IGNORE));
        if (!is_done) ks_farm_nap(&nap);
    }
    return KS_OK;
}

/* On all ranks: the first point that is not done, and whether some rank is to stop. */
static int agree_on_end(struct ks_farm *farm, uint64_t *next) {
    bool is_stopped = farm->cut != UINT64_MAX || ks_farm_urgency(farm) != KS_FARM_GO;
    /* Counted from the round's beginning: MPICH 4.0 takes the minimum of unsigned integers as of signed ones. */
    int64_t own[2] = {INT64_MAX, !is_stopped}, all[2];
    if (farm->rank == 0) own[0] = (int64_t)(farm->tiles.next - farm->round_first);
    if (farm->cut != UINT64_MAX && (int64_t)(farm->cut - farm->round_first) < own[0])
        own[0] = (int64_t)(farm->cut - farm->round_first);
    KS_MPI(MPI_Allreduce(own, all, 2, MPI_INT64_T, MPI_MIN, farm->comm));
    *next = farm->round_first + (uint64_t)all[0];
    farm->is_stopped = !all[1];
    KS_ASSERT(*next >= farm->round_first && *next <= farm->end);
    KS_ASSERT(*next > farm->round_first || farm->is_stopped);
    return KS_OK;
}

/* Commits the round that rank 0 has led. */
static int commit_round(struct ks_farm *farm) {
    uint64_t next = farm->round_first;
    KS_TRY(agree_on_end(farm, &next));
    if (next == farm->round_first) return KS_OK;
    int err = farm->work->commit(farm->work->self, farm->round_first, next - farm->round_first);
    KS_TRY(ks_agree(farm->comm, err));
    farm->round_first = next;
    farm->n_done = next - farm->first; /* also the last tiles, after which workers did not ask again */
    if (farm->rank == 0) ks_master_report(farm, true);
    return KS_OK;
}

static int run_rounds(struct ks_farm *farm) {
    while (farm->round_first < farm->end && !farm->is_stopped) {
        farm->cut = UINT64_MAX;
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
    farm->tiles = (struct ks_tiles){
        .size = farm->size, .capacity = farm->work->capacity, .slice = farm->work->slice, .end = farm->end};
    farm->tiles.paces = ks_memory_allocate((size_t)farm->size, sizeof *farm->tiles.paces);
    int err =
        farm->tiles.paces != NULL ? KS_OK : ks_error_raise(KS_ERR_MEMORY, __FILE__, __LINE__, "no memory");
    err = ks_agree(farm->comm, err);
    if (err == KS_OK) err = run_rounds(farm);
    free(farm->tiles.paces);
    return err;
}

int ks_farm_run(MPI_Comm comm, uint64_t first, uint64_t count, const struct ks_farm_work *work,
                uint64_t *next) {
    KS_ASSERT(count <= UINT64_MAX - first && work->capacity > 0 && work->slice > 0);
    struct ks_farm farm = {.work = work,
                           .first = first,
                           .end = first + count,
                           .round_first = first,
                           .start = MPI_Wtime(),
                           .last_report = -INFINITY};
    KS_MPI(MPI_Comm_dup(comm, &farm.comm));
    int err = run_with_comm(&farm);
    *next = farm.round_first;
    MPI_Comm_free(&farm.comm);
    return err;
}
