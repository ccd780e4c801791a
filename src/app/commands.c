/* The commands: the one table from which they are dispatched and parsed, and from which help, the man page and the
 * completions of the shells are written.
 *
 * A command is one row. Its options name rows of the table in arguments.c, which has their values and what they mean;
 * an option without a meaning here means what that table says. Texts are wrapped where they are printed; an empty line
 * parts paragraphs. */
#include "app/app_impl.h"

#include <string.h>

#define OUTPUT_OF_CONFIG "the result (default: output.file of CONFIG)"
#define STOPPED          "stopped by a signal, run.time_limit or the end of the Slurm job; the same command goes on"

static const struct ks_command commands[] = {
    {
        .name = "run",
        .operand = "CONFIG",
        .summary = "simulate every point of a campaign into one HDF5 file",
        .options =
            {{"output", OUTPUT_OF_CONFIG, NULL},
             {"set", NULL, NULL},
             {"overwrite", NULL, NULL},
             {"extend", "the design has grown: keep the rows of the existing file, add the others", NULL},
             {"verify", "check every committed round before going on, not just the last", NULL},
             {"repair", "run the rounds again whose rows have changed since they were written", NULL},
             {"shard",
              "only the Kth of N equal shares of the points, into NAME.K.h5 for NAME.h5; `merge` joins them",
              NULL},
             {"lanes",
              "patients solved at once, 1, 2, 4 or 8 (default: the most that the processor can); no "
              "result depends on it",
              NULL},
             {"max-failed-fraction",
              "exit with 1 if more than this share of the points fails, 0 to 1 (default: 0.01)", NULL},
             {"verify-fraction",
              "solve this share of the points again, by cvode at a hundredth of solver.rtol, and say how far "
              "their endpoints differ, above 0 to 1 (default: none)",
              NULL},
             {"quiet", "no progress, no summary, no warnings", NULL}},
        .notes = "Runs alone, or on many ranks under mpirun or srun. The same command goes on with an "
                 "unfinished file where it left off, on any number of ranks. SIGUSR1, SIGUSR2, SIGTERM, "
                 "SIGINT, run.time_limit or the end of the Slurm job stop it after a last commit. A second "
                 "signal stops it at once; the file stays good.\n\n"
                 "Failed points are rows with a status and NaN endpoints; the campaign goes on. No result "
                 "depends on --lanes, nor on the number of ranks. cvode takes one patient at a time whatever "
                 "--lanes says.\n\n"
                 "Progress goes to standard error: on a terminal one line that is redrawn, in a log a line "
                 "every 30 s. It shows the endpoint run.watch (default: madrs_change_end, or the first), its "
                 "mean over the points so far with a 95 % interval, and for a saltelli design the parameter "
                 "that matters most to it, by its total-order index.",
        .statuses = {"every point is there; failed ones were at most --max-failed-fraction",
                     "the run could not go on, or too many points failed; what was committed stays", NULL,
                     STOPPED},
        .examples = {{"ketsweep run configs/demo.cfg", "in one process"},
                     {"mpirun -n 2 ketsweep run configs/sweep.cfg -o sweep.h5",
                      "in two; on a cluster as many as there are cores"},
                     {"ketsweep run configs/sweep.cfg --set design.points=65536 --extend",
                      "the same study with more points"}},
        .run = ks_run_command,
    },
    {
        .name = "check",
        .operand = "CONFIG",
        .summary = "validate a configuration; print the plan, its cost, and what looks wrong",
        .options = {{"set", NULL, NULL}},
        .notes = "Every fault is reported in one go, with file, line and key. Warnings name what is allowed "
                 "but looks like a mistake, and what to do about it; they do not change the exit status. The "
                 "cost is measured by simulating points of the design for about a second.",
        .statuses = {"the configuration is right", "it could not be tried", NULL, NULL},
        .examples = {{"ketsweep check configs/sweep.cfg --set design.points=65536", NULL}},
        .run = ks_check_command,
    },
    {
        .name = "simulate",
        .operand = "CONFIG",
        .summary = "one patient, one protocol: every state over time, and the endpoints",
        .options = {{"output", "where to (default: standard output)", NULL},
                    {"set", NULL, NULL},
                    {"format",
                     "csv (default): the endpoints as # lines, then time_h and every state; h5: a result "
                     "file with one point",
                     "csv h5"},
                    {"lanes", NULL, NULL}},
        .notes = "Times are those of output.trajectories; without it every hour and every start and end of a "
                 "dose or session. Varied parameters are at their base values.",
        .statuses = {"done", "the patient could not be simulated, or the output not written", NULL, NULL},
        .examples =
            {{"ketsweep simulate configs/single-patient.cfg --set protocol.infusion_dose=1.0 -o patient.csv",
              NULL}},
        .run = ks_simulate_command,
    },
    {
        .name = "show",
        .operand = "TOPIC",
        .summary = "the tables that a configuration can name, with units, defaults, ranges and sources",
        .choices = "parameters states endpoints designs methods distributions models config",
        .options = {{"json", "the same for programs", NULL}},
        .notes = "`show config` prints a configuration with every key, its unit and default.",
        .statuses = {"done", "standard output could not be written", NULL, NULL},
        .examples = {{"ketsweep show parameters", NULL}, {"ketsweep show endpoints --json", NULL}},
        .run = ks_show_command,
    },
    {
        .name = "status",
        .operand = "FILE",
        .summary = "how far a campaign is: rows done, failures by kind, rate, time left, verification",
        .options = {{0}},
        .notes = "FILE may be the number of a job, of jobs/ or of `ketsweep submit`: then also how the job "
                 "is. Works while the job writes the file.",
        .statuses = {"done", "the file could not be read", NULL, NULL},
        .examples = {{"ketsweep status sweep.h5", NULL}, {"ketsweep status 4711", "a job of Slurm"}},
        .run = ks_status_command,
    },
    {
        .name = "export",
        .operand = "FILE",
        .summary = "committed rows as CSV that R and pandas read as it is",
        .options =
            {{"output", "where to (default: standard output)", NULL},
             {"dataset",
              "all (default): inputs, endpoints and status; or one of them, or trajectories; cohort: a line "
              "per patient, which population.file reads; trial: one per patient and arm",
              "all inputs endpoints status trajectories cohort trial"},
             {"format", "the only one (default)", "csv"},
             {"long",
              "ID,ARM,TIME,NAME,VALUE: a line per number, times in h; . where there is no arm or time",
              NULL}},
        .notes = "A line of units, which begins with #, stands above the header.",
        .statuses = {"done", "the file could not be read, or the output not written", NULL, NULL},
        .examples = {{"ketsweep export sweep.h5 -o sweep.csv", NULL},
                     {"ketsweep export sweep.h5 --dataset trajectories --long > long.csv", NULL},
                     {"ketsweep export trd.h5 --dataset cohort -o patients.csv", NULL}},
        .run = ks_export_command,
    },
    {
        .name = "report",
        .operand = "FILE",
        .summary = "one self-contained HTML page of a campaign, a cohort or a trial",
        .options = {{"output", "the page (default: beside FILE, NAME.report.html for NAME.h5)", NULL},
                    {"quiet", "do not say what was written", NULL}},
        .notes = "Works offline in a browser: what was run, progress and failures, the distribution of every "
                 "endpoint, response surfaces, sensitivity, trajectories; of cohorts and trials baseline, "
                 "targets before and after, response and remission, survival, validation. The campaign may "
                 "be unfinished. A page that is there is replaced; another file is not.",
        .statuses = {"done", "the file could not be read, or the page not written", NULL, NULL},
        .examples = {{"ketsweep report sensitivity.h5", NULL},
                     {"ketsweep report murrough.h5 -o for-the-team.html", NULL}},
        .run = ks_report_command,
    },
    {
        .name = "verify",
        .operand = "FILE",
        .summary = "check the checksum of every committed round",
        .options = {{0}},
        .notes = "Says which rows are good. `run --repair` runs the others again.",
        .statuses = {"every row is good",
                     "a row has changed since it was written, or the file could not be read", NULL, NULL},
        .examples = {{"ketsweep verify sweep.h5", NULL}},
        .run = ks_verify_command,
    },
    {
        .name = "sensitivity",
        .operand = "FILE",
        .summary = "what drives the outcomes: indices with 95 % intervals, printed and stored",
        .options = {{"method", "see `ketsweep show methods` (default: the design's own)", NULL},
                    {"bootstrap",
                     "intervals from N resamples of base rows, 20 to 100000 (default: from the "
                     "design's independent scrambles or curves where it has them, else 1000)",
                     NULL},
                    {"separate", "write NAME.sensitivity.h5 instead of FILE", NULL},
                    {"json", "the tables for programs", NULL},
                    {"quiet", "do not say what was written", NULL}},
        .notes = "Runs alone, or on many ranks under mpirun or srun; the numbers do not depend on how many. "
                 "Every endpoint, and every stored state at every stored time, gets its indices in FILE "
                 "under /sensitivity/METHOD; tables show endpoints, and states over their whole course. A "
                 "failed run drops the base rows that it touches, for the parameters that need them.",
        .statuses = {"done", "the file could not be read or written, or has no answer to this", NULL, NULL},
        .examples = {{"ketsweep sensitivity study.h5", NULL},
                     {"mpirun -n 2 ketsweep sensitivity study.h5 --bootstrap 1000 --json", NULL}},
        .run = ks_sensitivity_command,
    },
    {
        .name = "cohort",
        .operand = "CONFIG",
        .summary = "virtual patients: plausible, and selected against published numbers",
        .options = {{"output", OUTPUT_OF_CONFIG, NULL},
                    {"set", NULL, NULL},
                    {"overwrite",
                     "replace an existing file, and what an interrupted run of another study has left", NULL},
                    {"quiet", "no progress, no report, no warnings", NULL},
                    {"lanes", NULL, NULL}},
        .notes = "Runs alone, or on many ranks under mpirun or srun. Simulates the candidates of the section "
                 "population in the arms that bounds (population.accept) and targets ask for, and keeps "
                 "those that are plausible. Targets marked calibration select patients, by weights of "
                 "largest entropy or by acceptance and rejection; those marked validation never do. The same "
                 "command goes on with what an interrupted run has left in FILE.candidates.",
        .statuses = {"the cohort is there", "the run could not go on; finished candidates stay", NULL,
                     STOPPED},
        .examples = {{"mpirun -n 2 ketsweep cohort configs/population-trd.cfg -o trd.h5", NULL},
                     {"ketsweep cohort configs/population-trd.cfg --set population.candidates=1000000",
                      NULL}},
        .run = ks_cohort_command,
    },
    {
        .name = "trial",
        .operand = "CONFIG",
        .summary = "the same patients in every arm: what a trial would show",
        .options = {{"output", OUTPUT_OF_CONFIG, NULL},
                    {"set", NULL, NULL},
                    {"overwrite", NULL, NULL},
                    {"quiet", "no progress, no report, no warnings", NULL},
                    {"lanes", NULL, NULL}},
        .notes =
            "Runs alone, or on many ranks under mpirun or srun. Patients are those of trial.cohort, which "
            "`ketsweep cohort` writes, of a list (population.file), or the first candidates of a population "
            "as they come. Two intervals stand beside each number: what the uncertain constants leave open "
            "(uncertainty), which no number of virtual patients can narrow, and what trials of their own "
            "size would show (replicates). Targets are compared, published beside simulated.",
        .statuses = {"the trial is there",
                     "the run could not go on, or was stopped by a signal, run.time_limit or the end of the "
                     "Slurm job: a trial keeps nothing until its end",
                     NULL, NULL},
        .examples = {{"mpirun -n 2 ketsweep cohort configs/population-trd.cfg -o trd.h5", NULL},
                     {"mpirun -n 2 ketsweep trial configs/trials/murrough2013.cfg -o murrough.h5 --set "
                      "'trial.cohort=\"trd.h5\"'",
                      NULL}},
        .run = ks_trial_command,
    },
    {
        .name = "merge",
        .operand = "SHARD...",
        .summary = "join the files of `run --shard` into the one that a single run would have written",
        .options = {{"output", "the file to write (required)", NULL},
                    {"overwrite", NULL, NULL},
                    {"quiet", "say nothing", NULL}},
        .notes = "All shards must be there, of one campaign, finished, and good by their checksums. Every "
                 "number is then the same as in the file of a single run, bit for bit. The file appears "
                 "under its name when it is whole.",
        .statuses = {"the file is there",
                     "a shard is missing, unfinished or damaged, or the file not written", NULL, NULL},
        .examples = {{"ketsweep merge -o sweep.h5 sweep.*.h5", NULL}},
        .run = ks_merge_command,
    },
    {
        .name = "submit",
        .operand = "CONFIG",
        .summary = "check a campaign, choose ranks and time, and give it to Slurm",
        .options = {{"output", OUTPUT_OF_CONFIG, NULL},
                    {"set", NULL, NULL},
                    {"partition", "where to run; no more ranks than it has processors (default: Slurm's)",
                     NULL},
                    {"time",
                     "a limit as Slurm writes it, such as 90 (min), 01:30:00 or 1-12; ranks are "
                     "chosen for it (default: half an hour)",
                     NULL},
                    {"nodes", "on so many nodes (default: Slurm chooses)", NULL},
                    {"dry-run", "write the script, and do not submit it", NULL}},
        .notes =
            "The script NAME.sbatch lies beside the output. The job stops before its time is up and queues "
            "again until the campaign is complete. jobs/environment.sh holds the modules and the launcher.",
        .statuses = {"submitted, or written with --dry-run", "Slurm does not take it", NULL, NULL},
        .examples = {{"ketsweep submit configs/sweep.cfg --partition short --time 01:00:00", NULL}},
        .run = ks_submit_command,
    },
    {
        .name = "completion",
        .operand = "SHELL",
        .summary = "print what makes a shell complete commands, options, files and keys of --set",
        .choices = "bash zsh",
        .options = {{0}},
        .notes = "`make install` puts both where shells look for them. For one session of bash: the first "
                 "example.",
        .statuses = {"done", "standard output could not be written", NULL, NULL},
        .examples = {{"source <(ketsweep completion bash)", NULL},
                     {"ketsweep completion zsh > ~/.zfunc/_ketsweep", "a folder of $fpath"}},
        .run = ks_completion_command,
    },
    {
        .name = "help",
        .operand = "[COMMAND]",
        .summary = "how a command is used, with examples",
        .options = {{"man", "the whole as the source of a man page", NULL}},
        .notes = "`ketsweep COMMAND --help` prints the same.",
        .statuses = {"done", "standard output could not be written", NULL, NULL},
        .examples = {{"ketsweep help run", NULL},
                     {"ketsweep help --man | man -l -", "without `make install`"}},
        .run = ks_help_command,
    },
};
enum { N_COMMANDS = sizeof commands / sizeof commands[0] };

const struct ks_command *ks_command_at(int i) {
    return i < N_COMMANDS ? &commands[i] : NULL;
}

const struct ks_command *ks_command_find(const char *name) {
    for (int i = 0; i < N_COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0) return &commands[i];
    return NULL;
}

const char *ks_command_nearest(const char *name) {
    const char *names[N_COMMANDS];
    for (int i = 0; i < N_COMMANDS; i++) names[i] = commands[i].name;
    return ks_config_nearest(name, N_COMMANDS, names);
}

const struct ks_use *ks_command_option(const struct ks_command *command, const char *name) {
    static const struct ks_use help = {"help", NULL, NULL};
    for (const struct ks_use *use = command->options; use->name != NULL; use++)
        if (strcmp(use->name, name) == 0) return use;
    return strcmp(name, "help") == 0 ? &help : NULL;
}
