/* What became of a point of a campaign: the codes of the file's `status` column. A failed point is data, not an
 * error of the run (see base/error.h for those). The numbers are part of the file format. */
#ifndef KS_BASE_STATUS_H
#define KS_BASE_STATUS_H

/* X(name, code, what it means) */
#define KS_STATUS_TABLE(X)                                                       \
    X(not_run, 0, "not simulated yet")                                           \
    X(done, 1, "simulated")                                                      \
    X(not_depressed, 2, "simulated; the patient was not depressed at the start") \
    X(no_equilibrium, 3, "no drug-free equilibrium before treatment was found")  \
    X(step_limit, 4, "the solver reached solver.max_steps or its smallest step") \
    X(non_finite, 5, "a state became infinite or not a number")                  \
    X(crashed, 6, "the process died on this point")                              \
    X(bad_protocol, 7, "an impossible protocol, such as a dose that starts after the horizon")

enum ks_status {
#define X(name, code, meaning) KS_STATUS_##name = code,
    KS_STATUS_TABLE(X)
#undef X
        KS_N_STATUSES
};

static inline int ks_status_is_failure(int status) {
    return status >= KS_STATUS_no_equilibrium;
}

extern const char *const ks_status_names[KS_N_STATUSES];
extern const char *const ks_status_meanings[KS_N_STATUSES];

#endif
