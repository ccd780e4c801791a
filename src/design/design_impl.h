/* What the files of this folder share: the generators of single dimensions, the copula, and two light keyed
 * tools, a mixer and a permutation. Dimensions count from 0. */
#ifndef KS_DESIGN_DESIGN_IMPL_H
#define KS_DESIGN_DESIGN_IMPL_H

#include "design/design.h"

/* Output number `counter` of SplitMix64 (Steele, Lea and Flood 2014, doi:10.1145/2660193.2660195) begun at
 * `key`: 64 random bits at a fraction of the cost of Threefry, which makes the keys. */
static inline uint64_t ks_design_mix(uint64_t key, uint64_t counter) {
    uint64_t bits = key + counter * 0x9e3779b97f4a7c15u;
    bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9u;
    bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebu;
    return bits ^ (bits >> 31);
}

/* The image of i < count under the random permutation of 0..count - 1 that belongs to `key`; its inverse. */
uint64_t ks_permutation_apply(uint64_t key, uint64_t count, uint64_t i);
uint64_t ks_permutation_invert(uint64_t key, uint64_t count, uint64_t image);

/* Point i of the unscrambled Sobol' sequence, its first binary digit on top. */
uint64_t ks_sobol_digits(int dimension, uint64_t i);

/* One coordinate of point i under one of many independent scrambles. */
double ks_sobol_uniform(uint64_t seed, uint64_t scramble, uint64_t i, int dimension);

/* Point i of a design in n_variables dimensions, u [n_variables]. */
void ks_sobol_fill_uniforms(uint64_t seed, uint64_t i, int n_variables, double *u);
void ks_lhs_fill_uniforms(uint64_t seed, uint64_t n_points, uint64_t i, int n_variables, double *u);

/* Point i of a design, u [design->n_variables]. */
void ks_saltelli_fill_uniforms(const struct ks_design *design, uint64_t i, double *u);
void ks_morris_fill_uniforms(const struct ks_design *design, uint64_t i, double *u);
void ks_fast_fill_uniforms(const struct ks_design *design, uint64_t i, double *u);
void ks_fast_fill_permuted(const struct ks_design *design, uint64_t i, double *u);

/* The levels of point i of a grid, values [design->n_variables]. */
void ks_grid_fill_values(const struct ks_design *design, uint64_t i, double *values);

/* Joins independent u [n] by the Gaussian copula with the lower Cholesky factor [n][n]. */
void ks_copula_join_uniforms(int n, const double *factor, double *u);

/* The shares of the beta distribution on [0, 1] below and above x in (0, 1), shapes in (0, 1e5]. The smaller has a
 * relative error of 2e-13. */
void ks_beta_shares(double alpha, double beta, double x, double *below, double *above);

/* Its quantile function, to that error of the smaller share and the rounding of the value. */
double ks_beta_quantile(double alpha, double beta, double u);

#endif
