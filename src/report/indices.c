/* The sensitivity indices that a file holds, or NAME.sensitivity.h5 beside it, of every method that was run: of endpoints, of
 * pairs of parameters, and of states over time. */
#include "analysis/analysis.h"
#include "base/memory.h"
#include "report/report_impl.h"
#include "store/pages.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Numbers of all methods that may go on the page, for pairs and for courses each; about 7 characters. */
enum { MOST_NUMBERS = 90000, DIGITS = 5, LONGEST_NAME = 96 };

struct method {
    const struct ks_report_campaign *campaign;
    struct ks_pages pages;
    int most_numbers;
    uint64_t n_endpoints, n_parameters, n_states, n_times;
    int step; /* of the times that courses show */
};

/* An index with its interval. */
struct triple {
    const struct ks_index *index;
    char names[3][LONGEST_NAME];
    const struct ks_page *pages[3]; /* value, low, high */
};

static int read_triple(struct method *m, const char *prefix, const struct ks_index *index, int n_axes,
                       struct triple *triple) {
    static const char *const endings[] = {"", "_low", "_high"};
    triple->index = index;
    for (int i = 0; i < 3; i++) {
        snprintf(triple->names[i], LONGEST_NAME, "%s%s%s", prefix, index->name, endings[i]);
        KS_TRY(ks_pages_read(&m->pages, triple->names[i], KS_TABLE_F64, n_axes, &triple->pages[i]));
    }
    return KS_OK;
}

static int match_triple(const struct method *m, const struct triple *triple, uint64_t a, uint64_t b,
                        uint64_t c) {
    for (int i = 0; i < 3; i++) KS_TRY(ks_pages_match(&m->pages, triple->pages[i], a, b, c));
    return KS_OK;
}

static void begin_index(struct ks_json *json, const struct triple *triple) {
    ks_json_object(json);
    ks_json_text_member(json, "name", triple->index->name);
    ks_json_text_member(json, "long_name", triple->index->description);
    ks_json_bool_member(json, "is_share", triple->index->kind == KS_SHARE);
}

static const char *const keys[] = {"values", "low", "high"};

/* ---- of endpoints ------------------------------------------------------------------------------------------------ */

static void write_row(struct ks_json *json, const struct ks_page *page, uint64_t first, uint64_t n) {
    ks_json_array(json);
    for (uint64_t i = 0; i < n; i++) ks_json_digits(json, ks_page_number(page, first + i), DIGITS);
    ks_json_end_array(json);
}

/* Rows of a table of parameters. */
static void write_matrix(struct ks_json *json, const struct triple *t, uint64_t n_rows, uint64_t n) {
    begin_index(json, t);
    for (int i = 0; i < 3; i++) {
        ks_json_key(json, keys[i]);
        ks_json_array(json);
        for (uint64_t row = 0; row < n_rows; row++) write_row(json, t->pages[i], row * n, n);
        ks_json_end_array(json);
    }
    ks_json_end_object(json);
}

/* Of endpoints, or with the prefix of states over their whole course. */
static int write_parameter_index(struct ks_json *json, struct method *m, const char *prefix,
                                 const struct ks_index *index, uint64_t n_rows) {
    struct triple t;
    KS_TRY(read_triple(m, prefix, index, 2, &t));
    if (t.pages[0]->data == NULL) return KS_OK;
    KS_TRY(match_triple(m, &t, n_rows, m->n_parameters, 1));
    write_matrix(json, &t, n_rows, m->n_parameters);
    return KS_OK;
}

static int write_total_index(struct ks_json *json, struct method *m, const struct ks_index *index) {
    struct triple t;
    KS_TRY(read_triple(m, "", index, 1, &t));
    if (t.pages[0]->data == NULL) return KS_OK;
    KS_TRY(match_triple(m, &t, m->n_endpoints, 1, 1));
    begin_index(json, &t);
    for (int i = 0; i < 3; i++) {
        ks_json_key(json, keys[i]);
        write_row(json, t.pages[i], 0, m->n_endpoints);
    }
    ks_json_end_object(json);
    return KS_OK;
}

/* ---- of pairs ---------------------------------------------------------------------------------------------------- */

/* The largest value that a pair has for any endpoint. */
static double weight_of(const struct ks_page *page, uint64_t pair) {
    double most = -INFINITY;
    for (uint64_t e = 0; e < page->extent[0]; e++) {
        double value = ks_page_number(page, e * page->extent[1] + pair);
        if (value > most) most = value; /* with fmax() gcc 12 fails on aarch64 */
    }
    return most;
}

static int compare_falling(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a < b) - (a > b);
}

/* Marks the pairs that are shown: all, or those with the largest values. */
static int choose_pairs(const struct method *m, const struct ks_page *page, bool *is_shown) {
    uint64_t n = page->extent[1], most = (uint64_t)m->most_numbers / (3 * page->extent[0] + 1) + 1;
    double *weights, *sorted;
    KS_ALLOCATE(weights, n);
    KS_ALLOCATE(sorted, n);
    for (uint64_t k = 0; k < n; k++) sorted[k] = weights[k] = weight_of(page, k);
    qsort(sorted, n, sizeof *sorted, compare_falling);
    for (uint64_t k = 0; k < n; k++) is_shown[k] = n <= most || weights[k] > sorted[most];
    free(weights);
    free(sorted);
    return KS_OK;
}

static void write_pair_rows(struct ks_json *json, const struct triple *t, const bool *is_shown) {
    uint64_t n = t->pages[0]->extent[1];
    begin_index(json, t);
    for (int i = 0; i < 3; i++) {
        ks_json_key(json, keys[i]);
        ks_json_array(json);
        for (uint64_t e = 0; e < t->pages[0]->extent[0]; e++) {
            ks_json_array(json);
            for (uint64_t k = 0; k < n; k++)
                if (is_shown[k]) ks_json_digits(json, ks_page_number(t->pages[i], e * n + k), DIGITS);
            ks_json_end_array(json);
        }
        ks_json_end_array(json);
    }
    ks_json_end_object(json);
}

static int write_pair_index(struct ks_json *json, struct method *m, const struct ks_index *index) {
    struct triple t;
    const struct ks_page *names;
    uint64_t n_pairs = m->n_parameters * (m->n_parameters - 1) / 2;
    bool *is_shown;
    KS_TRY(read_triple(m, "", index, 2, &t));
    if (t.pages[0]->data == NULL) return KS_OK;
    KS_TRY(ks_pages_read(&m->pages, "pair", KS_TABLE_TEXT, 1, &names));
    KS_TRY(match_triple(m, &t, m->n_endpoints, n_pairs, 1));
    KS_TRY(ks_pages_match(&m->pages, names, n_pairs, 1, 1));
    KS_ALLOCATE(is_shown, n_pairs);
    int err = choose_pairs(m, t.pages[0], is_shown);
    ks_json_key(json, "pairs");
    ks_json_object(json);
    ks_json_whole_member(json, "n_of", n_pairs);
    ks_json_key(json, "names");
    ks_json_array(json);
    for (uint64_t k = 0; k < n_pairs; k++)
        if (is_shown[k]) ks_json_text(json, ks_page_text(names, k));
    ks_json_end_array(json);
    ks_json_key(json, "indices");
    ks_json_array(json);
    write_pair_rows(json, &t, is_shown);
    ks_json_end_array(json);
    ks_json_end_object(json);
    free(is_shown);
    return err;
}

/* ---- of courses -------------------------------------------------------------------------------------------------- */

static uint64_t time_at(const struct method *m, uint64_t t) {
    uint64_t time = t * (uint64_t)m->step;
    return time < m->n_times - 1 ? time : m->n_times - 1;
}

static uint64_t count_times(const struct method *m) {
    return (m->n_times - 1 + (uint64_t)m->step - 1) / (uint64_t)m->step + 1;
}

static void write_course(struct ks_json *json, const struct method *m, const struct triple *t) {
    begin_index(json, t);
    for (int i = 0; i < 3; i++) {
        ks_json_key(json, keys[i]);
        ks_json_array(json);
        for (uint64_t s = 0; s < m->n_states; s++) {
            ks_json_array(json);
            for (uint64_t k = 0; k < count_times(m); k++)
                write_row(json, t->pages[i], (time_at(m, k) * m->n_states + s) * m->n_parameters,
                          m->n_parameters);
            ks_json_end_array(json);
        }
        ks_json_end_array(json);
    }
    ks_json_end_object(json);
}

static int write_courses(struct ks_json *json, struct method *m, int n, const struct ks_index *indices) {
    struct triple t;
    ks_json_key(json, "courses");
    ks_json_array(json);
    for (int i = 0; i < n; i++) {
        if (indices[i].of != KS_OF_PARAMETER) continue;
        KS_TRY(read_triple(m, "trajectories_", &indices[i], 3, &t));
        if (t.pages[0]->data == NULL) continue;
        KS_TRY(match_triple(m, &t, m->n_times, m->n_states, m->n_parameters));
        write_course(json, m, &t);
    }
    ks_json_end_array(json);
    ks_json_key(json, "generalised");
    ks_json_array(json);
    for (int i = 0; i < n; i++)
        if (indices[i].of == KS_OF_PARAMETER)
            KS_TRY(write_parameter_index(json, m, "generalised_", &indices[i], m->n_states));
    ks_json_end_array(json);
    return KS_OK;
}

static int count_of(int n, const struct ks_index *indices, enum ks_index_of of) {
    int count = 0;
    for (int i = 0; i < n; i++) count += indices[i].of == of;
    return count;
}

static int write_all_courses(struct ks_json *json, struct method *m, int n, const struct ks_index *indices) {
    uint64_t per_time = 3 * m->n_states * m->n_parameters * (uint64_t)count_of(n, indices, KS_OF_PARAMETER);
    if (m->n_states == 0 || per_time == 0) return KS_OK;
    int most = (int)((uint64_t)m->most_numbers / per_time);
    m->step = ks_report_thin((int)m->n_times, most > 2 ? most : 2);
    ks_json_key(json, "time");
    ks_json_array(json);
    for (uint64_t k = 0; k < count_times(m); k++)
        ks_json_number(json, m->campaign->schema->times[time_at(m, k)]);
    ks_json_end_array(json);
    return write_courses(json, m, n, indices);
}

/* ---- a method ---------------------------------------------------------------------------------------------------- */

static int write_text(struct ks_json *json, struct method *m, const char *name) {
    char *text;
    KS_TRY(ks_tables_read_text(m->pages.file, ".", name, &text));
    if (text != NULL) ks_json_text_member(json, name, text);
    free(text);
    return KS_OK;
}

static int write_count(struct ks_json *json, struct method *m, const char *name, const char *key) {
    uint64_t count;
    KS_TRY(ks_tables_read_count(m->pages.file, ".", name, &count));
    ks_json_whole_member(json, key, count);
    return KS_OK;
}

static int write_variances(struct ks_json *json, struct method *m) {
    const struct ks_page *page;
    KS_TRY(ks_pages_read(&m->pages, "variance", KS_TABLE_F64, 1, &page));
    KS_TRY(ks_pages_match(&m->pages, page, m->n_endpoints, 1, 1));
    ks_json_key(json, "variance");
    write_row(json, page, 0, m->n_endpoints);
    return KS_OK;
}

static int write_endpoint_indices(struct ks_json *json, struct method *m, int n,
                                  const struct ks_index *indices) {
    ks_json_key(json, "indices");
    ks_json_array(json);
    for (int i = 0; i < n; i++)
        if (indices[i].of == KS_OF_PARAMETER)
            KS_TRY(write_parameter_index(json, m, "", &indices[i], m->n_endpoints));
    ks_json_end_array(json);
    ks_json_key(json, "totals");
    ks_json_array(json);
    for (int i = 0; i < n; i++)
        if (indices[i].of == KS_OF_OUTPUT) KS_TRY(write_total_index(json, m, &indices[i]));
    ks_json_end_array(json);
    for (int i = 0; i < n; i++)
        if (indices[i].of == KS_OF_PAIR) KS_TRY(write_pair_index(json, m, &indices[i]));
    return write_variances(json, m);
}

static int write_method(struct ks_json *json, struct method *m, enum ks_method_kind kind) {
    int n;
    const struct ks_index *indices = ks_analysis_indices(kind, &n);
    ks_json_object(json);
    ks_json_text_member(json, "method", ks_methods[kind].name);
    KS_TRY(write_text(json, m, "long_name"));
    KS_TRY(write_text(json, m, "interval"));
    KS_TRY(write_text(json, m, "condition"));
    KS_TRY(write_count(json, m, "n_bases", "n_bases"));
    KS_TRY(write_count(json, m, "n_bases_touched_by_failures", "n_bases_touched"));
    if (m->n_endpoints > 0) KS_TRY(write_endpoint_indices(json, m, n, indices));
    KS_TRY(write_all_courses(json, m, n, indices));
    ks_json_end_object(json);
    return KS_OK;
}

/* ---- the section ------------------------------------------------------------------------------------------------- */

static void name_group(enum ks_method_kind kind, char *name, size_t size) {
    snprintf(name, size, "sensitivity/%s", ks_methods[kind].name);
}

/* Which methods a file has results of. */
static int find_methods(const char *path, bool has[KS_N_METHODS], int *n_methods) {
    bool has_any;
    *n_methods = 0;
    KS_TRY(ks_report_find_group(path, "sensitivity", &has_any));
    for (int i = 0; i < KS_N_METHODS; i++) {
        char group[LONGEST_NAME];
        has[i] = false;
        name_group((enum ks_method_kind)i, group, sizeof group);
        if (has_any) KS_TRY(ks_report_find_group(path, group, &has[i]));
        *n_methods += has[i];
    }
    return KS_OK;
}

/* The methods that are not on the page yet. */
static int write_file(struct ks_json *json, const struct ks_report_campaign *campaign, const char *path,
                      bool is_written[KS_N_METHODS]) {
    const struct ks_schema *schema = campaign->schema;
    bool has[KS_N_METHODS];
    int n_methods, err = KS_OK;
    KS_TRY(find_methods(path, has, &n_methods));
    for (int i = 0; i < KS_N_METHODS && err == KS_OK; i++) {
        if (!has[i] || is_written[i]) continue;
        char group[LONGEST_NAME];
        is_written[i] = true;
        name_group((enum ks_method_kind)i, group, sizeof group);
        struct method *m;
        KS_ALLOCATE(m, 1);
        *m = (struct method){.campaign = campaign,
                             .most_numbers = MOST_NUMBERS / n_methods,
                             .n_endpoints = (uint64_t)schema->n_endpoints,
                             .n_parameters = (uint64_t)schema->n_parameters,
                             .n_states = (uint64_t)schema->n_states,
                             .n_times = (uint64_t)schema->n_times};
        m->pages.path = path;
        err = ks_tables_open(&m->pages.file, path, group);
        if (err == KS_OK) err = write_method(json, m, (enum ks_method_kind)i);
        ks_pages_close(&m->pages);
        free(m);
    }
    return err;
}

/* NAME.sensitivity.h5 where it is of the same campaign. */
static bool has_separate(const struct ks_report_campaign *campaign, char *name, size_t size) {
    ks_tables_file *file = NULL;
    char *config = NULL;
    ks_store_name_separate(campaign->path, "sensitivity", name, size);
    bool is_good = access(name, F_OK) == 0 && ks_tables_check(name, "sensitivity") == KS_OK &&
                   ks_tables_open(&file, name, "sensitivity") == KS_OK &&
                   ks_tables_read_text(file, "/", "config", &config) == KS_OK;
    bool is_same = is_good && config != NULL && strcmp(config, campaign->schema->config) == 0;
    ks_tables_close(&file);
    free(config);
    ks_error_clear();
    return is_same;
}

int ks_report_write_indices(struct ks_json *json, const struct ks_report_campaign *campaign) {
    char separate[4096];
    bool is_written[KS_N_METHODS] = {false};
    int err = KS_OK;
    ks_json_key(json, "sensitivity");
    ks_json_array(json);
    if (has_separate(campaign, separate, sizeof separate))
        err = write_file(json, campaign, separate, is_written);
    if (err == KS_OK) err = write_file(json, campaign, campaign->path, is_written);
    ks_json_end_array(json);
    return err;
}
