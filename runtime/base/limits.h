/* runtime/base/limits.h: every bound of the process, with its unit and its reason.
 *
 * Reaching one is an outcome with a test, never undefined.
 */
#ifndef GITTERD_BASE_LIMITS_H
#define GITTERD_BASE_LIMITS_H

/* Matrix: user, room and event ids are at most 255 bytes (specification, appendices 4.2). */
#define MATRIX_ID_BYTES_MAX 255
/* Gitter: 4096 UTF-16 units of Markdown in one message. */
#define GITTER_TEXT_UNITS_MAX 4096
/* Matrix: a 65,536 byte event leaves this much for body and HTML after signatures and ids. */
#define MATRIX_BODY_BYTES_MAX (32 * 1024)
#define MATRIX_HTML_BYTES_MAX (28 * 1024)

/* A homeserver transaction of 100 events near the limit is about 20 MB. */
#define HTTP_BODY_BYTES_MAX (32 * 1024 * 1024)
#define HTTP_HEADER_BYTES_MAX (64 * 1024)
/* Bodies of web forms of the login pages. */
#define HTTP_FORM_BYTES_MAX (16 * 1024)
/* What we are ready to read of an answer to a call of ours. */
#define CALL_ANSWER_BYTES_MAX (8 * 1024 * 1024)
#define CALL_BODY_BYTES_MAX (1024 * 1024)

/* Homeservers keep idle connections up to 300 s; closing first would mark us as down. */
#define HTTP_IDLE_MS (320 * 1000)
/* From the first byte of a request to its last header, and between two reads of a body. */
#define HTTP_HEADER_MS (20 * 1000)
#define HTTP_BODY_MS (60 * 1000)

/* One batch of turns: one commit. Others in the loop have their turn every BATCH_MS_MAX; a batch
 * goes on after that for as long as the commit before took, so that a slow disk is asked less often
 * for more, but not for longer than BATCH_GROWN_MS_MAX. */
#define BATCH_TURNS_MAX 1024
#define BATCH_MS_MAX 5
#define BATCH_GROWN_MS_MAX 250
/* Steps (internal messages) of one turn; `invite all` sends one for each room. */
#define TURN_STEPS_MAX 8192

/* Links to Gitter: connections being made at a time (each may hold a resolver thread), the largest
 * message read (a snapshot of some hundred rooms is about 1 MB), the answer to the upgrade, and
 * subscriptions of one link under way (each makes the server read a database). */
#define LINK_STARTS_MAX 32
#define LINK_MESSAGE_BYTES_MAX (8 * 1024 * 1024)
#define LINK_UPGRADE_BYTES_MAX (16 * 1024)
#define LINK_SUBSCRIBES_MAX 8
/* What one link may read before others have their turn. */
#define LINK_READ_BYTES_MAX (256 * 1024)

/* JSON and HTML nesting; Matrix clients show at most 100 levels. */
#define JSON_DEPTH_MAX 64
#define HTML_DEPTH_MAX 100
/* HTML of one message that is looked at: Gitter makes 260 KiB of a formula of 1,500 symbols. */
#define HTML_BYTES_MAX (256 * 1024)
/* Memory for parsing it, 5 MiB for that formula. It also bounds the time, which for elements that
 * are never closed grows with their square: 30,000 of them take a second. */
#define HTML_PARSE_BYTES_MAX (8 * 1024 * 1024)
/* Values of one JSON text; the room list of a user in 5,000 rooms has 300,000. */
#define JSON_NODES_MAX (1024 * 1024)

/* Actors kept in memory after their last message. */
#define ACTORS_CACHED_MAX 4096

_Static_assert(MATRIX_BODY_BYTES_MAX + MATRIX_HTML_BYTES_MAX < 64 * 1024, "one event holds both");
_Static_assert(HTTP_IDLE_MS > 310 * 1000, "longer than any homeserver keeps a connection");

#endif
