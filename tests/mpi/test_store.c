/* The store as many ranks use it: rows scattered over ranks in any way give one file, bit for bit; an error
 * on one rank ends the call on all; a round counts only once it is committed. Runs with any number of ranks,
 * also with more ranks than rows. With the argument FILE it writes a finished file there and leaves it, for
 * tests/cli/check_layout.py. */
#include "mpi_test.h"

#include "base/memory.h"
#include "base/random.h"
#include "base/status.h"
#include "store/store_impl.h"

#include <math.h>

enum { N_POINTS = 500, SEED = 7 };

static char directory[256], path[320];
static MPI_Comm crew = MPI_COMM_NULL; /* the ranks that write the file: all but in one test */

static const struct ks_column parameters[] = {
    {"infusion_dose", "mg/kg", "dose"},
    {"infusion_rate", "mg/kg/h", "rate"},
    {"weight", "kg", "body weight, \xc2\xb1 nothing"},
};
static const struct ks_column endpoints[] = {{"madrs_24h", "points", "MADRS after a day"},
                                             {"ketamine_cmax", "umol/L", "peak"}};
static const struct ks_column states[] = {
    {"madrs", "points", ""}, {"bdnf", "x healthy", "protein"}, {"mtor", "1", "-"}};
static const double times[] = {0.0, 0.6667, 24.0};

static int crew_rank(void) {
    int rank;
    MPI_Comm_rank(crew, &rank);
    return rank;
}

static int crew_size(void) {
    int size;
    MPI_Comm_size(crew, &size);
    return size;
}

static struct ks_schema make_schema(uint64_t n_points) {
    return (struct ks_schema){.title = "A test",
                              .config = "title = \"A test\";\n",
                              .design = "sobol",
                              .model_version = "0123456789abcdef",
                              .seed = UINT64_C(0xfedcba9876543210),
                              .n_points = n_points,
                              .n_status_names = KS_N_STATUSES,
                              .status_names = ks_status_names,
                              .n_parameters = 3,
                              .parameters = parameters,
                              .n_endpoints = 2,
                              .endpoints = endpoints,
                              .n_times = 3,
                              .times = times,
                              .n_states = 3,
                              .states = states};
}

static uint64_t bits(uint64_t point, uint64_t item) {
    return ks_random_bits(SEED, KS_STREAM_test, point, item);
}

/* Any bits at all, so that NaN payloads and -0 are among the values. */
static void fill_row(const struct ks_schema *schema, uint64_t point, size_t row, struct ks_rows *rows) {
    size_t p = (size_t)schema->n_parameters, e = (size_t)schema->n_endpoints;
    size_t course = (size_t)(schema->n_times * schema->n_states);
    for (size_t i = 0; i < p + e; i++) {
        uint64_t word = i % 4 == 3 ? UINT64_C(0x8000000000000000) : bits(point, i);
        memcpy(i < p ? &rows->inputs[row * p + i] : &rows->endpoints[row * e + i - p], &word, sizeof word);
    }
    for (size_t i = 0; i < course; i++) {
        uint32_t word = (uint32_t)bits(point, 100 + i);
        memcpy(&rows->trajectories[row * course + i], &word, sizeof word);
    }
    rows->status[row] = (int8_t)(1 + bits(point, 98) % 7);
    rows->steps[row] = (uint32_t)bits(point, 99);
}

/* Deals tiles of 1 to 8 points of a round to random ranks, but never to `left_out`; `deal` varies the distribution. */
static void deal_rows(const struct ks_schema *schema, uint64_t first, uint64_t count, uint64_t deal,
                      int left_out, struct ks_rows *rows) {
    rows->n_blocks = rows->n_rows = 0;
    for (uint64_t i = 0; i < count;) {
        uint64_t n = 1 + bits(i, 1000 + deal) % 8;
        if (n > count - i) n = count - i;
        int rank = (int)(bits(i, 2000 + deal) % (uint64_t)crew_size());
        if (rank == left_out) rank = (rank + 1) % crew_size();
        if (rank == crew_rank()) {
            rows->blocks[rows->n_blocks++] = (struct ks_block){first + i, n};
            for (uint64_t k = 0; k < n; k++) fill_row(schema, first + i + k, rows->n_rows++, rows);
        }
        i += n;
    }
}

static int create_on_rank_0(const struct ks_schema *schema) {
    MPI_Barrier(crew); /* the others may still read the last file */
    int err = crew_rank() == 0 ? ks_store_create(path, schema, true, MPI_INFO_NULL) : KS_OK;
    return ks_agree(crew, err);
}

/* Writes rounds that cover the points in `n_rounds` parts. */
static int write_rounds(ks_store *store, const struct ks_schema *schema, uint64_t n_rounds, uint64_t deal,
                        int left_out) {
    struct ks_rows rows;
    KS_TRY(ks_store_allocate_rows(schema, schema->n_points, &rows));
    int err = KS_OK;
    for (uint64_t r = 0; r < n_rounds && err == KS_OK; r++) {
        uint64_t first = schema->n_points * r / n_rounds, end = schema->n_points * (r + 1) / n_rounds;
        deal_rows(schema, first, end - first, deal, left_out, &rows);
        err = ks_store_write_round(store, first, end - first, &rows);
    }
    ks_store_release_rows(&rows);
    return err;
}

static int write_file(const struct ks_schema *schema, uint64_t n_rounds, uint64_t deal, int left_out,
                      uint64_t slice_rows, size_t slice_blocks) {
    ks_store *store;
    KS_TRY(create_on_rank_0(schema));
    KS_TRY(ks_store_open_parallel(&store, path, crew, MPI_INFO_NULL));
    if (slice_rows > 0) store->slice_rows = slice_rows;
    if (slice_blocks > 0) store->slice_blocks = slice_blocks;
    int err = write_rounds(store, schema, n_rounds, deal, left_out);
    int err_close = ks_store_close(&store);
    return err < 0 ? err : err_close;
}

/* On every rank: the file holds the bits of fill_row, and its rounds' checksums are those of its rows. */
static void check_file(const struct ks_schema *schema, size_t n_rounds) {
    ks_store *store;
    struct ks_rows found, expected;
    test_expect_ok(ks_store_open(&store, path));
    test_expect_ok(ks_store_allocate_rows(schema, schema->n_points, &found));
    test_expect_ok(ks_store_allocate_rows(schema, schema->n_points, &expected));
    for (size_t i = 0; i < schema->n_points; i++) fill_row(schema, i, i, &expected);
    size_t n;
    struct ks_round *rounds;
    test_expect_ok(ks_store_read_rounds(store, &n, &rounds));
    assert_int_equal(n, n_rounds);
    for (size_t r = 0; r < n; r++) {
        test_expect_ok(ks_store_read_rows(store, rounds[r].first_row, rounds[r].n_rows, &found));
        assert_int_equal(ks_store_checksum(schema, &found), rounds[r].checksum);
    }
    test_expect_ok(ks_store_read_rows(store, 0, schema->n_points, &found));
    for (int i = 0; i < KS_N_FIELDS; i++) {
        size_t n_bytes = ks_fields_describe(schema, i).row_bytes * schema->n_points;
        assert_memory_equal(ks_fields_data(&found, i), ks_fields_data(&expected, i), n_bytes);
    }
    free(rounds);
    ks_store_release_rows(&found);
    ks_store_release_rows(&expected);
    test_expect_ok(ks_store_close(&store));
}

static void test_scattered_rows_come_back(void **state) {
    (void)state;
    struct ks_schema schema = make_schema(N_POINTS);
    for (uint64_t deal = 0; deal < 4; deal++) {
        test_expect_ok(write_file(&schema, 1 + deal * 3, deal, -1, 0, 0));
        check_file(&schema, 1 + deal * 3);
    }
}

/* Cut anywhere: within a block, between blocks, by the number of blocks. */
static void test_slices_change_nothing(void **state) {
    (void)state;
    struct ks_schema schema = make_schema(100);
    for (uint64_t slice_rows = 1; slice_rows < 12; slice_rows += 2) {
        test_expect_ok(write_file(&schema, 2, slice_rows, -1, slice_rows, 1 + slice_rows % 3));
        check_file(&schema, 2);
    }
}

static void test_rank_without_rows(void **state) {
    (void)state;
    struct ks_schema schema = make_schema(N_POINTS);
    for (int left_out = 0; left_out < test_size() && test_size() > 1; left_out += 1 + test_size() / 8) {
        test_expect_ok(write_file(&schema, 2, 9, left_out, 0, 0));
        check_file(&schema, 2);
    }
}

static void test_more_ranks_than_rows(void **state) {
    (void)state;
    struct ks_schema schema = make_schema(1);
    test_expect_ok(write_file(&schema, 1, 3, -1, 0, 0));
    check_file(&schema, 1);
}

static void test_without_parameters_or_trajectories(void **state) {
    (void)state;
    struct ks_schema schema = make_schema(30);
    schema.n_parameters = schema.n_times = schema.n_states = 0;
    test_expect_ok(write_file(&schema, 2, 3, -1, 0, 0));
    check_file(&schema, 2);
}

/* One rank reads from a store that all have opened, as a resuming run does to verify its rounds; the others do not
 * take part. */
static void test_one_rank_reads_alone(void **state) {
    (void)state;
    struct ks_schema schema = make_schema(N_POINTS);
    ks_store *store;
    struct ks_rows rows = {0};
    struct ks_round *rounds = NULL;
    size_t n = 0;
    test_expect_ok(write_file(&schema, 2, 0, -1, 0, 0));
    test_expect_ok(ks_store_open_parallel(&store, path, MPI_COMM_WORLD, MPI_INFO_NULL));
    if (test_rank() == test_size() - 1) {
        test_expect_ok(ks_store_allocate_rows(&schema, N_POINTS, &rows));
        test_expect_ok(ks_store_read_rounds(store, &n, &rounds));
        assert_int_equal(n, 2);
        test_expect_ok(ks_store_read_rows(store, rounds[1].first_row, rounds[1].n_rows, &rows));
        assert_int_equal(ks_store_checksum(&schema, &rows), rounds[1].checksum);
    }
    free(rounds);
    ks_store_release_rows(&rows);
    test_expect_ok(ks_store_close(&store));
}

static void test_checksum_knows_no_distribution(void **state) {
    (void)state;
    struct ks_schema schema = make_schema(N_POINTS);
    struct ks_rows rows;
    test_expect_ok(ks_store_allocate_rows(&schema, N_POINTS, &rows));
    uint64_t sums[3];
    for (uint64_t deal = 0; deal < 3; deal++) {
        deal_rows(&schema, 0, N_POINTS, deal, -1, &rows);
        uint64_t own = ks_store_checksum(&schema, &rows);
        MPI_Allreduce(&own, &sums[deal], 1, MPI_UINT64_T, MPI_SUM, MPI_COMM_WORLD);
    }
    ks_store_release_rows(&rows);
    assert_int_equal(sums[0], sums[1]);
    assert_int_equal(sums[0], sums[2]);
}

/* ---- failures ------------------------------------------------------------------------------------------ */

static size_t rounds_in_file(void) {
    ks_store *store;
    struct ks_round *rounds;
    size_t n;
    test_expect_ok(ks_store_open(&store, path));
    test_expect_ok(ks_store_read_rounds(store, &n, &rounds));
    free(rounds);
    test_expect_ok(ks_store_close(&store));
    MPI_Barrier(crew);
    return n;
}

/* The rank whose rows lie outside the round says so; the others hear of it; none waits, and the store goes on. */
static void test_failing_rank_stops_all(void **state) {
    (void)state;
    struct ks_schema schema = make_schema(N_POINTS);
    ks_store *store;
    struct ks_rows rows;
    test_expect_ok(create_on_rank_0(&schema));
    test_expect_ok(ks_store_open_parallel(&store, path, MPI_COMM_WORLD, MPI_INFO_NULL));
    test_expect_ok(ks_store_allocate_rows(&schema, N_POINTS, &rows));
    for (int bad = 0; bad < test_size(); bad++) {
        deal_rows(&schema, 0, N_POINTS / 2, 0, -1, &rows);
        if (test_rank() == bad) rows.blocks[rows.n_blocks++] = (struct ks_block){N_POINTS / 2, 1};
        int err = ks_store_write_round(store, 0, N_POINTS / 2, &rows);
        assert_int_equal(err, test_rank() == bad ? KS_ERR_IO : KS_ERR_REMOTE);
        ks_error_clear();
    }
    deal_rows(&schema, 0, N_POINTS / 2, 0, -1, &rows);
    int err_missing = ks_store_write_round(store, 0, N_POINTS, &rows); /* rows of half the round */
    ks_error_clear();
    assert_int_equal(err_missing, KS_ERR_IO);
    assert_int_equal(rounds_in_file(), 0);
    deal_rows(&schema, 0, N_POINTS, 0, -1, &rows);
    test_expect_ok(ks_store_write_round(store, 0, N_POINTS, &rows));
    ks_store_release_rows(&rows);
    test_expect_ok(ks_store_close(&store));
    check_file(&schema, 1);
}

static void test_missing_file_fails_everywhere(void **state) {
    (void)state;
    char missing[400];
    snprintf(missing, sizeof missing, "%s/none.h5", directory);
    ks_store *store;
    int err = ks_store_open_parallel(&store, missing, MPI_COMM_WORLD, MPI_INFO_NULL);
    ks_error_clear();
    assert_int_equal(err, KS_ERR_USAGE);
    assert_null(store);
}

/* As if killed between the rows and the commit: what was committed stands, the round in flight does not
 * count, and the next run writes over it. */
static void test_round_without_commit_does_not_count(void **state) {
    (void)state;
    struct ks_schema schema = make_schema(N_POINTS);
    ks_store *store;
    struct ks_rows rows;
    struct ks_round second = {.first_row = N_POINTS / 2, .n_rows = N_POINTS - N_POINTS / 2};
    test_expect_ok(create_on_rank_0(&schema));
    test_expect_ok(ks_store_open_parallel(&store, path, MPI_COMM_WORLD, MPI_INFO_NULL));
    test_expect_ok(ks_store_allocate_rows(&schema, N_POINTS, &rows));
    deal_rows(&schema, 0, N_POINTS / 2, 0, -1, &rows);
    test_expect_ok(ks_store_write_round(store, 0, N_POINTS / 2, &rows));
    deal_rows(&schema, second.first_row, second.n_rows, 0, -1, &rows);
    test_expect_ok(ks_write_rows(store, &rows, &second));
    assert_int_equal(rounds_in_file(), 1);
    test_expect_ok(ks_store_close(&store));
    assert_int_equal(rounds_in_file(), 1);

    test_expect_ok(ks_store_open_parallel(&store, path, MPI_COMM_WORLD, MPI_INFO_NULL));
    deal_rows(&schema, second.first_row, second.n_rows, 5, -1, &rows);
    test_expect_ok(ks_store_write_round(store, second.first_row, second.n_rows, &rows));
    assert_int_equal(ks_store_rounds_left(store), 65536 - 2);
    ks_store_release_rows(&rows);
    test_expect_ok(ks_store_close(&store));
    check_file(&schema, 2);
}

/* ---- the rest ------------------------------------------------------------------------------------------ */

static struct ks_run_record make_record(int i) {
    struct ks_run_record record = {.start = "2024-01-31T12:00:00Z",
                                   .seconds = i + 0.25,
                                   .n_ranks = (uint32_t)test_size(),
                                   .hosts = "a,b",
                                   .version = "0.1.0",
                                   .settings = "commit_seconds = 30",
                                   .n_points = UINT64_C(1) << 40,
                                   .points_per_second = 1234.5};
    if (test_rank() != 0) strcpy(record.hosts, "not rank 0");
    return record;
}

static void test_complete_and_provenance(void **state) {
    (void)state;
    struct ks_schema schema = make_schema(10);
    ks_store *store;
    test_expect_ok(write_file(&schema, 1, 0, -1, 0, 0));
    for (int i = 0; i < 3; i++) {
        struct ks_run_record record = make_record(i);
        test_expect_ok(ks_store_open_parallel(&store, path, MPI_COMM_WORLD, MPI_INFO_NULL));
        test_expect_ok(ks_store_add_run(store, &record));
        bool was_complete = ks_store_is_complete(store);
        if (i == 1) test_expect_ok(ks_store_complete(store));
        bool is_complete = ks_store_is_complete(store);
        test_expect_ok(ks_store_close(&store));
        assert_int_equal(was_complete, i == 2);
        assert_int_equal(is_complete, i >= 1);
    }
    size_t n;
    struct ks_run_record *runs;
    test_expect_ok(ks_store_open(&store, path));
    test_expect_ok(ks_store_read_runs(store, &n, &runs));
    assert_int_equal(n, 3);
    for (int i = 0; i < 3; i++) {
        assert_true(runs[i].seconds == i + 0.25);
        assert_string_equal(runs[i].hosts, "a,b");
        assert_string_equal(runs[i].start, "2024-01-31T12:00:00Z");
        assert_int_equal(runs[i].n_ranks, test_size());
        assert_int_equal(runs[i].n_points, UINT64_C(1) << 40);
    }
    free(runs);
    test_expect_ok(ks_store_close(&store));
    check_file(&schema, 1);
}

static struct ks_verified_endpoint make_verified(int i, int which) {
    struct ks_verified_endpoint row = {.n_compared = 40,
                                       .n_differ = (uint64_t)i,
                                       .median_error = 1e-9 * (which + 1),
                                       .largest_error = i == 0 ? NAN : 1e-6,
                                       .largest_error_point = UINT64_C(1) << 50,
                                       .fraction = 0.25,
                                       .reference_rtol = 1e-8,
                                       .n_points = 41,
                                       .n_status_differ = 1};
    memset(row.endpoint, i == 0 ? 'x' : 0, sizeof row.endpoint); /* fills its field: the last byte is cut */
    if (i > 0) strcpy(row.endpoint, endpoints[i].name);
    return row;
}

/* Rank 0's rows come back, the last that were written, and nothing else in the file has changed. */
static void test_verification(void **state) {
    (void)state;
    struct ks_schema schema = make_schema(N_POINTS);
    ks_store *store;
    struct ks_verified_endpoint rows[2], *found;
    size_t n;
    test_expect_ok(write_file(&schema, 2, 0, -1, 0, 0));
    for (int which = 0; which < 2; which++) {
        for (int i = 0; i < 2; i++) rows[i] = make_verified(i, which);
        if (test_rank() != 0) memset(rows, 0xff, sizeof rows);
        test_expect_ok(ks_store_open_parallel(&store, path, MPI_COMM_WORLD, MPI_INFO_NULL));
        test_expect_ok(ks_store_write_verification(store, rows));
        test_expect_ok(ks_store_close(&store));
    }
    test_expect_ok(ks_store_open(&store, path));
    test_expect_ok(ks_store_read_verification(store, &n, &found));
    test_expect_ok(ks_store_close(&store));
    assert_int_equal(n, 2);
    for (int i = 0; i < 2; i++) {
        rows[i] = make_verified(i, 1);
        rows[i].endpoint[sizeof rows[i].endpoint - 1] = '\0';
        assert_memory_equal(&found[i], &rows[i], sizeof rows[i]);
    }
    free(found);
    check_file(&schema, 2);
}

/* A log that is full by its count: rounds are refused, run records replace the last. */
static void test_full_logs(void **state) {
    (void)state;
    struct ks_schema schema = make_schema(10);
    ks_store *store;
    struct ks_rows rows;
    struct ks_run_record record = make_record(0);
    test_expect_ok(create_on_rank_0(&schema));
    test_expect_ok(ks_store_open_parallel(&store, path, MPI_COMM_WORLD, MPI_INFO_NULL));
    test_expect_ok(ks_store_allocate_rows(&schema, 10, &rows));
    deal_rows(&schema, 0, 10, 0, -1, &rows);
    store->n_rounds = KS_MAX_ROUNDS - 1;
    assert_int_equal(ks_store_rounds_left(store), 1);
    test_expect_ok(ks_store_write_round(store, 0, 10, &rows));
    assert_int_equal(ks_store_rounds_left(store), 0);
    int err = ks_store_write_round(store, 0, 10, &rows);
    ks_error_clear();
    assert_int_equal(err, KS_ERR_IO);
    store->n_runs = KS_MAX_RUNS - 1;
    for (int i = 0; i < 3; i++) {
        record = make_record(i);
        test_expect_ok(ks_store_add_run(store, &record));
    }
    ks_store_release_rows(&rows);
    test_expect_ok(ks_store_close(&store));
    size_t n;
    struct ks_run_record *runs;
    test_expect_ok(ks_store_open(&store, path));
    test_expect_ok(ks_store_read_runs(store, &n, &runs));
    assert_int_equal(n, KS_MAX_RUNS);
    assert_true(runs[n - 1].seconds == 2.25);
    free(runs);
    test_expect_ok(ks_store_close(&store));
}

static void test_write_cost_adds_up(void **state) {
    (void)state;
    struct ks_schema schema = make_schema(N_POINTS);
    ks_store *store;
    double seconds;
    uint64_t n_bytes;
    test_expect_ok(create_on_rank_0(&schema));
    test_expect_ok(ks_store_open_parallel(&store, path, MPI_COMM_WORLD, MPI_INFO_NULL));
    test_expect_ok(write_rounds(store, &schema, 4, 0, -1));
    ks_store_write_cost(store, &seconds, &n_bytes);
    assert_int_equal(n_bytes, N_POINTS * ks_store_row_bytes(&schema));
    assert_true(seconds > 0);
    test_expect_ok(ks_store_close(&store));
}

/* The count of rounds in use is the commit: no sector boundary may divide it. */
static void test_counts_are_aligned(void **state) {
    (void)state;
    struct ks_schema schema = make_schema(N_POINTS);
    ks_store *store;
    test_expect_ok(create_on_rank_0(&schema));
    test_expect_ok(ks_store_open(&store, path));
    haddr_t rounds = H5Dget_offset(store->rounds_in_use), runs = H5Dget_offset(store->runs_in_use);
    test_expect_ok(ks_store_close(&store));
    assert_int_equal(rounds % 8, 0);
    assert_int_equal(runs % 8, 0);
}

/* FNV-1a over all bytes of the file. */
static uint64_t hash_file(void) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    FILE *stream = fopen(path, "rb");
    assert_non_null(stream);
    for (int byte; (byte = getc(stream)) != EOF;) hash = (hash ^ (uint64_t)byte) * UINT64_C(0x100000001b3);
    fclose(stream);
    return hash;
}

/* The same rounds written by 1, 2, ... 8 ranks of this job, dealt differently, give the same file, byte for byte. */
static void test_any_number_of_ranks_writes_one_file(void **state) {
    (void)state;
    struct ks_schema schema = make_schema(N_POINTS);
    MPI_Comm all = crew;
    uint64_t expected = 0;
    for (int n = 1; n <= test_size() && n <= 8; n++) {
        MPI_Comm_split(all, test_rank() < n ? 0 : MPI_UNDEFINED, 0, &crew);
        int err = crew != MPI_COMM_NULL ? write_file(&schema, 3, (uint64_t)n, -1, 0, 0) : KS_OK;
        if (crew != MPI_COMM_NULL) MPI_Comm_free(&crew);
        crew = all;
        MPI_Barrier(crew);
        test_expect_ok(err);
        uint64_t found = hash_file();
        MPI_Barrier(crew);
        if (n == 1) expected = found;
        assert_int_equal(found, expected);
    }
}

static int leave_finished_file(const char *file) {
    snprintf(path, sizeof path, "%s", file);
    struct ks_schema schema = make_schema(N_POINTS);
    struct ks_run_record record = make_record(0);
    ks_store *store;
    KS_TRY(write_file(&schema, 3, 0, -1, 0, 0));
    KS_TRY(ks_store_open_parallel(&store, path, MPI_COMM_WORLD, MPI_INFO_NULL));
    KS_TRY(ks_store_add_run(store, &record));
    KS_TRY(ks_store_complete(store));
    return ks_store_close(&store);
}

int main(int argc, char **argv) {
    test_start(&argc, &argv);
    crew = MPI_COMM_WORLD;
    if (argc > 1) return test_finish(leave_finished_file(argv[1]) < 0);
    test_make_directory(directory, sizeof directory);
    snprintf(path, sizeof path, "%s/sweep.h5", directory);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scattered_rows_come_back),
        cmocka_unit_test(test_slices_change_nothing),
        cmocka_unit_test(test_rank_without_rows),
        cmocka_unit_test(test_more_ranks_than_rows),
        cmocka_unit_test(test_without_parameters_or_trajectories),
        cmocka_unit_test(test_one_rank_reads_alone),
        cmocka_unit_test(test_checksum_knows_no_distribution),
        cmocka_unit_test(test_failing_rank_stops_all),
        cmocka_unit_test(test_missing_file_fails_everywhere),
        cmocka_unit_test(test_round_without_commit_does_not_count),
        cmocka_unit_test(test_complete_and_provenance),
        cmocka_unit_test(test_verification),
        cmocka_unit_test(test_full_logs),
        cmocka_unit_test(test_write_cost_adds_up),
        cmocka_unit_test(test_counts_are_aligned),
        cmocka_unit_test(test_any_number_of_ranks_writes_one_file),
    };
    int n_failed = cmocka_run_group_tests(tests, NULL, NULL);
    MPI_Barrier(MPI_COMM_WORLD);
    if (test_rank() == 0) {
        unlink(path);
        rmdir(directory);
    }
    return test_finish(n_failed);
}
