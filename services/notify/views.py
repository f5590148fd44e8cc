"""The read model ``messages``: one row per message, without personal data.

What a message says and to whom stays in its own stream; a row knows its state and when it is due,
and the recipient only under a keyed name (``persons``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from services.notify.message.states import UNHEARD_OF
from services.notify.people.persons import Persons
from shared.codec import Codec
from shared.contracts import notify as events
from shared.database import Database, Transaction
from shared.events import Recorded, to_micros
from shared.projection import OfficeProjection
from shared.topics import NOTIFY

_TABLE = """
CREATE TABLE IF NOT EXISTS messages_2 (
    message_id TEXT NOT NULL PRIMARY KEY, application_id TEXT NOT NULL, office TEXT NOT NULL,
    rule TEXT NOT NULL, channel TEXT NOT NULL, state TEXT NOT NULL, attempts BIGINT NOT NULL,
    resent BIGINT NOT NULL, due_us BIGINT NOT NULL, queued_us BIGINT NOT NULL,
    queued_position BIGINT NOT NULL, provider_id TEXT NOT NULL, person TEXT NOT NULL,
    audience TEXT NOT NULL, template TEXT NOT NULL, digest TEXT NOT NULL, reason TEXT NOT NULL,
    changed_us BIGINT NOT NULL
)
"""
_INDEXES = (
    "CREATE INDEX IF NOT EXISTS messages_2_due ON messages_2 (state, due_us)",
    # The queue of each channel, in its order; what is done is not in it.
    "CREATE INDEX IF NOT EXISTS messages_2_waiting ON messages_2 "
    "(channel, due_us, queued_position) WHERE state = 'queued'",
    "CREATE INDEX IF NOT EXISTS messages_2_office ON messages_2 (office, queued_position)",
    "CREATE INDEX IF NOT EXISTS messages_2_provider ON messages_2 (provider_id)",
    "CREATE INDEX IF NOT EXISTS messages_2_application ON messages_2 (application_id)",
    "CREATE INDEX IF NOT EXISTS messages_2_person ON messages_2 (person)",
)


class Windows(NamedTuple):
    """How long a call may be without outcome, and how long an unknown outcome is waited for."""

    stuck: timedelta = timedelta(seconds=60)
    unknown: timedelta = timedelta(minutes=10)


class Share(NamedTuple):
    """How much of a channel's queue is worth a look, without the messages to ``resting``."""

    channel: str
    limit: int
    resting: tuple[str, ...] = ()


class Due(NamedTuple):
    """A message that the sender must look at, and whom it is for."""

    message_id: str
    person: str
    channel: str


_DUE = "SELECT application_id, message_id, person, channel, due_us, queued_position FROM messages_2"
_WAITING = (
    _DUE + " WHERE state = 'queued' AND channel = ? AND due_us <= ?{resting} "
    "ORDER BY due_us, queued_position LIMIT ?"
)
_LOST = _DUE + " WHERE state = 'sending' AND due_us <= ? ORDER BY due_us LIMIT ?"
_UNKNOWN = _DUE + " WHERE state = 'unknown' AND due_us <= ? ORDER BY due_us LIMIT ?"


class MessageRow(NamedTuple):
    """One message. ``queued_us`` is microseconds UTC."""

    message_id: str
    rule: str
    channel: str
    state: str
    queued_us: int


class MessagesProjection(OfficeProjection):
    """Folds ``jejak.notify`` into ``messages``."""

    name = "messages-2"
    topics = (NOTIFY.name,)
    statements = (_TABLE, *_INDEXES)

    def __init__(
        self,
        codec: Codec,
        persons: Persons,
        on_office: Callable[[str], None] = lambda office: None,
    ) -> None:
        """``persons`` names recipients; ``on_office`` hears whose messages changed."""
        super().__init__(codec, on_office)
        self._persons = persons

    def apply(self, tx: Transaction, recorded: Sequence[Recorded]) -> None:
        """Fold events, in order, into rows."""
        for one in recorded:
            # Replies and consents travel on the same topic.
            if not one.stream.startswith("message-"):
                continue
            event = self._codec.decode(one)
            if isinstance(event, events.MessageQueued):
                self._queue(tx, event, one)
                continue
            change, values = _change(event, one.occurred_us)
            rows = tx.execute(
                f"UPDATE messages_2 SET {change}, changed_us = ? WHERE message_id = ? "
                "RETURNING office",
                (*values, one.occurred_us, event.message_id),
            )
            for (office,) in rows:
                self._on_office(office)

    def _queue(self, tx: Transaction, event: events.MessageQueued, one: Recorded) -> None:
        tx.execute(
            "INSERT INTO messages_2 (message_id, application_id, office, rule, channel, state, "
            "attempts, resent, due_us, queued_us, queued_position, provider_id, person, audience, "
            "template, digest, reason, changed_us) "
            "VALUES (?, ?, ?, ?, ?, 'queued', 0, 0, ?, ?, ?, '', ?, ?, ?, ?, '', ?) "
            "ON CONFLICT (message_id) DO NOTHING",
            (
                event.message_id,
                event.application_id,
                event.office,
                event.rule,
                event.channel,
                _due_us(event, one),
                one.occurred_us,
                one.position,
                self._persons.of(event.recipient),
                event.audience,
                event.template,
                event.digest,
                one.occurred_us,
            ),
        )
        self._on_office(event.office)


def _due_us(event: events.MessageQueued, one: Recorded) -> int:
    if not event.not_before:
        return one.occurred_us
    return to_micros(datetime.fromisoformat(event.not_before))


def _change(event: Any, at: int) -> tuple[str, tuple[Any, ...]]:
    """Return the columns that an event sets, as SQL and its values."""
    match event:
        case events.MessageAttempted(attempt=attempt):
            # The second: it was held over the night before it went out once more.
            again = f"state = 'unknown' OR (state = 'queued' AND reason = '{UNHEARD_OF}')"
            resent = f"resent = CASE WHEN {again} THEN 1 ELSE resent END"
            return f"{resent}, state = 'sending', attempts = ?, due_us = ?", (attempt, at)
        case events.MessageOutcomeUnknown():
            return "state = 'unknown', due_us = ?", (at,)
        case events.MessageDeferred(not_before=not_before, reason=reason):
            due = to_micros(datetime.fromisoformat(not_before))
            return "state = 'queued', due_us = ?, reason = ?", (due, reason)
        case events.MessageReleased(not_before=not_before):
            return "due_us = ?", (to_micros(datetime.fromisoformat(not_before)),)
        case events.MessageFellBack(channel=channel, reason=reason):
            change = (
                "state = 'queued', channel = ?, attempts = 0, resent = 0, due_us = ?, reason = ?"
            )
            return change, (channel, at, reason)
        case events.MessageSent(provider_id=provider_id):
            return "state = 'sent', provider_id = ?", (provider_id,)
        case events.MessageDelivered():
            return "state = 'delivered'", ()
        case events.MessageRead():
            return "state = 'read'", ()
        case events.MessageFailed(reason=reason):
            return "state = 'failed', reason = ?", (reason,)
        case events.MessageDigested():
            return "state = 'digested'", ()
        case events.MessageSuperseded():
            return "state = 'superseded'", ()
        case _:
            # Another event of this topic: the row stays as it is.
            return "state = state", ()


def _overdue(now: datetime, windows: Windows, limit: int) -> tuple[int, ...]:
    stuck, unknown = to_micros(now - windows.stuck), to_micros(now - windows.unknown)
    return stuck, limit, unknown, limit


def _longest(row: Sequence[Any]) -> tuple[int, int]:
    return row[-2], row[-1]


class MessageViews:
    """Questions to the read model."""

    def __init__(self, database: Database) -> None:
        """Ask ``database``, where the projection writes."""
        self._database = database

    async def due(
        self, now: datetime, windows: Windows, shares: Sequence[Share], limit: int
    ) -> dict[str, list[Due]]:
        """Return application -> messages that the sender must look at, longest waiting first.

        ``shares`` says how much of each channel's queue; of calls without an outcome come at most
        ``limit``. Each part reads as many rows of an index as it returns, and those passed over.
        """
        parts, values = [_LOST, _UNKNOWN], list[int | str](_overdue(now, windows, limit))
        for share in shares:
            resting = ", ".join("?" * len(share.resting))
            parts.append(_WAITING.format(resting=f" AND person NOT IN ({resting})" * bool(resting)))
            values += [share.channel, to_micros(now), *share.resting, share.limit]
        every = " UNION ALL ".join(f"SELECT * FROM ({part}) AS part" for part in parts)
        rows = await self._database.query(every, values)
        found: dict[str, list[Due]] = {}
        for application_id, message_id, person, channel, _, _ in sorted(rows, key=_longest):
            due = Due(message_id, person, channel)
            found.setdefault(application_id, []).append(due)
        return found

    async def waiting_with(self, message_id: str, until: datetime, most: int) -> list[str]:
        """Return what waits for the same person under the same digest, the longest waiting first.

        Only what no provider was asked to send, and what is due at ``until``.
        """
        rows = await self._database.query(
            "SELECT other.message_id FROM messages_2 AS own JOIN messages_2 AS other "
            "ON other.person = own.person AND other.digest = own.digest "
            "AND other.office = own.office WHERE own.message_id = ? AND other.state = 'queued' "
            "AND other.attempts = 0 AND other.due_us <= ? "
            "ORDER BY other.due_us, other.queued_position LIMIT ?",
            (message_id, to_micros(until), most),
        )
        return [row[0] for row in rows]

    async def waiting(self, channels: Iterable[str], most: int) -> dict[str, int]:
        """Return channel -> how many messages wait for it, counted up to ``most``."""
        counted = "SELECT ? AS channel, COUNT(*) FROM (SELECT 1 FROM messages_2 "
        each = counted + "WHERE state = 'queued' AND channel = ? LIMIT ?) AS waiting"
        names = list(channels)
        every = " UNION ALL ".join([each] * len(names))
        values = [value for name in names for value in (name, name, most)]
        return dict(await self._database.query(every, values)) if names else {}

    async def newest(self, office: str, limit: int, before: int = 0) -> list[MessageRow]:
        """Return an office's messages, the newest first; ``before`` skips so many."""
        rows = await self._database.query(
            "SELECT message_id, rule, channel, state, queued_us FROM messages_2 WHERE office = ? "
            "ORDER BY queued_position DESC LIMIT ? OFFSET ?",
            (office, limit, before),
        )
        return [MessageRow(*row) for row in rows]

    async def count(self, office: str) -> int:
        """Return how many messages an office has."""
        rows = await self._database.query(
            "SELECT COUNT(*) FROM messages_2 WHERE office = ?", (office,)
        )
        return int(rows[0][0])

    async def by_provider(self, provider_id: str) -> str | None:
        """Return our id of a message that a provider knows under its own."""
        rows = await self._database.query(
            "SELECT message_id FROM messages_2 WHERE provider_id = ? LIMIT 1", (provider_id,)
        )
        return rows[0][0] if rows else None
