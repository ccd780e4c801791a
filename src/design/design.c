/* Points of every design: the numbers in (0, 1), the copula that joins them, the quantile functions that turn
 * them into values. A grid and a file give values directly. */
#include "design/design.h"

#include "base/random.h"
#include "design/design_impl.h"

#include <stdlib.h>

const struct ks_design_info ks_designs[KS_N_DESIGNS] = {
#define X(name, text, points, nesting, words) {text, points, nesting, words},
    KS_DESIGN_TABLE(X)
#undef X
};

bool ks_design_extends(enum ks_design_kind kind, uint64_t fewer, uint64_t points) {
    if (fewer == 0 || fewer >= points) return false;
    switch (ks_designs[kind].nesting) {
    case KS_NESTED_ALWAYS:
        return true;
    case KS_NESTED_BY_DOUBLING:
        return points % fewer == 0 && (points / fewer & (points / fewer - 1)) == 0;
    default:
        return false;
    }
}

void ks_design_uniforms(const struct ks_design *design, uint64_t i, double *u) {
    KS_ASSERT(i < design->n_points);
    if (design->n_variables == 0) return;
    switch (design->kind) {
    case KS_DESIGN_lhs:
        ks_lhs_fill_uniforms(design->seed, design->n_points, i, design->n_variables, u);
        return;
    case KS_DESIGN_random:
        for (int k = 0; k < design->n_variables; k++)
            u[k] = ks_random_uniform(design->seed, KS_STREAM_random, i, (uint64_t)k);
        return;
    case KS_DESIGN_sobol:
        ks_sobol_fill_uniforms(design->seed, i, design->n_variables, u);
        return;
    case KS_DESIGN_saltelli:
        ks_saltelli_fill_uniforms(design, i, u);
        return;
    case KS_DESIGN_morris:
        ks_morris_fill_uniforms(design, i, u);
        return;
    case KS_DESIGN_fast:
        ks_fast_fill_uniforms(design, i, u);
        return;
    case KS_DESIGN_rbd_fast:
        ks_fast_fill_permuted(design, i, u);
        return;
    default:
        KS_ASSERT(!"a design that is made of numbers in (0, 1)");
    }
}

void ks_design_point(const struct ks_design *design, uint64_t i, double *values) {
    KS_ASSERT(i < design->n_points);
    int n = design->n_variables;
    if (design->kind == KS_DESIGN_grid) {
        ks_grid_fill_values(design, i, values);
        return;
    }
    if (design->kind == KS_DESIGN_file) {
        for (int k = 0; k < n; k++) values[k] = design->rows[i * (uint64_t)n + (uint64_t)k];
        return;
    }
    ks_design_uniforms(design, i, values);
    if (design->correlation_factor != NULL) ks_copula_join_uniforms(n, design->correlation_factor, values);
    for (int k = 0; k < n; k++)
        values[k] = ks_distribution_quantile(&design->variables[k].distribution, values[k]);
}

/* ---- where a point lies in each distribution ------------------------------------------------------------------ */

/* Between the lowest and the highest of the values that the design takes. */
static double share_of_range(double low, double high, double value) {
    return high > low ? (value - low) / (high - low) : 0.5;
}

static double grid_share(const struct ks_variable *variable, double value) {
    double low = variable->levels[0], high = low;
    for (int i = 1; i < variable->n_levels; i++) {
        if (variable->levels[i] < low) low = variable->levels[i];
        if (variable->levels[i] > high) high = variable->levels[i];
    }
    return share_of_range(low, high, value);
}

void ks_design_shares(const struct ks_design *design, uint64_t i, double *shares) {
    int n = design->n_variables;
    if (design->kind != KS_DESIGN_grid && design->kind != KS_DESIGN_file) {
        ks_design_uniforms(design, i, shares);
        if (design->correlation_factor != NULL)
            ks_copula_join_uniforms(n, design->correlation_factor, shares);
        return;
    }
    ks_design_point(design, i, shares);
    for (int k = 0; k < n; k++) {
        const struct ks_variable *variable = &design->variables[k];
        const struct ks_distribution *distribution = &variable->distribution;
        shares[k] = design->kind == KS_DESIGN_grid
                        ? grid_share(variable, shares[k])
                        : share_of_range(distribution->a, distribution->b, shares[k]);
    }
}

/* ---- how rows belong together --------------------------------------------------------------------------------- */

struct ks_design_layout ks_design_layout(const struct ks_design *design) {
    uint64_t p = (uint64_t)design->n_variables, n = design->n_bases;
    switch (design->kind) {
    case KS_DESIGN_saltelli:
        return (struct ks_design_layout){n, design->has_second_order ? 2 * p + 2 : p + 2,
                                         KS_DESIGN_SCRAMBLES};
    case KS_DESIGN_morris:
        return (struct ks_design_layout){n, p + 1, design->is_radial ? KS_DESIGN_SCRAMBLES : 0};
    case KS_DESIGN_fast:
        return (struct ks_design_layout){KS_DESIGN_CURVES, n / KS_DESIGN_CURVES * p, KS_DESIGN_CURVES};
    default:
        return (struct ks_design_layout){design->n_points, 1, 0};
    }
}

uint64_t ks_design_count_points(const struct ks_design *design) {
    struct ks_design layout_of = *design;
    layout_of.n_points = design->n_bases;
    struct ks_design_layout layout = ks_design_layout(&layout_of);
    bool fits = layout.n_rows == 0 || layout.n_bases <= INT64_MAX / layout.n_rows;
    return fits ? layout.n_bases * layout.n_rows : 0;
}

const char *ks_design_points_fault(const struct ks_design *design) {
    uint64_t n = design->n_bases;
    switch (design->kind) {
    case KS_DESIGN_saltelli:
        return n >= 2 * KS_DESIGN_SCRAMBLES && (n & (n - 1)) == 0
                   ? NULL
                   : "a Saltelli design has a power of two of base rows, 32 at least";
    case KS_DESIGN_morris:
        if (design->is_radial)
            return n >= 2 * KS_DESIGN_SCRAMBLES && n % KS_DESIGN_SCRAMBLES == 0
                       ? NULL
                       : "radial trajectories come in multiples of 16, 32 at least";
        return n >= 2 ? NULL : "elementary effects need 2 trajectories at least";
    case KS_DESIGN_fast: {
        /* the parameter's own frequency and its harmonics, below half of the samples of a curve */
        uint64_t least = KS_DESIGN_CURVES * (4 * KS_DESIGN_HARMONICS * KS_DESIGN_HARMONICS + 1);
        return n >= least && n % KS_DESIGN_CURVES == 0
                   ? NULL
                   : "fast has 8 curves of 65 samples at least: a multiple of 8, 520 at least";
    }
    default:
        return NULL;
    }
}

void ks_design_release(struct ks_design *design) {
    for (int k = 0; design->variables != NULL && k < design->n_variables; k++) {
        struct ks_variable *variable = &design->variables[k];
        free(variable->distribution.values);
        free(variable->distribution.probabilities);
        free(variable->levels);
    }
    free(design->variables);
    free(design->correlation_factor);
    free(design->rows);
    *design = (struct ks_design){0};
}
