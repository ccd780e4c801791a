/* Order, levels, moments and small linear systems for the given-data methods. */
#include "analysis/sample_impl.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

struct keyed {
    double value;
    size_t row;
};

static int compare_keyed(const void *a, const void *b) {
    const struct keyed *first = a, *second = b;
    if (first->value != second->value) return first->value < second->value ? -1 : 1;
    return first->row < second->row ? -1 : 1;
}

int ks_sample_sort(size_t n, const double *values, size_t *order) {
    struct keyed *rows;
    KS_ALLOCATE(rows, n);
    for (size_t row = 0; row < n; row++)
        rows[row] = (struct keyed){isnan(values[row]) ? INFINITY : values[row], row};
    qsort(rows, n, sizeof *rows, compare_keyed);
    for (size_t rank = 0; rank < n; rank++) order[rank] = rows[rank].row;
    free(rows);
    return KS_OK;
}

void ks_sample_rank(size_t n, const double *values, const size_t *order, double *ranks) {
    for (size_t begin = 0, end; begin < n; begin = end) {
        end = ks_sample_run_end(n, values, order, begin);
        for (size_t rank = begin; rank < end; rank++) ranks[order[rank]] = 0.5 * (double)(begin + end + 1);
    }
}

int ks_sample_levels(const struct ks_given_data *data, int i, int most) {
    int n_levels = 0;
    for (size_t begin = 0; begin < data->n && n_levels <= most; n_levels++)
        begin = ks_sample_run_end(data->n, ks_sample_x(data, i), ks_sample_order(data, i), begin);
    return n_levels;
}

/* Deviations from the first value, so that a constant has none, whatever the rounding of its mean. */
void ks_sample_moments(size_t n, const double *values, double *mean, double *ss) {
    double sum = 0, squares = 0;
    for (size_t row = 0; row < n; row++) sum += values[row] - values[0];
    double middle = sum / (double)n;
    for (size_t row = 0; row < n; row++) {
        double deviation = (values[row] - values[0]) - middle;
        squares += deviation * deviation;
    }
    *mean = n > 0 ? values[0] + middle : NAN;
    *ss = squares;
}

double ks_sample_multiply(size_t n, const double *a, const double *b) {
    double sums[4] = {0};
    for (size_t row = 0; row + 4 <= n; row += 4)
        for (size_t k = 0; k < 4; k++) sums[k] += a[row + k] * b[row + k];
    for (size_t row = n / 4 * 4; row < n; row++) sums[0] += a[row] * b[row];
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

int ks_sample_factorise(int n, double *matrix) {
    int rank = 0;
    for (int j = 0; j < n; j++) {
        double *row = matrix + (size_t)j * (size_t)n, diagonal = row[j], pivot = diagonal;
        for (int k = 0; k < j; k++) {
            const double *upper = matrix + (size_t)k * (size_t)n;
            for (int l = 0; l < k; l++) row[k] -= row[l] * upper[l];
            row[k] = upper[k] > 0 ? row[k] / upper[k] : 0;
            pivot -= row[k] * row[k];
        }
        bool is_independent = pivot > 1e-10 * diagonal;
        for (int k = 0; k < j; k++) row[k] = is_independent ? row[k] : 0;
        row[j] = is_independent ? sqrt(pivot) : 0;
        rank += is_independent;
    }
    return rank;
}

void ks_sample_solve(int n, const double *factor, double *b) {
    for (int i = 0; i < n; i++) {
        const double *row = factor + (size_t)i * (size_t)n;
        for (int k = 0; k < i; k++) b[i] -= row[k] * b[k];
        b[i] = row[i] > 0 ? b[i] / row[i] : 0;
    }
    for (int i = n - 1; i >= 0; i--) {
        const double *row = factor + (size_t)i * (size_t)n;
        b[i] = row[i] > 0 ? b[i] / row[i] : 0;
        for (int k = 0; k < i; k++) b[k] -= row[k] * b[i];
    }
}
