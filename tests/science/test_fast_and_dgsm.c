/* Fourier amplitudes and mean squared derivatives, through the frame: published estimators, known answers, failures. */
#include "study.h"

#include "analysis/analysis_impl.h"
#include "model/model.h"
#include "script.h"

static const double PI = 3.14159265358979312;
static const double first[3] = {.3139051911, .4424111448, 0},
                    total[3] = {.5575888552, .4424111448, .2436836641};
static const double nu[3] = {7.71958794, 24.5, 10.98730507}, variance = 13.8445879407;

static void ishigami(const double *x, double *y) {
    ks_model_find_test_function("ishigami")->evaluate(x, y);
}

static void assert_near(const char *what, double found, double expected, double slack) {
    if (!(fabs(found - expected) <= slack)) fail_msg("%s: %.10g instead of %.10g", what, found, expected);
}

static const struct ks_design fast = {.kind = KS_DESIGN_fast, .n_bases = 8 * 257, .seed = 3};
static const struct ks_design radial = {
    .kind = KS_DESIGN_morris, .is_radial = true, .step = 1e-4, .n_bases = 2048, .seed = 3};

/* ---- the published estimators -------------------------------------------------------------------------- */

/* One base row alone, as SALib has it: its sums are the study's. */
static void estimate_base_row(const struct study *s, const struct ks_structured_method *method,
                              double *values) {
    int p = s->design.n_variables;
    size_t n_rows = (size_t)ks_design_layout(&s->design).n_rows;
    struct ks_base_row base = {.design = &s->design, .n_parameters = p, .n_rows = (int)n_rows};
    double terms[64] = {0}, variance_found;
    assert_true(method->count_terms(&s->design) <= 64);
    method->add_terms(&base, s->y, terms);
    method->estimate(&s->design, terms, values, &variance_found);
}

static void fast_is_the_published_estimator(void **state) {
    (void)state;
    for (uint64_t n = 257; n <= 260; n++) { /* even and odd numbers of points */
        struct study s;
        double values[6], expected[6];
        struct ks_design design = fast;
        design.n_bases = 8 * n;
        study_begin(&s, design, 3, -PI, PI);
        study_compute(&s, ishigami);
        estimate_base_row(&s, ks_method_fast.structured, values);
        script_estimate("fast", 3 * n, 3, s.x, s.y, 6, expected); /* which needs no inputs */
        for (int i = 0; i < 6; i++) assert_near("fast", values[i], expected[i], 1e-12);
        study_end(&s);
    }
}

static void dgsm_is_the_published_estimator(void **state) {
    (void)state;
    struct study s;
    struct ks_results results;
    study_begin(&s, radial, 3, -PI, PI);
    study_compute(&s, ishigami);
    size_t n = (size_t)s.design.n_points;
    double *columns = ks_memory_allocate(3 * n, sizeof *columns), expected[6];
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < 3; k++) columns[k * n + i] = s.x[3 * i + k];
    script_estimate("dgsm", n, 3, columns, s.y, 6, expected);
    study_analyse(&s, KS_METHOD_dgsm, 0, &results);
    for (int i = 0; i < 6; i++) assert_near("dgsm", results.values[i] / expected[i], 1, 1e-12);
    free(columns);
    ks_analysis_release(&results);
    study_end(&s);
}

/* ---- known answers ------------------------------------------------------------------------------------- */

/* Four harmonics hold 98 % of a sine over one period; products of high harmonics fall anywhere. */
static void fast_tells_ishigamis_indices(void **state) {
    (void)state;
    struct study s;
    struct ks_results results;
    study_begin(&s, fast, 3, -PI, PI);
    study_compute(&s, ishigami);
    study_analyse(&s, KS_METHOD_fast, 0, &results);
    assert_int_equal(results.n_groups, 8);
    assert_near("variance", results.variances[0], variance, 0.15);
    for (int i = 0; i < 3; i++) {
        assert_near("ST", results.values[i], total[i], 0.01);
        assert_near("S1", results.values[3 + i], first[i], 0.01);
        assert_int_equal(results.n_used[i], 8);
        assert_true(results.lows[i] < results.values[i] && results.highs[i] > results.values[i]);
    }
    ks_analysis_release(&results);
    study_end(&s);
}

static void sums_of_x_and_2x(const double *x, double *y) {
    y[0] = x[0] + 2 * x[1];
}

static void fast_tells_a_linear_functions_indices(void **state) {
    (void)state;
    struct study s;
    struct ks_results results;
    study_begin(&s, fast, 2, 0, 1);
    study_compute(&s, sums_of_x_and_2x);
    study_analyse(&s, KS_METHOD_fast, 0, &results);
    for (int i = 0; i < 4; i++) assert_near("fast", results.values[i], i % 2 == 0 ? 0.2 : 0.8, 0.004);
    ks_analysis_release(&results);
    study_end(&s);
}

static void dgsm_tells_ishigamis_derivatives(void **state) {
    (void)state;
    struct study s;
    struct ks_results results;
    study_begin(&s, radial, 3, -PI, PI);
    study_compute(&s, ishigami);
    study_analyse(&s, KS_METHOD_dgsm, 0, &results);
    for (int i = 0; i < 3; i++) {
        assert_near("nu", results.values[3 + i] / nu[i], 1, 0.05);
        assert_near("bound", results.values[i] / (4 * nu[i] / variance), 1, 0.08);
        assert_true(results.lows[i] <= 4 * nu[i] / variance && 4 * nu[i] / variance <= results.highs[i]);
        assert_true(results.values[i] >= total[i]);
    }
    ks_analysis_release(&results);
    study_end(&s);
}

/* ---- bounds of other distributions --------------------------------------------------------------------- */

static void sum_of_scales(const double *x, double *y) {
    y[0] = x[0] + 2 * log(x[1]) + 3 * log(x[2] / (1 - x[2])) + 0.5 * log(x[3]);
}

/* Of a function that is linear on the scales on which inputs are normal, the bound is the total order itself; on those
 * on which they are uniform, 12 / pi^2 of it. */
static void bounds_are_sharp_for_normal_inputs(void **state) {
    (void)state;
    const struct ks_distribution distributions[4] = {{.kind = KS_DISTRIBUTION_normal, .a = 1, .b = 1.5},
                                                     {.kind = KS_DISTRIBUTION_lognormal, .a = 2, .b = 0.5},
                                                     {.kind = KS_DISTRIBUTION_logitnormal, .a = 0, .b = 0.4},
                                                     {.kind = KS_DISTRIBUTION_loguniform, .a = 0.1, .b = 10}};
    double variances[4] = {2.25, 1, 1.44, pow(0.5 * log(100), 2) / 12}, sum = 0;
    struct study s;
    struct ks_results results;
    study_begin(&s, radial, 4, 0, 1);
    for (int i = 0; i < 4; i++) {
        s.variables[i].distribution = distributions[i];
        s.variables[i].distribution.low = -INFINITY;
        s.variables[i].distribution.high = INFINITY;
        sum += variances[i];
    }
    study_compute(&s, sum_of_scales);
    study_analyse(&s, KS_METHOD_dgsm, 0, &results);
    for (int i = 0; i < 4; i++) {
        double sharp = variances[i] / sum * (i == 3 ? 12 / (PI * PI) : 1);
        assert_near("bound", results.values[i] / sharp, 1, 0.01);
    }
    ks_analysis_release(&results);
    study_end(&s);
}

static void what_has_no_derivative_has_no_bound(void **state) {
    (void)state;
    struct study s;
    struct ks_results results;
    study_begin(&s, radial, 2, 0, 1);
    s.variables[0].distribution.b = 5;
    s.variables[0].distribution.is_integer = true;
    study_compute(&s, sums_of_x_and_2x);
    study_analyse(&s, KS_METHOD_dgsm, 0, &results);
    assert_true(isnan(results.values[0]) && isnan(results.values[2]) && results.n_used[0] == 0);
    assert_near("nu", results.values[3], 4, 1e-6);
    ks_analysis_release(&results);
    study_end(&s);
}

/* ---- failures, refusals -------------------------------------------------------------------------------- */

static bool is_drawn(size_t row, double share) {
    return (double)((row * 2654435761u) % 100000) < share * 100000;
}

static void failures_leave_indices_where_they_are(void **state) {
    (void)state;
    const struct ks_design designs[2] = {fast, radial};
    const enum ks_method_kind methods[2] = {KS_METHOD_fast, KS_METHOD_dgsm};
    for (int k = 0; k < 2; k++) {
        struct study s;
        struct ks_results whole, rest;
        study_begin(&s, designs[k], 3, -PI, PI);
        study_compute(&s, ishigami);
        study_analyse(&s, methods[k], 0, &whole);
        for (size_t row = 0; row < s.design.n_points; row++)
            if (is_drawn(row, 0.05)) study_fail(&s, row);
        study_analyse(&s, methods[k], 0, &rest);
        for (int i = 0; i < 3; i++) {
            double slack = k == 0 ? 0.02 : 0.1 * whole.values[i];
            assert_near("with failures", rest.values[i], whole.values[i], slack);
            assert_true(rest.n_used[i] > 0 && rest.n_used[i] <= whole.n_used[i]);
        }
        ks_analysis_release(&whole);
        ks_analysis_release(&rest);
        study_end(&s);
    }
}

static void a_curve_that_fails_does_not_count(void **state) {
    (void)state;
    struct study s;
    struct ks_results results;
    study_begin(&s, fast, 3, -PI, PI);
    study_compute(&s, ishigami);
    for (size_t row = 0; row < 200; row++) study_fail(&s, row); /* of 257 of the first parameter's first */
    study_analyse(&s, KS_METHOD_fast, 0, &results);
    assert_int_equal(results.n_used[0], 7);
    assert_int_equal(results.n_used[1], 8);
    assert_near("ST", results.values[0], total[0], 0.02);
    ks_analysis_release(&results);
    study_end(&s);
}

static void constant(const double *x, double *y) {
    y[0] = 0.1 + 0 * x[0];
}

static void a_constant_output_has_no_indices(void **state) {
    (void)state;
    struct study s;
    struct ks_results results;
    study_begin(&s, fast, 3, -PI, PI);
    study_compute(&s, constant);
    study_analyse(&s, KS_METHOD_fast, 0, &results);
    for (int i = 0; i < 6; i++) assert_true(isnan(results.values[i]));
    assert_true(results.variances[0] == 0);
    ks_analysis_release(&results);
    study_end(&s);
}

static void other_designs_are_refused(void **state) {
    (void)state;
    char text[512];
    struct ks_design design = radial;
    assert_null(ks_analysis_fault(KS_METHOD_dgsm, &design, text, sizeof text));
    design.step = 0.2;
    assert_non_null(strstr(ks_analysis_fault(KS_METHOD_dgsm, &design, text, sizeof text), "step = 0.001"));
    design.step = 0;
    assert_non_null(strstr(ks_analysis_fault(KS_METHOD_dgsm, &design, text, sizeof text), "step = 0.001"));
    design = (struct ks_design){.kind = KS_DESIGN_sobol};
    assert_non_null(strstr(ks_analysis_fault(KS_METHOD_fast, &design, text, sizeof text), "fast"));
    assert_non_null(strstr(ks_analysis_fault(KS_METHOD_shapley, &design, text, sizeof text), "lhs"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fast_is_the_published_estimator),
        cmocka_unit_test(dgsm_is_the_published_estimator),
        cmocka_unit_test(fast_tells_ishigamis_indices),
        cmocka_unit_test(fast_tells_a_linear_functions_indices),
        cmocka_unit_test(dgsm_tells_ishigamis_derivatives),
        cmocka_unit_test(bounds_are_sharp_for_normal_inputs),
        cmocka_unit_test(what_has_no_derivative_has_no_bound),
        cmocka_unit_test(failures_leave_indices_where_they_are),
        cmocka_unit_test(a_curve_that_fails_does_not_count),
        cmocka_unit_test(a_constant_output_has_no_indices),
        cmocka_unit_test(other_designs_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
