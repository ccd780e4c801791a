/* What `cohort` and `trial` share: patients in arms, and what a rater sees of them. */
#ifndef KS_APP_STUDY_IMPL_H
#define KS_APP_STUDY_IMPL_H

#include "app/app_impl.h"
#include "cohort/cohort.h"
#include "store/tables.h"

/* ---- clinic.c ------------------------------------------------------------------------------------------------ */

/* One arm's therapy. */
struct ks_clinic_arm {
    ks_therapy *therapy; /* NULL where nothing of the arm is needed */
    int n_endpoints;
    struct ks_endpoint *endpoints; /* those that are not read off the scores */
    int *columns;                  /* [n_endpoints] their numbers in the campaign */
};

/* Treats batches of patients in arms. */
struct ks_clinic {
    const struct ks_campaign *campaign;
    const struct ks_clinical_study *study;
    struct ks_clinic_arm *arms; /* [n_arms] */
    int lanes, batch;
    int n_times;   /* of scores: 0, visits, and what endpoints ask for; ascending */
    double *times; /* h */
    int *time_of;  /* [n_endpoints of the campaign] of one that is read off the scores; -1: it is not */
    double *values, *scores; /* [batch][endpoints of an arm], [batch][n_times] */
    double *vectors;         /* [batch][KS_N_PARAMETERS] */
    struct ks_outcome *outcomes;
};

/* What became of a patient in an arm. */
struct ks_course_result {
    int status;
    double *scores;    /* [n_times] latent */
    double *endpoints; /* [n_endpoints of the campaign] latent; NaN where it was not needed */
};

/* `is_needed` [n_arms][n_endpoints of the campaign]; NULL: all. */
int ks_clinic_create(struct ks_clinic *clinic, const struct ks_campaign *campaign, const char *lanes,
                     const bool *is_needed);
void ks_clinic_release(struct ks_clinic *clinic);

/* n <= batch patients in an arm: traits [n][n_traits] of the columns `parameters` [n_traits] (-1: no parameter);
 * constants [n_constants] of study->uncertainty, NULL for the model's own. */
int ks_clinic_treat(struct ks_clinic *clinic, int arm, int n, int n_traits, const int *parameters,
                    const double *const *traits, const double *constants, struct ks_course_result *results);

/* Whether a value is within the model's hard limits. */
bool ks_clinic_allows(int parameter, double value);

/* The score that a rater sees at a time: the latent one and an error of its own for (patient, time). */
double ks_clinic_observe(const struct ks_clinical_study *study, uint64_t patient, double time, double score);

/* Raters over whom a cohort is selected: one would select those patients in whom it happens to err in the right way. */
enum { KS_RATERS = 16 };

/* The mean over the raters of an endpoint, where it is read off scores; for a 0/1 endpoint a share. */
double ks_clinic_expect(const struct ks_clinic *clinic, int endpoint, uint64_t patient,
                        const struct ks_course_result *result);

/* What such a mean lacks of the variance that one rater sees: of a score or its change; else 0. */
double ks_clinic_lost_variance(const struct ks_clinical_study *study, const struct ks_endpoint *endpoint);

/* An endpoint as one rater sees it, where it is read off scores; else as it is. */
double ks_clinic_measure(const struct ks_clinic *clinic, int endpoint, uint64_t patient,
                         const struct ks_course_result *result);

/* ---- session.c: a command on many ranks -------------------------------------------------------------------------- */

struct ks_session {
    const struct ks_arguments *arguments;
    MPI_Comm comm;
    int rank, size;
    struct ks_campaign campaign; /* with a study */
    struct ks_progress progress;
    struct ks_stop stop;
    double start;
    char model_version[17];
};

/* Starts MPI, loads the configuration on every rank, calls `stages`, and returns the exit status. `stages` returns an
 * exit status or a negative error, the same on all ranks. */
int ks_session_run(const struct ks_arguments *arguments, int (*stages)(struct ks_session *session));

/* FNV-1a. */
uint64_t ks_session_hash(const char *text);

/* Collective. The rows of all ranks on rank 0, appended to its own table; n_rows rows of `stride` numbers each. */
struct ks_gathered {
    size_t stride, n, capacity;
    double *rows; /* [n][stride] */
};
int ks_session_gather(const struct ks_session *session, size_t n_rows, const double *rows,
                      struct ks_gathered *all);

/* Sorts by the first column. */
void ks_session_sort(struct ks_gathered *all);

/* Works through points on all ranks until a signal or the time limit ends it; `simulate` and `commit` as the farm's, but
 * that the points which a rank has kept may go beyond those that are committed. *next: the first that is not. */
int ks_session_farm(struct ks_session *session, uint64_t first, uint64_t count, void *self,
                    int (*simulate)(void *, uint64_t, uint64_t), int (*commit)(void *, uint64_t, uint64_t),
                    uint64_t *next);

/* What ended it: "SIGUSR1", "the time limit". */
const char *ks_session_stop_reason(const struct ks_session *session);

/* ---- candidates.c: what is known of the candidates so far ------------------------------------------------------------ */

/* Columns of a plausible candidate before its measures. */
enum { KS_CANDIDATE_NUMBER, KS_CANDIDATE_LATENT, KS_CANDIDATE_OBSERVED, KS_CANDIDATE_MEASURES };

struct ks_candidates {
    struct ks_gathered plausible; /* on rank 0 */
    int n_reasons;
    char **reasons;
    uint64_t *rejected; /* [n_reasons] */
    uint64_t n_done;
    char *log;         /* the file's name; NULL: none is kept */
    uint64_t identity; /* of what decides the candidates */
};

/* Names the reasons, and takes what an interrupted run has left in the log of `path`; a log of other candidates is refused,
 * or with --overwrite replaced. Rank 0. */
int ks_candidates_open(struct ks_candidates *candidates, const struct ks_session *session, const char *path);
/* Appends a commit: the rows from `first_row` on, and how many were rejected for what. */
int ks_candidates_append(struct ks_candidates *candidates, uint64_t n_done, size_t first_row,
                         const uint64_t *rejected);
/* Once the result is on disk. */
void ks_candidates_discard(struct ks_candidates *candidates);
void ks_candidates_release(struct ks_candidates *candidates);

/* The reasons for rejection before the bounds' own: by status, then these. */
enum { KS_REASON_limits = KS_N_STATUSES, KS_REASON_no_value, KS_REASON_bounds };

/* ---- selection.c: patients out of candidates ------------------------------------------------------------------------- */

struct ks_cohort {
    size_t m;
    size_t *chosen;                                 /* [m] rows of the plausible candidates */
    double *weights;                                /* [m], sum 1 */
    bool *is_used;                                  /* [n_targets] selected by it */
    double *before, *after, *p_value, *effective_n; /* [n_targets] */
    double weight_n;                                /* effective number of patients */
    size_t n_sure; /* accept_reject: chosen with a chance of 1; where many are, the target is not reached */
};

/* A measure x of n patients, and y: of the same where it is related to x, of n_y others where arms are compared. */
struct ks_measured {
    size_t n, n_y;
    const double *x, *y, *weights, *y_weights;
};

/* A target's number; `scratch` [n]. NaN for median_relapse. */
double ks_selection_evaluate(const struct ks_target *target, const struct ks_measured *measured,
                             double *scratch);

int ks_selection_make(struct ks_cohort *cohort, const struct ks_clinical_study *study,
                      const struct ks_candidates *candidates);
void ks_selection_release(struct ks_cohort *cohort);

/* "murrough2013 mean of madrs_change_24h in ketamine" */
void ks_selection_describe(const struct ks_campaign *campaign, const struct ks_target *target, char *text,
                           int size);

/* Of a target's value: "points", "0 or 1", "sd", "d". */
const char *ks_selection_unit(const struct ks_campaign *campaign, const struct ks_target *target);

/* ---- trial.c ------------------------------------------------------------------------------------------------------ */

/* X(name, unit, in words): what is said of an arm at a visit. Shares are of all patients; who was lost or given up does
 * not count as a responder. */
#define KS_STATISTIC_TABLE(X)                                                           \
    X(score_mean, "points", "mean score, of those seen")                                \
    X(change_mean, "points", "mean change from baseline, of those seen")                \
    X(change_sd, "points", "its standard deviation between patients")                   \
    X(response, "1", "share with a fall to half of the baseline")                       \
    X(remission, "1", "share at 10 points or less")                                     \
    X(seen, "1", "share still in the trial")                                            \
    X(relapse_free, "1", "share of the responders without relapse, Kaplan-Meier")       \
    X(difference, "points", "change minus that of the control arm")                     \
    X(effect_size, "sd", "difference over the pooled standard deviation of the change") \
    X(response_difference, "1", "response minus that of the control arm")               \
    X(number_needed, "patients", "number needed to treat for one more response: 1 / response_difference")

enum ks_statistic {
#define X(name, unit, words) KS_STATISTIC_##name,
    KS_STATISTIC_TABLE(X)
#undef X
        KS_N_STATISTICS
};

/* The patients of a trial. */
struct ks_patients {
    size_t m;
    int n_traits, n_units; /* they differ in a file that is refused */
    char **names, **units; /* [n_traits], [n_units] */
    int *parameters;       /* [n_traits], -1: a covariate */
    double *inputs;        /* [m][n_traits] */
    double *weights;       /* [m], sum 1 */
    uint64_t *candidates;  /* [m] */
};

/* patients.c: from trial.cohort, which ks_tables_check() has found good, or from the population. Released also after an
 * error. */
int ks_patients_load(struct ks_patients *patients, const struct ks_campaign *campaign);
void ks_patients_release(struct ks_patients *patients);

/* One draw of the constants: what became of every patient in every arm. */
struct ks_ward {
    const struct ks_clinic *clinic;
    const struct ks_patients *patients;
    int n_visits;
    int *visit_times; /* [n_visits] of the clinic's times */
    double *rows;     /* [m][stride]: patient, then for each arm its status, scores [n_times], endpoints */
    size_t stride;
    double *weights;  /* [m] of those who are patients under these constants; the others 0 */
    double *observed; /* [n_arms][m][n_visits + 1] what is seen: baseline and visits; NaN when missing */
    double *measures; /* [n_measures][m] */
};

/* A sample of the ward's patients, such as a replicate's arm. */
struct ks_trial_group {
    size_t n;
    const size_t *who;     /* [n]; NULL: all */
    const double *weights; /* [n]; NULL: equal */
};

/* ---- summary.c: statistics of a ward -------------------------------------------------------------------------------- */

/* Fills weights, observed and measures from rows. */
void ks_summary_observe(struct ks_ward *ward);

/* Statistics of an arm at every visit, out [n_visits][KS_N_STATISTICS]; `control` NULL where it has none. `scratch` has room
 * for 6 numbers per patient of the larger group. */
void ks_summary_of_arm(const struct ks_ward *ward, int arm, const struct ks_trial_group *group,
                       int control_arm, const struct ks_trial_group *control, double *scratch, double *out);

/* A target's number among groups of its arms. */
double ks_summary_of_target(const struct ks_ward *ward, const struct ks_target *target,
                            const struct ks_trial_group *group, const struct ks_trial_group *other,
                            double *scratch);

/* ---- tailoring.c ------------------------------------------------------------------------------------------------------ */

/* What every arm is worth to every subgroup, draw by draw. */
struct ks_tailoring {
    int n_groups, n_arms, n_draws;                   /* draws beside the nominal one */
    char (*names)[64];                               /* [n_groups] */
    bool *is_in;                                     /* [groups][m] */
    double *share, *exposure, *dissociation, *worth; /* [n_draws + 1][16 groups][n_arms] */
};

int ks_tailoring_create(struct ks_tailoring *tailoring, const struct ks_ward *ward);
void ks_tailoring_add(struct ks_tailoring *tailoring, const struct ks_ward *ward, int draw, double *scratch);
int ks_tailoring_print(const struct ks_tailoring *tailoring, const struct ks_clinical_study *study,
                       FILE *stream);
void ks_tailoring_release(struct ks_tailoring *tailoring);

#endif
