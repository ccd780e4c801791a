/* Aligned, zeroed arrays. */
#include "base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void *ks_memory_allocate(size_t count, size_t size) {
    if (size != 0 && count > (SIZE_MAX - KS_ALIGNMENT) / size) return NULL;
    size_t n_bytes = (count * size + KS_ALIGNMENT) / KS_ALIGNMENT * KS_ALIGNMENT;
    void *memory = aligned_alloc(KS_ALIGNMENT, n_bytes);
    if (memory != NULL) memset(memory, 0, n_bytes);
    return memory;
}
