/* SIMD lanes of compile-time width: arithmetic on KS_LANES patients at once, written once for every width.
 *
 * A file named *_lanes.c is compiled once per width with -DKS_LANES=n; its exported functions are named through
 * KS_LANED. No operation here looks across lanes, and each rounds as IEEE 754 prescribes, so that a lane's bits do
 * not depend on the width. */
#ifndef KS_BASE_LANES_H
#define KS_BASE_LANES_H

#include <stdint.h>
#include <string.h>

#ifndef KS_LANES
#define KS_LANES 1
#endif

/* A mask has all bits of a lane set, or none. */
#if KS_LANES == 1
typedef double ks_lane;
typedef uint64_t ks_lane_bits;
typedef int64_t ks_lane_mask;
#define KS_LANE_TRUTH(condition) (-(ks_lane_mask)(condition))
#else
typedef double ks_lane __attribute__((vector_size(8 * KS_LANES), may_alias));
typedef uint64_t ks_lane_bits __attribute__((vector_size(8 * KS_LANES), may_alias));
typedef int64_t ks_lane_mask __attribute__((vector_size(8 * KS_LANES), may_alias));
#define KS_LANE_TRUTH(condition) ((ks_lane_mask)(condition)) /* a comparison of vectors is a mask */
#endif

#define KS_LANED_NAME(name, lanes)   name##_w##lanes
#define KS_LANED_EXPAND(name, lanes) KS_LANED_NAME(name, lanes)
#define KS_LANED(name)               KS_LANED_EXPAND(name, KS_LANES)

/* Vectors never cross a call that is not inlined: their calling convention depends on the instruction set. */
#define KS_LANE_INLINE static inline __attribute__((always_inline, unused))

/* The same number in every lane. */
KS_LANE_INLINE ks_lane ks_lane_all(double x) {
    return x + (ks_lane){0};
}

/* a where the mask is set, else b. */
KS_LANE_INLINE ks_lane ks_lane_select(ks_lane_mask mask, ks_lane a, ks_lane b) {
    ks_lane_mask bits_a, bits_b;
    memcpy(&bits_a, &a, sizeof a);
    memcpy(&bits_b, &b, sizeof b);
    bits_b = (bits_a & mask) | (bits_b & ~mask);
    memcpy(&b, &bits_b, sizeof b);
    return b;
}

KS_LANE_INLINE ks_lane ks_lane_abs(ks_lane x) {
    ks_lane_bits bits;
    memcpy(&bits, &x, sizeof x);
    bits = bits & 0x7fffffffffffffffu;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* The larger of two, b where they are not ordered. */
KS_LANE_INLINE ks_lane ks_lane_max(ks_lane a, ks_lane b) {
    return ks_lane_select(KS_LANE_TRUTH(a > b), a, b);
}

/* The smaller of two, b where they are not ordered. */
KS_LANE_INLINE ks_lane ks_lane_min(ks_lane a, ks_lane b) {
    return ks_lane_select(KS_LANE_TRUTH(a < b), a, b);
}

/* Each lane moved into [low, high]; NaN stays. */
KS_LANE_INLINE ks_lane ks_lane_clamp(ks_lane x, double low, double high) {
    x = ks_lane_select(KS_LANE_TRUTH(x < low), ks_lane_all(low), x);
    return ks_lane_select(KS_LANE_TRUTH(x > high), ks_lane_all(high), x);
}

/* The compiler makes one instruction of it, given -fno-math-errno. */
KS_LANE_INLINE ks_lane ks_lane_sqrt(ks_lane x) {
    double element[KS_LANES];
    memcpy(element, &x, sizeof x);
    for (int i = 0; i < KS_LANES; i++) element[i] = __builtin_sqrt(element[i]);
    memcpy(&x, element, sizeof x);
    return x;
}

/* Four reciprocals for one division, which costs as much as ten multiplications. */
KS_LANE_INLINE void ks_lane_invert_4(ks_lane *a, ks_lane *b, ks_lane *c, ks_lane *d) {
    ks_lane ab = *a * *b, cd = *c * *d, per_all = 1.0 / (ab * cd), per_ab = per_all * cd,
            per_cd = per_all * ab;
    ks_lane per_a = per_ab * *b, per_c = per_cd * *d;
    *b = per_ab * *a;
    *d = per_cd * *c;
    *a = per_a;
    *c = per_c;
}

/* exp(x) for |x| <= 700, to 1 unit in the last place: x = n ln 2 + r with |r| <= ln 2 / 2, Taylor's series to r^13
 * (the next term is below 1e-17), scaled by 2^n. The caller keeps x in range. */
KS_LANE_INLINE ks_lane ks_lane_exp(ks_lane x) {
    const double shift = 0x1.8p52; /* adding it rounds to the nearest integer, left in the low bits */
    ks_lane shifted = x * 0x1.71547652b82fep0 + shift;
    ks_lane n = shifted - shift;
    ks_lane r = x - n * 0x1.62e42fefa3800p-1; /* ln 2 in two parts, the first with trailing zeros */
    r = r - n * 0x1.ef35793c76730p-45;
    ks_lane sum = r * (1.0 / 6227020800.0) + 1.0 / 479001600.0;
    sum = sum * r + 1.0 / 39916800.0;
    sum = sum * r + 1.0 / 3628800.0;
    sum = sum * r + 1.0 / 362880.0;
    sum = sum * r + 1.0 / 40320.0;
    sum = sum * r + 1.0 / 5040.0;
    sum = sum * r + 1.0 / 720.0;
    sum = sum * r + 1.0 / 120.0;
    sum = sum * r + 1.0 / 24.0;
    sum = sum * r + 1.0 / 6.0;
    sum = sum * r + 0.5;
    sum = sum * r + 1.0;
    sum = sum * r + 1.0;
    ks_lane_bits exponent;
    memcpy(&exponent, &shifted, sizeof exponent);
    exponent = (exponent + 1023) << 52;
    ks_lane scale;
    memcpy(&scale, &exponent, sizeof scale);
    return sum * scale;
}

/* The natural logarithm of a positive normal number, to 2e-16 + 2 units in the last place: x = 2^n m with m
 * in [sqrt(1/2), sqrt(2)], log m = 2 artanh s with s = (m - 1) / (m + 1) (the next term is below 1e-17). */
KS_LANE_INLINE ks_lane ks_lane_log(ks_lane x) {
    const ks_lane_bits root_half = (ks_lane_bits){0} + 0x3fe6a09e667f3bcdu;
    ks_lane_bits bits, n;
    memcpy(&bits, &x, sizeof x);
    n = (bits - root_half) >> 52;
    n = (n ^ 0x800) - 0x800; /* its sign is that of twelve bits */
    bits = bits - (n << 52);
    n = n + 0x4338000000000000u; /* the bits of n + 3 2^51 */
    ks_lane m, exponent;
    memcpy(&m, &bits, sizeof m);
    memcpy(&exponent, &n, sizeof exponent);
    exponent = exponent - 0x1.8p52;
    ks_lane s = (m - 1.0) / (m + 1.0), z = s * s;
    ks_lane sum = z * (1.0 / 21) + 1.0 / 19;
    sum = sum * z + 1.0 / 17;
    sum = sum * z + 1.0 / 15;
    sum = sum * z + 1.0 / 13;
    sum = sum * z + 1.0 / 11;
    sum = sum * z + 1.0 / 9;
    sum = sum * z + 1.0 / 7;
    sum = sum * z + 1.0 / 5;
    sum = sum * z + 1.0 / 3;
    return exponent * 0x1.62e42fefa39efp-1 + (2.0 * s + 2.0 * s * z * sum);
}

#endif
