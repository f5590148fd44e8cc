"""``jejak notify``: shows what people are told, before they are."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape

import services.notify.rulebook
from deploy.console import Session, answer, as_json, runs
from services.notify.rulebook.preview import Preview, previews
from services.notify.rulebook.rules import Rules
from services.notify.rulebook.wording import LANGUAGES, Templates
from shared.errors import NotFound
from shared.text import msg
from shared.web.i18n import Translator

_SMS = msg("{count} SMS ({alphabet}, {characters} characters)")
_OLD = msg("replaced")


@click.group()
def notify() -> None:
    """Show the messages that people are told, and check their files."""


@notify.command()
@click.option("--template", "name", default="", help="One template, such as `bill`.")
@click.option("--language", type=click.Choice(LANGUAGES), help="One language. Default: both.")
@click.option("--version", type=click.IntRange(min=1), help="One version. Default: all.")
@as_json
@click.pass_obj
@runs
async def preview(
    session: Session, name: str, language: str | None, version: int | None, as_json: bool
) -> None:
    """Show every message with example values, how many SMS it takes, and its WhatsApp name.

    A rule or template that is wrong is named by its file and line; then the exit code is 1.

    \b
    jejak notify preview --template bill --language id
    """
    folder = Path(services.notify.rulebook.__path__[0])
    templates = Templates.load(folder / "texts")
    Rules.load(folder / "rules.yaml", templates)
    chosen = {"name": name, "version": version or 0, "language": language or ""}
    found = list(previews(templates, **chosen))  # type: ignore[arg-type]
    if not found:
        raise NotFound

    def text(out: Console) -> None:
        for one in found:
            _show(out, one, session.translator)

    answer([one._asdict() for one in found], text, as_json=as_json)


def _show(out: Console, one: Preview, tr: Translator) -> None:
    said = {"alphabet": one.alphabet, "characters": tr.number(one.characters)}
    about = [one.language, tr.t(_SMS, count=tr.number(one.segments), **said)]
    about += [f"WhatsApp: {one.whatsapp}"] + ([] if one.current else [tr.t(_OLD)])
    heading = f"[bold]{escape(one.template)}.v{one.version}[/bold]  {escape(' · '.join(about))}"
    out.print(heading, highlight=False)
    out.print(one.text, markup=False, highlight=False)
    out.print()
