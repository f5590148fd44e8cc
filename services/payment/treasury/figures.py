"""The three-way picture of a day, and what stands open: each figure with the list behind it."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from services.payment.treasury.lists import (
    BILLS,
    PAYMENTS,
    PROBLEMS,
    REFUNDS,
    SUSPENSE,
    Listing,
    ListQuery,
)
from shared.web.i18n import msg


class Figure(NamedTuple):
    """A figure: its place, name, the list and query that it sums up, and its tone on the page.

    ``group`` is ``billed``, ``reported`` or ``settled`` (the whole first, then its parts),
    ``aside`` or ``open``.
    """

    group: str
    name: str
    label: str
    listing: Listing
    query: ListQuery
    tone: str = ""


def of_day(day: date) -> tuple[Figure, ...]:
    """Return what was billed, reported by banks and settled on ``day``, with the differences.

    The parts of each group add up to its first figure.
    """

    def bills(state: str = "") -> ListQuery:
        return ListQuery(day=day, state=state)

    def reported(state: str = "", kind: str = "from-banks") -> ListQuery:
        return ListQuery(day=day, state=state, kind=kind)

    settled = ListQuery(settled_on=day, kind="from-banks")
    confirmed = ListQuery(settled_on=day, kind="confirmed")
    unreported = ListQuery(settled_on=day, kind="unreported")
    return (
        Figure("billed", "billed", msg("Billed"), BILLS, bills()),
        Figure("billed", "billed-paid", msg("Paid"), BILLS, bills("paid")),
        Figure("billed", "billed-open", msg("Billed, not paid yet"), BILLS, bills("open")),
        Figure("billed", "billed-expired", msg("Past the due date"), BILLS, bills("expired")),
        Figure("billed", "billed-replaced", msg("Replaced by another"), BILLS, bills("replaced")),
        Figure("billed", "billed-cancelled", msg("Cancelled"), BILLS, bills("cancelled")),
        Figure("reported", "reported", msg("Reported by banks"), PAYMENTS, reported()),
        Figure("reported", "on-account", msg("On the account"), PAYMENTS, reported("settled")),
        Figure(
            "reported",
            "under-way",
            msg("Reported, not settled yet"),
            PAYMENTS,
            reported("reported"),
        ),
        Figure(
            "reported",
            "disputed",
            msg("Reported, never settled"),
            PAYMENTS,
            reported("disputed"),
            "danger",
        ),
        Figure(
            "reported",
            "taken-back",
            msg("Taken back by the bank"),
            PAYMENTS,
            reported("reversed"),
            "warning",
        ),
        Figure("settled", "settled", msg("Settled"), PAYMENTS, settled),
        Figure("settled", "confirmed", msg("Confirms a report"), PAYMENTS, confirmed),
        Figure("settled", "unreported", msg("Settled without a report"), PAYMENTS, unreported),
        Figure(
            "aside",
            "no-bill-took-it",
            msg("Reported, but no bill could take it"),
            PAYMENTS,
            reported(kind="set-aside"),
            "warning",
        ),
    )


def standing() -> tuple[Figure, ...]:
    """Return what waits for somebody, of whatever day."""
    return (
        Figure("open", "bills-open", msg("Bills to be paid"), BILLS, ListQuery(state="open")),
        Figure(
            "open", "suspense", msg("Money in suspense"), SUSPENSE, ListQuery(state="open"), "info"
        ),
        Figure(
            "open",
            "refunds-asked",
            msg("Refunds to approve"),
            REFUNDS,
            ListQuery(state="asked"),
            "waiting",
        ),
        Figure(
            "open",
            "refunds-approved",
            msg("Refunds to pay out"),
            REFUNDS,
            ListQuery(state="approved"),
            "waiting",
        ),
        Figure(
            "open",
            "problems",
            msg("To be looked into"),
            PROBLEMS,
            ListQuery(state="open"),
            "danger",
        ),
    )
