/* The page around the data: src/report/page, put together and made part of the program by the Makefile. */
#ifndef KS_REPORT_PAGE_H
#define KS_REPORT_PAGE_H

#include <stddef.h>

extern const unsigned char ks_page_bytes[];
extern const size_t ks_page_size;

/* Where the data go in: after so many bytes. */
size_t ks_page_place(void);

#endif
