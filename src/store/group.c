/* Adds the results of an analysis to a campaign's file: never in place, so that a file that holds results is whole at
 * any instant. The copy, or the separate file, is built under a temporary name, synced, and renamed. */
#define _XOPEN_SOURCE 700 /* realpath() */
#include "base/memory.h"
#include "store/store_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <hdf5_hl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* ---- the group ------------------------------------------------------------------------------------------------ */

static int open_or_create(hid_t parent, const char *name, hid_t *group) {
    htri_t is_there;
    hid_t options;
    KS_H5(is_there = H5Lexists(parent, name, H5P_DEFAULT));
    if (is_there) {
        KS_H5(*group = H5Gopen2(parent, name, H5P_DEFAULT));
        return KS_OK;
    }
    KS_H5(options = H5Pcreate(H5P_GROUP_CREATE));
    KS_H5(H5Pset_obj_track_times(options, false));
    KS_H5(*group = H5Gcreate2(parent, name, H5P_DEFAULT, options, H5P_DEFAULT));
    KS_H5(H5Pclose(options));
    return KS_OK;
}

/* Scales of the file know the datasets that they are attached to: these are let go before their group is removed. */
static herr_t detach_scales(hid_t group, const char *name, const H5L_info_t *info, void *data) {
    (void)info;
    (void)data;
    hid_t dataset = H5Dopen2(group, name, H5P_DEFAULT), file = H5Iget_file_id(group);
    if (dataset < 0 || file < 0) return -1;
    static const char *const axes[] = {"parameter", "endpoint", "state", "time"};
    hid_t space = H5Dget_space(dataset);
    int n_dims = H5Sget_simple_extent_ndims(space);
    H5Sclose(space);
    for (int d = 0; d < n_dims; d++)
        for (int a = 0; a < 4; a++) {
            if (H5Lexists(file, axes[a], H5P_DEFAULT) <= 0) continue;
            hid_t scale = H5Dopen2(file, axes[a], H5P_DEFAULT);
            if (H5DSis_attached(dataset, scale, (unsigned)d) > 0)
                H5DSdetach_scale(dataset, scale, (unsigned)d);
            H5Dclose(scale);
        }
    H5Dclose(dataset);
    H5Fclose(file);
    return 0;
}

static int remove_group(hid_t parent, const char *name) {
    htri_t is_there;
    hid_t group;
    KS_H5(is_there = H5Lexists(parent, name, H5P_DEFAULT));
    if (!is_there) return KS_OK;
    KS_H5(group = H5Gopen2(parent, name, H5P_DEFAULT));
    KS_H5(H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, NULL, detach_scales, NULL));
    KS_H5(H5Gclose(group));
    KS_H5(H5Ldelete(parent, name, H5P_DEFAULT));
    return KS_OK;
}

static int write_scale(hid_t group, const struct ks_scale *scale) {
    enum { NAMES, ABOUT };
    struct ks_column *columns;
    char path[128];
    KS_ALLOCATE(columns, (size_t)scale->n);
    for (int i = 0; i < scale->n; i++) columns[i] = (struct ks_column){scale->texts[i], scale->texts[i], ""};
    snprintf(path, sizeof path, "/%s", scale->axis != NULL ? scale->axis : "");
    int err = scale->axis != NULL
                  ? ks_create_texts(group, scale->name, scale->n, columns, ABOUT, path)
                  : ks_create_texts(group, scale->name, scale->n, columns, NAMES, scale->name);
    free(columns);
    return err;
}

/* Where a dimension's scale is, as seen from the group. */
static int scale_path(hid_t group, const char *axis, char *path, size_t size) {
    htri_t is_own;
    KS_H5(is_own = H5Lexists(group, axis, H5P_DEFAULT));
    snprintf(path, size, "%s%s", is_own ? "" : "/", axis);
    return KS_OK;
}

static int write_array(hid_t group, const struct ks_array *array) {
    hid_t dataset, type = array->numbers != NULL ? H5T_IEEE_F64LE : H5T_STD_U64LE,
                   memory_type = array->numbers != NULL ? H5T_NATIVE_DOUBLE : H5T_NATIVE_UINT64;
    const void *data = array->numbers != NULL ? (const void *)array->numbers : array->counts;
    hsize_t extent[3] = {array->extent[0], array->extent[1], array->extent[2]};
    KS_TRY(ks_create_dataset(group, array->name, type, array->n_axes, extent, KS_FILL_LATER, &dataset));
    KS_H5(H5Dwrite(dataset, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data));
    for (int a = 0; a < array->n_axes; a++) {
        char path[128];
        KS_TRY(scale_path(group, array->axes[a], path, sizeof path));
        KS_TRY(ks_create_attachment(group, dataset, (unsigned)a, path));
    }
    KS_TRY(ks_create_description(dataset, array->description));
    KS_H5(H5Dclose(dataset));
    return KS_OK;
}

static int write_group(hid_t file, const struct ks_group *what) {
    hid_t parent, group;
    KS_TRY(open_or_create(file, what->analysis, &parent));
    KS_TRY(remove_group(parent, what->name));
    KS_TRY(open_or_create(parent, what->name, &group));
    for (int i = 0; i < what->n_texts; i++)
        KS_TRY(ks_h5_write_texts(group, what->texts[i][0], 1, &what->texts[i][1]));
    for (int i = 0; i < what->n_counts; i++)
        KS_TRY(ks_h5_write_number(group, what->counts[i].name, H5T_STD_U64LE, H5T_NATIVE_UINT64, 1,
                                  &what->counts[i].value));
    for (int i = 0; i < what->n_scales; i++) KS_TRY(write_scale(group, &what->scales[i]));
    for (int i = 0; i < what->n_arrays; i++) KS_TRY(write_array(group, &what->arrays[i]));
    KS_H5(H5Gclose(group));
    KS_H5(H5Gclose(parent));
    return KS_OK;
}

/* ---- files ---------------------------------------------------------------------------------------------------- */

static int open_for_writing(const char *path, bool is_new, hid_t *file) {
    hid_t access, creation;
    KS_H5(access = H5Pcreate(H5P_FILE_ACCESS));
    KS_H5(H5Pset_fclose_degree(access, H5F_CLOSE_STRONG));
    KS_H5(H5Pset_file_locking(access, false, true));
    KS_H5(creation = H5Pcreate(H5P_FILE_CREATE));
    KS_H5(H5Pset_obj_track_times(creation, false));
    KS_H5(*file = is_new ? H5Fcreate(path, H5F_ACC_TRUNC, creation, access)
                         : H5Fopen(path, H5F_ACC_RDWR, access));
    KS_H5(H5Pclose(creation));
    KS_H5(H5Pclose(access));
    return KS_OK;
}

/* `schema` is that of a file to be made anew, NULL to change what is there. */
static int write_file(const char *path, const struct ks_schema *schema, const struct ks_group *group) {
    hid_t file = H5I_INVALID_HID;
    ks_h5_silence();
    KS_TRY(open_for_writing(path, schema != NULL, &file));
    int err = schema != NULL ? ks_create_head(file, schema) : KS_OK;
    if (err == KS_OK) err = write_group(file, group);
    if (H5Fclose(file) < 0 && err == KS_OK) err = ks_h5_raise(__FILE__, __LINE__);
    return err;
}

static int write_all(int descriptor, const char *bytes, size_t n, const char *name) {
    while (n > 0) {
        ssize_t written = write(descriptor, bytes, n);
        if (written < 0 && errno == EINTR) continue;
        KS_CHECK(written > 0, KS_ERR_IO, "cannot write %s: %s", name, strerror(errno));
        bytes += written;
        n -= (size_t)written;
    }
    return KS_OK;
}

static int copy_bytes(int from, int to, const char *path, const char *temporary) {
    enum { BUFFER = 1 << 20 };
    char *buffer = malloc(BUFFER);
    KS_CHECK(buffer != NULL, KS_ERR_MEMORY, "no memory to copy a file");
    int err = KS_OK;
    for (;;) {
        ssize_t n = read(from, buffer, BUFFER);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0)
            err = ks_error_raise(KS_ERR_IO, __FILE__, __LINE__, "cannot read %s: %s", path, strerror(errno));
        if (n <= 0) break;
        err = write_all(to, buffer, (size_t)n, temporary);
        if (err < 0) break;
    }
    free(buffer);
    return err;
}

/* The mode is kept too. */
static int copy_file(const char *path, int to, const char *temporary) {
    struct stat file;
    int from = open(path, O_RDONLY);
    KS_CHECK(from >= 0, KS_ERR_IO, "cannot open %s: %s", path, strerror(errno));
    int err = copy_bytes(from, to, path, temporary);
    if (err == KS_OK && (fstat(from, &file) != 0 || fchmod(to, file.st_mode & 07777) != 0))
        err = ks_error_raise(KS_ERR_IO, __FILE__, __LINE__, "cannot set the mode of %s: %s", temporary,
                             strerror(errno));
    close(from);
    return err;
}

/* Builds `target` from a copy of `source`, or where that is NULL anew from the schema. */
static int build(int descriptor, const char *temporary, const char *source, const struct ks_schema *schema,
                 const struct ks_group *group, const char *target, const char *directory) {
    if (source != NULL) KS_TRY(copy_file(source, descriptor, temporary));
    KS_TRY(ks_store_name_file(write_file(temporary, source == NULL ? schema : NULL, group), target));
    if (source == NULL) KS_TRY(ks_create_set_mode(descriptor, temporary));
    KS_CHECK(fsync(descriptor) == 0, KS_ERR_IO, "cannot sync %s: %s", temporary, strerror(errno));
    KS_CHECK(rename(temporary, target) == 0, KS_ERR_IO, "cannot rename %s to %s: %s", temporary, target,
             strerror(errno));
    return ks_create_sync_directory(directory);
}

static int build_beside(const char *source, const struct ks_schema *schema, const struct ks_group *group,
                        const char *target) {
    size_t size = strlen(target) + sizeof ".part-XXXXXX";
    char *directory = ks_create_copy_directory(target), *temporary = malloc(size);
    int err = KS_OK;
    if (directory == NULL || temporary == NULL) {
        err = ks_error_raise(KS_ERR_MEMORY, __FILE__, __LINE__, "no memory for the name of %s", target);
    } else {
        snprintf(temporary, size, "%s.part-XXXXXX", target);
        int descriptor = mkstemp(temporary);
        if (descriptor < 0) {
            err = ks_error_raise(KS_ERR_IO, __FILE__, __LINE__, "cannot create a file in %s: %s", directory,
                                 strerror(errno));
        } else {
            err = build(descriptor, temporary, source, schema, group, target, directory);
            close(descriptor);
            if (err < 0) unlink(temporary);
        }
    }
    free(temporary);
    free(directory);
    return err;
}

/* Whether the disk has room for a copy of the file, with something to spare for the group. */
static bool has_room(const char *path) {
    enum { SPARE = 16 << 20 };
    struct stat file;
    struct statvfs disk;
    char *directory = ks_create_copy_directory(path);
    bool has = directory != NULL && stat(path, &file) == 0 && statvfs(directory, &disk) == 0 &&
               (double)file.st_size + SPARE <= (double)disk.f_bavail * (double)disk.f_frsize;
    free(directory);
    return has;
}

/* ---- the whole ------------------------------------------------------------------------------------------------ */

void ks_store_name_separate(const char *path, const char *analysis, char *name, size_t size) {
    size_t length = strlen(path);
    if (length > 3 && strcmp(path + length - 3, ".h5") == 0) length -= 3;
    snprintf(name, size, "%.*s.%s.h5", (int)length, path, analysis);
}

static herr_t look_at_object(hid_t object, const char *name, const H5O_info_t *info, void *unused) {
    (void)object;
    (void)name;
    (void)info;
    (void)unused;
    return 0;
}

/* Whether a file opens, is of the campaign `config`, and has headers that HDF5 can read. */
static int look_at_separate(const char *path, const char *config) {
    hid_t access_options, file;
    char **texts;
    int n;
    KS_H5(access_options = H5Pcreate(H5P_FILE_ACCESS));
    KS_H5(H5Pset_fclose_degree(access_options, H5F_CLOSE_STRONG));
    KS_H5(H5Pset_file_locking(access_options, false, true));
    KS_H5(file = H5Fopen(path, H5F_ACC_RDONLY, access_options));
    KS_H5(H5Pclose(access_options));
    int err = ks_h5_read_texts(file, "config", true, &n, &texts);
    bool is_same = err == KS_OK && n == 1 && strcmp(texts[0], config) == 0;
    for (int i = 0; i < n && texts != NULL; i++) free(texts[i]);
    free(texts);
    bool is_good = is_same && H5Ovisit1(file, H5_INDEX_NAME, H5_ITER_INC, look_at_object, NULL) >= 0;
    H5Fclose(file);
    return is_good ? KS_OK : KS_ERR_FORMAT;
}

/* A separate file that is there already is added to, if it is of the same campaign. */
static int check_separate(const char *name, const struct ks_schema *schema, bool *is_there) {
    *is_there = access(name, F_OK) == 0;
    if (!*is_there) return KS_OK;
    bool is_same = ks_guard_check_by(name, look_at_separate, schema->config) == KS_OK;
    ks_error_clear();
    KS_CHECK(is_same, KS_ERR_USAGE, "%s exists and holds nothing of this campaign; move it away", name);
    return KS_OK;
}

static int write_separate(const char *path, const struct ks_group *group, const char *name) {
    ks_store *store;
    KS_TRY(ks_store_open(&store, path));
    bool is_there;
    int err = check_separate(name, ks_store_schema(store), &is_there);
    if (err == KS_OK) err = build_beside(is_there ? name : NULL, ks_store_schema(store), group, name);
    int err_close = ks_store_close(&store);
    return err < 0 ? err : err_close;
}

/* A link stays one: what it leads to is replaced. */
static int write_at(const char *path, const struct ks_group *group) {
    char *target = realpath(path, NULL);
    KS_CHECK(target != NULL, KS_ERR_IO, "cannot find %s: %s", path, strerror(errno));
    int err = build_beside(target, NULL, group, target);
    free(target);
    return err;
}

int ks_store_write_group(const char *path, bool is_separate, const struct ks_group *group, char *written,
                         size_t size) {
    if (is_separate || !has_room(path)) {
        ks_store_name_separate(path, group->analysis, written, size);
        return write_separate(path, group, written);
    }
    snprintf(written, size, "%s", path);
    return write_at(path, group);
}
