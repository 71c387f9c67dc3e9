/* `search`: rooms on Gitter, a page of its answer at a time. A server without a search engine
 * answers 500, which is final here. */
#include "actors/errand/errand.h"
#include "actors/lines.h"
#include "codecs/json.h"
#include "codecs/url.h"

#include <inttypes.h>

enum {
    SEARCH_PAGE_LINES = 10,
    SEARCH_PAGES_MAX = 1000,
    WORDS_BYTES_MAX = 255,
};

/* Pages go on from where the one before ended. */
static int64_t page_of(const struct errand *errand)
{
    return errand->page < 1 || errand->page > SEARCH_PAGES_MAX ? 1 : errand->page;
}

void errand_do_search(void *next, const struct msg *msg, struct turn *turn)
{
    struct errand *errand = next;
    const struct msg_errand *begin = msg->body;
    struct arena *arena = turn_arena(turn);
    errand->user = begin->user;
    errand->verb = begin->verb;
    errand->argument = slice_first(begin->argument, WORDS_BYTES_MAX);
    errand->page = begin->page;
    errand->numbers = begin->numbers;
    const struct gitter_request request = {
        .method = SLICE("GET"),
        .path = arena_printf(arena, "/rooms?q=%.*s&limit=%d&skip=%" PRId64,
                             SLICE_ARGS(url_encode(arena, errand->argument)), SEARCH_PAGE_LINES,
                             (page_of(errand) - 1) * SEARCH_PAGE_LINES),
    };
    struct call call = call_gitter(MSG_ERRAND_SEARCH_ENDED, &request,
                                   lane_of(arena, "user", errand->user), errand->user);
    call.repeat = CALL_REPEAT_NEVER;
    call.patience_ms = CALL_PATIENCE_MS;
    call.ref = errand->key;
    turn_call(turn, &call);
}

/* The room as one line, without its number. */
static struct slice describe(struct arena *arena, const struct gitter_room *room)
{
    const struct slice count = arena_printf(arena, "%" PRId64, room->users_count);
    return TEXT_RENDER(arena, room->topic.len > 0 ? TEXT_SEARCH_ROOM_TOPIC : TEXT_SEARCH_ROOM,
                       {"room", gitter_room_label(room)}, {"count", count}, {"topic", room->topic})
        .plain;
}

static size_t count_words(struct slice text)
{
    size_t count = 0;
    while (text.len > 0) {
        count += slice_cut(&text, ' ').len > 0 ? 1 : 0;
    }
    return count;
}

struct found {
    struct gitter_room *rooms;
    size_t count;
};

static void say_found(struct turn *turn, const struct errand *errand, const struct found *found)
{
    struct arena *arena = turn_arena(turn);
    const bool is_first = page_of(errand) == 1;
    const size_t before = is_first ? 0 : count_words(errand->numbers);
    const bool is_full = found->count >= SEARCH_PAGE_LINES;
    struct msg_listed listed = {.ids = is_first ? SLICE_EMPTY : errand->numbers};
    struct text_pair said = TEXT_PLAIN(arena, TEXT_SEARCH_HEADER);
    for (size_t i = 0; i < found->count; i++) {
        const struct gitter_room *room = &found->rooms[i];
        said = text_join(
            arena, said,
            TEXT_RENDER(arena,
                        errand_is_bridged(turn, errand, room) ? TEXT_LINE_BRIDGED : TEXT_LINE_ROOM,
                        {"number", arena_printf(arena, "%zu", before + i + 1)},
                        {"room", describe(arena, room)}));
        listed.ids = arena_printf(arena, "%.*s%s%.*s", SLICE_ARGS(listed.ids),
                                  listed.ids.len > 0 ? " " : "", SLICE_ARGS(room->id));
    }
    if (is_full) {
        said = text_join(arena, said, TEXT_PLAIN(arena, TEXT_SEARCH_MORE));
        listed.more = arena_printf(arena, "%" PRId64 " search %.*s", page_of(errand) + 1,
                                   SLICE_ARGS(errand->argument));
    }
    errand_say(turn, errand, &said);
    turn_send(turn, (struct actor_ref){ACTOR_USER, errand->user}, MSG_USER_LISTED, &listed);
}

void errand_do_show_found(void *next, const struct msg *msg, struct turn *turn)
{
    const struct errand *errand = next;
    struct arena *arena = turn_arena(turn);
    struct json *answer = NULL;
    struct found found = {0};
    if (json_parse(arena, ended_of(msg)->body, &answer) != RC_OK ||
        json_get(answer, SLICE("results")) == NULL ||
        gitter_rooms_parse(arena, json_get(answer, SLICE("results"))->raw, &found.rooms,
                           &found.count) != RC_OK) {
        ERRAND_SAY(turn, errand, TEXT_GITTER_FAILED, {"why", text_template(TEXT_WHY_BAD)});
    } else if (found.count == 0) {
        ERRAND_SAY(turn, errand, page_of(errand) == 1 ? TEXT_SEARCH_EMPTY : TEXT_SEARCH_NO_MORE,
                   {"query", errand->argument});
    } else {
        say_found(turn, errand, &found);
    }
    errand_over(turn, errand);
}

void errand_do_say_no_search(void *next, const struct msg *msg, struct turn *turn)
{
    const struct errand *errand = next;
    const int64_t status = ended_of(msg)->status;
    const bool has_none = status == 404 || status == 500 || status == 501;
    ERRAND_SAY(turn, errand, has_none ? TEXT_SEARCH_ABSENT : TEXT_GITTER_FAILED,
               {"why", why_failed(turn_arena(turn), ended_of(msg))});
    errand_over(turn, errand);
}
