/* What one endpoint looks like while its campaign runs: its mean over the points so far with a 95 % interval, and of a
 * Saltelli design the parameter that matters most. For people who watch; nothing of it is stored, and no stored bit
 * depends on it.
 *
 * Points of a base row go together: the mean of those that did not fail counts as one observation. Base rows that a rank has as a whole it adds up
 * itself; the points of those that were cut between ranks, or between rounds, it sends to rank 0, which joins them. So a
 * commit takes one sum over ranks of some hundred numbers and a few points of each rank, and nothing is sent in between.
 * Quasi-random points differ less than the independent ones that the interval of the mean is for: it is rather too wide. */
#include "app/study_impl.h"
#include "base/agree.h"
#include "base/error.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N_POINTS, N_MEANS, SUM, SQUARES, N_OWN }; /* then those of the indices */

static const double normal_factor = 1.95996398454;

int ks_preview_create(struct ks_preview *preview, const struct ks_campaign *campaign, int n_ranks) {
    enum { MOST = 1 << 20, LEAST_CAPACITY = 64 }; /* points that rank 0 joins: all wait 0.2 s for so many */
    const struct ks_design *design = &campaign->design;
    *preview = (struct ks_preview){.campaign = campaign, .n_rows = 1};
    if (campaign->n_endpoints == 0 || design->n_points < 2) return KS_OK;
    if (design->kind == KS_DESIGN_saltelli || design->kind == KS_DESIGN_morris)
        preview->n_rows = ks_design_layout(design).n_rows;
    KS_TRY(ks_live_create(&preview->live, design));
    preview->n_sums = N_OWN + preview->live.n_sums;
    KS_ALLOCATE(preview->sums, preview->n_sums);
    KS_ALLOCATE(preview->total, preview->n_sums);
    KS_ALLOCATE(preview->y, (size_t)preview->n_rows);
    KS_ALLOCATE(preview->gathered, 1);
    preview->gathered->stride = 2;
    preview->most_fragments = (size_t)(MOST / n_ranks) + 1;
    preview->capacity = LEAST_CAPACITY;
    KS_ALLOCATE(preview->fragments, preview->capacity);
    return KS_OK;
}

void ks_preview_release(struct ks_preview *preview) {
    ks_live_release(&preview->live);
    free(preview->sums);
    free(preview->total);
    free(preview->y);
    free(preview->fragments);
    if (preview->gathered != NULL) free(preview->gathered->rows);
    free(preview->gathered);
    *preview = (struct ks_preview){0};
}

static void add_base_row(struct ks_preview *preview, uint64_t base) {
    double sum = 0, n = 0;
    for (uint64_t i = 0; i < preview->n_rows; i++) {
        if (!isfinite(preview->y[i])) continue;
        sum += preview->y[i];
        n++;
    }
    double mean = sum / n;
    ks_live_add(&preview->live, base, preview->y, preview->sums + N_OWN);
    if (!isfinite(mean)) return;
    preview->sums[N_POINTS] += n;
    preview->sums[N_MEANS] += 1;
    preview->sums[SUM] += mean;
    preview->sums[SQUARES] += mean * mean;
}

/* A point of a base row that this rank has not as a whole; as many as rank 0 has room for, of all ranks. */
static int keep_fragment(struct ks_preview *preview, uint64_t point, double y) {
    if (preview->n_fragments == preview->most_fragments) return KS_OK;
    if (preview->n_fragments == preview->capacity) {
        size_t capacity = 2 * preview->capacity + 64;
        double(*larger)[2] = realloc(preview->fragments, capacity * sizeof *larger);
        KS_CHECK(larger != NULL, KS_ERR_MEMORY, "no memory for %zu points", capacity);
        preview->fragments = larger;
        preview->capacity = capacity;
    }
    preview->fragments[preview->n_fragments][0] = (double)point;
    preview->fragments[preview->n_fragments++][1] = y;
    return KS_OK;
}

/* Points first to end - 1, whose values lie `stride` apart. */
static int add_block(struct ks_preview *preview, uint64_t first, uint64_t end, const double *y,
                     size_t stride) {
    uint64_t n = preview->n_rows;
    for (uint64_t point = first; point < end;) {
        if (point % n == 0 && end - point >= n) {
            for (uint64_t i = 0; i < n; i++) preview->y[i] = y[(point - first + i) * stride];
            add_base_row(preview, point / n);
            point += n;
        } else {
            KS_TRY(keep_fragment(preview, point, y[(point - first) * stride]));
            point++;
        }
    }
    return KS_OK;
}

int ks_preview_add(struct ks_preview *preview, const struct ks_work *work) {
    const struct ks_rows *rows = &work->rows;
    size_t stride = (size_t)work->schema.n_endpoints, row = 0;
    for (size_t k = 0; preview->n_sums > 0 && k < rows->n_blocks; row += (size_t)rows->blocks[k++].count) {
        uint64_t first = work->first_point + rows->blocks[k].first;
        KS_TRY(add_block(preview, first, first + rows->blocks[k].count,
                         &rows->endpoints[row * stride + (size_t)preview->campaign->run.watch], stride));
    }
    return KS_OK;
}

/* Rank 0 joins what was cut. What the last base row lacks comes with the next round, what others lack never. */
static void join_fragments(struct ks_preview *preview) {
    struct ks_gathered *all = preview->gathered;
    uint64_t n = preview->n_rows;
    size_t i = 0, kept = 0;
    ks_session_sort(all);
    while (i < all->n) {
        uint64_t base = (uint64_t)all->rows[2 * i] / n;
        size_t end = i;
        for (; end < all->n && (uint64_t)all->rows[2 * end] / n == base; end++)
            preview->y[(uint64_t)all->rows[2 * end] % n] = all->rows[2 * end + 1];
        if (end - i == n) add_base_row(preview, base);
        kept = end - i == n ? 0 : end - i;
        i = end;
    }
    memmove(all->rows, &all->rows[2 * (all->n - kept)], 2 * kept * sizeof *all->rows);
    all->n = kept;
}

/* A value and half of its interval, with two digits of that. */
static int print_estimate(char *text, size_t size, double value, double half_width) {
    int decimals = 0;
    if (!(half_width > 0 && fabs(value) < 1e12 && half_width < 1e12)) /* all the same, or long */
        return snprintf(text, size, "%.6g +- %.2g", value, half_width);
    for (double h = half_width; h < 10 && decimals < 12; h *= 10) decimals++;
    return snprintf(text, size, "%.*f +- %.*f", decimals, value, decimals, half_width);
}

static void describe(struct ks_preview *preview, const struct ks_live_index *leader) {
    const struct ks_campaign *campaign = preview->campaign;
    const struct ks_endpoint *endpoint = &campaign->endpoints[campaign->run.watch];
    double n = preview->total[N_MEANS], mean = preview->total[SUM] / n;
    double variance = fmax(preview->total[SQUARES] / n - mean * mean, 0) * n / (n - 1);
    bool has_unit = strcmp(endpoint->unit, "1") != 0 && strcmp(endpoint->unit, "0 or 1") != 0;
    size_t used, size = sizeof preview->text;
    preview->text[0] = '\0';
    if (!(n >= 2)) return;
    used = (size_t)snprintf(preview->text, size, "mean %.64s ", endpoint->name);
    used +=
        (size_t)print_estimate(preview->text + used, size - used, mean, normal_factor * sqrt(variance / n));
    if (has_unit) used += (size_t)snprintf(preview->text + used, size - used, " %.16s", endpoint->unit);
    if (leader->parameter < 0 || !isfinite(leader->half_width)) return;
    int parameter = campaign->design.variables[leader->parameter].parameter;
    used += (size_t)snprintf(preview->text + used, size - used, "; ST of %.64s ",
                             campaign->parameter_table[parameter].name);
    print_estimate(preview->text + used, size - used, leader->value, leader->half_width);
}

int ks_preview_gather(struct ks_preview *preview, MPI_Comm comm, int rank, int size) {
    if (preview->n_sums == 0) return KS_OK;
    if (preview->n_rows > 1) {
        const struct ks_session session = {.comm = comm, .rank = rank, .size = size};
        KS_TRY(ks_session_gather(&session, preview->n_fragments, preview->fragments[0], preview->gathered));
        preview->n_fragments = 0;
        if (rank == 0 && preview->gathered->n > 0) join_fragments(preview);
    }
    KS_MPI(MPI_Reduce(preview->sums, preview->total, (int)preview->n_sums, MPI_DOUBLE, MPI_SUM, 0, comm));
    if (rank == 0) {
        const struct ks_live_index leader = ks_live_find_leader(&preview->live, preview->total + N_OWN);
        describe(preview, &leader);
    }
    return KS_OK;
}

void ks_preview_print(FILE *stream, const struct ks_preview *preview) {
    char text[32];
    if (preview->text[0] != '\0')
        fprintf(stream, "  %s (95 %%, over %s patients of this run)\n", preview->text,
                ks_progress_count((uint64_t)preview->total[N_POINTS], text));
}
