#include "actors/calls.h"

#include <inttypes.h>

struct call call_matrix(int purpose,
                        const struct matrix_request *request,
                        struct slice lane,
                        struct slice owner)
{
    return (struct call){
        .purpose = purpose,
        .api = CALL_MATRIX,
        .auth = CALL_AUTH_APPSERVICE,
        .repeat = CALL_REPEAT_FREELY,
        .lane = lane,
        .owner = owner,
        .method = request->method,
        .path = request->path,
        .body = request->body,
    };
}

struct call call_gitter(int purpose,
                        const struct gitter_request *request,
                        struct slice lane,
                        struct slice owner)
{
    return (struct call){
        .purpose = purpose,
        .api = CALL_GITTER,
        .auth = CALL_AUTH_OWNER,
        .repeat = request->body.len == 0 ? CALL_REPEAT_FREELY : CALL_REPEAT_NEVER,
        .lane = lane,
        .owner = owner,
        .method = request->method,
        .path = request->path,
        .body = request->body,
    };
}

static enum text why_text(int64_t status)
{
    switch (status) {
    case 0:
        return TEXT_WHY_SILENT;
    case 400:
    case 413:
        return TEXT_WHY_BAD;
    case 401:
    case 403:
        return TEXT_WHY_FORBIDDEN;
    case 404:
    case 301:
        return TEXT_WHY_ABSENT;
    case 429:
        return TEXT_WHY_LIMIT;
    default:
        return TEXT_WHY_TROUBLE;
    }
}

struct slice why_failed(struct arena *arena, const struct call_ended *ended)
{
    const struct text_arg status = {"status", arena_printf(arena, "%" PRId64, ended->status)};
    return text_render(arena, why_text(ended->status), &status, 1).plain;
}

struct slice key_of_room(struct arena *arena, struct slice owner, struct slice gitter_room)
{
    return ARENA_JOIN(arena, owner, SLICE("|"), gitter_room);
}

struct slice lane_of(struct arena *arena, const char *what, struct slice key)
{
    return ARENA_JOIN(arena, slice_from_cstr(what), SLICE("/"), key);
}

struct slice name_on_matrix(struct arena *arena, struct slice name)
{
    return TEXT_RENDER(arena, TEXT_NAME_ON_GITTER, {"name", name}).plain;
}

void tell_user(struct turn *turn, struct slice user, const struct text_pair *text)
{
    const struct msg_say say = {.text = text->plain, .html = text->html};
    turn_send(turn, (struct actor_ref){ACTOR_USER, user}, MSG_USER_TELL, &say);
}

void note_trouble(struct turn *turn, struct slice user, const struct text_pair *what)
{
    const struct msg_text trouble = {.text = what->plain};
    turn_send(turn, (struct actor_ref){ACTOR_USER, user}, MSG_USER_TROUBLE, &trouble);
}

bool is_crowded(struct turn *turn, struct slice owner)
{
    const int64_t max = settings_of(turn)->owner_incoming_max;
    return max > 0 && turn_has_waiting(turn, owner, CALL_AUTH_APPSERVICE, max);
}

bool is_roomy(struct turn *turn, struct slice owner)
{
    const int64_t max = settings_of(turn)->owner_incoming_max;
    return max == 0 || !turn_has_waiting(turn, owner, CALL_AUTH_APPSERVICE, max - max / 10);
}

bool is_local_user(struct turn *turn, struct slice user)
{
    (void)slice_cut(&user, ':');
    return slice_equal(user, settings_of(turn)->domain);
}
