/* One group of datasets, written whole and read back. */
#define _XOPEN_SOURCE 700 /* realpath() */
#include "store/tables.h"

#include "base/memory.h"
#include "store/store_impl.h"

#include <hdf5_hl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int make_type(enum ks_table_type type, bool in_file, hid_t *id) {
    switch (type) {
    case KS_TABLE_F64:
        KS_H5(*id = H5Tcopy(in_file ? H5T_IEEE_F64LE : H5T_NATIVE_DOUBLE));
        return KS_OK;
    case KS_TABLE_F32:
        KS_H5(*id = H5Tcopy(in_file ? H5T_IEEE_F32LE : H5T_NATIVE_FLOAT));
        return KS_OK;
    case KS_TABLE_U64:
        KS_H5(*id = H5Tcopy(in_file ? H5T_STD_U64LE : H5T_NATIVE_UINT64));
        return KS_OK;
    default:
        return ks_h5_string_type(id);
    }
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

static int add_axes(hid_t group, hid_t dataset, const struct ks_table *table) {
    for (int a = 0; a < table->n_axes; a++) {
        if (table->axes[a] == NULL) continue;
        if (strcmp(table->axes[a], table->name) == 0)
            KS_H5(H5DSset_scale(dataset, table->name));
        else
            KS_TRY(ks_create_attachment(group, dataset, (unsigned)a, table->axes[a]));
    }
    return KS_OK;
}

static int write_table(hid_t group, const struct ks_table *table) {
    hid_t file_type, type, dataset;
    hsize_t extent[KS_TABLE_AXES], n = 1;
    for (int a = 0; a < table->n_axes; a++) n *= extent[a] = table->extent[a];
    if (n == 0) return KS_OK; /* such as the targets of a cohort without any */
    KS_TRY(make_type(table->type, true, &file_type));
    KS_TRY(make_type(table->type, false, &type));
    KS_TRY(ks_create_dataset(group, table->name, file_type, table->n_axes, extent, KS_FILL_NOW, &dataset));
    KS_H5(H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, table->data));
    KS_TRY(add_axes(group, dataset, table));
    if (table->unit != NULL) KS_TRY(ks_h5_write_texts(dataset, "units", 1, &table->unit));
    if (table->description != NULL) KS_TRY(ks_h5_write_texts(dataset, "long_name", 1, &table->description));
    KS_H5(H5Dclose(dataset));
    KS_H5(H5Tclose(type));
    KS_H5(H5Tclose(file_type));
    return KS_OK;
}

static int write_attributes(hid_t file, const struct ks_tables *tables) {
    int version = KS_FORMAT_VERSION, complete = 1;
    const char *format = "ketsweep";
    KS_TRY(ks_h5_write_texts(file, "format", 1, &format));
    KS_TRY(ks_h5_write_number(file, "format_version", H5T_STD_I32LE, H5T_NATIVE_INT, 1, &version));
    KS_TRY(ks_h5_write_texts(file, "title", 1, &tables->title));
    KS_TRY(ks_h5_write_texts(file, "config", 1, &tables->config));
    KS_TRY(ks_h5_write_texts(file, "model_version", 1, &tables->model_version));
    KS_TRY(ks_h5_write_number(file, "seed", H5T_STD_U64LE, H5T_NATIVE_UINT64, 1, &tables->seed));
    return ks_h5_write_number(file, "complete", H5T_STD_I32LE, H5T_NATIVE_INT, 1, &complete);
}

static int write_all(hid_t file, const struct ks_tables *tables) {
    hid_t group, options;
    KS_TRY(write_attributes(file, tables));
    KS_H5(options = H5Pcreate(H5P_GROUP_CREATE));
    KS_H5(H5Pset_obj_track_times(options, false));
    KS_H5(group = H5Gcreate2(file, tables->group, H5P_DEFAULT, options, H5P_DEFAULT));
    KS_H5(H5Pclose(options));
    for (int i = 0; i < tables->n_tables; i++) KS_TRY(write_table(group, &tables->tables[i]));
    KS_H5(H5Gclose(group));
    return KS_OK;
}

static int write_closed(const char *temporary, const struct ks_tables *tables) {
    hid_t file = H5I_INVALID_HID;
    KS_TRY(ks_create_open_file(temporary, &file));
    int err = write_all(file, tables);
    if (H5Fclose(file) < 0 && err == KS_OK) err = ks_h5_raise(__FILE__, __LINE__);
    return err;
}

static int write_beside(const char *path, const struct ks_tables *tables, bool overwrite) {
    size_t size = strlen(path) + sizeof ".part-XXXXXX";
    char *temporary;
    KS_ALLOCATE(temporary, size);
    snprintf(temporary, size, "%s.part-XXXXXX", path);
    int descriptor = mkstemp(temporary);
    int err = descriptor < 0
                  ? ks_error_raise(KS_ERR_USAGE, __FILE__, __LINE__, "cannot create a file beside %s", path)
                  : write_closed(temporary, tables);
    if (err == KS_OK) err = ks_create_give_name(descriptor, temporary, path, overwrite);
    if (descriptor >= 0) close(descriptor);
    if (descriptor >= 0 && err < 0) unlink(temporary);
    free(temporary);
    return err;
}

/* A link stays one: what it leads to is replaced. */
int ks_tables_write(const char *path, const struct ks_tables *tables, bool overwrite) {
    char *target = realpath(path, NULL);
    ks_h5_silence();
    int err = write_beside(target != NULL ? target : path, tables, overwrite);
    free(target);
    return err;
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

struct ks_tables_file {
    hid_t file, group;
    char *path;
};

/* Without HDF5's locks, as all files are opened. */
static int open_group(ks_tables_file *f, const char *path, const char *group) {
    hid_t options;
    KS_H5(options = H5Pcreate(H5P_FILE_ACCESS));
    KS_H5(H5Pset_fclose_degree(options, H5F_CLOSE_STRONG));
    KS_H5(H5Pset_file_locking(options, false, true));
    f->file = H5Fopen(path, H5F_ACC_RDONLY, options);
    H5Pclose(options);
    KS_CHECK(f->file >= 0, KS_ERR_FORMAT, "%s: damaged: HDF5 cannot open it", path);
    KS_CHECK(H5Lexists(f->file, group, H5P_DEFAULT) > 0, KS_ERR_USAGE, "%s holds no %s", path, group);
    f->group = H5Gopen2(f->file, group, H5P_DEFAULT);
    KS_CHECK(f->group >= 0, KS_ERR_FORMAT, "%s: damaged: HDF5 cannot open its %s", path, group);
    KS_CHECK((f->path = strdup(path)) != NULL, KS_ERR_MEMORY, "no memory for a name");
    return KS_OK;
}

int ks_tables_open(ks_tables_file **file, const char *path, const char *group) {
    ks_h5_silence();
    KS_ALLOCATE(*file, 1);
    (*file)->file = (*file)->group = H5I_INVALID_HID;
    int err = open_group(*file, path, group);
    if (err < 0) ks_tables_close(file);
    return err;
}

static int read_attribute_text(hid_t object, const char *name, char **text) {
    int n = 0;
    char **texts = NULL;
    *text = NULL;
    int err = ks_h5_read_texts(object, name, true, &n, &texts);
    for (int i = 0; i < n && texts != NULL; i++) {
        if (err == KS_OK && i == 0)
            *text = texts[i];
        else
            free(texts[i]);
    }
    free(texts);
    return err;
}

static herr_t look_at_attribute(hid_t object, const char *name, const H5A_info_t *info, void *unused) {
    (void)info;
    (void)unused;
    hid_t attribute, type;
    char *text = NULL;
    KS_H5(attribute = H5Aopen(object, name, H5P_DEFAULT));
    KS_H5(type = H5Aget_type(attribute));
    bool is_text = H5Tis_variable_str(type) > 0;
    H5Tclose(type);
    H5Aclose(attribute);
    int err = is_text ? read_attribute_text(object, name, &text) : KS_OK;
    free(text);
    return err;
}

static int look_at_attributes(hid_t object) {
    KS_H5(H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, NULL, look_at_attribute, NULL));
    return KS_OK;
}

/* What reading touches of a file beside rows of numbers: headers, types, texts. */
static herr_t look_at_table(hid_t group, const char *name, const H5L_info_t *link, void *unused) {
    (void)link;
    (void)unused;
    H5O_info_t object;
    KS_H5(H5Oget_info_by_name1(group, name, &object, H5P_DEFAULT));
    if (object.type != H5O_TYPE_DATASET) return 0;
    hid_t dataset, type, space;
    KS_H5(dataset = H5Dopen2(group, name, H5P_DEFAULT));
    KS_H5(type = H5Dget_type(dataset));
    KS_H5(space = H5Dget_space(dataset));
    bool is_text = H5Tget_class(type) == H5T_STRING;
    H5Sclose(space);
    H5Tclose(type);
    int n = 0, err = look_at_attributes(dataset);
    H5Dclose(dataset);
    if (err < 0) return err;
    char **texts = NULL;
    if (is_text) err = ks_h5_read_texts(group, name, false, &n, &texts);
    for (int i = 0; i < n && texts != NULL; i++) free(texts[i]);
    free(texts);
    return err;
}

static int look(const char *path, const char *group) {
    ks_tables_file *file = NULL;
    int err = ks_tables_open(&file, path, group);
    if (err == KS_OK) err = look_at_attributes(file->file);
    if (err == KS_OK) err = look_at_attributes(file->group);
    if (err == KS_OK && H5Literate(file->group, H5_INDEX_NAME, H5_ITER_INC, NULL, look_at_table, NULL) < 0)
        err = ks_error_raise(KS_ERR_FORMAT, __FILE__, __LINE__, "%s: damaged: HDF5 cannot read its %s", path,
                             group);
    ks_tables_close(&file);
    return err;
}

int ks_tables_check(const char *path, const char *group) {
    char fault[2048];
    if (ks_guard_check_kind(path) == KS_OK) return ks_guard_check_by(path, look, group);
    snprintf(fault, sizeof fault, "%s", ks_error_message());
    ks_error_clear(); /* whoever named the file named another one than was meant */
    return ks_error_raise(KS_ERR_USAGE, __FILE__, __LINE__, "%s", fault);
}

void ks_tables_close(ks_tables_file **file) {
    if (*file == NULL) return;
    if ((*file)->group >= 0) H5Gclose((*file)->group);
    if ((*file)->file >= 0) H5Fclose((*file)->file);
    free((*file)->path);
    free(*file);
    *file = NULL;
}

static int read_numbers(hid_t dataset, const char *name, enum ks_table_type type, int n_axes,
                        uint64_t *extent, void **data) {
    hid_t space, memory_type;
    hsize_t size[KS_TABLE_AXES] = {0}, n = 1;
    KS_H5(space = H5Dget_space(dataset));
    int found = H5Sget_simple_extent_ndims(space);
    if (found == n_axes) H5Sget_simple_extent_dims(space, size, NULL);
    KS_H5(H5Sclose(space));
    KS_CHECK(found == n_axes, KS_ERR_FORMAT, "%s has %d axes where %d are expected", name, found, n_axes);
    bool is_possible = true;
    for (int a = 0; a < n_axes; a++) {
        extent[a] = size[a];
        is_possible &= !__builtin_mul_overflow(n, size[a], &n) && n < SIZE_MAX / sizeof(double);
    }
    KS_CHECK(is_possible, KS_ERR_FORMAT, "%s has more numbers than there is memory", name);
    KS_CHECK((*data = ks_memory_allocate((size_t)n, sizeof(double))) != NULL, KS_ERR_MEMORY,
             "no memory for a dataset");
    KS_TRY(make_type(type, false, &memory_type));
    KS_H5(H5Dread(dataset, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, *data));
    KS_H5(H5Tclose(memory_type));
    return KS_OK;
}

static int read_table(ks_tables_file *f, const char *name, enum ks_table_type type, int n_axes,
                      uint64_t *extent, void **data) {
    *data = NULL;
    for (int a = 0; a < n_axes; a++) extent[a] = 0;
    if (H5Lexists(f->group, name, H5P_DEFAULT) <= 0) return KS_OK;
    if (type == KS_TABLE_TEXT) {
        int n;
        char **texts;
        KS_TRY(ks_h5_read_texts(f->group, name, false, &n, &texts));
        extent[0] = (uint64_t)n;
        *data = texts;
        return KS_OK;
    }
    hid_t dataset = H5Dopen2(f->group, name, H5P_DEFAULT);
    KS_H5(dataset);
    int err = read_numbers(dataset, name, type, n_axes, extent, data);
    H5Dclose(dataset);
    return err;
}

int ks_tables_read(ks_tables_file *f, const char *name, enum ks_table_type type, int n_axes, uint64_t *extent,
                   void **data) {
    return ks_store_name_file(read_table(f, name, type, n_axes, extent, data), f->path);
}

/* ---- attributes ------------------------------------------------------------------------------------------------- */

/* H5I_INVALID_HID where the object has no such attribute. */
static int open_holder(ks_tables_file *f, const char *object, const char *name, hid_t *holder) {
    bool is_own = strcmp(object, ".") == 0, is_file = strcmp(object, "/") == 0;
    *holder = H5I_INVALID_HID;
    if (!is_own && !is_file && H5Lexists(f->group, object, H5P_DEFAULT) <= 0) return KS_OK;
    KS_H5(*holder = H5Oopen(is_file ? f->file : f->group, object, H5P_DEFAULT));
    if (H5Aexists(*holder, name) > 0) return KS_OK;
    H5Oclose(*holder);
    *holder = H5I_INVALID_HID;
    return KS_OK;
}

int ks_tables_read_text(ks_tables_file *f, const char *object, const char *name, char **text) {
    hid_t holder;
    *text = NULL;
    KS_TRY(open_holder(f, object, name, &holder));
    if (holder < 0) return KS_OK;
    int err = read_attribute_text(holder, name, text);
    H5Oclose(holder);
    return err;
}

int ks_tables_read_count(ks_tables_file *f, const char *object, const char *name, uint64_t *count) {
    hid_t holder;
    *count = 0;
    KS_TRY(open_holder(f, object, name, &holder));
    if (holder < 0) return KS_OK;
    int err = ks_h5_read_number(holder, name, H5T_NATIVE_UINT64, count);
    H5Oclose(holder);
    return err;
}
