"""What every data file's model is made of."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict

from shared.text import bad_value

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_HOURS = re.compile(r"([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-4]):[0-5]\d")


def _hours(span: str) -> str:
    if not _HOURS.fullmatch(span):
        raise bad_value("Write hours such as 07:30-12:00.")
    return span


Hours = Annotated[str, AfterValidator(_hours)]


class FileModel(BaseModel):
    """A strict model of a data file: a word that is not known is an error, not a silent default."""

    model_config = ConfigDict(extra="forbid", frozen=True)
