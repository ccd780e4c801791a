/* What a trial prints: arms at their visits, targets beside what is simulated, and what each mechanism carries. */
#include "app/trial_impl.h"
#include "base/error.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST = 20 /* numbers behind an interval */ };

/* ---- intervals ------------------------------------------------------------------------------------------------------ */

static struct ks_interval interval_of(size_t n, double *numbers) {
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) kept += !isnan(numbers[i]);
    if (kept < LEAST) return (struct ks_interval){NAN, NAN};
    return (struct ks_interval){ks_statistics_quantile(n, numbers, 0.025),
                                ks_statistics_quantile(n, numbers, 0.975)};
}

/* The number needed to treat is 1 over a difference: where that can be 0 or less, no number is enough. */
static struct ks_interval invert(struct ks_interval difference) {
    struct ks_interval inverse = {1 / difference.high, difference.low > 0 ? 1 / difference.low : INFINITY};
    if (isnan(difference.low)) inverse.low = inverse.high = NAN;
    if (difference.high <= 0) inverse.low = INFINITY;
    return inverse;
}

static double summary_at(const struct ks_trial *t, int draw, int arm, int visit, enum ks_statistic s) {
    size_t row =
        ((size_t)draw * (size_t)t->study->n_arms + (size_t)arm) * (size_t)t->ward.n_visits + (size_t)visit;
    return t->summaries[row * KS_N_STATISTICS + (size_t)s];
}

static double replicate_at(const struct ks_trial *t, int q, int arm, int visit, enum ks_statistic s) {
    size_t row =
        ((size_t)arm * (size_t)t->n_replicates + (size_t)q) * (size_t)t->ward.n_visits + (size_t)visit;
    return t->replicates[row * KS_N_STATISTICS + (size_t)s];
}

struct ks_interval ks_trial_report_over_draws(const struct ks_trial *t, int arm, int visit,
                                              enum ks_statistic s) {
    if (s == KS_STATISTIC_number_needed)
        return invert(ks_trial_report_over_draws(t, arm, visit, KS_STATISTIC_response_difference));
    for (int d = 1; d <= t->n_draws; d++) t->intervals[d - 1] = summary_at(t, d, arm, visit, s);
    return interval_of((size_t)t->n_draws, t->intervals);
}

struct ks_interval ks_trial_report_over_replicates(const struct ks_trial *t, int arm, int visit,
                                                   enum ks_statistic s) {
    if (s == KS_STATISTIC_number_needed)
        return invert(ks_trial_report_over_replicates(t, arm, visit, KS_STATISTIC_response_difference));
    for (int q = 0; q < t->n_replicates; q++) t->intervals[q] = replicate_at(t, q, arm, visit, s);
    return interval_of((size_t)t->n_replicates, t->intervals);
}

struct ks_interval ks_trial_report_target_over_draws(const struct ks_trial *t, int target) {
    const double *row = &t->targets[(size_t)target * (size_t)(t->n_draws + 1)];
    for (int d = 1; d <= t->n_draws; d++) t->intervals[d - 1] = row[d];
    return interval_of((size_t)t->n_draws, t->intervals);
}

struct ks_interval ks_trial_report_target_over_replicates(const struct ks_trial *t, int target) {
    const double *row = &t->target_replicates[(size_t)target * (size_t)t->n_replicates];
    memcpy(t->intervals, row, (size_t)t->n_replicates * sizeof *row);
    return interval_of((size_t)t->n_replicates, t->intervals);
}

/* ---- arms ------------------------------------------------------------------------------------------------------------- */

struct words {
    char text[40];
};

static struct words in_words(struct ks_interval i) {
    struct words w = {"-"};
    if (!isnan(i.low)) snprintf(w.text, sizeof w.text, "%.3g to %.3g", i.low, i.high);
    return w;
}

static void print_statistic(const struct ks_trial *t, int arm, int visit, enum ks_statistic s,
                            const char *name, const char *unit) {
    double value = summary_at(t, 0, arm, visit, s);
    char text[64];
    if (isnan(value)) return;
    bool has_unit = strcmp(unit, "1") != 0;
    snprintf(text, sizeof text, "%s%s%s", name, has_unit ? ", " : "", has_unit ? unit : "");
    printf("    %-24s %9.3g   %-18s   %-18s\n", text, value,
           in_words(ks_trial_report_over_draws(t, arm, visit, s)).text,
           in_words(ks_trial_report_over_replicates(t, arm, visit, s)).text);
}

static void print_visit(const struct ks_trial *t, int arm, int visit) {
    static const char *const names[KS_N_STATISTICS][2] = {
#define X(name, unit, words) {#name, unit},
        KS_STATISTIC_TABLE(X)
#undef X
    };
    double time = t->clinic.times[t->ward.visit_times[visit]];
    printf("  %s at %g h\n", t->study->arms[arm].name, time);
    for (int s = 0; s < KS_N_STATISTICS; s++)
        if (s != KS_STATISTIC_response_difference &&
            (s != KS_STATISTIC_seen || t->study->trial.dropout > 0 || !isinf(t->study->trial.rescue_ratio)))
            print_statistic(t, arm, visit, (enum ks_statistic)s, names[s][0], names[s][1]);
}

static void print_peak(const struct ks_trial *t, const char *name) {
    int endpoint = -1;
    size_t m = t->patients.m, width = 1 + (size_t)t->clinic.n_times + (size_t)t->campaign->n_endpoints;
    for (int e = 0; e < t->campaign->n_endpoints; e++)
        if (strcmp(t->campaign->endpoints[e].name, name) == 0) endpoint = e;
    for (int a = 0; endpoint >= 0 && a < t->study->n_arms; a++) {
        for (size_t j = 0; j < m; j++)
            t->scratch[j] = t->nominal.rows[j * t->nominal.stride + 2 + (size_t)a * width +
                                            (size_t)t->clinic.n_times + (size_t)endpoint];
        printf("  %-28s %-20s mean %.3g, sd %.3g %s\n", t->study->arms[a].name, name,
               ks_statistics_mean(m, t->scratch, t->patients.weights),
               ks_statistics_sd(m, t->scratch, t->patients.weights), t->campaign->endpoints[endpoint].unit);
    }
}

static void print_arms(const struct ks_trial *t) {
    printf("%-28s %9s   %-18s   %-18s\n", "", "simulated", "constants (95 %)", "trials of n (95 %)");
    for (int a = 0; a < t->study->n_arms; a++)
        for (int v = 0; v < t->ward.n_visits; v++) print_visit(t, a, v);
    print_peak(t, "cadss_peak");
    print_peak(t, "systolic_rise_peak");
}

/* ---- targets ------------------------------------------------------------------------------------------------------------- */

static void print_targets(const struct ks_trial *t) {
    if (t->study->n_targets > 0)
        printf("\n%-56s %-8s %9s %9s   %-18s   %-18s  %s\n", "target", "unit", "published", "simulated",
               "constants (95 %)", "trials of n (95 %)", "use");
    for (int k = 0; k < t->study->n_targets; k++) {
        const struct ks_target *target = &t->study->targets[k];
        char text[256];
        ks_selection_describe(t->campaign, target, text, sizeof text);
        printf("%-56s %-8s %9.3g %9.3g   %-18s   %-18s  %s\n", text, ks_selection_unit(t->campaign, target),
               target->value, t->targets[(size_t)k * (size_t)(t->n_draws + 1)],
               in_words(ks_trial_report_target_over_draws(t, k)).text,
               in_words(ks_trial_report_target_over_replicates(t, k)).text,
               target->is_calibration ? "calibration" : "validation");
    }
}

/* ---- mechanisms ------------------------------------------------------------------------------------------------------------ */

/* The share of the difference in the first compared arm that is left in another. */
static double share_left(const struct ks_trial *t, int draw, int reference, int arm, int visit) {
    return summary_at(t, draw, arm, visit, KS_STATISTIC_difference) /
           summary_at(t, draw, reference, visit, KS_STATISTIC_difference);
}

static bool has_mechanism(const struct ks_arm *arm) {
    for (int k = 0; k < arm->n_named; k++)
        if (strcmp(ks_parameters[arm->named[k]].group, "mechanism") == 0) return true;
    return false;
}

static void print_mechanism(const struct ks_trial *t, int reference, int arm) {
    printf("  %s\n", t->study->arms[arm].name);
    for (int v = 0; v < t->ward.n_visits; v++) {
        for (int d = 1; d <= t->n_draws; d++) t->intervals[d - 1] = share_left(t, d, reference, arm, v);
        printf("    %6g h   %5.2f   %s\n", t->clinic.times[t->ward.visit_times[v]],
               share_left(t, 0, reference, arm, v),
               in_words(interval_of((size_t)t->n_draws, t->intervals)).text);
    }
    if (t->study->arms[arm].literature[0] != '\0') printf("    known: %s\n", t->study->arms[arm].literature);
}

static void print_mechanisms(const struct ks_trial *t) {
    int reference = -1;
    for (int a = t->study->n_arms - 1; a >= 0; a--)
        if (t->study->arms[a].control >= 0 && !has_mechanism(&t->study->arms[a])) reference = a;
    bool is_any = false;
    for (int a = 0; a < t->study->n_arms; a++) {
        if (reference < 0 || t->study->arms[a].control < 0 || !has_mechanism(&t->study->arms[a])) continue;
        if (!is_any)
            printf("\nshare of the effect of %s that is left (its difference from control = 1), constants "
                   "(95 %%)\n",
                   t->study->arms[reference].name);
        is_any = true;
        print_mechanism(t, reference, a);
    }
}

int ks_trial_report_print(const struct ks_trial *t) {
    char duration[32];
    printf("%s: %zu patients in %d arm%s", t->path, t->patients.m, t->study->n_arms,
           t->study->n_arms == 1 ? "" : "s");
    if (t->n_left_out > 0) printf(" (%zu could not be solved or are not ill)", t->n_left_out);
    printf(", %d draws of the constants, %d replicates of %g per arm, %s on %d rank%s\n", t->n_draws,
           t->n_replicates, t->study->trial.size,
           ks_progress_duration(MPI_Wtime() - t->session->start, duration), t->session->size,
           t->session->size == 1 ? "" : "s");
    if (t->n_draws < LEAST)
        printf("fewer than %d draws: no interval for what the constants leave open\n", (int)LEAST);
    print_arms(t);
    print_targets(t);
    print_mechanisms(t);
    return t->study->tailor.is_wanted ? ks_tailoring_print(&t->tailoring, t->study, stdout) : KS_OK;
}
