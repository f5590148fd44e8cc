"""Runs services in one process: all four (``jejak run``) or one (``jejak serve``)."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from functools import partial

import uvicorn
from fastapi import APIRouter, FastAPI

from deploy.supervision import Supervisor
from deploy.wiring import build_service, open_database, open_kernel, secret
from shared.bus import Bus, Subscription
from shared.database import Database
from shared.errors import Unavailable
from shared.memory import settle
from shared.service import Kernel, Service
from shared.settings import Settings
from shared.telemetry import configure_logging
from shared.web.app import build_app
from shared.web.health import Check
from shared.web.serve import Server

# Ten documents of 10 MB and the form around them.
UPLOAD_LIMIT = 105 * 1024 * 1024
# A bank's file of a million lines; the settlement's own folder refuses more than 512 MB.
SETTLEMENT_LIMIT = 513 * 1024 * 1024
# What Meta may send at once, with many statuses.
WEBHOOK_LIMIT = 3 * 1024 * 1024
LARGER_BODIES = {
    "/webhooks/whatsapp": WEBHOOK_LIMIT,
    "/ajukan/": UPLOAD_LIMIT,
    "/perbaiki": UPLOAD_LIMIT,
    "/api/uploads": UPLOAD_LIMIT,
    "/bendahara/rekening-koran": SETTLEMENT_LIMIT,
    "/api/settlement/": SETTLEMENT_LIMIT,
    # Room to name the field that is too long, instead of cutting the request off.
    "/api/applications": 2 * 1024 * 1024,
}
# Programs sign their calls or bring credentials with each of them, so no form token is asked.
CSRF_EXEMPT = ("/api/", "/v1.0/", "/webhooks/")


class AddressTaken(Unavailable):
    """Nothing can listen at the address that the settings name."""

    code = "address-taken"
    text = "Nothing can listen at {address}: {reason}. Choose another one with --port."


@dataclass(frozen=True)
class Running:
    """What one process serves: its kernel, its services and their databases by name."""

    kernel: Kernel
    services: Sequence[Service]
    databases: dict[str, Database]


@asynccontextmanager
async def opened(settings: Settings, names: Sequence[str]) -> AsyncIterator[Running]:
    """Open the kernel and build the named services, without starting anything."""
    async with AsyncExitStack() as stack:
        kernel = await stack.enter_async_context(open_kernel(settings))
        databases: dict[str, Database] = {}
        for name in names:
            databases[name] = await open_database(settings, name)
            stack.push_async_callback(databases[name].close)
        services = [build_service(name, kernel, databases[name]) for name in names]
        for service in services:
            kernel.pages.commands.update(service.commands)
        yield Running(kernel, services, databases)


async def start(running: Running, supervisor: Supervisor) -> None:
    """Start every projector, reactor and task of the services under ``supervisor``.

    Over Kafka the worker's parts run elsewhere, and each process is a candidate for the relay.
    """
    settings, bus = running.kernel.settings, running.kernel.bus
    for service in running.services:
        for projector in service.folds(worker=False):
            # Pages read these tables even where the worker fills them.
            await projector.prepare()
        here = service.projectors if settings.has_worker else service.folds(worker=False)
        for projector in here:
            name, topics = projector.projection.name, projector.projection.topics
            supervisor.start(f"{service.name}.{name}", following(bus, name, topics, projector.run))
        for reactor in service.reactors:
            await reactor.prepare()
            part = following(bus, reactor.name, reactor.topics, reactor.run)
            supervisor.start(f"{service.name}.{reactor.name}", part)
        tasks = {} if settings.has_worker else service.worker.tasks
        for name, task in {**service.tasks, **tasks}.items():
            supervisor.start(f"{service.name}.{name}", task)
    if settings.has_worker:
        await _start_relay(running.kernel, supervisor)


def following(
    bus: Bus,
    group: str,
    topics: Sequence[str],
    run: Callable[[Subscription], Awaitable[None]],
) -> Callable[[], Awaitable[None]]:
    """Return a part that subscribes as ``group`` and runs until it fails or is cancelled."""

    async def part() -> None:
        subscription = await bus.subscribe(group, topics)
        try:
            await run(subscription)
        finally:
            await subscription.close()

    return part


async def _start_relay(kernel: Kernel, supervisor: Supervisor) -> None:
    from shared.relay import relay_over_kafka

    database = await open_database(kernel.settings, "relay")
    supervisor.start("relay", lambda: relay_over_kafka(kernel.settings, kernel.store, database))


def application(running: Running, supervisor: Supervisor, extra: Sequence[APIRouter]) -> FastAPI:
    """Return the web application of this process; its lifespan starts and stops the parts."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        try:
            await start(running, supervisor)
            yield
        finally:
            await supervisor.stop()

    kernel, settings = running.kernel, running.kernel.settings
    checks = [Check("store", kernel.store.head), Check("parts", supervisor.check)]
    for service in running.services:
        checks += [Check(f"{service.name}.{n}", call) for n, call in service.checks.items()]
    routers = [router for service in running.services for router in service.routers]
    return build_app(
        "Jejak",
        [*routers, *extra],
        pages=kernel.pages,
        accounts=kernel.accounts,
        secret=secret(settings, "session"),
        secure=settings.https,
        origins=[url for url in settings.urls.values() if url],
        checks=checks,
        larger_bodies=LARGER_BODIES,
        csrf_exempt=CSRF_EXEMPT,
        lifespan=lifespan,
    )


class _Announcing(Server):
    """Says where it listens once people can come; port 0 becomes the port it was given."""

    def __init__(
        self, config: uvicorn.Config, running: Running, ready: Callable[[Running, str], None]
    ) -> None:
        super().__init__(config, [running.kernel.hub.close])
        self._ready = partial(ready, running)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop in order at Ctrl-C or SIGTERM, and let the process end by itself.

        uvicorn would send itself the same signal once more, which ends the process before the
        store and the databases are closed.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop, signals = asyncio.get_running_loop(), (signal.SIGINT, signal.SIGTERM)
        for number in signals:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in signals:
                loop.remove_signal_handler(number)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start as uvicorn does, then announce the address."""
        await super().startup(sockets)
        settle()
        if self.started:
            port = self.servers[0].sockets[0].getsockname()[1]
            self._ready(f"http://{self.config.host}:{port}")


async def serve(
    settings: Settings,
    names: Sequence[str],
    extra: Callable[[Running], Sequence[APIRouter]] = lambda running: (),
    ready: Callable[[Running, str], None] = lambda running, address: None,
) -> None:
    """Serve the named services until told to stop. ``ready`` is called once people can come.

    Raises AddressTaken before anything is opened.
    """
    with closing(bound_socket(settings)) as bound:
        async with opened(settings, names) as running:
            app = application(running, Supervisor(), extra(running))
            config = uvicorn.Config(
                app,
                host=settings.host,
                log_level="warning",
                access_log=False,
                server_header=False,
            )
            await _Announcing(config, running, ready).serve([bound])


def bound_socket(settings: Settings) -> socket.socket:
    """Return a socket at the address of the settings. Raises AddressTaken."""
    host, port = settings.host, settings.port
    # asyncio sends small answers at once (TCP_NODELAY) only where the protocol is named.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        # Or a restarted process would have to wait until the system forgets the last one.
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        reason = error.strerror or type(error).__name__
        raise AddressTaken(address=f"{host}:{port}", reason=reason) from error
    return bound


def main(name: str) -> None:
    """Run one service from the environment's settings: what ``python -m services.<name>`` does."""
    settings = Settings()
    configure_logging(settings.log_level)
    asyncio.run(serve(settings, [name]))
