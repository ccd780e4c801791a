/* What a page says of a column of numbers, in two passes over its rows, block by block, in memory that does not depend on
 * their number.
 *
 * Quantiles are of all rows. The first pass counts numbers by the leading 14 bits of their value as a float, the second
 * those around the quantiles by 12 bits more, with the least and largest value of each such bin: a quantile is exact where
 * the bin holds two values at most, and else within 1e-5 of its size. */
#ifndef KS_REPORT_DIGEST_H
#define KS_REPORT_DIGEST_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

enum { KS_DIGEST_BINS = 40, KS_DIGEST_QUANTILES = 5 };

extern const double ks_digest_shares[KS_DIGEST_QUANTILES]; /* 0.05, 0.25, 0.5, 0.75, 0.95 */

struct ks_digest {
    uint64_t n;                            /* numbers; the rest is missing */
    double low, high;                      /* NaN where there is no number, like all that follows */
    double mean, sd;                       /* of the population */
    double quantiles[KS_DIGEST_QUANTILES]; /* linear between order statistics */
    double edges[KS_DIGEST_BINS + 1];      /* equal steps from low to high; +-0.5 around a single value */
    uint64_t counts[KS_DIGEST_BINS];       /* the last bin holds its upper edge */
};

typedef struct ks_digester ks_digester;

int ks_digest_create(ks_digester **digester, int n_columns);
void ks_digest_destroy(ks_digester **digester);

/* First pass over all rows, then second; values [n_rows][n_columns]. */
void ks_digest_look(ks_digester *digester, size_t n_rows, const double *values);
int ks_digest_settle(ks_digester *digester);
void ks_digest_count(ks_digester *digester, size_t n_rows, const double *values);

/* The range of a column after the first pass is known already; the rest after the second. [n_columns] */
const struct ks_digest *ks_digest_finish(ks_digester *digester);

#endif
