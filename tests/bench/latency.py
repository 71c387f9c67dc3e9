"""What a message takes on an idle machine, beside the least that can pass one on durably."""

import contextlib
import os

import links
import rig

OWNERS = ROOMS = 100
RATE = 20  # a second: each finds everything at rest
WARM_UP = 50
PROXY = "bare proxy, one fdatasync"
TO_GITTER, TO_MATRIX = "gitterd to Gitter (durable)", "gitterd to Matrix (durable)"
NAMES = (PROXY, TO_GITTER, TO_MATRIX)


class Proxy:
    """tests/bench/proxy.c, where a bridge would stand."""

    def __init__(self, folder, sink_port):
        self.process = rig.Process("proxy", [os.path.join(rig.BIN, "proxy"), "0", str(sink_port),
                                             os.path.join(folder, "proxy.data")], folder)
        self.port = int(self.process.line())

    def start(self):
        return self.process


@contextlib.contextmanager
def from_homeserver(name):
    """The sink behind the proxy or gitterd, and what sends messages to it."""
    folder = rig.fresh_folder("latency")
    sink = rig.Sink(folder, OWNERS)
    try:
        bridge = (Proxy(folder, sink.port) if name == PROXY
                  else rig.Gitterd(folder, sink.port, OWNERS, ROOMS))
        process = bridge.start()
        try:
            yield sink, lambda count, first: rig.load(
                bridge.port, OWNERS, ROOMS, count, 10 ** 6, events=1, first=first, rate=RATE)
        finally:
            process.end()
    finally:
        sink.end()


@contextlib.contextmanager
def from_gitter():
    with links.linked("latency", ROOMS) as (sink, faye, _, _):
        yield sink, lambda count, first: faye.speak(RATE, count)


def measure(name, count):
    """Milliseconds from the sender to the far end: p50 and p99 of so many messages."""
    with (from_gitter() if name == TO_MATRIX else from_homeserver(name)) as (sink, send):
        send(WARM_UP, 0)
        sink.settled(WARM_UP)
        sink.reset()
        send(count, WARM_UP)
        sink.settled(count)
        times = sink.times()
        assert times["count"] == count, f"{times} of {count}"
        return {"p50": times["p50_us"] / 1000, "p99": times["p99_us"] / 1000}
