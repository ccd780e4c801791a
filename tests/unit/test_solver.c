/* The solver behind its interface, on systems with known answers: accuracy, edges and stops, independence of earlier
 * problems, failures, and the basin of an equilibrium. */
#include "base/error.h"
#include "base/status.h"
#include "solver/solver.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A stiff pair: y0' = input - c0 y0, y1' = c1 (y0 - y1); y2' = y0 is an area. */
static void pair_rhs(const double *c, const double *u, const double *y, double *d) {
    d[0] = u[0] - c[0] * y[0];
    d[1] = c[1] * (y[0] - y[1]);
    d[2] = y[0];
}

static void pair_linearise(const double *c, const double *u, const double *y, double *d, double *v) {
    pair_rhs(c, u, y, d);
    v[0] = -c[0], v[1] = c[1], v[2] = -c[1], v[3] = 1, v[4] = 0;
}

static const int pair_rows[5] = {0, 1, 1, 2, 2}, pair_columns[5] = {0, 0, 1, 0, 2};
static const double ones[3] = {1, 1, 1};
static const struct ks_system pair = {.n_states = 3,
                                      .n_inputs = 1,
                                      .n_coefficients = 2,
                                      .scales = ones,
                                      .n_nonzeros = 5,
                                      .rows = pair_rows,
                                      .columns = pair_columns,
                                      .lanes = 1,
                                      .rhs = pair_rhs,
                                      .linearise = pair_linearise};

/* y' = c y - y^3 + input: resting at +-sqrt(c), not at all where the rate is constant (c = NAN: not even numbers). */
static void fork_rhs(const double *c, const double *u, const double *y, double *d) {
    d[0] = c[1] + u[0] + c[0] * y[0] - c[2] * y[0] * y[0] * y[0];
}

static void fork_linearise(const double *c, const double *u, const double *y, double *d, double *v) {
    fork_rhs(c, u, y, d);
    v[0] = c[0] - 3 * c[2] * y[0] * y[0];
}

static const int zero[1] = {0};
static const struct ks_system fork = {.n_states = 1,
                                      .n_inputs = 1,
                                      .n_coefficients = 3,
                                      .scales = ones,
                                      .n_nonzeros = 1,
                                      .rows = zero,
                                      .columns = zero,
                                      .lanes = 1,
                                      .rhs = fork_rhs,
                                      .linearise = fork_linearise};

/* Everything is seen, and the first state watched. */
static void watch_first(void *self, const double *coefficients, const double *y, double *values) {
    (void)self, (void)coefficients;
    values[0] = y[0];
}

static const int all_states[3] = {0, 1, 2};

static enum ks_solver_kind kind; /* of the group of tests that runs */

static void record_step(void *self, const struct ks_shown_step *step, const double *values);
static void record_stop(void *self, void *observer, int i_stop, const double *y);

static ks_solver *make_solver(const struct ks_system *system, double rtol, int max_steps) {
    static struct ks_view view;
    const struct ks_solver_options options = {kind, rtol, max_steps};
    ks_solver *solver;
    view = (struct ks_view){.n_stepped = 1,
                            .n_seen = system->n_states,
                            .seen = all_states,
                            .n_watched = 1,
                            .watch = watch_first,
                            .step = record_step,
                            .stop = record_stop};
    assert_int_equal(ks_solver_create(&solver, system, &view, &options), KS_OK);
    return solver;
}

/* Input 2 from 1 to 3 h, else 0; stops before, at and after edges. */
enum { N_STOPS = 6 };
static const double edges[4] = {0, 1, 3, 10}, inputs[3] = {0, 2, 0}, stops[N_STOPS] = {0, 1, 1.7, 3, 5, 10};
static const struct ks_course course = {3, edges, inputs, N_STOPS, stops};
static const double stiff[2] = {0.5, 1e4};

static double exact_first(double t) {
    double pulse = t < 1 ? 0 : 4 * (1 - exp(-0.5 * (fmin(t, 3) - 1))) * exp(-0.5 * fmax(0, t - 3));
    return exp(-0.5 * t) + pulse;
}

struct record {
    int n_stops, n_steps;
    double seen[N_STOPS][3], last_end, worst;
};

static void record_stop(void *self, void *observer, int i, const double *y) {
    struct record *r = observer;
    (void)self;
    assert_int_equal(i, r->n_stops);
    memcpy(r->seen[r->n_stops++], y, 3 * sizeof(double));
}

/* Steps follow each other, land on edges and stops, and their nodes lie on the solution. */
static void record_step(void *self, const struct ks_shown_step *step, const double *values) {
    struct record *r = step->observer;
    double start = step->start, end = step->end;
    (void)self;
    if (r == NULL) return;
    assert_true(start == r->last_end && end > start);
    for (int i = 0; i < 4; i++) assert_false(start < edges[i] && edges[i] < end);
    for (int i = 0; i < N_STOPS && kind == KS_SOLVER_cvode; i++)
        assert_false(start < stops[i] && stops[i] < end);
    for (int k = 0; k < KS_STEP_NODES; k++) {
        double t = start + (end - start) * k / (KS_STEP_NODES - 1);
        r->worst = fmax(r->worst, fabs(values[k] - exact_first(t)));
    }
    r->last_end = end;
    r->n_steps++;
}

static void solve_pair(ks_solver *solver, struct record *r, double y[3]) {
    memset(r, 0, sizeof *r);
    y[0] = 1, y[1] = 1, y[2] = 0;
    struct ks_problem problem = {.coefficients = stiff, .y = y, .course = &course, .observer = r};
    assert_int_equal(ks_solver_solve(solver, 1, &problem), KS_OK);
    assert_int_equal(problem.status, KS_STATUS_done);
    assert_int_equal(problem.n_steps, r->n_steps);
}

static void solution_stops_and_nodes_are_accurate(void **state) {
    (void)state;
    double before = 1;
    for (double rtol = 1e-4; rtol > 1e-9; rtol *= 1e-2) {
        ks_solver *solver = make_solver(&pair, rtol, 10000);
        struct record r;
        double y[3];
        solve_pair(solver, &r, y);
        assert_int_equal(r.n_stops, N_STOPS);
        assert_true(r.last_end == 10);
        for (int i = 0; i < N_STOPS; i++)
            assert_true(fabs(r.seen[i][0] - exact_first(stops[i])) <= 50 * rtol);
        assert_true(fabs(y[2] - (2 + 8 - 2 * exact_first(10))) <=
                    200 * rtol); /* area: (y(0) + dose - y) / c */
        assert_true(r.worst <= 50 * rtol && r.worst < 0.3 * before);
        before = r.worst;
        ks_solver_destroy(&solver);
        assert_null(solver);
    }
}

static void result_does_not_depend_on_earlier_problems(void **state) {
    (void)state;
    struct record fresh, used;
    double y_fresh[3], y_used[3], y_other[3] = {-7, 3, 1};
    ks_solver *solver = make_solver(&pair, 1e-6, 10000);
    solve_pair(solver, &fresh, y_fresh);
    const double others[2] = {30, 2};
    struct ks_problem other = {.coefficients = others, .y = y_other, .course = &course};
    assert_int_equal(ks_solver_solve(solver, 1, &other), KS_OK);
    assert_int_equal(ks_solver_settle(solver, 1, &other), KS_OK);
    solve_pair(solver, &used, y_used);
    assert_memory_equal(y_fresh, y_used, sizeof y_fresh);
    assert_memory_equal(&fresh, &used, sizeof fresh);
    ks_solver_destroy(&solver);
}

static void failures_are_statuses(void **state) {
    (void)state;
    ks_solver *solver = make_solver(&fork, 1e-6, 3);
    double y = 1;
    const double calm[3] = {1, 0.1, 1}, no_number[3] = {NAN, 0, 0};
    struct ks_problem problem = {.coefficients = calm, .y = &y, .course = &course};
    assert_int_equal(ks_solver_solve(solver, 1, &problem), KS_OK);
    assert_int_equal(problem.status, KS_STATUS_step_limit);
    assert_int_equal(problem.n_steps, 3);
    problem.coefficients = no_number;
    assert_int_equal(ks_solver_solve(solver, 1, &problem), KS_OK);
    assert_int_equal(problem.status, KS_STATUS_non_finite);
    y = 1;
    assert_int_equal(ks_solver_settle(solver, 1, &problem), KS_OK);
    assert_int_equal(problem.status, KS_STATUS_no_equilibrium);
    ks_solver_destroy(&solver);
}

static void explosion_is_a_failure(void **state) {
    (void)state;
    ks_solver *solver = make_solver(&fork, 1e-6, 100000);
    double y = 1;
    const double explosive[3] = {0, 0, -1}; /* y' = y^3 reaches infinity at 0.5 h */
    struct ks_problem problem = {.coefficients = explosive, .y = &y, .course = &course};
    assert_int_equal(ks_solver_solve(solver, 1, &problem), KS_OK);
    assert_true(ks_status_is_failure(problem.status));
    ks_solver_destroy(&solver);
}

static void equilibrium_is_the_seeds(void **state) {
    (void)state;
    ks_solver *solver = make_solver(&fork, 1e-6, 100);
    const double c[3] = {4e-3, 0, 1e-3}, seeds[4] = {0.01, 5, -0.01, -5};
    for (int i = 0; i < 4; i++) {
        double y = seeds[i];
        struct ks_problem problem = {.coefficients = c, .y = &y};
        assert_int_equal(ks_solver_settle(solver, 1, &problem), KS_OK);
        assert_int_equal(problem.status, KS_STATUS_done);
        assert_true(fabs(y - (seeds[i] > 0 ? 2 : -2)) < 1e-10);
    }
    const double drift[3] = {0, 1, 0};
    double y = 0;
    struct ks_problem problem = {.coefficients = drift, .y = &y};
    assert_int_equal(ks_solver_settle(solver, 1, &problem), KS_OK);
    assert_int_equal(problem.status, KS_STATUS_no_equilibrium);
    ks_solver_destroy(&solver);
}

/* The error against the number of steps: order 5 where the solution is smooth, edges landed on exactly. */
static void rosenbrock_converges_with_its_order(void **state) {
    (void)state;
    double least_slope = 100, error[2] = {0}, n_steps[2] = {0};
    for (int i = 0; i < 4; i++) {
        ks_solver *solver = make_solver(&pair, pow(10, -4 - 2 * i), 100000);
        struct record r;
        double y[3];
        solve_pair(solver, &r, y);
        ks_solver_destroy(&solver);
        error[1] = fabs(r.seen[N_STOPS - 1][0] - exact_first(10)), n_steps[1] = r.n_steps;
        for (int k = 0; k < N_STOPS; k++)
            error[1] = fmax(error[1], fabs(r.seen[k][0] - exact_first(stops[k])));
        if (i > 0) least_slope = fmin(least_slope, log(error[0] / error[1]) / log(n_steps[1] / n_steps[0]));
        error[0] = error[1], n_steps[0] = n_steps[1];
    }
    if (least_slope < 4) fail_msg("order %g", least_slope);
}

static int use_cvode(void **state) {
    (void)state;
    kind = KS_SOLVER_cvode;
    return 0;
}

static int use_rosenbrock(void **state) {
    (void)state;
    kind = KS_SOLVER_rosenbrock;
    return 0;
}

#define BOTH(test)                                              \
    {#test " (cvode)", test, use_cvode, NULL, NULL}, {          \
#test " (rosenbrock)", test, use_rosenbrock, NULL, NULL \
    }

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH(solution_stops_and_nodes_are_accurate),
        BOTH(result_does_not_depend_on_earlier_problems),
        BOTH(failures_are_statuses),
        BOTH(explosion_is_a_failure),
        BOTH(equilibrium_is_the_seeds),
        {"rosenbrock_converges_with_its_order", rosenbrock_converges_with_its_order, use_rosenbrock, NULL,
         NULL},
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
