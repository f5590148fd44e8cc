"""What an office did before it used Jejak: appended as an import does, with the times of then.

A journey can't wait for a season or a stall, so it brings a past of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hijridate import Gregorian, Hijri

from services.intake.secrecy import Secrecy, code_hash
from shared.actors import APPLICANT, Actor, Role
from shared.codec import Codec
from shared.contracts.intake import ApplicationRegistered, ApplicationSubmitted
from shared.events import NewEvent, to_micros
from shared.ids import derived_id
from shared.store import Batch
from tests.examples import example
from tests.journeys.people import Kept
from tests.journeys.place import Place

_CODEC = Codec()
_RAMADAN = 9
EIGHT_WEEKS = timedelta(days=56)


async def stood_still(
    place: Place, office: str, permit_type: str, number: str, then: datetime
) -> Kept:
    """Register an application at ``then``, as the counter ``loket``, and leave it alone since."""
    application = derived_id("stood still", number)
    secrecy = Secrecy(place.secret("tracking"), place.secret("receipt"))
    code = secrecy.code(application)
    about = _about(application, number, office, permit_type)
    handed_in = example(
        ApplicationSubmitted, **about, channel="counter", code_hash=code_hash(code), renews=""
    )
    registered = example(ApplicationRegistered, **about, planned_end="")
    counter = str(Actor("officer", "loket", office, frozenset({Role.COUNTER})))
    facts = [_fact(handed_in, then, str(APPLICANT), 0), _fact(registered, then, counter, 1)]
    await place.store.append(f"application-{application}", facts, 0)
    return Kept(application, number, code, "")


async def came_in(
    place: Place, office: str, code: str, zone: str, days: Mapping[date, Mapping[str, int]]
) -> int:
    """Hand in so many applications per day and channel, at nine; return how many it were."""
    batches: list[Batch] = []
    for day, channel in _each(days):
        number = f"{code}-{day.year}-{900_001 + len(batches)}"
        application = derived_id("came in", number)
        about = _about(application, number, office, "siup")
        event = example(ApplicationSubmitted, **about, channel=channel, renews="")
        fact = _fact(event, datetime.combine(day, time(9), ZoneInfo(zone)), str(APPLICANT), 0)
        batches.append(Batch(f"application-{application}", [fact], 0))
    for outcome in await place.store.append_many(batches):
        assert not isinstance(outcome, Exception), outcome
    return len(batches)


def last_ramadan(today: date) -> tuple[date, date]:
    """Return first and last day of the latest Ramadan that eight weeks have followed."""
    year = Gregorian(today.year, today.month, today.day).to_hijri().year
    while True:
        first = _first_day(year, _RAMADAN)
        last = _first_day(year, _RAMADAN + 1) - timedelta(days=1)
        if last + EIGHT_WEEKS <= today:
            return first, last
        year -= 1


def weekdays(first: date, last: date) -> list[date]:
    """Return Monday to Friday of a period."""
    span = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return [day for day in span if day.weekday() < 5]


def _about(application: str, number: str, office: str, permit_type: str) -> dict[str, Any]:
    about = {"application_id": application, "number": number, "office": office}
    return about | {"permit_type": permit_type, "permit_version": 1}


def _fact(event: Any, at: datetime, by: str, place: int) -> NewEvent:
    application = event.application_id
    return _CODEC.envelope(
        event,
        derived_id(application, place),
        to_micros(at) + place,
        by,
        derived_id(application, "cause", place),
        application,
    )


def _each(days: Mapping[date, Mapping[str, int]]) -> Iterable[tuple[date, str]]:
    for day, channels in days.items():
        for channel, count in channels.items():
            for _ in range(count):
                yield day, channel


def _first_day(year: int, month: int) -> date:
    found = Hijri(year, month, 1).to_gregorian()
    return date(found.year, found.month, found.day)
