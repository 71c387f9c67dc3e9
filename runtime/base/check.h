/* runtime/base/check.h: broken invariants, which are our own bugs.
 *
 * CHECK holds in every build (NDEBUG is never defined). A failure prints file, line and expression
 * on stderr and aborts, always before anything of the turn at hand is committed. Never use it on
 * what came from outside.
 */
#ifndef GITTERD_BASE_CHECK_H
#define GITTERD_BASE_CHECK_H

#define CHECK(cond)                                                                                \
    ((cond) ? (void)0 : check_failed(__FILE__, __LINE__, __extension__ __func__, #cond))

/* Prints and aborts; use through CHECK. */
_Noreturn void check_failed(const char *file, int line, const char *function, const char *what);

#endif
