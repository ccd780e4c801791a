/* The standard normal distribution for numbers that are stored: bits that depend on neither library nor processor. */
#ifndef KS_BASE_NORMAL_H
#define KS_BASE_NORMAL_H

/* The share below z, with a relative error of 2e-15 for z >= -37 (where it is 6e-300); 0 below -38.6. */
double ks_normal_share(double z);

/* The z below which the share lies, 0 <= share <= 1, with a relative error of 1e-15; infinite at 0 and 1. */
double ks_normal_quantile(double share);

#endif
