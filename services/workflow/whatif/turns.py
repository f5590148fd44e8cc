"""One permit at one step under both rules, and the rows that can be taken away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from services.workflow import clock
from services.workflow.alarms import Alarms
from services.workflow.whatif.report import Alerts
from services.workflow.whatif.rules import Rules
from shared.contracts.workflow import StageOverdue
from shared.events import from_micros


@dataclass(slots=True)
class Side:
    """What one set of rules made of a turn; ``late_at``: when first (microseconds UTC) or 0."""

    alerts: Alerts = field(default_factory=Alerts)
    late_at: int = 0


@dataclass(slots=True)
class Turn:
    """One permit at one stage. ``officer`` is who was named last, or did it; may be empty.

    ``sides`` are the rules that applied and the others.
    """

    officer: str = ""
    finished: bool = False
    sides: tuple[Side, Side] = field(default_factory=lambda: (Side(), Side()))

    def take(self, side: int, called: Sequence[tuple[int, object]]) -> None:
        """Count what the clock called for under one of the rules, with its instants."""
        held = self.sides[side]
        for at, event in called:
            held.alerts.count(event)
            if isinstance(event, StageOverdue) and not held.late_at:
                held.late_at = at


class Row(NamedTuple):
    """One permit at one stage. Instants are ISO 8601 in UTC, empty for never.

    ``budget`` and ``used`` are working minutes of the office; an empty budget: none of its own.
    """

    number: str
    permit_type: str
    version: int
    opened_at: str
    stage: str
    officer: str
    finished: bool
    base_budget: int | str
    base_used: int
    base_late_at: str
    base_warned: int
    base_asked: int
    base_supervisor: int
    base_head: int
    base_deemed: int
    variant_budget: int | str
    variant_used: int
    variant_late_at: str
    variant_warned: int
    variant_asked: int
    variant_supervisor: int
    variant_head: int
    variant_deemed: int


def rows_of(
    alarms: Alarms,
    procedure: tuple[str, int],
    turns: Mapping[str, Turn],
    rules: tuple[Rules, Rules],
    at: int,
) -> Iterator[Row]:
    """Yield a permit's rows in the order of its turns, its clock read at ``at`` (microseconds)."""
    state = alarms.clock
    sops = [one.of(*procedure, at).sop for one in rules]
    used = [
        clock.evaluate(state, one.calendar, sop, from_micros(at)).by_stage
        for one, sop in zip(rules, sops, strict=True)
    ]
    opened = _instant(state.opened)
    for name, turn in turns.items():
        cells: list[int | str] = []
        for side, sop, minutes in zip(turn.sides, sops, used, strict=True):
            stage, alerts = sop.stage(name), side.alerts
            budget = stage.budget if stage is not None else None
            cells += ("" if budget is None else budget, minutes.get(name, 0))
            cells += (_instant(side.late_at), alerts.warned, alerts.asked)
            cells += (alerts.supervisor, alerts.head, alerts.deemed)
        fixed = (alarms.number, *procedure, opened, name, turn.officer, turn.finished)
        yield Row(*fixed, *cells)  # type: ignore[arg-type]


def _instant(micros: int) -> str:
    return from_micros(micros).isoformat() if micros else ""
