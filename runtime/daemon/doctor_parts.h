/* runtime/daemon/doctor_parts.h: what the checks of `gitterd check` share.
 *
 * Thread: one; calls block while the loop runs, so that our own listeners answer meanwhile.
 * Memory: everything lives in the arena of the run.
 */
#ifndef GITTERD_DAEMON_DOCTOR_PARTS_H
#define GITTERD_DAEMON_DOCTOR_PARTS_H

#include "runtime/daemon/doctor.h"

#include <curl/curl.h>

struct curl_loop;
struct ev_loop;
struct http_server;

enum finding {
    FINDING_OK,
    FINDING_WARN,
    FINDING_FAIL,
};

/* One of our ports, while we listen on it. */
struct door {
    struct http_server *server;
    struct slice hs_token; /* empty: the door for browsers */
};

struct doctor {
    struct doctor_options options;
    const struct config *config;
    struct arena *arena;
    struct ev_loop *loop;
    struct curl_loop *calls;
    bool is_call_done;
    CURLcode call_code;
    bool is_running; /* a gitterd holds the database */
    struct door homeserver_door;
    struct door browser_door;
    int counts[FINDING_FAIL + 1];
};

/* Prints one line. Control characters leave as '?', secrets of the configuration as "***". */
void doctor_say(struct doctor *doctor, enum finding finding, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* An outgoing call: 10 s, no proxy, no redirect followed. Empty fields are left out. */
struct doctor_call {
    struct slice method; /* empty: GET */
    struct slice url;
    struct slice bearer;
    struct slice content_type;
    struct slice body;
    bool is_upgrade;      /* asks for a WebSocket and hangs up once it is granted */
    bool is_connect_only; /* TCP alone */
};

struct doctor_answer {
    bool is_reached;    /* there is an answer, whatever it says */
    struct slice error; /* else: why, in libcurl's words */
    int status;
    struct slice location; /* of a redirect, as a whole URL */
    struct slice body;     /* at most 64 KiB of it */
};

struct doctor_answer doctor_ask(struct doctor *doctor, const struct doctor_call *call);
/* What came instead of what was hoped for: libcurl's words, "status 404", "status 301 to URL". */
struct slice doctor_describe(struct doctor *doctor, const struct doctor_answer *answer);

/* The checks, in the order in which they are made. */
void doctor_check_files(struct doctor *doctor);
void doctor_check_database(struct doctor *doctor);
void doctor_check_tls(struct doctor *doctor);
void doctor_check_ports(struct doctor *doctor);
void doctor_check_registration(struct doctor *doctor);
void doctor_check_homeserver(struct doctor *doctor);
void doctor_check_gitter(struct doctor *doctor);
void doctor_check_login_url(struct doctor *doctor);

/* Ends what doctor_check_ports has opened. */
void doctor_close_ports(struct doctor *doctor);

#endif
