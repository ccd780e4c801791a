/* `ketsweep merge`: joins the shards of a campaign into the file that one run would have written. */
#include "app/app_impl.h"
#include "base/error.h"
#include "base/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A file of the command line. */
struct shard {
    const char *path;
    struct ks_share share;
    bool is_complete;
};

struct merge {
    const struct ks_arguments *arguments;
    size_t n;
    struct shard *shards; /* [n], by number once they are sorted */
    const char **paths;   /* [n] of the sorted shards */
    ks_store *first;      /* the first file of the command line, open */
};

/* ---- each file ---------------------------------------------------------------------------------------------- */

/* The first line of what differs from the first file. */
static int find_difference(const struct ks_schema *a, const struct ks_schema *b, char *text, size_t size) {
    int n;
    char *lines = NULL;
    size_t length;
    FILE *stream = open_memstream(&lines, &length);
    KS_CHECK(stream != NULL, KS_ERR_MEMORY, "no memory to compare campaigns");
    if (strcmp(a->model_version, b->model_version) != 0)
        fprintf(stream, "model version: stored %s, present %s\n", a->model_version, b->model_version);
    int err = ks_config_compare(a->config, b->config, stream, &n);
    bool is_whole = fclose(stream) == 0;
    if (err == KS_OK && is_whole)
        snprintf(text, size, "%.*s", (int)strcspn(lines + strspn(lines, " "), "\n"),
                 lines + strspn(lines, " "));
    free(lines);
    KS_TRY(err);
    KS_CHECK(is_whole, KS_ERR_MEMORY, "no memory to compare campaigns");
    return KS_OK;
}

/* "KEY: stored VALUE, present VALUE" says of which file each value is. */
static int check_campaign(const struct merge *m, const ks_store *store, const char *path) {
    char difference[512] = "";
    KS_TRY(find_difference(ks_store_schema(store), ks_store_schema(m->first), difference, sizeof difference));
    KS_CHECK(difference[0] == '\0', KS_ERR_USAGE,
             "%s belongs to another campaign than %s (%s); \"stored\" is the former's", path,
             m->shards[0].path, difference);
    return KS_OK;
}

static int check_file(const struct merge *m, const ks_store *store, struct shard *shard) {
    const struct ks_share *first = &m->shards[0].share;
    shard->share = ks_store_schema(store)->share;
    shard->is_complete = ks_store_is_complete(store);
    KS_CHECK(shard->share.count > 0, KS_ERR_USAGE,
             "%s is no shard but the file of a whole campaign; there is nothing to merge", shard->path);
    KS_TRY(check_campaign(m, store, shard->path));
    KS_CHECK(shard->share.count == first->count, KS_ERR_USAGE,
             "%s is shard %" PRIu64 " of %" PRIu64 ", but %s is one of %" PRIu64, shard->path,
             shard->share.number, shard->share.count, m->shards[0].path, first->count);
    return KS_OK;
}

static int read_file(struct merge *m, size_t i) {
    ks_store *store;
    struct shard *shard = &m->shards[i];
    shard->path = m->arguments->operands[i];
    KS_CHECK(!ks_output_is_same_file(m->arguments->output, shard->path), KS_ERR_USAGE,
             "%s is a shard; -o names another file", m->arguments->output);
    KS_TRY(ks_store_open(&store, shard->path));
    if (i == 0) m->first = store;
    int err = check_file(m, store, shard);
    int closed = i == 0 ? KS_OK : ks_store_close(&store);
    return err < 0 ? err : closed;
}

/* ---- all of them -------------------------------------------------------------------------------------------- */

static int compare_numbers(const void *a, const void *b) {
    uint64_t x = ((const struct shard *)a)->share.number, y = ((const struct shard *)b)->share.number;
    return (x > y) - (x < y);
}

static int check_overlap(const struct merge *m) {
    for (size_t i = 1; i < m->n; i++)
        KS_CHECK(m->shards[i].share.number != m->shards[i - 1].share.number, KS_ERR_USAGE,
                 "%s and %s are both shard %" PRIu64 " of %" PRIu64, m->shards[i - 1].path, m->shards[i].path,
                 m->shards[i].share.number, m->shards[i].share.count);
    return KS_OK;
}

/* Adds "NAME, " to a list; nothing where it is full, which ends in "...". */
static void append(char *list, size_t size, const char *name) {
    size_t used = strlen(list), needed = strlen(name) + sizeof ", ...";
    if (used + needed < size)
        snprintf(list + used, size - used, "%s%s", used > 0 ? ", " : "", name);
    else if (used > 3 && strcmp(list + used - 3, "...") != 0)
        snprintf(list + used, size - used, ", ...");
}

static int check_missing(const struct merge *m) {
    char missing[256] = "", number[32];
    uint64_t count = m->shards[0].share.count, n_missing = count - m->n;
    for (uint64_t k = 1, i = 0; k <= count && strlen(missing) + sizeof number < sizeof missing; k++) {
        snprintf(number, sizeof number, "%" PRIu64, k);
        if (i < m->n && m->shards[i].share.number == k)
            i++;
        else
            append(missing, sizeof missing, number);
    }
    KS_CHECK(n_missing == 0, KS_ERR_USAGE, "%" PRIu64 " of %" PRIu64 " shards %s not among the files: %s%s",
             n_missing, count, n_missing == 1 ? "is" : "are", missing,
             strlen(missing) + sizeof number < sizeof missing ? "" : ", ...");
    return KS_OK;
}

static int check_finished(const struct merge *m) {
    char names[1024] = "";
    size_t n = 0;
    for (size_t i = 0; i < m->n; i++) {
        if (m->shards[i].is_complete) continue;
        append(names, sizeof names, m->shards[i].path);
        n++;
    }
    KS_CHECK(n == 0, KS_ERR_USAGE, "%s %s not finished; the `ketsweep run` that began %s goes on with %s",
             names, n == 1 ? "is" : "are", n == 1 ? "it" : "each", n == 1 ? "it" : "them");
    return KS_OK;
}

static int read_shards(struct merge *m) {
    KS_CHECK(m->arguments->output != NULL, KS_ERR_USAGE, "merge needs -o FILE, the file to write");
    for (size_t i = 0; i < m->n; i++) KS_TRY(read_file(m, i));
    qsort(m->shards, m->n, sizeof *m->shards, compare_numbers);
    KS_TRY(check_overlap(m));
    KS_TRY(check_missing(m));
    KS_TRY(check_finished(m));
    for (size_t i = 0; i < m->n; i++) m->paths[i] = m->shards[i].path;
    return KS_OK;
}

/* ---- the command -------------------------------------------------------------------------------------------- */

static int write_whole(const struct merge *m) {
    struct ks_lock lock;
    const char *path = m->arguments->output;
    struct ks_schema whole = *ks_store_schema(m->first); /* borrows its texts */
    whole.n_points = whole.share.n_points;
    whole.share = (struct ks_share){0};
    KS_TRY(ks_store_lock(&lock, path));
    ks_store_remove_leftovers(path);
    int err = ks_store_merge(path, &whole, m->arguments->overwrites, m->n, m->paths);
    ks_store_unlock(&lock);
    KS_TRY(err);
    if (!m->arguments->is_quiet)
        fprintf(stderr, "%s: %" PRIu64 " points of %zu shard%s\n", path, whole.n_points, m->n,
                m->n == 1 ? "" : "s");
    return 0;
}

int ks_merge_command(const struct ks_arguments *arguments) {
    struct merge m = {.arguments = arguments, .n = (size_t)arguments->n_operands};
    m.shards = ks_memory_allocate(m.n, sizeof *m.shards);
    m.paths = ks_memory_allocate(m.n, sizeof *m.paths);
    bool has_room = m.shards != NULL && m.paths != NULL;
    int status = has_room ? KS_OK : ks_error_raise(KS_ERR_MEMORY, __FILE__, __LINE__, "no memory to merge");
    if (status == KS_OK) status = read_shards(&m);
    if (status == KS_OK) status = write_whole(&m);
    int err = ks_store_close(&m.first);
    free(m.paths);
    free(m.shards);
    return status < 0 ? status : err < 0 ? err : status;
}
