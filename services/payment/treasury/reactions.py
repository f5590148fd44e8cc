"""What the treasury does about what happened to bills and banks' money.

==========================  ==============================================
PaymentSetAside             OpenSuspense
DuplicatePaymentFound       OpenSuspense
PaymentReversed             ReverseSuspense, when the money was set aside
AllocationReversed          ReversePayment on the bill that the money paid
==========================  ==============================================
"""

from __future__ import annotations

from services.payment.bill import DECIDER as BILL
from services.payment.bill import ReversePayment, bill_stream
from services.payment.suspense import DECIDER, OpenSuspense, ReverseSuspense, suspense_stream
from shared.actors import system
from shared.contracts.payment import (
    AllocationReversed,
    DuplicatePaymentFound,
    PaymentReversed,
    PaymentSetAside,
)
from shared.events import Recorded
from shared.handle import Handler
from shared.reactions import Reaction
from shared.service import Now

BY = system("payment")


class SuspenseReactions:
    """The table above, bound to the parts it needs."""

    def __init__(self, handler: Handler, now: Now) -> None:
        """``now`` is the instant of the reaction."""
        self._handler = handler
        self._now = now

    def table(self) -> dict[type, Reaction]:
        """Return event class -> reaction."""
        return {
            PaymentSetAside: self.on_set_aside,
            DuplicatePaymentFound: self.on_set_aside,
            PaymentReversed: self.on_reversed,
            AllocationReversed: self.on_allocation_reversed,
        }

    async def on_set_aside(
        self, event: PaymentSetAside | DuplicatePaymentFound, recorded: Recorded
    ) -> None:
        """Hold the money until people decide."""
        command = OpenSuspense(
            suspense_id=event.suspense_id,
            office=event.office,
            partner=event.partner,
            amount=event.amount,
            reason=event.reason if isinstance(event, PaymentSetAside) else "duplicate",
            source=event.source,
            reference=event.reference,
            request_id=event.request_id,
            application_id=event.application_id,
            bill_id=event.bill_id,
            paid_at=event.paid_at,
            now=self._now(),
            by=BY,
        )
        await self._suspend(event.suspense_id, command, recorded)

    async def on_reversed(self, event: PaymentReversed, recorded: Recorded) -> None:
        """Close the case of money that the bank took back."""
        if not event.suspense_id:
            return
        command = ReverseSuspense(
            reversed_at=event.reversed_at, reason=event.reason, now=self._now(), by=BY
        )
        await self._suspend(event.suspense_id, command, recorded)

    async def on_allocation_reversed(self, event: AllocationReversed, recorded: Recorded) -> None:
        """Undo the payment that the money was used for."""
        await self._handler.handle(
            BILL,
            bill_stream(event.application_id),
            ReversePayment(
                amount=event.amount,
                partner=event.partner,
                request_id=event.allocation_id,
                reference=event.allocation_id,
                reversed_at=event.reversed_at,
                reason="",
                now=self._now(),
                by=BY,
            ),
            cause=recorded.event_id,
            application=event.application_id,
        )

    async def _suspend(
        self, suspense_id: str, command: OpenSuspense | ReverseSuspense, recorded: Recorded
    ) -> None:
        await self._handler.handle(
            DECIDER,
            suspense_stream(suspense_id),
            command,
            cause=recorded.event_id,
            application=recorded.correlation_id,
        )
