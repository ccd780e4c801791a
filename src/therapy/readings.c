/* Endpoints from dense output: extremes, crossings and areas of a quantity, step by step.
 *
 * A step shows the quantity at five equidistant times. The quartic through them is as good as the dense output it
 * came from (order 4 or 5), so that everything is read off that polynomial: areas exactly, extremes and crossings by
 * bisection where its slope or its distance to the level changes sign between quarter points. */
#include "therapy/therapy_impl.h"

#include <math.h>

/* p(s) = sum of c_k s^k for s in [0, 4], one unit per quarter of the step. */
struct quartic {
    double c[KS_STEP_NODES];
};

/* Through v_0..v_4 at s = 0..4: Newton's forward differences, then powers of s. */
static struct quartic interpolate(const double v[KS_STEP_NODES]) {
    double d1 = v[1] - v[0], d2 = v[2] - 2 * v[1] + v[0], d3 = v[3] - 3 * v[2] + 3 * v[1] - v[0],
           d4 = v[4] - 4 * v[3] + 6 * v[2] - 4 * v[1] + v[0];
    return (struct quartic){
        {v[0], d1 - d2 / 2 + d3 / 3 - d4 / 4, d2 / 2 - d3 / 2 + d4 * (11.0 / 24), d3 / 6 - d4 / 4, d4 / 24}};
}

static double evaluate(const struct quartic *p, double s) {
    return p->c[0] + s * (p->c[1] + s * (p->c[2] + s * (p->c[3] + s * p->c[4])));
}

static double slope(const struct quartic *p, double s) {
    return p->c[1] + s * (2 * p->c[2] + s * (3 * p->c[3] + s * 4 * p->c[4]));
}

static double integral(const struct quartic *p, double s) {
    return s * (p->c[0] + s * (p->c[1] / 2 + s * (p->c[2] / 3 + s * (p->c[3] / 4 + s * p->c[4] / 5))));
}

/* Where f(p, s) = level between a and b, given that f - level changes sign there. */
static double bisect(double (*f)(const struct quartic *, double), const struct quartic *p, double level,
                     double a, double b) {
    bool is_below = f(p, a) <= level;
    for (int i = 0; i < 50; i++) {
        double middle = 0.5 * (a + b);
        if ((f(p, middle) <= level) == is_below)
            a = middle;
        else
            b = middle;
    }
    return 0.5 * (a + b);
}

/* The i-th of five points that divide [a, b]. */
static double division(double a, double b, int i) {
    return i == KS_STEP_NODES - 1 ? b : a + (b - a) * i / (KS_STEP_NODES - 1);
}

/* The largest value on [a, b], or the smallest where sign is -1. */
static double extreme(const struct quartic *p, double a, double b, double sign) {
    double best = sign * fmax(sign * evaluate(p, a), sign * evaluate(p, b));
    for (int i = 1; i < KS_STEP_NODES; i++) {
        double left = division(a, b, i - 1), right = division(a, b, i);
        if (sign * slope(p, left) > 0 && sign * slope(p, right) <= 0) {
            double peak = evaluate(p, bisect(slope, p, 0, left, right));
            best = sign * fmax(sign * best, sign * peak);
        }
    }
    return best;
}

/* Takes in a stretch on one side of the level, h. */
static void add_stretch(struct ks_reading *r, double start, double end, bool is_below) {
    if (is_below) {
        r->below += end - start;
        if (isnan(r->first_below)) r->first_below = start;
    } else {
        r->above += end - start;
        if (!isnan(r->first_below) && isnan(r->first_above_again)) r->first_above_again = start;
    }
}

static void add_crossings(struct ks_reading *r, const struct quartic *p, double a, double b, double start,
                          double quarter) {
    for (int i = 1; i < KS_STEP_NODES; i++) {
        double left = division(a, b, i - 1), right = division(a, b, i);
        bool was_below = evaluate(p, left) <= r->level, is_below = evaluate(p, right) <= r->level;
        double middle = right;
        if (was_below != is_below) {
            middle = bisect(evaluate, p, r->level, left, right);
            if (isnan(r->first_crossing)) r->first_crossing = start + middle * quarter;
        }
        add_stretch(r, start + left * quarter, start + middle * quarter, was_below);
        if (middle < right || was_below != is_below)
            add_stretch(r, start + middle * quarter, start + right * quarter, is_below);
    }
}

/* Between what bounds the quartic through five values stays: it leaves their range by at most 0.61 of its width (half
 * of the Lebesgue constant of five equidistant points, 2.208, less one half). */
static void bound(const double values[KS_STEP_NODES], double *low, double *high) {
    double least = values[0], most = values[0];
    for (int i = 1; i < KS_STEP_NODES; i++) {
        least = values[i] < least ? values[i] : least;
        most = values[i] > most ? values[i] : most;
    }
    *low = least - 0.61 * (most - least);
    *high = most + 0.61 * (most - least);
}

/* Whether a step cannot change an extreme, as most cannot. */
static bool is_within_extreme(const struct ks_reading *r, bool is_min, const double values[KS_STEP_NODES]) {
    double low, high;
    bound(values, &low, &high);
    return is_min ? low >= r->value : high <= r->value; /* false before the first step, when it is NaN */
}

/* Takes in a step that lies on one side of the level; false where it may not. */
static bool add_one_side(struct ks_reading *r, double from, double to, const double values[KS_STEP_NODES]) {
    double low, high;
    bound(values, &low, &high);
    if (!(high < r->level || low > r->level)) return false;
    add_stretch(r, from, to, high < r->level);
    return true;
}

void ks_reading_begin(struct ks_reading *reading, const struct ks_endpoint *endpoint, double initial,
                      double horizon) {
    bool is_at = ks_ops[endpoint->op].reading == KS_READING_AT;
    *reading = (struct ks_reading){.endpoint = endpoint,
                                   .end = fmin(is_at ? endpoint->from : endpoint->to, horizon),
                                   .initial = initial,
                                   .level = endpoint->threshold,
                                   .value = NAN,
                                   .first_below = NAN,
                                   .first_above_again = NAN,
                                   .first_crossing = NAN};
    if (ks_ops[endpoint->op].is_ratio) reading->level *= initial;
}

void ks_reading_add_step(struct ks_reading *r, double start, double end, const double values[KS_STEP_NODES]) {
    double from = fmax(start, r->endpoint->from), to = fmin(end, r->end);
    if (!(from < to)) return;
    enum ks_reading_kind kind = ks_ops[r->endpoint->op].reading;
    bool is_min = r->endpoint->op == KS_OP_min || r->endpoint->op == KS_OP_min_ratio;
    if (kind == KS_READING_EXTREME && is_within_extreme(r, is_min, values)) return;
    if (kind == KS_READING_CROSSING && add_one_side(r, from, to, values)) return;
    struct quartic p = interpolate(values);
    double quarter = (end - start) / (KS_STEP_NODES - 1);
    double a = (from - start) / quarter, b = to == end ? KS_STEP_NODES - 1 : (to - start) / quarter;
    switch (kind) {
    case KS_READING_EXTREME: {
        double here = extreme(&p, a, b, is_min ? -1 : 1);
        r->value = is_min ? fmin(r->value, here) : fmax(r->value, here);
        break;
    }
    case KS_READING_AREA:
        r->area += (integral(&p, b) - integral(&p, a)) * quarter;
        break;
    case KS_READING_CROSSING:
        add_crossings(r, &p, a, b, start, quarter);
        break;
    case KS_READING_AT:
        break;
    }
}

/* The endpoint in the quantity's unit, h, or 0 and 1. */
static double read_off(const struct ks_reading *r) {
    switch (r->endpoint->op) {
    case KS_OP_value:
    case KS_OP_max:
    case KS_OP_min:
        return r->value;
    case KS_OP_change:
        return r->value - r->initial;
    case KS_OP_ratio:
    case KS_OP_max_ratio:
    case KS_OP_min_ratio:
        return r->value / r->initial;
    case KS_OP_at_most:
    case KS_OP_ratio_at_most:
        return isnan(r->value) ? NAN : r->value <= r->level;
    case KS_OP_mean:
        return r->area / (r->end - r->endpoint->from);
    case KS_OP_auc:
        return r->area;
    case KS_OP_time_above:
    case KS_OP_time_above_ratio:
        return r->above;
    case KS_OP_time_below:
    case KS_OP_time_below_ratio:
        return r->below;
    case KS_OP_first_crossing:
        return isnan(r->first_crossing) ? r->end : r->first_crossing;
    case KS_OP_crossed:
        return !isnan(r->first_crossing);
    case KS_OP_first_at_most:
    case KS_OP_first_ratio_at_most:
        return isnan(r->first_below) ? r->end : r->first_below;
    case KS_OP_ever_at_most:
    case KS_OP_ever_ratio_at_most:
        return !isnan(r->first_below);
    case KS_OP_relapse:
        return isnan(r->first_below) ? NAN : !isnan(r->first_above_again);
    case KS_OP_relapse_time:
        return (isnan(r->first_above_again) ? r->end : r->first_above_again) - r->first_below;
    case KS_N_OPS:
        break;
    }
    return NAN;
}

double ks_reading_finish(const struct ks_reading *r, bool is_depressed) {
    bool is_response = r->endpoint->quantity == KS_DERIVED_madrs && ks_ops[r->endpoint->op].has_threshold;
    bool is_at = ks_ops[r->endpoint->op].reading == KS_READING_AT;
    if (is_response && !is_depressed) return NAN;            /* nobody remits who was not ill */
    if (!is_at && !(r->endpoint->from < r->end)) return NAN; /* the window lies after the horizon */
    return read_off(r) * r->endpoint->factor;
}
