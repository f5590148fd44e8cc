"""What the bank side does about payment's own events.

==================================================  =============================================
BillIssued                                          tell the bank; ask about what was parked
BillCancelled, BillExpired, BillReplaced            tell the bank
PaymentReversed                                     tell the bank: the bill is owed again
==================================================  =============================================
"""

from __future__ import annotations

from collections.abc import Callable

from services.payment.banks.announcements import Announcements
from services.payment.banks.dialects import LegacyVaProfile, SnapProfile
from services.payment.banks.doubts import Doubts
from services.payment.banks.profile import Banks
from services.payment.banks.recording import Payee, Recorder
from shared.contracts.payment import (
    BillCancelled,
    BillExpired,
    BillIssued,
    BillReplaced,
    PaymentReversed,
)
from shared.events import Recorded
from shared.reactions import Reaction

Changed = BillCancelled | BillExpired | BillReplaced | PaymentReversed


class News:
    """The table above, bound to the parts it needs."""

    def __init__(
        self,
        banks: Banks,
        doubts: Doubts,
        announcements: Announcements,
        recorder: Recorder,
        wake: Callable[[], None],
    ) -> None:
        """``wake`` has the banks called soon."""
        self._recorder = recorder
        self._announcements = announcements
        self._doubts = doubts
        self._wake = wake
        # Only a bill's issue names its office; later events find who was told by the application.
        self._told = [
            profile
            for profile in banks.all
            if isinstance(profile, SnapProfile | LegacyVaProfile)
            and profile.calls is not None
            and profile.calls.announce
        ]

    def table(self) -> dict[type, Reaction]:
        """Return event class -> reaction."""
        return {
            BillIssued: self.on_issued,
            BillCancelled: self.on_changed,
            BillExpired: self.on_changed,
            BillReplaced: self.on_changed,
            PaymentReversed: self.on_changed,
        }

    async def on_issued(self, event: BillIssued, recorded: Recorded) -> None:
        """Have the office's bank told, and have it asked about what came before the bill."""
        self._recorder.learn(event.virtual_account, Payee(event.application_id, event.office))
        for profile in self._told:
            if profile.serves(event.office):
                await self._announcements.mark(profile.id, event.application_id, recorded.position)
        await self._doubts.bill_appeared(event.virtual_account)
        self._wake()

    async def on_changed(self, event: Changed, recorded: Recorded) -> None:
        """Have whoever was told of the bill hear of its change."""
        for profile in self._told:
            await self._announcements.mark_known(
                profile.id, event.application_id, recorded.position
            )
        self._wake()
