#include "runtime/base/check.h"

#include <stdio.h>
#include <stdlib.h>

void check_failed(const char *file, int line, const char *function, const char *what)
{
    (void)fprintf(stderr, "gitterd: %s:%d: %s: broken invariant: %s\n", file, line, function, what);
    abort();
}
