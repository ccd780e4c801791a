/* Loads a configuration: the stages in the order in which they need each other, and the report at the end.
 *
 * A stage that meets a fault goes on with defaults, so that one run shows every fault; only a file that
 * cannot be read or is no libconfig text stops at once. */
#include "config/config.h"

#include "base/memory.h"
#include "config/config_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct ks_key keys[] = {
    {"title", "", "\"\"", "of the result", KS_ANYTHING},
    {"model", "", "\"ketamine\"", "or test:NAME, a function with known answers", KS_ANYTHING},
    {"protocol", "", NULL, "what is done to every patient", KS_ANYTHING},
    {"patient", "", NULL, "any model parameter by its name; the rest keep their defaults", KS_ANYTHING},
    {"design", "", NULL, "which points; without it, one", KS_ANYTHING},
    {"parameters", "", NULL, "what varies", KS_ANYTHING},
    {"correlation", "", NULL, "between what varies", KS_ANYTHING},
    {"output", "", NULL, "what is written", KS_ANYTHING},
    {"population", "", NULL, "virtual patients", KS_ANYTHING},
    {"arms", "", NULL, "what is done to them, each the protocol above with entries of its own", KS_ANYTHING},
    {"targets", "", NULL, "published numbers: to select patients, or to compare with", KS_ANYTHING},
    {"selection", "", NULL, "how targets select", KS_ANYTHING},
    {"observation", "", NULL, "what a rater sees, and when", KS_ANYTHING},
    {"uncertainty", "", NULL, "of constants: an outer loop that gives intervals", KS_ANYTHING},
    {"trial", "", NULL, "how arms are compared", KS_ANYTHING},
    {"tailor", "", NULL, "which arm suits which patients", KS_ANYTHING},
    {"solver", "", NULL, "how the equations are solved", KS_ANYTHING},
    {"run", "", NULL, "how the campaign runs; decides no row", KS_ANYTHING},
};
const struct ks_keys ks_config_keys = KS_KEYS(keys);

/* At 1e-6 every endpoint has four digits: of 2,048 points each of demo.cfg and sweep.cfg, against rtol 1e-10, the
 * largest relative error is 2.6e-5, and 3.4e-5 for 999 in 1,000 of relapse_time_h, whose worst, 2.2e-4, hardly crosses its
 * level. At 1e-5, in two thirds of the time, it is 2.7e-4 (window_hours) and 9.3e-4. */
static const struct ks_key solver_keys[] = {
    {"kind", "", "\"rosenbrock\"",
     "rosenbrock: many patients at once; cvode: the reference, twenty times slower", KS_ANYTHING},
    {"rtol",
     "1",
     "1e-6",
     "relative tolerance, in [1e-13, 0.01]",
     {1e-13, 0.01, true, true, false, "in [1e-13, 0.01]"}},
    {"max_steps",
     "1",
     "100000",
     "accepted steps over a course, beyond which a point fails",
     {1, INT32_MAX, true, true, true, "an integer in [1, 2147483647]"}},
};
const struct ks_keys ks_config_solver_keys = KS_KEYS(solver_keys);

static const struct ks_key run_keys[] = {
    {"commit_seconds",
     "s",
     "30.0",
     "time between commits to the file",
     {0, INFINITY, false, false, false, "> 0"}},
    {"time_limit",
     "s",
     "0.0",
     "the run stops by itself in time for this; 0: no limit but that of the Slurm job",
     {0, INFINITY, true, false, false, ">= 0"}},
    {"watchdog_seconds",
     "s",
     "0.0",
     "a rank that does nothing for so long ends the job; 0: never",
     {0, INFINITY, true, false, false, ">= 0"}},
    {"mpi_info", "", NULL,
     "hints to MPI-IO by their names, numbers or strings; none by default (jobs/README.md)", KS_ANYTHING},
    {"watch", "", NULL, "the endpoint whose mean progress shows (default: madrs_change_end, or the first)",
     KS_ANYTHING},
};
const struct ks_keys ks_config_run_keys = KS_KEYS(run_keys);

/* ---- text to tree ---------------------------------------------------------------------------- */

/* What helps with libconfig's own sentences. */
static const char *explain(const char *sentence) {
    if (strcmp(sentence, "duplicate setting name") == 0)
        return "this key is given already; leave out one of the two";
    if (strcmp(sentence, "mismatched element type in array") == 0)
        return "syntax error: an array holds one type; write 1.0 beside 0.5";
    if (strcmp(sentence, "memory exhausted") == 0)
        return "syntax error: nested too deeply; a configuration needs no more than 32 levels";
    if (strcmp(sentence, "syntax error") == 0)
        return "syntax error; write entries as name = value; and groups as name : { ... };";
    return sentence;
}

/* Faults of syntax leave nothing to read. */
static int parse(struct ks_reader *reader) {
    const struct ks_text *text = &reader->text;
    if (reader->report.n_errors > 0) return KS_OK;
    if (config_read_string(&reader->tree, text->characters == NULL ? "" : text->characters) == CONFIG_TRUE)
        return KS_OK;
    size_t line = (size_t)config_error_line(&reader->tree);
    if (line > text->n_lines) line = text->n_lines;
    const struct ks_line *place = &text->lines[line > 0 ? line - 1 : 0];
    ks_faults_add(&reader->report, false, line, 0, "%s:%d: %s", place->file, place->line,
                  explain(config_error_text(&reader->tree)));
    return KS_OK;
}

/* ---- the model ------------------------------------------------------------------------------- */

static void report_unknown_model(struct ks_reader *reader, const config_setting_t *setting,
                                 const char *name) {
    enum { MOST = 64 };
    char words[MOST][64];
    const char *known[MOST];
    int n = 0;
    const struct ks_test_function *function;
    snprintf(words[n++], sizeof words[0], "ketamine");
    for (int i = 0; n < MOST && (function = ks_model_test_function(i)) != NULL; i++)
        snprintf(words[n++], sizeof words[0], "test:%s", function->name);
    for (int i = 0; i < n; i++) known[i] = words[i];
    ks_settings_unknown(reader, setting, "model", name, false, n, known, NULL);
}

/* A function's inputs, as a table like that of the model's parameters. */
static int make_table(struct ks_campaign *campaign) {
    const struct ks_test_function *function = campaign->function;
    struct ks_parameter_info *table;
    KS_ALLOCATE(table, (size_t)function->n_inputs);
    campaign->parameter_table = table;
    for (int i = 0; i < function->n_inputs; i++) {
        char name[16];
        char *copy;
        const struct ks_test_input common = {name, function->low, function->high},
                                   *input = function->inputs != NULL ? &function->inputs[i] : &common;
        snprintf(name, sizeof name, "x%d", i + 1);
        KS_TRY(ks_text_copy(input->name, &copy));
        campaign->n_parameters++;
        table[i] = (struct ks_parameter_info){.name = copy,
                                              .unit = "1",
                                              .limits = KS_LIMITS_REAL,
                                              .value = (input->low + input->high) / 2,
                                              .low = input->low,
                                              .high = input->high,
                                              .group = "function",
                                              .description = "input of the function",
                                              .source = "-",
                                              .grade = "-"};
    }
    return KS_OK;
}

static int read_model(struct ks_reader *reader, const struct ks_section *top) {
    struct ks_campaign *campaign = reader->campaign;
    const char *title = "", *model = "ketamine";
    ks_settings_string(top, "title", &title);
    ks_settings_string(top, "model", &model);
    if (strncmp(model, "test:", 5) == 0) campaign->function = ks_model_find_test_function(model + 5);
    if (campaign->function == NULL && strcmp(model, "ketamine") != 0) {
        report_unknown_model(reader, ks_settings_find(top, "model"), model);
        return KS_OK;
    }
    KS_TRY(ks_text_copy(title, &campaign->title));
    KS_TRY(ks_text_copy(model, &campaign->model));
    if (campaign->function != NULL) {
        KS_TRY(make_table(campaign));
    } else {
        campaign->n_parameters = KS_N_PARAMETERS;
        campaign->parameter_table = ks_parameters;
    }
    KS_ALLOCATE(campaign->parameters, (size_t)campaign->n_parameters);
    KS_ALLOCATE(reader->is_varied, (size_t)campaign->n_parameters);
    KS_ALLOCATE(reader->is_doubtful, (size_t)campaign->n_parameters);
    for (int i = 0; i < campaign->n_parameters; i++)
        campaign->parameters[i] = campaign->parameter_table[i].value;
    return KS_OK;
}

/* ---- the rest -------------------------------------------------------------------------------- */

/* Only MPI-IO knows which hints there are; it ignores those that it does not know. */
static int read_hints(struct ks_reader *reader, const config_setting_t *group) {
    struct ks_campaign *campaign = reader->campaign;
    if (group == NULL || !ks_settings_is_group(reader, group)) return KS_OK;
    KS_ALLOCATE(campaign->run.hints, (size_t)config_setting_length(group) + 1);
    for (int i = 0; i < config_setting_length(group); i++) {
        const config_setting_t *hint = config_setting_get_elem(group, (unsigned)i);
        struct ks_word_text word;
        char text[512];
        if (!ks_settings_to_word(reader, hint, &word)) continue;
        snprintf(text, sizeof text, "%.200s=%s", config_setting_name(hint), word.text);
        KS_TRY(ks_text_copy(text, &campaign->run.hints[campaign->run.n_hints++]));
    }
    return KS_OK;
}

static int read_solver_and_run(struct ks_reader *reader) {
    struct ks_campaign *campaign = reader->campaign;
    struct ks_section solver =
        ks_settings_open(reader, ks_settings_top(reader, "solver"), &ks_config_solver_keys);
    struct ks_section run = ks_settings_open(reader, ks_settings_top(reader, "run"), &ks_config_run_keys);
    int kind;
    uint64_t max_steps;
    ks_settings_choice(&solver, "kind", KS_N_SOLVERS, ks_solver_names, &kind);
    ks_settings_number(&solver, "rtol", &campaign->solver.rtol);
    ks_settings_count(&solver, "max_steps", &max_steps);
    ks_settings_number(&run, "commit_seconds", &campaign->run.commit_seconds);
    ks_settings_number(&run, "time_limit", &campaign->run.time_limit);
    ks_settings_number(&run, "watchdog_seconds", &campaign->run.watchdog_seconds);
    campaign->solver.kind = (enum ks_solver_kind)kind;
    campaign->solver.max_steps = (int)max_steps;
    return read_hints(reader, ks_settings_find(&run, "mpi_info"));
}

/* The endpoint that progress shows, once all are known. */
static int read_watch(struct ks_reader *reader) {
    struct ks_campaign *campaign = reader->campaign;
    const config_setting_t *setting = ks_settings_member(ks_settings_top(reader, "run"), "watch");
    const char **names, *wanted = "madrs_change_end";
    int n = campaign->n_endpoints, watch = -1;
    if (setting != NULL && !ks_settings_to_string(reader, setting, &wanted)) return KS_OK;
    KS_ALLOCATE(names, (size_t)n);
    for (int i = 0; i < n; i++) {
        names[i] = campaign->endpoints[i].name;
        if (strcmp(names[i], wanted) == 0) watch = i;
    }
    if (setting != NULL && watch < 0 && n > 0)
        ks_settings_unknown(reader, setting, "endpoint", wanted, false, n, names,
                            "it must be one of output.endpoints");
    campaign->run.watch = watch > 0 ? watch : 0;
    free(names);
    return KS_OK;
}

/* The arm's entries stand over those of the whole. */
static int take_arm(struct ks_reader *reader) {
    const config_setting_t *list = ks_settings_top(reader, "arms");
    const config_setting_t *arm = list == NULL ? NULL : config_setting_get_elem(list, (unsigned)reader->arm);
    KS_TRY(ks_overrides_merge(reader, "protocol", ks_settings_member(arm, "protocol")));
    return ks_overrides_merge(reader, "patient", ks_settings_member(arm, "patient"));
}

/* What varies between patients counts as given. */
static void mark_traits(struct ks_reader *reader, const struct ks_population *population) {
    for (int i = 0; i < population->n_traits; i++)
        if (population->traits[i].parameter >= 0) reader->is_varied[population->traits[i].parameter] = true;
}

static int read_sections(struct ks_reader *reader, const struct ks_population *population) {
    struct ks_section top = ks_settings_open(reader, config_root_setting(&reader->tree), &ks_config_keys);
    KS_TRY(read_model(reader, &top));
    KS_TRY(read_solver_and_run(reader));
    if (reader->campaign->model == NULL) return KS_OK; /* of an unknown model no name can be judged */
    if (population != NULL) KS_TRY(take_arm(reader));
    ks_protocol_read_dose_unit(reader);
    KS_TRY(ks_plan_read(reader));
    KS_TRY(ks_correlation_read(reader));
    if (population != NULL) mark_traits(reader, population);
    KS_TRY(ks_protocol_read(reader));
    KS_TRY(ks_output_read(reader));
    if (population != NULL) return KS_OK;
    KS_TRY(read_watch(reader));
    return ks_study_read(reader);
}

/* `population` of an arm; NULL for the whole. */
static int load(struct ks_reader *reader, const char *path, int n_overrides, const char *const *overrides,
                const struct ks_population *population) {
    KS_TRY(ks_text_copy(path, &reader->campaign->path));
    KS_TRY(ks_text_read(&reader->text, &reader->report, path));
    KS_TRY(parse(reader));
    if (reader->report.n_errors > 0) return KS_OK;
    KS_TRY(ks_overrides_apply(reader, n_overrides, overrides));
    KS_TRY(read_sections(reader, population));
    return reader->report.n_errors == 0 ? ks_canonical_write(reader) : KS_OK;
}

static int conclude(struct ks_reader *reader, bool with_warnings, FILE *messages) {
    const struct ks_faults *report = &reader->report;
    ks_faults_write(&reader->report, with_warnings, messages);
    KS_CHECK(!report->has_run_out, KS_ERR_MEMORY, "no memory to report the faults of %s",
             reader->campaign->path);
    KS_CHECK(report->n_errors == 0, KS_ERR_USAGE, "%zu %s in %s", report->n_errors,
             report->n_errors == 1 ? "fault" : "faults", reader->campaign->path);
    return KS_OK;
}

static void release_reader(struct ks_reader *reader) {
    for (int i = 0; i < reader->n_overrides; i++) free(reader->overrides[i].key);
    free(reader->overrides);
    free(reader->is_varied);
    free(reader->is_doubtful);
    free(reader->entries);
    free(reader->pairs);
    config_destroy(&reader->tree);
    ks_text_release(&reader->text);
    ks_faults_release(&reader->report);
}

/* The configuration once more, as one arm sees it. */
static int load_arm(const char *path, int n_overrides, const char *const *overrides, FILE *messages,
                    const struct ks_clinical_study *study, int arm, struct ks_campaign *campaign) {
    struct ks_reader reader = {.campaign = campaign, .arm = arm};
    config_init(&reader.tree);
    int err = load(&reader, path, n_overrides, overrides, &study->population);
    if (err == KS_OK) err = conclude(&reader, false, messages);
    release_reader(&reader);
    return err;
}

static int load_arms(const char *path, int n_overrides, const char *const *overrides, FILE *messages,
                     struct ks_clinical_study *study) {
    for (int i = 0; study != NULL && i < study->n_arms; i++) {
        KS_ALLOCATE(study->arms[i].campaign, 1);
        KS_TRY(load_arm(path, n_overrides, overrides, messages, study, i, study->arms[i].campaign));
    }
    return KS_OK;
}

int ks_config_load(const char *path, int n_overrides, const char *const *overrides, bool with_warnings,
                   FILE *messages, struct ks_campaign *campaign) {
    struct ks_reader reader = {.campaign = campaign, .arm = -1};
    *campaign = (struct ks_campaign){0};
    config_init(&reader.tree);
    int err = load(&reader, path, n_overrides, overrides, NULL);
    if (err == KS_OK) err = conclude(&reader, with_warnings, messages);
    release_reader(&reader);
    if (err == KS_OK) err = load_arms(path, n_overrides, overrides, messages, campaign->study);
    if (err < 0) ks_config_release(campaign);
    return err;
}

/* ---- the design of a campaign that has run ---------------------------------------------------- */

/* Of a design from a CSV file the text has the names of its columns alone. */
static int name_columns(struct ks_reader *reader, const config_setting_t *columns) {
    struct ks_campaign *campaign = reader->campaign;
    int n = config_setting_length(columns);
    campaign->design = (struct ks_design){.kind = KS_DESIGN_file};
    KS_ALLOCATE(campaign->design.variables, (size_t)n);
    for (int i = 0; i < n; i++) {
        const char *name = config_setting_get_string_elem(columns, i);
        int parameter = name != NULL ? ks_lookup_parameter(campaign, name) : -1;
        KS_CHECK(parameter >= 0, KS_ERR_FORMAT, "%s: a column of its design is no parameter", campaign->path);
        campaign->design.variables[campaign->design.n_variables++].parameter = parameter;
    }
    return KS_OK;
}

/* A stored text names every regular entry, and so infusion_start; beside an arm's explicit infusions it has no effect where no
 * regular session follows it, and would be refused. */
static void drop_start(struct ks_reader *reader) {
    config_setting_t *protocol = config_lookup(&reader->tree, "protocol");
    bool is_explicit = ks_settings_member(protocol, "infusions") != NULL,
         has_times = ks_settings_member(protocol, "sessions") != NULL;
    double n_sessions = ks_settings_as_it_stands(ks_settings_member(protocol, "session_count"));
    if (is_explicit && (has_times || !(n_sessions > 0))) config_setting_remove(protocol, "infusion_start");
}

/* Model and design of a stored text, of the reader's arm where it has one. */
static int load_design(struct ks_reader *reader, const char *path, const char *canonical) {
    KS_TRY(ks_text_copy(path, &reader->campaign->path));
    KS_TRY(ks_text_read_string(&reader->text, &reader->report, path, canonical));
    KS_TRY(parse(reader));
    if (reader->report.n_errors > 0) return KS_OK;
    struct ks_section top = ks_settings_open(reader, config_root_setting(&reader->tree), &ks_config_keys);
    KS_TRY(read_model(reader, &top));
    if (reader->campaign->model == NULL) return KS_OK;
    if (reader->arm >= 0) {
        KS_TRY(take_arm(reader));
        drop_start(reader);
    }
    ks_protocol_read_dose_unit(reader);
    const config_setting_t *columns = ks_settings_member(ks_settings_top(reader, "design"), "columns");
    if (columns != NULL) return name_columns(reader, columns);
    KS_TRY(ks_plan_read(reader));
    return ks_correlation_read(reader);
}

int ks_config_load_design(const char *path, const char *canonical, FILE *messages,
                          struct ks_campaign *campaign) {
    struct ks_reader reader = {.campaign = campaign, .arm = -1};
    *campaign = (struct ks_campaign){0};
    config_init(&reader.tree);
    int err = load_design(&reader, path, canonical);
    if (err == KS_OK) err = conclude(&reader, false, messages);
    release_reader(&reader);
    if (err < 0) ks_config_release(campaign);
    return err;
}

/* The columns of a file vary, in a range that is not told: around the default. */
static int take_columns(struct ks_reader *reader) {
    struct ks_design *design = &reader->campaign->design;
    if (design->kind != KS_DESIGN_file) return KS_OK;
    KS_ALLOCATE(reader->entries, (size_t)design->n_variables);
    for (int i = 0; i < design->n_variables; i++) {
        int parameter = design->variables[i].parameter;
        double value = reader->campaign->parameters[parameter];
        reader->is_varied[parameter] = true;
        design->variables[i].distribution = (struct ks_distribution){
            .kind = KS_DISTRIBUTION_uniform, .a = value, .b = value, .low = -INFINITY, .high = INFINITY};
    }
    return KS_OK;
}

static int load_protocol(struct ks_reader *reader, const char *path, const char *canonical) {
    KS_TRY(load_design(reader, path, canonical));
    if (reader->report.n_errors > 0 || reader->campaign->function != NULL) return KS_OK;
    KS_TRY(take_columns(reader));
    KS_TRY(ks_protocol_read(reader));
    return ks_output_read(reader);
}

bool ks_config_load_protocol(const char *path, const char *canonical, int arm, struct ks_campaign *campaign) {
    struct ks_reader reader = {.campaign = campaign, .arm = arm};
    *campaign = (struct ks_campaign){0};
    config_init(&reader.tree);
    int err = load_protocol(&reader, path, canonical);
    bool is_told =
        err == KS_OK && reader.report.n_errors == 0 && campaign->model != NULL && campaign->function == NULL;
    release_reader(&reader);
    if (err < 0) ks_error_clear();
    if (!is_told) ks_config_release(campaign);
    return is_told;
}

void ks_config_release(struct ks_campaign *campaign) {
    if (campaign->function != NULL) {
        for (int i = 0; i < campaign->n_parameters; i++) free((char *)campaign->parameter_table[i].name);
        free((struct ks_parameter_info *)campaign->parameter_table);
    }
    for (int i = 0; i < campaign->n_endpoints; i++) {
        free((char *)campaign->endpoints[i].name);
        free((char *)campaign->endpoints[i].unit);
    }
    ks_precision_release(&campaign->precision);
    ks_study_release(campaign->study);
    free(campaign->path);
    free(campaign->title);
    free(campaign->model);
    free(campaign->parameters);
    free(campaign->treatment.infusion_events);
    free(campaign->treatment.session_events);
    ks_design_release(&campaign->design);
    free(campaign->endpoints);
    free(campaign->times);
    free(campaign->quantities);
    free(campaign->output_file);
    for (int i = 0; i < campaign->run.n_hints; i++) free(campaign->run.hints[i]);
    free(campaign->run.hints);
    free(campaign->canonical);
    *campaign = (struct ks_campaign){0};
}
