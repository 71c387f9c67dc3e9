"""Databases of other builds: an earlier one is gone on with, a later one is left alone."""

import contextlib
import os
import sqlite3

import recording
from hardship import Hardship
from transports import once


@once
async def scenario_earlier_builds(world):
    """Each recording of an earlier build, killed with calls in flight: everything in it ends, once
    and in order, and goes on."""
    for name in recording.names():
        async with recording.Resumed(os.path.join(world.folder, f"from_{name}"), name) as resumed:
            assert resumed.outbox() > 0
            await resumed.all_there()
            await resumed.talk()
            await resumed.all_there()
            for uri in resumed.uris:
                await resumed.gitter.post(uri, "eve", "quokka")
            await resumed.all_there()


@once
async def scenario_later_build(world):
    """What a later build has written is refused with a word about it, and not touched."""
    async with Hardship(os.path.join(world.folder, "later_build")) as hardship:
        bridge = hardship.bridge
        await hardship.talk()
        await hardship.all_there()
        await bridge.stop()
        with contextlib.closing(sqlite3.connect(bridge.database)) as database:
            version = database.execute("PRAGMA user_version").fetchone()[0]
            database.execute(f"PRAGMA user_version = {version + 1}")
        with open(bridge.database, "rb") as file:
            before = file.read()
        status, _, error = await bridge.call("run", "-c", bridge.config)
        assert status == 1 and "newer gitterd" in error and bridge.database in error, (status, error)
        with open(bridge.database, "rb") as file:
            assert file.read() == before, "was changed"
        with contextlib.closing(sqlite3.connect(bridge.database)) as database:
            database.execute(f"PRAGMA user_version = {version}")
        await bridge.begin()
        await hardship.talk()
        await hardship.all_there()
