/* Work and precision of the solvers, side by side in one run: `make bench` calls this with configs/demo.cfg.
 *
 *     bench_solver CONFIG [POINTS]
 *
 * The first points of the campaign are simulated by each solver, width and tolerance in turn, several times over; of
 * each the least processor time counts, since a shared machine only ever adds. Errors are against CVODE at rtol 1e-11:
 * of a patient the worst state over all trajectory times, in units of the state's range (at least its scale); of all
 * patients the median. The equilibrium is what the same patients cost with next to no course. */
#include "base/build_info.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/status.h"
#include "config/config.h"
#include "solver/sundials_impl.h"

#include <limits.h>
#include <math.h>
#include <nvector/nvector_serial.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sundials/sundials_version.h>
#include <time.h>

enum { N_TOLERANCES = 6, REPEATS = 3, MOST_SETTINGS = 64 };
static const double tolerances[N_TOLERANCES] = {1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8};
static const double reference_rtol = 1e-11, no_course = 1e-3; /* h */

/* Patients and their results. */
struct sample {
    const struct ks_campaign *campaign;
    int n, n_endpoints, n_times;
    int quantities[KS_N_STATES];
    double *parameters;             /* [n][KS_N_PARAMETERS] */
    double *endpoints, *course;     /* [n][n_endpoints], [n][n_times][KS_N_STATES] of the run in hand */
    double *true_endpoints, *truth; /* the same of the reference */
    struct ks_outcome *outcomes;    /* [n] */
};

struct setting {
    enum ks_solver_kind kind;
    int lanes;
    double rtol;
    double seconds, settle_seconds; /* per patient: all of it; the equilibrium alone */
    double error;                   /* median over patients of the worst state */
    double worst, endpoint_error;   /* over all patients: of a state; of an endpoint */
    double steps[2]; /* per patient, under treatment and to the equilibrium; of lanes that are busy */
    double useful;   /* share of lane steps whose lane is busy */
    int n_failed;
};

static double processor_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- patients ----------------------------------------------------------------------------------------------- */

static int draw_sample(struct sample *s, const struct ks_campaign *campaign, int n) {
    size_t count = (size_t)n;
    *s = (struct sample){
        .campaign = campaign, .n = n, .n_endpoints = campaign->n_endpoints, .n_times = campaign->n_times};
    for (int i = 0; i < KS_N_STATES; i++) s->quantities[i] = i;
    KS_ALLOCATE(s->parameters, count * KS_N_PARAMETERS);
    KS_ALLOCATE(s->endpoints, count * (size_t)s->n_endpoints);
    KS_ALLOCATE(s->true_endpoints, count * (size_t)s->n_endpoints);
    KS_ALLOCATE(s->course, count * (size_t)s->n_times * KS_N_STATES);
    KS_ALLOCATE(s->truth, count * (size_t)s->n_times * KS_N_STATES);
    KS_ALLOCATE(s->outcomes, count);
    double values[KS_N_PARAMETERS];
    for (int i = 0; i < n; i++) {
        double *vector = &s->parameters[(size_t)i * KS_N_PARAMETERS];
        memcpy(vector, campaign->parameters, KS_N_PARAMETERS * sizeof *vector);
        ks_design_point(&campaign->design, (uint64_t)i, values);
        for (int k = 0; k < campaign->design.n_variables; k++)
            vector[campaign->design.variables[k].parameter] = values[k];
    }
    return KS_OK;
}

static int create_therapy(const struct sample *s, const struct setting *setting, bool has_times,
                          ks_therapy **therapy) {
    const struct ks_campaign *campaign = s->campaign;
    const struct ks_therapy_plan plan = {
        .treatment = campaign->treatment,
        .n_endpoints = campaign->n_endpoints,
        .endpoints = campaign->endpoints,
        .n_times = has_times ? s->n_times : 0,
        .times = campaign->times,
        .n_quantities = has_times ? KS_N_STATES : 0,
        .quantities = s->quantities,
        .solver = {.kind = setting->kind, .rtol = setting->rtol, .max_steps = 10000000},
        .lanes = setting->lanes};
    return ks_therapy_create(therapy, &plan);
}

static int simulate(struct sample *s, ks_therapy *therapy, double horizon, double *seconds) {
    for (int i = 0; i < s->n; i++) {
        s->parameters[i * KS_N_PARAMETERS + KS_PARAMETER_horizon] = horizon;
        s->outcomes[i] =
            (struct ks_outcome){.endpoints = &s->endpoints[i * s->n_endpoints],
                                .trajectory = &s->course[(size_t)i * (size_t)s->n_times * KS_N_STATES]};
    }
    double start = processor_seconds();
    KS_TRY(ks_therapy_simulate(therapy, 0, s->n, s->parameters, s->outcomes));
    *seconds = (processor_seconds() - start) / s->n;
    return KS_OK;
}

/* ---- errors ------------------------------------------------------------------------------------------------- */

/* The largest difference of a state over a patient's course, in units of its range. */
static double state_error(const struct sample *s, int patient, int state) {
    double range = ks_state_scales[state], worst = 0;
    for (int t = 0; t < s->n_times; t++) {
        size_t i = ((size_t)patient * (size_t)s->n_times + (size_t)t) * KS_N_STATES + (size_t)state;
        range = fmax(range, fabs(s->truth[i]));
        worst = fmax(worst, fabs(s->course[i] - s->truth[i]));
    }
    return worst / range;
}

static int compare_numbers(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int measure_errors(const struct sample *s, struct setting *setting) {
    double *errors;
    KS_ALLOCATE(errors, (size_t)s->n);
    for (int i = 0; i < s->n; i++) {
        for (int k = 0; k < KS_N_STATES; k++) errors[i] = fmax(errors[i], state_error(s, i, k));
        setting->n_failed += ks_status_is_failure(s->outcomes[i].status);
        for (int e = 0; e < s->n_endpoints; e++) {
            double got = s->endpoints[i * s->n_endpoints + e],
                   wanted = s->true_endpoints[i * s->n_endpoints + e];
            bool is_number = s->campaign->endpoints[e].op != KS_OP_value ||
                             fabs(wanted) > 1e-6 * ks_quantities[s->campaign->endpoints[e].quantity].scale;
            double here = is_number ? fabs(got - wanted) / fmax(fabs(wanted), 1e-9) : 0;
            if (here > setting->endpoint_error) setting->endpoint_error = here;
        }
    }
    qsort(errors, (size_t)s->n, sizeof *errors, compare_numbers);
    setting->error = 0.5 * (errors[s->n / 2] + errors[(s->n - 1) / 2]);
    setting->worst = errors[s->n - 1];
    free(errors);
    return KS_OK;
}

/* ---- runs --------------------------------------------------------------------------------------------------- */

static int make_truth(struct sample *s) {
    const struct setting setting = {.kind = KS_SOLVER_cvode, .lanes = 1, .rtol = reference_rtol};
    ks_therapy *therapy;
    double seconds;
    KS_TRY(create_therapy(s, &setting, true, &therapy));
    int err = simulate(s, therapy, s->campaign->parameters[KS_PARAMETER_horizon], &seconds);
    ks_therapy_destroy(&therapy);
    memcpy(s->truth, s->course, (size_t)s->n * (size_t)s->n_times * KS_N_STATES * sizeof(double));
    memcpy(s->true_endpoints, s->endpoints, (size_t)s->n * (size_t)s->n_endpoints * sizeof(double));
    return err;
}

static int measure_times(struct sample *s, struct setting *setting, ks_therapy *therapy) {
    double seconds, settle_seconds;
    KS_TRY(simulate(s, therapy, no_course, &settle_seconds));
    KS_TRY(simulate(s, therapy, s->campaign->parameters[KS_PARAMETER_horizon], &seconds));
    setting->seconds = fmin(setting->seconds, seconds);
    setting->settle_seconds = fmin(setting->settle_seconds, settle_seconds);
    return KS_OK;
}

static void count_steps(const struct sample *s, struct setting *setting, const ks_therapy *therapy) {
    struct ks_solver_usage usage;
    uint64_t n_busy = 0, n_lane_steps = 0;
    for (int k = 0; k < 2; k++) {
        ks_therapy_usage(therapy, k, &usage);
        setting->steps[k] = (double)usage.n_busy / s->n;
        n_busy += usage.n_busy;
        n_lane_steps += usage.n_lane_steps;
    }
    setting->useful = (double)n_busy / (double)n_lane_steps;
}

static int measure_setting(struct sample *s, struct setting *setting, bool is_first) {
    ks_therapy *therapy;
    double seconds;
    if (is_first) {
        setting->seconds = setting->settle_seconds = INFINITY;
        KS_TRY(create_therapy(s, setting, true, &therapy));
        int err = simulate(s, therapy, s->campaign->parameters[KS_PARAMETER_horizon], &seconds);
        count_steps(s, setting, therapy);
        ks_therapy_destroy(&therapy);
        KS_TRY(err);
        KS_TRY(measure_errors(s, setting));
    }
    KS_TRY(create_therapy(s, setting, false, &therapy));
    int err = measure_times(s, setting, therapy);
    ks_therapy_destroy(&therapy);
    return err;
}

static int list_settings(struct setting *settings) {
    int n = 0;
    for (int i = 0; i < N_TOLERANCES; i++)
        settings[n++] = (struct setting){.kind = KS_SOLVER_cvode, .lanes = 1, .rtol = tolerances[i]};
    for (int lanes = 1; lanes <= ks_build_info_widest_lanes(); lanes *= 2)
        for (int i = 0; i < N_TOLERANCES; i++)
            settings[n++] =
                (struct setting){.kind = KS_SOLVER_rosenbrock, .lanes = lanes, .rtol = tolerances[i]};
    return n;
}

/* ---- the table ---------------------------------------------------------------------------------------------- */

static void print_settings(const struct setting *settings, int n) {
    printf("%-12s %5s %7s %12s %12s %12s %7s %7s %7s %9s %9s %9s\n", "solver", "lanes", "rtol", "patient/us",
           "equilib./us", "course/us", "steps", "steps", "useful", "error", "worst", "endpoints");
    for (int i = 0; i < n; i++) {
        const struct setting *s = &settings[i];
        printf("%-12s %5d %7.0e %12.1f %12.1f %12.1f %7.1f %7.1f %5.1f %% %9.1e %9.1e %9.1e",
               ks_solver_names[s->kind], s->lanes, s->rtol, 1e6 * s->seconds, 1e6 * s->settle_seconds,
               1e6 * (s->seconds - s->settle_seconds), s->steps[1], s->steps[0], 100 * s->useful, s->error,
               s->worst, s->endpoint_error);
        if (s->n_failed > 0) printf("  %d failed", s->n_failed);
        printf("\n");
    }
}

/* Seconds per patient at an achieved error, between the two tolerances that enclose it; NaN where none do. */
static double seconds_at(const struct setting *curve, double error, bool is_course) {
    for (int i = 1; i < N_TOLERANCES; i++) {
        const struct setting *a = &curve[i - 1], *b = &curve[i];
        if (!(a->error >= error && b->error <= error)) continue;
        double x = log(a->error / error) / log(a->error / b->error);
        double at_a = a->seconds - (is_course ? a->settle_seconds : 0),
               at_b = b->seconds - (is_course ? b->settle_seconds : 0);
        return at_a * pow(at_b / at_a, x);
    }
    return NAN;
}

static void print_ratios(const struct setting *settings, int n) {
    printf("times as fast as cvode at equal achieved error: whole patients (their courses alone)\n%5s",
           "lanes");
    for (int e = 4; e <= 6; e++) printf("%17s1e-%d", "", e);
    for (int i = N_TOLERANCES; i < n; i += N_TOLERANCES) {
        printf("\n%5d", settings[i].lanes);
        for (int e = 4; e <= 6; e++) {
            double error = pow(10, -e);
            printf("%12.1f (%5.1f)",
                   seconds_at(settings, error, false) / seconds_at(&settings[i], error, false),
                   seconds_at(settings, error, true) / seconds_at(&settings[i], error, true));
        }
    }
    printf("\n");
}

static int measure_all(struct sample *s) {
    static struct setting settings[MOST_SETTINGS];
    int n = list_settings(settings);
    KS_TRY(make_truth(s));
    for (int repeat = 0; repeat < REPEATS; repeat++)
        for (int i = 0; i < n; i++) KS_TRY(measure_setting(s, &settings[i], repeat == 0));
    print_settings(settings, n);
    print_ratios(settings, n);
    return KS_OK;
}

/* ---- which SUNDIALS ----------------------------------------------------------------------------------------- */

static double *volatile sink;

static double time_plain_sum(N_Vector x, N_Vector y, int n, int repeats) {
    double start = processor_seconds(), *a = N_VGetArrayPointer(x), *b = N_VGetArrayPointer(y);
    for (int r = 0; r < repeats; r++) {
        for (int i = 0; i < n; i++) b[i] = 0.5 * a[i] + 0.25 * b[i];
        sink = b;
    }
    return processor_seconds() - start;
}

static double time_library_sum(N_Vector x, N_Vector y, int repeats) {
    double start = processor_seconds();
    for (int r = 0; r < repeats; r++) N_VLinearSum(0.5, x, 0.25, y, y);
    return processor_seconds() - start;
}

/* The file that CVODE was loaded from; "the program itself" where it is linked in. */
static const char *find_library(char *path, size_t size) {
    char line[PATH_MAX + 100];
    snprintf(path, size, "the program itself");
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
        char *start = strchr(line, '/');
        if (start == NULL || strstr(start, "libsundials_cvode") == NULL) continue;
        start[strcspn(start, "\n")] = '\0';
        snprintf(path, size, "%s", start);
    }
    if (maps != NULL) fclose(maps);
    return path;
}

/* A library without optimisation needs several times a plain loop's time for a sum of vectors. */
static int print_sundials(void) {
    enum { N = 1000, TRIALS = 20, SUMS = 2000 };
    char version[32], path[PATH_MAX];
    double best_ratio = INFINITY;
    SUNContext context;
    KS_CHECK(SUNContext_Create(SUN_COMM_NULL, &context) == 0, KS_ERR_SOLVER, "SUNDIALS gives no context");
    N_Vector x = N_VNew_Serial(N, context), y = N_VNew_Serial(N, context);
    N_VConst(1, x);
    N_VConst(1, y);
    for (int i = 0; i < TRIALS; i++)
        best_ratio = fmin(best_ratio, time_library_sum(x, y, SUMS) / time_plain_sum(x, y, N, SUMS));
    N_VDestroy(x);
    N_VDestroy(y);
    SUNContext_Free(&context);
    SUNDIALSGetVersion(version, sizeof version);
    printf("SUNDIALS %s from %s: its vector sums take %.1f times a plain loop's time, so that it is %s\n",
           version, find_library(path, sizeof path), best_ratio,
           best_ratio < 2 ? "optimised" : "NOT OPTIMISED: ratios to it are worth nothing");
    return KS_OK;
}

static int run(const char *config, int n) {
    struct ks_campaign campaign;
    struct sample sample = {0};
    KS_TRY(print_sundials());
    KS_TRY(ks_config_load(config, 0, NULL, false, stderr, &campaign));
    int err = draw_sample(&sample, &campaign, n);
    if (err == KS_OK) err = measure_all(&sample);
    free(sample.parameters);
    free(sample.endpoints);
    free(sample.true_endpoints);
    free(sample.course);
    free(sample.truth);
    free(sample.outcomes);
    ks_config_release(&campaign);
    return err;
}

int main(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "usage: bench_solver CONFIG [POINTS]\n");
        return 2;
    }
    if (run(argv[1], argc > 2 ? atoi(argv[2]) : 64) == KS_OK) return 0;
    ks_error_print(stderr);
    return 1;
}
