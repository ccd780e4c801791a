/* Selection by the ratio of two densities. The plausible patients are points of k dimensions in units of the target's
 * standard deviations; the density at one is (neighbours) / (n volume of the ball that reaches the last of them), found
 * in a k-d tree that lies in an array: the middle of each range is its root (Bentley 1975, doi:10.1145/361002.361007). */
#include "base/elementary.h"
#include "base/memory.h"
#include "cohort/cohort.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct tree {
    int k;
    const double *points; /* [n][k] */
    size_t *order;        /* [n] */
};

/* ---- the tree ------------------------------------------------------------------------------------------------- */

static double coordinate(const struct tree *t, size_t place, int axis) {
    return t->points[t->order[place] * (size_t)t->k + (size_t)axis];
}

static void swap(size_t *a, size_t *b) {
    size_t c = *a;
    *a = *b;
    *b = c;
}

/* Points of equal coordinate are ordered by number, so that the tree is one and the same. */
static bool is_before(const struct tree *t, size_t a, size_t b, int axis) {
    double x = t->points[a * (size_t)t->k + (size_t)axis], y = t->points[b * (size_t)t->k + (size_t)axis];
    return x < y || (x == y && a < b);
}

/* Puts the element of rank `middle` at its place, smaller ones before it (Hoare's selection). */
static void select_middle(struct tree *t, size_t from, size_t to, size_t middle, int axis) {
    while (to - from > 1) {
        size_t pivot = t->order[from + (to - from - 1) / 2], low = from, high = to - 1;
        for (;;) {
            while (is_before(t, t->order[low], pivot, axis)) low++;
            while (is_before(t, pivot, t->order[high], axis)) high--;
            if (low >= high) break;
            swap(&t->order[low++], &t->order[high--]);
        }
        if (middle <= high)
            to = high + 1;
        else
            from = high + 1;
    }
}

static void build(struct tree *t, size_t from, size_t to, int axis) {
    while (to - from > 1) {
        size_t middle = from + (to - from) / 2;
        select_middle(t, from, to, middle, axis);
        axis = (axis + 1) % t->k;
        build(t, from, middle, axis);
        from = middle + 1;
    }
}

struct nearest {
    const double *at;
    size_t self;
    int n;
    double squares[KS_NEIGHBOURS]; /* ascending */
};

static void consider(const struct tree *t, size_t place, struct nearest *nearest) {
    double square = 0;
    if (t->order[place] == nearest->self) return;
    for (int a = 0; a < t->k; a++) {
        double d = coordinate(t, place, a) - nearest->at[a];
        square += d * d;
    }
    bool is_full = nearest->n == KS_NEIGHBOURS;
    if (is_full && square >= nearest->squares[KS_NEIGHBOURS - 1]) return;
    int i = is_full ? KS_NEIGHBOURS - 1 : nearest->n++; /* the farthest makes room */
    for (; i > 0 && nearest->squares[i - 1] > square; i--) nearest->squares[i] = nearest->squares[i - 1];
    nearest->squares[i] = square;
}

static void search(const struct tree *t, size_t from, size_t to, int axis, struct nearest *nearest) {
    if (to <= from) return;
    size_t middle = from + (to - from) / 2;
    double d = nearest->at[axis] - coordinate(t, middle, axis);
    int next = (axis + 1) % t->k;
    consider(t, middle, nearest);
    if (d < 0)
        search(t, from, middle, next, nearest);
    else
        search(t, middle + 1, to, next, nearest);
    if (nearest->n == KS_NEIGHBOURS && d * d > nearest->squares[KS_NEIGHBOURS - 1]) return;
    if (d < 0)
        search(t, middle + 1, to, next, nearest);
    else
        search(t, from, middle, next, nearest);
}

/* ---- densities ------------------------------------------------------------------------------------------------ */

/* Half the squared length of the normal scores, by forward substitution; `z` in units of standard deviations. */
static double half_square(const struct ks_target_density *target, const double *z) {
    double y[64], sum = 0;
    for (int i = 0; i < target->k; i++) {
        y[i] = z[i];
        for (int j = 0; j < i; j++) y[i] -= target->factor[i * target->k + j] * y[j];
        y[i] /= target->factor[i * target->k + i];
        sum += y[i] * y[i];
    }
    return sum / 2;
}

static int fill_ratios(const struct tree *t, size_t n, const struct ks_target_density *target,
                       double *ratios) {
    double most = -INFINITY;
    for (size_t i = 0; i < n; i++) {
        const double *at = &t->points[i * (size_t)t->k];
        struct nearest nearest = {.at = at, .self = i};
        search(t, 0, n, 0, &nearest);
        double square = nearest.squares[KS_NEIGHBOURS - 1];
        double log_volume = square > 0 ? 0.5 * t->k * ks_elementary_log(square) : -INFINITY;
        ratios[i] = log_volume - half_square(target, at);
        most = ratios[i] > most ? ratios[i] : most;
    }
    KS_CHECK(most > -INFINITY, KS_ERR_USAGE,
             "the plausible patients are all alike in what the targets measure");
    for (size_t i = 0; i < n; i++) ratios[i] = ks_elementary_exp(ratios[i] - most);
    return KS_OK;
}

int ks_acceptance_ratios(size_t n, const double *points, const struct ks_target_density *target,
                         double *ratios) {
    struct tree t = {.k = target->k};
    double *scaled;
    KS_CHECK(n > KS_NEIGHBOURS, KS_ERR_USAGE, "%zu plausible patients; a density needs more than %d", n,
             (int)KS_NEIGHBOURS);
    KS_CHECK(target->k >= 1 && target->k <= 64, KS_ERR_USAGE,
             "%d measures with mean and sd; 1 to 64 are allowed", target->k);
    KS_ALLOCATE(scaled, n * (size_t)t.k);
    for (size_t i = 0; i < n * (size_t)t.k; i++)
        scaled[i] = (points[i] - target->mean[i % (size_t)t.k]) / target->sd[i % (size_t)t.k];
    t.points = scaled;
    t.order = ks_memory_allocate(n, sizeof *t.order);
    int err = t.order != NULL ? KS_OK : ks_error_raise(KS_ERR_MEMORY, __FILE__, __LINE__, "no memory");
    for (size_t i = 0; err == KS_OK && i < n; i++) t.order[i] = i;
    if (err == KS_OK) {
        build(&t, 0, n, 0);
        err = fill_ratios(&t, n, target, ratios);
    }
    free(t.order);
    free(scaled);
    return err;
}

/* ---- selection ------------------------------------------------------------------------------------------------ */

struct rank {
    double key;
    size_t patient;
};

static int compare_ranks(const void *left, const void *right) {
    const struct rank *a = left, *b = right;
    if (a->key != b->key) return a->key < b->key ? -1 : 1;
    return (a->patient > b->patient) - (a->patient < b->patient);
}

static int compare_numbers(const void *left, const void *right) {
    size_t a = *(const size_t *)left, b = *(const size_t *)right;
    return (a > b) - (a < b);
}

int ks_acceptance_select(size_t n, const double *ratios, const double *u, size_t m, size_t *chosen,
                         size_t *n_sure) {
    struct rank *ranks;
    KS_ASSERT(m >= 1 && m <= n);
    KS_ALLOCATE(ranks, n);
    for (size_t i = 0; i < n; i++) ranks[i] = (struct rank){ratios[i] > 0 ? u[i] / ratios[i] : INFINITY, i};
    qsort(ranks, n, sizeof *ranks, compare_ranks);
    double threshold = m < n ? ranks[m].key : INFINITY; /* a chance of 1 from the ratio 1 / threshold on */
    *n_sure = 0;
    for (size_t i = 0; i < m; i++) {
        chosen[i] = ranks[i].patient;
        *n_sure += ratios[chosen[i]] * threshold >= 1;
    }
    qsort(chosen, m, sizeof *chosen, compare_numbers);
    free(ranks);
    return KS_OK;
}
