/* Symbolic LU of a sparse matrix, done once: the order of elimination, the fill, and the operations as plain lists
 * that every factorisation and substitution replays. */
#include "base/error.h"
#include "base/memory.h"
#include "solver/rosenbrock_impl.h"

#include <stdlib.h>
#include <string.h>

/* The matrix while it is eliminated: which elements are there, and their entries. */
struct pattern {
    int n;
    bool *is_there; /* [n][n] */
    int *entry;     /* [n][n] */
    int *rank;      /* [n] when a row is eliminated; n while it is not */
};

static bool has(const struct pattern *p, int row, int column) {
    return p->is_there[row * p->n + column];
}

static int entry(const struct pattern *p, int row, int column) {
    return p->entry[row * p->n + column];
}

/* Markowitz' count: the most fill that eliminating this row and column can make. */
static int count_fill(const struct pattern *p, int pivot) {
    int in_row = 0, in_column = 0;
    for (int i = 0; i < p->n; i++) {
        if (p->rank[i] < p->n || i == pivot) continue;
        in_row += has(p, pivot, i);
        in_column += has(p, i, pivot);
    }
    return in_row * in_column;
}

static int choose_pivot(const struct pattern *p) {
    int best = -1, least = 0;
    for (int i = 0; i < p->n; i++) {
        if (p->rank[i] < p->n) continue;
        int fill = count_fill(p, i);
        if (best < 0 || fill < least) best = i, least = fill;
    }
    return best;
}

static void eliminate_symbolically(struct pattern *p, int pivot) {
    for (int i = 0; i < p->n; i++)
        for (int j = 0; j < p->n; j++)
            if (p->rank[i] == p->n && p->rank[j] == p->n && has(p, i, pivot) && has(p, pivot, j))
                p->is_there[i * p->n + j] = true;
}

static void choose_order(struct pattern *p, struct ks_lu *lu) {
    for (int i = 0; i < p->n; i++) p->rank[i] = p->n;
    for (int k = 0; k < p->n; k++) {
        lu->order[k] = choose_pivot(p);
        p->rank[lu->order[k]] = k;
        eliminate_symbolically(p, lu->order[k]);
    }
}

/* Entries in the order in which elimination visits them: each pivot's column, then its row. */
static void number_entries(struct pattern *p, struct ks_lu *lu) {
    lu->n_entries = 0;
    for (int k = 0; k < p->n; k++) {
        int pivot = lu->order[k];
        lu->diagonals[k] = p->entry[pivot * p->n + pivot] = lu->n_entries++;
        for (int i = 0; i < p->n; i++)
            if (p->rank[i] > k && has(p, i, pivot)) p->entry[i * p->n + pivot] = lu->n_entries++;
        for (int j = 0; j < p->n; j++)
            if (p->rank[j] > k && has(p, pivot, j)) p->entry[pivot * p->n + j] = lu->n_entries++;
    }
}

/* Lists the work of pivot k. With `is_counting` nothing is stored but the numbers. */
static void list_pivot(const struct pattern *p, struct ks_lu *lu, int k, bool is_counting, int *n_updates) {
    int pivot = lu->order[k];
    for (int i = 0; i < p->n; i++) {
        if (p->rank[i] <= k || !has(p, i, pivot)) continue;
        int factor = entry(p, i, pivot), before = *n_updates;
        for (int j = 0; j < p->n; j++) {
            if (p->rank[j] <= k || !has(p, pivot, j)) continue;
            if (!is_counting)
                memcpy(lu->updates[*n_updates], (int[3]){entry(p, i, j), factor, entry(p, pivot, j)},
                       sizeof(int[3]));
            ++*n_updates;
        }
        if (!is_counting) {
            memcpy(lu->scales[lu->n_scales], (int[2]){factor, lu->diagonals[k]}, sizeof(int[2]));
            lu->n_updates[lu->n_scales] = *n_updates - before;
            memcpy(lu->lower[lu->n_scales], (int[3]){i, pivot, factor}, sizeof(int[3]));
        }
        lu->n_scales++;
    }
}

static void list_factorisation(const struct pattern *p, struct ks_lu *lu, bool is_counting, int *n_updates) {
    lu->n_scales = *n_updates = 0;
    for (int k = 0; k < p->n; k++) {
        lu->first_scale[k] = lu->n_scales;
        list_pivot(p, lu, k, is_counting, n_updates);
    }
    lu->first_scale[p->n] = lu->n_lower = lu->n_scales;
}

/* Each sum begins with what is known first, so that as little as possible waits for the row before. */
static void list_back_substitution(const struct pattern *p, struct ks_lu *lu, bool is_counting) {
    lu->n_upper = 0;
    for (int k = p->n - 1; k >= 0; k--) {
        int pivot = lu->order[k], before = lu->n_upper;
        for (int later = p->n - 1; later > k; later--) {
            int j = lu->order[later];
            if (!has(p, pivot, j)) continue;
            if (!is_counting)
                memcpy(lu->upper[lu->n_upper], (int[3]){pivot, j, entry(p, pivot, j)}, sizeof(int[3]));
            lu->n_upper++;
        }
        lu->n_row_upper[p->n - 1 - k] = lu->n_upper - before;
    }
}

static bool is_updated(const struct ks_lu *lu, int entry, int n_updates) {
    for (int u = 0; u < n_updates; u++)
        if (lu->updates[u][0] == entry) return true;
    return false;
}

static int fill_lists(struct pattern *p, struct ks_lu *lu, int n_nonzeros, const int *rows,
                      const int *columns) {
    int n_updates;
    for (int k = 0; k < n_nonzeros; k++) p->is_there[rows[k] * p->n + columns[k]] = true;
    choose_order(p, lu);
    number_entries(p, lu);
    for (int k = 0; k < n_nonzeros; k++) lu->slots[k] = entry(p, rows[k], columns[k]);
    list_factorisation(p, lu, true, &n_updates);
    list_back_substitution(p, lu, true);
    KS_ALLOCATE(lu->scales, (size_t)lu->n_scales);
    KS_ALLOCATE(lu->n_updates, (size_t)lu->n_scales);
    KS_ALLOCATE(lu->lower, (size_t)lu->n_scales);
    KS_ALLOCATE(lu->updates, (size_t)n_updates);
    KS_ALLOCATE(lu->upper, (size_t)lu->n_upper);
    list_factorisation(p, lu, false, &n_updates);
    list_back_substitution(p, lu, false);
    for (int k = 0; k < p->n; k++)
        if (!is_updated(lu, lu->diagonals[k], n_updates)) lu->plain[lu->n_plain++] = lu->diagonals[k];
    return KS_OK;
}

static int create_lists(struct pattern *p, struct ks_lu *lu, int n_nonzeros, const int *rows,
                        const int *columns) {
    size_t n = (size_t)p->n;
    KS_ALLOCATE(p->is_there, n * n);
    KS_ALLOCATE(p->entry, n * n);
    KS_ALLOCATE(p->rank, n);
    KS_ALLOCATE(lu->slots, (size_t)n_nonzeros);
    KS_ALLOCATE(lu->diagonals, n);
    KS_ALLOCATE(lu->order, n);
    KS_ALLOCATE(lu->plain, n);
    KS_ALLOCATE(lu->first_scale, n + 1);
    KS_ALLOCATE(lu->n_row_upper, n);
    return fill_lists(p, lu, n_nonzeros, rows, columns);
}

int ks_lu_create(struct ks_lu *lu, int n, int n_nonzeros, const int *rows, const int *columns) {
    struct pattern pattern = {.n = n};
    *lu = (struct ks_lu){.n = n};
    int err = create_lists(&pattern, lu, n_nonzeros, rows, columns);
    free(pattern.is_there);
    free(pattern.entry);
    free(pattern.rank);
    return err;
}

void ks_lu_release(struct ks_lu *lu) {
    void *lists[] = {lu->slots,   lu->diagonals,   lu->order, lu->plain, lu->scales,     lu->n_updates,
                     lu->updates, lu->first_scale, lu->lower, lu->upper, lu->n_row_upper};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) free(lists[i]);
    *lu = (struct ks_lu){0};
}
