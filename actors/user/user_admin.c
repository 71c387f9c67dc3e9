/* `admin`: what those who run the bridge may see and do from their own private chat. Each such
 * command leaves a line in the log. */
#include "actors/lines.h"
#include "actors/room/room.h"
#include "actors/user/user.h"

enum {
    ADMIN_PAGE_LINES = 25
};

bool user_is_admin(struct turn *turn, const struct user *user)
{
    const struct settings *settings = settings_of(turn);
    return settings->is_admin != NULL && settings->is_admin(settings->permissions, user->key);
}

static const struct slice admin_verb = SLICE_INIT("admin");

/* What is on its page; the next one is shown by `more`. */
static void say_page(struct turn *turn, struct user *user, struct lines *lines, const char *what)
{
    const struct text_pair page = lines_end(lines);
    user->more = lines_has_more(lines)
                     ? arena_printf(turn_arena(turn), "%lld %.*s %s", (long long)lines->page + 1,
                                    SLICE_ARGS(admin_verb), what)
                     : SLICE_EMPTY;
    user_say(turn, user, &page);
}

static void run_users(struct turn *turn, struct user *user, struct slice argument, int64_t page)
{
    struct actor_entry *users = NULL;
    struct lines lines;
    const size_t count = turn_list(turn, ACTOR_USER, &users);
    lines_init(&lines, turn_arena(turn), page, ADMIN_PAGE_LINES);
    (void)argument;
    for (size_t i = 0; i < count; i++) {
        struct actor_entry *rooms = NULL;
        int state = 0;
        if (!lines_wants(&lines)) {
            continue;
        }
        const struct user *other =
            turn_peek(turn, (struct actor_ref){ACTOR_USER, users[i].key}, &state);
        const size_t rooms_count = turn_find(turn, ACTOR_ROOM, "owner", users[i].key, &rooms);
        if (other != NULL) {
            LINES_PUT(&lines, TEXT_ADMIN_USER, {"user", other->key},
                      {"account", user_account_words(turn, other, state)},
                      {"count", arena_printf(turn_arena(turn), "%zu", rooms_count)});
        }
    }
    say_page(turn, user, &lines, "users");
}

static enum text room_text(int state)
{
    switch ((enum room_state)state) {
    case ROOM_CREATING:
        return TEXT_ROOM_IS_CREATING;
    case ROOM_INVITED:
        return TEXT_ROOM_IS_INVITED;
    case ROOM_JOINED:
        return TEXT_ROOM_IS_JOINED;
    case ROOM_LEAVING:
    case ROOM_LEFT:
    case ROOM_ANY:
        break;
    }
    return TEXT_ROOM_IS_LEAVING;
}

static void run_rooms(struct turn *turn, struct user *user, struct slice argument, int64_t page)
{
    struct actor_entry *rooms = NULL;
    struct lines lines;
    const size_t count = turn_list(turn, ACTOR_ROOM, &rooms);
    (void)argument;
    if (count == 0) {
        user_say_plain(turn, user, TEXT_ADMIN_NO_ROOMS);
        return;
    }
    lines_init(&lines, turn_arena(turn), page, ADMIN_PAGE_LINES);
    for (size_t i = 0; i < count; i++) {
        int state = 0;
        if (!lines_wants(&lines)) {
            continue;
        }
        const struct room *room =
            turn_peek(turn, (struct actor_ref){ACTOR_ROOM, rooms[i].key}, &state);
        if (room != NULL) {
            LINES_PUT(&lines, TEXT_ADMIN_ROOM, {"user", room->owner}, {"room", room->label},
                      {"state", text_template(room_text(state))});
        }
    }
    say_page(turn, user, &lines, "rooms");
}

static const struct user *find_user(struct turn *turn, struct slice name, int *state)
{
    return name.len == 0 ? NULL : turn_peek(turn, (struct actor_ref){ACTOR_USER, name}, state);
}

static void run_user(struct turn *turn, struct user *user, struct slice argument, int64_t page)
{
    int state = 0;
    const struct user *other = find_user(turn, argument, &state);
    (void)page;
    if (other == NULL) {
        USER_SAY(turn, user, TEXT_STATUS_ABSENT, {"user", argument});
        return;
    }
    const struct text_pair report = user_report(turn, other, state);
    user_say(turn, user, &report);
}

static void run_retry(struct turn *turn, struct user *user, struct slice argument, int64_t page)
{
    const struct order retry = {.verb = ORDER_RETRY};
    struct actor_entry *feeds = NULL;
    const size_t count = turn_list(turn, ACTOR_FEED, &feeds);
    (void)argument;
    (void)page;
    turn_order(turn, &retry);
    for (size_t i = 0; i < count; i++) {
        turn_send(turn, (struct actor_ref){ACTOR_FEED, feeds[i].key}, MSG_FEED_RETRY, &nothing);
    }
    user_say_plain(turn, user, TEXT_ADMIN_RETRIED);
}

/* They log out as if they had said so themselves, and are told who wanted it. */
static void run_logout(struct turn *turn, struct user *user, struct slice argument, int64_t page)
{
    const struct msg_command logout = {.verb = SLICE("logout")};
    const struct text_pair words = TEXT_PLAIN(turn_arena(turn), TEXT_LOGGED_OUT_BY_ADMIN);
    int state = 0;
    const struct user *other = find_user(turn, argument, &state);
    (void)page;
    if (other == NULL) {
        USER_SAY(turn, user, TEXT_STATUS_ABSENT, {"user", argument});
    } else if (!user_state_has_account(state)) {
        USER_SAY(turn, user, TEXT_ADMIN_NOT_LOGGED_IN, {"user", argument});
    } else {
        tell_user(turn, other->key, &words);
        turn_send(turn, (struct actor_ref){ACTOR_USER, other->key}, MSG_USER_COMMAND, &logout);
        USER_SAY(turn, user, TEXT_ADMIN_LOGGED_OUT, {"user", argument});
    }
}

static const struct {
    struct slice verb;
    void (*run)(struct turn *turn, struct user *user, struct slice argument, int64_t page);
} admin_commands[] = {
    {SLICE_INIT("users"), run_users},   {SLICE_INIT("rooms"), run_rooms},
    {SLICE_INIT("user"), run_user},     {SLICE_INIT("retry"), run_retry},
    {SLICE_INIT("logout"), run_logout},
};

void user_run_admin(struct turn *turn, struct user *user, const struct command_line *line)
{
    struct slice rest = line->argument;
    const struct slice verb = slice_cut(&rest, ' ');
    const struct order audit = {.verb = ORDER_AUDIT, .who = user->key, .what = line->argument};
    int64_t page = line->page;
    rest = slice_trim(rest);
    if (slice_to_int(rest, &page) != RC_OK) {
        page = line->page;
    }
    turn_order(turn, &audit);
    for (size_t i = 0; i < MACHINE_COUNT(admin_commands); i++) {
        if (slice_equal_fold(admin_commands[i].verb, verb)) {
            admin_commands[i].run(turn, user, rest, page);
            return;
        }
    }
    user_say_plain(turn, user, TEXT_HELP_ADMIN);
}
