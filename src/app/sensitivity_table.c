/* What `ketsweep sensitivity` prints: for each endpoint, and each state's whole course, a table of parameters with their
 * indices, sorted by the first of them, with a bar of characters; or the same as JSON. */
#include "app/app_impl.h"
#include "base/error.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BAR = 30, MOST_NAME = 40 };

void ks_sensitivity_table_interval(const struct ks_results *results, char *text, size_t size) {
    /* curves agree on what harmonics beyond the fourth take from all of them */
    const char *bias = results->method == KS_METHOD_fast ? ", beside the bias of 4 harmonics (some %)" : "";
    if (results->n_groups > 0)
        snprintf(text, size, "95 %% intervals from %d independent parts of the study%s", results->n_groups,
                 bias);
    else
        snprintf(text, size, "95 %% intervals from %d bootstrap resamples%s", results->n_resamples, bias);
}

static const struct ks_parameter_info *info_of(const struct ks_findings *findings, int parameter) {
    return &findings->campaign->parameter_table[findings->campaign->design.variables[parameter].parameter];
}

/* A range that somebody judged or fitted, rather than read in a paper. */
static bool is_judged(const struct ks_findings *findings, int parameter) {
    const char *grade = info_of(findings, parameter)->grade;
    return strcmp(grade, "D") == 0 || strcmp(grade, "M") == 0;
}

/* ---- outputs -------------------------------------------------------------------------------------------------- */

struct output {
    int number;
    const char *name, *unit;
    bool is_course;
};

/* Outputs that have a table of their own: endpoints and courses, not single times. */
static int count_tables(const struct ks_results *results) {
    return results->n_endpoints + results->n_courses;
}

static struct output table_output(const struct ks_results *r, int table) {
    if (table < r->n_endpoints)
        return (struct output){table, r->schema->endpoints[table].name, r->schema->endpoints[table].unit,
                               false};
    const struct ks_column *state = &r->schema->states[table - r->n_endpoints];
    return (struct output){r->n_outputs - r->n_courses + table - r->n_endpoints, state->name, state->unit,
                           true};
}

struct entry {
    int parameter;
    double key;
};

static int compare_entries(const void *left, const void *right) {
    const struct entry *a = left, *b = right;
    if (isnan(a->key) || isnan(b->key)) return isnan(a->key) - isnan(b->key);
    if (a->key != b->key) return a->key < b->key ? 1 : -1;
    return a->parameter - b->parameter;
}

/* Which index rows are sorted by: the first of one value per parameter. */
static void sort_entries(const struct ks_results *results, int output, int p, struct entry *entries) {
    const double *values = &results->values[(size_t)output * (size_t)results->n_values];
    for (int i = 0; i < p; i++) entries[i] = (struct entry){i, fabs(values[results->offsets[0] + i])};
    qsort(entries, (size_t)p, sizeof *entries, compare_entries);
}

/* ---- text ----------------------------------------------------------------------------------------------------- */

/* Thousands apart by commas; text of at least 32 characters. */
static const char *whole(uint64_t number, char *text) {
    char digits[24];
    int n = snprintf(digits, sizeof digits, "%" PRIu64, number);
    char *to = text;
    for (int i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0) *to++ = ',';
        *to++ = digits[i];
    }
    *to = '\0';
    return text;
}

static void print_failures(FILE *stream, const struct ks_findings *findings) {
    const struct ks_failures *f = findings->failures;
    char touched[32], bases[32], failed[32], rows[32];
    if (f->n_failed == 0) return;
    fprintf(stream, "%s of %s points failed; %s of %s %s touched", whole(f->n_failed, failed),
            whole(f->n_rows, rows), whole(f->n_bases_touched, touched), whole(f->n_bases, bases),
            f->n_bases == f->n_rows ? "rows" : "base rows");
    const char *before = "; failures concentrate at ";
    for (int i = 0; i < f->n_parameters; i++) {
        const struct ks_failure_side *side = &f->sides[i];
        if (!(side->p_value < 0.01 / f->n_parameters)) continue;
        const struct ks_column *column = &findings->results->schema->parameters[i];
        fprintf(stream, "%s%s %c %.3g%s%s", before, column->name, side->is_above ? '>' : '<', side->threshold,
                strcmp(column->unit, "1") == 0 ? "" : " ",
                strcmp(column->unit, "1") == 0 ? "" : column->unit);
        fprintf(stream, side->p_value > 1e-15 ? " (p = %.1g)" : " (p < 1e-15)", side->p_value);
        before = ", ";
    }
    fprintf(stream, "\n");
}

/* '#' up to the value, or ':' where the parameter's range is judged; '-' on to the upper end of the interval. */
static void print_bar(FILE *stream, double value, double high, double scale, bool is_judged_range) {
    int n = (int)lround(BAR * fabs(value) / scale), to = (int)lround(BAR * fabs(high) / scale);
    if (n > 0 || to > 0) fputs("  ", stream);
    for (int i = 0; i < n && i <= BAR; i++) fputc(is_judged_range ? ':' : '#', stream);
    for (int i = n; i < to && i <= BAR; i++) fputc('-', stream);
}

/* What a full bar stands for: all of the variance, or the largest value. */
static double bar_scale(const struct ks_results *results, int output, int p) {
    double largest = results->indices[0].kind == KS_SHARE ? 1 : 0;
    for (int i = 0; i < p; i++) {
        double value = fabs(results->values[(size_t)output * (size_t)results->n_values + (size_t)i]);
        if (value > largest) largest = value;
    }
    return largest > 0 ? largest : 1;
}

static void print_value(FILE *stream, const struct ks_results *results, size_t at) {
    double half = (results->highs[at] - results->lows[at]) / 2;
    if (isfinite(results->values[at]) && isnan(half)) /* a probability has no interval */
        fprintf(stream, " %9.3g %9s", results->values[at], "");
    else if (!isfinite(results->values[at]))
        fprintf(stream, " %19s", "-");
    else if (fabs(results->values[at]) < 1000 && fabs(results->values[at]) >= 0.001)
        fprintf(stream, " %9.4f +- %6.4f", results->values[at], half);
    else
        fprintf(stream, " %9.3g +- %6.2g", results->values[at], half);
}

static void print_rows(FILE *stream, const struct ks_findings *findings, const struct output *output,
                       int width) {
    const struct ks_results *r = findings->results;
    int p = r->schema->n_parameters;
    size_t first = (size_t)output->number * (size_t)r->n_values;
    double scale = bar_scale(r, output->number, p);
    struct entry *entries = malloc((size_t)p * sizeof *entries);
    if (entries == NULL) return;
    sort_entries(r, output->number, p, entries);
    for (int row = 0; row < p; row++) {
        int i = entries[row].parameter;
        fprintf(stream, "  %-*s %-5s", width, r->schema->parameters[i].name, info_of(findings, i)->grade);
        for (int k = 0; k < r->n_indices; k++)
            if (r->indices[k].of == KS_OF_PARAMETER)
                print_value(stream, r, first + (size_t)(r->offsets[k] + i));
        if (isfinite(entries[row].key))
            print_bar(stream, r->values[first + (size_t)i], r->highs[first + (size_t)i], scale,
                      is_judged(findings, i));
        fprintf(stream, "\n");
    }
    free(entries);
}

/* A number of the output as a whole. */
static void print_single(FILE *stream, const struct ks_results *results, int output, int index) {
    fprintf(stream, "  %s", results->indices[index].name);
    print_value(stream, results,
                (size_t)output * (size_t)results->n_values + (size_t)results->offsets[index]);
    fprintf(stream, "  (%s)\n", results->indices[index].description);
}

/* Pairs whose interval excludes 0, the largest first; at most ten. */
static void print_pairs(FILE *stream, const struct ks_findings *findings, const struct output *output,
                        int index) {
    enum { MOST = 10 };
    const struct ks_results *r = findings->results;
    size_t first = (size_t)output->number * (size_t)r->n_values + (size_t)r->offsets[index];
    int p = r->schema->n_parameters, n = r->counts[index], n_shown = 0;
    double last = INFINITY;
    for (; n_shown < MOST; n_shown++) {
        int best = -1, pair = 0, a = 0, b = 0;
        for (int i = 0; i < p; i++)
            for (int j = i + 1; j < p; j++, pair++) {
                double value = r->values[first + (size_t)pair];
                if (!(r->lows[first + (size_t)pair] > 0) || !(value < last)) continue;
                if (best >= 0 && value <= r->values[first + (size_t)best]) continue;
                best = pair;
                a = i;
                b = j;
            }
        if (best < 0) break;
        last = r->values[first + (size_t)best];
        if (n_shown == 0) fprintf(stream, "  %s, pairs above 0:\n", r->indices[index].name);
        fprintf(stream, "    %s x %s", r->schema->parameters[a].name, r->schema->parameters[b].name);
        print_value(stream, r, first + (size_t)best);
        fprintf(stream, "\n");
    }
    if (n_shown == 0) fprintf(stream, "  %s: none of %d pairs above 0\n", r->indices[index].name, n);
}

/* Base rows that were dropped for the parameter that lost most. */
static uint64_t most_dropped(const struct ks_results *results, int output) {
    uint64_t most = 0;
    for (int i = 0; i < results->schema->n_parameters; i++) {
        uint64_t used = results->n_used[output * results->schema->n_parameters + i];
        if (results->n_bases - used > most) most = results->n_bases - used;
    }
    return most;
}

static void print_table(FILE *stream, const struct ks_findings *findings, const struct output *output,
                        int width) {
    const struct ks_results *r = findings->results;
    char dropped[32], bases[32];
    uint64_t n_dropped = most_dropped(r, output->number);
    double variance = r->variances[output->number];
    fprintf(stream, "\n%s", output->name);
    if (output->is_course) fprintf(stream, " over %d times", r->n_times);
    fprintf(stream, " (%s)", output->unit);
    if (!output->is_course) fprintf(stream, ": standard deviation %.4g", sqrt(variance > 0 ? variance : 0));
    if (n_dropped > 0)
        fprintf(stream, "; %s of %s %s dropped", whole(n_dropped, dropped), whole(r->n_bases, bases),
                r->is_of_rows ? "rows" : "base rows");
    if (!(variance > 0)) {
        fprintf(stream, "; does not vary\n");
        return;
    }
    fprintf(stream, "\n  %-*s %-5s", width, "parameter", "grade");
    for (int k = 0; k < r->n_indices; k++)
        if (r->indices[k].of == KS_OF_PARAMETER) fprintf(stream, " %9s +- 95 %%  ", r->indices[k].name);
    fprintf(stream, "\n");
    print_rows(stream, findings, output, width);
    for (int k = 0; k < r->n_indices; k++)
        if (r->indices[k].of == KS_OF_PAIR)
            print_pairs(stream, findings, output, k);
        else if (r->indices[k].of == KS_OF_OUTPUT)
            print_single(stream, r, output->number, k);
}

void ks_sensitivity_table_print(FILE *stream, const struct ks_findings *findings) {
    const struct ks_results *r = findings->results;
    char interval[128], bases[32];
    int width = 9;
    bool has_judged = false;
    for (int i = 0; i < r->schema->n_parameters; i++) {
        int length = (int)strlen(r->schema->parameters[i].name);
        if (length > width) width = length < MOST_NAME ? length : MOST_NAME;
        has_judged |= is_judged(findings, i);
    }
    ks_sensitivity_table_interval(r, interval, sizeof interval);
    fprintf(stream, "%s: %s, design %s, %s %s\n", findings->path, ks_methods[r->method].name,
            r->schema->design, whole(r->n_bases, bases), r->is_of_rows ? "rows" : "base rows");
    for (int i = 0; i < r->n_indices; i++)
        fprintf(stream, "  %-8s %s\n", r->indices[i].name, r->indices[i].description);
    fprintf(stream, "%s%s\n", interval,
            has_judged ? "; bars of : stand for ranges that are judged or fitted (grades D, M)" : "");
    print_failures(stream, findings);
    if (findings->failures->is_clustered)
        fprintf(stream, "All that follows is given that the run succeeds.\n");
    for (int table = 0; table < count_tables(r); table++) {
        struct output output = table_output(r, table);
        print_table(stream, findings, &output, width);
    }
}

/* ---- JSON ----------------------------------------------------------------------------------------------------- */

static void print_json_triple(FILE *stream, const struct ks_results *r, size_t at) {
    fputc('[', stream);
    ks_output_json_number(stream, r->values[at]);
    fputs(", ", stream);
    ks_output_json_number(stream, r->lows[at]);
    fputs(", ", stream);
    ks_output_json_number(stream, r->highs[at]);
    fputc(']', stream);
}

static void print_json_parameters(FILE *stream, const struct ks_findings *findings, int output) {
    const struct ks_results *r = findings->results;
    int p = r->schema->n_parameters;
    for (int i = 0; i < p; i++) {
        fprintf(stream, "%s\n      {\"parameter\": ", i > 0 ? "," : "");
        ks_output_json_text(stream, r->schema->parameters[i].name);
        fprintf(stream, ", \"grade\": ");
        ks_output_json_text(stream, info_of(findings, i)->grade);
        fprintf(stream, ", \"used\": %" PRIu64, r->n_used[output * p + i]);
        for (int k = 0; k < r->n_indices; k++) {
            if (r->indices[k].of != KS_OF_PARAMETER) continue;
            fprintf(stream, ", \"%s\": ", r->indices[k].name);
            print_json_triple(stream, r, (size_t)output * (size_t)r->n_values + (size_t)(r->offsets[k] + i));
        }
        fputc('}', stream);
    }
}

static void print_json_singles(FILE *stream, const struct ks_results *r, int output) {
    for (int k = 0; k < r->n_indices; k++) {
        if (r->indices[k].of != KS_OF_OUTPUT) continue;
        fprintf(stream, ",\n    \"%s\": ", r->indices[k].name);
        print_json_triple(stream, r, (size_t)output * (size_t)r->n_values + (size_t)r->offsets[k]);
    }
}

static void print_json_pairs(FILE *stream, const struct ks_findings *findings, int output) {
    const struct ks_results *r = findings->results;
    int p = r->schema->n_parameters;
    for (int k = 0; k < r->n_indices; k++) {
        if (r->indices[k].of != KS_OF_PAIR) continue;
        size_t at = (size_t)output * (size_t)r->n_values + (size_t)r->offsets[k];
        bool is_first = true;
        fprintf(stream, ",\n    \"%s\": [", r->indices[k].name);
        for (int i = 0; i < p; i++)
            for (int j = i + 1; j < p; j++, at++, is_first = false) {
                fprintf(stream, "%s\n      {\"parameters\": [", is_first ? "" : ",");
                ks_output_json_text(stream, r->schema->parameters[i].name);
                fputs(", ", stream);
                ks_output_json_text(stream, r->schema->parameters[j].name);
                fputs("], \"value\": ", stream);
                print_json_triple(stream, r, at);
                fputc('}', stream);
            }
        fputc(']', stream);
    }
}

static void print_json_failures(FILE *stream, const struct ks_findings *findings) {
    const struct ks_failures *f = findings->failures;
    fprintf(stream,
            "  \"failures\": {\"points\": %" PRIu64 ", \"failed\": %" PRIu64 ", \"bases\": %" PRIu64
            ", \"touched\": %" PRIu64 ", \"clustered\": %s, \"where\": [",
            f->n_rows, f->n_failed, f->n_bases, f->n_bases_touched, f->is_clustered ? "true" : "false");
    for (int i = 0; f->n_failed > 0 && i < f->n_parameters; i++) {
        fprintf(stream, "%s\n    {\"parameter\": ", i > 0 ? "," : "");
        ks_output_json_text(stream, findings->results->schema->parameters[i].name);
        fprintf(stream, ", \"p_value\": ");
        ks_output_json_number(stream, f->sides[i].p_value);
        fprintf(stream, ", \"%s\": ", f->sides[i].is_above ? "above" : "below");
        ks_output_json_number(stream, f->sides[i].threshold);
        fputc('}', stream);
    }
    fputs("]},\n", stream);
}

void ks_sensitivity_table_print_json(FILE *stream, const struct ks_findings *findings) {
    const struct ks_results *r = findings->results;
    char interval[128];
    ks_sensitivity_table_interval(r, interval, sizeof interval);
    fputs("{\n  \"file\": ", stream);
    ks_output_json_text(stream, findings->path);
    fprintf(stream,
            ",\n  \"method\": \"%s\",\n  \"design\": \"%s\",\n  \"bases\": %" PRIu64 ",\n  \"interval\": ",
            ks_methods[r->method].name, r->schema->design, r->n_bases);
    ks_output_json_text(stream, interval);
    fputs(",\n", stream);
    print_json_failures(stream, findings);
    fputs("  \"outputs\": [", stream);
    for (int table = 0; table < count_tables(r); table++) {
        struct output output = table_output(r, table);
        fprintf(stream, "%s\n  {\"name\": ", table > 0 ? "," : "");
        ks_output_json_text(stream, output.name);
        fprintf(stream, ", \"is_course\": %s, \"unit\": ", output.is_course ? "true" : "false");
        ks_output_json_text(stream, output.unit);
        fputs(", \"variance\": ", stream);
        ks_output_json_number(stream, r->variances[output.number]);
        fputs(", \"parameters\": [", stream);
        print_json_parameters(stream, findings, output.number);
        fputc(']', stream);
        print_json_singles(stream, r, output.number);
        print_json_pairs(stream, findings, output.number);
        fputc('}', stream);
    }
    fputs("\n  ]\n}\n", stream);
}
