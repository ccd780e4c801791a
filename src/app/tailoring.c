/* Which arm suits which patients: remission at the last visit, less what exposure and dissociation cost. Two arms are told
 * apart where the interval of their difference, draw by draw under the same constants, leaves out 0; else no winner is
 * named. A group's answer says nothing of one patient's. */
#include "app/study_impl.h"
#include "base/error.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_DRAWS = 20, MOST_GROUPS = 16 };

static const char *const split_traits[] = {"inflammation_baseline", "nmdar_density", "weight"};

static int find_endpoint(const struct ks_campaign *campaign, const char *name) {
    for (int e = 0; e < campaign->n_endpoints; e++)
        if (strcmp(campaign->endpoints[e].name, name) == 0) return e;
    return -1;
}

int ks_tailoring_create(struct ks_tailoring *t, const struct ks_ward *ward) {
    const struct ks_clinical_study *study = ward->clinic->study;
    const struct ks_campaign *campaign = ward->clinic->campaign;
    KS_CHECK(find_endpoint(campaign, "ketamine_auc") >= 0 && find_endpoint(campaign, "cadss_peak") >= 0 &&
                 ward->n_visits > 0,
             KS_ERR_USAGE, "%s: tailor needs the endpoints ketamine_auc and cadss_peak, and a visit",
             campaign->path);
    size_t size = (size_t)(study->uncertainty.n_draws + 1) * MOST_GROUPS * (size_t)study->n_arms;
    t->n_arms = study->n_arms;
    t->n_draws = study->uncertainty.n_draws;
    KS_ALLOCATE(t->names, MOST_GROUPS);
    KS_ALLOCATE(t->is_in, MOST_GROUPS * ward->patients->m);
    KS_ALLOCATE(t->share, 4 * size);
    t->exposure = t->share + size;
    t->dissociation = t->exposure + size;
    t->worth = t->dissociation + size;
    return KS_OK;
}

void ks_tailoring_release(struct ks_tailoring *t) {
    free(t->names);
    free(t->is_in);
    free(t->share);
    *t = (struct ks_tailoring){0};
}

/* ---- subgroups --------------------------------------------------------------------------------------------------------- */

struct ranked {
    double value, weight;
};

static int compare_ranked(const void *left, const void *right) {
    const struct ranked *a = left, *b = right;
    return (a->value > b->value) - (a->value < b->value);
}

static double weighted_median(const struct ks_ward *ward, const double *values, double *scratch) {
    struct ranked *ranked = (struct ranked *)scratch;
    double sum = 0, at = 0;
    for (size_t j = 0; j < ward->patients->m; j++) {
        ranked[j] = (struct ranked){values[j], ward->weights[j]};
        sum += ward->weights[j];
    }
    qsort(ranked, ward->patients->m, sizeof *ranked, compare_ranked);
    for (size_t j = 0; j < ward->patients->m; j++)
        if ((at += ranked[j].weight) >= 0.5 * sum) return ranked[j].value;
    return NAN;
}

static void split(struct ks_tailoring *t, const struct ks_ward *ward, const char *name, const double *values,
                  double *scratch) {
    size_t m = ward->patients->m;
    double median = weighted_median(ward, values, scratch);
    for (int side = 0; side < 2; side++) {
        snprintf(t->names[t->n_groups], sizeof t->names[0], "%s %s %.3g", name, side == 0 ? "<=" : ">",
                 median);
        for (size_t j = 0; j < m; j++)
            t->is_in[(size_t)t->n_groups * m + j] = (values[j] <= median) == (side == 0);
        t->n_groups++;
    }
}

/* By the first draw: everybody, and halves at the median of severity and of the traits that differ. */
static void make_groups(struct ks_tailoring *t, const struct ks_ward *ward, double *scratch) {
    const struct ks_patients *p = ward->patients;
    double *values = scratch + 2 * p->m;
    snprintf(t->names[0], sizeof t->names[0], "everybody");
    for (size_t j = 0; j < p->m; j++) t->is_in[j] = true;
    t->n_groups = 1;
    for (size_t j = 0; j < p->m; j++) values[j] = ward->rows[j * ward->stride + 2];
    split(t, ward, "baseline MADRS", values, scratch);
    for (size_t i = 0; i < sizeof split_traits / sizeof *split_traits; i++)
        for (int k = 0; k < p->n_traits; k++) {
            if (strcmp(p->names[k], split_traits[i]) != 0) continue;
            for (size_t j = 0; j < p->m; j++) values[j] = p->inputs[j * (size_t)p->n_traits + (size_t)k];
            split(t, ward, p->names[k], values, scratch);
        }
}

/* ---- worth ---------------------------------------------------------------------------------------------------------------- */

static double mean_endpoint(const struct ks_ward *ward, int arm, int endpoint, const double *weights,
                            double *values) {
    const struct ks_clinic *c = ward->clinic;
    size_t width = 1 + (size_t)c->n_times + (size_t)c->campaign->n_endpoints;
    for (size_t j = 0; j < ward->patients->m; j++)
        values[j] = ward->rows[j * ward->stride + 1 + (size_t)arm * width + 1 + (size_t)c->n_times +
                               (size_t)endpoint];
    return ks_statistics_mean(ward->patients->m, values, weights);
}

void ks_tailoring_add(struct ks_tailoring *t, const struct ks_ward *ward, int draw, double *scratch) {
    const struct ks_clinical_study *study = ward->clinic->study;
    const struct ks_campaign *campaign = ward->clinic->campaign;
    size_t m = ward->patients->m;
    int auc = find_endpoint(campaign, "ketamine_auc"), cadss = find_endpoint(campaign, "cadss_peak");
    double out[1024 * KS_N_STATISTICS], *weights = scratch + 6 * m, *values = scratch + 7 * m;
    if (draw == 0) make_groups(t, ward, scratch);
    for (int g = 0; g < t->n_groups; g++) {
        for (size_t j = 0; j < m; j++) weights[j] = t->is_in[(size_t)g * m + j] ? ward->weights[j] : 0;
        struct ks_trial_group group = {m, NULL, weights};
        for (int a = 0; a < t->n_arms; a++) {
            size_t at = ((size_t)draw * MOST_GROUPS + (size_t)g) * (size_t)t->n_arms + (size_t)a;
            ks_summary_of_arm(ward, a, &group, -1, NULL, scratch, out);
            t->share[at] = out[(size_t)(ward->n_visits - 1) * KS_N_STATISTICS + KS_STATISTIC_remission];
            t->exposure[at] = 1e-3 * mean_endpoint(ward, a, auc, weights, values);
            t->dissociation[at] = mean_endpoint(ward, a, cadss, weights, values);
            t->worth[at] = t->share[at] - study->tailor.exposure_cost * t->exposure[at] -
                           study->tailor.dissociation_cost * t->dissociation[at];
        }
    }
}

/* ---- the report ------------------------------------------------------------------------------------------------------------ */

static double worth_of(const struct ks_tailoring *t, int draw, int group, int arm) {
    return t->worth[((size_t)draw * MOST_GROUPS + (size_t)group) * (size_t)t->n_arms + (size_t)arm];
}

/* Whether the best arm of a group is told apart from another one. */
static bool is_better(const struct ks_tailoring *t, int group, int best, int other, double *differences) {
    for (int d = 1; d <= t->n_draws; d++)
        differences[d - 1] = worth_of(t, d, group, best) - worth_of(t, d, group, other);
    return t->n_draws >= LEAST_DRAWS && ks_statistics_quantile((size_t)t->n_draws, differences, 0.025) > 0;
}

static void print_arm(const struct ks_tailoring *t, const struct ks_clinical_study *study, int group, int arm,
                      FILE *stream) {
    size_t at = (size_t)group * (size_t)t->n_arms + (size_t)arm;
    fprintf(stream, "    %-40s remission %.2f, exposure %.3f mg h/L, CADSS %.1f, worth %.3f\n",
            study->arms[arm].name, t->share[at], t->exposure[at], t->dissociation[at], t->worth[at]);
}

static void print_group(const struct ks_tailoring *t, const struct ks_clinical_study *study, int group,
                        double *differences, FILE *stream) {
    int best = 0, n_equal = 0;
    for (int a = 1; a < t->n_arms; a++)
        if (worth_of(t, 0, group, a) > worth_of(t, 0, group, best)) best = a;
    for (int a = 0; a < t->n_arms; a++) n_equal += a != best && !is_better(t, group, best, a, differences);
    fprintf(stream, "  %s: ", t->names[group]);
    if (n_equal == 0) {
        fprintf(stream, "%s\n", study->arms[best].name);
        print_arm(t, study, group, best, stream);
        return;
    }
    fprintf(stream, "no difference can be told between %d of %d protocols\n", n_equal + 1, t->n_arms);
    for (int a = 0; a < t->n_arms; a++)
        if (a == best || !is_better(t, group, best, a, differences)) print_arm(t, study, group, a, stream);
}

int ks_tailoring_print(const struct ks_tailoring *t, const struct ks_clinical_study *study, FILE *stream) {
    double *differences;
    KS_ALLOCATE(differences, (size_t)t->n_draws);
    fprintf(stream,
            "\nwhat suits whom: remission at the last visit - %g per mg h/L of ketamine - %g per point of "
            "CADSS\n",
            study->tailor.exposure_cost, study->tailor.dissociation_cost);
    if (t->n_draws < LEAST_DRAWS)
        fprintf(stream, "  %d draws of the constants give no interval (%d do): nothing can be told apart\n",
                t->n_draws, (int)LEAST_DRAWS);
    for (int g = 0; g < t->n_groups; g++) print_group(t, study, g, differences, stream);
    fprintf(stream, "  Groups of virtual patients; the response of an individual is not predicted.\n");
    free(differences);
    return KS_OK;
}
