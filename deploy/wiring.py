"""The composition root's parts: settings in, a kernel and built services out.

With no PostgreSQL, KurrentDB or Kafka named, everything is embedded: SQLite files in the data
folder and a bus that tails the store.
"""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, cast

from deploy.catalogue import load_accounts, load_catalogue
from shared.actors import Role
from shared.bus import Bus
from shared.bus.local import LocalBus
from shared.codec import Codec
from shared.database import Database
from shared.database.sqlite import SqliteDatabase
from shared.handle import Handler
from shared.service import Kernel, Service
from shared.settings import SERVICES, Settings, kept_secret
from shared.store import EventStore
from shared.store.sqlite import SqliteStore
from shared.web.pages import NavItem, Pages
from shared.web.sse import LiveHub

_SERVICES_FOLDER = Path(__file__).resolve().parent.parent / "services"

_DESK = frozenset({Role.COUNTER})
_BACK_OFFICE = frozenset(
    {
        Role.COUNTER,
        Role.VERIFIER,
        Role.SURVEYOR,
        Role.ASSESSOR,
        Role.SIGNER,
        Role.SUPERVISOR,
        Role.AGENCY,
    }
)
_LEADERS = frozenset({Role.SUPERVISOR, Role.SIGNER, Role.AUDITOR})
_MONEY = frozenset({Role.TREASURER, Role.SUPERVISOR, Role.AUDITOR})

NAV = (
    NavItem("Permits", "intake", "/izin"),
    NavItem("Track", "workflow", "/lacak"),
    NavItem("Check a permit", "workflow", "/verifikasi"),
    NavItem("Registration", "intake", "/pendaftaran", _DESK),
    NavItem("Work queue", "workflow", "/tugas", _BACK_OFFICE),
    NavItem("Board", "workflow", "/papan", _LEADERS),
    NavItem("Treasury", "payment", "/bendahara", _MONEY),
    NavItem("Messages", "notify", "/kotak-keluar", _BACK_OFFICE | _LEADERS),
    NavItem("Data files", "intake", "/berkas-data", frozenset({Role.ADMIN})),
)


class Root(Protocol):
    """What every ``services.<name>.service`` module offers."""

    def build(self, kernel: Kernel, database: Database) -> Service: ...


def now() -> datetime:
    """Return the present instant, the only clock that services are given."""
    return datetime.now(UTC)


def build_service(name: str, kernel: Kernel, database: Database) -> Service:
    """Return one service by name; only its own dependencies are imported."""
    root = cast(Root, importlib.import_module(f"services.{name}.service"))
    return root.build(kernel, database)


async def open_store(settings: Settings) -> EventStore:
    """Return the event store that the settings name."""
    if settings.kurrent is not None:
        from shared.store.kurrent import KurrentStore

        return KurrentStore(settings.kurrent.get_secret_value())
    if settings.postgres is not None:
        from shared.store.postgres import PostgresStore

        return PostgresStore(settings.postgres.get_secret_value())
    settings.data.mkdir(parents=True, exist_ok=True)
    return SqliteStore(settings.data / "events.sqlite")


async def open_database(settings: Settings, name: str) -> Database:
    """Return the tables of one service: a schema in PostgreSQL, or a file of their own."""
    if settings.postgres is not None:
        from shared.database.postgres import PostgresDatabase

        return PostgresDatabase(settings.postgres.get_secret_value(), name)
    settings.data.mkdir(parents=True, exist_ok=True)
    return SqliteDatabase(settings.data / f"{name}.sqlite")


def open_bus(settings: Settings, store: EventStore, database: Database) -> Bus:
    """Return the bus: Kafka when brokers are named, else the store's own tail."""
    if settings.kafka is not None:
        from shared.bus.kafka import KafkaBus

        return KafkaBus(settings.kafka)
    return LocalBus(store, database)


@asynccontextmanager
async def open_kernel(settings: Settings) -> AsyncIterator[Kernel]:
    """Open everything the services stand on, and close it in reverse order."""
    async with AsyncExitStack() as stack:
        store = await open_store(settings)
        stack.push_async_callback(store.close)
        checkpoints = await open_database(settings, "bus")
        stack.push_async_callback(checkpoints.close)
        bus = open_bus(settings, store, checkpoints)
        stack.push_async_callback(bus.close)
        hub = LiveHub()
        stack.callback(hub.close)
        codec = Codec()
        yield Kernel(
            settings=settings,
            store=store,
            bus=bus,
            codec=codec,
            handler=Handler(store, codec),
            catalogue=load_catalogue(settings.config, now),
            accounts=load_accounts(settings.config),
            pages=build_pages(settings),
            hub=hub,
            now=now,
            uploads=settings.data / "uploads",
            secret=lambda name: secret(settings, name),
        )


def secret(settings: Settings, name: str) -> str:
    """Return the secret called ``name``, handed in or kept in the data folder."""
    return kept_secret(settings.secrets or settings.data / "secrets", name)


def build_pages(settings: Settings, services: Sequence[str] = SERVICES) -> Pages:
    """Return the page renderer with every service's templates and the navigation."""
    return Pages(
        {name: _SERVICES_FOLDER / name / "templates" for name in services},
        secret=secret(settings, "session"),
        links=settings.urls,
        nav=NAV,
        secure=settings.https,
    )
