/* The master: answers whoever asks, works on tiles of its own in between, and decides when a round ends.
 *
 * The size of a tile. A worker is given its next tile when it starts the present one, so of the time L that is left
 * when it asks, the present tile still takes its part. With tiles of a quarter of what is left,
 *     L(k+1) = L(k) - L(k-1) / 4,   both roots 1/2,   L(k) = (a + b k) / 2^k > 0:
 * no tile starts late, and all ranks end together on tiles of one point. (With a half the roots are (1 +- i) / 2, and
 * L swings below zero: tiles start when the round should be over.) What is left is the least of three: the points not
 * handed out, shared by all ranks; the rank's room; and what it can do in the round's time at the speed measured, in
 * the mean or in its last tile, whichever is slower. As measurements mislead (a run of points that fail at once), no
 * tile is more than a slice and twice the work that was measured; before any, it is one slice.
 *
 * The end of a round. Its time is up, or a rank that asks has no room; then no rank that has had a tile gets another,
 * since those that are idle would wait for the rest. A rank without one still gets it, so no round is empty. The last
 * points are kept for ranks without a tile: five points take five ranks, not three that have asked in advance. */
#include "farm/farm_impl.h"

#include <math.h>

/* What the master keeps within a round. */
struct round {
    double end;      /* MPI_Wtime() */
    bool is_over;    /* no more than one tile to each rank */
    bool is_last;    /* no more tiles at all: the farm is to stop */
    bool is_dropped; /* nor the rest of those given: a rank has failed or dropped its own */
    int n_left;      /* workers that have been told */
    int n_fresh;     /* ranks that have had no tile */
};

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

static uint64_t smaller(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

/* A quarter of n, rounded up. */
static uint64_t quarter(uint64_t n) {
    return n / 4 + (n % 4 > 0);
}

/* What the rank can do until the round ends, and at least one point; `most` where its speed is not known. */
static uint64_t points_in_time(const struct ks_farm_pace *pace, double seconds_left, uint64_t most) {
    if (!(pace->seconds > 0)) return most;
    double points = fmin(pace->points / pace->seconds, pace->last_speed) * seconds_left;
    return points < 1 ? 1 : points < (double)most ? (uint64_t)points : most;
}

static uint64_t tile_size(const struct ks_farm *farm, const struct round *round,
                          const struct ks_farm_pace *pace) {
    uint64_t left = farm->end - farm->next, size = (uint64_t)farm->size;
    uint64_t share = left / size + (left % size > 0);
    uint64_t room = farm->work->capacity - pace->kept;
    uint64_t limit = smaller(smaller(share, room), points_in_time(pace, round->end - MPI_Wtime(), left));
    uint64_t measured = farm->work->slice + 2 * (uint64_t)pace->points;
    return smaller(quarter(limit), measured);
}

/* The next tile of a rank; of no points where the round is over for it. */
static struct ks_farm_tile assign(struct ks_farm *farm, struct round *round, int rank) {
    struct ks_farm_pace *pace = &farm->paces[rank];
    uint64_t left = farm->end - farm->next;
    bool is_fresh = pace->kept == 0;
    if (pace->kept == farm->work->capacity || MPI_Wtime() >= round->end) round->is_over = true;
    if (ks_farm_urgency(farm) != KS_FARM_GO) round->is_last = true;
    if (left == 0 || round->is_last || round->is_dropped) return (struct ks_farm_tile){0};
    if (!is_fresh && (round->is_over || left <= (uint64_t)round->n_fresh)) return (struct ks_farm_tile){0};
    struct ks_farm_tile tile = {farm->next, tile_size(farm, round, pace)};
    farm->next += tile.count;
    pace->kept += tile.count;
    round->n_fresh -= is_fresh;
    return tile;
}

static void note_work(struct ks_farm *farm, int rank, uint64_t n_points, double seconds) {
    struct ks_farm_pace *pace = &farm->paces[rank];
    if (n_points == 0) return;
    farm->n_done += n_points;
    pace->points += (double)n_points;
    pace->seconds += seconds;
    pace->last_speed = (double)n_points / seconds;
}

/* ---- the watchdog -------------------------------------------------------------------------------------- */

static void hear(struct ks_farm *farm, int rank) {
    farm->paces[rank].heard = MPI_Wtime();
}

static void check_silence(const struct ks_farm *farm) {
    const struct ks_farm_work *work = farm->work;
    double now = MPI_Wtime();
    for (int i = 1; i < farm->size; i++) {
        const struct ks_farm_pace *pace = &farm->paces[i];
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
        struct ks_farm_pace *pace = &farm->paces[status.MPI_SOURCE];
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
    int err = ks_farm_work_slice(farm, own, &n_done, &has_stopped);
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

static void start_round(struct ks_farm *farm, struct round *round) {
    double now = MPI_Wtime();
    *round = (struct round){.end = now + round_seconds(farm, now), .n_fresh = farm->size};
    for (int i = 0; i < farm->size; i++) {
        farm->paces[i].points /= 2;
        farm->paces[i].seconds /= 2;
        farm->paces[i].kept = 0;
        farm->paces[i].is_idle = false;
        farm->paces[i].tile = (struct ks_farm_tile){0};
        hear(farm, i);
    }
}

int ks_master_lead_round(struct ks_farm *farm) {
    struct round round;
    start_round(farm, &round);
    struct ks_farm_tile own = assign(farm, &round, 0);
    int err = KS_OK;
    for (long nap = 0; own.count > 0 || round.n_left < farm->size - 1;) {
        bool has_answered;
        KS_TRY(answer_all(farm, &round, &has_answered));
        KS_TRY(ks_master_watch(farm));
        ks_master_report(farm, false);
        if (own.count > 0) {
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
