/* Files of finished tables: a group of datasets that one process writes at once, and reads back.
 *
 * They have the attributes of a campaign's file, and appear under their name only when they are whole. */
#ifndef KS_STORE_TABLES_H
#define KS_STORE_TABLES_H

#include "store/store.h"

enum ks_table_type { KS_TABLE_F64, KS_TABLE_F32, KS_TABLE_U64, KS_TABLE_TEXT };

enum { KS_TABLE_AXES = 4 };

/* A dataset. Data are in memory as in the file: double, float, uint64_t, or const char * each. */
struct ks_table {
    const char *name;
    enum ks_table_type type;
    int n_axes;
    uint64_t extent[KS_TABLE_AXES];
    const char *axes
        [KS_TABLE_AXES]; /* the dataset of this group whose values go with the axis; itself or NULL: none */
    const void *data;
    const char *unit, *description;
};

struct ks_tables {
    const char *title, *config, *model_version;
    const char *group; /* "cohort" */
    uint64_t seed;
    int n_tables;
    const struct ks_table *tables;
};

/* Writes a file of one group; refuses an existing one unless `overwrite`. A table that is an axis stands before those
 * that it goes with. */
int ks_tables_write(const char *path, const struct ks_tables *tables, bool overwrite);

/* Whether the file is good, as a child process finds: HDF5 crashes on some damaged ones. KS_ERR_USAGE where it is
 * missing, no file of HDF5's, or without the group. Not collective. */
int ks_tables_check(const char *path, const char *group);

/* A file that ks_tables_check() has found good, opened for reading its group. */
typedef struct ks_tables_file ks_tables_file;
int ks_tables_open(ks_tables_file **file, const char *path, const char *group);
void ks_tables_close(ks_tables_file **file);

/* A dataset whole. `extent` [n_axes]; *data is the caller's to free, and so is each of a text's strings. A table without
 * rows is not in the file: its extents are 0 and *data is NULL. */
int ks_tables_read(ks_tables_file *file, const char *name, enum ks_table_type type, int n_axes,
                   uint64_t *extent, void **data);

/* A text, or a whole number, that an object has as an attribute: "." the group, "/" the file, or a dataset's name. *text
 * is the caller's to free; NULL, and 0, where there is none. */
int ks_tables_read_text(ks_tables_file *file, const char *object, const char *name, char **text);
int ks_tables_read_count(ks_tables_file *file, const char *object, const char *name, uint64_t *count);

#endif
