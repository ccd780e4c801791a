/* Weights, selection, tests and survival, against problems whose answer is known. */
#include "base/memory.h"
#include "base/normal.h"
#include "base/random.h"
#include "cohort/cohort.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static double uniform(uint64_t i, uint64_t item) {
    return ks_random_uniform(11, KS_STREAM_test, i, item);
}

static double normal(uint64_t i, uint64_t item) {
    return ks_normal_quantile(uniform(i, item));
}

/* ---- weights ---------------------------------------------------------------------------------------------------- */

enum { N = 20000 };

static double weighted(size_t n, const double *features, int k, int j, const double *weights) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += weights[i] * features[i * (size_t)k + (size_t)j];
    return sum;
}

/* The distribution of largest entropy relative to N(0, 1) with mean 1 is N(1, 1): weights are exp(x - 1/2). */
static void weights_tilt_a_normal_distribution(void **state) {
    (void)state;
    double *x = ks_memory_allocate(N, sizeof *x), *w = ks_memory_allocate(N, sizeof *w), sum = 0, square = 0,
           most = 0;
    bool is_solved;
    for (size_t i = 0; i < N; i++) x[i] = ks_normal_quantile((i + 0.5) / N) - 1;
    struct ks_conditions conditions = {N, 1, x};
    assert_int_equal(ks_entropy_solve(&conditions, 1, w, &is_solved), KS_OK);
    assert_true(is_solved);
    for (size_t i = 0; i < N; i++) {
        sum += w[i];
        square += w[i] * x[i] * x[i];
        most = fmax(most, fabs(w[i] * N - exp(x[i] + 0.5)) / exp(x[i] + 0.5));
    }
    assert_true(fabs(sum - 1) < 1e-10);
    assert_true(fabs(weighted(N, x, 1, 0, w)) < 1e-10);
    assert_true(fabs(square - 1) < 0.01);
    assert_true(most < 0.02);
    free(x);
    free(w);
}

/* Mean, square, share and product at once, with a bound that many weights reach. */
static void bounded_weights_meet_many_conditions(void **state) {
    (void)state;
    enum { K = 5 };
    double *a = ks_memory_allocate(N * K, sizeof *a), *w = ks_memory_allocate(N, sizeof *w), bound = 2.5 / N,
           sum = 0;
    size_t n_bound = 0;
    bool is_solved;
    for (size_t i = 0; i < N; i++) {
        double x = normal(i, 0), y = 0.5 * x + normal(i, 1);
        double row[K] = {x - 0.4, x * x - 0.8, y + 0.1, (y > 0.5) - 0.3, x * y - 0.2};
        memcpy(&a[i * K], row, sizeof row);
    }
    struct ks_conditions conditions = {N, K, a};
    assert_int_equal(ks_entropy_solve(&conditions, bound, w, &is_solved), KS_OK);
    assert_true(is_solved);
    for (int j = 0; j < K; j++) assert_true(fabs(weighted(N, a, K, j, w)) < 1e-10);
    for (size_t i = 0; i < N; i++) {
        assert_true(w[i] > 0 && w[i] <= bound);
        n_bound += w[i] == bound;
        sum += w[i];
    }
    assert_true(fabs(sum - 1) < 1e-10);
    assert_true(n_bound > N / 100);
    free(a);
    free(w);
}

/* A mean that nobody reaches; and two that the patients allow only one at a time. */
static void conflicts_are_named(void **state) {
    (void)state;
    enum { M = 500 };
    double *a = ks_memory_allocate(M * 3, sizeof *a), *w = ks_memory_allocate(M, sizeof *w);
    bool is_solved, is_in[3];
    struct ks_conditions conditions = {M, 3, a};
    for (size_t i = 0; i < M; i++) {
        double x = uniform(i, 0);
        double row[3] = {x - 0.6, uniform(i, 1) - 0.5, x - 1.2};
        memcpy(&a[i * 3], row, sizeof row);
    }
    assert_int_equal(ks_entropy_solve(&conditions, 1, w, &is_solved), KS_OK);
    assert_false(is_solved);
    assert_int_equal(ks_entropy_conflict(&conditions, 1, is_in), KS_OK);
    assert_true(!is_in[0] && !is_in[1] && is_in[2]);
    for (size_t i = 0; i < M; i++) a[i * 3 + 2] = a[i * 3] - 0.1; /* the mean of x is 0.6 and 0.7 */
    assert_int_equal(ks_entropy_solve(&conditions, 1, w, &is_solved), KS_OK);
    assert_false(is_solved);
    assert_int_equal(ks_entropy_conflict(&conditions, 1, is_in), KS_OK);
    assert_true(is_in[0] && !is_in[1] && is_in[2]);
    free(a);
    free(w);
}

static void systematic_samples_follow_the_weights(void **state) {
    (void)state;
    enum { M = 1000, SIZE = 100, ROUNDS = 4000 };
    double weights[M], sum = 0;
    int counts[M] = {0};
    size_t chosen[SIZE];
    for (size_t i = 0; i < M; i++) sum += weights[i] = 0.2 + uniform(i, 3);
    for (size_t i = 0; i < M; i++) weights[i] /= sum;
    for (uint64_t r = 0; r < ROUNDS; r++) {
        ks_entropy_sample(M, weights, SIZE, uniform(r, 4), chosen);
        for (size_t k = 0; k < SIZE; k++) {
            assert_true(k == 0 || chosen[k] > chosen[k - 1]);
            counts[chosen[k]]++;
        }
    }
    for (size_t i = 0; i < M; i++) {
        double p = SIZE * weights[i];
        assert_true(fabs(counts[i] - ROUNDS * p) < 5 * sqrt(ROUNDS * p * (1 - p)) + 1);
    }
}

/* ---- acceptance -------------------------------------------------------------------------------------------------- */

/* Plausible patients are thicker in the middle than where the target lies, a correlated normal distribution. */
static void acceptance_finds_a_normal_target(void **state) {
    (void)state;
    enum { M = 1000 };
    const double mean[2] = {1, -0.5}, sd[2] = {0.7, 1.1}, rho = 0.6;
    const double factor[4] = {1, 0, rho, sqrt(1 - rho * rho)};
    double *points = ks_memory_allocate(2 * 100000, sizeof *points),
           *ratios = ks_memory_allocate(100000, sizeof *ratios), *u = ks_memory_allocate(100000, sizeof *u),
           x[M], y[M], product[M], distance;
    size_t *chosen = ks_memory_allocate(M, sizeof *chosen), n_sure;
    for (size_t i = 0; i < 100000; i++) {
        points[2 * i] = 1.2 * normal(i, 0);
        points[2 * i + 1] = 1.6 * normal(i, 1);
        u[i] = uniform(i, 2);
    }
    struct ks_target_density target = {2, mean, sd, factor};
    assert_int_equal(ks_acceptance_ratios(100000, points, &target, ratios), KS_OK);
    assert_int_equal(ks_acceptance_select(100000, ratios, u, M, chosen, &n_sure), KS_OK);
    for (size_t i = 0; i < M; i++) {
        assert_true(i == 0 || chosen[i] > chosen[i - 1]);
        x[i] = points[2 * chosen[i]];
        y[i] = points[2 * chosen[i] + 1];
        product[i] = (x[i] - mean[0]) * (y[i] - mean[1]) / (sd[0] * sd[1]);
    }
    assert_true(fabs(ks_statistics_mean(M, x, NULL) - mean[0]) < 4 * sd[0] / sqrt(M));
    assert_true(fabs(ks_statistics_mean(M, y, NULL) - mean[1]) < 4 * sd[1] / sqrt(M));
    assert_true(fabs(ks_statistics_sd(M, x, NULL) / sd[0] - 1) < 4 / sqrt(2.0 * M));
    assert_true(fabs(ks_statistics_sd(M, y, NULL) / sd[1] - 1) < 4 / sqrt(2.0 * M));
    assert_true(fabs(ks_statistics_mean(M, product, NULL) - rho) < 4 * sqrt((1 + rho * rho) / M));
    assert_int_equal(ks_statistics_distance(M, y, NULL, mean[1], sd[1], &distance), KS_OK);
    assert_true(ks_statistics_kolmogorov(M, distance) > 1e-4);
    assert_true(n_sure < M / 20);
    free(points);
    free(ratios);
    free(u);
    free(chosen);
}

/* Too few candidates where the target lies: they are taken with a chance of 1, and counted. */
static void sure_patients_are_counted(void **state) {
    (void)state;
    double ratios[6] = {1, 1, 0.01, 0.01, 0.01, 0.01}, u[6] = {0.5, 0.9, 0.1, 0.9, 0.8, 0.7};
    size_t chosen[3], n_sure;
    assert_int_equal(ks_acceptance_select(6, ratios, u, 3, chosen, &n_sure), KS_OK);
    assert_true(chosen[0] == 0 && chosen[1] == 1 && chosen[2] == 2);
    assert_int_equal(n_sure, 2);
}

/* ---- tests -------------------------------------------------------------------------------------------------------- */

static void kolmogorov_p_values_are_uniform(void **state) {
    (void)state;
    enum { TRIALS = 4000, SIZE = 30 };
    double *p = ks_memory_allocate(TRIALS, sizeof *p), values[SIZE], weights[SIZE], distance;
    for (uint64_t t = 0; t < TRIALS; t++) {
        for (uint64_t i = 0; i < SIZE; i++) {
            values[i] = 3 + 2 * normal(t, 100 + i);
            weights[i] = 0.25;
        }
        assert_int_equal(ks_statistics_distance(SIZE, values, weights, 3, 2, &distance), KS_OK);
        p[t] = ks_statistics_kolmogorov(SIZE, distance);
    }
    for (int d = 1; d < 20; d++) {
        double level = d / 20.0, below = 0;
        for (int t = 0; t < TRIALS; t++) below += p[t] <= level;
        assert_true(fabs(below / TRIALS - level) < 4 * sqrt(level * (1 - level) / TRIALS) + 0.005);
    }
    free(p);
}

/* A weight of 2 is a patient seen twice; ties count once they are passed. */
static void distance_counts_weights_and_ties(void **state) {
    (void)state;
    const double values[4] = {1, 2, 2, 5}, twice[3] = {1, 2, 5}, weights[3] = {1, 2, 1};
    double a, b;
    assert_int_equal(ks_statistics_distance(4, values, NULL, 2, 1, &a), KS_OK);
    assert_int_equal(ks_statistics_distance(3, twice, weights, 2, 1, &b), KS_OK);
    assert_true(fabs(a - b) < 1e-15);
    assert_true(fabs(a - 0.25) < 0.01); /* 3 / 4 below and at 2, of which the normal has 1 / 2 */
}

static void binomial_test_equals_its_definition(void **state) {
    (void)state;
    for (int n = 1; n < 60; n += 7)
        for (int x = 0; x <= n; x++)
            for (double p = 0.05; p < 1; p += 0.15) {
                double at = gsl_ran_binomial_pdf((unsigned)x, p, (unsigned)n), sum = 0;
                for (int k = 0; k <= n; k++) {
                    double chance = gsl_ran_binomial_pdf((unsigned)k, p, (unsigned)n);
                    if (chance <= at * (1 + 1e-7)) sum += chance;
                }
                assert_true(fabs(ks_statistics_binomial(x, n, p) - sum) < 1e-9);
            }
    assert_true(ks_statistics_binomial(0, 10, 0) == 1 && ks_statistics_binomial(1, 10, 0) == 0);
    assert_true(fabs(ks_statistics_normal(1.959963984540054) - 0.05) < 1e-12);
}

static void moments_and_quantiles(void **state) {
    (void)state;
    const double values[5] = {1, 2, NAN, 4, 7}, weights[5] = {1, 2, 5, 1, 0};
    double sorted[5] = {7, 1, NAN, 4, 2};
    assert_true(fabs(ks_statistics_mean(5, values, weights) - 2.25) < 1e-15);
    assert_true(fabs(ks_statistics_sd(5, values, weights) - sqrt(1.1875)) < 1e-15);
    assert_true(fabs(ks_statistics_effective_n(4, (double[]){1, 1, 2, 0}) - 16.0 / 6) < 1e-15);
    assert_true(fabs(ks_statistics_quantile(5, sorted, 0.5) - 3) < 1e-15);
    assert_true(isnan(ks_statistics_mean(1, &values[2], NULL)));
}

/* ---- survival ----------------------------------------------------------------------------------------------------- */

/* The trial of 6-mercaptopurine (Freireich 1963), the textbooks' example. */
static void survival_of_freireich(void **state) {
    (void)state;
    const double times[21] = {6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35};
    const bool is_event[21] = {1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0};
    const double steps[7] = {6, 7, 10, 13, 16, 22, 23},
                 known[7] = {0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448};
    double survival[7], weights[21];
    ks_survival_curve(21, times, is_event, NULL, 7, steps, survival);
    for (int s = 0; s < 7; s++) assert_true(fabs(survival[s] - known[s]) < 6e-4);
    assert_true(ks_survival_median(7, steps, survival) == 23);
    assert_true(isnan(ks_survival_median(6, steps, survival)));
    for (int i = 0; i < 21; i++) weights[i] = 3;
    double again[7];
    ks_survival_curve(21, times, is_event, weights, 7, steps, again);
    assert_memory_equal(survival, again, sizeof survival);
}

/* Its intervals by log(-log), as Stata's `sts list` and SAS print them, and numbers at risk. Weights that are equal change
 * nothing; weights that differ make it wider, as fewer patients count. */
static void intervals_of_freireich(void **state) {
    (void)state;
    const double times[21] = {6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35};
    const bool is_event[21] = {1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0};
    const double steps[8] = {1, 6, 7, 10, 13, 16, 22, 23},
                 low[8] = {1, .6197, .5631, .5032, .4316, .3675, .2678, .1881},
                 high[8] = {1, .9516, .9228, .8894, .8491, .8049, .7468, .6801};
    const size_t n_at_risk[8] = {21, 21, 17, 15, 12, 11, 7, 6}, n_events[8] = {0, 3, 1, 1, 1, 1, 1, 1};
    struct ks_survival_step points[8], again[8];
    double curve[8], weights[21];
    ks_survival_steps(21, times, is_event, NULL, 8, steps, points);
    ks_survival_curve(21, times, is_event, NULL, 8, steps, curve);
    for (int s = 0; s < 8; s++) {
        assert_true(points[s].survival == curve[s]);
        assert_true(fabs(points[s].low - low[s]) < 6e-5 && fabs(points[s].high - high[s]) < 6e-5);
        assert_int_equal(points[s].n_at_risk, n_at_risk[s]);
        assert_int_equal(points[s].n_events, n_events[s]);
    }
    for (int i = 0; i < 21; i++) weights[i] = 0.25;
    ks_survival_steps(21, times, is_event, weights, 8, steps, again);
    for (int s = 0; s < 8; s++) assert_true(fabs(points[s].low - again[s].low) < 1e-14);
    for (int i = 0; i < 21; i++) weights[i] = is_event[i] ? 1 : i % 2 == 0 ? 0.2 : 1.8;
    ks_survival_steps(21, times, is_event, weights, 8, steps, again);
    ks_survival_curve(21, times, is_event, weights, 8, steps, curve);
    for (int s = 1; s < 8; s++) {
        assert_true(again[s].survival == curve[s] && again[s].low < again[s].survival);
        assert_true(again[s].high > again[s].survival && again[s].high < 1 && again[s].low > 0);
    }
}

static void intervals_end_where_there_are_none(void **state) {
    (void)state;
    const double times[2] = {1, 2}, steps[2] = {1, 2};
    const bool is_event[2] = {true, true};
    struct ks_survival_step points[2];
    ks_survival_steps(2, times, is_event, NULL, 2, steps, points);
    assert_true(points[0].survival == 0.5 && points[0].low > 0 && points[0].high < 1);
    assert_true(points[1].survival == 0 && isnan(points[1].low) && isnan(points[1].high));
    ks_survival_steps(0, times, is_event, NULL, 2, steps, points);
    assert_true(points[1].survival == 1 && points[1].n_at_risk == 0);
}

/* Responders are followed from the visit until they score above half of the baseline, or are not seen. */
static void responders_are_followed(void **state) {
    (void)state;
    const double visits[4] = {24, 72, 168, 336};
    double time;
    bool is_event;
    assert_int_equal(ks_survival_first_visit(4, visits, NAN), 0);
    assert_int_equal(ks_survival_first_visit(4, visits, 100), 1);
    assert_int_equal(ks_survival_first_visit(4, visits, 72), 1);
    assert_int_equal(ks_survival_first_visit(0, NULL, 72), 0);
    const double relapses[5] = {30, 15, 10, 16, 8}, stays[5] = {30, 12, 10, 15, 14},
                 is_lost[5] = {30, 12, 10, NAN, NAN}, is_no_responder[5] = {30, 15.5, 10, 10, 10},
                 is_not_seen[5] = {30, NAN, NAN, NAN, NAN}, never_again[5] = {30, 10, NAN, NAN, NAN};
    assert_true(ks_survival_follow(4, visits, 0, relapses, &time, &is_event) && is_event && time == 144);
    assert_true(ks_survival_follow(4, visits, 1, relapses, &time, &is_event) && is_event && time == 96);
    assert_true(ks_survival_follow(4, visits, 0, stays, &time, &is_event) && !is_event && time == 312);
    assert_true(ks_survival_follow(4, visits, 0, is_lost, &time, &is_event) && !is_event && time == 48);
    assert_true(ks_survival_follow(4, visits, 0, never_again, &time, &is_event) && !is_event && time == 0);
    assert_false(ks_survival_follow(4, visits, 0, is_no_responder, &time, &is_event));
    assert_false(ks_survival_follow(4, visits, 0, is_not_seen, &time, &is_event));
    assert_false(ks_survival_follow(0, NULL, 0, stays, &time, &is_event));
}

/* Of equal weights the inverse of the distribution; a patient of weight 3 is three patients; weight 0 is nobody. */
static void weighted_quantiles_count_weights(void **state) {
    (void)state;
    const double values[6] = {5, 1, 3, NAN, 2, 9}, weights[6] = {1, 1, 3, 7, 1, 0};
    const double copies[6] = {1, 2, 3, 3, 3, 5}, shares[5] = {0, 1.0 / 6, 0.5, 0.85, 1};
    double found[5], expected[5];
    assert_int_equal(ks_statistics_weighted_quantiles(6, values, weights, 5, shares, found), KS_OK);
    assert_int_equal(ks_statistics_weighted_quantiles(6, copies, NULL, 5, shares, expected), KS_OK);
    assert_memory_equal(found, expected, sizeof found);
    const double known[5] = {1, 1, 3, 5, 5};
    assert_memory_equal(found, known, sizeof found);
    assert_int_equal(ks_statistics_weighted_quantiles(1, &values[3], NULL, 1, shares, found), KS_OK);
    assert_true(isnan(found[0]));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_tilt_a_normal_distribution),
        cmocka_unit_test(bounded_weights_meet_many_conditions),
        cmocka_unit_test(conflicts_are_named),
        cmocka_unit_test(systematic_samples_follow_the_weights),
        cmocka_unit_test(acceptance_finds_a_normal_target),
        cmocka_unit_test(sure_patients_are_counted),
        cmocka_unit_test(kolmogorov_p_values_are_uniform),
        cmocka_unit_test(distance_counts_weights_and_ties),
        cmocka_unit_test(binomial_test_equals_its_definition),
        cmocka_unit_test(moments_and_quantiles),
        cmocka_unit_test(survival_of_freireich),
        cmocka_unit_test(intervals_of_freireich),
        cmocka_unit_test(intervals_end_where_there_are_none),
        cmocka_unit_test(responders_are_followed),
        cmocka_unit_test(weighted_quantiles_count_weights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
