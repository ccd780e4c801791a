/* Command lines: one list of options for all commands, of which each command allows some. */
#include "app/app_impl.h"
#include "base/error.h"
#include "base/memory.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum kind { FLAG, TEXT, FRACTION, SHARE /* a fraction > 0 */, OVERRIDE };

struct option {
    const char *name, *letter;
    enum kind kind;
    size_t offset; /* in struct ks_arguments */
};

#define AT(field) offsetof(struct ks_arguments, field)
static const struct option options[] = {
    {"help", "-h", FLAG, AT(wants_help)},
    {"output", "-o", TEXT, AT(output)},
    {"set", "", OVERRIDE, 0},
    {"overwrite", "", FLAG, AT(overwrites)},
    {"extend", "", FLAG, AT(extends)},
    {"verify", "", FLAG, AT(verifies)},
    {"repair", "", FLAG, AT(repairs)},
    {"quiet", "-q", FLAG, AT(is_quiet)},
    {"json", "", FLAG, AT(is_json)},
    {"long", "", FLAG, AT(is_long)},
    {"dataset", "", TEXT, AT(dataset)},
    {"format", "", TEXT, AT(format)},
    {"lanes", "", TEXT, AT(lanes)},
    {"method", "", TEXT, AT(method)},
    {"bootstrap", "", TEXT, AT(bootstrap)},
    {"shard", "", TEXT, AT(shard)},
    {"partition", "", TEXT, AT(partition)},
    {"time", "", TEXT, AT(time)},
    {"nodes", "", TEXT, AT(nodes)},
    {"dry-run", "", FLAG, AT(is_dry)},
    {"separate", "", FLAG, AT(is_separate)},
    {"max-failed-fraction", "", FRACTION, AT(max_failed_fraction)},
    {"verify-fraction", "", SHARE, AT(verify_fraction)},
};
enum { N_OPTIONS = sizeof options / sizeof options[0] };

static bool is_listed(const char *allowed, const char *name) {
    size_t length = strlen(name);
    for (const char *at = strstr(allowed, name); at != NULL; at = strstr(at + 1, name))
        if ((at == allowed || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0')) return true;
    return strcmp(name, "help") == 0;
}

/* The option of a word such as --name, --name=value or -o; NULL if the command has none of this name. */
static const struct option *find_option(const char *word, const char *allowed, const char **attached) {
    const char *equals = strchr(word, '=');
    size_t length = equals ? (size_t)(equals - word) : strlen(word);
    for (int i = 0; i < N_OPTIONS; i++) {
        const struct option *o = &options[i];
        bool is_name = length == strlen(o->name) + 2 && strncmp(word, "--", 2) == 0 &&
                       strncmp(word + 2, o->name, length - 2) == 0;
        bool is_letter = o->letter[0] != '\0' && strcmp(word, o->letter) == 0;
        if ((is_name || is_letter) && is_listed(allowed, o->name)) {
            *attached = is_name && equals ? equals + 1 : NULL;
            return o;
        }
    }
    return NULL;
}

static int store_value(struct ks_arguments *arguments, const struct option *option, const char *value) {
    char *field = (char *)arguments + option->offset, *end;
    double number;
    switch (option->kind) {
    case FLAG:
        *(bool *)field = true;
        break;
    case TEXT:
        KS_CHECK(*value != '\0', KS_ERR_USAGE, "--%s needs a value", option->name);
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

static int parse_option(int argc, char **argv, int *i, const char *command, const char *allowed,
                        struct ks_arguments *arguments) {
    const char *attached = NULL, *word = argv[*i];
    const struct option *option = find_option(word, allowed, &attached);
    KS_CHECK(option != NULL, KS_ERR_USAGE, "%s has no option %s; `ketsweep help %s` lists them", command,
             word, command);
    if (option->kind == FLAG) {
        KS_CHECK(attached == NULL, KS_ERR_USAGE, "--%s takes no value", option->name);
        return store_value(arguments, option, NULL);
    }
    if (attached == NULL) {
        KS_CHECK(*i + 1 < argc, KS_ERR_USAGE, "--%s needs a value", option->name);
        attached = argv[++*i];
    }
    return store_value(arguments, option, attached);
}

int ks_arguments_parse(int argc, char **argv, const char *command, const char *allowed,
                       struct ks_arguments *arguments) {
    *arguments = (struct ks_arguments){.max_failed_fraction = 0.01};
    KS_ALLOCATE(arguments->overrides, (size_t)argc + 1);
    KS_ALLOCATE(arguments->operands, (size_t)argc + 1);
    for (int i = 0; i < argc; i++) {
        if (argv[i][0] == '-' && argv[i][1] != '\0') {
            KS_TRY(parse_option(argc, argv, &i, command, allowed, arguments));
        } else {
            arguments->operands[arguments->n_operands++] = argv[i];
        }
    }
    arguments->operand = arguments->operands[0];
    return KS_OK;
}

void ks_arguments_release(struct ks_arguments *arguments) {
    free(arguments->overrides);
    free(arguments->operands);
    arguments->overrides = arguments->operands = NULL;
}
