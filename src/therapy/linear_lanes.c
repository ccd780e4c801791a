/* The sparse LU of the model's Jacobian over lanes, written out at build time (tools/generate_lu.c). */
#include "base/lanes.h"
#include "therapy/therapy_impl.h"

#include "therapy/linear_program.h"

static void factorise_lanes(const double *diagonal, const double *values, double *factors) {
    factorise(*(const ks_lane *)diagonal, (const ks_lane *)values, (ks_lane *)factors);
}

static void substitute_lanes(const double *factors, const double *rates, double *x) {
    substitute((const ks_lane *)factors, (const ks_lane *)rates, (ks_lane *)x);
}

const struct ks_linear_program KS_LANED(ks_linear_program) = {N_FACTORS, factorise_lanes, substitute_lanes};
