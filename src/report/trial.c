/* The data of a trial's page: arms and their patients, what is said of them at each visit, survival without relapse, and the
 * published numbers beside what is simulated. */
#include "base/memory.h"
#include "base/status.h"
#include "cohort/cohort.h"
#include "report/digest.h"
#include "report/report_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N_SUMMARIES = 5, N_NUMBERS = 9 };

static const char *const summaries[N_SUMMARIES] = {"summary", "summary_low", "summary_high", "replicate_low",
                                                   "replicate_high"};

/* What is said of a target: key on the page, dataset. */
static const char *const target_numbers[N_NUMBERS][2] = {{"value", "target_value"},
                                                         {"n", "target_n"},
                                                         {"value_low", "target_value_low"},
                                                         {"value_high", "target_value_high"},
                                                         {"simulated", "simulated"},
                                                         {"low", "simulated_low"},
                                                         {"high", "simulated_high"},
                                                         {"trial_low", "simulated_trial_low"},
                                                         {"trial_high", "simulated_trial_high"}};
enum { VALUE = 0, TRIAL_LOW = 7, TRIAL_HIGH = 8 };

struct trial {
    struct ks_pages pages;
    uint64_t n_arms, n_patients, n_visits, n_traits, n_statistics, n_targets;
    const struct ks_page *arm, *control, *literature, *visit, *weight, *status, *baseline, *observed;
    const struct ks_page *trait, *trait_unit, *inputs;
    const struct ks_page *statistic, *statistic_unit, *summaries[N_SUMMARIES];
    const struct ks_page *target, *id, *use, *numbers[N_NUMBERS];
    double *weights; /* [n_patients] of those who take part: 0 for the others */
    double *column;  /* [n_patients] */
    double *scores;  /* [1 + n_visits] of a patient */
    const double *visits;
};

/* ---- reading --------------------------------------------------------------------------------------------------- */

static int read_arms(struct trial *t) {
    struct ks_pages *p = &t->pages;
    KS_TRY(ks_pages_read(p, "arm", KS_TABLE_TEXT, 1, &t->arm));
    KS_TRY(ks_pages_read(p, "control", KS_TABLE_TEXT, 1, &t->control));
    KS_TRY(ks_pages_read(p, "literature", KS_TABLE_TEXT, 1, &t->literature));
    KS_TRY(ks_pages_read(p, "visit", KS_TABLE_F64, 1, &t->visit));
    KS_TRY(ks_pages_read(p, "weight", KS_TABLE_F64, 1, &t->weight));
    KS_TRY(ks_pages_read(p, "status", KS_TABLE_U64, 2, &t->status));
    KS_TRY(ks_pages_read(p, "baseline", KS_TABLE_F32, 3, &t->baseline));
    KS_TRY(ks_pages_read(p, "observed", KS_TABLE_F32, 3, &t->observed));
    t->n_arms = t->arm->extent[0];
    t->n_patients = t->weight->extent[0];
    t->n_visits = t->visit->extent[0];
    t->visits = t->visit->data;
    KS_TRY(ks_pages_match(p, t->status, t->n_arms, t->n_patients, 1));
    KS_TRY(ks_pages_match(p, t->baseline, t->n_arms, t->n_patients, 2));
    return ks_pages_match(p, t->observed, t->n_arms, t->n_patients, t->n_visits);
}

static int read_traits(struct trial *t) {
    struct ks_pages *p = &t->pages;
    KS_TRY(ks_pages_read(p, "trait", KS_TABLE_TEXT, 1, &t->trait));
    KS_TRY(ks_pages_read(p, "trait_unit", KS_TABLE_TEXT, 1, &t->trait_unit));
    KS_TRY(ks_pages_read(p, "inputs", KS_TABLE_F64, 2, &t->inputs));
    t->n_traits = t->trait->extent[0];
    return ks_pages_match(p, t->inputs, t->n_patients, t->n_traits, 1);
}

static int read_statistics(struct trial *t) {
    struct ks_pages *p = &t->pages;
    KS_TRY(ks_pages_read(p, "statistic", KS_TABLE_TEXT, 1, &t->statistic));
    KS_TRY(ks_pages_read(p, "statistic_unit", KS_TABLE_TEXT, 1, &t->statistic_unit));
    t->n_statistics = t->statistic->extent[0];
    for (int i = 0; i < N_SUMMARIES; i++) {
        KS_TRY(ks_pages_read(p, summaries[i], KS_TABLE_F64, 3, &t->summaries[i]));
        KS_TRY(ks_pages_match(p, t->summaries[i], t->n_arms, t->n_visits, t->n_statistics));
    }
    return KS_OK;
}

static int read_targets(struct trial *t) {
    struct ks_pages *p = &t->pages;
    KS_TRY(ks_pages_read(p, "target", KS_TABLE_TEXT, 1, &t->target));
    KS_TRY(ks_pages_read(p, "target_id", KS_TABLE_TEXT, 1, &t->id));
    KS_TRY(ks_pages_read(p, "target_use", KS_TABLE_TEXT, 1, &t->use));
    t->n_targets = t->target->extent[0];
    for (int i = 0; i < N_NUMBERS; i++) {
        KS_TRY(ks_pages_read(p, target_numbers[i][1], KS_TABLE_F64, 1, &t->numbers[i]));
        KS_TRY(ks_pages_match(p, t->numbers[i], t->n_targets, 1, 1));
    }
    return KS_OK;
}

/* As the trial's own statistics: a patient is out in all arms where one could not be solved or is not ill. */
static int weigh(struct trial *t) {
    KS_ALLOCATE(t->weights, t->n_patients);
    KS_ALLOCATE(t->column, t->n_patients);
    KS_ALLOCATE(t->scores, 1 + t->n_visits);
    for (uint64_t j = 0; j < t->n_patients; j++) {
        t->weights[j] = ks_page_number(t->weight, j);
        for (uint64_t a = 0; a < t->n_arms; a++)
            if (ks_page_whole(t->status, a * t->n_patients + j) != KS_STATUS_done) t->weights[j] = 0;
    }
    return KS_OK;
}

/* ---- arms ------------------------------------------------------------------------------------------------------ */

/* What a rater saw of a patient: before treatment and at the visits. */
static const double *scores_of(struct trial *t, uint64_t arm, uint64_t patient) {
    uint64_t row = arm * t->n_patients + patient;
    t->scores[0] = ks_page_number(t->baseline, 2 * row + 1);
    for (uint64_t v = 0; v < t->n_visits; v++)
        t->scores[v + 1] = ks_page_number(t->observed, row * t->n_visits + v);
    return t->scores;
}

static void write_arms(struct ks_json *json, struct trial *t) {
    ks_json_key(json, "arms");
    ks_json_array(json);
    for (uint64_t a = 0; a < t->n_arms; a++) {
        uint64_t n = 0, n_lost = 0;
        for (uint64_t j = 0; j < t->n_patients; j++) {
            if (!(t->weights[j] > 0)) continue;
            n++;
            n_lost += t->n_visits > 0 && isnan(scores_of(t, a, j)[t->n_visits]);
        }
        ks_json_object(json);
        ks_report_write_cell(json, "name", t->arm, a);
        ks_report_write_cell(json, "control", t->control, a);
        ks_report_write_cell(json, "literature", t->literature, a);
        ks_json_whole_member(json, "n", n);
        ks_json_whole_member(json, "lost", n_lost);
        ks_json_end_object(json);
    }
    ks_json_end_array(json);
}

static void write_baseline_arms(struct ks_json *json, struct trial *t, int64_t trait) {
    ks_json_key(json, "arms");
    ks_json_array(json);
    for (uint64_t a = 0; a < t->n_arms; a++) {
        for (uint64_t j = 0; j < t->n_patients; j++)
            t->column[j] = trait < 0 ? scores_of(t, a, j)[0]
                                     : ks_page_number(t->inputs, j * t->n_traits + (uint64_t)trait);
        ks_json_object(json);
        ks_json_number_member(json, "mean", ks_statistics_mean(t->n_patients, t->column, t->weights));
        ks_json_number_member(json, "sd", ks_statistics_sd(t->n_patients, t->column, t->weights));
        ks_json_end_object(json);
    }
    ks_json_end_array(json);
}

static void write_baseline(struct ks_json *json, struct trial *t) {
    ks_json_key(json, "baseline");
    ks_json_array(json);
    for (int64_t k = -1; k < (int64_t)t->n_traits; k++) {
        ks_json_object(json);
        if (k < 0) {
            ks_json_text_member(json, "name", "madrs_observed");
            ks_json_text_member(json, "unit", "points");
        } else {
            ks_report_write_cell(json, "name", t->trait, (uint64_t)k);
            ks_report_write_cell(json, "unit", t->trait_unit, (uint64_t)k);
        }
        write_baseline_arms(json, t, k);
        ks_json_end_object(json);
    }
    ks_json_end_array(json);
}

/* ---- visits ---------------------------------------------------------------------------------------------------- */

static void write_statistics(struct ks_json *json, const struct trial *t) {
    ks_json_numbers_member(json, "visits", t->n_visits, t->visits, 1);
    ks_json_key(json, "statistics");
    ks_json_array(json);
    for (uint64_t s = 0; s < t->n_statistics; s++) {
        ks_json_object(json);
        ks_report_write_cell(json, "name", t->statistic, s);
        ks_report_write_cell(json, "unit", t->statistic_unit, s);
        ks_json_end_object(json);
    }
    ks_json_end_array(json);
    for (int i = 0; i < N_SUMMARIES; i++) {
        const double *at = t->summaries[i]->data;
        ks_json_key(json, summaries[i]);
        ks_json_array(json);
        for (uint64_t a = 0; a < t->n_arms; a++) {
            ks_json_array(json);
            for (uint64_t v = 0; v < t->n_visits; v++, at += t->n_statistics)
                ks_json_numbers(json, t->n_statistics, at, 1);
            ks_json_end_array(json);
        }
        ks_json_end_array(json);
    }
}

static int write_arm_scores(struct ks_json *json, struct trial *t, uint64_t arm) {
    static const char *const names[KS_DIGEST_QUANTILES] = {"p5", "p25", "p50", "p75", "p95"};
    struct ks_report_moments *moments;
    size_t n_times = (size_t)t->n_visits + 1;
    int err = KS_OK;
    KS_ALLOCATE(moments, n_times);
    for (size_t v = 0; err == KS_OK && v < n_times; v++) {
        for (uint64_t j = 0; j < t->n_patients; j++) t->column[j] = scores_of(t, arm, j)[v];
        err = ks_report_find_moments(t->n_patients, t->column, t->weights, &moments[v]);
    }
    ks_json_object(json);
    ks_report_write_cell(json, "arm", t->arm, arm);
    ks_json_key(json, "time");
    ks_json_array(json);
    ks_json_number(json, 0);
    for (uint64_t v = 0; v < t->n_visits; v++) ks_json_number(json, t->visits[v]);
    ks_json_end_array(json);
    for (int q = 0; q < KS_DIGEST_QUANTILES; q++)
        ks_json_numbers_member(json, names[q], n_times, &moments[0].quantiles[q],
                               sizeof *moments / sizeof(double));
    ks_json_end_object(json);
    free(moments);
    return err;
}

static int write_scores(struct ks_json *json, struct trial *t) {
    ks_json_key(json, "score");
    ks_json_array(json);
    for (uint64_t a = 0; a < t->n_arms; a++) KS_TRY(write_arm_scores(json, t, a));
    ks_json_end_array(json);
    return KS_OK;
}

/* ---- relapse --------------------------------------------------------------------------------------------------- */

struct curve {
    int from, n_steps;
    double *steps; /* [n_steps] h since the visit `from` */
    double *times, *weights;
    bool *is_event;
    size_t n; /* responders */
    struct ks_survival_step *points;
};

static int draw_curve(struct trial *t, uint64_t arm, struct curve *c) {
    KS_ALLOCATE(c->steps, (size_t)c->n_steps);
    KS_ALLOCATE(c->points, (size_t)c->n_steps);
    KS_ALLOCATE(c->times, t->n_patients);
    KS_ALLOCATE(c->weights, t->n_patients);
    KS_ALLOCATE(c->is_event, t->n_patients);
    for (int s = 0; s < c->n_steps; s++) c->steps[s] = t->visits[c->from + 1 + s] - t->visits[c->from];
    for (uint64_t j = 0; j < t->n_patients; j++) {
        if (!(t->weights[j] > 0) ||
            !ks_survival_follow((int)t->n_visits, t->visits, c->from, scores_of(t, arm, j), &c->times[c->n],
                                &c->is_event[c->n]))
            continue;
        c->weights[c->n++] = t->weights[j];
    }
    ks_survival_steps(c->n, c->times, c->is_event, c->weights, c->n_steps, c->steps, c->points);
    return KS_OK;
}

static void write_curve(struct ks_json *json, const struct trial *t, uint64_t arm, const struct curve *c) {
    ks_json_object(json);
    ks_report_write_cell(json, "arm", t->arm, arm);
    ks_json_text_member(json, "event", "relapse");
    ks_json_number_member(json, "from", t->visits[c->from]);
    ks_json_whole_member(json, "n", c->n);
    ks_json_key(json, "time");
    ks_json_array(json);
    ks_json_number(json, 0);
    for (int s = 0; s < c->n_steps; s++) ks_json_number(json, c->steps[s]);
    ks_json_end_array(json);
    static const char *const keys[] = {"survival", "low", "high"};
    for (int k = 0; k < 3; k++) {
        ks_json_key(json, keys[k]);
        ks_json_array(json);
        ks_json_number(json, 1);
        for (int s = 0; s < c->n_steps; s++)
            ks_json_number(json, k == 0   ? c->points[s].survival
                                 : k == 1 ? c->points[s].low
                                          : c->points[s].high);
        ks_json_end_array(json);
    }
    ks_json_key(json, "at_risk");
    ks_json_array(json);
    ks_json_whole(json, c->n);
    for (int s = 0; s < c->n_steps; s++) ks_json_whole(json, c->points[s].n_at_risk);
    ks_json_end_array(json);
    ks_json_key(json, "events");
    ks_json_array(json);
    ks_json_whole(json, 0);
    for (int s = 0; s < c->n_steps; s++) ks_json_whole(json, c->points[s].n_events);
    ks_json_end_array(json);
    ks_json_end_object(json);
}

static int write_arm_survival(struct ks_json *json, struct trial *t, uint64_t arm, int from) {
    struct curve c = {.from = from, .n_steps = (int)t->n_visits - from - 1};
    int err = draw_curve(t, arm, &c);
    if (err == KS_OK && c.n > 0) write_curve(json, t, arm, &c);
    free(c.steps);
    free(c.points);
    free(c.times);
    free(c.weights);
    free(c.is_event);
    return err;
}

static int write_survival(struct ks_json *json, struct trial *t, const char *config) {
    int from = ks_survival_first_visit((int)t->n_visits, t->visits,
                                       ks_config_find_number(config, "trial.responders_at"));
    if (from + 1 >= (int)t->n_visits) return KS_OK; /* nobody is seen later */
    ks_json_key(json, "survival");
    ks_json_array(json);
    for (uint64_t a = 0; a < t->n_arms; a++) KS_TRY(write_arm_survival(json, t, a, from));
    ks_json_end_array(json);
    return KS_OK;
}

/* ---- targets --------------------------------------------------------------------------------------------------- */

static void write_targets(struct ks_json *json, const struct trial *t) {
    ks_json_key(json, "validation");
    ks_json_array(json);
    for (uint64_t i = 0; i < t->n_targets; i++) {
        double value = ks_page_number(t->numbers[VALUE], i), low = ks_page_number(t->numbers[TRIAL_LOW], i),
               high = ks_page_number(t->numbers[TRIAL_HIGH], i);
        ks_json_object(json);
        ks_report_write_cell(json, "target", t->target, i);
        ks_report_write_cell(json, "id", t->id, i);
        ks_report_write_cell(json, "use", t->use, i);
        for (int k = 0; k < N_NUMBERS; k++)
            ks_json_number_member(json, target_numbers[k][0], ks_page_number(t->numbers[k], i));
        if (!isnan(low) && !isnan(high)) ks_json_bool_member(json, "inside", low <= value && value <= high);
        ks_json_end_object(json);
    }
    ks_json_end_array(json);
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static int write_trial(struct ks_json *json, struct trial *t, const char *config) {
    KS_TRY(read_arms(t));
    KS_TRY(read_traits(t));
    KS_TRY(read_statistics(t));
    KS_TRY(read_targets(t));
    KS_TRY(weigh(t));
    ks_json_key(json, "trial");
    ks_json_object(json);
    write_arms(json, t);
    write_baseline(json, t);
    write_statistics(json, t);
    KS_TRY(write_scores(json, t));
    KS_TRY(write_survival(json, t, config));
    write_targets(json, t);
    ks_json_end_object(json);
    return KS_OK;
}

int ks_report_write_trial(struct ks_json *json, const char *path) {
    struct trial *t;
    char *config = NULL;
    KS_ALLOCATE(t, 1);
    int err = ks_pages_open(&t->pages, path, "trial");
    if (err == KS_OK) err = ks_report_write_tables_head(json, &t->pages, "trial", &config);
    if (err == KS_OK) err = write_trial(json, t, config);
    ks_pages_close(&t->pages);
    free(config);
    free(t->weights);
    free(t->column);
    free(t->scores);
    free(t);
    return err;
}
