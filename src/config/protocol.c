/* What is done to every patient, and who the patient is: the sections `protocol` and `patient`. Their keys
 * are rows of the parameter table (group "protocol" and all others), and a few that a table of numbers cannot
 * hold.
 *
 * infusion_duration and infusion_rate are twins: one follows from the other and the dose. A varied twin
 * replaces a fixed one. So are life_stress and baseline_madrs, which the simulation solves life_stress for. The
 * bioavailability, absorption rate and first pass of a route hold unless the
 * patient names them. */
#include "config/config_impl.h"

#include <math.h>
#include <string.h>

static const struct ks_key keys[] = {
    {"dose_unit", "", "\"mg/kg\"", "mg/kg or mg: of infusion_dose, infusion_rate and explicit infusions",
     KS_ANYTHING},
    {"infusions", "", NULL, "an explicit list ( {time; dose; duration; route;}, ... )", KS_ANYTHING},
    {"sessions", "", NULL, "an explicit list ( {time; duration;}, ... )", KS_ANYTHING},
    {"events", "", NULL, "infusions from a CSV file with ID, TIME, AMT, RATE or DUR, ADDL, II, ROUTE",
     KS_ANYTHING},
};
const struct ks_keys ks_protocol_keys = KS_KEYS(keys);

static const int absorption[3] = {KS_PARAMETER_bioavailability, KS_PARAMETER_absorption_rate,
                                  KS_PARAMETER_first_pass_norketamine};

/* ---- places ---------------------------------------------------------------------------------- */

const config_setting_t *ks_protocol_place(const struct ks_reader *reader, int parameter) {
    int i = ks_lookup_variable(reader->campaign, parameter);
    if (i >= 0) return reader->entries[i].setting;
    const char *section = ks_lookup_is_protocol(parameter) ? "protocol" : "patient";
    return ks_settings_member(ks_settings_top(reader, section), ks_parameters[parameter].name);
}

/* The first of these parameters that was given, else the section. */
static const config_setting_t *first_place(const struct ks_reader *reader, int n, const int *parameters) {
    for (int i = 0; i < n; i++) {
        const config_setting_t *setting = ks_protocol_place(reader, parameters[i]);
        if (setting != NULL) return setting;
    }
    return ks_settings_top(reader, "protocol");
}

static const config_setting_t *place_of_fixed(const struct ks_reader *reader, int parameter) {
    return ks_settings_member(ks_settings_top(reader, "protocol"), ks_parameters[parameter].name);
}

/* ---- the two sections ------------------------------------------------------------------------ */

static void check_protocol_key(struct ks_reader *reader, const config_setting_t *member) {
    const char *name = config_setting_name(member), *known[KS_N_PARAMETERS + 8];
    int n = 0;
    for (int i = 0; i < KS_N_PARAMETERS; i++)
        if (ks_lookup_is_protocol(i)) known[n++] = ks_parameters[i].name;
    for (int i = 0; i < ks_protocol_keys.n; i++) known[n++] = ks_protocol_keys.keys[i].name;
    for (int i = 0; i < n; i++)
        if (strcmp(known[i], name) == 0) return;
    if (ks_lookup_parameter(reader->campaign, name) >= 0)
        ks_settings_fault(reader, member, "this is a key of the section patient");
    else
        ks_settings_unknown(reader, member, "key", name, true, n, known, NULL);
}

static void check_patient_key(struct ks_reader *reader, const config_setting_t *member) {
    const char *name = config_setting_name(member);
    int parameter = ks_lookup_parameter(reader->campaign, name);
    if (parameter < 0)
        ks_lookup_unknown(reader, member, name, true);
    else if (ks_lookup_is_protocol(parameter))
        ks_settings_fault(reader, member, "this is a key of the section protocol");
}

static const config_setting_t *open_section(struct ks_reader *reader, const char *name,
                                            void (*check)(struct ks_reader *, const config_setting_t *)) {
    const config_setting_t *setting = ks_settings_top(reader, name);
    if (setting == NULL || !ks_settings_is_group(reader, setting)) return NULL;
    for (int i = 0; i < config_setting_length(setting); i++)
        check(reader, config_setting_get_elem(setting, (unsigned)i));
    return setting;
}

static void read_parameters(struct ks_reader *reader, const config_setting_t *protocol,
                            const config_setting_t *patient) {
    struct ks_campaign *campaign = reader->campaign;
    for (int i = 0; i < KS_N_PARAMETERS; i++) {
        const char *name = ks_parameters[i].name;
        const config_setting_t *setting =
            ks_settings_member(ks_lookup_is_protocol(i) ? protocol : patient, name);
        campaign->is_named[i] = reader->is_varied[i];
        if (setting == NULL) continue;
        campaign->is_named[i] = true;
        double value;
        if (ks_settings_to_parameter(reader, setting, &ks_parameters[i], &value)) {
            campaign->parameters[i] = value;
            ks_settings_judge(reader, setting, &ks_parameters[i], value);
        } else {
            reader->is_doubtful[i] = true;
        }
    }
}

void ks_protocol_read_dose_unit(struct ks_reader *reader) {
    static const char *const names[] = {"mg/kg", "mg"};
    const config_setting_t *setting = ks_settings_member(ks_settings_top(reader, "protocol"), "dose_unit");
    const char *unit = NULL;
    reader->campaign->treatment.is_dose_per_kg = true;
    if (setting == NULL || !ks_settings_to_string(reader, setting, &unit)) return;
    if (strcmp(unit, "mg") == 0)
        reader->campaign->treatment.is_dose_per_kg = false;
    else if (strcmp(unit, "mg/kg") != 0)
        ks_settings_unknown(reader, setting, "unit", unit, false, 2, names, NULL);
}

/* The default dose is in mg/kg: 0.5 mg would surprise. */
static void check_dose_unit(struct ks_reader *reader, const config_setting_t *protocol) {
    const struct ks_campaign *campaign = reader->campaign;
    bool has_dose = campaign->is_named[KS_PARAMETER_infusion_dose] || campaign->treatment.has_infusion_events;
    if (campaign->treatment.is_dose_per_kg || has_dose) return;
    ks_settings_fault(reader, ks_settings_member(protocol, "dose_unit"),
                      "the default infusion_dose is in mg/kg; with \"mg\" give infusion_dose");
}

/* ---- twins and routes ------------------------------------------------------------------------ */

static void choose_twin(struct ks_reader *reader) {
    enum { RATE = KS_PARAMETER_infusion_rate, DURATION = KS_PARAMETER_infusion_duration };
    struct ks_campaign *campaign = reader->campaign;
    bool is_rate_varied = reader->is_varied[RATE], is_duration_varied = reader->is_varied[DURATION];
    const config_setting_t *rate = place_of_fixed(reader, RATE), *duration = place_of_fixed(reader, DURATION);
    if (is_rate_varied && is_duration_varied)
        ks_settings_fault(reader, ks_protocol_place(reader, RATE),
                          "infusion_rate and infusion_duration cannot both vary; one follows from the other; "
                          "vary one of the two");
    else if (!is_rate_varied && !is_duration_varied && rate != NULL && duration != NULL)
        ks_settings_fault(reader, rate, "infusion_duration is given too; exactly one of the two is allowed");
    campaign->treatment.uses_rate = is_rate_varied || (rate != NULL && !is_duration_varied);
    campaign->is_named[campaign->treatment.uses_rate ? DURATION : RATE] = false;
}

/* What of life_stress and baseline_madrs counts; a baseline_madrs of 0 does not. */
static void choose_severity(struct ks_reader *reader) {
    enum { STRESS = KS_PARAMETER_life_stress, SCORE = KS_PARAMETER_baseline_madrs };
    struct ks_campaign *campaign = reader->campaign;
    bool is_stress_varied = reader->is_varied[STRESS], is_score_varied = reader->is_varied[SCORE];
    bool has_score = is_score_varied || campaign->parameters[SCORE] > 0;
    if (!has_score) return;
    if (is_stress_varied == is_score_varied && campaign->is_named[STRESS])
        ks_settings_fault(
            reader, ks_protocol_place(reader, STRESS),
            "baseline_madrs is given too, and life_stress is solved for it; exactly one of the two is "
            "allowed");
    campaign->is_named[is_stress_varied ? SCORE : STRESS] = false;
    if (is_stress_varied)
        campaign->parameters[SCORE] = 0;
    else
        campaign->parameters[STRESS] = ks_parameters[STRESS].value;
}

static void check_rate(struct ks_reader *reader) {
    const struct ks_treatment *treatment = &reader->campaign->treatment;
    if (!treatment->uses_rate || treatment->has_infusion_events) return;
    if (!(ks_lookup_range(reader, KS_PARAMETER_infusion_dose).low <= 0)) return;
    ks_settings_fault(
        reader, ks_protocol_place(reader, KS_PARAMETER_infusion_rate),
        "infusion_dose is or can reach 0, which takes no time at a rate; give infusion_duration instead");
}

static void apply_route(struct ks_reader *reader) {
    struct ks_campaign *campaign = reader->campaign;
    const struct ks_route_info *route = &ks_routes[(int)campaign->parameters[KS_PARAMETER_route]];
    const double values[3] = {route->bioavailability, route->absorption_rate, route->first_pass_norketamine};
    for (int i = 0; i < 3; i++) {
        campaign->treatment.keeps_absorption[i] = campaign->is_named[absorption[i]];
        if (!campaign->is_named[absorption[i]]) campaign->parameters[absorption[i]] = values[i];
    }
}

/* ---- what a protocol makes impossible or doubtful -------------------------------------------- */

/* A regular series: infusions, or sessions, whose first start is the sum of two parameters. */
struct series {
    const char *what;
    int count, interval, start, delay; /* parameters; delay is -1 for infusions */
};

static const struct series infusion_series = {
    "infusion", KS_PARAMETER_infusion_count, KS_PARAMETER_infusion_interval, KS_PARAMETER_infusion_start, -1};
static const struct series session_series = {"session", KS_PARAMETER_session_count,
                                             KS_PARAMETER_session_interval, KS_PARAMETER_infusion_start,
                                             KS_PARAMETER_session_delay};

/* A series whose last member starts after the horizon at every point; single points are for the simulation.
 * Where a fault left a range unknown it is NaN, and no comparison holds. */
static void check_last(struct ks_reader *reader, const struct series *series) {
    const int places[] = {series->count, series->interval, series->delay < 0 ? series->start : series->delay,
                          series->start, KS_PARAMETER_horizon};
    double count = ks_lookup_range(reader, series->count).low;
    double interval = ks_lookup_range(reader, series->interval).low;
    double first = ks_lookup_range(reader, series->start).low;
    double horizon = ks_lookup_range(reader, KS_PARAMETER_horizon).high;
    if (series->delay >= 0) first += ks_lookup_range(reader, series->delay).low;
    double last = first + (count - 1) * interval;
    if (!(count >= 1 && last > horizon)) return;
    ks_settings_fault(reader, first_place(reader, 5, places),
                      "the last of %g %ss starts at %s h (%s + %g x %s), after the horizon of %s h; make "
                      "protocol.horizon longer, or them fewer or earlier",
                      count, series->what, ks_settings_number_text(last).text,
                      ks_settings_number_text(first).text, count - 1, ks_settings_number_text(interval).text,
                      ks_settings_number_text(horizon).text);
}

static void warn_of_overlap(struct ks_reader *reader, const struct series *series, double longest) {
    const int places[] = {series->interval, series->count};
    struct ks_range count = ks_lookup_range(reader, series->count);
    struct ks_range interval = ks_lookup_likely_range(reader, series->interval);
    if (!(count.high >= 2 && longest > interval.low)) return;
    ks_settings_warn(reader, first_place(reader, 2, places),
                     "%ss can overlap: they take up to %s h and start every %s h; they add", series->what,
                     ks_settings_number_text(longest).text, ks_settings_number_text(interval.low).text);
}

static double longest_infusion(const struct ks_reader *reader) {
    if (!reader->campaign->treatment.uses_rate)
        return ks_lookup_likely_range(reader, KS_PARAMETER_infusion_duration).high;
    return ks_lookup_likely_range(reader, KS_PARAMETER_infusion_dose).high /
           ks_lookup_likely_range(reader, KS_PARAMETER_infusion_rate).low;
}

static void check_series(struct ks_reader *reader) {
    const struct ks_treatment *treatment = &reader->campaign->treatment;
    if (!treatment->has_infusion_events) {
        check_last(reader, &infusion_series);
        warn_of_overlap(reader, &infusion_series, longest_infusion(reader));
    }
    if (!treatment->has_session_events) {
        check_last(reader, &session_series);
        warn_of_overlap(reader, &session_series,
                        ks_lookup_likely_range(reader, KS_PARAMETER_session_duration).high);
    }
}

static void refuse_section(struct ks_reader *reader, const char *name) {
    const config_setting_t *setting = ks_settings_top(reader, name);
    if (setting != NULL)
        ks_settings_fault(reader, setting, "the model \"%s\" has no %s; leave it out",
                          reader->campaign->model, name);
}

int ks_protocol_read(struct ks_reader *reader) {
    if (reader->campaign->function != NULL) {
        refuse_section(reader, "protocol");
        refuse_section(reader, "patient");
        return KS_OK;
    }
    const config_setting_t *protocol = open_section(reader, "protocol", check_protocol_key);
    const config_setting_t *patient = open_section(reader, "patient", check_patient_key);
    read_parameters(reader, protocol, patient);
    choose_twin(reader);
    choose_severity(reader);
    KS_TRY(ks_schedule_read(reader, protocol));
    check_dose_unit(reader, protocol);
    apply_route(reader);
    check_rate(reader);
    check_series(reader);
    return KS_OK;
}
