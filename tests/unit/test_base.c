/* The base: arithmetic on lanes, random numbers, memory, the error trace. */
#include "base/error.h"
#include "base/lanes.h"
#include "base/memory.h"
#include "base/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void exp_of_a_lane_is_accurate(void **state) {
    (void)state;
    for (int i = -70000; i <= 70000; i++) {
        double x = i * 0.01 + 0.00123, exact = exp(x);
        if (fabs(x) < 700) assert_true(fabs(ks_lane_exp(x) - exact) <= 4e-16 * exact);
    }
    assert_true(ks_lane_exp(0) == 1);
}

static void log_of_a_lane_is_accurate(void **state) {
    (void)state;
    for (int i = -3000; i <= 3000; i++) {
        double x = exp(0.2333 * i), exact = log(x); /* from 1e-304 to 1e304 */
        if (!(fabs(ks_lane_log(x) - exact) <= 5e-16 + 4.5e-16 * fabs(exact)))
            fail_msg("log(%.17g) = %.17g, expected %.17g", x, ks_lane_log(x), exact);
    }
    assert_true(ks_lane_log(1) == 0);
}

static void clamp_keeps_nan(void **state) {
    (void)state;
    assert_true(ks_lane_clamp(5, 0, 1) == 1 && ks_lane_clamp(-5, 0, 1) == 0 &&
                ks_lane_clamp(0.5, 0, 1) == 0.5);
    assert_true(isnan(ks_lane_clamp(NAN, 0, 1)));
}

static void uniforms_are_open_and_uniform(void **state) {
    (void)state;
    assert_true(ks_random_to_uniform(0) > 0 && ks_random_to_uniform(UINT64_MAX) < 1);
    enum { N = 100000, BINS = 20 };
    int count[BINS] = {0};
    double sum = 0, lag = 0, before = 0.5;
    for (uint64_t i = 0; i < N; i++) {
        double u = ks_random_uniform(3, KS_STREAM_test, i, 0);
        count[(int)(u * BINS)]++;
        sum += u;
        lag += (u - 0.5) * (before - 0.5);
        before = u;
    }
    double chi = 0;
    for (int i = 0; i < BINS; i++) chi += pow(count[i] - N / BINS, 2) / (N / BINS);
    assert_true(chi < 43.8); /* 19 degrees of freedom, p = 0.001 */
    assert_true(fabs(sum / N - 0.5) < 4 / sqrt(12.0 * N));
    assert_true(fabs(lag / N) < 4 / (12 * sqrt((double)N)));
}

static void streams_differ(void **state) {
    (void)state;
    uint64_t bits = ks_random_bits(1, KS_STREAM_test, 2, 3);
    assert_true(bits == ks_random_bits(1, KS_STREAM_test, 2, 3));
    assert_true(bits != ks_random_bits(2, KS_STREAM_test, 2, 3));
    assert_true(bits != ks_random_bits(1, KS_STREAM_random, 2, 3));
    assert_true(bits != ks_random_bits(1, KS_STREAM_test, 3, 3));
    assert_true(bits != ks_random_bits(1, KS_STREAM_test, 2, 4));
}

static void memory_is_aligned_zeroed_and_checked(void **state) {
    (void)state;
    unsigned char *memory = ks_memory_allocate(100, 3);
    assert_int_equal((uintptr_t)memory % KS_ALIGNMENT, 0);
    for (int i = 0; i < 300; i++) assert_int_equal(memory[i], 0);
    free(memory);
    assert_null(ks_memory_allocate(SIZE_MAX / 2, 3));
    free(ks_memory_allocate(0, 8));
}

static int fail_below(void) {
    KS_CHECK(1 + 1 == 3, KS_ERR_IO, "a sentence with %d", 42);
    return KS_OK;
}

static int pass_on(void) {
    KS_TRY(fail_below());
    return KS_OK;
}

static void first_error_is_kept_with_its_trace(void **state) {
    (void)state;
    assert_int_equal(pass_on(), KS_ERR_IO);
    ks_error_raise(KS_ERR_MEMORY, "other.c", 1, "a later one");
    assert_string_equal(ks_error_message(), "a sentence with 42");
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    ks_error_print(stream);
    fclose(stream);
    assert_non_null(strstr(text, "ketsweep: error: a sentence with 42\n    at "));
    assert_non_null(strstr(text, "\n    by "));
    free(text);
    ks_error_clear();
    assert_string_equal(ks_error_message(), "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exp_of_a_lane_is_accurate),
        cmocka_unit_test(log_of_a_lane_is_accurate),
        cmocka_unit_test(clamp_keeps_nan),
        cmocka_unit_test(uniforms_are_open_and_uniform),
        cmocka_unit_test(streams_differ),
        cmocka_unit_test(memory_is_aligned_zeroed_and_checked),
        cmocka_unit_test(first_error_is_kept_with_its_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
