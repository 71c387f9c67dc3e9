"""A disk that is slow. Who waits for it waits; nothing else does."""

import asyncio
import fcntl
import os

import aiohttp

from bridge import Bridge
from process import TOP, free_port
from scenarios_bad_input import Homeserver
from wait import until

TRANSACTIONS = 20
UNKNOWN_LINK = 404


class SlowDisk:
    """A gitterd of its own, apart from the world's, whose syncs end when they are let."""

    def __init__(self, world):
        self.folder = os.path.join(world.folder, world.name("slow-disk"))
        os.makedirs(self.folder)
        self.path = os.path.join(self.folder, "disk")
        self.hold = open(self.path, "x", encoding="utf-8")
        self.bridge = Bridge(self.folder, os.path.join(TOP, "build/release/gitterd"))
        self.metrics = free_port()
        client = {"clientKey": "key", "clientSecret": "secret"}
        self.bridge.write_config("http://127.0.0.1:1", (world.gitter, client),
                                 metrics_port=self.metrics)
        self.server = Homeserver(world)
        self.server.bridge = self.bridge
        self.server.token = self.bridge.secrets["matrix_homeserver_token"]
        self.answers = []

    async def begin(self):
        await self.bridge.start(self.bridge.program, "run", "-c", self.bridge.config, environment={
            "LD_PRELOAD": os.path.join(TOP, "build/release/tests/e2e/libslow_sync.so"),
            "SLOW_SYNC": self.path})
        await until("gitterd to listen", self.bridge.is_listening)

    def hold_syncs(self):
        fcntl.flock(self.hold, fcntl.LOCK_EX)

    def release_syncs(self):
        fcntl.flock(self.hold, fcntl.LOCK_UN)

    async def end(self):
        self.hold.close()
        await self.bridge.kill()

    async def push(self, number):
        event = {"event_id": f"$slow{number}", "type": "m.room.message", "sender": "@a:b",
                 "room_id": "!r:b", "content": {"msgtype": "m.text", "body": "hello"}}
        self.answers.append(await self.server.push({"events": [event]}))

    async def is_stopping(self):
        return " stopping " in self.bridge.log()

    async def is_waiting(self):
        return os.path.exists(self.path + ".waits")


async def get(url):
    async with aiohttp.ClientSession() as session:
        async with session.get(url) as answer:
            return answer.status


async def scenario_slow_disk(world):
    """Twenty transactions and a login link wait for one sync; questions and other pages do not."""
    disk = SlowDisk(world)
    await disk.begin()
    try:
        await disk.push("first")
        disk.hold_syncs()
        waiting = [asyncio.create_task(disk.push(number)) for number in range(TRANSACTIONS)]
        await until("a commit to wait for the disk", disk.is_waiting)
        page = asyncio.create_task(get(disk.bridge.login_url + "/auth_gitter/0a1b.2c3d"))
        for _ in range(5):
            assert await get(disk.bridge.login_url + "/") == 200
            status, _ = await disk.server.ask("GET", "/_matrix/app/v1/users/@gitter_x:nowhere")
            assert status == 404
            assert await get(f"http://127.0.0.1:{disk.metrics}/metrics") == 200
        assert len(disk.answers) == 1, f"answered before it was durable: {disk.answers}"
        assert not page.done()
        disk.release_syncs()
        await asyncio.gather(*waiting)
        assert disk.answers == [(200, {})] * (TRANSACTIONS + 1), disk.answers
        assert await page == UNKNOWN_LINK
        await disk.bridge.stop()
    finally:
        await disk.end()


async def scenario_stop_with_slow_disk(world):
    """SIGTERM in the middle of a sync: the commit ends, its answer leaves, and then gitterd."""
    disk = SlowDisk(world)
    await disk.begin()
    try:
        await disk.push("first")
        disk.hold_syncs()
        waiting = asyncio.create_task(disk.push("last"))
        await until("a commit to wait for the disk", disk.is_waiting)
        stopping = asyncio.create_task(disk.bridge.stop())
        await until("gitterd to hear it", disk.is_stopping)
        assert len(disk.answers) == 1, f"answered before it was durable: {disk.answers}"
        disk.release_syncs()
        await asyncio.gather(waiting, stopping)
        assert disk.answers == [(200, {})] * 2, disk.answers
        assert "stopped drained=true clean=true" in disk.bridge.log()
    finally:
        await disk.end()
