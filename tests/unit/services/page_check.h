/* page_check: whether a page is well-formed and stands alone: what is opened is closed, in order,
 * attributes are quoted, and nothing in it reaches for a network. */
#ifndef OUTCRY_UNIT_SERVICES_PAGE_CHECK_H
#define OUTCRY_UNIT_SERVICES_PAGE_CHECK_H

#include <stdbool.h>
#include <stddef.h>

enum { PAGE_ERROR_SIZE = 256 };

/* False, with what is wrong. */
bool page_check(const char *page, char error[PAGE_ERROR_SIZE]);

/* How often words stand in it. */
size_t page_count(const char *page, const char *words);

#endif
