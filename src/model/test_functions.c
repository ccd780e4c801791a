/* Functions with known answers: Ishigami and Homma 1990 (sensitivity indices in closed form), Sobol's g-function
 * (Saltelli and Sobol' 1995), flow through a borehole (Harper and Gupta 1983) and a wing's weight (Forrester, Sobester and
 * Keane 2008), which every package tests with; functions that fail, and one that crashes; and a wide row like the model's, for measuring how fast
 * results are written. */
#include "base/elementary.h"
#include "model/model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { G_INPUTS = 8, WIDE_INPUTS = 4, WIDE_OUTPUTS = 64 };

static const double two_pi = 6.28318530717958648;
#define PI 3.14159265358979312

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

/* y = 4 x1 + 5 x2 */
static void evaluate_linear(const double *x, double *y) {
    y[0] = 4 * x[0] + 5 * x[1];
}

/* Flow through a borehole, m^3 per year. */
static void evaluate_borehole(const double *x, double *y) {
    enum { RW, R, TU, HU, TL, HL, L, KW };
    double log_ratio = ks_elementary_log(x[R] / x[RW]);
    double leak = 2 * x[L] * x[TU] / (log_ratio * x[RW] * x[RW] * x[KW]);
    y[0] = two_pi * x[TU] * (x[HU] - x[HL]) / (log_ratio * (1 + leak + x[TU] / x[TL]));
}

static double power(double x, double exponent) {
    return ks_elementary_exp(exponent * ks_elementary_log(x));
}

/* Weight of a light aircraft's wing, lb. */
static void evaluate_wing_weight(const double *x, double *y) {
    enum { SW, WFW, A, SWEEP, Q, TAPER, TC, NZ, WDG, WP };
    double cosine = ks_elementary_sin((x[SWEEP] / 180 + 0.5) * (two_pi / 2));
    y[0] = 0.036 * power(x[SW], 0.758) * power(x[WFW], 0.0035) * power(x[A] / (cosine * cosine), 0.6) *
               power(x[Q], 0.006) * power(x[TAPER], 0.04) * power(100 * x[TC] / cosine, -0.3) *
               power(x[NZ] * x[WDG], 0.49) +
           x[SW] * x[WP];
}

/* Ishigami's function, of which one point in 20 fails: anywhere, by the digits of x1 that no answer depends on. */
static void evaluate_scattered(const double *x, double *y) {
    double digits = 1e6 * (x[0] + x[1] + x[2]);
    evaluate_ishigami(x, y);
    if (digits - floor(digits) < 0.05) y[0] = NAN;
}

/* The same where x1 and x3 are in the upper 22.36 % of their ranges, a twentieth of all. */
static void evaluate_corner(const double *x, double *y) {
    static const double edge = 1.7367;
    evaluate_ishigami(x, y);
    if (x[0] > edge && x[2] > edge) y[0] = NAN;
}

static const struct ks_test_input borehole_inputs[] = {
    {"rw", 0.05, 0.15}, {"r", 100, 50000}, {"Tu", 63070, 115600}, {"Hu", 990, 1110},
    {"Tl", 63.1, 116},  {"Hl", 700, 820},  {"L", 1120, 1680},     {"Kw", 9855, 12045},
};

static const struct ks_test_input wing_inputs[] = {
    {"Sw", 150, 200},  {"Wfw", 220, 300},  {"A", 6, 10},   {"sweep", -10, 10},  {"q", 16, 45},
    {"taper", 0.5, 1}, {"tc", 0.08, 0.18}, {"Nz", 2.5, 6}, {"Wdg", 1700, 2500}, {"Wp", 0.025, 0.08},
};

#define N_OF(array) ((int)(sizeof(array) / sizeof *(array)))

/* y = x1, but no process outlives x1 > 1, nor comes to an end of x1 > 2. */
static void evaluate_crash(const double *x, double *y) {
    while (x[0] > 2) pause();
    if (x[0] > 1) abort();
    y[0] = x[0];
}

static const struct ks_test_function functions[] = {
    {"ishigami", "sin x1 + 7 sin^2 x2 + 0.1 x3^4 sin x1", 3, 1, -PI, PI, NULL, evaluate_ishigami},
    {"gfunction", "Sobol's g-function with a = 0, 1, 4.5, 9, 99, 99, 99, 99", G_INPUTS, 1, 0, 1, NULL,
     evaluate_g},
    {"borehole", "flow through a borehole", N_OF(borehole_inputs), 1, 0, 0, borehole_inputs,
     evaluate_borehole},
    {"wing_weight", "weight of a light aircraft's wing", N_OF(wing_inputs), 1, 0, 0, wing_inputs,
     evaluate_wing_weight},
    {"linear", "4 x1 + 5 x2", 2, 1, -3, 3, NULL, evaluate_linear},
    {"scattered", "ishigami, of which one point in 20 fails anywhere", 3, 1, -PI, PI, NULL,
     evaluate_scattered},
    {"corner", "ishigami, which fails where x1 > 1.7367 and x3 > 1.7367", 3, 1, -PI, PI, NULL,
     evaluate_corner},
    {"wide", "cubics at 64 places, rows as wide as the model's", WIDE_INPUTS, WIDE_OUTPUTS, 0, 1, NULL,
     evaluate_wide},
    {"crash", "x1; the process crashes where x1 > 1, hangs where x1 > 2", 1, 1, 0, 1, NULL, evaluate_crash},
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
