"""Runs in the background: one at a time, one per office, found again by whoever comes back.

A run lives in the process that began it, and reads the store as any consumer does. It takes small
portions, so that officers who share the process hardly notice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory

from services.workflow.whatif.engine import Replay
from services.workflow.whatif.export import csv_rows
from services.workflow.whatif.form import Asked
from services.workflow.whatif.reading import read_through
from services.workflow.whatif.report import Report
from services.workflow.whatif.rules import Rules, kept_stages
from shared.codec import Codec
from shared.events import to_micros
from shared.offices import Catalogue
from shared.service import Now
from shared.store import EventStore
from shared.telemetry import log
from shared.web.sse import LiveHub

# Officers who share the loop wait for one portion at most, some milliseconds.
_PORTION = 25
_TELL_SECONDS = 0.5
_CSV = "bagaimana-jika.csv"


class Stage(StrEnum):
    """Where a run is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass
class Run:
    """One question about one office, and as much of its answer as there is.

    ``done`` and ``total`` are positions of the log. ``kept`` names budgets that stayed as they were
    because the given procedure does not have them.
    """

    office: str
    asked: Asked
    rules: tuple[Rules, Rules]
    at: datetime
    kept: Sequence[str] = ()
    stage: Stage = Stage.WAITING
    done: int = 0
    total: int = 0
    report: Report = field(default_factory=Report)
    folder: TemporaryDirectory[str] = field(default_factory=TemporaryDirectory)
    task: asyncio.Task[None] | None = None

    @property
    def active(self) -> bool:
        """Whether it waits or runs."""
        return self.stage in (Stage.WAITING, Stage.RUNNING)

    @property
    def csv(self) -> Path:
        """The file of its rows, there once it ran."""
        return Path(self.folder.name) / _CSV

    @property
    def share(self) -> float:
        """How much of the log is read, from 0 to 1."""
        return self.done / self.total if self.total else 0.0


def live_key(office: str) -> str:
    """Return the live key of the page about an office."""
    return f"bagaimana-jika:{office}"


class Runs:
    """The latest run of every office, and the queue of those that wait."""

    def __init__(
        self, store: EventStore, codec: Codec, catalogue: Catalogue, hub: LiveHub, now: Now
    ) -> None:
        """Nothing runs before ``run`` is awaited."""
        self._store = store
        self._codec = codec
        self._catalogue = catalogue
        self._hub = hub
        self._now = now
        self._latest: dict[str, Run] = {}
        self._waiting: asyncio.Queue[Run] = asyncio.Queue()

    def of(self, office: str) -> Run | None:
        """Return an office's latest run."""
        return self._latest.get(office)

    def begin(self, office: str, asked: Asked) -> Run:
        """Ask a question, or join the one that is being answered. Raises BadConfiguration."""
        before = self._latest.get(office)
        if before is not None and before.active:
            return before
        rules = Rules(self._catalogue, office), Rules(self._catalogue, office, asked.alternative)
        kept = kept_stages(self._catalogue, asked.alternative.kinds)
        run = Run(office, asked, rules, self._now(), kept)
        if before is not None:
            before.folder.cleanup()
        self._latest[office] = run
        self._waiting.put_nowait(run)
        return run

    def stop(self, office: str) -> None:
        """Stop an office's run, if one waits or runs; what it came to by then stays."""
        run = self._latest.get(office)
        if run is None or not run.active:
            return
        run.stage = Stage.STOPPED
        if run.task is not None:
            run.task.cancel()
        self._hub.publish(live_key(office))

    async def run(self) -> None:
        """Answer one question after the other, for ever."""
        while True:
            run = await self._waiting.get()
            if run.stage is Stage.STOPPED:
                continue
            run.task = asyncio.create_task(self._answer(run))
            try:
                await asyncio.wait({run.task})
            finally:
                # Only when this process ends: nobody else would end it.
                run.task.cancel()

    async def _answer(self, run: Run) -> None:
        run.stage = Stage.RUNNING
        try:
            await self._replay(run)
            run.stage = Stage.DONE
        except Exception as error:  # noqa: BLE001 - whatever it is, the next question is answered
            log.error("whatif_failed", office=run.office, code=type(error).__name__)
            run.stage = Stage.FAILED
        finally:
            self._hub.publish(live_key(run.office))

    async def _replay(self, run: Run) -> None:
        loop = asyncio.get_running_loop()
        told = loop.time()

        def progress(done: int, total: int) -> None:
            nonlocal told
            run.done, run.total = done, total
            if loop.time() - told >= _TELL_SECONDS:
                told = loop.time()
                self._hub.publish(live_key(run.office))

        with run.csv.open("w", encoding="utf-8", newline="") as file:
            replay = Replay(run.office, *run.rules, told=csv_rows(file))
            run.report = replay.report
            self._hub.publish(live_key(run.office))
            until = to_micros(self._now())
            await read_through(
                replay, self._store, self._codec, until, progress=progress, portion=_PORTION
            )
