/* First-order indices from any rows: random balance designs (Tarantola, Gatelli and Mara 2006,
 * doi:10.1016/j.ress.2005.06.003) by sorting given rows (Plischke 2010, EASI, doi:10.1016/j.ress.2009.11.005), with the
 * bias correction of Tissot and Prieur 2012, doi:10.1016/j.ress.2012.06.010: SALib's rbd_fast.
 *
 * Rows in the order of x_i, even ranks on the way up and odd ones on the way down, make y a periodic function of the
 * place; S_i is the share of its variance in the first M harmonics. It is the correlation ratio Var E(Y|X_i) / Var Y
 * whether inputs are independent or not; what lies beyond M harmonics is lost (1.5 % of the share of a normal input that
 * acts linearly, nothing of a uniform one). An input with no more than 2 M different values is not smooth: its share is
 * that between its values' means, corrected in the same way (then it is the adjusted R^2 of a one-way layout). */
#include "analysis/sample_impl.h"

#include "base/elementary.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

enum {
    N_HARMONICS = 10,      /* M: SALib's default */
    N_COARSE_PLACES = 1024 /* of a resample: the 10th harmonic loses 2e-4 of its size */
};
static const double TWO_PI = 6.283185307179586;

/* The waves at n_places equal stretches of the way up and down. */
struct waves {
    size_t n_places;
    double *cosines, *sines, *sums; /* [n_places], the sums are space */
    double *numbers;                /* what holds them */
};

static void release(void *shared) {
    struct waves *waves = shared;
    if (waves != NULL) free(waves->numbers);
    free(waves);
}

static int prepare(const struct ks_given_data *data, void **shared) {
    struct waves *waves;
    KS_ALLOCATE(waves, 1);
    *shared = waves;
    waves->n_places = data->is_resample && data->n > N_COARSE_PLACES ? N_COARSE_PLACES : data->n;
    KS_ALLOCATE(waves->numbers, 3 * waves->n_places);
    waves->cosines = waves->numbers;
    waves->sines = waves->cosines + waves->n_places;
    waves->sums = waves->sines + waves->n_places;
    for (size_t place = 0; place < waves->n_places; place++) {
        double angle = TWO_PI * (double)place / (double)waves->n_places;
        waves->sines[place] = ks_elementary_sin(angle);
        waves->cosines[place] = ks_elementary_sin(angle + TWO_PI / 4);
    }
    return KS_OK;
}

/* Takes out of a share of variance what n_functions fitted functions would get of n rows of noise. */
static double correct_bias(double share, double n_functions, double n) {
    double noise = n_functions / n;
    return share - noise / (1 - noise) * (1 - share);
}

static void walk_up_and_down(size_t n, const size_t *order, const double *y, double mean,
                             struct waves *waves) {
    for (size_t place = 0; place < waves->n_places; place++) waves->sums[place] = 0;
    for (size_t rank = 0; rank < n; rank++) {
        size_t position = rank % 2 == 0 ? rank / 2 : n - 1 - rank / 2;
        waves->sums[waves->n_places == n ? position : position * waves->n_places / n] +=
            y[order[rank]] - mean;
    }
}

/* 2 sum |f_k|^2 / (n ss): by Parseval's identity, the denominator is the sum over all frequencies. */
static double share_of_harmonics(const struct waves *waves, double n, double ss) {
    double power = 0;
    for (size_t k = 1; k <= N_HARMONICS; k++) {
        double real = 0, imaginary = 0;
        for (size_t place = 0, turn = 0; place < waves->n_places; place++) {
            real += waves->sums[place] * waves->cosines[turn];
            imaginary += waves->sums[place] * waves->sines[turn];
            turn += k;
            if (turn >= waves->n_places) turn -= waves->n_places;
        }
        power += real * real + imaginary * imaginary;
    }
    return 2 * power / (n * ss);
}

/* The share between the means of equal x. */
static double share_of_levels(size_t n, const double *x, const size_t *order, const double *y, double mean,
                              double ss) {
    double between = 0;
    for (size_t begin = 0, end; begin < n; begin = end) {
        double sum = 0;
        end = ks_sample_run_end(n, x, order, begin);
        for (size_t rank = begin; rank < end; rank++) sum += y[order[rank]] - mean;
        between += sum * sum / (double)(end - begin);
    }
    return between / ss;
}

static int estimate(const struct ks_given_data *data, void *shared, const double *y, const size_t *y_order,
                    double *values) {
    (void)y_order;
    struct waves *waves = shared;
    size_t n = data->n;
    double mean, ss;
    ks_sample_moments(n, y, &mean, &ss);
    for (int i = 0; i < data->n_parameters; i++) {
        const double *x = ks_sample_x(data, i);
        const size_t *order = ks_sample_order(data, i);
        int n_levels = ks_sample_levels(data, i, 2 * N_HARMONICS);
        values[i] = NAN;
        if (!(ss > 0)) continue;
        if (n_levels <= 2 * N_HARMONICS && (size_t)n_levels < n) {
            double share = share_of_levels(n, x, order, y, mean, ss);
            values[i] = correct_bias(share, n_levels - 1, (double)n - 1);
        } else if (n > 4 * N_HARMONICS) {
            walk_up_and_down(n, order, y, mean, waves);
            values[i] = correct_bias(share_of_harmonics(waves, (double)n, ss), 2 * N_HARMONICS, (double)n);
        }
    }
    return KS_OK;
}

static const struct ks_index indices[] = {
    {"S1", KS_OF_PARAMETER, KS_SHARE, "first-order index: share of the variance by the parameter alone"},
};

static const struct ks_given_method given = {.prepare = prepare, .release = release, .estimate = estimate};
const struct ks_method ks_method_rbd_fast = {
    .given = &given, .n_indices = sizeof indices / sizeof *indices, .indices = indices};
