/* Batches of patients: their drug-free equilibria, then their courses under treatment, watched for endpoints and
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

/* A patient of the batch in hand. */
struct patient {
    struct ks_therapy *therapy;
    double parameters[KS_N_PARAMETERS], coefficients[KS_N_COEFFICIENTS], y[KS_N_STATES];
    struct ks_course course;
    double *stop_times;          /* [n_stops + 1] the plan's up to the horizon, and the horizon */
    int *stop_rows;              /* [n_stops + 1] */
    struct ks_reading *readings; /* [n_readings] */
    struct ks_outcome *outcome;
    bool is_depressed;
};

struct ks_therapy {
    struct ks_therapy_plan plan;
    struct ks_system system;
    struct ks_view view;
    void (*evaluate)(int n, const int *quantities, const double *coefficients, const double *y,
                     double *values);
    ks_solver *solver;

    int n_stops; /* all but the horizon, which differs between patients */
    struct stop *stops;
    int n_readings;
    int *reading_of; /* [n_endpoints] several endpoints may share a reading */
    int *origins;    /* [n_readings] an endpoint of each */
    int seen[KS_N_STATES];
    int watched[KS_N_QUANTITIES]; /* [view.n_watched] quantities that readings follow between stops */
    int first_reading[KS_N_QUANTITIES + 1]; /* of each watched quantity; then those that read one time */

    const struct width *width;
    struct patient **seated; /* [lanes] whose readings `watch` has; NULL for none */
    struct ks_watch watch;
    enum ks_reading_kind *kinds; /* [n_readings] */
    double *signs;               /* [n_readings] */

    ks_therapy
        *reference; /* the same with cvode, which tries what has failed once more; NULL where this is cvode */
    int batch;      /* patients at a time: one for cvode, which has no lanes to fill */
    struct patient *patients;    /* [batch] */
    struct ks_problem *problems; /* [batch] */
};

/* What is compiled for each width. */
struct width {
    int lanes;
    const struct ks_linear_program *linear;
    void (*add_step)(struct ks_watch *watch, const double *values);
};

/* ---- while the solver steps --------------------------------------------------------------------------------- */

static void watch(void *self, const double *coefficients, const double *y, double *values) {
    const struct ks_therapy *t = self;
    t->evaluate(t->view.n_watched, t->watched, coefficients, y, values);
}

/* The readings that follow steps; the others read one time. */
static int count_followed(const struct ks_therapy *t) {
    return t->first_reading[t->view.n_watched];
}

/* What t->watch knows of a reading of a lane. */
static void note_reading(struct ks_therapy *t, const struct ks_reading *reading, int i) {
    struct ks_watch *w = &t->watch;
    w->from[i] = reading->from;
    w->end[i] = reading->end;
    w->value[i] = reading->value;
    ks_reading_find_quiet(reading, &w->low[i], &w->high[i]);
}

/* Gives a patient back the readings that t->watch has of a lane. */
static void unseat(struct ks_therapy *t, int lane) {
    struct patient *p = t->seated[lane];
    for (int r = 0; p != NULL && r < count_followed(t); r++)
        p->readings[r].value = t->watch.value[r * t->width->lanes + lane];
    t->seated[lane] = NULL;
}

static void unseat_all(struct ks_therapy *t) {
    for (int l = 0; l < t->width->lanes; l++) unseat(t, l);
}

static void seat(struct ks_therapy *t, struct patient *p, int lane) {
    if (t->seated[lane] == p) return;
    unseat(t, lane);
    t->seated[lane] = p;
    for (int r = 0; r < count_followed(t); r++) note_reading(t, &p->readings[r], r * t->width->lanes + lane);
}

/* Lets the loud readings of one watched quantity take in a step of one lane. */
static void take_in(struct ks_therapy *t, const struct ks_shown_step *shown, int i_watched, int lane,
                    const double *values) {
    struct patient *p = shown->observer;
    int lanes = t->width->lanes, n_watched = t->view.n_watched, at = i_watched * lanes + lane;
    struct ks_reading_step step = {
        .start = shown->start, .end = shown->end, .low = t->watch.least[at], .high = t->watch.most[at]};
    for (int k = 0; k < KS_STEP_NODES; k++) step.values[k] = values[k * n_watched * lanes + at];
    for (int r = t->first_reading[i_watched]; r < t->first_reading[i_watched + 1]; r++) {
        int i = r * lanes + lane;
        if (!t->watch.loud[i]) continue;
        p->readings[r].value = t->watch.value[i];
        ks_reading_add_step(&p->readings[r], &step);
        note_reading(t, &p->readings[r], i);
    }
}

static void see_steps(void *self, const struct ks_shown_step *steps, const double *values) {
    struct ks_therapy *t = self;
    int lanes = t->width->lanes;
    for (int l = 0; l < lanes; l++) {
        t->watch.step_start[l] = steps[l].observer ? steps[l].start : -INFINITY;
        t->watch.step_end[l] = steps[l].observer ? steps[l].end : -INFINITY;
        if (steps[l].observer) seat(t, steps[l].observer, l);
    }
    t->width->add_step(&t->watch, values);
    for (int i = 0; i < t->view.n_watched; i++)
        for (int l = 0; l < lanes; l++)
            if (t->watch.any_loud[i * lanes + l]) take_in(t, &steps[l], i, l, values);
}

static void see_stop(void *self, void *observer, int i_stop, const double *y) {
    const struct ks_therapy *t = self;
    struct patient *p = observer;
    const struct ks_therapy_plan *plan = &t->plan;
    double time = p->stop_times[i_stop];
    for (int r = count_followed(t); r < t->n_readings; r++) {
        struct ks_reading *reading = &p->readings[r];
        if (reading->from == time || (isinf(reading->from) && reading->end == time))
            reading->value = ks_model_quantity(plan->endpoints[t->origins[r]].quantity, p->coefficients, y);
    }
    int row = p->stop_rows[i_stop];
    for (int k = 0; row >= 0 && k < plan->n_quantities; k++)
        p->outcome->trajectory[row * plan->n_quantities + k] =
            ks_model_quantity(plan->quantities[k], p->coefficients, y);
}

/* ---- a batch of patients ------------------------------------------------------------------------------------ */

static void fill_with_nan(double *values, size_t n) {
    for (size_t i = 0; i < n; i++) values[i] = NAN;
}

static size_t trajectory_size(const struct ks_therapy *t) {
    return (size_t)t->plan.n_times * (size_t)t->plan.n_quantities;
}

/* Builds the patient's course and gets it ready for the equilibrium; outcome->status says whether it can go on. */
static int admit(struct patient *p, uint64_t point, const double *vector, struct ks_outcome *outcome) {
    struct ks_therapy *t = p->therapy;
    char reason[160];
    p->outcome = outcome;
    outcome->n_steps = 0;
    fill_with_nan(outcome->endpoints, (size_t)t->plan.n_endpoints);
    fill_with_nan(outcome->trajectory, trajectory_size(t));
    memcpy(p->parameters, vector, sizeof p->parameters);
    memcpy(p->y, ks_state_seeds, sizeof ks_state_seeds);
    KS_TRY(ks_protocol_build_course(&t->plan.treatment, p->parameters, point, &p->course, &outcome->status,
                                    reason, sizeof reason));
    ks_therapy_apply_route(&t->plan.treatment, p->parameters);
    ks_model_prepare(p->parameters, p->coefficients);
    return KS_OK;
}

/* The stops of a patient: the plan's up to the horizon, then the horizon. */
static int choose_stops(struct patient *p, double horizon) {
    const struct ks_therapy *t = p->therapy;
    int n = 0;
    for (; n < t->n_stops && t->stops[n].time <= horizon; n++) {
        p->stop_times[n] = t->stops[n].time;
        p->stop_rows[n] = t->stops[n].row;
    }
    if (n > 0 && p->stop_times[n - 1] == horizon) return n;
    p->stop_times[n] = horizon;
    p->stop_rows[n] = -1;
    return n + 1;
}

/* With baseline_madrs the equilibrium in p->y tells the life stress, which must be one that a patient can have. */
static bool take_life_stress(struct patient *p) {
    double *life_stress = &p->parameters[KS_PARAMETER_life_stress];
    if (!(p->parameters[KS_PARAMETER_baseline_madrs] > 0)) return true;
    *life_stress = ks_model_solved_life_stress(p->coefficients, p->y);
    ks_model_prepare(p->parameters, p->coefficients);
    return ks_model_is_within(ks_parameters[KS_PARAMETER_life_stress].limits, *life_stress);
}

/* From the equilibrium in p->y: what is held, what is read, and where the course stops. */
static void begin_treatment(struct patient *p) {
    const struct ks_therapy_plan *plan = &p->therapy->plan;
    double horizon = p->parameters[KS_PARAMETER_horizon];
    if (!take_life_stress(p)) {
        p->outcome->status = KS_STATUS_no_equilibrium;
        return;
    }
    ks_model_begin_treatment(p->parameters, p->y, p->coefficients);
    for (int r = 0; r < p->therapy->n_readings; r++) {
        const struct ks_endpoint *endpoint = &plan->endpoints[p->therapy->origins[r]];
        ks_reading_begin(&p->readings[r], endpoint,
                         ks_model_quantity(endpoint->quantity, p->coefficients, p->y), horizon);
    }
    p->is_depressed = ks_model_quantity(KS_DERIVED_madrs, p->coefficients, p->y) >=
                      p->parameters[KS_PARAMETER_depressed_above];
    p->course.n_stops = choose_stops(p, horizon);
    p->course.stops = p->stop_times;
}

static void discharge(struct patient *p, uint32_t n_steps) {
    const struct ks_therapy *t = p->therapy;
    p->outcome->n_steps = n_steps;
    if (p->outcome->status != KS_STATUS_done) {
        fill_with_nan(p->outcome->trajectory, trajectory_size(t));
        return;
    }
    if (!p->is_depressed) p->outcome->status = KS_STATUS_not_depressed;
    for (int e = 0; e < t->plan.n_endpoints; e++)
        p->outcome->endpoints[e] =
            ks_reading_finish(&p->readings[t->reading_of[e]], &t->plan.endpoints[e], p->is_depressed);
}

/* The problems of those patients that can go on. */
static int collect_problems(struct ks_therapy *t, int n, bool is_treated) {
    int n_problems = 0;
    for (int i = 0; i < n; i++) {
        struct patient *p = &t->patients[i];
        if (p->outcome->status != KS_STATUS_done) continue;
        t->problems[n_problems] = (struct ks_problem){.coefficients = p->coefficients, .y = p->y};
        if (is_treated) {
            t->problems[n_problems].course = &p->course;
            t->problems[n_problems].observer = p;
        }
        n_problems++;
    }
    return n_problems;
}

/* Settles the patients, then treats those that have an equilibrium. */
static int follow(struct ks_therapy *t, int n) {
    KS_TRY(ks_solver_settle(t->solver, collect_problems(t, n, false), t->problems));
    for (int i = 0, k = 0; i < n; i++) {
        if (t->patients[i].outcome->status != KS_STATUS_done) continue;
        t->patients[i].outcome->status = t->problems[k++].status;
        if (t->patients[i].outcome->status == KS_STATUS_done) begin_treatment(&t->patients[i]);
    }
    KS_TRY(ks_solver_solve(t->solver, collect_problems(t, n, true), t->problems));
    unseat_all(t);
    for (int i = 0, k = 0; i < n; i++) {
        if (t->patients[i].outcome->status != KS_STATUS_done) continue;
        t->patients[i].outcome->status = t->problems[k].status;
        discharge(&t->patients[i], t->problems[k++].n_steps);
    }
    return KS_OK;
}

static int simulate_batch(struct ks_therapy *t, uint64_t first_point, int n, const double *parameters,
                          struct ks_outcome *outcomes) {
    int err = KS_OK;
    for (int i = 0; err == KS_OK && i < n; i++)
        err = admit(&t->patients[i], first_point + (uint64_t)i, &parameters[(size_t)i * KS_N_PARAMETERS],
                    &outcomes[i]);
    if (err == KS_OK) err = follow(t, n);
    for (int i = 0; i < n; i++) ks_protocol_release_course(&t->patients[i].course);
    return err;
}

/* Where another solver may do better; all search for the equilibrium alike, and in vain for long. */
static bool deserves_retry(int status) {
    return ks_status_is_failure(status) && status != KS_STATUS_bad_protocol &&
           status != KS_STATUS_no_equilibrium;
}

/* Tries once more what the solver could not do. */
static int retry_failed(struct ks_therapy *t, uint64_t first_point, int n, const double *parameters,
                        struct ks_outcome *outcomes) {
    if (t->reference == NULL) return KS_OK;
    for (int i = 0; i < n; i++)
        if (deserves_retry(outcomes[i].status))
            KS_TRY(ks_therapy_simulate(t->reference, first_point + (uint64_t)i, 1,
                                       &parameters[(size_t)i * KS_N_PARAMETERS], &outcomes[i]));
    return KS_OK;
}

int ks_therapy_simulate(ks_therapy *t, uint64_t first_point, int n, const double *parameters,
                        struct ks_outcome *outcomes) {
    for (int done = 0; done < n; done += t->batch) {
        int count = n - done < t->batch ? n - done : t->batch;
        KS_TRY(simulate_batch(t, first_point + (uint64_t)done, count,
                              &parameters[(size_t)done * KS_N_PARAMETERS], &outcomes[done]));
    }
    return retry_failed(t, first_point, n, parameters, outcomes);
}

void ks_therapy_usage(const ks_therapy *therapy, bool is_settling, struct ks_solver_usage *usage) {
    ks_solver_usage(therapy->solver, is_settling, usage);
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
    return KS_OK;
}

/* The reading of an endpoint, among those from `first` on; a new one where none can be shared. */
static int assign_reading(struct ks_therapy *t, int endpoint, int first) {
    const struct ks_endpoint *endpoints = t->plan.endpoints;
    for (int r = first; r < t->n_readings; r++)
        if (endpoints[t->origins[r]].quantity == endpoints[endpoint].quantity &&
            ks_reading_is_shared(&endpoints[t->origins[r]], &endpoints[endpoint]))
            return r;
    t->origins[t->n_readings] = endpoint;
    return t->n_readings++;
}

static void assign_readings(struct ks_therapy *t, int quantity, bool is_dated) {
    int first = t->n_readings;
    for (int e = 0; e < t->plan.n_endpoints; e++) {
        const struct ks_endpoint *endpoint = &t->plan.endpoints[e];
        if (endpoint->quantity == quantity && (ks_ops[endpoint->op].reading == KS_READING_AT) == is_dated)
            t->reading_of[e] = assign_reading(t, e, first);
    }
}

/* What is read off the course: quantities that are followed from step to step, then those of a time. */
static int plan_readings(struct ks_therapy *t) {
    int n_watched = 0;
    KS_ALLOCATE(t->reading_of, (size_t)t->plan.n_endpoints);
    KS_ALLOCATE(t->origins, (size_t)t->plan.n_endpoints);
    for (int quantity = 0; quantity < KS_N_QUANTITIES; quantity++) {
        t->first_reading[n_watched] = t->n_readings;
        assign_readings(t, quantity, false);
        if (t->n_readings > t->first_reading[n_watched]) t->watched[n_watched++] = quantity;
    }
    t->first_reading[n_watched] = t->n_readings;
    for (int quantity = 0; quantity < KS_N_QUANTITIES; quantity++) assign_readings(t, quantity, true);
    t->view = (struct ks_view){.self = t,
                               .seen = t->seen,
                               .n_watched = n_watched,
                               .watch = watch,
                               .step = see_steps,
                               .stop = see_stop};
    return KS_OK;
}

static bool is_watched(const struct ks_therapy *t, int state) {
    for (int i = 0; i < t->view.n_watched; i++)
        if (ks_model_quantity_uses(t->watched[i], state)) return true;
    return false;
}

static bool is_stopped_for(const struct ks_therapy *t, int state) {
    for (int e = 0; e < t->plan.n_endpoints; e++)
        if (ks_model_quantity_uses(t->plan.endpoints[e].quantity, state)) return true;
    for (int k = 0; k < t->plan.n_quantities; k++)
        if (ks_model_quantity_uses(t->plan.quantities[k], state)) return true;
    return false;
}

/* The states that endpoints and trajectories are made of, first those that are followed from step to step. */
static void plan_seen(struct ks_therapy *t) {
    for (int state = 0; state < KS_N_STATES; state++)
        if (is_watched(t, state)) t->seen[t->view.n_stepped++] = state;
    t->view.n_seen = t->view.n_stepped;
    for (int state = 0; state < KS_N_STATES; state++)
        if (!is_watched(t, state) && is_stopped_for(t, state)) t->seen[t->view.n_seen++] = state;
}

static int make_room(struct ks_therapy *t) {
    t->batch = t->plan.solver.kind == KS_SOLVER_cvode ? 1 : KS_THERAPY_BATCH;
    KS_ALLOCATE(t->problems, (size_t)t->batch);
    KS_ALLOCATE(t->patients, (size_t)t->batch);
    for (int i = 0; i < t->batch; i++) {
        struct patient *p = &t->patients[i];
        p->therapy = t;
        KS_ALLOCATE(p->stop_times, (size_t)t->n_stops + 1);
        KS_ALLOCATE(p->stop_rows, (size_t)t->n_stops + 1);
        KS_ALLOCATE(p->readings, (size_t)t->n_readings);
    }
    return KS_OK;
}

static int make_watch(struct ks_therapy *t) {
    size_t lanes = (size_t)t->width->lanes, n_watched = (size_t)t->view.n_watched,
           n_readings = (size_t)count_followed(t);
    KS_ALLOCATE(t->seated, lanes);
    KS_ALLOCATE(t->kinds, n_readings);
    KS_ALLOCATE(t->signs, n_readings);
    struct ks_watch *w = &t->watch;
    *w = (struct ks_watch){.n_watched = t->view.n_watched,
                           .first_reading = t->first_reading,
                           .kinds = t->kinds,
                           .signs = t->signs};
    double **arrays[] = {&w->from, &w->end, &w->value, &w->low, &w->high};
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) KS_ALLOCATE(*arrays[i], lanes * n_readings);
    KS_ALLOCATE(w->step_start, lanes);
    KS_ALLOCATE(w->step_end, lanes);
    KS_ALLOCATE(w->least, lanes * n_watched);
    KS_ALLOCATE(w->most, lanes * n_watched);
    KS_ALLOCATE(w->loud, lanes * n_readings);
    KS_ALLOCATE(w->any_loud, lanes * n_watched);
    for (size_t r = 0; r < n_readings; r++) {
        struct ks_reading reading;
        ks_reading_begin(&reading, &t->plan.endpoints[t->origins[r]], 0, 0);
        t->kinds[r] = reading.kind;
        t->signs[r] = reading.sign;
    }
    return KS_OK;
}

static void release_watch(struct ks_therapy *t) {
    struct ks_watch *w = &t->watch;
    void *arrays[] = {t->seated, t->kinds,      t->signs,    w->from,  w->end,  w->value, w->low,
                      w->high,   w->step_start, w->step_end, w->least, w->most, w->loud,  w->any_loud};
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) free(arrays[i]);
}

static const struct width *find_width(int lanes) {
#define X(w) {w, &ks_linear_program_w##w, ks_watch_add_step_w##w},
    static const struct width widths[] = {KS_THERAPY_LANES_TABLE(X)};
#undef X
    for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++)
        if (widths[i].lanes == lanes) return &widths[i];
    return NULL;
}

static int initialise(struct ks_therapy *t, const struct ks_therapy_plan *plan) {
    const struct ks_model_equations *equations = ks_model_equations(plan->lanes);
    t->width = find_width(plan->lanes);
    KS_CHECK(equations != NULL && t->width != NULL, KS_ERR_SOLVER, "this build has no equations for %d lanes",
             plan->lanes);
    t->plan = *plan;
    t->system = (struct ks_system){.n_states = KS_N_STATES,
                                   .n_inputs = KS_N_INPUTS,
                                   .n_coefficients = KS_N_COEFFICIENTS,
                                   .scales = ks_state_scales,
                                   .n_nonzeros = KS_N_NONZEROS,
                                   .rows = ks_jacobian_rows,
                                   .columns = ks_jacobian_columns,
                                   .lanes = equations->lanes,
                                   .rhs = equations->rhs,
                                   .linearise = equations->linearise,
                                   .linear = t->width->linear};
    t->evaluate = equations->quantities;
    KS_TRY(plan_stops(t));
    KS_TRY(plan_readings(t));
    plan_seen(t);
    KS_TRY(make_room(t));
    KS_TRY(make_watch(t));
    if (plan->solver.kind != KS_SOLVER_cvode) {
        struct ks_therapy_plan reference = *plan;
        reference.solver.kind = KS_SOLVER_cvode;
        reference.lanes = 1;
        KS_TRY(ks_therapy_create(&t->reference, &reference));
    }
    return ks_solver_create(&t->solver, &t->system, &t->view, &plan->solver);
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
    ks_therapy_destroy(&t->reference);
    free(t->stops);
    free(t->reading_of);
    free(t->origins);
    release_watch(t);
    for (int i = 0; t->patients != NULL && i < t->batch; i++) {
        free(t->patients[i].stop_times);
        free(t->patients[i].stop_rows);
        free(t->patients[i].readings);
    }
    free(t->patients);
    free(t->problems);
    free(t);
    *therapy = NULL;
}
