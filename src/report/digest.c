/* Moments, histogram and quantiles of columns: the ranges and a coarse count first, then everything that needs them. */
#include "report/digest.h"

#include "base/memory.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    COARSE_BITS = 14, /* sign, exponent, 5 bits of the mantissa */
    FINE_BITS = 12,
    N_COARSE = 1 << COARSE_BITS,
    N_FINE = 1 << FINE_BITS,
    MOST_SLOTS = 2 * KS_DIGEST_QUANTILES,
    NO_SLOT = 255
};

const double ks_digest_shares[KS_DIGEST_QUANTILES] = {0.05, 0.25, 0.5, 0.75, 0.95};

/* Values whose floats share 26 bits. */
struct fine {
    uint64_t n;
    double low, high;
};

struct column {
    double sum, squares;
    uint64_t coarse[N_COARSE];
    uint8_t slot_of[N_COARSE]; /* of coarse bins that a quantile lies in */
    int n_slots;
    uint64_t before[MOST_SLOTS]; /* numbers in the coarse bins below; ascending */
    struct fine *fine;           /* [n_slots][N_FINE] */
};

struct ks_digester {
    int n_columns;
    struct column *columns;
    struct ks_digest *digests;
};

int ks_digest_create(ks_digester **digester, int n_columns) {
    KS_ALLOCATE(*digester, 1);
    (*digester)->n_columns = n_columns;
    KS_ALLOCATE((*digester)->columns, (size_t)n_columns);
    KS_ALLOCATE((*digester)->digests, (size_t)n_columns);
    for (int c = 0; c < n_columns; c++)
        (*digester)->digests[c] = (struct ks_digest){.low = INFINITY, .high = -INFINITY};
    return KS_OK;
}

void ks_digest_destroy(ks_digester **digester) {
    if (*digester == NULL) return;
    for (int c = 0; c < (*digester)->n_columns && (*digester)->columns != NULL; c++)
        free((*digester)->columns[c].fine);
    free((*digester)->columns);
    free((*digester)->digests);
    free(*digester);
    *digester = NULL;
}

/* ---- order ---------------------------------------------------------------------------------------------------- */

/* The leading bits of a key that grows with the value. */
static unsigned key_of(double value) {
    float number = value > FLT_MAX ? FLT_MAX : value < -FLT_MAX ? -FLT_MAX : (float)value;
    uint32_t bits;
    number += 0.0f; /* -0 is 0 */
    memcpy(&bits, &number, sizeof bits);
    bits ^= bits >> 31 != 0 ? 0xffffffffu : 0x80000000u;
    return bits >> (32 - COARSE_BITS - FINE_BITS);
}

/* ---- first pass ------------------------------------------------------------------------------------------------ */

static void look_at_column(struct column *column, struct ks_digest *digest, size_t n_rows, size_t stride,
                           const double *values) {
    for (size_t i = 0; i < n_rows; i++) {
        double value = values[i * stride];
        if (!isfinite(value)) continue;
        digest->n++;
        digest->low = value < digest->low ? value : digest->low;
        digest->high = value > digest->high ? value : digest->high;
        column->sum += value;
        column->coarse[key_of(value) >> FINE_BITS]++;
    }
}

void ks_digest_look(ks_digester *d, size_t n_rows, const double *values) {
    for (int c = 0; c < d->n_columns; c++)
        look_at_column(&d->columns[c], &d->digests[c], n_rows, (size_t)d->n_columns, values + c);
}

/* ---- between the passes ------------------------------------------------------------------------------------------ */

/* Steps as numpy.histogram's. */
static void place_edges(struct ks_digest *digest) {
    bool is_single = digest->low == digest->high;
    double low = is_single ? digest->low - 0.5 : digest->low, high = is_single ? low + 1 : digest->high;
    double step = (high - low) / KS_DIGEST_BINS;
    for (int i = 0; i < KS_DIGEST_BINS; i++) digest->edges[i] = low + i * step;
    digest->edges[KS_DIGEST_BINS] = high;
}

static void place_none(struct ks_digest *digest) {
    digest->low = digest->high = digest->mean = digest->sd = NAN;
    for (int q = 0; q < KS_DIGEST_QUANTILES; q++) digest->quantiles[q] = NAN;
    for (int i = 0; i <= KS_DIGEST_BINS; i++) digest->edges[i] = NAN;
}

/* The place of a quantile among the sorted numbers. */
static double place_of(const struct ks_digest *digest, int quantile) {
    return ks_digest_shares[quantile] * (double)(digest->n - 1);
}

static void add_slot(struct column *column, uint64_t rank) {
    uint64_t before = 0;
    int bin = 0;
    while (before + column->coarse[bin] <= rank) before += column->coarse[bin++];
    if (column->slot_of[bin] != NO_SLOT) return;
    column->slot_of[bin] = (uint8_t)column->n_slots;
    column->before[column->n_slots++] = before;
}

static int settle_column(struct column *column, struct ks_digest *digest) {
    memset(column->slot_of, NO_SLOT, sizeof column->slot_of);
    if (digest->n == 0) {
        place_none(digest);
        return KS_OK;
    }
    digest->mean = column->sum / (double)digest->n;
    place_edges(digest);
    for (int q = 0; q < KS_DIGEST_QUANTILES; q++) {
        uint64_t rank = (uint64_t)place_of(digest, q);
        add_slot(column, rank);
        if (rank + 1 < digest->n) add_slot(column, rank + 1);
    }
    KS_ALLOCATE(column->fine, (size_t)column->n_slots * N_FINE);
    return KS_OK;
}

int ks_digest_settle(ks_digester *d) {
    for (int c = 0; c < d->n_columns; c++) KS_TRY(settle_column(&d->columns[c], &d->digests[c]));
    return KS_OK;
}

/* ---- second pass ----------------------------------------------------------------------------------------------- */

static void count_in_histogram(struct ks_digest *digest, double value) {
    const double *edges = digest->edges;
    double share = (value - edges[0]) / (edges[KS_DIGEST_BINS] - edges[0]);
    int bin = share > 0 ? (int)(share * KS_DIGEST_BINS) : 0; /* a range beyond all doubles gives NaN */
    if (bin > KS_DIGEST_BINS - 1) bin = KS_DIGEST_BINS - 1;
    if (bin > 0 && value < edges[bin]) bin--; /* rounded across an edge */
    if (bin < KS_DIGEST_BINS - 1 && value >= edges[bin + 1]) bin++;
    digest->counts[bin]++;
}

static void count_in_fine(struct column *column, double value) {
    unsigned key = key_of(value);
    int slot = column->slot_of[key >> FINE_BITS];
    if (slot == NO_SLOT) return;
    struct fine *fine = &column->fine[(size_t)slot * N_FINE + (key & (N_FINE - 1))];
    fine->low = fine->n == 0 || value < fine->low ? value : fine->low;
    fine->high = fine->n == 0 || value > fine->high ? value : fine->high;
    fine->n++;
}

static void count_column(struct column *column, struct ks_digest *digest, size_t n_rows, size_t stride,
                         const double *values) {
    if (digest->n == 0) return;
    for (size_t i = 0; i < n_rows; i++) {
        double value = values[i * stride];
        if (!isfinite(value)) continue;
        column->squares += (value - digest->mean) * (value - digest->mean);
        count_in_histogram(digest, value);
        count_in_fine(column, value);
    }
}

void ks_digest_count(ks_digester *d, size_t n_rows, const double *values) {
    for (int c = 0; c < d->n_columns; c++)
        count_column(&d->columns[c], &d->digests[c], n_rows, (size_t)d->n_columns, values + c);
}

/* ---- the end --------------------------------------------------------------------------------------------------- */

/* The number of this rank, from 0, among the sorted ones. */
static double number_at(const struct column *column, uint64_t rank) {
    int slot = 0;
    while (slot + 1 < column->n_slots && column->before[slot + 1] <= rank) slot++;
    const struct fine *fine = &column->fine[(size_t)slot * N_FINE];
    uint64_t left = rank - column->before[slot];
    int bin = 0;
    for (; bin < N_FINE - 1 && left >= fine[bin].n; bin++) left -= fine[bin].n;
    if (fine[bin].n < 2) return fine[bin].low;
    return fine[bin].low + (fine[bin].high - fine[bin].low) * ((double)left / (double)(fine[bin].n - 1));
}

static void finish_column(const struct column *column, struct ks_digest *digest) {
    if (digest->n == 0) return;
    digest->sd = sqrt(column->squares / (double)digest->n);
    for (int q = 0; q < KS_DIGEST_QUANTILES; q++) {
        double place = place_of(digest, q);
        uint64_t rank = (uint64_t)place;
        double low = number_at(column, rank);
        double high = rank + 1 < digest->n ? number_at(column, rank + 1) : low;
        digest->quantiles[q] = low + (place - (double)rank) * (high - low);
    }
}

const struct ks_digest *ks_digest_finish(ks_digester *d) {
    for (int c = 0; c < d->n_columns; c++) finish_column(&d->columns[c], &d->digests[c]);
    return d->digests;
}
