/* PAWN: how far the distribution of the output moves when one input is held within a slice of its range (Pianosi and
 * Wagener 2018, doi:10.1016/j.envsoft.2018.07.019; SALib's pawn).
 *
 * The range of x_i is cut at its quantiles into S slices; each slice's distribution of y is compared with that of all
 * rows by the largest distance of the two (Kolmogorov and Smirnov). Equal values of x_i are never parted, and the last
 * slice is closed (SALib leaves out the largest value, and with it a whole level of a discrete input). Of n noise rows
 * per slice a distance of about 0.87 / sqrt(n) remains; the frame takes part of it out by resampling. */
#include "analysis/sample_impl.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

enum { N_SLICES = 10 }; /* S: SALib's default */

struct slice {
    size_t size, seen; /* rows; of those, how many lie below the value of y that is reached */
    double distance;
};

/* The slice of each row: s where the largest rank of the row's value lies in [s, s + 1) (n - 1) / S. */
static void cut_slices(const struct ks_given_data *data, int i, struct slice *slices, uint8_t *slice_of) {
    const size_t *order = ks_sample_order(data, i);
    for (int s = 0; s < N_SLICES; s++) slices[s] = (struct slice){0, 0, 0};
    for (size_t begin = 0, end; begin < data->n; begin = end) {
        end = ks_sample_run_end(data->n, ks_sample_x(data, i), order, begin);
        size_t s = data->n > 1 ? (end - 1) * N_SLICES / (data->n - 1) : 0;
        if (s >= N_SLICES) s = N_SLICES - 1;
        for (size_t rank = begin; rank < end; rank++) slice_of[order[rank]] = (uint8_t)s;
        slices[s].size += end - begin;
    }
}

static void compare_at(struct slice *slice, double share) {
    double distance = fabs((double)slice->seen / (double)slice->size - share);
    if (distance > slice->distance) slice->distance = distance;
}

/* A slice's distribution is furthest from the whole one just before or at one of its own values. */
static void measure_distances(size_t n, const double *y, const size_t *y_order, const uint8_t *slice_of,
                              struct slice *slices) {
    for (size_t begin = 0, end; begin < n; begin = end) {
        end = ks_sample_run_end(n, y, y_order, begin);
        for (size_t rank = begin; rank < end; rank++)
            compare_at(&slices[slice_of[y_order[rank]]], (double)begin / (double)n);
        for (size_t rank = begin; rank < end; rank++) slices[slice_of[y_order[rank]]].seen++;
        for (size_t rank = begin; rank < end; rank++)
            compare_at(&slices[slice_of[y_order[rank]]], (double)end / (double)n);
    }
}

static int prepare(const struct ks_given_data *data, void **shared) {
    uint8_t *slice_of;
    KS_ALLOCATE(slice_of, data->n);
    *shared = slice_of;
    return KS_OK;
}

/* Median, mean, smallest and largest distance of the slices that have rows. */
static void summarise(const struct slice *slices, double summary[4]) {
    double distances[N_SLICES], sum = 0;
    int n = 0;
    for (int s = 0; s < N_SLICES; s++) {
        if (slices[s].size == 0) continue;
        int at = n++;
        for (; at > 0 && distances[at - 1] > slices[s].distance; at--) distances[at] = distances[at - 1];
        distances[at] = slices[s].distance;
        sum += slices[s].distance;
    }
    summary[0] = (distances[(n - 1) / 2] + distances[n / 2]) / 2;
    summary[1] = sum / n;
    summary[2] = distances[0];
    summary[3] = distances[n - 1];
}

static int estimate(const struct ks_given_data *data, void *shared, const double *y, const size_t *y_order,
                    double *values) {
    uint8_t *slice_of = shared;
    int p = data->n_parameters;
    double mean, ss;
    ks_sample_moments(data->n, y, &mean, &ss);
    for (int i = 0; i < p; i++) {
        struct slice slices[N_SLICES];
        double summary[4] = {NAN, NAN, NAN, NAN};
        if (ss > 0) {
            cut_slices(data, i, slices, slice_of);
            measure_distances(data->n, y, y_order, slice_of, slices);
            summarise(slices, summary);
        }
        for (int k = 0; k < 4; k++) values[k * p + i] = summary[k];
    }
    return KS_OK;
}

static const struct ks_index indices[] = {
    {"median", KS_OF_PARAMETER, KS_PLAIN,
     "PAWN index: median over 10 slices of the distance between distributions"},
    {"mean", KS_OF_PARAMETER, KS_PLAIN, "mean distance of the slices"},
    {"minimum", KS_OF_PARAMETER, KS_PLAIN, "smallest distance of the slices"},
    {"maximum", KS_OF_PARAMETER, KS_PLAIN, "largest distance of the slices"},
};

static const struct ks_given_method given = {
    .prepare = prepare, .release = free, .estimate = estimate, .needs_order = true, .is_biased = true};
const struct ks_method ks_method_pawn = {
    .given = &given, .n_indices = sizeof indices / sizeof *indices, .indices = indices};
