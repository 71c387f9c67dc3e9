"""Everything a scenario stands in: Synapse, the simulated Gitter, gitterd, and people.

One world serves many scenarios, so each makes people and rooms of its own, under names that
nobody else has.
"""

import collections
import contextlib
import os

import words
from bridge import BOT, Bridge
from browser import Browser
from gitter import Gitter
from synapse import SERVER_NAME, Synapse
from user import PASSWORD, User
from wait import until

# Bodies of all test messages hold this, so that a log that shows one is found out.
MARK = "quokka"


class Person:
    """A Matrix user with a Gitter account."""

    def __init__(self, world, matrix, account):
        self.world = world
        self.matrix = matrix
        self.account = account
        self.gitter = account and account["username"]
        self.chat = None

    async def open_chat(self, greeting="GREETING_STRANGER", **more):
        """Starts a private chat with the bot and waits to be greeted."""
        self.chat = await self.matrix.create_room(BOT, **more)
        return await self.hear(greeting)

    async def hear(self, text, /, after=0, **arguments):
        """Waits for a text of the bot's table in the private chat; what it said."""
        event = await self.matrix.wait_text(self.chat, words.pattern(text, **arguments), BOT, after)
        return event["content"]["body"]

    async def say(self, command, text, /, **arguments):
        """Says a command and waits for the answer."""
        after = self.matrix.mark(self.chat)
        await self.matrix.send(self.chat, command)
        return await self.hear(text, after, **arguments)

    async def login(self):
        """From nothing to logged in."""
        greeting = await self.open_chat()
        async with self.world.browser() as browser:
            page = await browser.login(words.link_in(greeting), self.world.gitter.url, self.gitter)
        assert page.status == 200, page
        return await self.hear("LOGGED_IN")

    async def enter(self, room):
        """Takes the invite to a bridged Gitter room; the Matrix room."""
        return await self.matrix.accept(room_name(room))

    def texts(self, room, after=0):
        """What ghosts said in a bridged room."""
        return [event["content"]["body"] for event in self.matrix.messages(room, after=after)
                if event["sender"].startswith("@gitter_")]


class World:
    def __init__(self, folder, room_version, program, transport="faye", **settings):
        os.makedirs(folder, exist_ok=True)
        self.folder = folder
        self.settings = settings
        self.synapse = Synapse(folder, room_version)
        self.gitter = Gitter(folder)
        self.bridge = Bridge(folder, program, transport)
        self.transport = transport
        self.client = None
        self.counts = collections.Counter()
        self.users = []

    async def begin(self):
        await self.gitter.begin()
        self.client = await self.gitter.do("client", name="gitterd",
                                           redirectUri=self.bridge.login_url + "/callback")
        await self.gitter.do("settings", rateLimit=100000)
        self.write_config()
        await self.bridge.write_registration()
        await self.synapse.begin([self.bridge.registration])
        await self.start_bridge()

    async def start_bridge(self):
        """Starts gitterd; the homeserver has then delivered what it had kept for it."""
        await self.bridge.begin()
        await until("the homeserver's queue to be empty", self.synapse.has_recovered, seconds=60)

    def write_config(self, **changes):
        """gitterd's settings, as this world has them but for the changes."""
        self.bridge.write_config(self.synapse.url, (self.gitter, self.client),
                                 **{**self.settings, **changes})

    async def end(self):
        """Stops everything; gitterd must go well."""
        for user in self.users:
            await user.close()
        try:
            if self.bridge.is_running():
                await self.bridge.stop()
        finally:
            for process in (self.bridge, self.synapse, self.gitter):
                await process.kill()

    def name(self, stem, kind=""):
        """A name that nothing else of its kind has."""
        self.counts[kind, stem] += 1
        count = self.counts[kind, stem]
        return stem if count == 1 else f"{stem}{count}"

    async def matrix_user(self, stem):
        name = self.name(stem, "matrix")
        user = User(name, await self.synapse.register(name, PASSWORD), self.synapse.url)
        await user.login()
        self.users.append(user)
        return user

    async def person(self, stem="alice", rooms=0):
        """A person on both sides, who is on Gitter in so many fresh rooms, the first one last
        used; and the URIs of those rooms."""
        account = await self.gitter.do("user", username=self.name(stem), displayName=stem.title())
        found = [await self.room(account["username"]) for _ in range(rooms)]
        return Person(self, await self.matrix_user(stem), account), found

    async def gitter_user(self, stem):
        account = await self.gitter.do("user", username=self.name(stem), displayName=stem.title())
        return account["username"]

    async def room(self, *members, stem="path", **more):
        uri = f"walks/{self.name(stem)}"
        await self.gitter.do("room", uri=uri, members=list(members), **more)
        return uri

    @contextlib.asynccontextmanager
    async def browser(self):
        browser = Browser()
        try:
            yield browser
        finally:
            await browser.close()

    async def settled(self, room, count, user):
        """All texts of a Gitter user in a room once there are so many."""
        async def enough():
            texts = await self.gitter.texts(room, user)
            return texts if len(texts) >= count else None
        return await until(f"{count} messages of {user} in {room}", enough)


def room_name(uri):
    """What a bridged room is called on Matrix."""
    return f"{uri} (Gitter)"


def ghost_id(account):
    return f"@gitter_{account['id']}:{SERVER_NAME}"
