/* Counter-based random numbers by Threefry4x64-20: the key is the seed and the stream, the counter index and item. */
#include "base/random.h"

#include <Random123/threefry.h>

uint64_t ks_random_bits(uint64_t seed, enum ks_stream stream, uint64_t index, uint64_t item) {
    threefry4x64_key_t key = {{seed, (uint64_t)stream, 0, 0}};
    threefry4x64_ctr_t counter = {{index, item, 0, 0}};
    return threefry4x64(counter, key).v[0];
}

double ks_random_to_uniform(uint64_t bits) {
    return ((double)(bits >> 12) + 0.5) * 0x1p-52; /* 53 bits would round up to 1 */
}

double ks_random_uniform(uint64_t seed, enum ks_stream stream, uint64_t index, uint64_t item) {
    return ks_random_to_uniform(ks_random_bits(seed, stream, index, item));
}
