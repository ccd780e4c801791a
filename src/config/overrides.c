/* Changes from the command line: `--set KEY=VALUE` replaces one setting of the tree, or adds it with the
 * groups on the way to it. KEY is libconfig's path (design.points, parameters.[0].low); VALUE is in
 * libconfig's own syntax.
 *
 * A setting that an override made has the override as its hook, so that its faults are placed there. */
#include "base/memory.h"
#include "config/config_impl.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* One step of a path: a name, or the number of an element. */
struct step {
    char *name; /* NULL for an element */
    unsigned element;
};

__attribute__((format(printf, 3, 4))) static void refuse(struct ks_reader *reader,
                                                         const struct ks_override *override,
                                                         const char *format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    ks_faults_add(&reader->report, false, override->order, 0, "--set %s: %s", override->key, text);
}

/* ---- replacing ------------------------------------------------------------------------------- */

static config_setting_t *copy_setting(config_setting_t *parent, const char *name,
                                      const config_setting_t *source, struct ks_override *override) {
    config_setting_t *copy = config_setting_add(parent, name, config_setting_type(source));
    if (copy == NULL) return NULL;
    config_setting_set_hook(copy, override != NULL ? override : source->hook);
    copy->line = source->line;
    switch (config_setting_type(source)) {
    case CONFIG_TYPE_INT:
        config_setting_set_int(copy, config_setting_get_int(source));
        break;
    case CONFIG_TYPE_INT64:
        config_setting_set_int64(copy, config_setting_get_int64(source));
        break;
    case CONFIG_TYPE_FLOAT:
        config_setting_set_float(copy, config_setting_get_float(source));
        break;
    case CONFIG_TYPE_BOOL:
        config_setting_set_bool(copy, config_setting_get_bool(source));
        break;
    case CONFIG_TYPE_STRING:
        config_setting_set_string(copy, config_setting_get_string(source));
        break;
    default:
        for (int i = 0; i < config_setting_length(source); i++) {
            const config_setting_t *element = config_setting_get_elem(source, (unsigned)i);
            if (copy_setting(copy, config_setting_name(element), element, override) == NULL) return NULL;
        }
    }
    return copy;
}

static config_setting_t *find_child(config_setting_t *parent, const struct step *step) {
    if (step->name == NULL)
        return config_setting_is_group(parent) ? NULL : config_setting_get_elem(parent, step->element);
    return config_setting_is_group(parent) ? config_setting_get_member(parent, step->name) : NULL;
}

/* Puts a copy of `source` where `step` leads from `parent`; NULL where that is impossible. */
static config_setting_t *place_copy(config_setting_t *parent, const struct step *step,
                                    const config_setting_t *source, struct ks_override *override) {
    bool is_there = find_child(parent, step) != NULL;
    if (step->name != NULL) {
        if (!config_setting_is_group(parent)) return NULL;
        if (is_there) config_setting_remove(parent, step->name);
        return copy_setting(parent, step->name, source, override);
    }
    unsigned n = config_setting_is_list(parent) || config_setting_is_array(parent)
                     ? (unsigned)config_setting_length(parent)
                     : 0;
    bool may_hold = config_setting_is_list(parent) ||
                    (config_setting_is_array(parent) && config_setting_is_scalar(source));
    if (!may_hold || step->element > n) return NULL;
    config_setting_t *copy = copy_setting(parent, NULL, source, override);
    if (copy == NULL || !is_there) return copy;
    config_setting_t **elements =
        parent->value.list->elements; /* libconfig can only append: swap, then drop the last */
    config_setting_t *replaced = elements[step->element];
    elements[step->element] = copy;
    elements[n] = replaced;
    config_setting_remove_elem(parent, n);
    return copy;
}

/* What an entry of `protocol` makes void: the other ways to say the same. */
static const char *const rivals[][7] = {
    {"infusion_rate", "infusion_duration", "infusions", "events"},
    {"infusion_duration", "infusion_rate", "infusions", "events"},
    {"infusion_dose", "infusions", "events"},
    {"infusion_count", "infusions", "events"},
    {"infusion_interval", "infusions", "events"},
    {"infusions", "events", "infusion_dose", "infusion_duration", "infusion_rate", "infusion_count",
     "infusion_interval"},
    {"events", "infusions", "infusion_dose", "infusion_duration", "infusion_rate", "infusion_count",
     "infusion_interval"},
    {"session_count", "sessions"},
    {"session_delay", "sessions"},
    {"session_interval", "sessions"},
    {"session_duration", "sessions"},
    {"sessions", "session_count", "session_delay", "session_interval", "session_duration"},
};

static void remove_rivals(config_setting_t *section, const char *name) {
    for (size_t i = 0; i < sizeof rivals / sizeof *rivals; i++)
        for (int k = 1; strcmp(rivals[i][0], name) == 0 && k < 7 && rivals[i][k] != NULL; k++)
            config_setting_remove(section, rivals[i][k]);
}

int ks_overrides_merge(struct ks_reader *reader, const char *name, const config_setting_t *entries) {
    if (entries == NULL || !config_setting_is_group(entries)) return KS_OK;
    config_setting_t *root = config_root_setting(&reader->tree);
    config_setting_t *section = config_setting_get_member(root, name);
    if (section == NULL) section = config_setting_add(root, name, CONFIG_TYPE_GROUP);
    for (int i = 0; section != NULL && i < config_setting_length(entries); i++)
        remove_rivals(section, config_setting_name(config_setting_get_elem(entries, (unsigned)i)));
    for (int i = 0; section != NULL && i < config_setting_length(entries); i++) {
        const config_setting_t *entry = config_setting_get_elem(entries, (unsigned)i);
        struct step step = {.name = (char *)config_setting_name(entry)};
        KS_CHECK(place_copy(section, &step, entry, NULL) != NULL, KS_ERR_MEMORY, "no memory for an arm");
    }
    return KS_OK;
}

/* ---- paths ----------------------------------------------------------------------------------- */

/* Cuts the next step off a path; false at its end or where it is no path. */
static bool next_step(char **at, struct step *step) {
    if (**at == '.') (*at)++;
    *step = (struct step){.name = *at};
    if (**at == '[') {
        char *end;
        unsigned long element = strtoul(*at + 1, &end, 10);
        if (!isdigit((unsigned char)(*at)[1]) || *end != ']' || element > 1000000) return false;
        *step = (struct step){.element = (unsigned)element};
        *at = end + 1;
        return true;
    }
    while (isalnum((unsigned char)**at) || (**at != '\0' && strchr("-_*", **at) != NULL)) (*at)++;
    return *at > step->name;
}

static bool is_path(char *at) {
    struct step step;
    do {
        if (!next_step(&at, &step)) return false;
    } while (*at == '.' || *at == '[');
    return *at == '\0';
}

/* Adds a group for `step`, where the rest of the path can be added to it too; else NULL. */
static config_setting_t *add_group(config_setting_t *parent, const struct step *step, const char *rest,
                                   struct ks_override *override) {
    if (step->name == NULL || !config_setting_is_group(parent) || strchr(rest, '[') != NULL) return NULL;
    config_setting_t *group = config_setting_add(parent, step->name, CONFIG_TYPE_GROUP);
    if (group != NULL) config_setting_set_hook(group, override);
    return group;
}

/* Walks to the parent of the last step of a path, which is cut up on the way; NULL where it does not lead there. */
static config_setting_t *walk(struct ks_reader *reader, struct ks_override *override, char *path,
                              struct step *last) {
    config_setting_t *parent = config_root_setting(&reader->tree);
    char *at = path;
    while (next_step(&at, last) && *at != '\0') {
        char end = *at;
        *at = '\0'; /* ends the name */
        config_setting_t *child = find_child(parent, last);
        if (child == NULL) child = add_group(parent, last, at + 1, override);
        *at = end;
        if (child == NULL || !config_setting_is_aggregate(child)) return NULL;
        parent = child;
    }
    return parent;
}

static void replace(struct ks_reader *reader, struct ks_override *override, const config_setting_t *value) {
    struct step last;
    char *path = strdup(override->key);
    if (path == NULL) {
        reader->report.has_run_out = true;
    } else if (!is_path(path)) {
        refuse(reader, override, "this is no key; write it as in design.points or parameters.[0].low");
    } else {
        config_setting_t *parent = walk(reader, override, path, &last);
        if (parent == NULL || place_copy(parent, &last, value, override) == NULL)
            refuse(reader, override, "there is no such setting, and none can be added");
    }
    free(path);
}

/* ---- values ---------------------------------------------------------------------------------- */

static void refuse_value(struct ks_reader *reader, const struct ks_override *override, const char *value) {
    refuse(reader, override, "%.200s is no value; it must be as in the file, strings in quotes", value);
}

/* Reads `value` as the only setting of a text of its own, so that it cannot hold more than a value. */
static void apply_text(struct ks_reader *reader, struct ks_override *override, const struct ks_text *text,
                       const char *value) {
    config_t tree;
    config_init(&tree);
    bool is_value = config_read_string(&tree, text->characters) == CONFIG_TRUE &&
                    config_setting_length(config_root_setting(&tree)) == 1;
    if (is_value)
        replace(reader, override, config_setting_get_elem(config_root_setting(&tree), 0));
    else
        refuse_value(reader, override, value);
    config_destroy(&tree);
}

static int apply(struct ks_reader *reader, struct ks_override *override, const char *value) {
    struct ks_text text = {0};
    struct ks_faults faults = {0};
    char *line = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&line, &size);
    KS_CHECK(stream != NULL, KS_ERR_MEMORY, "no memory for a setting");
    fprintf(stream, "value = %s\n;", value);
    fclose(stream);
    int err = ks_text_read_string(&text, &faults, "--set", line);
    if (err == KS_OK && faults.n_errors == 0)
        apply_text(reader, override, &text, value);
    else if (err == KS_OK)
        refuse_value(reader, override, value);
    ks_faults_release(&faults);
    ks_text_release(&text);
    free(line);
    return err;
}

int ks_overrides_apply(struct ks_reader *reader, int n_overrides, const char *const *overrides) {
    KS_ALLOCATE(reader->overrides, (size_t)n_overrides);
    for (int i = 0; i < n_overrides; i++) {
        struct ks_override *override = &reader->overrides[reader->n_overrides++];
        const char *equals = strchr(overrides[i], '=');
        size_t n_key = equals == NULL ? strlen(overrides[i]) : (size_t)(equals - overrides[i]);
        while (n_key > 0 && isspace((unsigned char)overrides[i][n_key - 1])) n_key--;
        override->order = reader->text.n_lines + 1 + (size_t)i;
        KS_CHECK((override->key = strndup(overrides[i], n_key)) != NULL, KS_ERR_MEMORY,
                 "no memory for a string");
        if (equals == NULL || equals[1] == '\0')
            refuse(reader, override, "no value; write --set KEY=VALUE");
        else
            KS_TRY(apply(reader, override, equals + 1));
    }
    return KS_OK;
}
