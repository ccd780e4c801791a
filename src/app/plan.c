/* What a campaign will cost: a calibration of about a second, and the ranks and time of a job that fit it. */
#include "app/app_impl.h"
#include "base/error.h"

#include <math.h>
#include <time.h>

enum { CALIBRATION_POINTS = 1 << 20, TARGET_JOB_SECONDS = 1800 };

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

uint64_t ks_plan_spread(uint64_t i, uint64_t n_wanted, uint64_t n) {
    if (n_wanted >= n) return i % n;
    double share = fmod((double)i * 0.61803398874989485, 1.0);
    return (uint64_t)(share * (double)n);
}

/* Slices spread over the whole design. */
int ks_plan_calibrate(struct ks_work *work, double *seconds_per_point) {
    uint64_t n = work->schema.n_points, done = 0;
    uint64_t slice = work->slice < work->capacity ? work->slice : work->capacity;
    double start = now(), seconds = 0;
    for (uint64_t i = 0; done < n && done < CALIBRATION_POINTS && seconds < 1; i++, done += slice) {
        KS_TRY(ks_work_simulate(work, ks_plan_spread(i, 1, n - slice + 1), &slice));
        ks_work_clear(work);
        seconds = now() - start;
    }
    *seconds_per_point = seconds / (double)done;
    return KS_OK;
}

/* Slower nodes, start and writing. */
static const double slower = 1.3;

double ks_plan_seconds(double core_seconds, double ranks) {
    return slower * core_seconds / ranks + 1;
}

static double job_minutes(double core_seconds, double ranks) {
    return ceil(slower * core_seconds / ranks / 60) + 2;
}

double ks_plan_ranks_for_a_minute(double core_seconds, uint64_t n_points) {
    enum { MOST = 4096 };
    double ranks = 1;
    while (ks_plan_seconds(core_seconds, ranks) > 60 && ranks < MOST && 2 * ranks <= (double)n_points)
        ranks *= 2;
    return ranks;
}

const char *ks_plan_print_work(double core_seconds, char *text) {
    if (core_seconds < 100)
        snprintf(text, 32, "%.0f core-seconds", core_seconds);
    else if (core_seconds < 6000)
        snprintf(text, 32, "%.0f core-minutes", core_seconds / 60);
    else
        snprintf(text, 32, "%.3g core-hours", core_seconds / 3600);
    return text;
}

struct ks_plan ks_plan_job(double core_seconds, uint64_t n_points, double minutes, double most_ranks) {
    double seconds = minutes > 0 ? 60 * fmax(minutes - 2, 0.5) / slower : TARGET_JOB_SECONDS;
    double ranks = fmin(ceil(core_seconds / seconds), (double)n_points);
    if (most_ranks > 0) ranks = fmin(ranks, most_ranks);
    ranks = fmax(ranks, 1);
    return (struct ks_plan){ranks, minutes > 0 ? minutes : job_minutes(core_seconds, ranks)};
}

const char *ks_plan_print_time(double minutes, char *text) {
    snprintf(text, 32, "%02.0f:%02.0f:00", floor(minutes / 60), fmod(minutes, 60));
    return text;
}
