/* The design of a campaign whose points were listed in a CSV file: afterwards they stand in its result alone. */
#include "analysis/analysis.h"
#include "base/memory.h"

#include <math.h>

static void fill_range(struct ks_design *design, int variable) {
    struct ks_distribution *range = &design->variables[variable].distribution;
    *range = (struct ks_distribution){.kind = KS_DISTRIBUTION_uniform, .a = INFINITY, .b = -INFINITY};
    range->low = -INFINITY;
    range->high = INFINITY;
    for (uint64_t i = 0; i < design->n_points; i++) {
        double value = design->rows[i * (uint64_t)design->n_variables + (uint64_t)variable];
        range->a = fmin(range->a, value);
        range->b = fmax(range->b, value);
    }
}

int ks_analysis_fill_design(struct ks_design *design, ks_row_reader *read, void *source, uint64_t n_points) {
    design->n_points = design->n_bases = n_points;
    KS_ALLOCATE(design->rows, n_points * (uint64_t)design->n_variables);
    struct ks_rows rows = {.inputs = design->rows};
    KS_TRY(read(source, 0, n_points, &rows));
    for (int k = 0; k < design->n_variables; k++) fill_range(design, k);
    return KS_OK;
}
