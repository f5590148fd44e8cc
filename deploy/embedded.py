"""The embedded mode: the whole office in one process, for one machine and for newcomers."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

import click
from fastapi import APIRouter

from deploy.serve import Running, serve
from deploy.wiring import secret
from shared.settings import SERVICES, Settings
from shared.telemetry import log
from shared.web.i18n import Translator

SAMPLE_PASSWORD = "jejak-contoh"
_SHOWN_ACCOUNTS = ("loket", "verifikator", "kepala")


async def run_embedded(settings: Settings, translator: Translator) -> None:
    """Serve all four services, the simulated bank's page and its host until told to stop."""
    async with _bank_host(settings):
        await serve(
            settings.model_copy(update={"bank_page": settings.bank_page or "/bank"}),
            SERVICES,
            extra=_simulator,
            ready=lambda running, address: click.echo(welcome(running, address, translator)),
        )


@asynccontextmanager
async def _bank_host(settings: Settings) -> AsyncIterator[None]:
    """Serve what the office calls at the simulated bank, at the address that its sheets name.

    Where something listens there already, it is a bank that was started by hand, or another
    demonstration's; then this one only has its page.
    """
    from deploy.bank.opening import HOST_PORT, host_app, open_bank, serving

    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", HOST_PORT))
        # At once, for two may be bound and only one may listen. The system takes connections from
        # here on, even before the server looks at them.
        listener.listen(128)
    except OSError:
        listener.close()
        log.info("bank_host_elsewhere", port=HOST_PORT)
        yield
        return
    banks = settings.config / "banks"
    bank = open_bank(settings.data, banks, partial(secret, settings))
    try:
        async with serving(host_app(bank, settings.data), listener):
            yield
    finally:
        bank.ledger.close()


def _simulator(running: Running) -> Sequence[APIRouter]:
    # Imported here: the simulator belongs to the demonstration, never to a service.
    from deploy.bank.page import router

    return [router(running.kernel)]


def welcome(running: Running, address: str, translator: Translator) -> str:
    """Return what a newcomer reads first: the address, who can sign in, and what to try."""
    t, data = translator.t, running.kernel.settings.data
    accounts = [running.kernel.accounts.find(name) for name in _SHOWN_ACCOUNTS]
    lines = [
        "",
        t("Jejak is running at {address}", address=address),
        "",
        t("Sample accounts (password {password}):", password=SAMPLE_PASSWORD),
        *(
            f"  {account.username:<14}{account.display_name}"
            for account in accounts
            if account is not None
        ),
        "",
        t("Try this, in two windows:"),
        "  1. " + t("Apply for a permit: {address}", address=f"{address}/izin"),
        "  2. " + t("Keep its tracking page open; it moves by itself."),
        "  3. "
        + t(
            "Sign in as {name} and register it: {address}",
            name="loket",
            address=f"{address}/pendaftaran",
        ),
        "  4. " + t("Work on it as the others: {address}", address=f"{address}/tugas"),
        "  5. " + t("Pay its bill at the simulated bank: {address}", address=f"{address}/bank"),
        "  6. "
        + t("Read what the applicant was told: {address}", address=f"{address}/kotak-keluar"),
        "",
        t(
            "Everything is kept in {folder}. Stop with Ctrl-C.",
            folder=str(data),
        ),
        "",
    ]
    return "\n".join(lines)
