"""Messages from the homeserver to the far end: how fast they are acknowledged, how fast they arrive,
and what a kill leaves of them. gitterd and its peers in turn, through the same load and sink."""

import contextlib
import signal

import peers
import rig

OWNERS, ROOMS, EVENTS = 100, 1000, 100
LOSS_SECONDS = 4
GITTERD = "gitterd (durable)"


@contextlib.contextmanager
def far_end(name, core):
    """A bridge of that name that is not started, and its sink."""
    folder = rig.fresh_folder("traffic")
    sink = rig.Sink(folder, OWNERS, core)
    try:
        yield (rig.Gitterd(folder, sink.port, OWNERS, ROOMS) if name == GITTERD
               else peers.Peer(name, folder, sink.port)), sink
    finally:
        sink.end()


def throughput(name, transactions, seconds, is_pinned):
    """Acknowledged and forwarded events a second, latencies, memory."""
    bridge_core, other_core = (0, 1) if is_pinned else (None, None)
    with far_end(name, other_core) as (bridge, sink):
        process = bridge.start(bridge_core)
        try:
            got = rig.load(bridge.port, OWNERS, ROOMS, transactions, seconds, EVENTS, core=other_core)
            end = sink.settled(got["answered"], patience_s=20)
            span_us = end["last_us"] - end["first_us"] or 1
            return {
                "ack": got["answered"] / (got["us"] or 1) * 1e6,
                "ack p99": got["p99_us"] / 1000,
                "forward": end["messages"] / span_us * 1e6,
                "memory": process.memory_kib("VmHWM") / 1024,
                "doubled": end["doubled"],
                "out of order": end["disordered"],
            }
        finally:
            process.end()


def loss(name):
    """Events answered with 200 that never arrive when the bridge is killed under load and started
    again."""
    with far_end(name, None) as (bridge, sink):
        process = bridge.start()
        try:
            got = rig.load(bridge.port, OWNERS, ROOMS, 10 ** 6, LOSS_SECONDS, EVENTS)
            process.end(signal.SIGKILL)
            process = bridge.start()
            end = sink.settled(got["answered"], patience_s=100 if name == GITTERD else 10)
            return {"answered": got["answered"], "lost": got["answered"] - end["messages"],
                    "doubled": end["doubled"], "out of order": end["disordered"]}
        finally:
            process.end()
