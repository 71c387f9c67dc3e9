"""A person with a Matrix client, which is matrix-nio.

A task of its own syncs all the time and keeps what came: the events of each joined room in order,
pending invites, and rooms that were left or that the person was removed from.
"""

import asyncio
import re

import aiohttp
import nio

from wait import SECONDS, until

FILTER = {"room": {"timeline": {"limit": 1000}, "state": {"lazy_load_members": False}}}
PASSWORD = "a password of a test user"


class User:
    def __init__(self, name, user_id, homeserver_url):
        config = nio.AsyncClientConfig(max_limit_exceeded=0, max_timeouts=0)
        self.name = name
        self.id = user_id
        self.client = nio.AsyncClient(homeserver_url, user_id, config=config)
        self.events = {}
        self.invites = {}
        self.left = {}
        self.receipts = {}
        self.task = None

    async def login(self):
        answer = await self.client.login(PASSWORD, device_name="test")
        assert isinstance(answer, nio.LoginResponse), answer
        self.task = asyncio.create_task(self.sync_for_ever())

    async def close(self):
        if self.task:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)
        await self.client.close()

    async def sync_for_ever(self):
        since = None
        while True:
            try:
                answer = await self.client.sync(2000, sync_filter=FILTER, since=since)
            except (aiohttp.ClientError, asyncio.TimeoutError, OSError):
                answer = None
            if isinstance(answer, nio.SyncResponse):
                since = answer.next_batch
                self.keep(answer.rooms)
            else:
                await asyncio.sleep(0.2)

    def keep(self, rooms):
        for room, info in rooms.join.items():
            self.invites.pop(room, None)
            self.left.pop(room, None)
            seen = self.events.setdefault(room, [])
            seen += [event.source for event in info.timeline.events]
            for event in info.ephemeral:
                for receipt in getattr(event, "receipts", ()):
                    self.receipts[room, receipt.user_id] = receipt.event_id
        for room, info in rooms.invite.items():
            self.invites[room] = [getattr(event, "source", {}) for event in info.invite_state]
        for room, info in rooms.leave.items():
            self.invites.pop(room, None)
            self.left[room] = [event.source for event in info.timeline.events]

    # Rooms

    async def create_room(self, *invited, direct=True, **more):
        answer = await self.client.room_create(is_direct=direct, invite=list(invited), **more)
        assert isinstance(answer, nio.RoomCreateResponse), answer
        return answer.room_id

    async def invite(self, room, user_id):
        answer = await self.client.room_invite(room, user_id)
        assert isinstance(answer, nio.RoomInviteResponse), answer

    async def join(self, room):
        answer = await self.client.join(room)
        assert isinstance(answer, nio.JoinResponse), answer
        await until(f"{self.name} to see {room}", lambda: room in self.events)

    async def leave(self, room):
        answer = await self.client.room_leave(room)
        assert isinstance(answer, nio.RoomLeaveResponse), answer

    async def members(self, room):
        """{user id: display name} of those who are joined."""
        answer = await self.client.joined_members(room)
        assert isinstance(answer, nio.JoinedMembersResponse), answer
        return {member.user_id: member.display_name for member in answer.members}

    async def state(self, room, kind, key=""):
        answer = await self.client.room_get_state_event(room, kind, key)
        return answer.content if isinstance(answer, nio.RoomGetStateEventResponse) else None

    async def joined(self):
        answer = await self.client.joined_rooms()
        assert isinstance(answer, nio.JoinedRoomsResponse), answer
        return set(answer.rooms)

    def invited_to(self, name):
        """The room with that name among the pending invites."""
        for room, state in self.invites.items():
            names = [event.get("content", {}).get("name") for event in state
                     if event.get("type") == "m.room.name"]
            if name in names:
                return room
        return None

    async def accept(self, name, seconds=SECONDS):
        """Waits for an invite to the room of that name and takes it."""
        room = await until(f"an invite of {self.name} to {name!r}",
                           lambda: self.invited_to(name), seconds)
        await self.join(room)
        return room

    # Messages

    async def send(self, room, text, msgtype="m.text", **more):
        content = {"msgtype": msgtype, "body": text, **more}
        return await self.send_event(room, "m.room.message", content)

    async def send_event(self, room, kind, content):
        answer = await self.client.room_send(room, kind, content)
        assert isinstance(answer, nio.RoomSendResponse), answer
        return answer.event_id

    def messages(self, room, sender=None, after=0):
        return [event for event in self.events.get(room, [])[after:]
                if event["type"] == "m.room.message" and sender in (None, event["sender"])]

    def bodies(self, room, sender=None, after=0):
        return [event["content"].get("body") for event in self.messages(room, sender, after)]

    def mark(self, room):
        """The present end of a room, for `after`."""
        return len(self.events.get(room, []))

    def find(self, room, pattern, sender=None, after=0):
        for event in self.messages(room, sender, after):
            if re.search(pattern, event["content"].get("body", ""), re.S):
                return event
        return None

    async def wait_text(self, room, pattern, sender=None, after=0, seconds=SECONDS):
        return await until(f"{pattern!r} from {sender or 'anybody'} to {self.name}",
                           lambda: self.find(room, pattern, sender, after), seconds)

    async def history(self, room):
        """All messages of a room as the homeserver has them, oldest first: sees doubles that a
        sync might hide."""
        events, start = [], ""
        while True:
            answer = await self.client.room_messages(room, start, limit=200)
            assert isinstance(answer, nio.RoomMessagesResponse), answer
            events += [event.source for event in answer.chunk]
            if not answer.chunk or answer.end is None or answer.end == start:
                break
            start = answer.end
        return [event for event in reversed(events) if event["type"] == "m.room.message"]
