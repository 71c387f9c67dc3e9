"""Messages both ways."""

import datetime
import html

import nio

import words
from transports import everywhere, only, together
from wait import until
from world import ghost_id


async def bridged(world, *others):
    """Alice, logged in, in one bridged room; on Gitter the others are there too. All as a tuple:
    Alice, URI on Gitter, room on Matrix, accounts of the others."""
    alice, (uri,) = await world.person(rooms=1)
    accounts = []
    for stem in others:
        account = await world.gitter.do("user", username=world.name(stem), displayName=stem.title())
        await world.gitter.do("join", room=uri, user=account["username"])
        accounts.append(account)
    await alice.login()
    return alice, uri, await alice.enter(uri), accounts


@everywhere
@together
async def scenario_matrix_to_gitter(world):
    """Text as the user's own on Gitter, in order, and nothing comes back."""
    alice, uri, room, _ = await bridged(world)
    said = [f"quokka {number}" for number in range(20)]
    for text in said:
        await alice.matrix.send(room, text)
    assert await world.settled(uri, 20, alice.gitter) == said
    await world.gitter.post(uri, alice.gitter, "quokka last")
    await alice.matrix.wait_text(room, "quokka last")
    assert alice.texts(room) == ["quokka last"], "own messages came back"


async def scenario_text_stays_what_it_was(world):
    """What Markdown would change is escaped: judged by the HTML that Gitter makes of it."""
    alice, uri, room, _ = await bridged(world)
    texts = ("2 * 3 * 4", "*no* emphasis", "__init__ and _x_", "# no heading", "> no quote",
             "`no code`", "[no](link)", "a <b>c</b> & d", "1. no list", "~~no~~", "back\\slash",
             "- no list", "--- no rule", "&amp; &#65;")
    for count, text in enumerate(texts, 1):
        await alice.matrix.send(room, text)
        await world.settled(uri, count, alice.gitter)
        message = (await world.gitter.messages(uri))[-1]
        assert "<" not in message["html"], message
        assert html.unescape(message["html"]) == text, (text, message["text"], message["html"])


async def scenario_rich_text_to_markdown(world):
    """Matrix HTML arrives as the Markdown for it."""
    alice, uri, room, _ = await bridged(world)
    rich = "<strong>bold</strong> <em>soft</em> <code>x*y</code> <a href=\"https://example.org/\">there</a>"
    await alice.matrix.send(room, "bold soft x*y there", format="org.matrix.custom.html",
                            formatted_body=rich)
    await world.settled(uri, 1, alice.gitter)
    got = (await world.gitter.messages(uri))[0]["html"]
    for part in ("<strong>bold</strong>", "<em>soft</em>", "<code>x*y</code>",
                 'href="https://example.org/"'):
        assert part in got, got


async def scenario_emote_and_notice(world):
    alice, uri, room, _ = await bridged(world)
    await alice.matrix.send(room, "waves at quokka", msgtype="m.emote")
    await alice.matrix.send(room, "quokka noticed", msgtype="m.notice")
    await world.settled(uri, 2, alice.gitter)
    emote, notice = await world.gitter.messages(uri)
    assert emote.get("status") and "waves at quokka" in emote["text"], emote
    assert not notice.get("status") and notice["text"] == "quokka noticed", notice


async def scenario_other_kinds_are_answered(world):
    """A picture cannot be brought; the sender is told, and text goes on."""
    alice, uri, room, _ = await bridged(world)
    await alice.matrix.send(room, "cat.png", msgtype="m.image", url="mxc://test.example/abc")
    await alice.matrix.wait_text(room, "[Tt]ext|not")
    await alice.matrix.send(room, "quokka after")
    assert (await world.settled(uri, 1, alice.gitter))[-1] == "quokka after"


@everywhere
@together
async def scenario_fifty_messages_in_order(world):
    """Three people on Gitter, each their own ghost, in the order of Gitter."""
    alice, uri, room, accounts = await bridged(world, "bob", "carol", "dave")
    expected = []
    for number in range(50):
        account = accounts[number % 3]
        await world.gitter.post(uri, account["username"], f"quokka {number}")
        expected.append((ghost_id(account), f"quokka {number}"))
    await alice.matrix.wait_text(room, "^quokka 49$", seconds=60)
    got = [(event["sender"], event["content"]["body"]) for event in await alice.matrix.history(room)]
    assert got == expected, got
    members = await alice.matrix.members(room)
    for account in accounts:
        assert account["displayName"] in members[ghost_id(account)], members


@everywhere
@together
async def scenario_html_and_time_of_gitter(world):
    """Formatted text, emoji, and the time at which it was really said."""
    alice, uri, room, (bob,) = await bridged(world, "bob")
    # a room that is read by id never sees what Gitter gives an old one
    minutes_ago = 0 if world.transport == "none" else 5
    sent = await world.gitter.do("post", room=uri, user=bob["username"], minutesAgo=minutes_ago,
                                 text="**quokka** `code` :smile: <script>alert(1)</script>")
    event = await alice.matrix.wait_text(room, "quokka")
    content = event["content"]
    assert content["format"] == "org.matrix.custom.html", content
    assert "<strong>quokka</strong>" in content["formatted_body"], content
    assert "<code>code</code>" in content["formatted_body"], content
    assert "<script" not in content["formatted_body"], content
    assert "\U0001F604" in content["body"] and ":smile:" not in content["formatted_body"], content
    moment = datetime.datetime.fromisoformat(sent["sent"].replace("Z", "+00:00"))
    assert event["origin_server_ts"] == round(moment.timestamp() * 1000), event


@everywhere
@together
async def scenario_status_of_gitter_is_an_emote(world):
    alice, uri, room, (bob,) = await bridged(world, "bob")
    await world.gitter.post(uri, bob["username"], f"@{bob['username']} hugs the quokka", status=True)
    event = await alice.matrix.wait_text(room, "hugs the quokka")
    assert event["content"]["msgtype"] == "m.emote", event
    assert event["content"]["body"] == "hugs the quokka", event


@everywhere
@together
async def scenario_own_words_from_another_client(world):
    """Typed in Gitter's own client: bridged once, as everybody's; typed in Matrix: not at all."""
    alice, uri, room, (bob,) = await bridged(world, "bob")
    await alice.matrix.send(room, "quokka from Matrix")
    await world.settled(uri, 1, alice.gitter)
    await world.gitter.post(uri, alice.gitter, "quokka from Gitter")
    await world.gitter.post(uri, alice.gitter, "quokka from Matrix")
    await world.gitter.post(uri, bob["username"], "quokka of Bob")
    await alice.matrix.wait_text(room, "quokka of Bob")
    assert alice.texts(room) == ["quokka from Gitter", "quokka from Matrix", "quokka of Bob"]
    assert len(await world.gitter.texts(uri)) == 4


@everywhere
@together
async def scenario_new_room_shows_no_old_talk_twice(world):
    """What was said before the room was bridged comes at most once and in order; what is said
    after, exactly once."""
    alice, (uri,) = await world.person(rooms=1)
    for number in range(5):
        await world.gitter.post(uri, alice.gitter, f"quokka before {number}")
    await alice.login()
    room = await alice.enter(uri)
    await world.gitter.post(uri, alice.gitter, "quokka after")
    await alice.matrix.wait_text(room, "quokka after")
    got = [event["content"]["body"] for event in await alice.matrix.history(room)]
    whole = [f"quokka before {number}" for number in range(5)] + ["quokka after"]
    assert got == whole[len(whole) - len(got):], got


@only("faye", "stream")
async def scenario_talk_before_the_first_subscription(world):
    """The connection to Gitter is down when a room is bridged: what is said until it is back is
    not lost."""
    alice, _ = await world.person()
    await alice.login()
    bob = await world.gitter_user("bob")
    uri = await world.room(alice.gitter, bob)
    await world.gitter.post(uri, bob, "quokka long before")
    await world.gitter.do(f"{world.transport}/refuse", ms=2000)
    await world.gitter.do(f"{world.transport}/cut")
    await alice.say(f"invite {uri}", "INVITING")
    room = await alice.enter(uri)
    await world.gitter.post(uri, bob, "quokka early")
    await alice.matrix.wait_text(room, "quokka early", seconds=60)
    await world.gitter.post(uri, bob, "quokka late")
    await alice.matrix.wait_text(room, "quokka late", seconds=60)
    assert alice.texts(room)[-2:] == ["quokka early", "quokka late"], alice.texts(room)


@everywhere
@together
async def scenario_refused_message_is_told(world):
    """Gitter refuses a message for good: its sender learns it, the next ones go on."""
    alice, uri, room, _ = await bridged(world)
    path = f"/{await world.gitter.room_id(uri)}/chatMessages"
    await world.gitter.do("faults", method="POST", path=path, status=403, count=1)
    await alice.matrix.send(room, "quokka refused")
    await alice.matrix.wait_text(room, "did not reach")
    await alice.matrix.send(room, "quokka taken")
    assert await world.settled(uri, 1, alice.gitter) == ["quokka taken"]


@everywhere
@together
async def scenario_leaving_a_room_ends_it(world):
    """Who leaves a bridged room is out of it, and may ask for it again."""
    alice, uri, room, (bob,) = await bridged(world, "bob")
    await alice.matrix.leave(room)

    async def unbridged():
        return not words.listed(await alice.say("list", "LIST_HEADER"))[uri]
    await until("the room to be listed as not bridged", unbridged, pause=0.5)
    await alice.say(f"invite {uri}", "INVITING")
    again = await alice.enter(uri)
    assert again != room
    await world.gitter.post(uri, bob["username"], "quokka again")
    await alice.matrix.wait_text(again, "quokka again")


@everywhere
@together
async def scenario_two_owners_of_one_gitter_room(world):
    """Each has a room of their own; each sees what the other says, from a ghost, once."""
    alice, uri, room, _ = await bridged(world)
    bob, _ = await world.person("bob")
    await world.gitter.do("join", room=uri, user=bob.gitter)
    await bob.login()
    other = await bob.enter(uri)
    assert other != room
    answer = await bob.matrix.client.join(room)
    assert isinstance(answer, nio.JoinError), "the room of somebody else"
    await alice.matrix.send(room, "quokka of Alice")
    event = await bob.matrix.wait_text(other, "quokka of Alice")
    assert event["sender"] == ghost_id(alice.account)
    await bob.matrix.send(other, "quokka of Bob")
    await alice.matrix.wait_text(room, "quokka of Bob")
    assert alice.texts(room) == ["quokka of Bob"]
    assert await world.gitter.texts(uri) == ["quokka of Alice", "quokka of Bob"]
