"""What a benchmark stands on: processes, a seeded gitterd, the sink, and what of them is measured."""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.path.join(TOP, "build/release/tests/bench")
GITTERD = os.path.join(TOP, "build/release/gitterd")
KEY = "0123456789abcdef0123456789abcdef"
HS_TOKEN = "hs_token_of_the_benchmark"  # as load.c has it
AS_TOKEN = "as_token_of_the_benchmark"
PATIENCE_S = 120


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def get(port, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
        return json.load(answer)


class Process:
    """A program of the benchmark. `core` pins it to one; None leaves it to the system."""

    def __init__(self, name, command, folder, core=None, environment=None, cwd=TOP):
        self.name = name
        if core is not None:
            command = ["taskset", "-c", str(core), *command]
        self.log = open(os.path.join(folder, name + ".log"), "ab")
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log, cwd=cwd,
            env={**os.environ, **(environment or {})})

    def line(self):
        return self.process.stdout.readline().decode().strip()

    def wait_for_port(self, port):
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            assert self.process.poll() is None, f"{self.name} ended: see {self.log.name}"
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                time.sleep(0.02)
        raise AssertionError(f"{self.name} does not listen")

    def memory_kib(self, what="VmRSS"):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            for row in file:
                if row.startswith(what + ":"):
                    return int(row.split()[1])
        raise AssertionError(f"{self.name} has no {what}")

    def cpu_s(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stdout.close()
        self.log.close()


class Sink(Process):
    def __init__(self, folder, owners, core=None):
        super().__init__("sink", [os.path.join(BIN, "sink"), "0", str(owners)], folder, core)
        self.port = int(self.line())

    def stats(self):
        return get(self.port, "/stats")

    def reset(self):
        get(self.port, "/reset")

    def times(self):
        """How long messages took: count, p50_us, p99_us."""
        return get(self.port, "/times")

    def settled(self, count, patience_s=PATIENCE_S):
        """The counts once there are so many messages, or when nothing has come for a while."""
        last, since = self.stats(), time.monotonic()
        while last["messages"] < count and time.monotonic() - since < patience_s:
            time.sleep(0.05)
            now = self.stats()
            if now["messages"] != last["messages"]:
                since = time.monotonic()
            last = now
        return last


class FayeEnd(Process):
    """Gitter's Faye server, with guests who speak in the rooms."""

    def __init__(self, folder, rooms, is_tls=False, core=None):
        tls = [os.path.join(TOP, "tests/faye", name) for name in ("cert.pem", "key.pem")]
        super().__init__("faye_end", [os.path.join(BIN, "faye_end"), str(rooms),
                                      *(tls if is_tls else ())], folder, core)
        port, self.control = map(int, self.line().split())
        self.settings = {"gitter_faye_url": f"http://127.0.0.1:{port}/bayeux"}
        if is_tls:
            self.settings = {"gitter_faye_url": f"https://localhost:{port}/bayeux",
                             "ca_file": tls[0]}

    def stats(self):
        return get(self.control, "/stats")

    def speak(self, rate, count):
        """Has so many messages said, that many a second; 0: as fast as they are taken."""
        get(self.control, f"/speak?rate={rate}&count={count}")

    def wait_for_rooms(self, rooms):
        """Until the messages of so many rooms are listened to."""
        last, since = self.stats(), time.monotonic()
        while last["subscribed"] < rooms:
            assert time.monotonic() - since < PATIENCE_S, f"{last} of {rooms} rooms"
            time.sleep(0.05)
            if (now := self.stats())["subscribed"] != last["subscribed"]:
                since = time.monotonic()
            last = now


class Gitterd:
    """gitterd with a database of its own, between the load and the sink."""

    name = "gitterd"

    def __init__(self, folder, sink_port, owners, rooms, seed=(), **settings):
        self.folder = folder
        self.port = free_port()
        self.database = os.path.join(folder, "database.sqlite")
        self.settings = settings
        self.process = None
        for end in ("", "-wal", "-shm", ".lock"):
            if os.path.exists(self.database + end):
                os.remove(self.database + end)
        subprocess.run([os.path.join(BIN, "seed"), self.database, KEY, str(owners), str(rooms), *seed],
                       check=True)
        self.write_config(f"http://127.0.0.1:{sink_port}")

    def write_config(self, sink):
        values = {
            "unique_secret_key": KEY, "matrix_homeserver_url": sink,
            "matrix_homeserver_domain": "bench.test", "matrix_botname": "gitter",
            "matrix_appservice_token": AS_TOKEN, "matrix_homeserver_token": HS_TOKEN,
            "matrix_appservice_port": self.port, "gitter_login_port": free_port(),
            "gitter_login_url": "http://127.0.0.1:1", "gitter_oauth_key": "key",
            "gitter_oauth_secret": "secret", "gitter_url": sink, "gitter_api_url": sink + "/api/v1",
            "gitter_faye_url": "", "database": self.database, "log_level": "warn", **self.settings}
        with open(os.path.join(self.folder, "gitterd.yaml"), "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o600)
            for key, value in values.items():
                file.write(f"{key}: {json.dumps(value)}\n")

    def start(self, core=None, before=()):
        """`before`: a program that runs it, with its arguments."""
        self.process = Process("gitterd", [*before, GITTERD, "run", "-c",
                                           os.path.join(self.folder, "gitterd.yaml")],
                               self.folder, core)
        self.process.wait_for_port(self.port)
        return self.process


def load(port, owners, rooms, transactions, seconds, events=100, first=0, core=None, rate=0):
    """Sends transactions, at most `rate` a second unless it is 0, and gives what came of them."""
    command = [os.path.join(BIN, "load"), *map(str, (port, owners, rooms, events, transactions,
                                                     seconds, first, rate))]
    if core is not None:
        command = ["taskset", "-c", str(core), *command]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def fresh_folder(name):
    folder = os.path.join(TOP, "build/bench", name)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    return folder
