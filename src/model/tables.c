/* The tables of model.h, each from its one list, and look-up in them. */
#include "model/model.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

const struct ks_quantity_info ks_quantities[KS_N_QUANTITIES] = {
#define X(name, unit, module, scale, seed, description) {#name, unit, description, #module, scale, seed},
#include "model/states.def"
#undef X
#define X(name, unit, description) {#name, unit, description, "derived", 0, 0},
#include "model/quantities.def"
#undef X
};

const double ks_state_scales[KS_N_STATES] = {
#define X(name, unit, module, scale, seed, description) scale,
#include "model/states.def"
#undef X
};

const double ks_state_seeds[KS_N_STATES] = {
#define X(name, unit, module, scale, seed, description) seed,
#include "model/states.def"
#undef X
};

const struct ks_limits_info ks_limits[KS_N_LIMITS] = {
#define X(name, lowest, has_lowest, highest, has_highest, is_integer, words) \
    {lowest, highest, has_lowest, has_highest, is_integer, words},
    KS_LIMITS_TABLE(X)
#undef X
};

const struct ks_parameter_info ks_parameters[KS_N_PARAMETERS] = {
#define X(name, unit, limits, value, low, high, group, description, source, grade) \
    {#name, unit, KS_LIMITS_##limits, value, low, high, group, description, source, grade},
#include "model/parameters.def"
#undef X
};

const struct ks_route_info ks_routes[KS_N_ROUTES] = {
#define X(name, bioavailability, absorption_rate, first_pass_norketamine) \
    {#name, bioavailability, absorption_rate, first_pass_norketamine},
    KS_ROUTE_TABLE(X)
#undef X
};

const struct ks_op_info ks_ops[KS_N_OPS] = {
#define X(name, reading, is_ratio, has_threshold, words) \
    {#name, KS_READING_##reading, is_ratio, has_threshold, words},
    KS_OP_TABLE(X)
#undef X
};

/* In the table of endpoints a quantity is named whether it is a state or derived; these names serve both. */
enum {
#define X(name, unit, module, scale, seed, description) QUANTITY_##name = KS_STATE_##name,
#include "model/states.def"
#undef X
#define X(name, unit, description) QUANTITY_##name = KS_DERIVED_##name,
#include "model/quantities.def"
#undef X
};

#define HORIZON INFINITY
const struct ks_endpoint ks_endpoints[KS_N_ENDPOINTS] = {
#define X(name, unit, of, op, from, to, threshold, factor) \
    {#name, unit, QUANTITY_##of, KS_OP_##op, from, to, threshold, factor},
#include "model/endpoints.def"
#undef X
};

const int ks_jacobian_rows[KS_N_NONZEROS] = {
#define J(row, column, value) KS_STATE_##row,
#include "model/jacobian.def"
#undef J
};

const int ks_jacobian_columns[KS_N_NONZEROS] = {
#define J(row, column, value) KS_STATE_##column,
#include "model/jacobian.def"
#undef J
};

int ks_model_find_quantity(const char *name) {
    for (int i = 0; i < KS_N_QUANTITIES; i++)
        if (strcmp(ks_quantities[i].name, name) == 0) return i;
    return -1;
}

bool ks_model_is_within(enum ks_limits limits, double value) {
    const struct ks_limits_info *l = &ks_limits[limits];
    return fabs(value) <= DBL_MAX && (l->has_lowest ? value >= l->lowest : value > l->lowest) &&
           (l->has_highest ? value <= l->highest : value < l->highest) &&
           (!l->is_integer || value == floor(value));
}

void ks_model_describe_endpoint(const struct ks_endpoint *endpoint, char *text, int size) {
    const struct ks_op_info *op = &ks_ops[endpoint->op];
    char threshold[48] = "", when[64];
    if (op->has_threshold) snprintf(threshold, sizeof threshold, " %g", endpoint->threshold);
    if (op->reading == KS_READING_AT && isinf(endpoint->from))
        snprintf(when, sizeof when, "at the horizon");
    else if (op->reading == KS_READING_AT)
        snprintf(when, sizeof when, "at %g h", endpoint->from);
    else if (isinf(endpoint->to))
        snprintf(when, sizeof when, "%g h to the horizon", endpoint->from);
    else
        snprintf(when, sizeof when, "%g h to %g h", endpoint->from, endpoint->to);
    snprintf(text, (size_t)size, "%s: %s%s, %s", ks_quantities[endpoint->quantity].name, op->words, threshold,
             when);
}
