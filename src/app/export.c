/* `ketsweep export`: committed rows as CSV that R and pandas read as they are: one header line of plain names, the
 * units in a # line above it. */
#include "app/app_impl.h"
#include "base/error.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_ROWS = 1024 };

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

static void print_number(FILE *stream, double value) {
    if (isnan(value))
        fprintf(stream, "NaN");
    else
        fprintf(stream, "%.17g", value);
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
        print_number(stream, values[i]);
    }
}

static void print_wide_trajectory(const struct export *e, uint64_t point, const float *values) {
    for (int t = 0; t < e->schema->n_times; t++) {
        fprintf(e->stream, "%" PRIu64 ",%.17g", point, e->schema->times[t]);
        for (int k = 0; k < e->schema->n_states; k++)
            fprintf(e->stream, ",%.9g", (double)values[t * e->schema->n_states + k]);
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
        fprintf(e->stream, ",%s,%" PRIu32, ks_status_names[rows->status[row]], rows->steps[row]);
    fputc('\n', e->stream);
}

/* ---- long: a line per number -------------------------------------------------------------------------------- */

static void print_long_columns(const struct export *e, uint64_t point, int n, const struct ks_column *columns,
                               const double *values) {
    for (int i = 0; i < n; i++) {
        fprintf(e->stream, "%" PRIu64 ",.,.,%s,", point, columns[i].name);
        print_number(e->stream, values[i]);
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
    for (int t = 0; e->choice->trajectories && t < s->n_times; t++)
        for (int k = 0; k < s->n_states; k++)
            fprintf(e->stream, "%" PRIu64 ",.,%.17g,%s,%.9g\n", point, s->times[t], s->states[k].name,
                    (double)rows->trajectories[(row * (size_t)s->n_times + (size_t)t) * (size_t)s->n_states +
                                               (size_t)k]);
}

/* ---- the command -------------------------------------------------------------------------------------------- */

static int export_round(ks_store *store, const struct export *e, const struct ks_round *round,
                        struct ks_rows *rows) {
    for (uint64_t done = 0; done < round->n_rows;) {
        uint64_t left = round->n_rows - done, count = left < BLOCK_ROWS ? left : BLOCK_ROWS;
        uint64_t first = round->first_row + done;
        KS_TRY(ks_store_read_rows(store, first, count, rows));
        for (uint64_t i = 0; i < count; i++)
            (e->is_long ? print_long : print_wide)(e, first + i, rows, (size_t)i);
        done += count;
    }
    return KS_OK;
}

static int export_rounds(ks_store *store, const struct export *e) {
    struct ks_round *rounds = NULL;
    struct ks_rows rows = {0};
    size_t n_rounds;
    if (e->is_long) {
        fprintf(e->stream, "ID,ARM,TIME,NAME,VALUE\n");
    } else {
        print_wide_line(e, true);
        print_wide_line(e, false);
    }
    int err = ks_store_read_rounds(store, &n_rounds, &rounds);
    if (err == KS_OK) err = ks_store_allocate_rows(e->schema, BLOCK_ROWS, &rows);
    for (size_t i = 0; err == KS_OK && i < n_rounds; i++) err = export_round(store, e, &rounds[i], &rows);
    ks_store_release_rows(&rows);
    free(rounds);
    return err;
}

static int choose(const struct ks_arguments *arguments, struct export *e) {
    const char *name = arguments->dataset ? arguments->dataset : "all";
    KS_CHECK(arguments->format == NULL || strcmp(arguments->format, "csv") == 0, KS_ERR_USAGE,
             "--format is csv, found \"%s\"", arguments->format);
    for (int i = 0; i < N_CHOICES; i++)
        if (strcmp(choices[i].name, name) == 0) e->choice = &choices[i];
    KS_CHECK(e->choice != NULL, KS_ERR_USAGE,
             "--dataset is all, inputs, endpoints, status or trajectories, found \"%s\"", name);
    KS_CHECK(!e->choice->trajectories || e->schema->n_states > 0, KS_ERR_USAGE, "%s has no trajectories",
             arguments->operand);
    KS_CHECK(!e->is_long || e->choice->inputs || e->choice->endpoints || e->choice->trajectories,
             KS_ERR_USAGE, "--long has no line for --dataset %s", name);
    return KS_OK;
}

static int export_store(ks_store *store, const struct ks_arguments *arguments) {
    struct export e = {.schema = ks_store_schema(store), .is_long = arguments->is_long, .stream = stdout};
    KS_TRY(choose(arguments, &e));
    if (arguments->output != NULL) e.stream = fopen(arguments->output, "w");
    KS_CHECK(e.stream != NULL, KS_ERR_USAGE, "cannot write %s: %s", arguments->output, strerror(errno));
    int err = export_rounds(store, &e);
    bool is_written = fflush(e.stream) == 0 && !ferror(e.stream);
    if (e.stream != stdout) is_written = fclose(e.stream) == 0 && is_written;
    KS_TRY(err);
    KS_CHECK(is_written, KS_ERR_IO, "cannot write the CSV: %s", strerror(errno));
    return 0;
}

static int run_command(const struct ks_arguments *arguments) {
    ks_store *store;
    KS_TRY(ks_store_open(&store, arguments->operand));
    int status = export_store(store, arguments), err = ks_store_close(&store);
    return status < 0 ? status : err < 0 ? err : status;
}

const struct ks_command ks_command_export = {
    .name = "export",
    .operand = "FILE",
    .summary = "committed rows as CSV",
    .options = "output dataset format long",
    .help =
        "  -o, --output FILE   where to; default: standard output\n"
        "  --dataset NAME      all (default: inputs, endpoints, status), inputs, endpoints, status, "
        "trajectories\n"
        "  --long              ID,ARM,TIME,NAME,VALUE: a line per number; . where there is no arm or time\n"
        "  --format csv\n\n"
        "Examples:\n  ketsweep export sweep.h5 -o sweep.csv\n"
        "  ketsweep export sweep.h5 --dataset trajectories --long > long.csv\n",
    .run = run_command,
};
