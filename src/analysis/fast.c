/* First and total order by the extended Fourier amplitude sensitivity test (Saltelli, Tarantola and Chan 1999,
 * doi:10.1080/00401706.1999.10485594): SALib's fast, curve by curve.
 *
 * On its own curve parameter i has the frequency w, the others have no more than w / (2 M). With |f_k|^2 the power at
 * frequency k: V = 2 sum over 1 .. (n - 1) / 2; S_i from k = w, 2 w .. M w; what comes without parameter i from k <= w /
 * 2, the rest is its total effect. Powers are averaged over the curves, whose phases are random, before they are divided;
 * the spread between curves makes the interval.
 *
 * Failed points are set to the curve's mean. With a share q of them, powers shrink by (1 - q)^2 and q (1 - q) of the
 * curve's mean square is spread evenly over all frequencies; both are undone, so that some failures neither
 * lose a curve nor change what is expected. A curve with more than half of its points failed does not count. */
#include "analysis/analysis_impl.h"

#include "base/elementary.h"

#include <math.h>

enum { N_CURVES, FIRST, REST, WHOLE, N_PER_PARAMETER }; /* terms: curves, sums of power */
static const double TWO_PI = 6.283185307179586;

static int count_terms(const struct ks_design *design) {
    return N_PER_PARAMETER * design->n_variables;
}

static int count_term(const struct ks_design *design, int parameter) {
    (void)design;
    return N_PER_PARAMETER * parameter + N_CURVES;
}

/* The points of one curve. */
struct curve {
    int n, n_missing;
    const double *y; /* [n] */
    double mean;
};

/* |sum of y exp(-2 pi i k j / n)|^2 / n^2 by rotation, which is set right every 64 points. */
static double measure_power(const struct curve *curve, int frequency) {
    double real = 0, imaginary = 0, cosine = 1, sine = 0;
    double angle = TWO_PI * frequency / curve->n;
    double step_sine = ks_elementary_sin(angle), half = ks_elementary_sin(angle / 2),
           step_cosine = 1 - 2 * half * half;
    for (int j = 0; j < curve->n; j++) {
        if (j % 64 == 0) {
            double turns = (double)((int64_t)frequency * j % curve->n) / curve->n;
            sine = ks_elementary_sin(TWO_PI * turns);
            cosine = ks_elementary_sin(TWO_PI * (turns + 0.25));
        }
        if (isfinite(curve->y[j])) {
            real += (curve->y[j] - curve->mean) * cosine;
            imaginary += (curve->y[j] - curve->mean) * sine;
        }
        double next = cosine * step_cosine - sine * step_sine;
        sine = sine * step_cosine + cosine * step_sine;
        cosine = next;
    }
    return (real * real + imaginary * imaginary) / ((double)curve->n * curve->n);
}

/* Sum of squares of the deviations over n: by Parseval's identity, the power at all frequencies, twice the sum over those
 * below n / 2 and once that at n / 2. */
static double measure_whole(const struct curve *curve) {
    double sum = 0;
    for (int j = 0; j < curve->n; j++)
        if (isfinite(curve->y[j])) sum += (curve->y[j] - curve->mean) * (curve->y[j] - curve->mean);
    return sum / curve->n;
}

/* The mean by way of the first point that there is: of a curve without variation nothing is left, not even rounding. */
static struct curve look_at(int n, const double *y) {
    struct curve curve = {n, 0, y, 0};
    double first = NAN, sum = 0;
    for (int j = 0; j < n; j++) {
        if (isfinite(y[j])) {
            if (isnan(first)) first = y[j];
            sum += y[j] - first;
        } else {
            curve.n_missing++;
        }
    }
    curve.mean = first + sum / (n - curve.n_missing);
    return curve;
}

static void add_curve(const struct curve *curve, int own, double *terms) {
    double first = 0, rest = 0, whole = measure_whole(curve);
    double q = (double)curve->n_missing / curve->n, floor = q * whole / curve->n, shrunk = (1 - q) * (1 - q);
    int n_rest = own / 2;
    for (int m = 1; m <= KS_DESIGN_HARMONICS; m++) first += 2 * (measure_power(curve, m * own) - floor);
    for (int k = 1; k <= n_rest; k++) rest += 2 * (measure_power(curve, k) - floor);
    terms[N_CURVES] = 1;
    terms[FIRST] = first / shrunk;
    terms[REST] = rest / shrunk;
    terms[WHOLE] = whole / (1 - q);
    if (curve->n % 2 == 0) terms[WHOLE] -= (measure_power(curve, curve->n / 2) - floor) / shrunk;
}

static void add_terms(const struct ks_base_row *base, const double *y, double *terms) {
    int n = base->n_rows / base->n_parameters;
    for (int i = 0; i < base->n_parameters; i++) {
        struct curve curve = look_at(n, y + (size_t)i * (size_t)n);
        if (2 * curve.n_missing > n) continue;
        add_curve(&curve, ks_design_fast_frequency(base->design, i, i), terms + N_PER_PARAMETER * i);
    }
}

static void estimate(const struct ks_design *design, const double *sums, double *values, double *variance) {
    int p = design->n_variables;
    double *total = values, *first = values + p, whole = 0, n_curves = 0;
    for (int i = 0; i < p; i++, sums += N_PER_PARAMETER) {
        first[i] = sums[FIRST] / sums[WHOLE];
        total[i] = 1 - sums[REST] / sums[WHOLE];
        whole += sums[WHOLE];
        n_curves += sums[N_CURVES];
    }
    *variance = whole / n_curves;
}

static const struct ks_index indices[] = {
    {"ST", KS_OF_PARAMETER, KS_SHARE,
     "total-order index: share of the variance that comes with the parameter"},
    {"S1", KS_OF_PARAMETER, KS_SHARE, "first-order index: share of the variance by the parameter alone"},
};

static const struct ks_structured_method structured = {
    .count_terms = count_terms, .add_terms = add_terms, .estimate = estimate, .count_term = count_term};
const struct ks_method ks_method_fast = {
    .structured = &structured, .n_indices = sizeof indices / sizeof *indices, .indices = indices};
