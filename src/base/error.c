/* The error trace of a thread: one sentence and the places it passed on its way up. It is the program's only mutable
 * state that no struct holds, so that an error can be raised where nothing else is at hand. */
#include "base/error.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>

enum { MAX_PLACES = 24, MESSAGE_SIZE = 4096 };

struct place {
    const char *file;
    int line;
};

static _Thread_local struct {
    int code;
    char message[MESSAGE_SIZE];
    bool is_printed;
    int n_places;
    struct place places[MAX_PLACES];
} trace;

static void (*abort_handler)(void); /* set once by main before any work */

static void add_place(const char *file, int line) {
    if (trace.n_places < MAX_PLACES) trace.places[trace.n_places++] = (struct place){file, line};
}

int ks_error_raise(int code, const char *file, int line, const char *format, ...) {
    if (trace.code == KS_OK) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(trace.message, sizeof trace.message, format, arguments);
        va_end(arguments);
        trace.code = code;
        add_place(file, line);
    }
    return code;
}

int ks_error_pass(int code, const char *file, int line) {
    add_place(file, line);
    return code;
}

const char *ks_error_message(void) {
    return trace.message;
}

void ks_error_print(FILE *stream) {
    if (trace.is_printed) return;
    trace.is_printed = true;
    fprintf(stream, "ketsweep: error: %s\n", trace.message);
    if (trace.code == KS_ERR_USAGE) return;
    for (int i = 0; i < trace.n_places; i++)
        fprintf(stream, "    %s %s:%d\n", i == 0 ? "at" : "by", trace.places[i].file, trace.places[i].line);
}

void ks_error_clear(void) {
    trace.code = KS_OK;
    trace.message[0] = '\0';
    trace.is_printed = false;
    trace.n_places = 0;
}

void ks_error_set_abort(void (*handler)(void)) {
    abort_handler = handler;
}

void ks_error_bug(const char *file, int line, const char *condition) {
    fprintf(stderr, "ketsweep: bug: %s:%d: this does not hold: %s\n", file, line, condition);
    if (abort_handler) abort_handler();
    abort();
}
