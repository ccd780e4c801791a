/* The lane-parallel Rosenbrock engine, compiled once per width.
 *
 * Each lane holds a problem with its own time, step and segment; all lanes take a step together, and a lane that has
 * finished or failed gets the next problem at once. Idle lanes compute along and are not looked at. Nothing that one
 * lane does depends on another: the same problem gives the same bits in any lane, at any width, in any company.
 *
 * Steps land on edges exactly and start afresh there; stops are read from dense output and never change a step. To an
 * equilibrium a lane goes in error-controlled steps; at 500 h and at each doubling it tries Newton's method, which is
 * the first stage of a step without end: (I / h - J) k = f with h = 10^9 h. */
#include "base/elementary.h"
#include "base/lanes.h"
#include "base/status.h"
#include "solver/rosenbrock_impl.h"

#include <math.h>

static const double settle_rtol = 1e-4, first_trial = 500, last_trial = 1e7, newton_step = 1e9;
static const double newton_tolerance = 1e-11, newton_reach = 0.05; /* of each state's scale */
static const double first_step = 1e-4;                             /* h, after an edge */
static const double smallest_step = 1e-13;                         /* of the time, or h before 1 h */
static const double shrink = 0.2, grow = 6, safety = 0.9;
enum { SETTLE_MAX_STEPS = 20000, NEWTON_MAX_ITERATIONS = 20, MOST_TRIES = 40 };

struct lane {
    struct ks_problem *problem; /* NULL: idle */
    double t, h, end;           /* the step begins at t; the segment ends at `end` */
    double trial, travelled;    /* settling: time of the next trial; Newton's way so far, in scales */
    int segment, i_stop;
    int n_rejected;  /* in a row */
    int n_newton;    /* iterations of a trial; 0 outside one */
    bool is_landing; /* this step ends on the edge */
};

struct engine {
    struct ks_rosenbrock *solver;
    const struct ks_system *system;
    const struct ks_rosenbrock_table *table;
    bool is_settling;
    double rtol;
    int n_problems, n_taken;
    struct ks_problem *problems;
    struct lane lanes[KS_LANES];
    /* arrays over lanes */
    ks_lane *y, *y_new, *argument, *rate, *k, *dense, *kept, *jacobian, *values, *coefficients, *inputs,
        *per_h;
    double *nodes; /* [KS_STEP_NODES][n_states] of one lane */
};

size_t KS_LANED(ks_rosenbrock_memory)(const struct ks_rosenbrock *solver) {
    const struct ks_system *s = solver->system;
    size_t n = (size_t)s->n_states, stages = KS_MOST_STAGES + KS_DENSE_TERMS + 5;
    size_t n_vectors = n * stages + (size_t)s->n_nonzeros + (size_t)solver->lu.n_entries +
                       (size_t)s->n_coefficients + (size_t)s->n_inputs + 1;
    return n_vectors * KS_LANES + n * KS_STEP_NODES;
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
    e->k = take(&memory, n * KS_MOST_STAGES);
    e->dense = take(&memory, n * KS_DENSE_TERMS);
    e->jacobian = take(&memory, (size_t)e->system->n_nonzeros);
    e->values = take(&memory, (size_t)e->solver->lu.n_entries);
    e->coefficients = take(&memory, (size_t)e->system->n_coefficients);
    e->inputs = take(&memory, (size_t)e->system->n_inputs);
    e->per_h = take(&memory, 1);
    e->nodes = memory;
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
    lane->end = e->is_settling ? last_trial : course->edges[lane->segment + 1];
    lane->h = fmin(first_step, lane->end - lane->t);
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
        if (lane->problem->observer.stop)
            lane->problem->observer.stop(lane->problem->observer.self, lane->i_stop, lane->problem->y);
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

/* values = I / (gamma h) - J, factorised. */
static void factorise(struct engine *e) {
    const struct ks_lu *lu = &e->solver->lu;
    ks_lane *restrict v = e->values;
    for (int i = 0; i < lu->n_entries; i++) v[i] = ks_lane_all(0);
    for (int k = 0; k < e->system->n_nonzeros; k++) v[lu->slots[k]] = -e->jacobian[k];
    for (int k = 0; k < lu->n; k++) v[lu->diagonals[k]] = v[lu->diagonals[k]] + *e->per_h / e->table->gamma;
    const int(*update)[3] = (const int(*)[3])lu->updates;
    for (int k = 0; k < lu->n; k++) {
        ks_lane reciprocal = 1.0 / v[lu->diagonals[k]];
        v[lu->diagonals[k]] = reciprocal;
        for (int s = lu->first_scale[k]; s < lu->first_scale[k + 1]; s++) {
            ks_lane factor = v[lu->scales[s][0]] * reciprocal;
            v[lu->scales[s][0]] = factor;
            for (int u = 0; u < lu->n_updates[s]; u++, update++)
                v[(*update)[0]] = v[(*update)[0]] - factor * v[(*update)[2]];
        }
    }
}

/* x <- (I / (gamma h) - J)^-1 x */
static void substitute(const struct engine *e, ks_lane *restrict x) {
    const struct ks_lu *lu = &e->solver->lu;
    const ks_lane *restrict v = e->values;
    for (int i = 0; i < lu->n_lower; i++)
        x[lu->lower[i][0]] = x[lu->lower[i][0]] - v[lu->lower[i][2]] * x[lu->lower[i][1]];
    const int(*upper)[3] = (const int(*)[3])lu->upper;
    for (int k = lu->n - 1; k >= 0; k--) {
        ks_lane sum = x[lu->order[k]];
        for (int i = 0; i < lu->n_row_upper[lu->n - 1 - k]; i++, upper++)
            sum = sum - v[(*upper)[2]] * x[(*upper)[1]];
        x[lu->order[k]] = sum * v[lu->diagonals[k]];
    }
}

static void evaluate_rhs(const struct engine *e, const ks_lane *y, ks_lane *rate) {
    e->system->rhs((const double *)e->coefficients, (const double *)e->inputs, (const double *)y,
                   (double *)rate);
}

/* Argument of stage s, and its right-hand side with the sum over earlier stages, in place of k_s. */
static void prepare_stage(struct engine *e, int s) {
    const struct ks_rosenbrock_table *table = e->table;
    int n = e->system->n_states;
    ks_lane *restrict k_s = e->k + (size_t)s * (size_t)n, *restrict argument = e->argument;
    for (int i = 0; i < n && s >= table->n_sums; i++) argument[i] = argument[i] + e->k[(s - 1) * n + i];
    for (int i = 0; i < n && s < table->n_sums; i++) {
        ks_lane sum = e->y[i];
        for (int j = 0; j < s; j++) sum = sum + table->a[s][j] * e->k[j * n + i];
        argument[i] = sum;
    }
    evaluate_rhs(e, argument, e->rate);
    for (int i = 0; i < n; i++) {
        ks_lane sum = ks_lane_all(0);
        for (int j = 0; j < s; j++) sum = sum + table->c[s][j] * e->k[j * n + i];
        k_s[i] = e->rate[i] + sum * *e->per_h;
    }
    substitute(e, k_s);
}

static void compute_step(struct engine *e) {
    int n = e->system->n_states, last = e->table->n_stages - 1;
    for (int l = 0; l < KS_LANES; l++) {
        struct lane *lane = &e->lanes[l];
        *at(e->per_h, 0, l) =
            lane->problem == NULL ? 1.0 : 1.0 / (lane->n_newton > 0 ? newton_step : lane->h);
    }
    e->system->jacobian((const double *)e->coefficients, (const double *)e->inputs, (const double *)e->y,
                        (double *)e->jacobian);
    factorise(e);
    for (int s = 0; s <= last; s++) prepare_stage(e, s);
    for (int i = 0; i < n; i++) e->y_new[i] = e->argument[i] + e->k[last * n + i];
}

/* The estimated error of each lane's step in units of its tolerance, root mean square over the states. */
static ks_lane measure_error(const struct engine *e) {
    int n = e->system->n_states, last = e->table->n_stages - 1;
    ks_lane sum = ks_lane_all(0);
    for (int i = 0; i < n; i++) {
        ks_lane size = ks_lane_max(ks_lane_abs(e->y[i]), ks_lane_abs(e->y_new[i]));
        ks_lane ratio = e->k[last * n + i] / (e->rtol * (size + 1e-3 * e->system->scales[i]));
        sum = sum + ratio * ratio;
    }
    return ks_lane_sqrt(sum / (double)n);
}

static void compute_dense(struct engine *e) {
    int n = e->system->n_states;
    for (int m = 0; m < KS_DENSE_TERMS; m++)
        for (int i = 0; i < n; i++) {
            ks_lane sum = ks_lane_all(0);
            for (int j = 0; j < e->table->n_stages; j++) sum = sum + e->table->dense[m][j] * e->k[j * n + i];
            e->dense[m * n + i] = sum;
        }
}

/* ---- dense output of one lane ------------------------------------------------------------------------------- */

/* The state at the share s of the step just taken. */
static void interpolate(struct engine *e, int l, double s, double *y) {
    int n = e->system->n_states;
    for (int i = 0; i < n; i++) {
        double d1 = *at(e->dense, i, l), d2 = *at(e->dense, n + i, l), d3 = *at(e->dense, 2 * n + i, l);
        y[i] = (1 - s) * *at(e->y, i, l) + s * (*at(e->y_new, i, l) + (1 - s) * (d1 + s * (d2 + s * d3)));
    }
}

static void show_step(struct engine *e, int l, double t_new) {
    struct lane *lane = &e->lanes[l];
    const struct ks_observer *observer = &lane->problem->observer;
    const struct ks_course *course = lane->problem->course;
    int n = e->system->n_states;
    if (observer->step) {
        for (int i = 0; i < KS_STEP_NODES; i++)
            interpolate(e, l, (double)i / (KS_STEP_NODES - 1), &e->nodes[i * n]);
        observer->step(observer->self, lane->t, t_new, e->nodes);
    }
    for (; lane->i_stop < course->n_stops && course->stops[lane->i_stop] <= t_new; lane->i_stop++) {
        if (observer->stop == NULL) continue;
        double stop = course->stops[lane->i_stop];
        interpolate(e, l, stop == t_new ? 1 : (stop - lane->t) / (t_new - lane->t), e->nodes);
        observer->stop(observer->self, lane->i_stop, e->nodes);
    }
}

/* ---- what a lane does after a step -------------------------------------------------------------------------- */

static void move_state(struct engine *e, int l, ks_lane *from, ks_lane *to) {
    for (int i = 0; i < e->system->n_states; i++) *at(to, i, l) = *at(from, i, l);
}

/* The step for an error of 1, within bounds; NaN shrinks. */
static double next_step(const struct engine *e, double h, double error) {
    if (!(error < 1e12)) return shrink * h;
    if (error < 1e-12) return grow * h;
    double factor = safety * ks_elementary_exp(-e->table->error_exponent * ks_elementary_log(error));
    return h * fmin(grow, fmax(shrink, factor));
}

static void choose_landing(struct lane *lane) {
    lane->is_landing = lane->t + 1.01 * lane->h >= lane->end;
    if (lane->is_landing) lane->h = lane->end - lane->t;
}

static void reject(struct engine *e, int l, double error) {
    struct lane *lane = &e->lanes[l];
    lane->h = next_step(e, lane->h, error);
    lane->n_rejected++;
    if (lane->h > smallest_step * fmax(1, lane->t) && lane->n_rejected < MOST_TRIES) return;
    finish(e, l,
           e->is_settling ? KS_STATUS_no_equilibrium
           : isnan(error) ? KS_STATUS_non_finite
                          : KS_STATUS_step_limit);
}

static void accept_course(struct engine *e, int l, double t_new) {
    struct lane *lane = &e->lanes[l];
    show_step(e, l, t_new);
    move_state(e, l, e->y_new, e->y);
    lane->t = t_new;
    if (lane->is_landing) {
        if (++lane->segment == lane->problem->course->n_segments)
            finish(e, l, KS_STATUS_done);
        else
            start_segment(e, l);
    }
}

static void accept_settling(struct engine *e, int l, double t_new) {
    struct lane *lane = &e->lanes[l];
    move_state(e, l, e->y_new, e->y);
    lane->t = t_new;
    if (lane->is_landing || lane->problem->n_steps == SETTLE_MAX_STEPS) {
        finish(e, l, KS_STATUS_no_equilibrium);
    } else if (t_new >= lane->trial) {
        lane->trial = 2 * t_new;
        lane->n_newton = 1;
        lane->travelled = 0;
        move_state(e, l, e->y, e->kept);
    }
}

static void judge_step(struct engine *e, int l, double error) {
    struct lane *lane = &e->lanes[l];
    if (!(error <= 1)) {
        reject(e, l, error);
        return;
    }
    double t_new = lane->is_landing ? lane->end : lane->t + lane->h;
    lane->h =
        lane->n_rejected > 0 ? fmin(lane->h, next_step(e, lane->h, error)) : next_step(e, lane->h, error);
    lane->n_rejected = 0;
    lane->problem->n_steps++;
    if (e->is_settling)
        accept_settling(e, l, t_new);
    else
        accept_course(e, l, t_new);
}

/* One iteration of Newton's method has been made: k_1 is the correction. */
static void judge_newton(struct engine *e, int l) {
    struct lane *lane = &e->lanes[l];
    int n_settled = e->system->n_states - e->system->n_areas;
    double size = 0;
    for (int i = 0; i < n_settled; i++) {
        double change = fabs(*at(e->k, i, l)) / e->system->scales[i];
        if (!(change <= size)) size = change;
        *at(e->y, i, l) += *at(e->k, i, l);
    }
    lane->travelled += size;
    if (lane->travelled <= newton_reach && size <= newton_tolerance) {
        for (int i = 0; i < n_settled; i++) lane->problem->y[i] = *at(e->y, i, l);
        finish(e, l, KS_STATUS_done);
    } else if (!(lane->travelled <= newton_reach) || ++lane->n_newton > NEWTON_MAX_ITERATIONS) {
        lane->n_newton = 0;
        move_state(e, l, e->kept, e->y);
    }
}

static bool is_any_busy(const struct engine *e) {
    for (int l = 0; l < KS_LANES; l++)
        if (e->lanes[l].problem != NULL) return true;
    return false;
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

void KS_LANED(ks_rosenbrock_run)(struct ks_rosenbrock *solver, bool is_settling, int n_problems,
                                 struct ks_problem *problems) {
    struct engine e = {.solver = solver,
                       .system = solver->system,
                       .table = solver->table,
                       .is_settling = is_settling,
                       .rtol = is_settling ? settle_rtol : solver->options.rtol,
                       .n_problems = n_problems,
                       .problems = problems};
    place_arrays(&e);
    for (int l = 0; l < KS_LANES; l++) refill(&e, l);
    for (prepare_lanes(&e); is_any_busy(&e); prepare_lanes(&e)) {
        compute_step(&e);
        ks_lane error = measure_error(&e);
        if (!is_settling) compute_dense(&e);
        for (int l = 0; l < KS_LANES; l++) {
            if (e.lanes[l].problem == NULL) continue;
            if (e.lanes[l].n_newton > 0)
                judge_newton(&e, l);
            else
                judge_step(&e, l, *at(&error, 0, l));
        }
    }
}
