/* Elementary functions and the normal distribution: against the C library in long double, at the ends of their
 * ranges, and their bits against those of the machine on which the test was written. */
#include "base/elementary.h"
#include "base/normal.h"
#include "base/random.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { N = 100000 };

/* A number in (low, high), another for each i and item. */
static double draw(int i, uint64_t item, double low, double high) {
    return low + (high - low) * ks_random_uniform(1, KS_STREAM_test, (uint64_t)i, item);
}

static void assert_ulps(double found, long double exact, double allowed) {
    int exponent;
    frexp((double)exact, &exponent);
    double ulps = (double)fabsl(found - exact) / ldexp(1, exponent - DBL_MANT_DIG);
    if (!(ulps <= allowed)) fail_msg("%.17g is not %.20Lg: %.3g ulp", found, exact, ulps);
}

static void assert_relative(double found, long double exact, double allowed) {
    double error = (double)fabsl(found / exact - 1);
    if (!(error <= allowed)) fail_msg("%.17g is not %.20Lg: %.3g", found, exact, error);
}

/* ---- elementary functions ------------------------------------------------------------------------------ */

static void exp_and_log_are_accurate(void **state) {
    (void)state;
    for (int i = 0; i < N; i++) {
        double far = draw(i, 0, -708, 709), near = draw(i, 1, -1, 1), m = draw(i, 2, 0.5, 2);
        assert_ulps(ks_elementary_exp(far), expl(far), 1);
        assert_ulps(ks_elementary_exp(near), expl(near), 1);
        assert_ulps(ks_elementary_log(m), logl(m), 2);
        assert_ulps(ks_elementary_log(ldexp(m, i % 2040 - 1020)), logl(ldexp(m, i % 2040 - 1020)), 2);
    }
}

static void exp_and_log_have_ends(void **state) {
    (void)state;
    assert_true(ks_elementary_exp(0) == 1 && ks_elementary_log(1) == 0);
    assert_true(ks_elementary_exp(709.78) < INFINITY && ks_elementary_exp(709.79) == INFINITY);
    assert_true(ks_elementary_exp(-745.1) == 0x1p-1074 && ks_elementary_exp(-745.2) == 0);
    assert_true(ks_elementary_exp(INFINITY) == INFINITY && ks_elementary_exp(-INFINITY) == 0);
    assert_true(ks_elementary_log(0) == -INFINITY && ks_elementary_log(INFINITY) == INFINITY);
    assert_true(isnan(ks_elementary_log(-1)) && isnan(ks_elementary_log(NAN)) &&
                isnan(ks_elementary_exp(NAN)));
    assert_ulps(ks_elementary_log(0x1p-1074), logl(0x1p-1074), 1);
    assert_relative(ks_elementary_exp(-720), expl(-720), 1e-10); /* denormal */
}

static void log1p_is_accurate(void **state) {
    (void)state;
    for (int i = 0; i < N; i++) {
        double x = draw(i, 0, -1, 1), small = ldexp(x, -(i % 60)), large = ldexp(1 + x, i % 1000);
        assert_ulps(ks_elementary_log1p(x), log1pl(x), 2);
        assert_ulps(ks_elementary_log1p(small), log1pl(small), 2);
        assert_ulps(ks_elementary_log1p(large), log1pl(large), 2);
    }
    assert_true(ks_elementary_log1p(0) == 0 && ks_elementary_log1p(-1) == -INFINITY);
    assert_true(ks_elementary_log1p(INFINITY) == INFINITY && isnan(ks_elementary_log1p(-1.5)));
}

static void powers_are_accurate(void **state) {
    (void)state;
    for (int i = 0; i < N; i++) {
        double x = ldexp(draw(i, 0, 1, 2), i % 200 - 100), denominator = 1 + i % 1000, numerator = 1 + i % 7;
        assert_ulps(ks_elementary_power(x, numerator, denominator),
                    powl(x, (long double)numerator / denominator), 1);
    }
    assert_true(ks_elementary_power(INFINITY, 1, 3) == INFINITY);
    for (int decades = 1; decades <= 15; decades++)
        for (int k = 1; k <= decades; k++)
            assert_true(ks_elementary_power(pow(10, decades), k, decades) == pow(10, k));
}

static void sin_is_accurate(void **state) {
    (void)state;
    for (int i = 0; i < N; i++) {
        double near = draw(i, 0, -4, 4), far = draw(i, 1, -1e6, 1e6);
        assert_ulps(ks_elementary_sin(near), sinl(near), 2);
        assert_ulps(ks_elementary_sin(far), sinl(far), 3);
        assert_true(ks_elementary_sin(-far) == -ks_elementary_sin(far));
        assert_true(fabs(ks_elementary_sin(1e100 * far)) <= 1);
    }
    assert_true(ks_elementary_sin(0) == 0 && isnan(ks_elementary_sin(INFINITY)));
}

/* ---- the normal distribution --------------------------------------------------------------------------- */

static long double exact_share(long double z) {
    return 0.5L * erfcl(-z / sqrtl(2));
}

static void normal_share_is_accurate(void **state) {
    (void)state;
    for (int i = 0; i < N; i++) {
        double tail = draw(i, 0, -37, 0), z = draw(i, 1, -6, 9);
        assert_relative(ks_normal_share(tail), exact_share(tail), 2e-15);
        assert_relative(ks_normal_share(z), exact_share(z), 2e-15);
    }
    assert_true(ks_normal_share(0) == 0.5 && ks_normal_share(-40) == 0 && ks_normal_share(40) == 1);
    assert_true(ks_normal_share(-INFINITY) == 0 && ks_normal_share(INFINITY) == 1);
    assert_true(isnan(ks_normal_share(NAN)));
}

/* The exact quantile is found from the one under test by a step of Newton's. */
static void assert_quantile(double share) {
    double z = ks_normal_quantile(share);
    long double density = expl(-0.5L * z * z) / sqrtl(2 * acosl(-1));
    long double excess = share < 0.5 ? exact_share(z) - share : (1 - (long double)share) - exact_share(-z);
    assert_relative(z, z - excess / density, 1e-15);
}

static void normal_quantile_is_accurate(void **state) {
    (void)state;
    for (int i = 0; i < N; i++) {
        double u = draw(i, 0, 0, 1);
        assert_quantile(u);
        assert_quantile(1 - ldexp(u, -(i % 30)));
        assert_quantile(ldexp(u, -(i % 1000)));
        double z = draw(i, 1, -37, -0.3);
        assert_relative(ks_normal_quantile(ks_normal_share(z)), z, 2e-15);
    }
    assert_true(ks_normal_quantile(0.5) == 0);
    assert_true(ks_normal_quantile(0) == -INFINITY && ks_normal_quantile(1) == INFINITY);
}

static void normal_quantile_increases_but_for_rounding(void **state) {
    (void)state;
    static const double borders[] = {0.075, 1.3887943864964021e-11, 0.5, 0.925}; /* of its approximations */
    for (int k = 0; k < 4; k++) {
        double share = borders[k] * (1 - 1e-12), last = ks_normal_quantile(share);
        for (int i = 0; i < 20000; i++) {
            share = nextafter(share, 1);
            double z = ks_normal_quantile(share);
            assert_true(z >= last - 4e-16 * fabs(last));
            last = z;
        }
    }
}

/* ---- bits ---------------------------------------------------------------------------------------------- */

/* FNV-1a over words (Fowler, Noll and Vo). */
static uint64_t hash_of(double (*evaluate)(int i)) {
    uint64_t hash = 0xcbf29ce484222325u;
    for (int i = 0; i < N; i++) {
        double value = evaluate(i);
        uint64_t bits;
        memcpy(&bits, &value, sizeof bits);
        hash = (hash ^ bits) * 0x100000001b3u;
        hash ^= hash >> 32;
    }
    return hash;
}

static double some_exp(int i) {
    return ks_elementary_exp(draw(i, 0, -750, 712));
}

static double some_log(int i) {
    return ks_elementary_log(ldexp(draw(i, 0, 0.5, 2), i % 101 - 50));
}

static double some_log1p(int i) {
    return ks_elementary_log1p(ldexp(draw(i, 0, -1, 1), -(i % 50)));
}

static double some_power(int i) {
    return ks_elementary_power(draw(i, 0, 1, 1000), i % 97, 96);
}

static double some_sin(int i) {
    return ks_elementary_sin(draw(i, 0, -100, 100));
}

static double some_share(int i) {
    return ks_normal_share(draw(i, 0, -39, 9));
}

static double some_quantile(int i) {
    return ks_normal_quantile(ldexp(draw(i, 0, 0, 1), -(i % 40)));
}

/* A change of these changes the results of every campaign. */
static void bits_are_the_same_everywhere(void **state) {
    (void)state;
    static const struct {
        double (*evaluate)(int i);
        uint64_t hash;
    } known[] = {
        {some_exp, 0xf3085efdc60a7ebdu},      {some_log, 0x5d545e2b1dd48e50u},
        {some_log1p, 0x49b60e364d64cc4au},    {some_power, 0x10045e5a6056c823u},
        {some_sin, 0x3914cde07cd2aa19u},      {some_share, 0x5890f5cdea9aa67bu},
        {some_quantile, 0xc55e5a692575f68du},
    };
    int n_changed = 0;
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        uint64_t found = hash_of(known[k].evaluate);
        if (found != known[k].hash) print_error("# function %zu: 0x%016llxu\n", k, (unsigned long long)found);
        n_changed += found != known[k].hash;
    }
    assert_int_equal(n_changed, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exp_and_log_are_accurate),
        cmocka_unit_test(exp_and_log_have_ends),
        cmocka_unit_test(log1p_is_accurate),
        cmocka_unit_test(powers_are_accurate),
        cmocka_unit_test(sin_is_accurate),
        cmocka_unit_test(normal_share_is_accurate),
        cmocka_unit_test(normal_quantile_is_accurate),
        cmocka_unit_test(normal_quantile_increases_but_for_rounding),
        cmocka_unit_test(bits_are_the_same_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
