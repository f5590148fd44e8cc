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
    return (*_billed(day), *_reported(day), *_settled(day), _aside(day))


def _billed(day: date) -> tuple[Figure, ...]:
    def figure(name: str, label: str, state: str = "") -> Figure:
        return Figure("billed", name, label, BILLS, ListQuery(day=day, state=state))

    return (
        figure("billed", msg("Billed")),
        figure("billed-paid", msg("Paid"), "paid"),
        figure("billed-open", msg("Billed, not paid yet"), "open"),
        figure("billed-expired", msg("Past the due date"), "expired"),
        figure("billed-replaced", msg("Replaced by another"), "replaced"),
        figure("billed-cancelled", msg("Cancelled"), "cancelled"),
    )


def _reported(day: date) -> tuple[Figure, ...]:
    def figure(name: str, label: str, state: str = "", tone: str = "") -> Figure:
        query = ListQuery(day=day, state=state, kind="from-banks")
        return Figure("reported", name, label, PAYMENTS, query, tone)

    return (
        figure("reported", msg("Reported by banks")),
        figure("on-account", msg("On the account"), "settled"),
        figure("under-way", msg("Reported, not settled yet"), "reported"),
        figure("disputed", msg("Reported, never settled"), "disputed", "danger"),
        figure("taken-back", msg("Taken back by the bank"), "reversed", "warning"),
    )


def _settled(day: date) -> tuple[Figure, ...]:
    def figure(name: str, label: str, kind: str) -> Figure:
        return Figure("settled", name, label, PAYMENTS, ListQuery(settled_on=day, kind=kind))

    return (
        figure("settled", msg("Settled"), "from-banks"),
        figure("confirmed", msg("Confirms a report"), "confirmed"),
        figure("unreported", msg("Settled without a report"), "unreported"),
    )


def _aside(day: date) -> Figure:
    label = msg("Reported, but no bill could take it")
    query = ListQuery(day=day, kind="set-aside")
    return Figure("aside", "no-bill-took-it", label, PAYMENTS, query, "warning")


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
