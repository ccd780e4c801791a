/* `ketsweep submit`: checks a campaign, chooses ranks and time, writes the batch script beside the output, and submits it. */
#define _XOPEN_SOURCE 700 /* realpath() */
#include "app/app_impl.h"
#include "base/error.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct submission {
    const struct ks_arguments *arguments;
    struct ks_campaign campaign;
    const char *output;
    struct ks_plan plan;
    long n_nodes;                               /* 0: Slurm chooses */
    char program[PATH_MAX], jobs[PATH_MAX];     /* this program, the folder of launch.sh */
    char stem[PATH_MAX], script[PATH_MAX + 16]; /* the output without .h5; beside it */
};

/* ---- what to ask for ---------------------------------------------------------------------------------------- */

static int choose(struct submission *s, double core_seconds) {
    const struct ks_arguments *a = s->arguments;
    double minutes = 0;
    long n_cpus;
    if (a->time != NULL) {
        double seconds = ks_slurm_parse_duration(a->time);
        KS_CHECK(
            seconds >= 60 && isfinite(seconds), KS_ERR_USAGE,
            "--time takes minutes, hours:minutes:seconds or days-hours, one minute at least, found \"%s\"",
            a->time);
        minutes = ceil(seconds / 60);
    }
    if (a->nodes != NULL) {
        char *end;
        s->n_nodes = strtol(a->nodes, &end, 10);
        KS_CHECK(*end == '\0' && s->n_nodes >= 1 && s->n_nodes <= 1000000, KS_ERR_USAGE,
                 "--nodes takes a number of nodes, found \"%s\"", a->nodes);
    }
    KS_TRY(ks_slurm_count_cpus(a->partition, &n_cpus));
    s->plan = ks_plan_job(core_seconds, s->campaign.design.n_points, minutes, (double)n_cpus);
    s->plan.ranks = fmax(s->plan.ranks, (double)s->n_nodes); /* a node without a rank helps nobody */
    return KS_OK;
}

/* Where this program is run from its folder of sources, or as `make install` puts it. */
static int find_places(struct submission *s) {
    ssize_t n = readlink("/proc/self/exe", s->program, sizeof s->program - 1);
    KS_CHECK(n > 0, KS_ERR_IO, "cannot find this program: %s", strerror(errno));
    s->program[n] = '\0';
    static const char *const ways[] = {"../../jobs", "../share/ketsweep/jobs"};
    for (int i = 0; i < 2; i++) {
        char folder[sizeof s->program + 32], launch[sizeof folder + 16];
        int length = (int)(strrchr(s->program, '/') - s->program);
        snprintf(folder, sizeof folder, "%.*s/%s", length, s->program, ways[i]);
        snprintf(launch, sizeof launch, "%s/launch.sh", folder);
        if (access(launch, R_OK) == 0 && realpath(folder, s->jobs) != NULL) return KS_OK;
    }
    return ks_error_raise(KS_ERR_USAGE, __FILE__, __LINE__, "the folder jobs of ketsweep is not beside %s",
                          s->program);
}

static int name_script(struct submission *s) {
    size_t length = strlen(s->output);
    if (length > 3 && strcmp(s->output + length - 3, ".h5") == 0) length -= 3;
    KS_CHECK(length < sizeof s->stem, KS_ERR_USAGE, "the name %s is too long", s->output);
    snprintf(s->stem, sizeof s->stem, "%.*s", (int)length, s->output);
    snprintf(s->script, sizeof s->script, "%s.sbatch", s->stem);
    return KS_OK;
}

/* ---- the script --------------------------------------------------------------------------------------------- */

/* A word for the shell. */
static void print_quoted(FILE *stream, const char *word) {
    fputc('\'', stream);
    for (; *word != '\0'; word++) *word == '\'' ? fputs("'\\''", stream) : fputc(*word, stream);
    fputc('\'', stream);
}

static void print_run(FILE *stream, const struct submission *s) {
    const struct ks_arguments *a = s->arguments;
    fprintf(stream, "run_until_complete run ");
    print_quoted(stream, a->operand);
    if (a->output != NULL) {
        fprintf(stream, " -o ");
        print_quoted(stream, a->output);
    }
    for (int i = 0; i < a->n_overrides; i++) {
        fprintf(stream, " --set ");
        print_quoted(stream, a->overrides[i]);
    }
    fputc('\n', stream);
}

static void print_script(FILE *stream, const struct submission *s) {
    char time[32];
    const char *name = strrchr(s->stem, '/');
    fprintf(stream, "#!/usr/bin/env bash\n# Written by `ketsweep submit`; to be submitted from the folder "
                    "where that was called.\n");
    fprintf(stream, "#SBATCH --job-name=\"%s\"\n", name != NULL ? name + 1 : s->stem);
    if (s->arguments->partition != NULL) fprintf(stream, "#SBATCH --partition=%s\n", s->arguments->partition);
    if (s->n_nodes > 0) fprintf(stream, "#SBATCH --nodes=%ld\n", s->n_nodes);
    fprintf(
        stream,
        "#SBATCH --ntasks=%.0f\n#SBATCH --cpus-per-task=1\n#SBATCH --mem-per-cpu=400M\n#SBATCH --time=%s\n",
        s->plan.ranks, ks_plan_print_time(s->plan.minutes, time));
    fprintf(stream, "#SBATCH --output=\"%s-%%j.log\"\n", s->stem);
    fprintf(stream, "#SBATCH --signal=B:USR1@60\n#SBATCH --requeue\n#SBATCH --open-mode=append\n");
    fprintf(stream, "jobs=");
    print_quoted(stream, s->jobs);
    fprintf(stream, "\nKETSWEEP=");
    print_quoted(stream, s->program);
    fprintf(stream, "\nsource \"$jobs/launch.sh\"\nnote_file ");
    print_quoted(stream, s->output);
    fputc('\n', stream);
    print_run(stream, s);
}

static int write_script(const struct submission *s) {
    FILE *stream = fopen(s->script, "w");
    KS_CHECK(stream != NULL, KS_ERR_USAGE, "cannot write %s: %s", s->script, strerror(errno));
    print_script(stream, s);
    return ks_output_close(stream, s->script);
}

/* ---- the command -------------------------------------------------------------------------------------------- */

static int submit(struct submission *s) {
    double core_seconds;
    char id[64];
    s->output = s->arguments->output != NULL ? s->arguments->output : s->campaign.output_file;
    KS_TRY(name_script(s));
    KS_TRY(find_places(s));
    KS_TRY(ks_check_campaign(&s->campaign, &core_seconds));
    KS_TRY(choose(s, core_seconds));
    KS_TRY(write_script(s));
    printf("\n%s: %.0f rank%s for %.0f min\n", s->script, s->plan.ranks, s->plan.ranks > 1 ? "s" : "",
           s->plan.minutes);
    if (s->arguments->is_dry) {
        printf("not submitted; `sbatch %s` does it\n", s->script);
        return 0;
    }
    KS_TRY(ks_slurm_submit(s->script, id, sizeof id));
    printf("job %s; to follow it:\n  ketsweep status %s\n  tail -f %s-%s.log\n", id, id, s->stem, id);
    return 0;
}

int ks_submit_command(const struct ks_arguments *arguments) {
    struct submission s = {.arguments = arguments};
    KS_TRY(ks_config_load(arguments->operand, arguments->n_overrides, arguments->overrides, true, stderr,
                          &s.campaign));
    int status = submit(&s);
    ks_config_release(&s.campaign);
    return status;
}
