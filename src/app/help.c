/* `ketsweep help`: the table of commands as text for a terminal. */
#include "app/app_impl.h"
#include "base/error.h"

#include <string.h>

enum { WIDTH = 80, COMMAND_COLUMN = 15, OPTION_COLUMN = 28 };

static const char *const statuses[4] = {
    "done", "it could not go on", "the command line or the configuration is wrong; nothing has been done",
    NULL};

const char *ks_help_status(const struct ks_command *command, int i) {
    return command->statuses[i] != NULL ? command->statuses[i] : statuses[i];
}

const char *ks_help_value(const struct ks_option *option, const struct ks_use *use, char *text) {
    enum { SIZE = 32, LONGEST = 12 };
    bool is_short = use->choices != NULL && strlen(use->choices) <= LONGEST;
    snprintf(text, SIZE, "%s", is_short ? use->choices : option->value != NULL ? option->value : "");
    for (char *at = text; *at != '\0'; at++)
        if (*at == ' ') *at = '|';
    return text;
}

const char *ks_help_meaning(const struct ks_option *option, const struct ks_use *use) {
    return use->meaning != NULL ? use->meaning : option->meaning;
}

/* Words from the column `at` on, further lines from `indent` on; a line longer than the width only for a word. */
static void print_wrapped(FILE *stream, int at, int indent, const char *text) {
    while (*text != '\0') {
        int length = (int)strcspn(text, " \n");
        bool is_paragraph = text[length] == '\n';
        if (at > indent && at + 1 + length > WIDTH) {
            fprintf(stream, "\n%*s", indent, "");
            at = indent;
        } else if (at > indent) {
            fputc(' ', stream);
            at++;
        }
        fprintf(stream, "%.*s", length, text);
        at += length;
        text += length;
        text += strspn(text, " \n");
        if (is_paragraph) fprintf(stream, "\n\n%*s", at = indent, "");
    }
    fputc('\n', stream);
}

/* A word in the left column, and what it is in the right one. */
static void print_entry(FILE *stream, int column, const char *word, const char *text) {
    int n = fprintf(stream, "  %s", word);
    if (n + 2 > column) {
        fputc('\n', stream);
        n = 0;
    }
    fprintf(stream, "%*s", column - n, "");
    print_wrapped(stream, column, column, text);
}

void ks_help_print_overview(FILE *stream) {
    const struct ks_command *command;
    fprintf(stream, "ketsweep simulates campaigns of ketamine-assisted psychotherapy into one HDF5 file.\n\n"
                    "usage: ketsweep COMMAND [ARGUMENT] [OPTION]...\n\n");
    for (int i = 0; (command = ks_command_at(i)) != NULL; i++)
        print_entry(stream, COMMAND_COLUMN, command->name, command->summary);
    print_entry(stream, COMMAND_COLUMN, "--version", "this program and what it was built with");
    fprintf(stream, "\n`ketsweep help COMMAND` or `ketsweep COMMAND --help` says how a command is used.\n"
                    "Try: mpirun ketsweep run configs/demo.cfg -o demo.h5\n");
}

static void print_option(FILE *stream, const struct ks_use *use) {
    const struct ks_option *option = ks_arguments_option(use->name);
    char word[96], value[32];
    snprintf(word, sizeof word, "%s%s--%s%s%s", option->letter, option->letter[0] != '\0' ? ", " : "    ",
             option->name, option->value != NULL ? " " : "", ks_help_value(option, use, value));
    print_entry(stream, OPTION_COLUMN, word, ks_help_meaning(option, use));
}

static void print_options(FILE *stream, const struct ks_command *command) {
    fprintf(stream, "\nOptions:\n");
    for (const struct ks_use *use = command->options; use->name != NULL; use++) print_option(stream, use);
    print_option(stream, ks_command_option(command, "help"));
}

static void print_examples(FILE *stream, const struct ks_command *command) {
    fprintf(stream, "\nExamples:\n");
    for (int i = 0; i < KS_MOST_EXAMPLES && command->examples[i][0] != NULL; i++) {
        if (command->examples[i][1] != NULL) fprintf(stream, "  # %s\n", command->examples[i][1]);
        fprintf(stream, "  %s\n", command->examples[i][0]);
    }
}

void ks_help_print_command(FILE *stream, const struct ks_command *command) {
    bool has_options = command->options[0].name != NULL;
    fprintf(stream, "usage: ketsweep %s %s%s\n\n", command->name, command->operand,
            has_options ? " [OPTION]..." : "");
    print_wrapped(stream, 0, 0, command->summary);
    if (command->choices != NULL) {
        int n = fprintf(stream, "%s is one of:", command->operand);
        print_wrapped(stream, n, 2, command->choices);
    }
    print_options(stream, command);
    fputc('\n', stream);
    print_wrapped(stream, 0, 0, command->notes);
    fprintf(stream, "\nExit status:\n");
    for (int i = 0; i < 4; i++) {
        char digit[2] = {(char)('0' + i), '\0'};
        if (ks_help_status(command, i) != NULL) print_entry(stream, 5, digit, ks_help_status(command, i));
    }
    print_examples(stream, command);
}

int ks_help_find(const char *name, const struct ks_command **command) {
    *command = ks_command_find(name);
    const char *nearest = ks_command_nearest(name);
    KS_CHECK(*command != NULL || nearest == NULL, KS_ERR_USAGE,
             "there is no command \"%s\"; did you mean \"%s\"? `ketsweep help` lists them", name, nearest);
    KS_CHECK(*command != NULL, KS_ERR_USAGE, "there is no command \"%s\"; `ketsweep help` lists them", name);
    return KS_OK;
}

int ks_help_command(const struct ks_arguments *arguments) {
    const struct ks_command *command = NULL;
    if (arguments->wants_man) {
        ks_man_print(stdout);
    } else if (arguments->operand == NULL) {
        ks_help_print_overview(stdout);
    } else {
        KS_TRY(ks_help_find(arguments->operand, &command));
        ks_help_print_command(stdout, command);
    }
    return 0;
}
