/* The Jacobian of the right-hand side over lanes, element by element as jacobian.def lists them. */
#include "model/equations_impl.h"
#include "model/rhs_impl.h"

/* d block' / d blocker of a pool whose channels open freely */
#define blocking(pool) (C(nmda_koff) * C(per_ki_##pool) * (1.0 - Y(block_##pool)))

void KS_LANED(ks_model_jacobian)(const double *coefficients, const double *inputs, const double *states,
                                 double *values) {
    const ks_lane *c = (const ks_lane *)coefficients, *u = (const ks_lane *)inputs,
                  *y = (const ks_lane *)states;
    ks_lane *value_of = (ks_lane *)values;
    struct terms t = evaluate_terms(c, y);

    ks_lane by_drive =
        t.pyramidal.slope * t.drive.slope * C(per_pyramidal_time); /* pyramidal_rate' by its drive */
    ks_lane recurrent = C(weight_ee) * Y(pyramidal_rate) * t.pyramidal_open; /* the drive by S */
    ks_lane inflamed = C(inflammation_baseline) * C(per_nfkb_time);
    ks_lane limbic_by_control = t.stress_positive.value * t.limbic_control.slope * C(per_limbic_time);
    ks_lane dmn_by_control = t.dmn_relay.value * t.dmn_control.slope * t.dmn_block.value * C(per_dmn_time);
    ks_lane dmn_by_relay = t.dmn_relay.slope * t.dmn_control.value * t.dmn_block.value * C(per_dmn_time);
    ks_lane window_by_root =
        2.0 * U(session) * C(window_kept) * t.window_root; /* session W* by the root of W */
    ks_lane window_by_synapse = window_by_root * 0.5 * Y(flexibility);
    ks_lane window_by_flexibility = window_by_root * 0.5 * (Y(synaptic_protein) + Y(spines_labile));
    ks_lane by_mood = t.mood.slope * C(per_mood_time); /* depression' by l */

    int k = 0;
#define J(row, column, value) value_of[k++] = value;
#include "model/jacobian.def"
#undef J
}
