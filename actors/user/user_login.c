/* How a user comes to a token of Gitter and loses it: the login, its expiry, the logout. */
#include "actors/user/user.h"

#include "actors/login/login.h"
#include "runtime/base/buf.h"

static struct slice random_hex(struct turn *turn, size_t bytes)
{
    unsigned char random[32];
    struct buf hex;
    buf_init(&hex, turn_arena(turn));
    bytes = bytes < sizeof random ? bytes : sizeof random;
    turn_random(turn, random, bytes);
    for (size_t i = 0; i < bytes; i++) {
        buf_printf(&hex, "%02x", random[i]);
    }
    return buf_slice(&hex);
}

struct slice user_fresh_link(struct user *user, struct turn *turn)
{
    const struct slice secret = turn_secret(turn, 20);
    if (user->login.len > 0) {
        turn_send(turn, (struct actor_ref){ACTOR_LOGIN, user->login}, MSG_LOGIN_CANCELLED,
                  &nothing);
    }
    user->login = random_hex(turn, 8);
    const struct msg_offer offer = {.user = user->key, .secret = secret};
    turn_send(turn, (struct actor_ref){ACTOR_LOGIN, user->login}, MSG_LOGIN_OFFERED, &offer);
    return arena_printf(turn_arena(turn), "%.*s" LOGIN_LINK_PATH "%.*s.%.*s",
                        SLICE_ARGS(settings_of(turn)->login_url), SLICE_ARGS(user->login),
                        SLICE_ARGS(secret));
}

void user_say_expired(struct turn *turn, struct user *user)
{
    USER_SAY(turn, user, TEXT_TOKEN_EXPIRED, {"name", user->gitter_name},
             {"link", user_fresh_link(user, turn)});
}

void user_offer_login(struct turn *turn, struct user *user)
{
    USER_SAY(turn, user, TEXT_NOT_LOGGED_IN, {"link", user_fresh_link(user, turn)});
}

void user_do_say_login_failed(void *next, const struct msg *msg, struct turn *turn)
{
    struct user *user = next;
    const struct msg_login_failed *failed = msg->body;
    user->login = SLICE_EMPTY;
    USER_SAY(turn, user, TEXT_LOGIN_FAILED, {"why", failed->why},
             {"link", user_fresh_link(user, turn)});
}

struct slice user_of_owner(struct slice owner)
{
    const struct slice mark = SLICE(USER_NEW_TOKEN);
    return slice_ends_with(owner, mark) ? slice_first(owner, owner.len - mark.len) : owner;
}

struct slice user_token(const struct user *user, struct slice owner)
{
    return slice_equal(user->key, owner) ? user->token : user->new_token;
}

void user_do_take_token(void *next, const struct msg *msg, struct turn *turn)
{
    struct user *user = next;
    user->new_token = ((const struct msg_granted *)msg->body)->token;
    const struct slice owner =
        arena_printf(turn_arena(turn), "%.*s" USER_NEW_TOKEN, SLICE_ARGS(user->key));
    const struct gitter_request request = gitter_user_request(turn_arena(turn));
    /* a lane of its own: what waits in another may wait for the end of this */
    const struct slice lane = lane_of(turn_arena(turn), "user", owner);
    struct call call = call_gitter(MSG_USER_WHOAMI_ENDED, &request, lane, owner);
    call.takes_401 = true;
    call.patience_ms = CALL_PATIENCE_MS;
    turn_call(turn, &call);
}

void user_do_read_account(void *next, const struct msg *msg, struct turn *turn)
{
    const struct user *user = next;
    struct gitter_user account = {0};
    if (!ended_is_done(msg) ||
        gitter_user_parse(turn_arena(turn), ended_of(msg)->body, &account) != RC_OK) {
        account = (struct gitter_user){0};
    }
    const struct msg_account known = {.gitter_id = account.id, .gitter_name = account.username};
    turn_send(turn, (struct actor_ref){ACTOR_USER, user->key}, MSG_USER_ACCOUNT, &known);
}

static void answer_login(struct turn *turn, struct slice login, bool is_done, struct slice name)
{
    const struct msg_login_result result = {.is_done = is_done, .gitter_name = name};
    turn_send(turn, (struct actor_ref){ACTOR_LOGIN, login}, MSG_LOGIN_RESULT, &result);
}

void user_do_refuse_token(void *next, const struct msg *msg, struct turn *turn)
{
    (void)next;
    answer_login(turn, ((const struct msg_granted *)msg->body)->login, false, SLICE_EMPTY);
}

void user_do_fail_login(void *next, const struct msg *msg, struct turn *turn)
{
    struct user *user = next;
    const struct slice why = text_template(TEXT_WHY_ACCOUNT);
    (void)msg;
    answer_login(turn, user->login, false, SLICE_EMPTY);
    user->new_token = SLICE_EMPTY;
    user->login = SLICE_EMPTY;
    USER_SAY(turn, user, TEXT_LOGIN_FAILED, {"why", why}, {"link", user_fresh_link(user, turn)});
}

/* The rooms of an earlier account cannot be served with this one's token. */
static void unbridge_all(struct user *user, struct turn *turn)
{
    struct actor_entry *rooms = NULL;
    const size_t count = turn_find(turn, ACTOR_ROOM, "owner", user->key, &rooms);
    const struct msg_unbridge unbridge = {.why = text_template(TEXT_LOGGED_OUT_REASON),
                                          .kick = true};
    for (size_t i = 0; i < count; i++) {
        turn_send(turn, (struct actor_ref){ACTOR_ROOM, rooms[i].key}, MSG_ROOM_UNBRIDGE, &unbridge);
    }
}

void user_do_finish_login(void *next, const struct msg *msg, struct turn *turn)
{
    struct user *user = next;
    const struct msg_account *account = msg->body;
    if (user->gitter_id.len > 0 && !slice_equal(user->gitter_id, account->gitter_id)) {
        unbridge_all(user, turn);
    }
    user->token = user->new_token;
    user->new_token = SLICE_EMPTY;
    user->gitter_id = account->gitter_id;
    user->gitter_name = account->gitter_name;
    answer_login(turn, user->login, true, account->gitter_name);
    user->login = SLICE_EMPTY;
    user->seen = SLICE_EMPTY;
    user->inviting = 0; /* of an earlier login */
    user->invited = 0;
    USER_SAY(turn, user, TEXT_LOGGED_IN, {"name", account->gitter_name});
    turn_send(turn, (struct actor_ref){ACTOR_FEED, user->key}, MSG_FEED_START, &nothing);
    user_offer_rooms(turn, user);
}

void user_do_expire(void *next, const struct msg *msg, struct turn *turn)
{
    struct user *user = next;
    (void)msg;
    user->token = SLICE_EMPTY;
    user_cancel_errands(turn, user);
    turn_send(turn, (struct actor_ref){ACTOR_FEED, user->key}, MSG_FEED_STOP, &nothing);
    user_say_expired(turn, user);
}

/* The logout */

/* Gitter has one token for each user and client: two Matrix users logged in as the same Gitter user
 * hold the same string, and taking it back for one would throw out the other. */
static bool is_token_shared(const struct user *user, struct turn *turn)
{
    struct actor_entry *users = NULL;
    const size_t count = turn_find(turn, ACTOR_USER, "gitter_id", user->gitter_id, &users);
    for (size_t i = 0; i < count; i++) {
        if (!slice_equal(users[i].key, user->key) && users[i].state == USER_AUTHED) {
            return true;
        }
    }
    return false;
}

static struct slice user_lane(struct turn *turn, const struct user *user)
{
    return lane_of(turn_arena(turn), "user", user->key);
}

void user_do_log_out(void *next, const struct msg *msg, struct turn *turn)
{
    struct user *user = next;
    (void)msg;
    turn_forget(turn, user->key); /* here it is known which rooms are theirs */
    user_cancel_errands(turn, user);
    unbridge_all(user, turn);
    turn_send(turn, (struct actor_ref){ACTOR_FEED, user->key}, MSG_FEED_STOP, &nothing);
    if (user->token.len == 0 || is_token_shared(user, turn)) {
        turn_send(turn, (struct actor_ref){ACTOR_USER, user->key}, MSG_USER_LOGGED_OUT, &nothing);
        return;
    }
    const struct call call = {
        .purpose = MSG_USER_REVOKE_ENDED,
        .api = CALL_GITTER_WEB,
        .auth = CALL_AUTH_OWNER,
        .repeat = CALL_REPEAT_FREELY,
        .lane = user_lane(turn, user),
        .owner = user->key,
        .method = SLICE("POST"),
        .path = SLICE("/logout"),
        .takes_401 = true,
    };
    turn_call(turn, &call);
}

void user_do_finish_logout(void *next, const struct msg *msg, struct turn *turn)
{
    struct user *user = next;
    (void)msg;
    turn_forget(turn, user->key); /* and here nothing more is said */
    user->token = SLICE_EMPTY;
    user->gitter_id = SLICE_EMPTY;
    user->gitter_name = SLICE_EMPTY;
    user->listed = SLICE_EMPTY;
    user->more = SLICE_EMPTY;
    user->trouble = SLICE_EMPTY;
    user_say_plain(turn, user, TEXT_LOGGED_OUT);
}
