"""What an application's bills and moneys are at a moment.

::

    NotIssued ──▶ Open ◀──────▶ Paid        RecordPayment, ReversePayment
                  │  ▲
                  ▼  │ IssueLateBill (STRD)
                Expired              Open, Expired ──▶ Cancelled
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Protocol

from shared.contracts.payment import BillIssued, PaymentReceived


class Reported(Protocol):
    """Whatever names a money the way its partner does."""

    @property
    def partner(self) -> str: ...

    @property
    def request_id(self) -> str: ...

    @property
    def reference(self) -> str: ...


def same_money(one: Reported, other: Reported) -> bool:
    """Say whether both name one money: the same partner, and its request id or its reference."""
    return one.partner == other.partner and (
        (one.request_id != "" and one.request_id == other.request_id)
        or (one.reference != "" and one.reference == other.reference)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """One money that a partner reported.

    ``bill_id`` is the bill it was meant for; ``paid_at`` and ``source`` are as in
    ``PaymentReceived``. ``suspense_id`` and ``reason`` (as in ``PaymentSetAside``, or
    ``duplicate``) are empty for money that paid the bill. ``told`` says that the partner reported
    it; else only a settlement file did.
    """

    partner: str
    request_id: str
    reference: str
    amount: int
    bill_id: str
    paid_at: str
    source: str
    suspense_id: str = ""
    reason: str = ""
    told: bool = True
    reversed: bool = False
    settled: bool = False
    disputed: bool = False


@dataclass(frozen=True, slots=True)
class Books:
    """What is known whatever state the bill is in.

    ``bills`` are all that were issued, oldest first; ``claim`` those that count: the SKRD of the
    last assessment and the STRDs that followed it. ``unknown`` are reversals of moneys never
    reported; ``rejected`` is why the last attempt to bill failed; ``ended`` why the application
    ended after it was paid.
    """

    bills: tuple[BillIssued, ...] = ()
    claim: tuple[BillIssued, ...] = ()
    moneys: tuple[Money, ...] = ()
    unknown: tuple[Reported, ...] = ()
    contradictions: frozenset[tuple[str, str, int, str]] = frozenset()
    rejected: str = ""
    ended: str = ""

    def money(self, reported: Reported) -> Money | None:
        """Return the money that a partner's words name, if it was reported before."""
        return next((money for money in self.moneys if same_money(money, reported)), None)

    def taken_back_before(self, reported: Reported) -> bool:
        """Say whether the bank took this money back before it was ever reported."""
        return any(same_money(one, reported) for one in self.unknown)

    def payable_on(self, day: date) -> BillIssued | None:
        """Return the bill of the claim that ``day`` had to be paid; None after the last one."""
        return next((bill for bill in self.claim if day <= date.fromisoformat(bill.due_on)), None)

    def marked(
        self,
        reported: Reported,
        *,
        told: bool = False,
        reversed: bool = False,
        settled: bool = False,
        disputed: bool = False,
    ) -> Books:
        """Return the books with marks set on a money."""
        moneys = tuple(
            replace(
                money,
                told=money.told or told,
                reversed=money.reversed or reversed,
                settled=money.settled or settled,
                disputed=money.disputed or disputed,
            )
            if same_money(money, reported)
            else money
            for money in self.moneys
        )
        return replace(self, moneys=moneys)


@dataclass(frozen=True, slots=True)
class NotIssued:
    """No bill yet."""

    books: Books = Books()


@dataclass(frozen=True, slots=True)
class Open:
    """The bill waits to be paid."""

    bill: BillIssued
    books: Books


@dataclass(frozen=True, slots=True)
class Expired:
    """The bill's due date passed; another one, with interest, may follow."""

    bill: BillIssued
    books: Books


@dataclass(frozen=True, slots=True)
class Paid:
    """The bill is paid."""

    bill: BillIssued
    payment: PaymentReceived
    books: Books


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The bill is no longer owed."""

    bill: BillIssued
    reason: str
    books: Books


Bill = NotIssued | Open | Expired | Paid | Cancelled
