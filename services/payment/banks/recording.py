"""From a partner's word to the bill's stream: the one way for all dialects."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from services.payment.banks.dialects import AnyProfile
from services.payment.bill import (
    DECIDER,
    Bill,
    NoteContradiction,
    RecordPayment,
    ReversePayment,
    bill_stream,
)
from services.payment.views import BillViews
from shared.actors import bank
from shared.handle import Handler, Outcome
from shared.ids import derived_id
from shared.offices import Catalogue

# How many accounts are remembered: those of the bills that are being paid these days.
_REMEMBERED: Final = 20_000


class Payee(NamedTuple):
    """Whose virtual account it is. It never becomes another application's."""

    application_id: str
    office: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """One payment as a partner tells it: rupiah, its request id and reference, its own time.

    ``landed`` says that the money is with the bank whatever we say to it.
    """

    amount: int
    request_id: str
    reference: str
    paid_at: datetime
    source: str = "callback"
    landed: bool = False


class Recorder:
    """Finds the bill of an account and carries the partner's words to it."""

    def __init__(
        self,
        handler: Handler,
        views: BillViews,
        catalogue: Catalogue,
        now: Callable[[], datetime],
    ) -> None:
        """``views`` finds whose account it is; what is owed always comes from the store."""
        self._handler = handler
        self._views = views
        self._catalogue = catalogue
        self._now = now
        self._payees: OrderedDict[str, Payee] = OrderedDict()

    async def payee(self, profile: AnyProfile, virtual_account: str) -> Payee | None:
        """Return whose account it is; None when no bill of an office of the partner's has it."""
        known = self._payees.get(virtual_account)
        if known is None:
            row = await self._views.by_account(virtual_account)
            if row is None:
                return None
            known = Payee(row.application_id, row.office)
            self.learn(virtual_account, known)
        return known if profile.serves(known.office) else None

    def learn(self, virtual_account: str, payee: Payee) -> None:
        """Remember whose account it is, so that nobody has to look it up."""
        self._payees[virtual_account] = payee
        if len(self._payees) > _REMEMBERED:
            self._payees.popitem(last=False)

    async def bill(self, payee: Payee) -> Bill:
        """Return the present state of an application's bills."""
        return (await self._handler.load(DECIDER, bill_stream(payee.application_id))).state

    async def history(self, payee: Payee) -> Sequence[object]:
        """Return the events of an application's bills, in order."""
        recorded = await self._handler.store.read_stream(bill_stream(payee.application_id))
        return [self._handler.codec.decode(one) for one in recorded]

    async def record(self, profile: AnyProfile, payee: Payee, money: Money) -> Outcome[Bill]:
        """Record a payment. Raises the bill's refusals unless the money has landed."""
        command = RecordPayment(
            amount=money.amount,
            partner=profile.id,
            request_id=money.request_id,
            reference=money.reference,
            paid_at=bank_time(profile, money.paid_at),
            paid_on=money.paid_at.astimezone(self.zone(payee.office)).date(),
            now=self._now(),
            by=bank(profile.id),
            source=money.source,
            landed=money.landed,
        )
        name = money.request_id or money.reference
        # Not the name alone: a request that contradicts itself must be decided anew.
        cause = derived_id("payment", profile.id, name, money.amount, money.source)
        return await self._handle(payee, command, cause)

    async def reverse(
        self, profile: AnyProfile, payee: Payee, money: Money, reason: str
    ) -> Outcome[Bill]:
        """Record that the partner took a payment back at ``money.paid_at``. Raises Refused."""
        command = ReversePayment(
            amount=money.amount,
            partner=profile.id,
            request_id=money.request_id,
            reference=money.reference,
            reversed_at=bank_time(profile, money.paid_at),
            reason=reason,
            now=self._now(),
            by=bank(profile.id),
        )
        name = money.request_id or money.reference
        return await self._handle(payee, command, derived_id("reversal", profile.id, name))

    async def contradict(
        self, profile: AnyProfile, payee: Payee, request_id: str, amount: int, account: str
    ) -> None:
        """Record that a known payment was told otherwise. Raises Refused."""
        command = NoteContradiction(
            partner=profile.id,
            request_id=request_id,
            amount=amount,
            virtual_account=account,
            now=self._now(),
            by=bank(profile.id),
        )
        cause = derived_id("contradiction", profile.id, request_id, amount, account)
        await self._handle(payee, command, cause)

    def zone(self, office: str) -> ZoneInfo:
        """Return an office's time zone."""
        return ZoneInfo(self._catalogue.offices[office].zone)

    async def _handle(
        self,
        payee: Payee,
        command: RecordPayment | ReversePayment | NoteContradiction,
        cause: str,
    ) -> Outcome[Bill]:
        application = payee.application_id
        return await self._handler.handle(
            DECIDER, bill_stream(application), command, cause=cause, application=application
        )


def bank_time(profile: AnyProfile, at: datetime) -> str:
    """Return an instant as the partner's own clock shows it (ISO 8601)."""
    return at.astimezone(profile.zone).isoformat(timespec="seconds")
