/* The section `output`: the file's name, the endpoints (endpoints.c), and the times and quantities of
 * trajectories. */
#include "base/memory.h"
#include "config/config_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_TIMES = 1000000 };

static const struct ks_key keys[] = {
    {"file", "", NULL, "the result (default: the configuration's name with .h5, in the current directory)",
     KS_ANYTHING},
    {"endpoints", "", "\"all\"", "all, or a list of names, quantities at a time (\"madrs@360h\") and groups",
     KS_ANYTHING},
    {"trajectories", "", NULL, "courses of states and derived quantities (default: none)", KS_ANYTHING},
};
const struct ks_keys ks_output_keys = KS_KEYS(keys);

static const struct ks_key trajectory_keys[] = {
    {"states", "", "\"all\"", "all states, or a list of states and derived quantities", KS_ANYTHING},
    {"times", "h", NULL, "a list, ascending", KS_ANYTHING},
    {"every", "h", NULL, "instead of times: from 0 to the horizon", KS_ABOVE_0},
};
const struct ks_keys ks_output_trajectory_keys = KS_KEYS(trajectory_keys);

/* ---- the file -------------------------------------------------------------------------------- */

/* configs/sweep.cfg becomes sweep.h5, in the directory where the command runs. */
static int name_file(const char *path, char **file) {
    const char *slash = strrchr(path, '/'), *name = slash == NULL ? path : slash + 1;
    const char *dot = strrchr(name, '.');
    int n = (int)(dot == NULL || dot == name ? strlen(name) : (size_t)(dot - name));
    KS_ALLOCATE(*file, (size_t)n + sizeof ".h5");
    sprintf(*file, "%.*s.h5", n, name);
    return KS_OK;
}

static int read_file(const struct ks_section *section) {
    struct ks_campaign *campaign = section->reader->campaign;
    const char *name = NULL;
    if (!ks_settings_string(section, "file", &name)) return name_file(campaign->path, &campaign->output_file);
    if (name[0] == '\0')
        ks_settings_fault(section->reader, ks_settings_find(section, "file"),
                          "is empty; give a name such as \"sweep.h5\"");
    return ks_text_copy(name, &campaign->output_file);
}

/* ---- trajectories ---------------------------------------------------------------------------- */

static void add_quantity(struct ks_reader *reader, const config_setting_t *setting) {
    struct ks_campaign *campaign = reader->campaign;
    const char *name = NULL;
    if (!ks_settings_to_string(reader, setting, &name)) return;
    int quantity = ks_endpoints_find_quantity(reader, setting, name);
    for (int i = 0; i < campaign->n_quantities && quantity >= 0; i++) {
        if (campaign->quantities[i] != quantity) continue;
        ks_settings_fault(reader, setting, "\"%s\" is named already; leave out one of the two", name);
        return;
    }
    if (quantity >= 0) campaign->quantities[campaign->n_quantities++] = quantity;
}

static int read_states(const struct ks_section *section) {
    struct ks_campaign *campaign = section->reader->campaign;
    const config_setting_t *setting = ks_settings_find(section, "states");
    const char *word = setting == NULL ? "all" : config_setting_get_string(setting);
    if (word != NULL && strcmp(word, "all") == 0) {
        KS_ALLOCATE(campaign->quantities, KS_N_STATES);
        for (int i = 0; i < KS_N_STATES; i++) campaign->quantities[campaign->n_quantities++] = i;
        return KS_OK;
    }
    if (!ks_settings_is_aggregate(section->reader, setting, "\"all\" or a list of names [ ... ]"))
        return KS_OK;
    if (config_setting_length(setting) == 0)
        ks_settings_fault(section->reader, setting,
                          "is empty; name at least one state, or leave trajectories out");
    KS_ALLOCATE(campaign->quantities, (size_t)config_setting_length(setting));
    for (int i = 0; i < config_setting_length(setting); i++)
        add_quantity(section->reader, config_setting_get_elem(setting, (unsigned)i));
    return KS_OK;
}

static double last_horizon(const struct ks_section *section) {
    return ks_lookup_range(section->reader, KS_PARAMETER_horizon).high;
}

static int read_times(const struct ks_section *section) {
    struct ks_campaign *campaign = section->reader->campaign;
    const config_setting_t *setting = ks_settings_find(section, "times");
    KS_TRY(ks_settings_to_numbers(section->reader, setting, &campaign->n_times, &campaign->times));
    for (int i = 0; i < campaign->n_times; i++) {
        const config_setting_t *element = config_setting_get_elem(setting, (unsigned)i);
        double time = campaign->times[i];
        if (time < 0)
            ks_settings_fault(section->reader, element, "%s is not allowed; it must be >= 0",
                              ks_settings_number_text(time).text);
        else if (time > last_horizon(section))
            ks_settings_fault(
                section->reader, element,
                "%s h is after the horizon of %s h; make protocol.horizon longer, or leave it out",
                ks_settings_number_text(time).text, ks_settings_number_text(last_horizon(section)).text);
        else if (i > 0 && time <= campaign->times[i - 1])
            ks_settings_fault(section->reader, element,
                              "%s is not after the time before it; it must be later: times ascend",
                              ks_settings_number_text(time).text);
    }
    return KS_OK;
}

/* Times are products, not sums, so that rounding does not build up; the horizon is met exactly. */
static int make_times(const struct ks_section *section) {
    struct ks_campaign *campaign = section->reader->campaign;
    double every, horizon = last_horizon(section);
    if (!ks_settings_number(section, "every", &every) || isnan(horizon)) return KS_OK;
    if (isinf(horizon)) {
        ks_settings_fault(section->reader, ks_settings_find(section, "every"),
                          "the distribution of the horizon has no upper end; give its high, or times");
        return KS_OK;
    }
    double n_steps = floor(horizon / every * (1 + 1e-12));
    if (n_steps >= MOST_TIMES) {
        ks_settings_fault(section->reader, ks_settings_find(section, "every"),
                          "gives %.0f times up to the horizon; at most %d are allowed", n_steps + 1,
                          (int)MOST_TIMES);
        return KS_OK;
    }
    KS_ALLOCATE(campaign->times, (size_t)n_steps + 1);
    campaign->n_times = (int)n_steps + 1;
    for (int i = 0; i < campaign->n_times; i++) {
        double time = i * every;
        campaign->times[i] = fabs(time - horizon) <= 1e-9 * horizon ? horizon : time;
    }
    return KS_OK;
}

static int read_trajectories(struct ks_reader *reader, const config_setting_t *setting) {
    struct ks_section section = ks_settings_open(reader, setting, &ks_output_trajectory_keys);
    if (section.setting == NULL) return KS_OK;
    if (reader->campaign->function != NULL) {
        ks_settings_fault(reader, setting, "the model \"%s\" has no courses; leave it out",
                          reader->campaign->model);
        return KS_OK;
    }
    reader->campaign->has_trajectories = true;
    KS_TRY(read_states(&section));
    const config_setting_t *times = ks_settings_find(&section, "times"),
                           *every = ks_settings_find(&section, "every");
    if (times != NULL && every != NULL)
        ks_settings_fault(reader, every, "times are given too; exactly one of the two is allowed");
    else if (times == NULL && every == NULL)
        ks_settings_fault(reader, setting, "times or every is missing; give one, such as every = 24.0;");
    else
        return times != NULL ? read_times(&section) : make_times(&section);
    return KS_OK;
}

int ks_output_read(struct ks_reader *reader) {
    struct ks_section section = ks_settings_open(reader, ks_settings_top(reader, "output"), &ks_output_keys);
    KS_TRY(read_file(&section));
    KS_TRY(ks_endpoints_read(&section));
    return read_trajectories(reader, ks_settings_find(&section, "trajectories"));
}
