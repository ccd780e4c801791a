/* The store as one process uses it: creating, refusing, reading foreign and damaged files, the checksum. No MPI. */
#include "base/memory.h"
#include "base/random.h"
#include "base/status.h"
#include "store/store_impl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char directory[256], path[320];

static const struct ks_column parameters[] = {{"infusion_dose", "mg/kg", "dose"},
                                              {"weight", "kg", "\xc2\xb5 and more"}};
static const struct ks_column endpoints[] = {{"madrs_24h", "points", ""}, {"response", "1", "yes or no"}};
static const struct ks_column states[] = {{"madrs", "points", "score"}};
static const double times[] = {0.0, 0.6667, 24.0};

static struct ks_schema make_schema(void) {
    return (struct ks_schema){.title = "",
                              .config = "title = \"\";\n",
                              .design = "grid",
                              .model_version = "0123456789abcdef",
                              .seed = UINT64_MAX,
                              .n_points = 100,
                              .n_status_names = KS_N_STATUSES,
                              .status_names = ks_status_names,
                              .n_parameters = 2,
                              .parameters = parameters,
                              .n_endpoints = 2,
                              .endpoints = endpoints,
                              .n_times = 3,
                              .times = times,
                              .n_states = 1,
                              .states = states};
}

static void create(const struct ks_schema *schema) {
    int err = ks_store_create(path, schema, true, MPI_INFO_NULL);
    if (err < 0) ks_error_print(stderr);
    assert_int_equal(err, KS_OK);
}

static ks_store *open_good(void) {
    ks_store *store;
    int err = ks_store_open(&store, path);
    if (err < 0) ks_error_print(stderr);
    assert_int_equal(err, KS_OK);
    return store;
}

/* The call failed with this code, and its sentence contains these words; forgets the error. */
static void expect_error(int err, int code, const char *words) {
    char found[1024];
    snprintf(found, sizeof found, "%s", ks_error_message());
    ks_error_clear();
    if (strstr(found, words) == NULL) fail_msg("\"%s\" lacks \"%s\"", found, words);
    assert_int_equal(err, code);
}

static void expect_refused(int code, const char *words) {
    ks_store *store;
    int err = ks_store_open(&store, path);
    assert_null(store);
    expect_error(err, code, words);
}

static int count_entries(void) {
    char command[400];
    snprintf(command, sizeof command, "ls -A '%s' | wc -l", directory);
    FILE *stream = popen(command, "r");
    int n = -1;
    assert_int_equal(fscanf(stream, "%d", &n), 1);
    pclose(stream);
    return n;
}

/* ---- creating and the schema --------------------------------------------------------------------------- */

static void check_columns(int n, const struct ks_column *found, const struct ks_column *expected) {
    for (int i = 0; i < n; i++) {
        assert_string_equal(found[i].name, expected[i].name);
        assert_string_equal(found[i].unit, expected[i].unit);
        assert_string_equal(found[i].description, expected[i].description);
    }
}

static void check_schema(const struct ks_schema *found, const struct ks_schema *expected) {
    assert_string_equal(found->title, expected->title);
    assert_string_equal(found->config, expected->config);
    assert_string_equal(found->design, expected->design);
    assert_string_equal(found->model_version, expected->model_version);
    assert_int_equal(found->seed, expected->seed);
    assert_int_equal(found->n_points, expected->n_points);
    assert_int_equal(found->n_status_names, expected->n_status_names);
    for (int i = 0; i < found->n_status_names; i++)
        assert_string_equal(found->status_names[i], expected->status_names[i]);
    assert_int_equal(found->n_parameters, expected->n_parameters);
    assert_int_equal(found->n_endpoints, expected->n_endpoints);
    assert_int_equal(found->n_times, expected->n_times);
    assert_int_equal(found->n_states, expected->n_states);
    check_columns(found->n_parameters, found->parameters, expected->parameters);
    check_columns(found->n_endpoints, found->endpoints, expected->endpoints);
    check_columns(found->n_states, found->states, expected->states);
    for (int i = 0; i < found->n_times; i++) assert_true(found->times[i] == expected->times[i]);
}

static void test_schema_survives(void **state) {
    (void)state;
    for (unsigned without = 0; without < 8; without++) {
        struct ks_schema schema = make_schema();
        if (without & 1) schema.n_parameters = 0;
        if (without & 2) schema.n_endpoints = 0;
        if (without & 4) schema.n_times = schema.n_states = 0;
        create(&schema);
        ks_store *store = open_good();
        check_schema(ks_store_schema(store), &schema);
        assert_false(ks_store_is_complete(store));
        assert_int_equal(ks_store_rounds_left(store), 65536);
        assert_int_equal(ks_store_close(&store), KS_OK);
        assert_null(store);
    }
}

static void test_long_configuration(void **state) {
    (void)state;
    enum { LENGTH = 1000000 };
    char *config = malloc(LENGTH + 1);
    for (int i = 0; i < LENGTH; i++) config[i] = (char)('a' + i % 23);
    config[LENGTH] = '\0';
    struct ks_schema schema = make_schema();
    schema.config = config;
    create(&schema);
    ks_store *store = open_good();
    check_schema(ks_store_schema(store), &schema);
    ks_store_close(&store);
    free(config);
}

static void test_new_file_holds_no_rows(void **state) {
    (void)state;
    struct ks_schema schema = make_schema();
    create(&schema);
    ks_store *store = open_good();
    struct ks_rows rows;
    struct ks_round *rounds;
    struct ks_run_record *runs;
    size_t n_rounds, n_runs;
    assert_int_equal(ks_store_allocate_rows(&schema, 100, &rows), KS_OK);
    memset(rows.status, 1, 100);
    assert_int_equal(ks_store_read_rows(store, 0, 100, &rows), KS_OK);
    for (int i = 0; i < 100; i++) assert_int_equal(rows.status[i], 0);
    assert_int_equal(ks_store_read_rounds(store, &n_rounds, &rounds), KS_OK);
    assert_int_equal(ks_store_read_runs(store, &n_runs, &runs), KS_OK);
    assert_int_equal(n_rounds, 0);
    assert_int_equal(n_runs, 0);
    free(rounds);
    free(runs);
    ks_store_release_rows(&rows);
    ks_store_close(&store);
}

/* The table of verification is there from the start, all 0, which reads as none; without endpoints there is no table. */
static void test_verification_of_a_new_file(void **state) {
    (void)state;
    struct ks_schema schema = make_schema();
    static const struct ks_verified_endpoint zero[2];
    struct ks_verified_endpoint raw[2], *rows;
    size_t n;
    create(&schema);
    ks_store *store = open_good();
    hid_t type;
    assert_int_equal(ks_h5_verification_type(false, &type), KS_OK);
    memset(raw, 1, sizeof raw);
    assert_true(H5Dread(store->verification, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, raw) >= 0);
    assert_memory_equal(raw, zero, sizeof raw);
    assert_true(H5Dget_offset(store->verification) != HADDR_UNDEF); /* has its space already */
    H5Tclose(type);
    assert_int_equal(ks_store_read_verification(store, &n, &rows), KS_OK);
    assert_int_equal(n, 0);
    assert_null(rows);
    ks_store_close(&store);

    schema.n_endpoints = 0;
    create(&schema);
    store = open_good();
    assert_int_equal(ks_store_read_verification(store, &n, &rows), KS_OK);
    assert_int_equal(n, 0);
    ks_store_close(&store);
}

/* `point` must not cost 4 bytes a row, and the estimate must be near the truth and not below it. */
static void test_file_size(void **state) {
    (void)state;
    struct ks_schema schema = make_schema();
    schema.n_points = 1000000;
    create(&schema);
    struct stat file;
    assert_int_equal(stat(path, &file), 0);
    uint64_t size = (uint64_t)file.st_size, estimate = ks_store_file_bytes(&schema);
    assert_int_equal(ks_store_row_bytes(&schema), 2 * 8 + 2 * 8 + 1 + 4 + 3 * 4);
    assert_in_range(size, schema.n_points * ks_store_row_bytes(&schema), estimate);
    assert_in_range(estimate, size, size + size / 50);
    schema.n_points = UINT64_MAX / 2;
    assert_true(ks_store_file_bytes(&schema) == UINT64_MAX);
}

/* Two files of one schema are equal byte for byte: nothing in them is a time or garbage. */
static void test_creation_is_deterministic(void **state) {
    (void)state;
    struct ks_schema schema = make_schema();
    struct stat file;
    char *bytes[2] = {NULL};
    for (int i = 0; i < 2; i++) {
        create(&schema);
        assert_int_equal(stat(path, &file), 0);
        bytes[i] = malloc((size_t)file.st_size);
        FILE *stream = fopen(path, "rb");
        assert_int_equal(fread(bytes[i], 1, (size_t)file.st_size, stream), file.st_size);
        fclose(stream);
        if (i == 0) sleep(1); /* a time in the file would have whole seconds */
    }
    assert_memory_equal(bytes[0], bytes[1], (size_t)file.st_size);
    free(bytes[0]);
    free(bytes[1]);
}

/* ---- refusals ------------------------------------------------------------------------------------------ */

static void test_existing_file_is_kept(void **state) {
    (void)state;
    struct ks_schema schema = make_schema(), other = make_schema();
    other.title = "another";
    create(&schema);
    expect_error(ks_store_create(path, &other, false, MPI_INFO_NULL), KS_ERR_USAGE,
                 "exists; --overwrite replaces it");
    ks_store *store = open_good();
    assert_string_equal(ks_store_schema(store)->title, "");
    ks_store_close(&store);
    create(&other);
    store = open_good();
    assert_string_equal(ks_store_schema(store)->title, "another");
    ks_store_close(&store);
    assert_int_equal(count_entries(), 1); /* no temporary file stays */
    assert_int_equal(unlink(path), 0);
    assert_int_equal(ks_store_create(path, &schema, false, MPI_INFO_NULL), KS_OK);
    assert_int_equal(count_entries(), 1);
}

static void test_places_that_cannot_be_written(void **state) {
    (void)state;
    struct ks_schema schema = make_schema();
    char nowhere[400];
    snprintf(nowhere, sizeof nowhere, "%s/none/x.h5", directory);
    expect_error(ks_store_create(nowhere, &schema, true, MPI_INFO_NULL), KS_ERR_USAGE,
                 "/none: No such file or directory");
    expect_error(ks_store_create(directory, &schema, true, MPI_INFO_NULL), KS_ERR_USAGE,
                 "is not a regular file");
    expect_error(ks_store_create("/proc/x.h5", &schema, false, MPI_INFO_NULL), KS_ERR_USAGE, "/proc: ");
    schema.n_points = UINT64_C(1000000000000000);
    expect_error(ks_store_create(path, &schema, true, MPI_INFO_NULL), KS_ERR_IO, "the file needs 49000000.");
}

static void write_bytes(const void *bytes, size_t n) {
    FILE *stream = fopen(path, "wb");
    assert_int_equal(fwrite(bytes, 1, n, stream), n);
    fclose(stream);
}

static void test_files_that_are_not_ours(void **state) {
    (void)state;
    unlink(path);
    expect_refused(KS_ERR_USAGE, "No such file or directory");
    write_bytes("hello", 5);
    expect_refused(KS_ERR_FORMAT, "is not an HDF5 file");
    write_bytes("\x89HDF\r\n\x1a\n and then something else", 32);
    expect_refused(KS_ERR_FORMAT, "truncated or damaged");
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    expect_refused(KS_ERR_FORMAT, "an HDF5 file, but not one of ketsweep");
}

static void rewrite_number(const char *name, int value) {
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT), attribute = H5Aopen(file, name, H5P_DEFAULT);
    assert_true(H5Awrite(attribute, H5T_NATIVE_INT, &value) >= 0);
    H5Aclose(attribute);
    H5Fclose(file);
}

/* Gives /provenance/verification another number of rows. */
static void resize_verification(hsize_t n_rows) {
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT), space = H5Screate_simple(1, &n_rows, NULL), type;
    assert_int_equal(ks_h5_verification_type(true, &type), KS_OK);
    assert_true(H5Ldelete(file, "/provenance/verification", H5P_DEFAULT) >= 0);
    H5Dclose(
        H5Dcreate2(file, "/provenance/verification", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Tclose(type);
    H5Sclose(space);
    H5Fclose(file);
}

static void test_files_of_ours_that_are_not_good(void **state) {
    (void)state;
    struct ks_schema schema = make_schema();
    create(&schema);
    rewrite_number("format_version", 2);
    expect_refused(KS_ERR_FORMAT, "format version 2; this ketsweep reads version 1");
    rewrite_number("format_version", 1);
    rewrite_number("n_points", 99);
    expect_refused(KS_ERR_FORMAT, "has not the shape");
    create(&schema);
    resize_verification(3);
    expect_refused(KS_ERR_FORMAT, "/provenance/verification has 3 rows for 2 endpoints");
    create(&schema);
    struct stat file;
    assert_int_equal(stat(path, &file), 0);
    assert_int_equal(truncate(path, file.st_size / 2), 0);
    expect_refused(KS_ERR_FORMAT, "truncated");
}

/* None of these makes the opening wait. */
static void test_what_is_no_file(void **state) {
    (void)state;
    ks_store *store;
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    expect_refused(KS_ERR_FORMAT, "is a pipe, not a file");
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    expect_refused(KS_ERR_FORMAT, "is a directory, not a file");
    assert_int_equal(rmdir(path), 0);
    expect_error(ks_store_open(&store, "/dev/zero"), KS_ERR_FORMAT, "is a device, not a file");
    assert_int_equal(symlink(path, path), 0);
    expect_refused(KS_ERR_IO, "Too many levels of symbolic links");
    unlink(path);
    write_bytes("", 0);
    expect_refused(KS_ERR_FORMAT, "is empty");
}

/* Changes one byte of the first appearance of `text` in the file. */
static void change_byte_of(const char *text) {
    struct stat file;
    assert_int_equal(stat(path, &file), 0);
    size_t size = (size_t)file.st_size, length = strlen(text), at = 0;
    char *bytes = malloc(size);
    FILE *stream = fopen(path, "r+b");
    assert_int_equal(fread(bytes, 1, size, stream), size);
    while (at + length < size && memcmp(&bytes[at], text, length) != 0) at++;
    assert_true(at + length < size);
    fseek(stream, (long)at, SEEK_SET);
    fputc(text[0] ^ 1, stream);
    fclose(stream);
    free(bytes);
}

/* One bit of any text that is stored, and of the note of where the data lie. */
static void test_changed_metadata(void **state) {
    (void)state;
    struct ks_schema schema = make_schema();
    const char *const texts[] = {"madrs_24h", "mg/kg", "yes or no", "0123456789abcdef", "title = "};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        create(&schema);
        change_byte_of(texts[i]);
        expect_refused(KS_ERR_FORMAT, "have changed since they were written");
    }
    create(&schema);
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    hid_t provenance = H5Gopen2(file, "/provenance", H5P_DEFAULT);
    hid_t attribute = H5Aopen(provenance, "addresses", H5P_DEFAULT);
    uint64_t addresses[10];
    assert_true(H5Aread(attribute, H5T_NATIVE_UINT64, addresses) >= 0);
    addresses[KS_FIELD_endpoints] += 8;
    assert_true(H5Awrite(attribute, H5T_NATIVE_UINT64, addresses) >= 0);
    H5Aclose(attribute);
    H5Gclose(provenance);
    H5Fclose(file);
    expect_refused(KS_ERR_FORMAT, "the data of endpoints do not lie where ketsweep put them");
}

/* ---- the checksum -------------------------------------------------------------------------------------- */

static void fill_rows(const struct ks_schema *schema, struct ks_rows *rows) {
    for (int i = 0; i < KS_N_FIELDS; i++) {
        unsigned char *data = ks_fields_data(rows, i);
        size_t n_bytes = ks_fields_describe(schema, i).row_bytes * rows->n_rows;
        for (size_t k = 0; k < n_bytes; k++)
            data[k] = (unsigned char)ks_random_bits(1, KS_STREAM_test, k, (uint64_t)i);
    }
}

/* Every bit of every row, one at a time. */
static void test_checksum_sees_every_bit(void **state) {
    (void)state;
    struct ks_schema schema = make_schema();
    struct ks_rows rows;
    assert_int_equal(ks_store_allocate_rows(&schema, 7, &rows), KS_OK);
    rows.n_blocks = 2;
    rows.n_rows = 7;
    rows.blocks[0] = (struct ks_block){10, 3};
    rows.blocks[1] = (struct ks_block){20, 4};
    fill_rows(&schema, &rows);
    uint64_t expected = ks_store_checksum(&schema, &rows);
    for (int i = 0; i < KS_N_FIELDS; i++) {
        unsigned char *data = ks_fields_data(&rows, i);
        size_t n_bytes = ks_fields_describe(&schema, i).row_bytes * rows.n_rows;
        for (size_t bit = 0; bit < 8 * n_bytes; bit++) {
            data[bit / 8] ^= (unsigned char)(1U << bit % 8);
            assert_int_not_equal(ks_store_checksum(&schema, &rows), expected);
            data[bit / 8] ^= (unsigned char)(1U << bit % 8);
        }
    }
    rows.blocks[1].first++;
    assert_int_not_equal(ks_store_checksum(&schema, &rows), expected);
    rows.blocks[1].first--;
    assert_int_equal(ks_store_checksum(&schema, &rows), expected);
    ks_store_release_rows(&rows);
}

static void test_checksum_is_a_sum_over_rows(void **state) {
    (void)state;
    struct ks_schema schema = make_schema();
    struct ks_rows rows;
    assert_int_equal(ks_store_allocate_rows(&schema, 5, &rows), KS_OK);
    rows.n_blocks = 1;
    rows.n_rows = 5;
    rows.blocks[0] = (struct ks_block){3, 5};
    fill_rows(&schema, &rows);
    uint64_t expected = ks_store_checksum(&schema, &rows), sum = 0;
    for (size_t i = 0; i < 5; i++) {
        struct ks_block block = {3 + i, 1};
        struct ks_rows row = {1,
                              1,
                              &block,
                              rows.inputs + 2 * i,
                              rows.endpoints + 2 * i,
                              rows.status + i,
                              rows.steps + i,
                              rows.trajectories + 3 * i};
        sum += ks_store_checksum(&schema, &row);
    }
    assert_int_equal(sum, expected);
    ks_store_release_rows(&rows);
}

/* The number is part of the file format: verify must find today's files good for ever. */
static void test_checksum_stays_the_same(void **state) {
    (void)state;
    struct ks_schema schema = make_schema();
    struct ks_rows rows;
    assert_int_equal(ks_store_allocate_rows(&schema, 2, &rows), KS_OK);
    rows.n_blocks = 1;
    rows.n_rows = 2;
    rows.blocks[0] = (struct ks_block){41, 2};
    for (int i = 0; i < KS_N_FIELDS; i++) {
        unsigned char *data = ks_fields_data(&rows, i);
        size_t n_bytes = ks_fields_describe(&schema, i).row_bytes * rows.n_rows;
        for (size_t k = 0; k < n_bytes; k++) data[k] = (unsigned char)(k * 37 + 11);
    }
    assert_int_equal(ks_store_checksum(&schema, &rows), UINT64_C(0x22d4cd154541496e));
    ks_store_release_rows(&rows);
}

int main(void) {
    const char *parent = getenv("TMPDIR");
    snprintf(directory, sizeof directory, "%s/ketsweep-test-XXXXXX", parent != NULL ? parent : "/tmp");
    if (mkdtemp(directory) == NULL) return 1;
    snprintf(path, sizeof path, "%s/sweep.h5", directory);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_schema_survives),
        cmocka_unit_test(test_long_configuration),
        cmocka_unit_test(test_new_file_holds_no_rows),
        cmocka_unit_test(test_verification_of_a_new_file),
        cmocka_unit_test(test_file_size),
        cmocka_unit_test(test_creation_is_deterministic),
        cmocka_unit_test(test_existing_file_is_kept),
        cmocka_unit_test(test_places_that_cannot_be_written),
        cmocka_unit_test(test_files_that_are_not_ours),
        cmocka_unit_test(test_files_of_ours_that_are_not_good),
        cmocka_unit_test(test_what_is_no_file),
        cmocka_unit_test(test_changed_metadata),
        cmocka_unit_test(test_checksum_sees_every_bit),
        cmocka_unit_test(test_checksum_is_a_sum_over_rows),
        cmocka_unit_test(test_checksum_stays_the_same),
    };
    int n_failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    rmdir(directory);
    return n_failed;
}
