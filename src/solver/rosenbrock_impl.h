/* What the lane-parallel Rosenbrock solver is made of: method tables, the sparse LU program, the engine per width. */
#ifndef KS_SOLVER_ROSENBROCK_IMPL_H
#define KS_SOLVER_ROSENBROCK_IMPL_H

#include "solver/solver_impl.h"

#include <stddef.h>

/* ---- method tables: one file each --------------------------------------------------------------------------- */

enum { KS_MOST_STAGES = 8, KS_DENSE_TERMS = 3 };

/* A stiffly accurate Rosenbrock method for autonomous systems, in the form that needs no products with the Jacobian:
 *     (I / (gamma h) - J) k_i = f(y + sum_j a_ij k_j) + sum_j c_ij k_j / h,   j < i.
 * The last stages are increments: the argument of stage i > n_sums is that of stage i - 1 plus k_(i-1); the new value
 * is the last argument plus the last k, which is also the estimate of the error.
 * Dense output: y(s) = (1 - s) y + s (y_new + (1 - s) (d_1 + s (d_2 + s d_3))), d_m = sum_i dense_mi k_i. */
struct ks_rosenbrock_table {
    const char *name;
    int n_stages, n_sums;
    int last_at_y; /* the arguments of the stages up to this one are y: one right-hand side serves them */
    double gamma;
    double error_exponent; /* 1 / (order of the embedded method + 1) */
    double a[KS_MOST_STAGES][KS_MOST_STAGES], c[KS_MOST_STAGES][KS_MOST_STAGES];
    double dense[KS_DENSE_TERMS][KS_MOST_STAGES];
};

extern const struct ks_rosenbrock_table ks_rodas5p_table, ks_rodas3_table;

/* ---- lu.c: a static sparse LU as a list of operations --------------------------------------------------------- */

/* Entries are numbered; `values` in the comments is the array of their values, one per lane. What is factorised is
 * J - diagonal I, with the signs of factors and reciprocal pivots turned: then nothing need be negated, and the
 * solution is that of diagonal I - J. */
struct ks_lu {
    int n, n_entries;
    int *slots;     /* [n_nonzeros] the entry of each element of the matrix */
    int *diagonals; /* [n] in order of elimination */
    int *order;     /* [n] the row and column that is eliminated k-th */
    int n_plain;    /* pivots that take no update: their reciprocals come first, four for one division */
    int *plain;     /* [n_plain] their entries, ascending */
    int n_scales;   /* values[scale[0]] *= values[scale[1]] (minus a reciprocal pivot), then its updates */
    int (*scales)[2];
    int *n_updates; /* [n_scales] values[u[0]] += values[u[1]] * values[u[2]], of each scale in turn */
    int (*updates)[3];
    int *first_scale; /* [n + 1] the scales of each pivot */
    int n_lower;      /* x[l[0]] += values[l[2]] * x[l[1]], forwards */
    int (*lower)[3];
    int n_upper; /* the same backwards; x[k] *= values[diagonals[k]] after the n_row_upper[k] of its row */
    int (*upper)[3];
    int *n_row_upper; /* [n] in order of substitution, last pivot first */
};

/* Chooses the order of elimination (Markowitz 1957, on the diagonal: no exchange of rows or columns while numbers
 * are known) and lists what has to be done. */
int ks_lu_create(struct ks_lu *lu, int n, int n_nonzeros, const int *rows, const int *columns);
void ks_lu_release(struct ks_lu *lu);

/* ---- rosenbrock_lanes.c: the engine --------------------------------------------------------------------------- */

struct ks_rosenbrock {
    const struct ks_system *system;
    const struct ks_view *view;
    struct ks_solver_options options;
    struct ks_lu lu; /* empty where the system brings a linear program */
    int n_factors;
    double *memory;                  /* of all arrays over lanes */
    struct ks_solver_usage usage[2]; /* along courses, to equilibria */
};

/* Doubles of memory that the engine needs, and the run over problems: to their equilibrium or over their courses. */
#define KS_ROSENBROCK_DECLARE(lanes)                                                                \
    size_t ks_rosenbrock_memory_w##lanes(const struct ks_rosenbrock *solver);                       \
    void ks_rosenbrock_run_w##lanes(struct ks_rosenbrock *solver, bool is_settling, int n_problems, \
                                    struct ks_problem *problems);
#define KS_ROSENBROCK_LANES_TABLE(X) X(1) X(2) X(4) X(8)
KS_ROSENBROCK_LANES_TABLE(KS_ROSENBROCK_DECLARE)

#endif
