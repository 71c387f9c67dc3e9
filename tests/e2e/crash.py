"""Kills gitterd again and again under load, and then compares both ends.

Usage: crash.py [--kills N] [--seed N] [--users N] [--stream]

gitterd runs between a scripted homeserver and the simulated Gitter. People talk in both directions,
often in the same words, edit and remove; both servers lose answers, close connections, delay and
refuse, and gitterd is killed with SIGKILL at random moments. Then the faults stop, and each message
must have arrived once and in the order of its room. The last line says so; exit status 0 only if
nothing was lost, doubled or out of order. With --stream Gitter's HTTP streams are read instead of
Faye. Logs, databases and what differs stay in build/crash/<time>/.
"""

import argparse
import asyncio
import collections
import contextlib
import json
import os
import random
import signal
import sqlite3
import sys
import time

import words
from bridge import Bridge
from browser import Browser
from crash_compare import Found, compare_changes, compare_gitter, compare_matrix
from gitter import Gitter
from homeserver import Homeserver
from process import TOP
from synapse import SERVER_NAME
from wait import until

TEXTS = ("yes", "no", "ok", "ok then", "hm", "ha", "and you?")
ROOMS = 5
QUIET_SECONDS = 3
STUCK_SECONDS = 75
RECENT = 12           # messages of a room that are edited and removed
CHANGE_SHARE = 0.15
DRAIN_SECONDS = 400

GITTER_FAULTS = (
    # weight, rule
    (6, {"method": "POST", "path": "/chatMessages", "cut": "after"}),
    (6, {"method": "POST", "path": "/chatMessages", "close": True}),
    (4, {"close": True, "count": 3}),
    (4, {"method": "GET", "cut": "before"}),
    (4, {"method": "GET", "cut": "middle"}),
    (4, {"delayAnswerMs": 400, "count": 4}),
    (4, {"method": "POST", "path": "/chatMessages", "delayAnswerMs": 900, "count": 2}),
    (4, {"delayMs": 300, "count": 4}),
    (4, {"method": "GET", "status": 502}),
    (3, {"status": 429}),
)
FAYE_FAULTS = (
    (4, "faye/cut", {}),
    (4, "faye/lose", {"count": 2}),
    (2, "faye/forget", {}),
    (1, "faye/refuse", {"ms": 700}),
)
STREAM_FAULTS = (
    (4, "stream/cut", {}),
    (4, "stream/cut-inside", {"count": 2}),
    (2, "stream/pack", {"count": 3}),
    (1, "stream/refuse", {"ms": 700}),
)
MATRIX_FAULTS = ("delay", "delay", "cut before", "cut after", "cut after", "close", "close", 502, 429)
MATRIX_FAULT_SHARE = 0.02
IMPATIENT_SHARE = 0.02


def choose(rng, weighted):
    return rng.choices(weighted, [one[0] for one in weighted])[0]


class Person:
    """A user of both sides, and what they said."""

    def __init__(self, name):
        self.name = name
        self.mxid = f"@{name}:{SERVER_NAME}"
        self.gitter_id = None
        self.chat = None
        self.rooms = {}                                  # Gitter room -> Matrix room
        self.said = collections.defaultdict(dict)        # Gitter room -> event -> text, in order
        self.typed = collections.defaultdict(set)        # Gitter room -> ids typed on Gitter


class Crash:
    def __init__(self, folder, options):
        os.makedirs(folder)
        self.folder = folder
        self.options = options
        self.rng = random.Random(options.seed)
        self.gitter = Gitter(folder)
        self.bridge = Bridge(folder, os.path.join(TOP, "build/release/gitterd"))
        tokens = self.bridge.secrets["matrix_appservice_token"], \
            self.bridge.secrets["matrix_homeserver_token"]
        self.matrix = Homeserver(SERVER_NAME, tokens, self.spoil_matrix)
        self.matrix.patience = self.patience
        self.people = [Person(f"user{number}") for number in range(options.users)]
        self.uris = [f"walks/room{number}" for number in range(ROOMS)]
        self.begun = {}                                  # Gitter room -> ids before the load
        self.removed = set()                             # Matrix events
        self.changed = set()                             # Matrix events and Gitter messages
        self.is_loud = False
        self.kills = 0
        self.messages = 0
        self.faults = 0
        self.met = collections.Counter()                 # faults of Gitter's requests by kind

    # Setting up

    async def begin(self):
        await self.gitter.begin()
        client = await self.gitter.do("client", name="gitterd",
                                      redirectUri=self.bridge.login_url + "/callback")
        await self.gitter.do("settings", rateLimit=10000000)
        await self.matrix.begin()
        await self.configure(client)
        await self.bridge.begin()
        self.matrix.on_invite = self.take_invite
        self.matrix.push_to(f"http://127.0.0.1:{self.bridge.port}")
        await self.people_and_rooms()
        for person in self.people:
            await self.log_in(person)
        for uri in self.uris:
            self.begun[uri] = {one["id"] for one in await self.gitter.messages(uri)}

    async def configure(self, client):
        live = {"gitter_faye_url": "", "gitter_stream_url": self.gitter.url + "/stream/v1"}
        self.bridge.write_config(self.matrix.url, (self.gitter, client),
                                 **(live if self.options.stream else {}))

    async def people_and_rooms(self):
        for name in ["bob"] + [person.name for person in self.people]:
            made = await self.gitter.do("user", username=name, displayName=name.title())
            for person in self.people:
                person.gitter_id = made["id"] if person.name == name else person.gitter_id
        wanted = {person: self.rng.sample(self.uris, self.rng.randint(2, 4))
                  for person in self.people}
        for uri in self.uris:
            members = [person.name for person in self.people if uri in wanted[person]]
            await self.gitter.do("room", uri=uri, members=["bob"] + members)
        for person, uris in wanted.items():
            person.rooms = dict.fromkeys(uris)

    def take_invite(self, room, user):
        """People take every invite at once."""
        if not self.matrix.is_ours(user):
            asyncio.get_running_loop().call_soon(self.matrix.set_member, room, user, user, "join")

    def heard(self, person):
        return [event["content"].get("body", "") for event in person.chat.events
                if event["sender"] == self.matrix.bot and event["type"] == "m.room.message"]

    def bridged(self, person, uri):
        """The Matrix room of a Gitter room, once its owner has joined."""
        for room in self.matrix.rooms.values():
            named = room.state.get(("m.room.name", ""))
            if named and named["content"]["name"] == f"{uri} (Gitter)" and room.joined(person.mxid):
                return room
        return None

    def rooms_named(self, person, uri):
        return [uri for room in self.matrix.rooms.values()
                if room.state.get(("m.room.name", ""), {"content": {}})["content"].get("name") ==
                f"{uri} (Gitter)" and room.joined(person.mxid)]

    async def log_in(self, person):
        person.chat = self.matrix.make_room(person.mxid)
        self.matrix.set_member(person.chat, person.mxid, self.matrix.bot, "invite")
        await until("the greeting", lambda: any("/auth_gitter/" in text for text in self.heard(person)))
        link = words.link_in(next(text for text in self.heard(person) if "/auth_gitter/" in text))
        browser = Browser()
        try:
            page = await browser.login(link, self.gitter.url, person.name)
        finally:
            await browser.close()
        assert page.status == 200, page
        for uri in person.rooms:
            await until(f"{person.name} in {uri}", lambda: self.bridged(person, uri))
            person.rooms[uri] = self.bridged(person, uri)

        async def is_live():
            if self.options.stream:
                open_now = await self.gitter.see("streams")
                return sum(one["user"] == person.name and one["kind"] == "chatMessages"
                           for one in open_now) >= len(person.rooms)
            subscribed = {channel for one in await self.gitter.see("faye") for channel in
                          one["subscriptions"] if one["user"] == person.name}
            return sum(str(channel).endswith("/chatMessages") for channel in subscribed) >= \
                len(person.rooms)
        await until(f"{person.name} to be subscribed", is_live)

    # Faults

    def spoil_matrix(self, request):
        if not self.is_loud or self.rng.random() > MATRIX_FAULT_SHARE:
            return None
        self.faults += 1
        return self.rng.choice(MATRIX_FAULTS)

    def patience(self):
        """How long the homeserver waits for the answer to a transaction: now and then not at all, and
        says it again."""
        if not self.is_loud or self.rng.random() > IMPATIENT_SHARE:
            return 20
        self.faults += 1
        return self.rng.uniform(0.001, 0.01)

    async def spoil_gitter(self):
        while self.is_loud:
            await asyncio.sleep(self.rng.uniform(0.2, 1.0))
            if self.rng.random() < 0.7:
                await self.gitter.do("faults", **choose(self.rng, GITTER_FAULTS)[1])
            else:
                _, call, body = choose(self.rng, STREAM_FAULTS if self.options.stream else FAYE_FAULTS)
                await self.gitter.do(call, **body)
            self.faults += 1

    async def kill(self):
        while self.kills < self.options.kills and self.is_loud:
            # often in the middle of starting, often under full load
            await asyncio.sleep(self.rng.choice((self.rng.uniform(0, 0.4), self.rng.uniform(0.4, 3),
                                                 self.rng.uniform(1, 6))))
            assert self.bridge.is_running(), "gitterd ended by itself\n" + self.bridge.tail()
            await self.bridge.kill()
            self.kills += 1
            await asyncio.sleep(self.rng.choice((0, 0, self.rng.uniform(0, 1.5))))
            await self.bridge.start(self.bridge.program, "run", "-c", self.bridge.config)
        self.is_loud = False

    async def freeze(self):
        """Gitter does not answer for a moment, with everything open."""
        while self.is_loud:
            await asyncio.sleep(self.rng.uniform(5, 15))
            self.gitter.process.send_signal(signal.SIGSTOP)
            await asyncio.sleep(self.rng.uniform(0.1, 1))
            self.gitter.process.send_signal(signal.SIGCONT)
            self.faults += 1

    # Load

    async def bring_rooms(self):
        """Now and then somebody has one more room brought over, and talks there."""
        talks = []
        for number in range(self.options.kills // 8):
            await asyncio.sleep(self.rng.uniform(4, 12))
            if not self.is_loud:
                break
            uri = f"walks/new{number}"
            person = self.rng.choice(self.people)
            await self.gitter.do("room", uri=uri, members=["bob", person.name])
            self.uris.append(uri)
            self.begun[uri] = set()
            person.rooms[uri] = None
            self.matrix.add(person.chat, person.mxid, "m.room.message",
                            {"msgtype": "m.text", "body": f"invite {uri}"})
            talks.append(asyncio.create_task(self.talk_when_there(person, uri)))
        await asyncio.gather(*talks)

    async def talk_when_there(self, person, uri):
        while self.is_loud and person.rooms[uri] is None:
            await asyncio.sleep(0.2)
            self.find_room(person, uri)
        await self.talk_on_matrix(person, uri)

    def find_room(self, person, uri):
        if person.rooms[uri] is None:
            person.rooms[uri] = self.bridged(person, uri)

    def text(self):
        """Mostly what others say as well."""
        number = f" {self.messages}" if self.rng.random() < 0.3 else ""
        return self.rng.choice(TEXTS) + number

    async def talk_on_matrix(self, person, uri):
        while self.is_loud:
            await asyncio.sleep(self.rng.uniform(0.1, 2.4))
            for _ in range(self.rng.choice((1, 1, 1, 2, 4))):
                text = self.text()
                self.messages += 1
                event = self.matrix.add(person.rooms[uri], person.mxid, "m.room.message",
                                        {"msgtype": "m.text", "body": text})
                person.said[uri][event["event_id"]] = text

    async def talk_on_gitter(self, uri):
        """Bob, and people who use Gitter's own client as well."""
        members = [person for person in self.people if uri in person.rooms]
        recent = collections.deque(maxlen=RECENT)
        while self.is_loud:
            await asyncio.sleep(self.rng.uniform(0.1, 1.2))
            if recent and self.rng.random() < CHANGE_SHARE:
                await self.change_on_gitter(*self.rng.choice(recent))
            for _ in range(self.rng.choice((1, 1, 2, 5))):
                person = self.rng.choice(members + [None, None])
                name = person.name if person else "bob"
                # a post that never left cannot be told from the same words typed there by its owner
                text = self.text() + ("!" if person else "")
                self.messages += 1
                message = await self.gitter.post(uri, name, text)
                recent.append((message, text))
                if person:
                    person.typed[uri].add(message)

    async def change_on_gitter(self, message, text):
        """Each message is changed once at most: nobody promises the order of two changes."""
        if message in self.changed:
            return
        self.changed.add(message)
        if self.rng.random() < 0.3:
            await self.gitter.do("delete", id=message)
        else:
            await self.gitter.do("edit", id=message, text="edited " + text)

    async def change_on_matrix(self):
        """People edit and remove what they said, once gitterd knows where it is on Gitter."""
        while self.is_loud:
            await asyncio.sleep(self.rng.uniform(0.2, 1))
            person = self.rng.choice(self.people)
            uri = self.rng.choice([one for one, room in person.rooms.items() if room])
            room, said = person.rooms[uri], person.said[uri]
            recent = [event for event in list(said)[-RECENT:] if event not in self.changed]
            noted = self.noted(room)
            known = [event for event in recent if event in noted]
            if not known:
                continue
            event = self.rng.choice(known)
            self.changed.add(event)
            if self.rng.random() < 0.3:
                del said[event]
                self.removed.add(event)
                self.matrix.redact(room, person.mxid, event)
            else:
                said[event] = "edited " + said[event]
                self.matrix.add(room, person.mxid, "m.room.message", {
                    "msgtype": "m.text", "body": "* " + said[event],
                    "m.new_content": {"msgtype": "m.text", "body": said[event]},
                    "m.relates_to": {"rel_type": "m.replace", "event_id": event}})

    def noted(self, room):
        """The events of which the database says which message of Gitter they are."""
        rows = self.read("SELECT event_id FROM message_map WHERE matrix_room = ?", room.id)
        return {value.removeprefix("own ") for value, in rows or ()}

    async def run(self):
        self.is_loud = True
        tasks = [asyncio.create_task(self.talk_on_gitter(uri)) for uri in self.uris
                 if any(uri in person.rooms for person in self.people)]
        tasks += [asyncio.create_task(self.talk_on_matrix(person, uri))
                  for person in self.people for uri in person.rooms]
        tasks += [asyncio.create_task(task()) for task in
                  (self.spoil_gitter, self.freeze, self.bring_rooms, self.change_on_matrix)]
        killer = asyncio.create_task(self.kill())
        try:
            await asyncio.wait([killer, *tasks], return_when=asyncio.FIRST_EXCEPTION)
        finally:
            self.is_loud = False
        await asyncio.gather(killer, *tasks)
        self.note_faults(await self.gitter.see("faults"))
        await self.gitter.ask("DELETE", "/faults")

    def note_faults(self, rules):
        """Which faults of Gitter's requests met one; the others came too late."""
        for rule in rules:
            kind = next(key for key in ("cut", "close", "status", "delayMs", "delayAnswerMs")
                        if key in rule)
            name = f"{kind} {rule[kind]}" if kind in ("cut", "status") else kind
            self.met[name] += rule["hits"]
            self.met[name + " (kept-alive)"] += rule["keptHits"]

    # Comparing

    def read(self, query, *arguments):
        """Rows of the database; None while it cannot be read, as when gitterd was just killed."""
        try:
            with contextlib.closing(sqlite3.connect(f"file:{self.bridge.database}?mode=ro", uri=True)) \
                    as database:
                return database.execute(query, arguments).fetchall()
        except sqlite3.OperationalError:
            return None

    def outbox(self):
        rows = self.read("SELECT count(*) FROM outbox")
        return rows[0][0] if rows else -1

    async def settle(self):
        """Until both ends agree, or nothing has moved for longer than anything waits."""
        begin = moved = good_since = time.monotonic()
        last = None
        while time.monotonic() - begin < DRAIN_SECONDS:
            await asyncio.sleep(0.5)
            assert self.bridge.is_running(), "gitterd ended by itself\n" + self.bridge.tail()
            found = await self.compare()
            now = time.monotonic()
            state = (self.outbox(), len(self.matrix.queue), found.counts(), found.total)
            if state != last:
                moved, last = now, state
            if state[0] != 0 or state[1] != 0 or found.is_bad():
                good_since = now
            if now - good_since > QUIET_SECONDS:
                return found
            if now - moved > STUCK_SECONDS:
                return found
        return found

    async def compare(self):
        found = Found()
        for uri in self.uris:
            messages = [one for one in await self.gitter.messages(uri)
                        if one["id"] not in self.begun[uri]]
            for person in self.people:
                if uri not in person.rooms:
                    continue
                self.find_room(person, uri)
                found.note(f"{uri} for {person.name}", [uri], self.rooms_named(person, uri))
                if person.rooms[uri] is not None:
                    compare_gitter(found, person, uri, messages)
                    compare_matrix(found, self, person, uri, messages)
                    compare_changes(found, self, person, uri, messages)
        return found

    async def end(self):
        try:
            if self.bridge.is_running():
                await self.bridge.stop()
        finally:
            await self.bridge.kill()
            await self.matrix.end()
            await self.gitter.kill()


async def walk(crash):
    begin = time.monotonic()
    await crash.begin()
    print(f"crash: {len(crash.people)} people in {sum(len(one.rooms) for one in crash.people)} "
          f"bridged rooms after {time.monotonic() - begin:.1f} s", flush=True)
    await crash.run()
    print(f"crash: {crash.kills} kills after {time.monotonic() - begin:.1f} s", flush=True)
    found = await crash.settle()
    print(f"crash: settled after {time.monotonic() - begin:.1f} s, outbox {crash.outbox()}, "
          f"to be pushed {len(crash.matrix.queue)}")
    print("crash: requests to Gitter spoilt: " +
          ", ".join(f"{name} {count}" for name, count in sorted(crash.met.items())))
    print(f"crash: {found.total} messages compared, {found.changes} edits and removals in Matrix")
    for why, count in sorted(crash.matrix.refusals.items()):
        print(f"crash: the homeserver refused {count} times: {why}")
    return found


def keep(crash, found):
    """Both ends, for whoever looks into it."""
    with open(os.path.join(crash.folder, "matrix.json"), "w", encoding="utf-8") as file:
        json.dump({person.name: {uri: {"said": person.said[uri], "typed": sorted(person.typed[uri]),
                                       "events": room.events if room else None}
                                 for uri, room in person.rooms.items()}
                   for person in crash.people}, file, indent=1)
    for line in found.lines if found else ():
        print("  " + line)


async def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1000000))
    parser.add_argument("--users", type=int, default=4)
    parser.add_argument("--stream", action="store_true")
    options = parser.parse_args()
    folder = os.path.join(TOP, "build/crash", time.strftime("%Y%m%d-%H%M%S") + f"-{os.getpid()}")
    print(f"crash: seed {options.seed}, logs in {os.path.relpath(folder, TOP)}", flush=True)
    crash = Crash(folder, options)
    found = None
    try:
        found = await walk(crash)
    finally:
        if crash.gitter.is_running():
            with open(os.path.join(folder, "gitter.json"), "w", encoding="utf-8") as file:
                json.dump({uri: await crash.gitter.messages(uri) for uri in crash.begun}, file, indent=1)
        keep(crash, found)
        await crash.end()
    if found.is_bad():
        print(f"crash: again with: etc/crash --kills {options.kills} --seed {options.seed} "
              f"--users {options.users}{' --stream' if options.stream else ''}")
    print(f"{crash.kills} kills, {crash.messages} messages, {crash.faults} faults, {found.lost} lost, "
          f"{found.doubled} doubled, {found.misplaced} out of order")
    return 1 if found.is_bad() else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
