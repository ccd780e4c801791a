/* The rows behind Sobol' indices (Saltelli 2002, doi:10.1016/S0010-4655(02)00280-1): base row after base row, each as
 * blocks A, AB_1 .. AB_p, [BA_1 .. BA_p], B, where AB_i is A with the i-th value of B.
 *
 * A parameter's values in A and B are neighbouring dimensions of a Sobol' sequence: those listed first have the best ones (which
 * halves the error for Sobol's g-function, against A in the first half of the dimensions and B in the second). Base row b is point b / 16 under the
 * scramble b % 16, so that the rows are 16 independent and equal studies whatever their number is, a doubled study begins with the
 * rows of the smaller one, and the spread between the 16 tells the error of their mean. */
#include "design/design_impl.h"

void ks_saltelli_fill_uniforms(const struct ks_design *design, uint64_t i, double *u) {
    int p = design->n_variables;
    uint64_t n_rows = ks_design_layout(design).n_rows, base = i / n_rows, block = i % n_rows;
    uint64_t scramble = base % KS_DESIGN_SCRAMBLES, point = base / KS_DESIGN_SCRAMBLES;
    bool is_of_b = block > (uint64_t)p;             /* BA_i or B */
    int swapped = (int)((block - 1) % (uint64_t)p); /* of AB_i and BA_i */
    if (block == 0 || block == n_rows - 1) swapped = -1;
    for (int k = 0; k < p; k++) {
        bool takes_b = is_of_b != (k == swapped);
        u[k] = ks_sobol_uniform(design->seed, scramble, point, 2 * k + takes_b);
    }
}
