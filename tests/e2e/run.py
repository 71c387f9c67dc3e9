"""Runs scenarios against a real homeserver.

Usage: run.py [--version 11|12] [--transport faye|stream|none] ... [SCENARIO ...]

Each scenario is an async function of the modules below that takes a world. With Faye all run twice:
in rooms of version 12 with the program that is shipped, and in rooms of version 11 with the one that
has the sanitizers. The other transports, see transports.py, have the first of these alone. Several
transports run at the same time. Logs of all processes stay in build/e2e/<time>/; their ends are
shown on a failure.
"""

import argparse
import asyncio
import contextlib
import inspect
import os
import sys
import time
import traceback

import scenarios_bad_input
import scenarios_chat
import scenarios_check
import scenarios_commands
import scenarios_disk
import scenarios_faults
import scenarios_journal
import scenarios_login
import scenarios_manners
import scenarios_process
import scenarios_process_upgrade
import scenarios_restored
import scenarios_status
import scenarios_stream
import transports
import wait
from process import TOP
from world import World

MODULES = (scenarios_login, scenarios_commands, scenarios_chat, scenarios_bad_input, scenarios_faults,
           scenarios_stream, scenarios_check, scenarios_manners, scenarios_process,
           scenarios_process_upgrade, scenarios_status, scenarios_disk, scenarios_journal,
           scenarios_restored)
# room version -> build of gitterd
VERSIONS = {"12": "release", "11": "san"}
TRANSPORT_VERSIONS = {"faye": ("12", "11"), "stream": ("12",), "none": ("12",)}
# A minute or so of waiting for gitterd's own pauses: once is enough, and at the same time.
SLOW = {"gitter_in_trouble", "live_connection_down"}
SCENARIO_SECONDS = 150
WORLDS = 3
LOGIN_INVITES_MAX = 3


def scenarios(version, transport):
    """(name, function) of each."""
    for module in MODULES:
        for attribute, function in vars(module).items():
            name = attribute.removeprefix("scenario_")
            if name != attribute and inspect.iscoroutinefunction(function):
                slow = version != "12" and (name in SLOW or transports.is_once(function))
                if transports.takes_part(function, transport) and not slow:
                    yield name, function


async def run_one(world, label, function):
    begin = time.monotonic()
    try:
        await asyncio.wait_for(function(world), SCENARIO_SECONDS * wait.stretch)
    except Exception as error:  # whatever is wrong, the next scenario has its turn
        print(f"FAILED {label}: {error or type(error).__name__}")
        traceback.print_exc(file=sys.stdout)
        print(f"--- gitterd\n{world.bridge.tail(40)}\n--- synapse\n{world.synapse.tail(8)}\n---",
              flush=True)
        await recover(world)
        return False
    print(f"ok {label} ({time.monotonic() - begin:.1f} s)", flush=True)
    return True


async def recover(world):
    """A scenario that failed half-way may have left a server down or a fault in place."""
    await world.gitter.ask("DELETE", "/faults")
    if not world.synapse.is_running():
        await world.synapse.end()
        await world.synapse.resume()
    if not world.bridge.is_running():
        await world.bridge.end()
        await world.start_bridge()


async def run_all(world, label, chosen):
    """How many passed. Those that do nothing but wait run at the same time, before the others, and
    those with servers of their own some at a time."""
    first = [(name, function) for name, function in chosen if name in SLOW
             or transports.is_once(function)
             or (world.transport == "none" and transports.may_run_together(function))]
    worlds = asyncio.Semaphore(WORLDS)

    async def run_first(name, function):
        async with worlds if transports.is_once(function) else contextlib.nullcontext():
            return await run_one(world, f"{name} ({label})", function)
    passed = sum(await asyncio.gather(*(run_first(*one) for one in first)))
    for name, function in chosen:
        if (name, function) not in first:
            passed += await run_one(world, f"{name} ({label})", function)
    return passed


async def run_version(version, transport, names, folder):
    chosen = [(name, function) for name, function in scenarios(version, transport)
              if not names or name in names]
    if not chosen:
        return 0, 0
    program = os.path.join(TOP, "build", VERSIONS[version], "gitterd")
    world = World(os.path.join(folder, f"{transport}-{version}"), version, program, transport,
                  login_invites_max=LOGIN_INVITES_MAX)
    try:
        await world.begin()
        label = f"rooms of version {version}"
        passed = await run_all(world, label if transport == "faye" else f"{transport}, {label}", chosen)
    finally:
        await world.end()
    return passed, len(chosen) - passed


async def run_transport(transport, options, folder):
    passed = failed = 0
    for version in (options.version,) if options.version else TRANSPORT_VERSIONS[transport]:
        try:
            good, bad = await run_version(version, transport, options.names, folder)
        except Exception:
            traceback.print_exc(file=sys.stdout)
            good, bad = 0, 1
        passed, failed = passed + good, failed + bad
    return passed, failed


async def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--version", choices=VERSIONS)
    parser.add_argument("--transport", choices=transports.NAMES, action="append")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    chosen = options.transport or ["faye"]
    wait.stretch = max(transports.STRETCH[transport] for transport in chosen)
    known = {name for transport in chosen for name, _ in scenarios("12", transport)}
    for name in options.names:
        if name not in known:
            sys.exit(f"e2e: no scenario {name} with {chosen}; there are: {', '.join(sorted(known))}")
    folder = os.path.join(TOP, "build/e2e", time.strftime("%Y%m%d-%H%M%S") + f"-{os.getpid()}")
    counts = await asyncio.gather(*(run_transport(transport, options, folder)
                                    for transport in dict.fromkeys(chosen)))
    passed, failed = (sum(column) for column in zip(*counts))
    if failed:
        print(f"logs: {os.path.relpath(folder, TOP)}")
    print(f"e2e: {passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
