/* Shapley effects, and first- and total-order indices, of inputs that may be correlated, from any rows (Owen 2014,
 * doi:10.1137/130936233; Song, Nelson and Staum 2016, doi:10.1137/15M1048070; Broto, Bachoc and Depecker 2020,
 * doi:10.1137/18M1234631).
 *
 * All come from W(u) = E Var(Y | X_u), what remains of the variance when the inputs u are known: S_i = 1 - W(i) / V, T_i =
 * W(all but i) / V, and the Shapley effect is the mean over orders of the inputs of what knowing i next takes away; these add
 * up to 1. W(u) is estimated from a row and its nearest neighbour in the inputs u, y and y':
 *
 *   W(u) = mean of (r - r')^2 / 2,   r = y - m_u(x_u)
 *
 * As Var(Y | X_u) is the same for y less any function of X_u, the quadratic regression m_u takes out most of the error
 * that comes from the distance to the neighbour, which in many dimensions is not small. Distances are between
 * ranks; of equal distances the next row in turn is taken, so that discrete inputs draw on all their rows. For
 * up to 10 inputs all subsets are visited, for more those along 64 orders, in pairs of opposite ones. W(all) is 0 by
 * definition here; what the estimator gives for it is reported: where it is not small, the rows are too few for so
 * many inputs.
 *
 * Rows must be independent of each other: neighbours of a Sobol' sequence in some inputs lie systematically apart in the
 * others, those in a union of 16 scrambles hardly do. Neighbours depend on the inputs alone and serve all outputs. The bootstrap fails for neighbours (Abadie and Imbens
 * 2008, doi:10.3982/ECTA6474): intervals come from 16 disjoint random parts of the rows. */
#include "analysis/sample_impl.h"

#include "base/memory.h"
#include "base/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_EXHAUSTED = 10, /* inputs of which all subsets are visited */
    MOST_INPUTS = 64,    /* bits of a subset */
    N_ORDERS = 64,       /* of inputs, else */
    LEAST_QUERIES = 256  /* rows whose neighbours are looked for, at least */
};
static const double MOST_WORK = 4e9; /* subsets x rows x queries: some seconds */

union distance { /* floats >= 0 are in the order of their bits, which a processor compares side by side */
    float value;
    int32_t bits;
};

struct neighbours {
    int p, n_subsets, n_features, n_queries;
    size_t n;
    uint64_t *subsets; /* [n_subsets] bits; each after its beginnings */
    uint64_t *orders;  /* none or [N_ORDERS][p] subsets: the first inputs of an order, one more each */
    uint32_t *queries; /* [n_queries] rows */
    uint32_t *found;   /* [n_queries][n_subsets] rows */
    float *ranks;      /* [p][n] between 0 and 1 */
    int *features;     /* [n_features][2] the inputs of a product; -1: none */
    double *terms;     /* [n_features][n] centred columns */
    double *products;  /* [n_features][n_features] lower triangle */
};

static void release(void *shared) {
    struct neighbours *all = shared;
    if (all == NULL) return;
    free(all->subsets);
    free(all->orders);
    free(all->queries);
    free(all->found);
    free(all->ranks);
    free(all->features);
    free(all->terms);
    free(all->products);
    free(all);
}

/* ---- subsets ------------------------------------------------------------------------------------------- */

static uint64_t bit(int i) {
    return (uint64_t)1 << i;
}

static uint64_t all_inputs(int p) {
    return p == MOST_INPUTS ? ~(uint64_t)0 : bit(p) - 1;
}

/* As words of ascending inputs in a dictionary: where they differ first, the smaller input; a beginning before what it
 * begins. */
static int compare_subsets(const void *first, const void *second) {
    uint64_t a = *(const uint64_t *)first, b = *(const uint64_t *)second, differ = a ^ b;
    if (differ == 0) return 0;
    uint64_t lowest = differ & -differ;
    bool is_in_a = (a & lowest) != 0;
    uint64_t other = is_in_a ? b : a;
    bool other_goes_on = (other & ~(lowest | (lowest - 1))) != 0;
    return is_in_a == other_goes_on ? -1 : 1;
}

static int find_subset(const struct neighbours *all, uint64_t subset) {
    const uint64_t *at =
        bsearch(&subset, all->subsets, (size_t)all->n_subsets, sizeof *all->subsets, compare_subsets);
    KS_ASSERT(at != NULL);
    return (int)(at - all->subsets);
}

static void sort_subsets(struct neighbours *all) {
    int n = 0;
    qsort(all->subsets, (size_t)all->n_subsets, sizeof *all->subsets, compare_subsets);
    for (int k = 0; k < all->n_subsets; k++)
        if (n == 0 || all->subsets[n - 1] != all->subsets[k]) all->subsets[n++] = all->subsets[k];
    all->n_subsets = n;
}

/* A random number below `end`, even to end 2^-32. */
static size_t draw(uint64_t seed, uint64_t index, uint64_t item, size_t end) {
    return (size_t)((ks_random_bits(seed, KS_STREAM_analysis, index, item) >> 32) * end >> 32);
}

/* A random order of the inputs (Fisher and Yates), as growing subsets; the odd ones go the other way. */
static void draw_orders(uint64_t seed, int p, uint64_t *orders) {
    int inputs[MOST_INPUTS];
    for (int order = 0; order < N_ORDERS; order += 2) {
        uint64_t there = 0, back = 0;
        for (int i = 0; i < p; i++) {
            int j = (int)draw(seed, (uint64_t)order, (uint64_t)i, (size_t)i + 1);
            inputs[i] = inputs[j];
            inputs[j] = i;
        }
        for (int i = 0; i < p; i++) {
            orders[order * p + i] = there |= bit(inputs[i]);
            orders[(order + 1) * p + i] = back |= bit(inputs[p - 1 - i]);
        }
    }
}

static int choose_subsets(uint64_t seed, struct neighbours *all) {
    int p = all->p;
    if (p <= MOST_EXHAUSTED) {
        all->n_subsets = (int)bit(p) - 1;
        KS_ALLOCATE(all->subsets, (size_t)all->n_subsets);
        for (int k = 0; k < all->n_subsets; k++) all->subsets[k] = (uint64_t)k + 1;
    } else {
        int n_of_orders = N_ORDERS * p;
        KS_ALLOCATE(all->orders, (size_t)n_of_orders);
        draw_orders(seed, p, all->orders);
        all->n_subsets = n_of_orders + 2 * p;
        KS_ALLOCATE(all->subsets, (size_t)all->n_subsets);
        memcpy(all->subsets, all->orders, (size_t)n_of_orders * sizeof *all->orders);
        for (int i = 0; i < p; i++) {
            all->subsets[n_of_orders + 2 * i] = bit(i);
            all->subsets[n_of_orders + 2 * i + 1] = all_inputs(p) & ~bit(i);
        }
    }
    sort_subsets(all);
    return KS_OK;
}

/* ---- neighbours ---------------------------------------------------------------------------------------- */

/* The rows whose neighbours are looked for: as many of a part as of the whole, per row. */
static int choose_queries(const struct ks_given_data *data, struct neighbours *all) {
    double n_whole = (double)data->n_study;
    double share = MOST_WORK / (all->n_subsets * n_whole * n_whole);
    double least = LEAST_QUERIES / n_whole;
    if (share < least) share = least;
    all->n_queries = (int)(share < 1 ? ceil(share * (double)data->n) : (double)data->n);
    uint32_t *rows;
    KS_ALLOCATE(rows, data->n);
    for (size_t i = 0; i < data->n; i++) {
        size_t j = draw(data->seed, N_ORDERS, i, i + 1);
        rows[i] = rows[j];
        rows[j] = (uint32_t)i;
    }
    all->queries = rows;
    return KS_OK;
}

/* Distances with one input more. */
static void add_input(size_t n, const float *ranks, float own, const union distance *before,
                      union distance *after) {
    for (size_t row = 0; row < n; row++) {
        float off = ranks[row] - own;
        after[row].value = before[row].value + off * off;
    }
}

/* The row of the smallest distance, the first after `query` in turn where several are equal. */
static uint32_t find_nearest(size_t n, const union distance *distances, size_t query) {
    int32_t least = INT32_MAX;
    for (size_t row = 0; row < n; row++) least = distances[row].bits < least ? distances[row].bits : least;
    for (size_t row = query + 1; row < n; row++)
        if (distances[row].bits == least) return (uint32_t)row;
    size_t row = 0;
    while (distances[row].bits != least) row++;
    return (uint32_t)row;
}

/* Goes through the subsets in their order; those with the same beginning share its distances. space [p + 1][n]. */
static void search_for(const struct neighbours *all, size_t query, union distance *space, uint32_t *found) {
    int path[MOST_INPUTS], depth = 0;
    size_t n = all->n;
    for (size_t row = 0; row < n; row++) space[row].value = 0;
    space[query].value = INFINITY;
    for (int k = 0; k < all->n_subsets; k++) {
        uint64_t rest = all->subsets[k];
        int shared = 0;
        while (shared < depth && (rest & -rest) == bit(path[shared])) rest &= ~bit(path[shared++]);
        for (depth = shared; rest != 0; rest &= rest - 1, depth++) {
            path[depth] = __builtin_ctzll(rest);
            const float *ranks = all->ranks + (size_t)path[depth] * n;
            union distance *before = space + (size_t)depth * n;
            add_input(n, ranks, ranks[query], before, before + n);
        }
        found[k] = find_nearest(n, space + (size_t)depth * n, query);
    }
}

static int search(const struct ks_given_data *data, struct neighbours *all) {
    size_t p = (size_t)all->p, n = all->n, n_subsets = (size_t)all->n_subsets;
    union distance *space;
    KS_ALLOCATE(all->ranks, p * n);
    KS_ALLOCATE(all->found, (size_t)all->n_queries * n_subsets);
    for (size_t i = 0; i < p * n; i++) all->ranks[i] = (float)(data->ranks[i] / (double)n);
    KS_ALLOCATE(space, (p + 1) * n);
    for (int q = 0; q < all->n_queries; q++)
        search_for(all, all->queries[q], space, all->found + (size_t)q * n_subsets);
    free(space);
    return KS_OK;
}

/* ---- regression ---------------------------------------------------------------------------------------- */

/* Inputs, then squares, then products of two, as far as there are 10 rows for each. */
static int choose_features(struct neighbours *all) {
    int p = all->p, counts[3] = {p, p, p * (p - 1) / 2};
    KS_ALLOCATE(all->features, 2 * (size_t)(counts[0] + counts[1] + counts[2]));
    for (int kind = 0; kind < 3; kind++) {
        if (all->n < 10 * (size_t)(all->n_features + counts[kind])) break;
        for (int i = 0; i < p; i++)
            for (int j = kind == 0   ? -1
                         : kind == 1 ? i
                                     : i + 1;
                 j < (kind == 2   ? p
                      : kind == 1 ? i + 1
                                  : 0);
                 j++) {
                all->features[2 * all->n_features] = i;
                all->features[2 * all->n_features + 1] = j;
                all->n_features++;
            }
    }
    return KS_OK;
}

static int fill_features(const struct ks_given_data *data, struct neighbours *all) {
    size_t n = data->n, m = (size_t)all->n_features;
    KS_ALLOCATE(all->terms, m * n);
    KS_ALLOCATE(all->products, m * m);
    for (size_t k = 0; k < m; k++) {
        double *term = all->terms + k * n, mean, ss;
        int first = all->features[2 * k], second = all->features[2 * k + 1];
        /* the first p features are the inputs themselves, centred and scaled */
        for (size_t row = 0; row < n; row++)
            term[row] = second < 0
                            ? ks_sample_x(data, first)[row]
                            : all->terms[(size_t)first * n + row] * all->terms[(size_t)second * n + row];
        ks_sample_moments(n, term, &mean, &ss);
        double scale = ss > 0 ? sqrt((double)n / ss) : 0;
        for (size_t row = 0; row < n; row++) term[row] = (term[row] - mean) * scale;
        for (size_t l = 0; l <= k; l++)
            all->products[k * m + l] = ks_sample_multiply(n, term, all->terms + l * n);
    }
    return KS_OK;
}

static int prepare(const struct ks_given_data *data, void **shared) {
    struct neighbours *all;
    KS_CHECK(data->n_parameters <= MOST_INPUTS, KS_ERR_USAGE,
             "shapley can tell at most %d parameters apart; %d vary", MOST_INPUTS, data->n_parameters);
    KS_ALLOCATE(all, 1);
    *shared = all;
    all->p = data->n_parameters;
    all->n = data->n;
    KS_TRY(choose_subsets(data->seed, all));
    KS_TRY(choose_queries(data, all));
    KS_TRY(search(data, all));
    KS_TRY(choose_features(all));
    return fill_features(data, all);
}

/* ---- what remains -------------------------------------------------------------------------------------- */

/* The regression of y on the features of one subset. */
struct fit {
    int n_used, rank;
    int *used;       /* [n_features] */
    double *c;       /* [n_features] their coefficients */
    double *factor;  /* [n_features][n_features] space */
    const double *g; /* [n_features] products of features and y */
};

static void fit_subset(const struct neighbours *all, uint64_t subset, struct fit *fit) {
    int n = 0;
    for (int k = 0; k < all->n_features; k++) {
        int first = all->features[2 * k], second = all->features[2 * k + 1];
        if ((subset & bit(first)) != 0 && (second < 0 || (subset & bit(second)) != 0)) fit->used[n++] = k;
    }
    for (int k = 0; k < n; k++) {
        fit->c[k] = fit->g[fit->used[k]];
        for (int l = 0; l <= k; l++)
            fit->factor[k * n + l] =
                all->products[(size_t)fit->used[k] * (size_t)all->n_features + (size_t)fit->used[l]];
    }
    fit->n_used = n;
    fit->rank = ks_sample_factorise(n, fit->factor);
    ks_sample_solve(n, fit->factor, fit->c);
}

/* (r - r')^2 / 2 of two rows. */
static double compare_rows(const struct neighbours *all, const struct fit *fit, const double *y, size_t row,
                           size_t other) {
    double step = y[row] - y[other];
    for (int k = 0; k < fit->n_used; k++) {
        const double *term = all->terms + (size_t)fit->used[k] * all->n;
        step -= fit->c[k] * (term[row] - term[other]);
    }
    return step * step / 2;
}

/* W of one subset. For a single input the neighbours of all rows are at hand: the next in its order. A regression takes
 * rank + 1 of n degrees of freedom from the residuals. */
static double measure_rest(const struct ks_given_data *data, const struct neighbours *all, int subset,
                           const struct fit *fit, const double *y) {
    double sum = 0, n = (double)all->n, n_free = n - fit->rank - 1;
    uint64_t inputs = all->subsets[subset];
    if ((inputs & (inputs - 1)) == 0) {
        const size_t *order = ks_sample_order(data, __builtin_ctzll(inputs));
        for (size_t rank = 0; rank + 1 < all->n; rank++)
            sum += compare_rows(all, fit, y, order[rank], order[rank + 1]);
        return sum / (n - 1) * n / n_free;
    }
    for (int q = 0; q < all->n_queries; q++) {
        size_t other = all->found[(size_t)q * (size_t)all->n_subsets + (size_t)subset];
        sum += compare_rows(all, fit, y, all->queries[q], other);
    }
    return sum / all->n_queries * n / n_free;
}

/* ---- effects ------------------------------------------------------------------------------------------- */

/* rests: [n_subsets] shares of the variance; of no input 1, of all 0. */
static double rest_of(const struct neighbours *all, const double *rests, uint64_t subset) {
    if (subset == 0) return 1;
    return subset == all_inputs(all->p) ? 0 : rests[find_subset(all, subset)];
}

static void average_orders(const struct neighbours *all, const double *rests, double *effects) {
    int p = all->p;
    for (int i = 0; i < p; i++) effects[i] = 0;
    for (int order = 0; order < N_ORDERS; order++) {
        uint64_t before = 0;
        for (int k = 0; k < p; k++) {
            uint64_t after = all->orders[order * p + k];
            effects[__builtin_ctzll(after & ~before)] +=
                (rest_of(all, rests, before) - rest_of(all, rests, after)) / N_ORDERS;
            before = after;
        }
    }
}

/* The share of orders in which exactly the inputs of a subset of size s come before i: s! (p - 1 - s)! / p!. */
static void average_subsets(const struct neighbours *all, const double *rests, double *effects) {
    int p = all->p;
    double weights[MOST_EXHAUSTED];
    for (int s = 0; s < p; s++) {
        weights[s] = 1.0 / p;
        for (int k = 1; k <= s; k++) weights[s] *= (double)k / (p - k);
    }
    for (int i = 0; i < p; i++) {
        effects[i] = 0;
        for (uint64_t subset = 0; subset <= all_inputs(p); subset++)
            if ((subset & bit(i)) == 0)
                effects[i] += weights[__builtin_popcountll(subset)] *
                              (rest_of(all, rests, subset) - rest_of(all, rests, subset | bit(i)));
    }
}

static void fill_values(const struct neighbours *all, const double *rests, double *values) {
    int p = all->p;
    if (all->orders != NULL)
        average_orders(all, rests, values);
    else
        average_subsets(all, rests, values);
    for (int i = 0; i < p; i++) {
        values[p + i] = 1 - rest_of(all, rests, bit(i));
        values[2 * p + i] = p == 1 ? 1 : rest_of(all, rests, all_inputs(p) & ~bit(i));
    }
    values[3 * p] = rests[find_subset(all, all_inputs(p))];
}

static int estimate(const struct ks_given_data *data, void *shared, const double *y, const size_t *y_order,
                    double *values) {
    (void)y_order;
    const struct neighbours *all = shared;
    size_t m = (size_t)all->n_features;
    double mean, ss, *numbers;
    for (int i = 0; i < 3 * all->p + 1; i++) values[i] = NAN;
    ks_sample_moments(data->n, y, &mean, &ss);
    if (!(ss > 0)) return KS_OK;
    KS_ALLOCATE(numbers, (size_t)all->n_subsets + 2 * m + m * m + m);
    double *rests = numbers, *g = rests + all->n_subsets, *c = g + m, *factor = c + m;
    int *used = (int *)(factor + m * m);
    struct fit fit = {.used = used, .c = c, .factor = factor, .g = g};
    for (size_t k = 0; k < m; k++) g[k] = ks_sample_multiply(data->n, all->terms + k * data->n, y);
    for (int k = 0; k < all->n_subsets; k++) {
        fit_subset(all, all->subsets[k], &fit);
        rests[k] = measure_rest(data, all, k, &fit, y) / (ss / ((double)data->n - 1));
    }
    fill_values(all, rests, values);
    free(numbers);
    return KS_OK;
}

static const struct ks_index indices[] = {
    {"Shapley", KS_OF_PARAMETER, KS_SHARE,
     "Shapley effect: the parameter's fair share of the variance; all add up to 1"},
    {"S1", KS_OF_PARAMETER, KS_SHARE, "share of the variance that goes when the parameter is known"},
    {"ST", KS_OF_PARAMETER, KS_SHARE, "share of the variance that remains when all others are known"},
    {"unresolved", KS_OF_OUTPUT, KS_SHARE, "share that remains when all are known: the error of the method"},
};

static const struct ks_given_method given = {
    .prepare = prepare, .release = release, .estimate = estimate, .needs_ranks = true, .needs_parts = true};
const struct ks_method ks_method_shapley = {
    .given = &given, .n_indices = sizeof indices / sizeof *indices, .indices = indices};
