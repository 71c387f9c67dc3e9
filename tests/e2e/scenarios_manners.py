"""What gitterd does with people and rooms: every command and its refusals, who is shown in a room,
and how it lets go of those who left."""

import aiohttp

import words
from bridge import BOT
from user import PASSWORD
from wait import until
from world import ghost_id


async def converse(alice, *lines):
    """(what is said, the text that answers it, its arguments), one after another."""
    for command, text, *arguments in lines:
        await alice.say(command, text, **(arguments[0] if arguments else {}))


async def scenario_every_command_and_refusal(world):
    alice, (first, second) = await world.person(rooms=2)
    bob = await world.gitter_user("bob")
    known = await world.gitter_user("known")
    await world.gitter.do("one-to-one", users=[alice.gitter, known])
    other = await world.room(bob)
    closed = await world.room(bob, public=False)
    moved = await world.room(bob)
    await world.gitter.do("rename", room=moved, uri=f"{moved}-now")
    await alice.open_chat()
    await converse(alice, ("list", "NOT_LOGGED_IN"), ("yes", "NOT_LOGGED_IN"))
    await alice.login()
    for room in (first, second, "Known"):
        await alice.enter(room)
    await converse(
        alice,
        ("gjion x", "NEAREST_COMMAND", {"verb": "gjion", "nearest": "gjoin"}),
        ("frobnicate", "UNKNOWN_COMMAND", {"verb": "frobnicate"}),
        ("Help", "HELP"),
        ("yes", "NOTHING_ASKED"),
        ("invite", "INVITE_USAGE"), ("gjoin", "GJOIN_USAGE"), ("gpart", "GPART_USAGE"),
        ("invite 1", "NO_SUCH_NUMBER", {"number": 1}),
        ("list", "LIST_HEADER"),
        ("invite 77", "NO_SUCH_NUMBER", {"number": 77}),
        ("gpart 77", "NO_SUCH_ROOM", {"room": 77}),
        (f"Invite {first.upper()}", "ALREADY_BRIDGED", {"room": first}),
        (f"gjoin {first}", "ALREADY_JOINED", {"room": first}),
        (f"invite {other}", "NOT_MEMBER", {"room": other}),
        (f"gjoin {closed}", "NOWHERE", {"room": closed}),
        (f"gjoin {moved}", "MOVED", {"room": moved}),
        ("gjoin no/where", "NOWHERE", {"room": "no/where"}),
        (f"GJOIN {other.upper()}", "JOINED", {"room": other}),
        (f"invite {other}", "INVITING", {"room": other}),
        (f"gpart {known}", "CANNOT_PART"),
        (f"gpart {closed}", "NO_SUCH_ROOM", {"room": closed}),
        (f"gpart {other}", "PARTED", {"room": other}),
        (f"invite {bob}", "ASK_PERSON", {"name": bob}),
        ("no", "NOT_DONE"),
        (f"invite {bob}", "ASK_PERSON", {"name": bob}),
        ("list", "LIST_HEADER"),
        ("yes", "NOTHING_ASKED"),
    )
    assert bob not in str([room["members"] for room in await world.gitter.see("rooms")
                           if room["oneToOne"]]), "a chat that nobody said yes to"
    await converse(alice, (f"gjoin {bob}", "ASK_PERSON"), ("Y", "INVITING", {"room": bob}))
    await alice.enter("Bob")
    await converse(alice, ("logout", "LOGGED_OUT"), ("list", "NOT_LOGGED_IN"))


async def names_in(world, alice, room):
    """{ghost: display name} of those shown in a bridged room."""
    members = await alice.matrix.members(room)
    return {user: name for user, name in members.items() if user.startswith("@gitter_")}


async def shown(world, alice, room, *accounts):
    """Waits until just these are shown."""
    wanted = {ghost_id(account) for account in accounts}

    async def are_there():
        names = await names_in(world, alice, room)
        return names if set(names) == wanted else None
    return await until(f"{sorted(wanted)} in {room}", are_there)


async def member(world, stem, uri):
    account = await world.gitter.do("user", username=world.name(stem), displayName=stem.title())
    await world.gitter.do("join", room=uri, user=account["username"])
    return account


async def scenario_members_are_shown(world):
    """Those of the Gitter room are there before they speak, and go when they go."""
    alice, (uri,) = await world.person(rooms=1)
    bob, cy = await member(world, "bob", uri), await member(world, "cy", uri)
    await alice.login()
    room = await alice.enter(uri)
    names = await shown(world, alice, room, bob, cy)
    assert names == {ghost_id(bob): "Bob (Gitter)", ghost_id(cy): "Cy (Gitter)"}, names
    await world.gitter.do("leave", room=uri, user=bob["username"])
    await shown(world, alice, room, cy)
    dee = await member(world, "dee", uri)
    await shown(world, alice, room, cy, dee)
    await world.gitter.post(uri, cy["username"], "quokka still here")
    await alice.matrix.wait_text(room, "quokka still here", ghost_id(cy))


async def left_alone(world, alice, room):
    """Waits until nobody but alice is in the room."""
    async def is_alone():
        return set(await alice.matrix.members(room)) == {alice.matrix.id}
    await until(f"{alice.matrix.id} to be alone", is_alone)


async def scenario_owner_goes_and_comes_on_gitter(world):
    """Whoever leaves in another client is told so in the room; who joins there is offered it."""
    alice, (uri,) = await world.person(rooms=1)
    bob = await member(world, "bob", uri)
    await alice.login()
    room = await alice.enter(uri)
    await shown(world, alice, room, bob)
    await world.gitter.do("leave", room=uri, user=alice.gitter)
    await alice.matrix.wait_text(room, words.pattern("OWNER_GONE"), BOT)
    await left_alone(world, alice, room)
    after = alice.matrix.mark(alice.chat)
    await world.gitter.do("join", room=uri, user=alice.gitter)
    await alice.hear("JOINED", after, room=uri)
    await alice.say(f"invite {uri}", "INVITING", room=uri)
    room = await alice.enter(uri)
    await shown(world, alice, room, bob)
    offers = [body for body in alice.matrix.bodies(alice.chat, BOT, after) if "joined" in body]
    assert len(offers) == 1, offers


async def scenario_gpart_ends_it_on_both_sides(world):
    alice, (uri,) = await world.person(rooms=1)
    await member(world, "bob", uri)
    await alice.login()
    room = await alice.enter(uri)
    await alice.say(f"gpart {uri}", "PARTED", room=uri)
    await until("alice to be kicked", lambda: room in alice.matrix.left)
    kicks = [event for event in alice.matrix.left[room] if event["type"] == "m.room.member"
             and event.get("state_key") == alice.matrix.id]
    assert kicks and kicks[-1]["sender"] == BOT and kicks[-1]["content"]["reason"], kicks
    assert alice.gitter not in (await world.gitter.see(f"room?room={uri}"))["members"]
    await world.gitter.do("join", room=uri, user=alice.gitter)
    await alice.hear("JOINED", room=uri)


async def bot_rooms(world):
    token = world.bridge.secrets["matrix_appservice_token"]
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session:
        async with session.get(f"{world.synapse.url}/_matrix/client/v3/joined_rooms") as answer:
            return set((await answer.json())["joined_rooms"])


async def bot_to_leave(world, *rooms):
    async def are_left():
        return not set(rooms) & await bot_rooms(world)
    await until(f"the bot to leave {rooms}", are_left)


async def deactivate(user):
    url = f"{user.client.homeserver}/_matrix/client/v3/account/deactivate"
    headers = {"Authorization": f"Bearer {user.client.access_token}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        async with session.post(url, json={}) as answer:
            begun = await answer.json()
        auth = {"type": "m.login.password", "session": begun["session"], "password": PASSWORD,
                "identifier": {"type": "m.id.user", "user": user.id}}
        async with session.post(url, json={"auth": auth}) as answer:
            assert answer.status == 200, await answer.text()


async def scenario_deactivated_owner_is_let_go(world):
    alice, (uri,) = await world.person(rooms=1)
    bob = await member(world, "bob", uri)
    await alice.login()
    room = await alice.enter(uri)
    await shown(world, alice, room, bob)
    assert {room, alice.chat} <= await bot_rooms(world)
    await alice.matrix.close()
    await deactivate(alice.matrix)
    await bot_to_leave(world, room, alice.chat)


async def scenario_bot_opens_a_chat_to_speak(world):
    alice, (uri,) = await world.person(rooms=1)
    await alice.login()
    await alice.enter(uri)
    await alice.matrix.leave(alice.chat)
    await bot_to_leave(world, alice.chat)
    elsewhere = await world.room()
    await world.gitter.do("join", room=elsewhere, user=alice.gitter)
    alice.chat = await alice.matrix.accept("Gitter bridge")
    await alice.hear("GREETING_ACCOUNT", name=alice.gitter)
    await alice.hear("JOINED", room=elsewhere)
    await alice.say(f"invite {elsewhere}", "INVITING", room=elsewhere)
