"""Takes a settlement file in: check it whole, then record it part by part, then let it count.

The same file again adds nothing. Whoever dies in the middle leaves parts that do not count; the
next one reads the same parts and finds those that are there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from services.payment.settlement.commands import (
    AcceptFile,
    Command,
    OpenFile,
    RecordLines,
    RejectFile,
)
from services.payment.settlement.file import (
    DECIDER,
    LINES,
    Accepted,
    File,
    file_stream,
    lines_stream,
    settlement_id,
)
from services.payment.settlement.formats import checked, read_file
from services.payment.settlement.keeping import Files, Slip
from services.payment.settlement.layout import SettlementLayout
from services.payment.settlement.partners import Partners
from services.payment.settlement.reading import Summary, Unreadable
from services.payment.settlement.refusals import (
    LinesDiffer,
)
from shared.actors import Actor, system
from shared.contracts.payment import SettlementLine
from shared.handle import Handler, Loaded
from shared.ids import derived_id
from shared.patience import patiently
from shared.service import Now
from shared.telemetry import log

# How many lines one event holds: some 70 kB.
LINES_TOGETHER: Final = 500
# How many parts are recorded side by side: enough to share commits, few enough to stay small.
_PARTS_TOGETHER: Final = 4

_Part = tuple[SettlementLine, ...]


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a file: ``accepted`` or ``rejected`` with reason and row.

    ``repeated`` says that this had been decided before.
    """

    settlement_id: str
    state: str
    lines: int = 0
    reason: str = ""
    line: int = 0
    repeated: bool = False


class Intake:
    """Takes files in, one after another."""

    def __init__(
        self, handler: Handler, files: Files, partners: Partners, now: Now, seconds: float = 5.0
    ) -> None:
        """Every ``seconds`` it looks for files that another process left."""
        self._handler = handler
        self._files = files
        self._partners = partners
        self._now = now
        self._seconds = seconds
        self._wake = asyncio.Event()

    def submit(self, slip: Slip) -> str:
        """Note durably that a kept file is to be taken in; return its id.

        Raises NoFiles for a partner that sends none.
        """
        self._partners.layout(slip.partner)
        identity = settlement_id(slip.partner, slip.sha256)
        self._files.wait(identity, slip)
        self._wake.set()
        return identity

    async def run(self) -> None:
        """Take in what waits, for ever."""
        while True:
            self._wake.clear()
            for identity, slip in await asyncio.to_thread(lambda: list(self._files.waiting())):
                try:
                    await patiently("settlement", lambda one=slip: self.take_in(one))  # type: ignore[misc]
                except Exception as error:  # noqa: BLE001 - one bad file must not stop the others
                    log.error("settlement_file_failed", file=identity, error=type(error).__name__)
                    continue
                await asyncio.to_thread(self._files.done, identity)
            try:
                async with asyncio.timeout(self._seconds):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def take_in(self, slip: Slip) -> Taken:
        """Check and record one kept file. Raises NoFiles for a partner that sends none."""
        layout = self._partners.layout(slip.partner)
        identity = settlement_id(slip.partner, slip.sha256)
        path = self._files.path(slip.sha256)
        before = await self._handler.load(DECIDER, file_stream(identity))
        if isinstance(before.state, Accepted):
            return Taken(identity, "accepted", before.state.opened.lines, repeated=True)
        try:
            summary = await asyncio.to_thread(checked, layout, path)
            await self._open(identity, slip, summary, before)
            await self._record(identity, slip, layout, path)
        except Unreadable as refused:
            return await self._reject(identity, slip, refused.reason, refused.line)
        except LinesDiffer:
            return await self._reject(identity, slip, "changed", 0)
        accept = AcceptFile(
            lines=summary.lines,
            credits=summary.credits,
            debits=summary.debits,
            now=self._now(),
            by=_actor(slip),
        )
        await self._handle(identity, accept, derived_id("settlement-accept", identity))
        return Taken(identity, "accepted", summary.lines)

    async def _open(
        self, identity: str, slip: Slip, summary: Summary, before: Loaded[File]
    ) -> None:
        command = OpenFile(
            settlement_id=identity,
            partner=slip.partner,
            sha256=slip.sha256,
            name=slip.name,
            first_day=summary.first_day,
            last_day=summary.last_day,
            opening=summary.opening,
            closing=summary.closing,
            lines=summary.lines,
            now=self._now(),
            by=_actor(slip),
        )
        # A file that was refused may be opened once more, so its history is part of the cause.
        await self._handle(
            identity, command, derived_id("settlement-open", identity, before.version)
        )

    async def _record(
        self, identity: str, slip: Slip, layout: SettlementLayout, path: Path
    ) -> None:
        parts = _parts(layout, path)
        number = 0
        while some := await asyncio.to_thread(lambda: list(islice(parts, _PARTS_TOGETHER))):
            await asyncio.gather(
                *(self._part(identity, slip, number + at, part) for at, part in enumerate(some, 1))
            )
            number += len(some)

    async def _part(self, identity: str, slip: Slip, number: int, part: _Part) -> None:
        command = RecordLines(
            settlement_id=identity,
            partner=slip.partner,
            lines=part,
            now=self._now(),
            by=_actor(slip),
        )
        await self._handler.handle(
            LINES,
            lines_stream(identity, number),
            command,
            # Its content is part of the cause: other lines must be refused, not passed over.
            cause=derived_id("settlement-lines", identity, number, repr(part)),
            application=identity,
        )

    async def _reject(self, identity: str, slip: Slip, reason: str, line: int) -> Taken:
        before = await self._handler.load(DECIDER, file_stream(identity))
        command = RejectFile(
            settlement_id=identity,
            partner=slip.partner,
            sha256=slip.sha256,
            name=slip.name,
            reason=reason,
            line=line,
            now=self._now(),
            by=_actor(slip),
        )
        cause = derived_id("settlement-reject", identity, before.version)
        repeated = not await self._handle(identity, command, cause)
        return Taken(identity, "rejected", 0, reason, line, repeated)

    async def _handle(self, identity: str, command: Command, cause: str) -> Sequence[object]:
        outcome = await self._handler.handle(
            DECIDER, file_stream(identity), command, cause=cause, application=identity
        )
        return outcome.events


def _parts(layout: SettlementLayout, path: Path) -> Iterator[_Part]:
    """Yield the file's lines, some hundreds at a time: the second reading of it."""
    lines = (item for item in read_file(layout, path) if isinstance(item, SettlementLine))
    while part := tuple(islice(lines, LINES_TOGETHER)):
        yield part


def _actor(slip: Slip) -> Actor:
    # A file from the command line is the operator's: no office account brought it.
    return Actor("officer", slip.actor, slip.office) if slip.office else system(slip.actor)
