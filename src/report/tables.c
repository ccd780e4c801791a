/* What is read from groups of tables: whether they are there, the head of a cohort's or trial's page, and numbers of weighted
 * patients. */
#include "cohort/cohort.h"
#include "report/digest.h"
#include "report/report_impl.h"

#include <stdlib.h>

int ks_report_find_group(const char *path, const char *group, bool *has) {
    int err = ks_tables_check(path, group);
    *has = err == KS_OK;
    if (err != KS_ERR_USAGE) return err;
    ks_error_clear();
    return KS_OK;
}

int ks_report_find_moments(size_t n, const double *values, const double *weights,
                           struct ks_report_moments *moments) {
    moments->mean = ks_statistics_mean(n, values, weights);
    moments->sd = ks_statistics_sd(n, values, weights);
    return ks_statistics_weighted_quantiles(n, values, weights, KS_DIGEST_QUANTILES, ks_digest_shares,
                                            moments->quantiles);
}

void ks_report_write_moments(struct ks_json *json, const struct ks_report_moments *moments) {
    ks_json_number_member(json, "mean", moments->mean);
    ks_json_number_member(json, "sd", moments->sd);
    ks_json_numbers_member(json, "quantiles", KS_DIGEST_QUANTILES, moments->quantiles, 1);
}

void ks_report_write_cell(struct ks_json *json, const char *key, const struct ks_page *page, uint64_t i) {
    const char *text = page->data != NULL && i < page->extent[0] ? ks_page_text(page, i) : "";
    ks_json_text_member(json, key, text);
}

int ks_report_write_tables_head(struct ks_json *json, struct ks_pages *pages, const char *kind,
                                char **config) {
    char *title = NULL, *version = NULL;
    *config = NULL;
    int err = ks_tables_read_text(pages->file, "/", "title", &title);
    if (err == KS_OK) err = ks_tables_read_text(pages->file, "/", "model_version", &version);
    if (err == KS_OK) err = ks_tables_read_text(pages->file, "/", "config", config);
    if (err == KS_OK && (title == NULL || version == NULL || *config == NULL))
        err = ks_error_raise(KS_ERR_FORMAT, __FILE__, __LINE__, "%s lacks its title, config or model_version",
                             pages->path);
    if (err == KS_OK) {
        ks_report_write_head(json, pages->path, kind, title, version, *config);
        err = ks_report_write_protocols(json, pages->path, *config);
    }
    free(title);
    free(version);
    return err;
}
