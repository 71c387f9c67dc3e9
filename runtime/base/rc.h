/* runtime/base/rc.h: the one result type of the project.
 *
 * RC_OK is 0. A result must be used (NODISCARD). errno, CURLcode, SQLite and wolfSSL codes become
 * one of these in the function that saw them; what the peer did wrong is a value here, what we did
 * wrong is a CHECK.
 */
#ifndef GITTERD_BASE_RC_H
#define GITTERD_BASE_RC_H

#define NODISCARD __attribute__((warn_unused_result))

/* X(name, what it means to whoever reads a log line) */
#define RC_LIST(X)                                                                                 \
    X(OK, "ok")                                                                                    \
    X(ABSENT, "not there")                                                                         \
    X(AGAIN, "not now, try again later")                                                           \
    X(BAD_INPUT, "malformed input")                                                                \
    X(TOO_BIG, "over a limit")                                                                     \
    X(FULL, "no room left")                                                                        \
    X(IO, "input or output failed")                                                                \
    X(CORRUPT, "stored data is damaged")                                                           \
    X(NEWER, "written by a newer version")                                                         \
    X(BUSY, "held by somebody else")                                                               \
    X(REFUSED, "refused")                                                                          \
    X(TIMEOUT, "timed out")

enum rc {
#define RC_ENUM(name, text) RC_##name,
    RC_LIST(RC_ENUM)
#undef RC_ENUM
};

/* The name ("BAD_INPUT") and the short explanation of a result; static text, never NULL. */
const char *rc_name(enum rc rc);
const char *rc_text(enum rc rc);

#endif
