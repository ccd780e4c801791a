/* Sobol' indices from the rows of a Saltelli design: A, AB_i (A with the i-th value of B), [BA_i], B.
 *
 *   first order   S_i  = mean(B (AB_i - A)) / V                 Saltelli et al. 2010, doi:10.1016/j.cpc.2009.09.018
 *   total order   ST_i = mean((A - AB_i)^2) / (2 V)             Jansen 1999, doi:10.1016/S0010-4655(98)00154-4
 *   second order  S_ij = mean(BA_i AB_j - A B) / V - S_i - S_j  Saltelli 2002, doi:10.1016/S0010-4655(02)00280-1
 *
 * V is the variance of A and B together. Outputs are taken from the mean of all of them, which leaves the
 * expectation of S_i and S_ij as it is and takes much from their variance. The mean is known only at the end: both are
 * linear in it, and the terms hold the factor too. */
#include "analysis/analysis_impl.h"

#include <math.h>

/* The terms of A and B and of all outputs, then those of each parameter, then of each pair. */
enum { N_AB, SUM_AB, SQUARES_AB, N_ALL, SUM_ALL, N_COMMON };
enum { N_STEPS, STEPS_BY_B, STEPS, SQUARED_STEPS, N_PER_PARAMETER };
enum { N_PAIRS, PRODUCTS, FACTORS, N_PER_PAIR };

static int count_pairs(const struct ks_design *design) {
    return design->has_second_order ? design->n_variables * (design->n_variables - 1) / 2 : 0;
}

static int count_terms(const struct ks_design *design) {
    return N_COMMON + N_PER_PARAMETER * design->n_variables + N_PER_PAIR * count_pairs(design);
}

static int count_term(const struct ks_design *design, int parameter) {
    (void)design;
    return N_COMMON + N_PER_PARAMETER * parameter + N_STEPS;
}

static int count_indices(const struct ks_design *design) {
    return design->has_second_order ? 3 : 2;
}

static void add_common(int n_rows, const double *y, double *terms) {
    for (int row = 0; row < n_rows; row++) {
        if (!isfinite(y[row])) continue;
        terms[N_ALL] += 1;
        terms[SUM_ALL] += y[row];
        if (row != 0 && row != n_rows - 1) continue;
        terms[N_AB] += 1;
        terms[SUM_AB] += y[row];
        terms[SQUARES_AB] += y[row] * y[row];
    }
}

static void add_terms(const struct ks_base_row *base, const double *y, double *terms) {
    int p = base->n_parameters;
    double a = y[0], b = y[base->n_rows - 1];
    const double *ab = &y[1], *ba = &y[1 + p];
    add_common(base->n_rows, y, terms);
    if (!isfinite(a) || !isfinite(b)) return;
    double *own = terms + N_COMMON;
    for (int i = 0; i < p; i++, own += N_PER_PARAMETER) {
        double step = ab[i] - a;
        if (!isfinite(step)) continue;
        own[N_STEPS] = 1;
        own[STEPS_BY_B] = b * step;
        own[STEPS] = step;
        own[SQUARED_STEPS] = step * step;
    }
    if (!base->design->has_second_order) return;
    for (int i = 0; i < p; i++)
        for (int j = i + 1; j < p; j++, own += N_PER_PAIR) {
            double product = ba[i] * ab[j];
            if (!isfinite(product)) continue;
            own[N_PAIRS] = 1;
            own[PRODUCTS] = product - a * b;
            own[FACTORS] = ba[i] + ab[j] - a - b;
        }
}

static void estimate(const struct ks_design *design, const double *sums, double *values, double *variance) {
    int p = design->n_variables;
    double mean = sums[SUM_ALL] / sums[N_ALL], mean_ab = sums[SUM_AB] / sums[N_AB];
    double *total = values, *first = values + p, *second = values + 2 * p;
    const double *own = sums + N_COMMON;
    *variance = sums[SQUARES_AB] / sums[N_AB] - mean_ab * mean_ab;
    for (int i = 0; i < p; i++, own += N_PER_PARAMETER) {
        first[i] = (own[STEPS_BY_B] - mean * own[STEPS]) / own[N_STEPS] / *variance;
        total[i] = 0.5 * own[SQUARED_STEPS] / own[N_STEPS] / *variance;
    }
    if (!design->has_second_order) return;
    for (int i = 0; i < p; i++)
        for (int j = i + 1; j < p; j++, own += N_PER_PAIR)
            *second++ =
                (own[PRODUCTS] - mean * own[FACTORS]) / own[N_PAIRS] / *variance - first[i] - first[j];
}

static const struct ks_index indices[] = {
    {"ST", KS_OF_PARAMETER, KS_SHARE,
     "total-order Sobol' index: share of the variance that comes with the parameter"},
    {"S1", KS_OF_PARAMETER, KS_SHARE,
     "first-order Sobol' index: share of the variance by the parameter alone"},
    {"S2", KS_OF_PAIR, KS_SHARE,
     "second-order Sobol' index: share of the variance by the pair, beyond each alone"},
};

static const struct ks_structured_method structured = {.needs_inputs = false,
                                                       .count_terms = count_terms,
                                                       .add_terms = add_terms,
                                                       .estimate = estimate,
                                                       .count_term = count_term};
const struct ks_method ks_method_sobol = {.structured = &structured,
                                          .n_indices = sizeof indices / sizeof *indices,
                                          .indices = indices,
                                          .count_indices = count_indices};
