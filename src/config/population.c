/* The section `population`: what differs between virtual patients, and the uncertain constants of `uncertainty`, which are
 * drawn in the same way. Entries are those of `parameters`, and beyond them yes/no covariates, rows of a file, and
 * distributions for some of the patients only. */
#include "base/elementary.h"
#include "base/memory.h"
#include "config/config_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct ks_key keys[] = {
    {"candidates", "1", "10000", "that are simulated", {1, 0x1p53, true, true, true, "an integer >= 1"}},
    {"patients",
     "1",
     "0",
     "that are selected from them; 0: every plausible one",
     {0, 0x1p53, true, true, true, "an integer >= 0"}},
    {"seed", "1", "1", "of the candidates", {0, 0x1p63, true, true, true, "an integer >= 0"}},
    {"file", "", NULL,
     "instead of all that is drawn: a CSV file of patients, a row each, whose header names parameters and "
     "covariates",
     KS_ANYTHING},
    {"covariates", "", NULL, "a list like `parameters`, in which a name may be no parameter", KS_ANYTHING},
    {"parameters", "", NULL, "what differs between patients, a list as for a campaign", KS_ANYTHING},
    {"omega", "", NULL, "correlations of normal scores, and variances of logarithms", KS_ANYTHING},
    {"effects", "", NULL, "of covariates on parameters", KS_ANYTHING},
    {"accept", "", NULL, "what a plausible patient must be like", KS_ANYTHING},
};
const struct ks_keys ks_population_keys = KS_KEYS(keys);

static const struct ks_key omega_keys[] = {
    {"names", "", NULL, "of parameters or covariates", KS_ANYTHING},
    {"correlation", "1", NULL, "the lower triangle below the diagonal, row by row", KS_ANYTHING},
    {"variance", "1", NULL, "of the logarithms; these become lognormal about the model's value", KS_ANYTHING},
    {"source", "", NULL, "where the numbers are from", KS_ANYTHING},
};
const struct ks_keys ks_population_omega_keys = KS_KEYS(omega_keys);

static const struct ks_key effect_keys[] = {
    {"covariate", "", NULL, "a covariate or parameter that differs", KS_ANYTHING},
    {"parameter", "", NULL, "that it multiplies", KS_ANYTHING},
    {"values", "", NULL, "of the covariate", KS_ANYTHING},
    {"factors", "1", NULL, "one for each of the values", KS_ANYTHING},
    {"power", "1", NULL, "instead of values: the factor is (covariate / reference)^power", KS_ANYTHING},
    {"reference", "", NULL, "of a power", KS_ABOVE_0},
    {"source", "", NULL, "where the numbers are from", KS_ANYTHING},
};
const struct ks_keys ks_population_effect_keys = KS_KEYS(effect_keys);

/* A population being read. */
struct builder {
    struct ks_reader *reader;
    struct ks_population *population;
    const config_setting_t *section;
    char **files; /* [population->n_tables] */
};

/* ---- traits ---------------------------------------------------------------------------------- */

static int add_trait(struct builder *b, const char *name, const char *unit, int parameter, int *index) {
    struct ks_population *p = b->population;
    const struct ks_campaign *campaign = b->reader->campaign;
    struct ks_trait *larger = realloc(p->traits, ((size_t)p->n_traits + 1) * sizeof *larger);
    KS_CHECK(larger != NULL, KS_ERR_MEMORY, "no memory for a trait");
    p->traits = larger;
    struct ks_trait *trait = &p->traits[p->n_traits];
    *trait = (struct ks_trait){.parameter = parameter, .base = 1};
    if (parameter >= 0) trait->base = campaign->parameters[parameter];
    *index = p->n_traits++;
    KS_TRY(ks_text_copy(name, &trait->name));
    KS_TRY(ks_text_copy(parameter >= 0 ? ks_parameters[parameter].unit : unit, &trait->unit));
    return ks_text_copy(parameter >= 0 ? ks_parameters[parameter].description : "covariate",
                        &trait->description);
}

static int add_branch(struct ks_trait *trait, const struct ks_branch *branch) {
    struct ks_branch *larger = realloc(trait->branches, ((size_t)trait->n_branches + 1) * sizeof *larger);
    KS_CHECK(larger != NULL, KS_ERR_MEMORY, "no memory for a distribution");
    trait->branches = larger;
    trait->branches[trait->n_branches++] = *branch;
    return KS_OK;
}

static void suggest_trait(struct builder *b, const config_setting_t *setting, const char *name) {
    const struct ks_population *p = b->population;
    const char **names = ks_memory_allocate((size_t)p->n_traits, sizeof *names);
    for (int i = 0; names != NULL && i < p->n_traits; i++) names[i] = p->traits[i].name;
    if (names != NULL)
        ks_settings_unknown(b->reader, setting, "covariate or parameter of the population", name, false,
                            p->n_traits, names, NULL);
    free(names);
}

/* ---- files of patients ----------------------------------------------------------------------- */

static int column_of(const struct ks_csv *csv, const char *name) {
    for (size_t i = 0; i < csv->n_columns; i++)
        if (strcmp(csv->header[i], name) == 0) return (int)i;
    return -1;
}

/* Cells of columns that are no numbers (names, for instance) stay NaN until they are asked for. */
static int fill_table(struct ks_csv *csv, struct ks_bootstrap *table) {
    *table = (struct ks_bootstrap){.n_rows = csv->n_rows, .n_columns = csv->n_columns};
    KS_ALLOCATE(table->cells, csv->n_rows * csv->n_columns);
    for (size_t i = 0; i < csv->n_rows * csv->n_columns; i++) {
        char *end;
        table->cells[i] = strtod(csv->cells[i], &end) + 0.0;
        if (end == csv->cells[i] || *end != '\0') table->cells[i] = NAN;
    }
    return KS_OK;
}

/* The table of a file, read once. */
static int find_table(struct builder *b, struct ks_csv *csv, int *table) {
    struct ks_population *p = b->population;
    for (*table = 0; *table < p->n_tables; (*table)++)
        if (strcmp(b->files[*table], csv->path) == 0) return KS_OK;
    struct ks_bootstrap *larger = realloc(p->tables, ((size_t)p->n_tables + 1) * sizeof *larger);
    KS_CHECK(larger != NULL, KS_ERR_MEMORY, "no memory for a table");
    p->tables = larger;
    char **names = realloc(b->files, ((size_t)p->n_tables + 1) * sizeof *names);
    KS_CHECK(names != NULL, KS_ERR_MEMORY, "no memory for a table");
    b->files = names;
    p->tables[p->n_tables] = (struct ks_bootstrap){0};
    KS_TRY(ks_text_copy(csv->path, &b->files[p->n_tables]));
    return fill_table(csv, &p->tables[p->n_tables++]);
}

static void check_column(struct ks_csv *csv, size_t column, const struct ks_limits_info *limits) {
    for (size_t row = 0; row < csv->n_rows; row++) {
        double value;
        if (ks_csv_number(csv, row, column, false, &value) && !ks_settings_is_within(limits, value))
            ks_csv_fault_cell(csv, row, column, "%s is not allowed; it must be %s",
                              ks_settings_number_text(value).text, limits->words);
    }
}

static int read_column(struct builder *b, struct ks_csv *csv, const config_setting_t *setting,
                       const char *name, const struct ks_limits_info *limits, struct ks_branch *branch) {
    if (csv->n_columns == 0) return KS_OK;
    int column = column_of(csv, name);
    if (column < 0) {
        ks_settings_fault(b->reader, setting, "%s has no column \"%s\"", csv->path, name);
        return KS_OK;
    }
    check_column(csv, (size_t)column, limits);
    branch->column = (size_t)column;
    return find_table(b, csv, &branch->table);
}

static int read_bootstrap(struct builder *b, const struct ks_section *section, const char *name,
                          const struct ks_limits_info *limits, struct ks_branch *branch) {
    const char *file = NULL;
    struct ks_csv csv;
    ks_settings_string(section, "column", &name);
    if (!ks_settings_string(section, "file", &file)) return KS_OK;
    int err = ks_csv_read(&csv, b->reader, ks_settings_find(section, "file"), file);
    if (err == KS_OK) err = read_column(b, &csv, section->setting, name, limits, branch);
    ks_csv_release(&csv);
    return err;
}

/* ---- entries of covariates and parameters ------------------------------------------------------ */

static void read_where(struct builder *b, const struct ks_section *section, struct ks_branch *branch) {
    const char *word = NULL;
    if (!ks_settings_string(section, "where", &word)) return;
    branch->is_without = strncmp(word, "not ", 4) == 0;
    if (branch->is_without) word += 4;
    branch->where = ks_population_find(b->population, word);
    if (branch->where < 0) suggest_trait(b, ks_settings_find(section, "where"), word);
}

static int read_yes_no(const struct ks_section *section, struct ks_distribution *distribution) {
    double probability;
    if (!ks_settings_number(section, "probability", &probability)) return KS_OK;
    *distribution = (struct ks_distribution){.kind = KS_DISTRIBUTION_discrete, .low = 0, .high = 1};
    KS_ALLOCATE(distribution->values, 2);
    KS_ALLOCATE(distribution->probabilities, 2);
    distribution->n_values = 2;
    distribution->values[1] = 1;
    distribution->probabilities[0] = 1 - probability;
    distribution->probabilities[1] = probability;
    return KS_OK;
}

static int read_branch(struct builder *b, const struct ks_section *section,
                       const struct ks_parameter_info *info, struct ks_branch *branch) {
    *branch = (struct ks_branch){.where = -1, .table = -1};
    read_where(b, section, branch);
    if (ks_settings_find(section, "file") != NULL)
        return read_bootstrap(b, section, info->name, &ks_limits[info->limits], branch);
    if (ks_settings_find(section, "column") != NULL)
        ks_settings_fault(b->reader, ks_settings_find(section, "column"),
                          "\"file\" is missing beside it; give the CSV file that has the column");
    if (ks_settings_find(section, "probability") != NULL) return read_yes_no(section, &branch->distribution);
    return ks_variables_read_trait(b->reader, section->setting, info, &branch->distribution);
}

/* The row of a patient's parameter; -1 for a covariate, -2 after a fault. */
static int find_parameter(struct builder *b, const config_setting_t *setting, const char *name,
                          bool is_covariate) {
    int parameter = ks_lookup_parameter(b->reader->campaign, name);
    if (parameter < 0 && !is_covariate) ks_lookup_unknown(b->reader, setting, name, false);
    if (parameter < 0) return is_covariate ? -1 : -2;
    if (!ks_lookup_is_protocol(parameter)) return parameter;
    ks_settings_fault(b->reader, setting,
                      "\"%s\" is of the protocol, which is the same for all patients of an arm", name);
    return -2;
}

static int read_entry(struct builder *b, const config_setting_t *setting, bool is_covariate) {
    struct ks_section section = ks_settings_open(b->reader, setting, &ks_variables_keys);
    const char *name = NULL, *unit = "1";
    if (section.setting == NULL || !ks_settings_require(&section, "name") ||
        !ks_settings_string(&section, "name", &name))
        return KS_OK;
    ks_settings_string(&section, "unit", &unit);
    int parameter = find_parameter(b, ks_settings_find(&section, "name"), name, is_covariate);
    if (parameter == -2) return KS_OK;
    struct ks_parameter_info covariate = {.name = name,
                                          .unit = unit,
                                          .limits = KS_LIMITS_REAL,
                                          .low = -INFINITY,
                                          .high = INFINITY,
                                          .group = ""};
    const struct ks_parameter_info *info = parameter >= 0 ? &ks_parameters[parameter] : &covariate;
    struct ks_branch branch;
    KS_TRY(read_branch(b, &section, info, &branch));
    int trait = ks_population_find(b->population, name);
    int last = trait >= 0 ? b->population->traits[trait].n_branches - 1 : -1;
    if (trait >= 0 && (last < 0 || b->population->traits[trait].branches[last].where < 0))
        ks_settings_fault(b->reader, setting,
                          "\"%s\" is given already, for everybody; leave out one, or give both a where",
                          name);
    if (trait < 0) KS_TRY(add_trait(b, name, unit, parameter, &trait));
    return add_branch(&b->population->traits[trait], &branch);
}

static int read_entries(struct builder *b, const char *key, bool is_covariate) {
    const config_setting_t *list = ks_settings_member(b->section, key);
    if (list == NULL || !ks_settings_is_aggregate(b->reader, list, "a list of groups ( {name; ...}, ... )"))
        return KS_OK;
    for (int i = 0; i < config_setting_length(list); i++)
        KS_TRY(read_entry(b, config_setting_get_elem(list, (unsigned)i), is_covariate));
    return KS_OK;
}

/* ---- omega ----------------------------------------------------------------------------------- */

/* A name of the block becomes lognormal about the model's value. */
static int add_lognormal(struct builder *b, const config_setting_t *setting, const char *name,
                         double variance) {
    int parameter = find_parameter(b, setting, name, false), trait;
    if (parameter < 0) return KS_OK;
    struct ks_branch branch = {.where = -1, .table = -1};
    const struct ks_limits_info *limits = &ks_limits[ks_parameters[parameter].limits];
    double high = limits->has_highest ? limits->highest : nextafter(limits->highest, 0);
    branch.distribution = (struct ks_distribution){.kind = KS_DISTRIBUTION_lognormal,
                                                   .a = b->reader->campaign->parameters[parameter],
                                                   .b = sqrt(variance),
                                                   .low = -INFINITY,
                                                   .high = isinf(limits->highest) ? INFINITY : high};
    char text[200];
    const char *fault = ks_distribution_fault(&branch.distribution, text, sizeof text);
    if (fault != NULL) ks_settings_fault(b->reader, setting, "\"%s\": %s", name, fault);
    KS_TRY(add_trait(b, name, "", parameter, &trait));
    return add_branch(&b->population->traits[trait], &branch);
}

struct block {
    int n;          /* names */
    int traits[64]; /* of them */
    double *variances, *correlations;
};

static int read_names(struct builder *b, const struct ks_section *section, struct block *block) {
    const config_setting_t *names = ks_settings_find(section, "names");
    if (!ks_settings_require(section, "names") ||
        !ks_settings_is_aggregate(b->reader, names, "an array of names [ ... ]"))
        return KS_OK;
    int n = config_setting_length(names);
    if (n < 1 || n > 64 || (block->variances != NULL && n != block->n)) {
        ks_settings_fault(b->reader, names, "%d names%s", n,
                          n < 1 || n > 64 ? "; from 1 to 64 are allowed"
                                          : " for another number of variances");
        block->n = 0;
        return KS_OK;
    }
    block->n = 0;
    for (int i = 0; i < n; i++) {
        const config_setting_t *element = config_setting_get_elem(names, (unsigned)i);
        const char *name = NULL;
        if (!ks_settings_to_string(b->reader, element, &name)) continue;
        int trait = ks_population_find(b->population, name);
        if (trait >= 0 && block->variances != NULL) {
            ks_settings_fault(b->reader, element,
                              "\"%s\" has a distribution already; a variance gives it one", name);
        } else if (trait < 0 && block->variances == NULL) {
            suggest_trait(b, element, name);
        } else {
            if (trait < 0) KS_TRY(add_lognormal(b, element, name, block->variances[i]));
            block->traits[block->n++] = ks_population_find(b->population, name);
        }
    }
    return KS_OK;
}

static void read_variances(struct builder *b, const struct ks_section *section, struct block *block) {
    for (int i = 0; i < block->n; i++)
        if (!(block->variances[i] > 0))
            ks_settings_fault(b->reader, ks_settings_find(section, "variance"),
                              "%s is not allowed; a variance must be > 0",
                              ks_settings_number_text(block->variances[i]).text);
}

static void add_pairs(struct builder *b, const struct ks_section *section, const struct block *block, int n,
                      double *matrix) {
    const config_setting_t *setting = ks_settings_find(section, "correlation");
    size_t order = (size_t)b->population->n_traits;
    int k = 0;
    if (n != block->n * (block->n - 1) / 2) {
        ks_settings_fault(b->reader, setting, "%d numbers; the lower triangle of %d names has %d", n,
                          block->n, block->n * (block->n - 1) / 2);
        return;
    }
    for (int i = 1; i < block->n; i++) {
        for (int j = 0; j < i; j++, k++) {
            size_t row = (size_t)block->traits[i], column = (size_t)block->traits[j];
            double rho = block->correlations[k];
            if (!(rho > -1 && rho < 1))
                ks_settings_fault(b->reader, setting, "%s is not allowed; a correlation is between -1 and 1",
                                  ks_settings_number_text(rho).text);
            if (matrix[row * order + column] != 0)
                ks_settings_fault(b->reader, setting,
                                  "%s and %s are in another block already; leave them out of one",
                                  b->population->traits[row].name, b->population->traits[column].name);
            matrix[row * order + column] = matrix[column * order + row] = rho;
        }
    }
}

/* The variances, which add traits, come in a first pass over the blocks; the correlations in a second. */
static int read_block(struct builder *b, const config_setting_t *setting, double *matrix) {
    struct ks_section section = ks_settings_open(b->reader, setting, &ks_population_omega_keys);
    const config_setting_t *variance = ks_settings_find(&section, "variance"),
                           *correlation = ks_settings_find(&section, "correlation");
    struct block block = {0};
    int n = 0, err = KS_OK;
    if (section.setting == NULL) return KS_OK;
    if (matrix == NULL && variance != NULL) {
        KS_TRY(ks_settings_to_numbers(b->reader, variance, &block.n, &block.variances));
        read_variances(b, &section, &block);
        if (block.variances != NULL && b->reader->report.n_errors == 0) err = read_names(b, &section, &block);
    } else if (matrix != NULL && correlation != NULL) {
        KS_TRY(ks_settings_to_numbers(b->reader, correlation, &n, &block.correlations));
        err = read_names(b, &section, &block);
        if (err == KS_OK && block.correlations != NULL) add_pairs(b, &section, &block, n, matrix);
    } else if (variance == NULL && correlation == NULL) {
        ks_settings_fault(b->reader, setting,
                          "correlation or variance is missing; give at least one of the two");
    }
    free(block.variances);
    free(block.correlations);
    return err;
}

static int read_blocks(struct builder *b, const config_setting_t *omega, double *matrix) {
    if (config_setting_is_group(omega)) return read_block(b, omega, matrix);
    if (!ks_settings_is_aggregate(b->reader, omega, "a group {names; correlation;} or a list of them"))
        return KS_OK;
    for (int i = 0; i < config_setting_length(omega); i++)
        KS_TRY(read_block(b, config_setting_get_elem(omega, (unsigned)i), matrix));
    return KS_OK;
}

static int read_correlations(struct builder *b, const config_setting_t *omega) {
    struct ks_population *p = b->population;
    size_t n = (size_t)p->n_traits, n_before = b->reader->report.n_errors;
    KS_ALLOCATE(p->correlation_factor, n * n);
    KS_TRY(read_blocks(b, omega, p->correlation_factor));
    for (size_t i = 0; i < n; i++) p->correlation_factor[i * n + i] = 1;
    if (b->reader->report.n_errors == n_before && !ks_design_factorise((int)n, p->correlation_factor))
        ks_settings_fault(
            b->reader, omega,
            "the matrix is not positive definite; no traits are correlated so; use correlations nearer to 0");
    return KS_OK;
}

/* ---- effects --------------------------------------------------------------------------------- */

static int read_factors(struct builder *b, const struct ks_section *section, struct ks_effect *effect) {
    int n = 0;
    if (!ks_settings_require(section, "values") || !ks_settings_require(section, "factors")) return KS_OK;
    KS_TRY(ks_settings_to_numbers(b->reader, ks_settings_find(section, "values"), &effect->n_values,
                                  &effect->values));
    KS_TRY(ks_settings_to_numbers(b->reader, ks_settings_find(section, "factors"), &n, &effect->factors));
    if (effect->values == NULL || effect->factors == NULL) return KS_OK;
    if (n != effect->n_values)
        ks_settings_fault(b->reader, ks_settings_find(section, "factors"), "%d factors for %d values", n,
                          effect->n_values);
    for (int i = 0; i < n; i++)
        if (!(effect->factors[i] > 0))
            ks_settings_fault(b->reader, ks_settings_find(section, "factors"),
                              "%s is not allowed; a factor must be > 0",
                              ks_settings_number_text(effect->factors[i]).text);
    return KS_OK;
}

static int read_target(struct builder *b, const struct ks_section *section, struct ks_effect *effect) {
    const char *name = NULL;
    effect->target = -1;
    if (!ks_settings_require(section, "parameter") || !ks_settings_string(section, "parameter", &name))
        return KS_OK;
    effect->target = ks_population_find(b->population, name);
    if (effect->target >= 0) return KS_OK;
    int parameter = find_parameter(b, ks_settings_find(section, "parameter"), name, false);
    return parameter >= 0 ? add_trait(b, name, "", parameter, &effect->target) : KS_OK;
}

static int read_effect(struct builder *b, const config_setting_t *setting, struct ks_effect *effect) {
    struct ks_section section = ks_settings_open(b->reader, setting, &ks_population_effect_keys);
    const char *name = NULL;
    if (section.setting == NULL || !ks_settings_require(&section, "covariate") ||
        !ks_settings_string(&section, "covariate", &name))
        return KS_OK;
    effect->covariate = ks_population_find(b->population, name);
    if (effect->covariate < 0) suggest_trait(b, ks_settings_find(&section, "covariate"), name);
    KS_TRY(read_target(b, &section, effect));
    if (ks_settings_find(&section, "power") == NULL) return read_factors(b, &section, effect);
    if (ks_settings_find(&section, "values") != NULL)
        ks_settings_fault(b->reader, setting, "power and values are both given; one of the two is allowed");
    ks_settings_number(&section, "power", &effect->exponent);
    if (ks_settings_require(&section, "reference"))
        ks_settings_number(&section, "reference", &effect->reference);
    return KS_OK;
}

static int read_effects(struct builder *b) {
    const config_setting_t *list = ks_settings_member(b->section, "effects");
    struct ks_population *p = b->population;
    if (list == NULL ||
        !ks_settings_is_aggregate(b->reader, list, "a list of groups ( {covariate; parameter; ...}, ... )"))
        return KS_OK;
    KS_ALLOCATE(p->effects, (size_t)config_setting_length(list));
    for (int i = 0; i < config_setting_length(list); i++)
        KS_TRY(read_effect(b, config_setting_get_elem(list, (unsigned)i), &p->effects[p->n_effects++]));
    return KS_OK;
}

/* ---- patients from a file ------------------------------------------------------------------------ */

/* Columns that `export` adds beside the traits: true where the name is one of them. */
static bool take_index(struct builder *b, struct ks_csv *csv, size_t column) {
    static const struct ks_limits_info prevalence = KS_FROM_0,
                                       whole = {0, 0x1p53, true, true, true, "an integer >= 0"};
    const char *name = csv->header[column];
    if (strcmp(name, "prevalence") == 0) {
        check_column(csv, column, &prevalence);
        b->population->prevalence = (int)column;
        return true;
    }
    if (strcmp(name, "candidate") == 0) {
        check_column(csv, column, &whole);
        b->population->identity = (int)column;
        return true;
    }
    return strcmp(name, "patient") == 0;
}

static int add_listed(struct builder *b, struct ks_csv *csv, const config_setting_t *setting, size_t column) {
    const char *name = csv->header[column];
    struct ks_branch branch = {.where = -1, .column = column};
    if (take_index(b, csv, column)) return KS_OK;
    int parameter = find_parameter(b, setting, name, true), trait;
    if (parameter == -2) return KS_OK;
    check_column(csv, column, &ks_limits[parameter >= 0 ? ks_parameters[parameter].limits : KS_LIMITS_REAL]);
    if (ks_population_find(b->population, name) >= 0)
        ks_csv_fault(csv, csv->header_line, "column %zu: \"%s\" is given already; leave it out here or there",
                     column + 1, name);
    KS_TRY(add_trait(b, name, "", parameter, &trait));
    return add_branch(&b->population->traits[trait], &branch);
}

static int read_listed(struct builder *b, struct ks_csv *csv, const config_setting_t *setting) {
    int table;
    if (csv->n_columns == 0) return KS_OK;
    KS_TRY(find_table(b, csv, &table));
    for (size_t i = 0; i < csv->n_columns; i++) KS_TRY(add_listed(b, csv, setting, i));
    b->population->is_list = true;
    b->population->n_candidates = csv->n_rows;
    return KS_OK;
}

static int read_list(struct builder *b, const struct ks_section *section) {
    static const char *const drawn[] = {"candidates", "covariates", "parameters", "omega", "effects"};
    const config_setting_t *setting = ks_settings_find(section, "file");
    const char *file = NULL;
    struct ks_csv csv;
    for (int i = 0; i < 5; i++)
        if (ks_settings_find(section, drawn[i]) != NULL)
            ks_settings_fault(b->reader, ks_settings_find(section, drawn[i]),
                              "population.file lists the patients; nothing is drawn");
    if (!ks_settings_string(section, "file", &file)) return KS_OK;
    int err = ks_csv_read(&csv, b->reader, setting, file);
    if (err == KS_OK) err = read_listed(b, &csv, setting);
    ks_csv_release(&csv);
    return err;
}

/* ---- the section ------------------------------------------------------------------------------- */

static int read_drawn(struct builder *b) {
    const config_setting_t *omega = ks_settings_member(b->section, "omega");
    KS_TRY(read_entries(b, "covariates", true));
    KS_TRY(read_entries(b, "parameters", false));
    if (omega != NULL) KS_TRY(read_blocks(b, omega, NULL));
    KS_TRY(read_effects(b));
    if (omega != NULL) KS_TRY(read_correlations(b, omega));
    if (b->population->n_traits == 0 && b->reader->report.n_errors == 0)
        ks_settings_fault(b->reader, b->section,
                          "nothing differs between patients; it needs parameters or covariates");
    return KS_OK;
}

static int read_with(struct builder *b, const struct ks_section *section) {
    int err = ks_settings_find(section, "file") != NULL ? read_list(b, section) : read_drawn(b);
    for (int i = 0; i < b->population->n_tables && b->files != NULL; i++) free(b->files[i]);
    free(b->files);
    return err;
}

int ks_population_read(struct ks_reader *reader) {
    struct ks_clinical_study *study = reader->campaign->study;
    struct ks_section section =
        ks_settings_open(reader, ks_settings_top(reader, "population"), &ks_population_keys);
    struct builder b = {reader, &study->population, section.setting, NULL};
    if (section.setting == NULL) return KS_OK;
    study->has_population = true;
    study->population.stream = KS_STREAM_population;
    study->population.prevalence = study->population.identity = -1;
    ks_settings_count(&section, "candidates", &study->population.n_candidates);
    ks_settings_count(&section, "patients", &study->n_patients);
    ks_settings_count(&section, "seed", &study->population.seed);
    KS_TRY(read_with(&b, &section));
    for (int i = 0; i < study->population.n_traits; i++)
        if (study->population.traits[i].parameter >= 0)
            reader->is_varied[study->population.traits[i].parameter] = true;
    return KS_OK;
}

/* ---- uncertainty ------------------------------------------------------------------------------- */

/* Constants of a grade of evidence: lognormal, or logit-normal where they are shares. */
static int add_graded(struct builder *b, int i, double cv) {
    double value = b->reader->campaign->parameters[i];
    enum ks_limits limits = ks_parameters[i].limits;
    bool is_share = limits == KS_LIMITS_FRACTION || limits == KS_LIMITS_OPEN_FRACTION;
    struct ks_branch branch = {.where = -1, .table = -1};
    int trait;
    branch.distribution =
        (struct ks_distribution){.kind = is_share ? KS_DISTRIBUTION_logitnormal : KS_DISTRIBUTION_lognormal,
                                 .a = is_share ? ks_elementary_log(value / (1 - value)) : value,
                                 .b = is_share ? cv / (1 - value) : sqrt(ks_elementary_log1p(cv * cv)),
                                 .low = limits == KS_LIMITS_ABOVE_ONE ? 1 + 1e-6 : -INFINITY,
                                 .high = INFINITY};
    KS_TRY(add_trait(b, ks_parameters[i].name, "", i, &trait));
    return add_branch(&b->population->traits[trait], &branch);
}

int ks_population_read_grades(struct ks_reader *reader, const char *grades, double cv) {
    struct ks_population *constants = &reader->campaign->study->uncertainty.constants;
    struct builder b = {reader, constants, NULL, NULL};
    for (int i = 0; i < KS_N_PARAMETERS; i++) {
        const struct ks_parameter_info *info = &ks_parameters[i];
        double value = reader->campaign->parameters[i];
        bool is_constant = strcmp(info->group, "protocol") != 0 && strcmp(info->group, "patient") != 0 &&
                           strcmp(info->group, "mechanism") != 0 && info->limits != KS_LIMITS_COUNT;
        bool is_share = info->limits == KS_LIMITS_FRACTION || info->limits == KS_LIMITS_OPEN_FRACTION;
        bool is_named = ks_population_find(constants, info->name) >= 0;
        if (!is_constant || is_named || !(value > 0) || (is_share && value >= 1)) continue;
        for (const char *at = grades; *at != '\0';
             at += strcspn(at, " ") + strspn(at + strcspn(at, " "), " "))
            if (strcspn(at, " ") == strlen(info->grade) &&
                strncmp(at, info->grade, strlen(info->grade)) == 0) {
                KS_TRY(add_graded(&b, i, cv));
                break;
            }
    }
    return KS_OK;
}

int ks_population_read_constants(struct ks_reader *reader, const config_setting_t *section) {
    struct builder b = {reader, &reader->campaign->study->uncertainty.constants, section, NULL};
    int err = read_entries(&b, "parameters", false);
    for (int i = 0; i < b.population->n_tables && b.files != NULL; i++) free(b.files[i]);
    free(b.files);
    return err;
}
