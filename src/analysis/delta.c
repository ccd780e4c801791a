/* Borgonovo's delta: half the area between the density of the output and its density where one input is known, on
 * average (Borgonovo 2007, doi:10.1016/j.ress.2006.04.015), from any rows (Plischke, Borgonovo and Smith 2013,
 * doi:10.1016/j.ejor.2012.11.047, equation 26): SALib's delta.
 *
 * x_i is cut into M classes of equal size, equal values never parted. Densities are Gaussian kernel estimates of
 * Silverman's width at 100 points from the smallest to the largest y. The kernel at equal distances is a product of two
 * geometric series, 2 multiplications instead of an exponential; its error stays below 1e-12. The estimate
 * is biased upwards by what is random in the classes; the frame takes the bias out by resampling (equation 30). Of
 * resamples, rows are first shared out to the two points beside them. That adds step^2 / 6 to their variance, on average
 * over the place between the points, which is taken from the kernel's. */
#include "analysis/sample_impl.h"

#include "base/elementary.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

enum { N_POINTS = 100, MOST_CLASSES = 48 };

/* What a class or all rows are made of. */
struct group {
    size_t begin, end; /* ranks in the order of x_i */
};

struct grid {
    double low, step;
    bool is_coarse; /* share rows out to the points */
};

/* ---- densities ----------------------------------------------------------------------------------------- */

/* Adds exp(-(g - y)^2 / (2 h^2)) at all points g, outwards from the one nearest to y. */
static void add_kernel(const struct grid *grid, double y, double width, double fall, double *density) {
    double place = (y - grid->low) / grid->step;
    int nearest = (int)(place + 0.5);
    if (nearest > N_POINTS - 1) nearest = N_POINTS - 1;
    double step = grid->step / width, off = ((grid->low + nearest * grid->step) - y) / width;
    double peak = ks_elementary_exp(-0.5 * off * off);
    double value = peak, ratio = ks_elementary_exp(-step * (off + 0.5 * step));
    for (int k = nearest; k < N_POINTS && value > 1e-30; k++) {
        density[k] += value;
        value *= ratio;
        ratio *= fall;
    }
    ratio = ks_elementary_exp(step * (off - 0.5 * step));
    value = peak * ratio;
    for (int k = nearest - 1; k >= 0 && value > 1e-30; k--) {
        ratio *= fall;
        density[k] += value;
        value *= ratio;
    }
}

/* The same for rows shared out to the points: shares [N_POINTS]. */
static void add_shared_kernels(const struct grid *grid, const double *shares, double width, double *density) {
    double step = grid->step / width, kernel[N_POINTS];
    for (int k = 0; k < N_POINTS; k++) kernel[k] = ks_elementary_exp(-0.5 * (k * step) * (k * step));
    for (int from = 0; from < N_POINTS; from++) {
        if (shares[from] == 0) continue;
        for (int k = 0; k < N_POINTS; k++) density[k] += shares[from] * kernel[abs(k - from)];
    }
}

/* Silverman's width of the kernel for the rows of a group; 0 where their y are all the same. */
static double choose_width(struct group group, const size_t *order, const double *y) {
    double n = (double)(group.end - group.begin), first = y[order[group.begin]], sum = 0, squares = 0;
    for (size_t rank = group.begin; rank < group.end; rank++) sum += y[order[rank]] - first;
    for (size_t rank = group.begin; rank < group.end; rank++) {
        double deviation = (y[order[rank]] - first) - sum / n;
        squares += deviation * deviation;
    }
    if (!(squares > 0)) return 0;
    return sqrt(squares / (n - 1)) * ks_elementary_exp(-0.2 * ks_elementary_log(0.75 * n));
}

static void share_out(const struct grid *grid, struct group group, const size_t *order, const double *y,
                      double *shares) {
    for (int k = 0; k < N_POINTS; k++) shares[k] = 0;
    for (size_t rank = group.begin; rank < group.end; rank++) {
        double place = (y[order[rank]] - grid->low) / grid->step;
        int below = place < N_POINTS - 1 ? (int)place : N_POINTS - 2;
        shares[below] += 1 - (place - below);
        shares[below + 1] += place - below;
    }
}

/* The density of the rows of a group: 0 where their y are all the same. */
static void estimate_density(const struct grid *grid, struct group group, const size_t *order,
                             const double *y, double *density) {
    double width = choose_width(group, order, y), added = grid->step * grid->step / 6;
    for (int k = 0; k < N_POINTS; k++) density[k] = 0;
    if (width == 0) return;
    if (grid->is_coarse) {
        double shares[N_POINTS];
        if (width * width > 2 * added) width = sqrt(width * width - added);
        share_out(grid, group, order, y, shares);
        add_shared_kernels(grid, shares, width, density);
    } else {
        double step = grid->step / width, fall = ks_elementary_exp(-step * step);
        for (size_t rank = group.begin; rank < group.end; rank++)
            add_kernel(grid, y[order[rank]], width, fall, density);
    }
    double scale = 2.5066282746310002 * width * (double)(group.end - group.begin); /* sqrt(2 pi) h n */
    for (int k = 0; k < N_POINTS; k++) density[k] /= scale;
}

/* ---- classes ------------------------------------------------------------------------------------------- */

/* ceil(n^(2 / (7 + tanh((1500 - n) / 500)))), 48 at most. */
static size_t count_classes(size_t n) {
    double tanh = 1 - 2 / (ks_elementary_exp(2 * (1500 - (double)n) / 500) + 1);
    double count = ceil(ks_elementary_exp(2 / (7 + tanh) * ks_elementary_log((double)n)));
    return count < MOST_CLASSES ? (size_t)count : MOST_CLASSES;
}

/* The next class: whole runs, of which the largest ranks (from 1) lie in (j n / M, (j + 1) n / M]. */
static bool next_class(const struct ks_given_data *data, int i, size_t n_classes, struct group *class) {
    const double *x = ks_sample_x(data, i);
    const size_t *order = ks_sample_order(data, i);
    size_t n = data->n, number = n_classes;
    class->begin = class->end;
    while (class->end < n) {
        size_t end = ks_sample_run_end(n, x, order, class->end), own = (end * n_classes - 1) / n;
        if (class->end > class->begin && own != number) break;
        number = own;
        class->end = end;
    }
    return class->end > class->begin;
}

/* The area below |a - b| by trapezoids. */
static double measure_area(const struct grid *grid, const double *a, const double *b) {
    double sum = 0;
    for (int k = 0; k + 1 < N_POINTS; k++) sum += (fabs(a[k] - b[k]) + fabs(a[k + 1] - b[k + 1])) / 2;
    return sum * grid->step;
}

static double estimate_one(const struct ks_given_data *data, int i, const struct grid *grid,
                           const double *whole, const double *y) {
    double area = 0, part[N_POINTS];
    size_t n_classes = count_classes(data->n_study);
    for (struct group class = {0, 0}; next_class(data, i, n_classes, &class);) {
        estimate_density(grid, class, ks_sample_order(data, i), y, part);
        area += (double)(class.end - class.begin) / (2 * (double)data->n) * measure_area(grid, whole, part);
    }
    return area;
}

static int estimate_all(const struct ks_given_data *data, bool is_coarse, const double *y, double *values) {
    double whole[N_POINTS], low = y[0], high = y[0];
    for (size_t row = 1; row < data->n; row++) {
        if (y[row] < low) low = y[row];
        if (y[row] > high) high = y[row];
    }
    struct grid grid = {low, (high - low) / (N_POINTS - 1), is_coarse};
    struct group all = {0, data->n};
    bool varies = high > low;
    if (varies) estimate_density(&grid, all, data->order, y, whole);
    for (int i = 0; i < data->n_parameters; i++)
        values[i] = varies ? estimate_one(data, i, &grid, whole, y) : NAN;
    return KS_OK;
}

static int estimate(const struct ks_given_data *data, void *shared, const double *y, const size_t *y_order,
                    double *values) {
    (void)y_order;
    (void)shared;
    return estimate_all(data, data->is_resample, y, values);
}

static const struct ks_index indices[] = {
    {"delta", KS_OF_PARAMETER, KS_PLAIN,
     "half the mean area between the output's densities with and without the parameter known"},
};

static const struct ks_given_method given = {.estimate = estimate, .is_biased = true};
const struct ks_method ks_method_delta = {
    .given = &given, .n_indices = sizeof indices / sizeof *indices, .indices = indices};
