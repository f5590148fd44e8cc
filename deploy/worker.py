"""``jejak worker``: the Faust worker over Kafka, with a small health server of its own."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress

import uvicorn
from fastapi import FastAPI

from deploy.serve import Running, following, opened
from services.workflow.worker import build_worker, run_worker
from shared.errors import BadConfiguration
from shared.settings import Settings
from shared.web.health import Check, health_router

# How long its tables may take to be read back before the worker gives up and is started anew.
RECOVERY_SECONDS = 60.0


async def run(settings: Settings) -> None:
    """Run the workflow's projector, its timers' sweep and the activity tables until told to stop.

    Raises BadConfiguration without a broker, and what a part raised when it failed.
    """
    if settings.kafka is None:
        raise BadConfiguration(file="JEJAK_KAFKA", reason="the worker needs a broker; see make up")
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with opened(settings, ["workflow"]) as running:
        (service,) = running.services
        worker = build_worker(
            settings.kafka,
            settings.data / "worker",
            parts=await _parts(running),
            sweep=service.worker.sweep,
            sweep_seconds=settings.sweep_seconds,
            database=service.database,
            codes={office.code: id for id, office in running.kernel.catalogue.offices.items()},
        )
        recovered = asyncio.Event()
        health = asyncio.create_task(_health(running, recovered).serve())
        try:
            await run_worker(
                worker, stop=stop, recovered=recovered, recovery_seconds=RECOVERY_SECONDS
            )
        finally:
            health.cancel()
            with suppress(asyncio.CancelledError):
                await health


async def _parts(running: Running) -> dict[str, Callable[[], Awaitable[None]]]:
    parts = {}
    worker = running.services[0].worker
    for projector in worker.stand_ins:
        # Its table is what the worker's windows are written to.
        await projector.prepare()
    for projector in worker.projectors:
        await projector.prepare()
        topics = projector.projection.topics
        parts[projector.name] = following(running.kernel.bus, projector.name, topics, projector.run)
    return parts


def _health(running: Running, recovered: asyncio.Event) -> uvicorn.Server:
    """Return the health server: ready once Faust has its tables back and the store answers."""

    async def tables() -> None:
        await recovered.wait()

    settings = running.kernel.settings
    app = FastAPI(openapi_url=None)
    checks = [Check("store", running.kernel.store.head), Check("tables", tables)]
    app.include_router(health_router(checks))
    return _Quiet(
        uvicorn.Config(app, settings.host, settings.port, log_level="warning", access_log=False)
    )


class _Quiet(uvicorn.Server):
    """A server beside something else: the worker itself decides what a signal means."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield
