"""A browser's side of Socket.IO over a websocket, with as little work of its own as can be: what is measured is the server.

Like a browser it offers compression, masks what it sends (with zeros: the mask that costs nothing), and answers pings.
"""

import asyncio
import base64
import json
import os
import struct
import time
import zlib
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
COMPRESSED = 0x40


class Line(asyncio.Protocol):
    """One socket. `on_event` gets (name, value, time of arrival); `lost` is done when the line is gone."""

    def __init__(self, address: str, cookie: str, on_event: Callable[[str, Any, float], None]) -> None:
        self._address, self._cookie, self._on_event = urlsplit(address), cookie, on_event
        self._buffer, self._is_open = bytearray(), False
        self._inflate: Any = None
        self._transport: Any = None
        self._asked: dict[int, asyncio.Future] = {}
        self.ready: asyncio.Future = asyncio.get_running_loop().create_future()
        self.lost: asyncio.Future = asyncio.get_running_loop().create_future()

    async def open(self) -> None:
        """Raises ConnectionError."""
        await asyncio.get_running_loop().create_connection(lambda: self, self._address.hostname, self._address.port)
        await self.ready

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        lines = (
            "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1",
            f"Host: {self._address.netloc}",
            f"Cookie: {self._cookie}",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {key}",
            "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
        )
        transport.write("".join(f"{line}\r\n" for line in (*lines, "")).encode())

    def connection_lost(self, error: Exception | None) -> None:
        for waiting in (self.ready, *self._asked.values()):
            if not waiting.done():
                waiting.set_exception(ConnectionError("the line was lost"))
                waiting.exception()
        if not self.lost.done():
            self.lost.set_result(None)

    def data_received(self, data: bytes) -> None:
        at = time.perf_counter()
        self._buffer += data
        if not self._is_open:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            head = bytes(self._buffer[:end])
            del self._buffer[: end + 4]
            if not head.startswith(b"HTTP/1.1 101"):
                self._transport.close()
                return
            self._is_open = True
            self._inflate = zlib.decompressobj(-15) if b"permessage-deflate" in head else None
        for first, payload in self._frames():
            self._take_frame(first, payload, at)

    def _frames(self) -> list[tuple[int, bytes]]:
        """The complete ones; what is left waits for more."""
        found, at, buffer = [], 0, self._buffer
        while len(buffer) - at >= 2:
            length, start = buffer[at + 1], at + 2
            if length >= 126:
                size = 2 if length == 126 else 8
                length, start = int.from_bytes(buffer[start : start + size]), start + size
            if len(buffer) < max(start, at + 4) or len(buffer) < start + length:
                break
            found.append((buffer[at], bytes(buffer[start : start + length])))
            at = start + length
        del buffer[:at]
        return found

    def _take_frame(self, first: int, payload: bytes, at: float) -> None:
        kind = first & 0x0F
        if kind == CLOSE:
            self._transport.close()
        elif kind == PING:
            self._write(PONG, payload)
        elif kind == TEXT:
            if first & COMPRESSED:
                payload = self._inflate.decompress(payload + b"\x00\x00\xff\xff")
            self._take_packet(payload.decode(), at)

    def _take_packet(self, packet: str, at: float) -> None:
        if packet == "2":
            self._send("3")
        elif packet.startswith("0"):
            self._send("40")
        elif packet.startswith("40"):
            self.ready.set_result(None)
        elif packet.startswith("44"):
            self._transport.close()
        elif packet.startswith("42"):
            self._on_event(*json.loads(packet[2:]), at)
        elif packet.startswith("43"):
            number, _, values = packet[2:].partition("[")
            asked = self._asked.pop(int(number))
            if not asked.done():  # one who gave up
                asked.set_result((*json.loads(f"[{values}"), at))

    async def ask(self, name: str, value: Any) -> tuple[Any, float]:
        """The answer, and when it came. Raises ConnectionError."""
        number = len(self._asked) and max(self._asked) + 1
        self._asked[number] = asyncio.get_running_loop().create_future()
        self._send(f"42{number}{json.dumps([name, value])}")
        return await self._asked[number]

    def _send(self, packet: str) -> None:
        self._write(TEXT, packet.encode())

    def _write(self, kind: int, payload: bytes) -> None:
        length = len(payload)
        size = bytes([0x80 | length]) if length < 126 else b"\xfe" + struct.pack(">H", length)
        self._transport.write(bytes([0x80 | kind]) + size + bytes(4) + payload)

    def close(self) -> None:
        if self._transport:
            self._transport.close()
