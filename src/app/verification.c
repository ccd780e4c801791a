/* Verification: a random sample of the points is solved again by cvode at a hundredth of the tolerance, and the stored
 * endpoints are compared with what it finds. What the errors mean is in src/store/README.md.
 *
 * Whether a point is in the sample depends on the seed and its index alone. Each rank verifies points that it has just
 * simulated, while their rows are in memory: only rows of earlier runs are read again, and the farm spreads the cost. At the end
 * rank 0 gathers one endpoint after the other and puts its points in order, so that every number of the table is the
 * same for any number of ranks. */
#include "app/app_impl.h"
#include "base/agree.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The reference is tighter by this factor, but never tighter than rounding allows; solver.rtol itself has that limit. */
static const double tightening = 100, tightest_rtol = 1e-13;

/* It may take more steps than the campaign by this factor, so that its own limit is not what it finds. */
enum { STEPS_FACTOR = 10 };

/* Of its window; an event that moves farther is another event, such as the next time that a wave reaches a level. */
static const double farthest_event = 0.01;

/* One endpoint of one point that has a number in both solutions. */
struct comparison {
    uint64_t point;
    double difference, size; /* |stored - reference|, |reference| */
};

/* ---- creation ----------------------------------------------------------------------------------------------- */

static int create_reference(struct ks_verification *v) {
    const struct ks_campaign *campaign = v->campaign;
    int most_steps = campaign->solver.max_steps;
    v->rtol = campaign->solver.rtol / tightening;
    KS_CHECK(
        v->rtol > 0.999 * tightest_rtol, KS_ERR_USAGE,
        "--verify-fraction: no reference can be %g times tighter than solver.rtol = %g; at least %g can be "
        "verified",
        tightening, campaign->solver.rtol, tightening * tightest_rtol);
    const struct ks_therapy_plan plan = {
        .treatment = campaign->treatment,
        .n_endpoints = campaign->n_endpoints,
        .endpoints = campaign->endpoints,
        .solver = {.kind = KS_SOLVER_cvode,
                   .rtol = v->rtol,
                   .max_steps = most_steps < INT_MAX / STEPS_FACTOR ? STEPS_FACTOR * most_steps : INT_MAX,
                   .is_dropped = campaign->solver.is_dropped,
                   .self = campaign->solver.self},
        .lanes = 1};
    return ks_therapy_create(&v->reference, &plan);
}

static int fill_verification(struct ks_verification *v) {
    const struct ks_campaign *campaign = v->campaign;
    KS_CHECK(campaign->function == NULL, KS_ERR_USAGE,
             "--verify-fraction: the model \"%s\" is computed without a solver; there is nothing to verify",
             campaign->model);
    KS_TRY(create_reference(v));
    uint64_t bits = ks_random_bits(campaign->design.seed, KS_STREAM_verification, 0, 1);
    v->always = bits % campaign->design.n_points;
    KS_ALLOCATE(v->values, (size_t)campaign->design.n_variables);
    KS_ALLOCATE(v->parameters, (size_t)campaign->n_parameters);
    KS_ALLOCATE(v->endpoints, (size_t)campaign->n_endpoints);
    KS_ALLOCATE(v->n_differ, (size_t)campaign->n_endpoints);
    KS_ALLOCATE(v->rows, (size_t)campaign->n_endpoints);
    return KS_OK;
}

int ks_verification_create(struct ks_verification *v, const struct ks_campaign *campaign, double fraction) {
    *v = (struct ks_verification){.campaign = campaign, .fraction = fraction};
    if (!(fraction > 0)) return KS_OK;
    int err = fill_verification(v);
    if (err < 0) ks_verification_release(v);
    return err;
}

void ks_verification_release(struct ks_verification *v) {
    ks_therapy_destroy(&v->reference);
    free(v->values);
    free(v->parameters);
    free(v->endpoints);
    free(v->n_differ);
    free(v->rows);
    free(v->points);
    free(v->pairs);
    *v = (struct ks_verification){0};
}

/* ---- points ------------------------------------------------------------------------------------------------- */

/* The one point that is always in the sample keeps a small share of few points from verifying none. */
static bool is_sampled(const struct ks_verification *v, uint64_t point) {
    uint64_t seed = v->campaign->design.seed;
    return point == v->always || ks_random_uniform(seed, KS_STREAM_verification, point, 0) < v->fraction;
}

static bool is_yes_or_no(enum ks_op op) {
    return op == KS_OP_at_most || op == KS_OP_ratio_at_most || op == KS_OP_crossed || op == KS_OP_relapse ||
           op == KS_OP_ever_at_most || op == KS_OP_ever_ratio_at_most;
}

static bool is_time_of_event(enum ks_op op) {
    return op == KS_OP_first_crossing || op == KS_OP_first_at_most || op == KS_OP_first_ratio_at_most ||
           op == KS_OP_relapse_time;
}

/* Differences that no error measures. A time to an event is the end of its window where the event never came. */
static bool differ_in_kind(const struct ks_endpoint *endpoint, double horizon, double a, double b) {
    if (isnan(a) || isnan(b)) return isnan(a) != isnan(b);
    if (is_yes_or_no(endpoint->op)) return a != b;
    if (!is_time_of_event(endpoint->op)) return false;
    double end = fmin(endpoint->to, horizon) * endpoint->factor, start = endpoint->from * endpoint->factor;
    return (a == end) != (b == end) || fabs(a - b) > farthest_event * (end - start);
}

/* For one more point. */
static int make_room(struct ks_verification *v) {
    if (v->n < v->capacity) return KS_OK;
    size_t capacity = 2 * v->capacity + 16, n_pairs = (size_t)v->campaign->n_endpoints;
    uint64_t *points = realloc(v->points, capacity * sizeof *points);
    if (points != NULL) v->points = points;
    struct ks_verified_pair *pairs = realloc(v->pairs, capacity * n_pairs * sizeof *pairs);
    if (pairs != NULL) v->pairs = pairs;
    KS_CHECK(points != NULL && pairs != NULL, KS_ERR_MEMORY, "no memory to verify %zu points", capacity);
    v->capacity = capacity;
    return KS_OK;
}

static void compare_endpoints(struct ks_verification *v, const double *stored,
                              struct ks_verified_pair *pairs) {
    double horizon = v->parameters[KS_PARAMETER_horizon];
    for (int e = 0; e < v->campaign->n_endpoints; e++) {
        double a = stored[e], b = v->endpoints[e];
        bool differ = differ_in_kind(&v->campaign->endpoints[e], horizon, a, b);
        pairs[e] = (struct ks_verified_pair){differ ? NAN : fabs(a - b), fabs(b)};
        v->n_differ[e] += differ;
    }
}

static int verify_point(struct ks_verification *v, uint64_t point, int status, const double *stored) {
    struct ks_outcome outcome = {.endpoints = v->endpoints, .status = KS_STATUS_done};
    ks_work_point(v->campaign, point, v->values, v->parameters);
    KS_TRY(ks_therapy_simulate(v->reference, point, 1, v->parameters, &outcome));
    v->is_dropped = v->is_dropped || outcome.status == KS_STATUS_not_run;
    if (v->is_dropped) return KS_OK;
    v->n_points++;
    v->n_status_differ += outcome.status != status;
    if (ks_status_is_failure(status) || ks_status_is_failure(outcome.status)) return KS_OK;
    KS_TRY(make_room(v));
    v->points[v->n] = point;
    compare_endpoints(v, stored, &v->pairs[v->n * (size_t)v->campaign->n_endpoints]);
    v->n++;
    return KS_OK;
}

int ks_verification_check(struct ks_verification *v, uint64_t first, uint64_t count, const int8_t *status,
                          const double *endpoints) {
    if (!(v->fraction > 0)) return KS_OK;
    for (uint64_t i = 0; i < count; i++)
        if (is_sampled(v, first + i) && status[i] != KS_STATUS_crashed)
            KS_TRY(verify_point(v, first + i, status[i], &endpoints[i * (uint64_t)v->campaign->n_endpoints]));
    return KS_OK;
}

static int check_stored(struct ks_verification *v, ks_store *store, uint64_t n_rows, int rank, int size,
                        double *endpoints) {
    uint64_t n = 0;
    for (uint64_t i = 0; i < n_rows && !v->is_dropped; i++) {
        if (!is_sampled(v, i) || n++ % (uint64_t)size != (uint64_t)rank) continue;
        int8_t status;
        struct ks_rows rows = {.endpoints = endpoints, .status = &status};
        KS_TRY(ks_store_read_rows(store, i, 1, &rows));
        KS_TRY(ks_verification_check(v, i, 1, &status, endpoints));
    }
    return KS_OK;
}

int ks_verification_check_stored(struct ks_verification *v, ks_store *store, uint64_t n_rows, int rank,
                                 int size) {
    double *endpoints;
    KS_ALLOCATE(endpoints, (size_t)v->campaign->n_endpoints);
    int err = check_stored(v, store, n_rows, rank, size, endpoints);
    free(endpoints);
    return err;
}

/* ---- the table ---------------------------------------------------------------------------------------------- */

static int by_point(const void *a, const void *b) {
    const struct comparison *x = a, *y = b;
    return (x->point > y->point) - (x->point < y->point);
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The errors of an endpoint into its row; `errors` [n] is room to sort them. */
static void measure(int n, struct comparison *all, double *errors, struct ks_verified_endpoint *row) {
    double sum = 0;
    row->median_error = row->largest_error = NAN;
    if (n == 0) return;
    qsort(all, (size_t)n, sizeof *all, by_point); /* sums and equals no longer depend on who held what */
    for (int i = 0; i < n; i++) sum += all[i].size;
    for (int i = 0; i < n; i++) {
        double unit = fmax(all[i].size, sum / n);
        errors[i] = unit > 0 ? all[i].difference / unit : all[i].difference;
        if (i > 0 && !(errors[i] > row->largest_error)) continue;
        row->largest_error = errors[i];
        row->largest_error_point = all[i].point;
    }
    qsort(errors, (size_t)n, sizeof *errors, by_size);
    row->median_error = 0.5 * (errors[(n - 1) / 2] + errors[n / 2]);
}

/* What gathering needs; the arrays of all ranks on rank 0 alone. */
struct gathering {
    MPI_Comm comm;
    int rank, size;
    MPI_Datatype type;      /* a comparison */
    struct comparison *own; /* [n] of one endpoint */
    int *counts, *starts;   /* [size] */
    struct comparison *all; /* [sum of n] of one endpoint */
    double *errors;         /* [sum of n] */
    uint64_t totals[3];     /* compared points, sampled points, statuses that differ */
    uint64_t *n_differ;     /* [n_endpoints] */
};

static int allocate_gathering(const struct ks_verification *v, struct gathering *g) {
    KS_CHECK(g->rank != 0 || g->totals[0] < INT_MAX, KS_ERR_MEMORY, "too many points to verify: %" PRIu64,
             g->totals[0]);
    KS_ALLOCATE(g->own, v->n);
    if (g->rank != 0) return KS_OK;
    KS_ALLOCATE(g->counts, (size_t)g->size);
    KS_ALLOCATE(g->starts, (size_t)g->size);
    KS_ALLOCATE(g->all, (size_t)g->totals[0]);
    KS_ALLOCATE(g->errors, (size_t)g->totals[0]);
    KS_ALLOCATE(g->n_differ, (size_t)v->campaign->n_endpoints);
    return KS_OK;
}

/* The comparisons of endpoint e on rank 0; *n is their number there. */
static int gather_endpoint(const struct ks_verification *v, int e, struct gathering *g, int *n) {
    int n_own = 0;
    *n = 0;
    for (size_t i = 0; i < v->n; i++) {
        struct ks_verified_pair pair = v->pairs[i * (size_t)v->campaign->n_endpoints + (size_t)e];
        if (!isnan(pair.difference))
            g->own[n_own++] = (struct comparison){v->points[i], pair.difference, pair.size};
    }
    KS_MPI(MPI_Gather(&n_own, 1, MPI_INT, g->counts, 1, MPI_INT, 0, g->comm));
    for (int i = 0; g->rank == 0 && i < g->size; i++) {
        g->starts[i] = *n;
        *n += g->counts[i];
    }
    KS_MPI(MPI_Gatherv(g->own, n_own, g->type, g->all, g->counts, g->starts, g->type, 0, g->comm));
    return KS_OK;
}

static int gather_rows(struct ks_verification *v, struct gathering *g) {
    int n_endpoints = v->campaign->n_endpoints;
    uint64_t own[3] = {v->n, v->n_points, v->n_status_differ};
    KS_MPI(MPI_Reduce(own, g->totals, 3, MPI_UINT64_T, MPI_SUM, 0, g->comm));
    KS_TRY(ks_agree(g->comm, allocate_gathering(v, g)));
    KS_MPI(MPI_Reduce(v->n_differ, g->n_differ, n_endpoints, MPI_UINT64_T, MPI_SUM, 0, g->comm));
    for (int e = 0; e < n_endpoints; e++) {
        int n;
        struct ks_verified_endpoint *row = &v->rows[e];
        KS_TRY(gather_endpoint(v, e, g, &n));
        if (g->rank != 0) continue;
        *row = (struct ks_verified_endpoint){.n_compared = g->totals[0],
                                             .n_differ = g->n_differ[e],
                                             .fraction = v->fraction,
                                             .reference_rtol = v->rtol,
                                             .n_points = g->totals[1],
                                             .n_status_differ = g->totals[2]};
        snprintf(row->endpoint, sizeof row->endpoint, "%s", v->campaign->endpoints[e].name);
        measure(n, g->all, g->errors, row);
    }
    return KS_OK;
}

int ks_verification_gather(struct ks_verification *v, MPI_Comm comm) {
    struct gathering g = {.comm = comm};
    KS_MPI(MPI_Comm_rank(comm, &g.rank));
    KS_MPI(MPI_Comm_size(comm, &g.size));
    KS_MPI(MPI_Type_contiguous(sizeof(struct comparison), MPI_BYTE, &g.type));
    KS_MPI(MPI_Type_commit(&g.type));
    int err = gather_rows(v, &g);
    MPI_Type_free(&g.type);
    free(g.own);
    free(g.counts);
    free(g.starts);
    free(g.all);
    free(g.errors);
    free(g.n_differ);
    return err;
}

/* ---- for people --------------------------------------------------------------------------------------------- */

static void print_errors(FILE *stream, size_t n_rows, const struct ks_verified_endpoint *rows) {
    const struct ks_verified_endpoint *worst = NULL;
    double median = 0;
    for (size_t e = 0; e < n_rows; e++) {
        if (isnan(rows[e].largest_error)) continue;
        median = fmax(median, rows[e].median_error);
        if (worst == NULL || rows[e].largest_error > worst->largest_error) worst = &rows[e];
    }
    if (worst == NULL)
        fprintf(stream, "nothing to compare");
    else
        fprintf(stream, "largest error %.2g (%s, point %" PRIu64 "), medians up to %.2g",
                worst->largest_error, worst->endpoint, worst->largest_error_point, median);
}

void ks_verification_print(FILE *stream, uint64_t n_points, size_t n_rows,
                           const struct ks_verified_endpoint *rows) {
    if (n_rows == 0) return;
    fprintf(stream, "verified %" PRIu64 " of %" PRIu64 " points with cvode at rtol %g: ", rows[0].n_points,
            n_points, rows[0].reference_rtol);
    print_errors(stream, n_rows, rows);
    bool is_one = rows[0].n_status_differ == 1;
    fprintf(stream, "; %" PRIu64 " %s\n", rows[0].n_status_differ,
            is_one ? "status differs" : "statuses differ");
    size_t most = 0;
    uint64_t n_differ = 0;
    for (size_t e = 0; e < n_rows; e++) {
        n_differ += rows[e].n_differ;
        if (rows[e].n_differ > rows[most].n_differ) most = e;
    }
    if (n_differ > 0)
        fprintf(stream,
                "  %" PRIu64 " of %" PRIu64
                " values differ in kind (yes or no, an event, NaN), most in %s: %" PRIu64 "\n",
                n_differ, n_rows * rows[0].n_compared, rows[most].endpoint, rows[most].n_differ);
}
