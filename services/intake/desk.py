"""The desk: what the counter and the applicant do with an application that is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.intake.application import DECIDER
from services.intake.catalogue import IntakeSection, PublicCatalogue
from services.intake.commands import (
    ApplicationCommand,
    CorrectApplication,
    CorrectPhone,
    RegisterApplication,
    ReturnApplication,
    WithdrawApplication,
)
from services.intake.states import State, held, stream
from services.intake.views import Applications
from shared.actors import APPLICANT, Actor
from shared.contracts.intake import Document, Shortcoming
from shared.contracts.workflow import PermitClosed, PermitHandedOver, PermitIssued, PermitRejected
from shared.errors import JejakError, KeyReused
from shared.events import Recorded
from shared.handle import Handler, Loaded, Outcome
from shared.ids import derived_id, new_id
from shared.service import Now

_DECIDED = (PermitIssued, PermitRejected, PermitHandedOver, PermitClosed)


@dataclass(frozen=True, slots=True)
class Ask:
    """How a command was asked for: the caller's idempotency key, and the version they looked at."""

    key: str | None = None
    seen: int | None = None


class Desk:
    """Gives commands to applications and waits until the counter's list shows their effect."""

    def __init__(
        self, handler: Handler, catalogue: PublicCatalogue, applications: Applications, now: Now
    ) -> None:
        """``applications`` is only waited for; every decision folds the store."""
        self._handler = handler
        self._catalogue = catalogue
        self._applications = applications
        self._now = now

    async def load(self, application_id: str) -> Loaded[State]:
        """Return an application as it is now. Raises NotFound."""
        loaded = await self._handler.load(DECIDER, stream(application_id))
        held(loaded.state)
        return loaded

    async def return_to_applicant(
        self,
        application_id: str,
        by: Actor,
        shortcomings: Sequence[Shortcoming],
        note: str,
        ask: Ask,
    ) -> Outcome[State]:
        """Ask for what is missing."""
        command = ReturnApplication(
            now=self._now(), by=by, shortcomings=tuple(shortcomings), note=note
        )
        return await self._give(application_id, command, ask)

    async def register(self, application_id: str, by: Actor, ask: Ask) -> Outcome[State]:
        """Say that the application is complete."""
        required = (await self.section(application_id)).required
        command = RegisterApplication(now=self._now(), by=by, required=required)
        return await self._give(application_id, command, ask)

    async def correct(
        self,
        application_id: str,
        answers: Mapping[str, str],
        documents: tuple[Document, ...],
        ask: Ask,
        by: Actor = APPLICANT,
    ) -> Outcome[State]:
        """Take the applicant's correction, which the counter may enter for them."""
        file = held((await self.load(application_id)).state).file
        kind = (file.submission.permit_type, file.submission.permit_version)
        command = CorrectApplication(
            now=self._now(),
            by=by,
            answers=answers,
            documents=documents,
            required=self._catalogue.section(*kind).required,
            authority=self._catalogue.authority(file.office, *kind, answers),
        )
        return await self._give(application_id, command, ask)

    async def correct_phone(
        self, application_id: str, by: Actor, phone: str, reason: str, ask: Ask
    ) -> Outcome[State]:
        """Put the applicant's mobile number (E.164) right."""
        command = CorrectPhone(now=self._now(), by=by, phone=phone, reason=reason)
        return await self._give(application_id, command, ask)

    async def withdraw(self, application_id: str, reason: str, ask: Ask) -> Outcome[State]:
        """Take the application back for the applicant."""
        permit = await self._handler.store.read_stream(f"permit-{application_id}")
        facts = (self._handler.codec.decode(recorded) for recorded in permit)
        decided = any(isinstance(event, _DECIDED) for event in facts)
        command = WithdrawApplication(
            now=self._now(), by=APPLICANT, reason=reason, office_decided=decided
        )
        return await self._give(application_id, command, ask)

    async def section(self, application_id: str) -> IntakeSection:
        """Return what the application's own version of its permit type asks for."""
        submission = held((await self.load(application_id)).state).file.submission
        return self._catalogue.section(submission.permit_type, submission.permit_version)

    async def _give(
        self, application_id: str, command: ApplicationCommand, ask: Ask
    ) -> Outcome[State]:
        """Give a command, and return once the read model shows what came of it.

        Raises the decider's refusals, StaleScreen, and KeyReused for another request's key.
        """
        where = stream(application_id)
        cause = new_id()
        if ask.key is not None:
            cause = derived_id("command", application_id, ask.key)
            await self._refuse_reused(where, cause, command)
        outcome = await self._handler.handle(
            DECIDER, where, command, cause=cause, application=application_id, seen=ask.seen
        )
        await self._applications.wait_for(application_id, outcome.position)
        return outcome

    async def _refuse_reused(self, where: str, cause: str, command: ApplicationCommand) -> None:
        """Raise KeyReused when ``cause`` brought about something else than ``command`` would."""
        events = (await self._handler.load(DECIDER, where)).events
        for place, recorded in enumerate(events):
            if recorded.cause_id == cause:
                if self._would_decide(command, events[:place]) != self._said(recorded):
                    raise KeyReused
                return

    def _would_decide(self, command: ApplicationCommand, before: Sequence[Recorded]) -> object:
        state = DECIDER.fold(map(self._handler.codec.fact, before))
        try:
            return next(iter(DECIDER.decide(command, state)), None)
        except JejakError:
            return None

    def _said(self, recorded: Recorded) -> object:
        return self._handler.codec.decode(recorded)
