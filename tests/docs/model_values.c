/* What the model computes, for comparison with the equations that its document prints (test_model.py).
 *
 * Reads cases from stdin: 0 or 1 (under treatment), parameters, inputs, states at t = 0, states now. Prints for each the
 * rates of the states and the derived quantities. The first lines of the output name the order of all these. */
#include "base/error.h"
#include "model/model.h"

#include <stdio.h>

static bool read_numbers(int n, double *numbers) {
    for (int i = 0; i < n; i++)
        if (scanf("%lf", &numbers[i]) != 1) return false;
    return true;
}

static void print_names(void) {
    for (int i = 0; i < KS_N_PARAMETERS; i++) printf("%s ", ks_parameters[i].name);
    printf("\ninfusion_central infusion_depot session dosing\n");
    for (int i = 0; i < KS_N_QUANTITIES; i++)
        printf("%s%c", ks_quantities[i].name, i + 1 == KS_N_STATES ? '\n' : ' ');
    printf("\n");
}

int main(void) {
    double is_treated, parameters[KS_N_PARAMETERS], inputs[KS_N_INPUTS], start[KS_N_STATES], y[KS_N_STATES];
    double coefficients[KS_N_COEFFICIENTS], rates[KS_N_STATES];
    print_names();
    while (read_numbers(1, &is_treated) && read_numbers(KS_N_PARAMETERS, parameters) &&
           read_numbers(KS_N_INPUTS, inputs) && read_numbers(KS_N_STATES, start) &&
           read_numbers(KS_N_STATES, y)) {
        ks_model_prepare(parameters, coefficients);
        if (is_treated != 0) ks_model_begin_treatment(parameters, start, coefficients);
        ks_model_equations(1)->rhs(coefficients, inputs, y, rates);
        for (int i = 0; i < KS_N_STATES; i++) printf("%.17g ", rates[i]);
        for (int i = KS_N_STATES; i < KS_N_QUANTITIES; i++)
            printf("%.17g ", ks_model_quantity(i, coefficients, y));
        printf("\n");
    }
    return 0;
}
