/* A deterministic excerpt of rows, stratified by row number. */
#include "base/random.h"
#include "report/report_impl.h"

struct ks_excerpt ks_excerpt_of(uint64_t n_rows, size_t most) {
    return (struct ks_excerpt){n_rows, n_rows < most ? (size_t)n_rows : most};
}

/* Where stratum i begins, exactly: i n_of / n without overflow. */
static uint64_t begin_of(const struct ks_excerpt *excerpt, size_t i) {
    uint64_t whole = excerpt->n_of / excerpt->n, rest = excerpt->n_of % excerpt->n;
    return i * whole + i * rest / excerpt->n;
}

uint64_t ks_excerpt_row(const struct ks_excerpt *excerpt, size_t i) {
    if (excerpt->n_of == excerpt->n) return i;
    uint64_t begin = begin_of(excerpt, i), size = begin_of(excerpt, i + 1) - begin;
    uint64_t place = (uint64_t)(ks_random_uniform(1, KS_STREAM_report, i, 0) * (double)size);
    return begin + (place < size ? place : size - 1);
}
