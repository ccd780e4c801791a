/* The file of a trial: patients by arm and visit, what is said of the arms, and the targets. */
#include "app/trial_impl.h"
#include "base/error.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What is written and not there as it is written. */
struct content {
    const char **arms, **controls, **literature, **endpoints, **units, **statistics, **statistic_units,
        **targets, **ids, **uses;
    char (*described)[256];
    uint64_t *patient, *row, *status, *replicate_number, *draw_number;
    double *visit, *endpoint, *summary, *low, *high, *replicate_low, *replicate_high;
    float *latent, *observed, *baseline, *replicate, *draw;
    double *target_value, *target_n, *published_low, *published_high, *simulated, *target_bounds[4];
    void *all[64]; /* of the above, to be freed */
    int n_all;
};

static int allocate(struct content *c, size_t n, size_t size, void *pointer) {
    void *memory = ks_memory_allocate(n, size);
    KS_CHECK(memory != NULL, KS_ERR_MEMORY, "no memory for %zu numbers", n);
    KS_ASSERT(c->n_all < 64);
    c->all[c->n_all++] = memory;
    memcpy(pointer, &memory, sizeof memory);
    return KS_OK;
}

#define ROOM(field, n) KS_TRY(allocate(c, (size_t)(n), sizeof *c->field, &c->field))

static int make_room(struct content *c, const struct ks_trial *t) {
    size_t a = (size_t)t->study->n_arms, m = t->patients.m, v = (size_t)t->ward.n_visits, s = KS_N_STATISTICS,
           e = (size_t)t->campaign->n_endpoints, k = (size_t)t->study->n_targets;
    ROOM(arms, a);
    ROOM(controls, a);
    ROOM(literature, a);
    ROOM(endpoints, e);
    ROOM(units, e);
    ROOM(statistics, s);
    ROOM(statistic_units, s);
    ROOM(targets, k);
    ROOM(ids, k);
    ROOM(uses, k);
    ROOM(described, k);
    ROOM(patient, m);
    ROOM(row, a * m);
    ROOM(status, a * m);
    ROOM(visit, v);
    ROOM(endpoint, a * m * e);
    ROOM(summary, a * v * s);
    ROOM(low, a * v * s);
    ROOM(high, a * v * s);
    ROOM(replicate_low, a * v * s);
    ROOM(replicate_high, a * v * s);
    ROOM(latent, a * m * v);
    ROOM(observed, a * m * v);
    ROOM(baseline, a * m * 2);
    ROOM(replicate_number, t->n_replicates);
    ROOM(draw_number, t->n_draws + 1);
    ROOM(replicate, a * (size_t)t->n_replicates * v * s);
    ROOM(draw, (size_t)(t->n_draws + 1) * a * v * s);
    ROOM(target_value, k);
    ROOM(target_n, k);
    ROOM(published_low, k);
    ROOM(published_high, k);
    ROOM(simulated, k);
    for (int i = 0; i < 4; i++) ROOM(target_bounds[i], k);
    return KS_OK;
}

static void fill_names(struct content *c, const struct ks_trial *t) {
    static const char *const names[] = {
#define X(name, unit, words) #name,
        KS_STATISTIC_TABLE(X)
#undef X
    };
    static const char *const units[] = {
#define X(name, unit, words) unit,
        KS_STATISTIC_TABLE(X)
#undef X
    };
    for (int a = 0; a < t->study->n_arms; a++) {
        const struct ks_arm *arm = &t->study->arms[a];
        c->arms[a] = arm->name;
        c->controls[a] = arm->control >= 0 ? t->study->arms[arm->control].name : "";
        c->literature[a] = arm->literature;
    }
    for (int e = 0; e < t->campaign->n_endpoints; e++) {
        c->endpoints[e] = t->campaign->endpoints[e].name;
        c->units[e] = t->campaign->endpoints[e].unit;
    }
    for (int s = 0; s < KS_N_STATISTICS; s++) {
        c->statistics[s] = names[s];
        c->statistic_units[s] = units[s];
    }
    for (int v = 0; v < t->ward.n_visits; v++) c->visit[v] = t->clinic.times[t->ward.visit_times[v]];
}

static void fill_patients(struct content *c, const struct ks_trial *t) {
    size_t m = t->patients.m, n_visits = (size_t)t->ward.n_visits,
           n_endpoints = (size_t)t->campaign->n_endpoints;
    size_t width = 1 + (size_t)t->clinic.n_times + n_endpoints;
    for (size_t j = 0; j < m; j++) c->patient[j] = j;
    for (size_t i = 0; i < (size_t)t->study->n_arms * m; i++) {
        size_t a = i / m, j = i % m;
        const double *part = &t->nominal.rows[j * t->nominal.stride + 1 + a * width],
                     *seen = &t->observed[i * (n_visits + 1)];
        c->row[i] = i;
        c->status[i] = (uint64_t)part[0];
        c->baseline[2 * i] = (float)part[1];
        c->baseline[2 * i + 1] = (float)seen[0];
        for (size_t v = 0; v < n_visits; v++) {
            c->latent[i * n_visits + v] = (float)part[1 + t->ward.visit_times[v]];
            c->observed[i * n_visits + v] = (float)seen[v + 1];
        }
        memcpy(&c->endpoint[i * n_endpoints], part + 1 + t->clinic.n_times, n_endpoints * sizeof(double));
    }
}

static void fill_statistics(struct content *c, const struct ks_trial *t) {
    size_t n = (size_t)t->ward.n_visits * KS_N_STATISTICS, arms = (size_t)t->study->n_arms;
    for (int a = 0; a < t->study->n_arms; a++)
        for (int v = 0; v < t->ward.n_visits; v++)
            for (int s = 0; s < KS_N_STATISTICS; s++) {
                size_t i = ((size_t)a * (size_t)t->ward.n_visits + (size_t)v) * KS_N_STATISTICS + (size_t)s;
                struct ks_interval draws = ks_trial_report_over_draws(t, a, v, (enum ks_statistic)s);
                struct ks_interval replicates =
                    ks_trial_report_over_replicates(t, a, v, (enum ks_statistic)s);
                c->summary[i] = t->summaries[i];
                c->low[i] = draws.low;
                c->high[i] = draws.high;
                c->replicate_low[i] = replicates.low;
                c->replicate_high[i] = replicates.high;
            }
    for (size_t i = 0; i < arms * (size_t)t->n_replicates * n; i++) c->replicate[i] = (float)t->replicates[i];
    for (size_t i = 0; i < (size_t)(t->n_draws + 1) * arms * n; i++) c->draw[i] = (float)t->summaries[i];
    for (int q = 0; q < t->n_replicates; q++) c->replicate_number[q] = (uint64_t)q;
    for (int d = 0; d <= t->n_draws; d++) c->draw_number[d] = (uint64_t)d;
}

static void fill_targets(struct content *c, const struct ks_trial *t) {
    for (int k = 0; k < t->study->n_targets; k++) {
        const struct ks_target *target = &t->study->targets[k];
        struct ks_interval draws = ks_trial_report_target_over_draws(t, k),
                           replicates = ks_trial_report_target_over_replicates(t, k);
        ks_selection_describe(t->campaign, target, c->described[k], sizeof c->described[k]);
        c->targets[k] = c->described[k];
        c->ids[k] = target->id;
        c->uses[k] = target->is_calibration ? "calibration" : "validation";
        c->target_value[k] = target->value;
        c->target_n[k] = target->n;
        c->published_low[k] = target->low;
        c->published_high[k] = target->high;
        c->simulated[k] = t->targets[(size_t)k * (size_t)(t->n_draws + 1)];
        c->target_bounds[0][k] = draws.low;
        c->target_bounds[1][k] = draws.high;
        c->target_bounds[2][k] = replicates.low;
        c->target_bounds[3][k] = replicates.high;
    }
}

static int write_content(const struct content *c, const struct ks_trial *t) {
    const enum ks_table_type F64 = KS_TABLE_F64, F32 = KS_TABLE_F32, U64 = KS_TABLE_U64, TEXT = KS_TABLE_TEXT;
    static const char *const scores[] = {"latent", "observed"};
    uint64_t a = (uint64_t)t->study->n_arms, m = t->patients.m, v = (uint64_t)t->ward.n_visits,
             s = KS_N_STATISTICS, e = (uint64_t)t->campaign->n_endpoints, k = (uint64_t)t->study->n_targets,
             p = (uint64_t)t->patients.n_traits, q = (uint64_t)t->n_replicates, d = (uint64_t)t->n_draws + 1;
    const struct ks_table tables[] = {
        {"arm", TEXT, 1, {a}, {"arm"}, c->arms, NULL, "what is done"},
        {"patient",
         U64,
         1,
         {m},
         {"patient"},
         c->patient,
         NULL,
         "number of the patient, the same in every arm"},
        {"visit", F64, 1, {v}, {"visit"}, c->visit, "h", "time of rating"},
        {"endpoint", TEXT, 1, {e}, {"endpoint"}, c->endpoints, NULL, "outcomes"},
        {"statistic", TEXT, 1, {s}, {"statistic"}, c->statistics, NULL, "what is said of an arm at a visit"},
        {"trait", TEXT, 1, {p}, {"trait"}, t->patients.names, NULL, "what differs between patients"},
        {"score", TEXT, 1, {2}, {"score"}, scores, NULL, "as it is, and as a rater sees it"},
        {"target", TEXT, 1, {k}, {"target"}, c->targets, NULL, "published numbers"},
        {"draw_number",
         U64,
         1,
         {d},
         {"draw_number"},
         c->draw_number,
         NULL,
         "draw of the constants; 0: the model as it is"},
        {"replicate_number",
         U64,
         1,
         {q},
         {"replicate_number"},
         c->replicate_number,
         NULL,
         "trial of its own size"},
        {"control", TEXT, 1, {a}, {"arm"}, c->controls, NULL, "the arm that it is compared with"},
        {"literature", TEXT, 1, {a}, {"arm"}, c->literature, NULL, "what experiments say"},
        {"endpoint_unit", TEXT, 1, {e}, {"endpoint"}, c->units, NULL, NULL},
        {"statistic_unit", TEXT, 1, {s}, {"statistic"}, c->statistic_units, NULL, NULL},
        {"trait_unit", TEXT, 1, {p}, {"trait"}, t->patients.units, NULL, NULL},
        {"candidate",
         U64,
         1,
         {m},
         {"patient"},
         t->patients.candidates,
         NULL,
         "number of the candidate that became the patient"},
        {"weight", F64, 1, {m}, {"patient"}, t->patients.weights, "1", "prevalence weight"},
        {"inputs",
         F64,
         2,
         {m, p},
         {"patient", "trait"},
         t->patients.inputs,
         NULL,
         "parameters and covariates"},
        {"row", U64, 2, {a, m}, {"arm", "patient"}, c->row, NULL, "number of a patient in an arm"},
        {"status",
         U64,
         2,
         {a, m},
         {"arm", "patient"},
         c->status,
         NULL,
         "as in a campaign: 1 done, 2 not depressed, 3.. failed"},
        {"baseline",
         F32,
         3,
         {a, m, 2},
         {"arm", "patient", "score"},
         c->baseline,
         "points",
         "MADRS before treatment"},
        {"latent", F32, 3, {a, m, v}, {"arm", "patient", "visit"}, c->latent, "points", "MADRS as it is"},
        {"observed",
         F32,
         3,
         {a, m, v},
         {"arm", "patient", "visit"},
         c->observed,
         "points",
         "MADRS as a rater sees it; NaN when missing"},
        {"endpoints",
         F64,
         3,
         {a, m, e},
         {"arm", "patient", "endpoint"},
         c->endpoint,
         NULL,
         "outcomes as they are"},
        {"summary",
         F64,
         3,
         {a, v, s},
         {"arm", "visit", "statistic"},
         c->summary,
         NULL,
         "of the arms, by what raters see"},
        {"summary_low",
         F64,
         3,
         {a, v, s},
         {"arm", "visit", "statistic"},
         c->low,
         NULL,
         "2.5 % over draws of the constants"},
        {"summary_high",
         F64,
         3,
         {a, v, s},
         {"arm", "visit", "statistic"},
         c->high,
         NULL,
         "97.5 % over draws of the constants"},
        {"replicate_low",
         F64,
         3,
         {a, v, s},
         {"arm", "visit", "statistic"},
         c->replicate_low,
         NULL,
         "2.5 % over trials of their own size"},
        {"replicate_high",
         F64,
         3,
         {a, v, s},
         {"arm", "visit", "statistic"},
         c->replicate_high,
         NULL,
         "97.5 % over trials of their own size"},
        {"draw",
         F32,
         4,
         {d, a, v, s},
         {"draw_number", "arm", "visit", "statistic"},
         c->draw,
         NULL,
         "the summary of every draw of the constants; the first is the model as it is"},
        {"replicate",
         F32,
         4,
         {a, q, v, s},
         {"arm", "replicate_number", "visit", "statistic"},
         c->replicate,
         NULL,
         "the summary of trials of their own size"},
        {"target_id", TEXT, 1, {k}, {"target"}, c->ids, NULL, "published source"},
        {"target_use",
         TEXT,
         1,
         {k},
         {"target"},
         c->uses,
         NULL,
         "calibration may select patients, validation must not"},
        {"target_value", F64, 1, {k}, {"target"}, c->target_value, NULL, "published number"},
        {"target_n", F64, 1, {k}, {"target"}, c->target_n, "1", "patients behind it"},
        {"target_value_low", F64, 1, {k}, {"target"}, c->published_low, NULL, "published interval"},
        {"target_value_high", F64, 1, {k}, {"target"}, c->published_high, NULL, "published interval"},
        {"simulated", F64, 1, {k}, {"target"}, c->simulated, NULL, "the same in the cohort"},
        {"simulated_low",
         F64,
         1,
         {k},
         {"target"},
         c->target_bounds[0],
         NULL,
         "2.5 % over draws of the constants"},
        {"simulated_high",
         F64,
         1,
         {k},
         {"target"},
         c->target_bounds[1],
         NULL,
         "97.5 % over draws of the constants"},
        {"simulated_trial_low",
         F64,
         1,
         {k},
         {"target"},
         c->target_bounds[2],
         NULL,
         "2.5 % over trials of the target's size"},
        {"simulated_trial_high",
         F64,
         1,
         {k},
         {"target"},
         c->target_bounds[3],
         NULL,
         "97.5 % over trials of the target's size"},
    };
    const struct ks_tables file = {.title = t->campaign->title,
                                   .config = t->campaign->canonical,
                                   .model_version = t->session->model_version,
                                   .group = "trial",
                                   .seed = t->study->seed,
                                   .n_tables = sizeof tables / sizeof *tables,
                                   .tables = tables};
    return ks_tables_write(t->path, &file, t->session->arguments->overwrites);
}

static int fill_and_write(struct content *c, const struct ks_trial *t) {
    KS_TRY(make_room(c, t));
    fill_names(c, t);
    fill_patients(c, t);
    fill_statistics(c, t);
    fill_targets(c, t);
    return write_content(c, t);
}

int ks_trial_file_write(const struct ks_trial *trial) {
    struct content content = {0};
    int err = fill_and_write(&content, trial);
    for (int i = 0; i < content.n_all; i++) free(content.all[i]);
    return err;
}
