/* The statistics of virtual patients: weights that reproduce targets, selection by acceptance and rejection, tests,
 * survival and intervals. Knows no model and no file.
 *
 * Everything is computed in a fixed order by one process, so that the same patients give the same bits. */
#ifndef KS_COHORT_COHORT_H
#define KS_COHORT_COHORT_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- entropy.c: prevalence weights ---------------------------------------------------------------------------- */

/* Linear conditions on weights: sum_i w_i features[i][k] = 0 for each k. */
struct ks_conditions {
    size_t n;               /* patients */
    int k;                  /* conditions */
    const double *features; /* [n][k] */
};

/* The weights w [n] of largest entropy that meet the conditions, sum to 1 and are at most `most` (> 1 / n). False where
 * there are none; `weights` is then of no use. A condition is met to 1e-11 of the spread of its feature.
 *
 * By Newton's method on the dual, which is convex, with an active set at the upper bound; the lower bound is never
 * reached. Jaynes 1957, doi:10.1103/PhysRev.106.620; bounded as in Deville and Sarndal 1992,
 * doi:10.1080/01621459.1992.10475217. */
int ks_entropy_solve(const struct ks_conditions *conditions, double most, double *weights, bool *is_solved);

/* Where there are none: a set of conditions that cannot be met together, each of which is needed for that; `is_in` [k].
 * A deletion filter (Chinneck 2008, Feasibility and infeasibility in optimization). */
int ks_entropy_conflict(const struct ks_conditions *conditions, double most, bool *is_in);

/* m of the n patients with chances m w_i <= 1, systematically (Madow 1949, doi:10.1214/aoms/1177729988), u in (0, 1):
 * `chosen` [m] ascending. */
void ks_entropy_sample(size_t n, const double *weights, size_t m, double u, size_t *chosen);

/* ---- acceptance.c: selection by density ------------------------------------------------------------------------- */

/* A multivariate normal target. */
struct ks_target_density {
    int k;
    const double *mean, *sd; /* [k] */
    const double *factor;    /* [k][k] lower Cholesky factor of the correlations */
};

/* The ratio of target to plausible density at each patient, points [n][k]; scaled so that the largest is 1. The density
 * of the plausible is that of `KS_NEIGHBOURS` nearest neighbours (Allen, Rieger and Musante 2016,
 * doi:10.1002/psp4.12063). */
enum { KS_NEIGHBOURS = 10 };
int ks_acceptance_ratios(size_t n, const double *points, const struct ks_target_density *target,
                         double *ratios);

/* The m patients with the smallest u_i / ratio_i, u [n] in (0, 1): each enters with a chance of min(1, c ratio_i), c such
 * that m do (Rosen 1997, doi:10.1016/S0378-3758(96)00186-3). `chosen` [m] ascending; *n_sure have a chance of 1. */
int ks_acceptance_select(size_t n, const double *ratios, const double *u, size_t m, size_t *chosen,
                         size_t *n_sure);

/* ---- statistics.c ------------------------------------------------------------------------------------------------- */

/* Weights need not sum to 1; NULL: all equal. Values that are NaN are left out, with their weights. */
double ks_statistics_mean(size_t n, const double *values, const double *weights);
double ks_statistics_sd(size_t n, const double *values, const double *weights); /* of the population */
double ks_statistics_total(size_t n, const double *values,
                           const double *weights); /* weight of those that are numbers */

/* (sum w)^2 / sum w^2: so many patients of equal weight say as much. Kish 1965, Survey sampling. */
double ks_statistics_effective_n(size_t n, const double *weights);

/* The value below which the share p lies, linear between order statistics; sorts `values`. NaN where n is 0. */
double ks_statistics_quantile(size_t n, double *values, double p);

/* The same for many shares at once. */
void ks_statistics_quantiles(size_t n, double *values, int n_shares, const double *shares, double *quantiles);

/* The least value at or below which the share p of the weight lies, the inverse of the weighted distribution. */
int ks_statistics_weighted_quantiles(size_t n, const double *values, const double *weights, int n_shares,
                                     const double *shares, double *quantiles);

/* The largest distance between the weighted distribution of the values and a normal one. */
int ks_statistics_distance(size_t n, const double *values, const double *weights, double mean, double sd,
                           double *distance);

/* The chance of a larger Kolmogorov-Smirnov distance among n, in Stephens' approximation (1970,
 * doi:10.1111/j.2517-6161.1970.tb00821.x): to 0.01 for n >= 10. */
double ks_statistics_kolmogorov(double n, double distance);

/* Two-sided exact test of x of n against the share p: the chance of all outcomes that are no likelier. */
double ks_statistics_binomial(int x, int n, double p);

/* Two-sided chance of a normal score beyond z. */
double ks_statistics_normal(double z);

/* ---- survival.c: relapse of responders ------------------------------------------------------------------------------ */

/* The visit from which relapse is counted: the last that is not later than `responders_at`, the first where that is NaN.
 * visits [n_visits] in h, ascending. */
int ks_survival_first_visit(int n_visits, const double *visits, double responders_at);

/* Whether a patient responds at that visit: a score of at most half of the baseline. Then *time is h from there until the score
 * is above half of the baseline again (*is_event), or until the patient is seen last, 0 for never again.
 * scores [1 + n_visits]: the baseline and the visits, NaN from when on the patient is not seen. */
bool ks_survival_follow(int n_visits, const double *visits, int from, const double *scores, double *time,
                        bool *is_event);

/* Kaplan and Meier 1958, doi:10.2307/2281868. Times > 0; an event or else censored; weights may be NULL. `survival` at each
 * of the `n_steps` times, ascending. */
void ks_survival_curve(size_t n, const double *times, const bool *is_event, const double *weights,
                       int n_steps, const double *steps, double *survival);

/* The same with what it rests on. The variance is Greenwood's, where weights differ with those at risk as many as would say as
 * much at equal weight (Kish); the 95 % interval that of log(-log(survival)), which stays in [0, 1]: NaN at 0 and, where
 * nobody has relapsed, 1. */
struct ks_survival_step {
    double survival, low, high;
    size_t n_at_risk, n_events; /* patients */
};
void ks_survival_steps(size_t n, const double *times, const bool *is_event, const double *weights,
                       int n_steps, const double *steps, struct ks_survival_step *out);

/* The first of the steps at which survival is at most 1/2; NaN where it stays above. */
double ks_survival_median(int n_steps, const double *steps, const double *survival);

#endif
