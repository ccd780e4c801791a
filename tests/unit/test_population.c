/* What a population's text means, by the moments, quantiles and correlations of 100,000 candidates. */
#include "base/memory.h"
#include "config/config.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { N = 100000 };

static void write_file(const char *name, const char *text) {
    FILE *stream = fopen(name, "wb");
    assert_non_null(stream);
    assert_int_equal(fwrite(text, 1, strlen(text), stream), strlen(text));
    assert_int_equal(fclose(stream), 0);
}

static int load(const char *text, struct ks_campaign *campaign, char **messages) {
    size_t size;
    FILE *stream = open_memstream(messages, &size);
    write_file("p.cfg", text);
    int err = ks_config_load("p.cfg", 0, NULL, true, stream, campaign);
    fclose(stream);
    return err;
}

/* Columns of all candidates, [n_traits][N]; the caller frees them. */
static double *draw(const char *text, struct ks_campaign *campaign) {
    char *messages;
    if (load(text, campaign, &messages) < 0) fail_msg("%s", messages);
    free(messages);
    const struct ks_population *p = &campaign->study->population;
    double *columns = ks_memory_allocate((size_t)p->n_traits * N, sizeof *columns), values[64];
    for (uint64_t i = 0; i < N; i++) {
        ks_population_draw(p, i, values);
        for (int k = 0; k < p->n_traits; k++) columns[(size_t)k * N + i] = values[k];
    }
    return columns;
}

static const double *column(const struct ks_campaign *campaign, const double *columns, const char *name) {
    int k = ks_population_find(&campaign->study->population, name);
    assert_true(k >= 0);
    return &columns[(size_t)k * N];
}

static double mean_of(size_t n, const double *x) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += x[i];
    return sum / (double)n;
}

static double sd_of(size_t n, const double *x) {
    double mean = mean_of(n, x), sum = 0;
    for (size_t i = 0; i < n; i++) sum += (x[i] - mean) * (x[i] - mean);
    return sqrt(sum / (double)n);
}

static double correlation_of(size_t n, const double *x, const double *y) {
    double mx = mean_of(n, x), my = mean_of(n, y), sum = 0;
    for (size_t i = 0; i < n; i++) sum += (x[i] - mx) * (y[i] - my);
    return sum / (double)n / (sd_of(n, x) * sd_of(n, y));
}

/* The share at or below q within 4 standard errors. */
static void check_quantile(const double *x, double q, double share) {
    double below = 0;
    for (size_t i = 0; i < N; i++) below += x[i] <= q;
    if (fabs(below / N - share) > 4 * sqrt(share * (1 - share) / N))
        fail_msg("share at %g: %g, not %g", q, below / N, share);
}

static void check_moments(const double *x, double mean, double sd, double kurtosis) {
    if (fabs(mean_of(N, x) - mean) > 4 * sd / sqrt(N)) fail_msg("mean %g, not %g", mean_of(N, x), mean);
    double error = sd * sqrt((kurtosis - 1) / (4.0 * N)); /* of a standard deviation */
    if (fabs(sd_of(N, x) - sd) > 4 * error) fail_msg("sd %g, not %g", sd_of(N, x), sd);
}

#define POPULATION(inside) "population : { candidates = 100000; seed = 5; " inside " };"

static void each_distribution_has_its_moments(void **state) {
    (void)state;
    struct ks_campaign c;
    double *x =
        draw(POPULATION(
                 "covariates : ( { name = \"female\"; probability = 0.65; },"
                 "{ name = \"alleles\"; values = [0, 1, 2]; probabilities = [0.5, 0.4, 0.1]; },"
                 "{ name = \"age\"; distribution = \"normal\"; mean = 46.0; sd = 12.0; },"
                 "{ name = \"short\"; distribution = \"normal\"; mean = 46.0; sd = 12.0; low = 40.0; high = "
                 "75.0; } );"
                 "parameters : ( { name = \"ketamine_clearance\"; distribution = \"lognormal\"; cv = 0.3; },"
                 "{ name = \"weight\"; distribution = \"lognormal\"; mean = 80.0; cv = 0.25; },"
                 "{ name = \"fraction_unbound\"; distribution = \"logitnormal\"; median = 0.57; sd = 0.5; },"
                 "{ name = \"life_stress\"; distribution = \"uniform\"; low = 0.1; high = 0.5; } );"),
             &c);
    double sigma = sqrt(log1p(0.09)), w = exp(sigma * sigma);
    check_moments(column(&c, x, "female"), 0.65, sqrt(0.65 * 0.35), (1 - 3 * 0.65 * 0.35) / (0.65 * 0.35));
    check_moments(column(&c, x, "alleles"), 0.6, sqrt(0.44), 4);
    check_moments(column(&c, x, "age"), 46, 12, 3);
    check_moments(column(&c, x, "life_stress"), 0.3, 0.4 / sqrt(12), 1.8);
    check_moments(column(&c, x, "ketamine_clearance"), 84 * sqrt(1.09), 84 * sqrt(1.09) * 0.3,
                  w * w * w * w + 2 * w * w * w + 3 * w * w - 3);
    check_moments(column(&c, x, "weight"), 80, 20, 4.2);
    for (double share = 0.1; share < 0.95; share += 0.2) {
        double z = gsl_cdf_ugaussian_Pinv(share), low = gsl_cdf_ugaussian_P(-0.5),
               high = gsl_cdf_ugaussian_P(29.0 / 12);
        check_quantile(column(&c, x, "ketamine_clearance"), 84 * exp(sigma * z), share);
        check_quantile(column(&c, x, "fraction_unbound"), 1 / (1 + exp(-(log(0.57 / 0.43) + 0.5 * z))),
                       share);
        check_quantile(column(&c, x, "short"), 46 + 12 * gsl_cdf_ugaussian_Pinv(low + share * (high - low)),
                       share);
    }
    free(x);
    ks_config_release(&c);
}

/* Variances of logarithms, and correlations of normal scores, as an OMEGA block states them. */
static void omega_gives_variances_and_correlations(void **state) {
    (void)state;
    struct ks_campaign c;
    double *x = draw(
        POPULATION("omega : ( { names = [\"ketamine_clearance\", \"ketamine_volume_central\", \"weight\"];"
                   " variance = [0.04, 0.0625, 0.09]; correlation = [0.48, 0.3, -0.2]; } );"),
        &c);
    const char *const names[] = {"ketamine_clearance", "ketamine_volume_central", "weight"};
    const double median[] = {84, 25, 70}, sd[] = {0.2, 0.25, 0.3}, rho[] = {0.48, 0.3, -0.2};
    double *logs = ks_memory_allocate(3 * N, sizeof *logs);
    for (int k = 0; k < 3; k++) {
        for (size_t i = 0; i < N; i++) logs[k * N + (int)i] = log(column(&c, x, names[k])[i]);
        check_moments(&logs[k * N], log(median[k]), sd[k], 3);
    }
    for (int i = 1, at = 0; i < 3; i++)
        for (int j = 0; j < i; j++, at++) {
            double found = correlation_of(N, &logs[i * N], &logs[j * N]);
            if (fabs(found - rho[at]) > 4 * (1 - rho[at] * rho[at]) / sqrt(N))
                fail_msg("correlation %g, not %g", found, rho[at]);
        }
    free(logs);
    free(x);
    ks_config_release(&c);
}

/* A distribution by sex, and a genotype that lowers clearance, leave the spread that was asked within each group. */
static void covariates_act(void **state) {
    (void)state;
    struct ks_campaign c;
    double *x = draw(
        POPULATION(
            "covariates : ( { name = \"female\"; probability = 0.5; },"
            "{ name = \"weight\"; where = \"not female\"; distribution = \"normal\"; mean = 90.0; sd = 5.0; "
            "},"
            "{ name = \"weight\"; where = \"female\"; distribution = \"normal\"; mean = 75.0; sd = 4.0; },"
            "{ name = \"star6\"; values = [0, 1, 2]; } );"
            "effects : ( { covariate = \"star6\"; parameter = \"ketamine_clearance\"; values = [0, 1, 2]; "
            "factors = [1.0, 0.85, 0.7]; },"
            "{ covariate = \"weight\"; parameter = \"norketamine_clearance\"; power = -0.25; reference = "
            "70.0; } );"),
        &c);
    const double *female = column(&c, x, "female"), *weight = column(&c, x, "weight"),
                 *star = column(&c, x, "star6"), *clearance = column(&c, x, "ketamine_clearance"),
                 *other = column(&c, x, "norketamine_clearance");
    double men = 0, women = 0, n_women = 0;
    for (size_t i = 0; i < N; i++) {
        n_women += female[i];
        women += female[i] * weight[i];
        men += (1 - female[i]) * weight[i];
        assert_true(clearance[i] == 84 * (star[i] == 0 ? 1.0 : star[i] == 1 ? 0.85 : 0.7));
        assert_true(fabs(other[i] / (58 * pow(weight[i] / 70, -0.25)) - 1) < 1e-14);
    }
    assert_true(fabs(women / n_women - 75) < 4 * 4 / sqrt(n_women));
    assert_true(fabs(men / (N - n_women) - 90) < 4 * 5 / sqrt(N - n_women));
    free(x);
    ks_config_release(&c);
}

/* Entries of one file share the row, so that its joint distribution is kept; each row is as likely as the others. */
static void rows_of_a_file_are_drawn_together(void **state) {
    (void)state;
    struct ks_campaign c;
    write_file("people.csv", "id,weight,stress\na,60,0.1\nb,70,0.2\nc,80,0.3\nd,95,0.45\n");
    double *x = draw(POPULATION("parameters : ( { name = \"weight\"; file = \"people.csv\"; },"
                                "{ name = \"life_stress\"; file = \"people.csv\"; column = \"stress\"; } );"),
                     &c);
    const double *weight = column(&c, x, "weight"), *stress = column(&c, x, "life_stress");
    const double weights[] = {60, 70, 80, 95}, stresses[] = {0.1, 0.2, 0.3, 0.45};
    int counts[4] = {0};
    for (size_t i = 0; i < N; i++)
        for (int r = 0; r < 4; r++)
            if (weight[i] == weights[r]) {
                assert_true(stress[i] == stresses[r]);
                counts[r]++;
            }
    for (int r = 0; r < 4; r++) assert_true(abs(counts[r] - N / 4) < 4 * sqrt(N * 0.25 * 0.75));
    free(x);
    ks_config_release(&c);
}

/* Candidate i does not know of the others, nor of how many there are. */
static void candidates_stand_alone(void **state) {
    (void)state;
    struct ks_campaign many, few;
    char *messages;
    double a[8], b[8];
    assert_int_equal(load("population : { candidates = 100000; seed = 5; parameters : ( { name = \"weight\"; "
                          "}, { name = \"life_stress\"; } ); };",
                          &many, &messages),
                     KS_OK);
    free(messages);
    assert_int_equal(load("population : { candidates = 10; seed = 5; parameters : ( { name = \"weight\"; }, "
                          "{ name = \"life_stress\"; } ); };",
                          &few, &messages),
                     KS_OK);
    free(messages);
    for (uint64_t i = 10; i-- > 0;) {
        ks_population_draw(&many.study->population, i, a);
        ks_population_draw(&few.study->population, i, b);
        assert_memory_equal(a, b, 2 * sizeof *a);
    }
    ks_config_release(&many);
    ks_config_release(&few);
}

/* An arm has the whole's entries where it has none of its own. */
static void arms_stand_over_the_whole(void **state) {
    (void)state;
    struct ks_campaign c;
    char *messages;
    assert_int_equal(load("protocol : { infusion_dose = 0.4; infusion_rate = 0.6; session_count = 3; };"
                          "arms : ( { name = \"a\"; control = \"b\"; }, { name = \"b\"; protocol : { "
                          "infusion_dose = 0.0; infusion_duration = 0.5; }; },"
                          "{ name = \"c\"; protocol : { infusions = ( { time = 0.0; dose = 0.3; duration = "
                          "1.0; } ); }; patient : { mechanism_trkb = 0.0; }; } );",
                          &c, &messages),
                     KS_OK);
    free(messages);
    const struct ks_clinical_study *s = c.study;
    assert_int_equal(s->n_arms, 3);
    assert_true(s->arms[0].control == 1 && s->arms[1].control == -1);
    const struct ks_campaign *a = s->arms[0].campaign, *b = s->arms[1].campaign, *d = s->arms[2].campaign;
    assert_true(a->parameters[KS_PARAMETER_infusion_dose] == 0.4 && a->treatment.uses_rate);
    assert_true(b->parameters[KS_PARAMETER_infusion_dose] == 0 && !b->treatment.uses_rate);
    assert_true(b->parameters[KS_PARAMETER_session_count] == 3);
    assert_true(d->treatment.has_infusion_events && d->parameters[KS_PARAMETER_mechanism_trkb] == 0);
    assert_int_equal(s->arms[2].n_named, 1);
    ks_config_release(&c);
}

static void check_fault(const char *text, const char *expected) {
    struct ks_campaign c;
    char *messages;
    assert_int_equal(load(text, &c, &messages), KS_ERR_USAGE);
    if (strstr(messages, expected) == NULL)
        fail_msg("\"%s\" says \"%s\", not \"%s\"", text, messages, expected);
    ks_error_clear();
    free(messages);
}

static void faults_are_named(void **state) {
    (void)state;
    check_fault(
        POPULATION(
            "omega : { names = [\"weight\", \"life_stress\", \"nmdar_density\"]; variance = [0.1, 0.1, 0.1];"
            " correlation = [0.9, 0.9, -0.9]; };"),
        "p.cfg:1: population.omega: the matrix is not positive definite");
    check_fault(POPULATION("omega : { names = [\"weight\", \"life_stress\"]; variance = [0.1, -0.1]; };"),
                "a variance must be > 0");
    check_fault(POPULATION("parameters : ( { name = \"wieght\"; } );"),
                "unknown parameter \"wieght\"; did you mean \"weight\"?");
    check_fault(POPULATION("parameters : ( { name = \"infusion_dose\"; } );"), "is of the protocol");
    check_fault(POPULATION("covariates : ( { name = \"weight\"; where = \"female\"; } );"),
                "unknown covariate");
    check_fault(POPULATION(""), "nothing differs between patients");
    check_fault(POPULATION("parameters : ( { name = \"weight\"; } ); effects : ( { covariate = \"weight\"; "
                           "parameter = \"life_stress\"; "
                           "values = [1, 2]; factors = [1.0]; } );"),
                "1 factors for 2 values");
    check_fault("arms : ( { name = \"a\"; protocol : { horizon = 24.0; }; } );",
                "all arms share one horizon");
    check_fault("arms : ( { name = \"a\"; }, { name = \"a\"; } );", "there is an arm \"a\" already");
    check_fault("arms : ( { name = \"a\"; protocol : { infusion_rate = 0.5; infusion_duration = 1.0; }; } );",
                "exactly one of the two is allowed");
    check_fault("arms : ( { name = \"a\"; } ); targets : ( { id = \"x\"; endpoint = \"madrs_24\"; mean = "
                "1.0; use = \"calibration\"; } );",
                "did you mean \"madrs_24h\"?");
    check_fault(
        "arms : ( { name = \"a\"; } ); targets : ( { id = \"x\"; endpoint = \"madrs_24h\"; mean = 1.0; } );",
        "\"use\" is missing");
    check_fault("arms : ( { name = \"a\"; } ); targets : ( { id = \"x\"; endpoint = \"madrs_24h\"; "
                "correlation = 0.5; with = \"madrs_7d\"; use = \"calibration\"; } );",
                "needs targets of mean and sd for both measures");
    check_fault("observation : { visits = [24.0, 12.0]; };", "visits ascend");
    check_fault("uncertainty : { draws = 5; };", "nothing is uncertain");
    check_fault("design : { kind = \"random\"; points = 2; }; parameters : ( { name = \"weight\"; where = "
                "\"female\"; } );",
                "does not take it");
}

int main(void) {
    char folder[] = "ks-population-XXXXXX", path[512];
    const char *temporary = getenv("TMPDIR");
    snprintf(path, sizeof path, "%s/%s", temporary != NULL ? temporary : "/tmp", folder);
    if (mkdtemp(path) == NULL || chdir(path) != 0) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_distribution_has_its_moments),
        cmocka_unit_test(omega_gives_variances_and_correlations),
        cmocka_unit_test(covariates_act),
        cmocka_unit_test(rows_of_a_file_are_drawn_together),
        cmocka_unit_test(candidates_stand_alone),
        cmocka_unit_test(arms_stand_over_the_whole),
        cmocka_unit_test(faults_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
