/* configs/reference.cfg, generated: every key with its unit, default and meaning, from the same tables that
 * read and check a configuration. It loads as it is; what would contradict another key is written as a
 * comment. */
#include "config/config_impl.h"

#include <string.h>

enum { COMMENT_COLUMN = 44 };

/* `  name = value;   # comment`, the whole line a comment itself where `is_out`. */
static void write_line(FILE *stream, bool is_out, const char *name, const char *value, const char *unit,
                       const char *comment) {
    int n = fprintf(stream, "  %s%s = %s;", is_out ? "# " : "", name, value);
    fprintf(stream, "%*s # ", n < COMMENT_COLUMN ? COMMENT_COLUMN - n : 1, "");
    if (unit[0] != '\0' && strcmp(unit, "1") != 0) fprintf(stream, "%s; ", unit);
    fprintf(stream, "%s\n", comment);
}

/* The keys of a table, with their defaults; those without one are shown with an example, as comments. */
static void write_keys(FILE *stream, const struct ks_keys *keys, const char *const *examples) {
    for (int i = 0; i < keys->n; i++) {
        const struct ks_key *key = &keys->keys[i];
        bool is_out = key->fallback == NULL;
        write_line(stream, is_out, key->name, is_out ? examples[i] : key->fallback, key->unit, key->meaning);
    }
}

/* ---- protocol and patient -------------------------------------------------------------------- */

/* The route sets three parameters, and infusion_rate is the twin of infusion_duration. */
static bool is_left_out(int parameter) {
    return parameter == KS_PARAMETER_infusion_rate || parameter == KS_PARAMETER_bioavailability ||
           parameter == KS_PARAMETER_absorption_rate || parameter == KS_PARAMETER_first_pass_norketamine;
}

static void write_parameter(FILE *stream, int i) {
    const struct ks_parameter_info *info = &ks_parameters[i];
    char value[48], comment[512];
    if (i == KS_PARAMETER_route) {
        snprintf(value, sizeof value, "\"%s\"", ks_routes[(int)info->value].name);
        write_line(stream, false, info->name, value, "", ks_limits[info->limits].words);
        return;
    }
    struct ks_number_text number = ks_settings_number_text(info->value);
    snprintf(value, sizeof value, "%s%s", number.text,
             ks_limits[info->limits].is_integer || strpbrk(number.text, ".e") != NULL ? "" : ".0");
    snprintf(comment, sizeof comment, "%s, plausible %s to %s; %s", ks_limits[info->limits].words,
             ks_settings_number_text(info->low).text, ks_settings_number_text(info->high).text,
             info->description);
    write_line(stream, is_left_out(i), info->name, value, info->unit, comment);
}

static void write_protocol(FILE *stream) {
    static const char *const examples[] = {"", "( { time = 0.0; dose = 0.5; duration = 0.67; } )",
                                           "( { time = 24.0; duration = 0.75; } )", "\"schedule.csv\""};
    fputs("protocol : {  # what is done to every patient\n", stream);
    for (int i = 0; i < KS_N_PARAMETERS; i++)
        if (ks_lookup_is_protocol(i)) write_parameter(stream, i);
    write_keys(stream, &ks_protocol_keys, examples);
    fputs("};\n\n", stream);
}

static void write_patient(FILE *stream) {
    fputs("patient : {  # any of these; the route sets those that are commented out, unless they are named\n",
          stream);
    const char *group = "";
    for (int i = 0; i < KS_N_PARAMETERS; i++) {
        if (ks_lookup_is_protocol(i)) continue;
        if (strcmp(ks_parameters[i].group, group) != 0)
            fprintf(stream, "\n  # ---- %s\n", ks_parameters[i].group);
        group = ks_parameters[i].group;
        write_parameter(stream, i);
    }
    fputs("};\n\n", stream);
}

/* ---- design and parameters ------------------------------------------------------------------- */

/* One entry of each form; every distribution once. */
static const char *const forms[] = {
    "{ name = \"infusion_dose\"; }",
    "{ name = \"weight\"; low = 50.0; high = 110.0; }",
    "{ name = \"infusion_duration\"; low = 0.1; high = 1.5; scale = \"log\"; }",
    "{ name = \"infusion_count\"; low = 1; high = 6; }",
    "{ name = \"ketamine_clearance\"; distribution = \"lognormal\"; cv = 0.3; }",
    "{ name = \"inflammation_baseline\"; distribution = \"lognormal\"; mean = 1.3; cv = 0.4; high = 4.0; }",
    "{ name = \"nmdar_density\"; distribution = \"normal\"; mean = 1.0; sd = 0.15; low = 0.5; high = 1.5; }",
    "{ name = \"nfkb_ketamine_max\"; distribution = \"logitnormal\"; median = 0.4; sd = 0.5; }",
    "{ name = \"life_stress\"; distribution = \"triangular\"; low = 0.0; mode = 0.25; high = 1.0; }",
    "{ name = \"mechanism_trkb\"; distribution = \"beta\"; alpha = 2.0; beta = 2.0; }",
    "{ name = \"dmn_time\"; distribution = \"uniform\"; low = 6.0; high = 48.0; }",
    "{ name = \"mtorc1_time\"; distribution = \"loguniform\"; }",
    "{ name = \"route\"; values = [\"iv\", \"im\"]; probabilities = [0.7, 0.3]; }",
};

static void write_design(FILE *stream) {
    static const char *const examples[] = {"\"sobol\"", "1024"}; /* what follows belongs to other kinds */
    enum { N_COMMON = 3 };
    fputs("design : {  # which points; without this section, one\n", stream);
    for (int i = 0; i < ks_plan_keys.n; i++) {
        const struct ks_key *key = &ks_plan_keys.keys[i];
        const char *value = key->fallback != NULL            ? key->fallback
                            : i < 2                          ? examples[i]
                            : strcmp(key->name, "step") == 0 ? "0.01"
                            : strcmp(key->name, "stop") == 0 ? "{ half_width = 0.02; }"
                                                             : "\"points.csv\"";
        write_line(stream, i >= N_COMMON, key->name, value, "", key->meaning);
    }
    fputs("};\n# keys of stop:\n", stream);
    for (int i = 0; i < ks_precision_keys.n; i++)
        fprintf(stream, "#   %-14s %s\n", ks_precision_keys.keys[i].name, ks_precision_keys.keys[i].meaning);
    for (int i = 0; i < KS_N_DESIGNS; i++)
        fprintf(stream, "# %-8s %s\n", ks_designs[i].name, ks_designs[i].words);
    fputs("\nparameters : (  # what varies: one entry for each, of protocol or patient\n", stream);
    int n = (int)(sizeof forms / sizeof *forms);
    for (int i = 0; i < n; i++) fprintf(stream, "  %s%s\n", forms[i], i + 1 < n ? "," : "");
    fputs(");\n# keys of an entry:\n", stream);
    for (int i = 0; i < ks_variables_keys.n; i++)
        fprintf(stream, "#   %-14s %s\n", ks_variables_keys.keys[i].name, ks_variables_keys.keys[i].meaning);
    fputs("# distributions and what they take, beside low and high, which truncate:\n", stream);
    for (int i = 0; i < KS_N_DISTRIBUTIONS; i++)
        fprintf(stream, "#   %-14s %s\n", ks_distribution_names[i], ks_distribution_arguments[i]);
    fputs("# in a grid: { name = \"infusion_dose\"; low = 0.1; high = 1.0; levels = 10; }\n"
          "#        or: { name = \"infusion_dose\"; values = [0.1, 0.2, 0.5, 1.0]; }\n\n",
          stream);
    fputs("correlation : (  # of the normal scores, by a Gaussian copula\n"
          "  { a = \"weight\"; b = \"ketamine_clearance\"; rho = 0.3; }\n);\n\n",
          stream);
}

/* ---- output ---------------------------------------------------------------------------------- */

static void write_output(FILE *stream) {
    fputs("output : {\n"
          "  file = \"reference.h5\";\n"
          "  endpoints = (  # or \"all\", the default: every endpoint that the horizon allows\n"
          "    \"madrs_baseline\", \"madrs_24h\", \"response_24h\",\n"
          "    \"madrs@360h\", \"synaptic_strength@10d\",\n"
          "    { name = \"auc_24h\"; of = \"ketamine_venous\"; op = \"auc\"; from = 0.0; to = 24.0; },\n"
          "    { name = \"bdnf_ratio_6h\"; of = \"bdnf\"; op = \"ratio\"; at = 6.0; },\n"
          "    { name = \"below_12_h\"; of = \"madrs\"; op = \"first_at_most\"; threshold = 12.0; }\n"
          "    # the last brings a second column, below_12_h_reached: 1 if it came to that, else 0\n"
          "  );\n"
          "  trajectories : {\n"
          "    states = [\"madrs\", \"ketamine_venous\"];  # or \"all\"\n"
          "    every = 24.0;  # h, from 0 to the horizon; or times = [0.0, 0.667, 24.0];\n"
          "  };\n"
          "};\n"
          "# keys of an endpoint:\n",
          stream);
    for (int i = 0; i < ks_endpoints_keys.n; i++)
        fprintf(stream, "#   %-10s %s\n", ks_endpoints_keys.keys[i].name, ks_endpoints_keys.keys[i].meaning);
    fputs("# operations:\n", stream);
    for (int i = 0; i < KS_N_OPS; i++) fprintf(stream, "#   %-20s %s\n", ks_ops[i].name, ks_ops[i].words);
    fputc('\n', stream);
}

static void write_plain(FILE *stream, const char *name, const struct ks_keys *keys,
                        const char *const *examples) {
    fprintf(stream, "%s : {\n", name);
    write_keys(stream, keys, examples);
    fputs("};\n", stream);
}

/* ---- cohorts and trials ---------------------------------------------------------------------- */

static void list_keys(FILE *stream, const char *what, const struct ks_keys *keys) {
    fprintf(stream, "# keys of %s:\n", what);
    for (int i = 0; i < keys->n; i++)
        fprintf(stream, "#   %-14s %s\n", keys->keys[i].name, keys->keys[i].meaning);
}

static void write_population(FILE *stream) {
    fputs("population : {  # virtual patients\n", stream);
    for (int i = 0; i < ks_population_keys.n; i++) {
        const struct ks_key *key = &ks_population_keys.keys[i];
        bool is_file = strcmp(key->name, "file") == 0;
        if (is_file || key->fallback != NULL)
            write_line(stream, is_file, key->name, is_file ? "\"patients.csv\"" : key->fallback, "",
                       key->meaning);
        else
            fprintf(stream, "  # %-12s %s\n", key->name, key->meaning);
    }
    fputs("  covariates = (\n"
          "    { name = \"female\"; probability = 0.65; source = \"SUSTAIN-1\"; },\n"
          "    { name = \"weight\"; where = \"female\"; distribution = \"lognormal\"; mean = 77.4; cv = "
          "0.27; },\n"
          "    { name = \"weight\"; where = \"not female\"; distribution = \"lognormal\"; mean = 89.8; cv = "
          "0.24; },\n"
          "    { name = \"star6\"; unit = \"alleles\"; values = [0, 1, 2]; probabilities = [0.53, 0.40, "
          "0.07]; }\n"
          "    # { name = \"weight\"; file = \"people.csv\"; column = \"WT\"; }\n"
          "  );\n"
          "  parameters = ( { name = \"life_stress\"; distribution = \"lognormal\"; cv = 0.5; } );  # as "
          "above\n"
          "  omega = ( { names = [\"ketamine_clearance\", \"ketamine_volume_central\"]; variance = [0.04, "
          "0.06]; "
          "correlation = [0.48]; } );\n"
          "  effects = ( { covariate = \"star6\"; parameter = \"ketamine_clearance\"; values = [0, 1, 2]; "
          "factors = "
          "[1.0, 0.85, 0.7]; } );\n"
          "  accept = ( { endpoint = \"madrs_baseline\"; low = 20.0; high = 54.0; } );\n"
          "};\n",
          stream);
    list_keys(stream, "a block of omega", &ks_population_omega_keys);
    list_keys(stream, "an effect", &ks_population_effect_keys);
    list_keys(stream, "an entry of accept", &ks_study_bound_keys);
}

static void write_arms_and_targets(FILE *stream) {
    fputs("\narms = (  # what is done to the patients; the protocol above with entries of its own\n"
          "  { name = \"ketamine\"; control = \"placebo\"; },\n"
          "  { name = \"placebo\"; protocol = { infusion_dose = 0.0; }; },\n"
          "  { name = \"TrkB held\"; patient = { mechanism_trkb = 0.0; }; literature = \"sustained effect "
          "lost\"; }\n);\n",
          stream);
    list_keys(stream, "an arm", &ks_study_arm_keys);
    fputs("\ntargets = (  # published numbers\n"
          "  { id = \"murrough2013\"; arm = \"ketamine\"; endpoint = \"response_24h\"; mean = 0.64; n = "
          "47.0; use = "
          "\"calibration\"; }\n);\n",
          stream);
    list_keys(stream, "a target", &ks_study_target_keys);
}

static void write_study(FILE *stream) {
    static const char *const selection[] = {""}, *const observation[] = {"", "", "[24.0, 72.0, 168.0]"};
    static const char *const uncertainty[] = {
        "", "", "( { name = \"mood_synapse\"; distribution = \"lognormal\"; cv = 0.1; } )", "\"D\"", ""};
    static const char *const trial[] = {"\"trd.h5\"", "\"placebo\"", "", "", "", "1.25", "", "290.0"},
                             *const tailor[] = {"", ""};
    const struct {
        const char *name, *words;
        const struct ks_keys *keys;
        const char *const *examples;
    } sections[] = {
        {"selection", "how targets select", &ks_study_selection_keys, selection},
        {"observation", "what a rater sees", &ks_study_observation_keys, observation},
        {"uncertainty", "of constants: an outer loop that gives intervals", &ks_study_uncertainty_keys,
         uncertainty},
        {"trial", "how arms are compared", &ks_study_trial_keys, trial},
        {"tailor", "which arm suits which patients", &ks_study_tailor_keys, tailor},
    };
    write_population(stream);
    write_arms_and_targets(stream);
    for (int i = 0; i < 5; i++) {
        fprintf(stream, "\n%s : {  # %s\n", sections[i].name, sections[i].words);
        write_keys(stream, sections[i].keys, sections[i].examples);
        fputs("};\n", stream);
    }
    fputc('\n', stream);
}

void ks_config_write_reference(FILE *stream) {
    static const char *const run_examples[] = {
        "", "", "", "{ striping_factor = 8; striping_unit = 4194304; }", "\"madrs_24h\""};
    fputs("# Every key of a configuration, with its unit, default and meaning. Generated: `ketsweep show "
          "config`.\n"
          "# Copy what you need: keys that are left out keep the defaults that stand here.\n"
          "# Another file is taken in by a line @include \"other.cfg\", relative to the file that includes "
          "it;\n"
          "# a single entry is changed on the command line by --set design.points=65536.\n\n"
          "title = \"Every key\";\n"
          "model = \"ketamine\";  # or a function with known answers:",
          stream);
    const struct ks_test_function *function;
    for (int i = 0; (function = ks_model_test_function(i)) != NULL; i++)
        fprintf(stream, "%s \"test:%s\"", i > 0 ? "," : "", function->name);
    fputs("\n\n", stream);
    write_protocol(stream);
    write_patient(stream);
    write_design(stream);
    write_output(stream);
    write_study(stream);
    write_plain(stream, "solver", &ks_config_solver_keys, NULL);
    fputc('\n', stream);
    write_plain(stream, "run", &ks_config_run_keys, run_examples);
}
