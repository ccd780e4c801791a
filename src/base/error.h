/* Errors that end a run, and bugs.
 *
 * A function that can fail returns `int`: KS_OK (0), or a negative code after it has raised an error. The first
 * raise of a thread records code, place and sentence; each KS_TRY on the way up adds its place, so that the one rank
 * that speaks can print where it came from. Positive values are never errors: they are data (base/status.h).
 *
 * The owner of a resource calls an inner function that does the work, then releases and returns the first error. */
#ifndef KS_BASE_ERROR_H
#define KS_BASE_ERROR_H

#include <stdio.h>

enum ks_err {
    KS_OK = 0,
    KS_ERR_USAGE = -1,  /* the command line or the configuration is wrong: exit status 2 */
    KS_ERR_IO = -2,     /* a file cannot be read or written */
    KS_ERR_FORMAT = -3, /* a file is not what it should be */
    KS_ERR_HDF5 = -4,
    KS_ERR_MPI = -5,
    KS_ERR_MEMORY = -6,
    KS_ERR_SOLVER = -7, /* the solver's library refuses to work at all */
    KS_ERR_REMOTE = -8, /* another rank failed and has said why */
};

/* Records an error unless one is already recorded; returns `code`. */
__attribute__((format(printf, 4, 5))) int ks_error_raise(int code, const char *file, int line,
                                                         const char *format, ...);

/* Adds one place to the trace of the recorded error; returns `code`. */
int ks_error_pass(int code, const char *file, int line);

/* The sentence of the recorded error, "" if there is none. Valid until the next raise or clear of this thread. */
const char *ks_error_message(void);

/* Prints "ketsweep: error: SENTENCE", and for all but KS_ERR_USAGE the trace below it; once for each error. */
void ks_error_print(FILE *stream);

/* Forgets the recorded error of this thread. */
void ks_error_clear(void);

/* Prints the failed assertion and ends the job: through the handler (MPI_Abort) if one is set, else abort(). */
_Noreturn void ks_error_bug(const char *file, int line, const char *condition);
void ks_error_set_abort(void (*handler)(void));

/* Returns the error of `call` upwards, with this place in its trace. */
#define KS_TRY(call)                                                        \
    do {                                                                    \
        int ks_code = (call);                                               \
        if (ks_code < 0) return ks_error_pass(ks_code, __FILE__, __LINE__); \
    } while (0)

/* States what must hold; where it does not, returns `code` with the sentence that follows. */
#define KS_CHECK(condition, code, ...)                                                  \
    do {                                                                                \
        if (!(condition)) return ks_error_raise(code, __FILE__, __LINE__, __VA_ARGS__); \
    } while (0)

/* States what holds unless this program has a bug. */
#define KS_ASSERT(condition)                                            \
    do {                                                                \
        if (!(condition)) ks_error_bug(__FILE__, __LINE__, #condition); \
    } while (0)

#endif
