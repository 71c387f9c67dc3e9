"""What the bot does on command, and the command line."""

import contextlib
import os
import re
import sqlite3
import tempfile

import nio

from bridge import BOT
from transports import everywhere, together
from wait import until
from words import listed, pattern


@everywhere
@together
async def scenario_list_and_invite(world):
    """Sorted, with a star where bridged; `invite` brings one room, `invite all` the rest."""
    limit = world.settings["login_invites_max"]
    alice, rooms = await world.person(rooms=limit + 3)
    await alice.login()
    seen = listed(await alice.say("list", "LIST_HEADER"))
    assert list(seen) == sorted(rooms), seen
    assert sum(seen.values()) == limit, seen
    first, *rest = [uri for uri, is_bridged in seen.items() if not is_bridged]
    await alice.say(f"invite {first}", "INVITING", room=first)
    await alice.enter(first)
    seen = listed(await alice.say("list", "LIST_HEADER"))
    assert seen[first] and not any(seen[uri] for uri in rest), seen
    await alice.say("invite all", "INVITING_SOME", count=len(rest))
    for uri in rest:
        await alice.enter(uri)
    assert all(listed(await alice.say("list", "LIST_HEADER")).values())
    await alice.say("invite all", "INVITING_NONE")


async def scenario_commands_are_forgiving(world):
    """Case and spaces do not matter, in verbs and in names of rooms."""
    alice, (room,) = await world.person(rooms=1)
    await alice.login()
    await alice.enter(room)
    await alice.say("  LIST  ", "LIST_HEADER")
    await alice.say(f"Invite   {room.upper()} ", "ALREADY_BRIDGED")
    await alice.say("HELP", "HELP")


async def scenario_commands_that_cannot_be_done(world):
    alice, (room,) = await world.person(rooms=1)
    await alice.login()
    await alice.enter(room)
    await alice.say("dance with me", "UNKNOWN_COMMAND")
    await alice.say("invite", "INVITE_USAGE")
    await alice.say(f"invite {room}", "ALREADY_BRIDGED", room=room)
    await alice.say("invite no/where", "NOWHERE", room="no/where")
    stranger = await world.gitter_user("bob")
    private = await world.room(stranger, public=False)
    await alice.say(f"invite {private}", "NOWHERE")


async def scenario_what_the_bot_tells_of_itself(world):
    """Before a login as well; a search that the server has not is said to be missing."""
    alice, (room,) = await world.person(rooms=1)
    await alice.open_chat()
    await alice.say("status", "STATUS", user=alice.matrix.id, bridged=0)
    await alice.say("version", "VERSION")
    await alice.login()
    matrix_room = await alice.enter(room)
    await alice.say("status", "STATUS", user=alice.matrix.id, bridged=1, pending=0)
    await alice.say("help search", "HELP_SEARCH")
    await alice.say("search quokka", "SEARCH_ABSENT")
    await alice.say("login", "ALREADY_LOGGED_IN", name=alice.gitter)
    await alice.say("admin users", "UNKNOWN_COMMAND", verb="admin")
    await alice.say(f"unbridge {room}", "UNBRIDGED", room=room)
    await until("Alice to be put out of the room", lambda: matrix_room in alice.matrix.left)
    assert not listed(await alice.say("list", "LIST_HEADER"))[room]
    await alice.say(f"invite {room}", "INVITING", room=room)


async def search_engine(world, is_there):
    await world.gitter.do("settings", searchEngine=is_there)


async def scenario_search_in_pages(world):
    """Ten at a time with numbers that go on and can be joined by, as long as there are any."""
    alice, (room,) = await world.person(rooms=1)
    await alice.login()
    stem = world.name("quince")
    rooms = [await world.room(stem=f"{stem}-{number:02}") for number in range(23)]
    await world.room(await world.gitter_user("bob"), stem=f"{stem}-secret", public=False)
    await search_engine(world, True)
    try:
        found = []
        for command in (f"search {stem}", "more", "more"):
            answer = await alice.say(command, "SEARCH_HEADER")
            found += re.findall(r"^(\d+)\. (\S+) \(0 people\)", answer, re.M)
            has_more = re.search(pattern("SEARCH_MORE"), answer) is not None
            assert has_more == (len(found) < len(rooms)), answer
        assert found == [(str(number), uri) for number, uri in enumerate(rooms, 1)], found
        await alice.say("more", "NO_MORE")
        await alice.say("gjoin 17", "JOINED", room=rooms[16])
        await alice.say("invite 17", "INVITING", room=rooms[16])
        await alice.enter(rooms[16])
        answer = await alice.say(f"search {stem} 16", "SEARCH_HEADER")
        assert f"1. {rooms[16]} (1 people) *" in answer, answer
        await alice.say(f"search {stem} nowhere", "SEARCH_EMPTY", query=f"{stem} nowhere")
        for number in range(10):
            await world.room(stem=f"{stem}s-{number}")
        await alice.say(f"search {stem}s", "SEARCH_HEADER")
        await alice.say("more", "SEARCH_NO_MORE", query=f"{stem}s")  # ten were all
        await alice.say(f"search {stem}s", "SEARCH_HEADER")
    finally:
        await search_engine(world, False)
    await alice.say("more", "SEARCH_ABSENT")


async def scenario_answers_keep_their_order(world):
    """What is said while Gitter is slow is answered after what was said before."""
    alice, _ = await world.person()
    await alice.login()
    await world.gitter.do("faults", method="GET", path=r"^/api/v1/(rooms|user/[^/]*/rooms)(\?|$)",
                          delayMs=2000, count=1)
    before = len(alice.matrix.messages(alice.chat, BOT))
    await alice.matrix.send(alice.chat, "list")
    await alice.say("version", "VERSION")
    answers = alice.matrix.messages(alice.chat, BOT)[before:]
    assert [re.search(pattern(name), answer["content"]["body"]) is not None
            for name, answer in zip(("LIST_EMPTY", "VERSION"), answers)] == [True, True], answers


async def scenario_receipt_moves_when_gitter_has_the_message(world):
    """Only then: not while Gitter takes its time."""
    alice, (room,) = await world.person(rooms=1)
    await alice.login()
    matrix_room = await alice.enter(room)
    first = await alice.matrix.send(matrix_room, "quokka first")
    await until("a receipt of the bot", lambda: alice.matrix.receipts.get((matrix_room, BOT)) == first)
    await world.gitter.do("faults", method="POST", path=r"/chatMessages$", delayMs=1500, count=1)
    second = await alice.matrix.send(matrix_room, "quokka second")
    await alice.say("version", "VERSION")
    assert alice.matrix.receipts[matrix_room, BOT] == first
    await until("the next receipt", lambda: alice.matrix.receipts[matrix_room, BOT] == second)


async def scenario_gitter_in_trouble_is_told(world):
    """An answer comes although Gitter gives none; afterwards all is well again."""
    alice, _ = await world.person(rooms=1)
    await alice.login()
    await world.gitter.do("faults", method="GET", path=r"^/api/v1/(rooms|user/[^/]*/rooms)(\?|$)",
                          status=403, count=1)
    await alice.say("list", "GITTER_FAILED")
    await alice.say("list", "LIST_HEADER")


async def scenario_notice_is_no_command(world):
    """Two bots would talk to each other for ever."""
    alice, _ = await world.person()
    await alice.login()
    before = len(alice.matrix.messages(alice.chat, BOT))
    await alice.matrix.send(alice.chat, "list", msgtype="m.notice")
    await alice.say("help", "HELP")
    assert len(alice.matrix.messages(alice.chat, BOT)) == before + 1


@everywhere
@together
async def scenario_one_to_one_room(world):
    """A conversation of two on Gitter is listed and brought by the other's name."""
    alice, _ = await world.person()
    other = await world.gitter_user("bob")
    await world.gitter.do("one-to-one", users=[alice.gitter, other])
    await alice.login()
    assert other in listed(await alice.say("list", "LIST_HEADER"))
    room = await alice.enter("Bob")
    was = [event["unsigned"].get("prev_content", {}) for event in alice.matrix.events[room]
           if event["type"] == "m.room.member" and event["state_key"] == alice.matrix.id]
    assert any(content.get("is_direct") for content in was), was
    await world.gitter.post((await one_to_one(world, alice.gitter, other))["id"], other,
                            "quokka for you alone")
    await alice.matrix.wait_text(room, "quokka for you alone")


async def scenario_room_says_what_it_is_and_keeps_its_bridge(world):
    """The owner may name the room, and not break it; ghosts come in all the same."""
    alice, (room,) = await world.person(rooms=1)
    await alice.login()
    matrix_room = await alice.enter(room)
    gitter_id = await world.gitter.room_id(room)
    for kind in ("m.bridge", "uk.half-shot.bridge"):
        state = await until(f"{kind} of the room", lambda kind=kind: alice.matrix.state(
            matrix_room, kind, f"gitterd/{gitter_id}"))
        assert state["channel"]["displayname"] == room and state["bridgebot"] == BOT, state
    levels = await alice.matrix.state(matrix_room, "m.room.power_levels")
    assert levels["users"][alice.matrix.id] == 50, levels
    for kind, content, may in (
        ("m.room.name", {"name": "Mine"}, True),
        ("m.room.encryption", {"algorithm": "m.megolm.v1.aes-sha2"}, False),
        ("m.room.power_levels", {"users": {}}, False),
    ):
        answer = await alice.matrix.client.room_put_state(matrix_room, kind, content)
        assert isinstance(answer, nio.RoomPutStateResponse) == may, (kind, answer)
    stranger = await world.gitter_user("bob")
    await world.gitter.post(room, stranger, "quokka from a new face")
    await alice.matrix.wait_text(matrix_room, "quokka from a new face")


async def scenario_pictures_of_people_and_rooms(world):
    """As the homeserver's own media; one upload for a picture, whoever shows it."""
    alice, (room,) = await world.person(rooms=1)
    await alice.login()
    matrix_room = await alice.enter(room)
    stranger = await world.gitter_user("bob")
    await world.gitter.post(room, stranger, "quokka with a face")
    ghost = (await alice.matrix.wait_text(matrix_room, "quokka with a face"))["sender"]

    async def picture():
        answer = await alice.matrix.client.get_avatar(ghost)
        return getattr(answer, "avatar_url", None)

    uri = await until("a picture of the ghost", picture)
    assert uri.startswith("mxc://"), uri
    state = await until("a picture of the room", lambda: alice.matrix.state(matrix_room, "m.room.avatar"))
    answer = await alice.matrix.client.download(mxc=state["url"])
    assert answer.content_type == "image/png" and answer.body.startswith(b"\x89PNG"), answer


@contextlib.asynccontextmanager
async def configured(world, line):
    """gitterd with one more line of configuration."""
    with open(world.bridge.config, encoding="utf-8") as file:
        before = file.read()
    try:
        await world.bridge.stop()
        with open(world.bridge.config, "w", encoding="utf-8") as file:
            file.write(before + line + "\n")
        await world.bridge.begin()
        yield
    finally:
        await world.bridge.stop()
        with open(world.bridge.config, "w", encoding="utf-8") as file:
            file.write(before)
        await world.bridge.begin()


async def scenario_space_holds_the_rooms(world):
    alice, (first, second) = await world.person(rooms=2)
    async with configured(world, "spaces: 1"):
        await alice.login()
        rooms = {await alice.enter(first), await alice.enter(second)}
        space = await alice.matrix.accept("Gitter")
        create = await alice.matrix.state(space, "m.room.create")
        assert create["type"] == "m.space" and create["m.federate"] is False, create
        for room in rooms:
            child = await alice.matrix.state(space, "m.space.child", room)
            assert child and child["via"], child
        await alice.say("logout", "LOGGED_OUT")
        await until("Alice to be put out of the space", lambda: space in alice.matrix.left)


async def one_to_one(world, *names):
    return next(room for room in await world.gitter.see("rooms")
                if room["oneToOne"] and set(room["members"]) == set(names))


async def scenario_command_line(world):
    bridge = world.bridge
    for arguments, status, expected in (
        (("--help",), 0, "gitterd run"),
        (("--version",), 0, "gitterd "),
        (("help",), 0, "gitterd run"),
        (("run", "--help"), 0, "--new-secret-key"),
        (("help", "check"), 0, "--registration"),
        (("help", "replay"), 0, "--lenient"),
        (("machines",), 0, "room"),
        (("machines", "room"), 0, "JOINED"),
        (("machines", "room", "--dot"), 0, "digraph"),
        (("registration", "-c", bridge.config), 0, "sender_localpart: \"gitter\""),
    ):
        got, out, error = await bridge.call(*arguments)
        assert got == status and expected in out, (arguments, got, out, error)
    for arguments in ((), ("dance",), ("run", "--dance"), ("machines", "dance"),
                      ("run", "--dot"), ("help", "dance"), ("-c", bridge.config, "replay", "x"),
                      ("run", "-c", "/nowhere/gitterd.yaml")):
        got, out, error = await bridge.call(*arguments)
        assert got == 2 and error and not out, (arguments, got, out, error)


async def scenario_second_instance_is_refused(world):
    got, out, error = await world.bridge.call("run", "-c", world.bridge.config)
    assert got == 1 and str(world.bridge.process.pid) in error, (got, out, error)
    assert world.bridge.is_running()


async def scenario_init_writes_what_run_takes(world):
    with tempfile.TemporaryDirectory() as folder:
        config = os.path.join(folder, "gitterd.yaml")
        got, out, error = await world.bridge.call("init", "-c", config)
        assert got == 0, (got, out, error)
        for name in ("gitterd.yaml", "registration.yaml"):
            assert os.stat(os.path.join(folder, name)).st_mode & 0o077 == 0, name
        with open(os.path.join(folder, "registration.yaml"), encoding="utf-8") as file:
            registration = file.read()
        got, out, error = await world.bridge.call("registration", "-c", config)
        assert got == 0 and out == registration, (got, out, error)
        got, out, error = await world.bridge.call("init", "-c", config)
        assert got != 0 and "gitterd.yaml" in error, "must not write over a configuration"


async def scenario_configuration_errors(world):
    """File and line, status 2, and never a secret in the message."""
    with open(world.bridge.config, encoding="utf-8") as file:
        sound = file.read().rstrip("\n").split("\n")
    secret = world.bridge.secrets["matrix_appservice_token"]
    port = next(number for number, line in enumerate(sound) if "appservice_port" in line)
    for change, expected in (
        (lambda lines: lines.append("dance: 1"), "dance"),
        (lambda lines: lines.__setitem__(port, "matrix_appservice_port: many"), "port"),
        (lambda lines: lines.__setitem__(port, "matrix_appservice_port: 70000"), "port"),
        (lambda lines: lines.pop(port), "matrix_appservice_port"),
        (lambda lines: lines.append("  : ["), ""),
        (lambda lines: lines.__setitem__(0, "unique_secret_key: "), "unique_secret_key"),
    ):
        lines = list(sound)
        change(lines)
        path = os.path.join(world.folder, "broken.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        got, out, error = await world.bridge.call("run", "-c", path)
        assert got == 2 and "broken.yaml" in error and expected in error, (got, out, error)
        assert secret not in error, "a secret in an error message"


async def scenario_value_from_environment(world):
    got, out, error = await world.bridge.call(
        "registration", "-c", world.bridge.config,
        environment={"GITTERD_MATRIX_BOTNAME": "named_elsewhere"})
    assert got == 0 and "named_elsewhere" in out, (got, out, error)


async def scenario_no_secret_lies_open(world):
    """Neither in the log nor in the database; and its files are for their owner alone."""
    alice, (room,) = await world.person(rooms=1)
    await alice.login()
    matrix_room = await alice.enter(room)
    await alice.matrix.send(matrix_room, "quokka overheard")
    await world.settled(room, 1, alice.gitter)
    token = (await world.gitter.do("token", user=alice.gitter, client=world.client["clientKey"]))
    log = world.bridge.log()
    stored = b""
    for name in sorted(os.listdir(world.folder)):
        if name.startswith("database.sqlite"):
            path = os.path.join(world.folder, name)
            assert os.stat(path).st_mode & 0o077 == 0, name
            if os.path.isfile(path):  # not the control socket
                with open(path, "rb") as file:
                    stored += file.read()
    secrets = [*world.bridge.secrets.values(), token["token"]]
    assert not any(secret in log for secret in secrets), "a secret in the log"
    assert not any(secret.encode() in stored for secret in secrets), "a secret in the database"
    assert "quokka" not in log, "a message body in the log"
    with contextlib.closing(sqlite3.connect(world.bridge.database)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


