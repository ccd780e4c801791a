/* The farm: whatever the number of ranks, the memory and the length of rounds, every point is simulated once
 * and committed once, in rounds that follow each other without gap; and an error on one rank ends the run on
 * all. */
#include "mpi_test.h"

#include "base/memory.h"
#include "base/random.h"
#include "farm/farm.h"

#include <stdbool.h>
#include <sys/resource.h>
#include <time.h>

static const uint64_t NO_POINT = UINT64_MAX;

/* A campaign that only counts. */
struct counter {
    struct ks_farm_work work;
    uint64_t first, count;
    int64_t *n_simulated, *n_committed; /* [count] by this rank */
    uint64_t n_kept, next;              /* next: the first point that is not committed */
    uint64_t last_point;                /* tiles of a rank ascend */
    uint64_t n_rounds, n_reports, n_reported, n_done;
    uint64_t bad_point, bad_commit_row; /* fail there */
    uint64_t stop_point;                /* asks to stop there */
    bool is_stopped;
    double stopped_at, grace;
    uint64_t end; /* where the farm says that it stopped */
    bool is_all_bad;
    double seconds;       /* of one point, at most */
    uint64_t most_rounds; /* that it has room for */
    int n_faults;         /* promises that the farm has broken */
};

static void expect(struct counter *counter, bool condition, const char *promise) {
    if (condition) return;
    counter->n_faults++;
    fprintf(stderr, "rank %d: broken: %s\n", test_rank(), promise);
}

#define EXPECT(counter, condition) expect(counter, condition, #condition)

/* As a signal does: from some point on each rank that meets one of them knows that it is to stop, and tells the others
 * through a flag that all ranks of a node would share. */
static enum ks_farm_urgency urgency(void *self) {
    struct counter *c = self;
    int is_there = 0;
    MPI_Iprobe(MPI_ANY_SOURCE, 1, MPI_COMM_WORLD, &is_there, MPI_STATUS_IGNORE);
    if (is_there && !c->is_stopped) {
        c->is_stopped = true;
        c->stopped_at = MPI_Wtime();
    }
    if (!c->is_stopped) return KS_FARM_GO;
    return MPI_Wtime() - c->stopped_at >= c->grace ? KS_FARM_DROP : KS_FARM_FINISH;
}

/* The rank that comes to the point asks all to stop. */
static void ask_to_stop(void) {
    for (int i = 0; i < test_size(); i++) {
        MPI_Request request;
        MPI_Isend(NULL, 0, MPI_BYTE, i, 1, MPI_COMM_WORLD, &request);
        MPI_Request_free(&request);
    }
}

static void sleep_for(double seconds) {
    if (seconds > 0)
        nanosleep(&(struct timespec){(time_t)seconds, (long)(seconds * 1e9) % 1000000000L}, NULL);
}

static int simulate(void *self, uint64_t first, uint64_t *n) {
    struct counter *c = self;
    uint64_t count = *n;
    EXPECT(c, count > 0 && first >= c->next && first >= c->first && first + count <= c->first + c->count);
    EXPECT(c, c->n_kept == 0 || first > c->last_point);
    EXPECT(c, count <= c->work.slice);
    EXPECT(c, c->n_kept + count <= c->work.capacity);
    for (uint64_t i = first; i < first + count; i++) {
        if (urgency(c) == KS_FARM_DROP) {
            count = *n = i - first;
            break;
        }
        KS_CHECK(i != c->bad_point && !c->is_all_bad, KS_ERR_SOLVER, "point %llu fails (this is the test)",
                 (unsigned long long)i);
        if (i == c->stop_point) ask_to_stop();
        c->n_simulated[i - c->first]++;
        sleep_for(c->seconds * ks_random_uniform(1, KS_STREAM_test, i, 0));
    }
    c->n_kept += count;
    if (count > 0) c->last_point = first + count - 1;
    return KS_OK;
}

static int commit(void *self, uint64_t first, uint64_t count) {
    struct counter *c = self;
    uint64_t n_all;
    MPI_Allreduce(&c->n_kept, &n_all, 1, MPI_UINT64_T, MPI_SUM, MPI_COMM_WORLD);
    EXPECT(c, n_all == count || (n_all > count && c->stop_point != NO_POINT));
    EXPECT(c, count > 0 && first == c->next);
    KS_CHECK(first > c->bad_commit_row || first + count <= c->bad_commit_row ||
                 test_rank() != test_size() - 1,
             KS_ERR_IO, "the commit fails (this is the test)");
    for (uint64_t i = first; i < first + count; i++)
        c->n_committed[i - c->first] += c->n_simulated[i - c->first];
    c->next = first + count;
    c->n_kept = 0;
    c->n_rounds++;
    return KS_OK;
}

static uint64_t rounds_left(void *self) {
    struct counter *c = self;
    EXPECT(c, test_rank() == 0 && c->n_rounds < c->most_rounds);
    return c->most_rounds - c->n_rounds;
}

static void report(void *self, const struct ks_farm_progress *progress) {
    struct counter *c = self;
    EXPECT(c, test_rank() == 0 && progress->n_points == c->count);
    EXPECT(c, progress->n_committed >= c->n_reported && progress->n_committed <= progress->n_done);
    EXPECT(c, progress->n_done >= c->n_done && progress->n_done <= progress->n_points);
    EXPECT(c, progress->n_committed == c->next - c->first);
    EXPECT(c, !progress->is_commit || progress->n_done == progress->n_committed);
    if (test_size() == 1) EXPECT(c, progress->n_done == c->next - c->first + c->n_kept);
    c->n_done = progress->n_done;
    c->n_reported = progress->n_committed;
    c->n_reports++;
}

static struct counter make_counter(uint64_t first, uint64_t count, uint64_t capacity, uint64_t slice) {
    struct counter c = {.work = {.simulate = simulate,
                                 .commit = commit,
                                 .rounds_left = rounds_left,
                                 .report = report,
                                 .urgency = urgency,
                                 .capacity = capacity,
                                 .slice = slice},
                        .most_rounds = 65536,
                        .first = first,
                        .count = count,
                        .next = first,
                        .bad_point = NO_POINT,
                        .bad_commit_row = NO_POINT,
                        .stop_point = NO_POINT};
    c.n_simulated = ks_memory_allocate(count, sizeof *c.n_simulated);
    c.n_committed = ks_memory_allocate(count, sizeof *c.n_committed);
    assert_true(c.n_simulated != NULL && c.n_committed != NULL);
    return c;
}

static int run(struct counter *c, double commit_seconds) {
    c->work.self = c;
    c->work.commit_seconds = commit_seconds;
    return ks_farm_run(MPI_COMM_WORLD, c->first, c->count, &c->work, &c->end);
}

static void release(struct counter *c) {
    free(c->n_simulated);
    free(c->n_committed);
}

/* How many of the points were counted exactly once, over all ranks. */
static uint64_t count_once(int64_t *counts, uint64_t n) {
    uint64_t n_once = 0;
    for (uint64_t i = 0; i < n; i += 1000) {
        int length = n - i < 1000 ? (int)(n - i) : 1000;
        MPI_Allreduce(MPI_IN_PLACE, counts + i, length, MPI_INT64_T, MPI_SUM, MPI_COMM_WORLD);
    }
    for (uint64_t i = 0; i < n; i++) n_once += counts[i] == 1;
    return n_once;
}

static void run_and_check(uint64_t first, uint64_t count, uint64_t capacity, uint64_t slice, double seconds,
                          double commit_seconds, uint64_t least_rounds) {
    struct counter c = make_counter(first, count, capacity, slice);
    c.seconds = seconds;
    test_expect_ok(run(&c, commit_seconds));
    uint64_t n_simulated = count_once(c.n_simulated, count), n_committed = count_once(c.n_committed, count);
    release(&c);
    assert_int_equal(c.n_faults, 0);
    assert_int_equal(n_simulated, count);
    assert_int_equal(n_committed, count);
    assert_int_equal(c.next, first + count);
    assert_int_equal(c.end, first + count);
    assert_true(c.n_rounds >= least_rounds);
    if (test_rank() == 0 && count > 0) assert_int_equal(c.n_reported, count);
}

static void test_every_point_once(void **state) {
    (void)state;
    static const double commit_seconds[] = {0, 0.001, 0.05, 1000, 1.0 / 0.0};
    for (size_t i = 0; i < sizeof commit_seconds / sizeof *commit_seconds; i++) {
        run_and_check(0, 3000, 100000, 7, 0, commit_seconds[i], 1);
        run_and_check(1000, 300, 100000, 1, 0.001, commit_seconds[i], 1);
    }
}

static void test_small_memory(void **state) {
    (void)state;
    uint64_t size = (uint64_t)test_size();
    for (uint64_t capacity = 1; capacity < 10; capacity++)
        for (uint64_t slice = 1; slice < 12; slice += 5)
            run_and_check(5, 200, capacity, slice, 0, 1000, (200 + capacity * size - 1) / (capacity * size));
}

static void test_fewer_points_than_ranks(void **state) {
    (void)state;
    for (uint64_t count = 0; count < (uint64_t)test_size() + 2; count++) {
        run_and_check(0, count, 10, 3, 0.001, 1000, count > 0);
        run_and_check(0, count, 10, 3, 0, 0.001, count > 0);
    }
}

/* The end of the range of numbers. */
static void test_largest_points(void **state) {
    (void)state;
    run_and_check(UINT64_MAX - 1000, 1000, UINT64_MAX, UINT64_MAX / 4, 0, 1000, 1);
}

/* A long campaign in short rounds: many rounds, none of them much longer than asked. */
static void test_rounds_by_time(void **state) {
    (void)state;
    run_and_check(0, 200 * (uint64_t)test_size(), 100000, 1, 0.002, 0.02, 2);
}

/* However short the interval: the room for commits lasts to the end, also where the points get slower. */
static void test_room_for_rounds_lasts(void **state) {
    (void)state;
    for (uint64_t most = 1; most < 30; most += 7) {
        struct counter c = make_counter(0, 60 * (uint64_t)test_size(), 100000, 1);
        c.seconds = 0.001;
        c.most_rounds = most;
        test_expect_ok(run(&c, 0));
        release(&c);
        assert_int_equal(c.n_faults, 0);
        assert_int_equal(c.next, c.count);
    }
}

/* With as many points as ranks each rank gets one, although workers ask in advance. */
static void test_few_points_are_spread(void **state) {
    (void)state;
    struct counter c = make_counter(0, (uint64_t)test_size(), 10, 1);
    c.seconds = 0.02;
    test_expect_ok(run(&c, 1000));
    int64_t own = 0;
    for (int i = 0; i < test_size(); i++) own += c.n_simulated[i];
    release(&c);
    assert_int_equal(own, 1);
}

static void test_failing_point_stops_all(void **state) {
    (void)state;
    for (uint64_t trial = 0; trial < 12; trial++) {
        uint64_t count = 400;
        struct counter c = make_counter(0, count, trial % 2 ? 20 : 1000, 1 + trial % 3);
        c.bad_point = ks_random_bits(2, KS_STREAM_test, trial, 0) % count;
        c.seconds = 0.0005;
        int err = run(&c, trial % 3 ? 1000 : 0.01);
        int has_spoken = err == KS_ERR_SOLVER, n_speakers;
        ks_error_clear();
        MPI_Allreduce(&has_spoken, &n_speakers, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
        uint64_t next = c.next;
        release(&c);
        assert_true(err == KS_ERR_SOLVER || err == KS_ERR_REMOTE);
        assert_int_equal(n_speakers, 1);
        assert_true(next <= c.bad_point); /* what was committed before stays, and its round is not */
        assert_int_equal(c.n_faults, 0);
    }
}

/* Each rank fails on the first point that it is given. */
static void test_all_ranks_fail(void **state) {
    (void)state;
    struct counter c = make_counter(0, 400, 1000, 1);
    c.is_all_bad = true;
    int err = run(&c, 1000);
    ks_error_clear();
    release(&c);
    assert_true(err == KS_ERR_SOLVER || err == KS_ERR_REMOTE);
    assert_int_equal(c.n_rounds, 0);
}

/* Only the last rank's commit fails. */
static void test_failing_commit_stops_all(void **state) {
    (void)state;
    struct counter c = make_counter(0, 400, 10, 1);
    c.bad_commit_row = 200;
    int err = run(&c, 1000);
    ks_error_clear();
    release(&c);
    assert_int_equal(err, test_rank() == test_size() - 1 ? KS_ERR_IO : KS_ERR_REMOTE);
    assert_true(c.n_rounds > 0);
    assert_true(c.n_reported <= 200);
}

/* Whoever is asked to stop, and however much time there is: what was committed is a range from the first point on,
 * each point of it once; all ranks agree on its end; and the next run does the rest. */
static void test_stop_and_go_on(void **state) {
    (void)state;
    for (uint64_t trial = 0; trial < 16; trial++) {
        uint64_t count = 600, first = 10;
        struct counter c = make_counter(first, count, trial % 4 == 3 ? 20 : 1000, 1 + trial % 5);
        c.seconds = 0.0005;
        c.grace = trial % 2 ? 0 : 0.02;
        c.stop_point = first + ks_random_bits(3, KS_STREAM_test, trial, 0) % count;
        test_expect_ok(run(&c, trial % 3 ? 1000 : 0.02));
        uint64_t end = c.end, ends[2] = {c.end, ~c.end};
        MPI_Allreduce(MPI_IN_PLACE, ends, 2, MPI_UINT64_T, MPI_MAX, MPI_COMM_WORLD);
        uint64_t next = c.next, n_committed = count_once(c.n_committed, count);
        MPI_Recv(NULL, 0, MPI_BYTE, MPI_ANY_SOURCE, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        int n_faults = c.n_faults;
        release(&c);
        assert_int_equal(n_faults, 0);
        assert_int_equal(ends[0], ~ends[1]);
        assert_int_equal(end, next);
        assert_int_equal(n_committed, end - first);
        if (end < first + count) run_and_check(end, first + count - end, 1000, 3, 0, 1000, 1);
    }
}

/* Asked before the first point: nothing is committed, and nobody waits. */
static void test_stop_at_once(void **state) {
    (void)state;
    struct counter c = make_counter(0, 100, 1000, 1);
    c.is_stopped = true;
    test_expect_ok(run(&c, 1000));
    release(&c);
    assert_int_equal(c.n_faults, 0);
    assert_int_equal(c.n_rounds, 0);
    assert_int_equal(c.end, 0);
}

static double cpu_seconds(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

/* One point that sleeps for 1 s: what all ranks use of the processor meanwhile is waiting. Shown, not judged.
 */
static void test_idle_ranks(void **state) {
    (void)state;
    struct counter c = make_counter(0, 1, 10, 1);
    double seconds = 1 / ks_random_uniform(1, KS_STREAM_test, 0, 0);
    c.seconds = seconds;
    double cpu = -cpu_seconds(), most;
    test_expect_ok(run(&c, 1000));
    cpu += cpu_seconds();
    MPI_Reduce(&cpu, &most, 1, MPI_DOUBLE, MPI_MAX, 0, MPI_COMM_WORLD);
    release(&c);
    if (test_rank() == 0) printf("processor share of an idle rank: at most %.1f %%\n", 100 * most);
}

int main(int argc, char **argv) {
    test_start(&argc, &argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_point_once),
        cmocka_unit_test(test_small_memory),
        cmocka_unit_test(test_fewer_points_than_ranks),
        cmocka_unit_test(test_largest_points),
        cmocka_unit_test(test_rounds_by_time),
        cmocka_unit_test(test_few_points_are_spread),
        cmocka_unit_test(test_room_for_rounds_lasts),
        cmocka_unit_test(test_failing_point_stops_all),
        cmocka_unit_test(test_all_ranks_fail),
        cmocka_unit_test(test_failing_commit_stops_all),
        cmocka_unit_test(test_stop_and_go_on),
        cmocka_unit_test(test_stop_at_once),
        cmocka_unit_test(test_idle_ranks),
    };
    return test_finish(cmocka_run_group_tests(tests, NULL, NULL));
}
