/* Signals: those that ask the run to stop, and those of a crash.
 *
 * A handler sees nothing but globals, and may call hardly anything: the state below is the program's only such one
 * beside the error trace. A request to stop is noted, and stop.c acts on it; the second one ends the process at once,
 * unless it follows within half a second, as launchers and shells often send a signal twice. A crash is recorded in a
 * file beside the result, a line "FIRST COUNT SIGNAL" of the points that were in hand; then whatever handled the signal
 * before (Open MPI prints a trace) handles it. */
#define _XOPEN_SOURCE 700 /* sigaltstack() */
#include "app/app_impl.h"

#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const int stops[] = {SIGUSR1, SIGUSR2, SIGTERM, SIGINT, SIGHUP};
static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
enum { N_STOPS = sizeof stops / sizeof *stops, N_CRASHES = sizeof crashes / sizeof *crashes };

/* Of a handler of SIGSEGV where the stack itself has run out. */
enum { STACK_BYTES = 64 * 1024 };

static struct {
    volatile sig_atomic_t stop; /* the first signal that asked to stop, 0: none */
    struct timespec stopped_at;
    volatile uint64_t first, count; /* the points in hand; none: count = 0 */
    char crash_file[PATH_MAX];      /* "": nothing is recorded */
    struct sigaction before[N_CRASHES];
    char stack[STACK_BYTES];
    char guard[768]; /* what to say when a guarded call does not end */
} state;

/* ---- requests to stop --------------------------------------------------------------------------------------- */

static void note_stop(int number) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (state.stop == 0) {
        state.stop = number;
        state.stopped_at = now;
        return;
    }
    double seconds = (double)(now.tv_sec - state.stopped_at.tv_sec) +
                     1e-9 * (double)(now.tv_nsec - state.stopped_at.tv_nsec);
    if (seconds < 0.5) return;
    signal(number, SIG_DFL);
    raise(number); /* delivered when this handler returns */
}

int ks_signals_stop(void) {
    return state.stop;
}

const char *ks_signals_name(int number) {
    switch (number) {
    case SIGUSR1:
        return "SIGUSR1";
    case SIGUSR2:
        return "SIGUSR2";
    case SIGTERM:
        return "SIGTERM";
    case SIGINT:
        return "SIGINT";
    default:
        return "SIGHUP";
    }
}

bool ks_signals_is_urgent(int number) {
    return number == SIGTERM || number == SIGINT || number == SIGHUP;
}

/* ---- crashes ------------------------------------------------------------------------------------------------ */

/* Appends a number and the character after it to a text. */
static char *append_number(char *at, uint64_t number, char end) {
    char digits[24];
    int n = 0;
    do digits[n++] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    while (n > 0) *at++ = digits[--n];
    *at++ = end;
    return at;
}

void ks_signals_record_crash(int number) {
    char line[80], *end = line;
    if (state.count == 0 || state.crash_file[0] == '\0') return;
    end = append_number(end, state.first, ' ');
    end = append_number(end, state.count, ' ');
    end = append_number(end, (uint64_t)number, '\n');
    state.count = 0; /* once */
    int descriptor = open(state.crash_file, O_WRONLY | O_CREAT | O_APPEND, 0666);
    if (descriptor < 0) return;
    if (write(descriptor, line, (size_t)(end - line)) > 0) fsync(descriptor);
    close(descriptor);
}

static void note_crash(int number) {
    ks_signals_record_crash(number);
    for (int i = 0; i < N_CRASHES; i++)
        if (crashes[i] == number) sigaction(number, &state.before[i], NULL);
    raise(number); /* delivered when this handler returns */
}

void ks_signals_enter(uint64_t first, uint64_t count) {
    state.count = 0;
    state.first = first;
    state.count = count;
}

void ks_signals_leave(void) {
    state.count = 0;
}

void ks_signals_set_crash_file(const char *path) {
    snprintf(state.crash_file, sizeof state.crash_file, "%s", path);
}

/* ---- calls that may never end -------------------------------------------------------------------------------- */

static void end_guarded(int number) {
    (void)number;
    if (write(STDERR_FILENO, state.guard, strlen(state.guard)) < 0) _exit(KS_EXIT_FAILED);
    _exit(KS_EXIT_FAILED); /* the launcher ends the other ranks */
}

void ks_signals_guard(double seconds, const char *sentence) {
    snprintf(state.guard, sizeof state.guard, "\nketsweep: error: %s\n", sentence);
    if (seconds > 0) alarm((unsigned)(seconds < 1e9 ? ceil(seconds) : 1e9));
}

void ks_signals_end_guard(void) {
    alarm(0);
}

/* ---- both --------------------------------------------------------------------------------------------------- */

void ks_signals_install(void) {
    stack_t stack = {.ss_sp = state.stack, .ss_size = sizeof state.stack};
    struct sigaction stop = {.sa_handler = note_stop, .sa_flags = SA_RESTART};
    struct sigaction crash = {.sa_handler = note_crash, .sa_flags = SA_ONSTACK};
    sigemptyset(&stop.sa_mask);
    sigemptyset(&crash.sa_mask);
    sigaltstack(&stack, NULL);
    for (int i = 0; i < N_STOPS; i++) sigaction(stops[i], &stop, NULL);
    for (int i = 0; i < N_CRASHES; i++) sigaction(crashes[i], &crash, &state.before[i]);
    signal(SIGALRM, end_guarded);
    signal(SIGXFSZ, SIG_IGN); /* a limit on the size of files is an error of writing */
}

void ks_signals_isolate(void) {
    struct sigaction hang = {.sa_handler = note_crash, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&hang.sa_mask);
    sigaction(SIGALRM, &hang, NULL);
    for (int i = 0; i < N_CRASHES; i++) state.before[i] = (struct sigaction){.sa_handler = SIG_DFL};
    for (int i = 0; i < N_STOPS; i++) signal(stops[i], SIG_DFL);
}
