/* What must come out of the default patient: the table of src/model/README.md, "What comes out", to its last digit,
 * and the effect of switching each mechanism off. */
#include "patient.h"

/* Seen at no other times than those of the endpoints. */
static void simulate_default(struct patient *p, int count, const int *parameters, const double *values) {
    patient_default(p, 1e-7, 0, NULL);
    for (int i = 0; i < count; i++) p->parameters[parameters[i]] = values[i];
    patient_simulate(p);
    assert_false(ks_status_is_failure(p->outcome.status));
    patient_release(p);
}

static void check(const char *what, double value, double expected, double slack) {
    if (!(fabs(value - expected) <= slack)) fail_msg("%s: %g, specified %g", what, value, expected);
}

static void single_infusion_gives_the_specified_outcomes(void **state) {
    (void)state;
    const struct {
        int endpoint;
        double expected, slack;
    } table[] = {
        {KS_ENDPOINT_ketamine_cmax, 205, 0.5},
        {KS_ENDPOINT_ketamine_cmax_arterial, 253, 0.5},
        {KS_ENDPOINT_norketamine_cmax, 67, 0.5},
        {KS_ENDPOINT_block_interneuron_max, 0.234, 5e-4},
        {KS_ENDPOINT_glutamate_peak, 1.34, 5e-3},
        {KS_ENDPOINT_mtorc1_peak, 1.82, 5e-3},
        {KS_ENDPOINT_synapse_24h, 1.081, 5e-4},
        {KS_ENDPOINT_synapse_7d, 1.085, 5e-4},
        {KS_ENDPOINT_habenula_burst_24h, 0.00, 5e-3},
        {KS_ENDPOINT_default_mode_24h, 0.81, 5e-3},
        {KS_ENDPOINT_il6_24h, 0.98, 5e-3},
        {KS_ENDPOINT_madrs_baseline, 32.80, 5e-3},
        {KS_ENDPOINT_madrs_change_24h, -16.3, 0.05},
        {KS_ENDPOINT_madrs_change_7d, -10.0, 0.05},
        {KS_ENDPOINT_madrs_change_14d, -4.7, 0.05},
        {KS_ENDPOINT_madrs_change_28d, -1.8, 0.05},
        {KS_ENDPOINT_madrs_change_end, -1.8, 0.05},
        {KS_ENDPOINT_cadss_peak, 7.6, 0.05},
        {KS_ENDPOINT_systolic_rise_peak, 12.7, 0.05},
    };
    struct patient p;
    simulate_default(&p, 0, NULL, NULL);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        check(ks_endpoints[table[i].endpoint].name, p.endpoints[table[i].endpoint], table[i].expected,
              table[i].slack);
}

static void doses_give_the_specified_drug_effects(void **state) {
    (void)state;
    const double doses[4] = {0.1, 0.2, 0.5, 1.0}, expected[4] = {-1.3, -3.9, -7.4, -10.9};
    const int dose = KS_PARAMETER_infusion_dose;
    struct patient placebo, drug;
    simulate_default(&placebo, 1, &dose, (const double[]){0});
    check("placebo, 24 h", placebo.endpoints[KS_ENDPOINT_madrs_change_24h], -8.9, 0.05);
    check("placebo, 7 d", placebo.endpoints[KS_ENDPOINT_madrs_change_7d], -5.4, 0.05);
    for (int i = 0; i < 4; i++) {
        simulate_default(&drug, 1, &dose, &doses[i]);
        check("24 h, drug minus placebo",
              drug.endpoints[KS_ENDPOINT_madrs_change_24h] - placebo.endpoints[KS_ENDPOINT_madrs_change_24h],
              expected[i], 0.051);
    }
}

/* The share of the drug's effect, over placebo dosing with every mechanism, that is left without one. */
static void mechanisms_carry_the_specified_shares(void **state) {
    (void)state;
    const struct {
        int mechanism;
        double day, week;
    } table[] = {
        {KS_PARAMETER_mechanism_interneuron_block, 0.65, 0.87},
        {KS_PARAMETER_mechanism_ampa, 0.66, 0.35},
        {KS_PARAMETER_mechanism_eef2k, 0.98, 0.98},
        {KS_PARAMETER_mechanism_trkb, 0.65, 0.26},
        {KS_PARAMETER_mechanism_mtorc1, 0.59, 0.16},
        {KS_PARAMETER_mechanism_neurogenesis, 1.00, 1.00},
        {KS_PARAMETER_mechanism_inflammation, 1.00, 1.00},
        {KS_PARAMETER_mechanism_habenula, 0.49, 0.12},
        {KS_PARAMETER_mechanism_network, 0.89, 0.98},
    };
    struct patient placebo, drug, without;
    const int dose = KS_PARAMETER_infusion_dose;
    simulate_default(&placebo, 1, &dose, (const double[]){0});
    simulate_default(&drug, 0, NULL, NULL);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        simulate_default(&without, 1, &table[i].mechanism, (const double[]){0});
        const int day = KS_ENDPOINT_madrs_change_24h, week = KS_ENDPOINT_madrs_change_7d;
        check(ks_parameters[table[i].mechanism].name,
              (without.endpoints[day] - placebo.endpoints[day]) /
                  (drug.endpoints[day] - placebo.endpoints[day]),
              table[i].day, 0.0051);
        check(ks_parameters[table[i].mechanism].name,
              (without.endpoints[week] - placebo.endpoints[week]) /
                  (drug.endpoints[week] - placebo.endpoints[week]),
              table[i].week, 0.0051);
    }
}

/* Infusion and eight sessions against either alone, 30 d; the order of Price 2022. Sessions on days 1 to 4. */
static void therapy_adds_to_the_drug(void **state) {
    (void)state;
    const int set[] = {KS_PARAMETER_infusion_dose, KS_PARAMETER_session_count, KS_PARAMETER_session_interval,
                       KS_PARAMETER_horizon};
    struct patient p;
    simulate_default(&p, 4, set, (const double[]){0.5, 8, 12, 720});
    check("infusion and sessions", p.endpoints[KS_ENDPOINT_madrs_change_end], -15.1, 0.05);
    simulate_default(&p, 4, set, (const double[]){0, 8, 12, 720});
    check("placebo and sessions", p.endpoints[KS_ENDPOINT_madrs_change_end], -6.7, 0.05);
    simulate_default(&p, 4, set, (const double[]){0.5, 0, 12, 720});
    check("infusion alone", p.endpoints[KS_ENDPOINT_madrs_change_end], -1.7, 0.05);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(single_infusion_gives_the_specified_outcomes),
        cmocka_unit_test(doses_give_the_specified_drug_effects),
        cmocka_unit_test(mechanisms_carry_the_specified_shares),
        cmocka_unit_test(therapy_adds_to_the_drug),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
