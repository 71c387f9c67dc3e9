"""Runs scenarios against a real homeserver.

Usage: run.py [--version 11|12] [SCENARIO ...]

Each scenario is an async function of the modules below that takes a world. All run twice: in rooms
of version 12 with the program that is shipped, and in rooms of version 11 with the one that has the
sanitizers. Logs of all processes stay in build/e2e/<time>/; their ends are shown on a failure.
"""

import argparse
import asyncio
import inspect
import os
import sys
import time
import traceback

import scenarios_bad_input
import scenarios_chat
import scenarios_check
import scenarios_commands
import scenarios_faults
import scenarios_login
import scenarios_manners
from process import TOP
from world import World

MODULES = (scenarios_login, scenarios_commands, scenarios_chat, scenarios_bad_input, scenarios_faults,
           scenarios_check, scenarios_manners)
# room version -> build of gitterd
VERSIONS = {"12": "release", "11": "san"}
# a minute or more of waiting is enough once
SLOW = {"gitter_in_trouble"}
SCENARIO_SECONDS = 150
LOGIN_INVITES_MAX = 3


def scenarios(version):
    """(name, function) of each."""
    for module in MODULES:
        for attribute, function in vars(module).items():
            name = attribute.removeprefix("scenario_")
            if name != attribute and inspect.iscoroutinefunction(function):
                if version == "12" or name not in SLOW:
                    yield name, function


async def run_one(world, label, function):
    begin = time.monotonic()
    try:
        await asyncio.wait_for(function(world), SCENARIO_SECONDS)
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


async def run_version(version, names, folder):
    chosen = [(name, function) for name, function in scenarios(version)
              if not names or name in names]
    if not chosen:
        return 0, 0
    program = os.path.join(TOP, "build", VERSIONS[version], "gitterd")
    world = World(os.path.join(folder, version), version, program,
                  login_invites_max=LOGIN_INVITES_MAX)
    passed = 0
    try:
        await world.begin()
        for name, function in chosen:
            passed += await run_one(world, f"{name} (rooms of version {version})", function)
    finally:
        await world.end()
    return passed, len(chosen) - passed


async def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--version", choices=VERSIONS)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    known = [name for name, _ in scenarios("12")]
    for name in options.names:
        if name not in known:
            sys.exit(f"e2e: no scenario {name}; there are: {', '.join(known)}")
    folder = os.path.join(TOP, "build/e2e", time.strftime("%Y%m%d-%H%M%S") + f"-{os.getpid()}")
    passed = failed = 0
    for version in (options.version,) if options.version else VERSIONS:
        try:
            good, bad = await run_version(version, options.names, folder)
        except Exception:
            traceback.print_exc(file=sys.stdout)
            good, bad = 0, 1
        passed, failed = passed + good, failed + bad
    if failed:
        print(f"logs: {os.path.relpath(folder, TOP)}")
    print(f"e2e: {passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
