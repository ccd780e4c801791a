/* What Slurm's own commands say of jobs, and giving it one. Needs no library of Slurm. */
#include "app/app_impl.h"
#include "base/error.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- commands ----------------------------------------------------------------------------------------------- */

/* What the child does. Exits with 127 where there is no such command. */
static void become(char *const command[], int output, bool is_quiet) {
    dup2(output, STDOUT_FILENO);
    if (is_quiet && freopen("/dev/null", "w", stderr) == NULL) _exit(126);
    execvp(command[0], command);
    _exit(127);
}

static size_t read_all(int descriptor, char *text, size_t size) {
    size_t used = 0;
    while (used + 1 < size) {
        ssize_t n = read(descriptor, text + used, size - 1 - used);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        used += (size_t)n;
    }
    text[used] = '\0';
    return used;
}

/* Runs a command, and takes what it prints, as much as there is room for; its exit status, -1 where it did not start. */
static int run_command(char *const command[], bool is_quiet, char *text, size_t size) {
    int ends[2], status = 0;
    text[0] = '\0';
    fflush(NULL);
    if (pipe(ends) != 0) return -1;
    pid_t child = fork();
    if (child == 0) become(command, ends[1], is_quiet);
    close(ends[1]);
    if (child > 0) read_all(ends[0], text, size);
    close(ends[0]);
    if (child < 0) return -1;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Copies the value of "KEY=VALUE" in a text of such words; up to the end of the line where `is_line`. */
static bool find_value(const char *text, const char *key, bool is_line, char *value, size_t size) {
    size_t length = strlen(key);
    for (const char *at = strstr(text, key); at != NULL; at = strstr(at + 1, key)) {
        bool is_word = (at == text || at[-1] == ' ' || at[-1] == '\n') && at[length] == '=';
        if (!is_word) continue;
        size_t n = strcspn(at + length + 1, is_line ? "\n" : " \n");
        snprintf(value, size, "%.*s", (int)n, at + length + 1);
        return true;
    }
    return false;
}

/* ---- time --------------------------------------------------------------------------------------------------- */

double ks_slurm_parse_duration(const char *text) {
    double parts[4] = {0};
    int n = 0;
    bool has_days = strchr(text, '-') != NULL;
    for (const char *at = text;; at++) {
        char *end;
        if (n == 4 || *at < '0' || *at > '9') return NAN;
        parts[n++] = strtod(at, &end);
        at = end;
        if (*at == '\0') break;
        if (*at != ':' && !(*at == '-' && n == 1)) return NAN;
    }
    /* days-hours[:minutes[:seconds]]; else minutes, minutes:seconds, hours:minutes:seconds */
    if (has_days) return ((parts[0] * 24 + parts[1]) * 60 + parts[2]) * 60 + parts[3];
    return n == 1   ? 60 * parts[0]
           : n == 2 ? 60 * parts[0] + parts[1]
                    : (n == 3 ? (parts[0] * 60 + parts[1]) * 60 + parts[2] : NAN);
}

/* Slurm before 23.02 does not set the variable; squeue knows it also where somebody has changed the limit. */
double ks_slurm_seconds_left(void) {
    char left[64], *end = NULL;
    const char *text = getenv("SLURM_JOB_END_TIME"), *job = getenv("SLURM_JOB_ID");
    if (text != NULL && *text != '\0') {
        double when = strtod(text, &end);
        return *end == '\0' && when > 0 ? when - (double)time(NULL) : INFINITY;
    }
    if (job == NULL || job[strspn(job, "0123456789")] != '\0') return INFINITY;
    char *const command[] = {"squeue", "--noheader", "--format=%L", "--jobs", (char *)job, NULL};
    if (run_command(command, true, left, sizeof left) != 0) return INFINITY;
    left[strcspn(left, "\n")] = '\0';
    double seconds = ks_slurm_parse_duration(left);
    return isnan(seconds) ? INFINITY : seconds;
}

/* ---- jobs --------------------------------------------------------------------------------------------------- */

int ks_slurm_find_job(const char *id, struct ks_slurm_job *job) {
    char text[16384], comment[sizeof job->file];
    *job = (struct ks_slurm_job){0};
    char *const command[] = {"scontrol", "show", "job", (char *)id, NULL};
    int status = run_command(command, true, text, sizeof text);
    KS_CHECK(status != 127, KS_ERR_USAGE, "there is no file %s, and no Slurm here that could know a job %s",
             id, id);
    KS_CHECK(status == 0 && find_value(text, "JobState", false, job->state, sizeof job->state), KS_ERR_USAGE,
             "there is no file %s, and Slurm knows no job %s (it forgets those that ended some minutes ago)",
             id, id);
    find_value(text, "Reason", false, job->reason, sizeof job->reason);
    find_value(text, "RunTime", false, job->run_time, sizeof job->run_time);
    find_value(text, "TimeLimit", false, job->time_limit, sizeof job->time_limit);
    find_value(text, "Restarts", false, job->restarts, sizeof job->restarts);
    find_value(text, "NodeList", false, job->nodes, sizeof job->nodes);
    find_value(text, "NumTasks", false, job->tasks, sizeof job->tasks);
    find_value(text, "ExitCode", false, job->exit_code, sizeof job->exit_code);
    find_value(text, "StdOut", true, job->log, sizeof job->log);
    if (find_value(text, "Comment", true, comment, sizeof comment) && strncmp(comment, "ketsweep:", 9) == 0) {
        size_t n = strlen(comment);
        while (n > 9 && comment[n - 1] == ' ') comment[--n] = '\0';
        snprintf(job->file, sizeof job->file, "%s", comment + 9);
    }
    return KS_OK;
}

int ks_slurm_submit(const char *script, char *id, size_t size) {
    char *const command[] = {"sbatch", "--parsable", (char *)script, NULL};
    int status = run_command(command, false, id, size);
    KS_CHECK(status != 127, KS_ERR_USAGE, "there is no sbatch here; %s is what it would get", script);
    KS_CHECK(status == 0, KS_ERR_USAGE, "sbatch refuses %s", script);
    id[strcspn(id, ";\n")] = '\0'; /* JOB or JOB;CLUSTER */
    return KS_OK;
}

int ks_slurm_count_cpus(const char *partition, long *n_cpus) {
    char text[65536], argument[256];
    long total = 0, n;
    snprintf(argument, sizeof argument, "--partition=%s", partition != NULL ? partition : "");
    char *const one[] = {"sinfo", "--noheader", "--format=%C", argument, NULL};
    char *const any[] = {"sinfo", "--noheader", "--format=%C", NULL};
    *n_cpus = 0;
    int status = run_command(partition != NULL ? one : any, true, text, sizeof text);
    if (status != 0) return KS_OK; /* sbatch will say what is wrong */
    for (const char *line = text; *line != '\0'; line += strcspn(line, "\n"), line += *line == '\n')
        if (sscanf(line, "%*d/%*d/%*d/%ld", &n) == 1 && n > total) total = n;
    KS_CHECK(partition == NULL || total > 0, KS_ERR_USAGE, "Slurm has no partition %s", partition);
    *n_cpus = total;
    return KS_OK;
}
