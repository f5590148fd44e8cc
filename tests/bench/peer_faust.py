"""A peer: plain Faust, an agent with a table that counts events per application.

``python -m tests.bench.peer_faust BOOTSTRAP FOLDER EVENTS`` prints events a second, and ends.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from typing import Any
from uuid import uuid4

import faust

from shared.topics import WORKFLOW
from tests.bench.processes import die_with_parent

_START_SECONDS = 120.0


def build(bootstrap: str, folder: str, events: int, done: asyncio.Future[float]) -> Any:
    """Return the Faust application; ``done`` gets the rate once ``events`` were counted."""
    # Its own topics (a changelog of the table, an election) are made by itself, for a new id.
    app: Any = faust.App(
        f"bench-{uuid4().hex[:8]}",
        broker=f"kafka://{bootstrap}",
        datadir=folder,
        store="memory://",
        topic_partitions=WORKFLOW.partitions,
        topic_replication_factor=1,
        consumer_auto_offset_reset="earliest",
        web_enabled=False,
    )
    table = app.Table("states", default=int, partitions=WORKFLOW.partitions)
    source = app.topic(
        WORKFLOW.name, key_serializer="raw", value_serializer="raw", value_type=bytes
    )

    async def count(stream: Any) -> None:
        seen, began = 0, 0.0
        async for event in stream.events():
            began = began or time.perf_counter()
            table[event.key.decode()] += 1
            seen += 1
            if seen == events and not done.done():
                done.set_result(events / (time.perf_counter() - began))

    app.agent(source, name="count")(count)
    return app


async def main(bootstrap: str, folder: str, events: str) -> None:
    """Run until the events are counted; print the rate."""
    out = sys.stdout
    # Its own topics are being made while it starts; it reports that at length.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    done: asyncio.Future[float] = asyncio.get_running_loop().create_future()
    app = build(bootstrap, folder, int(events), done)
    await app.start()
    rate = await asyncio.wait_for(done, _START_SECONDS)
    # Faust redirects sys.stdout to its log, so the real one was kept.
    out.write(f"{rate}\n")
    out.flush()


if __name__ == "__main__":
    die_with_parent()
    asyncio.run(main(*sys.argv[1:]))
