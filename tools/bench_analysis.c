/* How fast Sobol' indices are computed, from rows in memory: bench_analysis CASE, where CASE is
 *
 *   bootstrap  N = 2^14, D = 20, first and total order, 1,000 resamples, 8 outputs
 *   courses    the same rows with 100 states at 100 times, intervals from the scrambles
 *
 * Prints seconds of the processor, seconds per output, and the largest memory in MB. */
#include "analysis/analysis.h"
#include "base/memory.h"
#include "base/status.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { P = 20, N_BASES = 1 << 14, N_OUTPUTS = 8, N_STATES = 100, N_TIMES = 100, N_PARTS = 3 };

struct rows {
    float *parts;   /* [n_points][N_PARTS] of which every output is made */
    float *weights; /* [N_PARTS][N_TIMES N_STATES] */
    double read_seconds;
};

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); /* a shared machine only ever adds to the wall's */
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Sums and products of all parameters. */
static void fill_parts(const struct ks_design *design, struct rows *rows) {
    for (uint64_t i = 0; i < design->n_points; i++) {
        double u[P], sum = 0, product = 1, square = 0;
        ks_design_uniforms(design, i, u);
        for (int k = 0; k < P; k++) {
            sum += u[k] / (k + 1);
            product *= 1 + (u[k] - 0.5) / (k + 1);
            square += u[k] * u[k];
        }
        float *parts = &rows->parts[i * N_PARTS];
        parts[0] = (float)sum;
        parts[1] = (float)product;
        parts[2] = (float)square;
    }
}

static int read_rows(void *source, uint64_t first, uint64_t count, struct ks_rows *to) {
    struct rows *rows = source;
    double start = now();
    if (to->status != NULL) memset(to->status, KS_STATUS_done, count);
    for (uint64_t i = 0; i < count; i++) {
        const float *parts = &rows->parts[(first + i) * N_PARTS];
        for (int k = 0; to->endpoints != NULL && k < N_OUTPUTS; k++)
            to->endpoints[i * N_OUTPUTS + (uint64_t)k] = (double)(parts[0] + (float)k * parts[1] + parts[2]);
        if (to->trajectories == NULL) continue;
        float *values = &to->trajectories[i * N_TIMES * N_STATES];
        for (int c = 0; c < N_TIMES * N_STATES; c++)
            values[c] = parts[0] * rows->weights[c] + parts[1] * rows->weights[N_TIMES * N_STATES + c] +
                        parts[2] * rows->weights[2 * N_TIMES * N_STATES + c];
    }
    rows->read_seconds += now() - start;
    return KS_OK;
}

static int run(bool is_bootstrap) {
    struct ks_variable variables[P] = {0};
    struct ks_design design = {
        .kind = KS_DESIGN_saltelli, .n_bases = N_BASES, .seed = 1, .n_variables = P, .variables = variables};
    struct rows rows = {0};
    struct ks_results results;
    design.n_points = ks_design_count_points(&design);
    KS_ALLOCATE(rows.parts, design.n_points * N_PARTS);
    KS_ALLOCATE(rows.weights, (size_t)N_PARTS * N_TIMES * N_STATES);
    for (int c = 0; c < N_PARTS * N_TIMES * N_STATES; c++) rows.weights[c] = (float)(1 + c % 977);
    fill_parts(&design, &rows);
    const struct ks_schema schema = {.n_points = design.n_points,
                                     .n_parameters = P,
                                     .n_endpoints = is_bootstrap ? N_OUTPUTS : 0,
                                     .n_times = is_bootstrap ? 0 : N_TIMES,
                                     .n_states = is_bootstrap ? 0 : N_STATES};
    const struct ks_study study = {.read = read_rows,
                                   .source = &rows,
                                   .schema = &schema,
                                   .design = &design,
                                   .method = KS_METHOD_sobol,
                                   .n_resamples = is_bootstrap ? 1000 : 0,
                                   .with_trajectories = true};
    double start = now();
    KS_TRY(ks_analysis_run(&study, &results));
    double seconds = now() - start - rows.read_seconds;
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    int n = is_bootstrap ? N_OUTPUTS : N_TIMES * N_STATES;
    printf("%.4f %.6f %.1f\n", seconds, seconds / n, (double)usage.ru_maxrss / 1024);
    ks_analysis_release(&results);
    free(rows.parts);
    free(rows.weights);
    return KS_OK;
}

int main(int argc, char **argv) {
    if (argc != 2 || (strcmp(argv[1], "bootstrap") != 0 && strcmp(argv[1], "courses") != 0)) {
        fprintf(stderr, "usage: bench_analysis bootstrap|courses\n");
        return 2;
    }
    int err = run(strcmp(argv[1], "bootstrap") == 0);
    if (err < 0) ks_error_print(stderr);
    return err < 0;
}
