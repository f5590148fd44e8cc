"""Wires payment's parts together; every rule is elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from services.payment.api import bills_router
from services.payment.banks import parts
from services.payment.banks.profile import Banks
from services.payment.interest import InterestRules
from services.payment.late import LateBills
from services.payment.pages import BillPages, bill_key, pages_router
from services.payment.reactions import Reactions
from services.payment.settlement import parts as settlement_parts
from services.payment.tariff import PaymentSection
from services.payment.treasury import parts as treasury_parts
from services.payment.views import BillsProjection, BillViews
from shared.database import Database
from shared.errors import BadConfiguration
from shared.offices import Catalogue, section
from shared.projection import Projector
from shared.reactions import Reactor
from shared.service import Kernel, Service
from shared.telemetry import log
from shared.topics import INTAKE, PAYMENT, WORKFLOW

HEARD = (INTAKE.name, WORKFLOW.name, PAYMENT.name)


def build(kernel: Kernel, database: Database) -> Service:
    """Return the payment service. Raises BadConfiguration for partners that can't be told apart."""
    banks, views = _banks(kernel), BillViews(database)
    bank = parts.build(kernel, database, banks, views)
    reactions = Reactions(kernel.handler, kernel.catalogue, banks, kernel.now)
    settlement = settlement_parts.build(kernel, database, banks, views)
    treasury = treasury_parts.build(kernel, database, settlement, bank.doubts)
    return Service(
        name="payment",
        database=database,
        routers=[
            *bank.routers,
            bills_router(views),
            pages_router(_bill_pages(kernel, views, banks), kernel.hub),
            *settlement.routers,
            *treasury.routers,
        ],
        projectors=[
            Projector(BillsProjection(kernel.codec), database),
            settlement.projector,
            treasury.projector,
        ],
        reactors=[
            Reactor("payment.reactions", HEARD, reactions.table(), kernel.codec, database),
            treasury.reactor,
            *bank.reactors,
        ],
        tasks={
            "live": partial(_follow_bills, kernel),
            "late-bills": _late_bills(kernel, views).run,
            **settlement.tasks,
            **treasury.tasks,
            **bank.tasks,
        },
        commands=treasury.commands,
    )


def _banks(kernel: Kernel) -> Banks:
    banks = Banks.load(kernel.settings.config / "banks", _report)
    for problem in unbillable(kernel.catalogue, banks):
        _report(problem)
    return banks


def _bill_pages(kernel: Kernel, views: BillViews, banks: Banks) -> BillPages:
    return BillPages(
        kernel.pages,
        views,
        kernel.handler,
        kernel.catalogue,
        banks,
        kernel.now,
        kernel.settings.bank_page,
    )


def _late_bills(kernel: Kernel, views: BillViews) -> LateBills:
    rules = InterestRules.load(kernel.settings.config / "interest.yaml")
    return LateBills(kernel.handler, views, kernel.catalogue, rules, kernel.now)


async def _follow_bills(kernel: Kernel) -> None:
    # A bill's page folds the store itself, so it may hear of an event before any read model.
    async for recorded in kernel.bus.live((PAYMENT.name,)):
        kernel.hub.publish(bill_key(recorded.correlation_id))


def _report(problem: BadConfiguration) -> None:
    # One wrong file must not stop the others' bills: what it concerns is rejected, and shown.
    log.error("bank_data_refused", reason=str(problem))


def unbillable(catalogue: Catalogue, banks: Banks) -> Iterator[BadConfiguration]:
    """Yield each office with permits that cost money and no bank to pay them to."""
    paid = {
        kind.id
        for kind in catalogue.types.values()
        if not section(kind, "payment", PaymentSection).free
    }
    for office in catalogue.offices.values():
        if paid.intersection(office.permit_types) and banks.of_office(office.id) is None:
            yield BadConfiguration(
                file=f"office {office.id}",
                reason="it has permits that cost money, and no bank profile names it",
            )
