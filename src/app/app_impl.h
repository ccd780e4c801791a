/* What the subcommands share: the command table's rows, parsed arguments, and the work of a campaign. */
#ifndef KS_APP_APP_IMPL_H
#define KS_APP_APP_IMPL_H

#include "base/status.h"
#include "config/config.h"
#include "farm/farm.h"
#include "store/store.h"

#include <stdbool.h>
#include <stdio.h>

/* Exit statuses beside 0. */
enum { KS_EXIT_FAILED = 1, KS_EXIT_USAGE = 2 };

/* ---- arguments.c -------------------------------------------------------------------------------------------- */

/* What a command line says; strings are borrowed from argv. */
struct ks_arguments {
    const char *operand;    /* CONFIG, FILE or a topic; NULL where none was given */
    const char *output;     /* -o */
    const char **overrides; /* --set, owned */
    int n_overrides;
    const char *dataset, *format;
    const char *lanes; /* --lanes, NULL where it was not given */
    bool overwrites, is_quiet, is_json, is_long, wants_help;
    double max_failed_fraction;
    double verify_fraction; /* 0 where it was not given */
};

/* `allowed`: the names of the command's options, separated by blanks. Release what it fills also after an error. */
int ks_arguments_parse(int argc, char **argv, const char *command, const char *allowed,
                       struct ks_arguments *arguments);
void ks_arguments_release(struct ks_arguments *arguments);

struct ks_command {
    const char *name, *operand, *summary;             /* operand "" where the command takes none */
    const char *options;                              /* their names, separated by blanks */
    const char *help;                                 /* the rest of `help COMMAND`, with an example */
    int (*run)(const struct ks_arguments *arguments); /* an exit status, or a negative error */
};

extern const struct ks_command ks_command_run, ks_command_check, ks_command_show, ks_command_simulate,
    ks_command_status, ks_command_export, ks_command_verify, ks_command_cohort, ks_command_trial;

/* ---- output.c ----------------------------------------------------------------------------------------------- */

/* The file of -o, or standard output. The file that the command reads is refused. */
int ks_output_open(const struct ks_arguments *arguments, FILE **stream);

/* Says whether all was written; `path` as in -o, NULL for standard output, which stays open. */
int ks_output_close(FILE *stream, const char *path);

void ks_output_number(FILE *stream, double value, int n_digits);

/* ---- export_tables.c: the patients of a cohort or trial as CSV ---------------------------------------------- */

/* --dataset names the group. */
int ks_export_tables(const struct ks_arguments *arguments);

/* ---- work.c: the simulation of a campaign's points ---------------------------------------------------------- */

/* How many points ended how, and where in parameter space the failed ones lie. */
struct ks_tally {
    uint64_t n_by_status[KS_N_STATUSES];
    double *low, *high;               /* [n_variables] of all points */
    double *failed_low, *failed_high; /* [n_variables] of the failed ones */
};

/* Of no points, its bounds empty; released also after an error. */
int ks_work_create_tally(struct ks_tally *tally, int n_variables);
void ks_work_release_tally(struct ks_tally *tally);

struct ks_work {
    const struct ks_campaign *campaign;
    ks_therapy *therapy; /* NULL for test functions */
    struct ks_schema schema;
    struct ks_rows rows; /* of the round in flight */
    uint64_t capacity;   /* rows that `rows` holds */
    struct ks_tally tally;
    int lanes;      /* patients solved at once */
    uint64_t slice; /* points that it takes best at a time, for about a second at most */
    int batch;      /* points in hand at once */
    /* of the batch in hand: [n_variables], [n_parameters], [n_times][n_quantities] each */
    double *values, *parameters, *trajectories;
    struct ks_outcome *outcomes;
    struct ks_column *columns; /* parameters, endpoints and states of the schema */
    char (*descriptions)[160]; /* of the endpoints */
    char model_version[17];
};

/* `lanes` as --lanes gives it; NULL leaves it to KETSWEEP_LANES or the processor. Rows of memory: `capacity` points, or
 * as many as fit a rank's share of memory where it is 0. */
int ks_work_create(struct ks_work *work, const struct ks_campaign *campaign, const char *lanes,
                   uint64_t capacity);
void ks_work_release(struct ks_work *work);

/* How many patients are solved at once for the campaign; `wanted` as above. */
int ks_work_choose_lanes(const struct ks_campaign *campaign, const char *wanted, int *lanes);

/* Simulates points and appends their rows; the farm's `simulate`. */
int ks_work_simulate(void *work, uint64_t first, uint64_t count);

/* Forgets the rows, after they are written. */
void ks_work_clear(struct ks_work *work);

/* The parameter vector of point i, [n_parameters]; the values of the varied ones too, [n_variables]. */
void ks_work_point(const struct ks_campaign *campaign, uint64_t i, double *values, double *parameters);

/* ---- verification.c: a sample of the points, solved again more strictly --------------------------------------- */

/* How an endpoint of a point compares; the difference is NaN where there is no number, or it differs in kind. */
struct ks_verified_pair {
    double difference, size; /* |stored - reference|, |reference| */
};

/* One rank's part. */
struct ks_verification {
    const struct ks_campaign *campaign;
    double fraction; /* of the points; 0: nothing is verified */
    double rtol;     /* of the reference */
    uint64_t always; /* the point that is in every sample */
    ks_therapy *reference;
    double *values, *parameters, *endpoints; /* of the point in hand */
    uint64_t n_points, n_status_differ;      /* points verified so far */
    size_t n, capacity;                      /* those that neither solver failed */
    uint64_t *points;                        /* [n] */
    struct ks_verified_pair *pairs;          /* [n][n_endpoints] */
    uint64_t *n_differ;                      /* [n_endpoints] */
    struct ks_verified_endpoint *rows;       /* [n_endpoints] the table, on rank 0 once it is gathered */
};

/* A campaign that cannot be verified gives KS_ERR_USAGE, unless `fraction` is 0. */
int ks_verification_create(struct ks_verification *verification, const struct ks_campaign *campaign,
                           double fraction);
void ks_verification_release(struct ks_verification *verification);

/* Verifies those of the points first to first + count - 1 that are in the sample, given their rows: status [count],
 * endpoints [count][n_endpoints]. */
int ks_verification_check(struct ks_verification *verification, uint64_t first, uint64_t count,
                          const int8_t *status, const double *endpoints);

/* Collective. Fills the table on rank 0. */
int ks_verification_gather(struct ks_verification *verification, MPI_Comm comm);

/* One or two lines; none where there are no rows. `n_points` of the whole campaign. */
void ks_verification_print(FILE *stream, uint64_t n_points, size_t n_rows,
                           const struct ks_verified_endpoint *rows);

/* ---- progress.c --------------------------------------------------------------------------------------------- */

/* One line redrawn on a terminal, a line every 30 s in a log. */
struct ks_progress {
    FILE *stream; /* NULL: silent */
    bool is_terminal;
    double last_seconds;
};

void ks_progress_begin(struct ks_progress *progress, FILE *stream);
void ks_progress_show(struct ks_progress *progress, const struct ks_farm_progress *state, uint64_t n_failed);
void ks_progress_end(struct ks_progress *progress);

/* "3 h 12 min", "45 s"; text of at least 32 characters. */
const char *ks_progress_duration(double seconds, char *text);

/* "2.1 GB"; text of at least 32 characters. */
const char *ks_progress_bytes(double bytes, char *text);

#endif
