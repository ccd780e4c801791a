/* From plausible candidates to a cohort that meets the targets: weights of largest entropy, or acceptance by the ratio of
 * densities; and how far every target is met, whether it selected or not. Rank 0 alone. */
#include "app/study_impl.h"
#include "base/elementary.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double LARGEST_WEIGHT = 100; /* over the mean weight */

/* The plausible candidates as the targets see them. */
struct sample {
    const struct ks_clinical_study *study;
    const struct ks_gathered *rows;
};

static double measure_of(const struct sample *s, size_t row, int measure) {
    return s->rows->rows[row * s->rows->stride + KS_CANDIDATE_MEASURES + (size_t)measure];
}

static uint64_t candidate_of(const struct sample *s, size_t row) {
    return (uint64_t)s->rows->rows[row * s->rows->stride + KS_CANDIDATE_NUMBER];
}

void ks_selection_describe(const struct ks_campaign *campaign, const struct ks_target *t, char *text,
                           int size) {
    const struct ks_clinical_study *study = campaign->study;
    const struct ks_measure *m = &study->measures[t->measure];
    bool is_trait = m->trait >= 0,
         is_between = t->kind == KS_TARGET_difference || t->kind == KS_TARGET_effect_size;
    snprintf(text, (size_t)size, "%s: %s of %s%s%s%s%s", t->id, ks_target_names[t->kind],
             is_trait ? study->population.traits[m->trait].name : campaign->endpoints[m->endpoint].name,
             is_trait ? "" : " in ", is_trait ? "" : study->arms[m->arm].name, is_between ? " minus " : "",
             is_between ? study->arms[study->measures[t->other].arm].name : "");
}

const char *ks_selection_unit(const struct ks_campaign *campaign, const struct ks_target *t) {
    const struct ks_clinical_study *study = campaign->study;
    const struct ks_measure *m = &study->measures[t->measure];
    switch (t->kind) {
    case KS_TARGET_correlation:
    case KS_TARGET_quantile:
        return "1";
    case KS_TARGET_effect_size:
        return "sd";
    case KS_TARGET_median_relapse:
        return "d";
    default:
        return m->trait >= 0 ? study->population.traits[m->trait].unit
                             : campaign->endpoints[m->endpoint].unit;
    }
}

/* What the measure lacks of the variance that a rater sees, who is one and not the mean of many. */
static double lost_variance(const struct sample *s, const struct ks_target *t) {
    const struct ks_measure *m = &s->study->measures[t->measure];
    if (m->trait >= 0 || t->given >= 0) return 0;
    return ks_clinic_lost_variance(s->study, &s->study->arms[0].campaign->endpoints[m->endpoint]);
}

/* ---- conditions -------------------------------------------------------------------------------------------------- */

/* What a weighted mean of it must be 0 where the target is met. */
static double condition(const struct sample *s, const struct ks_target *t, size_t row) {
    double x = measure_of(s, row, t->measure), value = 0;
    double given = t->given >= 0 ? measure_of(s, row, t->given) : 1;
    switch (t->kind) {
    case KS_TARGET_mean:
        value = x - t->value;
        break;
    case KS_TARGET_sd:
        value = (x - t->centre) * (x - t->centre) + lost_variance(s, t) - t->value * t->value;
        break;
    case KS_TARGET_quantile:
        value = (x <= t->at) - t->value;
        break;
    default:
        value = (x - t->centre) * (measure_of(s, row, t->other) - t->other_centre) -
                t->value * t->scale * t->other_scale;
    }
    return given * value;
}

static bool can_select(const struct ks_target *t) {
    static const bool selects[] = {
#define X(name, can, words) can,
        KS_TARGET_TABLE(X)
#undef X
    };
    return t->is_calibration && selects[t->kind];
}

/* The conditions of the targets in use over `n` rows; the caller frees *features. */
static int make_conditions(const struct sample *s, const bool *is_used, size_t n, const size_t *rows,
                           struct ks_conditions *conditions, double **features) {
    int k = 0;
    for (int t = 0; t < s->study->n_targets; t++) k += is_used[t];
    KS_ALLOCATE(*features, n * (size_t)k);
    *conditions = (struct ks_conditions){n, k, *features};
    for (size_t i = 0; i < n; i++)
        for (int t = 0, j = 0; t < s->study->n_targets; t++)
            if (is_used[t])
                (*features)[i * (size_t)k + (size_t)j++] =
                    condition(s, &s->study->targets[t], rows ? rows[i] : i);
    return KS_OK;
}

/* ---- weights ------------------------------------------------------------------------------------------------------ */

/* The error that names the targets which cannot be met together. */
static int raise_conflict(const struct sample *s, const struct ks_conditions *conditions, const bool *is_used,
                          double most) {
    bool *is_in;
    char text[1024] = "";
    size_t used = 0;
    int n = 0;
    KS_ALLOCATE(is_in, (size_t)conditions->k);
    int err = ks_entropy_conflict(conditions, most, is_in);
    for (int t = 0, j = 0; err == KS_OK && t < s->study->n_targets; t++) {
        if (!is_used[t] || !is_in[j++]) continue;
        const struct ks_target *target = &s->study->targets[t];
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s %s %.6g", n++ > 0 ? ", " : "",
                                 target->id, ks_target_names[target->kind], target->value);
        if (used >= sizeof text) used = sizeof text - 1;
    }
    free(is_in);
    KS_TRY(err);
    return ks_error_raise(KS_ERR_USAGE, __FILE__, __LINE__,
                          "no weights of at most %g times the mean over %zu patients meet %s: %s",
                          most * (double)conditions->n, conditions->n,
                          n == 1 ? "this target" : "these targets together", text);
}

/* Weights over the rows, or the conflict. */
static int weigh(const struct sample *s, const bool *is_used, size_t n, const size_t *rows, double most,
                 double *weights) {
    struct ks_conditions conditions;
    double *features = NULL;
    bool is_solved = false;
    int err = make_conditions(s, is_used, n, rows, &conditions, &features);
    if (err == KS_OK) err = ks_entropy_solve(&conditions, most, weights, &is_solved);
    if (err == KS_OK && !is_solved) err = raise_conflict(s, &conditions, is_used, most);
    free(features);
    return err;
}

static int choose_by_weights(struct ks_cohort *cohort, const struct sample *s) {
    size_t n = s->rows->n, m = cohort->m;
    double *all = NULL;
    if (m < n) {
        KS_ALLOCATE(all, n);
        /* nobody is heavier than one patient of the cohort, so that nobody is in it twice */
        int err = weigh(s, cohort->is_used, n, NULL, 1.0 / (double)m, all);
        if (err == KS_OK)
            ks_entropy_sample(n, all, m,
                              ks_random_uniform(s->study->population.seed, KS_STREAM_selection, 0, 1),
                              cohort->chosen);
        free(all);
        KS_TRY(err);
    }
    return weigh(s, cohort->is_used, m, cohort->chosen, LARGEST_WEIGHT / (double)m, cohort->weights);
}

/* ---- acceptance and rejection ---------------------------------------------------------------------------------------- */

/* Mean, standard deviation and correlations that the targets ask for. */
struct density {
    int k;
    int measures[64];
    double mean[64], sd[64];
    double factor[64 * 64];
};

static int place_of(const struct density *d, int measure) {
    for (int i = 0; i < d->k; i++)
        if (d->measures[i] == measure) return i;
    return -1;
}

static int collect_density(const struct sample *s, const bool *is_used, struct density *d) {
    for (int t = 0; t < s->study->n_targets; t++) {
        const struct ks_target *target = &s->study->targets[t];
        if (!is_used[t] || target->kind != KS_TARGET_sd || target->given >= 0 ||
            place_of(d, target->measure) >= 0)
            continue;
        KS_CHECK(d->k < 64, KS_ERR_USAGE, "accept_reject takes 64 measures at most");
        d->measures[d->k] = target->measure;
        d->mean[d->k] = target->centre;
        double own = target->value * target->value - lost_variance(s, target);
        KS_CHECK(own > 0, KS_ERR_USAGE, "%s: the sd of %g is no more than rater error", target->id,
                 target->value);
        d->sd[d->k++] = sqrt(own);
    }
    for (int i = 0; i < d->k; i++) d->factor[i * d->k + i] = 1;
    for (int t = 0; t < s->study->n_targets; t++) {
        const struct ks_target *target = &s->study->targets[t];
        if (!is_used[t]) continue;
        int a = place_of(d, target->measure), b = target->other >= 0 ? place_of(d, target->other) : a;
        KS_CHECK(
            a >= 0 && b >= 0 && target->given < 0 && target->kind != KS_TARGET_quantile, KS_ERR_USAGE,
            "%s: accept_reject takes targets with mean and sd, and correlations; weights takes this one too",
            target->id);
        if (target->kind == KS_TARGET_correlation)
            d->factor[a * d->k + b] = d->factor[b * d->k + a] = target->value;
    }
    KS_CHECK(d->k > 0, KS_ERR_USAGE, "accept_reject needs a calibration target with mean and sd");
    KS_CHECK(ks_design_factorise(d->k, d->factor), KS_ERR_USAGE,
             "the targets' correlations are not positive definite");
    return KS_OK;
}

static int accept_with(struct ks_cohort *cohort, const struct sample *s, const struct density *d,
                       double *points, double *ratios, double *u) {
    size_t n = s->rows->n;
    double sum = 0;
    struct ks_target_density target = {d->k, d->mean, d->sd, d->factor};
    for (size_t i = 0; i < n; i++) {
        for (int j = 0; j < d->k; j++)
            points[i * (size_t)d->k + (size_t)j] = measure_of(s, i, d->measures[j]);
        u[i] = ks_random_uniform(s->study->population.seed, KS_STREAM_selection, candidate_of(s, i), 0);
    }
    KS_TRY(ks_acceptance_ratios(n, points, &target, ratios));
    for (size_t i = 0; i < n; i++) sum += ratios[i];
    if (s->study->n_patients == 0) cohort->m = sum < 1 ? 1 : (size_t)sum;
    return ks_acceptance_select(n, ratios, u, cohort->m, cohort->chosen, &cohort->n_sure);
}

static int choose_by_ratio(struct ks_cohort *cohort, const struct sample *s) {
    static const struct density empty;
    struct density *d;
    size_t n = s->rows->n;
    KS_ALLOCATE(d, 1);
    *d = empty;
    int err = collect_density(s, cohort->is_used, d);
    double *numbers = ks_memory_allocate(n * (size_t)(d->k + 2), sizeof *numbers);
    if (err == KS_OK && numbers == NULL) err = ks_error_raise(KS_ERR_MEMORY, __FILE__, __LINE__, "no memory");
    if (err == KS_OK) err = accept_with(cohort, s, d, numbers + 2 * n, numbers, numbers + n);
    for (size_t i = 0; err == KS_OK && i < cohort->m; i++) cohort->weights[i] = 1 / (double)cohort->m;
    free(numbers);
    free(d);
    return err;
}

/* ---- how the targets are met --------------------------------------------------------------------------------------------- */

/* A measure over rows, NaN where `given` does not hold. */
static void fill_values(const struct sample *s, size_t n, const size_t *rows, int measure, int given,
                        double *values) {
    for (size_t i = 0; i < n; i++) {
        size_t row = rows != NULL ? rows[i] : i;
        bool counts = given < 0 || measure_of(s, row, given) == 1;
        values[i] = counts ? measure_of(s, row, measure) : NAN;
    }
}

static double correlation_of(const struct ks_measured *m, double *product) {
    double mx = ks_statistics_mean(m->n, m->x, m->weights), my = ks_statistics_mean(m->n, m->y, m->weights);
    for (size_t i = 0; i < m->n; i++) product[i] = (m->x[i] - mx) * (m->y[i] - my);
    return ks_statistics_mean(m->n, product, m->weights) /
           (ks_statistics_sd(m->n, m->x, m->weights) * ks_statistics_sd(m->n, m->y, m->weights));
}

double ks_selection_evaluate(const struct ks_target *t, const struct ks_measured *m, double *scratch) {
    double mean = ks_statistics_mean(m->n, m->x, m->weights), sd = ks_statistics_sd(m->n, m->x, m->weights);
    bool is_between = t->kind == KS_TARGET_difference || t->kind == KS_TARGET_effect_size;
    double other_mean = is_between ? ks_statistics_mean(m->n_y, m->y, m->y_weights) : NAN;
    double other_sd = is_between ? ks_statistics_sd(m->n_y, m->y, m->y_weights) : NAN;
    switch (t->kind) {
    case KS_TARGET_mean:
        return mean;
    case KS_TARGET_sd:
        return sd;
    case KS_TARGET_quantile:
        for (size_t i = 0; i < m->n; i++) scratch[i] = isnan(m->x[i]) ? NAN : m->x[i] <= t->at;
        return ks_statistics_mean(m->n, scratch, m->weights);
    case KS_TARGET_correlation:
        return correlation_of(m, scratch);
    case KS_TARGET_difference:
        return mean - other_mean;
    case KS_TARGET_effect_size:
        return (mean - other_mean) / sqrt((sd * sd + other_sd * other_sd) / 2);
    default:
        return NAN;
    }
}

/* The target's number as the patients have it; x, y, z are room for n numbers. */
static double value_of(const struct sample *s, const struct ks_target *t, size_t n, const size_t *rows,
                       const double *weights, double *x, double *y, double *z) {
    fill_values(s, n, rows, t->measure, t->given, x);
    if (t->other >= 0) fill_values(s, n, rows, t->other, t->given, y);
    struct ks_measured measured = {n, n, x, y, weights, weights};
    double value = ks_selection_evaluate(t, &measured, z);
    return t->kind == KS_TARGET_sd ? sqrt(value * value + lost_variance(s, t)) : value;
}

static bool is_share(const struct ks_campaign *campaign, const struct ks_clinical_study *study,
                     const struct ks_target *t) {
    const struct ks_measure *m = &study->measures[t->measure];
    return m->trait < 0 && strcmp(campaign->endpoints[m->endpoint].unit, "0 or 1") == 0;
}

/* How likely so large a distance is by chance in a trial of the target's size: it does not grow with the cohort's. */
static int test(const struct sample *s, const struct ks_target *t, size_t n, const size_t *rows,
                const double *weights, double after, double effective_n, double *x, double *p) {
    const struct ks_campaign *campaign = s->study->arms[0].campaign;
    double size = isnan(t->n) ? effective_n : fmin(t->n, effective_n), distance;
    *p = NAN;
    fill_values(s, n, rows, t->measure, t->given, x);
    if (t->kind == KS_TARGET_quantile || (t->kind == KS_TARGET_mean && is_share(campaign, s->study, t))) {
        int trials = (int)(size + 0.5);
        *p = ks_statistics_binomial((int)(t->value * trials + 0.5), trials, after);
        return KS_OK;
    }
    for (int i = 0; i < s->study->n_targets && (t->kind == KS_TARGET_mean || t->kind == KS_TARGET_sd); i++) {
        const struct ks_target *o = &s->study->targets[i];
        bool is_sd = o->kind == KS_TARGET_sd && o->measure == t->measure && o->given < 0 && t->given < 0 &&
                     (o->centre == t->value || o == t);
        if (!is_sd) continue;
        double mean = o->centre, sd = sqrt(fmax(o->value * o->value - lost_variance(s, o), 1e-12));
        if (o->is_lognormal) {
            sd = sqrt(ks_elementary_log1p(sd * sd / (mean * mean)));
            mean = ks_elementary_log(mean) - sd * sd / 2;
            for (size_t k = 0; k < n; k++) x[k] = ks_elementary_log(x[k]);
        }
        KS_TRY(ks_statistics_distance(n, x, weights, mean, sd, &distance));
        *p = ks_statistics_kolmogorov(size, distance);
        return KS_OK;
    }
    if (t->kind == KS_TARGET_mean)
        *p = ks_statistics_normal((after - t->value) / (ks_statistics_sd(n, x, weights) / sqrt(size)));
    if (t->kind == KS_TARGET_correlation)
        *p = ks_statistics_normal(
            0.5 * ks_elementary_log((1 + after) * (1 - t->value) / ((1 - after) * (1 + t->value))) *
            sqrt(fmax(size - 3, 1)));
    return KS_OK;
}

static int judge(struct ks_cohort *cohort, const struct sample *s) {
    size_t n = s->rows->n, m = cohort->m;
    double *x;
    int err = KS_OK;
    KS_ALLOCATE(x, 4 * n);
    double *y = x + n, *z = y + n, *w = z + n;
    cohort->weight_n = ks_statistics_effective_n(m, cohort->weights);
    for (int i = 0; err == KS_OK && i < s->study->n_targets; i++) {
        const struct ks_target *t = &s->study->targets[i];
        cohort->before[i] = value_of(s, t, n, NULL, NULL, x, y, z);
        cohort->after[i] = value_of(s, t, m, cohort->chosen, cohort->weights, x, y, z);
        for (size_t k = 0; k < m; k++)
            w[k] = t->given < 0 || measure_of(s, cohort->chosen[k], t->given) == 1 ? cohort->weights[k] : 0;
        cohort->effective_n[i] = ks_statistics_effective_n(m, w);
        err = test(s, t, m, cohort->chosen, cohort->weights, cohort->after[i], cohort->effective_n[i], x,
                   &cohort->p_value[i]);
    }
    free(x);
    return err;
}

/* ---- the whole ------------------------------------------------------------------------------------------------------------- */

static int allocate(struct ks_cohort *cohort, const struct ks_clinical_study *study, size_t n) {
    size_t k = (size_t)study->n_targets;
    KS_ALLOCATE(cohort->chosen, n);
    KS_ALLOCATE(cohort->weights, n);
    KS_ALLOCATE(cohort->is_used, k);
    KS_ALLOCATE(cohort->before, 4 * k);
    cohort->after = cohort->before + k;
    cohort->p_value = cohort->after + k;
    cohort->effective_n = cohort->p_value + k;
    return KS_OK;
}

int ks_selection_make(struct ks_cohort *cohort, const struct ks_clinical_study *study,
                      const struct ks_candidates *candidates) {
    struct sample s = {study, &candidates->plausible};
    size_t n = s.rows->n;
    bool is_any = false;
    KS_CHECK(n > 0, KS_ERR_USAGE, "no candidate of %llu is plausible",
             (unsigned long long)candidates->n_done);
    KS_CHECK(study->n_patients <= n, KS_ERR_USAGE,
             "%zu of %llu candidates are plausible; %llu patients need more candidates", n,
             (unsigned long long)candidates->n_done, (unsigned long long)study->n_patients);
    KS_TRY(allocate(cohort, study, n));
    cohort->m = study->n_patients > 0 ? (size_t)study->n_patients : n;
    for (size_t i = 0; i < cohort->m; i++) {
        cohort->chosen[i] = i;
        cohort->weights[i] = 1 / (double)cohort->m;
    }
    for (int t = 0; t < study->n_targets; t++) {
        cohort->is_used[t] = study->selection != KS_SELECTION_none && can_select(&study->targets[t]);
        is_any |= cohort->is_used[t];
    }
    if (is_any)
        KS_TRY(study->selection == KS_SELECTION_weights ? choose_by_weights(cohort, &s)
                                                        : choose_by_ratio(cohort, &s));
    return judge(cohort, &s);
}

void ks_selection_release(struct ks_cohort *cohort) {
    free(cohort->chosen);
    free(cohort->weights);
    free(cohort->is_used);
    free(cohort->before);
    *cohort = (struct ks_cohort){0};
}
