/* Doses of every kind against closed forms: the pharmacokinetics are linear, so that the concentration under several doses
 * is the sum of those under each, and the area is dose x bioavailability / clearance. */
#include "patient.h"

enum { N_TIMES = 8 };
static const double times[N_TIMES] = {0, 1, 5, 12, 25, 49, 80, 120};

struct dose {
    double time, mg, duration;
};

static void simulate(struct patient *p, int n, const struct dose *doses, int route) {
    struct ks_infusion_event events[16];
    patient_default(p, 1e-9, N_TIMES, times);
    for (int i = 0; i < n; i++)
        events[i] = (struct ks_infusion_event){
            .time_h = doses[i].time, .dose = doses[i].mg, .duration_h = doses[i].duration, .route = route};
    p->plan.treatment.is_dose_per_kg = false;
    p->plan.treatment.has_infusion_events = true;
    p->plan.treatment.n_infusion_events = (size_t)n;
    p->plan.treatment.infusion_events = events;
    SET(p, route, route);
    SET(p, horizon, 120);
    patient_simulate(p);
    assert_int_equal(p->outcome.status, KS_STATUS_done);
}

/* The course of several doses is the sum of the courses of each, at every time and for parent and metabolite. */
static void check_sum(const char *what, int n, const struct dose *doses, int route) {
    static const int quantities[] = {KS_DERIVED_ketamine_arterial, KS_DERIVED_norketamine};
    struct patient all, one;
    double sums[2][N_TIMES] = {{0}}, largest[2] = {0};
    simulate(&all, n, doses, route);
    for (int i = 0; i < n; i++) {
        simulate(&one, 1, &doses[i], route);
        for (int k = 0; k < 2; k++)
            for (int t = 0; t < N_TIMES; t++) sums[k][t] += patient_value(&one, t, quantities[k]);
        patient_release(&one);
    }
    for (int k = 0; k < 2; k++)
        for (int t = 0; t < N_TIMES; t++) largest[k] = fmax(largest[k], sums[k][t]);
    for (int k = 0; k < 2; k++)
        for (int t = 0; t < N_TIMES; t++)
            if (fabs(patient_value(&all, t, quantities[k]) - sums[k][t]) > 1e-6 * largest[k])
                fail_msg("%s, route %s: %g, not %g at %g h", what, ks_routes[route].name,
                         patient_value(&all, t, quantities[k]), sums[k][t], times[t]);
    patient_release(&all);
}

static void doses_add(void **state) {
    (void)state;
    const struct dose repeated[] = {{0, 35, 0.67}, {24, 35, 0.67}, {48, 35, 0.67}};
    const struct dose alternating[] = {{0, 10, 0.5}, {12, 20, 0.5}, {24, 10, 0.5}, {36, 20, 0.5}};
    const struct dose overlapping[] = {
        {0, 50, 30}, {24, 50, 30}, {48, 50, 30}};                        /* longer than their interval */
    const struct dose at_the_end[] = {{0, 35, 0.67}, {119.9, 35, 0.67}}; /* cut off at the horizon */
    for (int route = 0; route < KS_N_ROUTES; route++) {
        check_sum("repeated", 3, repeated, route);
        check_sum("10 and 20 mg", 4, alternating, route);
        check_sum("overlapping", 3, overlapping, route);
        check_sum("at the horizon", 2, at_the_end, route);
    }
}

/* A dose that starts at the horizon is allowed, and changes nothing that was before. */
static void a_dose_at_the_horizon_comes_too_late(void **state) {
    (void)state;
    const struct dose two[] = {{0, 35, 0.67}, {120, 35, 0.67}};
    struct patient with, without;
    simulate(&with, 2, two, KS_ROUTE_iv);
    simulate(&without, 1, two, KS_ROUTE_iv);
    for (int t = 0; t < N_TIMES; t++)
        assert_true(patient_value(&with, t, KS_DERIVED_ketamine_arterial) ==
                    patient_value(&without, t, KS_DERIVED_ketamine_arterial));
    patient_release(&with);
    patient_release(&without);
}

static void areas_are_dose_over_clearance(void **state) {
    (void)state;
    const struct dose doses[] = {{0, 20, 0.5}, {6, 10, 2}};
    for (int route = 0; route < KS_N_ROUTES; route++) {
        struct patient p;
        simulate(&p, 2, doses, route);
        double bioavailability = route == KS_ROUTE_iv ? 1 : ks_routes[route].bioavailability;
        double area = bioavailability * 30 / p.parameters[KS_PARAMETER_ketamine_clearance];
        assert_true(fabs(patient_value(&p, N_TIMES - 1, KS_STATE_ketamine_auc) / area - 1) <
                    1e-4); /* what is left at 120 h */
        patient_release(&p);
    }
}

/* A long infusion nears rate / clearance. */
static void long_infusions_reach_a_plateau(void **state) {
    (void)state;
    const struct dose dose = {0, 1200, 120};
    struct patient p;
    simulate(&p, 1, &dose, KS_ROUTE_iv);
    double plateau = 10 / p.parameters[KS_PARAMETER_ketamine_clearance];
    assert_true(fabs(patient_value(&p, N_TIMES - 1, KS_DERIVED_ketamine_arterial) / plateau - 1) < 1e-6);
    patient_release(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(doses_add),
        cmocka_unit_test(a_dose_at_the_horizon_comes_too_late),
        cmocka_unit_test(areas_are_dose_over_clearance),
        cmocka_unit_test(long_infusions_reach_a_plateau),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
