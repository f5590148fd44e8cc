"""What changed between two versions of an office or a permit type, in words people use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from shared.offices import Office, PermitType
from shared.text import msg
from shared.web.i18n import Translator

Path = tuple[str, ...]
Versions = Mapping[tuple[str, str], Office | PermitType]
"""Kind and id -> the version, such as ("office", "bogor")."""

# Lists whose entries have ids, and what one of them is called.
_NAMED: Mapping[Path, str] = {
    ("workflow", "stages"): msg("stage {id}"),
    ("intake", "requirements"): msg("document {id}"),
    ("intake", "fields"): msg("question {id}"),
    ("payment", "tariffs"): msg("tariff {id}"),
    ("agencies",): msg("agency {id}"),
}
# What changes with every version and says nothing by itself.
_ALWAYS = frozenset({("version",)})
_ADDED, _REMOVED = msg("{what}: added"), msg("{what}: removed")
_CHANGED = msg("{what}: {old} → {new}")
_ORDER = msg("order of {what}")
_NONE = msg("none")


def between(old: Versions, new: Versions, tr: Translator) -> Iterator[str]:
    """Yield every difference between two sets of versions, a sentence each."""
    for key in sorted(old.keys() | new.keys()):
        name = " ".join(key)
        if key not in new:
            yield tr.t(_REMOVED, what=name)
        elif key not in old:
            yield tr.t(_ADDED, what=name)
        else:
            for line in differences(old[key], new[key], tr):
                yield f"{name}: {line}"


def differences(
    old: Office | PermitType, new: Office | PermitType, tr: Translator
) -> Iterator[str]:
    """Yield what is different in ``new``: ``stage survey: 2 working days → 3 working days``."""
    yield from _mapping((), _plain(old), _plain(new), tr)


def _plain(version: Office | PermitType) -> dict[str, Any]:
    return version.model_dump(mode="python")


def _any(path: Path, old: Any, new: Any, tr: Translator) -> Iterator[str]:
    if old == new or path in _ALWAYS:
        return
    if path in _NAMED:
        yield from _entries(path, old or (), new or (), tr)
    elif isinstance(old, dict) and isinstance(new, dict):
        yield from _mapping(path, old, new, tr)
    else:
        what = _what(path, tr)
        yield tr.t(_CHANGED, what=what, old=_say(path, old, tr), new=_say(path, new, tr))


def _mapping(
    path: Path, old: Mapping[Any, Any], new: Mapping[Any, Any], tr: Translator
) -> Iterator[str]:
    for name in dict.fromkeys([*old, *new]):
        yield from _any((*path, str(name)), old.get(name), new.get(name), tr)


def _entries(
    path: Path, old: Sequence[dict[str, Any]], new: Sequence[dict[str, Any]], tr: Translator
) -> Iterator[str]:
    before, after = ({entry["id"]: entry for entry in entries} for entries in (old, new))
    for entry_id in before.keys() - after.keys():
        yield tr.t(_REMOVED, what=_what((*path, entry_id), tr))
    for entry_id in after:
        if entry_id in before:
            yield from _mapping((*path, entry_id), before[entry_id], after[entry_id], tr)
        else:
            yield tr.t(_ADDED, what=_what((*path, entry_id), tr))
    if [one for one in before if one in after] != [one for one in after if one in before]:
        order = {"old": ", ".join(before), "new": ", ".join(after)}
        yield tr.t(_CHANGED, what=tr.t(_ORDER, what=_what(path, tr)), **order)


def _what(path: Path, tr: Translator) -> str:
    """Return a place in words: the budget of a stage is the stage's own, so it needs no name."""
    for prefix, words in _NAMED.items():
        if path[: len(prefix)] == prefix and len(path) > len(prefix):
            rest = [part for part in path[len(prefix) + 1 :] if part not in ("days", "hours")]
            return " ".join([tr.t(words, id=path[len(prefix)]), *rest])
    return ".".join(path)


def _say(path: Path, value: Any, tr: Translator) -> str:
    if value is None:
        return tr.t(_NONE)
    if path[-1] in ("days", "working_days", "hours") and isinstance(value, int | float | Decimal):
        number = Decimal(str(value))
        if path[-1] == "hours":
            return tr.t(msg("{hours} working hours"), hours=tr.number(float(number)))
        return tr.t(msg("{days} working days"), days=tr.number(float(number)))
    if isinstance(value, list | tuple):
        return ", ".join(_say(path, one, tr) for one in value) or tr.t(_NONE)
    if isinstance(value, dict):
        if set(value) == {"id", "en"}:
            return str(value[tr.lang])
        return ", ".join(
            f"{name}: {_say((*path, str(name)), one, tr)}" for name, one in value.items()
        )
    return str(value)
