"""What every data file's model is made of."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict

from shared.text import bad_value

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_HOURS = re.compile(r"([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-4]):[0-5]\d")
_NIGHT = re.compile(r"([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d")


def _hours(span: str) -> str:
    if not _HOURS.fullmatch(span):
        raise bad_value("Write hours such as 07:30-12:00.")
    return span


def _night(span: Any) -> Any:
    # YAML reads a lone 21:00 as a number, and a lone no as false.
    if not isinstance(span, str) or not _NIGHT.fullmatch(span):
        raise bad_value("Write quiet hours such as 21:00-06:00.")
    begin, end = span.split("-")
    if begin == end:
        raise bad_value("The quiet hours end when they begin. Leave them out if there are none.")
    return span


Hours = Annotated[str, AfterValidator(_hours)]
QuietSpan = Annotated[str, BeforeValidator(_night)]
"""Hours that may go over midnight, as ``21:00-06:00``."""


class FileModel(BaseModel):
    """A strict model of a data file: a word that is not known is an error, not a silent default."""

    model_config = ConfigDict(extra="forbid", frozen=True)
