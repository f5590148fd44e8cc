"""What people can apply for: offices, permit types, requirements, working days and cost.

Reads the ``intake`` section of a permit type's file::

    intake:
      summary: {id: .., en: ..}
      requirements: [{id, name, required: true, hint}]
      fields: [{id, kind: text | long-text | number | date, label, required: true, hint}]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator

from services.intake.commands import Authority
from shared.errors import NotFound
from shared.offices import (
    BadFile,
    Catalogue,
    FileModel,
    Identifier,
    LocalText,
    Office,
    PermitType,
    section,
)

ONLINE = "online"


class Requirement(FileModel):
    """A document that the permit needs."""

    id: Identifier
    name: LocalText
    required: bool = True
    hint: LocalText | None = None


class Question(FileModel):
    """A question of the form."""

    id: Identifier
    kind: Literal["text", "long-text", "number", "date"]
    label: LocalText
    required: bool = True
    hint: LocalText | None = None


def _no_id_twice(items: tuple[Any, ...]) -> tuple[Any, ...]:
    ids = [item.id for item in items]
    twice = sorted({found for found in ids if ids.count(found) > 1})
    if twice:
        raise ValueError(f"used twice: {', '.join(twice)}")
    return items


class IntakeSection(FileModel):
    """What intake reads of a permit type."""

    summary: LocalText
    requirements: Annotated[tuple[Requirement, ...], AfterValidator(_no_id_twice)] = ()
    fields: Annotated[tuple[Question, ...], AfterValidator(_no_id_twice)] = ()

    @property
    def required(self) -> tuple[str, ...]:
        """The ids of the requirements that need a document."""
        return tuple(item.id for item in self.requirements if item.required)

    def requirement_name(self, requirement: str, language: str) -> str:
        """Return a requirement's name; its id if the file no longer names it."""
        found = (item.name.of(language) for item in self.requirements if item.id == requirement)
        return next(found, requirement)


@dataclass(frozen=True, slots=True)
class Offer:
    """A permit type in the version in force, and the offices that give it."""

    kind: PermitType
    section: IntakeSection
    offices: tuple[Office, ...]

    @property
    def online(self) -> tuple[Office, ...]:
        """The offices where people apply for it through the internet."""
        return tuple(office for office in self.offices if office.takes_online(self.kind.id))

    def office(self, office_id: str | None) -> Office | None:
        """Return one of the offices; without an id, the only one there is."""
        if not office_id:
            return self.offices[0] if len(self.offices) == 1 else None
        return next((office for office in self.offices if office.id == office_id), None)


class PublicCatalogue:
    """The offices and permit types as everybody may read them."""

    def __init__(self, catalogue: Catalogue) -> None:
        """Read every permit type's intake section. One that is wrong can't be applied for."""
        self._catalogue = catalogue
        self._sections: dict[tuple[str, int], IntakeSection] = {}
        for key, kind in catalogue.types.items():
            # Where it is composed, the catalogue has refused and reported such a version already.
            with suppress(BadFile):
                self._sections[key] = section(kind, "intake", IntakeSection)

    @property
    def offices(self) -> Sequence[Office]:
        """All offices, by name."""
        return sorted(self._catalogue.offices.values(), key=lambda office: office.name.id)

    def office(self, office_id: str) -> Office:
        """Return an office. Raises NotFound."""
        found = self._catalogue.offices.get(office_id)
        if found is None:
            raise NotFound
        return found

    def section(self, permit_type: str, version: int) -> IntakeSection:
        """Return the section of the version that a running application keeps. Raises NotFound."""
        found = self._sections.get((permit_type, version))
        if found is None:
            raise NotFound
        return found

    def name(self, permit_type: str, version: int, language: str) -> str:
        """Return a permit type's name; its id if no file names it."""
        found = self._catalogue.types.get((permit_type, version))
        return found.name.of(language) if found else permit_type

    def offer(self, permit_type: str, now: datetime) -> Offer:
        """Return what is in force at ``now`` where it can be applied for. Raises NotFound."""
        giving = [o for o in self.offices if permit_type in o.permit_types and o.channels]
        if not giving:
            raise NotFound
        kind = self.in_force(permit_type, giving[0], now)
        section = self._sections.get((kind.id, kind.version)) if kind else None
        if kind is None or section is None:
            raise NotFound
        return Offer(kind, section, tuple(giving))

    def in_force(self, permit_type: str, office: Office, now: datetime) -> PermitType | None:
        """Return the version in force on the office's own date."""
        return self._catalogue.current(permit_type, now.astimezone(ZoneInfo(office.zone)).date())

    def authority(
        self, office_id: str, permit_type: str, version: int, answers: Mapping[str, str]
    ) -> Authority | None:
        """Return who decides on an application that came to an office; None: any office may.

        Raises NotFound.
        """
        office = self.office(office_id)
        kind = self._catalogue.types.get((permit_type, version))
        level = kind.level(answers) if kind else None
        if kind is None or level is None:
            return None
        found = self._catalogue.authority(office, kind, level)
        return Authority(level.value, found.id if found else "")

    def offers(self, now: datetime) -> list[Offer]:
        """Return everything people can apply for online or at a counter."""
        found = []
        for permit_type in sorted({t for office in self.offices for t in office.permit_types}):
            try:
                found.append(self.offer(permit_type, now))
            except NotFound:
                # Not in force yet: it is nothing to apply for today.
                continue
        return found


def as_json(catalogue: PublicCatalogue, now: datetime) -> dict[str, Any]:
    """Return the public catalogue for programs; texts are objects with ``id`` and ``en``."""
    return {
        "offices": [_office(office) for office in catalogue.offices],
        "permit_types": [_offer(offer) for offer in catalogue.offers(now)],
    }


def _office(office: Office) -> dict[str, Any]:
    shown = {"id", "version", "effective", "code", "name", "address", "level", "parent", "zone"}
    shown |= {"hours", "channels", "permit_types"}
    online = [one for one in office.permit_types if office.takes_online(one)]
    return {**office.model_dump(mode="json", include=shown), "online": online}


def _offer(offer: Offer) -> dict[str, Any]:
    shown = {"id", "version", "effective", "name", "authority", "renewable", "source"}
    head = offer.kind.model_dump(mode="json", include=shown)
    return {
        **head,
        "working_days": offer.kind.promise.working_days,
        "cost": offer.kind.promise.cost.model_dump(),
        **offer.section.model_dump(mode="json"),
        "offices": [office.id for office in offer.offices],
        "online": [office.id for office in offer.online],
    }
