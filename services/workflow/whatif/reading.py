"""Takes a replay through the log: once from the first event to the last, a batch at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from services.workflow.whatif.engine import Replay
from shared.codec import Codec
from shared.errors import UndecodableEvent
from shared.events import Recorded
from shared.store import EventStore

BATCH = 2_000
Progress = Callable[[int, int], object]
"""Given how many positions are done and how many there are."""


async def read_through(
    replay: Replay,
    store: EventStore,
    codec: Codec,
    until: int,
    *,
    progress: Progress = lambda done, total: None,
    portion: int = BATCH,
) -> None:
    """Fold the whole log and let what is still open run on to ``until`` (microseconds UTC).

    The loop has its turn after every ``portion`` events: a page that shares its process with
    officers takes small ones. Cancelling leaves the report of what was read, not ``complete``.
    """
    position, head = 0, await store.head()
    while position < head:
        batch = await store.read_all(position, BATCH)
        if not batch:
            break
        for start in range(0, len(batch), portion):
            for recorded in batch[start : start + portion]:
                if recorded.position <= head and recorded.occurred_us <= until:
                    _take(replay, recorded, codec)
            await asyncio.sleep(0)
        position = batch[-1].position
        progress(min(position, head), head)
    replay.finish(until)


def _take(replay: Replay, recorded: Recorded, codec: Codec) -> None:
    replay.report.events += 1
    application = recorded.correlation_id
    if not recorded.stream.startswith("permit-") or not replay.knows(application, recorded.type):
        return
    try:
        fact = codec.fact(recorded)
    except UndecodableEvent:
        replay.skip(application)
        return
    replay.fold(application, fact)
