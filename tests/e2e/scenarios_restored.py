"""What the homeserver has and our database does not, because that was lost or is an older copy."""

import contextlib
import glob
import os

import words
from bridge import BOT
from scenarios_chat import bridged
from transports import once
from wait import until
from world import World, ghost_id


@contextlib.asynccontextmanager
async def world_of_its_own(world, name):
    """The others are not to lose their rooms."""
    own = World(os.path.join(world.folder, name), world.synapse.room_version, world.bridge.program,
                **world.settings)
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

        async def is_alone():
            return set(await alice.matrix.members(room)) == {alice.matrix.id}
        await until("everybody else to leave", is_alone)
        left = [event["state_key"] for event in alice.matrix.events[room]
                if event["type"] == "m.room.member" and event["content"]["membership"] == "leave"]
        assert left[-1] == BOT, left
