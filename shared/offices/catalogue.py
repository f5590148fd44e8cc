"""All offices and permit types in all their versions, and which of them counts on a day."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from shared.offices.loading import read_folder
from shared.offices.mistakes import Mistake
from shared.offices.models import JointLeave, Level, Office, PermitType

Now = Callable[[], datetime]


def _far_away() -> datetime:
    return datetime(9999, 12, 30, tzinfo=UTC)


class InForce(Mapping[str, Office]):
    """Office id -> the version in force now, looked up by the day: a new one just starts."""

    def __init__(self, versions: Mapping[str, Sequence[Office]], now: Now) -> None:
        """``versions`` per office in the order in which they take effect, at least one."""
        self._versions = versions
        self._now = now

    def __getitem__(self, office_id: str) -> Office:
        """Return the version in force on the office's own date. Raises KeyError."""
        versions = self._versions[office_id]
        if len(versions) == 1:
            return versions[0]
        return in_force(versions, self._now().astimezone(ZoneInfo(versions[-1].zone)).date())

    def __iter__(self) -> Iterator[str]:
        """Go through the ids."""
        return iter(self._versions)

    def __len__(self) -> int:
        """Count the offices."""
        return len(self._versions)


def in_force(versions: Sequence[Office], on: date) -> Office:
    """Return the version that counts on a (local) day.

    Before the first one takes effect the first counts too: files that came in earlier, such as an
    imported log's, need hours as well.
    """
    started = [office for office in versions if office.effective <= on]
    return started[-1] if started else versions[0]


class Catalogue:
    """All offices and permit types. A running application keeps its permit type's version.

    ``types`` holds permit types by id and version; ``leave`` the joint leave of years, ``refused``
    what could not be used and why.
    """

    def __init__(
        self,
        offices: Iterable[Office],
        types: Iterable[PermitType],
        leave: Iterable[JointLeave] = (),
        *,
        now: Now = _far_away,
        refused: Sequence[Mistake] = (),
    ) -> None:
        """Hold every version; without a clock the last version of an office is in force."""
        self._versions: dict[str, list[Office]] = {}
        for office in sorted(offices, key=lambda one: one.effective):
            self._versions.setdefault(office.id, []).append(office)
        self.offices: Mapping[str, Office] = InForce(self._versions, now)
        self.types = {(kind.id, kind.version): kind for kind in types}
        self.refused = tuple(refused)
        self.leave = tuple(leave)

    @classmethod
    def load(
        cls,
        folder: Path,
        *,
        now: Now = _far_away,
        sections: Mapping[str, type[BaseModel]] | None = None,
    ) -> Catalogue:
        """Read ``offices/``, ``permits/`` and ``holidays/`` of a folder (``*.yaml``).

        ``sections`` are the services' own models, so that all of them agree on which versions can
        be used. A file that is wrong stops nothing else: it is refused, with the reason.
        """
        read = read_folder(folder, sections or {})
        return cls(read.offices, read.types, read.leave, now=now, refused=read.mistakes)

    def office(self, office_id: str, on: date) -> Office | None:
        """Return the version of an office that counts on a (local) day, None for an unknown one."""
        versions = self._versions.get(office_id)
        return in_force(versions, on) if versions else None

    def versions(self, office_id: str) -> Sequence[Office]:
        """Return every version of an office in the order in which they take effect."""
        return tuple(self._versions.get(office_id, ()))

    def current(self, permit_type: str, on: date) -> PermitType | None:
        """Return the version in force on a date: the latest that is effective by then."""
        versions = [
            kind
            for (name, _), kind in self.types.items()
            if name == permit_type and kind.effective <= on
        ]
        return max(versions, key=lambda kind: (kind.effective, kind.version), default=None)

    def joint_leave(self, country: str) -> frozenset[date]:
        """Return every day of joint leave of a country, of all years that have a file."""
        return frozenset(
            item.day for year in self.leave if year.country == country for item in year.joint_leave
        )

    def children(self, office_id: str) -> list[Office]:
        """Return the offices directly below one, by id."""
        return [self.offices[one] for one in sorted(self.offices) if self._above(one) == office_id]

    def above(self, office_id: str) -> list[Office]:
        """Return the offices above one, the nearest first."""
        found: list[Office] = []
        seen, parent = {office_id}, self._above(office_id)
        while parent is not None and parent not in seen:
            seen.add(parent)
            found.append(self.offices[parent])
            parent = self._above(parent)
        return found

    def below(self, office_id: str) -> list[Office]:
        """Return the offices below one at any depth, by id."""
        return [
            self.offices[one]
            for one in sorted(self.offices)
            if any(office.id == office_id for office in self.above(one))
        ]

    def authority(self, office: Office, kind: PermitType, level: Level) -> Office | None:
        """Return who decides, of the offices above and below ``office``, for a level of authority.

        A higher office stands in for one below it that does not take the permit type, or that can't
        be told from others of its level. None when it takes a higher level and there is none.
        """
        if office.level is level:
            return office
        if office.level.rank < level.rank:
            higher = [o for o in self.above(office.id) if o.level.rank >= level.rank]
            return next((o for o in higher if kind.id in o.permit_types), None)
        lower = [o for o in self.below(office.id) if o.level is level]
        takers = [o for o in lower if kind.id in o.permit_types]
        return takers[0] if len(takers) == 1 else office

    def _above(self, office_id: str) -> str | None:
        parent = self.offices[office_id].parent
        return parent if parent in self._versions else None
