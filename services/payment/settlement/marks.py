"""What later events and people say about lines and payments that are facts already."""

from __future__ import annotations

from typing import TypeAlias

from shared.contracts import payment as events
from shared.database import Transaction
from shared.events import Recorded

Noted: TypeAlias = (
    events.PaymentReported | events.PaymentReversed | events.PaymentDisputed | events.PaymentSettled
)

LOOK_AGAIN = "UPDATE settlement_lines SET dirty = ? WHERE settlement_id = ? AND line = ?"
_SAME_MONEY = (
    "application_id = ? AND partner = ? AND "
    "((request_id <> '' AND request_id = ?) OR (reference <> '' AND reference = ?))"
)


def mark(
    tx: Transaction,
    event: Noted,
    one: Recorded,
    change: str,
    values: tuple[str | int, ...] = (),
) -> None:
    """Note ``change`` of the payment that an event names."""
    money = (event.application_id, event.partner, event.request_id, event.reference)
    tx.execute(
        f"UPDATE settlement_moneys SET {change}, dirty = ? WHERE {_SAME_MONEY}",
        (*values, one.position, *money),
    )


def contradicted(tx: Transaction, event: events.PaymentContradicted, position: int) -> None:
    """Note that a payment was told otherwise."""
    name = event.request_id
    money = (event.application_id, event.partner, name, name)
    tx.execute(
        f"UPDATE settlement_moneys SET contradicted = 1, dirty = ? WHERE {_SAME_MONEY}",
        (position, *money),
    )


def held(tx: Transaction, event: events.SuspenseOpened, position: int) -> None:
    """Note that the money of the line that a case names is held."""
    settlement_id, _, line = event.request_id.rpartition(":")
    if event.reason != "orphan" or not (line.isascii() and line.isdecimal()):
        # No line of a file is about it.
        return
    tx.execute(
        "UPDATE settlement_lines SET suspense_id = ?, dirty = ? "
        "WHERE settlement_id = ? AND line = ?",
        (event.suspense_id, position, settlement_id, int(line)),
    )


def matched(tx: Transaction, event: events.LineMatchedByHand, position: int) -> None:
    """Note which payment a person named for a line."""
    tx.execute(
        "UPDATE settlement_lines SET matched = ?, application_id = ?, bill_id = ?, dirty = ? "
        "WHERE settlement_id = ? AND line = ?",
        (
            event.reference,
            event.application_id,
            event.bill_id,
            position,
            event.settlement_id,
            event.line,
        ),
    )


def said(
    tx: Transaction, event: events.LineWrittenToSuspense | events.LineExplained, position: int
) -> None:
    """Note that a person wants a line's money in suspense, or said what a debit is."""
    aside = isinstance(event, events.LineWrittenToSuspense)
    table = "settlement_aside" if aside else "settlement_explained"
    line = (event.settlement_id, event.line)
    tx.execute(
        f"INSERT INTO {table} (settlement_id, line) VALUES (?, ?) "
        "ON CONFLICT (settlement_id, line) DO NOTHING",
        line,
    )
    tx.execute(LOOK_AGAIN, (position, *line))
