/* What a file that is extended takes over from the smaller one: committed rows, the commit log, the provenance. */
#include "base/memory.h"
#include "store/store_impl.h"

#include <stdlib.h>

/* Writes `n` elements from `first` on along the first axis; all of a scalar. */
static int write_part(hid_t file, const char *name, hid_t type, hsize_t first, hsize_t n,
                      const void *elements) {
    hid_t dataset, space, memory;
    hsize_t start[H5S_MAX_RANK] = {first}, extent[H5S_MAX_RANK] = {1};
    KS_H5(dataset = H5Dopen2(file, name, H5P_DEFAULT));
    KS_H5(space = H5Dget_space(dataset));
    int n_axes = H5Sget_simple_extent_dims(space, extent, NULL);
    KS_CHECK(n_axes >= 0, KS_ERR_FORMAT, "%s has no shape", name);
    extent[0] = n;
    if (n_axes > 0) KS_H5(H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, extent, NULL));
    KS_H5(memory = H5Screate_simple(n_axes > 0 ? n_axes : 1, extent, NULL));
    KS_H5(H5Dwrite(dataset, type, memory, space, H5P_DEFAULT, elements));
    KS_H5(H5Sclose(memory));
    KS_H5(H5Sclose(space));
    KS_H5(H5Dclose(dataset));
    return KS_OK;
}

static int write_log(hid_t file, const char *name, const char *count_name, int (*make_type)(bool, hid_t *),
                     size_t n, const void *lines) {
    hid_t type;
    uint64_t count = n;
    if (n == 0) return KS_OK;
    KS_TRY(make_type(false, &type));
    int err = write_part(file, name, type, 0, n, lines);
    if (err == KS_OK && count_name != NULL)
        err = write_part(file, count_name, H5T_NATIVE_UINT64, 0, 1, &count);
    H5Tclose(type);
    return err;
}

/* ---- rows ---------------------------------------------------------------------------------------------- */

static int write_rows(hid_t file, const struct ks_schema *schema, uint64_t first,
                      const struct ks_rows *rows) {
    for (int i = 0; i < KS_N_FIELDS; i++) {
        struct ks_field field = ks_fields_describe(schema, i);
        if (field.row_elements == 0) continue;
        KS_TRY(write_part(file, field.name, field.memory_type, first, rows->n_rows, ks_fields_data(rows, i)));
    }
    return KS_OK;
}

static int copy_blocks(ks_store *from, hid_t to, uint64_t n_rows, uint64_t capacity, struct ks_rows *rows) {
    for (uint64_t done = 0; done < n_rows; done += rows->n_rows) {
        uint64_t left = n_rows - done;
        KS_TRY(ks_store_read_rows(from, done, left < capacity ? left : capacity, rows));
        KS_TRY(write_rows(to, &from->schema, done, rows));
    }
    return KS_OK;
}

static int copy_rows(ks_store *from, hid_t to, uint64_t n_rows) {
    struct ks_rows rows;
    uint64_t capacity;
    KS_TRY(ks_store_allocate_block(&from->schema, &capacity, &rows));
    int err = copy_blocks(from, to, n_rows, capacity, &rows);
    ks_store_release_rows(&rows);
    return err;
}

/* ---- the whole ----------------------------------------------------------------------------------------- */

static int copy_rounds(ks_store *from, hid_t to) {
    size_t n;
    struct ks_round *rounds;
    KS_TRY(ks_store_read_rounds(from, &n, &rounds));
    uint64_t n_rows = n > 0 ? rounds[n - 1].first_row + rounds[n - 1].n_rows : 0;
    int err = copy_rows(from, to, n_rows);
    if (err == KS_OK) err = write_log(to, "/rounds/log", "/rounds/in_use", ks_h5_round_type, n, rounds);
    free(rounds);
    return err;
}

static int copy_provenance(ks_store *from, hid_t to) {
    size_t n;
    struct ks_run_record *runs;
    struct ks_verified_endpoint *verified;
    KS_TRY(ks_store_read_runs(from, &n, &runs));
    int err = write_log(to, "/provenance/runs", "/provenance/runs_in_use", ks_h5_run_type, n, runs);
    free(runs);
    KS_TRY(err);
    KS_TRY(ks_store_read_verification(from, &n, &verified));
    err = write_log(to, "/provenance/verification", NULL, ks_h5_verification_type, n, verified);
    free(verified);
    return err;
}

static int open_new(const char *path, hid_t *file) {
    hid_t access;
    KS_H5(access = H5Pcreate(H5P_FILE_ACCESS));
    KS_H5(H5Pset_fclose_degree(access, H5F_CLOSE_STRONG));
    KS_H5(H5Pset_file_locking(access, false, true));
    KS_H5(*file = H5Fopen(path, H5F_ACC_RDWR, access));
    KS_H5(H5Pclose(access));
    return KS_OK;
}

int ks_extend_copy(const char *from, const char *to) {
    ks_store *old;
    hid_t file = H5I_INVALID_HID;
    KS_TRY(ks_store_open(&old, from));
    int err = open_new(to, &file);
    if (err == KS_OK) err = copy_rounds(old, file);
    if (err == KS_OK) err = copy_provenance(old, file);
    if (file >= 0 && H5Fclose(file) < 0 && err == KS_OK) err = ks_h5_raise(__FILE__, __LINE__);
    int closed = ks_store_close(&old);
    return err < 0 ? err : closed;
}
