/* Rebuilds a schema from an open file, and checks that the file is one of ours with the shapes that it
 * states. A file can come from anywhere: nothing in it is trusted before it is checked. */
#include "base/memory.h"
#include "store/store_impl.h"

#include <stdlib.h>
#include <string.h>

static void free_texts(int n, const char *const *texts) {
    for (int i = 0; texts != NULL && i < n; i++) free((void *)texts[i]);
    free((void *)texts);
}

static void free_columns(int n, const struct ks_column *columns) {
    for (int i = 0; columns != NULL && i < n; i++) {
        free((void *)columns[i].name);
        free((void *)columns[i].unit);
        free((void *)columns[i].description);
    }
    free((void *)columns);
}

void ks_schema_release(struct ks_schema *schema) {
    free((void *)schema->title);
    free((void *)schema->config);
    free((void *)schema->design);
    free((void *)schema->model_version);
    free_texts(schema->n_status_names, schema->status_names);
    free_columns(schema->n_parameters, schema->parameters);
    free_columns(schema->n_endpoints, schema->endpoints);
    free_columns(schema->n_states, schema->states);
    free((void *)schema->times);
    *schema = (struct ks_schema){0};
}

/* ---- shares -------------------------------------------------------------------------------------------- */

/* Points of the shares before this one; the first n_points % count shares have one more than the others. */
static uint64_t points_before(const struct ks_share *share, uint64_t number) {
    uint64_t rest = share->n_points % share->count;
    return number * (share->n_points / share->count) + (number < rest ? number : rest);
}

uint64_t ks_store_first_point(const struct ks_share *share) {
    return share->count == 0 ? 0 : points_before(share, share->number - 1);
}

uint64_t ks_store_share_points(const struct ks_share *share) {
    return points_before(share, share->number) - points_before(share, share->number - 1);
}

/* ---- attributes ---------------------------------------------------------------------------------------- */

/* One text; the caller frees it. */
static int read_text(hid_t object, const char *name, const char **text) {
    int n;
    char **texts;
    int err = ks_h5_read_texts(object, name, true, &n, &texts);
    if (err == KS_OK && n == 1)
        *text = texts[0];
    else
        free_texts(n, (const char *const *)texts);
    KS_TRY(err);
    if (n == 1) free(texts);
    KS_CHECK(n == 1, KS_ERR_FORMAT, "attribute %s holds %d texts, not one", name, n);
    return KS_OK;
}

static int check_format(hid_t file) {
    const char *format = NULL;
    htri_t is_there;
    KS_H5(is_there = H5Aexists(file, "format"));
    KS_CHECK(is_there, KS_ERR_FORMAT, "an HDF5 file, but not one of ketsweep");
    KS_TRY(read_text(file, "format", &format));
    bool is_ours = strcmp(format, "ketsweep") == 0;
    free((void *)format);
    KS_CHECK(is_ours, KS_ERR_FORMAT, "an HDF5 file, but not one of ketsweep");
    int version;
    KS_TRY(ks_h5_read_number(file, "format_version", H5T_NATIVE_INT, &version));
    KS_CHECK(version == KS_FORMAT_VERSION, KS_ERR_FORMAT, "format version %d; this ketsweep reads version %d",
             version, KS_FORMAT_VERSION);
    return KS_OK;
}

static int read_share(hid_t file, const struct ks_schema *schema, struct ks_share *share) {
    htri_t is_there;
    uint64_t first;
    KS_H5(is_there = H5Aexists(file, "shard"));
    if (!is_there) return KS_OK;
    KS_TRY(ks_h5_read_number(file, "shard", H5T_NATIVE_UINT64, &share->number));
    KS_TRY(ks_h5_read_number(file, "n_shards", H5T_NATIVE_UINT64, &share->count));
    KS_TRY(ks_h5_read_number(file, "n_campaign_points", H5T_NATIVE_UINT64, &share->n_points));
    KS_TRY(ks_h5_read_number(file, "first_point", H5T_NATIVE_UINT64, &first));
    bool is_possible = share->number >= 1 && share->number <= share->count && share->count <= share->n_points;
    KS_CHECK(is_possible && ks_store_share_points(share) == schema->n_points &&
                 ks_store_first_point(share) == first,
             KS_ERR_FORMAT, "its shard, n_shards, n_campaign_points, first_point and n_points do not agree");
    return KS_OK;
}

static int read_root_attributes(hid_t file, struct ks_schema *schema) {
    KS_TRY(read_text(file, "title", &schema->title));
    KS_TRY(read_text(file, "config", &schema->config));
    KS_TRY(read_text(file, "design", &schema->design));
    KS_TRY(read_text(file, "model_version", &schema->model_version));
    KS_TRY(ks_h5_read_number(file, "seed", H5T_NATIVE_UINT64, &schema->seed));
    KS_TRY(ks_h5_read_number(file, "n_points", H5T_NATIVE_UINT64, &schema->n_points));
    return read_share(file, schema, &schema->share);
}

/* ---- axes ---------------------------------------------------------------------------------------------- */

/* Name, unit and description of each column, from texts[0], [1], [2]; takes the texts over. */
static int join_columns(const char *axis, const int n[3], char **const texts[3], struct ks_column **columns) {
    KS_CHECK(n[1] == n[0] && n[2] == n[0], KS_ERR_FORMAT, "%s has %d names, %d units and %d descriptions",
             axis, n[0], n[1], n[2]);
    KS_ALLOCATE(*columns, (size_t)n[0]);
    for (int i = 0; i < n[0]; i++) (*columns)[i] = (struct ks_column){texts[0][i], texts[1][i], texts[2][i]};
    return KS_OK;
}

static int read_axis(hid_t file, const char *axis, int *n, const struct ks_column **columns) {
    static const char *const endings[3] = {"", "_unit", "_description"};
    htri_t is_there;
    KS_H5(is_there = H5Lexists(file, axis, H5P_DEFAULT));
    if (!is_there) return KS_OK;
    int lengths[3] = {0}, err = KS_OK;
    char **texts[3] = {NULL};
    for (int i = 0; i < 3 && err == KS_OK; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s%s", axis, endings[i]);
        err = ks_h5_read_texts(file, name, false, &lengths[i], &texts[i]);
    }
    struct ks_column *joined = NULL;
    if (err == KS_OK) err = join_columns(axis, lengths, texts, &joined);
    for (int i = 0; i < 3; i++)
        err == KS_OK ? free(texts[i]) : free_texts(lengths[i], (const char *const *)texts[i]);
    KS_TRY(err);
    *columns = joined;
    *n = lengths[0];
    return KS_OK;
}

static int check_real(hid_t dataset) {
    hid_t type;
    KS_H5(type = H5Dget_type(dataset));
    htri_t is_right = H5Tequal(type, H5T_IEEE_F64LE);
    KS_H5(is_right);
    KS_H5(H5Tclose(type));
    KS_CHECK(is_right, KS_ERR_FORMAT, "time does not hold 64-bit real numbers");
    return KS_OK;
}

static int read_time(hid_t file, struct ks_schema *schema) {
    htri_t is_there;
    KS_H5(is_there = H5Lexists(file, "time", H5P_DEFAULT));
    if (!is_there) return KS_OK;
    hid_t dataset, space;
    KS_H5(dataset = H5Dopen2(file, "time", H5P_DEFAULT));
    KS_H5(space = H5Dget_space(dataset));
    hssize_t n;
    KS_H5(n = H5Sget_simple_extent_npoints(space));
    KS_CHECK(n > 0 && n <= KS_LONGEST_AXIS, KS_ERR_FORMAT, "time has %lld entries", (long long)n);
    KS_TRY(check_real(dataset));
    double *times;
    KS_ALLOCATE(times, (size_t)n);
    schema->times = times;
    schema->n_times = (int)n;
    KS_H5(H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, times));
    KS_H5(H5Sclose(space));
    KS_H5(H5Dclose(dataset));
    return KS_OK;
}

/* ---- rows ---------------------------------------------------------------------------------------------- */

static int check_field(hid_t file, const struct ks_schema *schema, enum ks_field_index index) {
    struct ks_field field = ks_fields_describe(schema, index);
    if (field.row_elements == 0) return KS_OK;
    hid_t dataset, space;
    hsize_t extent[H5S_MAX_RANK] = {0};
    KS_H5(dataset = H5Dopen2(file, field.name, H5P_DEFAULT));
    KS_H5(space = H5Dget_space(dataset));
    int n_axes = H5Sget_simple_extent_dims(space, extent, NULL);
    KS_CHECK(n_axes == field.n_axes && memcmp(extent, field.extent, (size_t)n_axes * sizeof *extent) == 0,
             KS_ERR_FORMAT, "dataset %s has not the shape that the file's other parts state", field.name);
    KS_H5(H5Sclose(space));
    KS_H5(H5Dclose(dataset));
    return KS_OK;
}

static int read_status_names(hid_t file, struct ks_schema *schema) {
    hid_t status;
    KS_H5(status = H5Dopen2(file, "status", H5P_DEFAULT));
    htri_t is_there;
    KS_H5(is_there = H5Aexists(status, "status_names"));
    if (is_there) {
        char **names;
        int err = ks_h5_read_texts(status, "status_names", true, &schema->n_status_names, &names);
        schema->status_names = (const char *const *)names;
        KS_TRY(err);
    }
    KS_H5(H5Dclose(status));
    return KS_OK;
}

/* HDF5 keeps no checksum of texts and headers of this version: a changed unit or name would pass. */
static int check_checksum(hid_t file, const struct ks_schema *schema) {
    uint64_t stored;
    KS_TRY(ks_h5_read_number(file, "schema_checksum", H5T_NATIVE_UINT64, &stored));
    KS_CHECK(
        stored == ks_checksum_schema(schema), KS_ERR_FORMAT,
        "its title, configuration, names, units, descriptions or times have changed since they were written");
    return KS_OK;
}

int ks_schema_read(hid_t file, struct ks_schema *schema) {
    KS_TRY(check_format(file));
    KS_TRY(read_root_attributes(file, schema));
    KS_TRY(read_axis(file, "parameter", &schema->n_parameters, &schema->parameters));
    KS_TRY(read_axis(file, "endpoint", &schema->n_endpoints, &schema->endpoints));
    KS_TRY(read_axis(file, "state", &schema->n_states, &schema->states));
    KS_TRY(read_time(file, schema));
    KS_TRY(read_status_names(file, schema));
    for (int i = 0; i < KS_N_FIELDS; i++) KS_TRY(check_field(file, schema, i));
    return check_checksum(file, schema);
}
