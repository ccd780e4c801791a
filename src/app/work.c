/* The work of a campaign: a point of the design becomes a parameter vector, a simulated patient, and a row. */
#include "app/app_impl.h"
#include "base/build_info.h"
#include "base/error.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A rank's rows of one round fit in this much memory; the write's buffers come on top. */
static const uint64_t round_bytes = 64u << 20;
enum { LEAST_CAPACITY = 64 };

/* Courses of a batch, as the solver gives them, fit in this much memory, or are eight. */
static const size_t batch_bytes = 32u << 20;
enum { LEAST_BATCH = 8 };

/* ---- the schema --------------------------------------------------------------------------------------------- */

static const char *unit_of(const struct ks_campaign *campaign, const struct ks_parameter_info *info) {
    bool is_per_kg = campaign->treatment.is_dose_per_kg;
    if (strcmp(info->unit, "dose_unit") == 0) return is_per_kg ? "mg/kg" : "mg";
    if (strcmp(info->unit, "dose_unit/h") == 0) return is_per_kg ? "mg/kg/h" : "mg/h";
    return info->unit;
}

static void describe_parameters(const struct ks_campaign *campaign, struct ks_column *columns) {
    for (int i = 0; i < campaign->design.n_variables; i++) {
        const struct ks_parameter_info *info =
            &campaign->parameter_table[campaign->design.variables[i].parameter];
        columns[i] = (struct ks_column){info->name, unit_of(campaign, info), info->description};
    }
}

static void describe_endpoints(struct ks_work *work, struct ks_column *columns) {
    const struct ks_campaign *campaign = work->campaign;
    for (int i = 0; i < campaign->n_endpoints; i++) {
        const struct ks_endpoint *endpoint = &campaign->endpoints[i];
        if (campaign->function != NULL)
            snprintf(work->descriptions[i], sizeof work->descriptions[i], "output of %s",
                     campaign->function->description);
        else
            ks_model_describe_endpoint(endpoint, work->descriptions[i], sizeof work->descriptions[i]);
        columns[i] = (struct ks_column){endpoint->name, endpoint->unit, work->descriptions[i]};
    }
}

static int fill_schema(struct ks_work *work) {
    const struct ks_campaign *campaign = work->campaign;
    int n_parameters = campaign->design.n_variables, n_endpoints = campaign->n_endpoints;
    int n_states = campaign->has_trajectories ? campaign->n_quantities : 0;
    KS_ALLOCATE(work->columns, (size_t)(n_parameters + n_endpoints + n_states));
    KS_ALLOCATE(work->descriptions, (size_t)n_endpoints);
    struct ks_column *parameters = work->columns, *endpoints = parameters + n_parameters,
                     *states = endpoints + n_endpoints;
    describe_parameters(campaign, parameters);
    describe_endpoints(work, endpoints);
    for (int i = 0; i < n_states; i++) {
        const struct ks_quantity_info *quantity = &ks_quantities[campaign->quantities[i]];
        states[i] = (struct ks_column){quantity->name, quantity->unit, quantity->description};
    }
    ks_model_version(work->model_version);
    work->schema = (struct ks_schema){.title = campaign->title,
                                      .config = campaign->canonical,
                                      .design = ks_designs[campaign->design.kind].name,
                                      .model_version = work->model_version,
                                      .seed = campaign->design.seed,
                                      .n_points = campaign->design.n_points,
                                      .n_status_names = KS_N_STATUSES,
                                      .status_names = ks_status_names,
                                      .n_parameters = n_parameters,
                                      .n_endpoints = n_endpoints,
                                      .parameters = parameters,
                                      .endpoints = endpoints,
                                      .n_times = n_states > 0 ? campaign->n_times : 0,
                                      .n_states = n_states,
                                      .times = campaign->times,
                                      .states = states};
    return KS_OK;
}

/* ---- creation ----------------------------------------------------------------------------------------------- */

/* How many patients are solved at once: what the processor can do, or what --lanes or else KETSWEEP_LANES says; always
 * one for cvode. No result depends on it. */
int ks_work_choose_lanes(const struct ks_campaign *campaign, const char *wanted, int *lanes) {
    int widest = ks_build_info_widest_lanes();
    bool is_single = campaign->function != NULL || campaign->solver.kind == KS_SOLVER_cvode;
    const char *source = "--lanes";
    *lanes = is_single ? 1 : widest;
    if (wanted == NULL && !is_single) wanted = getenv(source = "KETSWEEP_LANES");
    if (wanted == NULL) return KS_OK;
    char *end;
    long number = strtol(wanted, &end, 10);
    bool is_possible =
        *end == '\0' && number >= 1 && number <= widest && ks_model_equations((int)number) != NULL;
    KS_CHECK(is_possible, KS_ERR_USAGE, "%s is 1, 2, 4 or 8, at most %d on this processor, found \"%s\"",
             source, widest, wanted);
    if (!is_single) *lanes = (int)number;
    return KS_OK;
}

static int create_therapy(struct ks_work *work) {
    const struct ks_campaign *campaign = work->campaign;
    if (campaign->function != NULL) return KS_OK;
    struct ks_therapy_plan plan = {.treatment = campaign->treatment,
                                   .n_endpoints = campaign->n_endpoints,
                                   .endpoints = campaign->endpoints,
                                   .n_times = work->schema.n_times,
                                   .times = campaign->times,
                                   .n_quantities = work->schema.n_states,
                                   .quantities = campaign->quantities,
                                   .solver = campaign->solver,
                                   .lanes = work->lanes};
    return ks_therapy_create(&work->therapy, &plan);
}

int ks_work_create_tally(struct ks_tally *tally, int n_variables) {
    double **bounds[] = {&tally->low, &tally->failed_low, &tally->high, &tally->failed_high};
    for (int k = 0; k < 4; k++) {
        KS_ALLOCATE(*bounds[k], (size_t)n_variables);
        for (int i = 0; i < n_variables; i++) (*bounds[k])[i] = k < 2 ? INFINITY : -INFINITY;
    }
    return KS_OK;
}

void ks_work_release_tally(struct ks_tally *tally) {
    free(tally->low);
    free(tally->high);
    free(tally->failed_low);
    free(tally->failed_high);
}

static int create_batch(struct ks_work *work) {
    const struct ks_campaign *campaign = work->campaign;
    size_t n_trajectory = (size_t)work->schema.n_times * (size_t)work->schema.n_states;
    size_t batch = n_trajectory > 0 ? batch_bytes / (n_trajectory * sizeof(double)) : KS_THERAPY_BATCH;
    if (batch < LEAST_BATCH) batch = LEAST_BATCH;
    if (batch > KS_THERAPY_BATCH) batch = KS_THERAPY_BATCH;
    if (batch > work->schema.n_points) batch = (size_t)work->schema.n_points;
    work->batch = (int)batch;
    work->slice = campaign->function != NULL                 ? 1024
                  : campaign->solver.kind == KS_SOLVER_cvode ? 1
                                                             : (uint64_t)batch;
    KS_ALLOCATE(work->values, batch * (size_t)campaign->design.n_variables);
    KS_ALLOCATE(work->parameters, batch * (size_t)campaign->n_parameters);
    KS_ALLOCATE(work->trajectories, batch * n_trajectory);
    KS_ALLOCATE(work->outcomes, batch);
    if (campaign->function != NULL) KS_ALLOCATE(work->outputs, (size_t)campaign->function->n_outputs);
    return KS_OK;
}

static int fill_work(struct ks_work *work, const char *lanes, uint64_t capacity) {
    KS_TRY(ks_work_choose_lanes(work->campaign, lanes, &work->lanes));
    KS_TRY(fill_schema(work));
    KS_TRY(create_therapy(work));
    KS_TRY(ks_work_create_tally(&work->tally, work->campaign->design.n_variables));
    KS_TRY(create_batch(work));
    if (capacity == 0) capacity = round_bytes / ks_store_row_bytes(&work->schema);
    if (capacity < LEAST_CAPACITY) capacity = LEAST_CAPACITY;
    if (capacity > work->schema.n_points) capacity = work->schema.n_points;
    work->capacity = capacity;
    return ks_store_allocate_rows(&work->schema, (size_t)capacity, &work->rows);
}

int ks_work_create(struct ks_work *work, const struct ks_campaign *campaign, const char *lanes,
                   uint64_t capacity) {
    *work = (struct ks_work){.campaign = campaign};
    int err = fill_work(work, lanes, capacity);
    if (err < 0) ks_work_release(work);
    return err;
}

void ks_work_release(struct ks_work *work) {
    ks_therapy_destroy(&work->therapy);
    ks_store_release_rows(&work->rows);
    ks_work_release_tally(&work->tally);
    free(work->values);
    free(work->parameters);
    free(work->trajectories);
    free(work->outcomes);
    free(work->outputs);
    free(work->columns);
    free(work->descriptions);
    *work = (struct ks_work){0};
}

/* ---- points ------------------------------------------------------------------------------------------------- */

void ks_work_point(const struct ks_campaign *campaign, uint64_t i, double *values, double *parameters) {
    memcpy(parameters, campaign->parameters, (size_t)campaign->n_parameters * sizeof *parameters);
    ks_design_point(&campaign->design, i, values);
    for (int k = 0; k < campaign->design.n_variables; k++)
        parameters[campaign->design.variables[k].parameter] = values[k];
}

void ks_work_widen_tally(struct ks_tally *tally, int n_variables, const double *values, int status) {
    for (int k = 0; k < n_variables; k++) {
        double value = values[k];
        tally->low[k] = fmin(tally->low[k], value);
        tally->high[k] = fmax(tally->high[k], value);
        if (!ks_status_is_failure(status)) continue;
        tally->failed_low[k] = fmin(tally->failed_low[k], value);
        tally->failed_high[k] = fmax(tally->failed_high[k], value);
    }
}

/* The values and parameters of the points of a batch. */
static void prepare_batch(struct ks_work *work, uint64_t first, int n) {
    size_t n_variables = (size_t)work->schema.n_parameters,
           n_parameters = (size_t)work->campaign->n_parameters;
    for (int i = 0; i < n; i++)
        ks_work_point(work->campaign, work->first_point + first + (uint64_t)i,
                      &work->values[(size_t)i * n_variables], &work->parameters[(size_t)i * n_parameters]);
}

/* Where the results of a batch go; endpoints straight into their rows. */
static void place_outcomes(struct ks_work *work, int n, size_t row) {
    const struct ks_schema *schema = &work->schema;
    size_t n_trajectory = (size_t)schema->n_times * (size_t)schema->n_states;
    for (int i = 0; i < n; i++)
        work->outcomes[i] = (struct ks_outcome){
            .endpoints = &work->rows.endpoints[(row + (size_t)i) * (size_t)schema->n_endpoints],
            .trajectory = &work->trajectories[(size_t)i * n_trajectory],
            .status = KS_STATUS_done};
}

/* A function's outputs, of which the row may take some; NaN in all of them where the point has failed. */
static void evaluate_function(struct ks_work *work, int i) {
    const struct ks_campaign *campaign = work->campaign;
    const struct ks_test_function *function = campaign->function;
    struct ks_outcome *outcome = &work->outcomes[i];
    function->evaluate(&work->parameters[(size_t)i * (size_t)campaign->n_parameters], work->outputs);
    for (int k = 0; k < function->n_outputs; k++)
        if (!isfinite(work->outputs[k])) outcome->status = KS_STATUS_non_finite;
    for (int k = 0; k < campaign->n_endpoints; k++)
        outcome->endpoints[k] =
            outcome->status == KS_STATUS_done ? work->outputs[campaign->endpoints[k].quantity] : NAN;
}

static int simulate_outcomes(struct ks_work *work, uint64_t first, int n) {
    if (work->campaign->function == NULL)
        return ks_therapy_simulate(work->therapy, work->first_point + first, n, work->parameters,
                                   work->outcomes);
    for (int i = 0; i < n; i++) evaluate_function(work, i);
    return KS_OK;
}

/* All of a row but its endpoints. */
static void fill_row(struct ks_work *work, int i, size_t row) {
    const struct ks_outcome *outcome = &work->outcomes[i];
    struct ks_rows *rows = &work->rows;
    size_t n_trajectory = (size_t)work->schema.n_times * (size_t)work->schema.n_states;
    size_t n_variables = (size_t)work->schema.n_parameters;
    const double *values = &work->values[(size_t)i * n_variables];
    memcpy(&rows->inputs[row * n_variables], values, n_variables * sizeof(double));
    for (size_t k = 0; k < n_trajectory; k++)
        rows->trajectories[row * n_trajectory + k] = (float)outcome->trajectory[k];
    rows->status[row] = (int8_t)outcome->status;
    rows->steps[row] = outcome->n_steps;
    work->tally.n_by_status[outcome->status]++;
    ks_work_widen_tally(&work->tally, work->schema.n_parameters, values, outcome->status);
}

/* The outcome of a point that is not tried any more. */
static void give_up(struct ks_work *work) {
    struct ks_outcome *outcome = &work->outcomes[0];
    size_t n_trajectory = (size_t)work->schema.n_times * (size_t)work->schema.n_states;
    for (int e = 0; e < work->schema.n_endpoints; e++) outcome->endpoints[e] = NAN;
    for (size_t k = 0; k < n_trajectory; k++) outcome->trajectory[k] = NAN;
    outcome->status = KS_STATUS_crashed;
}

/* Whether the point is suspected of killing processes; else *n becomes fewer, so that no suspect is among n points. */
static const struct ks_suspect *find_suspect(const struct ks_work *work, uint64_t first, int *n) {
    for (size_t i = 0; i < work->n_suspects; i++) {
        const struct ks_suspect *suspect = &work->suspects[i];
        if (suspect->point == first) return suspect;
        if (suspect->point > first && suspect->point - first < (uint64_t)*n)
            *n = (int)(suspect->point - first);
    }
    return NULL;
}

/* Simulates up to *n points; *n becomes how many of them, from the first on, were not dropped. */
static int simulate_batch(struct ks_work *work, uint64_t first, size_t row, int *n) {
    const struct ks_suspect *suspect = find_suspect(work, first, n);
    if (suspect != NULL) *n = 1;
    prepare_batch(work, first, *n);
    place_outcomes(work, *n, row);
    ks_signals_enter(first, (uint64_t)*n);
    int err = KS_OK;
    if (suspect != NULL && suspect->is_given_up)
        give_up(work);
    else
        err = simulate_outcomes(work, first, *n);
    ks_signals_leave();
    KS_TRY(err);
    int n_done = 0;
    for (; n_done < *n && work->outcomes[n_done].status != KS_STATUS_not_run; n_done++)
        fill_row(work, n_done, row + (size_t)n_done);
    *n = n_done;
    return KS_OK;
}

/* Adds points to the blocks, as part of the last block where they follow it. */
static void append_block(struct ks_rows *rows, uint64_t first, uint64_t count) {
    struct ks_block *last = rows->n_blocks > 0 ? &rows->blocks[rows->n_blocks - 1] : NULL;
    if (last != NULL && last->first + last->count == first)
        last->count += count;
    else
        rows->blocks[rows->n_blocks++] = (struct ks_block){first, count};
    rows->n_rows += (size_t)count;
}

int ks_work_simulate(struct ks_work *work, uint64_t first, uint64_t *count) {
    KS_ASSERT(work->rows.n_rows + *count <= work->capacity);
    uint64_t batch = (uint64_t)work->batch, done = 0;
    for (int n = 1; done < *count && n > 0; done += (uint64_t)n) {
        n = *count - done < batch ? (int)(*count - done) : work->batch;
        KS_TRY(simulate_batch(work, first + done, work->rows.n_rows + (size_t)done, &n));
    }
    *count = done;
    if (done > 0) append_block(&work->rows, first, done);
    return KS_OK;
}

int ks_work_try(struct ks_work *work, uint64_t point) {
    int n = 1;
    return simulate_batch(work, point, 0, &n);
}

/* Points that are cut off will be counted when they are simulated again. */
static void forget_row(struct ks_work *work, size_t row) {
    work->tally.n_by_status[work->rows.status[row]]--;
}

void ks_work_cut(struct ks_work *work, uint64_t end) {
    struct ks_rows *rows = &work->rows;
    while (rows->n_blocks > 0) {
        struct ks_block *last = &rows->blocks[rows->n_blocks - 1];
        uint64_t n_left = last->first >= end ? 0 : end - last->first;
        if (n_left >= last->count) return;
        for (; last->count > n_left; last->count--) forget_row(work, --rows->n_rows);
        if (n_left == 0) rows->n_blocks--;
    }
}

void ks_work_clear(struct ks_work *work) {
    work->rows.n_rows = work->rows.n_blocks = 0;
}

void ks_work_clear_tally(struct ks_work *work) {
    memset(work->tally.n_by_status, 0, sizeof work->tally.n_by_status);
}
