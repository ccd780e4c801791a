/* An analysis from study to results: what it is of, by which family of methods, on which ranks. */
#include "analysis/frame_impl.h"
#include "base/memory.h"

#include <stdlib.h>

/* ---- ranks ---------------------------------------------------------------------------------------------------- */

int ks_run_rank(const struct ks_study *study) {
    return study->team != NULL ? study->team->rank : 0;
}

int ks_run_size(const struct ks_study *study) {
    return study->team != NULL ? study->team->size : 1;
}

int ks_run_agree(const struct ks_study *study, int err) {
    return study->team != NULL ? study->team->agree(study->team->self, err) : err;
}

int ks_run_pass(const struct ks_study *study, int from, double *numbers, size_t n) {
    return study->team != NULL && from != 0 ? study->team->pass(study->team->self, from, numbers, n) : KS_OK;
}

int ks_run_spread(const struct ks_study *study, double *numbers, size_t n) {
    return study->team != NULL ? study->team->spread(study->team->self, numbers, n) : KS_OK;
}

/* ---- what there is to compute --------------------------------------------------------------------------------- */

static bool has_shares_only(const struct ks_results *results) {
    for (int i = 0; i < results->n_indices; i++)
        if (results->indices[i].kind != KS_SHARE) return false;
    return true;
}

static int count_index(enum ks_index_of of, int p) {
    return of == KS_OF_OUTPUT ? 1 : of == KS_OF_PAIR ? p * (p - 1) / 2 : p;
}

static void count_values(struct ks_results *results, int p) {
    for (int i = 0; i < results->n_indices; i++) {
        results->offsets[i] = results->n_values;
        results->counts[i] = count_index(results->indices[i].of, p);
        results->n_values += results->counts[i];
    }
}

static struct ks_replicates choose_replicates(const struct ks_frame *frame) {
    enum { USUAL_RESAMPLES = 1000 };
    const struct ks_given_method *given = frame->method->given;
    int n = frame->study->n_resamples;
    if (given != NULL && given->needs_parts)
        return (struct ks_replicates){KS_MOST_GROUPS + 1, KS_PARTS, given->is_biased};
    if (given != NULL && given->is_slow && n == 0)
        return (struct ks_replicates){KS_MOST_GROUPS + 1, KS_JACKKNIFE, given->is_biased};
    if (given == NULL && n == 0 && frame->layout.n_groups > 0)
        return (struct ks_replicates){frame->layout.n_groups + 1, KS_JACKKNIFE, false};
    return (struct ks_replicates){1 + (n > 0 ? n : USUAL_RESAMPLES), KS_BOOTSTRAP,
                                  given != NULL && given->is_biased};
}

static int prepare(struct ks_frame *frame) {
    const struct ks_study *study = frame->study;
    struct ks_results *results = frame->results;
    frame->method = ks_method_table[study->method];
    frame->layout = ks_design_layout(study->design);
    frame->replicates = choose_replicates(frame);
    KS_CHECK(frame->replicates.kind != KS_PARTS || study->n_resamples == 0, KS_ERR_USAGE,
             "%s cannot be bootstrapped, as it compares nearest neighbours; its intervals come from parts of "
             "the rows",
             ks_methods[study->method].name);
    results->method = study->method;
    results->schema = frame->schema;
    results->indices = frame->method->indices;
    results->n_indices = frame->method->count_indices != NULL ? frame->method->count_indices(study->design)
                                                              : frame->method->n_indices;
    count_values(results, study->design->n_variables);
    results->n_endpoints = frame->schema->n_endpoints;
    if (study->with_trajectories) {
        results->n_times = frame->schema->n_times;
        results->n_states = frame->schema->n_states;
    }
    frame->n_columns = results->n_endpoints + results->n_times * results->n_states;
    results->n_courses = has_shares_only(results) ? results->n_states : 0;
    results->n_outputs = frame->n_columns + results->n_courses;
    bool is_given = frame->method->given != NULL;
    results->n_bases =
        frame->layout.n_bases * (is_given && study->design->kind == KS_DESIGN_saltelli ? 2 : 1);
    results->is_of_rows = is_given || frame->layout.n_rows == 1;
    (frame->replicates.kind == KS_BOOTSTRAP ? &results->n_resamples : &results->n_groups)[0] =
        frame->replicates.n - 1;
    size_t n = (size_t)results->n_outputs, n_values = (size_t)results->n_values;
    KS_ALLOCATE(results->values, n * n_values);
    KS_ALLOCATE(results->lows, n * n_values);
    KS_ALLOCATE(results->highs, n * n_values);
    KS_ALLOCATE(results->variances, n);
    KS_ALLOCATE(results->n_used, n * (size_t)study->design->n_variables);
    return ks_intervals_begin(frame);
}

static int run_frame(struct ks_frame *frame) {
    KS_TRY(ks_run_agree(frame->study, prepare(frame)));
    KS_TRY(frame->method->structured != NULL ? ks_structured_run(frame) : ks_given_run(frame));
    if (ks_run_rank(frame->study) == 0) ks_intervals_take_courses(frame);
    return KS_OK;
}

int ks_analysis_run(const struct ks_study *study, struct ks_results *results) {
    *results = (struct ks_results){0};
    struct ks_frame frame = {.study = study, .schema = study->schema, .results = results};
    int err = run_frame(&frame);
    ks_intervals_end(&frame);
    return err;
}

void ks_analysis_release(struct ks_results *results) {
    free(results->values);
    free(results->lows);
    free(results->highs);
    free(results->variances);
    free(results->n_used);
    *results = (struct ks_results){0};
}
