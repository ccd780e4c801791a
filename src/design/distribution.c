/* Quantile functions of the distributions, truncated through their distribution functions, and what can be
 * wrong with their parameters. Values are stored, so nothing here is of the C library that is not exact. */
#include "base/elementary.h"
#include "base/normal.h"
#include "design/design.h"
#include "design/design_impl.h"

#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

const char *const ks_distribution_names[KS_N_DISTRIBUTIONS] = {
#define X(name, words) #name,
    KS_DISTRIBUTION_TABLE(X)
#undef X
};

const char *const ks_distribution_arguments[KS_N_DISTRIBUTIONS] = {
#define X(name, words) words,
    KS_DISTRIBUTION_TABLE(X)
#undef X
};

static const double SMALLEST_MASS = 1e-12; /* that a truncation may leave */
static const double LARGEST_SHARE = 1 - 0x1p-53;
static const double LARGEST_SHAPE = 1e5; /* of beta; what its tests cover */

struct range {
    double low, high;
};

/* By comparison: whether fmax(-0, 0) is -0 is up to the compiler. */
static double clamp(double x, struct range range) {
    return x > range.low ? x < range.high ? x : range.high : range.low;
}

/* Where values can lie: the kind's own range, the truncation, whole numbers. Always finite, so values are. */
static struct range value_range(const struct ks_distribution *d) {
    struct range range = {fmax(d->low, -DBL_MAX), fmin(d->high, DBL_MAX)};
    switch (d->kind) {
    case KS_DISTRIBUTION_uniform:
    case KS_DISTRIBUTION_loguniform:
        range = (struct range){fmax(d->a, range.low), fmin(d->b, range.high)};
        break;
    case KS_DISTRIBUTION_triangular:
        range = (struct range){fmax(d->a, range.low), fmin(d->c, range.high)};
        break;
    case KS_DISTRIBUTION_logitnormal: /* 0 and 1 are rounding */
        range = (struct range){fmax(range.low, DBL_MIN), fmin(range.high, LARGEST_SHARE)};
        break;
    default:
        break;
    }
    if (d->is_integer)
        range = (struct range){ceil(range.low) + 0.0, floor(range.high) + 0.0}; /* -0 becomes 0 */
    return range;
}

/* ---- normal, lognormal, logitnormal: functions of a truncated normal score ----------------------------- */

/* The normal score of a value; infinite at the ends of the kind's own range. */
static double score(const struct ks_distribution *d, double x) {
    switch (d->kind) {
    case KS_DISTRIBUTION_lognormal:
        return x > 0 ? (ks_elementary_log(x) - ks_elementary_log(d->a)) / d->b : -INFINITY;
    case KS_DISTRIBUTION_logitnormal:
        if (x <= 0 || x >= 1) return x <= 0 ? -INFINITY : INFINITY;
        return (ks_elementary_log(x) - ks_elementary_log1p(-x) - d->a) / d->b;
    default:
        return (x - d->a) / d->b;
    }
}

/* The share between two scores, taken in the lower tail, where shares keep their digits. */
static double score_mass(double from, double to) {
    if (from > 0) return score_mass(-to, -from);
    return ks_normal_share(to) - ks_normal_share(from);
}

/* z with Phi(z) = Phi(from) + u (Phi(to) - Phi(from)). */
static double score_quantile(double from, double to, double u) {
    if (from > 0) return -score_quantile(-to, -from, 1 - u);
    double share = ks_normal_share(from) + u * score_mass(from, to);
    return ks_normal_quantile(fmin(share, LARGEST_SHARE));
}

static double normal_quantile(const struct ks_distribution *d, double u) {
    double location = d->kind == KS_DISTRIBUTION_lognormal ? ks_elementary_log(d->a) : d->a;
    double x = location + d->b * score_quantile(score(d, d->low), score(d, d->high), u);
    if (d->kind == KS_DISTRIBUTION_lognormal) return ks_elementary_exp(x);
    if (d->kind == KS_DISTRIBUTION_logitnormal) return 1 / (1 + ks_elementary_exp(-x));
    return x;
}

/* ---- the others ---------------------------------------------------------------------------------------- */

static double loguniform_quantile(struct range range, double u) {
    double low = ks_elementary_log(range.low), high = ks_elementary_log(range.high);
    return ks_elementary_exp(low + u * (high - low));
}

static double triangular_share(const struct ks_distribution *d, double x) {
    double width = d->c - d->a;
    if (x <= d->a) return 0;
    if (x >= d->c) return 1;
    if (x < d->b) return (x - d->a) / width * ((x - d->a) / (d->b - d->a));
    return 1 - (d->c - x) / width * ((d->c - x) / (d->c - d->b));
}

static double triangular_quantile(const struct ks_distribution *d, double u) {
    double width = d->c - d->a, from = triangular_share(d, d->low), to = triangular_share(d, d->high);
    double share = from + u * (to - from);
    if (share * width < d->b - d->a) return d->a + sqrt(share * width * (d->b - d->a));
    return d->c - sqrt((1 - share) * width * (d->c - d->b));
}

/* In the order in which the values stand. */
static double discrete_quantile(const struct ks_distribution *d, double u) {
    double cumulative = 0;
    int chosen = 0;
    for (int i = 0; i < d->n_values; i++) {
        if (d->probabilities[i] <= 0) continue;
        chosen = i;
        cumulative += d->probabilities[i];
        if (u < cumulative) break;
    }
    return d->values[chosen];
}

double ks_distribution_quantile(const struct ks_distribution *d, double u) {
    struct range range = value_range(d);
    double x = 0;
    switch (d->kind) {
    case KS_DISTRIBUTION_uniform:
        if (d->is_integer)
            x = floor(range.low + u * (range.high - range.low + 1));
        else
            x = range.low + u * (range.high - range.low);
        break;
    case KS_DISTRIBUTION_loguniform:
        x = loguniform_quantile(range, u);
        break;
    case KS_DISTRIBUTION_normal:
    case KS_DISTRIBUTION_lognormal:
    case KS_DISTRIBUTION_logitnormal:
        x = normal_quantile(d, u);
        break;
    case KS_DISTRIBUTION_triangular:
        x = triangular_quantile(d, u);
        break;
    case KS_DISTRIBUTION_beta:
        x = d->low + (d->high - d->low) * ks_beta_quantile(d->a, d->b, u);
        break;
    case KS_DISTRIBUTION_discrete:
        return discrete_quantile(d, u);
    default:
        KS_ASSERT(!"a known distribution");
    }
    if (d->is_integer) x = round(x) + 0.0;
    return clamp(x, range);
}

/* ---- faults -------------------------------------------------------------------------------------------- */

struct words {
    char *text;
    int size;
};

__attribute__((format(printf, 2, 3))) static const char *say(struct words words, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(words.text, (size_t)words.size, format, arguments);
    va_end(arguments);
    return words.text;
}

static const char *check_finite(struct words words, const char *name, double value) {
    return isfinite(value) ? NULL : say(words, "%s must be a finite number, found %g", name, value);
}

static const char *check_positive(struct words words, const char *name, double value) {
    return isfinite(value) && value > 0 ? NULL : say(words, "%s must be > 0, found %g", name, value);
}

static const char *check_order(struct words words, double low, double high) {
    if (low < high) return NULL;
    return say(words, "low must be below high, found low = %g and high = %g", low, high);
}

static const char *check_interval(struct words words, double low, double high) {
    if (!isfinite(high - low)) return say(words, "low and high must be finite, found %g and %g", low, high);
    return check_order(words, low, high);
}

static const char *check_lognormal(struct words words, const struct ks_distribution *d) {
    const char *fault = check_positive(words, "median", d->a);
    double square = d->b * d->b; /* e^square - 1 rounds to 0 at a small one */
    double cv = copysign(sqrt(fmax(ks_elementary_exp(square) - 1, square)), d->b);
    return fault ? fault : check_positive(words, "cv", cv);
}

static const char *check_logitnormal(struct words words, const struct ks_distribution *d) {
    if (!isfinite(d->a))
        return say(words, "median must be in (0, 1), found %g", 1 / (1 + ks_elementary_exp(-d->a)));
    return check_positive(words, "sd", d->b);
}

static const char *check_triangular(struct words words, const struct ks_distribution *d) {
    const char *fault = check_interval(words, d->a, d->c);
    if (fault || (d->b >= d->a && d->b <= d->c)) return fault;
    return say(words, "mode must be within low = %g and high = %g, found %g", d->a, d->c, d->b);
}

static const char *check_beta(struct words words, const struct ks_distribution *d) {
    const char *fault = check_positive(words, "alpha", d->a);
    if (!fault) fault = check_positive(words, "beta", d->b);
    if (!fault && fmax(d->a, d->b) > LARGEST_SHAPE)
        fault = say(words, "alpha and beta must be <= %g, found %g and %g", LARGEST_SHAPE, d->a, d->b);
    return fault ? fault : check_interval(words, d->low, d->high);
}

static const char *check_discrete(struct words words, const struct ks_distribution *d) {
    if (d->n_values < 1) return say(words, "values must not be empty");
    double sum = 0;
    for (int i = 0; i < d->n_values; i++) {
        double value = d->values[i], probability = d->probabilities[i];
        if (!isfinite(value)) return say(words, "values must be finite numbers, found %g", value);
        if (value < d->low || value > d->high)
            return say(words, "values must be in [%g, %g], found %g", d->low, d->high, value);
        if (d->is_integer && value != floor(value))
            return say(words, "values must be whole numbers, found %g", value);
        if (!(probability >= 0)) return say(words, "probabilities must be >= 0, found %g", probability);
        sum += probability;
    }
    if (fabs(sum - 1) <= 1e-9) return NULL;
    return say(words, "probabilities must sum to 1, found %.10g", sum);
}

static const char *check_kind(struct words words, const struct ks_distribution *d) {
    const char *fault = NULL;
    switch (d->kind) {
    case KS_DISTRIBUTION_loguniform:
        if (!(d->a > 0)) return say(words, "low must be > 0 on a log scale, found %g", d->a);
        return check_interval(words, d->a, d->b);
    case KS_DISTRIBUTION_uniform:
        return check_interval(words, d->a, d->b);
    case KS_DISTRIBUTION_normal:
        fault = check_finite(words, "mean", d->a);
        return fault ? fault : check_positive(words, "sd", d->b);
    case KS_DISTRIBUTION_lognormal:
        return check_lognormal(words, d);
    case KS_DISTRIBUTION_logitnormal:
        return check_logitnormal(words, d);
    case KS_DISTRIBUTION_triangular:
        return check_triangular(words, d);
    case KS_DISTRIBUTION_beta:
        return check_beta(words, d);
    default:
        return check_discrete(words, d);
    }
}

/* The share of the distribution that its truncation leaves. */
static double truncated_mass(const struct ks_distribution *d) {
    double low = fmax(d->a, d->low), high = fmin(d->b, d->high); /* of the uniform ones */
    switch (d->kind) {
    case KS_DISTRIBUTION_uniform:
        return fmax(0, high - low) / (d->b - d->a);
    case KS_DISTRIBUTION_loguniform:
        return low < high ? ks_elementary_log(high / low) / ks_elementary_log(d->b / d->a) : 0;
    case KS_DISTRIBUTION_normal:
    case KS_DISTRIBUTION_lognormal:
    case KS_DISTRIBUTION_logitnormal:
        return score_mass(score(d, d->low), score(d, d->high));
    case KS_DISTRIBUTION_triangular:
        return triangular_share(d, d->high) - triangular_share(d, d->low);
    default:
        return 1;
    }
}

const char *ks_distribution_fault(const struct ks_distribution *d, char *text, int size) {
    struct words words = {text, size};
    const char *fault = check_kind(words, d);
    if (fault || d->kind == KS_DISTRIBUTION_discrete) return fault;
    fault = check_order(words, d->low, d->high);
    if (fault) return fault;
    double mass = truncated_mass(d);
    if (mass < SMALLEST_MASS)
        return say(words, "low = %g and high = %g must leave at least %g of the distribution, found %.3g",
                   d->low, d->high, SMALLEST_MASS, mass);
    struct range range = value_range(d);
    if (range.low > range.high) return say(words, "no whole number lies within its range");
    return NULL;
}
