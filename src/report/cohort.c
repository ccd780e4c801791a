#include "report/report_impl.h"

int ks_report_write_cohort(struct ks_json *json, const char *path) {
    (void)json;
    (void)path;
    return KS_OK;
}
