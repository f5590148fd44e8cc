"""What payment does about other services' events, and about money that an officer allocated.

==========================  =================================================
FeeAssessed                 IssueBill (again: the revised one), or RejectBilling
PermitRejected              CancelBill
PermitWithdrawn             CancelBill
ApplicationWithdrawn        CancelBill
SuspenseAllocated           RecordPayment
==========================  =================================================
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from zoneinfo import ZoneInfo

from services.payment.banks.profile import Banks
from services.payment.bill import (
    DECIDER,
    CancelBill,
    IssueBill,
    RecordPayment,
    RejectBilling,
    bill_stream,
)
from services.payment.measures import CannotCalculate
from services.payment.tariff import PaymentSection, Tariff
from shared.actors import system
from shared.contracts.intake import ApplicationWithdrawn
from shared.contracts.payment import SuspenseAllocated
from shared.contracts.workflow import FeeAssessed, PermitRejected, PermitWithdrawn
from shared.errors import BadConfiguration, Refused
from shared.events import Recorded
from shared.handle import Handler
from shared.offices import Catalogue, section
from shared.reactions import Reaction

BY = system("payment")


class NoTariff(CannotCalculate):
    """A fee was assessed for a permit type that is free, unknown or wrongly configured."""

    code = "no-tariff"
    text = "The fee can't be computed: this permit type has no tariff."


class Reactions:
    """The table above, bound to the parts it needs."""

    def __init__(
        self, handler: Handler, catalogue: Catalogue, banks: Banks, now: Callable[[], datetime]
    ) -> None:
        """``now`` is the instant of the reaction; the office's zone makes it a date."""
        self._handler = handler
        self._catalogue = catalogue
        self._banks = banks
        self._now = now

    def table(self) -> dict[type, Reaction]:
        """Return event class -> reaction."""
        return {
            FeeAssessed: self.on_fee_assessed,
            PermitRejected: self.on_ended,
            PermitWithdrawn: self.on_ended,
            ApplicationWithdrawn: self.on_ended,
            SuspenseAllocated: self.on_allocated,
        }

    async def on_fee_assessed(self, event: FeeAssessed, recorded: Recorded) -> None:
        """Issue the bill, or note why there is none."""
        try:
            command: IssueBill | RejectBilling = self._issue(event)
            await self._handle(command, event.application_id, recorded)
        except Refused as refusal:
            command = RejectBilling(
                application_id=event.application_id,
                number=event.number,
                office=event.office,
                reason=refusal.code,
                now=self._now(),
                by=BY,
            )
            await self._handle(command, event.application_id, recorded)

    async def on_ended(
        self, event: PermitRejected | PermitWithdrawn | ApplicationWithdrawn, recorded: Recorded
    ) -> None:
        """Stop asking for the money."""
        reason = "rejected" if isinstance(event, PermitRejected) else "withdrawn"
        command = CancelBill(reason=reason, now=self._now(), by=BY)
        await self._handle(command, event.application_id, recorded)

    async def on_allocated(self, event: SuspenseAllocated, recorded: Recorded) -> None:
        """Pay the bill with money that was held. What does not fit after all is held anew."""
        paid_at = datetime.fromisoformat(event.paid_at)
        command = RecordPayment(
            amount=event.amount,
            partner=event.partner,
            request_id=event.allocation_id,
            reference=event.allocation_id,
            paid_at=event.paid_at,
            paid_on=paid_at.astimezone(self._zone(event.office)).date(),
            now=self._now(),
            by=BY,
            source="suspense",
            landed=True,
        )
        await self._handle(command, event.application_id, recorded)

    async def _handle(
        self,
        command: IssueBill | RejectBilling | CancelBill | RecordPayment,
        application: str,
        recorded: Recorded,
    ) -> None:
        await self._handler.handle(
            DECIDER,
            bill_stream(application),
            command,
            cause=recorded.event_id,
            application=application,
        )

    def _issue(self, event: FeeAssessed) -> IssueBill:
        if event.office not in self._catalogue.offices:
            raise NoTariff
        now = self._now()
        today = now.astimezone(self._zone(event.office)).date()
        return IssueBill(
            application_id=event.application_id,
            number=event.number,
            office=event.office,
            permit_type=event.permit_type,
            tariff=self._tariff(event.permit_type, event.permit_version, today),
            measures=event.measures,
            virtual_account=self._banks.virtual_account(event.office, event.number),
            today=today,
            now=now,
            by=BY,
        )

    def _zone(self, office: str) -> ZoneInfo:
        return ZoneInfo(self._catalogue.offices[office].zone)

    def _tariff(self, permit_type: str, version: int, day: date) -> Tariff:
        kind = self._catalogue.types.get((permit_type, version))
        if kind is None:
            raise NoTariff
        try:
            found = section(kind, "payment", PaymentSection)
        except BadConfiguration as error:
            raise NoTariff from error
        if found.free:
            raise NoTariff
        return found.in_force(day)
