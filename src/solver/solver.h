/* Advances systems of stiff ordinary differential equations under error control; knows no model.
 *
 * A system is autonomous between the edges of a course, where its inputs jump: y' = rhs(coefficients, inputs, y).
 * Solvers land exactly on every edge and start afresh there. */
#ifndef KS_SOLVER_SOLVER_H
#define KS_SOLVER_SOLVER_H

#include <stdbool.h>
#include <stdint.h>

/* A sparse LU of this system's matrices, written out; it gives the bits of the solver's own (tools/generate_lu.c). */
struct ks_linear_program {
    int n_factors; /* numbers that a factorised matrix takes */
    /* factors <- LU of (diagonal I - J); diagonal [lanes], values [n_nonzeros][lanes], factors [n_factors][lanes] */
    void (*factorise)(const double *diagonal, const double *values, double *factors);
    /* x <- (diagonal I - J)^-1 (rates + x), both [n_states][lanes] */
    void (*substitute)(const double *factors, const double *rates, double *x);
};

/* Arrays over lanes are [n][lanes], lane fastest. All pointers are borrowed. */
struct ks_system {
    int n_states, n_inputs, n_coefficients;
    const double *scales;      /* [n_states] typical sizes; absolute tolerance = 1e-3 rtol scale */
    int n_nonzeros;            /* of the Jacobian, every diagonal element among them */
    const int *rows, *columns; /* [n_nonzeros] */
    int lanes;                 /* of the functions */
    void (*rhs)(const double *coefficients, const double *inputs, const double *y, double *dydt);
    void (*linearise)(const double *coefficients, const double *inputs, const double *y, double *dydt,
                      double *values);      /* the right-hand side, with the bits of rhs, and its Jacobian */
    const struct ks_linear_program *linear; /* NULL: the solver finds its own */
};

/* What happens to a system from edges[0] to edges[n_segments]. */
struct ks_course {
    int n_segments;
    const double *edges;  /* [n_segments + 1] h, strictly increasing */
    const double *inputs; /* [n_segments][n_inputs] */
    int n_stops;
    const double
        *stops; /* [n_stops] h, not decreasing, within the course: where the observer sees the state */
};

/* A step of one lane, shown to an observer. */
struct ks_shown_step {
    void *observer;    /* of the lane's problem; NULL where its step does not count */
    double start, end; /* h */
};

enum { KS_STEP_NODES = 5 }; /* a step is seen at its start, its quarter points and its end */

/* How observers see courses: some states, and numbers made of them. The functions may be NULL where n_watched is 0 or
 * no course has stops. */
struct ks_view {
    void *self;
    int n_stepped,
        n_seen;      /* states that `watch` may read, and those that `stop` may; others are unspecified */
    const int *seen; /* [n_seen] those for `watch` first */
    int n_watched;   /* numbers that steps show; over lanes, as the system's functions: */
    void (*watch)(void *self, const double *coefficients, const double *y, double *values);
    /* After each step of the lanes: the watched numbers at the five equidistant nodes of dense output,
     * values [KS_STEP_NODES][n_watched][lanes] of steps [lanes]. */
    void (*step)(void *self, const struct ks_shown_step *steps, const double *values);
    /* The state at stops[i_stop] of the observer's course, y [n_states]; once for each, in order. */
    void (*stop)(void *self, void *observer, int i_stop, const double *y);
};

struct ks_problem {
    const double *coefficients; /* [n_coefficients] of one lane */
    double *y;                  /* [n_states] in: the start; out: the end, unspecified after a failure */
    const struct ks_course *course;
    void *observer;   /* not NULL along a course that is to be seen */
    int status;       /* out: KS_STATUS_done or what failed (base/status.h) */
    uint32_t n_steps; /* out: accepted steps */
};

enum ks_solver_kind { KS_SOLVER_rosenbrock, KS_SOLVER_cvode, KS_N_SOLVERS };
extern const char *const ks_solver_names[KS_N_SOLVERS];

struct ks_solver_options {
    enum ks_solver_kind kind;
    double rtol;
    int max_steps; /* accepted steps over a course; an equilibrium has a limit of its own */
};

typedef struct ks_solver ks_solver;

/* What the lanes have done so far. */
struct ks_solver_usage {
    uint64_t n_lane_steps; /* steps taken by all lanes, idle ones too */
    uint64_t n_busy;       /* of them, those of lanes that held a problem */
    uint64_t n_accepted;   /* of them, those that counted; iterations of Newton's method are none */
};

/* `system` and `view` must outlive the solver. */
int ks_solver_create(ks_solver **solver, const struct ks_system *system, const struct ks_view *view,
                     const struct ks_solver_options *options);
void ks_solver_destroy(ks_solver **solver);

/* Solves each problem over its course. A problem that fails gets its status and the others go on; negative only
 * where no problem can be solved at all. A problem's result does not depend on the others, nor on earlier calls. */
int ks_solver_solve(ks_solver *solver, int n_problems, struct ks_problem *problems);

/* Lets each problem run without inputs (its course is not read) from its seed `y` to the equilibrium of that
 * basin. Status KS_STATUS_no_equilibrium where it does not settle. */
int ks_solver_settle(ks_solver *solver, int n_problems, struct ks_problem *problems);

/* On the way to equilibria, or along courses, since the solver was made; cvode counts accepted steps alone. */
void ks_solver_usage(const ks_solver *solver, bool is_settling, struct ks_solver_usage *usage);

#endif
