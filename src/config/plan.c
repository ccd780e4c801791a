/* The section `design`: which kind, how many points, which seed; for kind = "file" the points themselves,
 * from a CSV file whose header names the parameters. */
#include "base/memory.h"
#include "config/config_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct ks_key keys[] = {
    {"kind", "", NULL, "grid lhs random sobol saltelli morris fast rbd-fast file", KS_ANYTHING},
    {"points",
     "1",
     NULL,
     "of all but grid; of file: its first rows (default: all); see show designs",
     {1, 0x1p63, true, true, true, "an integer >= 1"}},
    {"seed", "1", "1", "of the random numbers", {0, 0x1p63, true, true, true, "an integer >= 0"}},
    {"second_order", "", "false", "of saltelli: rows for second-order indices too", KS_ANYTHING},
    {"scheme", "", "\"trajectory\"", "of morris: trajectory or radial", KS_ANYTHING},
    {"levels",
     "1",
     "4",
     "of morris along trajectories: levels of each parameter",
     {2, 1000, true, true, true, "an even number in [2, 1000]"}},
    {"step",
     "1",
     NULL,
     "of radial morris: the step as a share of the distribution (default: to a second random point)",
     {0, 0.5, false, true, false, "in (0, 0.5]"}},
    {"stop", "", NULL, "double the design until intervals are narrow, up to `points`", KS_ANYTHING},
    {"file", "", NULL, "of kind \"file\": a CSV file, relative to this file, whose header names parameters",
     KS_ANYTHING},
};
const struct ks_keys ks_plan_keys = KS_KEYS(keys);

/* ---- points from a file ---------------------------------------------------------------------- */

static int find_parameters(struct ks_csv *csv, int *columns) {
    const struct ks_campaign *campaign = csv->reader->campaign;
    const char **names;
    KS_ALLOCATE(names, (size_t)campaign->n_parameters);
    for (int i = 0; i < campaign->n_parameters; i++) names[i] = campaign->parameter_table[i].name;
    ks_csv_find_columns(csv, campaign->n_parameters, names, columns, "see \"ketsweep show parameters\"");
    free(names);
    return KS_OK;
}

/* One variable per column that names a parameter, in the order of the columns. */
static int add_variables(struct ks_csv *csv, const int *columns) {
    struct ks_reader *reader = csv->reader;
    struct ks_design *design = &reader->campaign->design;
    KS_ALLOCATE(design->variables, csv->n_columns);
    KS_ALLOCATE(reader->entries, csv->n_columns);
    for (size_t column = 0; column < csv->n_columns; column++) {
        for (int i = 0; i < reader->campaign->n_parameters; i++) {
            if (columns[i] != (int)column) continue;
            reader->is_varied[i] = true;
            reader->entries[design->n_variables].setting = csv->setting;
            design->variables[design->n_variables++].parameter = i;
        }
    }
    return KS_OK;
}

static void read_cell(struct ks_csv *csv, size_t row, size_t column, enum ks_limits limits, double *value) {
    if (limits == KS_LIMITS_ROUTE)
        ks_csv_route(csv, row, column, value);
    else if (ks_csv_number(csv, row, column, false, value) && !ks_model_is_within(limits, *value))
        ks_csv_fault_cell(csv, row, column, "%s is not allowed; it must be %s",
                          ks_settings_number_text(*value).text, ks_limits[limits].words);
}

/* Warns of a column's values outside the plausible range of its parameter, by their ends. */
static void judge_column(struct ks_csv *csv, const struct ks_variable *variable) {
    const struct ks_parameter_info *info = &csv->reader->campaign->parameter_table[variable->parameter];
    double low = variable->distribution.a, high = variable->distribution.b;
    ks_settings_judge(csv->reader, csv->setting, info, low);
    if (high > low) ks_settings_judge(csv->reader, csv->setting, info, high);
}

/* The distribution of a column is not sampled; it holds the range of the values. */
static void read_column(struct ks_csv *csv, struct ks_design *design, int i, size_t column) {
    struct ks_variable *variable = &design->variables[i];
    enum ks_limits limits = csv->reader->campaign->parameter_table[variable->parameter].limits;
    variable->distribution = (struct ks_distribution){.kind = KS_DISTRIBUTION_uniform,
                                                      .a = INFINITY,
                                                      .b = -INFINITY,
                                                      .low = -INFINITY,
                                                      .high = INFINITY,
                                                      .is_integer = ks_limits[limits].is_integer};
    for (size_t row = 0; row < design->n_points; row++) {
        double value = 0;
        read_cell(csv, row, column, limits, &value);
        design->rows[row * (size_t)design->n_variables + (size_t)i] = value;
        variable->distribution.a = fmin(variable->distribution.a, value);
        variable->distribution.b = fmax(variable->distribution.b, value);
    }
    csv->reader->is_doubtful[variable->parameter] = csv->n_faults > 0;
    if (csv->n_faults == 0) judge_column(csv, variable);
}

static int read_rows(struct ks_csv *csv, const struct ks_section *section, const int *columns) {
    struct ks_design *design = &csv->reader->campaign->design;
    uint64_t n_points = csv->n_rows;
    if (ks_settings_count(section, "points", &n_points) && n_points > csv->n_rows && csv->n_faults == 0)
        ks_settings_fault(csv->reader, ks_settings_find(section, "points"),
                          "%llu points of a file with %zu rows; at most all of them are allowed",
                          (unsigned long long)n_points, csv->n_rows);
    design->n_points = design->n_bases = n_points < csv->n_rows ? n_points : csv->n_rows;
    KS_TRY(add_variables(csv, columns));
    KS_ALLOCATE(design->rows, design->n_points * (size_t)design->n_variables);
    for (int i = 0; i < design->n_variables; i++)
        read_column(csv, design, i, (size_t)columns[design->variables[i].parameter]);
    return KS_OK;
}

static int read_csv(struct ks_csv *csv, const struct ks_section *section) {
    if (csv->n_columns == 0) return KS_OK;
    int *columns;
    KS_ALLOCATE(columns, (size_t)csv->reader->campaign->n_parameters);
    int err = find_parameters(csv, columns);
    if (err == KS_OK) err = read_rows(csv, section, columns);
    free(columns);
    return err;
}

static int read_file(const struct ks_section *section) {
    struct ks_reader *reader = section->reader;
    const config_setting_t *parameters = ks_settings_top(reader, "parameters");
    const char *name = NULL;
    struct ks_csv csv;
    if (parameters != NULL)
        ks_settings_fault(reader, parameters,
                          "the header of design.file names what varies; leave the list out");
    if (!ks_settings_require(section, "file") || !ks_settings_string(section, "file", &name)) return KS_OK;
    int err = ks_csv_read(&csv, reader, ks_settings_find(section, "file"), name);
    if (err == KS_OK) err = read_csv(&csv, section);
    ks_csv_release(&csv);
    return err;
}

/* ---- points from a rule ---------------------------------------------------------------------- */

/* Keys that one kind alone has. */
static void refuse_foreign_keys(const struct ks_section *section) {
    static const struct {
        const char *key;
        enum ks_design_kind kind;
    } owners[] = {{"second_order", KS_DESIGN_saltelli},
                  {"scheme", KS_DESIGN_morris},
                  {"levels", KS_DESIGN_morris},
                  {"step", KS_DESIGN_morris},
                  {"file", KS_DESIGN_file}};
    enum ks_design_kind kind = section->reader->campaign->design.kind;
    for (size_t i = 0; i < sizeof owners / sizeof *owners; i++) {
        const config_setting_t *setting = ks_settings_find(section, owners[i].key);
        if (setting != NULL && kind != owners[i].kind)
            ks_settings_fault(section->reader, setting, "only a design of kind \"%s\" takes it",
                              ks_designs[owners[i].kind].name);
    }
}

static void read_second_order(const struct ks_section *section) {
    const config_setting_t *setting = ks_settings_find(section, "second_order");
    if (setting == NULL) return;
    if (config_setting_type(setting) != CONFIG_TYPE_BOOL)
        ks_settings_fault(section->reader, setting, "must be true or false");
    else
        section->reader->campaign->design.has_second_order = config_setting_get_bool(setting) != 0;
}

static void read_morris(const struct ks_section *section) {
    static const char *const schemes[] = {"trajectory", "radial"};
    struct ks_design *design = &section->reader->campaign->design;
    const config_setting_t *levels = ks_settings_find(section, "levels"),
                           *step = ks_settings_find(section, "step");
    int scheme;
    uint64_t n_levels = 4;
    ks_settings_choice(section, "scheme", 2, schemes, &scheme);
    design->is_radial = scheme == 1;
    ks_settings_count(section, "levels", &n_levels);
    if (n_levels % 2 != 0)
        ks_settings_fault(section->reader, levels, "%llu is odd; it must be an even number in [2, 1000]",
                          (unsigned long long)n_levels);
    if (step != NULL) ks_settings_number(section, "step", &design->step);
    if (levels != NULL && design->is_radial)
        ks_settings_fault(section->reader, levels, "radial steps have no levels; they take step");
    if (step != NULL && !design->is_radial)
        ks_settings_fault(section->reader, step,
                          "steps along trajectories are half of the levels; it takes levels");
    design->n_path_levels = (int)n_levels;
}

static void read_points(const struct ks_section *section) {
    struct ks_design *design = &section->reader->campaign->design;
    const config_setting_t *points = ks_settings_find(section, "points");
    refuse_foreign_keys(section);
    if (design->kind == KS_DESIGN_saltelli) read_second_order(section);
    if (design->kind == KS_DESIGN_morris) read_morris(section);
    if (design->kind == KS_DESIGN_grid && points != NULL)
        ks_settings_fault(section->reader, points, "a grid takes none; its points are the product of levels");
    else if (design->kind != KS_DESIGN_grid && ks_settings_require(section, "points"))
        ks_settings_count(section, "points", &design->n_bases);
    if (design->kind == KS_DESIGN_lhs && design->n_bases > (uint64_t)1 << KS_DESIGN_LHS_BITS)
        ks_settings_fault(section->reader, points, "a Latin hypercube has 2^%d points at most",
                          (int)KS_DESIGN_LHS_BITS);
    const char *fault = points != NULL ? ks_design_points_fault(design) : NULL;
    if (fault != NULL)
        ks_settings_fault(section->reader, points, "%llu; %s", (unsigned long long)design->n_bases, fault);
}

/* Coordinates of the Sobol' sequence that one parameter takes. */
static int coordinates(const struct ks_design *design) {
    if (design->kind == KS_DESIGN_sobol) return 1;
    return design->kind == KS_DESIGN_saltelli || (design->kind == KS_DESIGN_morris && design->is_radial) ? 2
                                                                                                         : 0;
}

/* What can only be said once the variables are known. */
static void check_variables(const struct ks_section *section) {
    const struct ks_design *design = &section->reader->campaign->design;
    const config_setting_t *parameters = ks_settings_top(section->reader, "parameters");
    if (parameters == NULL)
        ks_settings_fault(section->reader, section->setting,
                          "nothing varies; a design needs the list \"parameters\"");
    else if (config_setting_is_list(parameters) && config_setting_length(parameters) == 0)
        ks_settings_fault(section->reader, parameters, "is empty; a design needs at least one entry");
    int n_coordinates = coordinates(design);
    if (n_coordinates * design->n_variables > KS_DESIGN_SOBOL_DIMENSIONS)
        ks_settings_fault(section->reader, section->setting, "%d parameters; %s can vary %d at most",
                          design->n_variables, ks_designs[design->kind].name,
                          KS_DESIGN_SOBOL_DIMENSIONS / n_coordinates);
}

/* All rows, of which `points` is a part. */
static void count_points(const struct ks_section *section) {
    struct ks_design *design = &section->reader->campaign->design;
    design->n_points = ks_design_count_points(design);
    if (design->n_points == 0)
        ks_settings_fault(section->reader, ks_settings_find(section, "points"),
                          "%llu makes more than 2^63 - 1 rows", (unsigned long long)design->n_bases);
}

static void count_grid_points(const struct ks_section *section) {
    struct ks_design *design = &section->reader->campaign->design;
    design->n_points = ks_design_grid_points(design->n_variables, design->variables);
    if (design->n_points == 0)
        ks_settings_fault(section->reader, section->setting,
                          "the product of levels exceeds 2^63 - 1 points; use fewer levels");
}

static int read_by_rule(const struct ks_section *section) {
    struct ks_reader *reader = section->reader;
    size_t n_before = reader->report.n_errors;
    read_points(section);
    KS_TRY(ks_variables_read(reader));
    check_variables(section);
    if (reader->report.n_errors > n_before) return KS_OK;
    (reader->campaign->design.kind == KS_DESIGN_grid ? count_grid_points : count_points)(section);
    return KS_OK;
}

/* Without a design one point is simulated; entries of `parameters` are read all the same, for their faults.
 */
static int read_nothing(struct ks_reader *reader) {
    const config_setting_t *parameters = ks_settings_top(reader, "parameters");
    if (parameters == NULL) return KS_OK;
    ks_settings_fault(reader, parameters,
                      "needs a design, such as design : { kind = \"sobol\"; points = 1024; };");
    reader->campaign->design.kind = KS_DESIGN_random;
    return ks_variables_read(reader);
}

int ks_plan_read(struct ks_reader *reader) {
    struct ks_design *design = &reader->campaign->design;
    const config_setting_t *setting = ks_settings_top(reader, "design");
    struct ks_section section = ks_settings_open(reader, setting, &ks_plan_keys);
    const char *names[KS_N_DESIGNS];
    for (int i = 0; i < KS_N_DESIGNS; i++) names[i] = ks_designs[i].name;
    *design = (struct ks_design){.kind = KS_DESIGN_grid, .n_points = 1, .n_bases = 1, .seed = 1};
    if (setting == NULL) return read_nothing(reader);
    int kind;
    ks_settings_count(&section, "seed", &design->seed);
    if (!ks_settings_require(&section, "kind") ||
        !ks_settings_choice(&section, "kind", KS_N_DESIGNS, names, &kind)) {
        design->kind = KS_DESIGN_random;
        return ks_variables_read(reader);
    }
    design->kind = (enum ks_design_kind)kind;
    KS_TRY(ks_precision_read(reader, ks_settings_find(&section, "stop")));
    return kind == KS_DESIGN_file ? read_file(&section) : read_by_rule(&section);
}
