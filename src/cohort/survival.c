/* Kaplan-Meier curves of weighted patients, and the times to relapse that they are drawn from. */
#include "base/elementary.h"
#include "cohort/cohort.h"

#include <math.h>

/* ---- from scores to times ---------------------------------------------------------------------------------------------- */

int ks_survival_first_visit(int n_visits, const double *visits, double responders_at) {
    int from = 0;
    for (int v = 0; !isnan(responders_at) && v < n_visits; v++)
        if (visits[v] <= responders_at) from = v;
    return from;
}

bool ks_survival_follow(int n_visits, const double *visits, int from, const double *scores, double *time,
                        bool *is_event) {
    *time = 0;
    *is_event = false;
    if (!(from < n_visits && scores[from + 1] <= 0.5 * scores[0])) return false;
    for (int v = from + 1; v < n_visits && !*is_event && !isnan(scores[v + 1]); v++) {
        *time = visits[v] - visits[from];
        *is_event = scores[v + 1] > 0.5 * scores[0];
    }
    return true;
}

/* ---- the curve ----------------------------------------------------------------------------------------------------------- */

struct sample {
    size_t n;
    const double *times, *weights;
    const bool *is_event;
};

/* Sums over those at risk at a step. */
struct risk {
    double weight, squares, events;
    size_t n, n_events;
};

static struct risk look(const struct sample *sample, double before, double step) {
    struct risk risk = {0};
    for (size_t i = 0; i < sample->n; i++) {
        double time = sample->times[i], weight = sample->weights == NULL ? 1 : sample->weights[i];
        if (time <= before) continue;
        bool is_now = time <= step;
        /* who is censored between two visits was last seen at the one before */
        if (is_now && !sample->is_event[i] && time < step) continue;
        risk.n++;
        risk.weight += weight;
        risk.squares += weight * weight;
        if (!(is_now && sample->is_event[i])) continue;
        risk.n_events++;
        risk.events += weight;
    }
    return risk;
}

void ks_survival_curve(size_t n, const double *times, const bool *is_event, const double *weights,
                       int n_steps, const double *steps, double *survival) {
    const struct sample sample = {n, times, weights, is_event};
    double alive = 1;
    for (int s = 0; s < n_steps; s++) {
        struct risk risk = look(&sample, s > 0 ? steps[s - 1] : 0, steps[s]);
        if (risk.weight > 0) alive *= 1 - risk.events / risk.weight;
        survival[s] = alive;
    }
}

/* S to the power of exp(+-1.96 se / log S), the interval of log(-log S). */
static void set_interval(struct ks_survival_step *step, double greenwood) {
    double log_survival = ks_elementary_log(step->survival);
    step->low = step->high = step->survival == 1 ? 1 : NAN;
    if (!(step->survival > 0 && step->survival < 1)) return;
    double width = 1.959963984540054 * sqrt(greenwood) / -log_survival;
    step->low = ks_elementary_exp(log_survival * ks_elementary_exp(width));
    step->high = ks_elementary_exp(log_survival * ks_elementary_exp(-width));
}

void ks_survival_steps(size_t n, const double *times, const bool *is_event, const double *weights,
                       int n_steps, const double *steps, struct ks_survival_step *out) {
    const struct sample sample = {n, times, weights, is_event};
    double alive = 1, greenwood = 0;
    for (int s = 0; s < n_steps; s++) {
        struct risk risk = look(&sample, s > 0 ? steps[s - 1] : 0, steps[s]);
        if (risk.weight > 0) {
            double hazard = risk.events / risk.weight, effective = risk.weight * risk.weight / risk.squares;
            greenwood += hazard / (effective * (1 - hazard));
            alive *= 1 - hazard;
        }
        out[s] = (struct ks_survival_step){.survival = alive, .n_at_risk = risk.n, .n_events = risk.n_events};
        set_interval(&out[s], greenwood);
    }
}

double ks_survival_median(int n_steps, const double *steps, const double *survival) {
    for (int s = 0; s < n_steps; s++)
        if (survival[s] <= 0.5) return steps[s];
    return NAN;
}
