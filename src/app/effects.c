/* Which varied parameters change anything: each is moved from one end of its distribution to the other at a few points
 * of the design, all else being equal, and the outputs are compared. A parameter that acts through a session when none
 * is held, through a mechanism that is off or through a route that is not used is found so, whatever the model is. */
#include "app/app_impl.h"
#include "base/error.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BASES = 4, MOST_PARAMETERS = 64, MOST_NUMBERS = 1 << 24 /* of output in memory */ };
static const double most_seconds = 3;

/* The steps of the solver follow every state, so that an output moves a little with what it does not depend on. */
static const double steps_of_rtol = 100;

/* Both ends of the middle nine tenths of a parameter. */
static void find_ends(const struct ks_design *design, int i, double ends[2]) {
    const struct ks_variable *v = &design->variables[i];
    if (design->kind == KS_DESIGN_grid) {
        ends[0] = v->levels[0];
        ends[1] = v->levels[v->n_levels - 1];
    } else if (design->kind == KS_DESIGN_file) {
        ends[0] = INFINITY;
        ends[1] = -INFINITY;
        for (uint64_t k = 0; k < design->n_points; k++) {
            double value = design->rows[k * (uint64_t)design->n_variables + (uint64_t)i];
            ends[0] = fmin(ends[0], value);
            ends[1] = fmax(ends[1], value);
        }
    } else {
        ends[0] = ks_distribution_quantile(&v->distribution, 0.05);
        ends[1] = ks_distribution_quantile(&v->distribution, 0.95);
    }
}

/* Rows of a design from a file: at each base both ends of each parameter. */
static void fill_rows(const struct ks_campaign *campaign, uint64_t n_bases, double *parameters,
                      double *rows) {
    const struct ks_design *design = &campaign->design;
    size_t n = (size_t)design->n_variables;
    for (uint64_t b = 0; b < n_bases; b++)
        for (size_t i = 0; i < n; i++) {
            double ends[2];
            find_ends(design, (int)i, ends);
            for (int end = 0; end < 2; end++, rows += n) {
                ks_work_point(campaign, ks_plan_spread(b, n_bases, design->n_points), rows, parameters);
                rows[i] = ends[end];
            }
        }
}

static bool differs(double a, double b, double tolerance) {
    if (isnan(a) || isnan(b)) return isnan(a) != isnan(b);
    return fabs(a - b) > tolerance * fmax(fabs(a), fabs(b));
}

static void compare(const struct ks_work *work, bool *has_effect) {
    const struct ks_schema *schema = &work->schema;
    const struct ks_rows *rows = &work->rows;
    size_t n = (size_t)schema->n_parameters, n_endpoints = (size_t)schema->n_endpoints,
           n_course = (size_t)schema->n_times * (size_t)schema->n_states;
    double tolerance = steps_of_rtol * work->campaign->solver.rtol;
    for (size_t row = 0; row < rows->n_rows; row += 2) {
        bool *answer = &has_effect[row / 2 % n];
        *answer |= ks_status_is_failure(rows->status[row]) || ks_status_is_failure(rows->status[row + 1]);
        for (size_t k = 0; k < n_endpoints && !*answer; k++)
            *answer = differs(rows->endpoints[row * n_endpoints + k],
                              rows->endpoints[(row + 1) * n_endpoints + k], tolerance);
        for (size_t k = 0; k < n_course && !*answer; k++)
            *answer = differs(rows->trajectories[row * n_course + k],
                              rows->trajectories[(row + 1) * n_course + k], tolerance);
    }
}

static int simulate(const struct ks_campaign *campaign, uint64_t n_bases, double *parameters, double *points,
                    bool *has_effect) {
    struct ks_campaign trial = *campaign;
    struct ks_work work;
    uint64_t n_points = 2 * n_bases * (uint64_t)campaign->design.n_variables, count = n_points;
    fill_rows(campaign, n_bases, parameters, points);
    trial.solver.kind = KS_SOLVER_rosenbrock;
    trial.design = (struct ks_design){.kind = KS_DESIGN_file,
                                      .n_points = n_points,
                                      .n_bases = n_points,
                                      .n_variables = campaign->design.n_variables,
                                      .variables = campaign->design.variables,
                                      .rows = points};
    KS_TRY(ks_work_create(&work, &trial, NULL, n_points));
    int err = ks_work_simulate(&work, 0, &count);
    if (err == KS_OK) compare(&work, has_effect);
    ks_work_release(&work);
    return err;
}

/* How many points of the design there is time and memory for; 0: none. */
static uint64_t choose_bases(const struct ks_campaign *campaign, double seconds_per_point) {
    const struct ks_design *design = &campaign->design;
    double n_moves = 2.0 * design->n_variables, n_bases = floor(most_seconds / (n_moves * seconds_per_point));
    double n_numbers = (double)campaign->n_endpoints;
    if (campaign->has_trajectories) n_numbers += (double)campaign->n_times * campaign->n_quantities;
    bool is_wanted = campaign->function == NULL && design->n_variables > 0 &&
                     design->n_variables <= MOST_PARAMETERS &&
                     design->kind != KS_DESIGN_morris; /* whose purpose it is */
    n_bases = fmin(fmin(n_bases, floor(MOST_NUMBERS / (n_moves * n_numbers + 1))), MOST_BASES);
    return is_wanted && n_bases >= 1 ? (uint64_t)n_bases : 0;
}

int ks_effects_find(const struct ks_campaign *campaign, double seconds_per_point, bool *has_effect) {
    size_t n = (size_t)campaign->design.n_variables;
    uint64_t n_bases = choose_bases(campaign, seconds_per_point);
    for (size_t i = 0; i < n; i++) has_effect[i] = n_bases == 0;
    if (n_bases == 0) return KS_OK;
    double *points = ks_memory_allocate(2 * (size_t)n_bases * n * n, sizeof *points);
    double *parameters = ks_memory_allocate((size_t)campaign->n_parameters, sizeof *parameters);
    int err = points != NULL && parameters != NULL
                  ? simulate(campaign, n_bases, parameters, points, has_effect)
                  : ks_error_raise(KS_ERR_MEMORY, __FILE__, __LINE__, "no memory to try the parameters");
    free(points);
    free(parameters);
    return err;
}

/* ---- why ------------------------------------------------------------------------------------------------------ */

static bool is_one_of(int parameter, int n, const int *list) {
    for (int i = 0; i < n; i++)
        if (list[i] == parameter) return true;
    return false;
}

/* The largest value of a parameter of the protocol, fixed or varied. */
static double find_most(const struct ks_campaign *campaign, int parameter) {
    for (int i = 0; i < campaign->design.n_variables; i++) {
        double ends[2];
        if (campaign->design.variables[i].parameter != parameter) continue;
        find_ends(&campaign->design, i, ends);
        return fmax(ends[0], ends[1]);
    }
    return campaign->parameters[parameter];
}

/* The names of the mechanisms that are off. */
static bool list_switches(const struct ks_campaign *campaign, char *text, size_t size) {
    size_t used = 0;
    for (int i = 0; i < KS_N_PARAMETERS; i++)
        if (strcmp(ks_parameters[i].group, "mechanism") == 0 && campaign->parameters[i] == 0 && used < size)
            used += (size_t)snprintf(text + used, size - used, "%s%s", used > 0 ? ", " : "",
                                     ks_parameters[i].name);
    return used > 0;
}

void ks_effects_explain(const struct ks_campaign *campaign, int variable, char *text, size_t size) {
    static const int by_sessions[] = {KS_PARAMETER_session_delay,     KS_PARAMETER_session_interval,
                                      KS_PARAMETER_session_duration,  KS_PARAMETER_consolidation,
                                      KS_PARAMETER_schema_unlearning, KS_PARAMETER_coping_learning,
                                      KS_PARAMETER_coping_forgetting, KS_PARAMETER_mood_coping,
                                      KS_PARAMETER_stress_coping,     KS_PARAMETER_mechanism_window},
                     by_depot[] = {KS_PARAMETER_absorption_rate, KS_PARAMETER_bioavailability,
                                   KS_PARAMETER_first_pass_norketamine},
                     by_infusions[] = {KS_PARAMETER_infusion_dose, KS_PARAMETER_infusion_rate,
                                       KS_PARAMETER_infusion_duration, KS_PARAMETER_infusion_interval,
                                       KS_PARAMETER_infusion_start};
    const struct ks_treatment *t = &campaign->treatment;
    int parameter = campaign->design.variables[variable].parameter;
    double n_sessions =
        t->has_session_events ? (double)t->n_session_events : find_most(campaign, KS_PARAMETER_session_count);
    double n_infusions = t->has_infusion_events ? (double)t->n_infusion_events
                                                : find_most(campaign, KS_PARAMETER_infusion_count);
    char switches[160];
    double ends[2];
    find_ends(&campaign->design, variable, ends);
    if (ends[0] == ends[1])
        snprintf(text, size, "it has one value, %.6g; give it more, or set it and do not vary it", ends[0]);
    else if (is_one_of(parameter, 10, by_sessions) && n_sessions == 0)
        snprintf(text, size, "no session is held; set protocol.session_count, or do not vary it");
    else if (parameter == KS_PARAMETER_session_interval && n_sessions == 1)
        snprintf(text, size, "one session has no interval; set protocol.session_count, or do not vary it");
    else if (is_one_of(parameter, 3, by_depot) && find_most(campaign, KS_PARAMETER_route) == KS_ROUTE_iv)
        snprintf(text, size, "the route iv has no absorption; set protocol.route, or do not vary it");
    else if (is_one_of(parameter, 5, by_infusions) && n_infusions == 0)
        snprintf(text, size, "no infusion is given; set protocol.infusion_count, or do not vary it");
    else if (parameter == KS_PARAMETER_infusion_interval && n_infusions == 1)
        snprintf(text, size, "one infusion has no interval; set protocol.infusion_count, or do not vary it");
    else if (list_switches(campaign, switches, sizeof switches))
        snprintf(text, size, "switched off here: %s; do not vary it, or set it to 1", switches);
    else
        snprintf(text, size,
                 "nothing of output depends on it under this protocol; do not vary it, or add an endpoint "
                 "that does");
}
