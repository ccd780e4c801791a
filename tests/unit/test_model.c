/* The model's equations: the Jacobian against differences, lanes against one lane, the healthy state, the tables. */
#include "base/build_info.h"
#include "base/random.h"
#include "model/model.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { WIDEST = 8 };

struct patient {
    double parameters[KS_N_PARAMETERS], coefficients[KS_N_COEFFICIENTS], inputs[KS_N_INPUTS], y[KS_N_STATES];
};

static double draw(uint64_t patient, uint64_t item) {
    return ks_random_uniform(11, KS_STREAM_test, patient, item);
}

/* A patient with every parameter drawn from its plausible range, every state away from its seed, every input on. */
static void draw_patient(uint64_t i, struct patient *p) {
    for (int k = 0; k < KS_N_PARAMETERS; k++)
        p->parameters[k] =
            ks_parameters[k].low + draw(i, (uint64_t)k) * (ks_parameters[k].high - ks_parameters[k].low);
    double before[KS_N_STATES];
    for (int k = 0; k < KS_N_STATES; k++) {
        before[k] = ks_state_seeds[k] * (0.5 + draw(i, 1000 + (uint64_t)k)) + 0.1 * ks_state_scales[k];
        p->y[k] = before[k] * (0.5 + draw(i, 2000 + (uint64_t)k));
    }
    for (int k = 0; k < KS_N_INPUTS; k++) p->inputs[k] = 0.5 + draw(i, 3000 + (uint64_t)k);
    ks_model_prepare(p->parameters, p->coefficients);
    ks_model_begin_treatment(p->parameters, before, p->coefficients);
}

static double column_scale(const struct patient *p, int column) {
    return fmax(fabs(p->y[column]), 0.1 * ks_state_scales[column]);
}

/* d rhs / d y_column by a difference of fourth order. */
static void difference(const struct patient *p, int column, double *derivative) {
    const struct ks_model_equations *equations = ks_model_equations(1);
    const double weights[4] = {1.0 / 12, -8.0 / 12, 8.0 / 12, -1.0 / 12}, offsets[4] = {-2, -1, 1, 2};
    double h = 2e-5 * column_scale(p, column), y[KS_N_STATES], dydt[KS_N_STATES];
    memset(derivative, 0, KS_N_STATES * sizeof *derivative);
    for (int i = 0; i < 4; i++) {
        memcpy(y, p->y, sizeof y);
        y[column] += offsets[i] * h;
        equations->rhs(p->coefficients, p->inputs, y, dydt);
        for (int row = 0; row < KS_N_STATES; row++) derivative[row] += weights[i] * dydt[row] / h;
    }
}

static void jacobian_equals_differences(void **state) {
    (void)state;
    static double exact[KS_N_STATES][KS_N_STATES];
    for (uint64_t i = 0; i < 50; i++) {
        struct patient p;
        double values[KS_N_NONZEROS], row_scale[KS_N_STATES] = {0}, derivative[KS_N_STATES],
                                      rates[KS_N_STATES];
        draw_patient(i, &p);
        ks_model_equations(1)->linearise(p.coefficients, p.inputs, p.y, rates, values);
        memset(exact, 0, sizeof exact);
        for (int k = 0; k < KS_N_NONZEROS; k++) {
            int row = ks_jacobian_rows[k], column = ks_jacobian_columns[k];
            exact[row][column] = values[k];
            row_scale[row] = fmax(row_scale[row], fabs(values[k]) * column_scale(&p, column));
        }
        for (int column = 0; column < KS_N_STATES; column++) {
            difference(&p, column, derivative);
            for (int row = 0; row < KS_N_STATES; row++) {
                double error = fabs(derivative[row] - exact[row][column]) * column_scale(&p, column);
                if (error > 2e-7 * row_scale[row])
                    fail_msg("patient %d: d %s' / d %s is %.12g, by differences %.12g", (int)i,
                             ks_quantities[row].name, ks_quantities[column].name, exact[row][column],
                             derivative[row]);
            }
        }
    }
}

static void jacobian_lists_each_element_once(void **state) {
    (void)state;
    int count[KS_N_STATES][KS_N_STATES] = {{0}};
    for (int k = 0; k < KS_N_NONZEROS; k++) count[ks_jacobian_rows[k]][ks_jacobian_columns[k]]++;
    for (int row = 0; row < KS_N_STATES; row++) {
        assert_int_equal(count[row][row], 1);
        for (int column = 0; column < KS_N_STATES; column++) assert_true(count[row][column] <= 1);
    }
}

/* Puts patients first, first + 1, ... into the lanes of [n][lanes] arrays. */
static void spread(int lanes, const double *one, int n, int lane, double *laned) {
    for (int k = 0; k < n; k++) laned[k * lanes + lane] = one[k];
}

static void lanes_equal_one_lane(void **state) {
    (void)state;
    static _Alignas(64) double c[KS_N_COEFFICIENTS * WIDEST], u[KS_N_INPUTS * WIDEST],
        y[KS_N_STATES * WIDEST], d[KS_N_STATES * WIDEST], e[KS_N_STATES * WIDEST], j[KS_N_NONZEROS * WIDEST];
    for (int lanes = 2; lanes <= ks_build_info_widest_lanes(); lanes *= 2) {
        const struct ks_model_equations *equations = ks_model_equations(lanes);
        assert_non_null(equations);
        struct patient p[WIDEST];
        for (int i = 0; i < lanes; i++) {
            draw_patient(100 + (uint64_t)i, &p[i]);
            spread(lanes, p[i].coefficients, KS_N_COEFFICIENTS, i, c);
            spread(lanes, p[i].inputs, KS_N_INPUTS, i, u);
            spread(lanes, p[i].y, KS_N_STATES, i, y);
        }
        equations->rhs(c, u, y, d);
        equations->linearise(c, u, y, e, j);
        assert_memory_equal(d, e, (size_t)(KS_N_STATES * lanes) * sizeof(double));
        for (int i = 0; i < lanes; i++) {
            double rhs[KS_N_STATES], jacobian[KS_N_NONZEROS];
            ks_model_equations(1)->rhs(p[i].coefficients, p[i].inputs, p[i].y, rhs);
            ks_model_equations(1)->linearise(p[i].coefficients, p[i].inputs, p[i].y, rhs, jacobian);
            for (int k = 0; k < KS_N_STATES; k++)
                assert_memory_equal(&rhs[k], &d[k * lanes + i], sizeof(double));
            for (int k = 0; k < KS_N_NONZEROS; k++)
                assert_memory_equal(&jacobian[k], &j[k * lanes + i], sizeof(double));
        }
    }
    assert_null(ks_model_equations(3));
}

/* "x healthy" states are 1 in a healthy person, and nothing moves but for the smoothing of pos(). */
static void healthy_state_rests(void **state) {
    (void)state;
    double parameters[KS_N_PARAMETERS], c[KS_N_COEFFICIENTS], y[KS_N_STATES], dydt[KS_N_STATES];
    const double inputs[KS_N_INPUTS] = {0};
    for (int i = 0; i < KS_N_PARAMETERS; i++) parameters[i] = ks_parameters[i].value;
    parameters[KS_PARAMETER_life_stress] = 0;
    parameters[KS_PARAMETER_inflammation_baseline] = 1;
    parameters[KS_PARAMETER_nmdar_density] = 1;
    for (int i = 0; i < KS_N_STATES; i++) y[i] = strcmp(ks_quantities[i].unit, "x healthy") == 0;
    y[KS_STATE_depression] = parameters[KS_PARAMETER_depression_healthy];
    y[KS_STATE_expectancy_reserve] = 1;
    ks_model_prepare(parameters, c);
    ks_model_equations(1)->rhs(c, inputs, y, dydt);
    for (int i = 0; i < KS_N_STATES; i++) {
        double slack =
            i == KS_STATE_negative_schema ? 1e-5 : 2e-3; /* pos(0) = 0.005; the 0.02 in the surge ratio */
        double time = i == KS_STATE_pyramidal_rate || i == KS_STATE_interneuron_rate ? 1e-5 : 1; /* h */
        assert_true(fabs(dydt[i]) * time <= slack);
    }
}

static void tables_are_consistent(void **state) {
    (void)state;
    for (int i = 0; i < KS_N_PARAMETERS; i++) {
        const struct ks_parameter_info *p = &ks_parameters[i];
        bool is_off = i == KS_PARAMETER_baseline_madrs && p->value == 0;
        assert_true(is_off || (p->low <= p->value && p->value <= p->high));
        assert_true(p->low <= p->high);
        assert_true(ks_model_is_within(p->limits, p->value));
        assert_true(ks_model_is_within(p->limits, p->low) && ks_model_is_within(p->limits, p->high));
        assert_true(strlen(p->unit) > 0 && strlen(p->description) > 0 && strlen(p->source) > 0);
    }
    assert_int_equal(ks_model_find_quantity("bdnf"), KS_STATE_bdnf);
    assert_int_equal(ks_model_find_quantity("madrs"), KS_DERIVED_madrs);
    assert_int_equal(ks_model_find_quantity("madr"), -1);
    assert_false(ks_model_is_within(KS_LIMITS_POSITIVE, 0));
    assert_false(ks_model_is_within(KS_LIMITS_COUNT, 2.5));
    assert_false(ks_model_is_within(KS_LIMITS_REAL, NAN));
    assert_false(ks_model_is_within(KS_LIMITS_OPEN_FRACTION, 1));
    assert_true(ks_model_is_within(KS_LIMITS_FRACTION, 1));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jacobian_equals_differences), cmocka_unit_test(jacobian_lists_each_element_once),
        cmocka_unit_test(lanes_equal_one_lane),        cmocka_unit_test(healthy_state_rests),
        cmocka_unit_test(tables_are_consistent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
