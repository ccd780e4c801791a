/* Writes the page of a file, whatever it holds. */
#include "report/report.h"

#include "report/page.h"
#include "report/report_impl.h"
#include "store/tables.h"

#include <stdbool.h>
#include <string.h>

/* The first line of a page: HTML allows comments before its document type. */
static const char first_line[] = "<!-- written by ketsweep report -->\n";

bool ks_report_is_page(FILE *stream) {
    char start[sizeof first_line];
    size_t n = fread(start, 1, sizeof first_line - 1, stream);
    return n == sizeof first_line - 1 && memcmp(start, first_line, n) == 0;
}

/* Whether the file holds this group; an error that is not about the group alone comes again from whoever opens the file. */
static bool has_group(const char *path, const char *group) {
    bool has = ks_tables_check(path, group) == KS_OK;
    ks_error_clear();
    return has;
}

int ks_report_write_data(FILE *stream, const char *path) {
    struct ks_json json = {.stream = stream};
    ks_json_object(&json);
    int err = has_group(path, "cohort")  ? ks_report_write_cohort(&json, path)
              : has_group(path, "trial") ? ks_report_write_trial(&json, path)
                                         : ks_report_write_campaign(&json, path);
    if (err < 0) return err;
    ks_json_end_object(&json);
    return KS_OK;
}

int ks_report_write(FILE *stream, const char *path) {
    size_t place = ks_page_place();
    fputs(first_line, stream);
    fwrite(ks_page_bytes, 1, place, stream);
    KS_TRY(ks_report_write_data(stream, path));
    fputc('\n', stream);
    fwrite(ks_page_bytes + place, 1, ks_page_size - place, stream);
    return KS_OK;
}
