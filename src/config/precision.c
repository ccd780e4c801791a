/* The group `design.stop`: when the intervals of a sensitivity analysis are narrow enough. Which methods there are, and
 * which endpoints, others know: the names are checked by whoever uses them. */
#include "base/memory.h"
#include "config/config_impl.h"

#include <stdlib.h>

static const struct ks_key keys[] = {
    {"method", "", NULL, "of the analysis (default: the design's own; see show methods)", KS_ANYTHING},
    {"endpoints", "", NULL, "whose intervals count (default: all)", KS_ANYTHING},
    {"half_width", "1", NULL, "of every interval, at most", KS_ABOVE_0},
};
const struct ks_keys ks_precision_keys = KS_KEYS(keys);

static int read_endpoints(struct ks_reader *reader, const config_setting_t *list) {
    struct ks_precision *precision = &reader->campaign->precision;
    if (list == NULL || !ks_settings_is_aggregate(reader, list, "an array of names [ ... ]")) return KS_OK;
    int n = config_setting_length(list);
    if (n == 0) ks_settings_fault(reader, list, "is empty; leave it out for all endpoints");
    KS_ALLOCATE(precision->endpoints, (size_t)n);
    for (int i = 0; i < n; i++) {
        const char *name;
        if (!ks_settings_to_string(reader, config_setting_get_elem(list, (unsigned)i), &name)) continue;
        KS_TRY(ks_text_copy(name, &precision->endpoints[precision->n_endpoints]));
        precision->n_endpoints++;
    }
    return KS_OK;
}

int ks_precision_read(struct ks_reader *reader, const config_setting_t *setting) {
    struct ks_precision *precision = &reader->campaign->precision;
    enum ks_design_kind kind = reader->campaign->design.kind;
    if (setting == NULL) return KS_OK;
    struct ks_section section = ks_settings_open(reader, setting, &ks_precision_keys);
    if (section.setting == NULL) return KS_OK;
    if (ks_designs[kind].nesting == KS_NESTED_NEVER || kind == KS_DESIGN_file) {
        ks_settings_fault(reader, setting, "a design of kind \"%s\" cannot be doubled",
                          ks_designs[kind].name);
        return KS_OK;
    }
    const char *method = NULL;
    if (ks_settings_find(&section, "method") != NULL && ks_settings_string(&section, "method", &method))
        KS_TRY(ks_text_copy(method, &precision->method));
    KS_TRY(read_endpoints(reader, ks_settings_find(&section, "endpoints")));
    if (ks_settings_require(&section, "half_width") &&
        ks_settings_number(&section, "half_width", &precision->half_width))
        precision->is_wanted = true;
    return KS_OK;
}

void ks_precision_release(struct ks_precision *precision) {
    for (int i = 0; i < precision->n_endpoints; i++) free(precision->endpoints[i]);
    free(precision->endpoints);
    free(precision->method);
    *precision = (struct ks_precision){0};
}
