"""Measures gitterd, and beside it its peers, on this machine in one go.

Usage: etc/bench [--quick] [--keep] [--seconds N] [MEASURE ...]

MEASURE is one of those below; without one all but soak. --quick takes smaller loads and one run
instead of three in turn; --keep writes tests/bench/instructions.txt anew instead of comparing with
it; --seconds says how long soak is to last (3600). Prints a table of medians and ratios, and writes them to build/bench.json
and, for the readme, as a plot to build/bench.svg. Peers are installed from their registries into
build/bench/peers; one that cannot be is left out and said so.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

import instructions
import latency
import links
import peers
import plot
import rig
import scale
import soak
import traffic


class Table:
    """Rows of (measure, what, unit, values by program); the first program is what ratios are of."""

    def __init__(self):
        self.rows = []

    def add(self, measure, what, unit, values):
        """`values`: program -> list of figures, one for each run."""
        medians = {name: statistics.median(runs) for name, runs in values.items() if runs}
        first = next(iter(medians.values()), None)
        self.rows.append({"measure": measure, "what": what, "unit": unit, "runs": values,
                          "median": medians,
                          "ratio": {name: round(value / first, 3) if first else None
                                    for name, value in medians.items()}})
        self.show(self.rows[-1])

    def show(self, row):
        print(f"{row['measure']}: {row['what']} [{row['unit']}]")
        for name, value in row["median"].items():
            ratio = row["ratio"][name]
            print(f"    {name:28} {value:>14,.2f}   {'x' + format(ratio, '.2f') if ratio is not None else ''}")
        sys.stdout.flush()


def in_turn(names, runs, measure):
    """Each program once, then each once more: noise of the machine meets all of them alike."""
    found = {name: [] for name in names}
    for _ in range(runs):
        for name in names:
            found[name].append(measure(name))
    return found


def picked(found, key):
    return {name: [run[key] for run in runs] for name, runs in found.items()}


def measure_traffic(table, options):
    names = [traffic.GITTERD, *peers.install()]
    transactions, seconds = (200, 5) if options.quick else (1000, 20)
    for is_pinned in (False, True):
        how = "each side on a core" if is_pinned else "cores as the system likes"
        found = in_turn(names, options.runs,
                        lambda name, pinned=is_pinned: traffic.throughput(
                            name, transactions, seconds, pinned))
        table.add("ack", f"events answered, serial transactions of 100, {how}", "events/s",
                  picked(found, "ack"))
        table.add("ack", f"slowest in a hundred transactions, {how}", "ms", picked(found, "ack p99"))
        table.add("forward", f"messages at the far end, {how}", "messages/s", picked(found, "forward"))
        table.add("forward", f"memory at most, {how}", "MiB", picked(found, "memory"))


def measure_loss(table, options):
    names = [traffic.GITTERD, *peers.install()]
    found = in_turn(names, 1 if options.quick else options.runs, traffic.loss)
    table.add("lost", "events answered and never delivered, killed after 4 s", "events",
              picked(found, "lost"))
    table.add("lost", "delivered twice", "events", picked(found, "doubled"))
    table.add("lost", "delivered out of order", "events", picked(found, "out of order"))


def tool(name, *arguments):
    out = subprocess.run([os.path.join(rig.BIN, name), *arguments], check=True, capture_output=True)
    return json.loads(out.stdout)


def measure_engine(table, options):
    runs = [tool("engine") for _ in range(options.runs)]
    table.add("engine", "messages between actors, no store", "messages/s",
              {"gitterd": [run["messages_per_s"] for run in runs]})
    table.add("engine", "allocations for each message", "mallocs",
              {"gitterd": [run["allocations_per_message"] for run in runs]})


def measure_codecs(table, options):
    runs = [tool("codecs") for _ in range(options.runs)]
    for codec, library in (("json", "yajl alone"), ("html", "gumbo alone"),
                           ("msgpack", "msgpack-c alone")):
        table.add("codecs", codec, "MB/s", {"gitterd": [run[codec]["ours"] for run in runs],
                                            library: [run[codec]["library"] for run in runs]})


def measure_rooms(table, options):
    size = (500, 10000) if options.quick else (5000, 100000)
    runs = [scale.start_up(*size) for _ in range(options.runs)]
    table.add("rooms", f"from the start to the first answered transaction, {size[1]:,} rooms", "s",
              {"gitterd": [run["seconds"] for run in runs]})
    table.add("rooms", "memory then", "MiB", {"gitterd": [run["memory"] for run in runs]})


def measure_growth(table, options):
    base = 100 if options.quick else 1000
    for factor in (1, 10, 100):
        runs = [scale.cost(base * factor) for _ in range(options.runs)]
        table.add("growth", f"processor time of a message, {base * factor:,} rooms", "us",
                  {"gitterd": runs})


def measure_links(table, options):
    count, idle_s, busy_s = (1000, 20, 5) if options.quick else (10000, 120, 20)
    for is_tls in (False, True):
        how = f"{count:,} links, {'TLS' if is_tls else 'plain'}"
        runs = [links.cost(count, is_tls, idle_s, busy_s) for _ in range(options.runs)]
        busy = f"{how}, {links.LINKS_RATE:,} messages a second"
        for what, unit, key in ((f"memory of each of {how}, idle", "KiB", "memory"),
                                (f"memory of each of {busy}", "KiB", "memory busy"),
                                (f"of a core, {how}, idle", "%", "cpu idle"),
                                (f"of a core, {busy}", "%", "cpu busy"),
                                (f"doubled, {busy}", "messages", "doubled"),
                                (f"out of order, {busy}", "messages", "out of order")):
            table.add("links", what, unit, {"gitterd": [run[key] for run in runs]})


def measure_back(table, options):
    """Of gitterd alone: its peers have no such side."""
    count = 20000 if options.quick else 200000
    runs = [links.back(1000, count) for _ in range(options.runs)]
    for what, unit, key in (("messages at the homeserver, 1,000 links", "messages/s", "back"),
                            ("processor time of a message", "us", "cpu"),
                            ("memory at most", "MiB", "memory"),
                            ("delivered twice", "messages", "doubled"),
                            ("delivered out of order", "messages", "out of order")):
        table.add("back", what, unit, {"gitterd": [run[key] for run in runs]})


def measure_latency(table, options):
    count = 200 if options.quick else 1000
    found = in_turn(latency.NAMES, options.runs, lambda name: latency.measure(name, count))
    table.add("latency", "one message, nothing else going on, half of them", "ms",
              picked(found, "p50"))
    table.add("latency", "the slowest in a hundred", "ms", picked(found, "p99"))


def measure_instructions(table, options):
    rows = instructions.count()
    before = {} if options.keep else instructions.kept()
    for what, cost in rows.items():
        values = {"kept": [before[what][0]]} if what in before else {}
        table.add("instructions", what, "instructions", {**values, "gitterd": [cost]})
    if options.keep:
        instructions.keep(rows)
        return []
    if instructions.has_improved(rows):
        print("instructions: less than was kept; `etc/bench --keep instructions` keeps that")
    return list(instructions.regressions(rows))


def measure_soak(table, options):
    samples, end = soak.run(options.seconds)
    quarters = [soak.quarter(samples, number) for number in range(4)]
    how = f"{2 * soak.RATE} messages a second for {options.seconds} s"
    for what, unit, key in (("memory", "MiB", "memory"), ("log beside the database", "MiB", "log"),
                            ("database", "MiB", "database")):
        table.add("soak", f"{what}, {how}", unit,
                  {f"quarter {number + 1}": [soak.middle(samples, key)]
                   for number, samples in enumerate(quarters)})
    table.add("soak", f"growth of the database for each message, {how}", "bytes",
              {f"quarter {number + 1}": [soak.growth(samples)]
               for number, samples in enumerate(quarters)})
    used = samples[-1]["cpu"] - samples[0]["cpu"]
    table.add("soak", f"of a core, {how}", "%",
              {"gitterd": [used * 100 / (samples[-1]["seconds"] - samples[0]["seconds"])]})
    failures = list(soak.judge(samples))
    for what, number in (("lost", 2 * soak.RATE * options.seconds - end["messages"]),
                         ("delivered twice", end["doubled"]),
                         ("delivered out of order", end["disordered"])):
        table.add("soak", f"{what}, {how}", "messages", {"gitterd": [number]})
        if number != 0:
            failures.append(f"{number} messages {what}")
    return failures


MEASURES = {"ack": measure_traffic, "lost": measure_loss, "engine": measure_engine,
            "codecs": measure_codecs, "rooms": measure_rooms, "growth": measure_growth,
            "links": measure_links, "back": measure_back, "latency": measure_latency,
            "instructions": measure_instructions, "soak": measure_soak}
ONLY_IF_NAMED = ("soak",)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--seconds", type=int, default=3600)
    parser.add_argument("measures", nargs="*")
    options = parser.parse_args()
    options.runs = 1 if options.quick else 3
    for name in options.measures:
        if name not in MEASURES:
            sys.exit(f"bench: no measure {name}; there are: {', '.join(MEASURES)}")
    table = Table()
    began = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    failures = []
    usual = [name for name in MEASURES if name not in ONLY_IF_NAMED]
    for name in options.measures or usual:
        failures += MEASURES[name](table, options) or []
    found = {"began": began, "is_quick": options.quick, "cores": os.cpu_count(), "rows": table.rows}
    with open(os.path.join(rig.TOP, "build/bench.json"), "w", encoding="utf-8") as file:
        json.dump(found, file, indent=1)
    plot.draw(table.rows, os.path.join(rig.TOP, "build/bench.svg"))
    print("build/bench.json, build/bench.svg")
    if failures:
        sys.exit("\n".join(["bench: worse than it was or may be:", *failures]))


if __name__ == "__main__":
    main()
