"""What is hard on the process: no space, no descriptors, no names, servers that are away. It says
what is wrong once, keeps what it has accepted, and goes on by itself."""

import asyncio
import contextlib
import os
import sqlite3
import subprocess

import aiohttp

from hardship import Hardship
from transports import once
from wait import until

DISK_BYTES = 16 << 20
DESCRIPTORS = 96


@contextlib.contextmanager
def small_disk(path):
    """A disk of some MB at that path; False without the right to mount one."""
    os.makedirs(path)
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", path],
                           check=False, capture_output=True)
    try:
        yield mount.returncode == 0
    finally:
        if mount.returncode == 0:
            subprocess.run(["umount", "-l", path], check=True)


def fill(path):
    """Writes until there is no space left."""
    with open(path, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))


def folder(world, name):
    return os.path.join(world.folder, name)


async def database_fails(hardship, begin, end):
    """Between the two nothing is accepted; it is said once, and once that it is over."""
    await hardship.talk()
    mark = hardship.mark()
    begin()
    await hardship.talk()
    await hardship.hear("database_fails", mark)
    refused = hardship.matrix.refused
    await hardship.talk()
    await until("repeated transactions", lambda: hardship.matrix.refused > refused + 2)
    end()
    await hardship.hear("database_works", mark)
    await hardship.all_there()
    for what in ("database_fails", "database_works"):
        lines = hardship.said_in_log(what, mark)
        assert len(lines) == 1, lines


@once
async def scenario_disk_full(world):
    """A real disk of some MB, without the right to mount one a pretended one."""
    disk = folder(world, "disk")
    filler = os.path.join(disk, "filler")
    with small_disk(disk) as is_real:
        settings = {"database": os.path.join(disk, "database.sqlite")} if is_real else {}
        async with Hardship(folder(world, "disk_full"), **settings) as hardship:
            if is_real:
                hardship.bridge.database = settings["database"]
                await database_fails(hardship, lambda: fill(filler), lambda: os.remove(filler))
            else:
                await database_fails(hardship, lambda: hardship.fault("enospc"),
                                     lambda: hardship.fault(""))


@once
async def scenario_disk_in_trouble(world):
    """Syncs that fail, and a disk that can only be read."""
    async with Hardship(folder(world, "disk_in_trouble")) as hardship:
        for fault in ("eio", "erofs"):
            await database_fails(hardship, lambda: hardship.fault(fault), lambda: hardship.fault(""))


@once
async def scenario_database_moved(world):
    """Somebody moves the file away: what was written to it then would be gone after a restart."""
    async with Hardship(folder(world, "database_moved")) as hardship:
        path, away = hardship.bridge.database, hardship.bridge.database + ".away"
        await database_fails(hardship, lambda: os.rename(path, away), lambda: os.rename(away, path))


@once
async def scenario_clock_set_back(world):
    """Between two runs the clock was set back by two hours: nothing waits for it to come up."""
    async with Hardship(folder(world, "clock_set_back")) as hardship:
        bridge = hardship.bridge
        await hardship.talk()
        await hardship.all_there()
        await bridge.stop()
        with contextlib.closing(sqlite3.connect(bridge.database)) as database, database:
            database.execute("UPDATE meta SET value = value + 7200000 WHERE key = 'last_ms'")
        await bridge.begin()
        await hardship.talk()
        await hardship.all_there()
        assert "clock_was_set_back" in bridge.log(), bridge.log()


@once
async def scenario_no_database(world):
    """What is no database of ours is not touched, and the process says so and ends."""
    async with Hardship(folder(world, "no_database")) as hardship:
        bridge = hardship.bridge
        await bridge.stop()
        for damage, word in ((b"no database at all" * 1000, "not a database"),
                             (None, "another program")):
            for file in (bridge.database, bridge.database + "-wal", bridge.database + "-shm"):
                if os.path.exists(file):
                    os.remove(file)
            if damage:
                with open(bridge.database, "wb") as file:
                    file.write(damage)
            else:
                subprocess.run(["python3", "-c", "import sqlite3, sys; sqlite3.connect(sys.argv[1])"
                                ".execute('create table t (x)')", bridge.database], check=True)
            with open(bridge.database, "rb") as file:
                before = file.read()
            status, _, error = await bridge.call("run", "-c", bridge.config)
            assert status == 1 and bridge.database in error and word in error, (status, error)
            with open(bridge.database, "rb") as file:
                assert file.read() == before, "was changed"
        os.remove(bridge.database)
        await bridge.begin()


async def is_away(hardship, gate, api):
    """A server is away for a while. Nothing is under way when it goes: a post to Gitter that was would
    be looked for for a minute."""
    await hardship.talk()
    await hardship.all_there()
    mark = hardship.mark()
    gate.shut()
    await hardship.talk()
    await hardship.hear("host_unreachable", mark)
    ticks = hardship.ticks()
    await asyncio.sleep(2)
    assert hardship.ticks() - ticks < 40, "it is busy with waiting"
    await gate.open()
    await hardship.hear("host_reachable", mark)
    await hardship.all_there()
    for what in ("host_unreachable", "host_reachable"):
        lines = [line for line in hardship.said_in_log(what, mark) if f"api={api}" in line]
        assert len(lines) == 1, lines


@once
async def scenario_homeserver_away(world):
    async with Hardship(folder(world, "homeserver_away")) as hardship:
        await is_away(hardship, hardship.homeserver_gate, "MATRIX")


@once
async def scenario_gitter_away(world):
    async with Hardship(folder(world, "gitter_away")) as hardship:
        await is_away(hardship, hardship.gitter_gate, "GITTER")


@once
async def scenario_no_names(world):
    """Gitter's name cannot be resolved, from the start."""
    async with Hardship(folder(world, "no_names")) as hardship:
        await hardship.talk()
        await hardship.all_there()
        await hardship.bridge.stop()
        mark = hardship.mark()
        hardship.fault("dns")
        await hardship.bridge.begin()
        await hardship.talk()
        said = await hardship.hear("host_unreachable", mark)
        assert "resolve" in said[0], said
        hardship.fault("")
        await hardship.hear("host_reachable", mark)
        await hardship.all_there()
        assert len(hardship.said_in_log("host_unreachable", mark)) == 1


async def take_descriptors(port):
    """Connections that say nothing, until gitterd takes no more."""
    taken = []
    for _ in range(2 * DESCRIPTORS):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        taken.append(writer)
    return taken


@once
async def scenario_no_descriptors(world):
    """All descriptors are taken by connections that say nothing. Who is connected is served, what
    goes out waits, and all goes on once they are gone."""
    hardship = Hardship(folder(world, "no_descriptors"))
    hardship.bridge.wrapper = ("sh", "-c", f'ulimit -n {DESCRIPTORS}; exec "$@"', "sh")
    async with hardship, aiohttp.ClientSession() as browser:
        async def ask():
            async with browser.get(hardship.bridge.login_url + "/") as answer:
                return answer.status
        await hardship.talk()
        await hardship.all_there()
        assert await ask() == 200
        mark = hardship.mark()
        taken = await take_descriptors(hardship.bridge.login_port)
        try:
            await hardship.hear("http_accept_paused", mark)
            hardship.gitter_gate.cut()
            assert await ask() == 200, "on the connection that it had"
            await hardship.talk()
            ticks = hardship.ticks()
            await asyncio.sleep(2)
            assert hardship.ticks() - ticks < 40, "it is busy with waiting"
        finally:
            for writer in taken:
                writer.transport.abort()
        await hardship.all_there()
        await hardship.bridge.is_listening()
