"""From the first invite of the bot to being logged in, and out again."""

import contextlib
import sqlite3
import urllib.parse

import nio

import words
from bridge import BOT
from wait import until


async def token_requests(world):
    """How often a code was offered to Gitter for a token."""
    return sum(entry["path"].startswith("/login/oauth/token") for entry in await world.gitter.log())


def stored_logins(world):
    with contextlib.closing(sqlite3.connect(world.bridge.database)) as database:
        return database.execute("SELECT count(*) FROM logins").fetchone()[0]


async def has_token(world, person):
    return any(one["user"] == person.gitter for one in await world.gitter.see("tokens"))


async def bot_is_out(user, room):
    await until(f"the bot to leave {room}", lambda: is_out(user, room))


async def is_out(user, room):
    return BOT not in await user.members(room)


async def scenario_greeting(world):
    """The bot joins, greets once, by a notice, with a link."""
    alice, _ = await world.person()
    greeting = await alice.open_chat()
    assert words.link_in(greeting).startswith(world.bridge.login_url + "/auth_gitter/")
    event = alice.matrix.messages(alice.chat, BOT)[0]["content"]
    assert event["msgtype"] == "m.notice", event
    assert words.link_in(greeting) in event["formatted_body"], event
    await alice.say("list", "NOT_LOGGED_IN")
    assert len(alice.matrix.messages(alice.chat, BOT)) == 2


async def scenario_any_text_of_a_stranger_gets_a_fresh_link(world):
    alice, _ = await world.person()
    links = {words.link_in(await alice.open_chat())}
    for text in ("hello there", "logout", "help", "   "):
        links.add(words.link_in(await alice.say(text, "NOT_LOGGED_IN")))
    assert len(links) == 5, links


async def scenario_crowded_chat_is_left(world):
    """With three people there the bot says why it goes, goes, and does not come again."""
    alice, _ = await world.person()
    bob = await world.matrix_user("bob")
    room = await alice.matrix.create_room(bob.id, direct=False)
    await until("Bob's invite", lambda: room in bob.invites)
    await bob.join(room)
    await alice.matrix.invite(room, BOT)
    await alice.matrix.wait_text(room, words.pattern("CHAT_CROWDED"), BOT)
    await bot_is_out(alice.matrix, room)
    assert "/auth_gitter/" not in str(alice.matrix.events[room])

    await alice.matrix.invite(room, BOT)

    async def declined():
        state = await alice.matrix.state(room, "m.room.member", BOT)
        return state["membership"] == "leave"
    await until("the second invite to be declined", declined)
    assert len(alice.matrix.messages(room, BOT)) == 1


async def scenario_third_person_ends_a_private_chat(world):
    alice, _ = await world.person()
    bob = await world.matrix_user("bob")
    await alice.open_chat()
    await alice.matrix.invite(alice.chat, bob.id)
    await until("Bob's invite", lambda: alice.chat in bob.invites)
    await bob.join(alice.chat)
    await alice.hear("CHAT_CROWDED")
    await bot_is_out(alice.matrix, alice.chat)


async def scenario_second_chat_replaces_the_first(world):
    alice, _ = await world.person()
    await alice.login()
    first = alice.chat
    await alice.open_chat("GREETING_ACCOUNT", name=alice.gitter)
    await bot_is_out(alice.matrix, first)
    await alice.say("list", "LIST_EMPTY")


async def scenario_whole_login(world):
    """Link, button, consent, page, message, invites."""
    alice, (first, second) = await world.person(rooms=2)
    greeting = await alice.open_chat()
    async with world.browser() as browser:
        link = words.link_in(greeting)
        page = await browser.get(link)
        assert page.status == 200 and alice.matrix.id in words.plain(page.text), page
        assert len(page.forms()) == 1 and len(page.forms()[0]["buttons"]) == 1, page
        page = await browser.login(link, world.gitter.url, alice.gitter)
        assert words.page_says(page, "PAGE_DONE", user=alice.matrix.id), page
    await alice.hear("LOGGED_IN", name=alice.gitter)
    for uri in (first, second):
        room = await alice.enter(uri)
        assert (await alice.matrix.state(room, "m.room.join_rules"))["join_rule"] == "invite"
    assert await has_token(world, alice)


async def scenario_invites_the_latest_rooms_first(world):
    """At most login_invites_max of them; the bot says how to get the rest."""
    limit = world.settings["login_invites_max"]
    alice, rooms = await world.person(rooms=limit + 2)
    for minutes, uri in enumerate(rooms, 1):
        await world.gitter.do("settings", timeOffsetMs=-minutes * 60000)
        await world.gitter.post(uri, alice.gitter, "I was here")
    await world.gitter.do("settings", timeOffsetMs=0)
    await alice.login()
    await alice.hear("INVITING_FIRST", count=limit, total=limit + 2)
    for uri in rooms[:limit]:
        await alice.enter(uri)
    answer = await alice.say("list", "LIST_HEADER")
    assert {uri for uri in rooms if f"{uri} *" in answer} == set(rooms[:limit]), answer


async def scenario_login_invites_max_of_zero_only_offers(world):
    await world.bridge.stop()
    world.write_config(login_invites_max=0)
    try:
        await world.start_bridge()
        alice, (room,) = await world.person(rooms=1)
        await alice.login()
        await alice.hear("OFFERING_ROOMS", total=1)
        assert f"{room} *" not in await alice.say("list", "LIST_HEADER")
        assert alice.matrix.invited_to(room) is None
    finally:
        await world.bridge.stop()
        world.write_config()
        await world.start_bridge()


async def scenario_consent_denied(world):
    alice, _ = await world.person()
    greeting = await alice.open_chat()
    async with world.browser() as browser:
        page = await browser.login(words.link_in(greeting), world.gitter.url, alice.gitter,
                                   allow=False)
        assert words.page_says(page, "PAGE_DENIED"), page
        told = await alice.hear("LOGIN_FAILED")
        page = await browser.login(words.link_in(told), world.gitter.url, alice.gitter)
        assert words.page_says(page, "PAGE_DONE"), page
    await alice.hear("LOGGED_IN")


async def scenario_forged_and_missing_state(world):
    asked = await token_requests(world)
    logins = stored_logins(world)
    async with world.browser() as browser:
        for path in ("/callback?code=abc&state=forged", "/callback?code=abc", "/callback",
                     "/callback?state=", "/callback?error=access_denied", "/callback?state=%00%ff",
                     "/auth_gitter/forged", "/auth_gitter/", "/auth_gitter/%2e%2e%2f",
                     "/auth_gitter/" + "a" * 5000):
            page = await browser.get(world.bridge.login_url + path)
            assert page.status in (400, 403, 404, 410), page
            assert words.page_says(page, "PAGE_INVALID") or \
                words.page_says(page, "PAGE_ABSENT"), page
    assert await token_requests(world) == asked
    assert stored_logins(world) == logins, "a stranger's request has left something behind"


async def scenario_state_works_once(world):
    alice, _ = await world.person()
    greeting = await alice.open_chat()
    async with world.browser() as browser:
        link = words.link_in(greeting)
        back = await browser.authorize(link, world.gitter.url, alice.gitter)
        assert words.page_says(await browser.get(back), "PAGE_DONE")
        await alice.hear("LOGGED_IN")
        asked = await token_requests(world)
        for url in (back, link, back.replace("code=", "code=0")):  # who reloads is shown it again
            assert words.page_says(await browser.get(url), "PAGE_DONE")
        async with world.browser() as other:
            for url in (back, link, back.replace("code=", "code=0")):
                page = await other.get(url)
                assert page.status >= 400 and words.page_says(page, "PAGE_USED"), page
        assert await token_requests(world) == asked
    await alice.say("list", "LIST_EMPTY")


async def scenario_state_belongs_to_one_browser(world):
    """A callback that was caught elsewhere is worth nothing: neither can Mallory finish Alice's
    login, nor make Alice use Mallory's account."""
    alice, _ = await world.person()
    greeting = await alice.open_chat()
    async with world.browser() as hers, world.browser() as other:
        back = await hers.authorize(words.link_in(greeting), world.gitter.url, alice.gitter)
        asked = await token_requests(world)
        page = await other.get(back)
        assert page.status >= 400, page
        assert await token_requests(world) == asked
        assert not await has_token(world, alice)


async def scenario_old_link_after_a_new_one(world):
    """Only the newest link of a user works."""
    alice, _ = await world.person()
    old = words.link_in(await alice.open_chat())
    new = words.link_in(await alice.say("help", "NOT_LOGGED_IN"))
    async with world.browser() as browser:
        page = await browser.get(old)
        assert page.status >= 400 and words.page_says(page, "PAGE_INVALID"), page
        page = await browser.login(new, world.gitter.url, alice.gitter)
        assert words.page_says(page, "PAGE_DONE"), page
    await alice.hear("LOGGED_IN")


async def scenario_expired_link(world):
    """Ten minutes are made to pass by moving the stored deadline of the link."""
    alice, _ = await world.person()
    link = words.link_in(await alice.open_chat())
    await world.bridge.stop()
    with contextlib.closing(sqlite3.connect(world.bridge.database)) as database, database:
        changed = database.execute("UPDATE logins SET deadline_ms = 1 WHERE deadline_ms > 0")
        assert changed.rowcount > 0
    await world.start_bridge()
    async with world.browser() as browser:
        async def refused():
            page = await browser.get(link)
            return page.status >= 400 and words.page_says(page, "PAGE_EXPIRED")
        await until("the link to be too old", refused)
    await alice.say("hello", "NOT_LOGGED_IN")


async def scenario_code_that_gitter_does_not_take(world):
    alice, _ = await world.person()
    greeting = await alice.open_chat()
    async with world.browser() as browser:
        back = await browser.authorize(words.link_in(greeting), world.gitter.url, alice.gitter)
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(back).query)
        page = await browser.get(back.replace(query["code"][0], "0" * 40))
        assert page.status >= 400 and words.page_says(page, "PAGE_FAILED"), page
    told = await alice.hear("LOGIN_FAILED")
    async with world.browser() as browser:
        page = await browser.login(words.link_in(told), world.gitter.url, alice.gitter)
        assert words.page_says(page, "PAGE_DONE"), page
    await alice.hear("LOGGED_IN")


async def scenario_pages(world):
    async with world.browser() as browser:
        page = await browser.get(world.bridge.login_url + "/")
        assert page.status == 200 and "https://matrix.to/#/" in page.text, page
        assert words.page_says(page, "PAGE_HOME"), page
        page = await browser.get(world.bridge.login_url + "/nothing/here")
        assert page.status == 404 and words.page_says(page, "PAGE_ABSENT"), page
        for name in ("Content-Security-Policy", "Referrer-Policy", "X-Content-Type-Options"):
            assert page.headers.get(name), f"no {name}"


async def scenario_logout(world):
    """Out of all rooms, token ended at Gitter, and a stranger again."""
    alice, rooms = await world.person(rooms=2)
    await alice.login()
    bridged = [await alice.enter(uri) for uri in rooms]
    assert await has_token(world, alice)
    await alice.say("logout", "LOGGED_OUT")
    for room in bridged:
        await until(f"Alice to be put out of {room}", lambda: room in alice.matrix.left)

    async def gone():
        return not await has_token(world, alice)
    await until("the token to be ended at Gitter", gone)
    told = await alice.say("list", "NOT_LOGGED_IN")
    after = alice.matrix.mark(alice.chat)
    async with world.browser() as browser:
        await browser.login(words.link_in(told), world.gitter.url, alice.gitter)
    await alice.hear("LOGGED_IN", after)
    assert await alice.enter(rooms[0]) not in bridged


async def scenario_two_matrix_users_of_one_account(world):
    """Gitter has one token for both: the logout of one must not end it for the other."""
    alice, (room,) = await world.person(rooms=1)
    await alice.login()
    hers = await alice.enter(room)
    second = type(alice)(world, await world.matrix_user("alias"), alice.account)
    await second.login()
    other = await second.enter(room)
    await second.say("logout", "LOGGED_OUT")
    await until("the other to be put out", lambda: other in second.matrix.left)
    assert await has_token(world, alice)
    await alice.matrix.send(hers, "quokka still here")
    assert await world.settled(room, 1, alice.gitter) == ["quokka still here"]


async def scenario_user_not_invited_cannot_invite(world):
    alice, (uri,) = await world.person(rooms=1)
    bob = await world.matrix_user("bob")
    await alice.login()
    room = await alice.enter(uri)
    answer = await alice.matrix.client.room_invite(room, bob.id)
    assert isinstance(answer, nio.RoomInviteError), answer
