/* Weighted sums of terms, where the bootstrap spends its time: a tile of terms stays in registers while the base rows of a
 * resample are added to it. No sum depends on the width. */
#include "analysis/frame_impl.h"
#include "base/lanes.h"

enum { TILE = KS_BOOTSTRAP_STRIDE / KS_LANES };

void KS_LANED(ks_bootstrap_add)(const struct ks_bootstrap_block *block, size_t stride, const double *terms,
                                double *sums) {
    for (size_t at = 0; at < stride; at += KS_BOOTSTRAP_STRIDE)
        for (int r = 0; r < block->n_resamples; r++) {
            ks_lane *into = (ks_lane *)&sums[(size_t)r * stride + at];
            ks_lane tile[TILE];
            for (int k = 0; k < TILE; k++) tile[k] = into[k];
            for (int i = block->starts[r]; i < block->starts[r + 1]; i++) {
                const ks_lane *row = (const ks_lane *)&terms[block->rows[i] * stride + at];
                ks_lane weight = ks_lane_all(block->weights[i]);
                for (int k = 0; k < TILE; k++) tile[k] += weight * row[k];
            }
            for (int k = 0; k < TILE; k++) into[k] = tile[k];
        }
}
