"""The other bridges: got from their registries at bench time, each a minimal program of its own.

Every one forwards each message by one POST to the same sink, in order in each room, at most
CONNECTIONS at a time, from memory: the transaction is answered before anything is forwarded.
"""

import os
import shutil
import subprocess

from rig import TOP, Process, free_port

SOURCE = os.path.join(TOP, "tests/bench/peers")
BUILD = os.path.join(TOP, "build/bench/peers")
CONNECTIONS = 64


def run(command, folder):
    with open(os.path.join(BUILD, "install.log"), "ab") as log:
        subprocess.run(command, cwd=folder, check=True, stdout=log, stderr=log,
                       stdin=subprocess.DEVNULL)


def copied(name):
    folder = os.path.join(BUILD, name)
    os.makedirs(folder, exist_ok=True)
    shutil.copytree(os.path.join(SOURCE, name), folder, dirs_exist_ok=True)
    return folder


def install_node():
    run(["npm", "install", "--omit=dev", "--loglevel=error"], copied("node"))


def install_python():
    folder = copied("python")
    if not os.path.exists(folder + "/venv"):
        run(["/usr/bin/python3", "-m", "venv", "venv"], folder)
    run(["venv/bin/python", "-m", "pip", "install", "-q", "-r", "requirements.txt"], folder)


def install_go():
    folder = copied("go")
    run(["go", "mod", "tidy"], folder)
    run(["go", "build", "-o", "bridge", "."], folder)


def install_rust():
    run(["cargo", "build", "--release", "-q"], copied("rust"))


# name -> what installs it, its command, the tool that must be there
PEERS = {
    "matrix-bot-sdk": (install_node, ["node", "node/bot-sdk.js"], "npm"),
    "matrix-appservice-bridge": (install_node, ["node", "node/appservice-bridge.js"], "npm"),
    "mautrix (Python)": (install_python, ["python/venv/bin/python", "python/bridge.py"], "python3"),
    "mautrix (Go) v0.30.0": (install_go, ["go/bridge"], "go"),
    "axum and ruma (the limit)": (install_rust, ["rust/target/release/bench-limit"], "cargo"),
}


class Peer:
    def __init__(self, name, folder, sink_port):
        self.name = name
        self.folder = folder
        self.sink = f"http://127.0.0.1:{sink_port}"
        self.port = free_port()
        self.process = None

    def start(self, core=None):
        command = [os.path.join(BUILD, part) if "/" in part else part for part in PEERS[self.name][1]]
        self.process = Process("peer", [*command, str(self.port), self.sink, str(CONNECTIONS)],
                               self.folder, core)
        self.process.wait_for_port(self.port)
        return self.process


def install():
    """Names of those that could be installed; of the others it is said why not."""
    os.makedirs(BUILD, exist_ok=True)
    names, done = [], {}
    for name, (how, _, tool) in PEERS.items():
        if shutil.which(tool) is None:
            print(f"bench: without {name}: there is no {tool}")
            continue
        try:
            if how not in done:
                done[how] = how()
            names.append(name)
        except subprocess.CalledProcessError as error:
            print(f"bench: without {name}: {error}; see build/bench/peers/install.log")
    return names
