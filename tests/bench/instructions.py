"""Instructions that gitterd needs for what it does, counted by callgrind: figures that a busy machine
does not change. tests/bench/instructions.txt has those of the last look at them; more than its
tolerance above is a regression.

Every figure is a difference of two runs, a small and a larger one, so that starting is not in it.
"""

import collections
import glob
import os
import re
import signal
import subprocess
import time

import links
import rig

TABLE = os.path.join(rig.TOP, "tests/bench/instructions.txt")
OWNERS = ROOMS = 50
SMALL, LARGE = 1000, 4000
PARTS = re.compile(r"(?:^|/)(actors|codecs|runtime|db)/")
LIBRARY = re.compile(r"/lib([a-z]+[a-z0-9]*)[^/]*\.so")
HEAD = """\
# Instructions by callgrind: of one message between actors (engine), of reading one text of
# tests/bench/codecs.c (codec), and of one message through the whole of gitterd, to Gitter and to
# Matrix, in each of its folders and in the libraries that take most.
#
# Compared by `etc/bench instructions`, written by `etc/bench --keep instructions`; with the compiler
# and the libraries of Debian 12. Columns: what, instructions, tolerance in percent.
"""


def tolerance(name):
    """How many messages share a batch, a write or a read is up to the clock."""
    return 2 if name.startswith(("engine", "codec")) else 5


def part_of(program, file):
    """The folder or library that an instruction belongs to."""
    if os.path.basename(program) == "gitterd":
        found = PARTS.search(file)
        return found.group(1) if found else "rest"
    found = LIBRARY.search(program)
    return found.group(1) if found else "rest"


def self_costs(path):
    """Instructions by part, from what callgrind wrote: names are given once and then by number, the
    line after "calls=" is of what was called and counted there."""
    names, costs = {"ob": {}, "fl": {}}, collections.Counter()
    program = file = ""
    is_call = False
    with open(path, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            key, is_name, value = line.rstrip("\n").partition("=")
            if is_name and key in ("ob", "cob", "fl", "fi", "fe", "cfi", "cfl"):
                number, _, name = value.partition(" ")
                known = names["ob" if key.endswith("ob") else "fl"]
                name = known.setdefault(number, name) if name else known[number]
                if key == "ob":
                    program = name
                elif key in ("fl", "fi", "fe"):
                    file = name
            elif key == "calls":
                is_call = True
            elif line[:1] in "0123456789+-*" and line[:1]:
                if not is_call:
                    costs[part_of(program, file)] += int(line.split()[1])
                is_call = False
    return costs


def valgrind(out):
    return ["valgrind", "--tool=callgrind", "-q", f"--callgrind-out-file={out}"]


def read_costs(pattern):
    """One file for a process; sums them."""
    costs = collections.Counter()
    for path in glob.glob(pattern):
        costs += self_costs(path)
    assert costs, f"callgrind wrote nothing to {pattern}"
    return costs


def tool_costs(name, *arguments):
    out = os.path.join(rig.fresh_folder("callgrind"), "out")
    subprocess.run([*valgrind(out), os.path.join(rig.BIN, name), *map(str, arguments)], check=True,
                   stdout=subprocess.DEVNULL)
    return read_costs(out).total()


def to_gitter(count):
    folder = rig.fresh_folder("callgrind")
    sink = rig.Sink(folder, OWNERS)
    out = os.path.join(folder, "out")
    try:
        bridge = rig.Gitterd(folder, sink.port, OWNERS, ROOMS)
        process = bridge.start(before=valgrind(out))
        try:
            rig.load(bridge.port, OWNERS, ROOMS, count // 100, 10 ** 6)
            sink.settled(count)
            time.sleep(1)  # the ends of the last calls
        finally:
            process.end(signal.SIGTERM)
    finally:
        sink.end()
    return read_costs(out)


def to_matrix(count):
    out = os.path.join(rig.TOP, "build/bench/callgrind/out")
    with links.linked("callgrind", ROOMS, before=valgrind(out)) as (sink, faye, _, _):
        links.spoken(sink, faye, 0, count)
        time.sleep(1)
    return read_costs(out)


def of_messages(name, way):
    """Instructions of one message, by part; those of a part that takes little are in the rest."""
    small, large = way(SMALL), way(LARGE)
    each = {part: (large[part] - small[part]) / (LARGE - SMALL) for part in large}
    total = sum(each.values())
    own = ("actors", "codecs", "runtime", "db")
    rows = {f"{name}": total, **{f"{name} {part}": each[part] for part in own}}
    for part, cost in sorted(each.items()):
        if part not in own and part != "rest" and cost > total / 20:
            rows[f"{name} {part}"] = cost
    return rows


def count():
    """All figures: what -> instructions."""
    rows = {"engine": (tool_costs("engine", 10 ** 6, 60) - tool_costs("engine", 10 ** 6, 10)) / 50000}
    for codec, runs in (("json", 20), ("html", 50), ("msgpack", 1000)):
        rows[f"codec {codec}"] = (tool_costs("codecs", codec, 2 * runs) -
                                  tool_costs("codecs", codec, runs)) / runs
    rows.update(of_messages("to Gitter", to_gitter))
    rows.update(of_messages("to Matrix", to_matrix))
    return {what: round(cost) for what, cost in rows.items()}


def keep(rows):
    with open(TABLE, "w", encoding="utf-8") as file:
        file.write(HEAD)
        for what, cost in rows.items():
            file.write(f"{what:24} {cost:>10} {tolerance(what):>4}\n")


def kept():
    """What -> (instructions, tolerance in percent)."""
    rows = {}
    with open(TABLE, encoding="utf-8") as file:
        for line in file:
            if not line.startswith("#"):
                what, cost, percent = line.rsplit(maxsplit=2)
                rows[what.strip()] = (int(cost), int(percent))
    return rows


def has_improved(rows):
    return any(rows.get(what, 0) < before * (1 - percent / 100)
               for what, (before, percent) in kept().items())


def regressions(rows):
    """What takes more than its tolerance above what was kept, as lines of text."""
    for what, (before, percent) in kept().items():
        now = rows.get(what, 0)
        if now > before * (1 + percent / 100):
            yield f"{what}: {now:,} instructions, {before:,} before ({now / before - 1:+.0%})"
