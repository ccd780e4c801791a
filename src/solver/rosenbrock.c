/* The lane-parallel Rosenbrock solver behind the interface of solver.h: memory and the choice of the width. */
#include "base/error.h"
#include "base/memory.h"
#include "solver/rosenbrock_impl.h"

#include <stdlib.h>

struct engine {
    int lanes;
    size_t (*memory)(const struct ks_rosenbrock *solver);
    void (*run)(struct ks_rosenbrock *solver, bool is_settling, int n_problems, struct ks_problem *problems);
};

#define X(lanes) {lanes, ks_rosenbrock_memory_w##lanes, ks_rosenbrock_run_w##lanes},
static const struct engine engines[] = {KS_ROSENBROCK_LANES_TABLE(X)};
#undef X

static const struct engine *find_engine(int lanes) {
    for (size_t i = 0; i < sizeof engines / sizeof engines[0]; i++)
        if (engines[i].lanes == lanes) return &engines[i];
    return NULL;
}

static void destroy(void *self) {
    struct ks_rosenbrock *solver = self;
    ks_lu_release(&solver->lu);
    free(solver->memory);
    free(solver);
}

static int initialise(struct ks_rosenbrock *solver) {
    const struct ks_system *system = solver->system;
    const struct engine *engine = find_engine(system->lanes);
    KS_CHECK(engine != NULL, KS_ERR_SOLVER, "this build has no engine for %d lanes", system->lanes);
    if (system->linear == NULL)
        KS_TRY(
            ks_lu_create(&solver->lu, system->n_states, system->n_nonzeros, system->rows, system->columns));
    solver->n_factors = system->linear ? system->linear->n_factors : solver->lu.n_entries;
    KS_ALLOCATE(solver->memory, engine->memory(solver));
    return KS_OK;
}

static int create(void **self, const struct ks_system *system, const struct ks_view *view,
                  const struct ks_solver_options *options) {
    struct ks_rosenbrock *solver;
    KS_ALLOCATE(solver, 1);
    solver->system = system;
    solver->view = view;
    solver->options = *options;
    int err = initialise(solver);
    if (err < 0) {
        destroy(solver);
        return err;
    }
    *self = solver;
    return KS_OK;
}

static int solve(void *self, int n_problems, struct ks_problem *problems) {
    struct ks_rosenbrock *solver = self;
    find_engine(solver->system->lanes)->run(solver, false, n_problems, problems);
    return KS_OK;
}

static int settle(void *self, int n_problems, struct ks_problem *problems) {
    struct ks_rosenbrock *solver = self;
    find_engine(solver->system->lanes)->run(solver, true, n_problems, problems);
    return KS_OK;
}

static void report_usage(const void *self, bool is_settling, struct ks_solver_usage *usage) {
    const struct ks_rosenbrock *solver = self;
    *usage = solver->usage[is_settling];
}

const struct ks_solver_method ks_rosenbrock_method = {create, destroy, solve, settle, report_usage};
