/* One-at-a-time designs for elementary effects.
 *
 * Trajectories (Morris 1991, doi:10.1080/00401706.1991.10484804): each parameter has L levels, in the middles of L equal
 * parts of (0, 1), which any distribution can take; a trajectory starts at random levels and moves each parameter once, in
 * random order, by L / 2 levels, to the only side where there is room.
 *
 * Radial (Campolongo, Saltelli and Cariboni 2011, doi:10.1016/j.cpc.2010.12.039): row 0 is a point of a scrambled Sobol'
 * sequence, row i moves parameter i alone, to its value in a second point or by a given step, which makes
 * differences that stand for derivatives. Scrambles as in saltelli.c. */
#include "base/random.h"
#include "design/design_impl.h"

static void fill_trajectory(const struct ks_design *design, uint64_t trajectory, uint64_t row, double *u) {
    int p = design->n_variables, n_levels = design->n_path_levels;
    uint64_t order = ks_random_bits(design->seed, KS_STREAM_morris, trajectory, (uint64_t)1 << 32);
    for (int k = 0; k < p; k++) {
        double start = ks_random_uniform(design->seed, KS_STREAM_morris, trajectory, (uint64_t)k);
        int level = (int)(start * n_levels), half = n_levels / 2;
        bool has_moved = ks_permutation_apply(order, (uint64_t)p, (uint64_t)k) < row;
        if (has_moved) level += level < half ? half : -half;
        u[k] = (level + 0.5) / n_levels;
    }
}

static void fill_radial(const struct ks_design *design, uint64_t base, uint64_t row, double *u) {
    int p = design->n_variables;
    uint64_t scramble = base % KS_DESIGN_SCRAMBLES, point = base / KS_DESIGN_SCRAMBLES;
    for (int k = 0; k < p; k++) {
        bool has_moved = row == (uint64_t)k + 1;
        bool is_second = has_moved && !(design->step > 0);
        u[k] = ks_sobol_uniform(design->seed, scramble, point, 2 * k + is_second);
        if (has_moved && design->step > 0) u[k] += u[k] < 0.5 ? design->step : -design->step;
    }
}

void ks_morris_fill_uniforms(const struct ks_design *design, uint64_t i, double *u) {
    uint64_t n_rows = (uint64_t)design->n_variables + 1;
    (design->is_radial ? fill_radial : fill_trajectory)(design, i / n_rows, i % n_rows, u);
}
