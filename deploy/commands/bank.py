"""``jejak bank``: the demonstration's bank at the command line, and the real banks' files."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

import click
from rich.console import Console

from deploy.bank.client import Receipt
from deploy.bank.faults import IN_THE_FILE, ON_THE_WIRE, WORDS, Fault
from deploy.bank.house import Bank
from deploy.bank.opening import HOST_PORT, open_bank
from deploy.bank.program import office_address
from deploy.bank.program import run as run_bank
from deploy.bank.sheets import LEGACY, QRIS, SNAP, TELLER
from deploy.commands.settling import settle
from deploy.console import REFUSED, Session, answer, as_json, runs, table
from deploy.wiring import secret
from shared.web.i18n import msg

_DIALECTS = click.Choice([SNAP, LEGACY, QRIS, TELLER])
_FILE = click.Path(dir_okay=False, path_type=Path)
_office = click.option("--office", help="The payment service's address. Default: as configured")


@click.group()
def bank() -> None:
    """Take in banks' settlement files; play the demonstration's bank.

    All but `settle` play a bank that signs with code of its own: use them where nothing is at
    stake. Its books are in the data folder's bank/.
    """


bank.add_command(settle)


@contextmanager
def _open(session: Session) -> Iterator[Bank]:
    settings = session.settings
    opened = open_bank(settings.data, settings.config / "banks", partial(secret, settings))
    try:
        yield opened
    finally:
        opened.ledger.close()


@bank.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=HOST_PORT, show_default=True, help="Port to listen on.")
@_office
@click.pass_obj
def serve(session: Session, host: str, port: int, office: str | None) -> None:
    """Serve the bank's page at /bank, and the addresses that the office calls."""
    run_bank(session.settings, host, port, office or office_address(session.settings))


@bank.command()
@click.argument("account")
@click.option("--dialect", type=_DIALECTS, default=SNAP, show_default=True, help="How it talks.")
@click.option("--partner", help="A partner's id. Default: the first that speaks the dialect")
@click.option(
    "--amount", type=click.IntRange(1), default=None, help="Rupiah. Default: what is owed"
)
@click.option("--fault", type=click.Choice([f.value for f in ON_THE_WIRE]), help="What goes wrong.")
@_office
@as_json
@click.pass_obj
@runs
async def pay(
    session: Session,
    account: str,
    dialect: str,
    partner: str | None,
    amount: int | None,
    fault: str | None,
    office: str | None,
    as_json: bool,
) -> None:
    """Pay a bill by its virtual ACCOUNT at a running office. Exits with 1 when it is refused."""
    with _open(session) as house:
        sheet = house.sheets.of(partner) if partner else house.sheets.speaking(dialect)
        receipt = await house.pay(
            office or office_address(session.settings),
            account,
            sheet=sheet,
            amount=amount or 0,
            fault=fault or "",
        )
    _show(receipt, session, as_json=as_json)


@bank.command()
@click.argument("payment")
@_office
@as_json
@click.pass_obj
@runs
async def tell(session: Session, payment: str, office: str | None, as_json: bool) -> None:
    """Tell the office of a PAYMENT again, or of one that it was never told of."""
    with _open(session) as house:
        receipt = await house.tell(office or office_address(session.settings), payment)
    _show(receipt, session, as_json=as_json)


@bank.command()
@click.argument("payment")
@_office
@as_json
@click.pass_obj
@runs
async def reverse(session: Session, payment: str, office: str | None, as_json: bool) -> None:
    """Take a PAYMENT back. The office hears of it now, or from the day's settlement file."""
    with _open(session) as house:
        back = await house.reverse(office or office_address(session.settings), payment)
    said = session.translator.t(msg("The payment was taken back."))
    answer(asdict(back), lambda out: out.print(said), as_json=as_json)


@bank.command()
@click.argument("payment")
@_office
@as_json
@click.pass_obj
@runs
async def status(session: Session, payment: str, office: str | None, as_json: bool) -> None:
    """Show a PAYMENT in the bank's books and, with SNAP, what the office says became of it."""
    with _open(session) as house:
        booked = house.ledger.payment(payment)
        told = {}
        if house.sheets.of(booked.partner).dialect == SNAP:
            told = await house.status(office or office_address(session.settings), payment)
    rows = [*asdict(booked).items(), *told.items()]
    shown = {"bank": asdict(booked), "office": told}
    answer(shown, lambda out: out.print(table(("", ""), rows)), as_json=as_json)


@bank.command("settle-file")
@click.argument("partner")
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="The value date. Default: today")
@click.option("--fault", type=click.Choice([f.value for f in IN_THE_FILE]), help="What goes wrong.")
@click.option("--out", type=_FILE, required=True, help="Where to write it.")
@click.pass_obj
@runs
async def settle_file(
    session: Session, partner: str, day: datetime | None, fault: str | None, out: Path
) -> None:
    """Write the settlement file of a PARTNER's day. `jejak bank settle` takes it in."""
    with _open(session) as house:
        sheet = house.sheets.of(partner)
        on: date = day.date() if day else datetime.now(UTC).astimezone(sheet.zone).date()
        content = house.settlement(sheet, on, Fault(fault or ""))
    await asyncio.to_thread(out.write_bytes, content)
    click.echo(str(out))


@bank.command()
@click.option("--rate", type=click.FloatRange(0, 1), help="Share of payments that go wrong.")
@click.option("--seed", type=int, default=0, show_default=True, help="Which ones.")
@as_json
@click.pass_obj
@runs
async def faults(session: Session, rate: float | None, seed: int, as_json: bool) -> None:
    """List what can go wrong, or have a share of all coming payments go wrong (--rate)."""
    with _open(session) as house:
        if rate is not None:
            house.ledger.set_plan(rate, seed)
        plan = house.ledger.plan()
    t = session.translator.t
    rows = [(name.value, t(words)) for name, words in WORDS.items() if name in _CHOSEN]

    def text(out: Console) -> None:
        out.print(table(("", ""), rows))
        out.print(
            t(msg("Share that goes wrong: {rate}, seed {seed}"), rate=plan.rate, seed=plan.seed)
        )

    answer({"rate": plan.rate, "seed": plan.seed, "faults": dict(rows)}, text, as_json=as_json)


_CHOSEN = frozenset((*ON_THE_WIRE, *IN_THE_FILE))


def _show(receipt: Receipt, session: Session, *, as_json: bool) -> None:
    t = session.translator.t
    said = t(msg("Paid")) if receipt.paid else t(msg("The office refused the payment."))
    rows = [
        (said, f"{receipt.code} {receipt.message}".strip()),
        (t(msg("Amount")), receipt.amount),
        (t(msg("Bank reference")), receipt.reference),
        (t(msg("Payment")), receipt.request_id),
    ]
    answer(asdict(receipt), lambda out: out.print(table(("", ""), rows)), as_json=as_json)
    if not receipt.paid:
        sys.exit(REFUSED)
