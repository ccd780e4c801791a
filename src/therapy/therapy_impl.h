/* What protocol.c, readings.c and simulate.c share. */
#ifndef KS_THERAPY_THERAPY_IMPL_H
#define KS_THERAPY_THERAPY_IMPL_H

#include "therapy/therapy.h"

#include <stdint.h>

/* ---- protocol.c: a parameter vector and a treatment become a course ----------------------------------------- */

/* Fills the course's edges and inputs (both the caller's to free, also after an error); stops are left alone.
 * *status: KS_STATUS_done, or KS_STATUS_bad_protocol with the reason in words. */
int ks_protocol_build_course(const struct ks_treatment *treatment, const double parameters[KS_N_PARAMETERS],
                             uint64_t point, struct ks_course *course, int *status, char *reason,
                             int reason_size);
void ks_protocol_release_course(struct ks_course *course);

/* ---- readings.c: what endpoints take from a course, step by step -------------------------------------------- */

/* What endpoints of one quantity, window and level take from a course; several may share it. */
struct ks_reading {
    enum ks_reading_kind kind;
    double sign;      /* of an extreme: 1 for the largest value, -1 for the smallest */
    double from, end; /* of its window, or its time, h: at most the horizon */
    double level;     /* threshold in the quantity's unit; for ratios times `initial` */
    double initial;   /* the quantity at t = 0 */
    double value;     /* at its time; sign times the extreme so far; the area so far */
    /* of crossings: on which side of the level the quantity is since when, and h on either side before that */
    bool has_side, is_below; /* at or below the level */
    double since, below, above;
    double first_below, first_above_again, first_crossing; /* h; NaN before they happen */
};

/* A step of a quantity, shared by all who read it: its values at five equidistant times, and what follows from them.
 */
struct ks_reading_step {
    double start, end; /* h */
    double values[KS_STEP_NODES];
    double low, high;             /* between which the quantity stays */
    bool has_powers;              /* false at first; these are made when wanted: */
    double powers[KS_STEP_NODES]; /* coefficients of its polynomial in quarters of the step */
    double slopes[KS_STEP_NODES]; /* of the polynomial at the five times, per quarter */
};

/* Whether two endpoints of the same quantity can share a reading. */
bool ks_reading_is_shared(const struct ks_endpoint *a, const struct ks_endpoint *b);

/* Begins a reading of a course that ends at `horizon`. */
void ks_reading_begin(struct ks_reading *reading, const struct ks_endpoint *endpoint, double initial,
                      double horizon);

/* Takes in one step of the quantity. */
void ks_reading_add_step(struct ks_reading *reading, struct ks_reading_step *step);

/* Between which bounds a step changes nothing of a crossing. */
void ks_reading_find_quiet(const struct ks_reading *reading, double *low, double *high);

/* The endpoint's value, in its unit, after the whole course. */
double ks_reading_finish(const struct ks_reading *reading, const struct ks_endpoint *endpoint,
                         bool is_depressed);

/* ---- watch_lanes.c: all lanes' readings take in a step --------------------------------------------------------- */

/* The readings of what is watched, over the lanes of a solver. Arrays are the owner's, aligned for lanes. */
struct ks_watch {
    int n_watched;
    const int *first_reading;          /* [n_watched + 1] of each watched quantity */
    const enum ks_reading_kind *kinds; /* [n_readings] */
    const double *signs;               /* [n_readings] */
    /* [n_readings][lanes] as in struct ks_reading; of crossings what ks_reading_find_quiet tells */
    double *from, *end, *value, *low, *high;
    double *step_start, *step_end; /* [lanes] of the step in hand; -INFINITY where it does not count */
    double *least, *most;          /* [n_watched][lanes] out: between which each quantity stays */
    int64_t *loud;     /* [n_readings][lanes] out: -1 where ks_reading_add_step must look at the step */
    int64_t *any_loud; /* [n_watched][lanes] out: where one of its readings is loud */
};

/* Takes in a step of all lanes, values [KS_STEP_NODES][n_watched][lanes]: what a step without a turning point and
 * within the window does to extremes and areas. The rest is left to the caller, as loud. */
#define KS_WATCH_DECLARE(lanes)   void ks_watch_add_step_w##lanes(struct ks_watch *watch, const double *values);
#define KS_THERAPY_LANES_TABLE(X) X(1) X(2) X(4) X(8)
KS_THERAPY_LANES_TABLE(KS_WATCH_DECLARE)

/* ---- linear_lanes.c: the model's LU, written out --------------------------------------------------------------- */

#define KS_LINEAR_DECLARE(lanes) extern const struct ks_linear_program ks_linear_program_w##lanes;
KS_THERAPY_LANES_TABLE(KS_LINEAR_DECLARE)

#endif
