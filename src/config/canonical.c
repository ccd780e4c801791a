/* The canonical text of a campaign: what decides its rows, complete with defaults, as libconfig text. Equal
 * campaigns have equal texts however they were written, so that a result file knows the campaign it belongs
 * to. It is a configuration itself, unless long arrays and files had to be told by their length and hash
 * alone: HDF5 holds an attribute of 64 KiB at most.
 *
 * The hash is FNV-1a with 64 bits over little-endian doubles. */
#include "config/config_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_ARRAY = 100 };

static const uint64_t hash_start = 0xcbf29ce484222325u;

static uint64_t hash_number(uint64_t hash, double value) {
    uint64_t bits;
    value += 0.0; /* -0 is 0 */
    memcpy(&bits, &value, sizeof bits);
    for (int i = 0; i < 8; i++) hash = (hash ^ (bits >> 8 * i & 0xff)) * 0x100000001b3u;
    return hash;
}

/* libconfig takes a number for a real one by its point or exponent. */
static void write_number(FILE *stream, double value) {
    char text[32];
    snprintf(text, sizeof text, "%.17g", value);
    fprintf(stream, "%s%s", text, strpbrk(text, ".e") == NULL ? ".0" : "");
}

static void write_setting(FILE *stream, const char *name, double value) {
    fprintf(stream, " %s = ", name);
    write_number(stream, value);
    fputc(';', stream);
}

static void write_string(FILE *stream, const char *string) {
    fputc('"', stream);
    for (; *string != '\0'; string++) {
        unsigned char character = (unsigned char)*string;
        if (character == '"' || character == '\\')
            fprintf(stream, "\\%c", character);
        else if (character < ' ')
            fprintf(stream, "\\x%02x", character);
        else
            fputc(character, stream);
    }
    fputc('"', stream);
}

static void write_whole(FILE *stream, const char *name, uint64_t value) {
    fprintf(stream, " %s = %llu%s;", name, (unsigned long long)value, value > INT32_MAX ? "L" : "");
}

static void write_hash(FILE *stream, const char *name, size_t n, uint64_t hash) {
    fprintf(stream, " %s : { count = %zuL; hash = \"%016llx\"; };", name, n, (unsigned long long)hash);
}

static void write_numbers(FILE *stream, const char *name, int n, const double *values) {
    uint64_t hash = hash_start;
    for (int i = 0; i < n; i++) hash = hash_number(hash, values[i]);
    if (n > LONGEST_ARRAY) {
        write_hash(stream, name, (size_t)n, hash);
        return;
    }
    fprintf(stream, " %s = [", name);
    for (int i = 0; i < n; i++) {
        if (i > 0) fputs(", ", stream);
        write_number(stream, values[i]);
    }
    fputs("];", stream);
}

/* ---- protocol and patient -------------------------------------------------------------------- */

static void write_infusions(FILE *stream, const struct ks_treatment *treatment) {
    uint64_t hash = hash_start;
    bool is_short = treatment->n_infusion_events <= LONGEST_ARRAY;
    for (size_t i = 0; i < treatment->n_infusion_events; i++) {
        const struct ks_infusion_event *event = &treatment->infusion_events[i];
        const double fields[] = {(double)event->id, event->time_h, event->dose, event->duration_h};
        for (int k = 0; k < 4; k++) hash = hash_number(hash, fields[k]);
        is_short &= event->id == 0; /* a list cannot name patients */
    }
    if (!is_short) {
        write_hash(stream, "infusions", treatment->n_infusion_events, hash);
        return;
    }
    fputs(" infusions = (", stream);
    for (size_t i = 0; i < treatment->n_infusion_events; i++) {
        fputs(i > 0 ? ", {" : "{", stream);
        write_setting(stream, "time", treatment->infusion_events[i].time_h);
        write_setting(stream, "dose", treatment->infusion_events[i].dose);
        write_setting(stream, "duration", treatment->infusion_events[i].duration_h);
        fputs(" }", stream);
    }
    fputs(");", stream);
}

static void write_sessions(FILE *stream, const struct ks_treatment *treatment) {
    uint64_t hash = hash_start;
    for (size_t i = 0; i < treatment->n_session_events; i++) {
        hash = hash_number(hash, treatment->session_events[i].time_h);
        hash = hash_number(hash, treatment->session_events[i].duration_h);
    }
    if (treatment->n_session_events > LONGEST_ARRAY) {
        write_hash(stream, "sessions", treatment->n_session_events, hash);
        return;
    }
    fputs(" sessions = (", stream);
    for (size_t i = 0; i < treatment->n_session_events; i++) {
        fputs(i > 0 ? ", {" : "{", stream);
        write_setting(stream, "time", treatment->session_events[i].time_h);
        write_setting(stream, "duration", treatment->session_events[i].duration_h);
        fputs(" }", stream);
    }
    fputs(");", stream);
}

/* Whether a regular protocol entry has an effect at all. */
static bool has_effect(const struct ks_reader *reader, int parameter) {
    const struct ks_treatment *treatment = &reader->campaign->treatment;
    switch (parameter) {
    case KS_PARAMETER_infusion_start:
        return ks_schedule_uses_start(reader);
    case KS_PARAMETER_infusion_duration:
        return !treatment->uses_rate && !treatment->has_infusion_events;
    case KS_PARAMETER_infusion_rate:
        return treatment->uses_rate && !treatment->has_infusion_events;
    case KS_PARAMETER_infusion_dose:
    case KS_PARAMETER_infusion_count:
    case KS_PARAMETER_infusion_interval:
        return !treatment->has_infusion_events;
    case KS_PARAMETER_session_count:
    case KS_PARAMETER_session_delay:
    case KS_PARAMETER_session_interval:
    case KS_PARAMETER_session_duration:
        return !treatment->has_session_events;
    default:
        return true;
    }
}

static void write_parameter(FILE *stream, const struct ks_campaign *campaign, int parameter) {
    const double value = campaign->parameters[parameter];
    if (parameter == KS_PARAMETER_route)
        fprintf(stream, " route = \"%s\";", ks_routes[(int)value].name);
    else
        write_setting(stream, ks_parameters[parameter].name, value);
}

/* A patient's value that is the default says nothing, unless it keeps the route from setting another. */
static bool is_told(const struct ks_campaign *campaign, int parameter) {
    bool is_routes = parameter == KS_PARAMETER_bioavailability || parameter == KS_PARAMETER_absorption_rate ||
                     parameter == KS_PARAMETER_first_pass_norketamine;
    if (!campaign->is_named[parameter] || ks_lookup_variable(campaign, parameter) >= 0) return false;
    return is_routes || campaign->parameters[parameter] != ks_parameters[parameter].value;
}

static void write_protocol(FILE *stream, const struct ks_reader *reader) {
    const struct ks_campaign *campaign = reader->campaign;
    const struct ks_treatment *treatment = &campaign->treatment;
    fprintf(stream, "protocol : { dose_unit = \"%s\";", treatment->is_dose_per_kg ? "mg/kg" : "mg");
    for (int i = 0; i < KS_N_PARAMETERS; i++) {
        if (ks_lookup_is_protocol(i) && has_effect(reader, i) && ks_lookup_variable(campaign, i) < 0)
            write_parameter(stream, campaign, i);
    }
    if (treatment->has_infusion_events) write_infusions(stream, treatment);
    if (treatment->has_session_events) write_sessions(stream, treatment);
    fputs(" };\npatient : {", stream);
    for (int i = 0; i < KS_N_PARAMETERS; i++) {
        if (!ks_lookup_is_protocol(i) && is_told(campaign, i)) write_parameter(stream, campaign, i);
    }
    fputs(" };\n", stream);
}

/* ---- design ---------------------------------------------------------------------------------- */

static void write_values(FILE *stream, bool is_route, int n, const double *values) {
    if (!is_route) {
        write_numbers(stream, "values", n, values);
        return;
    }
    fputs(" values = [", stream);
    for (int i = 0; i < n; i++)
        fprintf(stream, "%s\"%s\"", i > 0 ? ", " : "", ks_routes[(int)values[i]].name);
    fputs("];", stream);
}

static void write_distribution(FILE *stream, const struct ks_distribution *distribution,
                               const struct ks_entry *entry, bool is_route) {
    fprintf(stream, " distribution = \"%s\";", ks_distribution_names[distribution->kind]);
    switch (distribution->kind) {
    case KS_DISTRIBUTION_normal:
        write_setting(stream, "mean", distribution->a);
        write_setting(stream, "sd", distribution->b);
        break;
    case KS_DISTRIBUTION_lognormal:
        write_setting(stream, "median", entry->location);
        write_setting(stream, "cv", entry->spread);
        break;
    case KS_DISTRIBUTION_logitnormal:
        write_setting(stream, "median", entry->location);
        write_setting(stream, "sd", entry->spread);
        break;
    case KS_DISTRIBUTION_triangular:
        write_setting(stream, "low", distribution->a);
        write_setting(stream, "mode", distribution->b);
        write_setting(stream, "high", distribution->c);
        break;
    case KS_DISTRIBUTION_beta:
        write_setting(stream, "alpha", distribution->a);
        write_setting(stream, "beta", distribution->b);
        break;
    case KS_DISTRIBUTION_discrete:
        write_values(stream, is_route, distribution->n_values, distribution->values);
        write_numbers(stream, "probabilities", distribution->n_values, distribution->probabilities);
        break;
    default:
        write_setting(stream, "low", distribution->a);
        write_setting(stream, "high", distribution->b);
    }
    if (isfinite(distribution->low)) write_setting(stream, "low", distribution->low);
    if (isfinite(distribution->high)) write_setting(stream, "high", distribution->high);
}

static void write_variables(FILE *stream, const struct ks_reader *reader) {
    const struct ks_campaign *campaign = reader->campaign;
    const struct ks_design *design = &campaign->design;
    fputs("parameters : (", stream);
    for (int i = 0; i < design->n_variables; i++) {
        const struct ks_variable *variable = &design->variables[i];
        const struct ks_parameter_info *info = &campaign->parameter_table[variable->parameter];
        bool is_route = info->limits == KS_LIMITS_ROUTE;
        fprintf(stream, "%s\n  { name = \"%s\";", i > 0 ? "," : "", info->name);
        if (design->kind == KS_DESIGN_grid)
            write_values(stream, is_route, variable->n_levels, variable->levels);
        else
            write_distribution(stream, &variable->distribution, &reader->entries[i], is_route);
        fputs(" }", stream);
    }
    fputs("\n);\n", stream);
}

static const char *name_of_variable(const struct ks_campaign *campaign, int variable) {
    return campaign->parameter_table[campaign->design.variables[variable].parameter].name;
}

static void write_correlation(FILE *stream, const struct ks_reader *reader) {
    if (reader->n_pairs == 0) return;
    fputs("correlation : (", stream);
    for (int i = 0; i < reader->n_pairs; i++) {
        const struct ks_pair *pair = &reader->pairs[i];
        fprintf(stream, "%s\n  { a = \"%s\"; b = \"%s\";", i > 0 ? "," : "",
                name_of_variable(reader->campaign, pair->a), name_of_variable(reader->campaign, pair->b));
        write_setting(stream, "rho", pair->rho);
        fputs(" }", stream);
    }
    fputs("\n);\n", stream);
}

static void write_file_rows(FILE *stream, const struct ks_campaign *campaign) {
    const struct ks_design *design = &campaign->design;
    size_t n = (size_t)design->n_points * (size_t)design->n_variables;
    uint64_t hash = hash_start;
    for (size_t i = 0; i < n; i++) hash = hash_number(hash, design->rows[i]);
    fputs(" columns = [", stream);
    for (int i = 0; i < design->n_variables; i++)
        fprintf(stream, "%s\"%s\"", i > 0 ? ", " : "", name_of_variable(campaign, i));
    fputs("];", stream);
    write_hash(stream, "rows", (size_t)design->n_points, hash);
}

static void write_rule(FILE *stream, const struct ks_design *design) {
    write_whole(stream, "points", design->n_bases);
    if (design->has_second_order) fputs(" second_order = true;", stream);
    if (design->kind == KS_DESIGN_morris) {
        fprintf(stream, " scheme = \"%s\";", design->is_radial ? "radial" : "trajectory");
        if (!design->is_radial) write_whole(stream, "levels", (uint64_t)design->n_path_levels);
        if (design->step > 0) write_setting(stream, "step", design->step);
    }
    write_whole(stream, "seed", design->seed);
}

/* The seed decides nothing where nothing is drawn. */
static void write_design(FILE *stream, const struct ks_reader *reader) {
    const struct ks_design *design = &reader->campaign->design;
    if (design->n_variables == 0) return;
    fprintf(stream, "design : { kind = \"%s\";", ks_designs[design->kind].name);
    if (design->kind == KS_DESIGN_file)
        write_file_rows(stream, reader->campaign);
    else if (design->kind != KS_DESIGN_grid)
        write_rule(stream, design);
    fputs(" };\n", stream);
    if (design->kind != KS_DESIGN_file) write_variables(stream, reader);
    write_correlation(stream, reader);
}

/* ---- output and solver ----------------------------------------------------------------------- */

static bool is_of_table(const char *name) {
    for (int i = 0; i < KS_N_ENDPOINTS; i++)
        if (strcmp(ks_endpoints[i].name, name) == 0) return true;
    return false;
}

static void write_endpoint(FILE *stream, const struct ks_endpoint *endpoint) {
    const struct ks_op_info *op = &ks_ops[endpoint->op];
    fprintf(stream, "{ name = \"%s\"; of = \"%s\"; op = \"%s\";", endpoint->name,
            ks_quantities[endpoint->quantity].name, op->name);
    if (op->reading == KS_READING_AT && isinf(endpoint->from))
        fputs(" at = \"end\";", stream);
    else
        write_setting(stream, op->reading == KS_READING_AT ? "at" : "from", endpoint->from);
    if (op->reading != KS_READING_AT && isfinite(endpoint->to)) write_setting(stream, "to", endpoint->to);
    if (op->has_threshold) write_setting(stream, "threshold", endpoint->threshold);
    fputs(" }", stream);
}

static void write_endpoints(FILE *stream, const struct ks_campaign *campaign) {
    fputs(" endpoints = (", stream);
    for (int i = 0; i < campaign->n_endpoints; i++) {
        const struct ks_endpoint *endpoint = &campaign->endpoints[i];
        bool is_named =
            campaign->function != NULL || is_of_table(endpoint->name) || strchr(endpoint->name, '@') != NULL;
        fprintf(stream, "%s\n  ", i > 0 ? "," : "");
        if (is_named) {
            fprintf(stream, "\"%s\"", endpoint->name);
        } else {
            write_endpoint(stream, endpoint);
            if (ks_endpoints_companion(endpoint->op) >= 0) i++; /* which follows from it */
        }
    }
    fputs(");", stream);
}

static void write_trajectories(FILE *stream, const struct ks_campaign *campaign) {
    if (!campaign->has_trajectories) return;
    fputs("\n  trajectories : { states = [", stream);
    for (int i = 0; i < campaign->n_quantities; i++)
        fprintf(stream, "%s\"%s\"", i > 0 ? ", " : "", ks_quantities[campaign->quantities[i]].name);
    fputs("];", stream);
    write_numbers(stream, "times", campaign->n_times, campaign->times);
    fputs(" };", stream);
}

static void write_solver(FILE *stream, const struct ks_solver_options *solver) {
    fprintf(stream, "solver : { kind = \"%s\";", ks_solver_names[solver->kind]);
    write_setting(stream, "rtol", solver->rtol);
    write_whole(stream, "max_steps", (uint64_t)solver->max_steps);
    fputs(" };\n", stream);
}

/* ---- studies: their settings as they stand, without what decides nothing ---------------------------- */

static void write_tree(FILE *stream, const config_setting_t *setting) {
    const char *brackets = config_setting_is_group(setting)  ? "{}"
                           : config_setting_is_list(setting) ? "()"
                                                             : "[]";
    switch (config_setting_type(setting)) {
    case CONFIG_TYPE_INT:
    case CONFIG_TYPE_INT64:
        fprintf(stream, "%lld", config_setting_get_int64(setting));
        return;
    case CONFIG_TYPE_FLOAT:
        write_number(stream, config_setting_get_float(setting));
        return;
    case CONFIG_TYPE_BOOL:
        fputs(config_setting_get_bool(setting) ? "true" : "false", stream);
        return;
    case CONFIG_TYPE_STRING:
        write_string(stream, config_setting_get_string(setting));
        return;
    default:
        break;
    }
    fputc(brackets[0], stream);
    for (int i = 0; i < config_setting_length(setting); i++) {
        const config_setting_t *element = config_setting_get_elem(setting, (unsigned)i);
        if (brackets[0] == '{') fprintf(stream, " %s = ", config_setting_name(element));
        if (brackets[0] != '{' && i > 0) fputs(", ", stream);
        write_tree(stream, element);
        if (brackets[0] == '{') fputc(';', stream);
    }
    fputc(brackets[1], stream);
}

static void write_tables(FILE *stream, const struct ks_population *population) {
    for (int t = 0; t < population->n_tables; t++) {
        const struct ks_bootstrap *table = &population->tables[t];
        uint64_t hash = hash_start;
        for (size_t i = 0; i < table->n_rows * table->n_columns; i++)
            hash = hash_number(hash, table->cells[i]);
        fprintf(stream, "# file %d of the population: %zu rows, hash %016llx\n", t + 1, table->n_rows,
                (unsigned long long)hash);
    }
}

static void write_section(FILE *stream, const config_setting_t *section, const char *without) {
    fprintf(stream, "%s : {", config_setting_name(section));
    for (int i = 0; i < config_setting_length(section); i++) {
        const config_setting_t *element = config_setting_get_elem(section, (unsigned)i);
        if (strcmp(config_setting_name(element), without) == 0) continue;
        fprintf(stream, " %s = ", config_setting_name(element));
        write_tree(stream, element);
        fputc(';', stream);
    }
    fputs("};\n", stream);
}

/* Neither the title, nor how many of the candidates are selected, and how. */
static void write_candidates(FILE *stream, const struct ks_reader *reader) {
    const struct ks_campaign *campaign = reader->campaign;
    const config_setting_t *population = ks_settings_top(reader, "population"),
                           *arms = ks_settings_top(reader, "arms"),
                           *observation = ks_settings_top(reader, "observation");
    fprintf(stream, "model = \"%s\";\n", campaign->model);
    if (campaign->function == NULL) write_protocol(stream, reader);
    write_endpoints(stream, campaign);
    if (campaign->function == NULL) write_solver(stream, &campaign->solver);
    if (population != NULL) write_section(stream, population, "patients");
    if (arms != NULL) write_tree(stream, arms);
    if (observation != NULL) write_section(stream, observation, "");
    write_tables(stream, &campaign->study->population);
}

static void write_study(FILE *stream, const struct ks_reader *reader) {
    static const char *const sections[] = {"population",  "arms",        "selection", "targets",
                                           "observation", "uncertainty", "trial",     "tailor"};
    for (int i = 0; i < 8 && reader->campaign->study != NULL; i++) {
        const config_setting_t *section = ks_settings_top(reader, sections[i]);
        if (section == NULL) continue;
        fprintf(stream, "%s : ", sections[i]);
        write_tree(stream, section);
        fputs(";\n", stream);
    }
    if (reader->campaign->study != NULL) write_tables(stream, &reader->campaign->study->population);
}

static void write_campaign(FILE *stream, const struct ks_reader *reader) {
    const struct ks_campaign *campaign = reader->campaign;
    fputs("title = ", stream);
    write_string(stream, campaign->title);
    fprintf(stream, ";\nmodel = \"%s\";\n", campaign->model);
    if (campaign->function == NULL) write_protocol(stream, reader);
    write_design(stream, reader);
    fputs("output : {", stream);
    write_endpoints(stream, campaign);
    write_trajectories(stream, campaign);
    fputs(" };\n", stream);
    if (campaign->function == NULL) write_solver(stream, &campaign->solver);
    write_study(stream, reader);
}

static int write_text(const struct ks_reader *reader, void (*write)(FILE *, const struct ks_reader *),
                      char **text) {
    size_t size = 0;
    FILE *stream = open_memstream(text, &size);
    KS_CHECK(stream != NULL, KS_ERR_MEMORY, "no memory for the text of a configuration");
    write(stream, reader);
    bool is_whole = ferror(stream) == 0;
    is_whole &= fclose(stream) == 0;
    KS_CHECK(is_whole, KS_ERR_MEMORY, "no memory for the text of a configuration");
    return KS_OK;
}

int ks_canonical_write(const struct ks_reader *reader) {
    struct ks_campaign *campaign = reader->campaign;
    KS_TRY(write_text(reader, write_campaign, &campaign->canonical));
    return campaign->study != NULL ? write_text(reader, write_candidates, &campaign->study->candidates)
                                   : KS_OK;
}
