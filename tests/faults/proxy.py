"""A network in front of the database, with what networks do: connections are cut, all at once, or
just when the answer to a COMMIT was on its way."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

CHUNK_BYTES = 64 * 1024
COMMIT = b"COMMIT"


class Proxy:
    """Listens on a port of this machine and speaks to a Unix socket. Its methods may be called
    from any thread."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._streams: set[asyncio.StreamWriter] = set()
        self._links: set[asyncio.Task[None]] = set()
        self._to_lose = 0
        self.lost = 0
        self.port = 0
        self._listening = threading.Event()
        self._thread = threading.Thread(target=self._run, name="proxy")

    def start(self) -> None:
        self._thread.start()
        assert self._listening.wait(10)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    def cut(self) -> None:
        """Cut every connection that there is."""
        self._loop.call_soon_threadsafe(self._cut_all)

    def lose_commits(self, count: int) -> None:
        """Let the next so many COMMITs through, and cut the connection instead of the answer."""
        self._loop.call_soon_threadsafe(self._lose, count)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        self._over = asyncio.Event()
        server = await asyncio.start_server(self._link, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._listening.set()
        await self._over.wait()
        server.close()
        self._cut_all()
        await asyncio.gather(*self._links, return_exceptions=True)

    async def _link(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until either side ends it."""
        task = asyncio.current_task()
        assert task is not None
        self._links.add(task)
        self._streams.add(writer)
        try:
            with suppress(OSError):  # the database is away, or just going
                theirs, to_them = await asyncio.open_unix_connection(str(self._target))
                self._streams.add(to_them)
                link = _Link(self, (reader, to_them), (theirs, writer))
                await asyncio.gather(link.upwards(), link.downwards())
                self._streams.discard(to_them)
        finally:
            self._streams.discard(writer)
            self._links.discard(task)
            writer.close()

    def takes_one(self) -> bool:
        """Whether the answer to this COMMIT is to be lost."""
        if self._to_lose == 0:
            return False
        self._to_lose -= 1
        self.lost += 1
        return True

    def _lose(self, count: int) -> None:
        self._to_lose = count

    def _cut_all(self) -> None:
        for stream in self._streams:
            stream.transport.abort()


Half = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _Link:
    """Both directions of one connection."""

    def __init__(self, proxy: Proxy, up: Half, down: Half) -> None:
        self._proxy, self._up, self._down = proxy, up, down
        self._deaf = False

    async def upwards(self) -> None:
        reader, writer = self._up
        with suppress(OSError):
            while chunk := await reader.read(CHUNK_BYTES):
                if COMMIT in chunk and self._proxy.takes_one():
                    self._deaf = True
                writer.write(chunk)
                await writer.drain()
        writer.close()

    async def downwards(self) -> None:
        reader, writer = self._down
        with suppress(OSError):
            while chunk := await reader.read(CHUNK_BYTES):
                if self._deaf:  # it is done, and nobody hears of it
                    self._up[1].transport.abort()
                    writer.transport.abort()
                    return
                writer.write(chunk)
                await writer.drain()
        writer.close()


@contextmanager
def a_proxy(target: Path) -> Iterator[Proxy]:
    proxy = Proxy(target)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()
