"""The process that row 2 kills: ``python -m tests.bench.writer ENGINE FOLDER CLIENTS``.

Clients carry permits through five transitions each, one after another, for ever. Every transition
that was acknowledged is written to stdout as an ``ACK`` record, after the acknowledgement.
"""

from __future__ import annotations

import asyncio
import os
import struct
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from tests.bench.processes import die_with_parent

# Monotonic nanoseconds (one clock for all processes of a machine), and the event's id.
ACK = struct.Struct("<q16s")
# Peers have no such ids; they are only counted.
_NOBODY = bytes(16)


def acknowledge(event_id: bytes) -> None:
    """Tell the parent. Less than PIPE_BUF, so that threads never mix their records."""
    os.write(1, ACK.pack(time.monotonic_ns(), event_id))


async def jejak(folder: Path, clients: int) -> None:
    """Write through the handler over the SQLite store."""
    from services.intake.application import DECIDER
    from shared.codec import Codec
    from shared.handle import Handler
    from shared.ids import new_id
    from shared.store.sqlite import SqliteStore
    from tests.bench.permits import STEPS, command

    handler = Handler(SqliteStore(folder / "events.sqlite"), Codec())

    async def client() -> None:
        while True:
            application = new_id()
            stream = f"application-{application}"
            for step in range(STEPS):
                outcome = await handler.handle(
                    DECIDER,
                    stream,
                    command(step, application, "BGR-2026-000001"),
                    cause=new_id(),
                    application=application,
                )
                acknowledge(UUID(outcome.events[0].event_id).bytes)

    await asyncio.gather(*(client() for _ in range(clients)))


def eventsourcing(folder: Path, clients: int) -> None:
    """Write the same transitions with the PyPI library ``eventsourcing`` over its SQLite recorder.

    A thread per client, as its documentation has it. SQLite's ``synchronous`` stays FULL, its
    default.
    """
    from tests.bench.peer_eventsourcing import permits_application

    work: Callable[[], None] = permits_application(folder, lambda: acknowledge(_NOBODY))
    threads = [threading.Thread(target=work, daemon=True) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main(engine: str, folder: str, clients: str) -> None:
    """Run one engine until killed."""
    if engine == "jejak":
        asyncio.run(jejak(Path(folder), int(clients)))
    else:
        eventsourcing(Path(folder), int(clients))


if __name__ == "__main__":
    die_with_parent()
    main(*sys.argv[1:])
