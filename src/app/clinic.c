/* Patients in arms. Endpoints that read the depression score at one time are not left to the therapy: they are computed
 * from scores, latent or as a rater sees them, so that both come from one solution. */
#include "app/study_impl.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/normal.h"
#include "base/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double LARGEST_SCORE = 60;

/* ---- creation ------------------------------------------------------------------------------------------------- */

static double time_of_endpoint(const struct ks_campaign *campaign, const struct ks_endpoint *endpoint) {
    return isinf(endpoint->from) ? campaign->parameters[KS_PARAMETER_horizon] : endpoint->from;
}

static bool reads_score(const struct ks_endpoint *endpoint) {
    return endpoint->quantity == KS_DERIVED_madrs && ks_ops[endpoint->op].reading == KS_READING_AT;
}

static int compare_times(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static bool is_needed_anywhere(const struct ks_clinic *c, const bool *is_needed, int endpoint) {
    for (int a = 0; is_needed != NULL && a < c->study->n_arms; a++)
        if (is_needed[a * c->campaign->n_endpoints + endpoint]) return true;
    return is_needed == NULL;
}

static int plan_times(struct ks_clinic *c, const bool *is_needed) {
    const struct ks_campaign *campaign = c->campaign;
    int n = 0;
    KS_ALLOCATE(c->times, (size_t)(c->study->n_visits + campaign->n_endpoints) + 1);
    KS_ALLOCATE(c->time_of, (size_t)campaign->n_endpoints);
    c->times[n++] = 0;
    for (int v = 0; v < c->study->n_visits; v++) c->times[n++] = c->study->visits[v];
    for (int e = 0; e < campaign->n_endpoints; e++)
        if (reads_score(&campaign->endpoints[e]) && is_needed_anywhere(c, is_needed, e))
            c->times[n++] = time_of_endpoint(campaign, &campaign->endpoints[e]);
    qsort(c->times, (size_t)n, sizeof *c->times, compare_times);
    for (int i = 0; i < n; i++)
        if (c->n_times == 0 || c->times[i] > c->times[c->n_times - 1]) c->times[c->n_times++] = c->times[i];
    for (int e = 0; e < campaign->n_endpoints; e++) {
        c->time_of[e] = -1;
        for (int i = 0; reads_score(&campaign->endpoints[e]) && i < c->n_times; i++)
            if (c->times[i] == time_of_endpoint(campaign, &campaign->endpoints[e])) c->time_of[e] = i;
    }
    return KS_OK;
}

static int create_arm(struct ks_clinic *c, int a, const bool *is_needed) {
    static const int quantities[] = {KS_DERIVED_madrs};
    struct ks_clinic_arm *arm = &c->arms[a];
    const struct ks_campaign *campaign = c->study->arms[a].campaign;
    bool is_any = is_needed == NULL || a == 0;
    KS_ALLOCATE(arm->endpoints, (size_t)campaign->n_endpoints);
    KS_ALLOCATE(arm->columns, (size_t)campaign->n_endpoints);
    for (int e = 0; e < campaign->n_endpoints; e++) {
        bool is_asked = is_needed == NULL || is_needed[a * campaign->n_endpoints + e];
        is_any |= is_asked;
        if (!is_asked || reads_score(&campaign->endpoints[e])) continue;
        arm->columns[arm->n_endpoints] = e;
        arm->endpoints[arm->n_endpoints++] = campaign->endpoints[e];
    }
    struct ks_therapy_plan plan = {.treatment = campaign->treatment,
                                   .n_endpoints = arm->n_endpoints,
                                   .endpoints = arm->endpoints,
                                   .n_times = c->n_times,
                                   .times = c->times,
                                   .n_quantities = 1,
                                   .quantities = quantities,
                                   .solver = campaign->solver,
                                   .lanes = c->lanes};
    return is_any ? ks_therapy_create(&arm->therapy, &plan) : KS_OK;
}

static int create(struct ks_clinic *c, const char *lanes, const bool *is_needed) {
    size_t batch;
    KS_TRY(ks_work_choose_lanes(c->campaign, lanes, &c->lanes));
    c->batch = c->campaign->solver.kind == KS_SOLVER_cvode ? 1 : KS_THERAPY_BATCH;
    batch = (size_t)c->batch;
    KS_TRY(plan_times(c, is_needed));
    KS_ALLOCATE(c->arms, (size_t)c->study->n_arms);
    for (int a = 0; a < c->study->n_arms; a++) KS_TRY(create_arm(c, a, is_needed));
    KS_ALLOCATE(c->values, batch * (size_t)c->campaign->n_endpoints);
    KS_ALLOCATE(c->scores, batch * (size_t)c->n_times);
    KS_ALLOCATE(c->vectors, batch * KS_N_PARAMETERS);
    KS_ALLOCATE(c->outcomes, batch);
    return KS_OK;
}

int ks_clinic_create(struct ks_clinic *clinic, const struct ks_campaign *campaign, const char *lanes,
                     const bool *is_needed) {
    *clinic = (struct ks_clinic){.campaign = campaign, .study = campaign->study};
    int err = create(clinic, lanes, is_needed);
    if (err < 0) ks_clinic_release(clinic);
    return err;
}

void ks_clinic_release(struct ks_clinic *c) {
    for (int a = 0; c->arms != NULL && a < c->study->n_arms; a++) {
        ks_therapy_destroy(&c->arms[a].therapy);
        free(c->arms[a].endpoints);
        free(c->arms[a].columns);
    }
    free(c->arms);
    free(c->times);
    free(c->time_of);
    free(c->values);
    free(c->scores);
    free(c->vectors);
    free(c->outcomes);
    *c = (struct ks_clinic){0};
}

/* ---- patients ------------------------------------------------------------------------------------------------- */

bool ks_clinic_allows(int parameter, double value) {
    return ks_model_is_within(ks_parameters[parameter].limits, value);
}

/* The arm's values; over them the constants of a draw, the patient's traits (by the same factor where a trait is an
 * uncertain constant too), and what the arm does to all its patients. */
static void fill_vector(const struct ks_clinic *c, int arm, int n_traits, const int *parameters,
                        const double *traits, const double *constants, double *vector) {
    const struct ks_arm *a = &c->study->arms[arm];
    const struct ks_population *uncertain = &c->study->uncertainty.constants;
    memcpy(vector, a->campaign->parameters, KS_N_PARAMETERS * sizeof *vector);
    for (int k = 0; k < n_traits; k++)
        if (parameters[k] >= 0) vector[parameters[k]] = traits[k];
    for (int k = 0; constants != NULL && k < uncertain->n_traits; k++) {
        int p = uncertain->traits[k].parameter;
        bool is_trait = false;
        for (int i = 0; i < n_traits; i++) is_trait |= parameters[i] == p;
        vector[p] = is_trait ? vector[p] * (constants[k] / uncertain->traits[k].base) : constants[k];
    }
    for (int k = 0; k < a->n_named; k++) vector[a->named[k]] = a->campaign->parameters[a->named[k]];
}

static bool is_allowed(const double *vector) {
    for (int p = 0; p < KS_N_PARAMETERS; p++)
        if (!ks_clinic_allows(p, vector[p])) return false;
    return true;
}

static double at_score(const struct ks_endpoint *endpoint, double baseline, double score, bool is_depressed) {
    switch (endpoint->op) {
    case KS_OP_value:
        return score;
    case KS_OP_change:
        return score - baseline;
    case KS_OP_ratio:
        return score / baseline;
    case KS_OP_at_most:
        return is_depressed ? score <= endpoint->threshold : NAN;
    default:
        return is_depressed ? score <= endpoint->threshold * baseline : NAN;
    }
}

static void fill_result(const struct ks_clinic *c, int arm, int i, struct ks_course_result *result) {
    const struct ks_campaign *campaign = c->campaign;
    const struct ks_clinic_arm *a = &c->arms[arm];
    memcpy(result->scores, &c->scores[i * c->n_times], (size_t)c->n_times * sizeof(double));
    for (int e = 0; e < campaign->n_endpoints; e++) {
        result->endpoints[e] = NAN;
        if (c->time_of[e] >= 0)
            result->endpoints[e] = at_score(&campaign->endpoints[e], result->scores[0],
                                            result->scores[c->time_of[e]], result->status == KS_STATUS_done);
    }
    for (int k = 0; k < a->n_endpoints; k++)
        result->endpoints[a->columns[k]] = c->values[i * a->n_endpoints + k];
}

int ks_clinic_treat(struct ks_clinic *c, int arm, int n, int n_traits, const int *parameters,
                    const double *const *traits, const double *constants, struct ks_course_result *results) {
    static const uint64_t nobody = (uint64_t)1 << 62; /* no schedule names such a patient */
    struct ks_clinic_arm *a = &c->arms[arm];
    KS_ASSERT(n <= c->batch && a->therapy != NULL);
    int admitted[KS_THERAPY_BATCH], n_admitted = 0;
    for (int i = 0; i < n; i++) {
        double *vector = &c->vectors[n_admitted * KS_N_PARAMETERS];
        fill_vector(c, arm, n_traits, parameters, traits[i], constants, vector);
        results[i].status = KS_STATUS_bad_protocol;
        for (int t = 0; t < c->n_times; t++) results[i].scores[t] = NAN;
        for (int e = 0; e < c->campaign->n_endpoints; e++) results[i].endpoints[e] = NAN;
        if (!is_allowed(vector)) continue; /* a draw took it beyond the model's limits */
        c->outcomes[n_admitted] = (struct ks_outcome){.endpoints = &c->values[n_admitted * a->n_endpoints],
                                                      .trajectory = &c->scores[n_admitted * c->n_times],
                                                      .status = KS_STATUS_done};
        admitted[n_admitted++] = i;
    }
    KS_TRY(ks_therapy_simulate(a->therapy, nobody, n_admitted, c->vectors, c->outcomes));
    for (int k = 0; k < n_admitted; k++) {
        results[admitted[k]].status = c->outcomes[k].status;
        fill_result(c, arm, k, &results[admitted[k]]);
    }
    return KS_OK;
}

/* ---- what a rater sees ------------------------------------------------------------------------------------------ */

/* Rater 0 is the one who sees the patient; errors are of (patient, time, rater). */
static double observe(const struct ks_clinical_study *study, uint64_t patient, double time, int rater,
                      double score) {
    uint64_t bits;
    if (study->score_sd == 0) return score;
    memcpy(&bits, &time, sizeof bits);
    bits += (uint64_t)rater * 0x9e3779b97f4a7c15u;
    double u = ks_random_uniform(study->seed, KS_STREAM_observation, patient, bits);
    double seen = score + study->score_sd * ks_normal_quantile(u);
    return seen < 0 ? 0 : seen > LARGEST_SCORE ? LARGEST_SCORE : seen; /* NaN stays */
}

double ks_clinic_observe(const struct ks_clinical_study *study, uint64_t patient, double time, double score) {
    return observe(study, patient, time, 0, score);
}

static double measure(const struct ks_clinic *c, int endpoint, uint64_t patient, int rater,
                      const struct ks_course_result *result) {
    if (c->time_of[endpoint] < 0) return result->endpoints[endpoint];
    double baseline = observe(c->study, patient, 0, rater, result->scores[0]);
    double time = c->times[c->time_of[endpoint]];
    double score = observe(c->study, patient, time, rater, result->scores[c->time_of[endpoint]]);
    return at_score(&c->campaign->endpoints[endpoint], baseline, score, result->status == KS_STATUS_done);
}

double ks_clinic_measure(const struct ks_clinic *c, int endpoint, uint64_t patient,
                         const struct ks_course_result *result) {
    return measure(c, endpoint, patient, 0, result);
}

double ks_clinic_expect(const struct ks_clinic *c, int endpoint, uint64_t patient,
                        const struct ks_course_result *result) {
    double sum = 0;
    if (c->time_of[endpoint] < 0 || c->study->score_sd == 0) return measure(c, endpoint, patient, 0, result);
    for (int rater = 0; rater < KS_RATERS; rater++) sum += measure(c, endpoint, patient, rater, result);
    return sum / KS_RATERS;
}

double ks_clinic_lost_variance(const struct ks_clinical_study *study, const struct ks_endpoint *endpoint) {
    double lost = study->score_sd * study->score_sd * (1 - 1.0 / KS_RATERS);
    if (!reads_score(endpoint)) return 0;
    return endpoint->op == KS_OP_value ? lost : endpoint->op == KS_OP_change ? 2 * lost : 0;
}
