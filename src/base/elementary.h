/* Elementary functions whose bits do not depend on the C library, for numbers that are stored. */
#ifndef KS_BASE_ELEMENTARY_H
#define KS_BASE_ELEMENTARY_H

/* The natural logarithm of x > 0, to 1 unit in the last place. */
double ks_elementary_log(double x);

/* exp(x) for |x| <= 700, to 1 unit in the last place. */
double ks_elementary_exp(double x);

#endif
