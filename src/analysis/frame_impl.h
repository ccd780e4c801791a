/* The frame around methods: how rows become estimates, and these intervals. */
#ifndef KS_ANALYSIS_FRAME_IMPL_H
#define KS_ANALYSIS_FRAME_IMPL_H

#include "analysis/analysis_impl.h"

/* What tells how far chance moves an estimate; replicate 0 is the study itself. */
enum ks_replication {
    KS_JACKKNIFE, /* replicate g + 1 is the study without group g of its base rows */
    KS_BOOTSTRAP, /* replicate r + 1 is a resample of base rows */
    KS_PARTS,     /* replicate g + 1 is part g of the rows alone; part b % 16 has base row b, of given data */
};

enum { KS_MOST_GROUPS = 16 }; /* that intervals come from; the number of parts */

struct ks_replicates {
    int n; /* with replicate 0 */
    enum ks_replication kind;
    bool is_biased; /* the mean deviation of the replicates is taken from the estimate */
};

/* Sums over the times of a state, of variance times index and of variance, for each replicate. */
struct ks_courses {
    double *shares;    /* [n_states][n_replicates][n_values] */
    double *variances; /* [n_states][n_replicates] */
};

/* An analysis in progress. */
struct ks_frame {
    const struct ks_study *study;
    const struct ks_schema *schema;
    const struct ks_method *method;
    struct ks_design_layout layout;
    struct ks_replicates replicates;
    struct ks_courses courses;
    struct ks_results *results;
    int n_columns; /* outputs that are columns of the file: all but courses */
};

/* ---- run.c ---------------------------------------------------------------------------------------------------- */

int ks_run_rank(const struct ks_study *study);
int ks_run_size(const struct ks_study *study);
int ks_run_agree(const struct ks_study *study, int err);
/* Numbers of rank `from` to rank 0. */
int ks_run_pass(const struct ks_study *study, int from, double *numbers, size_t n);
int ks_run_spread(const struct ks_study *study, double *numbers, size_t n);

/* ---- columns.c: rows in blocks -------------------------------------------------------------------------------- */

/* Memory for `n_rows` rows with what columns first to first + n - 1 need, inputs where `with_inputs`. */
int ks_columns_allocate(const struct ks_frame *frame, int first, int n, bool with_inputs, uint64_t n_rows,
                        struct ks_rows *rows);

/* Output `column` of a row that was read. */
double ks_columns_value(const struct ks_frame *frame, const struct ks_rows *rows, size_t row, int column);

/* Rows whose memory stays within a block's budget, at least 1. */
uint64_t ks_columns_block_rows(const struct ks_frame *frame);

/* ---- bootstrap.c ---------------------------------------------------------------------------------------------- */

/* How often a resample takes a base row: independent Poisson numbers with mean 1. */
uint8_t ks_bootstrap_draw(uint64_t seed, int resample, uint64_t base);

/* For each resample the base rows of a block that it takes. */
struct ks_bootstrap_block {
    int n_resamples, n_bases;
    int *starts;     /* [n_resamples + 1] into rows and weights */
    uint8_t *rows;   /* base rows of the block, ascending */
    double *weights; /* how often */
    uint8_t *drawn;  /* [n_bases][n_resamples] */
};

/* Base rows of a block at most; what the number of terms is rounded up to. */
enum { KS_BOOTSTRAP_BLOCK = 64, KS_BOOTSTRAP_STRIDE = 16 };

int ks_bootstrap_create(struct ks_bootstrap_block *block, int n_resamples);
void ks_bootstrap_release(struct ks_bootstrap_block *block);
void ks_bootstrap_fill(struct ks_bootstrap_block *block, uint64_t seed, uint64_t first, int n_bases);

/* sums [n_resamples][stride] += weighted terms [n_bases][stride], in the order of the base rows; both aligned, stride a
 * multiple of KS_BOOTSTRAP_STRIDE. */
void ks_bootstrap_add(const struct ks_bootstrap_block *block, size_t stride, const double *terms,
                      double *sums);
void ks_bootstrap_add_w1(const struct ks_bootstrap_block *block, size_t stride, const double *terms,
                         double *sums);
void ks_bootstrap_add_w2(const struct ks_bootstrap_block *block, size_t stride, const double *terms,
                         double *sums);
void ks_bootstrap_add_w4(const struct ks_bootstrap_block *block, size_t stride, const double *terms,
                         double *sums);
void ks_bootstrap_add_w8(const struct ks_bootstrap_block *block, size_t stride, const double *terms,
                         double *sums);

/* ---- intervals.c ---------------------------------------------------------------------------------------------- */

int ks_intervals_begin(struct ks_frame *frame);
void ks_intervals_end(struct ks_frame *frame);

/* Half of the interval of values[0] from those of replicates 1 to n - 1, with a stride; those that are no numbers do
 * not count. `bias` gets their mean deviation. */
double ks_intervals_half_width(const struct ks_replicates *replicates, const double *values, size_t stride,
                               double *bias);

/* Takes the estimates of one column: values [replicates][n_values], variances [replicates]. */
void ks_intervals_take(struct ks_frame *frame, int column, const double *values, const double *variances);

/* Turns the sums of courses into results. */
void ks_intervals_take_courses(struct ks_frame *frame);

/* ---- structured.c, given.c ------------------------------------------------------------------------------------ */

int ks_structured_run(struct ks_frame *frame);
int ks_given_run(struct ks_frame *frame);

#endif
