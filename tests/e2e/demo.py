"""One walk through the bridge, printed as it is said: log in, list, invite, chat, log out.

Usage: demo.py      ends with `demo: N steps, all as expected`
"""

import asyncio
import os
import sys
import time

import words
from process import TOP
from wait import until
from world import World


class Teller:
    """Prints what is said, and counts the steps."""

    def __init__(self, alice, bob):
        self.alice = alice
        self.bob = bob
        self.steps = 0

    def line(self, who, text):
        first, *rest = text.strip().split("\n")
        print(f"{who}: {first}")
        for more in rest:
            print(" " * (len(who) + 2) + more)
        sys.stdout.flush()

    def step(self, who, text):
        self.steps += 1
        self.line(who, text)

    def bot(self, text):
        self.step("gitter bot", text)

    async def ask(self, command, text, **arguments):
        """Alice says something to the bot and gets the answer that is expected."""
        self.line("@alice", command)
        self.bot(await self.alice.say(command, text, **arguments))


async def enter(teller, alice, uri):
    room = await alice.enter(uri)
    teller.step("@alice", f"(takes the invite to the room {uri})")
    return room


async def log_in(teller, world, alice):
    teller.line("@alice", "(invites the bot)")
    greeting = await alice.open_chat()
    teller.bot(greeting)
    async with world.browser() as browser:
        teller.line("@alice", "(follows the link, presses the button, says yes to Gitter)")
        page = await browser.login(words.link_in(greeting), world.gitter.url, alice.gitter)
        assert words.page_says(page, "PAGE_DONE"), page
        teller.step("login page", words.body(page))
    teller.bot(await alice.hear("LOGGED_IN", name=alice.gitter))


async def chat(teller, world, uri, room):
    alice, bob = teller.alice, teller.bob
    await world.gitter.post(uri, bob, "Hello **Alice**, how is the walk? :smile:")
    event = await alice.matrix.wait_text(room, "how is the walk")
    names = await alice.matrix.members(room)
    teller.step(f"{names[event['sender']]} in {uri} on Matrix", event["content"]["body"])
    teller.line(f"@alice in {uri}", "Fine: 5 * 3 * 2 steps so far")
    await alice.matrix.send(room, "Fine: 5 * 3 * 2 steps so far")
    await world.settled(uri, 1, alice.gitter)
    message = (await world.gitter.messages(uri))[-1]
    assert message["html"] == "Fine: 5 * 3 * 2 steps so far", message
    teller.step(f"{message['fromUser']['displayName']} in {uri} on Gitter", message["text"])
    await world.gitter.post(uri, bob, "See you at the lake")
    event = await alice.matrix.wait_text(room, "See you at the lake")
    teller.step(f"{names[event['sender']]} in {uri} on Matrix", event["content"]["body"])
    assert len(alice.texts(room)) == 2, alice.texts(room)


async def log_out(teller, world, rooms):
    alice = teller.alice
    await teller.ask("logout", "LOGGED_OUT")
    for room in rooms:
        await until("Alice to be put out of her rooms", lambda: room in alice.matrix.left)
    teller.step("@alice", f"(is out of {len(rooms)} bridged rooms)")

    async def ended():
        return all(one["user"] != alice.gitter for one in await world.gitter.see("tokens"))
    await until("the token to be ended", ended)
    teller.step("Gitter", "(the token is revoked)")
    await teller.ask("list", "NOT_LOGGED_IN")


async def walk(world):
    alice, _ = await world.person()
    lake = await world.room(alice.gitter, stem="lake")
    hill = await world.room(alice.gitter, stem="hill")
    bob = await world.gitter_user("bob")
    for uri in (lake, hill):
        await world.gitter.do("join", room=uri, user=bob)
    await world.gitter.post(lake, alice.gitter, "I was here last")
    teller = Teller(alice, bob)
    await log_in(teller, world, alice)
    first = await enter(teller, alice, lake)
    await teller.ask("list", "LIST_HEADER")
    await teller.ask(f"invite {hill}", "INVITING", room=hill)
    second = await enter(teller, alice, hill)
    await teller.ask("list", "LIST_HEADER")
    await chat(teller, world, hill, second)
    await log_out(teller, world, (first, second))
    return teller.steps


async def main():
    folder = os.path.join(TOP, "build/demo", time.strftime("%Y%m%d-%H%M%S") + f"-{os.getpid()}")
    world = World(folder, "12", os.path.join(TOP, "build/release/gitterd"), login_invites_max=1)
    try:
        await world.begin()
        print(f"Synapse {world.synapse.url}, Gitter (simulated) {world.gitter.url}, "
              f"gitterd {world.bridge.login_url}\n")
        steps = await asyncio.wait_for(walk(world), 300)
    except Exception as error:
        print(f"\n--- the end of gitterd's log\n{world.bridge.tail(30)}\n---")
        print(f"demo: failed: {error or type(error).__name__}\n(logs: {os.path.relpath(folder, TOP)})")
        return 1
    finally:
        await world.end()
    print(f"\ndemo: {steps} steps, all as expected")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
