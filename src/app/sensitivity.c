/* `ketsweep sensitivity`: what drives the outcomes of a campaign, from its file. Alone, or under mpirun by all ranks. */
#include "app/app_impl.h"
#include "base/agree.h"
#include "base/error.h"

#include <stdlib.h>
#include <string.h>

/* ---- the campaign --------------------------------------------------------------------------------------------- */

static int check_complete(const struct ks_sensitivity *s) {
    KS_CHECK(ks_store_is_complete(s->store), KS_ERR_USAGE,
             "%s is not complete; an analysis never writes into a file that a campaign still fills. "
             "\"ketsweep status "
             "%s\" says how far it is",
             s->path, s->path);
    KS_CHECK(ks_store_schema(s->store)->n_parameters > 0, KS_ERR_USAGE,
             "%s varies nothing that could drive anything", s->path);
    return KS_OK;
}

static int read_rows(void *source, uint64_t first, uint64_t count, struct ks_rows *rows) {
    return ks_store_read_rows(source, first, count, rows);
}

static int load_design(struct ks_sensitivity *s) {
    const struct ks_schema *schema = ks_store_schema(s->store);
    KS_TRY(ks_config_load_design(s->path, schema->config, stderr, &s->campaign));
    struct ks_design *design = &s->campaign.design;
    KS_CHECK(design->n_variables == schema->n_parameters, KS_ERR_FORMAT,
             "%s: its configuration varies %d parameters, its rows have %d", s->path, design->n_variables,
             schema->n_parameters);
    if (design->kind == KS_DESIGN_file)
        KS_TRY(ks_analysis_fill_design(design, read_rows, s->store, schema->n_points));
    KS_CHECK(design->n_points == schema->n_points, KS_ERR_FORMAT,
             "%s: its configuration has %llu points, its rows are %llu", s->path,
             (unsigned long long)design->n_points, (unsigned long long)schema->n_points);
    return KS_OK;
}

/* ---- the study ------------------------------------------------------------------------------------------------ */

int ks_sensitivity_choose(const char *path, const char *name, const struct ks_design *design, int *method) {
    char text[512];
    *method = name != NULL ? ks_analysis_find_method(name) : ks_analysis_default_method(design);
    KS_CHECK(*method >= 0 || name != NULL, KS_ERR_USAGE,
             "%s: no method works from a design of kind \"%s\"; `ketsweep show methods` names the designs "
             "that serve one",
             path, ks_designs[design->kind].name);
    if (*method < 0) {
        const char *known[KS_N_METHODS];
        for (int i = 0; i < KS_N_METHODS; i++) known[i] = ks_methods[i].name;
        const char *nearest = ks_config_nearest(name, KS_N_METHODS, known);
        KS_CHECK(nearest == NULL, KS_ERR_USAGE, "there is no method \"%s\"; did you mean \"%s\"?", name,
                 nearest);
        KS_CHECK(false, KS_ERR_USAGE, "there is no method \"%s\"; `ketsweep show methods` lists them", name);
    }
    const char *fault = ks_analysis_fault((enum ks_method_kind) * method, design, text, sizeof text);
    KS_CHECK(fault == NULL, KS_ERR_USAGE, "%s: %s", path, fault);
    return KS_OK;
}

static int choose_resamples(struct ks_sensitivity *s) {
    enum { LEAST = 20, MOST = 100000 };
    const char *text = s->bootstrap;
    if (text == NULL) return KS_OK;
    char *end;
    long number = strtol(text, &end, 10);
    KS_CHECK(*end == '\0' && number >= LEAST && number <= MOST, KS_ERR_USAGE,
             "--bootstrap takes a number of resamples in [%d, %d], found \"%s\"", LEAST, MOST, text);
    s->study.n_resamples = (int)number;
    return KS_OK;
}

static int open_study(struct ks_sensitivity *s) {
    KS_TRY(choose_resamples(s));
    KS_TRY(ks_store_open_checked(&s->store, s->path));
    KS_TRY(ks_shard_refuse(s->store, s->path));
    KS_TRY(check_complete(s));
    KS_TRY(load_design(s));
    s->study.read = read_rows;
    s->study.source = s->store;
    s->study.schema = ks_store_schema(s->store);
    s->study.design = &s->campaign.design;
    int method;
    KS_TRY(ks_sensitivity_choose(s->path, s->method, &s->campaign.design, &method));
    s->study.method = (enum ks_method_kind)method;
    return KS_OK;
}

/* ---- the command ---------------------------------------------------------------------------------------------- */

static int agree(const struct ks_sensitivity *s, int err) {
    return s->study.team != NULL ? s->study.team->agree(s->study.team->self, err) : err;
}

/* The ranks of a host that all started a process at once would only look at the same file. */
static int check_file(const struct ks_sensitivity *s) {
    bool is_first = s->study.team == NULL || s->study.team->rank == 0;
    return is_first ? ks_store_check(s->path) : KS_OK;
}

static int compute(struct ks_sensitivity *s, bool with_trajectories) {
    KS_TRY(agree(s, check_file(s)));
    KS_TRY(agree(s, open_study(s)));
    s->study.with_trajectories = with_trajectories;
    KS_TRY(ks_analysis_find_failures(&s->study, &s->failures));
    return ks_analysis_run(&s->study, &s->results);
}

int ks_sensitivity_compute(struct ks_sensitivity *s, const struct ks_sensitivity_wish *wish,
                           const struct ks_team *team) {
    *s = (struct ks_sensitivity){
        .path = wish->path, .method = wish->method, .bootstrap = wish->bootstrap, .study.team = team};
    return compute(s, wish->with_trajectories);
}

void ks_sensitivity_release(struct ks_sensitivity *s) {
    ks_analysis_release(&s->results);
    ks_analysis_release_failures(&s->failures);
    ks_store_close(&s->store);
    ks_config_release(&s->campaign);
}

/* Nobody else may write to the file meanwhile. */
static int store_results(const struct ks_findings *findings, bool is_separate, char *written, size_t size) {
    struct ks_lock lock = {0};
    KS_TRY(ks_store_lock(&lock, findings->path));
    ks_store_remove_leftovers(findings->path);
    int err = ks_sensitivity_results_store(findings, is_separate, written, size);
    ks_store_unlock(&lock);
    return err;
}

static int store_and_print(const struct ks_sensitivity *s, const struct ks_arguments *arguments) {
    const struct ks_findings findings = {
        .path = s->path, .campaign = &s->campaign, .results = &s->results, .failures = &s->failures};
    char written[4096];
    KS_TRY(store_results(&findings, arguments->is_separate, written, sizeof written));
    (arguments->is_json ? ks_sensitivity_table_print_json : ks_sensitivity_table_print)(stdout, &findings);
    if (!arguments->is_quiet)
        fprintf(stderr, "%s: /sensitivity/%s written\n", written, ks_methods[s->results.method].name);
    return KS_OK;
}

static int run_study(const struct ks_arguments *arguments, const struct ks_team *team) {
    struct ks_sensitivity s;
    const struct ks_sensitivity_wish wish = {arguments->operand, arguments->method, arguments->bootstrap,
                                             true};
    int err = ks_sensitivity_compute(&s, &wish, team);
    bool is_speaker = team == NULL || team->rank == 0;
    if (err == KS_OK) err = agree(&s, is_speaker ? store_and_print(&s, arguments) : KS_OK);
    ks_sensitivity_release(&s);
    return err;
}

/* Whether a launcher started this process, so that MPI must be joined. */
static bool is_launched(void) {
    static const char *const variables[] = {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_SIZE"};
    for (int i = 0; i < 3; i++)
        if (getenv(variables[i]) != NULL) return true;
    return false;
}

static void abort_all(void) {
    MPI_Abort(MPI_COMM_WORLD, KS_EXIT_FAILED);
}

static int run_on_ranks(const struct ks_arguments *arguments) {
    struct ks_mpi_team team;
    KS_MPI(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN));
    KS_TRY(ks_team_create(&team, MPI_COMM_WORLD));
    int status = run_study(arguments, &team.team);
    if (status < 0 && status != KS_ERR_REMOTE && team.team.rank == 0) ks_error_print(stderr);
    int own = status == KS_ERR_USAGE ? KS_EXIT_USAGE : status < 0 ? KS_EXIT_FAILED : status, all;
    if (status == KS_ERR_REMOTE) own = 0; /* the rank that failed knows the exit status */
    KS_MPI(MPI_Allreduce(&own, &all, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD));
    return all;
}

int ks_sensitivity_command(const struct ks_arguments *arguments) {
    if (!is_launched()) return run_study(arguments, NULL);
    KS_CHECK(MPI_Init(NULL, NULL) == MPI_SUCCESS, KS_ERR_MPI, "MPI does not start");
    ks_error_set_abort(abort_all);
    int status = run_on_ranks(arguments);
    MPI_Finalize();
    return status;
}
