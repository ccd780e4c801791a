/* The written-out LU of the model at each lane width that this build has. */
#ifndef KS_THERAPY_LINEAR_IMPL_H
#define KS_THERAPY_LINEAR_IMPL_H

#include "solver/solver.h"

#define KS_LINEAR_LANES_TABLE(X) X(1) X(2) X(4) X(8)

#define X(lanes) extern const struct ks_linear_program ks_linear_program_w##lanes;
KS_LINEAR_LANES_TABLE(X)
#undef X

#endif
