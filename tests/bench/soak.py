"""A long time of little traffic, both ways: what grows?

Memory and the log beside the database have to be flat: their middle in the last quarter is compared
with that in the second. The database itself keeps what it is told to (events seen for 30 days, the
journal, which event stands for which message), so it has to grow by no more for each message than
before; how much that is, is told.
"""

import os
import statistics
import threading
import time

import links
import rig

OWNERS = 100
RATE = 50  # messages a second each way
SAMPLES = 400
FLAT = 1.05
FLAT_MARGIN_MIB = 1


def size_mib(path):
    return os.path.getsize(path) / 2 ** 20 if os.path.exists(path) else 0


def sample(process, database, began, sink):
    return {"seconds": time.monotonic() - began, "messages": sink.stats()["messages"],
            "memory": process.memory_kib() / 1024, "database": size_mib(database),
            "log": size_mib(database + "-wal"), "cpu": process.cpu_s()}


def quarter(samples, number):
    """The samples of one quarter of the time, counted from 0."""
    return samples[len(samples) * number // 4:len(samples) * (number + 1) // 4]


def middle(samples, key):
    return statistics.median(each[key] for each in samples)


def growth(samples):
    """Bytes of the database for each message."""
    first, last = samples[0], samples[-1]
    return ((last["database"] - first["database"]) * 2 ** 20 /
            max(1, last["messages"] - first["messages"]))


def judge(samples):
    """What is not as it has to be, as lines of text."""
    second, last = quarter(samples, 1), quarter(samples, 3)
    for key in ("memory", "log"):
        before, after = middle(second, key), middle(last, key)
        if after > before * FLAT + FLAT_MARGIN_MIB:
            yield f"{key} is not flat: {before:.1f} MiB in the second quarter, {after:.1f} in the last"
    if growth(last) > growth(second) * 1.25:
        yield (f"the database grows faster: {growth(second):.0f} bytes a message in the second "
               f"quarter, {growth(last):.0f} in the last")


def run(seconds):
    """The samples, and the counts of the sink at the end."""
    count = RATE * seconds
    with links.linked("soak", OWNERS) as (sink, faye, bridge, _):
        sender = threading.Thread(target=rig.load, args=(
            bridge.port, OWNERS, OWNERS, count, seconds + 60, 1), kwargs={"rate": RATE})
        began = time.monotonic()
        faye.speak(RATE, count)
        sender.start()
        samples = []
        while sender.is_alive():
            sender.join(seconds / SAMPLES)
            samples.append(sample(bridge.process, bridge.database, began, sink))
        return samples, sink.settled(2 * count, 10)
