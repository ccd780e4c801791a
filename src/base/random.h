/* Counter-based random numbers (Salmon et al. 2011, doi:10.1145/2063384.2063405; Random123's Threefry4x64-20).
 *
 * There is no generator to carry along: a number is a function of (seed, stream, index, item) alone, so any rank can
 * draw any number of any point, in any order. Each use has a stream of its own, so that no two share numbers. */
#ifndef KS_BASE_RANDOM_H
#define KS_BASE_RANDOM_H

#include <stdint.h>

enum ks_stream {
    KS_STREAM_random = 1,     /* index = point, item = dimension */
    KS_STREAM_lhs_jitter,     /* keys: index = 0, item = dimension */
    KS_STREAM_permutation,    /* keys: index = 0, item = dimension */
    KS_STREAM_sobol_scramble, /* keys: index = scramble, item = dimension */
    KS_STREAM_test,           /* unit tests */
    KS_STREAM_verification,   /* index = point, item = 0; item = 1: the point that is always verified */
    KS_STREAM_morris, /* index = trajectory; item = dimension: its first level; item = 2^32: the order of steps */
    KS_STREAM_fast,        /* phases: index = curve, item = parameter whose curve it is * 2^20 + parameter */
    KS_STREAM_rbd_fast,    /* keys and phases: index = 0 and 1, item = dimension */
    KS_STREAM_bootstrap,   /* index = resample / 4, item = base row: four weights */
    KS_STREAM_analysis,    /* what methods draw */
    KS_STREAM_population,  /* index = candidate, item = trait; from 2^32 on: row of a bootstrapped file */
    KS_STREAM_uncertainty, /* index = draw, item = constant */
    KS_STREAM_selection,   /* index = candidate, item = 0; item 1 of index 0: start of systematic sampling */
    KS_STREAM_observation, /* index = candidate, item = the bits of the visit's time in h */
    KS_STREAM_dropout,     /* index = candidate, item = 0 */
    KS_STREAM_replicate,   /* index = draw, item = replicate x 2^32 + place x 2^16 + arm */
    KS_STREAM_report,      /* index = stratum of the rows that a report samples, item = 0 */
};

uint64_t ks_random_bits(uint64_t seed, enum ks_stream stream, uint64_t index, uint64_t item);

/* Uniform on the open interval (0, 1): an odd multiple of 2^-53. */
double ks_random_uniform(uint64_t seed, enum ks_stream stream, uint64_t index, uint64_t item);

/* The 52 high bits of `bits` as a number in the open interval (0, 1). */
double ks_random_to_uniform(uint64_t bits);

#endif
