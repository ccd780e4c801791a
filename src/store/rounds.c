/* Rounds that are there already: whether their rows are still what was committed, and writing them once more. */
#include "store/store_impl.h"

static int sum_blocks(ks_store *store, uint64_t first, uint64_t count, uint64_t capacity,
                      struct ks_rows *rows, uint64_t *checksum) {
    for (uint64_t done = 0; done < count;) {
        uint64_t left = count - done, n = left < capacity ? left : capacity;
        KS_TRY(ks_store_read_rows(store, first + done, n, rows));
        *checksum += ks_store_checksum(&store->schema, rows);
        done += n;
    }
    return KS_OK;
}

/* In blocks: the sum over rows does not depend on how they are cut. */
int ks_store_sum_rows(ks_store *store, uint64_t first, uint64_t count, uint64_t *checksum) {
    struct ks_rows rows;
    uint64_t capacity;
    *checksum = 0;
    KS_TRY(ks_store_allocate_block(&store->schema, &capacity, &rows));
    int err = sum_blocks(store, first, count, capacity, &rows, checksum);
    ks_store_release_rows(&rows);
    return err;
}

int ks_store_verify_round(ks_store *store, const struct ks_round *round, bool *is_good) {
    int size;
    KS_MPI(MPI_Comm_size(store->comm, &size));
    uint64_t n = (uint64_t)size, rank = (uint64_t)store->rank, share = round->n_rows / n,
             rest = round->n_rows % n;
    uint64_t first = rank * share + (rank < rest ? rank : rest), count = share + (rank < rest), own, all;
    KS_TRY(ks_agree(store->comm, ks_store_sum_rows(store, round->first_row + first, count, &own)));
    KS_MPI(MPI_Allreduce(&own, &all, 1, MPI_UINT64_T, MPI_SUM, store->comm));
    *is_good = all == round->checksum;
    return KS_OK;
}

int ks_store_rewrite_rows(ks_store *store, uint64_t first, uint64_t count, const struct ks_rows *rows,
                          uint64_t *checksum) {
    struct ks_round part = {.first_row = first, .n_rows = count};
    KS_TRY(ks_write_rows(store, rows, &part));
    *checksum += part.checksum;
    return KS_OK;
}
