"""A homeserver that was away for long, and what it has and our database does not, because that was
lost."""

import contextlib
import glob
import json
import os

from aiohttp import web

import words
from bridge import BOT
from scenarios_chat import bridged
from transports import once
from wait import until
from world import World, ghost_id


@contextlib.asynccontextmanager
async def world_of_its_own(world, name, **settings):
    """The others are not to lose their rooms."""
    own = World(os.path.join(world.folder, name), world.synapse.room_version, world.bridge.program,
                **{**world.settings, **settings})
    try:
        await own.begin()
        yield own
    finally:
        await own.end()


def lose_database(bridge):
    for path in glob.glob(bridge.database + "*"):
        os.remove(path)


@once
async def scenario_database_lost(world):
    """Everybody of ours leaves a bridged room that nothing is known of any more, the bot last; the
    private chat is taken up."""
    async with world_of_its_own(world, "database_lost") as own:
        alice, uri, room, (bob, carl) = await bridged(own, "bob", "carl")
        for person in (bob, carl):
            await own.gitter.post(uri, person["username"], "quokka")
            await until(f"{person['username']} to speak", lambda person=person: any(
                event["sender"] == ghost_id(person) for event in alice.matrix.messages(room)))
        assert set(await alice.matrix.members(room)) > {ghost_id(bob), ghost_id(carl), BOT}
        await own.bridge.stop()
        lose_database(own.bridge)
        after = alice.matrix.mark(alice.chat)
        await own.start_bridge()
        await alice.matrix.wait_text(room, words.pattern("ROOM_FORGOTTEN"), BOT)
        await alice.hear("GREETING_STRANGER", after)

        def left():
            return [event["state_key"] for event in alice.matrix.events[room]
                    if event["type"] == "m.room.member" and event["content"]["membership"] == "leave"]
        await until("the bot to leave", lambda: BOT in left())
        assert sorted(left()[:-1]) == sorted([ghost_id(bob), ghost_id(carl)]), left()
        assert set(await alice.matrix.members(room)) == {alice.matrix.id}


class Forgetful:
    """Stands where gitterd does, takes what the homeserver has for it, and keeps nothing."""

    def __init__(self, bridge):
        self.bridge = bridge
        self.events = []
        self.runner = None

    async def __aenter__(self):
        app = web.Application()
        app.router.add_put("/_matrix/app/v1/transactions/{txn}", self.take)
        self.runner = web.AppRunner(app, access_log=None)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", self.bridge.port).start()
        return self

    async def __aexit__(self, *error):
        await self.runner.cleanup()

    async def take(self, request):
        self.events += (await request.json())["events"]
        return web.json_response({})

    def was_told_of(self, room):
        return any(event["room_id"] == room and event["type"] == "m.room.member"
                   and event["state_key"] == BOT for event in self.events)


@once
async def scenario_invite_lost(world):
    """An invite that was delivered and is in no database of ours is taken after a start, once."""
    async with world_of_its_own(world, "invite_lost") as own:
        alice, _ = await own.person()
        await own.bridge.stop()
        async with Forgetful(own.bridge) as forgetful:
            alice.chat = await alice.matrix.create_room(BOT)
            await until("the homeserver to deliver the invite",
                        lambda: forgetful.was_told_of(alice.chat))
        await own.start_bridge()
        await alice.hear("GREETING_STRANGER")
        await alice.matrix.leave(alice.chat)
        await own.bridge.stop()
        await own.start_bridge()
        carl, _ = await own.person("carl")
        await carl.open_chat()
        status, out, _ = await own.bridge.call("explain", "-c", own.bridge.config, alice.chat)
        assert status == 0 and out.count("INVITED on CHAT_INVITED") == 1, out


MOST = 30   # calls to the homeserver that may wait for one user


@once
async def scenario_homeserver_away_while_gitter_pours(world):
    """What is said waits on Gitter, not in our database, and is brought whole and in order."""
    async with world_of_its_own(world, "away", owner_outbox_max=MOST) as own:
        alice, uri, room, (bob, carl) = await bridged(own, "bob", "carl")
        await own.synapse.end()
        said = [f"quokka {number}" for number in range(8 * MOST)]

        async def waiting():
            _, out, _ = await own.bridge.call("status", "-c", own.bridge.config, "--json")
            return json.loads(out)["database"]["outbox"]["calls"]
        for number, text in enumerate(said):
            await own.gitter.post(uri, (bob, carl)[number // 7 % 2]["username"], text)
            if number == MOST:
                await until("the outbox to be full", lambda: calls_are(waiting, MOST))
        assert MOST <= await waiting() <= MOST + 10
        await own.bridge.stop()
        await own.bridge.begin()
        assert MOST <= await waiting() <= MOST + 10
        await own.synapse.resume()
        await alice.matrix.wait_text(room, f"^{said[-1]}$", seconds=90)
        got = [event["content"]["body"] for event in await alice.matrix.history(room)
               if event["sender"] in (ghost_id(bob), ghost_id(carl))]
        assert got == said, got
        after = alice.matrix.mark(alice.chat)
        await alice.matrix.send(alice.chat, "status")
        await alice.matrix.wait_text(alice.chat, "Waiting for Matrix: ", BOT, after)


async def calls_are(waiting, least):
    return await waiting() >= least
