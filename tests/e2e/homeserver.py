"""A scripted homeserver, in memory: strict about who may do what, and cheap enough to live through
hundreds of restarts of gitterd.

It has what gitterd calls, checks membership and registration, and sends an event once for each
transaction id. Events that concern the bot or a ghost are pushed as Synapse does it: one transaction
in flight, said again with the same id and the same events until it is answered, our own events
among them. People have no HTTP side: a test says what they do by calling methods.
"""

import asyncio
import collections
import json
import time

import aiohttp
from aiohttp import web

TRANSACTION_EVENTS = 100
PUSH_AGAIN_SECONDS = (0.05, 0.1, 0.2, 0.4)
PUSH_SECONDS = 20
HOLD_SECONDS = 3600
NO_MATRIX_ERROR = {502: "M_UNKNOWN", 429: "M_LIMIT_EXCEEDED"}


class Refused(Exception):
    def __init__(self, status, errcode, text):
        super().__init__(text)
        self.status = status
        self.body = {"errcode": errcode, "error": text}


def forbid(text):
    raise Refused(403, "M_FORBIDDEN", text)


class Room:
    def __init__(self, room_id):
        self.id = room_id
        self.members = {}
        self.state = {}
        self.events = []

    def joined(self, user):
        return self.members.get(user) == "join"


class Homeserver:
    def __init__(self, server_name, tokens, spoil):
        """`tokens` are the as_token and the hs_token. `spoil()` tells what to do to a request: None,
        "delay", "cut before", "cut after", "close", "hold" (it has its effect and is never answered),
        502 or 429."""
        self.name = server_name
        self.as_token, self.hs_token = tokens
        self.spoil = spoil
        self.bot = f"@gitter:{server_name}"
        self.registered = {self.bot}
        self.rooms = {}
        self.sent = {}
        self.forgotten = {}  # what was in `sent`
        self.second = {}  # events of transactions that were forgotten, and the first ones
        self.queue = collections.deque()
        self.has_more = asyncio.Event()
        self.on_event = lambda room, event: None
        self.on_invite = lambda room, user: None
        self.url = None
        self.runner = None
        self.pusher = None
        self.refusals = collections.Counter()
        self.transactions = 0
        self.refused = 0  # transactions that were not taken
        self.patience = lambda: PUSH_SECONDS  # for the answer to a transaction
        self.numbers = collections.Counter()

    # All that it knows, as JSON

    def save(self):
        return {
            "rooms": [{"id": room.id, "members": room.members, "events": room.events}
                      for room in self.rooms.values()],
            "registered": sorted(self.registered),
            "sent": [[*place, event_id] for place, event_id in self.sent.items()],
            "queue": [event["event_id"] for event in self.queue],
            "transactions": self.transactions,
            "numbers": self.numbers,
        }

    def restore(self, saved):
        for one in saved["rooms"]:
            room = self.rooms[one["id"]] = Room(one["id"])
            room.members, room.events = one["members"], one["events"]
            room.state = {(event["type"], event["state_key"]): event for event in room.events
                          if "state_key" in event}
        events = {event["event_id"]: event for room in self.rooms.values() for event in room.events}
        self.registered = set(saved["registered"])
        self.sent = {(user, path): event_id for user, path, event_id in saved["sent"]}
        self.queue.extend(events[event_id] for event_id in saved["queue"])
        self.transactions = saved["transactions"]
        self.numbers.update(saved["numbers"])
        if self.queue:
            self.has_more.set()

    # The server

    async def begin(self):
        app = web.Application(middlewares=[self.answer], client_max_size=1 << 26)
        base = "/_matrix/client/v3"
        app.add_routes([
            web.get(base + "/account/whoami", self.whoami),
            web.post(base + "/register", self.register),
            web.put(base + "/profile/{user}/{key}", self.profile),
            web.post("/_matrix/client/v1/appservice/{id}/ping", self.ping),
            web.post(base + "/createRoom", self.create_room),
            web.post(base + "/rooms/{room}/{action:invite|join|leave|kick|forget}", self.member),
            web.get(base + "/joined_rooms", self.joined_rooms),
            web.get(base + "/notifications", self.notifications),
            web.get(base + "/rooms/{room}/joined_members", self.joined_members),
            web.post(base + "/rooms/{room}/receipt/m.read/{event}", self.receipt),
            web.get(base + "/rooms/{room}/messages", self.messages),
            web.put(base + "/rooms/{room}/send/{type}/{txn}", self.send),
            web.post("/_matrix/media/v3/upload", self.upload),
            web.put(base + "/rooms/{room}/redact/{event}/{txn}", self.send),
            web.put(base + "/rooms/{room}/state/{type}/{key:.*}", self.put_state),
            web.get(base + "/rooms/{room}/state/{type}/{key:.*}", self.get_state),
        ])
        self.runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self.runner.setup()
        site = web.TCPSite(self.runner, "127.0.0.1", 0)
        await site.start()
        self.url = "http://127.0.0.1:%d" % self.runner.addresses[0][1]

    def push_to(self, url):
        self.pusher = asyncio.create_task(self.push_for_ever(url))

    async def end(self):
        if self.pusher:
            self.pusher.cancel()
            await asyncio.gather(self.pusher, return_exceptions=True)
        if self.runner:
            await self.runner.cleanup()

    @web.middleware
    async def answer(self, request, handler):
        fault = self.spoil(request)
        if fault == "delay":
            await asyncio.sleep(0.3)
        if fault == "cut before":
            return cut(request)
        if fault in NO_MATRIX_ERROR:
            return web.json_response({"errcode": NO_MATRIX_ERROR[fault], "error": "spoilt"},
                                     status=fault, headers={"Retry-After": "1"})
        try:
            if request.headers.get("Authorization") != f"Bearer {self.as_token}":
                raise Refused(401, "M_UNKNOWN_TOKEN", "who are you?")
            response = web.json_response(await handler(request))
        except ConnectionError:
            return web.Response()  # who asked is gone
        except Refused as refused:
            self.refusals[f"{request.method} {handler.__name__}: {refused}"] += 1
            response = web.json_response(refused.body, status=refused.status)
        if fault == "hold":
            await asyncio.sleep(HOLD_SECONDS)
        if fault == "cut after":
            self.forgotten.update(self.sent)
            self.sent.clear()  # as in a restart, the one moment in which it would be needed
            return cut(request)
        if fault == "close":  # without having announced it
            asyncio.get_running_loop().call_later(0.01, close, request)
        return response

    # Who acts

    def acting(self, request):
        user = request.query.get("user_id", self.bot)
        if user != self.bot and not user.startswith("@gitter_"):
            forbid("cannot masquerade")
        if user not in self.registered:
            forbid("has not registered this user")
        return user

    def room_of(self, request):
        room = self.rooms.get(request.match_info["room"])
        return room or forbid("not a known room")

    def is_ours(self, user):
        return user == self.bot or user.startswith("@gitter_")

    def number(self, kind):
        self.numbers[kind] += 1
        return self.numbers[kind]

    # Calls

    async def whoami(self, request):
        return {"user_id": self.acting(request), "is_guest": False}

    async def register(self, request):
        user = f"@{(await request.json())['username']}:{self.name}"
        if not self.is_ours(user):
            raise Refused(400, "M_EXCLUSIVE", "outside of the namespace")
        if user in self.registered:
            raise Refused(400, "M_USER_IN_USE", "there is one already")
        self.registered.add(user)
        return {"user_id": user}

    async def profile(self, request):
        if self.acting(request) != request.match_info["user"]:
            forbid("somebody else's profile")
        return {}

    async def ping(self, request):
        return {"duration_ms": 1}

    async def create_room(self, request):
        body = await request.json()
        user = self.acting(request)
        room = self.make_room(user, body.get("creation_content", {}))
        if "name" in body:
            self.add(room, user, "m.room.name", {"name": body["name"]}, "")
        for invited in body.get("invite", ()):
            self.set_member(room, user, invited, "invite")
        return {"room_id": room.id}

    async def member(self, request):
        user, room, action = self.acting(request), self.room_of(request), request.match_info["action"]
        if action == "join":
            if room.members.get(user) not in ("invite", "join"):
                forbid("not invited")
            self.set_member(room, user, user, "join")
        elif action == "leave":
            if room.members.get(user) not in ("invite", "join"):
                forbid("not in the room")
            self.set_member(room, user, user, "leave")
        elif action != "forget":
            await self.member_other(request, room, user, action)
        return {"room_id": room.id} if action == "join" else {}

    async def member_other(self, request, room, user, action):
        other = (await request.json())["user_id"]
        if not room.joined(user):
            forbid("not in the room")
        if action == "invite" and room.joined(other):
            forbid("is in the room already")
        self.set_member(room, user, other, "invite" if action == "invite" else "leave")

    async def joined_members(self, request):
        room = self.room_of(request)
        if not room.joined(self.acting(request)):
            forbid("not in the room")
        return {"joined": {user: {"display_name": user} for user in room.members if room.joined(user)}}

    async def upload(self, request):
        self.acting(request)
        await request.read()
        return {"content_uri": f"mxc://{self.name}/{self.number('media')}"}

    async def receipt(self, request):
        if not self.room_of(request).joined(self.acting(request)):
            forbid("not in the room")
        return {}

    async def notifications(self, request):
        self.acting(request)
        return {"notifications": []}

    async def joined_rooms(self, request):
        user = self.acting(request)
        return {"joined_rooms": [room.id for room in self.rooms.values() if room.joined(user)]}

    async def messages(self, request):
        room, query = self.room_of(request), request.query
        if not room.joined(self.acting(request)):
            forbid("not in the room")
        if query.get("dir") != "b":
            raise Refused(400, "M_INVALID_PARAM", "only backwards")
        behind = int(query.get("from", len(room.events)))
        first = max(0, behind - int(query.get("limit", 10)))
        page = {"start": str(behind), "chunk": room.events[first:behind][::-1]}
        return {**page, "end": str(first)} if first > 0 else page

    async def send(self, request):
        user, room = self.acting(request), self.room_of(request)
        place = user, request.path
        if place in self.sent:
            return {"event_id": self.sent[place]}
        if not room.joined(user):
            forbid("not in the room")
        kind = request.match_info.get("type", "m.room.redaction")
        if kind == "m.room.redaction":
            event = self.redact(room, user, request.match_info["event"])
        else:
            event = self.add(room, user, kind, await request.json())
        self.sent[place] = event["event_id"]
        if place in self.forgotten:
            self.second[event["event_id"]] = self.forgotten[place]
        return {"event_id": event["event_id"]}

    async def put_state(self, request):
        user, room = self.acting(request), self.room_of(request)
        if not room.joined(user):
            forbid("not in the room")
        event = self.add(room, user, request.match_info["type"], await request.json(),
                         request.match_info["key"])
        return {"event_id": event["event_id"]}

    async def get_state(self, request):
        room = self.room_of(request)
        found = room.state.get((request.match_info["type"], request.match_info["key"]))
        if found is None:
            raise Refused(404, "M_NOT_FOUND", "no such state")
        return found["content"]

    # Events

    def make_room(self, creator, creation_content=None):
        room = Room(f"!room{self.number('room')}:{self.name}")
        self.rooms[room.id] = room
        # what the creator says next is pushed if it is ours: it is as good as joined
        room.members[creator] = "join"
        self.add(room, creator, "m.room.create", creation_content or {}, "")
        self.set_member(room, creator, creator, "join")
        return room

    def set_member(self, room, by, user, membership):
        before = room.state.get(("m.room.member", user))
        if before and before["content"]["membership"] == membership:
            return
        room.members[user] = membership
        self.add(room, by, "m.room.member", {"membership": membership}, user, before)
        if membership == "invite":
            self.on_invite(room, user)

    def add(self, room, sender, kind, content, key=None, before=None, **more):
        event = {"type": kind, "room_id": room.id, "sender": sender, "content": content,
                 "event_id": f"$event{self.number('event')}", "unsigned": {},
                 "origin_server_ts": int(time.time() * 1000), **more}
        if before is not None:
            event["unsigned"]["prev_content"] = before["content"]
        if key is not None:
            event["state_key"] = key
            room.state[kind, key] = event
        room.events.append(event)
        if self.is_interesting(room, event):
            self.queue.append(event)
            self.has_more.set()
        self.on_event(room, event)
        return event

    def redact(self, room, sender, event_id):
        return self.add(room, sender, "m.room.redaction", {"redacts": event_id}, redacts=event_id)

    def is_interesting(self, room, event):
        return (self.is_ours(event["sender"]) or
                (event["type"] == "m.room.member" and self.is_ours(event["state_key"])) or
                any(self.is_ours(user) and room.joined(user) for user in room.members))

    # Pushing

    async def push_for_ever(self, url):
        async with aiohttp.ClientSession() as session:
            while True:
                await self.has_more.wait()
                events = [self.queue[i] for i in range(min(len(self.queue), TRANSACTION_EVENTS))]
                await self.push(session, f"{url}/_matrix/app/v1/transactions/{self.transactions}",
                                events)
                self.transactions += 1
                for _ in events:
                    self.queue.popleft()
                if not self.queue:
                    self.has_more.clear()

    async def push(self, session, url, events):
        tries = 0
        while not await self.push_once(session, url, events):
            await asyncio.sleep(PUSH_AGAIN_SECONDS[min(tries, len(PUSH_AGAIN_SECONDS) - 1)])
            tries += 1

    async def push_once(self, session, url, events):
        now = int(time.time() * 1000)
        said = [{**event, "unsigned": {**event["unsigned"], "age": now - event["origin_server_ts"]}}
                for event in events]
        try:
            timeout = aiohttp.ClientTimeout(total=self.patience())
            async with session.put(url, json={"events": said}, timeout=timeout, headers={
                    "Authorization": f"Bearer {self.hs_token}"}) as answer:
                self.refused += answer.status != 200
                return answer.status == 200 and json.loads(await answer.text()) is not None
        except (aiohttp.ClientError, asyncio.TimeoutError, ValueError):
            return False


def close(request):
    if request.transport is not None:
        request.transport.close()


def cut(request):
    """The connection ends without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
