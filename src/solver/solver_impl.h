/* What a kind of solver provides behind the interface of solver.h. */
#ifndef KS_SOLVER_SOLVER_IMPL_H
#define KS_SOLVER_SOLVER_IMPL_H

#include "solver/solver.h"

struct ks_solver_method {
    int (*create)(void **self, const struct ks_system *system, const struct ks_solver_options *options);
    void (*destroy)(void *self);
    int (*solve)(void *self, struct ks_problem *problem);
    int (*settle)(void *self, struct ks_problem *problem);
};

extern const struct ks_solver_method ks_cvode_method;

#endif
