"""Events to consume, and small consumers that write down what they saw."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from shared.bus import Delivery
from shared.codec import Codec
from shared.contracts.intake import ApplicationWithdrawn
from shared.contracts.workflow import PermitClosed
from shared.database import Database, Transaction
from shared.events import NewEvent, Recorded
from shared.ids import derived_id
from tests.examples import example

OCCURRED_US = 1_767_575_000_000_000
_CODEC = Codec()


def new_event(application: str, number: int, kind: type = ApplicationWithdrawn) -> NewEvent:
    """Return an event of an application, with an id that follows from its number."""
    fields = {"application_id": application}
    identity, cause = (
        derived_id("consuming", application, kind.__name__, number),
        derived_id(number),
    )
    return _CODEC.envelope(
        example(kind, **fields), identity, OCCURRED_US + number, "applicant", cause, application
    )


def recorded(
    position: int, application: str = "a", *, data: bytes | None = None, kind: type | None = None
) -> Recorded:
    """Return the event at ``position`` of the log: intake's, or (``PermitClosed``) workflow's."""
    kind = kind or ApplicationWithdrawn
    new = new_event(application, position, kind)
    prefix = "permit" if kind is PermitClosed else "application"
    return Recorded(
        position=position,
        stream=f"{prefix}-{application}",
        version=position,
        event_id=new.event_id,
        type=new.type,
        schema_version=new.schema_version,
        data=new.data if data is None else data,
        occurred_us=new.occurred_us,
        recorded_us=new.occurred_us + 5,
        actor=new.actor,
        cause_id=new.cause_id,
        correlation_id=application,
    )


def delivery(*events: Recorded, source: str = "store") -> list[Delivery]:
    """Return a batch of one source."""
    return [Delivery(source, events)]


class Noted:
    """A projection that writes down every event. Those whose data says so, it can't fold."""

    name = "noted"
    topics = ("jejak.intake", "jejak.workflow")

    def __init__(self) -> None:
        self.poison = b"poison"
        self.batches: list[int] = []

    def create(self, tx: Transaction) -> None:
        """No key on the position: an event that is folded twice shows."""
        tx.execute("CREATE TABLE IF NOT EXISTS noted (application TEXT, position BIGINT)")

    def apply(self, tx: Transaction, events: Sequence[Recorded]) -> None:
        """Write each down, before it may turn out to be poison."""
        self.batches.append(len(events))
        for one in events:
            tx.execute("INSERT INTO noted VALUES (?, ?)", (one.correlation_id, one.position))
            if self.poison in one.data:
                raise ZeroDivisionError("nobody expects this")


async def noted(database: Database) -> list[tuple[str, int]]:
    """Return what ``Noted`` wrote down, in the order it did."""
    return await database.query("SELECT application, position FROM noted ORDER BY rowid")


async def eventually(holds: Callable[[], Awaitable[bool]], seconds: float = 15) -> None:
    """Return as soon as ``holds`` does. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while True:
            if await holds():
                return
            await asyncio.sleep(0.01)
