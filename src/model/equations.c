/* The equations at each lane width, and the fingerprint of the model. */
#include "model/model.h"
#include "model/rhs_impl.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define X(lanes) {lanes, ks_model_rhs_w##lanes, ks_model_linearise_w##lanes, ks_model_quantities_w##lanes},
static const struct ks_model_equations equations[] = {KS_MODEL_LANES_TABLE(X)};
#undef X

const struct ks_model_equations *ks_model_equations(int lanes) {
    for (size_t i = 0; i < sizeof equations / sizeof equations[0]; i++)
        if (equations[i].lanes == lanes) return &equations[i];
    return NULL;
}

/* FNV-1a, byte by byte. */
static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t n) {
    const unsigned char *b = bytes;
    for (size_t i = 0; i < n; i++) hash = (hash ^ b[i]) * 0x100000001b3u;
    return hash;
}

static uint64_t hash_text(uint64_t hash, const char *text) {
    return hash_bytes(hash, text, strlen(text) + 1);
}

static uint64_t hash_number(uint64_t hash, double number) {
    return hash_bytes(hash, &number, sizeof number);
}

static uint64_t hash_tables(uint64_t hash) {
    for (int i = 0; i < KS_N_STATES; i++) {
        hash = hash_text(hash, ks_quantities[i].name);
        hash = hash_number(hash_number(hash, ks_quantities[i].scale), ks_quantities[i].seed);
    }
    for (int i = 0; i < KS_N_PARAMETERS; i++)
        hash = hash_number(hash_text(hash, ks_parameters[i].name), ks_parameters[i].value);
    for (int i = 0; i < KS_N_ENDPOINTS; i++) {
        const struct ks_endpoint *e = &ks_endpoints[i];
        hash = hash_text(hash_text(hash, e->name), ks_quantities[e->quantity].name);
        hash = hash_text(hash, ks_ops[e->op].name);
        hash = hash_number(hash_number(hash_number(hash, e->from), e->to), e->threshold);
        hash = hash_number(hash, e->factor);
    }
    for (int i = 0; i < KS_N_ROUTES; i++) {
        hash = hash_text(hash, ks_routes[i].name);
        hash = hash_number(hash_number(hash, ks_routes[i].bioavailability), ks_routes[i].absorption_rate);
        hash = hash_number(hash, ks_routes[i].first_pass_norketamine);
    }
    return hash;
}

/* The bits of the right-hand side and of the derived quantities away from the defaults, so that no term drops out. */
static uint64_t hash_equations(uint64_t hash) {
    double parameters[KS_N_PARAMETERS], coefficients[KS_N_COEFFICIENTS], y[KS_N_STATES], dydt[KS_N_STATES];
    const double inputs[KS_N_INPUTS] = {30.0, 20.0, 1.0, 1.5};
    for (int i = 0; i < KS_N_PARAMETERS; i++)
        parameters[i] =
            0.6 * ks_parameters[i].value + 0.25 * ks_parameters[i].low + 0.15 * ks_parameters[i].high;
    for (int i = 0; i < KS_N_STATES; i++)
        y[i] = 0.8 * ks_state_seeds[i] + ks_state_scales[i] * 0.01 * (i + 1);
    ks_model_prepare(parameters, coefficients);
    ks_model_begin_treatment(parameters, y, coefficients);
    for (int i = 0; i < KS_N_STATES; i++) y[i] *= 1.1;
    ks_model_equations(1)->rhs(coefficients, inputs, y, dydt);
    hash = hash_bytes(hash, dydt, sizeof dydt);
    for (int i = KS_N_STATES; i < KS_N_QUANTITIES; i++)
        hash = hash_number(hash, ks_model_quantity(i, coefficients, y));
    return hash;
}

void ks_model_version(char version[17]) {
    uint64_t hash = hash_equations(hash_tables(0xcbf29ce484222325u));
    snprintf(version, 17, "%016" PRIx64, hash);
}
