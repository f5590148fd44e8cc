"""What a report says, for the terminal and the page alike."""

from __future__ import annotations

from collections.abc import Iterator

from services.workflow.whatif.report import Planned, Report, Step
from shared.text import msg
from shared.web.i18n import Translator

ALERT_LABELS = {
    "late": msg("Steps beyond their limit"),
    "warned": msg("Warnings to the officer"),
    "asked": msg("Explanations asked for"),
    "supervisor": msg("Passed up to the supervisor"),
    "head": msg("Passed up to the head of office"),
    "deemed": msg("Legal limits passed without a decision"),
}
PLANNED_LABELS = {
    "both": msg("Late by both"),
    "ours": msg("Late by our deadline alone"),
    "theirs": msg("Late by the log's own date alone"),
    "neither": msg("Late by neither"),
}
Line = tuple[str, str, str, str]
"""Label, under the rules that applied, under the others, difference."""


def summary(report: Report, tr: Translator) -> Iterator[Line]:
    """Yield every measure over all steps together."""
    total = report.total
    before, after = total.on_time
    yield tr.t("Steps done in time"), share(before, tr), share(after, tr), points(before, after, tr)
    for name, label in ALERT_LABELS.items():
        base, variant = getattr(total.base, name), getattr(total.variant, name)
        yield tr.t(label), tr.number(base), tr.number(variant), difference(base, variant, tr)


def planned_lines(report: Report, tr: Translator) -> Iterator[Line]:
    """Yield how our deadline and a foreign log's planned ends agree; nothing without such ends."""
    base, variant = report.planned
    if not base.cases:
        return
    for name, label in PLANNED_LABELS.items():
        yield _planned_line(tr.t(label), name, base, variant, tr)


def _planned_line(label: str, name: str, base: Planned, variant: Planned, tr: Translator) -> Line:
    before, after = getattr(base, name), getattr(variant, name)
    return label, tr.number(before), tr.number(after), difference(before, after, tr)


def step_cells(step: Step, tr: Translator) -> tuple[str, ...]:
    """Return a step's turns; share in time, late turns, alerts and escalations before and after.

    Alerts are what the step's officers were told: warnings and questions.
    """
    before, after = step.on_time
    base, variant = step.base, step.variant
    return (
        tr.number(step.turns),
        share(before, tr),
        share(after, tr),
        tr.number(step.late_before),
        tr.number(step.late_after),
        difference(step.late_before, step.late_after, tr),
        tr.number(base.warned + base.asked),
        tr.number(variant.warned + variant.asked),
        tr.number(base.supervisor + base.head),
        tr.number(variant.supervisor + variant.head),
    )


STEP_HEADS = (
    msg("Turns"),
    msg("In time before"),
    msg("In time then"),
    msg("Late before"),
    msg("Late then"),
    msg("Difference"),
    msg("Alerts before"),
    msg("Alerts then"),
    msg("Passed up before"),
    msg("Passed up then"),
)


def share(value: float | None, tr: Translator) -> str:
    """Return a share (0 to 1) in percent with one decimal, a dash for none."""
    return "–" if value is None else f"{_decimal(round(1000 * value), tr)} %"


def points(before: float | None, after: float | None, tr: Translator) -> str:
    """Return the difference of two shares in percentage points."""
    if before is None or after is None:
        return "–"
    tenths = round(1000 * after) - round(1000 * before)
    return f"{_sign(tenths)}{_decimal(abs(tenths), tr)}"


def difference(before: int, after: int, tr: Translator) -> str:
    """Return a difference with its sign."""
    return f"{_sign(after - before)}{tr.number(abs(after - before))}"


def _sign(value: int) -> str:
    return "+" if value > 0 else "−" if value < 0 else ""


def _decimal(tenths: int, tr: Translator) -> str:
    comma = "," if tr.lang == "id" else "."
    return f"{tr.number(tenths // 10)}{comma}{tenths % 10}"
