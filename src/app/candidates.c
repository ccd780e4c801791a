/* The plausible candidates of a cohort, and why the others are not. A log beside the result keeps what is done, a block for
 * each commit, so that an interrupted run goes on: of a block that was not written whole nothing is taken. */
#include "app/study_impl.h"
#include "base/error.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char magic[16] = "ketsweep log 1\n";

struct header {
    char magic[16];
    uint64_t identity, stride, n_reasons;
};

struct block {
    uint64_t n_done, n_rows, checksum; /* n_done: candidates so far */
};

static uint64_t add_bytes(uint64_t hash, const void *bytes, size_t n) {
    const unsigned char *c = bytes;
    for (size_t i = 0; i < n; i++) hash = (hash ^ c[i]) * 0x100000001b3u;
    return hash;
}

static uint64_t checksum(const struct ks_candidates *c, const struct block *block, const double *rows,
                         const uint64_t *rejected) {
    uint64_t hash = add_bytes(0xcbf29ce484222325u, &block->n_done, sizeof block->n_done);
    hash = add_bytes(hash, rejected, (size_t)c->n_reasons * sizeof *rejected);
    return add_bytes(hash, rows, block->n_rows * c->plausible.stride * sizeof *rows);
}

/* ---- reading -------------------------------------------------------------------------------------------------- */

static int take_block(struct ks_candidates *c, FILE *stream, const struct block *block, uint64_t *rejected,
                      bool *is_whole) {
    struct ks_gathered *all = &c->plausible;
    size_t n = block->n_rows * all->stride;
    double *larger = realloc(all->rows, (all->n + block->n_rows + 1) * all->stride * sizeof *larger);
    KS_CHECK(larger != NULL, KS_ERR_MEMORY, "no memory for %zu candidates", all->n + block->n_rows);
    all->rows = larger;
    all->capacity = all->n + block->n_rows + 1;
    double *rows = &all->rows[all->n * all->stride];
    *is_whole = fread(rejected, sizeof *rejected, (size_t)c->n_reasons, stream) == (size_t)c->n_reasons &&
                fread(rows, sizeof *rows, n, stream) == n &&
                checksum(c, block, rows, rejected) == block->checksum;
    if (!*is_whole) return KS_OK;
    for (int i = 0; i < c->n_reasons; i++) c->rejected[i] += rejected[i];
    all->n += block->n_rows;
    c->n_done = block->n_done;
    return KS_OK;
}

static int take_blocks(struct ks_candidates *c, FILE *stream, long *end) {
    struct block block;
    uint64_t *rejected;
    bool is_whole = true;
    int err = KS_OK;
    KS_ALLOCATE(rejected, (size_t)c->n_reasons);
    while (err == KS_OK && is_whole && fread(&block, sizeof block, 1, stream) == 1) {
        is_whole = block.n_rows <= block.n_done - c->n_done && block.n_done > c->n_done;
        if (is_whole) err = take_block(c, stream, &block, rejected, &is_whole);
        if (is_whole) *end = ftell(stream);
    }
    free(rejected);
    return err;
}

/* Whether it is of these candidates. */
static bool is_own(const struct ks_candidates *c, const struct header *h) {
    return memcmp(h->magic, magic, sizeof magic) == 0 && h->identity == c->identity &&
           h->stride == c->plausible.stride;
}

static int read_blocks(struct ks_candidates *c, FILE *stream) {
    long end = ftell(stream);
    KS_TRY(take_blocks(c, stream, &end));
    KS_CHECK(truncate(c->log, end) == 0, KS_ERR_IO, "cannot cut %s", c->log);
    return KS_OK;
}

/* ---- writing -------------------------------------------------------------------------------------------------- */

static int close_synced(FILE *stream, const char *path, bool is_good) {
    is_good = is_good && fflush(stream) == 0 && fsync(fileno(stream)) == 0;
    is_good &= fclose(stream) == 0;
    KS_CHECK(is_good, KS_ERR_IO, "cannot write to %s", path);
    return KS_OK;
}

static int begin_log(const struct ks_candidates *c) {
    struct header h = {
        .identity = c->identity, .stride = c->plausible.stride, .n_reasons = (uint64_t)c->n_reasons};
    FILE *stream = fopen(c->log, "wb");
    KS_CHECK(stream != NULL, KS_ERR_USAGE, "cannot create %s", c->log);
    memcpy(h.magic, magic, sizeof magic);
    return close_synced(stream, c->log, fwrite(&h, sizeof h, 1, stream) == 1);
}

int ks_candidates_append(struct ks_candidates *c, uint64_t n_done, size_t first_row,
                         const uint64_t *rejected) {
    const double *rows = &c->plausible.rows[first_row * c->plausible.stride];
    struct block block = {.n_done = n_done, .n_rows = c->plausible.n - first_row};
    size_t n = block.n_rows * c->plausible.stride, k = (size_t)c->n_reasons;
    FILE *stream = fopen(c->log, "ab");
    KS_CHECK(stream != NULL, KS_ERR_IO, "cannot write to %s", c->log);
    block.checksum = checksum(c, &block, rows, rejected);
    bool is_good = fwrite(&block, sizeof block, 1, stream) == 1 &&
                   fwrite(rejected, sizeof *rejected, k, stream) == k &&
                   fwrite(rows, sizeof *rows, n, stream) == n;
    for (int i = 0; i < c->n_reasons; i++) c->rejected[i] += rejected[i];
    c->n_done = n_done;
    return close_synced(stream, c->log, is_good);
}

/* ---- the table ------------------------------------------------------------------------------------------------ */

static int copy(const char *text, char **to) {
    KS_CHECK((*to = strdup(text)) != NULL, KS_ERR_MEMORY, "no memory for text");
    return KS_OK;
}

static int name_reasons(struct ks_candidates *c, const struct ks_clinical_study *study) {
    KS_ALLOCATE(c->reasons, (size_t)(KS_REASON_bounds + study->n_bounds));
    KS_ALLOCATE(c->rejected, (size_t)(KS_REASON_bounds + study->n_bounds));
    c->n_reasons = KS_REASON_bounds + study->n_bounds;
    for (int i = 0; i < KS_N_STATUSES; i++) KS_TRY(copy(ks_status_names[i], &c->reasons[i]));
    KS_TRY(copy("outside the model's limits", &c->reasons[KS_REASON_limits]));
    KS_TRY(copy("no value of a measure", &c->reasons[KS_REASON_no_value]));
    for (int i = 0; i < study->n_bounds; i++)
        KS_TRY(copy(study->bounds[i].reason, &c->reasons[KS_REASON_bounds + i]));
    return KS_OK;
}

/* FNV-1a. What is asked of the candidates is among what decides their rows; the numbers of targets are not. */
static uint64_t identify(const struct ks_session *session) {
    const struct ks_clinical_study *study = session->campaign.study;
    uint64_t hash = ks_session_hash(study->candidates) ^ ks_session_hash(session->model_version);
    hash = add_bytes(hash, study->measures, (size_t)study->n_measures * sizeof *study->measures);
    for (int i = 0; i < study->n_targets; i++) {
        const struct ks_target *target = &study->targets[i];
        if (target->given < 0) continue; /* of pairs, the rows hold what one rater sees */
        hash = add_bytes(hash, &target->given, sizeof target->given);
        hash = add_bytes(hash, &target->measure, sizeof target->measure);
    }
    return hash;
}

/* A log that was killed before its header was on disk is none. */
static int continue_log(struct ks_candidates *c, FILE *stream, bool overwrites) {
    struct header h = {0};
    size_t n = fread(&h, 1, sizeof h, stream);
    KS_CHECK(!ferror(stream), KS_ERR_IO, "cannot read %s", c->log);
    bool is_torn = n < sizeof h && memcmp(h.magic, magic, n < sizeof magic ? n : sizeof magic) == 0;
    if (is_torn) return begin_log(c);
    if (n == sizeof h && is_own(c, &h)) return read_blocks(c, stream);
    KS_CHECK(overwrites, KS_ERR_USAGE, "%s is of another study; --overwrite starts anew", c->log);
    return begin_log(c);
}

int ks_candidates_open(struct ks_candidates *c, const struct ks_session *session, const char *path) {
    const struct ks_clinical_study *study = session->campaign.study;
    size_t size = strlen(path) + sizeof ".candidates";
    c->plausible.stride = KS_CANDIDATE_MEASURES + (size_t)study->n_measures;
    c->identity = identify(session);
    KS_TRY(name_reasons(c, study));
    if (session->rank != 0) return KS_OK;
    KS_ALLOCATE(c->log, size);
    snprintf(c->log, size, "%s.candidates", path);
    FILE *stream = fopen(c->log, "rb");
    if (stream == NULL) return begin_log(c);
    int err = continue_log(c, stream, session->arguments->overwrites);
    fclose(stream);
    return err;
}

void ks_candidates_discard(struct ks_candidates *c) {
    if (c->log != NULL) unlink(c->log);
}

void ks_candidates_release(struct ks_candidates *c) {
    for (int i = 0; c->reasons != NULL && i < c->n_reasons; i++) free(c->reasons[i]);
    free(c->reasons);
    free(c->rejected);
    free(c->plausible.rows);
    free(c->log);
    *c = (struct ks_candidates){0};
}
