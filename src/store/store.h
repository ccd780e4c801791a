/* The one HDF5 file of a campaign (layout: README.md); knows no model.
 *
 * Crash-proof by layout: a file is created whole by one process - every dataset contiguous, with its space
 * allocated - and flushed before the first row is computed, so that no metadata moves later. A round's rows
 * are written collectively, flushed, and count only once their line in the commit log is on disk.
 *
 * Files are little-endian, carry no times, and open with the serial or the parallel library. */
#ifndef KS_STORE_STORE_H
#define KS_STORE_STORE_H

#include "base/error.h"

#include <mpi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ks_column {
    const char *name, *unit, *description;
};

/* Which part of a campaign a file holds: the shares 1 to count divide its n_points points evenly, in their order. All 0: the
 * whole campaign. */
struct ks_share {
    uint64_t number, count, n_points;
};

/* Everything that is fixed when a file is created. Strings and arrays are borrowed. */
struct ks_schema {
    const char *title, *config, *design, *model_version;
    uint64_t seed, n_points; /* rows of the file */
    struct ks_share share;
    int n_status_names;
    const char *const *status_names; /* by code */
    int n_parameters, n_endpoints;
    const struct ks_column *parameters, *endpoints;
    int n_times, n_states; /* trajectories: both 0 or both > 0 */
    const double *times;   /* h */
    const struct ks_column *states;
};

/* Rows of some points, in blocks of consecutive points; block after block in the arrays. */
struct ks_block {
    uint64_t first, count;
};

struct ks_rows {
    size_t n_blocks, n_rows; /* n_rows = sum of the blocks' counts */
    struct ks_block *blocks; /* [n_blocks] ascending */
    double *inputs;          /* [n_rows][n_parameters] */
    double *endpoints;       /* [n_rows][n_endpoints] */
    int8_t *status;          /* [n_rows] */
    uint32_t *steps;         /* [n_rows] */
    float *trajectories;     /* [n_rows][n_times][n_states] */
};

struct ks_round {
    uint64_t first_row, n_rows, checksum;
};

/* One run of the command, for /provenance/runs. */
struct ks_run_record {
    char start[32]; /* ISO 8601, UTC */
    double seconds;
    uint32_t n_ranks;
    char hosts[256]; /* names, comma separated */
    char version[64];
    char settings[512];
    uint64_t n_points;
    double points_per_second;
};

/* One endpoint of points that were solved twice, for /provenance/verification; README.md defines the error. */
struct ks_verified_endpoint {
    char endpoint[64]; /* its name, cut where it is longer */
    uint64_t n_compared, n_differ;
    double median_error, largest_error; /* NaN where no number could be compared */
    uint64_t largest_error_point;
    /* of the sample, the same in every row */
    double fraction, reference_rtol;
    uint64_t n_points, n_status_differ; /* n_points = 0: nothing was verified */
};

typedef struct ks_store ks_store;

/* Creates a complete, empty file at `path` and syncs it to disk; refuses an existing one unless `overwrite`.
 * One process calls it, without MPI unless there are `hints`, with which MPI-IO then
 * makes the file: only it knows how to ask a file system for stripes. The file appears under its name only when it is whole. With no
 * parameters (or endpoints, states) the file has no dataset of theirs. */
int ks_store_create(const char *path, const struct ks_schema *schema, bool overwrite, MPI_Info hints);

/* Replaces the file by one of `schema`, which has more points and is otherwise the same, with the rows that the old one
 * has committed and its provenance. Crash-proof like ks_store_create: until the new file is whole and on disk, the old
 * one stays. One process calls it, `hints` as there. */
int ks_store_extend(const char *path, const struct ks_schema *schema, MPI_Info hints);

/* Creates the file of the whole campaign from those of all its shares, in their order: each complete, its rows as their
 * checksums say. `schema` is that of the whole. The file appears under its name only when it is whole and on disk. One
 * process calls it, without MPI. */
int ks_store_merge(const char *path, const struct ks_schema *schema, bool overwrite, size_t n_shards,
                   const char *const *shards);

/* The point of the campaign that row 0 holds: 0 where the file is no share. */
uint64_t ks_store_first_point(const struct ks_share *share);

/* Rows of a share. */
uint64_t ks_store_share_points(const struct ks_share *share);

/* Collective. Opens for writing by all ranks of `comm`; MPI_INFO_NULL: no hints. */
int ks_store_open_parallel(ks_store **store, const char *path, MPI_Comm comm, MPI_Info hints);

/* Opens for reading by this process alone, without MPI; a live campaign's file too. */
int ks_store_open(ks_store **store, const char *path);

/* The two halves of it, for many processes that read one file: one looks whether it can be read, in a child process as HDF5
 * may crash over a damaged file, and then all open it. */
int ks_store_check(const char *path);
int ks_store_open_checked(ks_store **store, const char *path);

/* Collective where the store was opened so. Returns the first error of the close; *store becomes NULL. After an error, and
 * always after a write that failed, HDF5 still holds the file, and crashes if MPI ends in order. */
int ks_store_close(ks_store **store);

/* The bytes that a file of this schema occupies, metadata estimated. */
uint64_t ks_store_file_bytes(const struct ks_schema *schema);
/* The bytes of one row. */
uint64_t ks_store_row_bytes(const struct ks_schema *schema);

/* Collective. Writes the rows of one round, which are points first to first + count - 1 spread over the ranks
 * in any way, and commits it. A rank may bring no rows. */
int ks_store_write_round(ks_store *store, uint64_t first, uint64_t count, const struct ks_rows *rows);

/* Collective. Marks the campaign complete. */
int ks_store_complete(ks_store *store);

/* Collective. Adds one row to /provenance/runs; rank 0's record is the one written. Once 4,096 are there, it
 * replaces the last. */
int ks_store_add_run(ks_store *store, const struct ks_run_record *record);

/* Collective. Rewrites the row that this store added last, as the run goes on; on disk with the next commit. */
int ks_store_update_run(ks_store *store, const struct ks_run_record *record);

/* Collective. Fills /provenance/verification with rank 0's rows, [n_endpoints] in the order of the endpoints; on disk
 * when it returns. */
int ks_store_write_verification(ks_store *store, const struct ks_verified_endpoint *rows);

/* Collective. Whether the round's rows still have its checksum; each rank reads a share of them. */
int ks_store_verify_round(ks_store *store, const struct ks_round *round, bool *is_good);

/* Collective. Writes part of a round that was committed once more: rows first to first + count - 1, spread over the
 * ranks in any way. Adds their checksum to *checksum, on all ranks. */
int ks_store_rewrite_rows(ks_store *store, uint64_t first, uint64_t count, const struct ks_rows *rows,
                          uint64_t *checksum);

/* Collective. Replaces line i of the commit log by rank 0's; on disk, after all that was rewritten, when it returns. */
int ks_store_rewrite_round(ks_store *store, uint64_t i, const struct ks_round *round);

/* Rounds that the commit log still has room for; 65,536 in a new file. A round without room is refused. */
uint64_t ks_store_rounds_left(const ks_store *store);

/* Seconds spent in writing and flushing, and bytes written, by all rounds of this store so far. */
void ks_store_write_cost(const ks_store *store, double *seconds, uint64_t *bytes);

/* ---- analyses: groups of arrays beside the rows ---------------------------------------------------------- */

struct ks_array {
    const char *name, *description;
    int n_axes;
    const char *axes[3]; /* "endpoint", "parameter", "state", "time" or a scale of the group */
    uint64_t extent[3];
    const double *numbers; /* one of the two */
    const uint64_t *counts;
};

/* Words: a dimension of the group itself, or about one of the file's (then `axis` is its name, else NULL). */
struct ks_scale {
    const char *name, *axis;
    int n;
    const char *const *texts; /* [n] */
};

struct ks_group {
    const char
        *analysis; /* "sensitivity": the group that holds it, and the word in the name of a separate file */
    const char *name;
    int n_texts, n_counts, n_scales, n_arrays;
    const char *const (*texts)[2]; /* attributes: name, value */
    const struct ks_group_count {
        const char *name;
        uint64_t value;
    } * counts;
    const struct ks_scale *scales;
    const struct ks_array *arrays;
};

/* Writes the group into a complete file, in place of one of the same name: into a copy beside it, which is synced and takes the
 * file's name. Where the disk lacks the room for a copy, or `is_separate`, into NAME.ANALYSIS.h5 of the same layout, without
 * rows. `written` [size] gets the name of the file that holds it. One process calls it, with no store open on the file. */
int ks_store_write_group(const char *path, bool is_separate, const struct ks_group *group, char *written,
                         size_t size);

/* The separate file of an analysis: NAME.ANALYSIS.h5 for NAME.h5. */
void ks_store_name_separate(const char *path, const char *analysis, char *name, size_t size);

/* ---- one writer ---------------------------------------------------------------------------------------- */

struct ks_lock {
    char *name; /* of the lock file; NULL: not held */
    int descriptor;
    bool is_missing; /* the file system has no locks: nothing keeps a second writer away */
};

struct ks_lock_holder {
    char host[256], start[32]; /* UTC */
    long process;              /* 0: not known */
};

/* Makes this process the one that may write `path`, which need not exist; refuses where another one is, and says who.
 * It is let go of when the process ends, however that comes. */
int ks_store_lock(struct ks_lock *lock, const char *path);
void ks_store_unlock(struct ks_lock *lock);

enum ks_writer { KS_WRITER_NONE, KS_WRITER_FOUND, KS_WRITER_UNKNOWN }; /* unknown: the lock cannot be read */

/* Whether a process other than this one holds the lock; *holder where one is found. */
enum ks_writer ks_store_find_writer(const char *path, struct ks_lock_holder *holder);

/* Removes what runs that were killed have left beside `path`; by the holder of its lock. */
void ks_store_remove_leftovers(const char *path);

/* Makes sure that the disk has room for every row of an existing file. */
int ks_store_reserve(const char *path);

/* ---- new files that appear whole; of other kinds too ------------------------------------------------------- */

/* The file that `path` names, links followed; the caller frees it. NULL where there is no memory. */
char *ks_create_copy_target(const char *path);

/* Gives a whole file, open as `descriptor`, its name for good, on disk, with the mode that the user's other files get. */
int ks_create_give_name(int descriptor, const char *temporary, const char *path, bool overwrite);

/* ---- reading ------------------------------------------------------------------------------------------- */

/* The schema of an open file; valid until it is closed. */
const struct ks_schema *ks_store_schema(const ks_store *store);
bool ks_store_is_complete(const ks_store *store);

/* Committed rounds; *rounds is the caller's to free. */
int ks_store_read_rounds(ks_store *store, size_t *n_rounds, struct ks_round **rounds);
int ks_store_read_runs(ks_store *store, size_t *n_runs, struct ks_run_record **runs);

/* A row per endpoint, the caller's to free; *n_rows = 0 and *rows NULL where nothing was verified. */
int ks_store_read_verification(ks_store *store, size_t *n_rows, struct ks_verified_endpoint **rows);

/* The checksum of rows that a file holds. */
int ks_store_sum_rows(ks_store *store, uint64_t first, uint64_t count, uint64_t *checksum);

/* Rows first to first + count - 1 into one block; arrays in `rows` that are NULL are left out, the others are
 * the caller's and large enough. */
int ks_store_read_rows(ks_store *store, uint64_t first, uint64_t count, struct ks_rows *rows);

/* Space for `capacity` rows of this schema, in at most `capacity` blocks; released with ks_store_release_rows. */
int ks_store_allocate_rows(const struct ks_schema *schema, size_t capacity, struct ks_rows *rows);
void ks_store_release_rows(struct ks_rows *rows);

/* Space to go through a file block by block; *capacity says how many rows a block has. */
int ks_store_allocate_block(const struct ks_schema *schema, uint64_t *capacity, struct ks_rows *rows);

/* The checksum of rows: the sum modulo 2^64 of one hash per row over its point number and its bytes, so that
 * it does not depend on which rank held which row. Any change within one 8-byte word of a row changes it. */
uint64_t ks_store_checksum(const struct ks_schema *schema, const struct ks_rows *rows);

#endif
