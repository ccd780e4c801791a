/* Virtual patients: what differs between them, as distributions that are joined by correlations, covariates that choose
 * a distribution or act on a parameter, and rows of a file.
 *
 * Candidate i is a function of (seed, i) alone, so any rank can make any candidate of 10^9. */
#ifndef KS_DESIGN_POPULATION_H
#define KS_DESIGN_POPULATION_H

#include "base/random.h"
#include "design/design.h"

/* Rows of a CSV file that candidates draw, each row with the same probability. */
struct ks_bootstrap {
    size_t n_rows, n_columns;
    double *cells; /* [n_rows][n_columns] */
};

/* How a trait is drawn, for all patients or for those with (without) a yes/no covariate. */
struct ks_branch {
    int where; /* a trait before this one; -1: everybody */
    bool is_without;
    int table; /* of the population's tables; -1: the distribution counts */
    size_t column;
    struct ks_distribution distribution;
};

/* What differs between patients: a parameter of the model, or a covariate that acts through others. */
struct ks_trait {
    char *name, *unit, *description;
    int parameter; /* its row in the model's table; -1: a covariate */
    double base;   /* where no branch applies */
    int n_branches;
    struct ks_branch *branches; /* the first that applies counts */
};

/* A covariate multiplies a trait: by the factor of its value, or by (value / reference)^exponent. */
struct ks_effect {
    int covariate, target; /* traits */
    int n_values;          /* 0: the power */
    double *values, *factors;
    double reference, exponent;
};

/* Open; filled and owned by the configuration. */
struct ks_population {
    uint64_t n_candidates, seed;
    enum ks_stream stream;
    bool is_list;             /* candidate i is row i of the only table */
    int prevalence, identity; /* of a list: the columns of weights and candidates' numbers; -1: none */
    int n_traits;
    struct ks_trait *traits;
    double *correlation_factor; /* NULL, or lower Cholesky factor [n_traits][n_traits] of the normal scores */
    int n_effects;
    struct ks_effect *effects;
    int n_tables;
    struct ks_bootstrap *tables;
};

/* The traits of candidate i, values [n_traits]; NaN where an effect knows no factor for a covariate's value. */
void ks_population_draw(const struct ks_population *population, uint64_t i, double *values);

/* The trait of this name, -1 if there is none. */
int ks_population_find(const struct ks_population *population, const char *name);

/* Frees what the struct owns and zeroes it. */
void ks_population_release(struct ks_population *population);

#endif
