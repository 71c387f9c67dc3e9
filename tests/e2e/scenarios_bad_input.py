"""What nobody should send and somebody will. None of it may stop the homeserver's queue."""

import json

import aiohttp
import yarl

from bridge import BOT
from scenarios_chat import bridged
from synapse import SERVER_NAME
from user import PASSWORD, User
from wait import until
from world import Person


class Homeserver:
    """Speaks to gitterd's appservice port as the homeserver does."""

    def __init__(self, world):
        self.world = world
        self.bridge = world.bridge
        self.token = self.bridge.secrets["matrix_homeserver_token"]

    async def ask(self, method, path, body=b"", token=None, **headers):
        """(status, answer as JSON)"""
        token = self.token if token is None else token
        if token:
            headers["Authorization"] = f"Bearer {token}"
        async with aiohttp.ClientSession() as session:
            url = yarl.URL(f"http://127.0.0.1:{self.bridge.port}{path}", encoded=True)
            async with session.request(method, url, data=body, headers=headers) as answer:
                return answer.status, await answer.json(content_type=None)

    async def push(self, body):
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        path = f"/_matrix/app/v1/transactions/{self.world.name('bad')}"
        return await self.ask("PUT", path, body)


async def scenario_tokens_of_the_homeserver(world):
    server = Homeserver(world)
    path = "/_matrix/app/v1/transactions/1"
    body = b'{"events":[]}'
    for token, status, code in (("", 401, "M_MISSING_TOKEN"), ("wrong", 403, "M_FORBIDDEN"),
                                (server.token + "x", 403, "M_FORBIDDEN"),
                                (server.token[:-1], 403, "M_FORBIDDEN")):
        got, answer = await server.ask("PUT", path, body, token=token)
        assert (got, answer["errcode"]) == (status, code), (token, got, answer)
    assert await server.ask("PUT", path, body) == (200, {})


async def scenario_paths_of_the_appservice(world):
    server = Homeserver(world)
    assert await server.ask("POST", "/_matrix/app/v1/ping", b'{"transaction_id":"x"}') == (200, {})
    got, answer = await server.ask("PUT", "/transactions/2", b'{"events":[]}')
    assert (got, answer["errcode"]) == (404, "M_UNRECOGNIZED"), "old paths want matrix_legacy_api"
    for method, path, status, code in (
        ("GET", "/_matrix/app/v1/dance", 404, "M_UNRECOGNIZED"),
        ("GET", "/", 404, "M_UNRECOGNIZED"),
        ("GET", "/_matrix/app/v1/transactions/1", 405, "M_UNRECOGNIZED"),
        ("PUT", "/_matrix/app/v1/ping", 405, "M_UNRECOGNIZED"),
        ("GET", "/_matrix/app/v1/users/%40nobody%3Atest.example", 404, "M_NOT_FOUND"),
        ("GET", "/_matrix/app/v1/users/%40gitter_x/y%3Atest.example", 404, "M_NOT_FOUND"),
        ("GET", "/_matrix/app/v1/users/%40gitter_%c3%a9%3Atest.example", 404, "M_NOT_FOUND"),
        ("GET", "/_matrix/app/v1/users/%40gitter_%ff%3Atest.example", 404, "M_NOT_FOUND"),
        ("GET", "/_matrix/app/v1/rooms/%23gitter%3Atest.example", 404, "M_NOT_FOUND"),
    ):
        got, answer = await server.ask(method, path)
        assert got == status and code == answer["errcode"], (path, got, answer)


async def scenario_malformed_transactions(world):
    """400 and nothing else; the next sound one is taken."""
    server = Homeserver(world)
    for body in (b"", b"{", b"[]", b"nonsense", b'{"events":{}}', b'{"events":1}', b"{}",
                 b'{"events":[', b"\xff\xfe", b'{"events":[]} trailing', b"[" * 100000):
        got, answer = await server.push(body)
        assert got == 400 and answer["errcode"].startswith("M_"), (body[:40], got, answer)
    assert await server.push({"events": []}) == (200, {})


def event(**changes):
    sound = {"type": "m.room.message", "event_id": "$bad", "room_id": "!bad",
             "sender": f"@mallory:{SERVER_NAME}", "origin_server_ts": 1,
             "content": {"msgtype": "m.text", "body": "x"}}
    sound.update(changes)
    return {key: value for key, value in sound.items() if value is not None}


async def scenario_events_with_wrong_fields(world):
    """Each is passed over and the transaction answered, so that it never comes again."""
    server = Homeserver(world)
    odd = [None, 1, True, "", "x", [], {}, {"a": []}, -1, 1e300, "x" * 70000, "a\u0000b"]
    number = 0
    for field in ("type", "event_id", "room_id", "sender", "origin_server_ts", "content",
                  "state_key", "unsigned"):
        for value in odd:
            number += 1
            sound = {} if field == "event_id" else {"event_id": f"$bad{number}"}
            body = {"events": [event(**{**sound, field: value})]}
            got = await server.push(body)
            assert got == (200, {}), (field, value if value is None else str(value)[:40], got)
    for value in odd:
        number += 1
        members = [{"membership": value}, {"membership": "invite", "displayname": value}]
        for content in members:
            got = await server.push({"events": [event(
                type="m.room.member", event_id=f"$bad{number}-{len(content)}", state_key=BOT,
                room_id="!bad-member", content=content)]})
            assert got == (200, {}), (content, got)
    for raw in (b"1", b"null", b'"text"', b"[]", b"{}", b'{"type":"\\ud800"}',
                b'{"type":"m.room.message","type":"m.room.member"}',
                b'{"content":' + b'{"a":' * 200 + b"1" + b"}" * 201):
        got = await server.push(b'{"events":[' + raw + b"]}")
        assert got == (200, {}), (raw[:60], got)
    alice, _ = await world.person()
    await alice.open_chat()


async def scenario_bad_text_in_the_private_chat(world):
    """Said by a real client through the real homeserver; the next command is answered."""
    alice, _ = await world.person()
    await alice.login()
    for body in ("   ", "\n\n", "a\u0000b", "\u0000", "x" * 60000, "invite " + "ü" * 20000,
                 "\u202e\u200b", "invite \u0000", "list \U0001F600"):
        await alice.matrix.send(alice.chat, body)
    for content in ({"body": 1, "msgtype": "m.text"}, {"body": "x", "msgtype": "org.unknown"},
                    {}, {"msgtype": "m.text"}):
        await alice.matrix.client.room_send(alice.chat, "m.room.message", content)
    await alice.matrix.send_event(alice.chat, "org.example.unknown", {"body": "list"})
    await alice.say("list", "LIST_EMPTY")


async def scenario_bad_text_in_a_bridged_room(world):
    """Odd text crosses or is refused with a word; nothing behind it is held up."""
    alice, uri, room, _ = await bridged(world)
    for body in ("quokka a\u0000b", "\u0000", "   ", "quokka " + "x" * 60000, "quokka \U0001F600"):
        await alice.matrix.send(room, body)
    await alice.matrix.send(room, "quokka end")

    async def last():
        texts = await world.gitter.texts(uri, alice.gitter)
        return texts and texts[-1] == "quokka end"
    await until("the last message on Gitter", last)


async def scenario_odd_matrix_ids(world):
    """A user id with everything that the grammar allows."""
    name = world.name("o/d=d+.-_")
    user = User(name, await world.synapse.register(name, PASSWORD), world.synapse.url)
    await user.login()
    world.users.append(user)
    account = await world.gitter.do("user", username=world.name("odd"), displayName="Odd <b>&")
    uri = await world.room(account["username"])
    odd = Person(world, user, account)
    await odd.login()
    room = await odd.enter(uri)
    await odd.matrix.send(room, "quokka from an odd name")
    assert await world.settled(uri, 1, account["username"]) == ["quokka from an odd name"]


async def scenario_encrypted_chat_is_answered(world):
    """Encrypted commands look like silence: the bot says once that it cannot read them."""
    alice, _ = await world.person()
    encryption = {"type": "m.room.encryption", "state_key": "",
                  "content": {"algorithm": "m.megolm.v1.aes-sha2"}}
    alice.chat = await alice.matrix.create_room(BOT, initial_state=[encryption])
    await alice.hear("CHAT_ENCRYPTED")


async def scenario_foreign_ghost_events(world):
    """Somebody whose name only looks like a ghost's is no ghost; a message of a ghost is no
    command."""
    server = Homeserver(world)
    for sender in (f"@gitter_abc:{SERVER_NAME}", BOT, f"@gitter_:{SERVER_NAME}", "@gitter_x:other"):
        got = await server.push({"events": [event(
            event_id="$" + world.name("ghost"), sender=sender, room_id="!nowhere",
            content={"msgtype": "m.text", "body": "logout"})]})
        assert got == (200, {}), (sender, got)
