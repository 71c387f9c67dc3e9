"""What the pages are tried on: gitterd between a scripted homeserver and the simulated Gitter.

Usage: stage.py FOLDER [URL]      URL: how browsers reach the login port, if not directly

Prints one line of JSON when all is up: where things are, and the texts of gitterd's table. Then it
does what it is asked over HTTP, JSON in and out, and ends when its standard input does:

  POST /person  {"name"?}        somebody new on both sides, greeted by the bot: user, gitter, link
  POST /say     {"user", "text"} says it to the bot and waits for the answer: text, link
  POST /told    {"user"}         all that the bot has said to them: texts
  POST /expire  {}               the ten minutes of all links are over
  POST /lock    {"is_held"}      whether somebody else is writing to the database, for ever
  POST /gitter  {"call", "body"} a call of the simulated Gitter's side for tests
"""

import asyncio
import contextlib
import json
import os
import sqlite3
import sys

from aiohttp import web

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests/e2e"))

import words  # noqa: E402
from bridge import Bridge  # noqa: E402
from gitter import Gitter  # noqa: E402
from homeserver import Homeserver  # noqa: E402
from synapse import SERVER_NAME  # noqa: E402
from wait import until  # noqa: E402

LINK = "/auth_gitter/"
RATE = 60  # what the tests count on; each of their browsers has an address of its own


class Stage:
    def __init__(self, folder, url=None):
        os.makedirs(folder, exist_ok=True)
        self.gitter = Gitter(folder)
        self.bridge = Bridge(folder, os.path.join(TOP, "build/release/gitterd"))
        self.url = url or self.bridge.login_url
        self.writer = None
        secrets = self.bridge.secrets
        self.matrix = Homeserver(
            SERVER_NAME, (secrets["matrix_appservice_token"], secrets["matrix_homeserver_token"]),
            lambda request: None)
        self.chats = {}
        self.number = 0

    async def begin(self):
        await self.gitter.begin()
        client = await self.gitter.do("client", name="gitterd",
                                      redirectUri=self.url + "/callback")
        await self.matrix.begin()
        # another host than gitterd's pages, so that browsers take it for another site
        self.gitter_url = self.gitter.url.replace("127.0.0.1", "localhost")
        self.bridge.write_config(self.matrix.url, (self.gitter, client), gitter_url=self.gitter_url,
                                 gitter_login_rate=RATE, gitter_login_url=self.url)
        await self.bridge.begin()
        self.matrix.push_to(f"http://127.0.0.1:{self.bridge.port}")

    async def end(self):
        for part in (self.bridge, self.gitter):
            if part.is_running():
                await part.end()
        await self.matrix.end()

    def told_to(self, user):
        return [event["content"].get("body", "") for event in self.chats[user].events
                if event["sender"] == self.matrix.bot and event["type"] == "m.room.message"]

    async def answer_to(self, user, before):
        await until("the bot to answer", lambda: len(self.told_to(user)) > before)
        text = self.told_to(user)[before]
        return {"text": text, "link": words.link_in(text) if LINK in text else None}

    # What is asked

    async def person(self, name=None):
        self.number += 1
        gitter = f"user{self.number}"
        user = f"@{name or gitter}:{SERVER_NAME}"
        await self.gitter.do("user", username=gitter, displayName=f"User {self.number}")
        self.chats[user] = self.matrix.make_room(user)
        self.matrix.set_member(self.chats[user], user, self.matrix.bot, "invite")
        return {"user": user, "gitter": gitter, **await self.answer_to(user, 0)}

    async def say(self, user, text):
        before = len(self.told_to(user))
        self.matrix.add(self.chats[user], user, "m.room.message", {"msgtype": "m.text", "body": text})
        return await self.answer_to(user, before)

    async def told(self, user):
        return {"texts": self.told_to(user)}

    async def expire(self):
        """Nothing in gitterd moves its clock, so the links' stored deadlines are moved instead."""
        await self.bridge.stop()
        with contextlib.closing(sqlite3.connect(self.bridge.database)) as database, database:
            database.execute("UPDATE logins SET deadline_ms = 1 WHERE deadline_ms > 0"
                             " AND state IN ('OFFERED', 'BOUND')")
        await self.bridge.begin()

        def is_over():
            with contextlib.closing(sqlite3.connect(self.bridge.database)) as database:
                query = "SELECT count(*) FROM logins WHERE deadline_ms = 1"
                return database.execute(query).fetchone()[0] == 0
        await until("the links to be too old", is_over)
        return {}

    async def lock(self, is_held):
        if is_held:
            self.writer = sqlite3.connect(self.bridge.database, isolation_level=None)
            self.writer.execute("BEGIN IMMEDIATE")
        elif self.writer is not None:
            self.writer.close()
            self.writer = None
        return {}

    async def call_gitter(self, call, body):
        return await self.gitter.do(call, **body) or {}

    async def serve(self):
        calls = {"person": self.person, "say": self.say, "told": self.told, "expire": self.expire,
                 "lock": self.lock, "gitter": self.call_gitter}

        async def answer(request):
            body = await request.json()
            return web.json_response(await calls[request.match_info["call"]](**body))
        app = web.Application()
        app.add_routes([web.post("/{call}", answer)])
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner


async def main(*arguments):
    stage = Stage(*arguments)
    try:
        await stage.begin()
        runner = await stage.serve()
        print(json.dumps({
            "control": "http://127.0.0.1:%d" % runner.addresses[0][1],
            "pages": stage.url,
            "port": stage.bridge.login_port,
            "gitter": stage.gitter_url,
            "bot": stage.matrix.bot,
            "rate": RATE,
            "texts": words.TEXTS,
        }), flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        await runner.cleanup()
    finally:
        await stage.end()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
