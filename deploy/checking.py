"""Everything that can be wrong with a folder of offices' data, found before anybody starts it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from deploy.catalogue import sections
from services.intake.catalogue import IntakeSection
from services.payment.banks.profile import Banks
from services.payment.service import unbillable
from services.workflow.sop import Sop, Sops
from shared.errors import BadConfiguration
from shared.identity import Accounts
from shared.offices import BadFile, Catalogue, Mistake, Office, PermitType, section
from shared.offices.origin import Origin
from shared.text import msg

_NO_FIELD = msg("The form has no number {field} that could decide on the authority.")
_AS_SAID = msg("{reason}")
_NO_ACCOUNT = msg("There is no account {name} at this office. Nobody can be told.")
_NO_NUMBER = msg("The account {name} has no number. Nobody can be told.")
_NO_OFFICE = msg(
    "There is no office {office} that can be used. Its accounts can do nothing: {names}."
)
_NO_LEAVE = msg(
    "No joint leave of {country} is here for {year}: days in that year are counted without it."
)
_TOO_MUCH = msg(
    "At {office} the stages together may take {days} working days, more than the {promised} that "
    "are promised: a permit can be in time at every stage and late in the end."
)
# The longest that a date is promised ahead, roughly.
_AHEAD = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found: the catalogue of all that can be used, every mistake, and what is odd.

    A warning keeps nobody from using a file: it may be meant so.
    """

    catalogue: Catalogue
    mistakes: tuple[Mistake, ...]
    warnings: tuple[Mistake, ...]


def check(folder: Path) -> Checked:
    """Return what is wrong with a folder, by every service's own rules. Changes nothing."""
    catalogue = Catalogue.load(folder, sections=sections())
    warnings: list[Mistake] = []
    mistakes = [*catalogue.refused, *_authority(catalogue), *_procedures(catalogue, warnings)]
    # A draft may hold offices and permits alone.
    if (folder / "banks").is_dir():
        mistakes += _banks(folder, catalogue)
    if (folder / "accounts").is_dir():
        mistakes += _accounts(folder, catalogue)
    # One file may be wrong for several offices; its sentence is said once.
    unique = {(one.file, one.line, one.place, one.reason()): one for one in mistakes}
    return Checked(catalogue, tuple(unique.values()), tuple(warnings))


def _procedures(catalogue: Catalogue, warnings: list[Mistake]) -> Iterator[Mistake]:
    """Yield what keeps a procedure from being prepared at an office that gives the type.

    One that promises less than its stages may take is added to ``warnings``.
    """
    sops = Sops(catalogue)
    for office in catalogue.offices.values():
        for name, version in sorted(catalogue.types):
            if name in office.permit_types:
                try:
                    sop = sops.of(office.id, name, version)
                    if sop.budget_after("") > sop.legal:
                        warnings.append(_too_much(office, catalogue.types[name, version], sop))
                except BadFile as error:
                    yield from error.mistakes


def _too_much(office: Office, kind: PermitType, sop: Sop) -> Mistake:
    place, origin = ("promise", "working_days"), kind.origin or Origin(kind.id, {})
    said: dict[str, str | int] = {
        "office": office.id,
        "days": f"{sop.budget_after('') / office.day_minutes:.3g}",
        "promised": kind.promise.working_days,
    }
    return Mistake(origin.file, origin.line(place), place, _TOO_MUCH, said)


def _authority(catalogue: Catalogue) -> Iterator[Mistake]:
    for kind in catalogue.types.values():
        asked = section(kind, "intake", IntakeSection).fields
        numbers = {item.id for item in asked if item.kind == "number" and item.required}
        for index, rule in enumerate(kind.authority):
            if rule.when is not None and rule.when.field not in numbers:
                yield _of(kind, ("authority", index, "when", "field"), rule.when.field)


def _of(kind: PermitType, place: tuple[str | int, ...], field: str) -> Mistake:
    line = kind.origin.line(place) if kind.origin else 1
    file = kind.origin.file if kind.origin else kind.id
    return Mistake(file, line, place, _NO_FIELD, {"field": field})


def _banks(folder: Path, catalogue: Catalogue) -> Iterator[Mistake]:
    problems: list[BadConfiguration] = []
    try:
        problems.extend(unbillable(catalogue, Banks.load(folder / "banks", problems.append)))
    except BadConfiguration as error:
        problems.append(error)
    for problem in problems:
        yield from problem.mistakes if isinstance(problem, BadFile) else (_as_said(problem),)


def _accounts(folder: Path, catalogue: Catalogue) -> Iterator[Mistake]:
    refused: list[BadFile] = []
    accounts = Accounts.load(folder / "accounts", refused=refused.append)
    for error in refused:
        yield from error.mistakes
    homeless: dict[str, list[str]] = {}
    for account in accounts.all():
        if account.office not in catalogue.offices:
            homeless.setdefault(account.office, []).append(account.username)
    for office, names in homeless.items():
        # One sentence, however many people: the office's own mistake is what has to be mended.
        yield Mistake("accounts", 1, (), _NO_OFFICE, {"office": office, "names": ", ".join(names)})
    for one in catalogue.offices.values():
        yield from _rosters(one, accounts)


def _rosters(office: Office, accounts: Accounts) -> Iterator[Mistake]:
    """Yield who stands on a duty roster and can't be told anything."""
    for role, duty in office.duty.items():
        for index, shift in enumerate(duty.people):
            account = accounts.find(shift.who)
            known = account is not None and account.office == office.id
            if shift.who.startswith("+") or (known and account is not None and account.phone):
                continue
            place = ("duty", role, "people", index, "who")
            origin = office.origin or Origin(office.id, {})
            said = _NO_NUMBER if known else _NO_ACCOUNT
            yield Mistake(origin.file, origin.line(place), place, said, {"name": shift.who})


def unknown_leave(catalogue: Catalogue, today: date) -> Iterator[tuple[str, dict[str, str | int]]]:
    """Yield, as msgid and parameters, the years soon to come whose joint leave has no file.

    It is no mistake, the decree may not be out yet; but deadlines are counted without it.
    """
    known = {(leave.country, leave.year) for leave in catalogue.leave}
    for country in sorted({country for country, _ in known}):
        for year in sorted({today.year, (today + _AHEAD).year}):
            if (country, year) not in known:
                yield _NO_LEAVE, {"country": country, "year": year}


def _as_said(error: BadConfiguration) -> Mistake:
    return Mistake(str(error.params["file"]), 1, (), _AS_SAID, {"reason": error.params["reason"]})
