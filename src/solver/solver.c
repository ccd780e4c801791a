/* The interface of the solvers: finds the method of a kind and hands it the problems. */
#include "base/error.h"
#include "base/memory.h"
#include "solver/solver_impl.h"

#include <stdlib.h>

const char *const ks_solver_names[KS_N_SOLVERS] = {
    [KS_SOLVER_cvode] = "cvode", [KS_SOLVER_rosenbrock] = "rosenbrock"};

static const struct ks_solver_method *const methods[KS_N_SOLVERS] = {
    [KS_SOLVER_cvode] = &ks_cvode_method, [KS_SOLVER_rosenbrock] = &ks_rosenbrock_method};

struct ks_solver {
    const struct ks_solver_method *method;
    void *self;
};

int ks_solver_create(ks_solver **solver, const struct ks_system *system, const struct ks_view *view,
                     const struct ks_solver_options *options) {
    ks_solver *s;
    KS_ALLOCATE(s, 1);
    s->method = methods[options->kind];
    int err = s->method->create(&s->self, system, view, options);
    if (err < 0) {
        free(s);
        return err;
    }
    *solver = s;
    return KS_OK;
}

void ks_solver_destroy(ks_solver **solver) {
    if (*solver == NULL) return;
    (*solver)->method->destroy((*solver)->self);
    free(*solver);
    *solver = NULL;
}

int ks_solver_solve(ks_solver *solver, int n_problems, struct ks_problem *problems) {
    return solver->method->solve(solver->self, n_problems, problems);
}

int ks_solver_settle(ks_solver *solver, int n_problems, struct ks_problem *problems) {
    return solver->method->settle(solver->self, n_problems, problems);
}

void ks_solver_usage(const ks_solver *solver, bool is_settling, struct ks_solver_usage *usage) {
    solver->method->usage(solver->self, is_settling, usage);
}
