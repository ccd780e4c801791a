/* The reference solver: SUNDIALS' CVODE (Hindmarsh et al. 2005, doi:10.1145/1089014.1089020), variable-order BDF with
 * the analytic Jacobian and KLU, one problem at a time.
 *
 * BDF above order 2 is unstable for oscillations of high frequency, such as a cortex of firing rates has: without
 * CVODE's detection of that limit some patients creep at a thousandth of the step that accuracy allows.
 *
 * Every edge of a course is a fresh start, every stop a step end. CVODE re-analyses its sparse matrix at a fresh
 * start, so that a problem's pivots, and with them its bits, do not depend on the problems solved before.
 *
 * The equilibrium: steps under error control, which settle in the seed's basin, then Newton's method to the root;
 * a root that is not close to where the steps have come may be another basin's and is not taken yet. */
#include "base/error.h"
#include "base/memory.h"
#include "base/status.h"
#include "solver/solver_impl.h"
#include "solver/sundials_impl.h"

#include <math.h>
#include <nvector/nvector_serial.h>
#include <stdlib.h>
#include <string.h>
#include <sunlinsol/sunlinsol_klu.h>
#include <sunmatrix/sunmatrix_sparse.h>

struct cvode {
    const struct ks_system *system;
    const struct ks_view *view;
    struct ks_solver_options options;
    SUNContext context;
    void *memory;
    N_Vector y, tolerances, work, correction;
    SUNMatrix matrix, newton_matrix;
    SUNLinearSolver linear, newton;
    int *slots;                          /* [n_nonzeros] where an element lies in the compressed columns */
    sunindextype *starts, *row_of;       /* the pattern in compressed columns */
    double *values;                      /* [n_nonzeros] in the system's order */
    double *rates;                       /* [n_states] that nobody reads */
    double *before;                      /* [n_states] a state to return to */
    double *nodes;                       /* [KS_STEP_NODES][n_watched] */
    double *no_inputs;                   /* [n_inputs] zeros */
    const double *coefficients, *inputs; /* of the problem and segment in hand */
    uint64_t n_steps[2];                 /* along courses, to equilibria */
    bool is_non_finite;                  /* the right-hand side gave something else than numbers */
};

enum {
    SETTLE_MAX_STEPS = 20000, /* an equilibrium takes about 350 */
    NEWTON_MAX_ITERATIONS = 12,
};

/* Tolerance of the steps to an equilibrium: they find the basin, Newton's method finds the root in it. */
static const double settle_rtol = 1e-4;
/* Newton's method is tried at 500 h and at each doubling, up to a time by which every state has long settled, h. */
static const double first_trial = 500, last_trial = 1e7, newton_step = 1e9;
static const double newton_tolerance = 1e-12; /* of each state's size, |y| + scale */
static const double newton_reach = 1e-3; /* the same; what is farther may be another basin's, or unstable */

static bool are_finite(const double *x, int n) {
    for (int i = 0; i < n; i++)
        if (!isfinite(x[i])) return false;
    return true;
}

static int evaluate_rhs(sunrealtype t, N_Vector y, N_Vector dydt, void *self) {
    (void)t;
    struct cvode *s = self;
    s->system->rhs(s->coefficients, s->inputs, N_VGetArrayPointer(y), N_VGetArrayPointer(dydt));
    if (are_finite(N_VGetArrayPointer(dydt), s->system->n_states)) return 0;
    s->is_non_finite = true;
    return 1; /* recoverable: a shorter step may do */
}

/* CVODE zeroes the pattern with the values, so that both are written each time. */
static void fill_matrix(struct cvode *s, const double *y, SUNMatrix matrix) {
    int n = s->system->n_states, n_nonzeros = s->system->n_nonzeros;
    memcpy(SUNSparseMatrix_IndexPointers(matrix), s->starts, (size_t)(n + 1) * sizeof *s->starts);
    memcpy(SUNSparseMatrix_IndexValues(matrix), s->row_of, (size_t)n_nonzeros * sizeof *s->row_of);
    s->system->linearise(s->coefficients, s->inputs, y, s->rates, s->values);
    for (int k = 0; k < n_nonzeros; k++) SUNSparseMatrix_Data(matrix)[s->slots[k]] = s->values[k];
}

static int evaluate_jacobian(sunrealtype t, N_Vector y, N_Vector dydt, SUNMatrix matrix, void *self,
                             N_Vector work_1, N_Vector work_2, N_Vector work_3) {
    (void)t, (void)dydt, (void)work_1, (void)work_2, (void)work_3;
    fill_matrix(self, N_VGetArrayPointer(y), matrix);
    return 0;
}

/* Compressed columns of the system's list of elements, rows ascending within a column. */
static int compress_pattern(struct cvode *s) {
    const struct ks_system *system = s->system;
    int n = system->n_states;
    KS_ALLOCATE(s->slots, (size_t)system->n_nonzeros);
    KS_ALLOCATE(s->starts, (size_t)n + 1);
    KS_ALLOCATE(s->row_of, (size_t)system->n_nonzeros);
    int slot = 0;
    for (int column = 0; column < n; column++) {
        s->starts[column] = slot;
        for (int row = 0; row < n; row++)
            for (int k = 0; k < system->n_nonzeros; k++)
                if (system->rows[k] == row && system->columns[k] == column) {
                    s->row_of[slot] = row;
                    s->slots[k] = slot++;
                }
    }
    s->starts[n] = slot;
    return KS_OK;
}

static int allocate(struct cvode *s) {
    int n = s->system->n_states;
    KS_TRY(compress_pattern(s));
    KS_ALLOCATE(s->values, (size_t)s->system->n_nonzeros);
    KS_ALLOCATE(s->rates, (size_t)n);
    KS_ALLOCATE(s->before, (size_t)n);
    KS_ALLOCATE(s->nodes, (size_t)KS_STEP_NODES * (size_t)s->view->n_watched);
    KS_ALLOCATE(s->no_inputs, (size_t)s->system->n_inputs);
    KS_CHECK(SUNContext_Create(SUN_COMM_NULL, &s->context) == 0, KS_ERR_SOLVER, "SUNDIALS gives no context");
    s->y = N_VNew_Serial(n, s->context);
    s->tolerances = N_VNew_Serial(n, s->context);
    s->work = N_VNew_Serial(n, s->context);
    s->correction = N_VNew_Serial(n, s->context);
    s->matrix = SUNSparseMatrix(n, n, s->system->n_nonzeros, CSC_MAT, s->context);
    s->newton_matrix = SUNSparseMatrix(n, n, s->system->n_nonzeros, CSC_MAT, s->context);
    KS_CHECK(s->y && s->tolerances && s->work && s->correction && s->matrix && s->newton_matrix,
             KS_ERR_MEMORY, "no memory for SUNDIALS' vectors and matrices");
    s->linear = SUNLinSol_KLU(s->y, s->matrix, s->context);
    s->newton = SUNLinSol_KLU(s->y, s->newton_matrix, s->context);
    s->memory = CVodeCreate(CV_BDF, s->context);
    KS_CHECK(s->linear && s->newton && s->memory, KS_ERR_MEMORY, "no memory for CVODE and KLU");
    return KS_OK;
}

static int initialise(struct cvode *s) {
    KS_CHECK(s->system->lanes == 1, KS_ERR_SOLVER, "cvode solves one lane at a time, found %d",
             s->system->lanes);
    KS_TRY(allocate(s));
    bool is_ready = CVodeInit(s->memory, evaluate_rhs, 0, s->y) == CV_SUCCESS &&
                    ks_sundials_silence(s->context, s->memory) == 0 &&
                    CVodeSetUserData(s->memory, s) == CV_SUCCESS &&
                    CVodeSetStabLimDet(s->memory, SUNTRUE) == CV_SUCCESS &&
                    CVodeSetMaxErrTestFails(s->memory, 20) == CV_SUCCESS &&
                    CVodeSetMaxConvFails(s->memory, 30) == CV_SUCCESS &&
                    CVodeSetLinearSolver(s->memory, s->linear, s->matrix) == CVLS_SUCCESS &&
                    CVodeSetJacFn(s->memory, evaluate_jacobian) == CVLS_SUCCESS;
    KS_CHECK(is_ready, KS_ERR_SOLVER, "CVODE refuses its settings");
    return KS_OK;
}

static void destroy(void *self) {
    struct cvode *s = self;
    if (s->memory) CVodeFree(&s->memory);
    if (s->linear) SUNLinSolFree(s->linear);
    if (s->newton) SUNLinSolFree(s->newton);
    if (s->matrix) SUNMatDestroy(s->matrix);
    if (s->newton_matrix) SUNMatDestroy(s->newton_matrix);
    N_Vector vectors[] = {s->y, s->tolerances, s->work, s->correction};
    for (int i = 0; i < 4; i++)
        if (vectors[i]) N_VDestroy(vectors[i]);
    if (s->context) SUNContext_Free(&s->context);
    free(s->slots);
    free(s->starts);
    free(s->row_of);
    free(s->values);
    free(s->rates);
    free(s->before);
    free(s->nodes);
    free(s->no_inputs);
    free(s);
}

static int create(void **self, const struct ks_system *system, const struct ks_view *view,
                  const struct ks_solver_options *options) {
    struct cvode *s;
    KS_ALLOCATE(s, 1);
    s->system = system;
    s->view = view;
    s->options = *options;
    int err = initialise(s);
    if (err < 0) {
        destroy(s);
        return err;
    }
    *self = s;
    return KS_OK;
}

/* A fresh start at time t from the state in s->y. */
static int restart(struct cvode *s, double t) {
    s->is_non_finite = false;
    KS_CHECK(CVodeReInit(s->memory, t, s->y) == CV_SUCCESS, KS_ERR_SOLVER, "CVODE does not restart");
    return KS_OK;
}

/* From here on errors are held to `rtol`, and to a thousandth of it times a state's scale. */
static int set_tolerance(struct cvode *s, double rtol) {
    for (int i = 0; i < s->system->n_states; i++)
        N_VGetArrayPointer(s->tolerances)[i] = 1e-3 * rtol * s->system->scales[i];
    KS_CHECK(CVodeSVtolerances(s->memory, rtol, s->tolerances) == CV_SUCCESS, KS_ERR_SOLVER,
             "CVODE refuses rtol %g", rtol);
    return KS_OK;
}

/* Whether nobody waits for the problem any more. */
static bool is_dropped(const struct cvode *s) {
    return s->options.is_dropped != NULL && s->options.is_dropped(s->options.self);
}

/* One step from *t towards `target` and not beyond; s->y and *t follow. A status: done, or what failed. */
static int take_step(struct cvode *s, double target, double *t) {
    int flag = CVodeSetStopTime(s->memory, target);
    if (flag == CV_SUCCESS) flag = CVode(s->memory, target, s->y, t, CV_ONE_STEP);
    bool is_finite = are_finite(N_VGetArrayPointer(s->y), s->system->n_states);
    if (flag >= 0 && is_finite) return KS_STATUS_done;
    return s->is_non_finite || !is_finite ? KS_STATUS_non_finite : KS_STATUS_step_limit;
}

static void watch(struct cvode *s, const double *y, int node) {
    s->view->watch(s->view->self, s->coefficients, y, &s->nodes[node * s->view->n_watched]);
}

/* Shows the observer the step from `start`, where the state was s->before, to `end`. */
static int show_step(struct cvode *s, void *observer, double start, double end) {
    const struct ks_shown_step step = {observer, start, end};
    watch(s, s->before, 0);
    for (int i = 1; i < KS_STEP_NODES - 1; i++) {
        double t = start + (end - start) * i / (KS_STEP_NODES - 1);
        int flag = CVodeGetDky(s->memory, t, 0, s->work);
        KS_CHECK(flag == CV_SUCCESS, KS_ERR_SOLVER, "CVODE has no dense output at %.17g h", t);
        watch(s, N_VGetArrayPointer(s->work), i);
    }
    watch(s, N_VGetArrayPointer(s->y), KS_STEP_NODES - 1);
    s->view->step(s->view->self, &step, s->nodes);
    return KS_OK;
}

/* Shows the observer every stop up to time t. */
static void show_stops(struct cvode *s, const struct ks_problem *problem, double t, int *i_stop) {
    const struct ks_course *course = problem->course;
    for (; *i_stop < course->n_stops && course->stops[*i_stop] <= t; ++*i_stop)
        if (problem->observer)
            s->view->stop(s->view->self, problem->observer, *i_stop, N_VGetArrayPointer(s->y));
}

/* From one edge to the next; the status goes into the problem. */
static int solve_segment(struct cvode *s, struct ks_problem *problem, double start, double end, int *i_stop) {
    const struct ks_course *course = problem->course;
    size_t n_bytes = (size_t)s->system->n_states * sizeof(double);
    KS_TRY(restart(s, start));
    for (double t = start; t < end;) {
        double before = t, target = end;
        if (*i_stop < course->n_stops && course->stops[*i_stop] < end) target = course->stops[*i_stop];
        if (problem->n_steps >= (uint32_t)s->options.max_steps) {
            problem->status = KS_STATUS_step_limit;
            return KS_OK;
        }
        if (is_dropped(s)) {
            problem->status = KS_STATUS_not_run;
            return KS_OK;
        }
        memcpy(s->before, N_VGetArrayPointer(s->y), n_bytes);
        problem->status = take_step(s, target, &t);
        if (problem->status != KS_STATUS_done) return KS_OK;
        problem->n_steps++;
        if (problem->observer && s->view->n_watched > 0 && t > before)
            KS_TRY(show_step(s, problem->observer, before, t));
        show_stops(s, problem, t, i_stop);
    }
    return KS_OK;
}

static int solve_one(struct cvode *s, struct ks_problem *problem) {
    const struct ks_course *course = problem->course;
    size_t n_bytes = (size_t)s->system->n_states * sizeof(double);
    int i_stop = 0;
    memcpy(N_VGetArrayPointer(s->y), problem->y, n_bytes);
    s->coefficients = problem->coefficients;
    problem->status = KS_STATUS_done;
    problem->n_steps = 0;
    KS_TRY(set_tolerance(s, s->options.rtol));
    show_stops(s, problem, course->edges[0], &i_stop);
    for (int i = 0; i < course->n_segments && problem->status == KS_STATUS_done; i++) {
        s->inputs = &course->inputs[i * s->system->n_inputs];
        KS_TRY(solve_segment(s, problem, course->edges[i], course->edges[i + 1], &i_stop));
    }
    memcpy(problem->y, N_VGetArrayPointer(s->y), n_bytes);
    return KS_OK;
}

/* One iteration of Newton's method on s->y, as a step without end, which holds what has no rate; false where the matrix
 * is singular. *size: of the correction, in sizes. */
static bool improve(struct cvode *s, double *size) {
    int n = s->system->n_states;
    double *y = N_VGetArrayPointer(s->y), *rates = N_VGetArrayPointer(s->work),
           *correction = N_VGetArrayPointer(s->correction);
    s->system->rhs(s->coefficients, s->inputs, y, rates);
    fill_matrix(s, y, s->newton_matrix);
    double *data = SUNSparseMatrix_Data(s->newton_matrix);
    for (int k = 0; k < s->system->n_nonzeros; k++)
        if (s->system->rows[k] == s->system->columns[k]) data[s->slots[k]] -= 1 / newton_step;
    if (SUNLinSolSetup(s->newton, s->newton_matrix) != 0 ||
        SUNLinSolSolve(s->newton, s->newton_matrix, s->correction, s->work, 0) != 0)
        return false;
    *size = 0;
    for (int i = 0; i < n; i++) {
        double change = fabs(correction[i]) / (s->system->scales[i] + fabs(y[i]));
        if (!(change <= *size)) *size = change;
        y[i] -= correction[i];
    }
    return isfinite(*size);
}

/* Newton's method from s->y to the root near by; false where there is none within reach. */
static bool find_root(struct cvode *s) {
    double size, travelled = 0;
    if (SUNLinSolInitialize(s->newton) != 0) return false;
    for (int i = 0; i < NEWTON_MAX_ITERATIONS; i++) {
        if (!improve(s, &size)) return false;
        travelled += size;
        if (travelled > newton_reach) return false;
        if (size <= newton_tolerance) return true;
    }
    return false;
}

/* Steps from s->y at time 0 until Newton's method finds a root near by; a status. */
static int approach_equilibrium(struct cvode *s, uint32_t *n_steps) {
    size_t n_bytes = (size_t)s->system->n_states * sizeof(double);
    double t = 0, trial = first_trial;
    for (*n_steps = 0; *n_steps < SETTLE_MAX_STEPS && t < last_trial; ++*n_steps) {
        if (is_dropped(s)) return KS_STATUS_not_run;
        if (take_step(s, 10 * last_trial, &t) != KS_STATUS_done) break;
        if (t < trial) continue;
        memcpy(s->before, N_VGetArrayPointer(s->y), n_bytes);
        if (find_root(s)) return KS_STATUS_done;
        memcpy(N_VGetArrayPointer(s->y), s->before, n_bytes); /* CVODE goes on from its own history */
        trial = 2 * t;
    }
    return KS_STATUS_no_equilibrium;
}

static int settle_one(struct cvode *s, struct ks_problem *problem) {
    size_t n_bytes = (size_t)s->system->n_states * sizeof(double);
    memcpy(N_VGetArrayPointer(s->y), problem->y, n_bytes);
    s->coefficients = problem->coefficients;
    s->inputs = s->no_inputs;
    KS_TRY(set_tolerance(s, settle_rtol));
    KS_TRY(restart(s, 0));
    problem->status = approach_equilibrium(s, &problem->n_steps);
    if (problem->status == KS_STATUS_done) memcpy(problem->y, N_VGetArrayPointer(s->y), n_bytes);
    return KS_OK;
}

static int solve(void *self, int n_problems, struct ks_problem *problems) {
    struct cvode *s = self;
    for (int i = 0; i < n_problems; i++) {
        KS_TRY(solve_one(s, &problems[i]));
        s->n_steps[0] += problems[i].n_steps;
    }
    return KS_OK;
}

static int settle(void *self, int n_problems, struct ks_problem *problems) {
    struct cvode *s = self;
    for (int i = 0; i < n_problems; i++) {
        KS_TRY(settle_one(s, &problems[i]));
        s->n_steps[1] += problems[i].n_steps;
    }
    return KS_OK;
}

static void report_usage(const void *self, bool is_settling, struct ks_solver_usage *usage) {
    uint64_t n = ((const struct cvode *)self)->n_steps[is_settling];
    *usage = (struct ks_solver_usage){n, n, n};
}

const struct ks_solver_method ks_cvode_method = {create, destroy, solve, settle, report_usage};
