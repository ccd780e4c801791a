/* Holds the page and finds the place of its data. */
#include "report/page.h"

#include "base/error.h"

#include <stdbool.h>
#include <string.h>

const unsigned char ks_page_bytes[] = {
#include "report/page_bytes.h"
};
const size_t ks_page_size = sizeof ks_page_bytes;

size_t ks_page_place(void) {
    static const char element[] = "<script type=\"application/json\" id=\"data\">";
    size_t length = sizeof element - 1;
    for (size_t at = 0; at + length < ks_page_size; at++)
        if (memcmp(ks_page_bytes + at, element, length) == 0) return at + length;
    KS_ASSERT(false); /* the Makefile has looked for it */
    return 0;
}
