"""What an officer's page about one permit says, and which commands it offers to whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from services.workflow.actions import ACTIONS, Action
from services.workflow.aftermath import DEEMED, complaints, deemed, holds, notices
from services.workflow.desk import allowed
from services.workflow.guards import stranger
from services.workflow.letter import letter_link
from services.workflow.sop import Kind
from services.workflow.staff import Staff
from services.workflow.status import Report
from services.workflow.wording import Teller
from shared.actors import Actor, Role
from shared.contracts.workflow import OriginalMatched
from shared.identity import Account
from shared.ids import new_id
from shared.offices import Catalogue
from shared.privacy import mask

# Who needs to know the applicant for the work itself; others see that there is one.
NEED = frozenset({Role.COUNTER, Role.VERIFIER, Role.SURVEYOR, Role.SIGNER, Role.AGENCY})
# A complaint may be about the very officer who works on the file.
_HEARS = frozenset({Role.SUPERVISOR, Role.SIGNER, Role.AUDITOR})
# Drawn beside what they answer, not among the other forms.
_OWN_PLACE = frozenset({"explain-stall", "answer-complaint"})


def masked_name(name: str, roles: frozenset[Role]) -> str:
    """Return an applicant's name, or its mask for roles without need."""
    return name if not NEED.isdisjoint(roles) else mask(name, keep=0)


@dataclass(frozen=True, slots=True)
class Folder:
    """One permit on an officer's desk. Without an ``account`` it offers nothing."""

    report: Report
    teller: Teller
    account: Account | None
    catalogue: Catalogue
    staff: Staff | None = None

    @property
    def actor(self) -> Actor | None:
        """Who looks at it, with what they stand in for today."""
        if self.account is None or self.staff is None:
            return self.account.actor if self.account is not None else None
        return self.staff.acting(self.account)

    def told(self) -> dict[str, Any]:
        """Return the whole page's content."""
        report, lang = self.report, self.teller.tr.lang
        offered = self._offered()
        trail = self.trail()
        ordinary = [action for action in offered if action.name not in _OWN_PLACE]
        main = [a for a in ordinary if a.tone == "primary"][:1]
        return {
            "office": self.teller.office.name.of(lang),
            "number": report.case.about.number,
            "permit": report.sop.name.of(lang),
            "version": report.case.version,
            "key": new_id(),
            "stage": report.stage,
            "stage_name": self.teller.stage(report.stage),
            "main": main,
            "others": [action for action in ordinary if action not in main],
            "explain": [action for action in offered if action.name == "explain-stall"],
            "answer": [action for action in offered if action.name == "answer-complaint"],
            "complaints": self._complaints(),
            "originals": (originals := self._originals()),
            "originals_options": [(item["id"], item["name"]) for item in originals],
            "colleagues": self._colleagues(),
            "on_behalf": self._on_behalf(),
            "applicant": self._applicant(),
            "answers": self._answers(),
            "documents": self._documents(),
            "suggested": self._suggested(),
            "today": report.calendar.local_date(report.at).isoformat(),
            "live": f"/berkas/{quote(report.case.about.number)}/live",
            "registration": self._registration(),
            "letter": self._letter(),
            # What is left comes first on the page, whatever the screen's width.
            "step_clock": trail["stage_clock"] or trail["total_clock"],
            **trail,
        }

    def trail(self) -> dict[str, Any]:
        """Return what is the same for everybody who may look, so that live pages share it."""
        report, reading = self.report, self.report.reading
        stage, total, paused = None, None, ""
        if reading is not None:
            day, paused = self.teller.office.day_minutes, self.teller.paused(reading)
            total = (*reading.total, day, paused)
            stage = reading.stage and (*reading.stage, day, paused)
        return {
            "status": self.teller.status(report.status),
            "turn": self._turn(),
            "assignee": self._assignee(),
            "stage_clock": stage,
            "paused": paused,
            "total_clock": total,
            "due": self.teller.when(reading.due) if reading and reading.due else "",
            "deadline": self.teller.when(reading.deadline) if reading and reading.deadline else "",
            "planned": self._planned(),
            "expected": self.teller.expected(report),
            "stalls": self._stalls(),
            "steps": self.teller.steps(report),
            "notices": notices(report, self.teller),
            "holds": holds(report, self.teller),
            "deemed": self.teller.tr.t(DEEMED) if deemed(report) else "",
        }

    def _offered(self) -> list[Action]:
        names = allowed(self.report, self.actor)
        return [action for action in ACTIONS if action.command.__name__ in names]

    def _registration(self) -> str:
        """Return the path of the completeness check, which opens to the counter alone."""
        if self.account is None or not self.account.has(Role.COUNTER):
            return ""
        return f"/pendaftaran/{quote(self.report.case.about.number)}"

    def _letter(self) -> dict[str, str] | None:
        """Return the letter's download, to those who need its holder's name for the work."""
        base = f"/berkas/{quote(self.report.case.about.number)}"
        knows = self.account is not None and self.account.has(*NEED)
        return letter_link(self.report, base, self.teller.tr, officer=True) if knows else None

    def _turn(self) -> str:
        """Return who has to act, in the officers' words."""
        t, report = self.teller.tr.t, self.report
        match report.waits_for:
            case "applicant":
                return t("Waiting for the applicant")
            case "payment":
                return t("Waiting for the payment")
            case "outside":
                return t("Waiting for another agency")
            case "office":
                return self.teller.role(str(report.role)) if report.role else t("The office")
            case _:
                return ""

    def _assignee(self) -> str:
        state = self.report.case.opened
        name = state.file.assignee if state is not None else ""
        return self.teller.name_of(name) if name else ""

    def _planned(self) -> str:
        state = self.report.case.opened
        return state.file.opened.planned_end if state is not None else ""

    def _stalls(self) -> list[dict[str, Any]]:
        state = self.report.case.opened
        facts = {
            fact.event.stall_id: fact
            for fact in self.report.case.facts
            if type(fact.event).__name__ == "StallExplained"
        }
        told = []
        for stall in state.file.stalls if state is not None else ():
            stage = self.report.sop.stage(stall.asked.stage)
            said = facts.get(stall.asked.stall_id)
            told.append(
                {
                    "id": stall.asked.stall_id,
                    "stage": self.teller.stage(stage),
                    "answer_by": self.teller.when_iso(stall.asked.answer_by),
                    "explanation": stall.explained.explanation if stall.explained else "",
                    "promised": self._promised(stall.explained),
                    "by": self.teller.actor(said.actor) if said else "",
                    "when": self.teller.when(said.at) if said else "",
                    "escalated": bool(stall.escalated_to),
                }
            )
        return told

    def _promised(self, explained: Any) -> str:
        return self.teller.day(explained.promised) if explained and explained.promised else ""

    def _applicant(self) -> list[tuple[str, str]]:
        submission = self.report.case.dossier.submission
        if submission is None or self.account is None or not submission.applicant.name:
            return []
        t, who = self.teller.tr.t, submission.applicant
        needed = self.account.has(*NEED)

        def shown(value: str, keep: int = 3) -> str:
            return value if needed else mask(value, keep=keep)

        rows = [
            (t("Name"), shown(who.name, 0)),
            (
                "NIK",
                mask(who.nik) if not self.account.has(Role.COUNTER, Role.VERIFIER) else who.nik,
            ),
            (t("Phone"), shown(who.phone)),
            (t("Address"), shown(who.address, 0)),
        ]
        return [(label, value) for label, value in rows if value]

    def _answers(self) -> list[tuple[str, str]]:
        """Return the form's answers under the words of the office's own catalogue."""
        case = self.report.case
        kind = self.catalogue.types.get((case.about.permit_type, case.about.permit_version))
        fields = kind.intake.get("fields", []) if kind is not None else []
        lang = self.teller.tr.lang
        labels = {field["id"]: field["label"][lang] for field in fields}
        needed = self.account is not None and self.account.has(*NEED)
        return [
            (labels.get(name, name), value if needed else mask(value, keep=0))
            for name, value in case.dossier.answers.items()
            if value
        ]

    def _documents(self) -> list[tuple[str, str]]:
        """Return the documents' names and paths at intake, for those who need them."""
        case = self.report.case
        if self.account is None or not self.account.has(*NEED):
            return []
        kind = self.catalogue.types.get((case.about.permit_type, case.about.permit_version))
        known = kind.intake.get("requirements", []) if kind is not None else []
        lang = self.teller.tr.lang
        names = {item["id"]: item["name"][lang] for item in known}
        return [
            (
                names.get(document.requirement, document.requirement),
                f"/dokumen/{case.application_id}/{document.sha256}",
            )
            for document in case.dossier.documents
        ]

    def _complaints(self) -> list[dict[str, Any]]:
        """Return the complaints, to those who lead the office or audit it."""
        if self.account is None or not self.account.has(*_HEARS):
            return []
        return complaints(self.report, self.teller)

    def _originals(self) -> list[dict[str, str]]:
        """Return every scan with what was said about its original at the present stage."""
        stage, state = self.report.stage, self.report.case.opened
        if stage is None or state is None or stage.kind is not Kind.MATCH_ORIGINALS:
            return []
        held = {o.requirement: o for o in state.file.originals if o.stage == stage.id}
        scans = zip(self.report.case.dossier.documents, self._documents(), strict=False)
        told = []
        for document, (name, path) in scans:
            said = held.get(document.requirement)
            fresh = said is not None and said.sha256 == document.sha256
            told.append(
                {
                    "id": document.requirement,
                    "name": name,
                    "path": path,
                    "matched": "yes" if fresh and isinstance(said, OriginalMatched) else "",
                    "reason": getattr(said, "reason", "") if fresh else "",
                }
            )
        return told

    def _colleagues(self) -> list[tuple[str, str]]:
        """Return whom the present stage can be given to: account names and what to call them."""
        stage, state = self.report.stage, self.report.case.opened
        if self.staff is None or stage is None or state is None:
            return []
        told = []
        for account in self.staff.colleagues():
            if stranger(account.actor, stage, state.file, assigned=False) is None:
                told.append((account.username, self._named(account)))
        return told

    def _named(self, account: Account) -> str:
        deputy = self.staff.deputy(account.username) if self.staff is not None else None
        if deputy is None:
            return account.display_name
        return self.teller.tr.t(
            "{name} (away; {deputy} stands in)",
            name=account.display_name,
            deputy=self.teller.name_of(deputy.name),
        )

    def _on_behalf(self) -> str:
        """Return the agency for which whoever looks at it would enter a letter, empty for none."""
        stage, actor = self.report.stage, self.actor
        if stage is None or stage.agency is None or actor is None:
            return ""
        own = actor.agency == stage.agency.id
        return "" if own else stage.agency.name.of(self.teller.tr.lang)

    def _suggested(self) -> dict[str, str]:
        """Return what a form starts with: what is known already is never typed again."""
        submission = self.report.case.dossier.submission
        needed = self.account is not None and self.account.has(*NEED)
        receiver = submission.applicant.name if submission is not None and needed else ""
        return {"document_number": f"SK-{self.report.case.about.number}", "receiver": receiver}
