/* `ketsweep check`: validates a configuration and prints the plan, with times from a calibration of one second. */
#include "app/app_impl.h"
#include "base/error.h"
#include "base/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct word {
    char text[32];
};

/* A protocol entry times a factor, in words where the campaign varies it. */
static struct word entry(const struct ks_campaign *campaign, enum ks_parameter parameter, double factor) {
    struct word word = {"varied"};
    for (int i = 0; i < campaign->design.n_variables; i++)
        if (campaign->design.variables[i].parameter == (int)parameter) return word;
    double value = campaign->parameters[parameter];
    if (parameter == KS_PARAMETER_route)
        snprintf(word.text, sizeof word.text, "%s", ks_routes[(int)value].name);
    else
        snprintf(word.text, sizeof word.text, "%.4g", factor * value);
    return word;
}

static void print_protocol(const struct ks_campaign *campaign) {
    const struct ks_treatment *t = &campaign->treatment;
    const char *unit = t->is_dose_per_kg ? "mg/kg" : "mg";
#define ENTRY(name, factor) entry(campaign, KS_PARAMETER_##name, factor).text
    if (t->has_infusion_events) {
        printf("  infusions  %zu, as scheduled\n", t->n_infusion_events);
    } else {
        printf("  infusions  %s of %s %s, route %s, ", ENTRY(infusion_count, 1), ENTRY(infusion_dose, 1),
               unit, ENTRY(route, 1));
        if (t->uses_rate)
            printf("at %s %s/h", ENTRY(infusion_rate, 1), unit);
        else
            printf("over %s min", ENTRY(infusion_duration, 60));
        printf(", every %s h from %s h\n", ENTRY(infusion_interval, 1), ENTRY(infusion_start, 1));
    }
    if (t->has_session_events)
        printf("  sessions   %zu, as scheduled\n", t->n_session_events);
    else
        printf("  sessions   %s of %s min, every %s h from %s h after the first infusion\n",
               ENTRY(session_count, 1), ENTRY(session_duration, 60), ENTRY(session_interval, 1),
               ENTRY(session_delay, 1));
    printf("  horizon    %s h\n", ENTRY(horizon, 1));
#undef ENTRY
}

static void print_values(const struct ks_variable *v, const struct ks_column *column) {
    bool is_route = strcmp(column->name, "route") == 0;
    printf("  %-28s one of", column->name);
    for (int i = 0; i < v->distribution.n_values; i++) {
        if (is_route)
            printf(" %s", ks_routes[(int)v->distribution.values[i]].name);
        else
            printf(" %.4g", v->distribution.values[i]);
    }
    printf(" %s\n", is_route ? "" : column->unit);
}

static void print_variable(const struct ks_campaign *campaign, const struct ks_schema *schema, int i) {
    const struct ks_variable *v = &campaign->design.variables[i];
    const struct ks_column *column = &schema->parameters[i];
    if (campaign->design.kind == KS_DESIGN_grid)
        printf("  %-28s %d levels, %g to %g %s\n", column->name, v->n_levels, v->levels[0],
               v->levels[v->n_levels - 1], column->unit);
    else if (campaign->design.kind == KS_DESIGN_file)
        printf("  %-28s from the file, %s\n", column->name, column->unit);
    else if (v->distribution.kind == KS_DISTRIBUTION_discrete && v->distribution.n_values <= 12)
        print_values(v, column);
    else
        printf("  %-28s %s, 5 %% %.4g, median %.4g, 95 %% %.4g %s\n", column->name,
               ks_distribution_names[v->distribution.kind], ks_distribution_quantile(&v->distribution, 0.05),
               ks_distribution_quantile(&v->distribution, 0.5),
               ks_distribution_quantile(&v->distribution, 0.95), column->unit);
}

/* What to write into a batch script. */
static void print_job(double core_seconds, uint64_t n_points) {
    char text[32];
    struct ks_plan plan = ks_plan_job(core_seconds, n_points, 0, 0);
    printf(
        "Slurm lines that fit:\n  #SBATCH --ntasks=%.0f\n  #SBATCH --time=%s\n  #SBATCH --mem-per-cpu=400M\n",
        plan.ranks, ks_plan_print_time(plan.minutes, text));
}

static bool is_trait(const struct ks_parameter_info *info) {
    static const char *const others[] = {"protocol", "patient", "pharmacokinetics", "mechanism"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strcmp(info->group, others[i]) == 0) return false;
    return true;
}

/* A trait that varies moves the score before treatment too, unless that is given. */
static void print_severity(const struct ks_campaign *campaign) {
    const struct ks_variable *variables = campaign->design.variables;
    int trait = -1;
    if (campaign->parameters[KS_PARAMETER_baseline_madrs] > 0) return;
    for (int i = 0; i < campaign->design.n_variables; i++) {
        int parameter = variables[i].parameter;
        if (parameter == KS_PARAMETER_baseline_madrs || parameter == KS_PARAMETER_life_stress) return;
        if (trait < 0 && is_trait(&ks_parameters[parameter])) trait = parameter;
    }
    if (trait >= 0)
        fprintf(
            stderr,
            "warning: %s: traits vary (%s) and baseline_madrs does not hold the score before treatment; a "
            "sensitivity study of this mostly ranks what makes people ill. To compare patients of equal "
            "severity: "
            "patient : { baseline_madrs = 33.0; };\n",
            campaign->path, ks_parameters[trait].name);
}

/* What `points` is where it is not rows, and the rule by which the study may end before. */
static void print_study(const struct ks_campaign *campaign) {
    const struct ks_design *design = &campaign->design;
    const struct ks_precision *precision = &campaign->precision;
    const char *kind = ks_designs[design->kind].points;
    if (design->n_variables > 0 && design->kind != KS_DESIGN_grid && design->n_bases != design->n_points)
        printf("  of %" PRIu64 " %s\n", design->n_bases, kind);
    if (precision->is_wanted)
        printf("  at most: doubled until every interval%s%s is +- %g or less\n",
               precision->method != NULL ? " of " : "", precision->method != NULL ? precision->method : "",
               precision->half_width);
}

static void print_plan(const struct ks_work *work, double seconds) {
    const struct ks_campaign *campaign = work->campaign;
    const struct ks_schema *schema = &work->schema;
    char text[32], cost[32];
    uint64_t n = campaign->design.n_points;
    double core_seconds = seconds * (double)n, bytes = (double)ks_store_file_bytes(schema);
    printf("%s: %s\n", campaign->path, campaign->title);
    printf("%" PRIu64 " points of %s, design %s, seed %" PRIu64 "\n", n, campaign->model, schema->design,
           schema->seed);
    print_study(campaign);
    for (int i = 0; i < campaign->design.n_variables; i++) print_variable(campaign, schema, i);
    if (campaign->function == NULL) {
        printf("protocol\n");
        print_protocol(campaign);
        print_severity(campaign);
        printf("solver %s, rtol %g\n", ks_solver_names[campaign->solver.kind], campaign->solver.rtol);
    }
    printf("%d endpoints, %d trajectories at %d times\n", schema->n_endpoints, schema->n_states,
           schema->n_times);
    printf("file %s, %s; rows in memory %s per rank\n", campaign->output_file, ks_progress_bytes(bytes, text),
           ks_progress_bytes((double)(ks_store_row_bytes(schema) * work->capacity), cost));
    printf("%.3g ms per point here: %s on one core", 1e3 * seconds, ks_progress_duration(core_seconds, cost));
    printf(" (%.3g core-hours)\n", core_seconds / 3600);
    print_job(core_seconds, n);
}

/* What a cohort and a trial of this configuration come to; their time depends on how many candidates are plausible. */
static void print_clinical_study(const struct ks_campaign *campaign) {
    const struct ks_clinical_study *study = campaign->study;
    printf("%s: %s\n", campaign->path, campaign->title);
    for (int a = 0; a < study->n_arms; a++) {
        printf("arm %s\n", study->arms[a].name);
        print_protocol(study->arms[a].campaign);
    }
    if (study->has_population)
        printf("population  %d traits, %" PRIu64 " candidates, %" PRIu64 " patients\n",
               study->population.n_traits, study->population.n_candidates, study->n_patients);
    printf("%d bounds, %d targets, %d visits, rater error %g points\n", study->n_bounds, study->n_targets,
           study->n_visits, study->score_sd);
    printf("uncertain   %d constants, %d draws\n", study->uncertainty.constants.n_traits,
           study->uncertainty.n_draws);
    if (study->trial.cohort != NULL) printf("patients of %s\n", study->trial.cohort);
    printf("solver %s, rtol %g\n", ks_solver_names[campaign->solver.kind], campaign->solver.rtol);
}

int ks_check_campaign(const struct ks_campaign *campaign, double *core_seconds) {
    struct ks_work work;
    double seconds = 0;
    KS_TRY(ks_doubling_check(campaign));
    KS_TRY(ks_work_create(&work, campaign, NULL, 0));
    int err = ks_plan_calibrate(&work, &seconds);
    if (err == KS_OK) print_plan(&work, seconds);
    ks_work_release(&work);
    *core_seconds = seconds * (double)campaign->design.n_points;
    return err;
}

int ks_check_command(const struct ks_arguments *arguments) {
    struct ks_campaign campaign;
    KS_TRY(ks_config_load(arguments->operand, arguments->n_overrides, arguments->overrides, true, stderr,
                          &campaign));
    double core_seconds;
    int status = 0;
    if (campaign.study != NULL)
        print_clinical_study(&campaign);
    else
        status = ks_check_campaign(&campaign, &core_seconds);
    ks_config_release(&campaign);
    return status;
}
