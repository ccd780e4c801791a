/* The time line of what is done to patients, from the configuration that the file holds. A protocol entry that varies is drawn
 * at the middle of its distribution. */
#include "base/memory.h"
#include "report/report_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the parameter vector that is drawn ------------------------------------------------------------------------ */

static double middle_of(const struct ks_design *design, const struct ks_variable *variable) {
    if (design->kind == KS_DESIGN_grid) return variable->levels[variable->n_levels / 2];
    return ks_distribution_quantile(&variable->distribution, 0.5);
}

static bool is_of_protocol(const struct ks_parameter_info *info) {
    return strcmp(info->group, "protocol") == 0;
}

static void set_middles(struct ks_campaign *c) {
    for (int i = 0; i < c->design.n_variables; i++) {
        const struct ks_variable *variable = &c->design.variables[i];
        if (is_of_protocol(&c->parameter_table[variable->parameter]))
            c->parameters[variable->parameter] = middle_of(&c->design, variable);
    }
}

/* ---- events ---------------------------------------------------------------------------------------------------- */

static void write_infusions(struct ks_json *json, const struct ks_campaign *c) {
    size_t n = ks_therapy_count_doses(&c->treatment, c->parameters);
    ks_json_key(json, "infusions");
    ks_json_array(json);
    for (size_t i = 0; i < n; i++) {
        struct ks_infusion_event dose = ks_therapy_dose(&c->treatment, c->parameters, i);
        if (dose.id > 1) continue; /* of the first patient, where every one has a schedule of its own */
        ks_json_object(json);
        ks_json_number_member(json, "start", dose.time_h);
        ks_json_number_member(json, "duration", dose.duration_h);
        ks_json_number_member(json, "dose", dose.dose);
        ks_json_text_member(json, "unit", c->treatment.is_dose_per_kg ? "mg/kg" : "mg");
        ks_json_text_member(json, "route", ks_routes[dose.route].name);
        ks_json_text_member(json, "drug", dose.dose > 0 ? "ketamine" : "placebo");
        ks_json_end_object(json);
    }
    ks_json_end_array(json);
}

static void write_sessions(struct ks_json *json, const struct ks_campaign *c) {
    size_t n = ks_therapy_count_sessions(&c->treatment, c->parameters);
    ks_json_key(json, "sessions");
    ks_json_array(json);
    for (size_t i = 0; i < n; i++) {
        struct ks_session_event session = ks_therapy_session(&c->treatment, c->parameters, i);
        if (session.id > 1) continue;
        ks_json_object(json);
        ks_json_number_member(json, "start", session.time_h);
        ks_json_number_member(json, "duration", session.duration_h);
        ks_json_end_object(json);
    }
    ks_json_end_array(json);
}

static int compare_times(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* The distinct times at which endpoints are read. */
static int write_readings(struct ks_json *json, const struct ks_campaign *c) {
    double *times, horizon = c->parameters[KS_PARAMETER_horizon];
    size_t n = 0;
    KS_ALLOCATE(times, (size_t)c->n_endpoints);
    for (int e = 0; e < c->n_endpoints; e++)
        if (ks_ops[c->endpoints[e].op].reading == KS_READING_AT)
            times[n++] = fmin(c->endpoints[e].from, horizon);
    qsort(times, n, sizeof *times, compare_times);
    ks_json_key(json, "endpoints_at");
    ks_json_array(json);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || times[i] > times[i - 1]) ks_json_number(json, times[i]);
    ks_json_end_array(json);
    free(times);
    return KS_OK;
}

static void write_varied(struct ks_json *json, const struct ks_campaign *c) {
    ks_json_key(json, "varied");
    ks_json_array(json);
    for (int i = 0; i < c->design.n_variables; i++) {
        const struct ks_parameter_info *info = &c->parameter_table[c->design.variables[i].parameter];
        if (is_of_protocol(info)) ks_json_text(json, info->name);
    }
    ks_json_end_array(json);
}

/* ---- the section ------------------------------------------------------------------------------------------------- */

static int write_protocol(struct ks_json *json, const char *name, struct ks_campaign *c) {
    set_middles(c);
    ks_json_object(json);
    ks_json_text_member(json, "name", name);
    ks_json_number_member(json, "horizon", c->parameters[KS_PARAMETER_horizon]);
    write_infusions(json, c);
    write_sessions(json, c);
    int err = write_readings(json, c);
    write_varied(json, c);
    ks_json_end_object(json);
    return err;
}

static int write_arm(struct ks_json *json, const char *path, const char *canonical, int arm) {
    struct ks_campaign campaign;
    char *name = NULL;
    if (!ks_config_load_protocol(path, canonical, arm, &campaign)) return KS_OK;
    int err = arm < 0 ? KS_OK : ks_config_name_arm(canonical, arm, &name);
    if (err == KS_OK) err = write_protocol(json, name != NULL ? name : "", &campaign);
    free(name);
    ks_config_release(&campaign);
    return err;
}

int ks_report_write_protocols(struct ks_json *json, const char *path, const char *canonical) {
    int n_arms = ks_config_count_arms(canonical), err = KS_OK;
    ks_json_key(json, "protocols");
    ks_json_array(json);
    for (int arm = n_arms > 0 ? 0 : -1; err == KS_OK && arm < n_arms; arm++)
        err = write_arm(json, path, canonical, arm);
    ks_json_end_array(json);
    return err;
}
