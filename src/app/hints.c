/* The hints of a configuration as MPI-IO takes them. */
#include "app/app_impl.h"
#include "base/agree.h"
#include "base/error.h"

#include <string.h>

static int set_hint(MPI_Info hints, const char *path, const char *hint) {
    char name[MPI_MAX_INFO_KEY + 1];
    size_t n = strcspn(hint, "="), n_value = strlen(hint + n + 1);
    KS_CHECK(n < MPI_MAX_INFO_KEY && n_value > 0 && n_value < MPI_MAX_INFO_VAL, KS_ERR_USAGE,
             "%s: run.mpi_info.%.*s: this MPI takes names of 1 to %d and values of 1 to %d characters, found "
             "%zu and %zu",
             path, (int)n, hint, MPI_MAX_INFO_KEY - 1, MPI_MAX_INFO_VAL - 1, n, n_value);
    memcpy(name, hint, n);
    name[n] = '\0';
    KS_MPI(MPI_Info_set(hints, name, hint + n + 1));
    return KS_OK;
}

int ks_hints_create(const struct ks_campaign *campaign, MPI_Info *hints) {
    *hints = MPI_INFO_NULL;
    if (campaign->run.n_hints == 0) return KS_OK;
    KS_MPI(MPI_Info_create(hints));
    for (int i = 0; i < campaign->run.n_hints; i++)
        KS_TRY(set_hint(*hints, campaign->path, campaign->run.hints[i]));
    return KS_OK;
}

void ks_hints_release(MPI_Info *hints) {
    if (*hints != MPI_INFO_NULL) MPI_Info_free(hints);
}
