"""What gitterd has journalled: explained, exported, replayed, and forgotten."""

import asyncio
import json
import os
import re

from scenarios_chat import bridged
from wait import until

LONG_TEXTS = 160


async def run(world, *arguments):
    """What the program prints; it must go well."""
    status, out, error = await world.bridge.call(*arguments, "-c", world.bridge.config)
    assert status == 0, f"{arguments}: {status} {out[-2000:]} {error}"
    return out


async def export(world, *options):
    """A log of a running gitterd, that replays as it was recorded; its bytes and its turns."""
    path = os.path.join(world.folder, "export.msgpack")
    await run(world, "journal", "export", *options, path)
    status, out, error = await world.bridge.call("replay", "--check", path)
    assert status == 0, out + error
    status, out, error = await world.bridge.call("replay", "--json", path)
    assert status == 0, error
    with open(path, "rb") as file:
        return file.read(), [json.loads(line) for line in out.splitlines()]


async def scenario_message_is_explained(world):
    """By its id on Matrix and on Gitter: when it came, each call and its end."""
    alice, uri, room, (bob,) = await bridged(world, "bob")
    await alice.matrix.send(room, "quokka asks")
    await world.settled(uri, 1, alice.gitter)
    message = (await world.gitter.messages(uri))[-1]

    async def told():
        out = await run(world, "explain", message["id"])
        return out if re.search(r"ROOM_POST_ENDED POST .*: done 200", out) else None
    by_gitter = await until("the post to be explained", told)
    event_id = re.search(r"MATRIX_EVENT (\S+) m\.room\.message", by_gitter).group(1)
    assert (await run(world, "explain", event_id)) == by_gitter
    assert f"by {alice.matrix.id}" in by_gitter, by_gitter
    answer = await world.gitter.post(uri, bob["username"], "quokka answers")
    await alice.matrix.wait_text(room, "quokka answers")
    out = await run(world, "explain", answer)
    assert "LINK_RECORD" in out or "ROOM_CATCH_UP_ENDED" in out, out
    assert re.search(r"ROOM_SEND_ENDED PUT .*: (done 200|not ended)", out), out
    assert "quokka" not in by_gitter + out, "a body is shown"
    assert event_id in await run(world, "explain", room)
    status, out, _ = await world.bridge.call("explain", "-c", world.bridge.config, "$nothing")
    assert status == 1 and "nothing of $nothing" in out, out


async def scenario_logs_are_exported(world):
    """All, of one user, of one room, from now on, and without what was said."""
    alice, uri, room, _ = await bridged(world)
    other, other_uri, other_room, _ = await bridged(world)
    for who, where in ((alice, room), (other, other_room)):
        await who.matrix.send(where, f"quokka of {who.gitter}")
    await world.settled(uri, 1, alice.gitter)
    await world.settled(other_uri, 1, other.gitter)
    log, turns = await export(world)
    assert b"quokka of" in log
    for secret in world.bridge.secrets.values():
        assert secret.encode() not in log, "a secret is in the log"
    log, hers = await export(world, "--user", alice.matrix.id)
    assert 0 < len(hers) < len(turns)
    assert f"quokka of {alice.gitter}".encode() in log
    assert f"quokka of {other.gitter}".encode() not in log
    log, of_room = await export(world, "--room", room)
    assert 0 < len(of_room) < len(hers)
    assert f"quokka of {alice.gitter}".encode() in log
    assert await export(world, "--since", "2035-01-01") is not None
    log, redacted = await export(world, "--redact")
    assert b"quokka" not in log
    assert len(redacted) >= len(turns), f"{len(redacted)} turns, before {len(turns)}"


async def scenario_logout_empties_the_journal(world):
    """What she said and was told goes when she logs out; what others said stays."""
    alice, uri, room, (bob,) = await bridged(world, "bob")
    other, other_uri, other_room, _ = await bridged(world)
    await other.matrix.send(other_room, "quokka stays")
    await alice.matrix.send(room, "quokka goes")
    await world.settled(uri, 1, alice.gitter)
    await world.gitter.post(uri, bob["username"], "quokka goes too")
    await alice.matrix.wait_text(room, "quokka goes too")
    assert b"quokka goes" in (await export(world))[0]
    long = "quokka goes " + 5000 * "and goes on "  # in all more than one commit gets through
    await asyncio.gather(*(alice.matrix.send(alice.chat, long) for _ in range(LONG_TEXTS)))
    await alice.say("logout", "LOGGED_OUT")
    await until("Alice to be put out of her room", lambda: room in alice.matrix.left)
    await world.bridge.kill()
    await world.start_bridge()  # nobody says anything from here on

    async def is_gone():
        return b"quokka goes" not in (await export(world))[0]
    await until("her words to leave the journal", is_gone)
    assert b"quokka stays" in (await export(world))[0]
