/* Elementary functions for numbers that are stored. Those of the C library differ between its versions, and choose
 * their code by the processor; these are made of operations that IEEE 754 rounds one way only, so that their bits
 * are the same everywhere. Errors are in units in the last place (ulp). */
#ifndef KS_BASE_ELEMENTARY_H
#define KS_BASE_ELEMENTARY_H

/* exp(x), to 1 ulp; 0 or INFINITY beyond the range of doubles. */
double ks_elementary_exp(double x);

/* The natural logarithm, to 2 ulp; -INFINITY at 0, NaN below. */
double ks_elementary_log(double x);

/* log(1 + x), to 2 ulp. */
double ks_elementary_log1p(double x);

/* x^(numerator / denominator) for x > 0 and a quotient > 0, to 1 ulp of the power of the exact quotient, so that a third of
 * 3 decades is a decade. */
double ks_elementary_power(double x, double numerator, double denominator);

/* sin(x), to 3 ulp for |x| <= 1e6; beyond, x is taken modulo the double nearest 2 pi. */
double ks_elementary_sin(double x);

#endif
