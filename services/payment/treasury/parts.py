"""Wires the treasury's parts together; every rule is elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastapi import APIRouter

from services.payment.banks.doubts import Doubts
from services.payment.settlement.parts import Settlement
from services.payment.treasury.actions import ACTIONS
from services.payment.treasury.api import treasury_api
from services.payment.treasury.cases import case_pages
from services.payment.treasury.closings import closing_pages
from services.payment.treasury.desk import TreasuryDesk
from services.payment.treasury.exports import export_pages
from services.payment.treasury.files import file_pages
from services.payment.treasury.house import House
from services.payment.treasury.lines import line_pages
from services.payment.treasury.lists import TreasuryViews
from services.payment.treasury.live import Pulse
from services.payment.treasury.pages import list_pages, overview_pages
from services.payment.treasury.projection import TreasuryProjection
from services.payment.treasury.reactions import SuspenseReactions
from services.payment.treasury.trails import trail_pages
from shared.database import Database
from shared.projection import Projector
from shared.reactions import Reactor
from shared.service import Kernel, Task
from shared.topics import PAYMENT


@dataclass(frozen=True)
class Treasury:
    """What the payment service takes up of the treasury."""

    routers: Sequence[APIRouter]
    projector: Projector
    reactor: Reactor
    tasks: Mapping[str, Task]
    commands: Mapping[str, str]


def build(kernel: Kernel, database: Database, settlement: Settlement, doubts: Doubts) -> Treasury:
    """Return the treasury's parts.

    Files, lines and proofs are the settlement's; ``doubts`` are accounts banks are asked about.
    """
    pulse = Pulse(kernel.bus, kernel.hub)
    desk = TreasuryDesk(
        kernel.handler,
        TreasuryViews(database),
        kernel.catalogue,
        kernel.accounts,
        kernel.now,
    )
    house = House(
        kernel.pages, kernel.hub, pulse, desk, settlement, doubts, kernel.store, kernel.codec
    )
    reactions = SuspenseReactions(kernel.handler, kernel.now)
    return Treasury(
        routers=[
            export_pages(house),
            overview_pages(house),
            list_pages(house),
            case_pages(house),
            trail_pages(house),
            file_pages(house),
            closing_pages(house),
            line_pages(house),
            treasury_api(house),
        ],
        projector=Projector(TreasuryProjection(kernel.codec), database),
        reactor=Reactor(
            "payment.suspense", (PAYMENT.name,), reactions.table(), kernel.codec, database
        ),
        tasks={"treasury-live": pulse.listen, "treasury-lists": pulse.redraw},
        commands={action.command.__name__: action.title for action in ACTIONS},
    )
