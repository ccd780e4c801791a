/* Sobol' indices of one output while its campaign runs: the terms of sobol.c for whichever base rows are there, added up
 * for each scramble, from which the jackknife tells the interval. The sums add up over ranks; nobody stores what comes of
 * them, so that their order does not matter. */
#include "analysis/frame_impl.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct ks_structured_method *sobol(void) {
    return ks_method_sobol.structured;
}

int ks_live_create(struct ks_live *live, const struct ks_design *design) {
    *live = (struct ks_live){.n_rows = (int)ks_design_layout(design).n_rows};
    if (design->kind != KS_DESIGN_saltelli) return KS_OK;
    live->design = *design;
    live->design.has_second_order = false; /* total order is enough */
    size_t n_terms = (size_t)sobol()->count_terms(&live->design), p = (size_t)design->n_variables;
    live->n_sums = KS_DESIGN_SCRAMBLES * n_terms;
    KS_ALLOCATE(live->scratch, n_terms + p + 2);
    KS_ALLOCATE(live->values, 2 * p * (1 + KS_DESIGN_SCRAMBLES));
    return KS_OK;
}

void ks_live_release(struct ks_live *live) {
    free(live->scratch);
    free(live->values);
    *live = (struct ks_live){0};
}

void ks_live_add(struct ks_live *live, uint64_t base, const double *y, double *sums) {
    if (live->n_sums == 0) return;
    size_t n_terms = live->n_sums / KS_DESIGN_SCRAMBLES, p = (size_t)live->design.n_variables;
    double *terms = live->scratch, *values = live->scratch + n_terms;
    struct ks_base_row row = {.design = &live->design,
                              .number = base,
                              .n_parameters = live->design.n_variables,
                              .n_rows = live->design.n_variables + 2};
    memcpy(values, y, (p + 1) * sizeof *values); /* A, AB_1 .. AB_p */
    values[p + 1] = y[live->n_rows - 1];         /* B */
    memset(terms, 0, n_terms * sizeof *terms);
    sobol()->add_terms(&row, values, terms);
    sums += base % KS_DESIGN_SCRAMBLES * n_terms;
    for (size_t i = 0; i < n_terms; i++) sums[i] += terms[i];
}

/* Total orders of the whole, and without each scramble: [1 + KS_DESIGN_SCRAMBLES][n_values]. */
static void estimate(struct ks_live *live, const double *sums, size_t n_values) {
    size_t n_terms = live->n_sums / KS_DESIGN_SCRAMBLES;
    double *values = live->values, variance;
    for (size_t r = 0; r <= KS_DESIGN_SCRAMBLES; r++) {
        memset(live->scratch, 0, n_terms * sizeof *live->scratch);
        for (size_t g = 0; g < KS_DESIGN_SCRAMBLES; g++)
            for (size_t i = 0; g + 1 != r && i < n_terms; i++) live->scratch[i] += sums[g * n_terms + i];
        sobol()->estimate(&live->design, live->scratch, &values[r * n_values], &variance);
        for (size_t k = 0; k < n_values && !(variance > 0); k++) values[r * n_values + k] = NAN;
    }
}

struct ks_live_index ks_live_find_leader(struct ks_live *live, const double *sums) {
    const struct ks_replicates replicates = {.kind = KS_JACKKNIFE, .n = 1 + KS_DESIGN_SCRAMBLES};
    const double *values = live->values;
    size_t n_values = 2 * (size_t)live->design.n_variables;
    double bias;
    struct ks_live_index leader = {.parameter = -1};
    if (live->n_sums == 0) return leader;
    estimate(live, sums, n_values);
    for (int i = 0; i < live->design.n_variables; i++) {
        if (!isfinite(values[i]) || (leader.parameter >= 0 && values[i] <= leader.value)) continue;
        leader = (struct ks_live_index){i, values[i],
                                        ks_intervals_half_width(&replicates, &values[i], n_values, &bias)};
    }
    return leader;
}
