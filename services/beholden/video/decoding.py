"""An encoded stream, decoded in a thread of its own as it comes."""

from __future__ import annotations

import asyncio
from collections import deque
from threading import Condition, Thread

from beholden.core.video import StreamReader
from beholden.video.inbox import Inbox

_PIXEL_BYTES = 3


class Pipe:
    """Implements `core.video.ByteSource` for one reading thread; written on the loop that made it."""

    def __init__(self, size: int) -> None:
        self._most = size
        self._waiting: deque[memoryview] = deque()
        self._bytes = 0
        self._closed = False
        self._more = Condition()
        self._loop = asyncio.get_running_loop()
        self._room = asyncio.Event()

    async def write(self, content: bytes) -> None:
        """Returns once there is room again: whoever sends more than is decoded waits."""
        with self._more:
            self._waiting.append(memoryview(content))
            self._bytes += len(content)
            self._more.notify()
            self._room.clear()
            full = self._bytes > self._most and not self._closed
        if full:
            await self._room.wait()

    def close(self) -> None:
        """The end: what waits is still read."""
        with self._more:
            self._closed = True
            self._more.notify()
        self._room.set()

    def abandon(self) -> None:
        """The end at once."""
        with self._more:
            self._waiting.clear()
        self.close()

    def read(self, size: int = -1) -> bytes:
        """See `ByteSource.read`."""
        with self._more:
            while not self._waiting and not self._closed:
                self._more.wait()
            if not self._waiting:
                return b""
            first = self._waiting.popleft()
            part = first if size < 0 else first[:size]
            if len(part) < len(first):
                self._waiting.appendleft(first[len(part) :])
            self._bytes -= len(part)
            roomy = self._bytes <= self._most and not self._closed
        if roomy:
            self._loop.call_soon_threadsafe(self._room.set)
        return bytes(part)


class Decoder:
    """Puts the frames of what is written into `inbox`, which ends with them. `size` bytes may wait."""

    def __init__(self, reader: StreamReader, inbox: Inbox, *, size: int) -> None:
        self._reader = reader
        self._inbox = inbox
        self._pipe = Pipe(size)
        self._thread = Thread(target=self._run, name="decoder", daemon=True)
        self._thread.start()

    async def write(self, content: bytes) -> None:
        """The next bytes of the stream; waits where it is too far ahead."""
        await self._pipe.write(content)

    def close(self) -> None:
        """The stream's end."""
        self._pipe.close()

    async def stop(self) -> None:
        """Ends the thread, whatever still waits."""
        self._pipe.abandon()
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        try:
            for frame in self._reader.frames(self._pipe, field="part.chunk.content"):
                width, height = frame.size
                if not self._inbox.put(frame, width * height * _PIXEL_BYTES):
                    return
        except Exception as error:  # noqa: BLE001 - whatever it is, the call ends with it
            self._inbox.end(error)
        else:
            self._inbox.end()
