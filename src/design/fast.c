/* Designs along search curves, on which parameter k is a triangle wave of its own frequency: the arc sine of a sine
 * (Saltelli, Tarantola and Chan 1999, doi:10.1080/00401706.1999.10485594), here without rounding errors of either.
 *
 * fast: for each parameter 8 curves, on which it has a high frequency and the others low ones, under random phases; curve after
 * curve, in each curve the rows of parameter after parameter.
 * rbd-fast (Tarantola, Gatelli and Mara 2006, doi:10.1016/j.ress.2005.06.003): one curve of frequency 1, whose points each
 * parameter takes in a random order of its own. */
#include "base/random.h"
#include "design/design_impl.h"

#include <math.h>

/* 1/2 + asin(sin(2 pi t)) / pi, within (0, 1). */
static double triangle(double t) {
    static const double least = 0x1p-53;
    t -= floor(t);
    double u = t < 0.25 ? 0.5 + 2 * t : t < 0.75 ? 1.5 - 2 * t : 2 * t - 1.5;
    return u < least ? least : u > 1 - least ? 1 - least : u;
}

/* The highest frequency is (n - 1) / (2 M) for n samples and M harmonics, made odd; those of the others go up to 1 / (4 M)
 * of it, evenly where there are enough, else in turn. The paper has 1 / (2 M) and any number: then the eighth harmonic of
 * another's even effect may be the parameter's own frequency, which gives Ishigami's third parameter 0.024 instead of 0. */
int ks_design_fast_frequency(const struct ks_design *design, int parameter, int other) {
    enum { M = KS_DESIGN_HARMONICS };
    int n = (int)(design->n_bases / KS_DESIGN_CURVES), n_others = design->n_variables - 1;
    int own = ((n - 1) / (2 * M) - 1) | 1, most = own / (4 * M);
    if (most < 1) most = 1;
    if (other == parameter) return own;
    int rank = other < parameter ? other : other - 1;
    if (most < n_others) return rank % most + 1;
    if (n_others == 1) return 1;
    return 1 + (most - 1) * rank / (n_others - 1);
}

void ks_fast_fill_uniforms(const struct ks_design *design, uint64_t i, double *u) {
    int p = design->n_variables;
    uint64_t n = design->n_bases / KS_DESIGN_CURVES, sample = i % n;
    uint64_t curve = i / n / (uint64_t)p;
    int parameter = (int)(i / n % (uint64_t)p);
    for (int k = 0; k < p; k++) {
        double phase =
            ks_random_uniform(design->seed, KS_STREAM_fast, curve, (uint64_t)parameter << 20 | (uint64_t)k);
        uint64_t turns = (uint64_t)ks_design_fast_frequency(design, parameter, k) * sample % n;
        u[k] = triangle((double)turns / (double)n + phase);
    }
}

void ks_fast_fill_permuted(const struct ks_design *design, uint64_t i, double *u) {
    double n = (double)design->n_points;
    for (int k = 0; k < design->n_variables; k++) {
        uint64_t key = ks_random_bits(design->seed, KS_STREAM_rbd_fast, 0, (uint64_t)k);
        double phase = ks_random_uniform(design->seed, KS_STREAM_rbd_fast, 1, (uint64_t)k);
        uint64_t place = ks_permutation_apply(key, design->n_points, i);
        u[k] = triangle(((double)place + phase) / n);
    }
}
