/* What a method's file implements, and what the frame gives it. */
#ifndef KS_ANALYSIS_ANALYSIS_IMPL_H
#define KS_ANALYSIS_ANALYSIS_IMPL_H

#include "analysis/analysis.h"

/* ---- structured methods: terms of base rows that add up ------------------------------------------------------- */

/* One base row of a design with its points: [n_rows][p] row major. The same for all outputs. */
struct ks_base_row {
    const struct ks_design *design;
    uint64_t number;  /* of the base row */
    int n_parameters; /* p */
    int n_rows;       /* of this base row, ks_design_layout() */
    const double *x;  /* values as simulated */
    const double *u;  /* the numbers in (0, 1) behind them, ks_design_uniforms() */
};

struct ks_structured_method {
    bool needs_inputs; /* x and u of base rows, which are NULL without it */
    int (*count_terms)(const struct ks_design *design);

    /* Adds this base row's terms for one output, y [n_rows]: shifted by a constant near its mean, which may be undone in
     * `estimate`; NaN where it is missing. Whatever needs a missing value adds nothing. `terms` [n_terms] come as
     * zeros. */
    void (*add_terms)(const struct ks_base_row *base, const double *y, double *terms);

    /* Indices [n_values], and the output's variance, from sums of terms over base rows (or weighted ones). NaN where they
     * cannot be told. */
    void (*estimate)(const struct ks_design *design, const double *sums, double *values, double *variance);

    /* The term that counts (adds 1 for) the base rows that serve a parameter. */
    int (*count_term)(const struct ks_design *design, int parameter);
};

/* ---- given-data methods: columns ------------------------------------------------------------------------------ */

/* Rows of complete points, or a resample of them with repetitions. */
struct ks_given_data {
    const struct ks_design *design; /* its variables' distributions, correlation factor; may be of any kind */
    size_t n;                       /* rows */
    int n_parameters;               /* p */
    const double *x;                /* [p][n] columns of values */
    const double *ranks; /* [p][n] ranks 1..n, ties have their mean; NULL unless the method needs them */
    const size_t *order; /* [p][n] row numbers by ascending x; equal values by row number */
    bool is_resample;    /* only its deviation from other resamples counts */
    size_t n_study;      /* rows of the study that this is, a resample or a part of which it is */
    uint64_t seed;       /* of what a method draws at random: ks_random_bits(seed, KS_STREAM_analysis, ...) */
};

struct ks_given_method {
    /* What all outputs share, from the inputs alone; may be NULL functions. Released also after an error. */
    int (*prepare)(const struct ks_given_data *data, void **shared);
    void (*release)(void *shared);

    /* Indices [n_values] of one output, y [n] without missing values; its variance is the frame's. y_order [n] as the
     * order of inputs; NULL unless the method needs it. */
    int (*estimate)(const struct ks_given_data *data, void *shared, const double *y, const size_t *y_order,
                    double *values);

    bool needs_ranks, needs_order; /* of inputs, of the output */
    bool is_biased;                /* the mean deviation of resamples is to be taken from the estimates */
    bool needs_parts;              /* no resamples: intervals from disjoint parts of the rows */
    bool is_slow; /* intervals by the jackknife over the same parts, unless a bootstrap is asked for */
};

/* One of the two is not NULL. */
struct ks_method {
    const struct ks_structured_method *structured;
    const struct ks_given_method *given;
    int n_indices;
    const struct ks_index *indices;
    /* What else speaks against a design that is in the table's list: a sentence, or NULL. May be NULL itself. */
    const char *(*fault)(const struct ks_design *design);
    /* Indices that this design gives, <= n_indices; NULL: all. */
    int (*count_indices)(const struct ks_design *design);
};

/* Each method's file defines one: ks_method_sobol in sobol.c, ... */
#define X(name, text, designs, words) extern const struct ks_method ks_method_##name;
#include "analysis/methods.def"
#undef X

extern const struct ks_method *const ks_method_table[KS_N_METHODS];

#endif
