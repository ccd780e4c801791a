/* What the store needs of HDF5 everywhere: its error stack as one sentence, text and number attributes, and
 * the compound types.
 *
 * Text is stored as UTF-8 strings of variable length: h5py, xarray, MATLAB and R read these as plain strings,
 * and as they lie in the file's heap an attribute may exceed the 64 KiB of an object header (a configuration
 * can). */
#include "base/memory.h"
#include "store/store_impl.h"

#include <stdlib.h>
#include <string.h>

/* ---- errors -------------------------------------------------------------------------------------------- */

struct reasons {
    char outermost[256], innermost[1024];
};

static herr_t note_reason(unsigned n, const H5E_error2_t *entry, void *data) {
    struct reasons *reasons = data;
    if (n == 0)
        snprintf(reasons->outermost, sizeof reasons->outermost, "%s: %s", entry->func_name, entry->desc);
    snprintf(reasons->innermost, sizeof reasons->innermost, "%s", entry->desc);
    return 0;
}

void ks_h5_explain(char *text, size_t size) {
    struct reasons reasons = {"no reason given", ""};
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, note_reason, &reasons);
    snprintf(text, size, "%s (%s)", reasons.innermost, reasons.outermost);
}

int ks_h5_raise(const char *file, int line) {
    char text[1536];
    ks_h5_explain(text, sizeof text);
    return ks_error_raise(KS_ERR_HDF5, file, line, "HDF5: %s", text);
}

void ks_h5_silence(void) {
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

/* ---- types --------------------------------------------------------------------------------------------- */

int ks_h5_string_type(hid_t *type) {
    KS_H5(*type = H5Tcopy(H5T_C_S1));
    KS_H5(H5Tset_size(*type, H5T_VARIABLE));
    KS_H5(H5Tset_cset(*type, H5T_CSET_UTF8));
    return KS_OK;
}

/* In the file a compound has no padding and is little-endian. */
static int finish_compound(bool in_file, hid_t type) {
    if (!in_file) return KS_OK;
    KS_H5(H5Tpack(type));
    KS_H5(H5Tset_order(type, H5T_ORDER_LE));
    return KS_OK;
}

int ks_h5_round_type(bool in_file, hid_t *type) {
    KS_H5(*type = H5Tcreate(H5T_COMPOUND, sizeof(struct ks_round)));
    KS_H5(H5Tinsert(*type, "first_row", HOFFSET(struct ks_round, first_row), H5T_NATIVE_UINT64));
    KS_H5(H5Tinsert(*type, "n_rows", HOFFSET(struct ks_round, n_rows), H5T_NATIVE_UINT64));
    KS_H5(H5Tinsert(*type, "checksum", HOFFSET(struct ks_round, checksum), H5T_NATIVE_UINT64));
    return finish_compound(in_file, *type);
}

static int insert_text(hid_t type, const char *name, size_t offset, size_t size) {
    hid_t text;
    KS_H5(text = H5Tcopy(H5T_C_S1));
    KS_H5(H5Tset_size(text, size));
    KS_H5(H5Tset_cset(text, H5T_CSET_UTF8));
    KS_H5(H5Tinsert(type, name, offset, text));
    KS_H5(H5Tclose(text));
    return KS_OK;
}

#define INSERT_TEXT(type, structure, name, member) \
    KS_TRY(insert_text(type, name, HOFFSET(structure, member), sizeof((structure *)0)->member))

int ks_h5_run_type(bool in_file, hid_t *type) {
    KS_H5(*type = H5Tcreate(H5T_COMPOUND, sizeof(struct ks_run_record)));
    INSERT_TEXT(*type, struct ks_run_record, "start_utc", start);
    KS_H5(H5Tinsert(*type, "seconds", HOFFSET(struct ks_run_record, seconds), H5T_NATIVE_DOUBLE));
    KS_H5(H5Tinsert(*type, "ranks", HOFFSET(struct ks_run_record, n_ranks), H5T_NATIVE_UINT32));
    INSERT_TEXT(*type, struct ks_run_record, "hosts", hosts);
    INSERT_TEXT(*type, struct ks_run_record, "version", version);
    INSERT_TEXT(*type, struct ks_run_record, "settings", settings);
    KS_H5(H5Tinsert(*type, "points", HOFFSET(struct ks_run_record, n_points), H5T_NATIVE_UINT64));
    KS_H5(H5Tinsert(*type, "points_per_second", HOFFSET(struct ks_run_record, points_per_second),
                    H5T_NATIVE_DOUBLE));
    return finish_compound(in_file, *type);
}

#define INSERT(member, native) \
    KS_H5(H5Tinsert(*type, #member, HOFFSET(struct ks_verified_endpoint, member), native))

int ks_h5_verification_type(bool in_file, hid_t *type) {
    KS_H5(*type = H5Tcreate(H5T_COMPOUND, sizeof(struct ks_verified_endpoint)));
    INSERT_TEXT(*type, struct ks_verified_endpoint, "endpoint", endpoint);
    INSERT(n_compared, H5T_NATIVE_UINT64);
    INSERT(n_differ, H5T_NATIVE_UINT64);
    INSERT(median_error, H5T_NATIVE_DOUBLE);
    INSERT(largest_error, H5T_NATIVE_DOUBLE);
    INSERT(largest_error_point, H5T_NATIVE_UINT64);
    INSERT(fraction, H5T_NATIVE_DOUBLE);
    INSERT(reference_rtol, H5T_NATIVE_DOUBLE);
    INSERT(n_points, H5T_NATIVE_UINT64);
    INSERT(n_status_differ, H5T_NATIVE_UINT64);
    return finish_compound(in_file, *type);
}

/* ---- attributes ---------------------------------------------------------------------------------------- */

int ks_h5_write_number(hid_t object, const char *name, hid_t file_type, hid_t memory_type, int n,
                       const void *numbers) {
    hid_t space, attribute;
    hsize_t extent = (hsize_t)n;
    KS_H5(space = n == 1 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &extent, NULL));
    KS_H5(attribute = H5Acreate2(object, name, file_type, space, H5P_DEFAULT, H5P_DEFAULT));
    KS_H5(H5Awrite(attribute, memory_type, numbers));
    KS_H5(H5Aclose(attribute));
    KS_H5(H5Sclose(space));
    return KS_OK;
}

int ks_h5_read_numbers(hid_t object, const char *name, hid_t memory_type, int n, void *numbers) {
    hid_t attribute, space, type;
    KS_H5(attribute = H5Aopen(object, name, H5P_DEFAULT));
    KS_H5(space = H5Aget_space(attribute));
    KS_H5(type = H5Aget_type(attribute));
    hssize_t n_found = H5Sget_simple_extent_npoints(space);
    bool is_integer = H5Tget_class(type) == H5T_INTEGER;
    KS_H5(H5Tclose(type));
    KS_H5(H5Sclose(space));
    KS_CHECK(is_integer && n_found == n, KS_ERR_FORMAT, "attribute %s does not hold %d integer%s", name, n,
             n == 1 ? "" : "s");
    KS_H5(H5Aread(attribute, memory_type, numbers));
    KS_H5(H5Aclose(attribute));
    return KS_OK;
}

int ks_h5_read_number(hid_t object, const char *name, hid_t memory_type, void *number) {
    return ks_h5_read_numbers(object, name, memory_type, 1, number);
}

int ks_h5_write_texts(hid_t object, const char *name, int n, const char *const *texts) {
    hid_t type;
    KS_TRY(ks_h5_string_type(&type));
    KS_TRY(ks_h5_write_number(object, name, type, type, n, texts));
    KS_H5(H5Tclose(type));
    return KS_OK;
}

/* ---- reading text -------------------------------------------------------------------------------------- */

struct text_source {
    bool is_attribute;
    hid_t id, space, file_type, type;
};

static int open_text(hid_t object, const char *name, struct text_source *source) {
    if (source->is_attribute) {
        KS_H5(source->id = H5Aopen(object, name, H5P_DEFAULT));
        KS_H5(source->space = H5Aget_space(source->id));
        KS_H5(source->file_type = H5Aget_type(source->id));
    } else {
        KS_H5(source->id = H5Dopen2(object, name, H5P_DEFAULT));
        KS_H5(source->space = H5Dget_space(source->id));
        KS_H5(source->file_type = H5Dget_type(source->id));
    }
    KS_CHECK(H5Tis_variable_str(source->file_type) > 0, KS_ERR_FORMAT, "%s is not text of variable length",
             name);
    return ks_h5_string_type(&source->type);
}

/* HDF5 gives NULL for an empty string. */
static int copy_texts(int n, char *const *from, char **to) {
    for (int i = 0; i < n; i++) {
        to[i] = strdup(from[i] != NULL ? from[i] : "");
        KS_CHECK(to[i] != NULL, KS_ERR_MEMORY, "no memory for text");
    }
    return KS_OK;
}

static int read_open_text(const struct text_source *source, int n, char **raw, char **texts) {
    if (source->is_attribute)
        KS_H5(H5Aread(source->id, source->type, raw));
    else
        KS_H5(H5Dread(source->id, source->type, H5S_ALL, H5S_ALL, H5P_DEFAULT, raw));
    int err = copy_texts(n, raw, texts);
    KS_H5(H5Dvlen_reclaim(source->type, source->space, H5P_DEFAULT, raw));
    return err;
}

static int read_text_source(hid_t object, const char *name, struct text_source *source, int *n,
                            char ***texts) {
    KS_TRY(open_text(object, name, source));
    hssize_t count;
    KS_H5(count = H5Sget_simple_extent_npoints(source->space));
    KS_CHECK(count >= 0 && count <= KS_LONGEST_AXIS, KS_ERR_FORMAT, "%s holds %lld texts", name,
             (long long)count);
    char **raw;
    KS_ALLOCATE(*texts, (size_t)count);
    *n = (int)count;
    KS_ALLOCATE(raw, (size_t)count);
    int err = read_open_text(source, *n, raw, *texts);
    free(raw);
    return err;
}

int ks_h5_read_texts(hid_t object, const char *name, bool is_attribute, int *n, char ***texts) {
    struct text_source source = {is_attribute, H5I_INVALID_HID, H5I_INVALID_HID, H5I_INVALID_HID,
                                 H5I_INVALID_HID};
    *n = 0;
    *texts = NULL;
    int err = read_text_source(object, name, &source, n, texts);
    if (source.type >= 0) H5Tclose(source.type);
    if (source.file_type >= 0) H5Tclose(source.file_type);
    if (source.space >= 0) H5Sclose(source.space);
    if (source.id >= 0) (is_attribute ? H5Aclose : H5Dclose)(source.id);
    return err;
}
