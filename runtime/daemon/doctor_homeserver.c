/* The homeserver as `gitterd check` sees it, and the way back from it to us. */
#include "codecs/ghostid.h"
#include "codecs/json.h"
#include "codecs/matrix.h"
#include "codecs/url.h"
#include "runtime/daemon/doctor_parts.h"
#include "runtime/http.h"

/* The id that our registration has. */
static const struct slice appservice_id = SLICE_INIT("gitterd");

static struct doctor_answer ask(struct doctor *doctor, struct matrix_request request, bool is_ours)
{
    const struct config *config = doctor->config;
    const struct doctor_call call = {
        .method = request.method,
        .url = url_join(doctor->arena, config->matrix_homeserver_url, request.path),
        .bearer = is_ours ? config->matrix_appservice_token : SLICE_EMPTY,
        .content_type = request.body.len > 0 ? SLICE("application/json") : SLICE_EMPTY,
        .body = request.body,
    };
    return doctor_ask(doctor, &call);
}

static struct slice errcode_of(struct doctor *doctor, const struct doctor_answer *answer)
{
    struct matrix_error error = {0};
    (void)!matrix_error_parse(doctor->arena, answer->body, &error);
    return error.errcode;
}

static bool check_versions(struct doctor *doctor)
{
    const struct slice url = doctor->config->matrix_homeserver_url;
    const struct doctor_answer answer = ask(doctor, matrix_versions_request(doctor->arena), false);
    struct json *body = NULL;
    if (!answer.is_reached) {
        doctor_say(doctor, FINDING_FAIL,
                   "homeserver %.*s: %.*s; start it, or correct matrix_homeserver_url",
                   SLICE_ARGS(url), SLICE_ARGS(answer.error));
        return false;
    }
    if (answer.status != 200 || json_parse(doctor->arena, answer.body, &body) != RC_OK ||
        !json_is_array(json_get(body, SLICE("versions")))) {
        doctor_say(doctor, FINDING_FAIL,
                   "homeserver %.*s: what answers there (status %d) is not the client API of a "
                   "homeserver; correct matrix_homeserver_url",
                   SLICE_ARGS(url), answer.status);
        return false;
    }
    doctor_say(doctor, FINDING_OK, "homeserver %.*s: answers", SLICE_ARGS(url));
    return true;
}

static void judge_bot(struct doctor *doctor, struct slice user_id)
{
    const struct config *config = doctor->config;
    struct slice localpart = SLICE_EMPTY;
    struct slice domain = SLICE_EMPTY;
    if (mxid_split(user_id, &localpart, &domain) != RC_OK) {
        doctor_say(doctor, FINDING_FAIL,
                   "bot: the homeserver calls it %.*s, which is no user id; see what answers at "
                   "matrix_homeserver_url",
                   SLICE_ARGS(user_id));
        return;
    }
    if (!slice_equal(domain, config->matrix_homeserver_domain)) {
        doctor_say(doctor, FINDING_FAIL,
                   "matrix_homeserver_domain is %.*s: the homeserver says %.*s; put that into the "
                   "configuration and print the registration anew",
                   SLICE_ARGS(config->matrix_homeserver_domain), SLICE_ARGS(domain));
    }
    if (!slice_equal(localpart, config->matrix_botname)) {
        doctor_say(doctor, FINDING_FAIL,
                   "matrix_botname is %.*s: the homeserver has loaded a registration whose "
                   "sender_localpart is %.*s; print the registration anew and restart the "
                   "homeserver",
                   SLICE_ARGS(config->matrix_botname), SLICE_ARGS(localpart));
    }
    if (slice_equal(user_id, config->bot)) {
        doctor_say(doctor, FINDING_OK, "matrix_appservice_token: belongs to the bot %.*s",
                   SLICE_ARGS(user_id));
    }
}

static bool check_token(struct doctor *doctor)
{
    const struct doctor_answer answer = ask(doctor, matrix_whoami_request(doctor->arena), true);
    struct slice user_id = SLICE_EMPTY;
    if (!answer.is_reached) {
        doctor_say(doctor, FINDING_FAIL,
                   "matrix_appservice_token: the homeserver did not say whose it is: %.*s; try "
                   "again, and see its log",
                   SLICE_ARGS(answer.error));
        return false;
    }
    if (answer.status == 401 || answer.status == 403) {
        doctor_say(doctor, FINDING_FAIL,
                   "matrix_appservice_token: the homeserver does not accept it; list the "
                   "registration file under app_service_config_files, see that its as_token is "
                   "this one (gitterd registration), and restart the homeserver");
        return false;
    }
    if (answer.status != 200 ||
        matrix_user_id_parse(doctor->arena, answer.body, &user_id) != RC_OK) {
        doctor_say(doctor, FINDING_FAIL,
                   "matrix_appservice_token: the homeserver answered whoami with status %d; see "
                   "its log",
                   answer.status);
        return false;
    }
    judge_bot(doctor, user_id);
    return true;
}

/* The ping */

static void judge_status_of_ours(struct doctor *doctor, const struct doctor_answer *answer)
{
    struct json *body = NULL;
    int64_t status = 0;
    if (json_parse(doctor->arena, answer->body, &body) == RC_OK) {
        status = json_get_int(body, SLICE("status"), 0);
    }
    if (status == 401 || status == 403) {
        doctor_say(doctor, FINDING_FAIL,
                   "ping: the homeserver shows another token than matrix_homeserver_token; see "
                   "that hs_token of the registration is that one, and restart the homeserver "
                   "(and gitterd, if the configuration has changed)");
    } else {
        doctor_say(doctor, FINDING_FAIL,
                   "ping: what the homeserver finds at the url of the registration answers with "
                   "status %lld and is not gitterd; let that url (and a proxy there) lead to "
                   "matrix_appservice_port",
                   (long long)status);
    }
}

static void judge_ping_refusal(struct doctor *doctor, const struct doctor_answer *answer)
{
    const struct slice errcode = errcode_of(doctor, answer);
    if (slice_equal(errcode, SLICE("M_BAD_STATUS"))) {
        judge_status_of_ours(doctor, answer);
    } else if (slice_equal(errcode, SLICE("M_CONNECTION_FAILED")) ||
               slice_equal(errcode, SLICE("M_CONNECTION_TIMEOUT"))) {
        doctor_say(doctor, FINDING_FAIL,
                   "ping: the homeserver cannot reach the url of its registration (ours is %.*s); "
                   "see matrix_appservice_bind, matrix_appservice_url and firewalls between",
                   SLICE_ARGS(doctor->config->matrix_appservice_url));
    } else if (slice_equal(errcode, SLICE("M_URL_NOT_SET"))) {
        doctor_say(doctor, FINDING_FAIL,
                   "ping: the registration that the homeserver has loaded has no url; print it "
                   "anew (gitterd registration) and restart the homeserver");
    } else if (answer->status == 403) {
        doctor_say(doctor, FINDING_FAIL,
                   "ping: the registration that the homeserver has loaded has another id than "
                   "%.*s; print it anew (gitterd registration) and restart the homeserver",
                   SLICE_ARGS(appservice_id));
    } else if (answer->status == 404 || answer->status == 405) {
        doctor_say(doctor, FINDING_WARN,
                   "ping: the homeserver is too old to ping; write to the bot to see whether it "
                   "can reach us");
    } else {
        doctor_say(doctor, FINDING_FAIL,
                   "ping: the homeserver answered with status %d %.*s; see its log", answer->status,
                   SLICE_ARGS(errcode));
    }
}

static void check_ping(struct doctor *doctor)
{
    if (!doctor->is_running && doctor->homeserver_door.server == NULL) {
        doctor_say(doctor, FINDING_WARN,
                   "ping: not tried, since the port for the homeserver cannot be listened on; "
                   "mend that first");
        return;
    }
    const struct doctor_answer answer =
        ask(doctor, matrix_ping_request(doctor->arena, appservice_id), true);
    if (!answer.is_reached) {
        doctor_say(doctor, FINDING_FAIL,
                   "ping: the homeserver gave no answer: %.*s; see that it can reach %.*s",
                   SLICE_ARGS(answer.error), SLICE_ARGS(doctor->config->matrix_appservice_url));
    } else if (answer.status == 200) {
        doctor_say(doctor, FINDING_OK, "ping: the homeserver reaches %s",
                   doctor->is_running ? "the running gitterd, which accepts its token"
                                      : "us and shows matrix_homeserver_token");
    } else {
        judge_ping_refusal(doctor, &answer);
    }
}

void doctor_check_homeserver(struct doctor *doctor)
{
    if (check_versions(doctor) && check_token(doctor)) {
        check_ping(doctor);
    }
}
