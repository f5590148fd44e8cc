"""Reads data files as models, and says by file and line what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from shared.offices.mistakes import BadFile, Mistake
from shared.offices.models import PermitType, Versioned
from shared.offices.origin import Origin, Place, read_data
from shared.text import msg

M = TypeVar("M", bound=BaseModel)

_OTHER = msg("This is not valid: {what}")
_WHOLE = msg("Write a whole number.")
_NUMBER = msg("Write a number.")
_DATE = msg("Write a date such as 2026-01-31.")
_OPTION = msg("This is not known here. Allowed: {expected}.")
_YES_NO = msg("Write true or false.")
_LIST = msg("Write a list here.")
_NAMES = msg("Write names with values here, one per line.")

SENTENCES: Mapping[str, str] = {
    "missing": msg("This is missing."),
    "extra_forbidden": msg("This word is not known here. Check its spelling, or remove it."),
    "string_type": msg("Write text here, in quotes if it looks like a number."),
    "string_too_short": msg("Use at least {min_length} characters."),
    "string_too_long": msg("Use at most {max_length} characters."),
    "string_pattern_mismatch": msg("This is not written in the expected way: {pattern}"),
    "too_short": msg("Give at least {min_length}."),
    "too_long": msg("Give at most {max_length}."),
    "greater_than": msg("Write a number above {gt}."),
    "greater_than_equal": msg("Write {ge} or more."),
    "less_than": msg("Write a number below {lt}."),
    "less_than_equal": msg("Write {le} or less."),
    "int_parsing": _WHOLE,
    "int_type": _WHOLE,
    "int_from_float": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": _NUMBER,
    "decimal_type": _NUMBER,
    "decimal_parsing": _NUMBER,
    "bool_type": _YES_NO,
    "bool_parsing": _YES_NO,
    "enum": _OPTION,
    "literal_error": _OPTION,
    "union_tag_invalid": msg("This is not known here. Allowed: {expected_tags}."),
    "union_tag_not_found": msg("Say which kind it is."),
    "date_type": _DATE,
    "date_parsing": _DATE,
    "date_from_datetime_parsing": _DATE,
    "date_from_datetime_inexact": _DATE,
    "list_type": _LIST,
    "tuple_type": _LIST,
    "frozen_set_type": _LIST,
    "dict_type": _NAMES,
    "model_type": _NAMES,
    "model_attributes_type": _NAMES,
}
"""pydantic's error types -> what the person who edits the file reads."""


def load_yaml(file: Path, model: type[M]) -> M:
    """Return ``file`` as ``model``. Raises BadFile naming the file, the lines and why."""
    content, origin = read_data(file)
    return validated(content, origin, model)


def validated(content: Any, origin: Origin, model: type[M]) -> M:
    """Return what a file holds as ``model``. Raises BadFile."""
    try:
        found = model.model_validate(content)
    except ValidationError as error:
        raise BadFile(list(mistakes_of(error, origin))) from error
    if isinstance(found, Versioned):
        found.read_from(origin)
    return found


def section(permit_type: PermitType, name: str, model: type[M]) -> M:
    """Return one service's section of a permit type, as that service's ``model``.

    Raises BadFile, with the lines of the permit type's own file.
    """
    origin = permit_type.origin or Origin(f"{permit_type.id} version {permit_type.version}", {})
    try:
        return model.model_validate(getattr(permit_type, name))
    except ValidationError as error:
        raise BadFile(list(mistakes_of(error, origin, (name,)))) from error


def mistakes_of(error: ValidationError, origin: Origin, inside: Place = ()) -> Iterator[Mistake]:
    """Yield what pydantic found in a file, or in the part of it that is ``inside``."""
    for details in error.errors(include_url=False):
        context: Mapping[str, Any] = details.get("ctx") or {}
        msgid, params = _sentence(details["type"], str(details["msg"]), context)
        place = (*inside, *details["loc"])
        yield Mistake(origin.file, origin.line(place), place, msgid, params)


def _sentence(
    kind: str, said: str, context: Mapping[str, Any]
) -> tuple[str, Mapping[str, str | int]]:
    if "msgid" in context:
        return str(context["msgid"]), {k: v for k, v in context.items() if k != "msgid"}
    if kind == "value_error":
        # A model's own rule: what it raised is the sentence, translated when it is an msgid.
        return str(context["error"]), {}
    msgid = SENTENCES.get(kind)
    if msgid is None:
        return _OTHER, {"what": said}
    # pydantic lists what is allowed with an English "or", which is no word of every language.
    said_by = {name: str(value).replace(" or ", ", ") for name, value in context.items()}
    return msgid, {name: value for name, value in said_by.items() if "{" + name + "}" in msgid}
