"""From a report's data to sentences, in the reader's language.

What an applicant reads never names an account: an officer is shown by role. ``Teller(.., staff=
True)`` tells officers the same with account names and internal notes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from services.workflow import aftermath
from services.workflow.clock import ClockReading, Mode
from services.workflow.sop import Kind, Stage
from services.workflow.states import Closed
from services.workflow.status import Report
from services.workflow.statuses import Status
from services.workflow.story import Step, story
from shared.actors import Role
from shared.contracts import intake, payment, workflow
from shared.offices import Office
from shared.web.i18n import Translator, msg

STATUS: dict[Status, tuple[str, str]] = {
    Status.SUBMITTED: (msg("Submitted"), "info"),
    Status.RETURNED: (msg("Returned for correction"), "waiting"),
    Status.REGISTERED: (msg("Registered"), "info"),
    Status.IN_PROCESS: (msg("In process"), "progress"),
    Status.AWAITING_CORRECTION: (msg("Waiting for a correction"), "waiting"),
    Status.AWAITING_PAYMENT: (msg("Waiting for payment"), "waiting"),
    Status.REJECTED: (msg("Rejected"), "danger"),
    Status.ISSUED: (msg("Issued"), "success"),
    Status.FINISHED: (msg("Finished"), "success"),
    Status.WITHDRAWN: (msg("Withdrawn"), "neutral"),
}
ROLE: dict[str, str] = {
    Role.COUNTER: msg("Counter officer"),
    Role.VERIFIER: msg("Verification officer"),
    Role.SURVEYOR: msg("Survey officer"),
    Role.ASSESSOR: msg("Fee assessor"),
    Role.SIGNER: msg("Signing officer"),
    Role.SUPERVISOR: msg("Supervisor"),
    Role.TREASURER: msg("Treasurer"),
    Role.AGENCY: msg("Agency officer"),
    Role.AUDITOR: msg("Auditor"),
    Role.ADMIN: msg("Administrator"),
}
STEP: dict[str, str] = {
    "submitted": msg("Application submitted"),
    "forwarded": msg("Handed over to the office that decides"),
    "returned": msg("Returned for correction"),
    "corrected": msg("Corrected and sent again"),
    "registered": msg("Complete and registered"),
    "withdrawn": msg("Withdrawn by the applicant"),
    "rejected": msg("Not granted"),
    "ended": msg("File closed"),
    "complained": msg("Complaint filed"),
    "complaint-answered": msg("Complaint answered"),
    "complaint-overdue": msg("Answer to the complaint overdue"),
    "revocation-announced": msg("Revocation announced"),
    "revocation-lifted": msg("Revocation lifted"),
    "ends-soon": msg("The permit ends soon"),
    "revoked": msg("Permit taken back"),
    "expired": msg("Permit ended"),
    "renewed": msg("Renewed"),
}
_CHANNEL: dict[str, str] = {
    "online": msg("over the internet"),
    "counter": msg("at the counter"),
    "email": msg("by e-mail"),
    "phone": msg("by telephone"),
    "post": msg("by post"),
}
PAUSED: dict[str, str] = {
    "applicant": msg("stopped: waiting for the applicant"),
    "payment": msg("stopped: waiting for payment"),
    "outside": msg("stopped: with another agency"),
}
_WAITS: dict[str, str] = {
    "applicant": msg("You, the applicant"),
    "payment": msg("Your payment"),
    "outside": msg("Another agency"),
    "office": msg("The office"),
}
_SENTENCE: dict[Status, str] = {
    Status.SUBMITTED: msg(
        "The counter checks whether everything is there. You have nothing to do."
    ),
    Status.RETURNED: msg("Something is missing. Correct it and send the application again."),
    Status.REGISTERED: msg("Everything is complete. Work on your application begins."),
    Status.AWAITING_CORRECTION: msg("An officer needs a correction from you before going on."),
    Status.REJECTED: msg("The office did not grant the permit."),
    Status.WITHDRAWN: msg("The application was withdrawn. A new one can be submitted at any time."),
}
# UU 30/2014 art. 77: an objection is possible within 21 working days.
OBJECT = msg(
    "You may object in writing to the head of the office within 21 working days of this decision."
)


@dataclass(frozen=True, slots=True)
class Teller:
    """Tells about applications of one office in one language."""

    tr: Translator
    office: Office
    staff: bool = False
    name_of: Callable[[str], str] = str
    """Account name -> the name that colleagues know."""

    @property
    def zone(self) -> ZoneInfo:
        """The office's own zone."""
        return ZoneInfo(self.office.zone)

    def role(self, role: str) -> str:
        """Return a role's name, empty for none."""
        return self.tr.t(ROLE[role]) if role in ROLE else ""

    def day(self, iso: str) -> str:
        """Return a date (ISO 8601) with its weekday."""
        noon = datetime.combine(date.fromisoformat(iso), time(12), self.zone)
        return self.tr.day(noon, self.zone)

    def when(self, at: datetime) -> str:
        """Return an instant on the office's clock."""
        return self.tr.datetime(at, self.zone)

    def when_iso(self, iso: str) -> str:
        """Return an instant that an event holds (ISO 8601 with offset) on the office's clock."""
        return self.when(datetime.fromisoformat(iso))

    def actor(self, actor: str) -> str:
        """Return who did something, to colleagues."""
        kind, _, account = actor.partition(":")
        return self.name_of(account) if kind == "officer" and account else kind

    def status(self, status: Status) -> dict[str, str]:
        """Return a status as label and tone."""
        label, tone = STATUS[status]
        return {"label": self.tr.t(label), "tone": tone}

    def stage(self, stage: Stage | None) -> str:
        """Return a stage's name, empty for none."""
        return stage.name.of(self.tr.lang) if stage is not None else ""

    def sentence(self, report: Report) -> str:
        """Return the one sentence that says how things stand, to the applicant."""
        t, owed = self.tr.t, report.case.bill.owed
        match report.status:
            case Status.AWAITING_PAYMENT if owed is not None:
                return t(
                    "Pay {amount} by {day}. Work goes on by itself once the payment has arrived.",
                    amount=self.tr.rupiah(owed.amount),
                    day=self.day(owed.due_on),
                )
            case Status.AWAITING_PAYMENT:
                return t("The bill is being made. It appears here by itself.")
            case Status.IN_PROCESS:
                return self._in_process(report)
            case Status.ISSUED if report.stage and report.stage.kind is Kind.MATCH_ORIGINALS:
                return t(
                    "The permit is signed. Bring your KTP and the originals of everything you "
                    "uploaded to {office}: they are matched before the permit is handed over.",
                    office=self.office.name.of(self.tr.lang),
                )
            case Status.ISSUED if report.stage is not None:
                return t(
                    "The permit is signed and ready to collect at {office}. Bring your KTP.",
                    office=self.office.name.of(self.tr.lang),
                )
            case Status.ISSUED:
                return t("The permit is signed. Its letter is ready to download here.")
            case Status.FINISHED:
                handed = report.case.ending == "handed-over"
                word = t("The permit was handed over.") if handed else t("The file is closed.")
                return aftermath.ended(report, self) or word
            case _:
                return t(_SENTENCE[report.status])

    def _in_process(self, report: Report) -> str:
        t, state = self.tr.t, report.case.opened
        survey = state.file.survey if state is not None else None
        stage = report.stage
        if isinstance(survey, workflow.SurveyScheduled) and stage and survey.stage == stage.id:
            return t(
                "A survey is set for {day}. Have the originals at hand.", day=self.day(survey.on)
            )
        if report.waits_for == "outside":
            return t("Another agency works on it: {stage}.", stage=self.stage(stage))
        if stage is None:
            return t("The office works on it.")
        return t("The office works on it: {stage}.", stage=self.stage(stage))

    def waits_for(self, report: Report) -> str:
        """Return whom everybody waits for, to the applicant; empty when nobody has to act."""
        if report.waits_for == "office" and report.role is not None:
            return self.role(str(report.role))
        return self.tr.t(_WAITS[report.waits_for]) if report.waits_for else ""

    def expected(self, report: Report) -> str:
        """Return the day by which a decision is expected, empty when there is nothing to expect."""
        reading = report.reading
        if reading is None or reading.expected is None:
            return ""
        return self.tr.day(reading.expected, self.zone)

    def paused(self, reading: ClockReading) -> str:
        """Return why the clock stands still, empty while it runs."""
        if reading.mode is Mode.STOPPED:
            return self.tr.t("stopped: the office has decided")
        return self.tr.t(PAUSED[reading.waits_for]) if reading.waits_for else ""

    def reasons(self, report: Report) -> list[str]:
        """Return why something was returned or rejected, in the officers' words."""
        returned, state = report.case.dossier.returned, report.case.opened
        if report.status is Status.RETURNED and returned is not None:
            reasons = [shortcoming.reason for shortcoming in returned.shortcomings]
            return [reason for reason in (*reasons, returned.note) if reason]
        reason = getattr(getattr(state, "returned", None), "reason", "")
        if isinstance(state, Closed):
            reason = getattr(getattr(state, "closing", None), "reason", "")
        return [reason] if reason else []

    def steps(self, report: Report) -> list[dict[str, str]]:
        """Return the trail, as the design system's ``trail.steps`` takes it."""
        return [self._step(step) for step in story(report)]

    def _step(self, step: Step) -> dict[str, str]:
        what = step.what
        title = self.stage(what) if isinstance(what, Stage) else self.tr.t(STEP.get(what, what))
        told = {"state": step.state, "title": title, "who": self._who(step)}
        if step.at is not None:
            when = self.when(step.at)
            ongoing = step.state in ("current", "waiting") and isinstance(what, Stage)
            told["when"] = self.tr.t("since {when}", when=when) if ongoing else when
        notes = [note for note in map(self._note, step.remarks) if note]
        if notes:
            told["note"] = " · ".join(notes)
        return told

    def _who(self, step: Step) -> str:
        kind, _, account = step.by.partition(":")
        # Who set a stage going is not who works on it.
        acted = step.state == "done" and kind == "officer"
        if self.staff and acted and account:
            return self.name_of(account)
        if step.what == "submitted" or kind == "applicant":
            return self.tr.t("Applicant")
        return self.role(step.role)

    def _note(self, event: Any) -> str:
        t = self.tr.t
        match event:
            case intake.ApplicationSubmitted(channel=channel):
                return t(_CHANNEL[channel]) if channel in _CHANNEL else channel
            case workflow.SurveyScheduled(on=on):
                return t("Survey on {day}", day=self.day(on))
            case workflow.SurveyReported(recommended=yes, report=report):
                held = t("Survey held, recommended") if yes else t("Survey held, not recommended")
                return f"{held}: {report}" if self.staff else held
            case workflow.SurveySkipped(reason=reason):
                return t("No survey needed: {reason}", reason=reason)
            case payment.BillIssued(amount=amount):
                return t("Bill of {amount}", amount=self.tr.rupiah(amount))
            case workflow.FeeSettled(amount=amount):
                return t("{amount} received", amount=self.tr.rupiah(amount))
            case workflow.FeeUnsettled():
                return t("Payment taken back")
            case workflow.PermitReturned(reason=reason):
                return t("Correction asked for: {reason}", reason=reason)
            case workflow.PermitResumed():
                return t("Correction received")
            case workflow.PermitIssued(document_number=number, valid_until=until):
                decree = t("Decree {number}", number=number)
                valid = t("valid until {day}", day=self.day(until)) if until else ""
                return " · ".join(part for part in (decree, valid) if part)
            case workflow.StageCompleted(note=note) if self.staff:
                return note
            case _:
                return self._staff_note(event)

    def _staff_note(self, event: Any) -> str:
        t = self.tr.t
        match event:
            case workflow.PermitRejected(reason=reason):
                return reason
            case intake.ApplicationReturned():
                return "; ".join(shortcoming.reason for shortcoming in event.shortcomings)
            case payment.BillingRejected() if self.staff:
                return t("The bill could not be made. The treasurer sees why.")
            case _:
                return aftermath.note(event, self)
