"""What intake does about other services' events.

=================  =====================  ========================================================
event              command                so that
=================  =====================  ========================================================
PermitReturned     ReopenForCorrection    the applicant corrects in the one place they know
=================  =====================  ========================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.intake.application import DECIDER
from services.intake.commands import ReopenForCorrection
from services.intake.states import stream
from shared.actors import system
from shared.contracts.workflow import PermitReturned
from shared.events import Recorded
from shared.handle import Handler
from shared.reactions import Reaction

_BY = system("intake")


class Reactions:
    """Turns events into commands on applications."""

    def __init__(self, handler: Handler) -> None:
        """Command through ``handler``."""
        self._handler = handler

    def table(self) -> Mapping[type[Any], Reaction]:
        """Return event type -> reaction."""
        return {PermitReturned: self.reopen}

    async def reopen(self, event: PermitReturned, recorded: Recorded) -> None:
        """Take a correction from the applicant again."""
        # It happened when the officer asked, whenever we hear of it.
        command = ReopenForCorrection(now=recorded.occurred_at, by=_BY, reason=event.reason)
        await self._handler.handle(
            DECIDER,
            stream(event.application_id),
            command,
            cause=recorded.event_id,
            application=event.application_id,
        )
