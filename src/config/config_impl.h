/* Private to the configuration: how its text becomes settings, and its faults one sorted report.
 *
 * Data flows down this header: text.c joins a file and what it includes, libconfig parses the text into a
 * tree, overrides.c changes the tree, settings.c reads typed values from it, and the files of the topics fill
 * the campaign. A fault never stops reading: it is added to the report, and the value keeps its default. */
#ifndef KS_CONFIG_CONFIG_IMPL_H
#define KS_CONFIG_CONFIG_IMPL_H

#include "config/config.h"

#include <libconfig.h>
#include <math.h>

/* ---- faults.c: the report -------------------------------------------------------------------- */

struct ks_fault {
    size_t order[3]; /* of its place: line of the joined text, line of a CSV file, faults before it */
    bool is_warning;
    char *text;
};

struct ks_faults {
    size_t n, capacity, n_errors, n_warnings; /* those that were kept; all there were */
    struct ks_fault *faults;
    bool has_run_out; /* of memory: the report is not complete */
};

/* Adds a fault or warning with its place, one line without its newline. */
__attribute__((format(printf, 5, 6))) void ks_faults_add(struct ks_faults *report, bool is_warning,
                                                         size_t order, size_t suborder, const char *format,
                                                         ...);
/* Adds a text from open_memstream, which the report frees; NULL says that there was no memory for it. */
void ks_faults_take(struct ks_faults *report, bool is_warning, size_t order, size_t suborder, char *text);
/* Whether enough have been kept: the text of a further one is not wanted, though it must still be taken to count. */
bool ks_faults_is_full(const struct ks_faults *report, bool is_warning);
/* Sorts by place and writes one line each. */
void ks_faults_write(struct ks_faults *report, bool with_warnings, FILE *stream);
void ks_faults_release(struct ks_faults *report);

/* Writes `did you mean "points"?`, or what else helps: `otherwise`, or where that is NULL the known words. */
void ks_faults_suggest(FILE *stream, const char *word, int n_known, const char *const *known,
                       const char *otherwise);

/* ---- text.c: files --------------------------------------------------------------------------- */

enum { KS_TEXT_DEEPEST = 32 }; /* groups within groups */

struct ks_line {
    const char *file;
    int line;
};

struct ks_text {
    char *characters; /* ends with NUL */
    size_t n_characters, capacity;
    struct ks_line *lines; /* [n_lines] where each line of `characters` came from */
    size_t n_lines, line_capacity;
    char **files; /* [n_files] names, for `lines` */
    size_t n_files, file_capacity;
    size_t depth;                           /* groups that are open at its end */
    size_t n_settings[KS_TEXT_DEEPEST + 1]; /* so far in each of them, the text itself being the first */
};

/* Reads a file with everything that it includes. The first fault ends the text. */
int ks_text_read(struct ks_text *text, struct ks_faults *report, const char *path);
/* The same for text in memory, with faults placed in `name`. */
int ks_text_read_string(struct ks_text *text, struct ks_faults *report, const char *name, const char *string);
void ks_text_release(struct ks_text *text);

/* A whole file in memory, NUL added. Returns KS_OK with *reason = NULL, or says in *reason why it cannot be
 * read; the caller frees *bytes. */
int ks_text_load(const char *path, char **bytes, size_t *n_bytes, const char **reason);
/* `name` as seen from the directory of `path`. The caller frees *joined. */
int ks_text_resolve(const char *path, const char *name, char **joined);
int ks_text_copy(const char *string, char **copy);

/* ---- the state of reading -------------------------------------------------------------------- */

struct ks_override {
    char *key;
    size_t order;
};

/* What the configuration said of a variable, where the design keeps only what follows from it. */
struct ks_entry {
    const config_setting_t *setting;
    double location, spread; /* of a lognormal median and cv, of a logitnormal median and sd */
};

struct ks_pair {
    int a, b; /* variables, a < b */
    double rho;
};

struct ks_range {
    double low, high;
};

struct ks_reader {
    struct ks_campaign *campaign;
    struct ks_text text;
    struct ks_faults report;
    config_t tree;
    int n_overrides;
    struct ks_override *overrides;
    bool *is_varied;          /* [n_parameters] named by `parameters` or the design's file, rightly or not */
    bool *is_doubtful;        /* [n_parameters] a value or range of it was a fault */
    struct ks_entry *entries; /* [n_variables] */
    int n_pairs;
    struct ks_pair *pairs; /* correlations, ascending */
    int arm;               /* the arm whose entries stand over the whole's; -1: this is the whole */
};

/* ---- overrides.c ----------------------------------------------------------------------------- */

int ks_overrides_apply(struct ks_reader *reader, int n_overrides, const char *const *overrides);

/* Puts the entries of a group over those of the section `name`, with the places where they were written. */
int ks_overrides_merge(struct ks_reader *reader, const char *name, const config_setting_t *entries);

/* ---- settings.c: typed access ---------------------------------------------------------------- */

/* One key of a group: what reads it, checks it, defaults it and documents it. */
struct ks_key {
    const char *name, *unit;
    const char *fallback; /* the default as libconfig text; NULL where there is none */
    const char *meaning;
    struct ks_limits_info limits; /* of a number */
};

/* Limits of keys; the first also where the key is no number. */
#define KS_ANYTHING \
    { -INFINITY, INFINITY, false, false, false, "a number" }
#define KS_FROM_0 \
    { 0, INFINITY, true, false, false, ">= 0" }
#define KS_ABOVE_0 \
    { 0, INFINITY, false, false, false, "> 0" }

struct ks_keys {
    int n;
    const struct ks_key *keys;
};

#define KS_KEYS(array) \
    { sizeof(array) / sizeof *(array), (array) }

/* A group of the tree and the keys that it may hold; `setting` is NULL where the group is absent. */
struct ks_section {
    struct ks_reader *reader;
    const config_setting_t *setting;
    const struct ks_keys *keys;
};

extern const struct ks_keys ks_config_keys; /* of the whole text */
extern const struct ks_keys ks_config_solver_keys, ks_config_run_keys;
extern const struct ks_keys ks_plan_keys;        /* design */
extern const struct ks_keys ks_precision_keys;   /* design.stop */
extern const struct ks_keys ks_variables_keys;   /* an entry of parameters */
extern const struct ks_keys ks_correlation_keys; /* an entry of correlation */
extern const struct ks_keys ks_protocol_keys;    /* those that are no rows of the parameter table */
extern const struct ks_keys ks_schedule_infusion_keys, ks_schedule_session_keys;
extern const struct ks_keys ks_output_keys, ks_output_trajectory_keys;
extern const struct ks_keys ks_endpoints_keys; /* of an endpoint spelt out */
extern const struct ks_keys ks_population_keys, ks_population_omega_keys, ks_population_effect_keys;
extern const struct ks_keys ks_study_arm_keys, ks_study_bound_keys, ks_study_target_keys,
    ks_study_selection_keys;
extern const struct ks_keys ks_study_observation_keys, ks_study_uncertainty_keys, ks_study_trial_keys,
    ks_study_tailor_keys;

/* Adds a fault (a warning) at the place of a setting, with its full name before the sentence. */
__attribute__((format(printf, 3, 4))) void ks_settings_fault(struct ks_reader *reader,
                                                             const config_setting_t *setting,
                                                             const char *format, ...);
__attribute__((format(printf, 3, 4))) void ks_settings_warn(struct ks_reader *reader,
                                                            const config_setting_t *setting,
                                                            const char *format, ...);
/* The fault `unknown WHAT "word"; did you mean ...?`; without its second part where `is_key`: the name says
 * it. */
void ks_settings_unknown(struct ks_reader *reader, const config_setting_t *setting, const char *what,
                         const char *word, bool is_key, int n_known, const char *const *known,
                         const char *otherwise);
/* The place of a setting in the joined text, for sorting. */
size_t ks_settings_order(const struct ks_reader *reader, const config_setting_t *setting);

/* The file in which a setting stands; of an override, the configuration. */
const char *ks_settings_file(const struct ks_reader *reader, const config_setting_t *setting);

/* The member of a group, NULL where it or the group is absent. */
const config_setting_t *ks_settings_member(const config_setting_t *group, const char *name);
const config_setting_t *ks_settings_top(const struct ks_reader *reader, const char *name);

/* A number as it stands, whole or not; NaN where the setting is none, or absent. */
double ks_settings_as_it_stands(const config_setting_t *setting);

/* Opens a group; one that is not a group, and every unknown key in it, is a fault. */
struct ks_section ks_settings_open(struct ks_reader *reader, const config_setting_t *setting,
                                   const struct ks_keys *keys);
const config_setting_t *ks_settings_find(const struct ks_section *section, const char *name);
/* True where the key is there, else a fault. */
bool ks_settings_require(const struct ks_section *section, const char *name);

/* True where the key is there and its value right; else a fault or, where it is absent, the default. */
bool ks_settings_number(const struct ks_section *section, const char *name, double *value);
bool ks_settings_count(const struct ks_section *section, const char *name, uint64_t *value);
bool ks_settings_string(const struct ks_section *section, const char *name, const char **value);
bool ks_settings_choice(const struct ks_section *section, const char *name, int n_names,
                        const char *const *names, int *value);

/* One setting. */
bool ks_settings_to_number(struct ks_reader *reader, const config_setting_t *setting, double *value);
bool ks_settings_to_string(struct ks_reader *reader, const config_setting_t *setting, const char **value);

/* An integer or a string, as text. */
struct ks_word_text {
    char text[256];
};
bool ks_settings_to_word(struct ks_reader *reader, const config_setting_t *setting,
                         struct ks_word_text *word);
bool ks_settings_is_group(struct ks_reader *reader, const config_setting_t *setting);
bool ks_settings_is_aggregate(struct ks_reader *reader, const config_setting_t *setting, const char *what);
/* A value of a parameter: a number within its hard limits, or for `route` a name. */
bool ks_settings_to_parameter(struct ks_reader *reader, const config_setting_t *setting,
                              const struct ks_parameter_info *info, double *value);
/* Numbers of an array or list, the caller's to free; NULL after a fault. */
int ks_settings_to_numbers(struct ks_reader *reader, const config_setting_t *setting, int *n,
                           double **values);

bool ks_settings_is_within(const struct ks_limits_info *limits, double value);
bool ks_settings_check(struct ks_reader *reader, const config_setting_t *setting,
                       const struct ks_limits_info *limits, double value);
/* True where the plausible range of a parameter is in the unit of doses. */
bool ks_settings_has_range(const struct ks_reader *reader, const struct ks_parameter_info *info);
/* Warns of a value outside it. */
void ks_settings_judge(struct ks_reader *reader, const config_setting_t *setting,
                       const struct ks_parameter_info *info, double value);

/* The shortest text that reads back as `value`. */
struct ks_number_text {
    char text[32];
};
struct ks_number_text ks_settings_number_text(double value);

/* ---- lookup.c: parameters by name, and their values ------------------------------------------ */

/* The row of a parameter by name, -1 if there is none. */
int ks_lookup_parameter(const struct ks_campaign *campaign, const char *name);
/* The fault of a name that is no parameter. */
void ks_lookup_unknown(struct ks_reader *reader, const config_setting_t *setting, const char *name,
                       bool is_key);
/* The variable that varies a parameter, -1 if it is fixed. */
int ks_lookup_variable(const struct ks_campaign *campaign, int parameter);
/* The values that a parameter can take, fixed or varied; NaN where a fault left them unknown. */
struct ks_range ks_lookup_range(const struct ks_reader *reader, int parameter);
/* Those without the thousandth at either end, where a distribution may have no end. */
struct ks_range ks_lookup_likely_range(const struct ks_reader *reader, int parameter);

/* Whether a row of the model's table belongs to the section protocol; all others to patient. */
bool ks_lookup_is_protocol(int parameter);

/* ---- csv.c ----------------------------------------------------------------------------------- */

struct ks_csv {
    struct ks_reader *reader;
    const config_setting_t *setting; /* that names the file */
    char *path, *bytes;
    size_t n_columns, n_rows;
    char **header;              /* [n_columns] */
    char **cells;               /* [n_rows][n_columns], trimmed */
    size_t header_line, *lines; /* [n_rows] */
    size_t n_faults;
};

/* Reads the file that a setting names, relative to the file in which the setting stands. Where it cannot be
 * read, n_columns is 0. */
int ks_csv_read(struct ks_csv *csv, struct ks_reader *reader, const config_setting_t *setting,
                const char *name);
void ks_csv_release(struct ks_csv *csv);

/* Faults of a file, placed at a line; with a cell, its column too. */
__attribute__((format(printf, 3, 4))) void ks_csv_fault(struct ks_csv *csv, size_t line, const char *format,
                                                        ...);
__attribute__((format(printf, 4, 5))) void ks_csv_fault_cell(struct ks_csv *csv, size_t row, size_t column,
                                                             const char *format, ...);
/* Finds the columns of `names`, -1 where absent; an unknown or doubled header is a fault. */
void ks_csv_find_columns(struct ks_csv *csv, int n_names, const char *const *names, int *columns,
                         const char *otherwise);
/* An empty cell or ".". */
bool ks_csv_is_blank(const struct ks_csv *csv, size_t row, size_t column);
/* A number; with `is_blank_zero` a blank cell is 0. */
bool ks_csv_number(struct ks_csv *csv, size_t row, size_t column, bool is_blank_zero, double *value);
/* A name or code of a route. */
bool ks_csv_route(struct ks_csv *csv, size_t row, size_t column, double *value);

/* ---- the topics ------------------------------------------------------------------------------ */

/* plan.c: design, with the rows of a file. */
int ks_plan_read(struct ks_reader *reader);

/* precision.c: design.stop, whose kind is known. */
int ks_precision_read(struct ks_reader *reader, const config_setting_t *setting);
void ks_precision_release(struct ks_precision *precision);

/* variables.c: parameters. */
int ks_variables_read(struct ks_reader *reader);

/* The distribution of a population's entry, whose name its caller has understood. */
int ks_variables_read_trait(struct ks_reader *reader, const config_setting_t *setting,
                            const struct ks_parameter_info *info, struct ks_distribution *distribution);

/* population.c: population but what it accepts; the constants of uncertainty, listed or by their grade. */
int ks_population_read(struct ks_reader *reader);
int ks_population_read_constants(struct ks_reader *reader, const config_setting_t *section);
int ks_population_read_grades(struct ks_reader *reader, const char *grades, double cv);

/* study.c: the sections of cohorts and trials, without the arms' campaigns. */
int ks_study_read(struct ks_reader *reader);
void ks_study_release(struct ks_clinical_study *study);

/* correlation.c: correlation. */
int ks_correlation_read(struct ks_reader *reader);

/* protocol.c: protocol and patient; before anything is judged by it, the unit of doses. */
void ks_protocol_read_dose_unit(struct ks_reader *reader);
int ks_protocol_read(struct ks_reader *reader);

/* Where a parameter was given: its entry of `parameters`, or its key of protocol or patient; else NULL. */
const config_setting_t *ks_protocol_place(const struct ks_reader *reader, int parameter);

/* schedule.c: explicit infusions and sessions, whatever is regular having been read. */
int ks_schedule_read(struct ks_reader *reader, const config_setting_t *protocol);
/* Whether infusion_start has an effect: on regular infusions, or on the regular sessions that follow it. */
bool ks_schedule_uses_start(const struct ks_reader *reader);

/* endpoints.c: the endpoints of output. */
int ks_endpoints_read(const struct ks_section *output);
/* The 0/1 operation that says whether the event of a time to an event came; -1 for other operations. */
int ks_endpoints_companion(enum ks_op op);
/* A state or derived quantity by name; an unknown one is a fault and -1. */
int ks_endpoints_find_quantity(struct ks_reader *reader, const config_setting_t *setting, const char *name);

/* output.c: output. */
int ks_output_read(struct ks_reader *reader);

/* canonical.c: fills campaign->canonical; of a study too, from its settings as they stand. */
int ks_canonical_write(const struct ks_reader *reader);

#endif
