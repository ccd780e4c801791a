/* The right-hand side of the model (README.md, "Equations") and its Jacobian, over lanes. A rate that appears in two equations is
 * named once as a flux, so that conservation can be seen. */
#include "model/equations_impl.h"
#include "model/rhs_impl.h"

#define D(name) (d[KS_STATE_##name])

KS_LANE_INLINE void evaluate_drug(const ks_lane *c, const ks_lane *u, const ks_lane *y, const struct terms *t,
                                  ks_lane *d) {
    ks_lane absorption = C(absorption_rate) * Y(absorption_depot); /* mg/h */
    ks_lane uptake = C(absorbed) * Y(absorption_depot);
    ks_lane to_fast = C(flow_fast) * (t->ketamine_arterial - t->ketamine_fast);
    ks_lane to_slow = C(flow_slow) * (t->ketamine_arterial - t->ketamine_slow);
    ks_lane formation = C(norketamine_formation) * t->ketamine_arterial + C(first_pass) * Y(absorption_depot);
    ks_lane appearance = C(norketamine_transit_rate) * Y(norketamine_transit);
    ks_lane to_deep = C(norketamine_flow) * (t->norketamine - t->norketamine_deep);

    D(absorption_depot) = U(infusion_depot) - absorption;
    D(ketamine_central) =
        U(infusion_central) + uptake - C(clearance) * t->ketamine_arterial - to_fast - to_slow;
    D(ketamine_fast) = to_fast;
    D(ketamine_slow) = to_slow;
    D(ketamine_venous) = C(venous_rate) * (t->ketamine_arterial - Y(ketamine_venous));
    D(norketamine_transit) = formation - appearance;
    D(norketamine_central) = appearance - C(norketamine_clearance) * t->norketamine - to_deep;
    D(norketamine_peripheral) = to_deep;
    D(hydroxynorketamine) = C(hydroxynorketamine_formation) * t->norketamine -
                            C(hydroxynorketamine_clearance) * t->hydroxynorketamine;
    D(ketamine_brain) = C(brain_rate) * (C(brain_entry) * t->ketamine_arterial - Y(ketamine_brain));

    /* blocking and unblocking both need an open channel; the habenula's open with bursts */
    D(block_interneuron) = C(nmda_koff) * (t->blocker * C(per_ki_interneuron) * (1.0 - Y(block_interneuron)) -
                                           Y(block_interneuron));
    D(block_pyramidal) =
        C(nmda_koff) * (t->blocker * C(per_ki_pyramidal) * (1.0 - Y(block_pyramidal)) - Y(block_pyramidal));
    D(block_resting) =
        C(nmda_koff) * (t->blocker * C(per_ki_resting) * (1.0 - Y(block_resting)) - Y(block_resting));
    D(block_habenula) = t->habenula_opening *
                        (t->blocker * C(per_ki_habenula) * (1.0 - Y(block_habenula)) - Y(block_habenula));
}

KS_LANE_INLINE void evaluate_cortex(const ks_lane *c, const ks_lane *y, const struct terms *t, ks_lane *d) {
    D(pyramidal_rate) = (t->pyramidal.value - Y(pyramidal_rate)) * C(per_pyramidal_time);
    D(interneuron_rate) =
        (Y(pyramidal_rate) * t->interneuron_open - Y(interneuron_rate)) * C(per_interneuron_time);
    D(glutamate) = (Y(pyramidal_rate) - t->uptake.value * t->transport.value) * C(per_glutamate_time);
    D(ampa) = (C(ampa_gain) * Y(ampa_scaling) * t->ampa.value - Y(ampa)) * C(per_ampa_time);
    D(ampa_scaling) = (t->scaling.value - Y(ampa_scaling)) * C(per_scaling_time);
}

KS_LANE_INLINE void evaluate_plasticity(const ks_lane *c, const ks_lane *u, const ks_lane *y,
                                        const struct terms *t, ks_lane *d) {
    ks_lane consolidated = C(consolidation) * U(session) * Y(spines_labile);

    D(eef2k) = (C(density) * (1.0 - C(eef2k_block) * Y(block_resting)) *
                    (1.0 + C(eef2k_quinolinate) * Y(quinolinate)) * C(per_eef2k_quinolinate) *
                    t->eef2k_kynurenate.value -
                Y(eef2k)) *
               C(per_eef2k_time);
    D(bdnf_pool) = (t->bdnf_eef2k.value * t->bdnf_cortisol.value * t->bdnf_il6.value - Y(bdnf_pool)) *
                   C(per_bdnf_pool_time);
    D(bdnf) = (Y(bdnf_pool) * t->bdnf_release.value - Y(bdnf)) * C(per_bdnf_time);
    D(trkb) = (t->trkb.value - Y(trkb)) * C(per_trkb_time);
    D(mtorc1) =
        (t->trkb_signal * t->mtorc1_drive * t->mtorc1_cortisol.value - Y(mtorc1)) * C(per_mtorc1_time);
    D(mtorc1_mean) = (t->mtorc1_signal - Y(mtorc1_mean)) * C(per_mtorc1_mean_time);
    D(synaptic_protein) = (t->translation_mean.value + t->translation.value - Y(synaptic_protein)) *
                          C(per_synaptic_protein_time);
    D(spines_labile) =
        (Y(synaptic_protein) * t->sites - t->prune * Y(spines_labile)) * C(per_spine_labile_time) -
        consolidated;
    D(spines_stable) = (Y(spines_labile) - t->prune * Y(spines_stable)) * C(per_spine_stable_time) +
                       C(consolidated_share) * consolidated;
    D(neural_progenitors) =
        (t->neurogenesis_signal * t->neurogenesis_cortisol.value * t->neurogenesis_il6.value -
         Y(neural_progenitors)) *
        C(per_progenitor_time);
    D(young_neurons) = (Y(neural_progenitors) - Y(young_neurons)) * C(per_young_neuron_time);
}

KS_LANE_INLINE void evaluate_inflammation(const ks_lane *c, const ks_lane *y, const struct terms *t,
                                          ks_lane *d) {
    ks_lane share = C(cytokine_microglia_share);

    D(nfkb) = (C(inflammation_baseline) * (1.0 + C(nfkb_stress) * t->strain.value) * t->nfkb_cortisol.value *
                   t->nfkb_ketamine.value -
               Y(nfkb)) *
              C(per_nfkb_time);
    D(tnf) = (Y(nfkb) * (1.0 - share + share * Y(microglia)) - Y(tnf)) * C(per_tnf_time);
    D(il6) = (Y(nfkb) * (1.0 - share + share * Y(tnf)) - Y(il6)) * C(per_il6_time);
    D(microglia) = (t->microglia.value - Y(microglia)) * C(per_microglia_time);
    D(quinolinate) = (0.5 * Y(microglia) * (1.0 + Y(tnf)) - Y(quinolinate)) * C(per_quinolinate_time);
    D(kynurenate) = (t->kynurenate.value - Y(kynurenate)) * C(per_kynurenate_time);
}

KS_LANE_INLINE void evaluate_stress(const ks_lane *c, const ks_lane *y, const struct terms *t, ks_lane *d) {
    D(crh) = (t->stress_positive.value * t->crh.value - Y(crh)) * C(per_crh_time);
    D(acth) = (Y(crh) * t->acth.value - Y(acth)) * C(per_acth_time);
    D(cortisol) = (Y(acth) - Y(cortisol)) * C(per_cortisol_time);
    D(gr_sensitivity) = ((1.0 + C(gr_cortisol) + C(gr_il6)) * t->gr - Y(gr_sensitivity)) * C(per_gr_time);
    D(stress) =
        (C(stress_load) + C(stress_habenula) * Y(habenula_burst) + C(stress_depression) * Y(depression) -
         C(stress_coping) * Y(coping) - C(stress_per_lack) * Y(madrs_auc) - Y(stress)) *
        C(per_stress_time);

    D(kir41) = (1.0 + C(kir_stress) * (Y(stress) - 1.0) - Y(kir41)) * C(per_kir_time);
    D(habenula_burst) = (t->burst.value * t->burst_block.value - Y(habenula_burst)) * C(per_burst_time);
    D(monoamines) = (t->monoamines.value - Y(monoamines)) * C(per_monoamine_time);
}

KS_LANE_INLINE void evaluate_networks(const ks_lane *c, const ks_lane *u, const ks_lane *y,
                                      const struct terms *t, ks_lane *d) {
    ks_lane learning = U(session) * t->window_signal;
    ks_lane expected = U(dosing) * Y(expectancy_reserve);

    D(limbic) = (t->stress_positive.value * t->limbic_control.value - Y(limbic)) * C(per_limbic_time);
    D(cortico_limbic) =
        ((1.0 - C(coupling_dmn) + C(coupling_dmn) * Y(default_mode)) * t->coupling_block.value -
         Y(cortico_limbic)) *
        C(per_coupling_time);
    D(default_mode) =
        (t->dmn_relay.value * t->dmn_control.value * t->dmn_block.value - Y(default_mode)) * C(per_dmn_time);
    D(flexibility) = (t->strength * t->flexible - Y(flexibility)) * C(per_flexibility_time);

    D(negative_schema) = C(schema_relapse) * t->strain.value * (1.0 - Y(negative_schema)) -
                         (C(schema_fading) + C(schema_unlearning) * learning) * Y(negative_schema);
    D(coping) = C(coping_learning) * learning * (1.0 - Y(coping)) - C(coping_forgetting) * Y(coping);
    D(expectancy) =
        C(expectancy_gain) * expected * (1.0 - Y(expectancy)) - Y(expectancy) * C(per_expectancy_time);
    D(expectancy_reserve) =
        (1.0 - Y(expectancy_reserve)) * C(per_expectancy_recovery) - C(expectancy_use) * expected;
}

KS_LANE_INLINE void evaluate_outcome(const ks_lane *c, const ks_lane *y, const struct terms *t, ks_lane *d) {
    D(depression) = (t->mood.value - Y(depression)) * C(per_mood_time);
    D(dissociation) = C(dissociation_rate) * (t->dissociation.value - Y(dissociation));
    D(dissociation_tolerance) =
        C(dissociation_tolerance_rate) * Y(dissociation) * (1.0 - Y(dissociation_tolerance)) -
        Y(dissociation_tolerance) * C(per_dissociation_tolerance_time);
    D(pressor) = C(pressor_rate) * (t->pressor.value - Y(pressor));
    D(ketamine_auc) = t->ketamine_arterial;
    D(madrs_auc) = C(score_rate) * Y(depression) - C(score_wanted);
}

KS_LANE_INLINE void evaluate_rates(const ks_lane *c, const ks_lane *u, const ks_lane *y,
                                   const struct terms *t, ks_lane *d) {
    evaluate_drug(c, u, y, t, d);
    evaluate_cortex(c, y, t, d);
    evaluate_plasticity(c, u, y, t, d);
    evaluate_inflammation(c, y, t, d);
    evaluate_stress(c, y, t, d);
    evaluate_networks(c, u, y, t, d);
    evaluate_outcome(c, y, t, d);
}

void KS_LANED(ks_model_rhs)(const double *coefficients, const double *inputs, const double *states,
                            double *derivatives) {
    const ks_lane *c = (const ks_lane *)coefficients, *y = (const ks_lane *)states;
    struct terms t = evaluate_terms(c, y);
    evaluate_rates(c, (const ks_lane *)inputs, y, &t, (ks_lane *)derivatives);
}

/* d block' / d blocker of a pool whose channels open freely */
#define blocking(pool) (C(nmda_koff) * C(per_ki_##pool) * (1.0 - Y(block_##pool)))

/* Element by element as jacobian.def lists them. */
KS_LANE_INLINE void evaluate_jacobian(const ks_lane *c, const ks_lane *u, const ks_lane *y, struct terms t,
                                      ks_lane *value_of) {
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

void KS_LANED(ks_model_linearise)(const double *coefficients, const double *inputs, const double *states,
                                  double *derivatives, double *values) {
    const ks_lane *c = (const ks_lane *)coefficients, *u = (const ks_lane *)inputs,
                  *y = (const ks_lane *)states;
    struct terms t = evaluate_terms(c, y);
    evaluate_rates(c, u, y, &t, (ks_lane *)derivatives);
    evaluate_jacobian(c, u, y, t, (ks_lane *)values);
}
