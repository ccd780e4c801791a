/* Writes the page of a file, whatever it holds. */
#include "report/report.h"

#include "report/page.h"
#include "report/report_impl.h"

#include <string.h>

/* The first line of a page: HTML allows comments before its document type. */
static const char first_line[] = "<!-- written by ketsweep report -->\n";

bool ks_report_is_page(FILE *stream) {
    char start[sizeof first_line];
    size_t n = fread(start, 1, sizeof first_line - 1, stream);
    return n == sizeof first_line - 1 && memcmp(start, first_line, n) == 0;
}

/* What is no file of HDF5's has neither group; whoever opens it as a campaign then says what is wrong. */
static int write_sections(struct ks_json *json, const char *path) {
    bool is_cohort, is_trial;
    KS_TRY(ks_report_find_group(path, "cohort", &is_cohort));
    KS_TRY(ks_report_find_group(path, "trial", &is_trial));
    return is_cohort  ? ks_report_write_cohort(json, path)
           : is_trial ? ks_report_write_trial(json, path)
                      : ks_report_write_campaign(json, path);
}

int ks_report_write_data(FILE *stream, const char *path) {
    struct ks_json json = {.stream = stream};
    ks_json_object(&json);
    KS_TRY(write_sections(&json, path));
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
