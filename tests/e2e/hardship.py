"""A small world for what is hard on the process itself: gitterd between a scripted homeserver and
the simulated Gitter, each behind a gate, with a library under it that makes system calls fail.

Both sides talk, and in the end each message is compared as crash.py does it.
"""

import asyncio
import collections
import os
import re
import subprocess

from crash import Crash
from gate import Gate
from process import TOP
from wait import until

Options = collections.namedtuple("Options", "seed users stream kills")


def faults_library():
    """tests/e2e/faults.c, built."""
    source = os.path.join(TOP, "tests/e2e/faults.c")
    library = os.path.join(TOP, "build/e2e/faults.so")
    if not os.path.exists(library) or os.path.getmtime(library) < os.path.getmtime(source):
        made = f"{library}.{os.getpid()}"
        subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o", made,
                        source, "-ldl"], check=True)
        os.replace(made, library)
    return library


class Hardship(Crash):
    """One person in some bridged rooms. Settings are those of gitterd's configuration."""

    def __init__(self, folder, program=None, **settings):
        super().__init__(folder, Options(seed=5, users=1, stream=False, kills=0))
        self.bridge.program = program or self.bridge.program
        self.settings = settings
        self.person = self.people[0]
        self.homeserver_gate = self.gitter_gate = None
        self.fault_file = os.path.join(folder, "fault")
        self.bridge.environment = {"LD_PRELOAD": faults_library(), "FAULTS_FILE": self.fault_file}

    async def configure(self, client):
        self.homeserver_gate, self.gitter_gate = Gate(self.matrix.url), Gate(self.gitter.url)
        await self.homeserver_gate.open()
        await self.gitter_gate.open()
        gitter = f"http://gitter.invalid:{self.gitter_gate.port}"
        self.bridge.write_config(self.homeserver_gate.url, (self.gitter, client), **{
            "gitter_api_url": gitter + "/api/v1", "gitter_faye_url": gitter + "/bayeux",
            **self.settings})

    def fault(self, word):
        """What fails from now on; an empty word: nothing."""
        with open(self.fault_file + ".new", "w", encoding="utf-8") as file:
            file.write(word)
        os.replace(self.fault_file + ".new", self.fault_file)

    async def talk(self, count=3):
        """So many messages in each room and direction."""
        for _ in range(count):
            for uri, room in self.person.rooms.items():
                self.messages += 1
                event = self.matrix.add(room, self.person.mxid, "m.room.message",
                                        {"msgtype": "m.text", "body": f"m{self.messages}"})
                self.person.said[uri][event["event_id"]] = f"m{self.messages}"
                await self.gitter.post(uri, "bob", f"g{self.messages}")

    def said_in_log(self, what, after=0):
        """Lines of that event, written since a mark."""
        lines = self.bridge.log()[after:].split("\n")
        return [line for line in lines if re.match(rf"\S+ \w+ {what}( |$)", line)]

    def mark(self):
        return len(self.bridge.log())

    async def hear(self, what, after=0, seconds=20):
        return await until(f"{what} in the log", lambda: self.said_in_log(what, after), seconds)

    async def all_there(self):
        """Everything is on the other side, once and in order."""
        found = await self.settle()
        assert not found.is_bad() and self.outbox() == 0, "\n".join(found.lines)
        assert found.total > 0

    def ticks(self):
        """Of the processor, that gitterd has taken."""
        with open(f"/proc/{self.bridge.process.pid}/stat", encoding="utf-8") as file:
            fields = file.read().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    async def __aenter__(self):
        try:
            await self.begin()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, kind, error, trace):
        if error is None:
            await self.end()
        else:
            print(f"--- gitterd of {self.folder}\n{self.bridge.tail(30)}\n---", flush=True)
            await self.close()

    async def close(self):
        await self.bridge.kill()
        await self.matrix.end()
        await self.gitter.kill()
        for gate in (self.homeserver_gate, self.gitter_gate):
            if gate:
                gate.shut()

    async def end(self):
        try:
            await super().end()
        finally:
            await self.close()
