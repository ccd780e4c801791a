/* Whether the intervals of given-data methods hold what they promise: in independent repetitions a nominal 95 % interval
 * covers the truth in 90 to 99 % for random rows, and in no less for Latin ones, whose estimates scatter less than
 * the bootstrap can know. */
#include "study.h"

#include "base/normal.h"
#include "model/model.h"

static const double PI = 3.14159265358979312;
enum { N_REPETITIONS = 300, N_ROWS = 512, N_RESAMPLES = 100 };

static void ishigami(const double *x, double *y) {
    ks_model_find_test_function("ishigami")->evaluate(x, y);
}

static void linear(const double *x, double *y) {
    y[0] = 4 * x[0] + 5 * x[1];
}

static void begin_ishigami(struct study *s, enum ks_design_kind kind, uint64_t seed) {
    struct ks_design design = {.kind = kind, .n_bases = N_ROWS, .n_points = N_ROWS, .seed = seed};
    study_begin(s, design, 3, -PI, PI);
    study_compute(s, ishigami);
}

/* Normal inputs with correlation .3. */
static void begin_linear(struct study *s, enum ks_design_kind kind, uint64_t seed) {
    static double factor[4] = {1, 0, 0.3, 0.95393920141694566};
    struct ks_design design = {.kind = kind, .n_bases = N_ROWS, .n_points = N_ROWS, .seed = seed};
    study_begin(s, design, 2, 0, 1);
    s->design.correlation_factor = factor;
    for (int i = 0; i < 2; i++)
        s->variables[i].distribution = (struct ks_distribution){
            .kind = KS_DISTRIBUTION_normal, .a = 0, .b = 1, .low = -INFINITY, .high = INFINITY};
    study_compute(s, linear);
}

static void check(const char *what, void (*begin)(struct study *, enum ks_design_kind, uint64_t),
                  enum ks_design_kind kind, enum ks_method_kind method, int n_values, const double *truth) {
    int n_covering[16] = {0};
    bool has_own = method == KS_METHOD_shapley || method == KS_METHOD_ancova; /* intervals, from parts */
    for (uint64_t seed = 1; seed <= N_REPETITIONS; seed++) {
        struct study s;
        struct ks_results results;
        begin(&s, kind, seed);
        study_analyse(&s, method, has_own ? 0 : N_RESAMPLES, &results);
        for (int i = 0; i < n_values; i++)
            n_covering[i] += results.lows[i] <= truth[i] && truth[i] <= results.highs[i];
        ks_analysis_release(&results);
        study_end(&s);
    }
    for (int i = 0; i < n_values; i++) {
        double share = (double)n_covering[i] / N_REPETITIONS;
        print_message("# %s, %s, value %d: covered in %.1f %%\n", ks_methods[method].name, what, i,
                      100 * share);
        double most = kind == KS_DESIGN_lhs || truth[i] == 0 ? 1 : 0.995;
        if (!(share >= 0.885 && share <= most)) fail_msg("%s: value %d is covered in %.3f", what, i, share);
    }
}

static const double first[3] = {.3139051911, .4424111448, 0};

static void rbd_fast(void **state) {
    (void)state;
    check("random", begin_ishigami, KS_DESIGN_random, KS_METHOD_rbd_fast, 3, first);
    check("lhs", begin_ishigami, KS_DESIGN_lhs, KS_METHOD_rbd_fast, 3, first);
}

static void ancova(void **state) {
    (void)state;
    const double truth[6] = {.41509434, .58490566, 16 / 53.0, 25 / 53.0, 6 / 53.0, 6 / 53.0};
    check("ishigami", begin_ishigami, KS_DESIGN_random, KS_METHOD_ancova, 3, first);
    check("correlated", begin_linear, KS_DESIGN_random, KS_METHOD_ancova, 6, truth);
}

static void shapley(void **state) {
    (void)state;
    const double effects[3] = {.4357470232, .4424111448, .1218418321};
    const double truth[6] = {.42273585, .57726415, 30.25 / 53, 38.44 / 53, 16 * .91 / 53, 25 * .91 / 53};
    check("ishigami", begin_ishigami, KS_DESIGN_random, KS_METHOD_shapley, 3, effects);
    check("ishigami, lhs", begin_ishigami, KS_DESIGN_lhs, KS_METHOD_shapley, 3, effects);
    check("correlated", begin_linear, KS_DESIGN_random, KS_METHOD_shapley, 6, truth);
}

/* Of jointly normal variables, ranks correlate by 6 / pi asin(r / 2). */
static void regression(void **state) {
    (void)state;
    const double src[2] = {.5494422557947561, .6868028197434451};
    double r[2] = {6 / PI * asin(src[0] / 2 + 0.15 * src[1]), 6 / PI * asin(src[1] / 2 + 0.15 * src[0])};
    double rho = 6 / PI * asin(0.15), srrc[2], prcc[2];
    for (int i = 0; i < 2; i++) {
        srrc[i] = (r[i] - rho * r[1 - i]) / (1 - rho * rho);
        prcc[i] = (r[i] - rho * r[1 - i]) / sqrt((1 - rho * rho) * (1 - r[1 - i] * r[1 - i]));
    }
    check("src", begin_linear, KS_DESIGN_random, KS_METHOD_src, 2, src);
    check("srrc", begin_linear, KS_DESIGN_random, KS_METHOD_srrc, 2, srrc);
    check("prcc", begin_linear, KS_DESIGN_random, KS_METHOD_prcc, 2, prcc);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rbd_fast),
        cmocka_unit_test(ancova),
        cmocka_unit_test(shapley),
        cmocka_unit_test(regression),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
