/* The data of a cohort's page: who was left out, who the patients are, and the targets before and after selection. */
#include "cohort/cohort.h"

#include "base/memory.h"
#include "report/report_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct cohort {
    struct ks_pages pages;
    uint64_t n_patients, n_traits, n_targets, n_reasons;
    const struct ks_page *trait, *unit, *description, *inputs, *weight, *score, *baseline;
    const struct ks_page *target, *id, *use, *selects, *numbers[6];
    const struct ks_page *reason, *rejected;
    double *column; /* [n_patients] */
};

/* What is said of a target: key on the page, dataset. */
static const char *const target_numbers[6][2] = {{"value", "target_value"}, {"n", "target_n"},
                                                 {"before", "before"},      {"after", "after"},
                                                 {"p_value", "p_value"},    {"effective_n", "effective_n"}};

/* ---- reading --------------------------------------------------------------------------------------------------- */

static int read_patients(struct cohort *c) {
    struct ks_pages *p = &c->pages;
    KS_TRY(ks_pages_read(p, "trait", KS_TABLE_TEXT, 1, &c->trait));
    KS_TRY(ks_pages_read(p, "trait_unit", KS_TABLE_TEXT, 1, &c->unit));
    KS_TRY(ks_pages_read(p, "trait_description", KS_TABLE_TEXT, 1, &c->description));
    KS_TRY(ks_pages_read(p, "inputs", KS_TABLE_F64, 2, &c->inputs));
    KS_TRY(ks_pages_read(p, "weight", KS_TABLE_F64, 1, &c->weight));
    KS_TRY(ks_pages_read(p, "score", KS_TABLE_TEXT, 1, &c->score));
    KS_TRY(ks_pages_read(p, "baseline", KS_TABLE_F64, 2, &c->baseline));
    c->n_patients = c->weight->extent[0];
    c->n_traits = c->trait->extent[0];
    KS_TRY(ks_pages_match(p, c->unit, c->n_traits, 1, 1));
    KS_TRY(ks_pages_match(p, c->description, c->n_traits, 1, 1));
    KS_TRY(ks_pages_match(p, c->inputs, c->n_patients, c->n_traits, 1));
    return ks_pages_match(p, c->baseline, c->n_patients, c->score->extent[0], 1);
}

static int read_targets(struct cohort *c) {
    struct ks_pages *p = &c->pages;
    KS_TRY(ks_pages_read(p, "target", KS_TABLE_TEXT, 1, &c->target));
    KS_TRY(ks_pages_read(p, "target_id", KS_TABLE_TEXT, 1, &c->id));
    KS_TRY(ks_pages_read(p, "target_use", KS_TABLE_TEXT, 1, &c->use));
    KS_TRY(ks_pages_read(p, "target_selects", KS_TABLE_TEXT, 1, &c->selects));
    c->n_targets = c->target->extent[0];
    KS_TRY(ks_pages_match(p, c->selects, c->n_targets, 1, 1));
    for (int i = 0; i < 6; i++) {
        KS_TRY(ks_pages_read(p, target_numbers[i][1], KS_TABLE_F64, 1, &c->numbers[i]));
        KS_TRY(ks_pages_match(p, c->numbers[i], c->n_targets, 1, 1));
    }
    KS_TRY(ks_pages_read(p, "rejected_for", KS_TABLE_TEXT, 1, &c->reason));
    KS_TRY(ks_pages_read(p, "rejected", KS_TABLE_U64, 1, &c->rejected));
    c->n_reasons = c->reason->extent[0];
    return ks_pages_match(p, c->rejected, c->n_reasons, 1, 1);
}

/* ---- writing --------------------------------------------------------------------------------------------------- */

static void write_counts(struct ks_json *json, const struct cohort *c, const char *config) {
    double n_candidates = ks_config_find_number(config, "population.candidates"), n_rejected = 0;
    for (uint64_t i = 0; i < c->n_reasons; i++) n_rejected += (double)ks_page_whole(c->rejected, i);
    ks_json_number_member(json, "n_candidates", n_candidates);
    ks_json_number_member(json, "n_plausible", n_candidates - n_rejected);
    ks_json_whole_member(json, "n_patients", c->n_patients);
    ks_json_number_member(json, "effective_n",
                          ks_statistics_effective_n((size_t)c->n_patients, c->weight->data));
    ks_json_key(json, "rejected");
    ks_json_array(json);
    for (uint64_t i = 0; i < c->n_reasons; i++) {
        if (ks_page_whole(c->rejected, i) == 0) continue;
        ks_json_object(json);
        ks_report_write_cell(json, "reason", c->reason, i);
        ks_json_whole_member(json, "n", ks_page_whole(c->rejected, i));
        ks_json_end_object(json);
    }
    ks_json_end_array(json);
}

/* A column of a table of patients. */
static int write_moments(struct ks_json *json, struct cohort *c, const struct ks_page *page,
                         uint64_t column) {
    struct ks_report_moments moments;
    for (uint64_t j = 0; j < c->n_patients; j++)
        c->column[j] = ks_page_number(page, j * page->extent[1] + column);
    KS_TRY(ks_report_find_moments((size_t)c->n_patients, c->column, c->weight->data, &moments));
    ks_report_write_moments(json, &moments);
    return KS_OK;
}

static int write_baseline(struct ks_json *json, struct cohort *c) {
    ks_json_key(json, "baseline");
    ks_json_array(json);
    for (uint64_t s = 0; s < c->score->extent[0]; s++) {
        char name[64], description[128];
        const char *kind = ks_page_text(c->score, s);
        bool is_latent = strcmp(kind, "latent") == 0;
        snprintf(name, sizeof name, "madrs_%s", kind);
        snprintf(description, sizeof description, "MADRS before treatment, %s",
                 is_latent ? "as it is" : "as a rater sees it");
        ks_json_object(json);
        ks_json_text_member(json, "name", name);
        ks_json_text_member(json, "unit", "points");
        ks_json_text_member(json, "description", description);
        KS_TRY(write_moments(json, c, c->baseline, s));
        ks_json_end_object(json);
    }
    for (uint64_t k = 0; k < c->n_traits; k++) {
        ks_json_object(json);
        ks_report_write_cell(json, "name", c->trait, k);
        ks_report_write_cell(json, "unit", c->unit, k);
        ks_report_write_cell(json, "description", c->description, k);
        KS_TRY(write_moments(json, c, c->inputs, k));
        ks_json_end_object(json);
    }
    ks_json_end_array(json);
    return KS_OK;
}

static void write_targets(struct ks_json *json, const struct cohort *c) {
    ks_json_key(json, "targets");
    ks_json_array(json);
    for (uint64_t i = 0; i < c->n_targets; i++) {
        ks_json_object(json);
        ks_report_write_cell(json, "target", c->target, i);
        ks_report_write_cell(json, "id", c->id, i);
        ks_report_write_cell(json, "use", c->use, i);
        ks_json_bool_member(json, "selects", strcmp(ks_page_text(c->selects, i), "yes") == 0);
        for (int k = 0; k < 6; k++)
            ks_json_number_member(json, target_numbers[k][0], ks_page_number(c->numbers[k], i));
        ks_json_end_object(json);
    }
    ks_json_end_array(json);
}

static int write_cohort(struct ks_json *json, struct cohort *c, const char *config) {
    KS_TRY(read_patients(c));
    KS_TRY(read_targets(c));
    KS_ALLOCATE(c->column, c->n_patients);
    ks_json_key(json, "cohort");
    ks_json_object(json);
    write_counts(json, c, config);
    KS_TRY(write_baseline(json, c));
    write_targets(json, c);
    ks_json_end_object(json);
    return KS_OK;
}

int ks_report_write_cohort(struct ks_json *json, const char *path) {
    struct cohort *c;
    char *config = NULL;
    KS_ALLOCATE(c, 1);
    int err = ks_pages_open(&c->pages, path, "cohort");
    if (err == KS_OK) err = ks_report_write_tables_head(json, &c->pages, "cohort", &config);
    if (err == KS_OK) err = write_cohort(json, c, config);
    ks_pages_close(&c->pages);
    free(config);
    free(c->column);
    free(c);
    return err;
}
