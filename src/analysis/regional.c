/* Regional sensitivity analysis: which parameters separate responders from the others (Spear and Hornberger 1980,
 * doi:10.1016/0043-1354(80)90040-8; Pianosi et al. 2016, doi:10.1016/j.envsoft.2016.02.008).
 *
 * The rows are parted by the output: an output of two values (response, remission) by these, any other one at its
 * median. For each parameter the two distributions are compared by Kolmogorov and Smirnov's distance, its p value
 * (Stephens 1970, doi:10.1111/j.2517-6161.1970.tb00821.x; cautious for discrete parameters), and the direction: Cliff's
 * delta (1993, doi:10.1037/0033-2909.114.3.494), the probability that a responder has the larger value less the
 * probability that one of the others has. A parameter that acts only through interactions may show no difference. */
#include "analysis/sample_impl.h"

#include "base/elementary.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

/* Marks the rows of the upper part: above the lower of two values, or above the median. Returns how many there are. */
static size_t part_rows(size_t n, const double *y, const size_t *order, uint8_t *is_above) {
    size_t end = n > 0 ? ks_sample_run_end(n, y, order, 0) : 0, n_above = 0;
    bool has_two = end < n && ks_sample_run_end(n, y, order, end) == n;
    double border = has_two ? y[order[0]] : n > 0 ? y[order[(n - 1) / 2]] : 0;
    for (size_t row = 0; row < n; row++) n_above += is_above[row] = y[row] > border;
    return n_above;
}

/* Q(l) = 2 sum (-1)^(k - 1) exp(-2 k^2 l^2), the share of larger distances; for small l by the other theta series,
 * 1 - sqrt(2 pi) / l sum exp(-(2 k - 1)^2 pi^2 / (8 l^2)). */
static double kolmogorov_tail(double l) {
    double sum = 0;
    if (l <= 0) return 1;
    if (l < 1) {
        for (int k = 1; k <= 7; k += 2) sum += ks_elementary_exp(-k * k * 1.2337005501361697 / (l * l));
        return 1 - 2.5066282746310002 / l * sum;
    }
    for (int k = 1; k <= 6; k++) sum += (k % 2 == 1 ? 2 : -2) * ks_elementary_exp(-2 * k * k * l * l);
    return sum;
}

double ks_regional_p_value(double distance, double n_first, double n_second) {
    double n = n_first * n_second / (n_first + n_second), root = sqrt(n);
    return kolmogorov_tail((root + 0.12 + 0.11 / root) * distance);
}

/* Distance and direction of the two parts of the values of parameter i. */
static void compare_parts(const struct ks_given_data *data, int i, const uint8_t *is_above, size_t n_above,
                          double *distance, double *direction) {
    const double *x = ks_sample_x(data, i);
    const size_t *order = ks_sample_order(data, i);
    double n_high = (double)n_above, n_low = (double)(data->n - n_above), above = 0, below = 0, pairs = 0;
    *distance = 0;
    for (size_t begin = 0, end; begin < data->n; begin = end) {
        end = ks_sample_run_end(data->n, x, order, begin);
        double high = 0;
        for (size_t rank = begin; rank < end; rank++) high += is_above[order[rank]];
        double low = (double)(end - begin) - high;
        pairs += high * below - low * above; /* pairs that this run wins less those that it loses */
        above += high;
        below += low;
        double gap = fabs(above / n_high - below / n_low);
        if (gap > *distance) *distance = gap;
    }
    *direction = pairs / (n_high * n_low);
}

static int prepare(const struct ks_given_data *data, void **shared) {
    uint8_t *is_above;
    KS_ALLOCATE(is_above, data->n);
    *shared = is_above;
    return KS_OK;
}

static int estimate(const struct ks_given_data *data, void *shared, const double *y, const size_t *y_order,
                    double *values) {
    uint8_t *is_above = shared;
    int p = data->n_parameters;
    size_t n_above = part_rows(data->n, y, y_order, is_above);
    for (int i = 0; i < 3 * p; i++) values[i] = NAN;
    if (n_above == 0 || n_above == data->n) return KS_OK;
    for (int i = 0; i < p; i++) {
        compare_parts(data, i, is_above, n_above, &values[i], &values[2 * p + i]);
        values[p + i] = ks_regional_p_value(values[i], (double)n_above, (double)(data->n - n_above));
    }
    return KS_OK;
}

static const struct ks_index indices[] = {
    {"distance", KS_OF_PARAMETER, KS_PLAIN,
     "Kolmogorov-Smirnov distance between the parameter's values of the two parts"},
    {"p_value", KS_OF_PARAMETER, KS_TEST, "probability of such a distance where the parameter plays no part"},
    {"direction", KS_OF_PARAMETER, KS_PLAIN,
     "Cliff's delta: above 0 where the upper part of the output has larger values"},
};

static const struct ks_given_method given = {
    .prepare = prepare, .release = free, .estimate = estimate, .needs_order = true};
const struct ks_method ks_method_regional = {
    .given = &given, .n_indices = sizeof indices / sizeof *indices, .indices = indices};
