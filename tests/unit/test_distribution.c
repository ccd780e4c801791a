/* Distributions: properties that hold for all of them, then values known analytically, then the words of each
 * fault. */
#include "base/elementary.h"
#include "design/design.h"
#include "design/design_impl.h"

#include <float.h>
#include <gsl/gsl_cdf.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const double SMALLEST_U = 0x1p-53, LARGEST_U = 1 - 0x1p-53;

/* The limits and what else is not zero follow as designated fields. */
#define DISTRIBUTION(name, A, B, C, ...) \
    ((struct ks_distribution){.kind = KS_DISTRIBUTION_##name, .a = A, .b = B, .c = C, __VA_ARGS__})
#define LIMITS(lowest, highest) .low = lowest, .high = highest
#define UNBOUNDED               LIMITS(-INFINITY, INFINITY)
#define VALUES(n, list, shares) .n_values = n, .values = list, .probabilities = shares

static double logit(double x) {
    return ks_elementary_log(x / (1 - x));
}

/* One of each kind, plain and truncated, and the extremes of shape. */
static int fill_examples(struct ks_distribution *examples) {
    const struct ks_distribution all[] = {
        DISTRIBUTION(uniform, -2, 3, 0, UNBOUNDED),
        DISTRIBUTION(uniform, -2, 3, 0, LIMITS(0, INFINITY)),
        DISTRIBUTION(loguniform, 1e-3, 1e3, 0, UNBOUNDED),
        DISTRIBUTION(loguniform, 1e-3, 1e3, 0, LIMITS(0.1, 1)),
        DISTRIBUTION(normal, 10, 2, 0, UNBOUNDED),
        DISTRIBUTION(normal, 10, 2, 0, LIMITS(9, 10.5)),
        DISTRIBUTION(normal, 0, 1, 0, LIMITS(6, INFINITY)),
        DISTRIBUTION(normal, 0, 1, 0, LIMITS(-INFINITY, -6)),
        DISTRIBUTION(lognormal, 1.25, 0.4, 0, UNBOUNDED),
        DISTRIBUTION(lognormal, 1.25, 0.4, 0, LIMITS(0, 2)),
        DISTRIBUTION(lognormal, 1e300, 20, 0, UNBOUNDED),
        DISTRIBUTION(logitnormal, logit(0.3), 0.8, 0, UNBOUNDED),
        DISTRIBUTION(logitnormal, logit(0.3), 0.8, 0, LIMITS(0.2, 1)),
        DISTRIBUTION(logitnormal, 0, 100, 0, LIMITS(0, 1)),
        DISTRIBUTION(triangular, 0, 1, 4, UNBOUNDED),
        DISTRIBUTION(triangular, 0, 0, 4, UNBOUNDED),
        DISTRIBUTION(triangular, 0, 4, 4, LIMITS(1, 3)),
        DISTRIBUTION(beta, 2, 3, 0, LIMITS(0, 1)),
        DISTRIBUTION(beta, 0.05, 0.02, 0, LIMITS(-1, 1)),
        DISTRIBUTION(beta, 1e5, 1e5, 0, LIMITS(0, 1)),
        DISTRIBUTION(beta, 0.01, 1e5, 0, LIMITS(0, 1)),
        DISTRIBUTION(normal, 5, 3, 0, LIMITS(0.5, 9.5), .is_integer = true),
        DISTRIBUTION(uniform, 1, 12, 0, LIMITS(0, 1000), .is_integer = true),
        DISTRIBUTION(lognormal, 0.8, 0.5, 0, LIMITS(0, 1000), .is_integer = true),
    };
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) examples[k] = all[k];
    return sizeof all / sizeof *all;
}

enum { MAX_EXAMPLES = 32 };

/* ---- properties of all --------------------------------------------------------------------------------- */

static void examples_have_no_fault(void **state) {
    (void)state;
    struct ks_distribution examples[MAX_EXAMPLES];
    int n = fill_examples(examples);
    char text[200];
    for (int k = 0; k < n; k++) assert_null(ks_distribution_fault(&examples[k], text, sizeof text));
}

static void quantiles_increase(void **state) {
    (void)state;
    struct ks_distribution examples[MAX_EXAMPLES];
    int n = fill_examples(examples);
    for (int k = 0; k < n; k++) {
        double last = ks_distribution_quantile(&examples[k], SMALLEST_U);
        for (int i = 1; i < 2000; i++) {
            double x = ks_distribution_quantile(&examples[k], i / 2000.0);
            assert_true(x >= last);
            last = x;
        }
        assert_true(ks_distribution_quantile(&examples[k], LARGEST_U) >= last);
        assert_true(last > ks_distribution_quantile(&examples[k], 0.01));
    }
}

static void quantiles_are_finite_and_within_the_limits(void **state) {
    (void)state;
    struct ks_distribution examples[MAX_EXAMPLES];
    int n = fill_examples(examples);
    const double shares[] = {SMALLEST_U, 3 * SMALLEST_U,     1e-9,     0.1, 0.5, 0.9,
                             1 - 1e-9,   1 - 3 * SMALLEST_U, LARGEST_U};
    for (int k = 0; k < n; k++) {
        for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
            double x = ks_distribution_quantile(&examples[k], shares[i]);
            assert_true(isfinite(x));
            assert_true(x >= examples[k].low && x <= examples[k].high);
            if (examples[k].kind == KS_DISTRIBUTION_logitnormal) assert_true(x > 0 && x < 1);
            if (examples[k].is_integer) assert_true(x == floor(x));
        }
    }
}

/* With F the untruncated distribution, F(x(u)) = F(low) + u (F(high) - F(low)). */
static void truncation_keeps_the_shape(void **state) {
    (void)state;
    struct ks_distribution normal = DISTRIBUTION(normal, 10, 2, 0, LIMITS(9, 13));
    struct ks_distribution triangular = DISTRIBUTION(triangular, 0, 1, 4, LIMITS(0.5, 2));
    double from = 0.5 * erfc(0.5 / sqrt(2)), to = 0.5 * erfc(-1.5 / sqrt(2));
    for (int i = 1; i < 100; i++) {
        double u = i / 100.0;
        double z = (ks_distribution_quantile(&normal, u) - 10) / 2;
        assert_true(fabs(0.5 * erfc(-z / sqrt(2)) - (from + u * (to - from))) < 1e-14);
        double x = ks_distribution_quantile(&triangular, u);
        double share = x < 1 ? x * x / 4 : 1 - (4 - x) * (4 - x) / 12;
        assert_true(fabs(share - (0.0625 + u * (2.0 / 3 - 0.0625))) < 1e-14);
    }
    assert_true(fabs(ks_distribution_quantile(&normal, SMALLEST_U) - 9) < 1e-12);
    assert_true(fabs(ks_distribution_quantile(&normal, LARGEST_U) - 13) < 1e-12);
}

/* ---- known values -------------------------------------------------------------------------------------- */

static void assert_near(double found, double expected, double relative) {
    assert_true(fabs(found - expected) <= relative * fabs(expected));
}

static void quantiles_have_their_known_values(void **state) {
    (void)state;
    const double z975 = 1.9599639845400545;
    const struct {
        struct ks_distribution distribution;
        double u, expected;
    } known[] = {
        {DISTRIBUTION(uniform, -2, 2, 0, UNBOUNDED), 0.75, 1},
        {DISTRIBUTION(loguniform, 0.01, 100, 0, UNBOUNDED), 0.75, 10},
        {DISTRIBUTION(normal, 10, 2, 0, UNBOUNDED), 0.975, 10 + 2 * z975},
        {DISTRIBUTION(normal, 10, 2, 0, UNBOUNDED), 0.025, 10 - 2 * z975},
        {DISTRIBUTION(lognormal, 3, 0.5, 0, UNBOUNDED), 0.5, 3},
        {DISTRIBUTION(lognormal, 3, 0.5, 0, UNBOUNDED), 0.975, 3 * exp(0.5 * z975)},
        {DISTRIBUTION(logitnormal, logit(0.3), 0.8, 0, UNBOUNDED), 0.5, 0.3},
        {DISTRIBUTION(logitnormal, logit(0.5), 2, 0, UNBOUNDED), 0.975, 1 / (1 + exp(-2 * z975))},
        {DISTRIBUTION(triangular, 0, 1, 4, UNBOUNDED), 0.25, 1},
        {DISTRIBUTION(triangular, 0, 1, 4, UNBOUNDED), 0.5, 4 - sqrt(6)},
        {DISTRIBUTION(beta, 1, 1, 0, LIMITS(0, 1)), 0.3, 0.3},
        {DISTRIBUTION(beta, 3, 1, 0, LIMITS(-1, 1)), 0.001, -0.8},
        {DISTRIBUTION(beta, 1, 4, 0, LIMITS(0, 1)), 0.9999, 0.9},
        {DISTRIBUTION(beta, 0.5, 0.5, 0, LIMITS(0, 1)), 1e-6,
         2.4674011002723397e-12}, /* arcsine: sin^2(pi u / 2) */
        {DISTRIBUTION(beta, 0.01, 1, 0, LIMITS(0, 1)), 0.9, 2.6561398887587544e-05}, /* u^100 */
        {DISTRIBUTION(beta, 1, 100, 0, LIMITS(0, 1)), 1 - 0x1p-40, 1 - exp2(-0.4)},  /* 1 - (1 - u)^0.01 */
    };
    for (size_t k = 0; k < sizeof known / sizeof *known; k++)
        assert_near(ks_distribution_quantile(&known[k].distribution, known[k].u), known[k].expected, 1e-12);
}

static void beta_quantile_inverts_its_polynomial(void **state) {
    (void)state;
    for (int i = 1; i < 1000; i++) {
        double u = i / 1000.0, x = ks_beta_quantile(2, 3, u), mirrored = 1 - ks_beta_quantile(3, 2, 1 - u);
        assert_near(x * x * (6 - x * (8 - 3 * x)), u, 1e-13);
        assert_near(mirrored, x, 1e-13);
    }
}

static const double shapes[] = {0.01, 0.3, 0.5, 1, 1.5, 3, 20, 1e3, 1e5};
enum { N_SHAPES = sizeof shapes / sizeof *shapes };

/* GSL's own error grows to 2e-10 at shapes of 1e5, with the logarithms of its gamma functions. */
static void beta_shares_are_gsls(void **state) {
    (void)state;
    for (int k = 0; k < N_SHAPES * N_SHAPES; k++) {
        double a = shapes[k / N_SHAPES], b = shapes[k % N_SHAPES], below, above;
        for (int i = 1; i < 40; i++) {
            double x = ks_beta_quantile(a, b, i / 40.0);
            if (x < DBL_MIN || 1 - x < 1e-3) continue; /* GSL takes 1 - x itself */
            ks_beta_shares(a, b, x, &below, &above);
            double allowed = fmax(a, b) > 100 ? 1e-9 : 1e-12;
            double others_above = gsl_cdf_beta_Q(x, a, b);
            assert_near(below, gsl_cdf_beta_P(x, a, b), allowed);
            if (!isnan(others_above)) assert_near(above, others_above, allowed); /* one is, on aarch64 */
        }
    }
}

/* The same fraction in 45 digits. */
static void beta_shares_have_their_known_values(void **state) {
    (void)state;
    static const struct {
        double a, b, x, below, above;
    } known[] = {
        {1e5, 1e5, 0.4921875, 1.3928685995210773783e-12, 0.9999999999986071314},
        {1e5, 1e5, 0.5078125, 0.9999999999986071314, 1.3928685995210773783e-12},
        {1.5, 1e5, 0x1p-15, 0.89332389964079417371, 0.10667610035920582629},
        {1e5, 1.5, 1 - 0x1p-15, 0.10667610035920582629, 0.89332389964079417371},
        {0.01, 1e5, 0x1p-200, 0.28210530718311302855, 0.71789469281688697145},
        {0.01, 1e5, 0x1p-14, 0.99999672145419432644, 3.2785458056735606132e-6},
        {1e5, 20, 1 - 0x1p-12, 0.15940596744522285512, 0.84059403255477714488},
        {0.3, 0.5, 0.125, 0.39818839103096720443, 0.60181160896903279557},
        {20, 1e3, 0x1p-5, 0.99085816265571415364, 0.0091418373442858463626},
    };
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        double below, above;
        ks_beta_shares(known[k].a, known[k].b, known[k].x, &below, &above);
        assert_near(below, known[k].below, 1e-14);
        assert_near(above, known[k].above, 1e-14);
        if (below < above) /* else u has not the digits */
            assert_near(ks_beta_quantile(known[k].a, known[k].b, below), known[k].x, 1e-14);
    }
}

/* Shares near 1 follow from the digits of u. */
static void beta_quantile_inverts_its_shares(void **state) {
    (void)state;
    for (int k = 0; k < N_SHAPES * N_SHAPES; k++) {
        double a = shapes[k / N_SHAPES], b = shapes[k % N_SHAPES], below, above;
        for (int i = 1; i < 52; i++) {
            double u = i % 2 ? ldexp(1, -i) : 1 - ldexp(1, -i), x = ks_beta_quantile(a, b, u);
            assert_true(x >= 0 && x <= 1);
            if (x > 0.5 || x <= 1e-300) continue;
            ks_beta_shares(a, b, x, &below, &above);
            if (below < above)
                assert_near(below, u, 1e-12);
            else
                assert_near(above, 1 - u, 1e-10);
        }
    }
}

/* The mean of a normal beyond 6 sd: phi(6) / (1 - Phi(6)) = 6.158482. A share computed as 1 - Phi(6) would
 * keep 7 of its digits, and one of the extreme u none. */
static void far_tails_keep_their_digits(void **state) {
    (void)state;
    enum { N = 200000 };
    struct ks_distribution upper = DISTRIBUTION(normal, 0, 1, 0, LIMITS(6, INFINITY));
    struct ks_distribution lower = DISTRIBUTION(normal, 0, 1, 0, LIMITS(-INFINITY, -6));
    double sum = 0;
    for (int i = 0; i < N; i++) sum += ks_distribution_quantile(&upper, (i + 0.5) / N);
    double expected = exp(-18) / sqrt(2 * acos(-1)) / (0.5 * erfc(6 / sqrt(2)));
    assert_near(sum / N, expected, 1e-6);
    for (int i = 1; i < 64; i++)
        assert_near(ks_distribution_quantile(&upper, i / 64.0),
                    -ks_distribution_quantile(&lower, 1 - i / 64.0), 1e-15);
}

/* A share that rounds to 1 would be an infinite score. */
static void the_open_tail_of_a_truncated_normal_is_finite(void **state) {
    (void)state;
    for (int i = 0; i < 100; i++) {
        struct ks_distribution d = DISTRIBUTION(normal, 0, 1, 0, LIMITS(-0.1 * i, INFINITY));
        double x = ks_distribution_quantile(&d, LARGEST_U);
        assert_true(x > 8 && x < 8.4);
    }
}

static void moments_are_the_analytic_ones(void **state) {
    (void)state;
    enum { N = 200000 };
    const double sigma = sqrt(log(1 + 0.4 * 0.4));
    const struct {
        struct ks_distribution distribution;
        double mean, variance;
    } known[] = {
        {DISTRIBUTION(uniform, 2, 8, 0, UNBOUNDED), 5, 3},
        {DISTRIBUTION(loguniform, 1, 100, 0, UNBOUNDED), 99 / log(100),
         9999 / (2 * log(100)) - pow(99 / log(100), 2)},
        {DISTRIBUTION(normal, -1, 3, 0, UNBOUNDED), -1, 9},
        {DISTRIBUTION(lognormal, 1, sigma, 0, UNBOUNDED), sqrt(1.16), 1.16 * 0.16}, /* cv 0.4 */
        {DISTRIBUTION(logitnormal, 0, 0.7, 0, UNBOUNDED), 0.5, NAN},
        {DISTRIBUTION(triangular, 0, 1, 4, UNBOUNDED), 5.0 / 3, 13.0 / 18},
        {DISTRIBUTION(beta, 2, 3, 0, LIMITS(0, 10)), 4, 4},
        {DISTRIBUTION(beta, 0.5, 1.5, 0, LIMITS(0, 1)), 0.25, 0.0625},
    };
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        double sum = 0, squares = 0;
        for (int i = 0; i < N; i++) {
            double x = ks_distribution_quantile(&known[k].distribution, (i + 0.5) / N);
            sum += x / N;
            squares += x * x / N;
        }
        assert_near(sum, known[k].mean, 1e-4);
        if (!isnan(known[k].variance)) assert_near(squares - sum * sum, known[k].variance, 1e-3);
    }
}

/* FNV-1a over the words of all examples. A change of it changes the points of every campaign. */
static void quantiles_have_the_same_bits_everywhere(void **state) {
    (void)state;
    struct ks_distribution examples[MAX_EXAMPLES];
    int n = fill_examples(examples);
    uint64_t hash = 0xcbf29ce484222325u;
    for (int i = 1; i < 3000; i++) {
        for (int k = 0; k < n; k++) {
            double x = ks_distribution_quantile(&examples[k], i / 3000.0);
            uint64_t bits;
            memcpy(&bits, &x, sizeof bits);
            hash = (hash ^ bits) * 0x100000001b3u;
            hash ^= hash >> 32;
        }
    }
    if (hash != 0x8ae3293b4e75fd82u) print_error("# hash 0x%016llxu\n", (unsigned long long)hash);
    assert_true(hash == 0x8ae3293b4e75fd82u);
}

/* ---- whole numbers and given values -------------------------------------------------------------------- */

static void uniform_integers_are_equally_frequent(void **state) {
    (void)state;
    struct ks_distribution d = DISTRIBUTION(uniform, -2, 4, 0, UNBOUNDED, .is_integer = true);
    int counts[7] = {0};
    for (int i = 0; i < 7000; i++) counts[(int)ks_distribution_quantile(&d, (i + 0.5) / 7000) + 2]++;
    for (int i = 0; i < 7; i++) assert_int_equal(counts[i], 1000);
    assert_true(ks_distribution_quantile(&d, LARGEST_U) == 4);
    d.low = -0.5; /* leaves 0 to 4, and the 0 is not a -0 */
    assert_true(ks_distribution_quantile(&d, SMALLEST_U) == 0);
    assert_false(signbit(ks_distribution_quantile(&d, SMALLEST_U)));
    assert_true(ks_distribution_quantile(&d, 0.21) == 1);
}

static void other_integers_are_rounded(void **state) {
    (void)state;
    struct ks_distribution d = DISTRIBUTION(normal, 5, 2, 0, LIMITS(0, 20), .is_integer = true), plain = d;
    plain.is_integer = false;
    for (int i = 1; i < 100; i++)
        assert_true(ks_distribution_quantile(&d, i / 100.0) ==
                    round(ks_distribution_quantile(&plain, i / 100.0)));
    struct ks_distribution inner = DISTRIBUTION(normal, 5, 2, 0, LIMITS(0.7, 9.6), .is_integer = true);
    assert_true(ks_distribution_quantile(&inner, SMALLEST_U) == 1);
    assert_true(ks_distribution_quantile(&inner, LARGEST_U) == 9);
}

static void discrete_values_have_their_probabilities(void **state) {
    (void)state;
    double values[] = {4, 0, 2.5, 7}, probabilities[] = {0.25, 0, 0.7, 0.05};
    struct ks_distribution d = DISTRIBUTION(discrete, 0, 0, 0, UNBOUNDED, VALUES(4, values, probabilities));
    int counts[4] = {0};
    for (int i = 0; i < 1000; i++) {
        double x = ks_distribution_quantile(&d, (i + 0.5) / 1000);
        for (int k = 0; k < 4; k++) counts[k] += x == values[k];
    }
    assert_int_equal(counts[0], 250);
    assert_int_equal(counts[1], 0);
    assert_int_equal(counts[2], 700);
    assert_int_equal(counts[3], 50);
    assert_true(ks_distribution_quantile(&d, SMALLEST_U) == 4);
    assert_true(ks_distribution_quantile(&d, LARGEST_U) == 7);
}

/* Probabilities that sum to a little less than 1 leave a gap at the top; a last value without probability is
 * not the one to fill it. */
static void discrete_gap_goes_to_the_last_possible_value(void **state) {
    (void)state;
    double values[] = {1, 2, 3}, probabilities[] = {0.5, 0.5 - 1e-10, 0};
    struct ks_distribution d = DISTRIBUTION(discrete, 0, 0, 0, UNBOUNDED, VALUES(3, values, probabilities));
    char text[200];
    assert_null(ks_distribution_fault(&d, text, sizeof text));
    assert_true(ks_distribution_quantile(&d, LARGEST_U) == 2);
}

/* ---- faults -------------------------------------------------------------------------------------------- */

static void each_fault_has_its_words(void **state) {
    (void)state;
    double values[] = {0, 1.5, 9}, even[] = {0.5, 0.25, 0.25}, negative[] = {1.5, -0.25, -0.25},
           short_of[] = {0.5, 0.2, 0.2};
    const struct {
        struct ks_distribution distribution;
        const char *words;
    } faults[] = {
        {DISTRIBUTION(uniform, 2, 1, 0, UNBOUNDED), "low must be below high, found low = 2 and high = 1"},
        {DISTRIBUTION(uniform, 1, 1, 0, UNBOUNDED), "low must be below high, found low = 1 and high = 1"},
        {DISTRIBUTION(uniform, 0, INFINITY, 0, UNBOUNDED), "low and high must be finite, found 0 and inf"},
        {DISTRIBUTION(uniform, 2, 3, 0, LIMITS(0, 1)),
         "low = 0 and high = 1 must leave at least 1e-12 of the distribution, found 0"},
        {DISTRIBUTION(uniform, 1.2, 1.8, 0, UNBOUNDED, .is_integer = true),
         "no whole number lies within its range"},
        {DISTRIBUTION(loguniform, 0, 1, 0, UNBOUNDED), "low must be > 0 on a log scale, found 0"},
        {DISTRIBUTION(loguniform, 3, 1, 0, UNBOUNDED), "low must be below high, found low = 3 and high = 1"},
        {DISTRIBUTION(normal, NAN, 1, 0, UNBOUNDED), "mean must be a finite number, found nan"},
        {DISTRIBUTION(normal, 0, -1, 0, UNBOUNDED), "sd must be > 0, found -1"},
        {DISTRIBUTION(normal, 0, 1, 0, LIMITS(2, 2)), "low must be below high, found low = 2 and high = 2"},
        {DISTRIBUTION(normal, 0, 1, 0, LIMITS(8, INFINITY)),
         "low = 8 and high = inf must leave at least 1e-12 of the distribution, found 6.22e-16"},
        {DISTRIBUTION(lognormal, 0, 1, 0, UNBOUNDED), "median must be > 0, found 0"},
        {DISTRIBUTION(lognormal, 1, 0, 0, UNBOUNDED), "cv must be > 0, found 0"},
        {DISTRIBUTION(lognormal, 1, 1, 0, LIMITS(-2, 0)),
         "low = -2 and high = 0 must leave at least 1e-12 of the distribution, found 0"},
        {DISTRIBUTION(logitnormal, INFINITY, 1, 0, UNBOUNDED), "median must be in (0, 1), found 1"},
        {DISTRIBUTION(logitnormal, 0, 0, 0, UNBOUNDED), "sd must be > 0, found 0"},
        {DISTRIBUTION(triangular, 0, 5, 4, UNBOUNDED), "mode must be within low = 0 and high = 4, found 5"},
        {DISTRIBUTION(triangular, 4, 4, 4, UNBOUNDED), "low must be below high, found low = 4 and high = 4"},
        {DISTRIBUTION(beta, 0, 1, 0, LIMITS(0, 1)), "alpha must be > 0, found 0"},
        {DISTRIBUTION(beta, 1, NAN, 0, LIMITS(0, 1)), "beta must be > 0, found nan"},
        {DISTRIBUTION(beta, 2e5, 1, 0, LIMITS(0, 1)), "alpha and beta must be <= 100000, found 200000 and 1"},
        {DISTRIBUTION(beta, 1, 1, 0, LIMITS(1, 0)), "low must be below high, found low = 1 and high = 0"},
        {DISTRIBUTION(beta, 1, 1, 0, UNBOUNDED), "low and high must be finite, found -inf and inf"},
        {DISTRIBUTION(discrete, 0, 0, 0, UNBOUNDED), "values must not be empty"},
        {DISTRIBUTION(discrete, 0, 0, 0, LIMITS(0, 4), VALUES(3, values, even)),
         "values must be in [0, 4], found 9"},
        {DISTRIBUTION(discrete, 0, 0, 0, UNBOUNDED, VALUES(3, values, even), .is_integer = true),
         "values must be whole numbers, found 1.5"},
        {DISTRIBUTION(discrete, 0, 0, 0, UNBOUNDED, VALUES(3, values, negative)),
         "probabilities must be >= 0, found -0.25"},
        {DISTRIBUTION(discrete, 0, 0, 0, UNBOUNDED, VALUES(3, values, short_of)),
         "probabilities must sum to 1, found 0.9"},
    };
    for (size_t k = 0; k < sizeof faults / sizeof *faults; k++) {
        char text[200];
        const char *found = ks_distribution_fault(&faults[k].distribution, text, sizeof text);
        assert_non_null(found);
        assert_string_equal(found, faults[k].words);
    }
}

static void tables_name_every_distribution(void **state) {
    (void)state;
    assert_string_equal(ks_distribution_names[KS_DISTRIBUTION_logitnormal], "logitnormal");
    assert_string_equal(ks_distribution_arguments[KS_DISTRIBUTION_lognormal], "median or mean; cv");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples_have_no_fault),
        cmocka_unit_test(quantiles_increase),
        cmocka_unit_test(quantiles_are_finite_and_within_the_limits),
        cmocka_unit_test(truncation_keeps_the_shape),
        cmocka_unit_test(quantiles_have_their_known_values),
        cmocka_unit_test(beta_quantile_inverts_its_polynomial),
        cmocka_unit_test(beta_shares_are_gsls),
        cmocka_unit_test(beta_shares_have_their_known_values),
        cmocka_unit_test(beta_quantile_inverts_its_shares),
        cmocka_unit_test(quantiles_have_the_same_bits_everywhere),
        cmocka_unit_test(far_tails_keep_their_digits),
        cmocka_unit_test(the_open_tail_of_a_truncated_normal_is_finite),
        cmocka_unit_test(moments_are_the_analytic_ones),
        cmocka_unit_test(uniform_integers_are_equally_frequent),
        cmocka_unit_test(other_integers_are_rounded),
        cmocka_unit_test(discrete_values_have_their_probabilities),
        cmocka_unit_test(discrete_gap_goes_to_the_last_possible_value),
        cmocka_unit_test(each_fault_has_its_words),
        cmocka_unit_test(tables_name_every_distribution),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
