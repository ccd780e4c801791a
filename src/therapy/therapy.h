/* A protocol in, a simulated patient and its endpoints out.
 *
 * Every number that can be set or varied is an element of one parameter vector [KS_N_PARAMETERS] (model/model.h),
 * protocol entries among them; struct ks_treatment says what a vector cannot. */
#ifndef KS_THERAPY_THERAPY_H
#define KS_THERAPY_THERAPY_H

#include "model/model.h"
#include "solver/solver.h"

#include <stddef.h>

/* One dose or session of an explicit schedule. */
struct ks_infusion_event {
    uint64_t id;                     /* 0: every patient; else the patient of point id - 1 */
    double time_h, dose, duration_h; /* dose in the treatment's dose unit */
    int route;                       /* enum ks_route */
};

struct ks_session_event {
    uint64_t id;
    double time_h, duration_h;
};

/* How a parameter vector becomes events. Arrays are owned by whoever filled the struct. */
struct ks_treatment {
    bool is_dose_per_kg; /* doses are mg/kg, else mg */
    bool uses_rate;      /* duration = dose / infusion_rate; else infusion_duration counts */
    bool keeps_absorption
        [3]; /* the vector's bioavailability, absorption_rate, first_pass_norketamine hold for any
                                 route; else the route sets them */
    bool has_infusion_events; /* the explicit infusions replace the regular ones */
    size_t n_infusion_events;
    struct ks_infusion_event *infusion_events;
    bool has_session_events;
    size_t n_session_events;
    struct ks_session_event *session_events;
};

/* What a campaign computes of each patient. Arrays are borrowed and must outlive the therapy made of it. */
struct ks_therapy_plan {
    struct ks_treatment treatment;
    int n_endpoints;
    const struct ks_endpoint *endpoints;
    int n_times;         /* trajectory times, h, ascending */
    const double *times; /* those after a point's horizon give NaN */
    int n_quantities;
    const int *quantities; /* enum ks_quantity */
    struct ks_solver_options solver;
    int lanes; /* patients at once: 1 for cvode, else a width of this build (ks_model_equations) */
};

enum {
    KS_THERAPY_BATCH = 256
}; /* patients that ks_therapy_simulate takes best at a time: few lanes idle at its end */

/* Where the results of one patient go; the arrays are the caller's. A failed patient gets NaN everywhere. */
struct ks_outcome {
    double *endpoints;  /* [n_endpoints] */
    double *trajectory; /* [n_times][n_quantities] */
    int status;         /* enum ks_status */
    uint32_t n_steps;   /* accepted steps over the course; the equilibrium's are not counted */
};

typedef struct ks_therapy ks_therapy;

int ks_therapy_create(ks_therapy **therapy, const struct ks_therapy_plan *plan);
void ks_therapy_destroy(ks_therapy **therapy);

/* Simulates n patients, points first_point to first_point + n - 1. parameters [n][KS_N_PARAMETERS], checked. What
 * another solver cannot do, cvode tries once more.
 * A patient that fails gets a status; negative only where nothing can be simulated. */
int ks_therapy_simulate(ks_therapy *therapy, uint64_t first_point, int n, const double *parameters,
                        struct ks_outcome *outcomes);

/* What the solver's lanes have done for the patients so far: on the way to equilibria, or under treatment. */
void ks_therapy_usage(const ks_therapy *therapy, bool is_settling, struct ks_solver_usage *usage);

/* The edges of a patient's course, h: every start and end of a dose or session, 0 and the horizon. Ascending; the
 * caller frees *edges. A protocol that cannot be followed gives status KS_STATUS_bad_protocol and no edges; its
 * reason, where `reason` is not NULL, in words. */
int ks_therapy_edges(const struct ks_treatment *treatment, const double parameters[KS_N_PARAMETERS],
                     uint64_t point, int *n_edges, double **edges, int *status, char *reason,
                     int reason_size);

/* The doses and sessions of a patient one by one, those of regular series spelt out; of an explicit schedule also those of
 * other patients. Doses are in the treatment's unit. */
size_t ks_therapy_count_doses(const struct ks_treatment *treatment, const double parameters[KS_N_PARAMETERS]);
struct ks_infusion_event ks_therapy_dose(const struct ks_treatment *treatment,
                                         const double parameters[KS_N_PARAMETERS], size_t i);
size_t ks_therapy_count_sessions(const struct ks_treatment *treatment,
                                 const double parameters[KS_N_PARAMETERS]);
struct ks_session_event ks_therapy_session(const struct ks_treatment *treatment,
                                           const double parameters[KS_N_PARAMETERS], size_t i);

/* Sets the absorption of a vector's route in place, where the treatment does not keep it. */
void ks_therapy_apply_route(const struct ks_treatment *treatment, double parameters[KS_N_PARAMETERS]);

#endif
