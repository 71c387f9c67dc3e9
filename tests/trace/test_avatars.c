/* Pictures of people and rooms: fetched once, looked at, uploaded once, shown. */
#include "actors/avatar/avatar.h"
#include "actors/ghost/ghost.h"
#include "tests/trace/flow.h"
#include "tests/unit/slice_check.h"

#define URL "https://pictures.example/ann.png"
#define PNG "\x89PNG\r\n\x1a\n and so on"

static struct world world;

static void setup(void)
{
    world_open(&world);
    flow_bridge(&world);
    world.peers.avatar = URL;
    world.peers.picture = slice_make(PNG "\0\xff", sizeof PNG + 1);
}

static void teardown(void)
{
    world_close(&world);
}

static void says(const char *user)
{
    world_says(&world, "r1", user, "hello");
    world_settle(&world);
}

static void details(const char *avatar)
{
    const struct msg_link_record record = {
        .owner = SLICE(ALICE),
        .session = world.sessions,
        .channel = SLICE("/api/v1/user/ann/rooms"),
        .data = arena_printf(world.arena,
                             "{\"operation\":\"update\",\"model\":{\"id\":\"r1\",\"name\":"
                             "\"acme/ops\",\"avatarUrl\":\"%s\"}}",
                             avatar),
    };
    world_post(&world, MSG_LINK_RECORD, &record);
    world_settle(&world);
}

START_TEST(picture_is_fetched_and_uploaded_once_for_all)
{
    says("bob");
    ck_assert(world_said(&world, "fetch " URL "\n"));
    ck_assert(world_said(&world, "upload image/png\n"));
    ck_assert(world_said(&world, "picture @gitter_bob:hs mxc://hs/p1\n"));
    says("bob");
    says("eve");
    ck_assert(world_said(&world, "picture @gitter_eve:hs mxc://hs/p1\n"));
    ck_assert_int_eq(world.peers.pictures_fetched, 1);
    ck_assert_int_eq(world.peers.pictures_uploaded, 1);
    ck_assert_uint_eq(world_outbox(&world), 0);
}
END_TEST

START_TEST(several_wait_for_one_picture)
{
    world.is_held[MSG_AVATAR_FETCH_ENDED] = true;
    says("bob");
    says("eve");
    says("bob");
    world_crash(&world);
    world.is_held[MSG_AVATAR_FETCH_ENDED] = false;
    world_settle(&world);
    ck_assert(world_said(&world, "picture @gitter_bob:hs mxc://hs/p1\n"));
    ck_assert(world_said(&world, "picture @gitter_eve:hs mxc://hs/p1\n"));
    ck_assert_int_eq(world.peers.pictures_uploaded, 1);
}
END_TEST

START_TEST(changed_picture_is_shown)
{
    says("bob");
    world.peers.avatar = "/api/private/user-avatar/bob";
    world_forget(&world);
    says("bob");
    ck_assert(world_said(&world, "fetch https://gitter.example/api/private/user-avatar/bob\n"));
    ck_assert(world_said(&world, "picture @gitter_bob:hs mxc://hs/p2\n"));
}
END_TEST

START_TEST(room_shows_its_picture)
{
    details(URL);
    ck_assert(world_said(&world, "!made1 m.room.avatar {\"url\":\"mxc://hs/p1\"}\n"));
    world_forget(&world);
    details(URL);
    ck_assert(!world_said(&world, "m.room.avatar"));
}
END_TEST

/* What is not fetched at all. */
static const char *const not_fetched[] = {
    "http://pictures.example/x.png", "ftp://a.example/x",  "//a.example/x.png", "x.png",
    "http://gitter.example/x.png",   "javascript:alert(1)"};

START_TEST(other_urls_are_not_fetched)
{
    world.peers.avatar = not_fetched[_i];
    says("bob");
    ck_assert_int_eq(world.peers.pictures_fetched, 0);
}
END_TEST

START_TEST(what_is_no_picture_is_not_uploaded)
{
    world.peers.picture = SLICE("<svg xmlns=\"http://www.w3.org/2000/svg\"/>");
    says("bob");
    ck_assert_int_eq(world.peers.pictures_fetched, 1);
    ck_assert_int_eq(world.peers.pictures_uploaded, 0);
    world_assert_state(&world, ACTOR_AVATAR, URL, "FAILED");
}
END_TEST

START_TEST(failure_is_tried_again_a_few_times)
{
    world.peers.picture = SLICE_EMPTY;
    says("bob");
    for (int i = 0; i < 10; i++) {
        world_wait(&world, 6 * 60 * 60 * 1000);
    }
    ck_assert_int_eq(world.peers.pictures_fetched, 4);
    ck_assert(!world_said(&world, "picture @"));
}
END_TEST

START_TEST(picture_that_comes_late_is_shown)
{
    world.peers.picture = SLICE_EMPTY;
    says("bob");
    world.peers.picture = SLICE("GIF89a...");
    world_wait(&world, 6 * 60 * 60 * 1000);
    ck_assert(world_said(&world, "upload image/gif\n"));
    ck_assert(world_said(&world, "picture @gitter_bob:hs mxc://hs/p1\n"));
}
END_TEST

static void wait_days(int days)
{
    for (int i = 0; i < 4 * days; i++) {
        world_wait(&world, 6 * 60 * 60 * 1000);
    }
}

START_TEST(picture_that_the_homeserver_does_not_take_is_tried_again)
{
    world.is_held[MSG_AVATAR_UPLOAD_ENDED] = true;
    says("bob");
    world_end(&world, MSG_AVATAR_UPLOAD_ENDED, CALL_END_FAILED, 500, "{}");
    world.is_held[MSG_AVATAR_UPLOAD_ENDED] = false;
    world_settle(&world);
    world_assert_state(&world, ACTOR_AVATAR, URL, "FAILED");
    world_wait(&world, 6 * 60 * 60 * 1000);
    ck_assert(world_said(&world, "picture @gitter_bob:hs mxc://hs/p1\n"));
}
END_TEST

START_TEST(picture_that_nobody_asks_for_is_forgotten_and_fetched_for_the_next)
{
    says("bob");
    wait_days(20);
    says("eve"); /* she shows the same */
    wait_days(20);
    world_assert_state(&world, ACTOR_AVATAR, URL, "READY");
    says("bob"); /* he has it: nothing is asked for */
    wait_days(11);
    world_assert_state(&world, ACTOR_AVATAR, URL, "-");
    says("bob");
    ck_assert_int_eq(world.peers.pictures_fetched, 1);
    says("dan");
    ck_assert_int_eq(world.peers.pictures_fetched, 2);
    ck_assert(world_said(&world, "picture @gitter_dan:hs mxc://hs/p2\n"));
}
END_TEST

START_TEST(picture_that_was_not_to_be_had_is_tried_again_after_it_was_forgotten)
{
    world.peers.picture = SLICE_EMPTY;
    says("bob");
    wait_days(29);
    world_assert_state(&world, ACTOR_AVATAR, URL, "FAILED");
    says("eve");
    ck_assert_int_eq(world.peers.pictures_fetched, 4);
    wait_days(3);
    world_assert_state(&world, ACTOR_AVATAR, URL, "-");
    says("dan");
    ck_assert_int_eq(world.peers.pictures_fetched, 5);
}
END_TEST

START_TEST(pictures_can_be_switched_off)
{
    world.settings.shows_avatars = false;
    world.has_other_settings = true;
    says("bob");
    details(URL);
    ck_assert_int_eq(world.peers.pictures_fetched, 0);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("avatars");
    TCase *tests = tcase_create("avatars");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, picture_is_fetched_and_uploaded_once_for_all);
    tcase_add_test(tests, several_wait_for_one_picture);
    tcase_add_test(tests, changed_picture_is_shown);
    tcase_add_test(tests, room_shows_its_picture);
    tcase_add_loop_test(tests, other_urls_are_not_fetched, 0, (int)MACHINE_COUNT(not_fetched));
    tcase_add_test(tests, what_is_no_picture_is_not_uploaded);
    tcase_add_test(tests, failure_is_tried_again_a_few_times);
    tcase_add_test(tests, picture_that_comes_late_is_shown);
    tcase_add_test(tests, picture_that_the_homeserver_does_not_take_is_tried_again);
    tcase_add_test(tests, picture_that_nobody_asks_for_is_forgotten_and_fetched_for_the_next);
    tcase_add_test(tests, picture_that_was_not_to_be_had_is_tried_again_after_it_was_forgotten);
    tcase_add_test(tests, pictures_can_be_switched_off);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
