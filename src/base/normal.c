/* The normal distribution and its inverse by rational approximations: Cody 1969, Rational Chebyshev approximations for
 * the error function, doi:10.1090/S0025-5718-1969-0247736-4, scaled to the normal distribution as in Cody 1993,
 * doi:10.1145/151271.151273 (errors below 1e-18); Wichura 1988, AS 241, doi:10.2307/2347330 (below 1e-16). */
#include "base/normal.h"

#include "base/elementary.h"

#include <math.h>

struct rational {
    int degree;
    double numerator[9], denominator[9]; /* ascending powers */
};

static double evaluate(const struct rational *r, double x) {
    double above = r->numerator[r->degree], below = r->denominator[r->degree];
    for (int i = r->degree - 1; i >= 0; i--) {
        above = above * x + r->numerator[i];
        below = below * x + r->denominator[i];
    }
    return above / below;
}

/* ---- the share ---------------------------------------------------------------------------------------- */

static const double CENTRE = 0.67448975, TAIL = 5.656854249492381; /* quartile; sqrt(32) */

/* (Phi(z) - 1/2) / z in z^2, |z| <= CENTRE */
static const struct rational central = {
    4,
    {18154.981253343561249, 1067.6894854603709582, 161.02823106855587881, 2.2352520354606839287,
     0.065682337918207449113},
    {45507.789335026729956, 10260.932208618978205, 976.09855173777669322, 47.20258190468824187, 1},
};

/* Phi(-z) exp(z^2 / 2) in z, CENTRE to TAIL */
static const struct rational lateral = {
    8,
    {9842.7148383839780218, 11602.651437647350124, 6848.1904505362823326, 2494.5375852903726711,
     597.27027639480026226, 93.506656132177855979, 8.8831497943883759412, 0.39894151208813466764,
     1.0765576773720192317e-8},
    {19685.429676859990727, 38912.003286093271411, 34900.952721145977266, 18615.571640885098091,
     6485.558298266760755, 1519.377599407554805, 235.38790178262499861, 22.266688044328115691, 1},
};

/* (1 / sqrt(2 pi) - z Phi(-z) exp(z^2 / 2)) z^2 in 1 / z^2, beyond TAIL */
static const struct rational remote = {
    5,
    {2.9112874951168792e-5, 0.001421619193227893466, 0.022235277870649807, 0.1274011611602473639,
     0.21589853405795699, 0.02307344176494017303},
    {7.29751555083966205e-5, 0.00378239633202758244, 0.0659881378689285515, 0.468238212480865118,
     1.28426009614491121, 1},
};

/* exp(-z^2 / 2), z^2 in two parts of which the first is exact: the rounding of z^2 itself would be magnified. */
static double bell(double z) {
    double coarse = floor(16 * z) / 16, rest = (z - coarse) * (z + coarse);
    return ks_elementary_exp(-0.5 * coarse * coarse) * ks_elementary_exp(-0.5 * rest);
}

static double lower_tail(double z) { /* Phi(-z), z >= CENTRE */
    if (z < TAIL) return bell(z) * evaluate(&lateral, z);
    if (z > 39) return 0;
    double square = 1 / (z * z);
    return bell(z) * ((0.39894228040143267794 - square * evaluate(&remote, square)) / z);
}

double ks_normal_share(double z) {
    if (z <= -CENTRE) return lower_tail(-z);
    if (z >= CENTRE) return 1 - lower_tail(z);
    return 0.5 + z * evaluate(&central, z * z);
}

/* ---- the quantile ------------------------------------------------------------------------------------- */

/* z / q in 0.425^2 - q^2, q = share - 1/2 within 0.425 */
static const struct rational middle = {
    7,
    {3.3871328727963666080e0, 1.3314166789178437745e+2, 1.9715909503065514427e+3, 1.3731693765509461125e+4,
     4.5921953931549871457e+4, 6.7265770927008700853e+4, 3.3430575583588128105e+4, 2.5090809287301226727e+3},
    {1, 4.2313330701600911252e+1, 6.8718700749205790830e+2, 5.3941960214247511077e+3,
     2.1213794301586595867e+4, 3.9307895800092710610e+4, 2.8729085735721942674e+4, 5.2264952788528545610e+3},
};

/* -z in r - 1.6, r = sqrt(-log share) <= 5 */
static const struct rational outer = {
    7,
    {1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0,
     1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2,
     7.74545014278341407640e-4},
    {1, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
     1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4,
     1.05075007164441684324e-9},
};

/* -z in r - 5, r > 5 */
static const struct rational outermost = {
    7,
    {6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0, 2.96560571828504891230e-1,
     2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5,
     2.01033439929228813265e-7},
    {1, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
     7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7,
     2.04426310338993978564e-15},
};

double ks_normal_quantile(double share) {
    double q = share - 0.5;
    if (fabs(q) <= 0.425) return q * evaluate(&middle, 0.180625 - q * q);
    if (share <= 0 || share >= 1) return share <= 0 ? -INFINITY : INFINITY;
    double r = sqrt(-ks_elementary_log(q < 0 ? share : 1 - share));
    double z = r <= 5 ? evaluate(&outer, r - 1.6) : evaluate(&outermost, r - 5);
    return q < 0 ? -z : z;
}
