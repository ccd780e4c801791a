/* Where failed points lie: for each parameter Kolmogorov and Smirnov's two-sample test of failed against complete points,
 * by their shares in the parameter's distribution, in 256 bins (which makes the test a little conservative).
 *
 * The rows of a base row share values: A's value of a parameter stands in all rows but one. Each value of a base row counts
 * once, as failed where any of its rows failed; else one failure would count as many times as there are parameters. */
#include "analysis/frame_impl.h"
#include "analysis/sample_impl.h"
#include "base/memory.h"
#include "base/status.h"

#include <math.h>
#include <stdlib.h>

enum { N_BINS = 256, CHUNK_ROWS = 4096, MOST_SHARED = 4096 };

struct search {
    const struct ks_study *study;
    uint64_t n_points, unit; /* rows that share values */
    uint64_t chunk;          /* rows, a multiple of unit */
    int8_t *status;          /* [chunk] */
    double *shares;          /* [unit][p] */
    double *counts; /* of rows failed, units touched, then [p][2][N_BINS] of complete and failed values */
};

enum { ROWS_FAILED, UNITS_TOUCHED, N_COUNTS };

static size_t counts_length(const struct search *search) {
    return N_COUNTS + (size_t)search->study->design->n_variables * 2 * N_BINS;
}

static void count_value(const struct search *search, int parameter, double share, bool is_failed) {
    int bin = (int)(share * N_BINS);
    if (bin > N_BINS - 1) bin = N_BINS - 1;
    search->counts[N_COUNTS + (size_t)((2 * parameter + is_failed) * N_BINS + bin)]++;
}

/* A parameter has at most two values in the rows that share them. */
static void count_parameter(const struct search *search, const int8_t *status, int parameter) {
    int p = search->study->design->n_variables;
    const double *shares = &search->shares[parameter];
    double first = shares[0], second = first;
    bool has_failed[2] = {false, false};
    for (uint64_t i = 0; i < search->unit; i++) {
        double share = shares[i * (uint64_t)p];
        bool is_second = share != first;
        if (is_second) second = share;
        if (ks_status_is_failure(status[i])) has_failed[is_second] = true;
    }
    count_value(search, parameter, first, has_failed[0]);
    if (second != first) count_value(search, parameter, second, has_failed[1]);
}

static void count_unit(const struct search *search, uint64_t first, const int8_t *status) {
    const struct ks_design *design = search->study->design;
    int p = design->n_variables, n_failed = 0;
    for (uint64_t i = 0; i < search->unit; i++) n_failed += ks_status_is_failure(status[i]);
    search->counts[ROWS_FAILED] += n_failed;
    search->counts[UNITS_TOUCHED] += n_failed > 0;
    for (uint64_t i = 0; i < search->unit; i++)
        ks_design_shares(design, first + i, &search->shares[i * (uint64_t)p]);
    for (int k = 0; k < p; k++) count_parameter(search, status, k);
}

static int read_status(const struct search *search, uint64_t chunk, uint64_t *first, uint64_t *count) {
    struct ks_rows rows = {.status = search->status};
    *first = chunk * search->chunk;
    *count = search->n_points - *first < search->chunk ? search->n_points - *first : search->chunk;
    return search->study->read(search->study->source, *first, *count, &rows);
}

/* The chunks that are this rank's; counts are whole numbers, so that no sum of them is rounded. */
static int count_chunks(struct search *search, bool with_values) {
    int rank = ks_run_rank(search->study), size = ks_run_size(search->study);
    uint64_t n_chunks = (search->n_points + search->chunk - 1) / search->chunk, first, count;
    for (uint64_t chunk = (uint64_t)rank; chunk < n_chunks; chunk += (uint64_t)size) {
        KS_TRY(read_status(search, chunk, &first, &count));
        for (uint64_t i = 0; i < count; i += with_values ? search->unit : 1) {
            if (with_values)
                count_unit(search, first + i, &search->status[i]);
            else
                search->counts[ROWS_FAILED] += ks_status_is_failure(search->status[i]);
        }
    }
    return KS_OK;
}

/* On rank 0 the counts of all. */
static int gather_counts(struct search *search) {
    size_t n = counts_length(search);
    int rank = ks_run_rank(search->study), size = ks_run_size(search->study), err = KS_OK;
    double *own = search->counts, *sum = NULL;
    if (rank == 0) sum = ks_memory_allocate(n, sizeof *sum);
    if (rank == 0 && sum == NULL)
        err = ks_error_raise(KS_ERR_MEMORY, __FILE__, __LINE__, "no memory for counts");
    err = ks_run_agree(search->study, err);
    for (int from = 0; err == KS_OK && from < size; from++) {
        err = ks_run_pass(search->study, from, own, n);
        for (size_t i = 0; err == KS_OK && rank == 0 && i < n; i++) sum[i] += own[i];
    }
    if (rank == 0 && err == KS_OK)
        for (size_t i = 0; i < n; i++) own[i] = sum[i];
    free(sum);
    return err;
}

static double value_at(const struct ks_design *design, int parameter, double share) {
    const struct ks_variable *variable = &design->variables[parameter];
    const struct ks_distribution *distribution = &variable->distribution;
    if (design->kind == KS_DESIGN_grid) {
        double low = INFINITY, high = -INFINITY;
        for (int i = 0; i < variable->n_levels; i++) {
            low = fmin(low, variable->levels[i]);
            high = fmax(high, variable->levels[i]);
        }
        return low + share * (high - low);
    }
    if (design->kind == KS_DESIGN_file) return distribution->a + share * (distribution->b - distribution->a);
    return ks_distribution_quantile(distribution, share);
}

static struct ks_failure_side judge(const struct search *search, int parameter) {
    const double *complete = &search->counts[N_COUNTS + (size_t)parameter * 2 * N_BINS],
                 *failed = complete + N_BINS;
    double n_complete = 0, n_failed = 0, below_complete = 0, below_failed = 0, largest = 0;
    int edge = 1;
    struct ks_failure_side side = {.p_value = 1};
    for (int bin = 0; bin < N_BINS; bin++) {
        n_complete += complete[bin];
        n_failed += failed[bin];
    }
    if (!(n_complete > 0 && n_failed > 0)) return side;
    for (int bin = 0; bin < N_BINS - 1; bin++) {
        below_complete += complete[bin] / n_complete;
        below_failed += failed[bin] / n_failed;
        double distance = below_failed - below_complete;
        if (fabs(distance) <= largest) continue;
        largest = fabs(distance);
        side.is_above = distance < 0;
        edge = bin + 1;
    }
    side.p_value = ks_regional_p_value(largest, n_complete, n_failed);
    side.threshold = value_at(search->study->design, parameter, (double)edge / N_BINS);
    return side;
}

static int prepare(struct search *search, struct ks_failures *failures) {
    const struct ks_study *study = search->study;
    struct ks_design_layout layout = ks_design_layout(study->design);
    int p = study->design->n_variables;
    /* along a curve of FAST every row has values of its own */
    search->unit = layout.n_rows <= MOST_SHARED && study->design->kind != KS_DESIGN_fast ? layout.n_rows : 1;
    search->n_points -= search->n_points % search->unit; /* of a campaign that is under way */
    search->chunk = (CHUNK_ROWS + search->unit - 1) / search->unit * search->unit;
    KS_ALLOCATE(search->status, search->chunk);
    KS_ALLOCATE(search->shares, search->unit * (uint64_t)p);
    KS_ALLOCATE(search->counts, counts_length(search));
    KS_ALLOCATE(failures->sides, (size_t)p);
    failures->n_parameters = p;
    failures->n_rows = search->n_points;
    failures->n_bases = search->n_points / search->unit;
    return KS_OK;
}

static void take_counts(const struct search *search, struct ks_failures *failures) {
    failures->n_failed = (uint64_t)search->counts[ROWS_FAILED];
    failures->n_bases_touched = (uint64_t)search->counts[UNITS_TOUCHED];
    for (int k = 0; k < failures->n_parameters; k++) {
        failures->sides[k] = judge(search, k);
        if (failures->sides[k].p_value < 0.01 / failures->n_parameters) failures->is_clustered = true;
    }
}

/* A first look at the statuses alone is enough where nothing failed. */
static int run_search(struct search *search, struct ks_failures *failures) {
    const struct ks_study *study = search->study;
    KS_TRY(ks_run_agree(study, prepare(search, failures)));
    KS_TRY(ks_run_agree(study, count_chunks(search, false)));
    KS_TRY(gather_counts(search));
    KS_TRY(ks_run_spread(study, search->counts, N_COUNTS));
    bool has_failed = search->counts[ROWS_FAILED] > 0;
    for (size_t i = 0; i < counts_length(search); i++) search->counts[i] = 0;
    if (has_failed) {
        KS_TRY(ks_run_agree(study, count_chunks(search, true)));
        KS_TRY(gather_counts(search));
    }
    if (ks_run_rank(study) == 0) take_counts(search, failures);
    return KS_OK;
}

int ks_analysis_find_failures(const struct ks_study *study, struct ks_failures *failures) {
    struct search search = {.study = study, .n_points = study->schema->n_points};
    *failures = (struct ks_failures){0};
    int err = run_search(&search, failures);
    free(search.status);
    free(search.shares);
    free(search.counts);
    return err;
}

void ks_analysis_release_failures(struct ks_failures *failures) {
    free(failures->sides);
    *failures = (struct ks_failures){0};
}
