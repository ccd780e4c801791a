/* `ketsweep show`: the tables that a configuration can name, as text or JSON. */
#include "app/app_impl.h"
#include "base/error.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_COLUMNS = 10, CELL_SIZE = 256 };

/* A table being printed: one row at a time, each a list of cells. */
struct table {
    bool is_json, is_first;
    int n_columns;
    const char *names[MAX_COLUMNS];
    int widths[MAX_COLUMNS]; /* as text; the last column runs on */
    bool is_number[MAX_COLUMNS];
};

/* A number as such; a word in a column of numbers ("horizon") as text. */
static void print_json_cell(const char *cell, bool is_number) {
    char *end;
    strtod(cell, &end);
    if (is_number && *end == '\0')
        fputs(cell, stdout);
    else
        ks_output_json_text(stdout, cell);
}

static void print_row(struct table *table, const char *const *cells) {
    if (table->is_json) printf(table->is_first ? "[\n{" : ",\n{");
    for (int i = 0; i < table->n_columns; i++) {
        if (table->is_json) {
            printf("%s\"%s\": ", i > 0 ? ", " : "", table->names[i]);
            print_json_cell(cells[i], table->is_number[i]);
        } else if (i + 1 < table->n_columns) {
            printf("%-*s ", table->widths[i], cells[i]);
        } else {
            printf("%s\n", cells[i]);
        }
    }
    if (table->is_json) putchar('}');
    table->is_first = false;
}

static void begin_table(struct table *table, bool is_json) {
    table->is_json = is_json;
    table->is_first = true;
    if (!is_json) print_row(table, table->names);
    table->is_first = true;
}

static void end_table(const struct table *table) {
    if (table->is_json) printf("\n]\n");
}

static const char *number(double value, char *text) {
    if (isinf(value))
        snprintf(text, CELL_SIZE, "horizon");
    else
        snprintf(text, CELL_SIZE, "%.6g", value);
    return text;
}

static void show_parameters(bool is_json) {
    struct table t = {.n_columns = 10,
                      .names = {"name", "unit", "default", "low", "high", "allowed", "group", "grade",
                                "description", "source"},
                      .widths = {30, 14, 9, 9, 9, 24, 17, 5, 90},
                      .is_number = {[2] = true, [3] = true, [4] = true}};
    begin_table(&t, is_json);
    for (int i = 0; i < KS_N_PARAMETERS; i++) {
        const struct ks_parameter_info *p = &ks_parameters[i];
        char value[CELL_SIZE], low[CELL_SIZE], high[CELL_SIZE];
        print_row(&t, (const char *[]){p->name, p->unit, number(p->value, value), number(p->low, low),
                                       number(p->high, high), ks_limits[p->limits].words, p->group, p->grade,
                                       p->description, p->source});
    }
    end_table(&t);
}

static void show_states(bool is_json) {
    struct table t = {
        .n_columns = 4, .names = {"name", "unit", "module", "description"}, .widths = {34, 10, 17}};
    begin_table(&t, is_json);
    for (int i = 0; i < KS_N_QUANTITIES; i++) {
        const struct ks_quantity_info *q = &ks_quantities[i];
        print_row(&t, (const char *[]){q->name, q->unit, q->module, q->description});
    }
    end_table(&t);
}

static void show_endpoints(bool is_json) {
    struct table t = {.n_columns = 7,
                      .names = {"name", "unit", "of", "op", "from_h", "to_h", "description"},
                      .widths = {24, 8, 33, 20, 8, 8},
                      .is_number = {[4] = true, [5] = true}};
    begin_table(&t, is_json);
    for (int i = 0; i < KS_N_ENDPOINTS; i++) {
        const struct ks_endpoint *e = &ks_endpoints[i];
        char from[CELL_SIZE], to[CELL_SIZE], description[CELL_SIZE];
        bool is_at = ks_ops[e->op].reading == KS_READING_AT;
        ks_model_describe_endpoint(e, description, sizeof description);
        print_row(&t,
                  (const char *[]){e->name, e->unit, ks_quantities[e->quantity].name, ks_ops[e->op].name,
                                   number(e->from, from), number(is_at ? e->from : e->to, to), description});
    }
    end_table(&t);
}

static void show_designs(bool is_json) {
    static const char *const nestings[] = {
        [KS_NESTED_NEVER] = "no", [KS_NESTED_ALWAYS] = "yes", [KS_NESTED_BY_DOUBLING] = "by doubling"};
    struct table t = {
        .n_columns = 4, .names = {"kind", "points", "nested", "description"}, .widths = {8, 21, 11}};
    begin_table(&t, is_json);
    for (int i = 0; i < KS_N_DESIGNS; i++)
        print_row(&t, (const char *[]){ks_designs[i].name, ks_designs[i].points,
                                       nestings[ks_designs[i].nesting], ks_designs[i].words});
    end_table(&t);
}

static void show_methods(bool is_json) {
    struct table t = {.n_columns = 3, .names = {"method", "designs", "description"}, .widths = {9, 46}};
    begin_table(&t, is_json);
    for (int i = 0; i < KS_N_METHODS; i++)
        print_row(&t, (const char *[]){ks_methods[i].name, ks_methods[i].designs, ks_methods[i].words});
    end_table(&t);
}

static void show_distributions(bool is_json) {
    struct table t = {.n_columns = 2, .names = {"distribution", "entries"}, .widths = {14}};
    begin_table(&t, is_json);
    for (int i = 0; i < KS_N_DISTRIBUTIONS; i++)
        print_row(&t, (const char *[]){ks_distribution_names[i], ks_distribution_arguments[i]});
    end_table(&t);
}

static void show_models(bool is_json) {
    struct table t = {.n_columns = 2, .names = {"model", "description"}, .widths = {18}};
    begin_table(&t, is_json);
    print_row(&t, (const char *[]){"ketamine",
                                   "ketamine-assisted psychotherapy, from infusion to depression score"});
    for (int i = 0; ks_model_test_function(i) != NULL; i++) {
        char name[CELL_SIZE];
        snprintf(name, sizeof name, "test:%s", ks_model_test_function(i)->name);
        print_row(&t, (const char *[]){name, ks_model_test_function(i)->description});
    }
    end_table(&t);
}

static void show_config(bool is_json) {
    (void)is_json;
    ks_config_write_reference(stdout);
}

static const struct topic {
    const char *name;
    void (*show)(bool is_json);
} topics[] = {
    {"parameters", show_parameters}, {"states", show_states},   {"endpoints", show_endpoints},
    {"designs", show_designs},       {"methods", show_methods}, {"distributions", show_distributions},
    {"models", show_models},         {"config", show_config},
};
enum { N_TOPICS = sizeof topics / sizeof topics[0] };

int ks_show_command(const struct ks_arguments *arguments) {
    for (int i = 0; i < N_TOPICS; i++)
        if (strcmp(topics[i].name, arguments->operand) == 0) {
            KS_CHECK(!arguments->is_json || topics[i].show != show_config, KS_ERR_USAGE,
                     "show config prints libconfig text; leave out --json");
            topics[i].show(arguments->is_json);
            return 0;
        }
    KS_ASSERT(false); /* the table of commands has the same topics */
    return KS_ERR_USAGE;
}
