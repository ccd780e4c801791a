/* The master: answers whoever asks, works on tiles of its own in between, and decides when a round ends. How large
 * tiles are: tiles.c. */
#include "farm/farm_impl.h"

#include <math.h>

/* What the master keeps within a round. */
struct round {
    bool is_last;    /* no more tiles: the farm is to stop */
    bool is_dropped; /* nor the rest of those given: a rank has failed or dropped its own */
    int n_left;      /* workers that have been told */
    double start;    /* MPI_Wtime() */
};

/* How long rank 0 waits for the first requests of a round before it works: nobody is to wait for its first slice. */
static const double patience_seconds = 5e-3;

void ks_master_report(struct ks_farm *farm, bool is_commit) {
    enum { PER_SECOND = 4 };
    double now = MPI_Wtime();
    if (farm->work->report == NULL || (!is_commit && now - farm->last_report < 1.0 / PER_SECOND)) return;
    farm->last_report = now;
    struct ks_farm_progress progress = {.n_points = farm->end - farm->first,
                                        .n_committed = farm->round_first - farm->first,
                                        .n_done = farm->n_done,
                                        .seconds = now - farm->start,
                                        .is_commit = is_commit};
    farm->work->report(farm->work->self, &progress);
}

/* ---- tiles --------------------------------------------------------------------------------------------- */

/* The next tile of a rank; of no points where the round is over for it. */
static struct ks_farm_tile assign(struct ks_farm *farm, struct round *round, int rank) {
    if (ks_farm_urgency(farm) != KS_FARM_GO) round->is_last = true;
    if (round->is_last || round->is_dropped) return (struct ks_farm_tile){0};
    return ks_tiles_assign(&farm->tiles, rank, MPI_Wtime());
}

static void note_work(struct ks_farm *farm, int rank, uint64_t n_points, double seconds) {
    farm->n_done += n_points;
    ks_tiles_note_work(&farm->tiles, rank, n_points, seconds);
}

/* ---- the watchdog -------------------------------------------------------------------------------------- */

static void hear(struct ks_farm *farm, int rank) {
    farm->tiles.paces[rank].heard = MPI_Wtime();
}

static void check_silence(const struct ks_farm *farm) {
    const struct ks_farm_work *work = farm->work;
    double now = MPI_Wtime();
    for (int i = 1; i < farm->size; i++) {
        const struct ks_farm_pace *pace = &farm->tiles.paces[i];
        if (!pace->is_idle && now - pace->heard > work->watchdog_seconds)
            work->hung(work->self, i, pace->tile.first, pace->tile.count, now - pace->heard);
    }
}

int ks_master_watch(struct ks_farm *farm) {
    if (!(farm->work->watchdog_seconds > 0)) return KS_OK;
    for (int is_there = 1; is_there;) {
        MPI_Status status;
        KS_MPI(MPI_Iprobe(MPI_ANY_SOURCE, KS_TAG_ALIVE, farm->comm, &is_there, &status));
        if (!is_there) break;
        struct ks_farm_pace *pace = &farm->tiles.paces[status.MPI_SOURCE];
        KS_MPI(MPI_Recv(&pace->tile, sizeof pace->tile, MPI_BYTE, status.MPI_SOURCE, KS_TAG_ALIVE, farm->comm,
                        MPI_STATUS_IGNORE));
        pace->is_idle = pace->tile.count == 0;
        hear(farm, status.MPI_SOURCE);
    }
    check_silence(farm);
    return KS_OK;
}

/* ---- messages ------------------------------------------------------------------------------------------ */

/* Answers one request, if there is one. The worker has posted its receive, so sending does not wait. */
static int answer_one(struct ks_farm *farm, struct round *round, bool *has_answered) {
    int is_there;
    MPI_Status status;
    double start = MPI_Wtime();
    KS_MPI(MPI_Iprobe(MPI_ANY_SOURCE, KS_TAG_REQUEST, farm->comm, &is_there, &status));
    *has_answered = is_there;
    if (!is_there) return KS_OK;
    int rank = status.MPI_SOURCE;
    struct ks_farm_request request;
    KS_MPI(MPI_Recv(&request, sizeof request, MPI_BYTE, rank, KS_TAG_REQUEST, farm->comm, MPI_STATUS_IGNORE));
    hear(farm, rank);
    note_work(farm, rank, request.n_points, request.seconds);
    if (request.has_stopped) round->is_dropped = true;
    struct ks_farm_tile tile = assign(farm, round, rank);
    int tag = tile.count > 0 ? KS_TAG_TILE : KS_TAG_OVER;
    KS_MPI(MPI_Send(&tile, sizeof tile, MPI_BYTE, rank, tag, farm->comm));
    if (tag == KS_TAG_OVER) round->n_left++;
    ks_tiles_note_answer(&farm->tiles, MPI_Wtime() - start);
    return KS_OK;
}

static int answer_all(struct ks_farm *farm, struct round *round, bool *has_answered) {
    *has_answered = false;
    for (bool is_more = farm->size > 1; is_more;) {
        KS_TRY(answer_one(farm, round, &is_more));
        *has_answered = *has_answered || is_more;
    }
    return KS_OK;
}

/* ---- the round ----------------------------------------------------------------------------------------- */

/* Simulates one slice of the master's own tile. */
static int work_slice(struct ks_farm *farm, struct round *round, struct ks_farm_tile *own) {
    double start = MPI_Wtime();
    uint64_t n_done;
    bool has_stopped;
    int err = ks_farm_work_slice(farm, own, ks_tiles_own_slice(&farm->tiles), &n_done, &has_stopped);
    note_work(farm, 0, n_done, MPI_Wtime() - start);
    round->is_dropped = round->is_dropped || has_stopped;
    return err;
}

/* The commit interval; longer where at the pace so far the room for commits would not last. Each round then takes twice
 * its share of the time that is left, so that half of the room remains for a pace that slows down; the last round has no
 * end but that of the points. */
static double round_seconds(const struct ks_farm *farm, double now) {
    uint64_t n_left = farm->work->rounds_left(farm->work->self);
    if (n_left <= 1) return INFINITY;
    double done = (double)(farm->round_first - farm->first), left = (double)(farm->end - farm->round_first);
    double seconds_left = done > 0 ? (now - farm->start) * left / done : 0;
    return fmax(farm->work->commit_seconds, 2 * seconds_left / (double)n_left);
}

static void start_round(struct ks_farm *farm) {
    double now = MPI_Wtime();
    ks_tiles_start_round(&farm->tiles, farm->round_first, now, round_seconds(farm, now));
    for (int i = 0; i < farm->size; i++) {
        farm->tiles.paces[i].is_idle = false;
        farm->tiles.paces[i].tile = (struct ks_farm_tile){0};
        hear(farm, i);
    }
}

/* Whether first requests are still to be waited for. */
static bool is_early(const struct ks_farm *farm, const struct round *round) {
    return farm->tiles.n_fresh > 0 && !round->is_dropped && MPI_Wtime() - round->start < patience_seconds;
}

int ks_master_lead_round(struct ks_farm *farm) {
    struct round round = {.start = MPI_Wtime()};
    start_round(farm);
    struct ks_farm_tile own = assign(farm, &round, 0);
    int err = KS_OK;
    for (long nap = 0; own.count > 0 || round.n_left < farm->size - 1;) {
        bool has_answered;
        KS_TRY(answer_all(farm, &round, &has_answered));
        KS_TRY(ks_master_watch(farm));
        ks_master_report(farm, false);
        if (own.count > 0 && !is_early(farm, &round)) {
            err = work_slice(farm, &round, &own);
            if (round.is_dropped) {
                ks_farm_drop(farm, own);
                own.count = 0;
            }
            if (own.count == 0) own = assign(farm, &round, 0);
            nap = 0;
        } else if (has_answered) {
            nap = 0;
        } else {
            ks_farm_nap(&nap);
        }
    }
    return err;
}
