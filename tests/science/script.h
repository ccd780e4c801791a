/* The published estimators in plain NumPy, tests/science/estimators.py, on the same rows. */
#ifndef KS_TESTS_SCIENCE_SCRIPT_H
#define KS_TESTS_SCIENCE_SCRIPT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

/* x [p][n] columns, y [n], values [n_values]. PYTHON names the interpreter. */
static inline void script_estimate(const char *method, size_t n, size_t p, const double *x, const double *y,
                                   int n_values, double *values) {
    char path[256], command[512];
    const char *folder = getenv("TMPDIR"), *python = getenv("PYTHON");
    double sizes[2] = {(double)n, (double)p};
    snprintf(path, sizeof path, "%s/rows.%d", folder != NULL ? folder : "/tmp", (int)getpid());
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(sizes, sizeof *sizes, 2, file), 2);
    assert_int_equal(fwrite(x, sizeof *x, n * p, file), n * p);
    assert_int_equal(fwrite(y, sizeof *y, n, file), n);
    fclose(file);
    snprintf(command, sizeof command, "%s tests/science/estimators.py %s %s",
             python != NULL ? python : "/usr/bin/python3", method, path);
    FILE *output = popen(command, "r");
    assert_non_null(output);
    int found = 0;
    for (double value; fscanf(output, "%lf", &value) == 1; found++)
        if (found < n_values) values[found] = value;
    assert_int_equal(pclose(output), 0);
    assert_int_equal(found, n_values);
    remove(path);
}

#endif
