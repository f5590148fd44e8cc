"""What the leaders' pages stand on, and what they say in the same way everywhere."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Request, Response

from services.workflow.pages import Counter, clock_of, file_link
from services.workflow.sop import Sop
from services.workflow.supervision.figures import Figures
from services.workflow.supervision.open_files import (
    NOBODY,
    Filter,
    OpenFiles,
    StageKey,
    Standing,
)
from services.workflow.supervision.scope import LEADERS, offices_below
from services.workflow.views import Open
from services.workflow.wording import Teller
from shared.actors import Role
from shared.calendar import MINUTE_US, Calendars
from shared.errors import BadConfiguration, NotFound
from shared.identity import Account
from shared.web.i18n import msg
from shared.web.pages import language
from shared.web.session import require

Leader = Annotated[Account, Depends(require(*LEADERS))]

STANDING: dict[Standing, tuple[str, str]] = {
    Standing.OVERDUE: (msg("Beyond its limit"), "danger"),
    Standing.NEAR: (msg("Near its limit"), "warning"),
    Standing.RUNNING: (msg("In time"), "progress"),
    Standing.APPLICANT: (msg("Waiting for the applicant"), "waiting"),
    Standing.PAYMENT: (msg("Waiting for payment"), "waiting"),
    Standing.OUTSIDE: (msg("With another agency"), "waiting"),
}
"""Standing -> label and tone, the most urgent first."""
PAGES = (
    (msg("Board"), "/papan"),
    (msg("Files"), "/papan/berkas"),
    (msg("Stalls"), "/papan/macet"),
    (msg("Performance"), "/papan/kinerja"),
    (msg("Bottlenecks"), "/papan/sumbatan"),
    (msg("Volume"), "/papan/jumlah"),
    (msg("Activity"), "/papan/aktivitas"),
)
WHAT_IF = (msg("What if"), "/papan/bagaimana-jika")
"""The page that only who supervises or audits may ask."""


def sisters_of(account: Account) -> tuple[tuple[str, str], ...]:
    """Return the pages that a leader may open, as label and path."""
    return (*PAGES, WHAT_IF) if account.has(Role.SUPERVISOR, Role.AUDITOR) else PAGES


@dataclass(frozen=True)
class Watch:
    """What the pages of supervision share."""

    counter: Counter
    files: OpenFiles
    figures: Figures
    calendars: Calendars

    def scope(self, account: Account, office: str = "") -> tuple[str, ...]:
        """Return the offices that an account sees, or one of them. Raises NotFound."""
        offices = offices_below(self.counter.catalogue, account.office)
        if office and office not in offices:
            raise NotFound
        return (office,) if office else offices

    def tell(self, office: str, lang: str) -> Tell:
        """Return what tells of an office and those below it, in one language."""
        return Tell(self, self.counter.teller(office, lang))

    def page(self, request: Request, account: Account, name: str, **context: Any) -> Response:
        """Return a leader's whole page with the way to its sisters."""
        lang = language(request)
        return self.counter.pages.render(
            request,
            f"workflow/supervision/{name}.html",
            office=self.counter.catalogue.offices[account.office].name.of(lang),
            sisters=sisters_of(account),
            **context,
        )


@dataclass(frozen=True)
class Tell:
    """Says stages, people, offices and times, each in its office's own terms."""

    watch: Watch
    teller: Teller

    @property
    def lang(self) -> str:
        """The reader's language."""
        return self.teller.tr.lang

    def office(self, office: str) -> str:
        """Return an office's name."""
        known = self.watch.counter.catalogue.offices.get(office)
        return known.name.of(self.lang) if known is not None else office

    def level(self, office: str) -> str:
        """Return an office's level of government."""
        known = self.watch.counter.catalogue.offices.get(office)
        return str(known.level).capitalize() if known is not None else ""

    def agency(self, office: str, agency: str) -> str:
        """Return the name of a technical agency of an office."""
        known = self.watch.counter.catalogue.offices.get(office)
        found = (a.name.of(self.lang) for a in (known.agencies if known else ()) if a.id == agency)
        return next(found, agency)

    def permit(self, sop: Sop | None, kind: str) -> str:
        """Return a permit type's name."""
        return sop.name.of(self.lang) if sop is not None else kind

    def stage(self, key: StageKey) -> str:
        """Return a stage's name."""
        stage = self.watch.files.stage(key)
        if stage is None and not key.stage:
            return self.teller.tr.t("Between two steps")
        return self.teller.stage(stage) or key.stage

    def person(self, account: str) -> str:
        """Return an officer's name by account; ``-`` is nobody, ``-verifier`` that role's."""
        if account and not account.startswith(NOBODY):
            return self.teller.name_of(account)
        role = self.teller.role(account.removeprefix(NOBODY))
        if not role:
            return self.teller.tr.t("Nobody by name")
        return self.teller.tr.t("{role}, nobody by name", role=role)

    def standing(self, standing: Standing) -> dict[str, str]:
        """Return how a file stands, as label and tone."""
        label, tone = STANDING[standing]
        return {"label": self.teller.tr.t(label), "tone": tone}

    def worked(self, micros: int | None, office: str) -> str:
        """Return working microseconds in an office's working days, or a dash."""
        if micros is None:
            return "–"
        known = self.watch.counter.catalogue.offices.get(office, self.teller.office)
        return self.teller.tr.duration(micros // MINUTE_US, known.day_minutes)

    def waited(self, since: int, now: int, office: str) -> str:
        """Return the office's working time between two instants (microseconds UTC), in words."""
        try:
            calendar = self.watch.calendars.of(office)
        except BadConfiguration:
            return "–"
        return self.worked(calendar.micros_between(since, now), office)

    def percent(self, part: int, whole: int) -> str:
        """Return a share in whole percent, a dash of nothing."""
        return f"{self.teller.tr.number(round(100 * part / whole))} %" if whole else "–"

    def file(self, opened: Open) -> dict[str, Any]:
        """Return one open file as a line of a list."""
        row, sop = opened.row, opened.sop
        number = row.number or row.permit_number
        return {
            "number": number,
            "link": file_link(number),
            "permit": self.permit(sop, row.procedure_type),
            "stage": self.stage(StageKey(*row.procedure_key, row.stage)),
            "role": self.teller.role(row.role),
            "officer": self.person(row.assignee) if row.assignee else "",
            "office": self.office(row.procedure_office),
            "clock": clock_of(opened, self.teller),
        }


def list_link(wanted: Filter) -> str:
    """Return the address of the list of exactly these files."""
    told = {PARAMETERS[f.name]: getattr(wanted, f.name) for f in fields(wanted)}
    query = urlencode({name: str(value) for name, value in told.items() if value})
    return "/papan/berkas" + (f"?{query}" if query else "")


PARAMETERS = {
    "office": "kantor",
    "permit_type": "izin",
    "stage": "tahap",
    "assignee": "petugas",
    "agency": "opd",
    "standing": "keadaan",
    "version": "versi",
}
"""Field of a ``Filter`` -> its name in an address."""
