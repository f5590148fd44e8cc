"""What was granted, and whether it still holds: what the letter and its verification both say.

Folded from the application's own streams, so that it never lags; nothing is stored for it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

from services.workflow.states import Closed, Issued, Opened
from services.workflow.status import Report
from shared.contracts import workflow as e
from shared.events import Fact

Standing: TypeAlias = Literal["in-force", "expired", "revoked", "renewed"]

_ENDS: dict[type[Any], Standing] = {
    e.PermitRevoked: "revoked",
    e.PermitExpired: "expired",
    e.PermitRenewed: "renewed",
}
_MARK_DIGITS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A permit that was signed, as it stands at one instant.

    ``signed_by`` is the actor of the signature, ``signed_as`` the role that the stage was given to
    (empty where nothing says so); ``valid_until`` the last day (ISO 8601), empty
    without an end. ``ended_at`` is when the permit was revoked, renewed or found expired, None
    while it holds. ``revocation_on`` is the day of an announced revocation, or empty. ``ready``
    says whether nothing is left to do before the applicant may have the letter.
    """

    application_id: str
    number: str
    office: str
    permit_type: str
    permit_version: int
    document_number: str
    issued_at: datetime
    signed_by: str
    signed_as: str
    valid_until: str
    holder: str
    answers: dict[str, str]
    standing: Standing
    ended_at: datetime | None
    renewed_by: str
    revocation_on: str
    ready: bool

    @property
    def fingerprint(self) -> str:
        """What the decision comes to in 32 hexadecimal digits, in groups of four.

        The beginning of the SHA-256 of these lines in UTF-8: ``jejak-permit:1``, registration
        number, office, permit type, its version, decree number, instant of signing (ISO 8601 in
        UTC), who signed, last day. Whoever knows them can compute it. Nothing personal is in it:
        it stays the same after a person was erased.
        """
        lines = (
            "jejak-permit:1",
            self.number,
            self.office,
            self.permit_type,
            str(self.permit_version),
            self.document_number,
            self.issued_at.astimezone(UTC).isoformat(),
            self.signed_by,
            self.valid_until,
        )
        digits = hashlib.sha256("\n".join(lines).encode()).hexdigest()[:_MARK_DIGITS]
        return " ".join(digits[place : place + 4] for place in range(0, _MARK_DIGITS, 4))


def grant_of(report: Report) -> Grant | None:
    """Return what was granted, None as long as (or if ever) nothing was signed."""
    state = report.case.opened
    if state is None or state.file.issued is None:
        return None
    file, issued, dossier = state.file, state.file.issued, report.case.dossier
    facts = report.case.facts
    signing = next(i for i, fact in enumerate(facts) if isinstance(fact.event, e.PermitIssued))
    signature = facts[signing]
    return Grant(
        application_id=report.case.application_id,
        number=issued.number,
        office=file.opened.office,
        permit_type=file.opened.permit_type,
        permit_version=file.opened.permit_version,
        document_number=issued.document_number,
        issued_at=signature.at,
        signed_by=signature.actor,
        signed_as=_role(facts[:signing]),
        valid_until=issued.valid_until,
        holder=dossier.submission.applicant.name if dossier.submission is not None else "",
        answers={name: value for name, value in dossier.answers.items() if value},
        standing=_standing(report, state),
        ended_at=next((f.at for f in facts if type(f.event) in _ENDS), None),
        renewed_by=file.renewed_by,
        revocation_on=file.revocation.effective_on if file.revocation is not None else "",
        ready=not isinstance(state, Issued) and not file.unpaid,
    )


def _role(before: Sequence[Fact[Any]]) -> str:
    """Return the role of the stage at which it was signed."""
    started = (f.event.role for f in reversed(before) if isinstance(f.event, e.StageStarted))
    return next(started, "")


def _standing(report: Report, state: Opened) -> Standing:
    if isinstance(state, Closed) and type(state.closing) in _ENDS:
        return _ENDS[type(state.closing)]
    issued = state.file.issued
    last_day = issued.valid_until if issued is not None else ""
    # The last day may be over before the timer that says so has run.
    today = report.calendar.local_date(report.at).isoformat()
    return "expired" if last_day and last_day < today else "in-force"
