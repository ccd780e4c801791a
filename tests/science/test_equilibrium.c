/* The pre-treatment equilibrium: it rests, it depends on the patient as specified, and it is the seed's. */
#include "patient.h"

enum { N_TIMES = 2 };
static const double times[N_TIMES] = {0, 672};

static double baseline_madrs(struct patient *p) {
    patient_simulate(p);
    assert_false(ks_status_is_failure(p->outcome.status));
    return patient_value(p, 0, KS_DERIVED_madrs);
}

/* Without drug, dosing and sessions nothing moves in 28 days, at any tolerance. */
static void equilibrium_rests(void **state) {
    (void)state;
    const double stress[3] = {0, 0.2575, 0.6};
    for (int i = 0; i < 3; i++) {
        struct patient p;
        patient_default(&p, 1e-6, N_TIMES, times);
        SET(&p, infusion_count, 0);
        SET(&p, life_stress, stress[i]);
        patient_simulate(&p);
        for (int k = 0; k < KS_STATE_ketamine_auc; k++) { /* then come the areas */
            double moved = fabs(patient_value(&p, 1, k) - patient_value(&p, 0, k)) / ks_state_scales[k];
            if (moved > 1e-6) fail_msg("%s moves by %g scales", ks_quantities[k].name, moved);
        }
        patient_release(&p);
    }
}

/* Drug-free scores of the specification, to the digit it gives (src/model/README.md, "What comes out"). */
static void equilibrium_depends_on_the_patient_as_specified(void **state) {
    (void)state;
    const struct {
        int parameter;
        double value, madrs;
    } cases[] = {
        {KS_PARAMETER_weight, 70, 32.8},
        {KS_PARAMETER_life_stress, 0, 3.8},
        {KS_PARAMETER_life_stress, 0.15, 19.2},
        {KS_PARAMETER_inflammation_baseline, 1, 30.9},
        {KS_PARAMETER_inflammation_baseline, 2.2, 42.0},
        {KS_PARAMETER_nmdar_density, 0.7, 26.5},
        {KS_PARAMETER_nmdar_density, 1.3, 39.5},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct patient p;
        patient_default(&p, 1e-6, N_TIMES, times);
        p.parameters[cases[i].parameter] = cases[i].value;
        double madrs = baseline_madrs(&p);
        if (fabs(madrs - cases[i].madrs) > 0.05)
            fail_msg("%s = %g: MADRS %g, specified %g", ks_parameters[cases[i].parameter].name,
                     cases[i].value, madrs, cases[i].madrs);
        patient_release(&p);
    }
}

static void healthy_person_is_not_depressed(void **state) {
    (void)state;
    struct patient p;
    patient_default(&p, 1e-6, N_TIMES, times);
    SET(&p, life_stress, 0);
    SET(&p, inflammation_baseline, 1);
    assert_true(fabs(baseline_madrs(&p) - 3.5) < 0.05);
    assert_int_equal(p.outcome.status, KS_STATUS_not_depressed);
    assert_true(isnan(p.endpoints[KS_ENDPOINT_response_24h]) && isnan(p.endpoints[KS_ENDPOINT_remitted]) &&
                isnan(p.endpoints[KS_ENDPOINT_time_to_remission_h]) &&
                isnan(p.endpoints[KS_ENDPOINT_response_hours]));
    assert_false(isnan(p.endpoints[KS_ENDPOINT_madrs_24h]));
    patient_release(&p);
}

/* The same equilibrium at loose and tight tolerance: Newton's method ends at the root, not at the tolerance. */
static void equilibrium_does_not_depend_on_tolerance(void **state) {
    (void)state;
    struct patient loose, tight;
    patient_default(&loose, 1e-4, N_TIMES, times);
    patient_default(&tight, 1e-9, N_TIMES, times);
    patient_simulate(&loose);
    patient_simulate(&tight);
    for (int k = 0; k < KS_N_STATES; k++)
        assert_true(fabs(patient_value(&loose, 0, k) - patient_value(&tight, 0, k)) <=
                    1e-9 * ks_state_scales[k]);
    patient_release(&loose);
    patient_release(&tight);
}

/* A patient with a score asked for, by a solver; status in p->outcome. */
static void settle_at(struct patient *p, enum ks_solver_kind kind, double score, double inflammation,
                      double density) {
    patient_default(p, 1e-6, N_TIMES, times);
    p->plan.solver.kind = kind;
    SET(p, baseline_madrs, score);
    SET(p, inflammation_baseline, inflammation);
    SET(p, nmdar_density, density);
    patient_simulate(p);
}

/* The score is the one asked for, and the equilibrium that of the life stress that was solved for it. */
static void asked_scores_are_reached(void **state) {
    (void)state;
    const double scores[] = {21, 33, 50}, inflammation[] = {0.9, 2.0}, density[] = {0.8, 1.2};
    for (int i = 0; i < 24; i++) {
        struct patient p, same;
        settle_at(&p, i < 12 ? KS_SOLVER_cvode : KS_SOLVER_rosenbrock, scores[i % 3], inflammation[i / 3 % 2],
                  density[i / 6 % 2]);
        assert_int_equal(p.outcome.status, KS_STATUS_done);
        assert_true(fabs(patient_value(&p, 0, KS_DERIVED_madrs) - scores[i % 3]) < 1e-6);
        assert_true(p.endpoints[KS_ENDPOINT_madrs_change_24h] < -5); /* and treatment goes on from there */
        same = p;
        same.course = NULL;
        SET(&same, baseline_madrs, 0);
        SET(&same, life_stress, patient_value(&p, 0, KS_DERIVED_external_stress));
        patient_simulate(&same);
        for (int k = 0; k < KS_N_QUANTITIES; k++)
            if (!(fabs(p.course[k] - same.course[k]) <= 1e-6 * (1 + fabs(same.course[k]))))
                fail_msg("%s: %g with a score, %g with its life stress", ks_quantities[k].name, p.course[k],
                         same.course[k]);
        patient_release(&p);
        patient_release(&same);
    }
}

static void scores_out_of_reach_are_refused(void **state) {
    (void)state;
    const double scores[] = {2, 59.9}; /* without stress it is 3.8 */
    for (int i = 0; i < 4; i++) {
        struct patient p;
        settle_at(&p, i < 2 ? KS_SOLVER_cvode : KS_SOLVER_rosenbrock, scores[i % 2], 1.25, 1);
        assert_int_equal(p.outcome.status, KS_STATUS_no_equilibrium);
        assert_true(isnan(p.endpoints[KS_ENDPOINT_madrs_24h]));
        patient_release(&p);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equilibrium_rests),
        cmocka_unit_test(equilibrium_depends_on_the_patient_as_specified),
        cmocka_unit_test(healthy_person_is_not_depressed),
        cmocka_unit_test(equilibrium_does_not_depend_on_tolerance),
        cmocka_unit_test(asked_scores_are_reached),
        cmocka_unit_test(scores_out_of_reach_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
