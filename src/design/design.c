/* Points of every design: the numbers in (0, 1), the copula that joins them, the quantile functions that turn
 * them into values. A grid and a file give values directly. */
#include "design/design.h"

#include "base/random.h"
#include "design/design_impl.h"

#include <stdlib.h>

const struct ks_design_info ks_designs[KS_N_DESIGNS] = {
#define X(name, points, nesting, words) {#name, points, nesting, words},
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
