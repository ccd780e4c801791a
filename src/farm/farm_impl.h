/* Private to src/farm: the state of a run, the messages between master and workers, and waiting. */
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
};

/* What a worker says when it asks: what it has done since it last asked. Ranks are assumed to be alike in
 * their representation of numbers, so that messages are bytes. */
struct ks_farm_request {
    uint64_t n_points;
    double seconds; /* in simulate() */
    uint64_t has_failed;
};

struct ks_farm_tile {
    uint64_t first, count;
};

/* ---- the state of a run on one rank -------------------------------------------------------------------- */

struct ks_farm {
    const struct ks_farm_work *work;
    MPI_Comm comm;
    int rank, size;
    uint64_t first, end;        /* the range */
    uint64_t round_first;       /* all before it is committed; the same on all ranks */
    uint64_t next;              /* rank 0: all before it is handed out */
    uint64_t n_done;            /* rank 0: points reported as simulated */
    double start;               /* MPI_Wtime() */
    double last_report;         /* rank 0 */
    struct ks_farm_pace *paces; /* rank 0: [size] */
};

/* What rank 0 knows of a rank. */
struct ks_farm_pace {
    double points,
        seconds;       /* measured; what is older than a round counts half, older than two a quarter, ... */
    double last_speed; /* points per second of the last tile */
    uint64_t kept;     /* points given to it in this round */
};

/* Hands out the points of one round, from farm->round_first to what becomes farm->next, and takes part in the
 * work. Returns when every worker has been told that the round is over. Rank 0 only. */
int ks_master_lead_round(struct ks_farm *farm);

/* Asks for tiles and works on them until the round is over. All ranks but 0. */
int ks_worker_follow_round(struct ks_farm *farm);

/* Reports progress, unless it was reported just now. */
void ks_master_report(struct ks_farm *farm, bool is_commit);

/* ---- waiting without burning a core -------------------------------------------------------------------- */

/* Sleeps, from 1 us at first (*nap == 0) doubling to 1 ms; the caller resets *nap when something has happened. */
void ks_farm_nap(long *nap);

/* Waits for a request of MPI's. */
int ks_farm_wait(MPI_Request *request, MPI_Status *status);

#endif
