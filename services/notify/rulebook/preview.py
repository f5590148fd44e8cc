"""What every template says, with example values: before anybody is told it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from services.notify.channels.sms import is_wide, plain, segments
from services.notify.rulebook.wording import LANGUAGES, Template, Templates

# One value of each parameter, in Bahasa Indonesia and in English. Nobody's real data.
EXAMPLES: Mapping[str, tuple[str, str]] = {
    "number": ("BGR-2026-000123", "BGR-2026-000123"),
    "permit": ("Surat Izin Tempat Usaha (SITU)", "Place of Business Permit (SITU)"),
    "office": ("BPPTPM Kota Bogor", "Bogor City Permit Office"),
    "amount": ("Rp240.000", "Rp240.000"),
    "account": ("123450012600002011", "123450012600002011"),
    "due": ("23 November 2026, 15.30 WIB", "23 November 2026, 15:30 WIB"),
    "answer_by": ("24 November 2026, 11.00 WIB", "24 November 2026, 11:00 WIB"),
    "day": ("24 November 2026", "24 November 2026"),
    "document": ("503/123/SITU/2026", "503/123/SITU/2026"),
    "reason": ("Data lokasi tidak sesuai", "The place is not as stated"),
    "count": ("12", "12"),
    "lines": (
        "BGR-2026-000123 lewat batas 23 November 2026, 15.30 WIB; "
        "BGR-2026-000124 jatuh tempo 24 November 2026, 11.00 WIB; dan 10 lainnya",
        "BGR-2026-000123 past its limit of 23 November 2026, 15:30 WIB; "
        "BGR-2026-000124 due 24 November 2026, 11:00 WIB; and 10 more",
    ),
    "numbers": ("BGR-2026-000123, BGR-2026-000124", "BGR-2026-000123, BGR-2026-000124"),
    "address": ("https://izin.example.go.id", "https://izin.example.go.id"),
    "example": ("BGR-2026-000123 menunggu peta", "BGR-2026-000123 waits for a map"),
}


class Preview(NamedTuple):
    """One template as somebody would read it. ``segments`` is how many SMS it takes.

    ``alphabet`` is GSM-7, or UCS-2, of which a segment holds less than half.
    """

    template: str
    version: int
    current: bool
    language: str
    whatsapp: str
    text: str
    characters: int
    alphabet: str
    segments: int


def values(template: Template, language: str) -> dict[str, str]:
    """Return an example of each of a template's parameters; its name where there is none."""
    place = LANGUAGES.index(language)
    known = {name: words[place] for name, words in EXAMPLES.items()}
    return {name: known.get(name, f"<{name}>") for name in template.parameters}


def preview(template: Template, language: str, *, current: bool) -> Preview:
    """Return what a template says in a language."""
    text = template.render(language, values(template, language))
    return Preview(
        template=template.id,
        version=template.version,
        current=current,
        language=language,
        whatsapp=template.whatsapp,
        text=text,
        characters=len(text),
        alphabet="UCS-2" if is_wide(plain(text)) else "GSM-7",
        segments=segments(text),
    )


def previews(
    templates: Templates, *, name: str = "", version: int = 0, language: str = ""
) -> Iterator[Preview]:
    """Yield what is asked for (everything where it is not said), by name, the newest first."""
    for template in templates.all():
        if name not in ("", template.id) or version not in (0, template.version):
            continue
        current = templates.current(template.id) is template
        for each in LANGUAGES:
            if language in ("", each):
                yield preview(template, each, current=current)
