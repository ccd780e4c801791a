/* `ketsweep export --dataset cohort` and `trial`: a line per patient, or per patient and arm. */
#include "app/app_impl.h"
#include "base/error.h"
#include "store/pages.h"

#include <inttypes.h>
#include <string.h>

enum { DOUBLE_DIGITS = 17, FLOAT_DIGITS = 9 };

struct export {
    struct ks_pages pages;
    FILE *stream;
};

/* ---- cohort ------------------------------------------------------------------------------------------------- */

static int print_cohort(struct export *out) {
    const struct ks_page *patient = NULL, *candidate = NULL, *weight = NULL, *trait = NULL, *unit = NULL,
                         *inputs = NULL, *baseline = NULL;
    KS_TRY(ks_pages_read(&out->pages, "patient", KS_TABLE_U64, 1, &patient));
    KS_TRY(ks_pages_read(&out->pages, "candidate", KS_TABLE_U64, 1, &candidate));
    KS_TRY(ks_pages_read(&out->pages, "weight", KS_TABLE_F64, 1, &weight));
    KS_TRY(ks_pages_read(&out->pages, "trait", KS_TABLE_TEXT, 1, &trait));
    KS_TRY(ks_pages_read(&out->pages, "trait_unit", KS_TABLE_TEXT, 1, &unit));
    KS_TRY(ks_pages_read(&out->pages, "inputs", KS_TABLE_F64, 2, &inputs));
    KS_TRY(ks_pages_read(&out->pages, "baseline", KS_TABLE_F64, 2, &baseline));
    uint64_t n = trait->extent[0], m = candidate->extent[0];
    KS_TRY(ks_pages_match(&out->pages, candidate, m, 1, 1));
    KS_TRY(ks_pages_match(&out->pages, patient, m, 1, 1));
    KS_TRY(ks_pages_match(&out->pages, weight, m, 1, 1));
    KS_TRY(ks_pages_match(&out->pages, unit, n, 1, 1));
    KS_TRY(ks_pages_match(&out->pages, inputs, m, n, 1));
    KS_TRY(ks_pages_match(&out->pages, baseline, m, 2, 1));
    fprintf(out->stream, "# units: 1,1,1");
    for (uint64_t k = 0; k < n; k++) fprintf(out->stream, ",%s", ks_page_text(unit, k));
    fprintf(out->stream, ",points,points\npatient,candidate,prevalence");
    for (uint64_t k = 0; k < n; k++) fprintf(out->stream, ",%s", ks_page_text(trait, k));
    fprintf(out->stream, ",baseline_latent,baseline_observed\n");
    for (uint64_t j = 0; j < m; j++) {
        fprintf(out->stream, "%" PRIu64 ",%" PRIu64 ",", ks_page_whole(patient, j),
                ks_page_whole(candidate, j));
        ks_output_number(out->stream, ks_page_number(weight, j), DOUBLE_DIGITS);
        for (uint64_t k = 0; k < n + 2; k++) {
            fputc(',', out->stream);
            ks_output_number(out->stream,
                             k < n ? ks_page_number(inputs, j * n + k)
                                   : ks_page_number(baseline, 2 * j + k - n),
                             DOUBLE_DIGITS);
        }
        fputc('\n', out->stream);
    }
    return KS_OK;
}

/* ---- trial -------------------------------------------------------------------------------------------------- */

static void print_floats(FILE *stream, const struct ks_page *page, uint64_t first, uint64_t n) {
    for (uint64_t i = 0; i < n; i++) {
        fputc(',', stream);
        ks_output_number(stream, (double)((float *)page->data)[first + i], FLOAT_DIGITS);
    }
}

static void print_visits(FILE *stream, const char *what, const struct ks_page *visit) {
    for (uint64_t v = 0; v < visit->extent[0]; v++)
        fprintf(stream, ",%s_%gh", what, ks_page_number(visit, v));
}

/* A name with commas or quotes, as CSV wants it. */
static void print_quoted(FILE *stream, const char *name) {
    fputc('"', stream);
    for (; *name != '\0'; name++) fprintf(stream, *name == '"' ? "\"\"" : "%c", *name);
    fputc('"', stream);
}

static int print_trial(struct export *out) {
    const struct ks_page *arm = NULL, *candidate = NULL, *weight = NULL, *visit = NULL, *endpoint = NULL,
                         *unit = NULL, *row = NULL, *status = NULL, *baseline = NULL, *latent = NULL,
                         *observed = NULL, *values = NULL;
    KS_TRY(ks_pages_read(&out->pages, "arm", KS_TABLE_TEXT, 1, &arm));
    KS_TRY(ks_pages_read(&out->pages, "candidate", KS_TABLE_U64, 1, &candidate));
    KS_TRY(ks_pages_read(&out->pages, "weight", KS_TABLE_F64, 1, &weight));
    KS_TRY(ks_pages_read(&out->pages, "visit", KS_TABLE_F64, 1, &visit));
    KS_TRY(ks_pages_read(&out->pages, "endpoint", KS_TABLE_TEXT, 1, &endpoint));
    KS_TRY(ks_pages_read(&out->pages, "endpoint_unit", KS_TABLE_TEXT, 1, &unit));
    KS_TRY(ks_pages_read(&out->pages, "row", KS_TABLE_U64, 2, &row));
    KS_TRY(ks_pages_read(&out->pages, "status", KS_TABLE_U64, 2, &status));
    KS_TRY(ks_pages_read(&out->pages, "baseline", KS_TABLE_F32, 3, &baseline));
    KS_TRY(ks_pages_read(&out->pages, "latent", KS_TABLE_F32, 3, &latent));
    KS_TRY(ks_pages_read(&out->pages, "observed", KS_TABLE_F32, 3, &observed));
    KS_TRY(ks_pages_read(&out->pages, "endpoints", KS_TABLE_F64, 3, &values));
    uint64_t n_arms = arm->extent[0], m = candidate->extent[0], n_visits = visit->extent[0],
             n = endpoint->extent[0];
    KS_TRY(ks_pages_match(&out->pages, weight, m, 1, 1));
    KS_TRY(ks_pages_match(&out->pages, row, n_arms, m, 1));
    KS_TRY(ks_pages_match(&out->pages, status, n_arms, m, 1));
    KS_TRY(ks_pages_match(&out->pages, baseline, n_arms, m, 2));
    KS_TRY(ks_pages_match(&out->pages, latent, n_arms, m, n_visits));
    KS_TRY(ks_pages_match(&out->pages, observed, n_arms, m, n_visits));
    KS_TRY(ks_pages_match(&out->pages, unit, n, 1, 1));
    KS_TRY(ks_pages_match(&out->pages, values, n_arms, m, n));
    fprintf(out->stream, "# units: 1,name,1,1,1,1,points,points");
    for (uint64_t v = 0; v < 2 * n_visits; v++) fprintf(out->stream, ",points");
    for (uint64_t e = 0; e < n; e++) fprintf(out->stream, ",%s", ks_page_text(unit, e));
    fputc('\n', out->stream);
    fprintf(out->stream, "row,arm,patient,candidate,prevalence,status,baseline_latent,baseline_observed");
    print_visits(out->stream, "latent", visit);
    print_visits(out->stream, "observed", visit);
    for (uint64_t e = 0; e < n; e++) fprintf(out->stream, ",%s", ks_page_text(endpoint, e));
    fputc('\n', out->stream);
    for (uint64_t i = 0; i < n_arms * m; i++) {
        fprintf(out->stream, "%" PRIu64 ",", ks_page_whole(row, i));
        print_quoted(out->stream, ks_page_text(arm, i / m));
        fprintf(out->stream, ",%" PRIu64 ",%" PRIu64 ",", i % m, ks_page_whole(candidate, i % m));
        ks_output_number(out->stream, ks_page_number(weight, i % m), DOUBLE_DIGITS);
        fprintf(out->stream, ",%" PRIu64, ks_page_whole(status, i));
        print_floats(out->stream, baseline, 2 * i, 2);
        print_floats(out->stream, latent, i * n_visits, n_visits);
        print_floats(out->stream, observed, i * n_visits, n_visits);
        for (uint64_t e = 0; e < n; e++) {
            fputc(',', out->stream);
            ks_output_number(out->stream, ks_page_number(values, i * n + e), DOUBLE_DIGITS);
        }
        fputc('\n', out->stream);
    }
    return KS_OK;
}

int ks_export_tables(const struct ks_arguments *arguments) {
    struct export out = {0};
    bool is_cohort = strcmp(arguments->dataset, "cohort") == 0;
    KS_CHECK(!arguments->is_long, KS_ERR_USAGE, "--long has no line for --dataset %s", arguments->dataset);
    int err = ks_pages_open(&out.pages, arguments->operand, arguments->dataset);
    if (err == KS_OK) err = ks_output_open(arguments, &out.stream);
    if (err == KS_OK) {
        err = is_cohort ? print_cohort(&out) : print_trial(&out);
        int closed = ks_output_close(out.stream, arguments->output);
        if (err == KS_OK) err = closed;
    }
    ks_pages_close(&out.pages);
    return err;
}
