"""Bahasa Indonesia first, English second: the catalogue and everything that depends on language.

Message ids are English sentences with ``{placeholders}``. Translations live in
``shared/web/locale/<lang>/<room>.po``, one file per room, so that rooms never collide; they are
read when the process starts, without a compile step. English needs no catalogue.

In templates write ``{{ t("Send the {name}", name=x) }}``; in Python ``translator.t("...")``. A
sentence that is stored in a table and translated later is marked with ``msg("...")`` (or with
``shared.text.bad_value("...")``), so that the completeness test finds it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, tzinfo
from functools import cache
from pathlib import Path

from babel.dates import format_date, format_time
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

from shared.errors import BadConfiguration
from shared.text import msg as msg

LANGUAGES = ("id", "en")
DEFAULT_LANGUAGE = "id"
LOCALE_DIR = Path(__file__).parent / "locale"

Catalogue = Mapping[str, tuple[str, ...]]
"""msgid -> its translations: one, or one per plural form (Indonesian has a single form)."""


def read_catalogue(folder: Path) -> dict[str, tuple[str, ...]]:
    """Merge every ``*.po`` file of ``folder``.

    Raises BadConfiguration, naming both files, when two give one msgid different translations.
    """
    merged: dict[str, tuple[str, ...]] = {}
    origin: dict[str, Path] = {}
    for path in sorted(folder.glob("*.po")):
        for msgid, forms in _entries(path):
            if merged.setdefault(msgid, forms) != forms:
                raise BadConfiguration(
                    file=f"{origin[msgid].name}, {path.name}",
                    reason=f"two translations of {msgid!r}",
                )
            origin.setdefault(msgid, path)
    return merged


def _entries(path: Path) -> Iterable[tuple[str, tuple[str, ...]]]:
    with path.open("rb") as file:
        for message in read_po(file, abort_invalid=True):
            if not message.id:
                continue
            msgid = message.id if isinstance(message.id, str) else message.id[0]
            string = message.string or ""
            forms = (string,) if isinstance(string, str) else tuple(string)
            if any(forms):
                yield msgid, forms


@cache
def catalogue(lang: str) -> Catalogue:
    """Return the shipped catalogue of ``lang``, read once; English has an empty one."""
    return {} if lang == "en" else read_catalogue(LOCALE_DIR / lang)


class Translator:
    """Speaks one language: sentences, counts, dates, rupiah and working time."""

    def __init__(self, lang: str, entries: Catalogue | None = None) -> None:
        """``lang`` is ``id`` or ``en``; ``entries`` replaces the shipped catalogue in tests."""
        self.lang = lang if lang in LANGUAGES else DEFAULT_LANGUAGE
        self._entries = catalogue(self.lang) if entries is None else entries

    def t(self, msgid: str, /, **params: object) -> str:
        """Return the sentence for ``msgid``; an unknown msgid is its own English sentence."""
        found = self._entries.get(msgid)
        sentence = found[0] if found else msgid
        return sentence.format(**params) if params else sentence

    def n(self, singular: str, plural: str, n: int, /, **params: object) -> str:
        """Return the sentence for a count; ``{n}`` stands for the number."""
        found = self._entries.get(singular)
        sentence = found[-1] if found else (singular if n == 1 else plural)
        return sentence.format(n=self.number(n), **params)

    def number(self, value: float) -> str:
        """Return ``value`` with the language's grouping: ``12.500`` in Indonesian."""
        return format_decimal(value, locale=self.lang)

    def rupiah(self, amount: int) -> str:
        """Return whole rupiah, written the Indonesian way in both languages: ``Rp1.250.000``."""
        sign = "-" if amount < 0 else ""
        return f"{sign}Rp{format_decimal(abs(amount), locale='id')}"

    def date(self, instant: datetime, zone: tzinfo) -> str:
        """Return the day of an aware instant in ``zone``: ``23 November 2026``."""
        return format_date(instant.astimezone(zone), "d MMMM y", locale=self.lang)

    def day(self, instant: datetime, zone: tzinfo) -> str:
        """Return the day with its weekday: ``Senin, 23 November 2026``."""
        return format_date(instant.astimezone(zone), "EEEE, d MMMM y", locale=self.lang)

    def time(self, instant: datetime, zone: tzinfo) -> str:
        """Return the clock time with the zone's own name: ``10.56 WIB``."""
        local = instant.astimezone(zone)
        pattern = "HH.mm" if self.lang == "id" else "HH:mm"
        return f"{format_time(local.time(), pattern, locale=self.lang)} {local.tzname()}"

    def datetime(self, instant: datetime, zone: tzinfo) -> str:
        """Return day and clock time: ``23 November 2026, 10.56 WIB``."""
        return f"{self.date(instant, zone)}, {self.time(instant, zone)}"

    def duration(self, minutes: int, minutes_per_day: int = 480) -> str:
        """Return working time in words: ``2 hari kerja 3 jam``.

        ``minutes`` are working minutes (negative: the time is over; the caller says so, the sign
        is dropped here). ``minutes_per_day`` is the length of one working day of the office.
        """
        days, rest = divmod(abs(minutes), minutes_per_day)
        hours, minutes_left = divmod(rest, 60)
        parts = [
            self.n("{n} working day", "{n} working days", days) if days else "",
            self.n("{n} hour", "{n} hours", hours) if hours else "",
            # Minutes only matter when little is left; beside days they are noise.
            self.n("{n} minute", "{n} minutes", minutes_left) if minutes_left and not days else "",
        ]
        return " ".join(part for part in parts if part) or self.t("0 minutes")


def negotiate(query: str | None, cookie: str | None, accept_language: str) -> str:
    """Choose a language: ``?lang=``, then the cookie, then Accept-Language, then Indonesian."""
    for asked in (query, cookie):
        if asked in LANGUAGES:
            return str(asked)
    return _accepted(accept_language)


def _accepted(header: str) -> str:
    ranked: list[tuple[float, str]] = []
    # A browser sends a handful; a longer list is not worth reading.
    for item in header[:500].split(",")[:20]:
        tag, _, quality = item.strip().partition(";q=")
        lang = tag.split("-")[0].strip().lower()
        # "in" is the code that old Android phones still send for Indonesian.
        lang = "id" if lang in ("in", "ms") else lang
        if lang in LANGUAGES:
            ranked.append((_quality(quality), lang))
    usable = [entry for entry in ranked if entry[0] > 0]
    return max(usable, key=lambda entry: entry[0])[1] if usable else DEFAULT_LANGUAGE


def _quality(text: str) -> float:
    try:
        return min(float(text), 1.0) if text else 1.0
    except ValueError:
        return 0.0
