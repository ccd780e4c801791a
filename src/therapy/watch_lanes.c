/* All lanes' readings take in a step: nearly all steps change an extreme only at their ends, cross no level, and lie
 * within every window. What is left, about one in thirty, goes to readings.c. */
#include "base/lanes.h"
#include "therapy/therapy_impl.h"

/* A step of a quantity. The quartic through its five values leaves their range by at most 0.61 of that range (half of
 * the Lebesgue constant of five equidistant points, 2.208, less one half). */
struct shape {
    ks_lane start, end, area;
    ks_lane least, most;            /* bounds */
    ks_lane_mask has_peak, has_pit; /* a slope turns from > 0, or from < 0, between quarter points */
};

KS_LANE_INLINE struct shape find_shape(const ks_lane *v, int stride, ks_lane hours) {
    ks_lane middle = v[2 * stride], a = v[0] - middle, b = v[stride] - middle, c = v[3 * stride] - middle,
            d = v[4 * stride] - middle; /* so that rounding is that of differences */
    ks_lane least = ks_lane_min(ks_lane_min(a, b), ks_lane_min(c, d)),
            most = ks_lane_max(ks_lane_max(a, b), ks_lane_max(c, d)), zero = ks_lane_all(0);
    least = ks_lane_min(least, zero);
    most = ks_lane_max(most, zero);
    ks_lane margin = 0.61 * (most - least);
    ks_lane slopes[KS_STEP_NODES] = {
        48.0 * b - 25.0 * a + 16.0 * c - 3.0 * d, d - 3.0 * a - 10.0 * b - 6.0 * c, a - 8.0 * b + 8.0 * c - d,
        6.0 * b - a + 10.0 * c + 3.0 * d, 3.0 * a - 16.0 * b - 48.0 * c + 25.0 * d}; /* times 3 steps */
    struct shape s = {.start = v[0],
                      .end = v[4 * stride],
                      .area = hours *
                              (middle + (7.0 * (a + d) + 32.0 * (b + c)) * (1.0 / 90.0)), /* Boole's rule */
                      .least = middle + (least - margin),
                      .most = middle + (most + margin)};
    for (int i = 1; i < KS_STEP_NODES; i++) {
        s.has_peak |= KS_LANE_TRUTH(slopes[i - 1] > 0) & KS_LANE_TRUTH(slopes[i] <= 0);
        s.has_pit |= KS_LANE_TRUTH(slopes[i - 1] < 0) & KS_LANE_TRUTH(slopes[i] >= 0);
    }
    return s;
}

/* Takes the step into a reading; where it is loud. */
KS_LANE_INLINE ks_lane_mask add_shape(struct ks_watch *watch, int r, const struct shape *s) {
    const ks_lane start = *(const ks_lane *)watch->step_start, end = *(const ks_lane *)watch->step_end,
                  from = ((const ks_lane *)watch->from)[r], to = ((const ks_lane *)watch->end)[r];
    ks_lane *value = &((ks_lane *)watch->value)[r], new_value = *value;
    ks_lane_mask is_inside = KS_LANE_TRUTH(start >= from) & KS_LANE_TRUTH(end <= to),
                 is_outside = KS_LANE_TRUTH(end <= from) | KS_LANE_TRUTH(start >= to), is_plain = is_inside;
    if (watch->kinds[r] == KS_READING_CROSSING) {
        is_plain = KS_LANE_TRUTH(s->least >= ((const ks_lane *)watch->low)[r]) &
                   KS_LANE_TRUTH(s->most <= ((const ks_lane *)watch->high)[r]);
    } else if (watch->kinds[r] == KS_READING_AREA) {
        new_value = *value + s->area;
    } else if (watch->signs[r] > 0) {
        is_plain &= ~s->has_peak | KS_LANE_TRUTH(s->most <= *value);
        new_value = ks_lane_max(ks_lane_max(s->start, s->end), *value);
    } else {
        is_plain &= ~s->has_pit | KS_LANE_TRUTH(-s->least <= *value);
        new_value = ks_lane_max(ks_lane_max(-s->start, -s->end), *value);
    }
    *value = ks_lane_select(is_plain & is_inside, new_value, *value);
    return ~(is_plain | is_outside);
}

void KS_LANED(ks_watch_add_step)(struct ks_watch *watch, const double *values) {
    ks_lane hours = *(const ks_lane *)watch->step_end - *(const ks_lane *)watch->step_start;
    for (int i = 0; i < watch->n_watched; i++) {
        struct shape s = find_shape((const ks_lane *)values + i, watch->n_watched, hours);
        ks_lane_mask any_loud = {0};
        for (int r = watch->first_reading[i]; r < watch->first_reading[i + 1]; r++) {
            ks_lane_mask loud = add_shape(watch, r, &s);
            memcpy(&watch->loud[r * KS_LANES], &loud, sizeof loud);
            any_loud |= loud;
        }
        ((ks_lane *)watch->least)[i] = s.least;
        ((ks_lane *)watch->most)[i] = s.most;
        memcpy(&watch->any_loud[i * KS_LANES], &any_loud, sizeof any_loud);
    }
}
