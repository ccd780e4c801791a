/* What a configuration allows but looks like a mistake, each in a line that says what to do about it. Only what is
 * certain enough to be no nuisance; nothing is simulated here (effects.c does that).
 *
 * What a protocol comes to is read off points of the design itself, spread over the whole of it, so that grids, files,
 * correlations and distributions of any kind count as they are. */
#include "app/app_impl.h"
#include "base/error.h"
#include "base/memory.h"

#include <inttypes.h>
#include <libgen.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

enum { MOST_TRIED = 1024 };

/* The fastest infusion of the trials of depression in configs/trials: 1.0 mg/kg over 40 min (Fava 2020, Mol Psychiatry
 * 25:1592). The usual one is half of it. */
static const double clinical_rate = 1.5; /* mg/kg/h */

/* ---- speaking ------------------------------------------------------------------------------------------------- */

__attribute__((format(printf, 2, 3))) static void advise(struct ks_advice *advice, const char *format, ...) {
    advice->n++;
    if (advice->stream == NULL) return;
    va_list arguments;
    va_start(arguments, format);
    fprintf(advice->stream, "warning: %s: ", advice->path);
    vfprintf(advice->stream, format, arguments);
    fputc('\n', advice->stream);
    va_end(arguments);
}

/* n_all == 1 ? "the only point" : "all points", or "12 % of the points". */
static const char *share(uint64_t n, uint64_t n_all, char *text) {
    double percent = 100.0 * (double)n / (double)n_all;
    if (n == n_all)
        snprintf(text, 32, n_all == 1 ? "the only point" : "all points");
    else
        snprintf(text, 32, percent < 1 ? "%.1f %% of the points" : "%.0f %% of the points", percent);
    return text;
}

static bool varies(const struct ks_campaign *campaign, int parameter) {
    for (int i = 0; i < campaign->design.n_variables; i++)
        if (campaign->design.variables[i].parameter == parameter) return true;
    return false;
}

/* ---- the protocol --------------------------------------------------------------------------------------------- */

struct tried {
    uint64_t n, n_impossible, n_fast;
    double fastest; /* mg/kg/h */
    char reason[160];
};

/* Of the fastest infusion into a vein, mg/kg/h; 0 where there is none. */
static double find_rate(const struct ks_treatment *t, const double *p, uint64_t point) {
    double per_kg = t->is_dose_per_kg ? 1 : p[KS_PARAMETER_weight], rate = 0;
    for (size_t i = 0; i < t->n_infusion_events; i++) {
        const struct ks_infusion_event *e = &t->infusion_events[i];
        if (e->route == KS_ROUTE_iv && (e->id == 0 || e->id - 1 == point))
            rate = fmax(rate, e->dose / e->duration_h / per_kg);
    }
    if (t->has_infusion_events || p[KS_PARAMETER_route] != KS_ROUTE_iv) return rate;
    if (!(p[KS_PARAMETER_infusion_count] > 0 && p[KS_PARAMETER_infusion_dose] > 0)) return 0;
    return (t->uses_rate ? p[KS_PARAMETER_infusion_rate]
                         : p[KS_PARAMETER_infusion_dose] / p[KS_PARAMETER_infusion_duration]) /
           per_kg;
}

static int try_point(const struct ks_campaign *campaign, uint64_t point, double *values, double *parameters,
                     struct tried *tried) {
    int n_edges, status;
    double *edges;
    char reason[sizeof tried->reason];
    ks_work_point(campaign, point, values, parameters);
    KS_TRY(ks_therapy_edges(&campaign->treatment, parameters, point, &n_edges, &edges, &status, reason,
                            sizeof reason));
    free(edges);
    double rate = find_rate(&campaign->treatment, parameters, point);
    tried->n++;
    tried->n_fast += rate > clinical_rate * (1 + 1e-9);
    tried->fastest = fmax(tried->fastest, rate);
    if (status == KS_STATUS_done) return KS_OK;
    if (tried->n_impossible++ == 0) memcpy(tried->reason, reason, sizeof reason);
    return KS_OK;
}

static int try_points(const struct ks_campaign *campaign, struct tried *tried) {
    uint64_t n = campaign->design.n_points, n_tried = n < MOST_TRIED ? n : MOST_TRIED;
    double *values = ks_memory_allocate((size_t)campaign->design.n_variables, sizeof *values);
    double *parameters = ks_memory_allocate((size_t)campaign->n_parameters, sizeof *parameters);
    bool has_memory = parameters != NULL && (values != NULL || campaign->design.n_variables == 0);
    int err = has_memory ? KS_OK : ks_error_raise(KS_ERR_MEMORY, __FILE__, __LINE__, "no memory for a point");
    for (uint64_t i = 0; i < n_tried && err == KS_OK; i++)
        err = try_point(campaign, ks_plan_spread(i, n_tried, n), values, parameters, tried);
    free(values);
    free(parameters);
    return err;
}

static int judge_protocol(struct ks_advice *advice, const struct ks_campaign *campaign) {
    struct tried tried = {0};
    char text[32];
    KS_TRY(try_points(campaign, &tried));
    if (tried.n_impossible > 0)
        advise(advice,
               "%s have a protocol that cannot be (%s): they fail; make protocol.horizon longer, or the "
               "ranges of "
               "counts, intervals and delays narrower",
               share(tried.n_impossible, tried.n, text), tried.reason);
    const struct ks_treatment *t = &campaign->treatment;
    const char *remedy = t->has_infusion_events ? "a longer duration"
                         : t->uses_rate         ? "a lower infusion_rate"
                                                : "a longer infusion_duration or a lower infusion_dose";
    if (tried.n_fast > 0)
        advise(advice,
               "%s infuse faster than %g mg/kg/h, up to %.3g: no trial of depression in configs/trials does "
               "(1 mg/kg "
               "over 40 min, Fava 2020), so that the model extrapolates there; %s makes them clinical",
               share(tried.n_fast, tried.n, text), clinical_rate, tried.fastest, remedy);
    if (!t->has_infusion_events && t->is_dose_per_kg && !varies(campaign, KS_PARAMETER_route) &&
        campaign->parameters[KS_PARAMETER_route] == KS_ROUTE_intranasal)
        advise(advice, "intranasal doses are given in mg, whatever the weight (Lapidus 2014: 50 mg), and "
                       "infusion_dose is in "
                       "mg/kg here; for mg: protocol : { dose_unit = \"mg\"; infusion_dose = 50.0; }");
    return KS_OK;
}

/* ---- the patient ---------------------------------------------------------------------------------------------- */

static bool is_trait(const struct ks_parameter_info *info) {
    static const char *const others[] = {"protocol", "patient", "pharmacokinetics", "mechanism"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strcmp(info->group, others[i]) == 0) return false;
    return true;
}

/* A trait that varies moves the score before treatment too, unless that is given. */
static void judge_severity(struct ks_advice *advice, const struct ks_campaign *campaign) {
    const struct ks_variable *variables = campaign->design.variables;
    int trait = -1;
    if (campaign->parameters[KS_PARAMETER_baseline_madrs] > 0) return;
    for (int i = 0; i < campaign->design.n_variables; i++) {
        int parameter = variables[i].parameter;
        if (parameter == KS_PARAMETER_baseline_madrs || parameter == KS_PARAMETER_life_stress) return;
        if (trait < 0 && is_trait(&ks_parameters[parameter])) trait = parameter;
    }
    if (trait >= 0)
        advise(advice,
               "traits vary (%s) and baseline_madrs does not hold the score before treatment; a sensitivity "
               "study of "
               "this mostly ranks what makes people ill. To compare patients of equal severity: patient : { "
               "baseline_madrs = 33.0; };",
               ks_parameters[trait].name);
}

/* ---- the design ----------------------------------------------------------------------------------------------- */

static void judge_scales(struct ks_advice *advice, const struct ks_campaign *campaign) {
    const struct ks_design *design = &campaign->design;
    if (design->kind == KS_DESIGN_grid || design->kind == KS_DESIGN_file) return;
    for (int i = 0; i < design->n_variables; i++) {
        const struct ks_distribution *d = &design->variables[i].distribution;
        const struct ks_parameter_info *info = &campaign->parameter_table[design->variables[i].parameter];
        if (d->kind == KS_DISTRIBUTION_uniform && !d->is_integer && d->a > 0 && d->b >= 100 * d->a)
            advise(advice,
                   "%s is uniform from %g to %g, so that nine points in ten lie above %g; to spread them "
                   "over the "
                   "decades: scale = \"log\"",
                   info->name, d->a, d->b, d->a + 0.1 * (d->b - d->a));
    }
}

static bool is_power_of_two(uint64_t n) {
    return (n & (n - 1)) == 0;
}

static uint64_t power_above(uint64_t n) {
    uint64_t power = 1;
    while (power < n && power < UINT64_C(1) << 62) power *= 2;
    return power;
}

/* Sizes that designs of their kind are known to need: Owen 2020 (powers of two), Saltelli 2008 (base rows), Campolongo
 * 2007 (trajectories), Loeppky 2009 (ten points for each parameter). */
static void judge_size(struct ks_advice *advice, const struct ks_campaign *campaign) {
    enum { LEAST_BASES = 256, USUAL_BASES = 1024, LEAST_PATHS = 10, POINTS_PER_PARAMETER = 10 };
    const struct ks_design *design = &campaign->design;
    uint64_t n = design->n_bases, wanted = POINTS_PER_PARAMETER * (uint64_t)design->n_variables;
    bool is_sample = design->kind == KS_DESIGN_random || design->kind == KS_DESIGN_lhs ||
                     design->kind == KS_DESIGN_sobol || design->kind == KS_DESIGN_rbd_fast;
    if (design->n_variables == 0 || campaign->precision.is_wanted) return;
    if (is_sample && n < wanted)
        advise(advice,
               "design.points = %" PRIu64
               " is little for %d parameters: indices and response surfaces need ten points for each or "
               "more; such as %" PRIu64,
               n, design->n_variables, design->kind == KS_DESIGN_sobol ? power_above(wanted) : wanted);
    else if (design->kind == KS_DESIGN_sobol && !is_power_of_two(n))
        advise(advice,
               "a sobol design is balanced where its points are a power of two: design.points = %" PRIu64
               " or %" PRIu64 " instead of %" PRIu64,
               power_above(n) / 2, power_above(n), n);
    if (design->kind == KS_DESIGN_saltelli && n < LEAST_BASES)
        advise(advice,
               "%" PRIu64
               " base rows are few: intervals of the indices will be wide; design.points = %d is usual, "
               "and design.stop doubles until they are narrow",
               n, USUAL_BASES);
    if (design->kind == KS_DESIGN_morris && n < LEAST_PATHS)
        advise(advice, "%" PRIu64 " trajectories are few to rank parameters by; 10 to 50 are usual", n);
}

/* ---- the run -------------------------------------------------------------------------------------------------- */

/* Of the file system where the result will lie; INFINITY where it does not say. */
static double find_free_bytes(const char *file) {
    struct statvfs disk;
    char *copy = strdup(file);
    int failed = copy == NULL || statvfs(dirname(copy), &disk) != 0;
    free(copy);
    return failed ? INFINITY : (double)disk.f_bavail * (double)disk.f_frsize;
}

static void judge_run(struct ks_advice *advice, const struct ks_campaign *campaign) {
    enum { LONG = 1800, MANY = 2000 };
    if (campaign->run.commit_seconds > LONG)
        advise(advice,
               "run.commit_seconds = %g: a crash loses up to that much work of every rank; a commit every 30 "
               "s, the "
               "default, costs next to nothing",
               campaign->run.commit_seconds);
    if (campaign->function == NULL && campaign->solver.kind == KS_SOLVER_cvode &&
        campaign->design.n_points > MANY)
        advise(advice, "solver.kind = \"cvode\" is the reference and takes twenty times as long; solver.kind "
                       "= \"rosenbrock\" "
                       "agrees to four digits, and run --verify-fraction checks that");
}

int ks_advice_give(struct ks_advice *advice, const struct ks_campaign *campaign) {
    if (campaign->function == NULL) {
        KS_TRY(judge_protocol(advice, campaign));
        judge_severity(advice, campaign);
    }
    judge_scales(advice, campaign);
    judge_size(advice, campaign);
    judge_run(advice, campaign);
    return KS_OK;
}

/* ---- what has been tried -------------------------------------------------------------------------------------- */

void ks_advice_judge_cost(struct ks_advice *advice, const struct ks_campaign *campaign, double core_seconds,
                          double bytes) {
    char size[32], left[32], time[32];
    double limit = campaign->run.time_limit, n_free = find_free_bytes(campaign->output_file);
    if (bytes > n_free)
        advise(advice,
               "the file will have %s, and there are %s free where %s lies; name another place by "
               "output.file or -o, "
               "or keep fewer trajectories (output.trajectories)",
               ks_progress_bytes(bytes, size), ks_progress_bytes(n_free, left), campaign->output_file);
    if (limit > 0 && core_seconds > limit)
        advise(advice,
               "run.time_limit = %g s is short for %s on one core: with fewer than %.0f ranks the run stops "
               "before its "
               "end (exit status 3), and the same command goes on",
               limit, ks_progress_duration(core_seconds, time), ceil(core_seconds / limit));
}

/* Impossible protocols have been spoken of by then. */
void ks_advice_judge_outcomes(struct ks_advice *advice, const struct ks_tally *tally) {
    uint64_t n_all = 0, n_well = tally->n_by_status[KS_STATUS_not_depressed],
             n_failed =
                 ks_tally_count_failed(tally->n_by_status) - tally->n_by_status[KS_STATUS_bad_protocol];
    int worst = KS_STATUS_no_equilibrium;
    char text[32];
    for (int i = 1; i < KS_N_STATUSES; i++) {
        n_all += tally->n_by_status[i];
        if (ks_status_is_failure(i) && i != KS_STATUS_bad_protocol &&
            tally->n_by_status[i] > tally->n_by_status[worst])
            worst = i;
    }
    if (100 * n_failed > n_all)
        advise(
            advice,
            "%s tried failed, most by %s (%s); `ketsweep run` says where such points lie: make those ranges "
            "narrower, or allow it by --max-failed-fraction",
            share(n_failed, n_all, text), ks_status_names[worst], ks_status_meanings[worst]);
    if (10 * n_well > n_all)
        advise(advice,
               "%s tried are of patients who are not depressed before treatment, whom analyses leave out; "
               "patient : { baseline_madrs = 33.0; } makes all of them ill, or lower patient.depressed_above",
               share(n_well, n_all, text));
}

void ks_advice_judge_effects(struct ks_advice *advice, const struct ks_campaign *campaign,
                             const bool *has_effect) {
    for (int i = 0; i < campaign->design.n_variables; i++) {
        char reason[256];
        if (has_effect[i]) continue;
        ks_effects_explain(campaign, i, reason, sizeof reason);
        advise(advice, "%s varies and changes no output by more than 1 in 10,000: %s",
               ks_parameters[campaign->design.variables[i].parameter].name, reason);
    }
}
