/* A Matrix room the bot was invited to: with exactly two in it, it is a private chat, where
 * commands are taken and the bot speaks. In a room with more people nothing private is ever said.
 */
#include "actors/chat/chat.h"

#include "actors/user/user.h"
#include "codecs/ghostid.h"
#include "codecs/json.h"

#define ROW(FROM, ON, GUARD, TO, ACTION)                                                           \
    {                                                                                              \
        CHAT_##FROM, MSG_CHAT_##ON, chat_if_##GUARD, CHAT_##TO, chat_do_##ACTION, #GUARD, #ACTION  \
    }
#define chat_if_always NULL
#define chat_do_nothing NULL

static fsm_guard chat_if_is_permitted, chat_if_is_done, chat_if_is_pair, chat_if_is_crowd,
    chat_if_is_unwanted, chat_if_is_deserted;
static fsm_guard chat_if_bot_is_out, chat_if_somebody_came, chat_if_user_is_out;
static fsm_guard chat_if_from_user, chat_if_not_told;
static fsm_action chat_do_join, chat_do_check, chat_do_decline, chat_do_open, chat_do_leave_crowd;
static fsm_action chat_do_end_crowded, chat_do_end_left, chat_do_end_kicked, chat_do_pass_command,
    chat_do_tell_encrypted;
static fsm_guard chat_if_is_barred;
static fsm_action chat_do_turn_away;
static fsm_action chat_do_say, chat_do_leave, chat_do_count, chat_do_note_user, chat_do_drop,
    chat_do_tell_dropped;

static const char *const chat_states[] = {"INVITED", "JOINING", "CHECKING",
                                          "PRIVATE", "LEFT",    "GONE"};

// clang-format off
static const struct fsm_row chat_rows[] = {
    /*  from      on             guard          to        action         */
    ROW(INVITED,  INVITED,       is_permitted,  JOINING,  join),
    ROW(INVITED,  INVITED,       always,        GONE,     decline),
    ROW(LEFT,     INVITED,       always,        LEFT,     decline),
    ROW(GONE,     INVITED,       is_permitted,  JOINING,  join),
    ROW(INVITED,  OPENED,        always,        CHECKING, note_user),
    ROW(INVITED,  FOUND,         always,        CHECKING, check),
    ROW(JOINING,  JOIN_ENDED,    is_done,       CHECKING, check),
    ROW(JOINING,  JOIN_ENDED,    always,        GONE,     nothing),
    ROW(JOINING,  MEMBER,        bot_is_out,    GONE,     nothing),
    ROW(CHECKING, MEMBERS_ENDED, is_done,       CHECKING, count),
    ROW(CHECKING, MEMBERS_ENDED, always,        GONE,     drop),
    ROW(CHECKING, COUNTED,       is_pair,       PRIVATE,  open),
    ROW(CHECKING, COUNTED,       is_unwanted,   GONE,     drop),
    ROW(CHECKING, COUNTED,       is_deserted,   GONE,     drop),
    ROW(CHECKING, COUNTED,       is_crowd,      LEFT,     leave_crowd),
    ROW(CHECKING, COUNTED,       always,        CHECKING, nothing),
    ROW(CHECKING, MEMBER,        bot_is_out,    GONE,     tell_dropped),
    ROW(CHECKING, MEMBER,        user_is_out,   GONE,     drop),
    ROW(CHECKING, MEMBER,        somebody_came, CHECKING, check),
    ROW(CHECKING, REPLACED,      always,        GONE,     leave),
    ROW(PRIVATE,  MEMBER,        bot_is_out,    GONE,     end_kicked),
    ROW(PRIVATE,  MEMBER,        user_is_out,   GONE,     end_left),
    ROW(PRIVATE,  MEMBER,        somebody_came, LEFT,     end_crowded),
    ROW(PRIVATE,  TEXT,          from_user,     PRIVATE,  pass_command),
    ROW(PRIVATE,  TEXT,          is_barred,     PRIVATE,  turn_away),
    ROW(PRIVATE,  ENCRYPTED,     not_told,      PRIVATE,  tell_encrypted),
    ROW(PRIVATE,  SAY,           always,        PRIVATE,  say),
    ROW(PRIVATE,  REPLACED,      always,        GONE,     leave),
};

#define STATES_BUT(state) ((STATE_BIT(CHAT_GONE + 1) - 1) & ~STATE_BIT(state))
static const struct fsm_pairs chat_ignored[] = {
    /* invited again while joining, or already in */
    {MSG_CHAT_INVITED, STATE_BIT(CHAT_JOINING) | STATE_BIT(CHAT_CHECKING) |
                       STATE_BIT(CHAT_PRIVATE) | STATE_BIT(CHAT_GONE)},
    {MSG_CHAT_COUNTED, STATES_BUT(CHAT_CHECKING)},
    {MSG_CHAT_JOIN_ENDED, STATES_BUT(CHAT_JOINING)},
    {MSG_CHAT_MEMBERS_ENDED, STATES_BUT(CHAT_CHECKING)},
    /* profile changes, people who leave rooms we are not in */
    {MSG_CHAT_MEMBER, (STATE_BIT(CHAT_GONE + 1) - 1)},
    /* what is said before the room is known to be private, or after, is nobody's command */
    {MSG_CHAT_TEXT, (STATE_BIT(CHAT_GONE + 1) - 1)},
    {MSG_CHAT_ENCRYPTED, (STATE_BIT(CHAT_GONE + 1) - 1)},
    {MSG_CHAT_SAY, STATES_BUT(CHAT_PRIVATE)},
    {MSG_CHAT_REPLACED, STATES_BUT(CHAT_PRIVATE) & ~STATE_BIT(CHAT_CHECKING)},
    {MSG_CHAT_OPENED, STATES_BUT(CHAT_INVITED)},
    {MSG_CHAT_FOUND, STATES_BUT(CHAT_INVITED)},
    {MSG_CHAT_SAY_ENDED, (STATE_BIT(CHAT_GONE + 1) - 1)},
    {MSG_CHAT_LEAVE_ENDED, (STATE_BIT(CHAT_GONE + 1) - 1)},
    {MSG_CHAT_FORGET_ENDED, (STATE_BIT(CHAT_GONE + 1) - 1)},
};
// clang-format on

/* Guards */

static bool chat_if_is_permitted(const void *state, const struct msg *msg)
{
    (void)state;
    return ((const struct msg_invited *)msg->body)->is_permitted;
}

static bool chat_if_is_done(const void *state, const struct msg *msg)
{
    (void)state;
    return ended_is_done(msg);
}

static bool chat_if_is_pair(const void *state, const struct msg *msg)
{
    (void)state;
    const struct msg_counted *counted = msg->body;
    return counted->members == 2 && counted->is_permitted;
}

/* Whoever invited the bot has gone and left somebody there who may not use it. */
static bool chat_if_is_unwanted(const void *state, const struct msg *msg)
{
    const struct msg_counted *counted = msg->body;
    (void)state;
    return counted->members == 2 && !counted->is_permitted;
}

/* Nobody is known to come, and nobody is there. */
static bool chat_if_is_deserted(const void *state, const struct msg *msg)
{
    return ((const struct chat *)state)->user.len == 0 &&
           ((const struct msg_counted *)msg->body)->members == 1;
}

static bool chat_if_is_crowd(const void *state, const struct msg *msg)
{
    (void)state;
    return ((const struct msg_counted *)msg->body)->members > 2;
}

static bool chat_if_bot_is_out(const void *state, const struct msg *msg)
{
    const struct msg_member *member = msg->body;
    (void)state;
    return member->is_bot && member_is_out(member);
}

static bool chat_if_user_is_out(const void *state, const struct msg *msg)
{
    const struct chat *chat = state;
    const struct msg_member *member = msg->body;
    return member_is_out(member) && slice_equal(member->user, chat->user);
}

/* Somebody who was not in the room is now; a change of name or picture is join to join. */
static bool chat_if_somebody_came(const void *state, const struct msg *msg)
{
    const struct msg_member *member = msg->body;
    (void)state;
    return !member->is_bot && slice_equal(member->membership, SLICE("join")) &&
           !slice_equal(member->before, SLICE("join"));
}

static bool chat_if_from_user(const void *state, const struct msg *msg)
{
    const struct chat *chat = state;
    const struct msg_chat_text *text = msg->body;
    return text->is_permitted && slice_equal(text->sender, chat->user) &&
           slice_equal(text->msgtype, SLICE("m.text"));
}

/* Who could use the bridge until its configuration was changed. */
static bool chat_if_is_barred(const void *state, const struct msg *msg)
{
    const struct chat *chat = state;
    const struct msg_chat_text *text = msg->body;
    return !text->is_permitted && !chat->was_turned_away && slice_equal(text->sender, chat->user);
}

static bool chat_if_not_told(const void *state, const struct msg *msg)
{
    const struct chat *chat = state;
    return !chat->was_told_of_encryption &&
           slice_equal(((const struct msg_sender *)msg->body)->sender, chat->user);
}

/* Calls: all in one lane, so that a good-bye is said before the room is left. */

static void call_homeserver(struct turn *turn,
                            const struct chat *chat,
                            int purpose,
                            const struct matrix_request *request)
{
    const struct slice lane = lane_of(turn_arena(turn), "chat", chat->key);
    const struct call call = call_matrix(purpose, request, lane, chat->user);
    turn_call(turn, &call);
}

static void send_notice(struct turn *turn, const struct chat *chat, const struct text_pair *text)
{
    const struct matrix_send send = {
        .room_id = chat->key,
        .txn_id = turn_unique_id(turn),
        .content = matrix_notice_json(turn_arena(turn), text->plain, text->html),
    };
    const struct matrix_request request = matrix_send_request(turn_arena(turn), &send);
    call_homeserver(turn, chat, MSG_CHAT_SAY_ENDED, &request);
}

static void leave_and_forget(struct turn *turn, const struct chat *chat)
{
    const struct matrix_request leave =
        matrix_leave_request(turn_arena(turn), chat->key, SLICE_EMPTY);
    const struct matrix_request forget =
        matrix_forget_request(turn_arena(turn), chat->key, SLICE_EMPTY);
    call_homeserver(turn, chat, MSG_CHAT_LEAVE_ENDED, &leave);
    call_homeserver(turn, chat, MSG_CHAT_FORGET_ENDED, &forget);
}

static void tell_owner(struct turn *turn, const struct chat *chat, int kind)
{
    const struct msg_chat msg = {.room = chat->key};
    turn_send(turn, (struct actor_ref){ACTOR_USER, chat->user}, kind, &msg);
}

/* Coming in */

static void chat_do_join(void *next, const struct msg *msg, struct turn *turn)
{
    struct chat *chat = next;
    const struct msg_invited *invited = msg->body;
    chat->user = invited->by;
    chat->is_ours = false;
    chat->is_encrypted = invited->is_encrypted;
    const struct matrix_request request =
        matrix_join_request(turn_arena(turn), chat->key, SLICE_EMPTY);
    call_homeserver(turn, chat, MSG_CHAT_JOIN_ENDED, &request);
}

/* The bot made the room and invited the user, who will come or decline. */
static void chat_do_note_user(void *next, const struct msg *msg, struct turn *turn)
{
    struct chat *chat = next;
    chat->user = ((const struct msg_sender *)msg->body)->sender;
    chat->is_ours = true;
    chat_do_check(next, msg, turn);
}

/* With the reason in the event, which clients show: there is no room to say it in. */
static void chat_do_decline(void *next, const struct msg *msg, struct turn *turn)
{
    struct chat *chat = next;
    const struct msg_invited *invited = msg->body;
    struct json_writer body;
    json_writer_init(&body, turn_arena(turn));
    json_open_object(&body);
    json_put_member(
        &body, SLICE("reason"),
        text_template(invited->is_permitted ? TEXT_NO_MORE_INVITES : TEXT_NOT_PERMITTED));
    json_close_object(&body);
    chat->user = invited->by;
    struct matrix_request request = matrix_leave_request(turn_arena(turn), chat->key, SLICE_EMPTY);
    request.body = json_writer_end(&body);
    call_homeserver(turn, chat, MSG_CHAT_LEAVE_ENDED, &request);
}

static void chat_do_check(void *next, const struct msg *msg, struct turn *turn)
{
    const struct chat *chat = next;
    (void)msg;
    const struct matrix_request request =
        matrix_joined_members_request(turn_arena(turn), chat->key, SLICE_EMPTY);
    call_homeserver(turn, chat, MSG_CHAT_MEMBERS_ENDED, &request);
}

/* An answer that cannot be read counts nobody: the room is checked again when somebody comes. */
static void chat_do_count(void *next, const struct msg *msg, struct turn *turn)
{
    const struct chat *chat = next;
    struct slice *members = NULL;
    size_t count = 0;
    struct msg_counted counted = {0};
    if (matrix_joined_members_parse(turn_arena(turn), ended_of(msg)->body, &members, &count) !=
        RC_OK) {
        count = 0;
    }
    for (size_t i = 0; i < count; i++) {
        if (!slice_equal(members[i], settings_of(turn)->bot)) {
            counted.other = members[i];
        }
    }
    counted.members = (int64_t)count;
    counted.is_permitted =
        counted.other.len > 0 &&
        settings_of(turn)->is_permitted(settings_of(turn)->permissions, counted.other);
    turn_send(turn, (struct actor_ref){ACTOR_CHAT, chat->key}, MSG_CHAT_COUNTED, &counted);
}

static void chat_do_tell_encrypted(void *next, const struct msg *msg, struct turn *turn)
{
    struct chat *chat = next;
    const struct text_pair text = TEXT_PLAIN(turn_arena(turn), TEXT_CHAT_ENCRYPTED);
    (void)msg;
    chat->was_told_of_encryption = true;
    send_notice(turn, chat, &text);
}

static void chat_do_open(void *next, const struct msg *msg, struct turn *turn)
{
    struct chat *chat = next;
    chat->user = ((const struct msg_counted *)msg->body)->other;
    if (chat->is_encrypted) {
        chat_do_tell_encrypted(chat, msg, turn);
    }
    tell_owner(turn, chat, MSG_USER_CHAT_READY);
}

/* Talking */

static void chat_do_say(void *next, const struct msg *msg, struct turn *turn)
{
    const struct msg_say *say = msg->body;
    send_notice(turn, next, &(struct text_pair){say->text, say->html});
}

/* Told once; whoever is logged in is logged out. */
static void chat_do_turn_away(void *next, const struct msg *msg, struct turn *turn)
{
    struct chat *chat = next;
    const struct text_pair text = TEXT_PLAIN(turn_arena(turn), TEXT_NO_LONGER_PERMITTED);
    const struct msg_command logout = {.verb = SLICE("logout")};
    const struct actor_ref user = {ACTOR_USER, chat->user};
    int state = 0;
    (void)msg;
    chat->was_turned_away = true;
    send_notice(turn, chat, &text);
    if (turn_exists(turn, user, &state) && user_state_has_account(state)) {
        turn_send(turn, user, MSG_USER_COMMAND, &logout);
    }
}

/* A message of white space alone says nothing and is answered like any unknown command. */
static void chat_do_pass_command(void *next, const struct msg *msg, struct turn *turn)
{
    struct chat *chat = next;
    struct slice rest = slice_trim(((const struct msg_chat_text *)msg->body)->body);
    chat->was_turned_away = false;
    size_t verb = 0;
    while (verb < rest.len && slice_trim(slice_first(slice_from(rest, verb), 1)).len > 0) {
        verb++;
    }
    const struct msg_command command = {
        .verb = slice_first(rest, verb),
        .argument = slice_trim(slice_from(rest, verb)),
    };
    turn_send(turn, (struct actor_ref){ACTOR_USER, chat->user}, MSG_USER_COMMAND, &command);
}

/* Going */

static void chat_do_leave(void *next, const struct msg *msg, struct turn *turn)
{
    (void)msg;
    leave_and_forget(turn, next);
}

/* A room that never was a private chat is news only to the one for whom the bot made it; others are
 * nobody to us yet. */
static void chat_do_tell_dropped(void *next, const struct msg *msg, struct turn *turn)
{
    const struct chat *chat = next;
    (void)msg;
    if (chat->is_ours) {
        tell_owner(turn, chat, MSG_USER_CHAT_LOST);
    }
}

static void chat_do_drop(void *next, const struct msg *msg, struct turn *turn)
{
    chat_do_tell_dropped(next, msg, turn);
    leave_and_forget(turn, next);
}

static void chat_do_leave_crowd(void *next, const struct msg *msg, struct turn *turn)
{
    const struct text_pair text = TEXT_PLAIN(turn_arena(turn), TEXT_CHAT_CROWDED);
    chat_do_tell_dropped(next, msg, turn);
    send_notice(turn, next, &text);
    leave_and_forget(turn, next);
}

static void chat_do_end_crowded(void *next, const struct msg *msg, struct turn *turn)
{
    tell_owner(turn, next, MSG_USER_CHAT_LOST);
    chat_do_leave_crowd(next, msg, turn);
}

static void chat_do_end_left(void *next, const struct msg *msg, struct turn *turn)
{
    tell_owner(turn, next, MSG_USER_CHAT_LOST);
    chat_do_leave(next, msg, turn);
}

static void chat_do_end_kicked(void *next, const struct msg *msg, struct turn *turn)
{
    (void)msg;
    tell_owner(turn, next, MSG_USER_CHAT_LOST);
}

void chat_tell_invited(struct turn *turn,
                       struct slice matrix_room,
                       struct slice by,
                       bool is_encrypted)
{
    const struct settings *settings = settings_of(turn);
    const bool is_ours = slice_equal(by, settings->bot) || ghostid_is_ghost(by, settings->domain);
    const struct msg_invited invited = {
        .by = by,
        .is_encrypted = is_encrypted,
        .is_permitted = !is_ours && settings->is_permitted(settings->permissions, by),
    };
    turn_send(turn, (struct actor_ref){ACTOR_CHAT, matrix_room}, MSG_CHAT_INVITED, &invited);
}

FIELD_RECORD(chat, CHAT_FIELDS);

const struct fsm chat_fsm = {
    .kind = ACTOR_CHAT,
    .name = "chat",
    .table = "chats",
    .states = chat_states,
    .states_count = MACHINE_COUNT(chat_states),
    .first = CHAT_INVITED,
    .last = CHAT_GONE,
    .rows = chat_rows,
    .rows_count = MACHINE_COUNT(chat_rows),
    .ignored = chat_ignored,
    .ignored_count = MACHINE_COUNT(chat_ignored),
    .record = &chat_record,
    .key_offset = offsetof(struct chat, key),
};
