"""An officer's message that explains a stall: it counts as if it were said on the web.

===============  ============  ================  ===============================================
event            command       when refused      so that
===============  ============  ================  ===============================================
StallReplyGiven  ExplainStall  RejectStallReply  the stall is explained by its officer, or the
                                                 officer hears why it is not
===============  ============  ================  ===============================================

What comes of it has the reply's own id as its cause, as what is asked on the web has its request's:
so notify knows whose message it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.workflow.commands import Command, ExplainStall, RejectStallReply
from services.workflow.permit import DECIDER, stream
from services.workflow.refusals import OtherOffice, PermitNotOpened
from services.workflow.staff import Rosters
from services.workflow.status import Tracker
from shared.actors import system
from shared.calendar import Calendars
from shared.contracts.notify import StallReplyGiven
from shared.errors import NotAllowed, Refused
from shared.events import Recorded
from shared.handle import Handler
from shared.reactions import Reaction

_BY = system("workflow")


class StallReplies:
    """Turns officers' messages into explanations."""

    def __init__(
        self, handler: Handler, tracker: Tracker, rosters: Rosters, calendars: Calendars
    ) -> None:
        """``rosters`` say for whom an officer stands in on the day of the message."""
        self._handler = handler
        self._tracker = tracker
        self._rosters = rosters
        self._calendars = calendars

    def table(self) -> Mapping[type[Any], Reaction]:
        """Return event type -> reaction."""
        return {StallReplyGiven: self.explain}

    async def explain(self, event: StallReplyGiven, recorded: Recorded) -> None:
        """Record the explanation, or why there is none."""
        try:
            await self._give(await self._command(event, recorded), event)
        except (Refused, NotAllowed) as refusal:
            rejection = RejectStallReply(
                now=recorded.occurred_at,
                by=_BY,
                application_id=event.application_id,
                stall_id=event.stall_id,
                reply_id=event.reply_id,
                reason=refusal.code,
            )
            await self._give(rejection, event)

    async def _command(self, event: StallReplyGiven, recorded: Recorded) -> ExplainStall:
        case = await self._tracker.case(event.application_id)
        if case.opened is None:
            raise PermitNotOpened
        account = self._rosters.accounts.find(event.account)
        if account is None:
            # The account was taken away meanwhile.
            raise OtherOffice
        now = recorded.occurred_at
        day = self._calendars.of(account.office).local_date(now)
        staff = await self._rosters.staff(account.office, day)
        return ExplainStall(
            now=now,
            by=staff.acting(account),
            sop=self._tracker.report(case, now).sop,
            scans=case.scans,
            stall_id=event.stall_id,
            explanation=event.explanation,
            promised=event.promised,
        )

    async def _give(self, command: Command, event: StallReplyGiven) -> None:
        await self._handler.handle(
            DECIDER,
            stream(event.application_id),
            command,
            cause=event.reply_id,
            application=event.application_id,
        )
