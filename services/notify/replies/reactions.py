"""What notify does about messages that came in, once per message.

==========================  ====================================================================
event                       so that
==========================  ====================================================================
ReplyReceived               STOP, MULAI and wishes are honoured; a stall is explained; a status is
                            told; whatever else gets one polite line a day
StallExplained              the officer whose reply it was hears that it is recorded
StallReplyRejected          the officer hears why it is not
==========================  ====================================================================
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from services.notify.message.commands import BY
from services.notify.people.contacts import Contacts
from services.notify.people.persons import Persons
from services.notify.people.recipients import Directory
from services.notify.replies.answers import OTHER_REASON, REASONS, Answers
from services.notify.replies.correspondents import Correspondents
from services.notify.replies.meaning import Wish, wish
from services.notify.replies.promise import promised
from services.notify.replies.reply import (
    DECIDER,
    AskStatus,
    AskWhich,
    ExplainByReply,
    GiveUp,
    Outcome,
    Settled,
    Waiting,
    reply_stream,
)
from services.notify.replies.stalls import Stalls, account_of
from services.notify.replies.standing import standing
from services.notify.sending.ways import LAST_WORD
from shared.contracts.intake import ApplicationSubmitted
from shared.contracts.notify import (
    ReplyNotUnderstood,
    ReplyReceived,
    ReplyUnclear,
    StallReplyGiven,
    StatusAsked,
)
from shared.contracts.workflow import StallExplained, StallReplyRejected
from shared.events import Recorded
from shared.handle import Handler
from shared.offices import Catalogue
from shared.reactions import Reaction
from shared.web.i18n import Translator

# Of how many permits the status is told at once.
MOST_PERMITS: Final = 3
# An explanation that is older than this is not confirmed: its officer has moved on.
STALE: Final = timedelta(hours=48)
_DEFAULT_ZONE: Final = ZoneInfo("Asia/Jakarta")


class ReplyReactions:
    """Works on replies."""

    def __init__(
        self,
        handler: Handler,
        contacts: Contacts,
        answers: Answers,
        stalls: Stalls,
        rows: Correspondents,
        directory: Directory,
        catalogue: Catalogue,
        persons: Persons,
        address: str,
        now: Callable[[], datetime],
    ) -> None:
        """``address`` is the office's own on the web, for those whom we do not understand."""
        self._handler = handler
        self._contacts = contacts
        self._answers = answers
        self._stalls = stalls
        self._rows = rows
        self._directory = directory
        self._catalogue = catalogue
        self._persons = persons
        self._address = address
        self._now = now

    def table(self) -> dict[type[Any], Reaction]:
        """Return event class -> reaction."""
        return {
            ReplyReceived: self.received,
            StallExplained: self.explained,
            StallReplyRejected: self.rejected,
        }

    async def received(self, reply: ReplyReceived, recorded: Recorded) -> None:
        """Do what a message asks for."""
        asks = wish(reply.text)
        if asks is not None and asks is not Wish.STATUS:
            await self._grant(asks, reply, recorded)
            return
        stream = reply_stream(reply.reply_id)
        state = (await self._handler.load(DECIDER, stream)).state
        if isinstance(state, Waiting):
            outcome = await self._understand(asks, reply, recorded)
            about = outcome.application_id if isinstance(outcome, ExplainByReply) else ""
            given = await self._handler.handle(
                DECIDER,
                stream,
                outcome,
                cause=recorded.event_id,
                application=about or recorded.correlation_id,
            )
            state = given.state
        if isinstance(state, Settled):
            await self._answer(state, recorded)

    async def _grant(self, asks: Wish, reply: ReplyReceived, recorded: Recorded) -> None:
        """Record what the person wants, and say so in one line."""
        number, cause = reply.sender, recorded.event_id
        template, language = "reply-preferred", await self._answers.language(number)
        match asks:
            case Wish.STOP:
                new = await self._contacts.withdraw(
                    number, reply.channel, str(Wish.STOP), by=BY, cause=cause
                )
                template = LAST_WORD
                if not new:
                    # Silence was asked for before, and confirmed.
                    return
            case Wish.START:
                await self._contacts.agree(number, reply.channel, by=BY, cause=cause)
                template = "reply-started"
            case Wish.ENGLISH | Wish.INDONESIAN:
                language = str(asks)
                await self._contacts.prefer(number, language=language, by=BY, cause=cause)
            case Wish.WHATSAPP | Wish.SMS:
                await self._contacts.prefer(number, channel=str(asks), by=BY, cause=cause)
            case Wish.STATUS:
                return
        await self._answers.say(reply, recorded, template, {}, language=language)

    async def _understand(
        self, asks: Wish | None, reply: ReplyReceived, recorded: Recorded
    ) -> Outcome:
        now = self._now()
        if asks is Wish.STATUS:
            person = self._persons.of(reply.sender)
            applications = tuple(await self._rows.applications(person, MOST_PERMITS))
            if applications:
                return AskStatus(applications=applications, now=now, by=BY)
        elif accounts := self._stalls.accounts(reply.sender):
            named = await self._stalls.named_by(reply)
            account = account_of(accounts, named.stall) if named.stall else None
            if named.stall and account:
                asked = named.stall.asked
                today = recorded.occurred_at.astimezone(self._zone(asked.office)).date()
                return ExplainByReply(
                    application_id=asked.application_id,
                    office=asked.office,
                    stage=asked.stage,
                    stall_id=asked.stall_id,
                    account=account.username,
                    explanation=named.words,
                    promised=promised(named.words, today),
                    now=now,
                    by=account.actor,
                )
            if named.open or named.asked:
                numbers = tuple(dict.fromkeys(stall.number for stall in named.open))
                return AskWhich(account=accounts[0].username, numbers=numbers, now=now, by=BY)
        return GiveUp(answered=await self._polite(reply, recorded), now=now, by=BY)

    async def _polite(self, reply: ReplyReceived, recorded: Recorded) -> bool:
        """Say where the office is found, unless it was said today; say whether it was now."""
        day = recorded.occurred_at.astimezone(_DEFAULT_ZONE).date().isoformat()
        return await self._answers.say(
            reply,
            recorded,
            "reply-lost",
            {"address": self._address},
            language=await self._answers.language(reply.sender),
            once=f"{recorded.correlation_id}:{day}",
        )

    async def _answer(self, state: Settled, recorded: Recorded) -> None:
        """Say what a reply came to, from what was recorded of it."""
        match state.came_to:
            case ReplyUnclear(numbers=numbers):
                template = "reply-which" if numbers else "reply-none-open"
                said = {"numbers": ", ".join(numbers), "example": next(iter(numbers), "")}
                language = await self._answers.language(state.reply.sender)
                await self._answers.say(state.reply, recorded, template, said, language=language)
            case StatusAsked(applications=applications):
                await self._tell_status(state.reply, applications, recorded)
            case StallReplyGiven() | ReplyNotUnderstood():
                # Workflow has the word, or the polite line went out already.
                return

    async def _tell_status(
        self, reply: ReplyReceived, applications: tuple[str, ...], recorded: Recorded
    ) -> None:
        found = [await self._directory.submitted(one) for one in applications]
        known = [submitted for submitted in found if submitted is not None]
        if not known:
            return
        language = await self._answers.language(reply.sender, known[0].applicant.language)
        lines = [await self._line(submitted, language) for submitted in known]
        await self._answers.say(
            reply,
            recorded,
            "reply-status",
            {"lines": "\n".join(lines)},
            language=language,
            office=known[0].office,
        )

    async def _line(self, submitted: ApplicationSubmitted, language: str) -> str:
        app, codec, store = submitted.application_id, self._handler.codec, self._handler.store
        streams = [
            [codec.decode(one) for one in await store.read_stream(f"{kind}-{app}")]
            for kind in ("application", "permit")
        ]
        kind = self._catalogue.types.get((submitted.permit_type, submitted.permit_version))
        name = kind.name.of(language) if kind else submitted.permit_type
        return f"{submitted.number}, {name}: {Translator(language).t(standing(*streams))}"

    async def explained(self, event: StallExplained, recorded: Recorded) -> None:
        """Tell the officer that their reply is recorded; one on the web saw it on the page."""
        await self._confirm(recorded.cause_id, "reply-recorded", {}, recorded)

    async def rejected(self, event: StallReplyRejected, recorded: Recorded) -> None:
        """Tell the officer why their reply is not recorded."""
        await self._confirm(event.reply_id, "reply-refused", {"reason": event.reason}, recorded)

    async def _confirm(
        self, reply_id: str, template: str, more: dict[str, str], recorded: Recorded
    ) -> None:
        if recorded.occurred_at < self._now() - STALE:
            return
        # Workflow gives a reply's id as the cause of what comes of it.
        state = (await self._handler.load(DECIDER, reply_stream(reply_id))).state
        if not isinstance(state, Settled) or not isinstance(state.came_to, StallReplyGiven):
            return
        given = state.came_to
        submitted = await self._directory.submitted(given.application_id)
        if submitted is None:
            return
        language = await self._answers.language(state.reply.sender)
        said = {"number": submitted.number} | more
        if "reason" in said:
            said["reason"] = Translator(language).t(REASONS.get(said["reason"], OTHER_REASON))
        await self._answers.say(
            state.reply,
            recorded,
            template,
            said,
            language=language,
            about=given.application_id,
            office=given.office,
        )

    def _zone(self, office: str) -> ZoneInfo:
        found = self._catalogue.offices.get(office)
        return ZoneInfo(found.zone) if found else _DEFAULT_ZONE
