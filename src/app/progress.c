/* How far a campaign has come, for people: one line redrawn on a terminal, a line every 30 s in a log. */
#include "app/app_impl.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <sys/ioctl.h>
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

/* Characters of a line of the terminal; many where it does not say. */
static size_t line_width(const struct ks_progress *progress) {
    struct winsize size;
    bool is_known = progress->is_terminal && ioctl(fileno(progress->stream), TIOCGWINSZ, &size) == 0;
    return is_known && size.ws_col > 20 ? size.ws_col : SIZE_MAX;
}

/* A line that is redrawn must fit: what is least needed goes first, and the end is cut off. */
static void print_line(const struct ks_progress *progress, const char *count, const char *percent,
                       const char *rate, const char *rest) {
    enum { SIZE = 512 };
    char line[SIZE];
    const char *preview = progress->preview != NULL ? progress->preview : "";
    const char *dash = preview[0] != '\0' ? "; " : "";
    size_t width = line_width(progress);
    int n = snprintf(line, SIZE, "%s (%s), %s, %s%s%s", count, percent, rate, rest, dash, preview);
    if ((size_t)n >= width) n = snprintf(line, SIZE, "%s (%s), %s%s%s", count, percent, rest, dash, preview);
    if ((size_t)n >= width) snprintf(line, SIZE, "%s, %s%s%s", percent, rest, dash, preview);
    if (width <= SIZE) line[width - 1] = '\0';
    fprintf(progress->stream, "%s%s%s", progress->is_terminal ? "\r\033[K" : "", line,
            progress->is_terminal ? "" : "\n");
    fflush(progress->stream);
}

void ks_progress_show(struct ks_progress *progress, const struct ks_farm_progress *state, uint64_t n_failed) {
    double interval = progress->is_terminal ? terminal_seconds : log_seconds;
    if (progress->stream == NULL || state->seconds - progress->last_seconds < interval) return;
    bool is_first = isinf(progress->last_seconds);
    progress->last_seconds = state->seconds;
    if (is_first && !progress->is_terminal) return; /* nothing to tell yet */
    uint64_t n_all = progress->n_before + state->n_points, n_done = progress->n_before + state->n_done;
    double rate = (double)state->n_done / fmax(state->seconds, 1e-9);
    char count[96], percent[16], speed[32], rest[80], left[32];
    ks_progress_duration((double)(state->n_points - state->n_done) / rate, left);
    snprintf(count, sizeof count, "%" PRIu64 " of %" PRIu64 " points", n_done, n_all);
    snprintf(percent, sizeof percent, "%.0f %%", 100.0 * (double)n_done / (double)n_all);
    snprintf(speed, sizeof speed, "%.3g points/s", rate);
    snprintf(rest, sizeof rest, "%" PRIu64 " failed, %s left", n_failed, left);
    print_line(progress, count, percent, speed, rest);
}

void ks_progress_end(struct ks_progress *progress) {
    if (progress->stream != NULL && progress->is_terminal) fprintf(progress->stream, "\r\033[K");
}
