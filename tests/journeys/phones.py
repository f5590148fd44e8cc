"""The phones that messages reach: stand-ins for an SMS gateway and for WhatsApp, on loopback.

They listen in threads of their own, so that an installation of many processes outlives the loop of
one test. Journeys are walked at any hour of the day, so the installation has rules of its own: the
shipped ones, without quiet hours and without gathering.
"""

from __future__ import annotations

import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette

from tests.any_hour import rules_at_any_hour
from tests.unit.notify.standins import (
    PASSWORD,
    PHONE_ID,
    TOKEN,
    USER,
    StandIn,
    kannel_app,
    whatsapp_app,
)


@dataclass(frozen=True)
class Phones:
    """What the providers were given to deliver, and how an installation reaches them."""

    gateway: StandIn
    whatsapp: StandIn
    rules: Path

    @property
    def settings(self) -> dict[str, str]:
        """The settings that lead to the providers, by their names."""
        return {
            "kannel_url": self.gateway.address,
            "kannel_user": USER,
            "kannel_password": PASSWORD,
            "whatsapp_url": self.whatsapp.address,
            "whatsapp_phone_id": PHONE_ID,
            "whatsapp_token": TOKEN,
            "notify_rules": str(self.rules),
        }

    def sms(self, number: str) -> list[str]:
        """Return the texts that went to a mobile number by SMS."""
        return [str(sent["text"]) for sent in self.gateway.ledger if sent["to"] == number]

    def whatsapps(self, number: str) -> list[tuple[str, dict[str, str]]]:
        """Return template and parameters of what went to a mobile number by WhatsApp."""
        found = []
        for sent in self.whatsapp.ledger:
            if sent["to"] == number.removeprefix("+"):
                template: dict[str, Any] = sent["template"]
                given = template["components"][0]["parameters"]
                found.append(
                    (str(template["name"]), {p["parameter_name"]: p["text"] for p in given})
                )
        return found


@contextmanager
def phones() -> Iterator[Phones]:
    """Run both providers until the block ends."""
    with (
        tempfile.TemporaryDirectory() as folder,
        _served(kannel_app) as gateway,
        _served(whatsapp_app) as whatsapp,
    ):
        yield Phones(gateway, whatsapp, rules_at_any_hour(Path(folder), gathers=False))


@contextmanager
def _served(make: Callable[[StandIn], Starlette]) -> Iterator[StandIn]:
    # It listens before the server runs, so that whoever comes early only waits.
    with socket.create_server(("127.0.0.1", 0)) as listening:
        stand_in = StandIn(f"http://127.0.0.1:{listening.getsockname()[1]}")
        server = uvicorn.Server(uvicorn.Config(make(stand_in), log_level="error"))
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        try:
            yield stand_in
        finally:
            server.should_exit = True
            thread.join(10)
