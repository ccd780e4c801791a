/* How the points of a campaign ended: of this run, by its ranks; of earlier ones, from their rows. */
#include "app/app_impl.h"
#include "base/agree.h"
#include "base/error.h"
#include "base/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_ROWS = 65536 };

uint64_t ks_tally_count_failed(const uint64_t n_by_status[KS_N_STATUSES]) {
    uint64_t n = 0;
    for (int status = 0; status < KS_N_STATUSES; status++)
        if (ks_status_is_failure(status)) n += n_by_status[status];
    return n;
}

int ks_tally_reduce(const struct ks_tally *own, struct ks_tally *total, int n, MPI_Comm comm) {
    KS_MPI(MPI_Reduce(own->n_by_status, total->n_by_status, KS_N_STATUSES, MPI_UINT64_T, MPI_SUM, 0, comm));
    KS_MPI(MPI_Reduce(own->low, total->low, n, MPI_DOUBLE, MPI_MIN, 0, comm));
    KS_MPI(MPI_Reduce(own->high, total->high, n, MPI_DOUBLE, MPI_MAX, 0, comm));
    KS_MPI(MPI_Reduce(own->failed_low, total->failed_low, n, MPI_DOUBLE, MPI_MIN, 0, comm));
    KS_MPI(MPI_Reduce(own->failed_high, total->failed_high, n, MPI_DOUBLE, MPI_MAX, 0, comm));
    return KS_OK;
}

/* ---- rows of a file ----------------------------------------------------------------------------------------- */

int ks_tally_count_rows(ks_store *store, uint64_t n_rows, uint64_t n_by_status[KS_N_STATUSES]) {
    int8_t status[BLOCK_ROWS];
    for (uint64_t done = 0; done < n_rows; done += BLOCK_ROWS) {
        uint64_t left = n_rows - done, count = left < BLOCK_ROWS ? left : BLOCK_ROWS;
        struct ks_rows rows = {.status = status};
        KS_TRY(ks_store_read_rows(store, done, count, &rows));
        for (uint64_t i = 0; i < count; i++)
            if (status[i] >= 0 && status[i] < KS_N_STATUSES) n_by_status[status[i]]++;
    }
    return KS_OK;
}

static int widen_by_blocks(struct ks_tally *tally, ks_store *store, uint64_t n_rows, int rank, int size,
                           struct ks_rows *rows) {
    int p = ks_store_schema(store)->n_parameters;
    uint64_t step = BLOCK_ROWS * (uint64_t)size;
    for (uint64_t first = BLOCK_ROWS * (uint64_t)rank; first < n_rows; first += step) {
        uint64_t left = n_rows - first, count = left < BLOCK_ROWS ? left : BLOCK_ROWS;
        KS_TRY(ks_store_read_rows(store, first, count, rows));
        for (uint64_t i = 0; i < count; i++)
            ks_work_widen_tally(tally, p, &rows->inputs[i * (uint64_t)p], rows->status[i]);
    }
    return KS_OK;
}

int ks_tally_widen_by_rows(struct ks_tally *tally, ks_store *store, uint64_t n_rows, int rank, int size) {
    struct ks_rows rows = {0};
    size_t p = (size_t)ks_store_schema(store)->n_parameters;
    rows.inputs = ks_memory_allocate(BLOCK_ROWS * p, sizeof *rows.inputs);
    rows.status = ks_memory_allocate(BLOCK_ROWS, sizeof *rows.status);
    bool has_room = rows.inputs != NULL && rows.status != NULL;
    int err = has_room ? KS_OK : ks_error_raise(KS_ERR_MEMORY, __FILE__, __LINE__, "no memory for rows");
    if (err == KS_OK) err = widen_by_blocks(tally, store, n_rows, rank, size, &rows);
    ks_store_release_rows(&rows);
    return err;
}

/* ---- for people --------------------------------------------------------------------------------------------- */

/* Names the parameters in which the failed points fill less than half of the range of all points. Ten points drawn
 * from the whole range would do so by chance once in a hundred times. */
static void print_where_failed(FILE *stream, const struct ks_tally *t, const struct ks_schema *schema) {
    for (int i = 0; i < schema->n_parameters; i++)
        if (t->failed_high[i] - t->failed_low[i] < 0.5 * (t->high[i] - t->low[i]))
            fprintf(stream, "    all at %s %.4g to %.4g%s%s (the design spans %.4g to %.4g)\n",
                    schema->parameters[i].name, t->failed_low[i], t->failed_high[i],
                    strcmp(schema->parameters[i].unit, "1") == 0 ? "" : " ",
                    strcmp(schema->parameters[i].unit, "1") == 0 ? "" : schema->parameters[i].unit, t->low[i],
                    t->high[i]);
}

void ks_tally_print(FILE *stream, const struct ks_tally *tally, const struct ks_schema *schema) {
    for (int status = 0; status < KS_N_STATUSES; status++)
        if (tally->n_by_status[status] > 0)
            fprintf(stream, "  %" PRIu64 " %s: %s\n", tally->n_by_status[status], ks_status_names[status],
                    ks_status_meanings[status]);
    if (ks_tally_count_failed(tally->n_by_status) >= 10) print_where_failed(stream, tally, schema);
}
