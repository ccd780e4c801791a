/* Hands out a range of points in tiles, round after round; knows no work.
 *
 * Rank 0 is the master: it gives tiles of consecutive points to whoever asks, largest first and shrinking
 * towards the end of a round (guided self-scheduling: Polychronopoulos and Kuck 1987,
 * doi:10.1109/TC.1987.5009495), as far as it can answer all ranks, and computes itself between requests. A worker asks for its next tile before
 * it starts the present one. A round ends when the commit interval has passed, when its rows fill the ranks'
 * memory, or when no points are left; all ranks then enter the work's collective commit. Points are handed
 * out in order, so that a round is one contiguous range. A farm that is told to stop commits the points up to
 * the first that some rank has not done. */
#ifndef KS_FARM_FARM_H
#define KS_FARM_FARM_H

#include "base/error.h"

#include <mpi.h>
#include <stdint.h>

struct ks_farm_progress {
    uint64_t n_points, n_committed; /* of the whole range */
    uint64_t n_done;                /* simulated, committed or not */
    double seconds;                 /* since the start */
    int is_commit;                  /* a round has just been committed */
};

/* How much time is left: go on; take no more tiles; drop what is in hand. Never falls. */
enum ks_farm_urgency { KS_FARM_GO, KS_FARM_FINISH, KS_FARM_DROP };

/* What the farm is to do. `self` is handed back to each function. */
struct ks_farm_work {
    void *self;

    /* Simulates points first to first + *count - 1 and keeps their rows; at KS_FARM_DROP it may do fewer, from
     * the first on, and says in *count how many. An error stops the farm on all ranks. */
    int (*simulate)(void *self, uint64_t first, uint64_t *count);

    /* Collective. Writes the kept rows of the round's points first to first + count - 1, wherever they are,
     * and forgets all that were kept. */
    int (*commit)(void *self, uint64_t first, uint64_t count);

    /* Rank 0 only, at the start of a round: how many more commits there is room for, > 0. Rounds grow longer as
     * it runs out, so that it lasts to the end. */
    uint64_t (*rounds_left)(void *self);

    /* Rank 0 only, a few times a second at most; may be NULL. */
    void (*report)(void *self, const struct ks_farm_progress *progress);

    /* How urgent this rank knows it to be, asked on any rank between slices and while rank 0 waits; NULL: go on.
     * Whoever is told sees to it that all ranks get to know. */
    enum ks_farm_urgency (*urgency)(void *self);

    /* On the rank that finds out: `rank` has not been heard of for `seconds`, and was on points first to
     * first + count - 1 (count 0: not known). Ends the job; may be NULL where watchdog_seconds is 0. */
    void (*hung)(void *self, int rank, uint64_t first, uint64_t count, double seconds);

    /* How long a rank may do without a word; longer than a slice takes. 0: for ever. */
    double watchdog_seconds;

    /* How long a round lasts while there is room for many, >= 0. */
    double commit_seconds;

    /* The most points that one rank may keep in a round, > 0. */
    uint64_t capacity;

    /* The most points that `simulate` is given at once: in between rank 0 answers requests, and all ranks look
     * whether they are to stop. > 0; each rank has its own. */
    uint64_t slice;
};

/* Collective. Works through points first to first + count - 1; *next is the first that is not committed, which is
 * first + count unless the farm was stopped. Returns the first error of any rank, after all ranks have stopped;
 * rounds committed before it stay committed. */
int ks_farm_run(MPI_Comm comm, uint64_t first, uint64_t count, const struct ks_farm_work *work,
                uint64_t *next);

#endif
