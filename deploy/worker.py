"""``jejak worker``: the Faust worker over Kafka, with a small health server of its own."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI

from deploy.serve import Running, bound_socket, following, opened
from services.workflow.worker import build_worker, run_worker
from shared.errors import BadConfiguration
from shared.memory import settle
from shared.settings import Settings
from shared.web.health import Check, health_router

# How long its tables may take to be read back before the worker gives up and is started anew.
RECOVERY_SECONDS = 60.0


async def run(settings: Settings) -> None:
    """Run the workflow's projector, its timers' sweep and the activity tables until told to stop.

    Raises BadConfiguration without a broker, AddressTaken, and what a part raised when it failed.
    """
    if settings.kafka is None:
        raise BadConfiguration(file="JEJAK_KAFKA", reason="the worker needs a broker; see make up")
    with closing(bound_socket(settings)) as bound:
        async with opened(settings, ["workflow"]) as running:
            recovered = asyncio.Event()
            health = _health(running, recovered)
            answering = asyncio.create_task(health.serve([bound]))
            try:
                worker = await _build(running, settings.kafka)
                settle()
                await run_worker(
                    worker,
                    stop=_told_to_stop(),
                    recovered=recovered,
                    recovery_seconds=RECOVERY_SECONDS,
                )
            finally:
                health.should_exit = True
                await answering


def _told_to_stop() -> asyncio.Event:
    """Return an event that Ctrl-C and SIGTERM set."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def _build(running: Running, bootstrap: str) -> Any:
    """Return the Faust application over the broker, with the service's own parts in it."""
    kernel, (service,) = running.kernel, running.services
    return build_worker(
        bootstrap,
        kernel.settings.data / "worker",
        parts=await _parts(running),
        sweep=service.worker.sweep,
        sweep_seconds=kernel.settings.sweep_seconds,
        database=service.database,
        codes={office.code: id for id, office in kernel.catalogue.offices.items()},
    )


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

    app = FastAPI(openapi_url=None)
    checks = [Check("store", running.kernel.store.head), Check("tables", tables)]
    app.include_router(health_router(checks))
    return _Quiet(uvicorn.Config(app, log_level="warning", access_log=False))


class _Quiet(uvicorn.Server):
    """A server beside something else: the worker itself decides what a signal means."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield
