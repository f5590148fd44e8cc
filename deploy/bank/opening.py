"""Opens the bank on a data folder, and serves what the office calls on an address of its own."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from deploy.bank.host import Host, host_router
from deploy.bank.house import Bank
from deploy.bank.keys import BankKeys, open_keys
from deploy.bank.ledger import Ledger
from deploy.bank.sheets import Sheet, Sheets

# Where the sheets say that the office reaches this bank.
HOST_PORT = 8606


def open_bank(
    data: Path,
    banks: Path,
    secret: Callable[[str], str],
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Bank:
    """Return the bank whose books are in ``data/bank`` and whose sheets are in ``banks``.

    ``secret`` gives what both parties hold, by the name in the sheet.
    """

    # The office looks for the public half from its start on, so the pair is made now.
    pair = open_keys(data, "")

    def keys(sheet: Sheet) -> BankKeys:
        return replace(
            pair,
            secret=secret(sheet.shared_secret),
            client_id=sheet.data["client_id"],
            partner_id=sheet.data["partner_id"],
            prefix=sheet.prefix,
            channel=sheet.data["channel_id"],
        )

    ledger = Ledger(data / "bank" / "ledger.sqlite")
    return Bank(Sheets(banks), ledger, keys, secret, now)


def host_app(bank: Bank, data: Path) -> FastAPI:
    """Return the application that the office calls, and nothing else."""
    app = FastAPI(openapi_url=None)
    app.include_router(host_router(Host(bank, data)))
    return app


@asynccontextmanager
async def serving(app: FastAPI, listener: socket.socket) -> AsyncIterator[None]:
    """Serve ``app`` on a socket that listens until the block ends."""
    config = uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    # ``serve`` would take over the signals, which belong to the office beside it.
    task = asyncio.create_task(server._serve([listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await task
        listener.close()
