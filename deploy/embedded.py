"""The embedded mode: the whole office in one process, for one machine and for newcomers."""

from __future__ import annotations

from collections.abc import Sequence

import click
from fastapi import APIRouter

from deploy.serve import Running, serve
from shared.settings import SERVICES, Settings
from shared.web.i18n import Translator

SAMPLE_PASSWORD = "jejak-contoh"
_SHOWN_ACCOUNTS = ("loket", "verifikator", "kepala")


async def run_embedded(settings: Settings, translator: Translator) -> None:
    """Serve all four services and the bank simulator's page until told to stop."""
    await serve(
        settings.model_copy(update={"bank_page": settings.bank_page or "/bank"}),
        SERVICES,
        extra=_simulator,
        ready=lambda running, address: click.echo(welcome(running, address, translator)),
    )


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
        "  5. "
        + t("Read what the applicant was told: {address}", address=f"{address}/kotak-keluar"),
        "",
        t(
            "Everything is kept in {folder}. Stop with Ctrl-C.",
            folder=str(data),
        ),
        "",
    ]
    return "\n".join(lines)
