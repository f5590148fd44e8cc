"""A provider that takes every message and does nothing: ``python -m tests.bench.null_provider``.

Speaks just enough HTTP to be a Kannel gateway. Prints its port; runs until killed.
"""

from __future__ import annotations

import asyncio

from tests.bench.processes import die_with_parent

_END = b"\r\n\r\n"
_TEXT = b"0: Accepted for delivery"
_ANSWER = b"HTTP/1.1 202 Accepted\r\ncontent-type: text/plain\r\ncontent-length: %d\r\n\r\n%s" % (
    len(_TEXT),
    _TEXT,
)


class _Taking(asyncio.Protocol):
    def __init__(self) -> None:
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        parts = (self._rest + data).split(_END)
        self._rest = parts.pop()
        self._transport.write(_ANSWER * len(parts))


async def main() -> None:
    """Serve for ever."""
    server = await asyncio.get_running_loop().create_server(_Taking, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    die_with_parent()
    asyncio.run(main())
