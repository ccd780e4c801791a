/* Derived quantities of one patient, and the states that a quantity is made of. */
#include "model/quantities_impl.h"

#include <math.h>

double ks_model_quantity(int quantity, const double coefficients[KS_N_COEFFICIENTS],
                         const double y[KS_N_STATES]) {
    return evaluate_quantity(quantity, coefficients, y); /* one lane here */
}

/* What a formula uses it cannot hide: a state that is not a number shows in the result. */
bool ks_model_quantity_uses(int quantity, int state) {
    double coefficients[KS_N_COEFFICIENTS], y[KS_N_STATES];
    for (int i = 0; i < KS_N_COEFFICIENTS; i++) coefficients[i] = 1;
    for (int i = 0; i < KS_N_STATES; i++) y[i] = i == state ? NAN : 1;
    return isnan(ks_model_quantity(quantity, coefficients, y));
}
