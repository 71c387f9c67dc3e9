/* What the journal has, and what it must not have. world_close replays it in every other test. */
#include "actors/user/user.h"
#include "codecs/journal.h"
#include "codecs/url.h"
#include "db/secrets.h"
#include "runtime/daemon/journal_veil.h"
#include "tests/trace/flow.h"
#include "tests/unit/slice_check.h"

static struct world world;

static void set_up(void)
{
    world_open(&world);
}

static void tear_down(void)
{
    world_close(&world);
}

static int64_t first_turn(void)
{
    struct slice rest = store_memory_journal(world.store, world.arena);
    struct journal_entry entry;
    struct journal_turn turn = {0};
    size_t len = 0;
    while (turn.number == 0) {
        ck_assert_int_eq(journal_entry_read(rest, &entry, &len), RC_OK);
        rest = slice_from(rest, len);
        ck_assert(entry.kind != JOURNAL_TURN || journal_turn_read(&entry, &turn) == RC_OK);
    }
    return turn.number;
}

START_TEST(log_that_begins_in_mid_life_replays)
{
    store_memory_keep_journal(world.store, (size_t)_i);
    size_t turns = 0;
    flow_bridge(&world);
    for (int i = 0; i < 4; i++) {
        (void)world_says(&world, "r1", "bob", "hello");
        world_settle(&world);
        (void)world_text(&world, "!1:hs", "@alice:hs", "hi");
        world_settle(&world);
        turns += world_replay(&world);
    }
    ck_assert_uint_gt(turns, 0);
    ck_assert_int_gt(first_turn(), 10);
}
END_TEST

/* Secrets in the forms that they might take in what is journalled. */

static struct slice to_base64(struct slice text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct buf out;
    buf_init(&out, world.arena);
    for (size_t at = 0; at + 3 <= text.len; at += 3) { /* a rest of one or two says nothing */
        const unsigned char *b = (const unsigned char *)text.ptr + at;
        const unsigned bits = (unsigned)b[0] << 16U | (unsigned)b[1] << 8U | b[2];
        for (unsigned i = 0; i < 4; i++) {
            buf_put_byte(&out, digits[bits >> (18U - 6U * i) & 63U]);
        }
    }
    return buf_slice(&out);
}

static struct slice to_percent(struct slice text)
{
    struct buf out;
    buf_init(&out, world.arena);
    for (size_t i = 0; i < text.len; i++) {
        buf_printf(&out, "%%%02x", (unsigned)(unsigned char)text.ptr[i]);
    }
    return buf_slice(&out);
}

static void check_absent(struct slice journal, struct slice secret)
{
    const struct slice forms[] = {secret,
                                  to_base64(secret),
                                  to_base64(slice_from(secret, 1)),
                                  to_base64(slice_from(secret, 2)),
                                  to_percent(secret),
                                  url_encode(world.arena, secret)};
    ck_assert_uint_ge(secret.len, 8);
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        ck_assert_msg(slice_find(journal, forms[i]) == journal.len, "%.*s is in the journal",
                      SLICE_ARGS(forms[i]));
    }
}

/* The secrets of two links, the cookie, Gitter's code and the token: through a whole login, with a
 * link that the user sends back, and a logout. */
START_TEST(no_secret_of_a_login_is_in_the_journal)
{
    struct secrets *secrets = NULL;
    ck_assert_int_eq(secrets_open(SLICE("key"), &secrets), RC_OK);
    const struct journal_veil veil = journal_veil(secrets);
    world.veil = &veil;
    world_crash(&world);
    flow_chat(&world, CHAT, ALICE);
    const struct slice state = flow_state(&world);
    const struct slice link = flow_link(&world);
    (void)world_text(&world, CHAT, ALICE,
                     arena_printf(world.arena, "is %.*s right?", SLICE_ARGS(link)).ptr);
    world_settle(&world);
    const struct slice later = flow_state(&world);
    const struct slice cookie = flow_begin(&world);
    const struct slice target =
        arena_printf(world.arena, "/callback?code=c0de-of-gitter&state=%.*s", SLICE_ARGS(later));
    ck_assert_int_eq(world_web(&world, "GET", target, cookie)->status, 200);
    world_assert_state(&world, ACTOR_USER, ALICE, "AUTHED");
    const struct user *user = world_peek(&world, ACTOR_USER, SLICE(ALICE));
    const struct slice token = arena_copy(world.arena, user->token);
    (void)world_text(&world, CHAT, ALICE, "logout");
    world_settle(&world);
    const struct slice journal = store_memory_journal(world.store, world.arena);
    ck_assert_uint_gt(journal.len, 5000);
    check_absent(journal, slice_from(state, slice_find_byte(state, '.') + 1));
    check_absent(journal, slice_from(later, slice_find_byte(later, '.') + 1));
    check_absent(journal, slice_from(cookie, slice_find_byte(cookie, '=') + 1));
    check_absent(journal, SLICE("c0de-of-gitter"));
    check_absent(journal, token);
    ck_assert_uint_gt(world_replay(&world), 10); /* and it comes out the same without them */
    secrets_close(secrets);
}
END_TEST

/* One that is too large to be kept as it is, with bytes that are no text. */
static struct slice picture_of(const char *head, size_t head_len)
{
    enum {
        PICTURE_BYTES = 3000
    };
    char *bytes = arena_alloc(world.arena, PICTURE_BYTES);
    memcpy(bytes, head, head_len);
    for (size_t i = head_len; i < PICTURE_BYTES; i++) {
        bytes[i] = (char)(i * 7);
    }
    return slice_make(bytes, PICTURE_BYTES);
}

START_TEST(no_picture_is_in_the_journal)
{
    static const struct {
        const char *head;
        size_t len;
    } heads[] = {{"RIFF\0\1\0\0WEBP", 12}, {"\x89PNG\r\n\x1a\n", 8}, {"<svg>", 5}};
    struct secrets *secrets = NULL;
    ck_assert_int_eq(secrets_open(SLICE("key"), &secrets), RC_OK);
    const struct journal_veil veil = journal_veil(secrets);
    world.veil = &veil;
    world_crash(&world);
    flow_bridge(&world);
    world.peers.avatar = "https://pictures.example/bob";
    world.peers.picture = picture_of(heads[_i].head, heads[_i].len);
    world_says(&world, "r1", "bob", "hello");
    world_settle(&world);
    ck_assert_int_eq(world.peers.pictures_fetched, 1);
    ck_assert_int_eq(world.peers.pictures_uploaded, _i < 2 ? 1 : 0);
    const struct slice journal = store_memory_journal(world.store, world.arena);
    const struct slice part = slice_first(slice_from(world.peers.picture, 20), 40);
    ck_assert_uint_eq(slice_find(journal, part), journal.len);
    ck_assert_uint_lt(slice_find(journal, SLICE(": 3000 bytes, hash ")), journal.len);
    ck_assert_uint_gt(world_replay(&world), 10); /* and it comes out the same without it */
    secrets_close(secrets);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("journal");
    TCase *tcase = tcase_create("journal");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, log_that_begins_in_mid_life_replays, 12, 27);
    tcase_add_test(tcase, no_secret_of_a_login_is_in_the_journal);
    tcase_add_loop_test(tcase, no_picture_is_in_the_journal, 0, 3);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
