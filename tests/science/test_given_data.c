/* Given-data methods: the published estimators' numbers, known answers, what must not matter, and whether intervals
 * hold what they promise. */
#include "script.h"
#include "study.h"
#include "table.h"

enum { MOST_VALUES = 64 };

static const struct {
    const char *name;
    const struct ks_method *method;
} methods[] = {
    {"rbd_fast", &ks_method_rbd_fast}, {"shapley", &ks_method_shapley}, {"ancova", &ks_method_ancova},
    {"delta", &ks_method_delta},       {"pawn", &ks_method_pawn},       {"src", &ks_method_src},
    {"srrc", &ks_method_srrc},         {"prcc", &ks_method_prcc},       {"regional", &ks_method_regional},
};
enum { N_METHODS = sizeof methods / sizeof *methods };

static int count_values(const struct ks_method *method, int p) {
    int n = 0;
    for (int k = 0; k < method->n_indices; k++) n += method->indices[k].of == KS_OF_PARAMETER ? p : 1;
    return n;
}

static void assert_near(const char *what, double found, double expected, double slack) {
    if (!(fabs(found - expected) <= slack)) fail_msg("%s: %.10g instead of %.10g", what, found, expected);
}

static void assert_all_near(const char *what, int n, const double *found, const double *expected,
                            double slack) {
    for (int i = 0; i < n; i++) assert_near(what, found[i], expected[i], slack);
}

/* ---- the published estimators -------------------------------------------------------------------------- */

static void check_against_script(struct table *t) {
    for (int k = 0; k < N_METHODS; k++) {
        double values[MOST_VALUES], expected[MOST_VALUES];
        int n_values = count_values(methods[k].method, t->p);
        table_estimate(t, methods[k].method, false, values);
        script_estimate(methods[k].name, t->n, (size_t)t->p, t->x, t->y, n_values, expected);
        assert_all_near(methods[k].name, n_values, values, expected, 1e-12);
    }
}

static void estimators_are_the_published_ones(void **state) {
    (void)state;
    struct table ishigami = table_create(1000, 3), odd = table_create(997, 2);
    table_fill(&ishigami, 1, "ishigami");
    table_fill_linear(&odd, 2, 0.3);
    for (size_t row = 0; row < odd.n; row++) odd.y[row] += 3 * odd.x[row] * odd.x[odd.n + row];
    check_against_script(&ishigami);
    check_against_script(&odd);
    table_release(&ishigami);
    table_release(&odd);
}

/* ---- known answers ------------------------------------------------------------------------------------- */

/* A point of a design of table t's size. */
static void draw_point(const struct table *t, enum ks_design_kind kind, size_t row, double *u) {
    struct ks_design design = {.kind = kind, .n_points = t->n, .seed = 5, .n_variables = t->p};
    ks_design_uniforms(&design, row, u);
}

static void fill_function(struct table *t, enum ks_design_kind kind, const char *name) {
    const struct ks_test_function *function = ks_model_find_test_function(name);
    for (size_t row = 0; row < t->n; row++) {
        double x[16];
        draw_point(t, kind, row, x);
        for (int i = 0; i < t->p; i++) {
            x[i] = function->low + (function->high - function->low) * x[i];
            t->x[(size_t)i * t->n + row] = x[i];
        }
        function->evaluate(x, &t->y[row]);
    }
}

/* y = 4 z1 + 5 z2 with correlation rho. */
static void fill_linear(struct table *t, enum ks_design_kind kind, double rho) {
    for (size_t row = 0; row < t->n; row++) {
        double u[2];
        draw_point(t, kind, row, u);
        double a = ks_normal_quantile(u[0]), b = ks_normal_quantile(u[1]);
        t->x[row] = a;
        t->x[t->n + row] = rho * a + sqrt(1 - rho * rho) * b;
        t->y[row] = 4 * t->x[row] + 5 * t->x[t->n + row];
    }
}

static void ishigami_has_its_indices(void **state) {
    (void)state;
    const double first[3] = {.3139051911, .4424111448, 0}, total[3] = {.5575888552, .4424111448, .2436836641};
    double values[MOST_VALUES];
    struct table t = table_create(8192, 3);
    fill_function(&t, KS_DESIGN_sobol, "ishigami");
    table_estimate(&t, &ks_method_rbd_fast, false, values);
    assert_all_near("rbd-fast S1", 3, values, first, 0.003);
    table_estimate(&t, &ks_method_ancova, false, values);
    assert_all_near("ancova S", 3, values, first, 0.003);
    assert_all_near("ancova S_own", 3, values + 3, first, 0.003);
    fill_function(&t, KS_DESIGN_lhs, "ishigami");
    table_estimate(&t, &ks_method_shapley, false, values);
    for (int i = 0; i < 3; i++) assert_near("Shapley", values[i], (first[i] + total[i]) / 2, 0.015);
    assert_all_near("shapley S1", 3, values + 3, first, 0.025);
    assert_all_near("shapley ST", 3, values + 6, total, 0.025);
    assert_near("unresolved", values[9], 0, 0.03);
    table_release(&t);
}

static void g_function_has_its_first_order(void **state) {
    (void)state;
    const double first[8] = {.7161921689, .1790480422, .0236757742, .0071619217, 7e-5, 7e-5, 7e-5, 7e-5};
    double values[MOST_VALUES];
    struct table t = table_create(8192, 8);
    fill_function(&t, KS_DESIGN_sobol, "gfunction");
    table_estimate(&t, &ks_method_rbd_fast, false, values);
    assert_all_near("rbd-fast S1", 8, values, first, 0.006);
    table_release(&t);
}

/* Half the area between the densities of N(0, 1) and N(shift, sd). */
static double half_area(double shift, double sd) {
    double area = 0;
    for (int k = -8000; k <= 8000; k++) {
        double y = k * 1e-3, z = (y - shift) / sd;
        area += fabs(exp(-0.5 * y * y) - exp(-0.5 * z * z) / sd) * 1e-3;
    }
    return area / 2 / sqrt(2 * acos(-1));
}

/* For a normal output of which x explains the share r^2. */
static double normal_delta(double r) {
    double mean = 0;
    for (int k = 0; k < 400; k++)
        mean += half_area(r * ks_normal_quantile((k + 0.5) / 400), sqrt(1 - r * r)) / 400;
    return mean;
}

/* With weights 4 and 5 and correlation .3: Shapley effects of Owen and Prieur 2017, doi:10.1137/16M1097717, eq. (6). */
static void correlated_inputs_have_their_indices(void **state) {
    (void)state;
    const double ancova[2] = {.41509434, .58490566}, effects[2] = {.42273585, .57726415};
    const double first[2] = {30.25 / 53, 38.44 / 53}, total[2] = {16 * .91 / 53, 25 * .91 / 53};
    const double src[3] = {.5494422557947561, .6868028197434451, 1}; /* 4, 5 / sqrt(53) */
    double values[MOST_VALUES];
    struct table t = table_create(16384, 2);
    fill_linear(&t, KS_DESIGN_sobol, 0.3);
    table_estimate(&t, &ks_method_ancova, false, values);
    assert_all_near("ancova S", 2, values, ancova, 0.002);
    assert_near("ancova S_own", values[2], 16.0 / 53, 0.002);
    assert_near("ancova S_correlated", values[4], 6.0 / 53, 0.002);
    assert_near("ancova R2", values[6], 1, 1e-12);
    table_estimate(&t, &ks_method_rbd_fast, false, values);
    assert_all_near("rbd-fast S1", 2, values, first,
                    0.015); /* 10 harmonics hold 98.5 % of a normal variable */
    table_estimate(&t, &ks_method_src, false, values);
    assert_all_near("SRC", 3, values, src, 0.001);
    table_estimate(&t, &ks_method_delta, false, values);
    assert_near("delta", values[0], normal_delta(sqrt(first[0])), 0.02);
    assert_near("delta", values[1], normal_delta(sqrt(first[1])), 0.02);
    fill_linear(&t, KS_DESIGN_lhs, 0.3);
    table_estimate(&t, &ks_method_shapley, false, values);
    assert_all_near("Shapley", 2, values, effects, 0.01);
    assert_all_near("shapley S1", 2, values + 2, first, 0.015);
    assert_all_near("shapley ST", 2, values + 4, total, 0.015);
    assert_near("unresolved", values[6], 0, 1e-12);
    table_release(&t);
}

/* Of jointly normal variables, ranks correlate by 6 / pi asin(r / 2). */
static void rank_correlations_are_those_of_normal_variables(void **state) {
    (void)state;
    const double rho = 0.3, noise = 4;
    double values[MOST_VALUES], v = 53 + noise * noise, pi = acos(-1), r[2], partial;
    struct table t = table_create(65536, 2);
    table_fill_linear(&t, 7, rho);
    for (size_t row = 0; row < t.n; row++) t.y[row] += noise * ks_normal_quantile(table_draw(7, row, 2));
    r[0] = 6 / pi * asin(5.5 / sqrt(v) / 2);
    r[1] = 6 / pi * asin(6.2 / sqrt(v) / 2);
    double rank_rho = 6 / pi * asin(rho / 2);
    table_estimate(&t, &ks_method_srrc, false, values);
    assert_near("SRRC", values[0], (r[0] - rank_rho * r[1]) / (1 - rank_rho * rank_rho), 0.012);
    table_estimate(&t, &ks_method_prcc, false, values);
    partial = (r[0] - rank_rho * r[1]) / sqrt((1 - rank_rho * rank_rho) * (1 - r[1] * r[1]));
    assert_near("PRCC", values[0], partial, 0.012);
    table_release(&t);
}

/* y = x1; x2 does nothing. Slice s of x1 has its y in (s / 10, (s + 1) / 10). */
static void a_monotone_output_belongs_to_its_input(void **state) {
    (void)state;
    double values[MOST_VALUES];
    struct table t = table_create(4096, 2);
    for (size_t row = 0; row < t.n; row++) {
        double u[2];
        draw_point(&t, KS_DESIGN_sobol, row, u);
        t.x[row] = t.y[row] = u[0];
        t.x[t.n + row] = u[1];
    }
    table_estimate(&t, &ks_method_pawn, false, values);
    const double pawn[4] = {0.7, 0.7, 0.5, 0.9};
    for (int k = 0; k < 4; k++) assert_near("PAWN", values[2 * k], pawn[k], 0.003);
    assert_true(values[1] < 0.04);
    table_estimate(&t, &ks_method_regional, false, values);
    assert_near("distance", values[0], 1, 0);
    assert_near("direction", values[4], 1, 0);
    assert_true(values[2] == 0 && values[1] < 0.05 && values[3] > 0.05 && fabs(values[5]) < 0.05);
    table_estimate(&t, &ks_method_prcc, false, values);
    assert_near("PRCC", values[0], 1, 1e-6);
    assert_near("PRCC", values[1], 0, 1e-6);
    table_release(&t);
}

/* Stephens' approximation against the exact limit's quantiles: Q(1.3581) = 0.05, Q(1.6276) = 0.01. */
static void p_values_are_kolmogorovs(void **state) {
    (void)state;
    double n = 1e12, scale = sqrt(n / 2);
    assert_near("5 %", ks_regional_p_value(1.35809864 / scale, n, n), 0.05, 1e-7);
    assert_near("1 %", ks_regional_p_value(1.62762361 / scale, n, n), 0.01, 1e-7);
    assert_near("seam", ks_regional_p_value(0.99999999 / scale, n, n),
                ks_regional_p_value(1.00000001 / scale, n, n), 1e-7);
    assert_near("none", ks_regional_p_value(0, n, n), 1, 0);
    int n_small = 0;
    for (int study = 0; study < 1000;
         study++) { /* and of samples of 100 without a difference 5 % are below 5 % */
        double values[MOST_VALUES];
        struct table t = table_create(200, 1);
        for (size_t row = 0; row < t.n; row++) {
            t.x[row] = table_draw(study, row, 0);
            t.y[row] = table_draw(study, row, 1);
        }
        table_estimate(&t, &ks_method_regional, false, values);
        n_small += values[1] < 0.05;
        table_release(&t);
    }
    assert_in_range(n_small, 30, 70);
}

/* The Tissot-Prieur correction leaves an input without effect at 0 on average, a level layout too. */
static void an_input_without_effect_has_no_first_order_on_average(void **state) {
    (void)state;
    enum { N_STUDIES = 400 };
    double sum[2] = {0}, values[2], sd = sqrt(2 * 20 / 200.0 / 200);
    for (int study = 0; study < N_STUDIES; study++) {
        struct table t = table_create(200, 2);
        for (size_t row = 0; row < t.n; row++) {
            t.x[row] = table_draw(study, row, 0);
            t.x[t.n + row] = floor(5 * table_draw(study, row, 1));
            t.y[row] = ks_normal_quantile(table_draw(study, row, 2));
        }
        table_estimate(&t, &ks_method_rbd_fast, false, values);
        for (int i = 0; i < 2; i++) sum[i] += values[i] / N_STUDIES;
        table_release(&t);
    }
    assert_near("smooth", sum[0], 0, 4 * sd / sqrt(N_STUDIES));
    assert_near("levels", sum[1], 0, 4 * sd / sqrt(N_STUDIES));
}

/* ---- discrete inputs ----------------------------------------------------------------------------------- */

/* y = 2 x1 + x2 + x1 x3, x1 0 or 1, x2 1 to 5, x3 continuous in (-1, 1). */
static void fill_discrete(struct table *t, int study) {
    for (size_t row = 0; row < t->n; row++) {
        double a = table_draw(study, row, 0) < 0.5, b = floor(1 + 5 * table_draw(study, row, 1));
        double c = 2 * table_draw(study, row, 2) - 1;
        t->x[row] = a;
        t->x[t->n + row] = b;
        t->x[2 * t->n + row] = c;
        t->y[row] = 2 * a + b + a * c;
    }
}

static void discrete_inputs_have_their_indices(void **state) {
    (void)state;
    const double v = 1 + 2 + 1 / 6.0, first[3] = {1 / v, 2 / v, 1 / 12.0 / v};
    const double effects[3] = {first[0] + 1 / 24.0 / v, first[1], first[2] + 1 / 24.0 / v};
    double values[MOST_VALUES];
    struct table t = table_create(8192, 3);
    fill_discrete(&t, 3);
    table_estimate(&t, &ks_method_rbd_fast, false, values);
    assert_all_near("rbd-fast S1", 3, values, first, 0.02);
    table_estimate(&t, &ks_method_ancova, false, values);
    assert_all_near("ancova S", 3, values, first, 0.02);
    table_estimate(&t, &ks_method_shapley, false, values);
    assert_all_near("Shapley", 3, values, effects, 0.02);
    assert_all_near("shapley S1", 3, values + 3, first, 0.03);
    table_estimate(&t, &ks_method_pawn, false, values);
    for (int k = 0; k < 4; k++) assert_true(values[3 * k] > 0.2); /* both levels of x1 are slices */
    table_release(&t);
}

/* Moves row r to place a r + b mod n, a and n without a common divisor. */
static void shuffle(const struct table *from, struct table *to) {
    for (size_t row = 0; row < from->n; row++) {
        size_t place = (389 * row + 71) % from->n;
        to->y[place] = from->y[row];
        for (size_t i = 0; i < (size_t)from->p; i++) to->x[i * from->n + place] = from->x[i * from->n + row];
    }
}

/* But for the tie-break among equally near neighbours, and rbd-fast's among equal values of an input with many. */
static void the_order_of_rows_does_not_matter(void **state) {
    (void)state;
    struct table t = table_create(1000, 3), shuffled = table_create(1000, 3);
    for (int is_discrete = 0; is_discrete < 2; is_discrete++) {
        if (is_discrete)
            fill_discrete(&t, 4);
        else
            table_fill(&t, 4, "ishigami");
        shuffle(&t, &shuffled);
        for (int k = 0; k < N_METHODS; k++) {
            double values[MOST_VALUES], others[MOST_VALUES];
            if (is_discrete && methods[k].method == &ks_method_shapley) continue;
            table_estimate(&t, methods[k].method, false, values);
            table_estimate(&shuffled, methods[k].method, false, others);
            assert_all_near(methods[k].name, count_values(methods[k].method, 3), values, others, 1e-11);
        }
    }
    table_release(&t);
    table_release(&shuffled);
}

/* ---- what must not matter, what cannot be told --------------------------------------------------------- */

static void units_of_the_output_do_not_matter(void **state) {
    (void)state;
    struct table t = table_create(777, 3), scaled = table_create(777, 3);
    table_fill(&t, 5, "ishigami");
    memcpy(scaled.x, t.x, 3 * t.n * sizeof *t.x);
    for (size_t row = 0; row < t.n; row++) scaled.y[row] = 1e6 + 1e3 * t.y[row];
    for (int k = 0; k < N_METHODS; k++) {
        double values[MOST_VALUES], others[MOST_VALUES];
        table_estimate(&t, methods[k].method, false, values);
        table_estimate(&scaled, methods[k].method, false, others);
        assert_all_near(methods[k].name, count_values(methods[k].method, 3), values, others, 1e-9);
    }
    table_release(&t);
    table_release(&scaled);
}

static void a_constant_output_has_no_indices(void **state) {
    (void)state;
    struct table t = table_create(500, 3);
    table_fill(&t, 6, "ishigami");
    for (size_t row = 0; row < t.n; row++) t.y[row] = 0.1;
    for (int k = 0; k < N_METHODS; k++) {
        double values[MOST_VALUES];
        table_estimate(&t, methods[k].method, false, values);
        for (int i = 0; i < count_values(methods[k].method, 3); i++)
            if (!isnan(values[i])) fail_msg("%s gives %g", methods[k].name, values[i]);
    }
    table_release(&t);
}

static void a_constant_input_spoils_no_other(void **state) {
    (void)state;
    struct table t = table_create(500, 3), without = table_create(500, 2);
    table_fill(&t, 6, "ishigami");
    memcpy(without.x, t.x, t.n * sizeof *t.x);
    memcpy(without.x + t.n, t.x + 2 * t.n, t.n * sizeof *t.x);
    for (size_t row = 0; row < t.n; row++) {
        double x[3] = {t.x[row], 2, t.x[2 * t.n + row]};
        ks_model_find_test_function("ishigami")->evaluate(x, &t.y[row]);
        t.x[t.n + row] = 2;
        without.y[row] = t.y[row];
    }
    for (int k = 0; k < N_METHODS; k++) {
        double values[MOST_VALUES], others[MOST_VALUES];
        if (methods[k].method == &ks_method_ancova)
            continue; /* fewer inputs have polynomials of a higher degree */
        table_estimate(&t, methods[k].method, false, values);
        table_estimate(&without, methods[k].method, false, others);
        double slack =
            methods[k].method == &ks_method_shapley ? 0.05 : 1e-12; /* other neighbours of the same kind */
        assert_near(methods[k].name, values[0], others[0], slack);
        assert_near(methods[k].name, values[2], others[1], slack);
    }
    table_release(&t);
    table_release(&without);
}

static void hardly_any_rows_are_no_reason_to_crash(void **state) {
    (void)state;
    for (size_t n = 1; n <= 40; n++) {
        struct table t = table_create(n, 3);
        table_fill(&t, 6, "ishigami");
        for (int k = 0; k < N_METHODS; k++) {
            double values[MOST_VALUES];
            table_estimate(&t, methods[k].method, false, values);
        }
        table_release(&t);
    }
}

/* Of resamples, delta and rbd-fast take a coarser version, whose deviations are nearly those of the exact one. */
static void resamples_may_be_coarse(void **state) {
    (void)state;
    const struct ks_method *coarse[2] = {&ks_method_delta, &ks_method_rbd_fast};
    for (int k = 0; k < 2; k++) {
        double deviations[2][3] = {{0}};
        for (int study = 0; study < 20; study++) {
            struct table t = table_create(2000, 3);
            double exact[2][3];
            table_fill(&t, 10 + study, "ishigami");
            for (int is_coarse = 0; is_coarse < 2; is_coarse++)
                table_estimate(&t, coarse[k], is_coarse, exact[is_coarse]);
            for (int i = 0; i < 3; i++) {
                deviations[0][i] += exact[1][i] - exact[0][i];
                deviations[1][i] += (exact[1][i] - exact[0][i]) * (exact[1][i] - exact[0][i]);
            }
            table_release(&t);
        }
        for (int i = 0; i < 3; i++) {
            double mean = deviations[0][i] / 20, sd = sqrt(deviations[1][i] / 20 - mean * mean);
            if (!(fabs(mean) < 0.001 && sd < 0.002)) /* the exact ones vary by 0.01 */
                fail_msg("%s: %g +- %g", k == 0 ? "delta" : "rbd-fast", mean, sd);
        }
    }
}

/* ---- through the frame --------------------------------------------------------------------------------- */

static const enum ks_method_kind kinds[N_METHODS] = {
    KS_METHOD_rbd_fast, KS_METHOD_shapley, KS_METHOD_ancova, KS_METHOD_delta,   KS_METHOD_pawn,
    KS_METHOD_src,      KS_METHOD_srrc,    KS_METHOD_prcc,   KS_METHOD_regional};

static void ishigami(const double *x, double *y) {
    ks_model_find_test_function("ishigami")->evaluate(x, y);
}

static void begin_study(struct study *s, uint64_t n) {
    struct ks_design design = {.kind = KS_DESIGN_lhs, .n_bases = n, .n_points = n, .seed = 11};
    study_begin(s, design, 3, -3.14159265358979312, 3.14159265358979312);
    study_compute(s, ishigami);
}

static void assert_same_numbers(const char *name, size_t n, const double *a, const double *b) {
    for (size_t i = 0; i < n; i++)
        if (memcmp(&a[i], &b[i], sizeof *a) != 0 && !(isnan(a[i]) && isnan(b[i])))
            fail_msg("%s: %.17g and %.17g", name, a[i], b[i]);
}

/* A value that is missing of a run that ended well counts as a run that failed: the rest is the study, bit for bit. */
static void missing_values_are_dropped(void **state) {
    (void)state;
    for (int k = 0; k < N_METHODS; k++) {
        struct study failed, missing;
        struct ks_results of_failed, of_missing;
        begin_study(&failed, 400);
        begin_study(&missing, 400);
        for (size_t row = 3; row < 400; row += 7) {
            study_fail(&failed, row);
            missing.y[row] = NAN;
        }
        int n_resamples = kinds[k] == KS_METHOD_shapley ? 0 : 20;
        study_analyse(&failed, kinds[k], n_resamples, &of_failed);
        study_analyse(&missing, kinds[k], n_resamples, &of_missing);
        size_t n = (size_t)of_failed.n_values;
        assert_same_numbers(methods[k].name, n, of_failed.values, of_missing.values);
        assert_same_numbers(methods[k].name, n, of_failed.lows, of_missing.lows);
        assert_int_equal(of_failed.n_used[0], 400 - 57);
        assert_int_equal(of_missing.n_used[0], 400 - 57);
        ks_analysis_release(&of_failed);
        ks_analysis_release(&of_missing);
        study_end(&failed);
        study_end(&missing);
    }
}

/* With 5 % of the rows failed at random, indices stay within the intervals of the complete study. */
static void failures_at_random_move_nothing_far(void **state) {
    (void)state;
    for (int k = 0; k < N_METHODS; k++) {
        struct study s;
        struct ks_results whole, rest;
        int n_resamples = kinds[k] == KS_METHOD_shapley ? 0 : 100;
        begin_study(&s, 2048);
        study_analyse(&s, kinds[k], n_resamples, &whole);
        for (size_t row = 0; row < 2048; row++)
            if (table_draw(77, row, 0) < 0.05) study_fail(&s, row);
        study_analyse(&s, kinds[k], n_resamples, &rest);
        for (int i = 0; i < whole.n_values; i++) {
            bool has_interval = whole.highs[i] >= whole.lows[i]; /* a p value has none */
            if (has_interval && !(rest.values[i] >= whole.lows[i] && rest.values[i] <= whole.highs[i]))
                fail_msg("%s: %g is outside [%g, %g]", methods[k].name, rest.values[i], whole.lows[i],
                         whole.highs[i]);
        }
        ks_analysis_release(&whole);
        ks_analysis_release(&rest);
        study_end(&s);
    }
}

/* From 16 scrambles, as from rows that are independent. */
static void a_saltelli_design_serves_neighbours(void **state) {
    (void)state;
    const double effects[3] = {.4357470232, .4424111448, .1218418321};
    struct ks_design design = {.kind = KS_DESIGN_saltelli, .n_bases = 2048, .seed = 11};
    struct study s;
    struct ks_results results;
    study_begin(&s, design, 3, -3.14159265358979312, 3.14159265358979312);
    study_compute(&s, ishigami);
    study_analyse(&s, KS_METHOD_shapley, 0, &results);
    assert_int_equal(results.n_groups, 16);
    assert_int_equal(results.n_used[0], 4096); /* A and B */
    for (int i = 0; i < 3; i++) {
        assert_near("Shapley", results.values[i], effects[i], 0.03);
        assert_true(results.lows[i] <= effects[i] && effects[i] <= results.highs[i]);
    }
    ks_analysis_release(&results);
    study_end(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(estimators_are_the_published_ones),
        cmocka_unit_test(ishigami_has_its_indices),
        cmocka_unit_test(g_function_has_its_first_order),
        cmocka_unit_test(correlated_inputs_have_their_indices),
        cmocka_unit_test(rank_correlations_are_those_of_normal_variables),
        cmocka_unit_test(a_monotone_output_belongs_to_its_input),
        cmocka_unit_test(p_values_are_kolmogorovs),
        cmocka_unit_test(an_input_without_effect_has_no_first_order_on_average),
        cmocka_unit_test(discrete_inputs_have_their_indices),
        cmocka_unit_test(the_order_of_rows_does_not_matter),
        cmocka_unit_test(units_of_the_output_do_not_matter),
        cmocka_unit_test(a_constant_output_has_no_indices),
        cmocka_unit_test(a_constant_input_spoils_no_other),
        cmocka_unit_test(hardly_any_rows_are_no_reason_to_crash),
        cmocka_unit_test(resamples_may_be_coarse),
        cmocka_unit_test(missing_values_are_dropped),
        cmocka_unit_test(failures_at_random_move_nothing_far),
        cmocka_unit_test(a_saltelli_design_serves_neighbours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
