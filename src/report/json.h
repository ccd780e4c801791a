/* A small writer of JSON that may stand inside a page's <script>: commas and colons are its business, `<` is escaped,
 * text is always valid UTF-8, and what is no finite number becomes null. */
#ifndef KS_REPORT_JSON_H
#define KS_REPORT_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { KS_JSON_DEEPEST = 32 };

struct ks_json {
    FILE *stream; /* errors stay in it, for who closes it */
    int depth;
    bool has_member[KS_JSON_DEEPEST]; /* so far, of the objects and arrays that are open */
    bool is_after_key;
};

/* Begin and end an object or array; a key comes before every value of an object, and is plain ASCII. */
void ks_json_object(struct ks_json *json);
void ks_json_end_object(struct ks_json *json);
void ks_json_array(struct ks_json *json);
void ks_json_end_array(struct ks_json *json);
void ks_json_key(struct ks_json *json, const char *key);

/* Values. Text that is no UTF-8 has U+FFFD in place of what is wrong. A number has six digits, or as many as asked for. */
void ks_json_text(struct ks_json *json, const char *text);
void ks_json_number(struct ks_json *json, double value);
void ks_json_digits(struct ks_json *json, double value, int n_digits);
void ks_json_whole(struct ks_json *json, uint64_t value);
void ks_json_bool(struct ks_json *json, bool value);
void ks_json_base64(struct ks_json *json, const uint8_t *bytes, size_t n);

/* An array of n numbers, `stride` apart. */
void ks_json_numbers(struct ks_json *json, size_t n, const double *values, size_t stride);

/* A key and its value. */
void ks_json_text_member(struct ks_json *json, const char *key, const char *text);
void ks_json_number_member(struct ks_json *json, const char *key, double value);
void ks_json_whole_member(struct ks_json *json, const char *key, uint64_t value);
void ks_json_bool_member(struct ks_json *json, const char *key, bool value);
void ks_json_numbers_member(struct ks_json *json, const char *key, size_t n, const double *values,
                            size_t stride);

#endif
