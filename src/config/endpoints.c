/* What a campaign computes of each patient: the key `endpoints` of the section `output`. Endpoints are rows
 * of the model's table by name, a quantity at a time ("madrs@360h"), or groups that spell out one operation;
 * a time to an event brings the 0/1 column that says whether the event came. */
#include "base/memory.h"
#include "config/config_impl.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct ks_key endpoint_keys[] = {
    {"name", "", NULL, "of the column", KS_ANYTHING},
    {"of", "", NULL, "a state or derived quantity", KS_ANYTHING},
    {"op", "", NULL, "what is taken from its course", KS_ANYTHING},
    {"at", "h", NULL, "of an operation at one time; \"end\" is the horizon", KS_FROM_0},
    {"from", "h", "0.0", "start of the window of any other", KS_FROM_0},
    {"to", "h", NULL, "its end (default: the horizon)", KS_ABOVE_0},
    {"threshold", "", NULL, "of an operation that compares: in the quantity's unit, or a ratio", KS_ANYTHING},
};
const struct ks_keys ks_endpoints_keys = KS_KEYS(endpoint_keys);

/* Endpoints being collected. */
struct collection {
    struct ks_reader *reader;
    size_t capacity;
};

/* ---- names ----------------------------------------------------------------------------------- */

int ks_endpoints_find_quantity(struct ks_reader *reader, const config_setting_t *setting, const char *name) {
    int quantity = ks_model_find_quantity(name);
    if (quantity >= 0) return quantity;
    const char *names[KS_N_QUANTITIES];
    for (int i = 0; i < KS_N_QUANTITIES; i++) names[i] = ks_quantities[i].name;
    ks_settings_unknown(reader, setting, "state or derived quantity", name, false, KS_N_QUANTITIES, names,
                        "see \"ketsweep show states\"");
    return -1;
}

/* Each is compared with all before it. */
static int add_endpoint(struct collection *collection, const config_setting_t *setting,
                        const struct ks_endpoint *endpoint) {
    enum { MOST_ENDPOINTS = 10000 };
    struct ks_campaign *campaign = collection->reader->campaign;
    if (campaign->n_endpoints == MOST_ENDPOINTS) {
        ks_settings_fault(collection->reader, setting,
                          "is one more than the 10000 endpoints that are allowed");
        return KS_OK;
    }
    for (int i = 0; i < campaign->n_endpoints; i++) {
        if (strcmp(campaign->endpoints[i].name, endpoint->name) != 0) continue;
        ks_settings_fault(collection->reader, setting,
                          "there is an endpoint \"%s\" already; choose another name, or leave it out",
                          endpoint->name);
        return KS_OK;
    }
    if ((size_t)campaign->n_endpoints == collection->capacity) {
        size_t capacity = 2 * collection->capacity + KS_N_ENDPOINTS;
        struct ks_endpoint *larger = realloc(campaign->endpoints, capacity * sizeof *larger);
        KS_CHECK(larger != NULL, KS_ERR_MEMORY, "no memory for %zu endpoints", capacity);
        campaign->endpoints = larger;
        collection->capacity = capacity;
    }
    char *name, *unit;
    KS_TRY(ks_text_copy(endpoint->name, &name));
    int err = ks_text_copy(endpoint->unit, &unit);
    if (err < 0) {
        free(name);
        return ks_error_pass(err, __FILE__, __LINE__);
    }
    struct ks_endpoint *added = &campaign->endpoints[campaign->n_endpoints++];
    *added = *endpoint;
    added->name = name;
    added->unit = unit;
    return KS_OK;
}

/* ---- endpoints of the table ------------------------------------------------------------------ */

/* The latest time that an endpoint reads; an endpoint of the whole course reads none in particular. */
static double last_time(const struct ks_endpoint *endpoint) {
    bool is_at = ks_ops[endpoint->op].reading == KS_READING_AT;
    double last = is_at || isinf(endpoint->to) ? endpoint->from : endpoint->to;
    return isinf(last) ? 0 : last;
}

static bool is_within_horizon(struct ks_reader *reader, const config_setting_t *setting,
                              const struct ks_endpoint *endpoint) {
    struct ks_range horizon = ks_lookup_range(reader, KS_PARAMETER_horizon);
    bool is_open = ks_ops[endpoint->op].reading != KS_READING_AT && isinf(endpoint->to);
    bool is_empty = is_open && endpoint->from >= horizon.low;
    if (!is_empty && !(last_time(endpoint) > horizon.low)) return true;
    if (setting != NULL)
        ks_settings_fault(reader, setting,
                          "\"%s\" needs the %s %s h, %s the %shorizon of %s h; make protocol.horizon longer, "
                          "or leave it out",
                          endpoint->name, is_empty ? "course from" : "state at",
                          ks_settings_number_text(last_time(endpoint)).text,
                          is_empty ? "not before" : "after", horizon.low < horizon.high ? "smallest " : "",
                          ks_settings_number_text(horizon.low).text);
    return false;
}

static struct ks_endpoint output_of_function(const struct ks_test_function *function, int i, char *name,
                                             size_t size) {
    if (function->n_outputs == 1)
        snprintf(name, size, "y");
    else
        snprintf(name, size, "y%d", i + 1);
    return (struct ks_endpoint){.name = name, .unit = "1", .quantity = i, .factor = 1};
}

static int add_all(struct collection *collection, const config_setting_t *setting) {
    struct ks_reader *reader = collection->reader;
    const struct ks_test_function *function = reader->campaign->function;
    for (int i = 0; function != NULL && i < function->n_outputs; i++) {
        char name[16];
        struct ks_endpoint output = output_of_function(function, i, name, sizeof name);
        KS_TRY(add_endpoint(collection, setting, &output));
    }
    for (int i = 0; function == NULL && i < KS_N_ENDPOINTS; i++)
        if (is_within_horizon(reader, NULL, &ks_endpoints[i]))
            KS_TRY(add_endpoint(collection, setting, &ks_endpoints[i]));
    return KS_OK;
}

static int add_output(struct collection *collection, const config_setting_t *setting, const char *word) {
    const struct ks_test_function *function = collection->reader->campaign->function;
    const char **known;
    char name[16], (*names)[16] = NULL;
    int i;
    for (i = 0; i < function->n_outputs; i++) {
        struct ks_endpoint output = output_of_function(function, i, name, sizeof name);
        if (strcmp(name, word) == 0) return add_endpoint(collection, setting, &output);
    }
    KS_ALLOCATE(known, (size_t)function->n_outputs);
    names = ks_memory_allocate((size_t)function->n_outputs, sizeof *names);
    for (i = 0; names != NULL && i < function->n_outputs; i++)
        known[i] = output_of_function(function, i, names[i], sizeof names[i]).name;
    ks_settings_unknown(collection->reader, setting, "endpoint", word, false, i, known, NULL);
    free(names);
    free(known);
    return KS_OK;
}

/* ---- a quantity at a time -------------------------------------------------------------------- */

/* Reads "360h" or "15d"; negative where it is neither. */
static double parse_time(const char *text) {
    char *unit;
    if (!isdigit((unsigned char)text[0]) && text[0] != '.') return -1;
    double time = strtod(text, &unit);
    if (strcmp(unit, "d") == 0) time *= 24;
    bool is_right = strcmp(unit, "d") == 0 || strcmp(unit, "h") == 0;
    return is_right && isfinite(time) ? time : -1;
}

static int add_value_at(struct collection *collection, const config_setting_t *setting, const char *word) {
    struct ks_reader *reader = collection->reader;
    const char *at = strchr(word, '@');
    double time = parse_time(at + 1);
    char *name = strndup(word, (size_t)(at - word));
    KS_CHECK(name != NULL, KS_ERR_MEMORY, "no memory for a string");
    int quantity = ks_endpoints_find_quantity(reader, setting, name);
    free(name);
    if (time < 0)
        ks_settings_fault(reader, setting, "\"%s\" is no time; write hours or days, such as @360h or @15d",
                          at + 1);
    if (quantity < 0 || time < 0) return KS_OK;
    struct ks_endpoint endpoint = {word, ks_quantities[quantity].unit, quantity, KS_OP_value, time, 0, 0, 1};
    return is_within_horizon(reader, setting, &endpoint) ? add_endpoint(collection, setting, &endpoint)
                                                         : KS_OK;
}

static int add_named(struct collection *collection, const config_setting_t *setting) {
    struct ks_reader *reader = collection->reader;
    const char *word = NULL, *names[KS_N_ENDPOINTS];
    if (!ks_settings_to_string(reader, setting, &word)) return KS_OK;
    if (strcmp(word, "all") == 0) return add_all(collection, setting);
    if (reader->campaign->function != NULL) return add_output(collection, setting, word);
    if (strchr(word, '@') != NULL) return add_value_at(collection, setting, word);
    for (int i = 0; i < KS_N_ENDPOINTS; i++) {
        names[i] = ks_endpoints[i].name;
        if (strcmp(names[i], word) != 0) continue;
        bool fits = is_within_horizon(reader, setting, &ks_endpoints[i]);
        return fits ? add_endpoint(collection, setting, &ks_endpoints[i]) : KS_OK;
    }
    ks_settings_unknown(reader, setting, "endpoint", word, false, KS_N_ENDPOINTS, names,
                        "see \"ketsweep show endpoints\"");
    return KS_OK;
}

/* ---- endpoints spelt out --------------------------------------------------------------------- */

int ks_endpoints_companion(enum ks_op op) {
    switch (op) {
    case KS_OP_first_crossing:
        return KS_OP_crossed;
    case KS_OP_first_at_most:
        return KS_OP_ever_at_most;
    case KS_OP_first_ratio_at_most:
        return KS_OP_ever_ratio_at_most;
    case KS_OP_relapse_time:
        return KS_OP_relapse;
    default:
        return -1;
    }
}

static const char *unit_of(enum ks_op op, const char *unit, char *text, size_t size) {
    switch (op) {
    case KS_OP_ratio:
    case KS_OP_max_ratio:
    case KS_OP_min_ratio:
        return "ratio";
    case KS_OP_time_above:
    case KS_OP_time_below:
    case KS_OP_time_above_ratio:
    case KS_OP_time_below_ratio:
    case KS_OP_first_crossing:
    case KS_OP_first_at_most:
    case KS_OP_first_ratio_at_most:
    case KS_OP_relapse_time:
        return "h";
    case KS_OP_at_most:
    case KS_OP_ratio_at_most:
    case KS_OP_crossed:
    case KS_OP_ever_at_most:
    case KS_OP_ever_ratio_at_most:
    case KS_OP_relapse:
        return "0 or 1";
    case KS_OP_auc: {
        int n_numerator = (int)strcspn(unit, "/"); /* mg/L becomes mg h/L */
        if (strcmp(unit, "1") == 0) return "h";
        snprintf(text, size, "%.*s h%s", n_numerator, unit, unit + n_numerator);
        return text;
    }
    default:
        return unit;
    }
}

static bool read_name(const struct ks_section *section, struct ks_endpoint *endpoint) {
    struct ks_reader *reader = section->reader;
    const config_setting_t *setting = ks_settings_find(section, "name");
    if (!ks_settings_require(section, "name") || !ks_settings_string(section, "name", &endpoint->name))
        return false;
    bool is_word = isalpha((unsigned char)endpoint->name[0]) != 0;
    for (const char *at = endpoint->name; *at != '\0'; at++)
        is_word &= isalnum((unsigned char)*at) || *at == '_';
    if (!is_word)
        ks_settings_fault(reader, setting,
                          "\"%.80s\" is no name; it must be letters, digits and _, a letter first",
                          endpoint->name);
    for (int i = 0; i < KS_N_ENDPOINTS; i++) {
        if (strcmp(ks_endpoints[i].name, endpoint->name) != 0) continue;
        ks_settings_fault(reader, setting, "\"%s\" is an endpoint of the model; choose another name",
                          endpoint->name);
        return false;
    }
    return is_word;
}

static bool read_op(const struct ks_section *section, struct ks_endpoint *endpoint) {
    const char *names[KS_N_OPS], *of = NULL;
    int op = 0;
    for (int i = 0; i < KS_N_OPS; i++) names[i] = ks_ops[i].name;
    bool is_right = ks_settings_require(section, "of") && ks_settings_string(section, "of", &of);
    if (is_right)
        endpoint->quantity = ks_endpoints_find_quantity(section->reader, ks_settings_find(section, "of"), of);
    is_right = is_right && endpoint->quantity >= 0;
    is_right &= ks_settings_require(section, "op") && ks_settings_choice(section, "op", KS_N_OPS, names, &op);
    endpoint->op = (enum ks_op)op;
    return is_right;
}

/* True where the key is right, and there just where the operation takes it. */
static bool read_argument(const struct ks_section *section, const struct ks_endpoint *endpoint,
                          const char *name, bool is_taken, bool is_required, double *value) {
    const config_setting_t *setting = ks_settings_find(section, name);
    if (setting == NULL) return !(is_taken && is_required) || ks_settings_require(section, name);
    if (is_taken) return ks_settings_number(section, name, value);
    ks_settings_fault(section->reader, setting, "the operation %s does not take it",
                      ks_ops[endpoint->op].name);
    return false;
}

static bool is_end(const config_setting_t *setting) {
    return setting != NULL && config_setting_type(setting) == CONFIG_TYPE_STRING &&
           strcmp(config_setting_get_string(setting), "end") == 0;
}

static bool read_window(const struct ks_section *section, struct ks_endpoint *endpoint) {
    const struct ks_op_info *op = &ks_ops[endpoint->op];
    bool is_at = op->reading == KS_READING_AT, is_right = true;
    endpoint->to = is_at ? 0 : INFINITY;
    if (is_at && is_end(ks_settings_find(section, "at")))
        endpoint->from = INFINITY;
    else
        is_right &= read_argument(section, endpoint, "at", is_at, true, &endpoint->from);
    is_right &= read_argument(section, endpoint, "from", !is_at, false, &endpoint->from);
    is_right &= read_argument(section, endpoint, "to", !is_at, false, &endpoint->to);
    is_right &= read_argument(section, endpoint, "threshold", op->has_threshold, true, &endpoint->threshold);
    if (!is_right || is_at || endpoint->from < endpoint->to) return is_right;
    ks_settings_fault(
        section->reader, ks_settings_find(section, "to"), "%s is not after from = %s; it must be later",
        ks_settings_number_text(endpoint->to).text, ks_settings_number_text(endpoint->from).text);
    return false;
}

static int add_companion(struct collection *collection, const config_setting_t *setting,
                         const struct ks_endpoint *endpoint) {
    struct ks_endpoint reached = *endpoint;
    char *name;
    if (ks_endpoints_companion(endpoint->op) < 0) return KS_OK;
    KS_ALLOCATE(name, strlen(endpoint->name) + sizeof "_reached");
    sprintf(name, "%s_reached", endpoint->name);
    reached.op = (enum ks_op)ks_endpoints_companion(endpoint->op);
    reached.name = name;
    reached.unit = unit_of(reached.op, "", NULL, 0);
    int err = add_endpoint(collection, setting, &reached);
    free(name);
    return err;
}

static int add_group(struct collection *collection, const config_setting_t *setting) {
    struct ks_section section = ks_settings_open(collection->reader, setting, &ks_endpoints_keys);
    struct ks_endpoint endpoint = {.factor = 1};
    char unit[80];
    if (collection->reader->campaign->function != NULL) {
        ks_settings_fault(collection->reader, setting, "the model \"%s\" has no courses; name its outputs",
                          collection->reader->campaign->model);
        return KS_OK;
    }
    bool is_right = read_name(&section, &endpoint);
    if (!read_op(&section, &endpoint) || !(read_window(&section, &endpoint) & is_right)) return KS_OK;
    if (!is_within_horizon(collection->reader, setting, &endpoint)) return KS_OK;
    endpoint.unit = unit_of(endpoint.op, ks_quantities[endpoint.quantity].unit, unit, sizeof unit);
    KS_TRY(add_endpoint(collection, setting, &endpoint));
    return add_companion(collection, setting, &endpoint);
}

int ks_endpoints_read(const struct ks_section *section) {
    struct collection collection = {.reader = section->reader};
    const config_setting_t *setting = ks_settings_find(section, "endpoints");
    const char *word = setting == NULL ? "all" : "";
    bool is_string = setting != NULL && config_setting_type(setting) == CONFIG_TYPE_STRING;
    if (is_string) word = config_setting_get_string(setting);
    if (strcmp(word, "all") == 0) return add_all(&collection, setting);
    if (is_string) return add_named(&collection, setting);
    if (!ks_settings_is_aggregate(section->reader, setting, "\"all\" or a list ( ... )")) return KS_OK;
    if (config_setting_length(setting) == 0)
        ks_settings_fault(section->reader, setting,
                          "is empty; name at least one endpoint, or leave it out for all");
    for (int i = 0; i < config_setting_length(setting); i++) {
        const config_setting_t *element = config_setting_get_elem(setting, (unsigned)i);
        if (ks_faults_is_full(&section->reader->report, false)) break; /* "all" again is many faults */
        KS_TRY(config_setting_is_group(element) ? add_group(&collection, element)
                                                : add_named(&collection, element));
    }
    return KS_OK;
}
