/* The table of methods, and which of them a design serves. */
#include "analysis/analysis_impl.h"

#include <stdio.h>
#include <string.h>

const struct ks_method_info ks_methods[KS_N_METHODS] = {
#define X(name, text, designs, words) {text, designs, words},
#include "analysis/methods.def"
#undef X
};

const struct ks_method *const ks_method_table[KS_N_METHODS] = {
#define X(name, text, designs, words) &ks_method_##name,
#include "analysis/methods.def"
#undef X
};

int ks_analysis_find_method(const char *name) {
    for (int i = 0; i < KS_N_METHODS; i++)
        if (strcmp(ks_methods[i].name, name) == 0) return i;
    return -1;
}

const struct ks_index *ks_analysis_indices(enum ks_method_kind method, int *n) {
    *n = ks_method_table[method]->n_indices;
    return ks_method_table[method]->indices;
}

/* Whether `word` is one of the words of `list`, which blanks separate. */
static bool is_listed(const char *list, const char *word) {
    size_t length = strlen(word);
    for (const char *at = list; *at != '\0'; at += strcspn(at, " "), at += strspn(at, " "))
        if (strcspn(at, " ") == length && strncmp(at, word, length) == 0) return true;
    return false;
}

const char *ks_analysis_fault(enum ks_method_kind method, const struct ks_design *design, char *text,
                              int size) {
    const struct ks_method_info *info = &ks_methods[method];
    const char *kind = ks_designs[design->kind].name;
    if (!is_listed(info->designs, kind)) {
        snprintf(text, (size_t)size,
                 "%s cannot be computed from a design of kind \"%s\"; it needs one of: %s", info->name, kind,
                 info->designs);
        return text;
    }
    return ks_method_table[method]->fault != NULL ? ks_method_table[method]->fault(design) : NULL;
}

int ks_analysis_default_method(const struct ks_design *design) {
    char text[256];
    for (int i = 0; i < KS_N_METHODS; i++)
        if (ks_analysis_fault((enum ks_method_kind)i, design, text, sizeof text) == NULL) return i;
    return -1;
}
