/* The full factorial: a point's number, written in the mixed radix of the parameters' level counts, is its
 * levels. The last parameter is the fastest digit. */
#include "design/design.h"
#include "design/design_impl.h"

uint64_t ks_design_grid_points(int n_variables, const struct ks_variable *variables) {
    uint64_t product = 1;
    for (int k = 0; k < n_variables; k++) {
        KS_ASSERT(variables[k].n_levels > 0);
        uint64_t n_levels = (uint64_t)variables[k].n_levels;
        if (product > (uint64_t)INT64_MAX / n_levels) return 0;
        product *= n_levels;
    }
    return product;
}

void ks_grid_fill_values(const struct ks_design *design, uint64_t i, double *values) {
    for (int k = design->n_variables - 1; k >= 0; k--) {
        const struct ks_variable *variable = &design->variables[k];
        uint64_t n_levels = (uint64_t)variable->n_levels;
        values[k] = variable->levels[i % n_levels];
        i /= n_levels;
    }
}
