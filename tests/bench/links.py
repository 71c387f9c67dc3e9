"""The way from Gitter: what open links cost, and how fast messages come over them."""

import contextlib
import time

import rig

LINKS_RATE = 1000
SETTLES_S = 15


@contextlib.contextmanager
def linked(folder_name, links, is_tls=False, before=()):
    """gitterd with a link for each of so many owners, each with one room: the far ends, gitterd,
    and its memory before (KiB). `before`: a program that runs gitterd, with its arguments."""
    folder = rig.fresh_folder(folder_name)
    sink = rig.Sink(folder, links)
    faye = rig.FayeEnd(folder, links, is_tls)
    try:
        bridge = rig.Gitterd(folder, sink.port, links, links, ["feeds"], **faye.settings)
        process = bridge.start(before=before)
        try:
            memory_kib = process.memory_kib()
            faye.wait_for_rooms(links)
            yield sink, faye, bridge, memory_kib
        finally:
            process.end()
    finally:
        faye.end()
        sink.end()


def cpu_share(process, seconds):
    before, began = process.cpu_s(), time.monotonic()
    time.sleep(seconds)
    return (process.cpu_s() - before) / (time.monotonic() - began) * 100


def spoken(sink, faye, rate, count):
    """Has so many messages said and waits for them at the homeserver."""
    sink.reset()
    faye.speak(rate, count)
    end = sink.settled(count)
    assert end["messages"] == count, f"{end} of {count}, {faye.stats()}"
    return end


def cost(links, is_tls, idle_s, busy_s):
    """Memory of a link, and what links do to the processor, idle and with LINKS_RATE messages a
    second over all of them."""
    with linked("links", links, is_tls) as (sink, faye, bridge, before):
        process = bridge.process
        time.sleep(SETTLES_S)
        found = {"memory": (process.memory_kib() - before) / links,
                 "cpu idle": cpu_share(process, idle_s)}
        count = LINKS_RATE * busy_s
        cpu, began = process.cpu_s(), time.monotonic()
        end = spoken(sink, faye, LINKS_RATE, count)
        found["cpu busy"] = (process.cpu_s() - cpu) / (time.monotonic() - began) * 100
        found["memory busy"] = (process.memory_kib() - before) / links
        return {**found, "doubled": end["doubled"], "out of order": end["disordered"]}


def back(links, count):
    """Messages a second from Gitter to the homeserver, as fast as they are taken."""
    with linked("back", links) as (sink, faye, bridge, _):
        process = bridge.process
        cpu = process.cpu_s()
        end = spoken(sink, faye, 0, count)
        return {"back": count / (end["last_us"] - end["first_us"]) * 1e6,
                "cpu": (process.cpu_s() - cpu) / count * 1e6,
                "memory": process.memory_kib("VmHWM") / 1024,
                "doubled": end["doubled"], "out of order": end["disordered"]}
