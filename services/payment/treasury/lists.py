"""The treasurer's lists: one description for what is shown, summed, exported and searched.

A figure and the list behind it use the same ``Listing.where``, so they can't disagree.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, NamedTuple
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from services.payment.treasury import tables
from shared.database import Database
from shared.events import to_micros

PAGE_ROWS = 50
_BATCH = 1000


class Sum(NamedTuple):
    """How many rows there are, and their rupiah."""

    rows: int
    amount: int


class ListQuery(BaseModel):
    """What of a list is asked for. An empty field filters nothing.

    ``day`` is the office's own date of issue, payment or opening; ``settled_on`` the bank's value
    date; ``search`` the beginning of a number or reference.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    state: Annotated[str, Field(max_length=20, pattern="^[a-z-]*$")] = ""
    kind: Annotated[str, Field(max_length=20, pattern="^[a-z-]*$")] = ""
    day: date | None = None
    settled_on: date | None = None
    search: Annotated[str, Field(max_length=64)] = ""
    page: Annotated[int, Field(ge=1, le=100_000)] = 1

    def link(self, page: int = 1) -> str:
        """Return the query part of an address, beginning with a question mark, or nothing."""
        given = self.model_dump(mode="json", exclude_defaults=True, exclude={"page"})
        given |= {"page": page} if page > 1 else {}
        return f"?{urlencode(given)}" if given else ""


@dataclass(frozen=True)
class Listing:
    """One list: where its rows are and by what they are found.

    ``amount`` is the column summed up, ``at`` the one that ``day`` means; ``groups`` are states
    that stand for several, ``kinds`` the conditions behind each kind; ``settled`` is where the
    value date stands, in a list that has one.
    """

    name: str
    row: type[Any]
    key: str
    amount: str
    at: str
    search: tuple[str, ...]
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    settled: str = "''"

    @property
    def table(self) -> str:
        """The table of the read model."""
        return f"treasury_{self.name}"

    @property
    def columns(self) -> str:
        """The columns in the order of ``row``."""
        return ", ".join(self.row._fields)

    def where(self, office: str, zone: ZoneInfo, query: ListQuery) -> tuple[str, list[Any]]:
        """Return the condition and its parameters for rows of an office."""
        conditions: list[str] = ["office = ?"]
        values: list[Any] = [office]
        if query.state:
            states = self.groups.get(query.state, (query.state,))
            conditions.append(f"state IN ({', '.join('?' * len(states))})")
            values.extend(states)
        if query.kind:
            conditions.append(self.kinds.get(query.kind, "1 = 0"))
        if query.day is not None:
            conditions.append(f"{self.at} >= ? AND {self.at} < ?")
            values.extend(day_micros(query.day, zone))
        if query.settled_on is not None:
            conditions.append(f"{self.settled} = ?")
            values.append(query.settled_on.isoformat())
        if query.search:
            beginning = query.search.strip().upper()
            # Not LIKE, which would read % and _ as wildcards.
            start = f"SUBSTR(UPPER({{}}), 1, {len(beginning)}) = ?"
            conditions.append(f"({' OR '.join(start.format(one) for one in self.search)})")
            values.extend([beginning] * len(self.search))
        return " AND ".join(conditions), values


BILLS = Listing(
    "bills",
    tables.BillRow,
    "bill_id",
    "amount",
    "issued_us",
    ("number", "virtual_account", "letter"),
    kinds={"skrd": "kind = 'skrd'", "strd": "kind = 'strd'"},
)
PAYMENTS = Listing(
    "payments",
    tables.PaymentRow,
    "payment_id",
    "amount",
    "paid_us",
    ("number", "reference", "request_id"),
    kinds={
        # Money that an officer allocated was reported by a bank before, for something else.
        "from-banks": "source <> 'suspense'",
        "for-bills": "source <> 'suspense' AND kind = 'payment'",
        "set-aside": "source <> 'suspense' AND kind <> 'payment'",
        "confirmed": "source <> 'settlement' AND source <> 'suspense'",
        "unreported": "source = 'settlement'",
        "allocated": "source = 'suspense'",
    },
    settled="value_on",
)
SUSPENSE = Listing(
    "suspense",
    tables.SuspenseRow,
    "suspense_id",
    "held",
    "opened_us",
    ("number", "reference"),
    groups={"open": ("held", "asked", "agreed")},
)
REFUNDS = Listing(
    "refunds",
    tables.RefundRow,
    "refund_id",
    "amount",
    "asked_us",
    ("reference",),
    groups={"open": ("asked", "approved")},
)
PROBLEMS = Listing(
    "problems",
    tables.ProblemRow,
    "problem_id",
    "amount",
    "since_us",
    ("number", "detail"),
    kinds={
        kind: f"kind = '{kind}'" for kind in ("contradiction", "dispute", "no-bill", "lost-money")
    },
)
LISTS: Mapping[str, Listing] = {
    one.name: one for one in (BILLS, PAYMENTS, SUSPENSE, REFUNDS, PROBLEMS)
}


def day_micros(day: date, zone: ZoneInfo) -> tuple[int, int]:
    """Return when a day of a zone begins and ends, in microseconds UTC."""
    ends = (day, day + timedelta(days=1))
    begin, end = (to_micros(datetime.combine(one, time(), zone)) for one in ends)
    return begin, end


class TreasuryViews:
    """Questions to the treasurer's read model."""

    def __init__(self, database: Database) -> None:
        """Ask ``database``, where the projection writes."""
        self._database = database

    async def sum(self, listing: Listing, office: str, zone: ZoneInfo, query: ListQuery) -> Sum:
        """Return count and rupiah of all rows that ``query`` asks for, whatever its page."""
        where, values = listing.where(office, zone, query)
        rows = await self._database.query(
            f"SELECT COUNT(*), COALESCE(SUM({listing.amount}), 0) FROM {listing.table} "
            f"WHERE {where}",
            values,
        )
        return Sum(rows[0][0], int(rows[0][1]))

    async def rows(
        self, listing: Listing, office: str, zone: ZoneInfo, query: ListQuery
    ) -> list[Any]:
        """Return one page of rows, the newest first."""
        where, values = listing.where(office, zone, query)
        rows = await self._database.query(
            f"SELECT {listing.columns} FROM {listing.table} WHERE {where} "
            f"ORDER BY {listing.at} DESC, {listing.key} LIMIT ? OFFSET ?",
            [*values, PAGE_ROWS, (query.page - 1) * PAGE_ROWS],
        )
        return [listing.row(*row) for row in rows]

    async def every(
        self, listing: Listing, office: str, zone: ZoneInfo, query: ListQuery
    ) -> AsyncIterator[Sequence[Any]]:
        """Yield all rows in batches, the oldest first: memory stays flat whatever their number."""
        where, values = listing.where(office, zone, query)
        at, key = listing.at, listing.key
        place = listing.row._fields.index
        last: tuple[int, str] = (-(1 << 62), "")
        while True:
            found = await self._database.query(
                f"SELECT {listing.columns} FROM {listing.table} WHERE {where} "
                f"AND ({at} > ? OR ({at} = ? AND {key} > ?)) ORDER BY {at}, {key} LIMIT ?",
                [*values, last[0], last[0], last[1], _BATCH],
            )
            if found:
                yield [listing.row(*row) for row in found]
            if len(found) < _BATCH:
                return
            last = (found[-1][place(at)], found[-1][place(key)])

    async def one(self, listing: Listing, office: str, key: str) -> Any | None:
        """Return the row with a key, if it is the office's."""
        rows = await self._database.query(
            f"SELECT {listing.columns} FROM {listing.table} WHERE office = ? AND {listing.key} = ?",
            (office, key),
        )
        return listing.row(*rows[0]) if rows else None

    async def last_bill(self, office: str, number: str) -> tables.BillRow | None:
        """Return the last bill of a registration number of the office."""
        rows = await self._database.query(
            f"SELECT {BILLS.columns} FROM treasury_bills WHERE office = ? AND number = ? "
            "ORDER BY issued_us DESC, bill_id LIMIT 1",
            (office, number),
        )
        return tables.BillRow(*rows[0]) if rows else None
