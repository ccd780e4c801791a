/* Plays the farm for any number of ranks: a discrete-event simulation of one run.
 *
 *     scale_model ranks=10000 points=1e8 [NAME=NUMBER]... [campaign=FILE]
 *
 * The rules by which points are cut into tiles are the farm's own (src/farm/tiles.c), called with simulated time. Around
 * them it plays what the farm does: a worker asks one tile ahead; rank 0 answers all that have asked between two slices
 * of its own work; who waits sleeps longer and longer; a round ends for all when it has ended for the last, and is then
 * committed. Not played: ranks of different speed, other users of the network, and failures. Prints one line of JSON. */
#include "costs.h"
#include "farm/farm_impl.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* What is measured, by make bench-farm. */
struct setting {
    const char *name;
    double value;
    const char *what;
};

enum setting_index {
    RANKS,
    POINTS,
    SECONDS,
    SLICE,
    WORKER_SLICE,
    SLICE_SECONDS,
    ANSWER,
    LATENCY,
    WAKE,
    COMMIT,
    CAPACITY,
    ROW_BYTES,
    BANDWIDTH,
    SYNC,
    N_SETTINGS
};

static struct setting settings[] = {
    [RANKS] = {"ranks", 1000, "processes"},
    [POINTS] = {"points", 1e7, "of the campaign"},
    [SECONDS] = {"seconds", 0.3e-3, "that a point takes, in the mean"},
    [SLICE] = {"slice", 64, "points that rank 0 simulates before it looks for messages"},
    [WORKER_SLICE] = {"worker_slice", 256, "points that a worker simulates at once"},
    [SLICE_SECONDS] = {"slice_seconds", 0, "that a slice takes beside its points"},
    [ANSWER] = {"answer", 4e-6, "s of rank 0 for an answer"},
    [LATENCY] = {"latency", 5e-6, "s of a message on its way"},
    [WAKE] = {"wake", 60e-6, "s that a sleep takes longer than asked"},
    [COMMIT] = {"commit_seconds", 30, "run.commit_seconds"},
    [CAPACITY] = {"capacity", 100000, "points that a rank may keep in a round"},
    [ROW_BYTES] = {"row_bytes", 600, "of a point in the file"},
    [BANDWIDTH] = {"bandwidth", 1e9, "bytes/s of a collective write, all ranks together"},
    [SYNC] = {"sync", 0.05, "s of a commit beside the bytes: syncs and agreements"},
};

static double setting(enum setting_index index) {
    return settings[index].value;
}

/* A request on its way to rank 0, and the worker that has sent it. */
struct event {
    double time;
    int rank;
};

struct worker {
    double free_at; /* when it has simulated its present tile */
    /* the last that it did, as its request says, and what it is doing, as its next one will */
    uint64_t n_told, n_doing;
    double seconds_told, seconds_doing;
};

struct farm {
    struct costs costs;
    struct ks_tiles tiles;
    struct worker *workers; /* [ranks] */
    struct event *heap;     /* [ranks] the earliest first */
    int n_events, n_left;   /* requests on their way; workers that have been told that the round is over */
    uint64_t own_first, own_count, next;
    double time, last,
        earliest; /* of rank 0; when the last and the first rank had done their work in this round */
    double work, busy, commit; /* s of all ranks' points, of rank 0's answers, of commits */
    uint64_t n_rounds, n_requests;
};

/* ---- requests on their way: a binary heap ---------------------------------------------------------------- */

static void push(struct farm *farm, struct event event) {
    int i = farm->n_events++;
    for (; i > 0 && farm->heap[(i - 1) / 2].time > event.time; i = (i - 1) / 2)
        farm->heap[i] = farm->heap[(i - 1) / 2];
    farm->heap[i] = event;
}

static struct event pop(struct farm *farm) {
    struct event first = farm->heap[0], moved = farm->heap[--farm->n_events];
    int i = 0;
    for (int child = 1; child < farm->n_events; child = 2 * i + 1) {
        if (child + 1 < farm->n_events && farm->heap[child + 1].time < farm->heap[child].time) child++;
        if (farm->heap[child].time >= moved.time) break;
        farm->heap[i] = farm->heap[child];
        i = child;
    }
    farm->heap[i] = moved;
    return first;
}

/* As in src/farm/master.c. */
static const double patience_seconds = 5e-3;

/* ---- time ------------------------------------------------------------------------------------------------ */

/* When somebody who waits from `start` on by ks_farm_nap() finds what came at `arrival`. */
static double found_at(double start, double arrival) {
    static const double longest = 1e-3;
    double nap = 1e-6;
    for (; start < arrival && nap < longest; nap *= 2) start += nap + setting(WAKE);
    if (start < arrival)
        start += ceil((arrival - start) / (longest + setting(WAKE))) * (longest + setting(WAKE));
    return start;
}

static double work_seconds(struct farm *farm, uint64_t first, uint64_t count, double slice) {
    double seconds = costs_of(&farm->costs, first, count);
    farm->work += seconds;
    return seconds + ceil((double)count / slice) * setting(SLICE_SECONDS);
}

static double tree_seconds(void) {
    return setting(LATENCY) * ceil(log2(setting(RANKS)));
}

static void note_end(struct farm *farm, double time) {
    farm->last = fmax(farm->last, time);
    farm->earliest = fmin(farm->earliest, time);
}

/* ---- a round --------------------------------------------------------------------------------------------- */

/* The worker gets the answer, asks for the next tile, and starts this one. */
static void give(struct farm *farm, int rank, struct ks_farm_tile tile) {
    struct worker *w = &farm->workers[rank];
    double start = found_at(w->free_at, farm->time + setting(LATENCY));
    if (tile.count == 0) {
        farm->n_left++;
        note_end(farm, start);
        return;
    }
    w->n_told = w->n_doing;
    w->seconds_told = w->seconds_doing;
    push(farm, (struct event){start + setting(LATENCY), rank});
    w->n_doing = tile.count;
    w->seconds_doing = work_seconds(farm, tile.first, tile.count, setting(WORKER_SLICE));
    w->free_at = start + w->seconds_doing;
}

static void answer_all(struct farm *farm) {
    while (farm->n_events > 0 && farm->heap[0].time <= farm->time) {
        int rank = pop(farm).rank;
        struct worker *w = &farm->workers[rank];
        farm->time += setting(ANSWER);
        farm->busy += setting(ANSWER);
        farm->n_requests++;
        ks_tiles_note_work(&farm->tiles, rank, w->n_told, w->seconds_told);
        ks_tiles_note_answer(&farm->tiles, setting(ANSWER));
        give(farm, rank, ks_tiles_assign(&farm->tiles, rank, farm->time));
    }
}

static void take_own(struct farm *farm) {
    struct ks_farm_tile tile = ks_tiles_assign(&farm->tiles, 0, farm->time);
    farm->own_first = tile.first;
    farm->own_count = tile.count;
}

static void work_slice(struct farm *farm) {
    uint64_t most = ks_tiles_own_slice(&farm->tiles), n = farm->own_count < most ? farm->own_count : most;
    double seconds = work_seconds(farm, farm->own_first, n, (double)most);
    farm->time += seconds;
    farm->own_first += n;
    farm->own_count -= n;
    ks_tiles_note_work(&farm->tiles, 0, n, seconds);
    if (farm->own_count == 0) take_own(farm);
}

static void commit_round(struct farm *farm) {
    enum {
        COLLECTIVES = 60
    }; /* of a commit: two agreements for each write and sync of ten, and HDF5's own */
    double waited = fmin(farm->last - farm->earliest, 1e-3 + setting(WAKE));
    double seconds = setting(SYNC) + COLLECTIVES * tree_seconds() +
                     (double)(farm->tiles.next - farm->next) * setting(ROW_BYTES) / setting(BANDWIDTH);
    farm->time = farm->last + waited + tree_seconds() + seconds;
    farm->commit += seconds;
    farm->next = farm->tiles.next;
    farm->n_rounds++;
}

static void play_round(struct farm *farm) {
    int size = farm->tiles.size;
    ks_tiles_start_round(&farm->tiles, farm->next, farm->time, setting(COMMIT));
    farm->n_left = 0;
    farm->last = 0;
    farm->earliest = INFINITY;
    for (int i = 1; i < size; i++) {
        farm->workers[i] = (struct worker){.free_at = farm->time};
        push(farm, (struct event){farm->time + setting(LATENCY), i});
    }
    take_own(farm);
    double start = farm->time;
    for (double idle_since = start; farm->own_count > 0 || farm->n_left < size - 1;) {
        double before = farm->time;
        answer_all(farm);
        if (farm->time > before) idle_since = farm->time;
        bool is_early = farm->tiles.n_fresh > 0 && farm->time - start < patience_seconds;
        if (farm->own_count > 0 && !is_early) {
            work_slice(farm);
            idle_since = farm->time;
        } else {
            double next = farm->n_events > 0 ? farm->heap[0].time : INFINITY;
            if (farm->own_count > 0) next = fmin(next, start + patience_seconds);
            if (isfinite(next)) farm->time = found_at(idle_since, fmax(next, idle_since));
        }
    }
    note_end(farm, farm->time);
    commit_round(farm);
}

/* ---- the run --------------------------------------------------------------------------------------------- */

static int play(struct farm *farm) {
    size_t size = (size_t)setting(RANKS);
    uint64_t n = (uint64_t)setting(POINTS);
    farm->tiles = (struct ks_tiles){.size = (int)size,
                                    .capacity = (uint64_t)setting(CAPACITY),
                                    .slice = (uint64_t)setting(SLICE),
                                    .end = n};
    KS_ALLOCATE(farm->tiles.paces, size);
    KS_ALLOCATE(farm->workers, size);
    KS_ALLOCATE(farm->heap, size);
    while (farm->next < n) play_round(farm);
    return KS_OK;
}

static void print(const struct farm *farm) {
    double all = farm->time * setting(RANKS);
    printf("{\"ranks\": %.0f, \"points\": %.0f, \"point_seconds\": %.4g, \"run_seconds\": %.6g, \"rounds\": "
           "%" PRIu64 ", \"efficiency\": %.4f, \"efficiency_without_commits\": %.4f, \"master_load\": %.4f, "
           "\"commit_share\": %.4f, \"requests\": %" PRIu64 ", \"requests_per_second\": %.1f}\n",
           setting(RANKS), setting(POINTS), setting(SECONDS), farm->time, farm->n_rounds, farm->work / all,
           farm->work / (all - farm->commit * setting(RANKS)), farm->busy / (farm->time - farm->commit),
           farm->commit / farm->time, farm->n_requests,
           (double)farm->n_requests / (farm->time - farm->commit));
}

static int read_setting(const char *argument, const char **campaign) {
    const char *equals = strchr(argument, '=');
    size_t length = equals != NULL ? (size_t)(equals - argument) : 0;
    if (length == 8 && strncmp(argument, "campaign", length) == 0) {
        *campaign = equals + 1;
        return KS_OK;
    }
    for (int i = 0; i < N_SETTINGS && equals != NULL; i++) {
        if (strlen(settings[i].name) != length || strncmp(settings[i].name, argument, length) != 0) continue;
        char *end;
        settings[i].value = strtod(equals + 1, &end);
        KS_CHECK(*end == '\0' && end > equals + 1 && settings[i].value >= 0, KS_ERR_USAGE,
                 "%s: a number >= 0 is wanted", argument);
        return KS_OK;
    }
    return ks_error_raise(KS_ERR_USAGE, __FILE__, __LINE__, "no such setting: %s", argument);
}

static int check_settings(void) {
    static const enum setting_index positive[] = {RANKS,        POINTS,   SECONDS,  SLICE,
                                                  WORKER_SLICE, CAPACITY, BANDWIDTH};
    for (size_t i = 0; i < sizeof positive / sizeof *positive; i++)
        KS_CHECK(setting(positive[i]) > 0, KS_ERR_USAGE, "%s must be > 0", settings[positive[i]].name);
    KS_CHECK(setting(RANKS) <= INT32_MAX, KS_ERR_USAGE, "at most %d ranks", INT32_MAX);
    return KS_OK;
}

static int run(int argc, char **argv) {
    struct farm farm = {0};
    const char *campaign = NULL;
    for (int i = 1; i < argc; i++) KS_TRY(read_setting(argv[i], &campaign));
    KS_TRY(check_settings());
    KS_TRY(costs_load(&farm.costs, campaign, setting(SECONDS)));
    int err = play(&farm);
    if (err == KS_OK) print(&farm);
    free(farm.tiles.paces);
    free(farm.workers);
    free(farm.heap);
    free(farm.costs.sums);
    return err;
}

int main(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "usage: %s NAME=NUMBER... [campaign=FILE]\n", argv[0]);
        for (int i = 0; i < N_SETTINGS; i++)
            fprintf(stderr, "  %-14s %-8g %s\n", settings[i].name, settings[i].value, settings[i].what);
        return 2;
    }
    if (run(argc, argv) == KS_OK) return 0;
    ks_error_print(stderr);
    return 1;
}
