"""How gitterd behaves with the size of its database."""

import os
import time

import rig

MESSAGES = 20000


def start_up(owners, rooms):
    """Seconds from the start of the process to the answer of its first transaction, and its memory
    then (MiB)."""
    folder = rig.fresh_folder("scale")
    sink = rig.Sink(folder, owners)
    try:
        bridge = rig.Gitterd(folder, sink.port, owners, rooms)
        began = time.monotonic()
        process = bridge.start()
        try:
            rig.load(bridge.port, owners, rooms, 1, 10)
            return {"seconds": time.monotonic() - began, "memory": process.memory_kib() / 1024}
        finally:
            process.end()
    finally:
        sink.end()


def cost(rooms):
    """Microseconds of processor time for a message from the homeserver to the far end."""
    owners = max(1, rooms // 10)
    folder = rig.fresh_folder("scale")
    sink = rig.Sink(folder, owners)
    try:
        process = (bridge := rig.Gitterd(folder, sink.port, owners, rooms)).start()
        try:
            before = process.cpu_s()
            got = rig.load(bridge.port, owners, rooms, MESSAGES // 100, 60)
            end = sink.settled(got["answered"])
            assert end["messages"] == got["answered"], f"{end} of {got}; see {os.path.relpath(folder)}"
            return (process.cpu_s() - before) * 1e6 / end["messages"]
        finally:
            process.end()
    finally:
        sink.end()
