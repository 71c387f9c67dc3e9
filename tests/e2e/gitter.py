"""The simulated Gitter of tests/gitter and its side for tests."""

import asyncio
import json
import os

import aiohttp

from process import TOP, Process


class Gitter(Process):
    def __init__(self, folder):
        super().__init__("gitter", folder)
        self.url = None

    async def begin(self):
        await self.start("node", os.path.join(TOP, "tests/gitter/main.js"), "--port", "0",
                         stdout=asyncio.subprocess.PIPE)
        line = await asyncio.wait_for(self.process.stdout.readline(), 30)
        assert line, "the simulated Gitter ended\n" + self.tail()
        self.url = f"http://127.0.0.1:{json.loads(line)['port']}"

    async def ask(self, method, path, body=None):
        async with aiohttp.ClientSession() as session:
            async with session.request(method, f"{self.url}/_test{path}", json=body) as answer:
                text = await answer.text()
                assert answer.status in (200, 201), f"{method} /_test{path}: {answer.status} {text}"
                return json.loads(text) if text else None

    async def do(self, call, /, **body):
        return await self.ask("POST", "/" + call, body)

    async def see(self, path):
        return await self.ask("GET", "/" + path)

    async def post(self, room, user, text, **more):
        """A message as if typed in Gitter's own client; its id."""
        return (await self.do("post", room=room, user=user, text=text, **more))["id"]

    async def room_id(self, room):
        return (await self.see(f"room?room={room}"))["id"]

    async def messages(self, room):
        return await self.see(f"messages?room={room}")

    async def texts(self, room, user=None):
        """What was said in a room, or what one of its users said, oldest first."""
        return [message["text"] for message in await self.messages(room)
                if user is None or message["fromUser"]["username"] == user]

    async def log(self, since=0):
        return await self.see(f"log?since={since}")
