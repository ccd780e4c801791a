/* The checksum of rows. A row's hash starts from its point number and takes one 8-byte word after another by
 *     h <- (h xor word) * odd constant;   h <- h xor (h >> 32)
 * Every step is a bijection of h for a given word, and of the word for a given h: any change within one word
 * changes the hash, and a row that lies at the place of another does too. Bits count, not values: -0 is not
 * 0, and one NaN is not another. The sum over rows, modulo 2^64, does not depend on their order. */
#include "store/store_impl.h"

#include <string.h>

static uint64_t mix(uint64_t h, uint64_t word) {
    h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15); /* 2^64 / golden ratio, odd */
    return h ^ (h >> 32);
}

/* The `n` values of a row. */
static uint64_t mix_doubles(uint64_t h, const double *values, size_t n, size_t row) {
    for (size_t i = row * n; i < (row + 1) * n; i++) {
        uint64_t word;
        memcpy(&word, &values[i], sizeof word);
        h = mix(h, word);
    }
    return h;
}

/* Two floats to a word; an odd last one stands alone. */
static uint64_t mix_floats(uint64_t h, const float *values, size_t n, size_t row) {
    for (size_t i = row * n; i < (row + 1) * n; i += 2) {
        uint32_t low, high = 0;
        memcpy(&low, &values[i], sizeof low);
        if (i + 1 < (row + 1) * n) memcpy(&high, &values[i + 1], sizeof high);
        h = mix(h, (uint64_t)high << 32 | low);
    }
    return h;
}

static uint64_t hash_row(const struct ks_schema *schema, const struct ks_rows *rows, size_t row,
                         uint64_t point) {
    uint64_t h = mix(0, point);
    h = mix_doubles(h, rows->inputs, (size_t)schema->n_parameters, row);
    h = mix_doubles(h, rows->endpoints, (size_t)schema->n_endpoints, row);
    h = mix(h, (uint64_t)(uint8_t)rows->status[row] << 32 | rows->steps[row]);
    return mix_floats(h, rows->trajectories, (size_t)schema->n_times * (size_t)schema->n_states, row);
}

/* With its end, so that "ab", "c" is not "a", "bc". */
static uint64_t mix_text(uint64_t h, const char *text) {
    do h = mix(h, (unsigned char)*text);
    while (*text++ != '\0');
    return h;
}

static uint64_t mix_columns(uint64_t h, int n, const struct ks_column *columns) {
    h = mix(h, (uint64_t)n);
    for (int i = 0; i < n; i++) {
        h = mix_text(h, columns[i].name);
        h = mix_text(h, columns[i].unit);
        h = mix_text(h, columns[i].description);
    }
    return h;
}

uint64_t ks_checksum_schema(const struct ks_schema *schema) {
    uint64_t h = mix_text(0, schema->title);
    h = mix_text(h, schema->config);
    h = mix_text(h, schema->design);
    h = mix_text(h, schema->model_version);
    h = mix(mix(h, schema->seed), schema->n_points);
    const struct ks_share *share = &schema->share;
    if (share->count > 0) h = mix(mix(mix(h, share->number), share->count), share->n_points);
    h = mix(h, (uint64_t)schema->n_status_names);
    for (int i = 0; i < schema->n_status_names; i++) h = mix_text(h, schema->status_names[i]);
    h = mix_columns(h, schema->n_parameters, schema->parameters);
    h = mix_columns(h, schema->n_endpoints, schema->endpoints);
    h = mix_columns(h, schema->n_states, schema->states);
    return mix_doubles(mix(h, (uint64_t)schema->n_times), schema->times, (size_t)schema->n_times, 0);
}

uint64_t ks_store_checksum(const struct ks_schema *schema, const struct ks_rows *rows) {
    uint64_t sum = 0;
    size_t row = 0;
    for (size_t b = 0; b < rows->n_blocks; b++)
        for (uint64_t i = 0; i < rows->blocks[b].count; i++, row++)
            sum += hash_row(schema, rows, row, rows->blocks[b].first + i);
    KS_ASSERT(row == rows->n_rows);
    return sum;
}
