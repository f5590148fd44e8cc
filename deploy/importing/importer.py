"""Brings a foreign permit log into the store: many permits side by side, each in its own order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from deploy.importing.cases import CaseReader
from deploy.importing.facts import CodeHash, FactWriter, PermitFacts, no_code
from deploy.importing.mapping import load_mapping
from deploy.importing.report import ImportReport
from deploy.importing.xes import XesReader
from shared.codec import Codec
from shared.errors import BadConfiguration, EventIdReused, WrongExpectedVersion
from shared.events import NewEvent, Recorded, from_micros
from shared.offices import Catalogue
from shared.store import EventStore

# Enough appends in flight to share one commit, few enough to keep memory flat.
IN_FLIGHT = 64
TRIES = 5

Progress = Callable[[ImportReport, float], None]


def _silent(report: ImportReport, fraction: float) -> None:
    """Tell nobody."""


async def import_log(
    file: Path,
    mapping: Path,
    office: str,
    *,
    store: EventStore,
    codec: Codec,
    catalogue: Catalogue,
    now: datetime,
    progress: Progress = _silent,
    code_hash: CodeHash = no_code,
) -> ImportReport:
    """Record the facts of the XES log ``file`` as permits of ``office``; return the counts.

    ``progress`` hears the counts so far and the part of the file read (0.0 to 1.0) after every
    permit. ``code_hash`` gives the hash of each application's tracking code. Importing again adds
    only what is not there yet, so an import that was interrupted or killed is finished by running
    it again. Raises BadLog, BadConfiguration, and what the store raises; the permits before a bad
    place in the log are recorded.
    """
    place = catalogue.offices.get(office)
    if place is None:
        raise BadConfiguration(file=str(mapping), reason=f"there is no office {office!r}")
    rules = load_mapping(mapping, place, catalogue)
    report = ImportReport()
    reader = CaseReader(rules, place, now, report)
    writer = FactWriter(rules, place, codec, report, code_hash)
    log = XesReader(file)

    def told() -> None:
        progress(report, log.fraction)

    await Recorder(store, report).record_all(_permits(log, reader, writer), told)
    told()
    return report


def _permits(log: XesReader, reader: CaseReader, writer: FactWriter) -> Iterator[PermitFacts]:
    for trace in log:
        case = reader.read(trace)
        if case is not None:
            yield writer.facts(case)


class Recorder:
    """Appends permits' facts, several permits at a time."""

    def __init__(self, store: EventStore, report: ImportReport) -> None:
        """Append to ``store`` and count in ``report``."""
        self._store = store
        self._report = report

    async def record_all(self, permits: Iterator[PermitFacts], told: Callable[[], None]) -> None:
        """Record every permit. After a failure or a cancellation nothing is left half-written.

        Raises the first failure once the appends in flight are done.
        """

        # One iterator shared by all: whoever is free takes the next permit, so at most IN_FLIGHT
        # permits are in memory.
        async def work() -> None:
            for facts in permits:
                await self.record(facts)
                told()

        outcomes = await asyncio.gather(*(work() for _ in range(IN_FLIGHT)), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    async def record(self, facts: PermitFacts) -> None:
        """Record one permit: the application first, then the work on its permit."""
        await self._add(f"application-{facts.application_id}", facts.application)
        await self._add(f"permit-{facts.application_id}", facts.permit)

    async def _add(self, stream: str, events: Sequence[NewEvent]) -> None:
        """Append those of ``events`` that are not in ``stream`` yet.

        Others may append meanwhile: another import, another trace of the same case, a service.
        """
        for attempt in range(1, TRIES + 1):
            there = await self._store.read_stream(stream)
            new = missing(events, there)
            try:
                if new:
                    await self._store.append(stream, new, there[-1].version if there else 0)
            except (WrongExpectedVersion, EventIdReused):
                if attempt == TRIES:
                    raise
            else:
                self._count(events, len(new))
                return

    def _count(self, events: Sequence[NewEvent], new: int) -> None:
        self._report.recorded += new
        self._report.already_there += len(events) - new
        for event in events:
            self._report.saw(from_micros(event.occurred_us))


def missing(events: Sequence[NewEvent], there: Sequence[Recorded]) -> list[NewEvent]:
    """Return the ``events`` that are not among those ``there``, in order."""
    known = {recorded.event_id for recorded in there}
    return [event for event in events if event.event_id not in known]
