/* Rows of inputs and one output as the given-data methods take them, for tests of their kernels. */
#ifndef KS_TESTS_SCIENCE_TABLE_H
#define KS_TESTS_SCIENCE_TABLE_H

#include "analysis/sample_impl.h"
#include "base/elementary.h"
#include "base/memory.h"
#include "base/normal.h"
#include "base/random.h"
#include "model/model.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct table {
    size_t n;
    int p;
    double *x, *y; /* [p][n], [n] */
    double *ranks;
    size_t *order;
};

static inline struct table table_create(size_t n, int p) {
    struct table t = {.n = n, .p = p};
    t.x = ks_memory_allocate(n * (size_t)p, sizeof *t.x);
    t.y = ks_memory_allocate(n, sizeof *t.y);
    t.ranks = ks_memory_allocate(n * (size_t)p, sizeof *t.ranks);
    t.order = ks_memory_allocate(n * (size_t)p, sizeof *t.order);
    return t;
}

static inline void table_release(struct table *t) {
    free(t->x);
    free(t->y);
    free(t->ranks);
    free(t->order);
}

/* Values of all indices of a method, which has at most 4 p of them. */
static inline void table_estimate(struct table *t, const struct ks_method *method, bool is_resample,
                                  double *values) {
    void *shared = NULL;
    for (int i = 0; i < t->p; i++) {
        double *x = t->x + (size_t)i * t->n, *ranks = t->ranks + (size_t)i * t->n;
        size_t *order = t->order + (size_t)i * t->n;
        assert_int_equal(ks_sample_sort(t->n, x, order), KS_OK);
        ks_sample_rank(t->n, x, order, ranks);
    }
    struct ks_given_data data = {.n = t->n,
                                 .n_parameters = t->p,
                                 .x = t->x,
                                 .ranks = t->ranks,
                                 .order = t->order,
                                 .is_resample = is_resample,
                                 .n_study = t->n,
                                 .seed = 1};
    if (method->given->prepare != NULL) assert_int_equal(method->given->prepare(&data, &shared), KS_OK);
    size_t *y_order = ks_memory_allocate(t->n, sizeof *y_order);
    assert_int_equal(ks_sample_sort(t->n, t->y, y_order), KS_OK);
    assert_int_equal(method->given->estimate(&data, shared, t->y, y_order, values), KS_OK);
    free(y_order);
    if (method->given->release != NULL) method->given->release(shared);
}

/* A uniform number, another for each study, row and item. */
static inline double table_draw(int study, size_t row, int item) {
    return ks_random_uniform(1, KS_STREAM_test, (uint64_t)study << 40 | row, (uint64_t)item);
}

/* Random rows of one of the built-in functions. */
static inline void table_fill(struct table *t, int study, const char *name) {
    const struct ks_test_function *function = ks_model_find_test_function(name);
    assert_int_equal(function->n_inputs, t->p);
    for (size_t row = 0; row < t->n; row++) {
        double x[16];
        for (int i = 0; i < t->p; i++) {
            x[i] = function->low + (function->high - function->low) * table_draw(study, row, i);
            t->x[(size_t)i * t->n + row] = x[i];
        }
        function->evaluate(x, &t->y[row]);
    }
}

/* y = 4 z1 + 5 z2, z normal with correlation rho. */
static inline void table_fill_linear(struct table *t, int study, double rho) {
    for (size_t row = 0; row < t->n; row++) {
        double a = ks_normal_quantile(table_draw(study, row, 0)),
               b = ks_normal_quantile(table_draw(study, row, 1));
        t->x[row] = a;
        t->x[t->n + row] = rho * a + sqrt(1 - rho * rho) * b;
        t->y[row] = 4 * t->x[row] + 5 * t->x[t->n + row];
    }
}

#endif
