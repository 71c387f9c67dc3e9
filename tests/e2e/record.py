"""Records the logs of tests/replay/: scenarios against Synapse and the simulated Gitter, and what
gitterd journalled meanwhile.

Usage: record.py [NAME ...]      all logs, or the named ones
"""

import asyncio
import os
import sys
import time

import scenarios_chat
import scenarios_commands
import scenarios_faults
import scenarios_login
import scenarios_manners
from process import TOP
from wait import until
from world import World

LOGS = os.path.join(TOP, "tests/replay")

# What each log shows.
FLOWS = {
    "login-invite-list": (scenarios_login.scenario_whole_login,
                          scenarios_commands.scenario_list_and_invite),
    "chat-both-ways": (scenarios_chat.scenario_matrix_to_gitter,
                       scenarios_chat.scenario_html_and_time_of_gitter),
    "gpart": (scenarios_manners.scenario_gpart_ends_it_on_both_sides,),
    "logout": (scenarios_login.scenario_logout,),
    "crowded-chat": (scenarios_login.scenario_crowded_chat_is_left,
                     scenarios_login.scenario_third_person_ends_a_private_chat),
    "expired-token": (scenarios_faults.scenario_token_revoked_elsewhere,),
    "catch-up-after-outage": (scenarios_faults.scenario_faye_cut,),
    "crash-and-recovery": (scenarios_faults.scenario_kill_of_gitterd,),
    "room-left": (scenarios_chat.scenario_leaving_a_room_ends_it,),
}


async def quiet(world):
    """Nothing has been journalled for a second: what belongs to one flow is not in the next."""
    seen = {"size": None, "since": time.monotonic()}

    async def still():
        size = os.stat(world.bridge.database + "-wal").st_size
        if size != seen["size"]:
            seen.update(size=size, since=time.monotonic())
        return time.monotonic() - seen["since"] > 1
    await until("gitterd to have nothing to do", still)


async def record(world, name, scenarios):
    begin = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
    for scenario in scenarios:
        await scenario(world)
    await quiet(world)
    path = os.path.join(LOGS, name + ".msgpack")
    status, out, error = await world.bridge.call(
        "journal", "export", "-c", world.bridge.config, "--since", begin, path)
    assert status == 0, error
    os.chmod(path, 0o644)  # nothing of anybody is in it
    with open(path, "rb") as file:
        log = file.read()
    for secret in world.bridge.secrets.values():
        assert secret.encode() not in log, f"{name}: a secret is in the log"
    status, out, error = await world.bridge.call("replay", "--check", path)
    assert status == 0, out + error
    print(out.strip(), f"({len(log)} bytes)", flush=True)


async def main(names):
    folder = os.path.join(TOP, "build/e2e", time.strftime("record-%Y%m%d-%H%M%S"))
    program = os.path.join(TOP, "build/release/gitterd")
    world = World(folder, "12", program, login_invites_max=3)
    try:
        await world.begin()
        for name in names or FLOWS:
            await record(world, name, FLOWS[name])
    finally:
        await world.end()
    print(f"record-logs: {len(names or FLOWS)} logs recorded")


if __name__ == "__main__":
    for unknown in set(sys.argv[1:]) - set(FLOWS):
        sys.exit(f"record-logs: no log {unknown}; there are: {', '.join(FLOWS)}")
    asyncio.run(main(sys.argv[1:]))
