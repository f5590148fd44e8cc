"""What must be remembered about bank calls: used external ids, and what payments were refused.

Both live in tables beside the service's own, so that a bank's call does not wait while a read model
is written. A lost ledger costs nothing but the exact wording of a repeated refusal: a payment
itself is in the store, and so is what was answered to it.
"""

from __future__ import annotations

import json
from datetime import date, timedelta
from enum import Enum
from typing import Final, NamedTuple

from services.payment.banks.snap import Reply
from services.payment.banks.tables import Tables
from services.payment.banks.together import Together
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
    data TEXT NOT NULL,
    PRIMARY KEY (partner, request_id)
)
""",
)
BESIDE: Final = "bank-calls"
# An external id is unique per day; yesterday's are kept for calls around midnight.
_KEPT_DAYS = 2


class Use(Enum):
    """What was known about an X-EXTERNAL-ID before this call."""

    NEW = "new"
    REPLAY = "replay"
    SAME_REQUEST = "same request"
    OTHER_REQUEST = "other request"


class ExternalId(NamedTuple):
    """An X-EXTERNAL-ID: unique per partner and day, used for one request with one body."""

    partner: str
    day: date
    value: str
    request: str
    digest: str


class Claim(NamedTuple):
    """What was first asked under a payment request id.

    ``reply`` is its refusal, if it was refused for good: a payment's own events tell of the rest.
    ``fresh`` says that nobody took the id before.
    """

    virtual_account: str
    sen: int
    reply: Reply | None
    fresh: bool


class Ledger:
    """The two tables."""

    def __init__(self, database: Database) -> None:
        """Keep them beside ``database``."""
        self._together = Together(Tables(database.beside(BESIDE), _TABLES))
        self._swept: dict[str, date] = {}

    async def use(self, used: ExternalId) -> Use:
        """Consume an external id."""
        return await self._together.run(lambda tx: self._use(tx, used))

    async def claim(
        self, used: ExternalId, request_id: str, virtual_account: str, sen: int
    ) -> tuple[Use, Claim]:
        """Consume an external id and take a payment request id, or return who took it before.

        An id that was used for another request takes nothing.
        """
        partner = used.partner

        def work(tx: Transaction) -> tuple[Use, Claim]:
            use = self._use(tx, used)
            if use is Use.OTHER_REQUEST:
                return use, Claim(virtual_account, sen, None, False)
            return use, _claim(tx, partner, request_id, virtual_account, sen)

        return await self._together.run(work)

    async def keep(self, partner: str, request_id: str, reply: Reply) -> None:
        """Remember the refusal of a claimed request; a later one changes nothing."""
        data = json.dumps(reply.data)
        await self._together.run(
            lambda tx: tx.execute(
                "UPDATE bank_payment_requests SET status = ?, result_case = ?, message = ?, "
                "data = ? WHERE partner = ? AND request_id = ? AND status = 0",
                (reply.status, reply.case, reply.message, data, partner, request_id),
            )
        )

    def _use(self, tx: Transaction, used: ExternalId) -> Use:
        if self._swept.get(used.partner) != used.day:
            tx.execute(
                "DELETE FROM bank_external_ids WHERE partner = ? AND day < ?",
                (used.partner, (used.day - timedelta(days=_KEPT_DAYS)).isoformat()),
            )
            self._swept[used.partner] = used.day
        key = (used.partner, used.day.isoformat(), used.value)
        added = tx.execute(
            "INSERT INTO bank_external_ids (partner, day, external_id, request, digest) "
            "VALUES (?, ?, ?, ?, ?) ON CONFLICT (partner, day, external_id) DO NOTHING "
            "RETURNING digest",
            (*key, used.request, used.digest),
        )
        if added:
            return Use.NEW
        request, digest = tx.execute(
            "SELECT request, digest FROM bank_external_ids "
            "WHERE partner = ? AND day = ? AND external_id = ?",
            key,
        )[0]
        if request != used.request:
            return Use.OTHER_REQUEST
        return Use.REPLAY if digest == used.digest else Use.SAME_REQUEST


def _claim(tx: Transaction, partner: str, request_id: str, virtual_account: str, sen: int) -> Claim:
    added = tx.execute(
        "INSERT INTO bank_payment_requests "
        "(partner, request_id, virtual_account, sen, status, result_case, message, data) "
        "VALUES (?, ?, ?, ?, 0, '', '', '') "
        "ON CONFLICT (partner, request_id) DO NOTHING RETURNING sen",
        (partner, request_id, virtual_account, sen),
    )
    if added:
        return Claim(virtual_account, sen, None, True)
    account, first_sen, status, case, message, data = tx.execute(
        "SELECT virtual_account, sen, status, result_case, message, data "
        "FROM bank_payment_requests WHERE partner = ? AND request_id = ?",
        (partner, request_id),
    )[0]
    reply = Reply(status, case, message, json.loads(data)) if status else None
    return Claim(account, first_sen, reply, False)
