/* Every key of a configuration that a command line can override, for the completions of shells. Of a key with few values,
 * and of one that names endpoints, the values too, as libconfig text. */
#include "base/memory.h"
#include "config/config_impl.h"

#include <stdlib.h>
#include <string.h>

struct visit {
    ks_config_key_visitor *visitor;
    void *self;
};

struct words {
    int n;
    char (*texts)[64];
    const char **pointers;
};

static void quote(struct words *words, const char *before, const char *word, const char *after) {
    snprintf(words->texts[words->n], sizeof words->texts[0], "%s\"%s\"%s", before, word, after);
    words->pointers[words->n] = words->texts[words->n];
    words->n++;
}

static void find_models(struct words *words) {
    char name[40];
    quote(words, "", "ketamine", "");
    for (int i = 0; ks_model_test_function(i) != NULL; i++) {
        snprintf(name, sizeof name, "test:%s", ks_model_test_function(i)->name);
        quote(words, "", name, "");
    }
}

static void find_routes(struct words *words) {
    for (int i = 0; i < KS_N_ROUTES; i++) quote(words, "", ks_routes[i].name, "");
}

static void find_units(struct words *words) {
    quote(words, "", "mg/kg", "");
    quote(words, "", "mg", "");
}

static void find_designs(struct words *words) {
    for (int i = 0; i < KS_N_DESIGNS; i++) quote(words, "", ks_designs[i].name, "");
}

static void find_schemes(struct words *words) {
    quote(words, "", "trajectory", "");
    quote(words, "", "radial", "");
}

static void find_truths(struct words *words) {
    words->pointers[words->n++] = "true";
    words->pointers[words->n++] = "false";
}

static void find_solvers(struct words *words) {
    for (int i = 0; i < KS_N_SOLVERS; i++) quote(words, "", ks_solver_names[i], "");
}

static void find_selections(struct words *words) {
    for (int i = 0; i < KS_N_SELECTIONS; i++) quote(words, "", ks_selection_names[i], "");
}

static void find_endpoints(struct words *words) {
    for (int i = 0; i < KS_N_ENDPOINTS; i++) quote(words, "", ks_endpoints[i].name, "");
}

/* A list of one. */
static void find_endpoint_lists(struct words *words) {
    quote(words, "", "all", "");
    for (int i = 0; i < KS_N_ENDPOINTS; i++) quote(words, "[", ks_endpoints[i].name, "]");
}

static void find_quantity_lists(struct words *words) {
    quote(words, "", "all", "");
    for (int i = 0; i < KS_N_QUANTITIES; i++) quote(words, "[", ks_quantities[i].name, "]");
}

static const struct {
    const char *key;
    void (*find)(struct words *words);
} values[] = {
    {"model", find_models},
    {"protocol.route", find_routes},
    {"protocol.dose_unit", find_units},
    {"design.kind", find_designs},
    {"design.scheme", find_schemes},
    {"design.second_order", find_truths},
    {"design.stop.endpoints", find_endpoint_lists},
    {"output.endpoints", find_endpoint_lists},
    {"output.trajectories.states", find_quantity_lists},
    {"selection.method", find_selections},
    {"solver.kind", find_solvers},
    {"run.watch", find_endpoints},
};

static int show(const struct visit *visit, const char *section, const char *name, const char *meaning) {
    enum { MOST = 512 };
    char key[128];
    struct words words = {0};
    snprintf(key, sizeof key, "%s%s%s", section, section[0] != '\0' ? "." : "", name);
    KS_ALLOCATE(words.texts, MOST);
    words.pointers = ks_memory_allocate(MOST, sizeof *words.pointers);
    for (size_t i = 0; words.pointers != NULL && i < sizeof values / sizeof *values; i++)
        if (strcmp(values[i].key, key) == 0) values[i].find(&words);
    KS_ASSERT(words.n <= MOST);
    if (words.pointers != NULL) visit->visitor(visit->self, key, meaning, words.n, words.pointers);
    bool has_memory = words.pointers != NULL;
    free(words.pointers);
    free(words.texts);
    KS_CHECK(has_memory, KS_ERR_MEMORY, "no memory for the values of a key");
    return KS_OK;
}

static int show_parameters(const struct visit *visit, const char *section, bool is_protocol) {
    for (int i = 0; i < KS_N_PARAMETERS; i++)
        if (ks_lookup_is_protocol(i) == is_protocol)
            KS_TRY(show(visit, section, ks_parameters[i].name, ks_parameters[i].description));
    return KS_OK;
}

int ks_config_visit_keys(ks_config_key_visitor *visitor, void *self) {
    static const struct {
        const char *name;
        const struct ks_keys *keys;
    } sections[] = {
        {"protocol", &ks_protocol_keys},
        {"design", &ks_plan_keys},
        {"design.stop", &ks_precision_keys},
        {"output", &ks_output_keys},
        {"output.trajectories", &ks_output_trajectory_keys},
        {"population", &ks_population_keys},
        {"selection", &ks_study_selection_keys},
        {"observation", &ks_study_observation_keys},
        {"uncertainty", &ks_study_uncertainty_keys},
        {"trial", &ks_study_trial_keys},
        {"tailor", &ks_study_tailor_keys},
        {"solver", &ks_config_solver_keys},
        {"run", &ks_config_run_keys},
    };
    const struct visit visit = {visitor, self};
    for (int i = 0; i < ks_config_keys.n && ks_config_keys.keys[i].fallback != NULL; i++)
        KS_TRY(show(&visit, "", ks_config_keys.keys[i].name, ks_config_keys.keys[i].meaning));
    KS_TRY(show_parameters(&visit, "protocol", true));
    KS_TRY(show_parameters(&visit, "patient", false));
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
        for (int k = 0; k < sections[i].keys->n; k++)
            KS_TRY(show(&visit, sections[i].name, sections[i].keys->keys[k].name,
                        sections[i].keys->keys[k].meaning));
    return KS_OK;
}
