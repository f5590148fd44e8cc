"""Importing into a real store: once, twice, longer, interrupted, and with a broken log."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from rich.console import Console

from deploy.importing.console import progress_bar, show_report
from deploy.importing.errors import BadLog
from deploy.importing.importer import Progress, import_log
from deploy.importing.report import ImportReport
from deploy.importing.sample import CASES, OPEN_CASES, UNMAPPED, sample
from shared.codec import Codec
from shared.errors import BadConfiguration, StoreFull
from shared.events import NewEvent, Recorded
from shared.store.protocol import ANY
from shared.store.sqlite import SqliteStore
from shared.web.i18n import Translator
from tests.unit.importing.kit import CATALOGUE, CHECK, DEPLOY, NOW, event, log, trace, write

SAMPLE = DEPLOY / "imports" / "sample.xes"
SAMPLE_MAPPING = DEPLOY / "imports" / "sample.yaml"
RECEIPT_MAPPING = DEPLOY / "imports" / "receipt.yaml"
CODEC = Codec()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "events.sqlite")
    yield opened
    await opened.close()


def quiet(report: ImportReport, fraction: float) -> None:
    """Hear nothing of the progress."""


async def run(
    store: SqliteStore, file: Path, rules: Path = RECEIPT_MAPPING, progress: Progress = quiet
) -> ImportReport:
    return await import_log(
        file,
        rules,
        "receipt",
        store=store,
        codec=CODEC,
        catalogue=CATALOGUE,
        now=NOW,
        progress=progress,
    )


async def everything(store: SqliteStore) -> list[Recorded]:
    return await store.read_all(limit=1_000_000)


def content(events: Sequence[Recorded]) -> list[tuple[str, int, str, bytes]]:
    """Return what must be equal however the import went: every stream with its events in order."""
    return sorted((e.stream, e.version, e.event_id, e.data) for e in events)


def again(recorded: Recorded) -> NewEvent:
    """Return what was appended to make ``recorded``."""
    return NewEvent(*recorded[3:8], *recorded[9:])


async def test_the_sample_is_imported_and_what_it_lacks_is_reported(store: SqliteStore) -> None:
    report = await run(store, SAMPLE, SAMPLE_MAPPING)
    recorded = await everything(store)
    types = [e.type for e in recorded]
    assert report.cases == CASES
    assert report.uncovered_activities.as_dict() == {UNMAPPED: 2}
    assert report.recorded == len(recorded)
    assert types.count("StageCompleted") == report.log_events - 2
    assert types.count("PermitClosed") == CASES - len(OPEN_CASES)
    assert types.count("PermitOpened") == CASES
    assert report.first == min(e.occurred_at for e in recorded)
    assert report.last == max(e.occurred_at for e in recorded)


def test_the_sample_is_what_its_maker_makes() -> None:
    assert SAMPLE.read_text("utf-8") == "".join(sample())


async def test_the_same_log_twice_adds_nothing(store: SqliteStore) -> None:
    first = await run(store, SAMPLE)
    before = await everything(store)
    second = await run(store, SAMPLE)
    assert await everything(store) == before
    assert (second.recorded, second.already_there) == (0, first.recorded)


async def test_a_longer_export_adds_only_what_is_new(store: SqliteStore, tmp_path: Path) -> None:
    await run(store, write(tmp_path, log(trace("case-1", [event()]))))
    longer = [event(CHECK, "2011-10-09T09:00:00+02:00"), event(), event()]
    report = await run(
        store, write(tmp_path, log(trace("case-1", longer, enddate="2011-11-01T00:00:00+01:00")))
    )
    assert (report.recorded, report.already_there) == (3, 4)
    types = [e.type for e in await everything(store)]
    assert types.count("StageCompleted") == 3
    assert types[-1] == "PermitClosed"


async def test_each_permit_is_recorded_in_the_order_it_happened(store: SqliteStore) -> None:
    await run(store, SAMPLE)
    by_permit: dict[str, list[str]] = {}
    for recorded in await everything(store):
        by_permit.setdefault(recorded.correlation_id, []).append(recorded.type)
    for types in by_permit.values():
        assert types[:3] == ["ApplicationSubmitted", "ApplicationRegistered", "PermitOpened"]


async def test_somebody_else_may_have_opened_the_permit_already(
    store: SqliteStore, tmp_path: Path
) -> None:
    file = write(tmp_path, log(trace("case-1", [event()])))
    whole = SqliteStore(tmp_path / "whole.sqlite")
    await run(whole, file)
    *application, opened, _ = await everything(whole)
    for one in application:
        await store.append(one.stream, [again(one)])
    await store.append(opened.stream, [again(opened)])
    report = await run(store, file)
    assert (report.recorded, report.already_there) == (1, 3)
    assert content(await everything(store)) == content(await everything(whole))
    await whole.close()


async def test_the_same_case_in_two_places_of_the_log_is_one_permit(
    store: SqliteStore, tmp_path: Path
) -> None:
    parts = [trace("case-1", [event(at=f"2011-10-{day}T09:00:00+02:00")]) for day in (10, 11, 12)]
    await run(store, write(tmp_path, log(*parts)))
    types = [e.type for e in await everything(store)]
    assert (types.count("StageCompleted"), types.count("PermitOpened")) == (3, 1)


async def test_progress_only_grows_and_ends_at_the_end(store: SqliteStore) -> None:
    heard: list[tuple[int, float]] = []
    report = await run(store, SAMPLE, progress=lambda r, part: heard.append((r.recorded, part)))
    assert heard == sorted(heard)
    assert heard[-1] == (report.recorded, 1.0)
    assert len(heard) >= CASES


async def test_what_came_before_a_bad_place_is_recorded(store: SqliteStore, tmp_path: Path) -> None:
    whole = log(*(trace(f"case-{n}", [event()] * 3) for n in range(300)))
    with pytest.raises(BadLog) as refusal:
        await run(store, write(tmp_path, whole[: len(whole) // 2]))
    assert int(refusal.value.params["line"]) > 1000
    before = len(await everything(store))
    assert before > 300
    report = await run(store, write(tmp_path, whole))
    assert report.already_there == before
    assert report.recorded + before == 300 * 6


async def test_an_office_or_mapping_that_does_not_fit_records_nothing(store: SqliteStore) -> None:
    for office in ("nowhere", "bogor"):
        with pytest.raises(BadConfiguration):
            await import_log(
                SAMPLE, SAMPLE_MAPPING, office,
                store=store, codec=CODEC, catalogue=CATALOGUE, now=NOW,
            )  # fmt: skip
    assert await store.head() == 0


class FullStore(SqliteStore):
    """A store whose disk is full after some appends."""

    room = 20

    async def append(
        self, stream: str, events: Sequence[NewEvent], expected: int = ANY
    ) -> list[Recorded]:
        self.room -= 1
        if self.room < 0:
            raise StoreFull
        return await super().append(stream, events, expected)


async def test_a_full_store_ends_the_import_and_it_can_be_finished(tmp_path: Path) -> None:
    file = tmp_path / "events.sqlite"
    full = FullStore(file)
    with pytest.raises(StoreFull):
        await run(full, SAMPLE)
    await full.close()
    roomy = SqliteStore(file)
    report = await run(roomy, SAMPLE)
    assert report.already_there > 0
    assert report.recorded > 0
    assert len(await everything(roomy)) == report.recorded + report.already_there
    await roomy.close()


async def test_an_interrupted_import_says_how_to_go_on_and_is_finished_by_the_next(
    store: SqliteStore, tmp_path: Path
) -> None:
    said = io.StringIO()
    console = Console(file=said, width=120)

    async def interrupted() -> None:
        with progress_bar(console, Translator("en")) as bar:

            def tell(report: ImportReport, fraction: float) -> None:
                bar(report, fraction)
                if report.recorded > 50:
                    task.cancel()

            await run(store, SAMPLE, progress=tell)

    task = asyncio.ensure_future(interrupted())
    with pytest.raises(asyncio.CancelledError):
        await task
    assert "run the same command to go on" in said.getvalue()
    report = await run(store, SAMPLE)
    assert report.already_there > 50
    other = SqliteStore(tmp_path / "other.sqlite")
    await run(other, SAMPLE)
    assert content(await everything(store)) == content(await everything(other))
    await other.close()


IMPORT = """
import asyncio, sys
from pathlib import Path
from tests.unit.importing import test_importer as t
async def main():
    store = t.SqliteStore(Path(sys.argv[1]))
    def tell(report, fraction):
        print(report.recorded, flush=True)
    await t.run(store, Path(sys.argv[2]), progress=tell)
asyncio.run(main())
"""


def kill_in_the_middle(database: Path, file: Path, after: int) -> None:
    """Import in a process of its own, and kill it once ``after`` events were recorded."""
    command = [sys.executable, "-c", IMPORT, str(database), str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=DEPLOY.parent) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if int(line) >= after:
                os.kill(process.pid, signal.SIGKILL)
                break
    assert process.returncode == -signal.SIGKILL


async def test_a_killed_import_is_finished_by_the_next(tmp_path: Path) -> None:
    file = write(tmp_path, log(*(trace(f"case-{n}", [event()] * 6) for n in range(2_000))))
    killed = tmp_path / "killed.sqlite"
    for after in (300, 1):
        await asyncio.to_thread(kill_in_the_middle, killed, file, after)
    store, whole = SqliteStore(killed), SqliteStore(tmp_path / "whole.sqlite")
    there = await store.head()
    assert 0 < there < 2_000 * 9
    report = await run(store, file)
    assert report.already_there == there
    await run(whole, file)
    assert content(await everything(store)) == content(await everything(whole))
    await store.close()
    await whole.close()


async def test_the_report_is_shown_in_both_languages_and_as_plain_values(
    store: SqliteStore,
) -> None:
    report = await run(store, SAMPLE, SAMPLE_MAPPING)
    report.uncovered_channels.add("[bold]Pigeon")
    shown = {}
    for language in ("en", "id"):
        said = io.StringIO()
        show_report(report, 2.0, Console(file=said, width=120), Translator(language))
        shown[language] = said.getvalue()
    assert "Permits in the log" in shown["en"]
    assert "Berkas dalam catatan" in shown["id"]
    for text in shown.values():
        assert UNMAPPED in text
        assert "[bold]Pigeon" in text
    plain = json.loads(json.dumps(report.as_dict()))
    assert plain["uncovered"]["activities"] == {UNMAPPED: 2}
    assert plain["cases"] == CASES
