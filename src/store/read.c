/* Reads rows and logs, by one process alone, also where the store was opened by many. */
#include "base/memory.h"
#include "store/store_impl.h"

#include <stdlib.h>

/* ---- logs ---------------------------------------------------------------------------------------------- */

static int read_count(hid_t dataset, const char *name, uint64_t capacity, uint64_t *count) {
    hid_t space;
    KS_H5(space = H5Dget_space(dataset));
    hssize_t n = H5Sget_simple_extent_npoints(space);
    KS_H5(H5Sclose(space));
    KS_CHECK(n == 1, KS_ERR_FORMAT, "%s is not one number", name);
    KS_H5(H5Dread(dataset, H5T_NATIVE_UINT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, count));
    KS_CHECK(*count <= capacity, KS_ERR_FORMAT, "%s is %llu, more than there is room for", name,
             (unsigned long long)*count);
    return KS_OK;
}

int ks_store_read_counts(ks_store *store) {
    KS_TRY(read_count(store->rounds_in_use, "/rounds/in_use", KS_MAX_ROUNDS, &store->n_rounds));
    return read_count(store->runs_in_use, "/provenance/runs_in_use", KS_MAX_RUNS, &store->n_runs);
}

/* The first `n` elements of a one-dimensional dataset. */
static int read_head(hid_t dataset, hid_t type, hsize_t n, void *elements) {
    hid_t from, to;
    hsize_t start = 0;
    KS_H5(from = H5Dget_space(dataset));
    KS_H5(to = H5Screate_simple(1, &n, NULL));
    KS_H5(H5Sselect_hyperslab(from, H5S_SELECT_SET, &start, NULL, &n, NULL));
    KS_H5(H5Dread(dataset, type, to, from, H5P_DEFAULT, elements));
    KS_H5(H5Sclose(to));
    KS_H5(H5Sclose(from));
    return KS_OK;
}

static int read_log(hid_t dataset, int (*make_type)(bool, hid_t *), hsize_t n, void *elements) {
    if (n == 0) return KS_OK;
    hid_t type;
    KS_TRY(make_type(false, &type));
    int err = read_head(dataset, type, n, elements);
    H5Tclose(type);
    return err;
}

/* Rounds follow each other from row 0 on, to the last row of a complete campaign. Whoever adds them up, or steps through
 * them, may rely on this. Of the lines that are not in use a killed run may have written the first; where there are more
 * it is the count that has changed. */
static int check_rounds(const ks_store *store, const struct ks_round *rounds) {
    uint64_t next = 0, n_points = store->schema.n_points;
    KS_CHECK(rounds[store->n_rounds + 1].n_rows == 0, KS_ERR_FORMAT,
             "/rounds/in_use is %llu, but more rounds were committed", (unsigned long long)store->n_rounds);
    for (uint64_t i = 0; i < store->n_rounds; i++) {
        KS_CHECK(rounds[i].first_row == next && rounds[i].n_rows > 0 && rounds[i].n_rows <= n_points - next,
                 KS_ERR_FORMAT, "round %llu of the commit log does not follow the one before it",
                 (unsigned long long)i);
        next += rounds[i].n_rows;
    }
    KS_CHECK(!store->is_complete || next == n_points, KS_ERR_FORMAT,
             "marked complete, but the commit log ends at row %llu of %llu", (unsigned long long)next,
             (unsigned long long)n_points);
    return KS_OK;
}

int ks_store_read_rounds(ks_store *store, size_t *n_rounds, struct ks_round **rounds) {
    *n_rounds = 0;
    *rounds = NULL;
    KS_TRY(ks_store_name_file(ks_store_read_counts(store), store->path));
    KS_ALLOCATE(*rounds, store->n_rounds + 2);
    uint64_t n_lines = store->n_rounds + 2 < KS_MAX_ROUNDS ? store->n_rounds + 2 : KS_MAX_ROUNDS;
    int err = read_log(store->log, ks_h5_round_type, n_lines, *rounds);
    if (err == KS_OK) err = check_rounds(store, *rounds);
    if (err < 0) {
        free(*rounds);
        *rounds = NULL;
        return ks_store_name_file(err, store->path);
    }
    *n_rounds = store->n_rounds;
    return KS_OK;
}

/* HDF5 hands a text that fills its field over as it is. */
static void end_texts(struct ks_run_record *run) {
    run->start[sizeof run->start - 1] = '\0';
    run->hosts[sizeof run->hosts - 1] = '\0';
    run->version[sizeof run->version - 1] = '\0';
    run->settings[sizeof run->settings - 1] = '\0';
}

int ks_store_read_runs(ks_store *store, size_t *n_runs, struct ks_run_record **runs) {
    *n_runs = 0;
    *runs = NULL;
    KS_TRY(ks_store_name_file(ks_store_read_counts(store), store->path));
    KS_ALLOCATE(*runs, store->n_runs);
    int err = read_log(store->runs, ks_h5_run_type, store->n_runs, *runs);
    if (err < 0) {
        free(*runs);
        *runs = NULL;
        return ks_store_name_file(err, store->path);
    }
    for (size_t i = 0; i < store->n_runs; i++) end_texts(&(*runs)[i]);
    *n_runs = store->n_runs;
    return KS_OK;
}

static int read_verification(ks_store *store, struct ks_verified_endpoint **rows) {
    size_t n = (size_t)store->schema.n_endpoints;
    KS_ALLOCATE(*rows, n);
    KS_TRY(read_log(store->verification, ks_h5_verification_type, n, *rows));
    for (struct ks_verified_endpoint *row = *rows; row < *rows + n; row++)
        row->endpoint[sizeof row->endpoint - 1] = '\0';
    return KS_OK;
}

int ks_store_read_verification(ks_store *store, size_t *n_rows, struct ks_verified_endpoint **rows) {
    *n_rows = 0;
    *rows = NULL;
    if (store->verification < 0 || store->schema.n_endpoints == 0) return KS_OK;
    int err = read_verification(store, rows);
    if (err == KS_OK && (*rows)[0].n_points > 0) {
        *n_rows = (size_t)store->schema.n_endpoints;
        return KS_OK;
    }
    free(*rows);
    *rows = NULL;
    return ks_store_name_file(err, store->path);
}

/* ---- rows ---------------------------------------------------------------------------------------------- */

static int read_field(ks_store *store, enum ks_field_index index, uint64_t first, uint64_t count,
                      void *data) {
    struct ks_field field = ks_fields_describe(&store->schema, index);
    if (field.row_elements == 0) return KS_OK;
    hsize_t start[3] = {first, 0, 0}, extent[3] = {count, field.extent[1], field.extent[2]};
    hid_t from, to;
    KS_H5(from = H5Dget_space(store->fields[index]));
    KS_H5(to = H5Screate_simple(field.n_axes, extent, NULL));
    KS_H5(H5Sselect_hyperslab(from, H5S_SELECT_SET, start, NULL, extent, NULL));
    KS_H5(H5Dread(store->fields[index], field.memory_type, to, from, H5P_DEFAULT, data));
    KS_H5(H5Sclose(to));
    KS_H5(H5Sclose(from));
    return KS_OK;
}

int ks_store_read_rows(ks_store *store, uint64_t first, uint64_t count, struct ks_rows *rows) {
    uint64_t n_points = store->schema.n_points;
    KS_ASSERT(first <= n_points && count <= n_points - first);
    rows->n_rows = count;
    rows->n_blocks = 0;
    if (count == 0) return KS_OK;
    for (int i = 0; i < KS_N_FIELDS; i++) {
        void *data = ks_fields_data(rows, i);
        if (data == NULL) continue;
        KS_TRY(ks_store_name_file(read_field(store, i, first, count, data), store->path));
    }
    if (rows->blocks != NULL) {
        rows->blocks[0] = (struct ks_block){first, count};
        rows->n_blocks = 1;
    }
    return KS_OK;
}
