/* Parameters and variables by name and number, and the values that each can take: what several sections ask of each
 * other. */
#include "base/memory.h"
#include "config/config_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool ks_lookup_is_protocol(int parameter) {
    return strcmp(ks_parameters[parameter].group, "protocol") == 0;
}

int ks_lookup_parameter(const struct ks_campaign *campaign, const char *name) {
    for (int i = 0; i < campaign->n_parameters; i++)
        if (strcmp(campaign->parameter_table[i].name, name) == 0) return i;
    return -1;
}

void ks_lookup_unknown(struct ks_reader *reader, const config_setting_t *setting, const char *name,
                       bool is_key) {
    const struct ks_campaign *campaign = reader->campaign;
    const char **names = ks_memory_allocate((size_t)campaign->n_parameters, sizeof *names);
    int n = names == NULL ? 0 : campaign->n_parameters;
    for (int i = 0; i < n; i++) names[i] = campaign->parameter_table[i].name;
    ks_settings_unknown(reader, setting, "parameter", name, is_key, n, names,
                        "see \"ketsweep show parameters\"");
    free(names);
}

int ks_lookup_variable(const struct ks_campaign *campaign, int parameter) {
    for (int i = 0; i < campaign->design.n_variables; i++)
        if (campaign->design.variables[i].parameter == parameter) return i;
    return -1;
}

static struct ks_range range_of_values(int n, const double *values) {
    struct ks_range range = {INFINITY, -INFINITY};
    for (int i = 0; i < n; i++) {
        range.low = fmin(range.low, values[i]);
        range.high = fmax(range.high, values[i]);
    }
    return range;
}

struct ks_range ks_lookup_range(const struct ks_reader *reader, int parameter) {
    const struct ks_campaign *campaign = reader->campaign;
    if (reader->is_doubtful[parameter]) return (struct ks_range){NAN, NAN};
    int i = ks_lookup_variable(campaign, parameter);
    if (i < 0) return (struct ks_range){campaign->parameters[parameter], campaign->parameters[parameter]};
    const struct ks_variable *variable = &campaign->design.variables[i];
    const struct ks_distribution *distribution = &variable->distribution;
    const struct ks_limits_info *limits = &ks_limits[campaign->parameter_table[parameter].limits];
    if (variable->n_levels > 0) return range_of_values(variable->n_levels, variable->levels);
    switch (distribution->kind) {
    case KS_DISTRIBUTION_uniform:
    case KS_DISTRIBUTION_loguniform:
        return (struct ks_range){distribution->a, distribution->b};
    case KS_DISTRIBUTION_triangular:
        return (struct ks_range){distribution->a, distribution->c};
    case KS_DISTRIBUTION_discrete:
        return range_of_values(distribution->n_values, distribution->values);
    case KS_DISTRIBUTION_lognormal:
    case KS_DISTRIBUTION_logitnormal: /* never 0 */
        return (struct ks_range){fmax(distribution->low, nextafter(0, 1)),
                                 fmin(distribution->high, limits->highest)};
    default:
        return (struct ks_range){fmax(distribution->low, limits->lowest),
                                 fmin(distribution->high, limits->highest)};
    }
}

struct ks_range ks_lookup_likely_range(const struct ks_reader *reader, int parameter) {
    const struct ks_campaign *campaign = reader->campaign;
    struct ks_range range = ks_lookup_range(reader, parameter);
    int i = ks_lookup_variable(campaign, parameter);
    if (isnan(range.low) || i < 0 || campaign->design.kind == KS_DESIGN_grid ||
        campaign->design.kind == KS_DESIGN_file)
        return range;
    const struct ks_distribution *distribution = &campaign->design.variables[i].distribution;
    return (struct ks_range){ks_distribution_quantile(distribution, 0.001),
                             ks_distribution_quantile(distribution, 0.999)};
}
