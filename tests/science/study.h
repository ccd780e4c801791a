/* A campaign in memory: a design's rows of one output, and its analysis from there on as the command does it. */
#ifndef KS_TESTS_SCIENCE_STUDY_H
#define KS_TESTS_SCIENCE_STUDY_H

#include "analysis/analysis.h"
#include "base/memory.h"
#include "base/status.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MOST_INPUTS = 16 };

struct study {
    struct ks_design design;
    struct ks_variable variables[MOST_INPUTS];
    struct ks_schema schema;
    struct ks_column column;
    double *x, *y; /* [n_points][p], [n_points] */
    int8_t *status;
};

/* Inputs uniform in (low, high); n_bases as design.points has it. */
static inline void study_begin(struct study *s, struct ks_design design, int p, double low, double high) {
    memset(s, 0, sizeof *s);
    s->design = design;
    s->design.n_variables = p;
    s->design.variables = s->variables;
    for (int i = 0; i < p; i++)
        s->variables[i].distribution = (struct ks_distribution){
            .kind = KS_DISTRIBUTION_uniform, .a = low, .b = high, .low = -INFINITY, .high = INFINITY};
}

/* Computes every row by a function of the inputs. */
static inline void study_compute(struct study *s, void (*evaluate)(const double *x, double *y)) {
    size_t p = (size_t)s->design.n_variables;
    s->design.n_points = ks_design_count_points(&s->design);
    size_t n = (size_t)s->design.n_points;
    s->column = (struct ks_column){"y", "1", "output"};
    s->schema = (struct ks_schema){
        .n_points = n, .n_parameters = (int)p, .n_endpoints = 1, .endpoints = &s->column, .design = "test"};
    s->x = ks_memory_allocate(n * p, sizeof *s->x);
    s->y = ks_memory_allocate(n, sizeof *s->y);
    s->status = ks_memory_allocate(n, sizeof *s->status);
    for (size_t i = 0; i < n; i++) {
        ks_design_point(&s->design, i, s->x + i * p);
        evaluate(s->x + i * p, s->y + i);
        s->status[i] = KS_STATUS_done;
    }
}

static inline void study_end(struct study *s) {
    free(s->x);
    free(s->y);
    free(s->status);
}

/* As of a run that failed. */
static inline void study_fail(struct study *s, size_t row) {
    s->status[row] = KS_STATUS_step_limit;
    s->y[row] = NAN;
}

static inline int study_read(void *source, uint64_t first, uint64_t count, struct ks_rows *rows) {
    const struct study *s = source;
    size_t p = (size_t)s->design.n_variables;
    if (rows->inputs != NULL) memcpy(rows->inputs, s->x + first * p, count * p * sizeof *s->x);
    if (rows->endpoints != NULL) memcpy(rows->endpoints, s->y + first, count * sizeof *s->y);
    if (rows->status != NULL) memcpy(rows->status, s->status + first, count);
    return KS_OK;
}

/* The results are the caller's to release. */
static inline void study_analyse(struct study *s, enum ks_method_kind method, int n_resamples,
                                 struct ks_results *results) {
    struct ks_study study = {.read = study_read,
                             .source = s,
                             .schema = &s->schema,
                             .design = &s->design,
                             .method = method,
                             .n_resamples = n_resamples};
    if (ks_analysis_run(&study, results) != KS_OK) fail_msg("%s", ks_error_message());
}

#endif
