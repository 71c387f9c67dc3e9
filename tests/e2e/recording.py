"""A database of an earlier build, killed with calls in flight, and what both servers then knew.

Usage: recording.py PROGRAM NAME

Lets that gitterd run in a small world, kills it in the middle of everything, and writes
tests/e2e/data/NAME/: database.sql, the dump of its database, and peers.json. A scenario has the
present build go on from there. To record one of a commit: build it in a worktree of its own, and
call this file of the present tree with build/venv/bin/python and the program built there. The
secrets in it are of no other use.
"""

import asyncio
import collections
import contextlib
import json
import os
import re
import sqlite3
import sys
import tempfile
import time

from hardship import Hardship
from process import TOP
from wait import Late, until

DATA = os.path.join(TOP, "tests/e2e/data")
DAY_MS = 24 * 3600 * 1000
# what must be in flight: the lanes' heads, and what waits behind
WANTED = {"ROOM_POST_ENDED": 3, "ROOM_LOOK_ENDED": 1, "ROOM_SEND_ENDED": 3, "ROOM_CREATE_ENDED": 1,
          "GHOST_REGISTER_ENDED": 1, "ROOM_EDIT_ENDED": 1, "ROOM_CHANGE_ENDED": 1}


def names():
    """Of the recordings in the tree."""
    return sorted(os.listdir(DATA))


class Recorder(Hardship):
    """Servers that stop answering, each call after its effect."""

    async def posts(self, fault, **more):
        await self.gitter.do("faults", method="POST", path="/chatMessages", **fault, **more)

    def say(self, uri, content=None, text="the same"):
        self.messages += 1
        event = self.matrix.add(self.person.rooms[uri], self.person.mxid, "m.room.message",
                                content or {"msgtype": "m.text", "body": text})
        if content is None:
            self.person.said[uri][event["event_id"]] = text
        return event["event_id"]

    async def change_something(self):
        """An edit and a removal in each direction, of what is on the other side already."""
        uri, room = next(iter(self.person.rooms.items()))
        edited, removed = self.say(uri), self.say(uri)
        first, second = [await self.gitter.post(uri, "bob", "bob says") for _ in range(2)]
        await self.all_there()
        self.matrix.spoil = lambda request: "hold"
        for method in ("PUT", "DELETE"):
            await self.gitter.do("faults", method=method, path="/chatMessages/", count=9,
                                 delayAnswerMs=3600000)
        self.person.said[uri][edited] = "edited"
        self.say(uri, {"msgtype": "m.text", "body": "* edited",
                       "m.new_content": {"msgtype": "m.text", "body": "edited"},
                       "m.relates_to": {"rel_type": "m.replace", "event_id": edited}})
        del self.person.said[uri][removed]
        self.removed.add(removed)
        self.matrix.redact(room, self.person.mxid, removed)
        await self.gitter.do("edit", id=first, text="edited by bob")
        await self.gitter.do("delete", id=second)

    async def lose_answers(self):
        """One post whose answer is lost and is looked for, in the others posts without an answer."""
        uris = list(self.person.rooms)[1:]
        await self.posts({"cut": "after"})
        self.say(uris[0])
        await until("the look", lambda: self.in_flight()["ROOM_LOOK_ENDED"])
        await self.posts({"delayAnswerMs": 3600000}, count=100)
        for uri in uris[1:]:
            for _ in range(3):
                self.say(uri)
        await self.gitter.do("user", username="eve", displayName="Eve")
        for uri in uris:
            self.say(uri)
            await self.gitter.do("join", room=uri, user="eve")
            for user in ("bob", "eve", "bob", self.person.name):
                text = "the same" if user != self.person.name else "by hand!"
                message = await self.gitter.post(uri, user, text)
                if user == self.person.name:
                    self.person.typed[uri].add(message)

    async def make_room(self):
        """A room that is being made, though nobody knows of it yet."""
        uri = "walks/one_more"
        await self.gitter.do("room", uri=uri, members=["bob", self.person.name])
        self.uris.append(uri)
        self.begun[uri] = set()
        self.person.rooms[uri] = None
        self.matrix.add(self.person.chat, self.person.mxid, "m.room.message",
                        {"msgtype": "m.text", "body": f"invite {uri}"})

    def in_flight(self):
        rows = self.read("SELECT purpose, count(*) FROM outbox GROUP BY 1")
        return collections.Counter(dict(rows or ()))

    async def record(self, name):
        await self.talk(2)
        await self.change_something()
        await self.lose_answers()
        await self.make_room()
        with contextlib.suppress(Late):  # before the first look is made
            await until("all of them", lambda: not collections.Counter(WANTED) - self.in_flight(), 3)
        missing = collections.Counter(WANTED) - self.in_flight()
        assert not missing, f"not in flight: {dict(missing)}"
        self.matrix.pusher.cancel()
        await self.bridge.kill()
        await self.write(os.path.join(DATA, name))
        print(f"recording: {name}: in flight {dict(self.in_flight())}")

    async def write(self, folder):
        os.makedirs(folder)
        person = self.person
        with contextlib.closing(sqlite3.connect(self.bridge.database)) as database:
            version = database.execute("PRAGMA user_version").fetchone()[0]
            application = database.execute("PRAGMA application_id").fetchone()[0]
            with open(os.path.join(folder, "database.sql"), "w", encoding="utf-8") as file:
                file.write(f"PRAGMA application_id={application};\nPRAGMA user_version={version};\n")
                file.writelines(line + "\n" for line in database.iterdump())
        with open(os.path.join(folder, "peers.json"), "w", encoding="utf-8") as file:
            json.dump({
                "recorded_ms": int(time.time() * 1000), "secrets": self.bridge.secrets,
                "client": self.client, "matrix": self.matrix.save(),
                "gitter": (await self.gitter.see("state"))["state"],
                "uris": self.uris, "begun": {uri: sorted(ids) for uri, ids in self.begun.items()},
                "removed": sorted(self.removed),
                "person": {"gitter_id": person.gitter_id, "chat": person.chat.id,
                           "rooms": {uri: room and room.id for uri, room in person.rooms.items()},
                           "said": person.said,
                           "typed": {uri: sorted(ids) for uri, ids in person.typed.items()}},
            }, file, indent=1)
            file.write("\n")

    async def configure(self, client):
        self.client = client
        await super().configure(client)
        while unknown := await self.unknown_key():
            with open(self.bridge.config, encoding="utf-8") as file:
                lines = [line for line in file if not line.startswith(unknown + ":")]
            with open(self.bridge.config, "w", encoding="utf-8") as file:
                file.writelines(lines)

    async def unknown_key(self):
        """A setting that the earlier build did not have yet."""
        _, _, error = await self.bridge.call("registration", "-c", self.bridge.config)
        found = re.search(r"(\w+): unknown key", error)
        return found and found[1]


class Resumed(Hardship):
    """The world of a recording, at the moment after the kill."""

    def __init__(self, folder, name, **settings):
        super().__init__(folder, **settings)
        self.source = os.path.join(DATA, name)
        with open(os.path.join(self.source, "peers.json"), encoding="utf-8") as file:
            self.peers = json.load(file)
        self.bridge.secrets = self.peers["secrets"]
        self.matrix.as_token = self.bridge.secrets["matrix_appservice_token"]
        self.matrix.hs_token = self.bridge.secrets["matrix_homeserver_token"]

    def write_database(self):
        """As if it had been killed a moment ago: calls get too old, and what was seen is forgotten."""
        passed_ms = int(time.time() * 1000) - self.peers["recorded_ms"]
        with open(os.path.join(self.source, "database.sql"), encoding="utf-8") as file, \
                contextlib.closing(sqlite3.connect(self.bridge.database)) as database:
            database.executescript(file.read())
            database.execute("UPDATE outbox SET created_ms = created_ms + ?", (passed_ms,))
            database.execute("UPDATE seen_events SET seen_ms = seen_ms + ?", (passed_ms,))
            database.execute("UPDATE message_map SET created_day = created_day + ?",
                             (passed_ms // DAY_MS,))
            database.commit()
        os.chmod(self.bridge.database, 0o600)

    def take_person(self):
        saved, person = self.peers["person"], self.person
        rooms = self.matrix.rooms
        person.gitter_id, person.chat = saved["gitter_id"], rooms[saved["chat"]]
        person.rooms = {uri: room and rooms[room] for uri, room in saved["rooms"].items()}
        person.said.update(saved["said"])
        person.typed.update({uri: set(ids) for uri, ids in saved["typed"].items()})
        self.uris, self.removed = self.peers["uris"], set(self.peers["removed"])
        self.begun = {uri: set(ids) for uri, ids in self.peers["begun"].items()}

    async def begin(self):
        await self.gitter.begin()
        await self.gitter.do("restore", state=self.peers["gitter"])
        await self.gitter.do("settings", rateLimit=10000000)
        self.matrix.restore(self.peers["matrix"])
        await self.matrix.begin()
        await self.configure(self.peers["client"])
        self.write_database()
        self.take_person()
        self.matrix.on_invite = self.take_invite
        self.matrix.push_to(f"http://127.0.0.1:{self.bridge.port}")
        await self.bridge.begin()


async def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        async with Recorder(os.path.join(folder, "world"), os.path.abspath(sys.argv[1])) as recorder:
            await recorder.record(sys.argv[2])
            await recorder.close()


if __name__ == "__main__":
    asyncio.run(main())
