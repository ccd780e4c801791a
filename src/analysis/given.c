/* Given-data methods: columns of complete points, and resamples of them.
 *
 * The inputs lie in memory, sorted once; a resample keeps the order, each row as often as it was drawn, without sorting
 * again. What outputs share is prepared once for each resample. Resamples are the ranks' share of the work: each is
 * computed whole by one rank, and rank 0 gathers them in order. Of a Saltelli design the rows of A and B alone sample the
 * parameters' joint distribution. */
#include "analysis/frame_impl.h"
#include "analysis/sample_impl.h"
#include "base/memory.h"
#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const size_t columns_bytes = 128u << 20; /* of the outputs of a pass */

/* A table of columns that owns its memory. */
struct table {
    size_t n, capacity; /* rows */
    double *x, *ranks;  /* [p][capacity], but used as [p][n] */
    size_t *order;      /* the same */
    size_t *source;     /* [n] row of the table that it was drawn from, ascending */
    size_t *starts;     /* [rows of that table] where the copies of a row begin */
    uint8_t *counts;    /* [rows of that table] how many there are */
};

struct given {
    struct ks_frame *frame;
    const struct ks_given_method *method;
    int p;
    struct table all;
    uint64_t *bases;         /* [all.n] of each row */
    struct table drawn, own; /* a resample; the same for an output with values missing of its own */
    int first, n_columns;    /* of the pass */
    double *y;               /* [n_columns][all.n] */
    bool *has_missing;       /* [n_columns] */
    size_t *y_order;         /* [n_columns][all.n], where the method needs it: missing values last */
    double *drawn_y;         /* [drawn.capacity] */
    size_t *drawn_y_order;   /* the same */
    int replicate;           /* in hand */
    size_t n_study;          /* rows that replicate 0 has of the column in hand */
    double *estimates;       /* [n_columns][n_values], then [n_columns] variances: of the replicate in hand */
};

/* ---- tables --------------------------------------------------------------------------------------------------- */

static int allocate_table(struct table *table, size_t capacity, size_t n_sources, int p) {
    table->capacity = capacity;
    KS_ALLOCATE(table->starts, n_sources);
    KS_ALLOCATE(table->counts, n_sources);
    KS_ALLOCATE(table->x, capacity * (size_t)p);
    KS_ALLOCATE(table->ranks, capacity * (size_t)p);
    KS_ALLOCATE(table->order, capacity * (size_t)p);
    KS_ALLOCATE(table->source, capacity);
    return KS_OK;
}

static void release_table(struct table *table) {
    free(table->x);
    free(table->ranks);
    free(table->order);
    free(table->source);
    free(table->starts);
    free(table->counts);
}

static int sort_table(struct table *table, int p) {
    size_t n = table->n;
    for (size_t k = 0; k < (size_t)p; k++) KS_TRY(ks_sample_sort(n, &table->x[k * n], &table->order[k * n]));
    return KS_OK;
}

/* Adds `copies` numbers from `first` on; two are written always, as a branch would be guessed wrongly every other time. */
static size_t add_copies(size_t *numbers, size_t at, size_t first, size_t step, size_t copies) {
    numbers[at] = first;
    numbers[at + 1] = first + step;
    for (size_t copy = 2; copy < copies; copy++) numbers[at + copy] = first + copy * step;
    return at + copies;
}

/* The order of a column of what was drawn, from the order of all rows. */
static void draw_order(const struct given *given, const struct table *table, const size_t *order,
                       size_t *drawn) {
    size_t at = 0;
    for (size_t i = 0; i < given->all.n; i++)
        at = add_copies(drawn, at, table->starts[order[i]], 1, table->counts[order[i]]);
}

/* Takes each row of all as often as the table's counts say. */
static void draw_table(const struct given *given, struct table *table) {
    const struct table *all = &given->all;
    size_t n = 0;
    for (size_t i = 0; i < all->n; i++) {
        table->starts[i] = n;
        n = add_copies(table->source, n, i, 0, table->counts[i]);
        KS_ASSERT(n + 2 <= table->capacity);
    }
    table->n = n;
    for (size_t k = 0; k < (size_t)given->p; k++) {
        const double *x = &all->x[k * all->n];
        for (size_t i = 0; i < n; i++) table->x[k * n + i] = x[table->source[i]];
        draw_order(given, table, &all->order[k * all->n], &table->order[k * n]);
        if (given->method->needs_ranks)
            ks_sample_rank(n, &table->x[k * n], &table->order[k * n], &table->ranks[k * n]);
    }
}

/* ---- reading -------------------------------------------------------------------------------------------------- */

/* Whether a row samples the joint distribution and has run to its end. */
static bool is_taken(const struct ks_frame *frame, uint64_t row, int status) {
    uint64_t n_rows = frame->layout.n_rows, block = row % n_rows;
    bool is_sample = frame->study->design->kind != KS_DESIGN_saltelli || block == 0 || block == n_rows - 1;
    return is_sample && !ks_status_is_failure(status);
}

/* Goes through the file in blocks; `take` gets each row that counts, with its number among these. */
typedef void taker(struct given *given, const struct ks_rows *rows, size_t row, uint64_t point,
                   size_t number);

static int go_through(struct given *given, struct ks_rows *rows, uint64_t capacity, taker *take,
                      size_t *n_taken) {
    const struct ks_frame *frame = given->frame;
    uint64_t n_points = frame->schema->n_points;
    *n_taken = 0;
    for (uint64_t first = 0; first < n_points; first += capacity) {
        uint64_t count = n_points - first < capacity ? n_points - first : capacity;
        KS_TRY(frame->study->read(frame->study->source, first, count, rows));
        for (uint64_t i = 0; i < count; i++) {
            if (!is_taken(frame, first + i, rows->status[i])) continue;
            if (take != NULL) take(given, rows, (size_t)i, first + i, *n_taken);
            (*n_taken)++;
        }
    }
    return KS_OK;
}

static void take_inputs(struct given *given, const struct ks_rows *rows, size_t row, uint64_t point,
                        size_t number) {
    given->bases[number] = point / given->frame->layout.n_rows;
    for (int k = 0; k < given->p; k++)
        given->all.x[(size_t)k * given->all.n + number] = rows->inputs[row * (size_t)given->p + (size_t)k];
}

static void take_columns(struct given *given, const struct ks_rows *rows, size_t row, uint64_t point,
                         size_t number) {
    (void)point;
    for (int k = 0; k < given->n_columns; k++) {
        double y = ks_columns_value(given->frame, rows, row, given->first + k);
        given->y[(size_t)k * given->all.n + number] = y;
        if (isnan(y)) given->has_missing[k] = true;
    }
}

static int read_inputs(struct given *given) {
    struct ks_rows status = {0}, rows = {0};
    uint64_t capacity = ks_columns_block_rows(given->frame);
    size_t n = 0;
    int err = ks_columns_allocate(given->frame, 0, 0, false, capacity, &status);
    if (err == KS_OK) err = go_through(given, &status, capacity, NULL, &n);
    if (err == KS_OK) err = allocate_table(&given->all, n, 0, given->p);
    given->all.n = n;
    if (err == KS_OK && (given->bases = ks_memory_allocate(n, sizeof *given->bases)) == NULL)
        err = ks_error_raise(KS_ERR_MEMORY, __FILE__, __LINE__, "no memory for %zu rows", n);
    if (err == KS_OK) err = ks_columns_allocate(given->frame, 0, 0, true, capacity, &rows);
    if (err == KS_OK) err = go_through(given, &rows, capacity, take_inputs, &n);
    if (err == KS_OK) err = sort_table(&given->all, given->p);
    ks_store_release_rows(&status);
    ks_store_release_rows(&rows);
    return err;
}

static int read_columns(struct given *given) {
    struct ks_rows rows = {0};
    uint64_t capacity = ks_columns_block_rows(given->frame);
    size_t n;
    for (int k = 0; k < given->n_columns; k++) given->has_missing[k] = false;
    int err = ks_columns_allocate(given->frame, given->first, given->n_columns, false, capacity, &rows);
    if (err == KS_OK) err = go_through(given, &rows, capacity, take_columns, &n);
    ks_store_release_rows(&rows);
    for (size_t k = 0; err == KS_OK && given->y_order != NULL && k < (size_t)given->n_columns; k++)
        err = ks_sample_sort(given->all.n, &given->y[k * given->all.n], &given->y_order[k * given->all.n]);
    return err;
}

/* ---- estimates ------------------------------------------------------------------------------------------------ */

static struct ks_given_data describe(const struct given *given, const struct table *table) {
    return (struct ks_given_data){.design = given->frame->study->design,
                                  .n = table->n,
                                  .n_parameters = given->p,
                                  .x = table->x,
                                  .ranks = given->method->needs_ranks ? table->ranks : NULL,
                                  .order = table->order,
                                  .is_resample = given->replicate > 0,
                                  .n_study = given->n_study,
                                  .seed = given->frame->study->design->seed};
}

static double variance_of(size_t n, const double *y) {
    double mean = 0, squares = 0;
    for (size_t i = 0; i < n; i++) mean += y[i];
    mean /= (double)n;
    for (size_t i = 0; i < n; i++) squares += (y[i] - mean) * (y[i] - mean);
    double variance = squares / (double)n;
    return variance > 1e-26 * mean * mean ? variance : 0;
}

/* One column of the pass from a table that is prepared. */
static int estimate_column(struct given *given, const struct table *table, void *shared, int k) {
    struct ks_given_data data = describe(given, table);
    int n_values = given->frame->results->n_values;
    double *values = &given->estimates[(size_t)k * (size_t)n_values];
    double *variance = &given->estimates[(size_t)given->n_columns * (size_t)n_values + (size_t)k];
    const double *y = &given->y[(size_t)k * given->all.n];
    for (size_t i = 0; i < table->n; i++) given->drawn_y[i] = y[table->source[i]];
    if (given->y_order != NULL)
        draw_order(given, table, &given->y_order[(size_t)k * given->all.n], given->drawn_y_order);
    *variance = table->n >= 2 ? variance_of(table->n, given->drawn_y) : NAN;
    for (int i = 0; i < n_values; i++) values[i] = NAN;
    if (!(*variance > 0)) return KS_OK;
    return given->method->estimate(&data, shared, given->drawn_y, given->drawn_y_order, values);
}

static int prepare(struct given *given, const struct table *table, void **shared) {
    struct ks_given_data data = describe(given, table);
    *shared = NULL;
    return given->method->prepare != NULL ? given->method->prepare(&data, shared) : KS_OK;
}

static void release_shared(const struct given *given, void *shared) {
    if (given->method->release != NULL) given->method->release(shared);
}

/* A column that misses values of its own: from the rows that have one. */
static int estimate_apart(struct given *given, int k) {
    const double *y = &given->y[(size_t)k * given->all.n];
    given->n_study = 0;
    for (size_t i = 0; i < given->all.n; i++) {
        given->own.counts[i] = isnan(y[i]) ? 0 : given->drawn.counts[i];
        given->n_study += !isnan(y[i]);
    }
    draw_table(given, &given->own);
    void *shared;
    int err = prepare(given, &given->own, &shared);
    if (err == KS_OK) err = estimate_column(given, &given->own, shared, k);
    release_shared(given, shared);
    given->n_study = given->all.n;
    return err;
}

/* How often the replicate in hand takes a base row. */
static uint8_t count_copies(const struct given *given, uint64_t base) {
    if (given->replicate == 0) return 1;
    bool is_of_part = base % KS_MOST_GROUPS == (uint64_t)given->replicate - 1;
    enum ks_replication kind = given->frame->replicates.kind;
    if (kind != KS_BOOTSTRAP) return is_of_part == (kind == KS_PARTS);
    return ks_bootstrap_draw(given->frame->study->design->seed, given->replicate - 1, base);
}

static int estimate_replicate(struct given *given, int replicate) {
    given->replicate = replicate;
    given->n_study = given->all.n;
    for (size_t i = 0; i < given->all.n; i++) given->drawn.counts[i] = count_copies(given, given->bases[i]);
    draw_table(given, &given->drawn);
    void *shared;
    int err = prepare(given, &given->drawn, &shared);
    for (int k = 0; err == KS_OK && k < given->n_columns; k++)
        err = given->has_missing[k] ? estimate_apart(given, k)
                                    : estimate_column(given, &given->drawn, shared, k);
    release_shared(given, shared);
    return err;
}

/* Sorts the numbers of one replicate of all columns into [column][replicate]. */
static void file_estimates(const struct given *given, int replicate, double *values, double *variances) {
    size_t n = (size_t)given->frame->replicates.n, n_values = (size_t)given->frame->results->n_values;
    size_t n_columns = (size_t)given->n_columns, r = (size_t)replicate;
    for (size_t k = 0; k < n_columns; k++) {
        memcpy(&values[(k * n + r) * n_values], &given->estimates[k * n_values], n_values * sizeof *values);
        variances[k * n + r] = given->estimates[n_columns * n_values + k];
    }
}

static int estimate_replicates(struct given *given, double *values, double *variances) {
    const struct ks_frame *frame = given->frame;
    const struct ks_study *study = frame->study;
    int rank = ks_run_rank(study), size = ks_run_size(study), n = frame->replicates.n;
    size_t length = (size_t)given->n_columns * ((size_t)frame->results->n_values + 1);
    for (int round = 0; round < n; round += size) {
        int own = round + rank;
        KS_TRY(ks_run_agree(study, own < n ? estimate_replicate(given, own) : KS_OK));
        for (int from = 0; from < size && round + from < n; from++) {
            KS_TRY(ks_run_pass(study, from, given->estimates, length));
            if (rank == 0) file_estimates(given, round + from, values, variances);
        }
    }
    return KS_OK;
}

/* Rows that serve a column serve it for every parameter. */
static void count_used(struct given *given) {
    size_t p = (size_t)given->p;
    for (int k = 0; k < given->n_columns; k++) {
        uint64_t n = 0;
        for (size_t i = 0; i < given->all.n; i++) n += !isnan(given->y[(size_t)k * given->all.n + i]);
        for (size_t i = 0; i < p; i++) given->frame->results->n_used[(size_t)(given->first + k) * p + i] = n;
    }
}

static int run_pass(struct given *given) {
    struct ks_frame *frame = given->frame;
    const struct ks_study *study = frame->study;
    size_t n = (size_t)frame->replicates.n, n_values = (size_t)frame->results->n_values;
    size_t n_columns = (size_t)given->n_columns;
    bool is_first = ks_run_rank(study) == 0;
    double *values = NULL;
    int err = read_columns(given);
    if (err == KS_OK && is_first &&
        (values = ks_memory_allocate(n_columns * n * (n_values + 1), sizeof *values)) == NULL)
        err = ks_error_raise(KS_ERR_MEMORY, __FILE__, __LINE__, "no memory for %zu resamples", n);
    err = ks_run_agree(study, err);
    double *variances = is_first && values != NULL ? values + n_columns * n * n_values : NULL;
    if (err == KS_OK) err = estimate_replicates(given, values, variances);
    if (err == KS_OK && is_first) {
        count_used(given);
        for (size_t k = 0; k < n_columns; k++)
            ks_intervals_take(frame, given->first + (int)k, &values[k * n * n_values], &variances[k * n]);
    }
    free(values);
    return err;
}

/* ---- passes --------------------------------------------------------------------------------------------------- */

static int allocate(struct given *given, int most) {
    size_t n = given->all.n,
           drawn = 2 * n + 64; /* of Poisson numbers whose mean is n; more than ten deviations above */
    KS_TRY(allocate_table(&given->drawn, drawn, n, given->p));
    KS_TRY(allocate_table(&given->own, drawn, n, given->p));
    KS_ALLOCATE(given->y, (size_t)most * n);
    KS_ALLOCATE(given->has_missing, (size_t)most);
    KS_ALLOCATE(given->drawn_y, drawn);
    if (given->method->needs_order) {
        KS_ALLOCATE(given->y_order, (size_t)most * n);
        KS_ALLOCATE(given->drawn_y_order, drawn);
    }
    KS_ALLOCATE(given->estimates, (size_t)most * ((size_t)given->frame->results->n_values + 1));
    return KS_OK;
}

static void release(struct given *given) {
    release_table(&given->all);
    release_table(&given->drawn);
    release_table(&given->own);
    free(given->bases);
    free(given->y);
    free(given->has_missing);
    free(given->y_order);
    free(given->drawn_y);
    free(given->drawn_y_order);
    free(given->estimates);
}

static int run(struct given *given) {
    const struct ks_frame *frame = given->frame;
    int err = read_inputs(given);
    if (err == KS_OK && given->all.n < 2)
        err = ks_error_raise(KS_ERR_USAGE, __FILE__, __LINE__, "%zu complete points are too few to analyse",
                             given->all.n);
    KS_TRY(ks_run_agree(frame->study, err));
    size_t fitting = columns_bytes / (given->all.n * sizeof(double));
    int most = fitting < 1 ? 1 : fitting < (size_t)frame->n_columns ? (int)fitting : frame->n_columns;
    KS_TRY(ks_run_agree(frame->study, allocate(given, most)));
    for (given->first = 0; given->first < frame->n_columns; given->first += most) {
        int left = frame->n_columns - given->first;
        given->n_columns = left < most ? left : most;
        KS_TRY(run_pass(given));
    }
    return KS_OK;
}

int ks_given_run(struct ks_frame *frame) {
    struct given given = {
        .frame = frame, .method = frame->method->given, .p = frame->study->design->n_variables};
    int err = run(&given);
    release(&given);
    return err;
}
