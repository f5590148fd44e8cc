"""What must be remembered about bank calls: used external ids, and the first result of a payment.

Both live in the service's own tables. A lost ledger costs nothing but the exact wording of a
repeated answer: the payment itself is in the store.
"""

from __future__ import annotations

import json
from datetime import date, timedelta
from enum import Enum
from typing import NamedTuple

from services.payment.banks.snap import Reply
from shared.database import Database, Transaction

_TABLES = (
    """
CREATE TABLE IF NOT EXISTS bank_external_ids (
    partner TEXT NOT NULL, day TEXT NOT NULL, external_id TEXT NOT NULL,
    request TEXT NOT NULL, digest TEXT NOT NULL,
    PRIMARY KEY (partner, day, external_id)
)
""",
    """
CREATE TABLE IF NOT EXISTS bank_payment_requests (
    partner TEXT NOT NULL, request_id TEXT NOT NULL, virtual_account TEXT NOT NULL,
    sen BIGINT NOT NULL, status BIGINT NOT NULL, result_case TEXT NOT NULL, message TEXT NOT NULL,
    data TEXT NOT NULL, exceptions BIGINT NOT NULL,
    PRIMARY KEY (partner, request_id)
)
""",
)
# An external id is unique per day; yesterday's are kept for calls around midnight.
_KEPT_DAYS = 2


class Use(Enum):
    """What was known about an X-EXTERNAL-ID before this call."""

    NEW = "new"
    REPLAY = "replay"
    SAME_REQUEST = "same request"
    OTHER_REQUEST = "other request"


class Claim(NamedTuple):
    """What was first asked under a payment request id; ``reply`` is None until it was answered."""

    virtual_account: str
    sen: int
    reply: Reply | None


class Ledger:
    """The two tables."""

    def __init__(self, database: Database) -> None:
        """Keep them in ``database``; the tables are created at the first call."""
        self._database = database
        self._prepared = False

    async def _prepare(self) -> None:
        if self._prepared:
            return

        def work(tx: Transaction) -> None:
            for table in _TABLES:
                tx.execute(table)

        await self._database.transaction(work)
        self._prepared = True

    async def use(
        self, partner: str, day: date, external_id: str, request: str, digest: str
    ) -> Use:
        """Consume an external id for ``request`` (service and request id) with a body's digest."""
        await self._prepare()

        def work(tx: Transaction) -> Use:
            tx.execute(
                "DELETE FROM bank_external_ids WHERE partner = ? AND day < ?",
                (partner, (day - timedelta(days=_KEPT_DAYS)).isoformat()),
            )
            key = (partner, day.isoformat(), external_id)
            added = tx.execute(
                "INSERT INTO bank_external_ids (partner, day, external_id, request, digest) "
                "VALUES (?, ?, ?, ?, ?) ON CONFLICT (partner, day, external_id) DO NOTHING "
                "RETURNING digest",
                (*key, request, digest),
            )
            if added:
                return Use.NEW
            known = tx.execute(
                "SELECT request, digest FROM bank_external_ids "
                "WHERE partner = ? AND day = ? AND external_id = ?",
                key,
            )[0]
            if known[0] != request:
                return Use.OTHER_REQUEST
            return Use.REPLAY if known[1] == digest else Use.SAME_REQUEST

        return await self._database.transaction(work)

    async def claim(self, partner: str, request_id: str, virtual_account: str, sen: int) -> Claim:
        """Take a payment request id for an account and amount, or return who took it before."""
        await self._prepare()

        def work(tx: Transaction) -> Claim:
            tx.execute(
                "INSERT INTO bank_payment_requests "
                "(partner, request_id, virtual_account, sen, status, result_case, message, data, "
                "exceptions) VALUES (?, ?, ?, ?, 0, '', '', '', 0) "
                "ON CONFLICT (partner, request_id) DO NOTHING",
                (partner, request_id, virtual_account, sen),
            )
            account, first_sen, status, case, message, data = tx.execute(
                "SELECT virtual_account, sen, status, result_case, message, data "
                "FROM bank_payment_requests WHERE partner = ? AND request_id = ?",
                (partner, request_id),
            )[0]
            reply = Reply(status, case, message, json.loads(data)) if status else None
            return Claim(account, first_sen, reply)

        return await self._database.transaction(work)

    async def keep(self, partner: str, request_id: str, reply: Reply) -> None:
        """Remember the first result of a claimed request; a later one changes nothing."""
        await self._database.transaction(
            lambda tx: tx.execute(
                "UPDATE bank_payment_requests SET status = ?, result_case = ?, message = ?, "
                "data = ? WHERE partner = ? AND request_id = ? AND status = 0",
                (
                    reply.status,
                    reply.case,
                    reply.message,
                    json.dumps(reply.data),
                    partner,
                    request_id,
                ),
            )
        )

    async def note_exception(self, partner: str, request_id: str) -> None:
        """Count a request that contradicts its first one, for people to look into."""
        await self._database.transaction(
            lambda tx: tx.execute(
                "UPDATE bank_payment_requests SET exceptions = exceptions + 1 "
                "WHERE partner = ? AND request_id = ?",
                (partner, request_id),
            )
        )
