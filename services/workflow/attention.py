"""What people must look at: facts of other services that came too late, twice or for nothing.

Each is a ``...Rejected`` event of a permit's stream. The list belongs to the office's leaders; it
is a read model of its own and holds no personal data.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final, NamedTuple

from fastapi import APIRouter, Depends, Query, Request, Response

from services.workflow.pages import Counter, file_link
from shared.actors import Role
from shared.codec import Codec
from shared.contracts import BY_CLASS
from shared.contracts.workflow import (
    FeeSettlementRejected,
    PermitOpened,
    PermitOpeningRejected,
    PermitRenewalRejected,
    PermitWithdrawalRejected,
)
from shared.database import Database, Transaction
from shared.events import Recorded, from_micros
from shared.identity import Account
from shared.topics import WORKFLOW
from shared.web.i18n import Translator, msg
from shared.web.pages import language
from shared.web.session import require

ROWS: Final = 25
Leader = Annotated[
    Account, Depends(require(Role.SUPERVISOR, Role.SIGNER, Role.AUDITOR, Role.TREASURER))
]
PageQuery = Annotated[int, Query(ge=1, le=100_000)]

_TABLE = """
CREATE TABLE IF NOT EXISTS attention (
    event_id TEXT NOT NULL PRIMARY KEY, application_id TEXT NOT NULL, kind TEXT NOT NULL,
    reason TEXT NOT NULL, about TEXT NOT NULL, at_us BIGINT NOT NULL
)
"""
_INDEX = "CREATE INDEX IF NOT EXISTS attention_application ON attention (application_id)"
_OF_OFFICE = (
    "FROM attention a JOIN permits p ON p.application_id = a.application_id "
    "WHERE p.office = ? OR p.procedure_office = ?"
)
_KINDS: Final[dict[str, tuple[str, str]]] = {
    "PermitOpeningRejected": (
        msg("Registered, but not in the procedure"),
        msg("Its procedure can't be read. The administrator has to mend the permit type's file."),
    ),
    "FeeSettlementRejected": (
        msg("A payment that this permit does not wait for"),
        msg("The treasurer decides what becomes of the money."),
    ),
    "PermitWithdrawalRejected": (
        msg("Taken back after the office had decided"),
        msg("The permit stays as it is. Tell the applicant."),
    ),
    "PermitRenewalRejected": (
        msg("Renews no permit"),
        msg("The earlier permit {about} was not ended. See whether it should be."),
    ),
}
_WANTED: Final = (
    FeeSettlementRejected,
    PermitOpened,
    PermitOpeningRejected,
    PermitRenewalRejected,
    PermitWithdrawalRejected,
)


class AttentionProjection:
    """Folds ``jejak.workflow`` into ``attention``."""

    name = "attention"
    topics = (WORKFLOW.name,)

    def __init__(self, codec: Codec) -> None:
        """Decode with ``codec``."""
        self._codec = codec
        self._types = {BY_CLASS[cls].name for cls in _WANTED}

    def create(self, tx: Transaction) -> None:
        """Create the table and its index if they are missing."""
        tx.execute(_TABLE)
        tx.execute(_INDEX)

    def apply(self, tx: Transaction, events: Sequence[Recorded]) -> None:
        """Add what is new; what was put right since leaves the list. Raises UndecodableEvent."""
        for recorded in events:
            if recorded.type in self._types:
                self._take(tx, self._codec.decode(recorded), recorded)

    def _take(self, tx: Transaction, event: Any, recorded: Recorded) -> None:
        if isinstance(event, PermitOpened):
            tx.execute(
                "DELETE FROM attention WHERE application_id = ? AND kind = ?",
                (recorded.correlation_id, "PermitOpeningRejected"),
            )
            return
        about = getattr(event, "renews", "") or getattr(event, "bill_id", "")
        tx.execute(
            "INSERT INTO attention (event_id, application_id, kind, reason, about, at_us) "
            "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (event_id) DO NOTHING",
            (
                recorded.event_id,
                recorded.correlation_id,
                recorded.type,
                event.reason,
                about,
                recorded.occurred_us,
            ),
        )


class Item(NamedTuple):
    """One thing to look at. ``about`` is a bill's id or the number of an earlier permit."""

    number: str
    kind: str
    reason: str
    about: str
    at_us: int


async def items(database: Database, office: str, limit: int, offset: int = 0) -> list[Item]:
    """Return what an office must look at, the newest first."""
    rows = await database.query(
        f"SELECT CASE WHEN p.number <> '' THEN p.number ELSE p.permit_number END, "
        f"a.kind, a.reason, a.about, a.at_us {_OF_OFFICE} "
        "ORDER BY a.at_us DESC, a.event_id LIMIT ? OFFSET ?",
        (office, office, limit, offset),
    )
    return [Item(*row) for row in rows]


async def count(database: Database, office: str) -> int:
    """Return how many there are."""
    rows = await database.query(f"SELECT COUNT(*) {_OF_OFFICE}", (office, office))
    return int(rows[0][0])


def attention_pages(counter: Counter, database: Database) -> APIRouter:
    """Return ``/perlu-dilihat``."""
    router = APIRouter(include_in_schema=False)

    @router.get("/perlu-dilihat")
    async def show(request: Request, account: Leader, page: PageQuery = 1) -> Response:
        lang = language(request)
        teller = counter.teller(account.office, lang)
        found = await items(database, account.office, ROWS, (page - 1) * ROWS)
        total = await count(database, account.office)
        return counter.pages.render(
            request,
            "workflow/attention.html",
            office=teller.office.name.of(lang),
            lines=[
                _told(item, teller.tr) | {"when": teller.when(from_micros(item.at_us))}
                for item in found
            ],
            total=total,
            page=page,
            pages=-(-total // ROWS),
        )

    return router


def _told(item: Item, tr: Translator) -> dict[str, str]:
    what, advice = _KINDS[item.kind]
    return {
        "number": item.number,
        "link": file_link(item.number),
        "what": tr.t(what),
        "advice": tr.t(advice, about=item.about),
    }
