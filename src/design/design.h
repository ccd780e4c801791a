/* Which points: the designs over the varied parameters, their distributions and correlation.
 *
 * Point i is a function of (seed, i) alone, in O(1) memory: any rank can produce any point of 10^9. A design
 * gives each point p numbers in (0, 1); the copula joins them where correlations are stated; each
 * distribution's quantile function turns its number into a value. */
#ifndef KS_DESIGN_DESIGN_H
#define KS_DESIGN_DESIGN_H

#include "base/error.h"
#include "model/model.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* X(name, the parameters that its configuration takes, in words) */
#define KS_DISTRIBUTION_TABLE(X)                                      \
    X(uniform, "low, high")                                           \
    X(loguniform, "low, high, both > 0; the same as scale = \"log\"") \
    X(normal, "mean, sd")                                             \
    X(lognormal, "median or mean; cv")                                \
    X(logitnormal, "median in (0, 1); sd of the logit")               \
    X(triangular, "low, mode, high")                                  \
    X(beta, "alpha, beta; low and high scale it (default 0, 1)")      \
    X(discrete, "values; probabilities (default equal)")

enum ks_distribution_kind {
#define X(name, words) KS_DISTRIBUTION_##name,
    KS_DISTRIBUTION_TABLE(X)
#undef X
        KS_N_DISTRIBUTIONS
};

extern const char *const ks_distribution_names[KS_N_DISTRIBUTIONS];
extern const char *const ks_distribution_arguments[KS_N_DISTRIBUTIONS];

struct ks_distribution {
    enum ks_distribution_kind kind;
    double a, b, c; /* uniform, loguniform: low, high; normal: mean, sd; lognormal: median, sigma of the log;
                       logitnormal: logit of the median, sd of the logit; triangular: low, mode, high;
                       beta: alpha, beta */
    double low, high;      /* truncation, -INFINITY and INFINITY where there is none; for beta its support */
    int n_values;          /* discrete */
    double *values;        /* [n_values], owned by whoever filled the struct, like the probabilities */
    double *probabilities; /* [n_values], sum to 1 */
    bool is_integer; /* values are whole numbers: a uniform gives each of low..high the same probability */
};

/* The value below which the share u in (0, 1) lies, within [low, high] and rounded where is_integer.
 * Increasing in u, but for rounding. The same bits from any compiler and on any processor. Discrete values come in the order in
 * which they stand. */
double ks_distribution_quantile(const struct ks_distribution *distribution, double u);

/* What is wrong with it, in words ("sd must be > 0, found -1"), or NULL. */
const char *ks_distribution_fault(const struct ks_distribution *distribution, char *text, int size);

/* Which larger designs begin with the rows of a smaller one of the same kind and seed. */
enum ks_nesting { KS_NESTED_NEVER, KS_NESTED_ALWAYS, KS_NESTED_BY_DOUBLING /* points x 2, 4, 8, ... */ };

/* X(name in code, name, what `points` means, nesting, in words) */
#define KS_DESIGN_TABLE(X)                                                                   \
    X(grid, "grid", "product of levels", KS_NESTED_NEVER,                                    \
      "full factorial: levels of each parameter, last parameter fastest")                    \
    X(lhs, "lhs", "rows", KS_NESTED_BY_DOUBLING,                                             \
      "Latin hypercube; a doubled design keeps its rows and stays Latin")                    \
    X(random, "random", "rows", KS_NESTED_ALWAYS, "independent random points")               \
    X(sobol, "sobol", "rows", KS_NESTED_ALWAYS,                                              \
      "Sobol' sequence (Joe and Kuo 2008), Owen-scrambled by the seed")                      \
    X(saltelli, "saltelli", "base rows", KS_NESTED_BY_DOUBLING,                              \
      "matrices A, AB_i, [BA_i], B for Sobol' indices; 16 scrambles of the Sobol' sequence") \
    X(morris, "morris", "trajectories", KS_NESTED_ALWAYS,                                    \
      "one-at-a-time steps along trajectories, or radial from a point")                      \
    X(fast, "fast", "samples per parameter", KS_NESTED_NEVER,                                \
      "8 search curves for each parameter (Saltelli 1999)")                                  \
    X(rbd_fast, "rbd-fast", "rows", KS_NESTED_NEVER,                                         \
      "one search curve, permuted for each parameter (Tarantola 2006)")                      \
    X(file, "file", "rows of the CSV", KS_NESTED_ALWAYS,                                     \
      "points from a CSV file whose header names parameters")

enum ks_design_kind {
#define X(name, text, points, nesting, words) KS_DESIGN_##name,
    KS_DESIGN_TABLE(X)
#undef X
        KS_N_DESIGNS
};

struct ks_design_info {
    const char *name, *points;
    enum ks_nesting nesting;
    const char *words;
};

extern const struct ks_design_info ks_designs[KS_N_DESIGNS];

enum {
    KS_DESIGN_SOBOL_DIMENSIONS = 1024, /* the most that `sobol` can vary */
    KS_DESIGN_LHS_BITS = 50,           /* `lhs` has 2^50 points at most */
    KS_DESIGN_SCRAMBLES = 16,          /* independent ones that saltelli and radial morris are made of */
    KS_DESIGN_CURVES = 8,              /* of each parameter in fast, with random phases */
    KS_DESIGN_HARMONICS = 4 /* of fast's frequencies that the other parameters' ones keep clear of */
};

/* One varied parameter. */
struct ks_variable {
    int parameter; /* its row in the model's table */
    struct ks_distribution distribution;
    int n_levels;   /* grid only: the number of levels */
    double *levels; /* grid only: [n_levels] values, owned by whoever filled the struct */
};

/* Open; filled and owned by the configuration. */
struct ks_design {
    enum ks_design_kind kind;
    uint64_t n_points; /* > 0, all rows; for grid the product of levels, for file its rows; for lhs <= 2^50 */
    uint64_t
        n_bases; /* what `points` says; it differs from n_points for saltelli, morris and fast, whose n_points
                          ks_design_count_points() gives */
    uint64_t seed;
    int n_variables; /* 0: one point repeated */
    struct ks_variable *variables;
    double *correlation_factor; /* NULL, or lower Cholesky factor [n_variables][n_variables] of the normal
                                   scores */
    double *rows;               /* file only: [n_points][n_variables] */
    bool has_second_order;      /* saltelli: with the blocks BA_i */
    bool is_radial;             /* morris: every step from the base point */
    int n_path_levels;          /* morris along trajectories: even, the levels of each parameter */
    double step; /* radial morris: the step in (0, 1), or 0 for steps to a second random point */
};

/* How rows belong together: base row b has the points b n_rows to (b + 1) n_rows - 1 and is of group b % n_groups.
 * Groups are independent of each other and alike; without groups (0) base rows are. */
struct ks_design_layout {
    uint64_t n_bases, n_rows; /* fast: a base row is a curve of every parameter */
    int n_groups;
};

struct ks_design_layout ks_design_layout(const struct ks_design *design);

/* The rows of saltelli, morris and fast designs from n_bases and n_variables; n_bases for others. 0 beyond 2^63 - 1. */
uint64_t ks_design_count_points(const struct ks_design *design);

/* What is wrong with n_bases for this kind, in words, or NULL. */
const char *ks_design_points_fault(const struct ks_design *design);

/* Frequency of a parameter's own curve in a fast design, and of parameter `other` on that curve. */
int ks_design_fast_frequency(const struct ks_design *design, int parameter, int other);

/* Whether a design of `points` begins with the rows of one of `fewer`; both as in design.points. */
bool ks_design_extends(enum ks_design_kind kind, uint64_t fewer, uint64_t points);

/* The values of point i < n_points, `values` [n_variables]. */
void ks_design_point(const struct ks_design *design, uint64_t i, double *values);

/* The numbers in (0, 1) behind point i before the copula, [n_variables]; not of a grid or a file. */
void ks_design_uniforms(const struct ks_design *design, uint64_t i, double *u);

/* Where point i lies in the marginal distribution of each parameter, in [0, 1]; of a grid or a file, between its lowest
 * and highest value. */
void ks_design_shares(const struct ks_design *design, uint64_t i, double *shares);

/* Replaces a correlation matrix [n][n] by its lower Cholesky factor; false where it is not positive definite.
 */
bool ks_design_factorise(int n, double *matrix);

/* The product of levels; 0 where it exceeds 2^63 - 1. */
uint64_t ks_design_grid_points(int n_variables, const struct ks_variable *variables);

/* Frees what the struct owns and zeroes it. */
void ks_design_release(struct ks_design *design);

#endif
