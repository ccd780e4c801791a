/* Datasets of a group of tables (tables.h), each read whole and kept until all are closed. */
#ifndef KS_STORE_PAGES_H
#define KS_STORE_PAGES_H

#include "store/tables.h"

enum { KS_MOST_PAGES = 128 };

struct ks_page {
    const char *name; /* borrowed */
    enum ks_table_type type;
    int n_axes;
    uint64_t extent[KS_TABLE_AXES]; /* 0 where the file has no such dataset */
    void *data;                     /* NULL then */
};

/* Zeroed before it is opened. */
struct ks_pages {
    ks_tables_file *file;
    const char *path; /* borrowed */
    int n;
    struct ks_page pages[KS_MOST_PAGES];
};

/* Checks the file as ks_tables_check() does, and opens it. Closed also after an error. */
int ks_pages_open(struct ks_pages *pages, const char *path, const char *group);
void ks_pages_close(struct ks_pages *pages);

/* The page lives until the pages are closed. */
int ks_pages_read(struct ks_pages *pages, const char *name, enum ks_table_type type, int n_axes,
                  const struct ks_page **page);

/* Whether a page has the extents that others give it, those it lacks being 1; one of no numbers may be missing. */
int ks_pages_match(const struct ks_pages *pages, const struct ks_page *page, uint64_t a, uint64_t b,
                   uint64_t c);

static inline const char *ks_page_text(const struct ks_page *page, uint64_t i) {
    return ((char **)page->data)[i];
}

static inline double ks_page_number(const struct ks_page *page, uint64_t i) {
    return page->type == KS_TABLE_F32 ? (double)((float *)page->data)[i] : ((double *)page->data)[i];
}

static inline uint64_t ks_page_whole(const struct ks_page *page, uint64_t i) {
    return ((uint64_t *)page->data)[i];
}

#endif
