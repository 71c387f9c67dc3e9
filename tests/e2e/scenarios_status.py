"""What an operator can ask: `gitterd status`, /metrics and /health."""

import json
import os
import re
import stat

import aiohttp

from process import free_port
from scenarios_chat import bridged

METRIC = re.compile(r"(gitterd_[a-z_]+) (\d+)")


async def ask(world, *options, status=0):
    found, out, error = await world.bridge.call("status", "-c", world.bridge.config, *options)
    assert found == status, f"gitterd status: {found} {error}\n{out}"
    for secret in world.bridge.secrets.values():
        assert secret not in out, "a secret is shown"
    return out


async def get(port, path):
    async with aiohttp.ClientSession() as session:
        async with session.get(f"http://127.0.0.1:{port}{path}") as answer:
            return answer.status, await answer.text()


async def scenario_status(world):
    """Counts of a running daemon and of one that is stopped, as text and as JSON."""
    alice, _, room, _ = await bridged(world, "bob")
    told = json.loads(await ask(world, "--json"))
    assert told["is_running"]
    daemon, database = told["daemon"], told["database"]
    assert daemon["pid"] == world.bridge.process.pid and daemon["engine"]["turns"] > 0
    assert daemon["links"]["open"] >= 1 and daemon["process"]["resident_bytes"] > 2 ** 20
    assert database["users"]["AUTHED"] >= 1 and database["rooms"]["JOINED"] >= 1
    assert database["outbox"]["calls"] >= len(database["outbox"]["lanes"])
    text = await ask(world)
    for pattern in (r"^gitterd \d\S+, running for ", r"^rooms +\d+: .*JOINED", r"^outbox +\d+ calls",
                    r"^links +\d+ to Gitter"):
        assert re.search(pattern, text, re.M), f"{pattern} not in\n{text}"
    socket = world.bridge.database + ".socket"
    assert stat.S_IMODE(os.stat(socket).st_mode) == 0o600
    await world.bridge.kill()
    down = json.loads(await ask(world, "--json", status=1))
    assert not down["is_running"] and down["database"]["rooms"]["JOINED"] >= 1
    assert "gitterd is not running" in await ask(world, status=1)
    await world.start_bridge()  # takes over the socket that the kill left behind
    assert json.loads(await ask(world, "--json"))["is_running"]
    await world.bridge.stop()
    assert not os.path.exists(socket)
    await world.start_bridge()
    await alice.matrix.send(room, "quokka after all")


async def scenario_metrics(world):
    """A port of its own, when it is wanted."""
    port = free_port()
    await world.bridge.stop()
    world.write_config(metrics_port=port)
    await world.start_bridge()
    try:
        status, text = await get(port, "/metrics")
        assert status == 200
        values = dict(METRIC.findall(text))
        assert int(values["gitterd_process_resident_bytes"]) > 2 ** 20
        assert "gitterd_engine_turns_total" in values
        samples = [line for line in text.splitlines() if not line.startswith("#")]
        assert all(METRIC.fullmatch(line) for line in samples) and len(samples) == len(values)
        for name in values:
            assert f"# TYPE {name} " in text and f"# HELP {name} " in text
        assert (await get(port, "/health/live"))[0] == 200
        assert (await get(port, "/health/ready"))[0] == 200
        assert (await get(port, "/"))[0] == 404
    finally:
        await world.bridge.stop()
        world.write_config()
        await world.start_bridge()
