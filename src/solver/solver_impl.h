/* What a kind of solver provides behind the interface of solver.h. */
#ifndef KS_SOLVER_SOLVER_IMPL_H
#define KS_SOLVER_SOLVER_IMPL_H

#include "solver/solver.h"

struct ks_solver_method {
    int (*create)(void **self, const struct ks_system *system, const struct ks_view *view,
                  const struct ks_solver_options *options);
    void (*destroy)(void *self);
    int (*solve)(void *self, int n_problems, struct ks_problem *problems);
    int (*settle)(void *self, int n_problems, struct ks_problem *problems);
    void (*usage)(const void *self, bool is_settling, struct ks_solver_usage *usage);
};

extern const struct ks_solver_method ks_cvode_method, ks_rosenbrock_method;

#endif
