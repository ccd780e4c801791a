/* The lane-parallel solver on the model: the same bits at any width and in any company, and CVODE's answers. */
#include "base/build_info.h"
#include "base/random.h"
#include "patient.h"

enum { N = 45, N_TIMES = 4 }; /* no multiple of any width */
static const double times[N_TIMES] = {0, 1, 30, 200};
static const int varied[] = {KS_PARAMETER_infusion_dose,     KS_PARAMETER_weight,
                             KS_PARAMETER_life_stress,       KS_PARAMETER_nmdar_density,
                             KS_PARAMETER_infusion_duration, KS_PARAMETER_session_interval};

struct results {
    double endpoints[N][KS_N_ENDPOINTS], course[N][N_TIMES * KS_N_QUANTITIES];
    int status[N];
    uint32_t n_steps[N];
};

static void draw(double parameters[KS_N_PARAMETERS], uint64_t i) {
    for (int k = 0; k < KS_N_PARAMETERS; k++) parameters[k] = ks_parameters[k].value;
    for (size_t k = 0; k < sizeof varied / sizeof varied[0]; k++) {
        const struct ks_parameter_info *info = &ks_parameters[varied[k]];
        parameters[varied[k]] =
            info->low + ks_random_uniform(5, KS_STREAM_test, i, k) * (info->high - info->low);
    }
    parameters[KS_PARAMETER_infusion_count] = 1 + (double)(i % 3);
    parameters[KS_PARAMETER_session_count] = (double)(i % 4);
    parameters[KS_PARAMETER_horizon] = 400 + 20 * (double)(i % 7);
    if (i % 4 == 1) parameters[KS_PARAMETER_baseline_madrs] = 24 + (double)(i % 20); /* solves life_stress */
    if (i % 9 == 4) parameters[KS_PARAMETER_infusion_interval] = 9999; /* an impossible protocol among them */
    if (i % 15 == 7) parameters[KS_PARAMETER_weight_ee] = 3;           /* and a cortex that oscillates */
}

/* Patient order[i] is simulated as the i-th of the batch. */
static void simulate(enum ks_solver_kind kind, double rtol, int lanes, const int order[N],
                     struct results *r) {
    static double parameters[N][KS_N_PARAMETERS];
    struct patient p;
    ks_therapy *therapy;
    struct ks_outcome outcomes[N];
    patient_default(&p, rtol, N_TIMES, times);
    p.plan.solver.kind = kind;
    p.plan.lanes = lanes;
    for (int i = 0; i < N; i++) {
        draw(parameters[i], (uint64_t)order[i]);
        outcomes[i] =
            (struct ks_outcome){.endpoints = r->endpoints[order[i]], .trajectory = r->course[order[i]]};
    }
    assert_int_equal(ks_therapy_create(&therapy, &p.plan), KS_OK);
    assert_int_equal(ks_therapy_simulate(therapy, 0, N, parameters[0], outcomes), KS_OK);
    ks_therapy_destroy(&therapy);
    for (int i = 0; i < N; i++) {
        r->status[order[i]] = outcomes[i].status;
        r->n_steps[order[i]] = outcomes[i].n_steps;
    }
}

static void order_queue(int order[N], int how) {
    for (int i = 0; i < N; i++) order[i] = how == 0 ? i : how == 1 ? N - 1 - i : (17 * i + 5) % N;
}

static void bits_do_not_depend_on_width_or_company(void **state) {
    (void)state;
    static struct results one, other;
    int order[N];
    order_queue(order, 0);
    simulate(KS_SOLVER_rosenbrock, 1e-5, 1, order, &one);
    for (int lanes = 1; lanes <= ks_build_info_widest_lanes(); lanes *= 2)
        for (int how = 0; how < 3; how++) {
            order_queue(order, how);
            memset(&other, 0, sizeof other);
            simulate(KS_SOLVER_rosenbrock, 1e-5, lanes, order, &other);
            assert_memory_equal(&one, &other, sizeof one);
        }
}

static void answers_are_those_of_cvode(void **state) {
    (void)state;
    static struct results ours, reference;
    int order[N], n_done = 0, n_failed = 0;
    order_queue(order, 0);
    simulate(KS_SOLVER_rosenbrock, 1e-7, ks_build_info_widest_lanes(), order, &ours);
    simulate(KS_SOLVER_cvode, 1e-9, 1, order, &reference);
    for (int i = 0; i < N; i++) {
        assert_int_equal(ours.status[i], reference.status[i]);
        n_failed += ks_status_is_failure(ours.status[i]);
        for (int k = 0; k < N_TIMES * KS_N_QUANTITIES && !ks_status_is_failure(ours.status[i]);
             k++, n_done++) {
            double scale = k % KS_N_QUANTITIES < KS_N_STATES ? ks_state_scales[k % KS_N_QUANTITIES] : 1;
            double size = fmax(scale, fabs(reference.course[i][k]));
            if (!(fabs(ours.course[i][k] - reference.course[i][k]) <= 1e-5 * size))
                fail_msg("patient %d: %s is %.12g, with cvode %.12g", i,
                         ks_quantities[k % KS_N_QUANTITIES].name, ours.course[i][k], reference.course[i][k]);
        }
    }
    assert_true(n_failed > 0 && n_done > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bits_do_not_depend_on_width_or_company),
        cmocka_unit_test(answers_are_those_of_cvode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
