/* The sections of cohorts and trials beside `population`: arms, accept, targets, selection, observation, uncertainty,
 * trial, tailor. */
#include "config/study.h"

#include "base/memory.h"
#include "config/config_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const ks_target_names[KS_N_TARGETS] = {
#define X(name, selects, words) #name,
    KS_TARGET_TABLE(X)
#undef X
};

const char *const ks_selection_names[KS_N_SELECTIONS] = {"weights", "accept_reject", "none"};

static const struct ks_key arm_keys[] = {
    {"name", "", NULL, "of the arm", KS_ANYTHING},
    {"protocol", "", NULL, "entries over those of the protocol above", KS_ANYTHING},
    {"patient", "", NULL, "entries over those of all patients, such as mechanism_trkb = 0.0", KS_ANYTHING},
    {"control", "", NULL, "the arm that it is compared with", KS_ANYTHING},
    {"literature", "", NULL, "what experiments say, shown beside the result", KS_ANYTHING},
};
const struct ks_keys ks_study_arm_keys = KS_KEYS(arm_keys);

static const struct ks_key bound_keys[] = {
    {"endpoint", "", NULL, "of output.endpoints", KS_ANYTHING},
    {"parameter", "", NULL, "or a parameter or covariate of the population", KS_ANYTHING},
    {"arm", "", NULL, "in which the endpoint is taken (default: the first)", KS_ANYTHING},
    {"low", "", NULL, "least allowed", KS_ANYTHING},
    {"high", "", NULL, "most allowed", KS_ANYTHING},
    {"source", "", NULL, "where the numbers are from", KS_ANYTHING},
};
const struct ks_keys ks_study_bound_keys = KS_KEYS(bound_keys);

static const struct ks_key target_keys[] = {
    {"id", "", NULL, "of the published source", KS_ANYTHING},
    {"arm", "", NULL, "in which the endpoint is taken (default: the first)", KS_ANYTHING},
    {"endpoint", "", NULL, "of output.endpoints", KS_ANYTHING},
    {"parameter", "", NULL, "or a parameter or covariate of the population", KS_ANYTHING},
    {"given", "", NULL, "a 0/1 endpoint: only patients who have it count", KS_ANYTHING},
    {"mean", "", NULL, "mean, or share of a 0/1 endpoint", KS_ANYTHING},
    {"sd", "", NULL, "standard deviation, beside a mean", KS_ABOVE_0},
    {"shape", "", "\"normal\"", "normal or lognormal: the distribution behind mean and sd, for the test",
     KS_ANYTHING},
    {"quantile", "1", NULL, "share of patients at or below `at`", {0, 1, false, false, false, "in (0, 1)"}},
    {"at", "", NULL, "of a quantile", KS_ANYTHING},
    {"correlation",
     "1",
     NULL,
     "with the measure `with`",
     {-1, 1, false, false, false, "between -1 and 1, both excluded"}},
    {"with", "", NULL, "an endpoint of the same arm, or a parameter or covariate", KS_ANYTHING},
    {"difference", "", NULL, "of means, the arm's minus that of `minus`", KS_ANYTHING},
    {"effect_size", "", NULL, "the same over the pooled standard deviation", KS_ANYTHING},
    {"minus", "", NULL, "the other arm", KS_ANYTHING},
    {"median_relapse", "d", NULL, "median time to relapse of responders", KS_ABOVE_0},
    {"n", "1", NULL, "patients behind the number", KS_ABOVE_0},
    {"low", "", NULL, "published interval", KS_ANYTHING},
    {"high", "", NULL, "published interval", KS_ANYTHING},
    {"use", "", NULL, "calibration: may select patients; validation: must not", KS_ANYTHING},
    {"source", "", NULL, "where the number is from", KS_ANYTHING},
};
const struct ks_keys ks_study_target_keys = KS_KEYS(target_keys);

static const struct ks_key selection_keys[] = {
    {"method", "", "\"weights\"",
     "weights: maximum entropy; accept_reject: target over plausible density; none", KS_ANYTHING},
};
const struct ks_keys ks_study_selection_keys = KS_KEYS(selection_keys);

static const struct ks_key observation_keys[] = {
    {"madrs_sd", "points", "0.0", "of rater error, at each visit", KS_FROM_0},
    {"seed",
     "1",
     "1",
     "of rater error, dropout and replicates",
     {0, 0x1p63, true, true, true, "an integer >= 0"}},
    {"visits", "h", NULL, "times of rating, ascending, beside the baseline", KS_ANYTHING},
};
const struct ks_keys ks_study_observation_keys = KS_KEYS(observation_keys);

static const struct ks_key uncertainty_keys[] = {
    {"draws",
     "1",
     "0",
     "of the uncertain constants; intervals need 20 or more",
     {0, 100000, true, true, true, "an integer in [0, 100000]"}},
    {"seed", "1", "1", "of the draws", {0, 0x1p63, true, true, true, "an integer >= 0"}},
    {"parameters", "", NULL, "constants that are uncertain, a list as for a campaign", KS_ANYTHING},
    {"grades", "", NULL, "all other constants with these grades of evidence, such as \"D M\"", KS_ANYTHING},
    {"cv", "1", "0.05", "of the constants of these grades", KS_ABOVE_0},
};
const struct ks_keys ks_study_uncertainty_keys = KS_KEYS(uncertainty_keys);

static const struct ks_key trial_keys[] = {
    {"cohort", "", NULL, "a file that `cohort` wrote; without it, candidates as they come", KS_ANYTHING},
    {"control", "", NULL, "the arm that others are compared with (default: none)", KS_ANYTHING},
    {"replicates",
     "1",
     "200",
     "of a trial at its own size, shared among the draws",
     {0, 60000, true, true, true, "an integer in [0, 60000]"}},
    {"size",
     "1",
     "50",
     "patients per arm of a replicate",
     {2, 60000, true, true, true, "an integer in [2, 60000]"}},
    {"dropout", "1", "0.0", "share of patients lost per week", {0, 1, true, false, false, "in [0, 1)"}},
    {"rescue_ratio", "1", NULL, "score over baseline, above which a patient gets other treatment",
     KS_ABOVE_0},
    {"rescue_after", "h", "0.0", "the first visit at which this is asked", KS_FROM_0},
    {"responders_at", "h", NULL, "relapse is counted from this visit, among those who respond at it",
     KS_ABOVE_0},
};
const struct ks_keys ks_study_trial_keys = KS_KEYS(trial_keys);

static const struct ks_key tailor_keys[] = {
    {"exposure_cost", "1", "0.05", "of one mg h/L of ketamine, in units of the share that remits", KS_FROM_0},
    {"dissociation_cost", "1", "0.01", "of one point of CADSS, in the same units", KS_FROM_0},
};
const struct ks_keys ks_study_tailor_keys = KS_KEYS(tailor_keys);

/* ---- names ----------------------------------------------------------------------------------- */

static int find_arm(struct ks_reader *reader, const config_setting_t *setting, const char *name) {
    const struct ks_clinical_study *study = reader->campaign->study;
    const char **names = ks_memory_allocate((size_t)study->n_arms, sizeof *names);
    int found = -1;
    for (int i = 0; names != NULL && i < study->n_arms; i++) {
        names[i] = study->arms[i].name;
        if (strcmp(names[i], name) == 0) found = i;
    }
    if (found < 0 && names != NULL)
        ks_settings_unknown(reader, setting, "arm", name, false, study->n_arms, names, NULL);
    free(names);
    return found;
}

/* The arm that a key names; the first where it is absent, -1 after a fault. */
static int read_arm_name(const struct ks_section *section, const char *key) {
    const char *name = NULL;
    if (!ks_settings_string(section, key, &name)) return ks_settings_find(section, key) == NULL ? 0 : -1;
    return find_arm(section->reader, ks_settings_find(section, key), name);
}

static int find_endpoint(const struct ks_campaign *campaign, const char *name) {
    for (int i = 0; i < campaign->n_endpoints; i++)
        if (strcmp(campaign->endpoints[i].name, name) == 0) return i;
    return -1;
}

static void report_endpoint(struct ks_reader *reader, const config_setting_t *setting, const char *name) {
    const struct ks_campaign *campaign = reader->campaign;
    const char **names = ks_memory_allocate((size_t)campaign->n_endpoints, sizeof *names);
    for (int i = 0; names != NULL && i < campaign->n_endpoints; i++) names[i] = campaign->endpoints[i].name;
    if (names != NULL)
        ks_settings_unknown(reader, setting, "endpoint", name, false, campaign->n_endpoints, names,
                            "output.endpoints lists what is computed up to the horizon");
    free(names);
}

static int add_measure(struct ks_clinical_study *study, const struct ks_measure *measure, int *index) {
    for (int i = 0; i < study->n_measures; i++) {
        const struct ks_measure *m = &study->measures[i];
        bool is_same = measure->trait >= 0
                           ? m->trait == measure->trait
                           : m->trait < 0 && m->arm == measure->arm && m->endpoint == measure->endpoint;
        *index = i;
        if (is_same) return KS_OK;
    }
    struct ks_measure *larger = realloc(study->measures, ((size_t)study->n_measures + 1) * sizeof *larger);
    KS_CHECK(larger != NULL, KS_ERR_MEMORY, "no memory for a measure");
    study->measures = larger;
    study->measures[ *index = study->n_measures++] = *measure;
    return KS_OK;
}

/* The measure that `key` names in an arm: an endpoint; where there is none, a trait. -1 after a fault. */
static int read_measure(const struct ks_section *section, const char *key, bool is_trait, int arm,
                        int *index) {
    struct ks_reader *reader = section->reader;
    struct ks_clinical_study *study = reader->campaign->study;
    const config_setting_t *setting = ks_settings_find(section, key);
    const char *name = NULL;
    *index = -1;
    if (!ks_settings_string(section, key, &name)) return KS_OK;
    struct ks_measure measure = {.trait = -1, .arm = arm, .endpoint = find_endpoint(reader->campaign, name)};
    if (is_trait) measure.trait = ks_population_find(&study->population, name);
    if (measure.trait < 0 && (measure.endpoint < 0 || arm < 0)) {
        if (arm >= 0) report_endpoint(reader, setting, name);
        return KS_OK;
    }
    return add_measure(study, &measure, index);
}

/* `endpoint` in the arm, or `parameter`; exactly one of them. */
static int read_of(const struct ks_section *section, int arm, int *index) {
    const config_setting_t *parameter = ks_settings_find(section, "parameter");
    *index = -1;
    if (parameter != NULL && ks_settings_find(section, "endpoint") != NULL)
        ks_settings_fault(section->reader, parameter, "endpoint is given too; one of the two is allowed");
    if (parameter != NULL) return read_measure(section, "parameter", true, -1, index);
    if (!ks_settings_require(section, "endpoint")) return KS_OK;
    return read_measure(section, "endpoint", false, arm, index);
}

/* ---- arms ------------------------------------------------------------------------------------ */

static int copy_string(const struct ks_section *section, const char *key, char **copy) {
    const char *word = "";
    ks_settings_string(section, key, &word);
    return ks_text_copy(word, copy);
}

static int read_arm(struct ks_reader *reader, const config_setting_t *setting, struct ks_arm *arm) {
    struct ks_section section = ks_settings_open(reader, setting, &ks_study_arm_keys);
    const config_setting_t *protocol = ks_settings_member(setting, "protocol");
    arm->control = -1;
    KS_TRY(copy_string(&section, "name", &arm->name));
    KS_TRY(copy_string(&section, "literature", &arm->literature));
    ks_settings_require(&section, "name");
    const config_setting_t *patient = ks_settings_member(setting, "patient");
    int n_entries = patient != NULL && config_setting_is_group(patient) ? config_setting_length(patient) : 0;
    KS_ALLOCATE(arm->named, (size_t)n_entries);
    for (int i = 0; i < n_entries; i++) {
        const config_setting_t *entry = config_setting_get_elem(patient, (unsigned)i);
        int parameter = ks_lookup_parameter(reader->campaign, config_setting_name(entry));
        if (parameter >= 0) arm->named[arm->n_named++] = parameter;
    }
    for (const struct ks_arm *other = reader->campaign->study->arms; other != arm; other++)
        if (strcmp(other->name, arm->name) == 0)
            ks_settings_fault(reader, setting, "there is an arm \"%s\" already; choose another name",
                              arm->name);
    if (ks_settings_member(protocol, "horizon") != NULL)
        ks_settings_fault(reader, ks_settings_member(protocol, "horizon"),
                          "all arms share one horizon; give it in the section protocol");
    return KS_OK;
}

static int read_arms(struct ks_reader *reader) {
    struct ks_clinical_study *study = reader->campaign->study;
    const config_setting_t *list = ks_settings_top(reader, "arms");
    bool is_list =
        list != NULL && ks_settings_is_aggregate(reader, list, "a list of groups ( {name; protocol;}, ... )");
    int n = is_list ? config_setting_length(list) : 1;
    if (n == 0) ks_settings_fault(reader, list, "is empty; give at least one arm, or leave it out");
    KS_ALLOCATE(study->arms, (size_t)n);
    for (int i = 0; i < n; i++) {
        study->n_arms++;
        if (is_list) {
            KS_TRY(read_arm(reader, config_setting_get_elem(list, (unsigned)i), &study->arms[i]));
        } else {
            study->arms[i].control = -1;
            KS_TRY(ks_text_copy("treatment", &study->arms[i].name));
            KS_TRY(ks_text_copy("", &study->arms[i].literature));
        }
    }
    return KS_OK;
}

/* `control` of an arm, else of the trial. */
static void read_controls(struct ks_reader *reader) {
    struct ks_clinical_study *study = reader->campaign->study;
    struct ks_section trial = {reader, ks_settings_top(reader, "trial"), &ks_study_trial_keys};
    const config_setting_t *list = ks_settings_top(reader, "arms");
    int common = ks_settings_find(&trial, "control") != NULL ? read_arm_name(&trial, "control") : -1;
    for (int i = 0; i < study->n_arms; i++) {
        study->arms[i].control = common == i ? -1 : common;
        if (list == NULL) continue;
        struct ks_section section = {reader, config_setting_get_elem(list, (unsigned)i), &ks_study_arm_keys};
        if (ks_settings_find(&section, "control") == NULL) continue;
        study->arms[i].control = read_arm_name(&section, "control");
        if (study->arms[i].control == i)
            ks_settings_fault(reader, ks_settings_find(&section, "control"),
                              "an arm is not its own control; name another arm");
    }
}

/* ---- bounds ---------------------------------------------------------------------------------- */

static int name_reason(const struct ks_reader *reader, struct ks_bound *bound) {
    const struct ks_clinical_study *study = reader->campaign->study;
    const struct ks_measure *m = &study->measures[bound->measure];
    char text[256];
    if (m->trait >= 0)
        snprintf(text, sizeof text, "%s", study->population.traits[m->trait].name);
    else
        snprintf(text, sizeof text, "%s: %s", study->arms[m->arm].name,
                 reader->campaign->endpoints[m->endpoint].name);
    return ks_text_copy(text, &bound->reason);
}

static int read_bound(struct ks_reader *reader, const config_setting_t *setting, struct ks_bound *bound) {
    struct ks_section section = ks_settings_open(reader, setting, &ks_study_bound_keys);
    *bound = (struct ks_bound){.low = -INFINITY, .high = INFINITY, .measure = -1};
    if (section.setting == NULL) return KS_OK;
    KS_TRY(read_of(&section, read_arm_name(&section, "arm"), &bound->measure));
    ks_settings_number(&section, "low", &bound->low);
    ks_settings_number(&section, "high", &bound->high);
    if (!(bound->low < bound->high) || (isinf(bound->low) && isinf(bound->high)))
        ks_settings_fault(reader, setting, "low, high or both are needed, and low below high");
    return bound->measure >= 0 ? name_reason(reader, bound) : KS_OK;
}

static int read_bounds(struct ks_reader *reader) {
    struct ks_clinical_study *study = reader->campaign->study;
    const config_setting_t *list = ks_settings_member(ks_settings_top(reader, "population"), "accept");
    if (list == NULL ||
        !ks_settings_is_aggregate(reader, list, "a list of groups ( {endpoint; low; high;}, ... )"))
        return KS_OK;
    KS_ALLOCATE(study->bounds, (size_t)config_setting_length(list));
    for (int i = 0; i < config_setting_length(list); i++)
        KS_TRY(read_bound(reader, config_setting_get_elem(list, (unsigned)i),
                          &study->bounds[study->n_bounds++]));
    return KS_OK;
}

/* ---- targets --------------------------------------------------------------------------------- */

static int add_target(const struct ks_section *section, const struct ks_target *common,
                      enum ks_target_kind kind, double value) {
    struct ks_clinical_study *study = section->reader->campaign->study;
    struct ks_target *larger = realloc(study->targets, ((size_t)study->n_targets + 1) * sizeof *larger);
    KS_CHECK(larger != NULL, KS_ERR_MEMORY, "no memory for a target");
    study->targets = larger;
    struct ks_target *target = &study->targets[study->n_targets++];
    *target = *common;
    target->kind = kind;
    target->value = value;
    target->id = target->source = NULL;
    KS_TRY(copy_string(section, "id", &target->id));
    return copy_string(section, "source", &target->source);
}

static int read_moments(const struct ks_section *section, const struct ks_target *common, int *n) {
    double mean = NAN, value = NAN;
    struct ks_target target = *common;
    if (ks_settings_number(section, "mean", &mean)) {
        KS_TRY(add_target(section, &target, KS_TARGET_mean, mean));
        ++*n;
    }
    if (ks_settings_number(section, "sd", &value)) {
        if (ks_settings_require(section, "mean")) target.centre = mean;
        KS_TRY(add_target(section, &target, KS_TARGET_sd, value));
        ++*n;
    }
    if (ks_settings_number(section, "quantile", &value)) {
        if (ks_settings_require(section, "at")) ks_settings_number(section, "at", &target.at);
        KS_TRY(add_target(section, &target, KS_TARGET_quantile, value));
        ++*n;
    }
    return KS_OK;
}

/* The kinds that need a second measure. */
static int read_relations(const struct ks_section *section, const struct ks_target *common, int arm, int *n) {
    static const enum ks_target_kind kinds[] = {KS_TARGET_difference, KS_TARGET_effect_size};
    struct ks_clinical_study *study = section->reader->campaign->study;
    struct ks_target target = *common;
    double value;
    if (ks_settings_number(section, "correlation", &value)) {
        if (ks_settings_require(section, "with"))
            KS_TRY(read_measure(section, "with", true, arm, &target.other));
        KS_TRY(add_target(section, &target, KS_TARGET_correlation, value));
        ++*n;
    }
    for (int k = 0; k < 2; k++) {
        if (!ks_settings_number(section, ks_target_names[kinds[k]], &value)) continue;
        int minus = ks_settings_require(section, "minus") ? read_arm_name(section, "minus") : -1;
        if (target.measure >= 0 && minus >= 0) {
            struct ks_measure measure = study->measures[target.measure];
            measure.arm = minus;
            KS_TRY(add_measure(study, &measure, &target.other));
        }
        KS_TRY(add_target(section, &target, kinds[k], value));
        ++*n;
    }
    if (ks_settings_number(section, "median_relapse", &value)) {
        KS_TRY(add_target(section, &target, KS_TARGET_median_relapse, value));
        ++*n;
    }
    return KS_OK;
}

static int read_target(struct ks_reader *reader, const config_setting_t *setting) {
    static const char *const uses[] = {"validation", "calibration"}, *const shapes[] = {"normal",
                                                                                        "lognormal"};
    int shape = 0;
    struct ks_section section = ks_settings_open(reader, setting, &ks_study_target_keys);
    struct ks_target common = {.given = -1,
                               .other = -1,
                               .measure = -1,
                               .n = NAN,
                               .low = NAN,
                               .high = NAN,
                               .centre = NAN,
                               .scale = NAN,
                               .other_centre = NAN,
                               .other_scale = NAN};
    int use = 0, n = 0;
    if (section.setting == NULL) return KS_OK;
    int arm = read_arm_name(&section, "arm");
    KS_TRY(read_of(&section, arm, &common.measure));
    KS_TRY(read_measure(&section, "given", false, arm, &common.given));
    if (ks_settings_require(&section, "use")) ks_settings_choice(&section, "use", 2, uses, &use);
    ks_settings_require(&section, "id");
    common.is_calibration = use == 1;
    ks_settings_choice(&section, "shape", 2, shapes, &shape);
    common.is_lognormal = shape == 1;
    ks_settings_number(&section, "n", &common.n);
    ks_settings_number(&section, "low", &common.low);
    ks_settings_number(&section, "high", &common.high);
    size_t n_before = reader->report.n_errors;
    KS_TRY(read_moments(&section, &common, &n));
    KS_TRY(read_relations(&section, &common, arm, &n));
    if (n == 0 && reader->report.n_errors == n_before)
        ks_settings_fault(
            reader, setting,
            "no value; it needs mean, sd, quantile, correlation, difference, effect_size or median_relapse");
    return KS_OK;
}

/* Mean and standard deviation that the targets ask of a measure; NaN where they do not. */
static void find_moments(const struct ks_clinical_study *study, int measure, double *centre, double *scale) {
    for (int i = 0; i < study->n_targets; i++) {
        const struct ks_target *t = &study->targets[i];
        if (t->measure != measure || t->given >= 0) continue;
        if (t->kind == KS_TARGET_mean) *centre = t->value;
        if (t->kind == KS_TARGET_sd) *scale = t->value;
    }
}

static int read_targets(struct ks_reader *reader) {
    struct ks_clinical_study *study = reader->campaign->study;
    const config_setting_t *list = ks_settings_top(reader, "targets");
    if (list == NULL ||
        !ks_settings_is_aggregate(reader, list, "a list of groups ( {id; endpoint; mean; use;}, ... )"))
        return KS_OK;
    for (int i = 0; i < config_setting_length(list); i++)
        KS_TRY(read_target(reader, config_setting_get_elem(list, (unsigned)i)));
    for (int i = 0; i < study->n_targets; i++) {
        struct ks_target *t = &study->targets[i];
        if (t->kind != KS_TARGET_correlation) continue;
        find_moments(study, t->measure, &t->centre, &t->scale);
        find_moments(study, t->other, &t->other_centre, &t->other_scale);
        if (isnan(t->centre + t->scale + t->other_centre + t->other_scale))
            ks_settings_fault(reader, list,
                              "the correlation of \"%s\" needs targets of mean and sd for both measures",
                              t->id);
    }
    return KS_OK;
}

/* ---- the other sections ------------------------------------------------------------------------ */

static int read_observation(struct ks_reader *reader) {
    struct ks_clinical_study *study = reader->campaign->study;
    struct ks_section section =
        ks_settings_open(reader, ks_settings_top(reader, "observation"), &ks_study_observation_keys);
    const config_setting_t *visits = ks_settings_find(&section, "visits");
    double horizon = reader->campaign->parameters[KS_PARAMETER_horizon];
    ks_settings_number(&section, "madrs_sd", &study->score_sd);
    ks_settings_count(&section, "seed", &study->seed);
    if (visits == NULL) return KS_OK;
    KS_TRY(ks_settings_to_numbers(reader, visits, &study->n_visits, &study->visits));
    for (int i = 0; i < study->n_visits; i++)
        if (!(study->visits[i] > (i > 0 ? study->visits[i - 1] : 0) && study->visits[i] <= horizon))
            ks_settings_fault(
                reader, visits, "%s h is not allowed; visits ascend from above 0 to the horizon of %s h",
                ks_settings_number_text(study->visits[i]).text, ks_settings_number_text(horizon).text);
    return KS_OK;
}

static int read_uncertainty(struct ks_reader *reader) {
    struct ks_clinical_study *study = reader->campaign->study;
    struct ks_section section =
        ks_settings_open(reader, ks_settings_top(reader, "uncertainty"), &ks_study_uncertainty_keys);
    struct ks_population *constants = &study->uncertainty.constants;
    const char *grades = "";
    uint64_t n_draws;
    double cv;
    ks_settings_count(&section, "draws", &n_draws);
    ks_settings_count(&section, "seed", &constants->seed);
    ks_settings_number(&section, "cv", &cv);
    ks_settings_string(&section, "grades", &grades);
    study->uncertainty.n_draws = (int)n_draws;
    constants->n_candidates = n_draws + 1;
    constants->stream = KS_STREAM_uncertainty;
    if (section.setting == NULL) return KS_OK;
    KS_TRY(ks_population_read_constants(reader, section.setting));
    KS_TRY(ks_population_read_grades(reader, grades, cv));
    if (n_draws > 0 && constants->n_traits == 0)
        ks_settings_fault(reader, section.setting, "nothing is uncertain; it needs parameters or grades");
    return KS_OK;
}

static int read_trial(struct ks_reader *reader) {
    struct ks_clinical_study *study = reader->campaign->study;
    struct ks_section section =
        ks_settings_open(reader, ks_settings_top(reader, "trial"), &ks_study_trial_keys);
    struct ks_section tailor =
        ks_settings_open(reader, ks_settings_top(reader, "tailor"), &ks_study_tailor_keys);
    const char *cohort = NULL;
    uint64_t n_replicates;
    study->trial.rescue_ratio = INFINITY;
    study->trial.responders_at = NAN;
    ks_settings_count(&section, "replicates", &n_replicates);
    ks_settings_number(&section, "size", &study->trial.size);
    ks_settings_number(&section, "dropout", &study->trial.dropout);
    ks_settings_number(&section, "rescue_ratio", &study->trial.rescue_ratio);
    ks_settings_number(&section, "rescue_after", &study->trial.rescue_after);
    ks_settings_number(&section, "responders_at", &study->trial.responders_at);
    ks_settings_number(&tailor, "exposure_cost", &study->tailor.exposure_cost);
    ks_settings_number(&tailor, "dissociation_cost", &study->tailor.dissociation_cost);
    study->tailor.is_wanted = tailor.setting != NULL;
    study->trial.n_replicates = (int)n_replicates;
    return ks_settings_string(&section, "cohort", &cohort) ? ks_text_copy(cohort, &study->trial.cohort)
                                                           : KS_OK;
}

static void read_selection(struct ks_reader *reader) {
    struct ks_section section =
        ks_settings_open(reader, ks_settings_top(reader, "selection"), &ks_study_selection_keys);
    int method;
    ks_settings_choice(&section, "method", KS_N_SELECTIONS, ks_selection_names, &method);
    reader->campaign->study->selection = (enum ks_selection)method;
}

int ks_study_read(struct ks_reader *reader) {
    static const char *const sections[] = {"population",  "arms",        "targets", "selection",
                                           "observation", "uncertainty", "trial",   "tailor"};
    const config_setting_t *first = NULL;
    for (int i = 0; i < 8 && first == NULL; i++) first = ks_settings_top(reader, sections[i]);
    if (first == NULL) return KS_OK;
    if (reader->campaign->function != NULL) {
        ks_settings_fault(reader, first, "the model \"%s\" has no patients; leave it out",
                          reader->campaign->model);
        return KS_OK;
    }
    KS_ALLOCATE(reader->campaign->study, 1);
    KS_TRY(ks_population_read(reader));
    KS_TRY(read_arms(reader));
    read_controls(reader);
    read_selection(reader);
    KS_TRY(read_bounds(reader));
    KS_TRY(read_targets(reader));
    KS_TRY(read_observation(reader));
    KS_TRY(read_uncertainty(reader));
    return read_trial(reader);
}

void ks_study_release(struct ks_clinical_study *study) {
    if (study == NULL) return;
    for (int i = 0; i < study->n_arms; i++) {
        free(study->arms[i].name);
        free(study->arms[i].literature);
        free(study->arms[i].named);
        if (study->arms[i].campaign != NULL) ks_config_release(study->arms[i].campaign);
        free(study->arms[i].campaign);
    }
    for (int i = 0; i < study->n_bounds; i++) free(study->bounds[i].reason);
    for (int i = 0; i < study->n_targets; i++) {
        free(study->targets[i].id);
        free(study->targets[i].source);
    }
    ks_population_release(&study->population);
    ks_population_release(&study->uncertainty.constants);
    free(study->arms);
    free(study->measures);
    free(study->bounds);
    free(study->targets);
    free(study->visits);
    free(study->trial.cohort);
    free(study->candidates);
    free(study);
}
