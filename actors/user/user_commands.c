/* What the user says in the private chat: one table of commands. What takes more than one step is
 * an errand. */
#include "actors/user/user.h"

#include "codecs/nearest.h"

/* Who may say it, beside those who are logged in. */
enum audience {
    FOR_ACCOUNTS,
    FOR_EXPIRED, /* and who were, until Gitter refused their token */
    FOR_ALL,
    FOR_ADMINS, /* logged in or not; others are told that there is no such command */
};

struct command {
    struct slice verb;
    command_run *run; /* NULL: the machine has a row for it */
    enum audience audience;
    enum text help;
    enum text usage; /* said when the argument is missing; TEXT_COUNT: none is needed */
    bool answers;    /* is an answer to a question, which anything else lets go */
};

static command_run run_help, run_login, run_version, run_more;

static const struct command commands[] = {
    {SLICE_INIT("list"), user_run_errand, FOR_ACCOUNTS, TEXT_HELP_LIST, TEXT_COUNT, false},
    {SLICE_INIT("invite"), user_run_errand, FOR_ACCOUNTS, TEXT_HELP_INVITE, TEXT_INVITE_USAGE,
     false},
    {SLICE_INIT("gjoin"), user_run_errand, FOR_ACCOUNTS, TEXT_HELP_GJOIN, TEXT_GJOIN_USAGE, false},
    {SLICE_INIT("gpart"), user_run_errand, FOR_ACCOUNTS, TEXT_HELP_GPART, TEXT_GPART_USAGE, false},
    {SLICE_INIT("logout"), NULL, FOR_EXPIRED, TEXT_HELP_LOGOUT, TEXT_COUNT, false},
    {SLICE_INIT("help"), run_help, FOR_ALL, TEXT_HELP_HELP, TEXT_COUNT, false},
    {SLICE_INIT("search"), user_run_errand, FOR_ACCOUNTS, TEXT_HELP_SEARCH, TEXT_SEARCH_USAGE,
     false},
    {SLICE_INIT("unbridge"), user_run_unbridge, FOR_EXPIRED, TEXT_HELP_UNBRIDGE,
     TEXT_UNBRIDGE_USAGE, false},
    {SLICE_INIT("more"), run_more, FOR_ALL, TEXT_HELP_MORE, TEXT_COUNT, false},
    {SLICE_INIT("status"), user_run_status, FOR_ALL, TEXT_HELP_STATUS, TEXT_COUNT, false},
    {SLICE_INIT("login"), run_login, FOR_ALL, TEXT_HELP_LOGIN, TEXT_COUNT, false},
    {SLICE_INIT("version"), run_version, FOR_ALL, TEXT_HELP_VERSION, TEXT_COUNT, false},
    {SLICE_INIT("admin"), user_run_admin, FOR_ADMINS, TEXT_HELP_ADMIN, TEXT_HELP_ADMIN, false},
    {SLICE_INIT("yes"), user_run_yes, FOR_ACCOUNTS, TEXT_HELP_INVITE, TEXT_COUNT, true},
    {SLICE_INIT("y"), user_run_yes, FOR_ACCOUNTS, TEXT_HELP_INVITE, TEXT_COUNT, true},
    {SLICE_INIT("no"), user_run_no, FOR_ACCOUNTS, TEXT_HELP_INVITE, TEXT_COUNT, true},
    {SLICE_INIT("n"), user_run_no, FOR_ACCOUNTS, TEXT_HELP_INVITE, TEXT_COUNT, true},
};

static bool is_known_to(struct turn *turn, const struct user *user, const struct command *command)
{
    return command->audience != FOR_ADMINS || user_is_admin(turn, user);
}

static const struct command *
find_command(struct turn *turn, const struct user *user, struct slice verb)
{
    for (size_t i = 0; i < MACHINE_COUNT(commands); i++) {
        if (slice_equal_fold(commands[i].verb, verb)) {
            return is_known_to(turn, user, &commands[i]) ? &commands[i] : NULL;
        }
    }
    return NULL;
}

static void run_unknown(struct turn *turn, struct user *user, const struct command_line *line)
{
    struct slice verbs[MACHINE_COUNT(commands)];
    size_t count = 0;
    for (size_t i = 0; i < MACHINE_COUNT(commands); i++) {
        if (!commands[i].answers && is_known_to(turn, user, &commands[i])) {
            verbs[count++] = commands[i].verb;
        }
    }
    const struct slice nearest = nearest_word(line->verb, verbs, count);
    if (nearest.len > 0) {
        USER_SAY(turn, user, TEXT_NEAREST_COMMAND, {"verb", line->verb}, {"nearest", nearest});
    } else {
        USER_SAY(turn, user, TEXT_UNKNOWN_COMMAND, {"verb", line->verb});
    }
}

static void run_line(struct turn *turn, struct user *user, const struct command_line *line)
{
    const struct command *command = find_command(turn, user, line->verb);
    if (command == NULL || !command->answers) {
        user_drop_question(turn, user);
    }
    if (command == NULL || command->run == NULL) {
        run_unknown(turn, user, line);
    } else if (line->argument.len == 0 && command->usage != TEXT_COUNT) {
        user_say_plain(turn, user, command->usage);
    } else {
        const struct command_line known = {command->verb, line->argument, line->page};
        command->run(turn, user, &known);
    }
}

void user_do_obey(void *next, const struct msg *msg, struct turn *turn)
{
    struct user *user = next;
    const struct msg_command *command = msg->body;
    const struct command_line line = {.verb = command->verb, .argument = command->argument};
    if (!command->is_due && user_is_busy(turn, user)) {
        user_queue_command(turn, user, command);
        return;
    }
    if (!command->is_due) {
        user->running = SLICE_EMPTY; /* it is not there any more */
    }
    run_line(turn, user, &line);
    user_run_next(turn, user);
}

void user_do_obey_stranger(void *next, const struct msg *msg, struct turn *turn)
{
    struct user *user = next;
    const struct msg_command *said = msg->body;
    const struct command *command = find_command(turn, user, said->verb);
    const bool may = command != NULL && command->run != NULL && command->audience != FOR_ACCOUNTS &&
                     (command->audience != FOR_EXPIRED || user->gitter_id.len > 0);
    if (may) {
        const struct command_line line = {.verb = said->verb, .argument = said->argument};
        run_line(turn, user, &line);
    } else {
        user_offer_login(turn, user);
    }
}

static void run_help(struct turn *turn, struct user *user, const struct command_line *line)
{
    struct arena *arena = turn_arena(turn);
    if (line->argument.len > 0) {
        const struct command *command = find_command(turn, user, line->argument);
        const struct command_line unknown = {.verb = line->argument};
        if (command == NULL) {
            run_unknown(turn, user, &unknown);
        } else {
            user_say_plain(turn, user, command->help);
        }
        return;
    }
    struct text_pair help = TEXT_PLAIN(arena, TEXT_HELP);
    if (user_is_admin(turn, user)) {
        help = text_join(arena, help, TEXT_PLAIN(arena, TEXT_HELP_ADMIN));
    }
    user_say(turn, user, &help);
    if (user->token.len == 0) { /* hardly any of it is of use before */
        user_offer_login(turn, user);
    }
}

static void run_login(struct turn *turn, struct user *user, const struct command_line *line)
{
    (void)line;
    if (user->token.len > 0) {
        USER_SAY(turn, user, TEXT_ALREADY_LOGGED_IN, {"name", user->gitter_name});
    } else {
        user_offer_login(turn, user);
    }
}

static void run_version(struct turn *turn, struct user *user, const struct command_line *line)
{
    (void)line;
    USER_SAY(turn, user, TEXT_VERSION, {"version", settings_of(turn)->version});
}

static void run_more(struct turn *turn, struct user *user, const struct command_line *line)
{
    struct slice rest = user->more;
    struct command_line next = {0};
    (void)line;
    if (slice_to_int(slice_cut(&rest, ' '), &next.page) != RC_OK) {
        user_say_plain(turn, user, TEXT_NO_MORE);
        return;
    }
    next.verb = slice_cut(&rest, ' ');
    next.argument = rest.ptr == NULL ? SLICE_EMPTY : rest;
    user->more = SLICE_EMPTY;
    run_line(turn, user, &next);
}
