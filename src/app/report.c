/* `ketsweep report`: a result file as one HTML page, beside it unless -o names another place. */
#include "report/report.h"
#include "app/app_impl.h"
#include "base/error.h"
#include "base/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* NAME.report.html for NAME.h5. */
static int name_page(const struct ks_arguments *arguments, char **page) {
    const char *from = arguments->output != NULL ? arguments->output : arguments->operand;
    size_t length = strlen(from);
    KS_ALLOCATE(*page, length + sizeof ".report.html");
    bool is_result = arguments->output == NULL && length > 3 && strcmp(from + length - 3, ".h5") == 0;
    sprintf(*page, "%.*s%s", (int)(is_result ? length - 3 : length), from,
            arguments->output == NULL ? ".report.html" : "");
    return KS_OK;
}

/* A page is made again at any time; what else is there is not ours to replace. */
static int check_replaced(const char *page) {
    struct stat file;
    if (stat(page, &file) != 0) return KS_OK;
    KS_CHECK(S_ISREG(file.st_mode), KS_ERR_USAGE, "%s is not a regular file", page);
    FILE *stream = fopen(page, "r");
    KS_CHECK(stream != NULL, KS_ERR_USAGE, "cannot read %s, which is there: %s", page, strerror(errno));
    bool is_page = file.st_size == 0 || ks_report_is_page(stream);
    fclose(stream);
    KS_CHECK(is_page, KS_ERR_USAGE,
             "%s exists and is no page of ketsweep; remove it, or let -o name another file", page);
    return KS_OK;
}

static int write_page(const char *page, const char *path) {
    struct ks_new_file file;
    KS_TRY(ks_output_begin(&file, page));
    int err = ks_report_write(file.stream, path);
    return ks_output_end(&file, err);
}

static int report(const struct ks_arguments *arguments, const char *page) {
    struct stat file;
    KS_TRY(check_replaced(page));
    KS_TRY(write_page(page, arguments->operand));
    if (stat(page, &file) == 0 && !arguments->is_quiet)
        fprintf(stderr, "%s: %.1f MB written\n", page, (double)file.st_size * 1e-6);
    return KS_OK;
}

int ks_report_command(const struct ks_arguments *arguments) {
    char *page = NULL;
    int err = name_page(arguments, &page);
    if (err == KS_OK) err = report(arguments, page);
    free(page);
    return err;
}
