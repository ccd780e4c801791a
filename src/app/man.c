/* The man page ketsweep(1), from the table of commands. */
#include "app/app_impl.h"
#include "base/build_info.h"

#include <string.h>

/* What roff would take for something else. */
static const char *escape(char character, bool is_start) {
    switch (character) {
    case '\\':
        return "\\e";
    case '-':
        return "\\-";
    case '\'':
        return "\\(aq";
    case '`':
        return "\\(ga";
    case '^':
        return "\\(ha";
    case '~':
        return "\\(ti";
    case '.':
        return is_start ? "\\&." : NULL;
    default:
        return NULL;
    }
}

/* A text of the table as roff has it, in lines of moderate length. */
static void print_text(FILE *stream, const char *text) {
    enum { LONGEST = 60 };
    for (int column = 0; *text != '\0'; text++, column++) {
        const char *escaped = escape(*text, column == 0);
        if (strncmp(text, "\n\n", 2) == 0) {
            fputs("\n.PP\n", stream);
            text++;
            column = -1;
        } else if (*text == ' ' && column > LONGEST) {
            fputc('\n', stream);
            column = -1;
        } else if (escaped != NULL) {
            fputs(escaped, stream);
        } else {
            fputc(*text, stream);
        }
    }
}

static void print_line(FILE *stream, const char *before, const char *text) {
    fputs(before, stream);
    print_text(stream, text);
    fputc('\n', stream);
}

/* A tagged paragraph. */
static void print_entry(FILE *stream, const char *tag, const char *text) {
    fputs(".TP\n.B ", stream);
    print_line(stream, "", tag);
    print_line(stream, "", text);
}

static void print_option(FILE *stream, const struct ks_use *use) {
    const struct ks_option *option = ks_arguments_option(use->name);
    char name[64], value[32];
    snprintf(name, sizeof name, "%s%s--%s", option->letter, option->letter[0] != '\0' ? ", " : "",
             option->name);
    fputs(".TP\n\\fB", stream);
    print_text(stream, name);
    fputs("\\fR", stream);
    if (option->value != NULL) {
        fputs(" \\fI", stream);
        print_text(stream, ks_help_value(option, use, value));
        fputs("\\fR", stream);
    }
    fputc('\n', stream);
    print_line(stream, "", ks_help_meaning(option, use));
}

/* One line, however long. */
static void print_example(FILE *stream, const char *line) {
    for (; *line != '\0'; line++) {
        const char *escaped = escape(*line, false);
        fputs(escaped != NULL ? escaped : (char[]){*line, '\0'}, stream);
    }
}

static void print_examples(FILE *stream, const struct ks_command *command) {
    for (int i = 0; i < KS_MOST_EXAMPLES && command->examples[i][0] != NULL; i++) {
        const char *what = command->examples[i][1];
        fputs(".PP\nExample", stream);
        print_line(stream, what != NULL ? ", " : "", what != NULL ? what : "");
        fputs(".PP\n.RS 4\n.nf\n", stream);
        print_example(stream, command->examples[i][0]);
        fputs("\n.fi\n.RE\n", stream);
    }
}

static void print_command(FILE *stream, const struct ks_command *command) {
    fprintf(stream, ".SS %s %s\n", command->name, command->operand);
    print_line(stream, "", command->summary);
    if (command->choices != NULL) {
        print_line(stream, ".PP\n", command->operand);
        print_line(stream, "is one of: ", command->choices);
    }
    for (const struct ks_use *use = command->options; use->name != NULL; use++) print_option(stream, use);
    print_line(stream, ".PP\n", command->notes);
    for (int i = 0; i < 4; i++) {
        char text[16];
        snprintf(text, sizeof text, "Exit status %d", i);
        if (ks_help_status(command, i) != NULL) print_entry(stream, text, ks_help_status(command, i));
    }
    print_examples(stream, command);
}

static void print_surroundings(FILE *stream) {
    fputs(".SH EXIT STATUS\n", stream);
    print_entry(stream, "0", "done");
    print_entry(stream, "1", "the run could not go on; what was committed stays committed");
    print_entry(stream, "2", "the command line or the configuration is wrong; nothing has been done");
    print_entry(stream, "3",
                "stopped by a signal or the time limit after committing; the same command goes on");
    fputs(".SH ENVIRONMENT\n", stream);
    print_entry(stream, "KETSWEEP_LANES",
                "patients solved at once, 1, 2, 4 or 8, where --lanes is not given (default: the most that "
                "the processor can)");
    fputs(".SH FILES\n", stream);
    print_entry(stream, "NAME.h5", "a result; h5py, xarray, R and MATLAB read it");
    print_entry(stream, "NAME.h5.lock", "keeps a second writer away while a run lasts");
    print_entry(stream, "NAME.h5.crash", "the points that were in hand when a process crashed");
    print_entry(stream, "NAME.h5.candidates", "what an interrupted cohort has finished");
    fputs(".SH SEE ALSO\n.BR mpirun (1),\n.BR srun (1),\n.BR h5dump (1)\n", stream);
}

void ks_man_print(FILE *stream) {
    const struct ks_command *command;
    fprintf(stream,
            ".\\\" Written by `ketsweep help --man`.\n.TH KETSWEEP 1 %s \"ketsweep %s\" \"User Commands\"\n",
            KS_DATE, KS_VERSION);
    fputs(".SH NAME\nketsweep \\- campaigns of ketamine\\-assisted psychotherapy in one file\n"
          ".SH SYNOPSIS\n.B ketsweep\n.I COMMAND\n.RI [ ARGUMENT ]\n.RI [ OPTION ]...\n.br\n"
          ".B ketsweep help\n.RI [ COMMAND ]\n.br\n.B ketsweep \\-\\-version\n.SH DESCRIPTION\n",
          stream);
    print_line(stream, "",
               "A campaign is a configuration, in the language of libconfig, of one mechanistic model of "
               "ketamine-assisted psychotherapy: what is done to patients, what varies, which points of that "
               "space are simulated, and what is kept. `ketsweep show config` prints one with every key. "
               "Results go to one HDF5 file. Standard output carries results, standard error progress and "
               "messages. Every command takes --help.");
    fputs(".SH COMMANDS\n", stream);
    for (int i = 0; (command = ks_command_at(i)) != NULL; i++) print_command(stream, command);
    print_surroundings(stream);
}
