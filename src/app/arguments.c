/* Command lines: the table of options, and reading them. Which command takes which stands in commands.c. */
#include "app/app_impl.h"
#include "base/error.h"
#include "base/memory.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum kind { FLAG, TEXT, FRACTION, SHARE /* a fraction > 0 */, OVERRIDE };

#define AT(field) offsetof(struct ks_arguments, field)
static const struct ks_option options[] = {
    {"help", "-h", FLAG, AT(wants_help), NULL, "this text"},
    {"output", "-o", TEXT, AT(output), "FILE", ""},
    {"set", "", OVERRIDE, 0, "KEY=VALUE",
     "override an entry of CONFIG, such as --set design.points=65536; VALUE is as in the file, strings in "
     "quotes: --set "
     "'protocol.route=\"im\"'"},
    {"overwrite", "", FLAG, AT(overwrites), NULL, "replace an existing file"},
    {"extend", "", FLAG, AT(extends), NULL, ""},
    {"verify", "", FLAG, AT(verifies), NULL, ""},
    {"repair", "", FLAG, AT(repairs), NULL, ""},
    {"quiet", "-q", FLAG, AT(is_quiet), NULL, ""},
    {"json", "", FLAG, AT(is_json), NULL, ""},
    {"long", "", FLAG, AT(is_long), NULL, ""},
    {"man", "", FLAG, AT(wants_man), NULL, ""},
    {"dataset", "", TEXT, AT(dataset), "NAME", ""},
    {"format", "", TEXT, AT(format), "FORMAT", ""},
    {"lanes", "", TEXT, AT(lanes), "N", "as of `run`; no result depends on it"},
    {"method", "", TEXT, AT(method), "METHOD", ""},
    {"bootstrap", "", TEXT, AT(bootstrap), "N", ""},
    {"shard", "", TEXT, AT(shard), "K/N", ""},
    {"partition", "", TEXT, AT(partition), "NAME", ""},
    {"time", "", TEXT, AT(time), "TIME", ""},
    {"nodes", "", TEXT, AT(nodes), "N", ""},
    {"dry-run", "", FLAG, AT(is_dry), NULL, ""},
    {"separate", "", FLAG, AT(is_separate), NULL, ""},
    {"max-failed-fraction", "", FRACTION, AT(max_failed_fraction), "F", ""},
    {"verify-fraction", "", SHARE, AT(verify_fraction), "F", ""},
};
enum { N_OPTIONS = sizeof options / sizeof options[0] };

const struct ks_option *ks_arguments_option(const char *name) {
    for (int i = 0; i < N_OPTIONS; i++)
        if (strcmp(options[i].name, name) == 0) return &options[i];
    return NULL;
}

/* ---- words -------------------------------------------------------------------------------------------------- */

/* The option of a word such as --name, --name=value or -o; NULL if the command has none of this name. */
static const struct ks_option *find_option(const char *word, const struct ks_command *command,
                                           const char **attached) {
    const char *equals = strchr(word, '=');
    size_t length = equals ? (size_t)(equals - word) : strlen(word);
    for (int i = 0; i < N_OPTIONS; i++) {
        const struct ks_option *o = &options[i];
        bool is_name = length == strlen(o->name) + 2 && strncmp(word, "--", 2) == 0 &&
                       strncmp(word + 2, o->name, length - 2) == 0;
        bool is_letter = o->letter[0] != '\0' && strcmp(word, o->letter) == 0;
        if ((is_name || is_letter) && ks_command_option(command, o->name) != NULL) {
            *attached = is_name && equals ? equals + 1 : NULL;
            return o;
        }
    }
    return NULL;
}

/* "; did you mean --overwrite?", or nothing. */
static void suggest_option(const char *word, const struct ks_command *command, char *text, size_t size) {
    const char *names[N_OPTIONS];
    char name[64];
    int n = 0;
    for (const struct ks_use *use = command->options; use->name != NULL; use++) names[n++] = use->name;
    word += strspn(word, "-");
    snprintf(name, sizeof name, "%.*s", (int)strcspn(word, "="), word);
    const char *nearest = ks_config_nearest(name, n, names);
    text[0] = '\0';
    if (nearest != NULL) snprintf(text, size, "did you mean --%s? ", nearest);
}

/* One of the words of `choices`, where there are some; `what` for the sentence. */
static int check_choice(const char *what, const char *choices, const char *found) {
    char list[256] = "";
    size_t length = strlen(found), used = 0;
    if (choices == NULL) return KS_OK;
    for (const char *at = choices, *end; *at != '\0'; at = end + (*end == ' ')) {
        end = at + strcspn(at, " ");
        if ((size_t)(end - at) == length && strncmp(at, found, length) == 0) return KS_OK;
        const char *before = used == 0 ? "" : *end == '\0' ? " or " : ", ";
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%.*s", before, (int)(end - at), at);
        KS_ASSERT(used < sizeof list);
    }
    return ks_error_raise(KS_ERR_USAGE, __FILE__, __LINE__, "%s is %s, found \"%s\"", what, list, found);
}

/* ---- options ------------------------------------------------------------------------------------------------ */

static int store_value(struct ks_arguments *arguments, const struct ks_option *option, const char *value) {
    char *field = (char *)arguments + option->offset, *end;
    double number;
    switch ((enum kind)option->kind) {
    case FLAG:
        *(bool *)field = true;
        break;
    case TEXT:
        *(const char **)field = value;
        break;
    case FRACTION:
    case SHARE:
        number = strtod(value, &end);
        KS_CHECK(*value != '\0' && *end == '\0' && number >= 0 && number <= 1 &&
                     (number > 0 || option->kind == FRACTION),
                 KS_ERR_USAGE, "--%s takes a number in %c0, 1], found \"%s\"", option->name,
                 option->kind == FRACTION ? '[' : '(', value);
        *(double *)field = number;
        break;
    case OVERRIDE:
        KS_CHECK(strchr(value, '=') != NULL, KS_ERR_USAGE, "--set takes KEY=VALUE, found \"%s\"", value);
        arguments->overrides[arguments->n_overrides++] = value;
        break;
    }
    return KS_OK;
}

static int parse_option(int argc, char **argv, int *i, const struct ks_command *command,
                        struct ks_arguments *arguments) {
    const char *attached = NULL, *word = argv[*i];
    const struct ks_option *option = find_option(word, command, &attached);
    char suggestion[96] = "", what[64];
    if (option == NULL) suggest_option(word, command, suggestion, sizeof suggestion);
    KS_CHECK(option != NULL, KS_ERR_USAGE, "%s has no option %s; %s`ketsweep help %s` lists them",
             command->name, word, suggestion, command->name);
    if (option->kind == FLAG) {
        KS_CHECK(attached == NULL, KS_ERR_USAGE, "--%s takes no value; leave out \"=%s\"", option->name,
                 attached);
        return store_value(arguments, option, NULL);
    }
    if (attached == NULL && *i + 1 < argc) attached = argv[++*i];
    KS_CHECK(attached != NULL && *attached != '\0', KS_ERR_USAGE, "--%s needs a value: --%s %s", option->name,
             option->name, option->value);
    snprintf(what, sizeof what, "--%s", option->name);
    KS_TRY(check_choice(what, ks_command_option(command, option->name)->choices, attached));
    return store_value(arguments, option, attached);
}

static int check_operands(const struct ks_command *command, const struct ks_arguments *arguments) {
    char what[64];
    if (arguments->wants_help) return KS_OK;
    KS_CHECK(arguments->operand != NULL || command->operand[0] == '[', KS_ERR_USAGE,
             "%s needs a %s; `ketsweep help %s` shows how", command->name, command->operand, command->name);
    KS_CHECK(
        arguments->n_operands <= 1 || strstr(command->operand, "...") != NULL, KS_ERR_USAGE,
        "%s takes one argument, found \"%s\" and \"%s\"; give one, or put what belongs together in quotes",
        command->name, arguments->operand, arguments->operands[1]);
    snprintf(what, sizeof what, "%s of %s", command->operand, command->name);
    return arguments->operand != NULL ? check_choice(what, command->choices, arguments->operand) : KS_OK;
}

int ks_arguments_parse(int argc, char **argv, const struct ks_command *command,
                       struct ks_arguments *arguments) {
    *arguments = (struct ks_arguments){.max_failed_fraction = 0.01};
    KS_ALLOCATE(arguments->overrides, (size_t)argc + 1);
    KS_ALLOCATE(arguments->operands, (size_t)argc + 1);
    for (int i = 0; i < argc; i++) {
        if (argv[i][0] == '-' && argv[i][1] != '\0') {
            KS_TRY(parse_option(argc, argv, &i, command, arguments));
        } else {
            arguments->operands[arguments->n_operands++] = argv[i];
        }
    }
    arguments->operand = arguments->operands[0];
    return check_operands(command, arguments);
}

void ks_arguments_release(struct ks_arguments *arguments) {
    free(arguments->overrides);
    free(arguments->operands);
    arguments->overrides = arguments->operands = NULL;
}
