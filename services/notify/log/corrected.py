"""An applicant's number was put right: what did not arrive at the old one goes to the new."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.notify.log.lists import Lists
from services.notify.log.reasons import reason_of
from services.notify.log.resend import Resending
from shared.contracts.intake import ApplicantPhoneCorrected
from shared.errors import Refused
from shared.events import Recorded
from shared.reactions import Reaction

# Nobody wants more at once of what they missed; the rest is in the list for people to send.
MOST = 10


class Corrections:
    """Hears of corrected numbers."""

    def __init__(self, lists: Lists, resending: Resending) -> None:
        """``lists`` know what failed; ``resending`` looks at each message itself."""
        self._lists = lists
        self._resending = resending

    def table(self) -> Mapping[type[Any], Reaction]:
        """Return event class -> reaction."""
        return {ApplicantPhoneCorrected: self.on_corrected}

    async def on_corrected(self, event: ApplicantPhoneCorrected, recorded: Recorded) -> None:
        """Send again, oldest first, what failed for the sake of the number."""
        for message_id, reason in await self._lists.undelivered(event.application_id, MOST):
            if not reason_of(reason).number:
                continue
            try:
                await self._resending.to_new_number(message_id, recorded.event_id)
            except Refused:
                # Sent anew by hand meanwhile, or its new recipient wants no messages.
                continue
