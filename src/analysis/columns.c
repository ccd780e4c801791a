/* Outputs as columns of the file's rows, which are read in blocks. */
#include "analysis/frame_impl.h"
#include "base/memory.h"
#include "base/status.h"

#include <math.h>

static size_t course_length(const struct ks_frame *frame) {
    return (size_t)frame->schema->n_times * (size_t)frame->schema->n_states;
}

int ks_columns_allocate(const struct ks_frame *frame, int first, int n, bool with_inputs, uint64_t n_rows,
                        struct ks_rows *rows) {
    const struct ks_schema *schema = frame->schema;
    *rows = (struct ks_rows){0};
    KS_ALLOCATE(rows->status, n_rows);
    if (with_inputs) KS_ALLOCATE(rows->inputs, n_rows * (size_t)schema->n_parameters);
    if (n > 0 && first < schema->n_endpoints)
        KS_ALLOCATE(rows->endpoints, n_rows * (size_t)schema->n_endpoints);
    if (n > 0 && first + n > schema->n_endpoints)
        KS_ALLOCATE(rows->trajectories, n_rows * course_length(frame));
    return KS_OK;
}

double ks_columns_value(const struct ks_frame *frame, const struct ks_rows *rows, size_t row, int column) {
    int n_endpoints = frame->schema->n_endpoints;
    if (ks_status_is_failure(rows->status[row])) return NAN;
    double value =
        column < n_endpoints
            ? rows->endpoints[row * (size_t)n_endpoints + (size_t)column]
            : (double)rows->trajectories[row * course_length(frame) + (size_t)(column - n_endpoints)];
    return isfinite(value) ? value : NAN;
}

uint64_t ks_columns_block_rows(const struct ks_frame *frame) {
    enum { MOST_ROWS = 8192, MOST_BYTES = 16 * 1024 * 1024 };
    uint64_t fitting = MOST_BYTES / ks_store_row_bytes(frame->schema);
    return fitting < 1 ? 1 : fitting < MOST_ROWS ? fitting : MOST_ROWS;
}
