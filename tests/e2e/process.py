"""A server process with its log file."""

import asyncio
import os
import signal
import socket

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Process:
    """Start, stop and kill; what it writes goes to the end of one log, over all its lives."""

    def __init__(self, name, folder):
        self.name = name
        self.log_path = os.path.join(folder, name + ".log")
        self.process = None

    async def start(self, *command, environment=None, stdout=None):
        assert self.process is None, f"{self.name} runs already"
        with open(self.log_path, "ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *command, cwd=TOP, stdin=asyncio.subprocess.DEVNULL, stdout=stdout or log,
                stderr=log, env={**os.environ, **(environment or {})}, start_new_session=True)

    def is_running(self):
        return self.process is not None and self.process.returncode is None

    async def end(self, number=signal.SIGTERM, seconds=30):
        """Sends the signal and waits; the exit status, negative for a signal."""
        process, self.process = self.process, None
        if process is None:
            return None
        if process.returncode is None:
            process.send_signal(number)
        try:
            return await asyncio.wait_for(process.wait(), seconds)
        except asyncio.TimeoutError:
            process.kill()
            await process.wait()
            raise AssertionError(f"{self.name} did not end within {seconds} s") from None

    async def kill(self):
        return await self.end(signal.SIGKILL)

    def log(self):
        try:
            with open(self.log_path, encoding="utf-8", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def tail(self, lines=60):
        return "\n".join(Process.log(self).split("\n")[-lines:])
