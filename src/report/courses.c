/* Trajectories as medians and bands, of all points, and of those that respond against the others. Of an excerpt of the rows and
 * times: a figure shows no more. */
#include "base/memory.h"
#include "base/status.h"
#include "cohort/cohort.h"
#include "report/digest.h"
#include "report/report_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_ROWS = 8192,
    MOST_CELLS = 10000,    /* times of all states, each of which takes 15 numbers of the page */
    MOST_NUMBERS = 8000000 /* rows x cells */
};

enum { ALL, RESPONDERS, OTHERS, N_GROUPS };
static const char *const group_names[N_GROUPS] = {"all", "responders", "non_responders"};

struct courses {
    const struct ks_report_campaign *campaign;
    int n_times, step; /* times that are shown: 0, step, 2 step, ... and the last */
    struct ks_excerpt excerpt;
    float *row;             /* [n_times of the file][n_states] */
    double *outcomes;       /* [n_endpoints] */
    float *numbers;         /* [n_states][n_times][excerpt.n] */
    char *group;            /* [excerpt.n] RESPONDERS, OTHERS, or ALL where it cannot be said */
    double *sorted;         /* [excerpt.n] */
    int endpoint;           /* column of the response; -1: by the score's course */
    int score, early, late; /* the score among the states, times of 0 h and of the response; -1 */
};

/* ---- who responds ------------------------------------------------------------------------------------------------ */

static const struct ks_endpoint *const response = &ks_endpoints[KS_ENDPOINT_response_24h];

static int find_column(int n, const struct ks_column *columns, const char *name) {
    for (int i = 0; i < n; i++)
        if (strcmp(columns[i].name, name) == 0) return i;
    return -1;
}

static int find_time(const struct ks_schema *schema, double time) {
    for (int t = 0; t < schema->n_times; t++)
        if (schema->times[t] == time) return t;
    return -1;
}

/* By the endpoint, or where it is not in the file by the course that it would be read from. */
static void plan_response(struct courses *c) {
    const struct ks_schema *schema = c->campaign->schema;
    c->endpoint = find_column(schema->n_endpoints, schema->endpoints, response->name);
    c->score = find_column(schema->n_states, schema->states, ks_quantities[response->quantity].name);
    c->early = find_time(schema, 0);
    c->late = find_time(schema, response->from);
}

static bool has_response(const struct courses *c) {
    return c->endpoint >= 0 || (c->score >= 0 && c->early >= 0 && c->late >= 0);
}

/* Who is not depressed at the start cannot respond. */
static char group_of(const struct courses *c, int8_t status) {
    const int n_states = c->campaign->schema->n_states;
    double value = NAN;
    if (status != KS_STATUS_done) return ALL;
    if (c->endpoint >= 0) {
        value = c->outcomes[c->endpoint];
    } else if (has_response(c)) {
        double before = (double)c->row[c->early * n_states + c->score],
               after = (double)c->row[c->late * n_states + c->score];
        if (isfinite(before) && isfinite(after)) value = after <= response->threshold * before;
    }
    return isnan(value) ? ALL : value == 1 ? RESPONDERS : OTHERS;
}

/* ---- the excerpt ------------------------------------------------------------------------------------------------- */

static int time_at(const struct courses *c, int t) {
    int last = c->campaign->schema->n_times - 1;
    return t * c->step < last ? t * c->step : last;
}

static int take_row(struct courses *c, size_t i) {
    const struct ks_schema *schema = c->campaign->schema;
    int8_t status;
    struct ks_rows rows = {
        .trajectories = c->row, .status = &status, .endpoints = c->endpoint >= 0 ? c->outcomes : NULL};
    KS_TRY(ks_store_read_rows(c->campaign->store, ks_excerpt_row(&c->excerpt, i), 1, &rows));
    c->group[i] = group_of(c, status);
    for (int s = 0; s < schema->n_states; s++)
        for (int t = 0; t < c->n_times; t++)
            c->numbers[((size_t)s * (size_t)c->n_times + (size_t)t) * c->excerpt.n + i] =
                c->row[time_at(c, t) * schema->n_states + s];
    return KS_OK;
}

static int gather(struct courses *c) {
    const struct ks_schema *schema = c->campaign->schema;
    size_t n_cells;
    int most = MOST_CELLS / schema->n_states;
    c->step = ks_report_thin(schema->n_times, most > 2 ? most : 2);
    c->n_times = (schema->n_times - 1 + c->step - 1) / c->step + 1;
    n_cells = (size_t)c->n_times * (size_t)schema->n_states;
    size_t fitting = MOST_NUMBERS / n_cells;
    c->excerpt = ks_excerpt_of(c->campaign->n_done, fitting < MOST_ROWS ? fitting : MOST_ROWS);
    plan_response(c);
    KS_ALLOCATE(c->row, (size_t)schema->n_times * (size_t)schema->n_states);
    KS_ALLOCATE(c->outcomes, (size_t)schema->n_endpoints);
    KS_ALLOCATE(c->numbers, n_cells * c->excerpt.n);
    KS_ALLOCATE(c->group, c->excerpt.n);
    KS_ALLOCATE(c->sorted, c->excerpt.n);
    for (size_t i = 0; i < c->excerpt.n; i++) KS_TRY(take_row(c, i));
    return KS_OK;
}

/* ---- the section ------------------------------------------------------------------------------------------------- */

static size_t count_group(const struct courses *c, int group) {
    size_t n = 0;
    for (size_t i = 0; i < c->excerpt.n; i++) n += group == ALL || c->group[i] == group;
    return n;
}

static void digest_cell(struct courses *c, int group, size_t cell, double *quantiles) {
    const float *numbers = &c->numbers[cell * c->excerpt.n];
    size_t n = 0;
    for (size_t i = 0; i < c->excerpt.n; i++)
        if ((group == ALL || c->group[i] == group) && isfinite(numbers[i]))
            c->sorted[n++] = (double)numbers[i];
    ks_statistics_quantiles(n, c->sorted, KS_DIGEST_QUANTILES, ks_digest_shares, quantiles);
}

static int write_group(struct ks_json *json, struct courses *c, int state, int group) {
    static const char *const names[KS_DIGEST_QUANTILES] = {"p5", "p25", "p50", "p75", "p95"};
    double *quantiles;
    size_t n_times = (size_t)c->n_times;
    KS_ALLOCATE(quantiles, n_times * KS_DIGEST_QUANTILES);
    for (size_t t = 0; t < n_times; t++)
        digest_cell(c, group, (size_t)state * n_times + t, &quantiles[t * KS_DIGEST_QUANTILES]);
    ks_json_key(json, group_names[group]);
    ks_json_object(json);
    ks_json_whole_member(json, "n", count_group(c, group));
    for (int q = 0; q < KS_DIGEST_QUANTILES; q++)
        ks_json_numbers_member(json, names[q], n_times, quantiles + q, KS_DIGEST_QUANTILES);
    ks_json_end_object(json);
    free(quantiles);
    return KS_OK;
}

static int write_state(struct ks_json *json, struct courses *c, int state) {
    const struct ks_column *column = &c->campaign->schema->states[state];
    ks_json_object(json);
    ks_json_text_member(json, "name", column->name);
    ks_json_text_member(json, "unit", column->unit);
    ks_json_text_member(json, "description", column->description);
    ks_json_key(json, "groups");
    ks_json_object(json);
    for (int group = 0; group < (has_response(c) ? N_GROUPS : 1); group++)
        KS_TRY(write_group(json, c, state, group));
    ks_json_end_object(json);
    ks_json_end_object(json);
    return KS_OK;
}

static int write_courses(struct ks_json *json, struct courses *c) {
    KS_TRY(gather(c));
    ks_json_key(json, "trajectories");
    ks_json_object(json);
    ks_json_key(json, "time");
    ks_json_array(json);
    for (int t = 0; t < c->n_times; t++) ks_json_number(json, c->campaign->schema->times[time_at(c, t)]);
    ks_json_end_array(json);
    ks_json_whole_member(json, "n", c->excerpt.n);
    ks_json_whole_member(json, "n_of", c->excerpt.n_of);
    if (has_response(c)) {
        char text[160];
        snprintf(text, sizeof text, "%s at %g h at most %g of that at the start",
                 ks_quantities[response->quantity].name, response->from, response->threshold);
        ks_json_text_member(json, "response", text);
    }
    ks_json_key(json, "states");
    ks_json_array(json);
    for (int s = 0; s < c->campaign->schema->n_states; s++) KS_TRY(write_state(json, c, s));
    ks_json_end_array(json);
    ks_json_end_object(json);
    return KS_OK;
}

int ks_report_write_courses(struct ks_json *json, const struct ks_report_campaign *campaign) {
    struct courses c = {.campaign = campaign};
    if (campaign->schema->n_states == 0 || campaign->n_done == 0) return KS_OK;
    int err = write_courses(json, &c);
    free(c.row);
    free(c.outcomes);
    free(c.numbers);
    free(c.group);
    free(c.sorted);
    return err;
}
