/* What the MPI tests share: every rank runs the same group of tests and asserts for itself; only rank 0 is
 * heard on stdout, and every rank's exit status counts. A test fails on all ranks together only if it ends on
 * all ranks, so the assertions stand after the collective calls of a test, not between them. */
#ifndef KS_TESTS_MPI_TEST_H
#define KS_TESTS_MPI_TEST_H

#include "base/error.h"

#include <mpi.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static inline int test_rank(void) {
    int rank;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    return rank;
}

static inline int test_size(void) {
    int size;
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    return size;
}

static inline void test_abort(void) {
    MPI_Abort(MPI_COMM_WORLD, 1);
}

/* Starts MPI; all but rank 0 lose their stdout. cmocka calls abort() on a failure where the variable is set.
 */
static inline void test_start(int *argc, char ***argv) {
    MPI_Init(argc, argv);
    ks_error_set_abort(test_abort);
    alarm(300);
    if (test_size() > 1) setenv("CMOCKA_TEST_ABORT", "1", 1);
    if (test_rank() != 0 && freopen("/dev/null", "w", stdout) == NULL) MPI_Abort(MPI_COMM_WORLD, 1);
}

/* The exit status of this rank: not 0 if a test failed on any. */
static inline int test_finish(int n_failed) {
    int all;
    MPI_Allreduce(&n_failed, &all, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    if (n_failed > 0) fprintf(stderr, "rank %d: %d tests failed\n", test_rank(), n_failed);
    MPI_Finalize();
    return all > 0;
}

/* Creates a directory for this run of the test and gives all ranks its path. */
static inline void test_make_directory(char *path, size_t size) {
    const char *parent = getenv("TMPDIR");
    snprintf(path, size, "%s/ketsweep-test-XXXXXX", parent != NULL ? parent : "/tmp");
    if (test_rank() == 0 && mkdtemp(path) == NULL) MPI_Abort(MPI_COMM_WORLD, 1);
    MPI_Bcast(path, (int)size, MPI_CHAR, 0, MPI_COMM_WORLD);
}

/* Asserts, after the error's sentence has been shown. */
static inline void test_expect_ok(int err) {
    if (err < 0) ks_error_print(stderr);
    assert_int_equal(err, KS_OK);
}

#endif
