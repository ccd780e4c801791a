/* Candidates: uniform numbers by counter, joined by the copula, turned into values trait by trait, so that a trait can
 * depend on the covariates before it; then the effects of covariates, in their order. */
#include "design/population.h"

#include "base/elementary.h"
#include "design/design_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static size_t row_of(const struct ks_population *p, uint64_t i, int table) {
    const struct ks_bootstrap *t = &p->tables[table];
    if (p->is_list) return (size_t)(i % t->n_rows);
    double u = ks_random_uniform(p->seed, p->stream, i, ((uint64_t)1 << 32) + (uint64_t)table);
    size_t row = (size_t)(u * (double)t->n_rows);
    return row < t->n_rows ? row : t->n_rows - 1;
}

static bool applies(const struct ks_branch *branch, const double *values) {
    return branch->where < 0 || (values[branch->where] != 0) != branch->is_without;
}

static double draw_trait(const struct ks_population *p, uint64_t i, const struct ks_trait *trait, double u,
                         const double *values) {
    for (int k = 0; k < trait->n_branches; k++) {
        const struct ks_branch *branch = &trait->branches[k];
        if (!applies(branch, values)) continue;
        if (branch->table < 0) return ks_distribution_quantile(&branch->distribution, u);
        const struct ks_bootstrap *t = &p->tables[branch->table];
        return t->cells[row_of(p, i, branch->table) * t->n_columns + branch->column];
    }
    return trait->base;
}

static double factor_of(const struct ks_effect *effect, double value) {
    if (effect->n_values == 0) {
        if (effect->exponent == 0) return 1;
        double ratio = value / effect->reference;
        double power = ks_elementary_power(ratio, fabs(effect->exponent), 1);
        return effect->exponent > 0 ? power : 1 / power;
    }
    for (int k = 0; k < effect->n_values; k++)
        if (effect->values[k] == value) return effect->factors[k];
    return NAN;
}

void ks_population_draw(const struct ks_population *p, uint64_t i, double *values) {
    KS_ASSERT(i < p->n_candidates);
    for (int k = 0; k < p->n_traits; k++) values[k] = ks_random_uniform(p->seed, p->stream, i, (uint64_t)k);
    if (p->correlation_factor != NULL) ks_copula_join_uniforms(p->n_traits, p->correlation_factor, values);
    for (int k = 0; k < p->n_traits; k++) values[k] = draw_trait(p, i, &p->traits[k], values[k], values);
    for (int e = 0; e < p->n_effects; e++)
        values[p->effects[e].target] *= factor_of(&p->effects[e], values[p->effects[e].covariate]);
}

int ks_population_find(const struct ks_population *p, const char *name) {
    for (int k = 0; k < p->n_traits; k++)
        if (strcmp(p->traits[k].name, name) == 0) return k;
    return -1;
}

static void release_trait(struct ks_trait *trait) {
    for (int k = 0; k < trait->n_branches; k++) {
        free(trait->branches[k].distribution.values);
        free(trait->branches[k].distribution.probabilities);
    }
    free(trait->branches);
    free(trait->name);
    free(trait->unit);
    free(trait->description);
}

void ks_population_release(struct ks_population *p) {
    for (int k = 0; k < p->n_traits; k++) release_trait(&p->traits[k]);
    for (int e = 0; e < p->n_effects; e++) {
        free(p->effects[e].values);
        free(p->effects[e].factors);
    }
    for (int t = 0; t < p->n_tables; t++) free(p->tables[t].cells);
    free(p->traits);
    free(p->correlation_factor);
    free(p->effects);
    free(p->tables);
    *p = (struct ks_population){0};
}
