/* Agreement between ranks before collective calls, so that no rank waits for one that has failed. */
#ifndef KS_BASE_AGREE_H
#define KS_BASE_AGREE_H

#include "base/error.h"

#include <mpi.h>

/* Collective. Returns `err` where it is negative, KS_ERR_REMOTE where only another rank's is, else KS_OK. The
 * failed rank with the lowest number prints its error to stderr; every other stays silent. */
int ks_agree(MPI_Comm comm, int err);

/* Collective. The same after a call in which other ranks may wait for ever for one that failed in it, as they do in Open
 * MPI's collective writes: a rank with an error gives them some seconds, then prints it and ends the job. */
int ks_agree_or_abort(MPI_Comm comm, int err);

/* Raises KS_ERR_MPI with MPI's own sentence. */
int ks_agree_raise_mpi(int mpi_code, const char *file, int line);

/* Returns the error of an MPI call upwards. The communicator's error handler must be MPI_ERRORS_RETURN. */
#define KS_MPI(call)                                                                                \
    do {                                                                                            \
        int ks_mpi_code = (call);                                                                   \
        if (ks_mpi_code != MPI_SUCCESS) return ks_agree_raise_mpi(ks_mpi_code, __FILE__, __LINE__); \
    } while (0)

#endif
