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

/* Slices spread over the whole design. */
int ks_plan_calibrate(struct ks_work *work, double *seconds_per_point) {
    uint64_t n = work->schema.n_points, done = 0;
    uint64_t slice = work->slice < work->capacity ? work->slice : work->capacity;
    double start = now(), seconds = 0;
    for (uint64_t i = 0; done < n && done < CALIBRATION_POINTS && seconds < 1; i++, done += slice) {
        /* a stride by the golden ratio visits all parts of the range early */
        double share = fmod((double)i * 0.61803398874989485, 1.0);
        KS_TRY(ks_work_simulate(work, (uint64_t)(share * (double)(n - slice)), &slice));
        ks_work_clear(work);
        seconds = now() - start;
    }
    *seconds_per_point = seconds / (double)done;
    return KS_OK;
}

/* Slower nodes, start and writing. */
static double job_minutes(double core_seconds, double ranks) {
    return ceil(1.3 * core_seconds / ranks / 60) + 2;
}

struct ks_plan ks_plan_job(double core_seconds, uint64_t n_points, double minutes, double most_ranks) {
    double seconds = minutes > 0 ? 60 * fmax(minutes - 2, 0.5) / 1.3 : TARGET_JOB_SECONDS;
    double ranks = fmin(ceil(core_seconds / seconds), (double)n_points);
    if (most_ranks > 0) ranks = fmin(ranks, most_ranks);
    ranks = fmax(ranks, 1);
    return (struct ks_plan){ranks, minutes > 0 ? minutes : job_minutes(core_seconds, ranks)};
}

const char *ks_plan_print_time(double minutes, char *text) {
    snprintf(text, 32, "%02.0f:%02.0f:00", floor(minutes / 60), fmod(minutes, 60));
    return text;
}
