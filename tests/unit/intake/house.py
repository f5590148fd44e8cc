"""Intake as it really runs, over a real store, database and bus in a temporary folder."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from deploy.serve import CSRF_EXEMPT, LARGER_BODIES
from services.intake.service import build
from shared.bus import Subscription
from shared.bus.local import LocalBus
from shared.codec import Codec
from shared.database.sqlite import SqliteDatabase
from shared.events import Recorded
from shared.handle import Handler
from shared.identity import Accounts
from shared.offices import Catalogue
from shared.service import Kernel, Service, Task
from shared.settings import Settings
from shared.store.sqlite import SqliteStore
from shared.web.app import build_app
from shared.web.pages import Pages
from shared.web.sse import LiveHub
from tests.unit.intake import papers

HERE = Path(__file__).resolve().parents[3]
MONDAY = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)


@dataclass
class Clock:
    """A clock that the test moves."""

    now: datetime = MONDAY

    def __call__(self) -> datetime:
        """Return the present; it moves on by a millisecond each time it is asked."""
        self.now += timedelta(milliseconds=1)
        return self.now


@dataclass
class House:
    """One running intake service and a browser at its door."""

    kernel: Kernel
    service: Service
    client: httpx.AsyncClient
    others: list[httpx.AsyncClient] = field(default_factory=list)

    async def upload(self, data: bytes) -> httpx.Response:
        """Send a document as a program does."""
        return await self.client.post("/api/uploads", content=data)

    async def application(self, **changes: Any) -> dict[str, Any]:
        """Return a request that is accepted, after its documents were uploaded."""
        documents = []
        for requirement in ("ktp", "bukti-tempat", "persetujuan-tetangga"):
            sha256 = (await self.upload(papers.pdf(requirement))).json()["sha256"]
            documents.append(
                {"requirement": requirement, "sha256": sha256, "name": f"{requirement}.pdf"}
            )
        return {
            "office": "bogor",
            "permit_type": "situ",
            "applicant": {
                "name": "Pemohon Contoh",
                "nik": "3271046504930002",
                "phone": "0812 3456 7890",
            },
            "answers": {
                "business-name": "Warung Contoh",
                "business-address": "Jl. Contoh 2",
                "area": 40,
            },
            "documents": documents,
        } | changes

    async def submit(self, key: str | None = None, **changes: Any) -> dict[str, Any]:
        """Submit an application and return what the applicant got."""
        headers = {"Idempotency-Key": key} if key else {}
        body = await self.application(**changes)
        answer = await self.client.post("/api/applications", json=body, headers=headers)
        assert answer.status_code == 201, answer.text
        await self.settled()
        return dict(answer.json())

    async def settled(self) -> None:
        """Wait until the read model has folded everything."""
        head = await self.kernel.store.head()
        async with asyncio.timeout(5):
            for projector in self.service.projectors:
                while (await projector.positions()).get("store", 0) < head:  # noqa: ASYNC110
                    await asyncio.sleep(0.005)

    async def sign_in(self, username: str) -> httpx.AsyncClient:
        """Return another browser in which an officer is signed in."""
        account = self.kernel.accounts.find(username)
        assert account is not None
        client = self._browser()
        app: Any = self.client._transport.app  # type: ignore[attr-defined]
        holder = _CookieHolder()
        app.state.sessions.start(holder, account)
        client.cookies.update(holder.cookies)
        self.others.append(client)
        return client

    def _browser(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            transport=self.client._transport, base_url="http://test", follow_redirects=False
        )

    async def events(self, application_id: str) -> list[Recorded]:
        """Return what is recorded of an application."""
        return await self.kernel.store.read_stream(f"application-{application_id}")


class _CookieHolder:
    """Takes the cookie that a session would set on a response."""

    def __init__(self) -> None:
        self.cookies: dict[str, str] = {}

    def set_cookie(self, name: str, value: str, **options: Any) -> None:
        """Keep the cookie."""
        self.cookies[name] = value


def build_kernel(
    folder: Path, store: SqliteStore, checkpoints: SqliteDatabase, **settings_given: Any
) -> Kernel:
    """Return what a service is given, with a clock that the test moves."""
    settings, codec = Settings(data=folder, **settings_given), Codec()
    return Kernel(
        settings=settings,
        store=store,
        bus=LocalBus(store, checkpoints),
        codec=codec,
        handler=Handler(store, codec),
        catalogue=Catalogue.load(settings.config),
        accounts=Accounts.load(settings.config / "accounts"),
        pages=Pages({"intake": HERE / "services" / "intake" / "templates"}, secret="session"),
        hub=LiveHub(),
        now=Clock(),
        uploads=folder / "uploads",
        secret=lambda name: f"secret of {name}",
    )


@asynccontextmanager
async def open_house(folder: Path, **settings: Any) -> AsyncIterator[House]:
    """Run intake with its projector and reactor until the block ends."""
    store = SqliteStore(folder / "events.sqlite")
    checkpoints, database = (SqliteDatabase(folder / f"{name}.sqlite") for name in ("bus", "own"))
    kernel = build_kernel(folder, store, checkpoints, **settings)
    service = build(kernel, database)
    kernel.pages.commands.update(service.commands)
    app = build_app(
        "Jejak",
        list(service.routers),
        pages=kernel.pages,
        accounts=kernel.accounts,
        secret="session",
        larger_bodies=LARGER_BODIES,
        csrf_exempt=CSRF_EXEMPT,
    )
    running = [asyncio.create_task(part) for part in await parts(kernel, service)]
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield House(kernel, service, client)
    kernel.hub.close()
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    for closing in (kernel.bus, database, checkpoints, store):
        await closing.close()


async def parts(kernel: Kernel, service: Service) -> list[Any]:
    """Return the coroutines that the composition root would supervise."""
    found = []
    for projector in service.projectors:
        await projector.prepare()
        name, topics = projector.projection.name, projector.projection.topics
        found.append(_follow(kernel, name, topics, projector.run))
    for reactor in service.reactors:
        await reactor.prepare()
        found.append(_follow(kernel, reactor.name, reactor.topics, reactor.run))
    found.extend(_run(task) for task in service.tasks.values())
    return found


async def _run(task: Task) -> None:
    await task()


async def _follow(
    kernel: Kernel,
    group: str,
    topics: Sequence[str],
    run: Callable[[Subscription], Awaitable[None]],
) -> None:
    await run(await kernel.bus.subscribe(group, topics))


def sha256(data: bytes) -> str:
    """Return what a document is called in the folder."""
    return hashlib.sha256(data).hexdigest()


def token(page: str) -> str:
    """Return the form token of a page."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found is not None
    return found[1]
