/* What `ketsweep sensitivity` stores: the group /sensitivity/METHOD with each index, its interval, and what it rests on. */
#include "app/app_impl.h"
#include "base/error.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

enum { N_BOUNDS = 3, N_PARTS = 3, MOST_ARRAYS = KS_MOST_INDICES * N_BOUNDS * N_PARTS + 8, LONGEST_NAME = 64 };

/* The group being put together. */
struct builder {
    const struct ks_findings *findings;
    int n;
    struct ks_array arrays[MOST_ARRAYS];
    double *numbers[MOST_ARRAYS]; /* owned copies; NULL where the array is borrowed */
    char names[MOST_ARRAYS][LONGEST_NAME];
};

/* Outputs of one part of the results, and their dimensions. */
struct part {
    const char *prefix, *of;
    int first, n, n_axes;
    const char *axes[2];
    uint64_t extent[2];
};

static struct ks_array *add_array(struct builder *builder, const char *prefix, const char *name,
                                  const struct part *part) {
    KS_ASSERT(builder->n < MOST_ARRAYS);
    struct ks_array *array = &builder->arrays[builder->n];
    snprintf(builder->names[builder->n], LONGEST_NAME, "%s%s", prefix, name);
    *array = (struct ks_array){.name = builder->names[builder->n], .n_axes = part->n_axes};
    for (int a = 0; a < part->n_axes; a++) {
        array->axes[a] = part->axes[a];
        array->extent[a] = part->extent[a];
    }
    builder->n++;
    return array;
}

/* One bound of one index of a part: a slice of the results. */
static int add_slice(struct builder *builder, const struct part *part, int index, const char *ending,
                     const double *bounds, const char *description) {
    const struct ks_results *results = builder->findings->results;
    size_t count = (size_t)results->counts[index], n_values = (size_t)results->n_values;
    char name[LONGEST_NAME];
    double *numbers;
    snprintf(name, sizeof name, "%s%s", results->indices[index].name, ending);
    struct ks_array *array = add_array(builder, part->prefix, name, part);
    if (results->indices[index].of != KS_OF_OUTPUT) {
        array->axes[array->n_axes] = results->indices[index].of == KS_OF_PAIR ? "pair" : "parameter";
        array->extent[array->n_axes++] = count;
    }
    KS_ALLOCATE(numbers, (size_t)part->n * count);
    builder->numbers[builder->n - 1] = numbers;
    for (int i = 0; i < part->n; i++)
        memcpy(&numbers[(size_t)i * count],
               &bounds[(size_t)(part->first + i) * n_values + (size_t)results->offsets[index]],
               count * sizeof *numbers);
    array->numbers = numbers;
    array->description = description;
    return KS_OK;
}

static int add_part(struct builder *builder, const struct part *part) {
    const struct ks_results *results = builder->findings->results;
    if (part->n == 0) return KS_OK;
    for (int i = 0; i < results->n_indices; i++) {
        KS_TRY(add_slice(builder, part, i, "", results->values, results->indices[i].description));
        KS_TRY(add_slice(builder, part, i, "_low", results->lows, "lower end of the 95 % interval"));
        KS_TRY(add_slice(builder, part, i, "_high", results->highs, "upper end of the 95 % interval"));
    }
    struct ks_array *variance = add_array(builder, part->prefix, "variance", part);
    variance->numbers = &results->variances[part->first];
    variance->description = part->of;
    return KS_OK;
}

static int add_parts(struct builder *builder) {
    const struct ks_results *r = builder->findings->results;
    uint64_t n_endpoints = (uint64_t)r->n_endpoints, n_times = (uint64_t)r->n_times,
             n_states = (uint64_t)r->n_states;
    const struct part endpoints = {
        "", "variance of the endpoint", 0, r->n_endpoints, 1, {"endpoint"}, {n_endpoints}};
    const struct part courses = {"trajectories_",
                                 "variance of the state at the time",
                                 r->n_endpoints,
                                 r->n_times * r->n_states,
                                 2,
                                 {"time", "state"},
                                 {n_times, n_states}};
    const struct part generalised = {"generalised_",
                                     "sum of the state's variances over time",
                                     r->n_endpoints + r->n_times * r->n_states,
                                     r->n_courses,
                                     1,
                                     {"state"},
                                     {n_states}};
    KS_TRY(add_part(builder, &endpoints));
    KS_TRY(add_part(builder, &courses));
    KS_TRY(add_part(builder, &generalised));
    if (r->n_endpoints == 0) return KS_OK;
    struct ks_array *used = add_array(builder, "", "n_used", &endpoints);
    used->axes[used->n_axes] = "parameter";
    used->extent[used->n_axes++] = (uint64_t)r->schema->n_parameters;
    used->counts = r->n_used;
    used->description = "base rows (of given data, rows) that served the parameter's indices";
    return KS_OK;
}

/* Where failed points lie. */
static int add_failures(struct builder *builder) {
    const struct ks_failures *failures = builder->findings->failures;
    if (failures->n_failed == 0) return KS_OK;
    const struct part parameters = {
        .n_axes = 1, .axes = {"parameter"}, .extent = {(uint64_t)failures->n_parameters}};
    for (int which = 0; which < 2; which++) {
        double *numbers;
        struct ks_array *array =
            add_array(builder, "", which == 0 ? "failure_p_value" : "failure_threshold", &parameters);
        array->description = which == 0 ? "of a Kolmogorov-Smirnov test of failed against complete points"
                                        : "value that parts failed and complete points best";
        KS_ALLOCATE(numbers, (size_t)failures->n_parameters);
        builder->numbers[builder->n - 1] = numbers;
        for (int k = 0; k < failures->n_parameters; k++)
            numbers[k] = which == 0 ? failures->sides[k].p_value : failures->sides[k].threshold;
        array->numbers = numbers;
    }
    return KS_OK;
}

/* The names of pairs and the grades of parameters. */
struct words {
    int n_pairs;
    char (*pairs)[2 * LONGEST_NAME];
    const char **pair_texts, **grades;
};

static int fill_words(const struct ks_findings *findings, struct words *words) {
    const struct ks_schema *schema = findings->results->schema;
    const struct ks_design *design = &findings->campaign->design;
    int p = schema->n_parameters, n = 0;
    words->n_pairs = p * (p - 1) / 2;
    KS_ALLOCATE(words->pairs, (size_t)words->n_pairs);
    KS_ALLOCATE(words->pair_texts, (size_t)words->n_pairs);
    KS_ALLOCATE(words->grades, (size_t)p);
    for (int i = 0; i < p; i++) {
        words->grades[i] = findings->campaign->parameter_table[design->variables[i].parameter].grade;
        for (int j = i + 1; j < p; j++, n++) {
            snprintf(words->pairs[n], sizeof words->pairs[n], "%s:%s", schema->parameters[i].name,
                     schema->parameters[j].name);
            words->pair_texts[n] = words->pairs[n];
        }
    }
    return KS_OK;
}

static bool has_pairs(const struct ks_results *results) {
    for (int i = 0; i < results->n_indices; i++)
        if (results->indices[i].of == KS_OF_PAIR) return true;
    return false;
}

static int write_group(struct builder *builder, const struct words *words, bool is_separate, char *written,
                       size_t size) {
    const struct ks_findings *f = builder->findings;
    char interval[128];
    ks_sensitivity_table_interval(f->results, interval, sizeof interval);
    const char *const texts[][2] = {
        {"method", ks_methods[f->results->method].name},
        {"long_name", ks_methods[f->results->method].words},
        {"interval", interval},
        {"condition", f->failures->is_clustered ? "given that the run succeeds" : ""}};
    const struct ks_group_count counts[] = {{"n_bases", f->results->n_bases},
                                            {"n_bases_touched_by_failures", f->failures->n_bases_touched},
                                            {"n_points", f->failures->n_rows},
                                            {"n_points_failed", f->failures->n_failed}};
    const struct ks_scale scales[] = {
        {"grade", "parameter", f->results->schema->n_parameters, words->grades},
        {"pair", NULL, words->n_pairs, words->pair_texts},
    };
    const struct ks_group group = {.analysis = "sensitivity",
                                   .name = ks_methods[f->results->method].name,
                                   .n_texts = sizeof texts / sizeof *texts,
                                   .texts = texts,
                                   .n_counts = sizeof counts / sizeof *counts,
                                   .counts = counts,
                                   .n_scales = has_pairs(f->results) ? 2 : 1,
                                   .scales = scales,
                                   .n_arrays = builder->n,
                                   .arrays = builder->arrays};
    return ks_store_write_group(f->path, is_separate, &group, written, size);
}

static int build_and_write(struct builder *builder, struct words *words, bool is_separate, char *written,
                           size_t size) {
    KS_TRY(add_parts(builder));
    KS_TRY(add_failures(builder));
    KS_TRY(fill_words(builder->findings, words));
    return write_group(builder, words, is_separate, written, size);
}

int ks_sensitivity_results_store(const struct ks_findings *findings, bool is_separate, char *written,
                                 size_t size) {
    struct builder *builder;
    struct words words = {0};
    KS_ALLOCATE(builder, 1);
    builder->findings = findings;
    int err = build_and_write(builder, &words, is_separate, written, size);
    for (int i = 0; i < builder->n; i++) free(builder->numbers[i]);
    free(words.pairs);
    free(words.pair_texts);
    free(words.grades);
    free(builder);
    return err;
}
