/* The configuration: what a text means, where its faults are, and properties that hold for every key. The exact
 * message of each kind of fault is tested from outside, in tests/cli/test_bad_input.py. */
#include "base/memory.h"
#include "base/random.h"
#include "config/config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char directory[256];

/* ---- helpers --------------------------------------------------------------------------------- */

static void write_file(const char *name, const char *text) {
    FILE *stream = fopen(name, "wb");
    assert_non_null(stream);
    assert_int_equal(fwrite(text, 1, strlen(text), stream), strlen(text));
    assert_int_equal(fclose(stream), 0);
}

/* Loads a text under the name t.cfg; messages are the caller's to free. */
static int load(const char *text, int n, const char *const *overrides, char **messages,
                struct ks_campaign *campaign) {
    size_t size;
    FILE *stream = open_memstream(messages, &size);
    assert_non_null(stream);
    write_file("t.cfg", text);
    int err = ks_config_load("t.cfg", n, overrides, true, stream, campaign);
    fclose(stream);
    return err;
}

static void expect_faults(const char *text, const char *expected) {
    struct ks_campaign campaign;
    char *messages, summary[64];
    size_t n_lines = 0;
    int err = load(text, 0, NULL, &messages, &campaign);
    assert_string_equal(messages, expected);
    assert_int_equal(err, KS_ERR_USAGE);
    for (const char *at = messages; *at != '\0'; at++) n_lines += *at == '\n';
    snprintf(summary, sizeof summary, "%zu %s in t.cfg", n_lines, n_lines == 1 ? "fault" : "faults");
    assert_string_equal(ks_error_message(), summary);
    assert_null(campaign.canonical);
    ks_error_clear();
    free(messages);
}

static struct ks_campaign load_set(const char *text, int n, const char *const *overrides) {
    struct ks_campaign campaign;
    char *messages;
    int err = load(text, n, overrides, &messages, &campaign);
    if (err < 0) fail_msg("%s\n%s", messages, ks_error_message());
    assert_string_equal(messages, "");
    free(messages);
    return campaign;
}

static struct ks_campaign load_right(const char *text) {
    return load_set(text, 0, NULL);
}

static char *reference_text(void) {
    char *text;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    assert_non_null(stream);
    ks_config_write_reference(stream);
    fclose(stream);
    return text;
}

#define DESIGN "design : { kind = \"random\"; points = 10; };\n"

/* ---- what holds for every key ---------------------------------------------------------------- */

/* A canonical text is a configuration of the same campaign. */
static void test_canonical_is_a_fixed_point(void **state) {
    (void)state;
    char *reference = reference_text();
    const char *const texts[] = {
        reference,
        "",
        "model = \"test:ishigami\"; design : { kind = \"lhs\"; points = 3000000000; seed = 7; };\n"
        "parameters = ( { name = \"x2\"; }, { name = \"x1\"; low = -1; high = 2; } );",
        "protocol : { route = \"im\"; infusions = ( { time = 5.0; dose = 0.5; duration = 0.1; },\n"
        "{ time = 0.0; dose = 0.0; duration = 0.1; } ); sessions = ( { time = 1.5; duration = 1; } ); };",
        "design : { kind = \"grid\"; }; parameters = ( { name = \"infusion_rate\"; low = 0.5; high = 3; "
        "levels = 3;\n"
        "scale = \"log\"; }, { name = \"route\"; values = [\"iv\", \"oral\"]; } );",
        "title = \"quotes \\\" and \\\\ back\";\n" DESIGN
        "parameters = ( { name = \"coupling_dmn\"; distribution = \"normal\"; sd = 0.1; mean = 0.5; } );\n"
        "output : { endpoints = (\"all\", { name = \"e\"; of = \"madrs\"; op = \"change\"; at = \"end\"; }); "
        "};",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct ks_campaign first = load_right(texts[i]), second = load_right(first.canonical);
        assert_string_equal(first.canonical, second.canonical);
        assert_int_equal(first.n_endpoints, second.n_endpoints);
        ks_config_release(&first);
        ks_config_release(&second);
    }
    free(reference);
}

static void test_equal_campaigns_have_equal_texts(void **state) {
    (void)state;
    struct ks_campaign a =
        load_right("solver : { max_steps = 100000; rtol = 1e-6; }; run : { commit_seconds = 5; };\n" DESIGN
                   "parameters = ( { name = \"infusion_dose\"; scale = \"linear\"; } ); output : { file = "
                   "\"other.h5\"; };\n");
    struct ks_campaign b =
        load_right("parameters : ( { high = 1.0; low = 0.1; name = \"infusion_dose\"; } );\n"
                   "design : { points = 10.0; seed = 1; kind = \"random\"; }; protocol : { horizon = 672; "
                   "infusion_dose = 0.2; };\n");
    struct ks_campaign c = load_right(DESIGN "parameters : ( { high = 1.0; low = 0.1; name = "
                                             "\"infusion_dose\"; } ); protocol : { horizon = 673; };");
    assert_string_equal(a.canonical, b.canonical);
    assert_string_not_equal(a.canonical, c.canonical);
    ks_config_release(&a);
    ks_config_release(&b);
    ks_config_release(&c);
}

static void expect_same_canonical(const char *one, const char *other, bool is_same) {
    struct ks_campaign a = load_right(one), b = load_right(other);
    if ((strcmp(a.canonical, b.canonical) == 0) != is_same) fail_msg("%s\n%s", a.canonical, b.canonical);
    ks_config_release(&a);
    ks_config_release(&b);
}

/* Two ways to write the same campaign; then what looks like it and is another. */
static void test_ways_to_write_a_campaign(void **state) {
    (void)state;
    expect_same_canonical("", "patient : { weight = 70; }; protocol : { infusion_count = 1; };", true);
    expect_same_canonical("protocol : { infusion_dose = 0; };", "protocol : { infusion_dose = -0.0; };",
                          true);
    expect_same_canonical(
        DESIGN "parameters = ( { name = \"weight\"; values = [60,61,62,63,64,65,66,67,68,69];\n"
               "} );",
        DESIGN "parameters = ( { name = \"weight\"; values = [60,61,62,63,64,65,66,67,68,69];\n"
               "probabilities = [0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1]; } );",
        true);
    expect_same_canonical(
        DESIGN "parameters = ( { name = \"scaling_gain\"; distribution = \"lognormal\"; cv = "
               "0.2; } );",
        DESIGN "parameters = ( { name = \"scaling_gain\"; distribution = \"lognormal\"; cv = "
               "0.2; low = 0; } );",
        true);
    expect_same_canonical(DESIGN "parameters = ( { name = \"route\"; } );",
                          DESIGN
                          "parameters = ( { name = \"route\"; values = [\"iv\", \"im\", \"intranasal\",\n"
                          "\"sublingual\", \"oral\"]; } );",
                          true);
    expect_same_canonical("", "patient : { bioavailability = 1; };", false);
    expect_same_canonical("protocol : { infusions = (); };",
                          "protocol : { infusions = (); session_count = 1; infusion_start = 1; };", false);
    expect_same_canonical(DESIGN "parameters = ( { name = \"route\"; values = [\"iv\", \"im\"]; } );",
                          DESIGN "parameters = ( { name = \"route\"; values = [\"im\", \"iv\"]; } );", false);
}

/* The section of a parameter, and a text that sets it. */
static void set_parameter(int i, const char *name, double value, char text[256]) {
    bool is_of_protocol = strcmp(ks_parameters[i].group, "protocol") == 0;
    snprintf(text, 256, "%s : { %s = %.17g; };\n", is_of_protocol ? "protocol" : "patient", name, value);
}

/* A swap of two letters anywhere in a name suggests the name. */
static void test_every_misspelt_parameter_is_recognised(void **state) {
    (void)state;
    int n_tested = 0;
    for (int i = 0; i < KS_N_PARAMETERS; i++) {
        const char *name = ks_parameters[i].name;
        char word[64], text[256], expected[256];
        bool is_of_protocol = strcmp(ks_parameters[i].group, "protocol") == 0;
        for (size_t k = 0; k + 1 < strlen(name); k += 3) {
            if (name[k] == name[k + 1] || name[k] == '_' || name[k + 1] == '_') continue;
            snprintf(word, sizeof word, "%s", name);
            word[k] = name[k + 1];
            word[k + 1] = name[k];
            set_parameter(i, word, 1, text);
            snprintf(expected, sizeof expected, "t.cfg:1: %s.%s: unknown %s; did you mean \"%s\"?\n",
                     is_of_protocol ? "protocol" : "patient", word, is_of_protocol ? "key" : "parameter",
                     name);
            expect_faults(text, expected);
            n_tested++;
        }
    }
    assert_true(n_tested > KS_N_PARAMETERS);
}

/* Just outside its hard limits a value is refused, at a limit that belongs to them it is not. */
static void test_every_parameter_keeps_its_limits(void **state) {
    (void)state;
    for (int i = 0; i < KS_N_PARAMETERS; i++) {
        const struct ks_limits_info *limits = &ks_limits[ks_parameters[i].limits];
        if (ks_parameters[i].limits == KS_LIMITS_ROUTE) continue;
        const double ends[2] = {limits->lowest, limits->highest};
        const bool is_allowed[2] = {limits->has_lowest, limits->has_highest};
        for (int k = 0; k < 2; k++) {
            char text[256], expected[64], *messages;
            struct ks_campaign campaign;
            if (isinf(ends[k])) continue;
            for (int is_beyond = 0; is_beyond < 2; is_beyond++) {
                set_parameter(i, ks_parameters[i].name, ends[k] + (is_beyond ? 2 * k - 1 : 0), text);
                int err = load(text, 0, NULL, &messages, &campaign);
                bool is_refused = is_beyond || !is_allowed[k];
                snprintf(expected, sizeof expected, "is not allowed; it must be %s\n", limits->words);
                if (is_refused != (strstr(messages, expected) != NULL)) fail_msg("%s%s", text, messages);
                if (is_refused) assert_int_equal(err, KS_ERR_USAGE);
                if (err == KS_OK) ks_config_release(&campaign);
                ks_error_clear();
                free(messages);
            }
        }
    }
}

/* Exit statuses of a child that loads a text. */
enum { READ, REFUSED, WRONG };

/* In a process of its own: libconfig 1.5 loses a string where its grammar expects none. */
static int load_in_child(const char *text) {
    pid_t child = fork();
    if (child == 0) {
        struct ks_campaign campaign;
        char *messages;
        int err = load(text, 0, NULL, &messages, &campaign);
        if (err == KS_OK) ks_config_release(&campaign);
        bool has_message = messages[0] != '\0';
        free(messages);
        _exit(err == KS_OK ? READ : err == KS_ERR_USAGE && has_message ? REFUSED : WRONG);
    }
    int status = 0;
    assert_true(child > 0 && waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : WRONG;
}

/* Puts characters that mean something to the grammar at random places, and may cut the rest off. */
static void damage(char *text, uint64_t round) {
    static const char characters[] = "\"{}()[];:=.,-0x9eL@#/*\\a \n\t";
    size_t n = strlen(text);
    for (uint64_t k = 0; k < 1 + round % 4; k++) {
        size_t at = ks_random_bits(1, KS_STREAM_test, round, 2 * k) % n;
        text[at] = characters[ks_random_bits(1, KS_STREAM_test, round, 2 * k + 1) % (sizeof characters - 1)];
    }
    if (round % 5 == 0) text[ks_random_bits(2, KS_STREAM_test, round, 0) % n] = '\0';
}

/* Whatever a file holds, it is read, or refused with a message; it never crashes. */
static void test_damaged_texts_are_refused_or_read(void **state) {
    (void)state;
    char *reference = reference_text();
    int n_refused = 0;
    for (uint64_t round = 0; round < 400; round++) {
        char *text = strdup(reference);
        damage(text, round);
        int status = load_in_child(text);
        if (status != READ && status != REFUSED) fail_msg("round %d", (int)round);
        n_refused += status == REFUSED;
        free(text);
    }
    assert_in_range(n_refused, 50, 390);
    free(reference);
}

/* ---- defaults and meaning -------------------------------------------------------------------- */

static void test_an_empty_text_is_one_default_patient(void **state) {
    (void)state;
    struct ks_campaign campaign = load_right("");
    assert_string_equal(campaign.title, "");
    assert_string_equal(campaign.model, "ketamine");
    assert_string_equal(campaign.output_file, "t.h5");
    assert_int_equal(campaign.design.kind, KS_DESIGN_grid);
    assert_int_equal(campaign.design.n_points, 1);
    assert_int_equal(campaign.design.n_variables, 0);
    assert_int_equal(campaign.n_endpoints, KS_N_ENDPOINTS);
    assert_false(campaign.has_trajectories);
    assert_false(campaign.treatment.uses_rate);
    assert_true(campaign.treatment.is_dose_per_kg);
    assert_true(campaign.solver.rtol == 1e-6 && campaign.solver.max_steps == 100000);
    assert_true(campaign.run.commit_seconds == 30);
    for (int i = 0; i < KS_N_PARAMETERS; i++) {
        assert_true(campaign.parameters[i] == ks_parameters[i].value || i == KS_PARAMETER_bioavailability);
        assert_false(campaign.is_named[i]);
    }
    ks_config_release(&campaign);
}

static void test_the_route_sets_what_is_not_named(void **state) {
    (void)state;
    struct ks_campaign campaign =
        load_right("protocol : { route = \"intranasal\"; }; patient : { absorption_rate = 2.5; };");
    assert_true(campaign.parameters[KS_PARAMETER_route] == KS_ROUTE_intranasal);
    assert_true(campaign.parameters[KS_PARAMETER_bioavailability] == 0.14);
    assert_true(campaign.parameters[KS_PARAMETER_absorption_rate] == 2.5);
    assert_true(campaign.parameters[KS_PARAMETER_first_pass_norketamine] == 0.3);
    assert_false(campaign.treatment.keeps_absorption[0]);
    assert_true(campaign.treatment.keeps_absorption[1]);
    assert_false(campaign.treatment.keeps_absorption[2]);
    ks_config_release(&campaign);
}

static void test_a_varied_twin_replaces_the_fixed_one(void **state) {
    (void)state;
    struct ks_campaign campaign = load_right("protocol : { infusion_duration = 0.5; };\n" DESIGN
                                             "parameters = ( { name = \"infusion_rate\"; } );");
    assert_true(campaign.treatment.uses_rate);
    assert_true(campaign.is_named[KS_PARAMETER_infusion_rate]);
    assert_false(campaign.is_named[KS_PARAMETER_infusion_duration]);
    ks_config_release(&campaign);
    campaign = load_right("protocol : { infusion_rate = 0.5; };\n" DESIGN
                          "parameters = ( { name = \"infusion_duration\"; } );");
    assert_false(campaign.treatment.uses_rate);
    ks_config_release(&campaign);
}

static void test_distributions_get_their_numbers(void **state) {
    (void)state;
    struct ks_campaign campaign = load_right(
        DESIGN "parameters = (\n"
               "{ name = \"weight\"; distribution = \"lognormal\"; mean = 80; cv = 0.5; high = 150; },\n"
               "{ name = \"fraction_unbound\"; distribution = \"normal\"; sd = 0.1; },\n"
               "{ name = \"depression_healthy\"; distribution = \"logitnormal\"; sd = 1; },\n"
               "{ name = \"infusion_count\"; low = 1; high = 6.0; },\n"
               "{ name = \"tnf_time\"; scale = \"log\"; },\n"
               "{ name = \"mood_time\"; distribution = \"normal\"; sd = 0.1; },\n"
               "{ name = \"route\"; values = (\"oral\", \"im\"); probabilities = [0.25, 0.75]; } );");
    const struct ks_variable *v = campaign.design.variables;
    assert_int_equal(v[0].distribution.kind, KS_DISTRIBUTION_lognormal);
    assert_float_equal(v[0].distribution.a, 80 / sqrt(1.25), 1e-12);
    assert_float_equal(v[0].distribution.b, sqrt(log(1.25)), 1e-15);
    assert_true(v[0].distribution.low == -INFINITY && v[0].distribution.high == 150);
    assert_true(v[1].distribution.a == 0.57 && v[1].distribution.low == 0 && v[1].distribution.high == 1);
    assert_float_equal(v[2].distribution.a, log(0.05 / 0.95), 1e-12);
    assert_true(isinf(v[2].distribution.low) && isinf(v[2].distribution.high));
    assert_true(v[3].distribution.is_integer && v[3].distribution.b == 6);
    assert_int_equal(v[4].distribution.kind, KS_DISTRIBUTION_loguniform);
    assert_true(v[4].distribution.a == 0.2 && v[4].distribution.b == 5);
    assert_true(v[5].distribution.low > 0 && v[5].distribution.low < 1e-300); /* > 0 is the hard limit */
    assert_true(v[6].distribution.values[0] == KS_ROUTE_oral && v[6].distribution.probabilities[1] == 0.75);
    ks_config_release(&campaign);
}

static void test_levels_meet_both_ends(void **state) {
    (void)state;
    struct ks_campaign campaign =
        load_right("design : { kind = \"grid\"; }; parameters = (\n"
                   "{ name = \"infusion_dose\"; low = 0.1; high = 0.7; levels = 7; },\n"
                   "{ name = \"infusion_rate\"; low = 0.25; high = 2.25; levels = 3; scale = \"log\"; },\n"
                   "{ name = \"infusion_count\"; low = 1; high = 5; levels = 3; },\n"
                   "{ name = \"weight\"; low = 50; high = 60; levels = 1; } );");
    const struct ks_variable *v = campaign.design.variables;
    assert_int_equal(campaign.design.n_points, 7 * 3 * 3);
    assert_true(v[0].levels[0] == 0.1 && v[0].levels[6] == 0.7);
    assert_float_equal(v[0].levels[3], 0.4, 1e-15);
    assert_float_equal(v[1].levels[1], 0.75, 1e-15);
    assert_true(v[2].levels[1] == 3 && v[3].levels[0] == 50);
    ks_config_release(&campaign);
    campaign = load_right(
        "design : { kind = \"grid\"; }; parameters = ( { name = \"tnf_time\"; low = 0.8; high = 3.3;\n"
        "levels = 7; scale = \"log\"; }, { name = \"gr_il6\"; low = 0.4; high = 1.7; levels = 7; } );");
    v = campaign.design.variables;
    for (int i = 0; i < 2; i++) assert_true(v[i].levels[6] == (i == 0 ? 3.3 : 1.7));
    ks_config_release(&campaign);
}

/* 49 times a rounded 1/49 is not 1. */
static void test_levels_of_counts_are_integers(void **state) {
    (void)state;
    struct ks_campaign campaign;
    char *messages;
    int err = load("design : { kind = \"grid\"; }; protocol : { horizon = 2000; }; parameters = (\n"
                   "{ name = \"session_count\"; low = 0; high = 49; levels = 50; },\n"
                   "{ name = \"infusion_count\"; low = 1; high = 64; levels = 7; scale = \"log\"; } );",
                   0, NULL, &messages, &campaign);
    if (err < 0) fail_msg("%s", messages);
    free(messages); /* warnings of implausible counts */
    for (int i = 0; i < 50; i++) assert_true(campaign.design.variables[0].levels[i] == i);
    for (int i = 0; i < 7; i++) assert_true(campaign.design.variables[1].levels[i] == 1 << i);
    ks_config_release(&campaign);
}

static void test_correlations_make_a_factor(void **state) {
    (void)state;
    struct ks_campaign campaign = load_right(
        DESIGN
        "parameters = ( { name = \"weight\"; }, { name = \"tnf_time\"; }, { name = \"il6_time\"; } );\n"
        "correlation = ( { a = \"il6_time\"; b = \"weight\"; rho = 0.6; } );");
    const double expected[9] = {1, 0, 0, 0, 1, 0, 0.6, 0, 0.8};
    for (int i = 0; i < 9; i++) assert_float_equal(campaign.design.correlation_factor[i], expected[i], 1e-15);
    ks_config_release(&campaign);
}

static void test_endpoints_of_all_forms(void **state) {
    (void)state;
    struct ks_campaign campaign = load_right(
        "output : { endpoints = (\"madrs_24h\", \"spines@1.5d\",\n"
        "{ name = \"a\"; of = \"ketamine_venous\"; op = \"auc\"; to = 24; },\n"
        "{ name = \"r\"; of = \"bdnf\"; op = \"ratio\"; at = 6; },\n"
        "{ name = \"t\"; of = \"madrs\"; op = \"first_crossing\"; threshold = 10; from = 1; }); };");
    const struct ks_endpoint *e = campaign.endpoints;
    assert_int_equal(campaign.n_endpoints, 6);
    assert_string_equal(e[0].name, "madrs_24h");
    assert_string_equal(e[1].name, "spines@1.5d");
    assert_true(e[1].from == 36 && e[1].op == KS_OP_value);
    assert_string_equal(e[2].unit, "mg h/L");
    assert_true(e[2].from == 0 && e[2].to == 24);
    assert_string_equal(e[3].unit, "ratio");
    assert_string_equal(e[4].unit, "h");
    assert_true(e[4].from == 1 && isinf(e[4].to) && e[4].threshold == 10);
    assert_string_equal(e[5].name, "t_reached");
    assert_string_equal(e[5].unit, "0 or 1");
    assert_int_equal(e[5].op, KS_OP_crossed);
    ks_config_release(&campaign);
}

/* "all" is what the shortest horizon allows. */
static void test_all_endpoints_fit_the_horizon(void **state) {
    (void)state;
    const char *const texts[] = {"protocol : { horizon = 100; };",
                                 DESIGN "parameters = ( { name = \"horizon\"; low = 100; high = 900; } );"};
    for (int k = 0; k < 2; k++) {
        struct ks_campaign campaign = load_right(texts[k]);
        int n_late = 0;
        for (int i = 0; i < KS_N_ENDPOINTS; i++)
            n_late += isfinite(ks_endpoints[i].from) && ks_endpoints[i].from > 100;
        assert_in_range(n_late, 5, KS_N_ENDPOINTS - 5);
        assert_int_equal(campaign.n_endpoints, KS_N_ENDPOINTS - n_late);
        ks_config_release(&campaign);
    }
}

static void test_times_of_trajectories(void **state) {
    (void)state;
    struct ks_campaign campaign = load_right("protocol : { horizon = 30.3; }; output : { trajectories : { "
                                             "states = (\"cadss\", \"ampa\"); every = 10.1; }; };");
    assert_int_equal(campaign.n_times, 4);
    assert_true(campaign.times[0] == 0 && campaign.times[3] == 30.3);
    assert_int_equal(campaign.n_quantities, 2);
    assert_int_equal(campaign.quantities[0], KS_DERIVED_cadss);
    ks_config_release(&campaign);
    campaign = load_right("protocol : { horizon = 25; }; output : { trajectories : { every = 10; }; };");
    assert_int_equal(campaign.n_times, 3);
    assert_int_equal(campaign.n_quantities, KS_N_STATES);
    ks_config_release(&campaign);
}

static void test_functions_have_their_own_names(void **state) {
    (void)state;
    struct ks_campaign campaign =
        load_right("model = \"test:ishigami\";\n" DESIGN "parameters = ( { name = \"x3\"; } );");
    assert_int_equal(campaign.n_parameters, 3);
    assert_string_equal(campaign.parameter_table[2].name, "x3");
    assert_int_equal(campaign.design.variables[0].parameter, 2);
    assert_true(campaign.design.variables[0].distribution.b == campaign.function->high);
    assert_int_equal(campaign.n_endpoints, 1);
    assert_string_equal(campaign.endpoints[0].name, "y");
    ks_config_release(&campaign);
    campaign = load_right("model = \"test:wide\"; output : { endpoints = [\"y64\", \"y1\"]; };");
    assert_int_equal(campaign.n_endpoints, 2);
    assert_string_equal(campaign.endpoints[0].name, "y64");
    ks_config_release(&campaign);
}

/* ---- numbers, includes, overrides ------------------------------------------------------------ */

static void test_integers_keep_all_their_digits(void **state) {
    (void)state;
    struct ks_campaign campaign = load_right(
        "design : { kind = \"random\"; points = 9223372036854775807; seed = 0x7FFFFFFFFFFFFFFE; };\n"
        "parameters = ( { name = \"infusion_dose\"; low = 50; high = 3000000000; } );"
        "protocol : { dose_unit = \"mg\"; horizon = 1000; infusion_count = 3.0; };");
    assert_true(campaign.design.n_points == INT64_MAX);
    assert_true(campaign.design.seed == INT64_MAX - 1);
    assert_true(campaign.design.variables[0].distribution.b == 3e9);
    assert_true(campaign.parameters[KS_PARAMETER_infusion_count] == 3);
    ks_config_release(&campaign);
}

static void test_includes_are_relative_and_keep_lines(void **state) {
    (void)state;
    write_file("sub/patient.cfg", "weight = 80.0;\n@include \"more.cfg\"");
    write_file("sub/more.cfg", "nmdar_density = 1.1; # @include \"none.cfg\"\n");
    struct ks_campaign campaign =
        load_right("patient : {\n  @include \"sub/patient.cfg\"\n};\n"
                   "/*\n@include \"none.cfg\"\n*/ title = \"@include \\\"x\\\"\";\n");
    assert_true(campaign.parameters[KS_PARAMETER_weight] == 80);
    assert_true(campaign.parameters[KS_PARAMETER_nmdar_density] == 1.1);
    assert_string_equal(campaign.title, "@include \"x\"");
    ks_config_release(&campaign);
    write_file("sub/more.cfg", "\n\nbdfn_time = 1.1;");
    expect_faults(
        "a = 1;\npatient : {\n@include \"sub/patient.cfg\"\nweigth = 1;\n};\nb = 2;",
        "t.cfg:1: a: unknown key; known are title, model, protocol, patient, design, parameters, "
        "correlation, "
        "output, population, arms, targets, selection, observation, uncertainty, trial, tailor, solver, "
        "run\n"
        "sub/more.cfg:3: patient.bdfn_time: unknown parameter; did you mean \"bdnf_time\"?\n"
        "t.cfg:4: patient.weigth: unknown parameter; did you mean \"weight\"?\n"
        "t.cfg:6: b: unknown key; known are title, model, protocol, patient, design, parameters, "
        "correlation, "
        "output, population, arms, targets, selection, observation, uncertainty, trial, tailor, solver, "
        "run\n");
    write_file("sub/more.cfg", "@include \"../t.cfg\"");
    expect_faults("@include \"sub/more.cfg\"\n",
                  "sub/more.cfg:1: @include: cannot read sub/../t.cfg: it includes itself; name another "
                  "file, as seen from sub/more.cfg\n");
}

/* libconfig, if it saw the second, would look for it in the current directory. */
static void test_two_includes_on_a_line(void **state) {
    (void)state;
    write_file("sub/one.cfg", "title = \"one\";");
    write_file("sub/two.cfg", "patient : { weight = 80; };");
    write_file("sub/both.cfg", "@include \"one.cfg\" @include \"two.cfg\"\n");
    struct ks_campaign campaign = load_right("@include \"sub/both.cfg\"\n");
    assert_string_equal(campaign.title, "one");
    assert_true(campaign.parameters[KS_PARAMETER_weight] == 80);
    ks_config_release(&campaign);
}

/* A table lies beside the file that names it; one that an override names, beside the configuration. */
static void test_tables_beside_an_included_file(void **state) {
    (void)state;
    write_file("sub/weekly.csv", "TIME,AMT,DUR\n0,0.5,1\n");
    write_file("sub/weekly.cfg", "protocol : { events = \"weekly.csv\"; };");
    struct ks_campaign campaign = load_right("@include \"sub/weekly.cfg\"\n");
    assert_int_equal(campaign.treatment.n_infusion_events, 1);
    ks_config_release(&campaign);
    const char *const overrides[] = {"protocol.events=\"sub/weekly.csv\""};
    campaign = load_set("@include \"sub/weekly.cfg\"\n", 1, overrides);
    assert_int_equal(campaign.treatment.n_infusion_events, 1);
    ks_config_release(&campaign);
}

static void test_line_ends_and_marks_of_other_systems(void **state) {
    (void)state;
    struct ks_campaign campaign =
        load_right("\xEF\xBB\xBFtitle = \"a\";\r\npatient : {\r\n weight = 80; };\r\n");
    assert_true(campaign.parameters[KS_PARAMETER_weight] == 80);
    ks_config_release(&campaign);
    expect_faults("title = \"a\";\r\npatient : {\r\n weight = -80; };\r\n",
                  "t.cfg:3: patient.weight: -80 is not allowed; it must be > 0\n");
}

static void test_overrides_replace_and_add(void **state) {
    (void)state;
    const char *text =
        "design : { kind = \"sobol\"; points = 64; };\n"
        "parameters = ( { name = \"weight\"; low = 50; high = 90; }, { name = \"il6_time\"; } );";
    const char *const overrides[] = {"design.points=65536",
                                     "parameters.[0].low = 6e1",
                                     "parameters.[1] = { name = \"tnf_time\"; low = 0.5; high = 1; }",
                                     "parameters.[2]={ name = \"bdnf_time\"; }",
                                     "patient.nmdar_density=1.5",
                                     "output.trajectories.every=12",
                                     "design.points = 5000000000",
                                     "title=\"a=b\""};
    struct ks_campaign campaign = load_set(text, 8, overrides);
    assert_true(campaign.design.n_points == 5000000000);
    assert_int_equal(campaign.design.n_variables, 3);
    assert_true(campaign.design.variables[0].distribution.a == 60 &&
                campaign.design.variables[0].distribution.b == 90);
    assert_string_equal(ks_parameters[campaign.design.variables[1].parameter].name, "tnf_time");
    assert_string_equal(ks_parameters[campaign.design.variables[2].parameter].name, "bdnf_time");
    assert_true(campaign.parameters[KS_PARAMETER_nmdar_density] == 1.5);
    assert_int_equal(campaign.n_times, 57);
    assert_string_equal(campaign.title, "a=b");
    ks_config_release(&campaign);
}

/* ---- tables from CSV ------------------------------------------------------------------------- */

static void test_points_from_a_file(void **state) {
    (void)state;
    write_file("sub/points.csv", "# from elsewhere\r\n\"infusion_dose\", route ,weight\r\n0.5,iv,70\r\n\r\n"
                                 "1e-1, \"im\" ,8.5e1\r\n0,3,60");
    struct ks_campaign campaign = load_right("design : { kind = \"file\"; file = \"sub/points.csv\"; };");
    const double expected[] = {0.5, 0, 70, 0.1, 1, 85, 0, 3, 60};
    assert_int_equal(campaign.design.n_points, 3);
    assert_int_equal(campaign.design.n_variables, 3);
    assert_int_equal(campaign.design.variables[1].parameter, KS_PARAMETER_route);
    for (int i = 0; i < 9; i++) assert_true(campaign.design.rows[i] == expected[i]);
    assert_true(campaign.is_named[KS_PARAMETER_weight]);
    ks_config_release(&campaign);
    campaign = load_right("design : { kind = \"file\"; file = \"sub/points.csv\"; points = 2; };");
    assert_int_equal(campaign.design.n_points, 2);
    ks_config_release(&campaign);
}

static void test_events_become_infusions(void **state) {
    (void)state;
    write_file("events.csv", "ID,TIME,AMT,RATE,DUR,ADDL,II,ROUTE\n"
                             "1,100,0.5,.,0.5,.,.,im\n0,0,0.5,0.75,,2,48,1\n");
    struct ks_campaign campaign = load_right("protocol : { events = \"events.csv\"; };");
    const struct ks_treatment *treatment = &campaign.treatment;
    const struct ks_infusion_event *events = treatment->infusion_events;
    assert_true(treatment->has_infusion_events);
    assert_int_equal(treatment->n_infusion_events, 4);
    for (int i = 0; i < 3; i++) assert_true(events[i].id == 0 && events[i].time_h == 48 * i);
    assert_float_equal(events[1].duration_h, 0.5 / 0.75, 1e-15);
    assert_true(events[3].id == 1 && events[3].time_h == 100 && events[3].duration_h == 0.5);
    assert_true(campaign.parameters[KS_PARAMETER_route] == KS_ROUTE_im);
    assert_true(campaign.parameters[KS_PARAMETER_bioavailability] == 0.93);
    ks_config_release(&campaign);
    write_file("events.csv", "TIME,AMT,DUR,ROUTE\n0,0.5,1,.\n5,0.5,1,\n9,0.5,1,im\n");
    campaign = load_right("protocol : { events = \"events.csv\"; route = \"im\"; };");
    for (int i = 0; i < 3; i++) assert_int_equal(campaign.treatment.infusion_events[i].route, KS_ROUTE_im);
    ks_config_release(&campaign);
}

/* ---- faults ---------------------------------------------------------------------------------- */

/* Every fault of a file in one report, by place, with warnings among them. */
static void test_all_faults_in_one_report(void **state) {
    (void)state;
    write_file("events.csv", "TIME,AMT,DUR\n0,0.5,1\n-1,x,1\n");
    expect_faults(
        "solver : { rtol = 0.5; };\n"
        "protocol : {\n  events = \"events.csv\";\n  horizon = -1;\n};\n"
        "patient : { weight = \"heavy\"; };\n" DESIGN
        "parameters = (\n  { name = \"il6_time\"; low = 3; high = 2; },\n"
        "  { name = \"il6_time\"; }\n);\n"
        "output : { endpoints = [\"madrs_24\"]; };\nrun : { comit_seconds = 3; };\n",
        "t.cfg:1: solver.rtol: 0.5 is not allowed; it must be in [1e-13, 0.01]\n"
        "events.csv:3: column 1 (TIME): -1 is not allowed; it must be >= 0\n"
        "events.csv:3: column 2 (AMT): expected a number, found \"x\"\n"
        "t.cfg:4: protocol.horizon: -1 is not allowed; it must be > 0\n"
        "t.cfg:6: patient.weight: expected a number, found the string \"heavy\"\n"
        "t.cfg:9: parameters.[0].low: low = 3 is not below high = 2; it must be\n"
        "t.cfg:10: parameters.[1].name: \"il6_time\" varies already; leave out one of the two\n"
        "t.cfg:12: output.endpoints.[0]: unknown endpoint \"madrs_24\"; did you mean \"madrs_24h\"?\n"
        "t.cfg:13: run.comit_seconds: unknown key; did you mean \"commit_seconds\"?\n");
}

/* What follows from a wrong value is not reported again, nor does a string break a line of the report. */
static void test_one_fault_is_one_line(void **state) {
    (void)state;
    expect_faults("protocol : { infusion_count = 12; horizon = \"a\\nb\"; };",
                  "t.cfg:1: protocol.horizon: expected a number, found the string \"a?b\"\n");
    expect_faults("protocol : { horizon = 200; infusion_count = 2; };\n" DESIGN
                  "parameters = ( { name = \"infusion_interval\"; low = 300; high = 250; } );",
                  "t.cfg:3: parameters.[0].low: low = 300 is not below high = 250; it must be\n");
    expect_faults(
        "model = \"test:non\";\n" DESIGN "parameters = ( { name = \"x1\"; } );",
        "t.cfg:1: model: unknown model \"test:non\"; known are ketamine, test:ishigami, test:gfunction, "
        "test:borehole, test:wing_weight, test:linear, test:scattered, test:corner, test:wide, test:crash\n");
}

static void test_hints(void **state) {
    (void)state;
    struct ks_campaign campaign = load_right(
        "run : { mpi_info : { cb_nodes = 4; striping_unit = 4194304L; romio_cb_write = \"enable\"; }; };");
    assert_int_equal(campaign.run.n_hints, 3);
    assert_string_equal(campaign.run.hints[0], "cb_nodes=4");
    assert_string_equal(campaign.run.hints[1], "striping_unit=4194304");
    assert_string_equal(campaign.run.hints[2], "romio_cb_write=enable");
    ks_config_release(&campaign);
    expect_faults(
        "run : {\n  mpi_info : { cb_nodes = 1.5;\n    romio_cb_write = true; };\n};",
        "t.cfg:2: run.mpi_info.cb_nodes: expected an integer or a string, found the number 1.5\n"
        "t.cfg:3: run.mpi_info.romio_cb_write: expected an integer or a string, found true or false\n");
    expect_faults("run : { mpi_info = 3; };",
                  "t.cfg:1: run.mpi_info: expected a group { ... }, found the number 3\n");
}

static void test_faults_of_overrides_name_them(void **state) {
    (void)state;
    struct ks_campaign campaign;
    char *messages;
    const char *const overrides[] = {"protocol.infusion_dose=-1",
                                     "patient={ weight = 0; }",
                                     "design.pionts=3",
                                     "title.x=1",
                                     "model=ketamine",
                                     "solver.rtol=1; run={}",
                                     "parameters.[3].low=1",
                                     "a..b=1"};
    assert_int_equal(load("title = \"t\";\nzzz = 1;\n", 8, overrides, &messages, &campaign), KS_ERR_USAGE);
    assert_string_equal(
        messages,
        "t.cfg:2: zzz: unknown key; known are title, model, protocol, patient, design, parameters, "
        "correlation, output, population, arms, targets, selection, observation, uncertainty, trial, "
        "tailor, solver, run\n"
        "--set protocol.infusion_dose: -1 is not allowed; it must be >= 0\n"
        "--set patient: patient.weight: 0 is not allowed; it must be > 0\n"
        "--set design.pionts: unknown key; did you mean \"points\"?\n"
        "--set design.pionts: design: \"kind\" is missing; give it (grid lhs random sobol saltelli morris "
        "fast rbd-fast file)\n"
        "--set title.x: there is no such setting, and none can be added\n"
        "--set model: ketamine is no value; it must be as in the file, strings in quotes\n"
        "--set solver.rtol: 1; run={} is no value; it must be as in the file, strings in quotes\n"
        "--set parameters.[3].low: there is no such setting, and none can be added\n"
        "--set a..b: this is no key; write it as in design.points or parameters.[0].low\n");
    ks_error_clear();
    free(messages);
}

static void test_warnings_are_asked_for(void **state) {
    (void)state;
    struct ks_campaign campaign;
    char *messages;
    const char *text = "protocol : { infusion_dose = 8; infusion_count = 2; infusion_interval = 0.5; };\n"
                       "patient : { weight = 20; };";
    assert_int_equal(load(text, 0, NULL, &messages, &campaign), KS_OK);
    assert_string_equal(
        messages,
        "warning: t.cfg:1: protocol.infusion_dose: 8 is outside the plausible range of infusion_dose, 0.1 to "
        "1 mg/kg\n"
        "warning: t.cfg:1: protocol.infusion_interval: 0.5 is outside the plausible range of "
        "infusion_interval, 24 to "
        "336 h\n"
        "warning: t.cfg:1: protocol.infusion_interval: infusions can overlap: they take up to "
        "0.6666666666666666 h and "
        "start every 0.5 h; they add\n"
        "warning: t.cfg:2: patient.weight: 20 is outside the plausible range of weight, 35 to 200 kg\n");
    free(messages);
    ks_config_release(&campaign);
    size_t size;
    FILE *stream = open_memstream(&messages, &size);
    assert_int_equal(ks_config_load("t.cfg", 0, NULL, false, stream, &campaign), KS_OK);
    fclose(stream);
    assert_string_equal(messages, "");
    free(messages);
    ks_config_release(&campaign);
}

static void expect_warnings(const char *text, const char *expected) {
    struct ks_campaign campaign;
    char *messages;
    assert_int_equal(load(text, 0, NULL, &messages, &campaign), KS_OK);
    assert_string_equal(messages, expected);
    free(messages);
    ks_config_release(&campaign);
}

/* Doses and values that a list or a file holds are judged like single ones. */
static void test_warnings_of_lists_and_files(void **state) {
    (void)state;
    expect_warnings(
        "protocol : { infusions = ( { time = 0; dose = 35; duration = 1; } ); };",
        "warning: t.cfg:1: protocol.infusions: 35 is outside the plausible range of infusion_dose, "
        "0.1 to 1 mg/kg\n");
    expect_warnings(
        "protocol : { dose_unit = \"mg\"; infusions = ( { time = 0; dose = 35; duration = 1; } ); };", "");
    write_file("weights.csv", "weight\n70\n20\n500\n");
    expect_warnings(
        "design : { kind = \"file\"; file = \"weights.csv\"; };",
        "warning: t.cfg:1: design.file: 20 is outside the plausible range of weight, 35 to 200 kg\n"
        "warning: t.cfg:1: design.file: 500 is outside the plausible range of weight, 35 to 200 kg\n");
}

/* The tail of a distribution, which always overlaps, is no reason to warn. */
static void test_warnings_of_likely_overlaps(void **state) {
    (void)state;
    expect_warnings(
        "protocol : { infusion_count = 2; infusion_rate = 1; };\n" DESIGN
        "parameters = ( { name = \"infusion_interval\"; distribution = \"lognormal\"; cv = 0.1; },\n"
        "{ name = \"infusion_dose\"; distribution = \"lognormal\"; cv = 0.1; } );",
        "");
    expect_warnings(
        "protocol : { infusion_count = 2; infusion_rate = 1; };\n" DESIGN
        "parameters = ( { name = \"infusion_interval\"; values = [0.25, 84.0]; } );",
        "warning: t.cfg:3: parameters.[0].values.[0]: 0.25 is outside the plausible range of "
        "infusion_interval, 24 to 336 h\n"
        "warning: t.cfg:3: parameters.[0]: infusions can overlap: they take up to 0.5 h and start every "
        "0.25 h; they add\n");
}

/* A protocol is refused where no point can follow it; where some can, the points decide. */
static void test_impossible_protocols(void **state) {
    (void)state;
    expect_faults(
        "protocol : { infusion_count = 6; horizon = 400; };",
        "t.cfg:1: protocol.infusion_count: the last of 6 infusions starts at 420 h (0 + 5 x 84), after the "
        "horizon of 400 h; make protocol.horizon longer, or them fewer or earlier\n");
    expect_faults(
        "protocol : { infusion_count = 6; horizon = 400; };\n" DESIGN
        "parameters = ( { name = \"infusion_interval\"; low = 90; high = 100; } );",
        "t.cfg:1: protocol.infusion_count: the last of 6 infusions starts at 450 h (0 + 5 x 90), after the "
        "horizon of 400 h; make protocol.horizon longer, or them fewer or earlier\n");
    struct ks_campaign campaign = load_right("protocol : { infusion_count = 6; horizon = 400; };\n" DESIGN
                                             "parameters = ( { name = \"infusion_interval\"; } );");
    ks_config_release(&campaign);
    campaign =
        load_right("protocol : { infusion_count = 6; horizon = 420; };"); /* at the horizon is allowed */
    ks_config_release(&campaign);
    campaign = load_right("protocol : { infusion_count = 0; infusion_start = 0; horizon = 24; };");
    ks_config_release(&campaign);
}

static void test_nearest_words(void **state) {
    (void)state;
    const char *const known[] = {"points", "kind", "seed", "infusion_duration"};
    assert_string_equal(ks_config_nearest("pionts", 4, known), "points");
    assert_string_equal(ks_config_nearest("POINTS", 4, known), "points");
    assert_string_equal(ks_config_nearest("infusion_duraton", 4, known), "infusion_duration");
    assert_null(ks_config_nearest("horizon", 4, known));
    const char *const alike[] = {"madrs_2h", "madrs_24h", "madrs_34"}; /* each one letter away */
    assert_string_equal(ks_config_nearest("madrs_24", 3, alike), "madrs_24h");
    assert_null(ks_config_nearest("", 4, known));
}

/* ---------------------------------------------------------------------------------------------- */

static int set_up(void **state) {
    (void)state;
    const char *parent = getenv("TMPDIR");
    snprintf(directory, sizeof directory, "%s/ks-config-XXXXXX", parent == NULL ? "/tmp" : parent);
    bool is_made = mkdtemp(directory) != NULL && chdir(directory) == 0;
    return is_made && system("mkdir sub") == 0 ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    char command[300];
    snprintf(command, sizeof command, "rm -r '%s'", directory);
    return chdir("/") == 0 ? system(command) : -1;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_canonical_is_a_fixed_point),
        cmocka_unit_test(test_equal_campaigns_have_equal_texts),
        cmocka_unit_test(test_ways_to_write_a_campaign),
        cmocka_unit_test(test_every_misspelt_parameter_is_recognised),
        cmocka_unit_test(test_every_parameter_keeps_its_limits),
        cmocka_unit_test(test_damaged_texts_are_refused_or_read),
        cmocka_unit_test(test_an_empty_text_is_one_default_patient),
        cmocka_unit_test(test_the_route_sets_what_is_not_named),
        cmocka_unit_test(test_a_varied_twin_replaces_the_fixed_one),
        cmocka_unit_test(test_distributions_get_their_numbers),
        cmocka_unit_test(test_levels_meet_both_ends),
        cmocka_unit_test(test_levels_of_counts_are_integers),
        cmocka_unit_test(test_correlations_make_a_factor),
        cmocka_unit_test(test_endpoints_of_all_forms),
        cmocka_unit_test(test_all_endpoints_fit_the_horizon),
        cmocka_unit_test(test_times_of_trajectories),
        cmocka_unit_test(test_functions_have_their_own_names),
        cmocka_unit_test(test_integers_keep_all_their_digits),
        cmocka_unit_test(test_includes_are_relative_and_keep_lines),
        cmocka_unit_test(test_two_includes_on_a_line),
        cmocka_unit_test(test_tables_beside_an_included_file),
        cmocka_unit_test(test_line_ends_and_marks_of_other_systems),
        cmocka_unit_test(test_overrides_replace_and_add),
        cmocka_unit_test(test_points_from_a_file),
        cmocka_unit_test(test_events_become_infusions),
        cmocka_unit_test(test_all_faults_in_one_report),
        cmocka_unit_test(test_one_fault_is_one_line),
        cmocka_unit_test(test_hints),
        cmocka_unit_test(test_faults_of_overrides_name_them),
        cmocka_unit_test(test_warnings_are_asked_for),
        cmocka_unit_test(test_warnings_of_lists_and_files),
        cmocka_unit_test(test_warnings_of_likely_overlaps),
        cmocka_unit_test(test_impossible_protocols),
        cmocka_unit_test(test_nearest_words),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
