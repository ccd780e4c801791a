/* ketsweep: dispatches to the subcommands; the only place that decides exit statuses.
 *
 * 0 done; 1 the run could not go on; 2 the command line or configuration is wrong; 3 stopped, after committing. */
#include "app/app_impl.h"
#include "base/build_info.h"
#include "base/error.h"

#include <hdf5.h>
#include <libconfig.h>
#include <stdlib.h>
#include <string.h>

static const struct ks_command *const commands[] = {
    &ks_command_run,    &ks_command_check,  &ks_command_simulate,    &ks_command_show,   &ks_command_status,
    &ks_command_export, &ks_command_verify, &ks_command_sensitivity, &ks_command_cohort, &ks_command_trial,
    &ks_command_merge,  &ks_command_submit, &ks_command_report,
};
enum { N_COMMANDS = sizeof commands / sizeof commands[0] };

static const struct ks_command *find_command(const char *name) {
    for (int i = 0; i < N_COMMANDS; i++)
        if (strcmp(commands[i]->name, name) == 0) return commands[i];
    return NULL;
}

static void print_overview(FILE *stream) {
    fprintf(stream, "ketsweep simulates campaigns of ketamine-assisted psychotherapy into one HDF5 file.\n\n"
                    "usage: ketsweep COMMAND [ARGUMENT] [OPTION]...\n\n");
    for (int i = 0; i < N_COMMANDS; i++)
        fprintf(stream, "  %-11s %-8s %s\n", commands[i]->name, commands[i]->operand, commands[i]->summary);
    fprintf(stream, "  %-11s %-8s %s\n  %-11s %-8s %s\n\n", "help", "COMMAND",
            "how a command is used, with an example", "--version", "",
            "this program and what it was built with");
    fprintf(stream, "Try: mpirun ketsweep run configs/demo.cfg -o demo.h5\n");
}

static void print_help(FILE *stream, const struct ks_command *command) {
    fprintf(stream, "ketsweep %s %s\n  %s\n\n%s", command->name, command->operand, command->summary,
            command->help);
}

static void print_version(void) {
    unsigned major, minor, release;
    char mpi[MPI_MAX_LIBRARY_VERSION_STRING] = "", model[17];
    int length;
    H5get_libversion(&major, &minor, &release);
    MPI_Get_library_version(mpi, &length); /* allowed before MPI_Init */
    mpi[strcspn(mpi, ",\n")] = '\0';
    ks_model_version(model);
    printf("ketsweep %s%s%s\n", KS_VERSION, ks_build_commit[0] ? " commit " : "", ks_build_commit);
    printf("model version %s, format version 1\n", model);
    printf("built by %s with %s\n", ks_build_compiler, ks_build_flags);
    printf("lanes compiled:");
    for (int lanes = 1; lanes <= 64; lanes *= 2)
        if (ks_model_equations(lanes) != NULL) printf(" %d", lanes);
    printf("; rosenbrock uses %d here, cvode 1\n", ks_build_info_widest_lanes());
    printf("%s; HDF5 %u.%u.%u; libconfig %d.%d.%d\n", mpi, major, minor, release, LIBCONFIG_VER_MAJOR,
           LIBCONFIG_VER_MINOR, LIBCONFIG_VER_REVISION);
}

/* `ketsweep help [COMMAND]`. */
static int help(const char *topic) {
    if (topic == NULL) {
        print_overview(stdout);
        return 0;
    }
    const struct ks_command *command = find_command(topic);
    KS_CHECK(command != NULL, KS_ERR_USAGE, "there is no command \"%s\"; `ketsweep help` lists them", topic);
    print_help(stdout, command);
    return 0;
}

static int run_parsed(const struct ks_command *command, const struct ks_arguments *arguments) {
    if (arguments->wants_help) {
        print_help(stdout, command);
        return 0;
    }
    KS_CHECK(arguments->operand != NULL, KS_ERR_USAGE, "%s needs a %s; `ketsweep help %s` shows how",
             command->name, command->operand, command->name);
    KS_CHECK(arguments->n_operands == 1 || strstr(command->operand, "...") != NULL, KS_ERR_USAGE,
             "%s takes one argument, found \"%s\" and \"%s\"", command->name, arguments->operand,
             arguments->operands[1]);
    return command->run(arguments);
}

static int run_command(int argc, char **argv) {
    struct ks_arguments arguments;
    const struct ks_command *command = find_command(argv[1]);
    KS_CHECK(command != NULL, KS_ERR_USAGE, "there is no command \"%s\"; `ketsweep help` lists them",
             argv[1]);
    int status = ks_arguments_parse(argc - 2, argv + 2, command->name, command->options, &arguments);
    if (status == KS_OK) status = run_parsed(command, &arguments);
    ks_arguments_release(&arguments);
    return status;
}

static int dispatch(int argc, char **argv) {
    if (argc < 2) {
        print_overview(stderr);
        return KS_EXIT_USAGE;
    }
    if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return help(argc > 2 ? argv[2] : NULL);
    if (strcmp(argv[1], "--version") == 0) {
        print_version();
        return 0;
    }
    return run_command(argc, argv);
}

/* Whether this process was started as rank 0, or alone, as far as launchers tell before MPI_Init. */
static bool is_first_rank(void) {
    static const char *const variables[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"};
    for (int i = 0; i < 3; i++) {
        const char *rank = getenv(variables[i]);
        if (rank != NULL) return strcmp(rank, "0") == 0;
    }
    return true;
}

int main(int argc, char **argv) {
    int status = dispatch(argc, argv);
    if (status >= 0) {
        int err = ks_output_close(stdout, NULL); /* on a full disk much is only found out now */
        if (err == KS_OK) return status;
        status = err;
    }
    if (is_first_rank()) ks_error_print(stderr); /* errors after MPI_Init have been printed by then */
    return status == KS_ERR_USAGE ? KS_EXIT_USAGE : KS_EXIT_FAILED;
}
