/* Functions with known answers: Ishigami and Homma 1990 (sensitivity indices in closed form), Sobol's g-function
 * (Saltelli and Sobol' 1995), and a wide row like the model's, for measuring how fast results are written. One is there
 * to crash. */
#include "base/elementary.h"
#include "model/model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { G_INPUTS = 8, WIDE_INPUTS = 4, WIDE_OUTPUTS = 64 };

/* y = sin x1 + 7 sin^2 x2 + 0.1 x3^4 sin x1 */
static void evaluate_ishigami(const double *x, double *y) {
    double first = ks_elementary_sin(x[0]), second = ks_elementary_sin(x[1]), square = x[2] * x[2];
    y[0] = first + 7 * second * second + 0.1 * square * square * first;
}

/* y = product of (|4 x_i - 2| + a_i) / (1 + a_i) */
static void evaluate_g(const double *x, double *y) {
    static const double a[G_INPUTS] = {0, 1, 4.5, 9, 99, 99, 99, 99};
    y[0] = 1;
    for (int i = 0; i < G_INPUTS; i++) y[0] *= (fabs(4 * x[i] - 2) + a[i]) / (1 + a[i]);
}

/* y_k = x1 + x2 k + x3 k^2 + x4 k^3, k = (output - 1) / 64 */
static void evaluate_wide(const double *x, double *y) {
    for (int i = 0; i < WIDE_OUTPUTS; i++) {
        double k = (double)i / WIDE_OUTPUTS;
        y[i] = x[0] + k * (x[1] + k * (x[2] + k * x[3]));
    }
}

/* y = x1, but no process outlives x1 > 1. */
static void evaluate_crash(const double *x, double *y) {
    if (x[0] > 1) abort();
    y[0] = x[0];
}

static const struct ks_test_function functions[] = {
    {"ishigami", "sin x1 + 7 sin^2 x2 + 0.1 x3^4 sin x1", 3, 1, -3.14159265358979312, 3.14159265358979312,
     evaluate_ishigami},
    {"gfunction", "Sobol's g-function with a = 0, 1, 4.5, 9, 99, 99, 99, 99", G_INPUTS, 1, 0, 1, evaluate_g},
    {"wide", "cubics at 64 places, rows as wide as the model's", WIDE_INPUTS, WIDE_OUTPUTS, 0, 1,
     evaluate_wide},
    {"crash", "x1; the process crashes where x1 > 1", 1, 1, 0, 1, evaluate_crash},
};

enum { N_FUNCTIONS = sizeof functions / sizeof functions[0] };

const struct ks_test_function *ks_model_test_function(int i) {
    return i >= 0 && i < N_FUNCTIONS ? &functions[i] : NULL;
}

const struct ks_test_function *ks_model_find_test_function(const char *name) {
    for (int i = 0; i < N_FUNCTIONS; i++)
        if (strcmp(functions[i].name, name) == 0) return &functions[i];
    return NULL;
}
