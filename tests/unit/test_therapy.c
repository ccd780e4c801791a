/* Protocols become courses, and courses become endpoints. */
#include "base/error.h"
#include "base/status.h"
#include "therapy/therapy_impl.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- courses ------------------------------------------------------------------------------------------------ */

static void set_defaults(double *parameters) {
    for (int i = 0; i < KS_N_PARAMETERS; i++) parameters[i] = ks_parameters[i].value;
}
#define SET(name, value) (parameters[KS_PARAMETER_##name] = (value))

static struct ks_course build(const struct ks_treatment *treatment, const double *parameters,
                              uint64_t point) {
    struct ks_course course = {0};
    int status;
    char reason[160];
    assert_int_equal(
        ks_protocol_build_course(treatment, parameters, point, &course, &status, reason, sizeof reason),
        KS_OK);
    assert_int_equal(status, KS_STATUS_done);
    return course;
}

static double input(const struct ks_course *course, int segment, enum ks_input which) {
    return course->inputs[segment * KS_N_INPUTS + which];
}

/* The integral of an input over the course. */
static double total(const struct ks_course *course, enum ks_input which) {
    double sum = 0;
    for (int i = 0; i < course->n_segments; i++)
        sum += input(course, i, which) * (course->edges[i + 1] - course->edges[i]);
    return sum;
}

static void regular_protocol_becomes_segments(void **state) {
    (void)state;
    const struct ks_treatment treatment = {.is_dose_per_kg = true};
    double parameters[KS_N_PARAMETERS];
    set_defaults(parameters);
    SET(weight, 80), SET(infusion_count, 3), SET(infusion_duration, 0.5), SET(session_count, 2);
    struct ks_course course = build(&treatment, parameters, 0);
    assert_int_equal(course.n_segments, 10); /* 0 .5 24 24.75 72 72.75 84 84.5 168 168.5 672 */
    assert_true(course.edges[0] == 0 && course.edges[10] == 672 && course.edges[3] == 24.75);
    assert_true(fabs(total(&course, KS_INPUT_infusion_central) - 3 * 0.5 * 80) < 1e-9);
    assert_true(fabs(total(&course, KS_INPUT_dosing) - 3) < 1e-12);
    assert_true(fabs(total(&course, KS_INPUT_session) - 1.5) < 1e-12);
    assert_true(total(&course, KS_INPUT_infusion_depot) == 0);
    ks_protocol_release_course(&course);
}

static void rate_unit_route_and_placebo(void **state) {
    (void)state;
    double parameters[KS_N_PARAMETERS];
    set_defaults(parameters);
    SET(infusion_dose, 30), SET(infusion_rate, 60), SET(route, KS_ROUTE_oral);
    struct ks_course course = build(&(struct ks_treatment){.uses_rate = true}, parameters, 0);
    assert_true(course.edges[1] == 0.5);
    assert_true(fabs(total(&course, KS_INPUT_infusion_depot) - 30) < 1e-12);
    ks_protocol_release_course(&course);
    SET(infusion_dose, 0);
    course = build(&(struct ks_treatment){.is_dose_per_kg = true}, parameters, 0);
    assert_true(total(&course, KS_INPUT_infusion_depot) == 0);
    assert_true(fabs(total(&course, KS_INPUT_dosing) - 1) < 1e-12);
    ks_protocol_release_course(&course);
}

static void overlaps_add_and_the_horizon_cuts(void **state) {
    (void)state;
    double parameters[KS_N_PARAMETERS];
    set_defaults(parameters);
    SET(infusion_count, 2), SET(infusion_duration, 2), SET(infusion_interval, 1), SET(horizon, 2.5);
    SET(infusion_dose, 10);
    struct ks_course course = build(&(struct ks_treatment){0}, parameters, 0);
    assert_int_equal(course.n_segments, 3); /* 0 1 2 2.5 */
    assert_true(input(&course, 0, KS_INPUT_infusion_central) == 5);
    assert_true(input(&course, 1, KS_INPUT_infusion_central) == 10);
    assert_true(input(&course, 1, KS_INPUT_dosing) == 1);
    assert_true(course.edges[3] == 2.5 && input(&course, 2, KS_INPUT_infusion_central) == 5);
    ks_protocol_release_course(&course);
}

/* 0.1 + 0.2 and 0.3 are one edge: no segment is too short to step over. */
static void sums_that_should_be_equal_are_one_edge(void **state) {
    (void)state;
    double parameters[KS_N_PARAMETERS];
    set_defaults(parameters);
    SET(infusion_count, 8), SET(infusion_interval, 0.1), SET(infusion_duration, 0.1), SET(horizon, 0.8);
    struct ks_course course = build(&(struct ks_treatment){0}, parameters, 0);
    assert_int_equal(course.n_segments, 8);
    assert_true(course.edges[8] == 0.8);
    for (int i = 0; i < 8; i++) assert_true(fabs(input(&course, i, KS_INPUT_dosing) - 10) < 1e-9);
    ks_protocol_release_course(&course);
}

static void impossible_protocols_have_a_reason(void **state) {
    (void)state;
    double parameters[KS_N_PARAMETERS], *edges;
    char reason[160];
    int n, status;
    set_defaults(parameters);
    SET(infusion_count, 2), SET(infusion_interval, 700);
    assert_int_equal(ks_therapy_edges(&(struct ks_treatment){0}, parameters, 0, &n, &edges, &status, reason,
                                      sizeof reason),
                     KS_OK);
    assert_int_equal(status, KS_STATUS_bad_protocol);
    assert_string_equal(reason, "a dose starts at 700 h, after the horizon of 672 h");
    assert_true(n == 0 && edges == NULL);
    SET(infusion_count, 1), SET(infusion_duration, 1e-9);
    ks_therapy_edges(&(struct ks_treatment){0}, parameters, 0, &n, &edges, &status, reason, sizeof reason);
    assert_int_equal(status, KS_STATUS_bad_protocol);
    SET(infusion_duration, 1), SET(session_count, 1), SET(session_delay, 673);
    ks_therapy_edges(&(struct ks_treatment){0}, parameters, 0, &n, &edges, &status, NULL, 0);
    assert_int_equal(status, KS_STATUS_bad_protocol);
    SET(session_delay, 672);
    ks_therapy_edges(&(struct ks_treatment){0}, parameters, 0, &n, &edges, &status, NULL, 0);
    assert_int_equal(status, KS_STATUS_done);
    free(edges);
}

static void explicit_events_belong_to_their_patients(void **state) {
    (void)state;
    struct ks_infusion_event infusions[] = {
        {0, 1, 0.5, 1, KS_ROUTE_iv}, {2, 10, 1.0, 1, KS_ROUTE_im}, {3, 20, 9.0, 1, KS_ROUTE_iv}};
    struct ks_session_event sessions[] = {{0, 5, 1}, {1, 6, 1}};
    const struct ks_treatment treatment = {.is_dose_per_kg = true,
                                           .has_infusion_events = true,
                                           .n_infusion_events = 3,
                                           .infusion_events = infusions,
                                           .has_session_events = true,
                                           .n_session_events = 2,
                                           .session_events = sessions};
    double parameters[KS_N_PARAMETERS];
    set_defaults(parameters);
    struct ks_course course = build(&treatment, parameters, 1); /* patient 2 */
    assert_true(fabs(total(&course, KS_INPUT_infusion_central) - 35) < 1e-9);
    assert_true(fabs(total(&course, KS_INPUT_infusion_depot) - 70) < 1e-9);
    assert_true(fabs(total(&course, KS_INPUT_session) - 1) < 1e-9);
    ks_protocol_release_course(&course);
    ks_therapy_apply_route(&treatment, parameters);
    assert_true(parameters[KS_PARAMETER_bioavailability] == 0.93);
}

static void route_sets_absorption_unless_named(void **state) {
    (void)state;
    double parameters[KS_N_PARAMETERS];
    set_defaults(parameters);
    SET(route, KS_ROUTE_intranasal), SET(absorption_rate, 7);
    ks_therapy_apply_route(&(struct ks_treatment){.keeps_absorption = {false, true, false}}, parameters);
    assert_true(parameters[KS_PARAMETER_bioavailability] == 0.14);
    assert_true(parameters[KS_PARAMETER_absorption_rate] == 7);
    assert_true(parameters[KS_PARAMETER_first_pass_norketamine] == 0.3);
}

/* ---- readings ----------------------------------------------------------------------------------------------- */

static double cubic(double t) {
    return 3 + (t - 1) * (t - 4) * (t - 6); /* 3 at 1, 4 and 6; extremes at (11 +- sqrt 19) / 3 */
}

static double read_curve(double (*f)(double), enum ks_op op, double from, double to, double threshold,
                         double horizon) {
    const struct ks_endpoint endpoint = {.name = "e",
                                         .unit = "1",
                                         .quantity = KS_STATE_bdnf,
                                         .op = op,
                                         .from = from,
                                         .to = to,
                                         .threshold = threshold,
                                         .factor = 1};
    struct ks_reading reading;
    double low, high, step_start, step_end, least, most;
    int64_t loud, any_loud;
    const int first_reading[2] = {0, 1};
    ks_reading_begin(&reading, &endpoint, f(0), horizon);
    struct ks_watch watch = {
        1,     first_reading, &reading.kind, &reading.sign, &reading.from, &reading.end, &reading.value, &low,
        &high, &step_start,   &step_end,     &least,        &most,         &loud,        &any_loud};
    const double ends[] = {0, 0.7, 2.9, 3.0, 5.5, 7, 8}; /* steps as a solver might take them */
    for (int i = 1; i < 7 && ends[i] <= horizon; i++) {
        struct ks_reading_step step = {.start = step_start = ends[i - 1], .end = step_end = ends[i]};
        for (int k = 0; k < KS_STEP_NODES; k++)
            step.values[k] = f(ends[i - 1] + (ends[i] - ends[i - 1]) * k / 4);
        ks_reading_find_quiet(&reading, &low, &high);
        ks_watch_add_step_w1(&watch, step.values);
        step.low = least, step.high = most;
        assert_true(loud == any_loud);
        if (loud) ks_reading_add_step(&reading, &step);
    }
    return ks_reading_finish(&reading, &endpoint, true);
}
#define READ(op, from, to, threshold) read_curve(cubic, KS_OP_##op, from, to, threshold, 8)

static void assert_near(double value, double expected) {
    if (!(fabs(value - expected) < 1e-9)) fail_msg("%.15g, expected %.15g", value, expected);
}

static void extremes_come_from_inside_steps(void **state) {
    (void)state;
    double high = cubic((11 - sqrt(19)) / 3), low = cubic((11 + sqrt(19)) / 3);
    assert_near(READ(max, 0, 7, 0), cubic(7));
    assert_near(READ(max, 0, 5, 0), high);
    assert_near(READ(min, 3, INFINITY, 0), low);
    assert_near(READ(min_ratio, 3, INFINITY, 0), low / cubic(0));
    assert_near(READ(max, 2.5, 2.6, 0), cubic(2.5)); /* a window within one step */
}

static void areas_are_exact(void **state) {
    (void)state;
    /* antiderivative of t^3 - 11 t^2 + 34 t - 21 */
#define AREA(t) ((t) * ((t) * ((t) * ((t) / 4 - 11.0 / 3) + 17) - 21))
    assert_near(READ(auc, 0, INFINITY, 0), AREA(8.0));
    assert_near(READ(auc, 0.5, 3.3, 0), AREA(3.3) - AREA(0.5));
    assert_near(READ(mean, 2, 6.5, 0), (AREA(6.5) - AREA(2.0)) / 4.5);
#undef AREA
}

static void crossings_are_found_between_nodes(void **state) {
    (void)state;
    assert_near(READ(time_above, 0, INFINITY, 3), 5); /* 1..4 and 6..8 */
    assert_near(READ(time_below, 0, INFINITY, 3), 3);
    assert_near(READ(time_above, 2, 3.5, 3), 1.5);
    assert_near(READ(first_crossing, 0, INFINITY, 3), 1);
    assert_near(READ(first_crossing, 2, INFINITY, 3), 4);
    assert_near(READ(crossed, 0, INFINITY, 3), 1);
    assert_near(READ(first_at_most, 2, INFINITY, 3), 4);
    assert_near(READ(first_at_most, 0, INFINITY, 3), 0);
    assert_near(READ(ever_at_most, 6.5, INFINITY, 3), 0);
    assert_near(READ(first_at_most, 6.5, INFINITY, 3), 8); /* never: the horizon */
}

static double falling_and_rising(double t) {
    return 10 - 4 * t +
           0.5 * t * t; /* 10 at 0, 2 at 4, 10 at 8; at or below 5 from 4 - sqrt 6 to 4 + sqrt 6 */
}

static void responses_and_relapses(void **state) {
    (void)state;
    double response = 4 - sqrt(6), relapse = 4 + sqrt(6);
    assert_near(read_curve(falling_and_rising, KS_OP_first_ratio_at_most, 0, INFINITY, 0.5, 8), response);
    assert_near(read_curve(falling_and_rising, KS_OP_time_below_ratio, 0, INFINITY, 0.5, 8),
                relapse - response);
    assert_near(read_curve(falling_and_rising, KS_OP_relapse, 0, INFINITY, 0.5, 8), 1);
    assert_near(read_curve(falling_and_rising, KS_OP_relapse_time, 0, INFINITY, 0.5, 8), relapse - response);
    assert_near(read_curve(falling_and_rising, KS_OP_relapse, 0, INFINITY, 0.5, 5.5), 0);
    assert_near(read_curve(falling_and_rising, KS_OP_relapse_time, 0, INFINITY, 0.5, 5.5), 5.5 - response);
    assert_true(isnan(read_curve(falling_and_rising, KS_OP_relapse, 0, INFINITY, 0.1, 8)));
    assert_true(isnan(read_curve(falling_and_rising, KS_OP_relapse_time, 0, INFINITY, 0.1, 8)));
    assert_near(read_curve(falling_and_rising, KS_OP_ever_ratio_at_most, 0, INFINITY, 0.1, 8), 0);
    assert_true(isnan(read_curve(falling_and_rising, KS_OP_max, 9, INFINITY, 0, 8))); /* after the horizon */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(regular_protocol_becomes_segments),
        cmocka_unit_test(rate_unit_route_and_placebo),
        cmocka_unit_test(overlaps_add_and_the_horizon_cuts),
        cmocka_unit_test(sums_that_should_be_equal_are_one_edge),
        cmocka_unit_test(impossible_protocols_have_a_reason),
        cmocka_unit_test(explicit_events_belong_to_their_patients),
        cmocka_unit_test(route_sets_absorption_unless_named),
        cmocka_unit_test(extremes_come_from_inside_steps),
        cmocka_unit_test(areas_are_exact),
        cmocka_unit_test(crossings_are_found_between_nodes),
        cmocka_unit_test(responses_and_relapses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
