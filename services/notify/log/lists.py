"""What the pages about messages look up: messages, what was sent anew, answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from shared.codec import Codec
from shared.contracts import notify as events
from shared.database import Database, Transaction
from shared.events import Recorded
from shared.topics import NOTIFY

_RESENDS = """
CREATE TABLE IF NOT EXISTS resends_1 (
    message_id TEXT NOT NULL PRIMARY KEY, resend_id TEXT NOT NULL
)
"""
_BY_RESEND = "CREATE INDEX IF NOT EXISTS resends_1_resend ON resends_1 (resend_id)"
_ANSWERS = """
CREATE TABLE IF NOT EXISTS answers_1 (
    message_id TEXT NOT NULL, reply_id TEXT NOT NULL, PRIMARY KEY (message_id, reply_id)
)
"""
_ROW = (
    "SELECT m.message_id, m.application_id, m.rule, m.channel, m.state, m.audience, m.template, "
    "m.reason, m.attempts, m.resent, m.queued_us, m.changed_us, COALESCE(a.number, ''), "
    "COALESCE(r.resend_id, '') FROM messages_2 m "
    "LEFT JOIN applications_1 a ON a.application_id = m.application_id "
    "LEFT JOIN resends_1 r ON r.message_id = m.message_id WHERE m.office = ?"
)
UNFINISHED = ("failed", "unknown")


class LogRow(NamedTuple):
    """One message without anything personal. ``resend_id`` is the message that went out anew."""

    message_id: str
    application_id: str
    rule: str
    channel: str
    state: str
    audience: str
    template: str
    reason: str
    attempts: int
    resent: int
    queued_us: int
    changed_us: int
    number: str
    resend_id: str

    @property
    def code(self) -> str:
        """Why it did not arrive: the reason on record, or that nobody knows."""
        return "unknown" if self.state == "unknown" else self.reason


class Wanted(NamedTuple):
    """Which messages: empty is any. ``open_only`` leaves out what was already sent anew."""

    states: tuple[str, ...] = ()
    channel: str = ""
    reason: str = ""
    application_id: str = ""
    message_id: str = ""
    open_only: bool = False


class FollowUpsProjection:
    """Folds ``jejak.notify`` into ``resends`` and ``answers``."""

    name = "notify-follow-ups-1"
    topics = (NOTIFY.name,)

    def __init__(self, codec: Codec) -> None:
        """Decode with ``codec``."""
        self._codec = codec

    def create(self, tx: Transaction) -> None:
        """Create the tables."""
        tx.execute(_RESENDS)
        tx.execute(_BY_RESEND)
        tx.execute(_ANSWERS)

    def apply(self, tx: Transaction, recorded: Sequence[Recorded]) -> None:
        """Fold events, in order, into rows."""
        for one in recorded:
            if one.type not in ("MessageQueued", "ReplyReceived"):
                continue
            match self._codec.decode(one):
                case events.MessageQueued(resend_of=original, message_id=resend) if original:
                    self._note(tx, "resends_1 (message_id, resend_id)", original, resend)
                case events.ReplyReceived(in_reply_to=message_id, reply_id=reply) if message_id:
                    self._note(tx, "answers_1 (message_id, reply_id)", message_id, reply)

    @staticmethod
    def _note(tx: Transaction, table: str, message_id: str, other: str) -> None:
        tx.execute(f"INSERT INTO {table} VALUES (?, ?) ON CONFLICT DO NOTHING", (message_id, other))


class Lists:
    """Questions to these tables and to ``messages``."""

    def __init__(self, database: Database) -> None:
        """Ask ``database``, where the projections write."""
        self._database = database

    async def messages(
        self, office: str, wanted: Wanted, limit: int, skip: int = 0
    ) -> list[LogRow]:
        """Return an office's messages, the newest first."""
        more, values = _narrowed(wanted)
        rows = await self._database.query(
            f"{_ROW}{more} ORDER BY m.queued_position DESC LIMIT ? OFFSET ?",
            (office, *values, limit, skip),
        )
        return [LogRow(*row) for row in rows]

    async def count(self, office: str, wanted: Wanted) -> int:
        """Return how many messages there are of those wanted."""
        more, values = _narrowed(wanted)
        rows = await self._database.query(
            f"SELECT COUNT(*) FROM ({_ROW}{more}) AS wanted", (office, *values)
        )
        return int(rows[0][0])

    async def codes(self, office: str) -> list[tuple[str, int]]:
        """Return why messages did not arrive and how often, what was sent anew left out."""
        more, values = _narrowed(Wanted(states=UNFINISHED, open_only=True))
        rows = await self._database.query(
            "SELECT code, COUNT(*) FROM (SELECT CASE WHEN m.state = 'unknown' THEN 'unknown' "
            "ELSE m.reason END AS code FROM messages_2 m LEFT JOIN resends_1 r "
            f"ON r.message_id = m.message_id WHERE m.office = ?{more}) AS codes "
            "GROUP BY code ORDER BY code",
            (office, *values),
        )
        return [(str(code), int(count)) for code, count in rows]

    async def undelivered(self, application_id: str, limit: int) -> list[tuple[str, str]]:
        """Return (id, reason) of what an applicant was not told and nobody sent anew yet.

        The oldest first, of any office: an application that was handed on takes them along.
        """
        rows = await self._database.query(
            "SELECT m.message_id, m.reason FROM messages_2 m "
            "LEFT JOIN resends_1 r ON r.message_id = m.message_id "
            "WHERE m.application_id = ? AND m.state = 'failed' AND m.audience = 'applicant' "
            "AND r.resend_id IS NULL ORDER BY m.queued_position DESC LIMIT ?",
            (application_id, limit),
        )
        return [(str(message_id), str(reason)) for message_id, reason in reversed(rows)]

    async def answers(self, message_id: str) -> list[str]:
        """Return the ids of the replies to a message."""
        rows = await self._database.query(
            "SELECT reply_id FROM answers_1 WHERE message_id = ? ORDER BY reply_id", (message_id,)
        )
        return [row[0] for row in rows]


def _narrowed(wanted: Wanted) -> tuple[str, tuple[str, ...]]:
    """Return the rest of a WHERE clause and its values."""
    parts: list[str] = []
    values: list[str] = []
    if wanted.states:
        parts.append(f" AND m.state IN ({', '.join('?' * len(wanted.states))})")
        values += wanted.states
    for column in ("channel", "application_id", "message_id"):
        if value := getattr(wanted, column):
            parts.append(f" AND m.{column} = ?")
            values.append(value)
    if wanted.reason == "unknown":
        parts.append(" AND m.state = 'unknown'")
    elif wanted.reason:
        parts.append(" AND m.state <> 'unknown' AND m.reason = ?")
        values.append(wanted.reason)
    if wanted.open_only:
        parts.append(" AND r.resend_id IS NULL")
    return "".join(parts), tuple(values)
