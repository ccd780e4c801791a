/* Each function reduces its argument to a small range and sums a series there, with as many terms as reach 1e-17:
 * exp by n ln 2 + r, log by the series of artanh (x = m 2^e with m in [sqrt(1/2), sqrt(2)), log m = 2 artanh((m - 1) /
 * (m + 1)), the argument at most 0.172), sin by quarters of a turn. Constants that are multiplied by whole numbers
 * are in parts with trailing zeros, which makes the products exact (Cody and Waite 1980, Software manual for the
 * elementary functions). frexp, ldexp, floor and fmod are exact everywhere. */
#include "base/elementary.h"

#include <math.h>

static const double SQRT_HALF = 0.70710678118654752;
static const double LN2_HIGH = 0x1.62e42fefa3800p-1, LN2_LOW = 0x1.ef35793c76730p-45; /* ln 2 */

/* 1 / k! */
static const double RECIPROCALS[20] = {
    1,
    1,
    1 / 2.0,
    1 / 6.0,
    1 / 24.0,
    1 / 120.0,
    1 / 720.0,
    1 / 5040.0,
    1 / 40320.0,
    1 / 362880.0,
    1 / 3628800.0,
    1 / 39916800.0,
    1 / 479001600.0,
    1 / 6227020800.0,
    1 / 87178291200.0,
    1 / 1307674368000.0,
    1 / 20922789888000.0,
    1 / 355687428096000.0,
    1 / 6402373705728000.0,
    1 / 121645100408832000.0,
};

/* ---- exp ---------------------------------------------------------------------------------------------- */

/* exp(high + low), |low| far below |high| or 0. What is added to 1 last has an error of 0.1 ulp of the sum. */
static double exp_of_sum(double high, double low) {
    if (!(high < 710)) return high > 0 ? INFINITY : high; /* NaN stays */
    if (high < -746) return 0;
    double n = floor(high * 0x1.71547652b82fep0 + 0.5);
    double r = high - n * LN2_HIGH, rest = low - n * LN2_LOW, sum = 0;
    double both = r + rest;
    for (int k = 13; k >= 2; k--) sum = sum * both + RECIPROCALS[k];
    return ldexp(1 + (r + (rest + both * both * sum)), (int)n);
}

double ks_elementary_exp(double x) {
    return exp_of_sum(x, 0);
}

/* ---- log ---------------------------------------------------------------------------------------------- */

/* m in [sqrt(1/2), sqrt(2)) and a whole number with x = m 2^exponent. */
static double split(double x, int *exponent) {
    double m = frexp(x, exponent);
    if (m >= SQRT_HALF) return m;
    (*exponent)--;
    return 2 * m;
}

/* artanh(s) / s - 1 = s^2 / 3 + s^4 / 5 + ... */
static double artanh_excess(double s) {
    double square = s * s, sum = 0;
    for (int k = 23; k >= 3; k -= 2) sum = (sum + 1.0 / k) * square;
    return sum;
}

double ks_elementary_log(double x) {
    if (!(x > 0 && x < INFINITY)) return x < 0 ? NAN : x == 0 ? -INFINITY : x;
    int exponent;
    double m = split(x, &exponent), s = (m - 1) / (m + 1);
    return exponent * LN2_HIGH + (2 * s + (2 * s * artanh_excess(s) + exponent * LN2_LOW));
}

/* Beyond the reach of the series, log of the rounded sum and what the rounding took away. */
double ks_elementary_log1p(double x) {
    double sum = 1 + x;
    if (x > -0.29 && x < 0.41) {
        double s = x / (2 + x);
        return 2 * s + 2 * s * artanh_excess(s);
    }
    if (!(sum > 0 && sum < INFINITY)) return ks_elementary_log(sum);
    double lost = x > 1 ? 1 - (sum - x) : x - (sum - 1);
    return ks_elementary_log(sum) + lost / sum;
}

/* ---- powers ------------------------------------------------------------------------------------------- */

/* a b = the result + *rest exactly, by halves of 26 bits (Dekker 1971, doi:10.1007/BF01397083). */
static double multiply(double a, double b, double *rest) {
    double shifted_a = (0x1p27 + 1) * a, shifted_b = (0x1p27 + 1) * b, product = a * b;
    double a_high = shifted_a - (shifted_a - a), a_low = a - a_high;
    double b_high = shifted_b - (shifted_b - b), b_low = b - b_high;
    *rest = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low;
    return product;
}

/* a / (b + b_low) = the result + *rest, to twice the digits of a double. */
static double divide(double a, double b, double b_low, double *rest) {
    double quotient = a / b, product_rest, product = multiply(quotient, b, &product_rest);
    *rest = ((a - product) - product_rest - quotient * b_low) / b;
    return quotient;
}

/* log(x) = the result + *rest, with an error of 1e-18 relative or so. */
static double log_in_parts(double x, double *rest) {
    int exponent;
    double m = split(x, &exponent), denominator = m + 1, s_rest;
    double s = divide(m - 1, denominator, m - (denominator - 1), &s_rest);
    double first = exponent * LN2_HIGH, second = first + 2 * s;
    double small = (2 * s - (second - first)) + (2 * (s_rest + s * artanh_excess(s)) + exponent * LN2_LOW);
    double sum = second + small;
    *rest = small - (sum - second);
    return sum;
}

/* A power magnifies the relative error of the exponent's product by its size: 2^9 at most, so both factors carry
 * the digits beyond a double. */
double ks_elementary_power(double x, double numerator, double denominator) {
    double log_rest, y_rest, rest;
    if (x == INFINITY) return x;
    double log_x = log_in_parts(x, &log_rest), y = divide(numerator, denominator, 0, &y_rest);
    double product = multiply(y, log_x, &rest);
    return exp_of_sum(product, rest + (y * log_rest + y_rest * log_x));
}

/* ---- sin ---------------------------------------------------------------------------------------------- */

static double sin_series(double r) {
    double square = r * r, sum = 0;
    for (int k = 19; k >= 3; k -= 2) sum = RECIPROCALS[k] - sum * square;
    return r - r * square * sum;
}

static double cos_series(double r) {
    double square = r * r, sum = 0;
    for (int k = 18; k >= 2; k -= 2) sum = RECIPROCALS[k] - sum * square;
    return 1 - square * sum;
}

double ks_elementary_sin(double x) {
    if (!(fabs(x) < INFINITY)) return NAN;
    if (fabs(x) > 1e6) x = fmod(x, 6.2831853071795865);
    double turns = floor(x * 0.63661977236758134 + 0.5), r = x; /* quarters: 2 / pi */
    r -= turns * 0x1.921fb544p+0;                               /* pi / 2 in parts of 33 bits */
    r -= turns * 0x1.0b4611a6p-34;
    r -= turns * 0x1.3198a2e037073p-69;
    int quarter = (int)(turns - 4 * floor(turns / 4));
    double value = quarter % 2 == 0 ? sin_series(r) : cos_series(r);
    return quarter < 2 ? value : -value;
}
