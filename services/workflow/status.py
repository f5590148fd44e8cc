"""One application as it stands now, folded from its three streams straight from the store.

This never lags: tracking page, officer's page, API and ``jejak status`` all read it. Lists come
from ``views`` instead.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from services.workflow import clock
from services.workflow.clock import ClockReading
from services.workflow.commands import Scan
from services.workflow.permit import DECIDER, stream
from services.workflow.sop import Sop, Sops, Stage
from services.workflow.states import Closed, NotOpened, Opened, State
from services.workflow.statuses import Ending, Intake, Status, overall
from shared.actors import Role
from shared.calendar import Calendars, WorkCalendar
from shared.codec import Codec
from shared.contracts import intake, payment, workflow
from shared.errors import NotFound
from shared.events import Fact, Recorded
from shared.ids import derived_id
from shared.store import EventStore


@dataclass(slots=True)
class Dossier:
    """What intake says about an application, in its own words."""

    submission: intake.ApplicationSubmitted | None = None
    documents: tuple[intake.Document, ...] = ()
    answers: dict[str, str] = field(default_factory=dict)
    returned: intake.ApplicationReturned | None = None
    phase: Intake = ""

    def take(self, event: Any) -> None:
        """Fold one event of intake."""
        match event:
            case intake.ApplicationSubmitted():
                self.submission, self.phase = event, "submitted"
                self.documents, self.answers = event.documents, dict(event.answers)
            case intake.ApplicationCorrected():
                self.documents, self.answers = event.documents, dict(event.answers)
                self.returned = None
                self.phase = self.phase if self.phase == "registered" else "submitted"
            case intake.ApplicationReturned():
                self.returned = event
                self.phase = self.phase if self.phase == "registered" else "returned"
            case intake.ApplicationForwarded():
                # From here on it is another office's, on every page.
                if self.submission is not None:
                    self.submission = replace(self.submission, office=event.office)
            case intake.ApplicantPhoneCorrected(phone=phone):
                if self.submission is not None:
                    applicant = replace(self.submission.applicant, phone=phone)
                    self.submission = replace(self.submission, applicant=applicant)
            case intake.ApplicationRegistered():
                self.phase = "registered"
            case intake.ApplicationWithdrawn():
                self.phase = "withdrawn"


@dataclass(slots=True)
class Bill:
    """What payment says about an application's bill."""

    issued: payment.BillIssued | None = None
    paid: payment.PaymentReceived | None = None
    cancelled: bool = False
    rejected: str = ""

    def take(self, event: Any) -> None:
        """Fold one event of payment."""
        match event:
            case payment.BillIssued():
                self.issued, self.cancelled = event, False
            case payment.PaymentReceived():
                self.paid = event
            case payment.BillCancelled():
                self.cancelled = True
            case payment.BillingRejected(reason=reason):
                self.rejected = reason

    @property
    def owed(self) -> payment.BillIssued | None:
        """The bill, as long as somebody has to pay it."""
        return None if self.paid or self.cancelled else self.issued


@dataclass(frozen=True, slots=True)
class CaseFile:
    """Everything about one application. ``facts`` are all of its events, in the global order.

    ``version`` is that of the permit's stream: what a person looking at it has seen.
    """

    application_id: str
    dossier: Dossier
    state: State
    bill: Bill
    version: int
    records: Sequence[Recorded]
    facts: Sequence[Fact[Any]]

    @property
    def about(self) -> intake.ApplicationSubmitted | workflow.PermitOpened:
        """Number, office, permit type and version, from whichever stream is there."""
        if self.dossier.submission is not None:
            return self.dossier.submission
        if isinstance(self.state, NotOpened):
            raise NotFound
        return self.state.file.opened

    @property
    def opened(self) -> Opened | None:
        """The permit, once it is opened."""
        return None if isinstance(self.state, NotOpened) else self.state

    @property
    def scans(self) -> tuple[Scan, ...]:
        """The applicant's documents as they are now."""
        return tuple(
            Scan(requirement=document.requirement, sha256=document.sha256)
            for document in self.dossier.documents
        )

    @property
    def ending(self) -> Ending:
        """How the permit ended, if it did."""
        state = self.opened
        if state is None:
            return ""
        if isinstance(state, Closed):
            return _CLOSINGS[type(state.closing)]
        if state.file.handed is not None:
            return "handed-over"
        return "issued" if state.file.issued is not None else ""


_CLOSINGS: dict[type[Any], Ending] = {
    workflow.PermitRejected: "rejected",
    workflow.PermitWithdrawn: "withdrawn",
    workflow.PermitClosed: "ended",
    workflow.PermitRevoked: "revoked",
    workflow.PermitExpired: "expired",
    workflow.PermitRenewed: "renewed",
}


@dataclass(frozen=True, slots=True)
class Report:
    """What can be said about an application at one instant.

    ``stage`` is the present one; ``waits_for`` is ``applicant``, ``payment``, ``outside``,
    ``office`` (somebody with ``role``) or empty; ``reading`` is None before registration.
    """

    case: CaseFile
    sop: Sop
    calendar: WorkCalendar
    at: datetime
    status: Status
    stage: Stage | None
    reading: ClockReading | None
    waits_for: str
    role: Role | None


class Tracker:
    """Reads applications from the store and reports on them."""

    def __init__(self, store: EventStore, codec: Codec, sops: Sops, calendars: Calendars) -> None:
        """Read from ``store``; procedures and calendars give the times."""
        self._store = store
        self._codec = codec
        self._sops = sops
        self._calendars = calendars

    async def case(self, application_id: str) -> CaseFile:
        """Return an application's case file. Raises NotFound when nothing is known of it."""
        streams = await asyncio.gather(
            self._store.read_stream(f"application-{application_id}"),
            self._store.read_stream(stream(application_id)),
            # Payment derives the bill's id: there is one bill per application.
            self._store.read_stream(f"bill-{derived_id('bill', application_id)}"),
        )
        return fold_case(application_id, self._codec, *streams)

    def report(self, case: CaseFile, at: datetime) -> Report:
        """Return what can be said about ``case`` at ``at``. Raises BadConfiguration."""
        about, state = case.about, case.opened
        sop = self._sops.of(about.office, about.permit_type, about.permit_version)
        calendar = self._calendars.of(about.office)
        stage = None
        reading = None
        if state is not None:
            held = state.file.clock
            # Facts of another machine may be a moment ahead of this one's clock.
            at = max(at, *(fact.at for fact in case.facts))
            reading = clock.evaluate(held, calendar, sop, at)
            stage = None if isinstance(state, Closed) else sop.stage(state.file.stage)
        waits_payment = reading is not None and reading.waits_for == "payment"
        status = overall(
            case.dossier.phase,
            case.ending,
            opened=state is not None,
            returned=state is not None and state.file.clock.returned,
            awaits_payment=waits_payment or (state is not None and state.file.unpaid),
        )
        return Report(
            case,
            sop,
            calendar,
            at,
            status,
            stage,
            reading,
            _waits_for(status, reading, stage),
            _role(status, stage),
        )


def fold_case(
    application_id: str,
    codec: Codec,
    application: Sequence[Recorded],
    permit: Sequence[Recorded],
    bill: Sequence[Recorded],
) -> CaseFile:
    """Return the case file that three streams fold to. Raises NotFound when all are empty."""
    decoded = [
        [(one, codec.fact(one)) for one in records] for records in (application, permit, bill)
    ]
    dossier, billed = Dossier(), Bill()
    for _, fact in decoded[0]:
        dossier.take(fact.event)
    for _, fact in decoded[2]:
        billed.take(fact.event)
    everything = sorted((pair for part in decoded for pair in part), key=_position)
    if not everything:
        raise NotFound
    return CaseFile(
        application_id,
        dossier,
        DECIDER.fold(fact for _, fact in decoded[1]),
        billed,
        permit[-1].version if permit else 0,
        [recorded for recorded, _ in everything],
        [fact for _, fact in everything],
    )


def _position(pair: tuple[Recorded, Fact[Any]]) -> int:
    return pair[0].position


def _waits_for(status: Status, reading: ClockReading | None, stage: Stage | None) -> str:
    match status:
        case Status.RETURNED | Status.AWAITING_CORRECTION:
            return "applicant"
        case Status.AWAITING_PAYMENT:
            return "payment"
        case Status.ISSUED:
            return "applicant" if stage is not None else ""
        case Status.REJECTED | Status.FINISHED | Status.WITHDRAWN:
            return ""
        case _:
            outside = reading is not None and reading.waits_for == "outside"
            return "outside" if outside else "office"


def _role(status: Status, stage: Stage | None) -> Role | None:
    if status in (Status.SUBMITTED, Status.REGISTERED):
        return Role.COUNTER
    return stage.role if stage is not None else None
