"""The payment service that row 6 loads: ``python -m tests.bench.bank_server FOLDER BILLS``.

The product's own composition over SQLite, with unpaid bills in its store, and one route that does
nothing. Prints its port once all bills can be found; runs until killed.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import uvloop
from fastapi import APIRouter, Request, Response

from deploy.serve import Running, serve
from services.payment.banks.profile import Banks
from services.payment.bill import bill_id, bill_stream
from services.payment.views import BillViews
from shared.codec import Codec
from shared.contracts.payment import BillIssued, BillLine
from shared.events import NewEvent
from shared.ids import derived_id
from shared.settings import Settings
from shared.store.sqlite import SqliteStore
from shared.web.signed import SignedRoute
from tests.bench.processes import die_with_parent
from tests.running import until

NOTHING = "/api/bench/nothing"
# The same without what the framework does for pages, as signed calls are taken.
NOTHING_SIGNED = "/api/bench/nothing-signed"
AMOUNT = 240_000
_LATER = "2099-12-31"
_TOGETHER = 256
_ISSUED_US = 1_700_000_000_000_000


def accounts(count: int) -> list[str]:
    """Return the virtual accounts of the first ``count`` bills."""
    banks = Banks.load(Settings().config / "banks")
    return [banks.virtual_account("bogor", _number(index)) for index in range(count)]


def application(index: int) -> str:
    """Return the application of a bill."""
    return derived_id("bench-bill", index)


def _number(index: int) -> str:
    return f"BGR-2026-{index:06d}"


def _bill(index: int, account: str, codec: Codec) -> NewEvent:
    event = BillIssued(
        application_id=application(index),
        bill_id=bill_id(application(index)),
        number=_number(index),
        office="bogor",
        permit_type="situ",
        virtual_account=account,
        amount=AMOUNT,
        lines=(BillLine(label="Retribusi", calculation="120 m2 x Rp2.000", amount=AMOUNT),),
        tariff="situ-2026",
        due_on=_LATER,
        principal=AMOUNT,
    )
    cause = derived_id("bench", index)
    return codec.envelope(
        event, derived_id("issued", index), _ISSUED_US, "system:bench", cause, application(index)
    )


async def _fill(folder: Path, count: int) -> None:
    store, codec = SqliteStore(folder / "events.sqlite"), Codec()
    try:
        numbered = list(enumerate(accounts(count)))
        for start in range(0, count, _TOGETHER):
            part = numbered[start : start + _TOGETHER]
            await asyncio.gather(
                *(
                    store.append(bill_stream(application(index)), [_bill(index, one, codec)])
                    for index, one in part
                )
            )
    finally:
        await store.close()


def _nothing(running: Running) -> Sequence[APIRouter]:
    router = APIRouter()

    @router.post(NOTHING)
    async def nothing() -> dict[str, Any]:
        return {}

    signed = APIRouter(route_class=SignedRoute)

    @signed.post(NOTHING_SIGNED)
    async def nothing_signed(request: Request) -> Response:
        return Response(b"{}", media_type="application/json")

    return [router, signed]


async def _caught_up(running: Running) -> bool:
    """Say whether everybody has dealt with the bills, which nobody is to measure."""
    head = await running.kernel.store.head()
    service = running.services[0]
    places = [await projector.positions() for projector in service.projectors]
    places += [await reactor.positions() for reactor in service.reactors]
    return all(head in place.values() for place in places)


async def main(folder: Path, count: int) -> None:
    """Fill the store and serve."""
    await _fill(folder, count)
    last = accounts(count)[-1]
    waiting: set[asyncio.Task[None]] = set()

    async def announce(running: Running, address: str) -> None:
        await until(lambda: _caught_up(running), 120, "the read models and reactions")
        views = BillViews(running.databases["payment"])
        assert await views.by_account(last)
        print(address.rsplit(":", 1)[1], flush=True)

    def ready(running: Running, address: str) -> None:
        waiting.add(asyncio.get_running_loop().create_task(announce(running, address)))

    settings = Settings(data=folder, port=0, log_level="ERROR")
    await serve(settings, ["payment"], _nothing, ready)


if __name__ == "__main__":
    die_with_parent()
    uvloop.run(main(Path(sys.argv[1]), int(sys.argv[2])))
