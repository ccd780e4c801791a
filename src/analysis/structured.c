/* Structured methods: one pass over the base rows, which adds up their terms for every replicate.
 *
 * Base rows are cut into chunks of fixed size, whatever the number of ranks. A rank adds up whole chunks, row after
 * row; rank 0 adds the chunks' sums, in order. So no sum depends on who computed what, nor on how many rows were
 * read at a time. Memory holds the sums of one chunk and of all: the columns of a pass are as many as fit, all of them
 * but for a bootstrap of many outputs.
 *
 * Outputs are shifted by the mean over the first base rows, so that squares of small differences keep their digits. */
#include "analysis/frame_impl.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 256, PILOT_BASES = 64 };      /* base rows */
static const size_t sums_bytes = 128u << 20; /* of a pass, of one chunk and of all together */

struct pass {
    struct ks_frame *frame;
    const struct ks_structured_method *method;
    int first, n;          /* columns */
    int n_sums;            /* kinds of sums of a column: groups; or the study itself and resamples */
    size_t stride;         /* terms, rounded up */
    double *shifts;        /* [n] */
    double *total, *chunk; /* [n][n_sums][stride] */
    uint64_t n_chunk;      /* base rows of a chunk */
    /* of a block of base rows */
    int n_block;
    struct ks_rows rows;
    double *u;     /* [n_block n_rows][p] */
    double *y;     /* [n_rows] */
    double *terms; /* [n_block][stride] */
    struct ks_bootstrap_block bootstrap;
};

static size_t sums_length(const struct pass *pass) {
    return (size_t)pass->n * (size_t)pass->n_sums * pass->stride;
}

/* ---- a block of base rows ------------------------------------------------------------------------------------- */

static int read_block(struct pass *pass, uint64_t base, int n_bases) {
    const struct ks_frame *frame = pass->frame;
    uint64_t n_rows = frame->layout.n_rows, first = base * n_rows, count = (uint64_t)n_bases * n_rows;
    KS_TRY(frame->study->read(frame->study->source, first, count, &pass->rows));
    if (!pass->method->needs_inputs) return KS_OK;
    int p = frame->study->design->n_variables;
    for (uint64_t i = 0; i < count; i++)
        ks_design_uniforms(frame->study->design, first + i, &pass->u[i * (uint64_t)p]);
    return KS_OK;
}

/* The terms of base row `j` of the block for one column. */
static void fill_terms(struct pass *pass, uint64_t base, int j, int column, double *terms) {
    const struct ks_frame *frame = pass->frame;
    size_t n_rows = (size_t)frame->layout.n_rows, first = (size_t)j * n_rows;
    int p = frame->study->design->n_variables;
    double shift = pass->shifts[column - pass->first];
    struct ks_base_row row = {.design = frame->study->design,
                              .number = base + (uint64_t)j,
                              .n_parameters = p,
                              .n_rows = (int)n_rows};
    if (pass->method->needs_inputs) {
        row.x = &pass->rows.inputs[first * (size_t)p];
        row.u = &pass->u[first * (size_t)p];
    }
    for (size_t i = 0; i < n_rows; i++)
        pass->y[i] = ks_columns_value(frame, &pass->rows, first + i, column) - shift;
    memset(terms, 0, pass->stride * sizeof *terms);
    pass->method->add_terms(&row, pass->y, terms);
}

static void add_terms(size_t n, const double *terms, double *sums) {
    for (size_t i = 0; i < n; i++) sums[i] += terms[i];
}

static void add_column(struct pass *pass, uint64_t base, int n_bases, int column) {
    const struct ks_replicates *replicates = &pass->frame->replicates;
    double *sums = &pass->chunk[(size_t)(column - pass->first) * (size_t)pass->n_sums * pass->stride];
    for (int j = 0; j < n_bases; j++) {
        double *terms = &pass->terms[(size_t)j * pass->stride];
        uint64_t group = replicates->kind == KS_JACKKNIFE ? (base + (uint64_t)j) % (uint64_t)pass->n_sums : 0;
        fill_terms(pass, base, j, column, terms);
        add_terms(pass->stride, terms, &sums[group * pass->stride]);
    }
    if (replicates->kind == KS_BOOTSTRAP)
        ks_bootstrap_add(&pass->bootstrap, pass->stride, pass->terms, sums + pass->stride);
}

/* ---- chunks --------------------------------------------------------------------------------------------------- */

static int sum_chunk(struct pass *pass, uint64_t first, uint64_t count) {
    memset(pass->chunk, 0, sums_length(pass) * sizeof *pass->chunk);
    for (uint64_t done = 0; done < count;) {
        uint64_t left = count - done, base = first + done;
        int n = left < (uint64_t)pass->n_block ? (int)left : pass->n_block;
        KS_TRY(read_block(pass, base, n));
        if (pass->frame->replicates.kind == KS_BOOTSTRAP)
            ks_bootstrap_fill(&pass->bootstrap, pass->frame->study->design->seed, base, n);
        for (int column = pass->first; column < pass->first + pass->n; column++)
            add_column(pass, base, n, column);
        done += (uint64_t)n;
    }
    return KS_OK;
}

/* The chunks of a round, one for each rank, are added in their order. */
static int sum_chunks(struct pass *pass) {
    const struct ks_study *study = pass->frame->study;
    uint64_t n_bases = pass->frame->layout.n_bases, n_chunks = (n_bases + pass->n_chunk - 1) / pass->n_chunk;
    int rank = ks_run_rank(study), size = ks_run_size(study);
    for (uint64_t round = 0; round < n_chunks; round += (uint64_t)size) {
        uint64_t own = round + (uint64_t)rank, first = own * pass->n_chunk;
        int err = KS_OK;
        if (own < n_chunks) {
            uint64_t left = n_bases - first;
            err = sum_chunk(pass, first, left < pass->n_chunk ? left : pass->n_chunk);
        }
        KS_TRY(ks_run_agree(study, err));
        for (int from = 0; from < size && round + (uint64_t)from < n_chunks; from++) {
            KS_TRY(ks_run_pass(study, from, pass->chunk, sums_length(pass)));
            if (rank == 0) add_terms(sums_length(pass), pass->chunk, pass->total);
        }
    }
    return KS_OK;
}

/* The mean of a column over the first row of the first base rows; each rank reads them for itself. */
static int find_shifts(struct pass *pass) {
    const struct ks_frame *frame = pass->frame;
    double *sums = pass->shifts;
    int *counts;
    KS_ALLOCATE(counts, (size_t)pass->n);
    int err = KS_OK;
    for (uint64_t base = 0; err == KS_OK && base < frame->layout.n_bases && base < PILOT_BASES; base++) {
        err = frame->study->read(frame->study->source, base * frame->layout.n_rows, 1, &pass->rows);
        for (int k = 0; err == KS_OK && k < pass->n; k++) {
            double y = ks_columns_value(frame, &pass->rows, 0, pass->first + k);
            if (isnan(y)) continue;
            sums[k] += y;
            counts[k]++;
        }
    }
    for (int k = 0; k < pass->n; k++) sums[k] = counts[k] > 0 ? sums[k] / counts[k] : 0;
    free(counts);
    return err;
}

/* ---- estimates ------------------------------------------------------------------------------------------------ */

/* The sums of a replicate, from those of one column [n_sums][stride]. */
static void sum_replicate(const struct pass *pass, const double *sums, int replicate, double *sum) {
    if (pass->frame->replicates.kind == KS_BOOTSTRAP) {
        memcpy(sum, &sums[(size_t)replicate * pass->stride], pass->stride * sizeof *sum);
        return;
    }
    memset(sum, 0, pass->stride * sizeof *sum);
    for (int group = 0; group < pass->n_sums; group++)
        if (group != replicate - 1) add_terms(pass->stride, &sums[(size_t)group * pass->stride], sum);
}

/* Rounding leaves of a constant column a variance of this size. */
static bool varies(double variance, double shift) {
    static const double rounding = 1e-13;
    return variance > rounding * rounding * shift * shift;
}

static void estimate_column(struct pass *pass, int k, double *sum, double *values, double *variances) {
    const struct ks_frame *frame = pass->frame;
    const struct ks_design *design = frame->study->design;
    int n_values = frame->results->n_values, p = design->n_variables;
    const double *sums = &pass->total[(size_t)k * (size_t)pass->n_sums * pass->stride];
    for (int r = 0; r < frame->replicates.n; r++) {
        double *own = &values[r * n_values];
        sum_replicate(pass, sums, r, sum);
        pass->method->estimate(design, sum, own, &variances[r]);
        if (!varies(variances[r], pass->shifts[k])) {
            variances[r] = variances[r] >= 0 ? 0 : NAN;
            for (int i = 0; i < n_values; i++) own[i] = NAN;
        }
        if (r > 0) continue;
        for (int i = 0; i < p; i++)
            frame->results->n_used[(size_t)(pass->first + k) * (size_t)p + (size_t)i] =
                (uint64_t)sum[pass->method->count_term(design, i)];
    }
    ks_intervals_take(pass->frame, pass->first + k, values, variances);
}

static int estimate_columns(struct pass *pass) {
    const struct ks_frame *frame = pass->frame;
    size_t n = (size_t)frame->replicates.n, n_values = (size_t)frame->results->n_values;
    double *scratch;
    KS_ALLOCATE(scratch, pass->stride + n * n_values + n);
    double *values = scratch + pass->stride, *variances = values + n * n_values;
    for (int k = 0; k < pass->n; k++) estimate_column(pass, k, scratch, values, variances);
    free(scratch);
    return KS_OK;
}

/* ---- passes --------------------------------------------------------------------------------------------------- */

static int allocate(struct pass *pass) {
    struct ks_frame *frame = pass->frame;
    size_t n_rows = (size_t)frame->layout.n_rows, p = (size_t)frame->study->design->n_variables;
    uint64_t fitting = ks_columns_block_rows(frame) / n_rows;
    pass->n_block = fitting < 1 ? 1 : fitting < KS_BOOTSTRAP_BLOCK ? (int)fitting : KS_BOOTSTRAP_BLOCK;
    size_t n_block = (size_t)pass->n_block;
    KS_TRY(ks_columns_allocate(frame, pass->first, pass->n, pass->method->needs_inputs, n_block * n_rows,
                               &pass->rows));
    if (pass->method->needs_inputs) KS_ALLOCATE(pass->u, n_block * n_rows * p);
    KS_ALLOCATE(pass->y, n_rows);
    KS_ALLOCATE(pass->terms, n_block * pass->stride);
    KS_ALLOCATE(pass->shifts, (size_t)pass->n);
    KS_ALLOCATE(pass->chunk, sums_length(pass));
    if (ks_run_rank(frame->study) == 0) KS_ALLOCATE(pass->total, sums_length(pass));
    return frame->replicates.kind == KS_JACKKNIFE
               ? KS_OK
               : ks_bootstrap_create(&pass->bootstrap, frame->replicates.n - 1);
}

static void release(struct pass *pass) {
    ks_store_release_rows(&pass->rows);
    ks_bootstrap_release(&pass->bootstrap);
    free(pass->u);
    free(pass->y);
    free(pass->terms);
    free(pass->shifts);
    free(pass->chunk);
    free(pass->total);
}

static int run_pass(struct pass *pass) {
    const struct ks_study *study = pass->frame->study;
    int err = allocate(pass);
    if (err == KS_OK) err = find_shifts(pass);
    KS_TRY(ks_run_agree(study, err));
    KS_TRY(sum_chunks(pass));
    return ks_run_agree(study, ks_run_rank(study) == 0 ? estimate_columns(pass) : KS_OK);
}

int ks_structured_run(struct ks_frame *frame) {
    const struct ks_structured_method *method = frame->method->structured;
    size_t n_terms = (size_t)method->count_terms(frame->study->design);
    struct pass pass = {.frame = frame, .method = method};
    pass.stride = (n_terms + KS_BOOTSTRAP_STRIDE - 1) / KS_BOOTSTRAP_STRIDE * KS_BOOTSTRAP_STRIDE;
    pass.n_sums = frame->replicates.kind == KS_JACKKNIFE ? frame->layout.n_groups : frame->replicates.n;
    /* a base row of FAST is a curve of every parameter, of which there are few */
    pass.n_chunk = frame->layout.n_bases <= KS_DESIGN_SCRAMBLES ? 1 : CHUNK;
    size_t fitting = sums_bytes / (2 * (size_t)pass.n_sums * pass.stride * sizeof(double));
    int most = fitting < 1 ? 1 : fitting < (size_t)frame->n_columns ? (int)fitting : frame->n_columns;
    for (int first = 0; first < frame->n_columns; first += most) {
        struct pass own = pass;
        own.first = first;
        own.n = frame->n_columns - first < most ? frame->n_columns - first : most;
        int err = run_pass(&own);
        release(&own);
        KS_TRY(err);
    }
    return KS_OK;
}
