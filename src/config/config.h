/* From libconfig text to filled, checked structs. Nothing unknown is accepted, every fault is reported at once, each
 * as one sentence with file, line, key, what was found and what is allowed. */
#ifndef KS_CONFIG_CONFIG_H
#define KS_CONFIG_CONFIG_H

#include "config/study.h"
#include "design/design.h"
#include "model/model.h"
#include "solver/solver.h"
#include "therapy/therapy.h"

#include <stdbool.h>
#include <stdio.h>

/* When a study is precise enough (design.stop). */
struct ks_precision {
    bool is_wanted;
    char *method; /* NULL: the design's own */
    int n_endpoints;
    char **endpoints;  /* [n_endpoints] whose intervals count; all where there are none */
    double half_width; /* of every interval, at most */
};

/* A configuration, complete with defaults. Owned: release with ks_config_release. */
struct ks_campaign {
    char *path;  /* of the configuration */
    char *title; /* "" where none was given */

    /* The model: the mechanistic one, or a test function (then parameters, treatment, times do not count). */
    char *model;                             /* "ketamine" or "test:NAME" */
    const struct ks_test_function *function; /* NULL for the mechanistic model */
    int n_parameters;                        /* rows of parameter_table */
    const struct ks_parameter_info
        *parameter_table; /* ks_parameters, or the inputs x1, x2, ... of the function */

    double *parameters; /* [n_parameters] the point from which varied parameters start */
    struct ks_treatment treatment;
    bool is_named[KS_N_PARAMETERS]; /* set or varied by the configuration; else a default */

    struct ks_design design; /* one point where there is no design section */

    struct ks_precision precision;

    int n_endpoints;
    struct ks_endpoint *endpoints; /* a function's outputs have only a name and a unit */
    int n_times;
    double *times; /* h, ascending */
    int n_quantities;
    int *quantities;       /* enum ks_quantity */
    bool has_trajectories; /* output.trajectories was given */
    char *output_file;

    struct ks_solver_options solver;

    struct {
        double commit_seconds;
        double time_limit;       /* s since the start; 0: none but Slurm's */
        double watchdog_seconds; /* 0: none */
        int n_hints;
        char **hints; /* to MPI-IO, "NAME=VALUE" each */
        int watch;    /* the endpoint that progress shows */
    } run;

    struct ks_clinical_study *study; /* of cohorts and trials; NULL where no section of theirs is there */

    char *canonical; /* what decides the rows, complete, as libconfig text; equal for equal campaigns */
};

/* Reads and checks `path` with the overrides "KEY=VALUE" of --set. On KS_ERR_USAGE every fault has been written to
 * `messages`, one line each, and nothing is left to release. Warnings go there too, when `with_warnings`. */
int ks_config_load(const char *path, int n_overrides, const char *const *overrides, bool with_warnings,
                   FILE *messages, struct ks_campaign *campaign);

/* From the canonical text in a result file `path`: the model with its parameter table, and the design, but for the rows of a
 * file; the rest stays empty. */
int ks_config_load_design(const char *path, const char *canonical, FILE *messages,
                          struct ks_campaign *campaign);

/* From the canonical text in a result file: model, design, treatment and endpoints, of an arm where `arm` >= 0, as far as the
 * text tells them: it has long schedules, and rows of files, by their hash alone. False, and nothing to release, where it
 * tells no protocol. */
bool ks_config_load_protocol(const char *path, const char *canonical, int arm, struct ks_campaign *campaign);

/* The number of a stored text's arms, 0 where it has none; the name of one, "" where it has none, the caller's to free. */
int ks_config_count_arms(const char *canonical);
int ks_config_name_arm(const char *canonical, int arm, char **name);

void ks_config_release(struct ks_campaign *campaign);

/* How a stored canonical text differs from the present one: a line "  KEY: stored VALUE, present VALUE" for each key. */
int ks_config_compare(const char *stored, const char *present, FILE *stream, int *n_differences);

/* design.points of a canonical text, or the number of a file's rows; false where the design has neither. */
bool ks_config_find_points(const char *canonical, uint64_t *n_points);

/* A number anywhere in a canonical text, such as "trial.responders_at"; NaN where there is none. */
double ks_config_find_number(const char *canonical, const char *path);

/* Writes configs/reference.cfg: every key with its unit, default and meaning. */
void ks_config_write_reference(FILE *stream);

/* One key with its full name, and its values as libconfig text where these are few. */
typedef void ks_config_key_visitor(void *self, const char *key, const char *meaning, int n_values,
                                   const char *const *values);

/* Every key that an override KEY=VALUE can name, but for the elements of lists. */
int ks_config_visit_keys(ks_config_key_visitor *visitor, void *self);

/* The known word nearest to `word` by edit distance, NULL where none is near. */
const char *ks_config_nearest(const char *word, int n_known, const char *const *known);

#endif
