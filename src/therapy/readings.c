/* Endpoints from dense output: extremes, crossings and areas of a quantity, step by step.
 *
 * A step shows the quantity at five equidistant times. The quartic through them is as good as the dense output it
 * came from (order 4 or 5), so that everything is read off that polynomial: areas exactly, extremes and crossings by
 * Newton's method where its slope or its distance to the level changes sign between quarter points. */
#include "therapy/therapy_impl.h"

#include <math.h>

/* p(s) = sum of c_k s^k for s in [0, 4], one unit per quarter of the step. */
typedef double quartic[KS_STEP_NODES];

static double evaluate(const quartic c, double s) {
    return c[0] + s * (c[1] + s * (c[2] + s * (c[3] + s * c[4])));
}

static double slope(const quartic c, double s) {
    return c[1] + s * (2 * c[2] + s * (3 * c[3] + s * 4 * c[4]));
}

static double bend(const quartic c, double s) {
    return 2 * c[2] + s * (6 * c[3] + s * 12 * c[4]);
}

static double integral(const quartic c, double s) {
    return s * (c[0] + s * (c[1] / 2 + s * (c[2] / 3 + s * (c[3] / 4 + s * c[4] / 5))));
}

/* Through v_0..v_4 at s = 0..4: Newton's forward differences, then powers of s. */
static const double *find_powers(struct ks_reading_step *step) {
    const double *v = step->values;
    if (step->has_powers) return step->powers;
    step->has_powers = true;
    double d1 = v[1] - v[0], d2 = v[2] - 2 * v[1] + v[0], d3 = v[3] - 3 * v[2] + 3 * v[1] - v[0],
           d4 = v[4] - 4 * v[3] + 6 * v[2] - 4 * v[1] + v[0];
    step->powers[0] = v[0];
    step->powers[1] = d1 - d2 / 2 + d3 / 3 - d4 / 4;
    step->powers[2] = d2 / 2 - d3 / 2 + d4 * (11.0 / 24);
    step->powers[3] = d3 / 6 - d4 / 4;
    step->powers[4] = d4 / 24;
    for (int i = 0; i < KS_STEP_NODES; i++) step->slopes[i] = slope(step->powers, i);
    return step->powers;
}

typedef double (*function)(const quartic, double);

/* Where f(p, s) = level between a and b, given that f - level changes sign there: Newton's method, and halves of the
 * bracket where it would leave it. */
static double find_crossing(function f, function derivative, const quartic p, double level, double a,
                            double b) {
    const double tolerance = 1e-13; /* of a step */
    bool is_below = f(p, a) <= level;
    double s = 0.5 * (a + b);
    for (int i = 0; i < 100 && b - a > tolerance; i++) {
        double excess = f(p, s) - level, next = s - excess / derivative(p, s);
        if ((excess <= 0) == is_below)
            a = s;
        else
            b = s;
        if (!(next > a && next < b)) next = 0.5 * (a + b);
        if (fabs(next - s) <= tolerance) return next;
        s = next;
    }
    return 0.5 * (a + b);
}

/* The i-th of five points that divide [a, b]. */
static double division(double a, double b, int i) {
    return i == KS_STEP_NODES - 1 ? b : a + (b - a) * i / (KS_STEP_NODES - 1);
}

/* The larger, b where they are not ordered. */
static double larger(double a, double b) {
    return a > b ? a : b;
}

/* The largest value of sign p on [a, b], where p has its peaks between points of these slopes. */
static double find_extreme(const quartic p, double a, double b, const double slopes[KS_STEP_NODES],
                           double sign) {
    double best = larger(sign * evaluate(p, a), sign * evaluate(p, b));
    for (int i = 1; i < KS_STEP_NODES; i++) {
        if (!(sign * slopes[i - 1] > 0 && sign * slopes[i] <= 0)) continue;
        double peak = find_crossing(slope, bend, p, 0, division(a, b, i - 1), division(a, b, i));
        best = larger(best, sign * evaluate(p, peak));
    }
    return best;
}

static void add_extreme(struct ks_reading *r, struct ks_reading_step *step, double a, double b) {
    double own_slopes[KS_STEP_NODES];
    const double *p = find_powers(step), *slopes = step->slopes;
    if (a > 0 || b < KS_STEP_NODES - 1) {
        for (int i = 0; i < KS_STEP_NODES; i++) own_slopes[i] = slope(p, division(a, b, i));
        slopes = own_slopes;
    }
    double here = find_extreme(p, a, b, slopes, r->sign);
    r->value = larger(here, r->value);
}

/* The area over the whole step by Boole's rule, which is exact for a quartic. */
static double step_area(const struct ks_reading_step *step) {
    const double *v = step->values;
    return (step->end - step->start) * (7 * (v[0] + v[4]) + 32 * (v[1] + v[3]) + 12 * v[2]) * (1 / 90.0);
}

static void add_area(struct ks_reading *r, struct ks_reading_step *step, double a, double b) {
    if (a == 0 && b == KS_STEP_NODES - 1) {
        r->value += step_area(step);
        return;
    }
    const double *p = find_powers(step);
    r->value += (integral(p, b) - integral(p, a)) * (step->end - step->start) / (KS_STEP_NODES - 1);
}

/* From `start` on the quantity is on this side of the level, where it may have been before. */
static void take_side(struct ks_reading *r, double start, bool is_below) {
    if (r->has_side && r->is_below == is_below) return;
    if (r->has_side) *(r->is_below ? &r->below : &r->above) += start - r->since;
    r->has_side = true;
    r->is_below = is_below;
    r->since = start;
    if (is_below && isnan(r->first_below)) r->first_below = start;
    if (!is_below && !isnan(r->first_below) && isnan(r->first_above_again)) r->first_above_again = start;
}

static void add_crossings(struct ks_reading *r, struct ks_reading_step *step, double a, double b) {
    const double *p = find_powers(step), start = step->start,
                 quarter = (step->end - start) / (KS_STEP_NODES - 1);
    for (int i = 1; i < KS_STEP_NODES; i++) {
        double left = division(a, b, i - 1), right = division(a, b, i);
        bool was_below = evaluate(p, left) <= r->level, is_below = evaluate(p, right) <= r->level;
        take_side(r, start + left * quarter, was_below);
        if (was_below == is_below) continue;
        double crossing = start + find_crossing(evaluate, slope, p, r->level, left, right) * quarter;
        if (isnan(r->first_crossing)) r->first_crossing = crossing;
        take_side(r, crossing, is_below);
    }
}

static bool is_smallest(const struct ks_endpoint *endpoint) {
    return endpoint->op == KS_OP_min || endpoint->op == KS_OP_min_ratio;
}

bool ks_reading_is_shared(const struct ks_endpoint *a, const struct ks_endpoint *b) {
    const struct ks_op_info *x = &ks_ops[a->op], *y = &ks_ops[b->op];
    if (x->reading != y->reading || a->from != b->from) return false;
    switch (x->reading) {
    case KS_READING_AT:
        return !x->has_threshold && !y->has_threshold;
    case KS_READING_EXTREME:
        return a->to == b->to && is_smallest(a) == is_smallest(b);
    case KS_READING_AREA:
        return a->to == b->to;
    case KS_READING_CROSSING:
        return a->to == b->to && a->threshold == b->threshold && x->is_ratio == y->is_ratio;
    }
    return false;
}

static double first_value(enum ks_reading_kind kind) {
    return kind == KS_READING_EXTREME ? -INFINITY : kind == KS_READING_AREA ? 0 : NAN;
}

void ks_reading_begin(struct ks_reading *reading, const struct ks_endpoint *endpoint, double initial,
                      double horizon) {
    bool is_at = ks_ops[endpoint->op].reading == KS_READING_AT;
    *reading = (struct ks_reading){.kind = ks_ops[endpoint->op].reading,
                                   .sign = is_smallest(endpoint) ? -1 : 1,
                                   .from = endpoint->from,
                                   .end = fmin(is_at ? endpoint->from : endpoint->to, horizon),
                                   .initial = initial,
                                   .level = endpoint->threshold,
                                   .value = first_value(ks_ops[endpoint->op].reading),
                                   .first_below = NAN,
                                   .first_above_again = NAN,
                                   .first_crossing = NAN};
    if (ks_ops[endpoint->op].is_ratio) reading->level *= initial;
}

/* Whether a step lies on one side of the level. */
static bool is_one_sided(const struct ks_reading *r, const struct ks_reading_step *step) {
    return step->high <= r->level || step->low > r->level;
}

void ks_reading_add_step(struct ks_reading *r, struct ks_reading_step *step) {
    double start = step->start, end = step->end;
    double from = start > r->from ? start : r->from, to = end < r->end ? end : r->end;
    if (!(from < to)) return;
    double quarters = (KS_STEP_NODES - 1) / (end - start); /* per h */
    double a = (from - start) * quarters, b = to == end ? KS_STEP_NODES - 1 : (to - start) * quarters;
    switch (r->kind) {
    case KS_READING_EXTREME:
        add_extreme(r, step, a, b);
        break;
    case KS_READING_AREA:
        add_area(r, step, a, b);
        break;
    case KS_READING_CROSSING:
        if (is_one_sided(r, step))
            take_side(r, from, step->high <= r->level);
        else
            add_crossings(r, step, a, b);
        break;
    case KS_READING_AT:
        break;
    }
}

void ks_reading_find_quiet(const struct ks_reading *r, double *low, double *high) {
    *low = !r->has_side ? INFINITY : r->is_below ? -INFINITY : nextafter(r->level, INFINITY);
    *high = !r->has_side ? -INFINITY : r->is_below ? r->level : INFINITY;
}

/* Hours on one side, until the end. */
static double hours(const struct ks_reading *r, bool is_below) {
    double last = r->has_side && r->is_below == is_below ? r->end - r->since : 0;
    return (is_below ? r->below : r->above) + last;
}

/* The endpoint in the quantity's unit, h, or 0 and 1. */
static double read_off(const struct ks_reading *r, enum ks_op op) {
    switch (op) {
    case KS_OP_value:
        return r->value;
    case KS_OP_max:
    case KS_OP_min:
        return r->sign * r->value;
    case KS_OP_change:
        return r->value - r->initial;
    case KS_OP_ratio:
        return r->value / r->initial;
    case KS_OP_max_ratio:
    case KS_OP_min_ratio:
        return r->sign * r->value / r->initial;
    case KS_OP_at_most:
    case KS_OP_ratio_at_most:
        return isnan(r->value) ? NAN : r->value <= r->level;
    case KS_OP_mean:
        return r->value / (r->end - r->from);
    case KS_OP_auc:
        return r->value;
    case KS_OP_time_above:
    case KS_OP_time_above_ratio:
        return hours(r, false);
    case KS_OP_time_below:
    case KS_OP_time_below_ratio:
        return hours(r, true);
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

double ks_reading_finish(const struct ks_reading *r, const struct ks_endpoint *endpoint, bool is_depressed) {
    const struct ks_op_info *op = &ks_ops[endpoint->op];
    bool is_response = endpoint->quantity == KS_DERIVED_madrs && op->has_threshold;
    if (is_response && !is_depressed) return NAN; /* nobody remits who was not ill */
    if (op->reading != KS_READING_AT && !(endpoint->from < r->end))
        return NAN; /* the window lies after the horizon */
    return read_off(r, endpoint->op) * endpoint->factor;
}
