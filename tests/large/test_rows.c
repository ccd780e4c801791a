/* A file of more than 2^31 rows, 28 GB of which all but some are never written: rows on both sides of 2^31, and beyond
 * 2^32 bytes, come back. make test-large runs it on 2 ranks where the disk has the room. */
#include "../mpi/mpi_test.h"

#include "base/random.h"
#include "base/status.h"
#include "store/store_impl.h"

static const uint64_t FIRST = (UINT64_C(1) << 31) - 500000, COUNT = 1000003;

static char directory[256], path[320];

static const struct ks_column endpoints[] = {{"madrs_24h", "points", ""}};

static struct ks_schema make_schema(void) {
    return (struct ks_schema){.title = "Many rows",
                              .config = "title = \"Many rows\";\n",
                              .design = "sobol",
                              .model_version = "0123456789abcdef",
                              .n_points = FIRST + COUNT,
                              .n_status_names = KS_N_STATUSES,
                              .status_names = ks_status_names,
                              .n_endpoints = 1,
                              .endpoints = endpoints};
}

static void fill_row(uint64_t point, size_t row, struct ks_rows *rows) {
    rows->endpoints[row] = ks_random_uniform(1, KS_STREAM_test, point, 0);
    rows->steps[row] = (uint32_t)point;
    rows->status[row] = (int8_t)(1 + point % 7);
}

/* Tiles of 997 rows, dealt to the ranks in turn. */
static void deal_rows(struct ks_rows *rows) {
    enum { TILE = 997 };
    for (uint64_t i = 0; i < COUNT; i += TILE) {
        uint64_t n = COUNT - i < TILE ? COUNT - i : TILE;
        if ((int)(i / TILE % (uint64_t)test_size()) != test_rank()) continue;
        rows->blocks[rows->n_blocks++] = (struct ks_block){FIRST + i, n};
        for (uint64_t k = 0; k < n; k++) fill_row(FIRST + i + k, rows->n_rows++, rows);
    }
}

/* A line of the log says that the rows before are there. */
static void write_file(const struct ks_schema *schema, struct ks_rows *rows) {
    ks_store *store;
    const struct ks_round before = {.first_row = 0, .n_rows = FIRST};
    int err = test_rank() == 0 ? ks_store_create(path, schema, false, MPI_INFO_NULL) : KS_OK;
    test_expect_ok(ks_agree(MPI_COMM_WORLD, err));
    test_expect_ok(ks_store_open_parallel(&store, path, MPI_COMM_WORLD, MPI_INFO_NULL));
    deal_rows(rows);
    test_expect_ok(ks_write_commit(store, &before));
    test_expect_ok(ks_store_write_round(store, FIRST, COUNT, rows));
    test_expect_ok(ks_store_complete(store));
    test_expect_ok(ks_store_close(&store));
}

static uint64_t count_good(ks_store *store, struct ks_rows *rows) {
    uint64_t n_good = 0;
    test_expect_ok(ks_store_read_rows(store, FIRST, COUNT, rows));
    for (uint64_t i = 0; i < COUNT; i++)
        n_good += rows->endpoints[i] == ks_random_uniform(1, KS_STREAM_test, FIRST + i, 0) &&
                  rows->steps[i] == (uint32_t)(FIRST + i) && rows->status[i] == 1 + (int)((FIRST + i) % 7);
    return n_good;
}

static void test_rows_beyond_31_bits(void **state) {
    (void)state;
    struct ks_schema schema = make_schema();
    struct ks_rows rows;
    struct ks_round *rounds;
    ks_store *store;
    size_t n;
    test_expect_ok(ks_store_allocate_rows(&schema, COUNT, &rows));
    write_file(&schema, &rows);
    test_expect_ok(ks_store_open(&store, path));
    test_expect_ok(ks_store_read_rounds(store, &n, &rounds));
    uint64_t n_good = count_good(store, &rows), sum = ks_store_checksum(&schema, &rows);
    test_expect_ok(ks_store_close(&store));
    ks_store_release_rows(&rows);
    assert_int_equal(n, 2);
    assert_int_equal(rounds[1].first_row, FIRST);
    assert_int_equal(rounds[1].checksum, sum);
    assert_int_equal(n_good, COUNT);
    free(rounds);
}

int main(int argc, char **argv) {
    test_start(&argc, &argv);
    test_make_directory(directory, sizeof directory);
    snprintf(path, sizeof path, "%s/rows.h5", directory);
    alarm(1800);
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows_beyond_31_bits)};
    int n_failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (test_rank() == 0) {
        unlink(path);
        rmdir(directory);
    }
    return test_finish(n_failed);
}
