/* What becomes of a file that is there: it goes on, is extended, or is refused; and which of its rounds are good. */
#include "app/app_impl.h"
#include "base/agree.h"
#include "base/error.h"
#include "base/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* What is known of the file and of the campaign that is to go on in it. */
struct meeting {
    const char *path;
    const struct ks_arguments *arguments;
    const struct ks_campaign *campaign;
    const struct ks_schema *present, *stored;
    MPI_Info hints;
    char *differences; /* a line each; "" where there are none */
    bool only_points;  /* the design has more points, and nothing else differs */
    uint64_t n_stored; /* then: design.points of the file */
    bool is_complete;  /* the file is */
};

/* ---- another campaign --------------------------------------------------------------------------------------- */

static int list_differences(struct meeting *m, FILE *stream) {
    int n;
    if (strcmp(m->stored->model_version, m->present->model_version) != 0)
        fprintf(stream, "  model version: stored %s, present %s\n", m->stored->model_version,
                m->present->model_version);
    const struct ks_share *a = &m->stored->share, *b = &m->present->share;
    if (a->number != b->number || a->count != b->count)
        fprintf(stream,
                "  shard: stored %" PRIu64 "/%" PRIu64 ", present %" PRIu64 "/%" PRIu64
                " (0/0: all points)\n",
                a->number, a->count, b->number, b->count);
    return ks_config_compare(m->stored->config, m->present->config, stream, &n);
}

static int find_differences(struct meeting *m) {
    size_t size;
    FILE *stream = open_memstream(&m->differences, &size);
    KS_CHECK(stream != NULL, KS_ERR_MEMORY, "no memory to compare campaigns");
    int err = list_differences(m, stream);
    bool is_whole = fclose(stream) == 0;
    KS_TRY(err);
    KS_CHECK(is_whole, KS_ERR_MEMORY, "no memory to compare campaigns");
    return KS_OK;
}

/* The canonical text that the campaign would have with the number of points of the file. */
static int load_smaller(const struct meeting *m, struct ks_campaign *smaller) {
    const struct ks_arguments *a = m->arguments;
    const char **overrides;
    char points[48];
    snprintf(points, sizeof points, "design.points=%" PRIu64 "%s", m->n_stored,
             m->n_stored > INT32_MAX ? "L" : "");
    FILE *silence = fopen("/dev/null", "w");
    KS_CHECK(silence != NULL, KS_ERR_IO, "cannot open /dev/null");
    size_t n = (size_t)a->n_overrides;
    overrides = ks_memory_allocate(n + 1, sizeof *overrides);
    int err = overrides != NULL ? KS_OK : ks_error_raise(KS_ERR_MEMORY, __FILE__, __LINE__, "no memory");
    if (err == KS_OK) {
        if (n > 0) memcpy(overrides, a->overrides, n * sizeof *overrides);
        overrides[n] = points;
        err = ks_config_load(a->operand, (int)n + 1, overrides, false, silence, smaller);
    }
    free(overrides);
    fclose(silence);
    return err;
}

/* Whether the design that is stored is the beginning of the present one. */
static int judge_points(struct meeting *m) {
    uint64_t n_present;
    struct ks_campaign smaller;
    bool has_points = ks_config_find_points(m->stored->config, &m->n_stored) &&
                      ks_config_find_points(m->present->config, &n_present);
    bool is_same_model = strcmp(m->stored->model_version, m->present->model_version) == 0;
    bool is_shard = m->stored->share.count > 0 || m->present->share.count > 0;
    if (!has_points || !is_same_model || is_shard ||
        !ks_design_extends(m->campaign->design.kind, m->n_stored, n_present))
        return KS_OK;
    if (load_smaller(m, &smaller) < 0) {
        ks_error_clear(); /* then it is no smaller design */
        return KS_OK;
    }
    m->only_points = strcmp(smaller.canonical, m->stored->config) == 0;
    ks_config_release(&smaller);
    return KS_OK;
}

/* As many of the differences as an error may say. */
static int refuse(const struct meeting *m) {
    enum { MOST = 3000 };
    size_t length = strlen(m->differences);
    bool is_long = length > MOST;
    while (length > 0 && (length > MOST || m->differences[length - 1] == '\n')) length--;
    const char *way = m->only_points ? "--extend keeps its points and adds the others, " : "";
    return ks_error_raise(
        KS_ERR_USAGE, __FILE__, __LINE__,
        "%s holds another campaign than %s describes, and was left as it is (%s--overwrite replaces "
        "it, -o names another file):\n%.*s%s",
        m->path, m->campaign->path, way, (int)length, m->differences, is_long ? " ..." : "");
}

/* ---- extending ---------------------------------------------------------------------------------------------- */

/* Row by row: the stored inputs are those of the present design. */
static int compare_inputs(const struct meeting *m, ks_store *store, uint64_t n_rows, uint64_t capacity,
                          double *found, double *expected) {
    size_t p = (size_t)m->present->n_parameters;
    for (uint64_t done = 0; done < n_rows;) {
        struct ks_rows rows = {.inputs = found};
        uint64_t count = n_rows - done < capacity ? n_rows - done : capacity;
        KS_TRY(ks_store_read_rows(store, done, count, &rows));
        for (uint64_t i = 0; i < count; i++) {
            ks_design_point(&m->campaign->design, done + i, expected);
            KS_CHECK(memcmp(&found[i * p], expected, p * sizeof *found) == 0, KS_ERR_FORMAT,
                     "%s: the inputs of row %" PRIu64
                     " are not those of the extended design; `ketsweep verify` says "
                     "whether they have changed",
                     m->path, done + i);
        }
        done += count;
    }
    return KS_OK;
}

static int check_inputs(const struct meeting *m, ks_store *store) {
    enum { BLOCK_ROWS = 4096 };
    size_t n, p = (size_t)m->present->n_parameters;
    struct ks_round *rounds;
    double *found = ks_memory_allocate(BLOCK_ROWS * p, sizeof *found),
           *expected = ks_memory_allocate(p, sizeof *found);
    int err = found != NULL && expected != NULL
                  ? KS_OK
                  : ks_error_raise(KS_ERR_MEMORY, __FILE__, __LINE__, "no memory");
    if (err == KS_OK) err = ks_store_read_rounds(store, &n, &rounds);
    if (err == KS_OK) {
        uint64_t n_rows = n > 0 ? rounds[n - 1].first_row + rounds[n - 1].n_rows : 0;
        err = compare_inputs(m, store, n_rows, BLOCK_ROWS, found, expected);
        free(rounds);
    }
    free(expected);
    free(found);
    return err;
}

/* ---- the file ----------------------------------------------------------------------------------------------- */

static int compare_shapes(const struct meeting *m) {
    const struct ks_schema *a = m->stored, *b = m->present;
    bool is_same = a->n_points == b->n_points && a->n_parameters == b->n_parameters &&
                   a->n_endpoints == b->n_endpoints && a->n_times == b->n_times && a->n_states == b->n_states;
    KS_CHECK(is_same, KS_ERR_FORMAT, "%s has not the shape of its own configuration", m->path);
    return KS_OK;
}

static int meet(struct meeting *m, ks_store *store) {
    m->stored = ks_store_schema(store);
    m->is_complete = ks_store_is_complete(store);
    KS_TRY(find_differences(m));
    if (m->differences[0] == '\0') return compare_shapes(m);
    KS_TRY(judge_points(m));
    if (!m->only_points || !m->arguments->extends) return refuse(m);
    return check_inputs(m, store);
}

/* What is no result of ours is never written to. */
static int refuse_foreign(const char *path) {
    char fault[2048];
    snprintf(fault, sizeof fault, "%s", ks_error_message());
    ks_error_clear();
    bool is_named = strncmp(fault, path, strlen(path)) == 0;
    return ks_error_raise(KS_ERR_USAGE, __FILE__, __LINE__,
                          "%s%s%s; it was left as it is (--overwrite replaces it, -o names another file)",
                          is_named ? "" : path, is_named ? "" : ": ", fault);
}

static int take_up(struct meeting *m) {
    ks_store *store;
    int err = ks_store_open(&store, m->path);
    if (err == KS_ERR_FORMAT || err == KS_ERR_HDF5) return refuse_foreign(m->path);
    KS_TRY(err);
    err = meet(m, store);
    m->stored = NULL;
    int closed = ks_store_close(&store);
    KS_TRY(err);
    KS_TRY(closed);
    if (m->only_points) return ks_store_extend(m->path, m->present, m->hints);
    return ks_resume_is_idle(m->arguments, m->is_complete) ? KS_OK : ks_store_reserve(m->path);
}

bool ks_resume_is_idle(const struct ks_arguments *arguments, bool is_complete) {
    return is_complete && !arguments->verifies && !arguments->repairs && !(arguments->verify_fraction > 0);
}

int ks_resume_prepare(const char *path, const struct ks_arguments *arguments,
                      const struct ks_campaign *campaign, const struct ks_schema *schema, MPI_Info hints,
                      bool *is_complete) {
    struct stat file;
    struct meeting m = {
        .path = path, .arguments = arguments, .campaign = campaign, .present = schema, .hints = hints};
    *is_complete = false;
    ks_store_remove_leftovers(path);
    bool is_there = stat(path, &file) == 0;
    if (!is_there || arguments->overwrites)
        return ks_store_create(path, schema, arguments->overwrites, hints);
    KS_CHECK(S_ISREG(file.st_mode), KS_ERR_USAGE, "%s is not a regular file", path);
    int err = take_up(&m);
    *is_complete = m.is_complete && !m.only_points;
    free(m.differences);
    return err;
}

/* ---- rounds ------------------------------------------------------------------------------------------------- */

/* Points are committed in order, without gaps. */
static int find_next(struct ks_resume_rounds *r) {
    r->next = 0;
    for (size_t i = 0; i < r->n; i++) {
        KS_CHECK(r->rounds[i].first_row == r->next, KS_ERR_FORMAT,
                 "round %zu of the commit log does not follow the one before it", i);
        r->next += r->rounds[i].n_rows;
    }
    return KS_OK;
}

static int share_rounds(struct ks_resume_rounds *r, int rank, MPI_Comm comm) {
    KS_MPI(MPI_Bcast(&r->n, sizeof r->n, MPI_BYTE, 0, comm));
    if (rank != 0) r->rounds = ks_memory_allocate(r->n, sizeof *r->rounds);
    r->is_bad = ks_memory_allocate(r->n, sizeof *r->is_bad);
    bool has_room = r->rounds != NULL && r->is_bad != NULL;
    int err = has_room ? KS_OK : ks_error_raise(KS_ERR_MEMORY, __FILE__, __LINE__, "no memory for rounds");
    KS_TRY(ks_agree(comm, err));
    KS_MPI(MPI_Bcast(r->rounds, (int)(r->n * sizeof *r->rounds), MPI_BYTE, 0, comm));
    return find_next(r);
}

int ks_resume_read_rounds(ks_store *store, MPI_Comm comm, bool checks_all, struct ks_resume_rounds *r) {
    int rank;
    *r = (struct ks_resume_rounds){0};
    KS_MPI(MPI_Comm_rank(comm, &rank));
    KS_TRY(ks_agree(comm, rank == 0 ? ks_store_read_rounds(store, &r->n, &r->rounds) : KS_OK));
    KS_TRY(ks_agree(comm, share_rounds(r, rank, comm)));
    for (size_t i = checks_all || r->n == 0 ? 0 : r->n - 1; i < r->n; i++) {
        bool is_good;
        KS_TRY(ks_store_verify_round(store, &r->rounds[i], &is_good));
        r->is_bad[i] = !is_good;
        r->n_bad += !is_good;
    }
    return KS_OK;
}

void ks_resume_release_rounds(struct ks_resume_rounds *r) {
    free(r->rounds);
    free(r->is_bad);
    *r = (struct ks_resume_rounds){0};
}

int ks_resume_raise_bad(const char *path, const struct ks_resume_rounds *r) {
    size_t i = 0;
    while (!r->is_bad[i]) i++;
    char others[64] = "";
    if (r->n_bad > 1) snprintf(others, sizeof others, " and %zu more rounds", r->n_bad - 1);
    return ks_error_raise(
        KS_ERR_FORMAT, __FILE__, __LINE__,
        "%s: rows %" PRIu64 " to %" PRIu64 "%s have changed since they were written; --repair runs "
        "them again, `ketsweep verify` lists them",
        path, r->rounds[i].first_row, r->rounds[i].first_row + r->rounds[i].n_rows - 1, others);
}
