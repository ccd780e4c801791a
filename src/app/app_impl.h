/* What the subcommands share: the command table's rows, parsed arguments, and the work of a campaign. */
#ifndef KS_APP_APP_IMPL_H
#define KS_APP_APP_IMPL_H

#include "analysis/analysis.h"
#include "base/status.h"
#include "config/config.h"
#include "farm/farm.h"
#include "store/store.h"

#include <stdbool.h>
#include <stdio.h>

/* Exit statuses beside 0. */
enum { KS_EXIT_FAILED = 1, KS_EXIT_USAGE = 2, KS_EXIT_STOPPED = 3 };

/* ---- arguments.c -------------------------------------------------------------------------------------------- */

/* What a command line says; strings are borrowed from argv. */
struct ks_arguments {
    const char *operand;   /* CONFIG, FILE or a topic, the first; NULL where none was given */
    const char **operands; /* [n_operands], owned */
    int n_operands;
    const char *output;     /* -o */
    const char **overrides; /* --set, owned */
    int n_overrides;
    const char *dataset, *format;
    const char *lanes;                    /* --lanes, NULL where it was not given */
    const char *method;                   /* --method, NULL where it was not given */
    const char *bootstrap;                /* --bootstrap, NULL where it was not given */
    const char *shard;                    /* --shard, NULL where it was not given */
    const char *partition, *time, *nodes; /* of submit, NULL where not given */
    bool is_dry;
    bool overwrites, extends, verifies, repairs, is_quiet, is_json, is_long, is_separate, wants_help,
        wants_man;
    double max_failed_fraction;
    double verify_fraction; /* 0 where it was not given */
};

struct ks_command;

/* Release what it fills also after an error. */
int ks_arguments_parse(int argc, char **argv, const struct ks_command *command,
                       struct ks_arguments *arguments);
void ks_arguments_release(struct ks_arguments *arguments);

/* An option, whatever the command. */
struct ks_option {
    const char *name, *letter; /* letter "-o", or "" */
    int kind;
    size_t offset;       /* in struct ks_arguments */
    const char *value;   /* the word for its value in help; NULL where it takes none */
    const char *meaning; /* "" where every command says it */
};

/* NULL where there is none. */
const struct ks_option *ks_arguments_option(const char *name);

/* ---- commands.c: the table of commands ----------------------------------------------------------------------- */

/* An option as a command takes it. */
struct ks_use {
    const char *name;
    const char *meaning; /* NULL: the option's own */
    const char *choices; /* the only values, separated by blanks; NULL where there are others */
};

enum { KS_MOST_EXAMPLES = 3 };

struct ks_command {
    const char *name, *operand; /* "WHAT..." where it takes several, "[WHAT]" where it needs none */
    const char *summary;
    const char *choices;       /* of the operand, as those of an option */
    struct ks_use options[16]; /* ended by one without a name; --help is every command's */
    const char *notes;         /* paragraphs, parted by empty lines */
    const char *statuses[4];   /* what the exit status says; NULL: the same as for all, or never */
    const char *examples[KS_MOST_EXAMPLES][2];        /* a command line, and what it does or NULL */
    int (*run)(const struct ks_arguments *arguments); /* an exit status, or a negative error */
};

/* The commands in the order of help; NULL after the last. */
const struct ks_command *ks_command_at(int i);
const struct ks_command *ks_command_find(const char *name);

/* The name that is meant, or NULL. */
const char *ks_command_nearest(const char *name);

/* NULL where the command does not take it. */
const struct ks_use *ks_command_option(const struct ks_command *command, const char *name);

/* Each in the file of its name. */
int ks_run_command(const struct ks_arguments *arguments);
int ks_check_command(const struct ks_arguments *arguments);
int ks_simulate_command(const struct ks_arguments *arguments);
int ks_show_command(const struct ks_arguments *arguments);
int ks_status_command(const struct ks_arguments *arguments);
int ks_export_command(const struct ks_arguments *arguments);
int ks_verify_command(const struct ks_arguments *arguments);
int ks_sensitivity_command(const struct ks_arguments *arguments);
int ks_cohort_command(const struct ks_arguments *arguments);
int ks_trial_command(const struct ks_arguments *arguments);
int ks_merge_command(const struct ks_arguments *arguments);
int ks_submit_command(const struct ks_arguments *arguments);
int ks_report_command(const struct ks_arguments *arguments);
int ks_completion_command(const struct ks_arguments *arguments);
int ks_help_command(const struct ks_arguments *arguments);

/* ---- help.c --------------------------------------------------------------------------------------------------- */

/* The command of this name, or an error that says what is meant. */
int ks_help_find(const char *name, const struct ks_command **command);

/* All commands in a line each. */
void ks_help_print_overview(FILE *stream);
void ks_help_print_command(FILE *stream, const struct ks_command *command);

/* The word for an option's value, such as FILE or csv|h5; `text` [32]. */
const char *ks_help_value(const struct ks_option *option, const struct ks_use *use, char *text);

const char *ks_help_meaning(const struct ks_option *option, const struct ks_use *use);

/* What the exit status i (0 to 3) of a command says; NULL where it has none of these. */
const char *ks_help_status(const struct ks_command *command, int i);

/* ---- man.c ---------------------------------------------------------------------------------------------------- */

/* The source of the man page. */
void ks_man_print(FILE *stream);

/* ---- output.c ----------------------------------------------------------------------------------------------- */

/* Whether both names are of one file that is there. */
bool ks_output_is_same_file(const char *a, const char *b);

/* The file of -o, or standard output. The file that the command reads is refused. */
int ks_output_open(const struct ks_arguments *arguments, FILE **stream);

/* Says whether all was written; `path` as in -o, NULL for standard output, which stays open. */
int ks_output_close(FILE *stream, const char *path);

/* A file that appears under its name when it is whole and on disk; a link stays one. Ended also after an error, with which
 * nothing appears. */
struct ks_new_file {
    FILE *stream;
    char *target, *temporary;
};
int ks_output_begin(struct ks_new_file *file, const char *path);
int ks_output_end(struct ks_new_file *file, int err);

void ks_output_number(FILE *stream, double value, int n_digits);

/* A text in quotes, as JSON has it; a number, or null where there is none. */
void ks_output_json_text(FILE *stream, const char *text);
void ks_output_json_number(FILE *stream, double value);

/* ---- team.c: ranks that analyse together ---------------------------------------------------------------------- */

struct ks_mpi_team {
    MPI_Comm comm;
    struct ks_team team; /* valid as long as this struct stays where it is */
};

int ks_team_create(struct ks_mpi_team *team, MPI_Comm comm);

/* ---- sensitivity.c -------------------------------------------------------------------------------------------- */

/* One analysis of a complete campaign, on one rank. */
struct ks_sensitivity {
    const char *path, *method, *bootstrap;
    ks_store *store;
    struct ks_campaign campaign; /* its model's table and its design alone */
    struct ks_study study;
    struct ks_results results; /* on rank 0 */
    struct ks_failures failures;
};

struct ks_sensitivity_wish {
    const char *path, *method, *bootstrap; /* as on the command line; NULL where not given */
    bool with_trajectories;
};

/* Collective over the team; alone where it is NULL. Released also after an error. */
int ks_sensitivity_compute(struct ks_sensitivity *s, const struct ks_sensitivity_wish *wish,
                           const struct ks_team *team);
void ks_sensitivity_release(struct ks_sensitivity *s);

/* The method of this name for a design, or the design's own where it is NULL; `path` for the sentence of an error. */
int ks_sensitivity_choose(const char *path, const char *name, const struct ks_design *design, int *method);

/* ---- doubling.c ----------------------------------------------------------------------------------------------- */

/* Runs a campaign, of a command that began at `begin` (MPI_Wtime()); returns an exit status. Collective. */
typedef int ks_doubling_stage(const struct ks_arguments *arguments, MPI_Comm comm, double begin);

/* Collective. Runs a campaign by `run`; with design.stop in stages that double the design until the intervals are
 * narrow. */
int ks_doubling_run(const struct ks_arguments *arguments, MPI_Comm comm, ks_doubling_stage *run);

/* KS_ERR_USAGE where design.stop asks for what its design or output does not have. */
int ks_doubling_check(const struct ks_campaign *campaign);

/* ---- sensitivity_results.c ------------------------------------------------------------------------------------ */

/* What an analysis found. */
struct ks_findings {
    const char *path;                   /* the campaign's file */
    const struct ks_campaign *campaign; /* its model's table and its design */
    const struct ks_results *results;
    const struct ks_failures *failures;
};

/* Stores the indices; `written` [size] gets the name of the file that holds them. */
int ks_sensitivity_results_store(const struct ks_findings *findings, bool is_separate, char *written,
                                 size_t size);

/* ---- sensitivity_table.c: for readers and for programs ------------------------------------------------------ */

/* Where the intervals come from, in words. */
void ks_sensitivity_table_interval(const struct ks_results *results, char *text, size_t size);
void ks_sensitivity_table_print(FILE *stream, const struct ks_findings *findings);
void ks_sensitivity_table_print_json(FILE *stream, const struct ks_findings *findings);

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

/* Lets the bounds hold one more point. */
void ks_work_widen_tally(struct ks_tally *tally, int n_variables, const double *values, int status);

/* A point that was in hand when a process crashed. It is simulated alone, or not at all. */
struct ks_suspect {
    uint64_t point;
    int n_crashes; /* that it was in hand alone */
    bool is_given_up;
};

struct ks_work {
    const struct ks_campaign *campaign;
    ks_therapy *therapy; /* NULL for test functions */
    struct ks_schema schema;
    struct ks_rows rows; /* of the round in flight */
    uint64_t capacity;   /* rows that `rows` holds */
    struct ks_tally tally;
    size_t n_suspects;
    struct ks_suspect *suspects; /* [n_suspects], ascending; borrowed */
    uint64_t first_point; /* the point of the campaign that row 0 is; points below are counted from it */
    int lanes;            /* patients solved at once */
    uint64_t slice;       /* points that it takes best at a time, for about a second at most */
    int batch;            /* points in hand at once */
    /* of the batch in hand: [n_variables], [n_parameters], [n_times][n_quantities] each */
    double *values, *parameters, *trajectories;
    struct ks_outcome *outcomes;
    double *outputs;           /* of a test function, all of them */
    struct ks_column *columns; /* parameters, endpoints and states of the schema */
    char (*descriptions)[160]; /* of the endpoints */
    char model_version[17];
};

/* `lanes` as --lanes gives it; NULL leaves it to KETSWEEP_LANES or the processor. Rows of memory: `capacity` points, or
 * as many as fit a rank's share of memory where it is 0. */
int ks_work_create(struct ks_work *work, const struct ks_campaign *campaign, const char *lanes,
                   uint64_t capacity);
void ks_work_release(struct ks_work *work);

/* Simulates *count points and appends their rows; fewer, and how many in *count, where the campaign's solver options
 * drop them. */
int ks_work_simulate(struct ks_work *work, uint64_t first, uint64_t *count);

/* Simulates one point in place of the first row, to see whether it can be done. */
int ks_work_try(struct ks_work *work, uint64_t point);

/* Forgets the rows of points from `end` on, also in the tally (but for its bounds). */
void ks_work_cut(struct ks_work *work, uint64_t end);

/* How many patients are solved at once for the campaign; `wanted` as above. */
int ks_work_choose_lanes(const struct ks_campaign *campaign, const char *wanted, int *lanes);

/* Forgets the rows, after they are written. */
void ks_work_clear(struct ks_work *work);

/* Counts anew. */
void ks_work_clear_tally(struct ks_work *work);

/* The parameter vector of point i, [n_parameters]; the values of the varied ones too, [n_variables]. */
void ks_work_point(const struct ks_campaign *campaign, uint64_t i, double *values, double *parameters);

/* ---- plan.c, check.c ---------------------------------------------------------------------------------------- */

struct ks_plan {
    double ranks, minutes;
};

int ks_plan_calibrate(struct ks_work *work, double *seconds_per_point);

/* The i-th of n_wanted points that visit all parts of n points early (a stride by the golden ratio); all points where
 * n_wanted is n or more. */
uint64_t ks_plan_spread(uint64_t i, uint64_t n_wanted, uint64_t n);

/* How long it takes on so many ranks; the ranks, a power of two, on which it takes a minute at most. */
double ks_plan_seconds(double core_seconds, double ranks);
double ks_plan_ranks_for_a_minute(double core_seconds, uint64_t n_points);

/* "14 core-minutes"; text of at least 32 characters. */
const char *ks_plan_print_work(double core_seconds, char *text);

/* A job of about half an hour, or of `minutes` where it is not 0; of `most_ranks` at most where it is not 0. */
struct ks_plan ks_plan_job(double core_seconds, uint64_t n_points, double minutes, double most_ranks);

/* As Slurm writes it; text of at least 32 characters. */
const char *ks_plan_print_time(double minutes, char *text);

/* Calibrates, and prints the plan. */
int ks_check_campaign(const struct ks_campaign *campaign, double *core_seconds);

/* ---- advice.c, effects.c: what is allowed but looks like a mistake ------------------------------------------- */

struct ks_advice {
    FILE *stream; /* NULL: only counts */
    const char *path;
    int n; /* lines so far */
};

/* What can be told without simulating. */
int ks_advice_give(struct ks_advice *advice, const struct ks_campaign *campaign);

/* What the plan says of the run, what became of the points that were tried, and which parameters change nothing. */
void ks_advice_judge_cost(struct ks_advice *advice, const struct ks_campaign *campaign, double core_seconds,
                          double bytes);
void ks_advice_judge_outcomes(struct ks_advice *advice, const struct ks_tally *tally);
void ks_advice_judge_effects(struct ks_advice *advice, const struct ks_campaign *campaign,
                             const bool *has_effect);

/* Simulates some hundred patients: `has_effect` [n_variables], true also for what is not tried (functions, morris, many
 * parameters, patients that take seconds). */
int ks_effects_find(const struct ks_campaign *campaign, double seconds_per_point, bool *has_effect);

/* Why a varied parameter has no effect, and what to do about it. */
void ks_effects_explain(const struct ks_campaign *campaign, int variable, char *text, size_t size);

/* ---- preview.c: what an endpoint looks like so far ------------------------------------------------------------ */

struct ks_preview {
    const struct ks_campaign *campaign;
    uint64_t n_rows; /* of a base row */
    struct ks_live live;
    size_t n_sums;        /* 0: nothing to show */
    double *sums, *total; /* [n_sums] of this rank, and on rank 0 of all */
    double *y;            /* [n_rows] */
    size_t n_fragments, capacity, most_fragments;
    double (*fragments)[2];       /* [n_fragments] a point and its value, of base rows that are cut */
    struct ks_gathered *gathered; /* those of all ranks, on rank 0 */
    char text[288]; /* "mean madrs_end 20.2 +- 0.3 points; ST of infusion_dose 0.51 +- 0.05", or "" */
};

/* Of campaign.run.watch, which must not change. Released also after an error. */
int ks_preview_create(struct ks_preview *preview, const struct ks_campaign *campaign, int n_ranks);
void ks_preview_release(struct ks_preview *preview);

/* Counts the rows that this rank keeps, once, before they are forgotten. */
int ks_preview_add(struct ks_preview *preview, const struct ks_work *work);

/* Collective. Brings the text up to date on rank 0. */
int ks_preview_gather(struct ks_preview *preview, MPI_Comm comm, int rank, int size);

/* A line of the summary, if there is something to say. */
void ks_preview_print(FILE *stream, const struct ks_preview *preview);

/* ---- shard.c ------------------------------------------------------------------------------------------------ */

/* "K/N" into number and count. */
int ks_shard_parse(const char *text, struct ks_share *share);

/* Makes the work that of a share, and sets its n_points; nothing where share.count is 0. */
int ks_shard_take(struct ks_work *work, struct ks_share share);

/* The file of a shard beside that of the whole campaign: NAME.K.h5 for NAME.h5. */
int ks_shard_name(const char *path, const struct ks_share *share, char *name, size_t size);

/* KS_ERR_USAGE where the file is a shard: for commands that want the whole campaign. */
int ks_shard_refuse(const ks_store *store, const char *path);

/* ---- signals.c ---------------------------------------------------------------------------------------------- */

/* Once, after MPI has installed its own handlers. */
void ks_signals_install(void);

/* The first signal that asked to stop, 0 if there was none; its name; whether the launcher kills soon after it. */
int ks_signals_stop(void);
const char *ks_signals_name(int signal);
bool ks_signals_is_urgent(int signal);

/* The points that are in hand; a crash records them in the crash file. */
void ks_signals_enter(uint64_t first, uint64_t count);
void ks_signals_leave(void);
void ks_signals_set_crash_file(const char *path);
void ks_signals_record_crash(int signal);

/* Ends this process with the sentence if the guard is not ended within `seconds`; 0: never. */
void ks_signals_guard(double seconds, const char *sentence);
void ks_signals_end_guard(void);

/* In a child process: a crash is its own, so is the end of its time (SIGALRM), and nothing asks it to stop. */
void ks_signals_isolate(void);

/* ---- stop.c: when to stop ----------------------------------------------------------------------------------- */

struct ks_stop {
    MPI_Comm comm;
    int rank, size;
    bool is_on;             /* asks nobody and says KS_FARM_GO before */
    double begin, deadline; /* MPI_Wtime(); of rank 0; INFINITY where there is no limit */
    double commit_seconds;  /* the longest so far */
    double asked, grace;    /* MPI_Wtime() when it was asked to stop, INFINITY before; time to finish */
    int signal;             /* that asked; 0: the time */
    bool has_asked;         /* this rank has told rank 0 */
    unsigned n_questions;
    double looked; /* when a solver last made it look for messages */
};

/* Collective. */
int ks_stop_create(struct ks_stop *stop, MPI_Comm comm);
int ks_stop_release(struct ks_stop *stop);

/* Ends the run `limit_seconds` after `start` (MPI_Wtime()), or with the Slurm job; 0: only that. */
void ks_stop_limit(struct ks_stop *stop, double start, double limit_seconds);
void ks_stop_learn_commit(struct ks_stop *stop, double seconds);

enum ks_farm_urgency ks_stop_urgency(struct ks_stop *stop);

/* For the solvers' options; `stop` is a struct ks_stop. */
bool ks_stop_is_dropped(void *stop);

/* ---- slurm.c ------------------------------------------------------------------------------------------------ */

/* Slurm's "minutes", "hours:minutes:seconds", "days-hours:minutes" and so on in seconds; NaN where it is none of them. */
double ks_slurm_parse_duration(const char *text);

/* Until Slurm ends the job that this process is part of; INFINITY where it does not say. */
double ks_slurm_seconds_left(void);

/* In Slurm's own words; "" where it does not say. */
struct ks_slurm_job {
    char state[64], reason[128], run_time[32], time_limit[32], restarts[16], nodes[512], tasks[16],
        exit_code[16];
    char log[4096], file[4096]; /* file: that the job writes, as launch.sh noted it */
};

int ks_slurm_find_job(const char *id, struct ks_slurm_job *job);

/* Gives Slurm the batch script; its number into `id` [size]. */
int ks_slurm_submit(const char *script, char *id, size_t size);

/* Processors of a partition, or of the largest where it is NULL; 0 where Slurm does not say. */
int ks_slurm_count_cpus(const char *partition, long *n_cpus);

/* ---- suspects.c: points that were in hand when a process crashed -------------------------------------------- */

struct ks_suspects {
    char *file; /* beside the result; the record of crashes */
    size_t n;
    struct ks_suspect *suspects; /* [n], ascending */
};

/* Collective. Reads on rank 0 which points from `first` on were in hand, tries each in a process of its own, at most
 * twice, and tells all ranks; records further crashes. `messages` of rank 0; NULL: silent. */
int ks_suspects_create(struct ks_suspects *suspects, const char *path, uint64_t first, struct ks_work *work,
                       MPI_Comm comm, FILE *messages);
void ks_suspects_release(struct ks_suspects *suspects);

/* Forgets the record, once all points before `next` are committed. Rank 0. */
void ks_suspects_clear(const struct ks_suspects *suspects, uint64_t next);

/* ---- hints.c: what the configuration tells MPI-IO ------------------------------------------------------------- */

/* MPI_INFO_NULL where there are none. The caller releases it. */
int ks_hints_create(const struct ks_campaign *campaign, MPI_Info *hints);
void ks_hints_release(MPI_Info *hints);

/* ---- resume.c: what becomes of a file that is there --------------------------------------------------------- */

/* One process, which holds the lock. Makes `path` a file that the campaign can go on with: a new one, or the one that is
 * there, extended where the arguments say so. KS_ERR_USAGE with every difference where it belongs to another campaign.
 * *is_complete: nothing is left to do. */
int ks_resume_prepare(const char *path, const struct ks_arguments *arguments,
                      const struct ks_campaign *campaign, const struct ks_schema *schema, MPI_Info hints,
                      bool *is_complete);

/* Whether a complete file is all that is asked for; it is not even opened for writing. */
bool ks_resume_is_idle(const struct ks_arguments *arguments, bool is_complete);

/* The rounds of an open file. */
struct ks_resume_rounds {
    size_t n, n_bad;
    struct ks_round *rounds; /* [n] */
    bool *is_bad;            /* [n] */
    uint64_t next;           /* the first row that is not committed */
};

/* Collective. Reads the commit log and compares the checksum of every round, or else of the last, with its rows. */
int ks_resume_read_rounds(ks_store *store, MPI_Comm comm, bool checks_all, struct ks_resume_rounds *rounds);
void ks_resume_release_rounds(struct ks_resume_rounds *rounds);

/* Says which rows have changed. */
int ks_resume_raise_bad(const char *path, const struct ks_resume_rounds *rounds);

/* ---- tally.c: how the points ended -------------------------------------------------------------------------- */

uint64_t ks_tally_count_failed(const uint64_t n_by_status[KS_N_STATUSES]);

/* Collective. The tallies of all ranks on rank 0. */
int ks_tally_reduce(const struct ks_tally *own, struct ks_tally *total, int n_variables, MPI_Comm comm);

/* One process. Adds the first `n_rows` rows of a file to the counts. */
int ks_tally_count_rows(ks_store *store, uint64_t n_rows, uint64_t n_by_status[KS_N_STATUSES]);

/* Lets the bounds hold this rank's share of the first `n_rows` rows of a file. */
int ks_tally_widen_by_rows(struct ks_tally *tally, ks_store *store, uint64_t n_rows, int rank, int size);

/* The counts, a line each, and where many failures lie. */
void ks_tally_print(FILE *stream, const struct ks_tally *tally, const struct ks_schema *schema);

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
    bool is_dropped; /* the run was stopped before a point of the sample was solved */
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

/* The same for this rank's share of the first `n_rows` rows of a file. */
int ks_verification_check_stored(struct ks_verification *verification, ks_store *store, uint64_t n_rows,
                                 int rank, int size);

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
    uint64_t n_before; /* points that earlier runs have committed */
    double last_seconds;
    const char *preview; /* what stands behind, borrowed; NULL: nothing */
};

void ks_progress_begin(struct ks_progress *progress, FILE *stream, uint64_t n_before);
void ks_progress_show(struct ks_progress *progress, const struct ks_farm_progress *state, uint64_t n_failed);
void ks_progress_end(struct ks_progress *progress);

/* "3 h 12 min", "45 s"; text of at least 32 characters. */
const char *ks_progress_duration(double seconds, char *text);

/* "65,536" and "2.1 GB"; text of at least 32 characters. */
const char *ks_progress_count(uint64_t n, char *text);
const char *ks_progress_bytes(double bytes, char *text);

#endif
