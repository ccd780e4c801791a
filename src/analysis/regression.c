/* Linear indices: standardised regression coefficients of values (SRC) and of ranks (SRRC), and partial rank
 * correlations (PRCC), from any rows (Saltelli et al. 2008, Global sensitivity analysis: the primer, chapter 1; Marino et
 * al. 2008, doi:10.1016/j.jtbi.2008.04.011).
 *
 * From the correlation matrices R of the inputs and r with the output: b = R^-1 r are the standardised coefficients,
 * R^2 = b'r, and the partial correlation of input i is b_i / sqrt(b_i^2 + (1 - R^2) (R^-1)_ii). With few values or ties
 * ranks are their means. Inputs may be correlated; one that does not vary, or that follows from those before it, has
 * no index. R^2 says how much of the output these numbers speak of. */
#include "analysis/sample_impl.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

/* What all outputs share: inputs as standard scores, the factor of their correlation matrix. */
struct regression {
    double *scores;  /* [p][n] columns of length 1 and mean 0; 0 where an input does not vary */
    double *factor;  /* [p][p] */
    double *inverse; /* [p] the diagonal of the inverse; NaN for an input without an index */
    double *b, *r;   /* [p] space: coefficients, correlations */
    double *y;       /* [n] space */
    double *numbers; /* what holds the numbers */
};

static void release(void *shared) {
    struct regression *regression = shared;
    if (regression == NULL) return;
    free(regression->numbers);
    free(regression);
}

/* Scores of mean 0 and length 1; false, and zeros, where the values are all the same. */
static bool standardise(size_t n, const double *values, double *scores) {
    double mean, ss;
    ks_sample_moments(n, values, &mean, &ss);
    double scale = ss > 0 ? 1 / sqrt(ss) : 0;
    for (size_t row = 0; row < n; row++) scores[row] = (values[row] - mean) * scale;
    return ss > 0;
}

static void factorise(size_t p, size_t n, struct regression *regression) {
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j <= i; j++)
            regression->factor[i * p + j] =
                ks_sample_multiply(n, regression->scores + i * n, regression->scores + j * n);
    ks_sample_factorise((int)p, regression->factor);
    for (size_t i = 0; i < p; i++) {
        for (size_t j = 0; j < p; j++) regression->b[j] = i == j;
        ks_sample_solve((int)p, regression->factor, regression->b);
        regression->inverse[i] = regression->factor[i * p + i] > 0 ? regression->b[i] : NAN;
    }
}

static int prepare(const struct ks_given_data *data, const double *columns, void **shared) {
    size_t p = (size_t)data->n_parameters, n = data->n;
    struct regression *regression;
    KS_ALLOCATE(regression, 1);
    *shared = regression;
    KS_ALLOCATE(regression->numbers, (p + 1) * n + p * p + 3 * p);
    regression->scores = regression->numbers;
    regression->y = regression->scores + p * n;
    regression->factor = regression->y + n;
    regression->inverse = regression->factor + p * p;
    regression->b = regression->inverse + p;
    regression->r = regression->b + p;
    for (size_t i = 0; i < p; i++) standardise(n, columns + i * n, regression->scores + i * n);
    factorise(p, n, regression);
    return KS_OK;
}

static int prepare_values(const struct ks_given_data *data, void **shared) {
    return prepare(data, data->x, shared);
}

static int prepare_ranks(const struct ks_given_data *data, void **shared) {
    return prepare(data, data->ranks, shared);
}

/* The coefficients, and R^2 after them; columns of y as values or ranks. */
static void estimate_coefficients(const struct ks_given_data *data, const double *y,
                                  struct regression *regression, double *values) {
    int p = data->n_parameters;
    double *b = regression->b, *r = regression->r;
    for (int i = 0; i <= p; i++) values[i] = NAN;
    if (!standardise(data->n, y, regression->y)) return;
    for (int i = 0; i < p; i++)
        b[i] = r[i] = ks_sample_multiply(data->n, regression->scores + (size_t)i * data->n, regression->y);
    ks_sample_solve(p, regression->factor, b);
    values[p] = 0;
    for (int i = 0; i < p; i++) {
        values[p] += b[i] * r[i];
        if (!isnan(regression->inverse[i])) values[i] = b[i];
    }
}

static int estimate_src(const struct ks_given_data *data, void *shared, const double *y,
                        const size_t *y_order, double *values) {
    (void)y_order;
    estimate_coefficients(data, y, shared, values);
    return KS_OK;
}

static int estimate_srrc(const struct ks_given_data *data, void *shared, const double *y,
                         const size_t *y_order, double *values) {
    struct regression *regression = shared;
    ks_sample_rank(data->n, y, y_order, regression->y);
    estimate_coefficients(data, regression->y, regression, values);
    return KS_OK;
}

/* Of a fit without error, 1 - R^2 is rounding: 1e-14 keeps an input without effect at 0. */
static int estimate_prcc(const struct ks_given_data *data, void *shared, const double *y,
                         const size_t *y_order, double *values) {
    struct regression *regression = shared;
    KS_TRY(estimate_srrc(data, shared, y, y_order, values));
    double rest = 1 - values[data->n_parameters];
    if (rest < 1e-14) rest = 1e-14;
    for (int i = 0; i < data->n_parameters; i++)
        values[i] /= sqrt(values[i] * values[i] + rest * regression->inverse[i]);
    return KS_OK;
}

static const struct ks_index indices_src[] = {
    {"SRC", KS_OF_PARAMETER, KS_PLAIN, "standardised regression coefficient of values"},
    {"R2", KS_OF_OUTPUT, KS_SHARE, "share of the variance that the linear regression explains"},
};
static const struct ks_index indices_srrc[] = {
    {"SRRC", KS_OF_PARAMETER, KS_PLAIN, "standardised regression coefficient of ranks"},
    {"R2", KS_OF_OUTPUT, KS_SHARE, "share of the variance of the ranks that the regression explains"},
};
static const struct ks_index indices_prcc[] = {
    {"PRCC", KS_OF_PARAMETER, KS_PLAIN, "partial correlation of ranks"},
    {"R2", KS_OF_OUTPUT, KS_SHARE, "share of the variance of the ranks that the regression explains"},
};

static const struct ks_given_method src = {
    .prepare = prepare_values, .release = release, .estimate = estimate_src};
static const struct ks_given_method srrc = {.prepare = prepare_ranks,
                                            .release = release,
                                            .estimate = estimate_srrc,
                                            .needs_ranks = true,
                                            .needs_order = true};
static const struct ks_given_method prcc = {.prepare = prepare_ranks,
                                            .release = release,
                                            .estimate = estimate_prcc,
                                            .needs_ranks = true,
                                            .needs_order = true};
const struct ks_method ks_method_src = {.given = &src, .n_indices = 2, .indices = indices_src};
const struct ks_method ks_method_srrc = {.given = &srrc, .n_indices = 2, .indices = indices_srrc};
const struct ks_method ks_method_prcc = {.given = &prcc, .n_indices = 2, .indices = indices_prcc};
