/* Reads CSV files: a header, then rows with as many cells. Quoted cells (RFC 4180), CR LF, blank lines and
 * lines of comment (#) are tolerated; a ragged row or a cell that is no number is a fault at its line and
 * column.
 *
 * The file is held whole and cut in place: cells are pointers into its bytes. */
#include "base/memory.h"
#include "config/config_impl.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_FAULTS = 50 }; /* of one file, so that a wrong column does not drown the rest */

/* ---- faults ---------------------------------------------------------------------------------- */

static void report(struct ks_csv *csv, size_t line, size_t column, const char *format, va_list arguments) {
    csv->n_faults++;
    if (csv->n_faults > MOST_FAULTS) return;
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    if (stream != NULL) {
        fprintf(stream, "%s:%zu: ", csv->path, line);
        if (column > 0) fprintf(stream, "column %zu (%s): ", column, csv->header[column - 1]);
        vfprintf(stream, format, arguments);
        fclose(stream);
    }
    ks_faults_take(&csv->reader->report, false, ks_settings_order(csv->reader, csv->setting), line, text);
}

void ks_csv_fault(struct ks_csv *csv, size_t line, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    report(csv, line, 0, format, arguments);
    va_end(arguments);
}

void ks_csv_fault_cell(struct ks_csv *csv, size_t row, size_t column, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    report(csv, csv->lines[row], column + 1, format, arguments);
    va_end(arguments);
}

/* ---- cutting --------------------------------------------------------------------------------- */

struct cutter {
    char *at;
    size_t line;
    size_t n_cells, capacity; /* cells of all rows, one after another */
    char **cells;
};

static bool is_blank(char character) {
    return character == ' ' || character == '\t';
}

static char *trim(char *cell) {
    while (is_blank(*cell)) cell++;
    size_t n = strlen(cell);
    while (n > 0 && is_blank(cell[n - 1])) cell[--n] = '\0';
    return cell;
}

static int add_cell(struct cutter *cutter, char *cell) {
    if (cutter->n_cells == cutter->capacity) {
        size_t capacity = 2 * cutter->capacity + 256;
        char **cells = realloc(cutter->cells, capacity * sizeof *cells);
        KS_CHECK(cells != NULL, KS_ERR_MEMORY, "no memory for %zu cells of a CSV file", capacity);
        cutter->cells = cells;
        cutter->capacity = capacity;
    }
    cutter->cells[cutter->n_cells++] = trim(cell);
    return KS_OK;
}

/* Cuts one cell; true where the row goes on. Quotes are undone in place, which only shortens. */
static bool cut_cell(struct cutter *cutter, char **cell) {
    while (is_blank(*cutter->at)) cutter->at++;
    char *to = *cell = cutter->at;
    if (*cutter->at == '"') {
        for (cutter->at++; *cutter->at != '\0'; cutter->at++) {
            if (*cutter->at == '"' && *++cutter->at != '"') break;
            if (*cutter->at == '\n') cutter->line++;
            *to++ = *cutter->at;
        }
    }
    while (*cutter->at != '\0' && strchr(",\r\n", *cutter->at) == NULL) *to++ = *cutter->at++;
    char end = *cutter->at;
    if (end != '\0') cutter->at++;
    if (end == '\r' && *cutter->at == '\n') cutter->at++;
    if (end == '\r' || end == '\n') cutter->line++;
    *to = '\0';
    return end == ',';
}

/* Steps over blank lines and comments; false at the end of the file. */
static bool find_row(struct cutter *cutter) {
    for (;;) {
        size_t n_blank = strspn(cutter->at, " \t\r");
        char first = cutter->at[n_blank];
        if (first == '\0') return false;
        if (first != '\n' && first != '#') return true;
        cutter->at = strchr(cutter->at, '\n');
        if (cutter->at == NULL) return false;
        cutter->at++;
        cutter->line++;
    }
}

static int cut_row(struct cutter *cutter, size_t *n_cells) {
    size_t n_before = cutter->n_cells;
    bool goes_on = true;
    while (goes_on) {
        char *cell;
        goes_on = cut_cell(cutter, &cell);
        KS_TRY(add_cell(cutter, cell));
    }
    *n_cells = cutter->n_cells - n_before;
    return KS_OK;
}

static int add_row(struct ks_csv *csv, size_t *capacity, size_t line) {
    if (csv->n_rows == *capacity) {
        size_t larger = 2 * *capacity + 256;
        size_t *lines = realloc(csv->lines, larger * sizeof *lines);
        KS_CHECK(lines != NULL, KS_ERR_MEMORY, "no memory for %zu rows of a CSV file", larger);
        csv->lines = lines;
        *capacity = larger;
    }
    csv->lines[csv->n_rows++] = line;
    return KS_OK;
}

static int cut_rows(struct ks_csv *csv, struct cutter *cutter) {
    size_t capacity = 0;
    while (find_row(cutter)) {
        size_t line = cutter->line, n_before = cutter->n_cells, n_cells;
        KS_TRY(cut_row(cutter, &n_cells));
        if (n_cells == csv->n_columns) {
            KS_TRY(add_row(csv, &capacity, line));
        } else {
            ks_csv_fault(csv, line, "%zu cells where the header has %zu; give each row as many", n_cells,
                         csv->n_columns);
            cutter->n_cells = n_before;
        }
    }
    return KS_OK;
}

static int cut_file(struct ks_csv *csv, struct cutter *cutter) {
    if (!find_row(cutter)) {
        ks_csv_fault(csv, 1, "the file is empty; it needs a header and rows");
        return KS_OK;
    }
    csv->header_line = cutter->line;
    KS_TRY(cut_row(cutter, &csv->n_columns));
    KS_ALLOCATE(csv->header, csv->n_columns);
    memcpy(csv->header, cutter->cells, csv->n_columns * sizeof *csv->header);
    cutter->n_cells = 0;
    KS_TRY(cut_rows(csv, cutter));
    if (csv->n_rows == 0 && csv->n_faults == 0)
        ks_csv_fault(csv, csv->header_line, "no row follows the header; give at least one");
    return KS_OK;
}

int ks_csv_read(struct ks_csv *csv, struct ks_reader *reader, const config_setting_t *setting,
                const char *name) {
    *csv = (struct ks_csv){.reader = reader, .setting = setting};
    KS_TRY(ks_text_resolve(ks_settings_file(reader, setting), name, &csv->path));
    size_t n_bytes;
    const char *reason;
    KS_TRY(ks_text_load(csv->path, &csv->bytes, &n_bytes, &reason));
    if (reason != NULL) {
        ks_settings_fault(reader, setting, "cannot read %s: %s; give its name as seen from this file",
                          csv->path, reason);
        return KS_OK;
    }
    bool has_mark = strncmp(csv->bytes, "\xEF\xBB\xBF", 3) == 0;
    struct cutter cutter = {.at = csv->bytes + (has_mark ? 3 : 0), .line = 1};
    int err = cut_file(csv, &cutter);
    csv->cells = cutter.cells;
    return err;
}

void ks_csv_release(struct ks_csv *csv) {
    if (csv->n_faults > MOST_FAULTS)
        ks_faults_add(&csv->reader->report, false, ks_settings_order(csv->reader, csv->setting), SIZE_MAX,
                      "%s: %zu more faults", csv->path, csv->n_faults - MOST_FAULTS);
    free(csv->path);
    free(csv->bytes);
    free(csv->header);
    free(csv->cells);
    free(csv->lines);
}

/* ---- columns and cells ----------------------------------------------------------------------- */

static void report_header(struct ks_csv *csv, size_t column, int n_names, const char *const *names,
                          const char *otherwise) {
    char *hint = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&hint, &size);
    if (stream == NULL) return;
    ks_faults_suggest(stream, csv->header[column], n_names, names, otherwise);
    fclose(stream);
    ks_csv_fault(csv, csv->header_line, "column %zu: unknown name \"%s\"; %s", column + 1,
                 csv->header[column], hint);
    free(hint);
}

void ks_csv_find_columns(struct ks_csv *csv, int n_names, const char *const *names, int *columns,
                         const char *otherwise) {
    for (int i = 0; i < n_names; i++) columns[i] = -1;
    for (size_t column = 0; column < csv->n_columns; column++) {
        int i = 0;
        while (i < n_names && strcmp(csv->header[column], names[i]) != 0) i++;
        if (i == n_names)
            report_header(csv, column, n_names, names, otherwise);
        else if (columns[i] >= 0)
            ks_csv_fault(csv, csv->header_line,
                         "column %zu: \"%s\" is column %d already; leave out one of the two", column + 1,
                         names[i], columns[i] + 1);
        else
            columns[i] = (int)column;
    }
}

bool ks_csv_is_blank(const struct ks_csv *csv, size_t row, size_t column) {
    const char *cell = csv->cells[row * csv->n_columns + column];
    return cell[0] == '\0' || strcmp(cell, ".") == 0;
}

bool ks_csv_number(struct ks_csv *csv, size_t row, size_t column, bool is_blank_zero, double *value) {
    const char *cell = csv->cells[row * csv->n_columns + column];
    char *end;
    *value = 0;
    if (is_blank_zero && ks_csv_is_blank(csv, row, column)) return true;
    *value = strtod(cell, &end) + 0.0; /* -0 becomes 0 */
    if (end != cell && *end == '\0' && isfinite(*value)) return true;
    ks_csv_fault_cell(csv, row, column, "expected a number, found \"%.80s\"", cell);
    return false;
}

bool ks_csv_route(struct ks_csv *csv, size_t row, size_t column, double *value) {
    const char *cell = csv->cells[row * csv->n_columns + column];
    for (int i = 0; i < KS_N_ROUTES; i++) {
        if (strcmp(cell, ks_routes[i].name) != 0) continue;
        *value = i;
        return true;
    }
    char *end;
    *value = strtod(cell, &end);
    if (end != cell && *end == '\0' && ks_model_is_within(KS_LIMITS_ROUTE, *value)) return true;
    ks_csv_fault_cell(csv, row, column, "unknown route \"%.80s\"; it must be %s or its code", cell,
                      ks_limits[KS_LIMITS_ROUTE].words);
    return false;
}
