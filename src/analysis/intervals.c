/* From replicates to 95 % intervals, and from a state's times to its course.
 *
 * The jackknife over G groups: the standard error of the whole study's estimate from the estimates without one group
 * (Efron and Tibshirani 1993, chapter 11), and Student's t with G - 1 degrees of freedom. For a mean it is the t
 * interval over groups; for ratios it has their bias in second order only. The bootstrap: the standard deviation over resamples, and the normal
 * distribution; of a biased estimator the mean deviation of resamples is taken from the estimate (ibid., chapter 10), and
 * as much bias may remain, so that the interval counts their deviations from the estimate, not from their mean. Parts: their standard deviation over the root of their number, and Student's t.
 *
 * A course's index is the mean over its times weighted by the output's variance (Gamboa, Janon, Klein and Lagnoux 2014,
 * doi:10.1214/14-EJS895; Lamboni, Monod and Makowski 2011, doi:10.1016/j.ress.2010.09.002). */
#include "analysis/frame_impl.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

/* The 97.5 % point of Student's t with G - 1 degrees of freedom. */
static double t_factor(int n_groups) {
    static const double factors[] = {
        NAN,           NAN,           12.7062047364, 4.30265272975, 3.18244630528, 2.77644510520,
        2.57058183564, 2.44691185114, 2.36462425159, 2.30600413520, 2.26215716280, 2.22813885199,
        2.20098516009, 2.17881282966, 2.16036865646, 2.14478668792, 2.13144954556};
    KS_ASSERT(n_groups <= KS_MOST_GROUPS);
    return factors[n_groups];
}

static const double normal_factor = 1.95996398454;

double ks_intervals_half_width(const struct ks_replicates *replicates, const double *values, size_t stride,
                               double *bias) {
    double sum = 0, squares = 0;
    *bias = 0;
    int n = 0;
    for (int r = 1; r < replicates->n; r++) {
        double deviation = values[(size_t)r * stride] - values[0];
        if (!isfinite(deviation)) continue;
        n++;
        sum += deviation;
        squares += deviation * deviation;
    }
    if (n < 2) return NAN;
    double spread = squares - sum * sum / n;
    if (spread < 0) spread = 0;
    *bias = sum / n;
    if (replicates->kind == KS_BOOTSTRAP)
        return normal_factor * sqrt(replicates->is_biased ? squares / n : spread / (n - 1));
    /* a part's variance is n times the whole's */
    return t_factor(n) * sqrt(replicates->kind == KS_JACKKNIFE ? spread * (n - 1) / n : spread / (n - 1) / n);
}

static enum ks_index_kind kind_of(const struct ks_results *results, size_t value) {
    int i = 0;
    while (i + 1 < results->n_indices && value >= (size_t)results->offsets[i + 1]) i++;
    return results->indices[i].kind;
}

static void set_result(struct ks_frame *frame, int output, const double *values, double variance) {
    struct ks_results *results = frame->results;
    size_t n_values = (size_t)results->n_values, first = (size_t)output * n_values;
    results->variances[output] = variance;
    for (size_t k = 0; k < n_values; k++) {
        double bias, half = ks_intervals_half_width(&frame->replicates, &values[k], n_values, &bias);
        double value = isfinite(values[k]) ? values[k] : NAN;
        bool is_test = kind_of(results, k) == KS_TEST;
        if (frame->replicates.is_biased && !is_test) value -= bias;
        results->values[first + k] = value;
        results->lows[first + k] = is_test ? NAN : value - half;
        results->highs[first + k] = is_test ? NAN : value + half;
    }
}

int ks_intervals_begin(struct ks_frame *frame) {
    size_t n = (size_t)frame->results->n_courses * (size_t)frame->replicates.n;
    KS_ALLOCATE(frame->courses.shares, n * (size_t)frame->results->n_values);
    KS_ALLOCATE(frame->courses.variances, n);
    return KS_OK;
}

void ks_intervals_end(struct ks_frame *frame) {
    free(frame->courses.shares);
    free(frame->courses.variances);
}

/* A time at which nothing varies yet, such as the start, adds nothing. */
static void add_to_course(struct ks_frame *frame, int state, const double *values, const double *variances) {
    int n_values = frame->results->n_values, n = frame->replicates.n;
    for (int r = 0; r < n; r++) {
        size_t at = (size_t)(state * n + r);
        if (!(variances[r] > 0)) continue;
        frame->courses.variances[at] += variances[r];
        for (int k = 0; k < n_values; k++)
            frame->courses.shares[at * (size_t)n_values + (size_t)k] +=
                variances[r] * values[r * n_values + k];
    }
}

void ks_intervals_take(struct ks_frame *frame, int column, const double *values, const double *variances) {
    const struct ks_results *results = frame->results;
    set_result(frame, column, values, variances[0]);
    if (column >= results->n_endpoints && results->n_courses > 0)
        add_to_course(frame, (column - results->n_endpoints) % results->n_states, values, variances);
}

void ks_intervals_take_courses(struct ks_frame *frame) {
    const struct ks_results *results = frame->results;
    size_t n_values = (size_t)results->n_values, n = (size_t)frame->replicates.n;
    int p = frame->study->design->n_variables;
    for (int state = 0; state < results->n_courses; state++) {
        double *shares = &frame->courses.shares[(size_t)state * n * n_values];
        const double *variances = &frame->courses.variances[(size_t)state * n];
        for (size_t i = 0; i < n * n_values; i++) shares[i] /= variances[i / n_values];
        set_result(frame, frame->n_columns + state, shares, variances[0]);
        for (int i = 0; i < p; i++) { /* as many as at the last time */
            int last = results->n_endpoints + (results->n_times - 1) * results->n_states + state;
            results->n_used[(frame->n_columns + state) * p + i] = results->n_used[last * p + i];
        }
    }
}
