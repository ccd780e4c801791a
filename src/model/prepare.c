/* From parameters to the coefficients of a patient: allometric scaling, reciprocals, and what is held when a
 * mechanism is switched off. */
#include "base/elementary.h"
#include "model/model.h"

#include <math.h>

/* The share of a drive that block can take away, which grows with receptor density; 1 at density 1 gives itself. */
static double share(double x, double density) {
    return x * density / (1 - x + x * density);
}

static double fourth(double x) {
    return (x * x) * (x * x);
}

/* How fast life stress follows what the score lacks, 1/(points h): in 1,700 h at about 75 points of MADRS for 1 of stress,
 * slower than all else. Between 1e-6 and 5e-5 the same patients settle to the same states; here in the fewest steps. */
static const double stress_per_lack = 8e-6;

void ks_model_prepare(const double parameters[KS_N_PARAMETERS], double coefficients[KS_N_COEFFICIENTS]) {
#define p(name) (parameters[KS_PARAMETER_##name])
    double size = p(weight) / 70, root = sqrt(size), size_075 = root * sqrt(root);
#define X(name, value) coefficients[KS_COEFFICIENT_##name] = value;
#include "model/coefficients.def"
#undef X
#undef p
}

/* Sets the pair that makes X* = X(0) + mechanism (X - X(0)). */
static void hold(double *held, double *kept, double mechanism, double initial) {
    *held = (1 - mechanism) * initial;
    *kept = mechanism;
}

double ks_model_solved_life_stress(const double coefficients[KS_N_COEFFICIENTS],
                                   const double y[KS_N_STATES]) {
    return coefficients[KS_COEFFICIENT_life_stress] -
           coefficients[KS_COEFFICIENT_stress_per_lack] * y[KS_STATE_madrs_auc];
}

void ks_model_begin_treatment(const double parameters[KS_N_PARAMETERS], double y[KS_N_STATES],
                              double coefficients[KS_N_COEFFICIENTS]) {
    y[KS_STATE_madrs_auc] = 0;
    coefficients[KS_COEFFICIENT_score_rate] = 60;
    coefficients[KS_COEFFICIENT_score_wanted] = coefficients[KS_COEFFICIENT_stress_per_lack] = 0;
#define p(name)    (parameters[KS_PARAMETER_##name])
#define PAIR(name) &coefficients[KS_COEFFICIENT_##name##_held], &coefficients[KS_COEFFICIENT_##name##_kept]
    hold(PAIR(ampa), p(mechanism_ampa), y[KS_STATE_ampa]);
    hold(PAIR(trkb), p(mechanism_trkb), y[KS_STATE_trkb]);
    hold(PAIR(mtorc1), p(mechanism_mtorc1), y[KS_STATE_mtorc1]);
    /* N* = T(0) + mechanism_neurogenesis (T* - T(0)), T* being held itself */
    hold(PAIR(neurogenesis), p(mechanism_neurogenesis) * p(mechanism_trkb), y[KS_STATE_trkb]);
    hold(PAIR(window), p(mechanism_window), ks_model_quantity(KS_DERIVED_window, coefficients, y));
#undef PAIR
#undef p
}
