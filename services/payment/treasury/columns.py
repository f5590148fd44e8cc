"""The columns of every list: the same on pages, in CSV and in PDF."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal
from urllib.parse import quote

from services.payment.treasury.wording import Teller
from shared.events import from_micros
from shared.web.i18n import msg

Cell = str | int


@dataclass(frozen=True)
class Column:
    """One column. ``told`` gives what people read, ``raw`` what programs read: rupiah as whole
    numbers, instants as ISO 8601 UTC, codes as they are. ``link`` leads to what is behind it;
    what is not ``on_page`` is in exports only, because a screen has room for less. What
    has the shape ``whole`` is read as one word and not broken over lines; ``when`` is a day or an
    instant in words.
    """

    key: str
    label: str
    told: Callable[[Any, Teller], str]
    raw: Callable[[Any], Cell]
    numeric: bool = False
    link: Callable[[Any], str] | None = None
    tone: Callable[[Any, Teller], str] | None = None
    on_page: bool = True
    shape: Literal["", "whole", "when"] = ""


def _plain(key: str, label: str, link: Callable[[Any], str] | None = None) -> Column:
    return Column(
        key,
        label,
        lambda row, _: str(getattr(row, key)),
        lambda row: getattr(row, key),
        link=link,
        shape="whole",
    )


def _money(key: str, label: str) -> Column:
    return Column(
        key,
        label,
        lambda row, teller: teller.rupiah(getattr(row, key)),
        lambda row: getattr(row, key),
        numeric=True,
    )


def _instant(key: str, label: str) -> Column:
    return Column(
        key,
        label,
        lambda row, teller: teller.when(getattr(row, key)),
        lambda row: from_micros(getattr(row, key)).isoformat(),
        shape="when",
    )


def _day(key: str, label: str) -> Column:
    return Column(
        key,
        label,
        lambda row, teller: teller.day(getattr(row, key)),
        lambda row: getattr(row, key),
        shape="when",
    )


def _kind(key: str, label: str) -> Column:
    return Column(
        key,
        label,
        lambda row, teller: teller.kind(getattr(row, key)),
        lambda row: getattr(row, key),
    )


def _person(key: str, label: str) -> Column:
    return Column(
        key,
        label,
        lambda row, teller: teller.person(getattr(row, key)) if getattr(row, key) else "",
        lambda row: getattr(row, key),
    )


def _state(listing: str) -> Column:
    return Column(
        "state",
        msg("State"),
        lambda row, teller: teller.state(listing, row.state)[0],
        lambda row: row.state,
        tone=lambda row, teller: teller.state(listing, row.state)[1],
    )


def trail_of_bills(row: Any) -> str:
    """Return the address of the events of an application's bills."""
    return f"/bendahara/jejak/tagihan/{quote(row.application_id)}"


def case_of(row: Any) -> str:
    """Return the address of a case of money in suspense."""
    return f"/bendahara/titipan/{quote(row.suspense_id)}"


def problem_link(row: Any) -> str:
    """Return the address where a problem's story is told."""
    if row.kind == "lost-money":
        return f"/bendahara/titipan/{quote(row.subject)}"
    return trail_of_bills(row)


_PERMIT = Column(
    "permit_type",
    msg("Permit"),
    lambda row, teller: teller.permit(row.permit_type),
    lambda row: row.permit_type,
)
_DETAIL = Column(
    "detail", msg("Details"), lambda row, teller: teller.kind(row.detail), lambda row: row.detail
)

COLUMNS: Mapping[str, tuple[Column, ...]] = {
    "bills": (
        _plain("number", msg("Number"), trail_of_bills),
        _kind("kind", msg("Letter")),
        _PERMIT,
        _money("amount", msg("Amount")),
        _state("bills"),
        replace(_plain("virtual_account", msg("Virtual account number")), on_page=False),
        _instant("issued_us", msg("Issued")),
        _day("due_on", msg("Pay by")),
    ),
    "payments": (
        _plain("number", msg("Number"), trail_of_bills),
        _money("amount", msg("Amount")),
        _state("payments"),
        _kind("kind", msg("What for")),
        _plain("reference", msg("Bank reference")),
        replace(_plain("partner", msg("Bank")), on_page=False),
        replace(_kind("source", msg("Known from")), on_page=False),
        _instant("paid_us", msg("Paid at")),
        _day("value_on", msg("Value date")),
    ),
    "suspense": (
        _plain("reference", msg("Bank reference"), case_of),
        _kind("reason", msg("Why")),
        _money("amount", msg("Amount")),
        _money("held", msg("Still held")),
        _state("suspense"),
        _plain("number", msg("Number")),
        _person("claimed_by", msg("Who works on it")),
        _instant("opened_us", msg("Since")),
    ),
    "refunds": (
        Column(
            "asked_us",
            msg("Asked"),
            lambda row, teller: teller.when(row.asked_us),
            lambda row: from_micros(row.asked_us).isoformat(),
            link=case_of,
        ),
        _money("amount", msg("Amount")),
        _state("refunds"),
        _person("requester", msg("Asked by")),
        _person("approver", msg("Approved by")),
        _plain("reference", msg("Bank reference")),
        _day("paid_on", msg("Paid out on")),
    ),
    "problems": (
        Column(
            "number",
            msg("Number"),
            lambda row, teller: row.number or teller.tr.t("Without a number"),
            lambda row: row.number,
            link=problem_link,
        ),
        _kind("kind", msg("What is wrong")),
        _DETAIL,
        _money("amount", msg("Amount")),
        _state("problems"),
        _instant("since_us", msg("Since")),
    ),
}
