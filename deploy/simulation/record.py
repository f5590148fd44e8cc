"""What was simulated in a data folder: ``simulation.json``, so that nothing real is ever mixed in.

A folder is simulated when every event in it is. So its log has to end exactly where the last
simulation ended, or somewhere within the one that was interrupted.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from deploy.simulation.errors import (
    AlreadySimulated,
    NotEmbedded,
    NotSimulated,
    OtherSimulation,
)
from deploy.simulation.run import Plan
from shared.settings import Settings

_FILE = "simulation.json"


@dataclass(frozen=True)
class Entry:
    """One simulation. The log was at ``base`` before it and at ``head`` after it (None: not yet).

    ``until`` is an ISO 8601 instant.
    """

    office: str
    months: int
    rate: float
    seed: int
    until: str
    base: int
    head: int | None = None

    @property
    def plan(self) -> Plan:
        """The plan that it came from."""
        until = datetime.fromisoformat(self.until)
        return Plan(self.office, self.months, self.rate, self.seed, until)

    @property
    def options(self) -> str:
        """The command's options that give the same simulation."""
        numbers = f"--months {self.months} --rate {self.rate:g} --seed {self.seed}"
        return f"--office {self.office} {numbers} --until {self.until}"


class Record:
    """The simulations of one data folder, in order."""

    def __init__(self, folder: Path) -> None:
        """Read what the folder says. Raises NotSimulated when that can't be read."""
        self._folder = folder
        try:
            text = (folder / _FILE).read_text(encoding="utf-8")
            self.entries = [Entry(**one) for one in json.loads(text)]
        except FileNotFoundError:
            self.entries = []
        except (ValueError, TypeError) as error:
            raise NotSimulated(folder=str(folder)) from error

    def begin(self, plan: Plan, head: int, *, until_given: bool) -> Entry:
        """Return the entry of ``plan``, new or interrupted, in a log that ends at ``head``.

        An interrupted one keeps its own end unless another was asked for. Raises NotSimulated,
        AlreadySimulated, OtherSimulation.
        """
        last = self.entries[-1] if self.entries else None
        if last is not None and last.head is None:
            same = plan if until_given else plan._replace(until=last.plan.until)
            if same != last.plan:
                raise OtherSimulation(folder=str(self._folder), options=last.options)
            if head < last.base:
                raise NotSimulated(folder=str(self._folder))
            return last
        if head != (last.head if last is not None else 0):
            raise NotSimulated(folder=str(self._folder))
        if any(one.office == plan.office for one in self.entries):
            raise AlreadySimulated(office=plan.office, folder=str(self._folder))
        entry = Entry(*plan[:4], until=plan.until.isoformat(), base=head)
        self.entries.append(entry)
        self._write()
        return entry

    def end(self, head: int) -> None:
        """Note that the last simulation is complete; the log ends at ``head``."""
        self.entries[-1] = Entry(**{**asdict(self.entries[-1]), "head": head})
        self._write()

    def _write(self) -> None:
        entries: list[dict[str, Any]] = [asdict(one) for one in self.entries]
        self._folder.mkdir(parents=True, exist_ok=True)
        draft = self._folder / f".{_FILE}"
        draft.write_text(json.dumps(entries, indent=2) + "\n", encoding="utf-8")
        os.replace(draft, self._folder / _FILE)


def require_embedded(settings: Settings) -> None:
    """Raise NotEmbedded when the settings name a server."""
    if settings.postgres or settings.kurrent or settings.kafka:
        raise NotEmbedded
