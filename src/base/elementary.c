/* log by the series of artanh: x = m 2^e with m in [sqrt(1/2), sqrt(2)), log m = 2 artanh((m - 1) / (m + 1)); the
 * argument is at most 0.172, so that eleven terms reach 1e-17. frexp and the basic operations are exact or correctly
 * rounded everywhere. */
#include "base/elementary.h"

#include "base/lanes.h"

#include <math.h>

double ks_elementary_exp(double x) {
    return ks_lane_exp(x); /* one lane here */
}

double ks_elementary_log(double x) {
    int exponent;
    double m = frexp(x, &exponent);
    if (m < 0.70710678118654752) {
        m *= 2;
        exponent--;
    }
    double s = (m - 1) / (m + 1), square = s * s, sum = 0;
    for (int k = 23; k >= 3; k -= 2) sum = (sum + 1.0 / k) * square;
    double ln2_high = 0x1.62e42fefa3800p-1, ln2_low = 0x1.ef35793c76730p-45;
    return exponent * ln2_high + (2 * s + (2 * s * sum + exponent * ln2_low));
}
