"""Who is told of what stands still, and who next: an office's duty rosters as data."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from shared.office_hours import spans_of
from shared.offices.strict import FileModel, Hours, Weekday
from shared.phone import check_contact
from shared.text import bad_value

_ACCOUNT = re.compile(r"[a-z0-9][a-z0-9._-]{1,63}")
OnDuty = Literal[
    "head", "supervisor", "counter", "verifier", "surveyor", "assessor", "signer", "agency"
]


def _somebody(who: str) -> str:
    """Return an account's name, or a number as E.164."""
    if who.startswith(("+", "0")):
        return check_contact(who)
    if not _ACCOUNT.fullmatch(who):
        raise bad_value("Write an account's name or a phone number in quotes.")
    return who


class Shift(FileModel):
    """When one person is on duty: on these weekdays, in these hours, on these days; else always.

    ``who`` is an account's name or a phone number. ``first`` and ``last`` are local days, both
    included. A night is two spans: ``22:00-24:00`` and ``00:00-06:00``.
    """

    who: Annotated[str, AfterValidator(_somebody)]
    days: tuple[Weekday, ...] = ()
    hours: tuple[Hours, ...] = ()
    first: date | None = None
    last: date | None = None

    @model_validator(mode="after")
    def _possible(self) -> Shift:
        spans_of("duty", self.hours)
        if self.first is not None and self.last is not None and self.last < self.first:
            raise bad_value("The last day is before the first one.")
        return self


class Duty(FileModel):
    """Who is told first, and who next: ``people`` in the order in which they are asked.

    Who does not settle an alert within ``escalate_minutes`` (of the clock) is followed by the next
    who is on duty; without it all who are on duty are told at once. ``group`` is the provider's
    id of a WhatsApp group that is told as well.
    """

    people: Annotated[tuple[Shift, ...], Field(max_length=50)] = ()
    group: Annotated[str, Field(pattern=r"^[A-Za-z0-9@._=-]{1,128}$")] | None = None
    escalate_minutes: Annotated[int, Field(gt=0, le=7 * 1440)] | None = None
