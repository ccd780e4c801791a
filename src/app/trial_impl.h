/* Private to the command `trial`: one run of it on one rank, and what its files do with it. */
#ifndef KS_APP_TRIAL_IMPL_H
#define KS_APP_TRIAL_IMPL_H

#include "app/study_impl.h"

struct ks_trial {
    struct ks_session *session;
    const struct ks_campaign *campaign;
    const struct ks_clinical_study *study;
    const char *path;
    struct ks_patients patients;
    struct ks_clinic clinic;
    const double *constants; /* of the draw in hand; NULL: the model's own */
    const double **places;   /* [batch] */
    struct ks_course_result *results;
    struct ks_gathered kept, all; /* of this rank; on rank 0 of all */

    /* on rank 0 */
    struct ks_ward ward;
    struct ks_gathered nominal; /* rows of the first draw */
    size_t n_observed;
    double *observed;   /* [n_observed] of the first draw: [n_arms][m][n_visits + 1] */
    size_t n_left_out;  /* patients who could not be solved, or are not ill, in the first draw */
    double *cumulative; /* [m] weights */
    size_t largest;     /* patients in an arm of a replicate at most */
    size_t *enrolled;   /* [n_arms][largest] */
    double *scratch;
    double *intervals;                   /* [draws or replicates] room to sort in */
    int n_draws, n_replicates;           /* draws beside the first; replicates of all draws */
    double *summaries;                   /* [n_draws + 1][n_arms][n_visits][KS_N_STATISTICS] */
    double *replicates;                  /* [n_arms][n_replicates][n_visits][KS_N_STATISTICS] */
    double *targets, *target_replicates; /* [n_targets][n_draws + 1], [n_targets][n_replicates] */
    struct ks_tailoring tailoring;
};

/* A 95 % interval; NaN where there are fewer than 20 numbers. */
struct ks_interval {
    double low, high;
};

/* trial_report.c: of a statistic over draws, over replicates; of a target. */
struct ks_interval ks_trial_report_over_draws(const struct ks_trial *trial, int arm, int visit,
                                              enum ks_statistic statistic);
struct ks_interval ks_trial_report_over_replicates(const struct ks_trial *trial, int arm, int visit,
                                                   enum ks_statistic statistic);
struct ks_interval ks_trial_report_target_over_draws(const struct ks_trial *trial, int target);
struct ks_interval ks_trial_report_target_over_replicates(const struct ks_trial *trial, int target);

/* Prints the arms, the targets, what each mechanism carries, and the tailoring. */
int ks_trial_report_print(const struct ks_trial *trial);

/* trial_file.c */
int ks_trial_file_write(const struct ks_trial *trial);

#endif
