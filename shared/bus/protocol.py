"""The bus's seam: committed events on their way to projections, reactions and live pages.

Delivery is at least once, in order per application and topic. Whoever consumes must be able to
see an event twice: projections compare positions, reactions have an inbox.
Every adapter passes ``tests/contract/test_bus.py``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from shared.events import Recorded


class Delivery(NamedTuple):
    """Events from one ordered source (the local log, or one topic partition), oldest first."""

    source: str
    events: Sequence[Recorded]


class Subscription(Protocol):
    """A durable subscription of one group."""

    def batches(self) -> AsyncIterator[list[Delivery]]:
        """Yield what is new, waiting for more for ever; several sources may share one batch."""
        ...

    async def commit(self) -> None:
        """Make durable that everything yielded so far was dealt with. Call after the effect."""
        ...

    async def rewind(self, held: Mapping[str, int] | None = None) -> None:
        """Start again from the very first event.

        A consumer that keeps positions of its own (source -> last position) passes them as
        ``held``: then only what it lacks is delivered again. A source that it does not name, or
        names at a lower position than was committed, starts early enough to fill the hole: a lost
        or outdated read model heals.
        """
        ...

    async def close(self) -> None:
        """Leave the group."""
        ...


class Bus(Protocol):
    """Where subscriptions come from."""

    async def subscribe(self, group: str, topics: Sequence[str]) -> Subscription:
        """Join ``group`` on ``topics``. Members of one group share the work."""
        ...

    def live(self, topics: Sequence[str]) -> AsyncIterator[Recorded]:
        """Yield every event from now on, to everyone who asks, without any checkpoint."""
        ...

    async def close(self) -> None:
        """Close every subscription."""
        ...
