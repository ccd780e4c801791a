/* Writes JSON (RFC 8259) in one pass. */
#include "report/json.h"

#include "base/error.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* ---- structure ------------------------------------------------------------------------------------------------ */

static void begin_value(struct ks_json *json) {
    if (!json->is_after_key && json->has_member[json->depth]) fputc(',', json->stream);
    json->has_member[json->depth] = true;
    json->is_after_key = false;
}

static void open_level(struct ks_json *json, char bracket) {
    begin_value(json);
    fputc(bracket, json->stream);
    KS_ASSERT(json->depth + 1 < KS_JSON_DEEPEST);
    json->has_member[++json->depth] = false;
}

static void close_level(struct ks_json *json, char bracket) {
    KS_ASSERT(json->depth > 0 && !json->is_after_key);
    json->depth--;
    fputc(bracket, json->stream);
}

void ks_json_object(struct ks_json *json) {
    open_level(json, '{');
}

void ks_json_end_object(struct ks_json *json) {
    close_level(json, '}');
}

void ks_json_array(struct ks_json *json) {
    open_level(json, '[');
}

void ks_json_end_array(struct ks_json *json) {
    close_level(json, ']');
}

/* A line per member of the outermost objects, for people who look. */
void ks_json_key(struct ks_json *json, const char *key) {
    if (json->has_member[json->depth]) fputc(',', json->stream);
    if (json->depth <= 1) fputc('\n', json->stream);
    json->has_member[json->depth] = true;
    fprintf(json->stream, "\"%s\":", key);
    json->is_after_key = true;
}

/* ---- text ----------------------------------------------------------------------------------------------------- */

/* Bytes of the UTF-8 character at `text`; 0 where there is none (RFC 3629: no surrogates, nothing overlong). */
static int character_length(const unsigned char *text) {
    static const struct {
        unsigned char first, last, low, high; /* range of the first byte, and of the second after it */
        int length;
    } ranges[] = {{0x00, 0x7f, 0x00, 0xff, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
                  {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
                  {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4}};
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        if (text[0] < ranges[i].first || text[0] > ranges[i].last) continue;
        if (ranges[i].length == 1) return 1;
        if (text[1] < ranges[i].low || text[1] > ranges[i].high) return 0;
        for (int k = 2; k < ranges[i].length; k++)
            if (text[k] < 0x80 || text[k] > 0xbf) return 0;
        return ranges[i].length;
    }
    return 0;
}

/* `<` would end the script that holds it, in "</script>", or begin a comment. */
static void write_character(FILE *stream, const unsigned char *text, int length) {
    if (length == 0)
        fputs("\\ufffd", stream);
    else if (*text == '"' || *text == '\\')
        fprintf(stream, "\\%c", *text);
    else if (*text < ' ' || *text == '<' || *text == 0x7f)
        fprintf(stream, "\\u%04x", *text);
    else
        fwrite(text, 1, (size_t)length, stream);
}

void ks_json_text(struct ks_json *json, const char *text) {
    begin_value(json);
    fputc('"', json->stream);
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0';) {
        int length = character_length(at);
        write_character(json->stream, at, length);
        at += length > 0 ? length : 1;
    }
    fputc('"', json->stream);
}

void ks_json_base64(struct ks_json *json, const uint8_t *bytes, size_t n) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    begin_value(json);
    fputc('"', json->stream);
    for (size_t i = 0; i < n; i += 3) {
        unsigned triple = (unsigned)bytes[i] << 16;
        if (i + 1 < n) triple |= (unsigned)bytes[i + 1] << 8;
        if (i + 2 < n) triple |= bytes[i + 2];
        char four[4] = {digits[triple >> 18], digits[triple >> 12 & 63], digits[triple >> 6 & 63],
                        digits[triple & 63]};
        if (i + 1 >= n) four[2] = '=';
        if (i + 2 >= n) four[3] = '=';
        fwrite(four, 1, 4, json->stream);
    }
    fputc('"', json->stream);
}

/* ---- numbers -------------------------------------------------------------------------------------------------- */

void ks_json_digits(struct ks_json *json, double value, int n_digits) {
    begin_value(json);
    if (isfinite(value))
        fprintf(json->stream, "%.*g", n_digits, value == 0 ? 0 : value);
    else
        fputs("null", json->stream);
}

void ks_json_number(struct ks_json *json, double value) {
    ks_json_digits(json, value, 6);
}

void ks_json_whole(struct ks_json *json, uint64_t value) {
    begin_value(json);
    fprintf(json->stream, "%" PRIu64, value);
}

void ks_json_bool(struct ks_json *json, bool value) {
    begin_value(json);
    fputs(value ? "true" : "false", json->stream);
}

void ks_json_numbers(struct ks_json *json, size_t n, const double *values, size_t stride) {
    ks_json_array(json);
    for (size_t i = 0; i < n; i++) ks_json_number(json, values[i * stride]);
    ks_json_end_array(json);
}

/* ---- members -------------------------------------------------------------------------------------------------- */

void ks_json_text_member(struct ks_json *json, const char *key, const char *text) {
    ks_json_key(json, key);
    ks_json_text(json, text);
}

void ks_json_number_member(struct ks_json *json, const char *key, double value) {
    ks_json_key(json, key);
    ks_json_number(json, value);
}

void ks_json_whole_member(struct ks_json *json, const char *key, uint64_t value) {
    ks_json_key(json, key);
    ks_json_whole(json, value);
}

void ks_json_bool_member(struct ks_json *json, const char *key, bool value) {
    ks_json_key(json, key);
    ks_json_bool(json, value);
}

void ks_json_numbers_member(struct ks_json *json, const char *key, size_t n, const double *values,
                            size_t stride) {
    ks_json_key(json, key);
    ks_json_numbers(json, n, values, stride);
}
