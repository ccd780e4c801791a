/* The frame around methods, by structured ones: agreement with the published estimators on the same rows, the bootstrap
 * against its definition, lanes, missing values, outputs that do not vary, and whole courses. */
#include "analysis/analysis.h"
#include "analysis/frame_impl.h"
#include "base/build_info.h"
#include "base/random.h"
#include "model/model.h"
#include "script.h"
#include "study.h"

static const struct ks_design saltelli = {.kind = KS_DESIGN_saltelli, .n_bases = 256, .seed = 3};

/* ---- the published estimators --------------------------------------------------------------------------------- */

/* Ishigami's function of numbers in (0, 1). */
static void evaluate(const double *x, double *y) {
    double scaled[3];
    for (int i = 0; i < 3; i++) scaled[i] = (2 * x[i] - 1) * 3.14159265358979312;
    ks_model_find_test_function("ishigami")->evaluate(scaled, y);
    *y += 1000; /* a mean that digits could be lost to */
}

static void compare_with_script(struct ks_design design, enum ks_method_kind method, const char *name) {
    struct study s;
    struct ks_results r;
    double expected[64], *columns;
    study_begin(&s, design, 3, 0, 1);
    study_compute(&s, evaluate);
    study_analyse(&s, method, 20, &r);
    size_t n = (size_t)s.design.n_points;
    columns = ks_memory_allocate(n * 3, sizeof *columns);
    for (size_t i = 0; i < n * 3; i++) columns[i % 3 * n + i / 3] = s.x[i];
    script_estimate(name, n, 3, columns, s.y, r.n_values, expected);
    for (int i = 0; i < r.n_values; i++)
        if (!(fabs(r.values[i] - expected[i]) <= 1e-12 * fmax(1, fabs(expected[i]))))
            fail_msg("%s, value %d: %.17g, the script says %.17g", name, i, r.values[i], expected[i]);
    free(columns);
    ks_analysis_release(&r);
    study_end(&s);
}

static void estimators_are_the_published_ones(void **state) {
    (void)state;
    struct ks_design second = saltelli;
    second.has_second_order = true;
    compare_with_script(saltelli, KS_METHOD_sobol, "sobol");
    compare_with_script(second, KS_METHOD_sobol, "sobol2");
    compare_with_script(
        (struct ks_design){.kind = KS_DESIGN_morris, .n_bases = 50, .seed = 2, .n_path_levels = 4},
        KS_METHOD_morris, "morris");
}

/* ---- the bootstrap -------------------------------------------------------------------------------------------- */

static void draws_are_poisson_numbers(void **state) {
    (void)state;
    enum { N = 200000 };
    double counts[4] = {0}, sum = 0, squares = 0;
    for (int i = 0; i < N; i++) {
        int draw = ks_bootstrap_draw(1, i % 1000, (uint64_t)i / 1000);
        sum += draw;
        squares += draw * draw;
        if (draw < 4) counts[draw]++;
    }
    static const double expected[] = {.36787944, .36787944, .18393972, .06131324};
    assert_true(fabs(sum / N - 1) < 0.01);
    assert_true(fabs(squares / N - 2) < 0.03);
    for (int k = 0; k < 4; k++) assert_true(fabs(counts[k] / N - expected[k]) < 0.005);
}

/* The intervals of a bootstrap are those of estimates from rows that stand as often as they were drawn. */
static void the_bootstrap_is_what_it_is_defined_as(void **state) {
    (void)state;
    enum { N_RESAMPLES = 25, N_VALUES = 6 };
    struct study s, drawn;
    struct ks_results r, resampled;
    double sums[N_VALUES] = {0}, squares[N_VALUES] = {0};
    study_begin(&s, saltelli, 3, 0, 1);
    study_compute(&s, evaluate);
    study_analyse(&s, KS_METHOD_sobol, N_RESAMPLES, &r);
    assert_int_equal(r.n_resamples, N_RESAMPLES);
    for (int resample = 0; resample < N_RESAMPLES; resample++) {
        uint64_t n = 0;
        drawn = s;
        drawn.y = ks_memory_allocate(2 * (size_t)s.design.n_points, sizeof *drawn.y);
        drawn.status = ks_memory_allocate(2 * (size_t)s.design.n_points, sizeof *drawn.status);
        for (uint64_t base = 0; base < saltelli.n_bases; base++)
            for (int copy = ks_bootstrap_draw(saltelli.seed, resample, base); copy > 0; copy--, n++) {
                memcpy(drawn.y + 5 * n, s.y + 5 * base, 5 * sizeof *s.y);
                memcpy(drawn.status + 5 * n, s.status + 5 * base, 5);
            }
        drawn.design.n_bases = n;
        drawn.design.n_points = drawn.schema.n_points = 5 * n;
        study_analyse(&drawn, KS_METHOD_sobol, N_RESAMPLES, &resampled);
        for (int i = 0; i < N_VALUES; i++) {
            double deviation = resampled.values[i] - r.values[i];
            sums[i] += deviation;
            squares[i] += deviation * deviation;
        }
        ks_analysis_release(&resampled);
        free(drawn.y);
        free(drawn.status);
    }
    for (int i = 0; i < N_VALUES; i++) {
        double sd = sqrt((squares[i] - sums[i] * sums[i] / N_RESAMPLES) / (N_RESAMPLES - 1));
        assert_true(fabs((r.highs[i] - r.values[i]) / (1.95996398454 * sd) - 1) < 1e-9);
    }
    ks_analysis_release(&r);
    study_end(&s);
}

typedef void adder(const struct ks_bootstrap_block *block, size_t stride, const double *terms, double *sums);

static void no_sum_depends_on_the_width(void **state) {
    (void)state;
    enum { N_RESAMPLES = 50, N_BASES = 60, STRIDE = 3 * KS_BOOTSTRAP_STRIDE };
    adder *const adders[] = {ks_bootstrap_add_w1, ks_bootstrap_add_w2, ks_bootstrap_add_w4,
                             ks_bootstrap_add_w8, ks_bootstrap_add};
    static const int widths[] = {1, 2, 4, 8, 0};
    struct ks_bootstrap_block block;
    size_t n = (size_t)N_RESAMPLES * STRIDE;
    double *terms = ks_memory_allocate((size_t)N_BASES * STRIDE, sizeof *terms),
           *first = ks_memory_allocate(n, sizeof *first), *sums = ks_memory_allocate(n, sizeof *sums);
    for (size_t i = 0; i < (size_t)N_BASES * STRIDE; i++)
        terms[i] = ks_random_uniform(1, KS_STREAM_test, i, 0) - 0.5;
    assert_int_equal(ks_bootstrap_create(&block, N_RESAMPLES), KS_OK);
    ks_bootstrap_fill(&block, 1, 0, N_BASES);
    adders[0](&block, STRIDE, terms, first);
    assert_true(first[0] != 0 && first[n - 1] != 0);
    for (int i = 1; i < 5; i++) {
        if (widths[i] > ks_build_info_widest_lanes()) continue;
        memset(sums, 0, n * sizeof *sums);
        adders[i](&block, STRIDE, terms, sums);
        assert_memory_equal(sums, first, n * sizeof *sums);
    }
    ks_bootstrap_release(&block);
    free(terms);
    free(first);
    free(sums);
}

/* ---- outputs -------------------------------------------------------------------------------------------------- */

/* An endpoint that some patients have not, such as the ratio to a baseline of 0, is missing there alone. */
static void missing_values_of_one_output_are_dropped(void **state) {
    (void)state;
    struct study s;
    struct ks_results r;
    study_begin(&s, saltelli, 3, 0, 1);
    study_compute(&s, evaluate);
    s.y[0] = NAN;         /* A of base row 0: all parameters */
    s.y[5 * 7 + 2] = NAN; /* AB_2 of base row 7: parameter 2 */
    s.y[5 * 9 + 2] = INFINITY;
    study_analyse(&s, KS_METHOD_sobol, 0, &r);
    assert_int_equal(r.n_used[0], 255);
    assert_int_equal(r.n_used[1], 253);
    assert_int_equal(r.n_used[2], 255);
    for (int i = 0; i < r.n_values; i++) assert_true(isfinite(r.values[i]) && r.highs[i] > r.lows[i]);
    ks_analysis_release(&r);
    study_end(&s);
}

static void constant(const double *x, double *y) {
    (void)x;
    *y = 0.1;
}

static void a_constant_output_has_no_indices(void **state) {
    (void)state;
    struct study s;
    struct ks_results r;
    study_begin(&s, saltelli, 3, 0, 1);
    study_compute(&s, constant);
    for (int n_resamples = 0; n_resamples <= 50; n_resamples += 50) {
        study_analyse(&s, KS_METHOD_sobol, n_resamples, &r);
        assert_true(r.variances[0] == 0);
        for (int i = 0; i < r.n_values; i++) assert_true(isnan(r.values[i]));
        ks_analysis_release(&r);
    }
    study_end(&s);
}

/* ---- courses -------------------------------------------------------------------------------------------------- */

enum { N_TIMES = 4, N_STATES = 2 };

/* State 0 is x1 + t x2 at time t, state 1 is constant at first and then x3. */
static int read_courses(void *source, uint64_t first, uint64_t count, struct ks_rows *rows) {
    const struct study *s = source;
    assert_int_equal(study_read(source, first, count, rows), KS_OK);
    for (uint64_t i = 0; rows->trajectories != NULL && i < count; i++) {
        const double *x = &s->x[(first + i) * 3];
        for (int t = 0; t < N_TIMES; t++) {
            float *states = &rows->trajectories[(i * N_TIMES + (uint64_t)t) * N_STATES];
            states[0] = (float)(x[0] + t * x[1]);
            states[1] = t == 0 ? 5 : (float)x[2];
        }
    }
    return KS_OK;
}

/* Uniform inputs: V = (1 + t^2) / 12, S1 of x1 = 1 / (1 + t^2); over times 0 to 3 the sums are 4 and 18. */
static void courses_have_indices_at_each_time_and_as_a_whole(void **state) {
    (void)state;
    struct study s;
    struct ks_results r;
    struct ks_column states[] = {{"a", "1", ""}, {"b", "1", ""}};
    double times[N_TIMES] = {0, 1, 2, 3};
    struct ks_design design = saltelli;
    design.n_bases = 4096;
    study_begin(&s, design, 3, 0, 1);
    study_compute(&s, evaluate);
    s.schema.n_times = N_TIMES;
    s.schema.n_states = N_STATES;
    s.schema.times = times;
    s.schema.states = states;
    const struct ks_study study = {.read = read_courses,
                                   .source = &s,
                                   .schema = &s.schema,
                                   .design = &s.design,
                                   .method = KS_METHOD_sobol,
                                   .with_trajectories = true};
    assert_int_equal(ks_analysis_run(&study, &r), KS_OK);
    assert_int_equal(r.n_outputs, 1 + N_TIMES * N_STATES + N_STATES);
    for (int t = 0; t < N_TIMES; t++) {
        const double *a = &r.values[(1 + t * N_STATES) * r.n_values], *b = a + r.n_values;
        assert_true(fabs(a[r.offsets[1]] - 1.0 / (1 + t * t)) < 0.02);
        assert_true(fabs(a[r.offsets[1] + 1] - t * t / (1.0 + t * t)) < 0.02);
        if (t == 0) assert_true(isnan(b[0]));
        if (t > 0) assert_true(fabs(b[r.offsets[0] + 2] - 1) < 0.02);
    }
    const double *a = &r.values[(1 + N_TIMES * N_STATES) * r.n_values], *b = a + r.n_values;
    double numerator = 0, denominator = 0;
    for (int t = 0; t < N_TIMES; t++) {
        int output = 1 + t * N_STATES;
        numerator += r.variances[output] * r.values[output * r.n_values + r.offsets[1]];
        denominator += r.variances[output];
    }
    assert_true(fabs(a[r.offsets[1]] - numerator / denominator) < 1e-13);
    assert_true(fabs(a[r.offsets[1]] - 4.0 / 18) < 0.02);
    assert_true(r.lows[(1 + N_TIMES * N_STATES) * r.n_values + r.offsets[1]] < a[r.offsets[1]]);
    assert_true(fabs(b[r.offsets[1] + 2] - 1) < 0.02);
    ks_analysis_release(&r);
    study_end(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(estimators_are_the_published_ones),
        cmocka_unit_test(draws_are_poisson_numbers),
        cmocka_unit_test(the_bootstrap_is_what_it_is_defined_as),
        cmocka_unit_test(no_sum_depends_on_the_width),
        cmocka_unit_test(missing_values_of_one_output_are_dropped),
        cmocka_unit_test(a_constant_output_has_no_indices),
        cmocka_unit_test(courses_have_indices_at_each_time_and_as_a_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
