/* Correlation between what varies: pairs of parameters, joined by a Gaussian copula, so that rho is the
 * correlation of their normal scores. Together the pairs must make a positive definite matrix, whose Cholesky
 * factor goes into the design. */
#include "base/memory.h"
#include "config/config_impl.h"

#include <math.h>
#include <stdlib.h>

static const struct ks_key pair_keys[] = {
    {"a", "", NULL, "a parameter that varies", KS_ANYTHING},
    {"b", "", NULL, "another", KS_ANYTHING},
    {"rho",
     "1",
     NULL,
     "correlation of their normal scores",
     {-1, 1, false, false, false, "between -1 and 1, both excluded"}},
};
const struct ks_keys ks_correlation_keys = KS_KEYS(pair_keys);

static int read_partner(const struct ks_section *section, const char *key) {
    struct ks_reader *reader = section->reader;
    const char *name = NULL;
    if (!ks_settings_require(section, key) || !ks_settings_string(section, key, &name)) return -1;
    int parameter = ks_lookup_parameter(reader->campaign, name);
    if (parameter < 0) ks_lookup_unknown(reader, ks_settings_find(section, key), name, false);
    if (parameter < 0) return -1;
    if (!reader->is_varied[parameter])
        ks_settings_fault(reader, ks_settings_find(section, key),
                          "\"%s\" does not vary; add it to parameters, or leave the pair out", name);
    return ks_lookup_variable(reader->campaign, parameter);
}

static void read_pair(struct ks_reader *reader, const config_setting_t *setting) {
    struct ks_section section = ks_settings_open(reader, setting, &ks_correlation_keys);
    double rho = 0;
    int a = read_partner(&section, "a"), b = read_partner(&section, "b");
    if (!ks_settings_require(&section, "rho") || !ks_settings_number(&section, "rho", &rho) || a < 0 || b < 0)
        return;
    if (a == b) {
        ks_settings_fault(reader, setting, "a and b are the same parameter; give two that vary");
        return;
    }
    struct ks_pair pair = {a < b ? a : b, a < b ? b : a, rho};
    int place = reader->n_pairs;
    for (int i = 0; i < reader->n_pairs; i++) {
        const struct ks_pair *other = &reader->pairs[i];
        if (other->a == pair.a && other->b == pair.b) {
            ks_settings_fault(reader, setting, "this pair is given already; leave out one of the two");
            return;
        }
    }
    for (; place > 0; place--) {
        const struct ks_pair *before = &reader->pairs[place - 1];
        if (before->a < pair.a || (before->a == pair.a && before->b < pair.b)) break;
        reader->pairs[place] = *before;
    }
    reader->pairs[place] = pair;
    reader->n_pairs++;
}

static void report_indefinite(struct ks_reader *reader, const config_setting_t *setting) {
    const struct ks_campaign *campaign = reader->campaign;
    char *names = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&names, &size);
    if (stream == NULL) return;
    const char *separator = "";
    for (int i = 0; i < campaign->design.n_variables; i++) {
        bool is_joined = false;
        for (int k = 0; k < reader->n_pairs; k++)
            is_joined |= reader->pairs[k].a == i || reader->pairs[k].b == i;
        if (!is_joined) continue;
        fprintf(stream, "%s%s", separator,
                campaign->parameter_table[campaign->design.variables[i].parameter].name);
        separator = ", ";
    }
    fclose(stream);
    ks_settings_fault(reader, setting,
                      "the matrix of %s is not positive definite; no parameters are correlated so; use "
                      "values of rho nearer to 0",
                      names);
    free(names);
}

static int factorise(struct ks_reader *reader, const config_setting_t *setting) {
    struct ks_design *design = &reader->campaign->design;
    size_t n = (size_t)design->n_variables;
    KS_ALLOCATE(design->correlation_factor, n * n);
    for (size_t i = 0; i < n; i++) design->correlation_factor[i * n + i] = 1;
    for (int i = 0; i < reader->n_pairs; i++) {
        const struct ks_pair *pair = &reader->pairs[i];
        design->correlation_factor[(size_t)pair->a * n + (size_t)pair->b] = pair->rho;
        design->correlation_factor[(size_t)pair->b * n + (size_t)pair->a] = pair->rho;
    }
    if (!ks_design_factorise((int)n, design->correlation_factor)) report_indefinite(reader, setting);
    return KS_OK;
}

int ks_correlation_read(struct ks_reader *reader) {
    enum ks_design_kind kind = reader->campaign->design.kind;
    const config_setting_t *setting = ks_settings_top(reader, "correlation");
    if (setting == NULL ||
        !ks_settings_is_aggregate(reader, setting, "a list of pairs ( {a; b; rho;}, ... )"))
        return KS_OK;
    if (ks_settings_top(reader, "design") == NULL && ks_settings_top(reader, "parameters") == NULL) {
        ks_settings_fault(reader, setting, "nothing varies; it needs a design and the list \"parameters\"");
        return KS_OK;
    }
    if (kind == KS_DESIGN_grid || kind == KS_DESIGN_file) {
        ks_settings_fault(reader, setting,
                          "the points of a %s are given; nothing can be correlated; leave it out",
                          ks_designs[kind].name);
        return KS_OK;
    }
    if (kind == KS_DESIGN_saltelli || kind == KS_DESIGN_morris || kind == KS_DESIGN_fast ||
        kind == KS_DESIGN_rbd_fast) {
        ks_settings_fault(
            reader, setting,
            "the rows of a %s design are for independent parameters; designs that can be correlated "
            "are random, lhs and sobol",
            ks_designs[kind].name);
        return KS_OK;
    }
    size_t n_before = reader->report.n_errors;
    KS_ALLOCATE(reader->pairs, (size_t)config_setting_length(setting));
    for (int i = 0; i < config_setting_length(setting); i++)
        read_pair(reader, config_setting_get_elem(setting, (unsigned)i));
    return reader->n_pairs > 0 && reader->report.n_errors == n_before ? factorise(reader, setting) : KS_OK;
}
