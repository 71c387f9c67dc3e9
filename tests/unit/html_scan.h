/* tests/unit/html_scan.h: a judge of sanitised HTML that shares nothing with what makes it.
 *
 * It knows no HTML but the form that our writer promises: lower-case tags of a list, attributes of
 * a list in double quotes, five references, everything closed in order.
 */
#ifndef GITTERD_TESTS_HTML_SCAN_H
#define GITTERD_TESTS_HTML_SCAN_H

#include "runtime/base/slice.h"

/* NULL if the HTML keeps the promise, else what is wrong with it. */
const char *html_scan(struct slice html);

#endif
