/* `ketsweep export --dataset cohort` and `trial`: a line per patient, or per patient and arm. */
#include "app/app_impl.h"
#include "base/error.h"
#include "base/memory.h"
#include "store/tables.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { DOUBLE_DIGITS = 17, FLOAT_DIGITS = 9, MOST = 32 };

/* Datasets of a group, each read whole. */
struct pages {
    ks_tables_file *file;
    const char *path;
    FILE *stream;
    int n;
    struct page {
        const char *name;
        enum ks_table_type type;
        int n_axes;
        uint64_t extent[KS_TABLE_AXES];
        void *data;
    } pages[MOST];
};

static int turn(struct pages *p, const char *name, enum ks_table_type type, int n_axes,
                const struct page **page) {
    struct page *next = &p->pages[p->n];
    KS_ASSERT(p->n < MOST);
    next->name = name;
    next->type = type;
    next->n_axes = n_axes;
    KS_TRY(ks_tables_read(p->file, name, type, n_axes, next->extent, &next->data));
    p->n++;
    *page = next;
    return KS_OK;
}

/* Whether a page has the extents that the others give it, those it lacks being 1; one of no numbers may be missing. */
static int match(const struct pages *p, const struct page *page, uint64_t a, uint64_t b, uint64_t c) {
    const uint64_t wanted[] = {a, b, c};
    bool is_empty = a == 0 || b == 0 || c == 0;
    KS_CHECK(page->data != NULL || is_empty, KS_ERR_FORMAT, "%s has no dataset %s", p->path, page->name);
    for (int i = 0; i < page->n_axes && page->data != NULL; i++)
        KS_CHECK(page->extent[i] == wanted[i], KS_ERR_FORMAT,
                 "%s: %s has %" PRIu64 " rows along axis %d where %" PRIu64 " are expected", p->path,
                 page->name, page->extent[i], i, wanted[i]);
    return KS_OK;
}

static void close_pages(struct pages *p) {
    for (int i = 0; i < p->n; i++) {
        char **texts = p->pages[i].data;
        for (uint64_t k = 0; p->pages[i].type == KS_TABLE_TEXT && k < p->pages[i].extent[0]; k++)
            free(texts[k]);
        free(p->pages[i].data);
    }
    ks_tables_close(&p->file);
}

static const char *text(const struct page *page, uint64_t i) {
    return ((char **)page->data)[i];
}

static double number(const struct page *page, uint64_t i) {
    return ((double *)page->data)[i];
}

static uint64_t whole(const struct page *page, uint64_t i) {
    return ((uint64_t *)page->data)[i];
}

/* ---- cohort ------------------------------------------------------------------------------------------------- */

static int print_cohort(struct pages *p) {
    const struct page *patient = NULL, *candidate = NULL, *weight = NULL, *trait = NULL, *unit = NULL,
                      *inputs = NULL, *baseline = NULL;
    KS_TRY(turn(p, "patient", KS_TABLE_U64, 1, &patient));
    KS_TRY(turn(p, "candidate", KS_TABLE_U64, 1, &candidate));
    KS_TRY(turn(p, "weight", KS_TABLE_F64, 1, &weight));
    KS_TRY(turn(p, "trait", KS_TABLE_TEXT, 1, &trait));
    KS_TRY(turn(p, "trait_unit", KS_TABLE_TEXT, 1, &unit));
    KS_TRY(turn(p, "inputs", KS_TABLE_F64, 2, &inputs));
    KS_TRY(turn(p, "baseline", KS_TABLE_F64, 2, &baseline));
    uint64_t n = trait->extent[0], m = candidate->extent[0];
    KS_TRY(match(p, candidate, m, 1, 1));
    KS_TRY(match(p, patient, m, 1, 1));
    KS_TRY(match(p, weight, m, 1, 1));
    KS_TRY(match(p, unit, n, 1, 1));
    KS_TRY(match(p, inputs, m, n, 1));
    KS_TRY(match(p, baseline, m, 2, 1));
    fprintf(p->stream, "# units: 1,1,1");
    for (uint64_t k = 0; k < n; k++) fprintf(p->stream, ",%s", text(unit, k));
    fprintf(p->stream, ",points,points\npatient,candidate,prevalence");
    for (uint64_t k = 0; k < n; k++) fprintf(p->stream, ",%s", text(trait, k));
    fprintf(p->stream, ",baseline_latent,baseline_observed\n");
    for (uint64_t j = 0; j < m; j++) {
        fprintf(p->stream, "%" PRIu64 ",%" PRIu64 ",", whole(patient, j), whole(candidate, j));
        ks_output_number(p->stream, number(weight, j), DOUBLE_DIGITS);
        for (uint64_t k = 0; k < n + 2; k++) {
            fputc(',', p->stream);
            ks_output_number(p->stream, k < n ? number(inputs, j * n + k) : number(baseline, 2 * j + k - n),
                             DOUBLE_DIGITS);
        }
        fputc('\n', p->stream);
    }
    return KS_OK;
}

/* ---- trial -------------------------------------------------------------------------------------------------- */

static void print_floats(FILE *stream, const struct page *page, uint64_t first, uint64_t n) {
    for (uint64_t i = 0; i < n; i++) {
        fputc(',', stream);
        ks_output_number(stream, (double)((float *)page->data)[first + i], FLOAT_DIGITS);
    }
}

static void print_visits(FILE *stream, const char *what, const struct page *visit) {
    for (uint64_t v = 0; v < visit->extent[0]; v++) fprintf(stream, ",%s_%gh", what, number(visit, v));
}

/* A name with commas or quotes, as CSV wants it. */
static void print_quoted(FILE *stream, const char *name) {
    fputc('"', stream);
    for (; *name != '\0'; name++) fprintf(stream, *name == '"' ? "\"\"" : "%c", *name);
    fputc('"', stream);
}

static int print_trial(struct pages *p) {
    const struct page *arm = NULL, *candidate = NULL, *weight = NULL, *visit = NULL, *endpoint = NULL,
                      *unit = NULL, *row = NULL, *status = NULL, *baseline = NULL, *latent = NULL,
                      *observed = NULL, *values = NULL;
    KS_TRY(turn(p, "arm", KS_TABLE_TEXT, 1, &arm));
    KS_TRY(turn(p, "candidate", KS_TABLE_U64, 1, &candidate));
    KS_TRY(turn(p, "weight", KS_TABLE_F64, 1, &weight));
    KS_TRY(turn(p, "visit", KS_TABLE_F64, 1, &visit));
    KS_TRY(turn(p, "endpoint", KS_TABLE_TEXT, 1, &endpoint));
    KS_TRY(turn(p, "endpoint_unit", KS_TABLE_TEXT, 1, &unit));
    KS_TRY(turn(p, "row", KS_TABLE_U64, 2, &row));
    KS_TRY(turn(p, "status", KS_TABLE_U64, 2, &status));
    KS_TRY(turn(p, "baseline", KS_TABLE_F32, 3, &baseline));
    KS_TRY(turn(p, "latent", KS_TABLE_F32, 3, &latent));
    KS_TRY(turn(p, "observed", KS_TABLE_F32, 3, &observed));
    KS_TRY(turn(p, "endpoints", KS_TABLE_F64, 3, &values));
    uint64_t n_arms = arm->extent[0], m = candidate->extent[0], n_visits = visit->extent[0],
             n = endpoint->extent[0];
    KS_TRY(match(p, weight, m, 1, 1));
    KS_TRY(match(p, row, n_arms, m, 1));
    KS_TRY(match(p, status, n_arms, m, 1));
    KS_TRY(match(p, baseline, n_arms, m, 2));
    KS_TRY(match(p, latent, n_arms, m, n_visits));
    KS_TRY(match(p, observed, n_arms, m, n_visits));
    KS_TRY(match(p, unit, n, 1, 1));
    KS_TRY(match(p, values, n_arms, m, n));
    fprintf(p->stream, "# units: 1,name,1,1,1,1,points,points");
    for (uint64_t v = 0; v < 2 * n_visits; v++) fprintf(p->stream, ",points");
    for (uint64_t e = 0; e < n; e++) fprintf(p->stream, ",%s", text(unit, e));
    fputc('\n', p->stream);
    fprintf(p->stream, "row,arm,patient,candidate,prevalence,status,baseline_latent,baseline_observed");
    print_visits(p->stream, "latent", visit);
    print_visits(p->stream, "observed", visit);
    for (uint64_t e = 0; e < n; e++) fprintf(p->stream, ",%s", text(endpoint, e));
    fputc('\n', p->stream);
    for (uint64_t i = 0; i < n_arms * m; i++) {
        fprintf(p->stream, "%" PRIu64 ",", whole(row, i));
        print_quoted(p->stream, text(arm, i / m));
        fprintf(p->stream, ",%" PRIu64 ",%" PRIu64 ",", i % m, whole(candidate, i % m));
        ks_output_number(p->stream, number(weight, i % m), DOUBLE_DIGITS);
        fprintf(p->stream, ",%" PRIu64, whole(status, i));
        print_floats(p->stream, baseline, 2 * i, 2);
        print_floats(p->stream, latent, i * n_visits, n_visits);
        print_floats(p->stream, observed, i * n_visits, n_visits);
        for (uint64_t e = 0; e < n; e++) {
            fputc(',', p->stream);
            ks_output_number(p->stream, number(values, i * n + e), DOUBLE_DIGITS);
        }
        fputc('\n', p->stream);
    }
    return KS_OK;
}

int ks_export_tables(const struct ks_arguments *arguments) {
    struct pages p = {0};
    bool is_cohort = strcmp(arguments->dataset, "cohort") == 0;
    KS_CHECK(!arguments->is_long, KS_ERR_USAGE, "--long has no line for --dataset %s", arguments->dataset);
    p.path = arguments->operand;
    KS_TRY(ks_tables_check(arguments->operand, arguments->dataset));
    KS_TRY(ks_tables_open(&p.file, arguments->operand, arguments->dataset));
    int err = ks_output_open(arguments, &p.stream);
    if (err == KS_OK) {
        err = is_cohort ? print_cohort(&p) : print_trial(&p);
        int closed = ks_output_close(p.stream, arguments->output);
        if (err == KS_OK) err = closed;
    }
    close_pages(&p);
    return err;
}
