"""`gitterd check`: nothing to say about what is right, one line for each thing that is wrong."""

import contextlib
import os
import re
import shutil
import socket
import sqlite3
import tempfile

import yaml
from aiohttp import web

from bridge import BOT
from process import TOP, free_port
from synapse import SERVER_NAME

CERTIFICATE = os.path.join(TOP, "tests/faye/cert.pem")
CERTIFICATE_KEY = os.path.join(TOP, "tests/faye/key.pem")
# lines of a check of a whole world: configuration, running or not, two ports, registration,
# homeserver, token, ping, OAuth pages, OAuth client, REST, Faye, login URL
LINES = 13


class Report:
    """What a check said, by finding."""

    def __init__(self, status, out):
        *lines, self.sum = out.rstrip("\n").split("\n")
        self.status = status
        self.text = out
        for line in lines:
            assert re.match(r"(ok  |warn|FAIL) \S", line), f"no line of a check: {line!r}"
        self.good, self.warned, self.failed = (
            [line[5:] for line in lines if line.startswith(word)] for word in ("ok", "warn", "FAIL"))
        assert self.sum == (f"{len(self.good)} ok, {len(self.warned)} to look at, "
                            f"{len(self.failed)} failed"), self.sum
        assert status == (1 if self.failed else 0), f"status {status}\n{out}"
        for line in self.warned + self.failed:
            assert re.fullmatch(r".+: .+; .+", line), f"does not say how to mend it: {line!r}"

    def expect(self, failed=(), warned=()):
        """Exactly these failures and warnings, in this order, each a regular expression."""
        for what, found, wanted in (("FAIL", self.failed, failed), ("warn", self.warned, warned)):
            assert len(found) == len(wanted), f"{what}: wanted {wanted}\n{self.text}"
            for line, pattern in zip(found, wanted):
                assert re.search(pattern, line), f"{what}: {pattern!r} not in {line!r}"
        return self

    def says(self, pattern):
        assert any(re.search(pattern, line) for line in self.good), f"{pattern!r}\n{self.text}"


class Clinic:
    """Checks of a world with this or that changed, in a folder of their own. What is not changed is
    as the running gitterd has it."""

    def __init__(self, world, folder):
        self.world = world
        self.config = os.path.join(folder, "gitterd.yaml")
        self.registration = os.path.join(folder, "registration.yaml")
        with open(world.bridge.config, encoding="utf-8") as file:
            self.values = yaml.safe_load(file)
        with open(world.bridge.registration, encoding="utf-8") as file:
            self.fields = yaml.safe_load(file)
        self.secrets = set(world.bridge.secrets.values())

    def write(self, path, values):
        with open(path, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o600)
            yaml.safe_dump(values, file, sort_keys=False)

    async def check(self, *arguments, fields=None, **changes):
        """`changes` are of the configuration, `fields` are those of the registration file."""
        values = {**self.values, **changes}
        self.secrets |= {values[key] for key in self.world.bridge.secrets}
        self.write(self.config, values)
        if not os.path.exists(self.registration) or fields is not None:
            self.write(self.registration, fields or self.fields)
        return await self.run(*arguments)

    async def run(self, *arguments):
        status, out, error = await self.world.bridge.call("check", "-c", self.config, *arguments)
        for secret in self.secrets:
            assert secret not in out + error, "a secret is shown"
        assert error == "", error
        return Report(status, out)


@contextlib.asynccontextmanager
async def clinic(world):
    with tempfile.TemporaryDirectory(dir=world.folder) as folder:
        yield Clinic(world, folder)


@contextlib.asynccontextmanager
async def stopped(world):
    """A clinic while gitterd does not run."""
    await world.bridge.stop()
    try:
        async with clinic(world) as found:
            yield found
    finally:
        await world.bridge.begin()


@contextlib.asynccontextmanager
async def answering(**answers):
    """A server that gives the same JSON to each request for a path that ends so; its URL."""
    async def answer(request):
        for end, (status, body) in answers.items():
            if request.path.endswith("/" + end):
                return web.json_response(body, status=status)
        return web.json_response({}, status=404)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def homeserver(user_id=BOT, ping_status=200, ping=None):
    """Something that answers like a homeserver."""
    return answering(versions=(200, {"versions": ["v1.11"]}), whoami=(200, {"user_id": user_id}),
                     ping=(ping_status, ping or {}))


def nowhere(path=""):
    """A URL where nobody listens."""
    return f"http://127.0.0.1:{free_port()}{path}"


async def scenario_check_while_running(world):
    """All is well, and a gitterd runs."""
    alice, _ = await world.person()
    await alice.login()
    async with clinic(world) as patient:
        report = (await patient.check()).expect()
        assert len(report.good) == LINES + 1, report.text
        report.says(f"running on this database, process {world.bridge.process.pid}$")
        report.says(rf"port {world.bridge.port} of 127\.0\.0\.1 is held by the running gitterd")
        report.says(r"[1-9]\d* users, all tokens open")
        report.says(rf"exactly {world.bridge.login_url}/callback is registered")
    status, out, error = await world.bridge.call("check", "-c", world.bridge.config)
    assert status == 0 and "registration.yaml: fits" in out, out + error
    await alice.say("help", "HELP")


async def scenario_check_while_stopped(world):
    """All is well without a gitterd, and what the homeserver has for it is still there after."""
    alice, _ = await world.person()
    await alice.login()
    after = alice.matrix.mark(alice.chat)
    async with stopped(world) as patient:
        await alice.matrix.send(alice.chat, "help")
        report = (await patient.check()).expect()
        assert len(report.good) == LINES, report.text
        report.says(rf"port {world.bridge.port} of 127\.0\.0\.1 is free")
        report.says("reaches us and shows matrix_homeserver_token")
        report.says(rf"gitter_login_url {world.bridge.login_url}: leads here")
    await alice.hear("HELP", after)


async def scenario_check_tokens(world):
    """A token of ours that the homeserver does not know, and one of its that we do not know."""
    other = os.urandom(32).hex()
    async with stopped(world) as patient:
        report = await patient.check(matrix_appservice_token=other)
        report.expect([r"registration\.yaml: as_token: is another one",
                       "matrix_appservice_token: the homeserver does not accept it"])
        report = await patient.check(matrix_homeserver_token=other)
        report.expect([r"registration\.yaml: hs_token: is another one",
                       "ping: the homeserver shows another token than matrix_homeserver_token"])
        report = await patient.check(matrix_botname="other")
        report.expect([r"registration\.yaml: sender_localpart: is gitter, .* says other",
                       "matrix_botname is other: .* sender_localpart is gitter"])
        report = await patient.check(matrix_homeserver_domain="other.example")
        report.expect([r"registration\.yaml: namespaces\.users: does not take in our ghosts",
                       rf"matrix_homeserver_domain is other\.example: .* says {SERVER_NAME}"])
        # the file is the one the homeserver has, the URL in it is not the one it should be
        report = await patient.check(matrix_appservice_url="http://127.0.0.1:1")
        report.expect([r"registration\.yaml: url: is http://127\.0\.0\.1:\d+, .*:1;"])


async def scenario_check_homeserver(world):
    """Down, not one at all, or with something to say against the ping."""
    async with clinic(world) as patient:
        down = nowhere()
        report = await patient.check(matrix_homeserver_url=down)
        report.expect([f"homeserver {down}: Failed to connect"])
        report = await patient.check(matrix_homeserver_url=world.gitter.url)
        report.expect([r"\(status 404\) is not the client API of a homeserver"])
        for status, errcode, finding in (
                (502, "M_CONNECTION_FAILED", "cannot reach the url of its registration"),
                (504, "M_CONNECTION_TIMEOUT", "cannot reach the url of its registration"),
                (400, "M_URL_NOT_SET", "has no url"),
                (403, "M_FORBIDDEN", "another id than gitterd"),
                (500, "M_UNKNOWN", "status 500 M_UNKNOWN")):
            async with homeserver(ping_status=status, ping={"errcode": errcode}) as url:
                (await patient.check(matrix_homeserver_url=url)).expect(["ping: .*" + finding])
        for status, finding in ((401, "another token"), (403, "another token"),
                                (404, "status 404 and is not gitterd")):
            answer = {"errcode": "M_BAD_STATUS", "status": status, "body": "Not here"}
            async with homeserver(ping_status=502, ping=answer) as url:
                (await patient.check(matrix_homeserver_url=url)).expect(["ping: .*" + finding])
        async with homeserver(ping_status=404, ping={"errcode": "M_UNRECOGNIZED"}) as url:
            report = await patient.check(matrix_homeserver_url=url)
            report.expect([], ["ping: the homeserver is too old"])


async def scenario_check_hostile_answers(world):
    """What others say makes no lines of its own and gives no secrets away."""
    token = world.bridge.secrets["matrix_appservice_token"]
    async with clinic(world) as patient:
        async with homeserver(user_id=f"@a\nok   b\x1b[1m:{token}") as url:
            report = await patient.check(matrix_homeserver_url=url)
        report.expect([r"the homeserver says \*\*\*;", r"sender_localpart is @?a\?ok   b\?\[1m;"])
        async with homeserver(user_id="nobody") as url:
            report = await patient.check(matrix_homeserver_url=url)
        report.expect(["bot: the homeserver calls it nobody"])
        # a token that was put into another field
        report = await patient.check(fields={**patient.fields, "sender_localpart": token})
        report.expect([r"sender_localpart: is \*\*\*, the configuration says gitter"])


async def scenario_check_oauth(world):
    """The application is unknown, or its redirect URI is."""
    uri = re.escape(world.bridge.login_url + "/callback")
    async with clinic(world) as patient:
        unknown = ["gitter_oauth_key: Gitter does not know it"]
        (await patient.check(gitter_oauth_key="0" * 40)).expect(unknown)
        (await patient.check(gitter_oauth_secret="f" * 40)).expect(unknown)
        # a browser that is signed in is told at once; so might others be, by another Gitter
        await world.gitter.do("faults", path="/oauth/authorize", status=401)
        report = await patient.check()
        report.expect([rf"OAuth application: .* redirect URI; register exactly {uri} "])
        await world.gitter.do("faults", path="/oauth/authorize", status=200)
        (await patient.check()).expect().says(f"lets people log in with redirect URI {uri}$")
        await world.gitter.do("faults", path="/oauth/authorize", status=302,
                              headers={"Location": "https://other.example/login/oauth?secret=1"})
        report = await patient.check()
        report.expect([r"status 302 to https://other\.example/login/oauth is not what"])
        await world.gitter.do("faults", path="/oauth/token", status=503)
        (await patient.check()).expect(["did not say whether it knows it: status 503"])


async def scenario_check_gitter(world):
    """Each of Gitter's addresses, down or wrong."""
    gitter = world.gitter.url
    async with clinic(world) as patient:
        down = nowhere()
        report = await patient.check(gitter_url=down, gitter_api_url=down + "/api/v1",
                                     gitter_faye_url=down.replace("http", "ws") + "/bayeux")
        report.expect([f"gitter_url {down}: Failed to connect",
                       f"gitter_api_url {down}/api/v1: Failed to connect",
                       "gitter_faye_url ws://127.*/bayeux: Failed to connect"])
        report = await patient.check(gitter_url=gitter + "/api")
        report.expect(["gitter_url .*: status 404 is not what", "gitter_oauth_key: .* status 404"])
        (await patient.check(gitter_api_url=gitter + "/api")).expect(
            [r"gitter_api_url .*/api: .* \(status 404\); it ends in /v1"])
        (await patient.check(gitter_api_url=gitter)).expect([r"gitter_api_url .*status 404"])
        (await patient.check(gitter_api_url=gitter + "/login?")).expect(
            [r"gitter_api_url .*status 200 without JSON is not what"])
        (await patient.check(gitter_faye_url=gitter + "/wrong")).expect(
            [r"gitter_faye_url .*/wrong: nothing is there \(status 404\); its path is /bayeux"])
        (await patient.check(gitter_faye_url=world.synapse.url)).expect(
            [r"gitter_faye_url .*\(status \d+.*\) does not speak Bayeux"])
        await world.gitter.do("faye/refuse", ms=60000)
        try:
            (await patient.check()).expect([r"gitter_faye_url .*\(status 503\) does not speak"])
        finally:
            await world.gitter.do("faye/refuse", ms=0)
        (await patient.check(gitter_faye_url=gitter.replace("http", "ws") + "/bayeux")).expect()


async def scenario_check_live_channel(world):
    """Streams instead of Faye, an address that is none of theirs, and neither."""
    stream = world.gitter.url + "/stream/v1"
    async with clinic(world) as patient:
        report = (await patient.check(gitter_faye_url="", gitter_stream_url=stream)).expect()
        report.says(f"gitter_stream_url {stream}: answers")
        (await patient.check(gitter_faye_url="", gitter_stream_url=world.gitter.url)).expect(
            [r"gitter_stream_url .*status 404.*; it is the stream service's address"])
        (await patient.check(gitter_faye_url="", gitter_stream_url="")).expect(
            warned=["gitter_faye_url and gitter_stream_url: both are empty"])
        (await patient.check(gitter_stream_url=nowhere("/v1"))).expect()


async def scenario_check_faye_by_post(world):
    """A Faye server that is not Gitter's, and a proxy that lets no WebSocket through."""
    refusal = {"channel": "/meta/handshake", "successful": False,
               "error": "401::Access token required"}
    welcome = {"channel": "/meta/handshake", "successful": True, "clientId": "x"}
    async with clinic(world) as patient:
        for answer, finding in (([refusal], "gives no WebSocket: status 200; let the proxy"),
                                ([welcome], "a Faye server that does not ask for a token"),
                                ([], "does not speak Bayeux"), ("what", "does not speak Bayeux")):
            async with answering(bayeux=(200, answer)) as url:
                report = await patient.check(gitter_faye_url=url + "/bayeux")
                report.expect(["gitter_faye_url .*" + finding])


async def scenario_check_registration(world):
    """A file that differs, field by field; one that is none; none."""
    async with clinic(world) as patient:
        space, bot = patient.fields["namespaces"]["users"]

        async def compare(failed, warned, **fields):
            report = await patient.check(fields={**patient.fields, **fields})
            report.expect([r"registration\.yaml: " + pattern for pattern in failed],
                          [r"registration\.yaml: " + pattern for pattern in warned])

        async def compare_spaces(failed, warned, *spaces):
            await compare(failed, warned, namespaces={"users": list(spaces)})
        await compare(["id: is gitter, the configuration says gitterd"], [], id="gitter")
        await compare(["url: is http://127.0.0.1:1, "], [], url="http://127.0.0.1:1/")
        await compare(["url: is .*null"], [], url=None)
        await compare([], [], url=patient.fields["url"] + "/")
        await compare(["as_token: is another"], [], as_token="other")
        await compare(["hs_token: is another"], [], hs_token="other")
        await compare(["sender_localpart: is bot, .* gitter"], [], sender_localpart="bot")
        await compare([], ["rate_limited: is not false"], rate_limited=True)
        await compare_spaces(["namespaces.users: does not take in our ghosts"], [])
        await compare_spaces(["namespaces.users: does not"], [],
                             {**space, "regex": r"@gitter_[0-9a-f]*:test\.example"})
        await compare_spaces(["namespaces.users: does not"], [],
                             {**space, "regex": r"@gitter_.*:other\.example"})
        await compare_spaces(["namespaces.users: does not"], [], {**space, "regex": "@gitter_(("})
        await compare_spaces(["namespaces.users: takes in people"], [], {**space, "regex": "@.*"})
        await compare_spaces([], ["namespaces.users: is not exclusive"],
                             {**space, "exclusive": False})
        await compare_spaces([], [], {"regex": "@other_.*", "exclusive": True}, space, bot)
        await compare_spaces([], [], {**space, "regex": "@gitter_"}, bot)
        await compare_spaces([], ["namespaces.users: does not take in the bot"], space)
        await compare_spaces([], ["namespaces.users: does not take in the bot"], space,
                             {**bot, "exclusive": False})
        report = await patient.check(fields={"id": "gitterd"})
        fields = [line.split(": ")[1] for line in report.failed]
        assert fields == ["url", "as_token", "hs_token", "sender_localpart", "namespaces.users"]


async def scenario_check_registration_file(world):
    """Named, absent, empty, no YAML."""
    async with clinic(world) as patient:
        await patient.check()
        other = patient.registration + ".other"
        shutil.move(patient.registration, other)
        report = await patient.run("--registration", other)
        report.expect().says("registration.yaml.other: fits the configuration")
        (await patient.run()).expect([], ["registration.yaml: No such file"])
        (await patient.run("--registration", other + "2")).expect(["other2: No such file"])
        for text in ("", "{", "- list\n", "as_token: [quokka]\n"):
            with open(other, "w", encoding="utf-8") as file:
                file.write(text)
            (await patient.run("--registration", other)).expect(["other: is no registration"])


async def scenario_check_database(world):
    """Another key, another program's file, no file, no folder."""
    alice, _ = await world.person()
    await alice.login()
    async with clinic(world) as patient:
        report = await patient.check(unique_secret_key=os.urandom(32).hex())
        report.expect([r"database .*: the Gitter tokens of [1-9]\d* of its \d+ users do not open"])
    await alice.say("help", "HELP")
    async with stopped(world) as patient:
        path = os.path.join(os.path.dirname(patient.config), "other.sqlite")
        (await patient.check(database=path)).expect().says("database .*: not there yet")
        assert not os.path.exists(path) and not os.path.exists(path + ".lock")
        (await patient.check(database="nowhere/other.sqlite")).expect(
            ["database .*: is not there and nowhere/: No such file"])
        with open(path, "wb") as file:
            file.write(b"quokka" * 1000)
        (await patient.check(database=path)).expect(
            ["database .*: file is not a database; restore a backup"], [f"{path}: every user"])
        os.remove(path)
        with contextlib.closing(sqlite3.connect(path)) as database:
            database.execute("CREATE TABLE things (thing TEXT)")
            database.commit()
        os.chmod(path, 0o600)
        (await patient.check(database=path)).expect(["database .*another program; let `database`"])
        with contextlib.closing(sqlite3.connect(world.bridge.database)) as database:
            mark = database.execute("PRAGMA application_id").fetchone()[0]
        os.remove(path)
        with contextlib.closing(sqlite3.connect(path)) as database:
            database.executescript(f"PRAGMA application_id = {mark}; PRAGMA user_version = 1000")
        os.chmod(path, 0o600)
        (await patient.check(database=path)).expect(["database .*newer.*; run the newer gitterd"])


async def scenario_check_ports(world):
    """Taken by another program, on no address of ours, or not where the running gitterd listens."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        async with stopped(world) as patient:
            url = f"http://127.0.0.1:{taken}"
            fields = {**patient.fields, "url": url}
            report = await patient.check(matrix_appservice_port=taken, fields=fields)
            report.expect([f"matrix_appservice_port: port {taken} of .*another program"],
                          ["ping: not tried"])
            report = await patient.check(gitter_login_port=taken, fields=patient.fields)
            report.expect([f"gitter_login_port: port {taken} of .*another program"])
            report = await patient.check(gitter_login_bind="192.0.2.1")
            report.expect(["gitter_login_bind: .*no address of this machine"])
            report = await patient.check(gitter_login_bind="somewhere")
            report.expect(["gitter_login_bind: .*no address of this machine"])
    async with clinic(world) as patient:
        report = await patient.check(gitter_login_port=free_port())
        report.expect(["gitter_login_port: the running gitterd does not listen there"])


async def scenario_check_tls(world):
    """Certificate and key: there, together, and what they mean for who calls us."""
    async with stopped(world) as patient:
        fields = {**patient.fields, "url": patient.fields["url"].replace("http", "https")}
        report = await patient.check(tls_certificate=CERTIFICATE, tls_key=CERTIFICATE_KEY,
                                     fields=fields)
        # the homeserver still has the URL without TLS, and so has gitter_login_url
        report.expect(["ping: the homeserver cannot reach the url"],
                      ["gitter_login_url .*cannot be reached from here"])
        report.says("tls_certificate and tls_key: belong together")
        absent = CERTIFICATE + ".absent"
        report = await patient.check(tls_certificate=CERTIFICATE, tls_key=absent)
        report.expect([r"tls_key: .*\.absent: No such file"])
        report = await patient.check(tls_certificate=CERTIFICATE, tls_key=CERTIFICATE)
        report.expect(["tls_certificate and tls_key: are no PEM files, or do not belong together"])
        report = await patient.check(ca_file=absent, fields=patient.fields)
        report.expect([r"ca_file: .*\.absent: No such file"])


async def scenario_check_login_url(world):
    """Another server behind it, nothing behind it, and logins in the clear."""
    port = world.bridge.login_port
    async with clinic(world) as patient:
        report = await patient.check(gitter_login_url=f"http://0.0.0.0:{port}")
        report.expect([], ["gitter_login_url .*in the clear; use https"]).says(": leads here")
        report = await patient.check(gitter_login_url=nowhere())
        report.expect([], ["gitter_login_url .*cannot be reached from here: Failed to connect"])
        report = await patient.check(gitter_login_url=world.gitter.url + "/nothing")
        report.expect([], ["gitter_login_url .*another server than gitterd .*status 404"])


async def scenario_check_config(world):
    """What cannot be read is told as ever, with status 2; what others can read is told."""
    async with clinic(world) as patient:
        await patient.check()
        os.chmod(patient.config, 0o644)
        (await patient.run()).expect([], [r"gitterd\.yaml: every user .* chmod 600"])
        for write, complaint in (("colour: blue\n", "unknown key"), ("{", "yaml"),
                                 ("matrix_botname: gitter\n", "is missing")):
            with open(patient.config, "w", encoding="utf-8") as file:
                file.write(write)
            status, out, error = await world.bridge.call("check", "-c", patient.config)
            assert (status, out) == (2, "") and complaint in error, error
        for path in (patient.config + "2", os.path.dirname(patient.config)):
            status, out, error = await world.bridge.call("check", "-c", path)
            assert (status, out) == (2, "") and path in error, error
        status, out, error = await world.bridge.call("check", "more")
        assert (status, out) == (2, "") and "too many arguments" in error, error
