/* Where SUNDIALS 6 and 7 differ: how a context is made, and how CVODE is told to keep silent. */
#ifndef KS_SOLVER_SUNDIALS_IMPL_H
#define KS_SOLVER_SUNDIALS_IMPL_H

#include <cvode/cvode.h>

#if SUNDIALS_VERSION_MAJOR < 7
#define SUN_COMM_NULL NULL

static inline void ks_sundials_ignore(int code, const char *module, const char *function, char *message,
                                      void *self) {
    (void)code, (void)module, (void)function, (void)message, (void)self;
}

/* The library's failures come back as flags and become a status; its prose would only flood stderr. */
static inline int ks_sundials_silence(SUNContext context, void *cvode) {
    (void)context;
    return CVodeSetErrHandlerFn(cvode, ks_sundials_ignore, NULL);
}
#else
static inline int ks_sundials_silence(SUNContext context, void *cvode) {
    (void)cvode;
    return SUNContext_ClearErrHandlers(context);
}
#endif

#endif
