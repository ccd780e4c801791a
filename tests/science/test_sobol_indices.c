/* Sobol' indices and elementary effects from design to interval: known answers, convergence, coverage, failed points,
 * extended studies, courses, and agreement with the published estimators on the same rows. */
#include "analysis/analysis.h"
#include "base/elementary.h"
#include "base/random.h"
#include "model/model.h"
#include "study.h"

enum { MOST_VALUES = 64 };

static const struct ks_design saltelli = {.kind = KS_DESIGN_saltelli, .n_bases = 1024, .seed = 1};

/* ---- cases ---------------------------------------------------------------------------------------------------- */

/* A function with its inputs' distributions, and what is known of it. */
struct known {
    const char *name;
    int p;
    int n_first, n_total;
    int inputs[MOST_INPUTS]; /* those that the answers are of; {0} where they are the first ones */
    double first[MOST_INPUTS], total[MOST_INPUTS];
    double first_slack, total_slack; /* of the published digits */
};

/* Ishigami: V1 = (1 + b pi^4 / 5)^2 / 2, V2 = a^2 / 8, V13 = 8 b^2 pi^8 / 225. G: V_i = 1 / (3 (1 + a_i)^2). */
static const struct known ishigami = {
    "ishigami", 3,    3, 3, {0, 1, 2}, {.3139051911, .4424111448, 0}, {.5575888552, .4424111448, .2436836641},
    1e-10,      1e-10};
static const struct known g = {
    "gfunction",
    8,
    8,
    8,
    {0, 1, 2, 3, 4, 5, 6, 7},
    {.7161921689, .1790480422, .0236757742, .0071619217, .0000716192, .0000716192, .0000716192, .0000716192},
    {.7871441267, .2421981928, .0343169102, .0104603871, .0001049491, .0001049491, .0001049491, .0001049491},
    1e-10,
    1e-10};
static const struct known borehole = {"borehole",
                                      8,
                                      5,
                                      5,
                                      {0, 3, 5, 6, 7},
                                      {.66373, .09488, .09488, .09064, .02193},
                                      {.69414, .10612, .10612, .10278, .02513},
                                      2e-4,
                                      2e-4};
static const struct known wing = {
    "wing_weight", 10, 5, 0, {2, 6, 7, 0, 8}, {.22024, .14098, .41161, .12447, .08497}, {0}, 3e-4, 0};

static const struct ks_test_function *current; /* what evaluate() computes */

static void evaluate(const double *x, double *y) {
    current->evaluate(x, y);
}

/* rw normal, r lognormal, as usual. */
static void begin_known(struct study *s, struct ks_design design, const struct known *known) {
    current = ks_model_find_test_function(known->name);
    study_begin(s, design, known->p, current->low, current->high);
    for (int i = 0; i < known->p && current->inputs != NULL; i++) {
        s->variables[i].distribution.a = current->inputs[i].low;
        s->variables[i].distribution.b = current->inputs[i].high;
    }
    if (known != &borehole) return;
    s->variables[0].distribution = (struct ks_distribution){
        .kind = KS_DISTRIBUTION_normal, .a = 0.10, .b = 0.0161812, .low = 0, .high = INFINITY};
    s->variables[1].distribution = (struct ks_distribution){.kind = KS_DISTRIBUTION_lognormal,
                                                            .a = ks_elementary_exp(7.71),
                                                            .b = 1.0056,
                                                            .low = -INFINITY,
                                                            .high = INFINITY};
}

static void run_known(struct study *s, struct ks_design design, const struct known *known) {
    begin_known(s, design, known);
    study_compute(s, evaluate);
}

static double total_of(const struct ks_results *r, int i) {
    return r->values[r->offsets[0] + i];
}

static double first_of(const struct ks_results *r, int i) {
    return r->values[r->offsets[1] + i];
}

static double half_width(const struct ks_results *r, int value) {
    return (r->highs[value] - r->lows[value]) / 2;
}

/* Within twice the interval: one in 10,000 would miss by chance, if the errors were normal. */
static void assert_within(const struct ks_results *r, int value, double expected, double slack) {
    double bound = 2 * half_width(r, value) + slack;
    if (!(fabs(r->values[value] - expected) <= bound))
        fail_msg("value %d is %.6f, expected %.6f +- %.6f", value, r->values[value], expected, bound);
}

static void indices_are_the_known_ones(void **state) {
    (void)state;
    const struct known *cases[] = {&ishigami, &g, &borehole, &wing};
    for (int c = 0; c < 4; c++) {
        struct study s;
        struct ks_results r;
        struct ks_design design = saltelli;
        design.n_bases = 1 << 14;
        run_known(&s, design, cases[c]);
        study_analyse(&s, KS_METHOD_sobol, 0, &r);
        for (int i = 0; i < cases[c]->n_first; i++) {
            assert_within(&r, r.offsets[1] + cases[c]->inputs[i], cases[c]->first[i], cases[c]->first_slack);
            assert_true(half_width(&r, r.offsets[1] + cases[c]->inputs[i]) < 0.02);
        }
        for (int i = 0; i < cases[c]->n_total; i++) {
            assert_within(&r, r.offsets[0] + cases[c]->inputs[i], cases[c]->total[i], cases[c]->total_slack);
            assert_true(half_width(&r, r.offsets[0] + cases[c]->inputs[i]) < 0.02);
        }
        if (cases[c] == &ishigami) assert_true(fabs(r.variances[0] - 13.8445879407) < 0.1);
        ks_analysis_release(&r);
        study_end(&s);
    }
}

static void pairs_have_their_indices(void **state) {
    (void)state;
    static const double expected[] = {0, .2436836641, 0}; /* of (x1, x2), (x1, x3), (x2, x3) */
    struct study s;
    struct ks_results r;
    struct ks_design design = saltelli;
    design.n_bases = 1 << 14;
    design.has_second_order = true;
    run_known(&s, design, &ishigami);
    study_analyse(&s, KS_METHOD_sobol, 0, &r);
    assert_int_equal(r.n_indices, 3);
    for (int k = 0; k < 3; k++) assert_within(&r, r.offsets[2] + k, expected[k], 0);
    ks_analysis_release(&r);
    study_end(&s);
}

/* ---- convergence ---------------------------------------------------------------------------------------------- */

/* The error over all known indices of some studies, a root mean square. */
static double measure_error(const struct known *known, uint64_t n_bases, int n_studies) {
    double squares = 0;
    int n = 0;
    for (int study = 0; study < n_studies; study++) {
        struct study s;
        struct ks_results r;
        struct ks_design design = saltelli;
        design.n_bases = n_bases;
        design.seed = (uint64_t)study + 100;
        run_known(&s, design, known);
        study_analyse(&s, KS_METHOD_sobol, 0, &r);
        for (int i = 0; i < known->p; i++) {
            double first = first_of(&r, i) - known->first[i], total = total_of(&r, i) - known->total[i];
            squares += first * first + total * total;
            n += 2;
        }
        ks_analysis_release(&r);
        study_end(&s);
    }
    return sqrt(squares / n);
}

/* The slope of log error over log N by least squares; prints a plot. */
static double measure_slope(const struct known *known, int first, int last, int n_studies) {
    double sum_x = 0, sum_y = 0, sum_xx = 0, sum_xy = 0;
    int n = last - first + 1;
    for (int k = first; k <= last; k++) {
        double error = measure_error(known, (uint64_t)1 << k, n_studies), x = k * 0.69314718056,
               y = ks_elementary_log(error);
        printf("# %-12s N = 2^%-2d error %.2e ", known->name, k, error);
        for (int bar = 0; bar < 60 + (int)(4 * y); bar++) putchar('*');
        putchar('\n');
        sum_x += x;
        sum_y += y;
        sum_xx += x * x;
        sum_xy += x * y;
    }
    return (n * sum_xy - sum_x * sum_y) / (n * sum_xx - sum_x * sum_x);
}

static void errors_fall_faster_than_random_points_let_them(void **state) {
    (void)state;
    const struct known *cases[] = {&ishigami, &g};
    for (int c = 0; c < 2; c++) {
        double slope = measure_slope(cases[c], 10, 17, 6);
        printf("# %s: error as N^%.2f\n", cases[c]->name, slope);
        assert_true(slope < -0.9);
    }
}

/* ---- coverage ------------------------------------------------------------------------------------------------- */

enum { N_STUDIES = 500 };

/* A kind of study whose intervals should hold the truth in 95 of 100. */
struct trial {
    const char *name;
    struct ks_design design;
    enum ks_method_kind method;
    int n_resamples;
    const struct known *known;
};

static bool holds(const struct ks_results *r, int value, double truth) {
    return r->lows[value] <= truth && truth <= r->highs[value];
}

/* Adds 1 to hits [n_values] where the interval of a study holds the truth. */
static void try_study(const struct trial *trial, uint64_t seed, int n_values, const double *truth,
                      int *hits) {
    struct study s;
    struct ks_results r;
    struct ks_design design = trial->design;
    design.seed = seed;
    run_known(&s, design, trial->known);
    study_analyse(&s, trial->method, trial->n_resamples, &r);
    for (int i = 0; i < n_values; i++) hits[i] += holds(&r, i, truth[i]);
    ks_analysis_release(&r);
    study_end(&s);
}

static void assert_covered(const char *name, int n_values, const int *hits, int least, int most) {
    for (int i = 0; i < n_values; i++) {
        printf("# %-28s value %d: %5.1f %% of %d intervals hold the truth\n", name, i,
               100.0 * hits[i] / N_STUDIES, N_STUDIES);
        assert_in_range(hits[i], least, most);
    }
}

static void cover(const struct trial *trial, int n_values, const double *truth) {
    int hits[MOST_VALUES] = {0};
    for (int study = 0; study < N_STUDIES; study++)
        try_study(trial, (uint64_t)study + 1000, n_values, truth, hits);
    assert_covered(trial->name, n_values, hits, 450, 495);
}

static void intervals_of_scrambles_cover(void **state) {
    (void)state;
    const struct trial trial = {"saltelli, scrambles", saltelli, KS_METHOD_sobol, 0, &ishigami};
    double truth[6];
    for (int i = 0; i < 3; i++) {
        truth[i] = ishigami.total[i];
        truth[3 + i] = ishigami.first[i];
    }
    cover(&trial, 6, truth);
}

/* Of a large study of the same kind: sigma and mu* of Ishigami's function on the four levels have no simple form. */
static void find_truth(const struct trial *trial, uint64_t n_bases, int n_values, double *truth) {
    struct study s;
    struct ks_results r;
    struct ks_design design = trial->design;
    design.n_bases = n_bases;
    run_known(&s, design, trial->known);
    study_analyse(&s, trial->method, 20, &r);
    for (int i = 0; i < n_values; i++) truth[i] = r.values[i];
    ks_analysis_release(&r);
    study_end(&s);
}

static void intervals_of_trajectories_cover(void **state) {
    (void)state;
    const struct trial trial = {"morris, bootstrap",
                                {.kind = KS_DESIGN_morris, .n_bases = 64, .seed = 1, .n_path_levels = 8},
                                KS_METHOD_morris,
                                300,
                                &ishigami};
    double truth[6];
    find_truth(&trial, 1 << 17, 6, truth);
    cover(&trial, 6, truth);
}

static void intervals_of_radial_steps_cover(void **state) {
    (void)state;
    const struct trial trial = {"morris, radial, scrambles",
                                {.kind = KS_DESIGN_morris, .n_bases = 512, .seed = 1, .is_radial = true},
                                KS_METHOD_morris,
                                0,
                                &ishigami};
    double truth[6];
    find_truth(&trial, 1 << 17, 6, truth);
    cover(&trial, 6, truth);
}

/* As `run` does with design.stop: doubled until the widest interval is at most 0.1. */
static uint64_t stop_when_narrow(uint64_t seed, int *hits, const double *truth) {
    static const double wanted = 0.1;
    for (uint64_t n_bases = 128;; n_bases *= 2) {
        struct study s;
        struct ks_results r;
        struct ks_design design = saltelli;
        design.n_bases = n_bases;
        design.seed = seed;
        run_known(&s, design, &ishigami);
        study_analyse(&s, KS_METHOD_sobol, 0, &r);
        bool is_narrow = true;
        for (int i = 0; i < 6; i++) is_narrow &= half_width(&r, i) <= wanted;
        for (int i = 0; is_narrow && i < 6; i++) hits[i] += holds(&r, i, truth[i]);
        ks_analysis_release(&r);
        study_end(&s);
        if (is_narrow) return n_bases;
    }
}

static void intervals_of_stopped_studies_cover(void **state) {
    (void)state;
    double truth[6];
    int hits[6] = {0}, n_by_size[32] = {0};
    for (int i = 0; i < 3; i++) {
        truth[i] = ishigami.total[i];
        truth[3 + i] = ishigami.first[i];
    }
    for (int study = 0; study < N_STUDIES; study++) {
        uint64_t n_bases = stop_when_narrow((uint64_t)study + 5000, hits, truth);
        int k = 0;
        while (n_bases >> k > 1) k++;
        n_by_size[k]++;
    }
    for (int k = 0; k < 32; k++)
        if (n_by_size[k] > 0) printf("# stopped at 2^%d: %d\n", k, n_by_size[k]);
    assert_covered("saltelli, design.stop", 6, hits, 450, 495);
}

/* ---- failed points -------------------------------------------------------------------------------------------- */

/* Fails `n` rows anywhere. */
static void fail_anywhere(struct study *s, uint64_t seed, uint64_t n) {
    for (uint64_t k = 0; k < n;) {
        size_t row = (size_t)(ks_random_bits(seed, KS_STREAM_test, 7, k) % s->design.n_points);
        while (s->status[row] != KS_STATUS_done) row = (row + 1) % (size_t)s->design.n_points;
        study_fail(s, row);
        k++;
    }
}

static void find_failures(struct study *s, struct ks_failures *failures) {
    const struct ks_study study = {.read = study_read,
                                   .source = s,
                                   .schema = &s->schema,
                                   .design = &s->design,
                                   .method = KS_METHOD_sobol};
    assert_int_equal(ks_analysis_find_failures(&study, failures), KS_OK);
}

static void scattered_failures_cost_little(void **state) {
    (void)state;
    struct study s;
    struct ks_results complete, r;
    struct ks_failures failures;
    run_known(&s, saltelli, &ishigami);
    study_analyse(&s, KS_METHOD_sobol, 0, &complete);
    uint64_t counts[] = {1, 100, s.design.n_points / 20}, n_before = 0;
    for (int c = 0; c < 3; c++) {
        fail_anywhere(&s, (uint64_t)c + 1, counts[c] - n_before);
        n_before = counts[c];
        study_analyse(&s, KS_METHOD_sobol, 0, &r);
        for (int i = 0; i < 6; i++) assert_true(holds(&complete, i, r.values[i]));
        find_failures(&s, &failures);
        assert_int_equal(failures.n_failed, counts[c]);
        assert_false(failures.is_clustered);
        /* a parameter loses the base rows in which A, B or its own AB failed, not those of the others */
        for (int i = 0; i < 3; i++) {
            uint64_t n_touched = 0;
            for (size_t base = 0; base < 1024; base++) {
                const int8_t *status = &s.status[base * 5];
                n_touched += status[0] != KS_STATUS_done || status[4] != KS_STATUS_done ||
                             status[1 + i] != KS_STATUS_done;
            }
            assert_int_equal(1024 - r.n_used[i], n_touched);
        }
        ks_analysis_release_failures(&failures);
        ks_analysis_release(&r);
    }
    ks_analysis_release(&complete);
    study_end(&s);
}

/* The same number where x1 and x3 are large. */
static void failures_in_a_corner_are_found(void **state) {
    (void)state;
    struct study s;
    struct ks_results r;
    struct ks_failures failures;
    run_known(&s, saltelli, &ishigami);
    for (size_t row = 0; row < s.design.n_points; row++)
        if (s.x[row * 3] > 1.7367 && s.x[row * 3 + 2] > 1.7367) study_fail(&s, row);
    find_failures(&s, &failures);
    assert_true(failures.is_clustered);
    assert_true(failures.sides[0].p_value < 1e-6 && failures.sides[0].is_above);
    assert_true(fabs(failures.sides[0].threshold - 1.7367) < 0.1);
    assert_true(failures.sides[1].p_value > 0.01 / 3);
    assert_true(failures.sides[2].p_value < 1e-6 && fabs(failures.sides[2].threshold - 1.7367) < 0.1);
    study_analyse(&s, KS_METHOD_sobol, 0, &r);
    for (int i = 0; i < r.n_values; i++) assert_true(isfinite(r.values[i]) && isfinite(r.lows[i]));
    ks_analysis_release(&r);
    ks_analysis_release_failures(&failures);
    study_end(&s);
}

/* p values of scattered failures are uniform: one in a hundred is below 0.01. */
static void scattered_failures_are_not_taken_for_clusters(void **state) {
    (void)state;
    int n_clustered = 0;
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct study s;
        struct ks_failures failures;
        struct ks_design design = saltelli;
        design.n_bases = 256;
        design.seed = seed;
        run_known(&s, design, &ishigami);
        fail_anywhere(&s, seed, 60);
        find_failures(&s, &failures);
        n_clustered += failures.is_clustered;
        ks_analysis_release_failures(&failures);
        study_end(&s);
    }
    assert_in_range(n_clustered, 0, 7); /* 2 are expected */
}

/* ---- extended studies ----------------------------------------------------------------------------------------- */

static void check_prefix(struct ks_design design) {
    struct ks_variable variables[3] = {0};
    design.variables = variables;
    design.n_variables = 3;
    struct ks_design larger = design;
    larger.n_bases *= 16;
    design.n_points = ks_design_count_points(&design);
    larger.n_points = ks_design_count_points(&larger);
    for (uint64_t i = 0; i < design.n_points; i++) {
        double u[3], v[3];
        ks_design_uniforms(&design, i, u);
        ks_design_uniforms(&larger, i, v);
        assert_memory_equal(u, v, sizeof u);
    }
}

static void extended_designs_begin_with_the_smaller(void **state) {
    (void)state;
    struct ks_design design = saltelli;
    check_prefix(design);
    design.has_second_order = true;
    check_prefix(design);
    check_prefix((struct ks_design){.kind = KS_DESIGN_morris, .n_bases = 10, .n_path_levels = 4});
    check_prefix((struct ks_design){.kind = KS_DESIGN_morris, .n_bases = 32, .is_radial = true});
    check_prefix(
        (struct ks_design){.kind = KS_DESIGN_morris, .n_bases = 32, .is_radial = true, .step = 0.01});
}

/* ---- rows of the designs -------------------------------------------------------------------------------------- */

/* SALib's order: A, AB_1 .. AB_p, BA_1 .. BA_p, B. */
static void rows_are_in_salibs_order(void **state) {
    (void)state;
    struct ks_variable variables[3] = {0};
    struct ks_design design = saltelli;
    design.variables = variables;
    design.n_variables = 3;
    design.has_second_order = true;
    design.n_points = ks_design_count_points(&design);
    assert_int_equal(design.n_points, 1024 * 8);
    for (uint64_t base = 0; base < 1024; base++) {
        double rows[8][3];
        for (uint64_t block = 0; block < 8; block++)
            ks_design_uniforms(&design, base * 8 + block, rows[block]);
        for (int i = 0; i < 3; i++)
            for (int k = 0; k < 3; k++) {
                assert_true(rows[1 + i][k] == rows[k == i ? 7 : 0][k]);
                assert_true(rows[4 + i][k] == rows[k == i ? 0 : 7][k]);
            }
    }
}

/* Each of the 16 scrambles is a net of its own: its points lie once in each of as many equal parts of a range. */
static void scrambles_are_nets(void **state) {
    (void)state;
    struct ks_variable variables[3] = {0};
    struct ks_design design = saltelli;
    design.variables = variables;
    design.n_variables = 3;
    design.n_points = ks_design_count_points(&design);
    for (uint64_t scramble = 0; scramble < 16; scramble++) {
        bool seen[6][64] = {{false}};
        for (uint64_t point = 0; point < 64; point++) {
            double u[6];
            uint64_t base = point * 16 + scramble;
            ks_design_uniforms(&design, base * 5, u);
            ks_design_uniforms(&design, base * 5 + 4, u + 3);
            for (int k = 0; k < 6; k++) {
                assert_false(seen[k][(int)(64 * u[k])]);
                seen[k][(int)(64 * u[k])] = true;
            }
        }
    }
}

/* A trajectory moves each parameter once, by half of the levels. */
static void trajectories_move_each_parameter_once(void **state) {
    (void)state;
    struct ks_variable variables[5] = {0};
    struct ks_design design = {.kind = KS_DESIGN_morris,
                               .n_bases = 100,
                               .n_path_levels = 6,
                               .n_variables = 5,
                               .variables = variables};
    design.n_points = ks_design_count_points(&design);
    for (uint64_t trajectory = 0; trajectory < 100; trajectory++) {
        int n_moves[5] = {0};
        double before[5], after[5];
        ks_design_uniforms(&design, trajectory * 6, before);
        for (uint64_t step = 1; step < 6; step++, memcpy(before, after, sizeof before)) {
            ks_design_uniforms(&design, trajectory * 6 + step, after);
            int n_moved = 0;
            for (int k = 0; k < 5; k++) {
                if (before[k] == after[k]) continue;
                assert_true(fabs(fabs(after[k] - before[k]) - 0.5) < 1e-12);
                assert_true(after[k] > 0 && after[k] < 1);
                n_moves[k]++;
                n_moved++;
            }
            assert_int_equal(n_moved, 1);
        }
        for (int k = 0; k < 5; k++) assert_int_equal(n_moves[k], 1);
    }
}

/* What progress shows of the rows so far is what the analysis of the finished study says, also where points failed and
 * where there are rows for second order, and however the sums are shared out. */
static void live_indices_are_those_of_the_analysis(void **state) {
    (void)state;
    for (int variant = 0; variant < 3; variant++) {
        struct study s;
        struct ks_results r;
        struct ks_live live;
        struct ks_live_index leader;
        struct ks_design design = saltelli;
        design.has_second_order = variant == 1;
        run_known(&s, design, &g);
        if (variant == 2) study_fail(&s, 10 * 77 + 3); /* an AB row */
        if (variant == 2) study_fail(&s, 10 * 500);    /* an A row */
        assert_int_equal(ks_live_create(&live, &s.design), KS_OK);
        double *sums = ks_memory_allocate(2 * live.n_sums, sizeof *sums);
        leader = ks_live_find_leader(&live, sums);
        assert_int_equal(leader.parameter, -1);                  /* of no rows nothing can be told */
        for (uint64_t base = 0; base < s.design.n_bases; base++) /* two ranks, out of order */
            ks_live_add(&live, base, &s.y[base * (uint64_t)live.n_rows],
                        &sums[(base * 7 + base / 3) % 2 * live.n_sums]);
        for (size_t k = 0; k < live.n_sums; k++) sums[k] += sums[live.n_sums + k];
        leader = ks_live_find_leader(&live, sums);
        study_analyse(&s, KS_METHOD_sobol, 0, &r);
        assert_int_equal(leader.parameter, 0);
        assert_true(fabs(leader.value - total_of(&r, 0)) < 1e-9);
        assert_true(fabs(leader.half_width - half_width(&r, r.offsets[0])) < 1e-9);
        free(sums);
        ks_live_release(&live);
        ks_analysis_release(&r);
        study_end(&s);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_in_salibs_order),
        cmocka_unit_test(scrambles_are_nets),
        cmocka_unit_test(trajectories_move_each_parameter_once),
        cmocka_unit_test(extended_designs_begin_with_the_smaller),
        cmocka_unit_test(indices_are_the_known_ones),
        cmocka_unit_test(pairs_have_their_indices),
        cmocka_unit_test(live_indices_are_those_of_the_analysis),
        cmocka_unit_test(errors_fall_faster_than_random_points_let_them),
        cmocka_unit_test(intervals_of_scrambles_cover),
        cmocka_unit_test(intervals_of_trajectories_cover),
        cmocka_unit_test(intervals_of_radial_steps_cover),
        cmocka_unit_test(intervals_of_stopped_studies_cover),
        cmocka_unit_test(scattered_failures_cost_little),
        cmocka_unit_test(failures_in_a_corner_are_found),
        cmocka_unit_test(scattered_failures_are_not_taken_for_clusters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
