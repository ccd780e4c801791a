/* Moments, quantiles and tests of weighted patients. */
#include "base/elementary.h"
#include "base/memory.h"
#include "base/normal.h"
#include "cohort/cohort.h"

#include <math.h>
#include <stdlib.h>

static double weight_of(const double *weights, size_t i) {
    return weights == NULL ? 1 : weights[i];
}

double ks_statistics_total(size_t n, const double *values, const double *weights) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        if (!isnan(values[i])) sum += weight_of(weights, i);
    return sum;
}

double ks_statistics_mean(size_t n, const double *values, const double *weights) {
    double sum = 0, total = ks_statistics_total(n, values, weights);
    for (size_t i = 0; i < n; i++)
        if (!isnan(values[i])) sum += weight_of(weights, i) * values[i];
    return total > 0 ? sum / total : NAN;
}

double ks_statistics_sd(size_t n, const double *values, const double *weights) {
    double sum = 0, total = ks_statistics_total(n, values, weights),
           mean = ks_statistics_mean(n, values, weights);
    for (size_t i = 0; i < n; i++)
        if (!isnan(values[i])) sum += weight_of(weights, i) * (values[i] - mean) * (values[i] - mean);
    return total > 0 ? sqrt(sum / total) : NAN;
}

double ks_statistics_effective_n(size_t n, const double *weights) {
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        sum += weight_of(weights, i);
        squares += weight_of(weights, i) * weight_of(weights, i);
    }
    return squares > 0 ? sum * sum / squares : 0;
}

static int compare_doubles(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

void ks_statistics_quantiles(size_t n, double *values, int n_shares, const double *shares,
                             double *quantiles) {
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (!isnan(values[i])) values[kept++] = values[i];
    qsort(values, kept, sizeof *values, compare_doubles);
    for (int q = 0; q < n_shares; q++) {
        quantiles[q] = NAN;
        if (kept == 0) continue;
        double place = shares[q] * (double)(kept - 1);
        size_t low = (size_t)place, high = low + 1 < kept ? low + 1 : low;
        quantiles[q] = values[low] + (place - (double)low) * (values[high] - values[low]);
    }
}

double ks_statistics_quantile(size_t n, double *values, double p) {
    double quantile;
    ks_statistics_quantiles(n, values, 1, &p, &quantile);
    return quantile;
}

struct pair {
    double value, weight;
};

static int compare_pairs(const void *left, const void *right) {
    const struct pair *a = left, *b = right;
    return (a->value > b->value) - (a->value < b->value);
}

int ks_statistics_weighted_quantiles(size_t n, const double *values, const double *weights, int n_shares,
                                     const double *shares, double *quantiles) {
    struct pair *pairs;
    size_t kept = 0;
    double total = 0;
    KS_ALLOCATE(pairs, n);
    for (size_t i = 0; i < n; i++) {
        if (isnan(values[i]) || !(weight_of(weights, i) > 0)) continue;
        pairs[kept++] = (struct pair){values[i], weight_of(weights, i)};
        total += weight_of(weights, i);
    }
    qsort(pairs, kept, sizeof *pairs, compare_pairs);
    for (int q = 0; q < n_shares; q++) {
        double below = 0;
        size_t i = 0;
        /* a share that the weights reach exactly must not be missed by rounding */
        for (; i + 1 < kept && below + pairs[i].weight < shares[q] * total * (1 - 1e-12); i++)
            below += pairs[i].weight;
        quantiles[q] = kept > 0 ? pairs[i].value : NAN;
    }
    free(pairs);
    return KS_OK;
}

/* ---- Kolmogorov and Smirnov ------------------------------------------------------------------------------------ */

int ks_statistics_distance(size_t n, const double *values, const double *weights, double mean, double sd,
                           double *distance) {
    struct pair *pairs;
    double total = 0, below = 0, most = 0;
    KS_ALLOCATE(pairs, n);
    for (size_t i = 0; i < n; i++) {
        pairs[i] = (struct pair){values[i], weight_of(weights, i)};
        total += pairs[i].weight;
    }
    qsort(pairs, n, sizeof *pairs, compare_pairs);
    for (size_t i = 0; i < n; i++) {
        double share = ks_normal_share((pairs[i].value - mean) / sd);
        most = fmax(most, share - below / total);
        below += pairs[i].weight;
        if (i + 1 == n || pairs[i + 1].value > pairs[i].value) most = fmax(most, below / total - share);
    }
    free(pairs);
    *distance = most;
    return KS_OK;
}

double ks_statistics_kolmogorov(double n, double distance) {
    double root = sqrt(n), x = (root + 0.12 + 0.11 / root) * distance, sum = 0;
    if (!(x > 0.2)) return 1;
    for (int k = 1; k <= 100; k++) {
        double term = 2 * ks_elementary_exp(-2.0 * k * k * x * x);
        sum += k % 2 == 1 ? term : -term;
        if (term < 1e-17) break;
    }
    return fmin(fmax(sum, 0), 1);
}

/* ---- other tests ------------------------------------------------------------------------------------------------- */

double ks_statistics_binomial(int x, int n, double p) {
    if (!(p > 0 && p < 1)) return (p <= 0 ? x == 0 : x == n) ? 1 : 0;
    double log_odds = ks_elementary_log(p) - ks_elementary_log1p(-p), height = n * ks_elementary_log1p(-p),
           at = NAN, sum = 0;
    for (int pass = 0; pass < 2; pass++) {
        double log_chance = height;
        for (int k = 0; k <= n; k++) {
            if (pass == 0 && k == x) at = log_chance;
            if (pass == 1 && log_chance <= at + 1e-7) sum += ks_elementary_exp(log_chance);
            if (k < n) log_chance += ks_elementary_log((double)(n - k) / (k + 1)) + log_odds;
        }
    }
    return fmin(sum, 1);
}

double ks_statistics_normal(double z) {
    return isnan(z) ? NAN : 2 * ks_normal_share(-fabs(z));
}
