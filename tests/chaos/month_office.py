"""An office whose clock the test sets, and a bank on the other end of the wire that goes by it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import httpx
import uvicorn

from deploy.bank.delivery import Heard
from deploy.bank.faults import Fault
from deploy.bank.plan import Telling
from deploy.serve import Running, application
from deploy.supervision import Supervisor
from deploy.wiring import build_service, open_database, open_kernel
from shared.settings import Settings
from tests.bank_partner import JAKARTA, Partner, tight
from tests.bench.web_client import Client, request
from tests.chaos.money import PAYMENT, Owed, payment
from tests.running import Office, until


@dataclass
class Clock:
    """The time that the office and its bank go by."""

    at: datetime

    def __call__(self) -> datetime:
        """Return it."""
        return self.at

    def set(self, day: date, hour: int, minute: int = 0) -> None:
        """Go to an hour of a day in the bank's zone."""
        at = datetime(day.year, day.month, day.day, hour, minute, tzinfo=JAKARTA)
        self.at = at.astimezone(UTC)


@asynccontextmanager
async def office_at(settings: Settings, clock: Clock) -> AsyncIterator[Office]:
    """Run the payment service by ``clock``: the product's own composition but for its time."""
    async with open_kernel(settings) as kernel:
        kernel = replace(kernel, now=clock)
        database = await open_database(settings, "payment")
        running = Running(
            kernel, [build_service("payment", kernel, database)], {"payment": database}
        )
        app = application(running, Supervisor(), [])
        config = uvicorn.Config(app, port=0, log_level="warning", access_log=False)
        server = uvicorn.Server(config)
        task = asyncio.create_task(server._serve())
        try:

            async def started() -> bool:
                return server.started

            await until(started, 60, "the office")
            port = server.servers[0].sockets[0].getsockname()[1]
            address = f"http://127.0.0.1:{port}"
            async with httpx.AsyncClient(base_url=address, timeout=120) as http:
                yield Office(address, running, http)
        finally:
            server.should_exit = True
            await task
            await database.close()


class Wire:
    """The bank's connections to the office; a telling's fault is what happens to it here."""

    def __init__(self, office: Office, partner: Partner) -> None:
        """Call ``office`` as ``partner``."""
        self._port = int(office.address.rsplit(":", 1)[1])
        self._partner = self._forger = self._slow = partner
        self._clients: list[Client] = []

    @asynccontextmanager
    async def open(self, now: datetime, token: str, count: int) -> AsyncIterator[None]:
        """Open ``count`` connections and sign with the clock of the plan."""
        ahead = now - datetime.now(UTC)
        self._partner = replace(self._partner, shift=ahead, token=token)
        self._forger = replace(self._partner, secret="another")
        self._slow = replace(self._partner, shift=ahead - timedelta(minutes=10))
        self._clients = [await Client.connect(self._port) for _ in range(count)]
        try:
            yield
        finally:
            for client in self._clients:
                client.close()

    async def post(self, telling: Telling) -> Heard:
        """Carry one telling and return the office's code."""
        told = telling.payment
        body = payment(Owed("", told.account, told.amount)) | {
            "paymentRequestId": told.request_id,
            "referenceNo": told.reference,
            "trxDateTime": told.at.isoformat(timespec="seconds"),
            "flagAdvise": "Y" if telling.advice else "N",
        }
        raw = tight(body)
        sender = {Fault.SIGNATURE: self._forger, Fault.CLOCK: self._slow}.get(
            telling.fault, self._partner
        )
        headers = sender.headers("POST", PAYMENT, raw, telling.external_id)
        if telling.fault is Fault.TAMPERED:
            raw = raw.replace(b'.00"', b'.01"')
        client = self._clients.pop()
        try:
            _, answer = await client.send(request(self._port, PAYMENT, raw, headers))
        finally:
            self._clients.append(client)
        return Heard(json.loads(answer)["responseCode"])
