"""What is told about agencies, originals, changes of hands and the time after the decision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from services.workflow.file import Complaint, File
from services.workflow.states import Closed
from services.workflow.status import Report
from shared.contracts import workflow as e
from shared.web.i18n import msg

if TYPE_CHECKING:
    from services.workflow.wording import Teller

# What officers read. Applicants are not told: nothing is granted by it.
DEEMED = msg(
    "The legal limit passed without a decision (UU 30/2014 art. 53). Nothing is issued by that: "
    "people have to act on it."
)
_ANNOUNCED = msg(
    "The office will take this permit back on {day}: {reason} You may object in writing to the "
    "head of the office before that day."
)


def ended(report: Report, teller: Teller) -> str:
    """Return how a permit that held once ended, empty for one that did not."""
    t, state = teller.tr.t, report.case.opened
    match state.closing if isinstance(state, Closed) else None:
        case e.PermitRevoked():
            return t("The office took the permit back. It holds no longer.")
        case e.PermitExpired(valid_until=until):
            return t(
                "The permit's last day, {day}, is over. Apply for a new one if you need it.",
                day=teller.day(until),
            )
        case e.PermitRenewed(renewed_by=number):
            return t("The new permit {number} takes the place of this one.", number=number)
        case _:
            return ""


def notices(report: Report, teller: Teller) -> list[str]:
    """Return what the holder of a permit has to know besides how it stands."""
    file = _file(report)
    if file is None or isinstance(report.case.state, Closed):
        return []
    told = []
    if file.revocation is not None:
        day, reason = teller.day(file.revocation.effective_on), file.revocation.reason
        told.append(teller.tr.t(_ANNOUNCED, day=day, reason=_sentence(reason)))
    told += [
        teller.tr.t("An original differs from its scan: {reason}", reason=original.reason)
        for original in file.originals
        if isinstance(original, e.OriginalMismatched) and original.stage == file.stage
    ]
    return told


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def holds(report: Report, teller: Teller) -> list[tuple[str, str]]:
    """Return until when a permit holds and what it renews, as labelled facts."""
    file, submission, t = _file(report), report.case.dossier.submission, teller.tr.t
    rows = []
    if file is not None and file.issued is not None and file.issued.valid_until:
        rows.append((t("Valid until"), teller.day(file.issued.valid_until)))
    if submission is not None and submission.renews:
        rows.append((t("Renews"), submission.renews))
    return rows


def complaints(report: Report, teller: Teller) -> list[dict[str, Any]]:
    """Return the complaints, the oldest first, with the office's answers."""
    file = _file(report)
    facts = {
        (type(fact.event), fact.event.complaint_id): teller.when(fact.at)
        for fact in report.case.facts
        if isinstance(fact.event, e.ComplaintFiled | e.ComplaintAnswered)
    }
    told = []
    for complaint in file.complaints if file is not None else ():
        filed, answered = complaint.filed, complaint.answered
        told.append(
            {
                "id": filed.complaint_id,
                "text": filed.text,
                "filed": facts.get((e.ComplaintFiled, filed.complaint_id), ""),
                "answer_by": teller.when_iso(filed.answer_by),
                "answer": answered.answer if answered is not None else "",
                "answered": facts.get((e.ComplaintAnswered, filed.complaint_id), ""),
                "state": _state(complaint, teller),
            }
        )
    return told


def _state(complaint: Complaint, teller: Teller) -> dict[str, str]:
    if complaint.answered is not None:
        return {"label": teller.tr.t("Answered"), "tone": "success"}
    if complaint.overdue:
        return {"label": teller.tr.t("Answer overdue"), "tone": "danger"}
    return {"label": teller.tr.t("Waiting for an answer"), "tone": "waiting"}


def deemed(report: Report) -> bool:
    """Say whether the legal limit passed and nobody has decided since."""
    file = _file(report)
    return file is not None and file.deemed and file.issued is None


def _file(report: Report) -> File | None:
    state = report.case.opened
    return state.file if state is not None else None


def note(event: Any, teller: Teller) -> str:
    """Return the remark that a fact is to its step of the trail; some are for officers only."""
    t = teller.tr.t
    match event:
        case e.RecommendationGiven():
            return _recommended(event, teller)
        case e.OriginalMismatched(reason=reason):
            return t("An original differs from its scan: {reason}", reason=reason)
        case e.RevocationAnnounced(reason=reason, effective_on=day):
            return t("On {day}: {reason}", day=teller.day(day), reason=reason)
        case e.RevocationLifted(reason=reason) | e.PermitRevoked(reason=reason):
            return reason
        case e.PermitRenewed(renewed_by=number):
            return t("By {number}", number=number)
        case e.PermitExpiryNoticed(valid_until=until):
            return t("Ends on {day}", day=teller.day(until))
        case e.StageReassigned(assignee=name, reason=reason) if teller.staff:
            if not name:
                return t("Given back: {reason}", reason=reason)
            return t("Given to {name}: {reason}", name=teller.name_of(name), reason=reason)
        case e.PermitDeemedGranted() if teller.staff:
            return t(DEEMED)
        case _:
            return ""


def _recommended(event: e.RecommendationGiven, teller: Teller) -> str:
    t, agency = teller.tr.t, teller.office.agency(event.agency)
    name = agency.name.of(teller.tr.lang) if agency is not None else event.agency
    if event.recommended:
        told = t("{agency} recommends it", agency=name)
    else:
        told = t("{agency} advises against it", agency=name)
    if event.on_behalf:
        told += " · " + t("from its letter {letter}", letter=event.letter)
    return f"{told}: {event.note}" if teller.staff else told
