/* Writes rounds: collectively, and in an order that makes a killed run harmless.
 *
 * Rows go to disk first, then their status, then the round's line in the commit log, and last the count of
 * lines in use: one aligned 8-byte word, which is the commit. All of it is raw data of preallocated datasets.
 * Agreements stand before and after every collective call: no rank goes on where another has failed. */
#include "store/store_impl.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

/* ---- slices: what one collective call takes ------------------------------------------------------------ */

/* The place in a rank's rows up to which slices have been taken. */
struct cursor {
    size_t block;
    uint64_t used; /* rows of this block */
    size_t row;    /* rows of all blocks */
};

static int select_more(hid_t space, uint64_t first, uint64_t count) {
    hsize_t start[H5S_MAX_RANK] = {0}, extent[H5S_MAX_RANK];
    KS_H5(H5Sget_simple_extent_dims(space, extent, NULL));
    start[0] = first;
    extent[0] = count;
    KS_H5(H5Sselect_hyperslab(space, H5S_SELECT_OR, start, NULL, extent, NULL));
    return KS_OK;
}

/* Takes up to `room` rows from the cursor's block and from those that follow without a gap. */
static uint64_t take_run(const struct ks_rows *rows, uint64_t room, struct cursor *cursor) {
    uint64_t first = rows->blocks[cursor->block].first + cursor->used, count = 0;
    while (count < room && cursor->block < rows->n_blocks) {
        const struct ks_block *block = &rows->blocks[cursor->block];
        if (block->first + cursor->used != first + count) break;
        uint64_t left = block->count - cursor->used, taken = left < room - count ? left : room - count;
        count += taken;
        cursor->used += taken;
        if (cursor->used == block->count) {
            cursor->block++;
            cursor->used = 0;
        }
    }
    cursor->row += count;
    return count;
}

/* Moves the cursor over the next slice, and selects its rows in `space` unless that is invalid. */
static int take_slice(const ks_store *store, const struct ks_rows *rows, hid_t space, struct cursor *cursor) {
    uint64_t room = store->slice_rows;
    if (space >= 0) KS_H5(H5Sselect_none(space));
    for (size_t n = 0; n < store->slice_blocks && room > 0 && cursor->block < rows->n_blocks; n++) {
        uint64_t first = rows->blocks[cursor->block].first + cursor->used;
        uint64_t count = take_run(rows, room, cursor);
        if (space >= 0) KS_TRY(select_more(space, first, count));
        room -= count;
    }
    return KS_OK;
}

static uint64_t count_slices(const ks_store *store, const struct ks_rows *rows) {
    uint64_t n = 0;
    for (struct cursor cursor = {0}; cursor.block < rows->n_blocks; n++)
        take_slice(store, rows, H5I_INVALID_HID, &cursor);
    return n;
}

/* ---- collective writes: each returns the same verdict on all ranks ------------------------------------- */

/* HDF5 and MPI-IO tell that a write failed but not why; the system's own number is still there. */
static int raise_write(const ks_store *store, int line, int number) {
    char reason[1536];
    if (H5Eget_num(H5E_DEFAULT) == 0)
        return ks_error_raise(KS_ERR_IO, __FILE__, line, "cannot write to %s: %s", store->path,
                              strerror(number));
    ks_h5_explain(reason, sizeof reason);
    return ks_error_raise(KS_ERR_HDF5, __FILE__, line, "cannot write to %s: %s; HDF5: %s", store->path,
                          number != 0 ? strerror(number) : "the disk is full or gone", reason);
}

/* Open MPI 4.1 forgets what went wrong when ranks write together through one of them, and returns success. */
static bool is_of_disk(int number) {
    static const int numbers[] = {ENOSPC, EDQUOT, EFBIG, EIO, ESTALE, EROFS};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (number == numbers[i]) return true;
    return false;
}

static int agree_on_write(ks_store *store, int err) {
    err = ks_agree_or_abort(store->comm, err);
    if (err < 0) store->has_failed = true;
    return err;
}

/* `err` is how this rank's preparation went. */
static int write_together(ks_store *store, int err, hid_t dataset, hid_t type, hid_t memory, hid_t space,
                          const void *data) {
    KS_TRY(ks_agree(store->comm, err));
    errno = 0;
    herr_t written = H5Dwrite(dataset, type, memory, space, store->transfer, data);
    int number = errno;
    if (written < 0 || is_of_disk(number)) err = raise_write(store, __LINE__, number);
    return agree_on_write(store, err);
}

/* All that was written is on the disk: HDF5 calls MPI_File_sync. */
static int flush(ks_store *store) {
    errno = 0;
    int err = H5Fflush(store->file, H5F_SCOPE_GLOBAL) < 0 ? raise_write(store, __LINE__, errno) : KS_OK;
    return agree_on_write(store, err);
}

static int prepare_slice(const ks_store *store, enum ks_field_index index, const struct ks_rows *rows,
                         struct cursor *cursor, hid_t *memory, hid_t *space) {
    size_t first_row = cursor->row;
    KS_H5(*space = H5Dget_space(store->fields[index]));
    KS_TRY(take_slice(store, rows, *space, cursor));
    hsize_t n_elements = (cursor->row - first_row) * ks_fields_describe(&store->schema, index).row_elements;
    KS_H5(*memory = H5Screate_simple(1, &n_elements, NULL));
    return KS_OK;
}

static int write_slice(ks_store *store, enum ks_field_index index, const struct ks_rows *rows,
                       struct cursor *cursor) {
    struct ks_field field = ks_fields_describe(&store->schema, index);
    const char nothing = 0, *data = &nothing; /* HDF5 wants an address even for no rows */
    if (rows->n_rows > 0) data = (const char *)ks_fields_data(rows, index) + cursor->row * field.row_bytes;
    hid_t memory = H5I_INVALID_HID, space = H5I_INVALID_HID;
    int err = prepare_slice(store, index, rows, cursor, &memory, &space);
    err = write_together(store, err, store->fields[index], field.memory_type, memory, space, data);
    if (memory >= 0) H5Sclose(memory);
    if (space >= 0) H5Sclose(space);
    return err;
}

static int write_field(ks_store *store, enum ks_field_index index, const struct ks_rows *rows,
                       uint64_t n_slices) {
    if (store->fields[index] < 0) return KS_OK;
    struct cursor cursor = {0};
    for (uint64_t i = 0; i < n_slices; i++) KS_TRY(write_slice(store, index, rows, &cursor));
    return KS_OK;
}

/* Rank 0 selects `n` elements from `first` on of a one-dimensional dataset, or the one of a scalar; the others select
 * nothing. */
static int prepare_elements(const ks_store *store, hid_t dataset, hsize_t first, hsize_t n, hid_t *memory,
                            hid_t *space) {
    KS_H5(*space = H5Dget_space(dataset));
    KS_H5(*memory = H5Screate_simple(1, &n, NULL));
    if (store->rank != 0) {
        KS_H5(H5Sselect_none(*space));
        KS_H5(H5Sselect_none(*memory));
    } else if (H5Sget_simple_extent_ndims(*space) == 1) {
        KS_H5(H5Sselect_hyperslab(*space, H5S_SELECT_SET, &first, NULL, &n, NULL));
    }
    return KS_OK;
}

static int write_elements(ks_store *store, hid_t dataset, hsize_t first, hsize_t n, hid_t type,
                          const void *elements) {
    hid_t memory = H5I_INVALID_HID, space = H5I_INVALID_HID;
    int err = prepare_elements(store, dataset, first, n, &memory, &space);
    err = write_together(store, err, dataset, type, memory, space, elements);
    if (memory >= 0) H5Sclose(memory);
    if (space >= 0) H5Sclose(space);
    return err;
}

/* Adds a line to a log: the line is on disk before the count says so. */
static int append(ks_store *store, hid_t log, hid_t count, uint64_t line, uint64_t in_use,
                  int (*make_type)(bool, hid_t *), const void *element) {
    hid_t type = H5I_INVALID_HID;
    KS_TRY(ks_agree(store->comm, make_type(false, &type)));
    int err = write_elements(store, log, line, 1, type, element);
    H5Tclose(type);
    KS_TRY(err);
    KS_TRY(flush(store));
    KS_TRY(write_elements(store, count, 0, 1, H5T_NATIVE_UINT64, &in_use));
    return flush(store);
}

/* ---- rounds -------------------------------------------------------------------------------------------- */

static int check_rows(const ks_store *store, const struct ks_rows *rows, const struct ks_round *round) {
    uint64_t next = round->first_row, end = round->first_row + round->n_rows, n_rows = 0;
    KS_CHECK(next < end && end <= store->schema.n_points, KS_ERR_IO,
             "a round is empty or lies outside the points of %s", store->path);
    for (size_t b = 0; b < rows->n_blocks; b++) {
        const struct ks_block *block = &rows->blocks[b];
        KS_CHECK(block->count > 0 && block->first >= next && block->first < end &&
                     block->count <= end - block->first,
                 KS_ERR_IO, "a block of rows is empty, out of order, or outside its round");
        next = block->first + block->count;
        n_rows += block->count;
    }
    KS_CHECK(n_rows == rows->n_rows, KS_ERR_IO, "blocks hold %llu rows, not %zu", (unsigned long long)n_rows,
             rows->n_rows);
    return KS_OK;
}

/* Where the file system could not reserve the space of the rows, a full disk shows before it is written to: ranks of
 * Open MPI that take part in a collective write wait for ever for one that finds no space. */
static int check_space(const ks_store *store, const struct ks_round *round) {
    enum {
        SLACK = 1024 * 1024,
        STAT_BLOCK = 512
    }; /* bytes: blocks that rows share with others; unit of stat() */
    struct stat file;
    struct statvfs disk;
    if (store->rank != 0) return KS_OK;
    KS_CHECK(stat(store->path, &file) == 0, KS_ERR_IO, "%s is gone: %s; what was committed is lost with it",
             store->path, strerror(errno));
    KS_CHECK(file.st_dev == store->device && file.st_ino == store->inode, KS_ERR_IO,
             "%s is another file than the one that this run opened: somebody has replaced it", store->path);
    if (statvfs(store->path, &disk) != 0) return KS_OK;
    double holes = (double)file.st_size - (double)file.st_blocks * STAT_BLOCK;
    double rows = (double)round->n_rows * (double)ks_store_row_bytes(&store->schema) + SLACK;
    double free_bytes = (double)disk.f_bavail * (double)disk.f_frsize;
    KS_CHECK(fmin(holes, rows) <= free_bytes, KS_ERR_IO,
             "no space for %.3f MB of rows in %s: %.3f MB are free", fmin(holes, rows) * 1e-6, store->path,
             free_bytes * 1e-6);
    return KS_OK;
}

/* Over all ranks: the rows' checksum, and the most slices. */
static int summarise(const ks_store *store, const struct ks_rows *rows, struct ks_round *round,
                     uint64_t *n_slices) {
    uint64_t own_slices = count_slices(store, rows);
    uint64_t own[2] = {rows->n_rows, ks_store_checksum(&store->schema, rows)}, all[2];
    KS_MPI(MPI_Allreduce(own, all, 2, MPI_UINT64_T, MPI_SUM, store->comm));
    KS_MPI(MPI_Allreduce(&own_slices, n_slices, 1, MPI_UINT64_T, MPI_MAX, store->comm));
    KS_CHECK(all[0] == round->n_rows, KS_ERR_IO, "the ranks hold %llu rows of a round of %llu",
             (unsigned long long)all[0], (unsigned long long)round->n_rows);
    round->checksum = all[1];
    return KS_OK;
}

int ks_write_rows(ks_store *store, const struct ks_rows *rows, struct ks_round *round) {
    uint64_t n_slices;
    int err = check_rows(store, rows, round);
    if (err == KS_OK) err = check_space(store, round);
    KS_TRY(ks_agree(store->comm, err));
    KS_TRY(summarise(store, rows, round, &n_slices));
    for (int i = 0; i < KS_FIELD_status; i++) KS_TRY(write_field(store, i, rows, n_slices));
    KS_TRY(flush(store));
    return write_field(store, KS_FIELD_status, rows, n_slices);
}

int ks_write_commit(ks_store *store, const struct ks_round *round) {
    KS_TRY(append(store, store->log, store->rounds_in_use, store->n_rounds, store->n_rounds + 1,
                  ks_h5_round_type, round));
    store->n_rounds++;
    return KS_OK;
}

int ks_store_write_round(ks_store *store, uint64_t first, uint64_t count, const struct ks_rows *rows) {
    double start = MPI_Wtime();
    struct ks_round round = {.first_row = first, .n_rows = count};
    KS_CHECK(ks_store_rounds_left(store) > 0, KS_ERR_IO, "the commit log of %s is full", store->path);
    KS_TRY(ks_write_rows(store, rows, &round));
    KS_TRY(ks_write_commit(store, &round));
    store->write_seconds += MPI_Wtime() - start;
    store->written_bytes += count * ks_store_row_bytes(&store->schema);
    return KS_OK;
}

int ks_store_rewrite_round(ks_store *store, uint64_t i, const struct ks_round *round) {
    hid_t type = H5I_INVALID_HID;
    KS_ASSERT(i < store->n_rounds);
    KS_TRY(ks_agree(store->comm, ks_h5_round_type(false, &type)));
    KS_TRY(flush(store));
    int err = write_elements(store, store->log, i, 1, type, round);
    H5Tclose(type);
    KS_TRY(err);
    return flush(store);
}

/* ---- the rest ------------------------------------------------------------------------------------------ */

int ks_store_add_run(ks_store *store, const struct ks_run_record *record) {
    uint64_t line = store->n_runs < KS_MAX_RUNS ? store->n_runs : KS_MAX_RUNS - 1;
    KS_TRY(append(store, store->runs, store->runs_in_use, line, line + 1, ks_h5_run_type, record));
    store->n_runs = line + 1;
    return KS_OK;
}

int ks_store_update_run(ks_store *store, const struct ks_run_record *record) {
    hid_t type = H5I_INVALID_HID;
    KS_ASSERT(store->n_runs > 0);
    KS_TRY(ks_agree(store->comm, ks_h5_run_type(false, &type)));
    int err = write_elements(store, store->runs, store->n_runs - 1, 1, type, record);
    H5Tclose(type);
    return err;
}

int ks_store_write_verification(ks_store *store, const struct ks_verified_endpoint *rows) {
    hid_t type = H5I_INVALID_HID;
    KS_CHECK(store->verification >= 0, KS_ERR_FORMAT, "%s has no table of verification", store->path);
    KS_TRY(ks_agree(store->comm, ks_h5_verification_type(false, &type)));
    hsize_t n = (hsize_t)store->schema.n_endpoints;
    int err = write_elements(store, store->verification, 0, n, type, rows);
    H5Tclose(type);
    KS_TRY(err);
    return flush(store);
}

int ks_write_complete(hid_t file) {
    hid_t attribute;
    int complete = 1;
    KS_H5(attribute = H5Aopen(file, "complete", H5P_DEFAULT));
    KS_H5(H5Awrite(attribute, H5T_NATIVE_INT, &complete));
    KS_H5(H5Aclose(attribute));
    return KS_OK;
}

/* The attribute keeps its size and place, and an object header of this version has no checksum: whatever part
 * of the write a crash lets through, the header says 0 or 1 and is whole. */
int ks_store_complete(ks_store *store) {
    KS_TRY(ks_agree(store->comm, ks_write_complete(store->file)));
    KS_TRY(flush(store));
    store->is_complete = true;
    return KS_OK;
}
