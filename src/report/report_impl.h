/* Private to src/report: an open campaign, and the sections of a page, each a member of the page's object or nothing. */
#ifndef KS_REPORT_REPORT_IMPL_H
#define KS_REPORT_REPORT_IMPL_H

#include "config/config.h"
#include "report/json.h"
#include "report/report.h"
#include "store/pages.h"
#include "store/store.h"

/* ---- excerpt.c: rows that stand for all ----------------------------------------------------------------------- */

/* One row of each of n strata of equal size, at a place that is drawn; all rows where there are no more than n. Even steps would
 * see one level of a grid's last parameter alone. */
struct ks_excerpt {
    uint64_t n_of; /* rows that there are */
    size_t n;      /* rows of the excerpt */
};

struct ks_excerpt ks_excerpt_of(uint64_t n_rows, size_t most);

/* The i-th row, ascending. */
uint64_t ks_excerpt_row(const struct ks_excerpt *excerpt, size_t i);

/* ---- a campaign ------------------------------------------------------------------------------------------------- */

struct ks_report_campaign {
    const char *path;
    ks_store *store;
    const struct ks_schema *schema;
    uint64_t n_done;           /* committed rows */
    struct ks_campaign stored; /* what the stored configuration says: design and parameter table at least */
    bool has_design;
};

/* protocol.c: "protocols", what is done to patients in time; [] where the stored text does not say. */
int ks_report_write_protocols(struct ks_json *json, const char *path, const char *canonical);

/* columns.c: "parameters", "endpoints" and "sample", by two passes over the rows. */
int ks_report_write_columns(struct ks_json *json, const struct ks_report_campaign *campaign);

/* progress.c: "made", "progress". */
int ks_report_write_progress(struct ks_json *json, struct ks_report_campaign *campaign);

/* courses.c: "trajectories". */
int ks_report_write_courses(struct ks_json *json, const struct ks_report_campaign *campaign);

/* indices.c: "sensitivity". */
int ks_report_write_indices(struct ks_json *json, const struct ks_report_campaign *campaign);

/* campaign.c, cohort.c, trial.c: everything of a file of their kind. */
int ks_report_write_campaign(struct ks_json *json, const char *path);
int ks_report_write_cohort(struct ks_json *json, const char *path);
int ks_report_write_trial(struct ks_json *json, const char *path);

/* tables.c: what is read from groups of tables. */

/* Whether a file has the group, which then is good; an error where it is damaged. */
int ks_report_find_group(const char *path, const char *group, bool *has);

/* Moments and quantiles of weighted patients. */
struct ks_report_moments {
    double mean, sd, quantiles[5]; /* at ks_digest_shares */
};
int ks_report_find_moments(size_t n, const double *values, const double *weights,
                           struct ks_report_moments *moments);
void ks_report_write_moments(struct ks_json *json, const struct ks_report_moments *moments);

/* The head and the protocols of a file of tables. */
int ks_report_write_tables_head(struct ks_json *json, struct ks_pages *pages, const char *kind,
                                char **config);

/* A member of texts, "" where the file has no such dataset. */
void ks_report_write_cell(struct ks_json *json, const char *key, const struct ks_page *page, uint64_t i);

/* campaign.c: the members that every page begins with. */
void ks_report_write_head(struct ks_json *json, const char *path, const char *kind, const char *title,
                          const char *model_version, const char *config);

/* At most so many of n places, evenly spread, the first and the last among them: the step from one to the next. The last may
 * take a shorter one. */
int ks_report_thin(int n, int most);

#endif
