/* How far a campaign has come, for people: one line redrawn on a terminal, a line every 30 s in a log. */
#include "app/app_impl.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

static const double terminal_seconds = 0.2, log_seconds = 30;

const char *ks_progress_duration(double seconds, char *text) {
    if (!isfinite(seconds))
        snprintf(text, 32, "unknown");
    else if (seconds < 1)
        snprintf(text, 32, "%.2f s", seconds);
    else if (seconds < 120)
        snprintf(text, 32, "%.0f s", seconds);
    else if (seconds < 7200)
        snprintf(text, 32, "%.0f min", seconds / 60);
    else if (seconds < 172800)
        snprintf(text, 32, "%.1f h", seconds / 3600);
    else
        snprintf(text, 32, "%.1f d", seconds / 86400);
    return text;
}

const char *ks_progress_count(uint64_t n, char *text) {
    char digits[32];
    int length = snprintf(digits, sizeof digits, "%" PRIu64, n), used = 0;
    for (int i = 0; i < length; i++) {
        text[used++] = digits[i];
        if (i + 1 < length && (length - 1 - i) % 3 == 0) text[used++] = ',';
    }
    text[used] = '\0';
    return text;
}

const char *ks_progress_bytes(double bytes, char *text) {
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
    int i = 0;
    for (; bytes >= 1000 && i < 5; i++) bytes /= 1000;
    snprintf(text, 32, bytes < 10 && i > 0 ? "%.1f %s" : "%.0f %s", bytes, units[i]);
    return text;
}

void ks_progress_begin(struct ks_progress *progress, FILE *stream, uint64_t n_before) {
    progress->stream = stream;
    progress->n_before = n_before;
    progress->is_terminal = stream != NULL && isatty(fileno(stream));
    progress->last_seconds = -INFINITY;
}

void ks_progress_show(struct ks_progress *progress, const struct ks_farm_progress *state, uint64_t n_failed) {
    double interval = progress->is_terminal ? terminal_seconds : log_seconds;
    if (progress->stream == NULL || state->seconds - progress->last_seconds < interval) return;
    bool is_first = isinf(progress->last_seconds);
    progress->last_seconds = state->seconds;
    if (is_first && !progress->is_terminal) return; /* nothing to tell yet */
    uint64_t n_all = progress->n_before + state->n_points, n_done = progress->n_before + state->n_done;
    double rate = (double)state->n_done / fmax(state->seconds, 1e-9);
    char left[32];
    ks_progress_duration((double)(state->n_points - state->n_done) / rate, left);
    fprintf(progress->stream,
            "%s%" PRIu64 " of %" PRIu64 " points (%.0f %%), %.3g points/s, %" PRIu64 " failed, %s left%s",
            progress->is_terminal ? "\r\033[K" : "", n_done, n_all, 100.0 * (double)n_done / (double)n_all,
            rate, n_failed, left, progress->is_terminal ? "" : "\n");
    fflush(progress->stream);
}

void ks_progress_end(struct ks_progress *progress) {
    if (progress->stream != NULL && progress->is_terminal) fprintf(progress->stream, "\r\033[K");
}
