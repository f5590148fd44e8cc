"""``jejak bank settle``: takes a bank's settlement file in, as the treasurer's page does."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console

from deploy.console import REFUSED, Session, answer, as_json, runs
from deploy.wiring import now, open_kernel
from services.payment.banks.profile import Banks
from services.payment.settlement.keeping import Files, Slip, shown_name
from services.payment.settlement.partners import Partners
from services.payment.settlement.reading import REASONS
from services.payment.settlement.taking_in import Intake, Taken
from shared.calendar import Calendars
from shared.web.i18n import Translator, msg

# Who brought a file that came this way: the machine's operator, whom no office account names.
CONSOLE = "console"
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("partner")
@click.argument("file", type=_FILE)
@as_json
@click.pass_obj
@runs
async def settle(session: Session, partner: str, file: Path, as_json: bool) -> None:
    """Take in a settlement FILE of a bank PARTNER: whole, or not at all.

    The same file again adds nothing; an interrupted one is finished by running it again. It may run
    beside a running office, which then reconciles what is new. Exits with 1 for a refused file.
    """
    async with open_kernel(session.settings) as kernel:
        partners = Partners.of(
            Banks.load(kernel.settings.config / "banks"), Calendars(kernel.catalogue)
        )
        partners.layout(partner)
        files = Files(kernel.settings.data / "settlements")
        intake = Intake(kernel.handler, files, partners, now)
        slip = Slip(partner, await files.keep_file(file), shown_name(file.name), CONSOLE)
        taken = await intake.take_in(slip)

    def text(out: Console) -> None:
        out.print(said(taken, session.translator), highlight=False)

    answer(asdict(taken), text, as_json=as_json)
    if taken.state != "accepted":
        sys.exit(REFUSED)


def said(taken: Taken, translator: Translator) -> str:
    """Return in words what became of the file."""
    t = translator.t
    if taken.state == "accepted" and taken.repeated:
        return t(msg("This file was taken in before; nothing was added."))
    if taken.state == "accepted":
        return t(msg("{lines} lines were taken in."), lines=taken.lines)
    reason = t(REASONS[taken.reason])
    if not taken.line:
        return t(msg("The file was refused: {reason}"), reason=reason)
    return t(msg("The file was refused at row {row}: {reason}"), row=taken.line, reason=reason)
