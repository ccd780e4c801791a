/* Rodas3: A. Sandu et al., Benchmarking stiff ODE solvers for atmospheric chemistry problems II: Rosenbrock solvers,
 * Atmospheric Environment 31:3459-3472 (1997), doi:10.1016/S1352-2310(97)83212-8. Four stages, three right-hand sides,
 * order 3(2), L-stable, stiffly accurate; without dense output, for the way to the equilibrium. */
#include "solver/rosenbrock_impl.h"

const struct ks_rosenbrock_table ks_rodas3_table = {
    .name = "rodas3",
    .n_stages = 4,
    .n_sums = 3,
    .last_at_y = 1,
    .gamma = 0.5,
    .error_exponent = 1.0 / 3,
    .a = {{0}, {0}, {2.0, 0}},
    .c = {{0}, {4.0}, {1.0, -1.0}, {1.0, -1.0, -8.0 / 3}},
};
