/* Every reference trajectory (reference/README.md), read as a user's configuration, against CVODE at rtol 1e-9 and the
 * lane-parallel solver at 1e-6. */
#include "base/build_info.h"
#include "config/config.h"
#include "patient.h"

enum { MAX_TIMES = 64, LINE = 1 << 14 };

struct table {
    int n_times;
    double times[MAX_TIMES], values[MAX_TIMES][KS_N_STATES];
};

static void read_table(const char *path, struct table *table) {
    static const char *const first = "time_h";
    char line[LINE], *at;
    FILE *stream = fopen(path, "r");
    assert_non_null(stream);
    assert_non_null(fgets(line, LINE, stream));
    assert_memory_equal(line, first, strlen(first));
    at = strchr(line, ',');
    for (int k = 0; k < KS_N_STATES; k++) { /* the columns are the states, in our order */
        size_t length = strcspn(at + 1, ",\r\n");
        assert_int_equal(length, strlen(ks_quantities[k].name));
        assert_memory_equal(at + 1, ks_quantities[k].name, length);
        at += 1 + length;
    }
    for (table->n_times = 0; fgets(line, LINE, stream) != NULL; table->n_times++) {
        assert_true(table->n_times < MAX_TIMES);
        table->times[table->n_times] = strtod(line, &at);
        for (int k = 0; k < KS_N_STATES; k++) table->values[table->n_times][k] = strtod(at + 1, &at);
    }
    fclose(stream);
}

/* |difference| <= 1e-5 max(range over the case, scale); at t = 0, where the equilibrium is, 1e-6. */
static void compare(const char *name, const struct table *table, const double *course) {
    for (int k = 0; k < KS_N_STATES; k++) {
        double low = INFINITY, high = -INFINITY;
        for (int i = 0; i < table->n_times; i++) {
            low = fmin(low, table->values[i][k]);
            high = fmax(high, table->values[i][k]);
        }
        double size = fmax(high - low, ks_state_scales[k]);
        for (int i = 0; i < table->n_times; i++) {
            double found = course[i * KS_N_STATES + k], expected = table->values[i][k];
            if (!(fabs(found - expected) <= (table->times[i] == 0 ? 1e-6 : 1e-5) * size))
                fail_msg("%s: %s at %g h is %.12g, the reference has %.12g", name, ks_quantities[k].name,
                         table->times[i], found, expected);
        }
    }
}

static void check_case(const char *name, enum ks_solver_kind kind, double rtol, int lanes) {
    char path[256];
    struct ks_campaign campaign;
    static struct table table;
    static double course[MAX_TIMES * KS_N_STATES], endpoints[KS_N_ENDPOINTS];
    snprintf(path, sizeof path, "tests/science/reference/%s.csv", name);
    read_table(path, &table);
    snprintf(path, sizeof path, "tests/science/reference/%s.cfg", name);
    assert_int_equal(ks_config_load(path, 0, NULL, false, stderr, &campaign), KS_OK);
    assert_int_equal(campaign.n_times, table.n_times);
    assert_int_equal(campaign.n_quantities, KS_N_STATES); /* states = "all" */
    for (int i = 0; i < table.n_times; i++) assert_true(fabs(campaign.times[i] - table.times[i]) < 1e-9);
    struct ks_therapy_plan plan = {.treatment = campaign.treatment,
                                   .n_endpoints = campaign.n_endpoints,
                                   .endpoints = campaign.endpoints,
                                   .n_times = campaign.n_times,
                                   .times = campaign.times,
                                   .n_quantities = campaign.n_quantities,
                                   .quantities = campaign.quantities,
                                   .solver = {.kind = kind, .rtol = rtol, .max_steps = 1000000},
                                   .lanes = lanes};
    struct ks_outcome outcome = {.endpoints = endpoints, .trajectory = course};
    ks_therapy *therapy;
    assert_int_equal(ks_therapy_create(&therapy, &plan), KS_OK);
    assert_int_equal(ks_therapy_simulate(therapy, 0, 1, campaign.parameters, &outcome), KS_OK);
    assert_int_equal(outcome.status, KS_STATUS_done);
    compare(name, &table, course);
    ks_therapy_destroy(&therapy);
    ks_config_release(&campaign);
}

#define CASE(test, name)                                                            \
    static void test(void **state) {                                                \
        (void)state;                                                                \
        check_case(name, KS_SOLVER_cvode, 1e-9, 1);                                 \
        check_case(name, KS_SOLVER_rosenbrock, 1e-6, 1);                            \
        check_case(name, KS_SOLVER_rosenbrock, 1e-6, ks_build_info_widest_lanes()); \
    }
CASE(single_infusion, "single-infusion")
CASE(placebo, "placebo")
CASE(course_with_therapy, "course-with-therapy")
CASE(anaesthetic_rate, "anaesthetic-rate")
CASE(intramuscular_heavy, "intramuscular-heavy")
CASE(trkb_off, "trkb-off")

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(single_infusion),     cmocka_unit_test(placebo),
        cmocka_unit_test(course_with_therapy), cmocka_unit_test(anaesthetic_rate),
        cmocka_unit_test(intramuscular_heavy), cmocka_unit_test(trkb_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
