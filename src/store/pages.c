/* Tables as commands that show them want them: read whole, compared in size, freed together. */
#include "store/pages.h"

#include "base/error.h"

#include <inttypes.h>
#include <stdlib.h>

int ks_pages_open(struct ks_pages *pages, const char *path, const char *group) {
    pages->path = path;
    KS_TRY(ks_tables_check(path, group));
    return ks_tables_open(&pages->file, path, group);
}

void ks_pages_close(struct ks_pages *pages) {
    for (int i = 0; i < pages->n; i++) {
        char **texts = pages->pages[i].data;
        for (uint64_t k = 0; pages->pages[i].type == KS_TABLE_TEXT && k < pages->pages[i].extent[0]; k++)
            free(texts[k]);
        free(pages->pages[i].data);
    }
    ks_tables_close(&pages->file);
    pages->n = 0;
}

int ks_pages_read(struct ks_pages *pages, const char *name, enum ks_table_type type, int n_axes,
                  const struct ks_page **page) {
    struct ks_page *next = &pages->pages[pages->n];
    KS_ASSERT(pages->n < KS_MOST_PAGES);
    *next = (struct ks_page){.name = name, .type = type, .n_axes = n_axes};
    KS_TRY(ks_tables_read(pages->file, name, type, n_axes, next->extent, &next->data));
    pages->n++;
    *page = next;
    return KS_OK;
}

int ks_pages_match(const struct ks_pages *pages, const struct ks_page *page, uint64_t a, uint64_t b,
                   uint64_t c) {
    const uint64_t wanted[] = {a, b, c};
    bool is_empty = a == 0 || b == 0 || c == 0;
    KS_CHECK(page->data != NULL || is_empty, KS_ERR_FORMAT, "%s has no dataset %s", pages->path, page->name);
    for (int i = 0; i < page->n_axes && page->data != NULL; i++)
        KS_CHECK(page->extent[i] == wanted[i], KS_ERR_FORMAT,
                 "%s: %s has %" PRIu64 " rows along axis %d where %" PRIu64 " are expected", pages->path,
                 page->name, page->extent[i], i, wanted[i]);
    return KS_OK;
}
