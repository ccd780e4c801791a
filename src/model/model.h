/* What a patient is: the states, parameters and outcomes of the model as tables, its right-hand side and Jacobian.
 *
 * Internal units: hours, mg, L; unbound brain concentrations in umol/L; "x healthy" is 1 in a healthy person.
 * The equations and their sources are in src/model/README.md. Arrays over lanes are [n][lanes], lane fastest. */
#ifndef KS_MODEL_MODEL_H
#define KS_MODEL_MODEL_H

#include <stdbool.h>
#include <stdint.h>

/* ---- states and derived quantities: one numbering, states first -------------------------------------------- */

enum ks_quantity {
#define X(name, unit, module, scale, seed, description) KS_STATE_##name,
#include "model/states.def"
#undef X
    KS_N_STATES,
    KS_BEFORE_DERIVED = KS_N_STATES - 1,
#define X(name, unit, description) KS_DERIVED_##name,
#include "model/quantities.def"
#undef X
    KS_N_QUANTITIES
};

struct ks_quantity_info {
    const char *name, *unit, *description;
    const char *module; /* "derived" for derived quantities */
    double scale, seed; /* of states; 0 for derived quantities */
};

extern const struct ks_quantity_info ks_quantities[KS_N_QUANTITIES];
extern const double ks_state_scales[KS_N_STATES];
extern const double ks_state_seeds[KS_N_STATES];

/* The number of a state or derived quantity; -1 if there is none of this name. */
int ks_model_find_quantity(const char *name);

/* ---- parameters --------------------------------------------------------------------------------------------- */

/* Hard limits. X(name, lowest, lowest allowed itself, highest, highest allowed itself, is integer, in words) */
#define KS_LIMITS_TABLE(X)                                                     \
    X(POSITIVE, 0, false, INFINITY, false, false, "> 0")                       \
    X(NONNEGATIVE, 0, true, INFINITY, false, false, ">= 0")                    \
    X(FRACTION, 0, true, 1, true, false, "in [0, 1]")                          \
    X(SWITCH, 0, true, 1, true, false, "in [0, 1]")                            \
    X(OPEN_FRACTION, 0, false, 1, false, false, "in (0, 1)")                   \
    X(ABOVE_ONE, 1, false, INFINITY, false, false, "> 1")                      \
    X(COUNT, 0, true, 1000, true, true, "an integer in [0, 1000]")             \
    X(ROUTE, 0, true, 4, true, true, "iv, im, intranasal, sublingual or oral") \
    X(SCORE, 0, true, 60, false, false, "in [0, 60)")                          \
    X(REAL, -INFINITY, false, INFINITY, false, false, "a number")

enum ks_limits {
#define X(name, lowest, has_lowest, highest, has_highest, is_integer, words) KS_LIMITS_##name,
    KS_LIMITS_TABLE(X)
#undef X
        KS_N_LIMITS
};

struct ks_limits_info {
    double lowest, highest;
    bool has_lowest, has_highest; /* the limit itself is allowed */
    bool is_integer;
    const char *words; /* "> 0" */
};

extern const struct ks_limits_info ks_limits[KS_N_LIMITS];

/* Finite, within the limits, and whole where it must be. */
bool ks_model_is_within(enum ks_limits limits, double value);

enum ks_parameter {
#define X(name, unit, limits, value, low, high, group, description, source, grade) KS_PARAMETER_##name,
#include "model/parameters.def"
#undef X
    KS_N_PARAMETERS
};

struct ks_parameter_info {
    const char *name, *unit;
    enum ks_limits limits;
    double value, low, high; /* default; plausible range */
    const char *group, *description, *source, *grade;
};

extern const struct ks_parameter_info ks_parameters[KS_N_PARAMETERS];

/* Routes of administration, the codes of parameter `route`.
 * X(name, bioavailability, absorption_rate 1/h, first_pass_norketamine); iv has no depot. */
#define KS_ROUTE_TABLE(X)         \
    X(iv, 1.0, 2.0, 0.0)          \
    X(im, 0.93, 4.0, 0.0)         \
    X(intranasal, 0.14, 2.9, 0.3) \
    X(sublingual, 0.30, 2.0, 0.5) \
    X(oral, 0.19, 0.97, 0.6)

enum ks_route {
#define X(name, bioavailability, absorption_rate, first_pass_norketamine) KS_ROUTE_##name,
    KS_ROUTE_TABLE(X)
#undef X
        KS_N_ROUTES
};

struct ks_route_info {
    const char *name;
    double bioavailability, absorption_rate, first_pass_norketamine;
};

extern const struct ks_route_info ks_routes[KS_N_ROUTES];

/* ---- endpoints ---------------------------------------------------------------------------------------------- */

/* What an endpoint takes from the course of a quantity.
 * X(name, how it reads the course, compares with the value at t = 0, uses the threshold, in words) */
#define KS_OP_TABLE(X)                                                                                     \
    X(value, AT, false, false, "value")                                                                    \
    X(change, AT, false, false, "change from t = 0")                                                       \
    X(ratio, AT, true, false, "ratio to t = 0")                                                            \
    X(at_most, AT, false, true, "1 if at most the threshold, else 0")                                      \
    X(ratio_at_most, AT, true, true, "1 if the ratio to t = 0 is at most the threshold, else 0")           \
    X(max, EXTREME, false, false, "largest value")                                                         \
    X(min, EXTREME, false, false, "smallest value")                                                        \
    X(max_ratio, EXTREME, true, false, "largest ratio to t = 0")                                           \
    X(min_ratio, EXTREME, true, false, "smallest ratio to t = 0")                                          \
    X(mean, AREA, false, false, "mean over the window")                                                    \
    X(auc, AREA, false, false, "area under the curve")                                                     \
    X(time_above, CROSSING, false, true, "hours above the threshold")                                      \
    X(time_below, CROSSING, false, true, "hours at or below the threshold")                                \
    X(time_above_ratio, CROSSING, true, true, "hours with the ratio to t = 0 above the threshold")         \
    X(time_below_ratio, CROSSING, true, true, "hours with the ratio to t = 0 at or below the threshold")   \
    X(first_crossing, CROSSING, false, true, "first time at the threshold, from either side")              \
    X(crossed, CROSSING, false, true, "1 if the threshold was crossed, else 0")                            \
    X(first_at_most, CROSSING, false, true, "first time at or below the threshold")                        \
    X(ever_at_most, CROSSING, false, true, "1 if ever at or below the threshold, else 0")                  \
    X(first_ratio_at_most, CROSSING, true, true, "first time the ratio to t = 0 is at most the threshold") \
    X(ever_ratio_at_most, CROSSING, true, true, "1 if the ratio to t = 0 was ever at most the threshold")  \
    X(relapse, CROSSING, true, true, "1 if back above the threshold after a response, else 0")             \
    X(relapse_time, CROSSING, true, true, "hours from the first response to the first return above it")

enum ks_op {
#define X(name, reading, is_ratio, has_threshold, words) KS_OP_##name,
    KS_OP_TABLE(X)
#undef X
        KS_N_OPS
};

enum ks_reading_kind { KS_READING_AT, KS_READING_EXTREME, KS_READING_AREA, KS_READING_CROSSING };

struct ks_op_info {
    const char *name;
    enum ks_reading_kind reading;
    bool is_ratio, has_threshold;
    const char *words;
};

extern const struct ks_op_info ks_ops[KS_N_OPS];

struct ks_endpoint {
    const char *name, *unit;
    int quantity; /* enum ks_quantity */
    enum ks_op op;
    double from, to;  /* h; KS_READING_AT uses `from` alone; INFINITY is the horizon of the point */
    double threshold; /* in the quantity's unit, or a ratio */
    double factor;    /* from the quantity's unit to the endpoint's */
};

enum {
#define X(name, unit, of, op, from, to, threshold, factor) KS_ENDPOINT_##name,
#include "model/endpoints.def"
#undef X
    KS_N_ENDPOINTS
};

extern const struct ks_endpoint ks_endpoints[KS_N_ENDPOINTS];

/* One sentence for a file's column: "largest value of ketamine_venous, 0 h to the horizon". */
void ks_model_describe_endpoint(const struct ks_endpoint *endpoint, char *text, int size);

/* ---- equations ---------------------------------------------------------------------------------------------- */

/* Inputs, piecewise constant between events. */
enum ks_input {
    KS_INPUT_infusion_central, /* mg/h into the arterial central compartment */
    KS_INPUT_infusion_depot,   /* mg/h into the depot of the other routes */
    KS_INPUT_session,          /* 1 during psychotherapy, else 0; overlapping sessions add */
    KS_INPUT_dosing,           /* sum of 1 / duration over the doses being given, 1/h */
    KS_N_INPUTS
};

/* Numbers that the equations use and that are constant for a patient: parameters as they are, reciprocals of times,
 * scaled clearances, and what knocked-out signals are held at. */
enum ks_coefficient {
#define X(name, value) KS_COEFFICIENT_##name,
#include "model/coefficients.def"
#undef X
    KS_N_COEFFICIENTS
};

/* The nonzero elements of the Jacobian, in the order of jacobian.def; every diagonal element is among them. */
enum {
    KS_BEFORE_NONZEROS = -1,
#define J(row, column, value) KS_NONZERO_##row##_BY_##column,
#include "model/jacobian.def"
#undef J
    KS_N_NONZEROS
};

extern const int ks_jacobian_rows[KS_N_NONZEROS];
extern const int ks_jacobian_columns[KS_N_NONZEROS];

/* Fills the coefficients of a patient before treatment, when no signal is held, from checked parameters. */
void ks_model_prepare(const double parameters[KS_N_PARAMETERS], double coefficients[KS_N_COEFFICIENTS]);

/* The life_stress of a patient before treatment whose equilibrium is y: the parameter, or with baseline_madrs the one
 * that was solved for that score. */
double ks_model_solved_life_stress(const double coefficients[KS_N_COEFFICIENTS], const double y[KS_N_STATES]);

/* From here on signals whose mechanism is off are held at their value in `y`, the state at t = 0; areas begin. */
void ks_model_begin_treatment(const double parameters[KS_N_PARAMETERS], double y[KS_N_STATES],
                              double coefficients[KS_N_COEFFICIENTS]);

/* The value of a state or derived quantity. */
double ks_model_quantity(int quantity, const double coefficients[KS_N_COEFFICIENTS],
                         const double y[KS_N_STATES]);

/* Whether a state or derived quantity depends on a state. */
bool ks_model_quantity_uses(int quantity, int state);

/* The equations over `lanes` patients at once; a lane's result does not depend on its neighbours or on the width.
 * coefficients [KS_N_COEFFICIENTS][lanes], inputs [KS_N_INPUTS][lanes], y and dydt [KS_N_STATES][lanes],
 * values of the Jacobian [KS_N_NONZEROS][lanes], of n quantities [n][lanes]; all aligned to 8 x lanes bytes. */
struct ks_model_equations {
    int lanes;
    void (*rhs)(const double *coefficients, const double *inputs, const double *y, double *dydt);
    void (*linearise)(const double *coefficients, const double *inputs, const double *y, double *dydt,
                      double *values); /* the rates and their Jacobian, which share most of the work */
    void (*quantities)(int n, const int *quantities, const double *coefficients, const double *y,
                       double *values);
};

/* The equations compiled for a lane count; NULL where this build has none. */
const struct ks_model_equations *ks_model_equations(int lanes);

/* Sixteen hexadecimal digits that change with any equation, table entry or default: a fingerprint of the tables and
 * of the right-hand side's bits at fixed states. */
void ks_model_version(char version[17]);

/* ---- functions with known answers, for tests of the analysis and of the file -------------------------------- */

struct ks_test_function {
    const char *name; /* as in model = "test:NAME" */
    const char *description;
    int n_inputs, n_outputs; /* inputs x1, x2, ...; outputs y, or y1, y2, ... */
    double low, high;        /* the range of every input */
    void (*evaluate)(const double *inputs, double *outputs);
};

/* NULL if there is none of this name (without "test:"). */
const struct ks_test_function *ks_model_find_test_function(const char *name);

/* The i-th test function, NULL after the last. */
const struct ks_test_function *ks_model_test_function(int i);

#endif
