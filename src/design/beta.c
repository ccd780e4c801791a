/* The beta distribution: the shares on the two sides of a point, and the quantile function that inverts them.
 *
 * The shares are x^alpha y^beta / B(alpha, beta) times a continued fraction (DiDonato and Morris 1992,
 * doi:10.1145/131766.131776, equation 9), y = 1 - x. Computed from
 * logarithms of gamma functions the first factor would lose 5 digits at shapes of 1e5, where these are 1e6; so it is
 * written as the height of a normal distribution, Stirling's errors, and a deviance that is 0 at the mean (Loader
 * 2000, Fast and accurate computation of binomial probabilities).
 *
 * The quantile is Newton's on ln I_x(alpha, beta) over ln x, where the tail is a straight line of slope alpha, kept
 * inside a bracket: 6 to 12 evaluations on average. */
#include "base/elementary.h"
#include "design/design_impl.h"

#include <float.h>
#include <math.h>

enum { MAX_TERMS = 10000, MAX_ITERATIONS = 100 };

struct beta {
    double a, b;
    double height; /* of x^a y^b / B(a, b) at the mean */
};

/* ---- x^a y^b / B(a, b) ---------------------------------------------------------------------------------- */

/* ln Gamma(z) - ln(sqrt(2 pi / z) (z / e)^z): Stirling's series from z = 10, and below by steps of
 * (z + 1/2) ln(1 + 1 / z) - 1. */
static double stirling_error(double z) {
    static const double series[8] = {1 / 12.0,   -1 / 360.0,      1 / 1260.0, -1 / 1680.0,
                                     1 / 1188.0, -691 / 360360.0, 1 / 156.0,  -3617 / 122400.0};
    double steps = 0, sum = 0;
    for (; z < 10; z++) steps += (z + 0.5) * ks_elementary_log1p(1 / z) - 1;
    for (int k = 7; k >= 0; k--) sum = sum / (z * z) + series[k];
    return steps + sum / z;
}

static struct beta make_beta(double a, double b) {
    double n = a + b, errors = stirling_error(n) - stirling_error(a) - stirling_error(b);
    return (struct beta){a, b, sqrt(a / n * b / 6.2831853071795865) * ks_elementary_exp(errors)};
}

/* a ln(a / m) + m - a with its difference a - m: a series in v = (a - m) / (a + m) where they are close. */
static double deviance(double a, double m, double difference) {
    double v = difference / (a + m), square = v * v, sum = 0;
    if (fabs(v) > 0.1) return a * ks_elementary_log(a / m) - difference;
    for (int k = 17; k >= 3; k -= 2) sum = (sum + 1.0 / k) * square; /* v^2 / 3 + v^4 / 5 + ... */
    return difference * v + 2 * a * v * sum;
}

static double power_term(const struct beta *d, double x) {
    double y = 1 - x, n = d->a + d->b, difference = d->a * y - d->b * x; /* of a and n x */
    double sum = deviance(d->a, n * x, difference) + deviance(d->b, n * y, -difference);
    return d->height * ks_elementary_exp(-sum);
}

/* ---- shares --------------------------------------------------------------------------------------------- */

static double keep_off_zero(double x) {
    return fabs(x) < 1e-300 ? 1e-300 : x;
}

/* I_x(a, b) / (x^a y^b / B(a, b)) = 1 / (beta_0 + alpha_1 / (beta_1 + alpha_2 / ...)) by Lentz's method as modified
 * by Thompson and Barnett 1986; converges in O(sqrt(max(a, b))) terms below the mean, where no digits cancel. */
static double continued_fraction(double a, double b, double x, double y) {
    double excess = a * y - b * x, c = a / (a + 1) * (excess + 1), d = 0, value = c;
    for (int n = 1; n < MAX_TERMS; n++) {
        double s = a + (2 * n - 1), step = n * (b - n) * x / s;
        double alpha = (a + (n - 1)) / s * (a + b + (n - 1)) * step * x;
        double beta = n + step + (a + n) / (s + 2) * (excess + 1 + n * (1 + y));
        d = 1 / keep_off_zero(beta + alpha * d);
        c = keep_off_zero(beta + alpha / c);
        value *= c * d;
        if (fabs(c * d - 1) <= DBL_EPSILON) break;
    }
    return 1 / value;
}

/* The side on which the fraction converges fast is computed, the other is its complement. */
static void take_shares(const struct beta *d, double x, double power, double *below, double *above) {
    if (x < (d->a + 1) / (d->a + d->b + 2)) {
        *below = fmin(power * continued_fraction(d->a, d->b, x, 1 - x), 1);
        *above = 1 - *below;
    } else {
        *above = fmin(power * continued_fraction(d->b, d->a, 1 - x, x), 1);
        *below = 1 - *above;
    }
}

void ks_beta_shares(double alpha, double beta, double x, double *below, double *above) {
    struct beta d = make_beta(alpha, beta);
    take_shares(&d, x, power_term(&d, x), below, above);
}

/* ---- the quantile --------------------------------------------------------------------------------------- */

/* x <= 1/2 with the shares `below` and `above` = 1 - below on its two sides. The smaller share is matched,
 * because it has all its digits. */
static double lower_quantile(const struct beta *d, double below, double above) {
    bool is_left = below <= above;
    double left = ks_elementary_log(DBL_MIN), right = ks_elementary_log(0.5);
    double t = fmin(ks_elementary_log(d->a / (d->a + d->b)), right);
    for (int i = 0; i < MAX_ITERATIONS; i++) {
        double x = ks_elementary_exp(t), power = power_term(d, x), left_share, right_share;
        take_shares(d, x, power, &left_share, &right_share);
        double share = is_left ? left_share : right_share;
        double excess = is_left ? ks_elementary_log(share / below) : ks_elementary_log(above / share);
        if (excess < 0)
            left = t;
        else
            right = t;
        double step = -excess * (1 - x) * share / power;
        if (fabs(step) <= 1e-9) return fmin(x * ks_elementary_exp(step), 0.5); /* its square is left */
        double next = t + step;
        if (!(next > left && next < right)) next = 0.5 * (left + right);
        if (fabs(next - t) <= 1e-14 * fabs(t)) return ks_elementary_exp(next); /* an end of the bracket */
        t = next;
    }
    return ks_elementary_exp(t);
}

double ks_beta_quantile(double alpha, double beta, double u) {
    struct beta d = make_beta(alpha, beta), mirrored = {beta, alpha, d.height};
    double below, above;
    take_shares(&d, 0.5, power_term(&d, 0.5), &below, &above);
    return u <= below ? lower_quantile(&d, u, 1 - u) : 1 - lower_quantile(&mirrored, 1 - u, u);
}
