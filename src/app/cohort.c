/* `ketsweep cohort`: virtual patients. Candidates are simulated on all ranks in the arms that bounds and targets ask for;
 * rank 0 keeps the plausible ones, selects, and writes the cohort. */
#include "app/study_impl.h"
#include "base/agree.h"
#include "base/error.h"
#include "base/memory.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct rejection {
    uint64_t candidate;
    int reason;
};

/* One run of the command, on one rank. */
struct make {
    struct ks_session *session;
    const struct ks_campaign *campaign;
    const struct ks_clinical_study *study;
    const char *path;
    struct ks_clinic clinic;
    int *parameters; /* [n_traits] */
    /* of a batch of candidates */
    double *traits, *numbers; /* [batch][n_traits]; [batch][n_times + n_endpoints] */
    const double **places;    /* [batch] */
    struct ks_course_result *results;
    struct ks_gathered kept; /* of the round in flight, on this rank */
    size_t n_rejections, n_rejections_most;
    struct rejection *rejections; /* [n_rejections] of the round in flight, on this rank */
    uint64_t *rejected;           /* [n_reasons] of the round, once it is known where it ends */
    uint64_t *rejected_all;       /* [n_reasons] of it, on all ranks */
    struct ks_candidates candidates;
    struct ks_cohort cohort;
};

/* A candidate of the batch in hand: its row, and where it stands. */
struct case_in_hand {
    uint64_t candidate;
    const double *traits;
    double *row;
};

/* ---- a batch of candidates ------------------------------------------------------------------------------------------ */

static bool is_allowed(const struct make *m, const double *traits) {
    for (int k = 0; k < m->study->population.n_traits; k++)
        if (isnan(traits[k]) || (m->parameters[k] >= 0 && !ks_clinic_allows(m->parameters[k], traits[k])))
            return false;
    return true;
}

/* The bound of this arm (-1: of traits) that a value breaks; -1 where none. Bounds are on what is, not on what is seen. */
static int broken_bound(const struct make *m, int arm, const double *traits,
                        const struct ks_course_result *result) {
    for (int i = 0; i < m->study->n_bounds; i++) {
        const struct ks_bound *bound = &m->study->bounds[i];
        const struct ks_measure *measure = &m->study->measures[bound->measure];
        if ((measure->trait >= 0) != (arm < 0) || (arm >= 0 && measure->arm != arm)) continue;
        double value = arm < 0 ? traits[measure->trait] : result->endpoints[measure->endpoint];
        if (!(value >= bound->low && value <= bound->high)) return i;
    }
    return -1;
}

/* A target that looks only at those who have something else needs both as one rater sees them. */
static bool is_paired(const struct ks_clinical_study *study, int measure) {
    for (int i = 0; i < study->n_targets; i++)
        if (study->targets[i].given >= 0 &&
            (study->targets[i].given == measure || study->targets[i].measure == measure))
            return true;
    return false;
}

/* Puts what is measured in the arm (-1: traits) into the row; false where a number is missing. */
static bool fill_row(const struct make *m, int arm, const struct case_in_hand *c,
                     const struct ks_course_result *result) {
    bool is_whole = true;
    for (int i = 0; i < m->study->n_measures; i++) {
        const struct ks_measure *measure = &m->study->measures[i];
        if ((measure->trait >= 0) != (arm < 0) || (arm >= 0 && measure->arm != arm)) continue;
        double *cell = &c->row[KS_CANDIDATE_MEASURES + i];
        if (arm < 0)
            *cell = c->traits[measure->trait];
        else if (is_paired(m->study, i))
            *cell = ks_clinic_measure(&m->clinic, measure->endpoint, c->candidate, result);
        else
            *cell = ks_clinic_expect(&m->clinic, measure->endpoint, c->candidate, result);
        is_whole &= !isnan(*cell);
    }
    return is_whole;
}

/* -1 where the candidate goes on, else the reason for its rejection. */
static int judge(const struct make *m, int arm, const struct case_in_hand *c,
                 const struct ks_course_result *result) {
    if (arm >= 0 && ks_status_is_failure(result->status)) return result->status;
    if (arm < 0 && !is_allowed(m, c->traits)) return KS_REASON_limits;
    int bound = broken_bound(m, arm, c->traits, result);
    if (bound >= 0) return KS_REASON_bounds + bound;
    if (arm == 0) {
        c->row[KS_CANDIDATE_LATENT] = result->scores[0];
        c->row[KS_CANDIDATE_OBSERVED] = ks_clinic_observe(m->study, c->candidate, 0, result->scores[0]);
    }
    return fill_row(m, arm, c, result) ? -1 : KS_REASON_no_value;
}

/* Leaves those of the cases that go on; their number. */
static int sift(struct make *m, int arm, int n, struct case_in_hand *cases) {
    int left = 0;
    for (int i = 0; i < n; i++) {
        int reason = judge(m, arm, &cases[i], arm >= 0 ? &m->results[i] : NULL);
        if (reason >= 0)
            m->rejections[m->n_rejections++] = (struct rejection){cases[i].candidate, reason};
        else
            cases[left++] = cases[i];
    }
    return left;
}

static int make_room(struct ks_gathered *kept, size_t n) {
    if (kept->n + n <= kept->capacity) return KS_OK;
    size_t capacity = 2 * kept->capacity + n;
    double *larger = realloc(kept->rows, capacity * kept->stride * sizeof *larger);
    KS_CHECK(larger != NULL, KS_ERR_MEMORY, "no memory for %zu candidates", capacity);
    kept->rows = larger;
    kept->capacity = capacity;
    return KS_OK;
}

static int make_room_for_rejections(struct make *m, size_t n) {
    if (m->n_rejections + n <= m->n_rejections_most) return KS_OK;
    size_t most = 2 * m->n_rejections_most + n;
    struct rejection *larger = realloc(m->rejections, most * sizeof *larger);
    KS_CHECK(larger != NULL, KS_ERR_MEMORY, "no memory for %zu candidates", most);
    m->rejections = larger;
    m->n_rejections_most = most;
    return KS_OK;
}

static int try_batch(struct make *m, uint64_t first, int n) {
    size_t n_traits = (size_t)m->study->population.n_traits, stride = m->kept.stride;
    struct case_in_hand cases[KS_THERAPY_BATCH];
    KS_TRY(make_room(&m->kept, (size_t)n));
    KS_TRY(make_room_for_rejections(m, (size_t)n));
    double *rows = &m->kept.rows[m->kept.n * stride];
    for (int i = 0; i < n; i++) {
        double *traits = &m->traits[(size_t)i * n_traits];
        ks_population_draw(&m->study->population, first + (uint64_t)i, traits);
        cases[i] = (struct case_in_hand){first + (uint64_t)i, traits, &rows[(size_t)i * stride]};
        cases[i].row[KS_CANDIDATE_NUMBER] = (double)(first + (uint64_t)i);
    }
    n = sift(m, -1, n, cases);
    for (int arm = 0; n > 0 && arm < m->study->n_arms; arm++) {
        if (m->clinic.arms[arm].therapy == NULL) continue;
        for (int i = 0; i < n; i++) m->places[i] = cases[i].traits;
        KS_TRY(
            ks_clinic_treat(&m->clinic, arm, n, (int)n_traits, m->parameters, m->places, NULL, m->results));
        n = sift(m, arm, n, cases);
    }
    for (int i = 0; i < n; i++) memmove(&rows[(size_t)i * stride], cases[i].row, stride * sizeof(double));
    m->kept.n += (size_t)n;
    return KS_OK;
}

/* ---- the farm's work ---------------------------------------------------------------------------------------------------- */

static int simulate(void *self, uint64_t first, uint64_t count) {
    struct make *m = self;
    for (uint64_t done = 0; done < count; done += (uint64_t)m->clinic.batch) {
        uint64_t left = count - done;
        KS_TRY(try_batch(m, first + done, left < (uint64_t)m->clinic.batch ? (int)left : m->clinic.batch));
    }
    return KS_OK;
}

/* A run that is stopped commits less than what its ranks have done. */
static void cut(struct make *m, uint64_t end) {
    size_t stride = m->kept.stride, n = 0;
    for (size_t i = 0; i < m->kept.n; i++) {
        const double *row = &m->kept.rows[i * stride];
        if (row[KS_CANDIDATE_NUMBER] < (double)end)
            memmove(&m->kept.rows[n++ * stride], row, stride * sizeof *row);
    }
    m->kept.n = n;
    for (size_t i = 0; i < m->n_rejections; i++)
        if (m->rejections[i].candidate < end) m->rejected[m->rejections[i].reason]++;
    m->n_rejections = 0;
}

static int commit(void *self, uint64_t first, uint64_t count) {
    struct make *m = self;
    cut(m, first + count);
    size_t before = m->candidates.plausible.n, k = (size_t)m->candidates.n_reasons;
    KS_TRY(ks_session_gather(m->session, m->kept.n, m->kept.rows, &m->candidates.plausible));
    KS_MPI(MPI_Reduce(m->rejected, m->rejected_all, (int)k, MPI_UINT64_T, MPI_SUM, 0, m->session->comm));
    m->kept.n = 0;
    memset(m->rejected, 0, k * sizeof *m->rejected);
    if (m->session->rank != 0) return KS_OK;
    return ks_candidates_append(&m->candidates, first + count, before, m->rejected_all);
}

/* ---- the file -------------------------------------------------------------------------------------------------------------- */

struct texts {
    const char **names, **units, **descriptions;
};

/* Everything that the file shows, beside what is there already. */
struct content {
    uint64_t *patient, *candidate, *rejected;
    double *inputs, *baseline, *values;
    struct texts trait;
    char (*measures)[256], (*targets)[256];
    const char **measure, **target, **id, **use, **used, **reason;
    double *target_value, *target_n;
};

static int allocate_content(struct content *c, const struct make *m) {
    size_t n = m->cohort.m, p = (size_t)m->study->population.n_traits, k = (size_t)m->study->n_targets,
           v = (size_t)m->study->n_measures;
    KS_ALLOCATE(c->patient, n);
    KS_ALLOCATE(c->candidate, n);
    KS_ALLOCATE(c->rejected, (size_t)m->candidates.n_reasons);
    KS_ALLOCATE(c->reason, (size_t)m->candidates.n_reasons);
    KS_ALLOCATE(c->inputs, n * p);
    KS_ALLOCATE(c->baseline, n * 2);
    KS_ALLOCATE(c->values, n * v);
    KS_ALLOCATE(c->trait.names, 3 * p);
    c->trait.units = c->trait.names + p;
    c->trait.descriptions = c->trait.units + p;
    KS_ALLOCATE(c->measures, v);
    KS_ALLOCATE(c->measure, v);
    KS_ALLOCATE(c->targets, k);
    KS_ALLOCATE(c->target, 4 * k);
    c->id = c->target + k;
    c->use = c->id + k;
    c->used = c->use + k;
    KS_ALLOCATE(c->target_value, 2 * k);
    c->target_n = c->target_value + k;
    return KS_OK;
}

static void release_content(struct content *c) {
    void *all[] = {c->patient,     c->candidate,       c->rejected, (void *)c->reason,
                   c->inputs,      c->baseline,        c->values,   (void *)c->trait.names,
                   c->measures,    (void *)c->measure, c->targets,  (void *)c->target,
                   c->target_value};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
}

static void fill_patients(struct content *c, const struct make *m) {
    const struct ks_gathered *rows = &m->candidates.plausible;
    size_t p = (size_t)m->study->population.n_traits, v = (size_t)m->study->n_measures;
    for (size_t i = 0; i < m->cohort.m; i++) {
        const double *row = &rows->rows[m->cohort.chosen[i] * rows->stride];
        c->patient[i] = i;
        c->candidate[i] = (uint64_t)row[KS_CANDIDATE_NUMBER];
        ks_population_draw(&m->study->population, c->candidate[i], &c->inputs[i * p]);
        c->baseline[2 * i] = row[KS_CANDIDATE_LATENT];
        c->baseline[2 * i + 1] = row[KS_CANDIDATE_OBSERVED];
        memcpy(&c->values[i * v], &row[KS_CANDIDATE_MEASURES], v * sizeof(double));
    }
}

static void fill_names(struct content *c, const struct make *m) {
    const struct ks_clinical_study *study = m->study;
    for (int k = 0; k < study->population.n_traits; k++) {
        c->trait.names[k] = study->population.traits[k].name;
        c->trait.units[k] = study->population.traits[k].unit;
        c->trait.descriptions[k] = study->population.traits[k].description;
    }
    for (int i = 0; i < study->n_measures; i++) {
        const struct ks_measure *measure = &study->measures[i];
        c->measure[i] = c->measures[i];
        if (measure->trait >= 0)
            snprintf(c->measures[i], sizeof c->measures[i], "%s",
                     study->population.traits[measure->trait].name);
        else
            snprintf(c->measures[i], sizeof c->measures[i], "%s: %s", study->arms[measure->arm].name,
                     m->campaign->endpoints[measure->endpoint].name);
    }
    for (int i = 0; i < study->n_targets; i++) {
        const struct ks_target *t = &study->targets[i];
        ks_selection_describe(m->campaign, t, c->targets[i], sizeof c->targets[i]);
        c->target[i] = c->targets[i];
        c->id[i] = t->id;
        c->use[i] = t->is_calibration ? "calibration" : "validation";
        c->used[i] = m->cohort.is_used[i] ? "yes" : "no";
        c->target_value[i] = t->value;
        c->target_n[i] = t->n;
    }
    for (int i = 0; i < m->candidates.n_reasons; i++) {
        c->reason[i] = m->candidates.reasons[i];
        c->rejected[i] = m->candidates.rejected[i];
    }
}

static int write_content(const struct make *m, const struct content *c) {
    static const char *const baselines[] = {"latent", "observed"};
    const struct ks_clinical_study *study = m->study;
    uint64_t n = m->cohort.m, p = (uint64_t)study->population.n_traits, v = (uint64_t)study->n_measures,
             k = (uint64_t)study->n_targets, r = (uint64_t)m->candidates.n_reasons;
    const enum ks_table_type F64 = KS_TABLE_F64, U64 = KS_TABLE_U64, TEXT = KS_TABLE_TEXT;
    const struct ks_table tables[] = {
        {"patient", U64, 1, {n}, {"patient"}, c->patient, NULL, "number of the patient"},
        {"trait", TEXT, 1, {p}, {"trait"}, c->trait.names, NULL, "what differs between patients"},
        {"trait_unit", TEXT, 1, {p}, {"trait"}, c->trait.units, NULL, NULL},
        {"trait_description", TEXT, 1, {p}, {"trait"}, c->trait.descriptions, NULL, NULL},
        {"score", TEXT, 1, {2}, {"score"}, baselines, NULL, "as it is, and as a rater sees it"},
        {"measure", TEXT, 1, {v}, {"measure"}, c->measure, NULL, "what bounds and targets ask for"},
        {"target", TEXT, 1, {k}, {"target"}, c->target, NULL, "published numbers"},
        {"rejected_for",
         TEXT,
         1,
         {r},
         {"rejected_for"},
         c->reason,
         NULL,
         "why candidates are not plausible; the first reason counts"},
        {"candidate",
         U64,
         1,
         {n},
         {"patient"},
         c->candidate,
         NULL,
         "number of the candidate that became the patient"},
        {"inputs",
         F64,
         2,
         {n, p},
         {"patient", "trait"},
         c->inputs,
         NULL,
         "parameters and covariates of the patients"},
        {"weight", F64, 1, {n}, {"patient"}, m->cohort.weights, "1", "prevalence weight; sums to 1"},
        {"baseline", F64, 2, {n, 2}, {"patient", "score"}, c->baseline, "points", "MADRS before treatment"},
        {"values",
         F64,
         2,
         {n, v},
         {"patient", "measure"},
         c->values,
         NULL,
         "measures of the patients, the mean over raters"},
        {"target_id", TEXT, 1, {k}, {"target"}, c->id, NULL, "published source"},
        {"target_use",
         TEXT,
         1,
         {k},
         {"target"},
         c->use,
         NULL,
         "calibration may select patients, validation must not"},
        {"target_selects", TEXT, 1, {k}, {"target"}, c->used, NULL, "whether it selected these patients"},
        {"target_value", F64, 1, {k}, {"target"}, c->target_value, NULL, "published number"},
        {"target_n", F64, 1, {k}, {"target"}, c->target_n, "1", "patients behind it"},
        {"before", F64, 1, {k}, {"target"}, m->cohort.before, NULL, "the same of all plausible candidates"},
        {"after", F64, 1, {k}, {"target"}, m->cohort.after, NULL, "the same of the cohort"},
        {"p_value",
         F64,
         1,
         {k},
         {"target"},
         m->cohort.p_value,
         "1",
         "chance of so large a distance in a trial of the target's size: Kolmogorov-Smirnov, binomial or "
         "normal"},
        {"effective_n",
         F64,
         1,
         {k},
         {"target"},
         m->cohort.effective_n,
         "1",
         "patients of equal weight that would say as much"},
        {"rejected", U64, 1, {r}, {"rejected_for"}, c->rejected, "1", "candidates"},
    };
    const struct ks_tables file = {.title = m->campaign->title,
                                   .config = m->campaign->canonical,
                                   .model_version = m->session->model_version,
                                   .group = "cohort",
                                   .seed = study->population.seed,
                                   .n_tables = sizeof tables / sizeof *tables,
                                   .tables = tables};
    return ks_tables_write(m->path, &file, m->session->arguments->overwrites);
}

static int write_file(const struct make *m) {
    struct content content = {0};
    int err = allocate_content(&content, m);
    if (err == KS_OK) {
        fill_patients(&content, m);
        fill_names(&content, m);
        err = write_content(m, &content);
    }
    release_content(&content);
    return err;
}

/* ---- the report -------------------------------------------------------------------------------------------------------------- */

static void print_targets(const struct make *m) {
    if (m->study->n_targets > 0)
        printf("%-52s %-8s %10s %10s %10s %8s %9s  %s\n", "target", "unit", "published", "before", "after",
               "p", "effective", "use");
    for (int i = 0; i < m->study->n_targets; i++) {
        const struct ks_target *t = &m->study->targets[i];
        char text[256];
        ks_selection_describe(m->campaign, t, text, sizeof text);
        printf("%-52s %-8s %10.4g %10.4g %10.4g %8.3g %9.1f  %s\n", text, ks_selection_unit(m->campaign, t),
               t->value, m->cohort.before[i], m->cohort.after[i], m->cohort.p_value[i],
               m->cohort.effective_n[i],
               m->cohort.is_used[i] ? "selects"
               : t->is_calibration  ? "calibration, does not select"
                                    : "validation");
    }
}

static void print_report(const struct make *m) {
    char duration[32];
    double seconds = MPI_Wtime() - m->session->start;
    printf("%s: %zu patients of %zu plausible out of %" PRIu64 " candidates, %s on %d rank%s\n", m->path,
           m->cohort.m, m->candidates.plausible.n, m->candidates.n_done,
           ks_progress_duration(seconds, duration), m->session->size, m->session->size == 1 ? "" : "s");
    for (int i = 0; i < m->candidates.n_reasons; i++)
        if (m->candidates.rejected[i] > 0)
            printf("  %10" PRIu64 " rejected: %s\n", m->candidates.rejected[i], m->candidates.reasons[i]);
    printf("  weights are worth %.1f patients of equal weight\n", m->cohort.weight_n);
    print_targets(m);
    fflush(stdout);
    for (int i = 0; i < m->study->n_targets; i++)
        if (m->cohort.effective_n[i] < 0.1 * (double)m->cohort.m)
            fprintf(stderr,
                    "ketsweep: warning: %s: %.1f effective patients are less than a tenth of the cohort\n",
                    m->study->targets[i].id, m->cohort.effective_n[i]);
    if (m->cohort.weight_n < 0.1 * (double)m->cohort.m)
        fprintf(stderr,
                "ketsweep: warning: %.1f effective patients are less than a tenth of the cohort; a few carry "
                "the weight\n",
                m->cohort.weight_n);
    if (m->study->selection == KS_SELECTION_accept_reject && 20 * m->cohort.n_sure > m->cohort.m)
        fprintf(stderr,
                "ketsweep: warning: %zu of %zu patients entered with a chance of 1: too few candidates where "
                "the target lies\n",
                m->cohort.n_sure, m->cohort.m);
}

/* ---- the stages ------------------------------------------------------------------------------------------------------------------ */

static int allocate(struct make *m) {
    const struct ks_clinical_study *study = m->study;
    size_t n_endpoints = (size_t)m->campaign->n_endpoints, n_traits = (size_t)study->population.n_traits;
    bool *is_needed;
    KS_CHECK(study->has_population, KS_ERR_USAGE, "%s: a cohort needs the section population",
             m->campaign->path);
    if (m->session->rank == 0 && !m->session->arguments->overwrites)
        KS_CHECK(access(m->path, F_OK) != 0, KS_ERR_USAGE, "%s exists; --overwrite replaces it", m->path);
    KS_ALLOCATE(is_needed, (size_t)study->n_arms * n_endpoints);
    for (int i = 0; i < study->n_measures; i++)
        if (study->measures[i].trait < 0)
            is_needed[(size_t)study->measures[i].arm * n_endpoints + (size_t)study->measures[i].endpoint] =
                true;
    int err = ks_clinic_create(&m->clinic, m->campaign, m->session->arguments->lanes, is_needed);
    free(is_needed);
    KS_TRY(err);
    KS_ALLOCATE(m->parameters, n_traits);
    for (size_t k = 0; k < n_traits; k++) m->parameters[k] = study->population.traits[k].parameter;
    size_t batch = (size_t)m->clinic.batch, width = (size_t)m->clinic.n_times + n_endpoints;
    KS_ALLOCATE(m->traits, batch * n_traits);
    KS_ALLOCATE(m->numbers, batch * width);
    KS_ALLOCATE(m->places, batch);
    KS_ALLOCATE(m->results, batch);
    for (size_t i = 0; i < batch; i++) {
        m->results[i].scores = &m->numbers[i * width];
        m->results[i].endpoints = m->results[i].scores + m->clinic.n_times;
    }
    KS_TRY(ks_candidates_open(&m->candidates, m->session, m->path));
    m->kept.stride = m->candidates.plausible.stride;
    KS_ALLOCATE(m->rejected, (size_t)m->candidates.n_reasons);
    KS_ALLOCATE(m->rejected_all, (size_t)m->candidates.n_reasons);
    return KS_OK;
}

static int finish(struct make *m) {
    if (m->session->rank != 0) return KS_OK;
    ks_session_sort(&m->candidates.plausible);
    KS_TRY(ks_selection_make(&m->cohort, m->study, &m->candidates));
    KS_TRY(write_file(m));
    ks_candidates_discard(&m->candidates);
    if (!m->session->arguments->is_quiet) print_report(m);
    return KS_OK;
}

static int stop(const struct make *m, uint64_t next) {
    const struct ks_session *s = m->session;
    if (s->rank == 0)
        fprintf(stderr,
                "ketsweep: stopped by %s; %" PRIu64 " of %" PRIu64
                " candidates are in %s.candidates and safe: the same command goes on from there\n",
                ks_session_stop_reason(s), next, m->study->population.n_candidates, m->path);
    return KS_EXIT_STOPPED;
}

static int run_make(struct make *m) {
    struct ks_session *s = m->session;
    uint64_t next;
    KS_TRY(ks_agree(s->comm, allocate(m)));
    uint64_t done = m->candidates.n_done;
    KS_MPI(MPI_Bcast(&done, 1, MPI_UINT64_T, 0, s->comm));
    if (done > 0 && s->rank == 0)
        fprintf(stderr, "ketsweep: %" PRIu64 " candidates are there already\n", done);
    ks_progress_begin(&s->progress, s->rank == 0 && !s->arguments->is_quiet ? stderr : NULL, done);
    int err = ks_session_farm(s, done, m->study->population.n_candidates - done, m, simulate, commit, &next);
    ks_progress_end(&s->progress);
    KS_TRY(err);
    if (next < m->study->population.n_candidates) return stop(m, next);
    return ks_agree(s->comm, finish(m));
}

static int run_stages(struct ks_session *session) {
    struct make m = {.session = session, .campaign = &session->campaign, .study = session->campaign.study};
    m.path = session->arguments->output ? session->arguments->output : session->campaign.output_file;
    int err = run_make(&m);
    ks_clinic_release(&m.clinic);
    ks_candidates_release(&m.candidates);
    ks_selection_release(&m.cohort);
    free(m.parameters);
    free(m.traits);
    free(m.numbers);
    free((void *)m.places);
    free(m.results);
    free(m.kept.rows);
    free(m.rejections);
    free(m.rejected);
    free(m.rejected_all);
    return err;
}

int ks_cohort_command(const struct ks_arguments *arguments) {
    return ks_session_run(arguments, run_stages);
}
