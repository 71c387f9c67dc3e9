"""What HTTP streams do that nothing else does: they end in the middle of a record, put several in
one piece, and say nothing of what was missed."""

from scenarios_chat import bridged
from scenarios_faults import all_arrived
from transports import only
from wait import until


class Talk:
    """Bob talks on Gitter; all of it is expected."""

    def __init__(self, world, uri, bob):
        self.world = world
        self.uri = uri
        self.bob = bob["username"]
        self.said = []

    async def say(self, count=1, text="quokka"):
        for _ in range(count):
            self.said.append(f"{text} {len(self.said)}")
            await self.world.gitter.post(self.uri, self.bob, self.said[-1])


async def streaming(world):
    """A bridged room whose stream is open."""
    alice, uri, room, (bob,) = await bridged(world, "bob")
    talk = Talk(world, uri, bob)
    await opened(world, uri)
    return alice, room, talk


async def opened(world, uri):
    room_id = await world.gitter.room_id(uri)

    async def is_open():
        return any(one["room"] == room_id for one in await world.gitter.see("streams"))
    await until(f"the stream of {uri}", is_open)


@only("stream")
async def scenario_stream_cut(world):
    """Cut between records and inside of one, and refused for a while: each message once, in order."""
    alice, room, talk = await streaming(world)
    for step in ("cut", "cut-inside", "refuse", "cut-inside"):
        await talk.say(3)
        if step == "refuse":
            await world.gitter.do("stream/refuse", ms=1500)
            await world.gitter.do("stream/cut")
        else:
            await world.gitter.do(f"stream/{step}", room=talk.uri)
        await talk.say(2)
        await opened(world, talk.uri)
    await talk.say()
    await all_arrived(alice, room, talk.said)


@only("stream")
async def scenario_stream_in_pieces(world):
    """Records torn into chunks of a few bytes, many in one chunk, ended by CR LF, between
    keep-alives."""
    alice, room, talk = await streaming(world)
    whole = {"streamChunkBytes": 0, "streamSeparator": "\n", "streamKeepAliveMs": 30000}
    try:
        await world.gitter.do("settings", streamChunkBytes=5, streamKeepAliveMs=50)
        await talk.say(3, text="quokka Größe 🦘")
        await world.gitter.do("settings", streamChunkBytes=0, streamSeparator="\r\n")
        await world.gitter.do("stream/pack", count=5, room=talk.uri)
        await talk.say(5)
        await world.gitter.do("settings", **whole)
        await talk.say()
        await all_arrived(alice, room, talk.said)
    finally:
        await world.gitter.do("settings", **whole)
