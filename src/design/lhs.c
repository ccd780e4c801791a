/* Nested Latin hypercube: in each dimension the n points occupy the n strata [s, s + 1) / n once each, and
 * the first half of a doubled design is the smaller design, bit for bit (nesting as in Qian 2009,
 * doi:10.1093/biomet/asp045).
 *
 * n = n_odd 2^k. Level 0 permutes n_odd strata. Level l doubles the design: the strata of level l - 1 are
 * halved, each holds one older point in one of its halves, and a new point goes into the other; a permutation
 * decides which new point meets which stratum. Inside the stratum of its own level a point's position is a
 * string of random bits fixed by its number, so that later levels never move it. Who lies in a stratum is
 * found by walking down the levels, in O(k) time and no memory. */
#include "base/random.h"
#include "design/design_impl.h"

/* One dimension. */
struct axis {
    uint64_t n_odd;
    int n_levels; /* halvings of the odd strata to the finest position: n_odd 2^n_levels in [2^50, 2^51) */
    uint64_t position_key, permutation_key;
};

static uint64_t strata(const struct axis *axis, int level) {
    return axis->n_odd << level;
}

static uint64_t level_key(const struct axis *axis, int level) {
    return ks_design_mix(axis->permutation_key, (uint64_t)level);
}

/* The halves that a point takes at levels 1..n_levels, the first on top; those up to its own level do not
 * count. */
static uint64_t chosen_halves(const struct axis *axis, uint64_t point) {
    return ks_design_mix(axis->position_key, point) >> (64 - axis->n_levels);
}

static uint64_t chosen_half(const struct axis *axis, uint64_t point, int level) {
    return chosen_halves(axis, point) >> (axis->n_levels - level) & 1;
}

/* The point that lies in a stratum of `level` among the points up to that level. */
static uint64_t find_occupant(const struct axis *axis, int level, uint64_t stratum) {
    uint64_t point = ks_permutation_invert(level_key(axis, 0), axis->n_odd, stratum >> level);
    for (int l = 1; l <= level; l++) {
        uint64_t finer = stratum >> (level - l);
        if (chosen_half(axis, point, l) == (finer & 1)) continue;
        uint64_t n_older = strata(axis, l - 1);
        point = n_older + ks_permutation_invert(level_key(axis, l), n_older, finer >> 1);
    }
    return point;
}

/* The stratum of a point at the level that introduces it. */
static uint64_t place_point(const struct axis *axis, int level, uint64_t point) {
    if (level == 0) return ks_permutation_apply(level_key(axis, 0), axis->n_odd, point);
    uint64_t n_older = strata(axis, level - 1);
    uint64_t coarse = ks_permutation_apply(level_key(axis, level), n_older, point - n_older);
    uint64_t older = find_occupant(axis, level - 1, coarse);
    return 2 * coarse + 1 - chosen_half(axis, older, level);
}

/* The middle of one of fewer than 2^51 finest strata: the numerator is exact, and the rounding of the
 * division and of a later u * n stays below the distance to the nearest border, so that floor(u * n) is exact
 * at every level. */
static double point_uniform(const struct axis *axis, uint64_t point) {
    int level = 0;
    while (point >= strata(axis, level)) level++;
    int n_free = axis->n_levels - level;
    uint64_t inside = chosen_halves(axis, point) & (((uint64_t)1 << n_free) - 1);
    uint64_t finest = place_point(axis, level, point) << n_free | inside;
    return ((double)finest + 0.5) / (double)strata(axis, axis->n_levels);
}

void ks_lhs_fill_uniforms(uint64_t seed, uint64_t n_points, uint64_t i, int n_variables, double *u) {
    KS_ASSERT(n_points > 0 && n_points <= (uint64_t)1 << KS_DESIGN_LHS_BITS);
    struct axis axis = {.n_odd = n_points};
    while (axis.n_odd % 2 == 0) axis.n_odd /= 2;
    while (strata(&axis, axis.n_levels) < (uint64_t)1 << KS_DESIGN_LHS_BITS) axis.n_levels++;
    for (int k = 0; k < n_variables; k++) {
        axis.position_key = ks_random_bits(seed, KS_STREAM_lhs_jitter, 0, (uint64_t)k);
        axis.permutation_key = ks_random_bits(seed, KS_STREAM_permutation, 0, (uint64_t)k);
        u[k] = point_uniform(&axis, i);
    }
}
