/* What protocol.c, readings.c and simulate.c share. */
#ifndef KS_THERAPY_THERAPY_IMPL_H
#define KS_THERAPY_THERAPY_IMPL_H

#include "therapy/therapy.h"

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
    double value;     /* at its time; extreme so far */
    double area;      /* so far */
    double below;     /* h at or below the level so far */
    double above;     /* h above the level so far */
    double first_below, first_above_again, first_crossing; /* h; NaN before they happen */
    double initial;                                        /* the quantity at t = 0 */
};

/* A step of a quantity, shared by all who read it: its values at five equidistant times, and what follows from them.
 */
struct ks_reading_step {
    double start, end; /* h */
    double values[KS_STEP_NODES];
    double low, high;             /* between which the quantity stays */
    bool has_powers;              /* these are made when first wanted: */
    double powers[KS_STEP_NODES]; /* coefficients of its polynomial in quarters of the step */
    double slopes[KS_STEP_NODES]; /* of the polynomial at the five times, per quarter */
};

/* Fills a step but for `values`, which are the caller's to set before. */
void ks_reading_begin_step(struct ks_reading_step *step, double start, double end);

/* Whether two endpoints of the same quantity can share a reading. */
bool ks_reading_is_shared(const struct ks_endpoint *a, const struct ks_endpoint *b);

/* Begins a reading of a course that ends at `horizon`. */
void ks_reading_begin(struct ks_reading *reading, const struct ks_endpoint *endpoint, double initial,
                      double horizon);

/* Takes in one step of the quantity. */
void ks_reading_add_step(struct ks_reading *reading, struct ks_reading_step *step);

/* The endpoint's value, in its unit, after the whole course. */
double ks_reading_finish(const struct ks_reading *reading, const struct ks_endpoint *endpoint,
                         bool is_depressed);

#endif
