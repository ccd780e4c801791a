/* The columns of a campaign, parameters and endpoints, over all rows; and the excerpt of rows that response surfaces are
 * drawn from, each number in 16 bits between the least and the largest of its column. */
#include "base/elementary.h"
#include "base/memory.h"
#include "report/digest.h"
#include "report/report_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    BLOCK_ROWS = 4096,
    MOST_EXCERPT = 8192,
    MOST_BASE64 = 2500000, /* characters that the excerpt may take of the page */
    STEPS = 65534,         /* between the ends of a column */
    MISSING = 65535
};

/* What the two passes fill. */
struct columns {
    const struct ks_report_campaign *campaign;
    ks_digester *inputs, *endpoints;
    struct ks_rows rows; /* a block */
    struct ks_excerpt excerpt;
    size_t n_taken;
    double *taken[2]; /* inputs and endpoints of the excerpt, [n][p] and [n][e] */
    uint8_t *status;  /* [n] */
    uint8_t *packed;  /* room for the larger of the two tables */
};

/* ---- the passes ------------------------------------------------------------------------------------------------- */

static void take_excerpt(struct columns *c, uint64_t first, uint64_t count) {
    size_t p = (size_t)c->campaign->schema->n_parameters, e = (size_t)c->campaign->schema->n_endpoints;
    for (; c->n_taken < c->excerpt.n; c->n_taken++) {
        uint64_t row = ks_excerpt_row(&c->excerpt, c->n_taken) - first;
        if (row >= count) return;
        if (p > 0) memcpy(&c->taken[0][c->n_taken * p], &c->rows.inputs[row * p], p * sizeof(double));
        if (e > 0) memcpy(&c->taken[1][c->n_taken * e], &c->rows.endpoints[row * e], e * sizeof(double));
        c->status[c->n_taken] = (uint8_t)c->rows.status[row];
    }
}

static int pass(struct columns *c, bool is_first) {
    void (*digest)(ks_digester *, size_t, const double *) = is_first ? ks_digest_look : ks_digest_count;
    for (uint64_t first = 0; first < c->campaign->n_done; first += BLOCK_ROWS) {
        uint64_t left = c->campaign->n_done - first, count = left < BLOCK_ROWS ? left : BLOCK_ROWS;
        KS_TRY(ks_store_read_rows(c->campaign->store, first, count, &c->rows));
        digest(c->inputs, (size_t)count, c->rows.inputs);
        digest(c->endpoints, (size_t)count, c->rows.endpoints);
        if (is_first) take_excerpt(c, first, count);
    }
    return KS_OK;
}

/* Fewer rows where a row is long. */
static size_t excerpt_size(int n_columns) {
    size_t fitting = MOST_BASE64 / (4 * (2 * (size_t)n_columns + 1) / 3 + 1);
    return fitting < 1 ? 1 : fitting < MOST_EXCERPT ? fitting : MOST_EXCERPT;
}

static int gather(struct columns *c) {
    const struct ks_schema *schema = c->campaign->schema;
    size_t p = (size_t)schema->n_parameters, e = (size_t)schema->n_endpoints, n;
    KS_TRY(ks_digest_create(&c->inputs, schema->n_parameters));
    KS_TRY(ks_digest_create(&c->endpoints, schema->n_endpoints));
    c->excerpt = ks_excerpt_of(c->campaign->n_done, excerpt_size((int)(p + e)));
    n = c->excerpt.n;
    KS_ALLOCATE(c->rows.inputs, BLOCK_ROWS * p);
    KS_ALLOCATE(c->rows.endpoints, BLOCK_ROWS * e);
    KS_ALLOCATE(c->rows.status, BLOCK_ROWS);
    KS_ALLOCATE(c->taken[0], n * p);
    KS_ALLOCATE(c->taken[1], n * e);
    KS_ALLOCATE(c->status, n);
    KS_ALLOCATE(c->packed, 2 * n * (p > e ? p : e));
    KS_TRY(pass(c, true));
    KS_TRY(ks_digest_settle(c->inputs));
    KS_TRY(ks_digest_settle(c->endpoints));
    return pass(c, false);
}

/* ---- distributions in words ---------------------------------------------------------------------------------- */

static void describe_values(FILE *stream, const char *what, int n, const double *values) {
    enum { MOST = 12 };
    fprintf(stream, "%s", what);
    for (int i = 0; i < n && i < MOST; i++) fprintf(stream, "%s%.6g", i > 0 ? ", " : " ", values[i]);
    if (n > MOST) fprintf(stream, ", ... (%d)", n);
}

static void describe_distribution(FILE *stream, const struct ks_distribution *d) {
    const char *name = ks_distribution_names[d->kind];
    switch (d->kind) {
    case KS_DISTRIBUTION_normal:
        fprintf(stream, "%s, mean %.6g, sd %.6g", name, d->a, d->b);
        break;
    case KS_DISTRIBUTION_lognormal:
        fprintf(stream, "%s, median %.6g, cv %.6g", name, d->a, sqrt(ks_elementary_exp(d->b * d->b) - 1));
        break;
    case KS_DISTRIBUTION_logitnormal:
        fprintf(stream, "%s, median %.6g, sd %.6g of the logit", name, 1 / (1 + ks_elementary_exp(-d->a)),
                d->b);
        break;
    case KS_DISTRIBUTION_triangular:
        fprintf(stream, "%s, %.6g to %.6g, mode %.6g", name, d->a, d->c, d->b);
        break;
    case KS_DISTRIBUTION_beta:
        fprintf(stream, "%s, alpha %.6g, beta %.6g, %.6g to %.6g", name, d->a, d->b, d->low, d->high);
        return;
    case KS_DISTRIBUTION_discrete:
        describe_values(stream, name, d->n_values, d->values);
        break;
    default:
        fprintf(stream, "%s, %.6g to %.6g", name, d->a, d->b);
    }
    if (d->low > -INFINITY) fprintf(stream, ", not below %.6g", d->low);
    if (d->high < INFINITY) fprintf(stream, ", not above %.6g", d->high);
}

static void describe_variable(FILE *stream, const struct ks_design *design,
                              const struct ks_variable *variable) {
    if (design->kind == KS_DESIGN_file)
        fputs("rows of a file", stream);
    else if (design->kind == KS_DESIGN_grid)
        describe_values(stream, "levels", variable->n_levels, variable->levels);
    else
        describe_distribution(stream, &variable->distribution);
}

static int write_distribution(struct ks_json *json, const struct ks_design *design,
                              const struct ks_variable *variable) {
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    KS_CHECK(stream != NULL, KS_ERR_MEMORY, "no memory for a text");
    describe_variable(stream, design, variable);
    bool is_whole = ferror(stream) == 0;
    is_whole &= fclose(stream) == 0;
    if (is_whole) ks_json_text_member(json, "distribution", text);
    free(text);
    KS_CHECK(is_whole, KS_ERR_MEMORY, "no memory for a text");
    return KS_OK;
}

/* ---- the sections ------------------------------------------------------------------------------------------------ */

static void write_column(struct ks_json *json, const struct ks_column *column) {
    ks_json_text_member(json, "name", column->name);
    ks_json_text_member(json, "unit", column->unit);
    ks_json_text_member(json, "description", column->description);
}

static void write_exact_member(struct ks_json *json, const char *key, double value) {
    ks_json_key(json, key);
    ks_json_digits(json, value, 12);
}

static int write_parameters(struct ks_json *json, const struct columns *c) {
    const struct ks_report_campaign *campaign = c->campaign;
    const struct ks_digest *digests = ks_digest_finish(c->inputs);
    ks_json_key(json, "parameters");
    ks_json_array(json);
    for (int i = 0; i < campaign->schema->n_parameters; i++) {
        ks_json_object(json);
        write_column(json, &campaign->schema->parameters[i]);
        if (campaign->has_design) {
            const struct ks_variable *variable = &campaign->stored.design.variables[i];
            ks_json_text_member(json, "grade", campaign->stored.parameter_table[variable->parameter].grade);
            KS_TRY(write_distribution(json, &campaign->stored.design, variable));
        }
        write_exact_member(json, "low", digests[i].low);
        write_exact_member(json, "high", digests[i].high);
        ks_json_numbers_member(json, "quantiles", KS_DIGEST_QUANTILES, digests[i].quantiles, 1);
        ks_json_end_object(json);
    }
    ks_json_end_array(json);
    return KS_OK;
}

static void write_histogram(struct ks_json *json, const struct ks_digest *digest) {
    ks_json_key(json, "histogram");
    ks_json_object(json);
    ks_json_key(json, "edges");
    ks_json_array(json);
    for (int i = 0; i <= KS_DIGEST_BINS; i++) ks_json_digits(json, digest->edges[i], 12);
    ks_json_end_array(json);
    ks_json_key(json, "counts");
    ks_json_array(json);
    for (int i = 0; i < KS_DIGEST_BINS; i++) ks_json_whole(json, digest->counts[i]);
    ks_json_end_array(json);
    ks_json_end_object(json);
}

static void write_endpoints(struct ks_json *json, const struct columns *c) {
    const struct ks_digest *digests = ks_digest_finish(c->endpoints);
    ks_json_key(json, "endpoints");
    ks_json_array(json);
    for (int i = 0; i < c->campaign->schema->n_endpoints; i++) {
        const struct ks_column *column = &c->campaign->schema->endpoints[i];
        ks_json_object(json);
        write_column(json, column);
        ks_json_whole_member(json, "n", digests[i].n);
        ks_json_whole_member(json, "n_missing", c->campaign->n_done - digests[i].n);
        ks_json_number_member(json, "mean", digests[i].mean);
        ks_json_number_member(json, "sd", digests[i].sd);
        ks_json_numbers_member(json, "quantiles", KS_DIGEST_QUANTILES, digests[i].quantiles, 1);
        ks_json_bool_member(json, "is_share", strcmp(column->unit, "0 or 1") == 0);
        if (digests[i].n > 0) write_histogram(json, &digests[i]);
        ks_json_end_object(json);
    }
    ks_json_end_array(json);
}

/* ---- the excerpt ------------------------------------------------------------------------------------------------- */

static unsigned pack(double value, const struct ks_digest *digest) {
    if (!isfinite(value)) return MISSING;
    double share = (value - digest->low) / (digest->high - digest->low);
    return share > 0 ? (unsigned)(fmin(share, 1) * STEPS + 0.5) : 0; /* a single value: 0 / 0 */
}

static void write_table(struct ks_json *json, const struct columns *c, const char *key, int n_columns,
                        const double *taken, const struct ks_digest *digests) {
    uint8_t *to = c->packed;
    ks_json_key(json, key);
    ks_json_object(json);
    for (int is_high = 0; is_high < 2; is_high++) {
        ks_json_key(json, is_high ? "high" : "low");
        ks_json_array(json);
        for (int k = 0; k < n_columns; k++)
            ks_json_digits(json, is_high ? digests[k].high : digests[k].low, 12);
        ks_json_end_array(json);
    }
    for (int k = 0; k < n_columns; k++)
        for (size_t i = 0; i < c->excerpt.n; i++) {
            unsigned packed = pack(taken[i * (size_t)n_columns + (size_t)k], &digests[k]);
            *to++ = (uint8_t)(packed & 0xff);
            *to++ = (uint8_t)(packed >> 8);
        }
    ks_json_key(json, "data");
    ks_json_base64(json, c->packed, (size_t)(to - c->packed));
    ks_json_end_object(json);
}

static void write_excerpt(struct ks_json *json, const struct columns *c) {
    const struct ks_schema *schema = c->campaign->schema;
    ks_json_key(json, "sample");
    ks_json_object(json);
    ks_json_whole_member(json, "n", c->excerpt.n);
    ks_json_whole_member(json, "n_of", c->excerpt.n_of);
    write_table(json, c, "inputs", schema->n_parameters, c->taken[0], ks_digest_finish(c->inputs));
    write_table(json, c, "endpoints", schema->n_endpoints, c->taken[1], ks_digest_finish(c->endpoints));
    ks_json_key(json, "status");
    ks_json_base64(json, c->status, c->excerpt.n);
    ks_json_end_object(json);
}

int ks_report_write_columns(struct ks_json *json, const struct ks_report_campaign *campaign) {
    struct columns c = {.campaign = campaign};
    int err = gather(&c);
    if (err == KS_OK) err = write_parameters(json, &c);
    if (err == KS_OK) {
        write_endpoints(json, &c);
        write_excerpt(json, &c);
    }
    ks_digest_destroy(&c.inputs);
    ks_digest_destroy(&c.endpoints);
    ks_store_release_rows(&c.rows);
    free(c.taken[0]);
    free(c.taken[1]);
    free(c.status);
    free(c.packed);
    return err;
}
