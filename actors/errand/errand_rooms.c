/* What an errand does with the rooms the user is in on Gitter. */
#include "actors/errand/errand.h"
#include "actors/errand/own_rooms.h"
#include "actors/lines.h"
#include "actors/room/room.h"
#include "runtime/base/buf.h"
#include "runtime/base/limits.h"

#include <inttypes.h>

bool errand_is_bridged(struct turn *turn,
                       const struct errand *errand,
                       const struct gitter_room *room)
{
    int state = 0;
    const struct slice key = key_of_room(turn_arena(turn), errand->user, room->id);
    return turn_exists(turn, (struct actor_ref){ACTOR_ROOM, key}, &state) &&
           room_state_is_bridged(state);
}

static struct slice number(struct turn *turn, size_t count)
{
    return arena_printf(turn_arena(turn), "%zu", count);
}

static void say_plain(struct turn *turn, const struct errand *errand, enum text text)
{
    const struct text_pair said = TEXT_PLAIN(turn_arena(turn), text);
    errand_say(turn, errand, &said);
}

/* Names change, and Gitter pushes no word of it: whoever sees the list passes it on. */
static void refresh(struct turn *turn, const struct errand *errand, const struct own_rooms *own)
{
    for (size_t i = 0; i < own->count; i++) {
        const struct gitter_room *room = &own->rooms[i];
        const struct msg_details details = {.label = gitter_room_label(room),
                                            .name = room->name,
                                            .topic = room->topic,
                                            .has_topic = true,
                                            .avatar = room->avatar_url};
        if (errand_is_bridged(turn, errand, room)) {
            const struct slice key = key_of_room(turn_arena(turn), errand->user, room->id);
            turn_send(turn, (struct actor_ref){ACTOR_FACE, key}, MSG_FACE_DETAILS, &details);
        }
    }
}

/* list */

enum {
    LIST_PAGE_LINES = 50
};

/* The numbers are those of all rooms, whatever the page. */
static void say_listed(struct turn *turn,
                       const struct errand *errand,
                       const struct own_rooms *own,
                       struct slice more)
{
    struct buf ids;
    buf_init(&ids, turn_arena(turn));
    for (size_t i = 0; i < own->count; i++) {
        buf_printf(&ids, "%s%.*s", i == 0 ? "" : " ", SLICE_ARGS(own->rooms[i].id));
    }
    const struct msg_listed listed = {.ids = buf_slice(&ids), .more = more};
    turn_send(turn, (struct actor_ref){ACTOR_USER, errand->user}, MSG_USER_LISTED, &listed);
}

/* `list 2` says the page itself. */
static int64_t page_of(const struct errand *errand)
{
    int64_t page = errand->page;
    return slice_to_int(errand->argument, &page) == RC_OK ? page : errand->page;
}

static void show_list(struct turn *turn, const struct errand *errand, struct own_rooms *own)
{
    struct arena *arena = turn_arena(turn);
    struct lines lines;
    if (own->count == 0) {
        say_plain(turn, errand, TEXT_LIST_EMPTY);
        return;
    }
    own_rooms_sort_by_label(own);
    lines_init(&lines, arena, page_of(errand), LIST_PAGE_LINES);
    for (size_t i = 0; i < own->count; i++) {
        const bool is_here = errand_is_bridged(turn, errand, &own->rooms[i]);
        if (lines_wants(&lines)) {
            LINES_PUT(&lines, is_here ? TEXT_LINE_BRIDGED : TEXT_LINE_ROOM,
                      {"number", number(turn, i + 1)}, {"room", gitter_room_label(&own->rooms[i])});
        }
    }
    const struct text_pair said =
        text_join(arena, TEXT_PLAIN(arena, TEXT_LIST_HEADER), lines_end(&lines));
    errand_say(turn, errand, &said);
    say_listed(turn, errand, own,
               lines_has_more(&lines) ? arena_printf(arena, "%" PRId64 " list ", lines.page + 1)
                                      : SLICE_EMPTY);
}

/* invite */

static void bridge(struct turn *turn,
                   const struct errand *errand,
                   const struct gitter_room *room,
                   bool is_asked)
{
    const struct msg_bridge msg = {
        .owner = errand->user,
        .gitter_room = room->id,
        .label = gitter_room_label(room),
        .name = room->name.len > 0 ? room->name : gitter_room_label(room),
        .topic = room->topic,
        .gitter_user = errand->gitter_user,
        .gitter_name = errand->gitter_name,
        .is_asked = is_asked,
        .is_direct = room->is_one_to_one,
        .avatar = room->avatar_url,
    };
    const struct slice key = key_of_room(turn_arena(turn), errand->user, room->id);
    turn_send(turn, (struct actor_ref){ACTOR_ROOM, key}, MSG_ROOM_BRIDGE, &msg);
}

size_t errand_rooms_left(struct turn *turn, const struct errand *errand)
{
    const size_t max = (size_t)settings_of(turn)->owner_rooms_max;
    struct actor_entry *rooms = NULL;
    size_t bridged = 0;
    if (max == 0) {
        return SIZE_MAX;
    }
    const size_t count = turn_find(turn, ACTOR_ROOM, "owner", errand->user, &rooms);
    for (size_t i = 0; i < count; i++) {
        bridged += room_state_is_bridged(rooms[i].state) ? 1 : 0;
    }
    return bridged < max ? max - bridged : 0;
}

static void say_full(struct turn *turn, const struct errand *errand)
{
    ERRAND_SAY(turn, errand, TEXT_ROOMS_FULL,
               {"max", number(turn, (size_t)settings_of(turn)->owner_rooms_max)});
}

bool errand_bridge_asked(struct turn *turn,
                         const struct errand *errand,
                         const struct gitter_room *room,
                         size_t *left)
{
    const bool is_new = !errand_is_bridged(turn, errand, room);
    if (is_new && *left == 0) {
        say_full(turn, errand);
        return false;
    }
    *left -= is_new ? 1 : 0;
    bridge(turn, errand, room, true);
    return true;
}

/* Bridges the first `max` of the rooms that are not bridged yet; returns how many. */
static size_t
bridge_some(struct turn *turn, const struct errand *errand, const struct own_rooms *own, size_t max)
{
    size_t bridged = 0;
    for (size_t i = 0; i < own->count && bridged < max; i++) {
        if (!errand_is_bridged(turn, errand, &own->rooms[i])) {
            bridge(turn, errand, &own->rooms[i], false);
            bridged++;
        }
    }
    const struct msg_count inviting = {.count = (int64_t)bridged};
    turn_send(turn, (struct actor_ref){ACTOR_USER, errand->user}, MSG_USER_INVITING, &inviting);
    return bridged;
}

static size_t
count_missing(struct turn *turn, const struct errand *errand, const struct own_rooms *own)
{
    size_t missing = 0;
    for (size_t i = 0; i < own->count; i++) {
        missing += errand_is_bridged(turn, errand, &own->rooms[i]) ? 0 : 1;
    }
    return missing;
}

static void offer_rooms(struct turn *turn, const struct errand *errand, struct own_rooms *own)
{
    const size_t left = errand_rooms_left(turn, errand);
    const size_t wanted = (size_t)settings_of(turn)->login_invites_max;
    const size_t max = wanted < left ? wanted : left;
    const size_t missing = count_missing(turn, errand, own);
    if (missing == 0) {
        return;
    }
    if (max == 0) {
        ERRAND_SAY(turn, errand, TEXT_OFFERING_ROOMS, {"total", number(turn, own->count)});
        return;
    }
    own_rooms_sort_by_activity(own);
    const size_t bridged = bridge_some(turn, errand, own, max);
    if (bridged < missing) {
        ERRAND_SAY(turn, errand, TEXT_INVITING_FIRST, {"count", number(turn, bridged)},
                   {"total", number(turn, own->count)});
    } else {
        ERRAND_SAY(turn, errand, TEXT_INVITING_SOME, {"count", number(turn, bridged)});
    }
}

static void invite_all(struct turn *turn, const struct errand *errand, struct own_rooms *own)
{
    const size_t left = errand_rooms_left(turn, errand);
    own_rooms_sort_by_activity(own);
    const size_t missing = count_missing(turn, errand, own);
    const size_t bridged = bridge_some(turn, errand, own, left);
    if (bridged > 0) {
        ERRAND_SAY(turn, errand, TEXT_INVITING_SOME, {"count", number(turn, bridged)});
    } else if (missing == 0) {
        say_plain(turn, errand, TEXT_INVITING_NONE);
    }
    if (bridged < missing) {
        say_full(turn, errand);
    }
}

/* The same for a place as the user wrote it. */
static struct slice listed_as(const struct errand *errand, struct slice word)
{
    int64_t place = 0;
    return slice_to_int(word, &place) == RC_OK ? lines_id(errand->numbers, place) : SLICE_EMPTY;
}

static bool is_number(struct slice word)
{
    int64_t value = 0;
    return slice_to_int(word, &value) == RC_OK;
}

static bool are_numbers(struct slice words)
{
    while (words.len > 0) {
        const struct slice word = slice_cut(&words, ' ');
        if (word.len > 0 && !is_number(word)) {
            return false;
        }
    }
    return true;
}

/* `invite 1 3 5`, with one answer for what is not there. */
static void
invite_numbers(struct turn *turn, const struct errand *errand, const struct own_rooms *own)
{
    struct slice rest = errand->argument;
    size_t left = errand_rooms_left(turn, errand);
    bool is_full = false;
    while (rest.len > 0 && !is_full) {
        const struct slice word = slice_cut(&rest, ' ');
        const struct gitter_room *room =
            word.len == 0 ? NULL : own_rooms_find(own, errand->numbers, word);
        if (room != NULL) {
            is_full = !errand_bridge_asked(turn, errand, room, &left);
        } else if (word.len > 0) {
            ERRAND_SAY(turn, errand,
                       listed_as(errand, word).len > 0 ? TEXT_NUMBER_NOT_JOINED
                                                       : TEXT_NO_SUCH_NUMBER,
                       {"number", slice_first(word, 20)});
        }
    }
}

/* No name of a room or person is longer, or has control characters in it. */
static bool is_name(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.ptr[i] <= ' ') {
            return false;
        }
    }
    return text.len > 0 && text.len <= MATRIX_ID_BYTES_MAX;
}

/* A name with a slash can only be a room's; one without may be a person's. */
static void ask_gitter(struct turn *turn, const struct errand *errand)
{
    if (!is_name(errand->argument)) {
        ERRAND_SAY(turn, errand, TEXT_NOWHERE, {"room", slice_first(errand->argument, 60)});
        return;
    }
    const bool has_slash = slice_find_byte(errand->argument, '/') < errand->argument.len;
    errand_go_on(turn, errand, MSG_ERRAND_NEXT, has_slash ? SLICE("resolve") : SLICE("look"));
}

static void invite(struct turn *turn, const struct errand *errand, struct own_rooms *own)
{
    const struct slice name = errand->argument;
    size_t left = errand_rooms_left(turn, errand);
    if (slice_equal_fold(name, SLICE("all"))) {
        invite_all(turn, errand, own);
    } else if (are_numbers(name)) {
        invite_numbers(turn, errand, own);
    } else if (own_rooms_find(own, errand->numbers, name) != NULL) {
        (void)errand_bridge_asked(turn, errand, own_rooms_find(own, errand->numbers, name), &left);
    } else {
        ask_gitter(turn, errand);
    }
}

static void join(struct turn *turn, struct errand *errand, const struct own_rooms *own)
{
    const struct gitter_room *room = own_rooms_find(own, errand->numbers, errand->argument);
    if (room != NULL) {
        ERRAND_SAY(turn, errand, TEXT_ALREADY_JOINED, {"room", gitter_room_label(room)});
    } else if (listed_as(errand, errand->argument).len > 0) { /* by a search */
        errand->gitter_room = listed_as(errand, errand->argument);
        errand_go_on(turn, errand, MSG_ERRAND_NEXT, SLICE("resolve"));
    } else if (is_number(errand->argument)) {
        ERRAND_SAY(turn, errand, TEXT_NO_SUCH_NUMBER,
                   {"number", slice_first(errand->argument, 20)});
    } else {
        ask_gitter(turn, errand);
    }
}

static void part(struct turn *turn, struct errand *errand, const struct own_rooms *own)
{
    const struct gitter_room *room = own_rooms_find(own, errand->numbers, errand->argument);
    if (room == NULL) {
        ERRAND_SAY(turn, errand, TEXT_NO_SUCH_ROOM, {"room", slice_first(errand->argument, 255)});
        return;
    }
    errand->gitter_room = room->id;
    errand->label = gitter_room_label(room);
    errand_go_on(turn, errand, MSG_ERRAND_NEXT, SLICE("part"));
}

/* What is bridged and not in the list was left while nobody listened, or only hidden: the face asks
 * which. */
static void review(struct turn *turn, const struct errand *errand, const struct own_rooms *own)
{
    struct actor_entry *rooms = NULL;
    const size_t count = turn_find(turn, ACTOR_ROOM, "owner", errand->user, &rooms);
    for (size_t i = 0; i < count; i++) {
        if (room_state_has_feed(rooms[i].state) &&
            own_rooms_find_id(own, room_key_gitter_room(rooms[i].key)) == NULL) {
            turn_send(turn, (struct actor_ref){ACTOR_FACE, rooms[i].key}, MSG_FACE_OWNER_GONE,
                      &nothing);
        }
    }
}

static void say_unreadable(struct turn *turn, const struct errand *errand)
{
    if (!errand_is(errand, SLICE("review"))) {
        ERRAND_SAY(turn, errand, TEXT_GITTER_FAILED, {"why", text_template(TEXT_WHY_BAD)});
    }
}

void errand_do_use_rooms(void *next, const struct msg *msg, struct turn *turn)
{
    struct errand *errand = next;
    struct own_rooms own = {0};
    if (!own_rooms_read(turn, msg, &own)) {
        say_unreadable(turn, errand);
    } else {
        own_rooms_sort_by_label(&own);
        refresh(turn, errand, &own);
        if (errand_is(errand, SLICE("list"))) {
            show_list(turn, errand, &own);
        } else if (errand_is(errand, SLICE("invite"))) {
            invite(turn, errand, &own);
        } else if (errand_is(errand, SLICE("gjoin"))) {
            join(turn, errand, &own);
        } else if (errand_is(errand, SLICE("gpart"))) {
            part(turn, errand, &own);
        } else if (errand_is(errand, SLICE("review"))) {
            review(turn, errand, &own);
        } else {
            offer_rooms(turn, errand, &own);
        }
    }
    /* the end, unless a step was asked for above: then this finds the errand in another state */
    errand_go_on(turn, errand, MSG_ERRAND_NEXT, SLICE("done"));
}
