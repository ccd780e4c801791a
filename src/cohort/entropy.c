/* Maximum-entropy weights. Of sum w ln(n w) under A w = 0, sum w = 1, 0 <= w <= most, the dual is
 *     D(l, v) = sum_i f(z_i) - v,   z_i = l a_i + v,
 * where f'(z) = w(z) = exp(z) / n up to `most` and `most` beyond; its gradient is what the conditions lack, its second
 * derivative the sum of w a a' over the patients below the bound. Features are scaled by their spread first. */
#include "base/elementary.h"
#include "base/memory.h"
#include "cohort/cohort.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_STEPS = 300 };
static const double TOLERANCE = 1e-11; /* of a scaled condition */
static const double FARTHEST = 1e6;    /* multipliers beyond it: the dual has no minimum */

struct dual {
    const struct ks_conditions *c;
    double most, limit;                            /* limit: the z at which the bound is reached */
    int m;                                         /* conditions in use and the sum */
    int *used;                                     /* [m - 1] */
    double *scale;                                 /* [m - 1] */
    double *x, *step, *trial, *gradient, *hessian; /* [m], ..., [m][m] */
};

static double argument(const struct dual *d, const double *x, size_t i) {
    const double *row = &d->c->features[i * (size_t)d->c->k];
    double z = x[d->m - 1];
    for (int j = 0; j < d->m - 1; j++) z += x[j] * row[d->used[j]] * d->scale[j];
    return z;
}

static double weigh(const struct dual *d, double z) {
    return z >= d->limit ? d->most : ks_elementary_exp(z) / (double)d->c->n;
}

static double evaluate(const struct dual *d, const double *x) {
    double sum = 0;
    for (size_t i = 0; i < d->c->n; i++) {
        double z = argument(d, x, i);
        sum += z >= d->limit ? d->most + d->most * (z - d->limit) : ks_elementary_exp(z) / (double)d->c->n;
    }
    return sum - x[d->m - 1];
}

static void differentiate(struct dual *d) {
    int m = d->m;
    double a[64];
    memset(d->gradient, 0, (size_t)m * sizeof(double));
    memset(d->hessian, 0, (size_t)m * (size_t)m * sizeof(double));
    a[m - 1] = 1;
    for (size_t i = 0; i < d->c->n; i++) {
        const double *row = &d->c->features[i * (size_t)d->c->k];
        for (int j = 0; j < m - 1; j++) a[j] = row[d->used[j]] * d->scale[j];
        double z = argument(d, d->x, i), w = weigh(d, z);
        for (int j = 0; j < m; j++) {
            d->gradient[j] += w * a[j];
            for (int k = 0; k <= j && z < d->limit; k++) d->hessian[j * m + k] += w * a[j] * a[k];
        }
    }
    d->gradient[m - 1] -= 1;
}

/* step = -(H + ridge) \ gradient by Cholesky; false where the ridge is too small. */
static bool solve_step(struct dual *d, double ridge) {
    int m = d->m;
    double l[64 * 64], y[64];
    for (int i = 0; i < m; i++) {
        for (int j = 0; j <= i; j++) {
            double rest = d->hessian[i * m + j] + (i == j ? ridge : 0);
            for (int k = 0; k < j; k++) rest -= l[i * m + k] * l[j * m + k];
            if (i == j && !(rest > 1e-15)) return false;
            l[i * m + j] = i == j ? sqrt(rest) : rest / l[j * m + j];
        }
    }
    for (int i = 0; i < m; i++) {
        y[i] = -d->gradient[i];
        for (int k = 0; k < i; k++) y[i] -= l[i * m + k] * y[k];
        y[i] /= l[i * m + i];
    }
    for (int i = m - 1; i >= 0; i--) {
        d->step[i] = y[i];
        for (int k = i + 1; k < m; k++) d->step[i] -= l[k * m + i] * d->step[k];
        d->step[i] /= l[i * m + i];
    }
    return true;
}

static double largest(int m, const double *x) {
    double most = 0;
    for (int j = 0; j < m; j++) most = fabs(x[j]) > most ? fabs(x[j]) : most;
    return most;
}

/* Halves the step until the dual falls; near the minimum it falls by less than its rounding, and the full step is taken. */
static bool advance(struct dual *d) {
    double before = evaluate(d, d->x), slope = 0, t = 1;
    for (int j = 0; j < d->m; j++) slope += d->gradient[j] * d->step[j];
    for (int halvings = 0; halvings < 60; halvings++, t /= 2) {
        for (int j = 0; j < d->m; j++) d->trial[j] = d->x[j] + t * d->step[j];
        if (evaluate(d, d->trial) <= before + 1e-4 * t * slope || -slope < 1e-13) {
            memcpy(d->x, d->trial, (size_t)d->m * sizeof(double));
            return true;
        }
    }
    return false;
}

static bool minimise(struct dual *d) {
    double best = INFINITY;
    int stale = 0;
    for (int i = 0; i < MOST_STEPS; i++) {
        differentiate(d);
        double rest = largest(d->m, d->gradient);
        if (rest < TOLERANCE) return true;
        stale = rest < 0.5 * best ? 0 : stale + 1;
        best = fmin(best, rest);
        if (stale > 100 || largest(d->m, d->x) > FARTHEST) return false;
        double ridge = 0;
        while (!solve_step(d, ridge)) ridge = ridge == 0 ? 1e-12 : 10 * ridge;
        if (!advance(d)) return false;
    }
    return false;
}

static int prepare(struct dual *d, const struct ks_conditions *c, double most, const bool *is_used) {
    size_t k = (size_t)c->k + 1;
    KS_CHECK(k <= 64, KS_ERR_USAGE, "%d conditions on weights; 63 are the most", c->k);
    d->c = c;
    d->most = most;
    d->limit = ks_elementary_log(most * (double)c->n);
    KS_ALLOCATE(d->used, k);
    KS_ALLOCATE(d->scale, k);
    KS_ALLOCATE(d->x, k);
    KS_ALLOCATE(d->step, k);
    KS_ALLOCATE(d->trial, k);
    KS_ALLOCATE(d->gradient, k);
    KS_ALLOCATE(d->hessian, k * k);
    for (int j = 0; j < c->k; j++) {
        double sum = 0;
        if (is_used != NULL && !is_used[j]) continue;
        for (size_t i = 0; i < c->n; i++)
            sum += c->features[i * (size_t)c->k + (size_t)j] * c->features[i * (size_t)c->k + (size_t)j];
        d->scale[d->m] = sum > 0 ? 1 / sqrt(sum / (double)c->n) : 1;
        d->used[d->m++] = j;
    }
    d->m++;
    return KS_OK;
}

static void release(struct dual *d) {
    free(d->used);
    free(d->scale);
    free(d->x);
    free(d->step);
    free(d->trial);
    free(d->gradient);
    free(d->hessian);
}

static int solve(const struct ks_conditions *c, double most, const bool *is_used, double *weights,
                 bool *is_solved) {
    struct dual d = {0};
    *is_solved = false;
    int err = most * (double)c->n < 1 ? KS_OK : prepare(&d, c, most, is_used);
    if (err == KS_OK && d.m > 0) *is_solved = minimise(&d);
    for (size_t i = 0; *is_solved && weights != NULL && i < c->n; i++)
        weights[i] = weigh(&d, argument(&d, d.x, i));
    release(&d);
    return err;
}

int ks_entropy_solve(const struct ks_conditions *conditions, double most, double *weights, bool *is_solved) {
    return solve(conditions, most, NULL, weights, is_solved);
}

int ks_entropy_conflict(const struct ks_conditions *conditions, double most, bool *is_in) {
    for (int j = 0; j < conditions->k; j++) is_in[j] = true;
    for (int j = 0; j < conditions->k; j++) {
        bool is_solved;
        is_in[j] = false;
        KS_TRY(solve(conditions, most, is_in, NULL, &is_solved));
        is_in[j] = is_solved; /* without it the others agree: it is needed */
    }
    return KS_OK;
}

void ks_entropy_sample(size_t n, const double *weights, size_t m, double u, size_t *chosen) {
    double sum = 0, total = 0;
    size_t taken = 0;
    for (size_t i = 0; i < n; i++) total += weights[i];
    for (size_t i = 0; i < n && taken < m; i++) {
        sum += weights[i];
        bool is_due = sum / total * (double)m > (double)taken + u;
        if (is_due || n - i == m - taken) chosen[taken++] = i; /* rounding must not lose the last */
    }
}
