/* One patient of the model under a protocol, for the science tests: defaults, changes, simulation, look-up. */
#ifndef KS_TESTS_SCIENCE_PATIENT_H
#define KS_TESTS_SCIENCE_PATIENT_H

#include "base/error.h"
#include "base/memory.h"
#include "base/status.h"
#include "therapy/therapy.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct patient {
    struct ks_therapy_plan plan;
    double parameters[KS_N_PARAMETERS];
    int quantities[KS_N_QUANTITIES];
    double endpoints[KS_N_ENDPOINTS];
    double *course; /* [n_times][KS_N_QUANTITIES], NULL before the simulation */
    struct ks_outcome outcome;
};

/* The default patient under the default protocol (one infusion of 0.5 mg/kg over 40 min), seen at `times`. */
static inline void patient_default(struct patient *p, double rtol, int n_times, const double *times) {
    memset(p, 0, sizeof *p);
    for (int i = 0; i < KS_N_PARAMETERS; i++) p->parameters[i] = ks_parameters[i].value;
    for (int i = 0; i < KS_N_QUANTITIES; i++) p->quantities[i] = i;
    p->plan = (struct ks_therapy_plan){.treatment = {.is_dose_per_kg = true},
                                       .n_endpoints = KS_N_ENDPOINTS,
                                       .endpoints = ks_endpoints,
                                       .n_times = n_times,
                                       .times = times,
                                       .n_quantities = KS_N_QUANTITIES,
                                       .quantities = p->quantities,
                                       .solver = {.kind = KS_SOLVER_cvode, .rtol = rtol, .max_steps = 100000},
                                       .lanes = 1};
}

/* Simulates and leaves the status in p->outcome. */
static inline void patient_simulate(struct patient *p) {
    ks_therapy *therapy;
    assert_int_equal(ks_therapy_create(&therapy, &p->plan), KS_OK);
    free(p->course);
    p->course = ks_memory_allocate((size_t)p->plan.n_times * KS_N_QUANTITIES, sizeof(double));
    p->outcome = (struct ks_outcome){.endpoints = p->endpoints, .trajectory = p->course};
    assert_int_equal(ks_therapy_simulate(therapy, 0, 1, p->parameters, &p->outcome), KS_OK);
    ks_therapy_destroy(&therapy);
}

static inline void patient_release(struct patient *p) {
    free(p->course);
    p->course = NULL;
}

static inline double patient_value(const struct patient *p, int i_time, int quantity) {
    return p->course[i_time * KS_N_QUANTITIES + quantity];
}

#define SET(patient, name, value) ((patient)->parameters[KS_PARAMETER_##name] = (value))

#endif
