"""A real homeserver on loopback: Synapse with SQLite, one configuration file, no federation."""

import hashlib
import hmac
import os
import sys

import aiohttp

from process import Process, free_port
from wait import until

SERVER_NAME = "test.example"
SECRET = "registration of test users"

CONFIG = """
server_name: {server_name}
public_baseurl: {url}/
report_stats: false
listeners:
  - {{type: http, tls: false, bind_addresses: [127.0.0.1], port: {port}, resources: [{{names: [client]}}]}}
database: {{name: sqlite3, args: {{database: {folder}/homeserver.db}}}}
signing_key_path: {folder}/signing.key
media_store_path: {folder}/media
registration_shared_secret: {secret}
app_service_config_files: {registrations}
trusted_key_servers: []
federation_domain_whitelist: []
default_room_version: "{room_version}"
presence: {{enabled: false}}
rc_message: &r {{per_second: 1000, burst_count: 1000}}
rc_registration: *r
rc_login: {{address: *r, account: *r, failed_attempts: *r}}
rc_joins: {{local: *r, remote: *r}}
rc_joins_per_room: *r
rc_invites: {{per_room: *r, per_user: *r, per_issuer: *r}}
rc_room_creation: *r
rc_media_create: *r
"""


class Synapse(Process):
    def __init__(self, folder, room_version):
        super().__init__("synapse", folder)
        self.folder = os.path.join(folder, "homeserver")
        self.room_version = room_version
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log_begin = 0

    async def begin(self, registrations=()):
        """Writes the configuration and starts; `registrations` are files of application services."""
        os.makedirs(self.folder, exist_ok=True)
        with open(os.path.join(self.folder, "homeserver.yaml"), "w", encoding="utf-8") as file:
            file.write(CONFIG.format(
                server_name=SERVER_NAME, url=self.url, port=self.port, folder=self.folder,
                secret=SECRET, registrations=list(registrations), room_version=self.room_version))
        await self.resume()

    async def resume(self):
        self.log_begin = len(self.log())
        await self.start(sys.executable, "-m", "synapse.app.homeserver", "--config-path",
                         os.path.join(self.folder, "homeserver.yaml"))
        await until("Synapse to be ready", self.is_ready, seconds=60)

    async def is_ready(self):
        assert self.is_running(), "Synapse ended\n" + self.tail()
        try:
            async with aiohttp.ClientSession() as session:
                async with session.get(self.url + "/_matrix/client/versions") as answer:
                    return answer.status == 200
        except aiohttp.ClientError:
            return False

    def has_recovered(self):
        """No application service is thought to be down.

        Between finding its queue empty and noting that the service is up again, Synapse 1.163
        stores new events without sending them: they stay behind until the next failure. Whoever
        wants to see order must not talk in that moment.
        """
        log = self.log()[self.log_begin:]
        return log.count("Starting recoverer for") == \
            log.count("Successfully recovered application service")

    async def register(self, name, password):
        path = self.url + "/_synapse/admin/v1/register"
        async with aiohttp.ClientSession() as session:
            async with session.get(path) as answer:
                nonce = (await answer.json())["nonce"]
            proof = "\0".join([nonce, name, password, "notadmin"]).encode()
            mac = hmac.new(SECRET.encode(), proof, hashlib.sha1).hexdigest()
            body = {"nonce": nonce, "username": name, "password": password, "admin": False, "mac": mac}
            async with session.post(path, json=body) as answer:
                assert answer.status == 200, await answer.text()
                return (await answer.json())["user_id"]
