/* Invites of the bot that never came, found after a start among what it was to be told of. */
#include "actors/muster/muster.h"
#include "tests/trace/flow.h"
#include "tests/trace/world_parts.h"
#include "tests/unit/slice_check.h"

static struct world world;

static void setup(void)
{
    world_open(&world);
    flow_bridge(&world);
}

static void teardown(void)
{
    world_close(&world);
}

enum {
    DAY_MS = 24 * 3600 * 1000
};

static const char *notice(const char *room, const char *id, const char *sender, int days_ago)
{
    return arena_printf(world.arena,
                        "{\"room_id\":\"%s\",\"ts\":%lld,\"event\":{\"type\":\"m.room.member\","
                        "\"event_id\":\"%s\",\"sender\":\"%s\",\"state_key\":\"" BOT "\","
                        "\"content\":{\"membership\":\"invite\"}}}",
                        room, (long long)(world.now_ms - (int64_t)days_ago * DAY_MS), id, sender)
        .ptr;
}

/* On that page of what the bot was to be told of. */
static void has_notices(int page, const char *first, const char *second)
{
    world.peers.notices[page] =
        arena_printf(world.arena, "[%s%s%s]", first, second[0] == '\0' ? "" : ",", second).ptr;
}

static void carla_waits_in(const char *room)
{
    world.peers.members = "{\"" BOT "\":{},\"@carla:hs\":{}}";
    peers_note(&world.peers, flow_fact(&world, "invited", room, BOT));
}

START_TEST(invite_that_never_came_is_taken_once)
{
    carla_waits_in("!lost");
    has_notices(0, notice("!lost", "$lost", "@carla:hs", 0), "");
    flow_restart(&world);
    world_assert_state(&world, ACTOR_CHAT, "!lost", "PRIVATE");
    ck_assert(world_said(&world, "!lost @bot:hs m.notice: Hi carla!"));
    world_member(&world, "!lost", "@carla:hs", "@carla:hs", "join>leave");
    world_settle(&world);
    world_assert_state(&world, ACTOR_CHAT, "!lost", "-");
    world_forget(&world);
    (void)world_event(&world, SLICE("{\"event_id\":\"$lost\",\"type\":\"m.room.member\","
                                    "\"room_id\":\"!lost\",\"sender\":\"@carla:hs\","
                                    "\"state_key\":\"" BOT "\","
                                    "\"content\":{\"membership\":\"invite\"}}"));
    peers_unlearn(&world.peers, flow_fact(&world, "joined", "!lost", BOT));
    flow_restart(&world);
    ck_assert(!world_said(&world, "!lost"));
    flow_assert_mustered(&world);
}
END_TEST

START_TEST(invite_that_was_handled_when_it_came_is_not_taken_again)
{
    world_member(&world, "!left", "@carla:hs", BOT, "invite");
    const char *id = arena_printf(world.arena, "$in%lld", (long long)world.ids).ptr;
    world.peers.members = "{\"" BOT "\":{},\"@carla:hs\":{}}";
    world_settle(&world);
    world_member(&world, "!left", "@carla:hs", "@carla:hs", "join>leave");
    world_settle(&world);
    world_assert_state(&world, ACTOR_CHAT, "!left", "-");
    world_forget(&world);
    has_notices(0, notice("!left", id, "@carla:hs", 0), "");
    flow_restart(&world);
    ck_assert(!world_said(&world, "!left"));
}
END_TEST

START_TEST(invites_are_read_as_far_back_as_there_is_something_new)
{
    carla_waits_in("!one");
    carla_waits_in("!two");
    has_notices(0, notice("!one", "$one", "@carla:hs", 0), "{\"event\":3}");
    has_notices(1, notice("!old", "$old", "@carla:hs", 8), notice("!two", "$two", "@carla:hs", 6));
    flow_restart(&world);
    world_assert_state(&world, ACTOR_CHAT, "!two", "PRIVATE");
    ck_assert(world_said(&world, "!one join @bot:hs\n"));
    ck_assert(!world_said(&world, "!old"));
    has_notices(1, notice("!new", "$new", "@carla:hs", 0), "");
    flow_restart(&world);
    ck_assert(!world_said(&world, "!new"));
    flow_assert_mustered(&world);
}
END_TEST

START_TEST(invite_is_found_behind_what_else_was_said)
{
    carla_waits_in("!lost");
    has_notices(0, "{\"event\":{\"type\":\"m.room.message\",\"content\":{}}}", "");
    has_notices(1, notice("!lost", "$lost", "@carla:hs", 0), "");
    flow_restart(&world);
    world_assert_state(&world, ACTOR_CHAT, "!lost", "PRIVATE");
    flow_assert_mustered(&world);
}
END_TEST

START_TEST(notifications_without_end_are_not_read_to_the_end)
{
    has_notices(0, "{}", "");
    has_notices(1, "{}", "");
    world.peers.has_endless_notices = true;
    flow_restart(&world);
    ck_assert_int_eq(world.peers.notices_read, MUSTER_PAGES_MAX);
    flow_assert_mustered(&world);
}
END_TEST

START_TEST(invite_that_never_came_is_declined_where_it_would_have_been)
{
    has_notices(0, notice("!theirs", "$one", "@mallory:hs", 0),
                notice("!ghost", "$two", "@gitter_bob:hs", 0));
    world_forget(&world);
    flow_restart(&world);
    ck_assert(world_said(&world, "!theirs leave @bot:hs\n"));
    ck_assert(world_said(&world, "!ghost leave @bot:hs\n"));
    ck_assert(!world_said(&world, "join @bot:hs"));
}
END_TEST

START_TEST(rooms_are_looked_at_again_when_a_start_finds_invites_asked_for)
{
    world.is_held[MSG_MUSTER_INVITES_ENDED] = true;
    flow_restart(&world);
    peers_note(&world.peers, flow_fact(&world, "joined", "!old", BOT));
    peers_note(&world.peers, SLICE("made !old for @alice:hs|r9"));
    flow_restart(&world);
    carla_waits_in("!lost");
    has_notices(0, notice("!lost", "$lost", "@carla:hs", 0), "");
    world.is_held[MSG_MUSTER_INVITES_ENDED] = false;
    world_settle(&world);
    ck_assert(!peers_know(&world.peers, flow_fact(&world, "joined", "!old", BOT)));
    world_assert_state(&world, ACTOR_CHAT, "!lost", "PRIVATE");
    flow_assert_mustered(&world);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("muster_invites");
    TCase *tests = tcase_create("muster_invites");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, invite_that_never_came_is_taken_once);
    tcase_add_test(tests, invite_that_was_handled_when_it_came_is_not_taken_again);
    tcase_add_test(tests, invites_are_read_as_far_back_as_there_is_something_new);
    tcase_add_test(tests, invite_is_found_behind_what_else_was_said);
    tcase_add_test(tests, notifications_without_end_are_not_read_to_the_end);
    tcase_add_test(tests, invite_that_never_came_is_declined_where_it_would_have_been);
    tcase_add_test(tests, rooms_are_looked_at_again_when_a_start_finds_invites_asked_for);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
