"""What workflow does about other services' events, and about a permit that renews another one.

=====================  ================  ==================  =====================================
event                  command           when it is refused  so that
=====================  ================  ==================  =====================================
ApplicationRegistered  OpenPermit        RejectOpening       the procedure and its clock begin
ApplicationCorrected   ResumePermit                          the clock goes on after a correction
ApplicationWithdrawn   WithdrawPermit    RejectWithdrawal    nobody works on it any more
PaymentReceived        SettleFee         RejectSettlement    the permit goes on after the payment
PaymentReversed        UnsettleFee                           it waits again until it is paid
PermitIssued           RenewPermit       RejectRenewal       the permit it renews ends
=====================  ================  ==================  =====================================

Commands are given at the instant of their event, however late we hear of it: an applicant's clock
must not pay for our queue. A bill that replaces another one changes nothing here: the permit waits
until one of them is paid. An application that is forwarded has no permit yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.workflow.afterwards import OtherPermit
from services.workflow.commands import (
    Command,
    OpenPermit,
    RejectOpening,
    RejectRenewal,
    RejectSettlement,
    RejectWithdrawal,
    RenewPermit,
    ResumePermit,
    SettleFee,
    UnsettleFee,
    WithdrawPermit,
)
from services.workflow.permit import DECIDER, stream
from services.workflow.refusals import NotWaitingForPayment
from services.workflow.sop import Sops
from services.workflow.states import NotOpened
from services.workflow.status import Tracker
from services.workflow.views import Views
from shared.actors import system
from shared.contracts.intake import (
    ApplicationCorrected,
    ApplicationRegistered,
    ApplicationSubmitted,
    ApplicationWithdrawn,
)
from shared.contracts.payment import PaymentReceived, PaymentReversed
from shared.contracts.workflow import PermitIssued
from shared.errors import BadConfiguration, NotFound, Refused
from shared.events import Recorded
from shared.handle import Handler
from shared.reactions import Reaction
from shared.telemetry import log

_BY = system("workflow")


class Reactions:
    """Turns events into commands on permits."""

    def __init__(self, handler: Handler, sops: Sops, tracker: Tracker, views: Views) -> None:
        """Command through ``handler``, with the procedures of ``sops``.

        ``tracker`` and ``views`` find the permit that another one renews.
        """
        self._handler = handler
        self._sops = sops
        self._tracker = tracker
        self._views = views

    def table(self) -> Mapping[type[Any], Reaction]:
        """Return event type -> reaction."""
        return {
            ApplicationRegistered: self.open,
            ApplicationCorrected: self.resume,
            ApplicationWithdrawn: self.withdraw,
            PaymentReceived: self.settle,
            PaymentReversed: self.unsettle,
            PermitIssued: self.renew,
        }

    async def open(self, event: ApplicationRegistered, recorded: Recorded) -> None:
        """Let the registered application enter the procedure it will keep."""
        try:
            sop = self._sops.of(event.office, event.permit_type, event.permit_version)
        except BadConfiguration as error:
            log.error("permit_not_opened", correlation_id=event.application_id, code=error.code)
            await self._give(
                RejectOpening(
                    now=recorded.occurred_at,
                    by=_BY,
                    application_id=event.application_id,
                    reason=error.code,
                ),
                recorded,
            )
            return
        # Whoever imports a foreign log also writes down when its permits were opened.
        if sop.foreign:
            return
        await self._give(
            OpenPermit(
                now=recorded.occurred_at,
                by=_BY,
                sop=sop,
                application_id=event.application_id,
                number=event.number,
                office=event.office,
                permit_type=event.permit_type,
                permit_version=event.permit_version,
                planned_end=event.planned_end,
            ),
            recorded,
        )

    async def resume(self, event: ApplicationCorrected, recorded: Recorded) -> None:
        """Go on where the permit was returned; corrections before registration do nothing."""
        await self._give(ResumePermit(now=recorded.occurred_at, by=_BY), recorded)

    async def withdraw(self, event: ApplicationWithdrawn, recorded: Recorded) -> None:
        """End the permit, unless the office has decided already."""
        try:
            await self._give(WithdrawPermit(now=recorded.occurred_at, by=_BY), recorded)
        except Refused as refusal:
            await self._give(
                RejectWithdrawal(
                    now=recorded.occurred_at,
                    by=_BY,
                    application_id=event.application_id,
                    reason=refusal.code,
                ),
                recorded,
            )

    async def settle(self, event: PaymentReceived, recorded: Recorded) -> None:
        """Let the permit go on; a payment that nobody waits for is for people to look at."""
        try:
            await self._settle(event, recorded)
        except Refused as refusal:
            await self._give(
                RejectSettlement(
                    now=recorded.occurred_at,
                    by=_BY,
                    application_id=event.application_id,
                    bill_id=event.bill_id,
                    reason=refusal.code,
                ),
                recorded,
            )

    async def _settle(self, event: PaymentReceived, recorded: Recorded) -> None:
        state = (await self._handler.load(DECIDER, stream(event.application_id))).state
        if isinstance(state, NotOpened):
            raise NotWaitingForPayment
        opened = state.file.opened
        command = SettleFee(
            now=recorded.occurred_at,
            by=_BY,
            sop=self._sops.of(opened.office, opened.permit_type, opened.permit_version),
            bill_id=event.bill_id,
            amount=event.amount,
            paid_at=event.paid_at,
        )
        await self._give(command, recorded)

    async def unsettle(self, event: PaymentReversed, recorded: Recorded) -> None:
        """Let the permit wait for its payment again."""
        # Money that payment had set aside was never this permit's.
        if event.suspense_id:
            return
        command = UnsettleFee(now=recorded.occurred_at, by=_BY, bill_id=event.bill_id)
        try:
            await self._give(command, recorded)
        except Refused as refusal:
            # The permit never went on because of this payment: it still waits, if it does.
            log.info("reversal_ignored", correlation_id=event.application_id, code=refusal.code)

    async def renew(self, event: PermitIssued, recorded: Recorded) -> None:
        """End the permit whose place the new one takes; note why, where it takes none."""
        submission = (await self._tracker.case(event.application_id)).dossier.submission
        if submission is None or not submission.renews:
            return
        try:
            await self._renew(submission, recorded)
        except (Refused, NotFound) as refusal:
            await self._give(
                RejectRenewal(
                    now=recorded.occurred_at,
                    by=_BY,
                    application_id=event.application_id,
                    renews=submission.renews,
                    reason=refusal.code,
                ),
                recorded,
            )

    async def _renew(self, submission: ApplicationSubmitted, recorded: Recorded) -> None:
        found = await self._views.find(submission.renews.strip().upper())
        if found is None:
            raise NotFound
        before = (await self._tracker.case(found.application_id)).dossier.submission
        # Nobody ends somebody else's permit by naming its number.
        same = before is not None and (
            (before.permit_type, before.applicant.nik)
            == (submission.permit_type, submission.applicant.nik)
        )
        if not same:
            raise OtherPermit
        await self._handler.handle(
            DECIDER,
            stream(found.application_id),
            RenewPermit(now=recorded.occurred_at, by=_BY, renewed_by=submission.number),
            cause=recorded.event_id,
            application=found.application_id,
        )

    async def _give(self, command: Command, recorded: Recorded) -> None:
        await self._handler.handle(
            DECIDER,
            stream(recorded.correlation_id),
            command,
            cause=recorded.event_id,
            application=recorded.correlation_id,
        )
