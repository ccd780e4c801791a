/* The data of a campaign's page. */
#include "base/build_info.h"
#include "report/report_impl.h"

#include <stdlib.h>
#include <string.h>

void ks_report_write_head(struct ks_json *json, const char *path, const char *kind, const char *title,
                          const char *model_version, const char *config) {
    const char *slash = strrchr(path, '/');
    ks_json_text_member(json, "program", "ketsweep " KS_VERSION);
    ks_json_text_member(json, "model_version", model_version);
    ks_json_text_member(json, "file", slash != NULL ? slash + 1 : path);
    ks_json_text_member(json, "kind", kind);
    ks_json_text_member(json, "title", title);
    ks_json_text_member(json, "config", config);
}

int ks_report_thin(int n, int most) {
    return n <= most ? 1 : (n - 2) / (most - 1) + 1;
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

static int count_done(struct ks_report_campaign *campaign) {
    struct ks_round *rounds;
    size_t n_rounds;
    KS_TRY(ks_store_read_rounds(campaign->store, &n_rounds, &rounds));
    for (size_t i = 0; i < n_rounds; i++) campaign->n_done += rounds[i].n_rows;
    free(rounds);
    return KS_OK;
}

/* What the stored configuration says of the parameters; a file whose text this program does not understand is shown without
 * it. */
static void load_design(struct ks_report_campaign *campaign) {
    const struct ks_schema *schema = campaign->schema;
    FILE *nowhere = fopen("/dev/null", "w");
    if (nowhere == NULL) return;
    bool is_read = ks_config_load_design(campaign->path, schema->config, nowhere, &campaign->stored) == KS_OK;
    fclose(nowhere);
    if (!is_read) {
        ks_error_clear();
        campaign->stored = (struct ks_campaign){0};
    }
    campaign->has_design = is_read && campaign->stored.design.n_variables == schema->n_parameters;
}

/* ---- the sections ------------------------------------------------------------------------------------------------ */

static void write_design(struct ks_json *json, const struct ks_schema *schema) {
    ks_json_key(json, "design");
    ks_json_object(json);
    ks_json_text_member(json, "kind", schema->design);
    ks_json_whole_member(json, "seed", schema->seed);
    if (schema->share.count > 0) {
        ks_json_whole_member(json, "shard", schema->share.number);
        ks_json_whole_member(json, "n_shards", schema->share.count);
        ks_json_whole_member(json, "n_campaign_points", schema->share.n_points);
    }
    ks_json_end_object(json);
}

static int write_sections(struct ks_json *json, struct ks_report_campaign *campaign) {
    const struct ks_schema *schema = campaign->schema = ks_store_schema(campaign->store);
    KS_TRY(count_done(campaign));
    load_design(campaign);
    ks_report_write_head(json, campaign->path, "campaign", schema->title, schema->model_version,
                         schema->config);
    write_design(json, schema);
    KS_TRY(ks_report_write_protocols(json, campaign->path, schema->config));
    KS_TRY(ks_report_write_columns(json, campaign));
    KS_TRY(ks_report_write_progress(json, campaign));
    KS_TRY(ks_report_write_courses(json, campaign));
    return ks_report_write_indices(json, campaign);
}

int ks_report_write_campaign(struct ks_json *json, const char *path) {
    struct ks_report_campaign campaign = {.path = path};
    KS_TRY(ks_store_open(&campaign.store, path));
    int err = write_sections(json, &campaign);
    ks_config_release(&campaign.stored);
    int err_close = ks_store_close(&campaign.store);
    return err < 0 ? err : err_close;
}
