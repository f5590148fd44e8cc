"""Every sentence people can see has an Indonesian translation, and none is left over.

Rooms write ``t("...")``, ``n("...", "...", count)``, ``msg("...")``, ``bad_value("...")`` and
``NavItem("...")`` in Python and templates, and ``text = "..."`` in subclasses of JejakError; this
test reads them all from the source, with Babel's own extractors.
"""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from babel.messages.extract import extract
from babel.messages.pofile import read_po
from jinja2.ext import babel_extract

from shared.web.i18n import LOCALE_DIR, read_catalogue

ROOT = Path(__file__).resolve().parents[3]
SOURCES = ("shared", "services", "deploy")
KEYWORDS = {"t": None, "n": (1, 2), "msg": None, "bad_value": None, "NavItem": (1,)}


def _files(pattern: str) -> Iterator[Path]:
    for folder in SOURCES:
        yield from sorted((ROOT / folder).rglob(pattern))


def _extracted(path: Path, method: Any) -> Iterator[str]:
    with path.open("rb") as file:
        for _, found, _, _ in extract(method, file, keywords=KEYWORDS, options={"silent": "false"}):
            msgid = found[0] if isinstance(found, tuple) else found
            if msgid:
                yield msgid


def _jinja(file: BinaryIO, keywords: Any, tags: Any, options: dict[str, Any]) -> Any:
    # Jinja's extractor knows only gettext's names by itself.
    return babel_extract(file, list(KEYWORDS), tags, options)


def _error_texts() -> Iterator[tuple[str, str]]:
    """Yield (class name, sentence) of JejakError and everything derived from it, by name."""
    classes = [
        node
        for path in _files("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    ]
    errors, known = {"JejakError"}, 0
    while known < len(errors):
        known = len(errors)
        errors |= {node.name for node in classes if errors & set(map(_last_name, node.bases))}
    for node in classes:
        if node.name in errors:
            yield from ((node.name, text) for text in _texts_of(node))


def _last_name(base: ast.expr) -> str:
    return ast.unparse(base).split("[")[0].split(".")[-1]


def _texts_of(node: ast.ClassDef) -> Iterator[str]:
    for item in node.body:
        target = item.targets[0] if isinstance(item, ast.Assign) else getattr(item, "target", None)
        if isinstance(target, ast.Name) and target.id == "text":
            yield ast.literal_eval(item.value)  # type: ignore[attr-defined]


def _used() -> dict[str, str]:
    """Return every msgid in the source, with one place where it is used."""
    used: dict[str, str] = {}
    for path in _files("*.py"):
        for msgid in _extracted(path, "python"):
            used.setdefault(msgid, str(path.relative_to(ROOT)))
    for path in _files("*.html"):
        for msgid in _extracted(path, _jinja):
            used.setdefault(msgid, str(path.relative_to(ROOT)))
    for name, text in _error_texts():
        used.setdefault(text, name)
    return used


def _placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


def test_every_sentence_has_an_indonesian_translation() -> None:
    catalogue = read_catalogue(LOCALE_DIR / "id")
    missing = {msgid: place for msgid, place in _used().items() if msgid not in catalogue}
    assert not missing, f"add to a file in {LOCALE_DIR / 'id'}: {missing}"


def test_no_translation_is_left_over() -> None:
    used = _used()
    unused = {
        (path.name, msgid)
        for path in (LOCALE_DIR / "id").glob("*.po")
        for msgid in read_catalogue_of(path)
        if msgid not in used
    }
    assert not unused, f"nothing says these any more: {unused}"


def test_translations_keep_the_placeholders() -> None:
    for msgid, forms in read_catalogue(LOCALE_DIR / "id").items():
        for form in forms:
            assert _placeholders(form) <= _placeholders(msgid) | {"n"}, msgid


def read_catalogue_of(path: Path) -> list[str]:
    with path.open("rb") as file:
        ids = [message.id for message in read_po(file) if message.id]
    return [msgid if isinstance(msgid, str) else msgid[0] for msgid in ids]
