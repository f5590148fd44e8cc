"""Makes the sample log ``deploy/imports/sample.xes``: invented permits in the form of a real log.

``python -m deploy.importing.sample > deploy/imports/sample.xes`` writes the same bytes every time.
Nothing in it happened; one activity is missing from the mapping on purpose, so that an import of
the sample shows how that is reported.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from xml.sax.saxutils import quoteattr
from zoneinfo import ZoneInfo

CASES = 20
SEED = 2013
FIRST_DAY = date(2013, 1, 7)
ZONE = ZoneInfo("Europe/Amsterdam")
TERM = timedelta(weeks=8)
# Cases that are still open where the log ends, and the one that took too long.
OPEN_CASES = frozenset({17, 19, 20})
LATE_CASE = 8
UNMAPPED_CASES = frozenset({5, 11})

STEPS = (
    "Confirmation of receipt",
    "T02 Check confirmation of receipt",
    "T04 Determine confirmation of receipt",
    "T05 Print and send confirmation of receipt",
    "T06 Determine necessity of stop advice",
    "T10 Determine necessity to stop indication",
)
ADVICE = ("T07-1 Draft intern advice aspect 1", "T08 Draft and send request for advice")
UNMAPPED = "Telephone call with the applicant"
CHANNELS = ("Internet", "Internet", "Internet", "Desk", "Post", "e-mail")

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<!-- An invented log for trying out "jejak import"; made by deploy/importing/sample.py. -->
<log xes.version="1.0" xes.features="nested-attributes" xmlns="http://www.xes-standard.org/">
\t<extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
\t<extension name="Time" prefix="time" uri="http://www.xes-standard.org/time.xesext"/>
\t<extension name="Organizational" prefix="org" uri="http://www.xes-standard.org/org.xesext"/>
\t<extension name="Lifecycle" prefix="lifecycle"\
 uri="http://www.xes-standard.org/lifecycle.xesext"/>
"""


def main() -> None:
    """Write the log to standard output."""
    sys.stdout.writelines(sample())


def sample() -> Iterator[str]:
    """Yield the text of the log."""
    dice = random.Random(SEED)
    yield HEAD
    for number in range(1, CASES + 1):
        yield from _trace(number, dice)
    yield "</log>\n"


def _trace(number: int, dice: random.Random) -> Iterator[str]:
    start = _office_time(FIRST_DAY + timedelta(days=3 * number), dice)
    clerk = f"Clerk{dice.randint(1, 4):02}"
    steps = list(_steps(number, start, clerk, dice))
    yield "\t<trace>\n"
    yield _attribute("string", "concept:name", f"sample-{number:03}")
    yield _attribute("string", "channel", dice.choice(CHANNELS))
    yield _attribute("string", "department", "General")
    yield _attribute("string", "responsible", clerk)
    yield _attribute("date", "startdate", _iso(start))
    yield _attribute("date", "enddate_planned", _iso(start + TERM))
    yield _attribute("date", "deadline", _iso(start + TERM))
    if number not in OPEN_CASES:
        yield _attribute("date", "enddate", _iso(steps[-1][0] + timedelta(minutes=5)))
    for index, (at, activity, who) in enumerate(steps, start=1):
        yield "\t\t<event>\n"
        yield _attribute("string", "concept:name", activity, depth=3)
        yield _attribute("string", "concept:instance", f"task-{number:03}-{index:02}", depth=3)
        yield _attribute("string", "org:resource", who, depth=3)
        yield _attribute("string", "org:group", f"Group {dice.randint(1, 3)}", depth=3)
        yield _attribute("string", "lifecycle:transition", "complete", depth=3)
        yield _attribute("date", "time:timestamp", _iso(at), depth=3)
        yield "\t\t</event>\n"
    yield "\t</trace>\n"


def _steps(
    number: int, start: datetime, clerk: str, dice: random.Random
) -> Iterator[tuple[datetime, str, str]]:
    """Yield the steps of one case; an open case has only some of them."""
    names = [*STEPS[:5], *(ADVICE if number % 6 == 0 else ()), STEPS[5]]
    if number in UNMAPPED_CASES:
        names.insert(2, UNMAPPED)
    if number in OPEN_CASES:
        names = names[: number % 5]
    day, longest = start.date(), 30 if number == LATE_CASE else 6
    for name in names:
        day += timedelta(days=dice.randint(1, longest))
        who = clerk if dice.random() < 0.7 else f"Clerk{dice.randint(1, 4):02}"
        yield _office_time(day, dice), name, who


def _office_time(day: date, dice: random.Random) -> datetime:
    """Return an instant within office hours on ``day``, or on the Monday after a weekend."""
    day += timedelta(days={5: 2, 6: 1}.get(day.weekday(), 0))
    morning = datetime.combine(day, time(9), ZONE)
    return morning + timedelta(minutes=dice.randint(0, 450), milliseconds=dice.randint(0, 59_999))


def _iso(at: datetime) -> str:
    # Over a change of summer time the offset must be worked out again.
    return datetime.fromtimestamp(at.timestamp(), ZONE).isoformat(timespec="milliseconds")


def _attribute(kind: str, key: str, value: str, *, depth: int = 2) -> str:
    tabs = "\t" * depth
    return f"{tabs}<{kind} key={quoteattr(key)} value={quoteattr(value)}/>\n"


if __name__ == "__main__":
    main()
