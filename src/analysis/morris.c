/* Elementary effects (Morris 1991, doi:10.1080/00401706.1991.10484804; mu* of Campolongo, Cariboni and Saltelli 2007,
 * doi:10.1016/j.envsoft.2006.10.004; radial steps of Campolongo, Saltelli and Cariboni 2011,
 * doi:10.1016/j.cpc.2010.12.039).
 *
 * An effect is the change of the output over the change of the number in (0, 1) behind the parameter, so that effects
 * of parameters with any range or distribution compare: the output's change over the whole range. Along a trajectory each row
 * takes a step from the row before it, in radial designs (and a Saltelli design's A and AB_i) from the first. */
#include "analysis/analysis_impl.h"

#include <math.h>

enum { N_EFFECTS, EFFECTS, SIZES, SQUARES, N_PER_PARAMETER };
enum { N_OUTPUTS, SUM, SUM_OF_SQUARES, N_COMMON }; /* of the first row, for the output's variance */

static int count_terms(const struct ks_design *design) {
    return N_COMMON + N_PER_PARAMETER * design->n_variables;
}

static int count_term(const struct ks_design *design, int parameter) {
    (void)design;
    return N_COMMON + N_PER_PARAMETER * parameter + N_EFFECTS;
}

static void add_effect(double dy, double du, double *own) {
    double effect = dy / du;
    if (!isfinite(effect)) return;
    own[N_EFFECTS] = 1;
    own[EFFECTS] = effect;
    own[SIZES] = fabs(effect);
    own[SQUARES] = effect * effect;
}

/* The parameter in which two rows differ. */
static int find_step(int p, const double *u, const double *v) {
    for (int i = 0; i < p; i++)
        if (u[i] != v[i]) return i;
    return -1;
}

static void add_terms(const struct ks_base_row *base, const double *y, double *terms) {
    int p = base->n_parameters;
    bool is_radial = base->design->kind == KS_DESIGN_saltelli || base->design->is_radial;
    if (isfinite(y[0])) {
        terms[N_OUTPUTS] = 1;
        terms[SUM] = y[0];
        terms[SUM_OF_SQUARES] = y[0] * y[0];
    }
    for (int row = 1; row <= p; row++) {
        int from = is_radial ? 0 : row - 1;
        const double *u = &base->u[row * p], *v = &base->u[from * p];
        int i = find_step(p, u, v);
        if (i >= 0) add_effect(y[row] - y[from], u[i] - v[i], terms + N_COMMON + N_PER_PARAMETER * i);
    }
}

static void estimate(const struct ks_design *design, const double *sums, double *values, double *variance) {
    int p = design->n_variables;
    double mean = sums[SUM] / sums[N_OUTPUTS];
    const double *own = sums + N_COMMON;
    double *mu_star = values, *mu = values + p, *sigma = values + 2 * p;
    *variance = sums[SUM_OF_SQUARES] / sums[N_OUTPUTS] - mean * mean;
    for (int i = 0; i < p; i++, own += N_PER_PARAMETER) {
        double n = own[N_EFFECTS];
        mu[i] = own[EFFECTS] / n;
        mu_star[i] = own[SIZES] / n;
        double spread = (own[SQUARES] - own[EFFECTS] * mu[i]) / (n - 1);
        sigma[i] = spread > 0 ? sqrt(spread) : n > 1 ? 0 : NAN;
    }
}

static const struct ks_index indices[] = {
    {"mu_star", KS_OF_PARAMETER, KS_PLAIN,
     "mean size of the elementary effects, per whole range of the parameter"},
    {"mu", KS_OF_PARAMETER, KS_PLAIN, "mean elementary effect"},
    {"sigma", KS_OF_PARAMETER, KS_PLAIN,
     "standard deviation of the elementary effects: interactions and curvature"},
};

static const struct ks_structured_method structured = {.needs_inputs = true,
                                                       .count_terms = count_terms,
                                                       .add_terms = add_terms,
                                                       .estimate = estimate,
                                                       .count_term = count_term};
const struct ks_method ks_method_morris = {
    .structured = &structured, .n_indices = sizeof indices / sizeof *indices, .indices = indices};
