"""``jejak offices``: checks, shows and compares the data of offices and permit types."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import click
from rich.console import Console

from deploy.asked import UnknownVersion, asked_office, asked_type
from deploy.checking import check as check_folder
from deploy.checking import unknown_leave
from deploy.console import REFUSED, Session, answer, as_json, runs, table
from deploy.differences import Versions, between
from deploy.wiring import now
from shared.offices import Catalogue, Mistake, Office, PermitType, load_yaml
from shared.text import msg
from shared.web.i18n import Translator

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FINE = msg("{offices} offices, {types} permit types, {years} years of joint leave: nothing wrong.")
_WRONG = msg("{count} mistakes. Whatever is not named here can be used.")
_SAME = msg("There is no difference.")
_TODAY, _LATER, _BEFORE = msg("in force"), msg("to come"), msg("replaced")


@click.group()
def offices() -> None:
    """Check, show and compare offices, permit types and holidays, which are data files.

    \b
    A change is a new file with a higher `version` and its `effective` day:
        deploy/permits/reklame.yaml, deploy/permits/reklame.v2.yaml
    Running applications keep the version they started with.
    """


@offices.command()
@click.argument("folder", required=False, type=_FOLDER)
@as_json
@click.pass_obj
@runs
async def check(session: Session, folder: Path | None, as_json: bool) -> None:
    """Say what is wrong in FOLDER (default: the one in use), by file and line; exit 1 if any.

    Every rule is checked: procedures, tariffs, agencies, levels, holidays, banks and accounts.
    What is only odd, such as stages that together may take longer than is promised, is said too.
    """
    found, tr = check_folder(folder or session.settings.config), session.translator

    def text(out: Console) -> None:
        for mistake in found.mistakes:
            out.print(mistake.say(tr), markup=False, highlight=False)
        catalogue = found.catalogue
        counts = {"offices": len(catalogue.offices), "types": len({t for t, _ in catalogue.types})}
        years = len(catalogue.leave)
        out.print(
            tr.t(_WRONG, count=len(found.mistakes))
            if found.mistakes
            else tr.t(_FINE, **counts, years=years)
        )
        for warning in found.warnings:
            out.print(warning.say(tr), markup=False, highlight=False)
        for msgid, params in unknown_leave(catalogue, now().date()):
            out.print(tr.t(msgid, **params), highlight=False)

    answer([_as_dict(mistake, tr) for mistake in found.mistakes], text, as_json=as_json)
    if found.mistakes:
        sys.exit(REFUSED)


def _as_dict(mistake: Mistake, tr: Translator) -> dict[str, object]:
    return {
        "file": mistake.file,
        "line": mistake.line,
        "place": mistake.where,
        "reason": mistake.reason(tr),
    }


@offices.command()
@click.argument("office")
@click.argument("permit_type", required=False)
@as_json
@click.pass_obj
@runs
async def show(session: Session, office: str, permit_type: str | None, as_json: bool) -> None:
    """Show an OFFICE, or a PERMIT_TYPE that it gives, in all versions and as it is in force."""
    catalogue, tr = Catalogue.load(session.settings.config, now=now), session.translator
    current = asked_office(catalogue, office)
    today = now().astimezone(ZoneInfo(current.zone)).date()
    versions: Sequence[Office | PermitType]
    in_force: Office | PermitType | None
    if permit_type is None:
        versions, in_force = catalogue.versions(office), current
    else:
        asked_type(current, permit_type)
        in_force = catalogue.current(permit_type, today)
        kinds = [kind for (name, _), kind in sorted(catalogue.types.items()) if name == permit_type]
        versions = sorted(kinds, key=lambda kind: kind.effective)
    rows = [(one.version, one.effective, _standing(one, in_force, today, tr)) for one in versions]

    def text(out: Console) -> None:
        out.print(table((tr.t("Version"), tr.t("In force from"), ""), rows))
        for line in _described(in_force) if in_force else ():
            out.print(line, markup=False, highlight=False)

    answer([one.model_dump(mode="json") for one in versions], text, as_json=as_json)


def _standing(
    one: Office | PermitType, in_force: Office | PermitType | None, today: date, tr: Translator
) -> str:
    if one is in_force:
        return tr.t(_TODAY)
    return tr.t(_LATER if one.effective > today else _BEFORE)


def _described(version: Office | PermitType) -> Iterator[str]:
    """Yield a version as its file says it, line by line."""
    if version.origin is not None:
        yield version.origin.text.rstrip()


@offices.command()
@click.argument("old")
@click.argument("new")
@as_json
@click.pass_obj
@runs
async def diff(session: Session, old: str, new: str, as_json: bool) -> None:
    """Say in words what changes from OLD to NEW: two files, two folders, or ID@VERSION each.

    \b
    jejak offices diff reklame@1 reklame@2
    jejak offices diff deploy ../new-rules
    """
    catalogue = Catalogue.load(session.settings.config)
    found = list(between(_versions(old, catalogue), _versions(new, catalogue), session.translator))

    def text(out: Console) -> None:
        for line in found or [session.translator.t(_SAME)]:
            out.print(line, markup=False, highlight=False)

    answer(found, text, as_json=as_json)


def _versions(named: str, catalogue: Catalogue) -> Versions:
    """Return what a folder, a file or ID@VERSION holds. Raises UnknownVersion, BadFile."""
    path = Path(named)
    if path.is_dir():
        folder = Catalogue.load(path)
        kinds = sorted(folder.types.values(), key=lambda kind: kind.effective)
        newest = {("permit", kind.id): kind for kind in kinds}
        return {**newest, **{("office", one.id): one for one in folder.offices.values()}}
    if path.is_file():
        if path.parent.name == "offices":
            return _one(load_yaml(path, Office))
        return _one(load_yaml(path, PermitType))
    name, _, version = named.partition("@")
    found: list[Office | PermitType] = [*catalogue.versions(name), *catalogue.types.values()]
    for one in found:
        if (one.id, str(one.version)) == (name, version):
            return _one(one)
    raise UnknownVersion


def _one(version: Office | PermitType) -> Versions:
    return {("office" if isinstance(version, Office) else "permit", version.id): version}
