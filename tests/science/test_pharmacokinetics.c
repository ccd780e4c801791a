/* Ketamine's pharmacokinetics: its mass balance, and the linear three-compartment model against its analytic solution
 * (Gibaldi and Perrier 1982, Pharmacokinetics, chapter 2). */
#include "patient.h"

#include <gsl/gsl_poly.h>

enum { N_TIMES = 9 };
static const double times[N_TIMES] = {0, 0.1, 0.5, 0.66666666666666663, 1, 2, 6, 24, 72};

/* Arterial concentration per unit of infusion rate at t, infused from 0 to `duration`. */
static double three_compartments(const struct patient *p, double t, double duration) {
    double size = p->parameters[KS_PARAMETER_weight] / 70, size_075 = pow(size, 0.75);
    double v1 = p->parameters[KS_PARAMETER_ketamine_volume_central] * size;
    double v2 = p->parameters[KS_PARAMETER_ketamine_volume_fast] * size;
    double v3 = p->parameters[KS_PARAMETER_ketamine_volume_slow] * size;
    double k10 = p->parameters[KS_PARAMETER_ketamine_clearance] * size_075 / v1;
    double q2 = p->parameters[KS_PARAMETER_ketamine_flow_fast] * size_075;
    double q3 = p->parameters[KS_PARAMETER_ketamine_flow_slow] * size_075;
    double k12 = q2 / v1, k21 = q2 / v2, k13 = q3 / v1, k31 = q3 / v3, root[3], sum = 0;
    /* s^3 + a s^2 + b s + c with roots -lambda */
    assert_int_equal(gsl_poly_solve_cubic(k10 + k12 + k13 + k21 + k31,
                                          k10 * k21 + k10 * k31 + k21 * k31 + k12 * k31 + k13 * k21,
                                          k10 * k21 * k31, &root[0], &root[1], &root[2]),
                     3);
    for (int i = 0; i < 3; i++) {
        double l = -root[i], m = -root[(i + 1) % 3], n = -root[(i + 2) % 3];
        double share = (k21 - l) * (k31 - l) / ((m - l) * (n - l)) / v1;
        sum += share / l * (1 - exp(-l * fmin(t, duration))) * exp(-l * fmax(0, t - duration));
    }
    return sum;
}

static void check_analytic(double weight, double clearance) {
    struct patient p;
    patient_default(&p, 1e-9, N_TIMES, times);
    SET(&p, weight, weight);
    SET(&p, ketamine_clearance, clearance);
    patient_simulate(&p);
    double duration = p.parameters[KS_PARAMETER_infusion_duration];
    double rate = p.parameters[KS_PARAMETER_infusion_dose] * weight / duration;
    double peak = rate * three_compartments(&p, duration, duration);
    for (int i = 0; i < N_TIMES; i++) {
        double exact = rate * three_compartments(&p, times[i], duration);
        assert_true(fabs(patient_value(&p, i, KS_DERIVED_ketamine_arterial) - exact) <= 1e-7 * peak);
    }
    patient_release(&p);
}

static void linear_model_equals_its_analytic_solution(void **state) {
    (void)state;
    check_analytic(70, 84);
    check_analytic(110, 60);
    check_analytic(45, 120);
}

/* What was given and absorbed = what is in the body + what was cleared. */
static void check_balance(int route, double rtol) {
    struct patient p;
    patient_default(&p, rtol, N_TIMES, times);
    SET(&p, route, route);
    SET(&p, infusion_count, 3);
    SET(&p, infusion_interval, 20);
    SET(&p, weight, 90);
    patient_simulate(&p);
    double size_075 = pow(90.0 / 70, 0.75), dose = 0.5 * 90, given = 3 * dose;
    double bioavailability = ks_routes[route].bioavailability;
    int last = N_TIMES - 1;
    assert_true(times[last] > 41);
    double body = patient_value(&p, last, KS_STATE_ketamine_central) +
                  patient_value(&p, last, KS_STATE_ketamine_fast) +
                  patient_value(&p, last, KS_STATE_ketamine_slow) +
                  bioavailability * patient_value(&p, last, KS_STATE_absorption_depot);
    double cleared = p.parameters[KS_PARAMETER_ketamine_clearance] * size_075 *
                     patient_value(&p, last, KS_STATE_ketamine_auc);
    if (fabs(body + cleared - bioavailability * given) > 1e-8 * given)
        fail_msg("route %s, rtol %g: balance off by %g", ks_routes[route].name, rtol,
                 (body + cleared) / (bioavailability * given) - 1);
    patient_release(&p);
}

static void ketamine_is_conserved(void **state) {
    (void)state;
    for (int route = 0; route < KS_N_ROUTES; route++) {
        check_balance(route, 1e-6);
        check_balance(route, 1e-9);
    }
}

/* The endpoint's quadrature of dense output against the area that the solver integrates as a state. */
static void quadrature_equals_the_integrated_area(void **state) {
    (void)state;
    const double end[1] = {672};
    struct patient p;
    patient_default(&p, 1e-8, 1, end);
    patient_simulate(&p);
    double auc = 1000 * patient_value(&p, 0, KS_STATE_ketamine_auc);
    assert_true(fabs(p.endpoints[KS_ENDPOINT_ketamine_auc] - auc) <= 1e-6 * auc);
    double mean = patient_value(&p, 0, KS_STATE_madrs_auc) / 672;
    assert_true(fabs(p.endpoints[KS_ENDPOINT_madrs_mean] - mean) <= 1e-6 * mean);
    patient_release(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linear_model_equals_its_analytic_solution),
        cmocka_unit_test(ketamine_is_conserved),
        cmocka_unit_test(quadrature_equals_the_integrated_area),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
