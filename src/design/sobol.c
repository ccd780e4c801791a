/* Sobol' sequence with the direction numbers of Joe and Kuo (2008, doi:10.1137/070709359), under Owen's
 * nested uniform scrambling (1995, doi:10.1007/978-1-4612-2552-2_19).
 *
 * Points come in plain binary order, not in Gray-code order; the first 2^k are the same set either way. Point
 * 0 is the origin before scrambling and as good as any other after it. All 2^64 indices are valid. Nothing is
 * kept between points: the direction numbers that the index needs follow from the recurrence each time. */
#include "base/random.h"
#include "design/design_impl.h"

enum { MAX_DEGREE = 13, N_DIGITS = 64 };

struct polynomial {
    uint16_t degree, coefficients; /* the inner coefficients as bits, the highest power on top */
    uint16_t m[MAX_DEGREE];
};

static const struct polynomial polynomials[KS_DESIGN_SOBOL_DIMENSIONS - 1] = {
#define X(dimension, degree, coefficients, ...) [dimension - 2] = {degree, coefficients, {__VA_ARGS__}},
#include "design/joe_kuo.def"
#undef X
};

/* v_j = a_1 v_(j-1) + ... + a_(s-1) v_(j-s+1) + v_(j-s) + v_(j-s) / 2^s, the sums being exclusive or (Joe and
 * Kuo 2008, as binary fractions); `oldest` points at v_(j-s). Bit n of the coefficients belongs to
 * v_(j-s+n+1). */
static uint64_t next_direction(const struct polynomial *p, const uint64_t *oldest) {
    uint64_t direction = *oldest ^ (*oldest >> p->degree);
    for (unsigned rest = p->coefficients; rest != 0; rest &= rest - 1)
        direction ^= oldest[__builtin_ctz(rest) + 1];
    return direction;
}

/* In the first dimension v_j = 2^-j, so that a point is its index mirrored. */
static uint64_t mirror_digits(uint64_t i) {
    uint64_t digits = 0;
    for (int j = 0; j < N_DIGITS; j++) digits |= (i >> j & 1) << (N_DIGITS - 1 - j);
    return digits;
}

uint64_t ks_sobol_digits(int dimension, uint64_t i) {
    KS_ASSERT(dimension < KS_DESIGN_SOBOL_DIMENSIONS);
    if (dimension == 0) return mirror_digits(i);
    const struct polynomial *p = &polynomials[dimension - 1];
    uint64_t v[N_DIGITS], digits = 0;
    for (int j = 0; j < N_DIGITS && i >> j != 0; j++) {
        if (j < p->degree)
            v[j] = (uint64_t)p->m[j] << (N_DIGITS - 1 - j);
        else
            v[j] = next_direction(p, &v[j - p->degree]);
        digits ^= -(i >> j & 1) & v[j];
    }
    return digits;
}

/* Flips each digit by a random bit that belongs to the digits before it, for as many digits as a double
 * holds. The bits are the nodes of a binary tree; one hash serves a subtree of six levels, whose 63 nodes are
 * numbered from 1 as in a heap. */
static uint64_t scramble_digits(uint64_t key, uint64_t digits) {
    enum { SUBTREE_LEVELS = 6, N_SUBTREES = 9 };
    uint64_t scrambled = 0;
    uint64_t prefix = 1; /* the digits so far below a leading 1, which marks how many they are */
    for (int subtree = 0; subtree < N_SUBTREES; subtree++) {
        uint64_t flips = ks_design_mix(key, prefix);
        uint64_t part = digits >> (N_DIGITS - SUBTREE_LEVELS);
        uint64_t flipped = part;
        for (int level = 0; level < SUBTREE_LEVELS; level++) {
            int n_below = SUBTREE_LEVELS - level; /* digits of the part that do not name the node */
            uint64_t node = ((uint64_t)1 << level) | part >> n_below;
            flipped ^= (flips >> node & 1) << (n_below - 1);
        }
        scrambled = scrambled << SUBTREE_LEVELS | flipped;
        prefix = prefix << SUBTREE_LEVELS | part;
        digits <<= SUBTREE_LEVELS;
    }
    return scrambled << (N_DIGITS - N_SUBTREES * SUBTREE_LEVELS);
}

double ks_sobol_uniform(uint64_t seed, uint64_t scramble, uint64_t i, int dimension) {
    uint64_t key = ks_random_bits(seed, KS_STREAM_sobol_scramble, scramble, (uint64_t)dimension);
    return ks_random_to_uniform(scramble_digits(key, ks_sobol_digits(dimension, i)));
}

void ks_sobol_fill_uniforms(uint64_t seed, uint64_t i, int n_variables, double *u) {
    for (int k = 0; k < n_variables; k++) u[k] = ks_sobol_uniform(seed, 0, i, k);
}
