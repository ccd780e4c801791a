/* Typed access to the tree of settings, with one fault per wrong value at its place.
 *
 * A place is FILE:LINE, or `--set KEY` for what an override made (the hook of such a setting). A number may
 * be written as an integer where a real number is expected, and 6.0 where an integer is. */
#include "base/memory.h"
#include "config/config_impl.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* ---- places and faults ----------------------------------------------------------------------- */

static void write_name(FILE *stream, const config_setting_t *setting) {
    const config_setting_t *parent = config_setting_parent(setting);
    if (parent == NULL) return;
    write_name(stream, parent);
    if (!config_setting_is_root(parent)) fputc('.', stream);
    if (config_setting_name(setting) != NULL)
        fputs(config_setting_name(setting), stream);
    else
        fprintf(stream, "[%d]", config_setting_index(setting));
}

static const struct ks_override *override_of(const config_setting_t *setting) {
    return setting == NULL ? NULL : config_setting_get_hook(setting);
}

static size_t line_of(const struct ks_reader *reader, const config_setting_t *setting) {
    size_t line = setting == NULL ? 0 : config_setting_source_line(setting);
    return line < reader->text.n_lines ? line : reader->text.n_lines;
}

const char *ks_settings_file(const struct ks_reader *reader, const config_setting_t *setting) {
    size_t line = override_of(setting) != NULL ? 0 : line_of(reader, setting);
    return line > 0 ? reader->text.lines[line - 1].file : reader->campaign->path;
}

size_t ks_settings_order(const struct ks_reader *reader, const config_setting_t *setting) {
    const struct ks_override *override = override_of(setting);
    return override != NULL ? override->order : line_of(reader, setting);
}

static void write_place(FILE *stream, const struct ks_reader *reader, const config_setting_t *setting) {
    const struct ks_override *override = override_of(setting);
    size_t line = line_of(reader, setting);
    if (override != NULL)
        fprintf(stream, "--set %s: ", override->key);
    else if (line > 0)
        fprintf(stream, "%s:%d: ", reader->text.lines[line - 1].file, reader->text.lines[line - 1].line);
    else
        fprintf(stream, "%s: ", reader->campaign->path);
}

/* The full name of a setting; where an override names just this setting, its place has said it. */
static void write_key(FILE *stream, const config_setting_t *setting) {
    const struct ks_override *override = override_of(setting);
    char *name = NULL;
    size_t size = 0;
    FILE *words = open_memstream(&name, &size);
    if (words == NULL) return;
    if (setting != NULL) write_name(words, setting);
    fclose(words);
    bool is_said = override != NULL && name != NULL && strcmp(name, override->key) == 0;
    if (name != NULL && name[0] != '\0' && !is_said) fprintf(stream, "%s: ", name);
    free(name);
}

/* NULL where no text is wanted, or there is no memory. */
static FILE *begin_report(const struct ks_reader *reader, const config_setting_t *setting, bool is_warning,
                          char **text, size_t *size) {
    *text = NULL;
    if (ks_faults_is_full(&reader->report, is_warning)) return NULL;
    FILE *stream = open_memstream(text, size);
    if (stream == NULL) return NULL;
    write_place(stream, reader, setting);
    write_key(stream, setting);
    return stream;
}

static void report(struct ks_reader *reader, const config_setting_t *setting, bool is_warning,
                   const char *format, va_list arguments) {
    char *text;
    size_t size;
    FILE *stream = begin_report(reader, setting, is_warning, &text, &size);
    if (stream != NULL) {
        vfprintf(stream, format, arguments);
        fclose(stream);
    }
    ks_faults_take(&reader->report, is_warning, ks_settings_order(reader, setting), 0, text);
}

void ks_settings_fault(struct ks_reader *reader, const config_setting_t *setting, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    report(reader, setting, false, format, arguments);
    va_end(arguments);
}

void ks_settings_warn(struct ks_reader *reader, const config_setting_t *setting, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    report(reader, setting, true, format, arguments);
    va_end(arguments);
}

void ks_settings_unknown(struct ks_reader *reader, const config_setting_t *setting, const char *what,
                         const char *word, bool is_key, int n_known, const char *const *known,
                         const char *otherwise) {
    char *text;
    size_t size;
    FILE *stream = begin_report(reader, setting, false, &text, &size);
    if (stream != NULL) {
        fprintf(stream, "unknown %s", what);
        if (!is_key) fprintf(stream, " \"%s\"", word);
        fputs("; ", stream);
        ks_faults_suggest(stream, word, n_known, known, otherwise);
        fclose(stream);
    }
    ks_faults_take(&reader->report, false, ks_settings_order(reader, setting), 0, text);
}

static void report_type(struct ks_reader *reader, const config_setting_t *setting, const char *expected) {
    static const char *const types[] = {"nothing",  "a group",       "an integer", "an integer", "a number",
                                        "a string", "true or false", "an array",   "a list"};
    struct ks_number_text number;
    switch (config_setting_type(setting)) {
    case CONFIG_TYPE_INT:
    case CONFIG_TYPE_INT64:
        ks_settings_fault(reader, setting, "expected %s, found the number %lld", expected,
                          config_setting_get_int64(setting));
        break;
    case CONFIG_TYPE_FLOAT:
        number = ks_settings_number_text(config_setting_get_float(setting));
        ks_settings_fault(reader, setting, "expected %s, found the number %s", expected, number.text);
        break;
    case CONFIG_TYPE_STRING:
        ks_settings_fault(reader, setting, "expected %s, found the string \"%.80s\"", expected,
                          config_setting_get_string(setting));
        break;
    default:
        ks_settings_fault(reader, setting, "expected %s, found %s", expected,
                          types[config_setting_type(setting)]);
    }
}

/* ---- groups ---------------------------------------------------------------------------------- */

const config_setting_t *ks_settings_member(const config_setting_t *group, const char *name) {
    if (group == NULL || !config_setting_is_group(group)) return NULL;
    return config_setting_get_member(group, name);
}

const config_setting_t *ks_settings_top(const struct ks_reader *reader, const char *name) {
    return ks_settings_member(config_root_setting(&reader->tree), name);
}

double ks_settings_as_it_stands(const config_setting_t *setting) {
    if (setting == NULL || !config_setting_is_number(setting)) return NAN;
    return config_setting_type(setting) == CONFIG_TYPE_FLOAT ? config_setting_get_float(setting)
                                                             : (double)config_setting_get_int64(setting);
}

bool ks_settings_is_group(struct ks_reader *reader, const config_setting_t *setting) {
    if (config_setting_is_group(setting)) return true;
    report_type(reader, setting, "a group { ... }");
    return false;
}

static const struct ks_key *find_key(const struct ks_keys *keys, const char *name) {
    for (int i = 0; i < keys->n; i++)
        if (strcmp(keys->keys[i].name, name) == 0) return &keys->keys[i];
    return NULL;
}

static void check_keys(const struct ks_section *section) {
    enum { MOST_KEYS = 32 };
    const char *names[MOST_KEYS];
    KS_ASSERT(section->keys->n <= MOST_KEYS);
    for (int i = 0; i < section->keys->n; i++) names[i] = section->keys->keys[i].name;
    for (int i = 0; i < config_setting_length(section->setting); i++) {
        const config_setting_t *member = config_setting_get_elem(section->setting, (unsigned)i);
        const char *name = config_setting_name(member);
        if (find_key(section->keys, name) == NULL)
            ks_settings_unknown(section->reader, member, "key", name, true, section->keys->n, names, NULL);
    }
}

struct ks_section ks_settings_open(struct ks_reader *reader, const config_setting_t *setting,
                                   const struct ks_keys *keys) {
    struct ks_section section = {reader, setting, keys};
    if (setting == NULL) return section;
    if (ks_settings_is_group(reader, setting))
        check_keys(&section);
    else
        section.setting = NULL;
    return section;
}

const config_setting_t *ks_settings_find(const struct ks_section *section, const char *name) {
    KS_ASSERT(find_key(section->keys, name) != NULL);
    return ks_settings_member(section->setting, name);
}

bool ks_settings_require(const struct ks_section *section, const char *name) {
    if (ks_settings_find(section, name) != NULL) return true;
    if (section->setting != NULL)
        ks_settings_fault(section->reader, section->setting, "\"%s\" is missing; give it (%s)", name,
                          find_key(section->keys, name)->meaning);
    return false;
}

/* ---- values ---------------------------------------------------------------------------------- */

struct ks_number_text ks_settings_number_text(double value) {
    struct ks_number_text number;
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(number.text, sizeof number.text, "%.*g", digits, value);
        if (strtod(number.text, NULL) == value) break;
    }
    return number;
}

bool ks_settings_is_within(const struct ks_limits_info *limits, double value) {
    if (!isfinite(value) || (limits->is_integer && value != floor(value))) return false;
    bool is_above = value > limits->lowest || (limits->has_lowest && value == limits->lowest);
    bool is_below = value < limits->highest || (limits->has_highest && value == limits->highest);
    return is_above && is_below;
}

bool ks_settings_check(struct ks_reader *reader, const config_setting_t *setting,
                       const struct ks_limits_info *limits, double value) {
    if (ks_settings_is_within(limits, value)) return true;
    ks_settings_fault(reader, setting, "%s is not allowed; it must be %s",
                      ks_settings_number_text(value).text, limits->words);
    return false;
}

/* The table's range of doses is in mg/kg. */
bool ks_settings_has_range(const struct ks_reader *reader, const struct ks_parameter_info *info) {
    bool is_dose = info == &ks_parameters[KS_PARAMETER_infusion_dose] ||
                   info == &ks_parameters[KS_PARAMETER_infusion_rate];
    return !is_dose || reader->campaign->treatment.is_dose_per_kg;
}

/* In a protocol 0 is plausible: no dose, or placebo; and so is every default. */
void ks_settings_judge(struct ks_reader *reader, const config_setting_t *setting,
                       const struct ks_parameter_info *info, double value) {
    if ((value >= info->low && value <= info->high) || value == info->value) return;
    if (!ks_settings_has_range(reader, info) || (value == 0 && strcmp(info->group, "protocol") == 0)) return;
    const char *unit = strcmp(info->unit, "1") == 0             ? ""
                       : strcmp(info->unit, "dose_unit") == 0   ? "mg/kg"
                       : strcmp(info->unit, "dose_unit/h") == 0 ? "mg/kg/h"
                                                                : info->unit;
    ks_settings_warn(reader, setting, "%s is outside the plausible range of %s, %s to %s%s%s",
                     ks_settings_number_text(value).text, info->name, ks_settings_number_text(info->low).text,
                     ks_settings_number_text(info->high).text, unit[0] != '\0' ? " " : "", unit);
}

bool ks_settings_to_number(struct ks_reader *reader, const config_setting_t *setting, double *value) {
    if (!config_setting_is_number(setting)) {
        report_type(reader, setting, "a number");
        return false;
    }
    bool is_real = config_setting_type(setting) == CONFIG_TYPE_FLOAT;
    double number = is_real ? config_setting_get_float(setting) : (double)config_setting_get_int64(setting);
    if (!isfinite(number)) {
        ks_settings_fault(reader, setting,
                          "the number is too large for a computer's arithmetic; it must be below 1.8e308");
        return false;
    }
    *value = number + 0.0; /* -0 becomes 0 */
    return true;
}

bool ks_settings_to_string(struct ks_reader *reader, const config_setting_t *setting, const char **value) {
    if (config_setting_type(setting) != CONFIG_TYPE_STRING) {
        report_type(reader, setting, "a string");
        return false;
    }
    *value = config_setting_get_string(setting);
    return true;
}

bool ks_settings_to_word(struct ks_reader *reader, const config_setting_t *setting,
                         struct ks_word_text *word) {
    int type = config_setting_type(setting), n;
    if (type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64) {
        n = snprintf(word->text, sizeof word->text, "%lld", config_setting_get_int64(setting));
    } else if (type == CONFIG_TYPE_STRING) {
        n = snprintf(word->text, sizeof word->text, "%s", config_setting_get_string(setting));
    } else {
        report_type(reader, setting, "an integer or a string");
        return false;
    }
    if (n > 0 && n < (int)sizeof word->text) return true;
    ks_settings_fault(reader, setting, "has %d characters; 1 to %zu are allowed", n, sizeof word->text - 1);
    return false;
}

bool ks_settings_is_aggregate(struct ks_reader *reader, const config_setting_t *setting, const char *what) {
    if (config_setting_is_list(setting) || config_setting_is_array(setting)) return true;
    report_type(reader, setting, what);
    return false;
}

static bool to_route(struct ks_reader *reader, const config_setting_t *setting, double *value) {
    const char *names[KS_N_ROUTES], *name = NULL;
    if (!ks_settings_to_string(reader, setting, &name)) return false;
    for (int i = 0; i < KS_N_ROUTES; i++) {
        names[i] = ks_routes[i].name;
        if (strcmp(names[i], name) != 0) continue;
        *value = i;
        return true;
    }
    ks_settings_unknown(reader, setting, "route", name, false, KS_N_ROUTES, names, NULL);
    return false;
}

bool ks_settings_to_parameter(struct ks_reader *reader, const config_setting_t *setting,
                              const struct ks_parameter_info *info, double *value) {
    if (info->limits == KS_LIMITS_ROUTE) return to_route(reader, setting, value);
    double number;
    if (!ks_settings_to_number(reader, setting, &number)) return false;
    if (!ks_settings_check(reader, setting, &ks_limits[info->limits], number)) return false;
    *value = number;
    return true;
}

int ks_settings_to_numbers(struct ks_reader *reader, const config_setting_t *setting, int *n,
                           double **values) {
    *n = 0;
    *values = NULL;
    if (!ks_settings_is_aggregate(reader, setting, "an array of numbers [ ... ]")) return KS_OK;
    int length = config_setting_length(setting);
    if (length == 0) {
        ks_settings_fault(reader, setting, "is empty; give at least one number");
        return KS_OK;
    }
    double *numbers;
    bool is_right = true;
    KS_ALLOCATE(numbers, (size_t)length);
    for (int i = 0; i < length; i++)
        is_right &= ks_settings_to_number(reader, config_setting_get_elem(setting, (unsigned)i), &numbers[i]);
    if (is_right) {
        *n = length;
        *values = numbers;
    } else {
        free(numbers);
    }
    return KS_OK;
}

/* ---- keys of a group ------------------------------------------------------------------------- */

bool ks_settings_number(const struct ks_section *section, const char *name, double *value) {
    const struct ks_key *key = find_key(section->keys, name);
    const config_setting_t *setting = ks_settings_find(section, name);
    if (key->fallback != NULL) *value = strtod(key->fallback, NULL);
    double number;
    if (setting == NULL || !ks_settings_to_number(section->reader, setting, &number)) return false;
    if (!ks_settings_check(section->reader, setting, &key->limits, number)) return false;
    *value = number;
    return true;
}

/* Counts and seeds go to 2^63 - 1, which a double cannot tell from its neighbours. */
bool ks_settings_count(const struct ks_section *section, const char *name, uint64_t *value) {
    const struct ks_key *key = find_key(section->keys, name);
    const config_setting_t *setting = ks_settings_find(section, name);
    if (key->fallback != NULL) *value = strtoull(key->fallback, NULL, 10);
    double number;
    if (setting == NULL || !ks_settings_to_number(section->reader, setting, &number)) return false;
    if (!ks_settings_check(section->reader, setting, &key->limits, number)) return false;
    bool is_real = config_setting_type(setting) == CONFIG_TYPE_FLOAT;
    if (is_real)
        *value = number < 0x1p63 ? (uint64_t)number : INT64_MAX;
    else
        *value = (uint64_t)config_setting_get_int64(setting);
    return true;
}

bool ks_settings_string(const struct ks_section *section, const char *name, const char **value) {
    const config_setting_t *setting = ks_settings_find(section, name);
    return setting != NULL && ks_settings_to_string(section->reader, setting, value);
}

/* The first name is the default. */
bool ks_settings_choice(const struct ks_section *section, const char *name, int n_names,
                        const char *const *names, int *value) {
    const char *word = NULL;
    *value = 0;
    if (!ks_settings_string(section, name, &word)) return false;
    for (int i = 0; i < n_names; i++) {
        if (strcmp(names[i], word) != 0) continue;
        *value = i;
        return true;
    }
    ks_settings_unknown(section->reader, ks_settings_find(section, name), name, word, false, n_names, names,
                        NULL);
    return false;
}
