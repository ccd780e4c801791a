/* Private to src/store: what an open file is, the fields of a row, and how HDF5's errors become ours.
 *
 * Every file is opened so that closing it closes whatever an error left open in it (H5F_CLOSE_STRONG);
 * functions that fail may therefore leave datasets and attributes to the close. */
#ifndef KS_STORE_STORE_IMPL_H
#define KS_STORE_STORE_IMPL_H

#include "base/agree.h"
#include "store/store.h"

#include <hdf5.h>
#include <sys/types.h>

enum { KS_FORMAT_VERSION = 1, KS_MAX_ROUNDS = 65536, KS_MAX_RUNS = 4096 };

/* Columns or times that a file may have: a damaged length must not ask for all of the memory. */
enum { KS_LONGEST_AXIS = 1 << 20 };

/* ---- h5.c: errors, attributes, types ------------------------------------------------------------------- */

/* Returns the error of an HDF5 call upwards; `call` gives a herr_t or an identifier. */
#define KS_H5(call)                                             \
    do {                                                        \
        if ((call) < 0) return ks_h5_raise(__FILE__, __LINE__); \
    } while (0)

/* Raises KS_ERR_HDF5 with what HDF5's error stack says. */
int ks_h5_raise(const char *file, int line);

/* HDF5's error stack as one sentence: what was asked for, and the innermost reason. */
void ks_h5_explain(char *text, size_t size);

/* Stops HDF5 from printing its errors itself. */
void ks_h5_silence(void);

/* Types that the caller closes: a string of any length in UTF-8; a round, a run record, an
 * endpoint's verification as in memory or in the file. */
int ks_h5_string_type(hid_t *type);
int ks_h5_round_type(bool in_file, hid_t *type);
int ks_h5_run_type(bool in_file, hid_t *type);
int ks_h5_verification_type(bool in_file, hid_t *type);

/* `n` > 1 strings or integers make a one-dimensional attribute. */
int ks_h5_write_texts(hid_t object, const char *name, int n, const char *const *texts);
int ks_h5_write_number(hid_t object, const char *name, hid_t file_type, hid_t memory_type, int n,
                       const void *numbers);

/* The one number of an attribute, or its `n` integers. */
int ks_h5_read_number(hid_t object, const char *name, hid_t memory_type, void *number);
int ks_h5_read_numbers(hid_t object, const char *name, hid_t memory_type, int n, void *numbers);

/* Copies that the caller frees, each of *texts and the array; from an attribute or dataset, as read by
 * `is_attribute`. */
int ks_h5_read_texts(hid_t object, const char *name, bool is_attribute, int *n, char ***texts);

/* ---- fields.c: the arrays of a row, one table for creating, checking, writing and reading -------------- */

enum ks_field_index {
    KS_FIELD_inputs,
    KS_FIELD_endpoints,
    KS_FIELD_solver_steps,
    KS_FIELD_trajectories,
    KS_FIELD_status, /* last: it is written once the others are on disk */
    KS_N_FIELDS
};

struct ks_field {
    const char *name, *description;
    const char *coordinates; /* names of the variables that go with its columns; NULL where it has none */
    hid_t file_type, memory_type;
    int n_axes;
    const char *axes[3];
    hsize_t extent[3];
    size_t row_elements; /* 0: the file has no such field */
    size_t row_bytes;
};

/* What the field is in a file of this schema. Its types are HDF5's own and are not closed. */
struct ks_field ks_fields_describe(const struct ks_schema *schema, enum ks_field_index index);

/* The field's array in `rows`. */
void *ks_fields_data(const struct ks_rows *rows, enum ks_field_index index);

/* ---- schema.c ------------------------------------------------------------------------------------------ */

/* Reads the schema from an open file into a zeroed struct, and checks it against the file's datasets and the checksum of
 * it that the file holds; released with ks_schema_release, also after a failure. */
int ks_schema_read(hid_t file, struct ks_schema *schema);
void ks_schema_release(struct ks_schema *schema);

/* ---- extend.c ------------------------------------------------------------------------------------------ */

/* Copies what was committed to the file `from`, and its provenance, into the new and empty file `to`. */
int ks_extend_copy(const char *from, const char *to);

/* Joins all shares of the campaign `whole` in the new and empty file `to`, and marks it complete. */
int ks_extend_join(const struct ks_schema *whole, size_t n_shards, const char *const *shards, const char *to);

/* ---- checksum.c ---------------------------------------------------------------------------------------- */

/* Of everything that the schema says. */
uint64_t ks_checksum_schema(const struct ks_schema *schema);

/* ---- places.c ------------------------------------------------------------------------------------------ */

/* Notes in the file where the data of each dataset lie; finds them there, and of the right types. */
int ks_places_write(hid_t file, const struct ks_schema *schema);
int ks_places_check(hid_t file, const struct ks_schema *schema);

/* ---- guard.c: what a file is, before it is trusted ----------------------------------------------------- */

/* A regular file that begins as HDF5's do; never waits. */
int ks_guard_check_kind(const char *path);

/* The same, and a child process has found that ks_store_look() works on it. Not collective. */
int ks_guard_check(const char *path);

/* The same for other files: `try` of the path and `what` works on it in a child process. */
int ks_guard_check_by(const char *path, int (*try)(const char *path, const char *what), const char *what);

/* ---- an open file -------------------------------------------------------------------------------------- */

struct ks_store {
    char *path;
    MPI_Comm comm; /* MPI_COMM_NULL for a reader alone */
    int rank;
    dev_t device; /* which file it is, on rank 0 of writers */
    ino_t inode;
    hid_t file;
    hid_t fields[KS_N_FIELDS]; /* H5I_INVALID_HID where the file has no such field */
    hid_t log, rounds_in_use, runs, runs_in_use;
    hid_t verification; /* H5I_INVALID_HID where the file has none */
    hid_t transfer;     /* properties of a collective transfer; H5I_INVALID_HID for a reader alone */
    struct ks_schema schema;
    bool is_complete;
    bool has_failed;           /* a write has, on this rank or another */
    uint64_t n_rounds, n_runs; /* in use */
    uint64_t slice_rows;       /* what one rank gives to one H5Dwrite at most */
    size_t slice_blocks;
    double write_seconds;
    uint64_t written_bytes;
};

/* ---- create.c: what analyses add to a file is made of the same parts ---------------------------------- */

/* When a dataset's space is written at creation. */
enum ks_fill { KS_FILL_LATER, KS_FILL_NOW, KS_FILL_NEVER };

int ks_create_dataset(hid_t file, const char *name, hid_t type, int n_dims, const hsize_t *extent,
                      enum ks_fill fill, hid_t *dataset);
/* The attribute long_name. */
int ks_create_description(hid_t object, const char *description);
/* Attaches the dimension scale `axis`, a name or path from `file`. */
int ks_create_attachment(hid_t file, hid_t dataset, unsigned index, const char *axis);
/* Names (0), units (1) or descriptions (2) of columns; the names are a dimension scale. */
int ks_create_texts(hid_t file, const char *name, int n, const struct ks_column *columns, int which,
                    const char *axis);
/* What a file says of its campaign, and its dimension scales, all but `point`. */
int ks_create_head(hid_t file, const struct ks_schema *schema);

/* The directory that holds `path`; the caller frees it. NULL where there is no memory. */
char *ks_create_copy_directory(const char *path);
int ks_create_sync_directory(const char *directory);
/* The mode that the user's other new files get. */
int ks_create_set_mode(int descriptor, const char *temporary);
/* A new file, opened for this process alone. */
int ks_create_open_file(const char *path, hid_t *file);

/* ---- open.c -------------------------------------------------------------------------------------------- */

/* Whether the file opens; then reads everything but rows, for HDF5 may crash on a damaged file. */
int ks_store_look(const char *path);

/* Says which file it is that has the fault; KS_ERR_FORMAT for a fault of HDF5's too. */
int ks_store_name_file(int err, const char *path);

/* ---- read.c -------------------------------------------------------------------------------------------- */

/* Reads how many lines of each log are in use. */
int ks_store_read_counts(ks_store *store);

/* ---- write.c: the two halves of a round, apart so that tests can stop in between ----------------------- */

/* Collective. Writes the rows of the round, which states its first row and their number, and sets its checksum. */
int ks_write_rows(ks_store *store, const struct ks_rows *rows, struct ks_round *round);

/* Sets the attribute `complete` to 1. */
int ks_write_complete(hid_t file);

/* Collective. Adds the round to the commit log. */
int ks_write_commit(ks_store *store, const struct ks_round *round);

#endif
