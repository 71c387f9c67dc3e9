/* runtime/stream.h: the HTTP stream of one room: its turn to start, its connection, its pauses.
 *
 * Inner part of runtime/streams.h. A stream that is lost comes back by itself after a pause that
 * doubles from one loss to the next and begins anew once a stream has lasted; only an answer that
 * would be the same again (401, 403, 404) is left to whoever listens.
 *
 * Thread: loop thread only. Events come from within libcurl, where handles can be neither added
 *         nor removed: so stream_open and stream_end may be called from anywhere, stream_pump and
 *         stream_close from the loop alone.
 * Memory: the settings and the owner's headers are borrowed for the life of the stream;
 *         stream_open gives, stream_close frees.
 * Units:  times in ms, sizes in bytes.
 */
#ifndef GITTERD_RUNTIME_STREAM_H
#define GITTERD_RUNTIME_STREAM_H

#include "runtime/stream_lines.h"

#include <curl/curl.h>
#include <ev.h>
#include <sys/queue.h>

struct curl_loop;
struct log;
struct stream;
struct stream_owner;

TAILQ_HEAD(stream_queue, stream);

struct stream_events {
    void *context;
    /* 200 has come: what is said from now on arrives. */
    void (*on_open)(void *context, struct stream *stream);
    /* One record, without white space around it and not empty, otherwise as it came. */
    void (*on_record)(void *context, struct stream *stream, struct slice record);
    /* 401, 403 or 404: the stream is over unless it is told otherwise; stream_end is due. */
    void (*on_refused)(void *context, struct stream *stream, int status);
    /* Lost a second time in a row: it may take a while. Tried again in any case. */
    void (*on_away)(void *context, struct stream *stream);
    /* stream_pump is due, from the loop. */
    void (*on_due)(void *context);
};

/* What all streams of a process share; no number is 0. */
struct stream_settings {
    struct ev_loop *loop;
    struct log *log;
    struct curl_loop *curl_loop;
    struct slice base;      /* URL; may end in a slash */
    const char *ca_file;    /* NULL = the system's */
    const char *user_agent; /* NULL = none */
    int64_t connect_ms;
    int64_t silence_ms;
    int64_t retry_first_ms;
    int64_t retry_last_ms;
    int64_t steady_ms;
    size_t record_bytes_max;
    void (*random)(void *context, void *out, size_t len);
    void *random_context;
    struct stream_events events;

    struct stream_queue waiting; /* for their turn to start */
    size_t connecting;
};

enum stream_state {
    STREAM_WAITING,    /* for its turn to start */
    STREAM_CONNECTING, /* name, TCP and TLS; at most LINK_STARTS_MAX at a time */
    STREAM_ASKING,     /* connected, no answer yet */
    STREAM_OPEN,
    STREAM_PAUSED, /* lost, waiting until its pause is over */
    STREAM_OVER,
};

struct stream {
    struct slice channel; /* first: the key it is looked up by */
    struct slice room;
    struct slice owner_name;   /* borrowed; for the log */
    TAILQ_ENTRY(stream) entry; /* for whoever opened it */
    TAILQ_ENTRY(stream) turn;  /* in settings->waiting */
    struct stream_settings *settings;
    struct stream_owner *owner;
    const struct curl_slist *headers;
    enum stream_state state;
    CURL *easy;        /* while it is connecting, asking or open */
    bool is_running;   /* libcurl has the handle */
    long status;       /* of the answer; 0 before */
    struct slice lost; /* why we ended the transfer; empty if we did not */
    char error[CURL_ERROR_SIZE];
    unsigned int failures; /* in a row */
    int64_t opened_ms;     /* monotonic */
    ev_timer timer;        /* the end of a pause, or of our patience */
    struct stream_lines lines;
    char texts[]; /* what the slices point to */
};

/* Whose stream it is: a token of its request, and a name for the log. */
struct stream_whose {
    struct stream_owner *owner;
    struct slice name;
    const struct curl_slist *headers;
};

/* A stream of a room, waiting for its turn. The channel names it to the caller. */
struct stream *stream_open(struct stream_settings *settings,
                           const struct stream_whose *whose,
                           struct slice channel,
                           struct slice room);
/* No event comes any more. */
void stream_end(struct stream *stream);
/* Drops the connection and frees it. */
void stream_close(struct stream *stream);

/* Starts what may start. */
void stream_pump(struct stream_settings *settings);
/* The `done` of settings->curl_loop; the context is not used. */
void stream_on_done(void *context, CURL *easy, CURLcode code);

#endif
