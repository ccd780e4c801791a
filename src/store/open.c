/* Opens and closes files, alone or by all ranks of a communicator.
 *
 * HDF5's file locks are off: MPI-IO takes none, so they would not keep two writers apart, and a reader's lock
 * fails on file systems that have none. Nothing of a live campaign moves but raw data and one attribute, so
 * readers are safe. `point` is never opened by the writer: opening it would allocate its space. */
#include "base/memory.h"
#include "store/store_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What one rank gives to one H5Dwrite at most: MPI counts bytes in an int, and HDF5's union of blocks takes a
 * time that grows faster than their number. */
enum { SLICE_BYTES = 512 * 1024 * 1024, SLICE_BLOCKS = 1024 };

/* ---- checks before HDF5 sees the file ------------------------------------------------------------------ */

static int check_writable(const char *path) {
    KS_TRY(ks_guard_check_kind(path));
    KS_CHECK(access(path, W_OK) == 0, KS_ERR_IO, "cannot write to %s: %s", path, strerror(errno));
    return KS_OK;
}

int ks_store_name_file(int err, const char *path) {
    if (err != KS_ERR_FORMAT && err != KS_ERR_HDF5) return err;
    char fault[2048];
    snprintf(fault, sizeof fault, "%s", ks_error_message());
    ks_error_clear();
    return ks_error_raise(KS_ERR_FORMAT, __FILE__, __LINE__, "%s: %s", path, fault);
}

/* A cohort's or trial's file looks like a campaign's but for its rows. */
static int refuse_tables(const ks_store *store) {
    static const char *const groups[] = {"cohort", "trial"};
    for (int i = 0; i < 2; i++)
        KS_CHECK(H5Aexists(store->file, "design") > 0 || H5Lexists(store->file, groups[i], H5P_DEFAULT) <= 0,
                 KS_ERR_USAGE,
                 "%s holds a %s, not a campaign; `ketsweep export --dataset %s` shows its patients",
                 store->path, groups[i], groups[i]);
    return KS_OK;
}

/* ---- opening ------------------------------------------------------------------------------------------- */

static int open_file(ks_store *store, MPI_Info hints) {
    bool is_parallel = store->comm != MPI_COMM_NULL;
    hid_t options;
    KS_H5(options = H5Pcreate(H5P_FILE_ACCESS));
    KS_H5(H5Pset_fclose_degree(options, H5F_CLOSE_STRONG));
    KS_H5(H5Pset_file_locking(options, false, true));
    if (is_parallel) {
        KS_H5(H5Pset_fapl_mpio(options, store->comm, hints));
        KS_H5(H5Pset_all_coll_metadata_ops(options, true)); /* one rank reads and tells the others */
        KS_H5(H5Pset_coll_metadata_write(options, true));
    }
    store->file = H5Fopen(store->path, is_parallel ? H5F_ACC_RDWR : H5F_ACC_RDONLY, options);
    if (store->file < 0) {
        char reason[1536];
        ks_h5_explain(reason, sizeof reason);
        H5Pclose(options);
        KS_CHECK(false, KS_ERR_FORMAT, "HDF5 cannot open it, truncated or damaged: %s", reason);
    }
    KS_H5(H5Pclose(options));
    return KS_OK;
}

static int read_complete(ks_store *store) {
    int complete;
    KS_TRY(ks_h5_read_number(store->file, "complete", H5T_NATIVE_INT, &complete));
    KS_CHECK(complete == 0 || complete == 1, KS_ERR_FORMAT, "attribute complete is %d, not 0 or 1", complete);
    store->is_complete = complete != 0;
    return KS_OK;
}

/* A file without endpoints has none. */
static int open_verification(ks_store *store) {
    hid_t space;
    if (store->schema.n_endpoints == 0) return KS_OK;
    KS_H5(store->verification = H5Dopen2(store->file, "/provenance/verification", H5P_DEFAULT));
    KS_H5(space = H5Dget_space(store->verification));
    hssize_t n = H5Sget_simple_extent_npoints(space);
    KS_H5(H5Sclose(space));
    KS_CHECK(n == store->schema.n_endpoints, KS_ERR_FORMAT,
             "/provenance/verification has %lld rows for %d endpoints", (long long)n,
             store->schema.n_endpoints);
    return KS_OK;
}

static int open_datasets(ks_store *store) {
    for (int i = 0; i < KS_N_FIELDS; i++) {
        struct ks_field field = ks_fields_describe(&store->schema, i);
        if (field.row_elements > 0) KS_H5(store->fields[i] = H5Dopen2(store->file, field.name, H5P_DEFAULT));
    }
    KS_H5(store->log = H5Dopen2(store->file, "/rounds/log", H5P_DEFAULT));
    KS_H5(store->rounds_in_use = H5Dopen2(store->file, "/rounds/in_use", H5P_DEFAULT));
    KS_H5(store->runs = H5Dopen2(store->file, "/provenance/runs", H5P_DEFAULT));
    KS_H5(store->runs_in_use = H5Dopen2(store->file, "/provenance/runs_in_use", H5P_DEFAULT));
    return open_verification(store);
}

/* Collective transfers, and the limits of a slice. */
static int prepare_writing(ks_store *store) {
    KS_H5(store->transfer = H5Pcreate(H5P_DATASET_XFER));
    KS_H5(H5Pset_dxpl_mpio(store->transfer, H5FD_MPIO_COLLECTIVE));
    uint64_t row_bytes = ks_store_row_bytes(&store->schema);
    store->slice_rows = row_bytes < SLICE_BYTES ? SLICE_BYTES / row_bytes : 1;
    store->slice_blocks = SLICE_BLOCKS;
    return KS_OK;
}

static int read_everything(ks_store *store, MPI_Info hints) {
    KS_TRY(open_file(store, hints));
    KS_TRY(refuse_tables(store));
    KS_TRY(ks_schema_read(store->file, &store->schema));
    KS_TRY(read_complete(store));
    KS_TRY(open_datasets(store));
    KS_TRY(ks_places_check(store->file, &store->schema));
    return ks_store_read_counts(store);
}

static int allocate_store(ks_store **store, const char *path) {
    ks_h5_silence();
    KS_ALLOCATE(*store, 1);
    **store = (ks_store){.comm = MPI_COMM_NULL,
                         .file = H5I_INVALID_HID,
                         .verification = H5I_INVALID_HID,
                         .transfer = H5I_INVALID_HID};
    for (int i = 0; i < KS_N_FIELDS; i++) (*store)->fields[i] = H5I_INVALID_HID;
    KS_CHECK(((*store)->path = strdup(path)) != NULL, KS_ERR_MEMORY, "no memory for a name");
    return KS_OK;
}

/* Closes the file and frees all but the communicator. A file on a disk that fails is not closed: it needs none, and ranks
 * would wait for ever for the one that fails in it once more. */
static int release_store(ks_store *store) {
    if (store == NULL) return KS_OK;
    int err = KS_OK;
    if (store->transfer >= 0) H5Pclose(store->transfer);
    if (store->has_failed)
        err = ks_error_raise(KS_ERR_IO, __FILE__, __LINE__, "%s was not closed, as a write to it has failed",
                             store->path);
    else if (store->file >= 0 && H5Fclose(store->file) < 0)
        err = ks_h5_raise(__FILE__, __LINE__);
    ks_schema_release(&store->schema);
    free(store->path);
    free(store);
    return err;
}

static int open_unguarded(ks_store **store, const char *path) {
    *store = NULL;
    int err = allocate_store(store, path);
    if (err == KS_OK) err = ks_store_name_file(read_everything(*store, MPI_INFO_NULL), path);
    if (err == KS_OK) return KS_OK;
    release_store(*store);
    *store = NULL;
    return err;
}

/* Later it must still be there, and be the same. */
static int note_identity(ks_store *store) {
    struct stat file;
    KS_CHECK(stat(store->path, &file) == 0, KS_ERR_IO, "cannot use %s: %s", store->path, strerror(errno));
    store->device = file.st_dev;
    store->inode = file.st_ino;
    return KS_OK;
}

int ks_store_check(const char *path) {
    return ks_guard_check(path);
}

int ks_store_open_checked(ks_store **store, const char *path) {
    *store = NULL;
    KS_TRY(ks_guard_check_kind(path));
    return open_unguarded(store, path);
}

int ks_store_open(ks_store **store, const char *path) {
    *store = NULL;
    KS_TRY(ks_guard_check(path));
    return open_unguarded(store, path);
}

int ks_store_look(const char *path) {
    ks_store *store;
    struct ks_round *rounds;
    struct ks_run_record *runs;
    struct ks_verified_endpoint *verified;
    size_t n;
    KS_TRY(open_unguarded(&store, path));
    /* What they say is for those who ask for them. */
    ks_store_read_rounds(store, &n, &rounds);
    ks_store_read_runs(store, &n, &runs);
    ks_store_read_verification(store, &n, &verified);
    free(rounds);
    free(runs);
    free(verified);
    ks_error_clear();
    return release_store(store);
}

/* All ranks have found the file good on their own before the first collective call. */
static int open_together(ks_store **store, const char *path, MPI_Comm comm, MPI_Info hints) {
    int rank;
    KS_MPI(MPI_Comm_rank(comm, &rank));
    int err = check_writable(path);
    if (err == KS_OK && rank == 0) err = ks_guard_check(path);
    if (err == KS_OK) err = allocate_store(store, path);
    if (err == KS_OK) err = note_identity(*store);
    KS_TRY(ks_agree(comm, err));
    (*store)->comm = comm;
    (*store)->rank = rank;
    err = ks_store_name_file(read_everything(*store, hints), path);
    if (err == KS_OK) err = prepare_writing(*store);
    return ks_agree(comm, err);
}

int ks_store_open_parallel(ks_store **store, const char *path, MPI_Comm comm, MPI_Info hints) {
    *store = NULL;
    MPI_Comm own;
    KS_MPI(MPI_Comm_dup(comm, &own));
    MPI_Comm_set_errhandler(own, MPI_ERRORS_RETURN);
    int err = open_together(store, path, own, hints);
    if (err == KS_OK) return KS_OK;
    release_store(*store);
    *store = NULL;
    MPI_Comm_free(&own);
    return err;
}

int ks_store_close(ks_store **store) {
    if (*store == NULL) return KS_OK;
    MPI_Comm comm = (*store)->comm;
    int err = release_store(*store);
    *store = NULL;
    if (comm == MPI_COMM_NULL) return err;
    err = ks_agree_or_abort(comm, err);
    MPI_Comm_free(&comm);
    return err;
}

const struct ks_schema *ks_store_schema(const ks_store *store) {
    return &store->schema;
}

bool ks_store_is_complete(const ks_store *store) {
    return store->is_complete;
}

uint64_t ks_store_rounds_left(const ks_store *store) {
    return KS_MAX_ROUNDS - store->n_rounds;
}

void ks_store_write_cost(const ks_store *store, double *seconds, uint64_t *bytes) {
    *seconds = store->write_seconds;
    *bytes = store->written_bytes;
}
