"""What an application's bills look like to people: on the page and in letters.

Nothing here is personal: whoever knows a registration number may see its bills.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

from services.payment.banks.profile import Banks
from services.payment.bill import (
    Bill,
    Cancelled,
    Expired,
    Money,
    NotIssued,
    Open,
    Paid,
    letter_number,
)
from services.payment.letters import Letter
from shared.contracts.payment import BillIssued, BillLine
from shared.errors import NotFound
from shared.money import rupiah_text
from shared.offices import Catalogue, LocalText
from shared.web.i18n import Translator, msg

T = TypeVar("T")
Issued = Open | Expired | Paid | Cancelled
_STATES: Final[Mapping[str, tuple[str, str]]] = {
    "open": (msg("Waiting for payment"), "waiting"),
    "expired": (msg("Past the due date"), "danger"),
    "paid": (msg("Paid"), "success"),
    "cancelled": (msg("Cancelled"), "neutral"),
}
_KINDS: Final = {"skrd": msg("Fee (SKRD)"), "strd": msg("Late fee with interest (STRD)")}
_TITLES: Final = {"skrd": msg("Fee bill (SKRD)"), "strd": msg("Late fee bill (STRD)")}
_ASIDE: Final = {
    "underpaid": msg("It was less than the bill."),
    "overpaid": msg("It was more than the bill."),
    "late": msg("It came after the due date."),
    "cancelled": msg("The bill had been cancelled."),
    "duplicate": msg("The bill had been paid already."),
}


class Sheets:
    """Says what people see, in their language."""

    def __init__(
        self, catalogue: Catalogue, banks: Banks, now: Callable[[], datetime], bank_page: str = ""
    ) -> None:
        """``bank_page`` is where the demonstration's bank is, empty where there is a real one."""
        self._catalogue = catalogue
        self._banks = banks
        self._now = now
        self._bank_page = bank_page

    def page(self, state: Bill, tr: Translator) -> dict[str, Any]:
        """Return what the bill's page shows. Raises NotFound when there is no bill."""
        issued = _issued(state)
        bill, zone = issued.bill, self._zone(issued)
        profile = self._banks.of_office(bill.office)
        name = self._state_name(issued, zone)
        word, tone = _STATES[name]
        return {
            "number": bill.number,
            "kind": tr.t(_KINDS[bill.kind]),
            "letter": bill.letter,
            "permit": self._permit_name(bill.permit_type, tr.lang),
            "office": self._catalogue.offices[bill.office].name.of(tr.lang),
            "lines": _table([line for line in bill.lines if line.amount], tr.lang),
            "steps": _table([line for line in bill.lines if not line.amount], tr.lang),
            "amount": rupiah_text(bill.amount),
            "due": _day(bill.due_on, tr, zone),
            "state": tr.t(word),
            "state_name": name,
            "tone": tone,
            "payments": [self._payment(money, tr, zone) for money in _payments(issued)],
            "set_aside": [_set_aside(money, tr) for money in issued.books.moneys if _held(money)],
            "ordinal": issued.books.bills.index(bill) + 1,
            "letters": self._letters(issued, tr, zone),
            "bank": profile.name.of(tr.lang) if profile else "",
            "virtual_account": bill.virtual_account,
            "how_to_pay": [step.of(tr.lang) for step in profile.how_to_pay] if profile else [],
            "bank_page": self._bank_page and f"{self._bank_page}?va={bill.virtual_account}",
        }

    def bill(self, state: Bill, ordinal: int, address: str, tr: Translator) -> Letter:
        """Return the letter of the application's n-th bill, from 1. Raises NotFound."""
        issued = _issued(state)
        bill, zone = _nth(issued.books.bills, ordinal), self._zone(issued)
        profile = self._banks.of_office(bill.office)
        facts = [
            (tr.t("Letter"), bill.letter or bill.number),
            (tr.t("Registration number"), bill.number),
            (tr.t("Permit"), self._permit_name(bill.permit_type, tr.lang)),
            (tr.t("Amount"), rupiah_text(bill.amount)),
            (tr.t("Pay by"), _day(bill.due_on, tr, zone)),
            (tr.t("Virtual account number"), bill.virtual_account),
        ]
        steps = [step.of(tr.lang) for step in profile.how_to_pay] if profile else []
        notes = [
            *([tr.t("How to pay"), profile.name.of(tr.lang)] if profile else []),
            *(f"{place}. {step}" for place, step in enumerate(steps, 1)),
            tr.t("Nobody at the office takes cash for this bill."),
        ]
        stamp = self._bill_stamp(issued, bill, tr)
        return self._letter(tr.t(_TITLES[bill.kind]), bill, facts, notes, address, stamp, tr)

    def receipt(self, state: Bill, ordinal: int, address: str, tr: Translator) -> Letter:
        """Return the proof of the n-th payment, from 1; void when it was taken back.

        Raises NotFound.
        """
        issued = _issued(state)
        money, zone = _nth(_payments(issued), ordinal), self._zone(issued)
        bill = next(one for one in issued.books.bills if one.bill_id == money.bill_id)
        shown = self._payment(money, tr, zone)
        facts = [
            (tr.t("Letter"), letter_number("tbp", bill.number, ordinal)),
            (tr.t("For the bill"), bill.letter or bill.number),
            (tr.t("Registration number"), bill.number),
            (tr.t("Permit"), self._permit_name(bill.permit_type, tr.lang)),
            (tr.t("Amount"), shown["amount"]),
            (tr.t("Paid on"), shown["at"]),
            (tr.t("Through"), shown["bank"]),
            (tr.t("Bank reference"), shown["reference"]),
        ]
        void = tr.t("VOID: the bank has taken this payment back.") if money.reversed else ""
        return self._letter(tr.t("Proof of payment"), bill, facts, [], address, void, tr)

    def _letter(
        self,
        title: str,
        bill: BillIssued,
        facts: Sequence[tuple[str, str]],
        notes: Sequence[str],
        address: str,
        stamp: str,
        tr: Translator,
    ) -> Letter:
        office = self._catalogue.offices[bill.office]
        table = _table(bill.lines, tr.lang)
        return Letter(
            lang=tr.lang,
            title=title,
            office=office.name.of(tr.lang),
            place=office.address,
            facts=facts,
            heads=(tr.t("Part"), tr.t("Calculation"), tr.t("Amount")),
            lines=[(one["label"], one["calculation"], one["amount"]) for one in table],
            total=(tr.t("Total"), rupiah_text(bill.amount)),
            notes=notes,
            address=address,
            address_note=tr.t("Whether this letter still counts is shown here:"),
            stamp=stamp,
        )

    def _bill_stamp(self, state: Issued, bill: BillIssued, tr: Translator) -> str:
        if bill.bill_id != state.bill.bill_id:
            return tr.t("NO LONGER VALID: another bill has taken its place.")
        if isinstance(state, Cancelled):
            return tr.t("CANCELLED: there is nothing to pay.")
        if isinstance(state, Expired):
            return tr.t("The due date of this bill has passed.")
        return ""

    def _state_name(self, state: Issued, zone: ZoneInfo) -> str:
        match state:
            case Paid():
                return "paid"
            case Cancelled():
                return "cancelled"
            case Expired():
                return "expired"
            case Open(bill=bill):
                late = self._now().astimezone(zone).date() > date.fromisoformat(bill.due_on)
                return "expired" if late else "open"

    def _payment(self, money: Money, tr: Translator, zone: ZoneInfo) -> dict[str, Any]:
        bank = next(
            (one.name.of(tr.lang) for one in self._banks.all if one.id == money.partner), ""
        )
        own = money.source == "suspense"
        return {
            "amount": rupiah_text(money.amount),
            "at": tr.datetime(datetime.fromisoformat(money.paid_at), zone),
            "bank": tr.t("money that the office held") if own else bank or money.partner,
            "reference": "–" if own else money.reference or "–",
            "void": money.reversed,
        }

    def _letters(self, state: Issued, tr: Translator, zone: ZoneInfo) -> list[dict[str, Any]]:
        """Return all bills of the application, the newest first."""
        return [
            {
                "ordinal": ordinal,
                "letter": bill.letter or bill.number,
                "amount": rupiah_text(bill.amount),
                "due": _day(bill.due_on, tr, zone),
                "current": bill.bill_id == state.bill.bill_id,
            }
            for ordinal, bill in reversed(list(enumerate(state.books.bills, 1)))
        ]

    def _zone(self, state: Issued) -> ZoneInfo:
        return ZoneInfo(self._catalogue.offices[state.bill.office].zone)

    def _permit_name(self, permit_type: str, lang: str) -> str:
        versions = [k for (name, _), k in self._catalogue.types.items() if name == permit_type]
        names: Sequence[LocalText] = [kind.name for kind in versions]
        return names[-1].of(lang) if names else permit_type


def _issued(state: Bill) -> Issued:
    if isinstance(state, NotIssued):
        raise NotFound
    return state


def _nth(items: Sequence[T], ordinal: int) -> T:
    if not 1 <= ordinal <= len(items):
        raise NotFound
    return items[ordinal - 1]


def _payments(state: Issued) -> list[Money]:
    return [money for money in state.books.moneys if not money.suspense_id]


def _held(money: Money) -> bool:
    return bool(money.suspense_id) and not money.reversed


def _set_aside(money: Money, tr: Translator) -> tuple[str, str]:
    return rupiah_text(money.amount), tr.t(_ASIDE[money.reason])


def _table(lines: Sequence[BillLine], lang: str) -> list[dict[str, str]]:
    """Return the lines for a table; one without an amount explains a number of another."""
    return [
        {
            "label": line.label_en if lang == "en" and line.label_en else line.label,
            "calculation": line.calculation,
            "amount": rupiah_text(line.amount) if line.amount else "–",
        }
        for line in lines
    ]


def _day(day: str, tr: Translator, zone: ZoneInfo) -> str:
    return tr.date(datetime.combine(date.fromisoformat(day), time(12), zone), zone)
