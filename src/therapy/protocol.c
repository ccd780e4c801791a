/* From a parameter vector to the course of a patient: doses and sessions as intervals, their starts and ends as
 * edges, and the inputs between them. Overlapping doses and sessions add. */
#include "base/error.h"
#include "base/memory.h"
#include "base/status.h"
#include "therapy/therapy_impl.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct interval {
    double start, end;
    enum ks_input input;
    double amount; /* of the input while it lasts */
    bool is_dose;
};

struct intervals {
    int n;
    struct interval *list;
};

/* Shorter doses would be lost between two representable times of a long course. */
static const double shortest_h = 1e-6;

/* Edges closer than this are one: the same time reached by different sums. */
static double closeness(double t) {
    return 1e-12 * (1 + fabs(t));
}

static void add_dose(struct intervals *intervals, double time, double mg, double duration, int route) {
    enum ks_input input = route == KS_ROUTE_iv ? KS_INPUT_infusion_central : KS_INPUT_infusion_depot;
    intervals->list[intervals->n++] = (struct interval){time, time + duration, input, mg / duration, true};
    intervals->list[intervals->n++] =
        (struct interval){time, time + duration, KS_INPUT_dosing, 1 / duration, true};
}

static void add_session(struct intervals *intervals, double time, double duration) {
    intervals->list[intervals->n++] = (struct interval){time, time + duration, KS_INPUT_session, 1, false};
}

static bool concerns(uint64_t id, uint64_t point) {
    return id == 0 || id - 1 == point;
}

size_t ks_therapy_count_doses(const struct ks_treatment *treatment,
                              const double parameters[KS_N_PARAMETERS]) {
    return treatment->has_infusion_events ? treatment->n_infusion_events
                                          : (size_t)parameters[KS_PARAMETER_infusion_count];
}

struct ks_infusion_event ks_therapy_dose(const struct ks_treatment *treatment,
                                         const double parameters[KS_N_PARAMETERS], size_t i) {
    if (treatment->has_infusion_events) return treatment->infusion_events[i];
    double dose = parameters[KS_PARAMETER_infusion_dose];
    return (struct ks_infusion_event){.time_h = parameters[KS_PARAMETER_infusion_start] +
                                                (double)i * parameters[KS_PARAMETER_infusion_interval],
                                      .dose = dose,
                                      .duration_h = treatment->uses_rate
                                                        ? dose / parameters[KS_PARAMETER_infusion_rate]
                                                        : parameters[KS_PARAMETER_infusion_duration],
                                      .route = (int)parameters[KS_PARAMETER_route]};
}

size_t ks_therapy_count_sessions(const struct ks_treatment *treatment,
                                 const double parameters[KS_N_PARAMETERS]) {
    return treatment->has_session_events ? treatment->n_session_events
                                         : (size_t)parameters[KS_PARAMETER_session_count];
}

struct ks_session_event ks_therapy_session(const struct ks_treatment *treatment,
                                           const double parameters[KS_N_PARAMETERS], size_t i) {
    if (treatment->has_session_events) return treatment->session_events[i];
    double first = parameters[KS_PARAMETER_infusion_start] + parameters[KS_PARAMETER_session_delay];
    return (struct ks_session_event){.time_h = first + (double)i * parameters[KS_PARAMETER_session_interval],
                                     .duration_h = parameters[KS_PARAMETER_session_duration]};
}

static int collect_intervals(const struct ks_treatment *treatment, const double *parameters, uint64_t point,
                             struct intervals *intervals) {
    size_t n_doses = ks_therapy_count_doses(treatment, parameters),
           n_sessions = ks_therapy_count_sessions(treatment, parameters);
    double per_unit = treatment->is_dose_per_kg ? parameters[KS_PARAMETER_weight] : 1;
    KS_ALLOCATE(intervals->list, 2 * n_doses + n_sessions);
    for (size_t i = 0; i < n_doses; i++) {
        struct ks_infusion_event e = ks_therapy_dose(treatment, parameters, i);
        if (concerns(e.id, point)) add_dose(intervals, e.time_h, e.dose * per_unit, e.duration_h, e.route);
    }
    for (size_t i = 0; i < n_sessions; i++) {
        struct ks_session_event e = ks_therapy_session(treatment, parameters, i);
        if (concerns(e.id, point)) add_session(intervals, e.time_h, e.duration_h);
    }
    return KS_OK;
}

/* Whether the intervals can be followed; else why not. */
static bool is_possible(const struct intervals *intervals, double horizon, char *reason, int size) {
    for (int i = 0; i < intervals->n; i++) {
        const struct interval *v = &intervals->list[i];
        const char *what = v->is_dose ? "dose" : "session";
        if (!(v->end - v->start >= shortest_h))
            snprintf(reason, (size_t)size, "a %s at %g h lasts %g h; the shortest is %g h", what, v->start,
                     v->end - v->start, shortest_h);
        else if (v->start > horizon)
            snprintf(reason, (size_t)size, "a %s starts at %g h, after the horizon of %g h", what, v->start,
                     horizon);
        else
            continue;
        return false;
    }
    return true;
}

static int compare_times(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The distinct edges in [0, horizon], both among them. */
static int collect_edges(const struct intervals *intervals, double horizon, int *n_edges, double **edges) {
    double *times;
    KS_ALLOCATE(times, 2 * (size_t)intervals->n + 2);
    int n = 0, n_distinct = 0;
    for (int i = 0; i < intervals->n; i++) {
        times[n++] = fmin(intervals->list[i].start, horizon);
        times[n++] = fmin(intervals->list[i].end, horizon);
    }
    times[n++] = 0;
    times[n++] = horizon;
    qsort(times, (size_t)n, sizeof *times, compare_times);
    for (int i = 0; i < n; i++) {
        if (n_distinct == 0 || times[i] - times[n_distinct - 1] > closeness(times[i]))
            times[n_distinct++] = times[i];
        else if (times[i] == horizon)
            times[n_distinct - 1] = horizon;
    }
    *n_edges = n_distinct;
    *edges = times;
    return KS_OK;
}

static int fill_course(const struct intervals *intervals, double horizon, struct ks_course *course) {
    double *edges = NULL, *inputs;
    int n_edges = 0;
    KS_TRY(collect_edges(intervals, horizon, &n_edges, &edges));
    course->edges = edges;
    course->n_segments = n_edges - 1;
    KS_ALLOCATE(inputs, (size_t)(n_edges - 1) * KS_N_INPUTS);
    course->inputs = inputs;
    for (int i = 0; i < n_edges - 1; i++) {
        double middle = 0.5 * (edges[i] + edges[i + 1]);
        for (int k = 0; k < intervals->n; k++) {
            const struct interval *v = &intervals->list[k];
            if (v->start <= middle && middle < v->end) inputs[i * KS_N_INPUTS + v->input] += v->amount;
        }
    }
    return KS_OK;
}

int ks_protocol_build_course(const struct ks_treatment *treatment, const double parameters[KS_N_PARAMETERS],
                             uint64_t point, struct ks_course *course, int *status, char *reason,
                             int reason_size) {
    struct intervals intervals = {0, NULL};
    double horizon = parameters[KS_PARAMETER_horizon];
    course->n_segments = 0;
    course->edges = course->inputs = NULL;
    *status = KS_STATUS_bad_protocol;
    int err = collect_intervals(treatment, parameters, point, &intervals);
    if (err == KS_OK && is_possible(&intervals, horizon, reason, reason_size)) {
        *status = KS_STATUS_done;
        err = fill_course(&intervals, horizon, course);
    }
    free(intervals.list);
    return err;
}

void ks_protocol_release_course(struct ks_course *course) {
    free((void *)course->edges);
    free((void *)course->inputs);
    course->edges = course->inputs = NULL;
}

int ks_therapy_edges(const struct ks_treatment *treatment, const double parameters[KS_N_PARAMETERS],
                     uint64_t point, int *n_edges, double **edges, int *status, char *reason,
                     int reason_size) {
    struct ks_course course;
    char unread[160];
    if (reason == NULL) reason = unread, reason_size = sizeof unread;
    int err = ks_protocol_build_course(treatment, parameters, point, &course, status, reason, reason_size);
    bool has_edges = err == KS_OK && *status == KS_STATUS_done;
    *n_edges = has_edges ? course.n_segments + 1 : 0;
    *edges = has_edges ? (double *)course.edges : NULL;
    if (has_edges) course.edges = NULL;
    ks_protocol_release_course(&course);
    return err;
}

/* The route whose depot is used: of the regular doses, or of the first explicit one that is not intravenous. */
static int depot_route(const struct ks_treatment *treatment, const double *parameters) {
    if (!treatment->has_infusion_events) return (int)parameters[KS_PARAMETER_route];
    for (size_t i = 0; i < treatment->n_infusion_events; i++)
        if (treatment->infusion_events[i].route != KS_ROUTE_iv) return treatment->infusion_events[i].route;
    return KS_ROUTE_iv;
}

void ks_therapy_apply_route(const struct ks_treatment *treatment, double parameters[KS_N_PARAMETERS]) {
    const struct ks_route_info *route = &ks_routes[depot_route(treatment, parameters)];
    if (!treatment->keeps_absorption[0]) parameters[KS_PARAMETER_bioavailability] = route->bioavailability;
    if (!treatment->keeps_absorption[1]) parameters[KS_PARAMETER_absorption_rate] = route->absorption_rate;
    if (!treatment->keeps_absorption[2])
        parameters[KS_PARAMETER_first_pass_norketamine] = route->first_pass_norketamine;
}
