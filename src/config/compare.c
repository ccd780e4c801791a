/* How two canonical texts differ, key by key: for a result file that belongs to another campaign. */
#include "base/memory.h"
#include "config/config_impl.h"

#include <stdlib.h>
#include <string.h>

/* One value of a text under its full name. */
struct item {
    char *key, *value;
};

struct items {
    size_t n, capacity;
    struct item *items;
};

static void release_items(struct items *items) {
    for (size_t i = 0; i < items->n; i++) {
        free(items->items[i].key);
        free(items->items[i].value);
    }
    free(items->items);
    *items = (struct items){0};
}

/* Takes both texts over. */
static int add_item(struct items *items, char *key, char *value) {
    struct item *room = items->items;
    if (items->n == items->capacity) {
        items->capacity = 2 * items->capacity + 64;
        room = realloc(items->items, items->capacity * sizeof *room);
        if (room != NULL) items->items = room;
    }
    bool is_whole = room != NULL && key != NULL && value != NULL;
    if (is_whole) {
        items->items[items->n++] = (struct item){key, value};
    } else {
        free(key);
        free(value);
    }
    KS_CHECK(is_whole, KS_ERR_MEMORY, "no memory to compare configurations");
    return KS_OK;
}

/* ---- values ---------------------------------------------------------------------------------- */

static void write_value(FILE *stream, const config_setting_t *setting) {
    int n = config_setting_length(setting);
    switch (config_setting_type(setting)) {
    case CONFIG_TYPE_INT:
    case CONFIG_TYPE_INT64:
        fprintf(stream, "%lld", config_setting_get_int64(setting));
        break;
    case CONFIG_TYPE_FLOAT:
        fputs(ks_settings_number_text(config_setting_get_float(setting)).text, stream);
        break;
    case CONFIG_TYPE_STRING:
        fprintf(stream, "\"%s\"", config_setting_get_string(setting));
        break;
    case CONFIG_TYPE_ARRAY:
        fputc('[', stream);
        for (int i = 0; i < n; i++) {
            if (i > 0) fputs(", ", stream);
            write_value(stream, config_setting_get_elem(setting, (unsigned)i));
        }
        fputc(']', stream);
        break;
    default:
        fputs(config_setting_get_bool(setting) ? "true" : "false", stream);
    }
}

static char *copy_value(const config_setting_t *setting) {
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    if (stream == NULL) return NULL;
    write_value(stream, setting);
    return fclose(stream) == 0 ? text : NULL;
}

/* "KEY.name"; an element of a list goes by the name that it holds, or by its number. */
static char *join_key(const char *key, const config_setting_t *setting) {
    char *joined = NULL;
    size_t size;
    const char *name = config_setting_name(setting), *held = NULL;
    if (name == NULL && config_setting_is_group(setting))
        config_setting_lookup_string(setting, "name", &held);
    FILE *stream = open_memstream(&joined, &size);
    if (stream == NULL) return NULL;
    if (name == NULL && held == NULL)
        fprintf(stream, "%s[%d]", key, config_setting_index(setting));
    else
        fprintf(stream, "%s%s%s", key, key[0] != '\0' ? "." : "", held != NULL ? held : name);
    return fclose(stream) == 0 ? joined : NULL;
}

static int collect(struct items *items, const char *key, const config_setting_t *setting) {
    for (int i = 0; i < config_setting_length(setting); i++) {
        const config_setting_t *member = config_setting_get_elem(setting, (unsigned)i);
        char *name = join_key(key, member);
        if (config_setting_is_group(member) || config_setting_is_list(member)) {
            int err = name != NULL ? collect(items, name, member) : KS_OK;
            free(name);
            KS_TRY(err);
        } else {
            KS_TRY(add_item(items, name, copy_value(member)));
        }
    }
    return KS_OK;
}

static int collect_text(struct items *items, const char *text) {
    config_t tree;
    config_init(&tree);
    int err = KS_OK;
    if (config_read_string(&tree, text) == CONFIG_TRUE)
        err = collect(items, "", config_root_setting(&tree));
    else
        err = add_item(items, strdup("the text"), strdup("not readable"));
    config_destroy(&tree);
    return err;
}

/* ---- differences ----------------------------------------------------------------------------- */

static const char *find_value(const struct items *items, const char *key) {
    for (size_t i = 0; i < items->n; i++)
        if (strcmp(items->items[i].key, key) == 0) return items->items[i].value;
    return NULL;
}

static int write_differences(const struct items *stored, const struct items *present, FILE *stream) {
    int n = 0;
    for (size_t i = 0; i < present->n; i++) {
        const struct item *item = &present->items[i];
        const char *value = find_value(stored, item->key);
        if (value != NULL && strcmp(value, item->value) == 0) continue;
        fprintf(stream, "  %s: stored %s, present %s\n", item->key, value != NULL ? value : "nothing",
                item->value);
        n++;
    }
    for (size_t i = 0; i < stored->n; i++) {
        const struct item *item = &stored->items[i];
        if (find_value(present, item->key) != NULL) continue;
        fprintf(stream, "  %s: stored %s, present nothing\n", item->key, item->value);
        n++;
    }
    return n;
}

int ks_config_compare(const char *stored, const char *present, FILE *stream, int *n_differences) {
    struct items old = {0}, new = {0};
    int err = collect_text(&old, stored);
    if (err == KS_OK) err = collect_text(&new, present);
    if (err == KS_OK) *n_differences = write_differences(&old, &new, stream);
    /* such as the order of what varies */
    if (err == KS_OK && *n_differences == 0 && strcmp(stored, present) != 0) {
        fputs("  the order of its entries\n", stream);
        *n_differences = 1;
    }
    release_items(&old);
    release_items(&new);
    return err;
}

bool ks_config_find_points(const char *canonical, uint64_t *n_points) {
    static const char *const places[] = {"design.points", "design.rows.count"};
    config_t tree;
    long long n = 0;
    config_init(&tree);
    bool is_there = false;
    if (config_read_string(&tree, canonical) == CONFIG_TRUE)
        for (int i = 0; i < 2 && !is_there; i++)
            is_there = config_lookup_int64(&tree, places[i], &n) == CONFIG_TRUE;
    config_destroy(&tree);
    *n_points = (uint64_t)n;
    return is_there && n > 0;
}

/* ---- single entries of a stored text ------------------------------------------------------------ */

double ks_config_find_number(const char *canonical, const char *path) {
    config_t tree;
    config_init(&tree);
    bool is_text = config_read_string(&tree, canonical) == CONFIG_TRUE;
    double number = ks_settings_as_it_stands(is_text ? config_lookup(&tree, path) : NULL);
    config_destroy(&tree);
    return number;
}

static const config_setting_t *find_arms(config_t *tree, const char *canonical) {
    const config_setting_t *arms =
        config_read_string(tree, canonical) == CONFIG_TRUE ? config_lookup(tree, "arms") : NULL;
    return arms != NULL && config_setting_is_list(arms) ? arms : NULL;
}

int ks_config_count_arms(const char *canonical) {
    config_t tree;
    config_init(&tree);
    const config_setting_t *arms = find_arms(&tree, canonical);
    int n = arms != NULL ? config_setting_length(arms) : 0;
    config_destroy(&tree);
    return n;
}

int ks_config_name_arm(const char *canonical, int arm, char **name) {
    config_t tree;
    const char *found = "";
    config_init(&tree);
    const config_setting_t *arms = find_arms(&tree, canonical),
                           *element = arms != NULL ? config_setting_get_elem(arms, (unsigned)arm) : NULL;
    if (element != NULL) config_setting_lookup_string(element, "name", &found);
    int err = ks_text_copy(found, name);
    config_destroy(&tree);
    return err;
}
