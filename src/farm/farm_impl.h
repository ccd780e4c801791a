/* Private to src/farm: the state of a run, the sizes of tiles, the messages between master and workers, and waiting. */
#ifndef KS_FARM_FARM_IMPL_H
#define KS_FARM_FARM_IMPL_H

#include "base/agree.h"
#include "farm/farm.h"

#include <stdbool.h>

/* ---- messages: each request gets one answer ------------------------------------------------------------ */

enum ks_farm_tag {
    KS_TAG_REQUEST = 1, /* worker to master: struct ks_farm_request */
    KS_TAG_TILE,        /* master to worker: struct ks_farm_tile */
    KS_TAG_OVER,        /* master to worker: struct ks_farm_tile, unused; no more tiles in this round */
    KS_TAG_ALIVE, /* worker to master, with a watchdog: struct ks_farm_tile, what it starts; of none: idle */
};

/* What a worker says when it asks: what it has done since it last asked. Ranks are assumed to be alike in
 * their representation of numbers, so that messages are bytes. */
struct ks_farm_request {
    uint64_t n_points;
    double seconds;       /* in simulate() */
    uint64_t has_stopped; /* it takes no more tiles: it failed, or dropped its last */
};

struct ks_farm_tile {
    uint64_t first, count;
};

/* ---- tiles.c: how the points of a round are cut, on rank 0; times in seconds of one clock ------------------- */

/* What rank 0 knows of a rank. */
struct ks_farm_pace {
    double points,
        seconds;       /* measured; what is older than a round counts half, older than two a quarter, ... */
    double last_speed; /* points per second of the last tile */
    double free_at;    /* when it will be done with what it has been given */
    uint64_t kept;     /* points given to it in this round */
    uint64_t ahead;    /* those of them in its last tile, which it starts when it next asks */
    /* with a watchdog: */
    double heard;             /* MPI_Wtime() of its last message */
    bool is_idle;             /* waits for the others */
    struct ks_farm_tile tile; /* what it is on, as far as it is known */
};

struct ks_tiles {
    int size;                   /* ranks; rank 0 asks when it has nothing to do, the others one tile ahead */
    uint64_t capacity, slice;   /* as in struct ks_farm_work */
    uint64_t next, end;         /* points next to end - 1 are not handed out */
    double points, seconds;     /* measured, of all ranks; age counts as in a pace */
    double answer_seconds;      /* of n_answers */
    uint64_t n_answers;         /* measured */
    double round_end, free_sum; /* when its time is up; sum of the ranks' free_at */
    bool is_over;               /* no more than one tile to each rank */
    int n_fresh;                /* ranks that have had no tile in this round */
    struct ks_farm_pace *paces; /* [size] */
};

/* A round that starts with this point at time `now`, and may last for `seconds`. */
void ks_tiles_start_round(struct ks_tiles *tiles, uint64_t first, double now, double seconds);

/* The next tile of a rank, which asks for it; of no points where the round is over for it. */
struct ks_farm_tile ks_tiles_assign(struct ks_tiles *tiles, int rank, double now);

/* How many points of its own tile rank 0 simulates before it looks for messages again. */
uint64_t ks_tiles_own_slice(const struct ks_tiles *tiles);

/* The rank has simulated points. Rank 0 has answered a request. */
void ks_tiles_note_work(struct ks_tiles *tiles, int rank, uint64_t n_points, double seconds);
void ks_tiles_note_answer(struct ks_tiles *tiles, double seconds);

/* Seconds of an answer, in the mean. */
double ks_tiles_answer_seconds(const struct ks_tiles *tiles);

/* ---- the state of a run on one rank -------------------------------------------------------------------- */

struct ks_farm {
    const struct ks_farm_work *work;
    MPI_Comm comm;
    int rank, size;
    uint64_t first, end;   /* the range */
    uint64_t round_first;  /* all before it is committed; the same on all ranks */
    uint64_t n_done;       /* rank 0: points reported as simulated */
    uint64_t cut;          /* the first point of this round that was given to this rank and is not done */
    bool is_stopped;       /* the same on all ranks: the last round was the last */
    double start;          /* MPI_Wtime() */
    double last_report;    /* rank 0 */
    struct ks_tiles tiles; /* rank 0 */
};

/* Hands out the points of one round, from farm->round_first to what becomes farm->tiles.next, and takes part in the
 * work. Returns when every worker has been told that the round is over. Rank 0 only. */
int ks_master_lead_round(struct ks_farm *farm);

/* Asks for tiles and works on them until the round is over. All ranks but 0. */
int ks_worker_follow_round(struct ks_farm *farm);

/* Takes what workers say of themselves, and ends the job where one has said nothing for too long. Rank 0 only. */
int ks_master_watch(struct ks_farm *farm);

/* Simulates part of a tile, from its first point on, and takes it from the tile: at most `slice` points. What is dropped
 * becomes the farm's cut, and *has_stopped true. *n_done: points done. */
int ks_farm_work_slice(struct ks_farm *farm, struct ks_farm_tile *tile, uint64_t slice, uint64_t *n_done,
                       bool *has_stopped);

/* Notes that a tile that was given to this rank will not be done. */
void ks_farm_drop(struct ks_farm *farm, struct ks_farm_tile tile);

enum ks_farm_urgency ks_farm_urgency(const struct ks_farm *farm);

/* Reports progress, unless it was reported just now. */
void ks_master_report(struct ks_farm *farm, bool is_commit);

/* ---- waiting without burning a core -------------------------------------------------------------------- */

/* Sleeps, from 1 us at first (*nap == 0) doubling to 1 ms; the caller resets *nap when something has happened. */
void ks_farm_nap(long *nap);

/* Waits for a request of MPI's that rank 0 is to fulfil; the watchdog waits too. */
int ks_farm_wait(const struct ks_farm *farm, MPI_Request *request, MPI_Status *status);

#endif
