/* What the given-data methods share: columns, runs of equal values, simple statistics, linear algebra. */
#ifndef KS_ANALYSIS_SAMPLE_IMPL_H
#define KS_ANALYSIS_SAMPLE_IMPL_H

#include "analysis/analysis_impl.h"

static inline const double *ks_sample_x(const struct ks_given_data *data, int i) {
    return data->x + (size_t)i * data->n;
}

static inline const size_t *ks_sample_order(const struct ks_given_data *data, int i) {
    return data->order + (size_t)i * data->n;
}

/* Where the run of equal values ends that begins at rank `begin` < n of an order. */
static inline size_t ks_sample_run_end(size_t n, const double *values, const size_t *order, size_t begin) {
    double value = values[order[begin]];
    size_t end = begin + 1;
    while (end < n && values[order[end]] == value) end++;
    return end;
}

/* The number of different values of parameter i; `most` + 1 where there are more than `most`. */
int ks_sample_levels(const struct ks_given_data *data, int i, int most);

/* Mean and sum of squared deviations; *ss = 0 exactly where all values are the same. */
void ks_sample_moments(size_t n, const double *values, double *mean, double *ss);

/* Row numbers by ascending value, equal values by row number, missing ones (NaN) last. order [n]. */
int ks_sample_sort(size_t n, const double *values, size_t *order);

/* Ranks 1 to n from values and their order; equal values have their mean. ranks [n], not in place. */
void ks_sample_rank(size_t n, const double *values, const size_t *order, double *ranks);

/* Regional.c's p value of a Kolmogorov-Smirnov distance between samples of these sizes. */
double ks_regional_p_value(double distance, double n_first, double n_second);

/* Sum of products of two columns: four sums side by side, in one order for any processor. */
double ks_sample_multiply(size_t n, const double *a, const double *b);

/* Replaces the lower triangle of a symmetric matrix [n][n] by its Cholesky factor. A row that follows from those before
 * it (its pivot falls below 1e-10 of its diagonal element) becomes 0, its unknown too; returns the others' number. */
int ks_sample_factorise(int n, double *matrix);

/* Solves L L' x = b in place, with the factor from above. */
void ks_sample_solve(int n, const double *factor, double *b);

#endif
