/* Explicit schedules, where regular ones do not serve: the lists `infusions` and `sessions`, and `events`, a
 * CSV file with the columns of NONMEM: ID, TIME, AMT, RATE or DUR, ADDL, II, ROUTE. ID 0 is every patient;
 * AMT is in the protocol's dose unit; ADDL doses follow at intervals of II.
 *
 * All doses of a protocol share one route: the model has one depot. */
#include "base/memory.h"
#include "config/config_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct ks_key infusion_keys[] = {
    {"time", "h", NULL, "when it starts", KS_FROM_0},
    {"dose", "dose_unit", NULL, "0 is placebo dosing", KS_FROM_0},
    {"duration", "h", NULL, "how long it takes", KS_ABOVE_0},
    {"route", "", NULL, "default: the protocol's; all infusions share one", KS_ANYTHING},
};
const struct ks_keys ks_schedule_infusion_keys = KS_KEYS(infusion_keys);

static const struct ks_key session_keys[] = {
    {"time", "h", NULL, "when it starts", KS_FROM_0},
    {"duration", "h", NULL, "how long it takes", KS_ABOVE_0},
};
const struct ks_keys ks_schedule_session_keys = KS_KEYS(session_keys);

static double latest_start(const struct ks_reader *reader) {
    return ks_lookup_range(reader, KS_PARAMETER_horizon).high;
}

static void warn_of_overlap(struct ks_reader *reader, const config_setting_t *setting, const char *what,
                            double time) {
    ks_settings_warn(reader, setting, "the %s at %s h begins before the one before it ends; they add", what,
                     ks_settings_number_text(time).text);
}

/* ---- infusions ------------------------------------------------------------------------------- */

static int add_infusion(struct ks_treatment *treatment, size_t *capacity,
                        const struct ks_infusion_event *event) {
    if (treatment->n_infusion_events == *capacity) {
        size_t larger = 2 * *capacity + 64;
        struct ks_infusion_event *events = realloc(treatment->infusion_events, larger * sizeof *events);
        KS_CHECK(events != NULL, KS_ERR_MEMORY, "no memory for %zu infusions", larger);
        treatment->infusion_events = events;
        *capacity = larger;
    }
    treatment->infusion_events[treatment->n_infusion_events++] = *event;
    return KS_OK;
}

static int compare_numbers(double a, double b) {
    return (a > b) - (a < b);
}

static int compare_infusions(const void *left, const void *right) {
    const struct ks_infusion_event *a = left, *b = right;
    if (a->id != b->id) return a->id < b->id ? -1 : 1;
    if (a->time_h != b->time_h) return compare_numbers(a->time_h, b->time_h);
    return a->dose != b->dose ? compare_numbers(a->dose, b->dose)
                              : compare_numbers(a->duration_h, b->duration_h);
}

static bool read_infusion(struct ks_reader *reader, const config_setting_t *setting,
                          struct ks_infusion_event *event) {
    struct ks_section section = ks_settings_open(reader, setting, &ks_schedule_infusion_keys);
    const config_setting_t *route = ks_settings_find(&section, "route");
    double code = reader->campaign->parameters[KS_PARAMETER_route];
    bool is_right = ks_settings_require(&section, "time");
    is_right &= ks_settings_require(&section, "dose");
    is_right &= ks_settings_require(&section, "duration");
    is_right &= ks_settings_number(&section, "time", &event->time_h);
    is_right &= ks_settings_number(&section, "dose", &event->dose);
    is_right &= ks_settings_number(&section, "duration", &event->duration_h);
    if (route != NULL)
        is_right &= ks_settings_to_parameter(reader, route, &ks_parameters[KS_PARAMETER_route], &code);
    event->route = (int)code;
    if (is_right && event->time_h > latest_start(reader)) {
        ks_settings_fault(
            reader, setting,
            "the infusion at %s h starts after the horizon of %s h; make protocol.horizon longer",
            ks_settings_number_text(event->time_h).text, ks_settings_number_text(latest_start(reader)).text);
        return false;
    }
    return is_right;
}

static int read_infusions(struct ks_reader *reader, const config_setting_t *list) {
    struct ks_treatment *treatment = &reader->campaign->treatment;
    size_t capacity = 0;
    if (!ks_settings_is_aggregate(reader, list, "a list of groups ( {time; dose; duration;}, ... )"))
        return KS_OK;
    for (int i = 0; i < config_setting_length(list); i++) {
        struct ks_infusion_event event = {0};
        if (read_infusion(reader, config_setting_get_elem(list, (unsigned)i), &event))
            KS_TRY(add_infusion(treatment, &capacity, &event));
    }
    return KS_OK;
}

/* ---- events: infusions from a CSV file ------------------------------------------------------- */

enum column { ID, TIME, AMT, RATE, DUR, ADDL, II, ROUTE, N_COLUMNS };
static const char *const column_names[N_COLUMNS] = {"ID",  "TIME", "AMT", "RATE",
                                                    "DUR", "ADDL", "II",  "ROUTE"};
static const struct ks_limits_info column_limits[N_COLUMNS] = {
    [ID] = {0, 0x1p53, true, true, true, "an integer >= 0"},
    [TIME] = KS_FROM_0,
    [AMT] = KS_FROM_0,
    [RATE] = KS_FROM_0,
    [DUR] = KS_FROM_0,
    [ADDL] = {0, 1000, true, true, true, "an integer in [0, 1000]"},
    [II] = KS_FROM_0,
};

struct schedule_row {
    struct ks_csv *csv;
    const int *columns; /* [N_COLUMNS] */
    size_t row;
    double values[N_COLUMNS];
};

static bool read_cells(struct schedule_row *row) {
    bool is_right = true;
    for (int i = 0; i < N_COLUMNS; i++) {
        row->values[i] = i == ROUTE ? row->csv->reader->campaign->parameters[KS_PARAMETER_route] : 0;
        if (row->columns[i] < 0) continue;
        size_t column = (size_t)row->columns[i];
        if (i == ROUTE) {
            is_right &= ks_csv_is_blank(row->csv, row->row, column) ||
                        ks_csv_route(row->csv, row->row, column, &row->values[i]);
        } else if (!ks_csv_number(row->csv, row->row, column, i != TIME && i != AMT, &row->values[i])) {
            is_right = false;
        } else if (!ks_settings_is_within(&column_limits[i], row->values[i])) {
            ks_csv_fault_cell(row->csv, row->row, column, "%s is not allowed; it must be %s",
                              ks_settings_number_text(row->values[i]).text, column_limits[i].words);
            is_right = false;
        }
    }
    return is_right;
}

/* What the cells of a row mean together, in words, where it is not allowed; else NULL. */
static const char *fault_of_row(const struct schedule_row *row, uint64_t n_points) {
    const double *values = row->values;
    if (values[RATE] > 0 && values[DUR] > 0) return "RATE and DUR are both given; one of the two is allowed";
    if (values[RATE] == 0 && values[DUR] == 0) return "a bolus is not modelled; RATE or DUR must be > 0";
    if (values[RATE] > 0 && values[AMT] == 0)
        return "AMT is 0, which takes no time at a RATE; give DUR instead";
    if (values[ADDL] > 0 && values[II] == 0) return "ADDL > 0 needs II > 0";
    if (values[ID] > (double)n_points)
        return "ID is larger than the number of points; it must be a point from 1 on, or 0 for everybody";
    return NULL;
}

static int add_row(const struct schedule_row *row, size_t *capacity) {
    struct ks_reader *reader = row->csv->reader;
    const double *values = row->values;
    struct ks_infusion_event event = {.id = (uint64_t)values[ID],
                                      .dose = values[AMT],
                                      .duration_h =
                                          values[RATE] > 0 ? values[AMT] / values[RATE] : values[DUR],
                                      .route = (int)values[ROUTE]};
    for (int i = 0; i <= (int)values[ADDL]; i++) {
        event.time_h = values[TIME] + i * values[II];
        if (event.time_h > latest_start(reader)) {
            ks_csv_fault(
                row->csv, row->csv->lines[row->row],
                "the infusion at %s h starts after the horizon of %s h; make protocol.horizon longer",
                ks_settings_number_text(event.time_h).text,
                ks_settings_number_text(latest_start(reader)).text);
            return KS_OK;
        }
        KS_TRY(add_infusion(&reader->campaign->treatment, capacity, &event));
    }
    return KS_OK;
}

static bool has_columns(struct ks_csv *csv, const int *columns) {
    size_t n_before = csv->n_faults;
    for (int i = TIME; i <= AMT; i++)
        if (columns[i] < 0)
            ks_csv_fault(csv, csv->header_line,
                         "column %s is missing; the header needs TIME, AMT, and RATE or DUR",
                         column_names[i]);
    if (columns[RATE] < 0 && columns[DUR] < 0)
        ks_csv_fault(csv, csv->header_line, "column RATE is missing, or instead of it DUR");
    return csv->n_faults == n_before;
}

static int read_events_csv(struct ks_csv *csv) {
    int columns[N_COLUMNS];
    size_t capacity = 0;
    if (csv->n_columns == 0) return KS_OK;
    ks_csv_find_columns(csv, N_COLUMNS, column_names, columns, NULL);
    if (!has_columns(csv, columns)) return KS_OK;
    for (size_t i = 0; i < csv->n_rows; i++) {
        struct schedule_row row = {.csv = csv, .columns = columns, .row = i};
        if (!read_cells(&row)) continue;
        const char *fault = fault_of_row(&row, csv->reader->campaign->design.n_points);
        if (fault != NULL)
            ks_csv_fault(csv, csv->lines[i], "%s", fault);
        else
            KS_TRY(add_row(&row, &capacity));
    }
    return KS_OK;
}

static int read_events(struct ks_reader *reader, const config_setting_t *setting) {
    const char *name = NULL;
    struct ks_csv csv;
    if (!ks_settings_to_string(reader, setting, &name)) return KS_OK;
    int err = ks_csv_read(&csv, reader, setting, name);
    if (err == KS_OK) err = read_events_csv(&csv);
    ks_csv_release(&csv);
    return err;
}

/* ---- what holds for all infusions ------------------------------------------------------------ */

/* A key that the explicit infusions replace has no effect any more. */
static void refuse_regular(struct ks_reader *reader, const config_setting_t *setting) {
    static const int replaced[] = {KS_PARAMETER_infusion_dose, KS_PARAMETER_infusion_duration,
                                   KS_PARAMETER_infusion_rate, KS_PARAMETER_infusion_count,
                                   KS_PARAMETER_infusion_interval};
    for (size_t i = 0; i < sizeof replaced / sizeof *replaced; i++) {
        const config_setting_t *given = ks_protocol_place(reader, replaced[i]);
        if (given != NULL)
            ks_settings_fault(reader, given, "%s has no effect beside protocol.%s; leave out one of the two",
                              ks_parameters[replaced[i]].name, config_setting_name(setting));
    }
    if (reader->is_varied[KS_PARAMETER_route])
        ks_settings_fault(reader, ks_protocol_place(reader, KS_PARAMETER_route),
                          "route cannot vary beside protocol.%s", config_setting_name(setting));
}

static void set_route(struct ks_reader *reader, const config_setting_t *setting, bool is_route_given) {
    struct ks_treatment *treatment = &reader->campaign->treatment;
    if (treatment->n_infusion_events == 0) return;
    int route = treatment->infusion_events[0].route;
    bool is_shared = !is_route_given || route == (int)reader->campaign->parameters[KS_PARAMETER_route];
    for (size_t i = 0; i < treatment->n_infusion_events; i++)
        is_shared &= treatment->infusion_events[i].route == route;
    if (!is_shared)
        ks_settings_fault(reader, setting,
                          "the infusions and protocol.route name different routes; all share one: leave out "
                          "one of the two");
    reader->campaign->parameters[KS_PARAMETER_route] = route;
}

/* A dose in mg where mg/kg are meant would go unseen. */
static void judge_doses(struct ks_reader *reader, const config_setting_t *setting) {
    const struct ks_treatment *treatment = &reader->campaign->treatment;
    double largest = 0;
    for (size_t i = 0; i < treatment->n_infusion_events; i++)
        largest = fmax(largest, treatment->infusion_events[i].dose);
    ks_settings_judge(reader, setting, &ks_parameters[KS_PARAMETER_infusion_dose], largest);
}

static int read_any_infusions(struct ks_reader *reader, const config_setting_t *protocol) {
    struct ks_treatment *treatment = &reader->campaign->treatment;
    const config_setting_t *list = ks_settings_member(protocol, "infusions");
    const config_setting_t *events = ks_settings_member(protocol, "events");
    const config_setting_t *setting = list != NULL ? list : events;
    if (setting == NULL) return KS_OK;
    treatment->has_infusion_events = true;
    if (list != NULL && events != NULL)
        ks_settings_fault(reader, events, "infusions are given too; one of the two is allowed");
    KS_TRY(list != NULL ? read_infusions(reader, list) : read_events(reader, events));
    refuse_regular(reader, setting);
    set_route(reader, setting, ks_settings_member(protocol, "route") != NULL);
    judge_doses(reader, setting);
    struct ks_infusion_event *infusions = treatment->infusion_events;
    if (treatment->n_infusion_events > 1)
        qsort(infusions, treatment->n_infusion_events, sizeof *infusions, compare_infusions);
    for (size_t i = 1; i < treatment->n_infusion_events; i++) {
        const struct ks_infusion_event *before = &infusions[i - 1];
        if (before->id != infusions[i].id || before->time_h + before->duration_h <= infusions[i].time_h)
            continue;
        warn_of_overlap(reader, setting, "infusion", infusions[i].time_h);
        break;
    }
    return KS_OK;
}

/* ---- sessions -------------------------------------------------------------------------------- */

static int compare_sessions(const void *left, const void *right) {
    const struct ks_session_event *a = left, *b = right;
    return a->time_h != b->time_h ? compare_numbers(a->time_h, b->time_h)
                                  : compare_numbers(a->duration_h, b->duration_h);
}

static void read_session(struct ks_reader *reader, const config_setting_t *setting) {
    struct ks_treatment *treatment = &reader->campaign->treatment;
    struct ks_section section = ks_settings_open(reader, setting, &ks_schedule_session_keys);
    struct ks_session_event event = {0};
    bool is_right = ks_settings_require(&section, "time");
    is_right &= ks_settings_require(&section, "duration");
    is_right &= ks_settings_number(&section, "time", &event.time_h);
    is_right &= ks_settings_number(&section, "duration", &event.duration_h);
    if (is_right && event.time_h > latest_start(reader))
        ks_settings_fault(
            reader, setting,
            "the session at %s h starts after the horizon of %s h; make protocol.horizon longer",
            ks_settings_number_text(event.time_h).text, ks_settings_number_text(latest_start(reader)).text);
    if (is_right) treatment->session_events[treatment->n_session_events++] = event;
}

static void refuse_regular_sessions(struct ks_reader *reader) {
    static const int replaced[] = {KS_PARAMETER_session_count, KS_PARAMETER_session_delay,
                                   KS_PARAMETER_session_interval, KS_PARAMETER_session_duration};
    for (size_t i = 0; i < sizeof replaced / sizeof *replaced; i++) {
        const config_setting_t *given = ks_protocol_place(reader, replaced[i]);
        if (given != NULL)
            ks_settings_fault(reader, given,
                              "%s has no effect beside protocol.sessions; leave out one of the two",
                              ks_parameters[replaced[i]].name);
    }
}

static int read_sessions(struct ks_reader *reader, const config_setting_t *list) {
    struct ks_treatment *treatment = &reader->campaign->treatment;
    if (list == NULL ||
        !ks_settings_is_aggregate(reader, list, "a list of groups ( {time; duration;}, ... )"))
        return KS_OK;
    treatment->has_session_events = true;
    refuse_regular_sessions(reader);
    KS_ALLOCATE(treatment->session_events, (size_t)config_setting_length(list));
    for (int i = 0; i < config_setting_length(list); i++)
        read_session(reader, config_setting_get_elem(list, (unsigned)i));
    struct ks_session_event *sessions = treatment->session_events;
    if (treatment->n_session_events > 1)
        qsort(sessions, treatment->n_session_events, sizeof *sessions, compare_sessions);
    for (size_t i = 1; i < treatment->n_session_events; i++) {
        if (sessions[i - 1].time_h + sessions[i - 1].duration_h <= sessions[i].time_h) continue;
        warn_of_overlap(reader, list, "session", sessions[i].time_h);
        break;
    }
    return KS_OK;
}

/* ---- both ------------------------------------------------------------------------------------ */

bool ks_schedule_uses_start(const struct ks_reader *reader) {
    const struct ks_treatment *treatment = &reader->campaign->treatment;
    bool has_sessions = ks_lookup_range(reader, KS_PARAMETER_session_count).high != 0;
    return !treatment->has_infusion_events || (has_sessions && !treatment->has_session_events);
}

int ks_schedule_read(struct ks_reader *reader, const config_setting_t *protocol) {
    KS_TRY(read_any_infusions(reader, protocol));
    KS_TRY(read_sessions(reader, ks_settings_member(protocol, "sessions")));
    const config_setting_t *start = ks_protocol_place(reader, KS_PARAMETER_infusion_start);
    if (start != NULL && !ks_schedule_uses_start(reader))
        ks_settings_fault(reader, start,
                          "infusion_start has no effect: infusions have their times, and no session "
                          "follows it; leave it out");
    return KS_OK;
}
