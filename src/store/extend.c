/* What a new file takes over from others: committed rows, the commit log and the provenance of the smaller file that is
 * extended, or of all the shares that are joined. */
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

/* ---- shares -------------------------------------------------------------------------------------------- */

/* The one round that a share becomes, and the runs of all shares. */
struct joint {
    hid_t file;
    struct ks_round round;
    size_t n_runs;
    struct ks_run_record *runs; /* [KS_MAX_RUNS] */
};

/* The hash of a row is of its point's number: what is read is summed as the share numbers it, and as the whole does. */
static int join_round(struct joint *joint, ks_store *from, const struct ks_round *round, uint64_t capacity,
                      struct ks_rows *rows) {
    uint64_t sum = 0;
    for (uint64_t done = 0; done < round->n_rows; done += rows->n_rows) {
        uint64_t left = round->n_rows - done, first = round->first_row + done;
        KS_TRY(ks_store_read_rows(from, first, left < capacity ? left : capacity, rows));
        sum += ks_store_checksum(&from->schema, rows);
        rows->blocks[0].first = first + joint->round.first_row;
        joint->round.checksum += ks_store_checksum(&from->schema, rows);
        KS_TRY(write_rows(joint->file, &from->schema, rows->blocks[0].first, rows));
    }
    KS_CHECK(sum == round->checksum, KS_ERR_FORMAT,
             "%s: rows %llu to %llu have changed since they were written; `ketsweep run` with --shard "
             "%llu/%llu and "
             "--repair runs them again",
             from->path, (unsigned long long)round->first_row,
             (unsigned long long)(round->first_row + round->n_rows - 1),
             (unsigned long long)from->schema.share.number, (unsigned long long)from->schema.share.count);
    return KS_OK;
}

static int join_rows(struct joint *joint, ks_store *from, size_t n_rounds, const struct ks_round *rounds) {
    struct ks_rows rows;
    uint64_t capacity;
    KS_TRY(ks_store_allocate_block(&from->schema, &capacity, &rows));
    int err = KS_OK;
    for (size_t i = 0; i < n_rounds && err == KS_OK; i++)
        err = join_round(joint, from, &rounds[i], capacity, &rows);
    ks_store_release_rows(&rows);
    return err;
}

/* Where there are more than the log holds, each replaces the last one. */
static int join_runs(struct joint *joint, ks_store *from) {
    size_t n;
    struct ks_run_record *runs;
    KS_TRY(ks_store_read_runs(from, &n, &runs));
    for (size_t i = 0; i < n; i++) {
        if (joint->n_runs == KS_MAX_RUNS) joint->n_runs--;
        joint->runs[joint->n_runs++] = runs[i];
    }
    free(runs);
    return KS_OK;
}

/* That it is what the caller has found it to be before. */
static int check_share(const struct ks_schema *whole, const ks_store *from, size_t i, size_t n_shards) {
    struct ks_schema schema = from->schema;
    schema.n_points = schema.share.n_points;
    schema.share = (struct ks_share){0};
    bool is_right = from->is_complete && from->schema.share.number == i + 1 &&
                    from->schema.share.count == n_shards &&
                    ks_checksum_schema(&schema) == ks_checksum_schema(whole);
    KS_CHECK(is_right, KS_ERR_FORMAT, "%s is not the complete shard %zu of %zu of this campaign", from->path,
             i + 1, n_shards);
    return KS_OK;
}

static int join_share(struct joint *joint, ks_store *from) {
    size_t n_rounds;
    struct ks_round *rounds;
    joint->round = (struct ks_round){ks_store_first_point(&from->schema.share), from->schema.n_points, 0};
    KS_TRY(ks_store_read_rounds(from, &n_rounds, &rounds));
    int err = join_rows(joint, from, n_rounds, rounds);
    free(rounds);
    KS_TRY(err);
    return join_runs(joint, from);
}

static int join_shares(struct joint *joint, const struct ks_schema *whole, size_t n_shards,
                       const char *const *shards, struct ks_round *rounds) {
    for (size_t i = 0; i < n_shards; i++) {
        ks_store *from;
        KS_TRY(ks_store_open(&from, shards[i]));
        int err = check_share(whole, from, i, n_shards);
        if (err == KS_OK) err = join_share(joint, from);
        int closed = ks_store_close(&from);
        KS_TRY(err);
        KS_TRY(closed);
        rounds[i] = joint->round;
    }
    KS_TRY(write_log(joint->file, "/rounds/log", "/rounds/in_use", ks_h5_round_type, n_shards, rounds));
    KS_TRY(write_log(joint->file, "/provenance/runs", "/provenance/runs_in_use", ks_h5_run_type,
                     joint->n_runs, joint->runs));
    return ks_write_complete(joint->file);
}

int ks_extend_join(const struct ks_schema *whole, size_t n_shards, const char *const *shards,
                   const char *to) {
    struct joint joint = {.file = H5I_INVALID_HID};
    KS_CHECK(n_shards <= KS_MAX_ROUNDS, KS_ERR_USAGE, "a file takes the rows of %d shards at most, not %zu",
             KS_MAX_ROUNDS, n_shards);
    struct ks_round *rounds = ks_memory_allocate(n_shards, sizeof *rounds);
    joint.runs = ks_memory_allocate(KS_MAX_RUNS, sizeof *joint.runs);
    bool has_room = rounds != NULL && joint.runs != NULL;
    int err = has_room ? KS_OK : ks_error_raise(KS_ERR_MEMORY, __FILE__, __LINE__, "no memory to merge");
    if (err == KS_OK) err = open_new(to, &joint.file);
    if (err == KS_OK) err = join_shares(&joint, whole, n_shards, shards, rounds);
    if (joint.file >= 0 && H5Fclose(joint.file) < 0 && err == KS_OK) err = ks_h5_raise(__FILE__, __LINE__);
    free(joint.runs);
    free(rounds);
    return err;
}

/* ---- a smaller file ------------------------------------------------------------------------------------ */

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
