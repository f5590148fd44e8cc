"""A treasurer says which payment a line belongs to, or that its money is for suspense."""

from __future__ import annotations

from dataclasses import dataclass

from services.payment.settlement.commands import (
    ExplainLine,
    MatchLine,
    Saying,
    WriteToSuspense,
)
from services.payment.settlement.facts import Class
from services.payment.settlement.file import (
    DECIDER,
    file_stream,
)
from services.payment.settlement.refusals import (
    NoSuchLine,
)
from services.payment.settlement.views import LineRow, SettlementViews
from shared.actors import Actor
from shared.errors import NotFound
from shared.handle import Handler
from shared.service import Now


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What was said: the line, the application, and the payment's receipt number or request id.

    ``reference`` is empty for money that nobody reported, which then counts for the bill.
    """

    settlement_id: str
    line: int
    application_id: str
    reference: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Aside:
    """What was said: this line is about no bill that is known, and why.

    The money of a credit is then held; of a debit the reason says what it is.
    """

    settlement_id: str
    line: int
    reason: str


def waits(row: LineRow) -> bool:
    """Say whether a line waits for its place, or for a person."""
    return row.name in (Class.PENDING, "")


def may_be_held(row: LineRow) -> bool:
    """Say whether a person may write a line to suspense: a credit that waits."""
    return waits(row) and row.amount > 0 and not row.reverses


def may_be_explained(row: LineRow) -> bool:
    """Say whether a person may say what a line is: a debit that waits."""
    return waits(row) and row.amount < 0


class Matcher:
    """Carries what a person says of a line to its file."""

    def __init__(self, handler: Handler, views: SettlementViews, now: Now) -> None:
        """``views`` say whether the line waits for somebody, and what an application owes."""
        self._handler = handler
        self._views = views
        self._now = now

    async def match(self, said: Match, by: Actor, cause: str) -> int:
        """Record what a person said; return the position, to read one's own write.

        Raises NotFound for a line of another office or an application without a bill, NotAllowed,
        NoSuchLine, LineNotWaiting, LineMatchedOtherwise, ReasonNeeded, OriginalNeeded.
        """
        row = await self._views.line(said.settlement_id, said.line)
        if row is None:
            raise NoSuchLine
        holds = row.partner in self._views.partners_of(by.office)
        bill = await self._views.bill_of(said.application_id)
        if not bill or not (holds or row.office == by.office):
            raise NotFound
        command = MatchLine(
            line=said.line,
            application_id=said.application_id,
            bill_id=bill,
            reference=said.reference,
            reason=said.reason,
            waits=waits(row),
            now=self._now(),
            by=by,
            debit=row.amount < 0,
        )
        return await self._say(said.settlement_id, command, cause)

    async def put_aside(self, said: Aside, by: Actor, cause: str) -> int:
        """Record that a line's money goes to suspense; return the position.

        Raises NotFound for a line of an account that another office holds, NotAllowed, NoSuchLine,
        LineNotWaiting (also for a part of a credit that payments were settled with),
        LineMatchedOtherwise, ReasonNeeded.
        """
        row = await self._held_by(said, by)
        free = not await self._views.settles(said.settlement_id, said.line)
        command = WriteToSuspense(
            line=said.line,
            reason=said.reason,
            waits=free and may_be_held(row),
            now=self._now(),
            by=by,
        )
        return await self._say(said.settlement_id, command, cause)

    async def explain(self, said: Aside, by: Actor, cause: str) -> int:
        """Record what a debit is that takes no payment back; return the position.

        Raises as ``put_aside`` does.
        """
        row = await self._held_by(said, by)
        command = ExplainLine(
            line=said.line,
            reason=said.reason,
            waits=may_be_explained(row),
            now=self._now(),
            by=by,
        )
        return await self._say(said.settlement_id, command, cause)

    async def _held_by(self, said: Aside, by: Actor) -> LineRow:
        """Return the line, of an account that the person's office holds."""
        row = await self._views.line(said.settlement_id, said.line)
        if row is None:
            raise NoSuchLine
        if row.partner not in self._views.partners_of(by.office):
            raise NotFound
        return row

    async def _say(self, settlement_id: str, command: Saying, cause: str) -> int:
        outcome = await self._handler.handle(
            DECIDER,
            file_stream(settlement_id),
            command,
            cause=cause,
            application=settlement_id,
        )
        return outcome.position
