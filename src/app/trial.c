/* `ketsweep trial`: the same patients in every arm. Draw by draw of the uncertain constants all patients are treated on all
 * ranks; rank 0 keeps the rows of the first draw, which is the model as it is, and of the others what they say of the arms. */
#include "app/trial_impl.h"
#include "base/agree.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- one draw on all ranks ----------------------------------------------------------------------------------------- */

static int treat_batch(struct ks_trial *t, uint64_t first, int n) {
    size_t stride = t->kept.stride, n_traits = (size_t)t->patients.n_traits;
    size_t width = 1 + (size_t)t->clinic.n_times + (size_t)t->campaign->n_endpoints;
    double *rows = &t->kept.rows[t->kept.n * stride];
    for (int i = 0; i < n; i++) {
        t->places[i] = &t->patients.inputs[(first + (uint64_t)i) * n_traits];
        rows[(size_t)i * stride] = (double)(first + (uint64_t)i);
    }
    for (int a = 0; a < t->study->n_arms; a++) {
        for (int i = 0; i < n; i++) {
            double *part = &rows[(size_t)i * stride + 1 + (size_t)a * width];
            t->results[i] = (struct ks_course_result){0, part + 1, part + 1 + t->clinic.n_times};
        }
        KS_TRY(ks_clinic_treat(&t->clinic, a, n, (int)n_traits, t->patients.parameters, t->places,
                               t->constants, t->results));
        for (int i = 0; i < n; i++) rows[(size_t)i * stride + 1 + (size_t)a * width] = t->results[i].status;
    }
    t->kept.n += (size_t)n;
    return KS_OK;
}

static int simulate(void *self, uint64_t first, uint64_t count) {
    struct ks_trial *t = self;
    if (t->kept.n + count > t->kept.capacity) {
        size_t capacity = 2 * t->kept.capacity + (size_t)count;
        double *larger = realloc(t->kept.rows, capacity * t->kept.stride * sizeof *larger);
        KS_CHECK(larger != NULL, KS_ERR_MEMORY, "no memory for %zu patients", capacity);
        t->kept.rows = larger;
        t->kept.capacity = capacity;
    }
    for (uint64_t done = 0; done < count; done += (uint64_t)t->clinic.batch) {
        uint64_t left = count - done;
        KS_TRY(treat_batch(t, first + done, left < (uint64_t)t->clinic.batch ? (int)left : t->clinic.batch));
    }
    return KS_OK;
}

static int commit(void *self, uint64_t first, uint64_t count) {
    struct ks_trial *t = self;
    (void)first;
    (void)count;
    KS_TRY(ks_session_gather(t->session, t->kept.n, t->kept.rows, &t->all));
    t->kept.n = 0;
    return KS_OK;
}

/* ---- replicates -------------------------------------------------------------------------------------------------------- */

/* A patient by weight. */
static size_t draw_patient(const struct ks_trial *t, double u) {
    size_t low = 0, high = t->patients.m - 1;
    double at = u * t->cumulative[high];
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (t->cumulative[middle] > at)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static void enrol(struct ks_trial *t, int draw, int replicate) {
    for (int a = 0; a < t->study->n_arms; a++)
        for (size_t i = 0; i < t->largest; i++) {
            uint64_t item = ((uint64_t)replicate << 32) + ((uint64_t)i << 16) + (uint64_t)a;
            double u = ks_random_uniform(t->study->seed, KS_STREAM_replicate, (uint64_t)draw, item);
            t->enrolled[(size_t)a * t->largest + i] = draw_patient(t, u);
        }
}

static struct ks_trial_group group_of(const struct ks_trial *t, int arm, double size) {
    size_t n = size < 1 ? 1 : (size_t)(size + 0.5);
    return (struct ks_trial_group){n < t->largest ? n : t->largest, &t->enrolled[(size_t)arm * t->largest],
                                   NULL};
}

static int arm_of(const struct ks_clinical_study *study, int measure) {
    return measure >= 0 && study->measures[measure].trait < 0 ? study->measures[measure].arm : 0;
}

static void run_replicate(struct ks_trial *t, int draw, int replicate, int q) {
    const struct ks_clinical_study *study = t->study;
    size_t n_numbers = (size_t)t->ward.n_visits * KS_N_STATISTICS;
    enrol(t, draw, replicate);
    for (int a = 0; a < study->n_arms; a++) {
        int c = study->arms[a].control;
        struct ks_trial_group group = group_of(t, a, study->trial.size),
                              control = group_of(t, c < 0 ? 0 : c, study->trial.size);
        ks_summary_of_arm(&t->ward, a, &group, c, c < 0 ? NULL : &control, t->scratch,
                          &t->replicates[((size_t)a * (size_t)t->n_replicates + (size_t)q) * n_numbers]);
    }
    for (int k = 0; k < study->n_targets; k++) {
        const struct ks_target *target = &study->targets[k];
        double size = isnan(target->n) ? study->trial.size : target->n;
        struct ks_trial_group group = group_of(t, arm_of(study, target->measure), size),
                              other = group_of(t, arm_of(study, target->other), size);
        t->target_replicates[(size_t)k * (size_t)t->n_replicates + (size_t)q] =
            ks_summary_of_target(&t->ward, target, &group, &other, t->scratch);
    }
}

/* ---- one draw on rank 0 ------------------------------------------------------------------------------------------------- */

static void accumulate(struct ks_trial *t) {
    double sum = 0;
    for (size_t j = 0; j < t->patients.m; j++) t->cumulative[j] = sum += t->ward.weights[j];
}

static void summarise(struct ks_trial *t, int draw) {
    const struct ks_clinical_study *study = t->study;
    size_t n_numbers = (size_t)t->ward.n_visits * KS_N_STATISTICS;
    struct ks_trial_group all = {t->patients.m, NULL, t->patients.weights};
    ks_summary_observe(&t->ward);
    for (int a = 0; a < study->n_arms; a++) {
        int c = study->arms[a].control;
        ks_summary_of_arm(&t->ward, a, &all, c, c < 0 ? NULL : &all, t->scratch,
                          &t->summaries[((size_t)draw * (size_t)study->n_arms + (size_t)a) * n_numbers]);
    }
    for (int k = 0; k < study->n_targets; k++)
        t->targets[(size_t)k * (size_t)(t->n_draws + 1) + (size_t)draw] =
            ks_summary_of_target(&t->ward, &study->targets[k], &all, &all, t->scratch);
    if (study->tailor.is_wanted) ks_tailoring_add(&t->tailoring, &t->ward, draw, t->scratch);
    accumulate(t);
    /* the constants as they are tell nothing of the spread between draws */
    int first = t->n_draws > 0 ? draw - 1 : 0,
        per_draw = t->n_draws > 0 ? t->n_replicates / t->n_draws : t->n_replicates;
    for (int r = 0; first >= 0 && t->cumulative[t->patients.m - 1] > 0 && r < per_draw; r++)
        run_replicate(t, draw, r, first * per_draw + r);
}

static void swap_rows(struct ks_gathered *a, struct ks_gathered *b) {
    struct ks_gathered c = *a;
    *a = *b;
    *b = c;
}

/* A trial has no log: what is done is lost, so that the exit status is not that of a run which goes on. */
static int stop(const struct ks_trial *t, int draw) {
    if (t->session->rank == 0)
        fprintf(
            stderr,
            "ketsweep: stopped by %s in draw %d of %d; a trial keeps nothing until its end: the same command "
            "starts anew\n",
            ks_session_stop_reason(t->session), draw + 1, t->n_draws + 1);
    return KS_EXIT_FAILED;
}

static int run_draw(struct ks_trial *t, int draw, double *constants) {
    uint64_t next;
    t->constants = draw > 0 ? constants : NULL;
    if (draw > 0) ks_population_draw(&t->study->uncertainty.constants, (uint64_t)draw, constants);
    t->all.n = 0;
    KS_TRY(ks_session_farm(t->session, 0, t->patients.m, t, simulate, commit, &next));
    if (next < t->patients.m) return stop(t, draw);
    if (t->session->rank != 0) return KS_OK;
    ks_session_sort(&t->all);
    t->ward.rows = t->all.rows;
    t->ward.stride = t->all.stride;
    summarise(t, draw);
    if (draw > 0) return KS_OK;
    for (size_t i = 0; i < t->n_observed; i++) t->observed[i] = t->ward.observed[i];
    for (size_t i = 0; i < t->patients.m; i++) t->n_left_out += t->ward.weights[i] == 0;
    t->nominal.stride = t->all.stride;
    swap_rows(&t->all, &t->nominal);
    return KS_OK;
}

/* ---- the stages ------------------------------------------------------------------------------------------------------------ */

/* Visits are those of the configuration; without them, the times of the endpoints. */
static int plan_visits(struct ks_trial *t) {
    KS_ALLOCATE(t->ward.visit_times, (size_t)t->clinic.n_times);
    for (int i = 1; i < t->clinic.n_times; i++) {
        bool is_visit = t->study->n_visits == 0;
        for (int v = 0; v < t->study->n_visits; v++) is_visit |= t->study->visits[v] == t->clinic.times[i];
        if (is_visit) t->ward.visit_times[t->ward.n_visits++] = i;
    }
    KS_CHECK(t->ward.n_visits <= 1024, KS_ERR_USAGE, "%d visits; 1024 are the most", t->ward.n_visits);
    return KS_OK;
}

static int allocate_results(struct ks_trial *t) {
    const struct ks_clinical_study *study = t->study;
    size_t arms = (size_t)study->n_arms, m = t->patients.m, draws = (size_t)t->n_draws + 1,
           q = (size_t)t->n_replicates;
    size_t n_numbers = (size_t)t->ward.n_visits * KS_N_STATISTICS;
    t->largest = (size_t)(study->trial.size + 0.5);
    for (int k = 0; k < study->n_targets; k++)
        if (study->targets[k].n > (double)t->largest && study->targets[k].n < 65000)
            t->largest = (size_t)(study->targets[k].n + 0.5);
    size_t n_scratch = 8 * (m > t->largest ? m : t->largest);
    t->n_observed = arms * m * (size_t)(t->ward.n_visits + 1);
    KS_ALLOCATE(t->ward.weights, m);
    KS_ALLOCATE(t->ward.observed, t->n_observed);
    KS_ALLOCATE(t->ward.measures, (size_t)study->n_measures * m);
    KS_ALLOCATE(t->observed, t->n_observed);
    KS_ALLOCATE(t->cumulative, m);
    KS_ALLOCATE(t->enrolled, arms * t->largest);
    KS_ALLOCATE(t->scratch, n_scratch);
    KS_ALLOCATE(t->intervals, draws > q ? draws : q);
    KS_ALLOCATE(t->summaries, draws * arms * n_numbers);
    KS_ALLOCATE(t->replicates, arms * q * n_numbers);
    KS_ALLOCATE(t->targets, (size_t)study->n_targets * draws);
    KS_ALLOCATE(t->target_replicates, (size_t)study->n_targets * q);
    for (size_t i = 0; i < arms * q * n_numbers; i++) t->replicates[i] = NAN;
    for (size_t i = 0; i < (size_t)study->n_targets * q; i++) t->target_replicates[i] = NAN;
    return study->tailor.is_wanted ? ks_tailoring_create(&t->tailoring, &t->ward) : KS_OK;
}

static int check_traits(const struct ks_trial *t) {
    for (int i = 0; i < t->study->n_measures; i++)
        KS_CHECK(t->study->measures[i].trait < 0 || t->study->has_population, KS_ERR_USAGE,
                 "%s: a target of a parameter needs the section population", t->campaign->path);
    return KS_OK;
}

/* Rank 0, before any rank reads or writes. */
static int check_files(const struct ks_trial *t) {
    const char *cohort = t->study->trial.cohort;
    KS_CHECK(cohort == NULL || !ks_output_is_same_file(t->path, cohort), KS_ERR_USAGE,
             "%s is the cohort of the trial; -o names another file", t->path);
    KS_CHECK(t->session->arguments->overwrites || access(t->path, F_OK) != 0, KS_ERR_USAGE,
             "%s exists; --overwrite replaces it", t->path);
    return cohort != NULL ? ks_tables_check(cohort, "cohort") : KS_OK;
}

static int allocate(struct ks_trial *t) {
    const struct ks_clinical_study *study = t->study;
    const struct ks_arguments *arguments = t->session->arguments;
    KS_TRY(check_traits(t));
    KS_TRY(ks_patients_load(&t->patients, t->campaign));
    KS_TRY(ks_clinic_create(&t->clinic, t->campaign, arguments->lanes, NULL));
    t->ward.clinic = &t->clinic;
    t->ward.patients = &t->patients;
    KS_TRY(plan_visits(t));
    t->n_draws = study->uncertainty.n_draws;
    int per_draw = t->n_draws > 0 ? (study->trial.n_replicates + t->n_draws - 1) / t->n_draws
                                  : study->trial.n_replicates;
    t->n_replicates = t->n_draws > 0 ? per_draw * t->n_draws : per_draw;
    t->kept.stride =
        1 + (size_t)study->n_arms * (1 + (size_t)t->clinic.n_times + (size_t)t->campaign->n_endpoints);
    t->all.stride = t->kept.stride;
    KS_ALLOCATE(t->places, (size_t)t->clinic.batch);
    KS_ALLOCATE(t->results, (size_t)t->clinic.batch);
    return t->session->rank == 0 ? allocate_results(t) : KS_OK;
}

/* Every rank reads the patients for itself. */
static int compare_patients(const struct ks_trial *t) {
    uint64_t own = t->patients.m, first;
    size_t n = t->patients.m * (size_t)t->patients.n_traits;
    for (size_t i = 0; i < n; i++) {
        uint64_t bits;
        memcpy(&bits, &t->patients.inputs[i], sizeof bits);
        own = (own ^ bits) * 0x100000001b3u;
    }
    first = own;
    KS_MPI(MPI_Bcast(&first, 1, MPI_UINT64_T, 0, t->session->comm));
    KS_CHECK(own == first, KS_ERR_USAGE, "rank %d of %d reads other patients than rank 0", t->session->rank,
             t->session->size);
    return KS_OK;
}

static int run_draws(struct ks_trial *t) {
    double *constants =
        ks_memory_allocate((size_t)t->study->uncertainty.constants.n_traits, sizeof *constants);
    int err = constants != NULL ? KS_OK : ks_error_raise(KS_ERR_MEMORY, __FILE__, __LINE__, "no memory");
    err = ks_agree(t->session->comm, err);
    for (int draw = 0; err == KS_OK && draw <= t->n_draws; draw++) err = run_draw(t, draw, constants);
    free(constants);
    return err;
}

static int finish(struct ks_trial *t) {
    if (t->session->rank != 0) return KS_OK;
    KS_TRY(ks_trial_file_write(t));
    return t->session->arguments->is_quiet ? KS_OK : ks_trial_report_print(t);
}

static int run_trial(struct ks_trial *t) {
    struct ks_session *s = t->session;
    KS_TRY(ks_agree(s->comm, s->rank == 0 ? check_files(t) : KS_OK));
    KS_TRY(ks_agree(s->comm, allocate(t)));
    KS_TRY(ks_agree(s->comm, compare_patients(t)));
    ks_progress_begin(&s->progress, s->rank == 0 && !s->arguments->is_quiet ? stderr : NULL, 0);
    int status = run_draws(t);
    ks_progress_end(&s->progress);
    if (status != KS_OK) return status;
    return ks_agree(s->comm, finish(t));
}

static void release(struct ks_trial *t) {
    void *all[] = {t->ward.visit_times,  t->ward.weights, t->ward.observed, t->ward.measures,
                   t->observed,          t->cumulative,   t->enrolled,      t->scratch,
                   t->intervals,         t->summaries,    t->replicates,    t->targets,
                   t->target_replicates, t->kept.rows,    t->all.rows,      t->nominal.rows,
                   (void *)t->places,    t->results};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
    ks_tailoring_release(&t->tailoring);
    ks_clinic_release(&t->clinic);
    ks_patients_release(&t->patients);
}

static int run_stages(struct ks_session *session) {
    struct ks_trial t = {
        .session = session, .campaign = &session->campaign, .study = session->campaign.study};
    t.path = session->arguments->output ? session->arguments->output : session->campaign.output_file;
    int err = run_trial(&t);
    release(&t);
    return err;
}

int ks_trial_command(const struct ks_arguments *arguments) {
    return ks_session_run(arguments, run_stages);
}
