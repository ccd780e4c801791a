/* What points cost: the mean by measurement, the differences by the solver's steps of a real campaign, whose rows are
 * taken over and over. For the farm's benchmark and the model of scale. */
#ifndef KS_TOOLS_COSTS_H
#define KS_TOOLS_COSTS_H

#include "base/memory.h"
#include "store/store.h"

#include <stdlib.h>

struct costs {
    uint64_t n;     /* points of the campaign */
    double *sums;   /* [n + 1] of the points before, in mean costs */
    double seconds; /* of the mean point */
};

static inline int costs_read(ks_store *store, struct costs *costs) {
    struct ks_rows rows = {0};
    costs->n = ks_store_schema(store)->n_points;
    KS_ALLOCATE(costs->sums, costs->n + 1);
    KS_ALLOCATE(rows.steps, costs->n);
    int err = ks_store_read_rows(store, 0, costs->n, &rows);
    for (uint64_t i = 0; i < costs->n; i++) costs->sums[i + 1] = costs->sums[i] + rows.steps[i];
    free(rows.steps);
    KS_TRY(err);
    double mean = costs->sums[costs->n] / (double)costs->n;
    KS_CHECK(mean > 0, KS_ERR_FORMAT, "the campaign's points took no steps");
    for (uint64_t i = 0; i <= costs->n; i++) costs->sums[i] /= mean;
    return KS_OK;
}

/* From a campaign's file, or all alike where `path` is NULL. */
static inline int costs_load(struct costs *costs, const char *path, double seconds) {
    *costs = (struct costs){.n = 1, .seconds = seconds};
    if (path == NULL) {
        KS_ALLOCATE(costs->sums, 2);
        costs->sums[1] = 1;
        return KS_OK;
    }
    ks_store *store;
    KS_TRY(ks_store_open(&store, path));
    int err = costs_read(store, costs);
    ks_store_close(&store);
    return err;
}

static inline double costs_before(const struct costs *costs, uint64_t point) {
    return (double)(point / costs->n) * costs->sums[costs->n] + costs->sums[point % costs->n];
}

/* Of points first to first + count - 1, in seconds. */
static inline double costs_of(const struct costs *costs, uint64_t first, uint64_t count) {
    return costs->seconds * (costs_before(costs, first + count) - costs_before(costs, first));
}

#endif
