/* Correlation by a Gaussian copula: u -> z = Phi^-1(u) -> L z -> Phi, with L the Cholesky factor of the
 * correlations between the normal scores. */
#include "base/normal.h"
#include "design/design.h"
#include "design/design_impl.h"

#include <math.h>

/* A pivot is what the variables before it leave unexplained of a variance of 1; below this it is rounding. */
static const double SMALLEST_PIVOT = 1e-12;

bool ks_design_factorise(int n, double *matrix) {
    for (int i = 0; i < n; i++) {
        double *row = &matrix[(size_t)i * (size_t)n];
        for (int j = 0; j <= i; j++) {
            const double *other = &matrix[(size_t)j * (size_t)n];
            double rest = row[j];
            for (int k = 0; k < j; k++) rest -= row[k] * other[k];
            if (j < i)
                row[j] = rest / other[j];
            else if (rest > SMALLEST_PIVOT)
                row[i] = sqrt(rest);
            else
                return false;
        }
        for (int j = i + 1; j < n; j++) row[j] = 0;
    }
    return true;
}

/* From the last row upwards, since a row needs the original numbers of those before it; so no second array is
 * needed. A row without correlations keeps its number as it is, and with it its strata. */
void ks_copula_join_uniforms(int n, const double *factor, double *u) {
    for (int i = n - 1; i > 0; i--) {
        const double *row = &factor[(size_t)i * (size_t)n];
        double score = 0;
        bool is_joined = false;
        for (int j = 0; j < i; j++) {
            if (row[j] == 0) continue;
            is_joined = true;
            score += row[j] * ks_normal_quantile(u[j]);
        }
        if (!is_joined) continue;
        score += row[i] * ks_normal_quantile(u[i]);
        u[i] = fmin(fmax(ks_normal_share(score), 0x1p-53), 1 - 0x1p-53);
    }
}
