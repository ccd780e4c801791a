/* The formulas of the derived quantities, over lanes. */
#ifndef KS_MODEL_QUANTITIES_IMPL_H
#define KS_MODEL_QUANTITIES_IMPL_H

#include "base/lanes.h"
#include "model/model.h"

KS_LANE_INLINE ks_lane evaluate_quantity(int quantity, const ks_lane *c, const ks_lane *y) {
#define C(name) (c[KS_COEFFICIENT_##name])
#define Y(name) (y[KS_STATE_##name])
    switch (quantity) {
    case KS_DERIVED_madrs:
        return 60.0 * Y(depression);
    case KS_DERIVED_synaptic_strength:
        return 2.0 * C(strength_protein) * Y(synaptic_protein) / (1.0 + Y(synaptic_protein)) +
               C(strength_labile) * Y(spines_labile) + C(strength_stable) * Y(spines_stable);
    case KS_DERIVED_spines: /* the weights of S without synaptic protein */
        return (C(strength_labile) * Y(spines_labile) + C(strength_stable) * Y(spines_stable)) /
               (C(strength_labile) + C(strength_stable));
    case KS_DERIVED_window: {
        ks_lane root = 0.5 * Y(flexibility) * (Y(synaptic_protein) + Y(spines_labile));
        return root * root;
    }
    case KS_DERIVED_rumination:
        return 0.5 * Y(default_mode) * Y(cortico_limbic) * (1.0 + Y(negative_schema));
    case KS_DERIVED_cadss:
        return C(cadss_max) * Y(dissociation) *
               (1.0 - C(dissociation_tolerance_share) * Y(dissociation_tolerance));
    case KS_DERIVED_external_stress:
        return C(life_stress);
    case KS_DERIVED_ketamine_arterial:
        return C(per_volume_central) * Y(ketamine_central);
    case KS_DERIVED_norketamine:
        return C(per_norketamine_volume_central) * Y(norketamine_central);
    case KS_DERIVED_hydroxynorketamine_concentration:
        return C(per_hydroxynorketamine_volume) * Y(hydroxynorketamine);
    default:
        return y[quantity];
    }
#undef C
#undef Y
}

#endif
