/* What a trial says of its arms, from what raters saw. */
#include "app/study_impl.h"
#include "base/elementary.h"
#include "base/random.h"

#include <math.h>

enum { STATUS, SCORES }; /* of an arm's part of a row */

static const double REMISSION = 10; /* points */

/* ---- from rows to what is seen --------------------------------------------------------------------------------------- */

static const double *part_of(const struct ks_ward *w, size_t patient, int arm) {
    size_t width = 1 + (size_t)w->clinic->n_times + (size_t)w->clinic->campaign->n_endpoints;
    return &w->rows[patient * w->stride + 1 + (size_t)arm * width];
}

/* A patient is out in all arms where one could not be solved, or where these constants leave nobody ill. */
static bool takes_part(const struct ks_ward *w, size_t patient) {
    for (int a = 0; a < w->clinic->study->n_arms; a++)
        if (part_of(w, patient, a)[STATUS] != KS_STATUS_done) return false;
    return true;
}

/* When the patient is lost, h; the chance per week is the same throughout. */
static double time_lost(const struct ks_clinical_study *study, uint64_t candidate) {
    if (study->trial.dropout == 0) return INFINITY;
    double u = ks_random_uniform(study->seed, KS_STREAM_dropout, candidate, 0);
    return 168 * ks_elementary_log(u) / ks_elementary_log1p(-study->trial.dropout);
}

/* What is seen of a patient in an arm; the time from which nothing is. */
static double observe_arm(struct ks_ward *w, size_t patient, int arm) {
    const struct ks_clinical_study *study = w->clinic->study;
    const double *scores = part_of(w, patient, arm) + SCORES;
    uint64_t candidate = w->patients->candidates[patient];
    double *seen = &w->observed[((size_t)arm * w->patients->m + patient) * (size_t)(w->n_visits + 1)];
    double lost = time_lost(study, candidate);
    seen[0] = ks_clinic_observe(study, candidate, 0, scores[0]);
    for (int v = 0; v < w->n_visits; v++) {
        double time = w->clinic->times[w->visit_times[v]];
        double score = ks_clinic_observe(study, candidate, time, scores[w->visit_times[v]]);
        seen[v + 1] = time <= lost ? score : NAN;
        bool is_given_up =
            time >= study->trial.rescue_after && seen[v + 1] > study->trial.rescue_ratio * seen[0];
        if (is_given_up && time < lost) lost = time; /* seen once more, then treated otherwise */
    }
    return lost;
}

static double measure_after_loss(const struct ks_ward *w, int endpoint, double lost, double value) {
    int time = w->clinic->time_of[endpoint];
    if (time < 0 || w->clinic->times[time] <= lost) return value;
    enum ks_op op = w->clinic->campaign->endpoints[endpoint].op;
    return op == KS_OP_at_most || op == KS_OP_ratio_at_most ? 0 : NAN;
}

static void observe_patient(struct ks_ward *w, size_t patient) {
    const struct ks_clinical_study *study = w->clinic->study;
    const struct ks_patients *p = w->patients;
    for (int a = 0; a < study->n_arms; a++) {
        const double *part = part_of(w, patient, a);
        double lost = observe_arm(w, patient, a);
        struct ks_course_result result = {(int)part[STATUS], (double *)&part[SCORES],
                                          (double *)&part[SCORES + w->clinic->n_times]};
        for (int i = 0; i < study->n_measures; i++) {
            const struct ks_measure *m = &study->measures[i];
            if (m->trait >= 0 || m->arm != a) continue;
            double value = ks_clinic_measure(w->clinic, m->endpoint, p->candidates[patient], &result);
            w->measures[(size_t)i * p->m + patient] = measure_after_loss(w, m->endpoint, lost, value);
        }
    }
    for (int i = 0; i < study->n_measures; i++)
        if (study->measures[i].trait >= 0)
            w->measures[(size_t)i * p->m + patient] =
                p->inputs[patient * (size_t)p->n_traits + (size_t)study->measures[i].trait];
}

void ks_summary_observe(struct ks_ward *w) {
    for (size_t j = 0; j < w->patients->m; j++) {
        w->weights[j] = takes_part(w, j) ? w->patients->weights[j] : 0;
        observe_patient(w, j);
    }
}

/* ---- an arm ---------------------------------------------------------------------------------------------------------- */

static size_t member(const struct ks_trial_group *group, size_t i) {
    return group->who != NULL ? group->who[i] : i;
}

static double weight_of(const struct ks_ward *w, const struct ks_trial_group *group, size_t i) {
    double own = group->weights != NULL ? group->weights[i] : 1;
    return w->weights[member(group, i)] > 0 ? own : 0;
}

static double mean_of(const struct ks_ward *w, const struct ks_trial_group *group, const double *values,
                      double *weights) {
    for (size_t i = 0; i < group->n; i++) weights[i] = weight_of(w, group, i);
    return ks_statistics_mean(group->n, values, weights);
}

struct at_visit {
    double score, change, sd, response, remission, seen;
};

/* `scratch` [2 n]. */
static struct at_visit look(const struct ks_ward *w, int arm, const struct ks_trial_group *group, int visit,
                            double *scratch) {
    double *x = scratch, *weights = scratch + group->n;
    struct at_visit at;
    const double *seen = &w->observed[(size_t)arm * w->patients->m * (size_t)(w->n_visits + 1)];
#define FILL(expression)                                                         \
    for (size_t i = 0; i < group->n; i++) {                                      \
        const double *row = &seen[member(group, i) * (size_t)(w->n_visits + 1)]; \
        double base = row[0], score = row[visit + 1];                            \
        (void)base;                                                              \
        x[i] = (expression);                                                     \
    }
    FILL(score)
    at.score = mean_of(w, group, x, weights);
    FILL(score - base)
    at.change = mean_of(w, group, x, weights);
    at.sd = ks_statistics_sd(group->n, x, weights);
    FILL(score <= 0.5 * base)
    at.response = mean_of(w, group, x, weights);
    FILL(score <= REMISSION)
    at.remission = mean_of(w, group, x, weights);
    FILL(!isnan(score))
    at.seen = mean_of(w, group, x, weights);
#undef FILL
    return at;
}

enum { MOST_VISITS = 1024 };

static void list_visits(const struct ks_ward *w, double visits[MOST_VISITS]) {
    KS_ASSERT(w->n_visits <= MOST_VISITS);
    for (int v = 0; v < w->n_visits; v++) visits[v] = w->clinic->times[w->visit_times[v]];
}

/* Survival of the responders at visit *from, and the steps h since then [n_visits], of which the number is returned.
 * `scratch` [4 n]. */
static int survive(const struct ks_ward *w, int arm, const struct ks_trial_group *group, double *scratch,
                   int *from, double *steps, double *survival) {
    const double *seen = &w->observed[(size_t)arm * w->patients->m * (size_t)(w->n_visits + 1)];
    double visits[MOST_VISITS], *times = scratch, *weights = scratch + group->n;
    bool *is_event = (bool *)(scratch + 2 * group->n);
    int n_steps = 0;
    size_t n = 0;
    list_visits(w, visits);
    *from = ks_survival_first_visit(w->n_visits, visits, w->clinic->study->trial.responders_at);
    for (int v = *from + 1; v < w->n_visits; v++) steps[n_steps++] = visits[v] - visits[*from];
    for (size_t i = 0; i < group->n; i++) {
        const double *row = &seen[member(group, i) * (size_t)(w->n_visits + 1)];
        if (weight_of(w, group, i) == 0 ||
            !ks_survival_follow(w->n_visits, visits, *from, row, &times[n], &is_event[n]))
            continue;
        weights[n++] = weight_of(w, group, i);
    }
    ks_survival_curve(n, times, is_event, weights, n_steps, steps, survival);
    for (int s = 0; n == 0 && s < n_steps; s++) survival[s] = NAN;
    return n_steps;
}

void ks_summary_of_arm(const struct ks_ward *w, int arm, const struct ks_trial_group *group, int control_arm,
                       const struct ks_trial_group *control, double *scratch, double *out) {
    double steps[MOST_VISITS], survival[MOST_VISITS];
    int from;
    survive(w, arm, group, scratch, &from, steps, survival);
    for (int v = 0; v < w->n_visits; v++, out += KS_N_STATISTICS) {
        struct at_visit at = look(w, arm, group, v, scratch);
        for (int s = 0; s < KS_N_STATISTICS; s++) out[s] = NAN;
        out[KS_STATISTIC_score_mean] = at.score;
        out[KS_STATISTIC_change_mean] = at.change;
        out[KS_STATISTIC_change_sd] = at.sd;
        out[KS_STATISTIC_response] = at.response;
        out[KS_STATISTIC_remission] = at.remission;
        out[KS_STATISTIC_seen] = at.seen;
        if (v > from) out[KS_STATISTIC_relapse_free] = survival[v - from - 1];
        if (control == NULL) continue;
        struct at_visit other = look(w, control_arm, control, v, scratch);
        out[KS_STATISTIC_difference] = at.change - other.change;
        out[KS_STATISTIC_effect_size] =
            (at.change - other.change) / sqrt((at.sd * at.sd + other.sd * other.sd) / 2);
        out[KS_STATISTIC_response_difference] = at.response - other.response;
        out[KS_STATISTIC_number_needed] = 1 / (at.response - other.response);
    }
}

/* ---- targets ----------------------------------------------------------------------------------------------------------- */

static void take(const struct ks_ward *w, const struct ks_trial_group *group, int measure, int given,
                 double *x, double *weights) {
    const double *values = &w->measures[(size_t)measure * w->patients->m];
    const double *conditions = given >= 0 ? &w->measures[(size_t)given * w->patients->m] : NULL;
    for (size_t i = 0; i < group->n; i++) {
        size_t who = member(group, i);
        x[i] = conditions == NULL || conditions[who] == 1 ? values[who] : NAN;
        weights[i] = weight_of(w, group, i);
    }
}

double ks_summary_of_target(const struct ks_ward *w, const struct ks_target *target,
                            const struct ks_trial_group *group, const struct ks_trial_group *other,
                            double *scratch) {
    size_t n = group->n > other->n ? group->n : other->n;
    double *x = scratch, *y = x + n, *x_weights = y + n, *y_weights = x_weights + n;
    if (target->kind == KS_TARGET_median_relapse) {
        double steps[MOST_VISITS], survival[MOST_VISITS];
        int from, arm = w->clinic->study->measures[target->measure].arm;
        int n_steps = survive(w, arm, group, scratch, &from, steps, survival);
        return ks_survival_median(n_steps, steps, survival) / 24;
    }
    take(w, group, target->measure, target->given, x, x_weights);
    if (target->other >= 0) take(w, other, target->other, target->given, y, y_weights);
    struct ks_measured measured = {group->n, other->n, x, y, x_weights, y_weights};
    return ks_selection_evaluate(target, &measured, y_weights + n);
}
