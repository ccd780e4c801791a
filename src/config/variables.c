/* What varies: the list `parameters`, one variable per entry.
 *
 * A lognormal is configured by its median, or its mean, and its coefficient of variation; with sigma^2 = ln(1
 * + cv^2) its mean is median exp(sigma^2 / 2) = median sqrt(1 + cv^2). Distributions are truncated to the
 * hard limits of their parameter, and further by `low` and `high`. */
#include "base/elementary.h"
#include "base/memory.h"
#include "config/config_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LEVELS = 1000000, MOST_LEVELS_OF_ALL = 10 * MOST_LEVELS };

static const struct ks_key keys[] = {
    {"name", "", NULL, "the parameter or protocol entry that varies", KS_ANYTHING},
    {"low", "the parameter's", NULL, "lower end (default: of the plausible range), or truncation",
     KS_ANYTHING},
    {"high", "the parameter's", NULL, "upper end", KS_ANYTHING},
    {"scale", "", "\"linear\"", "linear or log: even between low and high, or their logarithms", KS_ANYTHING},
    {"distribution", "", "\"uniform\"",
     "uniform loguniform normal lognormal logitnormal triangular beta discrete", KS_ANYTHING},
    {"median", "the parameter's", NULL, "of a lognormal or logitnormal (default: the model's value)",
     KS_ANYTHING},
    {"mean", "the parameter's", NULL, "of a normal (default: the model's value) or lognormal", KS_ANYTHING},
    {"cv", "1", NULL, "of a lognormal: standard deviation / mean", KS_ABOVE_0},
    {"sd", "the parameter's", NULL, "of a normal; of the logit for a logitnormal", KS_ABOVE_0},
    {"mode", "the parameter's", NULL, "of a triangular (default: the model's value)", KS_ANYTHING},
    {"alpha", "1", NULL, "of a beta", KS_ABOVE_0},
    {"beta", "1", NULL, "of a beta; low and high scale it (default 0 and 1)", KS_ABOVE_0},
    {"values", "the parameter's", NULL, "a discrete distribution, or the levels of a grid; names for route",
     KS_ANYTHING},
    {"probabilities", "1", NULL, "of the values (default: equal)", KS_ANYTHING},
    {"levels",
     "1",
     NULL,
     "of a grid: so many values from low to high, both included",
     {1, MOST_LEVELS, true, true, true, "an integer in [1, 1000000]"}},
    {"where", "", NULL, "of a population: for those with a yes/no covariate, \"not ...\" without it",
     KS_ANYTHING},
    {"probability", "1", NULL, "of a population: a yes/no covariate", {0, 1, true, true, false, "in [0, 1]"}},
    {"file", "", NULL, "of a population: a CSV file whose rows are drawn; entries of one file share the row",
     KS_ANYTHING},
    {"column", "", NULL, "of a population: the column of that file (default: the name)", KS_ANYTHING},
    {"unit", "", NULL, "of a population's covariate", KS_ANYTHING},
    {"source", "", NULL, "of a population: where the numbers are from", KS_ANYTHING},
};
const struct ks_keys ks_variables_keys = KS_KEYS(keys);

/* The keys that an entry may hold beside its name; the last row is a grid's. */
static const char *const forms[KS_N_DISTRIBUTIONS + 1][6] = {
    [KS_DISTRIBUTION_uniform] = {"low", "high", "scale", "distribution"},
    [KS_DISTRIBUTION_loguniform] = {"low", "high", "scale", "distribution"},
    [KS_DISTRIBUTION_normal] = {"distribution", "mean", "sd", "low", "high"},
    [KS_DISTRIBUTION_lognormal] = {"distribution", "median", "mean", "cv", "low", "high"},
    [KS_DISTRIBUTION_logitnormal] = {"distribution", "median", "sd", "low", "high"},
    [KS_DISTRIBUTION_triangular] = {"distribution", "low", "mode", "high"},
    [KS_DISTRIBUTION_beta] = {"distribution", "alpha", "beta", "low", "high"},
    [KS_DISTRIBUTION_discrete] = {"distribution", "values", "probabilities"},
    [KS_N_DISTRIBUTIONS] = {"levels", "low", "high", "scale", "values"},
};

/* An entry being read. */
struct entry {
    struct ks_section section;
    const struct ks_parameter_info *info;
    struct ks_variable variable;
    double location, spread;
    bool is_trait; /* of a population */
};

/* ---- one entry ------------------------------------------------------------------------------- */

/* The model's values of doses are in mg/kg: 0.5 mg would surprise. */
static bool check_default(struct entry *entry, const char *what, const char *names) {
    if (ks_settings_has_range(entry->section.reader, entry->info)) return true;
    ks_settings_fault(entry->section.reader, entry->section.setting,
                      "the default %s is in mg/kg; with dose_unit = \"mg\" give %s", what, names);
    return false;
}

/* Reads a value of the entry's parameter, which must lie within its hard limits. */
static bool read_value(struct entry *entry, const char *name, double fallback, double *value) {
    const config_setting_t *setting = ks_settings_find(&entry->section, name);
    bool is_end = strcmp(name, "low") == 0 || strcmp(name, "high") == 0;
    *value = fallback;
    if (setting == NULL) return is_end || check_default(entry, name, name);
    if (!ks_settings_to_number(entry->section.reader, setting, value)) return false;
    struct ks_limits_info limits = ks_limits[entry->info->limits];
    limits.is_integer = limits.is_integer && is_end; /* a mean need not be whole */
    if (!ks_settings_check(entry->section.reader, setting, &limits, *value)) return false;
    ks_settings_judge(entry->section.reader, setting, entry->info, *value);
    return true;
}

/* The setting that a fault about low and high is best placed at. */
static const config_setting_t *range_setting(const struct entry *entry) {
    const config_setting_t *low = ks_settings_find(&entry->section, "low");
    const config_setting_t *high = ks_settings_find(&entry->section, "high");
    return low != NULL ? low : high != NULL ? high : entry->section.setting;
}

static bool read_ends(struct entry *entry, struct ks_range fallback, struct ks_range *ends) {
    bool is_right = read_value(entry, "low", fallback.low, &ends->low);
    is_right &= read_value(entry, "high", fallback.high, &ends->high);
    if (!is_right) return false;
    if (ends->low < ends->high) return true;
    ks_settings_fault(entry->section.reader, range_setting(entry),
                      "low = %s is not below high = %s; it must be", ks_settings_number_text(ends->low).text,
                      ks_settings_number_text(ends->high).text);
    return false;
}

/* Log scales need a range above 0. */
static bool check_log(struct entry *entry, const struct ks_range *ends) {
    if (ends->low > 0) return true;
    ks_settings_fault(entry->section.reader, range_setting(entry), "low = %s; a log scale needs low > 0",
                      ks_settings_number_text(ends->low).text);
    return false;
}

static bool read_scale(struct entry *entry, bool *is_log) {
    static const char *const names[] = {"linear", "log"};
    int scale = 0;
    bool is_given = ks_settings_choice(&entry->section, "scale", 2, names, &scale);
    *is_log = scale == 1;
    return is_given || ks_settings_find(&entry->section, "scale") == NULL;
}

/* Ends that default to the plausible range. */
static bool read_plausible_ends(struct entry *entry, struct ks_range *ends) {
    bool has_both =
        ks_settings_find(&entry->section, "low") != NULL && ks_settings_find(&entry->section, "high") != NULL;
    if (!has_both && !check_default(entry, "range", "low and high")) return false;
    return read_ends(entry, (struct ks_range){entry->info->low, entry->info->high}, ends);
}

static bool read_uniform(struct entry *entry) {
    struct ks_distribution *distribution = &entry->variable.distribution;
    struct ks_range ends;
    bool is_log;
    if (!read_scale(entry, &is_log)) return false;
    if (is_log) distribution->kind = KS_DISTRIBUTION_loguniform;
    if (!read_plausible_ends(entry, &ends)) return false;
    if (distribution->kind == KS_DISTRIBUTION_loguniform && !check_log(entry, &ends)) return false;
    distribution->a = ends.low;
    distribution->b = ends.high;
    return true;
}

/* Truncation: what the entry says, and the hard limits, where it cuts into the distribution's own support. */
static bool read_truncation(struct entry *entry, struct ks_range support) {
    const struct ks_limits_info *limits = &ks_limits[entry->info->limits];
    struct ks_range ends = {-INFINITY, INFINITY};
    if (limits->lowest > support.low)
        ends.low = limits->has_lowest ? limits->lowest : nextafter(limits->lowest, INFINITY);
    if (limits->highest < support.high)
        ends.high = limits->has_highest ? limits->highest : nextafter(limits->highest, -INFINITY);
    if (!read_ends(entry, ends, &ends)) return false;
    if (ends.low > support.low) entry->variable.distribution.low = ends.low;
    if (ends.high < support.high) entry->variable.distribution.high = ends.high;
    return true;
}

static bool read_required(struct entry *entry, const char *name, double *value) {
    return ks_settings_require(&entry->section, name) && ks_settings_number(&entry->section, name, value);
}

static bool read_normal(struct entry *entry) {
    struct ks_distribution *distribution = &entry->variable.distribution;
    bool is_right = read_value(entry, "mean", entry->info->value, &distribution->a);
    is_right &= read_required(entry, "sd", &distribution->b);
    return is_right & read_truncation(entry, (struct ks_range){-INFINITY, INFINITY});
}

static bool read_lognormal(struct entry *entry) {
    struct ks_distribution *distribution = &entry->variable.distribution;
    const config_setting_t *mean = ks_settings_find(&entry->section, "mean");
    double cv = 0, location;
    bool is_right = read_required(entry, "cv", &cv);
    is_right &= read_value(entry, mean != NULL ? "mean" : "median", entry->info->value, &location);
    is_right &= read_truncation(entry, (struct ks_range){0, INFINITY});
    if (mean != NULL && ks_settings_find(&entry->section, "median") != NULL) {
        ks_settings_fault(entry->section.reader, mean, "median is given too; one of the two is allowed");
        return false;
    }
    entry->location = distribution->a = mean != NULL ? location / sqrt(1 + cv * cv) : location;
    entry->spread = cv;
    distribution->b = sqrt(ks_elementary_log1p(cv * cv));
    return is_right;
}

static bool read_logitnormal(struct entry *entry) {
    static const struct ks_limits_info inside = {0, 1, false, false, false, "in (0, 1)"};
    struct ks_distribution *distribution = &entry->variable.distribution;
    const config_setting_t *setting = ks_settings_find(&entry->section, "median");
    double median;
    bool is_right = read_value(entry, "median", entry->info->value, &median);
    if (is_right)
        is_right = ks_settings_check(entry->section.reader, setting ? setting : entry->section.setting,
                                     &inside, median);
    is_right &= read_required(entry, "sd", &distribution->b);
    is_right &= read_truncation(entry, (struct ks_range){0, 1});
    entry->location = median;
    entry->spread = distribution->b;
    distribution->a = ks_elementary_log(median / (1 - median));
    return is_right;
}

static bool read_triangular(struct entry *entry) {
    struct ks_distribution *distribution = &entry->variable.distribution;
    struct ks_range ends;
    bool is_right = read_value(entry, "mode", entry->info->value, &distribution->b);
    if (!read_plausible_ends(entry, &ends) || !is_right) return false;
    distribution->a = ends.low;
    distribution->c = ends.high;
    if (distribution->b >= ends.low && distribution->b <= ends.high) return true;
    const config_setting_t *setting = ks_settings_find(&entry->section, "mode");
    ks_settings_fault(entry->section.reader, setting ? setting : entry->section.setting,
                      "mode = %s is not between low = %s and high = %s; it must be",
                      ks_settings_number_text(distribution->b).text, ks_settings_number_text(ends.low).text,
                      ks_settings_number_text(ends.high).text);
    return false;
}

static bool read_beta(struct entry *entry) {
    struct ks_distribution *distribution = &entry->variable.distribution;
    const struct ks_limits_info *limits = &ks_limits[entry->info->limits];
    struct ks_range ends;
    bool is_right = read_required(entry, "alpha", &distribution->a);
    is_right &= read_required(entry, "beta", &distribution->b);
    if (!read_ends(entry, (struct ks_range){0, 1}, &ends)) return false;
    distribution->low = ends.low;
    distribution->high = ends.high;
    if (ends.low >= limits->lowest && ends.high <= limits->highest) return is_right;
    ks_settings_fault(entry->section.reader, entry->section.setting,
                      "the default support, 0 to 1, reaches beyond what is allowed; give low and high");
    return false;
}

/* ---- the forms of an entry ------------------------------------------------------------------- */

static bool is_for_traits(const char *name) {
    return strcmp(name, "where") == 0 || strcmp(name, "unit") == 0 || strcmp(name, "source") == 0;
}

/* Refuses the keys that this form does not use. */
static void check_form(const struct entry *entry, int form) {
    for (int i = 0; i < ks_variables_keys.n; i++) {
        const char *name = ks_variables_keys.keys[i].name;
        const config_setting_t *setting = ks_settings_find(&entry->section, name);
        bool is_used = strcmp(name, "name") == 0 || (entry->is_trait && is_for_traits(name));
        for (int k = 0; k < 6 && forms[form][k] != NULL; k++) is_used |= strcmp(name, forms[form][k]) == 0;
        if (setting == NULL || is_used) continue;
        if (form == KS_N_DISTRIBUTIONS)
            ks_settings_fault(entry->section.reader, setting,
                              "a grid takes levels, with low, high and scale, or values");
        else if (strcmp(name, "levels") == 0)
            ks_settings_fault(entry->section.reader, setting, "only a grid takes levels");
        else
            ks_settings_fault(entry->section.reader, setting,
                              "a %s distribution does not take it; it takes %s", ks_distribution_names[form],
                              ks_distribution_arguments[form]);
    }
}

/* A route has names: no number says which. */
static bool check_route(const struct entry *entry, int kind) {
    static const char *const taken[] = {"name", "distribution", "values", "probabilities"};
    int n = 0;
    if (entry->info->limits != KS_LIMITS_ROUTE) return true;
    for (int i = 0; i < 4; i++) n += ks_settings_find(&entry->section, taken[i]) != NULL;
    if (kind == KS_DISTRIBUTION_discrete && n == config_setting_length(entry->section.setting)) return true;
    ks_settings_fault(entry->section.reader, entry->section.setting,
                      "a route varies by names; give values = [\"iv\", \"im\"]");
    return false;
}

/* ---- lists of values ------------------------------------------------------------------------- */

/* Values of the entry's parameter in `values`; *n is 0 after a fault. */
static int read_values(struct entry *entry, int *n, double **values) {
    struct ks_reader *reader = entry->section.reader;
    const config_setting_t *setting = ks_settings_find(&entry->section, "values");
    *n = 0;
    if (!ks_settings_is_aggregate(reader, setting, "an array of values [ ... ]")) return KS_OK;
    int length = config_setting_length(setting);
    bool is_right = length > 0;
    if (length == 0) ks_settings_fault(reader, setting, "is empty; give at least one value");
    KS_ALLOCATE(*values, (size_t)length);
    for (int i = 0; i < length; i++) {
        const config_setting_t *element = config_setting_get_elem(setting, (unsigned)i);
        if (ks_settings_to_parameter(reader, element, entry->info, &(*values)[i]))
            ks_settings_judge(reader, element, entry->info, (*values)[i]);
        else
            is_right = false;
    }
    if (is_right) *n = length;
    return KS_OK;
}

static int take_every_route(int *n, double **values) {
    KS_ALLOCATE(*values, KS_N_ROUTES);
    for (int i = 0; i < KS_N_ROUTES; i++) (*values)[i] = i;
    *n = KS_N_ROUTES;
    return KS_OK;
}

static void check_probabilities(struct entry *entry, const config_setting_t *setting, int n, double *values) {
    struct ks_reader *reader = entry->section.reader;
    double sum = 0;
    bool has_negative = false;
    for (int i = 0; i < n; i++) {
        sum += values[i];
        has_negative |= values[i] < 0;
    }
    if (has_negative)
        ks_settings_fault(reader, setting, "a probability is negative; each must be >= 0");
    else if (fabs(sum - 1) > 1e-6)
        ks_settings_fault(reader, setting, "the sum is %.9g; it must be 1", sum);
    if (fabs(sum - 1) <= 1e-12) return; /* rounding, which a division would not mend */
    for (int i = 0; i < n; i++) values[i] /= sum;
}

static int read_probabilities(struct entry *entry) {
    struct ks_distribution *distribution = &entry->variable.distribution;
    const config_setting_t *setting = ks_settings_find(&entry->section, "probabilities");
    int n = distribution->n_values;
    if (setting != NULL) {
        KS_TRY(ks_settings_to_numbers(entry->section.reader, setting, &n, &distribution->probabilities));
        if (distribution->probabilities == NULL) return KS_OK;
        if (n != distribution->n_values)
            ks_settings_fault(entry->section.reader, setting,
                              "%d probabilities for %d values; give one for each", n, distribution->n_values);
        else
            check_probabilities(entry, setting, n, distribution->probabilities);
        return KS_OK;
    }
    KS_ALLOCATE(distribution->probabilities, (size_t)n);
    for (int i = 0; i < n; i++) distribution->probabilities[i] = 1.0 / n;
    return KS_OK;
}

static int read_discrete(struct entry *entry) {
    struct ks_distribution *distribution = &entry->variable.distribution;
    if (entry->info->limits == KS_LIMITS_ROUTE && ks_settings_find(&entry->section, "values") == NULL)
        KS_TRY(take_every_route(&distribution->n_values, &distribution->values));
    else if (ks_settings_require(&entry->section, "values"))
        KS_TRY(read_values(entry, &distribution->n_values, &distribution->values));
    return distribution->n_values > 0 ? read_probabilities(entry) : KS_OK;
}

/* Level i of n from low to high; the last is `high` exactly. Where levels are integers, rounding is undone. */
static double level(const struct ks_range *ends, bool is_log, bool is_integer, int i, int n) {
    if (i == 0) return ends->low;
    if (i == n - 1) return ends->high;
    double value = is_log ? ends->low * ks_elementary_power(ends->high / ends->low, i, n - 1)
                          : ends->low + (ends->high - ends->low) * i / (n - 1);
    bool is_near = is_integer && fabs(value - round(value)) <= 1e-12 * fabs(value);
    return is_near ? round(value) : value;
}

static uint64_t count_levels(const struct ks_design *design) {
    uint64_t n = 0;
    for (int i = 0; i < design->n_variables; i++) n += (uint64_t)design->variables[i].n_levels;
    return n;
}

static int read_even_levels(struct entry *entry) {
    struct ks_variable *variable = &entry->variable;
    struct ks_reader *reader = entry->section.reader;
    const struct ks_limits_info *limits = &ks_limits[entry->info->limits];
    struct ks_range ends;
    uint64_t n;
    bool is_log;
    bool is_right = ks_settings_count(&entry->section, "levels", &n);
    is_right &= read_scale(entry, &is_log);
    if (!read_plausible_ends(entry, &ends) || !is_right || (is_log && !check_log(entry, &ends))) return KS_OK;
    if (count_levels(&reader->campaign->design) + n > MOST_LEVELS_OF_ALL) {
        ks_settings_fault(reader, ks_settings_find(&entry->section, "levels"),
                          "with these there are more than 10000000 levels of all parameters together");
        return KS_OK;
    }
    KS_ALLOCATE(variable->levels, (size_t)n);
    variable->n_levels = (int)n;
    for (int i = 0; i < variable->n_levels; i++) {
        variable->levels[i] = level(&ends, is_log, limits->is_integer, i, variable->n_levels);
        if (ks_settings_is_within(limits, variable->levels[i])) continue;
        ks_settings_fault(reader, ks_settings_find(&entry->section, "levels"),
                          "%d levels from %s to %s give %s, which is not an integer; use values = [...]",
                          variable->n_levels, ks_settings_number_text(ends.low).text,
                          ks_settings_number_text(ends.high).text,
                          ks_settings_number_text(variable->levels[i]).text);
        break;
    }
    return KS_OK;
}

static int read_levels(struct entry *entry) {
    const config_setting_t *levels = ks_settings_find(&entry->section, "levels");
    bool has_values = ks_settings_find(&entry->section, "values") != NULL;
    check_form(entry, KS_N_DISTRIBUTIONS);
    if (!check_route(entry, KS_DISTRIBUTION_discrete)) return KS_OK;
    if (has_values && levels != NULL)
        ks_settings_fault(entry->section.reader, levels, "values are given too; one of the two is allowed");
    else if (has_values)
        return read_values(entry, &entry->variable.n_levels, &entry->variable.levels);
    else if (levels != NULL)
        return read_even_levels(entry);
    else
        ks_settings_fault(entry->section.reader, entry->section.setting,
                          "a grid needs levels = N or values = [...] of each parameter");
    return KS_OK;
}

/* ---- an entry as a whole ---------------------------------------------------------------------- */

static bool read_by_kind(struct entry *entry) {
    switch (entry->variable.distribution.kind) {
    case KS_DISTRIBUTION_normal:
        return read_normal(entry);
    case KS_DISTRIBUTION_lognormal:
        return read_lognormal(entry);
    case KS_DISTRIBUTION_logitnormal:
        return read_logitnormal(entry);
    case KS_DISTRIBUTION_triangular:
        return read_triangular(entry);
    case KS_DISTRIBUTION_beta:
        return read_beta(entry);
    default:
        return read_uniform(entry);
    }
}

static int read_distribution(struct entry *entry) {
    const config_setting_t *setting = ks_settings_find(&entry->section, "distribution");
    int kind;
    if (!ks_settings_choice(&entry->section, "distribution", KS_N_DISTRIBUTIONS, ks_distribution_names,
                            &kind)) {
        if (setting != NULL) return KS_OK;
        bool is_discrete =
            entry->info->limits == KS_LIMITS_ROUTE || ks_settings_find(&entry->section, "values") != NULL;
        if (is_discrete) kind = KS_DISTRIBUTION_discrete;
    }
    if (!check_route(entry, kind)) return KS_OK;
    struct ks_distribution *distribution = &entry->variable.distribution;
    distribution->kind = (enum ks_distribution_kind)kind;
    check_form(entry, kind);
    if (kind == KS_DISTRIBUTION_discrete) return read_discrete(entry);
    char text[200];
    const char *fault = read_by_kind(entry) ? ks_distribution_fault(distribution, text, sizeof text) : NULL;
    if (fault != NULL) ks_settings_fault(entry->section.reader, entry->section.setting, "%s", fault);
    return KS_OK;
}

int ks_variables_read_trait(struct ks_reader *reader, const config_setting_t *setting,
                            const struct ks_parameter_info *info, struct ks_distribution *distribution) {
    struct entry entry = {.section = {reader, setting, &ks_variables_keys}, .info = info, .is_trait = true};
    entry.variable.distribution.low = -INFINITY;
    entry.variable.distribution.high = INFINITY;
    entry.variable.distribution.is_integer = ks_limits[info->limits].is_integer;
    int err = read_distribution(&entry);
    *distribution = entry.variable.distribution;
    return err;
}

/* Finds the entry's parameter; a name that is missing, unknown or given before is a fault. */
static bool read_name(struct entry *entry) {
    struct ks_reader *reader = entry->section.reader;
    const char *name = NULL;
    if (!ks_settings_require(&entry->section, "name") || !ks_settings_string(&entry->section, "name", &name))
        return false;
    const config_setting_t *setting = ks_settings_find(&entry->section, "name");
    int parameter = ks_lookup_parameter(reader->campaign, name);
    if (parameter < 0) {
        ks_lookup_unknown(reader, setting, name, false);
        return false;
    }
    if (reader->is_varied[parameter]) {
        ks_settings_fault(reader, setting, "\"%s\" varies already; leave out one of the two", name);
        return false;
    }
    reader->is_varied[parameter] = true;
    entry->variable.parameter = parameter;
    entry->info = &reader->campaign->parameter_table[parameter];
    entry->variable.distribution.is_integer = ks_limits[entry->info->limits].is_integer;
    return true;
}

static int read_entry(struct ks_reader *reader, const config_setting_t *setting) {
    struct ks_design *design = &reader->campaign->design;
    struct entry entry = {.section = ks_settings_open(reader, setting, &ks_variables_keys)};
    entry.variable.distribution.low = -INFINITY;
    entry.variable.distribution.high = INFINITY;
    if (entry.section.setting == NULL || !read_name(&entry)) return KS_OK;
    int err;
    size_t n_before = reader->report.n_errors;
    if (design->kind == KS_DESIGN_grid) {
        err = read_levels(&entry);
    } else {
        err = read_distribution(&entry);
    }
    reader->is_doubtful[entry.variable.parameter] = reader->report.n_errors > n_before;
    reader->entries[design->n_variables] = (struct ks_entry){setting, entry.location, entry.spread};
    design->variables[design->n_variables++] = entry.variable;
    return err;
}

/* ---- the list -------------------------------------------------------------------------------- */

int ks_variables_read(struct ks_reader *reader) {
    struct ks_design *design = &reader->campaign->design;
    const config_setting_t *list = ks_settings_top(reader, "parameters");
    if (list == NULL || !ks_settings_is_aggregate(reader, list, "a list of groups ( {name; ...}, ... )"))
        return KS_OK;
    KS_ALLOCATE(design->variables, (size_t)config_setting_length(list));
    KS_ALLOCATE(reader->entries, (size_t)config_setting_length(list));
    for (int i = 0; i < config_setting_length(list); i++)
        KS_TRY(read_entry(reader, config_setting_get_elem(list, (unsigned)i)));
    return KS_OK;
}
