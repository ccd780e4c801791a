/* Derivative-based global sensitivity measures (Sobol' and Kucherenko 2009, doi:10.1016/j.matcom.2009.01.023): SALib's
 * dgsm, from radial designs of small steps.
 *
 *   nu_i = E (dy / dx_i)^2     in squared units of output per parameter
 *   ST_i <= C_i nu_i / V       the bound, with the Poincare constant C_i of the parameter's distribution
 *
 * C = (high - low)^2 / pi^2 for a uniform distribution (SALib's "dgsm") and for any other with a concave logarithm of its
 * density on an interval (Payne and Weinberger 1960, doi:10.1007/BF00252910), sd^2 for a normal one, truncated or not
 * (Roustant, Barthe and Iooss 2017, doi:10.1214/17-EJS1310); the smaller where both hold. Where the parameter varies on a
 * logarithmic or logit scale, the bound's derivative and constant are those of that scale. A distribution
 * without such a constant (a beta with a shape below 1) has no bound, a parameter of whole numbers no derivative. */
#include "analysis/analysis_impl.h"

#include "base/elementary.h"

#include <math.h>

enum { N_STEPS, SQUARES, SCALED_SQUARES, N_PER_PARAMETER };
enum { N_OUTPUTS, SUM, SUM_OF_SQUARES, N_COMMON }; /* of base points, for the output's variance */
static const double MOST_STEP = 0.05, PI_SQUARED = 9.869604401089358;

static int count_terms(const struct ks_design *design) {
    return N_COMMON + N_PER_PARAMETER * design->n_variables;
}

static int count_term(const struct ks_design *design, int parameter) {
    (void)design;
    return N_COMMON + N_PER_PARAMETER * parameter + N_STEPS;
}

/* ---- scales -------------------------------------------------------------------------------------------- */

/* The value on the scale on which its distribution is uniform, normal or the like. */
static double to_scale(enum ks_distribution_kind kind, double x) {
    if (kind == KS_DISTRIBUTION_loguniform || kind == KS_DISTRIBUTION_lognormal) return ks_elementary_log(x);
    if (kind == KS_DISTRIBUTION_logitnormal) return ks_elementary_log(x) - ks_elementary_log1p(-x);
    return x;
}

static double smaller(double a, double b) {
    return b < a ? b : a;
}

/* The Poincare constant on that scale; NaN where none is known. */
static double poincare_constant(const struct ks_distribution *d) {
    double low = -INFINITY, high = INFINITY, sd = INFINITY;
    switch (d->kind) {
    case KS_DISTRIBUTION_uniform:
    case KS_DISTRIBUTION_loguniform:
        low = d->a;
        high = d->b;
        break;
    case KS_DISTRIBUTION_triangular:
        low = d->a;
        high = d->c;
        break;
    case KS_DISTRIBUTION_normal:
    case KS_DISTRIBUTION_lognormal:
    case KS_DISTRIBUTION_logitnormal:
        sd = d->b;
        break;
    case KS_DISTRIBUTION_beta:
        if (d->a < 1 || d->b < 1) return NAN;
        break;
    default:
        return NAN;
    }
    if (d->low > low) low = d->low;
    if (d->high < high) high = d->high;
    double range = to_scale(d->kind, high) - to_scale(d->kind, low);
    return smaller(sd * sd, range >= 0 ? range * range / PI_SQUARED : INFINITY);
}

/* ---- terms --------------------------------------------------------------------------------------------- */

static void add_terms(const struct ks_base_row *base, const double *y, double *terms) {
    int p = base->n_parameters;
    if (!isfinite(y[0])) return;
    terms[N_OUTPUTS] = 1;
    terms[SUM] = y[0];
    terms[SUM_OF_SQUARES] = y[0] * y[0];
    double *own = terms + N_COMMON;
    for (int i = 0; i < p; i++, own += N_PER_PARAMETER) {
        const struct ks_distribution *distribution = &base->design->variables[i].distribution;
        double from = base->x[i], to = base->x[(i + 1) * p + i];
        double slope = (y[i + 1] - y[0]) / (to - from);
        if (!isfinite(slope) || distribution->is_integer || distribution->kind == KS_DISTRIBUTION_discrete)
            continue;
        double scaled =
            (y[i + 1] - y[0]) / (to_scale(distribution->kind, to) - to_scale(distribution->kind, from));
        own[N_STEPS] = 1;
        own[SQUARES] = slope * slope;
        own[SCALED_SQUARES] = scaled * scaled;
    }
}

static void estimate(const struct ks_design *design, const double *sums, double *values, double *variance) {
    int p = design->n_variables;
    double mean = sums[SUM] / sums[N_OUTPUTS];
    const double *own = sums + N_COMMON;
    double *bound = values, *nu = values + p;
    *variance = sums[SUM_OF_SQUARES] / sums[N_OUTPUTS] - mean * mean;
    for (int i = 0; i < p; i++, own += N_PER_PARAMETER) {
        double constant = poincare_constant(&design->variables[i].distribution);
        nu[i] = own[SQUARES] / own[N_STEPS];
        bound[i] = constant * own[SCALED_SQUARES] / own[N_STEPS] / *variance;
    }
}

static const char *find_fault(const struct ks_design *design) {
    if (!design->is_radial || !(design->step > 0 && design->step <= MOST_STEP))
        return "dgsm takes differences for derivatives and needs a design { kind = \"morris\"; scheme = "
               "\"radial\"; step = 0.001; } "
               "whose step is 0.05 at most";
    return NULL;
}

static const struct ks_index indices[] = {
    {"bound", KS_OF_PARAMETER, KS_SHARE,
     "upper bound of the total-order index, by the mean squared derivative"},
    {"nu", KS_OF_PARAMETER, KS_PLAIN, "mean squared derivative of the output by the parameter"},
};

static const struct ks_structured_method structured = {.needs_inputs = true,
                                                       .count_terms = count_terms,
                                                       .add_terms = add_terms,
                                                       .estimate = estimate,
                                                       .count_term = count_term};
const struct ks_method ks_method_dgsm = {.structured = &structured,
                                         .n_indices = sizeof indices / sizeof *indices,
                                         .indices = indices,
                                         .fault = find_fault};
