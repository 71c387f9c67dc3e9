"""Waiting for another process: always by asking again until a deadline, never by sleeping it out."""

import asyncio
import time

SECONDS = 30.0

# How many times longer than asked for each wait may be: for worlds in which all is slow.
stretch = 1


class Late(AssertionError):
    """What was waited for did not come."""


async def until(what, ask, seconds=SECONDS, pause=0.05):
    """The first true answer of `ask`, a function or a coroutine function."""
    seconds *= stretch
    end = time.monotonic() + seconds
    while True:
        answer = ask()
        if asyncio.iscoroutine(answer):
            answer = await answer
        if answer:
            return answer
        if time.monotonic() > end:
            raise Late(f"after {seconds:g} s still waiting for {what}")
        await asyncio.sleep(pause)
