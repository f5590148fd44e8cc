"""What every process knows of the channels: open circuits, stopped templates, people left alone.

A few rows in notify's own database, so that all processes and the page see the same and a restart
forgets nothing. A circuit that is closed has no row: as long as all is well, nothing is written.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from prometheus_client import Counter, Gauge

from services.notify.traffic.circuit import (
    Answered,
    Circuit,
    Closed,
    Heard,
    Open,
    Trouble,
    hears,
    may_probe,
    probed,
    retried,
)
from shared.database import Database, Transaction
from shared.events import from_micros, to_micros
from shared.telemetry import log

TABLES = (
    """
CREATE TABLE IF NOT EXISTS channel_circuits (
    channel TEXT NOT NULL PRIMARY KEY, trouble TEXT NOT NULL, reason TEXT NOT NULL,
    since_us BIGINT NOT NULL, until_us BIGINT NOT NULL, tries BIGINT NOT NULL,
    probing_us BIGINT NOT NULL
)
""",
    """
CREATE TABLE IF NOT EXISTS template_troubles (
    channel TEXT NOT NULL, template TEXT NOT NULL, reason TEXT NOT NULL, since_us BIGINT NOT NULL,
    stopped BIGINT NOT NULL, PRIMARY KEY (channel, template)
)
""",
    """
CREATE TABLE IF NOT EXISTS held_recipients (
    channel TEXT NOT NULL, person TEXT NOT NULL, reason TEXT NOT NULL, until_us BIGINT NOT NULL,
    PRIMARY KEY (channel, person)
)
""",
)
ALERTS = Counter(
    "jejak_message_channel_alerts_total", "Troubles that people must look at", ["channel", "reason"]
)
OPEN = Gauge("jejak_message_channel_open", "Channels that are not called", ["channel"])

_CIRCUIT = "channel, trouble, reason, since_us, until_us, tries, probing_us"


class TemplateTrouble(NamedTuple):
    """A provider refuses a template. ``stopped``: it is not used on the channel any more."""

    channel: str
    template: str
    reason: str
    since: datetime
    stopped: bool


class Circuits:
    """The shared state, and this process's copy of it, as of the last ``refresh``."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        """Keep the rows in ``database``; ``now`` is the wall clock."""
        self._database = database
        self._now = now
        self._ready = False
        self._open: dict[str, Open] = {}
        self._stopped: dict[tuple[str, str], str] = {}
        # Calls in a row of this process that found nobody.
        self._failures: dict[str, int] = {}

    async def refresh(self) -> None:
        """Read what other processes and people changed. Raises Unavailable."""
        await self.prepare()
        rows = await self._database.peek(f"SELECT {_CIRCUIT} FROM channel_circuits")
        self._open = dict(map(_circuit, rows))
        for channel in {*self._open, *self._failures}:
            OPEN.labels(channel).set(channel in self._open)
        stopped = await self._database.peek(
            "SELECT channel, template, reason FROM template_troubles WHERE stopped = 1"
        )
        self._stopped = {(channel, template): reason for channel, template, reason in stopped}

    async def prepare(self) -> None:
        """Create the tables, once."""
        if not self._ready:
            await self._database.transaction(_create)
            self._ready = True

    def open(self, channel: str) -> Open | None:
        """Return the open circuit of ``channel``, None when it may be called."""
        return self._open.get(channel)

    def opened(self) -> dict[str, Open]:
        """Return every open circuit, by channel."""
        return dict(self._open)

    def stopped(self, channel: str, template: str) -> str:
        """Return why ``template`` must not be used on ``channel``; empty when it may."""
        return self._stopped.get((channel, template), "")

    async def claim(self, channel: str) -> bool:
        """Take the one probe that an open circuit allows; False when it is too early or taken."""
        now = self._now()

        def work(tx: Transaction) -> Open | None:
            found = _read(tx, channel)
            if not isinstance(found, Open) or not may_probe(found, now):
                return None
            _write(tx, channel, probing := probed(found, now))
            return probing

        probing = await self._database.transaction(work)
        if probing is not None:
            self._open[channel] = probing
        return probing is not None

    async def hear(self, channel: str, heard: Heard, *, probe: bool = False) -> None:
        """Note the outcome of a call."""
        known, failures = self._open.get(channel), self._failures.get(channel, 0)
        if known is None and not probe:
            after = hears(Closed(failures), heard, self._now())
            if isinstance(after, Closed):
                self._failures[channel] = after.failures
                return
        elif isinstance(heard, Answered) and not probe:
            return
        now = self._now()

        def work(tx: Transaction) -> tuple[Circuit, Circuit]:
            before = _read(tx, channel)
            if isinstance(before, Closed):
                before = Closed(failures)
            after = hears(before, heard, now, probe=probe)
            if after != before:
                _write(tx, channel, after)
            return before, after

        self._moved(channel, *await self._database.transaction(work))

    def _moved(self, channel: str, before: Circuit, after: Circuit) -> None:
        self._failures[channel] = 0
        if isinstance(after, Closed):
            if self._open.pop(channel, None) is not None:
                log.info("channel_back", channel=channel)
            return
        self._open[channel] = after
        if after == before:
            return
        if after.trouble is Trouble.THROTTLED:
            log.warning("channel_throttled", channel=channel, reason=after.reason)
        else:
            self.alert("channel_paused", channel, after.reason)

    def alert(self, what: str, channel: str, reason: str, **more: str) -> None:
        """Tell people: an error in the log, and a metric that an alarm can watch."""
        log.error(what, channel=channel, reason=reason, **more)
        ALERTS.labels(channel, reason).inc()

    async def retry(self, channel: str) -> None:
        """Somebody says that an open channel should be tried now."""
        now = self._now()

        def work(tx: Transaction) -> None:
            found = _read(tx, channel)
            if isinstance(found, Open):
                _write(tx, channel, retried(found, now))

        await self.prepare()
        await self._database.transaction(work)

    async def note_template(
        self, channel: str, template: str, reason: str, *, stopped: bool
    ) -> None:
        """Note that the provider refuses ``template``; ``stopped``: use it no more."""
        since = to_micros(self._now())

        def work(tx: Transaction) -> None:
            tx.execute(
                "INSERT INTO template_troubles (channel, template, reason, since_us, stopped) "
                "VALUES (?, ?, ?, ?, ?) ON CONFLICT (channel, template) DO UPDATE SET "
                "reason = excluded.reason, stopped = CASE WHEN template_troubles.stopped = 1 "
                "THEN 1 ELSE excluded.stopped END",
                (channel, template, reason, since, int(stopped)),
            )

        await self._database.transaction(work)
        if stopped:
            self._stopped[channel, template] = reason
        self.alert("template_refused", channel, reason, template=template)

    async def use_again(self, channel: str, template: str) -> None:
        """Somebody says that ``template`` is in order again."""

        def work(tx: Transaction) -> None:
            tx.execute(
                "DELETE FROM template_troubles WHERE channel = ? AND template = ?",
                (channel, template),
            )

        await self.prepare()
        await self._database.transaction(work)

    async def template_troubles(self) -> list[TemplateTrouble]:
        """Return the templates that a provider refuses, the newest trouble first."""
        await self.prepare()
        rows = await self._database.query(
            "SELECT channel, template, reason, since_us, stopped FROM template_troubles "
            "ORDER BY since_us DESC, channel, template"
        )
        return [
            TemplateTrouble(channel, template, reason, from_micros(since), bool(stopped))
            for channel, template, reason, since, stopped in rows
        ]

    async def leave_alone(self, channel: str, person: str, reason: str, until: datetime) -> None:
        """Send ``person`` nothing on ``channel`` until then."""
        now = to_micros(self._now())

        def work(tx: Transaction) -> None:
            tx.execute("DELETE FROM held_recipients WHERE until_us <= ?", (now,))
            tx.execute(
                "INSERT INTO held_recipients (channel, person, reason, until_us) "
                "VALUES (?, ?, ?, ?) ON CONFLICT (channel, person) DO UPDATE SET "
                "reason = excluded.reason, until_us = excluded.until_us",
                (channel, person, reason, to_micros(until)),
            )

        await self._database.transaction(work)

    async def left_alone(self, channel: str, person: str) -> str:
        """Return why ``person`` is sent nothing on ``channel`` now; empty when they may be."""
        rows = await self._database.peek(
            "SELECT reason FROM held_recipients WHERE channel = ? AND person = ? AND until_us > ?",
            (channel, person, to_micros(self._now())),
        )
        return str(rows[0][0]) if rows else ""


def _create(tx: Transaction) -> None:
    for table in TABLES:
        tx.execute(table)


def _circuit(row: tuple[object, ...]) -> tuple[str, Open]:
    channel, trouble, reason, since, until, tries, probing = row
    assert isinstance(since, int)
    assert isinstance(until, int)
    assert isinstance(tries, int)
    assert isinstance(probing, int)
    began = from_micros(probing) if probing else None
    found = Open(
        Trouble(str(trouble)), str(reason), from_micros(since), from_micros(until), tries, began
    )
    return str(channel), found


def _read(tx: Transaction, channel: str) -> Circuit:
    rows = tx.execute(f"SELECT {_CIRCUIT} FROM channel_circuits WHERE channel = ?", (channel,))
    return _circuit(rows[0])[1] if rows else Closed()


def _write(tx: Transaction, channel: str, circuit: Circuit) -> None:
    tx.execute("DELETE FROM channel_circuits WHERE channel = ?", (channel,))
    if isinstance(circuit, Closed):
        return
    tx.execute(
        f"INSERT INTO channel_circuits ({_CIRCUIT}) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            channel,
            circuit.trouble.value,
            circuit.reason,
            to_micros(circuit.since),
            to_micros(circuit.until),
            circuit.tries,
            to_micros(circuit.probing) if circuit.probing else 0,
        ),
    )
