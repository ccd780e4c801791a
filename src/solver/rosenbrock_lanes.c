/* The lane-parallel Rosenbrock engine, compiled once per width.
 *
 * Each lane holds a problem with its own time, step and segment; all lanes take a step together, and a lane that has
 * finished or failed gets the next problem at once. Idle lanes compute along and are not looked at. Nothing that one
 * lane does depends on another: the same problem gives the same bits in any lane, at any width, in any company.
 *
 * Steps land on edges exactly and start afresh there; stops are read from dense output and never change a step.
 *
 * To an equilibrium a lane goes in error-controlled steps of a cheaper method; at 500 h and at each doubling it tries
 * Newton's, which is the first stage of a step without end: (I / h - J) k = f with h = 10^9 h. The root counts only where
 * the steps have come close to it, since another basin's may be near, and so may be the centre of an oscillation that
 * grows. Of 8,192 patients with 148 parameters drawn from their plausible ranges 6,611 settle; by eigenvalues 32 of the
 * roots are unstable (growth of 2 to 500 per h, which long steps damp). At a twentieth of the tolerance it is 23 of
 * 6,245, since oscillations that die out slowly then take too many steps; no root differs. */
#include "base/lanes.h"
#include "base/status.h"
#include "solver/rosenbrock_impl.h"

#include <math.h>

static const double settle_rtol = 2e-3;
static const double first_trial = 500, last_trial = 1e7, newton_step = 1e9; /* h */
static const double newton_tolerance = 1e-7;                 /* of each state's size: |y| + scale; */
static const double newton_reach = 1e-3;                     /* squared by the next iteration */
static const double first_step = 1e-4;                       /* h, after an edge */
static const double log_of_least_error = -4.605170185988091; /* of 1e-2: smaller ones tell no trend */
static const double smallest_step = 1e-13;                   /* of the time, or h before 1 h */
static const double shrink = 0.2, grow = 6, safety = 0.95;
enum { SETTLE_MAX_STEPS = 2000, NEWTON_MAX_ITERATIONS = 20, MOST_TRIES = 40 };

struct lane {
    struct ks_problem *problem;        /* NULL: idle */
    double t, h, end;                  /* the step begins at t; the segment ends at `end` */
    double trial, travelled;           /* settling: time of the next trial; Newton's way so far, in scales */
    double h_before, log_error_before; /* of the last step, once it was accepted; 0 after an edge */
    double log_error, grown, shrunk;   /* of this step; the next one after it, accepted or not */
    int segment, i_stop;
    int n_rejected;   /* in a row */
    int n_newton;     /* iterations of a trial; 0 outside one */
    bool is_landing;  /* this step ends on the edge */
    bool is_accepted; /* this step counts */
};

struct engine {
    struct ks_rosenbrock *solver;
    const struct ks_system *system;
    const struct ks_view *view;
    const struct ks_rosenbrock_table *table;
    bool is_settling;
    double rtol;
    int n_problems, n_taken;
    struct ks_problem *problems;
    struct lane lanes[KS_LANES];
    /* arrays over lanes */
    ks_lane *y, *y_new, *argument, *rate, *k, *dense, *kept, *shown, *jacobian, *factors, *coefficients,
        *inputs, *watched, *per_h;
    double *stop; /* [n_states] of one lane */
};

size_t KS_LANED(ks_rosenbrock_memory)(const struct ks_rosenbrock *solver) {
    const struct ks_system *s = solver->system;
    size_t n = (size_t)s->n_states, vectors = KS_MOST_STAGES + KS_DENSE_TERMS + 6;
    size_t n_lanes = n * vectors + (size_t)s->n_nonzeros + (size_t)solver->n_factors +
                     (size_t)s->n_coefficients + (size_t)s->n_inputs +
                     (size_t)KS_STEP_NODES * (size_t)solver->view->n_watched + 1;
    return n_lanes * KS_LANES + n;
}

static ks_lane *take(double **memory, size_t n) {
    ks_lane *taken = (ks_lane *)*memory;
    *memory += n * KS_LANES;
    return taken;
}

static void place_arrays(struct engine *e) {
    double *memory = e->solver->memory;
    size_t n = (size_t)e->system->n_states;
    e->y = take(&memory, n);
    e->y_new = take(&memory, n);
    e->argument = take(&memory, n);
    e->rate = take(&memory, n);
    e->kept = take(&memory, n);
    e->shown = take(&memory, n);
    e->k = take(&memory, n * KS_MOST_STAGES);
    e->dense = take(&memory, n * KS_DENSE_TERMS);
    e->jacobian = take(&memory, (size_t)e->system->n_nonzeros);
    e->factors = take(&memory, (size_t)e->solver->n_factors);
    e->coefficients = take(&memory, (size_t)e->system->n_coefficients);
    e->inputs = take(&memory, (size_t)e->system->n_inputs);
    e->watched = take(&memory, (size_t)KS_STEP_NODES * (size_t)e->view->n_watched);
    e->per_h = take(&memory, 1);
    e->stop = memory;
}

/* One number of one lane. */
static double *at(ks_lane *array, int i, int lane) {
    return (double *)array + (size_t)i * KS_LANES + lane;
}

/* ---- a lane's problem --------------------------------------------------------------------------------------- */

static void start_segment(struct engine *e, int l) {
    struct lane *lane = &e->lanes[l];
    const struct ks_course *course = lane->problem->course;
    for (int i = 0; i < e->system->n_inputs; i++)
        *at(e->inputs, i, l) = e->is_settling ? 0 : course->inputs[lane->segment * e->system->n_inputs + i];
    lane->end = e->is_settling ? 10 * last_trial : course->edges[lane->segment + 1];
    lane->h = fmin(first_step, lane->end - lane->t);
    lane->h_before = 0;
    lane->n_rejected = 0;
}

static void copy_state(struct engine *e, ks_lane *from, int l, double *y) {
    for (int i = 0; i < e->system->n_states; i++) y[i] = *at(from, i, l);
}

/* Stops at the very start. */
static void show_first_stops(struct engine *e, int l) {
    struct lane *lane = &e->lanes[l];
    const struct ks_course *course = lane->problem->course;
    for (; lane->i_stop < course->n_stops && course->stops[lane->i_stop] <= lane->t; lane->i_stop++)
        if (lane->problem->observer)
            e->view->stop(e->view->self, lane->problem->observer, lane->i_stop, lane->problem->y);
}

/* Puts the next problem into a lane, or leaves it idle. */
static void refill(struct engine *e, int l) {
    struct lane *lane = &e->lanes[l];
    *lane = (struct lane){0};
    if (e->n_taken == e->n_problems) return;
    struct ks_problem *problem = &e->problems[e->n_taken++];
    lane->problem = problem;
    lane->t = e->is_settling ? 0 : problem->course->edges[0];
    lane->trial = first_trial;
    problem->n_steps = 0;
    problem->status = e->is_settling ? KS_STATUS_no_equilibrium : KS_STATUS_done;
    for (int i = 0; i < e->system->n_states; i++) *at(e->y, i, l) = problem->y[i];
    for (int i = 0; i < e->system->n_coefficients; i++) *at(e->coefficients, i, l) = problem->coefficients[i];
    if (!e->is_settling) show_first_stops(e, l);
    start_segment(e, l);
}

static void finish(struct engine *e, int l, int status) {
    e->lanes[l].problem->status = status;
    if (!e->is_settling) copy_state(e, e->y, l, e->lanes[l].problem->y);
    refill(e, l);
}

/* ---- one step of all lanes ---------------------------------------------------------------------------------- */

/* factors <- LU of (diagonal I - J), by the lists. */
static void factorise_by_list(struct engine *e, ks_lane diagonal) {
    const struct ks_lu *lu = &e->solver->lu;
    ks_lane *restrict v = e->factors;
    for (int i = 0; i < lu->n_entries; i++) v[i] = ks_lane_all(0);
    for (int k = 0; k < e->system->n_nonzeros; k++) v[lu->slots[k]] = e->jacobian[k];
    for (int k = 0; k < lu->n; k++) v[lu->diagonals[k]] = v[lu->diagonals[k]] - diagonal;
    for (int p = 0; p < lu->n_plain; p += 4) {
        ks_lane pivot[4];
        for (int i = 0; i < 4; i++) pivot[i] = p + i < lu->n_plain ? -v[lu->plain[p + i]] : ks_lane_all(1);
        ks_lane_invert_4(&pivot[0], &pivot[1], &pivot[2], &pivot[3]);
        for (int i = 0; i < 4 && p + i < lu->n_plain; i++) v[lu->plain[p + i]] = pivot[i];
    }
    const int(*update)[3] = (const int(*)[3])lu->updates;
    for (int k = 0, p = 0; k < lu->n; k++) {
        if (p < lu->n_plain && lu->plain[p] == lu->diagonals[k])
            p++;
        else
            v[lu->diagonals[k]] = -1.0 / v[lu->diagonals[k]];
        ks_lane reciprocal = v[lu->diagonals[k]];
        for (int s = lu->first_scale[k]; s < lu->first_scale[k + 1]; s++) {
            ks_lane factor = v[lu->scales[s][0]] * reciprocal;
            v[lu->scales[s][0]] = factor;
            for (int u = 0; u < lu->n_updates[s]; u++, update++)
                v[(*update)[0]] = v[(*update)[0]] + factor * v[(*update)[2]];
        }
    }
}

/* x <- (diagonal I - J)^-1 (rate + x), by the lists. */
static void substitute_by_list(const struct engine *e, ks_lane *restrict x) {
    const struct ks_lu *lu = &e->solver->lu;
    const ks_lane *restrict v = e->factors, *restrict rate = e->rate;
    for (int i = 0; i < lu->n; i++) x[i] = rate[i] + x[i];
    for (int i = 0; i < lu->n_lower; i++)
        x[lu->lower[i][0]] = x[lu->lower[i][0]] + v[lu->lower[i][2]] * x[lu->lower[i][1]];
    const int(*upper)[3] = (const int(*)[3])lu->upper;
    for (int k = lu->n - 1; k >= 0; k--) {
        ks_lane sum = x[lu->order[k]];
        for (int i = 0; i < lu->n_row_upper[lu->n - 1 - k]; i++, upper++)
            sum = sum + v[(*upper)[2]] * x[(*upper)[1]];
        x[lu->order[k]] = sum * v[lu->diagonals[k]];
    }
}

/* The rate and the Jacobian at y, and factors <- LU of (I / (gamma h) - J). */
static void factorise(struct engine *e) {
    e->system->linearise((const double *)e->coefficients, (const double *)e->inputs, (const double *)e->y,
                         (double *)e->rate, (double *)e->jacobian);
    ks_lane diagonal = *e->per_h / e->table->gamma;
    if (e->system->linear)
        e->system->linear->factorise((const double *)&diagonal, (const double *)e->jacobian,
                                     (double *)e->factors);
    else
        factorise_by_list(e, diagonal);
}

static void substitute(const struct engine *e, ks_lane *x) {
    if (e->system->linear)
        e->system->linear->substitute((const double *)e->factors, (const double *)e->rate, (double *)x);
    else
        substitute_by_list(e, x);
}

/* The sums over the stages before s: its argument, and sum_j c_sj k_j / h in place of its k. Unrolled, since s is known
 * where this is inlined; the table's numbers are read before the loop, because the compiler cannot know that it does
 * not write them. */
KS_LANE_INLINE void sum_stages(struct engine *e, int s) {
    int n = e->system->n_states;
    const ks_lane per_h = *e->per_h;
    const ks_lane *restrict y = e->y, *restrict k = e->k;
    ks_lane *restrict argument = e->argument, *restrict k_s = e->k + s * n;
    ks_lane a[KS_MOST_STAGES], c[KS_MOST_STAGES];
    for (int j = 0; j < s; j++) a[j] = ks_lane_all(e->table->a[s][j]), c[j] = e->table->c[s][j] * per_h;
    for (int i = 0; i < n; i++) {
        ks_lane by_a = y[i], by_c = ks_lane_all(0);
        for (int j = 0; j < s; j++) {
            ks_lane k_j = k[j * n + i];
            by_a = by_a + a[j] * k_j;
            by_c = by_c + c[j] * k_j;
        }
        argument[i] = by_a;
        k_s[i] = by_c;
    }
}

/* The same for the stages whose argument is that of stage s - 1 and its k. */
KS_LANE_INLINE void sum_last_stages(struct engine *e, int s) {
    int n = e->system->n_states;
    const ks_lane per_h = *e->per_h;
    const ks_lane *restrict k = e->k;
    ks_lane *restrict argument = e->argument, *restrict k_s = e->k + s * n;
    ks_lane c[KS_MOST_STAGES];
    for (int j = 0; j < s; j++) c[j] = e->table->c[s][j] * per_h;
    for (int i = 0; i < n; i++) {
        ks_lane by_c = ks_lane_all(0);
        for (int j = 0; j < s; j++) by_c = by_c + c[j] * k[j * n + i];
        argument[i] = argument[i] + k[(s - 1) * n + i];
        k_s[i] = by_c;
    }
}

static void compute_stage(struct engine *e, int s) {
    switch (s < e->table->n_sums ? s : -s) {
#define SUM(s)            \
    case s:               \
        sum_stages(e, s); \
        break;
#define LAST(s)                \
    case -(s):                 \
        sum_last_stages(e, s); \
        break;
        SUM(0) SUM(1) SUM(2) SUM(3) SUM(4) SUM(5) LAST(3) LAST(4) LAST(5) LAST(6) LAST(7)
#undef SUM
#undef LAST
    }
    if (s > e->table->last_at_y)
        e->system->rhs((const double *)e->coefficients, (const double *)e->inputs,
                       (const double *)e->argument, (double *)e->rate);
    substitute(e, e->k + s * e->system->n_states);
}

static void compute_step(struct engine *e) {
    int n = e->system->n_states, last = e->table->n_stages - 1;
    for (int l = 0; l < KS_LANES; l++) {
        struct lane *lane = &e->lanes[l];
        *at(e->per_h, 0, l) =
            lane->problem == NULL ? 1.0 : 1.0 / (lane->n_newton > 0 ? newton_step : lane->h);
    }
    factorise(e);
    for (int s = 0; s <= last; s++) compute_stage(e, s);
    for (int i = 0; i < n; i++) e->y_new[i] = e->argument[i] + e->k[last * n + i];
}

/* The estimated error of each lane's step in units of its tolerance, root mean square over the states. */
static ks_lane measure_error(const struct engine *e) {
    int n = e->system->n_states, last = e->table->n_stages - 1;
    ks_lane sum = ks_lane_all(0);
    for (int first = 0; first < n; first += 4) {
        ks_lane per_tolerance[4];
        for (int i = first; i < first + 4; i++) {
            ks_lane size =
                i < n ? ks_lane_max(ks_lane_abs(e->y[i]), ks_lane_abs(e->y_new[i])) : ks_lane_all(1);
            per_tolerance[i - first] = size + 1e-3 * (i < n ? e->system->scales[i] : 1);
        }
        ks_lane_invert_4(&per_tolerance[0], &per_tolerance[1], &per_tolerance[2], &per_tolerance[3]);
        for (int i = first; i < first + 4 && i < n; i++) {
            ks_lane ratio = e->k[last * n + i] * per_tolerance[i - first];
            sum = sum + ratio * ratio;
        }
    }
    return ks_lane_sqrt(sum / (double)n) / e->rtol;
}

/* The next steps for an error of 1. An accepted step is followed by no longer one than the trend of the errors allows:
 * h_next <= h (h / h_before) (error_before / error^2)^(1 / order) (Gustafsson 1994, doi:10.1145/198429.198437). */
static void choose_steps(struct engine *e, ks_lane error) {
    double h[KS_LANES], h_before[KS_LANES], log_before[KS_LANES];
    for (int l = 0; l < KS_LANES; l++) {
        h[l] = e->lanes[l].h, h_before[l] = e->lanes[l].h_before;
        log_before[l] = e->lanes[l].log_error_before;
    }
    ks_lane steps, before, last_log;
    memcpy(&steps, h, sizeof steps);
    memcpy(&before, h_before, sizeof before);
    memcpy(&last_log, log_before, sizeof last_log);
    ks_lane log_error = ks_lane_log(ks_lane_clamp(error, 1e-12, 1e12)),
            exponent = ks_lane_all(e->table->error_exponent);
    ks_lane plain = safety * ks_lane_exp(-exponent * log_error);
    ks_lane trend =
        plain * (steps / before) * ks_lane_exp(exponent * (last_log - log_error)); /* none: infinite */
    ks_lane_mask is_number = KS_LANE_TRUTH(error <= INFINITY);
    ks_lane shrunk = ks_lane_select(is_number, ks_lane_clamp(plain, shrink, grow), ks_lane_all(shrink));
    ks_lane grown = ks_lane_clamp(ks_lane_min(trend, plain), shrink, grow);
    shrunk = steps * shrunk;
    grown = steps * grown;
    for (int l = 0; l < KS_LANES; l++) {
        struct lane *lane = &e->lanes[l];
        lane->log_error = *at(&log_error, 0, l);
        lane->shrunk = *at(&shrunk, 0, l);
        lane->grown = *at(&grown, 0, l);
    }
}

/* ---- dense output ------------------------------------------------------------------------------------------- */

/* The coefficients of seen states number `first` to `end` - 1. */
static void compute_dense(struct engine *e, int first, int end) {
    const struct ks_rosenbrock_table *table = e->table;
    int n = e->system->n_states;
    const ks_lane *restrict k = e->k;
    ks_lane *restrict dense = e->dense;
    for (int m = first; m < end; m++) {
        int i = e->view->seen[m];
        ks_lane d1 = ks_lane_all(0), d2 = d1, d3 = d1;
        for (int j = 0; j < table->n_stages; j++) {
            d1 = d1 + table->dense[0][j] * k[j * n + i];
            d2 = d2 + table->dense[1][j] * k[j * n + i];
            d3 = d3 + table->dense[2][j] * k[j * n + i];
        }
        dense[3 * m] = d1, dense[3 * m + 1] = d2, dense[3 * m + 2] = d3;
    }
}

/* The states that steps show, at the share s of each lane's step, in e->shown. */
static void interpolate(struct engine *e, double s) {
    const ks_lane *restrict d = e->dense, *restrict y = e->y, *restrict y_new = e->y_new;
    ks_lane *restrict shown = e->shown;
    for (int m = 0; m < e->view->n_stepped; m++) {
        int i = e->view->seen[m];
        shown[i] = (1.0 - s) * y[i] +
                   s * (y_new[i] + (1.0 - s) * (d[3 * m] + s * (d[3 * m + 1] + s * d[3 * m + 2])));
    }
}

static void watch(struct engine *e, const ks_lane *y, int node) {
    e->view->watch(e->view->self, (const double *)e->coefficients, (const double *)y,
                   (double *)(e->watched + (size_t)node * (size_t)e->view->n_watched));
}

static double end_of_step(const struct lane *lane) {
    return lane->is_landing ? lane->end : lane->t + lane->h;
}

static void show_steps(struct engine *e) {
    if (e->view->n_watched == 0) return;
    compute_dense(e, 0, e->view->n_stepped);
    watch(e, e->y, 0);
    for (int i = 1; i < KS_STEP_NODES - 1; i++) {
        interpolate(e, (double)i / (KS_STEP_NODES - 1));
        watch(e, e->shown, i);
    }
    watch(e, e->y_new, KS_STEP_NODES - 1);
    struct ks_shown_step steps[KS_LANES];
    for (int l = 0; l < KS_LANES; l++) {
        const struct lane *lane = &e->lanes[l];
        steps[l] = (struct ks_shown_step){lane->is_accepted ? lane->problem->observer : NULL, lane->t,
                                          end_of_step(lane)};
    }
    e->view->step(e->view->self, steps, (const double *)e->watched);
}

/* Whether the next stop of a lane lies in its step. */
static bool is_due(const struct lane *lane) {
    const struct ks_course *course = lane->problem->course;
    return lane->i_stop < course->n_stops && course->stops[lane->i_stop] <= end_of_step(lane);
}

/* The seen states of one lane at the share s of its step, in e->stop. */
static void interpolate_lane(struct engine *e, int l, double s) {
    for (int m = 0; m < e->view->n_seen; m++) {
        int i = e->view->seen[m];
        double d1 = *at(e->dense, 3 * m, l), d2 = *at(e->dense, 3 * m + 1, l),
               d3 = *at(e->dense, 3 * m + 2, l);
        e->stop[i] =
            (1.0 - s) * *at(e->y, i, l) + s * (*at(e->y_new, i, l) + (1.0 - s) * (d1 + s * (d2 + s * d3)));
    }
}

static void show_stops_of(struct engine *e, int l) {
    struct lane *lane = &e->lanes[l];
    for (double end = end_of_step(lane); is_due(lane); lane->i_stop++) {
        double stop = lane->problem->course->stops[lane->i_stop];
        interpolate_lane(e, l, stop == end ? 1 : (stop - lane->t) / (end - lane->t));
        if (lane->problem->observer)
            e->view->stop(e->view->self, lane->problem->observer, lane->i_stop, e->stop);
    }
}

/* After show_steps, which has the coefficients of some states. */
static void show_stops(struct engine *e) {
    bool is_any = false;
    for (int l = 0; l < KS_LANES; l++) is_any = is_any || (e->lanes[l].is_accepted && is_due(&e->lanes[l]));
    if (!is_any) return;
    compute_dense(e, e->view->n_watched > 0 ? e->view->n_stepped : 0, e->view->n_seen);
    for (int l = 0; l < KS_LANES; l++)
        if (e->lanes[l].is_accepted) show_stops_of(e, l);
}

/* ---- what a lane does after a step -------------------------------------------------------------------------- */

static void move_state(struct engine *e, int l, ks_lane *from, ks_lane *to) {
    for (int i = 0; i < e->system->n_states; i++) *at(to, i, l) = *at(from, i, l);
}

/* y <- y_new in the lanes whose step counts. */
static void move_accepted(struct engine *e) {
    int64_t is_accepted[KS_LANES];
    ks_lane_mask mask;
    int n_accepted = 0;
    for (int l = 0; l < KS_LANES; l++) {
        is_accepted[l] = -(int64_t)e->lanes[l].is_accepted;
        n_accepted += e->lanes[l].is_accepted;
    }
    if (n_accepted == KS_LANES) {
        ks_lane *old = e->y;
        e->y = e->y_new;
        e->y_new = old;
        return;
    }
    memcpy(&mask, is_accepted, sizeof mask);
    for (int i = 0; i < e->system->n_states; i++) e->y[i] = ks_lane_select(mask, e->y_new[i], e->y[i]);
}

static void choose_landing(struct lane *lane) {
    lane->is_landing = lane->t + 1.01 * lane->h >= lane->end;
    if (lane->is_landing) lane->h = lane->end - lane->t;
}

static void reject(struct engine *e, int l, double error) {
    struct lane *lane = &e->lanes[l];
    lane->h = lane->shrunk;
    lane->n_rejected++;
    if (lane->h > smallest_step * fmax(1, lane->t) && lane->n_rejected < MOST_TRIES) return;
    finish(e, l,
           e->is_settling ? KS_STATUS_no_equilibrium
           : isnan(error) ? KS_STATUS_non_finite
                          : KS_STATUS_step_limit);
}

static void judge_step(struct engine *e, int l, double error) {
    struct lane *lane = &e->lanes[l];
    lane->is_accepted = error <= 1;
    if (!lane->is_accepted) reject(e, l, error);
}

/* The lane goes on from y_new, which is already its y. */
static void follow_course(struct engine *e, int l) {
    struct lane *lane = &e->lanes[l];
    if (!lane->is_landing) return;
    if (++lane->segment == lane->problem->course->n_segments)
        finish(e, l, KS_STATUS_done);
    else
        start_segment(e, l);
}

static void follow_settling(struct engine *e, int l) {
    struct lane *lane = &e->lanes[l];
    if (lane->t > last_trial || lane->problem->n_steps == SETTLE_MAX_STEPS) {
        finish(e, l, KS_STATUS_no_equilibrium);
    } else if (lane->t >= lane->trial) {
        lane->trial = 2 * lane->t;
        lane->n_newton = 1;
        lane->travelled = 0;
        move_state(e, l, e->y, e->kept);
    }
}

static void accept(struct engine *e, int l) {
    struct lane *lane = &e->lanes[l];
    lane->t = end_of_step(lane);
    lane->h_before = lane->h;
    lane->log_error_before = fmax(lane->log_error, log_of_least_error);
    lane->h = lane->n_rejected > 0 ? fmin(lane->h, lane->grown) : lane->grown;
    lane->n_rejected = 0;
    lane->problem->n_steps++;
    if (e->is_settling)
        follow_settling(e, l);
    else
        follow_course(e, l);
}

/* One iteration of Newton's method has been made: k_1 is the correction. */
static void judge_newton(struct engine *e, int l) {
    struct lane *lane = &e->lanes[l];
    double size = 0;
    for (int i = 0; i < e->system->n_states; i++) {
        double correction = *at(e->k, i, l), *y = at(e->y, i, l);
        double change = fabs(correction) / (e->system->scales[i] + fabs(*y));
        if (!(change <= size)) size = change;
        *y += correction;
    }
    lane->travelled += size;
    if (lane->travelled <= newton_reach && size <= newton_tolerance) {
        for (int i = 0; i < e->system->n_states; i++) lane->problem->y[i] = *at(e->y, i, l);
        finish(e, l, KS_STATUS_done);
    } else if (!(lane->travelled <= newton_reach) || ++lane->n_newton > NEWTON_MAX_ITERATIONS) {
        lane->n_newton = 0;
        move_state(e, l, e->kept, e->y);
    }
}

static int count_busy(const struct engine *e) {
    int n = 0;
    for (int l = 0; l < KS_LANES; l++) n += e->lanes[l].problem != NULL;
    return n;
}

static void prepare_lanes(struct engine *e) {
    for (int l = 0; l < KS_LANES; l++) {
        struct lane *lane = &e->lanes[l];
        while (lane->problem != NULL && !e->is_settling &&
               lane->problem->n_steps >= (uint32_t)e->solver->options.max_steps)
            finish(e, l, KS_STATUS_step_limit);
        if (lane->problem != NULL) choose_landing(lane);
    }
}

static void judge_lanes(struct engine *e, ks_lane error) {
    for (int l = 0; l < KS_LANES; l++) {
        e->lanes[l].is_accepted = false;
        if (e->lanes[l].problem == NULL) continue;
        if (e->lanes[l].n_newton > 0)
            judge_newton(e, l);
        else
            judge_step(e, l, *at(&error, 0, l));
    }
}

void KS_LANED(ks_rosenbrock_run)(struct ks_rosenbrock *solver, bool is_settling, int n_problems,
                                 struct ks_problem *problems) {
    struct engine e = {.solver = solver,
                       .system = solver->system,
                       .view = solver->view,
                       .table = is_settling ? &ks_rodas3_table : &ks_rodas5p_table,
                       .is_settling = is_settling,
                       .rtol = is_settling ? settle_rtol : solver->options.rtol,
                       .n_problems = n_problems,
                       .problems = problems};
    struct ks_solver_usage *usage = &solver->usage[is_settling];
    place_arrays(&e);
    for (int l = 0; l < KS_LANES; l++) refill(&e, l);
    for (prepare_lanes(&e); count_busy(&e) > 0; prepare_lanes(&e)) {
        compute_step(&e);
        ks_lane error = measure_error(&e);
        choose_steps(&e, error);
        usage->n_lane_steps += KS_LANES;
        usage->n_busy += (uint64_t)count_busy(&e);
        judge_lanes(&e, error);
        if (!is_settling) {
            show_steps(&e);
            show_stops(&e);
        }
        move_accepted(&e);
        for (int l = 0; l < KS_LANES; l++)
            if (e.lanes[l].is_accepted) {
                usage->n_accepted++;
                accept(&e, l);
            }
    }
}
