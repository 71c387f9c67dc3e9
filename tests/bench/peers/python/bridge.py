"""A minimal bridge on mautrix for Python. Arguments: PORT SINK CONNECTIONS."""

import asyncio
import os
import sys
import tempfile

import aiohttp
from mautrix.appservice import AppService
from mautrix.appservice.state_store import FileASStateStore
from mautrix.types import EventType

PORT, SINK, CONNECTIONS = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
rooms = {}  # room -> texts that wait, in the hands of one task


async def drain(session, room):
    queue = rooms[room]
    while queue:
        async with session.post(f"{SINK}/rooms/{room}/chatMessages", json={"text": queue[0]}) as answer:
            await answer.read()
        queue.pop(0)
    del rooms[room]


async def main():
    store = FileASStateStore(path=os.path.join(tempfile.mkdtemp(), "state.json"), binary=False)
    bridge = AppService(
        server=SINK, domain="bench.test", as_token="as_token_of_the_benchmark",
        hs_token="hs_token_of_the_benchmark", bot_localpart="gitter", id="bench", state_store=store)
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def forward(event):
            if event.type != EventType.ROOM_MESSAGE:
                return
            if event.room_id in rooms:
                rooms[event.room_id].append(event.content.body)
            else:
                rooms[event.room_id] = [event.content.body]
                asyncio.create_task(drain(session, event.room_id))

        bridge.matrix_event_handler(forward)
        await bridge.start("127.0.0.1", PORT)
        await asyncio.Event().wait()

asyncio.run(main())
