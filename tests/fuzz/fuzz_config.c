/* Loads any bytes as a configuration, with the files that it reads and the command line's overrides.
 *
 * The input is the configuration up to a line "%% file NAME", which begins a file that the configuration may include or
 * name, or "%% set KEY=VALUE", an override. No other file is there: the linker leads fopen() and stat() here.
 *
 * What must hold: every input loads or gives at least one sentence; a campaign that loads has finite points within the
 * hard limits, and its canonical text is a configuration with the same canonical text. */
#include "fuzz.h"

#include "base/error.h"
#include "config/config.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MOST_PARTS = 8 };

struct file {
    char *name, *text;
    size_t size;
};

struct input {
    int n_files, n_overrides;
    struct file files[MOST_PARTS];
    char *overrides[MOST_PARTS];
};

static const struct input *now; /* what fopen() and stat() see */

/* ---- the only files there are ------------------------------------------------------------------------------- */

FILE *__wrap_fopen(const char *path, const char *mode);
FILE *__real_fopen(const char *path, const char *mode);
int __wrap_stat(const char *path, struct stat *status);
int __real_stat(const char *path, struct stat *status);

static const struct file *find_file(const char *path) {
    for (int i = 0; i < now->n_files; i++)
        if (strcmp(now->files[i].name, path) == 0) return &now->files[i];
    errno = ENOENT;
    return NULL;
}

/* The fuzzer itself reads files between inputs, and writes at any time. */
FILE *__wrap_fopen(const char *path, const char *mode) {
    if (now == NULL || strcmp(mode, "rb") != 0) return __real_fopen(path, mode);
    const struct file *file = find_file(path);
    return file == NULL ? NULL : fmemopen(file->text, file->size, mode);
}

int __wrap_stat(const char *path, struct stat *status) {
    if (now == NULL) return __real_stat(path, status);
    const struct file *file = find_file(path);
    if (file == NULL) return -1;
    *status = (struct stat){.st_ino = (ino_t)(file - now->files) + 1};
    return 0;
}

/* ---- the input ---------------------------------------------------------------------------------------------- */

static void begin_file(struct input *input, const char *name, size_t n_name) {
    if (input->n_files == MOST_PARTS) return;
    struct file *file = &input->files[input->n_files++];
    file->name = strndup(name, n_name);
    file->text = calloc(1, 1);
}

static void append(struct file *file, const char *line, size_t n) {
    file->text = realloc(file->text, file->size + n + 1);
    memcpy(file->text + file->size, line, n);
    file->size += n;
}

static bool begins_with(const char *line, size_t n, const char *word) {
    return n >= strlen(word) && memcmp(line, word, strlen(word)) == 0;
}

static void take_line(struct input *input, const char *line, size_t n) {
    size_t n_text = n > 0 && line[n - 1] == '\n' ? n - 1 : n;
    if (begins_with(line, n_text, "%% file "))
        begin_file(input, line + 8, n_text - 8);
    else if (begins_with(line, n_text, "%% set ")) {
        if (input->n_overrides < MOST_PARTS)
            input->overrides[input->n_overrides++] = strndup(line + 7, n_text - 7);
    } else
        append(&input->files[input->n_files - 1], line, n);
}

static void cut(const char *bytes, size_t n_bytes, struct input *input) {
    begin_file(input, "a.cfg", 5);
    while (n_bytes > 0) {
        const char *newline = memchr(bytes, '\n', n_bytes);
        size_t n = newline == NULL ? n_bytes : (size_t)(newline - bytes) + 1;
        take_line(input, bytes, n);
        bytes += n;
        n_bytes -= n;
    }
}

static void release(struct input *input) {
    for (int i = 0; i < input->n_files; i++) {
        free(input->files[i].name);
        free(input->files[i].text);
    }
    for (int i = 0; i < input->n_overrides; i++) free(input->overrides[i]);
}

/* ---- what must hold ----------------------------------------------------------------------------------------- */

static void check(bool holds, const char *what, const char *text) {
    if (holds) return;
    fprintf(stderr, "fuzz_config: this does not hold: %s\n%s\n", what, text);
    abort();
}

static void check_points(const struct ks_campaign *campaign) {
    const struct ks_design *design = &campaign->design;
    double *values = calloc((size_t)design->n_variables + 1, sizeof *values);
    for (int k = 0; k < 2; k++) {
        ks_design_point(design, k == 0 ? 0 : design->n_points - 1, values);
        for (int i = 0; i < design->n_variables; i++) {
            const struct ks_parameter_info *info = &campaign->parameter_table[design->variables[i].parameter];
            check(ks_model_is_within(info->limits, values[i]), "points are within limits", info->name);
        }
    }
    free(values);
}

/* Where a hash stands for an array, the text is no configuration. */
static void check_canonical(const struct ks_campaign *campaign) {
    struct input input = {0};
    struct ks_campaign again;
    char *sentences = NULL;
    size_t size = 0;
    if (strstr(campaign->canonical, "hash = ") != NULL) return;
    cut(campaign->canonical, strlen(campaign->canonical), &input);
    now = &input;
    FILE *messages = open_memstream(&sentences, &size);
    int err = ks_config_load("a.cfg", 0, NULL, false, messages, &again);
    fclose(messages);
    check(err == KS_OK, "the canonical text is a configuration", sentences);
    check(strcmp(again.canonical, campaign->canonical) == 0, "the canonical text is its own",
          again.canonical);
    ks_config_release(&again);
    free(sentences);
    release(&input);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes) {
    struct input input = {0};
    struct ks_campaign campaign;
    char *sentences = NULL;
    size_t size = 0;
    cut((const char *)bytes, n_bytes, &input);
    now = &input;
    FILE *messages = open_memstream(&sentences, &size);
    int err = ks_config_load("a.cfg", input.n_overrides, (const char *const *)input.overrides, true, messages,
                             &campaign);
    fclose(messages);
    if (err == KS_OK) {
        check_points(&campaign);
        check_canonical(&campaign);
        ks_config_release(&campaign);
    } else {
        check(err == KS_ERR_USAGE, "the fault is the user's", ks_error_message());
        check(ks_error_message()[0] != '\0', "a fault has a sentence", "");
        ks_error_clear();
    }
    free(sentences);
    release(&input);
    now = NULL;
    return 0;
}
