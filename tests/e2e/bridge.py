"""gitterd as a process: configuration file, registration file, start and stop."""

import asyncio
import json
import os
import signal

import aiohttp

import transports
from process import Process, free_port
from synapse import SERVER_NAME
from wait import until

BOT = f"@gitter:{SERVER_NAME}"


class Bridge(Process):
    def __init__(self, folder, program, transport="faye"):
        super().__init__("gitterd", folder)
        self.transport = transport
        self.folder = folder
        self.program = os.environ.get("GITTERD", program)
        self.wrapper = ()        # a command that runs the daemon
        self.environment = {}    # of the daemon
        self.port = free_port()
        self.login_port = free_port()
        self.login_url = f"http://127.0.0.1:{self.login_port}"
        self.config = os.path.join(folder, "gitterd.yaml")
        self.registration = os.path.join(folder, "registration.yaml")
        self.database = os.path.join(folder, "database.sqlite")
        self.secrets = {
            "unique_secret_key": os.urandom(32).hex(),
            "matrix_appservice_token": os.urandom(32).hex(),
            "matrix_homeserver_token": os.urandom(32).hex(),
        }

    def write_config(self, homeserver_url, gitter, **more):
        """`gitter` is the simulated Gitter and the OAuth client that was registered there."""
        server, client = gitter
        self.secrets["gitter_oauth_secret"] = client["clientSecret"]
        values = {
            **self.secrets,
            "matrix_appservice_port": self.port,
            "matrix_homeserver_url": homeserver_url,
            "matrix_homeserver_domain": SERVER_NAME,
            "matrix_botname": "gitter",
            "gitter_login_port": self.login_port,
            "gitter_login_url": self.login_url,
            "gitter_login_rate": 0,  # everybody here has one address
            "gitter_oauth_key": client["clientKey"],
            "gitter_url": server.url,
            "gitter_api_url": server.url + "/api/v1",
            **transports.settings(self.transport, server.url),
            "database": self.database,
            "log_level": "debug",
            **more,
        }
        with open(self.config, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o600)
            for key, value in values.items():
                file.write(f"{key}: {json.dumps(value)}\n")

    async def call(self, *arguments, environment=None):
        """One run of the program: (status, standard output, standard error)."""
        process = await asyncio.create_subprocess_exec(
            self.program, *arguments, cwd=self.folder, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE, env={**os.environ, **(environment or {})})
        try:
            out, error = await asyncio.wait_for(process.communicate(), 30)
        except asyncio.TimeoutError:
            process.kill()
            raise
        return process.returncode, out.decode(), error.decode()

    async def write_registration(self):
        status, out, error = await self.call("registration", "-c", self.config)
        assert status == 0, f"gitterd registration: {status} {error}"
        with open(self.registration, "w", encoding="utf-8") as file:
            file.write(out)

    async def begin(self):
        await self.start(*self.wrapper, self.program, "run", "-c", self.config,
                         environment=self.environment)
        await until("gitterd to listen", self.is_listening)

    async def is_listening(self):
        assert self.is_running(), "gitterd ended\n" + self.tail()
        try:
            async with aiohttp.ClientSession() as session:
                async with session.get(self.login_url + "/") as answer:
                    return answer.status == 200
        except aiohttp.ClientError:
            return False

    async def stop(self):
        """As an administrator does it; must end well and in time."""
        status = await self.end(signal.SIGTERM)
        assert status == 0, f"gitterd ended with {status} on SIGTERM\n{self.tail()}"
