/* The way from the login link to an account, and all that can go wrong on it. */
#include "actors/user/user.h"
#include "tests/trace/flow.h"
#include "tests/unit/slice_check.h"

static struct world world;

static void setup(void)
{
    world_open(&world);
    world.peers.rooms = flow_rooms;
    flow_chat(&world, CHAT, ALICE);
    world_forget(&world);
}

static void teardown(void)
{
    world_close(&world);
}

static bool page_has(const char *text)
{
    return slice_find(world.page.body, slice_from_cstr(text)) < world.page.body.len;
}

static struct slice token(void)
{
    const struct user *user = world_peek(&world, ACTOR_USER, SLICE(ALICE));
    return user->token;
}

/* A link after the first was used up works. */
static void log_in_after_all(void)
{
    const struct slice state = arena_copy(world.arena, flow_state(&world));
    const struct slice cookie = flow_begin(&world);
    ck_assert_int_eq(flow_callback(&world, state, cookie)->status, 200);
    world_assert_state(&world, ACTOR_USER, ALICE, "AUTHED");
}

START_TEST(login_goes_from_link_to_account)
{
    const struct slice state = flow_state(&world);
    ck_assert_int_eq(world_web(&world, "GET", flow_link(&world), SLICE_EMPTY)->status, 200);
    ck_assert(page_has("Continue to Gitter") && page_has("@alice:hs"));
    const struct slice cookie = flow_begin(&world);
    const struct slice wanted = arena_printf(
        world.arena,
        "https://gitter.example/login/oauth/authorize?client_id=client&response_type=code&"
        "redirect_uri=https%%3A%%2F%%2Flogin.example%%2Fcallback&state=%.*s",
        SLICE_ARGS(state));
    ck_slice_eq(world.page.location, wanted);
    ck_assert(slice_find(world.page.set_cookie, SLICE("HttpOnly; SameSite=Lax; Secure")) <
              world.page.set_cookie.len);
    ck_assert_int_eq(flow_callback(&world, state, cookie)->status, 200);
    ck_assert(page_has("ann_g") && page_has("@alice:hs"));
    world_assert_state(&world, ACTOR_USER, ALICE, "AUTHED");
    world_assert_state(&world, ACTOR_FEED, ALICE, "LIVE");
    ck_text_eq(token(), "token-ann");
    world_expect(&world, "gitter gives a token of ann\n"
                         "link @alice:hs open\n"
                         "!chat @bot:hs m.notice: You are now logged in as ann_g.\n"
                         "!chat @bot:hs m.notice: You are in 3 rooms on Gitter. Say `list` to see "
                         "them, and `invite ROOM` or `invite all` to bring the\n");
}
END_TEST

START_TEST(login_invites_to_the_room_used_last)
{
    world.settings.login_invites_max = 1;
    log_in_after_all();
    ck_assert(world_said(&world, "create \"Beta/dev (Gitter)\" as !made1\n"));
    ck_assert(world_said(&world, "!made1 invite @alice:hs\n"));
    ck_assert(world_said(&world, "I am inviting you to the 1 most recently used of your 3 Gitter "
                                 "rooms."));
    ck_assert_int_eq(world.peers.rooms_made, 1);
}
END_TEST

START_TEST(login_invites_to_all_rooms_but_those_only_seen)
{
    world.settings.login_invites_max = 20;
    log_in_after_all();
    ck_assert_int_eq(world.peers.rooms_made, 3);
    ck_assert(world_said(&world, "create \"Beta/dev (Gitter)\" as !made1\n"));
    ck_assert(world_said(&world, "create \"acme/ops (Gitter)\" as !made2\n"));
    ck_assert(world_said(&world, "create \"alpha/all (Gitter)\" as !made3\n"));
    ck_assert(world_said(&world, "I am inviting you to 3 of your Gitter rooms."));
    ck_assert(world_said(&world, "link @alice:hs subscribe r3\n"));
}
END_TEST

START_TEST(preview_of_a_link_binds_nothing)
{
    for (int i = 0; i < 3; i++) {
        world_web(&world, i == 0 ? "HEAD" : "GET", flow_link(&world), SLICE_EMPTY);
        ck_assert_int_eq(world.page.status, 200);
        ck_assert(page_has("Continue to Gitter"));
    }
    log_in_after_all();
}
END_TEST

START_TEST(button_twice_in_one_browser_works)
{
    const struct slice cookie = flow_begin(&world);
    ck_assert_int_eq(flow_press(&world, cookie)->status, 303);
    ck_assert_int_eq(world_web(&world, "GET", flow_link(&world), cookie)->status, 200);
    ck_assert(page_has("Continue to Gitter"));
    ck_assert_int_eq(flow_press(&world, cookie)->status, 303);
    ck_assert_int_eq(flow_callback(&world, flow_state(&world), cookie)->status, 200);
}
END_TEST

START_TEST(two_tabs_of_one_browser_share_the_cookie)
{
    const struct slice cookie = flow_open(&world);
    world_web(&world, "GET", flow_link(&world), cookie);
    ck_assert(slice_starts_with(world.page.set_cookie, cookie));
    ck_assert_int_eq(flow_press(&world, cookie)->status, 303);
}
END_TEST

/* Another site can have its visitors send a form, but knows no cookie of theirs for us. */
START_TEST(button_pressed_on_another_page_does_nothing)
{
    const struct slice link = flow_link(&world);
    const struct slice cookie = flow_open(&world);
    struct slice value = cookie;
    (void)slice_cut(&value, '=');
    const struct slice proof = arena_printf(world.arena, "proof=%.*s", SLICE_ARGS(value));
    const struct slice doubled =
        arena_printf(world.arena, "%.*s&%.*s", SLICE_ARGS(proof), SLICE_ARGS(proof));
    const struct slice other = SLICE("proof=0123456789012345678901234567890123456789");
    const struct {
        struct slice cookie;
        struct slice form;
    } forged[] = {
        {SLICE_EMPTY, SLICE_EMPTY}, {cookie, SLICE_EMPTY}, {SLICE_EMPTY, proof},
        {cookie, SLICE("proof=")},  {cookie, other},       {SLICE("__Host-gitterd_x=1"), proof},
        {cookie, doubled},
    };
    for (size_t i = 0; i < sizeof forged / sizeof forged[0]; i++) {
        ck_assert_int_eq(world_submit(&world, link, forged[i].cookie, forged[i].form)->status, 403);
        ck_assert_uint_eq(world.page.location.len, 0);
        ck_assert(page_has("press the button once more") && page_has("/auth_gitter/"));
    }
    ck_assert_int_eq(flow_press(&world, cookie)->status, 303);
    ck_assert_int_eq(world_submit(&world, link, cookie, SLICE_EMPTY)->status, 403);
    ck_assert_uint_eq(world.page.location.len, 0);
}
END_TEST

/* A cookie of the same name that another host of the domain has set locks nobody out, and one that
 * only looks like ours is none. */
START_TEST(foreign_cookies_do_no_harm)
{
    const struct slice name =
        slice_first(flow_open(&world), slice_find_byte(flow_open(&world), '='));
    const struct slice junk = arena_printf(
        world.arena,
        "%.*s=; %.*s=short; x%.*s=1; a; =; %.*s=ABCDEFABCDEFABCDEFABCDEFABCDEFABCDEFABCD",
        SLICE_ARGS(name), SLICE_ARGS(name), SLICE_ARGS(name), SLICE_ARGS(name));
    world_web(&world, "GET", flow_link(&world), junk);
    ck_assert(slice_starts_with(world.page.set_cookie, name));
    ck_assert(!slice_starts_with(world.page.set_cookie,
                                 arena_printf(world.arena, "%.*s=ABC", SLICE_ARGS(name))));
    const struct slice cookie = flow_begin(&world);
    const struct slice tossed =
        arena_printf(world.arena, "%.*s=0000000000000000000000000000000000000000; %.*s; %.*s",
                     SLICE_ARGS(name), SLICE_ARGS(junk), SLICE_ARGS(cookie));
    ck_assert_int_eq(world_web(&world, "GET", flow_link(&world), tossed)->status, 200);
    ck_assert_int_eq(flow_callback(&world, flow_state(&world), tossed)->status, 200);
}
END_TEST

/* A cookie for https alone cannot have come from a host beside ours; one without that name can. */
START_TEST(cookie_has_the_name_that_only_we_can_set)
{
    const struct slice cookie = flow_open(&world);
    ck_assert(slice_starts_with(cookie, SLICE("__Host-gitterd_")));
    ck_assert(slice_ends_with(world.page.set_cookie,
                              SLICE("; Path=/; Max-Age=600; HttpOnly; SameSite=Lax; Secure")));
    const struct slice bare = slice_from(cookie, sizeof "__Host-" - 1);
    ck_assert_int_eq(flow_press(&world, bare)->status, 403);
    world.settings.is_login_https = false;
    world.has_other_settings = true;
    ck_assert(slice_starts_with(flow_open(&world), SLICE("gitterd_")));
    ck_assert(slice_ends_with(world.page.set_cookie, SLICE("; HttpOnly; SameSite=Lax")));
}
END_TEST

START_TEST(other_browser_is_refused)
{
    const struct slice state = flow_state(&world);
    const struct slice cookie = flow_begin(&world);
    ck_assert_int_eq(world_web(&world, "GET", flow_link(&world), SLICE_EMPTY)->status, 403);
    ck_assert_int_eq(world_web(&world, "POST", flow_link(&world), SLICE_EMPTY)->status, 403);
    ck_assert_int_eq(flow_callback(&world, state, SLICE_EMPTY)->status, 403);
    ck_assert_int_eq(flow_callback(&world, state, SLICE("__Host-gitterd_=1"))->status, 403);
    ck_assert_int_eq(flow_callback(&world, state, SLICE("gitterd_x=1; other=2"))->status, 403);
    ck_assert(page_has("another browser"));
    world_assert_state(&world, ACTOR_USER, ALICE, "UNAUTHENTICATED");
    ck_assert_int_eq(flow_callback(&world, state, cookie)->status, 200);
}
END_TEST

START_TEST(forged_states_are_refused)
{
    const struct slice cookie = flow_begin(&world);
    const struct slice state = flow_state(&world);
    const struct slice handle = slice_first(state, slice_find_byte(state, '.'));
    const struct slice forged[] = {
        arena_printf(world.arena, "%.*s.00112233", SLICE_ARGS(handle)),
        arena_printf(world.arena, "%.*s.", SLICE_ARGS(handle)),
        handle,
        SLICE("."),
        SLICE("nothing"),
        SLICE("%00.%00"),
        slice_first(state, state.len - 1),
    };
    for (size_t i = 0; i < sizeof forged / sizeof forged[0]; i++) {
        ck_assert_int_eq(flow_callback(&world, forged[i], cookie)->status, 404);
        const struct slice link =
            arena_printf(world.arena, "/auth_gitter/%.*s", SLICE_ARGS(forged[i]));
        ck_assert_int_eq(world_web(&world, "GET", link, cookie)->status, 404);
        ck_assert_int_eq(world_web(&world, "POST", link, cookie)->status, 404);
    }
    ck_assert(page_has("This link does not work"));
    ck_assert_int_eq(flow_callback(&world, state, cookie)->status, 200);
}
END_TEST

START_TEST(callback_without_state_or_with_two_is_refused)
{
    ck_assert_int_eq(world_web(&world, "GET", SLICE("/callback"), SLICE_EMPTY)->status, 404);
    ck_assert_int_eq(world_web(&world, "GET", SLICE("/callback?code=x"), SLICE_EMPTY)->status, 404);
    const struct slice cookie = flow_begin(&world);
    const struct slice state = flow_state(&world);
    const struct slice twice = arena_printf(world.arena, "/callback?code=x&state=%.*s&state=%.*s",
                                            SLICE_ARGS(state), SLICE_ARGS(state));
    ck_assert_int_eq(world_web(&world, "GET", twice, cookie)->status, 404);
}
END_TEST

START_TEST(denied_consent_is_told_with_a_new_link)
{
    const struct slice first = arena_copy(world.arena, flow_link(&world));
    const struct slice cookie = flow_begin(&world);
    const struct slice target = arena_printf(
        world.arena, "/callback?error=access_denied&state=%.*s", SLICE_ARGS(flow_state(&world)));
    ck_assert_int_eq(world_web(&world, "GET", target, cookie)->status, 200);
    ck_assert(page_has("You did not allow"));
    ck_assert(world_said(&world, "The login did not work: you did not allow it on Gitter."));
    ck_assert(!slice_equal(first, flow_link(&world)));
    ck_assert_int_eq(world_web(&world, "GET", first, cookie)->status, 410);
    ck_assert(page_has("was used before"));
    log_in_after_all();
}
END_TEST

START_TEST(link_ends_after_ten_minutes)
{
    const struct slice state = flow_state(&world);
    const struct slice cookie = flow_begin(&world);
    world_wait(&world, 10 * 60 * 1000 - 1);
    ck_assert_int_eq(world_web(&world, "GET", flow_link(&world), cookie)->status, 200);
    world_wait(&world, 1);
    ck_assert_int_eq(world_web(&world, "GET", flow_link(&world), cookie)->status, 410);
    ck_assert(page_has("too old"));
    ck_assert_int_eq(flow_press(&world, cookie)->status, 410);
    ck_assert_int_eq(flow_callback(&world, state, cookie)->status, 410);
    ck_assert(page_has("too old"));
    const struct slice wrong = arena_printf(world.arena, "%.*sx", SLICE_ARGS(flow_link(&world)));
    ck_assert_int_eq(world_web(&world, "GET", wrong, cookie)->status, 404);
    world_text(&world, CHAT, ALICE, "hello?");
    world_settle(&world);
    log_in_after_all();
}
END_TEST

START_TEST(old_link_is_forgotten_after_a_day)
{
    world_wait(&world, 10 * 60 * 1000);
    ck_assert_int_eq(world_web(&world, "GET", flow_link(&world), SLICE_EMPTY)->status, 410);
    world_wait(&world, 24 * 60 * 60 * 1000);
    ck_assert_int_eq(world_web(&world, "GET", flow_link(&world), SLICE_EMPTY)->status, 404);
    ck_assert(page_has("does not work"));
}
END_TEST

START_TEST(link_works_once)
{
    const struct slice state = flow_state(&world);
    const struct slice link = flow_link(&world);
    const struct slice cookie = flow_begin(&world);
    ck_assert_int_eq(flow_callback(&world, state, cookie)->status, 200);
    world_forget(&world);
    ck_assert_int_eq(flow_callback(&world, state, SLICE_EMPTY)->status, 410);
    ck_assert_int_eq(world_web(&world, "GET", link, SLICE_EMPTY)->status, 410);
    ck_assert_int_eq(world_web(&world, "POST", link, cookie)->status, 410);
    ck_assert(page_has("was used before") && !page_has("ann_g"));
    ck_assert(!world_said(&world, "gitter gives a token"));
}
END_TEST

/* Who reloads the last page sees it again, and nothing is done again. */
START_TEST(reload_shows_the_same_page)
{
    const struct slice state = flow_state(&world);
    const struct slice link = flow_link(&world);
    const struct slice cookie = flow_begin(&world);
    ck_assert_int_eq(flow_callback(&world, state, cookie)->status, 200);
    world_forget(&world);
    ck_assert_int_eq(flow_callback(&world, state, cookie)->status, 200);
    ck_assert(page_has("ann_g") && page_has("@alice:hs"));
    ck_assert_int_eq(world_web(&world, "GET", link, cookie)->status, 200);
    ck_assert(page_has("ann_g"));
    ck_assert(!world_said(&world, "gitter gives a token"));
}
END_TEST

START_TEST(reload_while_the_code_is_exchanged_does_not_use_it_again)
{
    const struct slice state = flow_state(&world);
    const struct slice cookie = flow_begin(&world);
    world.is_held[MSG_LOGIN_TOKEN_ENDED] = true;
    ck_assert_int_eq(flow_callback(&world, state, cookie)->status, 0);
    ck_assert_int_eq(flow_callback(&world, state, cookie)->status, 410);
    world.is_held[MSG_LOGIN_TOKEN_ENDED] = false;
    world_settle(&world);
    world_assert_state(&world, ACTOR_USER, ALICE, "AUTHED");
}
END_TEST

START_TEST(expiry_while_the_code_is_exchanged_is_told)
{
    const struct slice state = flow_state(&world);
    const struct slice cookie = flow_begin(&world);
    world.is_held[MSG_LOGIN_TOKEN_ENDED] = true;
    ck_assert_int_eq(flow_callback(&world, state, cookie)->status, 0);
    world_wait(&world, 10 * 60 * 1000);
    ck_assert_int_eq(world.page.status, 410);
    ck_assert(page_has("too old"));
}
END_TEST

START_TEST(login_that_was_replaced_while_its_code_is_exchanged_stays_ended)
{
    const struct slice state = flow_state(&world);
    const struct slice cookie = flow_begin(&world);
    world.is_held[MSG_LOGIN_TOKEN_ENDED] = true;
    (void)flow_callback(&world, state, cookie);
    (void)world_text(&world, CHAT, ALICE, "login");
    world_settle(&world);
    ck_assert_int_eq(world.page.status, 404);
    world_wait(&world, 11 * 60 * 1000);
    world_end(&world, MSG_LOGIN_TOKEN_ENDED, CALL_END_FAILED, 400, "{}");
    world_settle(&world);
    ck_assert_str_eq(
        world_state(&world, ACTOR_LOGIN, slice_first(state, slice_find_byte(state, '.'))), "-");
}
END_TEST

/* A HEAD at the callback is no visit: it must not use up the code. */
START_TEST(head_at_the_callback_changes_nothing)
{
    const struct slice state = flow_state(&world);
    const struct slice cookie = flow_begin(&world);
    const struct slice target =
        arena_printf(world.arena, "/callback?code=abc&state=%.*s", SLICE_ARGS(state));
    ck_assert_int_eq(world_web(&world, "HEAD", target, cookie)->status, 200);
    ck_assert_int_eq(flow_callback(&world, state, cookie)->status, 200);
}
END_TEST

/* Whatever the request says, the browser is sent to the Gitter of the configuration. */
START_TEST(redirect_leads_to_gitter_alone)
{
    const struct slice link = flow_link(&world);
    const struct slice cookie = flow_open(&world);
    struct slice value = cookie;
    (void)slice_cut(&value, '=');
    const struct slice target =
        arena_printf(world.arena, "%.*s?redirect_uri=https://evil.example&next=//evil.example",
                     SLICE_ARGS(link));
    const struct slice form = arena_printf(
        world.arena, "proof=%.*s&redirect_uri=https%%3A%%2F%%2Fevil.example", SLICE_ARGS(value));
    ck_assert_int_eq(world_submit(&world, target, cookie, form)->status, 303);
    ck_assert(slice_starts_with(world.page.location,
                                SLICE("https://gitter.example/login/oauth/authorize?")));
    ck_assert_uint_eq(slice_find(world.page.location, SLICE("evil")), world.page.location.len);
}
END_TEST

static void exchange_ends(enum call_end end, int status, const char *body)
{
    const struct slice state = flow_state(&world);
    const struct slice cookie = flow_begin(&world);
    world.is_held[MSG_LOGIN_TOKEN_ENDED] = true;
    ck_assert_int_eq(flow_callback(&world, state, cookie)->status, 0);
    world_end(&world, MSG_LOGIN_TOKEN_ENDED, end, status, body);
    world_settle(&world);
    ck_assert_int_eq(world.page.status, 502);
    ck_assert(world_said(&world, "The login did not work: Gitter did not confirm it."));
    world.is_held[MSG_LOGIN_TOKEN_ENDED] = false;
    log_in_after_all();
}

START_TEST(lost_answer_to_the_code_fails_the_login)
{
    exchange_ends(CALL_END_UNKNOWN, 0, "");
}
END_TEST

START_TEST(refused_code_fails_the_login)
{
    exchange_ends(CALL_END_FAILED, 403, "{\"error\":\"invalid_grant\"}");
}
END_TEST

START_TEST(answer_without_token_fails_the_login)
{
    exchange_ends(CALL_END_DONE, 200, "{\"access_token\":\"\",\"token_type\":\"Bearer\"}");
}
END_TEST

START_TEST(unknown_account_fails_the_login)
{
    const struct slice state = flow_state(&world);
    const struct slice cookie = flow_begin(&world);
    world.is_held[MSG_USER_WHOAMI_ENDED] = true;
    flow_callback(&world, state, cookie);
    world_end(&world, MSG_USER_WHOAMI_ENDED, CALL_END_FAILED, 401, "");
    world_settle(&world);
    ck_assert_int_eq(world.page.status, 502);
    ck_assert(world_said(&world, "Gitter did not say who you are."));
    ck_assert_uint_eq(token().len, 0);
    world.is_held[MSG_USER_WHOAMI_ENDED] = false;
    log_in_after_all();
}
END_TEST

START_TEST(crash_while_the_code_is_exchanged_gives_a_new_link)
{
    const struct slice state = flow_state(&world);
    const struct slice cookie = flow_begin(&world);
    world.is_held[MSG_LOGIN_TOKEN_ENDED] = true;
    flow_callback(&world, state, cookie);
    world_crash(&world);
    world.is_held[MSG_LOGIN_TOKEN_ENDED] = false;
    world_settle(&world);
    ck_assert(world_said(&world, "The login did not work: Gitter did not confirm it."));
    log_in_after_all();
}
END_TEST

START_TEST(new_chat_during_the_login_does_not_break_it)
{
    const struct slice state = arena_copy(world.arena, flow_state(&world));
    const struct slice cookie = flow_begin(&world);
    world.is_held[MSG_USER_WHOAMI_ENDED] = true;
    flow_callback(&world, state, cookie);
    flow_chat(&world, "!second", ALICE);
    world.is_held[MSG_USER_WHOAMI_ENDED] = false;
    world_settle(&world);
    world_assert_state(&world, ACTOR_USER, ALICE, "AUTHED");
    ck_assert(world_said(&world, "!second @bot:hs m.notice: You are now logged in as ann_g."));
}
END_TEST

START_TEST(link_of_one_logged_in_meanwhile_is_refused)
{
    const struct slice old = arena_copy(world.arena, flow_state(&world));
    const struct slice cookie = flow_begin(&world);
    world_text(&world, CHAT, ALICE, "list");
    world_settle(&world);
    log_in_after_all();
    ck_assert_int_eq(flow_callback(&world, old, cookie)->status, 404);
}
END_TEST

START_TEST(links_without_a_state_are_refused)
{
    ck_assert_int_eq(world_web(&world, "GET", SLICE("/auth_gitter/"), SLICE_EMPTY)->status, 404);
    ck_assert_int_eq(world_web(&world, "POST", SLICE("/auth_gitter/"), SLICE_EMPTY)->status, 404);
    ck_assert_int_eq(world_web(&world, "HEAD", SLICE("/callback"), SLICE_EMPTY)->status, 404);
    ck_assert(page_has("https://matrix.to/#/%40bot%3Ahs"));
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("login");
    TCase *tests = tcase_create("login");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, login_goes_from_link_to_account);
    tcase_add_test(tests, login_invites_to_the_room_used_last);
    tcase_add_test(tests, login_invites_to_all_rooms_but_those_only_seen);
    tcase_add_test(tests, preview_of_a_link_binds_nothing);
    tcase_add_test(tests, button_twice_in_one_browser_works);
    tcase_add_test(tests, two_tabs_of_one_browser_share_the_cookie);
    tcase_add_test(tests, button_pressed_on_another_page_does_nothing);
    tcase_add_test(tests, foreign_cookies_do_no_harm);
    tcase_add_test(tests, cookie_has_the_name_that_only_we_can_set);
    tcase_add_test(tests, other_browser_is_refused);
    tcase_add_test(tests, forged_states_are_refused);
    tcase_add_test(tests, callback_without_state_or_with_two_is_refused);
    tcase_add_test(tests, denied_consent_is_told_with_a_new_link);
    tcase_add_test(tests, link_ends_after_ten_minutes);
    tcase_add_test(tests, old_link_is_forgotten_after_a_day);
    tcase_add_test(tests, link_works_once);
    tcase_add_test(tests, reload_shows_the_same_page);
    tcase_add_test(tests, reload_while_the_code_is_exchanged_does_not_use_it_again);
    tcase_add_test(tests, expiry_while_the_code_is_exchanged_is_told);
    tcase_add_test(tests, head_at_the_callback_changes_nothing);
    tcase_add_test(tests, login_that_was_replaced_while_its_code_is_exchanged_stays_ended);
    tcase_add_test(tests, redirect_leads_to_gitter_alone);
    tcase_add_test(tests, lost_answer_to_the_code_fails_the_login);
    tcase_add_test(tests, refused_code_fails_the_login);
    tcase_add_test(tests, answer_without_token_fails_the_login);
    tcase_add_test(tests, unknown_account_fails_the_login);
    tcase_add_test(tests, crash_while_the_code_is_exchanged_gives_a_new_link);
    tcase_add_test(tests, new_chat_during_the_login_does_not_break_it);
    tcase_add_test(tests, link_of_one_logged_in_meanwhile_is_refused);
    tcase_add_test(tests, links_without_a_state_are_refused);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
