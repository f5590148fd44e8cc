"""The read model of what is over: turns, outcomes, stalls, and what came in each day.

Everything but the days comes from workflow's topic alone, so the order between topics does not
matter. It holds no personal data. Working times are those of the calendar and procedure at the
time of folding; a rebuild lays the present files over all of it again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo

from services.workflow.sop import Sop, Sops
from services.workflow.supervision import journey as way
from services.workflow.supervision.forecast import samples_of
from services.workflow.supervision.journey import Journey, Turn
from shared.calendar import MINUTE_US, Calendars, WorkCalendar
from shared.codec import Codec
from shared.contracts import BY_CLASS
from shared.contracts import workflow as e
from shared.contracts.intake import ApplicationSubmitted
from shared.database import Transaction
from shared.errors import BadConfiguration
from shared.events import Fact, Recorded, from_micros, to_micros
from shared.offices import Catalogue
from shared.topics import INTAKE, WORKFLOW

_TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS history_files (application_id TEXT NOT NULL PRIMARY KEY, "
    "journey TEXT NOT NULL, turns BIGINT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS history_turns (application_id TEXT NOT NULL, "
    "ordinal BIGINT NOT NULL, office TEXT NOT NULL, permit_type TEXT NOT NULL, "
    "version BIGINT NOT NULL, stage TEXT NOT NULL, officer TEXT NOT NULL, month TEXT NOT NULL, "
    "ended_us BIGINT NOT NULL, used_us BIGINT, budget_us BIGINT, "
    "PRIMARY KEY (application_id, ordinal))",
    "CREATE TABLE IF NOT EXISTS history_outcomes (application_id TEXT NOT NULL, "
    "ordinal BIGINT NOT NULL, office TEXT NOT NULL, permit_type TEXT NOT NULL, "
    "place TEXT NOT NULL, finished_us BIGINT NOT NULL, entered_us BIGINT NOT NULL, "
    "left_us BIGINT NOT NULL, spent_us BIGINT NOT NULL, PRIMARY KEY (application_id, ordinal))",
    "CREATE TABLE IF NOT EXISTS history_stalls (stall_id TEXT NOT NULL PRIMARY KEY, "
    "application_id TEXT NOT NULL, number TEXT NOT NULL, office TEXT NOT NULL, "
    "permit_type TEXT NOT NULL, version BIGINT NOT NULL, stage TEXT NOT NULL, "
    "asked TEXT NOT NULL, asked_us BIGINT NOT NULL, answer_by_us BIGINT NOT NULL, "
    "explanation TEXT NOT NULL DEFAULT '', promised TEXT NOT NULL DEFAULT '', "
    "explained_us BIGINT NOT NULL DEFAULT 0, explained_by TEXT NOT NULL DEFAULT '', "
    "supervisor_us BIGINT NOT NULL DEFAULT 0, head_us BIGINT NOT NULL DEFAULT 0, "
    "ended_us BIGINT NOT NULL DEFAULT 0)",
    "CREATE TABLE IF NOT EXISTS history_days (office TEXT NOT NULL, day TEXT NOT NULL, "
    "channel TEXT NOT NULL, count BIGINT NOT NULL, PRIMARY KEY (office, day, channel))",
)
_INDEXES: Final = (
    "CREATE INDEX IF NOT EXISTS history_turns_month ON history_turns "
    "(office, month, officer, permit_type, version, stage, used_us, budget_us)",
    "CREATE INDEX IF NOT EXISTS history_turns_ended ON history_turns "
    "(office, ended_us, permit_type, version, stage, used_us)",
    "CREATE INDEX IF NOT EXISTS history_outcomes_place ON history_outcomes "
    "(office, permit_type, place, finished_us)",
    "CREATE INDEX IF NOT EXISTS history_outcomes_ended ON history_outcomes (office, finished_us) "
    "WHERE ordinal = 0",
    "CREATE INDEX IF NOT EXISTS history_stalls_office ON history_stalls "
    "(office, ended_us, explained_us, supervisor_us, head_us, asked_us)",
    "CREATE INDEX IF NOT EXISTS history_stalls_file ON history_stalls (application_id, ended_us)",
)
_JOURNEY: Final = (
    e.PermitOpened,
    e.StageStarted,
    e.StageCompleted,
    e.PermitReturned,
    e.PermitResumed,
    e.FeeSettled,
    e.FeeUnsettled,
    e.PermitIssued,
    e.PermitRejected,
    e.PermitWithdrawn,
    e.PermitHandedOver,
    e.PermitClosed,
)
_STALL: Final = (e.StallExplanationRequested, e.StallExplained, e.StallEscalated)
_ENDS: Final = (e.StageCompleted, e.PermitRejected, e.PermitWithdrawn, e.PermitClosed)


class HistoryProjection:
    """Folds ``jejak.intake`` and ``jejak.workflow`` into the ``history_..`` tables."""

    name = "history"
    topics = (INTAKE.name, WORKFLOW.name)

    def __init__(
        self, codec: Codec, catalogue: Catalogue, sops: Sops, calendars: Calendars
    ) -> None:
        """Procedures and calendars give working times, the catalogue each office's zone."""
        self._codec = codec
        self._catalogue = catalogue
        self._sops = sops
        self._calendars = calendars
        self._submitted = BY_CLASS[ApplicationSubmitted].name
        self._journeys = {BY_CLASS[cls].name for cls in _JOURNEY}
        self._stalls = {BY_CLASS[cls].name for cls in _STALL}

    @property
    def shape(self) -> str:
        """The tables and indexes: those of another version are filled anew from the events."""
        return "; ".join((*_TABLES, *_INDEXES))

    def drop(self, tx: Transaction) -> None:
        """Drop the tables of another version."""
        for name in ("files", "turns", "outcomes", "stalls", "days"):
            tx.execute(f"DROP TABLE IF EXISTS history_{name}")

    def create(self, tx: Transaction) -> None:
        """Create the tables and indexes that are missing."""
        for statement in (*_TABLES, *_INDEXES):
            tx.execute(statement)

    def apply(self, tx: Transaction, events: Sequence[Recorded]) -> None:
        """Fold ``events`` into their rows. Raises UndecodableEvent."""
        files = _Files(tx)
        for recorded in events:
            if recorded.type == self._submitted:
                self._count(tx, self._codec.decode(recorded), recorded)
            elif recorded.type in self._journeys:
                self._move(tx, files, recorded)
            elif recorded.type in self._stalls:
                event = self._codec.decode(recorded)
                _STALLS[type(event)](tx, files, event, recorded)
        files.save()

    def _count(self, tx: Transaction, event: ApplicationSubmitted, recorded: Recorded) -> None:
        day = recorded.occurred_at.astimezone(self._zone(event.office)).date().isoformat()
        tx.execute(
            "INSERT INTO history_days (office, day, channel, count) VALUES (?, ?, ?, 1) "
            "ON CONFLICT (office, day, channel) DO UPDATE SET count = history_days.count + 1",
            (event.office, day, event.channel),
        )

    def _move(self, tx: Transaction, files: _Files, recorded: Recorded) -> None:
        event = self._codec.decode(recorded)
        before, turns = files.get(recorded.correlation_id)
        fact = Fact(event, recorded.occurred_at, recorded.actor)
        after, turn = way.evolve(before, fact)
        laid = self._laid(after)
        if turn is not None:
            tx.execute(_TURN, (recorded.correlation_id, turns, *self._turn(after, turn, laid)))
            turns += 1
        if after.decided and not before.decided and laid is not None:
            tx.executemany(_OUTCOME, list(_outcomes(recorded.correlation_id, after, *laid)))
        if isinstance(event, _ENDS):
            _end_stalls(tx, recorded, getattr(event, "stage", ""))
        files.put(recorded.correlation_id, after, turns)

    def _turn(
        self, journey: Journey, turn: Turn, laid: tuple[Sop, WorkCalendar] | None
    ) -> tuple[Any, ...]:
        used = budget = None
        if laid is not None:
            sop, calendar = laid
            used = way.used(journey, turn, sop, calendar)
            stage = sop.stage(turn.stage)
            if stage is not None and stage.budget is not None:
                budget = stage.budget * MINUTE_US
        zone = self._zone(journey.office)
        month = from_micros(turn.ended).astimezone(zone).strftime("%Y-%m")
        return (*journey.procedure, turn.stage, turn.actor, month, turn.ended, used, budget)

    def _laid(self, journey: Journey) -> tuple[Sop, WorkCalendar] | None:
        """Return what measures a journey; None where an office's files are not valid."""
        try:
            return self._sops.of(*journey.procedure), self._calendars.of(journey.office)
        except BadConfiguration:
            return None

    def _zone(self, office: str) -> tzinfo:
        known = self._catalogue.offices.get(office)
        return ZoneInfo(known.zone) if known is not None else UTC


class _Files:
    """The journeys of one batch, each read and written once."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._held: dict[str, tuple[Journey, int]] = {}
        self._changed: set[str] = set()

    def get(self, application_id: str) -> tuple[Journey, int]:
        """Return a journey and how many turns it had."""
        found = self._held.get(application_id)
        if found is None:
            rows = self._tx.execute(
                "SELECT journey, turns FROM history_files WHERE application_id = ?",
                (application_id,),
            )
            found = (way.load(rows[0][0]), int(rows[0][1])) if rows else (Journey(), 0)
            self._held[application_id] = found
        return found

    def put(self, application_id: str, journey: Journey, turns: int) -> None:
        """Keep a journey until the end of the batch."""
        self._held[application_id] = (journey, turns)
        self._changed.add(application_id)

    def save(self) -> None:
        """Write what changed."""
        self._tx.executemany(
            "INSERT INTO history_files (application_id, journey, turns) VALUES (?, ?, ?) "
            "ON CONFLICT (application_id) DO UPDATE SET journey = excluded.journey, "
            "turns = excluded.turns",
            [(name, way.dump(self._held[name][0]), self._held[name][1]) for name in self._changed],
        )


_TURN: Final = (
    "INSERT INTO history_turns (application_id, ordinal, office, permit_type, version, stage, "
    "officer, month, ended_us, used_us, budget_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (application_id, ordinal) DO NOTHING"
)
_OUTCOME: Final = (
    "INSERT INTO history_outcomes (application_id, ordinal, office, permit_type, place, "
    "finished_us, entered_us, left_us, spent_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (application_id, ordinal) DO NOTHING"
)


def _outcomes(
    application_id: str, journey: Journey, sop: Sop, calendar: WorkCalendar
) -> list[tuple[Any, ...]]:
    found = enumerate(samples_of(journey, sop, calendar))
    return [
        (application_id, ordinal, journey.office, journey.permit_type, place, *sample)
        for ordinal, (place, sample) in found
    ]


def _asked(
    tx: Transaction, files: _Files, event: e.StallExplanationRequested, recorded: Recorded
) -> None:
    journey, _ = files.get(recorded.correlation_id)
    tx.execute(
        "INSERT INTO history_stalls (stall_id, application_id, number, office, permit_type, "
        "version, stage, asked, asked_us, answer_by_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (stall_id) DO NOTHING",
        (
            event.stall_id,
            recorded.correlation_id,
            journey.number,
            event.office,
            journey.permit_type,
            journey.version,
            event.stage,
            event.asked,
            recorded.occurred_us,
            to_micros(datetime.fromisoformat(event.answer_by)),
        ),
    )


def _explained(tx: Transaction, files: _Files, event: e.StallExplained, recorded: Recorded) -> None:
    tx.execute(
        "UPDATE history_stalls SET explanation = ?, promised = ?, explained_us = ?, "
        "explained_by = ? WHERE stall_id = ?",
        (
            event.explanation,
            event.promised,
            recorded.occurred_us,
            recorded.actor,
            event.stall_id,
        ),
    )


def _escalated(tx: Transaction, files: _Files, event: e.StallEscalated, recorded: Recorded) -> None:
    column = "supervisor_us" if event.to == "supervisor" else "head_us"
    tx.execute(
        f"UPDATE history_stalls SET {column} = ? WHERE stall_id = ?",
        (recorded.occurred_us, event.stall_id),
    )


def _end_stalls(tx: Transaction, recorded: Recorded, stage: str) -> None:
    """A stall is over with its stage, or with the file."""
    tx.execute(
        "UPDATE history_stalls SET ended_us = ? WHERE application_id = ? AND ended_us = 0 "
        "AND (stage = ? OR ? = '')",
        (recorded.occurred_us, recorded.correlation_id, stage, stage),
    )


_STALLS: Final[dict[type[Any], Callable[[Transaction, _Files, Any, Recorded], None]]] = {
    e.StallExplanationRequested: _asked,
    e.StallExplained: _explained,
    e.StallEscalated: _escalated,
}
