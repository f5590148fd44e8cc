"""The notify service that row 10 loads: ``python -m tests.bench.webhook_server FOLDER MESSAGES``.

The product's own composition over SQLite, with messages in its store that WhatsApp has taken, and
one route that does nothing. Prints its port once all of them are known; runs until killed.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import uvloop
from fastapi import APIRouter
from pydantic import SecretStr

from deploy.serve import Running, serve
from shared.settings import Settings
from shared.store.sqlite import SqliteStore, wall_clock
from shared.topics import NOTIFY
from tests.bench.messages import fill
from tests.bench.processes import die_with_parent
from tests.running import until

NOTHING = "/api/bench/nothing"
SECRET, PHONE_ID = "app-secret-TEST-0001", "106540352242922"


async def _fill(folder: Path, count: int) -> None:
    store = SqliteStore(folder / "events.sqlite")
    try:
        await fill(store, count, "whatsapp", wall_clock(), sent=True, people=count)
    finally:
        await store.close()


def _nothing(running: Running) -> Sequence[APIRouter]:
    router = APIRouter()

    @router.post(NOTHING)
    async def nothing() -> dict[str, Any]:
        return {}

    return [router]


async def _caught_up(running: Running) -> bool:
    """Say whether everybody has dealt with the messages, which nobody is to measure."""
    head, service = await running.kernel.store.head(), running.services[0]
    models = [one for one in service.projectors if NOTIFY.name in one.projection.topics]
    places = [await model.positions() for model in models]
    places += [await one.positions() for one in service.reactors if NOTIFY.name in one.topics]
    return all(head in place.values() for place in places)


async def main(folder: Path, count: int) -> None:
    """Fill the store and serve."""
    await _fill(folder, count)
    waiting: set[asyncio.Task[None]] = set()

    async def announce(running: Running, address: str) -> None:
        await until(lambda: _caught_up(running), 60, "the read models and reactions")
        print(address.rsplit(":", 1)[1], flush=True)

    def ready(running: Running, address: str) -> None:
        waiting.add(asyncio.get_running_loop().create_task(announce(running, address)))

    settings = Settings(
        data=folder,
        port=0,
        log_level="ERROR",
        # Nobody is there, and nothing is left to send.
        whatsapp_url="http://127.0.0.1:9",
        whatsapp_phone_id=PHONE_ID,
        whatsapp_app_secret=SecretStr(SECRET),
    )
    await serve(settings, ["notify"], _nothing, ready)


if __name__ == "__main__":
    die_with_parent()
    uvloop.run(main(Path(sys.argv[1]), int(sys.argv[2])))
