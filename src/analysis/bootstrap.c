/* The bootstrap over base rows, in one pass: each resample takes each base row a Poisson number of times, mean 1,
 * which a counter-based generator tells from (seed, resample, base row) alone (Chamandy, Muralidharan, Najmi and Naidu
 * 2012, "Estimating uncertainty for massive data streams"). Sums over a resample are weighted sums over the rows. */
#include "analysis/frame_impl.h"
#include "base/build_info.h"
#include "base/memory.h"
#include "base/random.h"

#include <stdlib.h>

/* Poisson numbers from 16 bits: a number is how many of these ends, 65536 P(X <= k), the bits are not below. Their mean
 * is 1. */
static const uint16_t ends[] = {24109, 48219, 60273, 64292, 65296, 65497, 65531, 65535};
enum { N_ENDS = sizeof ends / sizeof *ends, DRAWS_PER_WORD = 4 };

static uint8_t poisson(uint16_t bits) {
    uint8_t number = 0;
    for (int k = 0; k < N_ENDS; k++) number = (uint8_t)(number + (bits >= ends[k]));
    return number;
}

/* The bits of four resamples. */
static uint64_t draw_bits(uint64_t seed, int resample, uint64_t base) {
    return ks_random_bits(seed, KS_STREAM_bootstrap, (uint64_t)(resample / DRAWS_PER_WORD), base);
}

static uint8_t draw(uint64_t bits, int resample) {
    return poisson((uint16_t)(bits >> (16 * (resample % DRAWS_PER_WORD))));
}

uint8_t ks_bootstrap_draw(uint64_t seed, int resample, uint64_t base) {
    return draw(draw_bits(seed, resample, base), resample);
}

static void draw_all(uint64_t seed, uint64_t base, int n_resamples, uint8_t *drawn) {
    uint64_t bits = 0;
    for (int r = 0; r < n_resamples; r++) {
        if (r % DRAWS_PER_WORD == 0) bits = draw_bits(seed, r, base);
        drawn[r] = draw(bits, r);
    }
}

int ks_bootstrap_create(struct ks_bootstrap_block *block, int n_resamples) {
    size_t n = (size_t)n_resamples;
    *block = (struct ks_bootstrap_block){.n_resamples = n_resamples};
    KS_ALLOCATE(block->starts, n + 1);
    KS_ALLOCATE(block->rows, n * KS_BOOTSTRAP_BLOCK);
    KS_ALLOCATE(block->weights, n * KS_BOOTSTRAP_BLOCK);
    KS_ALLOCATE(block->drawn, n * KS_BOOTSTRAP_BLOCK);
    return KS_OK;
}

void ks_bootstrap_release(struct ks_bootstrap_block *block) {
    free(block->starts);
    free(block->rows);
    free(block->weights);
    free(block->drawn);
}

void ks_bootstrap_fill(struct ks_bootstrap_block *block, uint64_t seed, uint64_t first, int n_bases) {
    int n = 0, n_resamples = block->n_resamples;
    KS_ASSERT(n_bases <= KS_BOOTSTRAP_BLOCK);
    for (int j = 0; j < n_bases; j++)
        draw_all(seed, first + (uint64_t)j, n_resamples, &block->drawn[j * n_resamples]);
    for (int r = 0; r < n_resamples; r++) {
        block->starts[r] = n;
        for (int j = 0; j < n_bases; j++) {
            uint8_t weight = block->drawn[j * n_resamples + r];
            if (weight == 0) continue;
            block->rows[n] = (uint8_t)j;
            block->weights[n++] = weight;
        }
    }
    block->starts[n_resamples] = n;
}

void ks_bootstrap_add(const struct ks_bootstrap_block *block, size_t stride, const double *terms,
                      double *sums) {
    int lanes = ks_build_info_widest_lanes();
    KS_ASSERT(stride % KS_BOOTSTRAP_STRIDE == 0);
    (lanes == 8   ? ks_bootstrap_add_w8
     : lanes == 4 ? ks_bootstrap_add_w4
                  : ks_bootstrap_add_w2)(block, stride, terms, sums);
}
