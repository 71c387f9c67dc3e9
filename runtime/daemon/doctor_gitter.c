/* Gitter as `gitterd check` sees it: OAuth, REST and Faye, each at its own address. */
#include "codecs/bayeux.h"
#include "codecs/json.h"
#include "codecs/url.h"
#include "runtime/daemon/doctor_parts.h"
#include "runtime/links_url.h"

static struct slice redirect_uri(const struct doctor *doctor)
{
    return url_join(doctor->arena, doctor->config->gitter_login_url, SLICE("callback"));
}

/* OAuth */

static void judge_authorize(struct doctor *doctor, const struct doctor_answer *answer)
{
    const struct slice url = doctor->config->gitter_url;
    const struct slice described = doctor_describe(doctor, answer);
    const struct slice uri = redirect_uri(doctor);
    struct slice to = answer->location;
    const bool is_to_login = slice_ends_with(slice_cut(&to, '?'), SLICE("/login"));
    if (!answer->is_reached) {
        doctor_say(doctor, FINDING_FAIL, "gitter_url %.*s: %.*s; correct it, or wait for Gitter",
                   SLICE_ARGS(url), SLICE_ARGS(described));
    } else if (answer->status == 401) {
        doctor_say(doctor, FINDING_FAIL,
                   "OAuth application: Gitter does not know gitter_oauth_key, or not with our "
                   "redirect URI; register exactly %.*s for it on Gitter's developer page",
                   SLICE_ARGS(uri));
    } else if (answer->status == 200) {
        doctor_say(doctor, FINDING_OK, "gitter_url %.*s: lets people log in with redirect URI %.*s",
                   SLICE_ARGS(url), SLICE_ARGS(uri));
    } else if (answer->status == 302 && is_to_login) {
        /* only now would Gitter compare the URI: what it thinks of it stays unknown */
        doctor_say(doctor, FINDING_OK,
                   "gitter_url %.*s: asks people to sign in; only then it compares the redirect "
                   "URI, so see that exactly %.*s is registered",
                   SLICE_ARGS(url), SLICE_ARGS(uri));
    } else {
        doctor_say(doctor, FINDING_FAIL,
                   "gitter_url %.*s: %.*s is not what Gitter's login/oauth/authorize answers; let "
                   "it name Gitter's web pages, without a path of the API",
                   SLICE_ARGS(url), SLICE_ARGS(described));
    }
}

static bool check_authorize(struct doctor *doctor)
{
    struct buf query;
    buf_init(&query, doctor->arena);
    url_form_put(&query, SLICE("client_id"), doctor->config->gitter_oauth_key);
    url_form_put(&query, SLICE("response_type"), SLICE("code"));
    url_form_put(&query, SLICE("redirect_uri"), redirect_uri(doctor));
    const struct slice page =
        url_join(doctor->arena, doctor->config->gitter_url, SLICE("login/oauth/authorize"));
    const struct doctor_call call = {
        .url = arena_printf(doctor->arena, "%.*s?%.*s", SLICE_ARGS(page),
                            SLICE_ARGS(buf_slice(&query))),
    };
    const struct doctor_answer answer = doctor_ask(doctor, &call);
    judge_authorize(doctor, &answer);
    return answer.is_reached;
}

/* Gitter looks at key and secret first: 401 if it does not know them, 403 for a code that it never
 * gave. */
static void check_client(struct doctor *doctor)
{
    const struct config *config = doctor->config;
    struct buf form;
    buf_init(&form, doctor->arena);
    url_form_put(&form, SLICE("client_id"), config->gitter_oauth_key);
    url_form_put(&form, SLICE("client_secret"), config->gitter_oauth_secret);
    url_form_put(&form, SLICE("code"), SLICE("gitterd-check"));
    url_form_put(&form, SLICE("redirect_uri"), redirect_uri(doctor));
    url_form_put(&form, SLICE("grant_type"), SLICE("authorization_code"));
    const struct doctor_call call = {
        .method = SLICE("POST"),
        .url = url_join(doctor->arena, config->gitter_url, SLICE("login/oauth/token")),
        .content_type = SLICE("application/x-www-form-urlencoded"),
        .body = buf_slice(&form),
    };
    const struct doctor_answer answer = doctor_ask(doctor, &call);
    if (answer.is_reached && answer.status == 403) {
        doctor_say(doctor, FINDING_OK,
                   "gitter_oauth_key and gitter_oauth_secret: Gitter knows "
                   "them");
    } else if (answer.is_reached && answer.status == 401) {
        doctor_say(doctor, FINDING_FAIL,
                   "gitter_oauth_key: Gitter does not know it, or not with gitter_oauth_secret; "
                   "copy both from the application on Gitter's developer page");
    } else {
        const struct slice described = doctor_describe(doctor, &answer);
        doctor_say(doctor, FINDING_FAIL,
                   "gitter_oauth_key: Gitter did not say whether it knows it: %.*s; see that "
                   "gitter_url is right, and try again later",
                   SLICE_ARGS(described));
    }
}

/* REST: who has no token is refused, in JSON. */
static void check_rest(struct doctor *doctor)
{
    const struct slice base = doctor->config->gitter_api_url;
    const struct doctor_call call = {.url = url_join(doctor->arena, base, SLICE("user"))};
    const struct doctor_answer answer = doctor_ask(doctor, &call);
    const struct slice described = doctor_describe(doctor, &answer);
    struct json *body = NULL;
    const bool is_json =
        json_parse(doctor->arena, answer.body, &body) == RC_OK && json_is_object(body);
    if (!answer.is_reached) {
        doctor_say(doctor, FINDING_FAIL,
                   "gitter_api_url %.*s: %.*s; correct it, or wait for Gitter", SLICE_ARGS(base),
                   SLICE_ARGS(described));
    } else if ((answer.status == 401 || answer.status == 403) && is_json) {
        doctor_say(doctor, FINDING_OK, "gitter_api_url %.*s: answers", SLICE_ARGS(base));
    } else if (answer.status == 404) {
        doctor_say(doctor, FINDING_FAIL,
                   "gitter_api_url %.*s: there is no such interface (status 404); it ends in /v1, "
                   "as in https://HOST/api/v1",
                   SLICE_ARGS(base));
    } else {
        doctor_say(doctor, FINDING_FAIL,
                   "gitter_api_url %.*s: %.*s%s is not what Gitter's REST interface answers; "
                   "correct it, or wait for Gitter",
                   SLICE_ARGS(base), SLICE_ARGS(described), is_json ? "" : " without JSON");
    }
}

/* Faye */

/* True if a Faye server that wants a token, as Gitter's does, is there. */
static bool judge_handshake(struct doctor *doctor, const struct doctor_answer *answer)
{
    const struct slice url = doctor->config->gitter_faye_url;
    const struct slice described = doctor_describe(doctor, answer);
    struct bayeux_message *messages = NULL;
    size_t count = 0;
    if (!answer->is_reached) {
        doctor_say(doctor, FINDING_FAIL,
                   "gitter_faye_url %.*s: %.*s; correct it, or wait for "
                   "Gitter",
                   SLICE_ARGS(url), SLICE_ARGS(described));
    } else if (answer->status == 404) {
        doctor_say(doctor, FINDING_FAIL,
                   "gitter_faye_url %.*s: nothing is there (status 404); its path is /bayeux "
                   "unless the server says otherwise",
                   SLICE_ARGS(url));
    } else if (answer->status != 200 ||
               bayeux_parse(doctor->arena, answer->body, &messages, &count) != RC_OK ||
               count == 0) {
        doctor_say(doctor, FINDING_FAIL,
                   "gitter_faye_url %.*s: what answers there (%.*s) does not speak Bayeux; "
                   "correct it, or wait for Gitter",
                   SLICE_ARGS(url), SLICE_ARGS(described));
    } else if (messages[0].error_code != 401) {
        doctor_say(doctor, FINDING_FAIL,
                   "gitter_faye_url %.*s: a Faye server that does not ask for a token, so it is "
                   "not Gitter's; correct it",
                   SLICE_ARGS(url));
    } else {
        return true;
    }
    return false;
}

static void check_websocket(struct doctor *doctor, struct slice base)
{
    const struct slice url = doctor->config->gitter_faye_url;
    const struct doctor_call call = {.url = base, .is_upgrade = true};
    const struct doctor_answer answer = doctor_ask(doctor, &call);
    if (answer.is_reached && answer.status == 101) {
        doctor_say(doctor, FINDING_OK, "gitter_faye_url %.*s: answers, over WebSocket too",
                   SLICE_ARGS(url));
        return;
    }
    const struct slice described = doctor_describe(doctor, &answer);
    doctor_say(doctor, FINDING_FAIL,
               "gitter_faye_url %.*s: gives no WebSocket: %.*s; let the proxy in front of Gitter "
               "pass the headers Upgrade and Connection on",
               SLICE_ARGS(url), SLICE_ARGS(described));
}

static void check_faye(struct doctor *doctor)
{
    struct links_url url;
    if (links_url_parse(doctor->config->gitter_faye_url, &url) != RC_OK) {
        doctor_say(doctor, FINDING_FAIL,
                   "gitter_faye_url: is no URL, so that nothing would come from Gitter; "
                   "it looks like wss://HOST/bayeux");
        return;
    }
    const struct doctor_call call = {
        .method = SLICE("POST"),
        .url = slice_from_cstr(url.base),
        .content_type = SLICE("application/json"),
        .body = bayeux_handshake(doctor->arena, 1, SLICE_EMPTY, SLICE("gitterd")),
    };
    const struct doctor_answer answer = doctor_ask(doctor, &call);
    if (judge_handshake(doctor, &answer)) {
        check_websocket(doctor, slice_from_cstr(url.base));
    }
    links_url_clear(&url);
}

/* The service answers a stranger with a refusal; whoever answers otherwise is not it. */
static void check_stream(struct doctor *doctor)
{
    const struct slice url = doctor->config->gitter_stream_url;
    const struct doctor_call call = {
        .method = SLICE("GET"),
        .url = arena_printf(doctor->arena, "%.*s/rooms/000000000000000000000000/chatMessages",
                            SLICE_ARGS(url)),
    };
    const struct doctor_answer answer = doctor_ask(doctor, &call);
    if (answer.is_reached && (answer.status == 401 || answer.status == 403)) {
        doctor_say(doctor, FINDING_OK, "gitter_stream_url %.*s: answers", SLICE_ARGS(url));
        return;
    }
    const struct slice described = doctor_describe(doctor, &answer);
    doctor_say(doctor, FINDING_FAIL,
               "gitter_stream_url %.*s: %.*s; it is the stream service's address, /v1 included",
               SLICE_ARGS(url), SLICE_ARGS(described));
}

static void check_live_channel(struct doctor *doctor)
{
    if (doctor->config->gitter_faye_url.len > 0) {
        check_faye(doctor);
    } else if (doctor->config->gitter_stream_url.len > 0) {
        check_stream(doctor);
    } else {
        doctor_say(doctor, FINDING_WARN,
                   "gitter_faye_url and gitter_stream_url: both are empty, so that rooms are only "
                   "read twice a minute; the first looks like wss://HOST/bayeux");
    }
}

void doctor_check_gitter(struct doctor *doctor)
{
    if (check_authorize(doctor)) {
        check_client(doctor);
    }
    check_rest(doctor);
    check_live_channel(doctor);
}
