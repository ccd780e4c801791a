/* Where a command's text goes: standard output or the file of -o, whole or with an error; numbers as R and pandas read
 * them. */
#include "app/app_impl.h"
#include "base/error.h"
#include "base/memory.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool ks_output_is_same_file(const char *a, const char *b) {
    struct stat first, second;
    return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

int ks_output_open(const struct ks_arguments *arguments, FILE **stream) {
    const char *path = arguments->output;
    *stream = stdout;
    if (path == NULL) return KS_OK;
    /* opening a file for writing empties it: not the one that the command reads */
    KS_CHECK(!ks_output_is_same_file(path, arguments->operand), KS_ERR_USAGE,
             "%s is what is read; -o names another file", path);
    *stream = fopen(path, "w");
    KS_CHECK(*stream != NULL, KS_ERR_USAGE, "cannot write %s: %s", path, strerror(errno));
    return KS_OK;
}

int ks_output_close(FILE *stream, const char *path) {
    bool is_written = fflush(stream) == 0 && !ferror(stream);
    int reason = errno;
    if (stream != stdout && fclose(stream) != 0 && is_written) {
        is_written = false;
        reason = errno;
    }
    KS_CHECK(is_written, KS_ERR_IO, "cannot write %s: %s", path != NULL ? path : "to standard output",
             strerror(reason));
    return KS_OK;
}

/* ---- files that appear whole ----------------------------------------------------------------------------------- */

static int open_temporary(struct ks_new_file *file, const char *path) {
    size_t size = strlen(file->target) + sizeof ".part-XXXXXX";
    KS_ALLOCATE(file->temporary, size);
    snprintf(file->temporary, size, "%s.part-XXXXXX", file->target);
    int descriptor = mkstemp(file->temporary);
    KS_CHECK(descriptor >= 0, KS_ERR_USAGE, "cannot write %s: %s", path, strerror(errno));
    file->stream = fdopen(descriptor, "w");
    if (file->stream != NULL) return KS_OK;
    close(descriptor);
    unlink(file->temporary);
    return ks_error_raise(KS_ERR_MEMORY, __FILE__, __LINE__, "no memory to write %s", path);
}

int ks_output_begin(struct ks_new_file *file, const char *path) {
    *file = (struct ks_new_file){.target = ks_create_copy_target(path)};
    KS_CHECK(file->target != NULL, KS_ERR_MEMORY, "no memory for the name of %s", path);
    int err = open_temporary(file, path);
    return err < 0 ? ks_output_end(file, err) : KS_OK;
}

int ks_output_end(struct ks_new_file *file, int err) {
    if (file->stream != NULL) {
        bool is_written = fflush(file->stream) == 0 && !ferror(file->stream);
        if (err == KS_OK && !is_written)
            err = ks_error_raise(KS_ERR_IO, __FILE__, __LINE__, "cannot write %s: %s", file->target,
                                 strerror(errno));
        if (err == KS_OK)
            err = ks_create_give_name(fileno(file->stream), file->temporary, file->target, true);
        fclose(file->stream);
        if (err < 0) unlink(file->temporary);
    }
    free(file->temporary);
    free(file->target);
    *file = (struct ks_new_file){0};
    return err;
}

/* ---- numbers and text ------------------------------------------------------------------------------------------ */

void ks_output_number(FILE *stream, double value, int n_digits) {
    if (isnan(value))
        fputs("NaN", stream); /* printf's "-nan" is text to R */
    else
        fprintf(stream, "%.*g", n_digits, value);
}

void ks_output_json_text(FILE *stream, const char *text) {
    fputc('"', stream);
    for (; *text != '\0'; text++) {
        unsigned char character = (unsigned char)*text;
        if (character == '"' || character == '\\')
            fprintf(stream, "\\%c", character);
        else if (character < ' ')
            fprintf(stream, "\\u%04x", character);
        else
            fputc(character, stream);
    }
    fputc('"', stream);
}

void ks_output_json_number(FILE *stream, double value) {
    if (isfinite(value))
        fprintf(stream, "%.17g", value);
    else
        fputs("null", stream);
}
