/* Designs: the properties that make each what it is, then points known from elsewhere. Bounds on chi-square
 * and the like are five standard deviations wide; all numbers are functions of fixed seeds, so a test never
 * fails by chance. */
#include "base/memory.h"
#include "base/random.h"
#include "design/design.h"
#include "design/design_impl.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MAX_DIMENSIONS = KS_DESIGN_SOBOL_DIMENSIONS };

static struct ks_design make_design(enum ks_design_kind kind, uint64_t n_points, int n_variables,
                                    uint64_t seed) {
    return (struct ks_design){.kind = kind, .n_points = n_points, .n_variables = n_variables, .seed = seed};
}

static const enum ks_design_kind sampled[] = {KS_DESIGN_lhs, KS_DESIGN_random, KS_DESIGN_sobol};
enum { N_SAMPLED = sizeof sampled / sizeof *sampled };

/* Whether the n points from `first` on occupy each of the n strata of one dimension once. */
static bool is_latin(const struct ks_design *design, uint64_t first, uint64_t n, int dimension) {
    bool *is_taken = ks_memory_allocate(n, sizeof *is_taken);
    double u[MAX_DIMENSIONS];
    bool is_good = true;
    for (uint64_t i = 0; i < n && is_good; i++) {
        ks_design_uniforms(design, first + i, u);
        double stratum = floor(u[dimension] * (double)n);
        is_good = stratum >= 0 && stratum < (double)n && !is_taken[(uint64_t)stratum];
        if (is_good) is_taken[(uint64_t)stratum] = true;
    }
    free(is_taken);
    return is_good;
}

static void assert_uniform(int n_cells, const double *counts) {
    double sum = 0, chi_square = 0;
    for (int i = 0; i < n_cells; i++) sum += counts[i];
    double expected = sum / n_cells;
    for (int i = 0; i < n_cells; i++) chi_square += pow(counts[i] - expected, 2) / expected;
    double freedom = n_cells - 1;
    assert_true(fabs(chi_square - freedom) < 5 * sqrt(2 * freedom));
}

/* ---- all sampled designs ------------------------------------------------------------------------------- */

static void numbers_are_inside_the_open_interval(void **state) {
    (void)state;
    double u[6];
    for (int k = 0; k < N_SAMPLED; k++) {
        struct ks_design design = make_design(sampled[k], 5000, 6, 1);
        for (uint64_t i = 0; i < design.n_points; i++) {
            ks_design_uniforms(&design, i, u);
            for (int d = 0; d < 6; d++) assert_true(u[d] > 0 && u[d] < 1);
        }
    }
}

static void a_point_depends_on_seed_and_number_alone(void **state) {
    (void)state;
    double forward[64][5], u[5], fewer[3];
    for (int k = 0; k < N_SAMPLED; k++) {
        struct ks_design design = make_design(sampled[k], 64, 5, 7),
                         narrow = make_design(sampled[k], 64, 3, 7);
        for (uint64_t i = 0; i < 64; i++) ks_design_uniforms(&design, i, forward[i]);
        for (uint64_t i = 64; i-- > 0;) {
            ks_design_uniforms(&design, i, u);
            ks_design_uniforms(&narrow, i, fewer);
            assert_memory_equal(u, forward[i], sizeof u);
            assert_memory_equal(fewer, forward[i], sizeof fewer);
        }
    }
}

static void seeds_and_dimensions_give_other_numbers(void **state) {
    (void)state;
    double u[4], other[4];
    for (int k = 0; k < N_SAMPLED; k++) {
        struct ks_design design = make_design(sampled[k], 64, 4, 1),
                         reseeded = make_design(sampled[k], 64, 4, 2);
        for (uint64_t i = 0; i < 64; i++) {
            ks_design_uniforms(&design, i, u);
            ks_design_uniforms(&reseeded, i, other);
            for (int d = 0; d < 4; d++) {
                assert_true(u[d] != other[d]);
                assert_true(u[d] != u[(d + 1) % 4]);
            }
        }
    }
}

/* In two dimensions at once: estimates have no bias and the dimensions are independent. */
static void a_point_is_uniform_over_seeds(void **state) {
    (void)state;
    for (int k = 0; k < N_SAMPLED; k++) {
        double cells[64] = {0}, u[2];
        for (uint64_t seed = 0; seed < 20000; seed++) {
            struct ks_design design = make_design(sampled[k], 12, 2, seed);
            ks_design_uniforms(&design, 9, u);
            cells[(int)(8 * u[0]) * 8 + (int)(8 * u[1])]++;
        }
        assert_uniform(64, cells);
    }
}

static void random_is_the_random_stream(void **state) {
    (void)state;
    struct ks_design design = make_design(KS_DESIGN_random, UINT64_MAX, 2, 3);
    double u[2];
    ks_design_uniforms(&design, (uint64_t)1 << 50, u);
    assert_true(u[1] == ks_random_uniform(3, KS_STREAM_random, (uint64_t)1 << 50, 1));
}

/* ---- Sobol' -------------------------------------------------------------------------------------------- */

/* From an independent implementation of the same direction numbers, to 32 digits. */
static void sobol_digits_are_the_published_ones(void **state) {
    (void)state;
    static const struct {
        int dimension;
        uint64_t digits_of_2, digits_of_12345;
    } known[] = {
        {1, 0x40000000, 0x9c0c0000},   {2, 0xc0000000, 0x70440000},   {3, 0xc0000000, 0xe4f40000},
        {4, 0xc0000000, 0x90040000},   {5, 0x40000000, 0xa14c0000},   {10, 0x40000000, 0x5b540000},
        {100, 0x40000000, 0x1cfc0000}, {500, 0xc0000000, 0x1b2c0000}, {1024, 0x40000000, 0x72940000},
    };
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        int dimension = known[k].dimension - 1;
        assert_true(ks_sobol_digits(dimension, 0) == 0);
        assert_true(ks_sobol_digits(dimension, 1) == (uint64_t)1 << 63);
        assert_true(ks_sobol_digits(dimension, 2) == known[k].digits_of_2 << 32);
        assert_true(ks_sobol_digits(dimension, 12345) == known[k].digits_of_12345 << 32);
    }
}

static void sobol_points_of_a_power_of_two_share_no_stratum(void **state) {
    (void)state;
    struct ks_design design = make_design(KS_DESIGN_sobol, UINT64_MAX, MAX_DIMENSIONS, 11);
    static const int dimensions[] = {0, 1, 2, 9, 99, 199, 1023};
    for (size_t k = 0; k < sizeof dimensions / sizeof *dimensions; k++) {
        design.n_variables = dimensions[k] + 1;
        for (uint64_t n = 1; n <= 1024; n *= 2) {
            assert_true(is_latin(&design, 0, n, dimensions[k]));
            assert_true(is_latin(&design, ((uint64_t)1 << 40) - n, n, dimensions[k]));
        }
    }
}

/* The first two dimensions are a (0, m, 2)-net in base 2: each box of 2^-a by 2^-(m-a) holds one of 2^m
 * points. */
static void sobol_scrambled_is_still_a_net(void **state) {
    (void)state;
    enum { M = 10, N = 1 << M };
    struct ks_design design = make_design(KS_DESIGN_sobol, 4 * N, 2, 5);
    for (int a = 0; a <= M; a++) {
        for (uint64_t block = 0; block < 4; block++) {
            int n_inside[N] = {0};
            double u[2];
            for (uint64_t i = 0; i < N; i++) {
                ks_design_uniforms(&design, block * N + i, u);
                int row = (int)ldexp(u[0], a), column = (int)ldexp(u[1], M - a);
                n_inside[(row << (M - a)) + column]++;
            }
            for (int box = 0; box < N; box++) assert_int_equal(n_inside[box], 1);
        }
    }
}

/* The points of a block of two are in different halves; where each lies in its half must be independent of
 * the other. A scramble that flips a digit alike for every prefix (a digital shift) keeps them at a fixed
 * distance. */
static void sobol_scrambling_is_nested(void **state) {
    (void)state;
    double cells[64] = {0}, first, second;
    for (uint64_t seed = 0; seed < 20000; seed++) {
        struct ks_design design = make_design(KS_DESIGN_sobol, 2, 1, seed);
        ks_design_uniforms(&design, 0, &first);
        ks_design_uniforms(&design, 1, &second);
        assert_true((first < 0.5) != (second < 0.5));
        cells[(int)(8 * fmod(2 * first, 1)) * 8 + (int)(8 * fmod(2 * second, 1))]++;
    }
    assert_uniform(64, cells);
}

/* Deeper than the digits that a short sequence distinguishes: bits 40 to 45 of a point. */
static void sobol_low_digits_are_random(void **state) {
    (void)state;
    double cells[64] = {0}, u;
    struct ks_design design = make_design(KS_DESIGN_sobol, 20000, 1, 9);
    for (uint64_t i = 0; i < design.n_points; i++) {
        ks_design_uniforms(&design, i, &u);
        cells[(int)(64 * fmod(ldexp(u, 40), 1))]++;
    }
    assert_uniform(64, cells);
}

/* Root mean square error over seeds of the mean of prod (1 + (exp(u_d) - e + 1) / 2), whose integral is 1. */
static double integration_error(uint64_t n) {
    enum { N_SEEDS = 40, D = 3 };
    double squares = 0;
    for (uint64_t seed = 0; seed < N_SEEDS; seed++) {
        struct ks_design design = make_design(KS_DESIGN_sobol, n, D, seed);
        double sum = 0, u[D];
        for (uint64_t i = 0; i < n; i++) {
            ks_design_uniforms(&design, i, u);
            double product = 1;
            for (int d = 0; d < D; d++) product *= 1 + 0.5 * (exp(u[d]) - exp(1) + 1);
            sum += product;
        }
        squares += pow(sum / (double)n - 1, 2);
    }
    return sqrt(squares / N_SEEDS);
}

static void sobol_integrates_at_owens_rate(void **state) {
    (void)state;
    double order = log2(integration_error(64) / integration_error(4096)) / 6;
    assert_true(order > 1.3);
    assert_true(integration_error(4096) < 1e-5);
}

/* ---- Latin hypercube ----------------------------------------------------------------------------------- */

static const uint64_t latin_sizes[] = {1, 2, 3, 7, 12, 96, 1000, 1023, 4096, 49152, 100003};
enum { N_LATIN_SIZES = sizeof latin_sizes / sizeof *latin_sizes };

static void lhs_is_latin(void **state) {
    (void)state;
    for (int k = 0; k < N_LATIN_SIZES; k++) {
        for (uint64_t seed = 0; seed < 3; seed++) {
            struct ks_design design = make_design(KS_DESIGN_lhs, latin_sizes[k], 3, seed);
            for (int d = 0; d < 3; d++) assert_true(is_latin(&design, 0, latin_sizes[k], d));
        }
    }
}

static void lhs_doubled_keeps_its_rows_and_all_its_strata(void **state) {
    (void)state;
    for (int k = 0; k < N_LATIN_SIZES; k++) {
        uint64_t n = latin_sizes[k];
        struct ks_design design = make_design(KS_DESIGN_lhs, n, 2, 4),
                         doubled = make_design(KS_DESIGN_lhs, 2 * n, 2, 4);
        double u[2], same[2];
        for (uint64_t i = 0; i < n; i++) {
            ks_design_uniforms(&design, i, u);
            ks_design_uniforms(&doubled, i, same);
            assert_memory_equal(u, same, sizeof u);
        }
        assert_true(is_latin(&doubled, 0, n, 0));
    }
}

/* Or floor(u * n) would depend on rounding. Points are in the middle of strata that are wider than 2^-51. */
static void lhs_keeps_off_the_borders_of_strata(void **state) {
    (void)state;
    struct ks_design design = make_design(KS_DESIGN_lhs, (uint64_t)3 << 38, 1, 8);
    double n = (double)design.n_points, margin = 0.99 * n * 0x1p-52;
    for (uint64_t i = 0; i < 50000; i++) {
        double u;
        ks_design_uniforms(&design, i << 23, &u);
        double inside = fmod(u * n, 1);
        assert_true(inside > margin && inside < 1 - margin);
    }
}

/* Too many points to draw all: those drawn must be nested and share no stratum. */
static void lhs_reaches_2_to_the_40_points(void **state) {
    (void)state;
    enum { N_DRAWN = 2000 };
    static const uint64_t sizes[] = {(uint64_t)1 << 40, (uint64_t)3 << 38, ((uint64_t)1 << 39) - 1};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        struct ks_design design = make_design(KS_DESIGN_lhs, sizes[k], 1, 8);
        struct ks_design doubled = make_design(KS_DESIGN_lhs, 2 * sizes[k], 1, 8);
        double strata[N_DRAWN];
        for (uint64_t i = 0; i < N_DRAWN; i++) {
            double u, same;
            uint64_t point = ks_random_bits(1, KS_STREAM_test, i, k) % sizes[k];
            ks_design_uniforms(&design, point, &u);
            ks_design_uniforms(&doubled, point, &same);
            assert_true(u == same);
            strata[i] = floor(u * (double)sizes[k]);
            for (uint64_t j = 0; j < i; j++) assert_true(strata[j] != strata[i]);
        }
    }
}

/* n = 12 = 3 x 4 over seeds, for a point of level 0 and one of level 2. The latter is in any stratum and
 * anywhere inside it, and the two meet each pair of strata of different sixths equally often. */
static void lhs_strata_are_drawn_evenly(void **state) {
    (void)state;
    enum { N = 12 };
    double alone[N] = {0}, pairs[N * N] = {0}, allowed[N * N], inside[N] = {0}, u, v;
    for (uint64_t seed = 0; seed < 40000; seed++) {
        struct ks_design design = make_design(KS_DESIGN_lhs, N, 1, seed);
        ks_design_uniforms(&design, 1, &u);
        ks_design_uniforms(&design, 11, &v);
        alone[(int)(N * v)]++;
        pairs[(int)(N * u) * N + (int)(N * v)]++;
        inside[(int)(N * fmod(N * v, 1))]++;
    }
    assert_uniform(N, alone);
    assert_uniform(N, inside);
    int n_allowed = 0;
    for (int a = 0; a < N; a++)
        for (int b = 0; b < N; b++)
            if (a / 2 != b / 2) allowed[n_allowed++] = pairs[a * N + b];
    assert_uniform(n_allowed, allowed);
}

static void lhs_dimensions_are_paired_at_random(void **state) {
    (void)state;
    struct ks_design design = make_design(KS_DESIGN_lhs, 4096, 10, 2);
    double products[10][10] = {{0}}, u[10];
    for (uint64_t i = 0; i < design.n_points; i++) {
        ks_design_uniforms(&design, i, u);
        for (int a = 0; a < 10; a++)
            for (int b = 0; b < a; b++) products[a][b] += 12 * (u[a] - 0.5) * (u[b] - 0.5);
    }
    for (int a = 0; a < 10; a++)
        for (int b = 0; b < a; b++) assert_true(fabs(products[a][b] / 4096) < 4.5 / sqrt(4096));
}

static void permutations_are_inverted(void **state) {
    (void)state;
    for (uint64_t count = 1; count <= 300; count++) {
        bool is_taken[300] = {false};
        for (uint64_t i = 0; i < count; i++) {
            uint64_t image = ks_permutation_apply(5, count, i);
            assert_true(image < count && !is_taken[image]);
            is_taken[image] = true;
            assert_true(ks_permutation_invert(5, count, image) == i);
        }
    }
    for (uint64_t i = 0; i < 1000; i++) {
        uint64_t count = ((uint64_t)1 << 50) + 1;
        assert_true(ks_permutation_invert(i, count, ks_permutation_apply(i, count, i * i)) == i * i);
    }
}

/* The images of two elements over keys, at sizes below and above the one from which the network is used. */
static void permutations_are_even(void **state) {
    (void)state;
    static const uint64_t counts[] = {2, 3, 4, 5, 8, 13, 32, 33, 40};
    for (size_t k = 0; k < sizeof counts / sizeof *counts; k++) {
        uint64_t n = counts[k];
        double cells[40 * 40] = {0}, pairs[40 * 39];
        for (uint64_t key = 0; key < 300000; key++) {
            uint64_t mixed = ks_design_mix(1, key);
            cells[ks_permutation_apply(mixed, n, 0) * n + ks_permutation_apply(mixed, n, n - 1)]++;
        }
        int n_pairs = 0;
        for (uint64_t cell = 0; cell < n * n; cell++)
            if (cell / n != cell % n) pairs[n_pairs++] = cells[cell];
        assert_uniform(n_pairs, pairs);
    }
}

/* ---- grid, file, points -------------------------------------------------------------------------------- */

static void grid_runs_its_last_parameter_fastest(void **state) {
    (void)state;
    double doses[] = {0.1, 0.5}, routes[] = {0}, counts[] = {1, 6, 12};
    struct ks_variable variables[] = {{.n_levels = 2, .levels = doses},
                                      {.n_levels = 1, .levels = routes},
                                      {.n_levels = 3, .levels = counts}};
    assert_true(ks_design_grid_points(3, variables) == 6);
    struct ks_design design = make_design(KS_DESIGN_grid, 6, 3, 0);
    design.variables = variables;
    for (uint64_t i = 0; i < 6; i++) {
        double values[3];
        ks_design_point(&design, i, values);
        assert_true(values[0] == doses[i / 3] && values[1] == 0 && values[2] == counts[i % 3]);
    }
}

static void grid_too_large_to_count_has_no_points(void **state) {
    (void)state;
    struct ks_variable variables[3] = {
        {.n_levels = 1 << 21}, {.n_levels = 1 << 21}, {.n_levels = (1 << 21) - 1}};
    assert_true(ks_design_grid_points(3, variables) == ((uint64_t)1 << 63) - ((uint64_t)1 << 42));
    variables[2].n_levels = 1 << 21;
    assert_true(ks_design_grid_points(3, variables) == 0);
    assert_true(ks_design_grid_points(0, NULL) == 1);
}

static void file_gives_its_rows(void **state) {
    (void)state;
    double rows[] = {1, 2, 3, 4, 5, 6}, values[2];
    struct ks_design design = make_design(KS_DESIGN_file, 3, 2, 0);
    design.rows = rows;
    ks_design_point(&design, 2, values);
    assert_true(values[0] == 5 && values[1] == 6);
}

static void points_are_quantiles_of_the_numbers(void **state) {
    (void)state;
    struct ks_variable variables[2] = {
        {.distribution =
             {.kind = KS_DISTRIBUTION_uniform, .a = 2, .b = 5, .low = -INFINITY, .high = INFINITY}},
        {.distribution = {.kind = KS_DISTRIBUTION_normal, .a = 1, .b = 3, .low = 0, .high = INFINITY}}};
    for (int k = 0; k < N_SAMPLED; k++) {
        struct ks_design design = make_design(sampled[k], 100, 2, 6);
        design.variables = variables;
        for (uint64_t i = 0; i < 100; i++) {
            double u[2], values[2];
            ks_design_uniforms(&design, i, u);
            ks_design_point(&design, i, values);
            assert_true(fabs(values[0] - (2 + 3 * u[0])) < 1e-14);
            assert_true(values[1] == ks_distribution_quantile(&variables[1].distribution, u[1]));
        }
    }
}

static void a_design_without_variables_repeats_one_point(void **state) {
    (void)state;
    for (int kind = 0; kind < KS_N_DESIGNS; kind++) {
        struct ks_design design = make_design((enum ks_design_kind)kind, 10, 0, 1);
        double untouched = 17;
        ks_design_point(&design, 9, &untouched);
        assert_true(untouched == 17);
    }
}

static void a_released_design_owns_nothing(void **state) {
    (void)state;
    struct ks_design design = make_design(KS_DESIGN_grid, 1, 1, 1);
    design.variables = ks_memory_allocate(1, sizeof *design.variables);
    design.variables[0].levels = ks_memory_allocate(1, sizeof(double));
    design.variables[0].distribution.values = ks_memory_allocate(1, sizeof(double));
    design.variables[0].distribution.probabilities = ks_memory_allocate(1, sizeof(double));
    design.correlation_factor = ks_memory_allocate(1, sizeof(double));
    design.rows = ks_memory_allocate(1, sizeof(double));
    ks_design_release(&design);
    struct ks_design zero = {0};
    assert_memory_equal(&design, &zero, sizeof zero);
    ks_design_release(&design);
}

/* ---- correlation --------------------------------------------------------------------------------------- */

static void factor_times_itself_is_the_matrix(void **state) {
    (void)state;
    double matrix[] = {1, 0.5, -0.3, 0.5, 1, 0.2, -0.3, 0.2, 1}, factor[9];
    memcpy(factor, matrix, sizeof factor);
    assert_true(ks_design_factorise(3, factor));
    assert_true(factor[1] == 0 && factor[2] == 0 && factor[5] == 0);
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++) {
            double product = 0;
            for (int k = 0; k < 3; k++) product += factor[3 * i + k] * factor[3 * j + k];
            assert_true(fabs(product - matrix[3 * i + j]) < 1e-15);
        }
    }
}

static void impossible_correlations_are_refused(void **state) {
    (void)state;
    double contradictory[] = {1, 0.9, -0.9, 0.9, 1, 0.9, -0.9, 0.9, 1};
    double singular[] = {1, 1, 1, 1};
    double too_large[] = {1, 1.5, 1.5, 1};
    double no_number[] = {1, NAN, NAN, 1};
    assert_false(ks_design_factorise(3, contradictory));
    assert_false(ks_design_factorise(2, singular));
    assert_false(ks_design_factorise(2, too_large));
    assert_false(ks_design_factorise(2, no_number));
}

/* Variables 0 and 2 are correlated; 1 stands between them and must not notice. */
static void copula_correlates_the_normal_scores(void **state) {
    (void)state;
    const double rho = -0.6;
    double factor[] = {1, 0, rho, 0, 1, 0, rho, 0, 1};
    assert_true(ks_design_factorise(3, factor));
    struct ks_variable variables[3];
    for (int k = 0; k < 3; k++)
        variables[k] = (struct ks_variable){
            .distribution = {.kind = KS_DISTRIBUTION_normal, .b = 1, .low = -INFINITY, .high = INFINITY}};
    struct ks_design design = make_design(KS_DESIGN_sobol, 16384, 3, 1), free_design = design;
    design.variables = free_design.variables = variables;
    design.correlation_factor = factor;
    double sums[3] = {0}, products[3][3] = {{0}};
    for (uint64_t i = 0; i < design.n_points; i++) {
        double z[3], independent[3];
        ks_design_point(&design, i, z);
        ks_design_point(&free_design, i, independent);
        assert_memory_equal(z, independent, 2 * sizeof *z);
        for (int a = 0; a < 3; a++) {
            sums[a] += z[a] / 16384;
            for (int b = 0; b < 3; b++) products[a][b] += z[a] * z[b] / 16384;
        }
    }
    double expected[3][3] = {{1, 0, rho}, {0, 1, 0}, {rho, 0, 1}};
    for (int a = 0; a < 3; a++) {
        assert_true(fabs(sums[a]) < 1e-3);
        for (int b = 0; b < 3; b++) assert_true(fabs(products[a][b] - expected[a][b]) < 2e-3);
    }
}

static void copula_stays_inside_the_open_interval(void **state) {
    (void)state;
    double factor[] = {1, 0, 0.8, 0.6};
    double high[] = {1 - 0x1p-53, 1 - 0x1p-53}, low[] = {0x1p-53, 0x1p-53};
    ks_copula_join_uniforms(2, factor, high);
    ks_copula_join_uniforms(2, factor, low);
    assert_true(high[1] < 1 && low[1] > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_inside_the_open_interval),
        cmocka_unit_test(a_point_depends_on_seed_and_number_alone),
        cmocka_unit_test(seeds_and_dimensions_give_other_numbers),
        cmocka_unit_test(a_point_is_uniform_over_seeds),
        cmocka_unit_test(random_is_the_random_stream),
        cmocka_unit_test(sobol_digits_are_the_published_ones),
        cmocka_unit_test(sobol_points_of_a_power_of_two_share_no_stratum),
        cmocka_unit_test(sobol_scrambled_is_still_a_net),
        cmocka_unit_test(sobol_scrambling_is_nested),
        cmocka_unit_test(sobol_low_digits_are_random),
        cmocka_unit_test(sobol_integrates_at_owens_rate),
        cmocka_unit_test(lhs_is_latin),
        cmocka_unit_test(lhs_doubled_keeps_its_rows_and_all_its_strata),
        cmocka_unit_test(lhs_keeps_off_the_borders_of_strata),
        cmocka_unit_test(lhs_reaches_2_to_the_40_points),
        cmocka_unit_test(lhs_strata_are_drawn_evenly),
        cmocka_unit_test(lhs_dimensions_are_paired_at_random),
        cmocka_unit_test(permutations_are_inverted),
        cmocka_unit_test(permutations_are_even),
        cmocka_unit_test(grid_runs_its_last_parameter_fastest),
        cmocka_unit_test(grid_too_large_to_count_has_no_points),
        cmocka_unit_test(file_gives_its_rows),
        cmocka_unit_test(points_are_quantiles_of_the_numbers),
        cmocka_unit_test(a_design_without_variables_repeats_one_point),
        cmocka_unit_test(a_released_design_owns_nothing),
        cmocka_unit_test(factor_times_itself_is_the_matrix),
        cmocka_unit_test(impossible_correlations_are_refused),
        cmocka_unit_test(copula_correlates_the_normal_scores),
        cmocka_unit_test(copula_stays_inside_the_open_interval),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
