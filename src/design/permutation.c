/* A random permutation of 0..count - 1 without a table: a Feistel network on the smallest sufficient number
 * of bits, repeated while it lands outside the range (cycle walking; Black and Rogaway 2002,
 * doi:10.1007/3-540-45760-7_9). Fewer than two repetitions are expected. Halves of one or two bits mix badly
 * (with 8 rounds the images of two elements are visibly dependent up to 32, and not from 33 on), so small
 * ranges are shuffled outright. */
#include "design/design_impl.h"

enum { MAX_SHUFFLED = 32, N_ROUNDS = 8 };

/* Fisher and Yates; the scaled product is a number in 0..i, uniform to 2^-27. */
static void shuffle_range(uint64_t key, uint64_t count, uint64_t images[MAX_SHUFFLED]) {
    for (uint64_t i = 0; i < count; i++) {
        uint64_t j = (ks_design_mix(key, i) >> 32) * (i + 1) >> 32;
        images[i] = images[j];
        images[j] = i;
    }
}

struct halves {
    int n_low_bits;
    uint64_t low_mask, high_mask;
};

static struct halves halve_range(uint64_t count) {
    int n_bits = 0;
    while (n_bits < 64 && (count - 1) >> n_bits != 0) n_bits++;
    int n_low_bits = (n_bits + 1) / 2;
    return (struct halves){n_low_bits, ((uint64_t)1 << n_low_bits) - 1,
                           ((uint64_t)1 << (n_bits - n_low_bits)) - 1};
}

/* Each round changes one half by a function of the other, so the same round undoes it. */
static uint64_t apply_round(uint64_t key, struct halves halves, int round, uint64_t i) {
    uint64_t low = i & halves.low_mask, high = i >> halves.n_low_bits;
    uint64_t tag = (uint64_t)round << 32;
    if (round % 2 == 0)
        high ^= ks_design_mix(key, tag | low) & halves.high_mask;
    else
        low ^= ks_design_mix(key, tag | high) & halves.low_mask;
    return high << halves.n_low_bits | low;
}

uint64_t ks_permutation_apply(uint64_t key, uint64_t count, uint64_t i) {
    KS_ASSERT(i < count);
    if (count <= MAX_SHUFFLED) {
        uint64_t images[MAX_SHUFFLED] = {0};
        shuffle_range(key, count, images);
        return images[i];
    }
    struct halves halves = halve_range(count);
    do {
        for (int round = 0; round < N_ROUNDS; round++) i = apply_round(key, halves, round, i);
    } while (i >= count);
    return i;
}

uint64_t ks_permutation_invert(uint64_t key, uint64_t count, uint64_t image) {
    KS_ASSERT(image < count);
    if (count <= MAX_SHUFFLED) {
        uint64_t images[MAX_SHUFFLED] = {0}, i = 0;
        shuffle_range(key, count, images);
        while (images[i] != image) i++;
        return i;
    }
    struct halves halves = halve_range(count);
    do {
        for (int round = N_ROUNDS - 1; round >= 0; round--) image = apply_round(key, halves, round, image);
    } while (image >= count);
    return image;
}
