/* The equations at each lane width that this build has (the Makefile's LANES). */
#ifndef KS_MODEL_RHS_IMPL_H
#define KS_MODEL_RHS_IMPL_H

#define KS_MODEL_DECLARE(lanes)                                                                              \
    void ks_model_rhs_w##lanes(const double *coefficients, const double *inputs, const double *states,       \
                               double *derivatives);                                                         \
    void ks_model_linearise_w##lanes(const double *coefficients, const double *inputs, const double *states, \
                                     double *derivatives, double *values);                                   \
    void ks_model_quantities_w##lanes(int n, const int *quantities, const double *coefficients,              \
                                      const double *states, double *values);

#define KS_MODEL_LANES_TABLE(X) X(1) X(2) X(4) X(8)

KS_MODEL_LANES_TABLE(KS_MODEL_DECLARE)

#endif
