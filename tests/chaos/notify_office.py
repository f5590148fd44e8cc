"""notify alone, as ``python -m services.notify`` runs it, on a data folder that tests write to.

What it does is watched from outside, in its files: the product has no hook for any of it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import httpx

from shared.actors import system
from shared.codec import Codec
from shared.contracts.intake import ApplicationSubmitted
from shared.ids import derived_id
from shared.store.sqlite import SqliteStore, wall_clock
from tests.chaos.providers import Providers, our_id, without_whatsapp
from tests.chaos.service_process import ServiceProcess
from tests.examples import example
from tests.unit.notify.standins import PASSWORD, PHONE_ID, TOKEN, USER

SECRET = "app-secret-TEST-0001"
# Short, so that a test sees their end: a call without outcome, and an unknown one without report.
# The first must be longer than a call may take, or one that is under way would count as lost.
STUCK_SECONDS, UNKNOWN_SECONDS = 15.0, 15.0


class NotifyProcess(ServiceProcess):
    """One process of notify after another, on one data folder and port."""

    def __init__(self, data: Path, providers: Providers) -> None:
        """Send to the gates of ``providers``; nothing is started."""
        settings = {
            "JEJAK_WHATSAPP_URL": providers.gates["whatsapp"].address,
            "JEJAK_WHATSAPP_PHONE_ID": PHONE_ID,
            "JEJAK_WHATSAPP_TOKEN": TOKEN,
            "JEJAK_WHATSAPP_APP_SECRET": SECRET,
            "JEJAK_KANNEL_URL": providers.gates["sms"].address,
            "JEJAK_KANNEL_USER": USER,
            "JEJAK_KANNEL_PASSWORD": PASSWORD,
            "JEJAK_MESSAGE_STUCK_SECONDS": str(STUCK_SECONDS),
            "JEJAK_MESSAGE_UNKNOWN_SECONDS": str(UNKNOWN_SECONDS),
        }
        super().__init__("notify", data, settings)
        self._environment["JEJAK_NOTIFY_URL"] = self.address
        self.events = data / "events.sqlite"

    def stories(self, after: int = 0) -> dict[str, list[str]]:
        """Return application -> types of its messages' events beyond a position, in order."""
        sql = (
            "SELECT correlation_id, type FROM events WHERE position > ? "
            "AND stream LIKE 'message-%' ORDER BY position"
        )
        found: dict[str, list[str]] = {}
        with closing(sqlite3.connect(self.events, isolation_level=None)) as database:
            for application, kind in database.execute(sql, (after,)):
                found.setdefault(application, []).append(kind)
        return found

    def unfinished(self) -> int:
        """Return how many messages wait for anything, or are not in the read model yet."""
        sql = "SELECT COUNT(*) FROM messages_2 WHERE state NOT IN ('queued', 'sending', 'unknown')"
        with closing(sqlite3.connect(self.data / "notify.sqlite", isolation_level=None)) as read:
            (done,) = read.execute(sql).fetchone()
        return len(self.stories()) - int(done)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Hold the write lock of its store: what it wants to record until then, it can't."""
        with closing(sqlite3.connect(self.events, isolation_level=None, timeout=10)) as database:
            database.execute("BEGIN IMMEDIATE")
            yield
            database.execute("ROLLBACK")


class News:
    """Applications that come in, each of which its applicant is told of."""

    def __init__(self, events: Path) -> None:
        """Write to the store ``events``, as intake would."""
        self.store = SqliteStore(events)
        self._codec = Codec()
        # Application -> telephone number.
        self.numbers: dict[str, str] = {}

    async def come(self, count: int, channel: str) -> dict[str, str]:
        """Submit ``count`` applications; return them and the numbers ``channel`` will reach."""
        fresh: dict[str, str] = {}
        for _ in range(count):
            serial = 2 * (len(self.numbers) + len(fresh)) + (channel == "sms")
            number = f"6281200{serial:06d}"
            assert without_whatsapp(number) == (channel == "sms")
            application = derived_id("chaos", serial)
            fresh[application] = number
            await self._submit(application, number)
        self.numbers |= fresh
        return fresh

    async def _submit(self, application: str, number: str) -> None:
        submitted = example(ApplicationSubmitted, application_id=application)
        applicant = replace(submitted.applicant, phone=f"+{number}")
        cause = derived_id("chaos-news", application)
        new = self._codec.envelope(
            replace(submitted, applicant=applicant),
            derived_id(cause, 0),
            wall_clock(),
            str(system("test")),
            cause,
            application,
        )
        await self.store.append(f"application-{application}", [new])


async def report(office: NotifyProcess, providers: Providers) -> None:
    """Let the providers tell, late, what became of the messages that they report about."""
    async with httpx.AsyncClient(base_url=office.address, timeout=30) as http:
        for number, taken in enumerate(providers.meta.ledger, start=1):
            message, to = taken["biz_opaque_callback_data"], taken["to"]
            if not without_whatsapp(to) and reports_about(message):
                await _whatsapp(http, providers, message, f"wamid.{number}")
        for taken in providers.gateway.ledger:
            message = our_id(taken["dlr-url"])
            if reports_about(message) and not providers.told[message]:
                for kind in (8, 1):
                    answer = await http.get(taken["dlr-url"].replace("%d", str(kind)))
                    assert answer.status_code == 200, answer.text
                providers.told[message] += 1


def reports_about(message_id: str) -> bool:
    """Say whether the provider will ever tell what became of this message: of half of them."""
    return int(message_id[0], 16) % 2 == 0


async def _whatsapp(
    http: httpx.AsyncClient, providers: Providers, message: str, wamid: str
) -> None:
    if providers.told[message]:
        return
    statuses = [
        {
            "id": wamid,
            "status": status,
            "timestamp": "1767575000",
            "recipient_id": "",
            "biz_opaque_callback_data": message,
        }
        for status in ("delivered", "sent")
    ]
    raw, headers = signed(statuses)
    answer = await http.post("/webhooks/whatsapp", content=raw, headers=headers)
    assert answer.status_code == 200, answer.text
    providers.told[message] += 1


def signed(statuses: Sequence[Mapping[str, str]]) -> tuple[bytes, dict[str, str]]:
    """Return body and headers of a webhook call that carries ``statuses``, as Meta signs it."""
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "628001", "phone_number_id": PHONE_ID},
        "statuses": statuses,
    }
    entry = {"id": "1", "changes": [{"field": "messages", "value": value}]}
    raw = json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()
    mac = hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()
    headers = {"x-hub-signature-256": f"sha256={mac}", "content-type": "application/json"}
    return raw, headers
