"""A small HTTP client on bare sockets: a comfortable one would be slower than the servers."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from typing import Any, Self

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Client:
    """One keep-alive connection."""

    def __init__(
        self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Use an open connection; see ``connect``."""
        self._port = port
        self._reader = reader
        self._writer = writer

    @classmethod
    async def connect(cls, port: int) -> Self:
        """Connect to 127.0.0.1:``port``."""
        return cls(port, *await asyncio.open_connection("127.0.0.1", port))

    async def post(
        self, path: str, body: object, headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        """Send ``body`` as JSON; return status and body of the answer."""
        return await self.send(request(self._port, path, json.dumps(body).encode(), headers))

    async def send(self, whole: bytes) -> tuple[int, bytes]:
        """Send what ``request`` made; return status and body of the answer."""
        self._writer.write(whole)
        return await self._answer()

    async def _answer(self) -> tuple[int, bytes]:
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        size = int(length[1]) if length else 0
        return int(head[9:12]), await self._reader.readexactly(size) if size else b""

    def close(self) -> None:
        """Close the connection."""
        self._writer.close()


def request(port: int, path: str, data: bytes, headers: Mapping[str, str] | None = None) -> bytes:
    """Return a whole POST of JSON to 127.0.0.1:``port``, as it goes over the wire."""
    extra = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
    head = (
        f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n{extra}"
        f"content-type: application/json\r\ncontent-length: {len(data)}\r\n\r\n"
    )
    return head.encode() + data


def parsed(status: int, body: bytes) -> Any:
    """Return the JSON of a good answer. Raises RuntimeError for any other."""
    if status >= 300:
        raise RuntimeError(f"the server answered {status}: {body[:500]!r}")
    return json.loads(body)
