/* The report of a configuration: every fault and warning with its place, one line each, in the order in which
 * a reader of the file meets them.
 *
 * A fault that finds no memory is only remembered as such: whoever reads settings need not check for it. */
#include "base/memory.h"
#include "config/config_impl.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_WORD = 63, MOST_LISTED = 24, MOST_KEPT = 1000, LONGEST_FAULT = 2000 };

/* A report is one line per fault whatever strings a configuration holds. */
static void make_line(char *text) {
    if (strlen(text) > LONGEST_FAULT) strcpy(&text[LONGEST_FAULT - 3], "...");
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < ' ' || *text == 127) *text = '?';
}

bool ks_faults_is_full(const struct ks_faults *report, bool is_warning) {
    return (is_warning ? report->n_warnings : report->n_errors) >= MOST_KEPT;
}

void ks_faults_take(struct ks_faults *report, bool is_warning, size_t order, size_t suborder, char *text) {
    bool is_full = ks_faults_is_full(report, is_warning);
    (*(is_warning ? &report->n_warnings : &report->n_errors))++;
    if (is_full) {
        free(text);
        return;
    }
    if (report->n == report->capacity) {
        size_t capacity = 2 * report->capacity + 16;
        struct ks_fault *faults = realloc(report->faults, capacity * sizeof *faults);
        if (faults != NULL) {
            report->faults = faults;
            report->capacity = capacity;
        }
    }
    if (text == NULL || report->n == report->capacity) {
        report->has_run_out = true;
        free(text);
        return;
    }
    make_line(text);
    report->faults[report->n] = (struct ks_fault){{order, suborder, report->n}, is_warning, text};
    report->n++;
}

void ks_faults_add(struct ks_faults *report, bool is_warning, size_t order, size_t suborder,
                   const char *format, ...) {
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    if (stream != NULL) {
        va_list arguments;
        va_start(arguments, format);
        vfprintf(stream, format, arguments);
        va_end(arguments);
        fclose(stream);
    }
    ks_faults_take(report, is_warning, order, suborder, text);
}

static int compare_faults(const void *left, const void *right) {
    const struct ks_fault *a = left, *b = right;
    int i = 0;
    while (i < 2 && a->order[i] == b->order[i]) i++;
    return (a->order[i] > b->order[i]) - (a->order[i] < b->order[i]);
}

void ks_faults_write(struct ks_faults *report, bool with_warnings, FILE *stream) {
    if (report->n > 0) qsort(report->faults, report->n, sizeof *report->faults, compare_faults);
    for (size_t i = 0; i < report->n; i++) {
        const struct ks_fault *fault = &report->faults[i];
        if (fault->is_warning && !with_warnings) continue;
        fprintf(stream, "%s%s\n", fault->is_warning ? "warning: " : "", fault->text);
    }
    if (report->n_errors > MOST_KEPT) fprintf(stream, "and %zu more faults\n", report->n_errors - MOST_KEPT);
}

void ks_faults_release(struct ks_faults *report) {
    for (size_t i = 0; i < report->n; i++) free(report->faults[i].text);
    free(report->faults);
    *report = (struct ks_faults){0};
}

static char lower_case(char character) {
    return character >= 'A' && character <= 'Z' ? (char)(character + 'a' - 'A') : character;
}

static int min_int(int a, int b) {
    return a < b ? a : b;
}

/* Optimal string alignment: insertions, deletions, replacements and swaps of neighbours, letters of either
 * case. */
static int edit_distance(const char *a, int n_a, const char *b, int n_b) {
    int rows[3][LONGEST_WORD + 1];
    for (int j = 0; j <= n_b; j++) rows[0][j] = j;
    for (int i = 1; i <= n_a; i++) {
        int *row = rows[i % 3], *above = rows[(i + 2) % 3], *second = rows[(i + 1) % 3];
        row[0] = i;
        for (int j = 1; j <= n_b; j++) {
            char x = lower_case(a[i - 1]), y = lower_case(b[j - 1]);
            row[j] = min_int(min_int(above[j], row[j - 1]) + 1, above[j - 1] + (x != y));
            bool is_swap = i > 1 && j > 1 && x == lower_case(b[j - 2]) && y == lower_case(a[i - 2]);
            if (is_swap) row[j] = min_int(row[j], second[j - 2] + 1);
        }
    }
    return rows[n_a % 3][n_b];
}

static int common_prefix(const char *a, const char *b) {
    int n = 0;
    while (a[n] != '\0' && lower_case(a[n]) == lower_case(b[n])) n++;
    return n;
}

/* A word is near where at most a third of its letters differ: no suggestion is better than a far one. Of two words as
 * near, people get the beginning right. */
const char *ks_config_nearest(const char *word, int n_known, const char *const *known) {
    size_t n_word = strlen(word);
    if (n_word > LONGEST_WORD) return NULL;
    int best = n_word < 6 ? 1 : (int)n_word / 3, best_prefix = -1;
    const char *nearest = NULL;
    for (int i = 0; i < n_known; i++) {
        size_t n = strlen(known[i]);
        if (n > LONGEST_WORD) continue;
        int distance = edit_distance(word, (int)n_word, known[i], (int)n),
            prefix = common_prefix(word, known[i]);
        if (distance > best || distance >= (int)n || (distance == best && prefix <= best_prefix)) continue;
        best = distance;
        best_prefix = prefix;
        nearest = known[i];
    }
    return nearest;
}

void ks_faults_suggest(FILE *stream, const char *word, int n_known, const char *const *known,
                       const char *otherwise) {
    const char *nearest = ks_config_nearest(word, n_known, known);
    if (nearest != NULL) {
        fprintf(stream, "did you mean \"%s\"?", nearest);
    } else if (otherwise != NULL && n_known > MOST_LISTED) {
        fputs(otherwise, stream);
    } else {
        fputs("known are", stream);
        for (int i = 0; i < n_known; i++) fprintf(stream, "%s %s", i > 0 ? "," : "", known[i]);
    }
}
