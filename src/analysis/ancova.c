/* First-order indices of correlated inputs in two parts, by analysis of covariance (Li et al. 2010,
 * doi:10.1021/jp9096919; Caniou 2012; the ANCOVA of OpenTURNS), from any rows.
 *
 * The output is regressed on the sum of one polynomial f_i of each input. As the residual is orthogonal to all of them,
 *
 *   S_i = Cov(f_i, Y) / V = Var(f_i) / V + sum over j != i of Cov(f_i, f_j) / V
 *
 * where the first term is the input's own share and the second comes by correlation with the others; without correlation the
 * second is 0 and the first is Sobol's S_i. The S_i add up to R^2, what inputs explain one by one; the rest is interaction
 * (or curvature beyond the degree: 8, less where there are fewer than 20 rows per term). The d_i / n of the
 * residual's variance that d_i terms take from noise are subtracted. */
#include "analysis/sample_impl.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_DEGREE = 8, ROWS_PER_TERM = 20 };

/* The polynomials of all inputs, their centred products, the factor of these. */
struct polynomials {
    int degree, n_terms, rank; /* n_terms = p degree: input by input */
    double *terms;             /* [n_terms][n] centred columns */
    double *products, *factor; /* [n_terms][n_terms] lower triangles */
    double *c, *g;             /* [n_terms] space: coefficients, products with y */
    double *numbers;           /* what holds them */
};

static void release(void *shared) {
    struct polynomials *polynomials = shared;
    if (polynomials == NULL) return;
    free(polynomials->numbers);
    free(polynomials);
}

/* Legendre's polynomials of x between its smallest and largest value, less their means. */
static void fill_terms(size_t n, const double *x, double low, double high, int degree, double *terms) {
    double middle = (low + high) / 2, scale = high > low ? 2 / (high - low) : 0;
    for (size_t row = 0; row < n; row++) {
        double z = (x[row] - middle) * scale, before = 1, now = z;
        for (int k = 1; k <= degree; k++) {
            terms[(size_t)(k - 1) * n + row] = now;
            double next = ((2 * k + 1) * z * now - k * before) / (k + 1);
            before = now;
            now = next;
        }
    }
    for (int k = 0; k < degree; k++) {
        double *term = terms + (size_t)k * n, mean, ss;
        ks_sample_moments(n, term, &mean, &ss);
        for (size_t row = 0; row < n; row++) term[row] = ss > 1e-20 * (double)n ? term[row] - mean : 0;
    }
}

/* By blocks of rows, so that a block of all columns stays in the cache. */
static void multiply_terms(size_t n, struct polynomials *polynomials) {
    enum { BLOCK = 128 };
    size_t m = (size_t)polynomials->n_terms;
    double *products = polynomials->products;
    for (size_t row = 0; row < n; row += BLOCK)
        for (size_t i = 0; i < m; i++)
            for (size_t j = 0; j <= i; j++) {
                const double *a = polynomials->terms + i * n + row, *b = polynomials->terms + j * n + row;
                products[i * m + j] += ks_sample_multiply(n - row < BLOCK ? n - row : BLOCK, a, b);
            }
    memcpy(polynomials->factor, products, m * m * sizeof *products);
    polynomials->rank = ks_sample_factorise(polynomials->n_terms, polynomials->factor);
}

static int prepare(const struct ks_given_data *data, void **shared) {
    size_t p = (size_t)data->n_parameters, n = data->n,
           degree = data->n_study / ROWS_PER_TERM / (p > 0 ? p : 1);
    struct polynomials *polynomials;
    KS_ALLOCATE(polynomials, 1);
    *shared = polynomials;
    if (degree > MOST_DEGREE) degree = MOST_DEGREE;
    if (degree < 1) degree = 1;
    size_t m = p * degree;
    polynomials->degree = (int)degree;
    polynomials->n_terms = (int)m;
    KS_ALLOCATE(polynomials->numbers, m * n + 2 * m * m + 2 * m);
    polynomials->terms = polynomials->numbers;
    polynomials->products = polynomials->terms + m * n;
    polynomials->factor = polynomials->products + m * m;
    polynomials->c = polynomials->factor + m * m;
    polynomials->g = polynomials->c + m;
    for (size_t i = 0; i < p; i++) {
        const double *x = ks_sample_x(data, (int)i);
        const size_t *order = ks_sample_order(data, (int)i);
        fill_terms(n, x, x[order[0]], x[order[n - 1]], (int)degree, polynomials->terms + i * degree * n);
    }
    multiply_terms(n, polynomials);
    return KS_OK;
}

/* Var(f_i) and Cov(f_i, Y), both times n, and the number of terms that f_i has. */
static int measure_input(const struct polynomials *polynomials, int i, double *own, double *both) {
    int first = i * polynomials->degree, end = first + polynomials->degree, n_used = 0;
    size_t m = (size_t)polynomials->n_terms;
    *own = *both = 0;
    for (int k = first; k < end; k++) {
        const double *row = polynomials->products + (size_t)k * m;
        n_used += polynomials->factor[(size_t)k * m + (size_t)k] > 0;
        *both += polynomials->c[k] * polynomials->g[k];
        *own += polynomials->c[k] * polynomials->c[k] * row[k];
        for (int l = first; l < k; l++) *own += 2 * polynomials->c[k] * polynomials->c[l] * row[l];
    }
    return n_used;
}

static int estimate(const struct ks_given_data *data, void *shared, const double *y, const size_t *y_order,
                    double *values) {
    (void)y_order;
    struct polynomials *polynomials = shared;
    int p = data->n_parameters, m = polynomials->n_terms;
    double mean, ss, explained = 0, n_free = (double)data->n - polynomials->rank - 1;
    double *sum = values, *own = values + p, *by_others = values + 2 * p, *r2 = values + 3 * p;
    for (int i = 0; i < 3 * p + 1; i++) values[i] = NAN;
    ks_sample_moments(data->n, y, &mean, &ss);
    if (!(ss > 0 && n_free > 0)) return KS_OK;
    for (int k = 0; k < m; k++)
        polynomials->c[k] = polynomials->g[k] =
            ks_sample_multiply(data->n, polynomials->terms + (size_t)k * data->n, y);
    ks_sample_solve(m, polynomials->factor, polynomials->c);
    for (int k = 0; k < m; k++) explained += polynomials->c[k] * polynomials->g[k];
    double noise = (ss - explained) / n_free; /* variance of the residual */
    for (int i = 0; i < p; i++) {
        double variance, covariance;
        int n_used = measure_input(polynomials, i, &variance, &covariance);
        own[i] = (variance - n_used * noise) / ss;
        sum[i] = (covariance - n_used * noise) / ss;
        by_others[i] = sum[i] - own[i];
    }
    *r2 = 1 - noise * ((double)data->n - 1) / ss;
    return KS_OK;
}

static const struct ks_index indices[] = {
    {"S", KS_OF_PARAMETER, KS_SHARE, "first-order share of the variance, own and by correlation"},
    {"S_own", KS_OF_PARAMETER, KS_SHARE, "share of the variance by the parameter itself"},
    {"S_correlated", KS_OF_PARAMETER, KS_SHARE, "share of the variance by its correlation with the others"},
    {"R2", KS_OF_OUTPUT, KS_SHARE, "share of the variance that parameters explain one by one"},
};

static const struct ks_given_method given = {
    .prepare = prepare, .release = release, .estimate = estimate, .is_slow = true};
const struct ks_method ks_method_ancova = {
    .given = &given, .n_indices = sizeof indices / sizeof *indices, .indices = indices};
