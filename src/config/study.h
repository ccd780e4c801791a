/* What cohorts and trials add to a configuration: the population, its arms, targets, observation and uncertainty. */
#ifndef KS_CONFIG_STUDY_H
#define KS_CONFIG_STUDY_H

#include "design/population.h"

#include <stdbool.h>
#include <stdint.h>

/* What is done to the patients of an arm: a configuration of its own, with the arm's entries of `protocol` and `patient`
 * over those of the whole. Its endpoints are the same in every arm. */
struct ks_arm {
    char *name;
    char *literature; /* what experiments say of it, "" where nothing is stated */
    int control;      /* the arm that it is compared with; -1: none */
    int n_named;
    int *named; /* the parameters of its own `patient`, which hold for all its patients */
    struct ks_campaign *campaign;
};

/* Something that is known of a patient: a trait, or an endpoint in an arm. */
struct ks_measure {
    int trait; /* >= 0: this alone counts */
    int arm, endpoint;
};

/* Bounds of a plausible patient. */
struct ks_bound {
    char *reason; /* "madrs_baseline", "ketamine: ketamine_cmax" */
    int measure;
    double low, high;
};

/* X(name, can select patients, in words) */
#define KS_TARGET_TABLE(X)                                                          \
    X(mean, true, "mean, or share of a 0/1 endpoint")                               \
    X(sd, true, "standard deviation")                                               \
    X(quantile, true, "share of patients at or below a value")                      \
    X(correlation, true, "correlation with another measure")                        \
    X(difference, false, "difference of means between two arms")                    \
    X(effect_size, false, "difference of means over the pooled standard deviation") \
    X(median_relapse, false, "median days to relapse among responders, Kaplan-Meier")

enum ks_target_kind {
#define X(name, selects, words) KS_TARGET_##name,
    KS_TARGET_TABLE(X)
#undef X
        KS_N_TARGETS
};

extern const char *const ks_target_names[KS_N_TARGETS];

/* A published number. */
struct ks_target {
    char *id, *source;
    enum ks_target_kind kind;
    int measure; /* of median_relapse too: of its arm */
    int other; /* correlation: the other measure; difference and effect_size: the same measure in the other arm */
    int given; /* a 0/1 measure: only of patients who have it; -1: of all */
    double value;
    double at;            /* quantile: the value */
    double centre, scale; /* mean (and standard deviation) of the measure, for sd and correlation */
    double other_centre, other_scale;
    double n;         /* patients of the trial behind it; NaN where not stated */
    double low, high; /* its published interval, NaN where there is none */
    bool is_calibration;
    bool is_lognormal; /* a mean and sd are of such a distribution, not of a normal one */
};

enum ks_selection { KS_SELECTION_weights, KS_SELECTION_accept_reject, KS_SELECTION_none, KS_N_SELECTIONS };
extern const char *const ks_selection_names[KS_N_SELECTIONS];

struct ks_clinical_study {
    bool has_population;
    struct ks_population population;
    uint64_t n_patients; /* wanted; 0: every plausible candidate */
    char *candidates;    /* a text of what decides them, but for the measures; equal for equal candidates */
    int n_arms;
    struct ks_arm *arms;
    int n_measures;
    struct ks_measure *measures; /* of bounds and targets, each once */
    int n_bounds;
    struct ks_bound *bounds;
    int n_targets;
    struct ks_target *targets;
    enum ks_selection selection;
    double score_sd; /* of rater error, points */
    uint64_t seed;   /* of observation, dropout and replicates */
    int n_visits;
    double *visits; /* h, ascending, without 0 */
    struct {
        int n_draws;
        struct ks_population constants; /* traits are the uncertain constants */
    } uncertainty;
    struct {
        char *cohort; /* the file with the patients; NULL where none is named */
        int n_replicates;
        double size;    /* patients per arm of a replicate */
        double dropout; /* share of patients lost per week */
        double
            rescue_ratio; /* of the baseline score; a patient above it after rescue_after is given up; INFINITY */
        double rescue_after; /* h */
        double
            responders_at; /* h: relapse is counted among those who respond then; NaN: at their first visit */
    } trial;
    struct {
        double exposure_cost,
            dissociation_cost; /* of the default infusion's exposure and 10 points of CADSS, as remission */
        bool is_wanted;
    } tailor;
};

#endif
