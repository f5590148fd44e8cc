"""What payment does about other services' events.

==========================  ==============================================
FeeAssessed                 IssueBill, or RejectBilling when none can be
PermitRejected              CancelBill
PermitWithdrawn             CancelBill
ApplicationWithdrawn        CancelBill
==========================  ==============================================
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from services.payment.banks.profile import Banks
from services.payment.bill import DECIDER, CancelBill, IssueBill, RejectBilling, bill_stream
from services.payment.tariff import CannotCalculate, PaymentSection, Tariff
from shared.actors import system
from shared.contracts.intake import ApplicationWithdrawn
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

    async def _handle(
        self, command: IssueBill | RejectBilling | CancelBill, application: str, recorded: Recorded
    ) -> None:
        await self._handler.handle(
            DECIDER,
            bill_stream(application),
            command,
            cause=recorded.event_id,
            application=application,
        )

    def _issue(self, event: FeeAssessed) -> IssueBill:
        now, office = self._now(), self._catalogue.offices.get(event.office)
        tariff = self._tariff(event.permit_type, event.permit_version)
        virtual_account = self._banks.virtual_account(event.office, event.number)
        if office is None:
            raise NoTariff
        return IssueBill(
            application_id=event.application_id,
            number=event.number,
            office=event.office,
            permit_type=event.permit_type,
            tariff=tariff,
            measures=event.measures,
            virtual_account=virtual_account,
            today=now.astimezone(ZoneInfo(office.zone)).date(),
            now=now,
            by=BY,
        )

    def _tariff(self, permit_type: str, version: int) -> Tariff:
        kind = self._catalogue.types.get((permit_type, version))
        if kind is None:
            raise NoTariff
        try:
            tariff = section(kind, "payment", PaymentSection).tariff
        except BadConfiguration as error:
            raise NoTariff from error
        if tariff is None:
            raise NoTariff
        return tariff
