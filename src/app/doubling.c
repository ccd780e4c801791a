/* `run` with design.stop: a study is doubled until every interval of its sensitivity analysis is narrow enough, or
 * design.points is reached. Each stage is a run of its own that extends the file of the stage before; a study that was stopped
 * goes on with the stage that its file is in. */
#include "app/app_impl.h"
#include "base/agree.h"
#include "base/error.h"
#include "base/memory.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Fewer base rows tell too little of the width of an interval. */
enum { LEAST_POINTS = 128 };

/* A study in stages, on one rank. */
struct doubling {
    const struct ks_arguments *arguments;
    struct ks_campaign campaign; /* with the largest design */
    const char *path;
    uint64_t points, most; /* design.points of the stage, of the largest */
    double begin;          /* MPI_Wtime() of the command, whose time all stages share */
};

/* The interval that is widest. */
struct widest {
    double half_width; /* NAN where nothing varies */
    char words[256];
};

/* ---- before the first stage ----------------------------------------------------------------------------------- */

static int check_endpoints(const struct ks_campaign *campaign) {
    const struct ks_precision *precision = &campaign->precision;
    for (int i = 0; i < precision->n_endpoints; i++) {
        bool is_known = false;
        for (int k = 0; k < campaign->n_endpoints; k++)
            is_known |= strcmp(campaign->endpoints[k].name, precision->endpoints[i]) == 0;
        KS_CHECK(is_known, KS_ERR_USAGE,
                 "%s: design.stop.endpoints: \"%s\" is not among the endpoints of output", campaign->path,
                 precision->endpoints[i]);
    }
    return KS_OK;
}

int ks_doubling_check(const struct ks_campaign *campaign) {
    int method;
    if (!campaign->precision.is_wanted) return KS_OK;
    KS_TRY(check_endpoints(campaign));
    return ks_sensitivity_choose(campaign->path, campaign->precision.method, &campaign->design, &method);
}

/* The largest design, halved as long as it stays one. */
static uint64_t first_stage(const struct ks_design *largest) {
    struct ks_design design = *largest;
    for (;;) {
        uint64_t points = design.n_bases;
        design.n_bases = points / 2;
        if (points % 2 != 0 || design.n_bases < LEAST_POINTS || ks_design_points_fault(&design) != NULL)
            return points;
    }
}

/* design.points of the file that is there; 0 where there is none that tells. */
static uint64_t stored_points(const char *path) {
    ks_store *store;
    uint64_t points = 0;
    if (access(path, F_OK) != 0) return 0;
    if (ks_store_open(&store, path) < 0) {
        ks_error_clear(); /* the run says what is wrong with it */
        return 0;
    }
    if (!ks_config_find_points(ks_store_schema(store)->config, &points)) points = 0;
    ks_store_close(&store);
    return points;
}

/* The stage that the file is in. Where it cannot be of this study, the first, which the run then refuses. */
static uint64_t present_stage(const struct doubling *d) {
    struct ks_design design = d->campaign.design;
    design.n_bases = d->arguments->overwrites ? 0 : stored_points(d->path);
    if (design.n_bases >= d->most) return d->most;
    bool is_stage = design.n_bases > 0 && ks_design_points_fault(&design) == NULL;
    return is_stage ? design.n_bases : first_stage(&d->campaign.design);
}

/* FNV-1a; the end of the text counts. */
static uint64_t mix(uint64_t sum, const char *text) {
    do sum = (sum ^ (unsigned char)*text) * 0x100000001b3u;
    while (*text++ != '\0');
    return sum;
}

/* The canonical text leaves out how a study ends: ranks that differ in it would analyse different things together. */
static int compare_rules(const struct doubling *d, int rank, MPI_Comm comm) {
    const struct ks_precision *precision = &d->campaign.precision;
    char numbers[64];
    snprintf(numbers, sizeof numbers, "%a %" PRIu64, precision->half_width, d->most);
    uint64_t own = mix(mix(0xcbf29ce484222325u, numbers), precision->method != NULL ? precision->method : "");
    for (int i = 0; i < precision->n_endpoints; i++) own = mix(own, precision->endpoints[i]);
    uint64_t first = own;
    KS_MPI(MPI_Bcast(&first, 1, MPI_UINT64_T, 0, comm));
    KS_CHECK(own == first, KS_ERR_USAGE, "%s: rank %d has another design.stop or design.points than rank 0",
             d->campaign.path, rank);
    return KS_OK;
}

static int begin(struct doubling *d, int rank, MPI_Comm comm) {
    d->most = d->campaign.design.n_bases;
    KS_TRY(ks_agree(comm, compare_rules(d, rank, comm)));
    if (rank == 0) d->points = present_stage(d);
    KS_MPI(MPI_Bcast(&d->points, 1, MPI_UINT64_T, 0, comm));
    return KS_OK;
}

/* ---- a stage -------------------------------------------------------------------------------------------------- */

static int run_stage(const struct doubling *d, bool is_first, MPI_Comm comm, ks_doubling_stage *run,
                     int *status) {
    const struct ks_arguments *whole = d->arguments;
    struct ks_arguments stage = *whole;
    char points[48];
    size_t n = (size_t)whole->n_overrides;
    snprintf(points, sizeof points, "design.points=%" PRIu64 "%s", d->points,
             d->points > INT32_MAX ? "L" : "");
    const char **overrides = ks_memory_allocate(n + 1, sizeof *overrides);
    int err = overrides != NULL ? KS_OK : ks_error_raise(KS_ERR_MEMORY, __FILE__, __LINE__, "no memory");
    KS_TRY(ks_agree(comm, err));
    if (n > 0) memcpy(overrides, whole->overrides, n * sizeof *overrides);
    overrides[n] = points;
    stage.overrides = overrides;
    stage.n_overrides++;
    stage.overwrites = whole->overwrites && is_first;
    stage.extends = !stage.overwrites;
    *status = run(&stage, comm, d->begin);
    free(overrides);
    return KS_OK;
}

static bool counts(const struct ks_precision *precision, const char *endpoint) {
    bool does = precision->n_endpoints == 0;
    for (int i = 0; i < precision->n_endpoints; i++) does |= strcmp(precision->endpoints[i], endpoint) == 0;
    return does;
}

static void find_widest(const struct ks_precision *precision, const struct ks_results *r,
                        struct widest *widest) {
    *widest = (struct widest){.half_width = NAN};
    for (int e = 0; e < r->n_endpoints; e++)
        for (int k = 0; k < r->n_indices; k++)
            for (int i = 0; i < r->counts[k]; i++) {
                size_t at = (size_t)e * (size_t)r->n_values + (size_t)(r->offsets[k] + i);
                double half = (r->highs[at] - r->lows[at]) / 2;
                if (r->indices[k].of != KS_OF_PARAMETER || !counts(precision, r->schema->endpoints[e].name))
                    continue;
                if (isnan(half) || half <= widest->half_width) continue;
                widest->half_width = half;
                snprintf(widest->words, sizeof widest->words, "%s of %s on %s", r->indices[k].name,
                         r->schema->parameters[i].name, r->schema->endpoints[e].name);
            }
}

static void print_stage(const struct doubling *d, const struct widest *widest) {
    const char *kind = ks_designs[d->campaign.design.kind].points;
    double wanted = d->campaign.precision.half_width;
    if (isnan(widest->half_width)) {
        fprintf(stderr, "%s: %" PRIu64 " %s: nothing varies whose interval could be told\n", d->path,
                d->points, kind);
        return;
    }
    fprintf(stderr, "%s: %" PRIu64 " of %" PRIu64 " %s: the widest interval is +- %.3g, %s; wanted +- %g\n",
            d->path, d->points, d->most, kind, widest->half_width, widest->words, wanted);
    if (widest->half_width <= wanted)
        fprintf(stderr, "%s: precise enough\n", d->path);
    else if (d->points == d->most)
        fprintf(stderr, "%s: design.points is reached; intervals are wider than wanted\n", d->path);
}

/* design.points of the stage that follows, 0 where none does. Written so that a NaN goes on: more points may vary. */
static uint64_t next_stage(const struct doubling *d, const struct widest *widest) {
    if (widest->half_width <= d->campaign.precision.half_width || d->points >= d->most) return 0;
    return d->points <= d->most / 2 ? 2 * d->points : d->most;
}

/* Rank 0 alone decides, as it alone has the intervals; *next as above. */
static int judge_stage(const struct doubling *d, int rank, MPI_Comm comm, uint64_t *next) {
    struct ks_mpi_team team;
    struct ks_sensitivity s;
    struct widest widest = {.half_width = NAN};
    const struct ks_sensitivity_wish wish = {d->path, d->campaign.precision.method, NULL, false};
    KS_TRY(ks_team_create(&team, comm));
    int err = ks_sensitivity_compute(&s, &wish, &team.team);
    if (err == KS_OK && rank == 0) {
        find_widest(&d->campaign.precision, &s.results, &widest);
        *next = next_stage(d, &widest);
        if (!d->arguments->is_quiet) print_stage(d, &widest);
    }
    ks_sensitivity_release(&s);
    KS_TRY(err);
    KS_MPI(MPI_Bcast(next, 1, MPI_UINT64_T, 0, comm));
    return KS_OK;
}

/* Stages until one is precise, does not end well, or is the largest; *status is that of the last. */
static int run_stages(struct doubling *d, int rank, MPI_Comm comm, ks_doubling_stage *run, int *status) {
    KS_TRY(ks_agree(comm, ks_doubling_check(&d->campaign)));
    KS_TRY(begin(d, rank, comm));
    for (bool is_first = true;; is_first = false) {
        uint64_t next = 0;
        KS_TRY(run_stage(d, is_first, comm, run, status));
        if (*status != 0) return KS_OK;
        KS_TRY(judge_stage(d, rank, comm, &next));
        if (next == 0) return KS_OK;
        d->points = next;
    }
}

/* ---- the whole ------------------------------------------------------------------------------------------------ */

/* A configuration with faults is left to the run, which reports them. */
static bool load(struct doubling *d) {
    const struct ks_arguments *a = d->arguments;
    FILE *silence = fopen("/dev/null", "w");
    if (silence == NULL) return false;
    int err = ks_config_load(a->operand, a->n_overrides, a->overrides, false, silence, &d->campaign);
    fclose(silence);
    ks_error_clear();
    if (err < 0 || a->shard != NULL) return false; /* the run refuses a shard of a study in stages */
    d->path = a->output ? a->output : d->campaign.output_file;
    return d->campaign.precision.is_wanted;
}

int ks_doubling_run(const struct ks_arguments *arguments, MPI_Comm comm, ks_doubling_stage *run) {
    struct doubling d = {.arguments = arguments, .begin = MPI_Wtime()};
    int rank, status = KS_EXIT_USAGE, is_wanted = load(&d);
    KS_MPI(MPI_Comm_rank(comm, &rank));
    KS_MPI(MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN));
    /* all ranks or none; run() itself finds out where they read different campaigns */
    KS_MPI(MPI_Allreduce(MPI_IN_PLACE, &is_wanted, 1, MPI_INT, MPI_MIN, comm));
    int err = is_wanted ? run_stages(&d, rank, comm, run, &status) : KS_OK;
    if (!is_wanted) status = run(arguments, comm, d.begin);
    ks_config_release(&d.campaign);
    if (err < 0 && err != KS_ERR_REMOTE && rank == 0) ks_error_print(stderr);
    int own = err == KS_ERR_USAGE ? KS_EXIT_USAGE : err < 0 && err != KS_ERR_REMOTE ? KS_EXIT_FAILED : 0, all;
    KS_MPI(MPI_Allreduce(&own, &all, 1, MPI_INT, MPI_MAX, comm));
    return all != 0 ? all : status;
}
