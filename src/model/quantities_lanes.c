/* Derived quantities over lanes, for those who follow them from step to step. */
#include "model/quantities_impl.h"
#include "model/rhs_impl.h"

void KS_LANED(ks_model_quantities)(int n, const int *quantities, const double *coefficients,
                                   const double *states, double *values) {
    for (int i = 0; i < n; i++)
        ((ks_lane *)values)[i] =
            evaluate_quantity(quantities[i], (const ks_lane *)coefficients, (const ks_lane *)states);
}
