"""Files that say what is to be different. A bad one is refused as ``jejak offices check`` does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from services.workflow.sop_file import SopSection
from services.workflow.whatif.rules import Alternative
from shared.offices import (
    BadFile,
    Catalogue,
    FileModel,
    JointLeave,
    Ladder,
    Mistake,
    Office,
    PermitType,
    section,
)
from shared.offices.files import validated
from shared.offices.loading import unworkable
from shared.offices.origin import Origin, read_data
from shared.text import msg

T = TypeVar("T")

_NOT_GIVEN = msg("The office {office} gives no permit {id}. It gives: {known}.")
_OTHER_COUNTRY = msg("The office {office} works by the holidays of {country}.")


class _LadderFile(FileModel):
    ladder: Ladder


def read_alternative(
    catalogue: Catalogue,
    office: Office,
    *,
    sop: Path | None = None,
    calendar: Path | None = None,
    ladder: Path | None = None,
) -> Alternative:
    """Return what the given files change for an office. Raises BadFile with every mistake.

    ``sop`` is a permit type's file; ``calendar`` an office's, of which the calendar counts, or a
    year of joint leave; ``ladder`` a ladder's own file, or an office's.
    """
    kind = None if sop is None else _read(sop, _sop)
    other = None if calendar is None else _read(calendar, _calendar)
    if kind is not None:
        _check_given(kind, catalogue, office)
    if isinstance(other, JointLeave) and other.country != office.holidays:
        country = office.holidays
        mistake = _at(calendar, ("country",), _OTHER_COUNTRY, office=office.id, country=country)
        raise BadFile([mistake])
    return Alternative(
        kinds=() if kind is None else (kind,),
        office=other if isinstance(other, Office) else None,
        leave=other if isinstance(other, JointLeave) else None,
        ladder=None if ladder is None else _read(ladder, _ladder),
    )


def _read(file: Path, understood: Callable[[Any, Origin], T]) -> T:
    return understood(*read_data(file))


def _sop(content: Any, origin: Origin) -> PermitType:
    kind = validated(content, origin, PermitType)
    section(kind, "workflow", SopSection)
    return kind


def _calendar(content: Any, origin: Origin) -> Office | JointLeave:
    if isinstance(content, dict) and "hours" not in content and "zone" not in content:
        return validated(content, origin, JointLeave)
    return _office(content, origin)


def _office(content: Any, origin: Origin) -> Office:
    office = validated(content, origin, Office)
    if mistakes := list(unworkable(office)):
        raise BadFile(mistakes)
    return office


def _ladder(content: Any, origin: Origin) -> Ladder:
    if isinstance(content, dict) and "hours" in content:
        return _office(content, origin).ladder
    if isinstance(content, dict) and "ladder" in content:
        return validated(content, origin, _LadderFile).ladder
    return validated(content, origin, Ladder)


def _check_given(kind: PermitType, catalogue: Catalogue, office: Office) -> None:
    """Raise BadFile for a permit type that the office never gave in any version."""
    given = {name for version in catalogue.versions(office.id) for name in version.permit_types}
    if kind.id not in given:
        known = ", ".join(sorted(given)) or "-"
        origin = kind.origin or Origin(kind.id, {})
        line = origin.line(("id",))
        params = {"office": office.id, "id": kind.id, "known": known}
        raise BadFile([Mistake(origin.file, line, ("id",), _NOT_GIVEN, params)])


def _at(file: Path | None, place: tuple[str, ...], msgid: str, **params: str) -> Mistake:
    assert file is not None
    _, origin = read_data(file)
    return Mistake(origin.file, origin.line(place), place, msgid, params)
