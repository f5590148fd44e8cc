"""What the words of a reply mean, where the words alone tell. Pure; Bahasa Indonesia and English.

A word of command is the whole message, whatever its case, spaces and punctuation: an officer who
explains that "the work must stop" does not ask us to be silent.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from enum import StrEnum
from typing import Final, NamedTuple

# WhatsApp takes 4,096 characters; an explanation on the web has 2,000.
MAX_WORDS: Final = 2_000


class Wish(StrEnum):
    """What a word of command asks for."""

    STOP = "stop"
    START = "start"
    STATUS = "status"
    INDONESIAN = "id"
    ENGLISH = "en"
    WHATSAPP = "whatsapp"
    SMS = "sms"


_WORDS: Final = {
    "stop": Wish.STOP,
    "berhenti": Wish.STOP,
    "unsubscribe": Wish.STOP,
    "unreg": Wish.STOP,
    "mulai": Wish.START,
    "start": Wish.START,
    "status": Wish.STATUS,
    "cek status": Wish.STATUS,
    "bahasa": Wish.INDONESIAN,
    "bahasa indonesia": Wish.INDONESIAN,
    "indonesia": Wish.INDONESIAN,
    "indonesian": Wish.INDONESIAN,
    "english": Wish.ENGLISH,
    "inggris": Wish.ENGLISH,
    "bahasa inggris": Wish.ENGLISH,
    "wa": Wish.WHATSAPP,
    "whatsapp": Wish.WHATSAPP,
    "sms": Wish.SMS,
}
_NUMBER: Final = re.compile(r"\W*([A-Za-z]{2,6})[\s./-]*(\d{4})[\s./-]*(\d{4,8})(?!\d)")
# A year or an amount at the beginning must not be taken for a file: three digits at least.
_DIGITS: Final = re.compile(r"\W*(\d{3,8})(?!\d)(?![.,]\d)")
_SEPARATORS: Final = " \t\n\r:;,.-–—#)"


class Addressed(NamedTuple):
    """A reply that begins with a number: which of the known ones it means, and what follows.

    ``number`` is None when it begins with none; it is empty when it names one that is not open.
    """

    number: str | None
    rest: str


def wish(text: str) -> Wish | None:
    """Return what a word of command asks for, None for every other text."""
    return _WORDS.get(" ".join(re.findall(r"[^\W_]+", text.casefold())))


def addressed(text: str, numbers: Iterable[str]) -> Addressed:
    """Return which of ``numbers`` the text begins with: whole, or its last digits alone.

    Digits that end none of them, or several, are part of what is said.
    """
    known = {_bare(number): number for number in numbers}
    if whole := _NUMBER.match(text):
        return Addressed(known.get(_bare(whole[0]), ""), _rest(text, whole.end()))
    if some := _DIGITS.match(text):
        ending = [number for bare, number in known.items() if bare.endswith(some[1])]
        if len(ending) == 1:
            return Addressed(ending[0], _rest(text, some.end()))
    return Addressed(None, text.strip())


def clean(text: str) -> str:
    """Return text fit to be shown: no control or direction characters, at most ``MAX_WORDS``."""
    composed = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    kept = (c for c in composed if c in "\n\t" or not unicodedata.category(c).startswith("C"))
    return "".join(kept).strip()[:MAX_WORDS]


def _bare(number: str) -> str:
    return "".join(re.findall(r"[a-z0-9]", number.casefold()))


def _rest(text: str, end: int) -> str:
    return text[end:].strip(_SEPARATORS)
