/* When to stop: a signal to some rank, or the end of the time. Whichever rank is signalled tells rank 0, which tells
 * all; every rank asks between slices, and the solvers once in a while, so that it gets to know within a moment. */
#include "app/app_impl.h"
#include "base/agree.h"
#include "base/error.h"

#include <math.h>

enum { TAG_ASK = 1, TAG_TELL }; /* both carry the number of the signal; 0: the time */

/* Tiles in hand are finished within this time, or dropped. SIGTERM to mpirun leaves its ranks about a second. */
static const double grace_seconds = 2.5;

/* What is left to the end of the program after its last commit. */
static const double closing_seconds = 2;

enum { STEPS_PER_QUESTION = 64 }; /* of a solver: some milliseconds */

/* Time between two looks for messages: where ranks share cores, MPI gives the core away at each. */
static const double look_seconds = 0.05;

int ks_stop_create(struct ks_stop *stop, MPI_Comm comm) {
    *stop = (struct ks_stop){.comm = MPI_COMM_NULL, .deadline = INFINITY, .asked = INFINITY};
    KS_MPI(MPI_Comm_dup(comm, &stop->comm));
    KS_MPI(MPI_Comm_rank(stop->comm, &stop->rank));
    KS_MPI(MPI_Comm_size(stop->comm, &stop->size));
    return KS_OK;
}

/* ---- time --------------------------------------------------------------------------------------------------- */

void ks_stop_limit(struct ks_stop *stop, double start, double limit_seconds) {
    stop->begin = start;
    if (stop->rank != 0) return;
    double now = MPI_Wtime();
    stop->deadline =
        fmin(limit_seconds > 0 ? start + limit_seconds : INFINITY, now + ks_slurm_seconds_left());
}

void ks_stop_learn_commit(struct ks_stop *stop, double seconds) {
    stop->commit_seconds = fmax(stop->commit_seconds, seconds);
}

/* A short time is halved: something must be done in each. */
static bool is_time_up(const struct ks_stop *stop) {
    double margin = grace_seconds + 2 * stop->commit_seconds + closing_seconds;
    margin = fmin(margin, 0.5 * (stop->deadline - stop->begin));
    return MPI_Wtime() >= stop->deadline - margin;
}

/* ---- messages ----------------------------------------------------------------------------------------------- */

/* MPI's errors show elsewhere soon enough. */
static bool receive(struct ks_stop *stop, int tag, int *signal) {
    int is_there = 0;
    MPI_Iprobe(MPI_ANY_SOURCE, tag, stop->comm, &is_there, MPI_STATUS_IGNORE);
    if (is_there) MPI_Recv(signal, 1, MPI_INT, MPI_ANY_SOURCE, tag, stop->comm, MPI_STATUS_IGNORE);
    return is_there;
}

static void note(struct ks_stop *stop, int signal) {
    stop->signal = signal;
    stop->asked = MPI_Wtime();
    stop->grace = signal != 0 && ks_signals_is_urgent(signal) ? 0 : grace_seconds;
}

static void lead(struct ks_stop *stop) {
    int signal = ks_signals_stop();
    bool is_asked = signal != 0 || receive(stop, TAG_ASK, &signal) || is_time_up(stop);
    if (!is_asked) return;
    note(stop, signal);
    for (int i = 1; i < stop->size; i++) MPI_Send(&signal, 1, MPI_INT, i, TAG_TELL, stop->comm);
}

static void follow(struct ks_stop *stop) {
    int signal = ks_signals_stop();
    if (signal != 0 && !stop->has_asked) {
        stop->has_asked = true;
        MPI_Send(&signal, 1, MPI_INT, 0, TAG_ASK, stop->comm);
    }
    if (receive(stop, TAG_TELL, &signal)) note(stop, signal);
}

enum ks_farm_urgency ks_stop_urgency(struct ks_stop *stop) {
    if (stop->is_on && isinf(stop->asked)) {
        if (stop->rank == 0)
            lead(stop);
        else
            follow(stop);
    }
    return isinf(stop->asked)                         ? KS_FARM_GO
           : MPI_Wtime() - stop->asked >= stop->grace ? KS_FARM_DROP
                                                      : KS_FARM_FINISH;
}

bool ks_stop_is_dropped(void *self) {
    struct ks_stop *stop = self;
    if (++stop->n_questions % STEPS_PER_QUESTION != 0 && isinf(stop->asked)) return false;
    double now = MPI_Wtime();
    if (now - stop->looked < look_seconds && ks_signals_stop() == 0) return false;
    stop->looked = now;
    return ks_stop_urgency(stop) == KS_FARM_DROP;
}

/* ---- the end ------------------------------------------------------------------------------------------------ */

/* Takes the messages that nobody has asked for. */
static int drain(struct ks_stop *stop) {
    int own[2] = {stop->has_asked, stop->rank == 0 && !isinf(stop->asked)}, all[2], signal;
    KS_MPI(MPI_Allreduce(own, all, 2, MPI_INT, MPI_SUM, stop->comm));
    if (stop->rank != 0 && all[1] > 0 && isinf(stop->asked)) {
        KS_MPI(MPI_Recv(&signal, 1, MPI_INT, 0, TAG_TELL, stop->comm, MPI_STATUS_IGNORE));
        note(stop, signal);
    }
    for (int is_there = 1; stop->rank == 0 && is_there;) is_there = receive(stop, TAG_ASK, &signal);
    return KS_OK;
}

int ks_stop_release(struct ks_stop *stop) {
    if (stop->comm == MPI_COMM_NULL) return KS_OK;
    int err = drain(stop);
    MPI_Comm_free(&stop->comm);
    return err;
}
