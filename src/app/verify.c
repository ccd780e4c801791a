/* `ketsweep verify`: reads every committed round again and compares its checksum. */
#include "app/app_impl.h"
#include "base/error.h"

#include <inttypes.h>
#include <stdlib.h>

static int verify_rounds(ks_store *store, size_t n_rounds, const struct ks_round *rounds, size_t *n_bad) {
    for (size_t i = 0; i < n_rounds; i++) {
        uint64_t checksum, last = rounds[i].first_row + rounds[i].n_rows - 1;
        KS_TRY(ks_store_sum_rows(store, rounds[i].first_row, rounds[i].n_rows, &checksum));
        bool is_good = checksum == rounds[i].checksum;
        printf("round %zu: rows %" PRIu64 " to %" PRIu64 " %s\n", i, rounds[i].first_row, last,
               is_good ? "good" : "CHANGED since they were written");
        *n_bad += !is_good;
    }
    return KS_OK;
}

static int verify_store(ks_store *store) {
    struct ks_round *rounds = NULL;
    size_t n_rounds, n_bad = 0;
    int err = ks_store_read_rounds(store, &n_rounds, &rounds);
    if (err == KS_OK) err = verify_rounds(store, n_rounds, rounds, &n_bad);
    free(rounds);
    KS_TRY(err);
    printf("%zu of %zu round%s good; the campaign is %s\n", n_rounds - n_bad, n_rounds,
           n_rounds == 1 ? "" : "s", ks_store_is_complete(store) ? "complete" : "not complete");
    return n_bad > 0 ? KS_EXIT_FAILED : 0;
}

int ks_verify_command(const struct ks_arguments *arguments) {
    ks_store *store;
    KS_TRY(ks_store_open(&store, arguments->operand));
    int status = verify_store(store), err = ks_store_close(&store);
    return status < 0 ? status : err < 0 ? err : status;
}
