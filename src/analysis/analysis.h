/* From the rows of a campaign to what drives them: sensitivity indices with intervals.
 *
 * Methods are of two kinds. A structured method adds up a few terms of each base row of its design (a row of the
 * matrices of Saltelli, a trajectory of Morris, a curve of FAST), so that it goes through the file once, in memory that does
 * not depend on the number of rows. A given-data method takes whole columns, of any design that samples the
 * parameters' joint distribution.
 *
 * An output is a column that varies with the parameters: an endpoint, or a state at a stored time. Base rows that a
 * missing value of an output touches do not count for the parameters that need it; nothing else becomes NaN.
 *
 * Everything is computed in a fixed partition of the rows and added up in a fixed order: the numbers are the same, bit
 * for bit, for any number of ranks. */
#ifndef KS_ANALYSIS_ANALYSIS_H
#define KS_ANALYSIS_ANALYSIS_H

#include "base/error.h"
#include "design/design.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- methods -------------------------------------------------------------------------------------------------- */

enum ks_method_kind {
#define X(name, text, designs, words) KS_METHOD_##name,
#include "analysis/methods.def"
#undef X
    KS_N_METHODS
};

/* What an index is a number of; [p] for parameters, [p (p - 1) / 2] for pairs (0, 1), (0, 2), ... (1, 2), ... */
enum ks_index_of { KS_OF_PARAMETER, KS_OF_PAIR, KS_OF_OUTPUT };

enum ks_index_kind {
    KS_PLAIN,
    KS_SHARE, /* of the output's variance, so that its mean over time weighs by it */
    KS_TEST,  /* a probability: as it is, without an interval */
};

/* One kind of index that a method gives, for each parameter or each pair of parameters. */
struct ks_index {
    const char *name; /* "S1": its dataset in the file, its column of the table */
    enum ks_index_of of;
    enum ks_index_kind kind;
    const char *description;
};

enum { KS_MOST_INDICES = 4 };

struct ks_method_info {
    const char *name, *designs, *words;
};

extern const struct ks_method_info ks_methods[KS_N_METHODS];

/* The method's number, -1 where there is none of this name. */
int ks_analysis_find_method(const char *name);

/* The indices that the method gives at most; a design may lack the last of them. */
const struct ks_index *ks_analysis_indices(enum ks_method_kind method, int *n);

/* What speaks against the method on a design, in words that name the design which would serve; NULL for nothing. */
const char *ks_analysis_fault(enum ks_method_kind method, const struct ks_design *design, char *text,
                              int size);

/* The design's own method, -1 where it serves none. */
int ks_analysis_default_method(const struct ks_design *design);

/* ---- a study: what is analysed, how, by whom ------------------------------------------------------------------ */

/* The ranks that share the work; without one (NULL) this process does it alone. Collective functions. */
struct ks_team {
    void *self;
    int rank, size;
    int (*agree)(void *self, int err);                            /* as ks_agree */
    int (*pass)(void *self, int from, double *numbers, size_t n); /* from a rank to rank 0 */
    int (*spread)(void *self, double *numbers, size_t n);         /* from rank 0 to all */
};

/* Rows first to first + count - 1 into those arrays of `rows` that are not NULL, as ks_store_read_rows(). */
typedef int ks_row_reader(void *source, uint64_t first, uint64_t count, struct ks_rows *rows);

struct ks_study {
    ks_row_reader *read;
    void *source; /* of this rank, such as a complete campaign's file opened for reading alone */
    const struct ks_schema *schema; /* of the rows */
    const struct ks_design *design;
    enum ks_method_kind method;
    int n_resamples; /* of the bootstrap; 0: replicates from the design's groups, or 1,000 resamples where it has none */
    bool with_trajectories;     /* analyse the stored states too */
    const struct ks_team *team; /* NULL: alone */
};

/* Where an output's indices are: endpoints, then [time][state], then a row per state for its whole course. */
struct ks_results {
    enum ks_method_kind method;
    const struct ks_schema *schema; /* borrowed from the study */
    int n_endpoints, n_times, n_states;
    int n_courses;                  /* n_states where all indices are shares of variance, else 0 */
    int n_outputs;                  /* n_endpoints + n_times n_states + n_courses */
    int n_values;                   /* of all indices of one output, index after index */
    int offsets[KS_MOST_INDICES];   /* where an index begins */
    int counts[KS_MOST_INDICES];    /* its values: p, p (p - 1) / 2, or 1 */
    int n_indices;                  /* of the method, without those that the design has not */
    const struct ks_index *indices; /* tables are sorted by the first */
    double *values, *lows, *highs;  /* [n_outputs][n_values]; NaN where an output does not vary */
    double *variances;              /* [n_outputs] of the output */
    uint64_t n_bases;               /* of the design; for given data the rows that sample the parameters */
    bool is_of_rows;                /* base rows are single rows, or given data */
    uint64_t *n_used;               /* [n_outputs][p] that served the parameter */
    int n_resamples, n_groups;      /* what the intervals come from: one of the two is 0 */
};

/* How failures lie in the space of one parameter. */
struct ks_failure_side {
    double p_value;   /* of Kolmogorov and Smirnov's two-sample test, from shares in 256 bins */
    double threshold; /* the value that parts failed and complete points best */
    bool is_above;    /* failures lie above it */
};

struct ks_failures {
    uint64_t n_rows, n_failed;         /* points */
    uint64_t n_bases, n_bases_touched; /* base rows with a failed point */
    int n_parameters;
    struct ks_failure_side *sides; /* [n_parameters] */
    bool is_clustered;             /* some p_value is below 0.01 / n_parameters */
};

/* Fills the rows of a design from a CSV file with the first `n_points` of the source, and the ranges of its variables with
 * theirs: the points of such a campaign stand in its result alone. */
int ks_analysis_fill_design(struct ks_design *design, ks_row_reader *read, void *source, uint64_t n_points);

/* Collective. Computes everything; complete on rank 0. Released also after an error. */
int ks_analysis_run(const struct ks_study *study, struct ks_results *results);
void ks_analysis_release(struct ks_results *results);

/* Collective over the study's team. Where the failed points lie, among the schema's rows; on rank 0. Released also after an error. */
int ks_analysis_find_failures(const struct ks_study *study, struct ks_failures *failures);
void ks_analysis_release_failures(struct ks_failures *failures);

/* ---- while a campaign runs: one output of a Saltelli design ---------------------------------------------------- */

struct ks_live {
    struct ks_design design;  /* borrowed, without its second order */
    int n_rows;               /* of a base row */
    size_t n_sums;            /* 0 for other designs */
    double *scratch, *values; /* all memory there is: what follows cannot fail on one rank alone */
};

struct ks_live_index {
    int parameter;            /* whose total order is largest; -1: it cannot be told yet */
    double value, half_width; /* of its 95 % interval */
};

/* Released also after an error. */
int ks_live_create(struct ks_live *live, const struct ks_design *design);
void ks_live_release(struct ks_live *live);

/* Adds a whole base row, y [n_rows] with NaN where a point failed, to `sums` [n_sums], which add up over ranks. */
void ks_live_add(struct ks_live *live, uint64_t base, const double *y, double *sums);
struct ks_live_index ks_live_find_leader(struct ks_live *live, const double *sums);

#endif
