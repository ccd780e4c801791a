/* Memory for arrays: aligned for SIMD, zeroed, checked for overflow. */
#ifndef KS_BASE_MEMORY_H
#define KS_BASE_MEMORY_H

#include <stddef.h>

enum { KS_ALIGNMENT = 64 }; /* bytes: one cache line, one AVX-512 vector */

/* `count` elements of `size` bytes, zeroed and aligned; NULL when there is not so much memory. The caller frees it
 * with free(). A count of 0 gives a pointer that may be freed. */
void *ks_memory_allocate(size_t count, size_t size);

/* Allocates to `pointer` or returns KS_ERR_MEMORY from the calling function. */
#define KS_ALLOCATE(pointer, count)                                                               \
    KS_CHECK(((pointer) = ks_memory_allocate((count), sizeof *(pointer))) != NULL, KS_ERR_MEMORY, \
             "no memory for %zu elements of %zu bytes", (size_t)(count), sizeof *(pointer))

#endif
