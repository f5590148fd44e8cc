"""What must have come of a bank's month, and the figures that show it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from deploy.bank.delivery import Heard
from deploy.bank.faults import Fault
from deploy.bank.plan import Month, Telling
from tests.chaos.books import Books

# Lines whose money no bill and no case of suspense holds.
_NOWHERE = frozenset({"PENDING", "AMOUNT_DIFF"})


@dataclass
class Outcome:
    """What came of a month."""

    month: Month
    books: Books
    lines: dict[str, tuple[str, str, int]]
    moneys: dict[str, str]
    failed: list[tuple[str, str]]
    codes: Counter[str] = field(default_factory=Counter)
    surprises: list[tuple[Telling, Heard]] = field(default_factory=list)
    halves: int = 0
    seconds: dict[str, float] = field(default_factory=dict)


def check(outcome: Outcome) -> None:
    """Raise AssertionError for the first thing that is not as it must be."""
    books, month = outcome.books, outcome.month
    assert outcome.surprises == []
    # No callback of money that a file told of first is told that somebody else has paid.
    assert outcome.codes["4042514"] == 0
    assert outcome.failed == []
    books.check()
    assert sum(books.rejected.values()) == outcome.halves
    _check_lines(outcome)
    _check_payments(outcome)
    _check_balance(outcome)
    days = {day.on.isoformat() for day in month.days if day.lines}
    assert {day for _, day in books.proofs} >= days


def _check_lines(outcome: Outcome) -> None:
    """Every line is in the one class of the plan, each class comes to its sum, all are there."""
    expected, again = outcome.month.expected, Counter[str]()
    planned = [line for day in outcome.month.days for line in day.lines]
    originals = {line.reference: line.reverses or line.reference for line in planned}
    assert len(outcome.lines) == len(planned)
    counts, sums = Counter[str](), Counter[str]()
    for name, reference, amount in outcome.lines.values():
        counts[name] += 1
        sums[name] += amount
        again[reference] += name == "PENDING"
        assert name in {expected[originals[reference]].line, "PENDING"}, (reference, name)
    assert {name: (counts[name], sums[name]) for name in counts} == outcome.month.classes()
    doubled = {
        payment.reference
        for payment in outcome.month.payments
        if payment.fault is Fault.DOUBLED_LINE
    }
    assert {name for name, times in again.items() if times} == doubled


def _check_payments(outcome: Outcome) -> None:
    """Every money went where the plan says: to its bill, into suspense, or nowhere."""
    books = outcome.books
    orphans = {
        case.reference: case.amount for case in books.cases.values() if case.reason == "orphan"
    }
    for reference, expected in outcome.month.expected.items():
        pays = reference in books.received and reference not in books.reversed
        assert pays == expected.pays, (reference, expected)
        assert outcome.moneys.get(reference, "") == expected.payment, (reference, expected)
        held = sum(books.aside.get(reference, ())) + orphans.get(reference, 0)
        assert held == expected.held, (reference, expected)
    amounts = {payment.reference: payment.amount for payment in outcome.month.payments}
    for reference, found in books.received.items():
        assert found == [amounts[reference]]


def _check_balance(outcome: Outcome) -> None:
    """What the bank's account moved by is on bills, in suspense, or waits for a person."""
    books = outcome.books
    account = sum(line.amount for line in books.lines.values())
    settled = sum(sum(found) for found in books.settled.values())
    back = sum(sum(found) for found in books.reversed.values())
    orphans = sum(case.amount for case in books.cases.values() if case.reason == "orphan")
    waiting = sum(
        amount
        for key, (name, _, amount) in outcome.lines.items()
        if name in _NOWHERE and key not in books.settled
    )
    assert account == settled - back + orphans + waiting
    assert account == sum(proof.settled for proof in books.proofs.values())
    assert books.held == sum(one.held for one in outcome.month.expected.values())


def report(outcome: Outcome) -> str:
    """Return the figures of a month, one a line."""
    books, month = outcome.books, outcome.month
    callbacks = sum(outcome.codes.values())
    said = [
        f"payments {len(month.payments)}, callbacks {callbacks}, lines {len(books.lines)}, "
        f"events {sum(books.kinds.values())}",
        "answers " + ", ".join(f"{code} {n}" for code, n in sorted(outcome.codes.items())),
        "faults " + ", ".join(f"{f or 'none'} {n}" for f, n in month.injected().most_common()),
        f"half files refused {sum(books.rejected.values())}",
        *(
            f"{name:<20} {count:>8} lines {amount:>18,} rupiah"
            for name, (count, amount) in month.classes().items()
        ),
        f"account {sum(line.amount for line in books.lines.values()):,} rupiah, "
        f"in suspense {books.held:,}",
        "seconds " + ", ".join(f"{name} {spent:.0f}" for name, spent in outcome.seconds.items()),
    ]
    return "\n".join(said)
