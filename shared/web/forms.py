"""Forms: from what a browser sends to a typed value, or to sentences people understand.

Errors name the field and say what to do. What was typed goes back into the form's own fields
(autoescaped) and nowhere else: never into a message, a log or an API's answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from dataclasses import field as default
from typing import Any, Generic, TypeVar

from fastapi import Request
from fastapi.datastructures import FormData
from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from shared.web.i18n import Translator, msg

T = TypeVar("T")

MAX_FIELDS = 200
MAX_FILES = 20
MAX_FIELD_BYTES = 64 * 1024
# A field name may come from the caller (an unknown key): only a plain name is repeated.
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,40}")
_REQUEST_PARTS = frozenset({"body", "query", "path", "header", "cookie"})

_OPTION = msg("Choose one of the options.")
_WHOLE = msg("Enter a whole number.")
_NUMBER = msg("Enter a number.")
_DATE = msg("Enter a date, such as 2026-11-23.")
_TIME = msg("Enter a date and time, such as 2026-11-23T09:00.")
_ANYTHING_ELSE = msg("This is not valid. Check what was entered.")

# pydantic's error types -> what a person reads. Placeholders are pydantic's own limits.
_SENTENCES: Mapping[str, str] = {
    "missing": msg("Fill this in."),
    "extra_forbidden": msg("This field is not known here."),
    "string_type": msg("Enter text."),
    "string_too_short": msg("Use at least {min_length} characters."),
    "string_too_long": msg("Use at most {max_length} characters."),
    "string_pattern_mismatch": msg("This is not written in the expected way."),
    "too_short": msg("Choose at least {min_length}."),
    "too_long": msg("Choose at most {max_length}."),
    "greater_than": msg("Enter more than {gt}."),
    "greater_than_equal": msg("Enter {ge} or more."),
    "less_than": msg("Enter less than {lt}."),
    "less_than_equal": msg("Enter {le} or less."),
    "int_parsing": _WHOLE,
    "int_type": _WHOLE,
    "int_from_float": _WHOLE,
    "int_parsing_size": _WHOLE,
    "float_parsing": _NUMBER,
    "float_type": _NUMBER,
    "finite_number": _NUMBER,
    "decimal_parsing": _NUMBER,
    "decimal_type": _NUMBER,
    "bool_parsing": _OPTION,
    "bool_type": _OPTION,
    "enum": _OPTION,
    "literal_error": _OPTION,
    "union_tag_invalid": _OPTION,
    "union_tag_not_found": _OPTION,
    "date_type": _DATE,
    "date_parsing": _DATE,
    "date_from_datetime_parsing": _DATE,
    "date_from_datetime_inexact": _DATE,
    "datetime_type": _TIME,
    "datetime_parsing": _TIME,
    "datetime_from_date_parsing": _TIME,
    "timezone_aware": _TIME,
    "json_invalid": msg("The JSON can't be read."),
    "model_attributes_type": msg("Send a JSON object."),
    "model_type": msg("Send a JSON object."),
    "dict_type": msg("Send a JSON object."),
}


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field: its name, an English msgid, and the msgid's parameters."""

    field: str
    msgid: str
    params: Mapping[str, str | int] = default(default_factory=dict)

    def say(self, translator: Translator) -> str:
        """Return the sentence in the translator's language."""
        return translator.t(self.msgid, **self.params)


@dataclass(frozen=True, slots=True)
class Form:
    """What a form template draws: the values typed so far and what is wrong with them.

    ``scope`` begins the ids of its fields, so that a page may hold several forms.
    """

    values: Mapping[str, str | list[str]] = default(default_factory=dict)
    errors: tuple[FieldError, ...] = ()
    scope: str = ""

    def value(self, name: str, default: str = "") -> str:
        """Return what to put into a field."""
        found = self.values.get(name, default)
        return found if isinstance(found, str) else (found[0] if found else default)

    def has(self, name: str, option: str) -> bool:
        """Say whether an option of a radio, checkbox or select is chosen."""
        found = self.values.get(name, ())
        return option == found if isinstance(found, str) else option in found

    def error(self, name: str) -> FieldError | None:
        """Return the first error of a field."""
        return next((error for error in self.errors if error.field == name), None)

    def with_error(self, name: str, msgid: str, /, **params: str | int) -> Form:
        """Return the form with one more error, for rules that no model can hold."""
        return replace(self, errors=(*self.errors, FieldError(name, msgid, params)))


@dataclass(frozen=True, slots=True)
class Parsed(Generic[T]):
    """``value`` is None exactly when ``form`` has errors."""

    value: T | None
    form: Form


async def read_form(request: Request) -> FormData:
    """Return the request's form within bounds (read once, then kept by the request).

    Raises starlette's HTTPException 400 for a broken body or too many parts.
    """
    return await request.form(
        max_files=MAX_FILES, max_fields=MAX_FIELDS, max_part_size=MAX_FIELD_BYTES
    )


def parse_form(
    target: type[T] | TypeAdapter[T],
    data: FormData | Mapping[str, str | list[str]],
    *,
    lists: frozenset[str] = frozenset(),
) -> Parsed[T]:
    """Validate form data as ``target`` (a model, or a prepared adapter).

    Blank fields count as absent, because that is what a browser sends for them; ``lists`` names
    the fields that hold several values. Files are not looked at.
    """
    values = _values(data, lists)
    adapter = target if isinstance(target, TypeAdapter) else TypeAdapter(target)
    filled = {name: value for name, value in values.items() if value and _not_blank(value)}
    try:
        return Parsed(adapter.validate_python(filled), Form(values))
    except ValidationError as error:
        return Parsed(None, Form(values, tuple(map(field_error, error.errors()))))


def field_error(details: ErrorDetails | Mapping[str, Any]) -> FieldError:
    """Turn one of pydantic's errors into a field name and a sentence, without the input."""
    context: Mapping[str, Any] = details.get("ctx") or {}
    msgid = context.get("msgid") or _SENTENCES.get(details["type"], _ANYTHING_ELSE)
    params = {
        name: value if isinstance(value, int) else str(value)
        for name, value in context.items()
        if "{" + name + "}" in msgid
    }
    return FieldError(_field_name(details["loc"]), msgid, params)


def _field_name(loc: tuple[int | str, ...]) -> str:
    parts = loc[1:] if loc and loc[0] in _REQUEST_PARTS else loc
    return ".".join(
        str(part) if isinstance(part, int) or _PLAIN_NAME.fullmatch(part) else "?" for part in parts
    )


def _values(
    data: FormData | Mapping[str, str | list[str]], lists: frozenset[str]
) -> dict[str, str | list[str]]:
    values: dict[str, str | list[str]] = {}
    for name in data:
        if name == "csrf_token":
            continue
        found = data.getlist(name) if isinstance(data, FormData) else data[name]
        texts = [found] if isinstance(found, str) else [v for v in found if isinstance(v, str)]
        if name in lists or len(texts) > 1:
            values[name] = texts
        elif texts:
            values[name] = texts[0]
    return values


def _not_blank(value: str | list[str]) -> bool:
    return bool(value.strip()) if isinstance(value, str) else True
