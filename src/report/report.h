/* A result file as one self-contained page: the data of the page as JSON (its names and shapes: README.md), within a page
 * that is part of the program.
 *
 * The same file gives the same bytes. Memory does not depend on the number of rows. */
#ifndef KS_REPORT_REPORT_H
#define KS_REPORT_REPORT_H

#include "base/error.h"

#include <stdbool.h>
#include <stdio.h>

/* Writes the page of a campaign, complete or not, a cohort or a trial. Errors of the stream stay in it. One process calls
 * it, without MPI. */
int ks_report_write(FILE *stream, const char *path);

/* The data alone. */
int ks_report_write_data(FILE *stream, const char *path);

/* Whether a file begins as pages do. */
bool ks_report_is_page(FILE *stream);

#endif
