/* The beta distribution's quantile function. GSL's own (gsl_cdf_beta_Pinv) gives up for small shape
 * parameters and calls the error handler, which would end the job; its distribution function is sound, and is
 * inverted here.
 *
 * Newton's method on ln I_x(alpha, beta) over ln x, where the tail is a straight line of slope alpha, kept
 * inside a bracket: 6 to 12 evaluations on average. */
#include "design/design_impl.h"

#include <float.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <math.h>

enum { MAX_ITERATIONS = 100 };

/* x <= 1/2 with the shares `below` and `above` = 1 - below on its two sides. The smaller share is matched,
 * because it has all its digits. */
static double lower_quantile(double alpha, double beta, double below, double above) {
    bool is_left = below <= above;
    double left = log(DBL_MIN), right = log(0.5);
    double t = fmin(log(alpha / (alpha + beta)), right);
    for (int i = 0; i < MAX_ITERATIONS; i++) {
        double x = exp(t);
        double share = is_left ? gsl_cdf_beta_P(x, alpha, beta) : gsl_cdf_beta_Q(x, alpha, beta);
        double excess = is_left ? log(share / below) : log(above / share);
        if (excess < 0)
            left = t;
        else
            right = t;
        double slope = x * gsl_ran_beta_pdf(x, alpha, beta) / share;
        double next = t - excess / slope;
        if (!(next > left && next < right)) next = 0.5 * (left + right);
        if (fabs(next - t) <= 1e-14 * fmax(1, fabs(t))) return exp(next);
        t = next;
    }
    return exp(t);
}

double ks_beta_quantile(double alpha, double beta, double u) {
    bool is_lower = u <= gsl_cdf_beta_P(0.5, alpha, beta);
    return is_lower ? lower_quantile(alpha, beta, u, 1 - u) : 1 - lower_quantile(beta, alpha, 1 - u, u);
}
