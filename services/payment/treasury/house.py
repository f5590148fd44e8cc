"""What all of the treasurer's pages stand on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import Depends, Request, Response

from services.payment.banks.doubts import Doubts
from services.payment.settlement.parts import Settlement
from services.payment.treasury.desk import MOVERS, READERS, TreasuryDesk
from services.payment.treasury.live import Pulse, list_key
from shared.codec import Codec
from shared.identity import Account
from shared.store import EventStore
from shared.web.pages import Pages
from shared.web.session import require
from shared.web.sse import LiveHub, Render, sse_response

Reader = Annotated[Account, Depends(require(*READERS))]
Mover = Annotated[Account, Depends(require(*MOVERS))]

# List -> the last part of its address.
ADDRESSES = {
    "bills": "tagihan",
    "payments": "pembayaran",
    "suspense": "titipan",
    "refunds": "pengembalian",
    "problems": "masalah",
}


@dataclass(frozen=True)
class House:
    """Pages, live hub, desk and settlement, together."""

    pages: Pages
    hub: LiveHub
    pulse: Pulse
    desk: TreasuryDesk
    settlement: Settlement
    doubts: Doubts
    store: EventStore
    codec: Codec

    def live(self, request: Request, office: str, what: str, draw: Render) -> Response:
        """Answer with an office's list (or its overview: no ``what``), drawn as money moves."""
        key = list_key(office, what)
        self.pulse.follow(key)
        return sse_response(request, self.hub, key, draw)

    def partners(self, office: str) -> list[str]:
        """Return the partners whose settlement account the office holds."""
        return self.settlement.views.partners_of(office)

    def today(self, office: str) -> date:
        """Return an office's own date."""
        return self.desk.now().astimezone(self.desk.zone(office)).date()
