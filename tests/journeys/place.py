"""Where a journey is walked: the whole office in one process, or a process per service."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.bank.keys import BankKeys, open_keys
from deploy.up import Installation
from shared.settings import SERVICES, kept_secret
from shared.store import EventStore
from shared.store.postgres import PostgresStore
from tests.installation import installation
from tests.journeys.phones import Phones, phones
from tests.running import running_office, settings_in

# Where a path is answered when every service has an address of its own; intake has the rest.
_PATHS = {
    "workflow": (
        *("/lacak", "/tugas", "/berkas/", "/papan", "/kinerja-saya", "/verifikasi"),
        *("/api/workflow", "/api/verifikasi"),
    ),
    "payment": ("/tagihan", "/bendahara", "/api/bills", "/v1.0"),
    "notify": ("/kotak-keluar", "/pesan", "/kabar", "/api/messages"),
}


@dataclass(frozen=True)
class Place:
    """A running installation: its addresses by service, its store, data folder and phones."""

    addresses: dict[str, str]
    store: EventStore
    data: Path
    phones: Phones

    def at(self, path: str) -> str:
        """Return the whole address of a path."""
        found = (name for name, paths in _PATHS.items() if path.startswith(paths))
        return self.addresses[next(found, "intake")] + path

    def secret(self, name: str) -> str:
        """Return a secret that the installation keeps."""
        return kept_secret(self.data / "secrets", name)

    def bank(self) -> BankKeys:
        """Return what the bank holds. Blocks for as long as a key pair takes to make."""
        return open_keys(self.data, self.secret("bank"))


@asynccontextmanager
async def one_process(folder: Path) -> AsyncIterator[Place]:
    """All services in this process over SQLite, as ``jejak run`` has them."""
    with phones() as reached:
        settings = settings_in(folder, **reached.settings)
        async with running_office(settings, SERVICES) as office:
            addresses = dict.fromkeys(SERVICES, office.address)
            yield Place(addresses, office.running.kernel.store, folder, reached)


@contextmanager
def many_processes() -> Iterator[tuple[Installation, Phones]]:
    """A process per service and the worker over a real Kafka and PostgreSQL, as ``make up``."""
    with phones() as reached, installation(reached.settings) as parts:
        yield parts, reached


@asynccontextmanager
async def among(parts: Installation, reached: Phones) -> AsyncIterator[Place]:
    """A place among the processes of an installation."""
    store = PostgresStore(parts.postgres.dsn)
    try:
        yield Place({name: parts.url(name) for name in SERVICES}, store, parts.folder, reached)
    finally:
        await store.close()
