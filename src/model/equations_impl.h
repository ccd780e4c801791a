/* The terms that the right-hand side and its Jacobian share, over lanes: each response with its slope.
 *
 * Signals are 1 in a healthy person, so that each response is written to be 1 at 1:
 *   fall(a, x) = (1 + a) / (1 + a x),  rise(k, x) = (1 + k) x / (k + x),  rise2(k, x) = (1 + k) x^2 / (k + x^2).
 * A compiler drops the slopes where only the right-hand side wants the values. */
#ifndef KS_MODEL_EQUATIONS_IMPL_H
#define KS_MODEL_EQUATIONS_IMPL_H

#include "base/lanes.h"
#include "model/model.h"

/* The value of a response and its derivative. */
struct response {
    ks_lane value, slope;
};

/* Each takes the reciprocal of its denominator. */
KS_LANE_INLINE struct response fall(ks_lane a, ks_lane reciprocal) {
    ks_lane value = (1.0 + a) * reciprocal;
    return (struct response){value, -(a * reciprocal) * value};
}

KS_LANE_INLINE struct response rise(ks_lane k, ks_lane x, ks_lane reciprocal) {
    ks_lane scaled = (1.0 + k) * reciprocal;
    return (struct response){scaled * x, scaled * (k * reciprocal)};
}

KS_LANE_INLINE struct response rise2(ks_lane k, ks_lane x, ks_lane reciprocal) {
    ks_lane scaled = (1.0 + k) * reciprocal;
    return (struct response){scaled * (x * x), scaled * (2.0 * k * x * reciprocal)};
}

/* The smooth positive part (x + sqrt(x^2 + 1e-4)) / 2. */
KS_LANE_INLINE struct response positive(ks_lane x) {
    ks_lane root = ks_lane_sqrt(x * x + 1e-4), value = 0.5 * (x + root);
    return (struct response){value, value / root};
}

KS_LANE_INLINE ks_lane fourth_power(ks_lane x) {
    ks_lane square = x * x;
    return square * square;
}

/* The logistic function; beyond +-700 it is 0 or 1 to double precision and stays there. */
KS_LANE_INLINE struct response logistic(ks_lane l) {
    ks_lane value = 1.0 / (1.0 + ks_lane_exp(-ks_lane_clamp(l, -700, 700)));
    return (struct response){value, value * (1.0 - value)};
}

#define C(name) (c[KS_COEFFICIENT_##name])
#define U(name) (u[KS_INPUT_##name])
#define Y(name) (y[KS_STATE_##name])

struct terms {
    ks_lane ketamine_arterial, ketamine_fast, ketamine_slow, norketamine, norketamine_deep,
        hydroxynorketamine;
    ks_lane blocker;                       /* ketamine and norketamine at the receptors, uM of ketamine */
    ks_lane habenula_opening;              /* 1/h */
    ks_lane strength, strength_by_protein; /* synaptic strength S; dS / dsynaptic_protein */
    struct response awake; /* P: the brain's drive, lost at anaesthetic levels; slope by ketamine_brain */
    ks_lane pyramidal_open, interneuron_open; /* what block leaves of the NMDA-mediated drive */
    struct response drive, pyramidal, uptake, transport, ampa, scaling;
    ks_lane ampa_signal, trkb_signal, mtorc1_signal, neurogenesis_signal,
        window_signal; /* A*, T*, M*, N*, W* */
    struct response eef2k_kynurenate, bdnf_eef2k, bdnf_cortisol, bdnf_il6, bdnf_release, trkb,
        mtorc1_cortisol;
    ks_lane mtorc1_drive;             /* 1 - share + share A* */
    ks_lane surge, per_surge_base;    /* M* / (mtorc1_mean + 0.02); 1 / (mtorc1_mean + 0.02) */
    struct response translation_mean; /* slope by mtorc1_mean */
    struct response translation;      /* by the surge q^(1/4) */
    ks_lane prune, sites;
    struct response neurogenesis_cortisol, neurogenesis_il6;
    ks_lane glucocorticoid;                  /* cg = cortisol gr_sensitivity */
    struct response strain, stress_positive; /* pos(stress - 1), pos(stress) */
    struct response nfkb_cortisol, nfkb_ketamine, microglia, kynurenate;
    struct response crh, acth;
    ks_lane gr;                        /* 1 / (1 + gr_cortisol cortisol + gr_il6 il6) */
    struct response burst, monoamines; /* burst: by kir41 */
    struct response burst_block;       /* 1 / (1 + b^4), by block_habenula */
    ks_lane control, relay;            /* S monoamines; u = limbic cortico_limbic */
    struct response limbic_control, dmn_control, dmn_relay;
    struct response coupling_block, dmn_block;       /* by block_interneuron */
    ks_lane flexible, per_flexible, rumination;      /* per_flexible = 1 / (1 + default_mode) */
    ks_lane window_root;                             /* W = window_root^2 */
    struct response mood, mood_rumination, mood_il6; /* mood: by l */
    struct response dissociation, pressor;
};

/* Denominators of the terms, which ks_lane_invert_4 turns into reciprocals. */
struct denominators {
    ks_lane protein, awake, pyramidal, uptake, transport, ampa, scaling;
    ks_lane eef2k_kynurenate, bdnf_eef2k, bdnf_cortisol, bdnf_il6, bdnf_release, trkb, mtorc1_cortisol,
        mtorc1_mean, surge_base, translation, neurogenesis_cortisol, neurogenesis_il6;
    ks_lane nfkb_cortisol, nfkb_ketamine, microglia, kynurenate, crh, acth, gr, burst, burst_block,
        monoamines;
    ks_lane limbic_control, dmn_control, dmn_relay, coupling_block, dmn_block, flexible;
    ks_lane mood_rumination, mood_il6, dissociation, pressor;
};

/* What the responses are made of and needs no division. */
KS_LANE_INLINE void evaluate_arguments(const ks_lane *c, const ks_lane *y, struct terms *t) {
    t->ketamine_arterial = C(per_volume_central) * Y(ketamine_central);
    t->ketamine_fast = C(per_volume_fast) * Y(ketamine_fast);
    t->ketamine_slow = C(per_volume_slow) * Y(ketamine_slow);
    t->norketamine = C(per_norketamine_volume_central) * Y(norketamine_central);
    t->norketamine_deep = C(per_norketamine_volume_peripheral) * Y(norketamine_peripheral);
    t->hydroxynorketamine = C(per_hydroxynorketamine_volume) * Y(hydroxynorketamine);

    /* c = ketamine_brain + 4.47 fu ratio Cn / relative_ki */
    t->blocker = Y(ketamine_brain) + C(norketamine_potency) * t->norketamine;
    t->habenula_opening = C(habenula_open_burst) * Y(habenula_burst) + C(habenula_open_rest);
    t->pyramidal_open = C(density) * (1.0 - C(share_pyramidal) * Y(block_pyramidal));
    t->interneuron_open = C(density) * (1.0 - C(share_interneuron) * Y(block_interneuron));

    /* X* = X(0) + mechanism (X - X(0)) */
    t->ampa_signal = C(ampa_held) + C(ampa_kept) * Y(ampa);
    t->trkb_signal = C(trkb_held) + C(trkb_kept) * Y(trkb);
    t->mtorc1_signal = C(mtorc1_held) + C(mtorc1_kept) * Y(mtorc1);
    t->neurogenesis_signal = C(neurogenesis_held) + C(neurogenesis_kept) * Y(trkb);
    t->mtorc1_drive = 1.0 - C(mtorc1_ampa_share) + C(mtorc1_ampa_share) * t->ampa_signal;

    t->prune = (1.0 + C(spine_cortisol) * Y(cortisol)) * C(per_spine_cortisol);
    t->sites = (C(spine_site_limit) - 0.5 * (Y(spines_labile) + Y(spines_stable))) * C(per_spine_sites);
    t->window_root = 0.5 * Y(flexibility) * (Y(synaptic_protein) + Y(spines_labile));
    t->window_signal = C(window_held) + C(window_kept) * t->window_root * t->window_root;

    t->glucocorticoid = Y(cortisol) * Y(gr_sensitivity);
    t->strain = positive(Y(stress) - 1.0);
    t->stress_positive = positive(Y(stress));
    t->relay = Y(limbic) * Y(cortico_limbic);
    t->rumination = 0.5 * Y(default_mode) * Y(cortico_limbic) * (1.0 + Y(negative_schema));
}

KS_LANE_INLINE struct terms evaluate_terms(const ks_lane *c, const ks_lane *y) {
    struct terms t;
    struct denominators d;
    evaluate_arguments(c, y, &t);

    ks_lane r = C(per_anaesthetic_half) * Y(ketamine_brain);
    d.protein = 1.0 + Y(synaptic_protein);
    d.awake = 1.0 + r * r;
    d.uptake = 1.0 + C(uptake_microglia) * Y(microglia);
    d.transport = C(glutamate_uptake_km) + Y(glutamate);
    ks_lane_invert_4(&d.protein, &d.awake, &d.uptake, &d.transport);

    /* S = (2 strength_protein p / (1 + p) + strength_labile spines_labile + spines_stable) / sum of weights */
    t.strength = 2.0 * C(strength_protein) * Y(synaptic_protein) * d.protein +
                 C(strength_labile) * Y(spines_labile) + C(strength_stable) * Y(spines_stable);
    t.strength_by_protein = 2.0 * C(strength_protein) * d.protein * d.protein;
    /* P = (1 + 0.15 r^2) / (1 + r^2) */
    t.awake.value = (1.0 + 0.15 * r * r) * d.awake;
    t.awake.slope = -1.7 * r * d.awake * d.awake * C(per_anaesthetic_half);
    t.drive = positive(C(background) * t.awake.value * (1.0 - C(pyramidal_block_drive) * Y(block_pyramidal)) +
                       C(weight_ee) * Y(pyramidal_rate) * t.strength * t.pyramidal_open -
                       C(weight_ei) * Y(interneuron_rate));
    t.uptake = fall(C(uptake_microglia), d.uptake);
    t.transport = rise(C(glutamate_uptake_km), Y(glutamate), d.transport);

    d.ampa = C(ampa_half_2) + Y(glutamate) * Y(glutamate);
    d.scaling = 1.0 + C(scaling_gain) * Y(ampa);
    d.eef2k_kynurenate = 1.0 + C(eef2k_kynurenate) * Y(kynurenate);
    d.bdnf_eef2k = 1.0 + C(bdnf_eef2k) * Y(eef2k);
    ks_lane_invert_4(&d.ampa, &d.scaling, &d.eef2k_kynurenate, &d.bdnf_eef2k);
    t.ampa = rise2(C(ampa_half_2), Y(glutamate), d.ampa);
    t.scaling = fall(C(scaling_gain), d.scaling);
    t.eef2k_kynurenate = fall(C(eef2k_kynurenate), d.eef2k_kynurenate);
    t.bdnf_eef2k = fall(C(bdnf_eef2k), d.bdnf_eef2k);

    d.bdnf_cortisol = 1.0 + C(bdnf_cortisol) * Y(cortisol);
    d.bdnf_il6 = 1.0 + C(bdnf_il6) * Y(il6);
    d.bdnf_release = C(bdnf_ampa_half) + t.ampa_signal * t.ampa_signal;
    d.trkb = C(trkb_half) + Y(bdnf);
    ks_lane_invert_4(&d.bdnf_cortisol, &d.bdnf_il6, &d.bdnf_release, &d.trkb);
    t.bdnf_cortisol = fall(C(bdnf_cortisol), d.bdnf_cortisol);
    t.bdnf_il6 = fall(C(bdnf_il6), d.bdnf_il6);
    t.bdnf_release = rise2(C(bdnf_ampa_half), t.ampa_signal, d.bdnf_release);
    t.trkb = rise(C(trkb_half), Y(bdnf), d.trkb);

    d.mtorc1_cortisol = 1.0 + C(mtorc1_cortisol) * Y(cortisol);
    d.mtorc1_mean = 1.0 + Y(mtorc1_mean);
    d.surge_base = Y(mtorc1_mean) + 0.02;
    d.neurogenesis_cortisol = 1.0 + C(neurogenesis_cortisol) * Y(cortisol);
    ks_lane_invert_4(&d.mtorc1_cortisol, &d.mtorc1_mean, &d.surge_base, &d.neurogenesis_cortisol);
    t.mtorc1_cortisol = fall(C(mtorc1_cortisol), d.mtorc1_cortisol);
    t.neurogenesis_cortisol = fall(C(neurogenesis_cortisol), d.neurogenesis_cortisol);
    /* 2 (1 - share) m / (1 + m) + share (1 + h) q / (h + q), q = (M* / (m + 0.02))^4, m = mtorc1_mean */
    ks_lane lasting = 2.0 * (1.0 - C(translation_surge_share)) * d.mtorc1_mean;
    t.translation_mean = (struct response){lasting * Y(mtorc1_mean), lasting * d.mtorc1_mean};
    t.per_surge_base = d.surge_base;
    t.surge = t.mtorc1_signal * d.surge_base;

    d.neurogenesis_il6 = 1.0 + C(neurogenesis_il6) * Y(il6);
    d.nfkb_cortisol = 1.0 + C(nfkb_cortisol) * t.glucocorticoid;
    d.nfkb_ketamine = C(nfkb_ketamine_half) + Y(ketamine_brain);
    d.microglia = C(microglia_half) + 0.5 * (Y(tnf) + Y(il6));
    ks_lane_invert_4(&d.neurogenesis_il6, &d.nfkb_cortisol, &d.nfkb_ketamine, &d.microglia);
    t.neurogenesis_il6 = fall(C(neurogenesis_il6), d.neurogenesis_il6);
    t.nfkb_cortisol = fall(C(nfkb_cortisol), d.nfkb_cortisol);
    t.nfkb_ketamine.value = 1.0 - C(nfkb_ketamine_max) * Y(ketamine_brain) * d.nfkb_ketamine;
    t.nfkb_ketamine.slope = -C(nfkb_ketamine_max) * C(nfkb_ketamine_half) * d.nfkb_ketamine * d.nfkb_ketamine;
    t.microglia = rise(C(microglia_half), 0.5 * (Y(tnf) + Y(il6)), d.microglia);

    d.kynurenate = 1.0 + C(kynurenate_microglia) * Y(microglia);
    d.crh = 1.0 + C(crh_feedback) * t.glucocorticoid;
    d.acth = 1.0 + C(acth_feedback) * t.glucocorticoid;
    d.gr = 1.0 + C(gr_cortisol) * Y(cortisol) + C(gr_il6) * Y(il6);
    ks_lane_invert_4(&d.kynurenate, &d.crh, &d.acth, &d.gr);
    t.kynurenate = fall(C(kynurenate_microglia), d.kynurenate);
    t.crh = fall(C(crh_feedback), d.crh);
    t.acth = fall(C(acth_feedback), d.acth);
    t.gr = d.gr;

    /* (1 + h) z / (h + z) / (1 + b^4), z = pos(kir41 density)^4, b = mechanism pos(block_habenula) / half */
    struct response kir = positive(Y(kir41) * C(density)), blocked = positive(Y(block_habenula));
    ks_lane b = C(habenula_block) * blocked.value, z = fourth_power(kir.value);
    d.burst = C(burst_half_4) + z;
    d.burst_block = 1.0 + fourth_power(b);
    d.monoamines = 1.0 + C(monoamine_burst) * Y(habenula_burst);
    d.dmn_relay = 1.0 + 0.5 * C(dmn_limbic) * (1.0 + t.relay);
    ks_lane_invert_4(&d.burst, &d.burst_block, &d.monoamines, &d.dmn_relay);
    t.burst = rise(C(burst_half_4), z, d.burst);
    t.burst.slope = t.burst.slope * 4.0 * kir.value * kir.value * kir.value * kir.slope * C(density);
    t.burst_block.value = d.burst_block;
    t.burst_block.slope =
        -4.0 * b * b * b * C(habenula_block) * blocked.slope * d.burst_block * d.burst_block;
    t.monoamines = fall(C(monoamine_burst), d.monoamines);
    /* (1 + a u) / (1 + a (1 + u) / 2) */
    t.dmn_relay.value = (1.0 + C(dmn_limbic) * t.relay) * d.dmn_relay;
    t.dmn_relay.slope = C(dmn_limbic) * (1.0 - 0.5 * t.dmn_relay.value) * d.dmn_relay;

    ks_lane square = Y(block_interneuron) * Y(block_interneuron);
    d.coupling_block = 1.0 + C(coupling_block) * Y(block_interneuron);
    d.dmn_block = 1.0 + C(dmn_block) * Y(block_interneuron);
    d.flexible = 1.0 + Y(default_mode);
    d.dissociation = C(dissociation_half_2) + square;
    ks_lane_invert_4(&d.coupling_block, &d.dmn_block, &d.flexible, &d.dissociation);
    t.coupling_block =
        (struct response){d.coupling_block, -C(coupling_block) * d.coupling_block * d.coupling_block};
    t.dmn_block = (struct response){d.dmn_block, -C(dmn_block) * d.dmn_block * d.dmn_block};
    t.flexible = (0.7 + 0.3 * Y(young_neurons)) * 2.0 * d.flexible;
    t.per_flexible = d.flexible;
    t.dissociation.value = square * d.dissociation;
    t.dissociation.slope =
        2.0 * Y(block_interneuron) * C(dissociation_half_2) * d.dissociation * d.dissociation;

    t.control = t.strength * Y(monoamines);
    ks_lane q = fourth_power(t.surge);
    d.pyramidal = C(rate_half_2) + t.drive.value * t.drive.value;
    d.translation = C(translation_threshold_4) + q;
    d.limbic_control = 1.0 + C(limbic_control) * t.control;
    d.dmn_control = 1.0 + C(dmn_control) * t.control;
    ks_lane_invert_4(&d.pyramidal, &d.translation, &d.limbic_control, &d.dmn_control);
    t.pyramidal = rise2(C(rate_half_2), t.drive.value, d.pyramidal);
    struct response surging = rise(C(translation_threshold_4), q, d.translation);
    t.translation.value = C(translation_surge_share) * surging.value;
    t.translation.slope = C(translation_surge_share) * surging.slope * 4.0 * t.surge * t.surge * t.surge;
    t.limbic_control = fall(C(limbic_control), d.limbic_control);
    t.dmn_control = fall(C(dmn_control), d.dmn_control);

    /* (r - 1/2) / (r + 1/2) and (i - 1) / (i + 1) */
    ks_lane one = ks_lane_all(1);
    d.mood_rumination = t.rumination + 0.5;
    d.mood_il6 = Y(il6) + 1.0;
    d.pressor = C(pressor_half) + Y(ketamine_brain);
    ks_lane_invert_4(&d.mood_rumination, &d.mood_il6, &d.pressor, &one);
    t.mood_rumination.value = C(mood_rumination) * (t.rumination - 0.5) * d.mood_rumination;
    t.mood_rumination.slope = C(mood_rumination) * d.mood_rumination * d.mood_rumination;
    t.mood_il6.value = C(mood_inflammation) * (Y(il6) - 1.0) * d.mood_il6;
    t.mood_il6.slope = 2.0 * C(mood_inflammation) * d.mood_il6 * d.mood_il6;
    t.pressor.value = C(pressor_max) * Y(ketamine_brain) * d.pressor;
    t.pressor.slope = C(pressor_max) * C(pressor_half) * d.pressor * d.pressor;
    t.mood = logistic(C(mood_healthy) + C(mood_synapse) * (1.0 - t.strength) +
                      C(mood_monoamine) * (1.0 - Y(monoamines)) + t.mood_rumination.value + t.mood_il6.value +
                      C(mood_schema) * Y(negative_schema) - C(mood_coping) * Y(coping) -
                      C(mood_expectancy) * Y(expectancy));
    return t;
}

#endif
