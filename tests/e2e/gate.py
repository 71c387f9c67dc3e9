"""A way to a server that can be shut: what goes through ends, and nobody gets in."""

import asyncio
from urllib.parse import urlsplit


class Gate:
    def __init__(self, url):
        self.target = urlsplit(url)
        self.port = 0
        self.server = None
        self.writers = set()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    async def open(self):
        """At the same address each time."""
        self.server = await asyncio.start_server(self.carry, "127.0.0.1", self.port)
        self.port = self.server.sockets[0].getsockname()[1]

    def shut(self):
        if self.server:
            self.server.close()
            self.server = None
        self.cut()

    def cut(self):
        for writer in self.writers:
            writer.transport.abort()

    async def carry(self, reader, writer):
        try:
            far_reader, far_writer = await asyncio.open_connection(self.target.hostname,
                                                                   self.target.port)
        except OSError:
            writer.transport.abort()
            return
        pair = {writer, far_writer}
        self.writers |= pair
        try:
            await asyncio.wait([asyncio.create_task(pump(reader, far_writer)),
                                asyncio.create_task(pump(far_reader, writer))],
                               return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.writers -= pair
            for one in pair:
                one.transport.abort()


async def pump(reader, writer):
    try:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
