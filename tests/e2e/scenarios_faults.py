"""Restarts, lost connections and lost answers. Each message once and in order, on both sides."""

import asyncio
import re

import words
from scenarios_chat import bridged
from transports import everywhere, only, together
from wait import until

LONG = 90


async def all_arrived(alice, room, expected):
    """The homeserver has exactly these texts of Gitter, in this order."""
    await alice.matrix.wait_text(room, f"^{expected[-1]}$", seconds=LONG)
    got = [event["content"]["body"] for event in await alice.matrix.history(room)
           if event["sender"].startswith("@gitter_")]
    assert got == expected, f"expected {expected}, got {got}"


@everywhere
async def scenario_restart_of_gitterd(world):
    """Both sides go on talking while it is away."""
    alice, uri, room, (bob,) = await bridged(world, "bob")
    gitter, matrix = [], []

    async def talk(count):
        for _ in range(count):
            gitter.append(f"quokka g{len(gitter)}")
            await world.gitter.post(uri, bob["username"], gitter[-1])
            matrix.append(f"quokka m{len(matrix)}")
            await alice.matrix.send(room, matrix[-1])
    await talk(3)
    await world.bridge.stop()
    await talk(5)
    await world.start_bridge()
    await talk(3)
    await all_arrived(alice, room, gitter)
    await until("all of Alice on Gitter", lambda: arrived(world, uri, alice, len(matrix)), LONG)
    await said_once(world, uri, alice, matrix)
    await alice.say("list", "LIST_HEADER")


async def said_once(world, uri, alice, expected):
    """Gitter has exactly these texts of Alice, in this order."""
    got = await world.gitter.texts(uri, alice.gitter)
    assert got == expected, f"expected {expected}, got {got}"


async def arrived(world, uri, alice, count):
    return len(await world.gitter.texts(uri, alice.gitter)) >= count


@everywhere
async def scenario_kill_of_gitterd(world):
    """Killed in the middle of a burst in both directions, three times."""
    alice, uri, room, (bob,) = await bridged(world, "bob")
    gitter = [f"quokka g{number}" for number in range(40)]
    matrix = [f"quokka m{number}" for number in range(20)]
    may_talk = asyncio.Event()
    may_talk.set()

    async def from_gitter():
        for text in gitter:
            await world.gitter.post(uri, bob["username"], text)

    async def from_matrix():
        for text in matrix:
            await may_talk.wait()
            await alice.matrix.send(room, text)

    async def kill():
        await world.bridge.kill()
        may_talk.clear()  # while the homeserver finds back, see has_recovered
        await world.start_bridge()
        may_talk.set()
    talk = asyncio.gather(from_gitter(), from_matrix())
    for share in (4, 2):
        await until("some of it on Gitter",
                    lambda: arrived(world, uri, alice, len(matrix) // share), LONG)
        await kill()
    await talk
    await kill()
    await all_arrived(alice, room, gitter)
    await until("all of Alice on Gitter", lambda: arrived(world, uri, alice, len(matrix)), LONG)
    await said_once(world, uri, alice, matrix)


@only("faye", "stream")
async def scenario_restart_of_synapse(world):
    """What Gitter said meanwhile waits, and what Matrix says afterwards goes through."""
    alice, uri, room, (bob,) = await bridged(world, "bob")
    await world.gitter.post(uri, bob["username"], "quokka 0")
    await alice.matrix.wait_text(room, "quokka 0")
    assert await world.synapse.end() == 0
    expected = ["quokka 0"]
    for number in range(1, 8):
        expected.append(f"quokka {number}")
        await world.gitter.post(uri, bob["username"], expected[-1])
    await world.synapse.resume()
    await all_arrived(alice, room, expected)
    await alice.matrix.send(room, "quokka back")
    assert await world.settled(uri, 1, alice.gitter) == ["quokka back"]
    await alice.say("list", "LIST_HEADER")


async def scenario_faye_cut(world):
    """The live connection is cut again and again, and refused for a while."""
    alice, uri, room, (bob,) = await bridged(world, "bob")
    expected = []
    for step in ("cut", "forget", "refuse", "cut"):
        for _ in range(4):
            expected.append(f"quokka {len(expected)}")
            await world.gitter.post(uri, bob["username"], expected[-1])
        if step == "refuse":
            await world.gitter.do("faye/refuse", ms=1500)
            await world.gitter.do("faye/cut")
        else:
            await world.gitter.do(f"faye/{step}")
    expected.append("quokka end")
    await world.gitter.post(uri, bob["username"], expected[-1])
    await all_arrived(alice, room, expected)


@only("faye", "stream")
async def scenario_live_connection_down(world):
    """Away for longer than a moment: the room is read every now and then instead, and is live again
    when the connection is back."""
    alice, uri, room, (bob,) = await bridged(world, "bob")
    expected = []

    async def say(seconds):
        expected.append(f"quokka {len(expected)}")
        await world.gitter.post(uri, bob["username"], expected[-1])
        await alice.matrix.wait_text(room, expected[-1], seconds=seconds)
    await say(LONG)
    await world.gitter.do(f"{world.transport}/refuse", ms=600000)
    try:
        await world.gitter.do(f"{world.transport}/cut")
        for _ in range(2):
            await say(LONG)
    finally:
        await world.gitter.do(f"{world.transport}/refuse", ms=0)
    await say(LONG)
    await all_arrived(alice, room, expected)


async def scenario_faye_loses_records(world):
    """Deliveries that never came show as a hole in the counter; what was lost is read again."""
    alice, uri, room, (bob,) = await bridged(world, "bob")
    await world.gitter.post(uri, bob["username"], "quokka 0")
    await alice.matrix.wait_text(room, "quokka 0")
    room_id = await world.gitter.room_id(uri)
    await world.gitter.do("faye/lose", count=3, channel=f"/api/v1/rooms/{room_id}/chatMessages")
    expected = ["quokka 0"]
    for number in range(1, 7):
        expected.append(f"quokka {number}")
        await world.gitter.post(uri, bob["username"], expected[-1])
    await all_arrived(alice, room, expected)


@everywhere
@together
async def scenario_answer_of_gitter_is_lost(world):
    """The message arrived and the answer did not: it must not be said twice."""
    alice, uri, room, (bob,) = await bridged(world, "bob")
    path = f"/{await world.gitter.room_id(uri)}/chatMessages"
    await world.gitter.do("faults", method="POST", path=path, cut="after", count=1)
    said = ["quokka one", "quokka two", "quokka three"]
    for text in said:
        await alice.matrix.send(room, text)
    await until("all of it on Gitter", lambda: arrived(world, uri, alice, 3), LONG)
    await world.gitter.post(uri, bob["username"], "quokka end")
    await alice.matrix.wait_text(room, "quokka end", seconds=LONG)
    await said_once(world, uri, alice, said)
    assert alice.texts(room) == ["quokka end"], "own messages came back"


async def change(person, room, event, text):
    await person.matrix.send(room, f"* {text}", **{
        "m.new_content": {"msgtype": "m.text", "body": text},
        "m.relates_to": {"rel_type": "m.replace", "event_id": event}})


@everywhere
@together
async def scenario_changes_before_the_message_is_there(world):
    """What is edited or removed while its post is under way, lost or queued is so on Gitter."""
    alice, uri, room, _ = await bridged(world)
    path = f"/{await world.gitter.room_id(uri)}/chatMessages"
    await world.gitter.do("faults", method="POST", path=path, delayAnswerMs=2000, count=1)
    first = await alice.matrix.send(room, "quokka helo")
    removed = await alice.matrix.send(room, "quokka oops")
    await change(alice, room, first, "quokka hello")
    await alice.matrix.client.room_redact(room, removed)
    await alice.matrix.send(room, "quokka next")

    async def has(expected):
        return await world.gitter.texts(uri, alice.gitter) == expected
    await until("the changes on Gitter", lambda: has(["quokka hello", "quokka next"]), LONG)
    await world.gitter.do("faults", method="POST", path=path, cut="after", count=1)
    lost = await alice.matrix.send(room, "quokka lost")
    await change(alice, room, lost, "quokka found")
    await until("the change of a lost post",
                lambda: has(["quokka hello", "quokka next", "quokka found"]), LONG)
    await alice.matrix.client.room_redact(room, lost)
    await until("its removal", lambda: has(["quokka hello", "quokka next"]), LONG)
    assert alice.texts(room) == [], "own messages came back"


async def scenario_very_long_gap_is_cut(world):
    """Only the newest of very many missed messages come, and the room is told so."""
    alice, uri, room, (bob,) = await bridged(world, "bob")
    await world.gitter.post(uri, bob["username"], "quokka before")
    await alice.matrix.wait_text(room, "quokka before")
    await world.bridge.stop()
    for number in range(260):
        await world.gitter.post(uri, bob["username"], f"quokka {number}")
    world.write_config(catch_up_messages=110)
    try:
        await world.start_bridge()
        await all_arrived(alice, room,
                          ["quokka before"] + [f"quokka {number}" for number in range(150, 260)])
        cut = words.pattern("CATCH_UP_CUT", count=110)
        told = [event for event in await alice.matrix.history(room)
                if re.search(cut, event["content"]["body"])]
        assert len(told) == 1, told
    finally:
        await world.bridge.stop()
        world.write_config()
        await world.start_bridge()


async def scenario_gitter_limits(world):
    """Refusals for too many requests are waited out, in order."""
    alice, uri, room, _ = await bridged(world)
    await world.gitter.do("faults", method="POST", path="/chatMessages", status=429, count=3,
                          headers={"Retry-After": "1"})
    said = [f"quokka {number}" for number in range(4)]
    for text in said:
        await alice.matrix.send(room, text)
    await until("all of it on Gitter", lambda: arrived(world, uri, alice, 4), LONG)
    await said_once(world, uri, alice, said)


async def scenario_gitter_in_trouble(world):
    """After a 503 nobody knows whether the message was taken. gitterd looks twice, longer than
    Gitter itself may take, and only then says it again."""
    alice, uri, room, _ = await bridged(world)
    path = f"/{await world.gitter.room_id(uri)}/chatMessages"
    await world.gitter.do("faults", method="POST", path=path, status=503, count=1)
    said = [f"quokka {number}" for number in range(4)]
    for text in said:
        await alice.matrix.send(room, text)
    await until("all of it on Gitter", lambda: arrived(world, uri, alice, 4), 120)
    await said_once(world, uri, alice, said)


@everywhere
@together
async def scenario_token_revoked_elsewhere(world):
    """Gitter ends the login: the user is told once, with a link, and rooms go on after it."""
    alice, uri, room, (bob,) = await bridged(world, "bob")
    await world.gitter.do("revoke", user=alice.gitter)
    await alice.matrix.send(room, "quokka waits")
    told = await alice.hear("TOKEN_EXPIRED")
    await world.gitter.post(uri, bob["username"], "quokka meanwhile")
    async with world.browser() as browser:
        page = await browser.login(words.link_in(told), world.gitter.url, alice.gitter)
        assert words.page_says(page, "PAGE_DONE"), page
    await alice.matrix.wait_text(room, "quokka meanwhile", seconds=LONG)
    assert await world.settled(uri, 1, alice.gitter) == ["quokka waits"]
