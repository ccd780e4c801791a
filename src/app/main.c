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

static void print_version(void) {
    unsigned major, minor, release;
    char mpi[MPI_MAX_LIBRARY_VERSION_STRING] = "", model[17];
    int length;
    H5get_libversion(&major, &minor, &release);
    MPI_Get_library_version(mpi, &length); /* allowed before MPI_Init */
    mpi[strcspn(mpi, ",\n")] = '\0';
    char *word = strstr(mpi, "Version:\t"); /* MPICH's */
    if (word != NULL) memmove(word, word + 9, strlen(word + 9) + 1);
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

static int run_command(int argc, char **argv) {
    struct ks_arguments arguments;
    const struct ks_command *command = NULL;
    KS_TRY(ks_help_find(argv[1], &command));
    int status = ks_arguments_parse(argc - 2, argv + 2, command, &arguments);
    if (status == KS_OK && arguments.wants_help)
        ks_help_print_command(stdout, command);
    else if (status == KS_OK)
        status = command->run(&arguments);
    ks_arguments_release(&arguments);
    return status;
}

static int dispatch(int argc, char **argv) {
    if (argc < 2) {
        ks_help_print_overview(stderr);
        return KS_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        ks_help_print_overview(stdout);
        return 0;
    }
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
