/* The names and meanings of the status codes, from their one table. */
#include "base/status.h"

const char *const ks_status_names[KS_N_STATUSES] = {
#define X(name, code, meaning) [code] = #name,
    KS_STATUS_TABLE(X)
#undef X
};

const char *const ks_status_meanings[KS_N_STATUSES] = {
#define X(name, code, meaning) [code] = meaning,
    KS_STATUS_TABLE(X)
#undef X
};
