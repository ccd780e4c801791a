/* How far a campaign is, how its points ended, who ran it, and where failures lie. */
#define _DEFAULT_SOURCE /* timegm() */
#include "analysis/analysis.h"
#include "base/memory.h"
#include "base/status.h"
#include "report/report_impl.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- runs -------------------------------------------------------------------------------------------------------- */

/* `start`, as the file has it, and so many seconds later; false where it is no time. */
static bool add_seconds(const char *start, double seconds, char *text, size_t size) {
    struct tm parts = {0};
    if (sscanf(start, "%4d-%2d-%2dT%2d:%2d:%2d", &parts.tm_year, &parts.tm_mon, &parts.tm_mday,
               &parts.tm_hour, &parts.tm_min, &parts.tm_sec) != 6 ||
        !(seconds >= 0 && seconds < 1e9))
        return false;
    parts.tm_year -= 1900;
    parts.tm_mon--;
    time_t end = timegm(&parts) + (time_t)seconds;
    return gmtime_r(&end, &parts) != NULL && strftime(text, size, "%Y-%m-%dT%H:%M:%SZ", &parts) > 0;
}

static void write_runs(struct ks_json *json, size_t n, const struct ks_run_record *runs) {
    ks_json_key(json, "runs");
    ks_json_array(json);
    for (const struct ks_run_record *run = runs; run < runs + n; run++) {
        ks_json_object(json);
        ks_json_text_member(json, "start", run->start);
        ks_json_number_member(json, "seconds", run->seconds);
        ks_json_whole_member(json, "ranks", run->n_ranks);
        ks_json_text_member(json, "hosts", run->hosts);
        ks_json_whole_member(json, "points", run->n_points);
        ks_json_number_member(json, "points_per_second", run->points_per_second);
        ks_json_text_member(json, "version", run->version);
        ks_json_end_object(json);
    }
    ks_json_end_array(json);
}

/* ---- status ------------------------------------------------------------------------------------------------------ */

static int count_statuses(const struct ks_report_campaign *campaign, uint64_t counts[KS_N_STATUSES]) {
    enum { BLOCK_ROWS = 65536 };
    int8_t *status;
    int err = KS_OK;
    KS_ALLOCATE(status, BLOCK_ROWS);
    struct ks_rows rows = {.status = status};
    for (uint64_t first = 0; err == KS_OK && first < campaign->n_done; first += BLOCK_ROWS) {
        uint64_t left = campaign->n_done - first, count = left < BLOCK_ROWS ? left : BLOCK_ROWS;
        err = ks_store_read_rows(campaign->store, first, count, &rows);
        for (uint64_t i = 0; err == KS_OK && i < count; i++)
            if (status[i] >= 0 && status[i] < KS_N_STATUSES) counts[status[i]]++;
    }
    free(status);
    return err;
}

static void write_statuses(struct ks_json *json, const uint64_t counts[KS_N_STATUSES]) {
    ks_json_key(json, "status");
    ks_json_array(json);
    for (int i = 1; i < KS_N_STATUSES; i++) {
        ks_json_object(json);
        ks_json_text_member(json, "name", ks_status_names[i]);
        ks_json_text_member(json, "meaning", ks_status_meanings[i]);
        ks_json_bool_member(json, "is_failure", ks_status_is_failure(i));
        ks_json_whole_member(json, "n", counts[i]);
        ks_json_end_object(json);
    }
    ks_json_end_array(json);
}

/* ---- where failures lie ------------------------------------------------------------------------------------------ */

static int read_rows(void *source, uint64_t first, uint64_t count, struct ks_rows *rows) {
    return ks_store_read_rows(source, first, count, rows);
}

static void write_sides(struct ks_json *json, const struct ks_report_campaign *campaign,
                        const struct ks_failures *failures) {
    for (int i = 0; i < failures->n_parameters; i++) {
        const struct ks_failure_side *side = &failures->sides[i];
        if (!(side->p_value < 0.01 / failures->n_parameters)) continue; /* as `sensitivity` tells them */
        ks_json_object(json);
        ks_json_text_member(json, "parameter", campaign->schema->parameters[i].name);
        ks_json_number_member(json, "p_value", side->p_value);
        ks_json_number_member(json, "threshold", side->threshold);
        ks_json_text_member(json, "side", side->is_above ? ">" : "<");
        ks_json_text_member(json, "unit", campaign->schema->parameters[i].unit);
        ks_json_end_object(json);
    }
}

/* Not of a shard, whose design is that of the whole, nor of long lists of points, which would have to be in memory. */
static bool can_search(const struct ks_report_campaign *campaign) {
    enum { MOST_NUMBERS = 1 << 24 };
    uint64_t n_numbers = campaign->n_done * (uint64_t)campaign->schema->n_parameters;
    bool is_list = campaign->has_design && campaign->stored.design.kind == KS_DESIGN_file;
    return campaign->has_design && campaign->schema->share.count == 0 && campaign->n_done > 0 &&
           campaign->schema->n_parameters > 0 && !(is_list && n_numbers > MOST_NUMBERS);
}

static int write_failures(struct ks_json *json, struct ks_report_campaign *campaign) {
    struct ks_design *design = &campaign->stored.design;
    struct ks_schema done = *campaign->schema;
    struct ks_failures failures;
    done.n_points = campaign->n_done;
    struct ks_study study = {.read = read_rows, .source = campaign->store, .schema = &done, .design = design};
    if (design->kind == KS_DESIGN_file)
        KS_TRY(ks_analysis_fill_design(design, read_rows, campaign->store, campaign->n_done));
    int err = ks_analysis_find_failures(&study, &failures);
    if (err == KS_OK && failures.n_failed > 0) write_sides(json, campaign, &failures);
    ks_analysis_release_failures(&failures);
    return err;
}

/* ---- the section ------------------------------------------------------------------------------------------------- */

int ks_report_write_progress(struct ks_json *json, struct ks_report_campaign *campaign) {
    uint64_t counts[KS_N_STATUSES] = {0}, n_failed = 0;
    struct ks_run_record *runs;
    size_t n_runs;
    char made[64];
    KS_TRY(count_statuses(campaign, counts));
    for (int i = 0; i < KS_N_STATUSES; i++) n_failed += ks_status_is_failure(i) ? counts[i] : 0;
    KS_TRY(ks_store_read_runs(campaign->store, &n_runs, &runs));
    if (n_runs > 0 && add_seconds(runs[n_runs - 1].start, runs[n_runs - 1].seconds, made, sizeof made))
        ks_json_text_member(json, "made", made);
    ks_json_key(json, "progress");
    ks_json_object(json);
    ks_json_whole_member(json, "n_points", campaign->schema->n_points);
    ks_json_whole_member(json, "n_done", campaign->n_done);
    ks_json_whole_member(json, "n_failed", n_failed);
    ks_json_bool_member(json, "complete", ks_store_is_complete(campaign->store));
    write_statuses(json, counts);
    write_runs(json, n_runs, runs);
    free(runs);
    ks_json_key(json, "failures");
    ks_json_array(json);
    int err = n_failed > 0 && can_search(campaign) ? write_failures(json, campaign) : KS_OK;
    ks_json_end_array(json);
    ks_json_end_object(json);
    return err;
}
