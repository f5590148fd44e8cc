"""Wires the settlement's parts together; every rule is elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastapi import APIRouter

from services.payment.banks.profile import Banks
from services.payment.settlement.api import settlement_router
from services.payment.settlement.by_hand import Matcher
from services.payment.settlement.effects import Effects
from services.payment.settlement.keeping import Files
from services.payment.settlement.partners import Partners
from services.payment.settlement.projection import SettlementProjection
from services.payment.settlement.proving import Prover
from services.payment.settlement.reconciler import Reconciler
from services.payment.settlement.taking_in import Intake
from services.payment.settlement.views import SettlementViews
from services.payment.views import BillViews
from shared.calendar import Calendars
from shared.database import Database
from shared.projection import Projector
from shared.service import Kernel, Task

# How often the reconciler looks without being told: days end, and grace passes, by the clock.
LOOK_SECONDS = 10.0


@dataclass(frozen=True)
class Settlement:
    """What the payment service takes up of the settlement, and what the pages may use."""

    files: Files
    intake: Intake
    views: SettlementViews
    matcher: Matcher
    reconciler: Reconciler
    prover: Prover
    projector: Projector
    routers: Sequence[APIRouter]
    tasks: Mapping[str, Task]


def build(kernel: Kernel, database: Database, banks: Banks, bills: BillViews) -> Settlement:
    """Return the settlement's parts."""
    partners = Partners.of(banks, Calendars(kernel.catalogue))
    files = Files(kernel.settings.data / "settlements")
    intake = Intake(kernel.handler, files, partners, kernel.now)
    views = SettlementViews(database, partners)
    matcher = Matcher(kernel.handler, views, kernel.now)
    prover = Prover(database, kernel.handler, partners, kernel.now)
    effects = Effects(kernel.handler, partners, kernel.now)
    reconciler = Reconciler(database, effects, partners, kernel.now, prover.work, LOOK_SECONDS)
    projection = SettlementProjection(kernel.codec, partners)
    return Settlement(
        files=files,
        intake=intake,
        views=views,
        matcher=matcher,
        reconciler=reconciler,
        prover=prover,
        projector=Projector(projection, database, lambda position: reconciler.wake()),
        routers=[settlement_router(files, intake, views, matcher, bills)],
        tasks={"settlement-intake": intake.run, "settlement": reconciler.run},
    )
