/* One patient after another: the drug-free equilibrium, then the course under treatment, watched for endpoints and
 * trajectories while the solver steps. */
#include "base/error.h"
#include "base/memory.h"
#include "base/status.h"
#include "therapy/therapy_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A time at which some endpoint or trajectory row wants the state. */
struct stop {
    double time;
    int row; /* of the trajectory, -1 for none */
};

struct ks_therapy {
    struct ks_therapy_plan plan;
    struct ks_system system;
    ks_solver *solver;

    int n_stops; /* all but the horizon, which differs between patients */
    struct stop *stops;
    int n_watched; /* quantities that some endpoint follows between stops */
    int watched[KS_N_QUANTITIES];

    /* of the patient in hand */
    double *coefficients;        /* [KS_N_COEFFICIENTS] */
    double *stop_times;          /* [n_stops + 1] those up to the horizon, and the horizon */
    int *stop_rows;              /* [n_stops + 1] */
    struct ks_reading *readings; /* [n_endpoints] */
    double *trajectory;          /* of its outcome */
};

/* ---- while the solver steps --------------------------------------------------------------------------------- */

static void see_step(void *self, double start, double end, const double *y) {
    struct ks_therapy *t = self;
    for (int i = 0; i < t->n_watched; i++) {
        double values[KS_STEP_NODES];
        for (int k = 0; k < KS_STEP_NODES; k++)
            values[k] = ks_model_quantity(t->watched[i], t->coefficients, &y[k * KS_N_STATES]);
        for (int e = 0; e < t->plan.n_endpoints; e++)
            if (t->plan.endpoints[e].quantity == t->watched[i])
                ks_reading_add_step(&t->readings[e], start, end, values);
    }
}

static void see_stop(void *self, int i_stop, const double *y) {
    struct ks_therapy *t = self;
    double time = t->stop_times[i_stop];
    for (int e = 0; e < t->plan.n_endpoints; e++) {
        const struct ks_endpoint *endpoint = &t->plan.endpoints[e];
        bool is_due = endpoint->from == time || (isinf(endpoint->from) && t->readings[e].end == time);
        if (ks_ops[endpoint->op].reading == KS_READING_AT && is_due)
            t->readings[e].value = ks_model_quantity(endpoint->quantity, t->coefficients, y);
    }
    int row = t->stop_rows[i_stop];
    for (int k = 0; row >= 0 && k < t->plan.n_quantities; k++)
        t->trajectory[row * t->plan.n_quantities + k] =
            ks_model_quantity(t->plan.quantities[k], t->coefficients, y);
}

/* ---- one patient -------------------------------------------------------------------------------------------- */

/* The stops of a patient: the plan's up to the horizon, then the horizon. */
static int choose_stops(struct ks_therapy *t, double horizon) {
    int n = 0;
    for (; n < t->n_stops && t->stops[n].time <= horizon; n++) {
        t->stop_times[n] = t->stops[n].time;
        t->stop_rows[n] = t->stops[n].row;
    }
    if (n > 0 && t->stop_times[n - 1] == horizon) return n;
    t->stop_times[n] = horizon;
    t->stop_rows[n] = -1;
    return n + 1;
}

static int find_equilibrium(struct ks_therapy *t, const double *parameters, double *y, int *status) {
    ks_model_prepare(parameters, t->coefficients);
    memcpy(y, ks_state_seeds, sizeof ks_state_seeds);
    struct ks_problem problem = {.coefficients = t->coefficients, .y = y};
    KS_TRY(ks_solver_settle(t->solver, 1, &problem));
    *status = problem.status;
    return KS_OK;
}

static int treat(struct ks_therapy *t, const double *parameters, struct ks_course *course, double *y,
                 struct ks_outcome *outcome) {
    double horizon = parameters[KS_PARAMETER_horizon];
    ks_model_begin_treatment(parameters, y, t->coefficients);
    for (int e = 0; e < t->plan.n_endpoints; e++) {
        const struct ks_endpoint *endpoint = &t->plan.endpoints[e];
        ks_reading_begin(&t->readings[e], endpoint, ks_model_quantity(endpoint->quantity, t->coefficients, y),
                         horizon);
    }
    bool is_depressed =
        ks_model_quantity(KS_DERIVED_madrs, t->coefficients, y) >= parameters[KS_PARAMETER_depressed_above];
    course->n_stops = choose_stops(t, horizon);
    course->stops = t->stop_times;
    struct ks_problem problem = {
        .coefficients = t->coefficients, .y = y, .course = course, .observer = {t, see_step, see_stop}};
    KS_TRY(ks_solver_solve(t->solver, 1, &problem));
    outcome->status = problem.status;
    outcome->n_steps = problem.n_steps;
    if (problem.status != KS_STATUS_done) return KS_OK;
    if (!is_depressed) outcome->status = KS_STATUS_not_depressed;
    for (int e = 0; e < t->plan.n_endpoints; e++)
        outcome->endpoints[e] = ks_reading_finish(&t->readings[e], is_depressed);
    return KS_OK;
}

static void fill_with_nan(double *values, size_t n) {
    for (size_t i = 0; i < n; i++) values[i] = NAN;
}

static int follow(struct ks_therapy *t, double *parameters, struct ks_course *course, int status,
                  struct ks_outcome *outcome) {
    double y[KS_N_STATES];
    outcome->status = status;
    if (status != KS_STATUS_done) return KS_OK;
    ks_therapy_apply_route(&t->plan.treatment, parameters);
    KS_TRY(find_equilibrium(t, parameters, y, &outcome->status));
    if (outcome->status != KS_STATUS_done) return KS_OK;
    return treat(t, parameters, course, y, outcome);
}

static int simulate_patient(struct ks_therapy *t, uint64_t point, const double *vector,
                            struct ks_outcome *outcome) {
    double parameters[KS_N_PARAMETERS];
    size_t n_trajectory = (size_t)t->plan.n_times * (size_t)t->plan.n_quantities;
    struct ks_course course = {0};
    char reason[160];
    int status;
    memcpy(parameters, vector, sizeof parameters);
    t->trajectory = outcome->trajectory;
    outcome->n_steps = 0;
    fill_with_nan(outcome->endpoints, (size_t)t->plan.n_endpoints);
    fill_with_nan(outcome->trajectory, n_trajectory);
    int err = ks_protocol_build_course(&t->plan.treatment, parameters, point, &course, &status, reason,
                                       sizeof reason);
    if (err == KS_OK) err = follow(t, parameters, &course, status, outcome);
    ks_protocol_release_course(&course);
    KS_TRY(err);
    if (ks_status_is_failure(outcome->status)) fill_with_nan(outcome->trajectory, n_trajectory);
    return KS_OK;
}

int ks_therapy_simulate(ks_therapy *t, uint64_t first_point, int n, const double *parameters,
                        struct ks_outcome *outcomes) {
    for (int i = 0; i < n; i++)
        KS_TRY(simulate_patient(t, first_point + (uint64_t)i, &parameters[(size_t)i * KS_N_PARAMETERS],
                                &outcomes[i]));
    return KS_OK;
}

/* ---- creation ----------------------------------------------------------------------------------------------- */

static int compare_stops(const void *a, const void *b) {
    const struct stop *x = a, *y = b;
    if (x->time != y->time) return x->time < y->time ? -1 : 1;
    return y->row - x->row; /* trajectory rows first, so that merging keeps them */
}

static int plan_stops(struct ks_therapy *t) {
    const struct ks_therapy_plan *plan = &t->plan;
    int n = 0, n_distinct = 0;
    KS_ALLOCATE(t->stops, (size_t)(plan->n_times + plan->n_endpoints));
    for (int i = 0; i < plan->n_times; i++) t->stops[n++] = (struct stop){plan->times[i], i};
    for (int e = 0; e < plan->n_endpoints; e++) {
        bool is_at = ks_ops[plan->endpoints[e].op].reading == KS_READING_AT;
        if (is_at && !isinf(plan->endpoints[e].from))
            t->stops[n++] = (struct stop){plan->endpoints[e].from, -1};
    }
    qsort(t->stops, (size_t)n, sizeof *t->stops, compare_stops);
    for (int i = 0; i < n; i++)
        if (n_distinct == 0 || t->stops[i].time > t->stops[n_distinct - 1].time)
            t->stops[n_distinct++] = t->stops[i];
    t->n_stops = n_distinct;
    KS_ALLOCATE(t->stop_times, (size_t)n_distinct + 1);
    KS_ALLOCATE(t->stop_rows, (size_t)n_distinct + 1);
    return KS_OK;
}

static void plan_watch(struct ks_therapy *t) {
    bool is_watched[KS_N_QUANTITIES] = {false};
    for (int e = 0; e < t->plan.n_endpoints; e++) {
        const struct ks_endpoint *endpoint = &t->plan.endpoints[e];
        if (ks_ops[endpoint->op].reading != KS_READING_AT) is_watched[endpoint->quantity] = true;
    }
    for (int i = 0; i < KS_N_QUANTITIES; i++)
        if (is_watched[i]) t->watched[t->n_watched++] = i;
}

static int initialise(struct ks_therapy *t, const struct ks_therapy_plan *plan) {
    const struct ks_model_equations *equations = ks_model_equations(1);
    t->plan = *plan;
    t->system = (struct ks_system){.n_states = KS_N_STATES,
                                   .n_inputs = KS_N_INPUTS,
                                   .n_coefficients = KS_N_COEFFICIENTS,
                                   .n_areas = KS_N_AREAS,
                                   .scales = ks_state_scales,
                                   .n_nonzeros = KS_N_NONZEROS,
                                   .rows = ks_jacobian_rows,
                                   .columns = ks_jacobian_columns,
                                   .lanes = equations->lanes,
                                   .rhs = equations->rhs,
                                   .jacobian = equations->jacobian};
    KS_TRY(plan_stops(t));
    plan_watch(t);
    KS_ALLOCATE(t->coefficients, KS_N_COEFFICIENTS);
    KS_ALLOCATE(t->readings, (size_t)plan->n_endpoints);
    return ks_solver_create(&t->solver, &t->system, &plan->solver);
}

int ks_therapy_create(ks_therapy **therapy, const struct ks_therapy_plan *plan) {
    ks_therapy *t;
    KS_ALLOCATE(t, 1);
    int err = initialise(t, plan);
    if (err < 0) {
        ks_therapy_destroy(&t);
        return err;
    }
    *therapy = t;
    return KS_OK;
}

void ks_therapy_destroy(ks_therapy **therapy) {
    ks_therapy *t = *therapy;
    if (t == NULL) return;
    ks_solver_destroy(&t->solver);
    free(t->stops);
    free(t->stop_times);
    free(t->stop_rows);
    free(t->coefficients);
    free(t->readings);
    free(t);
    *therapy = NULL;
}
