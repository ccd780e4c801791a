/* `ketsweep check`: validates a configuration and prints the plan, with times from a calibration of one second, and what
 * looks like a mistake. */
#include "app/app_impl.h"
#include "base/error.h"
#include "base/memory.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct word {
    char text[32];
};

/* A protocol entry times a factor with its unit, in words where the campaign varies it. */
static struct word entry(const struct ks_campaign *campaign, enum ks_parameter parameter, double factor,
                         const char *unit) {
    struct word word = {"varied"};
    for (int i = 0; i < campaign->design.n_variables; i++)
        if (campaign->design.variables[i].parameter == (int)parameter) return word;
    double value = campaign->parameters[parameter];
    if (parameter == KS_PARAMETER_route)
        snprintf(word.text, sizeof word.text, "%s", ks_routes[(int)value].name);
    else
        snprintf(word.text, sizeof word.text, "%.4g%s%s", factor * value, unit[0] != '\0' ? " " : "", unit);
    return word;
}

/* How many there can be; 2 stands for more. */
static int count_doses(const struct ks_campaign *campaign, enum ks_parameter parameter) {
    if (strcmp(entry(campaign, parameter, 1, "").text, "varied") == 0) return 2;
    double value = campaign->parameters[parameter];
    return value >= 2 ? 2 : (int)value;
}

#define ENTRY(name, factor, unit) entry(campaign, KS_PARAMETER_##name, factor, unit).text

static void print_infusions(const struct ks_campaign *campaign) {
    const struct ks_treatment *t = &campaign->treatment;
    const char *unit = t->is_dose_per_kg ? "mg/kg" : "mg", *rate = t->is_dose_per_kg ? "mg/kg/h" : "mg/h";
    int n = count_doses(campaign, KS_PARAMETER_infusion_count);
    if (t->has_infusion_events) {
        printf("  infusions  %zu, as scheduled\n", t->n_infusion_events);
        return;
    }
    if (n == 0) {
        printf("  infusions  none\n");
        return;
    }
    printf("  infusions  %s, dose %s, route %s, ", ENTRY(infusion_count, 1, ""),
           ENTRY(infusion_dose, 1, unit), ENTRY(route, 1, ""));
    if (t->uses_rate)
        printf("rate %s", ENTRY(infusion_rate, 1, rate));
    else
        printf("duration %s", ENTRY(infusion_duration, 60, "min"));
    if (n > 1) printf(", every %s", ENTRY(infusion_interval, 1, "h"));
    printf(n > 1 ? " from %s on\n" : ", at %s\n", ENTRY(infusion_start, 1, "h"));
}

static void print_protocol(const struct ks_campaign *campaign) {
    const struct ks_treatment *t = &campaign->treatment;
    int n = count_doses(campaign, KS_PARAMETER_session_count);
    print_infusions(campaign);
    if (t->has_session_events)
        printf("  sessions   %zu, as scheduled\n", t->n_session_events);
    else if (n == 0)
        printf("  sessions   none\n");
    else if (n == 1)
        printf("  sessions   %s, duration %s, %s after the first infusion\n", ENTRY(session_count, 1, ""),
               ENTRY(session_duration, 60, "min"), ENTRY(session_delay, 1, "h"));
    else
        printf("  sessions   %s, duration %s, every %s from %s after the first infusion on\n",
               ENTRY(session_count, 1, ""), ENTRY(session_duration, 60, "min"),
               ENTRY(session_interval, 1, "h"), ENTRY(session_delay, 1, "h"));
    printf("  horizon    %s\n", ENTRY(horizon, 1, "h"));
}

/* " mg/kg"; nothing where there is no unit. */
static struct word unit_of(const struct ks_column *column) {
    struct word word = {""};
    if (strcmp(column->unit, "1") != 0) snprintf(word.text, sizeof word.text, " %s", column->unit);
    return word;
}

static void print_values(const struct ks_column *column, const char *words, int n, const double *values) {
    bool is_route = strcmp(column->name, "route") == 0;
    printf("  %-30s %s", column->name, words);
    for (int i = 0; i < n; i++) {
        if (is_route)
            printf(" %s", ks_routes[(int)values[i]].name);
        else
            printf(" %.4g", values[i]);
    }
    printf("%s\n", is_route ? "" : unit_of(column).text);
}

static void print_variable(const struct ks_campaign *campaign, const struct ks_schema *schema, int i) {
    const struct ks_variable *v = &campaign->design.variables[i];
    const struct ks_column *column = &schema->parameters[i];
    const struct word unit = unit_of(column);
    if (campaign->design.kind == KS_DESIGN_grid && (v->n_levels == 1 || strcmp(column->name, "route") == 0))
        print_values(column, v->n_levels == 1 ? "1 level," : "levels", v->n_levels, v->levels);
    else if (campaign->design.kind == KS_DESIGN_grid)
        printf("  %-30s %d levels, %g to %g%s\n", column->name, v->n_levels, v->levels[0],
               v->levels[v->n_levels - 1], unit.text);
    else if (campaign->design.kind == KS_DESIGN_file)
        printf("  %-30s from the file%s%s\n", column->name, unit.text[0] != '\0' ? "," : "", unit.text);
    else if (v->distribution.kind == KS_DISTRIBUTION_discrete && v->distribution.n_values <= 12)
        print_values(column, "one of", v->distribution.n_values, v->distribution.values);
    else
        printf("  %-30s %s, 5 %% %.4g, median %.4g, 95 %% %.4g%s\n", column->name,
               ks_distribution_names[v->distribution.kind], ks_distribution_quantile(&v->distribution, 0.05),
               ks_distribution_quantile(&v->distribution, 0.5),
               ks_distribution_quantile(&v->distribution, 0.95), unit.text);
}

/* What to write into a batch script. */
static void print_job(double core_seconds, uint64_t n_points) {
    char text[32];
    struct ks_plan plan = ks_plan_job(core_seconds, n_points, 0, 0);
    printf(
        "Slurm lines that fit:\n  #SBATCH --ntasks=%.0f\n  #SBATCH --time=%s\n  #SBATCH --mem-per-cpu=400M\n",
        plan.ranks, ks_plan_print_time(plan.minutes, text));
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

/* "65,536 patients x 28 days; about 14 core-minutes; file 21 MB; on 32 ranks about 30 s". */
static void print_headline(const struct ks_campaign *campaign, double core_seconds, double bytes) {
    uint64_t n = campaign->design.n_points;
    char text[32];
    printf("%s %s", ks_progress_count(n, text),
           campaign->function != NULL ? "points"
           : n == 1                   ? "patient"
                                      : "patients");
    if (campaign->function != NULL)
        printf(" of %s", campaign->model);
    else if (strcmp(ENTRY(horizon, 1, ""), "varied") == 0)
        printf(", the horizon varied");
    else
        printf(" x %s", ENTRY(horizon, 1.0 / 24, "days"));
    double ranks = ks_plan_ranks_for_a_minute(core_seconds, n);
    if (ranks > 1) printf("; about %s", ks_plan_print_work(core_seconds, text));
    printf("; file %s", ks_progress_bytes(bytes, text));
    if (ranks > 1)
        printf("; on %.0f ranks about %s\n", ranks,
               ks_progress_duration(ks_plan_seconds(core_seconds, ranks), text));
    else
        printf("; on one core about %s\n", ks_progress_duration(core_seconds, text));
}

static void print_plan(const struct ks_work *work, double seconds) {
    const struct ks_campaign *campaign = work->campaign;
    const struct ks_schema *schema = &work->schema;
    char text[32];
    double core_seconds = seconds * (double)campaign->design.n_points;
    printf("%s: %s\n", campaign->path, campaign->title);
    print_headline(campaign, core_seconds, (double)ks_store_file_bytes(schema));
    printf("design %s, seed %" PRIu64 "\n", schema->design, schema->seed);
    print_study(campaign);
    for (int i = 0; i < campaign->design.n_variables; i++) print_variable(campaign, schema, i);
    if (campaign->function == NULL) {
        printf("protocol\n");
        print_protocol(campaign);
        printf("solver %s, rtol %g; %.3g ms per patient on one core here\n",
               ks_solver_names[campaign->solver.kind], campaign->solver.rtol, 1e3 * seconds);
    }
    printf("%d endpoint%s", schema->n_endpoints, schema->n_endpoints == 1 ? "" : "s");
    if (schema->n_states > 0)
        printf("; the course of %d quantit%s at %d times", schema->n_states,
               schema->n_states == 1 ? "y" : "ies", schema->n_times);
    printf("\nfile %s; %s of rows in memory per rank\n", campaign->output_file,
           ks_progress_bytes((double)(ks_store_row_bytes(schema) * work->capacity), text));
    print_job(core_seconds, campaign->design.n_points);
}

/* What a cohort and a trial of this configuration come to; their time depends on how many candidates are plausible. */
static void print_clinical_study(const struct ks_campaign *campaign) {
    const struct ks_clinical_study *study = campaign->study;
    char text[32];
    printf("%s: %s\n", campaign->path, campaign->title);
    for (int a = 0; a < study->n_arms; a++) {
        printf("arm %s\n", study->arms[a].name);
        print_protocol(study->arms[a].campaign);
    }
    if (study->has_population)
        printf("population  %d traits; %s candidates, of whom ", study->population.n_traits,
               ks_progress_count(study->population.n_candidates, text));
    if (study->has_population && study->n_patients > 0)
        printf("%s patients are selected\n", ks_progress_count(study->n_patients, text));
    else if (study->has_population)
        printf("all plausible ones are patients\n");
    printf("%d bounds, %d targets, %d visits, rater error %g points\n", study->n_bounds, study->n_targets,
           study->n_visits, study->score_sd);
    printf("uncertain   %d constants, %d draws\n", study->uncertainty.constants.n_traits,
           study->uncertainty.n_draws);
    if (study->trial.cohort != NULL) printf("patients of %s\n", study->trial.cohort);
    printf("solver %s, rtol %g\n", ks_solver_names[campaign->solver.kind], campaign->solver.rtol);
}

/* The plan on standard output, then what looks wrong on standard error. */
static int judge(const struct ks_work *work, double seconds) {
    const struct ks_campaign *campaign = work->campaign;
    struct ks_advice advice = {stderr, campaign->path, 0};
    bool *has_effect;
    KS_ALLOCATE(has_effect, (size_t)campaign->design.n_variables);
    int err = ks_effects_find(campaign, seconds, has_effect);
    if (err == KS_OK) {
        print_plan(work, seconds);
        fflush(stdout);
        err = ks_advice_give(&advice, campaign);
    }
    if (err == KS_OK) {
        ks_advice_judge_effects(&advice, campaign, has_effect);
        ks_advice_judge_outcomes(&advice, &work->tally);
        ks_advice_judge_cost(&advice, campaign, seconds * (double)campaign->design.n_points,
                             (double)ks_store_file_bytes(&work->schema));
    }
    free(has_effect);
    return err;
}

int ks_check_campaign(const struct ks_campaign *campaign, double *core_seconds) {
    struct ks_work work;
    double seconds = 0;
    KS_TRY(ks_doubling_check(campaign));
    KS_TRY(ks_work_create(&work, campaign, NULL, 0));
    int err = ks_plan_calibrate(&work, &seconds);
    if (err == KS_OK) err = judge(&work, seconds);
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
