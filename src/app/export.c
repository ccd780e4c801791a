/* `ketsweep export`: committed rows as CSV that R and pandas read as they are: one header line of plain names, the
 * units in a # line above it. */
#include "app/app_impl.h"
#include "base/error.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* What a row shows. */
struct choice {
    const char *name; /* of --dataset */
    bool inputs, endpoints, status, trajectories;
};

static const struct choice choices[] = {
    {"all", true, true, true, false},
    {"inputs", true, false, false, false},
    {"endpoints", false, true, false, false},
    {"status", false, false, true, false},
    {"trajectories", false, false, false, true},
};
enum { N_CHOICES = sizeof choices / sizeof choices[0] };

struct export {
    const struct ks_schema *schema;
    const struct choice *choice;
    bool is_long;
    FILE *stream;
};

/* What gives back the same bits of a double, and of a float. */
enum { DOUBLE_DIGITS = 17, FLOAT_DIGITS = 9 };

/* The name is that of the file, which may know more statuses than this program, or be damaged. */
static const char *status_name(const struct ks_schema *schema, int status) {
    return status >= 0 && status < schema->n_status_names ? schema->status_names[status] : "unknown";
}

/* ---- wide: a line per point, or per point and time ---------------------------------------------------------- */

static void print_names(const struct export *e, bool as_units, int n, const struct ks_column *columns) {
    for (int i = 0; i < n; i++) fprintf(e->stream, ",%s", as_units ? columns[i].unit : columns[i].name);
}

static void print_wide_line(const struct export *e, bool as_units) {
    const struct ks_schema *s = e->schema;
    fprintf(e->stream, as_units ? "# units: 1" : "point");
    if (e->choice->inputs) print_names(e, as_units, s->n_parameters, s->parameters);
    if (e->choice->endpoints) print_names(e, as_units, s->n_endpoints, s->endpoints);
    if (e->choice->status) fprintf(e->stream, as_units ? ",name,1" : ",status,solver_steps");
    if (e->choice->trajectories) {
        fprintf(e->stream, as_units ? ",h" : ",time_h");
        print_names(e, as_units, s->n_states, s->states);
    }
    fputc('\n', e->stream);
}

static void print_values(FILE *stream, int n, const double *values) {
    for (int i = 0; i < n; i++) {
        fputc(',', stream);
        ks_output_number(stream, values[i], DOUBLE_DIGITS);
    }
}

static void print_wide_trajectory(const struct export *e, uint64_t point, const float *values) {
    for (int t = 0; t < e->schema->n_times; t++) {
        fprintf(e->stream, "%" PRIu64 ",%.17g", point, e->schema->times[t]);
        for (int k = 0; k < e->schema->n_states; k++) {
            fputc(',', e->stream);
            ks_output_number(e->stream, (double)*values++, FLOAT_DIGITS);
        }
        fputc('\n', e->stream);
    }
}

static void print_wide(const struct export *e, uint64_t point, const struct ks_rows *rows, size_t row) {
    const struct ks_schema *s = e->schema;
    if (e->choice->trajectories) {
        print_wide_trajectory(e, point, &rows->trajectories[row * (size_t)s->n_times * (size_t)s->n_states]);
        return;
    }
    fprintf(e->stream, "%" PRIu64, point);
    if (e->choice->inputs)
        print_values(e->stream, s->n_parameters, &rows->inputs[row * (size_t)s->n_parameters]);
    if (e->choice->endpoints)
        print_values(e->stream, s->n_endpoints, &rows->endpoints[row * (size_t)s->n_endpoints]);
    if (e->choice->status)
        fprintf(e->stream, ",%s,%" PRIu32, status_name(s, rows->status[row]), rows->steps[row]);
    fputc('\n', e->stream);
}

/* ---- long: a line per number -------------------------------------------------------------------------------- */

static void print_long_columns(const struct export *e, uint64_t point, int n, const struct ks_column *columns,
                               const double *values) {
    for (int i = 0; i < n; i++) {
        fprintf(e->stream, "%" PRIu64 ",.,.,%s,", point, columns[i].name);
        ks_output_number(e->stream, values[i], DOUBLE_DIGITS);
        fputc('\n', e->stream);
    }
}

static void print_long_trajectory(const struct export *e, uint64_t point, const float *values) {
    const struct ks_schema *s = e->schema;
    for (int t = 0; t < s->n_times; t++)
        for (int k = 0; k < s->n_states; k++) {
            fprintf(e->stream, "%" PRIu64 ",.,%.17g,%s,", point, s->times[t], s->states[k].name);
            ks_output_number(e->stream, (double)*values++, FLOAT_DIGITS);
            fputc('\n', e->stream);
        }
}

static void print_long(const struct export *e, uint64_t point, const struct ks_rows *rows, size_t row) {
    const struct ks_schema *s = e->schema;
    if (e->choice->inputs)
        print_long_columns(e, point, s->n_parameters, s->parameters,
                           &rows->inputs[row * (size_t)s->n_parameters]);
    if (e->choice->endpoints)
        print_long_columns(e, point, s->n_endpoints, s->endpoints,
                           &rows->endpoints[row * (size_t)s->n_endpoints]);
    if (e->choice->trajectories)
        print_long_trajectory(e, point, &rows->trajectories[row * (size_t)s->n_times * (size_t)s->n_states]);
}

/* ---- the command -------------------------------------------------------------------------------------------- */

static int export_round(ks_store *store, const struct export *e, const struct ks_round *round,
                        uint64_t capacity, struct ks_rows *rows) {
    uint64_t first_point = ks_store_first_point(&e->schema->share);
    for (uint64_t done = 0; done < round->n_rows;) {
        uint64_t left = round->n_rows - done, count = left < capacity ? left : capacity;
        uint64_t first = round->first_row + done;
        KS_TRY(ks_store_read_rows(store, first, count, rows));
        for (uint64_t i = 0; i < count; i++)
            (e->is_long ? print_long : print_wide)(e, first_point + first + i, rows, (size_t)i);
        done += count;
    }
    return KS_OK;
}

static int export_rounds(ks_store *store, const struct export *e) {
    struct ks_round *rounds = NULL;
    struct ks_rows rows = {0};
    size_t n_rounds;
    uint64_t capacity;
    if (e->is_long) {
        fprintf(e->stream, "ID,ARM,TIME,NAME,VALUE\n");
    } else {
        print_wide_line(e, true);
        print_wide_line(e, false);
    }
    int err = ks_store_read_rounds(store, &n_rounds, &rounds);
    if (err == KS_OK) err = ks_store_allocate_block(e->schema, &capacity, &rows);
    if (!e->choice->trajectories) { /* most of the bytes: not read for nothing */
        free(rows.trajectories);
        rows.trajectories = NULL;
    }
    for (size_t i = 0; err == KS_OK && i < n_rounds; i++)
        err = export_round(store, e, &rounds[i], capacity, &rows);
    ks_store_release_rows(&rows);
    free(rounds);
    return err;
}

static int choose(const struct ks_arguments *arguments, struct export *e) {
    const char *name = arguments->dataset ? arguments->dataset : "all";
    for (int i = 0; i < N_CHOICES; i++)
        if (strcmp(choices[i].name, name) == 0) e->choice = &choices[i];
    KS_ASSERT(e->choice != NULL); /* one that the table of commands allows */
    KS_CHECK(!e->choice->trajectories || e->schema->n_states > 0, KS_ERR_USAGE, "%s has no trajectories",
             arguments->operand);
    KS_CHECK(!e->is_long || e->choice->inputs || e->choice->endpoints || e->choice->trajectories,
             KS_ERR_USAGE, "--long has no line for --dataset %s", name);
    return KS_OK;
}

static int export_store(ks_store *store, const struct ks_arguments *arguments) {
    struct export e = {.schema = ks_store_schema(store), .is_long = arguments->is_long};
    KS_TRY(choose(arguments, &e));
    KS_TRY(ks_output_open(arguments, &e.stream));
    int err = export_rounds(store, &e), err_close = ks_output_close(e.stream, arguments->output);
    return err < 0 ? err : err_close;
}

int ks_export_command(const struct ks_arguments *arguments) {
    ks_store *store;
    const char *name = arguments->dataset ? arguments->dataset : "";
    if (strcmp(name, "cohort") == 0 || strcmp(name, "trial") == 0) return ks_export_tables(arguments);
    KS_TRY(ks_store_open(&store, arguments->operand));
    int status = export_store(store, arguments), err = ks_store_close(&store);
    return status < 0 ? status : err < 0 ? err : status;
}
