"""Proves the days whose picture changed, from the tables and against the files' own control sums.

Nothing is proved while something is still to be looked at. A day whose sums do not agree is not
proved at all: it is named in the log and in the day's row until they do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from services.payment.settlement.closing import (
    DECIDER,
    UNSETTLED,
    ProveDay,
    SumsDisagree,
    closing_stream,
)
from services.payment.settlement.effects import BY
from services.payment.settlement.facts import Class
from services.payment.settlement.partners import Partners
from shared.contracts.payment import ClassTotal
from shared.database import Database, Transaction
from shared.events import to_micros
from shared.handle import Handler
from shared.ids import derived_id
from shared.service import Now
from shared.telemetry import log

_PAGE: Final = 5_000
_AT_ONCE: Final = 100
# Events that follow from a class are on their way to the tables for a moment; not for a minute.
PATIENCE_US: Final = 60_000_000
_SETTLING = (Class.MATCHED, Class.SETTLED_NO_CALLBACK, Class.LATE, Class.DUPLICATE)


@dataclass
class _Picture:
    """A day's lines and unsettled payments, counted and digested one by one."""

    counts: dict[str, int] = field(default_factory=dict)
    amounts: dict[str, int] = field(default_factory=dict)
    digest: hashlib._Hash = field(default_factory=hashlib.sha256)
    unplaced: int = 0

    def add(self, what: str, name: str, amount: int) -> None:
        self.counts[name] = self.counts.get(name, 0) + 1
        self.amounts[name] = self.amounts.get(name, 0) + amount
        self.digest.update(f"{what} {amount} {name}\n".encode())
        self.unplaced += name == ""

    def classes(self) -> tuple[ClassTotal, ...]:
        return tuple(
            ClassTotal(name=name, count=self.counts[name], amount=self.amounts[name])
            for name in sorted(self.counts)
        )


class Prover:
    """Gives ``ProveDay`` for every day that is over and whose picture changed."""

    def __init__(self, database: Database, handler: Handler, partners: Partners, now: Now) -> None:
        """``partners`` say when their day is over."""
        self._database = database
        self._handler = handler
        self._partners = partners
        self._now = now

    async def work(self) -> None:
        """Prove what can be proved now."""
        now = self._now()
        for partner in self._partners.settling():
            today = partner.rules(now).today.isoformat()
            busy = await self._database.query(
                "SELECT 1 FROM settlement_lines WHERE dirty > 0 AND accepted = 1 AND partner = ? "
                "UNION ALL SELECT 1 FROM settlement_moneys WHERE dirty > 0 AND partner = ? LIMIT 1",
                (partner.id, partner.id),
            )
            if busy:
                continue
            days = await self._database.query(
                "SELECT day, changed FROM settlement_days WHERE changed > 0 AND partner = ? "
                "AND day < ? ORDER BY day LIMIT ?",
                (partner.id, today, _AT_ONCE),
            )
            for day, changed in days:
                await self._prove(partner.id, day, changed)

    async def _prove(self, partner: str, day: str, changed: int) -> None:
        wrong = await self._wrong(partner, day)
        if not wrong:
            wrong = await self._proved(partner, day)
        now = to_micros(self._now())

        def note(tx: Transaction) -> bool:
            if not wrong:
                tx.execute(
                    "UPDATE settlement_days SET failed = '', failing_us = 0, "
                    "changed = CASE WHEN changed = ? THEN 0 ELSE changed END "
                    "WHERE partner = ? AND day = ?",
                    (changed, partner, day),
                )
                return False
            rows = tx.execute(
                "UPDATE settlement_days SET failing_us = CASE WHEN failing_us = 0 THEN ? "
                "ELSE failing_us END WHERE partner = ? AND day = ? RETURNING failing_us, failed",
                (now, partner, day),
            )
            since, known = rows[0]
            late: bool = now - since >= PATIENCE_US and known != wrong
            if late:
                tx.execute(
                    "UPDATE settlement_days SET failed = ? WHERE partner = ? AND day = ?",
                    (wrong, partner, day),
                )
            return late

        if await self._database.transaction(note):
            log.error("settlement_day_not_proved", partner=partner, day=day, reason=wrong)

    async def _proved(self, partner: str, day: str) -> str:
        """Give the command. Return why not, or nothing."""
        picture = await self._picture(partner, day)
        settled, lines = (
            await self._database.query(
                "SELECT COALESCE(SUM(amount), 0), COUNT(*) FROM settlement_lines "
                "WHERE partner = ? AND value_on = ? AND accepted = 1",
                (partner, day),
            )
        )[0]
        if picture.unplaced:
            return "unplaced"
        digest = picture.digest.hexdigest()
        command = ProveDay(
            partner=partner,
            day=day,
            settled=int(settled),
            lines=lines,
            classes=picture.classes(),
            digest=digest,
            now=self._now(),
            by=BY,
        )
        stream = closing_stream(partner, day)
        try:
            before = (await self._handler.load(DECIDER, stream)).version
            await self._handler.handle(
                DECIDER,
                stream,
                command,
                # A picture may come back; each change of it is proved.
                cause=derived_id("settlement-proof", partner, day, before, digest),
                application=derived_id("closing", partner, day),
            )
        except SumsDisagree as refused:
            return refused.code
        return ""

    async def _picture(self, partner: str, day: str) -> _Picture:
        """Digest the day's lines file by file, a page at a time: a file may have a million."""
        picture = _Picture()
        for (settlement,) in await self._files(partner, day):
            last = 0
            while rows := await self._database.query(
                "SELECT line, class, amount FROM settlement_lines WHERE settlement_id = ? "
                "AND line > ? AND value_on = ? AND accepted = 1 ORDER BY line LIMIT ?",
                (settlement, last, day, _PAGE),
            ):
                for line, name, amount in rows:
                    picture.add(f"line {settlement}:{line}", name, amount)
                last = rows[-1][0]
        for request, reference, name, amount in await self._database.query(
            "SELECT request_id, reference, class, amount FROM settlement_moneys "
            "WHERE partner = ? AND paid_on = ? AND class IN (?, ?) "
            "ORDER BY request_id, reference, money_id",
            (partner, day, *sorted(UNSETTLED)),
        ):
            picture.add(f"payment {request} {reference}", name, amount)
        return picture

    async def _files(self, partner: str, day: str) -> Iterator[tuple[str]]:
        rows = await self._database.query(
            "SELECT settlement_id FROM settlement_files WHERE partner = ? AND state = 'accepted' "
            "AND first_day <= ? AND last_day >= ? ORDER BY settlement_id",
            (partner, day, day),
        )
        return ((row[0],) for row in rows)

    async def _wrong(self, partner: str, day: str) -> str:
        """Return what does not agree with the files' control sums or with the books, if anything.

        Both were written by others: the files' sums when they were accepted, the books by the
        bills' and the suspense cases' own events.
        """
        missing = await self._database.query(
            "SELECT 1 FROM settlement_files f WHERE f.partner = ? AND f.state = 'accepted' "
            "AND f.first_day <= ? AND f.last_day >= ? AND (f.lines, f.credits - f.debits) <> "
            "(SELECT COUNT(*), COALESCE(SUM(l.amount), 0) FROM settlement_lines l "
            "WHERE l.settlement_id = f.settlement_id) LIMIT 1",
            (partner, day, day),
        )
        if missing:
            return "lines-missing"
        marks = ", ".join("?" * len(_SETTLING))
        classes = await self._database.query(
            "SELECT COALESCE(SUM(amount), 0) FROM settlement_lines "
            f"WHERE partner = ? AND value_on = ? AND accepted = 1 AND class IN ({marks})",
            (partner, day, *_SETTLING),
        )
        books = await self._database.query(
            "SELECT COALESCE(SUM(m.amount), 0) FROM settlement_lines l JOIN settlement_moneys m "
            "ON m.settlement_id = l.settlement_id AND m.line = l.line AND m.settlement_id <> '' "
            f"WHERE l.partner = ? AND l.value_on = ? AND l.accepted = 1 AND l.class IN ({marks})",
            (partner, day, *_SETTLING),
        )
        if classes != books:
            return "books-differ"
        orphans = await self._database.query(
            "SELECT 1 FROM settlement_lines WHERE partner = ? AND value_on = ? AND class = ? "
            "AND suspense_id = '' LIMIT 1",
            (partner, day, Class.ORPHAN_CREDIT),
        )
        return "orphan-not-held" if orphans else ""
