#include "runtime/daemon/doctor.h"

#include "runtime/base/buf.h"
#include "runtime/base/check.h"
#include "runtime/curl_loop.h"
#include "runtime/daemon/doctor_parts.h"

#include <ev.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>

enum {
    LINE_BYTES_MAX = 1024
};

/* Secrets get into the wrong places by mistake: a token in the field of a name, say. */
static struct slice hide_secret(struct doctor *doctor, struct slice line, struct slice secret)
{
    struct buf out;
    buf_init(&out, doctor->arena);
    while (secret.len > 0) {
        const size_t at = slice_find(line, secret);
        if (at == line.len) {
            break;
        }
        buf_put(&out, slice_first(line, at));
        BUF_PUT(&out, "***");
        line = slice_from(line, at + secret.len);
    }
    buf_put(&out, line);
    return buf_slice(&out);
}

static struct slice hide_secrets(struct doctor *doctor, struct slice line)
{
    const struct config *config = doctor->config;
    const struct slice secrets[] = {
        config->unique_secret_key,
        config->matrix_appservice_token,
        config->matrix_homeserver_token,
        config->gitter_oauth_secret,
    };
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++) {
        line = hide_secret(doctor, line, secrets[i]);
    }
    return line;
}

void doctor_say(struct doctor *doctor, enum finding finding, const char *format, ...)
{
    static const char *const words[] = {"ok  ", "warn", "FAIL"};
    char line[LINE_BYTES_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(line, sizeof line, format, args);
    va_end(args);
    for (size_t i = 0; line[i] != '\0'; i++) {
        if ((unsigned char)line[i] < ' ' || line[i] == 0x7f) {
            line[i] = '?';
        }
    }
    const struct slice text = hide_secrets(doctor, slice_from_cstr(line));
    (void)printf("%s %.*s\n", words[finding], SLICE_ARGS(text));
    (void)fflush(stdout); /* a check may take its 10 s: show what is known */
    doctor->counts[finding]++;
}

static void on_call_done(void *context, CURL *easy, CURLcode code)
{
    struct doctor *doctor = context;
    (void)easy;
    doctor->is_call_done = true;
    doctor->call_code = code;
    ev_break(doctor->loop, EVBREAK_ALL);
}

static void run_checks(struct doctor *doctor)
{
    void (*const checks[])(struct doctor * doctor) = {
        doctor_check_files,  doctor_check_database,     doctor_check_tls,
        doctor_check_ports,  doctor_check_registration, doctor_check_homeserver,
        doctor_check_gitter, doctor_check_login_url,
    };
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        checks[i](doctor);
    }
}

int doctor_run(struct arena *arena, const struct doctor_options *options)
{
    struct doctor doctor = {.options = *options, .config = options->config, .arena = arena};
    CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
    (void)signal(SIGPIPE, SIG_IGN);
    doctor.loop = ev_loop_new(EVFLAG_AUTO);
    CHECK(doctor.loop != NULL);
    const struct curl_loop_options calls = {
        .loop = doctor.loop, .done = on_call_done, .context = &doctor};
    if (curl_loop_open(&calls, &doctor.calls) == RC_OK) {
        run_checks(&doctor);
        doctor_close_ports(&doctor);
        curl_loop_close(doctor.calls);
    } else {
        doctor_say(&doctor, FINDING_FAIL,
                   "outgoing calls: libcurl cannot set itself up; see that "
                   "there is memory left");
    }
    ev_loop_destroy(doctor.loop);
    curl_global_cleanup();
    (void)printf("%d ok, %d to look at, %d failed\n", doctor.counts[FINDING_OK],
                 doctor.counts[FINDING_WARN], doctor.counts[FINDING_FAIL]);
    return doctor.counts[FINDING_FAIL] == 0 ? 0 : 1;
}
