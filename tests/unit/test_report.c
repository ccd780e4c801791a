/* The parts of a report that need no file: JSON, columns in two passes, rows that stand for all, the page's frame. */
#include "base/memory.h"
#include "base/normal.h"
#include "base/random.h"
#include "report/digest.h"
#include "report/page.h"
#include "report/report_impl.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- JSON --------------------------------------------------------------------------------------------------------- */

struct script {
    char *text;
    size_t size;
    struct ks_json json;
};

static struct script *begin(void) {
    struct script *script = calloc(1, sizeof *script);
    script->json.stream = open_memstream(&script->text, &script->size);
    return script;
}

static void expect(struct script *script, const char *expected) {
    assert_int_equal(fclose(script->json.stream), 0);
    assert_int_equal(script->json.depth, 0);
    assert_string_equal(script->text, expected);
    free(script->text);
    free(script);
}

static void commas_and_colons_are_placed(void **state) {
    (void)state;
    struct script *s = begin();
    struct ks_json *json = &s->json;
    ks_json_array(json);
    ks_json_object(json);
    ks_json_end_object(json);
    ks_json_object(json);
    ks_json_key(json, "a");
    ks_json_array(json);
    ks_json_end_array(json);
    ks_json_text_member(json, "b", "");
    ks_json_key(json, "c");
    ks_json_object(json);
    ks_json_bool_member(json, "d", true);
    ks_json_end_object(json);
    ks_json_numbers_member(json, "e", 2, (double[]){1, 7, 2, 7}, 2);
    ks_json_end_object(json);
    ks_json_whole(json, UINT64_MAX);
    ks_json_bool(json, false);
    ks_json_end_array(json);
    expect(s, "[{},{\"a\":[],\"b\":\"\",\"c\":{\"d\":true},\"e\":[1,2]},18446744073709551615,false]");
}

static void numbers_are_json(void **state) {
    (void)state;
    struct script *s = begin();
    const double values[] = {0.5, -0.0, NAN, INFINITY, -INFINITY, 1e300, 5e-324, 1234567, 1.0 / 3, 100000};
    ks_json_numbers(&s->json, sizeof values / sizeof *values, values, 1);
    expect(s, "[0.5,0,null,null,null,1e+300,4.94066e-324,1.23457e+06,0.333333,100000]");
    s = begin();
    ks_json_digits(&s->json, 1.0 / 3, 12);
    expect(s, "0.333333333333");
}

static void text_is_safe_within_a_script(void **state) {
    (void)state;
    static const char *const pairs[][2] = {
        {"plain", "\"plain\""},
        {"</script><!--", "\"\\u003c/script>\\u003c!--\""},
        {"\"quoted\" \\ back", "\"\\\"quoted\\\" \\\\ back\""},
        {"line\nand\ttab\x01\x7f", "\"line\\u000aand\\u0009tab\\u0001\\u007f\""},
        {"\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80", "\"\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80\""},
        {"\xff \xc3", "\"\\ufffd \\ufffd\""},                     /* no first byte; cut short */
        {"\xc0\xaf", "\"\\ufffd\\ufffd\""},                       /* overlong */
        {"\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\""},            /* a surrogate */
        {"\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""}, /* beyond U+10FFFF */
        {"\xe2\x82", "\"\\ufffd\\ufffd\""}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct script *s = begin();
        ks_json_text(&s->json, pairs[i][0]);
        expect(s, pairs[i][1]);
    }
}

/* RFC 4648, section 10. */
static void base64_has_its_test_vectors(void **state) {
    (void)state;
    static const char *const pairs[][2] = {{"", "\"\""},
                                           {"f", "\"Zg==\""},
                                           {"fo", "\"Zm8=\""},
                                           {"foo", "\"Zm9v\""},
                                           {"foob", "\"Zm9vYg==\""},
                                           {"fooba", "\"Zm9vYmE=\""},
                                           {"foobar", "\"Zm9vYmFy\""}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct script *s = begin();
        ks_json_base64(&s->json, (const uint8_t *)pairs[i][0], strlen(pairs[i][0]));
        expect(s, pairs[i][1]);
    }
}

/* ---- columns ------------------------------------------------------------------------------------------------------ */

/* Both passes in blocks of an odd size. */
static const struct ks_digest *digest(ks_digester **d, int n_columns, size_t n_rows, const double *values) {
    enum { BLOCK = 37 };
    assert_int_equal(ks_digest_create(d, n_columns), KS_OK);
    for (size_t i = 0; i < n_rows; i += BLOCK)
        ks_digest_look(*d, n_rows - i < BLOCK ? n_rows - i : BLOCK, &values[i * (size_t)n_columns]);
    assert_int_equal(ks_digest_settle(*d), KS_OK);
    for (size_t i = 0; i < n_rows; i += BLOCK)
        ks_digest_count(*d, n_rows - i < BLOCK ? n_rows - i : BLOCK, &values[i * (size_t)n_columns]);
    return ks_digest_finish(*d);
}

static int compare(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double exact_quantile(size_t n, const double *sorted, double share) {
    double place = share * (double)(n - 1);
    size_t low = (size_t)place, high = low + 1 < n ? low + 1 : low;
    return sorted[low] + (place - (double)low) * (sorted[high] - sorted[low]);
}

/* A column of a kind: smooth, of heavy tails on both sides, of few values, almost constant, shifted far, at the edges, integers. */
static double value_of(int column, uint64_t i) {
    double z = ks_normal_quantile(ks_random_uniform(3, KS_STREAM_test, i, (uint64_t)column));
    switch (column) {
    case 0:
        return z;
    case 1:
        return z * z * z * z * z * exp(fabs(z) * 5);
    case 2:
        return z > 0.3;
    case 3:
        return i == 77 ? 5 : 1e-3;
    case 4:
        return 1e6 + z;
    case 5: /* at the edges of the histogram, but for rounding */
        return 0.7 + 0.1 * (double)(i % 41);
    default:
        return i % 9 == 0 ? NAN : floor(20 * z);
    }
}

static void columns_have_their_moments_and_quantiles(void **state) {
    (void)state;
    enum { N = 20000, COLUMNS = 7 };
    double *values = ks_memory_allocate(N * COLUMNS, sizeof *values),
           *sorted = ks_memory_allocate(N, sizeof *sorted);
    ks_digester *digester;
    for (uint64_t i = 0; i < N; i++)
        for (int c = 0; c < COLUMNS; c++) values[i * COLUMNS + (uint64_t)c] = value_of(c, i);
    const struct ks_digest *digests = digest(&digester, COLUMNS, N, values);
    for (int c = 0; c < COLUMNS; c++) {
        size_t n = 0;
        double sum = 0, squares = 0;
        uint64_t counted = 0;
        for (size_t i = 0; i < N; i++)
            if (!isnan(values[i * COLUMNS + (size_t)c])) sorted[n++] = values[i * COLUMNS + (size_t)c];
        qsort(sorted, n, sizeof *sorted, compare);
        for (size_t i = 0; i < n; i++) sum += sorted[i];
        for (size_t i = 0; i < n; i++) squares += (sorted[i] - sum / n) * (sorted[i] - sum / n);
        const struct ks_digest *d = &digests[c];
        assert_int_equal(d->n, n);
        assert_true(d->low == sorted[0] && d->high == sorted[n - 1]);
        assert_true(fabs(d->mean - sum / n) <= 1e-12 * fmax(fabs(d->mean), fabs(d->high)));
        assert_true(fabs(d->sd - sqrt(squares / n)) <= 1e-10 * d->sd);
        for (int q = 0; q < KS_DIGEST_QUANTILES; q++) {
            double exact = exact_quantile(n, sorted, ks_digest_shares[q]);
            assert_true(fabs(d->quantiles[q] - exact) <= 1e-5 * fabs(exact));
        }
        for (int b = 0; b < KS_DIGEST_BINS; b++) {
            uint64_t count = 0;
            for (size_t i = 0; i < n; i++)
                count += sorted[i] >= d->edges[b] && (sorted[i] < d->edges[b + 1] || b == KS_DIGEST_BINS - 1);
            assert_int_equal(d->counts[b], count);
            counted += count;
        }
        assert_int_equal(counted, n);
    }
    ks_digest_destroy(&digester);
    free(values);
    free(sorted);
}

/* So few that each is alone in its bin: then quantiles are exact. */
static void few_numbers_have_exact_quantiles(void **state) {
    (void)state;
    ks_digester *digester;
    double values[50];
    for (uint64_t i = 0; i < 50; i++) values[i] = value_of(0, i);
    const struct ks_digest *d = digest(&digester, 1, 50, values);
    qsort(values, 50, sizeof *values, compare);
    for (int q = 0; q < KS_DIGEST_QUANTILES; q++)
        assert_true(fabs(d->quantiles[q] - exact_quantile(50, values, ks_digest_shares[q])) < 1e-15);
    ks_digest_destroy(&digester);
}

static void columns_may_have_no_numbers_or_one(void **state) {
    (void)state;
    ks_digester *digester;
    const double values[] = {NAN, 7, INFINITY, 1e-310, NAN, NAN, 3, -INFINITY, NAN};
    const struct ks_digest *d = digest(&digester, 3, 3, values);
    assert_true(d[0].n == 2 && d[0].low == 1e-310 && d[0].high == 3 && d[0].quantiles[2] == 1.5);
    assert_true(d[1].n == 1 && d[1].low == 7 && d[1].sd == 0 && d[1].quantiles[0] == 7);
    assert_true(d[1].edges[0] == 6.5 && d[1].edges[KS_DIGEST_BINS] == 7.5 && d[1].counts[20] == 1);
    assert_int_equal(d[2].n, 0);
    assert_true(isnan(d[2].low) && isnan(d[2].high) && isnan(d[2].mean) && isnan(d[2].quantiles[2]));
    ks_digest_destroy(&digester);
    d = digest(&digester, 1, 0, values);
    assert_true(d[0].n == 0 && isnan(d[0].sd));
    ks_digest_destroy(&digester);
}

/* Ranges whose width no double holds count all the same. */
static void columns_may_be_as_wide_as_doubles(void **state) {
    (void)state;
    ks_digester *digester;
    const double values[] = {-1.7e308, 1.7e308, 0};
    const struct ks_digest *d = digest(&digester, 1, 3, values);
    uint64_t n = 0;
    for (int b = 0; b < KS_DIGEST_BINS; b++) n += d[0].counts[b];
    assert_int_equal(n, 3);
    assert_true(d[0].quantiles[2] == 0);
    ks_digest_destroy(&digester);
}

/* ---- rows that stand for all ---------------------------------------------------------------------------------------- */

static void an_excerpt_takes_one_row_of_each_part(void **state) {
    (void)state;
    static const uint64_t sizes[] = {0, 1, 7, 8, 9, 1000, 65536, (UINT64_C(1) << 40) + 12345};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        struct ks_excerpt excerpt = ks_excerpt_of(sizes[k], 8);
        uint64_t n = sizes[k] < 8 ? sizes[k] : 8;
        assert_int_equal(excerpt.n, n);
        for (size_t i = 0; i < excerpt.n; i++) {
            uint64_t row = ks_excerpt_row(&excerpt, i);
            assert_true(row >= (uint64_t)((double)i / 8 * (double)sizes[k]) || sizes[k] < 8);
            assert_true(row < sizes[k]);
            assert_true(i == 0 || row > ks_excerpt_row(&excerpt, i - 1));
            if (sizes[k] <= 8) assert_int_equal(row, i);
        }
    }
}

/* Even steps through a grid would meet one level of its last parameters. */
static void an_excerpt_meets_every_level_of_a_grid(void **state) {
    (void)state;
    struct ks_excerpt excerpt = ks_excerpt_of(1 << 20, 1 << 12);
    int n_by_level[16] = {0};
    for (size_t i = 0; i < excerpt.n; i++) n_by_level[ks_excerpt_row(&excerpt, i) % 16]++;
    for (int level = 0; level < 16; level++) assert_in_range(n_by_level[level], 190, 330);
}

static void thinned_places_keep_their_ends(void **state) {
    (void)state;
    for (int n = 1; n < 300; n++)
        for (int most = 2; most < 40; most++) {
            int step = ks_report_thin(n, most), count = (n - 1 + step - 1) / step + 1;
            assert_true(step >= 1 && count <= (n < most ? n : most));
            assert_true(n > most || step == 1);
        }
}

/* ---- the page -------------------------------------------------------------------------------------------------------- */

static void the_page_has_one_place_for_its_data(void **state) {
    (void)state;
    size_t place = ks_page_place();
    assert_true(place < ks_page_size);
    assert_memory_equal(&ks_page_bytes[place], "</script>", 9);
    for (size_t i = place; i + 9 < ks_page_size; i++)
        assert_false(memcmp(&ks_page_bytes[i], "id=\"data\">", 10) == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commas_and_colons_are_placed),
        cmocka_unit_test(numbers_are_json),
        cmocka_unit_test(text_is_safe_within_a_script),
        cmocka_unit_test(base64_has_its_test_vectors),
        cmocka_unit_test(columns_have_their_moments_and_quantiles),
        cmocka_unit_test(few_numbers_have_exact_quantiles),
        cmocka_unit_test(columns_may_have_no_numbers_or_one),
        cmocka_unit_test(columns_may_be_as_wide_as_doubles),
        cmocka_unit_test(an_excerpt_takes_one_row_of_each_part),
        cmocka_unit_test(an_excerpt_meets_every_level_of_a_grid),
        cmocka_unit_test(thinned_places_keep_their_ends),
        cmocka_unit_test(the_page_has_one_place_for_its_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
