/* Creates a file whole: all metadata, and space for every row. It is built under a temporary name beside the
 * target, synced, and appears under its own name only then.
 *
 * Row data is contiguous and allocated now, so that no metadata moves later; it is not filled (space of the
 * file system that nobody wrote reads 0, and each row is written before it counts), but for `status`, the logs
 * and counts, which must read 0 everywhere. The file system is asked to keep the disk space of all rows, so that
 * a campaign that starts does not find the disk full half way. Dimension scales follow the conventions of netCDF-4. Large arrays begin at 4
 * KiB boundaries; the counts lie at multiples of 8 bytes, so that no sector boundary divides one. */
#define _GNU_SOURCE /* fallocate() */
#include "base/memory.h"
#include "store/store_impl.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <hdf5_hl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* ---- datasets ------------------------------------------------------------------------------------------ */

int ks_create_dataset(hid_t file, const char *name, hid_t type, int n_dims, const hsize_t *extent,
                      enum ks_fill fill, hid_t *dataset) {
    hid_t space, options;
    KS_H5(space = n_dims == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(n_dims, extent, NULL));
    KS_H5(options = H5Pcreate(H5P_DATASET_CREATE));
    KS_H5(H5Pset_layout(options, H5D_CONTIGUOUS));
    KS_H5(H5Pset_alloc_time(options, fill == KS_FILL_NEVER ? H5D_ALLOC_TIME_LATE : H5D_ALLOC_TIME_EARLY));
    KS_H5(H5Pset_fill_time(options, fill == KS_FILL_NOW ? H5D_FILL_TIME_ALLOC : H5D_FILL_TIME_NEVER));
    KS_H5(H5Pset_obj_track_times(options, false));
    KS_H5(*dataset = H5Dcreate2(file, name, type, space, H5P_DEFAULT, options, H5P_DEFAULT));
    KS_H5(H5Pclose(options));
    KS_H5(H5Sclose(space));
    return KS_OK;
}

int ks_create_description(hid_t object, const char *description) {
    return ks_h5_write_texts(object, "long_name", 1, &description);
}

/* Dimensions are named by their scales alone: xarray would show HDF5's labels as an attribute of the variable. */
int ks_create_attachment(hid_t file, hid_t dataset, unsigned index, const char *axis) {
    hid_t scale;
    KS_H5(scale = H5Dopen2(file, axis, H5P_DEFAULT));
    KS_H5(H5DSattach_scale(dataset, scale, index));
    KS_H5(H5Dclose(scale));
    return KS_OK;
}

/* A dimension without values: netCDF-4 knows it by this name. */
static int create_point(hid_t file, uint64_t n_points) {
    char name[128];
    snprintf(name, sizeof name, "This is a netCDF dimension but not a netCDF variable. %10llu",
             (unsigned long long)n_points);
    hid_t point;
    hsize_t extent = n_points;
    KS_TRY(ks_create_dataset(file, "point", H5T_IEEE_F32BE, 1, &extent, KS_FILL_NEVER, &point));
    KS_H5(H5DSset_scale(point, name));
    KS_H5(H5Dclose(point));
    return KS_OK;
}

/* ---- axes with names: parameter, endpoint, state ------------------------------------------------------- */

/* 0 the name, 1 the unit, 2 the description. */
static const char *column_text(const struct ks_column *column, int which) {
    return which == 0 ? column->name : which == 1 ? column->unit : column->description;
}

static int write_texts(hid_t dataset, hid_t type, int n, const struct ks_column *columns, int which) {
    const char **texts;
    KS_ALLOCATE(texts, (size_t)n);
    for (int i = 0; i < n; i++) texts[i] = column_text(&columns[i], which);
    herr_t written = H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, texts);
    free(texts);
    KS_H5(written);
    return KS_OK;
}

int ks_create_texts(hid_t file, const char *name, int n, const struct ks_column *columns, int which,
                    const char *axis) {
    hid_t type, dataset;
    hsize_t extent = (hsize_t)n;
    KS_TRY(ks_h5_string_type(&type));
    KS_TRY(ks_create_dataset(file, name, type, 1, &extent, KS_FILL_NOW, &dataset));
    KS_TRY(write_texts(dataset, type, n, columns, which));
    if (which == 0)
        KS_H5(H5DSset_scale(dataset, axis));
    else
        KS_TRY(ks_create_attachment(file, dataset, 0, axis));
    KS_H5(H5Dclose(dataset));
    KS_H5(H5Tclose(type));
    return KS_OK;
}

static int create_axis(hid_t file, const char *axis, int n, const struct ks_column *columns) {
    static const char *const endings[] = {"", "_unit", "_description"};
    if (n == 0) return KS_OK;
    for (int which = 0; which < 3; which++) {
        char name[64];
        snprintf(name, sizeof name, "%s%s", axis, endings[which]);
        KS_TRY(ks_create_texts(file, name, n, columns, which, axis));
    }
    return KS_OK;
}

/* The unit is "h", which xarray leaves as it is; "hours" it would decode to a time difference. */
static int create_time(hid_t file, int n_times, const double *times) {
    if (n_times == 0) return KS_OK;
    hid_t dataset;
    hsize_t extent = (hsize_t)n_times;
    const char *unit = "h";
    KS_TRY(ks_create_dataset(file, "time", H5T_IEEE_F64LE, 1, &extent, KS_FILL_NOW, &dataset));
    KS_H5(H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, times));
    KS_H5(H5DSset_scale(dataset, "time"));
    KS_TRY(ks_h5_write_texts(dataset, "units", 1, &unit));
    KS_TRY(ks_create_description(dataset, "time since the start of the protocol"));
    KS_H5(H5Dclose(dataset));
    return KS_OK;
}

/* ---- rows ---------------------------------------------------------------------------------------------- */

/* The names by code, for h5py; and as CF flags, for tools that know these. */
static int describe_status(hid_t dataset, const struct ks_schema *schema) {
    int n = schema->n_status_names;
    if (n == 0) return KS_OK;
    int8_t codes[128];
    char words[4096] = "";
    KS_ASSERT(n <= (int)sizeof codes);
    for (int i = 0; i < n; i++) {
        codes[i] = (int8_t)i;
        size_t used = strlen(words);
        snprintf(words + used, sizeof words - used, "%s%s", i > 0 ? " " : "", schema->status_names[i]);
    }
    const char *meanings = words;
    KS_TRY(ks_h5_write_texts(dataset, "status_names", n, schema->status_names));
    KS_TRY(ks_h5_write_number(dataset, "flag_values", H5T_STD_I8LE, H5T_NATIVE_INT8, n, codes));
    return ks_h5_write_texts(dataset, "flag_meanings", 1, &meanings);
}

static int create_field(hid_t file, const struct ks_schema *schema, enum ks_field_index index) {
    struct ks_field field = ks_fields_describe(schema, index);
    if (field.row_elements == 0) return KS_OK;
    hid_t dataset;
    enum ks_fill fill = index == KS_FIELD_status ? KS_FILL_NOW : KS_FILL_LATER;
    KS_TRY(ks_create_dataset(file, field.name, field.file_type, field.n_axes, field.extent, fill, &dataset));
    for (int a = 0; a < field.n_axes; a++)
        KS_TRY(ks_create_attachment(file, dataset, (unsigned)a, field.axes[a]));
    KS_TRY(ks_create_description(dataset, field.description));
    if (field.coordinates != NULL) KS_TRY(ks_h5_write_texts(dataset, "coordinates", 1, &field.coordinates));
    if (index == KS_FIELD_status) KS_TRY(describe_status(dataset, schema));
    KS_H5(H5Dclose(dataset));
    return KS_OK;
}

/* ---- logs: preallocated rows and the number of those in use -------------------------------------------- */

static int create_log(hid_t group, const char *name, const char *count_name, int (*make_type)(bool, hid_t *),
                      hsize_t capacity, const char *description) {
    hid_t type, log, count;
    KS_TRY(make_type(true, &type));
    KS_TRY(ks_create_dataset(group, name, type, 1, &capacity, KS_FILL_NOW, &log));
    KS_TRY(ks_create_dataset(group, count_name, H5T_STD_U64LE, 0, NULL, KS_FILL_NOW, &count));
    KS_TRY(ks_create_description(log, description));
    KS_TRY(ks_create_description(count, "rows in use"));
    KS_H5(H5Dclose(count));
    KS_H5(H5Dclose(log));
    KS_H5(H5Tclose(type));
    return KS_OK;
}

/* A row per endpoint, filled in place after the last round if the run verifies points. */
static int create_verification(hid_t group, int n_endpoints) {
    if (n_endpoints == 0) return KS_OK;
    hid_t type, dataset;
    hsize_t extent = (hsize_t)n_endpoints;
    KS_TRY(ks_h5_verification_type(true, &type));
    KS_TRY(ks_create_dataset(group, "verification", type, 1, &extent, KS_FILL_NOW, &dataset));
    KS_TRY(ks_create_description(
        dataset, "a random sample of the points solved again by cvode at reference_rtol; n_points = 0 where "
                 "nothing was. error = |stored - reference| / max(|reference|, mean of |reference| over the "
                 "sample); n_compared points that neither solver failed, n_differ of them without an error: "
                 "NaN, 0 or 1, or an event that comes, in one of the two only"));
    KS_H5(H5Dclose(dataset));
    KS_H5(H5Tclose(type));
    return KS_OK;
}

/* Logs live in groups, where xarray does not take them for variables of the campaign. */
static int create_logs(hid_t file, int n_endpoints) {
    hid_t options, rounds, provenance;
    KS_H5(options = H5Pcreate(H5P_GROUP_CREATE));
    KS_H5(H5Pset_obj_track_times(options, false));
    KS_H5(rounds = H5Gcreate2(file, "rounds", H5P_DEFAULT, options, H5P_DEFAULT));
    KS_H5(provenance = H5Gcreate2(file, "provenance", H5P_DEFAULT, options, H5P_DEFAULT));
    KS_TRY(create_log(rounds, "log", "in_use", ks_h5_round_type, KS_MAX_ROUNDS,
                      "committed rounds: a row counts once its round is in use"));
    KS_TRY(create_log(provenance, "runs", "runs_in_use", ks_h5_run_type, KS_MAX_RUNS,
                      "runs of the command that wrote this file"));
    KS_TRY(create_verification(provenance, n_endpoints));
    KS_H5(H5Gclose(provenance));
    KS_H5(H5Gclose(rounds));
    KS_H5(H5Pclose(options));
    return KS_OK;
}

/* ---- the whole ----------------------------------------------------------------------------------------- */

static int write_share(hid_t file, const struct ks_share *share) {
    if (share->count == 0) return KS_OK;
    const struct {
        const char *name;
        uint64_t value;
    } numbers[] = {{"shard", share->number},
                   {"n_shards", share->count},
                   {"n_campaign_points", share->n_points},
                   {"first_point", ks_store_first_point(share)}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        KS_TRY(ks_h5_write_number(file, numbers[i].name, H5T_STD_U64LE, H5T_NATIVE_UINT64, 1,
                                  &numbers[i].value));
    return KS_OK;
}

static int write_root_attributes(hid_t file, const struct ks_schema *schema) {
    int version = KS_FORMAT_VERSION, complete = 0;
    uint64_t checksum = ks_checksum_schema(schema);
    const char *format = "ketsweep";
    KS_TRY(ks_h5_write_texts(file, "format", 1, &format));
    KS_TRY(ks_h5_write_number(file, "format_version", H5T_STD_I32LE, H5T_NATIVE_INT, 1, &version));
    KS_TRY(ks_h5_write_texts(file, "title", 1, &schema->title));
    KS_TRY(ks_h5_write_texts(file, "config", 1, &schema->config));
    KS_TRY(ks_h5_write_texts(file, "design", 1, &schema->design));
    KS_TRY(ks_h5_write_texts(file, "model_version", 1, &schema->model_version));
    KS_TRY(ks_h5_write_number(file, "seed", H5T_STD_U64LE, H5T_NATIVE_UINT64, 1, &schema->seed));
    KS_TRY(ks_h5_write_number(file, "n_points", H5T_STD_U64LE, H5T_NATIVE_UINT64, 1, &schema->n_points));
    KS_TRY(ks_h5_write_number(file, "schema_checksum", H5T_STD_U64LE, H5T_NATIVE_UINT64, 1, &checksum));
    KS_TRY(write_share(file, &schema->share));
    return ks_h5_write_number(file, "complete", H5T_STD_I32LE, H5T_NATIVE_INT, 1, &complete);
}

int ks_create_head(hid_t file, const struct ks_schema *schema) {
    KS_TRY(write_root_attributes(file, schema));
    KS_TRY(create_axis(file, "parameter", schema->n_parameters, schema->parameters));
    KS_TRY(create_axis(file, "endpoint", schema->n_endpoints, schema->endpoints));
    KS_TRY(create_axis(file, "state", schema->n_states, schema->states));
    return create_time(file, schema->n_times, schema->times);
}

static int write_layout(hid_t file, const struct ks_schema *schema) {
    KS_TRY(ks_create_head(file, schema));
    KS_TRY(create_logs(file, schema->n_endpoints));
    KS_TRY(create_point(file, schema->n_points));
    for (int i = 0; i < KS_N_FIELDS; i++) KS_TRY(create_field(file, schema, i));
    return ks_places_write(file, schema);
}

int ks_create_open_file(const char *path, hid_t *file) {
    hid_t access, creation;
    KS_H5(access = H5Pcreate(H5P_FILE_ACCESS));
    KS_H5(H5Pset_fclose_degree(access, H5F_CLOSE_STRONG));
    KS_H5(H5Pset_file_locking(access, false, true));
    KS_H5(H5Pset_alignment(access, 4096, 4096));
    KS_H5(creation = H5Pcreate(H5P_FILE_CREATE));
    KS_H5(H5Pset_obj_track_times(creation, false));
    KS_H5(*file = H5Fcreate(path, H5F_ACC_TRUNC, creation, access));
    KS_H5(H5Pclose(creation));
    KS_H5(H5Pclose(access));
    return KS_OK;
}

static int write_file(const char *path, const struct ks_schema *schema) {
    hid_t file = H5I_INVALID_HID;
    ks_h5_silence();
    KS_TRY(ks_create_open_file(path, &file));
    int err = write_layout(file, schema);
    if (H5Fclose(file) < 0 && err == KS_OK) err = ks_h5_raise(__FILE__, __LINE__);
    return err;
}

uint64_t ks_store_file_bytes(const struct ks_schema *schema) {
    enum { METADATA = 64 * 1024, PER_COLUMN = 256 }; /* bytes, generous */
    uint64_t row_bytes = ks_store_row_bytes(schema);
    uint64_t n_columns =
        (uint64_t)schema->n_parameters + (uint64_t)schema->n_endpoints + (uint64_t)schema->n_states;
    uint64_t other = METADATA + strlen(schema->config) + n_columns * PER_COLUMN +
                     (uint64_t)schema->n_times * sizeof(double) + KS_MAX_ROUNDS * sizeof(struct ks_round) +
                     KS_MAX_RUNS * sizeof(struct ks_run_record) +
                     (uint64_t)schema->n_endpoints * sizeof(struct ks_verified_endpoint);
    if (schema->n_points > (UINT64_MAX - other) / row_bytes) return UINT64_MAX;
    return schema->n_points * row_bytes + other;
}

/* ---- files and directories ----------------------------------------------------------------------------- */

/* What a link leads to, so that the link stays one; a name that leads to nothing is its own. */
char *ks_create_copy_target(const char *path) {
    char *target = realpath(path, NULL);
    return target != NULL ? target : strdup(path);
}

/* The directory that holds `path`; the caller frees it. NULL where there is no memory. */
char *ks_create_copy_directory(const char *path) {
    const char *slash = strrchr(path, '/');
    if (slash == NULL) return strdup(".");
    return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

static int check_space(const char *directory, const struct ks_schema *schema) {
    struct statvfs disk;
    KS_CHECK(statvfs(directory, &disk) == 0, KS_ERR_USAGE, "cannot use directory %s: %s", directory,
             strerror(errno));
    double needed = (double)ks_store_file_bytes(schema),
           free_bytes = (double)disk.f_bavail * (double)disk.f_frsize;
    KS_CHECK(needed <= free_bytes, KS_ERR_IO, "the file needs %.3f GB, and %s has %.3f GB free",
             needed * 1e-9, directory, free_bytes * 1e-9);
    return KS_OK;
}

int ks_create_sync_directory(const char *directory) {
    int descriptor = open(directory, O_RDONLY);
    KS_CHECK(descriptor >= 0, KS_ERR_IO, "cannot open %s: %s", directory, strerror(errno));
    bool is_synced = fsync(descriptor) == 0 || errno == EINVAL; /* some file systems sync no directories */
    int reason = errno;
    close(descriptor);
    KS_CHECK(is_synced, KS_ERR_IO, "cannot sync %s: %s", directory, strerror(reason));
    return KS_OK;
}

static int refuse_existing(const char *path) {
    return ks_error_raise(KS_ERR_USAGE, __FILE__, __LINE__, "%s exists; --overwrite replaces it", path);
}

/* link() gives the name only where there is none, whoever else tries; some file systems lack it. */
static int give_name(const char *temporary, const char *path, bool overwrite) {
    if (!overwrite) {
        if (link(temporary, path) == 0) {
            unlink(temporary);
            return KS_OK;
        }
        if (errno == EEXIST || access(path, F_OK) == 0) return refuse_existing(path);
    }
    KS_CHECK(rename(temporary, path) == 0, KS_ERR_IO, "cannot rename %s to %s: %s", temporary, path,
             strerror(errno));
    return KS_OK;
}

/* mkstemp() gives access to the owner alone; a result has the mode that the user's other files get. */
int ks_create_set_mode(int descriptor, const char *temporary) {
    mode_t mask = umask(0);
    umask(mask);
    KS_CHECK(fchmod(descriptor, 0666 & ~mask) == 0, KS_ERR_IO, "cannot set the mode of %s: %s", temporary,
             strerror(errno));
    return KS_OK;
}

/* posix_fallocate() would write to every block where the file system cannot reserve; that is left to write.c. */
static int reserve_space(int descriptor, const char *temporary, uint64_t n_bytes) {
    int failure;
    do failure = fallocate(descriptor, 0, 0, (off_t)n_bytes);
    while (failure != 0 && errno == EINTR);
    bool is_refused = failure != 0 && (errno == ENOSPC || errno == EDQUOT || errno == EFBIG || errno == EIO);
    KS_CHECK(!is_refused, KS_ERR_IO, "cannot reserve the %.3f GB of %s: %s", (double)n_bytes * 1e-9,
             temporary, strerror(errno));
    return KS_OK;
}

/* The space is tried before HDF5 comes: a file that it cannot close for want of space crashes it when it ends. */
static int write_reserved(int descriptor, const char *temporary, const struct ks_schema *schema) {
    struct stat file;
    KS_TRY(reserve_space(descriptor, temporary, ks_store_file_bytes(schema)));
    KS_TRY(write_file(temporary, schema));
    KS_CHECK(fstat(descriptor, &file) == 0, KS_ERR_IO, "cannot use %s: %s", temporary, strerror(errno));
    return reserve_space(descriptor, temporary, (uint64_t)file.st_size);
}

/* What a new file is to hold. */
struct order {
    const struct ks_schema *schema;
    MPI_Info hints;  /* MPI_INFO_NULL: none */
    bool replaces;   /* a file that is there */
    bool extends;    /* the rows of the file that it replaces, too */
    size_t n_shards; /* 0: no rows of shares */
    const char *const *shards;
};

static int fill_and_name(int descriptor, const char *temporary, const char *path, const char *directory,
                         const struct order *order) {
    KS_TRY(check_space(directory, order->schema));
    KS_TRY(ks_create_set_mode(descriptor, temporary));
    KS_TRY(write_reserved(descriptor, temporary, order->schema));
    if (order->extends) KS_TRY(ks_extend_copy(path, temporary));
    if (order->n_shards > 0) KS_TRY(ks_extend_join(order->schema, order->n_shards, order->shards, temporary));
    KS_CHECK(fsync(descriptor) == 0, KS_ERR_IO, "cannot sync %s: %s", temporary, strerror(errno));
    KS_TRY(give_name(temporary, path, order->replaces));
    return ks_create_sync_directory(directory);
}

int ks_create_give_name(int descriptor, const char *temporary, const char *path, bool overwrite) {
    char *directory = ks_create_copy_directory(path);
    KS_CHECK(directory != NULL, KS_ERR_MEMORY, "no memory for the name of %s", path);
    int err = ks_create_set_mode(descriptor, temporary);
    if (err == KS_OK && fsync(descriptor) != 0)
        err = ks_error_raise(KS_ERR_IO, __FILE__, __LINE__, "cannot sync %s: %s", temporary, strerror(errno));
    if (err == KS_OK) err = give_name(temporary, path, overwrite);
    if (err == KS_OK) err = ks_create_sync_directory(directory);
    free(directory);
    return err;
}

/* Puts in place of an empty file one that MPI-IO makes: stripes are decided when a file is made. */
static int remake(int *descriptor, const char *temporary, MPI_Info hints) {
    MPI_File file;
    KS_CHECK(unlink(temporary) == 0, KS_ERR_IO, "cannot remove %s: %s", temporary, strerror(errno));
    KS_MPI(MPI_File_open(MPI_COMM_SELF, temporary, MPI_MODE_CREATE | MPI_MODE_EXCL | MPI_MODE_RDWR, hints,
                         &file));
    KS_MPI(MPI_File_close(&file));
    close(*descriptor);
    *descriptor = open(temporary, O_RDWR);
    KS_CHECK(*descriptor >= 0, KS_ERR_IO, "cannot open %s: %s", temporary, strerror(errno));
    return KS_OK;
}

/* `temporary` is a template of mkstemp(). */
static int create_beside(const char *path, const char *directory, char *temporary,
                         const struct order *order) {
    int descriptor = mkstemp(temporary), err = KS_OK;
    KS_CHECK(descriptor >= 0, KS_ERR_USAGE, "cannot create a file in %s: %s", directory, strerror(errno));
    if (order->hints != MPI_INFO_NULL) err = remake(&descriptor, temporary, order->hints);
    if (err == KS_OK) err = fill_and_name(descriptor, temporary, path, directory, order);
    close(descriptor);
    if (err < 0) unlink(temporary);
    return err;
}

static int create_at(const char *path, const struct order *order) {
    size_t size = strlen(path) + sizeof ".part-XXXXXX";
    char *directory = ks_create_copy_directory(path), *temporary = malloc(size);
    int err = KS_OK;
    if (directory == NULL || temporary == NULL) {
        err = ks_error_raise(KS_ERR_MEMORY, __FILE__, __LINE__, "no memory for the name of %s", path);
    } else {
        snprintf(temporary, size, "%s.part-XXXXXX", path);
        err = create_beside(path, directory, temporary, order);
    }
    free(temporary);
    free(directory);
    return err;
}

static int create(const char *path, const struct order *order) {
    const struct ks_schema *schema = order->schema;
    KS_ASSERT(schema->n_points > 0 && (schema->n_times > 0) == (schema->n_states > 0));
    struct stat file;
    if (stat(path, &file) == 0) {
        KS_CHECK(S_ISREG(file.st_mode), KS_ERR_USAGE, "%s is not a regular file", path);
        if (!order->replaces) return refuse_existing(path);
    }
    char *target = ks_create_copy_target(path);
    KS_CHECK(target != NULL, KS_ERR_MEMORY, "no memory for the name of %s", path);
    int err = create_at(target, order);
    free(target);
    return err;
}

int ks_store_create(const char *path, const struct ks_schema *schema, bool overwrite, MPI_Info hints) {
    return create(path, &(struct order){.schema = schema, .hints = hints, .replaces = overwrite});
}

int ks_store_extend(const char *path, const struct ks_schema *schema, MPI_Info hints) {
    return create(path, &(struct order){.schema = schema, .hints = hints, .replaces = true, .extends = true});
}

int ks_store_merge(const char *path, const struct ks_schema *schema, bool overwrite, size_t n_shards,
                   const char *const *shards) {
    return create(path, &(struct order){.schema = schema,
                                        .hints = MPI_INFO_NULL,
                                        .replaces = overwrite,
                                        .n_shards = n_shards,
                                        .shards = shards});
}

/* ---- existing files ------------------------------------------------------------------------------------ */

static void remove_leftovers(DIR *directory, const char *name) {
    enum { RANDOM = 6 }; /* letters that mkstemp() chooses */
    size_t n = strlen(name), n_all = n + sizeof ".part-" - 1 + RANDOM;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        const char *found = entry->d_name;
        bool is_ours =
            strlen(found) == n_all && strncmp(found, name, n) == 0 && strncmp(found + n, ".part-", 6) == 0;
        if (is_ours) unlinkat(dirfd(directory), found, 0);
    }
}

void ks_store_remove_leftovers(const char *path) {
    char *target = ks_create_copy_target(path),
         *name = target != NULL ? ks_create_copy_directory(target) : NULL;
    DIR *directory = name != NULL ? opendir(name) : NULL;
    if (directory != NULL) {
        const char *slash = strrchr(target, '/');
        remove_leftovers(directory, slash != NULL ? slash + 1 : target);
        closedir(directory);
    }
    free(name);
    free(target);
}

/* Where the file system cannot say whether it reserves, its free space says whether it could. */
static int reserve_existing(int descriptor, const char *path) {
    struct stat file;
    KS_CHECK(fstat(descriptor, &file) == 0, KS_ERR_IO, "cannot use %s: %s", path, strerror(errno));
    struct rlimit limit;
    bool is_limited = getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
    KS_CHECK(!is_limited || (rlim_t)file.st_size <= limit.rlim_cur, KS_ERR_IO,
             "%s has %.3f MB, and this process may write files of %.3f MB (ulimit -f)", path,
             (double)file.st_size * 1e-6, (double)limit.rlim_cur * 1e-6);
    return reserve_space(descriptor, path, (uint64_t)file.st_size);
}

int ks_store_reserve(const char *path) {
    int descriptor = open(path, O_RDWR);
    KS_CHECK(descriptor >= 0, KS_ERR_IO, "cannot write to %s: %s", path, strerror(errno));
    int err = reserve_existing(descriptor, path);
    close(descriptor);
    return err;
}
