/* Measures the farm without a model, under mpirun; make bench-farm calls it. Prints lines of JSON on rank 0.
 *
 *     bench_farm rate SECONDS                          requests that rank 0 answers, from all other ranks at once
 *     bench_farm trip N                                a message to rank 1 and back
 *     bench_farm sleep POINTS SECONDS COMMIT [FILE]    a run whose points sleep: as many ranks as wanted, on any machine
 *
 * Points that sleep cost what those of a real campaign (FILE) would, in the mean SECONDS, and no core. */
#define _DEFAULT_SOURCE
#include "costs.h"
#include "farm/farm_impl.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { SLICE = 64 };

static int comm_rank(void) {
    int rank;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    return rank;
}

static int comm_size(void) {
    int size;
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    return size;
}

static uint64_t rounds_left(void *self) {
    (void)self;
    return 65536;
}

/* ---- rate: rank 0 leads a round; the others do nothing but ask --------------------------------------------- */

static int do_nothing(void *self, uint64_t first, uint64_t *count) {
    (void)self, (void)first, (void)count;
    return KS_OK;
}

static int lead(double seconds) {
    static const uint64_t plenty = UINT64_C(1) << 60;
    const struct ks_farm_work work = {.simulate = do_nothing,
                                      .rounds_left = rounds_left,
                                      .commit_seconds = seconds,
                                      .capacity = plenty,
                                      .slice = 1};
    struct ks_farm farm = {.work = &work,
                           .comm = MPI_COMM_WORLD,
                           .size = comm_size(),
                           .end = plenty,
                           .cut = UINT64_MAX,
                           .tiles = {.size = comm_size(), .capacity = plenty, .slice = 1, .end = plenty}};
    KS_ALLOCATE(farm.tiles.paces, (size_t)farm.size);
    farm.start = MPI_Wtime();
    int err = ks_master_lead_round(&farm);
    seconds = MPI_Wtime() - farm.start;
    free(farm.tiles.paces);
    KS_TRY(err);
    printf("{\"requesters\": %d, \"requests_per_second\": %.0f, \"answer_seconds\": %.3g}\n", farm.size - 1,
           (double)farm.tiles.n_answers / seconds, farm.tiles.answer_seconds / (double)farm.tiles.n_answers);
    return KS_OK;
}

/* As if each point took a millisecond: tiles stay small, and the round lasts for its time. */
static int ask(void) {
    struct ks_farm_request request = {.n_points = 1, .seconds = 1e-3};
    struct ks_farm_tile tile;
    MPI_Status status;
    do {
        KS_MPI(MPI_Send(&request, sizeof request, MPI_BYTE, 0, KS_TAG_REQUEST, MPI_COMM_WORLD));
        KS_MPI(MPI_Recv(&tile, sizeof tile, MPI_BYTE, 0, MPI_ANY_TAG, MPI_COMM_WORLD, &status));
    } while (status.MPI_TAG != KS_TAG_OVER);
    return KS_OK;
}

/* ---- trip ------------------------------------------------------------------------------------------------ */

static int travel(int n) {
    struct ks_farm_request message = {0};
    int rank = comm_rank();
    double start = MPI_Wtime();
    for (int i = 0; i < n && rank < 2; i++) {
        if (rank == 0) KS_MPI(MPI_Send(&message, sizeof message, MPI_BYTE, 1, 1, MPI_COMM_WORLD));
        KS_MPI(MPI_Recv(&message, sizeof message, MPI_BYTE, 1 - rank, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
        if (rank == 1) KS_MPI(MPI_Send(&message, sizeof message, MPI_BYTE, 0, 1, MPI_COMM_WORLD));
    }
    if (rank == 0) printf("{\"round_trip_seconds\": %.3g}\n", (MPI_Wtime() - start) / n);
    return KS_OK;
}

/* ---- sleep ----------------------------------------------------------------------------------------------- */

struct sleeper {
    struct costs costs;
    double asked, slept, commit; /* s of this rank */
    double n_slices, n_rounds;
};

static int sleep_points(void *self, uint64_t first, uint64_t *count) {
    struct sleeper *s = self;
    double seconds = costs_of(&s->costs, first, *count), start = MPI_Wtime();
    nanosleep(&(struct timespec){(time_t)seconds, (long)(fmod(seconds, 1) * 1e9)}, NULL);
    s->asked += seconds;
    s->slept += MPI_Wtime() - start;
    s->n_slices++;
    return KS_OK;
}

static int commit(void *self, uint64_t first, uint64_t count) {
    struct sleeper *s = self;
    (void)first, (void)count;
    s->n_rounds++;
    return KS_OK;
}

static int sleep_through(uint64_t n, double commit_seconds, struct sleeper *s) {
    const struct ks_farm_work work = {.self = s,
                                      .simulate = sleep_points,
                                      .commit = commit,
                                      .rounds_left = rounds_left,
                                      .commit_seconds = commit_seconds,
                                      .capacity = n,
                                      .slice = SLICE};
    uint64_t next;
    KS_MPI(MPI_Barrier(MPI_COMM_WORLD));
    double start = MPI_Wtime(), own[3], all[3];
    KS_TRY(ks_farm_run(MPI_COMM_WORLD, 0, n, &work, &next));
    double seconds = MPI_Wtime() - start;
    memcpy(own, (double[]){s->asked, s->slept, s->n_slices}, sizeof own);
    KS_MPI(MPI_Reduce(own, all, 3, MPI_DOUBLE, MPI_SUM, 0, MPI_COMM_WORLD));
    if (comm_rank() > 0) return KS_OK;
    printf("{\"ranks\": %d, \"points\": %.0f, \"run_seconds\": %.6g, \"rounds\": %.0f, \"efficiency\": %.4f, "
           "\"slice_seconds\": %.3g}\n",
           comm_size(), (double)n, seconds, s->n_rounds, all[0] / seconds / comm_size(),
           (all[1] - all[0]) / all[2]);
    return KS_OK;
}

static int run_sleep(int argc, char **argv) {
    struct sleeper s = {0};
    KS_TRY(costs_load(&s.costs, argc > 5 ? argv[5] : NULL, atof(argv[3])));
    int err = sleep_through((uint64_t)atof(argv[2]), atof(argv[4]), &s);
    free(s.costs.sums);
    return err;
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    const char *what = argc > 2 ? argv[1] : "";
    int err = KS_ERR_USAGE;
    if (strcmp(what, "rate") == 0) err = comm_rank() == 0 ? lead(atof(argv[2])) : ask();
    if (strcmp(what, "trip") == 0) err = travel(atoi(argv[2]));
    if (strcmp(what, "sleep") == 0 && argc > 4) err = run_sleep(argc, argv);
    if (err < 0) {
        ks_error_print(stderr);
        fprintf(stderr, "usage: bench_farm rate SECONDS | trip N | sleep POINTS SECONDS COMMIT [FILE]\n");
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
    MPI_Finalize();
    return 0;
}
