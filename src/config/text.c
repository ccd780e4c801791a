/* A configuration as one text: the file and, in their places, the files that it includes.
 *
 * Debian's libconfig 1.5 looks for included files in one fixed directory, wraps integers beyond 32 bits that
 * lack the suffix L, takes a comment that never ends for the end of the file, and stops at a NUL byte. So
 * this file joins the text itself, by a scanner that knows just enough of the grammar to tell settings from
 * comments and strings, and mends or refuses these. libconfig also looks through all of a group for each of its
 * settings, and works through nested groups by recursion: their numbers are limited here. The map of lines leads from the joined text back to the
 * files. */
#include "base/memory.h"
#include "config/config_impl.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    DEEPEST_INCLUDE = 10,
    MOST_FILES = 1000,
    LONGEST_TEXT = 16 << 20,
    LARGEST_FILE = 1 << 30,
    MOST_SETTINGS = 1000
};

struct open_file {
    dev_t device;
    ino_t inode;
    const struct open_file *parent; /* the file that includes this one */
};

struct scan {
    struct ks_text *text;
    struct ks_faults *report;
    const struct open_file *open;
    const char *file;     /* its name, owned by the text */
    const char *at, *end; /* its bytes, from the next on */
    int line;
};

static int scan_file(struct ks_text *text, struct ks_faults *report, const char *path,
                     const struct open_file *parent, const char **reason);

/* ---- files ----------------------------------------------------------------------------------- */

static int read_stream(FILE *stream, char **bytes, size_t *n_bytes, const char **reason) {
    size_t capacity = 1 << 16;
    *n_bytes = 0;
    KS_CHECK((*bytes = malloc(capacity)) != NULL, KS_ERR_MEMORY, "no memory to read a file");
    for (;;) {
        size_t n_more = fread(*bytes + *n_bytes, 1, capacity - *n_bytes - 1, stream);
        if (ferror(stream))
            *reason = strerror(errno);
        else if (memchr(*bytes + *n_bytes, '\0', n_more) != NULL)
            *reason = "it holds a NUL byte and is no text";
        if (*reason != NULL) return KS_OK;
        *n_bytes += n_more;
        if (*n_bytes < capacity - 1) break;
        if (capacity >= LARGEST_FILE) {
            *reason = "it is larger than 1 GiB";
            return KS_OK;
        }
        char *larger = realloc(*bytes, capacity *= 2);
        KS_CHECK(larger != NULL, KS_ERR_MEMORY, "no memory for a file of more than %zu bytes", capacity / 2);
        *bytes = larger;
    }
    (*bytes)[*n_bytes] = '\0';
    return KS_OK;
}

int ks_text_load(const char *path, char **bytes, size_t *n_bytes, const char **reason) {
    *bytes = NULL;
    *reason = NULL;
    errno = 0;
    FILE *stream = fopen(path, "rb");
    if (stream == NULL) {
        *reason = strerror(errno);
        return KS_OK;
    }
    int err = read_stream(stream, bytes, n_bytes, reason);
    fclose(stream);
    return err;
}

int ks_text_copy(const char *string, char **copy) {
    KS_CHECK((*copy = strdup(string)) != NULL, KS_ERR_MEMORY, "no memory for a string");
    return KS_OK;
}

int ks_text_resolve(const char *path, const char *name, char **joined) {
    const char *slash = strrchr(path, '/');
    int n_directory = slash == NULL || name[0] == '/' ? 0 : (int)(slash - path) + 1;
    KS_ALLOCATE(*joined, (size_t)n_directory + strlen(name) + 1);
    sprintf(*joined, "%.*s%s", n_directory, path, name);
    return KS_OK;
}

/* ---- the joined text ------------------------------------------------------------------------- */

/* Makes room for one more element of an array. */
static int grow(void **array, size_t n, size_t *capacity, size_t size) {
    if (n < *capacity) return KS_OK;
    size_t larger = 2 * *capacity + 64;
    void *grown = realloc(*array, larger * size);
    KS_CHECK(grown != NULL, KS_ERR_MEMORY, "no memory for the text of a configuration");
    *array = grown;
    *capacity = larger;
    return KS_OK;
}

static int add_line(struct ks_text *text, const char *file, int line) {
    void *lines = text->lines;
    KS_TRY(grow(&lines, text->n_lines, &text->line_capacity, sizeof *text->lines));
    text->lines = lines;
    text->lines[text->n_lines++] = (struct ks_line){file, line};
    return KS_OK;
}

static int add_character(struct ks_text *text, char character) {
    void *characters = text->characters;
    KS_TRY(grow(&characters, text->n_characters + 1, &text->capacity, 1));
    text->characters = characters;
    text->characters[text->n_characters++] = character;
    text->characters[text->n_characters] = '\0';
    return KS_OK;
}

static int add_file_name(struct ks_text *text, const char *name, const char **kept) {
    void *files = text->files;
    KS_TRY(grow(&files, text->n_files, &text->file_capacity, sizeof *text->files));
    text->files = files;
    KS_TRY(ks_text_copy(name, &text->files[text->n_files]));
    *kept = text->files[text->n_files++];
    return KS_OK;
}

void ks_text_release(struct ks_text *text) {
    for (size_t i = 0; i < text->n_files; i++) free(text->files[i]);
    free(text->files);
    free(text->lines);
    free(text->characters);
    *text = (struct ks_text){0};
}

/* ---- the scanner ----------------------------------------------------------------------------- */

/* Moves `n` characters to the joined text. */
static int put(struct scan *scan, size_t n) {
    for (; n > 0; n--) {
        KS_TRY(add_character(scan->text, *scan->at));
        if (*scan->at++ == '\n') KS_TRY(add_line(scan->text, scan->file, ++scan->line));
    }
    return KS_OK;
}

static bool is_at(const struct scan *scan, const char *word) {
    return (size_t)(scan->end - scan->at) >= strlen(word) && memcmp(scan->at, word, strlen(word)) == 0;
}

/* In the joined text, for there libconfig would follow an @include itself. */
static bool is_first_in_line(const struct scan *scan) {
    const char *characters = scan->text->characters;
    size_t n = scan->text->n_characters;
    while (n > 0 && (characters[n - 1] == ' ' || characters[n - 1] == '\t')) n--;
    return n == 0 || characters[n - 1] == '\n';
}

static void report_at(const struct scan *scan, int line, const char *sentence, const char *word,
                      size_t n_word) {
    ks_faults_add(scan->report, false, scan->text->n_lines, 0, "%s:%d: %s%.*s", scan->file, line, sentence,
                  (int)n_word, word);
}

/* Moves a string or block comment of `n` characters at least, up to and with its `closing`. */
static int put_enclosed(struct scan *scan, size_t n, const char *closing, const char *fault) {
    int first_line = scan->line;
    KS_TRY(put(scan, n));
    while (scan->at < scan->end && !is_at(scan, closing)) {
        bool is_escape = *scan->at == '\\' && closing[0] == '"' && scan->at + 1 < scan->end;
        KS_TRY(put(scan, is_escape ? 2 : 1));
    }
    if (scan->at < scan->end) return put(scan, strlen(closing));
    report_at(scan, first_line, fault, "", 0);
    return KS_OK;
}

static int put_line_comment(struct scan *scan) {
    while (scan->at < scan->end && *scan->at != '\n') KS_TRY(put(scan, 1));
    return KS_OK;
}

static int put_name(struct scan *scan) {
    while (scan->at < scan->end && (isalnum((unsigned char)*scan->at) || strchr("-_*", *scan->at) != NULL))
        KS_TRY(put(scan, 1));
    return KS_OK;
}

/* Moves a number, and adds the L without which libconfig would wrap a large integer. */
static int put_number(struct scan *scan) {
    const char *end = scan->at + (strchr("+-", *scan->at) != NULL);
    while (isalnum((unsigned char)*end) || *end == '.' ||
           (strchr("+-", *end) != NULL && *end != '\0' && strchr("eE", end[-1]) != NULL))
        end++;
    size_t n = (size_t)(end - scan->at);
    bool is_hexadecimal = is_at(scan, "0x") || is_at(scan, "0X");
    char *after = NULL;
    errno = 0;
    long long value = strtoll(scan->at, &after, is_hexadecimal ? 16 : 10);
    bool is_range_error = errno == ERANGE;
    const char *suffix = after;
    while (suffix < end && *suffix == 'L') suffix++;
    bool is_integer = after > scan->at && suffix == end;
    if (is_integer && is_range_error) {
        report_at(scan, scan->line, "an integer that does not fit into 64 bits; write it as 1e20: ", scan->at,
                  n);
        return KS_OK;
    }
    KS_TRY(put(scan, n == 0 ? 1 : n));
    if (is_integer && suffix == after && (value > INT_MAX || value < INT_MIN))
        KS_TRY(add_character(scan->text, 'L'));
    return KS_OK;
}

static int include_file(struct scan *scan, const char *name) {
    char *path = NULL;
    const char *reason = NULL;
    size_t order = scan->text->n_lines;
    int line = scan->line;
    KS_TRY(ks_text_resolve(scan->file, name, &path));
    int err = scan_file(scan->text, scan->report, path, scan->open, &reason);
    if (err == KS_OK && reason != NULL)
        ks_faults_add(scan->report, false, order, 0,
                      "%s:%d: @include: cannot read %s: %s; name another file, as seen from %s", scan->file,
                      line, path, reason, scan->file);
    free(path);
    return err;
}

/* Puts the lines of a file in place of `@include "name"`, on lines of their own. */
static int put_include(struct scan *scan) {
    const char *quote = scan->at + strlen("@include");
    while (*quote == ' ' || *quote == '\t') quote++;
    const char *end = *quote == '"' ? strpbrk(quote + 1, "\"\n") : NULL;
    if (end == NULL || *end != '"') {
        report_at(scan, scan->line, "@include takes the name of a file in quotes", "", 0);
        return KS_OK;
    }
    char *name = strndup(quote + 1, (size_t)(end - quote - 1));
    KS_CHECK(name != NULL, KS_ERR_MEMORY, "no memory for a file name");
    int err = include_file(scan, name);
    free(name);
    KS_TRY(err);
    scan->at = end + 1;
    KS_TRY(add_character(scan->text, '\n'));
    return add_line(scan->text, scan->file, scan->line);
}

/* Counts groups and settings. */
static void note_mark(struct scan *scan, char mark) {
    struct ks_text *text = scan->text;
    if (mark == '{' && text->depth == KS_TEXT_DEEPEST)
        report_at(scan, scan->line, "groups lie more than 32 deep within each other", "", 0);
    else if (mark == '{')
        text->n_settings[++text->depth] = 0;
    else if (mark == '}' && text->depth > 0)
        text->depth--;
    else if ((mark == '=' || mark == ':') && text->n_settings[text->depth]++ == MOST_SETTINGS)
        report_at(scan, scan->line, "more than 1000 settings in one group", "", 0);
}

static int put_next(struct scan *scan) {
    char next = *scan->at;
    if (next == '"')
        return put_enclosed(scan, 1, "\"",
                            "syntax error: the string that begins here never ends; close it with \"");
    if (is_at(scan, "/*"))
        return put_enclosed(scan, 2, "*/",
                            "syntax error: the comment that begins here never ends; close it with */");
    if (next == '#' || is_at(scan, "//")) return put_line_comment(scan);
    if (is_at(scan, "@include") && is_first_in_line(scan)) return put_include(scan);
    if (isalpha((unsigned char)next) || next == '*') return put_name(scan);
    if (isdigit((unsigned char)next) || strchr("+-.", next) != NULL) return put_number(scan);
    note_mark(scan, next);
    return put(scan, 1);
}

static int scan_bytes(struct scan *scan) {
    if (is_at(scan, "\xEF\xBB\xBF")) scan->at += 3; /* a byte-order mark */
    KS_TRY(add_line(scan->text, scan->file, scan->line));
    while (scan->at < scan->end && scan->report->n_errors == 0) {
        KS_TRY(put_next(scan));
        if (scan->text->n_characters > LONGEST_TEXT)
            report_at(scan, scan->line, "more than 16 MiB; this is no configuration", "", 0);
    }
    return KS_OK;
}

static int scan_loaded(struct scan *scan, const char *path, const char *bytes, size_t n_bytes) {
    KS_TRY(add_file_name(scan->text, path, &scan->file));
    if (scan->text->n_lines > 0) KS_TRY(add_character(scan->text, '\n'));
    scan->at = bytes;
    scan->end = bytes + n_bytes;
    scan->line = 1;
    return scan_bytes(scan);
}

static int scan_file(struct ks_text *text, struct ks_faults *report, const char *path,
                     const struct open_file *parent, const char **reason) {
    struct stat status;
    struct open_file open = {.parent = parent};
    struct scan scan = {.text = text, .report = report, .open = &open};
    int depth = 0;
    *reason = NULL;
    if (stat(path, &status) == 0) {
        open.device = status.st_dev;
        open.inode = status.st_ino;
    }
    for (const struct open_file *other = parent; other != NULL; other = other->parent) {
        if (other->device == open.device && other->inode == open.inode) *reason = "it includes itself";
        depth++;
    }
    if (depth > DEEPEST_INCLUDE) *reason = "it lies more than 10 files deep";
    if (text->n_files >= MOST_FILES) *reason = "more than 1000 files are included";
    if (*reason != NULL) return KS_OK;
    char *bytes = NULL;
    size_t n_bytes = 0;
    int err = ks_text_load(path, &bytes, &n_bytes, reason);
    if (err == KS_OK && *reason == NULL) err = scan_loaded(&scan, path, bytes, n_bytes);
    free(bytes);
    return err;
}

int ks_text_read(struct ks_text *text, struct ks_faults *report, const char *path) {
    const char *reason = NULL;
    KS_TRY(scan_file(text, report, path, NULL, &reason));
    KS_CHECK(reason == NULL, KS_ERR_USAGE, "cannot read the configuration %s: %s", path, reason);
    return KS_OK;
}

int ks_text_read_string(struct ks_text *text, struct ks_faults *report, const char *name,
                        const char *string) {
    struct scan scan = {.text = text, .report = report};
    return scan_loaded(&scan, name, string, strlen(string));
}
